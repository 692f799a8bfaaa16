"""Objectives of problems whose courses have a closed form: A turns into B at the rate k; or is made and lost."""

from __future__ import annotations

import math
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("libsbml")
pytest.importorskip("yaml")

from simulate.errors import Il1simError, NumericalError
from simulate.exchange.petab.reading import read_petab
from simulate.studies.petab.objective import Objective, objective_of
from tests.exchange.models import TIME, apply, ci, cn, compartment, event, parameter, reaction, sbml, species
from tests.exchange.problems import FIRST, MODEL, SECOND, write_problem

K, A0, SIGMA = 0.5, 2.0, 0.25
TIMES, VALUES = np.array([0.0, 1.0, 3.0]), np.array([2.1, 1.2, 0.5])
COURSE = A0 * np.exp(-K * TIMES)
LOG_WIDTH = 0.5 * math.log(2.0 * math.pi) + math.log(SIGMA)

RELAXING = sbml(
    Compartments=compartment(1.0),
    Species=species("A", concentration=0.0),
    Parameters=parameter("a0", 1.0) + parameter("k", 1.0),
    Reactions=reaction("made", apply("times", ci("c"), ci("a0")), "", "A")
    + reaction("lost", apply("times", ci("c"), ci("k"), ci("A")), "A", ""),
)


def objective(folder: Path, parts: dict[str, str] | None = None, **changed: str) -> Objective:
    return objective_of(read_petab(write_problem(folder, parts, **changed)), rtol=1e-10, threads=1)


def refusal(folder: Path, parts: dict[str, str] | None = None, **changed: str) -> str:
    with pytest.raises(Il1simError) as caught:
        (found := objective(folder, parts, **changed))(found.nominal())
    return str(caught.value).replace(str(folder), "FOLDER")


def test_the_objective_is_that_of_the_closed_form(tmp_path: Path) -> None:
    score = (found := objective(tmp_path))(found.nominal())
    np.testing.assert_allclose(score.simulated, COURSE, rtol=1e-8)
    residuals = (VALUES - COURSE) / SIGMA
    assert score.chi2 == pytest.approx((residuals**2).sum(), rel=1e-7)
    assert score.log_likelihood == pytest.approx(-3 * LOG_WIDTH - 0.5 * (residuals**2).sum(), rel=1e-7)
    assert score.log_prior == 0.0
    assert score.gradient is None


def test_the_gradient_is_that_of_the_closed_form_on_the_scales_of_the_parameters(tmp_path: Path) -> None:
    score = (found := objective(tmp_path))(found.nominal(), gradient=True)
    weight = (VALUES - COURSE) / SIGMA**2
    by_k = (weight * -TIMES * COURSE).sum() * K * math.log(10.0)
    np.testing.assert_allclose(score.gradient, [by_k, (weight * COURSE / A0).sum()], rtol=1e-6)


def test_what_a_condition_fixes_has_no_part_in_the_gradient_however_fast_it_is_lost(tmp_path: Path) -> None:
    """Where nothing is there steps are long, and the derivative by what is begun with is then no number."""
    found = objective(
        tmp_path,
        parameters=FIRST["parameters"].replace("k log10", "kk log10").replace("a0 lin", "start lin"),
        conditions="conditionId k a0\nc0 kk start\nc1 800 0",
        measurements=FIRST["measurements"] + "\no c1 1e6 0.1",
    )
    score = found(found.nominal(), gradient=True)
    weight = (VALUES - COURSE) / SIGMA**2
    by_k = (weight * -TIMES * COURSE).sum() * K * math.log(10.0)
    np.testing.assert_allclose(score.gradient, [by_k, (weight * COURSE / A0).sum()], rtol=1e-6)


def test_noise_that_is_sought_and_observed_has_its_gradient(tmp_path: Path) -> None:
    found = objective(
        tmp_path,
        parameters=FIRST["parameters"].replace("0.25 0", "0.25 1"),
        observables="observableId observableFormula noiseFormula\no A sigma*o",
    )
    score = found(found.nominal(), gradient=True)
    spread = SIGMA * COURSE
    residuals = (VALUES - COURSE) / spread
    assert score.log_likelihood == pytest.approx(
        -(0.5 * math.log(2.0 * math.pi) + np.log(spread) + 0.5 * residuals**2).sum(), rel=1e-7
    )
    by_course = residuals / spread + (residuals**2 - 1.0) / COURSE
    expected = [
        (by_course * -TIMES * COURSE).sum() * K * math.log(10.0),
        (by_course * COURSE / A0).sum(),
        ((residuals**2 - 1.0) / SIGMA).sum(),
    ]
    np.testing.assert_allclose(score.gradient, expected, rtol=1e-6)


