"""Whole numbers, and spans of time as people write them: 10m, 1h, 2d, or whole minutes."""

from __future__ import annotations

import re

_DURATION = re.compile(r"([0-9]{1,9})([mhd])")
_MINUTES = {"m": 1, "h": 60, "d": 1440}


def whole(value: object) -> int | None:
    """A whole number (8.0 is one in JSON), or None where it is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if float(value).is_integer() else None


def minutes(value: object) -> int | None:
    """Whole minutes, or None where it is no span of time."""
    match = _DURATION.fullmatch(value) if isinstance(value, str) else None
    return int(match.group(1)) * _MINUTES[match.group(2)] if match else whole(value)
