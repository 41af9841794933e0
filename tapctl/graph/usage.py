"""Counting the cost of a run, with the definitions of the contract."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from tapctl.graph.clock import Clock
from tapctl.model.plan import GraphUsage


class Meter:
    """Counts the calls of one client.

    requests: batch parts and requests sent alone, repeats counted, envelopes not. calls: HTTP exchanges. roundTrips:
    the longest chain of calls each begun after another had ended. throttled: 429 answers, parts included. seconds:
    time in which the client was at work, including waits for a retry. Signing in is not counted.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._requests = 0
        self._calls = 0
        self._throttled = 0
        self._longest_chain = 0
        self._longest_ended = 0
        self._seconds = 0.0
        self._working = 0
        self._began = 0.0

    def begin(self, requests: int) -> int:
        """A call with this many requests begins; returns its position in the longest chain that it continues."""
        self._calls += 1
        self._requests += requests
        place = self._longest_ended + 1
        self._longest_chain = max(self._longest_chain, place)
        return place

    def end(self, place: int) -> None:
        """The call with this position has ended, successfully or not."""
        self._longest_ended = max(self._longest_ended, place)

    def throttled(self) -> None:
        """One answer, or one part of a batch answer, was a 429."""
        self._throttled += 1

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Context in which time is counted; overlapping spans are counted once."""
        if self._working == 0:
            self._began = self._clock.now()
        self._working += 1
        try:
            yield
        finally:
            self._working -= 1
            if self._working == 0:
                self._seconds += self._clock.now() - self._began

    @contextmanager
    def signing_in(self) -> Iterator[None]:
        """Context in which time is not counted, not even inside `at_work`."""
        began = self._clock.now()
        try:
            yield
        finally:
            if self._working:
                self._seconds -= self._clock.now() - began

    def usage(self) -> GraphUsage:
        """The counts so far."""
        running = self._clock.now() - self._began if self._working else 0.0
        return GraphUsage(
            requests=self._requests,
            calls=self._calls,
            round_trips=self._longest_chain,
            throttled=self._throttled,
            seconds=max(0.0, self._seconds + running),
        )
