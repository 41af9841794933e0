"""The TAP policy: GET, PATCH, DELETE."""

from __future__ import annotations

import pytest

from tests.sandbox.support import TAP, TAP_TYPE, Graph, MakeGraph, error_code


def patch(graph: Graph, **changes: object) -> tuple[int, str]:
    response = graph.patch(TAP, {"@odata.type": TAP_TYPE, **changes})
    return (response.status_code, response.text) if response.status_code == 204 else error_code(response)


def test_a_fresh_tenant_has_the_documented_defaults(graph: Graph) -> None:
    policy = graph.body(TAP)

    assert policy["@odata.type"] == TAP_TYPE
    assert policy["id"] == "TemporaryAccessPass"
    assert (policy["state"], policy["isUsableOnce"], policy["defaultLength"]) == ("disabled", False, 8)
    assert [policy[f"{name}LifetimeInMinutes"] for name in ("minimum", "default", "maximum")] == [60, 60, 480]
    assert policy["includeTargets"] == [{"targetType": "group", "id": "all_users", "isRegistrationRequired": False}]
    assert policy["excludeTargets"] == []
    assert policy["includeTargets@odata.context"].endswith("/includeTargets")


@pytest.mark.parametrize(
    "path",
    [
        "/beta/policies/authenticationmethodspolicy/authenticationMethodConfigurations/TEMPORARYACCESSPASS",
        "/v1.0/policies/authenticationMethodsPolicy/authenticationMethodConfigurations('TemporaryAccessPass')",
        "/V1.0/Policies/AuthenticationMethodsPolicy/AuthenticationMethodConfigurations('temporaryAccessPass')",
    ],
)
def test_it_is_found_whatever_the_case_and_the_form_of_its_key(graph: Graph, path: str) -> None:
    assert graph.body(path)["id"] == "TemporaryAccessPass"


def test_a_patch_answers_204_without_body_and_merges(graph: Graph) -> None:
    assert patch(graph, isUsableOnce=True) == (204, "")

    policy = graph.body(TAP)
    assert (policy["isUsableOnce"], policy["maximumLifetimeInMinutes"]) == (True, 480)


def test_the_whole_get_body_may_be_sent_back(graph: Graph) -> None:
    assert graph.patch(TAP, graph.body(TAP)).status_code == 204


def test_targets_are_replaced_as_a_whole(graph: Graph) -> None:
    wave, rescue = graph.group_id("SG-Onboarding-Wave-7"), graph.group_id("SG-Break-Glass")

    patch(
        graph,
        includeTargets=[{"targetType": "group", "id": wave}],
        excludeTargets=[{"targetType": "group", "id": rescue}],
    )
    policy = graph.body(TAP)

    assert policy["includeTargets"] == [{"targetType": "group", "id": wave, "isRegistrationRequired": False}]
    assert policy["excludeTargets"] == [{"targetType": "group", "id": rescue}]


@pytest.mark.parametrize(
    "changes",
    [
        {"minimumLifetimeInMinutes": 600},
        {"minimumLifetimeInMinutes": 9},
        {"maximumLifetimeInMinutes": 43201},
        {"maximumLifetimeInMinutes": 59},
        {"defaultLifetimeInMinutes": "60"},
        {"defaultLength": 7},
        {"defaultLength": 49},
        {"defaultLength": True},
        {"isUsableOnce": None},
        {"state": "default"},
        {"lifetime": 5},
        {"includeTargets": None},
        {"includeTargets": [{"targetType": "group", "id": "SG-Break-Glass"}]},
        {"includeTargets": [{"id": "all_users"}]},
        {"excludeTargets": [{"targetType": "group", "id": "all_users"}]},
        {"includeTargets": [{"targetType": "group", "id": "all_users"}] * 2},
    ],
)
def test_what_the_service_would_refuse_is_a_bad_request_and_changes_nothing(
    graph: Graph, changes: dict[str, object]
) -> None:
    before = graph.body(TAP)

    assert patch(graph, **changes) == (400, "badRequest")

    assert graph.body(TAP) == before


