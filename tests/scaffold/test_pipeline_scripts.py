"""The shell scripts inside the pipelines, run: with the real Git and shell, and stand-ins for `gh` and `tapctl`."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from .pipelines import APPLY, DRIFT, PULL_REQUEST, make_repository, parsed, script, scripts

pytestmark = pytest.mark.skipif(
    any(shutil.which(program) is None for program in ("bash", "git", "jq")),
    reason="the scripts are written for the pipelines' machines, which have bash, git and jq",
)

STAND_IN = """#!{python}
import json, os, sys
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps([os.path.basename(sys.argv[0]), *sys.argv[1:]]) + "\\n")
for answer in json.load(open(os.environ["ANSWERS"])):
    if all(word in " ".join([os.path.basename(sys.argv[0]), *sys.argv[1:]]) for word in answer["words"]):
        for path, text in answer["files"].items():
            open(path, "w").write(text)
        sys.stdout.write(answer["output"])
        sys.exit(answer["code"])
"""


@dataclass
class Runner:
    """A pipeline's machine: a checkout, and programs that answer what a test tells them to."""

    checkout: Path
    scratch: Path
    answers: list[dict[str, object]] = field(default_factory=list)

    def answer(self, *words: str, output: str = "", code: int = 0, files: dict[str, str] | None = None) -> None:
        """What the next matching call prints, writes and ends with; earlier answers go first."""
        self.answers.append({"words": words, "output": output, "code": code, "files": files or {}})

    def run(self, text: str, **variables: str) -> subprocess.CompletedProcess[str]:
        programs = self.scratch / "bin"
        programs.mkdir(exist_ok=True)
        for name in ("gh", "tapctl"):
            (programs / name).write_text(STAND_IN.format(python=sys.executable), encoding="utf-8")
            (programs / name).chmod(0o755)
        (self.scratch / "answers.json").write_text(json.dumps(self.answers), encoding="utf-8")
        environment = {
            "PATH": os.pathsep.join([str(programs), str(Path(sys.executable).parent), os.environ["PATH"]]),
            "HOME": str(self.scratch),
            "CALLS": str(self.scratch / "calls"),
            "ANSWERS": str(self.scratch / "answers.json"),
            "RUNNER_TEMP": str(self.scratch),
            "GITHUB_OUTPUT": str(self.scratch / "output"),
            "GITHUB_STEP_SUMMARY": str(self.scratch / "summary"),
            "GITHUB_REPOSITORY": "contoso/tenants",
            "GITHUB_REF_NAME": "main",
            "GITHUB_SHA": "c0ffee",
        }
        return subprocess.run(
            ["bash", "--noprofile", "--norc", "-eo", "pipefail", "-c", text],  # as `shell: bash` does
            cwd=self.checkout,
            env={**environment, **variables},
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self, program: str) -> list[list[str]]:
        log = self.scratch / "calls"
        lines = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
        return [call[1:] for call in map(json.loads, lines) if call[0] == program]

    def outputs(self) -> dict[str, str]:
        lines = (self.scratch / "output").read_text(encoding="utf-8").splitlines()
        return dict(line.split("=", 1) for line in lines)

    def summary(self) -> str:
        return (self.scratch / "summary").read_text(encoding="utf-8")

    def git(self, *arguments: str) -> None:
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *identity, *arguments], cwd=self.checkout, check=True, capture_output=True)


@pytest.fixture
def runner(tmp_path: Path) -> Runner:
    """The checkout of a pull request that changed contoso alone, on top of one commit."""
    (tmp_path / "scratch").mkdir()
    made = Runner(make_repository(tmp_path / "checkout", "github", "gitlab", "azure"), tmp_path / "scratch")
    tenants = made.checkout / "tenants"
    (tenants / "fabrikam.yaml").write_text("tenant: {}\n", encoding="utf-8")
    made.git("init")
    made.git("add", ".")
    made.git("commit", "-m", "before")
    (tenants / "contoso.yaml").write_text("tenant: {}\n", encoding="utf-8")
    made.git("commit", "-am", "after")
    return made


