"""The Temporary Access Pass policy (Entra), a tenant singleton. Source: Graph reference
`temporaryAccessPassAuthenticationMethodConfiguration` get and update, v1.0 and beta (checked 2026-11-22)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial

from tapctl.errors import Finding
from tapctl.kinds.naming import Names
from tapctl.kinds.steps import Draft, Look, Standing, Step, Steps, Surroundings
from tapctl.kinds.troubles import trouble
from tapctl.kinds.wire import (
    JSONObject,
    Malformed,
    as_object,
    boolean_or_none,
    identifier,
    impossible,
    integer_or_none,
    malformed,
    objects,
    text_or_none,
)
from tapctl.model.desired import ALL_USERS, Cloud, Policy, Tenant
from tapctl.model.live import DirectoryTarget, LivePolicy
from tapctl.model.plan import Change, FieldChange
from tapctl.model.requests import Problem, Read, Reading, Version, Write
from tapctl.model.values import JSONValue, Value, as_set, to_json

READ_PERMISSION = "Policy.Read.AuthenticationMethod"
WRITE_PERMISSION = "Policy.ReadWrite.AuthenticationMethod"
PATH = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass"
ODATA_TYPE = "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration"
ALL_USERS_ID = "all_users"
"""The literal that stands for everybody; its targetType is `group`."""

LIFETIMES = {
    "lifetime.minimum": "minimumLifetimeInMinutes",
    "lifetime.default": "defaultLifetimeInMinutes",
    "lifetime.maximum": "maximumLifetimeInMinutes",
}


REACH = ("state", "include", "exclude")
"""The fields that say whom the policy reaches."""


def version_in(cloud: Cloud) -> Version:
    """China has the policy in beta only (documentation of the get call, checked 2026-11-22)."""
    return "beta" if cloud == "china" else "v1.0"


# Reading


def read(cloud: Cloud) -> Reading[LivePolicy | Problem]:
    purpose = "reading the TAP policy"
    (outcome,) = yield [Read(purpose=purpose, version=version_in(cloud), path=PATH, permission=READ_PERMISSION)]
    if isinstance(outcome, Problem):
        # The policy is a singleton that always exists.
        return impossible(outcome)
    try:
        return decode(as_object(outcome.body, "the answer"))
    except Malformed as error:
        return malformed(outcome, purpose, error)


def decode(item: JSONObject) -> LivePolicy:
    """The policy as Graph sends it. A list of excluded targets that is left out is empty; an include list is not.

    Raises:
        Malformed: when a property has another type than documented.
    """
    if str(item.get("id", "")).lower() != "temporaryaccesspass":
        raise Malformed("id is not TemporaryAccessPass")
    excluded = item.get("excludeTargets")
    return LivePolicy(
        state=text_or_none(item, "state"),
        minimum=integer_or_none(item, "minimumLifetimeInMinutes"),
        default=integer_or_none(item, "defaultLifetimeInMinutes"),
        maximum=integer_or_none(item, "maximumLifetimeInMinutes"),
        length=integer_or_none(item, "defaultLength"),
        one_time=boolean_or_none(item, "isUsableOnce"),
        include=_targets(item.get("includeTargets"), "includeTargets"),
        exclude=_targets(excluded if excluded is not None else [], "excludeTargets"),
    )


def _targets(value: JSONValue, name: str) -> frozenset[DirectoryTarget]:
    return frozenset(_target(item) for item in objects(value, name))


def _target(item: JSONObject) -> DirectoryTarget:
    target = identifier(item)
    if target == ALL_USERS_ID:
        return DirectoryTarget("all-users", ALL_USERS_ID)
    return DirectoryTarget("user" if str(item.get("targetType", "")).lower() == "user" else "group", target)


def referred_groups(live: LivePolicy) -> frozenset[str]:
    """The ids of the groups that the target lists name."""
    return frozenset(target.id for target in live.include | live.exclude if target.kind == "group")


def label(target: DirectoryTarget, names: Names) -> str:
    """A target as YAML would say it; what YAML cannot say is `user:ID`, or a group's id."""
    if target.kind == "all-users":
        return ALL_USERS
    return f"user:{target.id}" if target.kind == "user" else names.group_label(target.id)


