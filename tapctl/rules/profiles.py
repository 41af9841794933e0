"""Rules over the web sign-in profiles."""

from __future__ import annotations

from collections.abc import Iterator

from tapctl.errors import Finding
from tapctl.model.desired import ALL_DEVICES, Tenant
from tapctl.rules.machines import NOT_JOINED, ORDINARY, TRUST_TYPE
from tapctl.rules.rule import Rule
from tapctl.rules.scope import includes, kind_of, may_set, nested_keys, profiles, rule_of, turns_on

ENABLE = "enableWebSignIn"
PROVIDER = "defaultCredentialProvider"
PASSWORDLESS = "enablePasswordlessExperience"
DOMAIN = "preferredAadTenantDomainName"

_COMPANIONS = ("configureWebSignInAllowedUrls", "configureWebcamAccessDomainNames")
_AUTOPILOT_MARKS = ("[ztdid]", "[orderid]", "[purchaseorderid]")
"""Kinds of devicePhysicalIds that registration with Autopilot sets before the first start."""
_NOTE_WORDS = ("laps", "hello", "whfb", "fido2", "security key", "passkey")


def companions_without_web_sign_in(tenant: Tenant) -> Iterator[Finding]:
    for key, profile in profiles(tenant):
        named = [name for name in _COMPANIONS if profile.settings.get(name)]
        is_off = not may_set(profile, ENABLE)
        if named and is_off and (ENABLE in profile.settings or not _set_elsewhere(tenant, key, ENABLE)):
            yield WSI001.finding(
                tenant, (*_settings(key), named[0]), f"{key} sets {named[0]} without enabling web sign-in"
            )


WSI001 = Rule(
    id="WSI001",
    severity="warning",
    modes=("off",),
    condition="allowed URLs or webcam domains are set, but enableWebSignIn is not true",
    why="the provider will not appear on the lock screen; allowed URLs alone serve only the PIN reset of federated "
    "domains",
    fix="set enableWebSignIn: true, or suppress with the reason federated PIN reset",
    sources=("S4", "S29"),
    evidence=("D",),
    coverage="a profile that does not name enableWebSignIn is judged only when tapctl makes it and no other profile "
    "enables it",
    check=companions_without_web_sign_in,
)


def only_users_targeted(tenant: Tenant) -> Iterator[Finding]:
    for key, profile in profiles(tenant):
        kinds = {kind_of(tenant, target.group) for _, target in includes(key, profile)}
        if turns_on(profile) and kinds == {"users"}:
            yield WSI002.finding(
                tenant,
                ("webSignIn", key, "assign", "include"),
                f"{key} enables web sign-in for users only",
                severity="error" if "autopilot" in tenant.scenarios else "warning",
            )


WSI002 = Rule(
    id="WSI002",
    severity="warning",
    modes=("off",),
    condition="a profile that enables web sign-in includes groups of users or all-users only",
    variants="error when tenant.scenarios has autopilot",
    why="these settings belong to the device; assigned to users they arrive after the first sign-in, too late for "
    "its lock screen",
    fix="include all-devices with a filter, or a group of devices",
    sources=("S1", "S4"),
    evidence=("D", "C"),
    coverage="fires when every include certainly holds users alone; external groups are unknown",
    check=only_users_targeted,
)


def late_device_groups(tenant: Tenant) -> Iterator[Finding]:
    for key, profile in profiles(tenant):
        targets = list(includes(key, profile))
        if turns_on(profile) and targets and all(_is_late(tenant, target.group) for _, target in targets):
            place, target = targets[0]
            yield WSI003.finding(
                tenant,
                place,
                f"{target.group} fills only after enrolment, and {key} reaches no other device",
                related=(("its rule", ("groups", target.group, "rule")),),
            )


def _is_late(tenant: Tenant, key: str) -> bool:
    """Whether a target is a dynamic group of devices that Autopilot registration does not fill beforehand."""
    rule = rule_of(tenant.groups.get(key))
    if rule is None or kind_of(tenant, key) != "devices":
        return False
    literals = [
        literal
        for comparison in rule.comparisons
        if comparison.name == "device.devicephysicalids"
        for literal in comparison.literals
    ]
    return not any(literal.casefold().startswith(_AUTOPILOT_MARKS) for literal in literals if literal)


