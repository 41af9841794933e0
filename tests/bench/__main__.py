"""`python -m tests.bench [startup] [plan] [fleet] [--rounds N]`: prints tables; all of them unless some are named."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from tests.bench import runs, startup
from tests.bench.table import Table

BENCHMARKS: dict[str, tuple[Callable[[Path, int], Table], int]] = {
    "startup": (startup.offline, startup.ROUNDS),
    "plan": (runs.one_tenant, runs.ROUNDS),
    "fleet": (runs.fleet, runs.ROUNDS),
}
"""Name to benchmark, and how many rounds it takes by default."""


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(BENCHMARKS))
    parser.add_argument("--rounds", type=int, metavar="N", help="how often each command runs")
    arguments = parser.parse_args()
    unknown = set(arguments.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}")
    for name in arguments.names or BENCHMARKS:
        benchmark, rounds = BENCHMARKS[name]
        with tempfile.TemporaryDirectory(prefix="tapctl-bench-") as folder:
            sys.stdout.write(f"{benchmark(Path(folder), arguments.rounds or rounds)}\n\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
