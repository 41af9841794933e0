"""The live references to a group that will be deleted: deleting it would leave entries that match nobody."""

from __future__ import annotations

from collections.abc import Mapping
from typing import cast

from tapctl.kinds import groups, policy
from tapctl.kinds.deliveries import READ_PERMISSION, decode_assignments
from tapctl.kinds.wire import Malformed, elements, identifier, malformed, text_or_none
from tapctl.model.desired import Cloud
from tapctl.model.gather import gather
from tapctl.model.live import LivePolicy, Referrer
from tapctl.model.requests import Problem, Read, Reading

COLLECTIONS = (
    ("/deviceManagement/configurationPolicies", "name"),
    ("/deviceManagement/deviceConfigurations", "displayName"),
)


def read(cloud: Cloud, doomed: Mapping[str, str]) -> Reading[tuple[Referrer, ...] | Problem]:
    """Every reference to the groups with these ids (by key): policy targets, assignments, nested membership."""
    wanted: dict[str, Reading[object]] = {"policy": _policy(cloud)}
    for path, name in COLLECTIONS:
        wanted[path] = _collection(path, name)
    for key, group_id in doomed.items():
        wanted[f"group {key}"] = _parents(group_id, key)
    parts = yield from gather(wanted)
    referrers: list[Referrer] = []
    for part in parts.values():
        if isinstance(part, Problem):
            return part
        referrers += cast("list[Referrer]", part)
    ids = set(doomed.values())
    named = {item for item in referrers if item.group_id in ids}
    return tuple(sorted(named, key=lambda item: (item.group_id, item.section, item.id)))


def _policy(cloud: Cloud) -> Reading[list[Referrer] | Problem]:
    live = yield from policy.read(cloud)
    if not isinstance(live, LivePolicy):
        return live
    name = "the TAP policy"
    return [Referrer(group_id, "temporaryAccessPass", "", name) for group_id in sorted(policy.referred_groups(live))]


def _collection(path: str, name: str) -> Reading[list[Referrer] | Problem]:
    purpose = f"listing the assignments of {path.rsplit('/', 1)[-1]}"
    (outcome,) = yield [
        Read(
            purpose=purpose,
            version="beta",
            path=f"{path}?$expand=assignments",
            permission=READ_PERMISSION,
            paged=True,
        )
    ]
    if isinstance(outcome, Problem):
        return outcome
    referrers: list[Referrer] = []
    try:
        for item in elements(outcome.body):
            for assignment in decode_assignments({"value": item.get("assignments")}):
                if assignment.group_id is not None and assignment.kind != "other":
                    shown = text_or_none(item, name) or ""
                    referrers.append(Referrer(assignment.group_id, "webSignIn", identifier(item), shown))
    except Malformed as error:
        return malformed(outcome, purpose, error)
    return referrers


def _parents(group_id: str, key: str) -> Reading[list[Referrer] | Problem]:
    parents = yield from groups.read_parents(group_id, key)
    if isinstance(parents, Problem):
        return parents
    return [Referrer(group_id, "groups", parent, "") for parent in parents]
