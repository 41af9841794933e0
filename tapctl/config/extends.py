"""Reading one file and all that it extends into one tree."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Sequence

from tapctl.config.diagnostics import Problems
from tapctl.config.merge import overlay
from tapctl.config.nodes import ListNode, MapNode, Node, ScalarNode, Span, is_null
from tapctl.config.source import Tree, escapes, is_baseline
from tapctl.config.tighten import Protection, apply_protection, joined, tightened
from tapctl.config.words import choice, described, quoted

MOST_LEVELS = 16
"""How long a chain of files that extend each other may be."""

ReadFile = Callable[[str, Span | None, Problems], MapNode | None]
"""Reads a file of the tree; the span is the entry that asked for it. None where it cannot be read."""


class _Resolution:
    """The state of resolving one tenant."""

    def __init__(self, tree: Tree, read: ReadFile, problems: Problems, span: Span) -> None:
        self.tree = tree
        self.read = read
        self.problems = problems
        self.merged = MapNode(span, {})
        self.done: dict[str, Protection] = {}
        """Files that are part of `merged` already; each is merged once, where it comes first."""


def resolve(path: str, root: MapNode, tree: Tree, read: ReadFile, problems: Problems) -> tuple[MapNode, Protection]:
    """The tree of a tenant over everything that it extends, and the guardrails that hold for it.

    Args:
        path: where `root` was read, or any file of the tenant's folder: `extends` is relative to the file that says it.
    """
    state = _Resolution(tree, read, problems, root.span)
    protection = _merge_in(state, (path,), root)
    return apply_protection(state.merged, protection), protection


def _merge_in(state: _Resolution, chain: tuple[str, ...], root: MapNode) -> Protection:
    """Merges what a file extends, then the file itself; `chain` ends with the file."""
    bases = [_extended(state, chain, item) for item in _wanted(root, state.problems)]
    own = MapNode(root.span, {key: entry for key, entry in root.entries.items() if key != "extends"})
    base = joined([base for base in bases if base is not None])
    protection = tightened(base, own, state.problems, is_baseline=len(chain) > 1 and is_baseline(chain[-1]))
    state.merged = overlay(state.merged, own, state.problems)
    return protection


def _wanted(root: MapNode, problems: Problems) -> Sequence[ScalarNode]:
    """The entries of `extends`, which is checked here: the merged tenant, which the schema sees, has none."""
    node: Node | None = root.get("extends")
    if node is None or is_null(node):
        return []
    items = node.items if isinstance(node, ListNode) else ()
    named = [item for item in items if isinstance(item, ScalarNode) and isinstance(item.value, str) and item.value]
    if not isinstance(node, ListNode) or len(named) < len(items):
        found = described(node) if not isinstance(node, ListNode) else "a list with something else in it"
        fix = "write a list such as [_baselines/secure.yaml]"
        why = "the files are merged in the order of the list"
        problems.add("wrong-type", f"extends must be a list of files, not {found}", node.span, why=why, fix=fix)
        problems.is_incomplete = True
    return named


def _extended(state: _Resolution, chain: tuple[str, ...], item: ScalarNode) -> Protection | None:
    path = posixpath.normpath(posixpath.join(posixpath.dirname(chain[-1]), item.text))
    if not _is_allowed(state, chain, path, item):
        state.problems.is_incomplete = True
        return None
    if path in state.done:
        return state.done[path]
    root = state.read(path, item.span, state.problems)
    if root is None:
        state.problems.is_incomplete = True
        return None
    state.done[path] = _merge_in(state, (*chain, path), root)
    return state.done[path]


def _is_allowed(state: _Resolution, chain: tuple[str, ...], path: str, item: ScalarNode) -> bool:
    """Whether the file may be read: inside the repository, there, and not extending itself."""
    add, shown = state.problems.add, quoted(item.text)
    kind = "outside" if item.text.startswith("/") or escapes(path) else state.tree.kind(path)
    if kind == "outside":
        why = "a file from a pull request must not be able to read what lies beside the repository"
        fix = "copy the baseline into the repository, and name it relative to this file"
        add("outside-repository", f"{shown} leads out of the repository", item.span, why=why, fix=fix)
    elif kind is None:
        folder, name = posixpath.split(path)
        fix = choice(name, state.tree.names(folder or "."), "files there") or "correct the path"
        why = "extends is relative to the file that says it"
        add("extends-missing", f"there is no file {shown}", item.span, why=why, fix=fix)
    elif kind == "folder":
        why = "extends takes files"
        add(
            "extends-missing", f"{shown} is a folder", item.span, why=why, fix="name the files of the folder one by one"
        )
    elif path in chain:
        loop = " -> ".join(posixpath.basename(link) for link in (*chain[chain.index(path) :], path))
        message = f"extends leads back to {shown}: {loop}"
        add(
            "extends-cycle", message, item.span, why="none of them could be merged first", fix="remove one of the links"
        )
    elif len(chain) > MOST_LEVELS:
        message = f"more than {MOST_LEVELS} files extend each other"
        add(
            "extends-cycle",
            message,
            item.span,
            why="the effective values could not be followed",
            fix="join some of them",
        )
    else:
        return True
    return False
