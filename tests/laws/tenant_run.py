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

from tapctl.graph.address import address_of
from tapctl.graph.client import GraphClient
from tapctl.graph.clouds import CLOUDS
from tapctl.graph.connect import SandboxToken
from tapctl.model.desired import Tenant
from tapctl.reconcile.planner import Planned
from tapctl.sandbox.seed import seed
from tapctl.sandbox.transport import SandboxTransport
from tests.laws.scenarios import Scenario
from tests.support.recorder import Recorder
from tests.support.world import TENANT_ID, World

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


@contextmanager
def world_of(scenario: Scenario) -> Iterator[LawWorld]:
    """The scenario in a folder of its own."""
    with tempfile.TemporaryDirectory() as folder:
        yield LawWorld(Path(folder), scenario)


def refusals(planned: Planned) -> set[str]:
    """The rules by which a plan is refused."""
    return {finding.rule for finding in planned.findings if finding.severity == "error"}
