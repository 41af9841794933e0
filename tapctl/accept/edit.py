"""Edits of a YAML text by position: only the lines in question change; comments, quotes and indentation stay.

Every edit is proved before it is returned: the text must mean what it meant, with the one value exchanged."""

from __future__ import annotations

import copy
import re
from collections.abc import Collection, Iterator, Sequence

import yaml

from tapctl.accept.marks import Marks, Part, Path, UneditableError, meaning
from tapctl.accept.scalars import flow, in_style
from tapctl.model.values import JSONValue

_ONE_LINE = 100
"""The most characters of a list that is written on one line."""


def with_value(text: str, path: Path, value: JSONValue) -> str:
    """The text with a value at a path; keys on the way that are missing are added.

    Raises:
        UneditableError: the place cannot be edited alone.
    """
    expected = _changed(meaning(text), path, value)
    return _proved(_value_candidates(text, path, value), expected)


def with_items(text: str, path: Path, *, add: Sequence[JSONValue] = (), remove: Collection[int] = ()) -> str:
    """The text with items added at the end of a list, and items taken out of it by index.

    Raises:
        UneditableError: the place cannot be edited alone.
    """
    for item in add:
        items = _list_at(text, path)
        text = _proved(_added(text, path, item), _changed(meaning(text), path, [*items, item]))
    for index in sorted(remove, reverse=True):
        items = _list_at(text, path)
        kept = items[:index] + items[index + 1 :]
        text = _proved(_removed(text, path, index), _changed(meaning(text), path, kept))
    return text


def without_key(text: str, path: Path) -> str:
    """The text without one key of a map that keeps others.

    Raises:
        UneditableError: the place cannot be edited alone.
    """
    whole = meaning(text)
    above = _at(whole, path[:-1])
    if not isinstance(above, dict) or path[-1] not in above or len(above) < 2:
        raise UneditableError(f"{path[-1]} cannot be taken out")
    index = list(above).index(str(path[-1]))
    rest = {key: value for key, value in above.items() if key != path[-1]}
    return _proved(_removed(text, path[:-1], index), _changed(whole, path[:-1], rest))


# What an edit must come to


def _proved(candidates: Iterator[str], expected: JSONValue) -> str:
    """The first candidate that means what it should."""
    why = "the file is written in a way that cannot be edited in place"
    for candidate in candidates:
        try:
            if meaning(candidate) == expected:
                return candidate
        except UneditableError as error:
            why = str(error)
    raise UneditableError(why)


def _changed(whole: JSONValue, path: Path, value: JSONValue) -> JSONValue:
    """A copy with a value at a path."""
    changed = copy.deepcopy(whole)
    at = changed
    for depth, step in enumerate(path):
        is_last = depth == len(path) - 1
        if isinstance(at, dict) and isinstance(step, str):
            if is_last:
                at[step] = value
            elif at.get(step) is None:
                at[step] = {}
            at = at[step]
        elif isinstance(at, list) and isinstance(step, int):
            if is_last:
                at[step] = value
            at = at[step]
        else:
            raise UneditableError(f"{step} is not inside a map or list")
    return changed if path else value


def _at(whole: JSONValue, path: Path) -> JSONValue:
    for step in path:
        if isinstance(whole, dict) and isinstance(step, str):
            whole = whole.get(step)
        elif isinstance(whole, list) and isinstance(step, int):
            whole = whole[step]
        else:
            return None
    return whole


def _list_at(text: str, path: Path) -> list[JSONValue]:
    found = _at(meaning(text), path)
    if not isinstance(found, list):
        raise UneditableError(f"{path[-1]} is not a list")
    return found


# Values


def _value_candidates(text: str, path: Path, value: JSONValue) -> Iterator[str]:
    marks = Marks(text)
    nodes, missing = marks.descend(path)
    if missing:
        yield from _inserted(marks, nodes, missing, value)
        return
    node = nodes[-1]
    in_flow = any(isinstance(other, yaml.CollectionNode) and other.flow_style for other in nodes[:-1])
    for written in _written(marks, node, value, in_flow=in_flow):
        yield _replaced(marks, node, written)
    if isinstance(node, yaml.SequenceNode) and not node.flow_style:
        # A block list gives way item by item, so that comments between the items stay.
        emptied = with_items(text, path, remove=range(len(node.value)))
        yield from _value_candidates(emptied, path, value)


