"""Combining readings: several procedures that run in step cost as many round trips as the longest of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeVar

from tapctl.model.requests import Read, Reading, Reply

KeyT = TypeVar("KeyT")
ResultT = TypeVar("ResultT")


def gather(readings: Mapping[KeyT, Reading[ResultT]]) -> Reading[dict[KeyT, ResultT]]:
    """One reading that advances all given readings together: each step of all of them is one round trip."""
    results: dict[KeyT, ResultT] = {}
    waiting: dict[KeyT, tuple[Reading[ResultT], tuple[Read, ...]]] = {}
    answers: dict[KeyT, tuple[Reply, ...] | None] = dict.fromkeys(readings, None)
    while True:
        for key, given in answers.items():
            reading = readings[key]
            try:
                wanted = next(reading) if given is None else reading.send(given)
            except StopIteration as finished:
                results[key] = finished.value
                waiting.pop(key, None)
            else:
                waiting[key] = (reading, tuple(wanted))
        if not waiting:
            return {key: results[key] for key in readings}
        outcomes = iter((yield [read for _, reads in waiting.values() for read in reads]))
        answers = {key: tuple(next(outcomes) for _ in reads) for key, (_, reads) in waiting.items()}
