from __future__ import annotations

from pathlib import Path

import pytest

from tests.gitops.repository import Repository


@pytest.fixture(scope="session")
def initialised(tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """What `tapctl init` wrote, committed; nothing was ever applied. Copied, never changed."""
    made = Repository(tmp_path_factory.mktemp("initialised"))
    made.folder.mkdir()
    made.git("init")
    made.run("init", ".")
    made.commit("tapctl init")
    return made


@pytest.fixture(scope="session")
def converged(initialised: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """The same after its first apply. Copied, never changed."""
    made = initialised.copied_to(tmp_path_factory.mktemp("converged"))
    made.succeed("apply", "--yes")
    return made


@pytest.fixture
def fresh(initialised: Repository, tmp_path: Path) -> Repository:
    """A repository that was never applied."""
    return initialised.copied_to(tmp_path)


@pytest.fixture
def repository(converged: Repository, tmp_path: Path) -> Repository:
    """A repository whose tenant is as declared."""
    return converged.copied_to(tmp_path)
