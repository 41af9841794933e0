"""Rules over the groups that the policy and the profiles refer to."""

from __future__ import annotations

from collections.abc import Iterator

from tapctl.errors import Finding
from tapctl.model.desired import Tenant
from tapctl.rules.machines import IN_FILTERS, TRUST_TYPE
from tapctl.rules.rule import Rule
from tapctl.rules.scope import (
    NESTED,
    includes,
    is_made_here,
    kind_of,
    policy_groups,
    profiles,
    rule_of,
)

EXTERNAL_GUEST = {
    "user.usertype": "Guest",
    "user.creationtype": "Invitation",
    "user.accountenabled": "true",
    "user.objectid": "00000000-0000-0000-0000-000000000001",
    "user.userprincipalname": "someone_example.org#EXT#@example.onmicrosoft.com",
}
"""A guest that every tenant may have; a rule that certainly admits this one admits guests."""
MEMBER = {"user.usertype": "Member"}
GUEST_MARK = "#EXT#"
GRP001 = Rule(
    id="GRP001",
    severity="warning",
    modes=("live",),
    condition="a target of the policy is a Microsoft 365, mail-enabled or distribution group",
    why="a Microsoft case found that Microsoft 365 groups do not work for FIDO2 in this same policy",
    fix="use a security group",
    sources=("S25",),
    evidence=("D", "I"),
    coverage="plan looks at the live groups; a file cannot ask for such a group",
)

GRP002 = Rule(
    id="GRP002",
    severity="error",
    modes=("off",),
    condition="a group has a rule and also members or roleAssignable",
    why="Graph refuses both: members of a dynamic group come from its rule, and such a group cannot be role-assignable",
    fix="keep the rule, or keep the members; for a role-assignable group list the members",
    sources=("S11",),
    evidence=("K",),
    coverage="checked by the schema of the merged tenant",
    is_suppressible=False,
)


def policy_targets_devices(tenant: Tenant) -> Iterator[Finding]:
    for excluded in (False, True):
        for place, group in policy_groups(tenant, excluded=excluded):
            if kind_of(tenant, group.identity.key) == "devices":
                yield GRP003.finding(
                    tenant, place, f"{group.identity.key} is a group of devices, and the TAP policy is about users"
                )


GRP003 = Rule(
    id="GRP003",
    severity="warning",
    modes=("off",),
    condition="a target of the policy is a group of devices",
    why="nobody matches: the policy looks at users",
    fix="name a group of users; devices belong to webSignIn.KEY.assign",
    sources=("S2",),
    evidence=("I",),
    coverage="fires when the group's rule or all its declared members are devices",
    check=policy_targets_devices,
)


def nested_groups(tenant: Tenant) -> Iterator[Finding]:
    for excluded in (False, True):
        for place, group in policy_groups(tenant, excluded=excluded):
            key = group.identity.key
            for position, member in enumerate(group.members or ()):
                if member.startswith(NESTED):
                    yield GRP004.finding(
                        tenant,
                        ("groups", key, "members", position),
                        f"{key} is {'excluded from' if excluded else 'included in'} the TAP policy and holds another "
                        f"group",
                        severity="warning" if excluded else "info",
                        related=((f"{'excluded' if excluded else 'included'} here", place),),
                    )


GRP004 = Rule(
    id="GRP004",
    severity="warning",
    modes=("off",),
    condition="an excluded group of the policy holds other groups",
    variants="info for an included group",
    why="whether this policy looks into nested groups is documented nowhere; an exclusion that silently fails is "
    "unsafe",
    fix="list the people directly, or list the inner group in the policy",
    sources=("S9",),
    evidence=("D", "I"),
    coverage="looks at group:KEY members; an object id may be a group too, which the files do not tell",
    check=nested_groups,
)


def privileged_people_included(tenant: Tenant) -> Iterator[Finding]:
    for place, group in policy_groups(tenant):
        if group.role_assignable is True:
            key = group.identity.key
            yield GRP005.finding(
                tenant,
                ("groups", key, "roleAssignable"),
                f"{key} is role-assignable and included in the TAP policy",
                related=(("included here", place),),
            )


GRP005 = Rule(
    id="GRP005",
    severity="warning",
    modes=("off", "live"),
    condition="an included group is role-assignable",
    why="an Authentication Administrator cannot issue passes for its members, only a Privileged Authentication "
    "Administrator can: recovery by the helpdesk fails with 403",
    fix="include an ordinary group, or plan who recovers administrators",
    sources=("S2", "S10"),
    evidence=("D",),
    coverage="reads roleAssignable in the file, and of external groups in the live tenant; roles of single members are "
    "not read",
    check=privileged_people_included,
)


def break_glass_group_editable(tenant: Tenant) -> Iterator[Finding]:
    for place, group in policy_groups(tenant, excluded=True):
        key = group.identity.key
        unnamed_is_no = group.role_assignable is None and is_made_here(group.identity)
        is_ordinary = group.role_assignable is False or group.rule is not None or unnamed_is_no
        if key in tenant.break_glass and is_ordinary and not group.external:
            yield GRP006.finding(
                tenant,
                ("groups", key),
                f"the break-glass group {key} is not role-assignable",
                related=(("excluded here", place),),
            )


