"""Who is let in, what they may do, and how refusals look."""

from __future__ import annotations

import base64
import json

import pytest

from tapctl.sandbox.permissions import ALL_PERMISSIONS
from tapctl.sandbox.tokens import claims_of, mint_token
from tests.sandbox.support import POLICIES, TAP, TAP_TYPE, TENANT, Graph, MakeGraph, error_code

ADA_TAP = "/v1.0/users/ada@contoso.com/authentication/temporaryAccessPassMethods"


@pytest.mark.parametrize(
    "token",
    [
        "nonsense",
        "a.b.c",
        mint_token("11111111-2222-4333-8444-555555555555"),
        mint_token(TENANT, exp=1),
        mint_token(TENANT, tid=None),
    ],
)
def test_a_token_of_another_tenant_or_none_at_all_is_401(graph: Graph, token: str) -> None:
    response = graph.get(TAP, token=token)

    assert error_code(response) == (401, "InvalidAuthenticationToken")
    assert "WWW-Authenticate" in response.headers


def test_a_token_has_every_role_unless_told(graph: Graph) -> None:
    claims = claims_of(mint_token(TENANT))

    assert claims is not None
    assert set(claims["roles"]) == ALL_PERMISSIONS
    assert {"Policy.ReadWrite.AuthenticationMethod", "AuditLog.Read.All", "Group.Create"} <= ALL_PERMISSIONS


@pytest.mark.parametrize(
    ("method", "path", "enough", "expected"),
    [
        ("GET", TAP, "Policy.Read.AuthenticationMethod", "accessDenied"),
        ("PATCH", TAP, "Policy.ReadWrite.AuthenticationMethod", "accessDenied"),
        ("GET", ADA_TAP, "UserAuthMethod-TAP.Read.All", "accessDenied"),
        ("GET", "/v1.0/groups", "GroupMember.Read.All", "Authorization_RequestDenied"),
        ("GET", POLICIES, "DeviceManagementConfiguration.Read.All", "Forbidden"),
        ("GET", "/beta/deviceManagement/roleScopeTags", "DeviceManagementRBAC.Read.All", "Forbidden"),
        ("GET", "/v1.0/auditLogs/directoryAudits", "AuditLog.Read.All", "Authorization_RequestDenied"),
        ("GET", "/v1.0/deviceManagement/auditEvents", "DeviceManagementApps.Read.All", "Forbidden"),
    ],
)
def test_each_call_needs_its_permission(graph: Graph, method: str, path: str, enough: str, expected: str) -> None:
    body = {"@odata.type": TAP_TYPE} if method == "PATCH" else None
    poor, rich = mint_token(TENANT, roles=["User.Invite.All"]), mint_token(TENANT, roles=[enough])

    assert error_code(graph.request(method, path, body, token=poor)) == (403, expected)
    assert graph.request(method, path, body, token=rich).status_code < 300


def test_reading_permissions_do_not_write(graph: Graph) -> None:
    reader = mint_token(TENANT, roles=["Policy.Read.AuthenticationMethod", "Policy.Read.All"])

    assert graph.patch(TAP, {"@odata.type": TAP_TYPE}, token=reader).status_code == 403


def test_a_token_that_names_no_permissions_is_not_asked_for_any(graph: Graph) -> None:
    claims = base64.urlsafe_b64encode(json.dumps({"tid": TENANT}).encode()).decode().rstrip("=")

    assert graph.get(TAP, token=f"e30.{claims}.").status_code == 200
    assert graph.get(TAP, token=mint_token(TENANT, roles=[])).status_code == 403


def test_scopes_of_a_user_count_as_permissions(graph: Graph) -> None:
    token = mint_token(TENANT, scp="Policy.Read.All User.Read", upn="ada@contoso.com")

    assert graph.get(TAP, token=token).status_code == 200
    assert graph.get("/v1.0/groups", token=token).status_code == 403


def test_what_is_not_emulated_says_so(graph: Graph) -> None:
    response = graph.get("/v1.0/me/messages")

    assert error_code(response)[0] == 501
    assert response.json()["error"]["message"] == "not emulated: GET /me/messages"
    assert graph.put(TAP, {}).json()["error"]["message"].startswith("not emulated: PUT /policies")
    assert graph.get("/v2.0/groups").status_code == 400


def test_an_option_that_is_not_emulated_says_so(graph: Graph) -> None:
    response = graph.get("/beta/deviceManagement/assignmentFilters?$filter=displayName eq 'x'")

    assert error_code(response)[0] == 501
    assert "$filter" in response.json()["error"]["message"]


def test_every_answer_bears_both_request_ids_and_a_date(graph: Graph) -> None:
    mine = graph.get(TAP, headers={"client-request-id": "11111111-2222-4333-8444-555555555555"})
    other = graph.get("/v1.0/groups/x")

    assert mine.headers["client-request-id"] == "11111111-2222-4333-8444-555555555555"
    assert mine.headers["request-id"] != mine.headers["client-request-id"]
    assert mine.headers["date"] == "Sun, 22 Nov 2026 07:30:00 GMT"
    assert other.headers["request-id"] == other.json()["error"]["innerError"]["request-id"]


def test_intune_errors_wrap_a_document_as_text_unless_told(make_graph: MakeGraph) -> None:
    missing = f"{POLICIES}/00000000-0000-0000-0000-00000000dead"
    wrapped = make_graph().get(missing).json()["error"]
    plain = make_graph(wrap_intune_errors=False, inner_error="innererror").get(missing).json()["error"]

    assert json.loads(wrapped["message"])["_version"] == 3
    assert plain["message"].startswith("Resource ")
    assert "innererror" in plain


def test_continuous_access_evaluation_challenges_the_first_tokens(make_graph: MakeGraph) -> None:
    graph = make_graph(revoke_tokens=1)

    challenged = [graph.get(TAP) for _ in range(2)]
    renewed = graph.get(TAP, token=mint_token(TENANT))

    assert [response.status_code for response in (*challenged, renewed)] == [401, 401, 200]
    header = challenged[0].headers["WWW-Authenticate"]
    assert 'error="insufficient_claims"' in header
    claims = header.split('claims="')[1].rstrip('"')
    assert json.loads(base64.b64decode(claims))["access_token"]["nbf"]["essential"] is True


def test_a_body_that_is_not_json_is_a_bad_request(graph: Graph) -> None:
    bodies: tuple[object, ...] = ([], "text", 5, None)
    for body in bodies:
        assert graph.patch(TAP, body).status_code == 400
