"""The writes of a change to a group: one PATCH for its own fields, members in as few calls as Graph allows."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial
from typing import cast

from tapctl.kinds.groups.finding import by_id, by_mark, one, read_members
from tapctl.kinds.groups.members import kinds_used
from tapctl.kinds.looking import judge
from tapctl.kinds.naming import Names
from tapctl.kinds.steps import ApplyContext, ObjectState, Observation, Step, Steps
from tapctl.kinds.wire import (
    JSONObject,
    is_missing,
    literal,
)
from tapctl.model.desired import Group
from tapctl.model.gather import gather
from tapctl.model.live import (
    LiveGroup,
    Member,
    MemberKind,
    Referrer,
)
from tapctl.model.requests import Problem, Read, Reading, Write
from tapctl.model.values import JSONValue

WRITE_PERMISSION = "Group.ReadWrite.All"


ROLE_ASSIGNABLE_PERMISSION = "RoleManagement.ReadWrite.Directory"


@dataclass(frozen=True, slots=True)
class References:
    """What refers to a group that is to be deleted."""

    read: Callable[[str], Reading[tuple[Referrer, ...] | Problem]]
    """Reads everything that refers to the group with this id."""
    leaving: frozenset[tuple[str, str]]
    """Section and id of the objects that referred to it when the plan was made: this run takes the references out."""


MOST_MEMBERS_IN_ONE_CALL = 20
"""Graph adds at most 20 members in one PATCH, all or nothing."""


def _every_field(live: LiveGroup) -> dict[str, object]:
    """Every field of a group except its members, by YAML path where there is one."""
    return {
        "displayName": live.display_name,
        "description": live.description,
        "rule": live.rule,
        "uniqueName": live.unique_name,
        "roleAssignable": live.role_assignable,
        "synchronised": live.is_synchronised,
        "type": (live.security_enabled, live.mail_enabled, live.is_microsoft_365),
    }


def _look_at(read: Read, judge: Callable[[LiveGroup | None], Observation]) -> Reading[Observation | Problem]:
    (outcome,) = yield [read]
    if is_missing(outcome):
        return judge(None)
    found = one(outcome, read.purpose)
    return found if isinstance(found, Problem) else judge(replace(found.object, members=None))


def update_steps(group: Group, live: LiveGroup, names: Names, context: ApplyContext) -> Steps:
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
            # Graph refuses an empty string; null means none.
            body["description"] = after.description or None
        if after.rule != bare.rule:
            body["membershipRule"] = after.rule
        purpose = f"updating group {group.identity.key}"

        def look(seen: LiveGroup | None) -> Observation:
            if seen is None:
                return Observation(ObjectState.FOREIGN, live.id, "the group no longer exists")
            return judge(_every_field(bare), _every_field(after), _every_field(seen), live.id, "the group")

        yield Step(
            write=Write(
                purpose=purpose,
                version="v1.0",
                method="PATCH",
                path=f"/groups/{live.id}",
                body=body,
                permission=WRITE_PERMISSION,
            ),
            look=lambda: _look_at(by_id(live.id, purpose), look),
            before={"displayName": bare.display_name, "description": bare.description, "membershipRule": bare.rule},
        )
    if group.members is not None:
        used = kinds_used(group, names)
        yield from _member_steps(group, live.id, live.members or frozenset(), used, names, context)


def _or(wanted: str | None, current: str | None) -> str:
    return wanted if wanted is not None else current or ""


def creation_steps(group: Group, names: Names, context: ApplyContext) -> Steps:
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

    def judge(live: LiveGroup | None) -> Observation:
        if live is None:
            return Observation(ObjectState.BEFORE)
        made = (live.display_name, live.description, live.rule, live.role_assignable)
        wanted = (group.identity.display_name, group.description or "", group.rule, bool(group.role_assignable))
        if made == wanted:
            return Observation(ObjectState.AFTER, live.id)
        return Observation(
            ObjectState.FOREIGN, live.id, f"a group with uniqueName {group.unique_name} was created meanwhile"
        )

    made_id = yield Step(
        write=Write(
            purpose=purpose,
            version="v1.0",
            method="PATCH",
            path=f"/groups(uniqueName={literal(group.unique_name)})",
            # An upsert by uniqueName: it creates one group even if it is sent more than once.
            headers={"Prefer": "create-if-missing"},
            body=body,
            creates=True,
            permission=ROLE_ASSIGNABLE_PERMISSION if group.role_assignable else WRITE_PERMISSION,
        ),
        look=lambda: _look_at(by_mark(group.unique_name, purpose), judge),
    )
    if group.members and made_id is not None:
        used = kinds_used(group, names)
        yield from _member_steps(group, made_id, frozenset(), used, names, context)


def mail_nickname(unique_name: str) -> str:
    """A mail nickname that Graph accepts: at most 64 ASCII characters, without `@()\\[]";:<>,` and spaces."""
    plain = re.sub(r"[^A-Za-z0-9._-]", "-", unique_name)
    digest = hashlib.sha256(unique_name.encode()).hexdigest()[:8]
    return plain if plain == unique_name and len(plain) <= 64 else f"{plain[:55]}-{digest}"


def _member_steps(
    group: Group,
    group_id: str,
    members: frozenset[Member],
    used: frozenset[MemberKind],
    names: Names,
    context: ApplyContext,
) -> Steps:
    """Removals first, then additions in calls of at most 20."""
    ids: dict[str, Member] = {}
    for spelling in group.members or ():
        member = names.people.get(spelling.lower())
        if member is None:
            member = Member(context.ids[f"groups.{spelling.removeprefix('group:')}"], "group")
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
        yield _member_step(_addition(purpose, group_id, chunk, context.graph_root), group_id, expected)
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

    def look() -> Reading[Observation | Problem]:
        members = yield from read_members(group_id, write.purpose)
        if isinstance(members, Problem):
            return members
        ids = frozenset(member.id for member in members)
        if ids == after:
            return Observation(ObjectState.AFTER, group_id)
        if ids == before:
            return Observation(ObjectState.BEFORE, group_id)
        return Observation(ObjectState.FOREIGN, group_id, "the members have changed since the plan was made")

    return Step(write=write, look=look, before={"members": [*sorted(before)]})


def deletion_steps(group: Group, live: LiveGroup, references: References, _context: ApplyContext) -> Steps:
    purpose = f"deleting group {group.identity.key}"
    yield Step(
        write=Write(
            purpose=purpose,
            version="v1.0",
            method="DELETE",
            path=f"/groups/{live.id}",
            permission=WRITE_PERMISSION,
        ),
        look=partial(_look_before_deletion, live, references, purpose),
        before={
            "id": live.id,
            "displayName": live.display_name,
            "description": live.description,
            "uniqueName": live.unique_name,
            "membershipRule": live.rule,
            "members": [*sorted(member.id for member in live.members or ())],
        },
    )


def _look_before_deletion(live: LiveGroup, references: References, purpose: str) -> Reading[Observation | Problem]:
    """Whether the group is as planned from, its membership included, and nothing refers to it."""
    (reply,) = yield [by_id(live.id, purpose)]
    if is_missing(reply):
        return Observation(ObjectState.AFTER, live.id)
    seen = one(reply, purpose)
    if isinstance(seen, Problem):
        return seen
    wanted: dict[str, Reading[object]] = {"referrers": cast("Reading[object]", references.read(live.id))}
    if live.members is not None:
        wanted["members"] = cast("Reading[object]", read_members(live.id, purpose))
    parts = yield from gather(wanted)
    problem = next((part for part in parts.values() if isinstance(part, Problem)), None)
    if problem is not None:
        return problem
    referrers = cast("tuple[Referrer, ...]", parts["referrers"])
    if referrers:
        what = f"something refers to the group: {referrers[0].name or referrers[0].id}"
        settles = all((item.section, item.id) in references.leaving for item in referrers)
        return Observation(ObjectState.FOREIGN, live.id, what, may_settle=settles)
    members = cast("frozenset[Member]", parts.get("members", frozenset()))
    is_same = _every_field(seen.object) == _every_field(live) and _ids(members) == _ids(live.members or frozenset())
    detail = "" if is_same else "the group or its membership is not as it was when the plan was made"
    return Observation(ObjectState.BEFORE if is_same else ObjectState.FOREIGN, live.id, detail)


def _ids(members: frozenset[Member]) -> frozenset[str]:
    return frozenset(member.id for member in members)