def labels(targets: frozenset[DirectoryTarget], names: Names) -> tuple[Value, ...]:
    """A target list in canonical form, without targets of deleted groups: those are a finding, not a change."""
    return as_set(label(target, names) for target in targets if target.id not in names.deleted_groups)


# Comparing


def current_targets(declared: Policy, today: date) -> tuple[tuple[str, ...] | None, bool]:
    """The include list without entries whose day has passed, and whether one has."""
    if declared.include is None:
        return None, False
    valid = tuple(target.group for target in declared.include if target.until is None or target.until >= today)
    return valid, len(valid) < len(declared.include)


def wanted_values(declared: Policy, today: date) -> dict[str, Value]:
    """The managed fields in canonical form, by path. When the last include has lapsed, the state is disabled."""
    include, lapsed = current_targets(declared, today)
    state = "disabled" if lapsed and not include else declared.state
    values: Mapping[str, Value] = {
        "state": state,
        "lifetime.minimum": declared.minimum,
        "lifetime.default": declared.default,
        "lifetime.maximum": declared.maximum,
        "length": declared.length,
        "oneTime": declared.one_time,
        "include": as_set(include) if include is not None else None,
        "exclude": as_set(declared.exclude) if declared.exclude is not None else None,
    }
    return {path: value for path, value in values.items() if value is not None}


def live_values(live: LivePolicy, names: Names) -> dict[str, Value]:
    """Every field in canonical form, by path."""
    return {
        "state": live.state,
        "lifetime.minimum": live.minimum,
        "lifetime.default": live.default,
        "lifetime.maximum": live.maximum,
        "length": live.length,
        "oneTime": live.one_time,
        "include": labels(live.include, names),
        "exclude": labels(live.exclude, names),
    }


def lapsed_values(declared: Policy, current: Mapping[str, Value], today: date) -> dict[str, Value]:
    """What a run wants that does nothing but take lapsed entries out of the live list."""
    lapsed, before = _lapsed_labels(declared, today), _entries(current["include"])
    remaining = as_set(entry for entry in before if entry not in lapsed)
    if remaining == before:
        return {}
    return {"include": remaining} if remaining else {"include": remaining, "state": "disabled"}


def plan(
    tenant: Tenant, declared: Policy, live: LivePolicy, names: Names, today: date, *, only_lapsed: bool = False
) -> Draft | None:
    """The change that makes the policy what the file says, if it is not."""
    current = live_values(live, names)
    wanted = lapsed_values(declared, current, today) if only_lapsed else wanted_values(declared, today)
    fields = tuple(
        FieldChange(path=path, before=current[path], after=wanted[path])
        for path in sorted(wanted)
        if wanted[path] != current[path]
    )
    if not fields:
        return None
    lapsed = _lapsed_labels(declared, today)
    widens = any(_widens(item) for item in fields)
    # Whom a widening reaches is also for the lists to say that no file manages.
    leaned = {path: current[path] for path in REACH if path not in wanted} if widens else {}
    lists = [{**leaned, **wanted}.get(path) for path in ("include", "exclude")]
    keys = [str(key) for entries in lists for key in _entries(entries) if key in tenant.groups]
    # What only narrows waits for nothing but groups that the live lists do not name yet.
    needs = keys if widens else [key for key in keys if key in _new_entries(fields)]
    change = Change(
        address=declared.address,
        action="update",
        title="Temporary Access Pass policy",
        fields=fields,
        widens=widens,
        reason="lapsed" if all(_is_lapse(item, lapsed, wanted) for item in fields) else None,
        depends_on=tuple(f"groups.{key}" for key in dict.fromkeys(needs)),
    )
    return Draft(
        change=change,
        steps=partial(_steps, tenant, fields, live, names),
        narrows=any(_narrows(item) for item in fields),
        definitions={
            **({declared.address: {path: to_json(value) for path, value in leaned.items()}} if leaned else {}),
            **names.group_definitions(keys),
        },
    )


