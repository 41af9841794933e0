"""Graph's errors in every spelling, one line of harmless text each."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapctl.graph.graph_errors import GraphError, parse_error, request_id
from tapctl.graph.replies import HttpReply, decode_part, decode_response
from tapctl.graph.untrusted import MESSAGE_LENGTH, clean
from tapctl.model.values import JSONValue

CASES = json.loads((Path(__file__).parent / "cases" / "errors.json").read_text("utf-8"))


@pytest.mark.parametrize("case", CASES, ids=[case["name"] for case in CASES])
def test_an_error_is_read(case: dict[str, JSONValue]) -> None:
    headers = case.get("headers", {})
    assert isinstance(headers, dict)
    reply = decode_response(
        400, {name: str(value) for name, value in headers.items()}, json.dumps(case["body"]).encode()
    )

    error = parse_error(reply)

    assert (error and {"code": error.code, "message": error.message}) == case["error"]
    assert request_id(reply) == case.get("requestId", "")


NAMES = ["error", "code", "message", "innerError", "innererror", "Message", "request-id", "body", "headers", "status"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(NAMES) | st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(body=json_values)
def test_any_body_is_either_an_error_in_harmless_words_or_none(body: JSONValue) -> None:
    reply = HttpReply(status=500, body=body, form="json")

    error = parse_error(reply)

    if error is not None:
        assert error.code
        for text in (error.code, error.message, request_id(reply)):
            assert text == clean(text)


@given(part=st.dictionaries(st.sampled_from(NAMES), json_values))
def test_any_part_of_a_batch_can_be_read(part: dict[str, JSONValue]) -> None:
    reply = decode_part(part)

    assert reply is None or isinstance(reply.status, int)


@given(status=st.integers(100, 599), content=st.binary(), kind=st.sampled_from(["application/json", "text/plain", ""]))
def test_any_answer_can_be_read(status: int, content: bytes, kind: str) -> None:
    reply = decode_response(status, {"Content-Type": kind}, content)

    assert reply.form in ("empty", "json", "text", "broken")


def test_what_acts_on_a_terminal_is_taken_out_of_a_message() -> None:
    hostile = "a\x1b]0;title\x07b\r\nc\u202etxt\u2028d\ud800e\x9bm"

    assert clean(hostile) == "a ]0;title b c txt d e m"


def test_a_long_message_is_cut() -> None:
    assert len(clean("word " * 10_000)) <= MESSAGE_LENGTH
    assert clean("x" * 600).endswith("…")


def test_a_message_of_ordinary_length_is_kept() -> None:
    assert clean("Zoë said: ok 👍") == "Zoë said: ok 👍"


def test_an_error_is_a_value() -> None:
    assert parse_error(HttpReply(status=400, body={"error": {"code": "a"}}, form="json")) == GraphError("a", "")
