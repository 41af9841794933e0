"""The sandbox answers as Graph is documented to: each case is one request, and the status and shape of its answer.

In a shape a text is the name of a kind (`text`, `text?` where null is allowed, `whole`, `flag`, `guid`, `moment`,
`list`), or `=` and the very text; anything else is the value itself. A list of one shape is a
list, not empty, whose every item has that shape. Objects have exactly the keys of their shape; one that ends in `?`
may be missing.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from contextlib import closing
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from tapctl.sandbox.faults import Fault
from tapctl.sandbox.tokens import mint_token
from tests.sandbox.support import TENANT, Graph

CASES = sorted((Path(__file__).parent / "exchanges").glob("*.json"))

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def is_moment(value: Any) -> bool:
    """A time in UTC with the Z that Graph writes."""
    return isinstance(value, str) and value.endswith("Z") and datetime.fromisoformat(value).tzinfo is not None


KINDS: dict[str, Callable[[Any], bool]] = {
    "text": lambda value: isinstance(value, str),
    "whole": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "flag": lambda value: isinstance(value, bool),
    "guid": lambda value: isinstance(value, str) and _GUID.fullmatch(value) is not None,
    "list": lambda value: isinstance(value, list),
    "moment": is_moment,
}


def differences(value: Any, shape: Any, place: str = "") -> list[str]:
    """Where a value has not the shape that it should have."""
    match shape:
        case dict():
            if not isinstance(value, dict):
                return [f"{place}: {value!r} is no object"]
            names = {key.removesuffix("?"): key for key in shape}
            must = {name for name, key in names.items() if name == key or name in value}
            keys = [f"{place}: {key} is {'missing' if key in must else 'extra'}" for key in must ^ value.keys()]
            inner = [differences(value[name], shape[names[name]], f"{place}.{name}") for name in must & value.keys()]
            return keys + [line for lines in inner for line in lines]
        case [single]:
            if not isinstance(value, list) or not value:
                return [f"{place}: {value!r} is not a list with items"]
            return [line for index, item in enumerate(value) for line in differences(item, single, f"{place}[{index}]")]
        case str() if not shape.startswith("="):
            is_right = (shape.endswith("?") and value is None) or KINDS[shape.rstrip("?")](value)
            return [] if is_right else [f"{place}: {value!r} is not {shape}"]
        case _:
            wanted = shape.removeprefix("=") if isinstance(shape, str) else shape
            return [] if value == wanted and type(value) is type(wanted) else [f"{place}: {value!r} is not {wanted!r}"]


class Conversation:
    """The requests of one case, in turn, their placeholders filled in."""

    def __init__(self, case: dict[str, Any]) -> None:
        faults = tuple(Fault(**fault) for fault in case.get("faults", ()))
        self.graph = Graph(faults=faults, **case.get("behaviour", {}))
        self.made: dict[str, Any] = {}
        self._lookup = self._looker()

    def _looker(self) -> Callable[[str, str], str]:
        with self.graph.sandbox.transaction(writes=False) as store:
            objects = store.data["objects"]
        kept = {
            "user": (objects["users"], "userPrincipalName", "@contoso.com"),
            "group": (objects["groups"], "displayName", ""),
            "filter": (objects["assignmentFilters"], "displayName", ""),
        }

        def lookup(kind: str, name: str) -> str:
            items, key, suffix = kept[kind]
            return next(str(item["id"]) for item in items.values() if item[key] == name + suffix)

        return lookup

    def filled(self, value: Any) -> Any:
        """A request with the ids of this tenant in the places of its braces."""

        def replaced(found: re.Match[str]) -> str:
            if found[0] == "{made}":
                return str(self.made["id"])
            if found[0] == "{secret}":
                return str(self.made["omaSettings"][0]["secretReferenceValueId"])
            return self._lookup(found[1], found[2])

        text = json.dumps(value, ensure_ascii=False)
        return json.loads(re.sub(r"\{(?:(user|group|filter):([^}\"]+)|made|secret)\}", replaced, text))

    def send(self, request: dict[str, Any], roles: list[str] | None = None) -> Any:
        filled = self.filled(request)
        token = mint_token(TENANT, roles=roles)
        return self.graph.request(
            filled["method"], filled["url"], json=filled.get("body"), headers=filled.get("headers"), token=token
        )

    def close(self) -> None:
        self.graph.close()

    def prepare(self, request: dict[str, Any]) -> None:
        response = self.send(request)
        assert response.is_success, response.text
        if response.status_code == 201:
            self.made = response.json()


@pytest.mark.parametrize("path", CASES, ids=[path.stem for path in CASES])
def test_the_sandbox_answers_as_graph_does(path: Path) -> None:
    case = json.loads(path.read_text(encoding="utf-8"))
    with closing(Conversation(case)) as conversation:
        for request in case.get("prepare", ()):
            conversation.prepare(request)
        response = conversation.send(case["request"], case.get("roles"))

    wanted = case["response"]
    assert response.status_code == wanted["status"], response.text
    assert wanted.get("headers", {}).items() <= dict(response.headers).items()
    for name, parts in wanted.get("header-parts", {}).items():
        assert [part for part in parts if part not in response.headers[name]] == []
    if "shape" in wanted:
        assert differences(response.json(), wanted["shape"]) == []
    elif "at-least" in wanted:
        chosen = {key: value for key, value in response.json().items() if key in wanted["at-least"]}
        assert differences(chosen, wanted["at-least"]) == []
    elif "parts" in wanted:
        assert {part["id"]: part["status"] for part in response.json()["responses"]} == wanted["parts"]
    else:
        assert response.content == b""


def test_there_are_cases() -> None:
    assert len(CASES) > 30


@pytest.mark.parametrize(
    ("value", "shape"),
    [
        ({"a": 1}, {"a": "text"}),
        ({"a": 1, "b": 2}, {"a": "whole"}),
        ({}, {"a": "whole"}),
        ([], ["text"]),
        (["x", 1], ["text"]),
        (True, "whole"),
        (1, True),
        (None, "text"),
        ("2026-01-15T08:00:00", "moment"),
        ("other", "=this"),
    ],
)
def test_a_wrong_shape_is_noticed(value: Any, shape: Any) -> None:
    assert differences(value, shape) != []
