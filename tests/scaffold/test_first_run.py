"""A newcomer's first quarter of an hour, and the way of a change from pull request to apply, with the real tool."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

EXAMPLES = Path(__file__).parents[2] / "tenants"


def tapctl(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "tapctl", *arguments],
        cwd=folder,
        env={**os.environ, "NO_COLOR": "1", "PYTHONPATH": str(Path(__file__).parents[2])},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )


def document(run: subprocess.CompletedProcess[str]) -> dict[str, Any]:
    found = json.loads(run.stdout)
    assert isinstance(found, dict)
    return found


def statuses(run: subprocess.CompletedProcess[str]) -> dict[str, str]:
    return {tenant["name"]: tenant["status"] for tenant in document(run)["tenants"]}


def git(folder: Path, *arguments: str) -> None:
    identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *identity, *arguments], cwd=folder, check=True, capture_output=True)


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A repository that `tapctl init` wrote, in Git."""
    folder = tmp_path / "repository"
    made = tapctl(tmp_path, "init", "repository", "--ci", "github")
    assert made.returncode == 0, made.stderr
    git(folder, "init")
    git(folder, "add", ".")
    git(folder, "commit", "-m", "tapctl init")
    return folder


def test_the_three_commands_that_init_prints_work_at_once(repository: Path) -> None:
    validated = tapctl(repository, "validate", "--format", "json")
    planned = tapctl(repository, "plan", "--detailed-exitcode", "--format", "json")
    applied = tapctl(repository, "apply", "--yes", "--format", "json")
    again = tapctl(repository, "plan", "--detailed-exitcode", "--format", "json")

    assert (validated.returncode, document(validated)) == (0, {"findings": []})
    assert (planned.returncode, statuses(planned)) == (2, {"contoso": "changes"})
    assert (applied.returncode, statuses(applied)) == (0, {"contoso": "applied"})
    assert (again.returncode, statuses(again)) == (0, {"contoso": "clean"})


def test_a_second_init_is_refused_with_the_exit_code_for_it(repository: Path) -> None:
    refused = tapctl(repository, "init", "--format", "json")

    assert refused.returncode == 3
    assert document(refused)["exitCode"] == 3
    assert "would be overwritten" in document(refused)["error"]
    assert "Traceback" not in refused.stderr


def test_the_examples_apply_and_converge(tmp_path: Path) -> None:
    git(tmp_path, "init")
    shutil.copytree(EXAMPLES, tmp_path / "tenants")

    applied = tapctl(tmp_path, "apply", "--yes", "--format", "json")
    again = tapctl(tmp_path, "plan", "--detailed-exitcode", "--format", "json")

    assert applied.returncode == 0, applied.stderr
    assert statuses(applied) == dict.fromkeys(("contoso", "fabrikam", "walkthrough"), "applied")
    assert again.returncode == 0
    assert statuses(again) == dict.fromkeys(("contoso", "fabrikam", "walkthrough"), "clean")


def test_what_a_pull_request_planned_is_what_the_merge_applies(repository: Path) -> None:
    assert tapctl(repository, "apply", "--yes").returncode == 0
    tenant = repository / "tenants" / "contoso.yaml"
    git(repository, "checkout", "-b", "branch")
    tenant.write_text(
        tenant.read_text(encoding="utf-8").replace(
            "  include: [tap-users]\n", "  include: [tap-users]\n  length: 12\n"
        ),
        encoding="utf-8",
    )
    git(repository, "commit", "-am", "longer passes")
    planned = tapctl(repository, "plan", "tenants/contoso.yaml", "--out", "plan.json", "--format", "json")
    git(repository, "checkout", "main")
    git(repository, "merge", "--no-ff", "branch", "-m", "merge")

    applied = tapctl(repository, "apply", "--tenant", "contoso", "--plan", "plan.json", "--format", "json")

    assert planned.returncode == 0
    assert applied.returncode == 0, applied.stderr
    (change,) = document(applied)["tenants"][0]["changes"]
    assert change["address"] == "temporaryAccessPass"
    assert change["fields"] == [{"path": "length", "before": 8, "after": 12}]
