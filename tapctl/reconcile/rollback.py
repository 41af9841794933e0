"""The way back from an apply: a plan whose desired state is what the journal says was there before.

Only fields that still hold what that apply wrote are restored. The planner and the applier are the same as for any
plan; what is special is the desired state, which is made from the journal instead of the files."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from pathlib import Path
from urllib.parse import unquote

from tapctl.errors import Finding, RefusedError
from tapctl.model.desired import Assignment, Delivery, Group, Identity, Policy, Profile, SettingValue, Target, Tenant
from tapctl.model.live import Found, LiveTenant
from tapctl.model.plan import Action, FieldChange
from tapctl.model.values import JSONValue, Record, Value, from_json
from tapctl.reconcile.journal import FORMAT_VERSION
from tapctl.reconcile.planner import Planned, plan_tenant

MOST_BYTES = 64 * 1024 * 1024

_UNIQUE_NAME = re.compile(r"/groups\(uniqueName='(.+)'\)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """One change of the run that is to be taken back."""

    address: str
    action: Action
    id: str | None
    fields: tuple[FieldChange, ...]
    unique_name: str | None = None
    """A created group's mark."""
    delivery: Delivery = "settings-catalog"

    @property
    def key(self) -> str:
        return self.address.partition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """What a journal holds of one run."""

    name: str
    tenant_id: str
    cloud: str
    groups: Mapping[str, str] = field(default_factory=dict)
    """Group key to object id, as that run knew them."""
    entries: tuple[Entry, ...] = ()


def read_journal(path: Path) -> Run:
    """The run that a journal tells of, complete or cut off.

    Raises:
        RefusedError: when it cannot be read, or is no journal of this version.
    """
    try:
        if path.stat().st_size > MOST_BYTES:
            raise RefusedError(f"{path} is too large for a journal")
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        raise RefusedError(f"{path} cannot be read", fix="name a journal that `tapctl apply` wrote") from None
    entries = [entry for number, line in enumerate(lines) if (entry := _line(path, number, line, len(lines)))]
    try:
        return _run(entries)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise RefusedError(f"{path} is no journal of this version of tapctl") from None


def _line(path: Path, number: int, line: str, count: int) -> dict[str, JSONValue] | None:
    try:
        entry = json.loads(line)
        if not isinstance(entry, dict):
            raise ValueError(line)
    except (ValueError, RecursionError):
        # A run that was killed may have left its last line unfinished.
        if number == count - 1 and number > 0:
            return None
        raise RefusedError(f"{path}:{number + 1} is not a line of a journal") from None
    return entry


def _run(entries: Sequence[dict[str, JSONValue]]) -> Run:
    first = entries[0] if entries else {}
    if first.get("entry") != "run" or first.get("formatVersion") != FORMAT_VERSION:
        raise ValueError("no run")
    groups = {str(key): str(found) for key, found in _mapping(first["groups"]).items()}
    changes: dict[str, Entry] = {}
    for entry in entries[1:]:
        address = str(entry.get("address"))
        match entry["entry"]:
            case "change":
                changes[address] = _change(entry)
            case "write" if address in changes:
                changes[address] = _with_write(changes[address], str(entry["path"]))
            case "outcome" if address.startswith("groups.") and isinstance(entry.get("id"), str):
                groups[address.removeprefix("groups.")] = str(entry["id"])
    return Run(
        name=str(first["name"]),
        tenant_id=str(first["tenantId"]),
        cloud=str(first["cloud"]),
        groups=groups,
        entries=tuple(changes.values()),
    )


def _mapping(value: JSONValue) -> dict[str, JSONValue]:
    if not isinstance(value, dict):
        raise TypeError(value)
    return value


def _change(entry: Mapping[str, JSONValue]) -> Entry:
    actions: dict[str, Action] = {"create": "create", "update": "update", "delete": "delete"}
    fields = entry["fields"]
    if not isinstance(fields, list):
        raise TypeError(fields)
    found = entry.get("id")
    return Entry(
        address=str(entry["address"]),
        action=actions[str(entry["action"])],
        id=found if isinstance(found, str) else None,
        fields=tuple(
            FieldChange(
                path=str(item["path"]), before=from_json(item.get("before")), after=from_json(item.get("after"))
            )
            for item in map(_mapping, fields)
        ),
    )


def _with_write(entry: Entry, path: str) -> Entry:
    """What the path of a write tells of the object: a group's mark, a profile's delivery."""
    found = _UNIQUE_NAME.match(unquote(path))
    if found is not None:
        return replace(entry, unique_name=found[1].replace("''", "'"))
    return replace(entry, delivery="oma-uri") if path.startswith("/deviceManagement/deviceConfigurations") else entry


# The desired state that goes back


