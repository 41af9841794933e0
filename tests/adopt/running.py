"""Running the tool on a sandbox tenant, in this process or in one of its own."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

import yaml

from tapctl.cli.main import run
from tests.adopt.foreign import TENANT, Foreign

ROOT = Path(__file__).parents[2]
SANDBOX = ("--tenant-id", TENANT, "--cloud", "sandbox")


@dataclass(frozen=True, slots=True)
class Done:
    code: int
    out: str
    err: str

    @property
    def document(self) -> Any:
        """Standard output as YAML."""
        return yaml.safe_load(self.out)

    @property
    def warnings(self) -> list[str]:
        return [line.removeprefix("warning: ") for line in self.err.splitlines() if line.startswith("warning: ")]


class Place:
    """A folder with a sandbox tenant, and nothing else in it."""

    def __init__(self, folder: Path, tenant: Foreign) -> None:
        self.folder = folder
        self.log = folder / "requests.jsonl"
        tenant.save(folder / "sandbox")

    def run(self, *arguments: str, **environment: str) -> Done:
        out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
        with self._context(environment), contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = run(list(arguments))
        out.seek(0)
        return Done(int(code), out.read(), err.getvalue())

    @contextlib.contextmanager
    def _context(self, environment: dict[str, str]) -> Iterator[None]:
        variables = {**self._variables(), **environment}
        with mock.patch.dict(os.environ, variables), contextlib.chdir(self.folder):
            yield

    def _variables(self) -> dict[str, str]:
        return {
            "TAPCTL_SANDBOX_DIR": str(self.folder / "sandbox"),
            "TAPCTL_SANDBOX_LOG": str(self.log),
            "NO_COLOR": "1",
        }

    def subprocess(self, *arguments: str, **environment: str) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "tapctl", *arguments],
            cwd=self.folder,
            env={**os.environ, **self._variables(), "PYTHONPATH": str(ROOT), **environment},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def requests(self) -> list[dict[str, Any]]:
        """Every request that the sandbox has answered, parts of batches among them."""
        if not self.log.exists():
            return []
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    def imported(self, *arguments: str) -> Done:
        """Import the tenant, and hold the file against the promise that its plan is empty."""
        done = self.run("import", *SANDBOX, *arguments)
        assert done.code == 0, done.err
        self.check(done.out)
        return done

    def check(self, text: str) -> None:
        """That a file is valid and its plan empty."""
        file = self.folder / "imported.yaml"
        file.write_text(text, encoding="utf-8")
        valid = self.run("validate", str(file))
        assert valid.code == 0, valid.out + text
        plan = self.run("plan", str(file), "--format", "json", "--detailed-exitcode")
        (tenant,) = json.loads(plan.out)["tenants"]
        assert (plan.code, tenant["status"], tenant["changes"]) == (0, "clean", []), f"{tenant}\n{text}"
