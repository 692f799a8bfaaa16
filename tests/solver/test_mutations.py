"""N15: what the suite is for. A wrong digit, a lost dose or swapped parameters must make a test fail."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable
from fractions import Fraction
from functools import cache
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from benchmarks.problems import BATEMAN, LOGISTIC, ROBER, reference_values
from benchmarks.problems.judgment import judge
from simulate.kernels.build import build
from simulate.kernels.edition import Edition
from simulate.solver import Method, Schedule, StopKind, Tolerance, solve
from simulate.solver.methods import dopri5, rodas5p
from simulate.solver.tableau import ButcherTableau
from tests.helpers import fixed_steps
from tests.helpers.plain import plain_edition
from tests.helpers.systems import ABSORPTION, superposed_bateman


@cache
def plain() -> tuple[Edition, Any, Any]:
    """An edition in plain Python, its way of marching, and its kernel of the logistic equation."""
    edition, builder = plain_edition(capacity=1)
    steps = edition.execute("fixed_steps", inspect.getsource(fixed_steps))
    return edition, steps.march, builder.build(LOGISTIC.system)


def mutated(module: ModuleType, pattern: str, replacement: str) -> ModuleType:
    """The module with one place of its source changed, in plain Python."""
    changed, count = re.subn(pattern, replacement, inspect.getsource(module), count=1)
    assert count == 1
    return plain()[0].execute("mutated", changed)


def observed_order(method: Method) -> float:
    """Order of a method in plain Python."""
    _, march, kernel = plain()
    exact = 1 / (1 + 9 * np.exp(-1.0))
    errors = [abs(float(march(kernel, method, 1.0, steps)[0]) - exact) for steps in (20, 40, 80)]
    return float(np.mean(np.log2(np.array(errors[:-1]) / np.array(errors[1:]))))


@pytest.mark.parametrize("module", [dopri5, rodas5p], ids=["DOPRI5", "RODAS5P"])
def test_n15_the_order_test_passes_the_methods_as_they_are(module: ModuleType) -> None:
    name = module.__name__.rpartition(".")[2].upper()
    assert observed_order(getattr(mutated(module, "^", ""), name)) == pytest.approx(5.0, abs=0.2)


def test_n15_a_stage_weight_off_by_a_millionth_is_refused_by_the_tableau() -> None:
    for stage, row in enumerate(dopri5.TABLEAU.a):
        for index in range(len(row)):
            rows = [list(weights) for weights in dopri5.TABLEAU.a]
            rows[stage][index] += Fraction(1, 10**6)
            with pytest.raises(ValueError, match=f"stage {stage}"):
                ButcherTableau(
                    dopri5.TABLEAU.c,
                    tuple(tuple(weights) for weights in rows),
                    dopri5.TABLEAU.b,
                    dopri5.TABLEAU.b_error,
                )


def test_n15_two_weights_whose_errors_cancel_in_the_sum_are_found_by_the_order() -> None:
    # The tableau's own check passes this one: a fifth stage with 1e-6 moved from one weight to the next.
    broken = mutated(
        dopri5,
        r"Q\(44, 45\), Q\(-56, 15\)",
        "Q(44, 45) + Q(1, 10**6), Q(-56, 15) - Q(1, 10**6)",
    )
    assert observed_order(broken.DOPRI5) < 4.5


@pytest.mark.parametrize("digits", [r"2\.849394379747939", r"-17\.97296035885952", r"0\.21193756319429014\n"])
def test_n15_a_coefficient_of_the_stiff_method_off_by_a_millionth_is_found_by_the_order(digits: str) -> None:
    value = float(digits.replace("\\", "").removesuffix("n"))
    end = "\n" if digits.endswith("n") else ""
    broken = mutated(rodas5p, digits, f"{value * (1 + 1e-6)!r}{end}")
    assert not abs(observed_order(broken.RODAS5P) - 5.0) < 0.2


# Often enough that a drug which is gone after two days cannot hide a lost dose.
TIMES = np.linspace(0.25, 28.0, 112)


def within_tolerance(schedule: Schedule, parameters: list[float]) -> bool:
    """The test of doses: whether a solve follows the closed form of 28 daily doses."""
    doses = [(time, amount) for time, _, _, amount in BATEMAN.stops]
    result = solve(build(ABSORPTION), np.array([parameters]), schedule, TIMES, tolerance=Tolerance(1e-8))
    exact = superposed_bateman(TIMES, doses, 4.1, 16.9)
    return bool(np.allclose(result.quantity("central")[0], exact, rtol=1e-6, atol=1e-7))


def test_n15_a_lost_doubled_or_late_dose_and_swapped_parameters_are_found() -> None:
    rows = list(BATEMAN.stops)
    assert within_tolerance(Schedule.from_rows([rows]), [4.1, 16.9])
    for wrong in (rows[:9] + rows[10:], [*rows, rows[9]], [*rows[:9], (9.001, *rows[9][1:]), *rows[10:]]):
        assert not within_tolerance(Schedule.from_rows([wrong]), [4.1, 16.9])
    # Of flip-flop kinetics the curve's shape is the same: only its height tells the two rates apart.
    assert not within_tolerance(Schedule.from_rows([rows]), [16.9, 4.1])


def test_n15_an_infusion_for_a_bolus_is_found() -> None:
    rows = [(time, StopKind.RATE, route, amount) for time, _, route, amount in BATEMAN.stops[:1]]
    assert not within_tolerance(Schedule.from_rows([rows]), [4.1, 16.9])


MISREADINGS: list[tuple[str, Callable[[np.ndarray], np.ndarray]]] = [
    ("two states", lambda values: values[:, [1, 0, 2]]),
    ("two times", lambda values: values[[1, 0, *range(2, len(values))]]),
    ("the fourth digit", lambda values: values * (1 + 2e-4)),
]


@pytest.mark.parametrize(("what", "change"), MISREADINGS, ids=[what for what, _ in MISREADINGS])
def test_n15_reference_values_that_are_misread_are_found(
    monkeypatch: pytest.MonkeyPatch, what: str, change: Callable[[np.ndarray], np.ndarray]
) -> None:
    assert judge(ROBER, rodas5p.RODAS5P, 1e-6).passed
    wrong = change(np.array(reference_values(ROBER)))
    monkeypatch.setattr("benchmarks.problems.judgment.reference_values", lambda problem: wrong)
    assert not judge(ROBER, rodas5p.RODAS5P, 1e-6).passed
