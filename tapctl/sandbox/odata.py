"""OData query options: $filter, $select, $orderby, $top, $count and paging, as far as Graph allows them."""

from __future__ import annotations

import base64
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from urllib.parse import quote, urlencode

from tapctl.sandbox.errors import GraphError, bad_request, not_emulated, unsupported_query
from tapctl.sandbox.exchange import Exchange
from tapctl.sandbox.wire import JSONObject, Reply

OR_LIMIT = 15
"""The most clauses that `or` or `in` may join in a directory filter."""
DIRECTORY_TOP_MAXIMUM = 999

Test = Callable[[Any], bool]

_TOKEN = re.compile(r"\s*(?:('(?:[^']|'')*')|([A-Za-z0-9_@.$:/+-]+)|([(),]))")
_COMPARISONS = frozenset({"eq", "ne", "gt", "ge", "lt", "le", "in"})
_FUNCTIONS = frozenset({"startswith", "endswith", "contains"})
_NUMBER = re.compile(r"-?\d+(\.\d+)?$")


@dataclass(frozen=True, slots=True)
class Filter:
    """A $filter: what it lets through, and of what it is made, for services that do not allow everything."""

    matches: Test
    properties: frozenset[str] = frozenset()
    operators: frozenset[str] = frozenset()
    joined_by_or: int = 1
    """How many clauses `or` and `in` join at most."""


class FilterSyntax(Exception):
    """The text is no filter."""


def parse_filter(text: str) -> Filter:
    """Read a $filter.

    Raises:
        FilterSyntax: it is none, or not of the part of OData that is understood here.
    """
    parser = _Parser(_tokens(text))
    parsed = parser.either()
    if parser.peek():
        raise FilterSyntax(f"Syntax error at '{parser.peek()}' in '{text}'.")
    return parsed


def _tokens(text: str) -> list[str]:
    found, position = [], 0
    text = text.strip()
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise FilterSyntax(f"Syntax error at position {position} in '{text}'.")
        found.append(match[0].strip())
        position = match.end()
    return found


