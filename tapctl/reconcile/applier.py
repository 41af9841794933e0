"""The applier: the only part of tapctl that writes. It writes little and checks a lot.

For each change, in the plan's order: read the object again and stop unless it is as it was planned from; record the
write in the journal; send it; read it back by the query that plan uses, until it is so. An answer that was lost is
resolved by reading, and a write that might create an object twice is never sent twice."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import date
from typing import Protocol, cast

from tapctl.graph.reading import Reader, run_readings
from tapctl.kinds.steps import ApplyContext, Draft, ObjectState, Observation, Step, created_id
from tapctl.model.desired import Tenant
from tapctl.model.live import LiveTenant
from tapctl.model.plan import Change, Outcome
from tapctl.model.requests import Answer, Problem, ProblemKind, Read, Reading, Reply, Write
from tapctl.reconcile import second_administrator
from tapctl.reconcile.journal import Journal
from tapctl.reconcile.planner import Planned, plan_tenant
from tapctl.reconcile.read import focus, read_tenant
from tapctl.reconcile.second_administrator import SecondAdministrator

READ_BACK_SECONDS = 120.0
"""The longest time for a read-back, or for the search for a mark."""
FIRST_PAUSE_SECONDS = 0.25
LONGEST_PAUSE_SECONDS = 15.0
SETTLING_SECONDS = 60.0
"""The longest time to retry a write that refers to an object this run just created: services learn of it slowly."""
MOST_SENDS = 4
"""How many times one repeatable write is sent at most."""


class Remote(Reader, Protocol):
    """What the applier needs of Graph; implemented by a writable `GraphClient`."""

    async def write(self, write: Write) -> Reply: ...


class Time(Protocol):
    """The clock; it is injected so that no test waits."""

    def now(self) -> float: ...

    async def sleep(self, seconds: float) -> None: ...


class _Stopped(Exception):
    def __init__(self, outcome: Outcome) -> None:
        super().__init__(outcome.message)
        self.outcome = outcome


def _failed(message: str, fix: str = "") -> _Stopped:
    return _Stopped(Outcome(name="failed", message=message, fix=fix))


def _problem(problem: Problem) -> _Stopped:
    return _failed(problem.describe(), problem.advice())


class _Journalled:
    """Graph with a journal entry for every write: for writes that the applier does not send itself."""

    def __init__(self, remote: Remote, journal: Journal) -> None:
        self._remote = remote
        self._journal = journal

    async def read(self, reads: Sequence[Read]) -> list[Reply]:
        return await self._remote.read(reads)

    async def write(self, write: Write) -> Reply:
        self._journal.sending(write.purpose, write, None)
        reply = await self._remote.write(write)
        self._journal.answered(write.purpose, write, reply)
        return reply


class Applier:
    """Applies one tenant's plan."""

    def __init__(
        self,
        *,
        tenant: Tenant,
        remote: Remote,
        journal: Journal,
        time: Time,
        today: date,
        graph_root: str,
        only_lapsed: bool = False,
        reason: str | None = None,
        own_ids: frozenset[str] = frozenset(),
        remaining: Callable[[], float] = lambda: math.inf,
    ) -> None:
        """
        Args:
            own_ids: object and application ids of the signed-in identity.
            remaining: returns how many seconds the run may still take (`--timeout`).
        """
        self._tenant = tenant
        self._remote = remote
        self._journal = journal
        self._time = time
        self._today = today
        self._graph_root = graph_root
        self._only_lapsed = only_lapsed
        self._remaining = remaining
        self._second = SecondAdministrator(remote=_Journalled(remote, journal), reason=reason, own_ids=own_ids)
        self._ids: dict[str, str] = {}
        self._made: set[str] = set()
        self._done: dict[str, Change] = {}
        self._open: dict[str, Change] = {}

    async def apply(self, planned: Planned) -> tuple[Change, ...]:
        """Carry out every change in order; each is returned with its outcome. A change that did not end as applied
        blocks those that depend on it, and nothing else."""
        self._ids = {f"groups.{key}": group_id for key, group_id in planned.names.group_ids.items()}
        skipped = Outcome(name="skipped", message="interrupted before its turn")
        done = self._done = {}
        self._open = {draft.change.address: replace(draft.change, outcome=skipped) for draft in planned.drafts}
        for draft in planned.drafts:
            blockers = [need for need in draft.change.depends_on if need in done and not _is_applied(done[need])]
            if blockers:
                outcome = Outcome(name="skipped", message=f"it depends on {', '.join(blockers)}")
            else:
                self._journal.planned(draft.change, draft.object_id, draft.traits)
                begun = Outcome(name="failed", message="interrupted while it was under way; it may have been done")
                self._open[draft.change.address] = replace(draft.change, outcome=begun)
                outcome = await self._outcome_of(draft)
            change = replace(draft.change, outcome=outcome)
            self._journal.ended(change, self._ids.get(change.address) or draft.object_id)
            done[change.address] = change
        return tuple(done.values())

    def so_far(self) -> tuple[Change, ...]:
        """Every change with its result so far, for a run that was interrupted."""
        return tuple((self._open | self._done).values())

    async def _outcome_of(self, draft: Draft) -> Outcome:
        try:
            last = await self._carry_out(draft)
            look = await self._read_back(draft.change, last)
        except _Stopped as stopped:
            return stopped.outcome
        return Outcome(name="applied", message=_said_of(look.recalculated))

    async def _carry_out(self, draft: Draft) -> Step | None:
        """Send the writes of one change; each must be read back before the next is sent.

        Returns:
            The last step; None where the change needed no write.
        """
        steps = draft.steps(ApplyContext(ids=self._ids, graph_root=self._graph_root))
        object_id: str | None = None
        step, is_first = next(steps, None), True
        while step is not None:
            object_id = await self._send(draft.change, step, is_first=is_first) or object_id
            if object_id is not None and draft.change.action == "create":
                self._ids[draft.change.address] = object_id
                self._made.add(draft.change.address)
            try:
                following = steps.send(object_id)
            except StopIteration:
                return step
            object_id = (await self._until_after(step)).id or object_id
            step, is_first = following, False
        return None

    async def _send(self, change: Change, step: Step, *, is_first: bool) -> str | None:
        """Send one write after checking that it is still wanted; returns the object's id where it is known."""
        address = change.address
        look = await self._before(step, is_first=is_first)
        if look.state is ObjectState.AFTER:
            return look.id
        settles_by = self._time.now() + SETTLING_SECONDS
        is_open = False
        for attempt in itertools.count(1):
            self._journal.sending(address, step.write, step.before)
            reply = await self._remote.write(step.write)
            self._journal.answered(address, step.write, reply)
            if isinstance(reply, Answer):
                needs_id = is_first and change.action == "create"
                return created_id(reply) or ((await self._until_after(step)).id if needs_id else look.id)
            if second_administrator.is_wanted(step.write, reply):
                return await self._ask_second(step, reply)
            if step.write.creates and reply.ambiguous:
                return await self._search(step, reply)
            if step.alternative is not None and reply.status == 400 and not is_open:
                step = replace(step, write=step.alternative, alternative=None)
                continue
            if is_open and reply.kind in (ProblemKind.REFUSED, ProblemKind.NOT_FOUND):
                return await self._settle(step, reply)
            is_open = is_open or reply.ambiguous
            if self._may_be_early(change, reply) and self._time.now() < settles_by:
                await self._wait(min(FIRST_PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS))
                continue
            repeatable = reply.ambiguous or reply.kind is ProblemKind.CONFLICT
            if step.write.creates or not repeatable or attempt >= MOST_SENDS:
                raise _problem(reply)
            await self._wait(min(FIRST_PAUSE_SECONDS * 2**attempt, LONGEST_PAUSE_SECONDS))
            look = await self._look(step)
            if look.state is ObjectState.AFTER:
                return look.id
            if look.state is ObjectState.FOREIGN:
                raise _failed(f"{step.write.purpose}: {look.detail}; somebody else is at work", _RUN_AGAIN)
        raise AssertionError("the loop ends by returning or raising")

    def _may_be_early(self, change: Change, reply: Problem) -> bool:
        """Whether a write was refused because not all of Graph's services know yet what this run just created.

        A refused write was not carried out, so the same write may be sent again."""
        leans_on = {change.address, *change.depends_on}
        return reply.status in (400, 404) and not reply.ambiguous and bool(leans_on & self._made)

    async def _ask_second(self, step: Step, refusal: Problem) -> str | None:
        """A write that a second administrator must approve: it is carried out with an approval, or waits for one."""
        settled = await self._second.settle(step.write, refusal)
        if isinstance(settled, Answer):
            return created_id(settled) or (await self._look(step)).id
        if isinstance(settled, Outcome):
            raise _Stopped(settled)
        if settled.ambiguous and step.write.creates:
            return await self._search(step, settled)
        raise _problem(settled)

    async def _before(self, step: Step, *, is_first: bool) -> Observation:
        """The look right before a write. Earlier writes of this run may not be visible yet."""
        look = await (self._look(step) if is_first else self._poll(step, {ObjectState.BEFORE, ObjectState.AFTER}))
        if look.may_settle:
            look = await self._poll(step, set(ObjectState))
        if look.state is ObjectState.FOREIGN:
            raise _failed(f"{step.write.purpose}: {look.detail}; somebody else is at work", _RUN_AGAIN)
        if look.unasked:
            what = f"it already has the planned values, but {_listed(look.unasked)} changed as well"
            raise _failed(f"{step.write.purpose}: {what}; somebody else is at work", _RUN_AGAIN)
        return look

    async def _look(self, step: Step) -> Observation:
        (look,) = await run_readings(self._remote, [step.look()])
        if isinstance(look, Problem):
            raise _problem(look)
        return look

    async def _until_after(self, step: Step) -> Observation:
        look = await self._poll(step, {ObjectState.AFTER})
        if look.state is not ObjectState.AFTER or look.unasked:
            raise _Stopped(_unverified(step.write.purpose, look))
        return look

    async def _search(self, step: Step, reply: Problem) -> str | None:
        """After a create whose answer was lost: search for the mark, and never send the create again in this run."""
        seen = "the object was searched for and not found"
        try:
            look = await self._poll(step, {ObjectState.AFTER})
        except _Stopped as stopped:
            seen = f"the object was searched for, until {stopped.outcome.message}"
        else:
            if look.state is ObjectState.AFTER:
                return look.id
        raise _failed(
            f"{reply.describe()}; {seen}, and the create is not sent again",
            "run again in a few minutes: if the object was created after all, it is found by its mark",
        )

    async def _settle(self, step: Step, refusal: Problem) -> str | None:
        """A write with an unknown result that is refused when sent again: the first one may have been carried out."""
        look = await self._poll(step, {ObjectState.AFTER})
        if look.state is ObjectState.AFTER:
            return look.id
        raise _problem(refusal)

    async def _wait(self, seconds: float) -> None:
        await self._time.sleep(min(seconds, max(self._remaining(), 0.0)))

    def _is_over(self, pause: float, deadline: float) -> bool:
        """Whether there is no time left for a pause and another look."""
        return self._time.now() + pause > deadline or pause >= self._remaining()

    async def _poll(self, step: Step, wanted: set[ObjectState]) -> Observation:
        """Look until the object is as wanted or time is up; the last look is returned in either case."""
        deadline, pause = self._time.now() + READ_BACK_SECONDS, FIRST_PAUSE_SECONDS
        while True:
            (look,) = await run_readings(self._remote, [step.look()])
            is_over = self._is_over(pause, deadline)
            if isinstance(look, Problem):
                if is_over or not _may_settle(look):
                    raise _problem(look)
            elif (look.state in wanted and not (look.unasked or look.may_settle)) or is_over:
                return look
            await self._wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)

    async def _read_back(self, change: Change, last: Step | None) -> Observation:
        """Applied means: a new plan of this address, from a fresh read, has no changes, and all unwritten fields
        are as before."""
        part = focus(self._tenant, change.address)
        deadline, pause = self._time.now() + READ_BACK_SECONDS, FIRST_PAUSE_SECONDS
        while True:
            readings: list[Reading[object]] = [read_tenant(part), _as_written() if last is None else last.look()]
            seen = await run_readings(self._remote, readings)
            live, look = cast("tuple[LiveTenant, Observation | Problem]", seen)
            is_over = self._is_over(pause, deadline)
            problems = [*live.problems(), *([look] if isinstance(look, Problem) else [])]
            if problems and (is_over or not all(_may_settle(problem) for problem in problems)):
                purpose = f"{change.address} was written, but could not be read back: {problems[0].describe()}"
                raise _Stopped(Outcome(name="unverified", message=purpose, fix=problems[0].advice()))
            if not isinstance(look, Problem) and not problems:
                planned = plan_tenant(part, live, self._today, only_lapsed=self._only_lapsed)
                left = _left(planned.drafts, change.address)
                if not planned.is_refused and not left and look.state is ObjectState.AFTER and not look.unasked:
                    return look
                if is_over:
                    others = [path for path in left if path not in {item.path for item in change.fields}]
                    raise _Stopped(_unverified(change.address, replace(look, unasked=look.unasked or tuple(others))))
            await self._wait(pause)
            pause = min(pause * 2, LONGEST_PAUSE_SECONDS)


