from __future__ import annotations

from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import sympy
from scipy.optimize import minimize_scalar
from scipy.special import logit

from simulate.biology.conversion import CONVERSION
from simulate.biology.hypotheses import H2
from simulate.biology.reference import parameter_table
from simulate.biology.switch import H2_SWITCH, SWITCH, sigmoid
from simulate.errors import InputError
from simulate.kernels.build import build
from simulate.kernels.continuation import branches
from simulate.kernels.equilibria import Equilibrium, Stability, equilibria, starts_in_box
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.system import System, lower
from simulate.solver.batch import solve
from simulate.solver.kernel import FloatArray
from simulate.solver.problem import Schedule, StopKind, Tolerance
from simulate.solver.trajectories import Status, Trajectories
from simulate.symbolic.balance import residual
from simulate.symbolic.composition import compose
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Definition, Mechanism, Parameter
from simulate.symbolic.units import DIMENSIONLESS
from tests.helpers.models import reference_model

UNIT_SQUARE = starts_in_box([0, 0], [1, 1], 128)
BASELINE = (0.005, 0.995)

# The switch by itself, in surroundings whose IL-1 signal is given.
SURROUNDINGS = Mechanism(
    name="surroundings",
    title="IL-1 signal, given",
    definitions=(Definition("relative_signal_lymph", "IL-1 signal", DIMENSIONLESS, sympy.Symbol("given_signal")),),
    parameters=(Parameter("given_signal", "IL-1 signal over its baseline", 1.0),),
)


@cache
def alone() -> tuple[Model, System]:
    model = compose((SWITCH, SURROUNDINGS), values=parameter_table())
    return model, lower(model)


@cache
def steady(**overrides: float) -> tuple[Equilibrium, ...]:
    model, system = alone()
    values = {parameter.name: parameter.value for parameter in model.parameters} | overrides
    return equilibria(system, np.array([values[name] for name in system.parameters]), UNIT_SQUARE)


def stable(**overrides: float) -> list[tuple[float, float]]:
    """T-bet and RORγt of the stable states, in order."""
    return [
        (float(equilibrium.state[0]), float(equilibrium.state[1]))
        for equilibrium in steady(**overrides)
        if equilibrium.stability is Stability.STABLE
    ]


@cache
def whole() -> tuple[Model, CompiledKernel]:
    model = reference_model(H2_SWITCH)
    return model, build(lower(model))


@cache
def patient(dose: float, last_dose: int = 182, end: int = 182, **overrides: float) -> Trajectories:
    model, kernel = whole()
    values = {parameter.name: parameter.value for parameter in model.parameters} | overrides
    doses = [(float(day), StopKind.BOLUS, 0, dose) for day in range(last_dose)] if dose else []
    return solve(
        kernel,
        np.array([[values[name] for name in kernel.parameters]]),
        Schedule.from_rows([doses]),
        np.arange(end + 1.0),
        tolerance=Tolerance(1e-7),
    )


def reading(trajectories: Trajectories, quantity: str, day: int) -> float:
    assert not trajectories.failures, trajectories.failures[0].reason
    return float(trajectories.quantity(quantity)[0, day])


def test_the_baseline_with_the_switch_is_exactly_steady() -> None:
    model, _ = whole()
    values = {parameter.name: sympy.Rational(str(parameter.value)) for parameter in model.parameters}
    assert set(residual(model, values).values()) == {sympy.Integer(0)}


def test_the_baseline_is_a_stable_state_of_the_switch_and_so_is_the_opposite() -> None:
    states = stable()
    assert len(states) == 2
    assert states[0] == pytest.approx(BASELINE)
    assert states[1] == pytest.approx((1, 0), abs=1e-3)
    assert len(steady()) == 3


