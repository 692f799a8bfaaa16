"""Serum IL-1Ra at a visit: the time of the sample, the occasion, the assay."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

from simulate.biology.pharmacokinetics_twins import plasma_model
from simulate.cohort.arms import Arm
from simulate.cohort.draws import Cohort, draw
from simulate.cohort.reading import shipped_population
from simulate.errors import InputError
from simulate.regimen.words import parse_regimen
from simulate.regimen.writing import print_regimen
from simulate.solver import Tolerance
from simulate.studies.serum import Serum, observe_serum, sample_delays, until_sample
from simulate.trials.design import Sampling
from simulate.trials.reading import shipped_trial

MODEL = plasma_model()
DAILY = Arm("anakinra 100 mg/d", parse_regimen("100 mg sc every 24 h until 182 d"))
EXACT = Sampling(20 / 24, 36 / 24, 0.0, 0.0)


def cohort(n: int = 400, first: int = 0) -> Cohort:
    return draw(shipped_population(MODEL.parameters), n, seed=4, first=first)


def at_visit(people: Cohort, sampling: Sampling | None = None, arm: Arm = DAILY, last_dose: float = 27.0) -> Serum:
    return observe_serum(
        MODEL, arm, people, last_dose=last_dose, visit="6 months", sampling=sampling, tolerance=Tolerance(1e-8)
    )


def test_the_shipped_sampling_is_what_the_serum_of_the_trial_allows() -> None:
    sampling = shipped_trial().readout("serum_il1ra").sampling
    assert sampling is not None
    assert (sampling.earliest, sampling.latest) == (20 / 24, 1.5)
    assert math.hypot(sampling.sd_occasion, sampling.sd_assay) == pytest.approx(0.6, abs=1e-3)


def test_samples_are_spread_evenly_over_quarters_of_an_hour() -> None:
    delays = sample_delays(EXACT, cohort(4000), "6 months") * 24
    np.testing.assert_allclose(delays * 4, np.round(delays * 4), atol=1e-9)
    assert (delays.min(), delays.max()) == pytest.approx((20, 36))
    assert delays.mean() == pytest.approx(28, abs=0.3)
    assert delays.std() == pytest.approx(16 / math.sqrt(12), abs=0.2)


def test_a_patient_has_the_same_sample_in_any_cohort_and_another_at_another_visit() -> None:
    some, all_of_them = cohort(3, first=7), cohort(20)
    few, many = at_visit(some), at_visit(all_of_them)
    for name in ("since_dose", "drug", "own", "observed"):
        assert getattr(few, name).tobytes() == getattr(many, name)[7:10].tobytes(), name
    other = sample_delays(EXACT, all_of_them, "12 months")
    assert not np.array_equal(other, many.since_dose)


def test_the_drug_in_a_sample_is_the_closed_form_at_its_hour() -> None:
    people = cohort(50)
    serum = at_visit(people, EXACT)
    ka, volume, share = people.of("k_a"), people.of("V"), people.of("F")
    ke = people.of("CL") / volume
    since = serum.since_dose
    slow, fast = (np.exp(-rate * since) * np.expm1(-28 * rate) / np.expm1(-rate) for rate in (ke, ka))
    ng_per_mL = share * 1e5 / volume * ka / (ka - ke) * (slow - fast)
    np.testing.assert_allclose(serum.drug / 1000, ng_per_mL, rtol=1e-4, atol=1e-6)


def test_the_assay_reads_drug_and_own_protein_together() -> None:
    people = cohort(200)
    exact = at_visit(people, EXACT)
    np.testing.assert_allclose(exact.observed, exact.drug + exact.own, rtol=1e-12)
    np.testing.assert_allclose(exact.own, people.of("R_0") * 1000, rtol=1e-6)
    noisy = at_visit(people)
    np.testing.assert_array_equal(noisy.own, exact.own)
    factor = np.log((noisy.observed - noisy.own) / noisy.drug)
    assert factor.std() == pytest.approx(0.6, abs=0.07)
    assert factor.mean() == pytest.approx(0.0, abs=0.12)


def test_untreated_patients_have_their_own_protein_only() -> None:
    untreated = Arm("untreated", parse_regimen("none"))
    serum = at_visit(cohort(20), arm=untreated)
    np.testing.assert_allclose(serum.observed, serum.own, rtol=1e-12)


def test_the_injection_of_the_day_of_the_visit_waits() -> None:
    plan = parse_regimen("100 mg sc daily until 182 d and 50 mg sc at 27 d and 50 mg sc at 28 d")
    assert print_regimen(until_sample(plan, 27.0)) == print_regimen(
        parse_regimen("100 mg sc daily until 38881/1440 d and 50 mg sc at 27 d")
    )


def test_a_missed_injection_before_the_sample_lowers_it() -> None:
    people = cohort(300)
    arm = replace(DAILY, plan=parse_regimen("100 mg sc every 24 h until 182 d missing 30 %"))
    taken, missing = at_visit(people, EXACT), at_visit(people, EXACT, arm)
    lower = missing.drug < 0.2 * taken.drug
    assert lower.mean() == pytest.approx(0.3, abs=0.08)


def test_the_printed_mean_of_ten_patients_is_at_the_edge_of_what_the_model_gives() -> None:
    # 19.6 ng/mL, mean of ten patients on treatment; all ten had risen.
    people = cohort(4000)
    serum = at_visit(people)
    means = serum.observed.reshape(-1, 10).mean(axis=1) / 1000
    assert 0.01 < np.mean(means < 19.6) < 0.06
    risen = serum.observed > people.of("R_0") * 1000
    assert risen.mean() > 0.98


def test_whoever_has_left_the_study_has_no_sample() -> None:
    people = cohort(600)
    serum = at_visit(people, last_dose=181.0)
    np.testing.assert_array_equal(serum.present, people.dropout > 181.0 + serum.since_dose)
    assert serum.present.mean() == pytest.approx(11 / 15, abs=0.05)


def test_a_sampling_that_cannot_be_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        Sampling(1.0, 0.5, 0.0, 0.0)
    assert str(caught.value) == (
        "error[visit.value]: the sampling cannot be\n  found:    1.0 to 0.5 d, spreads 0.0 and 0.0\n"
        "  expected: 0 <= earliest <= latest, and spreads that are not negative"
    )
