"""Patterns of a guardrail schema come from a pull request, and Python's regular expressions know no time limit."""

from __future__ import annotations

import json
import re
import sys

from tapctl.model.values import JSONValue

SECONDS = 5.0
"""How long judging a tenant by patterns that may take for ever is tried."""

_REPEATED_GROUP = re.compile(r"\)[*+{]")
_REPEAT = re.compile(r"[*+]|\{\d*,")
_FEW_REPEATS = 2
"""So many repeats, none of them around a group, take at most quadratic time."""

_PROGRAM = """
import json, sys
from jsonschema.validators import Draft202012Validator, validator_for
from referencing import Registry
given = json.load(sys.stdin)
kind = validator_for(given["schema"], default=Draft202012Validator)
list(kind(given["schema"], registry=Registry()).iter_errors(given["document"]))
"""
"""Judges in a process that can be ended; how it ends says nothing but that it did."""


def patterns_of(schema: JSONValue) -> list[str]:
    """Every text of a schema that may be used as a regular expression."""
    found: list[str] = []
    waiting: list[JSONValue] = [schema]
    while waiting:
        value = waiting.pop()
        if isinstance(value, list):
            waiting += value
        elif isinstance(value, dict):
            pattern, named = value.get("pattern"), value.get("patternProperties")
            found += [pattern] if isinstance(pattern, str) else []
            found += list(named) if isinstance(named, dict) else []
            waiting += value.values()
    return found


def is_plain(pattern: str) -> bool:
    """Whether a pattern is too simple to take long."""
    return _REPEATED_GROUP.search(pattern) is None and len(_REPEAT.findall(pattern)) <= _FEW_REPEATS


def ends_in_time(schema: JSONValue, document: JSONValue, *, seconds: float = SECONDS) -> bool:
    """Whether judging a document by a schema comes to an end; tried elsewhere where its patterns leave a doubt."""
    if all(is_plain(pattern) for pattern in patterns_of(schema)):
        return True
    import subprocess  # costs start-up time, and few schemas need it

    try:
        subprocess.run(  # noqa: S603 - no shell, and nothing of the schema is in the command
            [sys.executable, "-I", "-c", _PROGRAM],
            input=json.dumps({"schema": schema, "document": document}).encode(),
            capture_output=True,
            timeout=seconds,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    return True
