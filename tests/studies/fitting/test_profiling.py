"""Profiles of a fit."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from simulate.studies.fitting.profiling import profile
from tests.studies.fitting.tiny import posterior, problem


def test_a_rate_without_effect_has_a_flat_profile() -> None:
    # Under H0 memory stays as it is, whatever its turnover: only the search's noise could tell values apart. It starts
    # from draws that are as wide as the prior: those of so short a fit are a few points, which show no way to others.
    found = posterior("H0")
    wide = found.points[-1] + np.random.default_rng(1).standard_normal((64, problem("H0").dimension))
    rows = profile(problem("H0"), replace(found, points=wide), names=["d_M17"], rounds=1)
    assert [(row.name, row.verdict, row.low, row.high) for row in rows] == [("d_M17", "flat", None, None)]
    assert rows[0].drop < 1.92
