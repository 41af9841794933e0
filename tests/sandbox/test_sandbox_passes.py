"""The pass of one user."""

from __future__ import annotations

import json

import pytest

from tests.sandbox.support import TAP, TAP_TYPE, Graph, MakeGraph, error_code

ADA = "/v1.0/users/ada@contoso.com/authentication/temporaryAccessPassMethods"


def enable(graph: Graph, **changes: object) -> Graph:
    assert graph.patch(TAP, {"@odata.type": TAP_TYPE, "state": "enabled", **changes}).status_code == 204
    return graph


def reason(graph: Graph) -> str:
    (found,) = graph.body(ADA)["value"]
    return str(found["methodUsabilityReason"])


def test_the_secret_is_answered_once_and_kept_nowhere(graph: Graph) -> None:
    created = enable(graph, defaultLength=12).post(ADA, {})

    secret = created.json()["temporaryAccessPass"]
    assert (created.status_code, len(secret)) == (201, 12)
    assert graph.body(ADA)["value"][0]["temporaryAccessPass"] is None
    assert graph.body(f"{ADA}/{created.json()['id']}")["temporaryAccessPass"] is None
    with graph.sandbox.transaction(writes=False) as store:
        assert secret not in json.dumps(store.data)


def test_lifetime_and_use_follow_the_policy_unless_said(graph: Graph) -> None:
    enable(graph, defaultLifetimeInMinutes=90)

    assert graph.post(ADA, {}).json()["lifetimeInMinutes"] == 90
    assert graph.post(ADA, {"lifetimeInMinutes": 120, "isUsableOnce": True}).json()["isUsableOnce"] is True


@pytest.mark.parametrize("minutes", [59, 481, 1000, "60"])
def test_a_lifetime_outside_the_policy_is_refused_with_the_range(graph: Graph, minutes: object) -> None:
    refused = enable(graph).post(ADA, {"lifetimeInMinutes": minutes})

    message = refused.json()["error"]["message"]
    assert error_code(refused) == (400, "badRequest")
    assert message == "Invalid LifetimeInMinutes specified. The valid range between 60 and 480."


def test_multi_use_is_refused_where_the_policy_wants_one_time(graph: Graph) -> None:
    assert enable(graph, isUsableOnce=True).post(ADA, {"isUsableOnce": False}).status_code == 400


def test_a_guest_gets_none(graph: Graph) -> None:
    guest = ADA.replace("ada@contoso.com", "guest_fabrikam.com%23EXT%23@contoso.onmicrosoft.com")

    assert enable(graph).post(guest, {}).status_code == 400


def test_nobody_gets_one_for_themselves(graph: Graph) -> None:
    from tapctl.sandbox.tokens import mint_token
    from tests.sandbox.support import TENANT

    enable(graph)
    scope = "UserAuthMethod-TAP.ReadWrite.All"
    own = mint_token(TENANT, scp=scope, upn="ada@contoso.com", oid=graph.user_id("ada"))
    other = mint_token(TENANT, scp=scope, upn="helpdesk@contoso.com", oid=graph.user_id("helpdesk"))

    assert error_code(graph.post(ADA, {}, token=own)) == (403, "accessDenied")
    assert graph.post(ADA, {}, token=other).status_code == 201


def test_a_user_out_of_scope_gets_a_pass_that_the_policy_disables(graph: Graph) -> None:
    rescue = graph.group_id("SG-Break-Glass")
    enable(graph, includeTargets=[{"targetType": "group", "id": rescue}])

    assert graph.post(ADA, {}).status_code == 201
    assert reason(graph) == "DisabledByPolicy"


def test_an_exclusion_wins_over_an_inclusion(graph: Graph) -> None:
    wave = graph.group_id("SG-Onboarding-Wave-7")
    enable(graph).post(ADA, {})
    assert reason(graph) == "EnabledByPolicy"

    enable(graph, excludeTargets=[{"targetType": "group", "id": wave}])

    assert reason(graph) == "DisabledByPolicy"


def test_nested_groups_count_or_not(make_graph: MakeGraph) -> None:
    reasons = []
    for nested in (True, False):
        graph = make_graph(nested_targets_count=nested)
        outer = graph.post(
            "/v1.0/groups",
            {
                "displayName": "Outer",
                "mailEnabled": False,
                "mailNickname": "outer",
                "securityEnabled": True,
                "members@odata.bind": [
                    f"https://graph.microsoft.com/v1.0/directoryObjects/{graph.group_id('SG-Onboarding-Wave-7')}"
                ],
            },
        ).json()["id"]
        enable(graph, includeTargets=[{"targetType": "group", "id": outer}]).post(ADA, {})
        reasons.append(reason(graph))

    assert reasons == ["EnabledByPolicy", "DisabledByPolicy"]


def test_a_pass_starts_and_ends(graph: Graph) -> None:
    enable(graph).post(ADA, {"startDateTime": "2026-11-22T08:00:00Z", "lifetimeInMinutes": 60})
    seen = [reason(graph)]
    for _ in range(2):
        graph.clock.forward(minutes=59)
        seen.append(reason(graph))

    assert seen == ["NotYetValid", "EnabledByPolicy", "Expired"]


def test_a_second_pass_replaces_the_first_or_is_refused(make_graph: MakeGraph) -> None:
    current, older = enable(make_graph()), enable(make_graph(second_tap="refuse"))
    for graph in (current, older):
        graph.post(ADA, {})

    assert (current.post(ADA, {}).status_code, older.post(ADA, {}).status_code) == (201, 400)
    assert len(current.body(ADA)["value"]) == len(older.body(ADA)["value"]) == 1


def test_an_expired_pass_is_overridden_in_any_case(make_graph: MakeGraph) -> None:
    graph = enable(make_graph(second_tap="refuse"))
    graph.post(ADA, {})
    graph.clock.forward(hours=9)

    assert graph.post(ADA, {}).status_code == 201


def test_a_disabled_policy_refuses_creation_or_not(make_graph: MakeGraph) -> None:
    assert make_graph().post(ADA, {}).status_code == 400
    assert make_graph(tap_while_disabled="create").post(ADA, {}).status_code == 201


def test_a_fresh_pass_may_take_reads_to_be_usable(make_graph: MakeGraph) -> None:
    graph = enable(make_graph(tap_usable_after_reads=2))
    graph.post(ADA, {})

    usable = [graph.body(ADA)["value"][0]["isUsable"] for _ in range(3)]

    assert usable == [False, True, True]


def test_a_deleted_pass_is_gone(graph: Graph) -> None:
    identifier = enable(graph).post(ADA, {}).json()["id"]

    assert [graph.delete(f"{ADA}/{identifier}").status_code for _ in range(2)] == [204, 404]
    assert graph.body(ADA)["value"] == []


def test_query_options_are_not_supported(graph: Graph) -> None:
    assert graph.get(f"{ADA}?$top=1").status_code == 400
