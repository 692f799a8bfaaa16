"""The typical patient under a hypothesis, simulated once for all tests that look at the same patient."""

from __future__ import annotations

from functools import cache

import numpy as np

from simulate.biology.hypotheses import hypothesis_named
from simulate.kernels.kernel import CompiledKernel
from simulate.solver.batch import solve
from simulate.solver.problem import Schedule, StopKind, Tolerance
from simulate.solver.trajectories import Trajectories
from simulate.symbolic.model import Model
from tests.helpers import models

HYPOTHESES = ("H0", "H1", "H2", "H3a", "H1+H3a", "H4", "H1+H3a+H4")
END = 182


@cache
def model_of(hypothesis: str) -> Model:
    return models.reference_model(hypothesis_named(hypothesis))


@cache
def kernel_of(hypothesis: str) -> CompiledKernel:
    return models.kernel_of(model_of(hypothesis))


@cache
def patient(
    hypothesis: str, dose: float = 100.0, last_dose: int = END, end: int = END, **overrides: float
) -> Trajectories:
    """One patient; ``dose`` mg a day from day 0 until before ``last_dose``, recorded every day until ``end``."""
    model = model_of(hypothesis)
    values = {parameter.name: parameter.value for parameter in model.parameters} | overrides
    kernel = kernel_of(hypothesis)
    row = np.array([[values[name] for name in kernel.parameters]])
    doses = [(float(day), StopKind.BOLUS, 0, dose) for day in range(last_dose)] if dose else []
    return solve(kernel, row, Schedule.from_rows([doses]), np.arange(end + 1.0), tolerance=Tolerance(1e-7))


def reading(trajectories: Trajectories, quantity: str, day: int) -> float:
    assert not trajectories.failures, trajectories.failures[0].reason
    return float(trajectories.quantity(quantity)[0, day])
