"""Profiles of a fit."""

from __future__ import annotations

from simulate.studies.fitting.profiling import profile
from tests.studies.fitting.tiny import posterior, problem


def test_a_rate_without_effect_has_a_flat_profile() -> None:
    # Under H0 memory stays as it is, whatever its turnover: only the search's noise could tell values apart.
    found = profile(problem("H0"), posterior("H0"), names=["d_M17"], rounds=1)
    assert [(row.name, row.verdict, row.low, row.high) for row in found] == [("d_M17", "flat", None, None)]
    assert found[0].drop < 1.92
