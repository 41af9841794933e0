"""POST /$batch."""

from __future__ import annotations

from typing import Any

import pytest

from tapctl.sandbox.faults import Fault
from tests.sandbox.support import TAP, TAP_TYPE, Graph, MakeGraph, error_code

JSON = {"Content-Type": "application/json"}
POLICY = TAP.removeprefix("/v1.0")


def get(identifier: str, url: str, **more: Any) -> dict[str, Any]:
    return {"id": identifier, "method": "GET", "url": url, **more}


def test_parts_are_answered_in_another_order(make_graph: MakeGraph) -> None:
    parts = [get(str(number), "/users/ada@contoso.com") for number in range(4)]

    def order(graph: Graph) -> list[str]:
        answer = graph.post("/v1.0/$batch", {"requests": parts}).json()
        return [part["id"] for part in answer["responses"]]

    assert order(make_graph()) != ["0", "1", "2", "3"]
    assert sorted(order(make_graph())) == ["0", "1", "2", "3"]
    assert order(make_graph(shuffle_batch=False)) == ["0", "1", "2", "3"]


def test_each_part_has_its_own_status_headers_and_body(graph: Graph) -> None:
    answers = graph.batch(get("1", POLICY), get("2", "groups/00000000-0000-0000-0000-00000000dead"), get("3", "/nope"))

    assert {identifier: part["status"] for identifier, part in answers.items()} == {"1": 200, "2": 404, "3": 501}
    assert answers["1"]["body"]["id"] == "TemporaryAccessPass"
    assert answers["2"]["body"]["error"]["code"] == "Request_ResourceNotFound"
    assert answers["1"]["headers"]["Content-Type"] == "application/json"


def test_a_part_without_body_answers_none(graph: Graph) -> None:
    body = {"@odata.type": TAP_TYPE, "state": "enabled"}

    (answer,) = graph.batch({"id": "w", "method": "PATCH", "url": POLICY, "headers": JSON, "body": body}).values()

    assert answer["status"] == 204
    assert "body" not in answer
    assert graph.body(TAP)["state"] == "enabled"


def test_the_version_of_the_address_holds_for_every_part(graph: Graph) -> None:
    part = get("1", "/deviceManagement/configurationPolicies?$top=1")

    assert graph.batch(part, version="beta")["1"]["status"] == 200
    assert graph.batch(part, version="v1.0")["1"]["status"] == 400
    link = graph.batch(part, version="beta")["1"]["body"]["@odata.nextLink"]
    assert link.startswith("https://graph.microsoft.com/beta/deviceManagement/configurationPolicies?")


def test_a_failed_predecessor_gives_424(graph: Graph) -> None:
    answers = graph.batch(
        get("1", "/groups/00000000-0000-0000-0000-00000000dead"),
        {"id": "2", "method": "DELETE", "url": POLICY, "dependsOn": ["1"]},
        get("3", POLICY, dependsOn=["2"]),
    )

    assert [answers[identifier]["status"] for identifier in "123"] == [404, 424, 424]
    assert answers["2"]["body"]["error"]["code"] == "FailedDependency"


@pytest.mark.parametrize(
    "requests",
    [
        [],
        "x",
        [get(str(number), "/groups") for number in range(21)],
        [get("a", "/groups"), get("A", "/groups")],
        [get("", "/groups")],
        [{"id": "1", "url": "/groups"}],
        [{"id": "1", "method": "GET"}],
        [get("1", "https://graph.microsoft.com/v1.0/groups")],
        [{"id": "1", "method": "POST", "url": "/groups", "body": {}}],
        [get("1", "/groups", dependsOn=["2"]), get("2", "/groups")],
    ],
)
def test_a_malformed_batch_is_refused_as_a_whole(graph: Graph, requests: Any) -> None:
    assert error_code(graph.post("/v1.0/$batch", {"requests": requests})) == (400, "BadRequest")


def test_one_part_may_be_throttled(make_graph: MakeGraph) -> None:
    graph = make_graph(faults=(Fault(action="throttle", path="^/users", retry_after=7),))

    answers = graph.batch(get("1", "/users"), get("2", "/groups"))

    assert (answers["1"]["status"], answers["2"]["status"]) == (429, 200)
    assert answers["1"]["headers"]["Retry-After"] == "7"
    assert answers["1"]["body"]["error"]["code"] == "TooManyRequests"


def test_counts_are_plain_text_in_a_part(graph: Graph) -> None:
    part = get("1", "/users/$count", headers={"ConsistencyLevel": "eventual"})

    answer = graph.batch(part)["1"]

    assert answer["body"] == "8"


def test_the_envelope_needs_a_token(graph: Graph) -> None:
    refused = graph.post("/v1.0/$batch", {"requests": [get("1", "/groups")]}, token="nonsense")

    assert error_code(refused) == (401, "InvalidAuthenticationToken")
