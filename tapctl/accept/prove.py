"""Checking edited files before they are written: they are loaded, checked by the rules, and differ only as accepted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date

from tapctl.accept.files import EditedTree
from tapctl.accept.propose import Proposal
from tapctl.config.load import load
from tapctl.errors import Finding, RefusedError
from tapctl.insight.desired_diff import compare
from tapctl.model.desired import Tenant
from tapctl.rules.check import check


def proved(tenant: Tenant, proposal: Proposal, *, today: date) -> tuple[Tenant | None, tuple[Finding, ...]]:
    """The tenant that the edited files declare, with its findings; None where an error is among them.

    Raises:
        RefusedError: the edits would change more than was accepted.
    """
    loaded = load((tenant.source,), tree=EditedTree(tenant.source, proposal.files.changed))
    edited = next((item for item in loaded.tenants if item.name == tenant.name), None)
    if edited is None:
        return None, loaded.findings
    findings = tuple(dict.fromkeys([*loaded.findings, *check(edited, today=today)]))
    if any(finding.severity == "error" and not finding.suppressed for finding in findings):
        return None, findings
    unexpected = sorted(set(_unexpected(tenant, edited, proposal)))
    if unexpected:
        raise RefusedError(
            f"nothing was written: the edit would change {', '.join(unexpected)} as well",
            fix="run again; if the problem stays, write the live values by hand",
        )
    return edited, findings


def _unexpected(tenant: Tenant, edited: Tenant, proposal: Proposal) -> Iterator[str]:
    """The fields that differ although nothing was accepted for them."""
    accepted = {(item.address, item.path) for item in proposal.accepted}
    declared = {f"groups.{key}" for key in proposal.declared.values()}
    for change in compare(tenant, edited):
        if change.action == "create" and change.address in declared:
            continue
        for item in change.fields:
            # The `until` and `reason` of an entry belong to the entry.
            list_path = item.path.removesuffix(".until").removesuffix(".reason")
            if (change.address, item.path) not in accepted and (change.address, list_path) not in accepted:
                yield f"{change.address} {item.path}"
