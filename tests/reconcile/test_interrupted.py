"""Interrupted at every write: nothing is made twice, and the same or a second run converges."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections import Counter
from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest

from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.faults import Fault
from tapctl.sandbox.tenant import KILLED
from tests.support.recorder import Sent
from tests.support.world import EXAMPLES, TENANT_ID, World

CONTOSO = 6
FABRIKAM = 9
EVERY_WRITE = [
    *(("contoso.yaml", number) for number in range(1, CONTOSO + 1)),
    *(("fabrikam", number) for number in range(1, FABRIKAM + 1)),
]

LOST = {
    "the connection is refused": Fault(action="refuse-connection"),
    "the connection is lost before processing": Fault(action="lose-before"),
    "the connection is lost after processing": Fault(action="lose-after"),
    "429": Fault(action="throttle"),
    "503": Fault(action="status", status=503, retry_after=2),
    "500": Fault(action="status", status=500),
    "409": Fault(action="status", status=409),
    "a proxy's page": Fault(action="html"),
    "half an answer": Fault(action="broken-json"),
}
MEMBERS = "groups: {{a: {{displayName: A, members: [{}]}}}}"
AMBIGUOUS = ("the connection is lost before processing", "the connection is lost after processing", "503", "500")


def striking(fault: Fault, number: int) -> Fault:
    return replace(fault, writes_only=True, first=number, last=number)


def is_create(sent: Sent) -> bool:
    return sent.method == "POST" and sent.path.rsplit("/", 1)[-1] in ("configurationPolicies", "deviceConfigurations")


def counted(world: World) -> dict[str, int]:
    return {name: len(world.objects(name)) for name in ("groups", "configurationPolicies", "deviceConfigurations")}


@cache
def counted_undisturbed(example: str) -> dict[str, int]:
    """How many objects there are after an apply that nothing disturbed."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        world.take(EXAMPLES / example)
        world.converge()
        return counted(world)


@pytest.mark.parametrize(("example", "writes"), [("contoso.yaml", CONTOSO), ("fabrikam", FABRIKAM)])
def test_the_cases_below_strike_every_write(world: World, example: str, writes: int) -> None:
    world.take(EXAMPLES / example)

    world.converge()

    assert len(world.writes) == writes


@pytest.mark.parametrize("what", LOST)
@pytest.mark.parametrize(("example", "number"), EVERY_WRITE)
def test_a_write_that_goes_wrong_is_made_good_and_nothing_is_made_twice(
    world: World, example: str, number: int, what: str
) -> None:
    world.take(EXAMPLES / example)
    world.fail(striking(LOST[what], number))

    world.apply()
    if what in AMBIGUOUS:
        # A create whose answer leaves it open is never sent again in that run.
        sent = Counter((item.path, item.body.get("description")) for item in world.writes if is_create(item))
        assert set(sent.values()) <= {1}
    world.fail()
    world.apply()

    assert world.changes() == {}
    assert counted(world) == counted_undisturbed(example)


def test_an_open_create_that_is_not_found_ends_the_change_as_failed_and_says_what_to_do(world: World) -> None:
    world.declare("webSignIn: {one: {displayName: One, settings: {enableWebSignIn: true}, assign: {include: []}}}")
    world.fail(Fault(action="lose-before", writes_only=True, first=1, last=1))

    (change,) = world.apply()

    assert change.outcome is not None
    assert change.outcome.name == "failed"
    assert "not sent again" in change.outcome.message
    assert "run again" in change.outcome.fix
    assert 60 <= world.clock.elapsed <= 125


def test_an_open_create_that_shows_up_late_is_found_by_its_mark(world: World) -> None:
    world.declare("webSignIn: {one: {displayName: One, settings: {enableWebSignIn: true}, assign: {include: []}}}")
    planned = world.plan()
    world.behave(replace(world.sandbox.behaviour, lag_list_seconds=60.0))
    world.fail(Fault(action="lose-after", writes_only=True, first=1, last=1))

    (change,) = world.apply(planned)

    assert change.outcome is not None
    assert change.outcome.name == "applied"
    assert len(world.all_named("configurationPolicies", "One")) == 1


def test_a_failed_change_blocks_what_depends_on_it_and_nothing_else(world: World) -> None:
    world.take(EXAMPLES / "contoso.yaml")
    world.fail(Fault(action="status", status=403, writes_only=True, path="tapctl-tap-users"))

    outcomes = {change.address: change.outcome.name for change in world.apply() if change.outcome}

    assert outcomes == {
        "groups.autopilot-devices": "applied",
        "groups.tap-users": "failed",
        "temporaryAccessPass": "skipped",
        "webSignIn.windows-11": "applied",
    }


def test_a_write_that_stays_refused_ends_as_failed_with_the_message_of_graph(world: World) -> None:
    world.take(EXAMPLES / "contoso.yaml")
    world.fail(Fault(action="status", status=403, code="Authorization_RequestDenied", writes_only=True, path="tapctl-"))

    failed = [change.outcome for change in world.apply() if change.outcome and change.outcome.name == "failed"]

    assert len(failed) == 2
    for outcome in failed:
        assert "HTTP 403 Authorization_RequestDenied" in outcome.message
        assert "Group.ReadWrite.All" in outcome.fix


