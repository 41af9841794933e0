"""Rules over the TAP policy. A value that the file does not name is unknown, and no rule guesses it."""

from __future__ import annotations

from collections.abc import Iterator

from tapctl.errors import Finding
from tapctl.model.desired import ALL_USERS, Policy, Tenant
from tapctl.rules.rule import Rule
from tapctl.rules.scope import nested_keys

DEFAULT_MAXIMUM_MINUTES = 480
"""Microsoft's default longest lifetime (S2, S11)."""
DAY_MINUTES = 1440
AUTOPILOT_MINUTES = 100
"""The Enrollment Status Page's default timeout of 60 minutes and up to 40 for a quality update (S13)."""
LONG_CODE = 12
MANY_GROUPS = 10


def lifetimes_out_of_order(tenant: Tenant) -> Iterator[Finding]:
    policy = tenant.policy or Policy()
    named = {"minimum": policy.minimum, "default": policy.default, "maximum": policy.maximum}
    pairs = [("minimum", "default"), ("default", "maximum")]
    if policy.default is None:
        pairs = [("minimum", "maximum")]
    for lower, upper in pairs:
        low, high = named[lower], named[upper]
        if low is not None and high is not None and low > high:
            yield TAP001.finding(
                tenant,
                (*_LIFETIME, upper),
                f"the {upper} lifetime ({high} minutes) is shorter than the {lower} lifetime ({low} minutes)",
                fix=f"raise {upper} to at least {low}m, or lower {lower} to at most {high}m",
                related=((f"the {lower} lifetime", (*_LIFETIME, lower)),),
            )


TAP001 = Rule(
    id="TAP001",
    severity="error",
    modes=("off",),
    condition="not 10 minutes <= minimum <= default <= maximum <= 30 days, or a length outside 8 to 48",
    why="Graph refuses such a policy",
    fix="keep 10m <= minimum <= default <= maximum <= 30d and a length from 8 to 48",
    sources=("S2", "S11"),
    evidence=("D",),
    coverage="the schema checks the ranges; this rule the order of those lifetimes that the file names",
    check=lifetimes_out_of_order,
    is_suppressible=False,
)


def enabled_for_nobody(tenant: Tenant) -> Iterator[Finding]:
    policy = tenant.policy
    if policy and policy.state == "enabled" and policy.include == ():
        yield TAP002.finding(tenant, _INCLUDE, "the TAP policy is enabled for nobody: include is empty")


TAP002 = Rule(
    id="TAP002",
    severity="error",
    modes=("off",),
    condition="state is enabled and include is empty",
    why="nobody can sign in with a pass, yet passes can still be issued",
    fix="include a group, or set state: disabled",
    sources=("S2",),
    evidence=("D", "I"),
    coverage="fires when the file names both; an include list that is not named is unknown",
    check=enabled_for_nobody,
)

TAP003 = Rule(
    id="TAP003",
    severity="warning",
    modes=("live",),
    condition="the policy targets a single user",
    why="targeting single users was removed from the portal; old entries linger where nobody sees them",
    fix="move the users to a group and include the group",
    sources=("S6", "S25"),
    evidence=("D",),
    coverage="nothing: a file can name groups and all-users only, so tapctl never writes such a target",
)


def included_and_excluded(tenant: Tenant) -> Iterator[Finding]:
    policy = tenant.policy or Policy()
    for position, excluded in enumerate(policy.exclude or ()):
        for other, target in enumerate(policy.include or ()):
            if target.group == excluded:
                yield TAP004.finding(
                    tenant,
                    (*_EXCLUDE, position),
                    f"{excluded} is excluded and also included",
                    related=(("included here", (*_INCLUDE, other)),),
                )


TAP004 = Rule(
    id="TAP004",
    severity="error",
    modes=("off",),
    condition="the same group is in include and exclude",
    why="the exclusion is understood to win, so the include does nothing and misleads its readers",
    fix="remove one of the two",
    sources=("S2",),
    evidence=("K",),
    coverage="compares keys; two keys of one pinned id are refused beforehand",
    check=included_and_excluded,
)


def break_glass_in_reach(tenant: Tenant) -> Iterator[Finding]:
    policy = tenant.policy or Policy()
    if policy.include is None or policy.exclude is None:
        return
    for position, target in enumerate(policy.include):
        place = (*_INCLUDE, position)
        if target.group == ALL_USERS and not policy.exclude:
            yield TAP005.finding(tenant, place, "all-users is included and nothing is excluded")
            continue
        reach = {target.group, *nested_keys(tenant, target.group)}
        for key in tenant.break_glass:
            if key and key not in policy.exclude and (target.group == ALL_USERS or key in reach):
                yield TAP005.finding(tenant, place, f"{target.group} reaches the break-glass group {key}")


