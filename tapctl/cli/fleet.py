"""Many tenants in one run: load them, plan them side by side, apply what was consented to."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from types import MappingProxyType
from typing import TYPE_CHECKING, Literal, get_args

from tapctl import __version__
from tapctl.errors import EXIT_PRECEDENCE, ExitCode, TapctlError
from tapctl.model.plan import PlanDocument, TenantPlan

if TYPE_CHECKING:
    from tapctl.cli.checked import Checked
    from tapctl.cli.session import RunOptions, Session
    from tapctl.config.load import Failed

Command = Literal["plan", "apply", "drift", "rollback"]

TENANTS_AT_ONCE = 8


def broken(item: Failed) -> TenantPlan:
    """A tenant whose files could not be read into a desired state."""
    from tapctl.reconcile.summary import describe_first

    message, fix = describe_first(item.findings)
    return TenantPlan(
        name=item.name,
        tenant_id=item.id,
        cloud=item.cloud,
        status="failed",
        exit_code=ExitCode.REFUSED,
        error=message,
        fix=fix,
        findings=item.findings,
    )


def document(plans: Iterable[TenantPlan], command: Command = "plan", *, only_lapsed: bool = False) -> PlanDocument:
    """The document of a run, tenants by name."""
    return PlanDocument(
        created_at=datetime.now(UTC).replace(microsecond=0),
        tapctl_version=__version__,
        tenants=tuple(sorted(plans, key=lambda plan: plan.name)),
        command=command,
        only_lapsed=only_lapsed,
    )


def plan_command(name: str) -> Command | None:
    """The command of this name, if it prints plan documents."""
    return next((command for command in get_args(Command) if command == name), None)


def nothing(command: Command, error: TapctlError) -> PlanDocument:
    """The document of a run that got nowhere."""
    return replace(document((), command), error=error.message, fix=error.fix)


def exit_code(
    plans: Iterable[TenantPlan], *, changes_count: bool = False, trouble: TapctlError | None = None
) -> ExitCode:
    """The first of the documented precedence that any tenant ended with, or what went wrong beside them."""
    codes = {ExitCode.DONE if trouble is None else trouble.exit_code}
    for plan in plans:
        codes.add(plan.exit_code)
        if changes_count and plan.status == "changes":
            codes.add(ExitCode.CHANGES)
    return next(code for code in EXIT_PRECEDENCE if code in codes)


class Fleet:
    """The sessions of one run."""

    def __init__(
        self,
        checked: Checked,
        run_options: RunOptions,
        *,
        writable: bool,
        overrides: Mapping[str, Mapping[str, str]] = MappingProxyType({}),
    ) -> None:
        """
        Args:
            overrides: by tenant name, what was approved for that tenant alone.
        """
        from tapctl.cli.session import Session

        self.sessions: dict[str, Session] = {}
        for tenant, findings in checked.tenants:
            own = {**overrides.get(tenant.name, {}), **run_options.overrides}
            self.sessions[tenant.name] = Session(
                tenant, findings, replace(run_options, overrides=own), writable=writable
            )
        self._broken = tuple(broken(item) for item in checked.failed)
        self._places = asyncio.Semaphore(TENANTS_AT_ONCE)

    async def close(self) -> None:
        """Give back what the sessions hold open."""
        for session in self.sessions.values():
            await session.close()

    async def plan(self) -> list[TenantPlan]:
        """Plan every tenant side by side."""
        plans = await side_by_side([self._plan(session) for session in self.sessions.values()])
        return [*plans, *self._broken]

    async def _plan(self, session: Session) -> TenantPlan:
        try:
            async with self._places:
                return await session.plan_or_interrupted()
        except asyncio.CancelledError:
            return session.interrupted()


async def side_by_side(runs: Sequence[Coroutine[None, None, TenantPlan]]) -> list[TenantPlan]:
    """Every tenant's result, in order. When the run is interrupted each tenant is told, and still says how it ended."""
    tasks = [asyncio.ensure_future(run) for run in runs]
    if not tasks:
        return []
    try:
        await asyncio.wait(tasks)
    except asyncio.CancelledError:
        for task in tasks:
            task.cancel()
        await asyncio.wait(tasks)
    return [task.result() for task in tasks]


async def plan_all(checked: Checked, run_options: RunOptions) -> list[TenantPlan]:
    """Plan every tenant with clients that cannot write."""
    fleet = Fleet(checked, run_options, writable=False)
    try:
        return await fleet.plan()
    finally:
        await fleet.close()


def sandbox_only(checked: Checked) -> Sequence[str]:
    """The names of the tenants that are embedded in tapctl."""
    return [tenant.name for tenant, _ in checked.tenants if tenant.cloud == "sandbox"]
