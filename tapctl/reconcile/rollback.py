"""The way back from an apply: a plan whose desired state is what the journal says was there before.

Only fields that still hold what that apply wrote are restored. The planner and the applier are the same as for any
plan; what is special is the desired state, which is made from the journal instead of the files. Each field is first
planned by itself, so that one that cannot be restored keeps no other from it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date

from tapctl.errors import Finding
from tapctl.kinds.naming import Names, index_members
from tapctl.model.desired import Assignment, Group, Identity, Policy, Profile, SettingValue, Target, Tenant
from tapctl.model.live import Found, LiveProfile, LiveTenant, Member, PinMissing
from tapctl.model.plan import FieldChange
from tapctl.model.values import Record, Value, as_set
from tapctl.reconcile.order import in_safe_order
from tapctl.reconcile.past_run import Entry, Run
from tapctl.reconcile.planner import Planned, plan_tenant, with_role

Fields = Mapping[str, Value]
"""Path to value, below one address."""

_GUID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TARGET_LISTS = ("include", "exclude", "assign.include", "assign.exclude")


# The desired state that goes back


def tenant_before(run: Run, tenant: Tenant, *, remove: bool) -> Tenant:
    """A tenant that declares what was there before the run, for the fields that the run changed and no others.

    Args:
        run: what is to be taken back.
        tenant: who signs in, and which groups are break-glass; nothing else of it is declared.
        remove: whether what the run created is declared absent, or not at all.
    """
    entries = [entry for entry in run.entries if entry.action == "update" or (entry.action == "create" and remove)]
    return _whole(run, tenant, [(entry, {item.path: item.before for item in entry.fields}) for entry in entries])


def tenant_applied(run: Run, tenant: Tenant) -> Tenant:
    """A tenant that declares what the run created, as it created it: to see whether somebody has changed it since."""
    return _whole(run, tenant, [_as_created(entry) for entry in run.entries if entry.action == "create"])


def _as_created(entry: Entry) -> tuple[Entry, Fields]:
    """What a run made, with the lists that it left empty."""
    fields: dict[str, Value] = {item.path: item.after for item in entry.fields}
    if not entry.address.startswith("groups."):
        fields = {"assign.include": (), "assign.exclude": (), **fields}
    elif "rule" not in fields:
        fields = {"members": (), **fields}
    return replace(entry, action="update", id=None), fields


Part = tuple[Entry, Fields]


def _whole(run: Run, tenant: Tenant, parts: Sequence[Part]) -> Tenant:
    """A declaration that also names every group that the run knew, so that live lists can be said as it said them."""
    return _declared(run, tenant, parts, set(run.groups) | set(tenant.break_glass))


def _declared(run: Run, tenant: Tenant, parts: Sequence[Part], keys: set[str]) -> Tenant:
    policy: Policy | None = None
    groups = {key: _reference(run, tenant, key) for key in sorted(keys)}
    profiles: dict[str, Profile] = {}
    for entry, wanted in parts:
        # A target that no file named is known by its id alone; declared by its id it can be said again.
        groups |= {key: _reference(run, tenant, key) for key in _mentioned(wanted) if key not in groups}
        if entry.address.startswith("webSignIn."):
            profiles[entry.key] = _profile(entry, wanted)
        elif entry.address == "temporaryAccessPass":
            policy = _policy(wanted)
            groups |= {key: _reference(run, tenant, key) for key in tenant.break_glass if key not in groups}
    groups |= {entry.key: _group(entry, wanted) for entry, wanted in parts if entry.address.startswith("groups.")}
    kept = tuple(key for key in tenant.break_glass if key in groups)
    return replace(tenant, groups=groups, policy=policy, profiles=profiles, break_glass=kept, suppressions=())


def _reference(run: Run, tenant: Tenant, key: str) -> Group:
    """A group that is only referred to: the object that the run knew, else the one that the file names."""
    if key in run.groups:
        return Group(identity=Identity(key=key, id=run.groups[key]), external=True)
    if key in tenant.groups:
        declared = tenant.groups[key].identity
        return Group(identity=Identity(key=key, id=declared.id, display_name=declared.display_name), external=True)
    return Group(identity=Identity(key=key, id=key), external=True)


def _mentioned(wanted: Fields) -> list[str]:
    """The groups that the lists of one object name: by key, or by id where nothing else is known."""
    named: list[str] = []
    for path, value in wanted.items():
        entries = value if isinstance(value, tuple) else ()
        if path == "members":
            named += [str(item).removeprefix("group:") for item in entries if str(item).startswith("group:")]
        elif path in _TARGET_LISTS:
            named += [_group_of(item) for item in entries]
    return [name for name in named if name not in ("all-users", "all-devices") and not name.startswith("user:")]


def _group_of(entry: Value) -> str:
    return str(entry["group"]) if isinstance(entry, Record) else str(entry)


def _group(entry: Entry, wanted: Fields) -> Group:
    mark = entry.unique_name or f"tapctl-{entry.key}"
    if entry.action == "create":
        return Group(identity=Identity(key=entry.key, ensure="absent"), unique_name=mark)
    members = wanted.get("members")
    return Group(
        unique_name=mark,
        # Whoever is not in the list is to be seen as well: what to leave alone is decided here, not by kinds.
        members_exact=True,
        identity=Identity(key=entry.key, id=entry.id, display_name=_text(wanted.get("displayName"))),
        description=_text(wanted.get("description")),
        rule=_text(wanted.get("rule")),
        members=tuple(str(item) for item in members) if isinstance(members, tuple) else None,
    )


def _text(value: Value) -> str | None:
    return value if isinstance(value, str) else None


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _listed(value: Value) -> tuple[str, ...] | None:
    """A list of targets; one of a single person is left out, since tapctl does not make such targets."""
    if not isinstance(value, tuple):
        return None
    return tuple(str(item) for item in value if not str(item).startswith("user:"))


def _policy(wanted: Fields) -> Policy:
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


def _profile(entry: Entry, wanted: Fields) -> Profile:
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

    file: Tenant
    """The tenant as its file declares it now: it says what a group is used for."""
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
    way = _Way(run, declared, today)
    findings = [*_cannot_return(run, remove=remove)]
    parts: list[Part] = []
    for entry in run.entries:
        if entry.action == "update":
            fields, notes = way.restorable(entry)
            findings += notes
            parts += [(entry, fields)] if fields else []
        elif entry.action == "create" and remove and way.exists(entry):
            changed = way.changed_since_made(entry)
            findings += changed
            parts += [] if changed else [(entry, {})]
    tenant, planned, notes = way.together(parts)
    drafts = in_safe_order(with_role(declared.file, draft) for draft in planned.drafts)
    return tenant, replace(planned, drafts=drafts, findings=(*findings, *notes, *planned.findings))


class _Way:
    """The way back, as far as the live tenant allows it."""

    def __init__(self, run: Run, declared: Declarations, today: date) -> None:
        self._run = run
        self._declared = declared
        self._live = declared.before_live
        self._today = today
        seen = self._live.groups
        self._gone = {key for key, sighting in seen.items() if isinstance(sighting, PinMissing)}
        self._members = index_members(item.object for item in seen.values() if isinstance(item, Found))

    def exists(self, entry: Entry) -> bool:
        seen = self._live.groups if entry.address.startswith("groups.") else self._live.profiles
        return isinstance(seen.get(entry.key), Found)

    def restorable(self, entry: Entry) -> tuple[dict[str, Value], list[Finding]]:
        """The fields that can go back, with what they are to hold; and findings on the others."""
        back: dict[str, Value] = {}
        notes: list[Finding] = []
        refused: dict[str, list[str]] = {}
        for unit in _units(entry):
            wanted, missing = self._wanted(unit)
            notes += [_not_restorable(f"{entry.address}: {text}") for text in missing]
            planned = self._plan([(entry, wanted)])
            if not planned.is_refused:
                fields, changed = self._still_ours(entry, unit, wanted, planned)
                notes += changed
                planned = self._plan([(entry, fields)]) if fields else Planned()
                back |= {} if planned.is_refused else fields
            for error in (item for item in planned.findings if item.severity == "error"):
                refused.setdefault(error.message, []).extend(item.path for item in unit)
        for message, paths in refused.items():
            notes.append(_not_restorable(f"{entry.address}: {', '.join(paths)} cannot be restored: {message}"))
        return back, notes

    def _wanted(self, unit: Sequence[FieldChange]) -> tuple[dict[str, Value], list[str]]:
        """What was there before, without what no longer exists; and a sentence on each such thing."""
        wanted: dict[str, Value] = {}
        missing: list[str] = []
        for item in unit:
            value = item.before
            if isinstance(value, tuple):
                lost = [one for one in value if self._is_lost(item.path, one)]
                missing += [f"{item.path} cannot hold {_name(one)} again, which no longer exists" for one in lost]
                value = tuple(one for one in value if one not in lost)
            if item.path == "exclude" and isinstance(value, tuple):
                # Break-glass groups stay excluded, whatever was excluded before.
                kept = [key for key in self._declared.before.break_glass if key not in value]
                missing += [f"break-glass stays excluded ({', '.join(kept)})"] if kept else []
                value = as_set((*value, *kept))
            wanted[item.path] = value
        return wanted, missing

    def _is_lost(self, path: str, entry: Value) -> bool:
        if path in _TARGET_LISTS:
            return _group_of(entry) in self._gone
        if path != "members":
            return False
        key = str(entry).removeprefix("group:")
        known = str(entry).lower()
        return key in self._gone if key != entry else known in self._live.people and not self._live.people[known]

    def _still_ours(
        self, entry: Entry, unit: Sequence[FieldChange], wanted: Fields, planned: Planned
    ) -> tuple[dict[str, Value], list[Finding]]:
        """The fields that still hold what the run wrote, with what they are to hold; and findings on the others."""
        current = {item.path: item.before for draft in planned.drafts for item in draft.change.fields}
        back: dict[str, Value] = {}
        notes: list[Finding] = []
        for item in unit:
            if item.path not in current:
                continue
            is_ours, value = current[item.path] == item.after, wanted[item.path]
            if item.path == "members":
                members = _Members.of(current[item.path], value, self._spelled(item.after, planned.names))
                is_ours = members.is_ours(self._kind, complete=entry.is_complete)
                value = members.back
            if is_ours:
                back[item.path] = value
            else:
                text = f"{entry.address}: {item.path} was changed since and is left alone"
                notes.append(_note("changed-since", text))
        return back, notes

    def _spelled(self, value: Value, names: Names) -> tuple[Value, ...]:
        """Members as the live list spells them, whatever the file called them."""
        members = value if isinstance(value, tuple) else ()
        found = {one: self._members.get(str(one).lower()) for one in members}
        return tuple(one if member is None else names.member_label(member) for one, member in found.items())

    def _kind(self, label: Value) -> str:
        """What a member is; what nobody sees any more is what its spelling says of it."""
        spelling = str(label).lower()
        member = self._members.get(spelling) or self._live.people.get(spelling)
        if isinstance(member, Member):
            return member.kind
        prefix, colon, _ = spelling.partition(":")
        return prefix if colon else "user" if "@" in prefix else "id"

    def changed_since_made(self, entry: Entry) -> list[Finding]:
        """Why an object that the run made is left alone; nothing when it is as the run left it."""
        made = _as_created(entry)
        tenant = _declared(self._run, self._declared.applied, [made], set())
        planned = plan_tenant(tenant, self._declared.applied_live, self._today)
        fields = [item for draft in planned.drafts for item in draft.change.fields]
        touched = [item.path for item in fields if entry.is_complete or not _is_unfinished(item)]
        seen = self._declared.applied_live.profiles.get(entry.key) if entry.address.startswith("webSignIn.") else None
        if isinstance(seen, Found):
            touched += _added_settings(seen.object, made[1])
        if not touched and not planned.is_refused:
            return []
        what = f" ({', '.join(touched)})" if touched else ""
        text = f"{entry.address} was created by that apply and changed since{what}; it is left alone"
        return [_note("changed-since", text)]

    def together(self, parts: Sequence[Part]) -> tuple[Tenant, Planned, list[Finding]]:
        """One plan of all parts, without the removals that something else stands in the way of."""
        notes: list[Finding] = []
        kept = list(parts)
        while True:
            planned = self._plan(kept)
            stuck = [part for part in kept if planned.is_refused and self._is_in_the_way(part, kept, planned)]
            if not stuck:
                return self._tenant(kept), planned, notes
            messages = [item.message for item in planned.findings if item.severity == "error"]
            notes += [_note("created-stays", f"{part[0].address} stays: {'; '.join(messages)}") for part in stuck]
            kept = [part for part in kept if part not in stuck]

    def _is_in_the_way(self, part: Part, parts: Sequence[Part], planned: Planned) -> bool:
        """Whether a plan has fewer errors without the removal of this object."""
        if part[0].action != "create":
            return False
        without = self._plan([other for other in parts if other is not part])
        return _count_errors(without) < _count_errors(planned)

    def _plan(self, parts: Sequence[Part]) -> Planned:
        return plan_tenant(self._tenant(parts), self._live, self._today)

    def _tenant(self, parts: Sequence[Part]) -> Tenant:
        return _declared(self._run, self._declared.before, parts, set())


def _units(entry: Entry) -> Iterator[tuple[FieldChange, ...]]:
    """The fields of a change, those together that make sense only together."""
    lifetimes = tuple(item for item in entry.fields if item.path.startswith("lifetime."))
    if lifetimes:
        yield lifetimes
    for item in entry.fields:
        if item not in lifetimes:
            yield (item,)


@dataclass(frozen=True, slots=True)
class _Members:
    """A list of members: as it is now, and what the run added to it and removed from it."""

    now: frozenset[Value]
    before: frozenset[Value]
    after: frozenset[Value]

    @classmethod
    def of(cls, now: Value, before: Value, after: Value) -> _Members:
        lists = (frozenset(value) if isinstance(value, tuple) else frozenset() for value in (now, before, after))
        return cls(*lists)

    @property
    def back(self) -> tuple[Value, ...]:
        """The list without what the run added, and with what it removed."""
        return as_set(self.now - (self.after - self.before) | (self.before - self.after))

    def is_ours(self, kind_of: Callable[[Value], str], *, complete: bool) -> bool:
        """Whether the list holds what the run wrote, or what it had written of it when it was cut off.

        Members of kinds that the run did not deal with are nobody's business here."""
        kinds = {kind_of(one) for one in self.before | self.after}
        seen = frozenset(one for one in self.now if kind_of(one) in kinds)
        return seen == self.after if complete else self.before & self.after <= seen <= self.before | self.after


