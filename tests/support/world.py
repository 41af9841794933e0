"""One tenant from its YAML to its sandbox: the reconciler whole, in process, with faults only at the transport."""

from __future__ import annotations

import asyncio
import copy
import textwrap
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from datetime import date
from pathlib import Path
from typing import Any

from tapctl.config.load import load
from tapctl.errors import Finding
from tapctl.graph.address import address_of
from tapctl.graph.client import GraphClient, Limits
from tapctl.graph.clouds import CLOUDS
from tapctl.graph.reading import run_readings
from tapctl.graph.retry import Patience
from tapctl.model.desired import Tenant
from tapctl.model.live import LiveTenant
from tapctl.model.plan import Change
from tapctl.model.requests import Problem
from tapctl.reconcile.applier import Applier
from tapctl.reconcile.journal import Journal
from tapctl.reconcile.planner import Planned, plan_tenant
from tapctl.reconcile.read import read_tenant
from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.connect import mint_token
from tapctl.sandbox.faults import Fault, Faults
from tapctl.sandbox.tamper import tamper
from tapctl.sandbox.tenant import Sandbox
from tapctl.sandbox.transport import SandboxTransport
from tests.support.clock import START, StillClock
from tests.support.recorder import Recorder, Sent

TENANT_ID = "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11"
HEAD = f"tenant: {{id: {TENANT_ID}, cloud: sandbox}}\n"
EXAMPLES = Path(__file__).parents[2] / "tenants"


