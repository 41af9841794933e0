"""Untrusted text in each medium by itself."""

from __future__ import annotations

import subprocess

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapctl.output import safe

from .strategies import texts

SHOWN_AS = {
    "\x1b[2J": r"\x1b[2J",
    "a\nb\r\tc": r"a\nb\r\tc",
    "\x9b31m": r"\x9b31m",
    "\x7f\x00": r"\x7f\x00",
    "\u202egpj.exe": r"\u202egpj.exe",
    "ad\u200bmin\ufeff": r"ad\u200bmin\ufeff",
    "a\u2028b\u2029c\u0085": r"a\u2028b\u2029c\x85",
    "no\u00a0break": r"no\xa0break",
    "\U000e0041 tag": r"\U000e0041 tag",
    "\u3164filler": r"\u3164filler",
    "\u2800blank": r"\u2800blank",
    "a\U000e0100": r"a\U000e0100",
    "\ud800": r"\ud800",
    "##[add-mask]x": r"\x23#[add-mask]x",
    "a ##vso[task.complete]": r"a \x23#vso[task.complete]",
    "###[group]": r"#\x23#[group]",
    "##team.city[x]": r"\x23#team.city[x]",
}

LEFT_ALONE = ["SG-TAP-Users", "Zoë Ångström", "株式会社", "a\\b", "C# ## heading [x]", "100 %", "🙂"]


@pytest.mark.parametrize("text", SHOWN_AS)
def test_what_acts_or_hides_is_shown_as_an_escape(text: str) -> None:
    assert safe.visible(text) == SHOWN_AS[text]


@pytest.mark.parametrize("text", LEFT_ALONE)
def test_ordinary_names_are_shown_as_they_are(text: str) -> None:
    assert safe.visible(text) == text


@given(texts)
def test_visible_text_is_one_printable_line_without_log_commands(text: str) -> None:
    shown = safe.visible(text)

    assert shown.isprintable()
    assert "##[" not in shown
    assert "##vso[" not in shown
    assert safe.visible(shown) == shown


@pytest.mark.parametrize("line", ["::error::x", "   ::add-mask::x", "\t::x"])
def test_a_line_that_would_be_a_workflow_command_is_broken(line: str) -> None:
    assert not safe.plain_line(line).lstrip().startswith("::")


@pytest.mark.parametrize("line", ["a::b", "Graph: 1", ": :x", ""])
def test_other_lines_stay_as_they_are(line: str) -> None:
    assert safe.plain_line(line) == line


def test_long_names_keep_both_ends() -> None:
    first = safe.shorten("WIN - Web sign-in for the factory in the north", 20)
    second = safe.shorten("WIN - Web sign-in for the factory in the south", 20)

    assert (first, second) == ("WIN - Web …the north", "WIN - Web …the south")


@given(st.text(max_size=60), st.integers(3, 40))
def test_a_shortened_text_is_never_longer_than_its_limit(text: str, limit: int) -> None:
    assert len(safe.shorten(text, limit)) <= limit


@given(texts)
def test_a_code_span_has_no_backtick_or_pipe_inside(text: str) -> None:
    span = safe.code(text)

    assert span[0] == span[-1] == "`"
    assert "`" not in span[1:-1]
    assert "|" not in span


@given(texts)
def test_a_workflow_property_has_nothing_that_ends_it(text: str) -> None:
    assert not set(":,\r\n") & set(safe.workflow_property(text))


def test_a_shell_word_is_taken_literally_by_a_shell() -> None:
    hostile = "it's $(touch /tmp/x) `id` \"; rm -rf * #"

    echoed = subprocess.run(
        ["/bin/sh", "-c", f"printf %s {safe.shell_word(hostile)}"], capture_output=True, text=True, check=True
    )

    assert echoed.stdout == hostile


def test_plain_shell_words_are_not_quoted() -> None:
    assert safe.shell_word("contoso@20261122T0729Z-ab12") == "contoso@20261122T0729Z-ab12"


PROSE = {
    "did you mean this?": "did you mean this?",
    'group "tap" is not there': 'group "tap" is not there',
    "ask @octocat about #123": "ask `@octocat` about `#123`",
    "see https://evil.example/ and www.evil.example.": "see `https://evil.example/` and `www.evil.example`.",
    "exclude `break-glass`, then plan": "exclude `break-glass`, then plan",
    "commit 5e884898da28 fixes GH-7": "commit `5e884898da28` fixes `GH-7`",
    "`a``b` touch": r"`\x60a\x60\x60b\x60` touch",
}


@pytest.mark.parametrize("text", PROSE)
def test_prose_keeps_words_and_puts_the_rest_into_code_spans(text: str) -> None:
    assert safe.prose(text) == PROSE[text]
