"""What solver and rounding leave of nothing is shown as nothing, and what is small and real is not."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

import simulate
from simulate.api.varying import dose_response
from simulate.studies.dose_response.emax import CurveVerdict
from simulate.studies.effects import changes, effects
from simulate.studies.resolution import Resolution, signal, varies

MODEL = """\
[model]
title = "a bystander at its steady state to rounding"
[parameters]
k = "0.1 1/h"
p = "0.3 nM/d"
q = "0.7 1/d"
small = 3e-4
half = "1 mg"
[species.A]
unit = "mg"
[species.X]
unit = "nM"
initial = "p/q"
[species.Z]
unit = "nM"
initial = "p/q"
[species.Y]
unit = "nM"
initial = "p/q"
[reactions.out]
rate = "k*A"
change = { A = -1 }
[reactions.inX]
rate = "p"
change = { X = 1 }
[reactions.outX]
rate = "q*X"
change = { X = -1 }
[reactions.inY]
rate = "p"
change = { Y = 1 }
[reactions.outY]
rate = "q*Y"
change = { Y = -1 }
[reactions.outZ]
rate = "q*Z"
change = { Z = -1, Y = 1 }
[routes.iv]
drug = "drug"
target = "A"
unit = "mg"
gain = "1"
[observables.moved]
expression = "1 + small*hill(A, half, 1)"
"""

SCENARIO = """\
schema = 1
title = "t"
[model]
file = "model.toml"
[time]
end = "30 d"
[cohort]
patients = 3
[[arm]]
name = "a"
regimen = "100 mg iv every 24 h"
"""


@pytest.fixture(scope="module")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("resolution")
    (folder / "model.toml").write_text(MODEL, encoding="utf-8")
    (folder / "s.toml").write_text(SCENARIO, encoding="utf-8")
    return folder / "s.toml"


def test_a_bystander_has_no_response(scenario: Path) -> None:
    found = dose_response(scenario, dose="1 mg:300 mg:8log", endpoint=["X:change", "X"], exposure="A", replicates=10)
    assert [list(CurveVerdict)[verdict] for verdict in found["verdict"].values.ravel()] == [CurveVerdict.FLAT] * 2
    assert [list(CurveVerdict)[verdict] for verdict in found["patient_verdict"].values.ravel()] == [
        CurveVerdict.FLAT
    ] * 6
    assert (found["effect"].values[0] == 0.0).all()
    assert (found["mean"].values[0] == 0.0).all()


def test_a_small_response_that_the_solver_resolves_is_one(scenario: Path) -> None:
    found = dose_response(scenario, dose="0.1 mg:3000 mg:14log", endpoint="moved@29.9", exposure="A", replicates=10)
    # At 2.4 h before the next dose there are 0.4... doses in the body: a share of it and a Hill curve of one.
    left = np.exp(-0.1 * 21.6) / (1.0 - np.exp(-2.4))
    base, span, ed50, hill = found["curve"].values[0, 0]
    assert list(CurveVerdict)[int(found["verdict"].values[0, 0])] is CurveVerdict.IDENTIFIED
    assert (base, span, ed50, hill) == (
        pytest.approx(1.0),
        pytest.approx(3e-4, rel=0.02),
        pytest.approx(1.0 / left, rel=0.02),
        pytest.approx(1.0, rel=0.02),
    )


def test_patients_who_do_not_differ_have_no_interval(scenario: Path) -> None:
    found = dose_response(scenario, dose="0.1 mg:3000 mg:14log", endpoint="moved@29.9", exposure="A", replicates=10)
    assert np.isnan(found["curve_low"].values).all()
    assert np.isnan(found["curve_high"].values).all()


def test_changes_of_patients_and_arms_are_those_that_are_resolved(scenario: Path) -> None:
    run = simulate.run(scenario, settings={"outputs.quantities": ["X", "moved"]})
    raw = run["X"].values / run["X"].values[:, :, :1] - 1.0
    assert np.abs(raw).max() < 1e-5
    assert (changes(run, "X", 30.0).values == 0.0).all()
    (effect,) = effects(run, "X", 30.0)
    assert (effect.estimate, effect.low, effect.high) == (0.0, 0.0, 0.0)
    # A ten-thousandth is far above a tolerance of 1e-6.
    assert (changes(run, "moved", 30.0).values > 0.0).all()


def test_a_difference_counts_above_the_errors_of_its_levels() -> None:
    exact = Resolution(1e-6, 1e-9)
    assert exact.error([2.0, -3.0]) == pytest.approx([2e-5, 3e-5])
    assert exact.error(1e-12, 5.0) == pytest.approx(5e-8)
    before = np.array([1.0, 1.0, 1.0, 0.0, np.nan])
    after = np.array([1.0 + 1.9e-5, 1.0 + 2.1e-5, 0.5, 1.0, 1.0])
    assert exact.percent(after, before)[:3] == pytest.approx([0.0, 2.1e-3, -50.0])
    assert np.isnan(exact.percent(after, before)[3:]).all()
    assert signal([1.0, -1.0, np.nan], [1.0, 0.5, 1.0]).tolist()[:2] == [0.0, -1.0]
    assert np.isnan(signal([np.nan], [1.0])).all()
    assert varies(np.array([[1.0, 1.1], [1.0, 1.1]]), np.array([[0.06, 0.05], [0.04, 0.05]])).tolist() == [False, True]