WSI003 = Rule(
    id="WSI003",
    severity="warning",
    modes=("off",),
    condition="all includes of a profile that enables web sign-in are dynamic groups of devices not keyed on "
    "Autopilot registration",
    why="membership is computed after enrolment, so the profile comes late",
    fix="include all-devices with a filter, or key the rule on [ZTDId]",
    sources=("S12",),
    evidence=("D", "I"),
    coverage="a devicePhysicalIds comparison with [ZTDId], [OrderID] or [PurchaseOrderId] counts as keyed",
    check=late_device_groups,
)


def all_devices_unfiltered(tenant: Tenant) -> Iterator[Finding]:
    for key, profile in profiles(tenant):
        for place, target in includes(key, profile):
            if turns_on(profile) and target.group == ALL_DEVICES and target.filter is None:
                yield WSI004.finding(tenant, place, f"{key} enables web sign-in on all devices without a filter")


WSI004 = Rule(
    id="WSI004",
    severity="warning",
    modes=("off",),
    condition="a profile that enables web sign-in includes all-devices without a filter",
    why="it lands on hybrid joined devices, where web sign-in is unsupported, and on old builds",
    fix='add a filter such as (device.deviceTrustType -eq "Azure AD joined") and '
    "(device.operatingSystemVersion -ge 10.0.22621.2361)",
    sources=("S1", "S3", "S12", "S15", "S27"),
    evidence=("D", "C"),
    coverage="reads the file",
    check=all_devices_unfiltered,
)


def exclusions_of_the_other_kind(tenant: Tenant) -> Iterator[Finding]:
    for key, profile in profiles(tenant):
        kinds = {kind_of(tenant, target.group) for _, target in includes(key, profile)}
        for position, excluded in enumerate(profile.exclude or ()):
            place = ("webSignIn", key, "assign", "exclude", position)
            kind = kind_of(tenant, excluded.group)
            rule = rule_of(tenant.groups.get(excluded.group))
            other = {"users": "devices", "devices": "users"}.get(kind or "")
            if other is not None and other in kinds:
                yield WSI005.finding(
                    tenant, place, f"{key} includes {other} and excludes {excluded.group}, which holds {kind}"
                )
            elif kind == "devices" and rule is not None:
                yield WSI005.finding(
                    tenant,
                    place,
                    f"{key} excludes the dynamic group {excluded.group}, which may fill after the profile arrived",
                    severity="warning",
                )


WSI005 = Rule(
    id="WSI005",
    severity="error",
    modes=("off",),
    condition="a profile includes devices and excludes users, or the reverse",
    variants="warning when it excludes a dynamic group of devices",
    why="Intune does not relate users to their devices: what was excluded gets the profile all the same",
    fix="exclude a group of the same kind, or use a filter",
    sources=("S12",),
    evidence=("D",),
    coverage="fires when the kind of both groups is known from the files",
    check=exclusions_of_the_other_kind,
)

WSI006 = Rule(
    id="WSI006",
    severity="error",
    modes=("live",),
    condition="a filter compares deviceTrustType with a word of dynamic groups (AzureAD, ServerAD, Workplace)",
    variants="warning for any other word that is not known",
    why="the two products write the join type differently: the filter silently matches nothing, or everything when "
    "it excludes",
    fix='write "Azure AD joined", "Azure AD registered", "Hybrid Azure AD joined" or "Unknown" in the filter',
    sources=("S15",),
    evidence=("D",),
    coverage="plan reads the filters that the file names; the list of words is from 2025",
)


def groups_of_unsupported_devices(tenant: Tenant) -> Iterator[Finding]:
    for key, profile in profiles(tenant):
        for place, target in includes(key, profile) if turns_on(profile) else ():
            rule = rule_of(tenant.groups.get(target.group))
            if rule is None or target.filter is not None:
                continue
            for machine in NOT_JOINED:
                facts = machine.group_facts
                if rule.evaluate(facts) or rule.names(facts, TRUST_TYPE, ordinary=ORDINARY.group_facts):
                    yield WSI007.finding(
                        tenant,
                        ("groups", target.group, "rule"),
                        f"the rule of {target.group} admits {machine.words}",
                        related=(("included here", place),),
                    )
                    break


