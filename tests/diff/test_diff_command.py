from __future__ import annotations

import shutil

import pytest

from tests.drift.harness import Done, Repository

ACME = "tenants/acme.yaml"
BASELINE = "tenants/_baselines/common.yaml"
POLICY = "temporaryAccessPass"
FILTER = "          filter: Entra joined Windows 11   # no hybrid ones\n          mode: include\n"


def _diff(repository: Repository, *arguments: str) -> Done:
    return repository.run("diff", "--format", "json", *arguments)


def test_a_changed_lifetime_is_one_field_in_minutes(repository: Repository) -> None:
    repository.write(ACME, "maximum: 4h", "maximum: 5h")
    repository.commit("Longer")

    done = _diff(repository, "HEAD~1")

    assert done.code == 0
    assert done.tenant("globex")["changes"] == []
    change = done.change("acme", POLICY)
    assert change["action"] == "update"
    assert change["fields"] == [{"path": "lifetime.maximum", "before": 240, "after": 300}]


def test_what_a_baseline_says_differently_is_a_change_of_every_tenant_that_takes_it(repository: Repository) -> None:
    repository.write(BASELINE, "length: 8", "length: 12")
    repository.commit("Longer passes")

    done = _diff(repository, "HEAD~1")

    for name in ("acme", "globex"):
        assert done.change(name, POLICY)["fields"] == [{"path": "length", "before": 8, "after": 12}]


def test_the_work_tree_and_the_index_are_neither_read_nor_touched(repository: Repository) -> None:
    repository.write(ACME, "maximum: 4h", "maximum: 5h")
    repository.git("add", ACME)
    shutil.rmtree(repository.path / "tenants/globex")
    status = repository.git("status", "--porcelain")

    done = _diff(repository, "HEAD")

    assert done.code == 0
    assert [tenant["changes"] for tenant in done.json["tenants"]] == [[], []]
    assert repository.git("status", "--porcelain") == status


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("lifetime: {maximum: 4h}   # longer than the baseline", "lifetime:\n    maximum: 240"),
        ("displayName: 'SG-Pass-Users' ", 'displayName: "SG-Pass-Users"'),
        ("members: [alan@contoso.com]", "members: [ALAN@contoso.com]"),
        ("scopeTags: [Default]", "scopeTags:\n      - Default # one"),
        ("exclude: [ break-glass, pilots ]", "exclude: [pilots, break-glass]"),
        ("    - pass-users   # everybody of the first wave", "    - {group: pass-users}"),
    ],
)
def test_spelling_and_order_are_no_difference(repository: Repository, old: str, new: str) -> None:
    repository.write(ACME, old, new)
    repository.commit("The same")

    assert _diff(repository, "HEAD~1").tenant("acme")["status"] == "clean"


@pytest.mark.parametrize(
    ("old", "new", "address", "path", "widens"),
    [
        ("    - pass-users   #", "    - research\n    - pass-users   #", POLICY, "include", True),
        ("    - pass-users   # everybody of the first wave\n", "", POLICY, "include", False),
        ("exclude: [ break-glass, pilots ]", "exclude: [break-glass]", POLICY, "exclude", True),
        ("exclude: [ break-glass, pilots ]", "exclude: [break-glass, pilots, research]", POLICY, "exclude", False),
        ("until: 2031-12-15", "until: 2032-12-15", POLICY, "include.until", True),
        ("until: 2031-12-15", "until: 2030-12-15", POLICY, "include.until", False),
        ("until: 2031-12-15, ", "", POLICY, "include.until", True),
        ("reason: New office", "reason: Another office", POLICY, "include.reason", False),
        ("maximum: 4h", "maximum: 5h", POLICY, "lifetime.maximum", False),
        ('"KIOSK"', '"K"', "groups.devices", "rule", True),
        ("      - ada@contoso.com     # help desk\n", "", "groups.pass-users", "members", False),
        ("      - grace@contoso.com", "      - alan@contoso.com", "groups.pass-users", "members", True),
        ("members: [alan@contoso.com]", "members: []", "groups.pilots", "members", True),
        ("displayName: SG-Research-Dynamic", "displayName: All staff", "groups.research", "displayName", True),
        (FILTER, "", "webSignIn.windows-11", "assign.include", True),
        ("enableWebSignIn: true", "enableWebSignIn: false", "webSignIn.windows-11", "settings.enableWebSignIn", False),
        ("description: First line", "description: Another", "webSignIn.windows-11", "description", False),
    ],
)  # fmt: skip
def test_a_declaration_that_widens_says_so(
    repository: Repository, old: str, new: str, address: str, path: str, widens: bool
) -> None:
    repository.write(ACME, old, new)
    repository.commit("Changed")

    change = _diff(repository, "HEAD~1").change("acme", address)

    assert path in [field["path"] for field in change["fields"]]
    assert change["widens"] is widens


