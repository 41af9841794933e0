"""One embedded tenant: takes a request, decides whether it fails, carries it out, and keeps what it changed."""

from __future__ import annotations

import json
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from tapctl.errors import RemoteError
from tapctl.sandbox import approvals, batch, errors, routes
from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.errors import ConnectionLost, GraphError
from tapctl.sandbox.exchange import Exchange
from tapctl.sandbox.faults import PART_ACTIONS, Fault, Faults
from tapctl.sandbox.seed import seed
from tapctl.sandbox.state import StateFile, Store
from tapctl.sandbox.tokens import Actor, authenticate, claims_challenge
from tapctl.sandbox.wire import Call, JSONObject, Reply, segments

KILLED = 137
_HTML = "<!DOCTYPE html><html><head><title>Bad gateway</title></head><body><h1>Bad gateway</h1></body></html>"


def utc_now() -> datetime:
    return datetime.now(UTC)


class Sandbox:
    """The tenant of one id. Give `path` None to keep its state in memory."""

    def __init__(
        self,
        tenant_id: str,
        path: Path | None,
        *,
        behaviour: Behaviour | None = None,
        faults: Faults | None = None,
        log: Path | None = None,
        clock: Callable[[], datetime] = utc_now,
    ) -> None:
        self.tenant_id = tenant_id.lower()
        self.behaviour = behaviour or Behaviour()
        self.faults = faults or Faults()
        self.clock = clock
        self._file = StateFile(path) if path is not None else None
        self._log = log
        self._data: JSONObject | None = None
        self._tokens: list[str] = []
        self._turn = threading.RLock()

    def answer(self, call: Call) -> Reply:
        """Answer one request, or one batch.

        Raises:
            ConnectionLost: a fault wants no answer.
            TapctlError: the state cannot be read or written.
        """
        with self._turn:
            try:
                parts = batch.parts_of(call) if call.is_batch else []
            except GraphError as error:
                return self._logged(call, errors.reply(error, call, self.clock(), self.behaviour))
            calls = [call, *(part for _, _, part in parts)]
            strikes = self.faults.strike(calls)
            return self._answer(call, parts, dict(zip(map(id, calls), strikes, strict=True)))

    def _answer(self, call: Call, parts: list[batch.Part], strikes: dict[int, Fault | None]) -> Reply:
        whole = next((fault for fault in strikes.values() if fault and fault.action not in PART_ACTIONS), None)
        self._strike_before(call, whole)
        if whole is not None and whole.action == "html":
            reply = Reply(status=whole.status or 502, text=_HTML, content_type="text/html")
            return self._logged(call, reply)
        writes = any(each.is_write for each in [call, *(part for _, _, part in parts)])
        with self.transaction(writes=writes) as store:

            def carry_out(each: Call) -> Reply:
                return self._logged(each, self._single(each, store, strikes.get(id(each))))

            reply = self._batch(call, parts, carry_out, strikes.get(id(call))) if call.is_batch else carry_out(call)
        self._strike_after(whole)
        return self._slowed(reply, whole)

    def _batch(
        self, envelope: Call, parts: list[batch.Part], carry_out: Callable[[Call], Reply], fault: Fault | None
    ) -> Reply:
        try:
            self._authenticated(envelope)
            if fault is not None and fault.action in PART_ACTIONS:
                raise self._failure(fault, "directory")
        except GraphError as error:
            return self._logged(envelope, errors.reply(error, envelope, self.clock(), self.behaviour))
        return self._logged(envelope, batch.answer(parts, carry_out, shuffle=self.behaviour.shuffle_batch))

    def _strike_before(self, call: Call, fault: Fault | None) -> None:
        if fault is None or fault.action not in {"refuse-connection", "lose-before", "exit-before"}:
            return
        self._write_log(call, 0)
        if fault.action == "exit-before":
            os._exit(KILLED)
        raise ConnectionLost(connected=fault.action != "refuse-connection")

    def _strike_after(self, fault: Fault | None) -> None:
        if fault is not None and fault.action == "exit-after":
            os._exit(KILLED)
        if fault is not None and fault.action == "lose-after":
            raise ConnectionLost(connected=True)

    def _slowed(self, reply: Reply, fault: Fault | None) -> Reply:
        if fault is None:
            return reply
        delay = fault.seconds if fault.action == "delay" else 0.0
        return Reply(
            status=reply.status,
            body=reply.body,
            text=reply.text,
            content_type=reply.content_type,
            headers=reply.headers,
            delay_seconds=delay,
            cut_off=fault.action == "broken-json",
        )

    @contextmanager
    def transaction(self, *, writes: bool) -> Iterator[Store]:
        """The state as it is now; with `writes` no other process changes it until what changed here is saved.

        The same holds while reads are counted until a change is seen: only then does a read write the file.

        Raises:
            TapctlError: the state cannot be read or written.
        """
        with self._turn:
            if self._file is None:
                yield self._store()
                return
            if not writes:
                self._refresh(self._file)
                store = self._store()
                if not store.counts_reads():
                    yield store
                    return
            with self._file.exclusive():
                self._refresh(self._file)
                yield from self._saving(self._file)

    def _saving(self, file: StateFile) -> Iterator[Store]:
        store = self._store()
        try:
            yield store
            if store.dirty:
                file.save(store.data)
        except BaseException:
            self._data = None  # half a change must not be what the next request sees
            raise

    def _refresh(self, file: StateFile) -> None:
        if self._data is None or file.changed():
            self._data = file.load(self.tenant_id)

    def _store(self) -> Store:
        if self._data is None:
            self._data = seed(self.tenant_id)
        return Store(self._data, self.behaviour, self.clock)

    def reset(self) -> bool:
        """Forget everything but the seed; whether a state file existed."""
        with self._turn:
            self._data = None
            return self._file.remove() if self._file is not None else False

    def _single(self, call: Call, store: Store, fault: Fault | None) -> Reply:
        path = segments(call.path)
        service = errors.service_of(path)
        try:
            actor = self._authenticated(call)
            if fault is not None and fault.action in PART_ACTIONS:
                raise self._failure(fault, service)
            return self.dispatch(call, store, actor)
        except GraphError as error:
            reply = errors.reply(error, call, self.clock(), self.behaviour)
            if fault is not None and fault.body is not None:
                return Reply(status=reply.status, body=fault.body, headers=reply.headers)
            return reply

    def _authenticated(self, call: Call) -> Actor:
        actor = authenticate(call, self.tenant_id, time.time())
        token = call.headers["authorization"].partition(" ")[2]
        if self.behaviour.revoke_tokens and token not in self._tokens:
            self._tokens.append(token)
        if token in self._tokens[: self.behaviour.revoke_tokens]:
            raise claims_challenge(time.time())
        return actor

    def _failure(self, fault: Fault, service: errors.Service) -> GraphError:
        retry_after = self.behaviour.retry_after_seconds if fault.retry_after is None else fault.retry_after
        if fault.action == "throttle" or (fault.status == 429 and fault.code is None):
            return errors.throttled(retry_after, service)
        status = fault.status or 500
        after = retry_after if status == 429 else fault.retry_after
        return GraphError(
            status,
            fault.code or {500: "InternalServerError", 503: "ServiceUnavailable"}.get(status, "UnknownError"),
            fault.message or "The sandbox was told to fail.",
            service=service,
            headers={} if after is None else {"Retry-After": str(after)},
        )

    def dispatch(self, call: Call, store: Store, actor: Actor, *, is_approved: bool = False) -> Reply:
        """Carry out one request of somebody who is who they say, whatever faults are set.

        With `is_approved` multi-admin approval does not hold it up.

        Raises:
            GraphError: the answer is an error.
        """
        path = segments(call.path)
        service = errors.service_of(path)
        found = routes.match(call.method, path)
        if found is None:
            raise errors.not_emulated(f"{call.method} {call.path}")
        route, parameters = found
        if call.version not in route.versions:
            segment = path[1] if len(path) > 1 else path[0]
            raise GraphError(400, "BadRequest", f"Resource not found for the segment '{segment}'.")
        if actor.permissions is not None and not actor.permissions & route.permissions:
            raise errors.denied(service)
        exchange = Exchange(
            call=call,
            parameters=parameters,
            options=call.options(),
            store=store,
            behaviour=self.behaviour,
            actor=actor,
            now=self.clock(),
            service=service,
            tenant_id=self.tenant_id,
        )
        if not is_approved:
            approvals.gate(exchange)
        return route.handler(exchange)

    def _logged(self, call: Call, reply: Reply) -> Reply:
        self._write_log(call, reply.status)
        return reply

    def _write_log(self, call: Call, status: int) -> None:
        if self._log is None:
            return
        entry = {
            "time": self.clock().isoformat(),
            "version": call.version,
            "method": call.method,
            "path": call.path,
            "query": call.query,
            "body": None if call.is_batch else call.body,
            "status": status,
            "batch": call.is_part,
            "write": call.is_write,
        }
        try:
            with self._log.open("a", encoding="utf-8") as file:
                file.write(json.dumps(entry) + "\n")
        except OSError as error:
            raise RemoteError(f"the sandbox log {self._log} cannot be written: {error.strerror}") from error
