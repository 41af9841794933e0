"""The `until` and `reason` of the entries of a list of groups."""

from __future__ import annotations

from collections.abc import Iterable

from tapctl.model.desired import Assignment, Target
from tapctl.model.values import Record, Value


def untils_and_reasons(path: str, entries: Iterable[Target | Assignment] | None) -> dict[str, Value]:
    """By path below the list: `include.until` and `include.reason`, each by group."""
    listed = list(entries or ())
    until = {item.group: item.until.isoformat() for item in listed if item.until is not None}
    reasons = {item.group: item.reason for item in listed if item.reason is not None}
    return {f"{path}.{name}": Record(items) for name, items in (("until", until), ("reason", reasons)) if items}