def tenant_before(run: Run, tenant: Tenant, *, remove: bool) -> Tenant:
    """A tenant that declares what was there before the run, for the fields that the run changed and no others.

    Args:
        tenant: who signs in, and which groups are break-glass; nothing else of it is declared.
        remove: whether what the run created is declared absent, or not at all.
    """
    entries = [entry for entry in run.entries if entry.action == "update" or (entry.action == "create" and remove)]
    fields = {entry.address: {item.path: item.before for item in entry.fields} for entry in entries}
    return _declared(run, tenant, entries, fields)


def tenant_applied(run: Run, tenant: Tenant) -> Tenant:
    """A tenant that declares what the run created, as it created it: to see whether somebody has changed it since."""
    entries = [replace(entry, action="update", id=None) for entry in run.entries if entry.action == "create"]
    return _declared(
        run, tenant, entries, {entry.address: {i.path: i.after for i in entry.fields} for entry in entries}
    )


def _declared(run: Run, tenant: Tenant, entries: Iterable[Entry], fields: Mapping[str, Mapping[str, Value]]) -> Tenant:
    groups = {key: Group(identity=Identity(key=key, id=found), external=True) for key, found in run.groups.items()}
    profiles: dict[str, Profile] = {}
    policy: Policy | None = None
    for entry in entries:
        wanted = fields[entry.address]
        if entry.address.startswith("groups."):
            groups[entry.key] = _group(entry, wanted)
        elif entry.address.startswith("webSignIn."):
            profiles[entry.key] = _profile(entry, wanted)
        else:
            policy = _policy(wanted)
    for name in _unnamed(policy, profiles.values()):
        # An entry that no file named is known by its id alone; declared by its id it can be said again.
        groups.setdefault(name, Group(identity=Identity(key=name, id=name), external=True))
    return replace(
        tenant,
        groups=groups,
        policy=policy,
        profiles=profiles,
        break_glass=tuple(key for key in tenant.break_glass if key in groups),
        suppressions=(),
    )


_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")


def _unnamed(policy: Policy | None, profiles: Iterable[Profile]) -> set[str]:
    named: set[str] = set()
    if policy is not None:
        named |= {target.group for target in policy.include or ()} | set(policy.exclude or ())
    for profile in profiles:
        named |= {item.group for item in (*(profile.include or ()), *(profile.exclude or ()))}
    return {name for name in named if _GUID.fullmatch(name)}


def _group(entry: Entry, wanted: Mapping[str, Value]) -> Group:
    mark = entry.unique_name or f"tapctl-{entry.key}"
    if entry.action == "create":
        return Group(identity=Identity(key=entry.key, ensure="absent"), unique_name=mark)
    members = wanted.get("members")
    return Group(
        unique_name=mark,
        members_exact=_gained_a_kind(entry),
        identity=Identity(key=entry.key, id=entry.id, display_name=_text(wanted.get("displayName"))),
        description=_text(wanted.get("description")),
        rule=_text(wanted.get("rule")),
        members=tuple(str(item) for item in members) if isinstance(members, tuple) else None,
    )


def _gained_a_kind(entry: Entry) -> bool:
    """Whether the run added members of a kind that was not listed before: going back is about that kind too."""
    for item in entry.fields:
        if item.path == "members" and isinstance(item.before, tuple) and isinstance(item.after, tuple):
            return not {_kind(one) for one in item.after} <= {_kind(one) for one in item.before}
    return False


def _kind(label: Value) -> str:
    prefix, colon, _ = str(label).partition(":")
    return prefix if colon else "user" if "@" in prefix else "id"


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _listed(value: Value) -> tuple[str, ...] | None:
    """A list of targets; one of a single person is left out, since tapctl does not make such targets."""
    if not isinstance(value, tuple):
        return None
    return tuple(str(item) for item in value if not str(item).startswith("user:"))


def _policy(wanted: Mapping[str, Value]) -> Policy:
    include, one_time, state = _listed(wanted.get("include")), wanted.get("oneTime"), wanted.get("state")
    return Policy(
        state="enabled" if state == "enabled" else "disabled" if state == "disabled" else None,
        minimum=_number(wanted.get("lifetime.minimum")),
        default=_number(wanted.get("lifetime.default")),
        maximum=_number(wanted.get("lifetime.maximum")),
        length=_number(wanted.get("length")),
        one_time=one_time if isinstance(one_time, bool) else None,
        include=tuple(Target(group=item) for item in include) if include is not None else None,
        exclude=_listed(wanted.get("exclude")),
    )


def _profile(entry: Entry, wanted: Mapping[str, Value]) -> Profile:
    if entry.action == "create":
        return Profile(identity=Identity(key=entry.key, ensure="absent"), delivery=entry.delivery)
    tags = wanted.get("scopeTags")
    return Profile(
        identity=Identity(key=entry.key, id=entry.id, display_name=_text(wanted.get("displayName"))),
        description=_text(wanted.get("description")),
        delivery=entry.delivery,
        settings={
            path.removeprefix("settings."): _setting(value)
            for path, value in wanted.items()
            if path.startswith("settings.")
        },
        include=_assignments(wanted.get("assign.include")),
        exclude=_assignments(wanted.get("assign.exclude")),
        scope_tags=tuple(str(tag) for tag in tags) if isinstance(tags, tuple) else None,
    )


