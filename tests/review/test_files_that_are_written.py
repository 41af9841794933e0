"""Files that tapctl writes: where a path leads, and who can read them."""

from __future__ import annotations

import os
import stat
from pathlib import Path

import pytest

from tapctl.errors import TapctlError
from tapctl.reconcile.journal import Journal
from tests.support.cli import CommandLine

TENANT = "temporaryAccessPass: {length: 12}"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_saved_plan_does_not_go_through_a_link(cli: CommandLine) -> None:
    cli.write(TENANT)
    victim = cli.folder / "victim"
    victim.write_text("mine")
    (cli.folder / "plan.json").symlink_to(victim)

    ran = cli.plan("--out", "plan.json")

    assert ran.code == 3
    assert victim.read_text() == "mine"


def test_a_saved_plan_is_its_owners_alone_although_the_file_was_there(cli: CommandLine) -> None:
    cli.write(TENANT)
    path = cli.folder / "plan.json"
    path.write_text("old")
    path.chmod(0o644)

    assert cli.plan("--out", "plan.json").code == 0

    assert mode(path) == 0o600


def test_a_journal_is_a_file_and_never_blocks_on_a_pipe(tmp_path: Path) -> None:
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    try:
        pipe.chmod(0o644)
        with pytest.raises(TapctlError, match="cannot be written"):
            Journal(pipe)
        assert mode(pipe) == 0o644
    finally:
        os.close(reader)


def test_a_journal_that_takes_a_part_of_a_line_gets_the_rest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = os.write
    monkeypatch.setattr(os, "write", lambda descriptor, content: whole(descriptor, content[:7]))
    path = tmp_path / "journal.jsonl"

    with Journal(path) as journal:
        journal._append({"entry": "run"})

    assert path.read_text().endswith('"entry": "run"}\n')
