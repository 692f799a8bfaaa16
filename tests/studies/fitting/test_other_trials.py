"""A trial of another shape is simulated as it was, and scored alone and together with that of the abstract."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from simulate.cohort.arms import Arm
from simulate.cohort.ensemble import simulate_cohort
from simulate.errors import InputError
from simulate.evidence.items import Evidence
from simulate.evidence.reading import read_evidence
from simulate.regimen.words import parse_regimen
from simulate.solver.problem import Tolerance
from simulate.studies.fitting.draws import Draws, draws_elsewhere, draws_of
from simulate.studies.fitting.fit import Likelihood
from simulate.studies.fitting.problem import Problem, only_trial, problem_for
from simulate.studies.fitting.simulated_trial import cohort_at, sample_hours, simulated_trial
from simulate.trials.reading import read_trial, shipped_trial

EXAMPLE = read_trial("example-two-arms")


@cache
def example() -> Problem:
    return problem_for("H1", None, (EXAMPLE,))


@cache
def both() -> Problem:
    return problem_for("H1", None, (shipped_trial(), EXAMPLE))


POINTS = np.random.default_rng(2).standard_normal((2, both().dimension))


def test_the_example_has_two_arms_four_visits_in_twelve_weeks_and_other_readings() -> None:
    assert [arm.name for arm in EXAMPLE.arms] == ["anakinra", "placebo"]
    assert EXAMPLE.days == (0.0, 28.0, 56.0, 84.0)
    assert not {*EXAMPLE.quantities} & {"ifng", "il17a", "ck", "cd45ro"}
    assert "invented" in EXAMPLE.title
    assert all("invented" in item.account for item in example().evidence.items)


def test_each_arm_is_treated_as_its_own_and_seen_at_every_visit() -> None:
    point = np.zeros((1, example().dimension))
    seen = simulated_trial(example(), point, patients=8, seed=1).seen
    cohort, _ = cohort_at(example(), point, patients=8, seed=1)
    for name, words in (("anakinra", "100 mg sc daily until 84 d"), ("placebo", "none")):
        alone = simulate_cohort(
            example().model,
            (Arm(name, parse_regimen(words)),),
            cohort,
            np.array(EXAMPLE.days),
            tolerance=Tolerance(1e-8),
        )
        for quantity in ("double_positive", "gcsf", "naive"):
            for index, day in enumerate(EXAMPLE.days):
                np.testing.assert_allclose(
                    seen.of_arm(name).levels[quantity, day][0], alone.quantity(quantity)[0, :, index], rtol=5e-3
                )


def test_serum_is_noisier_on_the_drug_and_drawn_at_hours_of_its_own_at_each_visit() -> None:
    point = np.zeros((1, example().dimension))
    seen = simulated_trial(example(), point, patients=8, seed=1).seen
    assert seen.of_arm("anakinra").spread("serum_il1ra", 56.0) == pytest.approx(np.hypot(0.4, 0.15))
    assert seen.of_arm("anakinra").spread("serum_il1ra", 0.0) == 0.15
    assert seen.of_arm("placebo").spread("serum_il1ra", 56.0) == 0.15
    assert sample_hours(EXAMPLE) == ("sample hour: week 4", "sample hour: week 8", "sample hour")


def test_an_arm_has_its_own_numbers_of_each_kind_of_patient() -> None:
    seen = simulated_trial(example(), np.zeros((1, example().dimension)), patients=8, seed=1).seen
    sizes = {name: seen.of_arm(name).strata for name in ("anakinra", "placebo")}
    assert {name: strata[1] for name, strata in sizes.items() if strata is not None} == {
        "anakinra": (8, 8), "placebo": (4, 4),
    }  # fmt: skip
    assert [stratum.name for stratum in example().population.strata] == ["PM", "DM"]


def test_log_likelihoods_of_independent_trials_add() -> None:
    together = Likelihood(both(), patients=8, places=1)(POINTS)
    parts = [Likelihood(part, patients=8, places=1)(POINTS) for part in both().parts]
    np.testing.assert_array_equal(together.items, np.concatenate([part.items for part in parts], axis=1))
    assert together.total == pytest.approx(parts[0].total + parts[1].total)
    assert np.isfinite(together.total).all()
    names = [item.name for item in both().data]
    assert names[0] == "zong-2011: response"
    assert names[-1] == "example-two-arms: gcsf-week-4"
    assert together.items.shape == (2, len(names))


def test_the_key_knows_every_trial_and_not_only_the_first() -> None:
    keys = {problem_for("H1").key, example().key, both().key}
    swapped = problem_for("H1", None, (EXAMPLE, shipped_trial()))
    assert len(keys | {swapped.key}) == 4
    arms = (EXAMPLE.arms[0], dataclasses.replace(EXAMPLE.arms[1], plan=parse_regimen("10 mg sc daily")))
    other = dataclasses.replace(EXAMPLE, arms=arms)
    assert problem_for("H1", None, (other,)).key != example().key


def fault(*arguments: object) -> str:
    with pytest.raises(InputError) as caught:
        problem_for("H1", *arguments)  # type: ignore[arg-type]
    return str(caught.value)


def test_a_trial_that_is_planned_has_the_populations_that_another_trial_was_fitted_to() -> None:
    planned = problem_for("H1", None, (dataclasses.replace(EXAMPLE, evidence=None),), needs_evidence=False)
    assert planned.data == ()
    found = draws_of(planned, 4)
    assert found.origin == "4 draws of the fit to zong-2011"
    fitted = draws_of(problem_for("H1"), 4)
    own = {part.name: column for part, column in zip(planned.free, found.points.T, strict=True)}
    base = {part.name: column for part, column in zip(fitted.problem.free, fitted.points.T, strict=True)}
    for name in own.keys() & base.keys():
        np.testing.assert_array_equal(own[name], base[name])
    assert own.keys() < base.keys()


def test_what_only_the_other_trial_needs_is_of_its_prior() -> None:
    many = Draws(example(), np.zeros((2000, example().dimension)), True, 1)
    found = draws_elsewhere(many, problem_for("H1"))
    column = [part.name for part in found.problem.free].index("slope_response")
    assert found.points[:, column].mean() == pytest.approx(0.0, abs=0.1)
    assert found.points[:, column].std() == pytest.approx(1.0, abs=0.1)
    shared = [index for index, part in enumerate(found.problem.free) if part in example().free]
    assert len(shared) == example().dimension
    np.testing.assert_array_equal(found.points[:, shared], 0.0)


def test_what_cannot_be_fitted_together_is_refused() -> None:
    abstract = read_evidence()
    assert fault(None, (EXAMPLE, EXAMPLE)) == (
        "error[trial.twice]: the trial `example-two-arms` is given twice\n"
        "  expected: trials whose patients are not the same: likelihoods of independent trials add"
    )
    assert fault(abstract, (shipped_trial(), EXAMPLE)) == (
        "error[trial.evidence]: evidence is given beside several trials\n"
        '  try:      let each trial\'s file name its evidence: `evidence = "my-evidence.toml"`'
    )
    assert fault(abstract, (EXAMPLE,)) == (
        "error[trial.evidence]: the evidence is of the trial `zong-2011`, not of `example-two-arms`\n"
        '  found:    `trial = "zong-2011"`\n'
        "  expected: evidence of `example-two-arms`, or none\n"
        '  try:      leave `evidence` out of the trial, or name a copy of it with `trial = "example-two-arms.toml"`'
    )
    assert fault(None, (dataclasses.replace(EXAMPLE, evidence=None),)) == (
        "error[trial.evidence]: the trial `example-two-arms` names no evidence\n"
        "  expected: what it reported: a fit, a comparison and a reproduction are held against it\n"
        '  try:      give its file `evidence = "my-evidence.toml"`; `simulate trial` and `simulate predict` need none'
    )
    with pytest.raises(InputError) as caught:
        only_trial(both(), "a prediction")
    assert str(caught.value) == (
        "error[trial.several]: a prediction takes one trial\n"
        "  found:    `zong-2011`, `example-two-arms`\n"
        "  try:      name one of them: `fit`, `compare` and `reproduce` take several"
    )


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            {"quantity": "naiv"},
            "error[evidence.quantity]: the item `double-positive-on-drug` is of `naiv`, which the trial "
            "`example-two-arms` does not read\n"
            "  --> {where}\n"
            "  expected: `serum_il1ra`, `naive`, `double_positive`, `gcsf`\n"
            "  try:      did you mean `naive`?",
        ),
        (
            {"days": (91.0,)},
            "error[evidence.visit]: the item `double-positive-on-drug` is of day 91, on which the trial "
            "`example-two-arms` had no visit\n"
            "  --> {where}\n"
            "  expected: 0 (baseline), 28 (week 4), 56 (week 8), 84 (week 12)",
        ),
        (
            {"arm": "anakinara"},
            "error[evidence.arm]: the trial `example-two-arms` has no arm `anakinara`\n"
            "  --> {where}\n"
            "  expected: `anakinra`, `placebo`\n"
            "  try:      did you mean `anakinra`?",
        ),
        (
            {"arm": None},
            "error[evidence.arm]: the item `double-positive-on-drug` does not say of which arm it is\n"
            "  --> {where}\n"
            "  expected: `arm`: `anakinra`, `placebo`\n"
            "  try:      only what was seen on day 0, before treatment, may be of all arms together",
        ),
    ],
)
def test_evidence_of_what_the_trial_did_not_see_is_refused_with_its_line(
    changes: dict[str, object], message: str
) -> None:
    items = example().evidence.items
    item = example().evidence["double-positive-on-drug"]
    arm = changes.pop("arm", item.arm)
    reading = item.readings[0]
    subject = dataclasses.replace(reading.subject, **changes)  # type: ignore[arg-type]
    wrong = dataclasses.replace(item, arm=arm, readings=(dataclasses.replace(reading, subject=subject),))  # type: ignore[arg-type]
    some = Evidence("invented", tuple(wrong if one is item else one for one in items))
    assert fault(some, (EXAMPLE,)) == message.format(where=str(item.where))
