"""Repeated studies have the power and the errors that theory gives where it has a formula."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
from scipy import stats

from simulate.errors import InputError
from simulate.evidence.trial_observations import TrialObservations
from simulate.studies.power.designs import StudyArm, StudyDesign, design_of
from simulate.studies.power.power import power_of
from simulate.studies.power.repeats import TrialOutcome, repeated
from simulate.symbolic.units import unit
from simulate.trials.reading import shipped_trial

BEFORE, AFTER = 0.0, 182.0
PATIENTS = 30
POPULATIONS = 20
NOISE = 0.3
HIGH = "200 mg sc daily"
LEVELS: Mapping[str, float] = {"ifng": 1.0, "il17a": 0.2, "ck": 5.0, "serum_il1ra": 2000.0, "cd45ro": 60.0}
UNITS = {"ifng": "%", "il17a": "%", "ck": "µkat/L", "serum_il1ra": "pg/mL", "cd45ro": "%"}


def like(n: int | None = None, controls: int | None = None, *, complete: bool = False) -> StudyDesign:
    return design_of(shipped_trial(), n=n, controls=controls, complete=complete)


def seen(change: float, response: float = 0.5, limits: Mapping[str, float] | None = None) -> TrialObservations:
    """Patients of two kinds, all alike, in whom everything changes by the same factor."""
    shape = (POPULATIONS, PATIENTS)
    levels = {(name, BEFORE): np.full(shape, level) for name, level in LEVELS.items()}
    levels |= {(name, AFTER): np.full(shape, level * math.exp(change)) for name, level in LEVELS.items()}
    return TrialObservations(
        weights=np.full(shape, 1.0 / PATIENTS),
        levels=levels,
        units={name: unit(text) for name, text in UNITS.items()},
        noise=dict.fromkeys(LEVELS, NOISE),
        limits=dict(limits or {}),
        groups={"responders": np.full(shape, response)},
        strata=(np.arange(PATIENTS) % 2, (10, 5)),
    )


def named(outcomes: tuple[TrialOutcome, ...]) -> dict[str, TrialOutcome]:
    return {outcome.name: outcome for outcome in outcomes}


def t_power(shift: float, n: int) -> float:
    """Power of Student's two-sided test of n changes at 0.05."""
    effect = shift / (NOISE * math.sqrt(2.0)) * math.sqrt(n)
    edge = float(stats.t.ppf(0.975, n - 1))
    return float(stats.nct.sf(edge, n - 1, effect) + stats.nct.cdf(-edge, n - 1, effect))


@pytest.mark.parametrize("change", [0.0, 0.3, -0.6])
def test_power_of_a_t_test_is_that_of_the_noncentral_distribution(change: float) -> None:
    outcomes = named(repeated(like(), [seen(change)], None, studies=400, seed=1))
    for name, n in (("ifng-change", 6), ("ck-change", 11), ("serum_il1ra-change", 10)):
        row = power_of(outcomes[name], "t", seed=1)
        assert row.n == n
        assert row.truth == pytest.approx(change, abs=1e-12)
        assert row.power == pytest.approx(t_power(change, n), abs=0.02)
        low, high = row.power_interval
        assert low < row.power < high


def test_a_population_without_an_effect_has_no_wrong_sign_and_false_positives_at_the_level() -> None:
    row = power_of(named(repeated(like(), [seen(0.0)], None, studies=400, seed=2))["il17a-change"], "t", seed=1)
    assert row.with_effect == 0.0
    assert row.wrong_sign is None
    assert row.exaggeration is None
    assert row.power == pytest.approx(0.05, abs=0.01)


def test_what_is_significant_at_small_power_exaggerates_and_errs_in_sign() -> None:
    change = 0.05
    row = power_of(named(repeated(like(), [seen(change)], None, studies=2000, seed=3))["ifng-change"], "t", seed=1)
    scale = NOISE * math.sqrt(2.0 / 6.0)
    edge = float(stats.t.ppf(0.975, 5))
    right, wrong = (float(stats.nct.sf(edge, 5, sign * change / scale)) for sign in (1.0, -1.0))
    assert row.wrong_sign == pytest.approx(wrong / (right + wrong), abs=0.04)
    assert row.exaggeration is not None
    assert row.exaggeration > 3.0


