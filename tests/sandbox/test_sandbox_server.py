"""The sandbox on a loopback port, with clients that know nothing of tapctl."""

from __future__ import annotations

import asyncio
import socket
from typing import Any
from urllib.parse import urlsplit

import httpx
import pytest

from tapctl.errors import RemoteError
from tapctl.sandbox.faults import Fault
from tapctl.sandbox.server import LoopbackServer
from tapctl.sandbox.tokens import mint_token
from tests.sandbox.support import TAP, TAP_TYPE, TENANT, Graph, MakeGraph, loopback


def client(url: str) -> httpx.Client:
    return httpx.Client(base_url=url, headers={"Authorization": f"Bearer {mint_token(TENANT)}"}, trust_env=False)


def test_it_answers_the_same_over_a_port_as_in_process(graph: Graph) -> None:
    with loopback(graph.sandbox) as url, client(url) as plain:
        listed = plain.get("/v1.0/groups?$top=2&$select=id").json()
        assert listed["@odata.nextLink"].startswith(f"{url}/v1.0/groups?")
        assert len(plain.get(listed["@odata.nextLink"]).json()["value"]) == 2
        changed = plain.patch(TAP, json={"@odata.type": TAP_TYPE, "state": "enabled"})
        quoted = plain.get("/beta/deviceManagement/configurationSettings('device_vendor_msft_policy_config_x')")

    assert url.startswith("http://127.0.0.1:")
    assert (changed.status_code, changed.content) == (204, b"")
    assert quoted.status_code == 404
    assert graph.body(TAP)["state"] == "enabled"


def test_whoever_is_told_where_it_is_can_connect_at_once(graph: Graph) -> None:
    told: list[str] = []

    def connect(url: str) -> None:
        told.append(url)
        address = urlsplit(url)
        with socket.create_connection((str(address.hostname), address.port or 0), timeout=5):
            server.stop()

    server = LoopbackServer(graph.sandbox, ready=connect)
    url = server.url
    assert told == []

    server.run()

    assert told == [url]


def test_a_port_is_taken_from_the_start(graph: Graph) -> None:
    first = LoopbackServer(graph.sandbox)

    with pytest.raises(RemoteError, match="cannot be used"):
        LoopbackServer(graph.sandbox, port=urlsplit(first.url).port or 0)

    first.stop()
    first.run()


@pytest.mark.parametrize("action", ["lose-before", "lose-after", "refuse-connection"])
def test_connections_are_really_lost(make_graph: MakeGraph, action: Any) -> None:
    graph = make_graph(faults=(Fault(action=action, writes_only=True, last=1),))

    with loopback(graph.sandbox) as url, client(url) as plain:
        with pytest.raises(httpx.TransportError):
            plain.patch(TAP, json={"@odata.type": TAP_TYPE, "state": "enabled"})
        state = plain.get(TAP).json()["state"]

    assert state == ("enabled" if action == "lose-after" else "disabled")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_a_typed_client_reads_and_writes(graph: Graph) -> None:
    from kiota_abstractions.authentication.authentication_provider import AuthenticationProvider
    from kiota_abstractions.request_information import RequestInformation
    from msgraph.generated.models.authentication_method_state import AuthenticationMethodState
    from msgraph.generated.models.group import Group
    from msgraph.generated.models.temporary_access_pass_authentication_method_configuration import (
        TemporaryAccessPassAuthenticationMethodConfiguration,
    )
    from msgraph.graph_request_adapter import GraphRequestAdapter
    from msgraph.graph_service_client import GraphServiceClient

    class Bearer(AuthenticationProvider):
        async def authenticate_request(
            self, request: RequestInformation, additional_authentication_context: dict[str, Any] | None = None
        ) -> None:
            request.headers.add("Authorization", f"Bearer {mint_token(TENANT)}")

    async def use(url: str) -> tuple[Any, Any, Any]:
        async with httpx.AsyncClient(trust_env=False) as transport:
            adapter = GraphRequestAdapter(Bearer(), client=transport)
            adapter.base_url = f"{url}/v1.0"
            typed = GraphServiceClient(request_adapter=adapter)
            method = typed.policies.authentication_methods_policy.authentication_method_configurations
            policy = method.by_authentication_method_configuration_id("TemporaryAccessPass")
            changes = TemporaryAccessPassAuthenticationMethodConfiguration(
                state=AuthenticationMethodState.Enabled, is_usable_once=True
            )
            changes.odata_type = TAP_TYPE
            await policy.patch(changes)
            created = await typed.groups.post(
                Group(display_name="Typed", mail_enabled=False, mail_nickname="typed", security_enabled=True)
            )
            return await policy.get(), created, await typed.groups.get()

    with loopback(graph.sandbox) as url:
        policy, created, listed = asyncio.run(use(url))

    assert isinstance(policy, TemporaryAccessPassAuthenticationMethodConfiguration)
    assert (policy.state, policy.is_usable_once) == (AuthenticationMethodState.Enabled, True)
    assert created.display_name == "Typed"
    assert created.id in [group.id for group in listed.value]
