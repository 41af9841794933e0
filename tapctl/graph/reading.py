"""Running the reading procedures of many kinds in step, so that a step of all of them is one round trip."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Generic, Protocol, TypeVar

from tapctl.model.requests import Outcome, Problem, Read, Reading

ResultT = TypeVar("ResultT")


class Reader(Protocol):
    """What carries out reads that may be sent together; `GraphClient` is one."""

    async def read(self, reads: Sequence[Read]) -> list[Outcome]: ...


async def run_readings(client: Reader, readings: Sequence[Reading[ResultT]]) -> list[ResultT]:
    """Run procedures in step: each step sends everybody's reads at once, equal reads only once.

    Returns:
        The results in the order of the procedures.

    Raises:
        RemoteError: signing in failed. Whatever a procedure raises, too; then the others are closed.
    """
    runs = [_Run(reading) for reading in readings]
    try:
        for run in runs:
            run.begin()
        while waiting := [run for run in runs if not run.done]:
            outcomes = await _read_shared(client, [read for run in waiting for read in run.wanted])
            for run in waiting:
                own, outcomes = outcomes[: len(run.wanted)], outcomes[len(run.wanted) :]
                run.resume(own)
    finally:
        for reading in readings:
            reading.close()
    return [run.result() for run in runs]


@dataclass(slots=True)
class _Run(Generic[ResultT]):
    """How far one procedure has come."""

    reading: Reading[ResultT]
    wanted: Sequence[Read] = ()
    results: tuple[ResultT, ...] = ()
    """Empty until the procedure has ended."""

    @property
    def done(self) -> bool:
        return bool(self.results)

    def begin(self) -> None:
        try:
            self.wanted = tuple(next(self.reading))
        except StopIteration as ended:
            self._end(ended)

    def resume(self, outcomes: Sequence[Outcome]) -> None:
        try:
            self.wanted = tuple(self.reading.send(outcomes))
        except StopIteration as ended:
            self._end(ended)

    def result(self) -> ResultT:
        return self.results[0]

    def _end(self, ended: StopIteration) -> None:
        self.wanted, self.results = (), (ended.value,)


async def _read_shared(client: Reader, reads: Sequence[Read]) -> list[Outcome]:
    """Send each of equal reads once, and answer all of them: a problem in the words of whoever asked."""
    distinct: dict[str, Read] = {}
    for read in reads:
        distinct.setdefault(_identity(read), read)
    answered = dict(zip(distinct, await client.read(list(distinct.values())), strict=True))
    return [_for_asker(read, answered[_identity(read)]) for read in reads]


def _identity(read: Read) -> str:
    """What makes two reads one request: all but the words about it."""
    headers = sorted((name.lower(), value) for name, value in read.headers.items())
    return json.dumps([read.version, read.method, read.path, read.paged, headers, read.body], sort_keys=True)


def _for_asker(read: Read, outcome: Outcome) -> Outcome:
    if isinstance(outcome, Problem):
        return replace(outcome, purpose=read.purpose, permission=read.permission)
    return outcome
