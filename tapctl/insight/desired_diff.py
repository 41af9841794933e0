"""What two desired states of a tenant differ in, as the changes of a plan: pure, offline, in canonical values."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from datetime import date

from tapctl.kinds import assignments, policy
from tapctl.kinds.settings import canonical
from tapctl.model.desired import Assignment, Authentication, Group, Guardrails, Policy, Profile, Target, Tenant
from tapctl.model.plan import Action, Change, FieldChange
from tapctl.model.values import JSONValue, Record, Value, as_set

Fields = Mapping[str, Value]
"""Path below the address to canonical value; what is not named is not managed."""

POLICY_TITLE = "Temporary Access Pass policy"
EVER = date.min
"""A day on which no entry has lapsed."""

_IDENTIFYING = frozenset({"id", "external", "uniqueName", "adopt"})
"""Fields of a group that decide which live object it stands for."""


def declared_fields(tenant: Tenant, *, today: date = EVER) -> dict[str, dict[str, Value]]:
    """The managed fields of everything that is declared, by address and path, in the form that a plan compares.

    Args:
        today: entries whose day has passed by then are left out, as a plan leaves them out.
    """
    fields: dict[str, dict[str, Value]] = {}
    if tenant.policy is not None:
        fields[tenant.policy.address] = policy.wanted_values(tenant.policy, today)
    fields |= {group.address: _group_fields(group) for group in tenant.groups.values()}
    fields |= {profile.address: _profile_fields(profile, today) for profile in tenant.profiles.values()}
    return fields


def _group_fields(group: Group) -> dict[str, Value]:
    return _named(
        {
            "displayName": group.identity.display_name,
            "description": group.description,
            "members": as_set(group.members) if group.members is not None else None,
            "rule": group.rule,
            "roleAssignable": group.role_assignable,
        }
    )


def _profile_fields(profile: Profile, today: date) -> dict[str, Value]:
    lists = {"assign.include": profile.include, "assign.exclude": profile.exclude}
    fields = _named(
        {
            "displayName": profile.identity.display_name,
            "description": profile.description,
            "scopeTags": as_set(profile.scope_tags) if profile.scope_tags is not None else None,
            **{path: _labels(entries, today) for path, entries in lists.items()},
        }
    )
    # A setting's null is a value: it takes the setting out of the policy.
    return fields | {f"settings.{name}": canonical(name, value) for name, value in profile.settings.items()}


def _labels(entries: Iterable[Assignment] | None, today: date) -> tuple[Value, ...] | None:
    return None if entries is None else assignments.wanted_labels(entries, today)


def _named(fields: Mapping[str, Value]) -> dict[str, Value]:
    return {path: value for path, value in fields.items() if value is not None}


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


# What a declaration says beyond the fields that a plan compares


def _declarations(tenant: Tenant) -> dict[str, dict[str, Value]]:
    """Everything that is declared of a tenant and that a reviewer should see."""
    declared = declared_fields(tenant)
    for group in tenant.groups.values():
        declared[group.address] |= _group_identity(group)
    for profile in tenant.profiles.values():
        declared[profile.address] |= _profile_identity(profile)
        declared[profile.address] |= _conditions("assign.include", profile.include)
        declared[profile.address] |= _conditions("assign.exclude", profile.exclude)
    if tenant.policy is not None:
        declared[Policy.address] |= _conditions("include", tenant.policy.include)
    about = {"tenant": _about(tenant), "guardrails": _guardrails(tenant.guardrails), "suppress": _suppressions(tenant)}
    return declared | {address: fields for address, fields in about.items() if fields}


def _group_identity(group: Group) -> dict[str, Value]:
    identity = group.identity
    named = group.unique_name if group.unique_name != f"tapctl-{identity.key}" else None
    return _named(
        {
            "id": identity.id,
            "external": group.external or None,
            "adopt": identity.adopt or None,
            "ensure": identity.ensure if identity.ensure == "absent" else None,
            "uniqueName": named or None,
            "membersExact": group.members_exact or None,
        }
    )


def _profile_identity(profile: Profile) -> dict[str, Value]:
    identity = profile.identity
    return _named(
        {
            "id": identity.id,
            "adopt": identity.adopt or None,
            "ensure": identity.ensure if identity.ensure == "absent" else None,
            "delivery": profile.delivery if profile.delivery != "settings-catalog" else None,
        }
    )


def _conditions(path: str, entries: Iterable[Target | Assignment] | None) -> dict[str, Value]:
    """Until when, and why, entries of a list are there. A plan's list holds what is in force today and no more."""
    listed = list(entries or ())
    until = {item.group: item.until.isoformat() for item in listed if item.until is not None}
    reasons = {item.group: item.reason for item in listed if item.reason is not None}
    return {f"{path}.{name}": Record(items) for name, items in (("until", until), ("reason", reasons)) if items}


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
        before["tenant"]["name"], after["tenant"]["name"] = older.name, newer.name
    changes = (
        _change(address, before.get(address), after.get(address), older, newer)
        for address in sorted({*before, *after}, key=_order)
    )
    return tuple(change for change in changes if change is not None)


def _order(address: str) -> tuple[int, str]:
    sections = ("tenant", "guardrails", "suppress", "groups", "temporaryAccessPass", "webSignIn")
    return sections.index(address.partition(".")[0]), address