def test_a_logarithmic_scale_and_laplace_noise_are_those_of_the_closed_form(tmp_path: Path) -> None:
    found = objective(
        tmp_path,
        observables="observableId observableFormula noiseFormula observableTransformation noiseDistribution\n"
        "o scale*A noiseParameter1_o log10 laplace",
        parameters=FIRST["parameters"] + "\nscale lin 0 10 3 1",
        measurements="observableId simulationConditionId time measurement noiseParameters\n"
        "o c0 0 2.1 0.25\no c0 1 1.2 sigma\no c0 3 0.5 0.25",
    )
    score = found(found.nominal(), gradient=True)
    residuals = (np.log10(VALUES) - np.log10(3.0 * COURSE)) / SIGMA
    expected = -(math.log(2.0 * SIGMA) + np.log(VALUES * math.log(10.0)) + np.abs(residuals)).sum()
    assert score.log_likelihood == pytest.approx(expected, rel=1e-8)
    assert score.chi2 == pytest.approx((residuals**2).sum(), rel=1e-7)
    assert score.gradient is not None
    assert score.gradient[2] == pytest.approx((np.sign(residuals) / SIGMA / 3.0 / math.log(10.0)).sum(), rel=1e-6)


GROWING_WITHOUT_BOUND = sbml(
    Compartments=compartment(1.0),
    Species=species("A", concentration=1.0),
    Parameters=parameter("k", 1.0) + parameter("a0", 1.0),
    Reactions=reaction("made", apply("times", ci("c"), ci("k"), ci("A"), ci("A")), "", "A"),
)


def test_a_point_has_the_same_bits_beside_others_and_beside_one_that_cannot_be_solved(tmp_path: Path) -> None:
    # Of a rate k A² the solution 1 / (1 - k t) ends at time 1 / k; the last measurement is at time 3.
    found = objective(tmp_path, model=GROWING_WITHOUT_BOUND)
    points = np.array([[math.log10(k), a0] for k, a0 in zip(np.linspace(0.05, 0.5, 10), np.arange(10.0), strict=True)])
    beside = found.many(points, gradient=True)
    ended = [isinstance(one, NumericalError) for one in beside]
    assert ended == [k > 1.0 / 3.0 for k in np.linspace(0.05, 0.5, 10)]
    for point, one in zip(points, beside, strict=True):
        (alone,) = found.many(point[np.newaxis], gradient=True)
        if isinstance(one, NumericalError) or isinstance(alone, NumericalError):
            assert str(alone) == str(one)
            continue
        assert alone.total == one.total
        assert alone.gradient is not None
        assert one.gradient is not None
        assert alone.gradient.tobytes() == one.gradient.tobytes()
        assert alone.simulated.tobytes() == one.simulated.tobytes()


def test_what_is_observed_alone_does_not_have_the_model_solved_again(tmp_path: Path) -> None:
    found = objective(tmp_path, parameters=FIRST["parameters"].replace("0.25 0", "0.25 1"))
    assert found.inside().tolist() == [True, True, False]
    point = found.nominal()
    found.many(np.array([point + np.array([0.0, 0.0, width]) for width in (0.0, 0.1, 0.2)]))
    assert len(found.solver.known) == 1
    (score,) = found.many(point[np.newaxis], gradient=True, by=~found.inside())
    assert not isinstance(score, NumericalError)
    residuals = (VALUES - COURSE) / SIGMA
    assert score.gradient == pytest.approx([0.0, 0.0, ((residuals**2 - 1.0) / SIGMA).sum()], rel=1e-6)
    assert len(found.solver.known) == 1


ROOT = math.sqrt(2.0 * math.pi)
DENSITIES: dict[str, tuple[str, Callable[[float, float], float]]] = {
    "parameterScaleNormal": ("0;2", lambda u, k: -0.5 * (u / 2) ** 2 - math.log(2 * ROOT)),
    "laplace": ("1;2", lambda u, k: -abs(k - 1) / 2 - math.log(4)),
    "logNormal": ("1;2", lambda u, k: -0.5 * ((math.log(k) - 1) / 2) ** 2 - math.log(2 * k * ROOT)),
    "uniform": ("0;5", lambda u, k: -math.log(5.0)),
}


