"""Reading canonical values: the entries of a list, the groups that these name, and what two lists differ in."""

from __future__ import annotations

from tapctl.model.plan import FieldChange
from tapctl.model.values import Record, Value


def entries(value: Value) -> tuple[Value, ...]:
    """The entries of a list; what is not managed, or no list, has none."""
    return value if isinstance(value, tuple) else ()


def group_of(entry: Value) -> str:
    """The group that an entry names: itself, or with a filter its `group`."""
    return str(entry["group"]) if isinstance(entry, Record) else str(entry)


def removed_and_added(item: FieldChange) -> tuple[frozenset[Value], frozenset[Value]]:
    """What a change takes out of a list, and what it puts in."""
    before, after = frozenset(entries(item.before)), frozenset(entries(item.after))
    return before - after, after - before


def as_text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def as_number(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def as_texts(value: Value) -> tuple[str, ...] | None:
    """A list of texts; None where there is no list."""
    return tuple(str(item) for item in value) if isinstance(value, tuple) else None
