"""The only retry policy: pure decisions on what may be sent again, and after how many seconds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC
from email.utils import parsedate_to_datetime

from tapctl.model.requests import Problem, ProblemKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Patience:
    """How long one request is tried; the limit that is reached first ends it."""

    tries: int = 5
    seconds: float = 60.0
    answer_seconds: float = 60.0
    """How many seconds to wait for one answer."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """The tries of a request so far."""

    tries: int
    """How many times it was sent."""
    elapsed: float
    """Seconds since it was first sent."""


_THROTTLED_FIRST_WAIT = 2.0
"""Seconds; Intune's 429 often comes without Retry-After, and its window is 20 s."""
_FIRST_WAIT = 1.0
_LONGEST_WAIT = 20.0
_TRANSIENT_STATUS = frozenset({0, 500, 502, 503, 504})


def may_read_again(problem: Problem) -> bool:
    """Whether a read that ended with this problem may succeed when it is sent again."""
    match problem.kind:
        case ProblemKind.THROTTLED | ProblemKind.CONNECTION:
            return True
        case ProblemKind.SERVER | ProblemKind.TIMEOUT:
            return problem.status in _TRANSIENT_STATUS
        case _:
            return False


def may_write_again(problem: Problem) -> bool:
    """Whether a write that ended with this problem was certainly not carried out, and may succeed when sent again."""
    return not problem.ambiguous and problem.kind in (ProblemKind.THROTTLED, ProblemKind.CONNECTION)


def wait_before_next(
    problem: Problem, attempt: Attempt, *, patience: Patience, wall: float, jitter: float
) -> float | None:
    """Seconds to wait before sending again, or None when a limit is reached.

    Args:
        wall: seconds since the epoch, for a Retry-After that is a date.
        jitter: a random number from 0 to 1; clients throttled at the same time must not retry at the same time.
    """
    if attempt.tries >= patience.tries:
        return None
    told = retry_after(problem.headers, wall)
    wait = told if told is not None else _backoff(problem.kind, attempt.tries, jitter)
    return wait if attempt.elapsed + wait < patience.seconds else None


def retry_after(headers: Mapping[str, str], wall: float) -> float | None:
    """The seconds to wait according to `Retry-After`, a number or an HTTP date; None when it cannot be read.

    Source: RFC 9110, 10.2.3.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdecimal():
        return float(text[:12])
    try:
        moment = parsedate_to_datetime(text)
    except ValueError:
        return None
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    return max(0.0, aware.timestamp() - wall)


def _backoff(kind: ProblemKind, tries: int, jitter: float) -> float:
    """Exponential backoff: the wait doubles, and is reduced by a random part of up to one half."""
    first = _THROTTLED_FIRST_WAIT if kind is ProblemKind.THROTTLED else _FIRST_WAIT
    whole: float = min(first * 2 ** (tries - 1), _LONGEST_WAIT)
    return whole * (0.5 + jitter / 2)
