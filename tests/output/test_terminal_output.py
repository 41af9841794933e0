"""Plans and findings as text."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Literal

import pytest
from hypothesis import HealthCheck, given, settings

from tapctl.errors import Finding, Position
from tapctl.model.plan import Change, FieldChange, GraphUsage, PlanDocument, TenantPlan, Violation
from tapctl.output.render import PlanFormat, render_findings, render_plan
from tapctl.output.terminal import render_changes

from .sample_plan import APPLY, APPROVAL, CLEAN, CONTOSO, CREATED_AT, DENIED, FAILED, FINDINGS, PLAN, UPDATE
from .strategies import documents, findings

_COLOR = re.compile(r"\x1b\[[0-9]{1,2}m")


def plan_of(*tenants: TenantPlan) -> PlanDocument:
    return PlanDocument(created_at=CREATED_AT, tapctl_version="0.1.0", tenants=tenants)


def text_of(*tenants: TenantPlan) -> str:
    return render_plan(plan_of(*tenants), "text")


def test_the_last_line_is_the_footer_in_its_exact_words() -> None:
    usage = GraphUsage(requests=11, calls=4, round_trips=2, throttled=0, seconds=0.8)

    last = text_of(replace(CLEAN, graph=usage)).splitlines()[-1]

    assert last == "Graph: 11 requests in 4 calls, 2 round trips, throttled 0 times, 0.8 s"


def test_the_footer_does_not_change_its_words_for_one() -> None:
    usage = GraphUsage(requests=1, calls=1, round_trips=1, throttled=1, seconds=1)

    last = text_of(replace(CLEAN, graph=usage)).splitlines()[-1]

    assert last == "Graph: 1 requests in 1 calls, 1 round trips, throttled 1 times, 1.0 s"


def test_the_footer_sums_tenants_but_takes_the_longest_chain_and_the_wall_time() -> None:
    first = replace(CLEAN, graph=GraphUsage(requests=3, calls=2, round_trips=2, throttled=1, seconds=2.0))
    second = replace(CLEAN, graph=GraphUsage(requests=4, calls=3, round_trips=3, throttled=0, seconds=1.0))

    assert text_of(first, second).endswith("Graph: 7 requests in 5 calls, 3 round trips, throttled 1 times, 2.0 s\n")
    assert render_plan(plan_of(first, second), "text", seconds=2.5).endswith(" 2.5 s\n")


def test_a_plan_that_is_shown_again_has_no_footer() -> None:
    assert "Graph:" not in render_plan(plan_of(CLEAN), "text", show_footer=False)


def test_a_clean_tenant_says_that_nothing_changes() -> None:
    assert "No changes. The tenant is as declared." in text_of(CLEAN).splitlines()


def test_the_summary_counts_every_action() -> None:
    assert "Plan: 1 to create, 2 to update, 1 to delete." in text_of(CONTOSO).splitlines()


@pytest.mark.parametrize("tenant", [DENIED, replace(CLEAN, cloud="sandbox"), replace(CONTOSO, cloud="sandbox")])
def test_every_sandbox_tenant_is_labelled(tenant: TenantPlan) -> None:
    assert "[sandbox: embedded in tapctl, not a Microsoft tenant]" in text_of(tenant).splitlines()[0]


@pytest.mark.parametrize("output_format", ["text", "markdown"])
def test_nothing_is_said_of_an_id_or_a_cloud_that_could_not_be_read(output_format: Literal["text", "markdown"]) -> None:
    text = render_plan(plan_of(replace(CLEAN, tenant_id="", status="failed", error="no YAML")), output_format)

    assert not re.search(r"tenant ,|cloud|Tenant id", text)


def test_no_other_tenant_is_labelled_as_sandbox() -> None:
    assert "sandbox" not in text_of(CONTOSO)


def test_an_approval_says_how_to_apply_it() -> None:
    lines = text_of(CONTOSO).splitlines()

    assert f"  approval: {APPROVAL}" in lines
    assert f"    to apply exactly this: tapctl apply --approve {APPROVAL}" in lines


def test_an_approval_of_a_hostile_tenant_name_can_be_pasted_into_a_shell() -> None:
    assert "--approve 'x$(reboot)@20261122T0729Z-ab'" in text_of(
        replace(CONTOSO, approval="x$(reboot)@20261122T0729Z-ab")
    )


def test_markers_stand_beside_the_change() -> None:
    change = replace(UPDATE, irreversible=True)

    first = render_changes([change]).splitlines()[0]

    assert first == "~ temporaryAccessPass will be updated (widens) (cannot be undone) (lapsed)"


def test_a_changed_scalar_shows_before_and_after_and_minutes_their_unit() -> None:
    change = Change(
        address="temporaryAccessPass",
        action="update",
        fields=(
            FieldChange(path="lifetime.maximum", before=60, after=120),
            FieldChange(path="state", before="disabled", after="enabled"),
        ),
    )

    assert render_changes([change]).splitlines()[1:] == [
        "    ~ lifetime.maximum: 60 -> 120 (minutes)",
        '    ~ state: "disabled" -> "enabled"',
    ]


def test_a_reordered_list_is_shown_whole() -> None:
    change = Change(
        address="groups.g", action="update", fields=(FieldChange(path="members", before=("a", "b"), after=("b", "a")),)
    )

    assert '    ~ members: ["a", "b"] -> ["b", "a"]' in render_changes([change]).splitlines()


def test_drift_speaks_of_what_would_be_and_who_did_it() -> None:
    document = replace(PLAN, command="drift", tenants=(CONTOSO,))

    text = render_plan(document, "text")

    assert "would be updated" in text
    assert "changed by mallory" in text
    assert "Drift: 1 to create, 2 to update, 1 to delete." in text.splitlines()


def test_a_denied_plan_says_the_way_out_but_break_glass_has_none() -> None:
    text = text_of(DENIED)

    assert "fix: change the files, or run again with `--override delete --reason TEXT`" in text
    assert "--override break-glass" not in text


@pytest.mark.parametrize("output_format", ["text", "markdown", "github"])
def test_each_guardrail_says_why_and_the_way_out_once(output_format: PlanFormat) -> None:
    first, second = (Violation(rule="widen", message=f"{name} would be widened", address=name) for name in ("a", "b"))
    error, fix = "a would be widened; b would be widened", "change the files, or run again with `--override widen`"
    denied = replace(DENIED, guardrails=(first, second), error=error, fix=fix)

    text = render_plan(plan_of(denied), output_format)

    assert "2 guardrails deny this plan" in text
    assert text.count("a would be widened") == text.count("b would be widened") == 1
    assert text.count("--override widen") == 2


@pytest.mark.parametrize("output_format", ["text", "markdown", "github"])
def test_a_change_that_failed_says_why_and_the_way_out_once(output_format: PlanFormat) -> None:
    text = render_plan(APPLY, output_format)

    assert "1 of 4 changes failed or could not be verified" in text
    assert text.count("somebody else changed it meanwhile") == 1
    assert text.count("run plan again") == 1


def test_what_ended_an_apply_beside_its_changes_is_still_said() -> None:
    (tenant,) = APPLY.tenants
    interrupted = replace(tenant, error="interrupted", fix="run again")

    text = render_plan(replace(APPLY, tenants=(interrupted,)), "text")

    assert "  error: interrupted" in text.splitlines()


@pytest.mark.parametrize(
    ("tenants", "sentence"),
    [
        ((replace(CONTOSO, status="failed"),), "Nothing was applied: 1 tenant failed."),
        ((FAILED, DENIED), "Nothing was applied: 1 tenant failed, 1 tenant denied."),
        ((FAILED, CLEAN), "Nothing was applied: 1 tenant failed."),
        ((CONTOSO, FAILED), "Plan: 1 to create, 2 to update, 1 to delete; 1 tenant failed."),
    ],
)
def test_an_apply_that_was_refused_does_not_end_like_a_plan(tenants: tuple[TenantPlan, ...], sentence: str) -> None:
    """The last one is a question that is still open."""
    text = render_plan(replace(plan_of(*tenants), command="apply"), "text")

    assert sentence in text.splitlines()


def test_colour_is_only_an_addition() -> None:
    coloured = render_plan(PLAN, "text", color=True)

    assert _COLOR.search(coloured)
    assert _COLOR.sub("", coloured) == render_plan(PLAN, "text")
    assert "\x1b" not in render_plan(PLAN, "text")


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(documents)
def test_nothing_in_a_plan_acts_in_a_terminal_or_a_log(document: PlanDocument) -> None:
    text = render_plan(document, "text")

    for line in text.split("\n"):
        assert line.isprintable()
        assert not line.lstrip().startswith("::")
    assert "##[" not in text
    assert _COLOR.sub("", render_plan(document, "text", color=True)).replace("\n", "").isprintable()


@settings(max_examples=100, deadline=None)
@given(findings)
def test_nothing_in_a_finding_acts_in_a_terminal_or_a_log(finding: Finding) -> None:
    for line in render_findings([finding], "text").split("\n"):
        assert line.isprintable()
        assert not line.lstrip().startswith("::")


def test_a_file_that_is_named_like_a_command_does_not_begin_a_line_as_one() -> None:
    finding = Finding(rule="x", severity="error", message="m", position=Position("::error::a.yaml", 1, 1))

    assert render_findings([finding], "text").startswith(r"\x3a:error::a.yaml:1:1: error[x]: m")


def test_carets_stand_under_what_is_meant_behind_wide_and_escaped_characters() -> None:
    finding = Finding(
        rule="x", severity="error", message="m", position=Position("a", 3, 5), excerpt="名\x1b: bad # c", width=3
    )

    lines = render_findings([finding], "text").splitlines()

    assert lines[1:3] == [r"    3 | 名\x1b: bad # c", r"      |         ^^^"]


def test_a_very_long_line_is_shown_around_the_place() -> None:
    excerpt = "a" * 5000 + "BAD" + "z" * 5000
    finding = Finding(
        rule="x", severity="error", message="m", position=Position("a", 1, 5001), excerpt=excerpt, width=3
    )

    source, carets = render_findings([finding], "text").splitlines()[1:3]

    assert len(source) < 200
    assert source[carets.index("^") : carets.rindex("^") + 1] == "BAD"


def test_a_place_behind_the_end_of_the_line_still_has_a_caret() -> None:
    finding = Finding(rule="x", severity="error", message="m", position=Position("a", 1, 90), excerpt="key:", width=5)

    assert render_findings([finding], "text").splitlines()[2].strip(" |") == "^"


def test_findings_end_with_their_number() -> None:
    assert render_findings(FINDINGS, "text").endswith("Findings: 1 error, 1 warning, 1 remark, 1 suppressed.\n")
    assert render_findings([], "text") == "No findings.\n"
