"""Looking up what lists refer to: groups that the file does not declare, people, and what a group is a member of."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tapctl.kinds.groups.finding import READ_PERMISSION, by_id, decode_member, one
from tapctl.kinds.wire import (
    JSONObject,
    Malformed,
    as_malformed,
    as_object,
    elements,
    identifier,
    is_missing,
    literal,
    malformed,
    segment,
    text,
    texts,
)
from tapctl.model.gather import gather
from tapctl.model.live import (
    Member,
)
from tapctl.model.requests import Problem, Read, Reading, Reply


def read_names(ids: Iterable[str]) -> Reading[dict[str, str | None | Problem]]:
    """The display names of groups that the file does not declare; None where the group was deleted."""
    return gather({group_id: _read_name(group_id) for group_id in sorted(set(ids))})


def _read_name(group_id: str) -> Reading[str | None | Problem]:
    purpose = f"reading group {group_id}, which a live list refers to"
    (outcome,) = yield [by_id(group_id, purpose)]
    if is_missing(outcome):
        return None
    found = one(outcome, purpose)
    return found if isinstance(found, Problem) else found.object.display_name


def read_people(spellings: Iterable[str]) -> Reading[dict[str, Member | None | Problem]]:
    """The objects for member spellings (in lower case); None where there is no such object."""
    return gather({spelling: _read_person(spelling) for spelling in sorted({item.lower() for item in spellings})})


def _read_person(spelling: str) -> Reading[Member | None | Problem]:
    purpose = f"looking up member {spelling}"
    if spelling.startswith("device:"):
        device_id = spelling.removeprefix("device:")
        path = f"/devices?$filter=deviceId%20eq%20{literal(device_id)}&$select=id,deviceId,displayName"
        (outcome,) = yield [
            Read(purpose=purpose, version="v1.0", path=path, permission="Device.Read.All", paged=True),
        ]
        return _only(outcome, purpose, lambda item: Member(identifier(item), "device", text(item, "deviceId")))
    if "@" in spelling:
        # A principal name that begins with $ is only reachable in the parenthesised form.
        name = f"('{segment(spelling)}')" if spelling.startswith("$") else f"/{segment(spelling)}"
        path = f"/users{name}?$select=id,displayName,userPrincipalName"
        (outcome,) = yield [Read(purpose=purpose, version="v1.0", path=path, permission="User.ReadBasic.All")]
        if is_missing(outcome):
            return None
        if isinstance(outcome, Problem):
            return outcome
        try:
            item = as_object(outcome.body, "the answer")
            return Member(identifier(item), "user", text(item, "userPrincipalName"))
        except Malformed as error:
            return malformed(outcome, purpose, error)
    (outcome,) = yield [
        Read(
            purpose=purpose,
            version="v1.0",
            method="POST",
            path="/directoryObjects/getByIds",
            body={"ids": [spelling]},
            permission="Directory.Read.All",
            paged=True,
        )
    ]
    return _only(outcome, purpose, decode_member)


def _only(outcome: Reply, purpose: str, decoder: Callable[[JSONObject], Member]) -> Member | None | Problem:
    if isinstance(outcome, Problem):
        return outcome
    try:
        items = elements(outcome.body)
        if len(items) > 1:
            raise Malformed("more than one object has this id")
        return decoder(items[0]) if items else None
    except Malformed as error:
        return malformed(outcome, purpose, error)


def read_parents(group_id: str, key: str) -> Reading[tuple[str, ...] | Problem]:
    """The ids of the groups that contain this group: directly, or transitively where Graph only supports that."""
    purpose = f"reading what group {key} is a member of"
    (outcome,) = yield [
        Read(
            purpose=purpose,
            version="v1.0",
            path=f"/groups/{segment(group_id)}/memberOf?$select=id,displayName&$top=999",
            permission=READ_PERMISSION,
            paged=True,
        )
    ]
    if isinstance(outcome, Problem) and outcome.status in (400, 404, 501):
        return (yield from _read_all_parents(group_id, purpose))
    if isinstance(outcome, Problem):
        return outcome
    try:
        items = elements(outcome.body)
        return tuple(sorted(identifier(item) for item in items))
    except Malformed as error:
        return malformed(outcome, purpose, error)


def _read_all_parents(group_id: str, purpose: str) -> Reading[tuple[str, ...] | Problem]:
    """The same by a call that Graph documents for every directory object."""
    (outcome,) = yield [
        Read(
            purpose=purpose,
            version="v1.0",
            method="POST",
            path=f"/groups/{segment(group_id)}/getMemberGroups",
            body={"securityEnabledOnly": False},
            permission=READ_PERMISSION,
            paged=True,
        )
    ]
    if isinstance(outcome, Problem):
        return as_malformed(outcome)
    try:
        return tuple(sorted(item.lower() for item in texts(as_object(outcome.body, "the answer"), "value")))
    except Malformed as error:
        return malformed(outcome, purpose, error)
