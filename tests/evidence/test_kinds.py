"""Each kind of statement is calibrated: what it calls likely is how often simulated trials print it.

Trials are simulated here with a generator of their own, patient by patient; nothing is shared with the likelihoods but
the virtual patients.
"""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from simulate.errors import InputError
from simulate.evidence.items import Statement
from simulate.evidence.kinds import KINDS, Ceiling, Correlation, Count, Direction, Mean, MeanRange, PValue, Text
from simulate.evidence.kinds.counts import log_binomial, log_count_in_parts
from simulate.evidence.resampling import Trials
from simulate.evidence.subject import Subject
from simulate.evidence.trial_observations import TrialObservations
from simulate.streams import FloatArray
from simulate.symbolic.units import DIMENSIONLESS
from tests.evidence.cohorts import seen, subject

TRIALS = 20_000
COHORT = seen()


def people(group: str, n: int, seed: int, cohort: TrialObservations = COHORT) -> FloatArray:
    """Patients of trials from the first cohort, shape [trial, n]."""
    weights = cohort.weights[0] * (1.0 if group == "all" else cohort.groups[group][0])
    return np.random.default_rng(seed).choice(len(weights), size=(TRIALS, n), p=weights / weights.sum())


def read(quantity: str, day: float, patients: FloatArray, seed: int, cohort: TrialObservations = COHORT) -> FloatArray:
    """Logarithms of what is read, shape [trial, n]."""
    noise = np.random.default_rng(seed).standard_normal(patients.shape)
    return np.log(cohort.levels[quantity, day][0])[patients] + cohort.spread(quantity, day) * noise


def changes(quantity: str, patients: FloatArray, seed: int) -> FloatArray:
    return read(quantity, 182.0, patients, seed) - read(quantity, 0.0, patients, seed + 1000)


def likelihood(statement: Statement, about: Subject, cohort: TrialObservations = COHORT) -> float:
    (value,) = statement.log_likelihood(about, cohort)
    return math.exp(value)


def check_probability(found: float, happened: FloatArray, *, allow: float = 0.0) -> None:
    """The share of trials in which something happened is the probability, within four standard errors."""
    share = float(np.mean(happened))
    error = 4.0 * math.sqrt(max(share * (1.0 - share), 1e-4) / len(happened))
    assert abs(found - share) < error + allow


CHANGE = subject("ifng", 182.0, since=0.0)


@pytest.mark.parametrize(("group", "n"), [("all", 6), ("responders", 3)])
def test_counts_of_a_direction_are_as_likely_as_they_are_frequent(group: str, n: int) -> None:
    patients = people(group, n, seed=1)
    rose = (changes("ifng", patients, seed=2) > 0.0).sum(axis=1)
    about = subject("ifng", 182.0, since=0.0, group=group)
    probabilities = [likelihood(Direction("up", n, "count", count), about) for count in range(n + 1)]
    assert sum(probabilities) == pytest.approx(1.0, abs=1e-12)
    for count, probability in enumerate(probabilities):
        check_probability(probability, rose == count)
    check_probability(likelihood(Direction("up", n, "each"), about), rose == n)
    assert likelihood(Direction("down", n, "count", 0), about) == pytest.approx(probabilities[n], rel=1e-9)


def test_a_direction_of_two_quantities_is_that_of_the_same_patients() -> None:
    patients = people("responders", 3, seed=3)
    both = (changes("il17a", patients, seed=4) < 0.0) & (changes("ifng", patients, seed=5) > 0.0)
    about = subject("il17a", 182.0, since=0.0, group="responders")
    found = likelihood(Direction("down", 3, "count", 2, "ifng", "up"), about)
    check_probability(found, both.sum(axis=1) == 2)
    assert found != pytest.approx(likelihood(Direction("down", 3, "count", 2), about), abs=0.02)


@pytest.mark.parametrize("n", [6, 10])
def test_the_direction_of_a_mean_is_as_likely_as_it_is_frequent(n: int) -> None:
    mean = changes("ifng", people("all", n, seed=6), seed=7).mean(axis=1)
    check_probability(likelihood(Direction("up", n, "mean"), CHANGE), mean > 0.0)
    check_probability(likelihood(Direction("down", n, "mean"), CHANGE), mean < 0.0)