def _new_entries(fields: tuple[FieldChange, ...]) -> frozenset[Value]:
    """What enters one of the target lists."""
    return frozenset().union(*(_difference(item)[1] for item in fields))


def range_trouble(tenant: Tenant, declared: Policy, live: LivePolicy) -> Finding | None:
    """Lifetimes that are in order only together with live values that the file does not name."""
    minimum, default, maximum = (
        wanted if wanted is not None else current
        for wanted, current in (
            (declared.minimum, live.minimum),
            (declared.default, live.default),
            (declared.maximum, live.maximum),
        )
    )
    is_named = (declared.minimum, declared.default, declared.maximum) != (None, None, None)
    if not is_named or minimum is None or default is None or maximum is None or minimum <= default <= maximum:
        return None
    return trouble(
        tenant,
        ("temporaryAccessPass", "lifetime"),
        "TAP001",
        f"with the live values the lifetimes would be minimum {minimum}, default {default}, maximum {maximum} minutes",
        why="Graph refuses a default outside minimum and maximum; what the file does not name keeps its live value",
        fix="name all three lifetimes, so that minimum <= default <= maximum",
    )


def _lapsed_labels(declared: Policy, today: date) -> frozenset[Value]:
    passed = {target.group for target in declared.include or () if target.until is not None and target.until < today}
    return frozenset(passed - set(current_targets(declared, today)[0] or ()))


def _is_lapse(item: FieldChange, lapsed: frozenset[Value], wanted: Mapping[str, Value]) -> bool:
    if item.path == "include":
        gone, come = _difference(item)
        return bool(gone) and not come and gone <= lapsed
    return item.path == "state" and bool(lapsed) and not _entries(wanted.get("include"))


def _entries(value: Value) -> tuple[Value, ...]:
    return value if isinstance(value, tuple) else ()


def _difference(item: FieldChange) -> tuple[frozenset[Value], frozenset[Value]]:
    """What leaves a list and what enters it."""
    before, after = frozenset(_entries(item.before)), frozenset(_entries(item.after))
    return before - after, after - before


def _widens(item: FieldChange) -> bool:
    gone, come = _difference(item)
    match item.path:
        case "include":
            return bool(come)
        case "exclude":
            return bool(gone)
        case "state":
            return item.after == "enabled"
        case _:
            return False


def _narrows(item: FieldChange) -> bool:
    gone, come = _difference(item)
    match item.path:
        case "include":
            return bool(gone)
        case "exclude":
            return bool(come)
        case "state":
            return item.after == "disabled"
        case _:
            return False


def deleted_targets(tenant: Tenant, live: LivePolicy, names: Names) -> Iterator[Finding]:
    """A finding for every target whose group no longer exists."""
    for path, targets in (("include", live.include), ("exclude", live.exclude)):
        for target in sorted(targets, key=lambda item: item.id):
            if target.id in names.deleted_groups:
                yield trouble(
                    tenant,
                    ("temporaryAccessPass", path),
                    "deleted-target",
                    f"the live {path} list of the TAP policy names the deleted group {target.id}",
                    why="a deleted group matches nobody; tapctl leaves the entry as it is",
                    fix="remove the entry in the Entra admin centre, or restore the group",
                    severity="warning",
                )


# Writing


@dataclass(frozen=True, slots=True)
class _Targets:
    include: frozenset[DirectoryTarget]
    exclude: frozenset[DirectoryTarget]


