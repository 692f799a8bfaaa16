"""The trial simulated for many populations: the same as one patient after another."""

from __future__ import annotations

import dataclasses
from dataclasses import replace

import numpy as np
import pytest

from simulate.cohort.arms import Arm
from simulate.cohort.draws import cohort_of
from simulate.cohort.ensemble import simulate_cohort
from simulate.cohort.points import latin
from simulate.errors import InputError
from simulate.evidence.items import Evidence
from simulate.evidence.reading import read_evidence
from simulate.regimen.words import parse_regimen
from simulate.regimen.writing import print_regimen
from simulate.solver.problem import Tolerance
from simulate.studies.fitting.fit import Likelihood
from simulate.studies.fitting.problem import LEADING, REGRESSED, SAMPLE_HOUR, problem_for
from simulate.studies.fitting.simulated_trial import (
    cohort_at,
    feasible_at,
    recorded_times,
    simulated_trial,
    treated,
    uniforms_for,
)
from simulate.symbolic.parts import Observable, Parameter, Spread
from simulate.trials.reading import read_trial, shipped_trial
from tests.studies.fitting.tiny import problem

LAST_DOSE, AFTER = 181.0, 182.0
POINTS = np.random.default_rng(1).standard_normal((3, problem().dimension))


def test_a_patient_of_a_point_is_one_of_the_ordinary_simulation() -> None:
    point, patient = 2, 5
    seen = simulated_trial(problem(), POINTS, patients=8, seed=1).seen
    cohort, kinds = cohort_at(problem(), POINTS, patients=8, seed=1)
    values = cohort.values[8 * point + patient]
    alone = cohort_of(problem().population, values[np.newaxis], kinds[[patient]], seed=0)
    # The injection of the day of the visit waits until blood is drawn: 182 doses, on days 0 to 181.
    arm = Arm("daily", parse_regimen("100 mg sc every 24 h until 182 d"))
    ensemble = simulate_cohort(problem().model, (arm,), alone, np.array([0.0, AFTER]), tolerance=Tolerance(1e-8))
    for quantity in ("ifng", "il17a", "ck", "cd45ro"):
        for index, day in enumerate((0.0, AFTER)):
            assert seen.levels[quantity, day][point, patient] == pytest.approx(
                ensemble.quantity(quantity)[0, 0, index], rel=5e-3
            )


def test_serum_is_read_at_the_hour_of_the_sample() -> None:
    seen = simulated_trial(problem(), POINTS[:1], patients=8, seed=1, tolerance=Tolerance(1e-8)).seen
    hours = uniforms_for(problem(), 8, 1)[SAMPLE_HOUR]
    sampling = shipped_trial().readout("serum_il1ra").sampling
    assert sampling is not None
    due = LAST_DOSE + sampling.earliest + hours * (sampling.latest - sampling.earliest)
    cohort, _ = cohort_at(problem(), POINTS[:1], patients=8, seed=1)
    arm = Arm("daily", parse_regimen("100 mg sc every 24 h until 182 d"))
    times = np.unique(np.concatenate([[0.0], due]))
    exact = simulate_cohort(problem().model, (arm,), cohort, times, tolerance=Tolerance(1e-8))
    expected = [exact.quantity("serum_il1ra")[0, row, np.searchsorted(times, day)] for row, day in enumerate(due)]
    # Between two times 2 h apart the logarithm is taken as straight.
    np.testing.assert_allclose(seen.levels["serum_il1ra", AFTER][0], expected, rtol=0.005)
    assert recorded_times(shipped_trial())[0] == 0.0


def test_the_injection_of_the_day_of_the_visit_waits_for_the_sample() -> None:
    plan = treated("100 mg sc daily and 50 mg sc at 181 d and 50 mg sc at 182 d", shipped_trial()).plan
    assert print_regimen(plan) == print_regimen(
        parse_regimen("100 mg sc daily until 260641/1440 d and 50 mg sc at 181 d")
    )


def test_a_parameter_more_that_differs_between_patients_moves_no_patient_and_no_score() -> None:
    plain = problem()
    new = Parameter("unrelated", "has no part in anything", 1.0, spread=Spread(0.3))
    population = replace(plain.population, parameters=(new, *plain.population.parameters))
    more = replace(plain, population=population)
    assert "unrelated" in uniforms_for(more, 8, 1)
    ours, theirs = (cohort_at(one, POINTS, patients=8, seed=1)[0] for one in (plain, more))
    assert all(ours.of(name).tobytes() == theirs.of(name).tobytes() for name in ours.names)
    assert len(set(theirs.of("unrelated").tolist())) == 8
    scores = [Likelihood(one, patients=8, places=1)(POINTS).items for one in (plain, more)]
    assert scores[0].tobytes() == scores[1].tobytes()


