"""Numbers to trajectories: a batch ODE solver that takes a compiled kernel and knows nothing of symbols.

Begin with `batch.solve`, then `lanes.integrate`, the loop; a method is a file in `methods`. The compiled parts are
loaded on first use, in a hundredth of a second, or compiled in some seconds once on a new machine. What Numba makes of
`vectors` is in `vector_code`, which is loaded then.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from simulate.solver.kernel import FloatArray, IntArray, Kernel
from simulate.solver.problem import Schedule, StopKind, Tolerance
from simulate.solver.rules import Action, Adaptive, Occurrence, Rule
from simulate.solver.trajectories import Failure, Status, Trajectories

_LATER = {
    "solve": "simulate.solver.batch",
    "Automatic": "simulate.solver.automatic",
    "UNLESS_STIFF": "simulate.solver.automatic",
    "solve_automatically": "simulate.solver.automatic",
    "Method": "simulate.solver.methods",
    "METHODS": "simulate.solver.methods",
    "DOP853": "simulate.solver.methods",
    "DOPRI5": "simulate.solver.methods",
    "RODAS5P": "simulate.solver.methods",
    "TAYLOR": "simulate.solver.methods",
}

__all__ = [
    "DOP853",
    "DOPRI5",
    "METHODS",
    "RODAS5P",
    "TAYLOR",
    "UNLESS_STIFF",
    "Action",
    "Adaptive",
    "Automatic",
    "Failure",
    "FloatArray",
    "IntArray",
    "Kernel",
    "Method",
    "Occurrence",
    "Rule",
    "Schedule",
    "Status",
    "StopKind",
    "Tolerance",
    "Trajectories",
    "solve",
    "solve_automatically",
]


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
