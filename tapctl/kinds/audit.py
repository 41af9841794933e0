"""The audit logs of Entra and Intune: which pages to read, and how to decode an entry: who changed which objects.

Sources: Graph reference `directoryaudit-list` (v1.0) and `intune-auditing-auditevent-list` (v1.0), checked 2026-11-22.
Both logs are filtered by time and kind of activity only; the caller matches the objects, because filters by object
are not documented for both."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import quote, urlsplit

from tapctl.kinds.wire import JSONObject, Malformed, as_object, elements, malformed, objects
from tapctl.model.plan import Attribution
from tapctl.model.requests import Problem, Read, Reply
from tapctl.model.values import JSONValue

ENTRA_PERMISSION = "AuditLog.Read.All"
INTUNE_PERMISSION = "DeviceManagementApps.Read.All"

NOBODY_NAMED = "(not named in the log)"

POLICY_ACTIVITY = "Authentication Methods Policy"
"""The common start of the activity names: `... Update`, and `... Reset` for a DELETE."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditEntry:
    """One entry of a log, reduced to what tapctl uses."""

    by: Attribution
    ids: frozenset[str]
    """The ids, in lower case, of the objects that it is about."""
    deleted_names: frozenset[str] = frozenset()
    """Display names of what was deleted."""
    list_changed: str = ""
    """members or owners, where the entry is about a change of such a list alone."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditPage:
    entries: tuple[AuditEntry, ...]
    """Newest first; only operations that succeeded."""
    next_page: Read | None


@dataclass(frozen=True, slots=True)
class AuditLog:
    """One log, restricted to one kind of object."""

    read_since: Callable[[datetime], Read]
    """The read of the first page of the entries since a given time."""
    decode: Callable[[JSONObject], AuditEntry | None]
    """None for a failed operation, or for an entry about another kind of object."""

    def page(self, read: Read, outcome: Reply) -> AuditPage | Problem:
        """The entries of one page, and the read for the next page."""
        if isinstance(outcome, Problem):
            return outcome
        try:
            body = as_object(outcome.body, "the answer")
            entries = [self.decode(item) for item in elements(body)]
        except Malformed as error:
            return malformed(outcome, read.purpose, error)
        path = _next_path(body)
        return AuditPage(
            entries=tuple(entry for entry in entries if entry is not None),
            next_page=replace(read, path=path) if path is not None else None,
        )


def _next_path(body: JSONObject) -> str | None:
    """Path and query of the next page below the version. The host of the link is ignored: the client uses its own."""
    link = body.get("@odata.nextLink")
    if not isinstance(link, str):
        return None
    parts = urlsplit(link)
    _, version, path = parts.path.partition("/v1.0/")
    return f"/{path}?{parts.query}" if version else None


def _moment_text(since: datetime) -> str:
    return since.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _directory_audits(condition: str, since: datetime) -> Read:
    conditions = f"{condition} and activityDateTime ge {_moment_text(since)}"
    return Read(
        purpose="reading Entra's audit log",
        version="v1.0",
        path=f"/auditLogs/directoryAudits?$filter={quote(conditions)}&$orderby=activityDateTime%20desc&$top=500",
        permission=ENTRA_PERMISSION,
    )


def _read_groups(since: datetime) -> Read:
    return _directory_audits("category eq 'GroupManagement'", since)


def _read_policy(since: datetime) -> Read:
    return _directory_audits(f"startswith(activityDisplayName,'{POLICY_ACTIVITY}')", since)


def _read_profiles(since: datetime) -> Read:
    kind = "componentName eq 'DeviceConfiguration' and activityOperationType ne 'Get'"
    conditions = f"{kind} and activityDateTime gt {_moment_text(since)}"
    return Read(
        purpose="reading Intune's audit log",
        version="v1.0",
        path=f"/deviceManagement/auditEvents?$filter={quote(conditions)}&$orderby=activityDateTime%20desc",
        permission=INTUNE_PERMISSION,
    )


def _policy_entry(item: JSONObject) -> AuditEntry | None:
    """An edit of the authentication methods policy, if it touched Temporary Access Pass.

    Since April 2026 an entry lists the properties that changed; older entries, and those of large edits, hold the whole
    policy as JSON text."""
    entry = _directory_entry(item)
    targets = objects(item.get("targetResources") or [], "targetResources")
    touched = any(_is_pass(target) for target in targets) or any(
        _touches_pass(changed)
        for target in targets
        for changed in objects(target.get("modifiedProperties") or [], "modifiedProperties")
    )
    return entry if touched else None


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
    """Whether a record is about the pass itself. The new form is not documented, so either name is accepted."""
    names = (_first(target, "id"), _first(target, "displayName"))
    return any(name.lower().replace(" ", "") == "temporaryaccesspass" for name in names)


def _touches_pass(changed: JSONObject) -> bool:
    name = str(changed.get("displayName") or "").lower()
    if name.startswith("temporaryaccesspass") or name.rpartition(".")[2] in _PASS_PROPERTIES:
        return True
    before, after = (_pass_part(changed.get(side)) for side in ("oldValue", "newValue"))
    return (before is not None or after is not None) and before != after


def _pass_part(text: JSONValue) -> JSONValue:
    """The part about Temporary Access Pass of a policy given as JSON text; None where there is none."""
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
    """The groups in the properties of a record about added or removed members, whose target may be the member."""
    found: set[str] = set()
    for target in targets:
        for changed in objects(target.get("modifiedProperties") or [], "modifiedProperties"):
            if str(changed.get("displayName") or "").lower() == "group.objectid":
                found |= {str(changed.get(side) or "").strip('"').lower() for side in ("oldValue", "newValue")}
    return frozenset(found - {""})


def _directory_entry(item: JSONObject) -> AuditEntry | None:
    """An entry of directoryAudits; None for one that failed."""
    if str(item.get("result", "success")).lower() != "success":
        return None
    initiated = _map(item, "initiatedBy")
    user, app = _map(initiated, "user"), _map(initiated, "app")
    targets = objects(item.get("targetResources") or [], "targetResources")
    deletes = str(item.get("activityDisplayName") or "").lower().startswith("delete")
    return AuditEntry(
        by=Attribution(
            who=_first(user, "userPrincipalName", "displayName", "id")
            or _first(app, "displayName", "servicePrincipalName", "appId")
            or NOBODY_NAMED,
            when=_moment(item),
            via=", ".join(filter(None, (_first(item, "loggedByService"), "Entra audit log"))),
        ),
        ids=frozenset(_first(target, "id").lower() for target in targets) | _groups_named(targets),
        deleted_names=frozenset(_first(target, "displayName") for target in targets) if deletes else frozenset(),
        list_changed=_list_changed(_first(item, "activityDisplayName")),
    )


def _list_changed(activity: str) -> str:
    """Which list an activity is about: `Add member to group`, `Remove owner from group`."""
    verb, _, rest = activity.lower().partition(" ")
    for name in ("member", "owner"):
        if verb in ("add", "remove") and rest.startswith(name):
            return f"{name}s"
    return ""


def _intune_entry(item: JSONObject) -> AuditEntry | None:
    """An entry of auditEvents; None for one that failed."""
    if str(item.get("activityResult", "success")).lower() != "success":
        return None
    actor, resources = _map(item, "actor"), objects(item.get("resources") or [], "resources")
    is_person = str(actor.get("auditActorType", "")).lower() == "itpro"
    person = _first(actor, "userPrincipalName", "userId")
    app = _first(actor, "applicationDisplayName", "servicePrincipalName", "applicationId")
    deletes = str(item.get("activityOperationType", "")).lower() == "delete"
    return AuditEntry(
        by=Attribution(
            who=((person or app) if is_person else (app or person)) or NOBODY_NAMED,
            when=_moment(item),
            via=", ".join(filter(None, (app if is_person else "", "Intune audit log"))),
        ),
        ids=frozenset(_first(resource, "resourceId").lower() for resource in resources),
        deleted_names=frozenset(_first(resource, "displayName") for resource in resources) if deletes else frozenset(),
    )


def _map(item: JSONObject, key: str) -> JSONObject:
    value = item.get(key)
    return value if isinstance(value, dict) else {}


def _first(item: JSONObject, *keys: str) -> str:
    """The first of the properties that holds text."""
    return next((value for key in keys if isinstance(value := item.get(key), str) and value), "")


def _moment(item: JSONObject) -> str:
    """The time of the entry, in whole seconds, UTC.

    Raises:
        Malformed: when the time cannot be read."""
    try:
        moment = datetime.fromisoformat(str(item.get("activityDateTime")))
    except ValueError:
        raise Malformed("activityDateTime is not a time") from None
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


GROUPS_LOG = AuditLog(_read_groups, _directory_entry)
POLICY_LOG = AuditLog(_read_policy, _policy_entry)
PROFILES_LOG = AuditLog(_read_profiles, _intune_entry)