@pytest.mark.parametrize("kind", DENSITIES)
def test_priors_have_their_densities_and_slopes(tmp_path: Path, kind: str) -> None:
    numbers, density = DENSITIES[kind]
    rows = FIRST["parameters"].split("\n")
    rows[0] += " objectivePriorType objectivePriorParameters"
    rows[1] += f" {kind} {numbers}"
    found = objective(tmp_path, parameters="\n".join(rows))
    score = found(point := found.nominal(), gradient=True)
    u = math.log10(K)
    assert score.log_prior == pytest.approx(density(u, K), rel=1e-12)
    step = 1e-6
    ends = [density(v, 10.0**v) for v in (u - step, u + step)]
    assert score.prior_gradient is not None
    assert score.prior_gradient[0] == pytest.approx((ends[1] - ends[0]) / (2 * step), rel=1e-7, abs=1e-9)
    assert score.total == score.log_likelihood + score.log_prior
    assert len(point) == 2


GROWING = MODEL.replace(
    'size="1.0" spatialDimensions="3" constant="true"', 'size="1.0" spatialDimensions="3" constant="false"'
)


@pytest.mark.parametrize(("model", "share"), [(MODEL, 1.0), (GROWING, 0.5)])
def test_concentrations_stay_when_a_condition_sets_the_size_of_a_compartment(
    tmp_path: Path, model: str, share: float
) -> None:
    # An event that doubles the size halves the concentrations, as SBML has it; a condition of PEtab does not.
    doubled = event("doubled", apply("geq", TIME, cn(1.0)), {"c": cn(2.0)})
    if model is GROWING:
        model = model.replace("</model>", f"<listOfEvents>{doubled}</listOfEvents></model>")
    found = objective(
        tmp_path,
        SECOND,
        model=model,
        conditions="conditionId targetId targetValue\nfirst a0 4\nlarger c 8",
        experiments="experimentId time conditionId\ne 0 first\ne 2 larger",
        parameters=SECOND["parameters"].replace("a0 0 10 2 true\n", ""),
        measurements="observableId experimentId time measurement\no e 0.5 2\no e 3 1",
    )
    score = found(found.nominal())
    np.testing.assert_allclose(score.simulated, [4.0 * np.exp(-0.5 * K), share * 4.0 * np.exp(-3.0 * K)], rtol=1e-7)


def test_a_truncated_prior_of_the_second_version_is_one_between_the_bounds(tmp_path: Path) -> None:
    rows = SECOND["parameters"].split("\n")
    rows[0] += " priorDistribution priorParameters"
    rows[1] += " normal 0;5"
    rows[2] += " log-uniform 1;100"
    found = objective(tmp_path, SECOND, parameters="\n".join(rows))
    share = 0.5 * (math.erf(10.0 / 5.0 / math.sqrt(2.0)) - math.erf(0.01 / 5.0 / math.sqrt(2.0)))
    normal = -0.5 * 0.1**2 - math.log(5.0 * math.sqrt(2.0 * math.pi)) - math.log(share)
    # Of the log-uniform one from 1 to 100 half lies below the bound 10.
    uniform = -math.log(A0) - math.log(math.log(100.0)) - math.log(0.5)
    assert found(found.nominal()).log_prior == pytest.approx(normal + uniform, rel=1e-12)


def test_periods_of_the_second_version_go_on_from_where_the_last_one_ended(tmp_path: Path) -> None:
    found = objective(tmp_path, SECOND)
    score = found(found.nominal(), gradient=True)
    at_two = 4.0 * math.exp(-1.0) + 1.0
    expected = np.array([4.0 * math.exp(-0.5), at_two, at_two * math.exp(-1.0)])
    np.testing.assert_allclose(score.simulated, expected, rtol=1e-8)
    weight = (np.array([2.0, 2.0, 1.0]) - expected) / SIGMA**2
    slopes = np.array([-expected[0], -2.0 * 4.0 * math.exp(-1.0), -2.0 * 4.0 * math.exp(-2.0)])
    # After the change k is 1 whatever it was before; a0 is 4 in the experiment whatever is sought.
    np.testing.assert_allclose(score.gradient, [(weight * slopes).sum(), 0.0], rtol=1e-6, atol=1e-12)


