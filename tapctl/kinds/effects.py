"""What a change of one field does to people and devices; this is decided only here."""

from __future__ import annotations

from dataclasses import dataclass

from tapctl.kinds.canonical import removed_and_added
from tapctl.model.plan import FieldChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Effect:
    widens: bool = False
    """Somebody may gain the ability."""
    narrows: bool = False
    """Somebody may lose it."""
    enables: bool = False
    """Something that was off is switched on."""


def list_effect(item: FieldChange, *, excludes: bool) -> Effect:
    """The effect of a changed list of groups; for a list of exclusions, an added group loses the ability."""
    removed, added = removed_and_added(item)
    if excludes:
        removed, added = added, removed
    return Effect(widens=bool(added), narrows=bool(removed))
