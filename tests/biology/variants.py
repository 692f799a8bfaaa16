"""The typical patient under any hypothesis value, at chosen times."""

from __future__ import annotations

import numpy as np

from simulate.kernels.kernel import CompiledKernel
from simulate.solver import DOPRI5, FloatArray, Method, Schedule, StopKind, Tolerance, Trajectories, solve
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.model import Model
from tests.helpers import models

BEFORE_NEXT_DOSE = 10 - 1e-9
STEADY_DAY = np.array([0.0, *np.linspace(9.0, 10.0, 240, endpoint=False), BEFORE_NEXT_DOSE])
"""Day 0, then the tenth day of treatment in steps of six minutes to just before the next dose."""


def model_under(hypothesis: Hypothesis) -> Model:
    return models.reference_model(hypothesis)


def kernel(hypothesis: Hypothesis) -> CompiledKernel:
    return models.kernel_of(model_under(hypothesis))


def course(
    hypothesis: Hypothesis,
    times: FloatArray | list[float],
    *,
    dose: float = 100.0,
    doses: int = 182,
    method: Method = DOPRI5,
    **overrides: float,
) -> Trajectories:
    """One patient with ``dose`` mg a day, ``doses`` times."""
    built = kernel(hypothesis)
    values = {parameter.name: parameter.value for parameter in model_under(hypothesis).parameters} | overrides
    row = np.array([[values[name] for name in built.parameters]])
    rows = [(float(day), StopKind.BOLUS, 0, dose) for day in range(doses)]
    return solve(built, row, Schedule.from_rows([rows]), np.asarray(times), tolerance=Tolerance(1e-8), method=method)


def values(trajectories: Trajectories, quantity: str) -> FloatArray:
    """A quantity of the one patient, shape [time]."""
    assert not trajectories.failures, trajectories.failures[0].reason
    return trajectories.quantity(quantity)[0]


def change(hypothesis: Hypothesis, quantity: str, **overrides: float) -> float:
    """A quantity after 182 daily doses over that at baseline."""
    before, after = values(course(hypothesis, [0.0, 182.0], **overrides), quantity)
    return float(after / before)
