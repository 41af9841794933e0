"""The planner: a pure function from desired state, live state and today's date to the changes to make.

No clock, no network, no printing. The same inputs in any order give the same plan. It knows no kind by name, except
the policy, whose exclusions the break-glass rule checks."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from datetime import date

from tapctl.errors import Finding
from tapctl.kinds import policy
from tapctl.kinds.canonical import entries, group_of
from tapctl.kinds.findings import finding_at
from tapctl.kinds.kind import EVER
from tapctl.kinds.naming import Names, names_of
from tapctl.kinds.registry import KINDS, kind_of
from tapctl.kinds.roles import Roles, roles_of
from tapctl.kinds.steps import Draft
from tapctl.model.desired import Tenant
from tapctl.model.live import LiveTenant
from tapctl.reconcile.deletions import guard_deletions
from tapctl.reconcile.order import in_safe_order


@dataclass(frozen=True, slots=True, kw_only=True)
class Planned:
    """The result of planning. If a finding is an error, nothing may be applied."""

    drafts: tuple[Draft, ...] = ()
    """In the order of the apply."""
    findings: tuple[Finding, ...] = ()
    names: Names = field(default_factory=Names)
    excluded: frozenset[str] | None = None
    """The group keys that the resulting policy excludes; None where the policy is not managed."""

    @property
    def is_refused(self) -> bool:
        return any(finding.severity == "error" for finding in self.findings)


def plan_tenant(tenant: Tenant, live: LiveTenant, today: date, *, only_lapsed: bool = False) -> Planned:
    """Plan one tenant whose live state was read without a problem.

    Raises:
        RefusedError: when changes depend on each other in a circle.
    """
    names = names_of(tenant, live)
    findings = [finding for kind in KINDS for finding in kind.check(tenant, live, names)]
    findings += [*_references_to_absent(tenant), *_same_objects(tenant, live)]
    drafts: list[Draft] = []
    for kind in KINDS:
        for result in kind.plan(tenant, live, names, today, only_lapsed=only_lapsed):
            if isinstance(result, Draft):
                drafts.append(result)
            else:
                findings.append(result)
    changing = frozenset(draft.change.address for draft in drafts)
    findings += [finding for kind in KINDS for finding in kind.observe(tenant, live, names, changing)]
    roles = roles_of(tenant, live, names)
    drafts = [_with_names(live, with_role(draft, roles)) for draft in drafts]
    drafts, blocked = guard_deletions(tenant, live, names, drafts)
    drafts = _with_real_needs(drafts, roles)
    unique = tuple(dict.fromkeys([*findings, *blocked]))
    excluded = policy.resulting_exclusions(live, names, [draft.change for draft in drafts])
    if any(finding.severity == "error" for finding in unique):
        return Planned(findings=unique, names=names, excluded=excluded)
    return Planned(drafts=in_safe_order(drafts), findings=unique, names=names, excluded=excluded)


def _references_to_absent(tenant: Tenant) -> Iterator[Finding]:
    """Findings for groups that the same file deletes and refers to."""
    leaving = {key for key, group in tenant.groups.items() if group.identity.ensure == "absent"}
    for kind in KINDS if leaving else ():
        for address, resource in kind.declared(tenant).items():
            fields = kind.fields(resource, EVER)
            for path in kind.lists_of_groups:
                named = {group_of(entry).removeprefix("group:") for entry in entries(fields.get(path))}
                for key in sorted(leaving & named):
                    yield finding_at(
                        tenant,
                        (*address.split(".", 1), *path.split(".")),
                        "absent-group",
                        f"group {key} is declared `ensure: absent` and is referred to here",
                        why="a deleted group matches nobody",
                        fix="remove this reference, or the `ensure: absent`",
                    )


def _same_objects(tenant: Tenant, live: LiveTenant) -> Iterator[Finding]:
    """Findings for two keys of one live object: each would undo the changes of the other."""
    for kind in KINDS:
        first: dict[str, str] = {}
        for address, object_id in sorted(kind.ids(live).items()):
            earlier = first.setdefault(object_id, address)
            if earlier != address:
                yield finding_at(
                    tenant,
                    tuple(address.split(".", 1)),
                    "same-object",
                    f"{address} and {earlier} are the same live object (id {object_id})",
                    why="each of them would undo the changes of the other",
                    fix=f"keep one of the two, and refer to it everywhere as {earlier.partition('.')[2]}",
                )


def _with_names(live: LiveTenant, draft: Draft) -> Draft:
    """Groups that the file does not declare are shown by id; a note gives their names in the tenant."""
    shown = {group_of(entry) for item in draft.change.fields for entry in entries(item.before)}
    named = {group_id: live.group_names.get(group_id) for group_id in sorted(shown)}
    notes = tuple(f"{group_id} is group {name!r}" for group_id, name in named.items() if isinstance(name, str))
    return replace(draft, change=replace(draft.change, notes=(*draft.change.notes, *notes))) if notes else draft


def with_role(draft: Draft, roles: Roles) -> Draft:
    """The draft of a change of a group's members, with its effect where the group is used."""
    change = draft.change
    members = next((item for item in change.fields if _holds_members(change.address, item.path)), None)
    if members is None or change.action != "update":
        return draft
    effect = roles.membership_effect(change.address, members)
    change = replace(change, widens=change.widens or effect.widens)
    return replace(draft, change=change, narrows=draft.narrows or effect.narrows)


def _holds_members(address: str, path: str) -> bool:
    return kind_of(address).lists_of_groups.get(path) == "member"


def _with_real_needs(drafts: Iterable[Draft], roles: Roles) -> list[Draft]:
    """A change depends only on other changes: an unchanged group is not waited for, but the groups nested in it are.

    Members are removed from a group before anything widens that reaches it through nesting."""
    listed = list(drafts)
    changing = {draft.change.address for draft in listed}
    beneath = {f"groups.{key}": {f"groups.{inner}" for inner in nested} for key, nested in roles.nested.items()}
    real: list[Draft] = []
    for draft in listed:
        address, needs = draft.change.address, set(draft.change.depends_on)
        if draft.change.widens:
            nested = {inner for need in draft.change.depends_on for inner in beneath.get(need, ())}
            # Groups may be nested in a circle, in which no group can wait for the others.
            needs |= {inner for inner in nested if address not in beneath[inner] | {inner}}
        change = replace(draft.change, depends_on=tuple(sorted(needs & changing)))
        real.append(replace(draft, change=change))
    return real