def plan_document(**statuses: str) -> str:
    return json.dumps({"tenants": [{"name": name, "status": status} for name, status in statuses.items()]})


@pytest.mark.parametrize(
    "path", [PULL_REQUEST, APPLY, DRIFT, ".gitlab-ci.yml", "ci/gitlab-apply.yml", "azure-pipelines.yml"]
)
def test_every_script_is_valid_shell(path: str) -> None:
    for text in scripts(parsed(path)):
        result = subprocess.run(["bash", "-n"], input=text, text=True, capture_output=True, check=False)
        assert result.returncode == 0, f"{text}\n{result.stderr}"


# Pull request


def test_a_changed_tenant_is_noticed(runner: Runner) -> None:
    assert runner.run(script(PULL_REQUEST, "validate", "Look for changed tenants")).returncode == 0

    assert runner.outputs() == {"changed": "true"}


def test_a_change_of_documentation_asks_for_no_plan(runner: Runner) -> None:
    (runner.checkout / "README.md").write_text("other\n", encoding="utf-8")
    runner.git("commit", "-am", "documentation")

    assert runner.run(script(PULL_REQUEST, "validate", "Look for changed tenants")).returncode == 0

    assert runner.outputs() == {"changed": "false"}


@pytest.mark.parametrize("code", [0, 1, 3])
def test_the_plan_covers_the_changed_tenants_and_is_kept_whatever_it_says(code: int, runner: Runner) -> None:
    runner.answer("tapctl plan", output="1 change\n", code=code)

    assert runner.run(script(PULL_REQUEST, "plan", "Plan the changed tenants")).returncode == 0

    assert runner.calls("tapctl") == [
        ["plan", "tenants/contoso.yaml", "--out", "plan/plan.json", "--format", "markdown"]
    ]
    assert runner.outputs() == {"planned": "true", "code": str(code)}
    assert runner.summary() == "1 change\n"


def test_the_first_plan_of_a_pull_request_is_a_new_comment(runner: Runner) -> None:
    (runner.checkout / "plan").mkdir()
    (runner.checkout / "plan" / "plan.md").write_text("1 change\n", encoding="utf-8")

    assert (
        runner.run(script(PULL_REQUEST, "comment", "Write or update the one comment"), PULL_REQUEST="7").returncode == 0
    )

    _, posted = runner.calls("gh")
    assert "POST" in posted
    assert "repos/contoso/tenants/issues/7/comments" in posted
    assert (runner.checkout / "comment.md").read_text(encoding="utf-8") == "<!-- tapctl-plan -->\n1 change\n"


def test_later_plans_update_the_first_comment(runner: Runner) -> None:
    (runner.checkout / "plan").mkdir()
    (runner.checkout / "plan" / "plan.md").write_text("1 change\n", encoding="utf-8")
    runner.answer("gh api --paginate", output="101\n102\n")

    assert (
        runner.run(script(PULL_REQUEST, "comment", "Write or update the one comment"), PULL_REQUEST="7").returncode == 0
    )

    _, patched = runner.calls("gh")
    assert "PATCH" in patched
    assert "repos/contoso/tenants/issues/comments/101" in patched


def test_a_file_that_moves_between_tenants_changes_both(runner: Runner) -> None:
    for name in ("wingtip", "adatum"):
        (runner.checkout / "tenants" / name).mkdir()
        (runner.checkout / "tenants" / name / "tenant.yaml").write_text(f"tenant: {name}\n", encoding="utf-8")
    (runner.checkout / "tenants" / "wingtip" / "groups.yaml").write_text("groups: {}\n" * 9, encoding="utf-8")
    runner.git("add", ".")
    runner.git("commit", "-m", "two folders")
    runner.git("mv", "tenants/wingtip/groups.yaml", "tenants/adatum/groups.yaml")
    runner.git("commit", "-m", "moved")

    runner.run(script(PULL_REQUEST, "plan", "Plan the changed tenants"))

    assert runner.calls("tapctl")[0][1:3] == ["tenants/adatum", "tenants/wingtip"]


# Apply


