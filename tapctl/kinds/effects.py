"""What a change of one field does to people and devices: the one place where that is decided."""

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
    """Something is switched on that was off."""


def list_effect(item: FieldChange, *, excludes: bool) -> Effect:
    """The effect of a changed list of groups: who enters a list of exclusions loses what it keeps them from."""
    removed, added = removed_and_added(item)
    if excludes:
        removed, added = added, removed
    return Effect(widens=bool(added), narrows=bool(removed))
