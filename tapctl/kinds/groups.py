"""Target groups (Entra). Sources: Graph reference `group`, `group-upsert`, `group-post-members`, `group-list-members`
(checked 2026-11-22): a group is found by the alternate key `uniqueName`, which tapctl sets when it makes one."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import partial

from tapctl.errors import Finding
from tapctl.kinds.naming import Names
from tapctl.kinds.steps import Draft, Look, Standing, Step, Steps, Surroundings
from tapctl.kinds.together import together
from tapctl.kinds.troubles import listed, trouble
from tapctl.kinds.wire import (
    JSONObject,
    Malformed,
    as_object,
    boolean_or_none,
    identifier,
    is_missing,
    literal,
    malformed,
    objects,
    odata_type,
    segment,
    text,
    text_or_none,
    texts,
)
from tapctl.model.desired import Group, Tenant
from tapctl.model.live import (
    Absent,
    Ambiguous,
    Candidate,
    Found,
    LiveGroup,
    Member,
    MemberKind,
    PinMissing,
    Sighting,
    Unmarked,
)
from tapctl.model.plan import Change, FieldChange
from tapctl.model.requests import Outcome, Problem, Read, Reading, Write
from tapctl.model.values import JSONValue, Value, as_set

READ_PERMISSION = "GroupMember.Read.All"
WRITE_PERMISSION = "Group.ReadWrite.All"
ROLE_ASSIGNABLE_PERMISSION = "RoleManagement.ReadWrite.Directory"

PROPERTIES = (
    "id,displayName,description,groupTypes,mailEnabled,securityEnabled,membershipRule,isAssignableToRole,"
    "onPremisesSyncEnabled,uniqueName"
)
MOST_MEMBERS_IN_ONE_CALL = 20
"""Graph adds at most 20 members in one PATCH, all or nothing."""


# Reading


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
        path=f"/groups/{segment(group_id)}/members?$select=id,displayName,userPrincipalName,deviceId&$top=999",
        permission=READ_PERMISSION,
        paged=True,
    )


def read_all(groups: Iterable[Group]) -> Reading[dict[str, Sighting[LiveGroup]]]:
    """What became of every declared group, by key."""
    return together({group.identity.key: read(group) for group in groups})


def read(group: Group) -> Reading[Sighting[LiveGroup]]:
    """Find one declared group: by pin, else by mark, else see whether something has its name."""
    purpose = f"reading group {group.identity.key}"
    sighting = yield from _find(group, purpose)
    wants_members = group.members is not None and not group.external and group.identity.ensure == "present"
    if not isinstance(sighting, Found) or not wants_members:
        return sighting
    members = yield from read_members(sighting.object.id, f"reading the members of group {group.identity.key}")
    return members if isinstance(members, Problem) else Found(replace(sighting.object, members=members))


def read_members(group_id: str, purpose: str) -> Reading[frozenset[Member] | Problem]:
    (outcome,) = yield [members_of(group_id, purpose)]
    if isinstance(outcome, Problem):
        return outcome
    try:
        body = as_object(outcome.body, "the answer")
        return frozenset(decode_member(item) for item in objects(body.get("value"), "value"))
    except Malformed as error:
        return malformed(outcome, purpose, error)


def _find(group: Group, purpose: str) -> Reading[Sighting[LiveGroup]]:
    identity = group.identity
    if identity.id is not None:
        (outcome,) = yield [by_id(identity.id, purpose)]
        if is_missing(outcome):
            return Absent() if identity.ensure == "absent" else PinMissing()
        return _one(outcome, purpose)
    if not group.external:
        (outcome,) = yield [by_mark(group.unique_name, purpose)]
        if not is_missing(outcome):
            return _one(outcome, purpose)
    if identity.display_name is None:
        return Absent()
    (outcome,) = yield [by_name(identity.display_name, purpose)]
    return _named(group, outcome, purpose)


def _one(outcome: Outcome, purpose: str) -> Found[LiveGroup] | Problem:
    if isinstance(outcome, Problem):
        return outcome
    try:
        return Found(decode(as_object(outcome.body, "the answer")))
    except Malformed as error:
        return malformed(outcome, purpose, error)


def _named(group: Group, outcome: Outcome, purpose: str) -> Sighting[LiveGroup]:
    """What a search by display name says of a group that bears no mark."""
    if isinstance(outcome, Problem):
        return outcome
    try:
        body = as_object(outcome.body, "the answer")
        seen = [decode(item) for item in objects(body.get("value"), "value")]
    except Malformed as error:
        return malformed(outcome, purpose, error)
    wanted = group.identity.display_name or ""
    # Graph compares display names without regard to case, so two that differ in case alone are two that fit.
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
        Malformed: when a property has another type than documented.
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
    """A directory object in a member list; its kind is its `@odata.type`, or what its properties give away."""
    principal, device = text_or_none(item, "userPrincipalName"), text_or_none(item, "deviceId")
    kinds: dict[str, MemberKind] = {"user": "user", "device": "device", "group": "group"}
    kind = kinds.get(odata_type(item), "other")
    if not odata_type(item):
        kind = "user" if principal else "device" if device else "other"
    name = principal if kind == "user" else device if kind == "device" else ""
    return Member(identifier(item), kind, name or "")


# Looking up what lists refer to


def read_names(ids: Iterable[str]) -> Reading[dict[str, str | None | Problem]]:
    """The display names of groups that the file does not declare; None where the group was deleted."""
    return together({group_id: _read_name(group_id) for group_id in sorted(set(ids))})


def _read_name(group_id: str) -> Reading[str | None | Problem]:
    purpose = f"reading group {group_id}, which a live list refers to"
    (outcome,) = yield [by_id(group_id, purpose)]
    if is_missing(outcome):
        return None
    found = _one(outcome, purpose)
    return found if isinstance(found, Problem) else found.object.display_name


def read_people(spellings: Iterable[str]) -> Reading[dict[str, Member | None | Problem]]:
    """The objects that member spellings stand for (lower case); None where there is no such object."""
    return together({spelling: _read_person(spelling) for spelling in sorted({item.lower() for item in spellings})})


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


def _only(outcome: Outcome, purpose: str, decoder: Callable[[JSONObject], Member]) -> Member | None | Problem:
    if isinstance(outcome, Problem):
        return outcome
    try:
        items = objects(as_object(outcome.body, "the answer").get("value"), "value")
        if len(items) > 1:
            raise Malformed("more than one object has this id")
        return decoder(items[0]) if items else None
    except Malformed as error:
        return malformed(outcome, purpose, error)


def read_parents(group_id: str, key: str) -> Reading[tuple[str, ...] | Problem]:
    """The ids of the groups that have this group as a member."""
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
    if isinstance(outcome, Problem):
        return outcome
    try:
        items = objects(as_object(outcome.body, "the answer").get("value"), "value")
        return tuple(sorted(identifier(item) for item in items))
    except Malformed as error:
        return malformed(outcome, purpose, error)


# Comparing


def spelled_members(group: Group, names: Names) -> tuple[str, ...]:
    """The declared members in canonical spelling; two spellings of one object count once."""
    labels: set[str] = set()
    for spelling in group.members or ():
        member = names.people.get(spelling.lower())
        labels.add(names.member_label(member) if member is not None else spelling)
    return tuple(str(label) for label in as_set(labels))


def _kinds_used(group: Group, names: Names) -> frozenset[MemberKind]:
    """Which kinds of members the declared list is authoritative for; an empty list says nobody at all."""
    if group.members_exact or not group.members:
        return frozenset({"user", "device", "group", "other"})
    used: set[MemberKind] = set()
    for spelling in group.members:
        member = names.people.get(spelling.lower())
        used.add(member.kind if member is not None else "group" if spelling.startswith("group:") else "user")
    return frozenset(used)


def unresolved(tenant: Tenant, group: Group, names: Names) -> Iterator[Finding]:
    """Members that stand for no live object."""
    for index, spelling in enumerate(group.members or ()):
        if spelling.startswith("group:") or spelling.lower() in names.people:
            continue
        yield trouble(
            tenant,
            ("groups", group.identity.key, "members", index),
            "unresolved-name",
            f"member {spelling!r} does not exist in the tenant",
            why="a member that cannot be found cannot be added, and nothing is changed until every name resolves",
            fix="correct the name, or remove the entry",
        )


def plan(tenant: Tenant, group: Group, sighting: Sighting[LiveGroup], names: Names) -> Draft | None | Finding:
    """What is to become of one declared group: nothing, a change, or a reason why not."""
    if group.external:
        return identity_trouble(tenant, group, sighting)
    match sighting:
        case Found(object=live) if group.identity.ensure == "absent":
            return _synchronised(tenant, group, live) or _deletion(group, live)
        case Found(object=live):
            return _update(tenant, group, live, names)
        case Absent() if group.identity.ensure == "absent":
            return None
        case Absent():
            return _creation(tenant, group, names)
        case _:
            return identity_trouble(tenant, group, sighting)


def identity_trouble(tenant: Tenant, group: Group, sighting: Sighting[LiveGroup]) -> Finding | None:
    """Why a declared group stands for no single live one."""
    key, name = group.identity.key, group.identity.display_name
    report = partial(trouble, tenant, ("groups", key))
    match sighting:
        case PinMissing():
            return report(
                "unresolved-name",
                f"no group has the pinned id {group.identity.id}",
                why="a pinned id that does not exist is never created anew: the pin may be of another tenant",
                fix=f"correct `groups.{key}.id`, or remove it to let tapctl make the group",
            )
        case Ambiguous(candidates=candidates):
            return report(
                "ambiguous-name",
                f"{len(candidates)} groups are named {name!r}: {listed(candidates)}",
                why="tapctl never guesses which of two groups is meant",
                fix=f"pin the right one: `id: {candidates[0].id}`",
            )
        case Unmarked(candidates=candidates) if group.external:
            return report(
                "unresolved-name",
                f"no group is named exactly {name!r}; close: {listed(candidates)}",
                why="an external group must exist under exactly this name",
                fix=f"write the name as it is, or pin `id: {candidates[0].id}`",
            )
        case Unmarked(candidates=candidates):
            return report(
                "unmarked-object",
                f"a group named {name!r} exists that tapctl did not make: {listed(candidates)}",
                why="an object without tapctl's mark is never taken over in silence",
                fix=f"pin it with `id: {candidates[0].id}`, or say `external: true` to only refer to it, "
                "or `adopt: true` to manage it",
            )
        case Absent() if group.external:
            return report(
                "unresolved-name",
                f"no group is named {name!r}",
                why="an external group must exist; tapctl only looks it up",
                fix="correct `displayName`, pin `id:`, or remove `external: true` to let tapctl make it",
            )
        case _:
            return None


def _synchronised(tenant: Tenant, group: Group, live: LiveGroup) -> Finding | None:
    if not live.is_synchronised:
        return None
    return trouble(
        tenant,
        ("groups", group.identity.key),
        "synchronised-group",
        f"group {live.display_name!r} is synchronised from on-premises",
        why="Graph refuses to change it; its source of authority is Active Directory",
        fix="say `external: true`, and change it where it comes from",
    )


def _contradiction(tenant: Tenant, group: Group, live: LiveGroup) -> Finding | None:
    """What the file says of a group that was found and that nobody can make true."""
    key = group.identity.key
    if (group.rule is not None and live.rule is None) or (group.members is not None and live.rule is not None):
        now = "dynamic" if live.rule is not None else "assigned"
        return trouble(
            tenant,
            ("groups", key, "rule" if group.rule is not None else "members"),
            "membership-kind",
            f"group {live.display_name!r} has {now} membership and cannot be turned into the other kind",
            why="everybody's membership would be replaced in one step that cannot be verified",
            fix="declare a new key for the new kind of group, move the references, then `ensure: absent` for this one",
        )
    if group.role_assignable is not None and group.role_assignable != live.role_assignable:
        return trouble(
            tenant,
            ("groups", key, "roleAssignable"),
            "immutable-field",
            f"group {live.display_name!r} is {'' if live.role_assignable else 'not '}role-assignable",
            why="Graph fixes this when a group is made",
            fix="declare a new key, or write the value as it is",
        )
    return None


def _update(tenant: Tenant, group: Group, live: LiveGroup, names: Names) -> Draft | Finding | None:
    fields: list[FieldChange] = []
    notes: list[str] = []
    pairs: list[tuple[str, Value, Value]] = [
        ("displayName", live.display_name, group.identity.display_name),
        ("description", live.description, group.description),
        ("rule", live.rule, group.rule),
    ]
    fields += [FieldChange(path=path, before=was, after=to) for path, was, to in pairs if to is not None and was != to]
    if group.members is not None:
        used = _kinds_used(group, names)
        current = live.members or frozenset()
        before = as_set(names.member_label(member) for member in current if member.kind in used)
        after = as_set(spelled_members(group, names))
        if before != after:
            fields.append(FieldChange(path="members", before=before, after=after))
        kept = sum(1 for member in current if member.kind not in used)
        if kept:
            notes.append(f"keeps {kept} live members of kinds that the list does not use")
    refused = (_synchronised(tenant, group, live) if fields else None) or _contradiction(tenant, group, live)
    if refused is not None:
        return refused
    if not fields:
        return None
    change = Change(
        address=group.address,
        action="update",
        title=live.display_name,
        fields=tuple(sorted(fields, key=lambda item: item.path)),
        widens="rule" in {item.path for item in fields},
        notes=tuple(notes),
        depends_on=_nested(group),
    )
    return Draft(
        change=change,
        steps=partial(_update_steps, group, live, names),
        definitions={group.address: live.id, **_member_definitions(group, names)},
    )


def _creation(tenant: Tenant, group: Group, names: Names) -> Draft | Finding:
    if group.identity.display_name is None:
        return trouble(
            tenant,
            ("groups", group.identity.key),
            "schema",
            "a group that is to be made needs a `displayName`",
            fix="add `displayName:`",
        )
    values: dict[str, Value] = {"displayName": group.identity.display_name}
    if group.description is not None:
        values["description"] = group.description
    if group.rule is not None:
        values["rule"] = group.rule
    if group.role_assignable:
        values["roleAssignable"] = True
    if group.members is not None:
        values["members"] = as_set(spelled_members(group, names))
    change = Change(
        address=group.address,
        action="create",
        title=group.identity.display_name,
        fields=tuple(FieldChange(path=path, before=None, after=values[path]) for path in sorted(values)),
        depends_on=_nested(group),
    )
    return Draft(
        change=change,
        steps=partial(_creation_steps, group, names),
        definitions=_member_definitions(group, names),
    )


def _deletion(group: Group, live: LiveGroup) -> Draft:
    change = Change(
        address=group.address,
        action="delete",
        title=live.display_name,
        fields=tuple(
            FieldChange(path=path, before=value, after=None)
            for path, value in (
                ("description", live.description),
                ("displayName", live.display_name),
                ("rule", live.rule),
            )
            if value
        ),
        irreversible=True,
    )
    return Draft(
        change=change,
        steps=partial(_deletion_steps, group, live),
        narrows=True,
        definitions={group.address: live.id},
    )


def _nested(group: Group) -> tuple[str, ...]:
    return tuple(f"groups.{item.removeprefix('group:')}" for item in group.members or () if item.startswith("group:"))


def _member_definitions(group: Group, names: Names) -> dict[str, JSONValue]:
    """Which object each member spelling stands for: the same name may be another person tomorrow."""
    found = {spelling: names.people.get(spelling.lower()) for spelling in group.members or ()}
    return {f"member:{spelling.lower()}": member.id for spelling, member in found.items() if member is not None}


# Writing


@dataclass(frozen=True, slots=True)
class _Expectation:
    """How a group must stand before a write and after it."""

    before: LiveGroup | None
    after: LiveGroup | None

    def judge(self, live: LiveGroup | None) -> Look:
        found = live.id if live is not None else None
        if live == self.after:
            return Look(Standing.AFTER, found)
        if live == self.before:
            return Look(Standing.BEFORE, found)
        return Look(Standing.FOREIGN, found, "the group is not as it was when the plan was made")


def _look_at(read: Read, judge: Callable[[LiveGroup | None], Look]) -> Reading[Look | Problem]:
    (outcome,) = yield [read]
    if is_missing(outcome):
        return judge(None)
    found = _one(outcome, read.purpose)
    return found if isinstance(found, Problem) else judge(replace(found.object, members=None))


def _update_steps(group: Group, live: LiveGroup, names: Names, surroundings: Surroundings) -> Steps:
    bare = replace(live, members=None)
    after = replace(
        bare,
        display_name=_or(group.identity.display_name, bare.display_name),
        description=_or(group.description, bare.description),
        # None stays None: an empty rule is not the absence of one.
        rule=group.rule if group.rule is not None else bare.rule,
    )
    if after != bare:
        body: JSONObject = {}
        if after.display_name != bare.display_name:
            body["displayName"] = after.display_name
        if after.description != bare.description:
            # Graph refuses an empty text; null is how it says none.
            body["description"] = after.description or None
        if after.rule != bare.rule:
            body["membershipRule"] = after.rule
        purpose = f"updating group {group.identity.key}"
        yield Step(
            write=Write(
                purpose=purpose,
                version="v1.0",
                method="PATCH",
                path=f"/groups/{live.id}",
                body=body,
                permission=WRITE_PERMISSION,
            ),
            look=lambda: _look_at(by_id(live.id, purpose), _Expectation(bare, after).judge),
            before={"displayName": bare.display_name, "description": bare.description, "membershipRule": bare.rule},
        )
    if group.members is not None:
        used = _kinds_used(group, names)
        yield from _member_steps(group, live.id, live.members or frozenset(), used, names, surroundings)


def _or(wanted: str | None, current: str | None) -> str:
    return wanted if wanted is not None else current or ""


def _creation_steps(group: Group, names: Names, surroundings: Surroundings) -> Steps:
    purpose = f"creating group {group.identity.key}"
    body: JSONObject = {
        "displayName": group.identity.display_name,
        "mailEnabled": False,
        "mailNickname": mail_nickname(group.unique_name),
        "securityEnabled": True,
        "groupTypes": ["DynamicMembership"] if group.rule is not None else [],
    }
    if group.description:
        body["description"] = group.description
    if group.rule is not None:
        body |= {"membershipRule": group.rule, "membershipRuleProcessingState": "On"}
    if group.role_assignable:
        body |= {"isAssignableToRole": True, "visibility": "Private"}

    def judge(live: LiveGroup | None) -> Look:
        if live is None:
            return Look(Standing.BEFORE)
        made = (live.display_name, live.description, live.rule, live.role_assignable)
        wanted = (group.identity.display_name, group.description or "", group.rule, bool(group.role_assignable))
        if made == wanted:
            return Look(Standing.AFTER, live.id)
        return Look(Standing.FOREIGN, live.id, f"a group with uniqueName {group.unique_name} has appeared meanwhile")

    made_id = yield Step(
        write=Write(
            purpose=purpose,
            version="v1.0",
            method="PATCH",
            path=f"/groups(uniqueName={literal(group.unique_name)})",
            # Keyed by uniqueName, it makes one group however often it arrives.
            headers={"Prefer": "create-if-missing"},
            body=body,
            creates=True,
            permission=ROLE_ASSIGNABLE_PERMISSION if group.role_assignable else WRITE_PERMISSION,
        ),
        look=lambda: _look_at(by_mark(group.unique_name, purpose), judge),
    )
    if group.members and made_id is not None:
        used = _kinds_used(group, names)
        yield from _member_steps(group, made_id, frozenset(), used, names, surroundings)


def mail_nickname(unique_name: str) -> str:
    """A mail nickname that Graph accepts: at most 64 ASCII characters without `@()\\[]";:<>,` and blanks."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", unique_name)
    digest = hashlib.sha256(unique_name.encode()).hexdigest()[:8]
    return plain if plain == unique_name and len(plain) <= 64 else f"{plain[:55]}-{digest}"


