"""Any apply can be taken back: what it changed is what it was, what it made is gone if asked, nothing else moves."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from tests.laws.expectations import disturbed, touched
from tests.laws.scenarios import Scenario, scenarios
from tests.laws.tenant_run import WHOLE_RUNS, applied, world_of


@WHOLE_RUNS
@given(scenarios(), st.booleans())
def test_the_way_back_leads_to_where_the_apply_began(scenario: Scenario, remove: bool) -> None:
    with world_of(scenario) as world:
        before = world.state()
        changes = applied(world)
        made = {name: set(items) - set(before[name]) for name, items in world.state().items()}
        world.settle()

        applied(world, world.plan_back(remove=remove))

        after = world.state()
        assert touched(after, changes, scenario.ids) == touched(before, changes, scenario.ids)
        assert all((identifier in after[name]) is not remove for name, ids in made.items() for identifier in ids)
        assert disturbed(before, after, changes, scenario.ids) == {}


@WHOLE_RUNS
@given(scenarios(), st.booleans())
def test_a_second_way_back_finds_nothing_to_do(scenario: Scenario, remove: bool) -> None:
    with world_of(scenario) as world:
        applied(world)
        file, journal = world.tenant, world.journal_path()
        world.settle()
        applied(world, world.plan_back(remove=remove))
        world.settle()

        again = world.plan_back_from(journal, file, remove=remove)

        assert world.changes(again) == {}
