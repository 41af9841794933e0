"""The merged tenant as JSON to the desired state. What the schema refused has been taken out before."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from typing import NamedTuple, cast

from tapctl.config.values import canonical_member, canonical_setting
from tapctl.errors import Position
from tapctl.model.desired import (
    Assignment,
    Authentication,
    Cloud,
    Delivery,
    Ensure,
    FilterMode,
    Group,
    Guardrails,
    Identity,
    ImpactLimits,
    Path,
    Policy,
    Profile,
    Suppression,
    Target,
    Tenant,
)
from tapctl.model.durations import minutes, whole
from tapctl.model.values import JSONValue

Json = Mapping[str, JSONValue]

_NOWHERE = Position("", 1, 1)


class Origin(NamedTuple):
    """The facts about a tenant besides its content: its name, and the position of every part."""

    name: str
    source: str
    schemas: tuple[JSONValue, ...]
    label_texts: Mapping[str, str]
    """Labels as written: `tier: 010` stays 010."""
    positions: Mapping[Path, Position]
    value_positions: Mapping[Path, Position]
    lines: Mapping[str, tuple[str, ...]]


def parse(document: Json, origin: Origin) -> Tenant:
    """The desired state. Keys of groups and profiles come in alphabetical order, lists in that of the file."""
    about = _map(document, "tenant")
    groups = _map(document, "groups")
    profiles = _map(document, "webSignIn")
    policy = document.get("temporaryAccessPass")
    return Tenant(
        name=origin.name,
        source=origin.source,
        id=(_text(about, "id") or "").lower(),
        cloud=cast(Cloud, _text(about, "cloud") or "global"),
        auth=_authentication(about, "auth") or Authentication(),
        plan_auth=_authentication(about, "planAuth"),
        pass_auth=_authentication(about, "passAuth"),
        labels={key: origin.label_texts.get(key, str(value)) for key, value in sorted(_map(about, "labels").items())},
        scenarios=frozenset(_texts(about, "scenarios") or ()),
        break_glass=_texts(about, "breakGlass") or (),
        groups={key: _group(key, _map(groups, key)) for key in sorted(groups)},
        policy=_policy(cast(Json, policy)) if isinstance(policy, dict) else None,
        profiles={key: _profile(key, _map(profiles, key)) for key in sorted(profiles)},
        suppressions=_suppressions(document, origin),
        guardrails=guardrails(_map(document, "guardrails"), origin.schemas),
        document=cast(JSONValue, document),
        positions=origin.positions,
        value_positions=origin.value_positions,
        lines=origin.lines,
    )


def _authentication(about: Json, key: str) -> Authentication | None:
    given = about.get(key)
    if not isinstance(given, dict):
        return None
    options = {name: _option(value) for name, value in sorted(given.items()) if name != "method"}
    return Authentication(method=_text(given, "method") or "default", options=options)


def _option(value: JSONValue) -> str:
    return ("false", "true")[value] if isinstance(value, bool) else str(value)


def _identity(key: str, given: Json) -> Identity:
    pinned = _text(given, "id")
    return Identity(
        key=key,
        display_name=_text(given, "displayName"),
        id=pinned.lower() if pinned else None,
        adopt=given.get("adopt") is True,
        ensure=cast(Ensure, _text(given, "ensure") or "present"),
    )


def _group(key: str, given: Json) -> Group:
    members = _texts(given, "members")
    return Group(
        identity=_identity(key, given),
        external=given.get("external") is True,
        unique_name=_text(given, "uniqueName") or f"tapctl-{key}",
        description=_text(given, "description"),
        members=None if members is None else tuple(canonical_member(member) for member in members),
        members_exact=given.get("membersExact") is True,
        rule=_text(given, "rule"),
        role_assignable=_flag(given, "roleAssignable"),
    )


def _policy(given: Json) -> Policy:
    lifetime = _map(given, "lifetime")
    include = _list(given, "include")
    state = _text(given, "state")
    return Policy(
        state="enabled" if state == "enabled" else "disabled" if state == "disabled" else None,
        minimum=minutes(lifetime.get("minimum")),
        default=minutes(lifetime.get("default")),
        maximum=minutes(lifetime.get("maximum")),
        length=whole(given.get("length")),
        one_time=_flag(given, "oneTime"),
        include=None if include is None else tuple(_target(item) for item in include),
        exclude=_texts(given, "exclude"),
    )


def _target(item: JSONValue) -> Target:
    if not isinstance(item, dict):
        return Target(group=str(item))
    return Target(group=_text(item, "group") or "", until=_day(item, "until"), reason=_text(item, "reason"))


def _profile(key: str, given: Json) -> Profile:
    assign = _map(given, "assign")
    settings = _map(given, "settings")
    return Profile(
        identity=_identity(key, given),
        description=_text(given, "description"),
        delivery=cast(Delivery, _text(given, "delivery") or "settings-catalog"),
        settings={name: canonical_setting(name, settings[name]) for name in sorted(settings)},
        include=_assignments(assign, "include"),
        exclude=_assignments(assign, "exclude"),
        scope_tags=_texts(given, "scopeTags"),
    )


def _assignments(assign: Json, key: str) -> tuple[Assignment, ...] | None:
    items = _list(assign, key)
    return None if items is None else tuple(_assignment(item) for item in items)


def _assignment(item: JSONValue) -> Assignment:
    if not isinstance(item, dict):
        return Assignment(group=str(item))
    return Assignment(
        group=_text(item, "group") or "",
        filter=_text(item, "filter"),
        mode=cast(FilterMode, _text(item, "mode") or "include"),
        until=_day(item, "until"),
        reason=_text(item, "reason"),
    )


def _suppressions(document: Json, origin: Origin) -> tuple[Suppression, ...]:
    return tuple(
        Suppression(
            rule=_text(item, "rule") or "",
            reason=_text(item, "reason") or "",
            until=_day(item, "until"),
            position=origin.positions.get(("suppress", index), _NOWHERE),
        )
        for index, item in enumerate(_list(document, "suppress") or ())
        if isinstance(item, dict)
    )


def guardrails(given: Json, schemas: tuple[JSONValue, ...]) -> Guardrails:
    """The guardrails of a tenant, with the defaults of what is not named."""
    impact = _map(given, "impact")
    deny = _texts(given, "deny")
    age = minutes(given.get("approvalMaxAge"))
    return Guardrails(
        schemas=schemas,
        impact=ImpactLimits(
            max_users_gaining=whole(impact.get("maxUsersGaining")),
            max_users_losing=whole(impact.get("maxUsersLosing")),
            max_devices_gaining=whole(impact.get("maxDevicesGaining")),
            max_devices_losing=whole(impact.get("maxDevicesLosing")),
        ),
        deny=frozenset({"delete"} if deny is None else deny),
        approval_max_age=timedelta(minutes=72 * 60 if age is None else age),
    )


def _map(given: Json, key: str) -> Json:
    value = given.get(key)
    return value if isinstance(value, dict) else {}


def _list(given: Json, key: str) -> list[JSONValue] | None:
    value = given.get(key)
    return value if isinstance(value, list) else None


def _texts(given: Json, key: str) -> tuple[str, ...] | None:
    items = _list(given, key)
    return None if items is None else tuple(item for item in items if isinstance(item, str))


def _text(given: Json, key: str) -> str | None:
    value = given.get(key)
    return value if isinstance(value, str) else None


def _flag(given: Json, key: str) -> bool | None:
    value = given.get(key)
    return value if isinstance(value, bool) else None


def _day(given: Json, key: str) -> date | None:
    value = given.get(key)
    return date.fromisoformat(value) if isinstance(value, str) else None
