"""Everything in Intune that may set a web sign-in setting, created by anyone: settings catalog policies, custom OMA-URI
profiles, and the legacy device restrictions. Source for these: Graph reference `windows10GeneralConfiguration`,
beta, property `authenticationWebSignIn`."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal

from tapctl.kinds.catalog import SettingsCatalog
from tapctl.kinds.custom import ODATA_TYPE, CustomProfile, may_hold_modelled
from tapctl.kinds.deliveries import DeliveryForm, assignments_read, decode_assignments, list_read
from tapctl.kinds.wire import JSONObject, Malformed, elements, identifier, malformed, odata_type, text_or_none
from tapctl.model.desired import SettingValue
from tapctl.model.live import LiveAssignment
from tapctl.model.requests import Problem, Reading
from tapctl.model.settings import ENABLE

CATALOG, CUSTOM = SettingsCatalog(), CustomProfile()
CUSTOM_TYPE, RESTRICTIONS_TYPE = ODATA_TYPE.rsplit(".", 1)[-1].lower(), "windows10generalconfiguration"

ProfileType = Literal["settings catalog policy", "custom profile", "device restrictions profile"]
Settings = Mapping[str, SettingValue]


@dataclass(frozen=True, slots=True, kw_only=True)
class OtherProfile:
    """A profile as its collection lists it; it may hold one of the settings."""

    type: ProfileType
    id: str
    name: str
    """Untrusted text."""
    listed: JSONObject = field(repr=False, compare=False)
    """The element of the list as received, for reading the rest."""


@dataclass(frozen=True, slots=True)
class OtherContent:
    """The settings that a profile sets, and for whom."""

    settings: Settings
    assignments: frozenset[LiveAssignment]


def read_policies() -> Reading[list[OtherProfile] | Problem]:
    """The settings catalog policies that may hold one of the settings."""
    return (yield from _read_list(CATALOG, _policy))


def read_configurations() -> Reading[list[OtherProfile] | Problem]:
    """The legacy device configurations that may hold one of the settings."""
    return (yield from _read_list(CUSTOM, _configuration))


def _read_list(
    form: DeliveryForm, decode: Callable[[JSONObject], OtherProfile | None]
) -> Reading[list[OtherProfile] | Problem]:
    (outcome,) = yield [list_read(form)]
    if isinstance(outcome, Problem):
        return outcome
    try:
        items = elements(outcome.body)
        return [profile for item in items if (profile := decode(item)) is not None]
    except Malformed as error:
        return malformed(outcome, list_read(form).purpose, error)


def _policy(item: JSONObject) -> OtherProfile | None:
    name = text_or_none(item, "name") or ""
    policy = OtherProfile(type="settings catalog policy", id=identifier(item), name=name, listed=item)
    # Windows 10 and 11 are both windows10.
    is_for_windows = str(item.get("platforms") or "windows10").lower() == "windows10"
    return policy if is_for_windows and item.get("settingCount") != 0 else None


def _configuration(item: JSONObject) -> OtherProfile | None:
    profile_id, name = identifier(item), text_or_none(item, "displayName") or ""
    if odata_type(item) == CUSTOM_TYPE and may_hold_modelled(item):
        return OtherProfile(type="custom profile", id=profile_id, name=name, listed=item)
    if odata_type(item) == RESTRICTIONS_TYPE:
        return OtherProfile(type="device restrictions profile", id=profile_id, name=name, listed=item)
    return None


def read_content(
    profile: OtherProfile, is_wanted: Callable[[Settings], bool], purpose: str
) -> Reading[OtherContent | None | Problem]:
    """What a profile sets, and for whom; None, without further reads, when its settings are not wanted."""
    match profile.type:
        case "custom profile":
            whole = yield from CUSTOM.read_whole(profile.id, purpose)
            if isinstance(whole, Problem):
                return whole
            return OtherContent(whole.settings, whole.assignments) if is_wanted(whole.settings) else None
        case "settings catalog policy":
            settings = yield from CATALOG.read_settings(profile.id, purpose)
            if isinstance(settings, Problem):
                return settings
            return (yield from _read_assigned(profile, CATALOG.collection, settings, purpose, is_wanted))
        case "device restrictions profile":
            return (yield from _read_assigned(profile, CUSTOM.collection, _restrictions(profile), purpose, is_wanted))


def _restrictions(profile: OtherProfile) -> Settings:
    """The web sign-in setting of a legacy device restrictions profile."""
    values = {"enabled": True, "disabled": False}
    said = str(profile.listed.get("authenticationWebSignIn") or "").lower()
    return {ENABLE: values[said]} if said in values else {}


def _read_assigned(
    profile: OtherProfile, collection: str, settings: Settings, purpose: str, is_wanted: Callable[[Settings], bool]
) -> Reading[OtherContent | None | Problem]:
    if not is_wanted(settings):
        return None
    (outcome,) = yield [assignments_read(collection, profile.id, purpose)]
    if isinstance(outcome, Problem):
        return outcome
    try:
        return OtherContent(settings, decode_assignments(outcome.body))
    except Malformed as error:
        return malformed(outcome, purpose, error)
