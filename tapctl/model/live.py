"""The live state of one tenant, as far as the desired state asks for it: decoded, typed, without wire JSON."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Generic, Literal, TypeAlias, TypeVar

from tapctl.model.desired import Delivery, FilterMode, SettingValue
from tapctl.model.requests import Problem
from tapctl.model.values import JSONValue

MemberKind = Literal["user", "device", "group", "other"]
TargetKind = Literal["group", "exclusion", "all-devices", "all-users", "other"]


@dataclass(frozen=True, slots=True)
class Candidate:
    """A live object that the declaration might mean."""

    id: str
    display_name: str
    """Untrusted text."""


LiveT_co = TypeVar("LiveT_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Found(Generic[LiveT_co]):
    """Exactly one live object matches the declaration."""

    object: LiveT_co


@dataclass(frozen=True, slots=True)
class Absent:
    """No object matches, and every object that could match was read."""


@dataclass(frozen=True, slots=True)
class Unmarked:
    """An object has the display name but neither tapctl's mark nor a pin: it is not taken over without being asked."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class Ambiguous:
    """Several live objects match."""

    candidates: tuple[Candidate, ...]


@dataclass(frozen=True, slots=True)
class PinMissing:
    """The pinned id belongs to no live object of this kind."""


@dataclass(frozen=True, slots=True)
class OtherDelivery:
    """The profile has tapctl's mark, but was created with a different delivery from the one in the file."""

    id: str
    delivery: Delivery


Lookup: TypeAlias = Found[LiveT_co] | Absent | Unmarked | Ambiguous | PinMissing | OtherDelivery | Problem
"""The result of looking up a declared object. A Problem means unknown, which is not absent."""


@dataclass(frozen=True, slots=True)
class DirectoryTarget:
    """One entry of the policy's target lists."""

    kind: Literal["group", "user", "all-users", "other"]
    id: str
    type_name: str = ""
    """For `other`: Graph's name of a type that tapctl does not know."""
    is_registration_required: bool = False
    """Only includes have it; Graph documents no use of it for passes. An entry that stays keeps it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LivePolicy:
    """The TAP policy. A property that Graph left out or sent as null is None."""

    state: str | None
    minimum: int | None
    default: int | None
    maximum: int | None
    length: int | None
    one_time: bool | None
    include: frozenset[DirectoryTarget]
    exclude: frozenset[DirectoryTarget]


@dataclass(frozen=True, slots=True)
class Member:
    """A member of a group. `name` is a user's principal name, a device's device id, else empty."""

    id: str
    kind: MemberKind
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveGroup:
    id: str
    display_name: str
    description: str
    unique_name: str | None
    rule: str | None
    """The membership rule of a dynamic group, else None."""
    role_assignable: bool
    security_enabled: bool
    mail_enabled: bool
    is_microsoft_365: bool
    is_synchronised: bool
    """Comes from on-premises: Graph refuses to change it."""
    members: frozenset[Member] | None = None
    """None where membership was not read."""


@dataclass(frozen=True, slots=True)
class LiveAssignment:
    """One assignment of a profile. `filter_id` is None where there is no filter."""

    kind: TargetKind
    group_id: str | None = None
    filter_id: str | None = None
    mode: FilterMode = "include"
    is_direct: bool = True
    """False where a policy set created it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveProfile:
    """A web sign-in profile of either delivery."""

    id: str
    name: str
    description: str
    """Without the mark."""
    mark: str | None
    """The key in the mark, None where there is no mark."""
    delivery: Delivery
    settings: Mapping[str, SettingValue]
    """The modelled settings that the policy holds."""
    unmodelled: int = 0
    """How many settings the policy holds that tapctl does not model."""
    masked: int = 0
    """How many of those Graph shows masked: they cannot be sent back."""
    holding_unmodelled: frozenset[str] = frozenset()
    """The modelled settings that have child settings which tapctl does not model."""
    clear_texts: frozenset[tuple[str, str]] = frozenset()
    """Texts among the unmodelled settings that Graph shows in clear: address and digest. Intune may mask them later."""
    unreadable: Mapping[str, str] = field(default_factory=dict)
    """Modelled settings in an unknown form: name to what is wrong. They count as unmodelled."""
    carried: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Values that a write of the settings sends unchanged, by a name for people."""
    is_templated: bool = False
    scope_tag_ids: frozenset[str] = frozenset()
    assignments: frozenset[LiveAssignment] = frozenset()
    unmodelled_digest: str = ""
    """Differs when a setting that tapctl does not model differs."""
    wire: JSONValue = field(default=None, compare=False)
    """What the kind needs to write the whole object back. Opaque outside the kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignmentFilter:
    id: str
    display_name: str
    rule: str
    platform: str = ""


@dataclass(frozen=True, slots=True)
class ScopeTag:
    id: str
    display_name: str


SettingShape = Literal["collection", "text"]
"""Whether the settings catalog holds a list of strings as a collection, or as one string with delimiters."""


@dataclass(frozen=True, slots=True)
class Referrer:
    """A live object that refers to a group."""

    group_id: str
    section: str
    """The first part of the object's address: groups, temporaryAccessPass or webSignIn."""
    id: str
    """Empty for a singleton."""
    name: str
    """Display name. Untrusted text."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LiveTenant:
    """Everything that was read. A part that is a Problem is unknown; a part that is None was not read."""

    policy: LivePolicy | Problem | None = None
    groups: Mapping[str, Lookup[LiveGroup]] = field(default_factory=dict)
    profiles: Mapping[str, Lookup[LiveProfile]] = field(default_factory=dict)
    filters: tuple[AssignmentFilter, ...] | Problem | None = None
    scope_tags: tuple[ScopeTag, ...] | Problem | None = None
    group_names: Mapping[str, str | None | Problem] = field(default_factory=dict)
    """Groups that live lists refer to and the file does not declare: id to display name; None: deleted."""
    people: Mapping[str, Member | None | Problem] = field(default_factory=dict)
    """Members in the file that no live group has: spelling (in lower case) to the object; None: no such object."""
    shapes: Mapping[str, SettingShape | Problem] = field(default_factory=dict)
    """For settings whose instance type only the tenant's own definition gives: setting name to shape."""
    referrers: tuple[Referrer, ...] | Problem = ()
    """The live objects that refer to a group that will be deleted."""

    def problems(self) -> tuple[Problem, ...]:
        """Every part that could not be read."""
        parts: list[object] = [self.policy, self.filters, self.scope_tags, self.referrers]
        for mapping in (self.groups, self.profiles, self.group_names, self.people, self.shapes):
            parts.extend(mapping.values())
        return tuple(dict.fromkeys(part for part in parts if isinstance(part, Problem)))
