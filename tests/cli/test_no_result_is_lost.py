"""A file that cannot be written costs nobody the result of a run."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from unittest import mock

import pytest

from tapctl.cli import files
from tapctl.errors import RefusedError
from tests.support.cli import CommandLine
from tests.support.world import TENANT_ID

TENANT = "temporaryAccessPass: {length: 12}"
IMPORT = ("import", "--tenant-id", TENANT_ID, "--cloud", "sandbox")


@pytest.fixture
def failing_later(monkeypatch: pytest.MonkeyPatch) -> str:
    """A file that nothing seemed to be wrong with at the first look."""
    monkeypatch.setattr(files, "check_target", mock.Mock())
    return "nowhere/file"


@pytest.mark.parametrize("target", ["nowhere/file", "tenants", "tenants/contoso.yaml/file"])
@pytest.mark.parametrize("command", [("plan", "--out"), ("drift", "--metrics"), (*IMPORT, "--force", "--out")])
def test_a_file_that_cannot_be_written_is_refused_before_anything_is_sent(
    cli: CommandLine, command: tuple[str, ...], target: str
) -> None:
    cli.write(TENANT)

    ran = cli.run(*command, target)

    assert (ran.code, cli.requests) == (3, ())
    assert "cannot be written" in ran.err


def test_a_plan_whose_file_fails_later_is_printed_and_the_failure_said_after_it(
    cli: CommandLine, failing_later: str
) -> None:
    cli.write(TENANT)

    ran = cli.run("plan", "--detailed-exitcode", "--out", failing_later)

    assert ran.code == 3
    assert "Plan: 0 to create, 1 to update, 0 to delete." in ran.out
    assert ran.out.splitlines()[-1].startswith("Graph: ")
    assert f"{failing_later} cannot be written" in ran.err
    assert "fix:" in ran.err


def test_drift_whose_metrics_fail_later_is_printed_all_the_same(cli: CommandLine, failing_later: str) -> None:
    cli.write(TENANT)

    ran = cli.run("drift", "--metrics", failing_later)

    assert ran.code == 3
    assert "Drift: 0 to create, 1 to update, 0 to delete." in ran.out
    assert ran.out.splitlines()[-1].startswith("Graph: ")
    assert f"{failing_later} cannot be written" in ran.err


def test_the_graver_exit_code_wins(cli: CommandLine, failing_later: str) -> None:
    cli.write(TENANT)
    cli.fail({"action": "status", "status": 403})

    assert cli.run("plan", "--out", failing_later).code == 1


def test_an_imported_file_that_fails_later_is_printed_instead(cli: CommandLine, failing_later: str) -> None:
    ran = cli.run(*IMPORT, "--out", failing_later)

    assert ran.code == 3
    assert "temporaryAccessPass:" in ran.out
    assert f"{failing_later} cannot be written" in ran.err


def test_a_file_that_is_replaced_leaves_nothing_beside_it_when_that_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_room(path: Path, target: Path) -> Path:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(Path, "replace", no_room)

    with pytest.raises(RefusedError, match=r"metrics\.prom cannot be written"):
        files.replace_whole(tmp_path / "metrics.prom", "text")

    assert list(tmp_path.iterdir()) == []
