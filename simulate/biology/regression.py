"""H5a: regression to the mean, which changes the second reading of a patient although nothing has happened.

A patient read as extreme today is on average less extreme next time, because part of every reading is momentary. For a
log-normal quantity with correlation r between two distant readings of one patient, the second is expected at

    first · (first / typical) ** −(1 − r)

and approaches it as the momentary part fades (``t_regression``). The typical patient does not move; the highest fall,
the lowest rise, and no drug has a part in it. It concerns readings, not cells: the states of the model start where they
were measured and this says how a later reading would differ.
"""

from __future__ import annotations

from sympy import Integer, Symbol, symbols

from simulate.biology.readouts import READOUTS
from simulate.symbolic.parts import Definition, Mechanism, Observable
from simulate.symbolic.symbols import TIME, at_baseline
from simulate.symbolic.units import DIMENSIONLESS

t_regression = symbols("t_regression")

FADED = Definition(
    "faded",
    "momentary part of the first reading that has faded",
    DIMENSIONLESS,
    1 - Integer(2) ** (-TIME / t_regression),
)


def _second_look(first: Observable) -> Observable:
    typical, repeat = Symbol(f"{first.name}_typical"), Symbol(f"r_{first.name}")
    excess = at_baseline(first.expression) / typical
    return Observable(
        f"{first.name}_regressed",
        f"{first.meaning}, with regression to the mean",
        first.unit,
        first.expression * excess ** (-(1 - repeat) * FADED.symbol),
    )


REGRESSION = Mechanism(
    name="regression",
    title="Readings regress to the mean",
    definitions=(FADED,),
    observables=tuple(
        _second_look(first) for first in READOUTS.observables if first.name in ("ifng", "il17a", "ck")
    ),
)  # fmt: skip
