"""What plan and apply cost: requests, HTTP calls and round trips at Graph, and the time of the whole process."""

from __future__ import annotations

import statistics
from collections.abc import Callable
from pathlib import Path

from tests.bench.stage import Done, Stage
from tests.bench.table import Table, milliseconds

POLICIES = 200
TENANTS = 50
ROUNDS = 5
_COLUMNS = ("command", "requests", "calls", "round trips", "median ms", "CPU ms")


def one_tenant(folder: Path, rounds: int = ROUNDS) -> Table:
    """The example tenant: first plan, first apply, then plan without changes, in process and over loopback."""
    stage = Stage(folder)
    stage.example(policies=POLICIES)
    rows = [
        _row("plan, everything to create", rounds, lambda: stage.run("plan")),
        _row("apply, everything to create", 1, stage.converge),
        _row("plan, no changes", rounds, lambda: stage.run("plan")),
        _row("apply, no changes", rounds, stage.converge),
    ]
    with stage.served() as url:
        rows.append(_row("plan, no changes, over loopback", rounds, lambda: stage.run("plan", TAPCTL_GRAPH_URL=url)))
    return Table(f"The example tenant, whose sandbox holds {POLICIES} other policies", _COLUMNS, tuple(rows))


def fleet(folder: Path, rounds: int = ROUNDS) -> Table:
    """Many tenants side by side; the sandboxes share one processor core with the client."""
    stage = Stage(folder)
    stage.fleet(TENANTS)
    rows = [
        _row("plan, everything to create", rounds, lambda: stage.run("plan")),
        _row("apply, everything to create", 1, stage.converge),
        _row("plan, no changes", rounds, lambda: stage.run("plan")),
        _row("validate", rounds, lambda: stage.run("validate")),
    ]
    return Table(f"{TENANTS} tenants like it", _COLUMNS, tuple(rows))


def _row(name: str, rounds: int, command: Callable[[], Done]) -> tuple[str, ...]:
    runs = [command() for _ in range(rounds)]
    failed = next((run for run in runs if run.code), None)
    if failed is not None:
        raise RuntimeError(f"{name} ended with {failed.code}: {failed.out}{failed.err}")
    cost = runs[-1].cost if "Graph: " in runs[-1].out else None
    counts = (cost.requests, cost.calls, cost.round_trips) if cost else ("-", "-", "-")
    wall = statistics.median(run.wall_seconds for run in runs)
    processor = statistics.median(run.cpu_seconds for run in runs)
    return (name, *map(str, counts), milliseconds(wall), milliseconds(processor))