class _Parser:
    """Recursive descent: either > both > unary > clause."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._next = 0

    def peek(self) -> str:
        return self._tokens[self._next] if self._next < len(self._tokens) else ""

    def take(self, expected: str = "") -> str:
        token = self.peek()
        if not token or (expected and token != expected):
            raise FilterSyntax(f"Syntax error: expected '{expected or 'more'}', found '{token or 'the end'}'.")
        self._next += 1
        return token

    def either(self) -> Filter:
        parts = [self._both()]
        while self.peek().lower() == "or":
            self.take()
            parts.append(self._both())
        if len(parts) == 1:
            return parts[0]
        tests = [part.matches for part in parts]
        return _joined(parts, lambda item: any(test(item) for test in tests), sum(part.joined_by_or for part in parts))

    def _both(self) -> Filter:
        parts = [self._unary()]
        while self.peek().lower() == "and":
            self.take()
            parts.append(self._unary())
        if len(parts) == 1:
            return parts[0]
        tests = [part.matches for part in parts]
        return _joined(parts, lambda item: all(test(item) for test in tests), max(part.joined_by_or for part in parts))

    def _unary(self) -> Filter:
        if self.peek().lower() == "not":
            self.take()
            inner = self._unary()
            test = inner.matches
            return Filter(lambda item: not test(item), inner.properties, inner.operators | {"not"}, inner.joined_by_or)
        if self.peek() == "(":
            self.take()
            inner = self.either()
            self.take(")")
            return inner
        return self._clause()

    def _clause(self) -> Filter:
        name = self.take()
        if self.peek() == "(" and name.lower() in _FUNCTIONS:
            return self._function(name.lower())
        if self.peek() == "(" and name.lower().endswith("/any"):
            return self._any(name[:-4])
        operator = self.take().lower()
        if operator not in _COMPARISONS:
            raise FilterSyntax(f"Unknown operator '{operator}'.")
        if operator == "in":
            values = self._list()
            wanted = [_folded(value) for value in values]
            return Filter(
                lambda item: _folded(_value(item, name)) in wanted, frozenset({name}), frozenset({"in"}), len(values)
            )
        literal = _literal(self.take())
        return Filter(
            lambda item: _compare(_value(item, name), operator, literal), frozenset({name}), frozenset({operator})
        )

    def _function(self, function: str) -> Filter:
        self.take("(")
        name = self.take()
        self.take(",")
        literal = str(_folded(_literal(self.take())))
        self.take(")")
        tests: Mapping[str, Callable[[str], bool]] = {
            "startswith": lambda text: text.startswith(literal),
            "endswith": lambda text: text.endswith(literal),
            "contains": lambda text: literal in text,
        }
        test = tests[function]
        return Filter(
            lambda item: test(str(_folded(_value(item, name)) or "")), frozenset({name}), frozenset({function})
        )

    def _any(self, name: str) -> Filter:
        self.take("(")
        variable, _, first = self.take().partition(":")
        tokens = [first]
        depth = 1
        while depth:
            token = self.take()
            depth += {"(": 1, ")": -1}.get(token, 0)
            tokens.append(token)
        prefix = f"{variable}/"
        inner = parse_filter(" ".join(token.removeprefix(prefix) for token in tokens[:-1]))

        def test(item: Any) -> bool:
            elements = _value(item, name) or ()
            return any(
                inner.matches(element if isinstance(element, Mapping) else {variable: element}) for element in elements
            )

        return Filter(test, frozenset({name}), inner.operators | {"any"}, inner.joined_by_or)

    def _list(self) -> list[Any]:
        self.take("(")
        values = [_literal(self.take())]
        while self.peek() == ",":
            self.take()
            values.append(_literal(self.take()))
        self.take(")")
        return values


def _joined(parts: Iterable[Filter], test: Test, joined_by_or: int) -> Filter:
    parts = tuple(parts)
    return Filter(
        test,
        frozenset().union(*(part.properties for part in parts)),
        frozenset().union(*(part.operators for part in parts)),
        joined_by_or,
    )


def _literal(token: str) -> Any:
    if token.startswith("'"):
        return token[1:-1].replace("''", "'")
    words: Mapping[str, Any] = {"true": True, "false": False, "null": None}
    if token.lower() in words:
        return words[token.lower()]
    return float(token) if _NUMBER.match(token) else token


def _value(item: Any, name: str) -> Any:
    """The property `name`, steps parted by slashes, whatever its case; None when there is none."""
    for step in name.split("/"):
        if not isinstance(item, Mapping):
            return None
        item = next((value for key, value in item.items() if key.lower() == step.lower()), None)
    return item


def _folded(value: Any) -> Any:
    return value.lower() if isinstance(value, str) else value


def _compare(value: Any, operator: str, literal: Any) -> bool:
    if operator in {"eq", "ne"}:
        equal = (
            any(_folded(item) == _folded(literal) for item in value)
            if isinstance(value, list)
            else (_folded(value) == _folded(literal))
        )
        return equal is (operator == "eq")
    if value is None or literal is None:
        return False
    left, right = _ordered(value), _ordered(literal)
    if type(left) is not type(right):
        return False
    order = int(left > right) - int(left < right)
    return {"gt": order > 0, "ge": order >= 0, "lt": order < 0, "le": order <= 0}[operator]


def _ordered(value: Any) -> Any:
    if isinstance(value, int | float):
        return float(value)
    try:
        return datetime.fromisoformat(str(value)).timestamp()
    except ValueError:
        return str(value).lower()


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a collection can be asked."""

    fragment: str
    """What follows the # of @odata.context."""
    filterable: frozenset[str] = frozenset()
    """Properties that $filter may name; none: $filter is not emulated."""
    operators: frozenset[str] = frozenset()
    sortable: frozenset[str] = frozenset()
    expandable: frozenset[str] = frozenset()
    default_select: tuple[str, ...] | None = None
    """Properties that come back without $select; None: all."""
    page_size: int | None = None
    """Items of a page without $top; None: what the switch of the service says."""
    style: Literal["directory", "intune", "audit", "plain"] = "plain"
    """directory: ConsistencyLevel, clause limit and $top 1 to 999 are enforced."""


DIRECTORY_OPERATORS = frozenset({"eq", "ne", "in", "startswith", "endswith", "not", "ge", "le"})
_ADVANCED_OPERATORS = frozenset({"ne", "not", "endswith"})


