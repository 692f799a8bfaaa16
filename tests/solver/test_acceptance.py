"""Numerical acceptance, N1 to N14, summed up in docs/verification.md; test_mutations.py has N15."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from benchmarks.problems import (
    BATEMAN,
    BRUSSELATOR,
    ENZYME,
    EPIDEMIC,
    ERLANG,
    HIRES,
    LOGISTIC,
    LOTKA,
    PROBLEMS,
    RIGID_BODY,
    ROBER,
    TARGET_MEDIATED,
    TOGGLE,
    VDPOL,
    Problem,
    reference_values,
)
from benchmarks.problems.judgment import TOLERANCES, judge, kernel_of, pairs
from simulate.kernels.build import build
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.system import System, equations
from simulate.solver import DOPRI5, METHODS, RODAS5P, Method, Schedule, Status, StopKind, Tolerance, solve
from simulate.solver.layout import CONSTANTS, LANES, SHIFT, SOLUTION, STATE, TIME
from tests.helpers.fixed_steps import march
from tests.helpers.systems import ABSORPTION, superposed_bateman

every_method = pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)


def solved(problem: Problem, method: Method, rtol: float = 1e-6, **changes: object) -> np.ndarray:
    """States of a problem at its times, shape [time, state]; its fields may be changed."""
    changed = replace(problem, **changes)  # type: ignore[arg-type]
    result = solve(
        kernel_of(changed.system),
        changed.parameters,
        changed.schedule,
        changed.times,
        start=changed.start,
        tolerance=Tolerance(rtol),
        method=method,
    )
    assert result.status.tolist() == [Status.OK]
    return result.values[0]


def apart(left: np.ndarray, right: np.ndarray, problem: Problem, rtol: float = 1e-6) -> float:
    """Largest difference in units of the tolerance."""
    values = np.maximum(np.abs(left), np.abs(right))
    return float((np.abs(left - right) / Tolerance(rtol).allowed(values, values.max(axis=0))).max())


@pytest.mark.parametrize(("problem", "method"), pairs(), ids=lambda value: value.name)
def test_n01_the_error_stays_below_its_constant_and_falls_with_the_tolerance(problem: Problem, method: Method) -> None:
    found = [judge(problem, method, rtol) for rtol in TOLERANCES]
    for row in found:
        assert row.status == "ok"
        assert row.constant <= row.gate, row
    errors = [row.constant * row.rtol for row in found]
    assert errors[-1] < 1e-2 * errors[0]
    assert errors[-1] < errors[1]


@pytest.mark.parametrize("problem", [LOGISTIC, TOGGLE, EPIDEMIC, RIGID_BODY], ids=lambda problem: problem.name)
@every_method
def test_n02_at_the_floor_of_double_precision_the_error_stops_falling_and_nothing_breaks(
    problem: Problem, method: Method
) -> None:
    values, reference = solved(problem, method, 1e-13), reference_values(problem)
    size = np.abs(reference).max(axis=0)
    assert float((np.abs(values - reference) / size).max()) < 2e-11


# A method of order 8 is at rounding errors with these steps; its order is measured in test_methods.py.
@pytest.mark.parametrize("method", [DOPRI5, RODAS5P], ids=lambda method: method.name)
def test_n03_halved_steps_show_at_least_the_stated_order_where_the_solution_turns_fast(method: Method) -> None:
    # The leading error term of a good pair is so small that the next one shows at any step worth taking: the observed
    # order comes down to the stated one. Where it is seen from both sides is tested in test_methods.py.
    kernel = kernel_of(BRUSSELATOR.system)
    exact = march(kernel, method, 1.0, 1600)
    errors = [float(np.abs(march(kernel, method, 1.0, steps) - exact).max()) for steps in (20, 40, 80, 160)]
    orders = np.log2(np.array(errors[:-1]) / np.array(errors[1:]))
    assert (orders > method.order - 0.2).all()
    assert (np.diff(orders) < 0.0).all()
    assert orders[-1] < method.order + 0.5


def test_n04_robertson_kinetics_to_1e11_need_few_steps_and_an_explicit_method_says_so() -> None:
    stiff = judge(ROBER, RODAS5P, 1e-6)
    assert stiff.accepted + stiff.rejected < 2000
    explicit = judge(ROBER, DOPRI5, 1e-6)
    assert explicit.status == "too_many_steps"
    assert explicit.accepted + explicit.rejected == 100_000


INVARIANTS = {
    ROBER: lambda y: y.sum(axis=1) - 1.0,
    HIRES: lambda y: (y[:, 6] + y[:, 7]) / 0.0057 - 1.0,
    ENZYME: lambda y: np.concatenate([(y[:, 0] + y[:, 2]) / 0.01 - 1.0, y[:, 1:].sum(axis=1) - 1.0]),
    EPIDEMIC: lambda y: y.sum(axis=1) - 1.0,
    ERLANG: lambda y: y.sum(axis=1) / np.where(ERLANG.times >= 2.0, 100.0, 50.0) - 1.0,
}


@pytest.mark.parametrize(
    ("problem", "method"),
    [(problem, method) for problem, method in pairs() if problem in INVARIANTS],
    ids=lambda value: value.name,
)
def test_n05_linear_invariants_are_kept_to_rounding(problem: Problem, method: Method) -> None:
    assert float(np.abs(INVARIANTS[problem](solved(problem, method, 1e-4))).max()) < 1e-12


@every_method
def test_n05_curved_invariants_are_kept_to_tolerance(method: Method) -> None:
    a, b, c = solved(RIGID_BODY, method, 1e-10).T
    np.testing.assert_allclose([a**2 + b**2, 0.51 * a**2 + c**2], 1.0, rtol=1e-8)
    prey, hunter = solved(LOTKA, method, 1e-10).T
    curve = prey - 3 * np.log(prey) + hunter - 1.5 * np.log(hunter)
    np.testing.assert_allclose(curve, 10 - 3 * np.log(10) + 5 - 1.5 * np.log(5), rtol=1e-7)


@every_method
def test_n06_doses_at_every_awkward_time_follow_their_closed_form(method: Method) -> None:
    # At the start, at an output, two at once, out of order, a hair apart, and at the end.
    doses = [(6.0, 3.0), (0.0, 10.0), (2.0, 4.0), (2.0, 5.0), (3.0, 1.0), (3.0 + 1e-12, 2.0), (4.0, 7.0)]
    times = np.array([0.0, 1.0, 2.0, 3.5, 4.0, 6.0])
    schedule = Schedule.from_rows([[(time, StopKind.BOLUS, 0, amount) for time, amount in doses]])
    result = solve(
        kernel_of(ABSORPTION), np.array([[4.1, 16.9]]), schedule, times, tolerance=Tolerance(1e-11), method=method
    )
    exact = superposed_bateman(times, doses, 4.1, 16.9)
    np.testing.assert_allclose(result.quantity("central")[0], exact, rtol=1e-8, atol=1e-11)
    depot = sum(
        amount * np.where(times >= time, np.exp(-4.1 * np.maximum(times - time, 0.0)), 0.0) for time, amount in doses
    )
    np.testing.assert_allclose(result.quantity("depot")[0], depot, rtol=1e-8, atol=1e-11)


@every_method
def test_n07_a_spike_into_a_system_at_rest_is_that_of_a_run_that_starts_there(method: Method) -> None:
    kernel, row = kernel_of(ABSORPTION), np.array([[4.1, 16.9]])
    schedule = Schedule.from_rows([[(500.0, StopKind.BOLUS, 0, 7.0)]])
    times, tight = np.array([500.0, 500.25, 501.0]), Tolerance(1e-10)
    through = solve(kernel, row, schedule, times, tolerance=tight, method=method).values
    split = solve(kernel, row, schedule, times, start=500.0, tolerance=tight, method=method).values
    assert through[0, 0].tolist() == split[0, 0].tolist() == [7.0, 0.0]
    np.testing.assert_allclose(through, split, rtol=1e-8, atol=1e-12)
    # How long the rest was, and whether anybody looked at it, does not matter to a single bit of what follows.
    looked_at = solve(kernel, row, schedule, np.array([1.0, 250.0, *times]), tolerance=tight, method=method).values
    assert looked_at[0, 2:].tolist() == through[0].tolist()


@pytest.mark.parametrize("problem", [LOTKA, BATEMAN, TARGET_MEDIATED], ids=lambda problem: problem.name)
def test_n08_the_outputs_asked_for_do_not_change_a_bit(problem: Problem) -> None:
    for method in METHODS:
        if method.stiff or not problem.stiff:
            end = float(problem.times[-1])
            few = solved(problem, method, times=np.array([end]))
            many = solved(problem, method, times=np.linspace(0.0, end, 2001))
            assert few[-1].tolist() == many[-1].tolist()


@every_method
def test_n09_an_autonomous_system_does_not_know_the_date(method: Method) -> None:
    early = solved(BRUSSELATOR, method)
    late = solved(BRUSSELATOR, method, start=1e6, times=1e6 + BRUSSELATOR.times)
    # The clock has a grain of 1e-10 there, so that steps and dates are off by as much.
    assert apart(late, early, BRUSSELATOR) < 10.0


def rescaled(system: System, factor: sympy.Expr) -> System:
    """The same system in a unit that is ``factor`` times as large."""
    states = [sympy.Symbol(name) for name in system.states]
    larger = {state: factor * state for state in states}
    return replace(
        system,
        rhs=tuple(rate.xreplace(larger) / factor for rate in system.rhs),
        initial=tuple(value / factor for value in system.initial),
    )


@pytest.mark.parametrize("problem", [LOTKA, BRUSSELATOR, HIRES], ids=lambda problem: problem.name)
@pytest.mark.parametrize("power", [-9, 9])
def test_n10_another_unit_gives_the_same_answer(problem: Problem, power: int) -> None:
    method = RODAS5P if problem.stiff else DOPRI5
    factor = sympy.Integer(10) ** power
    other = solved(problem, method, system=rescaled(problem.system, factor)) * float(factor)
    assert apart(other, solved(problem, method), problem) < 10.0


def shuffled(problem: Problem, order: list[int]) -> Problem:
    """The same problem with its states in another order."""
    system = problem.system

    def of(row: tuple[object, ...]) -> tuple[object, ...]:
        return tuple(row[index] for index in order)

    return replace(
        problem,
        system=replace(system, states=of(system.states), initial=of(system.initial), rhs=of(system.rhs)),
    )


@pytest.mark.parametrize("problem", [LOTKA, HIRES, VDPOL, ENZYME], ids=lambda problem: problem.name)
def test_n11_the_order_of_states_does_not_matter(problem: Problem) -> None:
    n = len(problem.system.states)
    order = np.random.default_rng(1).permutation(n)[::-1].tolist() if n > 2 else [1, 0]
    again = shuffled(problem, order)
    for method in METHODS:
        if method.stiff or not problem.stiff:
            assert apart(solved(again, method), solved(problem, method)[:, order], again) < 10.0


@pytest.mark.parametrize(
    "problem", [problem for problem in PROBLEMS if len(problem.system.states) <= 20], ids=lambda problem: problem.name
)
def test_n12_the_generated_jacobian_is_the_derivative_at_random_states_and_at_zero(problem: Problem) -> None:
    system = problem.system
    states, n = [sympy.Symbol(name) for name in system.states], len(system.states)
    symbols = [*sympy.ordered(set().union(*(rate.free_symbols for rate in system.rhs)))]
    exact = sympy.lambdify([symbols], sympy.Matrix(system.rhs).jacobian(states), modules="numpy")
    kernel = kernel_of(system)
    generator = np.random.default_rng(12)
    points = [*generator.uniform(0.05, 2.0, (20, n)), np.zeros(n)]
    if problem.name == "ARENSTORF":
        points.pop()  # two masses lie on the line through zero, and the derivative of a distance has no sign there
    for state in points:
        w = np.zeros(CONSTANTS + kernel.rows * LANES)
        kernel.prepare(w)
        w[TIME : TIME + LANES] = 0.7
        w[STATE : STATE + n * LANES] = np.repeat(state, LANES)
        known = dict(zip(states, state, strict=True)) | {sympy.Symbol("t"): 0.7}
        jacobian = np.array(exact([known.get(symbol, 0.0) for symbol in symbols]), dtype=float)
        shift = 3.0 * max(np.abs(jacobian).max(), 1.0)
        kernel.jacobian(w)
        w[SHIFT : SHIFT + LANES] = shift
        kernel.factor(w)
        right = generator.normal(size=n)
        w[SOLUTION : SOLUTION + n * LANES] = np.repeat(right, LANES)
        kernel.backsolve(w)
        solution = w[SOLUTION : SOLUTION + n * LANES : LANES]
        np.testing.assert_allclose(shift * solution - jacobian @ solution, right, rtol=1e-9, atol=1e-9)


STATES = 5
_PAIRS = [(i, j) for i in range(STATES) for j in range(STATES) if i != j]


@pytest.fixture(scope="module")
def network() -> CompiledKernel:
    """Every mass-action network of five species: each turns into each, and each two that differ make a third."""
    names = [f"s{index}" for index in range(STATES)]
    rates = {name: ["0"] for name in names}
    parameters = []

    def reaction(constant: str, sources: list[str], product: str) -> None:
        parameters.append(constant)
        flow = " * ".join([constant, *sources])
        for source in sources:
            rates[source].append(f"- {flow}")
        rates[product].append(f"+ {flow}")

    for i, j in _PAIRS:
        reaction(f"k{i}{j}", [names[i]], names[j])
    for i, j in _PAIRS:
        if i < j:
            reaction(f"m{i}{j}", [names[i], names[j]], names[(i + j + 1) % STATES])
    return build(
        equations({name: " ".join(terms) for name, terms in rates.items()}, [1.0] * STATES, parameters=parameters)
    )


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10**6))
def test_n14_two_methods_agree_on_random_reaction_networks(network: CompiledKernel, seed: int) -> None:
    generator = np.random.default_rng(seed)
    members, count = 24, len(network.parameters)
    rates = 10.0 ** generator.uniform(-3.0, 3.0, (members, count))
    # Two to five of the species, and one in three of their reactions, are there.
    rates *= generator.random((members, count)) < 1 / 3
    present = generator.integers(2, STATES + 1, members)
    for column, name in enumerate(network.parameters):
        rates[:, column] *= present > max(int(name[1]), int(name[2]))
    tolerance, times = Tolerance(1e-6), np.array([0.01, 0.1, 1.0, 3.0])
    one, other = (
        solve(network, rates, Schedule.empty(members), times, tolerance=tolerance, method=method)
        for method in (DOPRI5, RODAS5P)
    )
    assert (one.status == Status.OK).all()
    assert (other.status == Status.OK).all()
    error = np.abs(one.values - other.values) / (1e-6 * np.abs(other.values) + 1e-9)
    assert float(error.max()) < 20.0
