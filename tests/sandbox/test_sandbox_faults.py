"""Faults: requests that fail because they were told to."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import httpx
import pytest

from tapctl.errors import UsageError
from tapctl.sandbox.faults import ACTIONS, Fault, parse
from tests.sandbox.support import (
    TAP,
    TAP_TYPE,
    TENANT,
    Graph,
    MakeGraph,
    error_code,
    security_group,
)

ENABLE = {"@odata.type": TAP_TYPE, "state": "enabled"}


def state(graph: Graph) -> str:
    with graph.sandbox.transaction(writes=False) as store:
        return str(store.collection("policies")["temporaryaccesspass"]["state"])


def test_a_status_is_answered_and_nothing_is_carried_out(make_graph: MakeGraph) -> None:
    fault = Fault(action="status", status=503, code="Busy", message="later", retry_after=3, writes_only=True)
    graph = make_graph(faults=(fault,))

    response = graph.patch(TAP, ENABLE)

    assert error_code(response) == (503, "Busy")
    assert response.headers["Retry-After"] == "3"
    assert graph.get(TAP).status_code == 200
    assert state(graph) == "disabled"


def test_a_rule_may_answer_any_body(make_graph: MakeGraph) -> None:
    graph = make_graph(faults=(Fault(action="status", status=404, body={"odd": True}),))

    assert (graph.get(TAP).status_code, graph.get(TAP).json()) == (404, {"odd": True})


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ({"first": 2, "last": 3}, [200, 500, 500, 200]),
        ({"last": 1}, [500, 200, 200, 200]),
        ({"first": 3}, [200, 200, 500, 500]),
        ({"method": "PATCH"}, [200] * 4),
        ({"version": "beta"}, [200] * 4),
        ({"path": "METHODCONFIGURATIONS/temp"}, [500] * 4),
        ({"path": r"\$select"}, [200] * 4),
    ],
)
def test_a_rule_strikes_what_it_matches(make_graph: MakeGraph, rule: dict[str, Any], expected: list[int]) -> None:
    graph = make_graph(faults=(Fault(action="status", status=500, **rule),))

    assert [graph.get(TAP).status_code for _ in range(4)] == expected


def test_reading_posts_are_no_writes(make_graph: MakeGraph) -> None:
    graph = make_graph(faults=(Fault(action="status", status=500, writes_only=True),))

    assert graph.post("/v1.0/directoryObjects/getByIds", {"ids": []}).status_code == 200
    assert graph.post("/v1.0/users/ada@contoso.com/checkMemberGroups", {"groupIds": []}).status_code == 200
    assert graph.batch({"id": "1", "method": "GET", "url": "/users"})["1"]["status"] == 200


def test_throttling_goes_on_with_or_without_a_delay(make_graph: MakeGraph) -> None:
    told = make_graph(faults=(Fault(action="throttle"),), retry_after_seconds=5)
    silent = make_graph(faults=(Fault(action="throttle"),), retry_after_seconds=None)

    assert [told.get(TAP).headers["Retry-After"] for _ in range(3)] == ["5", "5", "5"]
    response = silent.get(TAP)
    assert error_code(response) == (429, "TooManyRequests")
    assert "Retry-After" not in response.headers


def test_a_connection_lost_before_leaves_nothing_behind(make_graph: MakeGraph) -> None:
    graph = make_graph(faults=(Fault(action="lose-before", writes_only=True),))

    with pytest.raises(httpx.ReadError):
        graph.patch(TAP, ENABLE)

    assert state(graph) == "disabled"


def test_a_connection_lost_after_leaves_the_change(make_graph: MakeGraph) -> None:
    graph = make_graph(faults=(Fault(action="lose-after", writes_only=True),))

    with pytest.raises(httpx.ReadError):
        graph.patch(TAP, ENABLE)

    assert state(graph) == "enabled"


def test_a_refused_connection_is_a_connect_error(make_graph: MakeGraph) -> None:
    with pytest.raises(httpx.ConnectError):
        make_graph(faults=(Fault(action="refuse-connection"),)).get(TAP)


def test_an_answer_later_than_the_client_waits_is_a_read_timeout_of_a_request_carried_out(
    make_graph: MakeGraph,
) -> None:
    graph = make_graph(faults=(Fault(action="delay", seconds=5, writes_only=True), Fault(action="delay", seconds=0.01)))

    with pytest.raises(httpx.ReadTimeout):
        graph.patch(TAP, ENABLE)

    assert graph.body(TAP)["state"] == "enabled"


def test_a_proxy_may_answer_with_a_page(make_graph: MakeGraph) -> None:
    graph = make_graph(faults=(Fault(action="html", writes_only=True),))

    response = graph.patch(TAP, ENABLE)

    assert (response.status_code, response.headers["content-type"]) == (502, "text/html")
    assert state(graph) == "disabled"


def test_an_answer_may_be_cut_off(make_graph: MakeGraph) -> None:
    response = make_graph(faults=(Fault(action="broken-json"),)).get(TAP)

    assert response.status_code == 200
    with pytest.raises(ValueError, match=r"(Unterminated|Expecting)"):
        response.json()


def test_connection_faults_of_a_part_strike_the_whole_batch(make_graph: MakeGraph) -> None:
    graph = make_graph(faults=(Fault(action="lose-before", path="^/policies"),))
    create = {"id": "1", "method": "POST", "url": "/groups", "headers": {"Content-Type": "application/json"}}

    with pytest.raises(httpx.ReadError):
        graph.batch(
            {**create, "body": security_group("Lost")},
            {"id": "2", "method": "GET", "url": "/policies/authenticationMethodsPolicy"},
        )

    assert not graph.body("/v1.0/groups?$filter=displayName eq 'Lost'")["value"]


def test_a_rule_for_everything_counts_a_batch_once(make_graph: MakeGraph) -> None:
    graph = make_graph(faults=(Fault(action="status", status=503, first=2, last=2),))
    parts = [{"id": str(number), "method": "GET", "url": "/users"} for number in range(3)]

    statuses = [graph.post("/v1.0/$batch", {"requests": parts}).status_code for _ in range(3)]

    assert statuses == [200, 503, 200]


@pytest.mark.parametrize(
    "text",
    [
        "{}",
        "nonsense",
        "[1]",
        "[{}]",
        '[{"action": "explode"}]',
        '[{"action": "status"}]',
        '[{"action": "html", "colour": "red"}]',
        '[{"action": "html", "path": "("}]',
        "@/nowhere/faults.json",
    ],
)
def test_rules_that_cannot_be_used_are_a_clear_error(text: str) -> None:
    with pytest.raises(UsageError, match=r"sandbox (has no )?fault"):
        parse(text)


def test_every_action_can_be_parsed() -> None:
    rules = [{"action": action, "status": 500, "retryAfter": 1, "seconds": 1, "writes": True} for action in ACTIONS]

    assert [rule.action for rule in parse(json.dumps(rules)).rules] == list(ACTIONS)


PROGRAM = """
import asyncio, sys, httpx
from tapctl.sandbox.connect import mint_token, open_transport

