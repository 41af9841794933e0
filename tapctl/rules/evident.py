"""Whether a tenant evidently satisfies a guardrail schema, without `jsonschema`.

Importing `jsonschema` takes a third of the time of `tapctl validate`, and most guardrails are a few constants. So the
plainest part of JSON Schema 2020-12 is read here, to one end: what is evident, `jsonschema` would accept too, schema
and tenant alike; a test holds it to that. All the rest (a keyword that is not in `_KEYWORDS`, a malformed demand, a
tenant that breaks a demand) is left to `jsonschema`, which also says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any


def evidently_satisfies(schema: object, value: object) -> bool:
    """Whether the schema is certainly valid and certainly accepts the value; False says nothing."""
    return _is_plain(schema) and _accepts(schema, value)


def _is_plain(schema: object) -> bool:
    """Whether every demand is understood and well-formed, also those that the value does not reach."""
    if not isinstance(schema, dict):
        return isinstance(schema, bool)
    return all(word in _KEYWORDS and _KEYWORDS[word][0](demand) for word, demand in schema.items())


def _accepts(schema: object, value: object) -> bool:
    if not isinstance(schema, dict):
        return schema is True
    return all(_KEYWORDS[word][1](demand, value) for word, demand in schema.items())


def _is_text(demand: object) -> bool:
    return isinstance(demand, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(demand: object) -> bool:
    return isinstance(demand, int) and not isinstance(demand, bool) and demand >= 0


def _is_scalar(demand: object) -> bool:
    return demand is None or isinstance(demand, str | bool | int | float)


def _are(is_one: Callable[[object], bool], demand: object) -> bool:
    return isinstance(demand, list) and all(is_one(item) for item in demand)


def _are_names(demand: Any) -> bool:
    return _are(_is_text, demand) and len(set(demand)) == len(demand)


def _are_schemas(demand: object) -> bool:
    return bool(demand) and _are(_is_plain, demand)


def _are_properties(demand: object) -> bool:
    return isinstance(demand, dict) and all(_is_plain(item) for item in demand.values())


def _is_same(one: object, other: object) -> bool:
    """Equality of JSON scalars, where true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)


def _says_nothing(_: object, __: object) -> bool:
    return True


_TYPES: dict[str, Callable[[Any], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "number": _is_number,
    "integer": lambda value: _is_number(value) and (isinstance(value, int) or value.is_integer()),
}

_KEYWORDS: dict[str, tuple[Callable[[Any], bool], Callable[[Any, Any], bool]]] = {
    "$comment": (_is_text, _says_nothing),
    "title": (_is_text, _says_nothing),
    "description": (_is_text, _says_nothing),
    "type": (lambda name: _is_text(name) and name in _TYPES, lambda name, value: _TYPES[name](value)),
    "const": (_is_scalar, _is_same),
    "enum": (
        lambda allowed: _are(_is_scalar, allowed),
        lambda allowed, value: any(_is_same(item, value) for item in allowed),
    ),
    "minimum": (_is_number, lambda limit, value: not _is_number(value) or value >= limit),
    "maximum": (_is_number, lambda limit, value: not _is_number(value) or value <= limit),
    "minLength": (_is_count, lambda limit, value: not isinstance(value, str) or len(value) >= limit),
    "maxLength": (_is_count, lambda limit, value: not isinstance(value, str) or len(value) <= limit),
    "minItems": (_is_count, lambda limit, value: not isinstance(value, list) or len(value) >= limit),
    "maxItems": (_is_count, lambda limit, value: not isinstance(value, list) or len(value) <= limit),
    "required": (
        _are_names,
        lambda names, value: not isinstance(value, dict) or all(name in value for name in names),
    ),
    "properties": (
        _are_properties,
        lambda parts, value: (
            not isinstance(value, dict)
            or all(_accepts(part, value[name]) for name, part in parts.items() if name in value)
        ),
    ),
    "items": (
        _is_plain,
        lambda part, value: not isinstance(value, list) or all(_accepts(part, item) for item in value),
    ),
    "contains": (
        _is_plain,
        lambda part, value: not isinstance(value, list) or any(_accepts(part, item) for item in value),
    ),
    "not": (_is_plain, lambda part, value: not _accepts(part, value)),
    "allOf": (_are_schemas, lambda parts, value: all(_accepts(part, value) for part in parts)),
    "anyOf": (_are_schemas, lambda parts, value: any(_accepts(part, value) for part in parts)),
}
"""Keyword to whether a demand is well-formed, and whether a well-formed demand accepts a value: exactly, both ways,
since `not` turns one into the other."""
