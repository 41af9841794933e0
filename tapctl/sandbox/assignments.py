"""Assignments of a profile: the check of what is sent, and the form in which it is read back."""

from __future__ import annotations

from typing import Any

from tapctl.sandbox import directory
from tapctl.sandbox.exchange import ZERO_GUID, Exchange, is_guid, without_annotations
from tapctl.sandbox.wire import JSONObject

ALL_USERS_ID = "acacacac-9df4-4c7d-9d50-4ef0226f57a9"
ALL_DEVICES_ID = "adadadad-808e-44e2-905a-0b7873a8a531"

_PREFIX = "#microsoft.graph."
_FILTER_ID = "deviceAndAppManagementAssignmentFilterId"
_FILTER_TYPE = "deviceAndAppManagementAssignmentFilterType"
_PSEUDO_GROUPS = {"allLicensedUsersAssignmentTarget": ALL_USERS_ID, "allDevicesAssignmentTarget": ALL_DEVICES_ID}
_GROUP_TARGETS = frozenset({"groupAssignmentTarget", "exclusionGroupAssignmentTarget"})


def checked(exchange: Exchange, known: list[JSONObject]) -> list[JSONObject]:
    """The targets of the request, which replace the `known` ones as a whole.

    Raises:
        GraphError: 400, for a target that the service would refuse.
    """
    body = exchange.body()
    sent = body.get("assignments")
    if not isinstance(sent, list) or set(without_annotations(body)) - {"assignments"}:
        raise exchange.refuse("The request needs the parameter 'assignments', and no other.")
    targets = [_checked_target(exchange, entry, known) for entry in sent]
    places = [(target["@odata.type"], target.get("groupId")) for target in targets]
    if len(set(places)) < len(places):
        raise exchange.refuse("A target is assigned twice.")
    groups = [target["groupId"] for target in targets if "groupId" in target]
    if exchange.behaviour.contradicting_assignments == "refuse" and len(set(groups)) < len(groups):
        raise exchange.refuse("A group is both included and excluded.")
    return targets


def _checked_target(exchange: Exchange, entry: Any, known: list[JSONObject]) -> JSONObject:
    target = entry.get("target") if isinstance(entry, dict) else None
    if not isinstance(target, dict):
        raise exchange.refuse("An assignment has no target.")
    kind = str(target.get("@odata.type", "")).removeprefix(_PREFIX)
    if kind not in _GROUP_TARGETS and kind not in _PSEUDO_GROUPS:
        raise exchange.refuse("The @odata.type of an assignment target is missing or not emulated.")
    checked_target: JSONObject = {"@odata.type": _PREFIX + kind, **_checked_filter(exchange, kind, target)}
    if kind in _GROUP_TARGETS:
        checked_target["groupId"] = _checked_group(exchange, target.get("groupId"), known)
    elif "groupId" in target:
        raise exchange.refuse(f"A target of type {kind} has no groupId.")
    return checked_target


def _checked_group(exchange: Exchange, group_id: Any, known: list[JSONObject]) -> str:
    if not is_guid(group_id):
        raise exchange.refuse("A group target has no valid groupId.")
    identifier = str(group_id).lower()
    mode = exchange.behaviour.unknown_assignment_groups
    tolerated = mode == "refuse-new" and any(target.get("groupId") == identifier for target in known)
    if mode != "store" and not tolerated:
        found = directory.find(exchange, identifier)
        if found is None or directory.kind_of(found) != "group":
            raise exchange.refuse(f"The group {identifier} of an assignment does not exist.")
    return identifier


def _checked_filter(exchange: Exchange, kind: str, target: JSONObject) -> JSONObject:
    mode = target.get(_FILTER_TYPE) or "none"
    filter_id = target.get(_FILTER_ID)
    if mode not in ("none", "include", "exclude"):
        raise exchange.refuse(f"An assignment has the unknown filter type {mode}.")
    if mode == "none":
        return {_FILTER_ID: None, _FILTER_TYPE: "none"}
    if kind == "exclusionGroupAssignmentTarget" and exchange.behaviour.filter_on_exclusion == "refuse":
        raise exchange.refuse("An exclusion cannot have an assignment filter.")
    if not is_guid(filter_id) or exchange.store.read("assignmentFilters", str(filter_id)) is None:
        raise exchange.refuse(f"The assignment filter {filter_id} does not exist.")
    return {_FILTER_ID: str(filter_id).lower(), _FILTER_TYPE: mode}


def rendered(exchange: Exchange, profile: JSONObject, *, type_name: str = "") -> list[JSONObject]:
    """The assignments as they are read back: one object each, its id made of policy and group."""
    found: list[JSONObject] = []
    for target in profile["_assignments"]:
        kind = target["@odata.type"].removeprefix(_PREFIX)
        shown = dict(target)
        if exchange.behaviour.zero_guid_filters and shown[_FILTER_ID] is None:
            shown[_FILTER_ID] = ZERO_GUID
        place = target.get("groupId") or _PSEUDO_GROUPS[kind]
        entry: JSONObject = {"@odata.type": type_name} if type_name else {}
        entry |= {"id": f"{profile['id']}_{place}", "source": "direct", "sourceId": profile["id"], "target": shown}
        if exchange.behaviour.extra_keys:
            entry["auditRuleInformation"] = None
        found.append(entry)
    return found
