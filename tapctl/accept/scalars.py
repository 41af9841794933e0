"""Values as YAML text in the style of what stands there."""

from __future__ import annotations

from collections.abc import Iterator

import yaml

from tapctl.config.yaml_tree import plain_value
from tapctl.model.values import JSONValue

_STRING = "tag:yaml.org,2002:str"


def flow(value: JSONValue) -> str:
    """A value on one line, quoted where it must be."""
    if isinstance(value, list):
        return "[" + ", ".join(flow(item) for item in value) + "]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(item)}" for key, item in value.items()) + "}"
    if isinstance(value, str):
        return value if is_plain(value, in_flow=True) else double_quoted(value)
    return word(value)


def word(value: None | bool | int | float) -> str:
    """A value that is neither a string nor a collection."""
    if value is None:
        return "null"
    return ("false", "true")[value] if isinstance(value, bool) else str(value)


def is_plain(text: str, *, in_flow: bool) -> bool:
    """Whether a string needs no quotes, for this reader and for readers of YAML 1.1."""
    if not text or text != text.strip() or not text.isprintable():
        return False
    probe = f"[{text}]" if in_flow else f"key: {text}"
    try:
        root = yaml.compose(probe, Loader=yaml.SafeLoader)
    except yaml.YAMLError:
        return False
    if root is None:
        return False
    nodes = root.value if in_flow else [value for _, value in root.value]
    # A number by YAML 1.2 may be a text by 1.1: 08.
    is_text = isinstance(plain_value(text), str)
    return is_text and len(nodes) == 1 and isinstance(nodes[0], yaml.ScalarNode) and _is_itself(nodes[0], text)


def _is_itself(node: yaml.ScalarNode, text: str) -> bool:
    return bool(node.value == text and node.style is None and node.tag in (_STRING, "tag:yaml.org,2002:timestamp"))


def double_quoted(text: str) -> str:
    """Text in double quotes, with escapes for everything that cannot be printed."""
    escaped = (_escape(character) for character in text)
    return '"' + "".join(escaped) + '"'


def _escape(character: str) -> str:
    if character in '"\\':
        return f"\\{character}"
    if character.isprintable():
        return character
    named = {"\n": "\\n", "\t": "\\t", "\r": "\\r"}.get(character)
    return named or (f"\\u{ord(character):04x}" if ord(character) <= 0xFFFF else f"\\U{ord(character):08x}")


def single_quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def in_style(value: None | bool | int | float | str, style: str | None, *, in_flow: bool) -> Iterator[str]:
    """The texts that may stand for a value, the one in the style of before first."""
    if not isinstance(value, str):
        yield word(value)
        return
    if style == "'" and value.isprintable():
        yield single_quoted(value)
    if style != '"' and is_plain(value, in_flow=in_flow):
        yield value
    yield double_quoted(value)
