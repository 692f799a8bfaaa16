"""The standard test problems, which ship with the package as users verify with them too."""

from simulate.studies.problems import PROBLEMS, Problem, reference_values
from simulate.studies.problems.dosed import (
    BATEMAN,
    ENZYME,
    ERLANG,
    SATURABLE,
    TARGET_MEDIATED,
    TURNOVER,
    TWO_COMPARTMENTS,
)
from simulate.studies.problems.smooth import (
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
from simulate.studies.problems.stiff import E5, HIRES, OREGO, POLLU, PROTHERO_ROBINSON, ROBER, VDPOL

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
    "VDPOL",
    "Problem",
    "reference_values",
]
