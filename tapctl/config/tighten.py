"""Guardrails and break-glass along `extends`: lists unite, the strictest limit wins, and looser is an error.

A tenant's file is compared with what it extends itself. Baselines are not compared, beside each other or one above
the other: the stricter one wins. Only null, which says that something shall not hold, is an error there too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from tapctl.config.diagnostics import Problems
from tapctl.config.nodes import Entry, ListNode, MapNode, Node, ScalarNode, is_null
from tapctl.config.words import place
from tapctl.model.desired import Path
from tapctl.model.durations import minutes, whole

_WHY = "guardrails and break-glass only tighten along extends, so that no tenant can step out of what holds for all"
_LIMITS = ("maxUsersGaining", "maxUsersLosing", "maxDevicesGaining", "maxDevicesLosing")

DENY: Path = ("guardrails", "deny")
BREAK_GLASS: Path = ("tenant", "breakGlass")
AGE: Path = ("guardrails", "approvalMaxAge")
LIMITS: tuple[Path, ...] = tuple(("guardrails", "impact", limit) for limit in _LIMITS)


class Protection(NamedTuple):
    """What holds of one file and all that it extends."""

    entries: Mapping[Path, Entry]
    schemas: tuple[Entry, ...] = ()


def joined(protections: Sequence[Protection]) -> Protection:
    """The strictest of several baselines beside each other."""
    silent = Problems()
    result = Protection({})
    for protection in protections:
        entries = dict(result.entries)
        for path, entry in protection.entries.items():
            entries[path] = _stricter(entries.get(path), entry, path, silent)
        schemas = (*result.schemas, *(schema for schema in protection.schemas if schema not in result.schemas))
        result = Protection(entries, schemas)
    return result


def tightened(base: Protection, own: MapNode, problems: Problems, *, is_baseline: bool) -> Protection:
    """What holds of a file over what it extends: the stricter of both.

    Where a tenant's file would be looser, a problem names both places."""
    _refuse_nulls(base, own, problems)
    compared = Problems() if is_baseline else problems
    entries = dict(base.entries)
    for path in (DENY, BREAK_GLASS, AGE, *LIMITS):
        entry = entry_at(own, path)
        if entry is not None and not is_null(entry.node):
            entries[path] = _stricter(entries.get(path), entry, path, compared)
    schema = entry_at(own, ("guardrails", "schema"))
    added = (schema,) if schema is not None and not is_null(schema.node) else ()
    return Protection(entries, (*base.schemas, *added))


def apply_protection(merged: MapNode, protection: Protection) -> MapNode:
    """The merged tree with the strictest guardrails in place of the latest."""
    for path, entry in protection.entries.items():
        merged = _with(merged, path, entry)
    return merged


def entry_at(node: Node, path: Path) -> Entry | None:
    """The key and value at a path of maps, or None."""
    entry: Entry | None = None
    for part in path:
        entry = node.entries.get(str(part)) if isinstance(node, MapNode) else None
        if entry is None:
            return None
        node = entry.node
    return entry


def _with(node: MapNode, path: Path, entry: Entry) -> MapNode:
    key, rest = str(path[0]), path[1:]
    entries = dict(node.entries)
    if not rest:
        entries[key] = entry
    else:
        child = entries.get(key)
        inner = child.node if child and isinstance(child.node, MapNode) else MapNode(entry.node.span, {})
        entries[key] = Entry(child.key if child else entry.key, _with(inner, rest, entry))
    return MapNode(node.span, entries)


def _refuse_nulls(base: Protection, own: MapNode, problems: Problems) -> None:
    """Null at or above a guardrail of the base would remove it."""
    refused: set[Path] = set()
    held = [(path, entry) for path, entry in base.entries.items()]
    held += [(("guardrails", "schema"), schema) for schema in base.schemas]
    for path, entry in held:
        for depth in range(1, len(path) + 1):
            above = entry_at(own, path[:depth])
            if above is not None and is_null(above.node) and path[:depth] not in refused:
                refused.add(path[:depth])
                _looser(path[:depth], above, entry, f"{place(path[:depth])} cannot be removed with null", problems)


def _stricter(base: Entry | None, own: Entry, path: Path, problems: Problems) -> Entry:
    if base is None:
        return own
    if path == DENY:
        return _united(base, own, path, _says_nothing_more, problems)
    if path == BREAK_GLASS:
        return _united(base, own, path, _lacks_some, problems)
    return _lower(base, own, path, problems)


def _lower(base: Entry, own: Entry, path: Path, problems: Problems) -> Entry:
    measure = minutes if path == AGE else whole
    ours, theirs = measure(_value(own.node)), measure(_value(base.node))
    if ours is None or theirs is None or ours <= theirs:
        return own
    shown = f"{place(path)} is {_text(own.node)}, looser than the baseline's {_text(base.node)}"
    _looser(path, own, base, shown, problems, fix=f"write {_text(base.node)} or less, or remove the line")
    return base


def _united(
    base: Entry,
    own: Entry,
    path: Path,
    is_looser: Callable[[set[str], set[str]], bool],
    problems: Problems,
) -> Entry:
    if not isinstance(base.node, ListNode) or not isinstance(own.node, ListNode):
        return own
    ours, theirs = _texts(own.node), _texts(base.node)
    missing = [item for item in base.node.items if _text(item) not in ours]
    if is_looser(ours, theirs):
        names = ", ".join(_text(item) for item in missing)
        message = f"{place(path)} lacks {names}, which the baseline lists"
        _looser(path, own, base, message, problems, fix=f"add {names}, or remove the line")
    return Entry(own.key, ListNode(own.node.span, (*own.node.items, *missing)))


def _says_nothing_more(ours: set[str], theirs: set[str]) -> bool:
    return ours < theirs


def _lacks_some(ours: set[str], theirs: set[str]) -> bool:
    return not theirs <= ours


def _looser(path: Path, own: Entry, base: Entry, message: str, problems: Problems, *, fix: str = "") -> None:
    problems.add(
        "looser-than-baseline",
        f"{message} ({base.key.position})",
        own.key,
        why=_WHY,
        fix=fix or f"remove the line, or change {place(path)} in the baseline, where it is reviewed for every tenant",
        related=(("the baseline says", base.key.position),),
    )


def _value(node: Node) -> object:
    return node.value if isinstance(node, ScalarNode) else None


def _text(node: Node) -> str:
    return node.text[:64] if isinstance(node, ScalarNode) else "something that is not text"


def _texts(node: ListNode) -> set[str]:
    return {_text(item) for item in node.items}
