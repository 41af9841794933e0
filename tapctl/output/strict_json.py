"""Reads JSON that somebody else may have written: every key once, with its type, and none left over."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NoReturn, TypeVar

from tapctl.errors import ExitCode
from tapctl.model.values import JSONValue, Value
from tapctl.model.values import from_json as value_from_json

MAXIMUM_DEPTH = 64
"""Levels of nesting; what tapctl writes has about ten."""

_TIME = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}Z")

ItemT = TypeVar("ItemT")
ChoiceT = TypeVar("ChoiceT", bound=str)


class FormError(ValueError):
    """The JSON does not have the form that was asked for; the text names the place, as the end of a sentence."""


def parse(content: bytes, maximum_size: int) -> JSONValue:
    """The JSON in a file.

    Raises:
        FormError: the content is larger than `maximum_size` bytes, or not JSON in the strictest sense.
    """
    import json

    if len(content) > maximum_size:
        refuse(f"it has {len(content)} bytes, more than {maximum_size}")
    try:
        data: JSONValue = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_without_repeats,
            parse_float=_finite,
            parse_constant=_no_constant,
        )
    except FormError:
        raise
    except RecursionError:
        refuse("it is nested too deeply")
    except ValueError as error:
        # Malformed JSON, text that is no UTF-8, and numbers with too many digits.
        refuse(f"it is not JSON: {error}")
    return data


class StrictObject:
    """One JSON object that is being read: each key once, with its type, and in the end none left over."""

    def __init__(self, data: Mapping[str, JSONValue], place: str) -> None:
        self._data = data
        self._place = place
        self._left = set(data)

    def has(self, key: str) -> bool:
        return key in self._data

    def is_null(self, key: str) -> bool:
        return self._data.get(key, "") is None

    def finish(self) -> None:
        """Refuses keys that were not read."""
        if self._left:
            refuse(f"{self._place or 'the document'} has the unknown key {brief(min(self._left))}")

    def text(self, key: str, *, default: str | None = None) -> str:
        value = self._take(key, default)
        return value if isinstance(value, str) else self._wrong(key, "a text")

    def optional_text(self, key: str) -> str | None:
        value = self._take(key, None, required=False)
        return value if value is None or isinstance(value, str) else self._wrong(key, "a text or null")

    def null(self, key: str) -> None:
        if self._take(key, None, required=False) is not None:
            self._wrong(key, "null, as the others beside it")

    def boolean(self, key: str, *, default: bool | None = None) -> bool:
        value = self._take(key, default)
        return value if isinstance(value, bool) else self._wrong(key, "true or false")

    def integer(self, key: str, *, minimum: int = 0, default: int | None = None) -> int:
        value = self._take(key, default)
        if isinstance(value, bool) or not isinstance(value, int) or not minimum <= value < 1 << 63:
            self._wrong(key, f"a whole number from {minimum}")
        return value

    def seconds(self, key: str) -> float:
        value = self._take(key, None)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e9:
            self._wrong(key, "a number of seconds")
        return float(value)

    def time(self, key: str) -> datetime:
        text = self.text(key)
        if not _TIME.fullmatch(text):
            self._wrong(key, "a time such as 2026-11-22T07:29:00Z")
        try:
            return datetime.fromisoformat(text)
        except ValueError:
            self._wrong(key, "a time that exists")

    def exit_code(self, key: str) -> ExitCode:
        number = self.integer(key, default=0)
        known = {code.value: code for code in ExitCode}
        return known[number] if number in known else self._wrong(key, "an exit code of tapctl")

    def choice(self, key: str, known: Mapping[str, ChoiceT], *, default: str | None = None) -> ChoiceT:
        text = self.text(key, default=default)
        return known[text] if text in known else self._wrong(key, "one of " + ", ".join(known))

    def value(self, key: str) -> Value:
        data = self._take(key, None, required=False)
        if key not in self._data:
            self._wrong(key, "there")
        try:
            return value_from_json(data)
        except ValueError:
            self._wrong(key, "a value without fractions")

    def texts(self, key: str) -> tuple[str, ...]:
        return tuple(
            item if isinstance(item, str) else self._wrong(key, "a list of texts") for item in self._list(key, [])
        )

    def text_map(self, key: str) -> dict[str, str]:
        return {
            name: text if isinstance(text, str) else self._wrong(key, "an object of texts")
            for name, text in self.json_map(key).items()
        }

    def json_map(self, key: str) -> dict[str, JSONValue]:
        value = self._take(key, {})
        return dict(value) if isinstance(value, dict) else self._wrong(key, "an object")

    def object(self, key: str, read: Callable[[StrictObject], ItemT]) -> ItemT:
        return self._read(self._take(key, None), self._at(key), read)

    def optional_object(self, key: str, read: Callable[[StrictObject], ItemT]) -> ItemT | None:
        value = self._take(key, None, required=False)
        return None if value is None else self._read(value, self._at(key), read)

    def objects(
        self, key: str, read: Callable[[StrictObject], ItemT], *, default: tuple[()] | None = None
    ) -> tuple[ItemT, ...]:
        items = self._list(key, None if default is None else [])
        return tuple(self._read(item, f"{self._at(key)}[{index}]", read) for index, item in enumerate(items))

    def _read(self, value: JSONValue, place: str, read: Callable[[StrictObject], ItemT]) -> ItemT:
        if not isinstance(value, dict):
            refuse(f"{place} must be an object, not {brief(value)}")
        reader = StrictObject(value, place)
        result = read(reader)
        reader.finish()
        return result

    def _list(self, key: str, default: list[JSONValue] | None) -> list[JSONValue]:
        value = self._take(key, default)
        return value if isinstance(value, list) else self._wrong(key, "a list")

    def _take(self, key: str, default: JSONValue, *, required: bool = True) -> JSONValue:
        self._left.discard(key)
        if required and default is None and key not in self._data:
            refuse(f"{self._at(key)} is missing")
        return self._data.get(key, default)

    def _at(self, key: str) -> str:
        return f"{self._place}.{key}" if self._place else key

    def _wrong(self, key: str, wanted: str) -> NoReturn:
        refuse(f"{self._at(key)} must be {wanted}, not {brief(self._data.get(key))}")


def refuse(problem: str) -> NoReturn:
    """Raises FormError."""
    raise FormError(problem)


def brief(value: JSONValue) -> str:
    """A few characters of a JSON value for a message; what kind it is where it is more than a word."""
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case list():
            return "a list"
        case dict():
            return "an object"
        case str():
            return f'"{value}"' if len(value) <= 40 else f'"{value[:39]}…"'
        case _:
            # A number with thousands of digits cannot even be printed.
            return str(value) if isinstance(value, float) or abs(value) < 1 << 63 else "a very large number"


def check_depth(data: JSONValue) -> None:
    """Refuses what is nested too deeply, without nesting calls itself."""
    level: list[JSONValue] = [data]
    for _ in range(MAXIMUM_DEPTH):
        deeper: list[JSONValue] = []
        for item in level:
            if isinstance(item, dict):
                deeper.extend(item.values())
            elif isinstance(item, list):
                deeper.extend(item)
        if not deeper:
            return
        level = deeper
    refuse("it is nested too deeply")


def _without_repeats(pairs: list[tuple[str, JSONValue]]) -> dict[str, JSONValue]:
    data = dict(pairs)
    if len(data) != len(pairs):
        refuse("it gives a key twice in one object")
    return data


def _no_constant(name: str) -> NoReturn:
    refuse(f"{name} is not a JSON number")


def _finite(text: str) -> float:
    number = float(text)
    if abs(number) == float("inf"):
        refuse(f"the number {brief(text)} is too large")
    return number
