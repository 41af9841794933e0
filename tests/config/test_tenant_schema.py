"""The schema itself: a valid one, held to by its own examples, and read as jsonschema reads it."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from tapctl.config.check import KEYWORDS, Checker
from tapctl.config.nodes import Entry, ListNode, MapNode, Node, ScalarNode, Span, plain
from tapctl.config.reference import field_reference
from tapctl.config.schema import Schema, editor_schema, merged_schema, schema_folder
from tapctl.config.yaml_tree import read_yaml
from tapctl.errors import Position
from tapctl.model.values import JSONValue

CASES = Path(__file__).parent.parent / "cases" / "config"
SAYS_NOTHING = {"$schema", "$defs", "$comment", "title", "description", "default", "examples"}
HERE = Span(Position("f.yaml", 1, 1), 1)


def subschemas(schema: JSONValue) -> Iterator[Schema]:
    """The schema and all that are applied in it; examples and the like are no schemas."""
    if not isinstance(schema, dict):
        return
    yield schema
    for keyword, value in schema.items():
        if keyword in ("properties", "$defs"):
            for inner in cast(Schema, value).values():
                yield from subschemas(inner)
        elif keyword in ("anyOf", "allOf"):
            for inner in cast("list[JSONValue]", value):
                yield from subschemas(inner)
        elif keyword in ("items", "additionalProperties", "propertyNames", "not", "if", "then"):
            yield from subschemas(value)


def located(value: JSONValue) -> Node:
    if isinstance(value, dict):
        return MapNode(HERE, {key: Entry(HERE, located(item)) for key, item in value.items()})
    if isinstance(value, list):
        return ListNode(HERE, tuple(located(item) for item in value))
    return ScalarNode(HERE, value, str(value), 1)


@pytest.mark.parametrize("schema", [editor_schema(), merged_schema()], ids=["editor", "merged"])
def test_the_schema_is_a_valid_json_schema(schema: Schema) -> None:
    Draft202012Validator.check_schema(schema)


def test_the_schema_uses_only_keywords_that_tapctl_itself_understands() -> None:
    used = {keyword for schema in subschemas(merged_schema()) for keyword in schema}

    assert {keyword for keyword in used if not keyword.startswith("x-")} - SAYS_NOTHING <= KEYWORDS


def test_the_schema_for_editors_requires_no_section_since_files_may_be_partial() -> None:
    validator = Draft202012Validator(editor_schema())

    assert validator.is_valid({})
    assert validator.is_valid({"tenant": {}, "groups": {"a": {"members": []}}, "temporaryAccessPass": {"length": None}})


def test_every_map_refuses_keys_that_it_does_not_know() -> None:
    maps = [schema for schema in subschemas(editor_schema()) if "properties" in schema and "type" in schema]

    assert maps
    assert all("additionalProperties" in schema for schema in maps)


def test_every_field_is_described_for_hover_text() -> None:
    root = editor_schema()
    definitions = cast(Schema, root["$defs"])
    for schema in subschemas(root):
        for key, field in cast(Schema, schema.get("properties", {})).items():
            if "type" not in schema:
                continue  # conditions, not fields
            described = cast(Schema, field)
            if "$ref" in described:
                described = {**cast(Schema, definitions[str(described["$ref"])[8:]]), **described}
            assert described.get("description") or described.get("not") == {}, key


def test_the_examples_of_the_schema_are_valid() -> None:
    root = editor_schema()
    for schema in subschemas(root):
        for example in cast("list[JSONValue]", schema.get("examples", [])):
            Draft202012Validator({**schema, "$defs": root["$defs"]}).validate(example)


def test_the_field_reference_is_what_the_schema_says() -> None:
    assert (schema_folder() / "README.md").read_text(encoding="utf-8") == field_reference()


def agree(document: JSONValue) -> None:
    ours = not Checker(merged_schema()).check(located(document))
    theirs = Draft202012Validator(merged_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER).is_valid(
        document
    )

    assert ours == theirs


ALIKE = [path for path in CASES.glob("*/*.yaml") if path.stem != "text-that-ends-in-a-line-break"]
"""JSON Schema has ECMAScript's `$`, and so has tapctl; in jsonschema it also stands before a final line break."""


