"""Other live profiles that set one of our settings to another value on devices that ours may reach (rule XRES003).

Looked at: settings catalog policies, custom OMA-URI profiles, and the legacy device restrictions. Which devices are in
two groups is not looked up: where that decides, the finding says that the overlap is possible."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias

from tapctl.errors import Finding
from tapctl.graph.reading import Reader, run_readings
from tapctl.insight.impact_scopes import assignment_scope, effects_of
from tapctl.insight.reach import Entry, Scope, Term
from tapctl.kinds.catalog import SettingsCatalog
from tapctl.kinds.custom import CustomProfile
from tapctl.kinds.deliveries import DeliveryForm, assignments_read, decode_assignments, list_read
from tapctl.kinds.settings import decode_instance, oma_node
from tapctl.kinds.troubles import trouble
from tapctl.kinds.wire import (
    JSONObject,
    Malformed,
    as_object,
    identifier,
    malformed,
    objects,
    odata_type,
    text_or_none,
)
from tapctl.model.desired import SettingValue, Tenant
from tapctl.model.live import Found, LiveAssignment, LiveTenant
from tapctl.model.requests import Problem, Reading
from tapctl.model.settings import ENABLE
from tapctl.model.together import together
from tapctl.reconcile.planner import Planned

CATALOG, CUSTOM = SettingsCatalog(), CustomProfile()
RULE = "XRES003"

_WHY = "the status becomes Conflict on the devices that get both, and neither value can be relied on"
_FIX = "let one profile own the setting: take it out of the other one, or exclude the groups of one from the other"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Own:
    """A declared profile as it is to be."""

    key: str
    settings: Mapping[str, SettingValue]
    scope: Scope


@dataclass(frozen=True, slots=True, kw_only=True)
class _Other:
    """Somebody else's profile that sets what ours set."""

    what: str
    """Kind, name and id, for a message. Holds untrusted text."""
    settings: Mapping[str, SettingValue]
    assignments: frozenset[LiveAssignment]


@dataclass(frozen=True, slots=True)
class _Unread:
    """Something that may conflict and could not be read."""

    what: str
    problem: Problem


_Seen: TypeAlias = _Other | _Unread
Overlap = Literal["none", "possible", "certain"]


async def find_conflicts(reader: Reader, tenant: Tenant, live: LiveTenant, planned: Planned) -> tuple[Finding, ...]:
    """Every live profile of others that sets a setting of ours differently: an error where both surely reach the same
    devices, a warning where they may, or where a read failed and a conflict cannot be ruled out.

    Raises:
        RemoteError: signing in failed.
    """
    own = list(_own_profiles(tenant, live, planned))
    if not own:
        return ()
    ids = frozenset(seen.object.id for seen in live.profiles.values() if isinstance(seen, Found))
    wanted: dict[str, set[SettingValue]] = {}
    for profile in own:
        for name, value in profile.settings.items():
            wanted.setdefault(name, set()).add(value)
    ((catalog, legacy),) = await run_readings(reader, [_read_others(_Search(ids, wanted))])
    found = [finding for seen in (*catalog, *legacy) for finding in _judge(tenant, own, seen)]
    return tuple(sorted(found, key=lambda finding: (finding.severity, finding.message)))


def _own_profiles(tenant: Tenant, live: LiveTenant, planned: Planned) -> Iterator[_Own]:
    """The declared profiles that reach somebody, with the settings that they will hold."""
    changes = {draft.change.address: draft.change for draft in planned.drafts}
    transitions = effects_of(tenant, planned, live).profiles
    for key, profile in sorted(tenant.profiles.items()):
        scope = transitions[key].after
        if profile.identity.ensure == "absent" or not scope.include:
            continue
        sighting = live.profiles.get(key)
        settings = dict(sighting.object.settings) if isinstance(sighting, Found) else {}
        change = changes.get(profile.address)
        for item in change.fields if change is not None else ():
            if item.path.startswith("settings."):
                settings[item.path.removeprefix("settings.")] = _setting(item.after)
        yield _Own(key=key, settings={name: to for name, to in settings.items() if to is not None}, scope=scope)


def _setting(value: object) -> SettingValue:
    return tuple(str(item) for item in value) if isinstance(value, tuple) else _scalar(value)


