"""Items with their readings and doubt; the likelihood as a whole, calibrated from prior to posterior."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from simulate.errors import InputError, NumericalError, Where
from simulate.evidence.items import Evidence, Item, Reading, Standing, Statement, Use
from simulate.evidence.kinds import Count, Direction, Mean, MeanRange
from simulate.evidence.likelihoods import item_term, log_likelihood
from simulate.evidence.reading import read_evidence
from simulate.evidence.resampling import Trials
from simulate.evidence.trial_observations import TrialObservations
from simulate.streams import FloatArray
from tests.evidence.cohorts import seen, subject

RISE = Direction("up", 6, "mean")
SPREAD_OUT = MeanRange(1.1, 0.2, 5.0, 8)


def item(*readings: tuple[float, Statement], doubt: float = 0.02, name: str = "item", use: Use = Use.DATUM) -> Item:
    """An item about IFNγ with readings and their shares."""
    claims = [
        (share, subject("ifng", 182.0, since=0.0) if isinstance(said, Direction) else subject("ifng"), said)
        for share, said in readings
    ]
    named = tuple(Reading(f"reading {k}", share, about, said) for k, (share, about, said) in enumerate(claims))
    return Item(
        name=name,
        account="as printed",
        location=None,
        source="zong-2011",
        standing=Standing.REPORTED,
        note=None,
        use=use,
        subject=named[0].subject,
        statement=named[0].statement,
        readings=named,
        doubt=doubt,
        among=None,
        where=Where(),
    )


def test_readings_and_doubt_are_a_mixture_and_not_a_product() -> None:
    cohort = seen(shift=np.array([0.0, 1.0]))
    first, second = MeanRange(1.1, 0.2, 5.0, 8), MeanRange(1.1, 0.2, 5.0, 14)
    term = item_term(item((0.25, first), (0.75, second), doubt=0.1), cohort)
    likelihoods = [np.exp(said.log_likelihood(subject("ifng"), cohort)) for said in (first, second)]
    floor = math.exp(first.log_floor())
    expected = 0.9 * (0.25 * likelihoods[0] + 0.75 * likelihoods[1]) + 0.1 * floor
    np.testing.assert_allclose(np.exp(term.total), expected, rtol=1e-12)
    np.testing.assert_allclose(np.exp(term.by_reading), np.stack(likelihoods, axis=1), rtol=1e-12)


def test_what_a_model_excludes_is_unlikely_and_not_impossible() -> None:
    nowhere = seen(shift=200.0)
    doubted = item_term(item((1.0, SPREAD_OUT)), nowhere)
    assert doubted.total[0] == pytest.approx(math.log(0.02) + SPREAD_OUT.log_floor())
    certain = item_term(item((1.0, SPREAD_OUT), doubt=0.0), nowhere)
    assert certain.total[0] < -1000.0


def test_only_data_contribute() -> None:
    cohort = seen()
    evidence = Evidence(
        "zong-2011",
        (
            item((1.0, RISE), name="rise"),
            item((1.0, SPREAD_OUT), name="prior", use=Use.PRIOR),
            item((1.0, SPREAD_OUT), name="external", use=Use.CHECK),
            item((1.0, SPREAD_OUT), name="level"),
        ),
    )
    terms = log_likelihood(evidence, cohort)
    assert terms.names == ("rise", "level")
    assert terms.values.shape == (1, 2)
    assert terms.total[0] == pytest.approx(terms.values[0].sum())


def test_cohorts_do_not_change_each_other() -> None:
    shifts = np.array([-1.0, 0.0, 0.7])
    evidence = Evidence("x", (item((1.0, RISE), name="a"), item((0.5, SPREAD_OUT), (0.5, Mean(2.0, 8)), name="b")))
    together = log_likelihood(evidence, seen(shift=shifts)).values
    alone = [log_likelihood(evidence, seen(shift=shift)).values[0] for shift in shifts]
    np.testing.assert_array_equal(together, alone)


def test_thousands_of_cohorts_are_taken_in_parts_that_do_not_show() -> None:
    shifts = np.linspace(-1.0, 1.0, 600)
    evidence = Evidence("x", (item((1.0, RISE), name="a"), item((1.0, SPREAD_OUT), name="b")))
    together = log_likelihood(evidence, seen(patients=16, shift=shifts)).values
    assert together.shape == (600, 2)
    last = log_likelihood(evidence, seen(patients=16, shift=shifts[-7:])).values
    np.testing.assert_array_equal(together[-7:], last)


def with_failures(share: float, cohort: TrialObservations) -> TrialObservations:
    """The cohort with some of its first patients failed at 6 months."""
    levels = {key: values.copy() for key, values in cohort.levels.items()}
    levels["ifng", 182.0][0, : int(share * cohort.weights.shape[1])] = np.nan
    return replace(cohort, levels=levels)


def test_few_failures_are_left_out_and_many_make_a_cohort_unresolved() -> None:
    evidence = Evidence("x", (item((1.0, RISE)),))
    cohort = seen(shift=np.array([0.0, 0.5]))
    few = log_likelihood(evidence, with_failures(0.015, cohort))
    assert few.unresolved.tolist() == [False, False]
    assert few.values[0, 0] == pytest.approx(log_likelihood(evidence, cohort).values[0, 0], abs=0.05)
    many = log_likelihood(evidence, with_failures(0.5, cohort))
    assert many.unresolved.tolist() == [True, False]
    assert many.total[0] == -math.inf
    assert many.total[1] == log_likelihood(evidence, cohort).total[1]
    everybody = log_likelihood(evidence, with_failures(1.0, cohort))
    assert everybody.unresolved.tolist() == [True, False]


def test_a_group_of_nobody_is_an_error_and_not_a_number() -> None:
    cohort = seen(groups={"responders": np.zeros((1, 256))})
    nobody = replace(
        item((1.0, Direction("up", 3))).readings[0], subject=subject("ifng", 182.0, since=0.0, group="responders")
    )
    evidence = Evidence("x", (replace(item((1.0, RISE)), readings=(nobody,)),))
    with pytest.raises(NumericalError) as caught:
        log_likelihood(evidence, cohort)
    assert str(caught.value) == (
        "error[evidence.undefined]: the likelihood of `item` is not a number in cohort 0\n"
        "  found:    1 such values\n"
        "  try:      look for levels that are zero or negative, and for groups to which nobody belongs"
    )


def test_arrays_of_another_shape_and_readings_without_noise_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        seen(groups={"responders": np.ones((1, 3))})
    assert str(caught.value) == (
        "error[evidence.shape]: `responders` has not one value for each virtual patient\n"
        "  found:    (1, 3)\n"
        "  expected: (1, 256)"
    )
    with pytest.raises(InputError) as caught:
        seen(noise={"ifng": 0.0})
    assert caught.value.code == "evidence.noise"
    with pytest.raises(InputError) as caught:
        log_likelihood(Evidence("x", (item((1.0, RISE)),)), seen(noise={"ck": 0.1}))
    assert caught.value.code == "evidence.noise"


def test_a_visit_may_have_a_noise_of_its_own() -> None:
    cohort = seen(noise={"ifng": 0.3, ("ifng", 182.0): 0.4, "ck": 0.1})
    _, _, noise = cohort.change(subject("ifng", 182.0, since=0.0))
    assert noise == pytest.approx(0.5)
    assert cohort.marginal(subject("ifng", 182.0)).scale[0, 0] == 0.4


def test_who_has_left_is_not_measured() -> None:
    left = np.zeros((1, 256))
    left[0, :64] = 1.0
    cohort = seen(present={182.0: left})
    staying = cohort.marginal(subject("ifng", 182.0))
    assert np.exp(staying.log_weights[0]).tolist() == pytest.approx([1 / 64] * 64 + [0.0] * 192)
    assert np.exp(cohort.marginal(subject("ifng")).log_weights[0]) == pytest.approx(np.full(256, 1 / 256))


SHIFTS, SPREADS = (grid.ravel() for grid in np.meshgrid(np.linspace(-1.5, 1.5, 17), np.linspace(0.4, 1.8, 13)))
PRIOR = stats.norm(0.0, 0.6).pdf(SHIFTS) * stats.norm(1.0, 0.35).pdf(SPREADS)
PRIOR /= PRIOR.sum()
REPEATS = 150


def places_of_truth(n_of_data: int, n_assumed: int) -> tuple[FloatArray, FloatArray]:
    """Where the true shift and spread lie in their posteriors, for abstracts printed by populations from the prior.

    Each abstract prints the mean and range of ``n_of_data`` levels; from which of two visits is drawn and not printed.
    """
    rng = np.random.default_rng(2)
    virtual = seen(patients=32, shift=SHIFTS, spread=SPREADS)
    truths = rng.choice(len(PRIOR), size=REPEATS, p=PRIOR)
    places = []
    for repeat, truth in enumerate(truths):
        one = Trials(1, seed=1000 + repeat)
        only = seen(patients=32, shift=SHIFTS[truth], spread=SPREADS[truth])
        day = 0.0 if rng.random() < 0.6 else 182.0
        mean, low, high = MeanRange(1.0, 1.0, 1.0, n_of_data).imitate(subject("ifng", day), only, one)[0, 0]
        printed = MeanRange(mean, low, high, n_assumed)
        readings = (Reading("0", 0.6, subject("ifng"), printed), Reading("182", 0.4, subject("ifng", 182.0), printed))
        level = replace(item((1.0, printed), name="level", doubt=0.0), readings=readings)
        posterior = PRIOR * np.exp(log_likelihood(Evidence("x", (level,)), virtual).total)
        posterior /= posterior.sum()
        row = []
        for values in (SHIFTS, SPREADS):
            # The true value is a point of a grid: its place within its own mass is drawn.
            below, at = (
                posterior[values < values[truth] - 1e-9].sum(),
                posterior[np.isclose(values, values[truth])].sum(),
            )
            row.append(below + rng.random() * at)
        places.append(row)
    return np.array(places)[:, 0], np.array(places)[:, 1]


def test_posteriors_of_simulated_abstracts_cover_the_truth_as_often_as_they_say() -> None:
    for places in places_of_truth(8, 8):
        assert stats.kstest(places, "uniform").pvalue > 0.01


def test_a_wrong_number_of_patients_is_found_out_by_the_same_test() -> None:
    _, spread = places_of_truth(8, 40)
    assert stats.kstest(spread, "uniform").pvalue < 1e-4


def test_the_whole_abstract_has_a_likelihood() -> None:
    cohort = seen(shift=np.array([-0.8, 1.0]), present={182.0: np.ones((2, 256))})
    one = np.ones(cohort.weights.shape)
    rising = {("serum_il1ra", 0.0): 1850.0 * cohort.levels["il17a", 0.0]}
    rising["serum_il1ra", 182.0] = rising["serum_il1ra", 0.0] + 17000.0 * cohort.levels["il17a", 182.0]
    memory = {("cd45ro", day): 60.0 * cohort.levels["ifng", 0.0] ** 0.1 * one for day in (0.0, 182.0)}
    levels = {**cohort.levels, **rising, **memory}
    units = {**cohort.units, "serum_il1ra": read_evidence()["il1ra-baseline"].subject.unit, "cd45ro": subject().unit}
    noise = {**cohort.noise, "serum_il1ra": 0.2, "cd45ro": 0.05}
    terms = log_likelihood(read_evidence(), replace(cohort, levels=levels, units=units, noise=noise))
    assert terms.names == tuple(found.name for found in read_evidence().data)
    assert np.isfinite(terms.values).all()
    # The mean of IFNγ was 1.1 %: a population around 0.45 % explains it better than one around 2.7 %.
    level = terms.names.index("ifng-level")
    assert terms.values[0, level] > terms.values[1, level] + 2.0
    counts = terms.names.index("response")
    assert terms.values[0, counts] == pytest.approx(
        math.log(
            0.98 * math.exp(Count(7, 15).log_likelihood(subject("clinical_response", 182.0), cohort)[0]) + 0.02 / 16
        )
    )
