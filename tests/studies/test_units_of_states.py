"""A result does not depend on the unit of a state, from the scenario to the table."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from simulate.studies.runs import prepare, simulate_study
from simulate.studies.scenario import read_scenario

MODEL = """
[parameters]
k = "0.1 1/h"
[species.A]
unit = "{unit}"
[reactions.out]
rate = "k*A"
change = {{ A = -1 }}
[routes.iv]
target = "A"
unit = "mol"
gain = "1"
"""

SCENARIO = """
schema = 1
title = "t"
[model]
file = "model.toml"
[time]
end = "5 d"
every = "1 h"
[cohort]
patients = 1
[[arm]]
name = "a"
regimen = "1 nmol iv"
"""


@pytest.mark.parametrize(("unit", "size"), [("mol", 1.0), ("fmol", 1e-15)])
def test_a_dose_in_moles_is_followed_until_it_is_gone(tmp_path: Path, unit: str, size: float) -> None:
    (tmp_path / "model.toml").write_text(MODEL.format(unit=unit), encoding="utf-8")
    (tmp_path / "s.toml").write_text(SCENARIO, encoding="utf-8")
    found = simulate_study(prepare(read_scenario(str(tmp_path / "s.toml"), []))).quantity("A")[0, 0] * size
    hours = np.array([24, 120])
    np.testing.assert_allclose(found[hours], 1e-9 * np.exp(-0.1 * hours), rtol=1e-4)
