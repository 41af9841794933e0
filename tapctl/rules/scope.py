"""What the files alone tell about groups and their reach. Members of external groups are unknown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal

from tapctl.model.desired import ALL_DEVICES, ALL_USERS, Assignment, Group, Identity, Path, Profile, Tenant
from tapctl.rules.membership_rules import MembershipRule, parse

Kind = Literal["users", "devices"]

NESTED = "group:"
DEVICE = "device:"


def is_made_here(identity: Identity) -> bool:
    """Whether tapctl makes the object, so that what the file does not name is not there either.

    A pinned or adopted object existed before: what the file does not name may hold any live value."""
    return identity.id is None and not identity.adopt


def nested_keys(tenant: Tenant, key: str) -> frozenset[str]:
    """Keys of all groups that the files declare as members of a group, at any depth."""
    found: set[str] = set()
    waiting = [key]
    while waiting:
        group = tenant.groups.get(waiting.pop())
        for member in (group.members if group else None) or ():
            nested = member.removeprefix(NESTED)
            if member.startswith(NESTED) and nested not in found:
                found.add(nested)
                waiting.append(nested)
    return frozenset(found)


def kind_of(tenant: Tenant, key: str) -> Kind | None:
    """Whether a target holds users or devices alone, as far as the files tell; None when they do not."""
    if key in {ALL_USERS, ALL_DEVICES}:
        return "users" if key == ALL_USERS else "devices"
    kinds = {kind for each in (key, *nested_keys(tenant, key)) for kind in _declared_kinds(tenant.groups.get(each))}
    return kinds.pop() if len(kinds) == 1 else None


def _declared_kinds(group: Group | None) -> Iterator[Kind | None]:
    """The kinds that a group's own rule or members name; None where something is not known."""
    rule = rule_of(group)
    if group is None or group.external or (group.members is None and rule is None):
        yield None
    elif rule is not None:
        users, devices = rule.uses("user."), rule.uses("device.")
        yield "users" if users and not devices else "devices" if devices and not users else None
    for member in (group.members if group else None) or ():
        if member.startswith(DEVICE):
            yield "devices"
        elif "@" in member:
            yield "users"
        elif not member.startswith(NESTED):
            yield None


def rule_of(group: Group | None) -> MembershipRule | None:
    """A group's dynamic membership rule as read, when it has one."""
    return parse(group.rule) if group is not None and group.rule is not None else None


def policy_groups(tenant: Tenant, *, excluded: bool = False) -> Iterator[tuple[Path, Group]]:
    """The declared groups that the policy includes (or excludes), with the place of the entry."""
    policy = tenant.policy
    if policy is None:
        return
    keys = policy.exclude or () if excluded else tuple(target.group for target in policy.include or ())
    for position, key in enumerate(keys):
        group = tenant.groups.get(key)
        if group is not None:
            yield ("temporaryAccessPass", "exclude" if excluded else "include", position), group


def profiles(tenant: Tenant) -> Iterator[tuple[str, Profile]]:
    """The profiles that are to exist."""
    return ((key, profile) for key, profile in tenant.profiles.items() if profile.identity.ensure == "present")


def turns_on(profile: Profile) -> bool:
    """Whether the file says that the profile enables web sign-in."""
    return profile.settings.get("enableWebSignIn") is True


def may_set(profile: Profile, setting: str) -> bool:
    """Whether a profile sets something, or may: what a pinned or adopted one does not name is unknown."""
    if setting in profile.settings:
        return profile.settings[setting] not in (None, False, "default")
    return not is_made_here(profile.identity)


def includes(key: str, profile: Profile) -> Iterator[tuple[Path, Assignment]]:
    """A profile's includes, with their places."""
    for position, assignment in enumerate(profile.include or ()):
        yield ("webSignIn", key, "assign", "include", position), assignment


def known_excludes(profile: Profile) -> tuple[Assignment, ...] | None:
    """The exclusions in force, None when the file does not name them and the live ones are not known."""
    if profile.exclude is None and is_made_here(profile.identity):
        return ()
    return profile.exclude
