"""Any valid desired state over any live state: one apply makes it so, at the least cost, and touches nothing else."""

from __future__ import annotations

from hypothesis import assume, event, given, settings
from hypothesis import strategies as st

from tapctl.model.plan import Change
from tests.laws.expectations import repeated, untouched, writes_needed
from tests.laws.scenarios import Scenario, scenarios
from tests.laws.tenant_run import LawWorld, refusals, world_of

WHOLE_RUNS = settings(max_examples=max(10, settings().max_examples // 2))
"""A whole run is a thousand times dearer than a value, so that fewer are tried."""

ACCEPTABLE_REFUSALS = {"still-referenced"}
"""A group is not deleted while something that the file does not manage refers to it."""


def ids_after(scenario: Scenario, world: LawWorld) -> dict[str, str]:
    return {f"groups.{key}": found for key, found in world.plan().names.group_ids.items()} | dict(scenario.ids)


def applied(world: LawWorld, *, only_lapsed: bool = False) -> tuple[Change, ...]:
    """Plan and apply; a refusal that the scenario earned ends the example."""
    planned = world.plan(only_lapsed=only_lapsed)
    if planned.is_refused:
        assert refusals(planned) <= ACCEPTABLE_REFUSALS, planned.findings
        event("refused")
        assume(False)
    event(f"{len(planned.drafts)} changes")
    world.forget()
    changes = world.apply(planned, only_lapsed=only_lapsed)
    outcomes = {change.address: change.outcome for change in changes}
    assert {outcome.name for outcome in outcomes.values() if outcome is not None} <= {"applied"}, outcomes
    return changes


@WHOLE_RUNS
@given(scenarios())
def test_after_an_apply_the_plan_is_empty(scenario: Scenario) -> None:
    with world_of(scenario) as world:
        applied(world)

        world.forget()
        assert world.changes() == {}
        assert world.apply() == ()
        assert world.writes == []


@WHOLE_RUNS
@given(scenarios())
def test_an_apply_sends_the_writes_that_its_changes_need_and_none_twice(scenario: Scenario) -> None:
    with world_of(scenario) as world:
        changes = applied(world)

        assert len(world.writes) == sum(map(writes_needed, changes)), [str(sent) for sent in world.writes]
        assert repeated(world.writes) == []


@WHOLE_RUNS
@given(scenarios(), st.booleans())
def test_an_apply_touches_nothing_that_no_change_names(scenario: Scenario, only_lapsed: bool) -> None:
    with world_of(scenario) as world:
        before = world.state()
        changes = applied(world, only_lapsed=only_lapsed)
        after = world.state()
        made = {name: set(after[name]) - set(items) for name, items in before.items()}
        assert sum(map(len, made.values())) == sum(change.action == "create" for change in changes)
        survivors = {name: {key: after[name][key] for key in items if key in after[name]} for name, items in before.items()}

        assert untouched(survivors, changes, scenario.ids) == untouched(before, changes, scenario.ids)


@WHOLE_RUNS
@given(scenarios())
def test_a_run_for_lapsed_entries_does_nothing_but_take_them_out(scenario: Scenario) -> None:
    with world_of(scenario) as world:
        changes = applied(world, only_lapsed=True)

        assert {item.path for change in changes for item in change.fields} <= {"include", "assign.include", "state"}
        assert {change.reason for change in changes} <= {"lapsed"}
        assert not any(change.widens for change in changes)
        assert world.changes(world.plan(only_lapsed=True)) == {}


@WHOLE_RUNS
@given(scenarios(is_equal=True))
def test_a_file_that_says_what_is_so_plans_nothing(scenario: Scenario) -> None:
    with world_of(scenario) as world:
        planned = world.plan()

        assert not planned.is_refused, planned.findings
        assert world.changes(planned) == {}