def test_a_merge_selects_the_tenants_that_the_reviewed_plan_changes(runner: Runner) -> None:
    runner.answer("gh api", "commits/c0ffee/pulls", output="feed\n")
    runner.answer("gh api", "head_sha=feed", "status=success", output="4711\n")
    plan = plan_document(contoso="changes", fabrikam="clean", wingtip="changes")
    runner.answer("gh run download 4711", files={"plan/plan.json": plan})

    result = runner.run(script(APPLY, "select", "Find the tenants and the plan"), GITHUB_EVENT_NAME="push")

    assert result.returncode == 0, result.stderr
    assert runner.outputs() == {"tenants": '["contoso","wingtip"]'}


def test_a_commit_without_a_pull_request_is_not_applied(runner: Runner) -> None:
    result = runner.run(script(APPLY, "select", "Find the tenants and the plan"), GITHUB_EVENT_NAME="push")

    assert result.returncode == 3
    assert "No pull request" in result.stdout
    assert not (runner.scratch / "output").exists()


def test_a_pull_request_without_a_successful_plan_is_not_applied(runner: Runner) -> None:
    runner.answer("gh api", "commits/c0ffee/pulls", output="feed\n")

    result = runner.run(script(APPLY, "select", "Find the tenants and the plan"), GITHUB_EVENT_NAME="push")

    assert result.returncode == 3
    assert "No plan" in result.stdout
    assert not (runner.scratch / "output").exists()


def test_the_first_push_of_a_repository_applies_nothing_and_does_not_fail(runner: Runner) -> None:
    text = script(APPLY, "select", "Find the tenants and the plan")

    result = runner.run(text, GITHUB_EVENT_NAME="push", CREATED="true")

    assert result.returncode == 0, result.stderr
    assert runner.outputs() == {"tenants": "[]"}
    assert runner.calls("gh") == []


@pytest.mark.parametrize(
    ("document", "chosen"),
    [
        ([], ""),
        ([{"merged_at": None, "base": {"ref": "main"}, "head": {"sha": "open"}}], ""),
        ([{"merged_at": "2026-11-22", "base": {"ref": "other"}, "head": {"sha": "elsewhere"}}], ""),
        (
            [
                {"merged_at": None, "base": {"ref": "main"}, "head": {"sha": "open"}},
                {"merged_at": "2026-11-22", "base": {"ref": "main"}, "head": {"sha": "merged"}},
            ],
            "merged",
        ),
    ],
)
def test_only_a_pull_request_merged_into_this_branch_counts(
    document: list[object], chosen: str, runner: Runner
) -> None:
    assert filtered(runner, document, after="/pulls") == chosen


@pytest.mark.parametrize(("owner", "chosen"), [("contoso/tenants", "1"), ("stranger/tenants", "")])
def test_a_run_of_a_fork_does_not_count(owner: str, chosen: str, runner: Runner) -> None:
    document = {"workflow_runs": [{"id": 1, "head_repository": {"full_name": owner}}]}

    assert filtered(runner, document, after="head_sha=$head") == chosen


def filtered(runner: Runner, document: object, *, after: str) -> str:
    """What the filter that follows `after` in the script of `select` makes of an answer of GitHub's."""
    text = script(APPLY, "select", "Find the tenants and the plan")
    jq_filter = text.partition(after)[2].partition("--jq '")[2].partition("'")[0]
    assert jq_filter
    (runner.scratch / "document.json").write_text(json.dumps(document), encoding="utf-8")
    result = runner.run('jq --raw-output "$FILTER" "$RUNNER_TEMP/document.json"', FILTER=jq_filter)
    assert result.returncode == 0, result.stderr
    return result.stdout.strip()


def test_approvals_given_by_hand_name_their_tenants(runner: Runner) -> None:
    result = runner.run(
        script(APPLY, "select", "Find the tenants and the plan"),
        GITHUB_EVENT_NAME="workflow_dispatch",
        APPROVALS=" fabrikam@20261122T0729Z-aa  contoso@20261122T0729Z-bb contoso@20261122T0730Z-cc ",
    )

    assert result.returncode == 0, result.stderr
    assert runner.outputs() == {"tenants": '["contoso","fabrikam"]'}
    assert runner.calls("gh") == []


