"""Judging a tenant of which parts could not be read: only what is certain whatever those parts were meant to say.

What a broken part may add is unknown, so a rule is asked twice: of what was read, and of that with everything that
could be missing. A finding of both does not follow from the broken part. Objects with a broken part are read as what
rules know nothing of already: groups as external ones, profiles as ones that tapctl took over.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from tapctl.errors import Finding
from tapctl.model.desired import Assignment, Group, Identity, Path, Policy, Profile, Tenant
from tapctl.model.values import JSONValue
from tapctl.rules.catalogue import BY_ID

Broken = frozenset[Path]
"""Places of the merged tenant that could not be read; () where a whole file is missing."""

_SCENARIOS = frozenset({"helpdesk", "autopilot", "shared"})
_EVERY_NOTE = "laps, hello"
"""What a description may say that silences a rule."""


def readings(tenant: Tenant, broken: Broken) -> tuple[Tenant, Tenant]:
    """The tenant with as little, and with as much, as the broken parts may say."""
    least = replace(
        tenant,
        groups={key: _group(key, group, broken) for key, group in tenant.groups.items()},
        profiles=_profiles(tenant, broken),
        break_glass=tuple(
            "" if _is_broken(broken - {()}, ("tenant", "breakGlass", index)) else key
            for index, key in enumerate(tenant.break_glass)
        ),
    )
    most = replace(
        least,
        scenarios=_SCENARIOS if _is_broken(broken, ("tenant", "scenarios")) else least.scenarios,
        policy=_excluding_more(least, broken),
        profiles={key: _noted(key, profile, broken) for key, profile in least.profiles.items()},
    )
    return least, most


def in_both(one: Iterable[Finding], other: Iterable[Finding]) -> list[Finding]:
    """The findings of one reading that the other one has too, however grave it is there."""
    certain = {(finding.rule, finding.position, finding.message) for finding in other}
    return [finding for finding in one if (finding.rule, finding.position, finding.message) in certain]


def unless_suppressed(tenant: Tenant, findings: Iterable[Finding], broken: Broken) -> list[Finding]:
    """The findings that no suppression was meant for: where one cannot be read, those that none could be for."""
    entries = {path[1] for path in broken if path[:1] == ("suppress",) and len(path) > 1}
    document = tenant.document if isinstance(tenant.document, dict) else {}
    listed = document.get("suppress")
    entries -= {index for index, item in enumerate(listed if isinstance(listed, list) else []) if _names_a_rule(item)}
    is_unknown = ("suppress",) in broken or bool(entries) or (() in broken and listed is None)
    if not is_unknown:
        return list(findings)
    return [finding for finding in findings if not BY_ID[finding.rule].is_suppressible]


def _names_a_rule(item: JSONValue) -> bool:
    return isinstance(item, dict) and isinstance(item.get("rule"), str)


def _is_broken(broken: Broken, path: Path) -> bool:
    """Whether something at, in or around a place could not be read."""
    return any(path[: len(other)] == other or other[: len(path)] == path for other in broken)


def _group(key: str, group: Group, broken: Broken) -> Group:
    return replace(group, external=True) if _is_broken(broken, ("groups", key)) else group


def _profiles(tenant: Tenant, broken: Broken) -> dict[str, Profile]:
    lost = {str(path[1]): _unknown(str(path[1])) for path in broken if path[:1] == ("webSignIn",) and len(path) > 1}
    return {**lost, **{key: _profile(key, profile, broken) for key, profile in tenant.profiles.items()}}


def _unknown(key: str) -> Profile:
    return Profile(identity=Identity(key=key, adopt=True))


def _profile(key: str, profile: Profile, broken: Broken) -> Profile:
    path: Path = ("webSignIn", key)
    if not _is_broken(broken, path):
        return profile
    if _is_broken(broken, (*path, "ensure")) and () not in broken:
        return _unknown(key)
    settings = {
        name: value
        for name, value in profile.settings.items()
        if not _is_broken(broken - {()}, (*path, "settings", name))
    }
    return replace(
        profile,
        identity=profile.identity._replace(adopt=True),
        settings=settings,
        include=_entries(profile.include, (*path, "assign", "include"), broken),
        exclude=_entries(profile.exclude, (*path, "assign", "exclude"), broken),
    )


def _entries(entries: tuple[Assignment, ...] | None, path: Path, broken: Broken) -> tuple[Assignment, ...] | None:
    """The entries, those that are broken in some part without a group: nothing is known of them."""
    if entries is None:
        return None
    known = broken - {()}
    return tuple(
        Assignment(group="") if _is_broken(known, (*path, index)) else entry for index, entry in enumerate(entries)
    )


def _excluding_more(tenant: Tenant, broken: Broken) -> Policy | None:
    """The policy with every group excluded, where something of the exclude list is not known."""
    policy = tenant.policy
    if policy is None or policy.exclude is None:
        return policy
    if not _is_broken(broken - {()}, ("temporaryAccessPass", "exclude")):
        return policy
    more = sorted({*tenant.groups, *tenant.break_glass} - {*policy.exclude})
    return replace(policy, exclude=(*policy.exclude, *more))


def _noted(key: str, profile: Profile, broken: Broken) -> Profile:
    if not _is_broken(broken, ("webSignIn", key, "description")):
        return profile
    return replace(profile, description=f"{profile.description or ''} {_EVERY_NOTE}")