def answer_list(exchange: Exchange, items: Iterable[JSONObject], listing: Listing) -> Reply:
    """The collection as asked for: filtered, sorted, paged, selected.

    Raises:
        GraphError: 400 for what Graph refuses, 501 for options that are not emulated here.
    """
    _check_options(exchange, listing)
    found = select_items(exchange, items, listing)
    total = len(found)
    page, next_offset = _page(exchange, found, listing)
    body: JSONObject = {"@odata.context": exchange.context(listing.fragment)}
    if exchange.options.get("$count", "").lower() == "true":
        body["@odata.count"] = total
    elif listing.style == "intune":
        body["@odata.count"] = len(page)
    if next_offset is not None:
        body["@odata.nextLink"] = _next_link(exchange, next_offset, listing)
    body["value"] = [project(exchange, item, listing.default_select) for item in page]
    return Reply(body=body)


def answer_count(exchange: Exchange, items: Iterable[JSONObject], listing: Listing) -> Reply:
    """`.../$count`: a number as plain text. Needs ConsistencyLevel: eventual, as all counting of directory objects.

    Raises:
        GraphError: 400 without that header.
    """
    if not _is_eventual(exchange):
        raise unsupported_query("$count is not currently supported without the ConsistencyLevel header.")
    return Reply(text=str(len(select_items(exchange, items, listing))))


def select_items(exchange: Exchange, items: Iterable[JSONObject], listing: Listing) -> list[JSONObject]:
    """The items that $filter lets through, in the order of $orderby."""
    found = list(items)
    text = exchange.options.get("$filter")
    if text is not None:
        matches = _checked_filter(exchange, text, listing).matches
        found = [item for item in found if matches(item)]
    order = exchange.options.get("$orderby")
    if order:
        found = _sorted(exchange, found, order, listing)
    return found


def project(exchange: Exchange, item: JSONObject, default: Sequence[str] | None = None) -> JSONObject:
    """The properties that $select names, else the default ones; annotations and what $expand asked for stay."""
    names: Iterable[str] | None = default
    selected = exchange.options.get("$select")
    if selected:
        names = [name.strip() for name in selected.split(",")]
        names = [*names, *_names(exchange.options.get("$expand", ""))]
    if names is None or "*" in (names := list(names)):
        return {name: value for name, value in item.items() if not name.startswith("_")}
    wanted = {name.lower() for name in names}
    return {
        name: value
        for name, value in item.items()
        if name.lower() in wanted or name == "@odata.type" or name.split("@")[0].lower() in wanted
    }


def _names(text: str) -> list[str]:
    return [name.strip().partition("(")[0] for name in text.split(",") if name.strip()]


def expanded(exchange: Exchange, allowed: frozenset[str]) -> frozenset[str]:
    """What $expand names.

    Raises:
        GraphError: 400 for a relationship that the type does not have.
    """
    names = frozenset(_names(exchange.options.get("$expand", "")))
    unknown = sorted(names - allowed)
    if unknown:
        raise exchange.refuse(
            f"Parsing OData Select and Expand failed: Could not find a property named '{unknown[0]}'."
        )
    return names


def _check_options(exchange: Exchange, listing: Listing) -> None:
    supported = {"$select", "$top", "$count", "$skiptoken", "$skip"}
    supported |= {"$filter"} if listing.filterable else set()
    supported |= {"$orderby"} if listing.sortable else set()
    supported |= {"$expand"} if listing.expandable else set()
    unknown = sorted(name for name in exchange.options if name.startswith("$") and name not in supported)
    if unknown:
        raise not_emulated(f"{unknown[0]} of {exchange.call.method} {exchange.call.path}")
    if listing.style != "directory":
        return
    counting = exchange.options.get("$count", "").lower() == "true"
    if counting and not _is_eventual(exchange):
        raise unsupported_query("$count is not currently supported without the ConsistencyLevel header.")
    if "$orderby" in exchange.options and "$filter" in exchange.options and not (counting and _is_eventual(exchange)):
        raise unsupported_query("Sorting not supported for current query.")
    if "$skip" in exchange.options:
        raise unsupported_query("'$skip' is not supported by the service.")


def _is_eventual(exchange: Exchange) -> bool:
    return exchange.call.headers.get("consistencylevel", "").lower() == "eventual"