def _scalar(value: object) -> SettingValue:
    return value if value is None or isinstance(value, bool | str) else str(value)


# Reading


@dataclass(frozen=True, slots=True)
class _Search:
    own_ids: frozenset[str]
    wanted: Mapping[str, set[SettingValue]]
    """Our settings, with every value that a profile of ours gives one."""

    def differing(self, settings: Mapping[str, SettingValue]) -> dict[str, SettingValue]:
        """The settings of somebody else that differ from ours."""
        return {name: value for name, value in settings.items() if self.wanted.get(name, {value}) != {value}}


def _read_others(search: _Search) -> Reading[tuple[list[_Seen], list[_Seen]]]:
    parts = yield from together({"catalog": _read_catalog(search), "legacy": _read_legacy(search)})
    return parts["catalog"], parts["legacy"]


def _read_list(form: DeliveryForm) -> Reading[list[JSONObject] | Problem]:
    (outcome,) = yield [list_read(form)]
    if isinstance(outcome, Problem):
        return outcome
    try:
        items = objects(as_object(outcome.body, "the answer").get("value"), "value")
        for item in items:
            identifier(item)
    except Malformed as error:
        return malformed(outcome, list_read(form).purpose, error)
    return items


def _read_catalog(search: _Search) -> Reading[list[_Seen]]:
    items = yield from _read_list(CATALOG)
    if isinstance(items, Problem):
        return [_Unread("the settings catalog policies", items)]
    others = [item for item in items if identifier(item) not in search.own_ids and _may_be_for_windows(item)]
    seen = yield from together({identifier(item): _read_policy(search, item) for item in others})
    return [item for item in seen.values() if item is not None]


def _may_be_for_windows(item: JSONObject) -> bool:
    """Whether a policy may hold one of the settings at all; Windows 10 and 11 are both windows10."""
    return item.get("settingCount") != 0 and str(item.get("platforms") or "windows10").lower() == "windows10"


def _read_policy(search: _Search, item: JSONObject) -> Reading[_Seen | None]:
    what = f"settings catalog policy {text_or_none(item, 'name') or ''!r} (id {identifier(item)})"
    purpose = f"reading policy {identifier(item)} for conflicts"
    (outcome,) = yield [CATALOG.settings_read(identifier(item), purpose)]
    if isinstance(outcome, Problem):
        return _Unread(what, outcome)
    try:
        elements = objects(as_object(outcome.body, "the answer").get("value"), "value")
        instances = [as_object(element.get("settingInstance"), "settingInstance") for element in elements]
        settings = dict(pair for instance in instances if (pair := decode_instance(instance)) is not None)
    except Malformed as error:
        return _Unread(what, malformed(outcome, purpose, error))
    return (yield from _read_assigned(search, CATALOG.collection, identifier(item), what, settings))


def _read_assigned(
    search: _Search, collection: str, profile_id: str, what: str, settings: Mapping[str, SettingValue]
) -> Reading[_Seen | None]:
    """A profile with its assignments, which matter only when one of its settings differs from ours."""
    differing = search.differing(settings)
    if not differing:
        return None
    purpose = f"reading profile {profile_id} for conflicts"
    (outcome,) = yield [assignments_read(collection, profile_id, purpose)]
    if isinstance(outcome, Problem):
        return _Unread(what, outcome)
    try:
        assigned = decode_assignments(outcome.body)
    except Malformed as error:
        return _Unread(what, malformed(outcome, purpose, error))
    return _Other(what=what, settings=differing, assignments=assigned)


def _read_legacy(search: _Search) -> Reading[list[_Seen]]:
    items = yield from _read_list(CUSTOM)
    if isinstance(items, Problem):
        return [_Unread("the legacy device configurations", items)]
    readings: dict[str, Reading[_Seen | None]] = {}
    for item in items:
        profile_id = identifier(item)
        name = f"{text_or_none(item, 'displayName') or ''!r} (id {profile_id})"
        if profile_id in search.own_ids:
            continue
        if odata_type(item) == "windows10customconfiguration" and _may_set_ours(item):
            readings[profile_id] = _read_custom(search, profile_id, f"custom profile {name}")
        elif odata_type(item) == "windows10generalconfiguration":
            settings = _restrictions(item)
            what = f"device restrictions profile {name}"
            readings[profile_id] = _read_assigned(search, CUSTOM.collection, profile_id, what, settings)
    seen = yield from together(readings)
    return [item for item in seen.values() if item is not None]