def test_a_coordinate_is_the_same_under_every_hypothesis() -> None:
    first, second = (uniforms_for(problem_for(name), 16, 2) for name in ("H1", "H2"))
    assert set(first) != set(second)
    assert all(first[name].tobytes() == second[name].tobytes() for name in set(first) & set(second))
    own = next(name for name in second if name not in LEADING)
    assert second[own].tobytes() == latin(own, 16, seed=2).tobytes()


@pytest.mark.parametrize(
    "changed", [("POINTS", "other points"), ("SCHEME", "another transform"), ("LEADING", (*LEADING, "new"))]
)
def test_the_key_has_how_patients_are_made(changed: tuple[str, object], monkeypatch: pytest.MonkeyPatch) -> None:
    before = problem().key
    monkeypatch.setattr(f"simulate.studies.fitting.problem.{changed[0]}", changed[1])
    assert problem().key != before


def test_the_key_has_the_routes_that_the_trial_gives_and_no_other() -> None:
    known = problem()
    routes = {route.name: route for route in known.model.routes}
    fewer = replace(known, model=replace(known.model, routes=(routes["sc"],)))
    assert fewer.key == known.key
    other = replace(routes["sc"], gain=routes["iv"].gain)
    assert replace(known, model=replace(known.model, routes=(other,))).key != known.key


def test_the_key_has_the_observables_that_the_trial_reads_and_no_other() -> None:
    known = problem()
    read = {part.name: part for part in known.model.observables}
    of_more = replace(read["ifng"], name="more", expression=2 * read["ifng"].expression)

    def key_with(*observables: Observable) -> str:
        return replace(known, model=replace(known.model, observables=observables)).key

    assert key_with(*read.values(), of_more) == known.key
    assert key_with(*(part for part in read.values() if part.name in known.trial.watched)) == known.key
    assert key_with(*({**read, "ifng": replace(of_more, name="ifng")}.values())) != known.key


def test_the_key_has_what_is_read_with_regression_to_the_mean() -> None:
    known = problem_for("H5a")
    other = tuple(
        replace(part, expression=2 * part.expression) if part.name == f"ifng{REGRESSED}" else part
        for part in known.model.observables
    )
    assert other != known.model.observables
    assert replace(known, model=replace(known.model, observables=other)).key != known.key


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
    trial = simulated_trial(fast, point, patients=64, seed=1)
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
    assert simulated_trial(fast, point, patients=32, seed=1).feasible.tolist() == [True, False]
    assert Likelihood(fast, patients=32, places=1)(point).total[1] == -np.inf


def test_that_a_point_is_in_the_prior_is_known_without_its_trial() -> None:
    for asked in (problem("H2"), problem_for("H2", trials=[read_trial("example-two-arms")])):
        points = np.random.default_rng(0).standard_normal((64, asked.dimension))
        found = feasible_at(asked, points, patients=8, seed=1)
        assert 0 < found.sum() < len(points)
        np.testing.assert_array_equal(found, simulated_trial(asked, points, patients=8, seed=1).feasible)


def test_evidence_without_data_cannot_be_fitted() -> None:
    some = problem().evidence
    checks = Evidence(some.source, tuple(item for item in some.items if item not in some.data))
    with pytest.raises(InputError) as caught:
        problem_for("H1", checks)
    assert caught.value.code == "fit.evidence"


def test_the_key_knows_numbers_of_the_evidence_and_not_its_words() -> None:
    evidence = read_evidence()
    first, *others = evidence.items
    reworded = dataclasses.replace(first, account="said otherwise", note="a remark", location=None)
    doubted = dataclasses.replace(first, doubt=0.5)
    key = problem_for("H1", evidence).key
    assert problem_for("H1", Evidence(evidence.source, (reworded, *others))).key == key
    assert problem_for("H1", Evidence(evidence.source, (doubted, *others))).key != key


def test_the_key_tells_hypotheses_apart_and_is_the_same_twice() -> None:
    assert problem_for("H1").key == problem_for("H1").key != problem_for("H3a").key
