"""Broken tenant files with their exact diagnostics beside them, and files that come close and must be accepted."""

from __future__ import annotations

from pathlib import Path

import pytest

from tapctl.config.load import load

from .rendering import render

CASES = Path(__file__).parent.parent / "cases" / "config"


def _tenants(folder: Path) -> list[str]:
    """Every file or folder that is a case: `_` begins a baseline, and .txt holds what is expected."""
    return sorted(path.name for path in folder.iterdir() if not path.name.startswith("_") and path.suffix != ".txt")


@pytest.mark.parametrize("name", _tenants(CASES / "refused"))
def test_a_broken_file_is_refused_with_these_diagnostics(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / "refused")
    expected = (CASES / "refused" / f"{name.removesuffix('.yaml')}.txt").read_text(encoding="utf-8")

    loaded = load([name])

    assert render(loaded.findings) == expected
    assert (not loaded.tenants) == any(finding.severity == "error" for finding in loaded.findings)


@pytest.mark.parametrize("name", _tenants(CASES / "refused"))
def test_every_diagnostic_says_where_what_why_and_what_to_write(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / "refused")

    findings = load([name]).findings

    assert findings
    for finding in findings:
        assert finding.position
        assert finding.message
        assert finding.why
        assert finding.fix
        assert not finding.message.endswith(".")


@pytest.mark.parametrize("name", _tenants(CASES / "accepted"))
def test_a_file_that_only_comes_close_to_an_error_is_accepted(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / "accepted")

    loaded = load([name])

    assert render(loaded.findings) == ""
    assert len(loaded.tenants) == 1


def test_no_expectation_is_left_without_its_case() -> None:
    expected = {path.stem for path in (CASES / "refused").glob("*.txt")}

    assert expected == {name.removesuffix(".yaml") for name in _tenants(CASES / "refused")}


@pytest.mark.parametrize(
    "secret",
    ["Tr0ub4dor", "eyJ0eXAi", "c2lnbmF0dXJl", "8Q~0123", "bm90IHJl", "hunter2", "correct-horse", "battery staple"],
)
def test_no_diagnostic_quotes_a_secret(secret: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(CASES / "refused")
    files = [path for path in Path().glob("*.yaml") if secret in path.read_text(encoding="utf-8")]
    assert files

    for file in files:
        assert secret not in render(load([str(file)]).findings)
