"""YAML as tapctl reads it: version 1.2, located, bounded."""

from __future__ import annotations

from pathlib import Path
from time import process_time

import pytest
import yaml

from tapctl.config.load import load
from tapctl.config.nodes import plain
from tapctl.config.yaml_tree import MOST_ALIASES, MOST_BYTES, MOST_DEPTH, read_yaml


def value_of(text: str) -> object:
    document = read_yaml(f"a: {text}\n".encode(), "f.yaml")
    assert document.root is not None, document.findings
    tree = plain(document.root)
    assert isinstance(tree, dict)
    return tree["a"]


def rules(content: bytes) -> list[str]:
    return [finding.rule for finding in read_yaml(content, "f.yaml").findings]


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("true", True),
        ("False", False),
        ("yes", "yes"),
        ("on", "on"),
        ("~", None),
        ("", None),
        ("null", None),
        ("8", 8),
        ("-8", -8),
        ("010", 10),
        ("0o10", 8),
        ("0x10", 16),
        ("12:30", "12:30"),
        ("1_000", "1_000"),
        ("2026-12-15", "2026-12-15"),
        ("2026-12-15T10:00:00Z", "2026-12-15T10:00:00Z"),
        ("1.5", 1.5),
        ("1e400", "1e400"),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("9" * 5000, "9" * 5000),
        ("'8'", "8"),
        ('"true"', "true"),
        ("!!str 8", "8"),
        ("=", "="),
    ],
)
def test_scalars_follow_yaml_1_2_and_stay_text_where_json_has_nothing(text: str, value: object) -> None:
    read = value_of(text)

    assert read == value
    assert type(read) is type(value)


def test_a_merge_key_fills_in_what_is_not_named() -> None:
    document = read_yaml(b"a: &a {x: 1, y: 1}\nb: &b {x: 2, z: 2}\nc: {<<: [*a, *b], y: 3}\n", "f.yaml")

    assert document.root is not None
    assert plain(document.root)["c"] == {"x": 1, "y": 3, "z": 2}  # type: ignore[call-overload,index]


@pytest.mark.parametrize(
    ("content", "rule"),
    [
        (b"a: 1\n" + b"#" * MOST_BYTES, "yaml-bounds"),
        (b"a: " + b"[" * (MOST_DEPTH + 1) + b"]" * (MOST_DEPTH + 1), "yaml-bounds"),
        (b"[" * 100_000, "yaml-bounds"),
        (b"{a: " * 100_000, "yaml-bounds"),
        (b"- " * 100_000, "yaml-bounds"),
        (b"a: &a 1\nb: [" + b"*a, " * (MOST_ALIASES + 1) + b"]\n", "yaml-bounds"),
        (b"a: [" + b"1, " * 50_001 + b"]\n", "yaml-bounds"),
        (b"a: \xff\n", "yaml-encoding"),
        ("a: 1\n".encode("utf-16"), "yaml-encoding"),
        (b"a: \x00\n", "yaml-encoding"),
        (b"a: \x1b[31m\n", "yaml-encoding"),
        ("a: \u202ereversed\n".encode(), "yaml-encoding"),
        ("a: \u2066isolated\n".encode(), "yaml-encoding"),
        (b"a: \x7f\n", "yaml-encoding"),
        (b'a: "\\u2067"\n', "yaml-encoding"),
        (b'a: "\\x7f"\n', "yaml-encoding"),
        (b'a: "\\0"\n', "yaml-encoding"),
        (b"a: &a [*a]\n", "yaml-alias"),
        (b"a: *b\n", "yaml-alias"),
        (b"a: !secret b\n", "yaml-tag"),
        (b"a: !!binary aGVsbG8=\n", "yaml-tag"),
        (b"a: !!set {b}\n", "yaml-tag"),
        (b"a: 1\n---\nb: 1\n", "yaml-documents"),
        (b"a: 1\na: 2\n", "duplicate-key"),
        (b"text\n", "wrong-type"),
        (b"%YAML 3.0\n---\na: 1\n", "yaml-syntax"),
    ],
)
def test_what_is_not_safe_or_not_sensible_is_a_finding(content: bytes, rule: str) -> None:
    assert rules(content) == [rule]


