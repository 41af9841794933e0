"""Where a benchmark plays: a folder with tenants and their sandboxes, and tapctl as a process of its own."""

from __future__ import annotations

import json
import os
import re
import resource
import shutil
import subprocess
import sys
import sysconfig
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tapctl.sandbox.connect import open_sandbox
from tests.support.large_tenant import seed_large

EXAMPLES = Path(__file__).parents[2] / "tenants"
EXAMPLE = "tenants/contoso.yaml"
TENANT_ID = "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11"
_FOOTER = re.compile(r"Graph: (\d+) requests in (\d+) calls, (\d+) round trips, throttled (\d+) times, [\d.]+ s")


@dataclass(frozen=True, slots=True)
class Cost:
    """What a command cost at Graph, by the last line that it prints."""

    requests: int
    calls: int
    round_trips: int
    throttled: int


@dataclass(frozen=True, slots=True)
class Done:
    """A process that ended."""

    code: int
    out: str
    err: str
    wall_seconds: float
    cpu_seconds: float
    """User and system time together, of the process and its children."""

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def cost(self) -> Cost:
        """The footer of the text form.

        Raises:
            ValueError: there is none.
        """
        last = self.out.splitlines()[-1] if self.out else ""
        footer = _FOOTER.fullmatch(last)
        if footer is None:
            raise ValueError(f"no footer: exit {self.code}, {last!r}, {self.err!r}")
        return Cost(*map(int, footer.groups()))


def console_script(name: str) -> str | None:
    """The path of a command that is installed beside this Python, if it is."""
    return shutil.which(name, path=sysconfig.get_path("scripts"))


def timed(command: Sequence[str], *, folder: Path, environment: dict[str, str]) -> Done:
    """Run a process to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    started = time.perf_counter()
    ran = subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)
    wall = time.perf_counter() - started
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return Done(ran.returncode, ran.stdout, ran.stderr, wall, cpu)


class Stage:
    """Tenants in `folder/tenants`, their sandboxes in `folder/state`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        inherited = {key: value for key, value in os.environ.items() if not key.startswith("TAPCTL_")}
        self.environment = {**inherited, "TAPCTL_SANDBOX_DIR": str(folder / "state")}

    def example(self, *, policies: int = 0) -> None:
        """The example tenant in a single file; `policies` other policies beside its own in its sandbox."""
        (self.folder / "tenants").mkdir(parents=True)
        shutil.copy(EXAMPLES / "contoso.yaml", self.folder / "tenants")
        shutil.copytree(EXAMPLES / "_baselines", self.folder / "tenants" / "_baselines")
        if policies:
            sandbox = open_sandbox(TENANT_ID, state_path=self.folder / "state" / f"{TENANT_ID}.json")
            with sandbox.transaction(writes=True) as store:
                seed_large(store.data, policies=policies)
                store.dirty = True

    def fleet(self, count: int) -> None:
        """As many copies of the example tenant, each with its own id and sandbox."""
        self.example()
        example = self.folder / EXAMPLE
        text = example.read_text(encoding="utf-8")
        example.unlink()
        for number in range(count):
            own_id = str(uuid.uuid5(uuid.UUID(TENANT_ID), str(number)))
            file = example.with_name(f"tenant-{number:03}.yaml")
            file.write_text(text.replace(TENANT_ID, own_id), encoding="utf-8")

    def run(self, *arguments: str, **environment: str) -> Done:
        """One tapctl command."""
        command = [sys.executable, "-m", "tapctl", *arguments]
        return timed(command, folder=self.folder, environment=self.environment | environment)

    def converge(self) -> Done:
        """Apply, so that the next plan finds no changes.

        Raises:
            RuntimeError: it failed.
        """
        done = self.run("apply", "--yes")
        if done.code:
            raise RuntimeError(done.out + done.err)
        return done

    @contextmanager
    def served(self) -> Iterator[str]:
        """The sandbox of the one tenant on a loopback port; gives its URL."""
        command = [sys.executable, "-m", "tapctl", "sandbox", "serve", "--format", "json"]
        with subprocess.Popen(
            command, cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, text=True
        ) as server:
            assert server.stdout is not None
            try:
                yield json.loads(server.stdout.readline())["url"]
            finally:
                server.terminate()
