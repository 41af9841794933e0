"""Edits of YAML text: what changes, and what must not."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapctl.accept.edit import with_items, with_value, without_key
from tapctl.accept.marks import Path, UneditableError, meaning
from tapctl.accept.scalars import flow
from tapctl.model.values import JSONValue


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ("a: 1 # one\n", ("a",), 2, "a: 2 # one\n"),
        ("a: 'it''s'\n", ("a",), "that's", "a: 'that''s'\n"),
        ('a: "x"\n', ("a",), 'y"z', 'a: "y\\"z"\n'),
        ("a: x\n", ("a",), "yes", 'a: "yes"\n'),
        ("a: x\n", ("a",), "12:30 # no comment", 'a: "12:30 # no comment"\n'),
        ("a: x\n", ("a",), "two\nlines", 'a: "two\\nlines"\n'),
        ("a: |-\n  one\n  two\nb: 1\n", ("a",), "three\nfour", "a: |-\n  three\n  four\nb: 1\n"),
        ("a: >- # why\n    one\n    two\n\n\nb: 1\n", ("a",), "three", "a: >- # why\n    three\n\n\nb: 1\n"),
        ("a:\nb: 1\n", ("a",), "x", "a: x\nb: 1\n"),
        ("a:\nb: 1\n", ("a", "c"), "x", "a: {c: x}\nb: 1\n"),
        ("a: {b: 1}\n", ("a", "c", "d"), 2, "a: {b: 1, c: {d: 2}}\n"),
        ("a: {}\n", ("a", "c"), 2, "a: {c: 2}\n"),
        ("a:\n  b: 1 # x\n\n# end\n", ("a", "c"), 2, "a:\n  b: 1 # x\n  c: 2\n\n# end\n"),
        ("a:\n    b: 1", ("a", "c"), 2, "a:\n    b: 1\n    c: 2"),
        ("a: 1\n# end\n", ("b", "c"), [1, 2], "a: 1\n# end\n\nb:\n  c: [1, 2]\n"),
        ("a: 1\n...\n", ("b",), 2, "a: 1\nb: 2\n...\n"),
        ("- a\n".replace("- a", "l:\n  - g: x # why\n    h: 1"), ("l", 0, "h"), 2, "l:\n  - g: x # why\n    h: 2\n"),
        ("a:\n  - x\n  # between\n  - y\n", ("a",), None, "a: null\n  # between\n"),
        ("\ufeffa: 1\n", ("a",), 2, "\ufeffa: 2\n"),
    ],
)
def test_a_value_changes_where_it_stands(before: str, path: Path, value: JSONValue, after: str) -> None:
    assert with_value(before, path, value) == after


@pytest.mark.parametrize(
    ("before", "add", "remove", "after"),
    [
        ("l: [a, b]\n", ["c"], [], "l: [a, b, c]\n"),
        ("l: [a, b, c]\n", [], [1], "l: [a, c]\n"),
        ("l: [a, b, c]\n", [], [2], "l: [a, b]\n"),
        ("l: [ a ] # x\n", [], [0], "l: [] # x\n"),
        ("l: []\n", ["{x}"], [], 'l: ["{x}"]\n'),
        ("l: [\n  a, # one\n  b, # two\n]\n", ["c"], [0], "l: [\n  b, # two\n  c,\n]\n"),
        ("l: [\n  a,\n  b # two\n]\n", ["c"], [], "l: [\n  a,\n  b, # two\n  c\n]\n"),
        ("l:\n- a # one\n\n- b\n", ["c"], [0], "l:\n\n- b\n- c\n"),
        ("l: # list\n  # first\n  - a\nm: 1\n", [], [0], "l: [] # list\n  # first\nm: 1\n"),
        ("l:\n  - a: 1\n    b: 2\n  - c\n", [{"d": 1}], [0], "l:\n  - c\n  - {d: 1}\n"),
        ("l:\n  - a", ["b"], [], "l:\n  - a\n  - b"),
    ],
)
def test_items_come_at_the_end_and_go_with_their_line(
    before: str, add: list[JSONValue], remove: list[int], after: str
) -> None:
    assert with_items(before, ("l",), add=add, remove=remove) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("m: {a: 1, b: 2}\n", "m: {b: 2}\n"),
        ("m:\n  a: 1 # x\n  b: 2\n", "m:\n  b: 2\n"),
    ],
)
def test_a_key_goes_with_its_line(before: str, after: str) -> None:
    assert without_key(before, ("m", "a")) == after


def test_the_first_key_of_an_item_leaves_its_dash_to_the_next() -> None:
    assert without_key("l:\n  - a: 1\n    b: 2\n", ("l", 0, "a")) == "l:\n  - b: 2\n"


@pytest.mark.parametrize(
    "text",
    ["x: &x 1\na: *x\n", "a: &x 1\nb: *x\n", "x: &x {a: 1}\n<<: *x\nl: [*x]\nb: {<<: *x}\na: &y [*x]\n"],
)
def test_what_is_shared_by_an_alias_is_not_edited(text: str) -> None:
    with pytest.raises(UneditableError):
        with_value(text, ("a", 0, "a") if text.startswith("x: &x {") else ("a",), 2)


def test_a_value_with_a_control_character_is_not_written() -> None:
    with pytest.raises(UneditableError):
        with_value("a: x\n", ("a",), "bell\a")


_WORDS = st.text(alphabet=string.ascii_letters + string.digits + " :#,'\"[]{}&*!|>%@`-?éß\n", max_size=12)
_SCALARS: st.SearchStrategy[JSONValue] = st.one_of(st.none(), st.booleans(), st.integers(0, 99), _WORDS)
_STYLES = st.sampled_from(
    ["x", "'x'", '"x"', "1", "null", "[a, b]", "{c: 1}", "|-\n        x\n        y", ">-\n        x"]
)


@given(style=_STYLES, value=_SCALARS | st.lists(_SCALARS, max_size=3))
def test_any_value_takes_the_place_of_any_other_and_no_other_line_changes(style: str, value: JSONValue) -> None:
    before = f"# first\n\na: 1   # kept\nmap:\n    key: {style}\n    last: [ 1,2 ] # odd\n\n# end\n"

    after = with_value(before, ("map", "key"), value)

    document = meaning(after)
    assert isinstance(document, dict)
    assert document["map"] == {"key": value, "last": [1, 2]}
    assert after.startswith("# first\n\na: 1   # kept\nmap:\n    key:")
    assert after.endswith("\n    last: [ 1,2 ] # odd\n\n# end\n")


def _collections(inner: st.SearchStrategy[JSONValue]) -> st.SearchStrategy[JSONValue]:
    return st.lists(inner, max_size=3) | st.dictionaries(_WORDS, inner, max_size=3)


@given(value=st.recursive(_SCALARS, _collections))
def test_flow_text_means_the_value(value: JSONValue) -> None:
    assert meaning(f"key: {flow(value)}\n") == {"key": value}


@given(
    items=st.lists(_WORDS.filter(bool), max_size=5),
    added=st.lists(_WORDS, max_size=3),
    data=st.data(),
    is_block=st.booleans(),
)
def test_any_items_come_and_go(items: list[str], added: list[str], data: st.DataObject, is_block: bool) -> None:
    remove = data.draw(st.sets(st.integers(0, len(items) - 1)) if items else st.just(set[int]()))
    block = "".join(f"\n  # above\n  - {flow(item)} # at" for item in items)
    listed = block if is_block and items else f" {flow(list(items))}"

    after = with_items(f"l:{listed}\nz: 1 # end\n", ("l",), add=list(added), remove=remove)

    kept = [item for index, item in enumerate(items) if index not in remove]
    assert meaning(after) == {"l": kept + added, "z": 1}
    assert after.endswith("z: 1 # end\n")
    assert after.count("# above") == (len(items) if is_block else 0)
