"""The generated pipelines: accepted by their systems' schemas and by zizmor, and as careful as they claim to be."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from .pipelines import APPLY, DRIFT, PULL_REQUEST, WORKFLOWS, Node, make_repository, parsed, scripts, text, triggers

IDENTITIES = {
    (PULL_REQUEST, "plan"): "tapctl-plan",
    (APPLY, "apply"): "tapctl-apply",
    (APPLY, "plan-again"): "tapctl-plan",
    (DRIFT, "drift"): "tapctl-plan",
}
"""The only jobs that may sign in to a tenant, and the environment that says as whom."""

PINNED = re.compile(r"uses: [a-z-]+/[a-z-]+@[0-9a-f]{40} # v\d+\.\d+\.\d+")


def jobs(path: str) -> dict[str, Node]:
    found = parsed(path)["jobs"]
    assert isinstance(found, dict)
    return found


def every_job() -> list[tuple[str, str]]:
    return [(path, name) for path in WORKFLOWS for name in jobs(path)]


def check_schema(directory: Path, schema: str, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, *arguments]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


# What other tools say


@pytest.mark.parametrize(
    ("schema", "arguments"),
    [
        ("vendor.github-workflows", WORKFLOWS),
        ("vendor.dependabot", (".github/dependabot.yml",)),
        ("vendor.gitlab-ci", (".gitlab-ci.yml", "ci/gitlab-apply.yml")),
        # The options are those of check-jsonschema's own hook for this schema: one of its patterns is no valid
        # ECMAScript in unicode mode.
        (
            "vendor.azure-pipelines",
            ("--data-transform", "azure-pipelines", "--regex-variant", "nonunicode", "azure-pipelines.yml"),
        ),
    ],
)
def test_pipelines_satisfy_the_schema_of_their_system(schema: str, arguments: tuple[str, ...], tmp_path: Path) -> None:
    make_repository(tmp_path, "github", "gitlab", "azure")

    result = check_schema(tmp_path, schema, *arguments)

    assert result.returncode == 0, result.stdout + result.stderr


def run_zizmor(directory: Path) -> subprocess.CompletedProcess[str]:
    zizmor = shutil.which("zizmor", path=str(Path(sys.executable).parent)) or shutil.which("zizmor")
    assert zizmor is not None, "zizmor is part of the extra `test`"
    command = [zizmor, "--offline", "--persona=auditor", "--no-progress", "--strict-collection", "."]
    return subprocess.run(command, cwd=directory, capture_output=True, text=True, check=False)


def test_zizmor_at_its_strictest_finds_nothing(tmp_path: Path) -> None:
    make_repository(tmp_path, "github")

    result = run_zizmor(tmp_path)

    assert result.returncode == 0, result.stdout
    assert result.stderr.count("completed") == 4, "three workflows and Dependabot's settings"
    assert "No findings to report" in result.stdout


def test_zizmor_would_find_a_script_that_takes_in_a_title(tmp_path: Path) -> None:
    make_repository(tmp_path, "github")
    workflow = tmp_path / PULL_REQUEST
    careless = text(PULL_REQUEST).replace(
        "run: tapctl validate --format github", "run: echo ${{ github.event.pull_request.title }}"
    )
    assert careless != text(PULL_REQUEST)
    workflow.write_text(careless, encoding="utf-8")

    assert run_zizmor(tmp_path).returncode != 0


# Rights


@pytest.mark.parametrize("path", WORKFLOWS)
def test_a_workflow_as_a_whole_has_no_rights(path: str) -> None:
    assert parsed(path)["permissions"] == {}


@pytest.mark.parametrize(("path", "job"), every_job())
def test_every_job_says_what_it_needs(path: str, job: str) -> None:
    assert jobs(path)[job]["permissions"]


@pytest.mark.parametrize(("path", "job"), every_job())
def test_only_jobs_that_talk_to_a_tenant_may_sign_in_and_each_behind_an_environment(path: str, job: str) -> None:
    found = jobs(path)[job]

    may_sign_in = found["permissions"].get("id-token") == "write"

    assert may_sign_in == ((path, job) in IDENTITIES)
    assert found.get("environment") == IDENTITIES.get((path, job))


@pytest.mark.parametrize(("path", "job"), sorted(IDENTITIES))
def test_a_job_that_may_sign_in_can_write_nothing_on_github(path: str, job: str) -> None:
    assert jobs(path)[job]["permissions"] == {"contents": "read", "id-token": "write"}


@pytest.mark.parametrize(
    ("path", "job", "permissions"),
    [
        (PULL_REQUEST, "validate", {"contents": "read"}),
        (PULL_REQUEST, "comment", {"pull-requests": "write"}),
        (APPLY, "select", {"actions": "read", "contents": "read", "pull-requests": "read"}),
        (DRIFT, "issues", {"issues": "write"}),
    ],
)
def test_the_other_jobs_have_the_least_that_works(path: str, job: str, permissions: dict[str, str]) -> None:
    assert jobs(path)[job]["permissions"] == permissions


@pytest.mark.parametrize(("path", "job"), [(PULL_REQUEST, "comment"), (DRIFT, "issues")])
def test_a_job_that_writes_on_github_runs_nothing_of_the_repository(path: str, job: str) -> None:
    steps = jobs(path)[job]["steps"]

    assert not any("checkout" in step.get("uses", "") for step in steps)
    assert not any("ci/" in step.get("run", "") or "tapctl " in _commands(step) for step in steps)


def _commands(step: Node) -> str:
    """A step's script without what is quoted: the commands that it runs."""
    return re.sub(r"\"[^\"]*\"|'[^']*'", "", step.get("run", ""))


