"""The one write of a changed policy, and the reads before and after it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from functools import partial
from typing import Any

from tapctl.kinds.canonical import entries
from tapctl.kinds.looking import judge
from tapctl.kinds.naming import Names
from tapctl.kinds.policy.labels import is_kept, label
from tapctl.kinds.policy.reading import ALL_USERS_ID, LIFETIMES, PATH, PLAIN_FIELDS, PlainField, read, version_in
from tapctl.kinds.steps import ApplyContext, Observation, Step, Steps
from tapctl.kinds.wire import JSONObject
from tapctl.model.desired import ALL_USERS, Cloud
from tapctl.model.live import DirectoryTarget, LivePolicy
from tapctl.model.plan import FieldChange
from tapctl.model.requests import Problem, Reading, Write
from tapctl.model.values import JSONValue

WRITE_PERMISSION = "Policy.ReadWrite.AuthenticationMethod"
RECALCULATED = frozenset(item.path for item in PLAIN_FIELDS) - {"state"}
ODATA_TYPE = "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration"


def update_steps(
    cloud: Cloud,
    fields: tuple[FieldChange, ...],
    live: LivePolicy,
    names: Names,
    context: ApplyContext,
) -> Steps:
    """One PATCH of the fields that differ."""
    after = _after(fields, live, names, context)
    paths = {item.path for item in fields}
    body: JSONObject = {"@odata.type": ODATA_TYPE, **_plain(after, _sent(paths))}
    if "include" in paths:
        body["includeTargets"] = _encode(after.include)
    if "exclude" in paths:
        body["excludeTargets"] = _encode(after.exclude)
    yield Step(
        write=Write(
            purpose="updating the TAP policy",
            version=version_in(cloud),
            method="PATCH",
            path=PATH,
            body=body,
            permission=WRITE_PERMISSION,
        ),
        look=partial(_look, cloud, live, after),
        before=_journal(live),
    )


def _sent(paths: Collection[str]) -> list[PlainField]:
    """The three lifetimes are sent together when one differs: Graph refuses a range that is invalid in between."""
    is_range_changed = any(item.path in paths for item in LIFETIMES)
    return [item for item in PLAIN_FIELDS if item.path in paths or (item in LIFETIMES and is_range_changed)]


def _plain(policy: LivePolicy, fields: Iterable[PlainField]) -> JSONObject:
    found: JSONObject = {item.wire: getattr(policy, item.attribute) for item in fields}
    return {name: value for name, value in found.items() if value is not None}


def _after(fields: tuple[FieldChange, ...], live: LivePolicy, names: Names, context: ApplyContext) -> LivePolicy:
    """The policy to write; targets of deleted groups stay where they are."""
    new = {item.path: item.after for item in fields}

    def targets(path: str, current: frozenset[DirectoryTarget]) -> frozenset[DirectoryTarget]:
        if path not in new:
            return current
        kept = frozenset(target for target in current if is_kept(target, names))
        present = {label(target, names): target for target in current}
        wanted = [str(entry) for entry in entries(new[path])]
        return kept | frozenset(present.get(entry) or _resolve(entry, context) for entry in wanted)

    plain: dict[str, Any] = {item.attribute: new[item.path] for item in PLAIN_FIELDS if item.path in new}
    return replace(live, include=targets("include", live.include), exclude=targets("exclude", live.exclude), **plain)


def _resolve(entry: str, context: ApplyContext) -> DirectoryTarget:
    if entry == ALL_USERS:
        return DirectoryTarget("all-users", ALL_USERS_ID)
    return DirectoryTarget("group", context.ids[f"groups.{entry}"])


def _encode(targets: frozenset[DirectoryTarget]) -> JSONValue:
    return [_encode_target(target) for target in sorted(targets, key=lambda target: (target.kind, target.id))]


def _encode_target(target: DirectoryTarget) -> JSONObject:
    types = {"user": "user", "other": target.type_name}
    encoded: JSONObject = {"targetType": types.get(target.kind, "group"), "id": target.id}
    # When it is missing, it is false (code of CIPP, which sends only type and id).
    return {**encoded, "isRegistrationRequired": True} if target.is_registration_required else encoded


def _journal(live: LivePolicy) -> JSONValue:
    plain: JSONObject = {item.wire: getattr(live, item.attribute) for item in PLAIN_FIELDS}
    return {**plain, "includeTargets": _encode(live.include), "excludeTargets": _encode(live.exclude)}


def _look(cloud: Cloud, before: LivePolicy, after: LivePolicy) -> Reading[Observation | Problem]:
    seen = yield from read(cloud)
    if isinstance(seen, Problem):
        return seen
    is_, was = _every_field(seen), _every_field(before)
    look = judge(was, _every_field(after), is_, None, "the TAP policy")
    # Documented for update: a field that is not sent keeps its value, or is recalculated from those sent. A change of
    # whom the policy reaches never counts as recalculated.
    adjusted = [path for path in look.unasked if path in RECALCULATED]
    return replace(
        look,
        unasked=tuple(path for path in look.unasked if path not in RECALCULATED),
        recalculated=tuple(f"{path} is {is_[path]} now, and was {was[path]}" for path in adjusted),
    )


def _every_field(live: LivePolicy) -> dict[str, object]:
    plain = {item.path: getattr(live, item.attribute) for item in PLAIN_FIELDS}
    return {**plain, "include": live.include, "exclude": live.exclude}
