"""From a tenant to a client that works: the embedded sandbox, a loopback server, the ways that are refused."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tapctl.errors import RefusedError, RemoteError
from tapctl.graph.address import Address
from tapctl.graph.connect import connect, open_transport, proxy_for
from tapctl.graph.guard import ForbiddenRequestError
from tapctl.model.desired import Authentication, Cloud, Tenant
from tapctl.model.requests import Answer, Problem, ProblemKind, Read, Reply

from .support import GRAPH, TENANT, get, jwt, patch

TOKEN = Authentication(method="token", options={"tokenVariable": "TAPCTL_TOKEN"})
REAL = Address(root=GRAPH, graph=GRAPH)
DEFAULT = Authentication()
POLICY = "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass"


def tenant(cloud: Cloud = "sandbox", auth: Authentication = DEFAULT) -> Tenant:
    return Tenant(name="contoso", source="tenants/contoso.yaml", id=TENANT, cloud=cloud, auth=auth)


def live_token(**claims: object) -> str:
    return jwt(**{"exp": int(time.time()) + 3600} | claims)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The sandbox keeps its state below the current folder."""
    monkeypatch.chdir(tmp_path)


@pytest.mark.usefixtures("here")
def test_the_sandbox_is_read_through_the_same_code_in_two_calls_side_by_side() -> None:
    async def run() -> list[Reply]:
        async with connect(tenant(), writable=False, environ={}) as client:
            outcomes = await client.read(
                [
                    get(POLICY),
                    get("/groups", paged=True),
                    get("/deviceManagement/configurationPolicies", version="beta", paged=True),
                    get("/deviceManagement/assignmentFilters", version="beta", paged=True),
                    get("/groups/00000000-0000-0000-0000-00000000dead"),
                ]
            )
            assert client.token_facts is not None
            assert client.token_facts.tenant_id == TENANT
            usage = client.usage()
            assert (usage.requests, usage.calls, usage.round_trips, usage.throttled) == (5, 2, 1, 0)
            return outcomes

    *answers, absent = asyncio.run(run())
    assert all(isinstance(outcome, Answer) for outcome in answers), answers
    assert isinstance(absent, Problem)
    assert absent.kind is ProblemKind.NOT_FOUND


@pytest.mark.usefixtures("here")
def test_a_client_of_the_sandbox_that_reads_cannot_write() -> None:
    async def run() -> None:
        async with connect(tenant(), writable=False, environ={}) as client:
            await client.write(patch(POLICY))

    with pytest.raises(ForbiddenRequestError):
        asyncio.run(run())


@pytest.mark.usefixtures("here")
@pytest.mark.parametrize(
    ("token", "message"), [(jwt(tid="another"), "another"), ("", "TAPCTL_TOKEN"), (jwt(exp=1), "expired")]
)
def test_a_token_that_is_given_counts_for_the_sandbox_too(token: str, message: str) -> None:
    async def run() -> None:
        async with connect(tenant(auth=TOKEN), writable=False, environ={"TAPCTL_TOKEN": token}) as client:
            await client.authenticate()

    with pytest.raises(RemoteError, match=message):
        asyncio.run(run())


class Server:
    """A Graph on loopback that answers what it was asked, and remembers it."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, str, str]] = []
        asked = self.asked

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append((self.command, self.path, self.headers["Authorization"]))
                more = {} if "more" in self.path else {"@odata.nextLink": f"{GRAPH}/v1.0/groups?more=%24"}
                body = json.dumps({"value": [self.path]} | more).encode()
                self.send_response(200)
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                """The test's output is not for access logs."""

        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.http.server_port}"


@pytest.fixture
def server() -> Iterator[Server]:
    running = Server()
    thread = threading.Thread(target=running.http.serve_forever, args=(0.01,))
    thread.start()
    yield running
    running.http.shutdown()
    running.http.server_close()
    thread.join()


def read_all(of: Tenant, environ: dict[str, str]) -> Reply:
    async def run() -> Reply:
        async with connect(of, writable=False, environ=environ) as client:
            [outcome] = await client.read([Read(purpose="reading", version="v1.0", path="/groups", paged=True)])
            return outcome

    return asyncio.run(run())


@pytest.mark.parametrize("cloud", ["global", "sandbox"])
def test_an_override_on_loopback_gets_the_token_and_the_next_pages(
    server: Server, cloud: Cloud, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    token = live_token()

    outcome = read_all(tenant(cloud, TOKEN), {"TAPCTL_GRAPH_URL": server.url, "TAPCTL_TOKEN": token})

    assert outcome == Answer(200, {"value": ["/v1.0/groups", "/v1.0/groups?more=%24"]}, outcome.headers)
    assert {asked[2] for asked in server.asked} == {f"Bearer {token}"}


def test_a_sandbox_tenant_at_an_override_signs_in_with_the_sandboxs_token(server: Server) -> None:
    assert isinstance(read_all(tenant(), {"TAPCTL_GRAPH_URL": server.url}), Answer)


def test_an_override_elsewhere_takes_no_token_of_ours() -> None:
    with pytest.raises(RefusedError, match="TAPCTL_GRAPH_URL"):
        connect(tenant("global"), writable=False, environ={"TAPCTL_GRAPH_URL": "https://proxy.example"})


def test_the_proxies_of_the_environment_are_used_and_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    assert proxy_for(REAL) is None

    monkeypatch.setenv("HTTPS_PROXY", "proxy.example:3128")
    assert proxy_for(REAL) == "http://proxy.example:3128"

    assert proxy_for(Address(root="https://127.0.0.1:8080", graph=GRAPH)) is None

    monkeypatch.setenv("NO_PROXY", "graph.microsoft.com")
    assert proxy_for(REAL) is None


def test_a_proxy_that_is_none_is_refused_without_being_quoted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_PROXY", raising=False)
    monkeypatch.setenv("HTTPS_PROXY", "carrier://ada:hunter2@pigeon")

    with pytest.raises(RefusedError) as refused:
        open_transport(REAL)
    assert "hunter2" not in refused.value.message + refused.value.fix


def test_connecting_imports_neither_typed_models_nor_credentials_that_are_not_needed() -> None:
    script = (
        "import sys\n"
        "import tapctl.graph.connect\n"
        "print([name for name in sys.modules if name.startswith(('msgraph.generated.', 'azure.identity', 'msal'))])\n"
    )

    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "['msgraph.generated.base_graph_service_client']"
