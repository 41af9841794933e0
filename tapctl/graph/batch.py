"""JSON batching: reads to one envelope of at most 20 parts, and its answer to one reply for each read.

Source: https://learn.microsoft.com/graph/json-batching (2026-11-22).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from tapctl.graph.replies import HttpReply, decode_part
from tapctl.model.requests import Read, Version
from tapctl.model.values import JSONValue

LIMIT = 20
"""The most parts that one batch may have."""


def chunked(reads: Sequence[Read]) -> list[tuple[int, ...]]:
    """The indexes of the reads of each batch: one API version, at most LIMIT reads, in order."""
    versions: dict[Version, list[int]] = {}
    for index, read in enumerate(reads):
        versions.setdefault(read.version, []).append(index)
    return [
        tuple(indexes[start : start + LIMIT])
        for indexes in versions.values()
        for start in range(0, len(indexes), LIMIT)
    ]


def encode(reads: Sequence[Read]) -> dict[str, JSONValue]:
    """The body of a batch; the id of a read is its position, counted from 1."""
    return {"requests": [_part(str(place), read) for place, read in enumerate(reads, start=1)]}


def decode(body: JSONValue, count: int) -> list[HttpReply | None]:
    """The replies in the order of the reads; None for a part that is missing, unreadable or answered twice.

    Parts come in any order, and their ids in any case; parts with unknown ids are ignored.

    Raises:
        ValueError: the body is not an answer to a batch.
    """
    parts = body.get("responses") if isinstance(body, dict) else None
    if not isinstance(parts, list):
        raise ValueError("no responses")
    answered = [(str(part.get("id")).strip().lower(), part) for part in parts if isinstance(part, dict)]
    times = Counter(name for name, _ in answered)
    replies = {name: decode_part(part) for name, part in answered if times[name] == 1}
    return [replies.get(str(place)) for place in range(1, count + 1)]


def _part(name: str, read: Read) -> dict[str, JSONValue]:
    part: dict[str, JSONValue] = {"id": name, "method": read.method, "url": read.path}
    headers: dict[str, JSONValue] = dict(read.headers)
    if read.method == "POST":
        # A body needs a Content-Type, even `{}`.
        headers["Content-Type"] = "application/json"
        part["body"] = {} if read.body is None else read.body
    if headers:
        part["headers"] = headers
    return part