def test_who_leaves_a_group_that_is_nested_in_an_excluded_one_may_gain(repository: Repository) -> None:
    repository.write(ACME, "members: [alan@contoso.com]", 'members: ["group:inner"]')
    repository.write(
        ACME, "  devices:\n", "  inner: {displayName: SG-Inner, members: [alan@contoso.com]}\n  devices:\n"
    )
    repository.commit("Nested")
    repository.write(ACME, "members: [alan@contoso.com]", "members: []")
    repository.commit("Left")

    assert _diff(repository, "HEAD~1").change("acme", "groups.inner")["widens"] is True


def test_declarations_come_and_go(repository: Repository) -> None:
    old = "  research: {displayName: SG-Research-Dynamic, external: true}\n"
    repository.write(ACME, old, "  fresh: {displayName: SG-Fresh}\n")
    repository.commit("Exchanged")

    done = _diff(repository, "HEAD~1")

    assert done.change("acme", "groups.fresh")["action"] == "create"
    gone = done.change("acme", "groups.research")
    assert gone["action"] == "delete"
    assert "no longer managed" in gone["notes"][0]


def test_what_a_reviewer_must_see_beside_the_objects(repository: Repository) -> None:
    more = "  labels: {ring: pilot}\n  auth: {method: token, tokenVariable: TAPCTL_TOKEN}"
    repository.write(ACME, "  cloud: sandbox", f"  cloud: sandbox\n{more}")
    repository.write(BASELINE, "tenant:\n  breakGlass: [break-glass]\n", "guardrails:\n  deny: [delete, widen]\n")
    repository.commit("Around")

    done = _diff(repository, "HEAD~1")

    about = done.change("acme", "tenant")
    assert [field["path"] for field in about["fields"]] == ["auth", "breakGlass", "labels"]
    assert about["notes"] == ["a break-glass group is no longer protected"]
    assert done.change("acme", "guardrails")["fields"] == [
        {"path": "deny", "before": None, "after": ["delete", "widen"]}
    ]


def test_a_guardrail_that_is_loosened_is_pointed_out(repository: Repository) -> None:
    strict = "guardrails:\n  impact: {maxUsersGaining: 5}\n  deny: [delete, enable]\ntenant:\n"
    repository.write(BASELINE, "tenant:\n", strict)
    repository.commit("Strict")
    repository.write(BASELINE, "maxUsersGaining: 5", "maxUsersGaining: 50")
    repository.write(BASELINE, "deny: [delete, enable]", "deny: [delete, widen]")
    repository.commit("Loose")

    notes = _diff(repository, "HEAD~1").change("acme", "guardrails")["notes"]

    assert notes == ["loosens the guardrail deny", "loosens the guardrail impact.maxUsersGaining"]


def test_another_tenant_id_is_pointed_out(repository: Repository) -> None:
    repository.write(ACME, "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c99", "0d2f5c1e-93a5-4a3c-8a77-3f0c1f7f0d11")
    repository.commit("Moved")

    notes = _diff(repository, "HEAD~1").change("acme", "tenant")["notes"]

    assert notes == ["it is another tenant now: what lives in the old one stays as it is"]


def test_the_age_of_an_approval_is_shown_with_its_unit(repository: Repository) -> None:
    repository.write(BASELINE, "tenant:\n", "guardrails: {approvalMaxAge: 24h}\ntenant:\n")
    repository.commit("Sooner")

    assert "approvalMaxAge: (not set) -> 1440 (minutes)" in repository.run("diff", "HEAD~1").out


