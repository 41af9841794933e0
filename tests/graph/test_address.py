"""TAPCTL_GRAPH_URL: where a token may go, and where it may not."""

from __future__ import annotations

import pytest

from tapctl.errors import RefusedError
from tapctl.graph.address import address_of
from tapctl.graph.clouds import CLOUDS

GLOBAL = CLOUDS["global"]


@pytest.mark.parametrize(
    ("override", "method", "root"),
    [
        (None, "default", "https://graph.microsoft.com"),
        ("", "default", "https://graph.microsoft.com"),
        ("http://127.0.0.1:8080", "default", "http://127.0.0.1:8080"),
        ("http://127.0.0.1:8080/", "default", "http://127.0.0.1:8080"),
        ("http://127.9.9.9", "client-secret", "http://127.9.9.9"),
        ("http://localhost:1", "default", "http://localhost:1"),
        ("http://LOCALHOST:1", "default", "http://localhost:1"),
        ("http://[::1]:8080/graph/", "default", "http://[::1]:8080/graph"),
        ("https://127.0.0.1:8080", "default", "https://127.0.0.1:8080"),
        ("https://proxy.example/graph", "token", "https://proxy.example/graph"),
    ],
)
def test_these_roots_are_used(override: str | None, method: str, root: str) -> None:
    assert address_of(GLOBAL, override, method=method).root == root


@pytest.mark.parametrize(
    ("override", "method"),
    [
        ("http://proxy.example", "token"),
        ("http://10.0.0.1", "token"),
        ("http://localhost.evil.example", "token"),
        ("http://127.0.0.1.evil.example", "token"),
        ("http://[::ffff:127.0.0.1]", "token"),
        ("http://2130706433", "token"),
        ("https://proxy.example", "default"),
        ("https://proxy.example", "client-secret"),
        ("https://user:hunter2@proxy.example", "token"),
        ("http://hunter2@127.0.0.1", "token"),
        ("http://127.0.0.1?x=hunter2", "token"),
        ("http://127.0.0.1?", "token"),
        ("http://127.0.0.1#hunter2", "token"),
        ("http://127.0.0.1/v1.0", "token"),
        ("http://127.0.0.1/beta/", "token"),
        ("http://127.0.0.1:port", "token"),
        ("http://127.0.0.1:99999", "token"),
        ("http://[::1", "token"),
        ("http://127.0.0.1 /x", "token"),
        ("http://127.0.0.1/\x1b", "token"),
        ("http://127.0.0.1/a/../b", "token"),
        ("ftp://127.0.0.1", "token"),
        ("127.0.0.1:8080", "token"),
        ("localhost", "token"),
        ("http://", "token"),
    ],
)
def test_these_are_refused_without_being_quoted(override: str, method: str) -> None:
    with pytest.raises(RefusedError, match="TAPCTL_GRAPH_URL") as refused:
        address_of(GLOBAL, override, method=method)

    assert refused.value.fix
    assert "hunter2" not in refused.value.message + refused.value.fix


def test_every_cloud_has_hosts_of_its_own() -> None:
    assert {name: cloud.scope for name, cloud in CLOUDS.items()} == {
        "global": "https://graph.microsoft.com/.default",
        "usgov": "https://graph.microsoft.us/.default",
        "usgov-dod": "https://dod-graph.microsoft.us/.default",
        "china": "https://microsoftgraph.chinacloudapi.cn/.default",
        "sandbox": "https://graph.microsoft.com/.default",
    }


@pytest.mark.parametrize(
    "url",
    [
        "https://proxy.example/v1.0/groups",
        "https://proxy.example/graphite/v1.0/groups",
        "https://proxy.example/graph",
        "https://somebody@proxy.example/graph/v1.0/groups",
        "https://proxy.example/graph/v1.0/groups#here",
        "https://proxy.example:8443/graph/v1.0/groups",
        "http://proxy.example/graph/v1.0/groups",
        "https://[proxy.example/graph/v1.0/groups",
    ],
)
def test_nothing_but_what_is_below_the_root_gets_a_token_or_is_followed(url: str) -> None:
    address = address_of(GLOBAL, "https://proxy.example/graph", method="token")

    assert not address.holds(url)
    assert address.follow(url) is None


@pytest.mark.parametrize("path", ["v1.0/../secret", "v1.0/%2e%2e/secret", "v1.0/.%2E/secret", "v1.0/..\\secret"])
def test_a_link_that_climbs_is_not_followed(path: str) -> None:
    address = address_of(GLOBAL, "https://proxy.example/graph", method="token")

    assert address.follow(f"https://proxy.example/graph/{path}") is None
