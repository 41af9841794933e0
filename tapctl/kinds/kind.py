"""What a kind of resource is to everything above: planner, applier, rollback, diff and drift ask through this, and know
no kind by name."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from datetime import date
from typing import Any, ClassVar, Generic, Literal, TypeAlias, TypeVar

from tapctl.errors import Finding
from tapctl.kinds.audit import AuditLog
from tapctl.kinds.effects import Effect
from tapctl.kinds.naming import Names
from tapctl.kinds.steps import Draft
from tapctl.model.desired import Group, Identity, Policy, Profile, Tenant
from tapctl.model.live import LiveTenant, Referrer
from tapctl.model.plan import FieldChange
from tapctl.model.requests import Reading
from tapctl.model.values import Value

Fields: TypeAlias = Mapping[str, Value]
"""Path below the address to canonical value; what is not named is not managed."""

Role: TypeAlias = Literal["include", "exclude", "member"]
"""What naming a group in a list does: reach it, keep it out, or nest it."""

EVER = date.min
"""A day on which no entry has lapsed."""

ResourceT = TypeVar("ResourceT", Group, Policy, Profile)


class Kind(ABC, Generic[ResourceT]):
    """One kind of resource. Stateless: every method is a pure function, or a reading that somebody else drives."""

    section: ClassVar[str]
    """The top-level key of its YAML, and the first part of its addresses."""
    lists_of_groups: ClassVar[Mapping[str, Role]]
    """The fields that name groups."""
    inseparable: ClassVar[frozenset[str]] = frozenset()
    """Fields that make sense only together: one alone cannot be restored."""
    is_singleton: ClassVar[bool] = False
    """Whether there is exactly one such object in every tenant, which is its own address."""
    title: ClassVar[str] = ""
    """What people call a singleton, which has no display name."""
    audit_log: ClassVar[AuditLog]
    """Where the cloud keeps who changed such an object."""

    # The desired state

    @abstractmethod
    def declared(self, tenant: Tenant) -> Mapping[str, ResourceT]:
        """What a tenant declares of this kind, by address."""

    @abstractmethod
    def declare(self, tenant: Tenant, resource: ResourceT) -> Tenant:
        """The tenant with one more declaration, in the place of one of the same address."""

    @abstractmethod
    def identity(self, resource: ResourceT) -> Identity | None:
        """How the declared object is found; None for a singleton, which always exists."""

    @abstractmethod
    def fields(self, resource: ResourceT, today: date) -> dict[str, Value]:
        """The managed fields, without the entries whose day has passed."""

    @abstractmethod
    def remarks(self, resource: ResourceT) -> dict[str, Value]:
        """What a declaration says that is no field of the live object, and that a reviewer should see."""

    def is_identifying(self, _path: str, _declared: Fields) -> bool:
        """Whether a field or remark decides which live object is meant, so that another one may reach others."""
        return False

    @abstractmethod
    def restore(self, identity: Identity, fields: Fields, traits: Mapping[str, str]) -> ResourceT:
        """The declaration that has these fields: the inverse of `fields`.

        Args:
            traits: what `Draft.traits` said of the object.
        """

    def created(self, fields: Fields) -> Fields:
        """The fields of an object as it was created, with the lists that its creation left empty."""
        return fields

    # The live state

    @abstractmethod
    def reads(self, tenant: Tenant) -> Mapping[str, Reading[object]]:
        """What to read at first, by the field of `LiveTenant` that it fills."""

    def further_reads(self, _tenant: Tenant, _seen: LiveTenant) -> Mapping[str, Reading[object]]:
        """What to read once the first part was seen."""
        return {}

    @abstractmethod
    def ids(self, live: LiveTenant) -> Mapping[str, str]:
        """The object ids of what was found, by address; a singleton's is empty."""

    @abstractmethod
    def live_lists(self, live: LiveTenant, names: Names) -> Mapping[str, Fields]:
        """The live lists of groups of what was found, by address, also those that no file manages."""

    def referred_groups(self, _live: LiveTenant) -> frozenset[str]:
        """The ids of the groups that live lists name and that no declaration may know."""
        return frozenset()

    def beyond(self, _live: LiveTenant, _address: str, _fields: Fields) -> list[str]:
        """What a live object holds beside these fields, each in words."""
        return []

    @abstractmethod
    def describe_referrer(self, referrer: Referrer) -> str:
        """What of such an object refers to a group, in words."""

    # The plan

    def check(self, _tenant: Tenant, _live: LiveTenant, _names: Names) -> Iterable[Finding]:
        """What stands against planning at all, beside what `plan` finds."""
        return ()

    @abstractmethod
    def plan(
        self, tenant: Tenant, live: LiveTenant, names: Names, today: date, *, only_lapsed: bool = False
    ) -> Iterator[Draft | Finding]:
        """The changes that make the live objects what the tenant declares, and why one cannot be made."""

    def observe(
        self, _tenant: Tenant, _live: LiveTenant, _names: Names, _changing: frozenset[str]
    ) -> Iterable[Finding]:
        """What a reviewer should know of the live state that no change says.

        Args:
            _changing: the addresses that the plan changes.
        """
        return ()

    @abstractmethod
    def effect(self, item: FieldChange) -> Effect:
        """What a change of one field does by itself. What membership does depends on where the group is used."""


AnyKind: TypeAlias = Kind[Any]
