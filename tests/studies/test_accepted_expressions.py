"""Expressions of a model file that are accepted are run, to the value that they have."""

from __future__ import annotations

import math
from pathlib import Path

import pytest

import simulate

SCENARIO = """
schema = 1
title = "t"
[model]
file = "model.toml"
[time]
end = "2 d"
every = "1 d"
[cohort]
patients = 1
[[arm]]
name = "a"
regimen = "none"
"""
STEEP = """
[parameters]
K = "1 nM"
k = "1 1/d"
X = "50 nM"
[species.R]
unit = "1"
[reactions.r]
rate = "k*hill(X, K, 200)"
change = { R = 1 }
"""
SIZE = """
[parameters]
k = "0.1 1/h"
[species.A]
unit = "mg"
initial = "m"
[reactions.out]
rate = "k*A"
change = { A = -1 }
[parameters.m]
value = 1
unit = "mg"
[observables.o]
expression = "abs(exp(tanh(A/m)))"
"""


@pytest.mark.parametrize(
    ("model", "quantity", "right"),
    [(STEEP, "R", [0.0, 1.0, 2.0]), (SIZE, "o", [math.exp(math.tanh(math.exp(-2.4 * day))) for day in range(3)])],
)
def test_a_model_that_is_accepted_is_run(tmp_path: Path, model: str, quantity: str, right: list[float]) -> None:
    (tmp_path / "model.toml").write_text(model)
    (tmp_path / "s.toml").write_text(SCENARIO)
    found = simulate.run(tmp_path / "s.toml", settings={"outputs.quantities": [quantity]})
    assert found[quantity].values[0, 0] == pytest.approx(right, rel=1e-5)