GRP006 = Rule(
    id="GRP006",
    severity="warning",
    modes=("off", "live"),
    condition="an excluded break-glass group is not role-assignable",
    why="any Groups Administrator or owner of it can change who is excluded",
    fix="make the group with roleAssignable: true, without owners (it holds at creation only)",
    sources=("S10",),
    evidence=("I",),
    coverage="judges groups that tapctl makes or whose roleAssignable is named; of external and pinned ones plan "
    "reads it",
    check=break_glass_group_editable,
)


def guests_included(tenant: Tenant) -> Iterator[Finding]:
    for place, group in policy_groups(tenant):
        key, rule = group.identity.key, rule_of(group)
        here = (("included here", place),)
        if rule and (rule.evaluate(EXTERNAL_GUEST) or rule.names(EXTERNAL_GUEST, "user.usertype", ordinary=MEMBER)):
            yield GRP007.finding(tenant, ("groups", key, "rule"), f"the rule of {key} admits guests", related=here)
        for position, member in enumerate(group.members or ()):
            if GUEST_MARK.casefold() in member.casefold():
                place_of_member = ("groups", key, "members", position)
                yield GRP007.finding(tenant, place_of_member, f"{key} has an external guest as a member", related=here)


GRP007 = Rule(
    id="GRP007",
    severity="warning",
    modes=("off",),
    condition="the rule or the members of an included group admit external guests",
    why="issuing fails with “Temporary Access Pass cannot be added to an external guest user”; only internal guests "
    "can hold one",
    fix='add (user.userType -eq "Member") to the rule, or remove the guests',
    sources=("S2",),
    evidence=("D",),
    coverage="fires when a plain enabled guest certainly matches the rule, when the rule names guests, or when a "
    "member has #EXT# in its name; a rule on other properties alone claims nothing",
    check=guests_included,
)


def membership_lags(tenant: Tenant) -> Iterator[Finding]:
    if "autopilot" not in tenant.scenarios:
        return
    for place, group in policy_groups(tenant):
        rule = rule_of(group)
        if rule is not None and rule.uses("user."):
            key = group.identity.key
            yield GRP008.finding(
                tenant,
                ("groups", key, "rule"),
                f"{key} is a dynamic group, which new starters join late",
                related=(("included here", place),),
            )


GRP008 = Rule(
    id="GRP008",
    severity="warning",
    modes=("off", "live"),
    condition="tenant.scenarios has autopilot and an included group is a dynamic group of users",
    why="membership follows the creation of a user by minutes to hours; until then a pass fails as out of scope",
    fix="use an assigned group that onboarding fills, and wait for the membership before issuing the pass",
    sources=("S12",),
    evidence=("D", "I"),
    coverage="reads rule in the file, and of external groups in the live tenant whether they are dynamic",
    check=membership_lags,
)


def filter_words_in_group_rule(tenant: Tenant) -> Iterator[Finding]:
    wrong = {value.casefold() for value in IN_FILTERS.values()}
    for key, group in tenant.groups.items():
        rule = rule_of(group)
        literals = [
            literal
            for comparison in (rule.comparisons if rule else ())
            if comparison.name == TRUST_TYPE
            for literal in comparison.literals
            if literal is not None and literal.casefold() in wrong
        ]
        if literals and group.identity.ensure == "present":
            yield GRP009.finding(
                tenant,
                ("groups", key, "rule"),
                f'"{literals[0]}" is a word of Intune filters; a dynamic group does not know it',
            )


GRP009 = Rule(
    id="GRP009",
    severity="error",
    modes=("off",),
    condition="a dynamic group compares deviceTrustType with a word of Intune filters",
    why="the two products write the join type differently: the group will be empty",
    fix='write "AzureAD" (joined), "ServerAD" (hybrid) or "Workplace" (registered)',
    sources=("S15",),
    evidence=("D", "C"),
    coverage="looks at every rule in the file",
    check=filter_words_in_group_rule,
)


def empty_groups(tenant: Tenant) -> Iterator[Finding]:
    places = [(place, group.identity.key) for place, group in policy_groups(tenant)]
    places += [(place, target.group) for key, profile in profiles(tenant) for place, target in includes(key, profile)]
    seen: set[str] = set()
    for place, key in places:
        group = tenant.groups.get(key)
        if group is not None and group.members == () and key not in seen:
            seen.add(key)
            yield GRP010.finding(
                tenant,
                ("groups", key, "members"),
                f"{key} is a target and declares no members",
                related=(("a target here", place),),
            )


GRP010 = Rule(
    id="GRP010",
    severity="warning",
    modes=("off",),
    condition="an included group declares an empty list of members",
    why="the scope is empty: nobody gains the ability through this group",
    fix="add members, or leave members out if somebody else looks after them",
    sources=("S2",),
    evidence=("I",),
    coverage="reads the file; a group that does not exist is an unresolved name and stops the plan",
    check=empty_groups,
)

RULES = (GRP001, GRP002, GRP003, GRP004, GRP005, GRP006, GRP007, GRP008, GRP009, GRP010)