def test_an_exclusion_has_no_registration_flag(graph: Graph) -> None:
    rescue = graph.group_id("SG-Break-Glass")
    target = {"targetType": "group", "id": rescue, "isRegistrationRequired": False}

    assert patch(graph, excludeTargets=[target]) == (400, "badRequest")


def test_lifetimes_sent_together_are_judged_together(graph: Graph) -> None:
    lifetimes = {"minimumLifetimeInMinutes": 600, "defaultLifetimeInMinutes": 600, "maximumLifetimeInMinutes": 600}

    assert patch(graph, **lifetimes) == (204, "")


def test_delete_resets_and_never_answers_404(graph: Graph) -> None:
    before = graph.body(TAP)
    patch(graph, state="enabled", isUsableOnce=True, includeTargets=[])

    assert [graph.delete(TAP).status_code for _ in range(2)] == [204, 204]

    assert graph.body(TAP) == before


def test_an_error_repeats_its_message_inside(graph: Graph) -> None:
    error = graph.patch(TAP, {"@odata.type": TAP_TYPE, "defaultLength": 7}).json()["error"]

    assert error["innerError"]["message"] == error["message"]
    assert {"date", "request-id", "client-request-id"} <= set(error["innerError"])


def test_the_whole_policy_holds_the_configuration_and_notes_every_change(graph: Graph) -> None:
    before = graph.body("/v1.0/policies/authenticationMethodsPolicy")
    graph.clock.forward(minutes=1)
    patch(graph, state="enabled")
    after = graph.body("/v1.0/policies/authenticationMethodsPolicy")

    states = {method["id"]: method["state"] for method in after["authenticationMethodConfigurations"]}
    assert states["TemporaryAccessPass"] == "enabled"
    assert before["lastModifiedDateTime"] < after["lastModifiedDateTime"]


def test_other_methods_are_read_but_not_written(graph: Graph) -> None:
    path = TAP.replace("temporaryAccessPass", "fido2")

    assert graph.body(path)["state"] == "enabled"
    assert graph.patch(path, {"state": "disabled"}).status_code == 501


# switches


def test_the_type_may_be_optional(make_graph: MakeGraph) -> None:
    assert make_graph().patch(TAP, {"isUsableOnce": True}).status_code == 400
    assert make_graph(odata_type_required=False).patch(TAP, {"isUsableOnce": True}).status_code == 204


def test_lifetimes_may_be_recalculated(make_graph: MakeGraph) -> None:
    graph = make_graph(recalculate_lifetimes=True)

    assert patch(graph, minimumLifetimeInMinutes=600) == (204, "")

    policy = graph.body(TAP)
    assert [policy[f"{name}LifetimeInMinutes"] for name in ("minimum", "default", "maximum")] in (
        [480, 480, 480],
        [600, 600, 600],
    )


UNKNOWN = "00000000-0000-0000-0000-00000000dead"


@pytest.mark.parametrize(
    ("mode", "first", "again"), [("store", 204, 204), ("refuse", 400, 400), ("refuse-new", 400, 204)]
)
def test_unknown_targets_are_stored_or_refused(make_graph: MakeGraph, mode: str, first: int, again: int) -> None:
    graph = make_graph(unknown_policy_targets=mode)
    targets = [{"targetType": "group", "id": UNKNOWN}]
    assert patch(graph, includeTargets=targets)[0] == first

    with graph.sandbox.transaction(writes=True) as store:
        store.collection("policies")["temporaryaccesspass"]["includeTargets"] = [
            {"targetType": "group", "id": UNKNOWN, "isRegistrationRequired": False}
        ]

    assert patch(graph, includeTargets=targets, state="enabled")[0] == again


def test_a_deleted_group_stays_in_the_targets(graph: Graph) -> None:
    wave = graph.group_id("SG-Onboarding-Wave-7")
    patch(graph, includeTargets=[{"targetType": "group", "id": wave}])

    assert graph.delete(f"/v1.0/groups/{wave}").status_code == 204

    assert [target["id"] for target in graph.body(TAP)["includeTargets"]] == [wave]