def _member_steps(
    group: Group,
    group_id: str,
    members: frozenset[Member],
    used: frozenset[MemberKind],
    names: Names,
    surroundings: Surroundings,
) -> Steps:
    """Removals first, then additions in calls of at most 20."""
    ids: dict[str, Member] = {}
    for spelling in group.members or ():
        member = names.people.get(spelling.lower())
        if member is None:
            member = Member(surroundings.ids[f"groups.{spelling.removeprefix('group:')}"], "group")
        ids[member.id] = member
    present = {member.id for member in members}
    gone = sorted(member.id for member in members if member.kind in used and member.id not in ids)
    new = sorted(set(ids) - present)
    purpose = f"changing the members of group {group.identity.key}"
    for member_id in gone:
        expected = frozenset(present), frozenset(present - {member_id})
        yield _member_step(
            Write(
                purpose=purpose,
                version="v1.0",
                method="DELETE",
                path=f"/groups/{group_id}/members/{member_id}/$ref",
                permission=WRITE_PERMISSION,
            ),
            group_id,
            expected,
        )
        present -= {member_id}
    for chunk in (new[at : at + MOST_MEMBERS_IN_ONE_CALL] for at in range(0, len(new), MOST_MEMBERS_IN_ONE_CALL)):
        expected = frozenset(present), frozenset(present | set(chunk))
        yield _member_step(_addition(purpose, group_id, chunk, surroundings.graph_root), group_id, expected)
        present |= set(chunk)