def test_a_tenant_that_came_one_that_went_and_one_that_was_renamed(repository: Repository) -> None:
    repository.git("mv", "tenants/globex", "tenants/initech")
    text = (repository.path / ACME).read_text(encoding="utf-8")
    (repository.path / ACME).unlink()
    (repository.path / "tenants/new.yaml").write_text(text.replace("3c99", "3c98"), encoding="utf-8")
    repository.commit("Moved")

    done = _diff(repository, "HEAD~1")

    assert [(tenant["name"], tenant["presence"]) for tenant in done.json["tenants"]] == [
        ("acme", "removed"),
        ("initech", "renamed"),
        ("new", "added"),
    ]
    assert done.tenant("initech")["previousName"] == "globex"
    assert {change["action"] for change in done.tenant("acme")["changes"]} == {"delete"}
    assert {change["action"] for change in done.tenant("new")["changes"]} == {"create"}


def test_a_newer_revision_that_is_invalid_is_exit_3_with_the_findings(repository: Repository) -> None:
    repository.write(ACME, "maximum: 4h", "maximum: 4 weeks")
    repository.commit("Invalid")

    done = _diff(repository, "HEAD~1")

    assert done.code == 3
    (error,) = (item for item in done.tenant("acme")["findings"] if item["severity"] == "error")
    assert (error["file"], error["line"]) == (ACME, 31)
    assert done.tenant("globex")["status"] == "clean"


def test_a_newer_revision_that_breaks_a_rule_shows_its_changes_and_is_exit_3(repository: Repository) -> None:
    repository.write(ACME, "exclude: [ break-glass, pilots ]", "exclude: [pilots]")
    repository.commit("Without break-glass")

    done = _diff(repository, "HEAD~1")

    assert done.code == 3
    assert "break-glass" in done.rules("acme")
    assert done.change("acme", POLICY)["fields"][0]["path"] == "exclude"


def test_an_older_revision_that_is_invalid_is_a_warning(repository: Repository) -> None:
    repository.write(ACME, "maximum: 4h", "maximum: 4 weeks")
    repository.commit("Invalid")
    repository.write(ACME, "maximum: 4 weeks", "maximum: 4h")
    repository.commit("Mended")

    done = _diff(repository, "HEAD~1")

    assert done.code == 0
    assert done.tenant("acme")["status"] == "unknown"
    assert "older-revision-invalid" in done.rules("acme")


def test_what_could_not_be_compared_is_not_summed_up_as_unchanged(repository: Repository) -> None:
    repository.write(ACME, "maximum: 4h", "maximum: 4 weeks")
    repository.commit("Invalid")

    both = repository.run("diff", "HEAD~1")
    one = repository.run("diff", "--tenant", "acme", "HEAD~1")

    assert both.out.endswith("No changes of the desired state from HEAD~1 to HEAD; 1 tenant could not be compared.\n")
    assert one.out.endswith("Nothing could be compared from HEAD~1 to HEAD.\n")


def test_three_dots_compare_from_where_the_branches_went_apart(repository: Repository) -> None:
    repository.git("switch", "--quiet", "--create", "topic")
    repository.write(ACME, "maximum: 4h", "maximum: 5h")
    repository.commit("On the topic")
    repository.git("switch", "--quiet", "main")
    repository.write(BASELINE, "length: 8", "length: 12")
    repository.commit("On main")

    apart = _diff(repository, "main...topic").change("acme", POLICY)["fields"]
    whole = _diff(repository, "main..topic").change("acme", POLICY)["fields"]

    assert [field["path"] for field in apart] == ["lifetime.maximum"]
    assert [field["path"] for field in whole] == ["length", "lifetime.maximum"]
    assert _diff(repository, "main", "topic").change("acme", POLICY)["fields"] == whole
    assert [tenant["changes"] for tenant in _diff(repository, "main...").json["tenants"]] == [[], []]


def test_paths_follow_the_revisions(repository: Repository) -> None:
    repository.write(ACME, "maximum: 4h", "maximum: 5h")
    repository.commit("Longer")

    for arguments in (
        ("HEAD~1", ACME),
        ("HEAD~1", "HEAD", ACME),
        ("HEAD~1", "--", ACME),
        ("HEAD~1", "HEAD", "--", ACME),
    ):
        assert [tenant["name"] for tenant in _diff(repository, *arguments).json["tenants"]] == ["acme"]


