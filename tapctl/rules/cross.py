"""Rules that hold policy, groups and profiles against each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from tapctl.errors import Finding
from tapctl.model.desired import Policy, Profile, SettingValue, Tenant
from tapctl.rules.overlap import overlap
from tapctl.rules.profiles import ENABLE
from tapctl.rules.rule import Rule
from tapctl.rules.scope import may_set, profiles, turns_on

EXCLUDED_PROVIDERS = "excludedCredentialProviders"
_STATE = ("temporaryAccessPass", "state")


def lock_screen_without_passes(tenant: Tenant) -> Iterator[Finding]:
    policy = tenant.policy or Policy()
    if policy.state == "disabled":
        cause, place = "the TAP policy is disabled", _STATE
    elif policy.include == ():
        cause, place = "the TAP policy includes nobody", ("temporaryAccessPass", "include")
    else:
        return
    for key, profile in profiles(tenant):
        if turns_on(profile) and profile.include:
            yield XRES001.finding(
                tenant,
                ("webSignIn", key, "settings", ENABLE),
                f"{key} offers web sign-in on the lock screen, but {cause}",
                related=((cause, place),),
            )


XRES001 = Rule(
    id="XRES001",
    severity="error",
    modes=("off",),
    condition="an assigned profile enables web sign-in while the TAP policy is disabled or includes nobody",
    why="no pass can succeed there; old builds answer AADSTS130506",
    fix="enable the policy for a group, or set enableWebSignIn: false",
    sources=("S2", "S25"),
    evidence=("D", "I"),
    coverage="fires when the file names all of it",
    check=lock_screen_without_passes,
)


def passes_without_lock_screen(tenant: Tenant) -> Iterator[Finding]:
    policy = tenant.policy
    if policy is None or policy.state != "enabled" or not tenant.profiles:
        return
    if all(_surely_offers_nothing(profile) for profile in tenant.profiles.values()):
        yield XRES002.finding(tenant, _STATE, "the TAP policy is enabled, and no assigned profile enables web sign-in")


def _surely_offers_nothing(profile: Profile) -> bool:
    return profile.identity.ensure == "absent" or profile.include == () or not may_set(profile, ENABLE)


XRES002 = Rule(
    id="XRES002",
    severity="warning",
    modes=("off",),
    condition="the TAP policy is enabled and no assigned profile enables web sign-in",
    why="a pass then works in the browser and in first setup, not on the lock screen of a device that is already "
    "joined",
    fix="enable and assign web sign-in in one profile, or suppress with the reason that browser sign-in is all that "
    "is wanted",
    sources=("S2",),
    evidence=("D",),
    coverage="judged when the file declares profiles; one without webSignIn does not manage them",
    check=passes_without_lock_screen,
)


def contradictory_profiles(tenant: Tenant) -> Iterator[Finding]:
    for (one_key, one), (other_key, other) in combinations(profiles(tenant), 2):
        differing = [
            name
            for name, value in other.settings.items()
            if value is not None
            and one.settings.get(name) is not None
            and _comparable(value) != _comparable(one.settings[name])
        ]
        if differing and overlap(tenant, one, other):
            for name in differing:
                yield XRES003.finding(
                    tenant,
                    ("webSignIn", other_key, "settings", name),
                    f"{other_key} and {one_key} set {name} differently on the same devices",
                    related=((f"{one_key} sets it here", ("webSignIn", one_key, "settings", name)),),
                )


def _comparable(value: SettingValue) -> object:
    """A setting as the device would compare it: lists without order."""
    return frozenset(value) if isinstance(value, tuple) else value


XRES003 = Rule(
    id="XRES003",
    severity="error",
    modes=("off", "live"),
    condition="two profiles with overlapping assignments set one setting to different values",
    why="the status becomes Conflict, and neither value can be relied on",
    fix="let one profile own the setting, or exclude the group of one from the other",
    sources=("S16", "S22"),
    evidence=("D", "B"),
    coverage="compares the profiles of the file where they surely share devices; plan --conflicts looks at other live "
    "policies",
    check=contradictory_profiles,
)


def web_sign_in_hidden(tenant: Tenant) -> Iterator[Finding]:
    for key, profile in profiles(tenant):
        value = profile.settings.get(EXCLUDED_PROVIDERS)
        hidden = set(value) if isinstance(value, tuple) else set()
        place = ("webSignIn", key, "settings", EXCLUDED_PROVIDERS)
        if "web-sign-in" in hidden and any(
            turns_on(other) and (other is profile or overlap(tenant, profile, other)) for _, other in profiles(tenant)
        ):
            yield XRES004.finding(tenant, place, f"{key} hides the web sign-in that is enabled on the same devices")
        elif hidden == {"password"}:
            yield XRES004.finding(
                tenant, place, f"{key} takes the password away from every account of the device", severity="warning"
            )


XRES004 = Rule(
    id="XRES004",
    severity="error",
    modes=("off",),
    condition="excludedCredentialProviders lists web-sign-in where web sign-in is enabled",
    variants="warning when it lists the password provider alone",
    why="the tile is hidden; without the password provider local accounts and remote desktop lose it too, and a pass "
    "that needs the network is the only rescue",
    fix="take web-sign-in out of the list; for fewer passwords prefer enablePasswordlessExperience",
    sources=("S1", "S5", "S27"),
    evidence=("D", "C"),
    coverage="reads the profiles of the file; other live policies are not read",
    check=web_sign_in_hidden,
)

_NOT_READ = "nothing: tapctl does not read it"

XRES005 = Rule(
    id="XRES005",
    severity="error",
    modes=("live",),
    condition="conditional access on “Register security information” wants a strength without the TAP mode in use",
    variants="warning when a custom strength allows only the other mode, one-time or many times",
    why="announced to gate Windows Hello setup too from 6 July 2026: people sign in with a pass, then cannot create "
    "a PIN",
    fix="add the TAP mode in use to the strength",
    sources=("S7", "S8", "S23"),
    evidence=("D",),
    coverage=_NOT_READ,
)

XRES006 = Rule(
    id="XRES006",
    severity="warning",
    modes=("live",),
    condition="conditional access for all resources wants phishing-resistant strength or a compliant device, with no "
    "way for people who hold a pass",
    why="the desktop opens, apps and enrolment do not; a loop of compliance was reported in 2026",
    fix="leave security information and Intune enrolment out for people who hold a pass",
    sources=("S7", "S30"),
    evidence=("D", "C"),
    coverage=_NOT_READ,
)

XRES007 = Rule(
    id="XRES007",
    severity="warning",
    modes=("live",),
    condition="no sign-in frequency covers the people who may use a pass",
    why="sessions are not revoked when the pass ends; conditional access decides how long they last",
    fix="set a sign-in frequency for them",
    sources=("S2",),
    evidence=("D",),
    coverage=_NOT_READ,
)

XRES008 = Rule(
    id="XRES008",
    severity="error",
    modes=("live",),
    condition="a lifecycle workflow generates passes with a lifetime outside the policy, or for many uses under a "
    "one-time policy",
    variants="warning when its people are not included, or have roles or methods already",
    why="the task fails, or issues passes that cannot be used",
    fix="bring the task's lifetime and use into the policy's bounds",
    sources=("S17",),
    evidence=("D",),
    coverage=_NOT_READ,
)

XRES009 = Rule(
    id="XRES009",
    severity="warning",
    modes=("live",),
    condition="groups of an account recovery profile are not wholly in scope of the TAP policy",
    why="recovery then ends with a pass that the person cannot use",
    fix="include the recovery groups in the policy",
    sources=("S18",),
    evidence=("D",),
    coverage=_NOT_READ,
)

XRES010 = Rule(
    id="XRES010",
    severity="warning",
    modes=("live",),
    condition="the users' domain has federatedIdpMfaBehavior enforceMfaByFederatedIdp",
    why="setting up Windows Hello goes to the identity provider and a pass is not offered",
    fix="use acceptIfMfaDoneByFederatedIdp",
    sources=("S2",),
    evidence=("D",),
    coverage=_NOT_READ,
)

XRES011 = Rule(
    id="XRES011",
    severity="warning",
    modes=("live",),
    condition="a DeviceLock policy, or a policy or app that restarts the device, is in scope of the enrolment status "
    "page",
    why="automatic sign-on fails and people must sign in at the lock screen, where the tile has to exist already",
    fix="move such policies behind the enrolment, and assign web sign-in to devices",
    sources=("S1", "S13", "S26"),
    evidence=("D", "C"),
    coverage=_NOT_READ,
)

RULES = (
    XRES001,
    XRES002,
    XRES003,
    XRES004,
    XRES005,
    XRES006,
    XRES007,
    XRES008,
    XRES009,
    XRES010,
    XRES011,
)
