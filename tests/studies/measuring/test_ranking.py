"""Statistics of samples, and the ranking, on patients of whom everything is known."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
import pytest

from simulate.errors import InputError, Where
from simulate.studies.fitting.draws import Draws, draws_of
from simulate.studies.fitting.problem import problem_for
from simulate.studies.measuring.catalogue import Measurement, PlannedReading, Sample, read_measurement
from simulate.studies.measuring.pool import MeasurementPool, pool_of, statistic_of
from simulate.studies.measuring.ranking import rank_measurements
from tests.studies.measuring.test_catalogue import GOOD, written

DRAWS, PATIENTS = 40, 16


def pool(shift: float, *, hypothesis: str = "H0") -> MeasurementPool:
    """Patients whose IFNγ changes by a factor that differs between draws, and whose naive cells do not."""
    draws = Draws(problem_for(hypothesis), np.zeros((DRAWS, 11)), False, 1)
    shape = (DRAWS, PATIENTS)
    generator = np.random.default_rng(1)
    start = np.exp(generator.standard_normal(shape))
    effect = shift + 0.2 * generator.standard_normal((DRAWS, 1)) + 0.1 * generator.standard_normal(shape)
    levels = {
        ("anakinra", "ifng", 0.0): start,
        ("anakinra", "ifng", 182.0): start * np.exp(effect),
        ("anakinra", "naive", 0.0): start,
        ("anakinra", "naive", 182.0): start,
    }
    responders = {"anakinra": np.broadcast_to((np.arange(PATIENTS) < 8).astype(np.float64), shape)}
    return MeasurementPool(draws, ("ifng", "naive"), np.full(shape, 1.0 / PATIENTS), levels, responders)


def reading(
    quantity: str, *, since: float | None = 0.0, over: str | None = None, is_optional: bool = False
) -> PlannedReading:
    return PlannedReading(quantity, 182.0, since, over, 0.3, 0.0, is_optional, Where())


def measurement(name: str, n: int, *readings: PlannedReading, group: str = "all") -> Measurement:
    return Measurement(name, name, "", "", 1.0, "assumption", "assumed", (Sample(group, "anakinra", n, readings),))


def test_the_mean_of_a_sample_has_the_spread_of_its_patients_and_readings() -> None:
    one = measurement("change", 8, reading("ifng"))
    alone = pool(0.5)
    found = statistic_of(one, one.samples[0], [alone])
    change = np.log(alone.levels["anakinra", "ifng", 182.0] / alone.levels["anakinra", "ifng", 0.0])
    np.testing.assert_allclose(found.mean[0, :, 0], change.mean(axis=1), rtol=1e-12)
    np.testing.assert_allclose(found.covariance[0, :, 0, 0], (change.var(axis=1) + 2.0 * 0.3**2) / 8.0, rtol=1e-12)
    twice = statistic_of(one, one.samples[0], [alone], scale=2.0)
    np.testing.assert_allclose(twice.covariance, found.covariance / 2.0, rtol=1e-12)


def test_changes_since_one_reading_share_its_error() -> None:
    both = measurement("both", 1, reading("naive"), reading("naive", since=None))
    found = statistic_of(both, both.samples[0], [pool(0.0)])
    spread = np.log(pool(0.0).levels["anakinra", "naive", 182.0]).var(axis=1)
    # Naive cells do not change: what the change and the level have in common is the error of the later reading.
    np.testing.assert_allclose(found.covariance[0, :, 0, 0], 2.0 * 0.09, rtol=1e-9)
    np.testing.assert_allclose(found.covariance[0, :, 0, 1], 0.09, rtol=1e-9)
    np.testing.assert_allclose(found.covariance[0, :, 1, 1], spread + 0.09, rtol=1e-9)


def test_a_group_weighs_patients_by_their_chance_to_be_in_it() -> None:
    alone = pool(0.5)
    change = np.log(alone.levels["anakinra", "ifng", 182.0] / alone.levels["anakinra", "ifng", 0.0])
    for group, part in (("responders", slice(0, 8)), ("non-responders", slice(8, 16))):
        one = measurement(group, 8, reading("ifng"), group=group)
        found = statistic_of(one, one.samples[0], [alone])
        np.testing.assert_allclose(found.mean[0, :, 0], change[:, part].mean(axis=1), rtol=1e-12)


def test_a_quantity_that_a_hypothesis_lacks_is_unchanged_where_that_is_said() -> None:
    one = measurement("taper", 8, reading("steroid", is_optional=True))
    found = statistic_of(one, one.samples[0], [pool(0.5)])
    assert (found.mean == 0.0).all()
    np.testing.assert_allclose(found.covariance[0, :, 0, 0], 2.0 * 0.09 / 8.0, rtol=1e-12)


def test_what_tells_hypotheses_apart_ranks_first_and_what_does_not_has_no_gain() -> None:
    catalogue = [measurement("naive", 15, reading("naive")), measurement("ifng", 15, reading("ifng"))]
    found = rank_measurements([pool(0.0), pool(1.5)], catalogue, patients=PATIENTS, measurements=160)
    assert [row.measurement.name for row in found.rows] == ["ifng", "naive"]
    best, worst = found.rows
    assert (best.rank, worst.rank) == (1, 2)
    assert best.gain.between > 0.8 * math.log(2.0)
    assert best.n_needed is not None
    assert best.n_needed < 15
    assert worst.gain.between == pytest.approx(0.0, abs=1e-9)
    assert worst.n_needed is None
    assert best.decided > 0.8
    assert best.misled_3 < 0.1
    assert worst.misled_3 == 0.0
    assert [step.measurement.name for step in found.steps] == ["ifng"]


def test_a_second_measurement_adds_what_the_first_has_left() -> None:
    catalogue = [measurement("some", 2, reading("ifng")), measurement("more", 2, reading("ifng"))]
    found = rank_measurements([pool(0.0), pool(0.5)], catalogue, patients=PATIENTS, measurements=400)
    assert len({row.rank for row in found.rows}) == 1
    assert len(found.steps) == 2
    assert 0.0 < found.steps[1].added < found.steps[0].added


def test_a_pool_has_what_the_catalogue_asks_for_at_its_days(tmp_path: Path) -> None:
    one = read_measurement(written(tmp_path, GOOD))
    found = pool_of(draws_of(problem_for("H0"), 4), [one], patients=8)
    assert {(arm, quantity) for arm, quantity, _ in found.levels} == {("anakinra", "ifng"), ("anakinra", "naive")}
    assert {day for _, _, day in found.levels} == {0.0, 28.0, 91.0, 182.0}
    np.testing.assert_allclose(found.weights.sum(axis=1), 1.0, rtol=1e-12)
    # Under H0 nothing acts on CD4 cells.
    before, after = (found.levels["anakinra", "ifng", day] for day in (0.0, 91.0))
    np.testing.assert_allclose(after, before, rtol=5e-3)


def test_a_quantity_that_a_model_lacks_is_refused_with_its_line(tmp_path: Path) -> None:
    path = written(tmp_path, GOOD.replace('"naive"', '"nave"'))
    with pytest.raises(InputError) as caught:
        pool_of(draws_of(problem_for("H0"), 4), [read_measurement(path)], patients=8)
    assert str(caught.value) == (
        "error[measurement.quantity]: the model under `H0` has no quantity `nave`\n"
        f"  --> {path}:18, key `sample[0].reading[1]`\n"
        '  expected: a state or an observable, or `without = "unchanged"`\n'
        "  try:      did you mean `naive`?"
    )
