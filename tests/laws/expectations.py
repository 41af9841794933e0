"""What an apply may cost and what it may touch, worked out from the changes alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from tapctl.kinds.settings import decode_instance, decode_oma, oma_node
from tapctl.model.plan import Change, FieldChange
from tapctl.model.values import Value
from tests.laws import cast
from tests.laws.cast import id_of
from tests.laws.scenarios import TAP_PATH, Scenario
from tests.support.recorder import Sent

MEMBERS_IN_ONE_CALL = 20

State = Mapping[str, Mapping[str, Mapping[str, Any]]]

_TIMES = frozenset({"lastModifiedDateTime", "version"})
_STORED_AS = {
    "state": "state",
    "lifetime.minimum": "minimumLifetimeInMinutes",
    "lifetime.default": "defaultLifetimeInMinutes",
    "lifetime.maximum": "maximumLifetimeInMinutes",
    "length": "defaultLength",
    "oneTime": "isUsableOnce",
    "include": "includeTargets",
    "exclude": "excludeTargets",
    "rule": "membershipRule",
    "members": "_members",
    "description": "description",
    "scopeTags": "roleScopeTagIds",
}


def writes_needed(change: Change) -> int:
    """The fewest requests with which Graph lets a change be made."""
    if change.action == "delete" or change.address == "temporaryAccessPass":
        return 1
    if change.address.startswith("groups."):
        return _group_writes(change)
    assigned = [item for item in change.fields if item.path.startswith("assign.")]
    if change.action == "create":
        return 1 + any(item.after for item in assigned)
    return int(len(assigned) < len(change.fields)) + bool(assigned)


def _group_writes(change: Change) -> int:
    members = next((item for item in change.fields if item.path == "members"), None)
    others = len(change.fields) - (members is not None)
    writes = 1 if change.action == "create" or others else 0
    if members is None:
        return writes
    before, after = _entries(members.before), _entries(members.after)
    return writes + len(before - after) + math.ceil(len(after - before) / MEMBERS_IN_ONE_CALL)


def _entries(value: Value) -> set[Value]:
    return set(value) if isinstance(value, tuple) else set()


def repeated(writes: Iterable[Sent]) -> list[str]:
    """Writes that were sent more than once."""
    seen: dict[str, int] = {}
    for sent in writes:
        seen[f"{sent} {sent.body}"] = seen.get(f"{sent} {sent.body}", 0) + 1
    return [text for text, times in seen.items() if times > 1]


def disturbed(before: State, after: State, changes: Iterable[Change], ids: Mapping[str, str]) -> dict[str, Any]:
    """What differs between two live tenants although no change names it, with both values; made objects aside.

    Whole objects, and of those that a change names all their other properties: what Graph holds is compared byte by
    byte; time stamps aside, and the order of lists that are sets.
    """
    listed = list(changes)
    by_id = {(_home(change), ids[change.address]): change for change in listed if change.address in ids}
    by_id |= {key: change for change in listed for key in [TAP_PATH] if change.address == "temporaryAccessPass"}
    gone = {identifier for (_, identifier), change in by_id.items() if change.action == "delete"}
    found: dict[str, Any] = {}
    for collection, items in before.items():
        for identifier, item in items.items():
            change = by_id.get((_PROFILES.get(collection, collection), identifier))
            if change is not None and change.action == "delete":
                continue
            fields = change.fields if change is not None else ()
            was, now = _rest(item, fields, gone), _rest(after[collection].get(identifier, {}), fields, gone)
            names = [name for name in {**was, **now} if was.get(name) != now.get(name)]
            found |= {f"{collection}/{identifier} {name}": (was.get(name), now.get(name)) for name in names}
    return found


_PROFILES = {"configurationPolicies": "profiles", "deviceConfigurations": "profiles"}


def _home(change: Change) -> str:
    return "groups" if change.address.startswith("groups.") else "profiles"


def _rest(item: Mapping[str, Any], fields: tuple[FieldChange, ...], gone: set[str]) -> dict[str, Any]:
    paths = {item.path for item in fields}
    hidden = set(_TIMES) | {_STORED_AS[path] for path in paths if path in _STORED_AS}
    if "displayName" in paths:
        hidden |= {"displayName", "name"}
    if "rule" in paths:
        hidden.add("_members")
    rest = {name: value for name, value in item.items() if name not in hidden}
    if "roleScopeTagIds" in rest:
        rest["roleScopeTagIds"] = sorted(rest["roleScopeTagIds"])
    if "_members" in rest:
        rest["_members"] = [member for member in rest["_members"] if member not in gone]
    if "_assignments" in rest:
        rest["_assignments"] = _other_assignments(rest["_assignments"], paths)
    changed = {path.removeprefix("settings.").lower() for path in paths if path.startswith("settings.")}
    if "_settings" in rest:
        rest["_settings"] = [
            # What Graph adds to an answer may come back to it.
            {name: value for name, value in one.items() if name != "auditRuleInformation"}
            for one in rest["_settings"]
            if _last(one["settingDefinitionId"], "_") not in changed
        ]
    if "omaSettings" in rest:
        rest["omaSettings"] = [
            # The service makes a new reference to a secret with every write of the list.
            {name: value for name, value in one.items() if name != "secretReferenceValueId"}
            for one in rest["omaSettings"]
            if _last(one["omaUri"], "/") not in changed
        ]
    return rest


def _last(text: str, separator: str) -> str:
    return text.rsplit(separator, 1)[-1].lower()


def _other_assignments(targets: list[Any], paths: set[str]) -> list[str]:
    """The assignments of the sides that no change names; `assign` takes a set, whose order means nothing."""
    sides = {path.removeprefix("assign.") for path in paths if path.startswith("assign.")}
    return sorted(
        repr(sorted(target.items(), key=str))
        for target in targets
        if ("exclude" if "exclusion" in target["@odata.type"] else "include") not in sides
    )


def kept_in_lists(state: State, changes: Iterable[Change], scenario: Scenario) -> set[str]:
    """What lists that change hold and no file can say, or this one does not: targets of deleted groups, and members
    of kinds that a list of members does not use."""
    kept: set[str] = set()
    for change in changes:
        if change.action != "update":
            continue
        item = _object(state, change, scenario.ids)
        for path in sorted({field.path for field in change.fields}):
            if path in ("include", "exclude"):
                found = [target["id"] for target in item[_STORED_AS[path]]]
                kept |= {f"{change.address} {path} {one}" for one in found if one in _DELETED}
            elif path.startswith("assign."):
                side = _other_assignments(item["_assignments"], {"assign.include", "assign.exclude"} - {path})
                kept |= {f"{change.address} {path} {one}" for one in side if any(gone in one for gone in _DELETED)}
            elif path == "members":
                said = scenario.document["groups"][change.address.removeprefix("groups.")]
                unused = _unused_kinds(said)
                kept |= {f"{change.address} {one}" for one in item["_members"] if _kind_of(one) in unused}
    return kept


_DELETED = frozenset(id_of(key) for key in cast.DELETED_GROUPS)
_KINDS = {
    **{person["id"]: "user" for person in (*cast.USERS.values(), *cast.CROWD.values())},
    **{device["id"]: "device" for device in cast.DEVICES.values()},
    cast.SERVICE_PRINCIPAL["id"]: "other",
}


def _unused_kinds(said: Mapping[str, Any]) -> set[str]:
    if said.get("membersExact") or not said["members"]:
        return set()
    return {"user", "device", "group", "other"} - {_kind_of(spelling) for spelling in said["members"]}


def _kind_of(spelling: str) -> str:
    """The kind of a member, however it is spelled; whoever is not of the cast is a group."""
    if spelling.startswith("device:"):
        return "device"
    return "user" if "@" in spelling else _KINDS.get(spelling.lower(), "group")


def touched(state: State, changes: Iterable[Change], ids: Mapping[str, str]) -> dict[str, Any]:
    """What the updated fields hold, by address and path, in a form in which order and spelling mean nothing.

    Without what Graph offers no way back to: targets of single people, and groups that the changes delete.
    """
    listed = list(changes)
    gone = {ids[change.address] for change in listed if change.action == "delete"}
    return {
        f"{change.address} {item.path}": _value(_object(state, change, ids), change, item.path, gone)
        for change in listed
        if change.action == "update"
        for item in change.fields
    }


def _object(state: State, change: Change, ids: Mapping[str, str]) -> Mapping[str, Any]:
    if change.address == "temporaryAccessPass":
        return state[TAP_PATH[0]][TAP_PATH[1]]
    identifier = ids[change.address]
    homes = [items for items in state.values() if identifier in items]
    return homes[0][identifier]


def _value(item: Mapping[str, Any], change: Change, path: str, gone: set[str]) -> Any:
    if path == "displayName":
        return item.get("name", item.get("displayName"))
    if path.startswith("assign."):
        other = "include" if path == "assign.exclude" else "exclude"
        targets = [target for target in item["_assignments"] if target.get("groupId") not in gone]
        return _other_assignments(targets, {f"assign.{other}"})
    if path.startswith("settings."):
        return _setting(item, path.removeprefix("settings."))
    value = item[_STORED_AS[path]]
    if path in ("include", "exclude"):
        return sorted(target["id"] for target in value if target["targetType"] != "user" and target["id"] not in gone)
    if path in ("members", "scopeTags"):
        return sorted(set(value) - gone)
    return (value or "").replace("\r\n", "\n") if path == "description" else value


def _setting(item: Mapping[str, Any], name: str) -> Any:
    for instance in item.get("_settings", ()):
        found = decode_instance(instance)
        if found is not None and found[0] == name:
            return found[1]
    for one in item.get("omaSettings", ()):
        setting = oma_node(one["omaUri"])
        if setting is not None and setting.name == name:
            return decode_oma(setting, one["value"])
    return None
