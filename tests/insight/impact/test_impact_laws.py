"""Laws of impact over random directories: a bound is one, what is called exact is, and nothing unread is guessed."""

from __future__ import annotations

import asyncio

from hypothesis import given
from hypothesis import strategies as st

from tapctl.insight.impact import assess
from tapctl.model.plan import Impact, ImpactCount
from tests.insight.impact.scenarios import Scenario, scenarios, truth
from tests.insight.impact.town import TownReader

FIGURES = ("users_gaining", "users_losing", "devices_gaining", "devices_losing")
BREAKABLE = (
    r"/users",
    r"/devices",
    r"/groups/[^/]+/members",
    r"transitiveMemberOf",
    r"\$count",
    r"/policies/",
    r"group-1",
)


def assessed(scenario: Scenario, mode: str, *, broken: str | None = None) -> Impact:
    reader = TownReader(scenario.before, broken=broken, policy_body=scenario.policy_body)
    return asyncio.run(assess(reader, scenario.tenant, scenario.planned, scenario.live, mode=mode)).impact


def holds(figure: ImpactCount, real: int) -> bool:
    match figure.certainty:
        case "exact":
            return figure.count == real
        case "upper-bound":
            return figure.count is not None and figure.count >= real
        case _:
            return figure.count is None


@given(scenarios(), st.sampled_from(["count", "exact", "off"]))
def test_no_figure_is_ever_too_small(scenario: Scenario, mode: str) -> None:
    impact, real = assessed(scenario, mode), truth(scenario)

    for name in FIGURES:
        assert holds(getattr(impact, name), real[name]), (name, getattr(impact, name), real[name])


@given(scenarios(), st.sampled_from(["count", "exact"]))
def test_where_everything_can_be_read_nothing_is_unknown(scenario: Scenario, mode: str) -> None:
    impact = assessed(scenario, mode)

    assert all(getattr(impact, name).certainty != "unknown" for name in FIGURES)


@given(scenarios())
def test_listing_members_never_says_more_than_counting_them(scenario: Scenario) -> None:
    counted, listed = assessed(scenario, "count"), assessed(scenario, "exact")

    assert all(getattr(listed, name).count <= getattr(counted, name).count for name in FIGURES)


@given(scenarios(), st.sampled_from(["count", "exact"]), st.sampled_from(BREAKABLE))
def test_what_cannot_be_read_makes_no_figure_too_small(scenario: Scenario, mode: str, broken: str) -> None:
    impact, real = assessed(scenario, mode, broken=broken), truth(scenario)

    assert all(holds(getattr(impact, name), real[name]) for name in FIGURES)


@given(scenarios())
def test_a_plan_without_changes_costs_nothing_and_touches_nobody(scenario: Scenario) -> None:
    if scenario.planned.drafts:
        return
    reader = TownReader(scenario.before, policy_body=scenario.policy_body)
    impact = asyncio.run(assess(reader, scenario.tenant, scenario.planned, scenario.live, mode="exact")).impact

    assert reader.asked == []
    assert {getattr(impact, name) for name in FIGURES} == {ImpactCount(count=0, certainty="exact")}
