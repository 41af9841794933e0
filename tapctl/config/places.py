"""Where every part of the merged tenant was written."""

from __future__ import annotations

from tapctl.config.nodes import ListNode, MapNode, Node, Span
from tapctl.config.words import place
from tapctl.errors import Position
from tapctl.model.desired import Path


class Places:
    """Spans by path of the merged tenant; `keys` holds keys and list items, `values` what they say."""

    def __init__(self, root: MapNode) -> None:
        self.root = root.span
        self.keys: dict[Path, Span] = {}
        self.values: dict[Path, Span] = {}
        pending: list[tuple[Path, Node]] = [((), root)]
        while pending:
            path, node = pending.pop()
            if isinstance(node, MapNode):
                for key, entry in node.entries.items():
                    self._add((*path, key), entry.key, entry.node, pending)
            elif isinstance(node, ListNode):
                for index, item in enumerate(node.items):
                    self._add((*path, index), item.span, item, pending)

    def _add(self, path: Path, key: Span, node: Node, pending: list[tuple[Path, Node]]) -> None:
        self.keys[path] = key
        self.values[path] = node.span
        pending.append((path, node))

    def key(self, path: Path) -> Span:
        """Where a key or list item was written, or the nearest part above it that was."""
        return _nearest(self.keys, path) or self.root

    def value(self, path: Path) -> Span:
        """Where a value begins, or the nearest part above it that was written."""
        return _nearest(self.values, path) or self.root

    def name(self, path: Path) -> str:
        """A path as people write it; without an index where the lists of two files were united, and neither has it."""
        is_foreign = isinstance(path[-1], int) and self.position(path).file != self.position(path[:-1]).file
        return place(path[:-1] if is_foreign else path)

    def position(self, path: Path) -> Position:
        return self.key(path).position


def _nearest(spans: dict[Path, Span], path: Path) -> Span | None:
    while path:
        if path in spans:
            return spans[path]
        path = path[:-1]
    return None
