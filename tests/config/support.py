"""What the tests of this folder share: the least tenant, and how files are written."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

TENANT_ID = "6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c11"

Write = Callable[[str, str], Path]
"""Writes a file of a name below the current folder."""


def tenant(number: int = 1) -> str:
    """The least that a tenant file says; each number is another tenant."""
    return f"tenant: {{id: 6f1d7a3e-0c55-4c0e-9b1f-0a4f4f0f3c{number:02}}}\n"
