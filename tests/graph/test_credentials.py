"""Signing in by every method, against a login that is faked where azure-identity hands over to the network."""

from __future__ import annotations

import asyncio
import base64
import datetime
import email.message
import io
import json
import logging
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import requests
import requests.adapters
import urllib3
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa

from tapctl.errors import RemoteError
from tapctl.graph.clouds import CLOUDS
from tapctl.graph.credentials import METHODS, credential_for
from tapctl.graph.tokens import TokenSource
from tapctl.model.desired import Authentication

from .support import TENANT, jwt

CLIENT = "22222222-3333-4444-5555-666666666666"
SECRET = "hunter2-hunter2"


class Login:
    """The login host and everything else that azure-identity asks over HTTP."""

    def __init__(self) -> None:
        self.token_answer: Callable[[], tuple[int, dict[str, Any]]] = lambda: (
            200,
            {"access_token": jwt(n=len(self.forms)), "expires_in": 3600, "token_type": "Bearer"},
        )
        self.urls: list[str] = []
        self.forms: list[dict[str, str]] = []

    def answer(self, request: requests.PreparedRequest) -> requests.Response:
        url = request.url or ""
        self.urls.append(url)
        path = urllib.parse.urlsplit(url).path
        if path.endswith(("/.well-known/openid-configuration", "/discovery/instance")):
            return self._respond(request, 200, self._discovery(url))
        if path.endswith("/devicecode"):
            answer = {"device_code": "d", "user_code": "ABC", "verification_uri": "https://login/device"}
            return self._respond(request, 200, answer | {"expires_in": 900, "interval": 0, "message": "go"})
        if "oidctoken" in url:
            return self._respond(request, 200, {"oidcToken": "assertion-of-the-pipeline"})
        if "identity-endpoint" in url:
            return self._respond(request, 200, {"access_token": jwt(), "expires_on": 2_000_000_000, "resource": "x"})
        assert request.method == "POST", url
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        self.forms.append(dict(urllib.parse.parse_qsl(body)))
        return self._respond(request, *self.token_answer())

    def _discovery(self, url: str) -> dict[str, Any]:
        host = urllib.parse.urlsplit(url).netloc
        base = f"https://{host}/{TENANT}"
        return {
            "authorization_endpoint": f"{base}/oauth2/v2.0/authorize",
            "token_endpoint": f"{base}/oauth2/v2.0/token",
            "device_authorization_endpoint": f"{base}/oauth2/v2.0/devicecode",
            "issuer": f"{base}/v2.0",
            "metadata": [],
            "tenant_discovery_endpoint": f"{base}/v2.0/.well-known/openid-configuration",
        }

    def _respond(self, request: requests.PreparedRequest, status: int, body: Mapping[str, Any]) -> requests.Response:
        raw = urllib3.HTTPResponse(
            io.BytesIO(json.dumps(body).encode()),
            status=status,
            headers={"Content-Type": "application/json"},
            preload_content=False,
        )
        return requests.adapters.HTTPAdapter().build_response(request, raw)


@pytest.fixture
def login(monkeypatch: pytest.MonkeyPatch) -> Login:
    fake = Login()
    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", lambda _, request, **__: fake.answer(request))
    return fake


