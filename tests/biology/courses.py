"""Patients under any combination of hypotheses and optional mechanisms, each simulated once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache, reduce
from operator import add

import numpy as np

from simulate.biology.conversion import H2_CYTOKINES, H2_IL12
from simulate.biology.culture_experiments import MEMORY_DISH, PRIMING_DISH, STRENGTH_DISH
from simulate.biology.expansion import NON_SELECTIVE_EXPANSION
from simulate.biology.hypotheses import HYPOTHESES
from simulate.biology.macrophages import INFILTRATE
from simulate.biology.priming_by_cytokines import H1_CYTOKINES, H1_IL6_IL12
from simulate.biology.regulatory import TREG_LEAK
from simulate.biology.renewal import SELF_RENEWAL
from simulate.biology.senescence import CD28NULL_MEMORY
from simulate.biology.suppression import TREG_SUPPRESSION
from simulate.kernels.kernel import CompiledKernel
from simulate.solver.batch import solve
from simulate.solver.problem import Schedule, StopKind, Tolerance
from simulate.solver.trajectories import Trajectories
from simulate.symbolic.hypothesis import NONE, Hypothesis
from simulate.symbolic.model import Model
from tests.helpers import models

END = 182
QUARTER = 91

MECHANISMS = (
    NON_SELECTIVE_EXPANSION,
    SELF_RENEWAL,
    TREG_LEAK,
    TREG_SUPPRESSION,
    CD28NULL_MEMORY,
)
"""Optional mechanisms that go with every hypothesis."""

KNOWN: Mapping[str, Hypothesis] = {
    value.name: value
    for value in (
        NONE,
        *HYPOTHESES,
        *MECHANISMS,
        H1_IL6_IL12,
        H1_CYTOKINES,
        H2_IL12,
        H2_CYTOKINES,
        PRIMING_DISH,
        MEMORY_DISH,
        STRENGTH_DISH,
        INFILTRATE,
    )
}


@cache
def model_of(names: str) -> Model:
    """The model under hypotheses and options, their names joined by ``+``."""
    return models.reference_model(reduce(add, (KNOWN[name] for name in names.split("+"))))


@cache
def kernel_of(names: str) -> CompiledKernel:
    return models.kernel_of(model_of(names))


@cache
def course(
    names: str, *, dose: float = 100.0, last_dose: int = END, end: int = END, per_day: int = 1, **overrides: float
) -> Trajectories:
    """One patient; ``dose`` mg a day from day 0 until before ``last_dose``, recorded ``per_day`` times a day."""
    kernel = kernel_of(names)
    values = {parameter.name: parameter.value for parameter in model_of(names).parameters}
    values |= {name: value for name, value in overrides.items() if name in values}
    row = np.array([[values[name] for name in kernel.parameters]])
    doses = [(float(day), StopKind.BOLUS, 0, dose) for day in range(last_dose)] if dose else []
    times = np.arange(end * per_day + 1.0) / per_day
    return solve(kernel, row, Schedule.from_rows([doses]), times, tolerance=Tolerance(1e-7))


def reading(names: str, quantity: str, day: float = END, **how: float) -> float:
    """A quantity of one patient on a day."""
    found = course(names, **how)
    assert not found.failures, found.failures[0].reason
    (moment,) = np.flatnonzero(found.times == day)
    return float(found.quantity(quantity)[0, moment])


def change(names: str, quantity: str, day: float = END, **how: float) -> float:
    """Relative change of a quantity since baseline."""
    return reading(names, quantity, day, **how) / reading(names, quantity, 0, **how) - 1.0
