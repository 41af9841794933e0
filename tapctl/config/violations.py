"""Saying what a violation of the schema means: one finding each, at the place that wrote it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

from tapctl.config.check import Violation
from tapctl.config.diagnostics import Problems, Sources
from tapctl.config.nodes import ListNode, MapNode, Node, ScalarNode
from tapctl.config.places import Places
from tapctl.config.schema import Schema
from tapctl.config.secrets import is_secret_key
from tapctl.config.words import choice, described, near, place, quoted
from tapctl.errors import Position
from tapctl.model.desired import Path

_AUTHENTICATION = ("auth", "planAuth", "passAuth")
_TWICE = "the second says nothing that the first does not"
_WRONG_TYPE = "turning it into another kind of value would be a guess"
_NO_MEANING = "it has no meaning here, and what has none is never skipped in silence"
_KINDS = {
    "object": "a map",
    "array": "a list",
    "string": "text",
    "boolean": "true or false",
    "integer": "a whole number",
    "null": "null",
}
_ENGLISH = {
    **dict.fromkeys(("yes", "on", "y", "enabled", "enable"), "true"),
    **dict.fromkeys(("no", "off", "n", "disabled", "disable"), "false"),
}


def is_private(path: Path) -> bool:
    """Whether values there are never quoted: whatever somebody put where sign-in is configured may be a secret."""
    return len(path) > 1 and path[0] == "tenant" and path[1] in _AUTHENTICATION


def report(violation: Violation, places: Places, problems: Problems, sources: Sources) -> None:
    """Adds the finding of one violation."""
    if problems.is_full:
        sources.hide(violation.node)
        problems.has_errors = True
        return
    is_value = not violation.is_missing and violation.keyword != "allOf"
    if is_value and (is_private(violation.path) or _is_near_authentication(violation)):
        sources.hide(violation.node)
    if violation.keyword == "unknown":
        if isinstance(violation.node, ScalarNode) and is_secret_key(violation.detail):
            return  # said already, as a secret
        _unknown_key(violation, places, problems)
    elif violation.keyword in ("required", "dependentRequired"):
        _missing_key(violation, places, problems)
    elif "x-message" in violation.words:
        _said_by_schema(violation, places, problems)
    elif violation.keyword == "uniqueItems":
        fix = "remove one of the two"
        problems.add(
            "duplicate-entry", f"{place(violation.path)} is there twice", places.value(violation.path), fix=fix
        )
    else:
        _unfit_value(violation, places, problems)


def _is_near_authentication(violation: Violation) -> bool:
    """An unknown key of tenant that is not similar to a known key may be the name of a secret."""
    if violation.keyword != "unknown":
        return False
    known = cast(Schema, violation.words.get("properties", {}))
    is_slip = near(violation.detail, known) is not None
    return is_secret_key(violation.detail) or (violation.path[0] == "tenant" and not is_slip)


def _unknown_key(violation: Violation, places: Places, problems: Problems) -> None:
    known = list(cast(Schema, violation.words.get("properties", {})))
    above = place(violation.path[:-1])
    problems.add(
        "unknown-key",
        f"{quoted(violation.detail)} is not a key of {above}",
        places.key(violation.path),
        why="a key that tapctl does not know would be ignored in silence",
        fix=choice(violation.detail, known, "keys there"),
    )


def _missing_key(violation: Violation, places: Places, problems: Problems) -> None:
    if problems.is_incomplete:
        return
    key = violation.detail
    problem = f'"{key}" is missing in {place(violation.path)}'
    if violation.keyword == "dependentRequired":
        problem = f'{place(violation.path)} is given without "{key}"'
    properties = cast(Schema, violation.words.get("properties", {}))
    about = cast(Schema, properties.get(key, {}))
    examples = cast("list[object]", about.get("examples", []))
    example = f", such as {key}: {examples[0]}" if examples and isinstance(examples[0], str | int) else ""
    why = str(violation.words.get("x-why", f"{place(violation.path)} means nothing without it"))
    fix = str(violation.words.get("x-fix") or f"add {key}{example}")
    problems.add("missing-key", problem, places.key(violation.path), why=why, fix=fix)


def _said_by_schema(violation: Violation, places: Places, problems: Problems) -> None:
    """A condition over several keys, whose words stand beside it in the schema."""
    words = violation.words
    if violation.is_missing and problems.is_incomplete:
        return
    key = str(violation.path[-1]) if violation.path else ""
    related: tuple[tuple[str, Position], ...] = ()
    if "x-related" in words:
        parent = violation.path[:-1]
        other = str(words["x-related"])
        related = ((f"{other} is here", places.position((*parent, other))),)
    problems.add(
        str(words.get("x-rule", "invalid-value")),
        f"{place(violation.path[:-1] if violation.keyword != 'anyOf' else violation.path)}: "
        + str(words["x-message"]).replace("{key}", key),
        places.key(violation.path),
        why=str(words.get("x-why", "")).replace("{key}", key),
        fix=str(words.get("x-fix", "")).replace("{key}", key),
        related=related,
    )


def _unfit_value(violation: Violation, places: Places, problems: Problems) -> None:
    words, node, path = violation.words, violation.node, violation.path
    hides = is_private(path)
    is_key = violation.keyword == "propertyNames"
    found = f"the key {quoted(violation.detail)}" if is_key else described(node, is_private=hides)
    where = place(path[:-1]) + ": a key" if is_key else places.name(path)
    span = places.key(path) if is_key else places.value(path)
    is_type = violation.keyword == "type"
    problems.add(
        str(words.get("x-rule", "wrong-type" if is_type else "invalid-value")),
        f"{where} must be {_expectation(words)}, not {found}",
        span,
        why=str(words.get("x-why", _WRONG_TYPE if is_type else _NO_MEANING)),
        fix=_fix(violation, hides) or f"write {_expectation(words)}",
    )


def _expectation(words: Schema) -> str:
    if "x-expects" in words:
        return str(words["x-expects"])
    values = words.get("enum")
    if isinstance(values, list):
        names = [_as_yaml(value) for value in values]
        return " or ".join((", ".join(names[:-1]), names[-1])) if len(names) > 1 else names[0]
    kinds = words.get("type", "something else")
    names = [str(kind) for kind in kinds] if isinstance(kinds, list) else [str(kinds)]
    return " or ".join(_KINDS.get(name, name) for name in names)


def _as_yaml(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _fix(violation: Violation, hides: bool) -> str:
    """What to write instead: the near match, the quotes, the brackets."""
    node, words = violation.node, violation.words
    if "x-fix" in words:
        return str(words["x-fix"])
    if violation.keyword == "propertyNames":
        return ""
    if not isinstance(node, ScalarNode):
        return _fix_of_collection(node, words)
    text = node.text.casefold()
    accepts = _accepted(words)
    if node.value is None:
        return "write a value, or remove the line"
    if True in accepts and text in _ENGLISH:
        return f"write {_ENGLISH[text]}"
    names = [_as_yaml(value) for value in accepts if value is not None]
    if any(isinstance(value, str) for value in accepts):
        return choice(node.text, names, "values")
    if violation.keyword == "type" and words.get("type") == "array":
        return "write a list" if hides else f"write a list: [{quoted(node.text)[1:-1]}]"
    if violation.keyword == "type" and words.get("type") == "string" and not hides:
        return f"put it in quotes: {quoted(node.text)}"
    return ""


def _fix_of_collection(node: Node, words: Schema) -> str:
    if isinstance(node, MapNode | ListNode) and words.get("type") == "string":
        return f"write one value, without {'braces' if isinstance(node, MapNode) else 'brackets'}"
    return ""


def _accepted(words: Schema) -> Sequence[object]:
    values = words.get("enum")
    if isinstance(values, list):
        return values
    return [True, False] if words.get("type") == "boolean" else []
