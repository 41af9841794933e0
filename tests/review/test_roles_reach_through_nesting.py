"""What a group is used for, and what leans on it, reaches through the groups that it is nested in."""

from __future__ import annotations

import pytest

from tapctl.model.plan import Impact
from tapctl.reconcile import guardrails
from tapctl.sandbox.faults import Fault
from tests.support.world import World

ADA, GRACE = "ada@contoso.com", "grace@contoso.com"

EXCLUDED = """
    guardrails: {deny: [widen]}
    groups:
      outer: {displayName: SG-Outer, members: ["group:inner"]}
      inner: {displayName: SG-Inner, members: [%s]}
      wave: {displayName: SG-Onboarding-Wave-7, external: true}
    temporaryAccessPass:
      state: enabled
      include: [wave]
      exclude: [outer]
"""


def test_whoever_leaves_a_group_inside_an_excluded_one_gains_the_ability(world: World) -> None:
    world.declare(EXCLUDED % f"{ADA}, {GRACE}")
    world.converge()
    world.declare(EXCLUDED % GRACE)

    planned = world.plan()

    (draft,) = planned.drafts
    assert draft.change.widens
    assert [item.rule for item in guardrails.evaluate(world.tenant, planned, Impact(), {})] == ["widen"]


def test_whoever_enters_a_group_inside_an_excluded_one_gains_nothing(world: World) -> None:
    world.declare(EXCLUDED % GRACE)
    world.converge()
    world.declare(EXCLUDED % f"{ADA}, {GRACE}")

    (draft,) = world.plan().drafts

    assert not draft.change.widens
    assert draft.narrows


INCLUDED = """
    groups:
      outer: {displayName: SG-Outer, members: ["group:inner"]}
      inner: {displayName: SG-Inner, members: [%s]}
    temporaryAccessPass:
      include: [%s]
"""


def test_a_list_takes_no_group_in_before_what_is_nested_in_it_is_as_declared(world: World) -> None:
    world.declare(INCLUDED % (f"{ADA}, {GRACE}", ""))
    world.converge()
    world.declare(INCLUDED % (GRACE, "outer"))
    world.fail(Fault(action="status", method="DELETE", path="/members/", status=403))

    outcomes = {change.address: change.outcome for change in world.apply()}

    assert {address: outcome.name for address, outcome in outcomes.items() if outcome} == {
        "groups.inner": "failed",
        "temporaryAccessPass": "skipped",
    }


ON = """
    groups:
      team: {displayName: SG-Team, members: [%s]}
    temporaryAccessPass: {state: %s%s}
"""


def test_nothing_is_switched_on_before_a_group_that_only_the_live_list_names_is_as_declared(world: World) -> None:
    world.declare(ON % (f"{ADA}, {GRACE}", "disabled", ", include: [team]"))
    world.converge()
    world.declare(ON % (GRACE, "enabled", ""))
    world.fail(Fault(action="status", method="DELETE", path="/members/", status=403))

    outcomes = {change.address: change.outcome for change in world.apply()}

    assert {address: outcome.name for address, outcome in outcomes.items() if outcome} == {
        "groups.team": "failed",
        "temporaryAccessPass": "skipped",
    }


MIXED = """
    groups:
      team: {displayName: SG-Team, members: [%s]}
    temporaryAccessPass: {length: 8%s}
    webSignIn:
      one: {displayName: One, assign: {include: [], exclude: [team]}}
"""


@pytest.mark.parametrize("is_included", [True, False])
def test_a_group_that_only_a_live_list_includes_widens_when_it_grows(world: World, is_included: bool) -> None:
    world.declare(MIXED % (ADA, ""))
    world.converge()
    if is_included:
        world.tamper("temporaryAccessPass", "include=SG-Team")
    world.declare(MIXED % (f"{ADA}, {GRACE}", ""))

    (draft,) = world.plan().drafts

    assert (draft.change.widens, draft.narrows) == (is_included, True)


def test_a_group_that_leaves_the_live_list_counts_by_what_the_file_says(world: World) -> None:
    world.declare(MIXED % (ADA, ", include: []"))
    world.converge()
    world.tamper("temporaryAccessPass", "include=SG-Team")
    world.declare(MIXED % (f"{ADA}, {GRACE}", ", include: []"))

    drafts = {draft.change.address: draft.change.widens for draft in world.plan().drafts}

    assert drafts == {"groups.team": False, "temporaryAccessPass": False}


UNMANAGED = """
    groups:
      team: {displayName: SG-Team, members: [%s]}
    temporaryAccessPass: {length: 8%s}
    webSignIn:
      one: {displayName: One, settings: {enableWebSignIn: false}%s}
"""
POLICY_EXCLUDES, PROFILE_EXCLUDES = ", exclude: [team]", ", assign: {exclude: [team]}"


@pytest.mark.parametrize(
    ("policy", "profile", "address", "live", "members"),
    [
        (POLICY_EXCLUDES, "", "webSignIn.One", "assign.include=SG-Team", (ADA, f"{ADA}, {GRACE}")),
        ("", PROFILE_EXCLUDES, "temporaryAccessPass", "include=SG-Team", (ADA, f"{ADA}, {GRACE}")),
        ("", "", "webSignIn.One", "assign.exclude=SG-Team", (f"{ADA}, {GRACE}", ADA)),
        ("", "", "temporaryAccessPass", "exclude=SG-Team", (f"{ADA}, {GRACE}", ADA)),
    ],
    ids=["a profile includes", "the policy includes", "a profile excludes", "the policy excludes"],
)
def test_what_a_list_says_that_no_file_manages_decides_whether_a_change_of_members_widens(
    world: World, policy: str, profile: str, address: str, live: str, members: tuple[str, str]
) -> None:
    before, after = members
    world.declare(UNMANAGED % (before, policy, profile))
    world.converge()
    world.declare(UNMANAGED % (after, policy, profile))
    (draft,) = world.plan().drafts
    widened_already = draft.change.widens

    world.tamper(address, live)
    (draft,) = world.plan().drafts

    assert (widened_already, draft.change.widens) == (False, True)