class Unread(Exception):
    """The live state could not be read whole; `problems` say why."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__("; ".join(problem.describe() for problem in problems))
        self.problems = problems


class World:
    """A tenant, its sandbox in memory (or in a file), and everything that was sent to it."""

    def __init__(self, folder: Path, *, state_path: Path | None = None, behaviour: Behaviour | None = None) -> None:
        self.folder = folder
        self.clock = StillClock()
        self.sent: list[Sent] = []
        self.today: date = START.date()
        self.patience = Patience()
        self._state_path = state_path
        self._behaviour = behaviour or Behaviour()
        self._tenant: Tenant | None = None
        self._sandbox: Sandbox | None = None
        self._journals = 0
        self._meanwhile: Callable[[Sent], None] = lambda _: None

    # What is declared

    def declare(self, yaml: str, *, name: str = "contoso") -> Tenant:
        """The tenant that this YAML says; `tenant:` may be left out."""
        text = textwrap.dedent(yaml)
        if "tenant:" not in text:
            text = HEAD + text
        path = self.folder / "tenants" / f"{name}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        return self.take(path)

    def take(self, path: Path) -> Tenant:
        """The tenant of a file or folder."""
        loaded = load([str(path)])
        errors = [finding for finding in loaded.findings if finding.severity == "error"]
        assert not errors, errors
        (self._tenant,) = loaded.tenants
        return self._tenant

    @property
    def tenant(self) -> Tenant:
        assert self._tenant is not None, "declare something first"
        return self._tenant

    # What lives

    @property
    def sandbox(self) -> Sandbox:
        if self._sandbox is None:
            identifier = self._tenant.id if self._tenant is not None else TENANT_ID
            self._sandbox = Sandbox(identifier, self._state_path, behaviour=self._behaviour, clock=self.clock)
        return self._sandbox

    def behave(self, behaviour: Behaviour) -> None:
        self._behaviour = behaviour
        self.sandbox.behaviour = behaviour

    def fail(self, *faults: Fault) -> None:
        """From now on these faults strike, counted from here; none: nothing fails."""
        self.sandbox.faults = Faults(faults)

    def after_requests(self, meanwhile: Callable[[Sent], None]) -> None:
        """What somebody else, or the service itself, does right after each request."""
        self._meanwhile = meanwhile

    def objects(self, collection: str) -> dict[str, dict[str, Any]]:
        """A copy of everything that a collection holds, by id."""
        with self.sandbox.transaction(writes=False) as store:
            return copy.deepcopy(store.collection(collection))

    def change(self, collection: str, object_id: str, **properties: Any) -> None:
        """Change an object behind everybody's back, as no client could."""
        with self.sandbox.transaction(writes=True) as store:
            store.collection(collection)[object_id.lower()].update(properties)
            store.dirty = True

    def add(self, collection: str, **properties: Any) -> str:
        """Put an object there; returns its id."""
        with self.sandbox.transaction(writes=True) as store:
            store.collection(collection)[str(properties["id"]).lower()] = properties
            store.dirty = True
        return str(properties["id"])

    def remove(self, collection: str, object_id: str) -> None:
        with self.sandbox.transaction(writes=True) as store:
            del store.collection(collection)[object_id.lower()]
            store.dirty = True

    def named(self, collection: str, name: str) -> dict[str, Any]:
        """The one object that bears a name."""
        (found,) = self.all_named(collection, name)
        return found

    def all_named(self, collection: str, name: str) -> list[dict[str, Any]]:
        names = ("displayName", "name", "userPrincipalName")
        return [item for item in self.objects(collection).values() if name in [item.get(key) for key in names]]

    def tamper(self, address: str, *changes: str, delete: bool = False) -> None:
        """As an admin in the portal; sent by nobody's client."""
        faults, self.sandbox.faults = self.sandbox.faults, Faults()
        tamper(self.sandbox, address, changes, delete=delete)
        self.sandbox.faults = faults

    # What runs

    @property
    def writes(self) -> list[Sent]:
        return [item for item in self.sent if item.is_write]

    def forget(self) -> None:
        """Forget what was sent so far."""
        self.sent.clear()

    def look(self) -> LiveTenant:
        """The live state, whatever could be read of it."""
        return asyncio.run(self._look())

    def plan(self, *, only_lapsed: bool = False) -> Planned:
        """
        Raises:
            Unread: a part could not be read.
        """
        live = self.look()
        if live.problems():
            raise Unread(live.problems())
        return plan_tenant(self.tenant, live, self.today, only_lapsed=only_lapsed)

    def apply(self, planned: Planned | None = None, *, only_lapsed: bool = False) -> tuple[Change, ...]:
        """Carry out a plan, a fresh one unless given."""
        chosen = planned if planned is not None else self.plan(only_lapsed=only_lapsed)
        assert not chosen.is_refused, messages(chosen.findings)
        return asyncio.run(self._apply(chosen, only_lapsed=only_lapsed))

    def converge(self) -> None:
        """Apply, and see that everything was applied and nothing is left."""
        outcomes = {change.address: change.outcome for change in self.apply()}
        assert {outcome.name for outcome in outcomes.values() if outcome} <= {"applied"}, outcomes
        assert self.changes() == {}

    def changes(self, planned: Planned | None = None) -> dict[str, dict[str, tuple[Any, Any]]]:
        """A plan as plain data: address to path to (before, after)."""
        drafts = (planned or self.plan()).drafts
        return {
            draft.change.address: {item.path: (item.before, item.after) for item in draft.change.fields}
            for draft in drafts
        }

    def journal_path(self) -> Path:
        return self.folder / f"journal-{self._journals}.jsonl"

    def client(self, *, writable: bool = True) -> AbstractAsyncContextManager[GraphClient]:
        cloud = CLOUDS["sandbox"]
        return GraphClient(
            address=address_of(cloud, None, method="default"),
            source=_Tokens(self.sandbox.tenant_id),
            transport=Recorder(SandboxTransport(self.sandbox), self.sent, self._meanwhile),
            tenant_id=self.sandbox.tenant_id,
            writable=writable,
            clock=self.clock,
            jitter=lambda: 0.5,
            limits=Limits(patience=self.patience),
        )

    async def _look(self) -> LiveTenant:
        async with self.client(writable=False) as client:
            (live,) = await run_readings(client, [read_tenant(self.tenant)])
            return live

    async def _apply(self, planned: Planned, *, only_lapsed: bool) -> tuple[Change, ...]:
        self._journals += 1
        async with self.client() as client:
            with Journal(self.journal_path()) as journal:
                applier = Applier(
                    tenant=self.tenant,
                    remote=client,
                    journal=journal,
                    time=self.clock,
                    today=self.today,
                    graph_root=f"{client.graph_root}/v1.0",
                    only_lapsed=only_lapsed,
                )
                return await applier.apply(planned)


class _Tokens:
    """Tokens of the sandbox that outlive every test."""

    renewable = True

    def __init__(self, tenant_id: str) -> None:
        self._tenant_id = tenant_id

    async def fetch(self, *, claims: str | None = None, renew: bool = False) -> str:
        return mint_token(self._tenant_id, exp=int(START.timestamp()) + 10**9)

    async def close(self) -> None:
        """Holds nothing open."""


def messages(findings: Sequence[Finding]) -> list[str]:
    """What findings say, with their places."""
    return [f"{finding.position}: {finding.rule}: {finding.message} | {finding.fix}" for finding in findings]
