from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.world import World


@pytest.fixture(autouse=True)
def _no_waiting_for_the_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    """Half of the time of an apply is the journal's fsync; what it is good for is shown by the runs that are killed."""
    monkeypatch.setattr(os, "fsync", lambda _: None)


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A fresh sandbox tenant, for which nothing is declared yet."""
    return World(tmp_path)
