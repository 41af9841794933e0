"""The script that tells pipelines which tenants there are, and which a change concerns."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from .pipelines import make_repository


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A generated repository with a second tenant, which is a folder."""
    make_repository(tmp_path, "github")
    (tmp_path / "tenants" / "fabrikam").mkdir()
    (tmp_path / "tenants" / "fabrikam" / "tenant.yaml").write_text("tenant: {}\n", encoding="utf-8")
    (tmp_path / "tenants" / "README.md").write_text("no tenant\n", encoding="utf-8")
    return tmp_path


def list_tenants(checkout: Path, *changed: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "ci/list_tenants.py", *(["--changed"] if changed else [])],
        cwd=checkout,
        input="".join(f"{path}\0" for path in changed),
        capture_output=True,
        text=True,
        check=False,
    )


def test_every_tenant_is_a_yaml_file_or_a_folder_and_no_baseline(checkout: Path) -> None:
    assert list_tenants(checkout).stdout.splitlines() == ["tenants/contoso.yaml", "tenants/fabrikam"]


@pytest.mark.parametrize(
    ("changed", "concerned"),
    [
        (["tenants/contoso.yaml"], ["tenants/contoso.yaml"]),
        (["tenants/fabrikam/groups.yaml"], ["tenants/fabrikam"]),
        (["tenants/fabrikam/a.yaml", "tenants/contoso.yaml"], ["tenants/contoso.yaml", "tenants/fabrikam"]),
        (["tenants/_baselines/secure.yaml"], ["tenants/contoso.yaml", "tenants/fabrikam"]),
        (["README.md"], []),
        (["tenants/README.md"], []),
        (["docs/tenants/contoso.yaml"], []),
        (["tenants/removed.yaml"], []),
    ],
)
def test_a_change_concerns_the_tenants_whose_files_it_touches(
    changed: list[str], concerned: list[str], checkout: Path
) -> None:
    assert list_tenants(checkout, *changed).stdout.splitlines() == concerned


@pytest.mark.parametrize("name", ["--require-live.yaml", "a\n--yes.yaml", "$(id).yaml", "a b.yaml"])
def test_a_name_that_could_act_on_a_command_line_stops_the_pipeline(name: str, checkout: Path) -> None:
    (checkout / "tenants" / name).write_text("tenant: {}\n", encoding="utf-8")

    result = list_tenants(checkout)

    assert result.returncode == 1
    assert result.stdout == ""
    assert "a tenant's name is made of" in result.stderr


def test_a_repository_without_tenants_has_none(tmp_path: Path) -> None:
    make_repository(tmp_path / "full", "github")
    (tmp_path / "ci").mkdir()
    (tmp_path / "full" / "ci" / "list_tenants.py").rename(tmp_path / "ci" / "list_tenants.py")

    result = list_tenants(tmp_path)

    assert (result.returncode, result.stdout) == (0, "")