def _addition(purpose: str, group_id: str, ids: list[str], graph_root: str) -> Write:
    references: list[JSONValue] = [f"{graph_root}/directoryObjects/{member_id}" for member_id in ids]
    if len(references) == 1:
        return Write(
            purpose=purpose,
            version="v1.0",
            method="POST",
            path=f"/groups/{group_id}/members/$ref",
            body={"@odata.id": references[0]},
            permission=WRITE_PERMISSION,
        )
    return Write(
        purpose=purpose,
        version="v1.0",
        method="PATCH",
        path=f"/groups/{group_id}",
        body={"members@odata.bind": references},
        permission=WRITE_PERMISSION,
    )


def _member_step(write: Write, group_id: str, expected: tuple[frozenset[str], frozenset[str]]) -> Step:
    before, after = expected

    def look() -> Reading[Look | Problem]:
        members = yield from read_members(group_id, write.purpose)
        if isinstance(members, Problem):
            return members
        ids = frozenset(member.id for member in members)
        if ids == after:
            return Look(Standing.AFTER, group_id)
        if ids == before:
            return Look(Standing.BEFORE, group_id)
        return Look(Standing.FOREIGN, group_id, "the members are not as they were when the plan was made")

    return Step(write=write, look=look, before={"members": [*sorted(before)]})


def _deletion_steps(group: Group, live: LiveGroup, _surroundings: Surroundings) -> Steps:
    purpose = f"deleting group {group.identity.key}"
    yield Step(
        write=Write(
            purpose=purpose,
            version="v1.0",
            method="DELETE",
            path=f"/groups/{live.id}",
            permission=WRITE_PERMISSION,
        ),
        look=lambda: _look_at(by_id(live.id, purpose), _Expectation(replace(live, members=None), None).judge),
        before={
            "id": live.id,
            "displayName": live.display_name,
            "description": live.description,
            "uniqueName": live.unique_name,
            "membershipRule": live.rule,
        },
    )