def test_a_significant_rise_is_about_as_likely_as_a_test_finds_it() -> None:
    rises = changes("ifng", people("all", 10, seed=8), seed=9)
    z = rises.mean(axis=1) / rises.std() * math.sqrt(10)
    check_probability(likelihood(Direction("up", 10, "significant"), CHANGE), z > 1.96)


@pytest.mark.parametrize(("p", "way"), [(0.005, "up"), (0.007, "up"), (0.01, "up"), (0.002, "down")])
def test_p_values_of_signed_ranks_are_as_likely_as_they_are_frequent(p: float, way: str) -> None:
    rises = changes("ifng", people("all", 10, seed=10), seed=11)
    ranks = np.abs(rises).argsort(axis=1).argsort(axis=1) + 1
    against = np.where(rises < 0.0 if way == "up" else rises > 0.0, ranks, 0).sum(axis=1)
    z = (against - 27.5) / math.sqrt(96.25)
    printed = np.round(2.0 * stats.norm.sf(np.abs(z)), len(str(p)) - 2)
    happened = (printed == p) & (z < 0.0)
    # Where ranks count, 512 trials take the place of a formula.
    check_probability(likelihood(PValue(p, way, 10), CHANGE), happened, allow=0.0 if p == 0.005 else 0.03)


def test_all_ten_rising_is_exact_at_the_printed_p_value() -> None:
    together = likelihood(Direction("up", 10, "each"), CHANGE)
    assert likelihood(PValue(0.005, "up", 10), CHANGE) == pytest.approx(together, rel=1e-12)


def test_a_p_value_that_its_test_cannot_give_is_impossible() -> None:
    assert likelihood(PValue(0.005, "up", 10, "exact"), CHANGE) == 0.0


def test_a_p_value_of_a_t_test_is_as_likely_as_it_is_frequent() -> None:
    patients = people("all", 10, seed=12)
    before, after = (np.exp(read("ifng", day, patients, seed)) for day, seed in ((0.0, 13), (182.0, 14)))
    result = stats.ttest_rel(after, before, axis=1)
    happened = (result.statistic > 0.0) & (np.abs(result.pvalue - 0.03) <= 0.005)
    check_probability(likelihood(PValue(0.03, "up", 10, "paired t"), CHANGE), happened, allow=0.03)


@pytest.mark.parametrize("scale", ["log", "absolute", "percent"])
@pytest.mark.parametrize(("r", "change"), [(0.6, "increase"), (-0.6, "decrease"), (-0.1, "increase")])
def test_a_printed_correlation_is_as_likely_as_it_is_frequent(scale: str, r: float, change: str) -> None:
    n = 8
    patients = people("all", n, seed=15)
    x = np.exp(read("il17a", 0.0, patients, seed=16))
    before, after = (np.exp(read("ck", day, patients, seed)) for day, seed in ((0.0, 17), (182.0, 18)))
    y = {"log": np.log(after / before), "absolute": after - before, "percent": after / before}[scale]
    centered = [values - values.mean(axis=1, keepdims=True) for values in (x, y if change == "increase" else -y)]
    found = (centered[0] * centered[1]).sum(axis=1) / np.sqrt((centered[0] ** 2).sum(axis=1))
    found /= np.sqrt((centered[1] ** 2).sum(axis=1))
    about = subject("il17a", 182.0, since=0.0)
    probability = likelihood(Correlation(r, None, n, "ck", scale, change), about)
    check_probability(probability, np.round(found, 1) == r, allow=0.02)


def test_the_correlation_of_a_population_is_that_of_many_readings() -> None:
    statement = Correlation(0.9, None, 8, "ck")
    patients = people("all", 50, seed=19).ravel()
    x = np.exp(read("ifng", 0.0, patients, seed=20))
    y = changes("ck", patients, seed=21)
    (rho,) = statement.population(subject("ifng", 182.0, since=0.0), COHORT)
    assert rho == pytest.approx(float(np.corrcoef(x, y)[0, 1]), abs=0.01)
    assert rho > 0.6


def test_counts_of_an_event_are_binomial() -> None:
    about = subject("clinical_response", 182.0)
    mean = float((COHORT.weights * COHORT.events["clinical_response", 182.0]).sum())
    assert likelihood(Count(7, 15), about) == pytest.approx(stats.binom(15, mean).pmf(7), rel=1e-9)


