"""Microsoft's typed clients against a loopback port. Their modules are loaded by name: the beta SDK may be missing."""

from __future__ import annotations

import importlib
import re
from typing import Any

import httpx
from kiota_abstractions.authentication import AuthenticationProvider
from kiota_abstractions.request_information import RequestInformation

VERSIONS = {"msgraph": "v1.0", "msgraph_beta": "beta"}
"""The package that is typed for a version of Graph."""


class StaticToken(AuthenticationProvider):
    """Signs every request with one token."""

    def __init__(self, token: str) -> None:
        self._token = token

    async def authenticate_request(
        self,
        request: RequestInformation,
        additional_authentication_context: dict[str, Any] | None = None,
    ) -> None:
        request.headers.try_add("Authorization", f"Bearer {self._token}")


class TypedClient:
    """One SDK: `graph` is its GraphServiceClient, `model` its typed models by name."""

    def __init__(self, package: str, url: str, token: str, http: httpx.AsyncClient) -> None:
        self.package = package
        sdk = importlib.import_module(package)
        self.adapter = sdk.GraphRequestAdapter(StaticToken(token), client=http)
        self.adapter.base_url = f"{url}/{VERSIONS[package]}"
        self.graph = sdk.GraphServiceClient(request_adapter=self.adapter)

    def model(self, name: str, /, **properties: Any) -> Any:
        """A typed model with these properties; each class lives in a module of its own."""
        return self.type(f"models.{_snake(name)}", name)(**properties)

    def type(self, module: str, name: str) -> Any:
        """A class of a module below `generated`."""
        return getattr(importlib.import_module(f"{self.package}.generated.{module}"), name)

    def option(self, enumeration: str, name: str) -> Any:
        """A member of a typed enumeration."""
        return self.type(f"models.{_snake(enumeration)}", enumeration)[name]

    @property
    def error(self) -> Any:
        """What the SDK raises for an error of Graph."""
        return self.type("models.o_data_errors.o_data_error", "ODataError")


def _snake(name: str) -> str:
    return re.sub(r"(?<!^)(?=[A-Z])", "_", name).lower()
