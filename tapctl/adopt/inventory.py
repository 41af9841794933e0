"""What an import knows of a tenant before it declares anything."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from tapctl.kinds import policy, profiles
from tapctl.kinds.profiles import Undecodable
from tapctl.model.desired import Tenant
from tapctl.model.live import (
    AssignmentFilter,
    Found,
    LiveGroup,
    LivePolicy,
    LiveProfile,
    LiveTenant,
    Lookup,
    PinMissing,
    ScopeTag,
)

MOST_MEMBERS = 100
"""The longest member list that a file takes over; longer ones are better filled by a rule or by somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Inventory:
    """Everything that was read, whole: a read that failed ends the import."""

    policy: LivePolicy
    profiles: tuple[LiveProfile, ...]
    """Those that hold at least one modelled setting, sorted by id."""
    undecodable: tuple[Undecodable, ...] = ()
    groups: Mapping[str, LiveGroup]
    """By id: those that the policy and the profiles name, and their nested groups. `members` is None where
    membership cannot be declared."""
    deleted: frozenset[str] = frozenset()
    """Ids that live lists name and that belong to no group any more."""
    crowded: frozenset[str] = frozenset()
    """Ids of groups with more than MOST_MEMBERS members."""
    filters: tuple[AssignmentFilter, ...] = ()
    scope_tags: tuple[ScopeTag, ...] = ()
    others: int = 0
    """How many other policies and custom profiles hold nothing that tapctl models."""

    @property
    def targeted(self) -> frozenset[str]:
        """The ids of the groups that the policy or an assignment names."""
        listed = [policy.referred_groups(self.policy), *(profiles.referred_groups(item) for item in self.profiles)]
        return frozenset().union(*listed)


def as_live(tenant: Tenant, inventory: Inventory) -> LiveTenant:
    """The live state that a plan of `tenant`, whose objects are all pinned, would read."""
    by_id = {profile.id: profile for profile in inventory.profiles}
    groups: dict[str, Lookup[LiveGroup]] = {}
    for key, group in tenant.groups.items():
        seen = inventory.groups.get(group.identity.id or "")
        groups[key] = Found(seen) if seen is not None else PinMissing()
    found: dict[str, Lookup[LiveProfile]] = {}
    for key, profile in tenant.profiles.items():
        there = by_id.get(profile.identity.id or "")
        found[key] = Found(there) if there is not None else PinMissing()
    declared = {group.identity.id for group in tenant.groups.values()}
    names = {
        group_id: inventory.groups[group_id].display_name if group_id in inventory.groups else None
        for group_id in inventory.targeted - declared
    }
    return LiveTenant(
        policy=inventory.policy if tenant.policy is not None else None,
        groups=groups,
        profiles=found,
        filters=inventory.filters,
        scope_tags=inventory.scope_tags,
        group_names=names,
    )
