"""Rollback of an apply: a plan whose desired state is the state before, from the journal.

Only fields that still hold what that apply wrote are restored. The planner and the applier are the same as for any
plan; only the desired state is special: it comes from the journal instead of the files. Each field is first
planned separately, so that one field that cannot be restored does not block the others."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from tapctl.errors import Finding
from tapctl.kinds.canonical import entries, group_of
from tapctl.kinds.kind import Fields, Role
from tapctl.kinds.naming import Names, index_members
from tapctl.kinds.roles import NESTED, groups_named, roles_of
from tapctl.model.desired import Group, Identity, Policy, Tenant
from tapctl.model.live import Found, LiveTenant, Member, PinMissing
from tapctl.model.plan import FieldChange
from tapctl.model.values import Value, as_set
from tapctl.reconcile.order import in_safe_order
from tapctl.reconcile.past_run import Entry, Run
from tapctl.reconcile.planner import Planned, plan_tenant, with_role

# The desired state of a rollback


def tenant_before(run: Run, tenant: Tenant, *, remove: bool) -> Tenant:
    """A tenant that declares the state before the run, only for the fields that the run changed.

    Args:
        run: the run to roll back.
        tenant: used for signing in and for the break-glass groups only.
        remove: declare the objects that the run created as absent; otherwise they are not declared.
    """
    entries = [entry for entry in run.entries if entry.action == "update" or (entry.action == "create" and remove)]
    return _whole(run, tenant, [(entry, {item.path: item.before for item in entry.fields}) for entry in entries])


def tenant_applied(run: Run, tenant: Tenant) -> Tenant:
    """A tenant that declares what the run created, as it created it, to see whether it was changed since."""
    return _whole(run, tenant, [_as_created(entry) for entry in run.entries if entry.action == "create"])


def _as_created(entry: Entry) -> tuple[Entry, Fields]:
    """The fields of an object that a run created, with the lists that it left empty."""
    fields = entry.kind.created({item.path: item.after for item in entry.fields})
    return replace(entry, action="update", id=None), fields


Part = tuple[Entry, Fields]


def _whole(run: Run, tenant: Tenant, parts: Sequence[Part]) -> Tenant:
    """A declaration that also has every group of the run, so that live lists are shown with the run's group keys."""
    return _declared(run, tenant, parts, set(run.groups) | set(tenant.break_glass))


def _declared(run: Run, tenant: Tenant, parts: Sequence[Part], keys: set[str]) -> Tenant:
    """A tenant that declares the parts, and as external groups these keys and all groups in the lists of the parts."""
    keys = keys | {key for entry, wanted in parts for _, key in groups_named(entry.kind.lists_of_groups, wanted)}
    if any(entry.address == Policy.address for entry, _ in parts):
        keys |= set(tenant.break_glass)
    groups = {key: _reference(run, tenant, key) for key in sorted(keys)}
    declared = replace(tenant.without_resources(), groups=groups, suppressions=())
    for entry, wanted in parts:
        declared = entry.kind.declare(declared, entry.kind.restore(_identity(entry), wanted, entry.traits))
    kept = tuple(key for key in tenant.break_glass if key in declared.groups)
    return replace(declared, break_glass=kept)


def _identity(entry: Entry) -> Identity:
    """How the object of a change is found; an object that the run created is found by its mark, to be removed."""
    if entry.action == "create":
        return Identity(key=entry.key, ensure="absent")
    return Identity(key=entry.key, id=entry.id)


def _reference(run: Run, tenant: Tenant, key: str) -> Group:
    """A group that is only referred to: the object of the run, else the one in the file.

    A target that no file declared has only an id; it is declared by that id, so that it can be restored."""
    if key in run.groups:
        return Group(identity=Identity(key=key, id=run.groups[key]), external=True)
    if key in tenant.groups:
        declared = tenant.groups[key].identity
        return Group(identity=Identity(key=key, id=declared.id, display_name=declared.display_name), external=True)
    return Group(identity=Identity(key=key, id=key), external=True)


# The plan of a rollback


@dataclass(frozen=True, slots=True, kw_only=True)
class Declarations:
    """The two desired states that a rollback uses, each with the live state that was read for it."""

    file: Tenant
    """The tenant as its file declares it now, to know what a group is used for."""
    before: Tenant
    before_live: LiveTenant
    applied: Tenant
    applied_live: LiveTenant


def plan_back(run: Run, declared: Declarations, today: date, *, remove: bool) -> tuple[Tenant, Planned]:
    """The tenant to declare, and its plan: every field that still holds what the run wrote is restored.

    Returns:
        The declaration that is planned (needed to read the result back), and the plan with a finding for all that
        is not restored.
    """
    way = _RollbackPlanner(run, declared, today)
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
    tenant, planned, notes = way.whole_plan(parts)
    roles = roles_of(declared.file, names=planned.names)
    drafts = in_safe_order(with_role(draft, roles) for draft in planned.drafts)
    return tenant, replace(planned, drafts=drafts, findings=(*findings, *notes, *planned.findings))


