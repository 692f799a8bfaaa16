"""Curves fitted to many series at once, against known curves and against SciPy."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import curve_fit

from simulate.studies.dose_response.emax import CurveVerdict, dose_for, effect_at, fit_curves

DOSES = np.array([0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 300.0])


def written_out(dose: float, base: float, span: float, ed50: float, hill: float) -> float:
    return base + span * dose**hill / (ed50**hill + dose**hill)


@given(
    base=st.floats(-5.0, 5.0),
    span=st.floats(0.1, 50.0) | st.floats(-50.0, -0.1),
    ed50=st.floats(2.0, 60.0),
    hill=st.floats(0.9, 4.0),
)
def test_a_curve_is_found_again_from_its_own_points(base: float, span: float, ed50: float, hill: float) -> None:
    truth = np.array([base, span, ed50, hill])
    points = [written_out(dose, base, span, ed50, hill) for dose in DOSES]
    found = fit_curves(DOSES, [points])
    assert found.values[0] == pytest.approx(truth, rel=1e-5, abs=1e-6)
    reaches = effect_share(300.0, ed50, hill) >= 0.8
    assert found.verdicts == (CurveVerdict.IDENTIFIED if reaches else CurveVerdict.NO_PLATEAU,)


def effect_share(dose: float, ed50: float, hill: float) -> float:
    return written_out(dose, 0.0, 1.0, ed50, hill)


def test_noisy_points_have_the_least_squares_that_scipy_finds() -> None:
    noise = np.random.default_rng(3).normal(0.0, 0.3, (6, len(DOSES)))
    rows = np.array([written_out(dose, 2.0, 10.0, 15.0, 1.3) for dose in DOSES]) + noise
    ours = fit_curves(DOSES, rows).values
    for row, values in zip(rows, ours, strict=True):
        theirs, _ = curve_fit(
            written_out_many, DOSES, row, p0=(2.0, 10.0, 15.0, 1.3), bounds=([-99, -99, 0.1, 0.2], [99, 99, 3000, 12])
        )
        assert np.sum((effect_at(DOSES, values) - row) ** 2) <= np.sum((effect_at(DOSES, theirs) - row) ** 2) + 1e-9
        assert values == pytest.approx(theirs, rel=1e-3)


def written_out_many(doses: np.ndarray, base: float, span: float, ed50: float, hill: float) -> np.ndarray:  # type: ignore[type-arg]
    return np.array([written_out(dose, base, span, ed50, hill) for dose in doses])


def test_a_series_has_the_same_bits_alone_and_among_others() -> None:
    rows = np.random.default_rng(1).normal(0.0, 0.1, (257, len(DOSES))) + np.linspace(0.0, 5.0, len(DOSES))
    together = fit_curves(DOSES, rows).values
    for place in (0, 7, 256):
        assert fit_curves(DOSES, rows[place : place + 1]).values.tobytes() == together[place].tobytes()


@pytest.mark.parametrize(
    ("values", "verdict"),
    [
        ((1.0, 4.0, 20.0, 1.0), CurveVerdict.IDENTIFIED),
        ((1.0, 4.0, 150.0, 1.0), CurveVerdict.NO_PLATEAU),
        ((1.0, 4.0, 0.4, 1.0), CurveVerdict.SATURATED),
        ((1.0, 1e-9, 20.0, 1.0), CurveVerdict.FLAT),
    ],
)
def test_what_the_range_cannot_tell_is_said(values: tuple[float, ...], verdict: CurveVerdict) -> None:
    points = [written_out(dose, *values) for dose in DOSES]
    assert fit_curves(DOSES, [points]).verdicts == (verdict,)


def test_a_hump_is_no_sigmoid_and_a_missing_result_is_no_series() -> None:
    hump = np.exp(-((np.log(DOSES + 1.0) - 3.0) ** 2))
    hole = np.where(DOSES == 5.0, np.nan, DOSES)
    found = fit_curves(DOSES, [hump, hole])
    assert found.verdicts == (CurveVerdict.NO_CURVE, CurveVerdict.FAILED)
    assert np.isnan(found.values[1]).all()


def test_the_dose_for_an_effect_has_that_effect_and_none_beyond_the_plateau() -> None:
    values = np.array([1.0, -4.0, 20.0, 1.5])
    dose = dose_for(-2.0, values)
    assert effect_at([float(dose)], values) == pytest.approx(-2.0)
    assert np.isnan(dose_for([-3.5, 2.0], values)).all()


def test_an_effect_without_drug_is_the_base() -> None:
    assert effect_at([0.0], np.array([1.5, 4.0, 20.0, 0.2])).tolist() == [1.5]


LADDER = np.array([0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0])


@pytest.mark.parametrize(
    ("row", "bracket"),
    [
        ([0, 0, 0, 0, 1, 1, 1, 1], (4.0, 8.0)),
        ([5, 5, 5, 5, 2, 2, 2, 2], (4.0, 8.0)),
        ([0, 0, 0, 0.3, 1, 1, 1, 1], (4.0, 8.0)),
        ([0, 0, 0, 0.7, 1, 1, 1, 1], (2.0, 4.0)),
        ([0, 0, 0, 0.001, 0.993, 1, 1, 1], (4.0, 8.0)),
        ([0, 0, 1, 1, 1, 1, 1, 1], (1.0, 2.0)),
    ],
)
def test_where_fewer_than_two_doses_lie_on_the_rise_only_the_doses_around_it_are_known(
    row: list[float], bracket: tuple[float, float]
) -> None:
    found = fit_curves(LADDER, [row])
    assert found.verdicts == (CurveVerdict.STEP,)
    assert tuple(found.brackets[0]) == bracket
    # Whatever the ED50 between them, there is an exponent with which the curve goes through all other points.
    for ed50 in np.linspace(*bracket, 9)[1:-1]:
        curve = np.array([row[0], row[-1] - row[0], ed50, 200.0])
        away = np.abs(effect_at(LADDER, curve) - row) / abs(row[-1] - row[0])
        assert np.sort(away)[-2] < 0.01


def test_a_step_between_many_doses_is_steeper_than_what_is_tried() -> None:
    doses = np.array([0.0, *np.geomspace(4.0, 8.0, 40)])
    points = [written_out(dose, 0.0, 1.0, 5.7, 20.0) for dose in doses]
    found = fit_curves(doses, [points])
    assert found.verdicts == (CurveVerdict.AT_BOUND,)
    assert found.brackets[0][0] <= 5.7 <= found.brackets[0][1]


@pytest.mark.parametrize(
    ("row", "verdict"),
    [
        ([0, 1, 1, 1, 1, 1, 1, 1], CurveVerdict.SATURATED),
        ([0, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2], CurveVerdict.NO_PLATEAU),
        ([0, 0, 0.3, 0.8, 1, 1, 1, 0.85], CurveVerdict.NO_CURVE),
        ([0, 0, 1, 0, 1, 0, 1, 0], CurveVerdict.NO_CURVE),
        ([1, 1, 1, 1, 1, 1, 1, 1], CurveVerdict.FLAT),
    ],
)
def test_a_series_that_names_no_curve_is_not_identified(row: list[float], verdict: CurveVerdict) -> None:
    assert fit_curves(LADDER, [row]).verdicts == (verdict,)


def test_a_response_within_the_errors_of_its_points_is_none() -> None:
    row = 7.0 + 1e-6 * np.array([0.0, 0.5, 0.8, 0.9, 1.0, 1.0, 1.0, 1.0])
    errors = np.full((2, len(row)), [[4.9e-7], [5.1e-7]])
    assert fit_curves(LADDER, [row, row], errors).verdicts == (CurveVerdict.SATURATED, CurveVerdict.FLAT)
