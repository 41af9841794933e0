"""The deletion of a group is consent to the loss of the membership that the plan showed, and of nothing in use."""

from __future__ import annotations

import pytest

from tapctl.model.plan import Outcome
from tapctl.reconcile.planner import Planned
from tests.support.recorder import Sent
from tests.support.world import World

TEAM = "groups: {{team: {{displayName: SG-Team{}}}}}"
ABSENT = TEAM.format(", ensure: absent")


@pytest.fixture
def doomed(world: World) -> World:
    """A tenant with a group of one member that is to be deleted."""
    world.declare(TEAM.format(", members: [ada@contoso.com]"))
    world.converge()
    world.declare(ABSENT)
    world.forget()
    return world


def outcome_of(world: World, planned: Planned) -> Outcome:
    (change,) = world.apply(planned)
    assert change.outcome is not None
    return change.outcome


def test_the_plan_shows_the_membership_that_is_lost(doomed: World) -> None:
    assert doomed.changes()["groups.team"]["members"] == (("ada@contoso.com",), None)


def test_a_rule_says_more_than_whom_it_matches_today(world: World) -> None:
    world.declare(TEAM.format(", rule: user.accountEnabled -eq true"))
    world.converge()
    world.declare(ABSENT)

    assert sorted(world.changes()["groups.team"]) == ["displayName", "rule"]


def test_a_member_who_came_after_the_plan_stops_the_deletion(doomed: World) -> None:
    planned = doomed.plan()
    doomed.tamper("groups.SG-Team", "members+=grace@contoso.com")

    outcome = outcome_of(doomed, planned)

    assert outcome.name == "failed"
    assert "membership" in outcome.message
    assert doomed.writes == []


@pytest.mark.parametrize(
    ("address", "change"),
    [
        ("temporaryAccessPass", "exclude=SG-Team"),
        ("groups.SG-Onboarding-Wave-7", "members+=group:SG-Team"),
    ],
)
def test_what_came_to_refer_to_the_group_after_the_plan_stops_the_deletion(
    doomed: World, address: str, change: str
) -> None:
    planned = doomed.plan()
    doomed.tamper(address, change)

    outcome = outcome_of(doomed, planned)

    assert outcome.name == "failed"
    assert "refers to the group" in outcome.message
    assert doomed.writes == []


def test_after_the_deletion_nothing_more_is_asked_about_the_group(doomed: World) -> None:
    found = doomed.named("groups", "SG-Team")["id"]
    doomed.converge()

    at = next(index for index, sent in enumerate(doomed.sent) if sent.method == "DELETE")
    later = [str(sent) for sent in doomed.sent[at + 1 :] if found in sent.target]

    assert all(text.startswith(f"GET /groups/{found}?") for text in later), later


def test_a_member_who_was_renamed_is_the_same_member(doomed: World) -> None:
    planned = doomed.plan()
    ada = next(item for item in doomed.objects("users").values() if item["userPrincipalName"] == "ada@contoso.com")
    doomed.change("users", ada["id"], userPrincipalName="ada.lovelace@contoso.com")

    assert outcome_of(doomed, planned).name == "applied"


def test_a_reference_that_this_run_does_not_take_out_is_not_waited_for(world: World) -> None:
    both = "groups: {{team: {{displayName: SG-Team{}}}}}\ntemporaryAccessPass: {{include: [{}]}}"
    wave = "groups: {wave: {displayName: SG-Onboarding-Wave-7, external: true}}\n"
    world.declare(both.format("", "team").replace("groups: {", wave.strip()[:-1] + ", ", 1))
    world.converge()
    world.declare(both.format(", ensure: absent", "wave").replace("groups: {", wave.strip()[:-1] + ", ", 1))
    planned = world.plan()

    def refer(sent: Sent) -> None:
        if sent.method == "PATCH" and "temporaryAccessPass" in sent.target:
            world.tamper("groups.All staff", "members+=group:SG-Team")

    world.after_requests(refer)
    began = world.clock.elapsed

    outcomes = {change.address: change.outcome for change in world.apply(planned)}

    refused = outcomes["groups.team"]
    assert refused is not None
    assert refused.name == "failed"
    assert "refers to the group" in refused.message
    assert world.clock.elapsed - began < 30
