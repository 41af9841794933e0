from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.cli import CommandLine


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """The command line in an empty folder."""
    monkeypatch.setattr(os, "fsync", lambda _: None)
    for name in [name for name in os.environ if name.startswith("TAPCTL_")]:
        monkeypatch.delenv(name)
    return CommandLine(tmp_path, monkeypatch, capsys)
