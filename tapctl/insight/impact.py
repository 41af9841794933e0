"""How many people and devices a plan gives the ability to, or takes it from: exact, an upper bound, or unknown.

The ability of people is to be in scope of the TAP policy; that of devices is to get web sign-in from a profile that the
files declare. Both sides are counted by themselves. No figure is ever too small, and what cannot be read is unknown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import cast

from tapctl.errors import Finding, Severity
from tapctl.graph.reading import Reader, run_readings
from tapctl.insight.impact_count import NONE, UNKNOWN, at_most
from tapctl.insight.impact_exact import Counted, count_devices, count_users
from tapctl.insight.impact_scopes import Effects, effects_of, policy_scope
from tapctl.insight.reach import Bound, Moves, Side, Term, Terms, Transition, concerns, gaining, losing
from tapctl.kinds import policy
from tapctl.kinds.directory import read_groups_above
from tapctl.model.desired import Cloud, ImpactLimits, Tenant
from tapctl.model.gather import gather
from tapctl.model.live import LivePolicy, LiveTenant
from tapctl.model.plan import Impact, ImpactCount
from tapctl.model.requests import Problem, ProblemKind, Read, Reading, Reply
from tapctl.reconcile.planner import Planned


@dataclass(frozen=True, slots=True)
class Assessment:
    """Who gains and who loses, and what kept it from being known."""

    impact: Impact
    problems: tuple[Problem, ...] = ()
    """Reads that failed."""

    def findings(self, limits: ImpactLimits) -> tuple[Finding, ...]:
        """Why a figure is unknown: a warning for each reason where a guardrail sets a limit; else a note, and only for
        missing permissions."""
        if None not in (figure.count for figure in _figures(self.impact)):
            return ()
        is_limited = limits != ImpactLimits()
        reasons: dict[str, Problem] = {}
        for problem in self.problems:
            is_denied = problem.kind is ProblemKind.DENIED
            if is_limited or is_denied:
                reasons.setdefault(problem.permission if is_denied else problem.describe(), problem)
        return tuple(_unknown_impact(problem, "warning" if is_limited else "info") for problem in reasons.values())


def _figures(impact: Impact) -> tuple[ImpactCount, ...]:
    return impact.users_gaining, impact.users_losing, impact.devices_gaining, impact.devices_losing


def _unknown_impact(problem: Problem, severity: Severity) -> Finding:
    return Finding(
        rule="impact-unknown",
        severity=severity,
        message=f"how many people or devices gain or lose is not known: {problem.describe()}",
        why="what cannot be counted counts as too many where guardrails.impact sets a limit",
        fix=problem.advice(),
    )


class _Remembering:
    """A reader that remembers which reads failed."""

    def __init__(self, reader: Reader) -> None:
        self._reader = reader
        self.problems: list[Problem] = []

    async def read(self, reads: Sequence[Read]) -> list[Reply]:
        outcomes = await self._reader.read(reads)
        self.problems += [outcome for outcome in outcomes if isinstance(outcome, Problem)]
        return outcomes


async def assess(reader: Reader, tenant: Tenant, planned: Planned, live: LiveTenant, *, mode: str) -> Assessment:
    """Count who gains and who loses the ability.

    Args:
        mode: `off` reads nothing, and says only where nothing can change; `count` reads a few counts, for upper bounds;
            `exact` lists the members of every group involved.

    Raises:
        RemoteError: signing in failed. A read that fails only makes its figure unknown.
    """
    effects = effects_of(tenant, planned, live)
    if mode == "off":
        return Assessment(_unread(effects))
    remembering = _Remembering(reader)
    (impact,) = await run_readings(remembering, [_assess(tenant.cloud, effects, is_exact=mode == "exact")])
    return Assessment(impact, tuple(remembering.problems))


def _unread(effects: Effects) -> Impact:
    """Zero where nobody can gain or lose, with any members of the tenant's groups; else unknown."""
    unknown_parents = dict.fromkeys(_maybe_nested(effects))
    bounds = _bounds(effects, Moves(memberships=effects.memberships, parents=unknown_parents))
    return _impact([UNKNOWN if bound is None or bound.terms else NONE for bound in bounds])


def _assess(cloud: Cloud, effects: Effects, *, is_exact: bool) -> Reading[Impact]:
    effects, moves = yield from _context(cloud, effects)
    bounds = _bounds(effects, moves)
    figures = [UNKNOWN if bound is None or bound.terms else NONE for bound in bounds]
    open_bounds = {index: bound for index, bound in enumerate(bounds) if bound is not None and bound.terms}
    if is_exact:
        found = yield from _exactly(effects, open_bounds)
        for index, figure in found.items():
            figures[index] = figure
            if figure.certainty == "exact":
                del open_bounds[index]
    counted = yield from at_most([(_SIDES[index], bound) for index, bound in open_bounds.items()])
    for index, figure in zip(open_bounds, counted, strict=True):
        figures[index] = _smaller(figures[index], figure)
    return _impact(figures)


