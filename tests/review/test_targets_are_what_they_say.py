"""A target is written as what it was declared as, or not at all."""

from __future__ import annotations

import pytest

from tapctl.errors import RefusedError
from tapctl.kinds import assignments
from tapctl.kinds.naming import Names
from tapctl.kinds.steps import ApplyContext
from tapctl.kinds.wire import JSONObject, Malformed
from tapctl.reconcile import past_run
from tests.support.world import World

FILTER = "11111111-2222-3333-4444-555555555555"
NOWHERE = ApplyContext(ids={}, graph_root="https://graph.example/v1.0")


@pytest.mark.parametrize("everybody", ["all-devices", "all-users"])
def test_everybody_is_never_turned_from_an_exclusion_into_an_inclusion(everybody: str) -> None:
    with pytest.raises(RefusedError, match="exclu"):
        assignments.resolve(everybody, exclusion=True, names=Names(), context=NOWHERE)


def assigned(filter_type: str) -> JSONObject:
    return {
        "id": "x",
        "target": {
            "@odata.type": "#microsoft.graph.allDevicesAssignmentTarget",
            assignments.FILTER_ID: FILTER,
            assignments.FILTER_TYPE: filter_type,
        },
    }


def test_a_filter_of_an_unknown_kind_is_not_taken_for_none() -> None:
    with pytest.raises(Malformed):
        assignments.decode(assigned("unknownFutureValue"))


@pytest.mark.parametrize("filter_type", ["none", "include", "exclude"])
def test_the_kinds_of_filters_that_are_documented_are_known(filter_type: str) -> None:
    live = assignments.decode(assigned(filter_type))

    assert live.filter_id == (None if filter_type == "none" else FILTER)


def test_a_key_that_looks_like_the_id_of_another_group_is_not_taken_for_it(world: World) -> None:
    staff = world.named("groups", "All staff")["id"]
    world.tamper("temporaryAccessPass", "include=All staff")
    world.declare(
        f"""
        groups:
          {staff}: {{displayName: SG-Onboarding-Wave-7, external: true}}
        temporaryAccessPass: {{include: [{staff}]}}
        """
    )

    (error,) = [item for item in world.plan().findings if item.severity == "error"]

    assert (error.rule, world.writes) == ("ambiguous-name", [])
    assert "All staff" in error.message


def test_a_key_that_is_the_id_of_its_own_group_is_as_good_as_any(world: World) -> None:
    wave = world.named("groups", "SG-Onboarding-Wave-7")["id"]
    world.tamper("temporaryAccessPass", "include=SG-Onboarding-Wave-7")
    world.declare(
        f"""
        groups:
          {wave}: {{displayName: SG-Onboarding-Wave-7, external: true}}
        temporaryAccessPass: {{include: [{wave}]}}
        """
    )

    assert world.changes() == {}


@pytest.mark.parametrize("everybody", ["all-devices", "all-users"])
@pytest.mark.parametrize("side", ["before", "after"])
def test_a_journal_cannot_have_everybody_excluded(everybody: str, side: str) -> None:
    change: JSONObject = {"path": "assign.exclude", "before": [], "after": []}

    with pytest.raises(ValueError, match=r"assign\.exclude"):
        past_run._field({**change, side: [everybody]})

    assert past_run._field(change).path == "assign.exclude"
