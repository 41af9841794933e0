"""Assignments of Intune profiles: who gets a profile, with which filter. Source: Graph reference
`configurationPolicies: assign` and `deviceConfigurations: assign`, beta (checked 2026-11-22): `assign` replaces the
whole list."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import date

from tapctl.errors import RefusedError
from tapctl.kinds.naming import Names
from tapctl.kinds.steps import ApplyContext
from tapctl.kinds.wire import JSONObject, Malformed, as_object, identifier, odata_type, text_or_none
from tapctl.model.desired import ALL_DEVICES, ALL_USERS, Assignment, FilterMode
from tapctl.model.live import LiveAssignment, TargetKind
from tapctl.model.values import Record, Value, as_set

TARGETS: dict[TargetKind, str] = {
    "group": "groupAssignmentTarget",
    "exclusion": "exclusionGroupAssignmentTarget",
    "all-devices": "allDevicesAssignmentTarget",
    "all-users": "allLicensedUsersAssignmentTarget",
}
_KINDS = {name.lower(): kind for kind, name in TARGETS.items()}
NO_FILTER = "00000000-0000-0000-0000-000000000000"
"""Some reads return this id where there is no filter."""

FILTER_ID = "deviceAndAppManagementAssignmentFilterId"
FILTER_TYPE = "deviceAndAppManagementAssignmentFilterType"


def decode(item: JSONObject) -> LiveAssignment:
    """One assignment as Graph sends it; a target of an unknown kind becomes `other`.

    Raises:
        Malformed: when a property has a different type from the documented one.
    """
    target = as_object(item.get("target"), "target")
    kind = _KINDS.get(odata_type(target), "other")
    filter_id = (text_or_none(target, FILTER_ID) or "").lower()
    filter_type = (text_or_none(target, FILTER_TYPE) or "none").lower()
    if filter_type not in ("none", "include", "exclude"):
        # If it were read as "no filter", the next `assign` would remove it.
        raise Malformed(f"{FILTER_TYPE} is of an unknown kind")
    filtered = filter_id not in ("", NO_FILTER) and filter_type != "none"
    mode: FilterMode = "exclude" if filtered and filter_type == "exclude" else "include"
    source = str(item.get("source") or "direct")
    return LiveAssignment(
        kind=kind,
        group_id=identifier(target, "groupId") if kind in ("group", "exclusion") else _other_id(target, kind),
        filter_id=filter_id if filtered else None,
        mode=mode,
        is_direct=source.lower() == "direct",
    )


def _other_id(target: JSONObject, kind: TargetKind) -> str | None:
    # Two targets of unknown types must stay two: their content tells them apart. The assignment's own id does not, it
    # may be new after every `assign`.
    return json.dumps(target, sort_keys=True) if kind == "other" else None


def encode(assignment: LiveAssignment) -> JSONObject:
    """The body of one assignment. A filter on an exclusion is never sent: Intune does not support it."""
    target: JSONObject = {"@odata.type": f"#microsoft.graph.{TARGETS[assignment.kind]}"}
    if assignment.group_id is not None:
        target["groupId"] = assignment.group_id
    if assignment.filter_id is not None:
        target |= {FILTER_ID: assignment.filter_id, FILTER_TYPE: assignment.mode}
    return {"target": target}


def is_kept(assignment: LiveAssignment, names: Names) -> bool:
    """Whether a file cannot express an assignment, which therefore stays as it is."""
    return assignment.kind == "other" or not assignment.is_direct or assignment.group_id in names.deleted_groups


def label(assignment: LiveAssignment, names: Names) -> Value:
    """An assignment in its YAML form."""
    key = assignment.kind if assignment.kind in (ALL_DEVICES, ALL_USERS) else None
    group = key or names.group_label(assignment.group_id or "")
    return entry(group, names.filter_label(assignment.filter_id) if assignment.filter_id else None, assignment.mode)


def entry(group: str, filter_name: str | None, mode: str) -> Value:
    """The canonical form: the key alone, or {group, filter, mode} when there is a filter."""
    return group if filter_name is None else Record({"group": group, "filter": filter_name, "mode": mode})


def live_labels(assignments: Iterable[LiveAssignment], names: Names) -> tuple[tuple[Value, ...], tuple[Value, ...]]:
    """The include and exclude lists in canonical form, without the assignments that a file cannot express."""
    managed = [item for item in assignments if not is_kept(item, names)]
    include = as_set(label(item, names) for item in managed if item.kind != "exclusion")
    exclude = as_set(label(item, names) for item in managed if item.kind == "exclusion")
    return include, exclude


def wanted_labels(declared: Iterable[Assignment], today: date) -> tuple[Value, ...]:
    """Declared assignments in canonical form, without the lapsed ones."""
    return as_set(entry(item.group, item.filter, item.mode) for item in declared if item.is_valid(today))


def resolve(value: Value, *, exclusion: bool, names: Names, context: ApplyContext) -> LiveAssignment:
    """The assignment that a canonical entry stands for.

    Raises:
        RefusedError: everybody would be excluded: Intune can include everybody, but not exclude everybody.
    """
    group = _group_of(value)
    if exclusion and group in (ALL_DEVICES, ALL_USERS):
        raise RefusedError(f"{group} cannot be excluded", fix="name the groups that are to be excluded")
    filter_id = names.filter_ids[str(value["filter"])] if isinstance(value, Record) else None
    mode: FilterMode = "exclude" if isinstance(value, Record) and value["mode"] == "exclude" else "include"
    if group == ALL_DEVICES:
        return LiveAssignment("all-devices", None, filter_id, mode)
    if group == ALL_USERS:
        return LiveAssignment("all-users", None, filter_id, mode)
    group_id = context.ids[f"groups.{group}"]
    return LiveAssignment("exclusion" if exclusion else "group", group_id, filter_id, mode)


def _group_of(value: Value) -> str:
    return str(value["group"]) if isinstance(value, Record) else str(value)


def includes_widen(before: tuple[Value, ...], after: tuple[Value, ...]) -> bool:
    """Whether an include list reaches somebody new: an entry was added, or a filter was removed or replaced."""
    unfiltered = {_group_of(item) for item in before if not isinstance(item, Record)}
    return any(_group_of(item) not in unfiltered for item in set(after) - set(before))


def includes_narrow(before: tuple[Value, ...], after: tuple[Value, ...]) -> bool:
    return includes_widen(after, before)
