"""Signing in with every method of `tenant.auth`: from names of variables and files to a source of access tokens.

| method | options (* required) | defaults of the options |
|---|---|---|
| `default` | | azure-identity's own chain and variables |
| `environment` | | azure-identity's own variables (AZURE_CLIENT_ID, AZURE_CLIENT_SECRET, ...) |
| `client-secret` | clientId, secretVariable or secretFile | AZURE_CLIENT_ID, AZURE_CLIENT_SECRET |
| `certificate` | clientId, certificatePath | AZURE_CLIENT_ID, AZURE_CLIENT_CERTIFICATE_PATH |
| | certificatePasswordVariable, sendCertificateChain | no password, `false` |
| `workload-identity` | clientId, tokenFile | AZURE_CLIENT_ID, AZURE_FEDERATED_TOKEN_FILE |
| `github-oidc` | clientId, audience | AZURE_CLIENT_ID, the cloud's audience |
| `azure-pipelines` | clientId | AZURE_CLIENT_ID |
| | serviceConnectionId | AZURESUBSCRIPTION_SERVICE_CONNECTION_ID |
| | systemAccessTokenVariable | SYSTEM_ACCESSTOKEN |
| `managed-identity` | clientId | the system-assigned identity |
| `azure-cli` | | the account of `az login` |
| `device-code` | clientId* | |
| `token` | tokenVariable* | its name begins with TAPCTL_ |

`clientId` is the application's id and may stand in the YAML; secrets come only from variables and files, and no
message contains their values. azure-identity is imported when a method needs it, only the class that it needs; it runs
in a separate thread, since device-code has no asynchronous form and a thread can be left behind on an interrupt.
Source: https://learn.microsoft.com/python/api/azure-identity/azure.identity, version 1.27.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import threading
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Final

from tapctl.errors import RemoteError
from tapctl.graph.clouds import Cloud
from tapctl.graph.tokens import TokenSource
from tapctl.graph.untrusted import clean, parse_json
from tapctl.model.desired import Authentication

if TYPE_CHECKING:
    from azure.core.credentials import TokenCredential

SIGN_IN_SECONDS = 60.0
"""The seconds that signing in without a person may take."""
DEVICE_CODE_SECONDS = 900
"""The seconds that a person has to enter a device code."""
VARIABLE_PREFIX = "TAPCTL_"
"""Required, so that a pull request cannot use any environment variable as the bearer token."""

METHODS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "default": (),
        "environment": (),
        "client-secret": ("clientId", "secretVariable", "secretFile"),
        "certificate": ("clientId", "certificatePath", "certificatePasswordVariable", "sendCertificateChain"),
        "workload-identity": ("clientId", "tokenFile"),
        "github-oidc": ("clientId", "audience"),
        "azure-pipelines": ("clientId", "serviceConnectionId", "systemAccessTokenVariable"),
        "managed-identity": ("clientId",),
        "azure-cli": (),
        "device-code": ("clientId",),
        "token": ("tokenVariable",),
    }
)
"""Every value of `auth.method`, and the options that are allowed with it."""

_FIXES: Mapping[str, str] = MappingProxyType(
    {
        "default": "name one method in tenant.auth, or sign in with az login",
        "environment": "set AZURE_TENANT_ID, AZURE_CLIENT_ID and AZURE_CLIENT_SECRET or AZURE_CLIENT_CERTIFICATE_PATH",
        "client-secret": "check clientId, and that the secret is the current one of this application",
        "certificate": "check clientId, the certificate file and its password, and that the application knows it",
        "workload-identity": "check clientId, the token file, and the application's federated credential",
        "github-oidc": "give the job `permissions: id-token: write`, and the application a federated credential for it",
        "azure-pipelines": "run inside a pipeline that uses the service connection, and pass it System.AccessToken",
        "managed-identity": "run on a machine that has a managed identity, and check clientId",
        "azure-cli": "run az login --tenant with this tenant's id",
        "device-code": "open the page that is shown and enter the code before it expires",
        "token": "put a fresh access token for this tenant into the variable",
    }
)
_ENVIRONMENT_SECRETS = (
    "AZURE_CLIENT_SECRET",
    "AZURE_CLIENT_CERTIFICATE_PASSWORD",
    "AZURE_PASSWORD",
    "ACTIONS_ID_TOKEN_REQUEST_TOKEN",
    "SYSTEM_ACCESSTOKEN",
)

_TRANSPORT_LIMITS: Final = {"retry_total": 3, "connection_timeout": 15, "read_timeout": 30}
"""azure-core's own values are 10 retries and 300 s, too long for a waiting pipeline."""