TAP005 = Rule(
    id="TAP005",
    severity="warning",
    modes=("off",),
    condition="all-users is included with nothing excluded, or an include reaches a break-glass group that is not "
    "excluded",
    why="whoever issues a pass for a break-glass account owns it; such accounts stay on security keys or certificates",
    fix="exclude the break-glass group; where a benchmark (Zero Trust Assessment 21845) wants all-users, suppress "
    "with that reason",
    sources=("S19", "S20"),
    evidence=("B", "I"),
    coverage="follows group:KEY members; beside it a managed exclude list without a tenant.breakGlass group is the "
    "unsuppressible error break-glass",
    check=break_glass_in_reach,
)


def passes_live_long(tenant: Tenant) -> Iterator[Finding]:
    policy = tenant.policy
    if policy is None or policy.maximum is None or policy.maximum <= DEFAULT_MAXIMUM_MINUTES:
        return
    place = (*_LIFETIME, "maximum")
    if policy.maximum > DAY_MINUTES:
        yield TAP006.finding(tenant, place, f"a pass may live {policy.maximum} minutes, longer than a day")
    elif policy.one_time is False:
        yield TAP006.finding(
            tenant, place, f"a pass that works many times may live {policy.maximum} minutes, longer than 8 hours"
        )
    else:
        yield TAP006.finding(
            tenant, place, f"a pass may live {policy.maximum} minutes, longer than Microsoft's default", severity="info"
        )


TAP006 = Rule(
    id="TAP006",
    severity="warning",
    modes=("off",),
    condition="maximum is above 1440 minutes, or above 480 with oneTime false",
    variants="info when 480 < maximum <= 1440 and oneTime is true or not named",
    why="Microsoft's default is 480 minutes; a leaked pass, or one that works many times, outlives the shift it was "
    "made for",
    fix="set maximum to 8h or less; for future starters give the pass a later start instead of a longer life",
    sources=("S2",),
    evidence=("D", "I"),
    coverage="fires when the file names maximum; with oneTime not named only the milder finding is certain",
    check=passes_live_long,
)


def passes_work_many_times(tenant: Tenant) -> Iterator[Finding]:
    if tenant.policy and tenant.policy.one_time is False:
        yield TAP007.finding(tenant, _ONE_TIME, "passes may be used many times")


TAP007 = Rule(
    id="TAP007",
    severity="info",
    modes=("off",),
    condition="oneTime is false",
    why="benchmarks EIDSCA.AT02 and Zero Trust Assessment 21846 want one-time passes; restarts during Autopilot "
    "justify others",
    fix="set oneTime: true, or suppress with the written reason",
    sources=("S19", "S20"),
    evidence=("B",),
    coverage="fires when the file names oneTime",
    check=passes_work_many_times,
)


def one_time_in_autopilot(tenant: Tenant) -> Iterator[Finding]:
    if tenant.policy and tenant.policy.one_time is True and "autopilot" in tenant.scenarios:
        yield TAP008.finding(tenant, _ONE_TIME, "one-time passes do not last through an Autopilot enrolment")


TAP008 = Rule(
    id="TAP008",
    severity="warning",
    modes=("off",),
    condition="oneTime is true and tenant.scenarios has autopilot",
    why="the second sign-in after a restart, and registering Windows Hello later than 10 minutes after the first, "
    "need another pass each",
    fix="set oneTime: false, or suppress with the reason that every new starter gets two passes",
    sources=("S2", "S13"),
    evidence=("D",),
    coverage="fires when the file names oneTime",
    check=one_time_in_autopilot,
)


def default_shorter_than_enrolment(tenant: Tenant) -> Iterator[Finding]:
    default = tenant.policy.default if tenant.policy else None
    if default is not None and default < AUTOPILOT_MINUTES and "autopilot" in tenant.scenarios:
        yield TAP009.finding(
            tenant, (*_LIFETIME, "default"), f"a pass of {default} minutes can end before an Autopilot enrolment does"
        )


