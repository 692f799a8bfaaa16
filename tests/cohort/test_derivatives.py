"""A cohort's derivatives and its rules, through the public door, against closed forms."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy

from simulate.cohort.ensemble import Ensemble, PatientOccurrence, simulate_cohort
from simulate.errors import InputError
from simulate.solver import Action, Adaptive, FloatArray, Rule, Tolerance
from simulate.solver.methods import DOPRI5
from simulate.symbolic.parts import Event
from simulate.symbolic.switching import above, at_least, both
from tests.studies.tiny import arm, cohort, model

TIMES = np.arange(0.0, 4.25, 0.5)
TIGHT = Tolerance(1e-10)
DOSED = arm("dosed", "10 mg iv every 1 d lag 6 h and 3 mg iv over 12 h at 2 d")
LESS = arm("less", "10 mg iv every 1 d", k=0.25)


def differentiated(*directions: str) -> Ensemble:
    return simulate_cohort(model(), (DOSED, LESS), cohort(3), TIMES, tolerance=TIGHT, sensitivities=directions)


def amount(loss: FloatArray, lag: float) -> tuple[FloatArray, FloatArray]:
    """Amount after 10 mg a day, shape [member, time], and its derivative to the loss; the baseline is before doses."""
    since = TIMES[:, None] - (np.arange(5.0) + lag)
    since = np.where((since >= 0.0) & (TIMES[:, None] > 0.0), since, np.inf)
    left = 10.0 * np.exp(-loss[:, None, None] * since)
    slope = np.where(np.isfinite(since), -since, 0.0) * left
    return left.sum(axis=2), slope.sum(axis=2)


def infused(loss: FloatArray) -> FloatArray:
    """Amount after 3 mg from day 2 to day 2.5, shape [member, time]."""
    during = np.clip(TIMES - 2.0, 0.0, 0.5)
    after = np.maximum(TIMES - 2.5, 0.0)
    k = loss[:, None]
    left: FloatArray = 6.0 / k * -np.expm1(-k * during) * np.exp(-k * after)
    return left


def test_a_cohort_has_the_derivatives_of_its_closed_form_in_every_arm() -> None:
    found = differentiated("k", "V", "A(0)")
    assert found.directions == ("k", "V", "A(0)")
    loss = found.parameter_values[:, :, found.parameters.index("k")]
    for index, lag in enumerate((0.25, 0.0)):
        k = loss[index]
        value, slope = amount(k, lag)
        if index == 0:
            step = 1e-30
            complex_infused = infused(k + 1j * step)
            value, slope = value + infused(k), slope + complex_infused.imag / step
        np.testing.assert_allclose(found.quantity("A")[index], value, rtol=1e-8, atol=1e-10)
        np.testing.assert_allclose(found.derivative("A", "k")[index], slope, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(found.derivative("concentration", "V")[index], -value / 4.0, rtol=1e-8, atol=1e-9)
        np.testing.assert_allclose(found.derivative("A", "A(0)")[index], np.exp(-k[:, None] * TIMES), rtol=1e-8)


def test_a_cohort_whose_amount_is_set_when_it_falls_to_a_level_has_the_derivatives_of_its_closed_form() -> None:
    # One dose of 10 mg; at log(10/6)/k there are 6 mg left, of which 1 mg stays.
    plain = model()
    (species,) = (one for one in plain.species if one.name == "A")
    unit = sympy.Rational(species.unit.factor)
    fallen = both(at_least(6 * unit, species.symbol), above(species.symbol, 4 * unit))
    low = Event("low", fallen, {species: unit})
    times = np.array([0.1, 4.0])
    single = arm("single", "10 mg iv")
    found = simulate_cohort(
        replace(plain, events=(low,)), (single,), cohort(3), times, tolerance=TIGHT, sensitivities=["k"]
    )
    k = found.parameter_values[0, :, found.parameters.index("k")][:, None]
    since = times - np.log(10.0 / 6.0) / k
    before, after = 10.0 * np.exp(-k * times), np.exp(-k * since)
    np.testing.assert_allclose(found.quantity("A")[0], np.where(since < 0.0, before, after), rtol=1e-8)
    # With k the event comes earlier: k*since is k*t - log(10/6).
    expected = np.where(since < 0.0, -times * before, -times * after)
    np.testing.assert_allclose(found.derivative("A", "k")[0], expected, rtol=1e-7)


def test_the_simulation_beside_its_derivatives_is_the_plain_one_to_rounding() -> None:
    plain = simulate_cohort(model(), (DOSED, LESS), cohort(3), TIMES, tolerance=TIGHT, method=DOPRI5)
    beside = differentiated("k")
    np.testing.assert_allclose(beside.trajectories.values, plain.trajectories.values, rtol=1e-12, atol=1e-13)
    assert plain.directions == ()
    assert plain.derivatives is None


def test_doses_stop_for_each_patient_when_the_level_is_passed() -> None:
    # 10 mg in 2 L: the level at which doses stop lies between one dose and two that overlap.
    enough = Rule("concentration", 6.0, rising=True, action=Action.LEVEL, amount=0.0)
    found = simulate_cohort(model(), (LESS,), cohort(6), TIMES, tolerance=TIGHT, adaptive=Adaptive((enough,)))
    loss = found.parameter_values[0, :, found.parameters.index("k")]
    days, expected = [], []
    for k in loss:
        level, given = 0.0, []
        for day in range(4):
            level = level * np.exp(-k) + 5.0
            given.append(day)
            if level >= 6.0:
                break
        days.append(given[-1] if level >= 6.0 else None)
        since = TIMES[:, None] - np.array(given)
        expected.append(np.where((since >= 0) & (TIMES[:, None] > 0), 10.0 * np.exp(-k * since), 0.0).sum(axis=1))
    np.testing.assert_allclose(found.quantity("A")[0], expected, rtol=1e-8, atol=1e-10)
    assert found.occurrences == tuple(
        PatientOccurrence("less", patient, patient, 0, float(day))
        for patient, day in enumerate(days)
        if day is not None
    )


def test_a_rescue_dose_is_given_on_the_day_that_the_level_falls_to_the_threshold() -> None:
    once = arm("once", "10 mg iv")
    rescue = Rule("concentration", 2.0, rising=False, action=Action.BOLUS, target="iv", amount=6.0, once=True)
    found = simulate_cohort(model(), (once,), cohort(6), TIMES, tolerance=TIGHT, adaptive=Adaptive((rescue,)))
    loss = found.parameter_values[0, :, found.parameters.index("k")]
    expected = np.log(5.0 / 2.0) / loss
    assert [one.patient for one in found.occurrences] == np.flatnonzero(expected < TIMES[-1]).tolist()
    for one in found.occurrences:
        assert one.day == pytest.approx(expected[one.patient], rel=1e-9)


@pytest.mark.parametrize(
    ("directions", "adaptive", "message"),
    [
        (
            ("kk",),
            None,
            "error[sensitivities.unknown]: the system has no parameter `kk`\n  try:      did you mean `k`?",
        ),
        (("B(0)",), None, "error[sensitivities.unknown]: the system has no state `B`"),
        (
            ("k",),
            Adaptive((Rule("A", 1.0, rising=True, action=Action.END),)),
            "error[sensitivities.rules]: sensitivities of a simulation with rules are asked for\n"
            "  expected: one of the two: when a rule applies changes with the parameters, and is not differentiated",
        ),
    ],
)
def test_derivatives_that_cannot_be_had_are_refused(
    directions: tuple[str, ...], adaptive: Adaptive | None, message: str
) -> None:
    with pytest.raises(InputError) as caught:
        simulate_cohort(model(), (LESS,), cohort(2), TIMES, sensitivities=directions, adaptive=adaptive)
    assert str(caught.value) == message


def test_a_derivative_that_was_not_asked_for_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        differentiated("k").derivative("A", "V")
    assert str(caught.value) == (
        "error[sensitivities.unknown]: no derivatives to `V` were asked for\n"
        "  found:    k\n"
        "  try:      name it among the sensitivities of simulate_cohort"
    )
