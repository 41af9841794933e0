"""A plan is consent to a change of this tenant as it stood: from the branch to the merge, and what comes between."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tapctl.reconcile.approval import approve
from tests.gitops.repository import CONTOSO, FABRIKAM, Done, Repository

OTHER = """
    temporaryAccessPass: {lifetime: {minimum: 10m, default: 30m, maximum: 4h}, length: 9}
"""


def lengthen(repository: Repository) -> None:
    """What a pull request asks for in most tests: two fields of the policy."""
    repository.edit("  include: [tap-users]\n", "  include: [tap-users]\n  length: 12\n  lifetime: {maximum: 90m}\n")


def save_plan(repository: Repository, *arguments: str) -> Done:
    planned = repository.succeed("plan", "--out", "plan.json", *arguments)
    repository.forget()
    return planned


def consent(repository: Repository, way: str) -> tuple[str, ...]:
    """How the plan that was saved is handed to apply."""
    if way == "--plan":
        return ("--plan", "plan.json")
    found = [tenant.approval for tenant in repository.plan_document().tenants if tenant.approval is not None]
    return tuple(word for approval in found for word in ("--approve", approval))


def stamped(repository: Repository, age: timedelta) -> str:
    """The approval that the saved plan would have got so long ago."""
    (plan,) = repository.plan_document().tenants
    return str(approve(plan, datetime.now(UTC) - age))


def age_saved_plan(repository: Repository, age: timedelta) -> None:
    file = repository.folder / "plan.json"
    document = json.loads(file.read_text())
    moment = datetime.now(UTC).replace(microsecond=0, tzinfo=None) - age
    document["createdAt"] = f"{moment.isoformat()}Z"
    file.write_text(json.dumps(document))


# The whole way


def test_from_a_branch_through_review_and_merge_to_apply_and_an_empty_plan(fresh: Repository) -> None:
    fresh.succeed("apply", "--yes")
    fresh.git("checkout", "-b", "longer-passes")
    lengthen(fresh)
    fresh.commit("longer passes")

    offline = fresh.run("diff", "main")
    planned = save_plan(fresh)
    shown = fresh.run("show", "plan.json", "--format", "markdown", text=True)
    fresh.git("checkout", "main")
    fresh.git("merge", "--no-ff", "longer-passes", "-m", "merge")
    applied = fresh.process("apply", "--plan", "plan.json", "--format", "json")
    writes = fresh.writes()
    again = fresh.process("plan", "--detailed-exitcode", "--format", "json")

    assert offline.code == 0, offline.err
    assert offline.changes == {"temporaryAccessPass": {"length": (8, 12), "lifetime.maximum": (120, 90)}}
    assert planned.changes == {"temporaryAccessPass": {"length": (8, 12), "lifetime.maximum": (120, 90)}}
    assert planned.tenant["approval"].startswith("contoso@")
    assert planned.tenant["approval"] in shown.out
    assert (applied.code, applied.outcomes) == (0, {"temporaryAccessPass": "applied"})
    assert len(writes) == 1
    assert (again.code, again.tenant["status"]) == (0, "clean")


@pytest.mark.parametrize("way", ["--plan", "--approve"])
def test_consent_needs_no_answer_on_a_terminal(repository: Repository, way: str) -> None:
    lengthen(repository)
    save_plan(repository)

    refused = repository.run("apply")
    applied = repository.run("apply", *consent(repository, way))

    assert (refused.code, refused.out) == (64, "")
    assert (applied.code, repository.policy()["defaultLength"]) == (0, 12)


# Somebody else in between


@pytest.mark.parametrize("way", ["--plan", "--approve"])
def test_a_value_that_changed_in_between_stops_the_apply_before_its_first_write(
    repository: Repository, way: str
) -> None:
    lengthen(repository)
    save_plan(repository)
    repository.tamper("temporaryAccessPass", "length=20")

    applied = repository.run("apply", *consent(repository, way))

    assert applied.code == 4
    assert applied.tenant["status"] == "failed"
    assert repository.writes() == []
    assert repository.policy()["defaultLength"] == 20


def test_the_refusal_prints_what_was_planned_and_what_it_would_be_now(repository: Repository) -> None:
    lengthen(repository)
    save_plan(repository)
    repository.tamper("temporaryAccessPass", "length=20")

    applied = repository.run("apply", "--plan", "plan.json", text=True)

    assert applied.code == 4
    planned_and_now = "length was planned as [8, 12] (before, after), now it would be [20, 12]"
    assert f"the saved plan no longer fits: temporaryAccessPass: {planned_and_now}\n" in applied.out
    assert "lifetime.maximum was planned" not in applied.out


@pytest.mark.parametrize("way", ["--plan", "--approve"])
def test_a_change_that_nobody_reviewed_stops_the_apply(repository: Repository, way: str) -> None:
    lengthen(repository)
    save_plan(repository)
    repository.tamper("webSignIn.WIN - Web sign-in", "settings.enableWebSignIn=false")

    applied = repository.run("apply", *consent(repository, way))

    assert (applied.code, repository.writes()) == (4, [])
    if way == "--plan":
        assert "webSignIn.windows-11: update is not in the saved plan" in applied.tenant["error"]


@pytest.mark.parametrize("way", ["--plan", "--approve"])
def test_another_field_of_a_reviewed_change_stops_the_apply(repository: Repository, way: str) -> None:
    lengthen(repository)
    save_plan(repository)
    repository.tamper("temporaryAccessPass", "oneTime=false")

    applied = repository.run("apply", *consent(repository, way))

    assert (applied.code, repository.writes()) == (4, [])
    if way == "--plan":
        assert "temporaryAccessPass: oneTime is not in the saved plan" in applied.tenant["error"]


def test_a_file_that_changed_after_the_review_stops_the_apply(repository: Repository) -> None:
    lengthen(repository)
    save_plan(repository)
    repository.edit("  length: 12\n", "  length: 14\n")

    applied = repository.run("apply", "--plan", "plan.json")

    assert (applied.code, repository.writes()) == (4, [])


def test_what_has_come_true_in_between_is_skipped_and_the_rest_applied(repository: Repository) -> None:
    lengthen(repository)
    save_plan(repository)
    repository.tamper("temporaryAccessPass", "length=12")

    applied = repository.run("apply", "--plan", "plan.json")

    assert (applied.code, applied.changes) == (0, {"temporaryAccessPass": {"lifetime.maximum": (120, 90)}})
    assert len(repository.writes()) == 1


def test_an_approval_is_of_the_whole_plan_so_a_part_of_it_needs_a_new_one(repository: Repository) -> None:
    lengthen(repository)
    save_plan(repository)
    repository.tamper("temporaryAccessPass", "length=12")

    applied = repository.run("apply", *consent(repository, "--approve"))

    assert (applied.code, repository.writes()) == (4, [])


@pytest.mark.parametrize("way", ["--plan", "--approve"])
def test_when_everything_has_come_true_there_is_nothing_to_do(repository: Repository, way: str) -> None:
    lengthen(repository)
    save_plan(repository)
    repository.tamper("temporaryAccessPass", "length=12", "lifetime.maximum=90m")

    applied = repository.run("apply", *consent(repository, way))

    assert (applied.code, applied.tenant["status"], repository.writes()) == (0, "clean", [])


def test_an_apply_that_was_killed_goes_on_with_the_same_saved_plan(fresh: Repository) -> None:
    save_plan(fresh)
    killed = fresh.run(
        "apply", "--plan", "plan.json", faults=[{"action": "exit-after", "writes": True, "first": 2, "last": 2}]
    )

    applied = fresh.run("apply", "--plan", "plan.json")

    assert killed.code == 137
    assert (applied.code, set(applied.outcomes)) == (0, {"temporaryAccessPass", "webSignIn.windows-11"})
    assert fresh.run("plan").tenant["status"] == "clean"


# What the plan leans on


def lean_on_the_filter(repository: Repository) -> None:
    repository.edit("    scopeTags: [Default]", "    scopeTags: [Default, Pilot]")
    save_plan(repository)


def lean_on_an_external_group(repository: Repository) -> None:
    repository.edit("\ngroups:\n", "\ngroups:\n  wave: {displayName: SG-Onboarding-Wave-7, external: true}\n")
    repository.edit("  include: [tap-users]", "  include: [tap-users, wave]")
    save_plan(repository)


@pytest.mark.parametrize("way", ["--plan", "--approve"])
def test_another_rule_of_a_filter_that_the_plan_leans_on_stops_the_apply(repository: Repository, way: str) -> None:
    lean_on_the_filter(repository)
    repository.tamper("assignmentFilters.Entra joined Windows 11", 'rule=(device.deviceOwnership -eq "Personal")')

    applied = repository.run("apply", *consent(repository, way))

    assert (applied.code, repository.writes()) == (4, [])
    if way == "--plan":
        assert "filter:Entra joined Windows 11" in applied.tenant["error"]


@pytest.mark.parametrize("way", ["--plan", "--approve"])
def test_another_group_of_the_same_name_stops_the_apply(repository: Repository, way: str) -> None:
    lean_on_an_external_group(repository)
    repository.exchange_group("SG-Onboarding-Wave-7")

    applied = repository.run("apply", *consent(repository, way))

    assert (applied.code, repository.writes()) == (4, [])
    if way == "--plan":
        assert "groups.wave" in applied.tenant["error"]


@pytest.mark.parametrize("lean", [lean_on_the_filter, lean_on_an_external_group])
def test_the_same_definitions_let_it_pass(repository: Repository, lean: object) -> None:
    assert callable(lean)
    lean(repository)

    assert repository.run("apply", *consent(repository, "--approve")).code == 0


# Age


@pytest.mark.parametrize(
    ("age", "code"),
    [
        (timedelta(hours=73), 4),
        (timedelta(hours=71), 0),
        (timedelta(minutes=-7), 4),
        (timedelta(minutes=-4), 0),
    ],
    ids=["73 hours old", "71 hours old", "7 minutes ahead", "4 minutes ahead"],
)
@pytest.mark.parametrize("way", ["--plan", "--approve"])
def test_consent_expires_and_comes_from_no_future(repository: Repository, way: str, age: timedelta, code: int) -> None:
    lengthen(repository)
    save_plan(repository)
    if way == "--plan":
        age_saved_plan(repository, age)
        words: tuple[str, ...] = ("--plan", "plan.json")
    else:
        words = ("--approve", stamped(repository, age))

    applied = repository.run("apply", *words)

    assert (applied.code, len(repository.writes())) == (code, 0 if code else 1)
    if code:
        assert "72h" in applied.tenant["error"] or "ahead of this machine's clock" in applied.tenant["error"]


def test_the_time_in_an_approval_cannot_be_changed(repository: Repository) -> None:
    lengthen(repository)
    save_plan(repository)
    old = stamped(repository, timedelta(hours=73))
    name, _, rest = old.partition("@")
    stamp = f"{datetime.now(UTC):%Y%m%dT%H%MZ}"

    applied = repository.run("apply", "--approve", f"{name}@{stamp}-{rest.partition('-')[2]}")

    assert (applied.code, repository.writes()) == (4, [])


# Several tenants


def two_tenants(repository: Repository) -> None:
    lengthen(repository)
    repository.declare(OTHER, name="fabrikam", tenant_id=FABRIKAM)
    save_plan(repository)


@pytest.mark.parametrize("way", ["--plan", "--approve"])
def test_consent_may_speak_of_several_tenants(repository: Repository, way: str) -> None:
    two_tenants(repository)

    applied = repository.run("apply", *consent(repository, way))

    assert (applied.code, applied.statuses) == (0, {"contoso": "applied", "fabrikam": "applied"})


def test_what_was_approved_of_one_tenant_leaves_the_others_alone(repository: Repository) -> None:
    two_tenants(repository)
    (approval,) = [word for word in consent(repository, "--approve") if word.startswith("fabrikam@")]

    applied = repository.run("apply", "--approve", approval)

    assert (applied.code, applied.statuses) == (0, {"fabrikam": "applied"})
    assert repository.policy()["defaultLength"] == 8


def test_an_approval_of_one_tenant_is_none_for_another(repository: Repository) -> None:
    """Both tenants plan the same; only the name on the approval is another one."""
    repository.declare(OTHER)
    repository.declare(OTHER, name="fabrikam", tenant_id=FABRIKAM)
    planned = repository.run("plan", "--override", "widen", "--reason", "test")
    approvals = {tenant["name"]: tenant["approval"] for tenant in planned.document["tenants"]}
    repository.forget()

    applied = repository.run("apply", "--approve", approvals["contoso"].replace("contoso@", "fabrikam@"))

    assert (applied.code, applied.statuses, repository.writes()) == (4, {"fabrikam": "failed"}, [])


def test_a_tenant_that_the_consent_does_not_name_is_refused_and_the_others_go_on(repository: Repository) -> None:
    two_tenants(repository)
    approvals = [word for word in consent(repository, "--approve") if word.startswith("contoso@")]

    applied = repository.run("apply", "--tenant", "contoso", "--tenant", "fabrikam", "--approve", *approvals)

    assert (applied.code, applied.statuses) == (4, {"contoso": "applied", "fabrikam": "failed"})


def test_a_tenant_whose_id_was_exchanged_is_not_the_one_of_the_saved_plan(repository: Repository) -> None:
    lengthen(repository)
    save_plan(repository)
    state = repository.folder / ".tapctl" / "sandbox"
    text = (state / f"{CONTOSO}.json").read_text()
    (state / f"{FABRIKAM}.json").write_text(text.replace(CONTOSO, FABRIKAM))
    repository.edit(CONTOSO, FABRIKAM)

    applied = repository.run("apply", "--plan", "plan.json")

    assert (applied.code, repository.writes()) == (4, [])
    assert CONTOSO in applied.tenant["error"]


def test_an_override_in_the_saved_plan_of_one_tenant_holds_for_that_tenant_alone(repository: Repository) -> None:
    """A guardrail that got in the way of the other tenant after the review is not passed by with it."""
    group = "groups: {team: {displayName: SG-Team, members: [ada@contoso.com]}}"
    grown = group.replace("[ada", "[grace@contoso.com, ada")
    repository.declare(group)
    repository.declare(group, name="fabrikam", tenant_id=FABRIKAM)
    repository.succeed("apply", "--yes")
    repository.declare(f"{grown}\nguardrails: {{deny: [delete, widen]}}")
    repository.declare(grown, name="fabrikam", tenant_id=FABRIKAM)
    planned = save_plan(repository, "--override", "widen", "--reason", "agreed")
    repository.write("rules.yaml", "guardrails: {deny: [widen]}\n")

    applied = repository.run("apply", "--plan", "plan.json", "--guardrails", "rules.yaml")

    assert {tenant["name"]: tenant["overrides"] for tenant in planned.document["tenants"]} == {
        "contoso": {"widen": "agreed"},
        "fabrikam": {},
    }
    assert (applied.code, applied.statuses) == (3, {"contoso": "applied", "fabrikam": "denied"})


# Files that are no consent


def valid_document(repository: Repository) -> dict[str, object]:
    document = json.loads((repository.folder / "plan.json").read_text())
    assert isinstance(document, dict)
    return document


@pytest.mark.parametrize("command", ["apply", "show"])
@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'"plan"',
        b'{"formatVersion": 1}',
        b'{"formatVersion": 99, "tenants": []}',
        b"\xff\xfe\x00plan",
        b"[" * 100_000,
        b'{"formatVersion": 1, "formatVersion": 1}',
        b'{"findings": []}',
        b'{"resource_changes": [], "format_version": "1.2"}',
        b'{"formatVersion": ' + b"9" * 5000 + b"}",
    ],
    ids=lambda content: content[:24].decode("latin-1"),
)
def test_a_file_that_is_no_plan_ends_with_3_and_a_sentence(
    initialised: Repository, tmp_path: Path, command: str, content: bytes
) -> None:
    file = tmp_path / "hostile.json"
    file.write_bytes(content)

    done = initialised.run(command, *(["--plan"] if command == "apply" else []), str(file))

    assert done.code == 3
    assert "error: this is not a plan that can be used" in done.err
    assert "not a plan that can be used" in json.loads(done.out)["error"]


@pytest.mark.parametrize(
    ("path", "value"),
    [
        (("tenants",), {"contoso": 1}),
        (("tenants", 0, "changes", 0, "fields"), None),
        (("tenants", 0, "changes", 0, "action"), "execute"),
        (("tenants", 0, "changes", 0, "command"), "rm -rf /"),
        (("tenants", 0, "status"), "approved"),
        (("createdAt",), "yesterday"),
        (("createdAt",), "2026-11-22T07:29:00+14:00"),
        (("tenants", 0, "definitions"), []),
    ],
)
def test_a_plan_that_somebody_has_bent_ends_with_3(
    repository: Repository, path: tuple[str | int, ...], value: object
) -> None:
    lengthen(repository)
    save_plan(repository)
    document: object = valid_document(repository)
    place: object = document
    for part in path[:-1]:
        place = place[part]  # type: ignore[index]
    place[path[-1]] = value  # type: ignore[index]
    repository.write("plan.json", json.dumps(document))

    applied = repository.run("apply", "--plan", "plan.json")

    assert (applied.code, repository.writes()) == (3, [])


@pytest.mark.parametrize("text", ["contoso", "contoso@20261122T0729Z-abc", "@20261122T0729Z-" + "0" * 64, ""])
def test_what_is_no_approval_is_wrong_usage(initialised: Repository, text: str) -> None:
    assert initialised.run("apply", "--approve", text).code == 64


def test_there_is_one_way_to_say_what_was_agreed_to(initialised: Repository) -> None:
    approval = "contoso@20261122T0729Z-" + "0" * 64

    assert initialised.run("apply", "--approve", approval, "--plan", "plan.json").code == 64


def test_a_plan_that_was_denied_is_no_consent(repository: Repository) -> None:
    repository.write("rules.yaml", "guardrails: {deny: [widen]}\n")
    repository.edit("\ngroups:\n", "\ngroups:\n  wave: {displayName: SG-Onboarding-Wave-7, external: true}\n")
    repository.edit("  include: [tap-users]", "  include: [tap-users, wave]")
    planned = repository.run("plan", "--out", "plan.json", "--guardrails", "rules.yaml")
    repository.forget()

    applied = repository.run("apply", "--plan", "plan.json")

    assert (planned.code, planned.tenant["status"], planned.tenant["approval"]) == (3, "denied", None)
    assert (applied.code, repository.writes()) == (4, [])