def _written(marks: Marks, node: yaml.Node, value: JSONValue, *, in_flow: bool) -> Iterator[str]:
    """The texts that may take the place of a node."""
    if isinstance(node, yaml.CollectionNode) and not node.flow_style:
        return
    if isinstance(value, list | dict):
        yield flow(value)
        return
    style = node.style if isinstance(node, yaml.ScalarNode) else None
    if style in ("|", ">") and isinstance(value, str):
        yield from _block(marks, node, value)
    yield from in_style(value, style, in_flow=in_flow)


def _block(marks: Marks, node: yaml.Node, value: str) -> Iterator[str]:
    """A block scalar with its own indicator, comment and indentation."""
    start = node.start_mark.index
    first = marks.next_line(start)
    while marks.text[first : marks.line_end(first)].strip() == "" and first < node.end_mark.index:
        first = marks.next_line(first)
    indent = re.match(r" *", marks.text[first:])
    margin = indent.group() if indent else ""
    header = marks.text[start : marks.line_end(start)]
    lines = value.rstrip("\n").split("\n")
    yield marks.line_break.join([header, *(f"{margin}{line}" if line else "" for line in lines)])


def _replaced(marks: Marks, node: yaml.Node, written: str) -> str:
    start, end = node.start_mark.index, marks.end(node)
    # Of a key without a value, the value begins right behind the colon.
    space = " " if start == end and marks.text[start - 1] == ":" else ""
    return f"{marks.text[:start]}{space}{written}{marks.text[end:]}"


def _inserted(marks: Marks, nodes: list[yaml.Node], missing: Path, value: JSONValue) -> Iterator[str]:
    """A key that is not there yet, at the end of the nearest map above it."""
    if any(isinstance(step, int) for step in missing):
        raise UneditableError(f"there is no item {missing[0]}")
    if not nodes:
        yield marks.text + "".join(line + marks.line_break for line in _lines(missing, value, 0))
        return
    node = nodes[-1]
    if isinstance(node, yaml.ScalarNode):
        yield _replaced(marks, node, flow(_nested(missing, value)))
        return
    if not isinstance(node, yaml.MappingNode):
        raise UneditableError(f"{missing[0]} would have to stand in a list")
    if node.flow_style:
        entry = f"{flow(missing[0])}: {flow(_nested(missing[1:], value))}"
        yield _into_flow(marks, node, entry)
    elif len(nodes) == 1 and not marks.has_end_marker():
        yield _at_end_of_file(marks, missing, value)
    else:
        column = marks.column(node.start_mark.index)
        yield _after_line(marks, marks.end(node), _lines(missing, value, column))


def _nested(path: Path, value: JSONValue) -> JSONValue:
    for step in reversed(path):
        value = {str(step): value}
    return value


def _lines(path: Path, value: JSONValue, column: int) -> list[str]:
    """A key below keys, as a block, beginning at a column."""
    keys = [" " * (column + 2 * depth) + f"{flow(step)}:" for depth, step in enumerate(path)]
    inline = flow(value)
    if not isinstance(value, list) or len(keys[-1]) + len(inline) < _ONE_LINE:
        return [*keys[:-1], f"{keys[-1]} {inline}"]
    margin = " " * (column + 2 * len(path))
    return [*keys, *(f"{margin}- {flow(item)}" for item in value)]


def _at_end_of_file(marks: Marks, path: Path, value: JSONValue) -> str:
    text = marks.text if marks.text.endswith("\n") else marks.text + marks.line_break
    lines = _lines(path, value, 0)
    blank = "" if text.endswith(marks.line_break * 2) else marks.line_break
    return text + blank + "".join(line + marks.line_break for line in lines)


def _after_line(marks: Marks, index: int, lines: Sequence[str]) -> str:
    """The text with lines behind the line that holds an offset."""
    at = marks.next_line(index)
    before = marks.text[:at]
    if before and not before.endswith("\n"):
        return before + "".join(marks.line_break + line for line in lines)
    return before + "".join(line + marks.line_break for line in lines) + marks.text[at:]


# Entries of lists and maps


