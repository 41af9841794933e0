"""The clock for time limits, throttling and token lifetimes; it is injected so that no test sleeps."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Time as the client sees it."""

    def now(self) -> float:
        """Seconds of a monotonic clock; only differences have a meaning."""

    def wall(self) -> float:
        """Seconds since the epoch, for token lifetimes and `Retry-After` dates."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The clock of this machine."""

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
