"""Keys for objects that have none: short, valid, unique, and the same for every import of the same tenant."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from tapctl.model.desired import ALL_DEVICES, ALL_USERS

LONGEST = 64
_VALID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,63}")
_RESERVED = frozenset({ALL_USERS, ALL_DEVICES})


@dataclass(frozen=True, slots=True)
class Nameable:
    """An object that needs a key."""

    id: str
    name: str
    """Display name. Untrusted text."""
    mark: str | None = None
    """The key that an earlier tapctl left on the object."""


def slug(name: str) -> str:
    """A name in lower-case ASCII letters, digits and hyphens; empty where nothing of it can be kept."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain)[:LONGEST].strip("-")


def keys_for(objects: Iterable[Nameable], fallback: str) -> dict[str, str]:
    """Object id to key. A mark that only one object has becomes its key; similar names get a part of the id.

    Args:
        fallback: the key of an object of whose name nothing can be kept, such as `group`; its id is added.
    """
    listed = sorted(objects, key=lambda item: item.id)
    marks = Counter(item.mark.casefold() for item in listed if item.mark is not None)
    keys: dict[str, str] = {}
    for item in listed:
        if item.mark is not None and marks[item.mark.casefold()] == 1 and _is_valid(item.mark):
            keys[item.id] = item.mark
    taken = {key.casefold() for key in keys.values()}
    slugs = {item.id: slug(item.name) for item in listed if item.id not in keys}
    counts = Counter(slugs.values())
    for item_id, wanted in slugs.items():
        is_free = _is_valid(wanted) and counts[wanted] == 1 and wanted not in taken
        if is_free:
            keys[item_id] = wanted
    taken = {key.casefold() for key in keys.values()}
    for item_id, wanted in slugs.items():
        if item_id not in keys:
            keys[item_id] = _with_id(wanted or fallback, item_id, taken)
            taken.add(keys[item_id].casefold())
    return keys


def _is_valid(key: str) -> bool:
    return _VALID.fullmatch(key) is not None and key not in _RESERVED


def _with_id(name: str, item_id: str, taken: set[str]) -> str:
    for tail in (slug(item_id)[:8].strip("-"), slug(item_id)):
        key = f"{name[: LONGEST - len(tail) - 1].rstrip('-')}-{tail}".strip("-")
        if key not in taken:
            return key
    raise AssertionError("two objects have one id")
