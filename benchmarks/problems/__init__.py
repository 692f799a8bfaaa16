"""Small systems with known answers, on which methods are judged.

`reference_values` gives their states to ten digits, on which two independent methods agree; how they were obtained is
written in ``values.json``, and ``python benchmarks/reference_values.py`` computes them anew.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.problems.dosed import (
    BATEMAN,
    ENZYME,
    ERLANG,
    SATURABLE,
    TARGET_MEDIATED,
    TURNOVER,
    TWO_COMPARTMENTS,
)
from benchmarks.problems.problem import Problem
from benchmarks.problems.smooth import (
    ARENSTORF,
    BRUSSELATOR,
    EPIDEMIC,
    FITZHUGH_NAGUMO,
    FORCED,
    LOGISTIC,
    LORENZ,
    LOTKA,
    PLEIADES,
    RIGID_BODY,
    TOGGLE,
)
from benchmarks.problems.stiff import E5, HIRES, OREGO, POLLU, PROTHERO_ROBINSON, ROBER, VDPOL
from simulate.solver.kernel import FloatArray

PROBLEMS = (
    LOGISTIC,
    LOTKA,
    BRUSSELATOR,
    LORENZ,
    FORCED,
    ARENSTORF,
    PLEIADES,
    RIGID_BODY,
    FITZHUGH_NAGUMO,
    EPIDEMIC,
    TOGGLE,
    BATEMAN,
    TWO_COMPARTMENTS,
    ERLANG,
    SATURABLE,
    TURNOVER,
    ROBER,
    HIRES,
    OREGO,
    VDPOL,
    E5,
    POLLU,
    PROTHERO_ROBINSON,
    ENZYME,
    TARGET_MEDIATED,
)
"""All of them; the stiff ones are for stiff methods only."""

VALUES_FILE = Path(__file__).with_name("values.json")

__all__ = [
    "ARENSTORF",
    "BATEMAN",
    "BRUSSELATOR",
    "E5",
    "ENZYME",
    "EPIDEMIC",
    "ERLANG",
    "FITZHUGH_NAGUMO",
    "FORCED",
    "HIRES",
    "LOGISTIC",
    "LORENZ",
    "LOTKA",
    "OREGO",
    "PLEIADES",
    "POLLU",
    "PROBLEMS",
    "PROTHERO_ROBINSON",
    "RIGID_BODY",
    "ROBER",
    "SATURABLE",
    "TARGET_MEDIATED",
    "TOGGLE",
    "TURNOVER",
    "TWO_COMPARTMENTS",
    "VALUES_FILE",
    "VDPOL",
    "Problem",
    "provenance",
    "reference_values",
]


@cache
def _document() -> dict[str, Any]:
    document: dict[str, Any] = json.loads(VALUES_FILE.read_text(encoding="utf-8"))
    return document


def reference_values(problem: Problem) -> FloatArray:
    """States of a problem at its times, shape [time, state]."""
    values = np.array(_document()["problems"][problem.name]["values"], dtype=np.float64)
    values.flags.writeable = False
    return values


def provenance(problem: Problem) -> dict[str, Any]:
    """Which two methods gave the values of a problem, and how far they are apart."""
    return {name: value for name, value in _document()["problems"][problem.name].items() if name != "values"}
