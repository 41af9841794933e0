"""Text and JSON from the network, made harmless before any other code uses it."""

from __future__ import annotations

import json
import re
import unicodedata
from typing import NoReturn

from tapctl.model.values import JSONValue

MESSAGE_LENGTH = 500
"""The most characters of a remote message to show."""

# Cc: control, Cf: format (bidirectional overrides), Cs: lone surrogates, Co and Cn: without meaning, Zl and Zp: breaks
_HARMFUL = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})
_SURROGATE_ESCAPE = re.compile(rb"\\u[dD][89a-fA-F]")


def clean(text: str, limit: int = MESSAGE_LENGTH) -> str:
    """One line of at most `limit` characters, without characters that control a terminal."""
    beginning = text[: limit * 4]
    visible = "".join(" " if unicodedata.category(character) in _HARMFUL else character for character in beginning)
    line = " ".join(visible.split())
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def parse_json(content: bytes | str) -> JSONValue:
    """Parse JSON from Graph.

    Raises:
        ValueError: it is not JSON, contains NaN or Infinity, or is nested too deeply.
    """
    try:
        value: JSONValue = json.loads(content, parse_constant=_refuse_constant)
    except RecursionError:
        raise ValueError("nested too deeply") from None
    raw = content if isinstance(content, bytes) else content.encode("utf-8", "replace")
    if _SURROGATE_ESCAPE.search(raw):
        return _without_lone_surrogates(value)
    return value


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def _without_lone_surrogates(value: JSONValue) -> JSONValue:
    """An escaped half of a surrogate pair is valid JSON but not valid text: it cannot be encoded as UTF-8."""
    if isinstance(value, str):
        return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    if isinstance(value, list):
        return [_without_lone_surrogates(item) for item in value]
    if isinstance(value, dict):
        return {str(_without_lone_surrogates(key)): _without_lone_surrogates(item) for key, item in value.items()}
    return value
