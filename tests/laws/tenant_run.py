"""A scenario carried out: the file is loaded, the live tenant read, planned and written, all in process."""

from __future__ import annotations

import copy
import json
import random
import tempfile
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any

import httpx
import yaml
from hypothesis import event, reject, settings

from tapctl.graph.address import address_of
from tapctl.graph.client import GraphClient
from tapctl.graph.clouds import CLOUDS
from tapctl.graph.connect import SandboxToken
from tapctl.model.desired import Tenant
from tapctl.model.live import LiveTenant
from tapctl.model.plan import Change
from tapctl.reconcile.applier import Applier
from tapctl.reconcile.journal import Journal
from tapctl.reconcile.past_run import read_journal
from tapctl.reconcile.planner import Planned
from tapctl.reconcile.rollback import Declarations, plan_back, tenant_applied, tenant_before
from tapctl.sandbox.seed import seed
from tapctl.sandbox.transport import SandboxTransport
from tests.laws.scenarios import Scenario
from tests.support.recorder import Recorder
from tests.support.world import TENANT_ID, World

WHOLE_RUNS = settings(max_examples=max(10, settings().max_examples // 3))
"""A whole run is a thousand times dearer than a value, so that fewer are tried."""

ACCEPTABLE_REFUSALS = frozenset({"still-referenced"})
"""A group is not deleted while something that the file does not manage refers to it."""

UNORDERED = frozenset({"value", "includeTargets", "excludeTargets", "omaSettings", "roleScopeTagIds", "responses"})
"""Lists of Graph whose order means nothing."""


class Perturbed(httpx.AsyncBaseTransport):
    """A Graph that says the same in another order, and more than is documented."""

    def __init__(self, inner: httpx.AsyncBaseTransport, seed_number: int) -> None:
        self._inner = inner
        self._random = random.Random(seed_number)  # noqa: S311 - an order, not a secret

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        response = await self._inner.handle_async_request(request)
        if "json" not in response.headers.get("content-type", ""):
            return response
        body = self._perturbed(json.loads(await response.aread()))
        headers = [(name, value) for name, value in response.headers.raw if name.lower() != b"content-length"]
        return httpx.Response(response.status_code, headers=headers, json=body, request=request)

    async def aclose(self) -> None:
        await self._inner.aclose()

    def _perturbed(self, body: Any, name: str = "") -> Any:
        if isinstance(body, list):
            items = [self._perturbed(item) for item in body]
            if name in UNORDERED:
                self._random.shuffle(items)
            return items
        if not isinstance(body, dict):
            return body
        items = [(key, self._perturbed(value, key)) for key, value in body.items()]
        if "id" in body and "status" not in body:
            items.append(("unknownToTheDocumentation", {"id": "x", "value": [1]}))
        self._random.shuffle(items)
        return dict(items)


class LawWorld(World):
    """A world whose live tenant and file are those of a scenario."""

    def __init__(self, folder: Path, scenario: Scenario) -> None:
        super().__init__(folder, behaviour=scenario.behaviour)
        self.perturbation: int | None = None
        """Shuffles Graph's answers in this way."""
        self.declare_document(scenario.document)
        with self.sandbox.transaction(writes=True) as store:
            objects = seed(TENANT_ID)["objects"] | copy.deepcopy(dict(scenario.objects))
            store.data["objects"] = objects

    def declare_document(self, document: dict[str, Any]) -> Tenant:
        """The tenant that a document is when written as YAML."""
        path = self.folder / "tenants" / "contoso.yaml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(yaml.safe_dump(document, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return self.take(path)

    def client(self, *, writable: bool = True) -> AbstractAsyncContextManager[GraphClient]:
        transport: httpx.AsyncBaseTransport = Recorder(SandboxTransport(self.sandbox), self.sent)
        if self.perturbation is not None:
            transport = Perturbed(transport, self.perturbation)
        return GraphClient(
            address=address_of(CLOUDS["sandbox"], None, method="default"),
            source=SandboxToken(TENANT_ID),
            transport=transport,
            tenant_id=TENANT_ID,
            writable=writable,
            clock=self.clock,
            jitter=lambda: 0.5,
        )

    def state(self) -> dict[str, dict[str, dict[str, Any]]]:
        """A copy of every object of the live tenant, audit logs aside."""
        with self.sandbox.transaction(writes=False) as store:
            logs = ("directoryAudits", "auditEvents", "deletedItems")
            return copy.deepcopy({name: found for name, found in store.data["objects"].items() if name not in logs})

    async def _apply(self, planned: Planned, *, only_lapsed: bool) -> tuple[Change, ...]:
        self._journals += 1
        async with self.client() as client:
            with Journal(self.journal_path()) as journal:
                journal.begin(self.tenant, overrides={}, groups=planned.names.group_ids, version="0")
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

    def settle(self) -> None:
        """Let replication catch up: every query sees what the last one sees."""
        self.clock.elapsed += 60

    def plan_back(self, *, remove: bool) -> Planned:
        """The way back from the last apply; what it declares is the tenant from here on."""
        return self.plan_back_from(self.journal_path(), self.tenant, remove=remove)

    def plan_back_from(self, journal: Path, file: Tenant, *, remove: bool) -> Planned:
        """The way back from the apply that wrote a journal."""
        run = read_journal(journal)
        before = tenant_before(run, file, remove=remove)
        applied = tenant_applied(run, before)
        declared = Declarations(
            file=file,
            before=before,
            before_live=self._look_at(before),
            applied=applied,
            applied_live=self._look_at(applied),
        )
        self._tenant, planned = plan_back(run, declared, self.today, remove=remove)
        return planned

    def _look_at(self, tenant: Tenant) -> LiveTenant:
        self._tenant = tenant
        live = self.look()
        assert not live.problems(), live.problems()
        return live


@contextmanager
def world_of(scenario: Scenario) -> Iterator[LawWorld]:
    """The scenario in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        yield LawWorld(Path(folder), scenario)


def applied(world: LawWorld, planned: Planned | None = None, *, only_lapsed: bool = False) -> tuple[Change, ...]:
    """Plan (unless a plan is given) and apply, all of it; a refusal that the scenario has earned ends the example."""
    chosen = planned if planned is not None else world.plan(only_lapsed=only_lapsed)
    refusals = {finding.rule for finding in chosen.findings if finding.severity == "error"}
    if refusals:
        assert refusals <= ACCEPTABLE_REFUSALS, chosen.findings
        event("refused")
        reject()
    event(f"{min(len(chosen.drafts), 4)} changes")
    world.forget()
    changes = world.apply(chosen, only_lapsed=only_lapsed)
    outcomes = {change.address: change.outcome for change in changes}
    assert {outcome.name for outcome in outcomes.values() if outcome is not None} <= {"applied"}, outcomes
    return changes
