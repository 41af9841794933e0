"""What changed of the desired state between two revisions: tenants paired, compared, and the newer one judged."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal

from tapctl.config.judge import judged, judged_in_part
from tapctl.config.load import Failed, Loaded
from tapctl.errors import Finding
from tapctl.insight.desired_diff import compare
from tapctl.model.desired import Tenant
from tapctl.model.plan import Change

Status = Literal["clean", "changes", "failed", "unknown"]
"""`failed`: the newer revision is invalid. `unknown`: the older one is, so that the two cannot be compared."""

Presence = Literal["kept", "added", "removed", "renamed"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Revision:
    """A revision as it was typed, and the commit that it names."""

    name: str
    commit: str

    def __str__(self) -> str:
        return self.name[:12] if len(self.name) == 40 else self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class TenantDifference:
    """What changed of one tenant."""

    name: str
    previous_name: str | None = None
    status: Status
    presence: Presence = "kept"
    changes: tuple[Change, ...] = ()
    findings: tuple[Finding, ...] = ()

    @property
    def is_invalid(self) -> bool:
        """Whether somebody must edit the newer revision."""
        return self.status == "failed"


def differences(
    before: Loaded,
    after: Loaded,
    revision: Revision,
    *,
    names: Sequence[str] = (),
    labels: Mapping[str, str] = {},
    today: date,
) -> tuple[TenantDifference, ...]:
    """What changed of every tenant of either side, by name.

    Args:
        revision: where `before` is from.
        names: only tenants of these names.
        labels: only tenants that have all of these labels on either side.
    """
    pairs = _pairs(before, after, names, labels)
    found = [_difference(older, newer, after, revision, today) for older, newer in pairs]
    return tuple(sorted(found, key=lambda item: item.name))


def _pairs(
    before: Loaded, after: Loaded, names: Sequence[str], labels: Mapping[str, str]
) -> list[tuple[Tenant | Failed | None, Tenant | Failed | None]]:
    """Each tenant of both revisions: by name, else by tenant id, so that a renamed file is not two tenants."""
    older: dict[str, Tenant | Failed] = {**before.failed, **{tenant.name: tenant for tenant in before.tenants}}
    newer: dict[str, Tenant | Failed] = {**after.failed, **{tenant.name: tenant for tenant in after.tenants}}
    gone = {item.id: name for name, item in older.items() if name not in newer and item.id}
    pairs: list[tuple[Tenant | Failed | None, Tenant | Failed | None]] = []
    for name, item in newer.items():
        pairs.append((older.pop(name if name in older else gone.get(item.id, ""), None), item))
    pairs += [(item, None) for item in older.values()]
    return [pair for pair in pairs if any(_is_chosen(item, names, labels) for item in pair if item is not None)]


def _is_chosen(item: Tenant | Failed, names: Sequence[str], labels: Mapping[str, str]) -> bool:
    """Whether the options select a tenant; one whose labels could not be read is not passed over."""
    is_named = not names or item.name in names
    return is_named and (isinstance(item, Failed) or labels.items() <= item.labels.items())


def _difference(
    older: Tenant | Failed | None, newer: Tenant | Failed | None, after: Loaded, revision: Revision, today: date
) -> TenantDifference:
    name = next(item.name for item in (newer, older) if item is not None)
    presence = _presence(older, newer)
    previous = older.name if older is not None and presence == "renamed" else None
    if isinstance(newer, Failed):
        partly = judged_in_part(newer, today)
        return TenantDifference(
            name=name, previous_name=previous, presence=presence, status="failed", findings=partly.findings
        )
    findings = judged(newer, after, today) if newer is not None else ()
    is_invalid = any(finding.severity == "error" and not finding.suppressed for finding in findings)
    if isinstance(older, Failed):
        unknown = _incomparable(older, revision)
        status: Status = "failed" if is_invalid else "unknown"
        return TenantDifference(
            name=name, previous_name=previous, presence=presence, status=status, findings=(unknown, *findings)
        )
    changes = compare(older, newer)
    return TenantDifference(
        name=name,
        previous_name=previous,
        presence=presence,
        status="failed" if is_invalid else "changes" if changes else "clean",
        changes=changes,
        findings=findings,
    )


def _presence(older: Tenant | Failed | None, newer: Tenant | Failed | None) -> Presence:
    if older is None:
        return "added"
    if newer is None:
        return "removed"
    return "kept" if older.name == newer.name else "renamed"


def _incomparable(older: Failed, revision: Revision) -> Finding:
    return Finding(
        rule="older-revision-invalid",
        severity="warning",
        message=f"what changed is unknown: {older.name} is invalid at {revision}",
        why="a desired state that cannot be read whole cannot be compared",
        fix="read the change of the file itself, or compare with a revision that `tapctl validate` accepts",
    )
