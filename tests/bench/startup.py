"""How long offline commands take, beside `octodns-validate` over a file with one zone, in turns on the same machine."""

from __future__ import annotations

import statistics
import sys
from pathlib import Path

from tests.bench.stage import EXAMPLE, Done, Stage, console_script, timed
from tests.bench.table import Table, milliseconds

ROUNDS = 21
_CONFIGURATION = """\
providers:
  config: {class: octodns.provider.yaml.YamlProvider, directory: ./zones, default_ttl: 3600, enforce_order: true}
zones:
  example.com.: {sources: [config], targets: [config]}
"""
_ZONE = """\
'':
  type: A
  values: [192.0.2.1, 192.0.2.2]
mail:
  type: MX
  values: [{exchange: mx.example.com., preference: 10}]
www:
  type: CNAME
  value: example.com.
"""


def offline(folder: Path, rounds: int = ROUNDS) -> Table:
    """Median and best times of each command, and how it compares with octodns-validate."""
    stage = Stage(folder)
    stage.example()
    commands = _commands(folder)
    taken: dict[str, list[Done]] = {name: [] for name in commands}
    for _ in range(rounds + 1):
        for name, command in commands.items():
            done = timed(command, folder=folder, environment=stage.environment)
            if done.code:
                raise RuntimeError(f"{name} ended with {done.code}: {done.err}")
            taken[name].append(done)
    return _table({name: runs[1:] for name, runs in taken.items()})  # the first round warms the caches


def _commands(folder: Path) -> dict[str, list[str]]:
    """The commands by name; octodns-validate where the extra `bench` is installed."""
    own = console_script("tapctl")
    tapctl = [own] if own else [sys.executable, "-m", "tapctl"]
    commands = {
        "python -c pass": [sys.executable, "-c", "pass"],
        "tapctl --version": [*tapctl, "--version"],
        f"tapctl validate {EXAMPLE}": [*tapctl, "validate", EXAMPLE],
    }
    octodns = console_script("octodns-validate")
    if octodns is not None:
        (folder / "zones").mkdir()
        (folder / "zones" / "example.com.yaml").write_text(_ZONE, encoding="utf-8")
        (folder / "octodns.yaml").write_text(_CONFIGURATION, encoding="utf-8")
        commands["octodns-validate (one zone)"] = [octodns, "--config-file", "octodns.yaml"]
    return commands


def _table(taken: dict[str, list[Done]]) -> Table:
    reference = next((runs for name, runs in taken.items() if name.startswith("octodns")), None)
    rows = []
    for name, runs in taken.items():
        wall = [run.wall_seconds for run in runs]
        processor = [run.cpu_seconds for run in runs]
        ratio = "-"
        if reference is not None:
            pairs = zip(runs, reference, strict=True)
            ratio = f"{statistics.median(one.wall_seconds / other.wall_seconds for one, other in pairs):.2f}"
        rows.append(
            (name, milliseconds(statistics.median(wall)), milliseconds(min(wall)), milliseconds(min(processor)), ratio)
        )
    remark = "" if reference is not None else " (for octodns-validate install the extra `bench`)"
    return Table(
        title=f"Start-up, {len(next(iter(taken.values())))} rounds in turns{remark}",
        columns=("command", "median ms", "best ms", "best CPU ms", "of octodns"),
        rows=tuple(rows),
    )
