"""Intune's multi-admin approval."""

from __future__ import annotations

import base64
import json
from typing import Any

from tapctl.sandbox.tamper import tamper
from tests.sandbox.support import POLICIES, Graph, MakeGraph, catalog_policy

BODY = catalog_policy("Protected")


def justified(text: str = "because") -> dict[str, str]:
    return {"x-msft-approval-justification": base64.b64encode(text.encode()).decode()}


def requests(graph: Graph) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = graph.body("/beta/deviceManagement/operationApprovalRequests")["value"]
    return found


def message(response: Any) -> str:
    return str(json.loads(response.json()["error"]["message"])["Message"])


def why_not_writable(make_graph: MakeGraph, **switches: Any) -> Graph:
    return make_graph(approval_for=("configurationPolicies",), **switches)


def test_without_justification_a_write_is_refused(make_graph: MakeGraph) -> None:
    graph = why_not_writable(make_graph, approval_status=412)

    refused = graph.post(POLICIES, BODY)

    assert refused.status_code == 412
    assert "Header 'x-msft-approval-justification' is required" in message(refused)
    assert requests(graph) == []


def test_with_justification_it_waits_and_is_carried_out_once_approved(make_graph: MakeGraph) -> None:
    graph = why_not_writable(make_graph)

    waiting = graph.post(POLICIES, BODY, headers=justified("New office"))
    code = waiting.headers["x-msft-approval-code"]
    assert waiting.status_code == 403
    assert code in message(waiting)
    assert [(each["id"], each["status"], each["requestJustification"]) for each in requests(graph)] == [
        (code, "needsApproval", "New office")
    ]

    again = graph.post(POLICIES, BODY, headers=justified("New office"))
    assert "An active Approval Request already exists" in message(again)
    early = graph.post(POLICIES, BODY, headers={"x-msft-approval-code": code})
    assert early.status_code == 403

    tamper(graph.sandbox, f"approvals.{code}", ["status=approved"])
    other = graph.post(POLICIES, catalog_policy("Another"), headers={"x-msft-approval-code": code})
    assert other.status_code == 403
    carried_out = graph.post(POLICIES, BODY, headers={"x-msft-approval-code": code})
    assert carried_out.status_code == 201
    assert requests(graph)[0]["status"] == "completed"
    assert graph.post(POLICIES, BODY, headers={"x-msft-approval-code": code}).status_code == 403


def test_a_rejected_or_expired_request_is_of_no_use(make_graph: MakeGraph) -> None:
    graph = why_not_writable(make_graph)
    rejected = graph.post(POLICIES, BODY, headers=justified()).headers["x-msft-approval-code"]
    tamper(graph.sandbox, f"approvals.{rejected}", ["status=rejected"])
    assert "rejected" in message(graph.post(POLICIES, BODY, headers={"x-msft-approval-code": rejected}))

    expired = graph.post(POLICIES, BODY, headers=justified()).headers["x-msft-approval-code"]
    graph.clock.forward(days=3)

    assert {each["status"] for each in requests(graph)} == {"rejected", "expired"}
    assert graph.post(POLICIES, BODY, headers={"x-msft-approval-code": expired}).status_code == 403


def test_reads_and_other_types_need_no_approval(make_graph: MakeGraph) -> None:
    graph = why_not_writable(make_graph)

    assert graph.get(POLICIES).status_code == 200
    body = {"@odata.type": "#microsoft.graph.windows10CustomConfiguration", "displayName": "x"}
    assert graph.post("/beta/deviceManagement/deviceConfigurations", body, headers=justified()).status_code == 201
