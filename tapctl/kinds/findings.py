"""Findings that only the live tenant can show: unresolved names, objects that cannot be touched."""

from __future__ import annotations

from collections.abc import Iterable

from tapctl.errors import Finding, Severity
from tapctl.model.desired import Tenant
from tapctl.model.live import Candidate


def finding_at(
    tenant: Tenant,
    path: tuple[str | int, ...],
    rule: str,
    message: str,
    *,
    why: str = "",
    fix: str = "",
    severity: Severity = "error",
) -> Finding:
    """A finding at the place in the file that names something the tenant does not have."""
    position = tenant.position(*path)
    return Finding(
        rule=rule,
        severity=severity,
        message=message,
        why=why,
        fix=fix,
        position=position,
        excerpt=tenant.excerpt(position),
    )


def listed(candidates: Iterable[Candidate]) -> str:
    """Candidates as text: `'SG-TAP-Users' (id ...), ...`."""
    return ", ".join(f"{candidate.display_name!r} (id {candidate.id})" for candidate in candidates)


def adopted(tenant: Tenant, path: tuple[str | int, ...], what: str, found: str) -> Finding:
    """An object that is taken over by name: the pin to commit, so that it is never found by name again."""
    return finding_at(
        tenant,
        (*path, "adopt"),
        "adopted",
        f"{what} is taken over: its id is {found}",
        why="a name can be given to another object tomorrow, an id cannot",
        fix=f"write `id: {found}` instead of `adopt: true`",
        severity="info",
    )
