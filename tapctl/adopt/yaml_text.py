"""A tree with comments as YAML that reads back as the same tree. Scalars are PyYAML's, each on one line."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Mapping, Sequence

import yaml

from tapctl.adopt.declaration import Note, Place, Tree
from tapctl.model.values import JSONValue

WIDTH = 118
_INDENT = "  "
_GUID = "[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
_PLAIN = re.compile(
    rf"[A-Za-z][A-Za-z0-9 ._/@-]*(?<! )|[1-9][0-9]*[mhd]|(?:group|device):[A-Za-z0-9_-]+|{_GUID}",
)
"""Text that needs no quotes, in a flow list either: names, durations, members, ids."""
_WORDS = frozenset({"true", "false", "null", "yes", "no", "on", "off", "y", "n"})
"""What YAML 1.1 or 1.2 takes for something else than text."""
_LOG_COMMAND = re.compile(r"##(?=[A-Za-z.]*\[)")
"""`##[group]` and `##vso[...]` act anywhere in a line of a CI log, and the file may be printed to one."""


def to_yaml(document: Tree, notes: Iterable[Note] = (), header: Sequence[str] = ()) -> str:
    """The text of a file: header lines as comments, then the document with each note above its place.

    Values may be anything that JSON can say; maps inside lists have plain words as keys.
    """
    comments: dict[Place, list[str]] = {}
    for note in notes:
        comments.setdefault(note.place, []).append(note.text)
    lines = [f"# {_harmless(line)}".rstrip() for line in header]
    lines += _comment(comments.get((), ()), "")
    for key, value in document.items():
        if lines:
            lines.append("")
        lines += _entry((key,), value, comments)
    return "".join(_LOG_COMMAND.sub(r"\\x23#", line) + "\n" for line in lines)


def _entry(place: Place, value: JSONValue, comments: Mapping[Place, Sequence[str]]) -> list[str]:
    """A key and its value, below the notes on it."""
    margin = _INDENT * (len(place) - 1)
    lines = _comment(comments.get(place, ()), margin)
    key = f"{margin}{scalar(place[-1])}:"
    if isinstance(value, dict) and value and not _is_short(value):
        lines.append(key)
        for name, inner in value.items():
            lines += _entry((*place, name), inner, comments)
    elif isinstance(value, list) and value and not _fits(margin, place[-1], value):
        lines += [key, *(f"{margin}{_INDENT}- {_flow(item)}" for item in value)]
    else:
        lines.append(f"{key} {_flow(value)}")
    return lines


def _is_short(value: Mapping[str, JSONValue]) -> bool:
    """A handful of scalars that only mean something together: the three lifetimes."""
    return set(value) <= {"minimum", "default", "maximum"}


def _fits(margin: str, key: str, value: JSONValue) -> bool:
    return not isinstance(value, list) or (
        all(not isinstance(item, dict) for item in value) and len(f"{margin}{key}: {_flow(value)}") <= WIDTH
    )


def _flow(value: JSONValue) -> str:
    """A value on one line."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key}: {_flow(inner)}" for key, inner in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_flow(item) for item in value) + "]"
    return scalar(value)


def scalar(value: None | bool | int | float | str) -> str:
    """A scalar on one line that YAML 1.1 and 1.2 read alike."""
    if not isinstance(value, str):
        return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)
    if _PLAIN.fullmatch(value) and value.lower() not in _WORDS:
        return value
    can_be_single = value.isascii() and value.isprintable() and '"' in value and "'" not in value and "##" not in value
    style = "'" if can_be_single else '"'
    return yaml.safe_dump(value, default_style=style, width=float("inf"), allow_unicode=True).rstrip("\n")


def _comment(texts: Iterable[str], margin: str) -> list[str]:
    lines: list[str] = []
    for text in texts:
        wrapped = textwrap.wrap(
            _harmless(f"{text[:1].upper()}{text[1:]}."), WIDTH - len(margin) - 2, break_long_words=False
        )
        lines += [f"{margin}# {line}" for line in wrapped]
    return lines


def _harmless(text: str) -> str:
    """Text that stays inside its comment: on one line, and without a character that acts or cannot be seen."""
    return "".join(character if character.isprintable() else " " for character in text)
