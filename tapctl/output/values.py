"""Canonical values and their differences as lines of text that people read. All text is visible (see `safe`)."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Literal

from tapctl.model.values import Record, Value, to_json
from tapctl.output import safe

Sign = Literal["+", "-", "~"]

NOT_SET = "(not set)"

_FIRST_KEYS = ("group", "filter", "mode", "until", "reason")
"""The order in which YAML would give the keys of an entry; others follow in theirs."""


@dataclass(frozen=True, slots=True)
class Difference:
    """One line of a field's difference."""

    sign: Sign
    text: str


def inline(value: Value) -> str:
    """A value on one line, much as YAML's flow style would say it."""
    if value is None:
        return NOT_SET
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return safe.quoted(value)
    if isinstance(value, tuple):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    return "{" + ", ".join(f"{safe.visible(key)}: {inline(value[key])}" for key in _ordered_keys(value)) + "}"


def _ordered_keys(record: Record) -> list[str]:
    first = [key for key in _FIRST_KEYS if key in record]
    return first + [key for key in record if key not in _FIRST_KEYS]


def unit(path: str) -> str:
    """The unit of a field's numbers, to be put behind them."""
    return " (minutes)" if path.startswith("lifetime.") or path == "approvalMaxAge" else ""


def differences(before: Value, after: Value) -> tuple[list[Difference], int] | None:
    """What was added to, removed from and changed in a list, and how many entries are unchanged.

    None when a value is not a list, or both have the same entries in another order: then show both completely.
    """
    old, new = _entries(before), _entries(after)
    if old is None or new is None:
        return None
    removed, added = Counter(old) - Counter(new), Counter(new) - Counter(old)
    if not removed and not added:
        return None
    paired = _paired_by_group(old, new)
    if paired is not None:
        return paired
    lines = [Difference("-", inline(item)) for item in removed.elements()]
    lines += [Difference("+", inline(item)) for item in added.elements()]
    return lines, len(old) - removed.total()


def _entries(value: Value) -> tuple[Value, ...] | None:
    """A list's entries; an absent list has none."""
    if value is None:
        return ()
    return value if isinstance(value, tuple) else None


def _by_group(entries: tuple[Value, ...]) -> dict[Value, Value] | None:
    """The entries by the group that each names, alone or with a filter; None when one names none, or two the same."""
    found: dict[Value, Value] = {}
    for entry in entries:
        group = entry.get("group") if isinstance(entry, Record) else entry
        if not isinstance(group, str) or group in found:
            return None
        found[group] = entry
    return found


def _paired_by_group(old: tuple[Value, ...], new: tuple[Value, ...]) -> tuple[list[Difference], int] | None:
    """The differences of two lists of entries that each name a group once: a changed filter is one changed entry."""
    before, after = _by_group(old), _by_group(new)
    if before is None or after is None:
        return None
    lines = [Difference("-", inline(entry)) for group, entry in before.items() if group not in after]
    unchanged = 0
    for group, entry in after.items():
        if group not in before:
            lines.append(Difference("+", inline(entry)))
        elif before[group] == entry:
            unchanged += 1
        else:
            lines.append(Difference("~", f"{inline(group)}: {_inside(before[group], entry)}"))
    return lines, unchanged


def _inside(before: Value, after: Value) -> str:
    """What differs inside one entry, however deep; a bare group is an entry without anything else."""
    # Imported here: it costs more than the rest of the start, and few plans change an entry in place.
    from deepdiff import DeepDiff

    # deepdiff hides keys that start with two underscores, and gives up on entries with little in common, unless told.
    found = DeepDiff(
        to_json(before if isinstance(before, Record) else Record({"group": before})),
        to_json(after if isinstance(after, Record) else Record({"group": after})),
        view="tree",
        ignore_private_variables=False,
        threshold_to_diff_deeper=0,
    )
    lines: list[str] = []
    for levels in found.values():
        for level in levels:
            path = ".".join(safe.visible(str(step)) for step in level.path(output_format="list"))
            lines.append(f"{path}: {_either(level.t1)} -> {_either(level.t2)}")
    return ", ".join(sorted(lines)) if lines else f"{inline(before)} -> {inline(after)}"


def _either(value: object) -> str:
    """One side of a difference that deepdiff found: a JSON value, or its mark for a side that has none."""
    plain = _canonical(value)
    return NOT_SET if plain is None else inline(plain)


def _canonical(value: object) -> Value:
    if isinstance(value, bool | int | str):
        return value
    if isinstance(value, list):
        return tuple(_canonical(item) for item in value)
    if isinstance(value, dict):
        return Record({str(key): _canonical(item) for key, item in value.items()})
    return None
