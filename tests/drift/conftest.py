from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.drift.harness import TENANTS, Repository


@pytest.fixture(scope="session")
def applied(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A Git repository whose tenants are as declared; tests work on copies of it."""
    repository = Repository(tmp_path_factory.mktemp("applied"))
    shutil.copytree(TENANTS, repository.path / "tenants")
    repository.git("init", "--quiet", "--initial-branch", "main")
    repository.commit("As declared")
    assert repository.run("apply", "--yes").code == 0
    return repository


@pytest.fixture
def repository(applied: Repository, tmp_path: Path) -> Repository:
    """A copy of the repository and of its live tenants."""
    shutil.copytree(applied.root, tmp_path / "copy")
    return Repository(tmp_path / "copy")
