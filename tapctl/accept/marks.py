"""Where things stand in a YAML text: nodes with their exact extent, as character offsets."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

import yaml

from tapctl.config.nodes import plain
from tapctl.config.yaml_tree import read_yaml
from tapctl.model.values import JSONValue

Path = tuple[str | int, ...]


class UneditableError(Exception):
    """A place that cannot be edited without touching more than it; the message says why."""


@dataclass(frozen=True, slots=True)
class Part:
    """One entry of a collection: an item of a list, or a key with its value."""

    start: int
    """Where the item, or the key, begins."""
    end: int
    """Behind the last character of the item, or of the value."""
    value: yaml.Node
    key: str | None = None
    key_end: int = 0


class Marks:
    """The nodes of one text. Nothing is constructed from it: the nodes are used only for their positions."""

    def __init__(self, text: str) -> None:
        self.text = text
        root: yaml.Node | None = yaml.compose(text, Loader=yaml.SafeLoader)
        self.root = root
        self.line_break = "\r\n" if "\r\n" in text else "\n"

    def descend(self, path: Path) -> tuple[list[yaml.Node], Path]:
        """The nodes on the way to a path, as far as there are any, and what of the path is left over.

        Raises:
            UneditableError: the way leads through an alias, whose text stands elsewhere.
        """
        nodes: list[yaml.Node] = [] if self.root is None else [self.root]
        for depth, step in enumerate(path):
            child = self._child(nodes[-1], step) if nodes else None
            if child is None:
                return nodes, path[depth:]
            if not self._is_inside(nodes[-1], child):
                raise UneditableError(f"{step} is written through an alias")
            nodes.append(child)
        return nodes, ()

    def _child(self, node: yaml.Node, step: str | int) -> yaml.Node | None:
        if isinstance(node, yaml.MappingNode):
            return next((value for key, value in node.value if key.value == step), None)
        if isinstance(node, yaml.SequenceNode) and isinstance(step, int):
            child: yaml.Node | None = node.value[step] if step < len(node.value) else None
            return child
        return None

    @staticmethod
    def _is_inside(parent: yaml.Node, child: yaml.Node) -> bool:
        return bool(parent.start_mark.index <= child.start_mark.index <= parent.end_mark.index)

    def parts(self, node: yaml.Node) -> list[Part]:
        """The entries of a collection."""
        if isinstance(node, yaml.MappingNode):
            return [
                Part(key.start_mark.index, self._value_end(node, key, value), value, key.value, key.end_mark.index)
                for key, value in node.value
            ]
        if isinstance(node, yaml.SequenceNode):
            return [Part(item.start_mark.index, self.end(item), item) for item in node.value]
        return []

    def _value_end(self, node: yaml.Node, key: yaml.Node, value: yaml.Node) -> int:
        # For an alias only the line is known: the node that it refers to is elsewhere.
        return self.end(value) if self._is_inside(node, value) else self.line_end(key.end_mark.index)

    def end(self, node: yaml.Node) -> int:
        """Behind the last character of a node; a block collection ends with its last entry."""
        end: int = node.end_mark.index
        if isinstance(node, yaml.ScalarNode):
            return self._without_breaks(end) if node.style in ("|", ">") else end
        if isinstance(node, yaml.CollectionNode) and node.flow_style:
            return end
        parts = self.parts(node)
        return parts[-1].end if parts else int(node.start_mark.index)

    def _without_breaks(self, end: int) -> int:
        while end and self.text[end - 1] in "\r\n ":
            end -= 1
        return end

    def line_start(self, index: int) -> int:
        return self.text.rfind("\n", 0, index) + 1

    def line_end(self, index: int) -> int:
        """Before the line break of the line that holds an offset."""
        found = self.text.find("\n", index)
        end = len(self.text) if found < 0 else found
        return end - 1 if end > index and self.text[end - 1] == "\r" else end

    def next_line(self, index: int) -> int:
        """Where the line after that of an offset begins."""
        found = self.text.find("\n", index)
        return len(self.text) if found < 0 else found + 1

    def column(self, index: int) -> int:
        return index - self.line_start(index)

    def dash_before(self, index: int) -> int:
        """Where the `-` of the block list item stands that begins at an offset."""
        dashes: list[int] = [token.start_mark.index for token in self._tokens(yaml.BlockEntryToken)]
        return max(dash for dash in dashes if dash <= index)

    def colon_after(self, index: int) -> int:
        """Where the `:` stands that belongs to the key that ends at an offset."""
        colons: list[int] = [token.start_mark.index for token in self._tokens(yaml.ValueToken)]
        return min(colon for colon in colons if colon >= index)

    def _tokens(self, kind: type[yaml.Token]) -> Iterator[yaml.Token]:
        return (token for token in yaml.scan(self.text, Loader=yaml.SafeLoader) if isinstance(token, kind))

    def has_end_marker(self) -> bool:
        """Whether the document is ended by `...`, behind which nothing may be added."""
        return re.search(r"^\.\.\.\s*$", self.text, re.MULTILINE) is not None


def meaning(text: str) -> JSONValue:
    """What tapctl reads in a text.

    Raises:
        UneditableError: it is not what tapctl accepts as YAML.
    """
    document = read_yaml(text.encode("utf-8", "surrogatepass"), "the edited file")
    errors = [finding for finding in document.findings if finding.severity == "error"]
    if document.root is None or errors:
        raise UneditableError(errors[0].message if errors else "the file cannot be read")
    return plain(document.root)
