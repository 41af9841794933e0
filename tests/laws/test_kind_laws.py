"""What holds of every kind of resource, whoever adds the next one."""

from __future__ import annotations

from hypothesis import given

from tapctl.kinds.kind import EVER
from tapctl.kinds.registry import BY_SECTION, KINDS, kind_of
from tapctl.model.desired import Identity
from tests.laws.scenarios import Scenario, scenarios
from tests.laws.tenant_run import WHOLE_RUNS, world_of


@WHOLE_RUNS
@given(scenarios())
def test_a_declaration_is_restored_from_its_own_fields(scenario: Scenario) -> None:
    with world_of(scenario) as world:
        for kind in KINDS:
            for address, resource in kind.declared(world.tenant).items():
                fields = kind.fields(resource, EVER)
                key = address.partition(".")[2]

                restored = kind.restore(Identity(key=key), fields, {})

                unsaid = {"roleAssignable"}  # holds at creation only: there is no way back to it
                assert kind.fields(restored, EVER) == {p: fields[p] for p in fields.keys() - unsaid}
                assert kind.declared(kind.declare(world.tenant.without_resources(), restored)) == {address: restored}


@WHOLE_RUNS
@given(scenarios())
def test_what_is_found_has_an_address_of_its_kind_and_lists_of_groups_there(scenario: Scenario) -> None:
    with world_of(scenario) as world:
        live = world.look()
        names = world.plan().names
        for kind in KINDS:
            for address, lists in kind.live_lists(live, names).items():
                assert kind_of(address) is kind
                assert address in kind.ids(live)
                assert lists.keys() <= kind.lists_of_groups.keys()


def test_every_section_is_known_once() -> None:
    assert list(BY_SECTION) == [kind.section for kind in KINDS]
