"""Commands that only read cannot write: counted for each, and refused by their client itself."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path

import pytest

from tapctl.graph.guard import ForbiddenRequestError
from tapctl.model.requests import Read, Write
from tests.gitops.repository import CONTOSO, Repository
from tests.support.world import World

READING: Sequence[tuple[str, ...]] = (
    ("validate",),
    ("diff", "HEAD~1"),
    ("plan",),
    ("plan", "--impact", "exact", "--conflicts", "--out", "saved.json"),
    ("plan", "--override", "widen", "--reason", "only a plan"),
    ("show", "plan.json"),
    ("drift",),
    ("drift", "--base", "HEAD~1"),
    ("drift", "--accept"),
    ("import", "--tenant", "contoso"),
    ("init", "elsewhere"),
    ("sandbox", "show", "--tenant", "contoso"),
)
READS_NOTHING = {"validate", "diff", "show", "init", "sandbox"}


@pytest.fixture(scope="module")
def drifted(converged: Repository, tmp_path_factory: pytest.TempPathFactory) -> Repository:
    """A tenant that differs from its file in every kind, with a commit that has not been applied."""
    made = converged.copied_to(tmp_path_factory.mktemp("drifted"))
    made.edit("  include: [tap-users]\n", "  include: [tap-users]\n  length: 12\n")
    made.succeed("plan", "--out", "plan.json")
    made.commit("longer passes")
    made.tamper("temporaryAccessPass", "lifetime.maximum=4h")
    made.tamper("groups.SG-TAP-Users", "members+=alan@contoso.com")
    made.tamper("webSignIn.WIN - Web sign-in", "settings.enableWebSignIn=false", "assign.include=all-users")
    return made


@pytest.mark.parametrize("words", READING, ids=" ".join)
def test_a_reading_command_writes_nothing(drifted: Repository, tmp_path: Path, words: tuple[str, ...]) -> None:
    repository = drifted.copied_to(tmp_path)
    state = repository.folder / ".tapctl" / "sandbox" / f"{CONTOSO}.json"
    before = state.read_bytes()

    done = repository.run(*words, text=words[0] == "import")

    assert done.code in (0, 2), done.err
    assert repository.writes() == []
    assert bool(repository.requests()) is (words[0] not in READS_NOTHING)
    assert state.read_bytes() == before


def test_the_same_tenant_is_written_by_apply(drifted: Repository, tmp_path: Path) -> None:
    """Without this the counts above would say nothing."""
    repository = drifted.copied_to(tmp_path)

    assert repository.run("apply", "--yes").code == 0
    assert len(repository.writes()) >= 4


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("PATCH", "/policies/authenticationMethodsPolicy/authenticationMethodConfigurations/temporaryAccessPass"),
        ("POST", "/groups"),
        ("PUT", "/deviceManagement/configurationPolicies/1"),
        ("DELETE", "/groups/1"),
        # A write that looks like a reading POST is one all the same.
        ("POST", "/directoryObjects/getByIds"),
    ],
)
def test_the_client_of_a_reading_command_refuses_a_write(world: World, method: str, path: str) -> None:
    assert method in ("PATCH", "POST", "PUT", "DELETE")
    write = Write(purpose="test", version="v1.0", method=method, path=path, body={})  # type: ignore[arg-type]

    async def send() -> None:
        async with world.client(writable=False) as client:
            await client.write(write)

    with pytest.raises(ForbiddenRequestError):
        asyncio.run(send())
    assert world.sent == []


@pytest.mark.parametrize("path", ["/groups", "/groups/1/members/$ref", "/directoryObjects/getByIds/more", "/$batch"])
@pytest.mark.parametrize("writable", [False, True])
def test_no_client_sends_a_post_as_a_read_that_is_not_on_the_list(world: World, path: str, writable: bool) -> None:
    read = Read(purpose="test", version="v1.0", path=path, method="POST", body={"requests": []})

    async def send() -> None:
        async with world.client(writable=writable) as client:
            await client.read([read])

    with pytest.raises(ForbiddenRequestError):
        asyncio.run(send())
    assert world.sent == []


@pytest.fixture
def world(tmp_path: Path) -> World:
    made = World(tmp_path)
    made.declare("temporaryAccessPass: {length: 8}")
    return made
