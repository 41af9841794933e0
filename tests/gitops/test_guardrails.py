"""What a plan may never do, whoever wrote the files."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from tests.gitops.repository import Done, Repository

BASELINE = "tenants/_baselines/secure.yaml"
WAVE = "wave: {displayName: SG-Onboarding-Wave-7, external: true}"


def include_wave(repository: Repository) -> None:
    """A change that widens."""
    repository.edit("\ngroups:\n", f"\ngroups:\n  {WAVE}\n")
    repository.edit("  include: [tap-users]", "  include: [tap-users, wave]")


def violations(done: Done) -> list[tuple[str, bool]]:
    return [(item["rule"], item["overridden"]) for item in done.tenant["guardrails"]]


# The baseline


@pytest.mark.parametrize(
    ("key", "loosened", "baseline"),
    [
        ("approvalMaxAge", "guardrails: {approvalMaxAge: 100h}", ""),
        ("approvalMaxAge", "guardrails: {approvalMaxAge: null}", ""),
        ("deny", "guardrails: {deny: []}", ""),
        ("deny", "guardrails: {deny: null}", ""),
        ("guardrails", "guardrails: null", ""),
        ("schema", "guardrails: {schema: null}", ""),
        ("maxUsersLosing", "guardrails: {impact: {maxUsersLosing: 51}}", "  impact: {maxUsersLosing: 50}\n"),
        ("maxUsersLosing", "guardrails: {impact: {maxUsersLosing: null}}", "  impact: {maxUsersLosing: 50}\n"),
        ("impact", "guardrails: {impact: null}", "  impact: {maxUsersLosing: 50}\n"),
    ],
)
def test_a_tenant_that_loosens_its_baseline_is_refused_with_both_places(
    repository: Repository, key: str, loosened: str, baseline: str
) -> None:
    repository.edit("  approvalMaxAge: 72h\n", f"  approvalMaxAge: 72h\n{baseline}", file=BASELINE)
    tenant = repository.folder / "tenants" / "contoso.yaml"
    tenant.write_text(f"{tenant.read_text()}\n{loosened}\n")
    line = len(tenant.read_text().splitlines())

    planned = repository.run("plan")
    applied = repository.run("apply", "--yes")

    assert (planned.code, applied.code, repository.requests()) == (3, 3, [])
    (finding,) = [item for item in planned.tenant["findings"] if item["rule"] == "looser-than-baseline"]
    assert key in finding["message"]
    assert (finding["file"], finding["line"]) == ("tenants/contoso.yaml", line)
    assert [item["file"] for item in finding["related"]] == [BASELINE]


def test_a_tenant_that_drops_break_glass_is_refused_with_both_places(repository: Repository) -> None:
    repository.edit("  scenarios: [helpdesk]", "  breakGlass: []\n  scenarios: [helpdesk]")

    planned = repository.run("plan")

    assert (planned.code, repository.requests()) == (3, [])
    (finding,) = [item for item in planned.tenant["findings"] if item["rule"] == "looser-than-baseline"]
    assert "break-glass" in finding["message"]
    assert [item["file"] for item in finding["related"]] == [BASELINE]


def test_a_tenant_may_tighten(repository: Repository) -> None:
    tenant = repository.folder / "tenants" / "contoso.yaml"
    tenant.write_text(f"{tenant.read_text()}\nguardrails: {{deny: [delete, widen], approvalMaxAge: 1h}}\n")

    assert repository.run("plan").code == 0


# Each rule


@pytest.mark.parametrize(
    ("rule", "edits"),
    [
        ("widen", [("\ngroups:\n", f"\ngroups:\n  {WAVE}\n"), ("include: [tap-users]", "include: [tap-users, wave]")]),
        ("widen", [("{group: all-devices, filter: Entra joined Windows 11, mode: include}", "all-devices")]),
        ("enable", []),
        ("delete", [("  windows-11:\n", "  windows-11:\n    ensure: absent\n")]),
    ],
    ids=["an include more", "a filter less", "the policy switched on", "a profile deleted"],
)
def test_a_denied_change_is_refused_and_an_override_lets_it_pass(
    repository: Repository, rule: str, edits: Sequence[tuple[str, str]]
) -> None:
    repository.write("rules.yaml", f"guardrails: {{deny: [{rule}]}}\n")
    if rule == "enable":
        repository.tamper("temporaryAccessPass", "state=disabled")
    for old, new in edits:
        repository.edit(old, new)

    denied = repository.run("apply", "--yes", "--guardrails", "rules.yaml")
    writes = repository.writes()
    override = ("--override", rule, "--reason", "agreed with the board")
    applied = repository.run("apply", "--yes", "--guardrails", "rules.yaml", *override)

    assert (denied.code, denied.tenant["status"], violations(denied), writes) == (3, "denied", [(rule, False)], [])
    assert f"--override {rule} --reason TEXT" in denied.tenant["fix"]
    assert (applied.code, violations(applied)) == (0, [(rule, True)])
    assert len(repository.writes()) >= 1


def test_web_sign_in_that_a_profile_switches_on_is_enabled_as_well(repository: Repository) -> None:
    repository.write("rules.yaml", "guardrails: {deny: [enable]}\n")
    repository.tamper("webSignIn.WIN - Web sign-in", "settings.enableWebSignIn=false")

    assert violations(repository.run("plan", "--guardrails", "rules.yaml")) == [("enable", False)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("enableWebSignIn: true", "enableWebSignIn: false"),
        ("defaultCredentialProvider: pin", "enableFastFirstSignIn: true"),
    ],
)
def test_a_profile_that_changes_otherwise_enables_nothing(repository: Repository, old: str, new: str) -> None:
    repository.write("rules.yaml", "guardrails: {deny: [enable]}\n")
    repository.edit(old, new)

    planned = repository.run("plan", "--guardrails", "rules.yaml")

    assert (planned.tenant["status"], violations(planned)) == ("changes", [])


@pytest.mark.parametrize("rule", ["delete", "widen", "enable", "members", "impact"])
def test_an_override_without_a_reason_is_wrong_usage(initialised: Repository, rule: str) -> None:
    assert initialised.run("plan", "--override", rule).code == 64
    assert initialised.run("apply", "--yes", "--override", rule, "--reason", " ").code == 64


def test_break_glass_is_no_rule_that_can_be_overridden(initialised: Repository) -> None:
    assert initialised.run("apply", "--yes", "--override", "break-glass", "--reason", "no").code == 64


def test_break_glass_is_tested_on_the_policy_that_would_result(repository: Repository) -> None:
    """The file does not manage the list, and somebody has emptied it."""
    rescue = "groups: {rescue: {displayName: SG-Break-Glass, external: true}}\n"
    repository.declare(f"{rescue}temporaryAccessPass: {{length: 12}}", more="breakGlass: [rescue]")
    repository.tamper("temporaryAccessPass", "exclude=")
    every = [word for rule in ("delete", "widen", "enable", "members", "impact") for word in ("--override", rule)]

    applied = repository.run("apply", "--yes", *every, "--reason", "no")

    assert (applied.code, applied.tenant["status"], repository.writes()) == (3, "denied", [])
    assert violations(applied) == [("break-glass", False)]


@pytest.mark.parametrize(
    ("members", "left", "is_refused"),
    [(1, 0, True), (3, 1, False), (10, 5, False), (7, 1, True), (10, 4, True), (14, 8, False)],
)
def test_emptying_a_group_or_removing_most_of_many_members_needs_an_override(
    repository: Repository, members: int, left: int, is_refused: bool
) -> None:
    people = list(repository.objects("users").values())
    ada = next(item for item in people if item["userPrincipalName"] == "ada@contoso.com")
    names = [f"person{number}@contoso.com" for number in range(members)]
    for number, name in enumerate(names):
        repository.put("users", {**ada, "id": f"00000000-0000-4000-8000-{number:012}", "userPrincipalName": name})
    repository.declare(f"groups: {{team: {{displayName: SG-Team, members: [{', '.join(names)}]}}}}")
    repository.succeed("apply", "--yes")
    repository.forget()
    repository.declare(f"groups: {{team: {{displayName: SG-Team, members: [{', '.join(names[:left])}]}}}}")

    applied = repository.run("apply", "--yes")
    writes = len(repository.writes())
    overridden = repository.run("apply", "--yes", "--override", "members", "--reason", "wave is over")

    assert (applied.code, writes) == ((3, 0) if is_refused else (0, members - left))
    assert violations(applied) == ([("members", False)] if is_refused else [])
    assert (overridden.code, len(repository.member_names("SG-Team"))) == (0, left)


def test_an_unknown_impact_counts_as_too_many(repository: Repository) -> None:
    include_wave(repository)
    limit = ("--guardrails", str(repository.write("rules.yaml", "guardrails: {impact: {maxUsersGaining: 500}}\n")))

    unknown = repository.run("plan", "--impact", "off", *limit)
    overridden = repository.run(
        "plan", "--impact", "off", *limit, "--override", "impact", "--reason", "counted by hand"
    )

    assert (unknown.code, violations(unknown), unknown.tenant["approval"]) == (3, [("impact", False)], None)
    assert "unknown" in unknown.tenant["error"]
    assert (overridden.code, violations(overridden)) == (0, [("impact", True)])


def test_a_count_that_was_denied_names_the_permission(repository: Repository) -> None:
    include_wave(repository)
    limit = ("--guardrails", str(repository.write("rules.yaml", "guardrails: {impact: {maxUsersGaining: 500}}\n")))
    denied = [{"action": "status", "status": 403, "code": "Authorization_RequestDenied", "path": "count"}]

    planned = repository.run("plan", *limit, faults=denied)

    (finding,) = [item for item in planned.tenant["findings"] if item["rule"] == "impact-unknown"]
    assert (planned.code, finding["severity"]) == (3, "warning")
    assert "it needs the permission GroupMember.Read.All" in finding["message"]
    assert "grant the application GroupMember.Read.All" in finding["fix"]


@pytest.mark.parametrize(("status", "severities"), [(403, ["info"]), (501, [])])
def test_without_a_limit_a_count_that_failed_is_a_note_at_most(
    repository: Repository, status: int, severities: list[str]
) -> None:
    include_wave(repository)
    failing = [{"action": "status", "status": status, "code": "Authorization_RequestDenied", "path": "count"}]

    planned = repository.run("plan", faults=failing)

    assert planned.code == 0
    assert [f["severity"] for f in planned.tenant["findings"] if f["rule"] == "impact-unknown"] == severities


@pytest.mark.parametrize(("limit", "code"), [(0, 3), (500, 0)])
def test_a_counted_impact_is_held_against_the_limit(repository: Repository, limit: int, code: int) -> None:
    include_wave(repository)
    rules = repository.write("rules.yaml", f"guardrails: {{impact: {{maxUsersGaining: {limit}}}}}\n")

    assert repository.run("plan", "--impact", "exact", "--guardrails", str(rules)).code == code


# From outside the branch


def test_guardrails_from_outside_bring_their_own_schema(repository: Repository) -> None:
    schema = "{properties: {temporaryAccessPass: {properties: {length: {minimum: 10}}, required: [length]}}}"
    rules = repository.write("rules.yaml", f"guardrails: {{schema: {schema}}}\n")

    refused = repository.run("plan", "--guardrails", str(rules))
    repository.edit("  include: [tap-users]\n", "  include: [tap-users]\n  length: 12\n")

    assert (refused.code, repository.requests()) == (3, [])
    assert "guardrail-schema" in refused.notes
    assert repository.run("plan", "--guardrails", str(rules)).code == 0


def test_guardrails_from_outside_shorten_the_age_of_an_approval(repository: Repository) -> None:
    include_wave(repository)
    repository.succeed("plan", "--out", "plan.json")
    document = json.loads((repository.folder / "plan.json").read_text())
    document["createdAt"] = "2020-01-01T00:00:00Z"
    repository.write("plan.json", json.dumps(document))
    rules = repository.write("rules.yaml", "guardrails: {approvalMaxAge: 10m}\n")

    applied = repository.run("apply", "--plan", "plan.json", "--guardrails", str(rules))

    assert applied.code == 4
    assert "approvalMaxAge is 10m" in applied.tenant["error"]


def test_a_branch_cannot_loosen_what_comes_from_outside_nor_the_other_way_round(repository: Repository) -> None:
    include_wave(repository)
    repository.edit("deny: [delete]", "deny: [delete, widen]", file=BASELINE)
    loose = repository.write("loose.yaml", "guardrails: {deny: [], approvalMaxAge: 1000h}\n")
    inside = repository.run("plan", "--guardrails", str(loose))
    repository.edit("deny: [delete, widen]", "deny: []", file=BASELINE)
    strict = repository.write("strict.yaml", "guardrails: {deny: [widen]}\n")
    outside = repository.run("plan", "--guardrails", str(strict))

    assert (inside.code, violations(inside)) == (3, [("widen", False)])
    assert (outside.code, violations(outside)) == (3, [("widen", False)])


@pytest.mark.parametrize(
    "content", ["deny: [widen]\n", "guardrails: {deny: [everything]}\n", "guardrails: [\n", "guardrails: {max: 1}\n"]
)
def test_a_guardrails_file_that_cannot_be_used_refuses_everything(repository: Repository, content: str) -> None:
    rules = repository.write("rules.yaml", content)

    assert (repository.run("plan", "--guardrails", str(rules)).code, repository.requests()) == (3, [])


def test_a_guardrails_file_that_is_not_there_is_wrong_usage(repository: Repository) -> None:
    assert repository.run("plan", "--guardrails", "missing.yaml").code == 64


# What an override leaves behind


def test_an_override_is_in_the_plan_in_the_approval_and_in_the_journal(repository: Repository) -> None:
    include_wave(repository)
    rules = ("--guardrails", str(repository.write("rules.yaml", "guardrails: {deny: [widen]}\n")))
    override = ("--override", "widen", "--reason", "new office")
    planned = repository.succeed("plan", *rules, *override)
    approval = planned.tenant["approval"]
    repository.forget()

    without = repository.run("apply", "--approve", approval, *rules)
    other_reason = repository.run("apply", "--approve", approval, *rules, "--override", "widen", "--reason", "other")
    writes = repository.writes()
    applied = repository.run("apply", "--approve", approval, *rules, *override)

    assert planned.tenant["overrides"] == {"widen": "new office"}
    assert planned.tenant["guardrails"][0]["reason"] == "new office"
    assert (without.code, other_reason.code, writes) == (3, 4, [])
    assert applied.code == 0
    first = json.loads((repository.folder / repository.journal).read_text().splitlines()[0])
    assert first["overrides"] == {"widen": "new office"}


def test_an_override_that_was_not_needed_is_nowhere(repository: Repository) -> None:
    include_wave(repository)

    plain = repository.succeed("plan")
    planned = repository.succeed("plan", "--override", "delete", "--reason", "just in case")

    assert planned.tenant["overrides"] == {}
    assert planned.tenant["approval"].partition("@")[0] == plain.tenant["approval"].partition("@")[0] == "contoso"


def test_a_saved_plan_brings_its_overrides_and_guardrails_that_were_added_since_hold(repository: Repository) -> None:
    include_wave(repository)
    repository.edit("deny: [delete]", "deny: [delete, widen]", file=BASELINE)
    repository.succeed("plan", "--out", "plan.json", "--override", "widen", "--reason", "new office")
    repository.forget()
    limit = repository.write("rules.yaml", "guardrails: {impact: {maxUsersGaining: 0}}\n")

    refused = repository.run("apply", "--plan", "plan.json", "--guardrails", str(limit))
    writes = repository.writes()
    applied = repository.run("apply", "--plan", "plan.json")

    assert (refused.code, refused.tenant["status"], writes) == (3, "denied", [])
    assert (applied.code, applied.tenant["overrides"]) == (0, {"widen": "new office"})
