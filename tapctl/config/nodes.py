"""The located tree: what a YAML file says, with the place of every key and every value.

Plain classes, compared by identity: an alias makes one node stand in two places.
"""

from __future__ import annotations

from typing import NamedTuple, TypeAlias

from tapctl.errors import Position
from tapctl.model.values import JSONValue


class Span(NamedTuple):
    """Where something is written, and how many columns of that line it takes."""

    position: Position
    width: int


class ScalarNode:
    """Text, a number, true, false or nothing."""

    __slots__ = ("last_line", "span", "text", "value")

    def __init__(self, span: Span, value: None | bool | int | float | str, text: str, last_line: int) -> None:
        self.span = span
        self.value = value
        self.text = text
        """As written, without quotes: `0x10`, `2026-12-15`, `yes`."""
        self.last_line = last_line
        """The line on which a scalar of several lines ends."""


class ListNode:
    """A list; its items have their own places."""

    __slots__ = ("items", "span")

    def __init__(self, span: Span, items: tuple[Node, ...]) -> None:
        self.span = span
        self.items = items


class Entry(NamedTuple):
    """One key of a map, and its value."""

    key: Span
    node: Node


class MapNode:
    """A map, in the order of the file."""

    __slots__ = ("entries", "span")

    def __init__(self, span: Span, entries: dict[str, Entry]) -> None:
        self.span = span
        self.entries = entries

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
