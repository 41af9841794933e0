"""A declared group among the members of another is the same group under its key and under its object id."""

from __future__ import annotations

import pytest

from tests.support.world import World

BOTH = """
    groups:
      team: {{displayName: SG-Team, members: [{members}]}}
      wave: {{displayName: SG-Wave{more}}}
"""


def errors(world: World) -> list[str]:
    return [item.rule for item in world.plan().findings if item.severity == "error"]


@pytest.fixture
def made(world: World) -> World:
    world.declare(BOTH.format(members="", more=""))
    world.converge()
    return world


def test_a_group_cannot_be_its_own_member(made: World) -> None:
    made.declare(BOTH.format(members=made.named("groups", "SG-Team")["id"], more=""))

    assert errors(made) == ["member-of-itself"]


def test_a_group_that_is_to_be_deleted_is_no_member(made: World) -> None:
    wave = made.named("groups", "SG-Wave")["id"]
    made.declare(BOTH.format(members=wave, more=", ensure: absent"))

    assert errors(made) == ["absent-group"]


def test_who_leaves_a_group_that_an_excluded_one_holds_by_its_id_may_gain(world: World) -> None:
    text = """
        groups:
          inner: {{displayName: SG-Inner, members: [{who}]}}
          outer: {{displayName: SG-Outer, members: [{inner}]}}
          wave: {{displayName: SG-Onboarding-Wave-7, external: true}}
        temporaryAccessPass: {{include: [wave], exclude: [outer]}}
    """
    world.declare(text.format(who="ada@contoso.com, grace@contoso.com", inner='"group:inner"'))
    world.converge()
    inner = world.named("groups", "SG-Inner")["id"]
    world.declare(text.format(who="ada@contoso.com", inner=inner))

    (draft,) = world.plan().drafts

    assert (draft.change.address, draft.change.widens) == ("groups.inner", True)


def test_a_group_is_added_only_after_its_own_change(made: World) -> None:
    wave = made.named("groups", "SG-Wave")["id"]
    made.declare(BOTH.format(members=wave, more=", members: [ada@contoso.com]"))

    planned = made.plan()

    assert [draft.change.address for draft in planned.drafts] == ["groups.wave", "groups.team"]
    assert planned.drafts[1].change.depends_on == ("groups.wave",)
