"""The planner is pure: the same inputs in any order give the same plan, and it looks at nothing else."""

from __future__ import annotations

import random
import tempfile
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from hypothesis import given, settings
from hypothesis import strategies as st

from tapctl.model.desired import Group, Policy, Profile, Tenant
from tapctl.model.live import LiveTenant
from tapctl.reconcile.planner import Planned, plan_tenant
from tests.reconcile.test_behaviours import FIRST, SECOND
from tests.support.clock import START
from tests.support.world import World

KeyT = TypeVar("KeyT")
ValueT = TypeVar("ValueT")
TODAY = START.date()
STATES = ("nothing", "first", "tampered")


@cache
def inputs(state: str) -> tuple[Tenant, LiveTenant]:
    """What is declared, and what lives: nothing of it, an earlier version of it, or one that somebody has changed."""
    with tempfile.TemporaryDirectory() as folder:
        world = World(Path(folder))
        if state != "nothing":
            world.declare(FIRST)
            world.converge()
        if state == "tampered":
            world.tamper("temporaryAccessPass", "include=All staff,SG-Others", "length=20")
            world.tamper("groups.SG-People", "members+=group:All staff,alan@contoso.com")
            world.tamper("webSignIn.Catalog", "assign.include=all-users", "scopeTags=Pilot")
        return world.declare(SECOND), world.look()


def shuffled(mapping: Mapping[KeyT, ValueT], chance: random.Random) -> dict[KeyT, ValueT]:
    items = list(mapping.items())
    chance.shuffle(items)
    return dict(items)


def mixed(items: Any, chance: random.Random) -> Any:
    """A list in another order; None stays None."""
    if items is None:
        return None
    listed = list(items)
    chance.shuffle(listed)
    return tuple(listed)


def mixed_tenant(tenant: Tenant, chance: random.Random) -> Tenant:
    def group(item: Group) -> Group:
        return replace(item, members=mixed(item.members, chance))

    def profile(item: Profile) -> Profile:
        return replace(
            item,
            settings=shuffled(item.settings, chance),
            include=mixed(item.include, chance),
            exclude=mixed(item.exclude, chance),
            scope_tags=mixed(item.scope_tags, chance),
        )

    policy = tenant.policy or Policy()
    return replace(
        tenant,
        groups=shuffled({key: group(item) for key, item in tenant.groups.items()}, chance),
        profiles=shuffled({key: profile(item) for key, item in tenant.profiles.items()}, chance),
        policy=replace(policy, include=mixed(policy.include, chance), exclude=mixed(policy.exclude, chance)),
    )


def mixed_live(live: LiveTenant, chance: random.Random) -> LiveTenant:
    return replace(
        live,
        groups=shuffled(live.groups, chance),
        profiles=shuffled(live.profiles, chance),
        filters=mixed(live.filters, chance),
        scope_tags=mixed(live.scope_tags, chance),
        group_names=shuffled(live.group_names, chance),
        people=shuffled(live.people, chance),
        shapes=shuffled(live.shapes, chance),
        referrers=mixed(live.referrers, chance),
    )


def essence(planned: Planned) -> object:
    """Everything of a plan that people see or agree to."""
    return (
        [(draft.change, draft.narrows, dict(draft.definitions)) for draft in planned.drafts],
        planned.findings,
        planned.excluded,
    )


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(STATES), st.randoms(use_true_random=False))
def test_the_order_of_the_file_and_of_the_answers_never_matters(state: str, chance: random.Random) -> None:
    tenant, live = inputs(state)

    again = plan_tenant(mixed_tenant(tenant, chance), mixed_live(live, chance), TODAY)

    assert essence(again) == essence(plan_tenant(tenant, live, TODAY))


def test_the_plans_compared_above_are_not_empty() -> None:
    for state in STATES:
        assert plan_tenant(*inputs(state), TODAY).drafts


def test_a_refused_plan_is_the_same_in_any_order_too(world: World) -> None:
    world.declare(
        """
        groups: {a: {displayName: No A, external: true}, b: {displayName: No B, external: true}}
        webSignIn:
          one:
            displayName: One
            settings: {enableWebSignIn: true}
            assign: {include: [{group: all-devices, filter: No such filter, mode: include}]}
            scopeTags: [No such tag]
        """
    )
    live = world.look()
    chance = random.Random(7)  # noqa: S311 - an order, no secret

    plans = [plan_tenant(mixed_tenant(world.tenant, chance), mixed_live(live, chance), TODAY) for _ in range(10)]

    assert all(plan.is_refused for plan in plans)
    assert all(set(plan.findings) == set(plans[0].findings) for plan in plans)