TAP009 = Rule(
    id="TAP009",
    severity="warning",
    modes=("off",),
    condition="tenant.scenarios has autopilot and default is below 100 minutes",
    why="the enrolment status page may take 60 minutes and a quality update 20 to 40 more; account setup comes after "
    "both",
    fix="set default: 2h, or issue such passes for at least 2h",
    sources=("S13",),
    evidence=("D", "I"),
    coverage="assumes the page's default timeout of 60 minutes; the tenant's own timeout is not read",
    check=default_shorter_than_enrolment,
)


def code_short_for_exposure(tenant: Tenant) -> Iterator[Finding]:
    policy = tenant.policy
    if policy is None or policy.length is None or policy.length >= LONG_CODE:
        return
    lives_long = policy.maximum is not None and policy.maximum > DEFAULT_MAXIMUM_MINUTES
    if policy.one_time is False or lives_long:
        exposure = "works many times" if policy.one_time is False else f"may live {policy.maximum} minutes"
        yield TAP010.finding(
            tenant, ("temporaryAccessPass", "length"), f"{policy.length} characters are few for a pass that {exposure}"
        )


TAP010 = Rule(
    id="TAP010",
    severity="warning",
    modes=("off",),
    condition="length is below 12 and oneTime is false or maximum above 480 minutes",
    why="longer exposure deserves a longer code; the figure is ours, Microsoft names none",
    fix="set length: 12",
    sources=("S2",),
    evidence=("I",),
    coverage="fires when the file names length and the value that makes it too short",
    check=code_short_for_exposure,
)


def many_groups(tenant: Tenant) -> Iterator[Finding]:
    policy = tenant.policy or Policy()
    included = [target.group for target in policy.include or () if target.group not in (ALL_USERS, "")]
    count = len(included) + len([key for key in policy.exclude or () if key])
    if count > MANY_GROUPS:
        yield TAP011.finding(tenant, _INCLUDE if included else _EXCLUDE, f"the policy names {count} groups")


TAP011 = Rule(
    id="TAP011",
    severity="warning",
    modes=("off",),
    condition="include and exclude name more than 10 groups together",
    variants="error (live) when the whole policy nears 20 KB",
    why="saving fails above 20 KB for all methods together, and registration can fail with many groups; 10 is our "
    "threshold",
    fix="consolidate: add the new group and remove the old ones in one change",
    sources=("S6",),
    evidence=("D", "I"),
    coverage="counts the groups that the file names; the size of the live policy is not read",
    check=many_groups,
)

TAP012 = Rule(
    id="TAP012",
    severity="warning",
    modes=("plan",),
    condition="the plan makes passes one-time, disables the policy, shrinks include or grows exclude",
    why="outstanding passes that work many times, or belong to people who lose the scope, stop working within minutes",
    fix="tell the people concerned and issue new passes where they still need one",
    sources=("S2", "S11"),
    evidence=("D",),
    coverage="reads the planned change; which people hold a pass is not read",
)


def contradictory_scenarios(tenant: Tenant) -> Iterator[Finding]:
    others = sorted(tenant.scenarios & {"helpdesk", "shared"})
    if "autopilot" in tenant.scenarios and others and tenant.policy and tenant.policy.one_time is True:
        yield TAP013.finding(
            tenant,
            _ONE_TIME,
            f"the scenarios autopilot and {' and '.join(others)} want different values of oneTime, and a tenant has "
            f"one policy",
            related=(("the scenarios", ("tenant", "scenarios")),),
        )


TAP013 = Rule(
    id="TAP013",
    severity="warning",
    modes=("off",),
    condition="tenant.scenarios has autopilot beside helpdesk or shared, and oneTime is true",
    why="lifetime, length and oneTime exist once in a tenant; Autopilot needs oneTime false, the others are safer "
    "with true",
    fix="set oneTime: false and issue one-time passes by process",
    sources=("S2",),
    evidence=("D",),
    coverage="fires when the file names oneTime; with oneTime false the contradiction is settled as the fix says",
    check=contradictory_scenarios,
)

_LIFETIME = ("temporaryAccessPass", "lifetime")
_ONE_TIME = ("temporaryAccessPass", "oneTime")
_INCLUDE = ("temporaryAccessPass", "include")
_EXCLUDE = ("temporaryAccessPass", "exclude")

RULES = (
    TAP001,
    TAP002,
    TAP003,
    TAP004,
    TAP005,
    TAP006,
    TAP007,
    TAP008,
    TAP009,
    TAP010,
    TAP011,
    TAP012,
    TAP013,
)
