from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.world import World


@pytest.fixture
def world(tmp_path: Path) -> World:
    """A fresh sandbox tenant, for which nothing is declared yet."""
    return World(tmp_path)