def test_counts_in_a_trial_with_fixed_kinds_are_sums_of_binomials() -> None:
    kinds = (np.arange(256) % 2, (10, 5))
    cohort = seen(strata=kinds)
    chance = cohort.events["clinical_response", 182.0][0]
    first, second = chance[kinds[0] == 0].mean(), chance[kinds[0] == 1].mean()
    expected = sum(stats.binom(10, first).pmf(k) * stats.binom(5, second).pmf(7 - k) for k in range(8))
    assert likelihood(Count(7, 15), subject("clinical_response", 182.0), cohort) == pytest.approx(expected, rel=1e-9)


def test_counts_add_up_to_one_whatever_the_kinds() -> None:
    probabilities = np.array([[0.0, 0.3, 1.0], [0.5, 0.2, 0.9]])
    totals = [np.exp(log_count_in_parts(count, probabilities, (3, 2, 4))) for count in range(10)]
    np.testing.assert_allclose(np.sum(totals, axis=0), 1.0, rtol=1e-12)
    assert np.exp(log_count_in_parts(10, probabilities, (3, 2, 4))).tolist() == [0.0, 0.0]
    assert log_binomial(4, 3, np.array([0.5])).tolist() == [-math.inf]


def test_a_mean_and_range_is_as_dense_as_it_is_frequent() -> None:
    values = np.sort(np.exp(read("ifng", 0.0, people("all", 4, seed=22), seed=23)), axis=1)
    # In the cell of a coarse histogram, the density times the size of the cell is the share.
    low, high, mean, half = 0.5, 2.5, 1.3, 0.25
    inside = (
        (np.abs(values[:, 0] - low) < half)
        & (np.abs(values[:, -1] - high) < 2.0 * half)
        & (np.abs(values.mean(axis=1) - mean) < half)
    )
    grid = np.linspace(-0.9, 0.9, 7) * half
    about = subject("ifng")
    densities = [
        np.exp(MeanRange(mean + c, low + a, high + 2.0 * b, 4).log_likelihood(about, COHORT)[0])
        for a in grid
        for b in grid
        for c in grid
    ]
    check_probability(float(np.mean(densities)) * 16.0 * half**3, inside, allow=0.002)


def test_units_change_a_density_and_not_what_it_says() -> None:
    about = subject("ifng")
    fraction = Subject("ifng", (0.0,), None, "all", DIMENSIONLESS)
    percent = MeanRange(1.1, 0.08, 4.96, 8).log_likelihood(about, COHORT)[0]
    shares = MeanRange(0.011, 0.0008, 0.0496, 8).log_likelihood(fraction, COHORT)[0]
    assert shares == pytest.approx(percent + 3.0 * math.log(100.0), rel=1e-12)


def test_values_at_the_ceiling_of_an_assay_are_as_likely_as_they_are_frequent() -> None:
    values = np.exp(read("ifng", 0.0, people("all", 3, seed=24), seed=25))
    statement = Ceiling(0.6, 3)
    density = math.exp(statement.log_likelihood(subject("ifng"), COHORT)[0] - statement.log_floor())
    check_probability(density, values.min(axis=1) >= 0.6)


def test_a_range_that_begins_at_the_detection_limit_is_censored() -> None:
    cohort = seen(limits={"ifng": 0.2}, substitutes={"ifng": 0.5})
    statement = MeanRange(1.1, 0.2, 4.96, 8)
    censored = statement.log_likelihood(subject("ifng"), cohort)[0]
    assert censored != pytest.approx(statement.log_likelihood(subject("ifng"), COHORT)[0], abs=0.1)
    above = MeanRange(1.1, 0.21, 4.96, 8)
    assert above.log_likelihood(subject("ifng"), cohort)[0] == above.log_likelihood(subject("ifng"), COHORT)[0]


