"""The journal: every write before it is sent and after it is answered, with the state before. It holds no secret."""

from __future__ import annotations

import errno
import json
import os
import stat
import uuid
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from types import TracebackType
from typing import Self

from tapctl.errors import TapctlError
from tapctl.model.desired import Tenant
from tapctl.model.plan import Change
from tapctl.model.requests import Answer, Problem, Reply, Write
from tapctl.model.values import JSONValue, to_json

FORMAT_VERSION = 2


class Journal:
    """One JSON document per line, readable only by its owner. An entry is on disk before its write is sent.

    Several runs may share a file, even at the same time: each line contains the id of its run."""

    def __init__(self, path: Path) -> None:
        """
        Raises:
            TapctlError: when the file cannot be written.
        """
        self.path = path
        self._run = uuid.uuid4().hex
        try:
            path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            descriptor = _open_file(path)
        except OSError as error:
            raise TapctlError(
                f"the journal {path} cannot be written: {error.strerror}",
                fix="nothing was sent; name another --journal",
            ) from None
        self._descriptor = descriptor

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._descriptor)

    def begin(
        self,
        tenant: Tenant,
        *,
        overrides: Mapping[str, str],
        groups: Mapping[str, str],
        version: str,
    ) -> None:
        """The run itself: its tenant, its overrides, and the object id of each group key."""
        self._append(
            {
                "entry": "run",
                "formatVersion": FORMAT_VERSION,
                "tapctlVersion": version,
                "name": tenant.name,
                "tenantId": tenant.id,
                "cloud": tenant.cloud,
                "overrides": dict(overrides),
                "groups": dict(sorted(groups.items())),
            }
        )

    def planned(self, change: Change, object_id: str | None, traits: Mapping[str, str]) -> None:
        """A change that is about to be carried out, with its fields before and after, and what a rollback needs."""
        self._append(
            {
                "entry": "change",
                "address": change.address,
                "action": change.action,
                "id": object_id,
                "title": change.title,
                "irreversible": change.irreversible,
                "traits": dict(traits),
                "fields": [
                    {"path": item.path, "before": to_json(item.before), "after": to_json(item.after)}
                    for item in change.fields
                ],
            }
        )

    def sending(self, address: str, write: Write, before: JSONValue) -> None:
        """A write that is about to be sent."""
        self._append(
            {
                "entry": "write",
                "address": address,
                "method": write.method,
                "version": write.version,
                "path": write.path,
                "body": redacted(write.body),
                "before": before,
            }
        )

    def answered(self, address: str, write: Write, outcome: Reply) -> None:
        """The answer to a write."""
        entry: dict[str, JSONValue] = {"entry": "answer", "address": address, "method": write.method}
        if isinstance(outcome, Answer):
            entry |= {"status": outcome.status, "requestId": outcome.headers.get("request-id", "")}
            if isinstance(outcome.body, dict) and isinstance(outcome.body.get("id"), str):
                entry["id"] = outcome.body["id"]
        elif isinstance(outcome, Problem):
            entry |= {
                "status": outcome.status,
                "problem": outcome.kind.value,
                "code": outcome.code,
                "message": outcome.message,
                "requestId": outcome.request_id,
            }
        self._append(entry)

    def ended(self, change: Change, object_id: str | None) -> None:
        """The result of a change."""
        outcome = change.outcome
        self._append(
            {
                "entry": "outcome",
                "address": change.address,
                "action": change.action,
                "id": object_id,
                "outcome": outcome.name if outcome is not None else None,
                "message": outcome.message if outcome is not None else "",
            }
        )

    def _append(self, entry: dict[str, JSONValue]) -> None:
        now = datetime.now(UTC).isoformat(timespec="milliseconds")
        rest = json.dumps({"time": now, "run": self._run, **entry}, ensure_ascii=True).encode() + b"\n"
        try:
            while rest:
                rest = rest[os.write(self._descriptor, rest) :]
            os.fsync(self._descriptor)
        except OSError as error:
            raise TapctlError(
                f"the journal {self.path} cannot be written: {error.strerror}; nothing more was sent",
                fix="free some disk space, or name another --journal; a new run continues from the current state",
            ) from None


def _open_file(path: Path) -> int:
    """Open a file to append to, readable only by its owner: not a link, and not a pipe or device, which keep nothing.

    Raises:
        OSError: it is not a regular file, or cannot be opened.
    """
    flags = os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_NOFOLLOW | os.O_NONBLOCK
    descriptor = os.open(path, flags, 0o600)
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise OSError(errno.EINVAL, "it is not a regular file")
    os.fchmod(descriptor, 0o600)
    return descriptor


def redacted(body: JSONValue) -> JSONValue:
    """A body without the settings that tapctl does not model: their values must not be in the journal."""
    if not isinstance(body, dict):
        return body
    kept = dict(body)
    for name in ("settings", "omaSettings"):
        listed = kept.get(name)
        if isinstance(listed, list):
            kept[name] = f"{len(listed)} settings"
    return kept


def default_path(root: Path, name: str, now: datetime) -> Path:
    """`.tapctl/runs/TIME-NAME.jsonl` below the repository."""
    return root / ".tapctl" / "runs" / f"{now.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}-{name}.jsonl"
