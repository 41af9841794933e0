"""Impact of real plans: the client, batching and the sandbox's counts, members and accounts."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tapctl.insight.impact import assess
from tapctl.model.plan import Impact, ImpactCount
from tapctl.reconcile.planner import plan_tenant
from tapctl.sandbox.faults import Fault
from tests.support.world import EXAMPLES, World

FIGURES = ("users_gaining", "users_losing", "devices_gaining", "devices_losing")
NONE = ImpactCount(count=0, certainty="exact")
UNKNOWN = ImpactCount()

GROUPS = """
groups:
  tap-users: {displayName: SG-TAP-Users, members: [ada@contoso.com]}
  wave: {displayName: SG-Onboarding-Wave-7, external: true}
  staff: {displayName: All staff, external: true}
  break-glass: {displayName: SG-Break-Glass, external: true}
"""
POLICY = """
temporaryAccessPass: {state: enabled, include: [tap-users], exclude: [break-glass]}
"""
PROFILE = """
webSignIn:
  laptops:
    displayName: WIN - Web sign-in
    settings: {enableWebSignIn: true}
    assign: {include: [{group: all-devices, filter: Entra joined Windows 11}], exclude: []}
"""


def assessed(world: World, mode: str = "count") -> Impact:
    """The impact of what is declared; afterwards `world.sent` holds what impact alone has asked."""
    live = world.look()
    assert not live.problems()
    planned = plan_tenant(world.tenant, live, world.today)
    assert not planned.is_refused, planned.findings
    world.forget()

    async def run() -> Impact:
        async with world.client(writable=False) as client:
            return (await assess(client, world.tenant, planned, live, mode=mode)).impact

    return asyncio.run(run())


def at_most(count: int) -> ImpactCount:
    return ImpactCount(count=count, certainty="upper-bound")


def exactly(count: int) -> ImpactCount:
    return ImpactCount(count=count, certainty="exact")


def figures(impact: Impact) -> tuple[ImpactCount, ...]:
    return tuple(getattr(impact, name) for name in FIGURES)


def test_a_first_apply_counts_its_own_members_the_groups_and_the_joined_devices(world: World) -> None:
    world.take(EXAMPLES / "contoso.yaml")

    # Two members that the plan adds, two in the external group; of four devices two are Entra joined.
    assert figures(assessed(world)) == (at_most(4), NONE, at_most(2), NONE)
    assert len(world.sent) == 2


def test_listing_members_finds_the_person_who_is_in_two_groups(world: World) -> None:
    world.take(EXAMPLES / "contoso.yaml")

    # Which devices pass the assignment filter is for Intune to say: still a bound.
    assert figures(assessed(world, "exact")) == (exactly(3), NONE, at_most(2), NONE)


def test_a_plan_without_changes_asks_nothing(world: World) -> None:
    world.take(EXAMPLES / "contoso.yaml")
    world.converge()

    for mode in ("off", "count", "exact"):
        assert figures(assessed(world, mode)) == (NONE,) * 4
        assert world.sent == []


def test_lengths_lifetimes_and_names_touch_nobody_and_ask_nothing(world: World) -> None:
    world.declare(GROUPS + POLICY + PROFILE)
    world.converge()
    world.declare(
        GROUPS.replace("SG-TAP-Users", "SG-TAP-People")
        + POLICY.replace("{state", "{length: 12, oneTime: true, lifetime: {maximum: 10h}, state")
        + PROFILE.replace("WIN - Web", "Windows web").replace("true}", "true, defaultCredentialProvider: pin}")
    )

    assert figures(assessed(world)) == (NONE,) * 4
    assert world.sent == []


def test_a_policy_that_stays_disabled_gives_nobody_anything(world: World) -> None:
    world.declare(GROUPS + POLICY.replace("enabled", "disabled"))

    assert figures(assessed(world)) == (NONE,) * 4
    assert world.sent == []


def test_enabling_for_all_users_is_everybody_and_exactly_the_members_who_may_hold_a_pass(world: World) -> None:
    world.declare("temporaryAccessPass: {state: enabled, include: [all-users]}")

    # Of eight accounts one is disabled and one is an external guest.
    assert assessed(world).users_gaining == at_most(8)
    assert assessed(world, "exact").users_gaining == exactly(6)


def test_disabling_takes_the_ability_from_everybody_who_had_it(world: World) -> None:
    included = POLICY.replace("[tap-users]", "[tap-users, wave]")
    world.declare(GROUPS + included)
    world.converge()
    world.declare(GROUPS + included.replace("enabled", "disabled"))

    assert figures(assessed(world))[:2] == (NONE, at_most(3))
    # Ada is in both groups, Alan in one.
    assert figures(assessed(world, "exact"))[:2] == (NONE, exactly(2))


def test_a_group_that_the_policy_no_longer_excludes_counts_up_to_who_is_included(world: World) -> None:
    world.declare(GROUPS + POLICY.replace("[break-glass]", "[staff, break-glass]"))
    world.converge()
    world.declare(GROUPS + POLICY)

    # The group that is excluded no more has seven members at any depth, but only one person is included.
    assert assessed(world).users_gaining == at_most(1)
    assert assessed(world, "exact").users_gaining == exactly(1)


def test_a_new_exclusion_counts_who_loses(world: World) -> None:
    world.declare(GROUPS + POLICY)
    world.converge()
    world.declare(GROUPS + POLICY.replace("[break-glass]", "[wave, break-glass]"))

    assert assessed(world).users_losing == at_most(1)
    assert assessed(world, "exact").users_losing == exactly(1)


def test_a_member_that_leaves_an_included_group_loses(world: World) -> None:
    world.declare(GROUPS.replace("[ada@contoso.com]", "[ada@contoso.com, grace@contoso.com]") + POLICY)
    world.converge()
    world.declare(GROUPS + POLICY)

    assert figures(assessed(world, "exact"))[:2] == (NONE, exactly(1))
    # The list of an excluded external group may hold the changed one: that is asked, and nothing is counted.
    assessed(world)
    assert [item.path.rsplit("/", 1)[-1] for item in world.sent] == ["transitiveMemberOf"]


def test_a_member_of_a_group_that_is_nested_in_an_included_one_gains_at_most(world: World) -> None:
    world.declare(GROUPS + POLICY.replace("[tap-users]", "[staff]"))
    world.converge()
    _nest(world, "SG-TAP-Users", "All staff")
    world.declare(
        GROUPS.replace("[ada@contoso.com]", "[ada@contoso.com, admin@contoso.com]")
        + POLICY.replace("[tap-users]", "[staff]")
    )

    assert figures(assessed(world))[:2] == (at_most(1), NONE)
    # No document says whether the policy honours nested groups, so members listed one by one are a bound as well.
    assert figures(assessed(world, "exact"))[:2] == (at_most(1), NONE)


def test_a_member_of_a_group_that_is_nested_nowhere_that_matters_gains_nothing(world: World) -> None:
    world.declare(GROUPS + POLICY.replace("[tap-users]", "[staff]"))
    world.converge()
    world.declare(
        GROUPS.replace("[ada@contoso.com]", "[ada@contoso.com, admin@contoso.com]")
        + POLICY.replace("[tap-users]", "[staff]")
    )

    assert figures(assessed(world)) == (NONE,) * 4
    assert assessed(world, "off").users_gaining == UNKNOWN


def test_a_new_group_around_a_group_around_a_changed_one_is_seen_through(world: World) -> None:
    unexcluded = POLICY.replace("[break-glass]", "[]")
    world.declare(GROUPS + unexcluded)
    world.converge()
    _nest(world, "SG-TAP-Users", "SG-Onboarding-Wave-7")
    around = "  around: {displayName: SG-Around, members: [group:wave]}\n"
    grown = GROUPS.replace("[ada@contoso.com]", "[ada@contoso.com, admin@contoso.com]")
    world.declare(grown + around + unexcluded.replace("[tap-users]", "[around]"))

    # The two of the wave, Ada among them by way of the nested group too, and the administrator who comes.
    assert assessed(world).users_gaining == at_most(3)


def test_people_in_a_group_of_an_unmanaged_policy_count_too(world: World) -> None:
    world.declare(GROUPS + POLICY)
    world.converge()
    world.declare(GROUPS.replace("[ada@contoso.com]", "[ada@contoso.com, grace@contoso.com]"))

    assert figures(assessed(world))[:2] == (at_most(1), NONE)
    assert figures(assessed(world, "exact"))[:2] == (exactly(1), NONE)
    world.fail(Fault(action="status", status=403, code="accessDenied", path="authenticationMethodsPolicy"))
    assert figures(assessed(world))[:2] == (UNKNOWN, UNKNOWN)


def test_a_nested_group_of_an_unmanaged_policy_counts_too(world: World) -> None:
    world.declare(GROUPS + POLICY.replace("[tap-users]", "[staff]"))
    world.converge()
    _nest(world, "SG-TAP-Users", "All staff")
    world.declare(GROUPS.replace("[ada@contoso.com]", "[ada@contoso.com, admin@contoso.com]"))

    assert figures(assessed(world))[:2] == (at_most(1), NONE)


def test_a_group_of_devices_never_matters_to_people(world: World) -> None:
    world.declare(GROUPS + POLICY)
    world.converge()
    device = world.named("devices", "LAPTOP-ADA")["deviceId"]
    world.declare(GROUPS.replace("[ada@contoso.com]", f"[ada@contoso.com, 'device:{device}']") + POLICY)

    assert figures(assessed(world)) == (NONE,) * 4


def test_a_group_of_people_in_a_profile_is_bounded_by_all_joined_devices(world: World) -> None:
    world.declare(GROUPS + PROFILE.replace("{group: all-devices, filter: Entra joined Windows 11}", "wave"))

    assert assessed(world).devices_gaining == at_most(2)
    assert assessed(world, "exact").devices_gaining == at_most(2)


def test_a_group_of_devices_in_a_profile_is_known_exactly(world: World) -> None:
    pilots = "  pilots: {displayName: SG-Autopilot-Pilot-Devices, external: true}\n"
    assigned = PROFILE.replace("{group: all-devices, filter: Entra joined Windows 11}", "pilots")
    world.change("devices", world.named("devices", "LAPTOP-ALAN")["id"], accountEnabled=False)
    world.declare(GROUPS + pilots + assigned)

    assert assessed(world).devices_gaining == at_most(2)
    assert assessed(world, "exact").devices_gaining == exactly(1)


def test_a_filter_taken_away_may_bring_whoever_it_kept_out(world: World) -> None:
    world.declare(PROFILE)
    world.converge()
    world.declare(PROFILE.replace(", filter: Entra joined Windows 11", ""))

    assert figures(assessed(world, "exact"))[2:] == (at_most(2), NONE)


def test_two_profiles_that_split_the_devices_by_one_filter_leave_none_to_gain(world: World) -> None:
    halves = """
    webSignIn:
      one:
        displayName: One
        settings: {enableWebSignIn: true}
        assign: {include: [{group: all-devices, filter: Corporate devices, mode: include}]}
      two:
        displayName: Two
        settings: {enableWebSignIn: true}
        assign: {include: [{group: all-devices, filter: Corporate devices, mode: exclude}]}
    """
    world.declare(halves)
    world.converge()
    world.declare(halves.replace("{group: all-devices, filter: Corporate devices, mode: include}", "all-devices"))

    assert figures(assessed(world))[2:] == (at_most(2), NONE)
    assert figures(assessed(world, "exact"))[2:] == (NONE, NONE)


def test_a_membership_rule_that_is_new_is_bounded_by_all_users_even_when_listing(world: World) -> None:
    dynamic = '  sales: {displayName: SG-Sales, rule: (user.department -eq "Sales")}\n'
    world.declare(GROUPS + dynamic + POLICY.replace("[tap-users]", "[sales]"))

    assert assessed(world).users_gaining == at_most(8)
    assert assessed(world, "exact").users_gaining == at_most(8)


@pytest.mark.parametrize("status", [403, 404, 500])
def test_a_count_that_fails_is_unknown_and_fails_nothing(world: World, status: int) -> None:
    world.declare(GROUPS + POLICY.replace("[tap-users]", "[tap-users, wave]") + PROFILE)
    live_problem = Fault(action="status", status=status, code="Authorization_RequestDenied", path="/groups/.*count")
    world.fail(live_problem)

    assert figures(assessed(world)) == (UNKNOWN, NONE, at_most(2), NONE)


def test_members_that_cannot_be_listed_leave_the_count(world: World) -> None:
    world.declare(GROUPS + POLICY.replace("[tap-users]", "[tap-users, wave]"))
    world.fail(Fault(action="status", status=403, code="Authorization_RequestDenied", path="/members"))

    assert assessed(world, "exact").users_gaining == at_most(3)


def test_where_graph_does_not_count_joined_devices_all_devices_are_the_bound(world: World) -> None:
    world.declare(PROFILE)
    world.fail(Fault(action="status", status=400, code="Request_UnsupportedQuery", path="trustType"))

    assert assessed(world).devices_gaining == at_most(4)


def test_off_reads_nothing_and_knows_only_what_cannot_change(world: World) -> None:
    world.declare(GROUPS + POLICY)

    assert figures(assessed(world, "off")) == (UNKNOWN, NONE, NONE, NONE)
    assert world.sent == []


def _nest(world: World, inner: str, outer: str) -> None:
    group = world.named("groups", outer)
    world.change("groups", group["id"], _members=[*group["_members"], world.named("groups", inner)["id"]])


# The whole tool

LIMITS = """
guardrails:
  impact: {maxUsersGaining: 500, maxUsersLosing: 50, maxDevicesGaining: 1000, maxDevicesLosing: 100}
