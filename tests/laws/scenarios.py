"""Strategies: a tenant file that is valid, and a live tenant that may look like anything it could have become."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from datetime import timedelta
from pprint import pformat
from typing import Any, Literal

from hypothesis import strategies as st
from hypothesis.vendor.pretty import RepresentationPrinter

from tapctl.sandbox.behaviour import Behaviour
from tapctl.sandbox.custom_profiles import new_configuration
from tapctl.sandbox.membership_rules import members_of_rule
from tapctl.sandbox.profiles import new_policy
from tapctl.sandbox.seed import choice, simple
from tapctl.sandbox.tap_policy import KEY as TAP_KEY
from tapctl.sandbox.tap_policy import TYPE as TAP_TYPE
from tests.laws import cast, wire_forms
from tests.laws.cast import id_of
from tests.support.clock import START
from tests.support.world import TENANT_ID

Draw = st.DrawFn
Json = dict[str, Any]

TODAY = START.date()
YESTERDAY, TOMORROW = TODAY - timedelta(days=1), TODAY + timedelta(days=1)
MOMENT = "2026-01-15T08:00:00.0000000Z"
TAP_PATH = ("policies", TAP_KEY)

GROUP_KEYS = ("alpha", "beta", "gamma", "delta")
PROFILE_KEYS = ("first", "second", "third")


_NOISE = frozenset({"createdDateTime", "renewedDateTime", "lastModifiedDateTime", "securityIdentifier"})


@dataclass(frozen=True, slots=True, kw_only=True, repr=False)
class Scenario:
    """One tenant file over one live tenant."""

    document: Json
    """The tenant file."""
    objects: Mapping[str, Json]
    """The live tenant: collection to id to object, as the sandbox keeps it."""
    behaviour: Behaviour
    ids: Mapping[str, str] = field(default_factory=dict)
    """Address to id, for the declared objects that exist."""

    def __repr__(self) -> str:
        """What is not the same in every scenario."""
        always, usual = cast.collections(), Behaviour()
        live = [
            {name: value for name, value in item.items() if value not in (None, [], False) and name not in _NOISE}
            for collection, items in self.objects.items()
            for identifier, item in items.items()
            if identifier not in always.get(collection, {}) and identifier != "authenticationmethodspolicy"
        ]
        switched = {
            each.name: getattr(self.behaviour, each.name)
            for each in fields(Behaviour)
            if getattr(self.behaviour, each.name) != getattr(usual, each.name)
        }
        return f"Scenario:\nfile = {pformat(self.document)}\nlive = {pformat(live)}\nswitches = {switched}"

    def _repr_pretty_(self, printer: RepresentationPrinter, cycle: bool) -> None:
        """Hypothesis would print every field of a dataclass."""
        printer.text(repr(self))


@dataclass(slots=True)
class _Making:
    """What is known while a scenario is drawn."""

    draw: Draw
    is_equal: bool
    """The file says of the live tenant what is so."""
    lists: Literal["collection", "string"]
    document: Json = field(default_factory=dict)
    objects: dict[str, Json] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    usable: list[str] = field(default_factory=list)
    """Keys of groups that the file may refer to."""
    live_groups: dict[str, str] = field(default_factory=dict)
    """Key to id of every group that live lists may name."""

    def maybe(self) -> bool:
        return self.draw(st.booleans())

    def one(self, options: Sequence[Any]) -> Any:
        return self.draw(st.sampled_from(options))

    def some(self, options: Sequence[Any], most: int = 5, least: int = 0) -> list[Any]:
        """Different ones of the options, in any order; fewer than `least` only where there are fewer."""
        if not options:
            return []
        fewest = min(least, len(options))
        return self.draw(st.lists(st.sampled_from(options), min_size=fewest, max_size=most, unique_by=repr))

    def pick(self, live: Any, fresh: st.SearchStrategy[Any]) -> Any:
        """A declared value beside a live one: the same, or (unless all is to be equal) another."""
        return live if self.is_equal or self.maybe() else self.draw(fresh)


# Texts. What YAML, OData, URLs and JSON each treat as special is among them.

_LETTERS = st.characters(exclude_categories=["Cc", "Cs"])
_ODD_NAMES = ("O'Brien & Söhne", 'say "hi"', "100% #1?", "a/b\\c", "{x: [y]}", "☃ 名前", "- dash", "''", "İstanbul ß")


def names(key: str, number: int = 0) -> st.SearchStrategy[str]:
    """Display names that no other key has."""
    odd = st.one_of(st.sampled_from(_ODD_NAMES), st.text(_LETTERS, max_size=12))
    return odd.map(lambda text: f"{key}{number} {text}".rstrip())


descriptions = st.one_of(
    st.sampled_from(["", "plain", "two\nlines", "trailing line\n", " spaces ", "\ttab: |", "[tapctl]"]),
    st.text(st.one_of(_LETTERS, st.just("\n")), max_size=20),
)
"""What a file may say. It may not say a carriage return."""
live_descriptions = st.one_of(descriptions, st.just("carriage\r\nreturn"))
rules = st.sampled_from(
    ['(user.department -eq "Research")', "(device.deviceOSType -eq 'Windows')", '(user.mail -match "x")']
)
_hosts = st.sampled_from(["idp.example.com", "IDP2.Example.com", "login.contoso.com", "x"])
_providers = st.sampled_from(["web-sign-in", "password", "pin", "{27fbdb57-b613-4af2-9d7e-4fa7a66c21ad}"])


def setting_values(name: str) -> st.SearchStrategy[Any]:
    """What YAML may say of a setting, null aside."""
    if name in wire_forms.HOSTS:
        return st.lists(_hosts, min_size=1, max_size=3, unique_by=str.lower)
    if name == "preferredAadTenantDomainName":
        return st.sampled_from(["contoso.com", "Fabrikam.COM"])
    if name == "defaultCredentialProvider":
        return st.one_of(st.just(False), st.just("default"), _providers)
    if name == "excludedCredentialProviders":
        return st.one_of(st.just(False), st.lists(_providers, min_size=1, max_size=3, unique=True))
    return st.sampled_from([True, False, "default"])


_lifetimes = st.lists(st.integers(10, 43200), min_size=3, max_size=3).map(sorted)
switches = st.builds(
    Behaviour,
    recalculate_lifetimes=st.booleans(),
    exclude_targets_missing=st.booleans(),
    reverse_targets=st.booleans(),
    target_annotations=st.booleans(),
    settings_page_size=st.sampled_from([2, 25]),
    intune_page_size=st.sampled_from([2, 100]),
    intune_top_maximum=st.sampled_from([3, 1000]),
    delete_status=st.sampled_from([200, 204]),
    assign_status=st.sampled_from([200, 204]),
    custom_profile_patch_status=st.sampled_from([200, 204]),
    put_without_scope_tags=st.sampled_from(["reset", "keep"]),
    null_descriptions=st.booleans(),
    list_settings=st.sampled_from(["collection", "string"]),
    zero_guid_filters=st.booleans(),
    extra_keys=st.booleans(),
    encrypt_oma_strings=st.booleans(),
    soft_delete_groups=st.sampled_from(["microsoft365", "all"]),
    directory_page_size=st.sampled_from([2, 100]),
    lag_get_seconds=st.sampled_from([0.0, 0.0, 3.0]),
    lag_list_seconds=st.sampled_from([0.0, 0.0, 7.0]),
    lag_updates=st.booleans(),
)


@st.composite
def scenarios(draw: Draw, *, is_equal: bool = False) -> Scenario:
    """Any valid tenant file over any live tenant.

    Args:
        is_equal: the file names only what is so already.
    """
    behaviour = draw(switches)
    making = _Making(draw=draw, is_equal=is_equal, lists=behaviour.list_settings)
    making.objects = cast.collections()
    making.document["tenant"] = {"id": TENANT_ID, "cloud": "sandbox"}
    _make_groups(making)
    _make_policy(making)
    _make_profiles(making)
    return Scenario(
        document=making.document, objects=copy.deepcopy(making.objects), behaviour=behaviour, ids=dict(making.ids)
    )


# Groups

_GROUP_ROLES = ("new", "marked", "marked", "pinned", "adopted", "by name", "by id")
_ABSENT_ROLES = ("absent marked", "absent pinned", "absent and gone")


def _make_groups(making: _Making) -> None:
    groups: Json = {}
    making.live_groups = {key: id_of(key) for key in (*cast.FOREIGN_GROUPS, *cast.DELETED_GROUPS)}
    if making.is_equal:
        making.live_groups = {key: id_of(key) for key in cast.DELETED_GROUPS}
    for key in making.some(GROUP_KEYS, most=len(GROUP_KEYS)):
        roles = _GROUP_ROLES[1:] if making.is_equal else (*_GROUP_ROLES * 2, *_ABSENT_ROLES)
        role = making.one(roles)
        live = None if role in ("new", "absent and gone") else _live_group(making, key, is_marked="marked" in role)
        if live is not None:
            making.objects["groups"][live["id"]] = live
            making.ids[f"groups.{key}"] = live["id"]
        if live is not None and (not role.startswith("absent") or making.one([False, False, False, True])):
            making.live_groups[key] = live["id"]
        groups[key] = _declared_group(making, key, role, live)
        if not role.startswith("absent"):
            making.usable.append(key)
    if groups or making.maybe():
        making.document["groups"] = groups


def _live_group(making: _Making, key: str, *, is_marked: bool) -> Json:
    properties: Json = {
        "displayName": making.draw(names(key)),
        "description": making.draw(st.one_of(st.none(), descriptions.filter(bool))),
        "uniqueName": f"tapctl-{key}" if is_marked else None,
    }
    if making.one([False, False, True]):
        rule = making.draw(rules)
        people = members_of_rule(rule, [*cast.USERS.values()], [*cast.DEVICES.values()])
        properties |= {"membershipRule": rule, "membershipRuleProcessingState": "On", "_members": people or []}
        properties["groupTypes"] = ["DynamicMembership"]
    else:
        properties["_members"] = making.some(_possible_members(making), most=6)
        if making.one([False, False, False, True]):
            properties["_members"] += [person["id"] for person in cast.CROWD.values()]
        if making.one([False, False, False, True]):
            properties |= {"isAssignableToRole": True, "visibility": "Private"}
    return cast.group(key, **properties)


def _possible_members(making: _Making) -> list[str]:
    people = [item["id"] for item in (*cast.USERS.values(), *cast.DEVICES.values(), cast.SERVICE_PRINCIPAL)]
    foreign = [id_of(key) for key in cast.FOREIGN_GROUPS]
    return people + foreign + [making.ids[f"groups.{key}"] for key in making.usable if f"groups.{key}" in making.ids]


def _declared_group(making: _Making, key: str, role: str, live: Json | None) -> Json:
    name = live["displayName"] if live is not None else making.draw(names(key))
    if role == "by name":
        return {"external": True, "displayName": name}
    if role == "by id":
        return {"external": True, "id": _any_case(making, id_of(key))}
    if role == "absent pinned":
        return {"id": id_of(key), "ensure": "absent"}
    if role.startswith("absent"):
        return {"displayName": name, "ensure": "absent"}
    said: Json = {"displayName": name} if role == "adopted" else {"displayName": making.pick(name, names(key, 1))}
    if role == "adopted":
        said["adopt"] = True
    if role == "pinned":
        said["id"] = _any_case(making, id_of(key))
        if making.maybe():
            del said["displayName"]
    if making.maybe():
        said["description"] = making.pick((live or {}).get("description") or "", descriptions)
    said |= _declared_membership(making, live)
    is_dynamic = "rule" in said or (live is not None and live["membershipRule"])
    if not is_dynamic and making.one([False, False, True]):
        said["roleAssignable"] = bool(live["isAssignableToRole"]) if live is not None else making.maybe()
    return said


def _any_case(making: _Making, text: str) -> str:
    return text.upper() if making.maybe() else text


def _declared_membership(making: _Making, live: Json | None) -> Json:
    is_dynamic = making.maybe() if live is None else bool(live["membershipRule"])
    if not making.one([True, True, False]):
        return {}
    if is_dynamic:
        return {"rule": making.pick(live["membershipRule"] if live is not None else None, rules) or making.draw(rules)}
    if making.is_equal and live is not None:
        return {"members": [_spelled(making, identifier) for identifier in live["_members"]]}
    # Often people alone, so that members of other kinds have to be kept.
    people = [user["id"] for user in cast.USERS.values()]
    wanted = making.some(making.one([people, _possible_members(making)]), most=7)
    if live is not None and making.one([False, False, True]):
        wanted = list(dict.fromkeys([*live["_members"][making.one([0, 1, 3]) :], *wanted[:2]]))
    elif making.one([False, False, True]):
        wanted += [person["id"] for person in list(cast.CROWD.values())[making.one([0, 20, 24, 25]) :]]
    spelled = [_spelled(making, identifier) for identifier in wanted]
    if wanted and making.one([False, False, True]):
        spelled.append(_spelled(making, wanted[0]))
    new_ones = [key for key in making.usable if f"groups.{key}" not in making.ids]
    spelled += [f"group:{key}" for key in making.some(new_ones, most=2)]
    said: Json = {"members": list({item.casefold(): item for item in spelled}.values())}
    if making.maybe():
        said["membersExact"] = making.maybe()
    return said


def _spelled(making: _Making, identifier: str) -> str:
    """One of the ways in which YAML may name a directory object."""
    ways = [identifier, identifier.upper()]
    for user in (*cast.USERS.values(), *cast.CROWD.values()):
        if user["id"] == identifier:
            ways += [user["userPrincipalName"], user["userPrincipalName"].title()] * 2
    for device in cast.DEVICES.values():
        if device["id"] == identifier:
            ways += [f"device:{device['deviceId']}", f"device:{str(device['deviceId']).upper()}"] * 2
    for address, known in making.ids.items():
        if known == identifier and address.removeprefix("groups.") in making.usable:
            ways += [f"group:{address.removeprefix('groups.')}"] * 4
    return str(making.one(ways))


# The TAP policy


def _make_policy(making: _Making) -> None:
    minimum, default, maximum = making.draw(_lifetimes)
    live = {
        "@odata.type": TAP_TYPE,
        "id": "TemporaryAccessPass",
        "state": making.one(["enabled", "disabled"]),
        "defaultLifetimeInMinutes": default,
        "defaultLength": making.draw(st.integers(8, 48)),
        "minimumLifetimeInMinutes": minimum,
        "maximumLifetimeInMinutes": maximum,
        "isUsableOnce": making.maybe(),
        "includeTargets": [
            {**target, "isRegistrationRequired": False} for target in _live_targets(making, is_include=True)
        ],
        "excludeTargets": _live_targets(making, is_include=False),
    }
    making.objects["policies"] = {
        TAP_KEY: live,
        "authenticationmethodspolicy": {"id": "authenticationMethodsPolicy", "_otherMethods": []},
    }
    if making.one([True, True, False]):
        making.document["temporaryAccessPass"] = _declared_policy(making, live)


def _live_targets(making: _Making, *, is_include: bool) -> list[Json]:
    people = [] if making.is_equal else [id_of("ada"), id_of("alan")]
    chosen = making.some([*making.live_groups.values(), *people])
    targets = [{"targetType": "user" if item in people else "group", "id": item} for item in chosen]
    if is_include and making.one([False, False, True]):
        everybody = {"targetType": "group", "id": "all_users"}
        return [everybody] if making.is_equal else [*targets, everybody]
    return targets


def _declared_policy(making: _Making, live: Json) -> Json:
    said: Json = {}
    if making.maybe():
        said["state"] = making.pick(live["state"], st.sampled_from(["enabled", "disabled"]))
    lifetime = _declared_lifetime(making, live)
    if lifetime:
        said["lifetime"] = lifetime
    if making.maybe():
        said["length"] = making.pick(live["defaultLength"], st.integers(8, 48))
    if making.maybe():
        said["oneTime"] = making.pick(live["isUsableOnce"], st.booleans())
    if making.maybe():
        said["include"] = _declared_targets(making, live["includeTargets"], is_include=True)
    if making.maybe():
        said["exclude"] = _declared_targets(making, live["excludeTargets"], is_include=False)
    return said


def _declared_lifetime(making: _Making, live: Json) -> Json:
    current = [live[f"{name}LifetimeInMinutes"] for name in ("minimum", "default", "maximum")]
    wanted = current if making.is_equal else making.one([current, making.draw(_lifetimes)])
    named = [making.maybe() for _ in wanted]
    result = [new if is_named else old for is_named, new, old in zip(named, wanted, current, strict=True)]
    if result != sorted(result):
        named = [True, True, True]
    values = zip(("minimum", "default", "maximum"), wanted, named, strict=True)
    return {name: _spelled_minutes(making, value) for name, value, is_named in values if is_named}


def _spelled_minutes(making: _Making, minutes: int) -> int | str:
    ways: list[int | str] = [minutes, f"{minutes}m"]
    if minutes % 60 == 0:
        ways.append(f"{minutes // 60}h")
    if minutes % 1440 == 0:
        ways.append(f"{minutes // 1440}d")
    return making.one(ways)  # type: ignore[no-any-return]


def _declared_targets(making: _Making, live: list[Json], *, is_include: bool) -> list[Any]:
    keys = _live_keys(making, [target["id"] for target in live])
    if is_include and live and live[-1]["id"] == "all_users" and (making.is_equal or making.maybe()):
        return ["all-users"]
    chosen = keys if making.is_equal or making.maybe() else making.some(making.usable)
    if not is_include:
        return chosen
    entries: list[Any] = [_with_end(making, {"group": key}) for key in chosen]
    return [*entries, *_lapsed(making, chosen)]


def _live_keys(making: _Making, ids: Sequence[str]) -> list[str]:
    """The keys by which the file could name what a live list holds."""
    known = {making.ids[f"groups.{key}"]: key for key in making.usable if f"groups.{key}" in making.ids}
    return [known[identifier] for identifier in ids if identifier in known]


def _with_end(making: _Making, entry: Json) -> Any:
    if making.one([False, False, True]):
        entry["until"] = making.one([TODAY, TOMORROW]).isoformat()
    if making.one([False, False, True]):
        entry["reason"] = "A reason: 'quoted'"
    return entry["group"] if set(entry) == {"group"} and making.maybe() else entry


def _lapsed(making: _Making, chosen: Sequence[str]) -> list[Json]:
    """Entries whose day has passed: of groups that are not in the list (equal), or that may be (else)."""
    others = [key for key in making.usable if key not in chosen]
    if making.is_equal and not chosen:
        return []  # a policy whose every entry has lapsed is to be disabled
    return [{"group": key, "until": YESTERDAY.isoformat()} for key in making.some(others, most=2)]


# Profiles

_PROFILE_ROLES = ("new", "marked", "marked", "pinned", "adopted")
_UNMODELLED = (
    choice("bitlocker_requiredeviceencryption", 1),
    choice("authentication_allowfastreconnect", 0),
    choice("federatedauthentication_enablewebsigninforprimaryuser", 2),
    choice("experience_parent", 1, [simple("experience_parent_child", "text; with, separators")]),
    simple("experience_number", 7, "Integer"),  # type: ignore[arg-type]
    {
        "@odata.type": "#microsoft.graph.deviceManagementConfigurationGroupSettingCollectionInstance",
        "settingDefinitionId": "device_vendor_msft_firewall_rules",
        "settingInstanceTemplateReference": None,
        "groupSettingCollectionValue": [
            {"settingValueTemplateReference": None, "children": [choice("firewall_rule_enabled", 1)]},
            {"settingValueTemplateReference": None, "children": []},
        ],
    },
)
_SECRET = {
    **simple("networkproxy_password", "token"),
    "simpleSettingValue": {
        "@odata.type": "#microsoft.graph.deviceManagementConfigurationSecretSettingValue",
        "settingValueTemplateReference": None,
        "value": "3f0e4b3a-9e5c-4df6-9a70-000000000001",
        "valueState": "encryptedValueToken",
    },
}
_UNMODELLED_OMA = (
    wire_forms.oma_setting("Integer", "./Device/Vendor/MSFT/Policy/Config/Bluetooth/AllowAdvertising", 0),
    wire_forms.oma_setting("Boolean", "./Vendor/MSFT/Policy/Config/Authentication/AllowFastReconnect", True),
)
_ENCRYPTED_OMA = wire_forms.oma_setting("String", "./User/Vendor/MSFT/Other/Node", "a secret of somebody else")


def _make_profiles(making: _Making) -> None:
    making.objects["configurationPolicies"] = {}
    making.objects["deviceConfigurations"] = {}
    profiles: Json = {}
    for key in making.some(PROFILE_KEYS, most=2, least=making.one([0, 1])):
        roles = _PROFILE_ROLES[1:] if making.is_equal else (*_PROFILE_ROLES * 3, *_ABSENT_ROLES)
        role, delivery = making.one(roles), making.one(["settings-catalog", "oma-uri"])
        content = _ProfileContent.draw(making, key, delivery)
        is_live = role not in ("new", "absent and gone")
        if is_live:
            content.put(making, key, mark=key if "marked" in role else None)
            making.ids[f"webSignIn.{key}"] = id_of(f"profile {key}")
        profiles[key] = content.declared(making, key, role, is_live=is_live)
    _put_foreign_profiles(making)
    if profiles:
        making.document["webSignIn"] = profiles


@dataclass(slots=True)
class _ProfileContent:
    """A profile as an admin might have left it, in the words of YAML, with what YAML cannot say."""

    delivery: str
    name: str
    description: str
    settings: Json
    unmodelled: list[Json]
    tags: list[str]
    assignments: list[Json]
    is_masked: bool

    @classmethod
    def draw(cls, making: _Making, key: str, delivery: str) -> _ProfileContent:
        is_catalog = delivery == "settings-catalog"
        possible = wire_forms.SETTINGS if is_catalog else wire_forms.AUTHENTICATION
        unmodelled = making.some(_UNMODELLED if is_catalog else _UNMODELLED_OMA)
        is_masked = making.one([False] * 7 + [True])
        if is_masked:
            unmodelled.append(_SECRET if is_catalog else _ENCRYPTED_OMA)
        return cls(
            delivery=delivery,
            name=making.draw(names(key)),
            description=making.draw(live_descriptions),
            settings={name: making.draw(setting_values(name)) for name in making.some(possible, least=2)},
            unmodelled=copy.deepcopy(unmodelled),
            tags=making.some(list(cast.SCOPE_TAGS), most=3) or ["0"],
            assignments=_live_assignments(making),
            is_masked=is_masked,
        )

    def put(self, making: _Making, key: str, *, mark: str | None) -> None:
        """Put it into the live tenant."""
        identifier = id_of(f"profile {key}")
        description = self.description if mark is None else wire_forms.marked(self.description, mark)
        common = {"description": description, "roleScopeTagIds": self.tags, "_assignments": self.assignments}
        if self.delivery == "settings-catalog":
            modelled = [self._instance(making, name) for name in self.settings]
            policy = new_policy(identifier, MOMENT) | common
            policy |= {"name": self.name, "_settings": making.draw(st.permutations(modelled + self.unmodelled))}
            making.objects["configurationPolicies"][identifier] = policy
        else:
            roots = ("./Device/Vendor/MSFT", "./Vendor/MSFT")
            modelled = [wire_forms.oma(name, value, root=making.one(roots)) for name, value in self.settings.items()]
            stored = new_configuration(identifier, MOMENT) | common
            stored |= {
                "displayName": self.name,
                "omaSettings": making.draw(st.permutations(modelled + self.unmodelled)),
            }
            making.objects["deviceConfigurations"][identifier] = stored

    def _instance(self, making: _Making, name: str) -> Json:
        made = wire_forms.instance(name, self.settings[name], lists=making.lists)
        if name == "excludedCredentialProviders" and made["choiceSettingValue"]["children"]:
            value = made["choiceSettingValue"]["children"][0]["simpleSettingValue"]
            value["value"] = making.one([value["value"], value["value"].replace(",", " , "), value["value"].lower()])
        return made

    def declared(self, making: _Making, key: str, role: str, *, is_live: bool) -> Json:
        said: Json = {} if self.delivery == "settings-catalog" and making.maybe() else {"delivery": self.delivery}
        if role == "absent pinned":
            return {**said, "id": id_of(f"profile {key}"), "ensure": "absent"}
        if role.startswith("absent"):
            return {**said, "displayName": self.name, "ensure": "absent"}
        said["displayName"] = self.name if role == "adopted" else making.pick(self.name, names(key, 1))
        if role == "adopted":
            said["adopt"] = True
        if role == "pinned":
            said["id"] = _any_case(making, id_of(f"profile {key}"))
            if making.maybe():
                del said["displayName"]
        if making.maybe():
            said["description"] = making.pick(self.description.replace("\r\n", "\n"), descriptions)
        # A policy that holds another's secret refuses new settings; that refusal has tests of its own.
        if making.one([True, True, True, False]) and not (is_live and self.is_masked):
            said["settings"] = self._declared_settings(making)
        assign = self._declared_assignments(making)
        if assign:
            said["assign"] = assign
        if making.maybe():
            tags = self.tags if making.is_equal or making.maybe() else making.some(list(cast.SCOPE_TAGS)) or ["1"]
            said["scopeTags"] = [cast.SCOPE_TAGS[tag] for tag in tags]
        return said

    def _declared_settings(self, making: _Making) -> Json:
        possible = wire_forms.SETTINGS if self.delivery == "settings-catalog" else wire_forms.AUTHENTICATION
        # Often one alone, so that the others have to be kept.
        most = making.one([1, 5])
        chosen = making.some(list(self.settings) if making.is_equal else possible, most=most, least=1)
        said: Json = {}
        for name in chosen:
            if not making.is_equal and making.one([False, False, False, True]):
                said[name] = None
            else:
                fresh = setting_values(name)
                said[name] = making.pick(self.settings[name], fresh) if name in self.settings else making.draw(fresh)
        return said

    def _declared_assignments(self, making: _Making) -> Json:
        said: Json = {}
        live_include = [item for item in self.assignments if "exclusion" not in item["@odata.type"]]
        live_exclude = [item for item in self.assignments if "exclusion" in item["@odata.type"]]
        if making.maybe():
            said["include"] = _declared_includes(making, live_include)
        if making.maybe():
            keys = _live_keys(making, [item["groupId"] for item in live_exclude])
            chosen = keys if making.is_equal or making.maybe() else making.some(making.usable)
            included = {item["group"] if isinstance(item, dict) else item for item in said.get("include", ())}
            if making.is_equal and included & set(chosen):
                return said
            said["exclude"] = [key for key in chosen if key not in included]
        return said


_FILTER_ID = "deviceAndAppManagementAssignmentFilterId"
_FILTER_TYPE = "deviceAndAppManagementAssignmentFilterType"
_EVERYBODY = {"all-devices": "allDevicesAssignmentTarget", "all-users": "allLicensedUsersAssignmentTarget"}


def _live_assignments(making: _Making) -> list[Json]:
    targets: list[Json] = []
    for place in making.some([*making.live_groups.values(), "all-devices", "all-users"]):
        chosen = making.one([None, None, *cast.FILTERS])
        kind = _EVERYBODY.get(place, "groupAssignmentTarget")
        target: Json = {
            "@odata.type": f"#microsoft.graph.{kind}",
            _FILTER_ID: id_of(chosen) if chosen else None,
            _FILTER_TYPE: making.one(["include", "exclude"]) if chosen else "none",
        }
        if place not in _EVERYBODY:
            target["groupId"] = place
        targets.append(target)
    for place in making.some(list(making.live_groups.values()), most=2):
        kind = "#microsoft.graph.exclusionGroupAssignmentTarget"
        targets.append({"@odata.type": kind, _FILTER_ID: None, _FILTER_TYPE: "none", "groupId": place})
    return targets


def _declared_includes(making: _Making, live: list[Json]) -> list[Any]:
    if making.is_equal or making.maybe():
        return [said for target in live if (said := _as_declared(making, target)) is not None]
    chosen = making.some([*making.usable, "all-devices", "all-users"])
    entries: list[Any] = []
    for key in chosen:
        entry: Json = {"group": key}
        if making.maybe():
            entry["filter"] = making.one(cast.FILTERS)
            if making.maybe():
                entry["mode"] = making.one(["include", "exclude"])
        entries.append(_with_end(making, entry))
    return entries + _lapsed(making, chosen)


def _as_declared(making: _Making, target: Json) -> Any:
    kinds = {f"#microsoft.graph.{kind}": key for key, kind in _EVERYBODY.items()}
    keys = _live_keys(making, [target["groupId"]]) if "groupId" in target else [kinds[target["@odata.type"]]]
    if not keys:
        return None
    if target[_FILTER_ID] is None:
        return keys[0]
    name = next(name for name in cast.FILTERS if id_of(name) == target[_FILTER_ID])
    return {"group": keys[0], "filter": name, "mode": target[_FILTER_TYPE]}


def _put_foreign_profiles(making: _Making) -> None:
    """Profiles of others, some of them left by earlier runs under keys that the file no longer has."""
    for number in range(making.one([0, 1, 3])):
        key = f"foreign {number}"
        content = _ProfileContent.draw(making, key, making.one(["settings-catalog", "oma-uri"]))
        content.put(making, key, mark=making.one([None, f"gone-{number}"]))