async def main():
    tenant, *requests = sys.argv[1:]
    headers = {"Authorization": "Bearer " + mint_token(tenant)}
    transport = open_transport(tenant)
    base = "https://graph.microsoft.com"
    async with httpx.AsyncClient(transport=transport, base_url=base, headers=headers) as client:
        for _ in range(3):
            body = {"@odata.type": "#microsoft.graph.temporaryAccessPassAuthenticationMethodConfiguration"}
            response = await client.patch(requests[0], json=body | {"state": "enabled"})
            print(response.status_code, flush=True)

asyncio.run(main())
"""


@pytest.mark.parametrize(("action", "expected"), [("exit-before", None), ("exit-after", "enabled")])
def test_a_process_may_die_before_or_after_as_the_environment_says(
    tmp_path: Path, action: str, expected: str | None
) -> None:
    rules = tmp_path / "faults.json"
    rules.write_text(json.dumps([{"action": action, "writes": True, "first": 2}]))
    log = tmp_path / "log.jsonl"
    environment = {
        "TAPCTL_SANDBOX_DIR": str(tmp_path),
        "TAPCTL_SANDBOX_FAULTS": f"@{rules}",
        "TAPCTL_SANDBOX_LOG": str(log),
        "PATH": "",
    }

    def run() -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", PROGRAM, TENANT, TAP]
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    finished = run()

    assert (finished.returncode, finished.stdout) == (137, "204\n"), finished.stderr
    assert [json.loads(line)["status"] for line in log.read_text().splitlines()] == [
        204,
        0 if action == "exit-before" else 204,
    ]
    saved = json.loads((tmp_path / f"{TENANT}.json").read_text())
    assert saved["objects"]["policies"]["temporaryaccesspass"]["state"] == "enabled"
    audits = len(saved["objects"]["directoryAudits"])
    assert audits == (1 if expected is None else 2)
    assert run().returncode == 137