@pytest.mark.parametrize("path", sorted(ALIKE), ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_tapctl_and_jsonschema_judge_every_case_alike(path: Path) -> None:
    document = read_yaml(path.read_bytes(), "f.yaml")
    if document.root is not None:
        ours = not Checker(merged_schema()).check(document.root)
        validator = Draft202012Validator(merged_schema(), format_checker=Draft202012Validator.FORMAT_CHECKER)
        assert ours == validator.is_valid(plain(document.root))


WORDS = st.sampled_from(
    [
        *(
            "enabled",
            "default",
            "pin",
            "10m",
            "30d",
            "31d",
            "1h",
            "all-users",
            "key",
            "contoso.com",
            "a@b.c",
            "",
            "x y",
        ),
        *(
            "2026-12-15",
            "2026-02-30",
            "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11",
            "group:key",
            "token",
            "TAPCTL_X",
            "oma-uri",
        ),
        *("{D6886603-9D2F-4EB2-B667-1971041FA96B}", "client-secret", "SECRET", "delete", "absent", "TAP011"),
    ]
)
SCALARS = st.one_of(st.none(), st.booleans(), st.integers(-1, 50_000), st.just(8.0), st.just(8.5), WORDS)


def values_for(schema: JSONValue, depth: int = 0) -> st.SearchStrategy[JSONValue]:
    """Values that often fit a schema and often just do not."""
    if not isinstance(schema, dict) or depth > 6:
        return cast("st.SearchStrategy[JSONValue]", SCALARS)
    if "$ref" in schema:
        definitions = cast(Schema, editor_schema()["$defs"])
        schema = {**cast(Schema, definitions[str(schema["$ref"])[8:]]), **schema}
    choices: list[st.SearchStrategy[JSONValue]] = [cast("st.SearchStrategy[JSONValue]", SCALARS)]
    if "enum" in schema:
        choices.append(st.sampled_from(cast("list[JSONValue]", schema["enum"])))
    choices += [values_for(branch, depth + 1) for branch in cast("list[JSONValue]", schema.get("anyOf", []))]
    if "items" in schema:
        items = values_for(schema["items"], depth + 1)
        choices.append(cast("st.SearchStrategy[JSONValue]", st.lists(items, max_size=2)))
    if "properties" in schema:
        fields = {key: values_for(field, depth + 1) for key, field in cast(Schema, schema["properties"]).items()}
        choices.append(cast("st.SearchStrategy[JSONValue]", st.fixed_dictionaries({}, optional=fields)))
    elif isinstance(schema.get("additionalProperties"), dict):
        inner = values_for(schema["additionalProperties"], depth + 1)
        choices.append(cast("st.SearchStrategy[JSONValue]", st.dictionaries(WORDS, inner, max_size=2)))
    return st.one_of(choices[1:] or choices) if depth % 3 else st.one_of(choices)


@settings(max_examples=300, deadline=None)
@given(values_for(editor_schema()))
def test_tapctl_and_jsonschema_judge_any_tenant_alike(document: JSONValue) -> None:
    agree(document)


GROUP = values_for(cast(Schema, editor_schema()["$defs"])["group"])
PROFILE = values_for(cast(Schema, editor_schema()["$defs"])["profile"])
AUTHENTICATION = values_for(cast(Schema, editor_schema()["$defs"])["authentication"])


@settings(max_examples=300, deadline=None)
@given(GROUP, PROFILE, AUTHENTICATION)
def test_tapctl_and_jsonschema_judge_the_conditions_over_several_keys_alike(
    group: JSONValue, profile: JSONValue, authentication: JSONValue
) -> None:
    about: JSONValue = {"id": "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11"}
    agree({"tenant": about, "groups": {"a": group}})
    agree({"tenant": about, "webSignIn": {"a": profile}})
    agree({"tenant": {"id": "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11", "auth": authentication}})
