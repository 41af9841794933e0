"""Graph's error bodies, in all the forms that its services use.

Source: https://learn.microsoft.com/graph/errors (2026-11-22).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tapctl.graph.replies import HttpReply
from tapctl.graph.untrusted import clean, parse_json
from tapctl.model.values import JSONValue

_CODE_LENGTH = 120
_ID_LENGTH = 100
_DEPTH = 8
_INTUNE_TAIL = re.compile(r"\s*-\s*Operation ID \(for customer support\):.*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class GraphError:
    """A well-formed error of Graph. The text is cleaned, but still untrusted."""

    code: str
    message: str


def parse_error(reply: HttpReply) -> GraphError | None:
    """The error in a reply's body, or None when the body is not a Graph error."""
    error = _member(reply.body, "error")
    code = _member(error, "code")
    if not isinstance(code, str) or not clean(code, _CODE_LENGTH):
        return None
    message = _member(error, "message")
    return GraphError(clean(code, _CODE_LENGTH), _readable(message) if isinstance(message, str) else "")


def request_id(reply: HttpReply) -> str:
    """The id that Microsoft support needs for this request: from the headers, else from an inner error."""
    named = reply.headers.get("request-id") or reply.headers.get("client-request-id")
    if named:
        return clean(named, _ID_LENGTH)
    inner = list(_inner_errors(_member(reply.body, "error")))
    for name in ("request-id", "client-request-id"):
        for error in inner:
            value = _member(error, name)
            if isinstance(value, str) and value:
                return clean(value, _ID_LENGTH)
    return ""


def _inner_errors(error: JSONValue) -> Iterator[JSONValue]:
    for _ in range(_DEPTH):
        if not isinstance(error, dict):
            return
        yield error
        error = _member(error, "innerError")


def _readable(message: str) -> str:
    """The readable part of a message: Intune sends a JSON document as a string, followed by support ids."""
    for _ in range(_DEPTH):
        if not message.lstrip().startswith("{"):
            break
        try:
            inner = _member(parse_json(message), "Message")
        except ValueError:
            break
        if not isinstance(inner, str):
            break
        message = inner
    return clean(_INTUNE_TAIL.sub("", message) or message)


def _member(value: JSONValue, name: str) -> JSONValue:
    """A member of an object, its name in any case: `innerError` is also spelt `innererror`."""
    if not isinstance(value, Mapping):
        return None
    if name in value:
        return value[name]
    lowered = name.lower()
    return next((item for key, item in value.items() if key.lower() == lowered), None)
