"""A small Graph client for tests, in process or over a loopback port, and a clock that a test moves."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx

from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.faults import Fault, Faults
from tapctl.sandbox.server import LoopbackServer
from tapctl.sandbox.tenant import Sandbox
from tapctl.sandbox.tokens import mint_token
from tapctl.sandbox.transport import SandboxTransport

TENANT = "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11"
TAP = "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass"
TAP_TYPE = "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration"
POLICIES = "/beta/deviceManagement/configurationPolicies"
CUSTOM = "/beta/deviceManagement/deviceConfigurations"
PREFIX = "device_vendor_msft_policy_config_"
TYPES = "#microsoft.graph.deviceManagementConfiguration"


class Clock:
    """Stands still until moved."""

    def __init__(self) -> None:
        self.now = datetime(2026, 11, 22, 7, 30, tzinfo=UTC)

    def __call__(self) -> datetime:
        return self.now

    def forward(self, **span: float) -> None:
        self.now += timedelta(**span)


class Graph:
    """Requests to one sandbox, in process. Answers are httpx responses."""

    def __init__(
        self,
        *,
        faults: tuple[Fault, ...] = (),
        path: Path | None = None,
        clock: Clock | None = None,
        log: Path | None = None,
        **switches: Any,
    ) -> None:
        self.clock = clock or Clock()
        behaviour = Behaviour(**switches)
        self.sandbox = Sandbox(TENANT, path, behaviour=behaviour, faults=Faults(faults), clock=self.clock, log=log)
        self.token = mint_token(TENANT)
        self._runner = asyncio.Runner()
        self._client = httpx.AsyncClient(
            transport=SandboxTransport(self.sandbox), base_url="https://graph.microsoft.com", timeout=0.2
        )

    def close(self) -> None:
        self._runner.run(self._client.aclose())
        self._runner.close()

    def request(
        self, method: str, url: str, json: Any = None, headers: dict[str, str] | None = None, token: str | None = None
    ) -> httpx.Response:
        authorization = {"Authorization": f"Bearer {token or self.token}"}
        return self._runner.run(
            self._client.request(method, url, json=json, headers={**authorization, **(headers or {})})
        )

    def get(self, url: str, **options: Any) -> httpx.Response:
        return self.request("GET", url, **options)

    def body(self, url: str, **options: Any) -> Any:
        """The JSON of a GET that succeeds."""
        response = self.get(url, **options)
        assert response.status_code == 200, response.text
        return response.json()

    def post(self, url: str, json: Any, **options: Any) -> httpx.Response:
        return self.request("POST", url, json, **options)

    def patch(self, url: str, json: Any, **options: Any) -> httpx.Response:
        return self.request("PATCH", url, json, **options)

    def put(self, url: str, json: Any, **options: Any) -> httpx.Response:
        return self.request("PUT", url, json, **options)

    def delete(self, url: str, **options: Any) -> httpx.Response:
        return self.request("DELETE", url, **options)

    def group_id(self, name: str) -> str:
        (found,) = self.body(f"/v1.0/groups?$filter=displayName eq '{name}'&$select=id")["value"]
        return str(found["id"])

    def user_id(self, name: str) -> str:
        return str(self.body(f"/v1.0/users/{name}@contoso.com")["id"])

    def batch(self, *requests: dict[str, Any], version: str = "v1.0") -> dict[str, Any]:
        """The responses of a batch by id."""
        response = self.post(f"/{version}/$batch", {"requests": list(requests)})
        assert response.status_code == 200, response.text
        return {part["id"]: part for part in response.json()["responses"]}


MakeGraph = Callable[..., Graph]
"""What the fixture `make_graph` is."""


def security_group(name: str, **more: Any) -> dict[str, Any]:
    """The body that makes a security group."""
    nickname = "".join(letter for letter in name if letter.isalnum())
    return {"displayName": name, "mailEnabled": False, "mailNickname": nickname, "securityEnabled": True, **more}


def choice(name: str, option: int, *children: dict[str, Any]) -> dict[str, Any]:
    """A choice setting of the Authentication area, or of another when `name` has an underscore."""
    definition = PREFIX + (name if "_" in name else f"authentication_{name}")
    return {
        "settingInstance": {
            "@odata.type": f"{TYPES}ChoiceSettingInstance",
            "settingDefinitionId": definition,
            "choiceSettingValue": {"value": f"{definition}_{option}", "children": list(children)},
        }
    }


def text(name: str, value: Any, kind: str = "String") -> dict[str, Any]:
    """A simple setting instance."""
    return {
        "@odata.type": f"{TYPES}SimpleSettingInstance",
        "settingDefinitionId": PREFIX + name,
        "simpleSettingValue": {"@odata.type": f"{TYPES}{kind}SettingValue", "value": value},
    }


def catalog_policy(name: str, *settings: dict[str, Any], **more: Any) -> dict[str, Any]:
    """The body that makes a settings catalog policy."""
    body = {"name": name, "platforms": "windows10", "technologies": "mdm", "settings": list(settings)}
    return {**body, **more}


def error_code(response: httpx.Response) -> tuple[int, str]:
    return response.status_code, response.json()["error"]["code"]


@contextlib.contextmanager
def loopback(sandbox: Sandbox) -> Iterator[str]:
    """Serve a sandbox from a thread; yields the root URL."""
    server = LoopbackServer(sandbox)
    thread = threading.Thread(target=server.run, daemon=True)
    thread.start()
    deadline = time.monotonic() + 10
    while not server.is_up:
        assert time.monotonic() < deadline, "the server did not start"
        time.sleep(0.01)
    try:
        yield server.url
    finally:
        server.stop()
        thread.join(timeout=10)
        assert not thread.is_alive()