def credential_for(
    authentication: Authentication, *, tenant_id: str, cloud: Cloud, environ: Mapping[str, str]
) -> TokenSource:
    """The source of tokens that `tenant.auth` describes. Nothing is read or sent before its first `fetch`.

    Raises:
        RemoteError: the method is not known.
    """
    method = authentication.method
    if method == "token":
        return VariableToken(authentication.options.get("tokenVariable", ""), environ)
    builder = _BUILDERS.get(method)
    if builder is None:
        raise RemoteError(f"auth.method {clean(method, 40)} is not known", fix=f"use one of {', '.join(METHODS)}")
    setting = _Setting(authentication, tenant_id, cloud, environ)
    return AzureCredential(setting, builder)


class VariableToken:
    """`method: token`: an existing bearer token, from a variable."""

    renewable = False

    def __init__(self, variable: str, environ: Mapping[str, str]) -> None:
        self._variable = variable
        self._environ = environ

    async def fetch(self, *, claims: str | None = None, renew: bool = False) -> str:  # noqa: ARG002 - a protocol
        """The variable's value.

        Raises:
            RemoteError: the variable may not be used, is not set or is empty.
        """
        name = clean(self._variable, 80)
        if not self._variable.startswith(VARIABLE_PREFIX):
            raise RemoteError(
                f"auth.tokenVariable is {name or 'not given'}",
                fix=f"name a variable that begins with {VARIABLE_PREFIX}",
            )
        token = self._environ.get(self._variable, "").strip()
        if not token:
            raise RemoteError(f"the variable {name} holds no access token", fix=_FIXES["token"])
        return token

    async def close(self) -> None:
        """Holds nothing open."""


class AzureCredential:
    """A source of tokens that uses a credential of azure-identity."""

    def __init__(self, setting: _Setting, build: Callable[[_Setting], TokenCredential]) -> None:
        self._setting = setting
        self._build = build
        self._credential: TokenCredential | None = None

    @property
    def renewable(self) -> bool:
        return self._setting.method != "device-code"

    async def fetch(self, *, claims: str | None = None, renew: bool = False) -> str:
        """A token, from azure-identity's cache where it has one.

        Raises:
            RemoteError: signing in failed; the message names the kind of failure and what to do, and no secret.
        """
        silence_libraries()
        limit = SIGN_IN_SECONDS if self.renewable else DEVICE_CODE_SECONDS + SIGN_IN_SECONDS
        try:
            async with asyncio.timeout(limit):
                return await _in_own_thread(lambda: self._fetch(claims, renew))
        except TimeoutError:
            raise self._setting.failure("TimeoutError", f"no answer within {limit:.0f} s") from None

    async def close(self) -> None:
        """Close the connections to the login host."""
        credential, self._credential = self._credential, None
        close = getattr(credential, "close", None)
        if close is not None:
            close()

    def _fetch(self, claims: str | None, renew: bool) -> str:
        from azure.core.exceptions import AzureError
        from cryptography.exceptions import UnsupportedAlgorithm

        try:
            if self._credential is None or (renew and not claims):
                # azure-identity answers from its cache; a new credential has an empty cache.
                self._credential = self._build(self._setting)
            options = self._setting.token_options(claims)
            return self._credential.get_token(self._setting.cloud.scope, **options).token
        except AzureError as error:
            raise self._setting.failure(type(error).__name__, error.message) from None
        except (OSError, ValueError, TypeError, UnsupportedAlgorithm) as error:
            # Unreadable files, certificates that cannot be parsed or need a password, invalid ids.
            text = error.strerror or "" if isinstance(error, OSError) else str(error)
            raise self._setting.failure(type(error).__name__, text) from None


