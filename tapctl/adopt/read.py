"""Reading everything that an import declares: the policy, every profile with a web sign-in setting, their groups."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import cast

from tapctl.adopt.inventory import MOST_MEMBERS, Inventory
from tapctl.errors import RefusedError, RemoteError
from tapctl.kinds import groups, policy, profiles
from tapctl.kinds.profiles import DELIVERY_FORMS, Listed, Undecodable
from tapctl.model.desired import Cloud, Group, Identity
from tapctl.model.gather import gather
from tapctl.model.live import (
    AssignmentFilter,
    Found,
    LiveGroup,
    LivePolicy,
    LiveProfile,
    Lookup,
    Member,
    PinMissing,
    ScopeTag,
)
from tapctl.model.requests import Problem, Reading

_Groups = dict[str, LiveGroup | None]
"""Id to group; None where no such group exists."""


def read_inventory(cloud: Cloud, names: Sequence[str] = ()) -> Reading[Inventory]:
    """Everything that an import declares. Six round trips, however large the tenant, beside further pages.

    Args:
        names: display names of the only profiles to import; every one that holds a modelled setting unless given.

    Raises:
        RemoteError: a read failed, so that something is unknown.
        RefusedError: a name fits no profile that holds a modelled setting.
    """
    parts = yield from gather(_first_reads(cloud))
    _known(parts.values())
    listed = [item for delivery in DELIVERY_FORMS for item in cast("list[Listed]", parts[delivery])]
    found, undecodable, others = yield from _read_profiles(_named(listed, names))
    inventory = Inventory(
        policy=cast(LivePolicy, parts["policy"]),
        profiles=tuple(sorted(found, key=lambda item: item.id)),
        undecodable=undecodable,
        groups={},
        filters=cast("tuple[AssignmentFilter, ...]", parts["filters"]),
        scope_tags=cast("tuple[ScopeTag, ...]", parts["scope_tags"]),
        others=others,
    )
    _check_names(inventory, names)
    return (yield from _with_groups(inventory))


def _first_reads(cloud: Cloud) -> Mapping[str, Reading[object]]:
    return {
        "policy": policy.read(cloud),
        "filters": profiles.read_filters(),
        "scope_tags": profiles.read_scope_tags(),
        **{delivery: profiles.list_profiles(form) for delivery, form in DELIVERY_FORMS.items()},
    }


def _known(parts: Iterable[object]) -> None:
    """
    Raises:
        RemoteError: one of the parts is a Problem: what it stands for is unknown, which is not absent.
    """
    problems = [part for part in parts if isinstance(part, Problem)]
    if problems:
        more = f" (and {len(problems) - 1} more reads failed)" if len(problems) > 1 else ""
        raise RemoteError(f"{problems[0].describe()}{more}", fix=problems[0].advice())


# Profiles


def _named(listed: list[Listed], names: Sequence[str]) -> list[Listed]:
    """
    Raises:
        RefusedError: a name fits nothing.
    """
    present = sorted({item.summary.name for item in listed})
    for name in names:
        if name not in present:
            close = difflib.get_close_matches(name, present, n=3)
            hint = (
                f"there is {', '.join(repr(other) for other in close)}" if close else "names are written as in Intune"
            )
            raise RefusedError(f"no profile is named {name!r}", fix=hint)
    return [item for item in listed if not names or item.summary.name in names]


def _check_names(inventory: Inventory, names: Sequence[str]) -> None:
    known = {profile.name for profile in inventory.profiles} | {item.name for item in inventory.undecodable}
    for name in names:
        if name not in known:
            raise RefusedError(
                f"the profile {name!r} holds no setting that tapctl models",
                fix="leave --profile out to import every profile that does",
            )


def _read_profiles(
    listed: Sequence[Listed],
) -> Reading[tuple[tuple[LiveProfile, ...], tuple[Undecodable, ...], int]]:
    """What is listed: profiles of ours, those that cannot be decoded, and how many others."""
    seen = yield from gather({(item.form.delivery, item.summary.id): profiles.read_modelled(item) for item in listed})
    _known(seen.values())
    found = tuple(item for item in seen.values() if isinstance(item, LiveProfile))
    undecodable = tuple(item for item in seen.values() if isinstance(item, Undecodable))
    return found, undecodable, len(listed) - len(found) - len(undecodable)


# Groups


def _with_groups(inventory: Inventory) -> Reading[Inventory]:
    targeted = yield from _read_groups(inventory.targeted)
    present = {group_id: group for group_id, group in targeted.items() if group is not None}
    members = yield from gather(
        {
            group_id: groups.read_few_members(group_id, MOST_MEMBERS)
            for group_id, group in present.items()
            if is_plain(group)
        }
    )
    _known(members.values())
    listed = {key: cast("frozenset[Member] | None", seen) for key, seen in members.items()}
    inside = {member.id for seen in listed.values() for member in seen or () if member.kind == "group"}
    nested = yield from _read_groups(inside - set(present))
    known = {key: replace(group, members=listed.get(key)) for key, group in present.items()}
    return replace(
        inventory,
        groups={**known, **{key: group for key, group in nested.items() if group is not None}},
        deleted=frozenset(key for key, group in targeted.items() if group is None),
        crowded=frozenset(key for key, seen in listed.items() if seen is None),
    )


def is_plain(group: LiveGroup) -> bool:
    """Whether a file could manage the members: an assigned security group that Graph lets change."""
    return (
        group.security_enabled
        and group.rule is None
        and not (group.mail_enabled or group.is_microsoft_365 or group.is_synchronised or group.role_assignable)
    )


def _read_groups(ids: Iterable[str]) -> Reading[_Groups]:
    wanted = {
        group_id: groups.read(Group(identity=Identity(key=group_id, id=group_id), external=True))
        for group_id in sorted(ids)
    }
    seen = yield from gather(wanted)
    _known(seen.values())
    return {group_id: _group(lookup) for group_id, lookup in seen.items()}


def _group(lookup: Lookup[LiveGroup]) -> LiveGroup | None:
    match lookup:
        case Found(object=group):
            return group
        case PinMissing():
            return None
        case _:
            raise AssertionError(f"a search by id cannot end as {type(lookup).__name__}")
