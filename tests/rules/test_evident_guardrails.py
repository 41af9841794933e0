"""What is evident of a guardrail schema, `jsonschema` says too; and the plain ones are evident."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from jsonschema.exceptions import SchemaError

from tapctl.model.values import JSONValue
from tapctl.rules.evident import evidently_satisfies

names = st.sampled_from(("include", "exclude", "lifetime"))
scalars = st.sampled_from((None, True, False, 0, 1, 2, 1.0, 1.5, "", "all-users", "include", "integer", "object"))
documents: st.SearchStrategy[JSONValue] = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(names, inner, max_size=3), max_leaves=8
)
types = st.sampled_from(("object", "array", "string", "boolean", "null", "number", "integer"))


def schemas_over(inner: st.SearchStrategy[JSONValue]) -> st.SearchStrategy[JSONValue]:
    """Schemas of a few keywords, most of them well-formed."""
    counts = st.integers(-1, 3)
    several = st.lists(inner, max_size=3)
    demands: dict[str, st.SearchStrategy[Any]] = {
        "title": st.just("why"),
        "type": types | st.lists(types, max_size=2),
        "const": documents,
        "enum": st.lists(scalars, max_size=3) | scalars,
        "minimum": scalars,
        "maximum": counts,
        "minLength": counts,
        "maxLength": scalars.filter(lambda limit: not isinstance(limit, float)),
        "minItems": counts,
        "maxItems": counts,
        "uniqueItems": st.booleans(),
        "required": st.lists(names, max_size=3),
        "properties": st.dictionaries(names, inner, max_size=2) | scalars,
        "additionalProperties": inner,
        "items": inner,
        "contains": inner,
        "not": inner,
        "allOf": several,
        "anyOf": several,
        "oneOf": several,
    }
    return st.sets(st.sampled_from(sorted(demands)), max_size=3).flatmap(
        lambda chosen: st.fixed_dictionaries({keyword: demands[keyword] for keyword in sorted(chosen)})
    )


schemas: st.SearchStrategy[JSONValue] = st.recursive(
    st.booleans() | st.builds(lambda value: {"const": value}, scalars) | scalars, schemas_over, max_leaves=6
)


@given(schema=schemas_over(schemas), document=documents)
def test_what_is_evident_jsonschema_accepts_too(schema: JSONValue, document: JSONValue) -> None:
    is_evident = evidently_satisfies(schema, document)
    event(f"evident: {is_evident}")

    if is_evident:
        assert _is_accepted(schema, document)


@given(keyword_demand=schemas_over(st.booleans()), document=documents)
def test_what_is_accepted_by_plain_keywords_is_evident(keyword_demand: JSONValue, document: JSONValue) -> None:
    assert isinstance(keyword_demand, dict)
    others = {"uniqueItems", "additionalProperties", "oneOf"}
    is_plain = not others & set(keyword_demand) and not isinstance(keyword_demand.get("type"), list)
    is_scalar = not isinstance(keyword_demand.get("const"), list | dict)
    accepted = is_plain and is_scalar and _is_accepted(keyword_demand, document)
    event(f"accepted: {accepted}")

    if accepted:
        assert evidently_satisfies(keyword_demand, document)


def _is_accepted(schema: JSONValue, document: JSONValue) -> bool:
    assert isinstance(schema, dict)
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError:
        return False
    return Draft202012Validator(schema).is_valid(document)


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"temporaryAccessPass": {"properties": {"oneTime": {"const": True}}}}},
        {"properties": {"temporaryAccessPass": {"properties": {"include": {"not": {"contains": {"const": "all"}}}}}}},
        {"required": ["temporaryAccessPass"], "description": "every tenant has a policy"},
    ],
)
def test_a_guardrail_of_constants_is_evident(schema: JSONValue) -> None:
    assert evidently_satisfies(schema, {"temporaryAccessPass": {"oneTime": True, "include": ["tap-users"]}})


@pytest.mark.parametrize(
    "schema",
    [
        {"properties": {"temporaryAccessPass": {"properties": {"oneTime": {"const": False}}}}},
        {"properties": {"nowhere": {"type": "no type"}}},
        {"properties": {"nowhere": {"pattern": "("}}},
        {"$ref": "https://example.com/schema.json"},
        {"unknownKeyword": True},
    ],
)
def test_a_breach_a_mistake_and_a_keyword_that_is_not_understood_are_left_to_jsonschema(schema: JSONValue) -> None:
    assert not evidently_satisfies(schema, {"temporaryAccessPass": {"oneTime": True}})
