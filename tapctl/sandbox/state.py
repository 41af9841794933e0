"""The tenant's objects, how long a change takes to be seen, and the file that keeps them.

A state is one JSON object: `objects` maps a collection's name to its objects by id, `pending` holds what replication
has not shown yet. Passes are kept without their secret.
"""

from __future__ import annotations

import copy
import json
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import Any

from tapctl.errors import RefusedError, RemoteError
from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.wire import JSONObject

FORMAT = 1
LAGGING = frozenset({"groups", "policies", "configurationPolicies", "deviceConfigurations"})
"""Collections whose changes take time to be seen."""


def default_path(tenant_id: str) -> Path:
    """`TAPCTL_SANDBOX_DIR`, else `.tapctl/sandbox` at the Git top level, else in the current folder."""
    configured = os.environ.get("TAPCTL_SANDBOX_DIR")
    if configured:
        return Path(configured) / f"{tenant_id}.json"
    here = Path.cwd()
    root = next((folder for folder in (here, *here.parents) if (folder / ".git").exists()), here)
    return root / ".tapctl" / "sandbox" / f"{tenant_id}.json"


class StateFile:
    """One tenant's state on disk: read when it changed, replaced as a whole, writers take turns."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._version: tuple[int, int, int] | None = None

    def changed(self) -> bool:
        """Whether the file is not the one that was last loaded or saved here."""
        return self._stat() != self._version

    def load(self, tenant_id: str) -> JSONObject | None:
        """The state, or None when there is no file yet.

        Raises:
            RefusedError: the file is damaged, or belongs to another tenant or format.
            RemoteError: the file cannot be read.
        """
        try:
            version = self._stat()
            text = self.path.read_text(encoding="utf-8")
        except FileNotFoundError:
            self._version = None
            return None
        except OSError as error:
            raise RemoteError(f"the sandbox state {self.path} cannot be read: {error.strerror}") from error
        except ValueError as error:
            raise self._damaged("it is not UTF-8") from error
        data = self._checked(text, tenant_id)
        self._version = version
        return data

    def _checked(self, text: str, tenant_id: str) -> JSONObject:
        try:
            data = json.loads(text)
        except (ValueError, RecursionError) as error:
            raise self._damaged("it is not JSON") from error
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise self._damaged(f"it is not of format {FORMAT}")
        if data.get("tenant") != tenant_id:
            raise self._damaged("it belongs to another tenant")
        objects = data.get("objects")
        if not isinstance(objects, dict) or not all(isinstance(found, dict) for found in objects.values()):
            raise self._damaged("its objects are missing")
        if not isinstance(data.get("pending"), list):
            raise self._damaged("its pending changes are missing")
        return data

    def _damaged(self, why: str) -> RefusedError:
        return RefusedError(
            f"the sandbox state {self.path} cannot be used: {why}",
            fix="tapctl sandbox reset starts this tenant anew",
        )

    @contextmanager
    def exclusive(self) -> Iterator[None]:
        """No other process writes this state meanwhile.

        Raises:
            RemoteError: the folder cannot be written to, or another process holds the state for over 30 s.
        """
        from filelock import FileLock, Timeout  # costs 20 ms, and only writers need it

        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            lock = FileLock(f"{self.path}.lock", timeout=30, mode=0o600)
            lock.acquire()
        except Timeout as error:
            raise RemoteError(f"the sandbox state {self.path} is held by another process") from error
        except OSError as error:
            raise RemoteError(f"the sandbox state {self.path} cannot be locked: {error.strerror}") from error
        try:
            yield
        finally:
            lock.release()

    def save(self, data: JSONObject) -> None:
        """Replace the file, readable by its owner alone.

        Raises:
            RemoteError: the file cannot be written.
        """
        try:
            handle, name = tempfile.mkstemp(dir=self.path.parent, prefix=".state-")
            try:
                with os.fdopen(handle, "w", encoding="utf-8") as file:
                    json.dump(data, file, separators=(",", ":"))
                Path(name).replace(self.path)
            except BaseException:
                Path(name).unlink(missing_ok=True)
                raise
        except OSError as error:
            raise RemoteError(f"the sandbox state {self.path} cannot be written: {error.strerror}") from error
        self._version = self._stat()

    def remove(self) -> bool:
        """Forget the tenant; whether there was anything to forget."""
        existed = self.path.exists()
        self.path.unlink(missing_ok=True)
        Path(f"{self.path}.lock").unlink(missing_ok=True)
        return existed

    def _stat(self) -> tuple[int, int, int] | None:
        try:
            found = self.path.stat()
        except FileNotFoundError:
            return None
        return found.st_mtime_ns, found.st_ino, found.st_size


def empty_state(tenant_id: str) -> JSONObject:
    """A tenant without any object."""
    return {"format": FORMAT, "tenant": tenant_id, "objects": {}, "pending": []}


class Store:
    """The objects as handlers see them: reads may lag behind writes, as replication makes them do.

    `dirty`: there is something to save, a read that was counted included.

    What `read` and `scan` return must not be changed; `edit` returns what may be.
    """

    def __init__(self, data: JSONObject, behaviour: Behaviour, clock: Callable[[], datetime]) -> None:
        self.data = data
        self.dirty = False
        self._behaviour = behaviour
        self._clock = clock

    def collection(self, name: str) -> dict[str, JSONObject]:
        """Every object as it is stored, replicated or not."""
        found: dict[str, JSONObject] = self.data["objects"].setdefault(name, {})
        return found

    def read(self, collection: str, identifier: str) -> JSONObject | None:
        """The object as GET by id sees it now. Counts as a read of it."""
        key = identifier.lower()
        stale = self._stale(collection, key, "gets", self._behaviour.lag_get_seconds, self._behaviour.lag_get_reads)
        return self.collection(collection).get(key) if stale is None else stale[0]

    def scan(self, collection: str) -> list[JSONObject]:
        """The objects as a list sees them now. Counts as a list of the collection."""
        current = dict(self.collection(collection))
        for key in {entry["id"] for entry in self._entries(collection)}:
            stale = self._stale(
                collection, key, "lists", self._behaviour.lag_list_seconds, self._behaviour.lag_list_reads
            )
            if stale is not None and stale[0] is None:
                current.pop(key, None)
            elif stale is not None:
                current[key] = stale[0]
        return list(current.values())

    def edit(self, collection: str, identifier: str) -> JSONObject | None:
        """The object for changing it, or None when it does not exist or cannot be reached yet."""
        key = identifier.lower()
        current = self.collection(collection).get(key)
        if current is None or self._is_unreachable(collection, key):
            return None
        if self._behaviour.lag_updates:
            self._remember(collection, key, copy.deepcopy(current))
        self.dirty = True
        return current

    def add(self, collection: str, value: JSONObject) -> None:
        key = str(value["id"]).lower()
        self._remember(collection, key, None)
        self.collection(collection)[key] = value
        self.dirty = True

    def remove(self, collection: str, identifier: str) -> JSONObject | None:
        """Take the object out; None when it does not exist or cannot be reached yet."""
        key = identifier.lower()
        current = self.collection(collection).get(key)
        if current is None or self._is_unreachable(collection, key):
            return None
        if self._behaviour.lag_updates:
            self._remember(collection, key, copy.deepcopy(current))
        self.dirty = True
        return self.collection(collection).pop(key)

    def _remember(self, collection: str, key: str, before: JSONObject | None) -> None:
        behaviour = self._behaviour
        lags = (
            behaviour.lag_get_seconds,
            behaviour.lag_get_reads,
            behaviour.lag_list_seconds,
            behaviour.lag_list_reads,
        )
        if collection not in LAGGING or not any(lags):
            return
        since = self._clock().timestamp()
        entry = {"collection": collection, "id": key, "before": before, "since": since, "gets": 0, "lists": 0}
        self.data["pending"].append(entry)

    def _entries(self, collection: str) -> list[JSONObject]:
        return [entry for entry in self.data["pending"] if entry["collection"] == collection]

    def _stale(self, collection: str, key: str, counter: str, seconds: float, reads: int) -> list[Any] | None:
        """What the oldest change that is not seen yet hides, in a list of one; None when everything is seen."""
        hidden: list[Any] | None = None
        now = self._clock().timestamp()
        for entry in self.data["pending"]:
            if entry["collection"] != collection or entry["id"] != key:
                continue
            is_counted = entry[counter] < reads
            if is_counted:
                entry[counter] += 1
                self.dirty = True
            if hidden is None and (now - entry["since"] < seconds or is_counted):
                hidden = [entry["before"]]
        self._settle(now)
        return hidden

    def counts_reads(self) -> bool:
        """Whether a read may bring the end of a lag nearer, so that other processes have to know of it."""
        behaviour = self._behaviour
        return any(
            entry["gets"] < behaviour.lag_get_reads or entry["lists"] < behaviour.lag_list_reads
            for entry in self.data["pending"]
        )

    def _settle(self, now: float) -> None:
        behaviour = self._behaviour
        longest = max(behaviour.lag_get_seconds, behaviour.lag_list_seconds)
        self.data["pending"] = [
            entry
            for entry in self.data["pending"]
            if now - entry["since"] < longest
            or entry["gets"] < behaviour.lag_get_reads
            or entry["lists"] < behaviour.lag_list_reads
        ]

    def _is_unreachable(self, collection: str, key: str) -> bool:
        behaviour = self._behaviour
        if not behaviour.lag_refuses_writes:
            return False
        now = self._clock().timestamp()
        return any(
            entry["before"] is None
            and (now - entry["since"] < behaviour.lag_get_seconds or entry["gets"] < behaviour.lag_get_reads)
            for entry in self._entries(collection)
            if entry["id"] == key
        )
