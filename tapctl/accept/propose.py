"""From drifted fields to edits of the tenant's own files, or to the reasons why YAML cannot say what is live."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import date
from functools import partial

from tapctl.accept.edit import with_items, with_value, without_key
from tapctl.accept.files import OwnFiles
from tapctl.accept.marks import Path, UneditableError
from tapctl.insight.drift import Judged, tree_path
from tapctl.kinds import assignments
from tapctl.kinds.naming import Names
from tapctl.kinds.settings import SETTINGS
from tapctl.model.desired import ALL_DEVICES, ALL_USERS, Assignment, FilterMode, SettingValue, Tenant
from tapctl.model.durations import duration
from tapctl.model.live import LiveTenant
from tapctl.model.plan import FieldChange
from tapctl.model.settings import canonical
from tapctl.model.values import JSONValue, Record, Value

_EVER = date.min


class UnsayableError(Exception):
    """YAML cannot say what is live, or not here."""

    def __init__(self, message: str, fix: str) -> None:
        super().__init__(message)
        self.message = message
        self.fix = fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Accepted:
    """A live value that was written into a text."""

    address: str
    path: str
    file: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A change that cannot be accepted."""

    address: str
    path: str | None
    message: str
    fix: str


@dataclass(slots=True)
class Proposal:
    """The result of accepting the drift of one tenant. If anything was refused, nothing may be written."""

    files: OwnFiles
    accepted: list[Accepted] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)
    declared: dict[str, str] = field(default_factory=dict)
    """Groups that had to be declared: object id to key."""


def propose(tenant: Tenant, live: LiveTenant, names: Names, drift: Iterable[Judged]) -> Proposal:
    """Edit the tenant's own files so that they say what is live.

    Raises:
        RefusedError: a file cannot be read.
    """
    proposal = Proposal(OwnFiles.of(tenant.source))
    for judged in drift:
        change = judged.change
        if judged.change.reason != "drift":
            continue
        if change.action != "update":
            proposal.refused.append(_whole(change.address, change.action))
            continue
        for item in judged.drifted:
            editor = _Editor(tenant, live, names, proposal, change.address, item)
            try:
                file = editor.accept()
            except UnsayableError as error:
                proposal.refused.append(_refused(change.address, item.path, error.message, error.fix))
            except UneditableError as error:
                fix = f"write the live value by hand: {change.address}, {item.path}"
                proposal.refused.append(_refused(change.address, item.path, f"it cannot be edited: {error}", fix))
            else:
                proposal.accepted.append(Accepted(address=change.address, path=item.path, file=file))
    return proposal


def _refused(address: str, path: str, message: str, fix: str) -> Refused:
    return Refused(address=address, path=path, message=message, fix=fix)


def _whole(address: str, action: str) -> Refused:
    if action == "create":
        message = "it does not exist in the tenant, and tapctl takes no declaration out of a file"
        fix = f"remove {address} and what refers to it from the file, or make it again: tapctl apply"
    else:
        message = "it exists although it is declared `ensure: absent`"
        fix = f"declare {address} as it is, or delete it: tapctl apply"
    return Refused(address=address, path=None, message=message, fix=fix)


