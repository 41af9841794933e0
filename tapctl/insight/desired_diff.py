"""What two desired states of a tenant differ in, as the changes of a plan: pure, offline, in canonical values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping

from tapctl.kinds.canonical import as_text, entries, group_of, removed_and_added
from tapctl.kinds.kind import EVER, Fields
from tapctl.kinds.registry import BY_SECTION, KINDS, kind_of
from tapctl.kinds.roles import Roles, roles_of
from tapctl.model.desired import Authentication, Guardrails, Tenant
from tapctl.model.plan import Action, Change, FieldChange
from tapctl.model.values import JSONValue, Record, Value, as_set

_REMARKS = frozenset({"id", "external", "adopt", "ensure", "uniqueName", "membersExact", "delivery"})
"""The parts of a declaration that are not fields of the live object."""


def same_value(path: str, one: Value, other: Value) -> bool:
    """Whether two canonical values mean the same: Graph takes names of people and devices without regard to case."""
    if path == "members" and isinstance(one, tuple) and isinstance(other, tuple):
        return {str(item).lower() for item in one} == {str(item).lower() for item in other}
    return one == other


def _respelled(path: str, older: Value, newer: Value) -> Value:
    """The older value in the spelling of the newer one, so that a list shows only members that came or went."""
    if path != "members" or not isinstance(older, tuple) or not isinstance(newer, tuple):
        return older
    spellings = {str(item).lower(): item for item in newer}
    return as_set(spellings.get(str(item).lower(), item) for item in older)


def _named(fields: Mapping[str, Value]) -> dict[str, Value]:
    return {path: value for path, value in fields.items() if value is not None}


# What a tenant declares


def _declarations(tenant: Tenant) -> dict[str, Fields]:
    """Everything that is declared of a tenant and that a reviewer should see."""
    declared: dict[str, Fields] = {
        address: {**kind.fields(resource, EVER), **kind.remarks(resource)}
        for kind in KINDS
        for address, resource in kind.declared(tenant).items()
    }
    about = {"tenant": _about(tenant), "guardrails": _guardrails(tenant.guardrails), "suppress": _suppressions(tenant)}
    return declared | {address: fields for address, fields in about.items() if fields}


def _about(tenant: Tenant) -> dict[str, Value]:
    return _named(
        {
            "id": tenant.id,
            "cloud": tenant.cloud,
            "auth": _authentication(tenant.auth) if tenant.auth != Authentication() else None,
            "planAuth": _authentication(tenant.plan_auth),
            "passAuth": _authentication(tenant.pass_auth),
            "labels": Record(tenant.labels) if tenant.labels else None,
            "scenarios": as_set(tenant.scenarios) or None,
            "breakGlass": as_set(tenant.break_glass) or None,
        }
    )


def _authentication(given: Authentication | None) -> Value:
    return None if given is None else Record({"method": given.method, **given.options})


def _guardrails(given: Guardrails) -> dict[str, Value]:
    """What differs from the guardrails that hold where a file names none."""
    usual = Guardrails()
    limits = given.impact
    schemas = tuple(_value(schema) for schema in given.schemas)
    return _named(
        {
            "schema": schemas or None,
            "impact.maxUsersGaining": limits.max_users_gaining,
            "impact.maxUsersLosing": limits.max_users_losing,
            "impact.maxDevicesGaining": limits.max_devices_gaining,
            "impact.maxDevicesLosing": limits.max_devices_losing,
            "deny": as_set(given.deny) if given.deny != usual.deny else None,
            "approvalMaxAge": _minutes(given) if given.approval_max_age != usual.approval_max_age else None,
        }
    )


def _minutes(given: Guardrails) -> int:
    return int(given.approval_max_age.total_seconds()) // 60


def _suppressions(tenant: Tenant) -> dict[str, Value]:
    listed = [
        _named({"rule": item.rule, "reason": item.reason, "until": item.until.isoformat() if item.until else None})
        for item in tenant.suppressions
    ]
    return {"suppress": tuple(sorted(map(Record, listed), key=repr))} if listed else {}


def _value(data: JSONValue) -> Value:
    """JSON as a canonical value; a fraction, which only a schema may hold, as its text."""
    if isinstance(data, list):
        return tuple(_value(item) for item in data)
    if isinstance(data, dict):
        return Record({key: _value(item) for key, item in data.items()})
    return json.dumps(data) if isinstance(data, float) else data


# Comparing


def compare(older: Tenant | None, newer: Tenant | None) -> tuple[Change, ...]:
    """What changed from one desired state to the next; None: the tenant was not declared.

    A change's action is that of the declaration: without a declaration the live object stays as it is.
    """
    before = _declarations(older) if older is not None else {}
    after = _declarations(newer) if newer is not None else {}
    if older is not None and newer is not None and older.name != newer.name:
        before["tenant"] = {**before["tenant"], "name": older.name}
        after["tenant"] = {**after["tenant"], "name": newer.name}
    roles = roles_of(newer) if newer is not None else None
    changes = (
        _change(address, before.get(address), after.get(address), is_new=older is None, roles=roles)
        for address in sorted({*before, *after}, key=_order)
    )
    return tuple(change for change in changes if change is not None)


_ABOUT_TENANT = ("tenant", "guardrails", "suppress")
"""Sections that do not declare a live object."""


def _order(address: str) -> tuple[int, str]:
    return [*_ABOUT_TENANT, *BY_SECTION].index(address.partition(".")[0]), address


def _change(
    address: str, before: Fields | None, after: Fields | None, *, is_new: bool, roles: Roles | None
) -> Change | None:
    """What changed of one declaration.

    Args:
        is_new: the older revision did not declare the tenant.
        roles: what the newer revision uses its groups for; None where it does not declare the tenant.
    """
    was, to = before or {}, after or {}
    fields = tuple(
        FieldChange(path=path, before=_respelled(path, was.get(path), to.get(path)), after=to.get(path))
        for path in sorted({*was, *to})
        if (path in was) != (path in to) or not same_value(path, was.get(path), to.get(path))
    )
    # Guardrails and suppressions that nobody named are not absent: others hold.
    is_always_there = address in ("guardrails", "suppress")
    action: Action = "update"
    if before is None and not (is_always_there and not is_new):
        action = "create"
    elif after is None and not (is_always_there and roles is not None):
        action = "delete"
    if not fields and action == "update":
        return None
    is_declared = action != "delete" and address not in _ABOUT_TENANT
    return Change(
        address=address,
        action=action,
        title=_title(address, after if after is not None else was),
        fields=fields,
        widens=roles is not None and is_declared and any(_widens(roles, address, item, to) for item in fields),
        notes=tuple(_notes(address, action, fields)),
    )


def _title(address: str, fields: Fields) -> str:
    if address in _ABOUT_TENANT:
        return ""
    return kind_of(address).title or as_text(fields.get("displayName")) or ""


def _widens(roles: Roles, address: str, item: FieldChange, after: Fields) -> bool:
    """Whether somebody may gain the ability by what the newer revision declares."""
    kind = kind_of(address)
    listed, dot, last = item.path.rpartition(".")
    if dot and last == "until" and kind.lists_of_groups.get(listed) == "include":
        return _is_longer(item, after.get(listed))
    if kind.lists_of_groups.get(item.path) == "member":
        return item.after is not None and roles.membership_effect(address, item).widens
    if item.before is not None and kind.is_identifying(item.path, after):
        return True
    # What is no longer managed keeps its live value.
    return item.after is not None and kind.effect(item).widens


def _is_longer(item: FieldChange, included: Value) -> bool:
    """Whether an entry that is still there is valid longer than before, or for ever."""
    before = item.before if isinstance(item.before, Record) else Record({})
    after = item.after if isinstance(item.after, Record) else Record({})
    present = {group_of(entry) for entry in entries(included)}
    return any(group in present and str(after.get(group, "9999")) > str(day) for group, day in before.items())


def _notes(address: str, action: Action, fields: Iterable[FieldChange]) -> Iterator[str]:
    if action == "delete" and address not in _ABOUT_TENANT:
        yield "no longer managed: the live object stays as it is (`ensure: absent` would delete it)"
    for item in fields:
        removed, _ = removed_and_added(item)
        if item.path == "ensure" and item.after == "absent":
            yield "the live object is to be deleted"
        elif address == "tenant" and item.path == "id" and action == "update":
            yield "it is another tenant now: what lives in the old one stays as it is"
        elif address == "tenant" and item.path == "breakGlass" and removed and action == "update":
            yield "a break-glass group is no longer protected"
        elif address == "guardrails" and action == "update" and _is_looser(item):
            yield f"loosens the guardrail {item.path}"
        elif item.after is None and action == "update" and address not in _ABOUT_TENANT:
            yield from _unmanaged(item)


def _unmanaged(item: FieldChange) -> Iterator[str]:
    is_setting, is_condition = item.path.startswith("settings."), item.path.endswith((".until", ".reason"))
    if not is_condition and not (is_setting and item.before is None) and item.path not in _REMARKS:
        yield f"{item.path} is no longer managed: it keeps its live value"


def _is_looser(item: FieldChange) -> bool:
    if item.path == "deny":
        usual = set(Guardrails().deny)
        before = set(entries(item.before)) if item.before is not None else usual
        after = set(entries(item.after)) if item.after is not None else usual
        return bool(before - after)
    if item.path == "schema":
        return bool(set(entries(item.before)) - set(entries(item.after)))
    if item.path == "approvalMaxAge":
        usual_age = _minutes(Guardrails())
        return (item.after if isinstance(item.after, int) else usual_age) > (
            item.before if isinstance(item.before, int) else usual_age
        )
    return isinstance(item.before, int) and (not isinstance(item.after, int) or item.after > item.before)
