"""The marks that tapctl leaves, and the names that it makes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapctl.kinds import mark
from tapctl.kinds.groups import mail_nickname

KEYS = st.from_regex(r"[a-z0-9][a-z0-9-]{0,40}", fullmatch=True)
TEXTS = st.text(st.characters(exclude_characters="\r", exclude_categories=["Cs"]), max_size=60)


@given(TEXTS, KEYS)
def test_a_mark_is_read_back_with_the_text_above_it(description: str, key: str) -> None:
    assert mark.split(mark.join(description, key)) == (description, key)


@given(TEXTS)
def test_without_a_key_the_text_is_written_as_it_is(description: str) -> None:
    assert mark.join(description, None) == description


@pytest.mark.parametrize(
    ("description", "expected"),
    [
        ("", ("", None)),
        ("text", ("text", None)),
        ("[tapctl:a]", ("", "a")),
        ("text\n[tapctl:a]", ("text", "a")),
        ("text\r\n[tapctl:a]\r\n", ("text", "a")),
        ("text [tapctl:a]", ("text [tapctl:a]", None)),
        ("[tapctl:a]\ntext", ("[tapctl:a]\ntext", None)),
        ("text\n[tapctl:]", ("text\n[tapctl:]", None)),
    ],
)
def test_a_mark_is_the_last_line_and_nothing_else(description: str, expected: tuple[str, str | None]) -> None:
    assert mark.split(description) == expected


@given(st.text(min_size=1, max_size=200))
def test_a_mail_nickname_is_one_that_graph_accepts(unique_name: str) -> None:
    nickname = mail_nickname(unique_name)

    assert 0 < len(nickname) <= 64
    assert nickname.isascii()
    assert not set(nickname) & set('@()\\[]";:<>, ')


def test_two_names_that_differ_only_in_what_is_left_out_have_two_nicknames() -> None:
    assert mail_nickname("tapctl-a b") != mail_nickname("tapctl-a;b")
    assert mail_nickname("tapctl-team") == "tapctl-team"
