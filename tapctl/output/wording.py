"""The words and sums that the text, Markdown and annotation forms of a plan have in common. All text is visible."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tapctl.model.words import count_noun

if TYPE_CHECKING:  # `validate` prints findings without loading what a plan is
    from tapctl.errors import Finding
    from tapctl.model.plan import (
        Attribution,
        Change,
        GraphUsage,
        Impact,
        ImpactCount,
        PlanDocument,
        TenantPlan,
        Violation,
    )

SYMBOLS = {"create": "+", "update": "~", "delete": "-"}
PAST = {"create": "created", "update": "updated", "delete": "deleted"}
KNOWN_REASONS = frozenset({"lapsed", "pending", "drift"})
"""Reasons of one word, shown as a marker; others are sentences."""

OUTCOMES = ("applied", "waiting", "unverified", "failed", "skipped")

SANDBOX_LABEL = "sandbox: embedded in tapctl, not a Microsoft tenant"


@dataclass(frozen=True, slots=True)
class Tally:
    """How many changes of each action."""

    create: int = 0
    update: int = 0
    delete: int = 0

    def __str__(self) -> str:
        return f"{self.create} to create, {self.update} to update, {self.delete} to delete"


def tally(changes: Iterable[Change]) -> Tally:
    """Counts changes by action."""
    actions = [change.action for change in changes]
    return Tally(actions.count("create"), actions.count("update"), actions.count("delete"))


def all_changes(document: PlanDocument) -> tuple[Change, ...]:
    """The changes of every tenant."""
    return tuple(change for tenant in document.tenants for change in tenant.changes)


def footer(used: Iterable[GraphUsage], seconds: float | None = None) -> str:
    """The last line of every run that talks to Graph. The wording is the same for every number: scripts read it.

    Args:
        used: what each tenant cost; they run side by side, so the longest chain of calls is the run's.
        seconds: wall time of the whole run; the slowest tenant's unless given.
    """
    listed = list(used)
    slowest = max((usage.seconds for usage in listed), default=0.0)
    return (
        f"Graph: {sum(usage.requests for usage in listed)} requests in {sum(usage.calls for usage in listed)} calls, "
        f"{max((usage.round_trips for usage in listed), default=0)} round trips, "
        f"throttled {sum(usage.throttled for usage in listed)} times, {slowest if seconds is None else seconds:.1f} s"
    )


def run_footer(document: PlanDocument, seconds: float | None = None) -> str:
    """The footer of a whole document."""
    return footer((tenant.graph for tenant in document.tenants), seconds)


def changed_by(by: Attribution) -> str:
    """Who made a live value what it is, and when. Text of the tenant: to be made harmless."""
    return f"changed by {by.who} at {by.when}" + (f" via {by.via}" if by.via else "")


def markers(change: Change) -> list[str]:
    """What a reviewer must not overlook about a change."""
    found = ["widens"] if change.widens else []
    if change.irreversible:
        found.append("cannot be undone")
    if change.reason in KNOWN_REASONS:
        found.append(change.reason)
    return found


def reason_sentence(change: Change) -> str | None:
    """A reason that is more than a marker. Not visible yet."""
    return None if change.reason in KNOWN_REASONS else change.reason


def how_many(impact: ImpactCount) -> str:
    """`12`, `at most 12` or `an unknown number`."""
    if impact.count is None or impact.certainty == "unknown":
        return "an unknown number"
    return f"at most {impact.count}" if impact.certainty == "upper-bound" else str(impact.count)


def impact_lines(impact: Impact) -> list[str]:
    """Who gains and who loses the ability, people first."""
    return [
        f"people: {_gain_and_lose(impact.users_gaining, impact.users_losing)}",
        f"devices: {_gain_and_lose(impact.devices_gaining, impact.devices_losing)}",
    ]


def _gain_and_lose(gaining: ImpactCount, losing: ImpactCount) -> str:
    gain = "gains" if gaining.count == 1 else "gain"
    lose = "loses" if losing.count == 1 else "lose"
    return f"{how_many(gaining)} {gain} the ability, {how_many(losing)} {lose} it"


def way_out(violation: Violation) -> str:
    """What to do about a guardrail that stops a plan."""
    if violation.rule == "break-glass":
        return "add the group to `temporaryAccessPass.exclude`; break-glass cannot be overridden"
    return f"change the files, or run again with `--override {violation.rule} --reason TEXT`"


def trouble(tenant: TenantPlan) -> tuple[str, str] | None:
    """Why a tenant is not as it should be, and the way out. Not visible yet.

    What each guardrail and each change says further down, with a way out of its own, is only counted.
    """
    denying = sum(not violation.overridden for violation in tenant.guardrails)
    if tenant.status == "denied" and denying:
        return f"{count_noun(denying, 'guardrail')} {'denies' if denying == 1 else 'deny'} this plan", ""
    ended = [(change, change.outcome) for change in tenant.changes if change.outcome is not None]
    bad = [(change, outcome) for change, outcome in ended if outcome.name in ("failed", "unverified")]
    if any(tenant.error == f"{change.address}: {outcome.message}" for change, outcome in bad):
        return f"{len(bad)} of {count_noun(len(ended), 'change')} failed or could not be verified", ""
    return None if tenant.error is None else (tenant.error, tenant.fix)


def outcome_counts(changes: Iterable[Change]) -> dict[str, int]:
    """How many changes ended in each way; empty before an apply."""
    ended: list[str] = [change.outcome.name for change in changes if change.outcome is not None]
    return {name: ended.count(name) for name in OUTCOMES} if ended else {}


def nothing_to_do(document: PlanDocument) -> str:
    """What is said of a tenant without changes."""
    if document.only_lapsed:
        return "Nothing has lapsed."
    if document.command == "rollback":
        return "Nothing goes back: no field holds what that apply wrote."
    return "No changes. The tenant is as declared."


def closing(document: PlanDocument) -> str:
    """The sentence that sums up a document."""
    changes = all_changes(document)
    counts = outcome_counts(changes)
    if counts:
        return "Apply: " + ", ".join(f"{count} {name}" for name, count in counts.items()) + "."
    failed = sum(1 for tenant in document.tenants if tenant.status == "failed")
    if document.command in ("apply", "rollback") and (stopped := _stopped(document)):
        return f"Nothing was applied: {stopped}."
    noun = "Drift" if document.command == "drift" else "Plan"
    if failed and not changes:
        # Nothing is claimed of a tenant that could not be read: not even that there is nothing to do.
        return f"No {noun.lower()}: {count_noun(failed, 'tenant')} failed."
    if changes or any(tenant.status != "clean" for tenant in document.tenants):
        unread = f"; {count_noun(failed, 'tenant')} failed" if failed else ""
        return f"{noun}: {tally(changes)}{unread}."
    if document.only_lapsed or document.command == "rollback":
        return nothing_to_do(document)
    subject = "the tenant is" if len(document.tenants) == 1 else f"all {len(document.tenants)} tenants are"
    return (
        f"No drift: {subject} as declared."
        if document.command == "drift"
        else f"No changes. {subject.capitalize()} as declared."
    )


def _stopped(document: PlanDocument) -> str:
    """`1 tenant failed, 2 tenants denied` of a run that is over; empty while it may go on, or if all is well."""
    names = [tenant.status for tenant in document.tenants]
    if "changes" in names:
        return ""
    parts = [f"{count_noun(names.count(name), 'tenant')} {name}" for name in ("failed", "denied") if name in names]
    return ", ".join(parts)


def statuses(document: PlanDocument) -> str:
    """How many tenants ended in each status, in the order in which the statuses first occur."""
    names = [tenant.status for tenant in document.tenants]
    listed = ", ".join(
        f"{names.count(name)} {'with changes' if name == 'changes' else name}" for name in dict.fromkeys(names)
    )
    return f"{count_noun(len(names), 'tenant')}: {listed}."


def finding_counts(findings: Iterable[Finding]) -> str:
    """`2 errors, 1 warning, 3 suppressed`; empty when there is none."""
    listed = list(findings)
    open_findings = [finding.severity for finding in listed if not finding.suppressed]
    nouns = (("error", "error"), ("warning", "warning"), ("info", "remark"))
    parts = [count_noun(open_findings.count(severity), noun) for severity, noun in nouns if severity in open_findings]
    suppressed = len(listed) - len(open_findings)
    if suppressed:
        parts.append(f"{suppressed} suppressed")
    return ", ".join(parts)
