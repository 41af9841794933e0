"""A real Git repository with live tenants in a sandbox of its own, and tapctl run on it as users run it."""

from __future__ import annotations

import contextlib
import io
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias
from unittest import mock

TENANTS = Path(__file__).parent / "repository" / "tenants"
SECONDS = 60

Json: TypeAlias = Any
"""A document that the tests look into."""


@dataclass(frozen=True, slots=True)
class Done:
    """How a process ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Json:
        return json.loads(self.out)

    def tenant(self, name: str) -> Json:
        (found,) = (tenant for tenant in self.json["tenants"] if tenant["name"] == name)
        return found

    def change(self, name: str, address: str) -> Json:
        (found,) = (change for change in self.tenant(name)["changes"] if change["address"] == address)
        return found

    def rules(self, name: str) -> list[str]:
        return [finding["rule"] for finding in self.tenant(name)["findings"]]


class Repository:
    """`root` holds the repository and the state of the sandbox."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.path = root / "repository"
        self.path.mkdir(exist_ok=True)

    def run(self, *arguments: str, **environment: str) -> Done:
        """Run tapctl in the repository."""
        done = subprocess.run(
            [sys.executable, "-m", "tapctl", *arguments],
            cwd=self.path,
            env=os.environ | {"TAPCTL_SANDBOX_DIR": str(self.root / "sandbox"), "NO_COLOR": "1"} | environment,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def call(self, *arguments: str) -> Done:
        """Run tapctl in the repository without a process of its own, which is four times as fast."""
        from tapctl.cli.main import run

        out, err = io.StringIO(), io.StringIO()
        environment = {"TAPCTL_SANDBOX_DIR": str(self.root / "sandbox"), "NO_COLOR": "1"}
        with (
            contextlib.chdir(self.path),
            mock.patch.dict(os.environ, environment),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run(list(arguments))
        return Done(code, out.getvalue(), err.getvalue())

    def tamper(self, tenant: str, address: str, *changes: str) -> None:
        """Change the live tenant as an administrator in the portal would."""
        done = self.call("sandbox", "tamper", address, *changes, "--tenant", tenant)
        assert done.code == 0, done.err

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", "-c", "user.name=Test", "-c", "user.email=test@example.com", *arguments],
            cwd=self.path,
            capture_output=True,
            text=True,
            timeout=SECONDS,
            check=True,
        )
        return done.stdout

    def commit(self, message: str) -> str:
        """Commit everything; returns the commit's id."""
        self.git("add", "--all")
        self.git("commit", "--quiet", "--allow-empty", "--message", message)
        return self.git("rev-parse", "HEAD").strip()

    def write(self, path: str, old: str, new: str) -> None:
        """Exchange a part of a file, which must be there."""
        file = self.path / path
        text = file.read_text(encoding="utf-8")
        assert old in text
        file.write_text(text.replace(old, new), encoding="utf-8")

    def difference(self) -> str:
        """The lines of tracked files that differ from the last commit, each after the name of its file."""
        lines: list[str] = []
        for line in self.git("diff", "--unified=0", "--no-color").splitlines():
            if line.startswith("+++ "):
                lines.append(line.removeprefix("+++ b/"))
            elif line[:1] in "+-" and not line.startswith("--- "):
                lines.append(line)
        return "".join(f"{line}\n" for line in lines)