def _change(
    address: str, before: Fields | None, after: Fields | None, older: Tenant | None, newer: Tenant | None
) -> Change | None:
    was, to = before or {}, after or {}
    fields = tuple(
        FieldChange(path=path, before=_respelled(path, was.get(path), to.get(path)), after=to.get(path))
        for path in sorted({*was, *to})
        if (path in was) != (path in to) or not same_value(path, was.get(path), to.get(path))
    )
    about_tenant = address in ("guardrails", "suppress")
    action: Action = "update"
    if before is None and not (about_tenant and older is not None):
        action = "create"
    elif after is None and not (about_tenant and newer is not None):
        action = "delete"
    if not fields and action == "update":
        return None
    return Change(
        address=address,
        action=action,
        title=_title(address, after if after is not None else was),
        fields=fields,
        widens=newer is not None and action != "delete" and any(_widens(newer, address, item, to) for item in fields),
        notes=tuple(_notes(address, action, fields)),
    )


def _title(address: str, fields: Fields) -> str:
    if address == Policy.address:
        return POLICY_TITLE
    name = fields.get("displayName")
    return name if isinstance(name, str) else ""


def _widens(tenant: Tenant, address: str, item: FieldChange, after: Fields) -> bool:
    """Whether somebody may gain the ability by what the newer revision declares."""
    gone, come = _moved(item)
    if address == Policy.address:
        return (
            (item.path == "state" and item.after == "enabled")
            or (item.path == "include" and bool(come))
            or (item.path == "include.until" and _is_longer(item, after.get("include")))
            or (item.path == "exclude" and bool(gone))
        )
    if address.startswith("groups."):
        return _group_widens(tenant, address.removeprefix("groups."), item, after)
    if address.startswith("webSignIn."):
        return (
            (item.path == "settings.enableWebSignIn" and item.after is True)
            or (
                item.path == "assign.include"
                and assignments.includes_widen(_entries(item.before), _entries(item.after))
            )
            or (item.path == "assign.include.until" and _is_longer(item, after.get("assign.include")))
            or (item.path == "assign.exclude" and bool(gone))
        )
    return False


def _group_widens(tenant: Tenant, key: str, item: FieldChange, after: Fields) -> bool:
    included, excluded = _roles(tenant, key)
    gone, come = _moved(item)
    if item.path == "members":
        return (included and bool(come)) or (excluded and bool(gone))
    if item.path == "rule":
        return item.after is not None
    stands_for_another = item.path in _IDENTIFYING or (item.path == "displayName" and "external" in after)
    return item.before is not None and stands_for_another and (included or excluded)


def _roles(tenant: Tenant, key: str) -> tuple[bool, bool]:
    """Whether a group is included anywhere, and whether it is excluded anywhere. In doubt it is included."""
    included = {item.group for profile in tenant.profiles.values() for item in profile.include or ()}
    excluded = {item.group for profile in tenant.profiles.values() for item in profile.exclude or ()}
    excluded.update(tenant.break_glass)
    if tenant.policy is not None:
        included.update(item.group for item in tenant.policy.include or ())
        excluded.update(tenant.policy.exclude or ())
    return key in included or key not in excluded, key in excluded


def _is_longer(item: FieldChange, included: Value) -> bool:
    """Whether an entry that is still there is valid longer than before, or for ever."""
    before = item.before if isinstance(item.before, Record) else Record({})
    after = item.after if isinstance(item.after, Record) else Record({})
    present = {entry["group"] if isinstance(entry, Record) else entry for entry in _entries(included)}
    return any(group in present and str(after.get(group, "9999")) > str(day) for group, day in before.items())


def _entries(value: Value) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else ()


def _moved(item: FieldChange) -> tuple[set[Value], set[Value]]:
    """What leaves a list and what enters it. A list that is no longer managed loses nothing."""
    before, after = set(_entries(item.before)), set(_entries(item.after))
    return (before - after if item.after is not None else set()), after - before


def _notes(address: str, action: Action, fields: Iterable[FieldChange]) -> Iterator[str]:
    if action == "delete" and address not in ("tenant", "guardrails", "suppress"):
        yield "no longer managed: the live object stays as it is (`ensure: absent` would delete it)"
    for item in fields:
        gone, _ = _moved(item)
        if item.path == "ensure" and item.after == "absent":
            yield "the live object is to be deleted"
        elif address == "tenant" and item.path == "id" and action == "update":
            yield "it is another tenant now: what lives in the old one stays as it is"
        elif address == "tenant" and item.path == "breakGlass" and (gone or item.after is None) and action == "update":
            yield "a break-glass group is no longer protected"
        elif address == "guardrails" and action == "update" and _is_looser(item):
            yield f"loosens the guardrail {item.path}"
        elif item.after is None and action == "update" and address not in ("tenant", "guardrails", "suppress"):
            yield from _unmanaged(item)


def _unmanaged(item: FieldChange) -> Iterator[str]:
    is_setting, is_condition = item.path.startswith("settings."), item.path.endswith((".until", ".reason"))
    if not is_condition and not (is_setting and item.before is None) and item.path not in _IDENTIFYING | {"ensure"}:
        yield f"{item.path} is no longer managed: it keeps its live value"


def _is_looser(item: FieldChange) -> bool:
    if item.path == "deny":
        usual = set(Guardrails().deny)
        before = set(_entries(item.before)) if item.before is not None else usual
        after = set(_entries(item.after)) if item.after is not None else usual
        return bool(before - after)
    if item.path == "schema":
        return bool(set(_entries(item.before)) - set(_entries(item.after)))
    if item.path == "approvalMaxAge":
        usual_age = _minutes(Guardrails())
        return (item.after if isinstance(item.after, int) else usual_age) > (
            item.before if isinstance(item.before, int) else usual_age
        )
    return isinstance(item.before, int) and (not isinstance(item.after, int) or item.after > item.before)
