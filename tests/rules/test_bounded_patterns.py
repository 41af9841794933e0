"""Patterns of a guardrail schema: simple ones are judged here, doubtful ones where they can be ended."""

from __future__ import annotations

import pytest

from tapctl.model.values import JSONValue
from tapctl.rules.bounded import ends_in_time, is_plain, patterns_of

ENDLESS: JSONValue = {"properties": {"name": {"pattern": "^(a+)+$"}}}


@pytest.mark.parametrize("pattern", ["^SG-", "^SG-[A-Z]+$", "^(SG|APP)-.*$", "[0-9]{4}", "^.{1,64}$"])
def test_a_pattern_with_few_repeats_and_none_around_a_group_is_plain(pattern: str) -> None:
    assert is_plain(pattern)


@pytest.mark.parametrize("pattern", ["^(a+)+$", "(a|aa)*b", "a*a*a*a*b", "^SG-[A-Z]+(-[A-Z]+)*$", "(x{1,9}){2,}"])
def test_any_other_pattern_leaves_a_doubt(pattern: str) -> None:
    assert not is_plain(pattern)


def test_patterns_are_found_wherever_they_stand() -> None:
    schema: JSONValue = {"allOf": [{"patternProperties": {"^a": {"items": {"pattern": "b"}}}}], "pattern": "c"}

    assert sorted(patterns_of(schema)) == ["^a", "b", "c"]


def test_a_pattern_that_takes_for_ever_is_given_up() -> None:
    assert not ends_in_time(ENDLESS, {"name": "a" * 40 + "b"}, seconds=1.0)


def test_a_doubtful_pattern_that_ends_is_no_problem() -> None:
    schema: JSONValue = {"properties": {"name": {"pattern": "^SG-[A-Z]+(-[A-Z]+)*$"}}}

    assert ends_in_time(schema, {"name": "SG-TAP-USERS"})
