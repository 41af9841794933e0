"""Words of diagnostics: values quoted harmlessly, near matches, places in the tenant."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from itertools import islice

from tapctl.config.nodes import ListNode, MapNode, Node, ScalarNode
from tapctl.config.secrets import HIDDEN, without_secrets
from tapctl.model.desired import Path

QUOTED_LENGTH = 60
"""Characters of a value that are worth quoting."""
MOST_COMPARED = 300
"""Known words among which a near match is looked for: comparing costs, and files are untrusted."""


def printable(text: str) -> str:
    """The text with every character replaced that acts on a terminal or cannot be printed; one for one."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(_replaced(character) for character in text)


def _replaced(character: str) -> str:
    if character == "\t":
        return character
    is_harmful = unicodedata.category(character) in ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")
    return "\N{REPLACEMENT CHARACTER}" if is_harmful else character


def quoted(text: str) -> str:
    """The text in quotes, on one line, of bounded length, and without what looks like a secret."""
    beginning = text[: QUOTED_LENGTH * 2]
    line = " ".join(printable(without_secrets(beginning)).split()) if HIDDEN not in text else HIDDEN
    if len(line) > QUOTED_LENGTH or len(text) > len(beginning):
        line = line[: QUOTED_LENGTH - 1] + "…"
    return f'"{line}"'


def described(node: Node, *, is_private: bool = False) -> str:
    """What stands in the file, for "must be X, not ..."; `is_private` leaves the value out."""
    if isinstance(node, ListNode):
        return "a list" if node.items else "an empty list"
    if isinstance(node, MapNode):
        return "a map"
    return _described_scalar(node, is_private)


def _described_scalar(node: ScalarNode, is_private: bool) -> str:
    value = node.value
    if value is None:
        return "nothing (null)"
    if is_private:
        return "what is written here"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return f"the number {node.text[:QUOTED_LENGTH]}"
    return f"the text {quoted(value)}" if value else "an empty text"


def near(word: str, known: Iterable[str]) -> str | None:
    """The known word that was probably meant."""
    names = list(islice(known, MOST_COMPARED + 1))
    if len(word) > QUOTED_LENGTH or len(names) > MOST_COMPARED:
        return None
    from difflib import get_close_matches  # costs start-up time, and is needed only when something is wrong

    by_folded = {name.casefold(): name for name in names}
    matches = get_close_matches(word.casefold(), by_folded, n=1, cutoff=0.6)
    return by_folded[matches[0]] if matches else None


def choice(word: str, known: Iterable[str], noun: str) -> str:
    """A fix for a word that is not known: the near match, and what else there is."""
    names = list(known)
    meant = near(word, names)
    if meant is not None:
        return f'did you mean "{printable(meant)}"?'
    if not names:
        return ""
    listing = ", ".join(printable(name)[:QUOTED_LENGTH] for name in names[:20])
    return f"{noun}: {listing}{', ...' if len(names) > 20 else ''}"


def place(path: Path) -> str:
    """A path of the merged tenant as people write it: groups.tap-users.members[0]."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part}]"
        else:
            shown = printable(part)[:QUOTED_LENGTH]
            text += f".{shown}" if text else shown
    return text or "a tenant file"