def test_throttling_without_end_ends_the_change_within_its_patience(world: World) -> None:
    world.take(EXAMPLES / "walkthrough.yaml")
    world.fail(Fault(action="throttle", writes_only=True))

    names = {change.outcome.name for change in world.apply() if change.outcome}

    assert names == {"failed", "skipped"}
    assert world.clock.elapsed < 200


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (MEMBERS.format("ada@contoso.com"), MEMBERS.format("ada@contoso.com, grace@contoso.com")),
        (MEMBERS.format("ada@contoso.com, grace@contoso.com"), MEMBERS.format("ada@contoso.com")),
        ("groups: {a: {displayName: A}}", "groups: {a: {displayName: A, ensure: absent}}"),
        ("webSignIn: {a: {displayName: A, settings: {}}}", "webSignIn: {a: {displayName: A, ensure: absent}}"),
    ],
    ids=["a member added", "a member removed", "a group deleted", "a profile deleted"],
)
def test_a_write_that_was_done_unseen_is_not_reported_as_refused(world: World, before: str, after: str) -> None:
    """Its answer was lost, replication does not show it yet, and sent again Graph refuses it for having been done."""
    world.declare(before)
    world.converge()
    world.behave(Behaviour(lag_get_seconds=5.0, lag_list_seconds=8.0, lag_updates=True))
    world.declare(after)
    world.fail(Fault(action="lose-after", writes_only=True, first=1, last=1))

    (change,) = world.apply()

    assert change.outcome is not None
    assert change.outcome.name == "applied"
    assert world.changes() == {}


# Somebody else at work


def test_what_changed_between_plan_and_write_stops_that_change(world: World) -> None:
    world.take(EXAMPLES / "contoso.yaml")
    world.converge()
    world.tamper("temporaryAccessPass", "length=20")
    planned = world.plan()
    world.tamper("temporaryAccessPass", "length=24")
    world.forget()

    (change,) = world.apply(planned)

    assert change.outcome is not None
    assert change.outcome.name == "failed"
    assert "somebody else is at work" in change.outcome.message
    assert world.writes == []


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (("settings.enableWebSignIn=false",), ("assign.include=all-users",)),
        (("settings.enableWebSignIn=false",), ("settings.enableFastFirstSignIn=true",)),
        (("assign.include=all-users",), ("description=theirs",)),
        (("assign.include=all-users",), ("assign.exclude=SG-Break-Glass",)),
    ],
)
def test_a_write_that_replaces_all_stops_when_any_part_has_changed(
    world: World, first: tuple[str, ...], second: tuple[str, ...]
) -> None:
    world.take(EXAMPLES / "contoso.yaml")
    world.converge()
    world.tamper("webSignIn.WIN - Web sign-in", *first)
    planned = world.plan()
    world.tamper("webSignIn.WIN - Web sign-in", *second)
    world.forget()

    (change,) = world.apply(planned)

    assert change.outcome is not None
    assert change.outcome.name == "failed"
    assert world.writes == []


def test_a_change_that_somebody_else_has_made_meanwhile_is_applied_without_a_write(world: World) -> None:
    world.take(EXAMPLES / "contoso.yaml")
    world.converge()
    world.tamper("temporaryAccessPass", "length=20")
    planned = world.plan()
    world.tamper("temporaryAccessPass", "length=8")
    world.forget()

    (change,) = world.apply(planned)

    assert change.outcome is not None
    assert change.outcome.name == "applied"
    assert world.writes == []


# Killed


@pytest.mark.parametrize("action", ["exit-before", "exit-after"])
@pytest.mark.parametrize("number", range(1, CONTOSO + 1))
def test_a_killed_run_is_made_good_by_the_next_one(tmp_path: Path, number: int, action: str) -> None:
    faults = [{"action": action, "writes": True, "first": number, "last": number}]

    killed = subprocess.run(
        [sys.executable, "-m", "tapctl", "apply", str(EXAMPLES / "contoso.yaml"), "--yes"],
        cwd=tmp_path,
        env={**os.environ, "TAPCTL_SANDBOX_DIR": "state", "TAPCTL_SANDBOX_FAULTS": json.dumps(faults)},
        capture_output=True,
        check=False,
    )
    again = World(tmp_path, state_path=tmp_path / "state" / f"{TENANT_ID}.json")
    again.take(EXAMPLES / "contoso.yaml")
    again.apply()

    assert killed.returncode == KILLED
    assert again.changes() == {}
    assert counted(again) == counted_undisturbed("contoso.yaml")


def test_every_write_is_in_the_journal_before_it_is_sent(tmp_path: Path) -> None:
    faults = [{"action": "exit-before", "writes": True, "first": 4}]

    subprocess.run(
        [sys.executable, "-m", "tapctl", "apply", str(EXAMPLES / "contoso.yaml"), "--yes", "--journal", "run.jsonl"],
        cwd=tmp_path,
        env={**os.environ, "TAPCTL_SANDBOX_DIR": "state", "TAPCTL_SANDBOX_FAULTS": json.dumps(faults)},
        capture_output=True,
        check=False,
    )

    entries = [json.loads(line) for line in (tmp_path / "run.jsonl").read_text().splitlines()]
    assert (tmp_path / "run.jsonl").stat().st_mode & 0o777 == 0o600
    assert entries[-1]["entry"] == "write"
    assert entries[-1]["path"].endswith("temporaryAccessPass")
    assert entries[-1]["before"]["state"] == "disabled"
    assert [entry["entry"] for entry in entries].count("write") == 4
    assert [entry["entry"] for entry in entries].count("answer") == 3
