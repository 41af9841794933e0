"""Canonical values: the values of a resource's fields, in the form that YAML uses."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias, Union

JSONValue: TypeAlias = Union[None, bool, int, float, str, "list[JSONValue]", "dict[str, JSONValue]"]
"""Any JSON value: on the wire, and in the documents that tapctl prints."""

Value: TypeAlias = Union[None, bool, int, str, "tuple[Value, ...]", "Record"]
"""A canonical value: immutable, hashable, compared with ==."""


class Record(Mapping[str, Value]):
    """An immutable, hashable mapping: one entry of a list such as {group, filter, mode}."""

    __slots__ = ("_items",)

    def __init__(self, items: Mapping[str, Value]) -> None:
        self._items = tuple(sorted(items.items()))

    def __getitem__(self, key: str) -> Value:
        for name, value in self._items:
            if name == key:
                return value
        raise KeyError(key)

    def __iter__(self) -> Iterator[str]:
        return (name for name, _ in self._items)

    def __len__(self) -> int:
        return len(self._items)

    def __hash__(self) -> int:
        return hash(self._items)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Record) and self._items == other._items

    def __repr__(self) -> str:
        return f"Record({dict(self._items)!r})"


def to_json(value: Value) -> JSONValue:
    """The JSON form of a canonical value."""
    if isinstance(value, tuple):
        return [to_json(item) for item in value]
    if isinstance(value, Record):
        return {key: to_json(item) for key, item in value.items()}
    return value


def from_json(value: JSONValue) -> Value:
    """The canonical value that `to_json` made this JSON from.

    Raises:
        ValueError: for a float, which is never a canonical value.
    """
    if isinstance(value, list):
        return tuple(from_json(item) for item in value)
    if isinstance(value, dict):
        return Record({key: from_json(item) for key, item in value.items()})
    if isinstance(value, float):
        raise ValueError("a canonical value is never a fraction")
    return value


def sort_key(value: Value) -> tuple[str, str]:
    """The sort key of canonical values: by the name that a reader sees first, then by the rest."""
    if isinstance(value, Record):
        return str(value.get("group", "")), repr(value)
    return str(value), ""


def as_set(values: Iterable[Value]) -> tuple[Value, ...]:
    """A list whose order has no meaning, in canonical order and without duplicates."""
    return tuple(sorted(set(values), key=sort_key))
