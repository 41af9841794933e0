"""The retry policy, decision by decision, and its laws."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapctl.graph.retry import Attempt, Patience, may_read_again, may_write_again, retry_after, wait_before_next
from tapctl.model.requests import Problem, ProblemKind

from .support import NOW

THROTTLED = Problem(kind=ProblemKind.THROTTLED, purpose="x", message="y", status=429)
BROKEN = Problem(kind=ProblemKind.CONNECTION, purpose="x", message="y")


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0.0),
        ("10", 10.0),
        (" 10 ", 10.0),
        ("Sun, 22 Nov 2026 08:00:30 GMT", 30.0),
        ("Sun, 22 Nov 2026 07:00:00 GMT", 0.0),
        ("Sunday, 22-Nov-26 08:00:30 GMT", 30.0),
        ("", None),
        ("-5", None),
        ("1.5e3", None),
        ("soon", None),
        ("٣", None),
        ("9" * 400, 999_999_999_999.0),
    ],
)
def test_retry_after_is_seconds_or_a_date(text: str, seconds: float | None) -> None:
    assert retry_after({"retry-after": text}, NOW) == seconds


@pytest.mark.parametrize(
    ("headers", "attempt", "wait"),
    [
        ({}, Attempt(1, 0.0), 2.0),
        ({}, Attempt(2, 2.0), 4.0),
        ({}, Attempt(4, 14.0), 16.0),
        ({}, Attempt(5, 30.0), None),
        ({"retry-after": "10"}, Attempt(1, 0.0), 10.0),
        ({"retry-after": "59"}, Attempt(1, 0.0), 59.0),
        ({"retry-after": "59"}, Attempt(1, 2.0), None),
        ({"retry-after": "61"}, Attempt(1, 0.0), None),
    ],
)
def test_the_wait_after_a_429(headers: dict[str, str], attempt: Attempt, wait: float | None) -> None:
    problem = replace(THROTTLED, headers=headers)

    assert wait_before_next(problem, attempt, patience=Patience(), wall=NOW, jitter=1.0) == wait


attempts = st.builds(Attempt, st.integers(1, 20), st.floats(0, 200))
jitters = st.floats(0, 1)
told = st.one_of(st.none(), st.integers(0, 100).map(str), st.text(max_size=5))


@given(attempt=attempts, jitter=jitters, text=told)
def test_patience_is_never_exceeded(attempt: Attempt, jitter: float, text: str | None) -> None:
    problem = replace(THROTTLED, headers={} if text is None else {"retry-after": text})

    wait = wait_before_next(problem, attempt, patience=Patience(), wall=NOW, jitter=jitter)

    if wait is not None:
        assert wait >= 0
        assert attempt.tries < 5
        assert attempt.elapsed + wait < 60


@given(seconds=st.integers(0, 100), attempt=attempts, jitter=jitters)
def test_what_graph_tells_to_wait_is_waited_exactly_or_not_at_all(
    seconds: int, attempt: Attempt, jitter: float
) -> None:
    problem = replace(THROTTLED, headers={"retry-after": str(seconds)})

    assert wait_before_next(problem, attempt, patience=Patience(), wall=NOW, jitter=jitter) in (None, float(seconds))


@given(tries=st.integers(1, 3), jitter=jitters, other=jitters)
def test_a_later_wait_is_at_least_as_long_whatever_the_jitter(tries: int, jitter: float, other: float) -> None:
    earlier, later = (
        wait_before_next(BROKEN, Attempt(number, 0.0), patience=Patience(), wall=NOW, jitter=random)
        for number, random in ((tries, jitter), (tries + 1, other))
    )

    assert earlier is not None and later is not None
    assert later >= earlier


@given(
    kind=st.sampled_from(ProblemKind),
    status=st.sampled_from([0, 400, 401, 403, 404, 409, 412, 423, 429, 500, 501, 503]),
    ambiguous=st.booleans(),
)
def test_a_write_is_never_sent_again_when_it_may_have_happened(kind: ProblemKind, status: int, ambiguous: bool) -> None:
    problem = Problem(kind=kind, purpose="x", message="y", status=status, ambiguous=ambiguous)

    if may_write_again(problem):
        assert not problem.ambiguous
        assert may_read_again(problem)