def _steps(
    tenant: Tenant,
    fields: tuple[FieldChange, ...],
    live: LivePolicy,
    names: Names,
    surroundings: Surroundings,
) -> Steps:
    """One PATCH. The three lifetimes go together when one differs: a range that is wrong in between is refused."""
    after = _after(fields, live, names, surroundings)
    paths = {item.path for item in fields}
    body: JSONObject = {"@odata.type": ODATA_TYPE}
    if "state" in paths:
        body["state"] = after.state
    if paths & set(LIFETIMES):
        lifetimes = zip(LIFETIMES.values(), (after.minimum, after.default, after.maximum), strict=True)
        body |= {name: minutes for name, minutes in lifetimes if minutes is not None}
    if "length" in paths:
        body["defaultLength"] = after.length
    if "oneTime" in paths:
        body["isUsableOnce"] = after.one_time
    if "include" in paths:
        body["includeTargets"] = [_encode(target) for target in _ordered(after.include)]
    if "exclude" in paths:
        body["excludeTargets"] = [_encode(target) for target in _ordered(after.exclude)]
    yield Step(
        write=Write(
            purpose="updating the TAP policy",
            version=version_in(tenant.cloud),
            method="PATCH",
            path=PATH,
            body=body,
            permission=WRITE_PERMISSION,
        ),
        look=partial(_look, tenant.cloud, live, after, paths),
        before=_journal(live),
    )


def _after(fields: tuple[FieldChange, ...], live: LivePolicy, names: Names, surroundings: Surroundings) -> LivePolicy:
    """The policy as it is to become; targets of deleted groups stay where they are."""
    new = {item.path: item.after for item in fields}

    def targets(path: str, current: frozenset[DirectoryTarget]) -> frozenset[DirectoryTarget]:
        if path not in new:
            return current
        kept = frozenset(target for target in current if target.id in names.deleted_groups)
        present = {label(target, names): target for target in current}
        entries = [str(entry) for entry in _entries(new[path])]
        return kept | frozenset(present.get(entry) or _resolve(entry, surroundings) for entry in entries)

    def number(path: str, current: int | None) -> int | None:
        value = new.get(path)
        return value if isinstance(value, int) else current

    state, one_time = new.get("state"), new.get("oneTime")
    return LivePolicy(
        state=str(state) if state is not None else live.state,
        minimum=number("lifetime.minimum", live.minimum),
        default=number("lifetime.default", live.default),
        maximum=number("lifetime.maximum", live.maximum),
        length=number("length", live.length),
        one_time=one_time if isinstance(one_time, bool) else live.one_time,
        include=targets("include", live.include),
        exclude=targets("exclude", live.exclude),
    )


def _resolve(entry: str, surroundings: Surroundings) -> DirectoryTarget:
    if entry == ALL_USERS:
        return DirectoryTarget("all-users", ALL_USERS_ID)
    return DirectoryTarget("group", surroundings.ids[f"groups.{entry}"])


def _ordered(targets: frozenset[DirectoryTarget]) -> list[DirectoryTarget]:
    return sorted(targets, key=lambda target: (target.kind, target.id))


def _encode(target: DirectoryTarget) -> JSONObject:
    return {"targetType": "user" if target.kind == "user" else "group", "id": target.id}


def _journal(live: LivePolicy) -> JSONValue:
    return {
        "state": live.state,
        "minimumLifetimeInMinutes": live.minimum,
        "defaultLifetimeInMinutes": live.default,
        "maximumLifetimeInMinutes": live.maximum,
        "defaultLength": live.length,
        "isUsableOnce": live.one_time,
        "includeTargets": [_encode(target) for target in _ordered(live.include)],
        "excludeTargets": [_encode(target) for target in _ordered(live.exclude)],
    }


def _look(cloud: Cloud, before: LivePolicy, after: LivePolicy, paths: set[str]) -> Reading[Look | Problem]:
    seen = yield from read(cloud)
    if isinstance(seen, Problem):
        return seen
    if seen == before:
        return Look(Standing.BEFORE)
    # Graph may recalculate fields that were not sent (documented for update), so only those sent have to match.
    if all(getattr(seen, name) == getattr(after, name) for name in _attributes(paths)):
        return Look(Standing.AFTER)
    return Look(Standing.FOREIGN, detail="the TAP policy is not as it was when the plan was made")


def _attributes(paths: set[str]) -> list[str]:
    names = {
        "state": "state",
        "lifetime.minimum": "minimum",
        "lifetime.default": "default",
        "lifetime.maximum": "maximum",
        "length": "length",
        "oneTime": "one_time",
        "include": "include",
        "exclude": "exclude",
    }
    return [names[path] for path in sorted(paths)]
