"""Everything that the files alone can tell about a tenant."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from tapctl.errors import Finding
from tapctl.model.desired import Tenant
from tapctl.rules.catalogue import RULES
from tapctl.rules.guardrails import check_break_glass, check_schemas
from tapctl.rules.partly import Broken, in_both, readings, unless_suppressed
from tapctl.rules.suppressions import apply_suppressions, check_suppressions


def check(tenant: Tenant, *, today: date, broken: Broken = frozenset()) -> tuple[Finding, ...]:
    """The findings of all offline rules and static guardrails, in the order of the files.

    Suppressed findings stay, marked with their reason. `today` is the day, UTC, by which suppressions end. `broken`
    are places of the tenant that could not be read: nothing is reported that only follows from one of them."""
    least, most = readings(tenant, broken) if broken else (tenant, tenant)
    found, break_glass = _lint(least), list(check_break_glass(least))
    if broken:
        found = unless_suppressed(tenant, in_both(found, _lint(most)), broken)
        break_glass = in_both(break_glass, check_break_glass(most))
    return in_order(
        (
            *apply_suppressions(tenant, found, today=today),
            *check_suppressions(tenant, found, today=today, is_known_whole=not broken),
            *break_glass,
            *check_schemas(tenant, broken),
        )
    )


def _lint(tenant: Tenant) -> list[Finding]:
    return [finding for rule in RULES if rule.check is not None for finding in rule.check(tenant)]


def in_order(findings: Iterable[Finding]) -> tuple[Finding, ...]:
    """Findings by file, line and column, then by rule; those without a place come last."""
    return tuple(sorted(findings, key=_place))


def _place(finding: Finding) -> tuple[bool, str, int, int, str, str]:
    position = finding.position
    if position is None:
        return (True, "", 0, 0, finding.rule, finding.message)
    return (False, position.file, position.line, position.column, finding.rule, finding.message)
