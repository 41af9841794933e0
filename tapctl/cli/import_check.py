"""What an import may write: values that a file can hold, and a file whose plan, from what was just read, is empty."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from tapctl.errors import Finding, RefusedError

if TYPE_CHECKING:
    from tapctl.adopt.declaration import Declaration, Place
    from tapctl.adopt.inventory import Inventory
    from tapctl.config.source import Kind
    from tapctl.model.desired import Tenant
    from tapctl.model.values import JSONValue

_FILE = "imported.yaml"


class Grammar:
    """Whether a value can stand at a place of a tenant file: by the reader, the secret scan and the schema of files."""

    def __init__(self) -> None:
        from tapctl.config.check import Checker
        from tapctl.config.schema import merged_schema

        self._checker = Checker(merged_schema())

    def can_say(self, place: Place, value: JSONValue) -> bool:
        """Whether a file that says this is valid there and reads back as exactly this."""
        from tapctl.adopt.yaml_text import to_yaml
        from tapctl.config.nodes import plain
        from tapctl.config.secrets import secrets_in
        from tapctl.config.yaml_tree import read_yaml

        document: dict[str, JSONValue] = {place[-1]: value}
        for key in reversed(place[:-1]):
            document = {key: document}
        read = read_yaml(to_yaml(document).encode("utf-8", "replace"), _FILE)
        if read.root is None or read.findings or plain(read.root) != document or any(secrets_in(read.root)):
            return False
        return not any(item.path[: len(place)] == place for item in self._checker.check(read.root))


@dataclass(frozen=True, slots=True)
class _OneFile:
    """A tree of files that holds one, which is not on disk yet."""

    root: Path
    content: bytes

    def kind(self, path: str) -> Kind | None:
        return "file" if path == _FILE else "folder" if path == "." else None

    def names(self, folder: str) -> tuple[str, ...]:
        return (_FILE,) if folder == "." else ()

    def read(self, path: str) -> bytes:  # noqa: ARG002 - a protocol; there is no other file
        return self.content


@dataclass(frozen=True, slots=True, kw_only=True)
class Checked:
    """A file that may be written."""

    text: str
    declaration: Declaration
    differences: tuple[str, ...]
    """What the plan of the file would still change, as text for people."""


def checked(
    declaration: Declaration, inventory: Inventory, header: Callable[[Sequence[str]], Sequence[str]], today: date
) -> Checked:
    """The text of a file in which every error of a lint rule that the tenant has as it is was marked as considered.

    Args:
        header: the first comment lines of the file, from what its plan would change all the same.

    Raises:
        RefusedError: what remains of the errors cannot be marked so.
    """
    from tapctl.adopt.declare import with_suppressions
    from tapctl.adopt.yaml_text import to_yaml
    from tapctl.rules.catalogue import BY_ID

    findings, differences = _judge(to_yaml(declaration.document), inventory, today)
    rules = {item.rule for item in _errors(findings) if item.rule in BY_ID and BY_ID[item.rule].is_suppressible}
    if rules:
        declaration = with_suppressions(declaration, rules, f"Imported as it was on {today}; review")
        findings, differences = _judge(to_yaml(declaration.document), inventory, today)
    errors = _errors(findings)
    if errors:
        raise RefusedError(
            f"what lives in this tenant cannot be said in one valid file: {errors[0].message}",
            fix="import a part of it with --profile NAME",
        )
    text = to_yaml(declaration.document, declaration.notes, header(differences))
    return Checked(text=text, declaration=declaration, differences=differences)


def _errors(findings: Sequence[Finding]) -> list[Finding]:
    return [item for item in findings if item.severity == "error" and not item.suppressed]


def _judge(text: str, inventory: Inventory, today: date) -> tuple[Sequence[Finding], tuple[str, ...]]:
    """Everything that `validate` and `plan` would find in the file, and what `plan` would change."""
    from tapctl.adopt.inventory import as_live
    from tapctl.config.load import load
    from tapctl.reconcile.planner import plan_tenant
    from tapctl.rules.check import check
    from tapctl.rules.live import check_filters
    from tapctl.rules.suppressions import apply_suppressions

    loaded = load((_FILE,), tree=_OneFile(Path.cwd(), text.encode("utf-8")))
    if not loaded.tenants:
        return loaded.findings, ()
    tenant: Tenant = loaded.tenants[0]
    planned = plan_tenant(tenant, as_live(tenant, inventory), today)
    live = check_filters(tenant, {item.display_name: item.rule for item in inventory.filters})
    findings = (
        *loaded.findings,
        *check(tenant, today=today),
        *planned.findings,
        *apply_suppressions(tenant, live, today=today),
    )
    return findings, tuple(
        f"{draft.change.address}: {', '.join(item.path for item in draft.change.fields)}" for draft in planned.drafts
    )
