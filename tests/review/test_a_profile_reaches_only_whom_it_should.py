"""Between the writes of one profile, and when the second fails, nobody has web sign-in who is not to have it."""

from __future__ import annotations

import pytest

from tapctl.sandbox.faults import Fault
from tests.support.world import World

TEXT = """
    groups:
      pilots: {displayName: SG-Autopilot-Pilot-Devices, external: true}
      staff: {displayName: All staff, external: true}
      rest: {displayName: SG-Onboarding-Wave-7, external: true}
    webSignIn:
      one:
        displayName: One
        settings: {enableWebSignIn: %s}
        assign: {include: [%s], exclude: [%s]}
"""


def assigns_first(world: World) -> bool:
    return world.writes[0].path.endswith("/assign")


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (("pilots", ""), ("staff", "")),
        (("pilots, staff", ""), ("staff", "")),
        (("pilots", ""), ("pilots, staff", "rest")),
    ],
    ids=["exchanged", "removed", "excluded"],
)
def test_whoever_loses_a_profile_has_lost_it_before_it_is_switched_on(
    world: World, before: tuple[str, str], after: tuple[str, str]
) -> None:
    world.declare(TEXT % ("false", *before))
    world.converge()
    world.declare(TEXT % ("true", *after))
    world.fail(Fault(action="status", method="POST", path="/assign$", status=403))
    world.forget()

    (change,) = world.apply()

    assert change.outcome is not None
    assert change.outcome.name == "failed"
    assert [sent.path.rsplit("/", 1)[-1] for sent in world.writes] == ["assign"]
    world.fail()
    world.converge()


@pytest.mark.parametrize("switch", [("true", "false"), ("true", "true")], ids=["switched off", "left on"])
def test_a_profile_that_is_not_switched_on_has_its_settings_before_it_reaches_more(
    world: World, switch: tuple[str, str]
) -> None:
    world.declare((TEXT % (switch[0], "pilots", "")).replace("One\n", "One\n        description: Old\n"))
    world.converge()
    world.declare((TEXT % (switch[1], "staff", "")).replace("One\n", "One\n        description: New\n"))
    world.forget()

    world.converge()

    assert not assigns_first(world)


def test_a_profile_that_nobody_loses_is_switched_on_before_it_reaches_more(world: World) -> None:
    world.declare(TEXT % ("false", "pilots", ""))
    world.converge()
    world.declare(TEXT % ("true", "pilots, staff", ""))
    world.forget()

    world.converge()

    assert not assigns_first(world)
