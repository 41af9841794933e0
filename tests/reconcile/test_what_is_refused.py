"""What a plan refuses although the files are in order: the live tenant, or whoever made the declaration, forbids it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tapctl.errors import RefusedError
from tapctl.kinds.steps import ApplyContext, Draft, Steps
from tapctl.model.live import Found, LiveAssignment
from tapctl.model.plan import Change, Impact
from tapctl.reconcile import guardrails
from tapctl.reconcile.order import in_safe_order
from tapctl.reconcile.planner import Planned, plan_tenant
from tests.support.world import TENANT_ID, World

PROFILE = "webSignIn: {one: {displayName: One, description: %s, settings: {enableWebSignIn: true}}}"
MARKED = '"Ours\\n[tapctl:another]"'


def no_steps(_: ApplyContext) -> Steps:
    yield from ()


def errors(planned: Planned) -> list[str]:
    assert planned.drafts == ()
    return [finding.rule for finding in planned.findings if finding.severity == "error"]


@pytest.mark.parametrize("is_new", [True, False])
def test_a_description_cannot_end_like_the_mark_of_another_key(world: World, is_new: bool) -> None:
    if not is_new:
        world.declare(PROFILE % "Ours")
        world.converge()
    world.declare(PROFILE % MARKED)

    assert errors(world.plan()) == ["reserved-mark"]


def test_a_value_that_can_only_be_guessed_at_is_not_planned(world: World) -> None:
    """A file cannot say it, a journal can: an option that nobody documents was there before."""
    tenant = world.declare(PROFILE % "Ours")
    profile = replace(tenant.profiles["one"], settings={"enableWebSignIn": "7"})
    strange = replace(tenant, profiles={"one": profile})

    assert errors(plan_tenant(strange, world.look(), world.today)) == ["unknown-value"]


def test_changes_that_lean_on_each_other_in_a_circle_are_refused() -> None:
    drafts = [
        Draft(
            change=Change(address=address, action="create", title=address, fields=(), depends_on=(other,)),
            steps=no_steps,
        )
        for address, other in (("groups.a", "groups.b"), ("groups.b", "groups.a"))
    ]

    with pytest.raises(RefusedError, match=r"circle: groups\.a, groups\.b$"):
        in_safe_order(drafts)


ASSIGNED = """
    groups: {wave: {displayName: SG-Onboarding-Wave-7, external: true}}
    webSignIn: {one: {displayName: One, description: %s, assign: {include: [%s], exclude: []}}}
"""


@pytest.mark.parametrize(
    ("description", "include", "rules", "paths"),
    [
        ("Ours", "wave", [], []),
        ("Theirs", "wave", [], ["description"]),
        ("Ours", "", ["policy-set"], []),
        ("Ours", "wave, all-users", ["policy-set"], []),
    ],
    ids=["nothing", "the description", "an assignment less", "an assignment more"],
)
def test_what_a_policy_set_has_assigned_is_no_difference_and_keeps_the_list_from_being_replaced(
    world: World, description: str, include: str, rules: list[str], paths: list[str]
) -> None:
    world.declare(ASSIGNED % ("Ours", "wave"))
    world.converge()
    live = world.look()
    seen = live.profiles["one"]
    assert isinstance(seen, Found)
    by_a_set = LiveAssignment("all-devices", is_direct=False)
    profile = replace(seen.object, assignments=seen.object.assignments | {by_a_set})
    tenant = world.declare(ASSIGNED % (description, include))

    planned = plan_tenant(tenant, replace(live, profiles={"one": Found(profile)}), world.today)

    assert [finding.rule for finding in planned.findings if finding.severity == "error"] == rules
    assert [item.path for draft in planned.drafts for item in draft.change.fields] == paths


def test_no_override_gets_past_break_glass_wherever_it_comes_from(world: World) -> None:
    """The command line does not take it; a saved plan, which brings its own overrides, may say anything."""
    world.declare(
        f"""
        tenant: {{id: {TENANT_ID}, cloud: sandbox, breakGlass: [rescue]}}
        groups: {{rescue: {{displayName: SG-Break-Glass, external: true}}}}
        temporaryAccessPass: {{length: 12}}
        """
    )
    world.tamper("temporaryAccessPass", "exclude=")

    violations = guardrails.evaluate(world.tenant, world.plan(), Impact(), {"break-glass": "because"})

    assert [(item.rule, item.overridden) for item in violations] == [("break-glass", False)]
