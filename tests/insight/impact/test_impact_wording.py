"""How impact reads in a terminal and in a pull request, whatever is known of it."""

from __future__ import annotations

import pytest

from tapctl.model.plan import Impact, ImpactCount
from tapctl.output.wording import impact_lines

UNKNOWN = ImpactCount()


def at_most(count: int) -> ImpactCount:
    return ImpactCount(count=count, certainty="upper-bound")


def exactly(count: int) -> ImpactCount:
    return ImpactCount(count=count, certainty="exact")


@pytest.mark.parametrize(
    ("gaining", "losing", "words"),
    [
        (exactly(0), exactly(0), "0 gain the ability, 0 lose it"),
        (exactly(1), exactly(12), "1 gains the ability, 12 lose it"),
        (exactly(12), exactly(1), "12 gain the ability, 1 loses it"),
        (at_most(4), at_most(1), "at most 4 gain the ability, at most 1 loses it"),
        (UNKNOWN, at_most(2), "an unknown number gain the ability, at most 2 lose it"),
    ],
)
def test_every_certainty_reads_as_a_sentence(gaining: ImpactCount, losing: ImpactCount, words: str) -> None:
    impact = Impact(users_gaining=gaining, users_losing=losing, devices_gaining=gaining, devices_losing=losing)

    assert impact_lines(impact) == [f"people: {words}", f"devices: {words}"]