def _may_set_ours(item: JSONObject) -> bool:
    """Whether a custom profile names one of the nodes, or does not show which ones it names."""
    omas = item.get("omaSettings")
    if not isinstance(omas, list):
        return True
    return any(not isinstance(oma, dict) or oma_node(str(oma.get("omaUri", ""))) is not None for oma in omas)


def _restrictions(item: JSONObject) -> dict[str, SettingValue]:
    """What a legacy device restrictions profile says of web sign-in."""
    values = {"enabled": True, "disabled": False}
    said = str(item.get("authenticationWebSignIn") or "").lower()
    return {ENABLE: values[said]} if said in values else {}


def _read_custom(search: _Search, profile_id: str, what: str) -> Reading[_Seen | None]:
    whole = yield from CUSTOM.read_whole(profile_id, f"reading profile {profile_id} for conflicts")
    if isinstance(whole, Problem):
        return _Unread(what, whole)
    differing = search.differing(whole.settings)
    return _Other(what=what, settings=differing, assignments=whole.assignments) if differing else None


# Judging


def _judge(tenant: Tenant, own: Sequence[_Own], seen: _Seen) -> Iterator[Finding]:
    if isinstance(seen, _Unread):
        yield trouble(
            tenant,
            ("webSignIn",),
            RULE,
            f"whether {seen.what} conflicts with a declared profile is unknown: {seen.problem.describe()}",
            why="a profile that cannot be read may set the same settings to other values",
            fix=seen.problem.advice(),
            severity="warning",
        )
        return
    include, exclude = assignment_scope(seen.assignments)
    other = Scope(is_on=True, include=include, exclude=exclude)
    for profile in own:
        overlap = overlap_of(profile.scope, other)
        for name in sorted(set(seen.settings) & set(profile.settings)):
            ours, theirs = profile.settings[name], seen.settings[name]
            if overlap == "none" or ours == theirs:
                continue
            where = "on the same devices" if overlap == "certain" else "on devices that may be the same"
            yield trouble(
                tenant,
                ("webSignIn", profile.key, "settings", name),
                RULE,
                f"{profile.key} sets {name} to {_spelled(ours)}, and {seen.what} sets it to {_spelled(theirs)} {where}",
                why=_WHY,
                fix=_FIX,
                severity="error" if overlap == "certain" else "warning",
            )


def _spelled(value: SettingValue) -> str:
    """A setting's value as YAML would say it."""
    if isinstance(value, tuple):
        return f"[{', '.join(value)}]"
    return str(value).lower() if isinstance(value, bool) else str(value)


def overlap_of(one: Scope, other: Scope) -> Overlap:
    """Whether two profiles reach a device in common.

    Certain only where both name the same target, or one names everybody; filters that differ, exclusions and different
    groups leave it open. A pair of which one side excludes what the other includes has nothing in common."""
    found = {_pair(one, mine, other, theirs) for mine in one.include for theirs in other.include}
    return "certain" if "certain" in found else "possible" if "possible" in found else "none"


def _pair(one: Scope, mine: Entry, other: Scope, theirs: Entry) -> Overlap:
    if theirs.target in one.exclude or mine.target in other.exclude:
        return "none"
    if _are_opposite(mine.condition, theirs.condition):
        return "none"
    targets: Iterable[Term] = (mine.target, theirs.target)
    everybody = [target for target in targets if target.kind in ("all-devices", "all-users")]
    if any(target.kind == "other" for target in targets):
        return "possible"
    is_same = mine.target == theirs.target or bool(everybody)
    filters = {mine.condition, theirs.condition} - {None}
    # An exclusion may take every member of a group away, but hardly every device there is.
    is_narrowed = len(filters) > 1 or (bool(one.exclude | other.exclude) and len(everybody) < 2)
    return "certain" if is_same and not is_narrowed else "possible"


def _are_opposite(mine: tuple[str, str] | None, theirs: tuple[str, str] | None) -> bool:
    """Whether one profile wants the devices that a filter holds, and the other one those that it does not."""
    return mine is not None and theirs is not None and mine[0] == theirs[0] and mine[1] != theirs[1]
