"""Joining trees: the files of a folder, and a file with what it extends.

Deep merge, later wins: maps merge, lists and scalars replace, null removes. Two parts are exempt: null stays a value
where it means something (settings), and guardrails.schema is never merged into.
"""

from __future__ import annotations

from collections.abc import Sequence

from tapctl.config.diagnostics import Problems
from tapctl.config.nodes import Entry, MapNode, Node, is_null
from tapctl.config.secrets import HIDDEN, is_secret_key
from tapctl.config.words import place, quoted
from tapctl.model.desired import Path


def join_files(roots: Sequence[MapNode], problems: Problems) -> MapNode:
    """The files of one tenant's folder as one tree; a key that two files give is an error, and the first stays."""
    entries: dict[str, Entry] = {}
    for root in roots:
        for key, entry in root.entries.items():
            first = entries.setdefault(key, entry)
            if first is not entry:
                problems.add(
                    "duplicate-key",
                    f"{quoted(key)} is given in two files of this tenant; first in {first.key.position}",
                    entry.key,
                    why="the files of a folder are one tenant, merged by top-level key",
                    fix="keep one of them; what several tenants share belongs into a baseline for extends",
                    related=(("first given here", first.key.position),),
                )
    return MapNode(roots[0].span, entries)


def overlay(base: MapNode, own: MapNode, problems: Problems) -> MapNode:
    """`own` merged over `base`. Guardrails and break-glass are not handled here: see tighten."""
    return _overlay(base, own, (), problems)


def _overlay(base: MapNode, own: MapNode, path: Path, problems: Problems) -> MapNode:
    entries = dict(base.entries)
    for key, entry in own.entries.items():
        here = (*path, key)
        under = entries.get(key)
        if is_null(entry.node) and not null_has_meaning(here):
            if under is None:
                _null_without_effect(here, entry, problems)
            entries.pop(key, None)
        else:
            entries[key] = Entry(entry.key, _overlaid(under.node if under else None, entry.node, here, problems))
    return MapNode(own.span, entries)


def _overlaid(under: Node | None, node: Node, path: Path, problems: Problems) -> Node:
    if not isinstance(node, MapNode) or path == ("guardrails", "schema"):
        return node
    base = under if isinstance(under, MapNode) else MapNode(node.span, {})
    return _overlay(base, node, path, problems)


def null_has_meaning(path: Path) -> bool:
    """Whether null says something there: a setting to take out of the policy, or a guardrail that may not be lifted."""
    is_setting = len(path) >= 4 and path[0] == "webSignIn" and path[2] == "settings"
    return is_setting or path[0] == "guardrails"


def _null_without_effect(path: Path, entry: Entry, problems: Problems) -> None:
    if path == ("extends",) or problems.is_incomplete:  # a baseline that cannot be read may give it
        return
    above = next((depth for depth, part in enumerate(path[:-1]) if is_secret_key(str(part))), None)
    name = HIDDEN if above is not None else quoted(str(path[-1]))
    if above is not None:
        path = path[: above + 1]
    elif name != f'"{path[-1]}"':  # a part of it was hidden
        path = path[:-1]
    problems.add(
        "null-without-effect",
        f"{name} has no value and removes nothing",
        entry.key,
        severity="warning",
        why=f"null removes what a baseline gives, and none gives {place(path)}; it is not managed",
        fix="write a value ([] for an empty list), or remove the line",
    )