@pytest.mark.parametrize("path", WORKFLOWS)
def test_no_workflow_knows_a_secret(path: str) -> None:
    assert "secrets." not in text(path)
    assert "secrets:" not in text(path)


@pytest.mark.parametrize(("path", "job"), every_job())
def test_a_checkout_leaves_no_token_behind(path: str, job: str) -> None:
    checkouts = [step for step in jobs(path)[job]["steps"] if "actions/checkout" in step.get("uses", "")]

    assert all(step["with"]["persist-credentials"] is False for step in checkouts)


@pytest.mark.parametrize("path", WORKFLOWS)
def test_every_action_is_pinned_to_a_commit_with_its_version_beside_it(path: str) -> None:
    uses = [line.strip().removeprefix("- ") for line in text(path).splitlines() if "uses:" in line]

    assert uses
    assert [line for line in uses if not PINNED.fullmatch(line)] == []


def test_one_action_is_pinned_to_one_commit_everywhere() -> None:
    pins = {line.split("uses: ")[1] for path in WORKFLOWS for line in text(path).splitlines() if "uses:" in line}

    assert len(pins) == len({pin.split("@")[0] for pin in pins})


# Untrusted input


@pytest.mark.parametrize("path", WORKFLOWS)
def test_no_script_is_put_together_from_expressions(path: str) -> None:
    found = scripts(parsed(path))

    assert found
    assert [line for line in found if "${{" in line] == []


def test_no_script_of_azure_pipelines_is_put_together_from_macros_or_expressions() -> None:
    # `$(name)` with a dot or in capitals is Azure's macro; what the shell runs in `$(...)` begins with a command.
    found = scripts(parsed("azure-pipelines.yml"))

    assert found
    assert [line for line in found if "${{" in line or "$[" in line or re.search(r"\$\([A-Z][\w.]*\)", line)] == []


@pytest.mark.parametrize("path", WORKFLOWS)
def test_no_workflow_runs_with_this_repositorys_rights_on_somebody_elses_pull_request(path: str) -> None:
    assert not {"pull_request_target", "workflow_run", "issue_comment"} & triggers(parsed(path)).keys()


def test_a_fork_gets_validate_and_nothing_else() -> None:
    found = jobs(PULL_REQUEST)
    own_branch = "github.event.pull_request.head.repo.full_name == github.repository"

    assert "if" not in found["validate"]
    assert own_branch in found["plan"]["if"]
    assert "||" not in found["plan"]["if"]
    assert found["plan"]["needs"] == "validate"
    assert found["comment"]["needs"] == "plan"
    assert "needs.plan.outputs.planned == 'true'" in found["comment"]["if"]
    assert found.keys() == {"validate", "plan", "comment"}


