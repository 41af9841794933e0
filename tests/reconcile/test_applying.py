"""What can go wrong around one write: what was not seen is not applied, what somebody else did is not overwritten."""

from __future__ import annotations

import errno
import json
import os

import pytest

from tapctl.errors import TapctlError
from tapctl.model.plan import Outcome
from tapctl.model.requests import Reply, Write
from tapctl.reconcile.journal import Journal
from tapctl.reconcile.planner import Planned
from tapctl.sandbox.faults import Fault
from tests.support.world import World

POLICY = "temporaryAccessPass"
LENGTH = "temporaryAccessPass: {{length: {}}}"
PROFILE = "webSignIn: {one: {displayName: One, settings: {enableWebSignIn: true}, assign: {include: [all-devices]}}}"


def outcome_of(world: World, planned: Planned) -> Outcome:
    """What became of the one change of a plan."""
    (change,) = world.apply(planned)
    assert change.outcome is not None
    return change.outcome


@pytest.fixture
def longer(world: World) -> World:
    """A tenant that is as declared, but for the length of a pass."""
    world.declare(LENGTH.format(8))
    world.converge()
    world.declare(LENGTH.format(12))
    world.forget()
    return world


def test_what_cannot_be_read_right_before_the_write_is_not_written(longer: World) -> None:
    planned = longer.plan()
    longer.fail(Fault(action="status", status=403, method="GET", path=POLICY))

    outcome = outcome_of(longer, planned)

    assert outcome.name == "failed"
    assert longer.writes == []


@pytest.mark.parametrize("status", [403, 404])
def test_what_cannot_be_read_back_is_unverified(longer: World, status: int) -> None:
    planned = longer.plan()
    longer.fail(
        Fault(action="status", status=status, code="ResourceNotFound", method="GET", path=POLICY, first=2, last=99)
    )

    outcome = outcome_of(longer, planned)

    assert outcome.name == "unverified"
    assert len(longer.writes) == 1


def test_between_two_writes_of_a_change_the_first_has_to_be_seen(world: World) -> None:
    world.declare(PROFILE)
    planned = world.plan()
    world.fail(Fault(action="status", status=403, method="GET", path="configurationPolicies", first=2, last=4))

    outcome = outcome_of(world, planned)

    assert outcome.name == "failed"
    assert [sent.path.rsplit("/", 1)[-1] for sent in world.writes] == ["configurationPolicies"]


def test_what_somebody_changed_while_a_write_was_left_open_is_not_overwritten(
    longer: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned = longer.plan()
    longer.fail(Fault(action="lose-before", writes_only=True, first=1, last=1))
    sleep = longer.clock.sleep

    async def sleep_while_somebody_works(seconds: float) -> None:
        longer.change("policies", policy_id(longer), defaultLength=20)
        await sleep(seconds)

    monkeypatch.setattr(longer.clock, "sleep", sleep_while_somebody_works)

    outcome = outcome_of(longer, planned)

    assert outcome.name == "failed"
    assert "somebody else is at work" in outcome.message
    assert len(longer.writes) == 1


def policy_id(world: World) -> str:
    (found,) = [key for key, item in world.objects("policies").items() if "isUsableOnce" in item]
    return found


def test_two_profiles_that_appear_with_our_mark_stop_the_create(world: World) -> None:
    world.declare(PROFILE)
    world.converge()
    one = world.named("configurationPolicies", "One")
    world.remove("configurationPolicies", one["id"])
    planned = world.plan()
    for object_id in ("00000000-0000-4000-8000-000000000001", "00000000-0000-4000-8000-000000000002"):
        world.add("configurationPolicies", **{**one, "id": object_id})
    world.forget()

    outcome = outcome_of(world, planned)

    assert outcome.name == "failed"
    assert world.writes == []


def test_what_cannot_be_written_into_the_journal_is_not_sent(longer: World, monkeypatch: pytest.MonkeyPatch) -> None:
    planned = longer.plan()
    lines = 0

    def full_after_the_first_line(_: int) -> None:
        nonlocal lines
        lines += 1
        if lines > 1:
            raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(os, "fsync", full_after_the_first_line)

    with pytest.raises(TapctlError, match="nothing more was sent"):
        longer.apply(planned)

    assert longer.writes == []
    assert [json.loads(line)["entry"] for line in longer.journal_path().read_text().splitlines()] == ["change", "write"]


def test_what_can_no_longer_be_planned_is_not_seen_as_applied(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    """The group that the change has just included is taken away before it is read back."""
    world.declare(
        """
        groups: {wave: {displayName: SG-Onboarding-Wave-7, external: true}}
        temporaryAccessPass: {include: [wave]}
        """
    )
    planned = world.plan()
    answered = Journal.answered

    def and_somebody_renames_the_group(journal: Journal, address: str, write: Write, reply: Reply) -> None:
        world.tamper("groups.SG-Onboarding-Wave-7", "displayName=Old wave")
        answered(journal, address, write, reply)

    monkeypatch.setattr(Journal, "answered", and_somebody_renames_the_group)

    outcome = outcome_of(world, planned)

    assert outcome.name == "unverified"
