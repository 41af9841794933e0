"""The findings of loading and of the rules together; for a tenant with errors, on the parts that could be read."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from tapctl.config.load import Failed, Loaded, stricter
from tapctl.errors import Finding
from tapctl.model.desired import Guardrails, Tenant
from tapctl.rules.check import check, in_order


def judged(tenant: Tenant, loaded: Loaded, today: date) -> tuple[Finding, ...]:
    """All findings of loading, the rules and the guardrails on a tenant."""
    own = [item for item in loaded.findings if item.position is None or item.position.file in tenant.lines]
    return tuple(dict.fromkeys([*own, *check(tenant, today=today)]))


def judged_in_part(item: Failed, today: date, guardrails: Guardrails | None = None) -> Failed:
    """A tenant with errors, with the rules' findings on the parts that could be read."""
    findings = list(item.findings)
    is_schema_refused = any(finding.rule == "remote-reference" for finding in findings)
    refused = frozenset({("guardrails", "schema")}) if is_schema_refused else frozenset()
    for tenant, broken in item.readable:
        both = stricter(tenant.guardrails, guardrails) if guardrails else tenant.guardrails
        findings += check(replace(tenant, guardrails=both), today=today, broken=broken | refused)
    return item._replace(findings=in_order(dict.fromkeys(findings)))