def _added(text: str, path: Path, item: JSONValue) -> Iterator[str]:
    marks = Marks(text)
    nodes, missing = marks.descend(path)
    if missing:
        raise UneditableError(f"{path[-1]} stands in another file")
    node = nodes[-1]
    written = flow(item)
    if isinstance(node, yaml.SequenceNode) and not node.flow_style:
        last = marks.parts(node)[-1]
        margin = " " * marks.column(marks.dash_before(last.start))
        yield _after_line(marks, last.end, [f"{margin}- {written}"])
    else:
        yield _into_flow(marks, node, written)


def _into_flow(marks: Marks, node: yaml.Node, written: str) -> str:
    """An entry at the end of a flow collection, on a line of its own where the others are."""
    text, parts = marks.text, marks.parts(node)
    start, end = node.start_mark.index, node.end_mark.index
    if not parts:
        return f"{text[: start + 1]}{written}{text[end - 1 :]}"
    last = parts[-1]
    if marks.line_start(last.start) == marks.line_start(start):
        return f"{text[: last.end]}, {written}{text[last.end :]}"
    margin = " " * marks.column(last.start)
    comma = re.match(r"\s*,", text[last.end : end])
    line_end = marks.line_end(last.end)
    if line_end >= end:
        return f"{text[: last.end]},{marks.line_break}{margin}{written}{text[last.end :]}"
    separator, ending = ("", ",") if comma else (",", "")
    rest = f"{text[last.end : line_end]}{marks.line_break}{margin}{written}{ending}{text[line_end:]}"
    return f"{text[: last.end]}{separator}{rest}"


def _removed(text: str, path: Path, index: int) -> Iterator[str]:
    marks = Marks(text)
    nodes, missing = marks.descend(path)
    if missing:
        raise UneditableError(f"{path[-1]} stands in another file")
    node, parts = nodes[-1], marks.parts(nodes[-1])
    if isinstance(node, yaml.CollectionNode) and node.flow_style:
        yield _out_of_flow(marks, node, parts, index)
    elif len(parts) == 1:
        yield _emptied(marks, nodes, path, parts[0])
    elif (
        isinstance(node, yaml.MappingNode)
        and index == 0
        and marks.text[marks.line_start(parts[0].start) :].lstrip()[0] == "-"
    ):
        # The first key of a list item shares its line with the dash: the next key moves up to it.
        yield f"{text[: parts[0].start]}{text[parts[1].start :]}"
    else:
        yield _without_lines(marks, node, parts[index])


def _without_lines(marks: Marks, node: yaml.Node, part: Part) -> str:
    start = marks.dash_before(part.start) if isinstance(node, yaml.SequenceNode) else part.start
    begin = marks.line_start(start)
    if marks.text[begin:start].strip():
        raise UneditableError("something else stands on the line of the entry")
    return marks.text[:begin] + marks.text[marks.next_line(part.end) :]


def _emptied(marks: Marks, nodes: list[yaml.Node], path: Path, part: Part) -> str:
    """A block list whose last item goes becomes `[]` behind its key."""
    own = next(entry for entry in marks.parts(nodes[-2]) if entry.key == path[-1])
    colon = marks.colon_after(own.key_end) + 1
    begin = marks.line_start(marks.dash_before(part.start))
    return f"{marks.text[:colon]} []{marks.text[colon:begin]}{marks.text[marks.next_line(part.end) :]}"


def _out_of_flow(marks: Marks, node: yaml.Node, parts: Sequence[Part], index: int) -> str:
    """Without an entry of a flow collection, its comma, and its line where nothing else stands on it."""
    text, part = marks.text, parts[index]
    opening, closing = node.start_mark.index + 1, node.end_mark.index - 1
    if len(parts) == 1 and "#" not in text[opening : part.start] + text[part.end : closing]:
        return text[:opening] + text[closing:]
    if index and index == len(parts) - 1 and "\n" not in text[parts[index - 1].end : part.start]:
        return text[: parts[index - 1].end] + text[part.end :]
    comma = re.match(r"[ \t]*,[ \t]*", text[part.end :])
    end = part.end + (comma.end() if comma else 0)
    begin = marks.line_start(part.start)
    behind = text[end : marks.line_end(end)].strip()
    if not text[begin : part.start].strip() and (not behind or behind.startswith("#")):
        return text[:begin] + text[marks.next_line(end) :]
    if index < len(parts) - 1 and "#" not in text[part.end : parts[index + 1].start]:
        end = parts[index + 1].start
    return text[: part.start] + text[end:]
