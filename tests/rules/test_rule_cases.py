"""Every case file: a tenant, after `---` what the live tenant or the plan adds, and the findings expected of it.

A finding names its rule, severity, the text it points at (`at`), and the reason when it is suppressed."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest
import yaml

from tapctl.config.load import load
from tapctl.errors import Finding
from tapctl.model.desired import Tenant
from tapctl.model.plan import Change, FieldChange
from tapctl.model.values import from_json
from tapctl.rules.catalogue import RULES
from tapctl.rules.changes import check_changes
from tapctl.rules.check import check, in_order
from tapctl.rules.live import GroupFacts, check_filters, check_group_types
from tapctl.rules.suppressions import apply_suppressions

TODAY = date(2026, 11, 22)
FOLDER = Path(__file__).parent.parent / "cases" / "rules"
CASES = sorted(FOLDER.glob("*.yaml"))


def read(path: Path) -> tuple[str, dict[str, Any]]:
    text, _, rest = path.read_text(encoding="utf-8").partition("\n---\n")
    return text, yaml.safe_load(rest)


def tenant_of(text: str) -> tuple[Tenant | None, tuple[Finding, ...]]:
    """The tenant of the current folder's one file, and what the loader finds in it."""
    file = Path("tenants/contoso.yaml")
    file.parent.mkdir()
    file.write_text(text, encoding="utf-8")
    loaded = load([str(file)])
    return (loaded.tenants[0] if loaded.tenants else None), loaded.findings


def change(entry: dict[str, Any]) -> Change:
    fields = (
        FieldChange(path=field["path"], before=from_json(field["before"]), after=from_json(field["after"]))
        for field in entry["fields"]
    )
    return Change(address=entry["address"], action=entry["action"], fields=tuple(fields))


def findings_of(tenant: Tenant, case: dict[str, Any]) -> tuple[Finding, ...]:
    facts = {address: GroupFacts(**fact) for address, fact in case.get("facts", {}).items()}
    remote = (
        *check_filters(tenant, case.get("filters", {})),
        *check_group_types(tenant, facts),
        *check_changes(tenant, [change(entry) for entry in case.get("changes", ())]),
    )
    return in_order((*check(tenant, today=TODAY), *apply_suppressions(tenant, remote, today=TODAY)))


def summary(finding: Finding) -> dict[str, str]:
    said = {"rule": finding.rule, "severity": finding.severity}
    return said | ({"suppressed": finding.suppress_reason} if finding.suppressed else {})


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_a_case_gives_exactly_the_findings_it_names_at_the_places_it_names(
    path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text, case = read(path)

    tenant, refused = tenant_of(text)
    judged = findings_of(tenant, case) if tenant is not None else ()
    findings = (*refused, *judged)

    expected = case["findings"]
    named = ("rule", "severity", "suppressed")
    assert [summary(finding) for finding in findings] == [{k: v for k, v in e.items() if k in named} for e in expected]
    for finding, entry in zip(findings, expected, strict=True):
        column = finding.position.column if finding.position else 1
        assert finding.excerpt[column - 1 :].startswith(entry.get("at", ""))
        assert 1 <= finding.width <= max(1, len(finding.excerpt))
    for finding in judged:
        assert finding.message
        assert not finding.message.endswith(".")
        assert finding.why
        assert finding.fix


@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.check is not None], ids=lambda rule: rule.id)
def test_every_rule_has_a_case_that_fires_and_one_that_is_silent(rule: Any) -> None:
    names = [path.stem for path in CASES if rule.id in path.stem]

    assert any("-fires" in name for name in names)
    assert any("-silent" in name for name in names)


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_a_case_does_what_its_name_says(path: Path) -> None:
    _, case = read(path)
    found = {entry["rule"] for entry in case["findings"]}
    named = {part for part in path.stem.split("-") if part in {rule.id for rule in RULES}}

    if "-fires" in path.stem:
        assert named <= found or "break-glass" in found or "guardrail-schema" in found
    if "-silent" in path.stem:
        assert not named & found
