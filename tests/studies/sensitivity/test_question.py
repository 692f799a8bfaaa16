"""What may be asked, and what is said to a question that cannot be answered."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import numpy as np
import pytest
from scipy.special import ndtri

from simulate.errors import InputError
from simulate.studies.fitting.draws import Draws
from simulate.studies.fitting.problem import problem_for
from simulate.studies.scenario import read_scenario
from simulate.studies.sensitivity.question import BETWEEN, By, cohort_at, question_of, scores_of
from simulate.studies.settings import Setting
from tests.studies.sensitivity.asked import asked


def test_numbers_leave_out_what_acts_between_patients_and_say_so() -> None:
    question = asked(("ck",))
    assert question.unvaried == ("spread_det1", "spread_det17", "spread_R_0", "rho_chi_f_RO")
    assert not {*question.unvaried} & {part.name for part in question.inputs}
    every = asked(("ck",), by=By.ALL)
    assert {*question.unvaried} < {part.name for part in every.inputs}
    assert len(every.inputs) == every.dimension


def test_the_typical_patient_has_about_the_typical_values_of_the_tables() -> None:
    question = asked(("ck",))
    cohort = cohort_at(question, np.full((1, question.dimension), 0.5))
    values = dict(zip(cohort.names, cohort.values[0].tolist(), strict=True))
    for part in question.problem.population.parameters:
        if part.name in ("d_M", "k_a", "f_mem"):
            # Not quite: bounds cut more from one side than from the other.
            assert values[part.name] == pytest.approx(part.value, rel=0.02)


def test_a_place_moves_its_own_parameter_only_unless_it_is_correlated() -> None:
    question = asked(("ck",), by=By.PATIENTS)
    names = [part.name for part in question.inputs]
    points = np.full((2, question.dimension), 0.5)
    points[1, question.inputs[names.index(f"k_a{BETWEEN}")].columns[0]] = 0.9
    cohort = cohort_at(question, points)
    moved = [name for name, (a, b) in zip(cohort.names, cohort.values.T.tolist(), strict=True) if a != b]
    assert moved == ["k_a"]


def test_what_the_scenario_sets_is_certain_and_patients_are_about_it_within_the_bounds() -> None:
    settings = [Setting("chi", 0.9, "--set chi=0.9"), Setting("det1", {"spread": {"cv": 0}}, "--set det1")]
    scenario = read_scenario("anakinra-100mg-daily", settings)
    question = question_of(scenario, ("ck",), by=By.ALL)
    assert not {"chi", "det1", "spread_det1"} & {part.name for part in question.inputs}
    assert f"chi{BETWEEN}" in {part.name for part in question.inputs}
    points = np.random.default_rng(1).uniform(size=(200, question.dimension))
    cohort = cohort_at(question, points)
    row = next(part for part in question.problem.population.parameters if part.name == "chi")
    assert row.bounds is not None
    assert row.bounds[0] <= cohort.of("chi").min() <= cohort.of("chi").max() <= row.bounds[1]
    assert len(set(cohort.of("chi").tolist())) == 200
    assert len(set(cohort.of("det1").tolist())) == 1


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (
            "il17",
            "error[endpoint.quantity]: the model has no quantity `il17` for an endpoint\n"
            "  found:    'il17'\n"
            "  expected: a state or an observable, such as `response`\n"
            "  try:      did you mean `il17a`?",
        ),
        (
            "il17a:chnage@91",
            "error[endpoint.summary]: an endpoint cannot be the `chnage` of a quantity\n"
            "  found:    'il17a:chnage@91'\n"
            "  expected: `value`, `change`, `mean`, `lowest`, `highest`\n"
            "  try:      did you mean `change`?",
        ),
        (
            "il17a@200",
            "error[endpoint.day]: the day of an endpoint is not one that is simulated\n"
            "  found:    'il17a@200'\n"
            "  expected: a number of days above 0 and up to 182",
        ),
    ],
)
def test_an_endpoint_that_is_none_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        asked((text,))
    assert str(caught.value) == message


def test_an_unknown_input_or_arm_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        asked(("ck",), hold=("chj",))
    assert str(caught.value) == (
        "error[sensitivity.input]: there is no input `chj` to hold\n"
        "  expected: `det1`, `det17`, `chi`, `f_m`, `il1_muscle`, `d_M17`, `p_unchanged`, `slope_response`, `R_0`\n"
        "  try:      did you mean `chi`?"
    )
    with pytest.raises(InputError) as caught:
        question_of(read_scenario("anakinra-100mg-daily"), ("ck",), arm="placebo")
    assert str(caught.value) == (
        "error[sensitivity.arm]: the scenario has no arm `placebo`\n  expected: `anakinra 100 mg/d`"
    )


def test_free_numbers_of_a_model_of_a_user_are_refused() -> None:
    scenario = dataclasses.replace(read_scenario("anakinra-100mg-daily"), model=Path("mine.toml"))
    with pytest.raises(InputError) as caught:
        question_of(scenario, ("ck",), by=By.NUMBERS)
    assert str(caught.value) == (
        "error[sensitivity.model]: nothing says which numbers of a user's model are uncertain\n"
        "  --> mine.toml\n"
        "  found:    inputs by numbers\n"
        "  expected: inputs by patients: how parameters differ is known, or assumed by `--vary cv=0.3`\n"
        "  try:      leave `--by` and `--fit` out"
    )


def test_an_endpoint_that_is_asked_for_twice_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        asked(("ck:change", "ck:change@182"))
    assert str(caught.value) == (
        "error[endpoint.twice]: an endpoint is asked for twice\n"
        "  found:    'ck:change' and 'ck:change@182'\n"
        "  try:      leave one of the two out"
    )


@pytest.fixture
def fitted(monkeypatch: pytest.MonkeyPatch) -> Draws:
    """Draws of a fit of H0: every number a tenth as uncertain as before, and one standard deviation higher."""
    problem = problem_for("H0")
    scores = ndtri((np.arange(2048) + 0.5) / 2048.0)
    points = np.stack([1.0 + 0.1 * np.roll(scores, 37 * column) for column in range(len(problem.free))], axis=1)
    known = Draws(problem, points, True, 1)
    monkeypatch.setattr("simulate.studies.sensitivity.question.draws_named", lambda *_: known)
    return known


def test_numbers_of_a_fit_vary_within_its_draws(fitted: Draws) -> None:
    scenario = read_scenario("anakinra-100mg-daily", [Setting("model.hypothesis", "H0", "test")])
    question = question_of(scenario, ("ck",), fit="mine.json")
    assert question.draws is fitted
    scores = np.linspace(-2.0, 2.0, 9)[:, np.newaxis] + np.zeros((9, len(question.problem.free)))
    found = scores_of(question.problem, scores, fitted)
    np.testing.assert_allclose(found, 1.0 + 0.1 * scores, atol=0.002)


def test_the_middle_of_a_fit_is_its_median_and_not_that_of_the_prior(fitted: Draws) -> None:
    scenario = read_scenario("anakinra-100mg-daily", [Setting("model.hypothesis", "H0", "test")])
    before, after = question_of(scenario, ("ck",)), question_of(scenario, ("ck",), fit="mine.json")
    points = np.full((1, before.dimension), 0.5)
    part = next(part for part in before.problem.free if part.name == "p_unchanged")
    assert cohort_at(before, points).of("p_unchanged")[0] == pytest.approx(float(part.values(np.zeros(1))[0]))
    assert cohort_at(after, points).of("p_unchanged")[0] == pytest.approx(float(part.values(np.ones(1))[0]), rel=1e-3)


def test_the_prior_by_name_is_what_is_meant_without_a_fit() -> None:
    scenario = read_scenario("anakinra-100mg-daily", [Setting("model.hypothesis", "H0", "test")])
    assert question_of(scenario, ("ck",), fit="prior").draws is None


def test_a_typical_population_in_which_nothing_is_uncertain_is_refused() -> None:
    with pytest.raises(InputError) as caught:
        question_of(read_scenario("anakinra-100mg-daily"), ("ck",), fit="typical")
    assert str(caught.value) == (
        "error[sensitivity.fit]: in the typical population no number is uncertain\n"
        "  found:    `typical`\n"
        "  expected: `prior`, `shipped`, or a file fit.json\n"
        "  try:      what patients differ in is `--by patients`"
    )
