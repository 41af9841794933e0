"""Reading canonical values: the entries of a list, the groups that they name, and the difference of two lists."""

from __future__ import annotations

from tapctl.model.plan import FieldChange
from tapctl.model.values import Record, Value


def entries(value: Value) -> tuple[Value, ...]:
    """The entries of a list; empty for a field that is not managed or not a list."""
    return value if isinstance(value, tuple) else ()


def group_of(entry: Value) -> str:
    """The group that an entry names: the entry itself, or its `group` when it has a filter."""
    return str(entry["group"]) if isinstance(entry, Record) else str(entry)


def removed_and_added(item: FieldChange) -> tuple[frozenset[Value], frozenset[Value]]:
    """The entries that a change removes from a list, and those that it adds."""
    before, after = frozenset(entries(item.before)), frozenset(entries(item.after))
    return before - after, after - before


def as_text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def as_number(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_texts(value: Value) -> tuple[str, ...] | None:
    """A list of strings; None where there is no list."""
    return tuple(str(item) for item in value) if isinstance(value, tuple) else None