WSI007 = Rule(
    id="WSI007",
    severity="warning",
    modes=("off", "live"),
    condition="a filter or dynamic group lets a profile that enables web sign-in reach hybrid joined or registered "
    "devices, Windows Home, multi-session hosts or Holographic",
    why="they are outside the supported joins and editions of web sign-in",
    fix='restrict it to Entra joined devices: (device.deviceTrustType -eq "Azure AD joined") in a filter, "AzureAD" '
    "in a group",
    sources=("S3", "S15"),
    evidence=("D", "I"),
    coverage="group rules offline, filters in plan; fires when such a device certainly passes or is named, never "
    "because a rule says nothing about editions",
    check=groups_of_unsupported_devices,
)

WSI008 = Rule(
    id="WSI008",
    severity="warning",
    modes=("live",),
    condition="a filter admits builds below 10.0.22621.2361, or uses osVersion",
    why="older builds have the old feature that takes a TAP only; osVersion compares text and is being retired",
    fix="use (device.operatingSystemVersion -ge 10.0.22621.2361)",
    sources=("S3", "S15"),
    evidence=("D", "K"),
    coverage="plan reads the filters that the file names",
)


def default_provider_left_open(tenant: Tenant) -> Iterator[Finding]:
    if tenant.scenarios & {"autopilot", "shared"}:
        return
    for key, profile in profiles(tenant):
        if turns_on(profile) and not may_set(profile, PROVIDER) and not _set_elsewhere(tenant, key, PROVIDER):
            yield WSI009.finding(
                tenant, (*_settings(key), ENABLE), f"{key} enables web sign-in and names no {PROVIDER}"
            )


def _set_elsewhere(tenant: Tenant, key: str, setting: str) -> bool:
    return any(other_key != key and may_set(other, setting) for other_key, other in profiles(tenant))


WSI009 = Rule(
    id="WSI009",
    severity="warning",
    modes=("off",),
    condition="a profile enables web sign-in and no defaultCredentialProvider is set",
    variants="silent when tenant.scenarios has autopilot or shared",
    why="web sign-in becomes the default tile for new users of the device",
    fix="set defaultCredentialProvider: pin, or suppress with the reason that this default is wanted",
    sources=("S1", "S3"),
    evidence=("D", "C"),
    coverage="a pinned or adopted profile may hold a live value and is judged only when the file says null or false; "
    "another profile of the file may set it",
    check=default_provider_left_open,
)


def provider_contradicts(tenant: Tenant) -> Iterator[Finding]:
    for key, profile in profiles(tenant):
        place = (*_settings(key), PROVIDER)
        match profile.settings.get(PROVIDER):
            case "password" if profile.settings.get(PASSWORDLESS) is True:
                yield WSI010.finding(
                    tenant,
                    place,
                    f"{key} makes the password the default tile and hides it with {PASSWORDLESS}",
                    related=(("the passwordless experience", (*_settings(key), PASSWORDLESS)),),
                )
            case "web-sign-in" if "shared" not in tenant.scenarios:
                yield WSI010.finding(tenant, place, f"{key} makes web sign-in the default tile of personal devices")
            case "pin" if "autopilot" in tenant.scenarios:
                yield WSI010.finding(
                    tenant,
                    place,
                    f"{key} makes the PIN the default tile, which a new starter does not have",
                    severity="info",
                )


WSI010 = Rule(
    id="WSI010",
    severity="warning",
    modes=("off",),
    condition="defaultCredentialProvider is not a braced GUID (error), is password under the passwordless experience, "
    "or is web-sign-in although tenant.scenarios lacks shared",
    variants="error from the schema; info for pin when tenant.scenarios has autopilot",
    why="the tile contradicts the rest: hidden, online at every unlock, or useless until a PIN exists",
    fix="choose the tile that people can use: pin on personal devices, web-sign-in on shared ones",
    sources=("S22", "S27"),
    evidence=("B", "C"),
    coverage="the schema checks the form; this rule compares it with the profile's other settings and the scenarios",
    check=provider_contradicts,
)


def passwordless_without_note(tenant: Tenant) -> Iterator[Finding]:
    for key, profile in profiles(tenant):
        note = (profile.description or "").casefold()
        if profile.settings.get(PASSWORDLESS) is True and not any(word in note for word in _NOTE_WORDS):
            yield WSI011.finding(
                tenant,
                (*_settings(key), PASSWORDLESS),
                f"{key} hides passwords, and its description does not say what takes their place",
            )


