"""Order never matters: neither of keys and lists in YAML, nor of what Graph answers. The plan is the same document."""

from __future__ import annotations

import random
from dataclasses import replace
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from tapctl.model.plan import GraphUsage, Impact, PlanDocument
from tapctl.model.values import JSONValue
from tapctl.output.document import to_json
from tapctl.reconcile.planner import Planned
from tapctl.reconcile.summary import reviewed
from tests.laws.scenarios import Scenario, scenarios
from tests.laws.tenant_run import WHOLE_RUNS, LawWorld, world_of
from tests.support.clock import START


def document(world: LawWorld, planned: Planned) -> JSONValue:
    """The document of a plan, without the places in the file."""
    plan = reviewed(
        world.tenant,
        replace(planned, findings=()),
        findings=[replace(finding, position=None, excerpt="") for finding in planned.findings],
        impact=Impact(),
        violations=(),
        overrides={},
        usage=GraphUsage(),
        now=START,
    )
    return to_json(PlanDocument(created_at=START, tapctl_version="0", tenants=(plan,)))


def shuffled(value: Any, order: random.Random) -> Any:
    """The same YAML in another order: no list of a tenant file has an order that means anything."""
    if isinstance(value, dict):
        keys = order.sample(list(value), len(value))
        return {key: shuffled(value[key], order) for key in keys}
    if isinstance(value, list):
        return [shuffled(item, order) for item in order.sample(value, len(value))]
    return value


orders = st.integers(0, 2**32)


@WHOLE_RUNS
@given(scenarios(), orders)
def test_the_order_of_yaml_never_matters(scenario: Scenario, seed: int) -> None:
    with world_of(scenario) as world:
        expected = document(world, world.plan())

        world.declare_document(shuffled(scenario.document, random.Random(seed)))  # noqa: S311

        assert document(world, world.plan()) == expected


@WHOLE_RUNS
@given(scenarios(), orders)
def test_the_order_of_answers_and_what_they_say_beyond_never_matters(scenario: Scenario, seed: int) -> None:
    with world_of(scenario) as world:
        expected = document(world, world.plan())

        world.perturbation = seed

        assert document(world, world.plan()) == expected
