"""The selected tenants with their findings from the files: all that offline commands need."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, NamedTuple

from tapctl.errors import Finding

if TYPE_CHECKING:
    from tapctl.cli.options import Selection
    from tapctl.config.load import Failed
    from tapctl.model.desired import Guardrails, Tenant


class Checked(NamedTuple):
    """The selected tenants, with every offline finding of each."""

    tenants: tuple[tuple[Tenant, tuple[Finding, ...]], ...]
    failed: tuple[Failed, ...]
    ignored: tuple[Finding, ...] = ()
    """Warnings about files that belong to no tenant."""

    @property
    def findings(self) -> tuple[Finding, ...]:
        """Every finding of every tenant, each once, in the order of the files."""
        from tapctl.rules.check import in_order

        own = [finding for _, findings in self.tenants for finding in findings]
        broken = [finding for item in self.failed for finding in item.findings]
        return in_order(dict.fromkeys([*own, *broken, *self.ignored]))


def check(selection: Selection, guardrails: Guardrails | None = None) -> Checked:
    """Load the selected tenants and check each with the offline rules.

    Raises:
        UsageError: when nothing is selected.
    """
    from tapctl.config.judge import judged, judged_in_part
    from tapctl.config.load import load, stricter

    today = datetime.now(UTC).date()
    loaded = load(selection.paths, names=selection.names, labels=selection.labels)
    checked: list[tuple[Tenant, tuple[Finding, ...]]] = []
    for tenant in loaded.tenants:
        bound = replace(tenant, guardrails=stricter(tenant.guardrails, guardrails)) if guardrails else tenant
        checked.append((bound, judged(bound, loaded, today)))
    failed = tuple(judged_in_part(item, today, guardrails) for item in loaded.failed.values())
    return Checked(tenants=tuple(checked), failed=failed, ignored=loaded.ignored)
