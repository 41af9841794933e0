"""Guardrails and break-glass through chains of baselines: lists unite, the strictest wins."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tapctl.config.load import load

from .support import TENANT_ID, Write

TENANT = f"tenant: {{id: {TENANT_ID}}}\n"


def break_glass(key: str) -> str:
    return f"tenant: {{breakGlass: [{key}]}}\ngroups: {{{key}: {{external: true, displayName: {key}}}}}\n"


@pytest.mark.parametrize("folder", ["tenants/_b/", "tenants/_", "_b/inner/"])
def test_break_glass_groups_of_a_chain_of_baselines_unite(write: Write, folder: str) -> None:
    write(f"{folder}low.yaml", break_glass("b2"))
    name = f"{folder}low.yaml".rsplit("/", 1)[1]
    write(f"{folder}high.yaml", f"extends: [{name}]\n" + break_glass("b1"))
    write("tenants/contoso.yaml", TENANT + f"extends: [../{folder}high.yaml]\n")

    loaded = load()

    assert loaded.findings == ()
    assert set(loaded.tenants[0].break_glass) == {"b1", "b2"}


def test_guardrails_of_a_chain_of_baselines_are_the_strictest(write: Write) -> None:
    write("tenants/_low.yaml", "guardrails: {deny: [widen], approvalMaxAge: 24h, impact: {maxUsersGaining: 5}}\n")
    looser = "guardrails: {deny: [], approvalMaxAge: 72h, impact: {maxUsersGaining: 50}, schema: {title: high}}\n"
    write("tenants/_high.yaml", "extends: [_low.yaml]\n" + looser)
    write("tenants/contoso.yaml", TENANT + "extends: [_high.yaml]\n")

    loaded = load()

    assert loaded.findings == ()
    guardrails = loaded.tenants[0].guardrails
    assert guardrails.deny == {"widen"}
    assert guardrails.approval_max_age == timedelta(hours=24)
    assert guardrails.impact.max_users_gaining == 5
    assert guardrails.schemas == ({"title": "high"},)


@pytest.mark.parametrize(
    "null",
    [
        "guardrails: null\n",
        "guardrails: {deny: null}\n",
        "guardrails: {impact: {maxUsersGaining: null}}\n",
        "guardrails: {schema: null}\n",
        "tenant: {breakGlass: null}\n",
    ],
)
def test_null_stays_an_error_between_baselines(write: Write, null: str) -> None:
    guardrails = "guardrails: {deny: [widen], impact: {maxUsersGaining: 5}, schema: {title: low}}\n"
    write("tenants/_low.yaml", guardrails + break_glass("b"))
    write("tenants/_high.yaml", "extends: [_low.yaml]\n" + null)
    write("tenants/contoso.yaml", TENANT + "extends: [_high.yaml]\n")

    (finding,) = [item for item in load().findings if item.rule == "looser-than-baseline"]

    assert str(finding.position).startswith("tenants/_high.yaml:2:")
    assert [str(place).split(":")[0] for _, place in finding.related] == ["tenants/_low.yaml"]


@pytest.mark.parametrize(
    "looser",
    [
        "guardrails: {deny: []}\n",
        "guardrails: {approvalMaxAge: 25h}\n",
        "guardrails: {impact: {maxUsersGaining: 6}}\n",
    ],
)
@pytest.mark.parametrize("source", ["tenants/contoso.yaml", "tenants/contoso/a.yaml"])
def test_a_tenant_looser_than_any_baseline_of_the_chain_is_an_error(write: Write, looser: str, source: str) -> None:
    write("_b/low.yaml", "guardrails: {deny: [widen], approvalMaxAge: 24h, impact: {maxUsersGaining: 5}}\n")
    write("_b/high.yaml", "extends: [low.yaml]\nguardrails: {approvalMaxAge: 72h, impact: {maxUsersGaining: 50}}\n")
    up = "../" * source.count("/")
    write(source, TENANT + f"extends: [{up}_b/high.yaml]\n" + looser)

    (finding,) = load().findings

    assert finding.rule == "looser-than-baseline"
    assert finding.position is not None
    assert finding.position.file == source
    assert [place.file for _, place in finding.related] == ["_b/low.yaml"]
