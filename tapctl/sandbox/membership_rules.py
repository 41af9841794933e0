"""Dynamic membership: which users or devices a group's rule holds, for the plain part of the rule language.

A rule beyond it is `None` here: its group keeps the members that it has.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from tapctl.sandbox.wire import JSONObject

Test = Callable[[Mapping[str, Any]], bool]

_TOKEN = re.compile(r"""\s*("[^"]*"|'[^']*'|\(|\)|\[|\]|,|-?[A-Za-z_][\w.]*|-?\d+)""")
_OPERATORS: Mapping[str, Callable[[Any, Any], bool]] = {
    "-eq": lambda left, right: left == right,
    "-ne": lambda left, right: left != right,
    "-startswith": lambda left, right: str(left or "").startswith(str(right)),
    "-notstartswith": lambda left, right: not str(left or "").startswith(str(right)),
    "-contains": lambda left, right: right in left if isinstance(left, list) else str(right) in str(left or ""),
    "-notcontains": lambda left, right: right not in (left if isinstance(left, list) else str(left or "")),
    "-in": lambda left, right: left in right,
    "-notin": lambda left, right: left not in right,
}
_PROPERTIES = {
    "device.devicetrusttype": "trustType",
    "device.deviceostype": "operatingSystem",
    "device.deviceosversion": "operatingSystemVersion",
    "device.devicephysicalids": "physicalIds",
    "device.accountenabled": "accountEnabled",
    "device.displayname": "displayName",
    "device.objectid": "id",
    "user.objectid": "id",
    "user.accountenabled": "accountEnabled",
    "user.department": "department",
    "user.displayname": "displayName",
    "user.jobtitle": "jobTitle",
    "user.mail": "mail",
    "user.userprincipalname": "userPrincipalName",
    "user.usertype": "userType",
}


class _NotUnderstood(Exception):
    pass


def members_of_rule(rule: str, users: Sequence[JSONObject], devices: Sequence[JSONObject]) -> list[str] | None:
    """The ids that a membership rule holds, or None when the rule is beyond what is understood here."""
    try:
        parser = _Parser(rule)
        test = parser.either()
        if parser.peek():
            return None
    except _NotUnderstood:
        return None
    is_about_devices = "device." in rule.lower()
    return [item["id"] for item in (devices if is_about_devices else users) if test(item)]


def _folded(value: Any) -> Any:
    if isinstance(value, list):
        return [_folded(item) for item in value]
    return value.lower() if isinstance(value, str) else value


class _Parser:
    def __init__(self, rule: str) -> None:
        self._tokens: list[str] = []
        position, rule = 0, rule.strip()
        while position < len(rule):
            match = _TOKEN.match(rule, position)
            if match is None:
                raise _NotUnderstood
            self._tokens.append(match[1])
            position = match.end()
        self._next = 0

    def peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def _take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token.lower() != expected):
            raise _NotUnderstood
        self._next += 1
        return token

    def either(self) -> Test:
        tests = [self._both()]
        while self.peek().lower() in {"-or", "or"}:
            self._take()
            tests.append(self._both())
        return lambda item: any(test(item) for test in tests)

    def _both(self) -> Test:
        tests = [self._unary()]
        while self.peek().lower() in {"-and", "and"}:
            self._take()
            tests.append(self._unary())
        return lambda item: all(test(item) for test in tests)

    def _unary(self) -> Test:
        if self.peek().lower() in {"-not", "not"}:
            self._take()
            inner = self._unary()
            return lambda item: not inner(item)
        if self.peek() == "(":
            self._take()
            inner = self.either()
            self._take(")")
            return inner
        return self._comparison()

    def _comparison(self) -> Test:
        name = self._take().lower()
        if name != "_" and name not in _PROPERTIES:
            raise _NotUnderstood
        operator = self._take().lower()
        if operator in {"-any", "-all"}:
            return self._quantified(name, operator)
        compare = _OPERATORS.get(operator)
        if compare is None:
            raise _NotUnderstood
        literal = self._literal()
        property_name = _PROPERTIES.get(name, "_")
        return lambda item: compare(_folded(item.get(property_name)), literal)

    def _quantified(self, name: str, operator: str) -> Test:
        self._take("(")
        inner = self.either()
        self._take(")")
        property_name = _PROPERTIES[name]
        combine = any if operator == "-any" else all
        return lambda item: combine(inner({"_": element}) for element in item.get(property_name) or ())

    def _literal(self) -> Any:
        if self.peek() == "[":
            self._take()
            values = [self._literal()]
            while self.peek() == ",":
                self._take()
                values.append(self._literal())
            self._take("]")
            return values
        token = self._take()
        if token[0] in "\"'":
            return token[1:-1].lower()
        words: Mapping[str, Any] = {"true": True, "false": False, "null": None}
        if token.lower() not in words:
            raise _NotUnderstood
        return words[token.lower()]
