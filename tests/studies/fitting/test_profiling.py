"""Profiles of a fit."""

from __future__ import annotations

from dataclasses import replace

from simulate.studies.fitting.posterior import shipped_posterior
from simulate.studies.fitting.profiling import profile
from tests.studies.fitting.tiny import SETTINGS, problem
from tests.studies.virtual.fits import fitted


def test_a_rate_without_effect_has_a_flat_profile() -> None:
    # Under H0 memory stays as it is, whatever its turnover: only the search's noise could tell values apart. It starts
    # from the draws that ship: a few of the prior show no way to others.
    found = replace(fitted("H0"), points=shipped_posterior("H0").points, settings=SETTINGS)
    rows = profile(problem("H0"), found, names=["d_M17"], rounds=1)
    assert [(row.name, row.verdict, row.low, row.high) for row in rows] == [("d_M17", "flat", None, None)]
    assert rows[0].drop < 1.92
