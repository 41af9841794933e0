"""A Git repository of tenants, the tool run in it, and the sandbox behind its back."""

from __future__ import annotations

import contextlib
import copy
import io
import json
import os
import shutil
import subprocess
import sys
import textwrap
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from unittest import mock

from tapctl.cli.main import run
from tapctl.model.plan import PlanDocument
from tapctl.output.document import loads
from tapctl.sandbox.tamper import tamper
from tapctl.sandbox.tenant import Sandbox

ROOT = Path(__file__).parents[2]
CONTOSO = "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11"
"""The tenant that `tapctl init` writes."""
FABRIKAM = "c2f5a1d4-7b38-4e0f-8a46-5d9be0c7f2a3"

Faults = Sequence[Mapping[str, object]]


@dataclass(frozen=True, slots=True)
class Done:
    """What a run printed and how it ended."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        found = json.loads(self.out)
        assert isinstance(found, dict)
        return found

    @property
    def statuses(self) -> dict[str, str]:
        return {tenant["name"]: tenant["status"] for tenant in self.document["tenants"]}

    @property
    def tenant(self) -> dict[str, Any]:
        """The one tenant that the document holds."""
        (tenant,) = self.document["tenants"]
        assert isinstance(tenant, dict)
        return tenant

    @property
    def changes(self) -> dict[str, dict[str, tuple[Any, Any]]]:
        """Address to path to (before, after)."""
        return {
            change["address"]: {item["path"]: (item["before"], item["after"]) for item in change["fields"]}
            for change in self.tenant["changes"]
        }

    @property
    def outcomes(self) -> dict[str, str]:
        return {change["address"]: change["outcome"] for change in self.tenant["changes"]}

    @property
    def errors(self) -> list[str]:
        """Why it did not succeed."""
        tenants = self.document.get("tenants", []) if self.out else []
        errors = [
            finding["message"] for tenant in tenants for finding in tenant["findings"] if not finding["suppressed"]
        ]
        return [self.err, *(tenant["error"] or "" for tenant in tenants), *errors]

    @property
    def notes(self) -> dict[str, list[str]]:
        """What the findings say, by rule."""
        found: dict[str, list[str]] = {}
        for finding in self.tenant["findings"]:
            found.setdefault(finding["rule"], []).append(finding["message"])
        return found


class Repository:
    """A folder below which everything is: the repository itself, the sandboxes' state and the log of requests."""

    def __init__(self, place: Path) -> None:
        self.place = place
        self.folder = place / "repository"
        self._log = place / "requests.jsonl"

    # Files and revisions

    def copied_to(self, place: Path) -> Repository:
        shutil.copytree(self.place, place, dirs_exist_ok=True)
        copied = Repository(place)
        copied.forget()
        return copied

    def git(self, *arguments: str) -> str:
        identity = ["-c", "user.name=Test", "-c", "user.email=test@example.com", "-c", "init.defaultBranch=main"]
        done = subprocess.run(
            ["git", *identity, *arguments], cwd=self.folder, check=True, capture_output=True, text=True
        )
        return done.stdout

    def commit(self, message: str) -> None:
        self.git("add", ".")
        self.git("commit", "-m", message)

    def write(self, path: str, text: str) -> Path:
        file = self.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(textwrap.dedent(text), encoding="utf-8")
        return file

    def declare(self, yaml: str, *, name: str = "contoso", tenant_id: str = CONTOSO, more: str = "") -> None:
        """Write a tenant file of its own, with nothing but this in it."""
        head = f"tenant: {{id: {tenant_id}, cloud: sandbox{', ' if more else ''}{more}}}\n"
        self.write(f"tenants/{name}.yaml", head + textwrap.dedent(yaml))

    def edit(self, old: str, new: str, *, file: str = "tenants/contoso.yaml") -> None:
        """Replace text that must be there."""
        path = self.folder / file
        text = path.read_text(encoding="utf-8")
        assert old in text
        path.write_text(text.replace(old, new), encoding="utf-8")

    def plan_document(self, path: str = "plan.json") -> PlanDocument:
        return loads((self.folder / path).read_bytes())

    def journals(self) -> list[Path]:
        return sorted((self.folder / ".tapctl" / "runs").glob("*.jsonl"))

    @property
    def journal(self) -> str:
        """The journal of the last run, as one would type it."""
        return str(self.journals()[-1].relative_to(self.folder))

    # Running

    def run(
        self, *arguments: str, faults: Faults = (), behaviour: Mapping[str, object] = {}, text: bool = False
    ) -> Done:
        """Run the tool; plans and their like are asked for as JSON unless `text`.

        Under faults, which count in each process, in a process of its own, since they may kill it."""
        words = [*arguments, *([] if text else ["--format", "json"])]
        variables = {
            "NO_COLOR": "1",
            "TAPCTL_SANDBOX_LOG": str(self._log),
            "TAPCTL_SANDBOX_FAULTS": json.dumps(list(faults)),
            "TAPCTL_SANDBOX_BEHAVIOUR": json.dumps(dict(behaviour)),
        }
        done = self._process(words, variables) if faults else self._here(words, variables)
        assert "Traceback" not in done.err, done.err
        assert "has a defect" not in done.err, done.err
        return done

    def process(self, *arguments: str) -> Done:
        """Run the tool as a process of its own, with nothing of this one but the environment."""
        return self._process(arguments, {"NO_COLOR": "1", "TAPCTL_SANDBOX_LOG": str(self._log)})

    def _process(self, words: Sequence[str], variables: Mapping[str, str]) -> Done:
        done = subprocess.run(
            [sys.executable, "-m", "tapctl", *words],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": str(ROOT), **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            encoding="utf-8",
            check=False,
        )
        return Done(done.returncode, done.stdout, done.stderr)

    def _here(self, words: Sequence[str], variables: Mapping[str, str]) -> Done:
        out, err = io.TextIOWrapper(io.BytesIO(), encoding="utf-8"), io.StringIO()
        with (
            contextlib.chdir(self.folder),
            mock.patch.dict(os.environ, variables),
            mock.patch.object(sys, "stdin", io.StringIO()),
            contextlib.redirect_stdout(out),
            contextlib.redirect_stderr(err),
        ):
            code = run(list(words))
        out.seek(0)
        return Done(int(code), out.read(), err.getvalue())

    def succeed(self, *arguments: str, behaviour: Mapping[str, object] = {}) -> Done:
        done = self.run(*arguments, behaviour=behaviour)
        assert done.code == 0, done.errors
        return done

    def requests(self) -> list[dict[str, Any]]:
        """Every request since the last `forget`, parts of batches among them."""
        if not self._log.exists():
            return []
        return [json.loads(line) for line in self._log.read_text(encoding="utf-8").splitlines()]

    def writes(self) -> list[str]:
        """What was sent to change something, whether or not it was let in."""
        return [f"{item['method']} {item['path']}" for item in self.requests() if item["write"]]

    def forget(self) -> None:
        self._log.unlink(missing_ok=True)

    # Behind its back

    def sandbox(self, tenant_id: str = CONTOSO) -> Sandbox:
        return Sandbox(tenant_id, self.folder / ".tapctl" / "sandbox" / f"{tenant_id}.json")

    def tamper(self, address: str, *changes: str, delete: bool = False, tenant_id: str = CONTOSO) -> None:
        """As an admin in the portal."""
        tamper(self.sandbox(tenant_id), address, changes, delete=delete)

    def objects(self, collection: str, tenant_id: str = CONTOSO) -> dict[str, dict[str, Any]]:
        """A copy of everything that a collection holds, by id."""
        with self.sandbox(tenant_id).transaction(writes=False) as store:
            return copy.deepcopy(store.collection(collection))

    def named(self, collection: str, name: str) -> dict[str, Any]:
        """The one object that bears a name."""
        keys = ("displayName", "name", "userPrincipalName")
        (found,) = [item for item in self.objects(collection).values() if name in [item.get(key) for key in keys]]
        return found

    def policy(self) -> dict[str, Any]:
        (found,) = [item for item in self.objects("policies").values() if "isUsableOnce" in item]
        return found

    def member_names(self, group: str) -> set[str]:
        people = self.objects("users") | self.objects("devices") | self.objects("groups")
        found = [people[member] for member in self.named("groups", group)["_members"]]
        return {str(item.get("userPrincipalName") or item["displayName"]) for item in found}

    def exchange_group(self, name: str) -> None:
        """Another group takes the place and the name of a group, as after a deletion that nobody spoke of."""
        with self.sandbox().transaction(writes=True) as store:
            groups = store.collection("groups")
            (old,) = [key for key, item in groups.items() if item["displayName"] == name]
            new = str(uuid.uuid4())
            groups[new] = {**groups.pop(old), "id": new}
            store.dirty = True

    def put(self, collection: str, item: Mapping[str, Any]) -> None:
        """Put an object there, or in the place of the one of its id."""
        with self.sandbox().transaction(writes=True) as store:
            store.collection(collection)[str(item["id"]).lower()] = dict(item)
            store.dirty = True
