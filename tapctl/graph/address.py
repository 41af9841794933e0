"""The address of Graph: its root, an override of it, and whether a link from Graph may be followed."""

from __future__ import annotations

import ipaddress
from dataclasses import dataclass
from typing import get_args
from urllib.parse import SplitResult, urlsplit

from tapctl.errors import RefusedError
from tapctl.graph.clouds import Cloud
from tapctl.model.requests import Version

OVERRIDE_VARIABLE = "TAPCTL_GRAPH_URL"
VERSIONS: tuple[Version, ...] = get_args(Version)


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """The root URL of all requests, and the root URL that Graph uses in its own links."""

    root: str
    """Scheme, host and, for a proxy, a path; without version and without a slash at the end."""
    graph: str
    """The cloud's real Graph root: a link below it is requested below `root` instead."""

    def url(self, version: Version, path: str) -> str:
        """The absolute address of a path below a version."""
        return f"{self.root}/{version}{path}"

    def follow(self, link: str) -> tuple[Version, str] | None:
        """Version and path of an absolute link below this address, unchanged; None for any other link."""
        for root in (self.root, self.graph):
            below = _below(root, link)
            if below is None:
                continue
            for version in VERSIONS:
                if below.startswith(f"/{version}/") and not _climbs(below):
                    return version, below.removeprefix(f"/{version}")
        return None

    def holds(self, url: str) -> bool:
        """Whether a URL is below this address. Tokens are sent to such URLs only."""
        return _below(self.root, url) is not None

    @property
    def is_loopback(self) -> bool:
        return _is_loopback(urlsplit(self.root).hostname or "")


def address_of(cloud: Cloud, override: str | None, *, method: str) -> Address:
    """The address of a cloud, or the one in TAPCTL_GRAPH_URL.

    Args:
        override: the variable's value; None or empty when it is not set.
        method: `auth.method` of the identity that signs in.

    Raises:
        RefusedError: the override would send a token where it must not go, or is not a root. Its value is not quoted:
            it may contain a password.
    """
    if not override:
        return Address(root=cloud.graph, graph=cloud.graph)
    url = _split(override)
    _refuse_if(url.scheme not in ("http", "https") or not url.hostname, "is not an http or https address")
    _refuse_if("@" in url.netloc, "contains a user name or password")
    _refuse_if(bool(url.query or url.fragment) or override.endswith(("?", "#")), "contains a query or fragment")
    path = url.path.rstrip("/")
    _refuse_if(
        path.rpartition("/")[2].lower() in VERSIONS,
        "ends with a version",
        "give the root alone; tapctl adds v1.0 and beta",
    )
    _refuse_if(_climbs(f"{path}/"), "has a path that leads upwards")
    if not _is_loopback(url.hostname or ""):
        _refuse_if(url.scheme != "https", "is http on a host that is not loopback", "use https, or a loopback address")
        _refuse_if(
            method != "token",
            f"is not a Microsoft host, and auth.method {method} would send a Microsoft token to it",
            "use auth: {method: token, tokenVariable: TAPCTL_...}, or unset the variable",
        )
    return Address(root=f"{url.scheme}://{url.netloc.lower()}{path}", graph=cloud.graph)


def _split(override: str) -> SplitResult:
    _refuse_if(
        any(character.isspace() or not character.isprintable() for character in override),
        "contains white space or control characters",
    )
    try:
        url = urlsplit(override)
        url.port  # noqa: B018 - reading it is what checks it
    except ValueError:
        raise _refusal("is not an address", _FIX) from None
    return url


_FIX = "give the root of a Graph without version, such as http://127.0.0.1:8080"


def _refuse_if(wrong: bool, what: str, fix: str = _FIX) -> None:
    if wrong:
        raise _refusal(what, fix)


def _refusal(what: str, fix: str) -> RefusedError:
    return RefusedError(f"{OVERRIDE_VARIABLE} {what}", fix=fix)


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return False
    return address.is_loopback and (address.version == 4 or address == ipaddress.IPv6Address("::1"))


def _below(root: str, link: str) -> str | None:
    """What follows `root` in an absolute link of the same scheme, host and port; None for any other link."""
    try:
        ours, theirs = urlsplit(root), urlsplit(link)
        if (ours.scheme, ours.hostname, _port(ours)) != (theirs.scheme, theirs.hostname, _port(theirs)):
            return None
    except ValueError:
        return None
    if "@" in theirs.netloc or theirs.fragment or not theirs.path.startswith(f"{ours.path}/"):
        return None
    return theirs.path.removeprefix(ours.path) + (f"?{theirs.query}" if theirs.query else "")


def _port(url: SplitResult) -> int | None:
    return url.port or {"http": 80, "https": 443}.get(url.scheme)


def _climbs(path: str) -> bool:
    """Whether a path contains `..`, escaped or not: it would leave the root after the check."""
    segments = path.partition("?")[0].replace("\\", "/").lower().replace("%2e", ".").split("/")
    return any(segment in (".", "..") for segment in segments)
