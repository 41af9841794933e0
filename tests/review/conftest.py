from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.cli import CommandLine
from tests.support.world import World


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A fresh sandbox tenant, for which nothing is declared yet."""
    return World(tmp_path)


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> CommandLine:
    """Commands in an empty folder, on a fresh sandbox."""
    return CommandLine(tmp_path, monkeypatch, capsys)
