"""The reference model solved by the engine and by SciPy: two ways from the same equations to the same numbers."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from simulate.biology.hypotheses import hypothesis_named
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.reference import solve_reference
from simulate.kernels.system import System, lower
from simulate.solver import METHODS, FloatArray, Method, Schedule, Status, StopKind, Tolerance, solve
from tests.helpers.bits import assert_same_bits, member_of
from tests.helpers.models import kernel_of, reference_model
from tests.helpers.systems import superposed_bateman

DAYS = 5
DOSES = [(float(day), StopKind.BOLUS, 0, 100.0) for day in range(DAYS) if day != 3]
TIMES = np.linspace(0.0, DAYS + 4.0, 25)
HYPOTHESES = ("H0", "H1", "H2", "H3a", "H4", "H1+H3a+H4", "H1+H2+H3a+H4")


def patients(name: str, count: int) -> tuple[System, CompiledKernel, FloatArray]:
    """The model under a hypothesis and patients who differ by about 15 % in everything that may differ so much."""
    model = reference_model(hypothesis_named(name))
    system = lower(model)
    factors = np.exp(0.15 * np.random.default_rng(7).standard_normal((count, len(model.parameters))))
    shares = {"F", "f_RO", "w_T", "w_I", "chi", "eps", "a_fb", "g1", "g17", "x_17", "r_DP", "r_ex", "x_c", "k_c"}
    for column, parameter in enumerate(model.parameters):
        if parameter.name in shares:
            factors[:, column] = 1.0
    nominal = np.array([parameter.value for parameter in model.parameters])
    return system, kernel_of(model), nominal * factors


@cache
def oracle(name: str) -> FloatArray:
    """What SciPy finds for two patients under a hypothesis."""
    system, _, parameters = patients(name, 2)
    found = solve_reference(system, parameters, Schedule.from_rows([DOSES] * 2), TIMES, tolerance=Tolerance(1e-11))
    assert found.status.tolist() == [Status.OK] * 2
    return found.values


@pytest.mark.parametrize("name", HYPOTHESES)
def test_the_engine_agrees_with_scipy(name: str) -> None:
    _, kernel, parameters = patients(name, 2)
    schedule = Schedule.from_rows([DOSES] * 2)
    for tolerance, agreement in ((Tolerance(1e-6), 1e-4), (Tolerance(1e-10), 1e-8)):
        ours = solve(kernel, parameters, schedule, TIMES, tolerance=tolerance)
        np.testing.assert_allclose(ours.values, oracle(name), rtol=agreement, atol=agreement * 1e-2)


@pytest.mark.parametrize("method", METHODS, ids=lambda method: method.name)
def test_every_method_gives_the_same_trajectories(method: Method) -> None:
    _, kernel, parameters = patients("H1+H3a+H4", 2)
    ours = solve(kernel, parameters, Schedule.from_rows([DOSES] * 2), TIMES, tolerance=Tolerance(1e-9), method=method)
    np.testing.assert_allclose(ours.values, oracle("H1+H3a+H4"), rtol=1e-7, atol=1e-9)


def test_half_a_year_of_anakinra_in_plasma_is_the_superposed_bateman_function() -> None:
    model = reference_model(hypothesis_named("H1"))
    values = {parameter.name: parameter.value for parameter in model.parameters}
    times = np.linspace(0.0, 182.0, 729)
    schedule = Schedule.from_rows([[(float(day), StopKind.BOLUS, 0, 100.0) for day in range(182)]])
    nominal = np.array([[parameter.value for parameter in model.parameters]])
    result = solve(kernel_of(model), nominal, schedule, times, tolerance=Tolerance(1e-11))
    # 100 mg at 17.3 kg/mol (1 mg = 1000 µg, 1 kg/mol = 1 µg/nmol) times bioavailability, in nmol.
    amount = values["F"] * 100.0 * 1000.0 / values["molar_mass"]
    doses = [(float(day), amount) for day in range(182)]
    exact = superposed_bateman(times, doses, values["k_a"], values["CL"] / values["V"])
    np.testing.assert_allclose(result.quantity("A_c")[0], exact, rtol=1e-8, atol=1e-8)


def test_bits_of_a_patient_depend_on_neither_batch_nor_threads() -> None:
    _, kernel, parameters = patients("H1+H3a+H4", 37)
    schedule = Schedule.from_rows([DOSES] * 37)
    whole = solve(kernel, parameters, schedule, TIMES, threads=1)
    assert_same_bits(whole, solve(kernel, parameters, schedule, TIMES, threads=2))
    for members in ([0], [36, 3], list(range(10, 27))):
        part = solve(kernel, parameters[members], Schedule.from_rows([DOSES] * len(members)), TIMES)
        assert_same_bits(member_of(whole, members), part)


def test_nothing_happens_without_treatment_for_ten_years() -> None:
    _, kernel, parameters = patients("H1+H2+H3a+H4", 3)
    result = solve(kernel, parameters, Schedule.empty(3), np.array([0.0, 3652.0]), tolerance=Tolerance(1e-8))
    np.testing.assert_allclose(result.values[:, 1], result.values[:, 0], rtol=1e-7, atol=1e-10)
