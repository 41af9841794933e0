"""Reads Entra dynamic membership rules and Intune assignment filters far enough to say whom they admit.

Both are one little language: `(device.deviceTrustType -eq "AzureAD") and -not (device.model -in ["a", "b"])`. The
reader is total: whatever it does not understand becomes `Opaque`, about which nothing is ever claimed.
Named tuples instead of dataclasses: making the classes is a third of the cost, and every offline command pays it.
Grammar: Microsoft Entra "Manage rules for dynamic membership groups"; Intune "Filter properties, operators, and rules".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import NamedTuple, TypeAlias, Union

MAXIMUM_DEPTH = 40
"""Parentheses and negations nested deeper than this are not read: real rules nest a handful."""

Facts: TypeAlias = Mapping[str, str]
"""What is known of an imagined user or device: property name in lower case to value."""

_TOKENS = re.compile(
    r"""\s*(?:
        (?P<string>"(?:[^"`]|`.|"")*"|'(?:[^'`]|`.|'')*')
      | (?P<mark>[()\[\],])
      | (?P<word>[^\s()\[\],"']+)
      | (?P<broken>.)
    )""",
    re.VERBOSE | re.DOTALL,
)
_NEGATIVE = {
    "ne": "eq",
    "notin": "in",
    "notcontains": "contains",
    "notstartswith": "startswith",
    "notendswith": "endswith",
}
_ORDERED = frozenset({"gt", "ge", "lt", "le"})
_OPERATORS = frozenset({*_NEGATIVE, *_NEGATIVE.values(), *_ORDERED, "match", "notmatch"})
_VERSION = re.compile(r"[0-9]{1,9}(?:\.[0-9]{1,9}){0,5}", re.ASCII)


class Comparison(NamedTuple):
    """`name operator literal`; the literal `null` is None. Names of properties are in lower case."""

    name: str
    operator: str
    literals: tuple[str | None, ...]
    is_negated: bool = False
    """It stands under an odd number of `not`."""

    def holds(self, facts: Facts) -> bool | None:
        """Whether the comparison itself (its negation aside) is true of the facts; None when they do not tell."""
        actual = facts.get(self.name)
        if actual is None:
            return None
        if self.operator in _NEGATIVE:
            positive = _holds(_NEGATIVE[self.operator], actual.casefold(), self.literals)
            return None if positive is None else not positive
        return _holds(self.operator, actual.casefold(), self.literals)

    @property
    def is_positive(self) -> bool:
        """Whether it says what something is, and not what it is not."""
        return (self.operator not in _NEGATIVE) != self.is_negated

    def lets_in(self, facts: Facts) -> bool:
        """Whether this comparison, its negation included, names a literal and is certainly true of the facts."""
        held = self.holds(facts)
        return held is not None and None not in self.literals and held != self.is_negated


class All(NamedTuple):
    parts: tuple[Expression, ...]


class Some(NamedTuple):
    parts: tuple[Expression, ...]


class Not(NamedTuple):
    part: Expression


class Opaque(NamedTuple):
    """Text that the reader does not understand."""


Expression: TypeAlias = Union[Comparison, All, Some, Not, Opaque]


class MembershipRule(NamedTuple):
    """A rule as read."""

    expression: Expression
    comparisons: tuple[Comparison, ...]
    """In the order of the text."""
    is_whole: bool
    """False when the structure of the text could not be followed: then nothing is said about whom it admits."""

    def evaluate(self, facts: Facts) -> bool | None:
        """Whether the rule admits what the facts describe; None when they do not tell."""
        return _evaluate(self.expression, facts) if self.is_whole else None

    def inverted(self) -> MembershipRule:
        """The rule that admits exactly what this one does not: a filter used to exclude."""
        return _rule(Not(self.expression), is_whole=self.is_whole)

    def names(self, facts: Facts, name: str, *, ordinary: Facts) -> bool:
        """Whether a comparison of the property `name` lets the described in on purpose, and nothing else keeps it out.

        On purpose: it says what to let in (`-in ["Core"]`), or keeps the ordinary out (`-ne "Member"`)."""
        if not self.is_whole or self.evaluate(facts) is False:
            return False
        return any(
            comparison.lets_in(facts) and (comparison.is_positive or not comparison.lets_in(ordinary))
            for comparison in self.comparisons
            if comparison.name == name
        )

    def uses(self, prefix: str) -> bool:
        """Whether a property of this kind (`user.`, `device.`, or a whole name) is compared."""
        return any(comparison.name.startswith(prefix) for comparison in self.comparisons)


def parse(text: str) -> MembershipRule:
    """The rule that `text` says. Never fails: what cannot be read is Opaque."""
    reader = _Reader(_tokens(text))
    expression = reader.read()
    return _rule(expression, is_whole=reader.is_whole)


def _rule(expression: Expression, *, is_whole: bool) -> MembershipRule:
    return MembershipRule(expression, tuple(_comparisons(expression, is_negated=False)), is_whole)


def _comparisons(expression: Expression, *, is_negated: bool) -> Iterator[Comparison]:
    match expression:
        case Comparison(name, operator, literals):
            yield Comparison(name, operator, literals, is_negated)
        case All(parts) | Some(parts):
            for part in parts:
                yield from _comparisons(part, is_negated=is_negated)
        case Not(part):
            yield from _comparisons(part, is_negated=not is_negated)
        case Opaque():
            return


def _evaluate(expression: Expression, facts: Facts) -> bool | None:
    match expression:
        case Comparison():
            return expression.holds(facts)
        case Not(part):
            verdict = _evaluate(part, facts)
            return None if verdict is None else not verdict
        case All(parts):
            verdicts = [_evaluate(part, facts) for part in parts]
            return False if False in verdicts else None if None in verdicts else True
        case Some(parts):
            verdicts = [_evaluate(part, facts) for part in parts]
            return True if True in verdicts else None if None in verdicts else False
        case Opaque():
            return None


def _holds(operator: str, actual: str, literals: tuple[str | None, ...]) -> bool | None:
    """A positive operator applied to a value that is present; case does not count in either product."""
    wanted = [literal.casefold() for literal in literals if literal is not None]
    match operator:
        case "eq" | "in":
            return actual in wanted
        case "contains":
            return any(literal in actual for literal in wanted)
        case "startswith":
            return any(actual.startswith(literal) for literal in wanted)
        case "endswith":
            return any(actual.endswith(literal) for literal in wanted)
        case _ if operator in _ORDERED and len(wanted) == 1:
            return _in_order(operator, actual, wanted[0])
        case _:  # a regular expression from a tenant is untrusted and is not run
            return None


def _in_order(operator: str, actual: str, literal: str) -> bool | None:
    left, right = _version(actual), _version(literal)
    if left is None or right is None:
        return None
    return {"gt": left > right, "ge": left >= right, "lt": left < right, "le": left <= right}[operator]


def _version(text: str) -> tuple[int, ...] | None:
    """A dotted version for comparison: missing parts count as 0."""
    if not _VERSION.fullmatch(text):
        return None
    parts = tuple(int(part) for part in text.split("."))
    return parts + (0,) * (6 - len(parts))


class _Token(NamedTuple):
    kind: str
    text: str

    @property
    def word(self) -> str:
        """A bare word as the grammar compares it: lower case, without the optional hyphen; empty for anything else."""
        return self.text.removeprefix("-").casefold() if self.kind == "word" else ""


_END = _Token("end", "")


def _tokens(text: str) -> list[_Token]:
    return [_Token(found.lastgroup or "", found[found.lastgroup or 0]) for found in _TOKENS.finditer(text)]


class _Reader:
    """Recursive descent; `or` binds weakest, then `and`, then `not`."""

    def __init__(self, tokens: list[_Token]) -> None:
        self._tokens = tokens
        self._next = 0
        self.is_whole = True

    def read(self) -> Expression:
        expression = self._alternatives(depth=0)
        self.is_whole = self.is_whole and self._peek() is _END
        return expression

    def _peek(self, ahead: int = 0) -> _Token:
        place = self._next + ahead
        return self._tokens[place] if place < len(self._tokens) else _END

    def _take(self) -> _Token:
        token = self._peek()
        self._next += 1
        return token

    def _alternatives(self, depth: int) -> Expression:
        parts = [self._conjunction(depth)]
        while self._peek().word == "or":
            self._take()
            parts.append(self._conjunction(depth))
        return parts[0] if len(parts) == 1 else Some(tuple(parts))

    def _conjunction(self, depth: int) -> Expression:
        parts = [self._negation(depth)]
        while self._peek().word == "and":
            self._take()
            parts.append(self._negation(depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _negation(self, depth: int) -> Expression:
        is_negated = False
        while self._peek().word == "not":
            self._take()
            is_negated = not is_negated
        expression = self._operand(depth)
        return Not(expression) if is_negated else expression

    def _operand(self, depth: int) -> Expression:
        if self._peek().text == "(" and self._peek().kind == "mark":
            return self._parenthesis(depth)
        if self._peek().kind == "word" and self._peek(1).word in _OPERATORS:
            return self._comparison()
        if self._peek().kind == "word" and self._peek(1).word in {"any", "all"}:
            return self._quantified(depth)
        return self._skip()

    def _parenthesis(self, depth: int) -> Expression:
        if depth >= MAXIMUM_DEPTH:
            self.is_whole = False
            return self._skip()
        self._take()
        expression = self._alternatives(depth + 1)
        self.is_whole = self.is_whole and self._take().text == ")"
        return expression

    def _quantified(self, depth: int) -> Expression:
        """`property -any (_ -contains "x")`: `_` is an element of the property, about which no facts are given."""
        name = self._take().word
        self._take()
        if self._peek().text != "(":
            return self._skip()
        return _renamed(self._parenthesis(depth), name)

    def _comparison(self) -> Expression:
        name, operator = self._take().word, self._take().word
        literals = self._literals()
        return self._skip() if literals is None else Comparison(name, operator, literals)

    def _literals(self) -> tuple[str | None, ...] | None:
        token = self._peek()
        if token.kind in {"string", "word"}:
            return (_literal(self._take()),)
        if token.text != "[":
            return None
        self._take()
        literals: list[str | None] = []
        while self._peek().kind in {"string", "word"} or self._peek().text == ",":
            token = self._take()
            if token.text != "," or token.kind == "string":
                literals.append(_literal(token))
        if self._peek().text != "]":
            return None
        self._take()
        return tuple(literals)

    def _skip(self) -> Expression:
        """Passes over what is not understood, up to where an expression may end."""
        while self._peek() is not _END and self._peek().text != ")" and self._peek().word not in {"and", "or"}:
            self._take()
        return Opaque()


def _literal(token: _Token) -> str | None:
    if token.kind == "string":
        quote = token.text[0]
        return re.sub(r"`(.)", r"\1", token.text[1:-1].replace(quote * 2, quote), flags=re.DOTALL)
    return None if token.text.casefold() == "null" else token.text


def _renamed(expression: Expression, name: str) -> Expression:
    """The expression with `_` replaced by the property whose elements it stands for."""
    match expression:
        case Comparison("_", operator, literals):
            return Comparison(name, operator, literals)
        case All(parts):
            return All(tuple(_renamed(part, name) for part in parts))
        case Some(parts):
            return Some(tuple(_renamed(part, name) for part in parts))
        case Not(part):
            return Not(_renamed(part, name))
        case _:
            return expression
