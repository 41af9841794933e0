"""A group is deleted only when no live object refers to it any more."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from tapctl.errors import Finding
from tapctl.kinds.canonical import entries, group_of
from tapctl.kinds.findings import finding_at
from tapctl.kinds.kind import Fields
from tapctl.kinds.naming import Names
from tapctl.kinds.registry import BY_SECTION, KINDS
from tapctl.kinds.steps import Draft
from tapctl.model.desired import Tenant
from tapctl.model.live import LiveTenant, Referrer
from tapctl.model.values import Value


def guard_deletions(
    tenant: Tenant, live: LiveTenant, names: Names, drafts: Iterable[Draft]
) -> tuple[list[Draft], list[Finding]]:
    """The drafts, in which deletions of groups wait for the changes that remove the last references; and findings that
    prevent a deletion."""
    listed = list(drafts)
    by_address = {draft.change.address: draft for draft in listed}
    referrers = live.referrers if isinstance(live.referrers, tuple) else ()
    addresses = {(kind.section, found): address for kind in KINDS for address, found in kind.ids(live).items()}
    lists = {address: fields for kind in KINDS for address, fields in kind.live_lists(live, names).items()}
    guarded: list[Draft] = []
    findings: list[Finding] = []
    for draft in listed:
        key = draft.change.address.removeprefix("groups.")
        if draft.change.action != "delete" or key not in tenant.groups:
            guarded.append(draft)
            continue
        needs: list[str] = []
        for referrer in referrers:
            if referrer.group_id != names.group_ids.get(key):
                continue
            address = addresses.get((referrer.section, referrer.id))
            if address in by_address and _drops(by_address[address], key, lists.get(address, {})):
                needs.append(address)
            else:
                findings.append(_still_referred(tenant, key, referrer))
        guarded.append(replace(draft, change=replace(draft.change, depends_on=tuple(dict.fromkeys(needs)))))
    return guarded, findings


def _drops(draft: Draft, key: str, lists: Fields) -> bool:
    """Whether a change removes every reference to a group from an object; `lists` are the object's live lists."""
    if draft.change.action == "delete":
        return True
    fields = draft.change.fields
    left: Mapping[str, Value] = {**lists, **{item.path: item.after for item in fields}}
    return any(_mentions(item.before, key) for item in fields) and not any(
        _mentions(value, key) for value in left.values()
    )


def _mentions(value: Value, key: str) -> bool:
    return any(group_of(entry) in (key, f"group:{key}") for entry in entries(value))


def _still_referred(tenant: Tenant, key: str, referrer: Referrer) -> Finding:
    what = BY_SECTION[referrer.section].describe_referrer(referrer)
    return finding_at(
        tenant,
        ("groups", key, "ensure"),
        "still-referenced",
        f"group {key} cannot be deleted: {what} still refers to it",
        why="Graph does not remove references, and a dangling reference matches nobody",
        fix="remove the reference first, in the file or in the admin centre",
    )