def test_a_merge_applies_one_tenant_of_the_reviewed_plan(runner: Runner) -> None:
    runner.answer("tapctl apply", output="1 applied\n")

    result = runner.run(
        script(APPLY, "apply", "Apply what was approved"), GITHUB_EVENT_NAME="push", TENANT="contoso", APPROVALS=""
    )

    assert result.returncode == 0, result.stderr
    (call,) = runner.calls("tapctl")
    assert call == [
        *("apply", "--tenant", "contoso", "--plan", "plan/plan.json"),
        *("--journal", "journal/apply.jsonl", "--format", "markdown"),
    ]
    assert runner.summary() == "1 applied\n"


def test_an_approval_by_hand_reaches_its_own_tenant_alone(runner: Runner) -> None:
    runner.run(
        script(APPLY, "apply", "Apply what was approved"),
        GITHUB_EVENT_NAME="workflow_dispatch",
        TENANT="contoso",
        APPROVALS="fabrikam@20261122T0729Z-aa contoso@20261122T0729Z-bb",
    )

    (call,) = runner.calls("tapctl")
    assert [call[at + 1] for at, word in enumerate(call) if word == "--approve"] == ["contoso@20261122T0729Z-bb"]
    assert "--plan" not in call


@pytest.mark.parametrize("code", [1, 2, 3, 4])
def test_an_apply_that_did_not_finish_fails_with_its_own_code(code: int, runner: Runner) -> None:
    runner.answer("tapctl apply", output="not applied\n", code=code)

    result = runner.run(
        script(APPLY, "apply", "Apply what was approved"), GITHUB_EVENT_NAME="push", TENANT="contoso", APPROVALS=""
    )

    assert result.returncode == code
    assert runner.summary() == "not applied\n"


def test_planning_again_covers_what_the_push_changed(runner: Runner) -> None:
    text = script(APPLY, "plan-again", "Show the plan as it is now, with its approvals")

    assert runner.run(text, GITHUB_EVENT_NAME="push", BEFORE="HEAD^1").returncode == 0

    assert runner.calls("tapctl") == [["plan", "tenants/contoso.yaml", "--format", "markdown"]]


# Drift


def test_every_tenant_is_compared_though_one_cannot_be_read(runner: Runner) -> None:
    runner.answer("tapctl drift tenants/contoso.yaml", output="unreadable\n", code=1)
    runner.answer("tapctl drift tenants/fabrikam.yaml", output="2 fields differ\n", code=2)

    assert runner.run(script(DRIFT, "drift", "Compare every tenant")).returncode == 0

    assert runner.outputs() == {"compared": "true", "unread": "1"}
    reports = {path.name: path.read_text(encoding="utf-8") for path in (runner.checkout / "drift").iterdir()}
    assert reports == {
        "contoso.code": "1\n",
        "contoso.md": "unreadable\n",
        "fabrikam.code": "2\n",
        "fabrikam.md": "2 fields differ\n",
    }


@pytest.mark.parametrize(
    ("code", "issue", "expected"),
    [
        ("2", "", ["issue", "create"]),
        ("2", "12", ["issue", "edit"]),
        ("0", "12", ["issue", "close"]),
        ("0", "", None),
        ("1", "12", None),
        ("3", "", None),
    ],
)
def test_an_issue_follows_its_tenant_and_stays_when_the_tenant_is_unknown(
    code: str, issue: str, expected: list[str] | None, runner: Runner
) -> None:
    (runner.checkout / "drift").mkdir()
    (runner.checkout / "drift" / "contoso.code").write_text(f"{code}\n", encoding="utf-8")
    (runner.checkout / "drift" / "contoso.md").write_text("a report\n", encoding="utf-8")
    runner.answer("gh issue list", output=f"{issue}\n" if issue else "")

    result = runner.run(script(DRIFT, "issues", "Bring the issues up to date"))

    assert result.returncode == 0, result.stderr
    _label, _list, *changes = runner.calls("gh")
    assert [change[:2] for change in changes] == ([expected] if expected else [])