def _setting(value: Value) -> SettingValue:
    if isinstance(value, tuple):
        return tuple(str(item) for item in value)
    return value if isinstance(value, bool | str) else None


def _assignments(value: Value) -> tuple[Assignment, ...] | None:
    if not isinstance(value, tuple):
        return None
    return tuple(
        Assignment(
            group=str(item["group"]),
            filter=str(item["filter"]),
            mode="exclude" if item["mode"] == "exclude" else "include",
        )
        if isinstance(item, Record)
        else Assignment(group=str(item))
        for item in value
    )


# The plan


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """The two desired states that the way back leans on, each with the live state that was read for it."""

    before: Tenant
    before_live: LiveTenant
    applied: Tenant
    applied_live: LiveTenant


def plan_back(run: Run, declared: Declarations, today: date, *, remove: bool) -> tuple[Tenant, Planned]:
    """The tenant to declare, and its plan: every field that still holds what the run wrote goes back.

    Returns:
        The declaration that is planned (needed to read the result back), and the plan with a finding for all that
        stays as it is.
    """
    tenant, live = declared.before, declared.before_live
    findings = [*_cannot_return(run, remove=remove)]
    touched = {draft.change.address for draft in plan_tenant(declared.applied, declared.applied_live, today).drafts}
    all_back = plan_tenant(tenant, live, today)
    now = {draft.change.address: draft.change.fields for draft in all_back.drafts}
    fields: dict[str, dict[str, Value]] = {}
    kept: list[Entry] = []
    for entry in run.entries:
        if entry.action == "update":
            fields[entry.address], changed = _still_ours(entry, now.get(entry.address, ()))
            findings += changed
            findings += _keep_break_glass(tenant, fields[entry.address])
            if fields[entry.address]:
                kept.append(entry)
        elif entry.action == "create" and remove and entry.address in touched and _exists(entry, live):
            message = f"{entry.address} was created by that apply and changed since; it is left alone"
            findings.append(_note("changed-since", message))
        elif entry.action == "create" and remove:
            fields[entry.address] = {}
            kept.append(entry)
    part = _declared(run, tenant, kept, fields)
    planned = plan_tenant(part, _for(part, live), today)
    return part, replace(planned, findings=(*findings, *planned.findings))


def _for(tenant: Tenant, live: LiveTenant) -> LiveTenant:
    """The live state with every group that the tenant declares; ids that became keys were looked up as such."""
    return replace(live, groups={key: seen for key, seen in live.groups.items() if key in tenant.groups})


def _keep_break_glass(tenant: Tenant, back: dict[str, Value]) -> Iterable[Finding]:
    """Break-glass groups stay excluded, whatever was excluded before."""
    excluded = back.get("exclude")
    if isinstance(excluded, tuple):
        missing = [key for key in tenant.break_glass if key not in excluded]
        if missing:
            back["exclude"] = (*excluded, *missing)
            names = ", ".join(missing)
            yield _note("not-restorable", f"temporaryAccessPass: break-glass stays excluded ({names})")


def _exists(entry: Entry, live: LiveTenant) -> bool:
    seen = live.groups if entry.address.startswith("groups.") else live.profiles
    return isinstance(seen.get(entry.key), Found)


def _still_ours(entry: Entry, now: Iterable[FieldChange]) -> tuple[dict[str, Value], list[Finding]]:
    """The fields that still hold what the run wrote, with what they held before; and findings on the others."""
    current = {item.path: item.before for item in now}
    back: dict[str, Value] = {}
    findings: list[Finding] = []
    for item in entry.fields:
        if item.path not in current:
            continue
        if current[item.path] == item.after:
            back[item.path] = item.before
        else:
            findings.append(_note("changed-since", f"{entry.address}: {item.path} was changed since and is left alone"))
    return back, findings


def _cannot_return(run: Run, *, remove: bool) -> Iterable[Finding]:
    for entry in run.entries:
        if entry.action == "delete":
            yield _note("not-restorable", f"{entry.address} was deleted; Graph has no way back to the same object")
        elif entry.action == "create" and not remove:
            message = f"{entry.address} was created by that apply and stays"
            yield _note("created-stays", message, "--override delete --reason TEXT removes it")
        for item in entry.fields:
            people = item.before if isinstance(item.before, tuple) else ()
            if entry.address == "temporaryAccessPass" and any(str(one).startswith("user:") for one in people):
                yield _note("not-restorable", f"{entry.address}: targets of single people are not made again")


def _note(rule: str, message: str, fix: str = "") -> Finding:
    return Finding(rule=rule, severity="warning", message=message, fix=fix)