def test_an_existing_path_is_no_revision_even_where_a_branch_has_its_name(repository: Repository) -> None:
    repository.git("branch", "tenants")

    done = _diff(repository, "HEAD", "tenants")

    assert done.json["newer"]["revision"] == "HEAD"
    assert _diff(repository, "HEAD", "tenants", "--").json["newer"]["revision"] == "tenants"


def test_a_path_that_only_one_of_the_revisions_has_is_enough(repository: Repository) -> None:
    repository.git("rm", "--quiet", "-r", "tenants/globex")
    repository.commit("Gone")

    done = _diff(repository, "HEAD~1", "tenants/globex")

    assert [(tenant["name"], tenant["presence"]) for tenant in done.json["tenants"]] == [("globex", "removed")]


def test_tenants_are_selected_by_name_and_label_of_either_revision(repository: Repository) -> None:
    repository.write(ACME, "  cloud: sandbox", "  cloud: sandbox\n  labels: {ring: pilot}")
    repository.commit("Labelled")

    for option in (("--tenant", "acme"), ("--select", "ring=pilot")):
        assert [tenant["name"] for tenant in _diff(repository, "HEAD~1", *option).json["tenants"]] == ["acme"]
    assert _diff(repository, "HEAD~1", "--tenant", "nobody").code == 64


@pytest.mark.parametrize(
    "arguments",
    [
        ("nowhere",),
        ("HEAD", "nowhere"),
        ("HEAD", "nowhere", "--"),
        ("nowhere...HEAD",),
        ("HEAD", "HEAD", "HEAD", "--"),
        ("HEAD", "tenants/nobody.yaml"),
        ("HEAD", "../elsewhere"),
        ("--", "-x"),
        ("--output=x",),
        (),
    ],
)
def test_what_git_does_not_know_is_wrong_usage(repository: Repository, arguments: tuple[str, ...]) -> None:
    done = repository.run("diff", *arguments)

    assert done.code == 64
    assert done.out == ""


def test_outside_a_repository_it_is_wrong_usage(repository: Repository) -> None:
    shutil.rmtree(repository.path / ".git")

    assert repository.run("diff", "HEAD").code == 64


def test_nothing_that_the_repository_configures_is_started(repository: Repository) -> None:
    trap = repository.root / "trap"
    script = repository.root / "trap.sh"
    script.write_text(f"#!/bin/sh\ntouch {trap}\n", encoding="utf-8")
    script.chmod(0o755)
    for key in ("core.fsmonitor", "core.pager", "diff.external", "core.sshCommand"):
        repository.git("config", key, str(script))
    (repository.path / ".gitattributes").write_text("*.yaml diff=trap filter=trap\n", encoding="utf-8")
    repository.git("config", "diff.trap.textconv", str(script))
    trap.unlink(missing_ok=True)

    assert _diff(repository, "HEAD").code == 0
    assert not trap.exists()


def test_text_and_markdown_say_the_same_and_what_the_file_says_does_not_act(repository: Repository) -> None:
    repository.write(ACME, "description: First line", 'description: "![x](http://evil.example) ::error::<b>"')
    repository.commit("Hostile")

    text, markdown = repository.run("diff", "HEAD~1"), repository.run("diff", "HEAD~1", "--format", "markdown")

    assert text.code == markdown.code == 0
    assert 'webSignIn.windows-11 "WIN - Web sign-in" is updated' in text.out
    assert text.out.endswith("Desired state from HEAD~1 to HEAD: 1 declaration: 0 added, 1 changed, 0 removed.\n")
    assert "`webSignIn.windows-11`" in markdown.out
    assert not any(line.startswith("::") for line in (text.out + markdown.out).splitlines())


def test_nothing_of_graph_is_imported(repository: Repository) -> None:
    done = repository.run("diff", "HEAD", PYTHONPROFILEIMPORTTIME="1")

    names = {line.rpartition("|")[2].strip().partition(".")[0] for line in done.err.splitlines() if "|" in line}
    assert done.code == 0
    assert not names & {"httpx", "msgraph", "msgraph_core", "azure", "asyncio", "kiota_abstractions"}
