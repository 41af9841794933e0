"""Whether two profiles certainly reach a device in common, as far as the files tell."""

from __future__ import annotations

from tapctl.model.desired import ALL_DEVICES, ALL_USERS, Assignment, Profile, Tenant
from tapctl.rules.scope import known_excludes, nested_keys


def overlap(tenant: Tenant, one: Profile, other: Profile) -> bool:
    """Whether some include of one and some include of the other surely share devices.

    Different filters may split the devices between them, and an exclusion may keep one profile's group away from
    the other: then nothing is claimed."""
    return any(
        _filters_meet(mine, theirs)
        and _groups_meet(tenant, mine.group, theirs.group)
        and not _keeps_out(one, theirs.group)
        and not _keeps_out(other, mine.group)
        for mine in one.include or ()
        for theirs in other.include or ()
    )


def _filters_meet(one: Assignment, other: Assignment) -> bool:
    if one.filter is None or other.filter is None:
        return True
    return (one.filter, one.mode) == (other.filter, other.mode)


def _groups_meet(tenant: Tenant, one: str, other: str) -> bool:
    if not one or not other:  # an entry that could not be read
        return False
    if {one, other} & {ALL_DEVICES, ALL_USERS} or one == other:
        return True
    if one in nested_keys(tenant, other) or other in nested_keys(tenant, one):
        return True
    return bool(_members(tenant, one) & _members(tenant, other))


def _members(tenant: Tenant, key: str) -> set[str]:
    groups = [tenant.groups.get(each) for each in (key, *nested_keys(tenant, key))]
    return {member.casefold() for group in groups if group for member in group.members or ()}


def _keeps_out(profile: Profile, group: str) -> bool:
    """Whether a profile excludes, or may exclude, a group that the other one includes."""
    excludes = known_excludes(profile)
    if excludes is None:
        return True
    return any(excluded.group in ("", group) for excluded in excludes)