def _checked_filter(exchange: Exchange, text: str, listing: Listing) -> Filter:
    try:
        parsed = parse_filter(text)
    except FilterSyntax as error:
        raise exchange.refuse(f"Invalid filter clause: {error}") from error
    allowed = {name.lower() for name in listing.filterable}
    unknown = sorted(name for name in parsed.properties if name.lower() not in allowed)
    if unknown:
        raise exchange.refuse(f"Invalid filter clause: Could not find a property named '{unknown[0]}'.")
    refused = sorted(parsed.operators - listing.operators)
    if refused:
        raise _unsupported(exchange, f"Unsupported Query: operator '{refused[0]}' is not supported here.")
    if listing.style == "directory":
        _check_directory_filter(exchange, parsed)
    return parsed


def _check_directory_filter(exchange: Exchange, parsed: Filter) -> None:
    if parsed.joined_by_or > OR_LIMIT:
        raise unsupported_query(
            "Too many child clauses specified in search filter expression containing 'OR' operators: "
            f"{parsed.joined_by_or}. Max allowed: {OR_LIMIT}."
        )
    counting = exchange.options.get("$count", "").lower() == "true" or exchange.call.path.endswith("$count")
    if parsed.operators & _ADVANCED_OPERATORS and not (counting and _is_eventual(exchange)):
        raise unsupported_query("Unsupported or invalid query filter clause specified: advanced query needed.")


def _unsupported(exchange: Exchange, message: str) -> GraphError:
    return unsupported_query(message) if exchange.service == "directory" else bad_request(message, exchange.service)


def _sorted(exchange: Exchange, items: list[JSONObject], order: str, listing: Listing) -> list[JSONObject]:
    for clause in reversed(order.split(",")):
        name, _, direction = clause.strip().partition(" ")
        if name.lower() not in {allowed.lower() for allowed in listing.sortable}:
            raise exchange.refuse(f"Unsupported sort property '{name}'.")
        items = sorted(
            items, key=lambda item: str(_folded(_value(item, name)) or ""), reverse=direction.strip().lower() == "desc"
        )
    return items


def _page(exchange: Exchange, items: list[JSONObject], listing: Listing) -> tuple[list[JSONObject], int | None]:
    size = _page_size(exchange, listing)
    if exchange.behaviour.pages_overlap and len(items) > size:
        items = [*items[:size], *items[size - 1 :]]
    offset = _offset(exchange)
    page = items[offset : offset + size]
    return page, offset + size if offset + size < len(items) else None


def _page_size(exchange: Exchange, listing: Listing) -> int:
    behaviour = exchange.behaviour
    is_directory = listing.style in {"directory", "audit"}
    default = listing.page_size or (behaviour.directory_page_size if is_directory else behaviour.intune_page_size)
    text = exchange.options.get("$top")
    if text is None:
        return default
    maximum = DIRECTORY_TOP_MAXIMUM if is_directory else behaviour.intune_top_maximum
    top = int(text) if text.isdecimal() else 0
    if 1 <= top <= maximum:
        return top
    if top > maximum and not is_directory and behaviour.top_over_maximum == "cap":
        return maximum
    raise exchange.refuse(f"Invalid page size specified: '{text}'. Must be between 1 and {maximum} inclusive.")


def _offset(exchange: Exchange) -> int:
    if "$skip" in exchange.options and exchange.options["$skip"].isdecimal():
        return int(exchange.options["$skip"])
    token = exchange.options.get("$skiptoken")
    if token is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(token.encode()).decode().removeprefix("offset:"))
    except ValueError as error:
        raise exchange.refuse("The specified page token value has expired and can no longer be included.") from error


def _next_link(exchange: Exchange, offset: int, listing: Listing) -> str:
    kept = {name: value for name, value in exchange.options.items() if name not in {"$skip", "$skiptoken"}}
    if listing.style == "intune":
        kept["$skip"] = str(offset)
    else:
        kept["$skiptoken"] = base64.urlsafe_b64encode(f"offset:{offset}".encode()).decode()
    query = urlencode(kept, safe="$,'()/:", quote_via=quote)
    return f"{exchange.call.base}/{exchange.call.version}{exchange.call.path}?{query}"
