"""Anakinra and IL-1Ra in plasma, without IL-1, cells and muscle."""

from __future__ import annotations

from sympy import Integer

from simulate.biology.pharmacokinetics import CONCENTRATION, ENDOGENOUS, PHARMACOKINETICS, molar_mass
from simulate.biology.pharmacokinetics_published import parameterization
from simulate.biology.reference import parameter_table
from simulate.symbolic.composition import compose
from simulate.symbolic.hypothesis import NONE, Hypothesis
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Definition, Mechanism, Observable
from simulate.symbolic.units import DIMENSIONLESS, unit

PLASMA = Mechanism(
    name="plasma",
    title="Plasma by itself: IL-1 does not act, the patient's own IL-1Ra is constant",
    definitions=(
        Definition("relative_signal_muscle", "IL-1 signal in muscle, of baseline", DIMENSIONLESS, Integer(1)),
    ),
    observables=(
        Observable("anakinra", "anakinra in plasma", unit("ng/mL"), molar_mass * CONCENTRATION),
        Observable("own_il1ra", "the patient's own IL-1Ra in plasma", unit("ng/mL"), molar_mass * ENDOGENOUS),
        Observable(
            "serum_il1ra",
            "IL-1Ra in serum by ELISA, anakinra and the patient's own",
            unit("pg/mL"),
            molar_mass * (CONCENTRATION + ENDOGENOUS),
        ),
    ),
)


def plasma_model(name: str | None = None, hypothesis: Hypothesis = NONE) -> Model:
    """Its model with the shipped parameters, some of them of a published parameterization if one is named."""
    return compose(
        (PHARMACOKINETICS, PLASMA),
        hypothesis,
        values={**parameter_table(), **({} if name is None else parameterization(name))},
        name="plasma",
        title="Anakinra and IL-1Ra in plasma",
    )
