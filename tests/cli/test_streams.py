"""A result that cannot be shown is said to be lost, in an exit code of the contract."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tapctl.errors import ExitCode
from tests.support.cli import CommandLine
from tests.support.world import EXAMPLES

FULL = Path("/dev/full")
FILE = str(EXAMPLES / "contoso.yaml")


def run(folder: Path, arguments: str, redirections: str) -> subprocess.CompletedProcess[str]:
    words = f'exec "{sys.executable}" -m tapctl {arguments} "{FILE}" {redirections}'
    environment = os.environ | {"TAPCTL_SANDBOX_DIR": str(folder / "state")}
    return subprocess.run(  # noqa: S602 - the words are ours
        words, shell=True, cwd=folder, env=environment, stderr=subprocess.PIPE, text=True, check=False, timeout=60
    )


@pytest.mark.skipif(not FULL.is_char_device(), reason="this machine has no device that is always full")
@pytest.mark.parametrize("arguments", ["validate", "plan", "plan --format json", "apply --yes"])
def test_a_full_disk_costs_the_result_and_says_so(tmp_path: Path, arguments: str) -> None:
    done = run(tmp_path, arguments, "> /dev/full")

    assert done.returncode == ExitCode.FAILED
    assert "the result could not be written" in done.stderr
    assert "defect" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_a_closed_standard_output_ends_the_run_before_it_begins(tmp_path: Path) -> None:
    done = run(tmp_path, "apply --yes", ">&-")

    assert done.returncode == ExitCode.USAGE
    assert "standard output is closed" in done.stderr
    assert not (tmp_path / "state").exists()


def test_a_closed_standard_error_is_no_obstacle(tmp_path: Path) -> None:
    assert run(tmp_path, "validate", "2>&- > /dev/null").returncode == ExitCode.DONE


@pytest.mark.parametrize("seconds", ["nan", "inf", "-inf"])
def test_a_time_limit_is_a_number_of_seconds(cli: CommandLine, seconds: str) -> None:
    cli.write("")

    assert cli.run("plan", "--timeout", seconds).code == ExitCode.USAGE


def test_a_metrics_file_that_is_a_pipe_or_a_link_stays_one(cli: CommandLine) -> None:
    cli.write("temporaryAccessPass: {length: 12}")
    pipe, link, real = (cli.folder / name for name in ("pipe", "link", "real"))
    os.mkfifo(pipe)
    real.write_text("old")
    link.symlink_to(real)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)

    for target in (pipe, link):
        assert cli.run("drift", "--metrics", str(target)).code == ExitCode.CHANGES

    assert pipe.is_fifo()
    assert os.read(reader, 100_000).startswith(b"# HELP")
    os.close(reader)
    assert link.is_symlink()
    assert real.read_text().startswith("# HELP")
