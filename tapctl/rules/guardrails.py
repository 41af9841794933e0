"""The guardrails that the files alone can be held against: the organisation's own schema, and break-glass."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from tapctl.errors import Finding
from tapctl.model.desired import Path, Tenant
from tapctl.model.values import JSONValue
from tapctl.rules.bounded import ends_in_time
from tapctl.rules.evident import evidently_satisfies
from tapctl.rules.rule import locate

if TYPE_CHECKING:
    from jsonschema.exceptions import ValidationError

_SCHEMA: Path = ("guardrails", "schema")
_LONGEST_QUOTE = 160
_CONDITIONAL = {"then", "else", "dependentSchemas", "unevaluatedProperties", "unevaluatedItems"}
"""Keywords whose demand at one place depends on what stands at others."""
_SPOKEN = {
    "additionalProperties": "a key that is not allowed",
    "anyOf": "none of the allowed forms",
    "const": "not the one allowed value",
    "contains": "a required item is missing",
    "enum": "not one of the allowed values",
    "exclusiveMaximum": "too large",
    "exclusiveMinimum": "too small",
    "maxItems": "too many items",
    "maxLength": "too long",
    "maximum": "too large",
    "minItems": "too few items",
    "minLength": "too short",
    "minimum": "too small",
    "not": "what the schema forbids",
    "oneOf": "not exactly one of the allowed forms",
    "pattern": "not of the required pattern",
    "required": "a required key is missing",
    "type": "not of the required type",
    "uniqueItems": "an item is repeated",
}


def check_break_glass(tenant: Tenant) -> Iterator[Finding]:
    """An error for every break-glass group that the exclude list, when the file manages it, lacks.

    A list that is not managed keeps its live value: only the plan can tell what would result."""
    policy = tenant.policy
    if policy is None or policy.exclude is None:
        return
    for position, key in enumerate(tenant.break_glass):
        if not key or key in policy.exclude:  # without a key: what stands there could not be read
            continue
        declared = tenant.position("tenant", "breakGlass", position)
        yield locate(
            tenant,
            ("temporaryAccessPass", "exclude"),
            Finding(
                rule="break-glass",
                severity="error",
                message=f"the break-glass group {key} is not excluded from the TAP policy",
                why="a pass for a break-glass account is a takeover of the tenant; this cannot be suppressed or "
                "overridden",
                fix=f"add {key} to temporaryAccessPass.exclude",
                related=(("declared here", declared),) if declared else (),
            ),
        )


def check_schemas(tenant: Tenant, broken: Collection[Path] = ()) -> Iterator[Finding]:
    """What the merged tenant breaks of `guardrails.schema`. Nothing is fetched: a remote reference is an error.

    Of a tenant with broken parts, what does not follow from one of them."""
    if any(path[:2] == _SCHEMA for path in broken):
        return  # what is wrong with the schema itself was found where it stands
    for schema in tenant.guardrails.schemas:
        if schema != {}:
            yield from _check_schema(tenant, schema, broken)


def _check_schema(tenant: Tenant, schema: JSONValue, broken: Collection[Path]) -> Iterator[Finding]:
    if not isinstance(schema, dict):
        yield _unusable(tenant, "a mapping is expected")
    elif not evidently_satisfies(schema, tenant.document):
        if ends_in_time(schema, tenant.document):
            yield from _judge(tenant, schema, broken)
        else:
            yield _unusable(tenant, "a pattern in it takes too long", fix="write it without a repeat inside a repeat")


def _judge(tenant: Tenant, schema: dict[str, JSONValue], broken: Collection[Path]) -> Iterator[Finding]:
    """The judgement of `jsonschema`, which also knows what a violation is called and where it is."""
    from jsonschema.exceptions import SchemaError
    from jsonschema.validators import Draft202012Validator, validator_for
    from referencing import Registry
    from referencing.exceptions import Unresolvable

    kind = validator_for(schema, default=Draft202012Validator)
    try:
        kind.check_schema(schema)
        errors = list(kind(schema, registry=Registry()).iter_errors(tenant.document))
    except SchemaError as error:
        yield _unusable(tenant, f"it is not a valid JSON Schema at {_dotted(tuple(error.absolute_path)) or 'its top'}")
    except Unresolvable as error:
        yield _unusable(tenant, f"it refers to {str(error.ref)[:_LONGEST_QUOTE]}, which is not inside it")
    except re.error:
        yield _unusable(tenant, "a pattern in it is not a valid regular expression")
    except RecursionError:
        yield _unusable(tenant, "it refers to itself without end")
    else:
        yield from (_refusal(tenant, error) for error in errors if _is_certain(error, broken))


def _is_certain(error: ValidationError, broken: Collection[Path]) -> bool:
    """Whether the tenant breaks the demand whatever its broken parts were meant to say."""
    if not broken:
        return True
    if _CONDITIONAL & set(error.absolute_schema_path):
        return False
    path = tuple(error.absolute_path)
    if error.validator == "required":
        return not any(other == path[: len(other)] or other[:-1] == path for other in broken)
    return not any(other == path[: len(other)] or path == other[: len(path)] for other in broken)


def _refusal(tenant: Tenant, error: ValidationError) -> Finding:
    path = tuple(error.absolute_path)
    keyword = str(error.validator)
    rule = error.schema if isinstance(error.schema, dict) else {}
    why = rule.get("description") or rule.get("title") or "guardrails.schema is the organisation's own policy"
    return locate(
        tenant,
        path if tenant.position(*path) else _SCHEMA,
        Finding(
            rule="guardrail-schema",
            severity="error",
            message=f"{_dotted(path) or 'the tenant'}: {_SPOKEN.get(keyword, f'refused by {keyword}')}",
            why=str(why),
            fix=f"the guardrail says {_quote({keyword: error.validator_value})}",
        ),
    )


def _unusable(
    tenant: Tenant, cause: str, *, fix: str = "write a JSON Schema whose references all begin with #"
) -> Finding:
    return locate(
        tenant,
        _SCHEMA,
        Finding(
            rule="guardrail-schema",
            severity="error",
            message=f"guardrails.schema cannot be used: {cause}",
            why="a guardrail that cannot be tested protects nothing, so the tenant is refused",
            fix=fix,
        ),
    )


def _dotted(path: Path) -> str:
    return ".".join(str(part) for part in path)


def _quote(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1] + "…"
