"""A plan is consent to a change of this live tenant as it stood: approvals, saved plans, guardrails, exit codes."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tapctl.output.document import from_json
from tapctl.reconcile import approval as approvals
from tests.support.cli import CommandLine, Ran

OTHER = "7f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c12"
TENANT = """
    groups:
      team: {displayName: SG-Team, members: [ada@contoso.com]}
    temporaryAccessPass:
      state: enabled
      length: 8
      include: [team]
"""


def approved(cli: CommandLine, *arguments: str) -> str:
    text = cli.plan(*arguments).tenant["approval"]
    assert isinstance(text, str)
    return text


def restamped(ran: Ran, moment: datetime) -> str:
    """The approval of a plan as if it had been made at another time."""
    (plan,) = from_json(ran.json).tenants
    stamp = moment.replace(second=0, microsecond=0)
    return str(approvals.Approval(plan.name, stamp, approvals.digest(plan, stamp)))


def saved(cli: CommandLine, **changes: Any) -> str:
    """A saved plan; `changes` replace parts of the document."""
    path = cli.folder / "plan.json"
    cli.plan("--out", str(path))
    if changes:
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))
    return str(path)


def ago(**span: float) -> str:
    return (datetime.now(UTC) - timedelta(**span)).strftime("%Y-%m-%dT%H:%M:%SZ")


def test_without_a_terminal_apply_needs_consent(cli: CommandLine) -> None:
    cli.write(TENANT)

    ran = cli.run("apply")

    assert ran.code == 64
    assert "--yes" in ran.err
    assert cli.requests == ()


# Approvals


def test_an_approval_names_its_tenant_and_applies_what_was_approved(cli: CommandLine) -> None:
    cli.write(TENANT)
    cli.write("temporaryAccessPass: {length: 12}", name="other", tenant_id=OTHER)
    text = approved(cli, "--tenant", "contoso")
    assert text.startswith("contoso@")

    ran = cli.apply("--approve", text)

    assert ran.code == 0
    assert (ran.tenant["name"], ran.tenant["status"]) == ("contoso", "applied")
    assert ran.tenant["approval"] is None


def test_an_approval_may_be_repeated_for_several_tenants(cli: CommandLine) -> None:
    cli.write(TENANT)
    cli.write("temporaryAccessPass: {length: 12}", name="other", tenant_id=OTHER)
    first, second = approved(cli, "--tenant", "contoso"), approved(cli, "--tenant", "other")

    ran = cli.apply("--approve", first, "--approve", second)

    assert ran.code == 0
    assert [tenant["status"] for tenant in ran.json["tenants"]] == ["applied", "applied"]


def test_an_approval_of_a_tenant_that_was_tampered_with_no_longer_fits(cli: CommandLine) -> None:
    cli.write(TENANT)
    text = approved(cli)
    cli.tamper("temporaryAccessPass", "length=20")

    ran = cli.apply("--approve", text)

    assert (ran.code, ran.tenant["status"]) == (4, "failed")
    assert cli.writes == []


def test_an_approval_of_changed_files_no_longer_fits(cli: CommandLine) -> None:
    cli.write(TENANT)
    text = approved(cli)
    cli.write(TENANT.replace("ada@contoso.com", "grace@contoso.com"))

    assert cli.apply("--approve", text).code == 4
    assert cli.writes == []


def test_an_approval_leans_on_the_objects_behind_the_names(cli: CommandLine) -> None:
    external = """
        groups: {wave: {displayName: SG-Onboarding-Wave-7, external: true}}
        temporaryAccessPass: {include: [wave]}
    """
    cli.write(external)
    text = approved(cli)
    cli.tamper("groups.SG-Onboarding-Wave-7", "displayName=Former")
    cli.tamper("groups.All staff", "displayName=SG-Onboarding-Wave-7")

    assert cli.apply("--approve", text).code == 4
    assert cli.writes == []


def test_an_approval_of_a_plan_that_has_come_true_is_nothing_to_do(cli: CommandLine) -> None:
    cli.write(TENANT)
    text = approved(cli)
    cli.converge()

    ran = cli.apply("--approve", text)

    assert (ran.code, ran.tenant["status"]) == (0, "clean")
    assert cli.writes == []


@pytest.mark.parametrize(
    ("hours", "code"), [(0.0, 0), (71.0, 0), (73.0, 4), (-0.05, 0), (-0.2, 4)], ids=lambda value: f"{value}"
)
def test_an_approval_expires_and_is_not_taken_from_the_future(cli: CommandLine, hours: float, code: int) -> None:
    cli.write(TENANT)
    text = restamped(cli.plan(), datetime.now(UTC) - timedelta(hours=hours))
    cli.forget()

    ran = cli.apply("--approve", text)

    assert ran.code == code
    assert bool(cli.writes) == (code == 0)


def test_the_time_stamp_is_inside_the_hash(cli: CommandLine) -> None:
    cli.write(TENANT)
    text = approved(cli)
    name, _, rest = text.partition("@")
    earlier = (datetime.now(UTC) - timedelta(hours=1)).strftime("%Y%m%dT%H%MZ")

    assert cli.apply("--approve", f"{name}@{earlier}-{rest.partition('-')[2]}").code == 4
    assert cli.writes == []


def test_a_shorter_age_of_the_guardrails_holds(cli: CommandLine) -> None:
    cli.write(TENANT + "    guardrails: {approvalMaxAge: 1h}\n")
    text = restamped(cli.plan(), datetime.now(UTC) - timedelta(hours=2))

    assert cli.apply("--approve", text).code == 4


def test_an_approval_of_another_tenant_is_not_taken(cli: CommandLine) -> None:
    cli.write(TENANT)
    cli.write(TENANT, name="other", tenant_id=OTHER)
    text = approved(cli, "--tenant", "contoso")

    renamed = cli.apply("--approve", text.replace("contoso@", "other@"))
    unnamed = cli.apply("--approve", text, "--tenant", "other")

    assert (renamed.code, unnamed.code) == (4, 4)
    assert cli.writes == []


@pytest.mark.parametrize("text", ["", "nonsense", "contoso@20261122T0729Z-abc", "contoso@99999999T9999Z-" + "0" * 64])
def test_what_is_no_approval_is_wrong_usage(cli: CommandLine, text: str) -> None:
    cli.write(TENANT)

    ran = cli.apply("--approve", text)

    assert (ran.code, ran.out) == (64, "")


# Saved plans


def test_a_saved_plan_that_still_fits_is_applied(cli: CommandLine) -> None:
    cli.write(TENANT)

    ran = cli.apply("--plan", saved(cli))

    assert (ran.code, ran.tenant["status"]) == (0, "applied")


def test_a_saved_plan_is_the_document_that_json_prints_readable_by_its_owner_alone(cli: CommandLine) -> None:
    cli.write(TENANT)
    path = cli.folder / "plan.json"

    ran = cli.plan("--out", str(path))

    assert path.read_text() == ran.out
    assert path.stat().st_mode & 0o777 == 0o600


def test_a_saved_plan_of_a_tenant_that_was_tampered_with_is_refused_with_the_difference(cli: CommandLine) -> None:
    cli.write(TENANT)
    cli.tamper("temporaryAccessPass", "length=20")
    path = saved(cli)
    cli.tamper("temporaryAccessPass", "length=24")

    ran = cli.apply("--plan", path)

    assert (ran.code, ran.tenant["status"]) == (4, "failed")
    assert "temporaryAccessPass: length was planned as [20, 8]" in ran.tenant["error"]
    assert "[24, 8]" in ran.tenant["error"]
    assert cli.writes == []


def test_a_field_that_was_tampered_with_elsewhere_is_refused_too(cli: CommandLine) -> None:
    cli.write(TENANT)
    cli.converge()
    cli.tamper("temporaryAccessPass", "length=20")
    path = saved(cli)
    cli.tamper("groups.SG-Team", "members+=alan@contoso.com")

    ran = cli.apply("--plan", path)

    assert ran.code == 4
    assert "groups.team: update is not in the saved plan" in ran.tenant["error"]
    assert cli.writes == []


def test_a_change_that_has_come_true_meanwhile_is_skipped(cli: CommandLine) -> None:
    cli.write(TENANT)
    cli.converge()
    cli.tamper("temporaryAccessPass", "length=20", "state=disabled")
    path = saved(cli)
    cli.tamper("temporaryAccessPass", "length=8")
    cli.forget()

    ran = cli.apply("--plan", path)

    assert (ran.code, ran.tenant["status"]) == (0, "applied")
    (write,) = cli.writes
    assert "defaultLength" not in write["body"]


def test_a_saved_plan_goes_on_after_an_apply_that_got_only_half_way(cli: CommandLine) -> None:
    cli.write(TENANT)
    path = saved(cli)
    cli.fail({"action": "status", "status": 403, "writes": True, "path": "temporaryAccessPass"})
    assert cli.apply("--plan", path).code == 1
    cli.fail()

    ran = cli.apply("--plan", path)

    assert (ran.code, ran.tenant["status"]) == (0, "applied")
    assert [change["address"] for change in ran.tenant["changes"]] == ["temporaryAccessPass"]


@pytest.mark.parametrize(("age", "code"), [({"hours": 71}, 0), ({"hours": 73}, 4), ({"minutes": -10}, 4)])
def test_a_saved_plan_expires_by_its_own_created_at(cli: CommandLine, age: dict[str, float], code: int) -> None:
    cli.write(TENANT)
    path = saved(cli, createdAt=ago(**age))

    assert cli.apply("--plan", path).code == code


def test_a_saved_plan_of_another_tenant_id_is_refused(cli: CommandLine) -> None:
    cli.write(TENANT)
    path = saved(cli)
    cli.write(TENANT, tenant_id=OTHER)

    assert cli.apply("--plan", path).code == 4
    assert cli.writes == []


def test_a_saved_plan_with_more_in_it_does_not_make_more_happen(cli: CommandLine) -> None:
    """Consent, not instructions: what the file holds beyond the fresh plan is never carried out."""
    cli.write(TENANT)
    path = Path(saved(cli))
    document = json.loads(path.read_text())
    change = json.loads(json.dumps(document["tenants"][0]["changes"][0]))
    change |= {"address": "groups.evil", "title": "evil"}
    document["tenants"][0]["changes"].append(change)
    path.write_text(json.dumps(document))

    ran = cli.apply("--plan", str(path))

    assert ran.code == 0
    assert "groups.evil" not in [change["address"] for change in ran.tenant["changes"]]


def test_a_plan_file_that_is_none_is_refused(cli: CommandLine) -> None:
    cli.write(TENANT)
    (cli.folder / "plan.json").write_text('{"formatVersion": 1')

    assert cli.apply("--plan", "plan.json").code == 3
    assert cli.apply("--plan", "nowhere.json").code == 64
    assert cli.requests == ()


# Guardrails


DELETION = "groups: {team: {displayName: SG-Team, ensure: absent}}"
DENIED = {
    "delete": ("groups: {team: {displayName: SG-Team}}", DELETION),
    "widen": (
        "groups: {team: {displayName: SG-Team}}\ntemporaryAccessPass: {include: []}\nguardrails: {deny: [widen]}",
        "groups: {team: {displayName: SG-Team}}\ntemporaryAccessPass: {include: [team]}\nguardrails: {deny: [widen]}",
    ),
    "enable": (
        "temporaryAccessPass: {state: disabled}",
        "temporaryAccessPass: {state: enabled}\nguardrails: {deny: [enable]}",
    ),
    "members": (
        "groups: {team: {displayName: SG-Team, members: [ada@contoso.com]}}",
        "groups: {team: {displayName: SG-Team, members: []}}",
    ),
}


@pytest.mark.parametrize("rule", DENIED)
def test_a_guardrail_denies_until_it_is_overridden_with_a_reason(cli: CommandLine, rule: str) -> None:
    before, after = DENIED[rule]
    cli.write(before)
    override = ("--override", rule, "--reason", "meant so")
    assert cli.apply("--yes", *override).code == 0
    cli.forget()
    cli.write(after)

    denied = cli.plan()
    assert (denied.code, denied.tenant["status"], denied.tenant["approval"]) == (3, "denied", None)
    assert [item["rule"] for item in denied.tenant["guardrails"]] == [rule]
    assert denied.tenant["changes"]
    assert f"--override {rule}" in denied.tenant["fix"]
    assert cli.apply("--yes").code == 3
    assert cli.writes == []

    assert cli.apply("--yes", "--override", rule).code == 64
    overridden = cli.plan(*override)
    assert (overridden.code, overridden.tenant["status"]) == (0, "changes")
    assert overridden.tenant["guardrails"][0]["overridden"] is True
    assert overridden.tenant["overrides"] == {rule: "meant so"}
    assert cli.apply("--approve", overridden.tenant["approval"]).code == 3
    assert cli.apply("--approve", overridden.tenant["approval"], *override).code == 0
    assert cli.plan("--detailed-exitcode").code == 0


@pytest.mark.parametrize("rule", ["delete", "widen", "enable", "members"])
def test_an_override_of_another_rule_is_none(cli: CommandLine, rule: str) -> None:
    cli.write(DENIED[rule][0])
    cli.apply("--yes", "--override", rule, "--reason", "x")
    cli.write(DENIED[rule][1])
    others = [other for other in DENIED if other != rule]

    assert cli.apply("--yes", *(word for other in others for word in ("--override", other)), "--reason", "x").code == 3


@pytest.mark.parametrize(
    ("before", "after", "denied"),
    [
        (1, 0, True),
        (4, 1, False),
        (10, 5, False),
        (11, 5, True),
        (11, 6, False),
        (20, 8, True),
    ],
)
def test_more_than_five_and_more_than_half_of_the_members_needs_an_override(
    cli: CommandLine, before: int, after: int, denied: bool
) -> None:
    ids = many_users(cli, 20)
    template = "groups: {{team: {{displayName: SG-Team, members: [{}]}}}}"
    cli.write(template.format(", ".join(ids[:before])))
    cli.converge()
    cli.write(template.format(", ".join(ids[:after])))

    assert cli.plan().tenant["status"] == ("denied" if denied else "changes")


def many_users(cli: CommandLine, count: int) -> list[str]:
    from tapctl.sandbox.connect import open_sandbox
    from tests.support.world import TENANT_ID

    names = [f"user{number:02}@contoso.com" for number in range(count)]
    with open_sandbox(TENANT_ID).transaction(writes=True) as store:
        users = store.collection("users")
        model = next(iter(users.values()))
        for number, name in enumerate(names):
            identifier = f"00000000-0000-4000-8000-{number:012}"
            users[identifier] = {**model, "id": identifier, "userPrincipalName": name}
        store.dirty = True
    return names


def test_break_glass_cannot_be_overridden(cli: CommandLine) -> None:
    cli.write(
        f"""
        tenant: {{id: {OTHER}, cloud: sandbox, breakGlass: [rescue]}}
        groups: {{rescue: {{displayName: SG-Break-Glass, external: true}}, team: {{displayName: SG-Team}}}}
        temporaryAccessPass: {{state: enabled, include: [team]}}
        """,
        tenant_id=OTHER,
    )

    ran = cli.plan()
    assert ran.code == 3
    assert "break-glass" in json.dumps(ran.tenant)
    everything = [word for rule in ("delete", "widen", "enable", "members", "impact") for word in ("--override", rule)]

    assert cli.apply("--yes", *everything, "--reason", "please").code == 3
    assert cli.run("apply", "--yes", "--override", "break-glass", "--reason", "please").code == 64
    assert cli.writes == []


def test_break_glass_is_tested_on_the_policy_that_would_result(cli: CommandLine) -> None:
    cli.write(
        f"""
        tenant: {{id: {OTHER}, cloud: sandbox, breakGlass: [rescue]}}
        groups: {{rescue: {{displayName: SG-Break-Glass, external: true}}}}
        temporaryAccessPass: {{length: 12}}
        """,
        tenant_id=OTHER,
    )
    assert cli.apply("--yes").code == 3

    cli.tamper("temporaryAccessPass", "exclude+=SG-Break-Glass", tenant_id=OTHER)

    assert cli.apply("--yes").code == 0


def test_guardrails_from_outside_the_branch_are_added(cli: CommandLine) -> None:
    cli.write("temporaryAccessPass: {state: enabled}")
    (cli.folder / "rules.yaml").write_text("guardrails: {deny: [enable]}\n")

    assert cli.apply("--yes", "--guardrails", "rules.yaml").code == 3
    assert cli.writes == []
    assert cli.apply("--yes").code == 0


def test_only_lapsed_is_not_subject_to_deny_and_needs_no_yes(cli: CommandLine) -> None:
    text = """
        groups: {{team: {{displayName: SG-Team}}, gone: {{displayName: SG-Gone{absent}}}}}
        temporaryAccessPass: {{include: [team, all-users-not]}}
    """.replace("all-users-not", "{{group: old, until: {day}}}").replace("gone:", "old: {{displayName: SG-Old}}, gone:")
    cli.write(text.format(absent="", day="2030-01-01"))
    cli.converge()
    cli.write(text.format(absent=", ensure: absent", day="2020-01-01"))

    ran = cli.apply("--only", "lapsed")

    assert ran.code == 0
    (write,) = cli.writes
    assert write["path"].endswith("temporaryAccessPass")
    assert [change["reason"] for change in ran.tenant["changes"]] == ["lapsed"]


# Exit codes


BROKEN = "temporaryAccessPass: {length: nine}"
UNRESOLVED = "groups: {gone: {displayName: SG-Gone, external: true}}"
CHANGED = "temporaryAccessPass: {length: 12}"
CLEAN = "groups: {rescue: {displayName: SG-Break-Glass, external: true}}"


def ids(number: int) -> str:
    return f"00000000-0000-4000-8000-{number:012}"


@pytest.mark.parametrize(
    ("texts", "code"),
    [
        ((CLEAN,), 0),
        ((CHANGED,), 2),
        ((UNRESOLVED,), 3),
        ((BROKEN,), 3),
        ((CHANGED, UNRESOLVED), 3),
        ((CLEAN, CHANGED), 2),
        ((CLEAN, BROKEN, CHANGED), 3),
    ],
)
def test_over_many_tenants_the_first_of_the_precedence_counts(
    cli: CommandLine, texts: tuple[str, ...], code: int
) -> None:
    for number, text in enumerate(texts):
        cli.write(text, name=f"tenant-{number}", tenant_id=ids(number))

    ran = cli.plan("--detailed-exitcode")

    assert ran.code == code
    assert len(ran.json["tenants"]) == len(texts)


def test_unknown_comes_before_everything_but_an_interruption(cli: CommandLine) -> None:
    cli.write(CHANGED)
    cli.write(UNRESOLVED, name="other", tenant_id=OTHER)
    cli.fail({"action": "status", "status": 403, "path": "temporaryAccessPass"})

    ran = cli.plan("--detailed-exitcode")

    assert ran.code == 1
    assert [tenant["exitCode"] for tenant in ran.json["tenants"]] == [1, 3]


def test_outdated_comes_before_refused(cli: CommandLine) -> None:
    cli.write(CHANGED)
    cli.write(CHANGED, name="other", tenant_id=OTHER)
    path = saved(cli)
    cli.tamper("temporaryAccessPass", "length=20")
    cli.write(UNRESOLVED, name="other", tenant_id=OTHER)

    ran = cli.apply("--plan", path)

    assert ran.code == 4
    assert [tenant["exitCode"] for tenant in ran.json["tenants"]] == [4, 3]


def test_a_tenant_that_fails_does_not_keep_the_others_from_being_applied(cli: CommandLine) -> None:
    cli.write(CHANGED)
    cli.write(UNRESOLVED, name="other", tenant_id=OTHER)

    ran = cli.apply("--yes")

    assert ran.code == 3
    assert [tenant["status"] for tenant in ran.json["tenants"]] == ["applied", "failed"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("plan", "--no-such-option"),
        ("plan", "nowhere"),
        ("plan", "--tenant", "nobody"),
        ("plan", "--select", "ring"),
        ("plan", "--select", "ring=none"),
        ("plan", "--override", "delete"),
        ("plan", "--format", "yaml"),
        ("plan", "--timeout", "0"),
        ("aplan",),
        ("apply", "--yes", "--plan", "x", "--approve", f"contoso@20261122T0729Z-{'0' * 64}"),
    ],
)
def test_wrong_usage_is_64_and_prints_nothing_to_standard_output(cli: CommandLine, arguments: tuple[str, ...]) -> None:
    cli.write(TENANT)

    ran = cli.run(*arguments)

    assert (ran.code, ran.out) == (64, "")
    assert ran.err
    assert cli.requests == ()


def test_no_tenant_at_all_is_64(cli: CommandLine) -> None:
    assert cli.run("plan").code == 64


@pytest.mark.parametrize(
    ("text", "faults", "arguments", "code"),
    [
        (CLEAN, (), ("plan",), 0),
        (CHANGED, ({"action": "status", "status": 403, "path": "temporaryAccessPass"},), ("plan",), 1),
        (CHANGED, ({"action": "status", "status": 403, "writes": True},), ("apply", "--yes"), 1),
        (CHANGED, (), ("plan", "--detailed-exitcode"), 2),
        (UNRESOLVED, (), ("plan",), 3),
        (BROKEN, (), ("plan",), 3),
        (BROKEN, (), ("apply", "--yes"), 3),
        (BROKEN, (), ("validate",), 3),
        (CHANGED, (), ("plan", "--require-live"), 3),
        (CHANGED, (), ("plan", "--guardrails", "broken.yaml"), 3),
        (CHANGED, (), ("apply", "--plan", "broken.yaml"), 3),
        (CHANGED, (), ("apply", "--approve", f"contoso@20201122T0729Z-{'0' * 64}"), 4),
    ],
)
def test_json_is_printed_for_every_exit_code_but_64(
    cli: CommandLine, text: str, faults: tuple[dict[str, Any], ...], arguments: tuple[str, ...], code: int
) -> None:
    cli.write(text)
    (cli.folder / "broken.yaml").write_text("guardrails: {deny: [everything]}\n")
    cli.fail(*faults)

    ran = cli.run(*arguments, "--format", "json")

    assert ran.code == code
    assert isinstance(ran.json, dict)
