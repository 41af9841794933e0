"""The Graph client: reads in as few round trips as possible, writes one by one, and counts what they cost."""

from __future__ import annotations

import asyncio
import math
import random
import re
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from types import TracebackType
from typing import Self, TypeVar

import httpx

from tapctl.errors import RemoteError
from tapctl.graph import batch, outcomes
from tapctl.graph.address import Address
from tapctl.graph.clock import Clock, SystemClock
from tapctl.graph.guard import ForbiddenRequestError, GuardedTransport, is_reading_post
from tapctl.graph.paging import Pages
from tapctl.graph.replies import HttpReply
from tapctl.graph.retry import Attempt, Patience, may_read_again, may_write_again, wait_before_next
from tapctl.graph.tokens import TokenFacts, TokenKeeper, TokenSource
from tapctl.graph.usage import Meter
from tapctl.graph.wire import Lost, Wire, decode_challenge
from tapctl.model.plan import GraphUsage
from tapctl.model.requests import Answer, Problem, ProblemKind, Read, Reply, Version, Write
from tapctl.model.values import JSONValue

CALLS_AT_ONCE = 16
"""The most calls of one tenant at the same time; each may hold 20 reads."""

ResultT = TypeVar("ResultT")
RequestT = TypeVar("RequestT", Read, Write)


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """The time limits of a client."""

    patience: Patience = field(default_factory=Patience)
    total_seconds: float | None = None
    """Limits the whole life of the client (`--timeout`); None: no limit."""


