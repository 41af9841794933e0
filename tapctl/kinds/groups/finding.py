"""Finding declared groups: by pin, by mark, by name; and decoding what Graph sends."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tapctl.kinds.wire import (
    JSONObject,
    Malformed,
    as_malformed,
    as_object,
    boolean_or_none,
    elements,
    identifier,
    is_missing,
    literal,
    malformed,
    odata_type,
    read_elements,
    segment,
    text_or_none,
    texts,
)
from tapctl.model.desired import Group
from tapctl.model.gather import gather
from tapctl.model.live import (
    Absent,
    Ambiguous,
    Candidate,
    Found,
    LiveGroup,
    Lookup,
    Member,
    MemberKind,
    PinMissing,
    Unmarked,
)
from tapctl.model.requests import Problem, Read, Reading, Reply

READ_PERMISSION = "GroupMember.Read.All"


PROPERTIES = (
    "id,displayName,description,groupTypes,mailEnabled,securityEnabled,membershipRule,isAssignableToRole,"
    "onPremisesSyncEnabled,uniqueName"
)
MEMBER_PROPERTIES = "id,displayName,userPrincipalName,deviceId"


def by_id(group_id: str, purpose: str) -> Read:
    return Read(
        purpose=purpose,
        version="v1.0",
        path=f"/groups/{segment(group_id)}?$select={PROPERTIES}",
        permission=READ_PERMISSION,
    )


def by_mark(unique_name: str, purpose: str) -> Read:
    return Read(
        purpose=purpose,
        version="v1.0",
        path=f"/groups(uniqueName={literal(unique_name)})?$select={PROPERTIES}",
        permission=READ_PERMISSION,
    )


def by_name(display_name: str, purpose: str) -> Read:
    return Read(
        purpose=purpose,
        version="v1.0",
        path=f"/groups?$filter=displayName%20eq%20{literal(display_name)}&$select={PROPERTIES}",
        permission=READ_PERMISSION,
        paged=True,
    )


def members_of(group_id: str, purpose: str) -> Read:
    return Read(
        purpose=purpose,
        version="v1.0",
        path=f"/groups/{segment(group_id)}/members?$select={MEMBER_PROPERTIES}&$top=999",
        permission=READ_PERMISSION,
        paged=True,
    )


def read_all(groups: Iterable[Group]) -> Reading[dict[str, Lookup[LiveGroup]]]:
    """Look up every declared group, by key."""
    return gather({group.identity.key: read(group) for group in groups})


def read(group: Group) -> Reading[Lookup[LiveGroup]]:
    """Find one declared group: by pin, else by mark, else check whether an unmarked group has its name."""
    purpose = f"reading group {group.identity.key}"
    lookup = yield from _find(group, purpose)
    if not isinstance(lookup, Found) or not _wants_members(group, lookup.object):
        return lookup
    members = yield from read_members(lookup.object.id, f"reading the members of group {group.identity.key}")
    return members if isinstance(members, Problem) else Found(replace(lookup.object, members=members))


def _wants_members(group: Group, live: LiveGroup) -> bool:
    """Whether membership is managed, or would be lost with the group. Dynamic membership follows from its rule."""
    if group.external:
        return False
    return live.rule is None if group.identity.ensure == "absent" else group.members is not None


def read_members(group_id: str, purpose: str) -> Reading[frozenset[Member] | Problem]:
    members = yield from read_elements(members_of(group_id, purpose), decode_member)
    return members if isinstance(members, Problem) else frozenset(members)


def read_few_members(group_id: str, most: int) -> Reading[frozenset[Member] | None | Problem]:
    """The members of a group that exists, or None when there are more than `most`; further pages are not read."""
    purpose = f"reading the members of group {group_id}"
    (outcome,) = yield [
        Read(
            purpose=purpose,
            version="v1.0",
            path=f"/groups/{segment(group_id)}/members?$select={MEMBER_PROPERTIES}&$top={most + 1}",
            permission=READ_PERMISSION,
        )
    ]
    if isinstance(outcome, Problem):
        return as_malformed(outcome)
    try:
        body = as_object(outcome.body, "the answer")
        members = frozenset(decode_member(item) for item in elements(body))
    except Malformed as error:
        return malformed(outcome, purpose, error)
    return None if len(members) > most or body.get("@odata.nextLink") else members


def _find(group: Group, purpose: str) -> Reading[Lookup[LiveGroup]]:
    identity = group.identity
    if identity.id is not None:
        (outcome,) = yield [by_id(identity.id, purpose)]
        if is_missing(outcome):
            return Absent() if identity.ensure == "absent" else PinMissing()
        return one(outcome, purpose)
    if not group.external:
        (outcome,) = yield [by_mark(group.unique_name, purpose)]
        if not is_missing(outcome):
            return one(outcome, purpose)
    if identity.display_name is None:
        return Absent()
    (outcome,) = yield [by_name(identity.display_name, purpose)]
    return _named(group, outcome, purpose)


def one(outcome: Reply, purpose: str) -> Found[LiveGroup] | Problem:
    if isinstance(outcome, Problem):
        return outcome
    try:
        return Found(decode(as_object(outcome.body, "the answer")))
    except Malformed as error:
        return malformed(outcome, purpose, error)


def _named(group: Group, outcome: Reply, purpose: str) -> Lookup[LiveGroup]:
    """The result of a search by display name for a group without a mark."""
    if isinstance(outcome, Problem):
        return outcome
    try:
        seen = [decode(item) for item in elements(outcome.body)]
    except Malformed as error:
        return malformed(outcome, purpose, error)
    wanted = group.identity.display_name or ""
    # Graph ignores case when it compares display names: two names that differ only in case both match.
    fitting = [item for item in seen if item.display_name.casefold() == wanted.casefold()]
    candidates = tuple(Candidate(item.id, item.display_name) for item in sorted(fitting, key=lambda item: item.id))
    if not group.external:
        marked = [item for item in fitting if item.unique_name == group.unique_name]
        if len(marked) == 1:
            return Found(marked[0])
    if not fitting:
        return Absent()
    if len(fitting) > 1:
        return Ambiguous(candidates)
    takes = (group.external or group.identity.takes_over) and fitting[0].display_name == wanted
    return Found(fitting[0]) if takes else Unmarked(candidates)


def decode(item: JSONObject) -> LiveGroup:
    """A group as Graph sends it.

    Raises:
        Malformed: when a property has a different type from the documented one.
    """
    types = {entry.lower() for entry in texts(item, "groupTypes")}
    rule = text_or_none(item, "membershipRule")
    return LiveGroup(
        id=identifier(item),
        display_name=text_or_none(item, "displayName") or "",
        description=text_or_none(item, "description") or "",
        unique_name=text_or_none(item, "uniqueName"),
        rule=(rule or "") if "dynamicmembership" in types else None,
        role_assignable=bool(boolean_or_none(item, "isAssignableToRole")),
        security_enabled=bool(boolean_or_none(item, "securityEnabled")),
        mail_enabled=bool(boolean_or_none(item, "mailEnabled")),
        is_microsoft_365="unified" in types,
        is_synchronised=bool(boolean_or_none(item, "onPremisesSyncEnabled")),
    )


def decode_member(item: JSONObject) -> Member:
    """A directory object in a member list; its kind comes from `@odata.type`, or else from its properties."""
    principal, device = text_or_none(item, "userPrincipalName"), text_or_none(item, "deviceId")
    kinds: dict[str, MemberKind] = {"user": "user", "device": "device", "group": "group"}
    kind = kinds.get(odata_type(item), "other")
    if not odata_type(item):
        kind = "user" if principal else "device" if device else "other"
    name = principal if kind == "user" else device if kind == "device" else ""
    return Member(identifier(item), kind, name or "")
