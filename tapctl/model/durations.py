"""Whole numbers, and spans of time as people write them: 10m, 1h, 2d, or whole minutes."""

from __future__ import annotations

import re

_DURATION = re.compile(r"([0-9]{1,9})([mhd])")
_MINUTES = {"m": 1, "h": 60, "d": 1440}


def whole(value: object) -> int | None:
    """The value as a whole number (8.0 is one in JSON), or None for anything else."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int):
        return value
    return int(value) if isinstance(value, float) and value.is_integer() else None


def minutes(value: object) -> int | None:
    """Whole minutes, or None for a value that is not a span of time."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return int(match.group(1)) * _MINUTES[match.group(2)] if match else whole(value)


def duration(minutes: int) -> str:
    """Minutes as people write them: 10m, 8h, 30d."""
    for unit, size in (("d", 1440), ("h", 60)):
        if minutes and minutes % size == 0:
            return f"{minutes // size}{unit}"
    return f"{minutes}m"