def test_aliases_that_multiply_are_stopped_by_what_they_expand_to() -> None:
    lines = ["a0: &a0 [x, x, x, x, x, x, x, x, x]"]
    lines += [f"a{n}: &a{n} [" + ", ".join([f"*a{n - 1}"] * 9) + "]" for n in range(1, 10)]

    assert rules("\n".join(lines).encode()) == ["yaml-bounds"]


def test_aliases_that_nest_are_stopped_by_the_depth_they_expand_to() -> None:
    lines = ["a0: &a0 [x]", *(f"a{n}: &a{n} [[[[[*a{n - 1}]]]]]" for n in range(1, 10))]

    assert rules("\n".join(lines).encode()) == ["yaml-bounds"]


def test_a_hundred_aliases_are_allowed() -> None:
    assert rules(b"a: &a 1\nb: [" + b"*a, " * MOST_ALIASES + b"]\n") == []


@pytest.mark.parametrize("line_break", ["\n", "\r\n", "\r"])
def test_positions_and_lines_agree_for_every_line_break(line_break: str) -> None:
    document = read_yaml(line_break.join(["# ö", "a: 1", "b: {ü: 2}", ""]).encode(), "f.yaml")

    assert document.root is not None
    b = document.root.entries["b"]
    assert (b.key.position.line, b.key.position.column) == (3, 1)
    assert document.lines[2] == "b: {ü: 2}"
    inner = document.root.get("b").entries["ü"]  # type: ignore[union-attr]
    assert (inner.node.span.position.column, inner.node.span.width) == (8, 1)


def test_a_byte_order_mark_is_no_part_of_the_first_key() -> None:
    assert rules(b"\xef\xbb\xbfa: 1\n") == []


def test_without_libyaml_the_same_tree_is_read(monkeypatch: pytest.MonkeyPatch) -> None:
    text = b"a: &a {x: [1, two, 'three'], y: ~}\nb: *a\nc: |\n  text\n"
    fast = read_yaml(text, "f.yaml")
    monkeypatch.delattr(yaml, "CSafeLoader")

    slow = read_yaml(text, "f.yaml")

    assert fast.root is not None
    assert slow.root is not None
    assert plain(fast.root) == plain(slow.root)
    assert fast.root.entries["b"].key == slow.root.entries["b"].key


@pytest.mark.parametrize(
    "text",
    [
        "groups: {a: {displayName: A, description: '" + "eyJ" * 300_000 + "'}}",
        "groups: {a: {displayName: '" + "a" * 900_000 + "\\t'}}",
        "groups:\n"
        + "".join(f" g{number}: {{displayName: G{number}}}\n" for number in range(4000))
        + "temporaryAccessPass:\n include:\n"
        + "".join(f"  - h{number}\n" for number in range(15_000)),
        "\n" * 900_000,
    ],
    ids=["nearly-a-token", "nearly-a-name", "nearly-every-group", "lines"],
)
def test_a_file_within_bounds_cannot_cost_much(text: str, tmp_path: Path) -> None:
    path = tmp_path / "contoso.yaml"
    path.write_text(f"tenant: {{id: 6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11}}\n{text}\n", encoding="utf-8")
    began = process_time()

    findings = load([str(path)]).findings

    assert findings
    assert process_time() - began < 5


@pytest.mark.parametrize("character", ["\u2028", "\u2029", "\x85", "\u202e"])
def test_what_only_some_take_for_a_line_break_hides_nothing_in_a_comment(character: str) -> None:
    text = f"a: 1\nlength: 8 # agreed{character}oneTime: false\nwrong: 9\n"

    (finding,) = read_yaml(text.encode(), "x.yaml").findings

    assert finding.rule == "yaml-encoding"
    assert f"U+{ord(character):04X}" in finding.message
    assert str(finding.position) == "x.yaml:2:19"


@pytest.mark.parametrize("escape", ["\\u2028", "\\u2029", "\\x85", "\\N", "\\L", "\\P"])
def test_no_escape_brings_such_a_character_into_a_value(escape: str) -> None:
    findings = read_yaml(f'a: "x{escape}y"\n'.encode(), "x.yaml").findings

    assert [finding.rule for finding in findings] == ["yaml-encoding"]