@pytest.mark.parametrize(
    ("statement", "about"),
    [
        (MeanRange(1.1, 0.2, 5.0, 8), subject("ifng")),
        (MeanRange(1.1, 0.2, 5.0, 14), subject("ifng", 0.0, 182.0)),
        (Mean(1.1, 10), subject("ifng")),
        (Ceiling(1.1, 3), subject("ifng")),
        (Count(7, 15), subject("clinical_response", 182.0)),
        (Direction("up", 6, "mean"), CHANGE),
        (Direction("up", 6, "count", 4), CHANGE),
        (Correlation(0.5, None, 8, "ck"), CHANGE),
        (PValue(0.03, "up", 10), CHANGE),
        (PValue(0.03, "up", 10, "paired t"), CHANGE),
    ],
    ids=lambda value: type(value).__name__,
)
def test_imitated_figures_have_the_distribution_of_independent_trials(statement: Statement, about: Subject) -> None:
    imitated = statement.imitate(about, COHORT, Trials(4000, seed=77))[0]
    assert imitated.shape == (4000, len(statement.figures))
    again = statement.imitate(about, COHORT, Trials(4000, seed=77))[0]
    np.testing.assert_array_equal(imitated, again)
    expected = independent(statement, about)
    for found, wanted in zip(imitated.T, expected.T, strict=True):
        # Rounded, since the same p-value by two programs differs in its last bits.
        assert stats.ks_2samp(found.round(9), wanted[:8000].round(9)).pvalue > 1e-3


def independent(statement: Statement, about: Subject) -> FloatArray:
    """Figures of trials that share nothing with `imitate`."""
    n = statement.n or 0
    patients = people("all", n, seed=30)
    if isinstance(statement, Count):
        chance = COHORT.events["clinical_response", 182.0][0][patients]
        return (np.random.default_rng(31).random(patients.shape) < chance).sum(axis=1)[:, None].astype(float)
    if isinstance(statement, Direction):
        rises = changes("ifng", patients, seed=32)
        return (rises.mean(axis=1) if statement.count is None else (rises > 0.0).sum(axis=1))[:, None].astype(float)
    if isinstance(statement, PValue):
        before, after = (read("ifng", day, patients, seed) for day, seed in ((0.0, 33), (182.0, 34)))
        if statement.test == "paired t":
            return np.asarray(stats.ttest_rel(np.exp(after), np.exp(before), axis=1).pvalue)[:, None]
        return np.asarray(stats.wilcoxon(after - before, axis=1, method="asymptotic").pvalue)[:, None]
    if isinstance(statement, Correlation):
        x, y = np.exp(read("ifng", 0.0, patients, seed=35)), changes("ck", patients, seed=36)
        return np.array([np.corrcoef(a, b)[0, 1] for a, b in zip(x[:8000], y[:8000], strict=True)])[:, None]
    values = np.exp(read("ifng", 0.0, patients, seed=37))
    if len(about.days) > 1:
        late = np.exp(read("ifng", 182.0, patients, seed=38))
        values = np.where(np.random.default_rng(39).random(values.shape) < 0.5, values, late)
    figures = {"mean": values.mean(axis=1), "low": values.min(axis=1), "high": values.max(axis=1)}
    return np.stack([figures.get(name, figures["low"]) for name in statement.figures], axis=1)


def test_what_cannot_be_counted_says_nothing() -> None:
    assert Text(None, None).log_likelihood(CHANGE, COHORT).tolist() == [0.0]
    assert Text(None, None).imitate(CHANGE, COHORT, Trials(5)).shape == (1, 5, 0)


@pytest.mark.parametrize(
    ("statement", "about", "code"),
    [
        (MeanRange(1.0, 0.5, 2.0, None), subject("ifng"), "evidence.n"),
        (Correlation(0.9, None, None, "ck"), CHANGE, "evidence.n"),
        (MeanRange(1.0, 0.5, 2.0, 8), subject("ifgn"), "evidence.quantity"),
        (MeanRange(1.0, 0.5, 2.0, 8), subject("ifng", 91.0), "evidence.visit"),
        (MeanRange(1.0, 0.5, 2.0, 8), subject("ifng", group="responder"), "evidence.group"),
        (Count(7, 15), subject("response", 182.0), "evidence.quantity"),
    ],
)
def test_what_is_not_seen_has_no_likelihood(statement: Statement, about: Subject, code: str) -> None:
    with pytest.raises(InputError) as caught:
        statement.log_likelihood(about, COHORT)
    assert caught.value.code == code
    assert caught.value.expected or caught.value.advice


@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_every_kind_says_by_which_keys_it_is_read(kind: type) -> None:
    assert len(set(kind.KEYS)) == len(kind.KEYS)
    assert KINDS[kind.KIND] is kind