def test_the_sigmoid_is_that_of_the_original_with_a_basal_weight() -> None:
    x, drive, sigma = sympy.symbols("x drive sigma_s", positive=True)
    basal = sympy.log(x / (1 - x)) / sigma
    original = 1 / (1 + sympy.exp(-sigma * (basal + drive)))
    plain = {sympy.Symbol("sigma_s"): sigma}
    for numbers in ({x: 0.2, drive: 0.3, sigma: 7}, {x: 0.9, drive: -0.4, sigma: 12}):
        assert float(sigmoid(x, drive).xreplace(plain).subs(numbers)) == pytest.approx(float(original.subs(numbers)))


def test_rorgt_breaks_down_below_a_threshold_of_the_il1_signal() -> None:
    assert stable(given_signal=0.75)[0][1] > 0.85
    for signal in (0.7, 0.3, 0.0):
        ((tbet, rorgt),) = stable(given_signal=signal)
        assert (tbet, rorgt) == pytest.approx((1, 0), abs=0.01)


def signal_on_curve(tbet: FloatArray, model: Model) -> FloatArray:
    """IL-1 signal at which a level of T-bet is steady; both balances of the switch can be solved by hand."""
    given = {parameter.name: parameter.value for parameter in model.parameters}
    sigma, tbet_0, rorgt_0 = (given[name] for name in ("sigma_s", "tbet_0", "rorgt_0"))

    def drive(level: FloatArray, before: float) -> FloatArray:
        return (logit(level) - logit(before)) / sigma

    rorgt = rorgt_0 + (given["w_TT"] * (tbet - tbet_0) - drive(tbet, tbet_0)) / given["w_RT"]
    others = given["w_RR"] * (rorgt - rorgt_0) - given["w_TR"] * (tbet - tbet_0)
    signal: FloatArray = 1 + (drive(rorgt, rorgt_0) - others) / given["w_R_il1"]
    return signal


def test_the_threshold_of_the_il1_signal_is_a_fold_of_the_solved_balances() -> None:
    model, system = alone()
    baseline = np.array([list(BASELINE)])
    values = np.array([parameter.value for parameter in model.parameters])
    (branch,) = branches(system, values, baseline, "given_signal", (0.0, 4.0))
    (fold,) = branch.folds
    lowest = minimize_scalar(
        lambda tbet: float(signal_on_curve(np.array(tbet), model)),
        bounds=(0.006, 0.02),
        method="bounded",
        options={"xatol": 1e-12},
    )
    assert fold.value == pytest.approx(lowest.fun, rel=1e-10)
    assert fold.state[0] == pytest.approx(lowest.x, rel=1e-5)
    assert fold.value == pytest.approx(0.727, abs=0.001)


def test_the_dose_that_flips_the_switch_is_a_fold_of_the_whole_model() -> None:
    model, kernel = whole()
    system = lower(model)
    values = np.array([[parameter.value for parameter in model.parameters]])
    start = patient(0.0, end=1).values[:1, 0, : len(system.states)]
    (branch,) = branches(system, values, start, "sc", (0.0, 1.0))
    (fold,) = branch.folds
    # Just below it the patient keeps RORγt for years; just above it is lost.
    rates = fold.value * np.array([0.98, 1.02])
    course = solve(
        kernel,
        np.repeat(values, 2, axis=0),
        Schedule.from_rows([[(0.0, StopKind.RATE, 0, float(rate))] for rate in rates]),
        np.array([0.0, 3000.0]),
    )
    assert not course.failures
    assert course.quantity("RORgt")[:, -1] == pytest.approx([0.85, 0.0], abs=0.04)


def test_a_high_il1_signal_allows_double_positives_and_a_higher_one_ends_th1_cells() -> None:
    assert {(round(tbet), round(rorgt)) for tbet, rorgt in stable(given_signal=1.75)} == {(0, 1), (1, 0), (1, 1)}
    assert {(round(tbet), round(rorgt)) for tbet, rorgt in stable(given_signal=2.5)} == {(0, 1), (1, 1)}


def test_anakinra_flips_the_switch_within_a_week() -> None:
    course = patient(100.0)
    assert reading(course, "rorgt", 0) == pytest.approx(99.5)
    assert reading(course, "tbet", 0) == pytest.approx(0.5)
    assert reading(course, "rorgt", 7) < 1
    assert reading(course, "tbet", 7) > 99


