"""Tokens: whose they are is known before anything is sent."""

from __future__ import annotations

import asyncio
import base64

import pytest

from tapctl.errors import RemoteError
from tapctl.graph.tokens import token_facts

from .support import NOW, TENANT, FakeClock, ScriptedGraph, Tokens, client_of, failed, get, in_turn, jwt, ok

OTHER = "11111111-2222-3333-4444-555555555555"


def authenticate(token: str) -> ScriptedGraph:
    """Read with a token; whatever happens, say what was sent."""
    graph = ScriptedGraph(lambda _: ok())

    async def run() -> None:
        async with client_of(graph, source=Tokens((token,), renewable=False)) as client:
            await client.read([get()])

    try:
        asyncio.run(run())
    except RemoteError:
        assert graph.sent == []
        raise
    return graph


def test_a_token_of_this_tenant_is_used_whatever_the_case_of_its_id() -> None:
    assert authenticate(jwt(tid=TENANT.upper())).lines == ["GET /v1.0/groups/1"]


def test_a_token_of_another_tenant_sends_nothing_and_names_both() -> None:
    with pytest.raises(RemoteError) as error:
        authenticate(jwt(tid=OTHER))

    assert OTHER in error.value.message
    assert TENANT in error.value.message


SECRET = "c2VjcmV0"


@pytest.mark.parametrize(
    "token",
    [
        "",
        SECRET,
        f"{SECRET}.{SECRET}",
        f"{SECRET}.{SECRET}.{SECRET}",
        f"{SECRET}.{SECRET}.{SECRET}.{SECRET}.{SECRET}",
        "e30.W10.",
        "e30.e30.",
        "e30.eyJ0aWQiOjV9.",
        "e30.eyJ0aWQiOiIifQ.",
        "e30.__8.",
        jwt(tid=None),
        jwt(exp="soon"),
        jwt(exp=True),
        jwt(exp=int(NOW) - 1),
        jwt(exp=int(NOW)),
        jwt() + "\r\nX-Injected: 1",
        f"Bearer {jwt()}",
    ],
)
def test_a_token_that_cannot_be_read_sends_nothing_and_is_not_quoted(token: str) -> None:
    with pytest.raises(RemoteError) as error:
        authenticate(token)

    assert error.value.exit_code == 1
    assert error.value.fix
    assert SECRET not in error.value.message
    assert token == "" or token not in error.value.message


def test_a_token_without_expiry_is_used() -> None:
    assert authenticate(jwt(exp=None)).sent


def test_a_nested_payload_beyond_reading_is_refused() -> None:
    payload = base64.urlsafe_b64encode(b"[" * 200_000).decode().rstrip("=")

    with pytest.raises(RemoteError):
        authenticate(f"e30.{payload}.")


def test_the_facts_of_an_application_and_of_a_person() -> None:
    application = token_facts(jwt(roles=["Group.Read.All", 5, ""], appid="a", oid="o"))
    person = token_facts(jwt(appid=None, azp="b", scp="User.Read Group.Read.All", wids=["w"]))

    assert (application.application_id, application.object_id) == ("a", "o")
    assert application.permissions == {"Group.Read.All"}
    assert not application.is_delegated
    assert person.application_id == "b"
    assert person.permissions == {"User.Read", "Group.Read.All"}
    assert person.is_delegated
    assert person.role_templates == {"w"}


def test_one_token_serves_until_it_is_about_to_expire() -> None:
    clock = FakeClock()
    source = Tokens((jwt(n=1), jwt(n=2, exp=int(NOW) + 9000)))
    graph = ScriptedGraph(lambda _: ok())

    async def run() -> None:
        async with client_of(graph, source=source, clock=clock) as client:
            await client.read([get("/1"), get("/2", version="beta")])
            clock.elapsed += 3200
            await client.read([get("/3")])
            assert len(source.asked) == 1
            clock.elapsed += 200
            await client.read([get("/4")])

    asyncio.run(run())
    assert len(source.asked) == 2
    assert graph.sent[-1].headers["authorization"] == f"Bearer {jwt(n=2, exp=int(NOW) + 9000)}"
    assert source.closed


def test_a_renewed_token_of_another_tenant_is_not_used() -> None:
    graph = ScriptedGraph(lambda _: failed(401))

    async def run() -> None:
        async with client_of(graph, source=Tokens((jwt(), jwt(tid=OTHER)))) as client:
            await client.read([get()])

    with pytest.raises(RemoteError, match=OTHER):
        asyncio.run(run())
    assert len(graph.sent) == 1


def test_signing_in_counts_nowhere() -> None:
    clock = FakeClock()

    class Slow(Tokens):
        async def fetch(self, *, claims: str | None = None, renew: bool = False) -> str:
            clock.elapsed += 30
            return await super().fetch(claims=claims, renew=renew)

    async def run() -> None:
        async with client_of(ScriptedGraph(lambda _: ok()), source=Slow(), clock=clock) as client:
            await client.authenticate()
            assert client.token_facts is not None
            assert client.usage().calls == 0
            await client.read([get()])
            assert client.usage().seconds == 0.0

    asyncio.run(run())


def test_signing_in_again_in_the_middle_of_a_read_counts_nowhere_either() -> None:
    clock = FakeClock()

    class SlowToRenew(Tokens):
        async def fetch(self, *, claims: str | None = None, renew: bool = False) -> str:
            clock.elapsed += 30 if renew else 0
            return await super().fetch(claims=claims, renew=renew)

    async def run() -> None:
        source = SlowToRenew((jwt(n=1), jwt(n=2)))
        graph = ScriptedGraph(in_turn(failed(401), ok()), clock=clock, seconds=1.0)
        async with client_of(graph, source=source, clock=clock) as client:
            await client.read([get()])
            assert client.usage().seconds == 2.0
            assert client.usage().calls == 2

    asyncio.run(run())