WSI011 = Rule(
    id="WSI011",
    severity="warning",
    modes=("off",),
    condition="enablePasswordlessExperience is true and the description mentions neither LAPS nor Windows Hello nor "
    "FIDO2",
    why="it needs Windows Hello or FIDO2 enrolled, and takes the password out of elevation prompts for the signed-in "
    "user",
    fix="say in the profile's description how people sign in and elevate (Windows Hello, FIDO2, LAPS), or suppress "
    "with that",
    sources=("S5", "S22"),
    evidence=("D", "B"),
    coverage="reads the description in the file",
    check=passwordless_without_note,
)

WSI012 = Rule(
    id="WSI012",
    severity="error",
    modes=("off",),
    condition="an allowed URL or webcam domain has a scheme, path, space, wildcard or semicolon",
    why="the device wants bare host names, one an entry; the semicolon separates them there",
    fix="write one bare host name an entry: login.example.com",
    sources=("S3", "S4", "S27"),
    evidence=("D", "C"),
    coverage="checked by the schema",
    is_suppressible=False,
)

WSI013 = Rule(
    id="WSI013",
    severity="warning",
    modes=("live",),
    condition="a domain of the tenant is federated and allowed URLs are empty, or US Government lacks "
    "login.microsoftonline.us",
    why="federated web sign-in and PIN reset need it (CVE-2021-27092); a TAP itself does not",
    fix="list the identity provider's hosts in configureWebSignInAllowedUrls",
    sources=("S4", "S29"),
    evidence=("D",),
    coverage="nothing: the domains of the tenant are not read",
)


def other_domains(tenant: Tenant) -> Iterator[Finding]:
    for key, profile in profiles(tenant):
        preferred = profile.settings.get(DOMAIN)
        if not isinstance(preferred, str):
            continue
        others = sorted(_domains(tenant) - {preferred.casefold()})
        if others:
            yield WSI014.finding(
                tenant,
                (*_settings(key), DOMAIN),
                f"people in scope of the TAP policy also have names in {', '.join(others)}",
                severity="info",
            )


def _domains(tenant: Tenant) -> set[str]:
    """The domains of user principal names that the policy's include groups declare."""
    keys = {target.group for target in (tenant.policy.include if tenant.policy else None) or ()}
    keys |= {nested for key in keys for nested in nested_keys(tenant, key)}
    members = [member for key in keys if (group := tenant.groups.get(key)) for member in group.members or ()]
    return {member.rpartition("@")[2].casefold() for member in members if "@" in member}


WSI014 = Rule(
    id="WSI014",
    severity="error",
    modes=("off",),
    condition="preferredAadTenantDomainName has an @ or a scheme, or is not a verified domain",
    variants="info when people in scope have names in other domains",
    why="a name without domain is completed with this one; everybody else must type the whole user principal name",
    fix="name the domain that most people have, bare: contoso.com",
    sources=("S4",),
    evidence=("D", "I"),
    coverage="the schema checks the form; this rule the declared members; whether the domain is verified is not read",
    check=other_domains,
)


def assigned_to_nobody(tenant: Tenant) -> Iterator[Finding]:
    for key, profile in profiles(tenant):
        if profile.include == ():
            yield WSI015.finding(tenant, ("webSignIn", key, "assign", "include"), f"{key} is assigned to nobody")


WSI015 = Rule(
    id="WSI015",
    severity="warning",
    modes=("off",),
    condition="the include list of a profile is empty",
    why="the profile exists and reaches no device",
    fix="include all-devices with a filter or a group; to switch off, set enableWebSignIn: false and leave it assigned",
    sources=("S12",),
    evidence=("I",),
    coverage="fires when the file names the list; one that is not named is unknown",
    check=assigned_to_nobody,
)

WSI016 = Rule(
    id="WSI016",
    severity="warning",
    modes=("plan",),
    condition="the plan deletes or unassigns a profile that enables web sign-in, or takes the setting out of it",
    why="a device may keep the last value that it was given",
    fix="first apply enableWebSignIn: false with the profile still assigned; remove it once the devices have checked "
    "in",
    sources=("S12",),
    evidence=("D",),
    coverage="reads the planned change; a deletion that does not say what the profile sets is warned of as well",
)


def _settings(key: str) -> tuple[str, str, str]:
    return ("webSignIn", key, "settings")


RULES = (
    WSI001,
    WSI002,
    WSI003,
    WSI004,
    WSI005,
    WSI006,
    WSI007,
    WSI008,
    WSI009,
    WSI010,
    WSI011,
    WSI012,
    WSI013,
    WSI014,
    WSI015,
    WSI016,
)
