"""Writes: sent alone, sent again only when they were certainly not carried out."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from tapctl.errors import RemoteError
from tapctl.graph.guard import ForbiddenRequestError
from tapctl.model.requests import Answer, Problem, ProblemKind, Reply, Write

from .support import FakeClock, Responder, ScriptedGraph, Tokens, client_of, failed, get, in_turn, jwt, ok, patch


def write(respond: Responder, request: Write | None = None, **more: Any) -> tuple[Reply, ScriptedGraph]:
    graph = ScriptedGraph(respond)

    async def run() -> Reply:
        async with client_of(graph, writable=True, **more) as client:
            return await client.write(request or patch())

    return asyncio.run(run()), graph


def test_a_write_carries_its_body_and_its_headers() -> None:
    request = patch(headers={"Prefer": "create-if-missing", "x-msft-approval-justification": "YQ=="})

    outcome, graph = write(in_turn(httpx.Response(204)), request)

    assert outcome == Answer(204, None, {})
    [sent] = graph.sent
    assert (sent.method, sent.content) == ("PATCH", b'{"displayName":"x"}')
    assert sent.headers["content-type"] == "application/json"
    assert sent.headers["prefer"] == "create-if-missing"
    assert sent.headers["x-msft-approval-justification"] == "YQ=="


def test_a_write_without_body_has_none() -> None:
    _, graph = write(in_turn(httpx.Response(204)), patch(method="DELETE", body=None))

    assert graph.sent[0].content == b""
    assert "content-type" not in graph.sent[0].headers


def test_a_throttled_write_is_waited_for_and_sent_again() -> None:
    clock = FakeClock()

    outcome, graph = write(in_turn(failed(429, Retry_After="5"), ok({"id": "1"})), clock=clock)

    assert isinstance(outcome, Answer)
    assert clock.slept == [5.0]
    assert len(graph.sent) == 2


def test_a_write_that_never_reached_graph_is_sent_again() -> None:
    outcome, graph = write(in_turn(httpx.ConnectError("refused"), ok()))

    assert isinstance(outcome, Answer)
    assert len(graph.sent) == 2


def test_a_write_that_never_reached_graph_at_all_is_not_ambiguous() -> None:
    outcome, _ = write(lambda _: httpx.ConnectError("refused"))

    assert isinstance(outcome, Problem)
    assert (outcome.kind, outcome.ambiguous) == (ProblemKind.CONNECTION, False)


AMBIGUOUS = [
    (failed(500), ProblemKind.SERVER),
    (failed(502), ProblemKind.SERVER),
    (failed(503, Retry_After="1"), ProblemKind.SERVER),
    (failed(504), ProblemKind.SERVER),
    (httpx.ReadError("reset"), ProblemKind.CONNECTION),
    (httpx.RemoteProtocolError("closed"), ProblemKind.CONNECTION),
    (httpx.WriteError("broken pipe"), ProblemKind.CONNECTION),
    (httpx.ReadTimeout("slow"), ProblemKind.TIMEOUT),
    (httpx.Response(200, html="<html></html>"), ProblemKind.MALFORMED),
    (httpx.Response(302, headers={"location": "/"}), ProblemKind.MALFORMED),
]


@pytest.mark.parametrize(("answer", "kind"), AMBIGUOUS)
def test_a_write_that_may_have_happened_is_ambiguous_and_never_sent_again(
    answer: httpx.Response | Exception, kind: ProblemKind
) -> None:
    outcome, graph = write(lambda _: answer)

    assert isinstance(outcome, Problem)
    assert (outcome.kind, outcome.ambiguous) == (kind, True)
    assert len(graph.sent) == 1


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, ProblemKind.REFUSED),
        (403, ProblemKind.DENIED),
        (404, ProblemKind.NOT_FOUND),
        (409, ProblemKind.CONFLICT),
        (412, ProblemKind.CONFLICT),
        (423, ProblemKind.CONFLICT),
    ],
)
def test_a_write_that_was_refused_is_certain_and_never_sent_again(status: int, kind: ProblemKind) -> None:
    outcome, graph = write(lambda _: failed(status, X_MSFT_Approval_Code="abc"))

    assert isinstance(outcome, Problem)
    assert (outcome.kind, outcome.ambiguous, outcome.status) == (kind, False, status)
    assert outcome.headers["x-msft-approval-code"] == "abc"
    assert len(graph.sent) == 1


def test_a_write_whose_token_was_refused_is_sent_again_with_another() -> None:
    source = Tokens((jwt(n=1), jwt(n=2)))

    outcome, graph = write(in_turn(failed(401), httpx.Response(204)), source=source)

    assert isinstance(outcome, Answer)
    assert graph.sent[1].headers["authorization"] == f"Bearer {jwt(n=2)}"


def test_a_write_after_the_time_limit_is_not_sent() -> None:
    clock = FakeClock()
    graph = ScriptedGraph(lambda _: ok())

    async def run() -> Reply:
        async with client_of(graph, writable=True, clock=clock, total_seconds=5.0) as client:
            await client.authenticate()
            clock.elapsed += 5.0
            return await client.write(patch())

    outcome = asyncio.run(run())
    assert isinstance(outcome, Problem)
    assert (outcome.kind, outcome.ambiguous) == (ProblemKind.TIMEOUT, False)
    assert graph.sent == []


def test_a_client_that_reads_refuses_a_write_before_sending_it() -> None:
    graph = ScriptedGraph(lambda _: ok())

    async def run() -> None:
        async with client_of(graph) as client:
            with pytest.raises(ForbiddenRequestError, match="only reads"):
                await client.write(patch())

    asyncio.run(run())
    assert graph.sent == []


@pytest.mark.parametrize("writable", [False, True])
def test_a_read_that_is_no_reading_post_is_refused_before_sending_it(writable: bool) -> None:
    graph = ScriptedGraph(lambda _: ok())

    async def run() -> None:
        async with client_of(graph, writable=writable) as client:
            with pytest.raises(ForbiddenRequestError):
                await client.read([get("/groups", method="POST", body={})])

    asyncio.run(run())
    assert graph.sent == []


def test_reading_posts_travel_alone_and_in_batches() -> None:
    graph = ScriptedGraph(lambda _: ok({"value": ["1"]}))
    read = get("/users/1/checkMemberGroups", method="POST", body={"groupIds": ["1"]})

    async def run() -> list[Reply]:
        async with client_of(graph) as client:
            return [*await client.read([read]), *await client.read([read, get("/2")])]

    asyncio.run(run())
    assert graph.lines == ["POST /v1.0/users/1/checkMemberGroups", "POST /v1.0/$batch"]
    assert graph.sent[0].content == b'{"groupIds":["1"]}'
    assert b'"Content-Type":"application/json"' in graph.sent[1].content


def test_a_write_without_a_token_is_a_problem_and_not_sent() -> None:
    outcome, graph = write(lambda _: ok(), source=Tokens(("no token",)))

    assert isinstance(outcome, Problem)
    assert (outcome.kind, outcome.ambiguous) == (ProblemKind.AUTHENTICATION, False)
    assert graph.sent == []


def test_signing_in_after_the_time_limit_is_an_error_and_asks_nobody() -> None:
    clock, source = FakeClock(), Tokens()

    async def run() -> None:
        async with client_of(ScriptedGraph(lambda _: ok()), clock=clock, source=source, total_seconds=5.0) as client:
            clock.elapsed += 6.0
            await client.authenticate()

    with pytest.raises(RemoteError, match="--timeout"):
        asyncio.run(run())
    assert source.asked == []
