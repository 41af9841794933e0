"""Replication: what was written is not seen at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.sandbox.support import (
    POLICIES,
    TAP,
    TAP_TYPE,
    Graph,
    MakeGraph,
    catalog_policy,
    error_code,
    security_group,
)


def create(graph: Graph) -> str:
    return str(graph.post("/v1.0/groups", security_group("Late")).json()["id"])


def is_listed(graph: Graph) -> bool:
    return bool(graph.body("/v1.0/groups?$filter=displayName eq 'Late'")["value"])


def test_without_a_lag_everything_is_seen_at_once(graph: Graph) -> None:
    assert graph.get(f"/v1.0/groups/{create(graph)}").status_code == 200
    assert is_listed(graph)


def test_a_new_object_appears_after_so_many_seconds_in_lists_later(make_graph: MakeGraph) -> None:
    graph = make_graph(lag_get_seconds=10, lag_list_seconds=30)
    group = create(graph)

    seen = []
    for _ in range(3):
        seen.append((graph.get(f"/v1.0/groups/{group}").status_code, is_listed(graph)))
        graph.clock.forward(seconds=15)

    assert seen == [(404, False), (200, False), (200, True)]


def test_a_new_object_appears_after_so_many_reads(make_graph: MakeGraph) -> None:
    graph = make_graph(lag_get_reads=2, lag_list_reads=1)
    group = create(graph)

    gets = [graph.get(f"/v1.0/groups/{group}").status_code for _ in range(4)]
    lists = [is_listed(graph) for _ in range(3)]

    assert gets == [404, 404, 200, 200]
    assert lists == [False, True, True]


def test_reads_of_other_objects_do_not_count(make_graph: MakeGraph) -> None:
    graph = make_graph(lag_get_reads=1)
    group = create(graph)

    for _ in range(3):
        graph.get(TAP)

    assert graph.get(f"/v1.0/groups/{group}").status_code == 404


@pytest.mark.parametrize(("refuses", "expected"), [(True, [404, 404, 204]), (False, [204, 204, 204])])
def test_writes_to_an_object_not_yet_seen_are_refused(
    make_graph: MakeGraph, refuses: bool, expected: list[int]
) -> None:
    graph = make_graph(lag_get_seconds=10, lag_refuses_writes=refuses)
    group = create(graph)

    statuses = []
    for seconds in (0, 9, 1):
        graph.clock.forward(seconds=seconds)
        statuses.append(graph.patch(f"/v1.0/groups/{group}", {"description": "x"}).status_code)

    assert statuses == expected


def test_a_new_profile_cannot_be_assigned_at_once(make_graph: MakeGraph) -> None:
    graph = make_graph(lag_get_seconds=10)
    policy = graph.post(POLICIES, catalog_policy("Late")).json()["id"]
    path = f"{POLICIES}/{policy}/assign"

    assert error_code(graph.post(path, {"assignments": []})) == (404, "ResourceNotFound")
    graph.clock.forward(seconds=10)
    assert graph.post(path, {"assignments": []}).status_code == 200


def test_a_group_not_yet_seen_is_unknown_to_an_assignment(make_graph: MakeGraph) -> None:
    graph = make_graph(lag_get_seconds=10, unknown_assignment_groups="refuse")
    policy = graph.body(POLICIES)["value"][0]["id"]
    target = {"@odata.type": "#microsoft.graph.groupAssignmentTarget", "groupId": create(graph)}

    before = graph.post(f"{POLICIES}/{policy}/assign", {"assignments": [{"target": target}]})
    graph.clock.forward(seconds=10)
    after = graph.post(f"{POLICIES}/{policy}/assign", {"assignments": [{"target": target}]})

    assert (before.status_code, after.status_code) == (400, 200)


def test_changes_lag_only_when_told(make_graph: MakeGraph) -> None:
    seen = {}
    for lags in (False, True):
        graph = make_graph(lag_get_seconds=10, lag_updates=lags)
        graph.patch(TAP, {"@odata.type": TAP_TYPE, "state": "enabled"})
        graph.clock.forward(seconds=5)
        graph.patch(TAP, {"@odata.type": TAP_TYPE, "isUsableOnce": True})
        states = []
        for _ in range(3):
            policy = graph.body(TAP)
            states.append((policy["state"], policy["isUsableOnce"]))
            graph.clock.forward(seconds=5)
        seen[lags] = states

    assert seen[False] == [("enabled", True)] * 3
    assert seen[True] == [("disabled", False), ("enabled", False), ("enabled", True)]


def test_a_deleted_object_may_still_be_seen(make_graph: MakeGraph) -> None:
    graph = make_graph(lag_get_seconds=10, lag_list_seconds=20, lag_updates=True)
    group = graph.group_id("SG-Onboarding-Wave-7")
    graph.delete(f"/v1.0/groups/{group}")

    assert graph.get(f"/v1.0/groups/{group}").status_code == 200
    graph.clock.forward(seconds=10)
    assert graph.get(f"/v1.0/groups/{group}").status_code == 404
    assert graph.body("/v1.0/groups?$filter=displayName eq 'SG-Onboarding-Wave-7'")["value"]
    graph.clock.forward(seconds=10)
    assert not graph.body("/v1.0/groups?$filter=displayName eq 'SG-Onboarding-Wave-7'")["value"]


def test_nothing_is_remembered_once_everything_is_seen(make_graph: MakeGraph) -> None:
    graph = make_graph(lag_get_seconds=10, lag_list_reads=1)
    group = create(graph)
    graph.clock.forward(seconds=10)
    assert not is_listed(graph)

    assert graph.get(f"/v1.0/groups/{group}").status_code == 200

    with graph.sandbox.transaction(writes=False) as store:
        assert store.data["pending"] == []


def test_reads_of_other_processes_count_too_and_are_the_only_reads_that_write(
    make_graph: MakeGraph, tmp_path: Path
) -> None:
    path = tmp_path / "state.json"

    def process() -> Graph:
        return make_graph(path=path, lag_get_reads=2, lag_list_reads=1, lag_updates=True)

    process().patch(TAP, {"@odata.type": TAP_TYPE, "state": "enabled"})
    group = create(process())

    assert [process().body(TAP)["state"] for _ in range(3)] == ["disabled", "disabled", "enabled"]
    assert [process().get(f"/v1.0/groups/{group}").status_code for _ in range(3)] == [404, 404, 200]
    assert [is_listed(process()) for _ in range(2)] == [False, True]

    settled = path.stat()
    for _ in range(2):
        assert process().get(f"/v1.0/groups/{group}").status_code == 200
    assert (path.stat().st_mtime_ns, path.stat().st_ino) == (settled.st_mtime_ns, settled.st_ino)
