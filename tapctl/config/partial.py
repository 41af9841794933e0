"""A tenant with errors, as far as it can be read: what the rules are asked about, and which places are not known."""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from tapctl.config.check import Violation
from tapctl.config.diagnostics import Problems
from tapctl.config.nodes import Entry, ListNode, MapNode, Node, ScalarNode, plain
from tapctl.config.parse import Origin, parse
from tapctl.config.select import TenantSource
from tapctl.config.source import to_display_path
from tapctl.config.words import near
from tapctl.model.desired import Path as TreePath
from tapctl.model.desired import Tenant


class Readable(NamedTuple):
    """The readable parts of a tenant with errors. Never used for a plan."""

    tenant: Tenant
    broken: frozenset[TreePath] = frozenset()
    """Places of it that say nothing certain; () where a whole file is missing."""


def is_removable(violation: Violation) -> bool:
    """Whether the rest can be checked as if the part were not there: what is missing cannot be taken away."""
    return bool(violation.path) and not violation.is_missing


def without(node: MapNode, path: TreePath, refused: set[TreePath]) -> MapNode:
    entries = {
        key: Entry(entry.key, _pruned(entry.node, (*path, key), refused))
        for key, entry in node.entries.items()
        if (*path, key) not in refused
    }
    return MapNode(node.span, entries)


def _pruned(node: Node, path: TreePath, refused: set[TreePath]) -> Node:
    if isinstance(node, MapNode):
        return without(node, path, refused)
    if isinstance(node, ListNode):
        items = (
            _nothing(item) if (*path, index) in refused else _pruned(item, (*path, index), refused)
            for index, item in enumerate(node.items)
        )
        return ListNode(node.span, tuple(items))
    return node


def readable_part(
    source: TenantSource, usable: MapNode, origin: Origin, broken: frozenset[TreePath], problems: Problems
) -> Readable:
    """What rules can be asked about; where a file is missing, what the tenant's own say, which none overrides."""
    if problems.is_incomplete:
        broken = broken | {()}
        usable = _only(usable, [to_display_path(source.tree.root / file) for file in source.files])
    places = {*origin.positions.items(), *origin.value_positions.items()}
    if ("guardrails", "schema") in broken:
        origin = origin._replace(schemas=tuple(schema for schema in origin.schemas if isinstance(schema, dict)))
    unread_places, unclear_places = problems.unread, problems.unclear
    unread = frozenset(path for path, place in places if place in unread_places)
    document = plain(without(usable, (), set(unread)))
    tenant = parse(document if isinstance(document, dict) else {}, origin)
    return Readable(tenant, broken | unread | {path for path, place in places if place in unclear_places})


def _nothing(item: Node) -> Node:
    """What stands in a list for an entry that cannot be used, so that the others keep their places."""
    return ScalarNode(item.span, "", "", item.span.position.line)


def meant_place(violation: Violation) -> TreePath:
    """The place that is not known because of a violation: of a misspelt key, that of the key that was meant."""
    if violation.is_missing:
        return (*violation.path, violation.detail)
    if violation.keyword != "unknown":
        return violation.path
    known = violation.words.get("properties")
    meant = near(violation.detail, known) if isinstance(known, dict) else None
    return (*violation.path[:-1], meant or violation.detail)


def _only(node: MapNode, files: Collection[str]) -> MapNode:
    """The part of a tree that certain files wrote."""
    entries = {
        key: Entry(entry.key, _only(entry.node, files) if isinstance(entry.node, MapNode) else entry.node)
        for key, entry in node.entries.items()
        if entry.key.position.file in files
    }
    return MapNode(node.span, entries)
