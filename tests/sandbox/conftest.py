from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.sandbox.support import Graph, MakeGraph


@pytest.fixture
def make_graph() -> Iterator[MakeGraph]:
    """Makes clients of fresh tenants in memory, with the switches and faults that a test names."""
    made: list[Graph] = []

    def make(**options: Any) -> Graph:
        made.append(Graph(**options))
        return made[-1]

    yield make
    for graph in made:
        graph.close()


@pytest.fixture
def graph(make_graph: MakeGraph) -> Graph:
    return make_graph()
