"""The hosts of Graph and of the login in each national cloud, and the differences between the clouds.

Source: https://learn.microsoft.com/graph/deployments (2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

from tapctl.model import desired


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """One national cloud. Tokens of one cloud are not valid in another."""

    name: desired.Cloud
    graph: str
    """Graph's root without version: scheme and host."""
    authority: str
    """The login host, without scheme, as azure-identity wants it."""
    assertion_audience: str
    """The audience of a federated token (workload identity federation) that this cloud's login accepts."""

    @property
    def scope(self) -> str:
        """The scope to request for a token."""
        return f"{self.graph}/.default"


CLOUDS: Mapping[str, Cloud] = MappingProxyType(
    {
        cloud.name: cloud
        for cloud in (
            Cloud(
                name="global",
                graph="https://graph.microsoft.com",
                authority="login.microsoftonline.com",
                assertion_audience="api://AzureADTokenExchange",
            ),
            Cloud(
                name="usgov",
                graph="https://graph.microsoft.us",
                authority="login.microsoftonline.us",
                assertion_audience="api://AzureADTokenExchangeUSGov",
            ),
            Cloud(
                name="usgov-dod",
                graph="https://dod-graph.microsoft.us",
                authority="login.microsoftonline.us",
                assertion_audience="api://AzureADTokenExchangeUSGov",
            ),
            Cloud(
                name="china",
                graph="https://microsoftgraph.chinacloudapi.cn",
                authority="login.chinacloudapi.cn",
                assertion_audience="api://AzureADTokenExchangeChina",
            ),
            # The embedded tenant acts as the global cloud; its transport never leaves the process, nobody signs in.
            Cloud(
                name="sandbox",
                graph="https://graph.microsoft.com",
                authority="login.microsoftonline.com",
                assertion_audience="api://AzureADTokenExchange",
            ),
        )
    }
)
"""Every value of `tenant.cloud`."""
