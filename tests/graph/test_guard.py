"""The innermost layer by itself: whatever is above it, it sends nothing that it may not."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import httpx
import pytest

from tapctl.graph.address import Address
from tapctl.graph.guard import ForbiddenRequestError, GuardedTransport, is_reading_post
from tapctl.graph.usage import Meter

from .support import GRAPH, FakeClock, ScriptedGraph, ok


def send(method: str, url: str, *, writable: bool = False, **more: Any) -> ScriptedGraph:
    clock = FakeClock()
    graph = ScriptedGraph(lambda _: ok())
    guarded = GuardedTransport(
        graph, address=Address(root=GRAPH, graph=GRAPH), writable=writable, meter=Meter(clock), clock=clock
    )

    async def run() -> None:
        async with httpx.AsyncClient(transport=guarded) as client:
            await client.request(method, url, **more)

    try:
        asyncio.run(run())
    except ForbiddenRequestError:
        assert graph.sent == []
        raise
    return graph


def batch(*parts: dict[str, Any]) -> dict[str, Any]:
    return {"requests": [{"id": str(place), **part} for place, part in enumerate(parts, 1)]}


GROUP_PARTS = {"method": "GET", "url": "/groups/1"}


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("GET", "/v1.0/groups", {}),
        ("POST", "/v1.0/directoryObjects/getByIds", {"json": {}}),
        ("POST", "/beta/deviceManagement/reports/getConfigurationPolicyDevicesReport", {"json": {}}),
        ("POST", "/v1.0/$batch", {"json": batch(GROUP_PARTS)}),
        (
            "POST",
            "/v1.0/$batch",
            {"json": batch(GROUP_PARTS, {"method": "POST", "url": "/users/a@b/getMemberGroups", "body": {}})},
        ),
    ],
)
def test_what_reads_is_passed_on(method: str, path: str, more: dict[str, Any]) -> None:
    assert len(send(method, GRAPH + path, **more).sent) == 1


@pytest.mark.parametrize(
    ("method", "path", "more"),
    [
        ("PATCH", "/v1.0/groups/1", {"json": {}}),
        ("PUT", "/v1.0/groups/1", {"json": {}}),
        ("DELETE", "/v1.0/groups/1", {}),
        ("POST", "/v1.0/groups", {"json": {}}),
        ("POST", "/v1.0/groups/1/checkMemberGroups/extra", {"json": {}}),
        ("POST", "/v1.0/groups/1/members/$ref", {"json": {}}),
        ("POST", "/beta/deviceManagement/configurationPolicies/1/assign", {"json": {}}),
        ("POST", "/v1.0/users/1/authentication/temporaryAccessPassMethods", {"json": {}}),
        ("HEAD", "/v1.0/groups", {}),
        ("GET", "/v1.0/groups", {"headers": {"X-HTTP-Method-Override": "DELETE"}}),
        ("GET", "/v1.0/groups", {"headers": {"X-HTTP-Method": "DELETE"}}),
        ("GET", "/v1.0/groups", {"headers": {"X-Method-Override": "DELETE"}}),
        ("POST", "/v1.0/$batch", {"json": batch(GROUP_PARTS, {"method": "DELETE", "url": "/groups/1"})}),
        ("POST", "/v1.0/$batch", {"json": batch({"method": "POST", "url": "/groups", "body": {}})}),
        ("POST", "/v1.0/$batch", {"json": batch({"method": "POST", "url": "/$batch", "body": batch(GROUP_PARTS)})}),
        ("POST", "/v1.0/$batch", {"json": batch(GROUP_PARTS | {"headers": {"X-HTTP-Method": "PATCH"}})}),
    ],
)
def test_what_would_write_is_refused(method: str, path: str, more: dict[str, Any]) -> None:
    with pytest.raises(ForbiddenRequestError):
        send(method, GRAPH + path, **more)


def test_a_client_that_writes_may_write_but_not_in_a_batch() -> None:
    assert send("PATCH", f"{GRAPH}/v1.0/groups/1", writable=True, json={}).lines == ["PATCH /v1.0/groups/1"]
    with pytest.raises(ForbiddenRequestError):
        send("POST", f"{GRAPH}/v1.0/$batch", writable=True, json=batch({"method": "DELETE", "url": "/groups/1"}))


@pytest.mark.parametrize(
    "url",
    [
        "https://evil.example/v1.0/groups",
        "http://graph.microsoft.com/v1.0/groups",
        "https://graph.microsoft.com:8443/v1.0/groups",
        "https://graph.microsoft.com/v2.0/groups",
    ],
)
@pytest.mark.parametrize("writable", [False, True])
def test_nothing_goes_to_another_place(url: str, writable: bool) -> None:
    with pytest.raises(ForbiddenRequestError):
        send("GET", url, writable=writable)


@pytest.mark.parametrize(
    "path",
    [
        "/directoryObjects/getByIds",
        "/users/ada@contoso.com/checkMemberGroups",
        "/users('1')/microsoft.graph.checkMemberObjects",
        "/me/getMemberObjects",
        "/devices/1/getMemberGroups?x=y",
        "/deviceManagement/evaluateAssignmentFilter",
        "/deviceManagement/reports/getCachedReport",
        "/identity/conditionalAccess/evaluate",
    ],
)
def test_these_posts_only_read(path: str) -> None:
    assert is_reading_post(path)


@pytest.mark.parametrize(
    "path",
    [
        "/groups/1/checkMemberGroups/../members/$ref",
        "/directoryObjects/getByIds/x",
        "/deviceManagement/reports/exportJobs",
        "/deviceManagement/reports/cachedReportConfigurations",
        "/groups?x=/directoryObjects/getByIds",
        "/x/directoryObjects/getByIds",
        "",
    ],
)
def test_these_posts_may_write(path: str) -> None:
    assert not is_reading_post(path)


def test_the_log_says_what_was_sent_and_neither_query_nor_token(caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG, logger="tapctl"):
        send("GET", f"{GRAPH}/v1.0/users?$filter=secret-name", headers={"Authorization": "Bearer secret-token"})

    [record] = [record for record in caplog.records if record.name == "tapctl.graph"]
    assert record.getMessage().startswith("GET /v1.0/users: 200 request-id '-', ")
    assert "secret" not in record.getMessage()
