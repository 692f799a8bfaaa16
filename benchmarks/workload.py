"""The workload that every engine is given: the reference model, 24 weeks of daily doses, different patients."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulate.biology.hypotheses import hypothesis_named
from simulate.biology.reference import reference_model
from simulate.kernels.system import System, lower
from simulate.solver import FloatArray, Schedule, StopKind

DAYS = 168
DOSE = 100.0


@dataclass(frozen=True, slots=True)
class Workload:
    """A system, parameters [member, parameter], stops of every member, and the times to record."""

    system: System
    parameters: FloatArray
    schedule: Schedule
    times: FloatArray

    def part(self, members: int) -> Workload:
        """The same for the first members only."""
        return Workload(self.system, self.parameters[:members], daily_doses(members), self.times)


FLOOR = 1e-6
"""Added to the size of a value when an error is divided by it."""


def daily_doses(members: int) -> Schedule:
    """100 mg at the start of each of 168 days."""
    return Schedule.from_rows([[(float(day), StopKind.BOLUS, 0, DOSE) for day in range(DAYS)]] * members)


def reference_workload(members: int, *, hypothesis: str = "H1+H3a+H4") -> Workload:
    """Patients whose rate constants differ by about 20 %, so that no two take the same steps."""
    model = reference_model(hypothesis_named(hypothesis))
    nominal = np.array([parameter.value for parameter in model.parameters])
    varied = [
        name in {"k_a", "CL", "V", "K_Ra", "R_0", "k_d1", "d_E", "k_CK"} for name in (p.name for p in model.parameters)
    ]
    generator = np.random.default_rng(20261123)
    factors = np.exp(0.2 * generator.standard_normal((members, len(nominal))))
    return Workload(
        system=lower(model),
        parameters=np.where(varied, nominal * factors, nominal),
        schedule=daily_doses(members),
        times=np.linspace(0.0, DAYS, 25),
    )


def relative_error(values: FloatArray, exact: FloatArray) -> float:
    """Largest relative error of all recorded values of the members and quantities that both have."""
    members, quantities = min(len(values), len(exact)), min(values.shape[2], exact.shape[2])
    true = exact[:members, :, :quantities]
    return float(np.max(np.abs(values[:members, :, :quantities] - true) / (np.abs(true) + FLOOR)))
