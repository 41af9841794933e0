"""A run as recorded in a journal: which fields it changed, from what to what. The content is not trusted."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

from tapctl.errors import RefusedError, UsageError
from tapctl.kinds import canonical
from tapctl.kinds.kind import AnyKind
from tapctl.kinds.registry import kind_of
from tapctl.kinds.settings import SETTINGS
from tapctl.model.desired import ALL_DEVICES, ALL_USERS
from tapctl.model.plan import Action, FieldChange
from tapctl.model.values import JSONValue, Record, Value, from_json
from tapctl.reconcile.journal import FORMAT_VERSION

MOST_BYTES = 64 * 1024 * 1024

_ACTIONS: Mapping[str, Action] = {"create": "create", "update": "update", "delete": "delete"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change of the run that will be rolled back."""

    address: str
    action: Action
    id: str | None
    fields: tuple[FieldChange, ...]
    traits: Mapping[str, str] = field(default_factory=dict)
    """Further facts that the kind needs to declare the object again."""
    is_complete: bool = False
    """Whether the run ended it as applied. If not, some of its writes may have been carried out."""

    @property
    def kind(self) -> AnyKind:
        return kind_of(self.address)

    @property
    def key(self) -> str:
        return self.address.partition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """The entries of one run in a journal."""

    name: str
    tenant_id: str
    cloud: str
    groups: Mapping[str, str] = field(default_factory=dict)
    """Group key to object id, as at the time of the run."""
    entries: tuple[Entry, ...] = ()


def read_journal(path: Path, tenants: Sequence[str] = ()) -> Run:
    """Read the run in a journal, complete or interrupted; of several runs of one tenant, the last one.

    Args:
        path: the journal.
        tenants: the names of the selected tenants; needed when the journal has runs of several tenants.

    Raises:
        UsageError: there is no such file.
        RefusedError: it cannot be read, is not a journal of this version, or has runs of several tenants.
    """
    if not path.is_file():
        raise UsageError(f"there is no journal {path}", fix="name one that `tapctl apply` wrote, below .tapctl/runs/")
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RefusedError(f"{path} is too large for a journal")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise RefusedError(f"{path} cannot be read", fix="name a journal that `tapctl apply` wrote") from None
    entries = [entry for number, line in enumerate(lines) if (entry := _line(path, number, line, len(lines)))]
    try:
        runs = [_run(part) for part in _apart(entries)]
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError):
        raise RefusedError(
            f"{path} is not a journal of this version of tapctl",
            fix="name a journal that `tapctl apply` wrote, and use the version of tapctl that wrote it",
        ) from None
    return _meant(path, runs, tenants)


def _line(path: Path, number: int, line: str, count: int) -> dict[str, JSONValue] | None:
    try:
        entry = json.loads(line)
        if not isinstance(entry, dict):
            raise ValueError(line)
    except (ValueError, RecursionError):
        # A run that was killed may have left its last line unfinished.
        if number == count - 1 and number > 0:
            return None
        raise RefusedError(
            f"{path}:{number + 1} is not a line of a journal",
            fix="name a journal that `tapctl apply` wrote and nobody has edited",
        ) from None
    return entry


def _apart(entries: Sequence[dict[str, JSONValue]]) -> list[list[dict[str, JSONValue]]]:
    """The lines of each run: one file may hold several tenants that were applied at the same time."""
    runs: dict[str, list[dict[str, JSONValue]]] = {}
    for entry in entries:
        runs.setdefault(str(entry["run"]), []).append(entry)
    if not runs:
        raise ValueError("no run")
    return list(runs.values())


def _meant(path: Path, runs: Sequence[Run], tenants: Sequence[str]) -> Run:
    named = sorted({run.name for run in runs})
    fitting = [run for run in runs if run.name in tenants] if len(named) > 1 else list(runs)
    if len({run.name for run in fitting}) != 1:
        raise RefusedError(f"{path} has runs of {', '.join(named)}", fix="choose one of them with --tenant NAME")
    return fitting[-1]


def _run(entries: Sequence[dict[str, JSONValue]]) -> Run:
    first = entries[0]
    if first.get("entry") != "run" or first.get("formatVersion") != FORMAT_VERSION:
        raise ValueError("no run")
    groups = {_text(key): _text(found) for key, found in _mapping(first["groups"]).items()}
    changes: dict[str, Entry] = {}
    for entry in entries[1:]:
        address = str(entry.get("address"))
        match entry["entry"]:
            case "change":
                changes[address] = _change(entry)
            case "outcome" if address in changes:
                changes[address] = replace(changes[address], is_complete=entry.get("outcome") == "applied")
                if address.startswith("groups.") and isinstance(entry.get("id"), str):
                    groups[address.removeprefix("groups.")] = _text(entry["id"])
    return Run(
        name=_text(first["name"]),
        tenant_id=_text(first["tenantId"]),
        cloud=_text(first["cloud"]),
        groups=groups,
        entries=tuple(changes.values()),
    )


def _text(value: JSONValue) -> str:
    if not isinstance(value, str):
        raise TypeError(value)
    return value


def _mapping(value: JSONValue) -> dict[str, JSONValue]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def _change(entry: Mapping[str, JSONValue]) -> Entry:
    address, fields, found = _text(entry["address"]), entry["fields"], entry.get("id")
    kind_of(address)
    if not isinstance(fields, list):
        raise TypeError(fields)
    return Entry(
        address=address,
        action=_ACTIONS[_text(entry["action"])],
        id=found if isinstance(found, str) else None,
        fields=tuple(_field(_mapping(item)) for item in fields),
        traits={name: _text(value) for name, value in _mapping(entry["traits"]).items()},
    )


def _field(item: Mapping[str, JSONValue]) -> FieldChange:
    path = _text(item["path"])
    if path.startswith("settings.") and path.removeprefix("settings.") not in SETTINGS:
        raise ValueError(path)
    before, after = (_checked(from_json(item[side])) for side in ("before", "after"))
    listed = {*canonical.entries(before), *canonical.entries(after)}
    if path == "assign.exclude" and {ALL_DEVICES, ALL_USERS} & listed:
        raise ValueError(path)
    return FieldChange(path=path, before=before, after=after)


def _checked(value: Value) -> Value:
    """A list holds strings, or the records of assignments."""
    for item in canonical.entries(value):
        if not (isinstance(item, str) or (isinstance(item, Record) and set(item) == {"group", "filter", "mode"})):
            raise ValueError(item)
    return value
