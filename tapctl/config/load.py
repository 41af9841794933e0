"""The entry point: PATHs to desired states, with every problem of every file.

PATHs -> select -> read -> join files -> extends -> tighten -> schema -> parse -> references -> Tenant
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

from tapctl.config.check import Checker
from tapctl.config.diagnostics import Problems, Sources, ordered, with_excerpt
from tapctl.config.extends import resolve
from tapctl.config.merge import join_files
from tapctl.config.nodes import Entry, MapNode, ScalarNode, Span, plain
from tapctl.config.parse import Origin, guardrails, parse
from tapctl.config.partial import Readable, is_removable, meant_place, readable_part, without
from tapctl.config.places import Places
from tapctl.config.references import check_references, check_schema_references
from tapctl.config.schema import merged_schema
from tapctl.config.secrets import secrets_in
from tapctl.config.select import DEFAULT_PATH, Ignored, TenantSource, ignored, select
from tapctl.config.source import Tree, UnreadableError, WorkTree, repository_of, to_display_path
from tapctl.config.tighten import Protection, entry_at
from tapctl.config.words import choice, printable, quoted
from tapctl.config.yaml_tree import Document, read_yaml, top_level_keys
from tapctl.errors import ConfigurationError, Finding, Position, UsageError
from tapctl.model.desired import Guardrails, ImpactLimits, Tenant
from tapctl.model.desired import Path as TreePath
from tapctl.model.values import JSONValue


class Failed(NamedTuple):
    """A selected tenant that cannot be used, with the parts of it that could be read."""

    name: str
    source: str
    id: str
    """Empty where it could not be read."""
    cloud: str
    findings: tuple[Finding, ...]
    readable: tuple[Readable, ...] = ()
    """What rules can be asked about; two where two files have the name."""


class Loaded(NamedTuple):
    """The tenants and findings in the PATHs."""

    tenants: tuple[Tenant, ...]
    """The tenants without an error, by name."""
    findings: tuple[Finding, ...]
    """Every problem of every file, each once, by file, line and column."""
    failed: Mapping[str, Failed]
    """The tenants with errors, by name."""
    ignored: tuple[Finding, ...] = ()
    """The findings about files that belong to no tenant."""


def load(
    paths: Sequence[str] = (),
    *,
    names: Sequence[str] = (),
    labels: Mapping[str, str] = {},
    tree: Tree | None = None,
) -> Loaded:
    """The desired states of the selected tenants.

    Args:
        paths: tenant files, tenant folders or folders of tenants; tenants/ when there are none.
        names: only tenants of these names.
        labels: only tenants that have all of these labels.
        tree: where the files are, when not on disk: a revision of the repository.

    Raises:
        UsageError: a PATH does not exist, a name or label fits no tenant, or there is no tenant at all.
    """
    return _Loader().load(paths, names, labels, tree)


def load_guardrails(path: str) -> Guardrails:
    """The guardrails of a file from outside the branch; what it does not name is no limit. See `stricter`.

    Raises:
        UsageError: there is no such file, or it is a link to somewhere else.
        ConfigurationError: the file has problems.
    """
    return _Loader().guardrails(path)


def stricter(one: Guardrails, other: Guardrails) -> Guardrails:
    """Both guardrails at once: schemas and denials unite, the lower limit wins."""
    return Guardrails(
        schemas=(*one.schemas, *(schema for schema in other.schemas if schema not in one.schemas)),
        impact=ImpactLimits(
            max_users_gaining=_lower(one.impact.max_users_gaining, other.impact.max_users_gaining),
            max_users_losing=_lower(one.impact.max_users_losing, other.impact.max_users_losing),
            max_devices_gaining=_lower(one.impact.max_devices_gaining, other.impact.max_devices_gaining),
            max_devices_losing=_lower(one.impact.max_devices_losing, other.impact.max_devices_losing),
        ),
        deny=one.deny | other.deny,
        approval_max_age=min(one.approval_max_age, other.approval_max_age),
    )


def _lower(one: int | None, other: int | None) -> int | None:
    given = [limit for limit in (one, other) if limit is not None]
    return min(given) if given else None


class _Result(NamedTuple):
    """One tenant after reading, with or without errors."""

    source: TenantSource
    tenant: Tenant | None
    findings: tuple[Finding, ...]
    readable: Readable | None = None
    id: str = ""
    id_span: Span | None = None
    cloud: str = ""
    labels: Mapping[str, str] | None = None
    """None where they could not be read."""


class _Loader:
    """Reads each file once, even if several tenants share it."""

    def __init__(self) -> None:
        self._documents: dict[tuple[Path, str], Document] = {}
        self._sources = Sources()
        self._checker = Checker(merged_schema())

    def load(self, paths: Sequence[str], names: Sequence[str], labels: Mapping[str, str], tree: Tree | None) -> Loaded:
        selected = select(paths, tree, self._has_tenant)
        sources = _named(selected, names)
        results = _labelled([self._tenant(source) for source in sources], labels)
        clashes = self._clashes(results)
        tenants: list[Tenant] = []
        failed: dict[str, Failed] = {}
        everything: list[Finding] = []
        for index, result in enumerate(results):
            findings = ordered(
                with_excerpt(finding, self._sources) for finding in (*result.findings, *clashes.get(index, ()))
            )
            everything.extend(findings)
            if result.tenant is not None and index not in clashes:
                tenants.append(result.tenant)
                continue
            name = result.source.name
            earlier = failed[name].findings if name in failed else ()
            readable = failed[name].readable if name in failed else ()
            failed[name] = Failed(
                name=name,
                source=result.source.display,
                id=result.id,
                cloud=result.cloud or "global",
                findings=ordered((*earlier, *findings)),
                readable=(*readable, result.readable) if result.readable else readable,
            )
        tenants.sort(key=lambda tenant: tenant.name)
        passed_over = self._passed_over(paths, selected, results, is_all=not names and not labels) if not tree else ()
        return Loaded(
            tenants=tuple(tenants),
            findings=ordered((*everything, *passed_over)),
            failed=dict(sorted(failed.items())),
            ignored=passed_over,
        )

    def _passed_over(
        self, paths: Sequence[str], selected: Sequence[TenantSource], results: Sequence[_Result], *, is_all: bool
    ) -> tuple[Finding, ...]:
        """A warning for every file that is not read, in the folders of the selected tenants or around them."""
        chosen = {result.source.display for result in results}
        found = [item for item in ignored(paths, selected) if item.folder in chosen or (is_all and not item.folder)]
        unread = [item for item in found if (item.tree.root, item.path) not in self._documents]
        return ordered(_ignored_file(item) for item in unread)

    def guardrails(self, path: str) -> Guardrails:
        full = Path(os.path.normpath(Path.cwd() / path))
        if not full.is_file():
            raise UsageError(f"there is no file {printable(path)}", fix="name a file that has guardrails: at top level")
        problems = Problems()
        tree = WorkTree(repository_of(full))
        inside = full.relative_to(tree.root).as_posix()
        if tree.kind(inside) == "outside":
            raise UsageError(
                f"{printable(path)} is a link that leaves {printable(str(tree.root))}",
                fix="name the file that it leads to",
            )
        root = self._read(tree, inside, None, problems)
        top = Span(Position(to_display_path(full), 1, 1), 1)
        root = root or MapNode(top, {})
        for key, entry in root.entries.items():
            if key != "guardrails":
                message = f"{quoted(key)} has no place in a guardrails file"
                why = "a guardrails file adds rules to tenants, and describes none"
                problems.add("unknown-key", message, entry.key, why=why, fix="keep guardrails: alone")
        if "guardrails" not in root.entries and not problems.has_errors:
            why = "a file that was cut short would let everything pass"
            problems.add("schema", "the file has no `guardrails:`", top, why=why, fix="add `guardrails:` at top level")
        problems.is_incomplete = True  # there is no tenant in it, and none is missed
        self._validate(root, problems)
        schema = entry_at(root, ("guardrails", "schema"))
        if schema is not None:
            check_schema_references(schema.node, problems)
        if problems.has_errors:
            raise ConfigurationError(problems.findings(self._sources))
        return _outside_guardrails(root, schema)

    def _tenant(self, source: TenantSource) -> _Result:
        problems = Problems()
        _check_name(source, problems)
        roots = [(file, self._read(source.tree, file, None, problems)) for file in source.files]
        readable = [(file, root) for file, root in roots if root is not None]
        if len(readable) < len(roots):
            problems.is_incomplete = True
        if not readable:
            return _Result(source=source, tenant=None, findings=problems.findings(self._sources))
        joined = join_files([root for _, root in readable], problems) if len(readable) > 1 else readable[0][1]
        saying = next((file for file, root in readable if "extends" in root.entries), readable[0][0])

        def read(path: str, span: Span | None, found: Problems) -> MapNode | None:
            return self._read(source.tree, path, span, found)

        merged, protection = resolve(saying, joined, source.tree, read, problems)
        return self._result(source, merged, protection, problems)

    def _result(self, source: TenantSource, merged: MapNode, protection: Protection, problems: Problems) -> _Result:
        usable, broken = self._validate(merged, problems)
        for schema in protection.schemas:
            check_schema_references(schema.node, problems)
        places = Places(usable)
        lines = self._sources.lines(dict.fromkeys(span.position.file for span in places.keys.values()))
        origin = Origin(
            name=source.name,
            source=source.display,
            schemas=tuple(schema for schema in map(_schema, protection.schemas) if schema not in ({}, True)),
            label_texts=_label_texts(usable),
            positions={path: span.position for path, span in places.keys.items()},
            value_positions={path: span.position for path, span in places.values.items()},
            lines=lines,
        )
        document = plain(usable)
        tenant = parse(document if isinstance(document, dict) else {}, origin)
        if not problems.is_incomplete:
            are_known = not any(path[:1] == ("groups",) and len(path) == 1 for path in broken)
            check_references(tenant, _keys(merged, "groups") if are_known else None, places, problems)
        return _Result(
            source=source,
            tenant=None if problems.has_errors else tenant,
            readable=readable_part(source, usable, origin, broken, problems)
            if problems.has_errors
            else Readable(tenant),
            findings=problems.findings(self._sources),
            id=tenant.id,
            id_span=places.values.get(("tenant", "id")),
            cloud=tenant.cloud,
            labels=None if problems.is_incomplete else tenant.labels,
        )

    def _validate(self, merged: MapNode, problems: Problems) -> tuple[MapNode, frozenset[TreePath]]:
        """Reports what the schema refuses; returns the tree without it, so that the rest can be checked as well.

        Beside it, the places that now lack something."""
        places = Places(merged)
        violations = self._checker.check(merged)
        if violations:
            from tapctl.config.violations import report  # words for what is wrong; mostly nothing is

            for violation in violations:
                report(violation, places, problems, self._sources)
        refused = {violation.path for violation in violations if is_removable(violation)}
        broken = frozenset(meant_place(violation) for violation in violations)
        return (without(merged, (), refused) if refused else merged), broken

    def _read(self, tree: Tree, path: str, asked: Span | None, problems: Problems) -> MapNode | None:
        document = self._document(tree, path, asked)
        problems.extend(document.findings)
        return document.root

    def _has_tenant(self, tree: Tree, path: str) -> bool:
        return "tenant" in top_level_keys(self._document(tree, path, None))

    def _document(self, tree: Tree, path: str, asked: Span | None) -> Document:
        key = (tree.root, path)
        if key not in self._documents:
            self._documents[key] = self._new_document(tree, path, asked)
        return self._documents[key]

    def _new_document(self, tree: Tree, path: str, asked: Span | None) -> Document:
        display = to_display_path(tree.root / path)
        span = asked or Span(Position(display, 1, 1), 1)
        if tree.kind(path) == "outside":
            return _refused(span, "outside-repository", f"{display} is a link that leaves the repository")
        try:
            content = tree.read(path)
        except UnreadableError as error:
            return _refused(span, "unreadable-file", f"{display} cannot be read: {error}")
        document = read_yaml(content, display)
        self._sources.add(display, document.lines)
        if document.root is None:
            return document
        return Document(document.root, document.lines, (*document.findings, *self._secrets(document.root)))

    def _secrets(self, root: MapNode) -> tuple[Finding, ...]:
        problems = Problems()
        for span, node in secrets_in(root):
            self._sources.hide(node)
            problems.add(
                "secret-in-yaml",
                "a secret, or what looks like one, is written here",
                span,
                why="whoever can read the repository, now or later, could sign in with it",
                fix="revoke it, and name a variable or a file instead: secretVariable, secretFile, tokenVariable",
            )
        return problems.findings(self._sources)

    @staticmethod
    def _clashes(results: Sequence[_Result]) -> dict[int, list[Finding]]:
        """Two tenants with the same name or id, by index: neither can be used, and both get the finding."""
        found: dict[int, list[Finding]] = {}
        by_name: dict[str, int] = {}
        by_id: dict[str, int] = {}
        for index, result in enumerate(results):
            first = by_name.setdefault(result.source.name, index)
            if first != index:
                _note(found, (first, index), _same_name(results[first], result))
            first = by_id.setdefault(result.id, index) if result.id else index
            if first != index:
                _note(found, (first, index), _same_id(results[first], result))
        return found


def _note(found: dict[int, list[Finding]], indexes: Sequence[int], finding: Finding) -> None:
    for index in indexes:
        found.setdefault(index, []).append(finding)


def _check_name(source: TenantSource, problems: Problems) -> None:
    if not re.fullmatch(r"[\w.-]+", source.name):
        problems.add(
            "tenant-name",
            f"{quoted(source.name)} cannot be the name of a tenant",
            Span(Position(to_display_path(source.tree.root / source.files[0]), 1, 1), 1),
            why="the name is part of approvals and file names",
            fix="rename the file or folder: letters, digits, ., - and _",
        )


def _named(sources: list[TenantSource], names: Sequence[str]) -> list[TenantSource]:
    known = [source.name for source in sources]
    for name in names:
        if name not in known:
            raise UsageError(f"no selected tenant is named {printable(name)}", fix=choice(name, known, "tenants"))
    return [source for source in sources if not names or source.name in names]


def _labelled(results: list[_Result], labels: Mapping[str, str]) -> list[_Result]:
    """The tenants that have the labels, and those whose labels could not be read: unknown is not absent."""
    wanted = labels.items()
    chosen = [result for result in results if result.labels is None or wanted <= result.labels.items()]
    if not chosen:
        shown = ", ".join(f"{printable(key)}={printable(value)}" for key, value in wanted)
        present = sorted({f"{key}={value}" for result in results for key, value in (result.labels or {}).items()})
        raise UsageError(f"no selected tenant has {shown}", fix=choice(shown, present, "labels"))
    return chosen


def _same_name(first: _Result, second: _Result) -> Finding:
    one, other = first.source.display, second.source.display
    return Finding(
        rule="duplicate-name",
        severity="error",
        message=f"{one} and {other} are both named {second.source.name}",
        why="a tenant is called by the name of its file or folder",
        fix="rename or remove one of them",
        position=Position(to_display_path(second.source.tree.root / second.source.files[0]), 1, 1),
        related=(("the other one", Position(to_display_path(first.source.tree.root / first.source.files[0]), 1, 1)),),
    )


def _same_id(first: _Result, second: _Result) -> Finding:
    here, there = second.id_span, first.id_span
    return Finding(
        rule="duplicate-tenant-id",
        severity="error",
        message=f"{second.source.display} and {first.source.display} have one tenant.id"
        + (f" ({there.position})" if there else ""),
        why="two desired states of one tenant would undo each other's changes",
        fix="correct the id, or join the two files in one folder",
        position=here.position if here else None,
        width=here.width if here else 1,
        related=(("the other one", there.position),) if there else (),
    )


def _ignored_file(item: Ignored) -> Finding:
    display = to_display_path(item.tree.root / item.path)
    folder = item.folder or to_display_path(item.tree.root / DEFAULT_PATH)
    why = f"the folders in {folder} are not searched further" if item.folder else "it is too deep for a tenant's file"
    fix = f"move it to {folder}/; begin its name with _ if it is meant to be left out"
    if item.is_misnamed:
        why = "the files of tenants end in .yaml or .yml, in lower case"
        fix = "rename it; begin its name with _ if it is meant to be left out"
    position = Position(display, 1, 1)
    message = f"{display} is read for no tenant"
    return Finding(rule="ignored-file", severity="warning", message=message, why=why, fix=fix, position=position)


def _refused(span: Span, rule: str, message: str) -> Document:
    fix = "put the file itself into the repository" if rule == "outside-repository" else "check the file's permissions"
    problems = Problems()
    problems.add(rule, message, span, why="a tenant is applied as a whole, or not at all", fix=fix)
    return Document(None, (), problems.findings(Sources()))


def _schema(entry: Entry) -> JSONValue:
    return plain(entry.node)


def _keys(root: MapNode, section: str) -> tuple[str, ...]:
    node = root.get(section)
    return tuple(node.entries) if isinstance(node, MapNode) else ()


def _label_texts(root: MapNode) -> dict[str, str]:
    entry = entry_at(root, ("tenant", "labels"))
    labels = entry.node.entries if entry is not None and isinstance(entry.node, MapNode) else {}
    return {key: label.node.text for key, label in labels.items() if isinstance(label.node, ScalarNode)}


def _outside_guardrails(root: MapNode, schema: Entry | None) -> Guardrails:
    document = plain(root)
    given = document.get("guardrails") if isinstance(document, dict) else None
    named: dict[str, JSONValue] = given if isinstance(given, dict) else {}
    limits = guardrails(named, (plain(schema.node),) if schema is not None else ())
    return Guardrails(
        schemas=limits.schemas,
        impact=limits.impact,
        deny=limits.deny if "deny" in named else frozenset(),
        approval_max_age=limits.approval_max_age if "approvalMaxAge" in named else timedelta.max,
    )
