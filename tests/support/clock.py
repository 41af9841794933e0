"""Time that moves only when somebody sleeps: one clock for the client, the applier and the sandbox."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

START = datetime(2026, 11, 22, 8, 0, tzinfo=UTC)


class StillClock:
    """Fits the client's and the applier's clock; called, it is the sandbox's."""

    def __init__(self) -> None:
        self.elapsed = 0.0
        self.slept: list[float] = []

    def now(self) -> float:
        return 1000.0 + self.elapsed

    def wall(self) -> float:
        return START.timestamp() + self.elapsed

    async def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)
        self.elapsed += seconds
        await asyncio.sleep(0)

    def __call__(self) -> datetime:
        return datetime.fromtimestamp(self.wall(), UTC)