# GitLab


def gitlab_jobs(runner: Runner, plan: str | None) -> dict[str, dict[str, object]]:
    (runner.checkout / "plan").mkdir()
    if plan is not None:
        (runner.checkout / "plan" / "plan.json").write_text(plan, encoding="utf-8")
    result = runner.run("python ci/gitlab_apply_jobs.py plan/plan.json")
    assert result.returncode == 0, result.stderr
    jobs = json.loads(result.stdout)
    assert isinstance(jobs, dict)
    return jobs


def test_gitlab_gets_a_job_for_each_tenant_that_the_plan_changes(runner: Runner) -> None:
    jobs = gitlab_jobs(runner, plan_document(contoso="changes", fabrikam="clean", wingtip="denied"))

    assert jobs == {"apply contoso": {"extends": ".apply", "variables": {"TENANT": "contoso"}}}


@pytest.mark.parametrize("plan", [None, plan_document(contoso="clean")])
def test_gitlab_gets_a_job_that_says_so_when_there_is_nothing_to_apply(plan: str | None, runner: Runner) -> None:
    assert list(gitlab_jobs(runner, plan)) == ["nothing to apply"]


def test_gitlab_plans_the_changed_tenants_and_fails_with_the_plans_own_code(runner: Runner) -> None:
    runner.answer("tapctl plan", output="denied\n", code=3, files={"plan/plan.json": plan_document(contoso="denied")})
    text = parsed(".gitlab-ci.yml")["plan"]["script"][0]

    result = runner.run(text, BASE="HEAD^1")

    assert result.returncode == 3
    assert runner.calls("tapctl")[0][:2] == ["plan", "tenants/contoso.yaml"]
    assert list(json.loads((runner.checkout / "plan" / "apply.yml").read_text(encoding="utf-8"))) == [
        "nothing to apply"
    ]


@pytest.mark.parametrize("system", ["gitlab", "azure"])
def test_the_first_push_plans_every_tenant(system: str, runner: Runner) -> None:
    runner.answer("tapctl plan", files={"plan/plan.json": plan_document(contoso="clean")})
    runner.git("checkout", "--orphan", "first")
    runner.git("commit", "-m", "first")
    text = parsed(".gitlab-ci.yml")["plan"]["script"][0] if system == "gitlab" else azure_script("plan")

    result = runner.run(text, BASE="0" * 40)

    assert result.returncode == 0, result.stderr
    assert runner.calls("tapctl")[0][1:3] == ["tenants/contoso.yaml", "tenants/fabrikam.yaml"]


# Azure Pipelines


def azure_script(stage: str) -> str:
    (found,) = (entry for entry in parsed("azure-pipelines.yml")["stages"] if entry["stage"] == stage)
    (text,) = (line for line in scripts(found) if f"tapctl {stage}" in line and "pip install" not in line)
    return text


@pytest.mark.parametrize(("status", "changes"), [("changes", "true"), ("clean", "false"), ("failed", "false")])
def test_azure_applies_only_a_plan_that_changes_something(status: str, changes: str, runner: Runner) -> None:
    runner.answer("tapctl plan", files={"plan/plan.json": plan_document(contoso=status)})

    result = runner.run(azure_script("plan"))

    assert result.returncode == 0, result.stderr
    assert f"##vso[task.setvariable variable=changes;isOutput=true]{changes}\n" in result.stdout


def test_azure_applies_each_tenant_of_the_plan_though_one_fails(runner: Runner) -> None:
    artifact = runner.scratch / "tapctl-plan"
    artifact.mkdir()
    plan = plan_document(contoso="changes", fabrikam="clean", wingtip="changes")
    (artifact / "plan.json").write_text(plan, encoding="utf-8")
    runner.answer("tapctl apply --tenant contoso", code=4)

    result = runner.run(azure_script("apply"), PIPELINE_WORKSPACE=str(runner.scratch))

    assert result.returncode == 4
    assert [call[2] for call in runner.calls("tapctl")] == ["contoso", "wingtip"]
    assert all("--plan" in call for call in runner.calls("tapctl"))
