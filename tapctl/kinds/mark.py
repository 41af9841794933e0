"""The mark that tapctl puts on a profile it creates: the last line of its description, which contains the key."""

from __future__ import annotations

import re

MOST_CHARACTERS = 1000
"""Graph refuses a longer description of a configuration policy (seen in error reports, checked 2026-11-22)."""

_MARK = re.compile(r"(?:\A|\n)\[tapctl:([^\]\n]{1,200})\]\s*\Z")


def split(description: str) -> tuple[str, str | None]:
    """A live description without its mark, and the key in the mark."""
    normal = description.replace("\r\n", "\n")
    found = _MARK.search(normal)
    return (normal[: found.start()], found.group(1)) if found else (normal, None)


def join(description: str, key: str | None) -> str:
    """The description to write: the text, followed by the mark where there is one."""
    if key is None:
        return description
    return f"{description}\n[tapctl:{key}]" if description else f"[tapctl:{key}]"
