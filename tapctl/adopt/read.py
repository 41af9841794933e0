"""Reading everything that an import declares: the policy, every profile with a web sign-in setting, their groups."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from tapctl.adopt.inventory import MOST_MEMBERS, Inventory, Undecodable
from tapctl.errors import RefusedError, RemoteError
from tapctl.kinds import groups, policy, profiles
from tapctl.kinds.catalog import SettingsCatalog
from tapctl.kinds.custom import CustomProfile
from tapctl.kinds.deliveries import DeliveryForm, Summary, assignments_read, list_read
from tapctl.kinds.settings import BY_DEFINITION, oma_node
from tapctl.kinds.wire import JSONObject, Malformed, as_object, impossible, malformed, objects, segment
from tapctl.model.desired import Cloud, Group, Identity
from tapctl.model.live import (
    AssignmentFilter,
    Found,
    LiveGroup,
    LivePolicy,
    LiveProfile,
    Member,
    PinMissing,
    ScopeTag,
    Sighting,
)
from tapctl.model.requests import Answer, Outcome, Problem, Read, Reading
from tapctl.model.together import together

CATALOG, CUSTOM = SettingsCatalog(), CustomProfile()


@dataclass(frozen=True, slots=True)
class _Listed:
    """One element of a collection that could be a web sign-in profile."""

    form: DeliveryForm
    summary: Summary
    item: JSONObject

    @property
    def purpose(self) -> str:
        return f"reading profile {self.summary.id}"


@dataclass(frozen=True, slots=True)
class _Profiles:
    """What a collection holds: profiles of ours, those that cannot be decoded, and how many others."""

    found: tuple[LiveProfile, ...]
    undecodable: tuple[Undecodable, ...]
    others: int


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
    parts = yield from together(_first_reads(cloud))
    _known(parts.values())
    listed = _named(
        [*cast("list[_Listed]", parts["catalog"]), *cast("list[_Listed]", parts["custom"])],
        names,
    )
    whole = yield from together(
        {
            "catalog": _read_catalog([item for item in listed if item.form is CATALOG]),
            "custom": _read_custom([item for item in listed if item.form is CUSTOM]),
        }
    )
    catalog, custom = whole["catalog"], whole["custom"]
    inventory = Inventory(
        policy=cast(LivePolicy, parts["policy"]),
        profiles=tuple(sorted((*catalog.found, *custom.found), key=lambda item: item.id)),
        undecodable=(*catalog.undecodable, *custom.undecodable),
        groups={},
        filters=cast("tuple[AssignmentFilter, ...]", parts["filters"]),
        scope_tags=cast("tuple[ScopeTag, ...]", parts["scope_tags"]),
        others=catalog.others + custom.others,
    )
    _check_names(inventory, names)
    return (yield from _with_groups(inventory))


def _first_reads(cloud: Cloud) -> Mapping[str, Reading[object]]:
    return {
        "policy": policy.read(cloud),
        "filters": profiles.read_filters(),
        "scope_tags": profiles.read_scope_tags(),
        "catalog": _list(CATALOG),
        "custom": _list(CUSTOM),
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


def _list(form: DeliveryForm) -> Reading[list[_Listed] | Problem]:
    (outcome,) = yield [list_read(form)]
    if isinstance(outcome, Problem):
        return outcome
    try:
        items = objects(as_object(outcome.body, "the answer").get("value"), "value")
        return [_Listed(form, summary, item) for item in items if (summary := form.summarise(item)) is not None]
    except Malformed as error:
        return malformed(outcome, list_read(form).purpose, error)


def _named(listed: list[_Listed], names: Sequence[str]) -> list[_Listed]:
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


def _read_catalog(listed: list[_Listed]) -> Reading[_Profiles]:
    """Only its settings tell whether a policy is of interest, so all are read; the rest for those that are."""
    settings = yield [CATALOG.settings_read(item.summary.id, item.purpose) for item in listed]
    _known(impossible(outcome) for outcome in settings if isinstance(outcome, Problem))
    ours = [(item, seen) for item, seen in zip(listed, settings, strict=True) if _has_modelled_setting(seen)]
    assigned = yield [assignments_read(CATALOG.collection, item.summary.id, item.purpose) for item, _ in ours]
    _known(impossible(outcome) for outcome in assigned if isinstance(outcome, Problem))
    whole = [
        (item, CATALOG.compose(Answer(200, item.item), seen, assignments, item.purpose))
        for (item, seen), assignments in zip(ours, assigned, strict=True)
    ]
    return _sorted_out(whole, len(listed))


def _has_modelled_setting(outcome: Outcome) -> bool:
    value = outcome.body.get("value") if isinstance(outcome, Answer) and isinstance(outcome.body, dict) else None
    for element in value if isinstance(value, list) else ():
        instance = element.get("settingInstance") if isinstance(element, dict) else None
        if isinstance(instance, dict) and str(instance.get("settingDefinitionId", "")).lower() in BY_DEFINITION:
            return True
    return False


def _read_custom(listed: list[_Listed]) -> Reading[_Profiles]:
    wanted = [item for item in listed if _may_hold_modelled_node(item.item)]
    whole = yield from together({item.summary.id: _whole(item) for item in wanted})
    _known(whole.values())
    return _sorted_out([(item, whole[item.summary.id]) for item in wanted], len(listed))


def _may_hold_modelled_node(item: JSONObject) -> bool:
    """Whether a custom profile of the list is worth reading; one whose settings the list leaves out is."""
    omas = item.get("omaSettings")
    if not isinstance(omas, list):
        return True
    return any(oma_node(str(oma.get("omaUri", ""))) is not None for oma in omas if isinstance(oma, dict))


def _whole(item: _Listed) -> Reading[LiveProfile | Problem | Malformed]:
    """The whole profile; Malformed when every request succeeded and yet the profile cannot be decoded."""
    reading = CUSTOM.read_whole(item.summary.id, item.purpose)
    failed = False
    try:
        wanted = next(reading)
        while True:
            outcomes = yield wanted
            failed = failed or any(isinstance(outcome, Problem) for outcome in outcomes)
            wanted = reading.send(outcomes)
    except StopIteration as finished:
        result: LiveProfile | Problem = finished.value
    if isinstance(result, Problem) and not failed:
        return Malformed(result.message)
    return impossible(result) if isinstance(result, Problem) else result


def _sorted_out(
    whole: Iterable[tuple[_Listed, LiveProfile | Problem | Malformed]],
    listed: int,
) -> _Profiles:
    found: list[LiveProfile] = []
    undecodable: list[Undecodable] = []
    for item, result in whole:
        if isinstance(result, LiveProfile) and result.unreadable and not result.settings:
            undecodable.append(Undecodable(result.id, result.name, "; ".join(result.unreadable.values())))
        elif isinstance(result, LiveProfile):
            found += [result] if result.settings else []
        else:
            reason = result.message if isinstance(result, Problem) else str(result)
            undecodable.append(Undecodable(item.summary.id, item.summary.name, reason))
    return _Profiles(tuple(found), tuple(undecodable), listed - len(found) - len(undecodable))


# Groups


def _with_groups(inventory: Inventory) -> Reading[Inventory]:
    targeted = yield from _read_groups(inventory.targeted)
    present = {group_id: group for group_id, group in targeted.items() if group is not None}
    members = yield from together(
        {group_id: _read_few_members(group_id) for group_id, group in present.items() if is_plain(group)}
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
    seen = yield from together(wanted)
    _known(seen.values())
    return {group_id: _group(sighting) for group_id, sighting in seen.items()}


def _group(sighting: Sighting[LiveGroup]) -> LiveGroup | None:
    match sighting:
        case Found(object=group):
            return group
        case PinMissing():
            return None
        case _:
            raise AssertionError(f"a search by id cannot end as {type(sighting).__name__}")


def _read_few_members(group_id: str) -> Reading[frozenset[Member] | None | Problem]:
    """The members, or None when there are more than a file should list: the rest of them is not even read."""
    purpose = f"reading the members of group {group_id}"
    (outcome,) = yield [
        Read(
            purpose=purpose,
            version="v1.0",
            path=f"/groups/{segment(group_id)}/members"
            f"?$select=id,displayName,userPrincipalName,deviceId&$top={MOST_MEMBERS + 1}",
            permission=groups.READ_PERMISSION,
        )
    ]
    if isinstance(outcome, Problem):
        return impossible(outcome)
    try:
        body = as_object(outcome.body, "the answer")
        members = frozenset(groups.decode_member(item) for item in objects(body.get("value"), "value"))
    except Malformed as error:
        return malformed(outcome, purpose, error)
    return None if len(members) > MOST_MEMBERS or body.get("@odata.nextLink") else members
