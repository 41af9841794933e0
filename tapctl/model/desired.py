"""The desired state of one tenant, as declared in YAML: checked, merged, typed, with a position for every part.

`None` always means: not named in the file, therefore not managed. Lists are tuples in the order of the file.
The smaller values are named tuples: making a dataclass takes four times as long, and every offline command pays it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from types import MappingProxyType
from typing import Literal, NamedTuple, TypeAlias

from tapctl.errors import Position
from tapctl.model.values import JSONValue

Path = tuple[str | int, ...]
"""A place in the merged tenant: ("groups", "tap-users", "members", 0)."""

Cloud = Literal["global", "usgov", "usgov-dod", "china", "sandbox"]
Ensure = Literal["present", "absent"]
Delivery = Literal["settings-catalog", "oma-uri"]
FilterMode = Literal["include", "exclude"]

ALL_USERS = "all-users"
ALL_DEVICES = "all-devices"

SettingValue = bool | str | tuple[str, ...] | None
"""true, false, "default", text, or a list of text; None takes the setting out of the policy. Credential providers are
web-sign-in, password, pin or a braced GUID."""


class Identity(NamedTuple):
    """How a declared object is found: by pin, else by mark; by name only with `adopt` or `external`."""

    key: str
    display_name: str | None = None
    id: str | None = None
    """The pinned object id (GUID, lower case)."""
    adopt: bool = False
    """Take over the one live object of exactly this name although it has no mark."""
    ensure: Ensure = "present"

    @property
    def takes_over(self) -> bool:
        """Whether an object may be taken over by its name alone. Never for an object to delete."""
        return self.adopt and self.ensure == "present"

    @property
    def is_taken_over(self) -> bool:
        """Whether the object was found by its name alone, which may belong to another object tomorrow."""
        return self.takes_over and self.id is None


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of `groups:`; its address is groups.KEY."""

    identity: Identity
    external: bool = False
    """The group must exist; it is only looked up, never changed."""
    unique_name: str = ""
    """The mark of a group that tapctl creates: Graph's uniqueName, `tapctl-KEY` unless the file gives one."""
    description: str | None = None
    members: tuple[str, ...] | None = None
    """User principal names, device:DEVICE-ID, group:KEY, or object ids."""
    members_exact: bool = False
    """Also remove live members of kinds that `members` does not use."""
    rule: str | None = None
    """Dynamic membership rule."""
    role_assignable: bool | None = None

    @property
    def address(self) -> str:
        return f"groups.{self.identity.key}"


class Target(NamedTuple):
    """One entry of the policy's include list: a group key or all-users."""

    group: str
    until: date | None = None
    """Valid to the end of this day, UTC."""
    reason: str | None = None

    def is_valid(self, today: date) -> bool:
        return self.until is None or self.until >= today


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """`temporaryAccessPass:`. Lifetimes in whole minutes, 10 to 43200; length 8 to 48."""

    address = "temporaryAccessPass"

    state: Literal["enabled", "disabled"] | None = None
    minimum: int | None = None
    default: int | None = None
    maximum: int | None = None
    length: int | None = None
    one_time: bool | None = None
    include: tuple[Target, ...] | None = None
    exclude: tuple[str, ...] | None = None
    """Group keys."""


class Assignment(NamedTuple):
    """One include of a profile: a group key, all-devices or all-users, with an assignment filter by display name."""

    group: str
    filter: str | None = None
    mode: FilterMode = "include"
    until: date | None = None
    reason: str | None = None

    def is_valid(self, today: date) -> bool:
        return self.until is None or self.until >= today


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """A profile of `webSignIn:`; its address is webSignIn.KEY."""

    identity: Identity
    description: str | None = None
    """At most 1000 characters together with the mark (Graph's own limit)."""
    delivery: Delivery = "settings-catalog"
    settings: Mapping[str, SettingValue] = field(default_factory=dict)
    """Only the settings that the file names; see SettingValue."""
    include: tuple[Assignment, ...] | None = None
    exclude: tuple[Assignment, ...] | None = None
    """Exclusions name only a group: they have no filter."""
    scope_tags: tuple[str, ...] | None = None
    """Display names of Intune scope tags."""

    @property
    def address(self) -> str:
        return f"webSignIn.{self.identity.key}"


Resource: TypeAlias = Group | Policy | Profile
"""The declaration of one live object."""


class Suppression(NamedTuple):
    """A lint finding that was considered. It applies to every finding of the rule until the end of `until`."""

    rule: str
    reason: str
    position: Position
    until: date | None = None


class ImpactLimits(NamedTuple):
    """How many people and devices at most may gain or lose the ability in one plan; None: no limit."""

    max_users_gaining: int | None = None
    max_users_losing: int | None = None
    max_devices_gaining: int | None = None
    max_devices_losing: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Guardrails:
    """What a plan may never do."""

    schemas: tuple[JSONValue, ...] = ()
    """JSON Schemas, all of which the merged tenant must satisfy."""
    impact: ImpactLimits = ImpactLimits()
    deny: frozenset[str] = frozenset({"delete"})
    """Any of delete, widen and enable."""
    approval_max_age: timedelta = timedelta(hours=72)


class Authentication(NamedTuple):
    """`tenant.auth`: a method and its options. Holds names of variables and files, never a secret."""

    method: str = "default"
    options: Mapping[str, str] = MappingProxyType({})
    """camelCase as in the YAML: clientId, certificatePath, tokenVariable, ..."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tenant:
    """Everything that one tenant file or folder declares, after `extends` and merging."""

    name: str
    """The file's stem or the folder's name."""
    source: str
    """The file or folder, as the user would type it."""
    id: str
    """Entra tenant id (GUID, lower case)."""
    cloud: Cloud = "global"
    auth: Authentication = Authentication()
    plan_auth: Authentication | None = None
    pass_auth: Authentication | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    scenarios: frozenset[str] = frozenset()
    break_glass: tuple[str, ...] = ()
    """Group keys that must always be excluded from the policy."""
    groups: Mapping[str, Group] = field(default_factory=dict)
    policy: Policy | None = None
    profiles: Mapping[str, Profile] = field(default_factory=dict)
    suppressions: tuple[Suppression, ...] = ()
    guardrails: Guardrails = Guardrails()
    document: JSONValue = None
    """The merged tenant as JSON, for `guardrails.schema`."""
    positions: Mapping[Path, Position] = field(default_factory=dict)
    """The position of each key and each list item of the merged tenant in the files."""
    value_positions: Mapping[Path, Position] = field(default_factory=dict)
    """The position of the start of each value."""
    lines: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The source lines of every file involved, by `Position.file`."""

    def without_resources(self) -> Tenant:
        """The same tenant without any declaration."""
        return replace(self, groups={}, policy=None, profiles={})

    def position(self, *path: str | int) -> Position | None:
        """The position of `path`, or of its nearest parent that is in the files."""
        while path:
            found = self.positions.get(path)
            if found is not None:
                return found
            path = path[:-1]
        return None

    def excerpt(self, position: Position | None) -> str:
        """The source line at a position, or an empty text."""
        if position is None:
            return ""
        lines = self.lines.get(position.file, ())
        return lines[position.line - 1] if 0 < position.line <= len(lines) else ""
