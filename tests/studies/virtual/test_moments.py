"""Means that reweighting is to meet, and how exactly few patients fix them."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from scipy.special import ndtr

from simulate.inference.populations.target import Target
from simulate.streams import FloatArray, stream
from simulate.studies.fitting.problem import problem_for
from simulate.studies.virtual.moments import counts, moments
from simulate.studies.virtual.patients import PatientStatistic, PlausiblePatients
from simulate.studies.virtual.reported import Printed, ReportedCorrelation, ReportedMean

A, B, C = (PatientStatistic(name, 0.0) for name in "abc")
FIGURES = Printed(
    (ReportedMean(A, 1.0, 0.5, 14, "level", ""), ReportedMean(B, -1.0, 2.0, 8, "level", "")),
    (ReportedCorrelation(B, C, 0.6, 8, "tie", ""),),
)
CORRELATIONS = np.array([[1.0, 0.3, 0.1], [0.3, 1.0, 0.6], [0.1, 0.6, 1.0]])
SD = np.array([0.5, 2.0, 1.5])
TARGET = Target(("a", "b", "c"), np.array([1.0, -1.0, 0.0]), CORRELATIONS * np.outer(SD, SD))


def sample(patients: int) -> FloatArray:
    root = np.linalg.cholesky(TARGET.covariance)
    return TARGET.mean + stream(1, "patients of the target", 0).standard_normal((patients, 3)) @ root.T


def test_patients_of_the_target_have_the_wanted_means() -> None:
    for everything in (False, True):
        wanted = moments(FIGURES, TARGET, sample(200_000), everything=everything)
        assert wanted.functions.mean(axis=0) == pytest.approx(wanted.means, abs=0.015)
    assert wanted.names[:2] == ("mean of a", "spread of a")
    assert wanted.names[-1] == "correlation of b and c"
    assert len(wanted.names) == 7


def test_the_sampling_covariance_is_that_of_repeated_studies() -> None:
    # 14 patients of whom the first 8 were read for the rest.
    studies = sample(14 * 20_000).reshape(20_000, 14, 3)
    functions = np.stack([moments(FIGURES, TARGET, studies[:, place]).functions for place in range(14)], axis=1)
    sizes = np.array([14, 14, 8, 8, 8])
    means = np.stack([functions[:, :n, column].mean(axis=1) for column, n in enumerate(sizes)], axis=1)
    found = moments(FIGURES, TARGET, sample(10)).covariance
    assert np.cov(means.T) == pytest.approx(found, abs=0.006)
    assert np.diag(found)[-1] == pytest.approx((1.0 - 0.6**2) ** 2 / 8)


def test_the_function_of_a_correlation_is_its_first_order_change() -> None:
    some = sample(200_000)
    function = moments(FIGURES, TARGET, some).functions[:, -1]
    heavier = 1.0 + 1e-3 * np.sign(some[:, 1] * some[:, 2])
    weights = heavier / heavier.sum()
    mean = weights @ some
    covariance = (weights[:, None] * (some - mean)).T @ (some - mean)
    moved = covariance[1, 2] / np.sqrt(covariance[1, 1] * covariance[2, 2]) - np.corrcoef(some.T)[1, 2]
    assert weights @ function - function.mean() == pytest.approx(moved, rel=0.05)


@cache
def people() -> PlausiblePatients:
    return PlausiblePatients(problem_for("H1"), (A,))


def test_counts_are_those_of_responders_and_of_changes_among_them() -> None:
    outputs = np.zeros((6, 2 + len(people().changes)))
    outputs[:, 1] = (0.1, 0.9, 0.5, 0.5, 0.2, 0.8)
    number = [change.quantity for change in people().changes].index("il17a")
    outputs[:, 2 + number] = (-1.0, 0.0, 1.0, -0.2, 0.3, -3.0)
    wanted = counts(people().problem.evidence, people(), outputs)
    assert wanted is not None
    assert wanted.names == ("response", "il17a-direction")
    assert wanted.means == pytest.approx([7.0 / 15.0, 0.0])
    assert wanted.functions[:, 0] == pytest.approx(outputs[:, 1])
    falls = ndtr(-outputs[:, 2 + number] / people().noise(people().changes[number]))
    assert wanted.functions[:, 1] == pytest.approx(outputs[:, 1] * (falls - 2.0 / 3.0))
    assert np.diag(wanted.covariance) == pytest.approx([7 * 8 / 15**3, 0.25 * 2.0 / 27.0])
    two = Target(("a", "b"), TARGET.mean[:2], TARGET.covariance[:2, :2])
    both = moments(Printed(FIGURES.levels, ()), two, sample(6)[:, :2]).and_also(wanted)
    assert both.functions.shape == (6, 6)
    assert both.covariance[:4, 4:] == pytest.approx(np.zeros((4, 2)))


def test_a_count_is_of_the_change_between_its_visits_and_of_no_other() -> None:
    problem = problem_for("H1")
    outcomes = problem.trial.outcomes
    number = next(place for place, part in enumerate(outcomes) if part.quantity == "il17a")
    # Read early, and not what was counted.
    early = replace(outcomes[number], last=28.0)
    for asked, kept in (((early, *outcomes), True), ((early,), False)):
        trials = replace(problem.trial, outcomes=asked)
        those = PlausiblePatients(replace(problem, trial=trials), (A,))
        outputs = np.zeros((6, 2 + len(those.changes)))
        outputs[:, 1] = 0.5
        place = those.changes.index(outcomes[number]) if kept else 0
        outputs[:, 2 + place] = np.linspace(-1.0, 1.0, 6)
        wanted = counts(those.problem.evidence, those, outputs)
        assert wanted is not None
        assert ("il17a-direction" in wanted.names) is kept
        if kept:
            falls = ndtr(-outputs[:, 2 + place] / those.noise(outcomes[number]))
            assert wanted.functions[:, 1] == pytest.approx(0.5 * (falls - 2.0 / 3.0))
