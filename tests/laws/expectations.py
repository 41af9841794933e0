"""What an apply may cost and what it may touch, worked out from the changes alone."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from typing import Any

from tapctl.model.plan import Change, FieldChange
from tapctl.model.values import Value
from tests.laws.scenarios import TAP_PATH
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


def untouched(state: State, changes: Iterable[Change], ids: Mapping[str, str]) -> dict[str, Any]:
    """The part of a live tenant that no change names: whole objects, and the other properties of changed ones.

    Two states of which this is equal differ in nothing but what was declared. Settings are listed in their order,
    each modelled one that changes aside.
    """
    by_id = {(_home(change), ids[change.address]): change for change in changes if change.address in ids}
    policy = next((change for change in changes if change.address == "temporaryAccessPass"), None)
    if policy is not None:
        by_id[TAP_PATH] = policy
    created = {change.address for change in changes if change.action == "create"}
    gone = {identifier for (_, identifier), change in by_id.items() if change.action == "delete"}
    kept: dict[str, Any] = {}
    for collection, items in state.items():
        for identifier, item in items.items():
            change = by_id.get((_actual(collection), identifier)) or by_id.get((collection, identifier))
            if change is not None and change.action == "delete":
                continue
            kept[f"{collection}/{identifier}"] = _rest(item, change.fields if change is not None else (), gone)
    return {"objects": kept, "created": sorted(created)}


def _home(change: Change) -> str:
    return "groups" if change.address.startswith("groups.") else "profiles"


def _actual(collection: str) -> str:
    return "profiles" if collection in ("configurationPolicies", "deviceConfigurations") else collection


def _rest(item: Mapping[str, Any], fields: tuple[FieldChange, ...], gone: set[str]) -> dict[str, Any]:
    paths = {item.path for item in fields}
    hidden = set(_TIMES) | {_STORED_AS[path] for path in paths if path in _STORED_AS}
    if "displayName" in paths:
        hidden |= {"displayName", "name"}
    if "rule" in paths:
        hidden.add("_members")
    if paths & {"lifetime.minimum", "lifetime.default", "lifetime.maximum"}:
        hidden -= {_STORED_AS[path] for path in paths if path.startswith("lifetime.")}
        hidden |= {_STORED_AS[path] for path in paths if path.startswith("lifetime.")}
    rest = {name: value for name, value in item.items() if name not in hidden}
    if "_members" in rest:
        rest["_members"] = [member for member in rest["_members"] if member not in gone]
    if "_assignments" in rest:
        rest["_assignments"] = _other_assignments(rest["_assignments"], paths)
    changed = {path.removeprefix("settings.").lower() for path in paths if path.startswith("settings.")}
    if "_settings" in rest:
        rest["_settings"] = [one for one in rest["_settings"] if _last(one["settingDefinitionId"], "_") not in changed]
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