@dataclass(frozen=True, slots=True)
class _Setting:
    """The inputs of a credential."""

    authentication: Authentication
    tenant_id: str
    cloud: Cloud
    environ: Mapping[str, str]
    used: set[str] = field(default_factory=set)
    """The secrets that were read; they are removed from every message."""

    @property
    def method(self) -> str:
        return self.authentication.method

    def option(self, name: str, variable: str = "") -> str:
        """An option, else the value of the variable that usually holds it.

        Raises:
            RemoteError: neither is set.
        """
        value = self.authentication.options.get(name) or (self.environ.get(variable, "") if variable else "")
        if not value:
            elsewhere = f", or set {variable}" if variable else ""
            raise RemoteError(f"signing in with {self.method} needs auth.{name}", fix=f"give auth.{name}{elsewhere}")
        return value

    def secret(self, option: str, variable: str) -> str:
        """The secret in the variable that an option names.

        Raises:
            RemoteError: the variable is not set, or empty.
        """
        name = self.authentication.options.get(option, variable)
        value = self.environ.get(name, "")
        if not value:
            raise RemoteError(
                f"the variable {clean(name, 80)} holds no secret", fix=f"set it, or name another in {option}"
            )
        self.used.add(value)
        return value

    def secret_file(self, path: str) -> str:
        """The secret in a file, without surrounding white space.

        Raises:
            RemoteError: the file is not readable, or empty.
        """
        try:
            value = Path(path).read_text("utf-8").strip()
        except OSError as error:
            raise self.failure(type(error).__name__, f"{path}: {error.strerror}") from None
        except ValueError:
            raise self.failure("UnicodeDecodeError", f"{path} is not text") from None
        if not value:
            raise self.failure("ValueError", f"{path} is empty")
        self.used.add(value)
        return value

    def token_options(self, claims: str | None) -> dict[str, Any]:
        options: dict[str, Any] = {"claims": claims, "enable_cae": True}
        if self.method in ("default", "environment"):
            # They take the tenant from the environment; a multi-tenant application must sign in to this tenant.
            options["tenant_id"] = self.tenant_id
        return options

    def failure(self, kind: str, text: str) -> RemoteError:
        """The error for a failed sign-in, without any secret that this method may have used."""
        for secret in self._secrets():
            text = text.replace(secret, "***")
        said = clean(text)
        message = f"signing in to tenant {self.tenant_id} with {self.method} failed ({kind})"
        return RemoteError(f"{message}: {said}" if said else message, fix=_FIXES[self.method])

    def _secrets(self) -> list[str]:
        known = {self.environ.get(name, "") for name in _ENVIRONMENT_SECRETS}
        return sorted((known | self.used) - {""}, key=len, reverse=True)


def _default(setting: _Setting) -> TokenCredential:
    from azure.identity import DefaultAzureCredential

    return DefaultAzureCredential(
        authority=setting.cloud.authority, additionally_allowed_tenants=[setting.tenant_id], **_TRANSPORT_LIMITS
    )


def _environment(setting: _Setting) -> TokenCredential:
    from azure.identity import EnvironmentCredential

    return EnvironmentCredential(
        authority=setting.cloud.authority, additionally_allowed_tenants=[setting.tenant_id], **_TRANSPORT_LIMITS
    )


def _client_secret(setting: _Setting) -> TokenCredential:
    from azure.identity import ClientSecretCredential

    path = setting.authentication.options.get("secretFile")
    secret = setting.secret_file(path) if path else setting.secret("secretVariable", "AZURE_CLIENT_SECRET")
    client_id = setting.option("clientId", "AZURE_CLIENT_ID")
    return ClientSecretCredential(
        setting.tenant_id, client_id, secret, authority=setting.cloud.authority, **_TRANSPORT_LIMITS
    )


def _certificate(setting: _Setting) -> TokenCredential:
    from azure.identity import CertificateCredential

    options = setting.authentication.options
    password = setting.secret("certificatePasswordVariable", "") if "certificatePasswordVariable" in options else None
    return CertificateCredential(
        setting.tenant_id,
        setting.option("clientId", "AZURE_CLIENT_ID"),
        setting.option("certificatePath", "AZURE_CLIENT_CERTIFICATE_PATH"),
        password=password,
        send_certificate_chain=options.get("sendCertificateChain", "false").lower() == "true",
        authority=setting.cloud.authority,
        **_TRANSPORT_LIMITS,
    )


def _workload_identity(setting: _Setting) -> TokenCredential:
    from azure.identity import WorkloadIdentityCredential

    return WorkloadIdentityCredential(
        tenant_id=setting.tenant_id,
        client_id=setting.option("clientId", "AZURE_CLIENT_ID"),
        token_file_path=setting.option("tokenFile", "AZURE_FEDERATED_TOKEN_FILE"),
        authority=setting.cloud.authority,
        **_TRANSPORT_LIMITS,
    )


def _github_oidc(setting: _Setting) -> TokenCredential:
    from azure.identity import ClientAssertionCredential

    client_id = setting.option("clientId", "AZURE_CLIENT_ID")
    return ClientAssertionCredential(
        setting.tenant_id,
        client_id,
        lambda: github_assertion(setting),
        authority=setting.cloud.authority,
        **_TRANSPORT_LIMITS,
    )


def _azure_pipelines(setting: _Setting) -> TokenCredential:
    from azure.identity import AzurePipelinesCredential

    return AzurePipelinesCredential(
        tenant_id=setting.tenant_id,
        client_id=setting.option("clientId", "AZURE_CLIENT_ID"),
        service_connection_id=setting.option("serviceConnectionId", "AZURESUBSCRIPTION_SERVICE_CONNECTION_ID"),
        system_access_token=setting.secret("systemAccessTokenVariable", "SYSTEM_ACCESSTOKEN"),
        authority=setting.cloud.authority,
        **_TRANSPORT_LIMITS,
    )