def test_studies_of_two_arms_compare_them() -> None:
    design = like(n=12, controls=12, complete=True)
    outcomes = named(repeated(design, [seen(0.5, 0.7)], seen(0.2, 0.3), studies=200, seed=4))
    assert set(outcomes) == {"ifng-difference", "il17a-difference", "ck-difference", "response-difference"}
    assert outcomes["ifng-difference"].n == 24
    np.testing.assert_allclose(outcomes["ck-difference"].truth, 0.3, atol=1e-12)
    assert outcomes["ck-difference"].estimates.mean() == pytest.approx(0.3, abs=0.02)
    assert outcomes["response-difference"].estimates.mean() == pytest.approx(0.4, abs=0.02)
    events = stats.binom(12, 0.7).pmf(np.arange(13))[:, None] * stats.binom(12, 0.3).pmf(np.arange(13))
    significant = [[stats.fisher_exact([[a, 12 - a], [b, 12 - b]]).pvalue < 0.05 for b in range(13)] for a in range(13)]
    found = power_of(outcomes["response-difference"], "Fisher", seed=1)
    assert found.power == pytest.approx(float((events * significant).sum()), abs=0.03)


def test_each_treated_arm_of_several_is_held_against_the_controls_and_as_if_alone() -> None:
    arms = [StudyArm("none at all", 20, "none"), StudyArm("low", 30, "30 mg sc daily"), StudyArm("high", 40, HIGH)]
    design = design_of(shipped_trial(), arms=arms)
    assert [(arm.name, arm.n) for arm in design.treated] == [("low", 30), ("high", 40)]
    assert (design.controls, design.control) == (20, "none")
    found = named(repeated(design, [seen(0.2), seen(0.6)], seen(0.1), studies=100, seed=4))
    assert {name for name in found if name.startswith("ifng")} == {"ifng-difference: low", "ifng-difference: high"}
    for name, difference in (("low", 0.1), ("high", 0.5)):
        outcome = found[f"ck-difference: {name}"]
        assert outcome.title == f"{name}: change of creatine kinase, minus controls"
        np.testing.assert_allclose(outcome.truth, difference)
        assert found[f"ifng-difference: {name}"].n == sum(design.sizes(m).both["ifng"] for m in (n_of(name, arms), 20))
    pair = design_of(shipped_trial(), arms=[arms[1], arms[0]])
    alone = named(repeated(pair, [seen(0.2)], seen(0.1), studies=100, seed=4))
    np.testing.assert_array_equal(alone["ck-difference"].estimates, found["ck-difference: low"].estimates)


def n_of(name: str, arms: list[StudyArm]) -> int:
    return next(arm.n for arm in arms if arm.name == name)


def test_readings_below_the_limit_of_detection_are_read_as_the_limit() -> None:
    limits = {"il17a": LEVELS["il17a"]}
    outcome = named(repeated(like(), [seen(-3.0, limits=limits)], None, studies=50, seed=1))["il17a-change"]
    assert (outcome.estimates <= 0.0).all()
    assert outcome.estimates.min() > -3.0


def test_the_study_has_its_own_sizes_and_others_keep_the_proportions() -> None:
    for design, (stayed, serum, cells, paired) in (
        (like(), (11, 10, 8, 6)),
        (like(n=150), (110, 100, 80, 60)),
        (like(n=8, complete=True), (8, 8, 8, 8)),
    ):
        sizes = design.sizes(design.n)
        assert (sizes.enrolled, sizes.stayed) == (design.n, stayed)
        assert (sizes.both["serum_il1ra"], sizes.both["ck"]) == (serum, stayed)
        assert (sizes.first["cd45ro"], sizes.both["ifng"], sizes.both["il17a"]) == (cells, paired, paired)
    assert like().is_that_of_the_study
    assert not like(n=16).is_that_of_the_study


def test_studies_have_kinds_of_patients_in_proportion_and_do_not_depend_on_other_populations() -> None:
    shape = (POPULATIONS, PATIENTS)
    kinds = np.arange(PATIENTS) % 2
    response = np.broadcast_to(kinds.astype(np.float64), shape)
    treated = seen(0.1)
    kept = {name: getattr(treated, name) for name in ("weights", "levels", "units", "noise", "strata")}
    by_kind = TrialObservations(**kept, groups={"responders": response})
    found = named(repeated(like(n=15, controls=15), [by_kind], by_kind, studies=5, seed=1))["response-difference"]
    # Five of fifteen are of the second kind in every study, and only they respond.
    assert (found.estimates == 0.0).all()
    alone = named(repeated(like(), [treated.part(0, 3)], None, studies=5, seed=1))["ifng-change"]
    all_of_them = named(repeated(like(), [treated], None, studies=5, seed=1))["ifng-change"]
    np.testing.assert_array_equal(alone.estimates, all_of_them.estimates[:3])


def test_a_study_of_too_few_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        like(n=3)
    assert str(caught.value) == (
        "error[trial.size]: a study of 3 patients is asked for\n"
        "  expected: at least 4\n"
        "  try:      with fewer nobody has cells at both visits"
    )
    with pytest.raises(InputError) as caught:
        like(controls=2)
    assert str(caught.value) == (
        "error[trial.size]: a study of 2 controls is asked for\n"
        "  expected: at least 4, or 0 for no second arm\n"
        "  try:      with fewer nobody has cells at both visits"
    )
