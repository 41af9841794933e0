"""Reading the live state that one tenant's files ask for: two round trips, a third only for what those left open."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import cast

from tapctl.kinds import groups, policy, profiles, referrers
from tapctl.kinds.naming import index_members
from tapctl.model.desired import Group, Profile, Tenant
from tapctl.model.live import (
    AssignmentFilter,
    Found,
    LiveGroup,
    LivePolicy,
    LiveProfile,
    LiveTenant,
    Member,
    Referrer,
    ScopeTag,
    SettingShape,
    Sighting,
)
from tapctl.model.requests import Problem, Reading
from tapctl.model.together import together


def read_tenant(tenant: Tenant) -> Reading[LiveTenant]:
    """Everything that planning this tenant needs; parts that could not be read are Problems in the result."""
    seen = yield from _read_declared(tenant)
    return (yield from _read_referred(tenant, seen))


def _read_declared(tenant: Tenant) -> Reading[LiveTenant]:
    wanted: dict[str, Reading[object]] = {
        "groups": groups.read_all(tenant.groups.values()),
        "profiles": profiles.read_all(tenant.profiles.values()),
    }
    if tenant.policy is not None:
        wanted["policy"] = policy.read(tenant.cloud)
    present = [profile for profile in tenant.profiles.values() if profile.identity.ensure == "present"]
    if any(profile.include is not None or profile.exclude is not None for profile in present):
        wanted["filters"] = profiles.read_filters()
    if any(profile.scope_tags is not None for profile in present):
        wanted["scope_tags"] = profiles.read_scope_tags()
    parts = yield from together(wanted)
    return LiveTenant(
        policy=cast("LivePolicy | Problem | None", parts.get("policy")),
        groups=cast("dict[str, Sighting[LiveGroup]]", parts["groups"]),
        profiles=cast("dict[str, Sighting[LiveProfile]]", parts["profiles"]),
        filters=cast("tuple[AssignmentFilter, ...] | Problem | None", parts.get("filters")),
        scope_tags=cast("tuple[ScopeTag, ...] | Problem | None", parts.get("scope_tags")),
    )


def _read_referred(tenant: Tenant, seen: LiveTenant) -> Reading[LiveTenant]:
    found = [sighting.object for sighting in seen.groups.values() if isinstance(sighting, Found)]
    shapes = [profiles.wanted_shapes(item, seen.profiles[key]) for key, item in tenant.profiles.items()]
    doomed = {
        key: sighting.object.id
        for key, sighting in seen.groups.items()
        if isinstance(sighting, Found) and tenant.groups[key].identity.ensure == "absent"
    }
    wanted: dict[str, Reading[object]] = {
        "group_names": groups.read_names(_referred_ids(seen) - {group.id for group in found}),
        "people": groups.read_people(_unknown_people(tenant, found)),
        "shapes": profiles.read_shapes(name for names in shapes for name in names),
    }
    if doomed:
        wanted["referrers"] = referrers.read(tenant.cloud, doomed)
    parts = yield from together(wanted)
    return replace(
        seen,
        group_names=cast("dict[str, str | None | Problem]", parts["group_names"]),
        people=cast("dict[str, Member | None | Problem]", parts["people"]),
        shapes=cast("dict[str, SettingShape | Problem]", parts["shapes"]),
        referrers=cast("tuple[Referrer, ...] | Problem", parts.get("referrers", ())),
    )


def _referred_ids(seen: LiveTenant) -> set[str]:
    """The ids of the groups that live lists name."""
    ids: set[str] = set()
    if isinstance(seen.policy, LivePolicy):
        ids |= policy.referred_groups(seen.policy)
    for sighting in seen.profiles.values():
        if isinstance(sighting, Found):
            ids |= profiles.referred_groups(sighting.object)
    return ids


def _unknown_people(tenant: Tenant, found: Iterable[LiveGroup]) -> set[str]:
    """Declared members that no live group has shown yet."""
    seen = index_members(found)
    declared = {
        spelling.lower()
        for group in tenant.groups.values()
        if group.identity.ensure == "present"
        for spelling in group.members or ()
        if not spelling.startswith("group:")
    }
    return declared - set(seen)


def focus(tenant: Tenant, address: str) -> Tenant:
    """The part of a tenant that one address needs: to read an applied change back without reading everything."""
    keys, wanted_policy, wanted_profiles = _referred_keys(tenant, address)
    own_key = address.removeprefix("groups.") if address.startswith("groups.") else None
    wanted_groups: dict[str, Group] = {}
    for key in keys:
        group = tenant.groups.get(key)
        if group is not None:
            wanted_groups[key] = group if key == own_key else replace(group, members=None, rule=None, description=None)
    return replace(
        tenant,
        groups=wanted_groups,
        policy=tenant.policy if wanted_policy else None,
        profiles=wanted_profiles,
    )


def _referred_keys(tenant: Tenant, address: str) -> tuple[set[str], bool, dict[str, Profile]]:
    if address.startswith("groups."):
        key = address.removeprefix("groups.")
        members = tenant.groups[key].members or ()
        return {key} | {item.removeprefix("group:") for item in members if item.startswith("group:")}, False, {}
    if address.startswith("webSignIn."):
        key = address.removeprefix("webSignIn.")
        profile = tenant.profiles[key]
        listed = (*(profile.include or ()), *(profile.exclude or ()))
        return {item.group for item in listed}, False, {key: profile}
    declared = tenant.policy
    if declared is None:
        return set(), False, {}
    return {item.group for item in declared.include or ()} | set(declared.exclude or ()), True, {}
