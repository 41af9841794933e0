"""YAML text to a located tree, safely and within bounds.

Scalars follow YAML 1.2: `yes`, `on` and `12:30` are text, and so are dates. Nothing is ever constructed from a tag.
Built from parser events rather than with PyYAML's composer: that one recurses, and resolves duplicates in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

import yaml

from tapctl.config.nodes import Entry, ListNode, MapNode, Node, ScalarNode, Span
from tapctl.config.secrets import HIDDEN, is_secret_key
from tapctl.config.words import printable, quoted
from tapctl.errors import Finding, Position

MOST_BYTES = 1024 * 1024
MOST_LINES = 20_000
MOST_DEPTH = 32
MOST_ALIASES = 100
MOST_NODES = 50_000
"""Counted after aliases are expanded."""

_LINE_BREAK = re.compile("\r\n|[\r\n]")
"""Those of YAML 1.2. PyYAML follows 1.1 and also breaks lines at U+0085, U+2028 and U+2029, which are refused here."""
_FORBIDDEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ufffe\uffff\ufeff\u2028-\u202e\u2066-\u2069]")
_FORBIDDEN_VALUE = re.compile(f"{_FORBIDDEN.pattern}|[\r\ud800-\udfff]")
_INTEGER = re.compile(r"[-+]?[0-9]{1,18}|0o[0-7]{1,18}|0x[0-9a-fA-F]{1,15}")
_FLOAT = re.compile(r"[-+]?(?:\.[0-9]{1,300}|[0-9]{1,300}(?:\.[0-9]{0,300})?)(?:[eE][-+]?[0-9]{1,3})?")
_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_TEXT_TAGS = ("!", "tag:yaml.org,2002:str")
_PLAIN_TAGS = ("!", "tag:yaml.org,2002:map", "tag:yaml.org,2002:seq")


class Document(NamedTuple):
    """One file: its tree (None when it cannot be read as YAML), its lines, and what is wrong with it."""

    root: MapNode | None
    lines: tuple[str, ...]
    findings: tuple[Finding, ...]


class _Refused(Exception):  # the file is given up: what follows could not be trusted
    def __init__(self, finding: Finding) -> None:
        super().__init__(finding.message)
        self.finding = finding


class _Frame:
    """A list or map that is still open."""

    __slots__ = ("anchor", "entries", "height", "is_map", "items", "key", "merged", "nodes", "span")

    def __init__(self, span: Span, anchor: str | None, is_map: bool) -> None:
        self.span = span
        self.anchor = anchor
        self.is_map = is_map
        self.items: list[Node] = []
        self.entries: dict[str, Entry] = {}
        self.merged: list[MapNode] = []
        self.key: tuple[str, Span, bool] | None = None
        """The key whose value comes next: its text, its place, and whether the value is kept."""
        self.nodes = 1
        self.height = 1


def read_yaml(content: bytes, file: str) -> Document:
    """The tree of one file; problems are findings, nothing is raised."""
    if len(content) > MOST_BYTES:
        return _unreadable(file, "yaml-bounds", "the file is larger than 1 MiB", "a desired state is a few kilobytes")
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = content[: error.start]
        line = before.count(b"\n") + 1
        column = error.start - (before.rfind(b"\n") + 1) + 1
        where = Span(Position(file, line, column), 1)
        return _unreadable(file, "yaml-encoding", "the file is not UTF-8", "save it as UTF-8", where)
    lines = tuple(_LINE_BREAK.split(text))
    if len(lines) > MOST_LINES:
        return _unreadable(file, "yaml-bounds", f"more than {MOST_LINES:,} lines", "a desired state has a few hundred")
    harmful = _FORBIDDEN.search(text)
    if harmful:
        return Document(None, lines, (_control_character(text, harmful.start(), file),))
    builder = _Builder(file)
    try:
        root = builder.build(text)
    except _Refused as refused:
        return Document(None, lines, (*builder.findings, refused.finding))
    except yaml.YAMLError as error:
        return Document(None, lines, (*builder.findings, _syntax(error, file)))
    return Document(root, lines, tuple(builder.findings))


def _unreadable(file: str, rule: str, message: str, fix: str, where: Span | None = None) -> Document:
    span = where or Span(Position(file, 1, 1), 1)
    return Document(None, (), (_error(rule, message, span, fix=fix),))


_WHYS = {
    "yaml-alias": "an alias repeats what an anchor above it names",
    "yaml-bounds": "files come from pull requests; a small one must not be able to cost much",
    "yaml-documents": "a file is one tenant, or a part of one",
    "yaml-encoding": "what a reviewer sees would not be what tapctl reads",
    "yaml-syntax": "what cannot be read cannot be checked",
    "wrong-type": "everything of a tenant stands under a key",
}


def _error(rule: str, message: str, span: Span, *, why: str = "", fix: str = "", **more: Any) -> Finding:
    why = why or _WHYS.get(rule, "")
    return Finding(
        rule=rule, severity="error", message=message, why=why, fix=fix, position=span.position, width=span.width, **more
    )


def _control_character(text: str, index: int, file: str) -> Finding:
    before = _LINE_BREAK.split(text[:index])
    return _error(
        "yaml-encoding",
        f"the file contains the control character U+{ord(text[index]):04X}",
        Span(Position(file, len(before), len(before[-1]) + 1), 1),
        fix="remove the character",
    )


_SYNTAX = (
    # a part of the parser's own words (libyaml's or PyYAML's), what it means, what to do
    ("cannot start any token", "this character cannot begin a value", "indent with spaces; quote text that begins so"),
    (
        "mapping values are not allowed",
        "a key cannot stand here",
        'quote text that contains ": ", or mend the indentation',
    ),
    (
        "could not find expected ':'",
        "a key without a colon",
        'write "key: value"',
    ),
    ("unexpected end of stream", "a quote is not closed", "close the quote"),
    (
        "did not find expected key",
        "the indentation fits no key above",
        "indent the keys of one map alike",
    ),
    (
        "expected <block end>",
        "the indentation fits no key above",
        "indent the keys of one map alike",
    ),
    ("did not find expected '-'", "the indentation fits no list above", "indent the entries of one list alike"),
    (
        "did not find expected ',' or",
        "a bracket or brace is not closed",
        "close it, or put commas between entries",
    ),
    ("expected ',' or", "a bracket or brace is not closed", "close it, or put commas between entries"),
    (
        "escape",
        "an escape that YAML does not know",
        "write a backslash twice, or use single quotes",
    ),
)


def _syntax(error: yaml.YAMLError, file: str) -> Finding:
    """Words for what the parser says; its own text only where it is a constant of the parser."""
    problem = str(getattr(error, "problem", "") or "")
    mark = getattr(error, "context_mark", None) if _is_unclosed(problem) else None
    mark = mark or getattr(error, "problem_mark", None)
    line, column = (mark.line + 1, mark.column + 1) if mark else (1, 1)
    span = Span(Position(file, line, column), 1)
    for part, message, fix in _SYNTAX:
        if part in problem:
            return _error("yaml-syntax", f"not YAML: {message}", span, fix=fix)
    return _error(
        "yaml-syntax", "not YAML from here on", span, fix="check quotes, brackets and indentation around this place"
    )


def _is_unclosed(problem: str) -> bool:
    """Whether the place to mend is where something begins rather than where the parser gave up."""
    return "end of stream" in problem or "',' or" in problem


class _Builder:
    """Turns parser events into nodes, one file at a time. Events are untyped: the stubs know only half of them."""

    def __init__(self, file: str) -> None:
        self._file = file
        self._frames: list[_Frame] = []
        self._anchors: dict[str, tuple[Node, int, int] | None] = {}
        self._nodes = 0
        self._aliases = 0
        self._documents = 0
        self._root: Node | None = None
        self.findings: list[Finding] = []

    def build(self, text: str) -> MapNode:
        """The root map.

        Raises:
            _Refused: a bound is passed, a tag is used, or the file is no map.
            yaml.YAMLError: it is not YAML.
        """
        loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        for event in yaml.parse(text, Loader=loader):
            self._take(event)
        root = self._root
        if root is None or (isinstance(root, ScalarNode) and root.value is None):
            return MapNode(Span(Position(self._file, 1, 1), 1), {})
        if not isinstance(root, MapNode):
            raise _Refused(
                _error("wrong-type", "a tenant file is a map", root.span, fix="begin with a key such as tenant:")
            )
        return root

    def _take(self, event: yaml.Event) -> None:
        match event:
            case yaml.ScalarEvent():
                self._finish(self._scalar(event), event.anchor, 1, 1)
            case yaml.AliasEvent():
                self._alias(event)
            case yaml.MappingStartEvent() | yaml.SequenceStartEvent():
                self._open(event)
            case yaml.MappingEndEvent() | yaml.SequenceEndEvent():
                self._close()
            case yaml.DocumentStartEvent():
                self._documents += 1
                if self._documents > 1:
                    fix = "one file describes one tenant; put the second document into a file of its own"
                    raise _Refused(
                        _error("yaml-documents", "a second document begins here", self._span(event), fix=fix)
                    )

    def _span(self, event: Any) -> Span:
        start, end = event.start_mark, event.end_mark
        width = end.column - start.column if end.line == start.line else 1
        return Span(Position(self._file, start.line + 1, start.column + 1), max(1, width))

    def _scalar(self, event: Any) -> ScalarNode:
        span, text = self._span(event), event.value
        if event.tag is not None and event.tag not in _TEXT_TAGS:
            raise _Refused(self._foreign_tag(span))
        harmful = _FORBIDDEN_VALUE.search(text)
        if harmful:
            message = f"the text contains the control character U+{ord(harmful.group()):04X}"
            fix = "remove the escape"
            self.findings.append(
                _error("yaml-encoding", message, span, why="it would act in a terminal or a log", fix=fix)
            )
            text = _FORBIDDEN_VALUE.sub("", text)
        is_plain = event.implicit[0] and event.tag is None
        last_line = event.end_mark.line + (event.end_mark.column > 0)
        return ScalarNode(span, plain_value(text) if is_plain else text, text, last_line)

    def _foreign_tag(self, span: Span) -> Finding:
        return _error(
            "yaml-tag",
            "a tag stands here, and none is supported",
            span,
            why="nothing is made from tags",
            fix="remove the tag; quote text that begins with !",
        )

    def _open(self, event: Any) -> None:
        span = self._span(event)
        if event.tag is not None and event.tag not in _PLAIN_TAGS:
            raise _Refused(self._foreign_tag(span))
        self._bound_depth(len(self._frames) + 1, span)
        if event.anchor is not None:
            self._anchors[event.anchor] = None
        is_map = isinstance(event, yaml.MappingStartEvent)
        self._frames.append(_Frame(Span(span.position, 1), event.anchor, is_map))

    def _close(self) -> None:
        frame = self._frames.pop()
        node: Node
        if frame.is_map:
            for source in frame.merged:
                for key, entry in source.entries.items():
                    frame.entries.setdefault(key, entry)
            node = MapNode(frame.span, frame.entries)
        else:
            node = ListNode(frame.span, tuple(frame.items))
        self._finish(node, frame.anchor, frame.nodes, frame.height, already_counted=True)

    def _alias(self, event: Any) -> None:
        span, name = self._span(event), event.anchor
        self._aliases += 1
        if self._aliases > MOST_ALIASES:
            fix = "write the values out, or move what is shared into a baseline"
            raise _Refused(_error("yaml-bounds", f"more than {MOST_ALIASES} aliases", span, fix=fix))
        if name not in self._anchors:
            fix = "define the anchor above, or quote text that begins with *"
            raise _Refused(_error("yaml-alias", "there is no anchor for this alias", span, fix=fix))
        known_anchor = self._anchors[name]
        if known_anchor is None:
            raise _Refused(_error("yaml-alias", "this alias contains itself", span, fix="write the values out"))
        node, nodes, height = known_anchor
        self._bound_depth(len(self._frames) + height - 1, span)
        self._finish(node, None, nodes, height, alias=span)

    def _bound_depth(self, depth: int, span: Span) -> None:
        if depth > MOST_DEPTH:
            fix = "a desired state is nested less than ten levels deep"
            raise _Refused(_error("yaml-bounds", f"nested more than {MOST_DEPTH} levels deep", span, fix=fix))

    def _finish(
        self,
        node: Node,
        anchor: str | None,
        nodes: int,
        height: int,
        *,
        already_counted: bool = False,
        alias: Span | None = None,
    ) -> None:
        """A node is complete: it is counted, remembered under its anchor, and given to what contains it."""
        self._nodes += 1 if already_counted else nodes
        if self._nodes > MOST_NODES:
            message = f"more than {MOST_NODES:,} values"
            raise _Refused(_error("yaml-bounds", message, alias or node.span, fix="a desired state has a few hundred"))
        if anchor is not None:
            self._anchors[anchor] = (node, nodes, height)
        if not self._frames:
            self._root = node
            return
        frame = self._frames[-1]
        frame.nodes += nodes
        frame.height = max(frame.height, height + 1)
        if not frame.is_map:
            frame.items.append(node)
        elif frame.key is None:
            frame.key = self._key(frame, node, alias or node.span)
        else:
            self._value(frame, node, *frame.key)
            frame.key = None

    def _key(self, frame: _Frame, node: Node, span: Span) -> tuple[str, Span, bool]:
        if not isinstance(node, ScalarNode):
            self.findings.append(_error("yaml-syntax", "a key must be text", span, fix="a text in braces needs quotes"))
            return "", span, False
        first = frame.entries.get(node.text)
        if first is None:
            return node.text, span, True
        where = first.key.position
        is_private = any(above.key and is_secret_key(above.key[0]) for above in self._frames[:-1])
        name = HIDDEN if is_private else quoted(node.text)
        message = f"the key {name} is given twice; first in line {where.line}"
        why = "YAML would drop one of them in silence"
        related = (("first given here", where),)
        self.findings.append(
            _error("duplicate-key", message, span, why=why, fix="keep one, or join the two", related=related)
        )
        return node.text, span, False

    def _value(self, frame: _Frame, node: Node, key: str, span: Span, is_kept: bool) -> None:
        if not is_kept:
            return
        if key != "<<":
            frame.entries[key] = Entry(span, node)
            return
        sources = node.items if isinstance(node, ListNode) else (node,)
        maps = [source for source in sources if isinstance(source, MapNode)]
        if len(maps) < len(sources):
            fix = "write <<: *anchor, where the anchor is on a map"
            self.findings.append(_error("yaml-syntax", "the merge key << takes maps alone", span, fix=fix))
        frame.merged.extend(maps)


def plain_value(text: str) -> None | bool | int | float | str:
    """The value of a plain scalar by the core schema of YAML 1.2; what JSON cannot say stays text."""
    if text in _WORDS:
        return _WORDS[text]
    if _INTEGER.fullmatch(text):
        return int(text, 0) if text.startswith(("0o", "0x")) else int(text)
    if _FLOAT.fullmatch(text):
        number = float(text)
        return number if abs(number) != float("inf") else text
    return text


def top_level_keys(document: Document) -> Iterator[str]:
    """The keys of a file; of one that is no YAML, what stands at the beginning of its lines."""
    if document.root is not None:
        yield from document.root.entries
        return
    for line in document.lines:
        key = re.match(r"[\"']?([A-Za-z]+)[\"']?\s*:", line)
        if key:
            yield printable(key.group(1))
