"""The command line in process: exit code, standard output and standard error, on a sandbox in a folder of its own."""

from __future__ import annotations

import json
import shutil
import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tapctl.cli.main import run
from tapctl.sandbox import connect
from tapctl.sandbox.connect import open_sandbox
from tapctl.sandbox.tamper import tamper
from tests.support.world import EXAMPLES, TENANT_ID


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command ended with."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)

    @property
    def tenant(self) -> Any:
        """The one tenant of the document."""
        (found,) = self.json["tenants"]
        return found


class CommandLine:
    """Runs commands in a folder, which is the current one and holds `tenants/`."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch, captured: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.log = folder / "requests.jsonl"
        self._monkeypatch = monkeypatch
        self._captured = captured
        monkeypatch.chdir(folder)
        monkeypatch.setenv("TAPCTL_SANDBOX_DIR", str(folder / "state"))
        monkeypatch.setenv("TAPCTL_SANDBOX_LOG", str(self.log))

    def write(self, yaml: str, *, name: str = "contoso", tenant_id: str = TENANT_ID) -> None:
        """A tenant file; `tenant:` may be left out."""
        text = textwrap.dedent(yaml)
        if "tenant:" not in text:
            text = f"tenant: {{id: {tenant_id}, cloud: sandbox}}\n{text}"
        path = self.folder / "tenants" / f"{name}.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, encoding="utf-8")

    def examples(self) -> None:
        """The tenants that tapctl comes with."""
        shutil.copytree(EXAMPLES, self.folder / "tenants")

    def behave(self, **switches: Any) -> None:
        self._monkeypatch.setenv(connect.BEHAVIOUR_VARIABLE, json.dumps(switches))

    def fail(self, *faults: dict[str, Any]) -> None:
        """From the next command on these faults strike; none: nothing fails."""
        connect._faults.cache_clear()  # their occurrences are counted for a whole process, which here is many commands
        self._monkeypatch.setenv(connect.FAULTS_VARIABLE, json.dumps(faults))

    def tamper(self, address: str, *changes: str, tenant_id: str = TENANT_ID) -> None:
        self._monkeypatch.delenv("TAPCTL_SANDBOX_LOG")
        tamper(open_sandbox(tenant_id), address, changes)
        self._monkeypatch.setenv("TAPCTL_SANDBOX_LOG", str(self.log))

    def run(self, *arguments: str) -> Ran:
        self._captured.readouterr()
        code = run(list(arguments))
        captured = self._captured.readouterr()
        return Ran(code, captured.out, captured.err)

    def plan(self, *arguments: str) -> Ran:
        return self.run("plan", "--format", "json", *arguments)

    def apply(self, *arguments: str) -> Ran:
        return self.run("apply", "--format", "json", *arguments)

    def converge(self, *arguments: str) -> None:
        ran = self.apply("--yes", *arguments)
        assert ran.code == 0, ran
        self.forget()

    @property
    def requests(self) -> Sequence[dict[str, Any]]:
        """Every request that arrived, batch parts one by one."""
        if not self.log.exists():
            return ()
        return [json.loads(line) for line in self.log.read_text(encoding="utf-8").splitlines()]

    @property
    def writes(self) -> Sequence[dict[str, Any]]:
        return [entry for entry in self.requests if entry["write"]]

    def forget(self) -> None:
        """Forget the requests so far."""
        self.log.unlink(missing_ok=True)
