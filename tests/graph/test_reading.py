"""Procedures in step: one round trip a step, whoever asks."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapctl.graph.reading import run_readings
from tapctl.model.requests import Answer, Problem, ProblemKind, Read, Reading, Reply

from .support import get


class Echo:
    """Answers a read by its path, and remembers what was asked together."""

    def __init__(self) -> None:
        self.steps: list[list[str]] = []

    async def read(self, reads: Sequence[Read]) -> list[Reply]:
        self.steps.append([read.path for read in reads])
        return [Answer(200, {"path": read.path}) for read in reads]


def asking(*steps: Sequence[str]) -> Reading[list[str]]:
    """Reads paths step by step and returns what came back."""
    seen: list[str] = []
    for step in steps:
        outcomes = yield [get(path) for path in step]
        for outcome in outcomes:
            assert isinstance(outcome, Answer)
            assert isinstance(outcome.body, dict)
            seen.append(str(outcome.body["path"]))
    return seen


def test_a_step_of_all_is_one_read_and_who_is_done_drops_out() -> None:
    echo = Echo()

    results = asyncio.run(run_readings(echo, [asking(["/a"], ["/b", "/c"]), asking(), asking(["/d"])]))

    assert results == [["/a", "/b", "/c"], [], ["/d"]]
    assert echo.steps == [["/a", "/d"], ["/b", "/c"]]


def test_equal_reads_are_sent_once() -> None:
    echo = Echo()

    results = asyncio.run(run_readings(echo, [asking(["/a", "/b"]), asking(["/b", "/a"])]))

    assert results == [["/a", "/b"], ["/b", "/a"]]
    assert echo.steps == [["/a", "/b"]]


@pytest.mark.parametrize(
    "other",
    [
        get("/a", version="beta"),
        get("/a", paged=True),
        get("/a", headers={"ConsistencyLevel": "eventual"}),
        get("/a?x"),
        get("/a", method="POST", body={}),
    ],
)
def test_reads_that_differ_are_both_sent(other: Read) -> None:
    def both() -> Reading[int]:
        outcomes = yield [get("/a"), other]
        return len(outcomes)

    echo = Echo()

    assert asyncio.run(run_readings(echo, [both()])) == [2]
    assert len(echo.steps[0]) == 2


def test_a_shared_problem_speaks_to_each_in_its_own_words() -> None:
    class Denying:
        async def read(self, reads: Sequence[Read]) -> list[Reply]:
            return [Problem(kind=ProblemKind.DENIED, purpose=read.purpose, message="no") for read in reads]

    def ask(purpose: str) -> Reading[str]:
        [outcome] = yield [Read(purpose=purpose, version="v1.0", path="/a", permission=purpose.upper())]
        assert isinstance(outcome, Problem)
        return f"{outcome.purpose} {outcome.permission}"

    assert asyncio.run(run_readings(Denying(), [ask("one"), ask("two")])) == ["one ONE", "two TWO"]


def test_when_one_fails_the_others_are_closed() -> None:
    closed: list[bool] = []

    def failing() -> Reading[None]:
        yield [get("/a")]
        raise ValueError("cannot decode")

    def other() -> Reading[None]:
        try:
            yield [get("/b")]
            yield [get("/c")]
        finally:
            closed.append(True)

    with pytest.raises(ValueError, match="cannot decode"):
        asyncio.run(run_readings(Echo(), [failing(), other()]))

    assert closed == [True]


paths = st.sampled_from(["/a", "/b", "/c", "/d"])
procedures = st.lists(st.lists(st.lists(paths, max_size=4), max_size=4), max_size=5)


@given(plans=procedures)
def test_each_gets_its_own_answers_in_order_in_as_many_steps_as_the_longest(plans: list[list[list[str]]]) -> None:
    echo = Echo()

    results = asyncio.run(run_readings(echo, [asking(*steps) for steps in plans]))

    assert results == [[path for step in steps for path in step] for steps in plans]
    assert len(echo.steps) == max((len(steps) for steps in plans), default=0)
    assert all(len(step) == len(set(step)) for step in echo.steps)