def _managed_identity(setting: _Setting) -> TokenCredential:
    from azure.identity import ManagedIdentityCredential

    return ManagedIdentityCredential(client_id=setting.authentication.options.get("clientId"))


def _azure_cli(setting: _Setting) -> TokenCredential:
    from azure.identity import AzureCliCredential

    return AzureCliCredential(tenant_id=setting.tenant_id, process_timeout=30)


def _device_code(setting: _Setting) -> TokenCredential:
    from azure.identity import DeviceCodeCredential

    return DeviceCodeCredential(
        setting.option("clientId"),
        tenant_id=setting.tenant_id,
        authority=setting.cloud.authority,
        timeout=DEVICE_CODE_SECONDS,
        prompt_callback=_show_device_code,
        **_TRANSPORT_LIMITS,
    )


_BUILDERS: Mapping[str, Callable[[_Setting], TokenCredential]] = MappingProxyType(
    {
        "default": _default,
        "environment": _environment,
        "client-secret": _client_secret,
        "certificate": _certificate,
        "workload-identity": _workload_identity,
        "github-oidc": _github_oidc,
        "azure-pipelines": _azure_pipelines,
        "managed-identity": _managed_identity,
        "azure-cli": _azure_cli,
        "device-code": _device_code,
    }
)


def _show_device_code(page: str, code: str, expires: datetime) -> None:
    """azure-identity would print to stdout, which is only for results."""
    moment = expires.astimezone().strftime("%H:%M")
    sys.stderr.write(f"To sign in, open {clean(page, 200)} and enter the code {clean(code, 40)} before {moment}.\n")
    sys.stderr.flush()


def github_assertion(setting: _Setting) -> str:
    """The OIDC token of the running GitHub Actions job, for the cloud's login.

    Source: https://docs.github.com/actions/reference/security/oidc (2026-11-22).

    Raises:
        RemoteError: this is not such a job, it may not request tokens, or the answer cannot be read.
    """
    url = setting.environ.get("ACTIONS_ID_TOKEN_REQUEST_URL", "")
    bearer = setting.environ.get("ACTIONS_ID_TOKEN_REQUEST_TOKEN", "")
    if not (url and bearer):
        raise setting.failure("CredentialUnavailableError", "this is not a GitHub Actions job that may request tokens")
    parts = urllib.parse.urlsplit(url)
    if parts.scheme != "https":
        raise setting.failure("ValueError", "ACTIONS_ID_TOKEN_REQUEST_URL is not https")
    audience = setting.authentication.options.get("audience") or setting.cloud.assertion_audience
    query = f"{parts.query}&" if parts.query else ""
    asked = parts._replace(query=query + urllib.parse.urlencode({"audience": audience})).geturl()
    request = urllib.request.Request(asked, headers={"Authorization": f"Bearer {bearer}"})  # noqa: S310 - https, above
    try:
        with urllib.request.build_opener(_NoRedirect).open(request, timeout=30) as response:
            answer = parse_json(response.read(1_000_000))
    except urllib.error.HTTPError as error:
        raise setting.failure("HTTPError", f"GitHub answered {error.code}") from None
    except (OSError, ValueError) as error:
        raise setting.failure(type(error).__name__, "GitHub gave no OIDC token") from None
    token = answer.get("value") if isinstance(answer, dict) else None
    if not isinstance(token, str) or not token:
        raise setting.failure("ValueError", "GitHub's answer holds no OIDC token")
    return token


class _NoRedirect(urllib.request.HTTPRedirectHandler):
    """Redirects are refused: the job's bearer token is sent to no other host."""

    def redirect_request(self, *_: object, **__: object) -> None:
        return None


async def _in_own_thread(fetch: Callable[[], str]) -> str:
    """Run a blocking call in a daemon thread: unlike a thread pool, it does not keep an interrupted program alive."""
    loop = asyncio.get_running_loop()
    result: asyncio.Future[str] = loop.create_future()

    def settle(token: str, error: BaseException | None) -> None:
        if result.done():
            return
        if error is not None:
            result.set_exception(error)
        else:
            result.set_result(token)

    def run() -> None:
        token, error = "", None
        try:
            token = fetch()
        except BaseException as failed:  # noqa: BLE001 - not swallowed: raised again in the thread that waits
            error = failed
        with contextlib.suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, token, error)

    threading.Thread(target=run, name="tapctl-sign-in", daemon=True).start()
    return await result


def silence_libraries() -> None:
    """Keep the libraries' own log lines out of tapctl's log: the error already contains what they report."""
    for name in ("azure", "msal", "msal_extensions", "urllib3"):
        logging.getLogger(name).setLevel(logging.CRITICAL)