@dataclass(frozen=True, slots=True)
class _Editor:
    """One drifted field."""

    tenant: Tenant
    live: LiveTenant
    names: Names
    proposal: Proposal
    address: str
    item: FieldChange

    @property
    def path(self) -> Path:
        """Where the field stands in the tenant."""
        return tree_path(self.address, self.item.path)

    def accept(self) -> str:
        """Edit the file; returns its name."""
        live = self.item.before
        if self.item.path.startswith("settings."):
            return self._accept_setting()
        if isinstance(live, tuple):
            return self._accept_list(live)
        if live is None or isinstance(live, Record):
            raise UnsayableError(
                "Graph shows no value for it, which YAML cannot say",
                f"take {self.item.path} out of the file to leave it alone, or apply the file",
            )
        if self.item.path.startswith("lifetime.") and isinstance(live, int):
            return self._write(self._duration(live))
        return self._write(live)

    def _write(self, value: JSONValue) -> str:
        return str(self.proposal.files.edit(self.path, partial(with_value, path=self.path, value=value)))

    def _duration(self, minutes: int) -> JSONValue:
        """Minutes in the spelling of the file: a whole number, or with the largest unit that fits."""
        if isinstance(self._declared(), int):
            return minutes
        return duration(minutes)

    def _declared(self) -> JSONValue:
        """The value in the merged tenant, as written."""
        at = self.tenant.document
        for step in self.path:
            if not isinstance(at, dict):
                return None
            at = at.get(str(step))
        return at

    # Settings

    def _accept_setting(self) -> str:
        name, live = self.item.path.removeprefix("settings."), self.item.before
        if not _is_modelled(name, live):
            raise UnsayableError(
                f"the live value {live!r} is one that tapctl does not model",
                f"take {self.item.path} out of the file to leave it alone, or apply the file",
            )
        if isinstance(live, tuple) and isinstance(self._declared(), list):
            return self._accept_list(live)
        return self._write([str(entry) for entry in live] if isinstance(live, tuple) else _scalar(live))

    # Lists

    def _accept_list(self, live: tuple[Value, ...]) -> str:
        """Items that are not live go, live ones that are not there come, in the place and the form of the list."""
        declared = self._declared()
        entries = declared if isinstance(declared, list) else []
        labels = [self._label(entry) for entry in entries]
        gone = [at for at, label in enumerate(labels) if label not in live and not self._has_lapsed(at)]
        come = [label for label in live if label not in labels]
        pairs = self._exchanged(entries, gone, come)
        added = [self._entry(label) for label in come if label not in pairs.values()]
        removed = [at for at in gone if at not in pairs]
        if not self.proposal.files.names(self.path):
            kept = [
                self._exchange_value(entry, pairs[at]) if at in pairs else entry for at, entry in enumerate(entries)
            ]
            return self._write([entry for at, entry in enumerate(kept) if at not in removed] + added)
        edit = self.proposal.files.edit
        file = ""
        for at, label in pairs.items():
            file = str(edit(self.path, partial(self._exchange, at=at, entry=entries[at], label=label)))
        if added or removed:
            file = str(edit(self.path, partial(with_items, path=self.path, add=added, remove=removed)))
        return file

    def _label(self, entry: JSONValue) -> Value:
        """A declared item in canonical form."""
        group = str(entry.get("group")) if isinstance(entry, dict) else str(entry)
        if self.item.path == "members":
            member = self.names.people.get(group.lower())
            return self.names.member_label(member) if member is not None else group
        if self.item.path.startswith("settings."):
            name = self.item.path.removeprefix("settings.")
            value = canonical(name, (group,))
            return value[0] if isinstance(value, tuple) else group
        if self.item.path.startswith("assign.") and isinstance(entry, dict):
            mode: FilterMode = "exclude" if entry.get("mode") == "exclude" else "include"
            name_of_filter = entry.get("filter")
            text = name_of_filter if isinstance(name_of_filter, str) else None
            return assignments.wanted_labels((Assignment(group=group, filter=text, mode=mode),), _EVER)[0]
        return group

    def _has_lapsed(self, at: int) -> bool:
        """Whether the item's day has passed, so that its absence is as it should be: the entry stays for `lapsed`."""
        wanted = self.item.after if isinstance(self.item.after, tuple) else ()
        declared = self._declared()
        entry = declared[at] if isinstance(declared, list) else None
        return isinstance(entry, dict) and entry.get("until") is not None and self._label(entry) not in wanted

    def _entry(self, label: Value) -> JSONValue:
        """A live item as the file says it."""
        if isinstance(label, Record):
            return {
                "group": self._group(str(label["group"])),
                "filter": self._filter(str(label["filter"])),
                "mode": str(label["mode"]),
            }
        text = str(label)
        if self.item.path in ("include", "exclude") or self.item.path.startswith("assign."):
            return self._group(text)
        if self.item.path == "scopeTags" and text not in self.names.scope_tag_ids:
            raise UnsayableError(
                f"the live scope tag {text} has no name of its own",
                "rename the scope tag in the Intune admin centre, or apply the file",
            )
        return text

    def _filter(self, label: str) -> str:
        if label not in self.names.filter_ids:
            raise UnsayableError(
                f"the live assignment has the filter {label}, which has no name of its own",
                "rename the filter in the Intune admin centre, or apply the file",
            )
        return label

    def _group(self, label: str) -> str:
        """The key of a group; one that is not declared yet becomes an external group."""
        if label in self.tenant.groups or label in (ALL_USERS, ALL_DEVICES):
            return label
        if label in self.proposal.declared:
            return self.proposal.declared[label]
        if label.startswith("user:"):
            raise UnsayableError(
                f"the live list names the single user {label.removeprefix('user:')}, and YAML can name only groups",
                "put the user into a group in the Entra admin centre, or apply the file",
            )
        name = self.live.group_names.get(label)
        if not isinstance(name, str):
            raise UnsayableError(f"the live list names {label}, which is not a readable group", "run again")
        key = self._new_key(name, label)
        declaration: JSONValue = {"displayName": name, "external": True, "id": label}
        path = ("groups", key)
        self.proposal.files.edit(path, partial(with_value, path=path, value=declaration))
        self.proposal.declared[label] = key
        return key

    def _new_key(self, name: str, group_id: str) -> str:
        plain = re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:40].strip("-")
        taken = {*self.tenant.groups, *self.proposal.declared.values(), ALL_USERS, ALL_DEVICES, ""}
        return plain if plain not in taken else f"group-{group_id[:8]}"

    # An entry whose filter was exchanged keeps its place, its day and its reason

    def _exchanged(self, entries: Sequence[JSONValue], gone: Sequence[int], come: Sequence[Value]) -> dict[int, Value]:
        """Items that left and items that came with the same group, by the index of the former."""
        pairs: dict[int, Value] = {}
        for at in gone:
            group = _group_of(self._label(entries[at]))
            fitting = [label for label in come if _group_of(label) == group and label not in pairs.values()]
            if fitting and self.item.path.startswith("assign."):
                pairs[at] = fitting[0]
        return pairs

    def _exchange(self, text: str, at: int, entry: JSONValue, label: Value) -> str:
        path: Path = (*self.path, at)
        wanted = self._exchange_value(entry, label)
        if not isinstance(entry, dict) or not isinstance(wanted, dict):
            return with_value(text, path, wanted)
        for key in ("filter", "mode"):
            if key in wanted and wanted[key] != entry.get(key):
                text = with_value(text, (*path, key), wanted[key])
            elif key in entry and key not in wanted:
                text = without_key(text, (*path, key))
        return text

    def _exchange_value(self, entry: JSONValue, label: Value) -> JSONValue:
        rest = dict(entry) if isinstance(entry, dict) else {"group": entry}
        had_mode = "mode" in rest
        rest = {key: value for key, value in rest.items() if key not in ("filter", "mode")}
        if not isinstance(label, Record):
            return rest
        ordered: dict[str, JSONValue] = {"group": rest.pop("group"), "filter": self._filter(str(label["filter"]))}
        if had_mode or label["mode"] == "exclude" or not isinstance(entry, dict):
            ordered["mode"] = str(label["mode"])
        return ordered | rest


def _group_of(label: Value) -> str:
    return str(label["group"]) if isinstance(label, Record) else str(label)


def _scalar(value: Value) -> JSONValue:
    return None if value is None or isinstance(value, tuple | Record) else value


def _is_modelled(name: str, value: Value) -> bool:
    """Whether the file can say a live value of a setting."""
    allowed: dict[str, tuple[SettingValue, ...]] = {
        "three-way": (True, False, "default", None),
        "two-way": (True, False, None),
    }
    kind = SETTINGS[name].kind
    if kind in allowed:
        return value in allowed[kind]
    return value is None or value is False or isinstance(value, str | tuple)
