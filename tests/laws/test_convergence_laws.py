"""Any valid desired state over any live state: one apply makes it so, at the least cost, and touches nothing else."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.laws.expectations import disturbed, kept_in_lists, repeated, writes_needed
from tests.laws.scenarios import Scenario, scenarios
from tests.laws.tenant_run import WHOLE_RUNS, applied, world_of


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

        needed = sum(map(writes_needed, changes))
        if scenario.behaviour.lag_get_seconds:
            # What refers to an object that Graph does not see yet is refused with 404, and rightly sent again.
            assert len({f"{sent} {sent.body}" for sent in world.writes}) == needed
        else:
            assert len(world.writes) == needed, [str(sent) for sent in world.writes]
            assert repeated(world.writes) == []


@WHOLE_RUNS
@given(scenarios(), st.booleans())
def test_an_apply_touches_nothing_that_no_change_names(scenario: Scenario, only_lapsed: bool) -> None:
    with world_of(scenario) as world:
        before = world.state()
        changes = applied(world, only_lapsed=only_lapsed)
        after = world.state()

        made = sum(len(set(after[name]) - set(items)) for name, items in before.items())
        assert made == sum(change.action == "create" for change in changes)
        assert disturbed(before, after, changes, scenario.ids) == {}


@WHOLE_RUNS
@given(scenarios())
def test_a_list_that_changes_keeps_what_it_has_no_say_about(scenario: Scenario) -> None:
    with world_of(scenario) as world:
        before = world.state()
        changes = applied(world)
        gone = {scenario.ids[change.address] for change in changes if change.action == "delete"}
        kept = kept_in_lists(before, changes, scenario)

        missing = kept - kept_in_lists(world.state(), changes, scenario)

        assert {one for one in missing if one.rsplit(" ", 1)[-1] not in gone} == set()


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
