"""Values and the differences of lists as people read them."""

from __future__ import annotations

import pytest

from tapctl.model.values import Record, Value
from tapctl.output.values import Difference, differences, inline


def entry(**keys: Value) -> Record:
    return Record(keys)


INLINE: list[tuple[Value, str]] = [
    (None, "(not set)"),
    (True, "true"),
    (120, "120"),
    ('say "hi"', '"say \\"hi\\""'),
    ((), "[]"),
    (("a", 1), '["a", 1]'),
    (entry(mode="include", group="g", filter="F", zone=1), '{group: "g", filter: "F", mode: "include", zone: 1}'),
]


@pytest.mark.parametrize(("value", "text"), INLINE)
def test_values_read_like_yaml_with_the_group_first(value: Value, text: str) -> None:
    assert inline(value) == text


def test_a_list_shows_what_was_added_and_removed_and_counts_the_rest() -> None:
    assert differences(("a", "b", "c"), ("b", "c", "d")) == ([Difference("-", '"a"'), Difference("+", '"d"')], 2)


def test_an_absent_list_has_no_entries() -> None:
    assert differences(None, ("a",)) == ([Difference("+", '"a"')], 0)


def test_a_repeated_entry_that_goes_once_is_shown_once() -> None:
    assert differences(("a", "a"), ("a",)) == ([Difference("-", '"a"')], 1)


def test_a_changed_filter_is_a_change_inside_its_entry() -> None:
    before = (entry(group="all-devices", filter="A", mode="include"), entry(group="x"))
    after = (entry(group="all-devices", filter="B", mode="include"), entry(group="x"))

    assert differences(before, after) == ([Difference("~", '"all-devices": filter: "A" -> "B"')], 1)


def test_a_filter_that_is_added_to_a_bare_group_is_a_change_of_that_entry() -> None:
    entry_after = entry(group="all-devices", filter="A", mode="include")

    assert differences(("all-devices", "x"), (entry_after, "x")) == (
        [Difference("~", '"all-devices": filter: (not set) -> "A", mode: (not set) -> "include"')],
        1,
    )


def test_several_changes_inside_an_entry_are_all_shown() -> None:
    before = (entry(group="g", __hidden="old", filter="A", parts=("x", entry(deep=1))),)
    after = (entry(group="g", __hidden="new", until="2026-12-15", parts=("x", entry(deep=2))),)

    found = differences(before, after)

    assert found is not None
    assert found[0][0].text == (
        '"g": __hidden: "old" -> "new", filter: "A" -> (not set), parts.1.deep: 1 -> 2, '
        'until: (not set) -> "2026-12-15"'
    )


def test_entries_of_one_group_given_twice_are_compared_whole() -> None:
    before = (entry(group="g", filter="A"), entry(group="g", filter="B"))
    after = (entry(group="g", filter="A"),)

    assert differences(before, after) == ([Difference("-", '{group: "g", filter: "B"}')], 1)


@pytest.mark.parametrize(
    ("before", "after"),
    [(("a", "b"), ("b", "a")), ((entry(group="a"), entry(group="b")), (entry(group="b"), entry(group="a"))), (1, 2)],
)
def test_a_changed_order_and_scalars_are_left_to_be_shown_whole(before: Value, after: Value) -> None:
    assert differences(before, after) is None