"""


def plan_json(folder: Path, *arguments: str) -> tuple[int, dict[str, object]]:
    run = subprocess.run(
        [sys.executable, "-m", "tapctl", "plan", "tenants/contoso.yaml", "--format", "json", *arguments],
        cwd=folder,
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[3])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    (tenant,) = json.loads(run.stdout)["tenants"]
    return run.returncode, tenant


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    text = (EXAMPLES / "contoso.yaml").read_text(encoding="utf-8")
    baseline = (EXAMPLES / "_baselines" / "secure.yaml").read_text(encoding="utf-8")
    (tmp_path / "tenants" / "_baselines").mkdir(parents=True)
    (tmp_path / ".git").mkdir()
    (tmp_path / "tenants" / "_baselines" / "secure.yaml").write_text(baseline, encoding="utf-8")
    (tmp_path / "tenants" / "contoso.yaml").write_text(text + LIMITS, encoding="utf-8")
    return tmp_path


def test_the_limits_of_the_design_let_a_first_apply_of_a_small_tenant_through(repository: Path) -> None:
    code, tenant = plan_json(repository)

    assert (code, tenant["status"], tenant["guardrails"]) == (0, "changes", [])
    assert tenant["impact"] == {
        "usersGaining": {"count": 4, "certainty": "upper-bound"},
        "usersLosing": {"count": 0, "certainty": "exact"},
        "devicesGaining": {"count": 2, "certainty": "upper-bound"},
        "devicesLosing": {"count": 0, "certainty": "exact"},
    }


def test_where_nothing_is_counted_a_limit_takes_unknown_for_too_many(repository: Path) -> None:
    code, tenant = plan_json(repository, "--impact", "off")

    assert (code, tenant["status"]) == (3, "denied")