def _is_unfinished(item: FieldChange) -> bool:
    """Whether a field of a half-made object lacks what the run had not yet written, and holds nothing else."""
    if isinstance(item.before, tuple) and isinstance(item.after, tuple):
        return set(item.before) <= set(item.after)
    return item.before in (None, "")


def _added_settings(live: LiveProfile, made: Fields) -> list[str]:
    added = [f"settings.{name}" for name in sorted(live.settings) if f"settings.{name}" not in made]
    return [*added, *(["settings that tapctl does not model"] if live.unmodelled else [])]


def _count_errors(planned: Planned) -> int:
    return sum(finding.severity == "error" for finding in planned.findings)


def _cannot_return(run: Run, *, remove: bool) -> Iterable[Finding]:
    for entry in run.entries:
        if entry.action == "delete":
            yield _not_restorable(f"{entry.address} was deleted; Graph has no way back to the same object")
        elif entry.action == "create" and not remove:
            message = f"{entry.address} was created by that apply and stays"
            yield _note("created-stays", message, "--override delete --reason TEXT removes it")
        for item in entry.fields:
            people = item.before if isinstance(item.before, tuple) else ()
            if entry.address == "temporaryAccessPass" and any(str(one).startswith("user:") for one in people):
                yield _not_restorable(f"{entry.address}: targets of single people are not made again")


def _name(entry: Value) -> str:
    return _group_of(entry) if isinstance(entry, Record) else str(entry)


def _not_restorable(message: str) -> Finding:
    return _note("not-restorable", message)


def _note(rule: str, message: str, fix: str = "") -> Finding:
    return Finding(rule=rule, severity="warning", message=message, fix=fix)
