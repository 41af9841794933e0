"""Everything that the files alone can tell about a tenant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tapctl.errors import Finding
from tapctl.model.desired import Tenant
from tapctl.rules.catalogue import RULES
from tapctl.rules.guardrails import check_break_glass, check_schemas
from tapctl.rules.suppressions import apply_suppressions, check_suppressions


def check(tenant: Tenant, *, today: date) -> tuple[Finding, ...]:
    """The findings of all offline rules and static guardrails, in the order of the files.

    Suppressed findings stay, marked with their reason. `today` is the day, UTC, by which suppressions end."""
    found = [finding for rule in RULES if rule.check is not None for finding in rule.check(tenant)]
    return in_order(
        (
            *apply_suppressions(tenant, found, today=today),
            *check_suppressions(tenant, found, today=today),
            *check_break_glass(tenant),
            *check_schemas(tenant),
        )
    )


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by file, line and column, then by rule; those without a place come last."""
    return tuple(sorted(findings, key=_place))


def _place(finding: Finding) -> tuple[bool, str, int, int, str, str]:
    position = finding.position
    if position is None:
        return (True, "", 0, 0, finding.rule, finding.message)
    return (False, position.file, position.line, position.column, finding.rule, finding.message)
