"""Reading wire JSON without trusting it: every accessor either returns the type it promises or raises Malformed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import TypeVar
from urllib.parse import quote

from tapctl.model.requests import Answer, Problem, ProblemKind, Read, Reading, Reply
from tapctl.model.values import JSONValue

JSONObject = dict[str, JSONValue]
ElementT = TypeVar("ElementT")


class Malformed(ValueError):
    """An answer does not have the shape that Graph documents."""


def as_object(value: JSONValue, what: str) -> JSONObject:
    if not isinstance(value, dict):
        raise Malformed(f"{what} is not an object")
    return value


def objects(value: JSONValue, what: str) -> list[JSONObject]:
    """A list of objects.

    Raises:
        Malformed: when it is anything else, including null: a missing list is not an empty one.
    """
    if not isinstance(value, list):
        raise Malformed(f"{what} is not a list")
    return [as_object(item, what) for item in value]


def read_elements(read: Read, decode: Callable[[JSONObject], ElementT]) -> Reading[tuple[ElementT, ...] | Problem]:
    """Every element of a collection, decoded; a problem where one of them cannot be."""
    (reply,) = yield [read]
    if isinstance(reply, Problem):
        return reply
    try:
        return tuple(decode(item) for item in elements(reply.body))
    except Malformed as error:
        return malformed(reply, read.purpose, error)


def elements(body: JSONValue) -> list[JSONObject]:
    """The elements of an answer that is a collection.

    Raises:
        Malformed: when the answer is not a collection.
    """
    return objects(as_object(body, "the answer").get("value"), "value")


def text(item: JSONObject, name: str) -> str:
    """A property that must be a string and not empty."""
    value = item.get(name)
    if not isinstance(value, str) or not value:
        raise Malformed(f"{name} is not a string")
    return value


def text_or_none(item: JSONObject, name: str) -> str | None:
    value = item.get(name)
    if value is not None and not isinstance(value, str):
        raise Malformed(f"{name} is not a string")
    return value


def integer_or_none(item: JSONObject, name: str) -> int | None:
    value = item.get(name)
    if value is not None and (isinstance(value, bool) or not isinstance(value, int)):
        raise Malformed(f"{name} is not a whole number")
    return value


def boolean_or_none(item: JSONObject, name: str) -> bool | None:
    value = item.get(name)
    if value is not None and not isinstance(value, bool):
        raise Malformed(f"{name} is neither true nor false")
    return value


def texts(item: JSONObject, name: str) -> tuple[str, ...]:
    """A list of strings; a property that is missing or null is an empty list."""
    value = item.get(name)
    if value is None:
        return ()
    if not isinstance(value, list) or not all(isinstance(entry, str) for entry in value):
        raise Malformed(f"{name} is not a list of strings")
    return tuple(str(entry) for entry in value)


def identifier(item: JSONObject, name: str = "id") -> str:
    """An object id, in lower case: Graph ignores case when it compares ids."""
    return text(item, name).lower()


def odata_type(item: JSONObject) -> str:
    """The last part of `@odata.type`, in lower case; empty when it is missing."""
    value = item.get("@odata.type")
    return value.rsplit(".", 1)[-1].lower() if isinstance(value, str) else ""


def malformed(outcome: Answer, purpose: str, error: Malformed) -> Problem:
    """The problem for an answer of the wrong shape."""
    return Problem(
        kind=ProblemKind.MALFORMED,
        purpose=purpose,
        message=f"the answer is not as Graph documents it: {error}",
        status=outcome.status,
        request_id=outcome.headers.get("request-id", ""),
    )


def is_missing(outcome: Reply) -> bool:
    """Whether Graph itself says that there is no such object."""
    return isinstance(outcome, Problem) and outcome.kind is ProblemKind.NOT_FOUND


def as_malformed(problem: Problem) -> Problem:
    """A problem with an object that must exist: a 404 does not mean that it is absent, so it becomes MALFORMED."""
    return replace(problem, kind=ProblemKind.MALFORMED) if problem.kind is ProblemKind.NOT_FOUND else problem


def literal(value: str) -> str:
    """An OData string literal, percent-encoded: quotes are doubled."""
    return "'" + quote(value.replace("'", "''"), safe="") + "'"


def segment(value: str) -> str:
    """One segment of a path, percent-encoded."""
    return quote(value, safe="")