_SIDES: tuple[Side, Side, Side, Side] = ("users", "users", "devices", "devices")
"""The side of each figure; of two of one side the first gains, the second loses."""


def _impact(figures: list[ImpactCount]) -> Impact:
    return Impact(
        users_gaining=figures[0], users_losing=figures[1], devices_gaining=figures[2], devices_losing=figures[3]
    )


def _smaller(one: ImpactCount, other: ImpactCount) -> ImpactCount:
    """The better of two upper bounds."""
    known = [figure for figure in (one, other) if figure.count is not None]
    return min(known, key=lambda figure: figure.count or 0, default=UNKNOWN)


def _exactly(effects: Effects, wanted: Mapping[int, Bound]) -> Reading[dict[int, ImpactCount]]:
    """The figures that can be known account by account, as far as they are wanted."""
    readings: dict[Side, Reading[Counted | None]] = {}
    if effects.policy is not None and {0, 1} & set(wanted):
        readings["users"] = count_users(effects.policy, effects.memberships)
    if {2, 3} & set(wanted):
        readings["devices"] = count_devices(effects.profiles.values(), effects.memberships)
    counted = yield from gather(readings)
    found: dict[int, ImpactCount] = {}
    for index in wanted:
        both = counted.get(_SIDES[index])
        if both is not None:
            found[index] = both.losing if index % 2 else both.gaining
    return found


# Bounds


def _bounds(effects: Effects, moves: Moves) -> list[Bound | None]:
    """Who may gain and lose, people first; None where the policy is not known."""
    return [*_user_bounds(effects, moves), *_device_bounds(effects, moves)]


def _user_bounds(effects: Effects, moves: Moves) -> list[Bound | None]:
    if effects.policy is not None:
        return [gaining(effects.policy, moves, "users"), losing(effects.policy, moves, "users")]
    nobody = Bound(frozenset())
    return [None, None] if _moves_people(effects) else [nobody, nobody]


def _device_bounds(effects: Effects, moves: Moves) -> list[Bound | None]:
    """One bound for all profiles together: a device that two of them bring counts once."""
    come = [gaining(profile, moves, "devices").terms for profile in effects.profiles.values()]
    gone = [losing(profile, moves, "devices").terms for profile in effects.profiles.values()]
    return [Bound(_union(come)), Bound(_union(gone))]


def _union(parts: Iterable[Terms]) -> Terms:
    return frozenset(term for part in parts for term in part)


# What bounds lean on beyond the plan itself


def _context(cloud: Cloud, effects: Effects) -> Reading[tuple[Effects, Moves]]:
    """What else has to be known: in which groups the changed ones are nested, and a policy that no file manages."""
    wanted: dict[str, Reading[object]] = {ref: read_groups_above(ref) for ref in sorted(_maybe_nested(effects))}
    if effects.policy is None and _moves_people(effects):
        wanted["policy"] = policy.read(cloud)
    parts = yield from gather(wanted)
    seen = parts.pop("policy", None)
    if isinstance(seen, LivePolicy):
        scope = policy_scope(seen)
        effects = replace(effects, policy=Transition(before=scope, after=scope))
    above = {ref: cast("frozenset[str] | Problem", part) for ref, part in parts.items()}
    parents = {ref: None if isinstance(ids, Problem) else ids for ref, ids in above.items()}
    return effects, Moves(memberships=effects.memberships, parents=parents)


def _moves_people(effects: Effects) -> bool:
    """Whether the plan may change who is in groups that were there before it."""
    terms = (
        term for ref in _existing(effects) for term in effects.memberships[ref].added | effects.memberships[ref].removed
    )
    return any(concerns(term, "users") for term in terms)


def _existing(effects: Effects) -> list[str]:
    """The changed groups that the tenant has already and that stay: a deleted group is nested nowhere any more."""
    return [ref for ref, change in effects.memberships.items() if not change.is_new and not change.is_deleted]


def _maybe_nested(effects: Effects) -> set[str]:
    """The changed groups of which it matters, and is not known, in which other groups they are.

    It matters where a list, or a group that the plan fills, names a group that is there already and may hold others."""
    transitions = [*effects.profiles.values(), *([effects.policy] if effects.policy is not None else [])]
    scopes = [scope for item in transitions for scope in (item.before, item.after) if scope.is_on is not False]
    named = {entry.target for scope in scopes for entry in scope.include}
    named |= {target for scope in scopes for target in scope.exclude}
    named |= {term for change in effects.memberships.values() for term in change.added}
    nesting = {
        target.id
        for target in named
        if target.kind == "group" and target.id not in effects.flat and not _is_new(effects, target)
    }
    # A policy that no file manages may name any group.
    anything = effects.policy is None and _moves_people(effects)
    return {ref for ref in _existing(effects) if anything or nesting - {ref}}


def _is_new(effects: Effects, target: Term) -> bool:
    change = effects.memberships.get(target.id)
    return change is not None and change.is_new
