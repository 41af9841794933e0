"""The located tree: what a YAML file says, with the place of every key and every value."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple, TypeAlias

from tapctl.errors import Position
from tapctl.model.values import JSONValue


class Span(NamedTuple):
    """Where something is written, and how many columns of that line it takes."""

    position: Position
    width: int


@dataclass(slots=True, eq=False)
class ScalarNode:
    """Text, a number, true, false or nothing."""

    span: Span
    value: None | bool | int | float | str
    text: str
    """As written, without quotes: `0x10`, `2026-12-15`, `yes`."""
    last_line: int
    """The line on which a scalar of several lines ends."""


@dataclass(slots=True, eq=False)
class ListNode:
    span: Span
    items: tuple[Node, ...]


class Entry(NamedTuple):
    """One key of a map, and its value."""

    key: Span
    node: Node


@dataclass(slots=True, eq=False)
class MapNode:
    span: Span
    entries: dict[str, Entry]

    def get(self, key: str) -> Node | None:
        """The value of a key, or None where it is not named."""
        entry = self.entries.get(key)
        return entry.node if entry else None


Node: TypeAlias = ScalarNode | ListNode | MapNode


def is_null(node: Node | None) -> bool:
    """Whether the file says `null` here, or a key without a value."""
    return isinstance(node, ScalarNode) and node.value is None


def plain(node: Node) -> JSONValue:
    """The tree as JSON, without places."""
    if isinstance(node, ScalarNode):
        return node.value
    if isinstance(node, ListNode):
        return [plain(item) for item in node.items]
    return {key: plain(entry.node) for key, entry in node.entries.items()}
