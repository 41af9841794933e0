"""Running the readings of many kinds in step, so that one step of all of them is one round trip."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from typing import Protocol, TypeVar

from tapctl.model.gather import gather
from tapctl.model.requests import Problem, Read, Reading, Reply

ResultT = TypeVar("ResultT")


class Reader(Protocol):
    """Sends reads together; implemented by `GraphClient`."""

    async def read(self, reads: Sequence[Read]) -> list[Reply]: ...


async def run_readings(client: Reader, readings: Sequence[Reading[ResultT]]) -> list[ResultT]:
    """Run readings in step: each step sends the reads of all of them together, equal reads only once.

    Returns:
        The results in the order of the readings.

    Raises:
        RemoteError: signing in failed. An error raised by a reading is raised too; then the others are closed.
    """
    whole = gather(dict(enumerate(readings)))
    try:
        wanted = next(whole)
        while True:
            wanted = whole.send(await _read_shared(client, wanted))
    except StopIteration as finished:
        results: dict[int, ResultT] = finished.value
        return list(results.values())
    finally:
        for reading in readings:
            reading.close()


async def _read_shared(client: Reader, reads: Sequence[Read]) -> list[Reply]:
    """Send equal reads once and answer all of them; a problem gets the purpose of each read."""
    distinct: dict[str, Read] = {}
    for read in reads:
        distinct.setdefault(_identity(read), read)
    answered = dict(zip(distinct, await client.read(list(distinct.values())), strict=True))
    return [_for_asker(read, answered[_identity(read)]) for read in reads]


def _identity(read: Read) -> str:
    """The key by which two reads are equal: everything except the purpose and the permission in messages."""
    headers = sorted((name.lower(), value) for name, value in read.headers.items())
    return json.dumps([read.version, read.method, read.path, read.paged, headers, read.body], sort_keys=True)


def _for_asker(read: Read, outcome: Reply) -> Reply:
    if isinstance(outcome, Problem):
        return replace(outcome, purpose=read.purpose, permission=read.permission)
    return outcome