def test_a_dose_below_the_threshold_changes_nothing() -> None:
    course = patient(0.1)
    assert reading(course, "rorgt", 182) > 98
    assert reading(course, "il17a", 182) == pytest.approx(reading(course, "il17a", 0), rel=0.01)


def test_all_doses_above_the_threshold_act_alike() -> None:
    assert reading(patient(10.0), "il17a", 182) == pytest.approx(reading(patient(100.0), "il17a", 182), rel=0.001)


def test_il17a_falls_and_ifng_rises_when_the_switch_flips() -> None:
    course = patient(100.0)
    assert [round(reading(course, "il17a", day), 3) for day in (0, 91, 182)] == [0.157, 0.076, 0.074]
    assert [round(reading(course, "ifng", day), 3) for day in (0, 91, 182)] == [0.840, 0.858, 0.854]


def test_the_page_prints_the_course_of_the_typical_patient() -> None:
    page = (Path(__file__).resolve().parents[2] / "docs" / "published-models.md").read_text(encoding="utf-8")
    course = patient(100.0, end=364)
    for told, quantity, digits in (
        ("RORγt, % of its maximum", "rorgt", 1),
        ("IL-17A+, %", "il17a", 3),
        ("IFNγ+, %", "ifng", 3),
        ("double positives, cells/µL", "double_positive", 2),
    ):
        values = [f"{reading(course, quantity, day):.{digits}f}" for day in (0, 7, 91, 182, 364)]
        assert f"| {told} | {' | '.join(values)} |" in page


def test_double_positives_rise_for_weeks_and_then_fall() -> None:
    course = patient(100.0)
    numbers = [reading(course, "double_positive", day) for day in (0, 7, 28, 182)]
    assert numbers[1] > numbers[0]
    assert all(later < earlier for earlier, later in pairwise(numbers[1:]))


def test_the_switch_does_not_return_after_wash_out() -> None:
    course = patient(100.0, end=364)
    assert reading(course, "signal_lymph", 364) > 95
    assert reading(course, "rorgt", 364) < 1
    assert reading(course, "il17a", 364) == pytest.approx(reading(course, "il17a", 182), rel=0.01)


@pytest.mark.parametrize(
    ("overrides", "reason"),
    [
        ({"tbet_0": 0.1}, "T-bet would leave its baseline by activating itself"),
        ({"rorgt_0": 0.6}, "RORγt would leave its baseline by activating itself"),
        ({"tbet_0": 0.05, "rorgt_0": 0.9}, "T-bet and RORγt would leave their baseline by repressing each other"),
    ],
)
def test_a_baseline_that_the_switch_would_leave_is_refused(overrides: dict[str, float], reason: str) -> None:
    course = patient(0.0, **overrides)
    assert course.status.tolist() == [Status.INFEASIBLE]
    assert [failure.reason for failure in course.failures] == [f"the parameters admit no steady baseline: {reason}"]
    with pytest.raises(InputError) as caught:
        steady(**overrides)
    assert caught.value.found == reason


def test_two_forms_of_conversion_cannot_be_in_one_model() -> None:
    with pytest.raises(InputError):
        reference_model(H2 + H2_SWITCH)


def test_the_switch_alone_changes_no_other_quantity() -> None:
    watched = Hypothesis(name="watched", title="", add=(SWITCH,))
    model = reference_model(watched)
    assert {species.name for species in model.species} - {species.name for species in reference_model().species} == {
        "Tbet",
        "RORgt",
    }
    assert not {reaction.name for reaction in CONVERSION.reactions} & {reaction.name for reaction in model.reactions}
    others = sympy.Tuple(
        *(
            rate
            for species, rate in zip(model.species, model.rates(), strict=True)
            if species.name not in ("Tbet", "RORgt")
        )
    )
    assert not others.free_symbols & {sympy.Symbol("Tbet"), sympy.Symbol("RORgt")}
