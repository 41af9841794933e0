"""The policy's targets in their YAML form."""

from __future__ import annotations

from tapctl.kinds.naming import Names
from tapctl.model.desired import ALL_USERS
from tapctl.model.live import DirectoryTarget
from tapctl.model.values import Value, as_set


def label(target: DirectoryTarget, names: Names) -> str:
    """A target in its YAML form; a target that YAML cannot express is `user:ID`, or the id of a group."""
    if target.kind == "all-users":
        return ALL_USERS
    return f"user:{target.id}" if target.kind == "user" else names.group_label(target.id)


def is_kept(target: DirectoryTarget, names: Names) -> bool:
    """Whether a file cannot express a target, which therefore stays as it is: a finding, not a change."""
    return target.kind == "other" or target.id in names.deleted_groups


def labels(targets: frozenset[DirectoryTarget], names: Names) -> tuple[Value, ...]:
    """A target list in canonical form, without the targets that a file cannot express."""
    return as_set(label(target, names) for target in targets if not is_kept(target, names))
