"""Who changed a live object last, and when, by the audit logs of Entra and Intune.

Sources: Graph reference `directoryaudit-list` (v1.0) and `intune-auditing-auditevent-list` (v1.0), checked 2026-11-22.
Both logs are filtered by time and kind of activity alone; objects are matched here, because filters by object are not
documented for both. The logs are throttled at 5 requests in 10 seconds, so few pages are read, newest first."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote, urlsplit

from tapctl.errors import Finding
from tapctl.kinds.steps import Draft
from tapctl.kinds.wire import JSONObject, Malformed, as_object, malformed, objects
from tapctl.model.desired import Policy
from tapctl.model.plan import Attribution, Change
from tapctl.model.requests import Problem, Read, Reading
from tapctl.model.together import together
from tapctl.model.values import JSONValue

Log = Literal["policy", "groups", "profiles"]

ENTRA_PERMISSION = "AuditLog.Read.All"
INTUNE_PERMISSION = "DeviceManagementApps.Read.All"

MOST_PAGES = 3
"""Pages of one log that are looked through."""
RETENTION = timedelta(days=30)
"""Entra keeps its log for 7 days, or 30 with a P1 licence: looking further back finds nothing."""

POLICY_ACTIVITY = "Authentication Methods Policy"
"""How the names of the activities begin: `... Update`, and `... Reset` for a DELETE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """A changed object to look for."""

    address: str
    id: str | None
    """None where the object is gone and its id with it."""
    name: str
    """The display name, by which a deletion is found."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributions:
    """What the logs said."""

    by_address: Mapping[str, Attribution] = field(default_factory=dict)
    problems: Mapping[Log, Problem] = field(default_factory=dict)
    """Logs that could not be read."""

    def findings(self) -> tuple[Finding, ...]:
        """A warning for every log that could not be read: who it was is unknown, which is no failure of the run."""
        listed: dict[str, Problem] = {}
        for problem in self.problems.values():
            listed.setdefault(problem.permission or problem.purpose, problem)
        return tuple(_unavailable(problem) for problem in listed.values())


def _unavailable(problem: Problem) -> Finding:
    return Finding(
        rule="attribution-unavailable",
        severity="warning",
        message=f"who changed this is unknown: {problem.describe()}",
        why="drift is found without the audit logs; they only add who and when",
        fix=problem.advice(),
    )


def wanted(drafts: Iterable[Draft], changes: Mapping[str, Change]) -> tuple[Wanted, ...]:
    """The objects of the changes that are drift.

    Args:
        changes: by address, as judged.
    """
    found: list[Wanted] = []
    for draft in drafts:
        change = changes[draft.change.address]
        if change.reason != "drift":
            continue
        live_id = draft.definitions.get(change.address) if change.action != "create" else None
        found.append(
            Wanted(
                address=change.address,
                id=live_id if isinstance(live_id, str) else None,
                name=change.title,
            )
        )
    return tuple(found)


def read_attributions(sought: Sequence[Wanted], now: datetime) -> Reading[Attributions]:
    """The newest entry of the logs on each object. Nothing is read where nothing is sought."""
    by_log: dict[Log, list[Wanted]] = {}
    for item in sought:
        by_log.setdefault(_log_of(item.address), []).append(item)
    seen = yield from together({log: _read_log(log, items, now) for log, items in by_log.items()})
    found: dict[str, Attribution] = {}
    problems: dict[Log, Problem] = {}
    for log, result in seen.items():
        found |= result[0]
        if result[1] is not None:
            problems[log] = result[1]
    return Attributions(by_address=found, problems=problems)


def attributed(change: Change, attributions: Attributions) -> Change:
    """The change with who and when, where the logs know."""
    by = attributions.by_address.get(change.address)
    return change if by is None else replace(change, by=by)


def _log_of(address: str) -> Log:
    if address == Policy.address:
        return "policy"
    return "groups" if address.startswith("groups.") else "profiles"


# Reading


def _read_log(
    log: Log, sought: Sequence[Wanted], now: datetime
) -> Reading[tuple[dict[str, Attribution], Problem | None]]:
    """Page by page until every object was found, the log ends, or enough was read."""
    found: dict[str, Attribution] = {}
    read = _first_page(log, now - RETENTION)
    for _ in range(MOST_PAGES):
        (outcome,) = yield [read]
        if isinstance(outcome, Problem):
            return found, outcome
        try:
            body = as_object(outcome.body, "the answer")
            entries = [_MATCHERS[log](item) for item in objects(body.get("value"), "value")]
        except Malformed as error:
            return found, malformed(outcome, read.purpose, error)
        for item in sought:
            newest = next((entry for entry in entries if entry is not None and entry.is_about(item)), None)
            if item.address not in found and newest is not None:
                found[item.address] = newest.by
        path = _next_path(body)
        if path is None or len(found) == len(sought):
            break
        read = replace(read, path=path)
    return found, None


def _first_page(log: Log, since: datetime) -> Read:
    moment = since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    if log == "profiles":
        kind = "componentName eq 'DeviceConfiguration' and activityOperationType ne 'Get'"
        conditions = f"{kind} and activityDateTime gt {moment}"
        return Read(
            purpose="reading Intune's audit log",
            version="v1.0",
            path=f"/deviceManagement/auditEvents?$filter={quote(conditions)}&$orderby=activityDateTime%20desc",
            permission=INTUNE_PERMISSION,
        )
    kind = "category eq 'GroupManagement'"
    if log == "policy":
        kind = f"startswith(activityDisplayName,'{POLICY_ACTIVITY}')"
    conditions = f"{kind} and activityDateTime ge {moment}"
    return Read(
        purpose="reading Entra's audit log",
        version="v1.0",
        path=f"/auditLogs/directoryAudits?$filter={quote(conditions)}&$orderby=activityDateTime%20desc&$top=500",
        permission=ENTRA_PERMISSION,
    )


def _next_path(body: JSONObject) -> str | None:
    """Path and query of the next page below the version: whatever host a link names, the client asks its own."""
    link = body.get("@odata.nextLink")
    if not isinstance(link, str):
        return None
    parts = urlsplit(link)
    _, version, path = parts.path.partition("/v1.0/")
    return f"/{path}?{parts.query}" if version else None


# What an entry says


@dataclass(frozen=True, slots=True, kw_only=True)
class _Entry:
    """One entry of a log, as far as it matters."""

    by: Attribution
    ids: frozenset[str]
    deleted_names: frozenset[str] = frozenset()
    """Display names of what was deleted."""
    is_policy: bool = False

    def is_about(self, item: Wanted) -> bool:
        if item.address == Policy.address:
            return self.is_policy
        if item.id is not None:
            return item.id.lower() in self.ids
        return item.name in self.deleted_names


def _policy_entry(item: JSONObject) -> _Entry | None:
    """An edit of the authentication methods policy, if it touched Temporary Access Pass.

    Since April 2026 an entry lists the properties that changed; before, and for wide edits still, it holds the whole
    policy as JSON text."""
    entry = _directory_entry(item)
    targets = objects(item.get("targetResources") or [], "targetResources")
    touched = any(_is_pass(target) for target in targets) or any(
        _touches_pass(changed)
        for target in targets
        for changed in objects(target.get("modifiedProperties") or [], "modifiedProperties")
    )
    return replace(entry, is_policy=True) if entry is not None and touched else None


_PASS_PROPERTIES = frozenset(
    {
        "defaultlength",
        "defaultlifetimeinminutes",
        "isusableonce",
        "maximumlifetimeinminutes",
        "minimumlifetimeinminutes",
    }
)
"""Properties that no other authentication method has."""


def _is_pass(target: JSONObject) -> bool:
    """Whether a record is about the pass itself. No record of the new form is documented, so either name will do."""
    names = (_first(target, "id"), _first(target, "displayName"))
    return any(name.lower().replace(" ", "") == "temporaryaccesspass" for name in names)


def _touches_pass(changed: JSONObject) -> bool:
    name = str(changed.get("displayName") or "").lower()
    if name.startswith("temporaryaccesspass") or name.rpartition(".")[2] in _PASS_PROPERTIES:
        return True
    before, after = (_pass_part(changed.get(side)) for side in ("oldValue", "newValue"))
    return (before is not None or after is not None) and before != after


def _pass_part(text: JSONValue) -> JSONValue:
    """The part of a policy, given as JSON text, that is about Temporary Access Pass; None where there is none."""
    try:
        whole: JSONValue = json.loads(text) if isinstance(text, str) else None
        # Some entries hold JSON text inside JSON text.
        whole = json.loads(whole) if isinstance(whole, str) else whole
    except (ValueError, RecursionError):
        return None
    pending: list[JSONValue] = [whole]
    while pending:
        part = pending.pop()
        if isinstance(part, list):
            pending.extend(part)
        elif isinstance(part, dict):
            if str(part.get("id", "")).lower() == "temporaryaccesspass":
                return part
            pending.extend(part.values())
    return None


def _groups_named(targets: list[JSONObject]) -> frozenset[str]:
    """The groups that a record of added or removed members names in its properties: its target may be the member."""
    found: set[str] = set()
    for target in targets:
        for changed in objects(target.get("modifiedProperties") or [], "modifiedProperties"):
            if str(changed.get("displayName") or "").lower() == "group.objectid":
                found |= {str(changed.get(side) or "").strip('"').lower() for side in ("oldValue", "newValue")}
    return frozenset(found - {""})


def _directory_entry(item: JSONObject) -> _Entry | None:
    """An entry of directoryAudits; None for one that failed."""
    if str(item.get("result", "success")).lower() != "success":
        return None
    initiated = _map(item, "initiatedBy")
    user, app = _map(initiated, "user"), _map(initiated, "app")
    targets = objects(item.get("targetResources") or [], "targetResources")
    deletes = str(item.get("activityDisplayName") or "").lower().startswith("delete")
    return _Entry(
        by=Attribution(
            who=_first(user, "userPrincipalName", "displayName", "id")
            or _first(app, "displayName", "servicePrincipalName", "appId"),
            when=_moment(item),
            via=", ".join(filter(None, (_first(item, "loggedByService"), "Entra audit log"))),
        ),
        ids=frozenset(_first(target, "id").lower() for target in targets) | _groups_named(targets),
        deleted_names=frozenset(_first(target, "displayName") for target in targets) if deletes else frozenset(),
    )


def _intune_entry(item: JSONObject) -> _Entry | None:
    """An entry of auditEvents; None for one that failed."""
    if str(item.get("activityResult", "success")).lower() != "success":
        return None
    actor, resources = _map(item, "actor"), objects(item.get("resources") or [], "resources")
    is_person = str(actor.get("auditActorType", "")).lower() == "itpro"
    person = _first(actor, "userPrincipalName", "userId")
    app = _first(actor, "applicationDisplayName", "servicePrincipalName", "applicationId")
    deletes = str(item.get("activityOperationType", "")).lower() == "delete"
    return _Entry(
        by=Attribution(
            who=(person or app) if is_person else (app or person),
            when=_moment(item),
            via=", ".join(filter(None, (app if is_person else "", "Intune audit log"))),
        ),
        ids=frozenset(_first(resource, "resourceId").lower() for resource in resources),
        deleted_names=frozenset(_first(resource, "displayName") for resource in resources) if deletes else frozenset(),
    )


_MATCHERS: Mapping[Log, Callable[[JSONObject], _Entry | None]] = {
    "policy": _policy_entry,
    "groups": _directory_entry,
    "profiles": _intune_entry,
}


def _map(item: JSONObject, key: str) -> JSONObject:
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def _first(item: JSONObject, *keys: str) -> str:
    """The first of the properties that holds text."""
    return next((value for key in keys if isinstance(value := item.get(key), str) and value), "")


def _moment(item: JSONObject) -> str:
    """When it happened, in whole seconds, UTC.

    Raises:
        Malformed: when the time cannot be read."""
    try:
        moment = datetime.fromisoformat(str(item.get("activityDateTime")))
    except ValueError:
        raise Malformed("activityDateTime is no time") from None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
