"""`until`: an entry is valid to the end of its day, UTC, and is planned away afterwards."""

from __future__ import annotations

from datetime import date

import pytest

from tests.support.world import World

DAY = date(2026, 12, 15)
BEFORE, AFTER = date(2026, 12, 15), date(2026, 12, 16)
TWO = """
    groups: {team: {displayName: Team}, wave: {displayName: Wave}}
    temporaryAccessPass:
      state: enabled
      include: [team, {group: wave, until: 2026-12-15, reason: New office}]
"""
LAST = """
    groups: {team: {displayName: Team}, wave: {displayName: Wave}}
    temporaryAccessPass:
      state: enabled
      include: [{group: wave, until: 2026-12-15}]
"""
ASSIGNED = """
    groups: {team: {displayName: Team}, wave: {displayName: Wave}}
    webSignIn:
      one:
        displayName: One
        description: ours
        settings: {enableWebSignIn: true}
        assign:
          include:
            - team
            - {group: wave, until: 2026-12-15}
            - {group: all-devices, filter: Corporate devices, mode: include, until: 2026-12-15}
          exclude: []
"""


def test_an_entry_is_valid_to_the_end_of_its_day(world: World) -> None:
    world.declare(TWO)
    world.today = BEFORE

    world.converge()


def test_afterwards_the_entry_is_planned_away_with_the_reason_lapsed(world: World) -> None:
    world.declare(TWO)
    world.today = BEFORE
    world.converge()
    world.today = AFTER

    (draft,) = world.plan().drafts

    assert draft.change.reason == "lapsed"
    assert not draft.change.widens
    assert world.changes() == {"temporaryAccessPass": {"include": (("team", "wave"), ("team",))}}


@pytest.mark.parametrize(
    ("text", "old", "new"),
    [(TWO, "state: enabled", "state: disabled"), (ASSIGNED, "description: ours", "description: changed")],
    ids=["policy", "profile"],
)
def test_a_change_that_does_more_than_take_out_what_has_lapsed_has_another_reason(
    world: World, text: str, old: str, new: str
) -> None:
    world.declare(text)
    world.today = BEFORE
    world.converge()
    world.declare(text.replace(old, new))
    world.today = AFTER

    (draft,) = world.plan().drafts

    assert draft.change.reason is None


def test_when_the_last_include_lapses_the_state_is_planned_as_disabled(world: World) -> None:
    world.declare(LAST)
    world.today = BEFORE
    world.converge()
    world.today = AFTER

    (draft,) = world.plan().drafts
    assert draft.change.reason == "lapsed"
    assert world.changes() == {"temporaryAccessPass": {"include": (("wave",), ()), "state": ("enabled", "disabled")}}
    world.converge()

    assert world.objects("policies")["temporaryaccesspass"]["state"] == "disabled"


def test_a_lapsed_entry_that_was_never_applied_is_not_added(world: World) -> None:
    world.declare(TWO)
    world.today = AFTER

    world.converge()

    targets = world.objects("policies")["temporaryaccesspass"]["includeTargets"]
    assert [target["id"] for target in targets] == [world.named("groups", "Team")["id"]]


def test_lapsed_assignments_are_planned_away_filter_and_all(world: World) -> None:
    world.declare(ASSIGNED)
    world.today = BEFORE
    world.converge()
    world.today = AFTER

    (draft,) = world.plan().drafts
    assert draft.change.reason == "lapsed"
    assert not draft.change.widens
    assert [item.path for item in draft.change.fields] == ["assign.include"]
    assert draft.change.fields[0].after == ("team",)
    world.converge()


def test_a_change_that_is_more_than_a_lapse_does_not_say_lapsed(world: World) -> None:
    world.declare(TWO)
    world.today = BEFORE
    world.converge()
    world.tamper("temporaryAccessPass", "length=12")
    world.declare(TWO + "      length: 8\n")
    world.today = AFTER

    (draft,) = world.plan().drafts

    assert draft.change.reason is None


# apply --only lapsed


@pytest.mark.parametrize("text", [TWO, LAST, ASSIGNED])
def test_only_lapsed_makes_the_same_removals_as_a_whole_plan_would(world: World, text: str) -> None:
    world.declare(text)
    world.today = BEFORE
    world.converge()
    world.today = AFTER

    assert world.changes(world.plan(only_lapsed=True)) == world.changes()
    world.apply(only_lapsed=True)

    assert world.changes() == {}


def test_only_lapsed_leaves_everything_else_as_it_is(world: World) -> None:
    whole = f"{ASSIGNED}\n    temporaryAccessPass:\n      state: enabled\n      length: 8\n      include: [team]\n"
    world.declare(whole)
    world.today = BEFORE
    world.converge()
    world.tamper("temporaryAccessPass", "length=12", "include+=Wave")
    world.tamper("webSignIn.One", "displayName=Theirs", "settings.enableWebSignIn=false", "assign.include+=all-users")
    world.tamper("groups.Team", "description=theirs")
    world.today = AFTER

    planned = world.plan(only_lapsed=True)

    assert [draft.change.address for draft in planned.drafts] == ["webSignIn.one"]
    (field,) = planned.drafts[0].change.fields
    assert field.after == ("all-users", "team")
    world.forget()
    world.apply(planned, only_lapsed=True)
    (sent,) = world.writes
    assert sent.path.endswith("/assign")
    assert world.changes(world.plan(only_lapsed=True)) == {}


def test_only_lapsed_makes_and_deletes_nothing(world: World) -> None:
    world.declare(
        """
        groups: {old: {displayName: Old}}
        webSignIn: {gone: {displayName: Gone, settings: {}}, gone-too: {displayName: Gone too, delivery: oma-uri}}
        """
    )
    world.converge()
    world.declare(
        """
        groups: {old: {displayName: Old, ensure: absent}, new: {displayName: New}}
        webSignIn:
          gone: {displayName: Gone, ensure: absent}
          gone-too: {displayName: Gone too, delivery: oma-uri, ensure: absent}
          new: {displayName: New, settings: {}}
        """
    )

    assert world.plan(only_lapsed=True).drafts == ()


def test_only_lapsed_keeps_live_entries_whose_filter_has_no_name_of_its_own(world: World) -> None:
    world.declare(ASSIGNED)
    world.today = BEFORE
    world.converge()
    laptops = world.named("assignmentFilters", "Entra joined Windows 11")
    world.tamper("webSignIn.One", f"assign.include+=all-users|{laptops['displayName']}|include")
    world.add("assignmentFilters", **{**laptops, "id": "00000000-2222-4000-8000-000000000000"})
    world.today = AFTER

    world.apply(only_lapsed=True)

    kept = [target.get("deviceAndAppManagementAssignmentFilterId") for target in _assigned(world)]
    assert laptops["id"] in kept
    assert len(kept) == 2


def _assigned(world: World) -> list[dict[str, str]]:
    targets: list[dict[str, str]] = world.named("configurationPolicies", "One")["_assignments"]
    return targets