def _as_written() -> Reading[Observation | Problem]:
    """The result of a look at an object that needed no write."""
    yield []
    return Observation(ObjectState.AFTER)


_RUN_AGAIN = "run again: the new plan starts from the current live state"


def _may_settle(problem: Problem) -> bool:
    """A 404 for an object that was just written: Graph is eventually consistent."""
    return problem.status == 404


def _left(drafts: Sequence[Draft], address: str) -> list[str]:
    """The fields of an address that a fresh plan still changes. Fields that the change did not touch count as well: the
    object was as declared in them right before the write, so it is the write that cost them their value."""
    found = [draft.change for draft in drafts if draft.change.address == address]
    return [item.path for change in found for item in change.fields] or [change.action for change in found]


def _listed(names: Sequence[str]) -> str:
    return f"{', '.join(names[:-1])} and {names[-1]}" if len(names) > 1 else names[0]


def _said_of(recalculated: Sequence[str]) -> str:
    return f"Graph adjusted more than was written: {_listed(recalculated)}" if recalculated else ""


def _unverified(purpose: str, look: Observation) -> Outcome:
    if look.state is ObjectState.AFTER and look.unasked:
        return Outcome(
            name="unverified",
            message=f"{purpose}: written, and {_listed(look.unasked)} changed as well, without being requested",
            fix="check the object: Graph lost values, or somebody changed it at the same time; then run `tapctl plan`",
        )
    return Outcome(
        name="unverified",
        message=f"{purpose}: written, but not seen back within {READ_BACK_SECONDS:g} s or the time of the run",
        fix="run `tapctl plan` in a few minutes: Graph may only be slow",
    )


def _is_applied(change: Change) -> bool:
    return change.outcome is not None and change.outcome.name == "applied"
