"""Whether a tenant evidently satisfies a guardrail schema, without `jsonschema`.

`jsonschema` costs as much to import as all the rest of `tapctl validate`, and most guardrails are a few constants. So
the plainest part of JSON Schema 2020-12 is read here, in one direction alone: "evident" is a promise that `jsonschema`
accepts both schema and tenant, and a test holds it to that. Everything else (a keyword that is not in `_KEYWORDS`, a
demand that is malformed, a tenant that breaks one) is not evident: `jsonschema` judges it and says what is wrong.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

_TYPES: dict[object, Callable[[object], bool]] = {
    "object": lambda value: isinstance(value, dict),
    "array": lambda value: isinstance(value, list),
    "string": lambda value: isinstance(value, str),
    "boolean": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
    "integer": lambda value: isinstance(value, int) and not isinstance(value, bool),
}


def evidently_satisfies(schema: object, value: object) -> bool:
    """Whether the schema is certainly valid and certainly accepts the value; False says nothing."""
    return _is_plain(schema) and _accepts(schema, value)


def _is_plain(schema: object) -> bool:
    """Whether a schema consists of well-formed demands that are understood here, also where no value reaches them."""
    if not isinstance(schema, dict):
        return isinstance(schema, bool)
    return all(word in _KEYWORDS and _KEYWORDS[word].is_plain(demand) for word, demand in schema.items())


def _accepts(schema: object, value: object) -> bool:
    if not isinstance(schema, dict):
        return schema is True
    return all(_KEYWORDS[word].accepts(demand, value) for word, demand in schema.items())


def _is_text(demand: object) -> bool:
    return isinstance(demand, str)


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _is_count(demand: object) -> bool:
    return _TYPES["integer"](demand) and isinstance(demand, int) and demand >= 0


def _is_scalar(demand: object) -> bool:
    return demand is None or isinstance(demand, str | bool | int)


def _is_type(demand: object) -> bool:
    return isinstance(demand, str) and demand in _TYPES


def _are_scalars(demand: object) -> bool:
    return isinstance(demand, list) and all(_is_scalar(item) for item in demand)


def _are_names(demand: object) -> bool:
    return isinstance(demand, list) and all(isinstance(name, str) for name in demand) and len(set(demand)) == len(demand)


def _are_schemas(demand: object) -> bool:
    return isinstance(demand, list) and bool(demand) and all(_is_plain(item) for item in demand)


def _are_properties(demand: object) -> bool:
    return isinstance(demand, dict) and all(_is_plain(item) for item in demand.values())


def _is_same(one: object, other: object) -> bool:
    """Equality of JSON scalars, where true is not 1."""
    return one == other and isinstance(one, bool) == isinstance(other, bool)
