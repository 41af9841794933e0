"""The interface of a kind of resource. Planner, applier, rollback, diff and drift use only this interface, and know
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
"""Path below the address to canonical value; a path that is missing is not managed."""

Role: TypeAlias = Literal["include", "exclude", "member"]
"""What a list does to a group that it names: include it, exclude it, or nest it."""

EVER = date.min
"""A day on which no entry has lapsed."""

ResourceT = TypeVar("ResourceT", Group, Policy, Profile)


class Kind(ABC, Generic[ResourceT]):
    """One kind of resource. Stateless: every method is a pure function, or a reading that the caller runs."""

    section: ClassVar[str]
    """The top-level key of its YAML, and the first part of its addresses."""
    lists_of_groups: ClassVar[Mapping[str, Role]]
    """The fields that name groups."""
    inseparable: ClassVar[frozenset[str]] = frozenset()
    """Fields that depend on each other: one cannot be restored without the others."""
    is_singleton: ClassVar[bool] = False
    """Whether there is exactly one such object in every tenant, which is its own address."""
    title: ClassVar[str] = ""
    """The name for people of a singleton, which has no display name."""
    audit_log: ClassVar[AuditLog]
    """The audit logs that record changes of such objects."""

    # The desired state

    @abstractmethod
    def declared(self, tenant: Tenant) -> Mapping[str, ResourceT]:
        """The tenant's declarations of this kind, by address."""

    @abstractmethod
    def declare(self, tenant: Tenant, resource: ResourceT) -> Tenant:
        """The tenant with one more declaration, which replaces one of the same address."""

    @abstractmethod
    def identity(self, resource: ResourceT) -> Identity | None:
        """How the declared object is found; None for a singleton, which always exists."""

    @abstractmethod
    def fields(self, resource: ResourceT, today: date) -> dict[str, Value]:
        """The managed fields, without lapsed entries."""

    @abstractmethod
    def remarks(self, resource: ResourceT) -> dict[str, Value]:
        """The parts of a declaration that are not fields of the live object, and that a reviewer should see."""

    def is_identifying(self, _path: str, _declared: Fields) -> bool:
        """Whether a field or remark decides which live object is meant: a change of it may affect other people."""
        return False

    @abstractmethod
    def restore(self, identity: Identity, fields: Fields, traits: Mapping[str, str]) -> ResourceT:
        """The declaration that has these fields: the inverse of `fields`.

        Args:
            traits: `Draft.traits` of the object.
        """

    def created(self, fields: Fields) -> Fields:
        """The fields of an object as it was created, with the lists that its creation left empty."""
        return fields

    # The live state

    @abstractmethod
    def reads(self, tenant: Tenant) -> Mapping[str, Reading[object]]:
        """The first reads, by the field of `LiveTenant` that each fills."""

    def further_reads(self, _tenant: Tenant, _seen: LiveTenant) -> Mapping[str, Reading[object]]:
        """The reads that depend on the results of the first ones."""
        return {}

    @abstractmethod
    def ids(self, live: LiveTenant) -> Mapping[str, str]:
        """The object ids of the objects found, by address; empty for a singleton."""

    @abstractmethod
    def live_lists(self, live: LiveTenant, names: Names) -> Mapping[str, Fields]:
        """The live lists of groups in the objects found, by address, including lists that the file does not manage."""

    def referred_groups(self, _live: LiveTenant) -> frozenset[str]:
        """The ids of the groups in live lists, including groups that the file does not declare."""
        return frozenset()

    def beyond(self, _live: LiveTenant, _address: str, _fields: Fields) -> list[str]:
        """What a live object holds besides these fields, each as text for people."""
        return []

    @abstractmethod
    def describe_referrer(self, referrer: Referrer) -> str:
        """The part of such an object that refers to a group, as text for people."""

    # The plan

    def check(self, _tenant: Tenant, _live: LiveTenant, _names: Names) -> Iterable[Finding]:
        """Findings that prevent any plan, in addition to those of `plan`."""
        return ()

    @abstractmethod
    def plan(
        self, tenant: Tenant, live: LiveTenant, names: Names, today: date, *, only_lapsed: bool = False
    ) -> Iterator[Draft | Finding]:
        """The changes that make the live objects match the declarations, and findings where that is not possible."""

    def observe(
        self, _tenant: Tenant, _live: LiveTenant, _names: Names, _changing: frozenset[str]
    ) -> Iterable[Finding]:
        """What a reviewer should know about the live state that is not part of a change.

        Args:
            _changing: the addresses that the plan changes.
        """
        return ()

    @abstractmethod
    def effect(self, item: FieldChange) -> Effect:
        """The effect of a change of one field. The effect of membership depends on where the group is used."""


AnyKind: TypeAlias = Kind[Any]