def test_what_a_fork_runs_reads_no_live_tenant() -> None:
    commands = "\n".join(scripts(jobs(PULL_REQUEST)["validate"]))

    assert re.findall(r"tapctl (\w+)", commands) == ["validate", "diff"]


def test_gitlab_and_azure_keep_forks_from_planning_too() -> None:
    (merge_request, main) = parsed(".gitlab-ci.yml")["plan"]["rules"]
    (plan,) = (stage for stage in parsed("azure-pipelines.yml")["stages"] if stage["stage"] == "plan")

    assert "$CI_MERGE_REQUEST_SOURCE_PROJECT_ID == $CI_MERGE_REQUEST_PROJECT_ID" in merge_request["if"]
    assert "$CI_COMMIT_BRANCH == $CI_DEFAULT_BRANCH" in main["if"]
    assert "ne(variables['System.PullRequest.IsFork'], 'True')" in plan["condition"]


# Applying


def test_one_run_per_tenant_at_a_time_and_none_cut_off() -> None:
    assert jobs(APPLY)["apply"]["concurrency"] == {
        "group": "tapctl-apply-${{ matrix.tenant }}",
        "cancel-in-progress": False,
    }
    assert jobs(APPLY)["apply"]["strategy"]["fail-fast"] is False
    assert parsed("ci/gitlab-apply.yml")[".apply"]["resource_group"] == "tapctl-apply-$TENANT"
    (apply,) = (stage for stage in parsed("azure-pipelines.yml")["stages"] if stage["stage"] == "apply")
    assert apply["lockBehavior"] == "sequential"


def test_a_merge_applies_the_plan_of_the_pull_request() -> None:
    assert triggers(parsed(APPLY))["push"] == {"branches": ["main"], "paths": ["tenants/**"]}
    (kept,) = (step for step in jobs(PULL_REQUEST)["plan"]["steps"] if "upload-artifact" in step.get("uses", ""))
    assert kept["with"]["name"] == "tapctl-plan"
    assert "--name tapctl-plan" in "\n".join(scripts(jobs(APPLY)["select"]))


def test_no_pipeline_applies_anything_that_was_not_approved() -> None:
    for path in (*WORKFLOWS, ".gitlab-ci.yml", "ci/gitlab-apply.yml", "azure-pipelines.yml"):
        found = "\n".join(scripts(parsed(path)))
        assert "--yes" not in found
        assert "--override" not in found
        for command in re.findall(r"tapctl apply (?:[^\n]|\\\n)*", found):
            assert '"${consent[@]}"' in command or "--plan" in command


def test_only_jobs_with_an_identity_have_a_token_file_or_a_system_token() -> None:
    gitlab = parsed(".gitlab-ci.yml")
    azure = parsed("azure-pipelines.yml")

    assert [name for name, job in gitlab.items() if isinstance(job, dict) and "id_tokens" in job] == [".identity"]
    assert [name for name, job in gitlab.items() if isinstance(job, dict) and job.get("extends") == ".identity"] == [
        "plan",
        "drift",
    ]
    assert [stage["stage"] for stage in azure["stages"] if "System.AccessToken" in str(stage)] == [
        "plan",
        "apply",
        "drift",
    ]


def test_applying_waits_for_people() -> None:
    assert parsed("ci/gitlab-apply.yml")[".apply"]["when"] == "manual"
    assert parsed("ci/gitlab-apply.yml")[".apply"]["environment"] == {"name": "tapctl-apply"}
    (apply,) = (stage for stage in parsed("azure-pipelines.yml")["stages"] if stage["stage"] == "apply")
    assert apply["jobs"][0]["environment"] == "tapctl-apply"


@pytest.mark.parametrize(
    "path", [*WORKFLOWS, ".gitlab-ci.yml", "ci/gitlab-apply.yml", "azure-pipelines.yml", ".github/dependabot.yml"]
)
def test_every_pipeline_begins_with_what_it_is_for(path: str) -> None:
    assert text(path).startswith("# ")
