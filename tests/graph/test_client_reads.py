"""Reads: what travels together, what is sent again, what is never taken for an answer."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Sequence
from typing import Any, get_args

import httpx
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tapctl.errors import RemoteError
from tapctl.graph.batch import LIMIT
from tapctl.model.requests import Answer, Problem, ProblemKind, Read, Reply, Version

from .support import (
    GRAPH,
    FakeClock,
    Responder,
    ScriptedGraph,
    Tokens,
    batch_answer,
    batch_parts,
    client_of,
    error_body,
    failed,
    get,
    in_turn,
    jwt,
    ok,
    part,
)


def read(respond: Responder, *reads: Read, clock: FakeClock | None = None, **more: Any) -> list[Reply]:
    async def run() -> list[Reply]:
        async with client_of(ScriptedGraph(respond), clock=clock, **more) as client:
            return await client.read(reads)

    return asyncio.run(run())


def problem(outcome: Reply) -> Problem:
    assert isinstance(outcome, Problem), outcome
    return outcome


def answer(outcome: Reply) -> Answer:
    assert isinstance(outcome, Answer), outcome
    return outcome


def test_a_read_alone_is_sent_as_itself() -> None:
    graph = ScriptedGraph(in_turn(ok({"id": "1"})))

    async def run() -> None:
        async with client_of(graph) as client:
            [outcome] = await client.read(
                [get("/groups?$filter=id%20eq%20'1'", headers={"ConsistencyLevel": "eventual"})]
            )
            assert answer(outcome).body == {"id": "1"}
            usage = client.usage()
            assert (usage.requests, usage.calls, usage.round_trips, usage.throttled) == (1, 1, 1, 0)

    asyncio.run(run())
    assert graph.lines == ["GET /v1.0/groups?$filter=id%20eq%20'1'"]
    headers = graph.sent[0].headers
    assert headers["authorization"] == f"Bearer {jwt()}"
    assert headers["consistencylevel"] == "eventual"
    assert headers["user-agent"].startswith("tapctl/")
    assert headers["client-request-id"]


def test_reads_of_two_versions_are_two_batches_side_by_side_in_one_round_trip() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return batch_answer(part(each["id"], {"path": each["url"]}) for each in reversed(batch_parts(request)))

    graph = ScriptedGraph(respond)

    async def run() -> None:
        async with client_of(graph) as client:
            reads = [get("/a"), get("/b", version="beta"), get("/c"), get("/d", version="beta")]
            outcomes = await client.read(reads)
            assert [answer(outcome).body for outcome in outcomes] == [{"path": each.path} for each in reads]
            usage = client.usage()
            assert (usage.requests, usage.calls, usage.round_trips) == (4, 2, 1)

    asyncio.run(run())
    assert sorted(graph.lines) == ["POST /beta/$batch", "POST /v1.0/$batch"]


def test_calls_one_after_another_are_a_chain_of_round_trips() -> None:
    async def run() -> None:
        async with client_of(ScriptedGraph(lambda _: ok())) as client:
            await client.read([get("/a")])
            await client.read([get("/b"), get("/c", version="beta")])
            await client.read([get("/d")])
            assert client.usage().round_trips == 3
            assert client.usage().calls == 4

    asyncio.run(run())


def test_no_reads_cost_nothing() -> None:
    assert read(in_turn()) == []


@st.composite
def mixed_reads(draw: st.DrawFn) -> list[Read]:
    versions = draw(st.lists(st.sampled_from(get_args(Version)), min_size=1, max_size=70))
    return [get(f"/things/{index}", version=version) for index, version in enumerate(versions)]


@given(reads=mixed_reads(), order=st.randoms(use_true_random=False))
def test_any_mix_of_reads_comes_back_in_order_whatever_order_the_parts_return_in(reads: list[Read], order: Any) -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        version = request.url.path.split("/")[1]
        if request.method == "GET":
            return ok({"is": [version, request.url.path.removeprefix(f"/{version}")]})
        parts = batch_parts(request)
        assert 2 <= len(parts) <= LIMIT
        answers = [part(each["id"], {"is": [version, each["url"]]}) for each in parts]
        order.shuffle(answers)
        return batch_answer(answers)

    outcomes = read(respond, *reads)

    assert [answer(outcome).body for outcome in outcomes] == [{"is": [each.version, each.path]} for each in reads]


def test_only_the_throttled_parts_of_a_batch_are_sent_again_after_the_longest_wait_told() -> None:
    clock = FakeClock()
    graph = ScriptedGraph(
        in_turn(
            batch_answer(
                [
                    part("2", error_body("TooManyRequests"), 429, Retry_After="3"),
                    part("3", error_body("TooManyRequests"), 429, Retry_After="7"),
                    part("1", {"n": 1}),
                ]
            ),
            batch_answer([part("1", {"n": 2}), part("2", {"n": 3})]),
        )
    )

    async def run() -> None:
        async with client_of(graph, clock=clock) as client:
            outcomes = await client.read([get("/1"), get("/2"), get("/3")])
            assert [answer(outcome).body for outcome in outcomes] == [{"n": 1}, {"n": 2}, {"n": 3}]
            usage = client.usage()
            assert (usage.requests, usage.calls, usage.round_trips, usage.throttled) == (5, 2, 2, 2)
            assert usage.seconds == pytest.approx(7.0)

    asyncio.run(run())
    assert clock.slept == [7.0]
    assert [each["url"] for each in batch_parts(graph.sent[1])] == ["/2", "/3"]


def test_a_single_part_left_over_is_sent_as_itself() -> None:
    graph = ScriptedGraph(
        in_turn(batch_answer([part("1", {"n": 1}), part("2", error_body("x"), 429, Retry_After="1")]), ok({"n": 2}))
    )

    async def run() -> list[Reply]:
        async with client_of(graph) as client:
            return await client.read([get("/1"), get("/2")])

    assert [answer(outcome).body for outcome in asyncio.run(run())] == [{"n": 1}, {"n": 2}]
    assert graph.lines == ["POST /v1.0/$batch", "GET /v1.0/2"]


@pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
def test_a_transient_status_is_tried_again(status: int) -> None:
    clock = FakeClock()

    [outcome] = read(in_turn(failed(status), ok({"n": 1})), get(), clock=clock)

    assert answer(outcome).body == {"n": 1}
    assert len(clock.slept) == 1


@pytest.mark.parametrize("status", [400, 403, 404, 405, 408, 409, 410, 412, 423, 501, 505])
def test_a_final_status_is_not_tried_again(status: int) -> None:
    clock = FakeClock()

    [outcome] = read(in_turn(failed(status)), get(), clock=clock)

    assert problem(outcome).status == status
    assert clock.slept == []


@pytest.mark.parametrize(
    "error",
    [
        httpx.ConnectError("refused"),
        httpx.ConnectTimeout("slow"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("closed"),
        httpx.ReadTimeout("slow"),
        httpx.WriteError("broken pipe"),
    ],
)
def test_a_broken_connection_is_tried_again(error: Exception) -> None:
    [outcome] = read(in_turn(error, ok({"n": 1})), get())

    assert answer(outcome).body == {"n": 1}


def test_a_read_is_given_up_after_five_tries() -> None:
    clock = FakeClock()
    graph = ScriptedGraph(lambda _: failed(503, "ServiceUnavailable"))

    async def run() -> Problem:
        async with client_of(graph, clock=clock) as client:
            return problem((await client.read([get()]))[0])

    outcome = asyncio.run(run())
    assert (outcome.kind, outcome.code, outcome.request_id) == (ProblemKind.SERVER, "ServiceUnavailable", "inner-id")
    assert len(graph.sent) == 5
    assert clock.slept == [1.0, 2.0, 4.0, 8.0]


def test_a_read_is_given_up_when_sixty_seconds_are_over() -> None:
    clock = FakeClock()
    graph = ScriptedGraph(lambda _: httpx.ReadError("reset"), clock=clock, seconds=25.0)

    async def run() -> Problem:
        async with client_of(graph, clock=clock) as client:
            return problem((await client.read([get()]))[0])

    assert asyncio.run(run()).kind is ProblemKind.CONNECTION
    assert len(graph.sent) == 3


def test_a_retry_after_beyond_patience_gives_up_at_once() -> None:
    clock = FakeClock()

    [outcome] = read(in_turn(failed(429, Retry_After="61")), get(), clock=clock)

    assert problem(outcome).kind is ProblemKind.THROTTLED
    assert clock.slept == []


def test_a_throttled_envelope_is_sent_again_whole_and_counts_once_as_throttled() -> None:
    graph = ScriptedGraph(in_turn(failed(429, Retry_After="2"), batch_answer([part("1", {}), part("2", {})])))

    async def run() -> None:
        async with client_of(graph) as client:
            await client.read([get("/1"), get("/2")])
            usage = client.usage()
            assert (usage.requests, usage.calls, usage.throttled) == (4, 2, 1)

    asyncio.run(run())


def test_an_answer_that_does_not_come_is_a_timeout() -> None:
    class Silent(httpx.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
            await asyncio.sleep(30)
            raise AssertionError(f"{request.url} was waited for")

    async def run() -> Problem:
        async with client_of(Silent(), answer_seconds=0.01) as client:
            return problem((await client.read([get()]))[0])

    assert asyncio.run(run()).kind is ProblemKind.TIMEOUT


def test_after_the_time_limit_nothing_more_is_sent() -> None:
    clock = FakeClock()
    graph = ScriptedGraph(lambda _: failed(503), clock=clock, seconds=4.0)

    async def run() -> list[Reply]:
        async with client_of(graph, clock=clock, total_seconds=10.0) as client:
            first = await client.read([get()])
            clock.elapsed += 60.0
            return first + await client.read([get()])

    first, second = asyncio.run(run())
    assert problem(first).kind is ProblemKind.SERVER
    assert problem(second).kind is ProblemKind.TIMEOUT
    assert "--timeout" in problem(second).message
    assert len(graph.sent) == 2


HTML = httpx.Response(200, html="<html>Sign in to the network</html>")


@pytest.mark.parametrize(
    ("response", "paged"),
    [
        (HTML, False),
        (httpx.Response(200), False),
        (httpx.Response(200, content=b'{"id": '), False),
        (httpx.Response(200, content=b"[" * 100_000), False),
        (httpx.Response(200, content=b'{"id": NaN}'), False),
        (httpx.Response(200, content=b"\xff\xfe\xfd"), False),
        (httpx.Response(200, json=[1]), False),
        (httpx.Response(200, json="text"), False),
        (httpx.Response(200, json=5), False),
        (httpx.Response(200, text="5"), False),
        (ok({"id": "x"}), True),
        (ok({"value": {}}), True),
        (ok({"value": None}), True),
        (httpx.Response(204), True),
        (httpx.Response(302, headers={"location": "https://elsewhere.example/"}), False),
        (httpx.Response(404, html="<html>not here</html>"), False),
        (httpx.Response(404), False),
        (httpx.Response(404, json={"error": "not here"}), False),
        (httpx.Response(404, json={"error": {"message": "not here"}}), False),
        (httpx.Response(404, json={"error": {"code": "", "message": "not here"}}), False),
        (httpx.Response(404, json=error_body("UnknownError", "")), False),
        (httpx.Response(200, content=b"x", headers={"content-encoding": "gzip"}), False),
    ],
)
def test_what_graph_does_not_send_is_neither_an_answer_nor_absence(response: httpx.Response, paged: bool) -> None:
    clock = FakeClock()

    [outcome] = read(in_turn(response), get(paged=paged), clock=clock)

    assert problem(outcome).kind is ProblemKind.MALFORMED
    assert clock.slept == []


@pytest.mark.parametrize("code", ["Request_ResourceNotFound", "ResourceNotFound", "itemNotFound", "NotFound"])
def test_a_404_with_an_error_of_graph_says_that_the_object_is_absent(code: str) -> None:
    [outcome] = read(in_turn(failed(404, code)), get())

    assert problem(outcome).kind is ProblemKind.NOT_FOUND


def test_a_missing_batch_endpoint_says_of_no_object_that_it_is_absent() -> None:
    outcomes = read(in_turn(failed(404, "ResourceNotFound")), get("/1"), get("/2"))

    assert {problem(outcome).kind for outcome in outcomes} == {ProblemKind.MALFORMED}


@pytest.mark.parametrize(
    "body",
    [
        b"<html>",
        b"[]",
        b'{"responses": null}',
        b'{"responses": []}',
        b'{"responses": [{"id": "9", "status": 200, "body": {}}]}',
        b'{"responses": [null, 3, {"id": "1"}, {"id": "2", "status": "many"}]}',
        b'{"responses": [{"id":"1","status":200,"body":{}},{"id":"1","status":200,"body":{}}]}',
    ],
)
def test_a_part_without_exactly_one_answer_is_unknown(body: bytes) -> None:
    outcomes = read(in_turn(httpx.Response(200, content=body)), get("/1"), get("/2"))

    assert {problem(outcome).kind for outcome in outcomes} == {ProblemKind.MALFORMED}


def test_parts_that_nobody_asked_for_mean_nothing() -> None:
    outcomes = read(
        in_turn(batch_answer([part("7", {}, 500), part("2", {"n": 2}), part("1", {"n": 1})])), get("/1"), get("/2")
    )

    assert [answer(outcome).body for outcome in outcomes] == [{"n": 1}, {"n": 2}]


@pytest.mark.parametrize("body", ["17", 17, "MTc=", "77u/MTc=", "\ufeff17"])
def test_a_count_in_a_batch_is_a_number_in_every_form_that_it_comes_in(body: object) -> None:
    count = part("1", body) | {"headers": {"Content-Type": "text/plain"}}

    [outcome, _] = read(in_turn(batch_answer([count, part("2", {})])), get("/groups/1/members/$count"), get("/2"))

    assert answer(outcome).body == 17


def test_a_count_alone_is_a_number_without_its_byte_order_mark() -> None:
    response = httpx.Response(200, content=b"\xef\xbb\xbf17", headers={"content-type": "text/plain"})

    [outcome] = read(in_turn(response), get("/groups/1/members/$count?$filter=x"))

    assert answer(outcome).body == 17


@pytest.mark.parametrize("body", ['{"n": 1}', "eyJuIjogMX0="])
def test_json_inside_a_string_is_unpacked(body: str) -> None:
    [outcome, _] = read(in_turn(batch_answer([part("1", body), part("2", {})])), get("/1"), get("/2"))

    assert answer(outcome).body == {"n": 1}


def test_a_page_of_html_inside_a_part_is_malformed() -> None:
    html = part("1", "<html></html>") | {"headers": {"Content-Type": "text/html"}}

    [outcome, _] = read(in_turn(batch_answer([html, part("2", {})])), get("/1"), get("/2"))

    assert problem(outcome).kind is ProblemKind.MALFORMED


def test_half_a_surrogate_pair_becomes_printable() -> None:
    [outcome] = read(in_turn(httpx.Response(200, content=b'{"n": "\\ud800x\\ud83d\\ude00"}')), get())

    body = answer(outcome).body
    assert body == {"n": "\ufffdx\N{GRINNING FACE}"}
    assert json.dumps(body, ensure_ascii=False).encode()


def page(items: Sequence[int], link: object = None) -> dict[str, object]:
    return {"value": list(items)} | ({} if link is None else {"@odata.nextLink": link})


def test_every_page_is_fetched_by_the_link_verbatim_with_the_first_pages_headers() -> None:
    link = f"{GRAPH}/v1.0/groups?$skiptoken=RFNwd%2BAB'(x)"
    graph = ScriptedGraph(in_turn(ok(page([1, 2], link) | {"@odata.count": 3}), ok(page([3]))))

    async def run() -> None:
        async with client_of(graph) as client:
            [outcome] = await client.read([get("/groups", paged=True, headers={"ConsistencyLevel": "eventual"})])
            assert answer(outcome).body == {"value": [1, 2, 3], "@odata.count": 3}
            assert client.usage().round_trips == 2

    asyncio.run(run())
    assert str(graph.sent[1].url) == link
    assert graph.sent[1].headers["consistencylevel"] == "eventual"


def test_an_object_that_two_pages_show_counts_once_and_two_that_share_an_id_do_not() -> None:
    one, two, same_id = {"id": "1", "name": "One"}, {"id": "2"}, {"id": "1", "name": "Another"}
    link = f"{GRAPH}/v1.0/groups?more"
    pages = ok({"value": [one, two], "@odata.nextLink": link}), ok({"value": [two, same_id]})

    (outcome,) = read(in_turn(*pages), get("/groups", paged=True))

    assert answer(outcome).body == {"value": [one, two, same_id]}


def test_a_refused_page_size_is_asked_for_once_and_what_is_refused_without_one_stays_refused() -> None:
    sent: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.query.decode())
        return httpx.Response(400, json=error_body("BadRequest", "Must be between 1 and 999"))

    (outcome,) = read(respond, get("/groups?$filter=x&$top=1000", paged=True))

    assert problem(outcome).status == 400
    assert sent == ["$filter=x&$top=1000", "$filter=x"]


def test_a_link_to_a_next_page_is_never_followed_otherwise_than_it_stands() -> None:
    sent: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        sent.append(request.url.query.decode())
        if len(sent) == 1:
            return ok({"value": [1], "@odata.nextLink": f"{GRAPH}/v1.0/groups?$top=9&$skiptoken=x"})
        return httpx.Response(400, json=error_body("BadRequest", "no"))

    (outcome,) = read(respond, get("/groups?$top=9", paged=True))

    assert problem(outcome).status == 400
    assert sent == ["$top=9", "$top=9&$skiptoken=x"]


def test_next_pages_of_several_reads_travel_together() -> None:
    def respond(request: httpx.Request) -> httpx.Response:
        return batch_answer(
            part(each["id"], page([1], f"{GRAPH}/v1.0{each['url']}?more") if "?" not in each["url"] else page([2]))
            for each in batch_parts(request)
        )

    graph = ScriptedGraph(respond)

    async def run() -> list[Reply]:
        async with client_of(graph) as client:
            return await client.read([get("/a", paged=True), get("/b", paged=True)])

    assert [answer(outcome).body for outcome in asyncio.run(run())] == [{"value": [1, 2]}, {"value": [1, 2]}]
    assert len(graph.sent) == 2


def test_a_collection_that_misses_a_page_is_a_problem() -> None:
    link = f"{GRAPH}/v1.0/groups?more"

    [outcome] = read(in_turn(ok(page([1], link)), failed(403, "Denied")), get("/groups", paged=True))

    assert problem(outcome).kind is ProblemKind.DENIED


def test_a_circle_of_pages_is_a_problem() -> None:
    link = f"{GRAPH}/v1.0/groups?more"

    [outcome] = read(lambda _: ok(page([1], link)), get("/groups", paged=True))

    assert problem(outcome).kind is ProblemKind.MALFORMED


@pytest.mark.parametrize(
    "link",
    [
        "https://evil.example/v1.0/groups?more",
        "http://graph.microsoft.com/v1.0/groups",
        "https://graph.microsoft.com:444/v1.0/groups",
        "https://graph.microsoft.com.evil.example/v1.0/groups",
        "https://user@graph.microsoft.com/v1.0/groups",
        "https://graph.microsoft.com@evil.example/v1.0/groups",
        "https://graph.microsoft.com/v1.0/../admin",
        "https://graph.microsoft.com/v2.0/groups",
        "https://graph.microsoft.com",
        "//graph.microsoft.com/v1.0/groups",
        "/v1.0/groups?more",
        "https://[graph/v1.0/groups",
        "",
        7,
    ],
)
def test_a_link_that_leads_elsewhere_is_not_followed(link: object) -> None:
    graph = ScriptedGraph(in_turn(ok(page([1], link))))

    async def run() -> Problem:
        async with client_of(graph) as client:
            return problem((await client.read([get("/groups", paged=True)]))[0])

    assert asyncio.run(run()).kind is ProblemKind.MALFORMED
    assert len(graph.sent) == 1


def test_under_an_override_a_link_to_the_real_graph_is_followed_at_the_override() -> None:
    graph = ScriptedGraph(in_turn(ok(page([1], f"{GRAPH}/v1.0/groups?$skiptoken=a%2Bb")), ok(page([2]))))

    async def run() -> list[Reply]:
        async with client_of(graph, root="http://127.0.0.2:8080/proxy") as client:
            return await client.read([get("/groups", paged=True)])

    assert answer(asyncio.run(run())[0]).body == {"value": [1, 2]}
    assert [str(request.url) for request in graph.sent] == [
        "http://127.0.0.2:8080/proxy/v1.0/groups",
        "http://127.0.0.2:8080/proxy/v1.0/groups?$skiptoken=a%2Bb",
    ]
    assert all(request.headers["authorization"] for request in graph.sent)


def test_a_problem_names_the_permission_and_what_was_being_done() -> None:
    [outcome] = read(in_turn(failed(403, "Authorization_RequestDenied", "Insufficient privileges")), get())

    text = f"{problem(outcome).describe()} {problem(outcome).advice()}"
    for expected in ("reading /groups/1", "Authorization_RequestDenied", "Insufficient", "inner-id", "Group.Read.All"):
        assert expected in text


def test_a_token_that_graph_refuses_is_renewed_once() -> None:
    source = Tokens((jwt(n=1), jwt(n=2)))
    graph = ScriptedGraph(in_turn(failed(401, "InvalidAuthenticationToken"), ok({"n": 1})))

    async def run() -> list[Reply]:
        async with client_of(graph, source=source) as client:
            return await client.read([get()])

    assert answer(asyncio.run(run())[0]).body == {"n": 1}
    assert source.asked == [(None, False), (None, True)]
    assert graph.sent[1].headers["authorization"] == f"Bearer {jwt(n=2)}"


def test_a_token_that_is_refused_again_is_a_problem_of_authentication() -> None:
    graph = ScriptedGraph(lambda _: failed(401, "InvalidAuthenticationToken"))

    async def run() -> list[Reply]:
        async with client_of(graph, source=Tokens((jwt(n=1), jwt(n=2)))) as client:
            return await client.read([get()])

    assert problem(asyncio.run(run())[0]).kind is ProblemKind.AUTHENTICATION
    assert len(graph.sent) == 2


CHALLENGE = 'Bearer realm="", error="insufficient_claims", claims="eyJhY2Nlc3NfdG9rZW4iOnsibmJmIjp7fX19"'


def test_a_claims_challenge_is_answered_with_a_token_that_meets_it() -> None:
    source = Tokens((jwt(n=1), jwt(n=2)))
    challenged = failed(401, "InvalidAuthenticationToken")
    challenged.headers["www-authenticate"] = CHALLENGE
    graph = ScriptedGraph(in_turn(challenged, ok({"n": 1})))

    async def run() -> None:
        async with client_of(graph, source=source) as client:
            assert answer((await client.read([get()]))[0]).body == {"n": 1}
            assert client.usage().calls == 2

    asyncio.run(run())
    assert source.asked[1] == ('{"access_token":{"nbf":{}}}', True)


def test_a_claims_challenge_of_a_part_is_answered_too() -> None:
    source = Tokens((jwt(n=1), jwt(n=2)))
    challenged = part("2", error_body("InvalidAuthenticationToken"), 401, WWW_Authenticate=CHALLENGE)
    graph = ScriptedGraph(in_turn(batch_answer([part("1", {}), challenged]), ok({"n": 2})))

    async def run() -> list[Reply]:
        async with client_of(graph, source=source) as client:
            return await client.read([get("/1"), get("/2")])

    assert answer(asyncio.run(run())[1]).body == {"n": 2}
    assert source.asked[1] == ('{"access_token":{"nbf":{}}}', True)


def test_a_fixed_token_that_is_refused_is_not_sent_again() -> None:
    graph = ScriptedGraph(lambda _: failed(401, "InvalidAuthenticationToken"))

    async def run() -> list[Reply]:
        async with client_of(graph, source=Tokens(renewable=False)) as client:
            return await client.read([get()])

    assert problem(asyncio.run(run())[0]).kind is ProblemKind.AUTHENTICATION
    assert len(graph.sent) == 1


def test_a_challenge_that_a_fixed_token_cannot_meet_is_an_error_that_says_so() -> None:
    challenged = failed(401)
    challenged.headers["www-authenticate"] = CHALLENGE

    with pytest.raises(RemoteError, match="refused the token") as error:
        read(in_turn(challenged), get(), source=Tokens(renewable=False))
    assert error.value.fix


@pytest.mark.parametrize("claims", ["%%%", "bm90IGpzb24=", "WzFd"])
def test_a_challenge_that_cannot_be_read_still_gets_a_new_token(claims: str) -> None:
    source = Tokens((jwt(n=1), jwt(n=2)))
    challenged = failed(401)
    challenged.headers["www-authenticate"] = f'Bearer error="insufficient_claims", claims="{claims}"'

    [outcome] = read(in_turn(challenged, ok({"n": 1})), get(), source=source)

    assert answer(outcome).body == {"n": 1}
    assert source.asked[1] == (None, True)
