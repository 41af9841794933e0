"""Random plans over random small directories: what is declared, what lives, and how it will be afterwards."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Literal, TypeVar

from hypothesis import assume
from hypothesis import strategies as st

from tapctl.errors import RefusedError
from tapctl.model.desired import Assignment, Group, Identity, Policy, Profile, Target, Tenant
from tapctl.model.live import (
    Absent,
    AssignmentFilter,
    DirectoryTarget,
    Found,
    LiveAssignment,
    LiveGroup,
    LivePolicy,
    LiveProfile,
    LiveTenant,
    Lookup,
    Member,
    MemberKind,
)
from tapctl.model.values import JSONValue
from tapctl.reconcile.planner import Planned, plan_tenant
from tests.insight.impact.town import EVERY_DEVICE, EVERYBODY, Account, Include, Lists, Name, Nature, Town

TODAY = date(2026, 11, 22)
USERS = [f"user-{number}" for number in range(4)]
DEVICES = [f"device-{number}" for number in range(4)]
LIVE_GROUPS = [f"group-{number}" for number in range(4)]
FOREIGN = "group-foreign"
"""A live group that no file declares."""
NEW_GROUPS = ["fresh-0", "fresh-1"]
FILTERS = ["windows-11", "corporate"]
RULES = {"user": 'user.department -eq "Sales"', "device": "device.isManaged -eq true"}
PROFILES = ["one", "two"]
WANTED_STATES: tuple[Literal["enabled", "disabled"] | None, ...] = (None, "enabled", "enabled", "disabled")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """A plan, with the directory before it and after it."""

    tenant: Tenant
    live: LiveTenant
    planned: Planned
    before: Town
    after: Town
    nature: Nature
    policy_body: JSONValue


def _some(items: Sequence[str], most: int = 3) -> st.SearchStrategy[frozenset[str]]:
    return st.frozensets(st.sampled_from(items), max_size=most)


USER_ACCOUNTS = st.builds(
    Account, is_enabled=st.sampled_from([True, True, False]), is_guest=st.just(False) | st.booleans()
)
DEVICE_ACCOUNTS = st.builds(
    Account,
    is_enabled=st.sampled_from([True, True, False]),
    is_joined=st.sampled_from([True, True, False]),
    is_windows=st.sampled_from([True, True, False]),
    owner=st.sampled_from(["", *USERS]),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class _GroupCase:
    """One declared group with its members before and after."""

    declared: Group
    live: LiveGroup | None
    before: frozenset[Name]
    after: frozenset[Name]


@st.composite
def _live_group(draw: st.DrawFn, key: str) -> _GroupCase:
    """A group that exists: looked up, unmanaged, with a list of members, or dynamic with or without another rule."""
    way = draw(st.sampled_from(["external", "unmanaged", "listed", "listed", "dynamic", "new-rule"]))
    if way in ("dynamic", "new-rule"):
        kind = draw(st.sampled_from(["user", "device"]))
        pool = USERS if kind == "user" else DEVICES
        before = draw(_some(pool))
        after = before if way == "dynamic" else draw(_some(pool))
        rule = RULES[kind] if way == "dynamic" else f"{RULES[kind]} and true"
        declared = Group(identity=Identity(key=key), unique_name=f"tapctl-{key}", rule=rule)
        return _GroupCase(declared=declared, live=_decoded(key, rule=RULES[kind]), before=before, after=after)
    before = draw(_some([*USERS, *DEVICES, *LIVE_GROUPS, FOREIGN])) - {key}
    if way != "listed":
        declared = Group(identity=Identity(key=key), external=way == "external", unique_name=f"tapctl-{key}")
        return _GroupCase(declared=declared, live=_decoded(key), before=before, after=before)
    after = draw(_some([*USERS, *DEVICES, *LIVE_GROUPS, *NEW_GROUPS])) - {key}
    live = _decoded(key, members=frozenset(_member(name) for name in before))
    return _GroupCase(declared=_listing(key, after), live=live, before=before, after=after)


@st.composite
def _new_group(draw: st.DrawFn, key: str) -> _GroupCase:
    if draw(st.booleans()):
        kind = draw(st.sampled_from(["user", "device"]))
        after = draw(_some(USERS if kind == "user" else DEVICES))
        identity = Identity(key=key, display_name=key)
        declared = Group(identity=identity, unique_name=f"tapctl-{key}", rule=RULES[kind])
        return _GroupCase(declared=declared, live=None, before=frozenset(), after=after)
    after = draw(_some([*USERS, *DEVICES, *LIVE_GROUPS]))
    return _GroupCase(declared=_listing(key, after), live=None, before=frozenset(), after=after)


def _listing(key: str, members: frozenset[Name]) -> Group:
    spelled = tuple(name if name.startswith(("user-", "device-")) else f"group:{name}" for name in sorted(members))
    return Group(
        identity=Identity(key=key, display_name=key),
        unique_name=f"tapctl-{key}",
        members=spelled,
        members_exact=True,
    )


def _member(name: Name) -> Member:
    kinds: dict[str, MemberKind] = {"user": "user", "device": "device"}
    return Member(name, kinds.get(name.partition("-")[0], "group"))


def _decoded(key: str, *, rule: str | None = None, members: frozenset[Member] | None = None) -> LiveGroup:
    return LiveGroup(
        id=key,
        display_name=key,
        description="",
        unique_name=f"tapctl-{key}",
        rule=rule,
        role_assignable=False,
        security_enabled=True,
        mail_enabled=False,
        is_microsoft_365=False,
        is_synchronised=False,
        members=members,
    )


# The policy


@dataclass(frozen=True, slots=True, kw_only=True)
class _PolicyCase:
    declared: Policy | None
    live: LivePolicy
    before: Lists
    after: Lists
    body: JSONValue


@st.composite
def _policy(draw: st.DrawFn) -> _PolicyCase:
    targets = [EVERYBODY, "user-0", *LIVE_GROUPS, FOREIGN]
    state = draw(st.sampled_from(["enabled", "enabled", "disabled"]))
    include, exclude = draw(_some(targets)), draw(_some(targets[2:], 2))
    live = LivePolicy(
        state=state,
        minimum=60,
        default=60,
        maximum=480,
        length=8,
        one_time=True,
        include=frozenset(_target(name) for name in include),
        exclude=frozenset(_target(name) for name in exclude),
    )
    before = Lists(is_on=state == "enabled", include=_plain(include), exclude=tuple(sorted(exclude)))
    body: JSONValue = {
        "id": "TemporaryAccessPass",
        "state": state,
        "includeTargets": [_wire(name) for name in sorted(include)],
        "excludeTargets": [_wire(name) for name in sorted(exclude)],
    }
    keys = [EVERYBODY, *LIVE_GROUPS, *NEW_GROUPS]
    if draw(st.integers(0, 3)) == 0:
        return _PolicyCase(declared=None, live=live, before=before, after=before, body=body)
    wanted_state = draw(st.sampled_from(WANTED_STATES))
    wanted_include = draw(st.none() | _some(keys))
    wanted_exclude = draw(st.none() | _some(keys[1:], 2))
    declared = Policy(
        state=wanted_state,
        include=None if wanted_include is None else tuple(Target(group=key) for key in sorted(wanted_include)),
        exclude=None if wanted_exclude is None else tuple(sorted(wanted_exclude)),
    )
    after = Lists(
        is_on=(wanted_state or state) == "enabled",
        include=_plain(include if wanted_include is None else wanted_include),
        exclude=tuple(sorted(exclude if wanted_exclude is None else wanted_exclude)),
    )
    return _PolicyCase(declared=declared, live=live, before=before, after=after, body=body)


def _plain(names: frozenset[Name]) -> tuple[Include, ...]:
    return tuple(Include(target=name) for name in sorted(names))


def _target(name: Name) -> DirectoryTarget:
    if name == EVERYBODY:
        return DirectoryTarget("all-users", "all_users")
    return DirectoryTarget("user" if name.startswith("user-") else "group", name)


def _wire(name: Name) -> JSONValue:
    target = _target(name)
    return {"id": target.id, "targetType": "user" if target.kind == "user" else "group"}


# Profiles


@dataclass(frozen=True, slots=True, kw_only=True)
class _ProfileCase:
    declared: Profile
    live: LiveProfile | None
    before: Lists
    after: Lists


INCLUDES = st.builds(
    Include,
    target=st.sampled_from([EVERYBODY, EVERY_DEVICE, *LIVE_GROUPS]),
    filter=st.none() | st.sampled_from(FILTERS),
    mode=st.sampled_from(["include", "exclude"]),
)
PLANNED_INCLUDES = st.builds(
    Include,
    target=st.sampled_from([EVERYBODY, EVERY_DEVICE, *LIVE_GROUPS, *NEW_GROUPS]),
    filter=st.none() | st.sampled_from(FILTERS),
    mode=st.sampled_from(["include", "exclude"]),
)


def _distinct(includes: list[Include]) -> tuple[Include, ...]:
    return tuple({item.target: item for item in includes}.values())


@st.composite
def _profile(draw: st.DrawFn, key: str) -> _ProfileCase:
    before, live = Lists(is_on=False), None
    if draw(st.booleans()):
        enabled = draw(st.sampled_from([True, True, False, None]))
        include = _distinct(draw(st.lists(INCLUDES, max_size=2)))
        exclude = tuple(sorted(draw(_some(LIVE_GROUPS, 2)) - {item.target for item in include}))
        before = Lists(is_on=enabled is True, include=include, exclude=exclude)
        live = LiveProfile(
            id=f"profile-{key}",
            name=key,
            description="",
            mark=key,
            delivery="settings-catalog",
            settings={} if enabled is None else {"enableWebSignIn": enabled},
            scope_tag_ids=frozenset({"0"}),
            assignments=frozenset([*map(_assigned, include), *(LiveAssignment("exclusion", name) for name in exclude)]),
        )
    identity = Identity(key=key, display_name=key, ensure=draw(st.sampled_from(["present", "present", "absent"])))
    wanted = draw(st.sampled_from([None, True, True, False]))
    wanted_include = draw(st.none() | st.lists(PLANNED_INCLUDES, max_size=2).map(_distinct))
    named = {item.target for item in (before.include if wanted_include is None else wanted_include)}
    wanted_exclude = draw(st.none() | _some([*LIVE_GROUPS, *NEW_GROUPS], 2).map(lambda names: names - named))
    declared = Profile(
        identity=identity,
        settings={} if wanted is None else {"enableWebSignIn": wanted},
        include=None if wanted_include is None else tuple(map(_declared, wanted_include)),
        exclude=None if wanted_exclude is None else tuple(Assignment(group=key) for key in sorted(wanted_exclude)),
    )
    after = Lists(
        is_on=before.is_on if wanted is None else wanted,
        include=before.include if wanted_include is None else wanted_include,
        exclude=before.exclude if wanted_exclude is None else tuple(sorted(wanted_exclude)),
    )
    gone = identity.ensure == "absent"
    return _ProfileCase(declared=declared, live=live, before=before, after=Lists(is_on=False) if gone else after)


def _assigned(item: Include) -> LiveAssignment:
    mode = "exclude" if item.mode == "exclude" and item.filter is not None else "include"
    if item.target == EVERY_DEVICE:
        return LiveAssignment("all-devices", None, item.filter, mode)  # type: ignore[arg-type]
    if item.target == EVERYBODY:
        return LiveAssignment("all-users", None, item.filter, mode)  # type: ignore[arg-type]
    return LiveAssignment("group", item.target, item.filter, mode)  # type: ignore[arg-type]


def _declared(item: Include) -> Assignment:
    mode = "exclude" if item.mode == "exclude" else "include"
    return Assignment(group=item.target, filter=item.filter, mode=mode)  # type: ignore[arg-type]


# All of it


@st.composite
def scenarios(draw: st.DrawFn) -> Scenario:
    """A plan that the planner does not refuse."""
    cases = {key: draw(_live_group(key)) for key in LIVE_GROUPS} | {key: draw(_new_group(key)) for key in NEW_GROUPS}
    policy = draw(_policy())
    profiles = {key: draw(_profile(key)) for key in PROFILES}
    foreign = {FOREIGN: draw(_some([*USERS, *DEVICES, *LIVE_GROUPS]))}
    tenant = Tenant(
        name="contoso",
        source="contoso.yaml",
        id="6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11",
        groups={key: case.declared for key, case in cases.items()},
        policy=policy.declared,
        profiles={key: case.declared for key, case in profiles.items()},
    )
    live = LiveTenant(
        policy=policy.live if policy.declared is not None else None,
        groups={key: _lookup(case.live) for key, case in cases.items()},
        profiles={key: _lookup(case.live) for key, case in profiles.items()},
        filters=tuple(AssignmentFilter(id=name, display_name=name, rule="") for name in FILTERS),
        scope_tags=(),
        group_names={FOREIGN: "Foreign"},
        people={name: _member(name) for name in [*USERS, *DEVICES]},
    )
    try:
        planned = plan_tenant(tenant, live, TODAY)
    except RefusedError:
        assume(False)
        raise
    assume(not planned.is_refused)
    before = Town(
        users={name: draw(USER_ACCOUNTS) for name in USERS},
        devices={name: draw(DEVICE_ACCOUNTS) for name in DEVICES},
        groups=foreign | {key: case.before for key, case in cases.items() if case.live is not None},
        policy=policy.before,
        profiles={key: case.before for key, case in profiles.items()},
    )
    after = Town(
        users=before.users,
        devices=before.devices,
        groups=foreign | {key: case.after for key, case in cases.items()},
        policy=policy.after,
        profiles={key: case.after for key, case in profiles.items()},
    )
    nature = Nature(
        honours_nesting=draw(st.booleans()),
        mixes_exclusions=draw(st.booleans()),
        passing={name: draw(_some(DEVICES, 4)) for name in FILTERS},
    )
    return Scenario(
        tenant=tenant,
        live=live,
        planned=planned,
        before=before,
        after=after,
        nature=nature,
        policy_body=policy.body,
    )


LiveT = TypeVar("LiveT")


def _lookup(found: LiveT | None) -> Lookup[LiveT]:
    return Absent() if found is None else Found(found)


def truth(scenario: Scenario) -> Mapping[str, int]:
    """How many gain and lose, by brute force."""
    nature = scenario.nature
    users = scenario.before.able_users(nature), scenario.after.able_users(nature)
    devices = scenario.before.able_devices(nature), scenario.after.able_devices(nature)
    return {
        "users_gaining": len(users[1] - users[0]),
        "users_losing": len(users[0] - users[1]),
        "devices_gaining": len(devices[1] - devices[0]),
        "devices_losing": len(devices[0] - devices[1]),
    }