class GraphClient:
    """One tenant's Graph. Use as an async context manager.

    Args:
        writable: a client that is not writable sends only reads and refuses every write.
        jitter: returns random numbers from 0 to 1, for the waits between tries.
    """

    def __init__(
        self,
        *,
        address: Address,
        source: TokenSource,
        transport: httpx.AsyncBaseTransport,
        tenant_id: str,
        writable: bool,
        clock: Clock | None = None,
        jitter: Callable[[], float] = random.random,
        limits: Limits | None = None,
    ) -> None:
        self.writable = writable
        self.graph_root = address.graph
        """The cloud's own Graph root, for addresses inside bodies (`@odata.id`); an override does not change it."""
        self._address = address
        self._clock = clock or SystemClock()
        self._jitter = jitter
        self._limits = limits or Limits()
        self._deadline = self._clock.now() + (
            math.inf if self._limits.total_seconds is None else self._limits.total_seconds
        )
        self._meter = Meter(self._clock)
        self._tokens = TokenKeeper(source, tenant_id=tenant_id, clock=self._clock)
        guarded = GuardedTransport(transport, address=address, writable=writable, meter=self._meter, clock=self._clock)
        self._wire = Wire(address=address, tokens=self._tokens, transport=guarded, meter=self._meter)
        self._calls = asyncio.Semaphore(CALLS_AT_ONCE)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self._wire.close()
        await self._tokens.close()

    @property
    def token_facts(self) -> TokenFacts | None:
        """The claims of the access token; None before `authenticate`."""
        return self._tokens.facts

    def at_work(self) -> AbstractContextManager[None]:
        """Context in which time is counted as the run's, including waits but not signing in."""
        return self._meter.at_work()

    def remaining_seconds(self) -> float:
        """The seconds until the run's time limit; infinite without one."""
        return self._remaining()

    def usage(self) -> GraphUsage:
        """The cost of the client's requests so far."""
        return self._meter.usage()

    async def authenticate(self) -> None:
        """Get a token and check that it is for this tenant, before anything is sent to Graph.

        Raises:
            RemoteError: signing in failed, took longer than the run may, or gave a token for another tenant.
        """
        if self._tokens.is_fresh:
            return
        remaining = self._remaining()
        try:
            with self._meter.signing_in():
                await self._sign_in(remaining)
        except TimeoutError:
            raise RemoteError(f"signing in: {self._out_of_time()}", fix="run again, or raise --timeout") from None

    async def _sign_in(self, seconds: float) -> None:
        async with asyncio.timeout(None if math.isinf(seconds) else seconds):
            # If the limit has already passed, this raises before signing in starts.
            await asyncio.sleep(0)
            await self._tokens.current()

    async def read(self, reads: Sequence[Read]) -> list[Reply]:
        """Send reads together: one round trip, plus those for further pages and retries.

        Returns:
            One outcome for each read, in the same order.

        Raises:
            RemoteError: signing in failed.
            ForbiddenRequestError: a POST is not in the list of reading POSTs.
        """
        for read in reads:
            if read.method == "POST" and not is_reading_post(read.path):
                raise ForbiddenRequestError(f"POST {read.path.partition('?')[0]} is not known to only read")
        if not reads:
            return []
        await self.authenticate()
        with self._meter.at_work():
            return await self._read_all_pages(reads)

    async def write(self, write: Write) -> Reply:
        """Send one write in its own call. It is sent again only when it was certainly not carried out.

        Returns:
            The outcome. A failed sign-in is also an outcome, so that a run of writes can end normally.

        Raises:
            ForbiddenRequestError: the client is not writable.
        """
        if not self.writable:
            raise ForbiddenRequestError(f"{write.purpose}: {write.method} was not sent, this run only reads")
        try:
            await self.authenticate()
            with self._meter.at_work():
                return (await self._until_settled([write], self._send_write, may_write_again))[0]
        except RemoteError as error:
            # A token is fetched before a request is sent, or after Graph refused the request for lack of a valid one.
            return outcomes.unanswered(write, ProblemKind.AUTHENTICATION, error.message, ambiguous=False)

    async def _read_all_pages(self, reads: Sequence[Read]) -> list[Reply]:
        """Send the reads and, in further round trips, read the next pages of their answers."""
        pages = [Pages(read, self._address) for read in reads]
        while pending := [page for page in pages if page.following is not None]:
            following = [page.following for page in pending if page.following is not None]
            for page, outcome in zip(pending, await self._read_once(following), strict=True):
                page.take(outcome)
        return [page.outcome() for page in pages]

    async def _read_once(self, reads: Sequence[Read]) -> list[Reply]:
        """One round trip: batches and single reads side by side."""
        chunks = batch.chunked(reads)
        settled = await _side_by_side(
            [
                self._until_settled([reads[index] for index in chunk], self._send_reads, may_read_again)
                for chunk in chunks
            ]
        )
        ordered: dict[int, Reply] = {}
        for chunk, results in zip(chunks, settled, strict=True):
            ordered.update(zip(chunk, results, strict=True))
        return [ordered[index] for index in range(len(reads))]

    async def _until_settled(
        self,
        requests: Sequence[RequestT],
        send: Callable[[Sequence[RequestT], float], Awaitable[list[Reply]]],
        may_repeat: Callable[[Problem], bool],
    ) -> list[Reply]:
        """Send requests together, and retry those that may succeed, until a limit is reached."""
        began = self._clock.now()
        results: list[Reply] = [self._late(request) for request in requests]
        pending = list(range(len(requests)))
        tries, renewed = 0, False
        while pending and self._remaining() > 0:
            await self.authenticate()
            token = await self._tokens.current()
            seconds = self._answer_seconds(self._clock.now() - began)
            outcomes_now = await send([requests[index] for index in pending], seconds)
            results = _merged(results, pending, outcomes_now)
            tries += 1
            waits = self._waits(results, pending, may_repeat, Attempt(tries, self._clock.now() - began))
            refused = [] if renewed else [index for index in pending if _is_unauthenticated(results[index])]
            if refused and self._tokens.renewable:
                renewed = True
                await self._renew(token, results[refused[0]])
                waits |= dict.fromkeys(refused, 0.0)
            pending = sorted(waits)
            await self._pause(max(waits.values(), default=0.0))
        return results

    def _waits(
        self,
        results: Sequence[Reply],
        pending: Sequence[int],
        may_repeat: Callable[[Problem], bool],
        attempt: Attempt,
    ) -> dict[int, float]:
        """The seconds to wait for each request that will be retried."""
        waits: dict[int, float] = {}
        jitter = self._jitter()
        for index in pending:
            problem = results[index]
            if isinstance(problem, Answer) or not may_repeat(problem):
                continue
            wait = wait_before_next(
                problem, attempt, patience=self._limits.patience, wall=self._clock.wall(), jitter=jitter
            )
            if wait is not None and wait < self._remaining():
                waits[index] = wait
        return waits

    async def _pause(self, seconds: float) -> None:
        if seconds > 0:
            await self._clock.sleep(seconds)

    async def _renew(self, refused: str, outcome: Reply) -> None:
        """Get a new token; a part of a batch has its claims challenge in its own headers."""
        challenge = _CHALLENGE.search(outcome.headers.get("www-authenticate", ""))
        with self._meter.signing_in():
            await self._tokens.renewed(refused, claims=decode_challenge(challenge.group(1)) if challenge else None)

    async def _send_reads(self, reads: Sequence[Read], seconds: float) -> list[Reply]:
        """One call: a single read is sent alone, several reads of one version as a batch."""
        if len(reads) > 1:
            return await self._send_batch(reads, seconds)
        read = reads[0]
        body = ({} if read.body is None else read.body) if read.method == "POST" else None
        result = await self._exchange(read.method, read.version, read.path, read.headers, body, seconds)
        if isinstance(result, Lost):
            return [outcomes.unanswered(read, result.kind, result.message, ambiguous=False)]
        return [outcomes.read_outcome(read, result)]

    async def _send_batch(self, reads: Sequence[Read], seconds: float) -> list[Reply]:
        body = batch.encode(reads)
        result = await self._exchange("POST", reads[0].version, "/$batch", {}, body, seconds)
        if isinstance(result, Lost):
            return [outcomes.unanswered(read, result.kind, result.message, ambiguous=False) for read in reads]
        if not 200 <= result.status < 300:
            return [_of_envelope(read, result) for read in reads]
        try:
            replies = batch.decode(result.body, len(reads))
        except ValueError:
            return [outcomes.malformed(read, "the answer is not an answer to a batch", result) for read in reads]
        for reply in replies:
            if reply is not None and reply.status == 429:
                self._meter.throttled()
        return [
            outcomes.read_outcome(read, reply)
            if reply is not None
            else outcomes.malformed(read, "this part is missing in the answer to the batch", result)
            for read, reply in zip(reads, replies, strict=True)
        ]

    async def _send_write(self, writes: Sequence[Write], seconds: float) -> list[Reply]:
        write = writes[0]
        result = await self._exchange(write.method, write.version, write.path, write.headers, write.body, seconds)
        if isinstance(result, Lost):
            return [outcomes.unanswered(write, result.kind, result.message, ambiguous=result.maybe_sent)]
        return [outcomes.write_outcome(write, result)]

    async def _exchange(
        self, method: str, version: Version, path: str, headers: Mapping[str, str], body: JSONValue, seconds: float
    ) -> HttpReply | Lost:
        async with self._calls:
            url = self._address.url(version, path)
            return await self._wire.exchange(method, url, headers=headers, body=body, seconds=seconds)

    def _remaining(self) -> float:
        """Seconds until the run's time limit; infinite where there is none."""
        return self._deadline - self._clock.now()

    def _answer_seconds(self, elapsed: float) -> float:
        """How many seconds to wait for the next answer, given the time already spent on the request."""
        patience = self._limits.patience
        return max(0.0, min(patience.answer_seconds, patience.seconds - elapsed, self._remaining()))

    def _late(self, request: Read | Write) -> Problem:
        return outcomes.unanswered(request, ProblemKind.TIMEOUT, self._out_of_time(), ambiguous=False)

    def _out_of_time(self) -> str:
        return f"the time limit of {self._limits.total_seconds or 0:.0f} s for this tenant (--timeout) has passed"


_CHALLENGE = re.compile(r'claims="([^"]+)"')


def _of_envelope(read: Read, reply: HttpReply) -> Problem:
    """The problem of a whole batch, for one of its reads. A 404 for $batch does not mean that an object is absent."""
    problem = outcomes.problem_of(read, reply)
    return replace(problem, kind=ProblemKind.MALFORMED) if problem.kind is ProblemKind.NOT_FOUND else problem


def _is_unauthenticated(outcome: Reply) -> bool:
    return isinstance(outcome, Problem) and outcome.kind is ProblemKind.AUTHENTICATION


def _merged(results: Sequence[Reply], places: Sequence[int], newer: Sequence[Reply]) -> list[Reply]:
    replaced = dict(zip(places, newer, strict=True))
    return [replaced.get(index, outcome) for index, outcome in enumerate(results)]


async def _side_by_side(jobs: Sequence[Coroutine[object, object, ResultT]]) -> list[ResultT]:
    """Run jobs at the same time; when one fails, the others are cancelled before its error is raised."""
    tasks = [asyncio.ensure_future(job) for job in jobs]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
