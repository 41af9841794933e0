"""The field reference, schemas/README.md, written from the schema.

    python -m tapctl.config.reference > schemas/README.md

A test compares the file with what this module writes, so that hover text, diagnostics and reference never disagree.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import cast

from tapctl.config.schema import Schema, editor_schema
from tapctl.model.values import JSONValue

_OPENING = """\
# Schemas, and every field of a tenant file

- `tenant.schema.json` describes a tenant file, a file of a tenant's folder, or a baseline. It is for editors, too:
  begin a file with `# yaml-language-server: $schema=PATH/tenant.schema.json`, and the editor completes, explains and
  checks while you type. Files may be partial, so the schema requires nothing; what the merged tenant needs is marked
  **required** below.
- `plan.schema.json` describes what `tapctl plan --format json` prints and `plan --out` saves.

What a file does not name is not managed: it keeps its live value and never shows in a plan. Lists that are named are
authoritative. `null` removes what `extends` brought; among `settings` it takes a setting out of the policy.
YAML is read by version 1.2: `yes`, `on` and `12:30` are text, and so are dates.

This page is written from the schema: `python -m tapctl.config.reference > schemas/README.md`.
"""

_SECTIONS = (
    ("tenant", ("properties", "tenant")),
    ("tenant.auth, tenant.planAuth, tenant.passAuth", ("$defs", "authentication")),
    ("groups.KEY", ("$defs", "group")),
    ("temporaryAccessPass", ("properties", "temporaryAccessPass")),
    ("temporaryAccessPass.lifetime", ("properties", "temporaryAccessPass", "properties", "lifetime")),
    ("temporaryAccessPass.include[]", ("properties", "temporaryAccessPass", "properties", "include", "items")),
    ("webSignIn.KEY", ("$defs", "profile")),
    ("webSignIn.KEY.settings", ("$defs", "settings")),
    ("webSignIn.KEY.assign", ("$defs", "profile", "properties", "assign")),
    ("webSignIn.KEY.assign.include[]", ("$defs", "assignment")),
    ("suppress[]", ("properties", "suppress", "items")),
    ("guardrails", ("properties", "guardrails")),
    ("guardrails.impact", ("properties", "guardrails", "properties", "impact")),
)


def field_reference() -> str:
    """The whole page, Markdown."""
    root = editor_schema()
    parts = [_OPENING, *_section("The top level", root, root)]
    for title, path in _SECTIONS:
        node: JSONValue = root
        for part in path:
            node = cast(Schema, node)[part]
        parts.extend(_section(f"`{title}`", cast(Schema, node), root))
    return "\n".join(parts)


def _section(title: str, schema: Schema, root: Schema) -> Iterator[str]:
    schema = _object_branch(schema)
    yield f"## {title}\n"
    if "description" in schema and title != "The top level":
        yield f"{schema['description']}\n"
    yield "| key | what it is | values |"
    yield "|---|---|---|"
    required = [*_names(schema, "x-required"), *_names(schema, "required")]
    for key, field in cast(Schema, schema["properties"]).items():
        resolved = _resolved(cast(Schema, field), root)
        if resolved.get("not") != {}:
            yield _row(key, resolved, is_required=key in required)
    yield ""
    for one_of in [_names(schema, "x-requireOneOf")]:
        if one_of:
            yield f"Required: {' or '.join(f'`{name}`' for name in one_of)}.\n"
    yield from _conditions(schema)


def _object_branch(schema: Schema) -> Schema:
    """Of a value that is written short or as a map, the map."""
    for branch in cast("list[Schema]", schema.get("anyOf", [])):
        if "properties" in branch:
            return branch
    return schema


def _names(schema: Schema, keyword: str) -> list[str]:
    return cast("list[str]", schema.get(keyword, []))


def _resolved(field: Schema, root: Schema) -> Schema:
    reference = field.get("$ref")
    if reference is None:
        return field
    name = str(reference).removeprefix("#/$defs/")
    return {**cast(Schema, cast(Schema, root["$defs"])[name]), **field}


def _row(key: str, field: Schema, *, is_required: bool) -> str:
    described = str(field.get("description", ""))
    told = [f"**required**. {described}" if is_required else described]
    if "x-rule" in field:
        told.append(f"Rule {field['x-rule']}.")
    values = [_values(field)]
    if "default" in field:
        values.append(f"default {_code(field['default'])}")
    if "examples" in field and "such as" not in values[0]:
        values.append("such as " + ", ".join(_code(example) for example in cast("list[JSONValue]", field["examples"])))
    cells = (f"`{key}`", " ".join(told), "; ".join(value for value in values if value))
    return "| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |"


def _values(field: Schema) -> str:
    if "x-expects" in field:
        return str(field["x-expects"])
    if "enum" in field:
        return ", ".join(_code(value) for value in cast("list[JSONValue]", field["enum"]) if value is not None)
    kinds = field.get("type")
    names = cast("list[str]", kinds) if isinstance(kinds, list) else [str(kinds)]
    return "a map" if "object" in names else "text" if "string" in names else ""


def _code(value: JSONValue) -> str:
    return f"`{value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)}`"


def _conditions(schema: Schema) -> Iterator[str]:
    """What holds of several keys together, in the words of the diagnostics."""
    conditions = cast("list[Schema]", schema.get("allOf", []))
    told = [condition for condition in conditions if "x-message" in condition and not _is_of_one_method(condition)]
    for condition in told:
        message = str(condition["x-message"]).replace('"{key}"', ", ".join(_refused_keys(condition)))
        why = f": {condition['x-why']}" if "x-why" in condition else ""
        yield f"- {message}{why} (`{condition.get('x-rule')}`)."
    if told:
        yield ""


def _is_of_one_method(condition: Schema) -> bool:
    """Whether it says which method of signing in an option belongs to: its description begins with that."""
    return "if" in condition and "x-at" in condition


def _refused_keys(condition: Schema) -> Iterator[str]:
    properties = cast(Schema, cast(Schema, condition.get("then", {})).get("properties", {}))
    inner = cast(Schema, properties.get("settings", {})).get("properties")
    yield from (f"`{key}`" for key in cast(Schema, inner or properties))


if __name__ == "__main__":
    sys.stdout.write(field_reference())