@pytest.fixture
def certificate(tmp_path: Path) -> Path:
    """A self-signed certificate with its key, which SECRET opens."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "tapctl")])
    now = datetime.datetime(2026, 11, 22, tzinfo=datetime.UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    dated = builder.serial_number(1).not_valid_before(now).not_valid_after(now + datetime.timedelta(days=1))
    path = tmp_path / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.BestAvailableEncryption(SECRET.encode()),
        )
        + dated.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM)
    )
    return path


def source(
    method: str, environ: Mapping[str, str] | None = None, *, cloud: str = "global", **options: str
) -> TokenSource:
    return credential_for(
        Authentication(method=method, options=options), tenant_id=TENANT, cloud=CLOUDS[cloud], environ=environ or {}
    )


def fetch(of: TokenSource) -> str:
    async def run() -> str:
        try:
            return await of.fetch()
        finally:
            await of.close()

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("cloud", "host", "scope"),
    [
        ("global", "login.microsoftonline.com", "https://graph.microsoft.com/.default"),
        ("usgov-dod", "login.microsoftonline.us", "https://dod-graph.microsoft.us/.default"),
        ("china", "login.chinacloudapi.cn", "https://microsoftgraph.chinacloudapi.cn/.default"),
    ],
)
def test_a_client_secret_goes_to_the_clouds_login_alone(login: Login, cloud: str, host: str, scope: str) -> None:
    token = fetch(source("client-secret", {"AZURE_CLIENT_SECRET": SECRET}, cloud=cloud, clientId=CLIENT))

    assert token == jwt(n=1)
    assert {urllib.parse.urlsplit(url).hostname for url in login.urls} == {host}
    assert login.urls[-1] == f"https://{host}/{TENANT}/oauth2/v2.0/token"
    [form] = login.forms
    assert scope in form["scope"]
    assert (form["client_id"], form["client_secret"]) == (CLIENT, SECRET)
    assert "cp1" in form["claims"].lower()


def test_a_client_secret_comes_from_the_variable_or_file_that_is_named(login: Login, tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(f"{SECRET}\n", "utf-8")

    fetch(source("client-secret", {"MINE": "from-mine"}, clientId=CLIENT, secretVariable="MINE"))
    fetch(source("client-secret", {}, clientId=CLIENT, secretFile=str(tmp_path / "secret")))

    assert [form["client_secret"] for form in login.forms] == ["from-mine", SECRET]


def test_a_certificate_signs_an_assertion(login: Login, certificate: Path) -> None:
    options = {"clientId": CLIENT, "certificatePath": str(certificate), "certificatePasswordVariable": "CERT_PASSWORD"}

    assert fetch(source("certificate", {"CERT_PASSWORD": SECRET}, **options))
    assert login.forms[0]["client_assertion"].count(".") == 2


def test_workload_identity_sends_the_token_of_the_file(login: Login, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("assertion-of-the-cluster", "utf-8")

    fetch(source("workload-identity", {"AZURE_FEDERATED_TOKEN_FILE": str(tmp_path / "token")}, clientId=CLIENT))

    assert login.forms[0]["client_assertion"] == "assertion-of-the-cluster"


def test_azure_pipelines_asks_the_pipeline_for_an_assertion(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SYSTEM_OIDCREQUESTURI", "https://dev.azure.example/oidctoken")

    fetch(source("azure-pipelines", {"SYSTEM_ACCESSTOKEN": SECRET}, clientId=CLIENT, serviceConnectionId="c"))

    assert login.forms[0]["client_assertion"] == "assertion-of-the-pipeline"


def test_a_managed_identity_asks_its_host(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("IDENTITY_ENDPOINT", "http://identity-endpoint/token")
    monkeypatch.setenv("IDENTITY_HEADER", "x")

    assert fetch(source("managed-identity", clientId=CLIENT)) == jwt()


@pytest.mark.parametrize("method", ["environment", "default"])
def test_the_environment_signs_in_to_the_tenant_of_the_file(
    login: Login, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setenv("AZURE_CLIENT_ID", CLIENT)
    monkeypatch.setenv("AZURE_CLIENT_SECRET", SECRET)
    monkeypatch.setenv("AZURE_TENANT_ID", "33333333-2222-3333-4444-555555555555")

    assert fetch(source(method)) == jwt(n=1)
    assert login.urls[-1] == f"https://login.microsoftonline.com/{TENANT}/oauth2/v2.0/token"


def test_a_device_code_is_shown_on_stderr(login: Login, capsys: pytest.CaptureFixture[str]) -> None:
    person = jwt(aud=CLIENT, iss="https://login/v2.0", sub="s", preferred_username="ada@contoso.com", exp=2_000_000_000)
    client_info = base64.urlsafe_b64encode(json.dumps({"uid": "u", "utid": TENANT}).encode()).decode()
    _, answer = login.token_answer()
    login.token_answer = lambda: (200, answer | {"id_token": person, "client_info": client_info})

    assert fetch(source("device-code", clientId=CLIENT)) == answer["access_token"]

    shown = capsys.readouterr()
    assert shown.out == ""
    assert "https://login/device" in shown.err
    assert "ABC" in shown.err


@pytest.mark.skipif(sys.platform == "win32", reason="the stand-in for az is a shell script")
def test_the_azure_cli_is_asked_for_this_tenant(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    answer = json.dumps({"accessToken": jwt(), "expiresOn": "2036-11-22 08:00:00.000000", "expires_on": 2_000_000_000})
    az = tmp_path / "az"
    az.write_text(f"#!/bin/sh\nprintf '%s\\n' \"$*\" > {tmp_path}/asked\necho '{answer}'\n", "utf-8")
    az.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")

    assert fetch(source("azure-cli")) == jwt()
    assert TENANT in (tmp_path / "asked").read_text("utf-8")


class Opened(io.BytesIO):
    """An answer as urllib gives it."""


def github(monkeypatch: pytest.MonkeyPatch, answer: Callable[[], bytes]) -> list[urllib.request.Request]:
    asked: list[urllib.request.Request] = []

    def answered(_: object, request: urllib.request.Request, **__: object) -> Opened:
        asked.append(request)
        return Opened(answer())

    monkeypatch.setattr(urllib.request.OpenerDirector, "open", answered)
    return asked


ACTIONS = {
    "ACTIONS_ID_TOKEN_REQUEST_URL": "https://actions.example/token?api-version=2",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN": SECRET,
}


@pytest.mark.parametrize(
    ("cloud", "audience"),
    [("global", "api://AzureADTokenExchange"), ("usgov", "api://AzureADTokenExchangeUSGov")],
)
def test_github_gives_an_assertion_for_the_clouds_audience(
    login: Login, monkeypatch: pytest.MonkeyPatch, cloud: str, audience: str
) -> None:
    asked = github(monkeypatch, lambda: b'{"value": "assertion-of-the-job"}')

    fetch(source("github-oidc", ACTIONS, cloud=cloud, clientId=CLIENT))

    assert login.forms[0]["client_assertion"] == "assertion-of-the-job"
    [request] = asked
    assert urllib.parse.parse_qs(urllib.parse.urlsplit(request.full_url).query) == {
        "api-version": ["2"],
        "audience": [audience],
    }
    assert request.get_header("Authorization") == f"Bearer {SECRET}"


@pytest.mark.parametrize("answer", [b"", b"[]", b'{"value": ""}', b"<html>"])
def test_github_without_an_assertion_is_an_error(login: Login, monkeypatch: pytest.MonkeyPatch, answer: bytes) -> None:
    github(monkeypatch, lambda: answer)

    with pytest.raises(RemoteError, match="github-oidc"):
        fetch(source("github-oidc", ACTIONS, clientId=CLIENT))


def test_github_that_refuses_is_an_error(login: Login, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse() -> bytes:
        raise urllib.error.HTTPError("https://actions.example", 403, SECRET, email.message.Message(), None)

    github(monkeypatch, refuse)

    with pytest.raises(RemoteError, match="GitHub answered 403") as failed:
        fetch(source("github-oidc", ACTIONS, clientId=CLIENT))
    assert SECRET not in failed.value.message
    assert login.forms == []


FAILURES: list[tuple[str, dict[str, str], dict[str, str]]] = [
    ("client-secret", {}, {"clientId": CLIENT}),
    ("client-secret", {"AZURE_CLIENT_SECRET": ""}, {"clientId": CLIENT}),
    ("client-secret", {"AZURE_CLIENT_SECRET": SECRET}, {}),
    ("client-secret", {}, {"clientId": CLIENT, "secretFile": "/nowhere/secret"}),
    ("certificate", {}, {"clientId": CLIENT}),
    ("certificate", {}, {"clientId": CLIENT, "certificatePath": "/nowhere/certificate.pem"}),
    ("certificate", {}, {"clientId": CLIENT, "certificatePath": __file__}),
    ("certificate", {}, {"clientId": CLIENT, "certificatePath": __file__, "certificatePasswordVariable": "NOT_SET"}),
    ("workload-identity", {}, {"clientId": CLIENT}),
    ("workload-identity", {}, {"clientId": CLIENT, "tokenFile": "/nowhere/token"}),
    ("github-oidc", {}, {"clientId": CLIENT}),
    ("github-oidc", ACTIONS | {"ACTIONS_ID_TOKEN_REQUEST_URL": "http://actions.example"}, {"clientId": CLIENT}),
    ("azure-pipelines", {"SYSTEM_ACCESSTOKEN": SECRET}, {"clientId": CLIENT}),
    ("azure-pipelines", {"SYSTEM_ACCESSTOKEN": SECRET}, {"clientId": CLIENT, "serviceConnectionId": "c"}),
    ("environment", {}, {}),
    ("device-code", {}, {}),
    ("token", {}, {}),
    ("token", {"AZURE_CLIENT_SECRET": SECRET}, {"tokenVariable": "AZURE_CLIENT_SECRET"}),
    ("token", {}, {"tokenVariable": "TAPCTL_TOKEN"}),
    ("token", {"TAPCTL_TOKEN": "  "}, {"tokenVariable": "TAPCTL_TOKEN"}),
    ("token", {"TAPCTLTOKEN": "x"}, {"tokenVariable": "TAPCTLTOKEN"}),
    ("carrier-pigeon", {}, {}),
]


@pytest.mark.parametrize(("method", "environ", "options"), FAILURES)
def test_what_cannot_sign_in_says_why_and_what_to_do(
    login: Login,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    method: str,
    environ: dict[str, str],
    options: dict[str, str],
) -> None:
    for name in ("AZURE_CLIENT_ID", "AZURE_TENANT_ID", "AZURE_CLIENT_SECRET", "SYSTEM_OIDCREQUESTURI"):
        monkeypatch.delenv(name, raising=False)

    with caplog.at_level(logging.INFO), pytest.raises(RemoteError) as failed:
        fetch(source(method, environ, **options))

    assert failed.value.message
    assert failed.value.fix
    assert SECRET not in failed.value.message + failed.value.fix
    assert "\n" not in failed.value.message
    assert login.forms == []
    assert caplog.records == []


@pytest.mark.parametrize(
    "variable",
    ["AZURE_CLIENT_CERTIFICATE_PASSWORD", "AZURE_PASSWORD", "ACTIONS_ID_TOKEN_REQUEST_TOKEN", "SYSTEM_ACCESSTOKEN"],
)
def test_a_secret_that_this_method_does_not_use_is_not_quoted_either(login: Login, variable: str) -> None:
    login.token_answer = lambda: (401, {"error": "invalid_client", "error_description": f"AADSTS1: {SECRET}"})

    with pytest.raises(RemoteError, match=r"AADSTS1: \*\*\*") as failed:
        fetch(source("client-secret", {"AZURE_CLIENT_SECRET": "another", variable: SECRET}, clientId=CLIENT))

    assert SECRET not in failed.value.message


def test_a_refused_secret_is_not_quoted_even_when_the_login_quotes_it(
    login: Login, caplog: pytest.LogCaptureFixture
) -> None:
    said = f"AADSTS7000215: Invalid client secret provided: {SECRET}.\r\nTrace ID: 1"
    login.token_answer = lambda: (401, {"error": "invalid_client", "error_description": said})

    with caplog.at_level(logging.DEBUG), pytest.raises(RemoteError) as failed:
        fetch(source("client-secret", {"AZURE_CLIENT_SECRET": SECRET}, clientId=CLIENT))

    assert "ClientAuthenticationError" in failed.value.message
    assert "AADSTS7000215" in failed.value.message
    assert TENANT in failed.value.message
    assert SECRET not in failed.value.message
    assert failed.value.__cause__ is None
    assert SECRET not in caplog.text
    assert not [record for record in caplog.records if record.name.startswith(("azure", "msal", "urllib3"))]


def test_a_login_that_is_out_of_reach_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def unreachable(*_: object, **__: object) -> None:
        raise requests.ConnectionError(f"no route, {SECRET}")

    monkeypatch.setattr(requests.adapters.HTTPAdapter, "send", unreachable)
    monkeypatch.setattr("azure.core.pipeline.transport.RequestsTransport.sleep", lambda *_: None)

    with pytest.raises(RemoteError, match="no route") as failed:
        fetch(source("client-secret", {"AZURE_CLIENT_SECRET": SECRET}, clientId=CLIENT))
    assert SECRET not in failed.value.message


def test_renewing_does_not_answer_from_memory(login: Login) -> None:
    async def run() -> list[str]:
        of = source("client-secret", {"AZURE_CLIENT_SECRET": SECRET}, clientId=CLIENT)
        try:
            return [await of.fetch(), await of.fetch(), await of.fetch(renew=True), await of.fetch(claims='{"a":{}}')]
        finally:
            await of.close()

    assert asyncio.run(run()) == [jwt(n=1), jwt(n=1), jwt(n=2), jwt(n=3)]
    assert '"a"' in login.forms[-1]["claims"]


def test_the_token_method_needs_nothing_of_azure() -> None:
    script = (
        "import asyncio, sys\n"
        "from tapctl.graph.clouds import CLOUDS\n"
        "from tapctl.graph.credentials import credential_for\n"
        "from tapctl.model.desired import Authentication\n"
        "of = credential_for(Authentication('token', {'tokenVariable': 'TAPCTL_T'}), tenant_id='t',"
        " cloud=CLOUDS['global'], environ={'TAPCTL_T': 'abc'})\n"
        "assert asyncio.run(of.fetch()) == 'abc'\n"
        "print([name for name in sys.modules if name.split('.')[0] in ('azure', 'msal', 'httpx', 'msgraph')])\n"
    ).replace("Authentication('token', {", "Authentication(method='token', options={")

    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)

    assert result.stdout.strip() == "[]"


def test_every_method_has_its_options_in_the_table_of_the_docstring() -> None:
    import tapctl.graph.credentials as module

    table = module.__doc__ or ""
    for method, options in METHODS.items():
        assert f"`{method}`" in table
        for option in options:
            assert option in table
