"""What holds for every file, whatever it contains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import cast

import pytest
import yaml
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from tapctl.config.diagnostics import Problems
from tapctl.config.load import Loaded, load
from tapctl.config.merge import overlay
from tapctl.config.nodes import MapNode, plain
from tapctl.config.yaml_tree import read_yaml
from tapctl.model.desired import Tenant
from tapctl.model.values import JSONValue

from .support import TENANT_ID
from .test_loading import EXAMPLE

KEYS = st.sampled_from(["tenant", "groups", "temporaryAccessPass", "length", "include", "settings", "a", "extends"])
LEAVES = st.one_of(
    st.booleans(), st.integers(0, 9), st.sampled_from(["x", "y"]), st.lists(st.integers(0, 3), max_size=2)
)
DICTIONARIES = st.dictionaries(
    KEYS.filter(lambda key: key != "extends"),
    st.recursive(LEAVES, lambda inner: st.dictionaries(KEYS, inner, max_size=3), max_leaves=12),
    max_size=4,
)


@contextmanager
def folder() -> Iterator[Path]:
    with TemporaryDirectory() as name:
        yield Path(name).resolve()


def load_text(content: bytes) -> Loaded:
    with folder() as place:
        (place / "contoso.yaml").write_bytes(content)
        return load([str(place / "contoso.yaml")])


def node(value: object) -> MapNode:
    document = read_yaml(yaml.safe_dump(value).encode(), "f.yaml")
    assert document.root is not None
    return document.root


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200))
def test_no_bytes_raise_anything(content: bytes) -> None:
    loaded = load_text(content)

    assert loaded.findings
    assert not loaded.tenants


@settings(max_examples=200, deadline=None)
@given(st.text(alphabet="abc:{}[]&*!|>-?'\"\\#%@`, \n\t~<", max_size=60))
def test_no_text_that_looks_like_yaml_raises_anything(text: str) -> None:
    load_text(f"tenant: {{id: {TENANT_ID}}}\n{text}".encode())


@settings(max_examples=200, deadline=None)
@given(
    st.recursive(
        st.one_of(st.none(), st.floats(), st.text(max_size=5), LEAVES),
        lambda x: st.lists(x) | st.dictionaries(KEYS, x),
        max_leaves=20,
    )
)
def test_no_tree_raises_anything(value: object) -> None:
    load_text(yaml.safe_dump({"tenant": {"id": TENANT_ID}, "groups": value, "webSignIn": value}).encode())


@settings(max_examples=100, deadline=None)
@given(st.data())
def test_breaking_one_value_of_a_good_file_never_raises(data: st.DataObject) -> None:
    tree = yaml.safe_load(EXAMPLE.replace("extends: [_baselines/secure.yaml]\n", ""))
    where, key = data.draw(st.sampled_from(list(parts(tree))))
    where[key] = data.draw(st.one_of(st.none(), LEAVES, st.just({}), st.just([{}]), st.text(max_size=3)))

    load_text(yaml.safe_dump(tree).encode())


def parts(tree: object) -> Iterator[tuple[dict[object, object], object]]:
    """Every place of a tree that holds a value."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield cast("dict[object, object]", tree), key
        yield from parts(value)


def without_places(tenant: Tenant) -> Tenant:
    suppressions = tuple(one._replace(position=tenant.suppressions[0].position) for one in tenant.suppressions)
    return replace(tenant, positions={}, value_positions={}, lines={}, source="", suppressions=suppressions)


@settings(max_examples=50, deadline=None)
@given(st.randoms(use_true_random=False))
def test_the_order_of_keys_never_matters(random: object) -> None:
    shuffle = cast("Callable[[list[object]], None]", random.shuffle)  # type: ignore[attr-defined]

    def shuffled(value: object) -> object:
        if isinstance(value, dict):
            items = list(value.items())
            shuffle(cast("list[object]", items))
            return {key: shuffled(item) for key, item in items}
        return [shuffled(item) for item in value] if isinstance(value, list) else value

    tree = yaml.safe_load(
        EXAMPLE.replace("extends: [_baselines/secure.yaml]\n", "").replace("2026-12-15", "'2026-12-15'")
    )
    one = load_text(yaml.safe_dump(tree).encode())
    other = load_text(yaml.safe_dump(shuffled(tree), sort_keys=False).encode())

    assert without_places(one.tenants[0]) == without_places(other.tenants[0])
    assert list(one.tenants[0].groups) == list(other.tenants[0].groups)


@given(DICTIONARIES)
def test_merging_over_nothing_or_over_itself_changes_nothing(value: dict[str, JSONValue]) -> None:
    tree = node(value)
    empty = node({})

    assert plain(overlay(empty, tree, Problems())) == value
    assert plain(overlay(tree, empty, Problems())) == value
    assert plain(overlay(tree, tree, Problems())) == value


def _same_shapes(one: JSONValue, other: JSONValue) -> bool:
    """Whether two trees agree on what is a mapping, wherever both have something that is not null."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return isinstance(one, dict) == isinstance(other, dict)
    shared = set(one) & set(other)
    return all(_same_shapes(one[name], other[name]) for name in shared)


@given(DICTIONARIES, DICTIONARIES, DICTIONARIES)
def test_it_is_the_same_in_which_order_neighbours_are_merged(a: object, b: object, c: object) -> None:
    x, y, z = node(a), node(b), node(c)
    silent = Problems()

    # A text in the middle hides what is beneath it from what is above: that order does matter.
    assume(_same_shapes(plain(x), plain(y)) and _same_shapes(plain(y), plain(z)) and _same_shapes(plain(x), plain(z)))
    left = overlay(overlay(x, y, silent), z, silent)
    right = overlay(x, overlay(y, z, silent), silent)

    assert plain(left) == plain(right)


@given(DICTIONARIES, st.sampled_from(["groups", "a"]), LEAVES)
def test_null_removes_whatever_is_beneath_and_a_value_wins(
    base: dict[str, JSONValue], key: str, leaf: JSONValue
) -> None:
    removed = plain(overlay(node(base), node({key: None}), Problems()))
    replaced = plain(overlay(node(base), node({key: leaf}), Problems()))

    assert removed == {name: value for name, value in base.items() if name != key}
    assert replaced == {**base, key: leaf}


@pytest.mark.parametrize("key", ["clientSecret", "password", "token", "api_key", "CLIENT-SECRET", "accessToken"])
def test_a_secret_is_hidden_wherever_it_stands(key: str) -> None:
    for text in (f"{key}: hunter2\n", f"  {key}: hunter2: x\n", f"groups: {{a: {{{key}: 'hunter2'}}}}\n"):
        loaded = load_text(f"tenant: {{id: {TENANT_ID}}}\n{text}".encode())

        assert loaded.findings
        assert "hunter2" not in repr(loaded)
