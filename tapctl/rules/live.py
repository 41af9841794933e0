"""The halves of rules that need a look at the live tenant: pure functions over what was read.

Their findings may be suppressed: `suppressions.apply_suppressions`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tapctl.errors import Finding
from tapctl.model.desired import ALL_DEVICES, ALL_USERS, Assignment, Group, Path, Tenant
from tapctl.rules.catalogue import BY_ID
from tapctl.rules.machines import (
    EDITION,
    FLOOR,
    IN_FILTERS,
    IN_GROUPS,
    NOT_JOINED,
    OLD_VERSION,
    ORDINARY,
    OTHER_EDITIONS,
    TOO_OLD,
    TRUST_TYPE,
    VERSION,
    Machine,
)
from tapctl.rules.membership_rules import MembershipRule, parse
from tapctl.rules.scope import includes, is_made_here, policy_groups, profiles, rule_of, turns_on

_UNKNOWN_TRUST_TYPE = "Unknown"


@dataclass(frozen=True, slots=True, kw_only=True)
class GroupFacts:
    """What a live group is."""

    mail_enabled: bool = False
    is_microsoft_365: bool = False
    is_role_assignable: bool = False
    security_enabled: bool = True
    is_dynamic: bool = False


def check_filters(tenant: Tenant, filters: Mapping[str, str]) -> tuple[Finding, ...]:
    """WSI006, WSI007 and WSI008 over the live rules of the assignment filters that the file uses.

    `filters` maps display name to rule text; a filter that is not in it is unknown, and nothing is said of it."""
    findings: list[Finding] = []
    for key, profile in profiles(tenant):
        for place, target in includes(key, profile):
            if target.filter is None or target.filter not in filters:
                continue
            rule = parse(filters[target.filter])
            place = (*place, "filter")
            findings += _words_of_groups(tenant, place, rule)
            if turns_on(profile):
                admitting = rule.inverted() if target.mode == "exclude" else rule
                findings += _unsupported_devices(tenant, place, target, admitting)
                findings += _old_builds(tenant, place, target, admitting)
    return tuple(findings)


def _words_of_groups(tenant: Tenant, place: Path, rule: MembershipRule) -> Iterator[Finding]:
    known = {value.casefold() for value in (*IN_FILTERS.values(), _UNKNOWN_TRUST_TYPE)}
    wrong = {value.casefold() for value in IN_GROUPS.values()}
    literals = [
        literal
        for comparison in rule.comparisons
        if comparison.name == TRUST_TYPE and comparison.operator in {"eq", "ne", "in", "notin"}
        for literal in comparison.literals
        if literal is not None and literal.casefold() not in known
    ]
    for literal in literals:
        if literal.casefold() in wrong:
            message = f'the filter compares deviceTrustType with "{literal}", a word of dynamic groups'
            yield BY_ID["WSI006"].finding(tenant, place, message)
        else:
            message = f'the filter compares deviceTrustType with "{literal[:60]}", which is not a known join type'
            yield BY_ID["WSI006"].finding(tenant, place, message, severity="warning")


def _unsupported_devices(tenant: Tenant, place: Path, target: Assignment, rule: MembershipRule) -> Iterator[Finding]:
    # A filter that is silent about editions is common and harmless: Windows Home does not join Entra.
    for machines, name, by_silence in ((NOT_JOINED, TRUST_TYPE, True), (OTHER_EDITIONS, EDITION, False)):
        for machine in machines:
            if _admits(tenant, target, rule, machine, name, by_silence=by_silence):
                message = f"the filter lets {machine.words} through"
                yield BY_ID["WSI007"].finding(tenant, place, message)
                break


def _old_builds(tenant: Tenant, place: Path, target: Assignment, rule: MembershipRule) -> Iterator[Finding]:
    if rule.uses(OLD_VERSION):
        yield BY_ID["WSI008"].finding(tenant, place, "the filter uses osVersion, which compares text")
    for machine in TOO_OLD:
        if _admits(tenant, target, rule, machine, VERSION, by_silence=True):
            message = f"the filter lets {machine.words} through, below build {FLOOR}"
            yield BY_ID["WSI008"].finding(tenant, place, message)
            return


def _admits(
    tenant: Tenant, target: Assignment, rule: MembershipRule, machine: Machine, name: str, *, by_silence: bool
) -> bool:
    """Whether an assignment reaches such a device: the filter names it, or (by_silence) it certainly passes both.

    Which devices a static or external group holds is unknown, so silence of the filter proves nothing there."""
    group_rule = rule_of(tenant.groups.get(target.group))
    in_group = group_rule.evaluate(machine.group_facts) if group_rule else None
    if in_group is False:
        return False
    if rule.names(machine.filter_facts, name, ordinary=ORDINARY.filter_facts):
        return True
    is_everywhere = target.group in {ALL_DEVICES, ALL_USERS} or in_group is True
    return by_silence and is_everywhere and rule.evaluate(machine.filter_facts) is True


def check_group_types(tenant: Tenant, facts: Mapping[str, GroupFacts]) -> tuple[Finding, ...]:
    """The live halves of GRP001, GRP005, GRP006 and GRP008; `facts` maps a group's address to what it is.

    A group that is not in `facts` is unknown, and nothing is said of it. What `check` already said is not repeated."""
    findings: list[Finding] = []
    for excluded in (False, True):
        for place, group in policy_groups(tenant, excluded=excluded):
            fact = facts.get(group.address)
            if fact is None:
                continue
            findings += _wrong_type(tenant, place, group, fact)
            findings += _excluded(tenant, place, group, fact) if excluded else _included(tenant, place, group, fact)
    return tuple(findings)


def _wrong_type(tenant: Tenant, place: Path, group: Group, fact: GroupFacts) -> Iterator[Finding]:
    key = group.identity.key
    if fact.is_microsoft_365:
        yield BY_ID["GRP001"].finding(tenant, place, f"{key} is a Microsoft 365 group")
    elif fact.mail_enabled:
        yield BY_ID["GRP001"].finding(tenant, place, f"{key} is a mail-enabled group")
    elif not fact.security_enabled:
        yield BY_ID["GRP001"].finding(tenant, place, f"{key} is not a security group")


def _included(tenant: Tenant, place: Path, group: Group, fact: GroupFacts) -> Iterator[Finding]:
    key = group.identity.key
    if fact.is_role_assignable and group.role_assignable is not True:
        yield BY_ID["GRP005"].finding(tenant, place, f"{key} is role-assignable and included in the TAP policy")
    if fact.is_dynamic and group.rule is None and "autopilot" in tenant.scenarios:
        yield BY_ID["GRP008"].finding(tenant, place, f"{key} is a dynamic group, which new starters join late")


def _excluded(tenant: Tenant, place: Path, group: Group, fact: GroupFacts) -> Iterator[Finding]:
    key = group.identity.key
    is_known_offline = not group.external and (group.role_assignable is False or is_made_here(group.identity))
    if key in tenant.break_glass and not fact.is_role_assignable and not is_known_offline:
        yield BY_ID["GRP006"].finding(tenant, place, f"the break-glass group {key} is not role-assignable")
