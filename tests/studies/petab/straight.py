"""A straight line through four measurements, with a prior of its slope: fit, profiles and posterior in closed form."""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np

from simulate.exchange.petab.reading import read_petab
from simulate.studies.petab.objective import Objective, objective_of
from tests.exchange.problems import write_problem

TIMES, VALUES = np.array([0.0, 1.0, 2.0, 4.0]), np.array([1.1, 1.4, 2.3, 3.2])
SIGMA, PRIOR_MEAN, PRIOR_WIDTH, REACH = 0.25, 0.2, 0.1, 20.0
TABLE = (
    "parameterId parameterScale lowerBound upperBound nominalValue estimate objectivePriorType objectivePriorParameters"
)
PARAMETERS = f"{TABLE}\np lin -20 20 1 1 _ _\nq lin -20 20 1 1 normal 0.2;0.1"
FIXED = "\nk log10 0.01 10 0.5 0 _ _\na0 lin 0 10 2 0 _ _\nsigma lin 0.01 10 0.25 0 _ _"
OBSERVABLES = "observableId observableFormula noiseFormula\no p+q*time sigma"
MEASUREMENTS = "observableId simulationConditionId time measurement\n" + "\n".join(
    f"o c0 {time} {value}" for time, value in zip(TIMES.tolist(), VALUES.tolist(), strict=True)
)

_DESIGN = np.stack([np.ones(4), TIMES], axis=1)
_PRECISION = _DESIGN.T @ _DESIGN / SIGMA**2 + np.diag([0.0, PRIOR_WIDTH**-2])
COVARIANCE = np.linalg.inv(_PRECISION)
MEAN = COVARIANCE @ (_DESIGN.T @ VALUES / SIGMA**2 + np.array([0.0, PRIOR_MEAN / PRIOR_WIDTH**2]))
ERRORS = np.sqrt(np.diag(COVARIANCE))
# The integral of likelihood times both priors; that of p is uniform from -20 to 20.
_LEFT = VALUES @ VALUES / SIGMA**2 + (PRIOR_MEAN / PRIOR_WIDTH) ** 2 - MEAN @ _PRECISION @ MEAN
LOG_EVIDENCE = float(
    -2.0 * math.log(2.0 * math.pi * SIGMA**2)
    - 0.5 * _LEFT
    - 0.5 * math.log(2.0 * math.pi * PRIOR_WIDTH**2)
    + 0.5 * math.log((2.0 * math.pi) ** 2 * np.linalg.det(COVARIANCE))
    - math.log(2.0 * REACH)
)


def straight_line(folder: Path, parameters: str = PARAMETERS, **changed: str) -> Objective:
    """The problem, or one with other parameters or tables."""
    tables = {"observables": OBSERVABLES, "measurements": MEASUREMENTS, **changed}
    path = write_problem(folder, parameters=parameters + FIXED, **tables)
    return objective_of(read_petab(path), threads=1)
