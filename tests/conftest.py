"""Settings of all tests: no window is opened, and property tests try the same examples every time."""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings

os.environ.setdefault("MPLBACKEND", "Agg")
# pytest-xdist sets it for its workers, and tables would be folded to it.
os.environ.pop("COLUMNS", None)

settings.register_profile(
    "il1sim", derandomize=True, deadline=None, database=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.load_profile("il1sim")
