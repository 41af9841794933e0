"""Who changed a live object last, and when, by the audit logs of Entra and Intune.

The logs are throttled at 5 requests in 10 seconds, so few pages are read, newest first."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta

from tapctl.errors import Finding
from tapctl.kinds.audit import AuditEntry
from tapctl.kinds.kind import AnyKind
from tapctl.kinds.registry import kind_of
from tapctl.kinds.steps import Draft
from tapctl.model.gather import gather
from tapctl.model.plan import Attribution, Change
from tapctl.model.requests import Problem, Reading

MOST_PAGES = 3
"""Pages of one log that are looked through."""
RETENTION = timedelta(days=30)
"""Entra keeps its log for 7 days, or 30 with a P1 licence: looking further back finds nothing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class AuditSubject:
    """A changed object to look for."""

    address: str
    id: str | None
    """None where the object no longer exists, and for a singleton."""
    name: str
    """The display name, to find the audit entry of a deletion."""
    paths: frozenset[str] = frozenset()
    """The fields that drifted; empty: any."""

    def is_subject_of(self, entry: AuditEntry) -> bool:
        if kind_of(self.address).is_singleton:
            return True
        if self.id is not None:
            return self.id.lower() in entry.ids and self._can_come_from(entry)
        return self.name in entry.deleted_names

    def _can_come_from(self, entry: AuditEntry) -> bool:
        """Whether such an entry can explain one of the fields: a rule that changed makes the service move members."""
        if not self.paths:
            return True
        return entry.list_changed in self.paths if entry.list_changed else self.paths != {"members"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Attributions:
    """What the logs said."""

    by_address: Mapping[str, Attribution] = field(default_factory=dict)
    problems: tuple[Problem, ...] = ()
    """Why a log could not be read."""

    def findings(self) -> tuple[Finding, ...]:
        """A warning for every log that could not be read: the author is unknown, but the run does not fail."""
        listed: dict[str, Problem] = {}
        for problem in self.problems:
            listed.setdefault(problem.permission or problem.purpose, problem)
        return tuple(_unavailable(problem) for problem in listed.values())


def _unavailable(problem: Problem) -> Finding:
    return Finding(
        rule="attribution-unavailable",
        severity="warning",
        message=f"who changed this is unknown: {problem.describe()}",
        why="drift is found without the audit logs; they only add who and when",
        fix=problem.advice(),
    )


def subjects(drafts: Iterable[Draft], changes: Mapping[str, Change]) -> tuple[AuditSubject, ...]:
    """The objects of the changes that are drift.

    Args:
        changes: by address, as judged.
    """
    return tuple(
        AuditSubject(
            address=draft.change.address,
            id=draft.object_id,
            name=draft.change.title,
            paths=frozenset(item.path for item in draft.change.fields),
        )
        for draft in drafts
        if changes[draft.change.address].reason == "drift"
    )


def read_attributions(sought: Sequence[AuditSubject], now: datetime) -> Reading[Attributions]:
    """The newest entry of the logs on each object. Nothing is read where nothing is sought."""
    by_kind: dict[AnyKind, list[AuditSubject]] = {}
    for item in sought:
        by_kind.setdefault(kind_of(item.address), []).append(item)
    seen = yield from gather({kind.section: _read_log(kind, items, now) for kind, items in by_kind.items()})
    return Attributions(
        by_address={address: by for found, _ in seen.values() for address, by in found.items()},
        problems=tuple(problem for _, problem in seen.values() if problem is not None),
    )


def attributed(change: Change, attributions: Attributions) -> Change:
    """The change with who and when, where the logs know."""
    by = attributions.by_address.get(change.address)
    return change if by is None else replace(change, by=by)


def _read_log(
    kind: AnyKind, sought: Sequence[AuditSubject], now: datetime
) -> Reading[tuple[dict[str, Attribution], Problem | None]]:
    """Page by page until every object was found, the log ends, or enough was read."""
    found: dict[str, Attribution] = {}
    read = kind.audit_log.read_since(now - RETENTION)
    for _ in range(MOST_PAGES):
        (outcome,) = yield [read]
        page = kind.audit_log.page(read, outcome)
        if isinstance(page, Problem):
            return found, page
        for item in sought:
            newest = next((entry for entry in page.entries if item.is_subject_of(entry)), None)
            if newest is not None:
                found.setdefault(item.address, newest.by)
        if page.next_page is None or len(found) == len(sought):
            break
        read = page.next_page
    return found, None
