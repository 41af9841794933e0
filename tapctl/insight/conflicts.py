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
from tapctl.kinds.findings import finding_at
from tapctl.kinds.other_profiles import OtherProfile, read_configurations, read_content, read_policies
from tapctl.model.desired import SettingValue, Tenant
from tapctl.model.gather import gather
from tapctl.model.live import Found, LiveAssignment, LiveTenant
from tapctl.model.requests import Problem, Reading
from tapctl.reconcile.planner import Planned

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
        lookup = live.profiles.get(key)
        settings = dict(lookup.object.settings) if isinstance(lookup, Found) else {}
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
    parts = yield from gather(
        {
            "catalog": _read_collection(search, "the settings catalog policies", read_policies()),
            "legacy": _read_collection(search, "the legacy device configurations", read_configurations()),
        }
    )
    return parts["catalog"], parts["legacy"]


def _read_collection(
    search: _Search, what: str, listing: Reading[list[OtherProfile] | Problem]
) -> Reading[list[_Seen]]:
    listed = yield from listing
    if isinstance(listed, Problem):
        return [_Unread(what, listed)]
    others = [profile for profile in listed if profile.id not in search.own_ids]
    seen = yield from gather({profile.id: _read_other(search, profile) for profile in others})
    return [item for item in seen.values() if item is not None]


def _read_other(search: _Search, profile: OtherProfile) -> Reading[_Seen | None]:
    """A profile with its assignments, which matter only when one of its settings differs from ours."""
    what = f"{profile.type} {profile.name!r} (id {profile.id})"
    purpose = f"reading profile {profile.id} for conflicts"
    content = yield from read_content(profile, lambda settings: bool(search.differing(settings)), purpose)
    if isinstance(content, Problem):
        return _Unread(what, content)
    if content is None:
        return None
    return _Other(what=what, settings=search.differing(content.settings), assignments=content.assignments)


# Judging


def _judge(tenant: Tenant, own: Sequence[_Own], seen: _Seen) -> Iterator[Finding]:
    if isinstance(seen, _Unread):
        yield finding_at(
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
            yield finding_at(
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