def test_a_steady_state_before_and_one_that_is_measured_are_those_of_the_closed_form(tmp_path: Path) -> None:
    found = objective(
        tmp_path,
        model=RELAXING,
        conditions="conditionId k\nbefore 0.25\nafter 0.5",
        parameters="parameterId parameterScale lowerBound upperBound nominalValue estimate\n"
        "a0 lin 0 10 2 1\nsigma lin 0.01 10 0.25 0",
        measurements="observableId preequilibrationConditionId simulationConditionId time measurement\n"
        "o before after 0 7\no before after 1 6\no before after inf 5",
    )
    score = found(found.nominal(), gradient=True)
    expected = 4.0 + 4.0 * np.exp(-0.5 * np.array([0.0, 1.0, np.inf]))
    np.testing.assert_allclose(score.simulated, expected, rtol=1e-7)
    weight = (np.array([7.0, 6.0, 5.0]) - expected) / SIGMA**2
    np.testing.assert_allclose(score.gradient, [(weight * expected / 2.0).sum()], rtol=1e-5)


def test_a_condition_sets_species_and_a_parameter_gives_its_value_back(tmp_path: Path) -> None:
    found = objective(
        tmp_path,
        conditions="conditionId A k\nc0 start 1\nc1 _ _",
        parameters=FIRST["parameters"] + "\nstart lin 0 10 3 1",
        measurements="observableId simulationConditionId time measurement\no c0 1 1\no c1 1 1",
    )
    score = found(found.nominal())
    np.testing.assert_allclose(score.simulated, [3.0 * math.exp(-1.0), A0 * math.exp(-K)], rtol=1e-8)


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        (
            {"observables": "observableId observableFormula noiseFormula\no A*sale sigma"},
            "error[petab.name]: nothing declares `sale`\n"
            "  --> FOLDER/observables.tsv:2, key `observableFormula`\n"
            "  try:      did you mean `scale`?",
        ),
        (
            {"conditions": "conditionId J\nc0 1"},
            "error[petab.target]: a condition gives `J` a value, and the model computes it\n"
            "  --> FOLDER/conditions.tsv:2, key `J`\n"
            "  expected: a parameter or a compartment that no rule computes, or in conditions a species or other state",
        ),
        (
            {"parameters": FIRST["parameters"] + "\nA lin 0 1 1 1"},
            "error[petab.target]: the table of parameters gives `A` a value, and the model computes it\n"
            "  --> FOLDER/parameters.tsv:5, key `parameterId`\n"
            "  expected: a parameter or a compartment that no rule computes, or in conditions a species or other state",
        ),
        (
            {"parameters": FIRST["parameters"].replace("10 0.5 1", "10 _ 1")},
            "error[petab.nominal]: the parameter `k` has no nominal value\n"
            "  --> FOLDER/parameters.tsv:2, key `parameterId`",
        ),
        (
            {
                "conditions": "conditionId c\nbefore 1\nafter 2",
                "measurements": "observableId preequilibrationConditionId simulationConditionId time measurement\n"
                "o before after 1 1",
            },
            "error[petab.volume]: a condition changes the size of `c` after a steady state, and version 1 of PEtab "
            "does not say what becomes of what is in it\n"
            "  --> FOLDER/conditions.tsv:3, key `c`\n"
            "  try:      write the problem in version 2 of PEtab",
        ),
    ],
)
def test_what_cannot_be_simulated_is_refused_with_its_place(
    tmp_path: Path, changed: dict[str, str], message: str
) -> None:
    changed = {"parameters": FIRST["parameters"] + "\nscale lin 0 1 1 1", **changed}
    assert refusal(tmp_path, **changed) == message


def test_what_never_becomes_steady_is_said_so(tmp_path: Path) -> None:
    message = refusal(
        tmp_path,
        model=RELAXING,
        conditions="conditionId k\nc0 0",
        parameters="parameterId parameterScale lowerBound upperBound nominalValue estimate\nsigma lin 0.01 10 0.25 0",
        measurements="observableId simulationConditionId time measurement\no c0 inf 7",
    )
    assert message == (
        "error[petab.steady]: the experiment `c0` does not become steady\n"
        "  found:    states that still move after 1e+10 units of time"
    )