def test_the_answer_may_look_different(make_graph: MakeGraph) -> None:
    graph = make_graph(exclude_targets_missing=True, target_annotations=False, reverse_targets=True, extra_keys=True)
    wave, rescue = graph.group_id("SG-Onboarding-Wave-7"), graph.group_id("SG-Break-Glass")
    patch(graph, includeTargets=[{"targetType": "group", "id": wave}, {"targetType": "group", "id": rescue}])

    policy = graph.body(TAP)

    assert "excludeTargets" not in policy
    assert "includeTargets@odata.context" not in policy
    assert [target["id"] for target in policy["includeTargets"]] == [rescue, wave]
    assert "auditRuleInformation" in policy


def test_a_reset_may_keep_state_and_targets(make_graph: MakeGraph) -> None:
    graph = make_graph(reset_keeps_targets=True)
    patch(graph, state="enabled", isUsableOnce=True)

    graph.delete(TAP)

    policy = graph.body(TAP)
    assert (policy["state"], policy["isUsableOnce"]) == ("enabled", False)


def test_lifetimes_that_are_not_sent_follow_and_nothing_else_does(make_graph: MakeGraph) -> None:
    graph = make_graph(recalculate_lifetimes=True)
    patch(graph, defaultLifetimeInMinutes=400)
    before = graph.body(TAP)

    patch(graph, isUsableOnce=True)
    patch(graph, maximumLifetimeInMinutes=120)

    changed = {"isUsableOnce": True, "maximumLifetimeInMinutes": 120, "defaultLifetimeInMinutes": 120}
    assert graph.body(TAP) == {**before, **changed}


@pytest.mark.parametrize(
    ("shown", "full", "empty"), [("null", [None], [None]), ("missing", [], []), ("null-when-empty", [1], [None])]
)
def test_include_targets_may_be_null_or_missing(
    make_graph: MakeGraph, shown: str, full: list[object], empty: list[object]
) -> None:
    graph = make_graph(include_targets=shown)

    seen = []
    for targets in ([{"targetType": "group", "id": "all_users"}], []):
        assert patch(graph, includeTargets=targets) == (204, "")
        policy = graph.body(TAP)
        seen.append([policy[name] and len(policy[name]) for name in ("includeTargets",) if name in policy])

    assert seen == [full, empty]


@pytest.mark.parametrize(("mode", "status"), [("drop", 204), ("refuse", 400)])
@pytest.mark.parametrize("name", ["includeTargets", "excludeTargets"])
def test_the_display_name_of_a_target_is_dropped_or_refused(
    make_graph: MakeGraph, name: str, mode: str, status: int
) -> None:
    graph = make_graph(target_display_names=mode)
    target = {"targetType": "group", "id": graph.group_id("SG-Onboarding-Wave-7")}

    assert patch(graph, **{name: [{**target, "displayName": "SG-Onboarding-Wave-7"}]})[0] == status

    more = {"isRegistrationRequired": False} if name == "includeTargets" else {}
    assert status == 400 or graph.body(TAP)[name] == [{**target, **more}]


@pytest.mark.parametrize("is_kept", [False, True])
def test_what_a_target_says_of_registration_is_kept_or_false(make_graph: MakeGraph, is_kept: bool) -> None:
    graph = make_graph(is_registration_required_kept=is_kept)
    everybody = {"targetType": "group", "id": "all_users"}
    wave = {"targetType": "group", "id": graph.group_id("SG-Onboarding-Wave-7")}
    patch(graph, includeTargets=[{**everybody, "isRegistrationRequired": True}])

    patch(graph, includeTargets=[everybody, wave])

    assert [target["isRegistrationRequired"] for target in graph.body(TAP)["includeTargets"]] == [is_kept, False]


@pytest.mark.parametrize("value", [None, "no", 0])
def test_registration_is_true_or_false(graph: Graph, value: object) -> None:
    target = {"targetType": "group", "id": "all_users", "isRegistrationRequired": value}

    assert patch(graph, includeTargets=[target]) == (400, "badRequest")
