"""The schema of a tenant: where it is, and what it demands of the merged tenant beyond what an editor may demand."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path
from typing import TypeAlias, cast

from tapctl.model.values import JSONValue

Schema: TypeAlias = "dict[str, JSONValue]"

FILE = "tenant.schema.json"


def schema_folder() -> Path:
    """Where the schemas are: in the installed package, or beside it in a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "schemas"
    return installed if installed.is_dir() else package.parent / "schemas"


@lru_cache(maxsize=1)
def editor_schema() -> Schema:
    """The schema as editors read it: files may be partial, so nothing is required and null removes."""
    return cast(Schema, json.loads((schema_folder() / FILE).read_text(encoding="utf-8")))


def auth_methods() -> tuple[str, ...]:
    """The ways of signing in that `auth.method` may name."""
    definitions = cast("dict[str, Schema]", editor_schema()["$defs"])
    properties = cast("dict[str, Schema]", definitions["authentication"]["properties"])
    return tuple(method for method in cast("list[str | None]", properties["method"]["enum"]) if method is not None)


@lru_cache(maxsize=1)
def merged_schema() -> Schema:
    """The schema of the merged tenant: with `x-required` applied; nulls are already removed."""
    return cast(Schema, _merged(editor_schema()))


def _merged(value: JSONValue) -> JSONValue:
    if isinstance(value, list):
        return [_merged(item) for item in value]
    if not isinstance(value, dict):
        return value
    schema = {key: _merged(item) for key, item in value.items()}
    if not value.get("x-null"):
        _without_null(schema)
    return _with_demands(schema)


def _without_null(schema: Schema) -> None:
    kinds = schema.get("type")
    if isinstance(kinds, list):
        rest = [kind for kind in kinds if kind != "null"]
        schema["type"] = rest[0] if len(rest) == 1 else cast(JSONValue, rest)
    values = schema.get("enum")
    if isinstance(values, list):
        schema["enum"] = [value for value in values if value is not None]
    branches = schema.get("anyOf")
    if isinstance(branches, list):
        schema["anyOf"] = [branch for branch in branches if branch != {"type": "null"}]


def _with_demands(schema: Schema) -> Schema:
    required = schema.pop("x-required", None)
    if required is not None:
        schema["required"] = required
    dependent = schema.pop("x-dependentRequired", None)
    if dependent is not None:
        schema["dependentRequired"] = dependent
    one_of = schema.pop("x-requireOneOf", None)
    if isinstance(one_of, list):
        conditions = schema.get("allOf", [])
        names = " or ".join(f'"{name}"' for name in one_of)
        demand: Schema = {
            "anyOf": [{"required": [name]} for name in one_of],
            "x-rule": "missing-key",
            "x-message": f"{names} is missing",
            "x-why": "an object is found by its id, or by its name together with the mark of tapctl",
            "x-fix": f"add {one_of[0]}",
        }
        schema["allOf"] = [*(conditions if isinstance(conditions, list) else []), demand]
    return schema
