"""The clock that patience, throttling and token lifetimes are measured with; injected so that no test sleeps."""

from __future__ import annotations

import asyncio
import time
from typing import Protocol


class Clock(Protocol):
    """Time as the client sees it."""

    def now(self) -> float:
        """Seconds of a clock that never goes back; only differences mean anything."""

    def wall(self) -> float:
        """Seconds since the epoch: token lifetimes and `Retry-After` dates are told in it."""

    async def sleep(self, seconds: float) -> None:
        """Wait."""


class SystemClock:
    """The clock of the machine."""

    def now(self) -> float:
        return time.monotonic()

    def wall(self) -> float:
        return time.time()

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
