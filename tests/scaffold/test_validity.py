"""What init writes, and the examples, satisfy tapctl's own loader and lint rules without a finding or a suppression."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tapctl.config.load import load
from tapctl.errors import Finding
from tapctl.model.desired import Tenant
from tapctl.rules.check import check

from .pipelines import make_repository

TODAY = date(2026, 11, 22)
EXAMPLES = Path(__file__).parents[2] / "tenants"


def loaded(folder: Path) -> tuple[dict[str, Tenant], list[Finding]]:
    """The tenants below a folder by name, and every finding on them."""
    result = load([str(folder)])
    tenants = {tenant.name: tenant for tenant in result.tenants}
    return tenants, [*result.findings, *(found for tenant in tenants.values() for found in check(tenant, today=TODAY))]


@pytest.fixture
def generated(tmp_path: Path) -> Path:
    return make_repository(tmp_path, "github", "gitlab", "azure") / "tenants"


def test_a_generated_repository_has_one_tenant_on_the_sandbox_and_no_finding(generated: Path) -> None:
    tenants, findings = loaded(generated)

    assert findings == []
    assert {name: tenant.cloud for name, tenant in tenants.items()} == {"contoso": "sandbox"}


def test_the_examples_are_three_tenants_on_the_sandbox_and_have_no_finding() -> None:
    tenants, findings = loaded(EXAMPLES)

    assert findings == []
    assert {name: tenant.cloud for name, tenant in tenants.items()} == {
        "contoso": "sandbox",
        "fabrikam": "sandbox",
        "walkthrough": "sandbox",
    }


def test_no_example_needs_a_suppression(generated: Path) -> None:
    tenants = [*loaded(EXAMPLES)[0].values(), *loaded(generated)[0].values()]

    assert [tenant.name for tenant in tenants if tenant.suppressions] == []


def test_every_policy_excludes_the_break_glass_group_that_is_declared(generated: Path) -> None:
    for tenant in (*loaded(EXAMPLES)[0].values(), *loaded(generated)[0].values()):
        assert tenant.break_glass == ("break-glass",)
        assert tenant.groups["break-glass"].external
        assert tenant.policy is not None
        assert tenant.policy.exclude is not None
        assert "break-glass" in tenant.policy.exclude


def test_the_baseline_brings_lifetimes_one_time_use_and_guardrails(generated: Path) -> None:
    tenant = loaded(generated)[0]["contoso"]

    assert tenant.policy is not None
    assert (tenant.policy.minimum, tenant.policy.default, tenant.policy.maximum) == (10, 60, 120)
    assert (tenant.policy.length, tenant.policy.one_time, tenant.policy.state) == (8, True, "enabled")
    assert tenant.guardrails.deny == {"delete"}
    assert tenant.guardrails.approval_max_age.total_seconds() == 72 * 3600
    assert len(tenant.guardrails.schemas) == 1


@pytest.mark.parametrize(
    ("written", "instead"),
    [
        ("  include: [tap-users]\n", "  include: [all-users]\n"),
        ("  include: [tap-users]\n", "  include: [tap-users]\n  oneTime: false\n"),
        ("  include: [tap-users]\n", "  include: [tap-users]\n  exclude: []\n"),
    ],
)
def test_the_baseline_refuses_what_it_promises_to_refuse(written: str, instead: str, generated: Path) -> None:
    tenant = generated / "contoso.yaml"
    text = tenant.read_text(encoding="utf-8")
    assert written in text
    tenant.write_text(text.replace(written, instead), encoding="utf-8")

    assert [finding for finding in loaded(generated)[1] if finding.severity == "error"]
