"""Faults on request: rules that make chosen requests fail in a chosen way.

A rule is a JSON object. What it leaves out matches everything:

    [{"method": "POST", "path": "/assign$", "first": 1, "last": 1, "action": "lose-after"},
     {"path": "configurationPolicies", "writes": true, "action": "status", "status": 503, "retryAfter": 2}]
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from tapctl.errors import UsageError
from tapctl.sandbox.behaviour import read_json
from tapctl.sandbox.wire import Call, JSONObject

Action = Literal[
    "status",
    "throttle",
    "refuse-connection",
    "lose-before",
    "lose-after",
    "delay",
    "html",
    "broken-json",
    "exit-before",
    "exit-after",
]

ACTIONS: Mapping[Action, str] = {
    "status": "answers `status` with `code`, `message`, `retryAfter`, `body`; the request is not carried out",
    "throttle": "answers 429, for as long as the rule matches",
    "refuse-connection": "the connection is not made",
    "lose-before": "the connection is lost before the request is carried out",
    "lose-after": "the connection is lost after the request was carried out",
    "delay": "the request is carried out at once and answered `seconds` later",
    "html": "a proxy answers with a page (`status`, 502 unless given); the request is not carried out",
    "broken-json": "the request is carried out and its answer is cut off in the middle",
    "exit-before": "the process ends with 137 before the request is carried out, as if killed",
    "exit-after": "the process ends with 137 after the request was carried out and saved",
}

PART_ACTIONS = frozenset({"status", "throttle"})
"""Actions that strike one part of a batch; all others strike the whole call."""

_KEYS = {
    "action": "action",
    "method": "method",
    "path": "path",
    "version": "version",
    "writes": "writes_only",
    "first": "first",
    "last": "last",
    "status": "status",
    "code": "code",
    "message": "message",
    "retryAfter": "retry_after",
    "seconds": "seconds",
    "body": "body",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """One rule: which requests it strikes, and how."""

    action: Action
    method: str | None = None
    path: str = ""
    """A regular expression searched in path and query below the version, case ignored."""
    version: str | None = None
    writes_only: bool = False
    """Only requests that change the tenant."""
    first: int = 1
    """The first matching request that is struck, counted from 1 in this process."""
    last: int | None = None
    """The last one; None: no end."""
    status: int | None = None
    code: str | None = None
    message: str | None = None
    retry_after: int | None = None
    """Seconds; for a 429 the switch retry_after_seconds holds when not given."""
    seconds: float = 0.0
    body: JSONObject | None = None
    """Answered instead of the usual error document."""

    def __post_init__(self) -> None:
        if self.action not in get_args(Action):
            raise UsageError(f"the sandbox has no fault {self.action!r}", fix=f"faults: {', '.join(ACTIONS)}")
        if self.action == "status" and not 200 <= (self.status or 0) <= 599:
            raise UsageError("a sandbox fault of action status needs a status from 200 to 599")
        try:
            re.compile(self.path)
        except re.error as error:
            raise UsageError(f"the path of a sandbox fault is no regular expression: {error}") from error

    def matches(self, call: Call) -> bool:
        return (
            (self.method is None or self.method.upper() == call.method)
            and (self.version is None or self.version == call.version)
            and (call.is_write or not self.writes_only)
            and re.search(self.path, call.target, re.IGNORECASE) is not None
        )


@dataclass(slots=True)
class Faults:
    """Rules with their counters. The counters belong to this process and are never saved."""

    rules: Sequence[Fault] = ()
    _seen: dict[int, int] = field(default_factory=dict)

    def strike(self, calls: Sequence[Call]) -> list[Fault | None]:
        """Which rule strikes each of `calls`: a request alone, or a batch and its parts.

        A request is counted for every rule that matches it, and the first whose range it falls into strikes. A rule
        that matches a batch as such leaves its parts alone.
        """
        whole, *parts = calls
        every = frozenset(range(len(self.rules)))
        of_whole = frozenset(index for index in every if self.rules[index].matches(whole))
        return [self._strike(whole, of_whole), *(self._strike(part, every - of_whole) for part in parts)]

    def _strike(self, call: Call, considered: frozenset[int]) -> Fault | None:
        struck: Fault | None = None
        for index, rule in enumerate(self.rules):
            if index not in considered or not rule.matches(call):
                continue
            occurrence = self._seen[index] = self._seen.get(index, 0) + 1
            due = rule.first <= occurrence and (rule.last is None or occurrence <= rule.last)
            if due and struck is None:
                struck = rule
        return struck


def parse(text: str) -> Faults:
    """Read the JSON list `text`, or the file named by `@file`.

    Raises:
        UsageError: not a list of rules, an unknown key or action.
    """
    document = read_json(text, "sandbox faults")
    if not isinstance(document, list):
        raise UsageError("the sandbox faults are not a JSON list")
    return Faults(tuple(_rules(document)))


def _rules(document: Iterable[Any]) -> Iterable[Fault]:
    for entry in document:
        if not isinstance(entry, dict) or "action" not in entry:
            raise UsageError("a sandbox fault is an object with an action", fix=f"actions: {', '.join(ACTIONS)}")
        unknown = sorted(set(entry) - set(_KEYS))
        if unknown:
            raise UsageError(f"a sandbox fault has no key {unknown[0]!r}", fix=f"keys: {', '.join(_KEYS)}")
        try:
            yield Fault(**{_KEYS[key]: value for key, value in entry.items()})
        except TypeError as error:
            raise UsageError(f"a sandbox fault has a value of the wrong type: {error}") from error
