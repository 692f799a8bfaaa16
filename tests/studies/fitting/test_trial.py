"""The trial simulated for many populations: the same as one patient after another."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.cohort.draws import Cohort
from simulate.cohort.ensemble import Arm, simulate_cohort
from simulate.cohort.placed import placed
from simulate.errors import InputError
from simulate.evidence.items import Evidence
from simulate.regimen.words import parse_regimen
from simulate.solver.problem import Tolerance
from simulate.studies.fitting.fit import Likelihood
from simulate.studies.fitting.trial import (
    AFTER,
    LAST_DOSE,
    places_for,
    populations_at,
    problem_for,
    recorded_times,
    trial_of,
)
from simulate.studies.serum import shipped_sampling
from tests.studies.fitting.tiny import problem

POINTS = np.random.default_rng(1).standard_normal((3, problem().dimension))


def test_a_patient_of_a_point_is_one_of_the_ordinary_simulation() -> None:
    point, patient = 2, 5
    seen = trial_of(problem(), POINTS, patients=8, seed=1).seen
    values = placed(populations_at(problem(), POINTS), places_for(problem(), 8, 1))[point, patient]
    alone = Cohort(0, np.zeros(1, dtype=np.int64), problem().population.names, values[None], (), np.empty((1, 0)),
                   ("PM",), np.full(1, np.inf))  # fmt: skip
    # The injection of the day of the visit waits until blood is drawn: 182 doses, on days 0 to 181.
    arm = Arm("daily", parse_regimen("100 mg sc every 24 h until 182 d"))
    ensemble = simulate_cohort(problem().model, (arm,), alone, np.array([0.0, AFTER]), tolerance=Tolerance(1e-8))
    for quantity in ("ifng", "il17a", "ck", "cd45ro"):
        for index, day in enumerate((0.0, AFTER)):
            assert seen.levels[quantity, day][point, patient] == pytest.approx(
                ensemble.quantity(quantity)[0, 0, index], rel=5e-3
            )


def test_serum_is_read_at_the_hour_of_the_sample() -> None:
    seen = trial_of(problem(), POINTS[:1], patients=8, seed=1, tolerance=Tolerance(1e-8)).seen
    hours = places_for(problem(), 8, 1).of("sample hour")
    sampling = shipped_sampling()
    due = LAST_DOSE + sampling.earliest + hours * (sampling.latest - sampling.earliest)
    values = placed(populations_at(problem(), POINTS[:1]), places_for(problem(), 8, 1))[0]
    cohort = Cohort(0, np.arange(8), problem().population.names, values, (), np.empty((8, 0)), ("PM",) * 8,
                    np.full(8, np.inf))  # fmt: skip
    arm = Arm("daily", parse_regimen("100 mg sc every 24 h until 182 d"))
    times = np.unique(np.concatenate([[0.0], due]))
    exact = simulate_cohort(problem().model, (arm,), cohort, times, tolerance=Tolerance(1e-8))
    expected = [exact.quantity("serum_il1ra")[0, row, np.searchsorted(times, day)] for row, day in enumerate(due)]
    # Between two times 2 h apart the logarithm is taken as straight.
    np.testing.assert_allclose(seen.levels["serum_il1ra", AFTER][0], expected, rtol=0.005)
    assert recorded_times()[0] == 0.0


def test_scores_do_not_depend_on_the_batch() -> None:
    target = Likelihood(problem(), patients=8, places=1)
    together = target(POINTS)
    for index in range(len(POINTS)):
        assert np.array_equal(target(POINTS[index : index + 1]).items[0], together.items[index])
    backwards = target(POINTS[::-1].copy())
    assert np.array_equal(backwards.items[::-1], together.items)


def test_scores_do_not_depend_on_threads() -> None:
    one, two = (Likelihood(problem(), patients=8, places=1, threads=threads)(POINTS).items for threads in (1, 2))
    assert np.array_equal(one, two)


def test_no_points_have_no_scores() -> None:
    assert Likelihood(problem(), patients=8, places=1)(np.empty((0, problem().dimension))).items.shape == (0, 9)


def test_patients_without_a_baseline_have_no_weight_and_kinds_keep_their_shares() -> None:
    fast = problem_for("H2")
    column = [part.name for part in fast.free].index("k_c")
    point = np.zeros((1, fast.dimension))
    point[0, column] = 0.8
    trial = trial_of(fast, point, patients=64, seed=1)
    assert 0.05 < trial.refused[0] < 0.95
    weights = trial.seen.weights[0]
    missing = np.isnan(trial.seen.levels["ifng", 0.0][0])
    assert missing.any()
    assert (weights[missing] == 0.0).all()
    assert weights.sum() == pytest.approx(1.0)
    assert trial.seen.strata is not None
    of_kind, sizes = trial.seen.strata
    for kind, size in enumerate(sizes):
        assert weights[of_kind == kind].sum() == pytest.approx(size / 15)


def test_a_point_of_whose_patients_too_many_do_not_exist_is_not_in_the_prior() -> None:
    fast = problem_for("H2")
    point = np.zeros((2, fast.dimension))
    point[1, [part.name for part in fast.free].index("k_c")] = 4.0
    assert trial_of(fast, point, patients=32, seed=1).feasible.tolist() == [True, False]
    assert Likelihood(fast, patients=32, places=1)(point).total[1] == -np.inf


def test_evidence_without_data_cannot_be_fitted() -> None:
    some = problem().evidence
    checks = Evidence(some.source, tuple(item for item in some.items if item not in some.data))
    with pytest.raises(InputError) as caught:
        problem_for("H1", checks)
    assert caught.value.code == "fit.evidence"


def test_the_key_tells_hypotheses_apart_and_is_the_same_twice() -> None:
    assert problem_for("H1").key == problem_for("H1").key != problem_for("H3a").key
