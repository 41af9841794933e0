"""The file that keeps a tenant."""

from __future__ import annotations

import json
import stat
import subprocess
from pathlib import Path

import pytest

from tapctl.errors import RefusedError, UsageError
from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.connect import open_sandbox
from tapctl.sandbox.seed import seed
from tapctl.sandbox.state import default_path
from tests.sandbox.support import POLICIES, TAP, TAP_TYPE, TENANT, Graph, MakeGraph
from tests.support.large_tenant import seed_large

ENABLE = {"@odata.type": TAP_TYPE, "state": "enabled"}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "sandbox" / f"{TENANT}.json"


def test_the_same_tenant_id_gives_the_same_tenant(make_graph: MakeGraph) -> None:
    assert seed(TENANT) == seed(TENANT)
    other = seed("11111111-2222-4333-8444-555555555555")
    assert not set(other["objects"]["groups"]) & set(seed(TENANT)["objects"]["groups"])


def test_reading_writes_no_file_and_writing_writes_a_private_one(make_graph: MakeGraph, path: Path) -> None:
    graph = make_graph(path=path)
    graph.body(TAP)
    assert not path.exists()

    graph.patch(TAP, ENABLE)

    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert json.loads(path.read_text())["tenant"] == TENANT


def test_a_refused_write_writes_no_file(make_graph: MakeGraph, path: Path) -> None:
    assert make_graph(path=path).patch(TAP, {**ENABLE, "defaultLength": 1}).status_code == 400
    assert not path.exists()


def test_what_one_process_wrote_another_reads_at_once(make_graph: MakeGraph, path: Path) -> None:
    first, second = make_graph(path=path), make_graph(path=path)
    assert second.body(TAP)["state"] == "disabled"

    first.patch(TAP, ENABLE)
    assert second.body(TAP)["state"] == "enabled"
    second.patch(TAP, {"@odata.type": TAP_TYPE, "isUsableOnce": True})

    policy = first.body(TAP)
    assert (policy["state"], policy["isUsableOnce"]) == ("enabled", True)


def test_reset_brings_the_seed_back(make_graph: MakeGraph, path: Path) -> None:
    graph = make_graph(path=path)
    graph.patch(TAP, ENABLE)

    assert [graph.sandbox.reset() for _ in range(2)] == [True, False]

    assert graph.body(TAP)["state"] == "disabled"
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b"{", "not JSON"),
        (b"\xff\xfe", "not UTF-8"),
        (b"[]", "not of format"),
        (b'{"format": 99}', "not of format"),
        (b'{"format": 1, "tenant": "x"}', "another tenant"),
        (b'{"format": 1, "tenant": "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11"}', "objects are missing"),
        (b"[" * 100_000, "not JSON"),
    ],
)
def test_a_damaged_file_is_a_clear_error(make_graph: MakeGraph, path: Path, content: bytes, why: str) -> None:
    path.parent.mkdir()
    path.write_bytes(content)

    with pytest.raises(RefusedError, match=why) as caught:
        make_graph(path=path).get(TAP)

    assert "tapctl sandbox reset" in caught.value.fix


def test_the_file_is_at_the_git_top_level(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    inner = tmp_path / "repository" / "tenants" / "deep"
    inner.mkdir(parents=True)
    subprocess.run(["git", "init", "-q", str(tmp_path / "repository")], check=True)
    monkeypatch.delenv("TAPCTL_SANDBOX_DIR", raising=False)
    monkeypatch.chdir(inner)
    assert default_path("x") == tmp_path / "repository" / ".tapctl" / "sandbox" / "x.json"

    monkeypatch.setenv("TAPCTL_SANDBOX_DIR", str(tmp_path / "elsewhere"))

    assert default_path("x") == tmp_path / "elsewhere" / "x.json"


def test_switches_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAPCTL_SANDBOX_BEHAVIOUR", '{"delete_status": 200, "approval_for": ["configurationPolicies"]}')

    behaviour = open_sandbox(TENANT.upper(), state_path=None).behaviour

    assert behaviour == Behaviour(delete_status=200, approval_for=("configurationPolicies",))


@pytest.mark.parametrize(
    "text",
    [
        "[]",
        "{",
        '{"nonsense": 1}',
        '{"delete_status": 201}',
        '{"lag_get_reads": true}',
        '{"lag_get_seconds": "1"}',
        '{"approval_for": "x"}',
        '{"retry_after_seconds": "soon"}',
    ],
)
def test_switches_that_cannot_be_used_are_a_clear_error(text: str) -> None:
    with pytest.raises(UsageError, match=r"sandbox (has no )?switch"):
        Behaviour.parse(text)


def test_a_tenant_id_is_a_guid() -> None:
    with pytest.raises(UsageError, match="not a GUID"):
        open_sandbox("../../etc/passwd", state_path=None)


def test_a_large_tenant_has_many_policies_and_nested_groups(graph: Graph) -> None:
    with graph.sandbox.transaction(writes=True) as store:
        seed_large(store.data, policies=150, people=120)

    url: str | None = f"{POLICIES}?$select=id&$expand=assignments"
    found = []
    while url:
        page = graph.body(url)
        found += page["value"]
        url = page.get("@odata.nextLink")

    assert len(found) == 156
    outermost = graph.group_id("SG-Crowd-3")
    count = graph.get(
        f"/v1.0/groups/{outermost}/transitiveMembers/microsoft.graph.user/$count",
        headers={"ConsistencyLevel": "eventual"},
    )
    assert count.text == "120"
    assigned = {entry["target"]["groupId"] for policy in found for entry in policy["assignments"]}
    assert any(graph.get(f"/v1.0/groups/{group}").status_code == 404 for group in assigned)


def test_every_request_is_logged_with_what_tests_count(make_graph: MakeGraph, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    graph = make_graph(log=log)
    graph.batch(
        {"id": "1", "method": "GET", "url": "/users?$top=1"},
        {
            "id": "2",
            "method": "PATCH",
            "url": TAP.removeprefix("/v1.0"),
            "headers": {"Content-Type": "application/json"},
            "body": ENABLE,
        },
    )

    entries = [json.loads(line) for line in log.read_text().splitlines()]

    assert [(entry["method"], entry["path"], entry["status"], entry["batch"], entry["write"]) for entry in entries] == [
        ("GET", "/users", 200, True, False),
        ("PATCH", TAP.removeprefix("/v1.0"), 204, True, True),
        ("POST", "/$batch", 200, False, False),
    ]
    assert entries[1]["body"] == ENABLE
    assert graph.token not in log.read_text()