class _RollbackPlanner:
    """The plan of the rollback, as far as the live tenant allows it."""

    def __init__(self, run: Run, declared: Declarations, today: date) -> None:
        self._run = run
        self._declared = declared
        self._live = declared.before_live
        self._today = today
        seen = self._live.groups
        self._gone = {key for key, lookup in seen.items() if isinstance(lookup, PinMissing)}
        self._members = index_members(item.object for item in seen.values() if isinstance(item, Found))

    def exists(self, entry: Entry) -> bool:
        return entry.address in entry.kind.ids(self._live)

    def restorable(self, entry: Entry) -> tuple[dict[str, Value], list[Finding]]:
        """The fields that can be restored, with their values; and findings for the others."""
        back: dict[str, Value] = {}
        notes: list[Finding] = []
        refused: dict[str, list[str]] = {}
        for unit in _units(entry):
            wanted, missing = self._wanted(entry, unit)
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

    def _wanted(self, entry: Entry, unit: Sequence[FieldChange]) -> tuple[dict[str, Value], list[str]]:
        """The value before, without the objects that no longer exist; and a message for each of those."""
        wanted: dict[str, Value] = {}
        missing: list[str] = []
        for item in unit:
            value = item.before
            if isinstance(value, tuple):
                role = entry.kind.lists_of_groups.get(item.path)
                lost = [one for one in value if role is not None and self._is_lost(role, one)]
                missing += [f"{item.path} cannot hold {group_of(one)} again, which no longer exists" for one in lost]
                value = tuple(one for one in value if one not in lost)
            if (entry.address, item.path) == (Policy.address, "exclude") and isinstance(value, tuple):
                # Break-glass groups stay excluded, even if they were not excluded before.
                kept = [key for key in self._declared.before.break_glass if key not in value]
                missing += [f"break-glass stays excluded ({', '.join(kept)})"] if kept else []
                value = as_set((*value, *kept))
            wanted[item.path] = value
        return wanted, missing

    def _is_lost(self, role: Role, entry: Value) -> bool:
        if role != "member":
            return group_of(entry) in self._gone
        key = str(entry).removeprefix(NESTED)
        known = str(entry).lower()
        return key in self._gone if key != entry else known in self._live.people and not self._live.people[known]

    def _still_ours(
        self, entry: Entry, unit: Sequence[FieldChange], wanted: Fields, planned: Planned
    ) -> tuple[dict[str, Value], list[Finding]]:
        """The fields that still hold what the run wrote, with their values before; and findings for the others."""
        current = {item.path: item.before for draft in planned.drafts for item in draft.change.fields}
        back: dict[str, Value] = {}
        notes: list[Finding] = []
        for item in unit:
            if item.path not in current:
                continue
            is_ours, value = current[item.path] == item.after, wanted[item.path]
            if entry.kind.lists_of_groups.get(item.path) == "member":
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
        """Members in the spelling of the live list, not in that of the file."""
        members = value if isinstance(value, tuple) else ()
        found = {one: self._members.get(str(one).lower()) for one in members}
        return tuple(one if member is None else names.member_label(member) for one, member in found.items())

    def _kind(self, label: Value) -> str:
        """The identity of a member; for one that no longer exists, its spelling."""
        spelling = str(label).lower()
        member = self._members.get(spelling) or self._live.people.get(spelling)
        if isinstance(member, Member):
            return member.kind
        prefix, colon, _ = spelling.partition(":")
        return prefix if colon else "user" if "@" in prefix else "id"

    def changed_since_made(self, entry: Entry) -> list[Finding]:
        """Why an object that the run created is left alone; empty when it is unchanged since."""
        made = _as_created(entry)
        tenant = _declared(self._run, self._declared.applied, [made], set())
        planned = plan_tenant(tenant, self._declared.applied_live, self._today)
        fields = [item for draft in planned.drafts for item in draft.change.fields]
        touched = [item.path for item in fields if entry.is_complete or not _is_unfinished(item)]
        touched += entry.kind.beyond(self._declared.applied_live, entry.address, made[1])
        if not touched and not planned.is_refused:
            return []
        what = f" ({', '.join(touched)})" if touched else ""
        text = f"{entry.address} was created by that apply and has been changed since{what}; it is left alone"
        return [_note("changed-since", text)]

    def whole_plan(self, parts: Sequence[Part]) -> tuple[Tenant, Planned, list[Finding]]:
        """One plan of all parts, without the removals that are blocked by something else."""
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
    """The fields of a change, grouped: fields that depend on each other are in one group."""
    whole = tuple(item for item in entry.fields if item.path in entry.kind.inseparable)
    if whole:
        yield whole
    for item in entry.fields:
        if item not in whole:
            yield (item,)


@dataclass(frozen=True, slots=True)
class _Members:
    """A list of members: its current value, and the members that the run added and removed."""

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
        """Whether the list holds what the run wrote, or the part that it had written when it was interrupted.

        Members of kinds that the run did not manage are ignored."""
        kinds = {kind_of(one) for one in self.before | self.after}
        seen = frozenset(one for one in self.now if kind_of(one) in kinds)
        return seen == self.after if complete else self.before & self.after <= seen <= self.before | self.after


def _is_unfinished(item: FieldChange) -> bool:
    """Whether a field of a partly created object lacks only what the run had not written, and has nothing else."""
    if isinstance(item.before, tuple) and isinstance(item.after, tuple):
        return set(item.before) <= set(item.after)
    return item.before in (None, "")


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
            role = entry.kind.lists_of_groups.get(item.path)
            if role not in (None, "member") and any(str(one).startswith("user:") for one in entries(item.before)):
                yield _not_restorable(f"{entry.address}: targets of single people are not created again")


def _not_restorable(message: str) -> Finding:
    return _note("not-restorable", message)


def _note(rule: str, message: str, fix: str = "") -> Finding:
    return Finding(rule=rule, severity="warning", message=message, fix=fix)
