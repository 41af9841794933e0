"""Findings that somebody considered: they stay, marked with the reason, until the suppression's day has passed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import date

from tapctl.errors import Finding
from tapctl.model.desired import Suppression, Tenant
from tapctl.rules.catalogue import BY_ID
from tapctl.rules.rule import locate_at


def apply_suppressions(tenant: Tenant, findings: Iterable[Finding], *, today: date) -> tuple[Finding, ...]:
    """The findings, with those of a suppressed rule marked. Rules that cannot be suppressed are left alone."""
    reasons: dict[str, str] = {}
    for suppression in tenant.suppressions:
        rule = BY_ID.get(suppression.rule)
        if rule is not None and rule.is_suppressible and _is_in_force(suppression, today):
            reasons.setdefault(suppression.rule, suppression.reason)
    return tuple(
        replace(finding, suppressed=True, suppress_reason=reasons[finding.rule]) if finding.rule in reasons else finding
        for finding in findings
    )


def check_suppressions(
    tenant: Tenant, findings: Iterable[Finding], *, today: date, is_known_whole: bool = True
) -> Iterator[Finding]:
    """Findings on the suppressions themselves, given all findings that need only the files.

    Where the tenant is not known whole, a rule that finds nothing now may find something in what is missing."""
    found = {finding.rule for finding in findings}
    for suppression in tenant.suppressions:
        finding = _judge(suppression, not is_known_whole or suppression.rule in found, today)
        if finding is not None:
            yield locate_at(tenant, suppression.position, finding)


def _judge(suppression: Suppression, is_found: bool, today: date) -> Finding | None:
    rule = BY_ID.get(suppression.rule)
    if not suppression.rule:
        return None  # a tenant with errors, of which this is one
    if rule is None:
        return _unknown(suppression.rule)
    if not rule.is_suppressible:
        return _unused(f"{rule.id} cannot be suppressed", "correct what the rule complains of")
    if not _is_in_force(suppression, today):
        effect = "its findings count again" if is_found or not rule.is_judged_offline else "it finds nothing any more"
        return Finding(
            rule="expired-suppression",
            severity="warning",
            message=f"the suppression of {rule.id} ended on {suppression.until}; {effect}",
            why="a reason that was good until a day is to be looked at again after it",
            fix="mend what the rule finds, or give a new day and reason; remove the entry when it is not needed",
        )
    if rule.is_judged_offline and not is_found:
        return _unused(f"{rule.id} finds nothing here", "remove the suppression")
    return None


def _unused(cause: str, fix: str) -> Finding:
    return Finding(
        rule="unused-suppression",
        severity="warning",
        message=f"this suppression suppresses nothing: {cause}",
        why="it would hide a later finding that nobody considered",
        fix=fix,
    )


def _unknown(name: str) -> Finding:
    from difflib import get_close_matches

    near = get_close_matches(name, BY_ID, n=1)
    return Finding(
        rule="unknown-rule",
        severity="error",
        message=f"there is no rule {name}",
        why="a suppression that names no rule suppresses nothing",
        fix=f"did you mean {near[0]}?" if near else "use an id of the catalogue, such as TAP007",
    )


def _is_in_force(suppression: Suppression, today: date) -> bool:
    return suppression.until is None or today <= suppression.until
