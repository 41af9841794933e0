"""Checking a located tree with a schema: the part of JSON Schema 2020-12 that tenant.schema.json uses.

`jsonschema` costs 50 ms to import, nearly half of what an offline command may take, so that it is kept for the schemas
that organisations write (guardrail_schema). A test holds this module against it, and that the schema uses no other
keyword. What it adds is what diagnostics need: the deepest branch that matches, and the words beside each demand.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import date
from functools import lru_cache
from typing import NamedTuple, TypeAlias, cast

from tapctl.config.nodes import ListNode, MapNode, Node, ScalarNode, plain
from tapctl.config.schema import Schema
from tapctl.model.desired import Path
from tapctl.model.values import JSONValue


class Violation(NamedTuple):
    """One requirement of the schema that the tree does not meet."""

    path: Path
    keyword: str
    words: Schema
    """The schema with the words: x-rule, x-expects, x-message, x-why, x-fix, x-related."""
    node: Node
    detail: str = ""
    """The key that is unknown or missing."""

    @property
    def is_missing(self) -> bool:
        """Whether something is missing, rather than present and wrong."""
        return self.keyword in ("required", "dependentRequired") or self.words.get("x-rule") == "missing-key"


Check: TypeAlias = "Callable[[Checker, JSONValue, Schema, Node, Path], Iterator[Violation]]"


class Checker:
    """Checks trees against one schema and its `$defs`."""

    def __init__(self, root: Schema) -> None:
        self.root = root

    def check(self, node: Node) -> list[Violation]:
        """Every violation, outermost first."""
        return self.violations(self.root, node, ())

    def violations(self, schema: JSONValue, node: Node, path: Path) -> list[Violation]:
        if schema is True:
            return []
        if not isinstance(schema, dict):
            return [Violation(path, "false", {}, node)]
        if "$ref" in schema:
            schema = self._joined(schema)
        kinds = schema.get("type")
        if kinds is not None and not _has_type(node, kinds):
            return [Violation(path, "type", schema, node)]
        found: list[Violation] = []
        for keyword, demand in schema.items():
            check = _CHECKS.get(keyword)
            if check is not None:
                found.extend(check(self, demand, schema, node, path))
        return found

    def _joined(self, schema: Schema) -> Schema:
        """A schema with the definition that it refers to; its own words win."""
        name = str(schema["$ref"]).removeprefix("#/$defs/")
        definition = cast(Schema, cast(Schema, self.root["$defs"])[name])
        return {**definition, **{key: value for key, value in schema.items() if key != "$ref"}}


_TYPES: dict[str, Callable[[Node], bool]] = {
    "object": lambda node: isinstance(node, MapNode),
    "array": lambda node: isinstance(node, ListNode),
    "string": lambda node: isinstance(node, ScalarNode) and isinstance(node.value, str),
    "boolean": lambda node: isinstance(node, ScalarNode) and isinstance(node.value, bool),
    "null": lambda node: isinstance(node, ScalarNode) and node.value is None,
    "integer": lambda node: _number(node) is not None and float(_number(node) or 0).is_integer(),
}


def _has_type(node: Node, kinds: JSONValue) -> bool:
    names = kinds if isinstance(kinds, list) else [kinds]
    return any(_TYPES[str(name)](node) for name in names)


def _number(node: Node) -> int | float | None:
    value = node.value if isinstance(node, ScalarNode) else None
    return value if isinstance(value, int | float) and not isinstance(value, bool) else None


def _text(node: Node) -> str | None:
    return node.value if isinstance(node, ScalarNode) and isinstance(node.value, str) else None


def _is_same(one: JSONValue, other: JSONValue) -> bool:
    """Equality of JSON scalars, where true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _enum(_: Checker, values: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    allowed = cast("list[JSONValue]", values)
    if not isinstance(node, ScalarNode) or not any(_is_same(node.value, value) for value in allowed):
        yield Violation(path, "enum", schema, node)


def _const(_: Checker, value: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    if not isinstance(node, ScalarNode) or not _is_same(node.value, value):
        yield Violation(path, "const", schema, node)


def _minimum(_: Checker, limit: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    number = _number(node)
    if number is not None and number < cast(int, limit):
        yield Violation(path, "minimum", schema, node)


def _maximum(_: Checker, limit: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    number = _number(node)
    if number is not None and number > cast(int, limit):
        yield Violation(path, "maximum", schema, node)


def _min_length(_: Checker, limit: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    text = _text(node)
    if text is not None and len(text) < cast(int, limit):
        yield Violation(path, "minLength", schema, node)


def _max_length(_: Checker, limit: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    text = _text(node)
    if text is not None and len(text) > cast(int, limit):
        yield Violation(path, "maxLength", schema, node)


@lru_cache(maxsize=256)
def _compiled(pattern: str) -> re.Pattern[str]:
    """ECMAScript's meaning: a final $ does not stand before a line break."""
    return re.compile(pattern.removesuffix("$") + r"\Z" if pattern.endswith("$") else pattern)


def _pattern(_: Checker, pattern: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    text = _text(node)
    limit = schema.get("maxLength")
    is_too_long = isinstance(limit, int) and text is not None and len(text) > limit
    if text is not None and not is_too_long and not _compiled(str(pattern)).search(text):
        yield Violation(path, "pattern", schema, node)


def _format(_: Checker, name: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    text = _text(node)
    if text is None or name != "date" or not re.fullmatch(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", text):
        return  # where the form is wrong already, pattern has said so
    try:
        date.fromisoformat(text)
    except ValueError:
        yield Violation(path, "format", schema, node)


def _properties(checker: Checker, demand: JSONValue, _: Schema, node: Node, path: Path) -> Iterator[Violation]:
    properties = cast(Schema, demand)
    if isinstance(node, MapNode):
        for key, entry in node.entries.items():
            if key in properties:
                yield from checker.violations(properties[key], entry.node, (*path, key))


def _additional(checker: Checker, demand: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    if not isinstance(node, MapNode):
        return
    known = cast(Schema, schema.get("properties", {}))
    for key, entry in node.entries.items():
        if key in known:
            continue
        if demand is False:
            yield Violation((*path, key), "unknown", schema, entry.node, key)
        else:
            yield from checker.violations(demand, entry.node, (*path, key))


def _property_names(checker: Checker, demand: JSONValue, _: Schema, node: Node, path: Path) -> Iterator[Violation]:
    if isinstance(node, MapNode):
        for key, entry in node.entries.items():
            name = ScalarNode(entry.key, key, key, entry.key.position.line)
            for violation in checker.violations(demand, name, (*path, key)):
                yield violation._replace(keyword="propertyNames", node=entry.node, detail=key)


def _required(_: Checker, demand: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    if isinstance(node, MapNode):
        for key in cast("list[str]", demand):
            if key not in node.entries:
                yield Violation(path, "required", schema, node, key)


def _dependent(_: Checker, demand: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    if isinstance(node, MapNode):
        for key, needed in cast("dict[str, list[str]]", demand).items():
            for other in needed if key in node.entries else ():
                if other not in node.entries:
                    yield Violation((*path, key), "dependentRequired", schema, node.entries[key].node, other)


def _items(checker: Checker, demand: JSONValue, _: Schema, node: Node, path: Path) -> Iterator[Violation]:
    if isinstance(node, ListNode):
        for index, item in enumerate(node.items):
            yield from checker.violations(demand, item, (*path, index))


def _min_items(_: Checker, limit: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    if isinstance(node, ListNode) and len(node.items) < cast(int, limit):
        yield Violation(path, "minItems", schema, node)


def _unique(_: Checker, demand: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    if not isinstance(node, ListNode) or demand is not True:
        return
    seen: set[str] = set()
    for index, item in enumerate(node.items):
        value = repr(plain(item))
        if value in seen:
            yield Violation((*path, index), "uniqueItems", schema, item)
        seen.add(value)


def _all_of(checker: Checker, demand: JSONValue, _: Schema, node: Node, path: Path) -> Iterator[Violation]:
    for condition in cast("list[Schema]", demand):
        found = checker.violations(condition, node, path)
        words = {key: value for key, value in condition.items() if key.startswith("x-")}
        if "x-message" not in words:
            yield from found
        elif found and "x-at" in words and isinstance(node, MapNode):
            key = str(words["x-at"])
            yield Violation((*path, key), "allOf", words, node.entries[key].node, key)
        else:
            yield from (violation._replace(words={**violation.words, **words}) for violation in found)


def _any_of(checker: Checker, demand: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    branches = [checker.violations(branch, node, path) for branch in cast("list[JSONValue]", demand)]
    if all(branches):
        deepest = max(branches, key=lambda found: (max(len(one.path) + one.is_missing for one in found), -len(found)))
        if any(len(one.path) > len(path) or one.is_missing for one in deepest) and "x-message" not in schema:
            yield from deepest
        else:
            yield Violation(path, "anyOf", schema, node)


def _not(checker: Checker, demand: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    if not checker.violations(demand, node, path):
        yield Violation(path, "not", schema, node)


def _if(checker: Checker, demand: JSONValue, schema: Schema, node: Node, path: Path) -> Iterator[Violation]:
    if not checker.violations(demand, node, path):
        yield from checker.violations(schema.get("then", True), node, path)


_CHECKS: dict[str, Check] = {
    "enum": _enum,
    "const": _const,
    "minimum": _minimum,
    "maximum": _maximum,
    "minLength": _min_length,
    "maxLength": _max_length,
    "pattern": _pattern,
    "format": _format,
    "properties": _properties,
    "additionalProperties": _additional,
    "propertyNames": _property_names,
    "required": _required,
    "dependentRequired": _dependent,
    "items": _items,
    "minItems": _min_items,
    "uniqueItems": _unique,
    "allOf": _all_of,
    "anyOf": _any_of,
    "not": _not,
    "if": _if,
}

KEYWORDS = frozenset(_CHECKS) | {"type", "$ref", "then"}
"""The keywords that are understood; the schema may use no other that demands anything."""
