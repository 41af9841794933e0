"""Where each national cloud keeps Graph and its sign-in, and what differs between them.

Source: https://learn.microsoft.com/graph/deployments (2026-11-22).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal

from tapctl.model import desired
from tapctl.model.requests import Version


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """One national cloud. Tokens of one are worth nothing in another."""

    name: desired.Cloud
    graph: str
    """Graph's root without version: scheme and host."""
    authority: str
    """The login host, without scheme, as azure-identity wants it."""
    assertion_audience: str
    """The audience of a federated token (workload identity federation) that this cloud's login accepts."""
    tap_policy_version: Version = "v1.0"
    """The Graph version that has the TAP policy. China's v1.0 lacks it, its beta has it.
    Source: https://learn.microsoft.com/graph/api/temporaryaccesspassauthenticationmethodconfiguration-get"""
    audit_logs: Literal["documented", "undocumented"] = "documented"
    """Whether directoryAudits is documented for this cloud."""

    @property
    def scope(self) -> str:
        """What a token is asked for."""
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
                tap_policy_version="beta",
                audit_logs="undocumented",
            ),
            # The embedded tenant plays the global cloud; its transport never leaves the process, and nobody signs in.
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
