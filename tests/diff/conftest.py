from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.drift.harness import TENANTS, Repository


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    """A Git repository with one commit, on the branch main."""
    made = Repository(tmp_path)
    shutil.copytree(TENANTS, made.path / "tenants")
    made.git("init", "--quiet", "--initial-branch", "main")
    made.commit("First")
    return made
