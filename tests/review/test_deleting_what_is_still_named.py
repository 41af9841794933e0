"""A group is deleted only when no list of a declared object names it any more, managed or not."""

from __future__ import annotations

import pytest

from tests.support.world import World, messages

POLICY = """
    groups:
      team: {displayName: SG-Team%s}
      wave: {displayName: SG-Onboarding-Wave-7, external: true}
    temporaryAccessPass: {include: [%s]}
"""
PROFILE = """
    groups:
      team: {displayName: SG-Team%s}
      wave: {displayName: SG-Onboarding-Wave-7, external: true}
    webSignIn:
      one: {displayName: One, assign: {include: [%s]}}
"""
ADDRESSES = {"temporaryAccessPass": (POLICY, "exclude=SG-Team"), "webSignIn.One": (PROFILE, "assign.exclude=SG-Team")}


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_group_that_an_unmanaged_exclusion_names_is_not_deleted(world: World, address: str) -> None:
    text, exclusion = ADDRESSES[address]
    world.declare(text % ("", "team, wave"))
    world.converge()
    world.tamper(address, exclusion)
    if address == "webSignIn.One":
        world.tamper(address, "assign.include=SG-Team,SG-Onboarding-Wave-7")
    else:
        world.tamper(address, "include=SG-Team,SG-Onboarding-Wave-7")
    world.declare(text % (", ensure: absent", "wave"))

    planned = world.plan()

    assert [item.rule for item in planned.findings if item.severity == "error"] == ["still-referenced"], messages(
        planned.findings
    )


@pytest.mark.parametrize("address", ADDRESSES)
def test_a_group_that_leaves_its_only_list_is_deleted_after_it(world: World, address: str) -> None:
    text, _ = ADDRESSES[address]
    world.declare(text % ("", "team, wave"))
    world.converge()
    world.declare(text % (", ensure: absent", "wave"))

    world.converge()
