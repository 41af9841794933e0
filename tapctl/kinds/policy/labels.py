"""The policy's targets as YAML would say them."""

from __future__ import annotations

from tapctl.kinds.naming import Names
from tapctl.model.desired import ALL_USERS
from tapctl.model.live import DirectoryTarget
from tapctl.model.values import Value, as_set


def label(target: DirectoryTarget, names: Names) -> str:
    """A target as YAML would say it; what YAML cannot say is `user:ID`, or a group's id."""
    if target.kind == "all-users":
        return ALL_USERS
    return f"user:{target.id}" if target.kind == "user" else names.group_label(target.id)


def labels(targets: frozenset[DirectoryTarget], names: Names) -> tuple[Value, ...]:
    """A target list in canonical form, without targets of deleted groups: those are a finding, not a change."""
    return as_set(label(target, names) for target in targets if target.id not in names.deleted_groups)
