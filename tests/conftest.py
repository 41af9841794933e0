"""How many examples Hypothesis tries: HYPOTHESIS_PROFILE is fast (the default), ci or thorough."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

_lax = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])

# A pipeline tries the same examples every time, so that what it says is about the change; elsewhere luck may find more.
settings.register_profile("fast", _lax, max_examples=100, derandomize=bool(os.environ.get("CI")))
settings.register_profile("ci", _lax, max_examples=300, derandomize=True, print_blob=True)
settings.register_profile("thorough", _lax, max_examples=5_000, print_blob=True)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fast"))
