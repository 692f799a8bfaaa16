"""Anakinra with the rates of absorption and elimination exchanged: the same plasma curve by other kinetics.

A curve after an injection under the skin is a difference of two exponentials, and it does not tell which of the two
rates is absorption. Exchanging them, with the volume scaled by their ratio so that clearance stays, leaves every
concentration of the drug as it was ("flip-flop"). The twin of a mechanism is therefore written in the same parameters:
it absorbs at ``CL / V`` and distributes into ``CL / k_a``. What tells the two apart is not in the curve: intravenous
data, and the patient's own IL-1Ra, which has no absorption and turns over at the rate of elimination.
"""

from __future__ import annotations

from simulate.biology.pharmacokinetics import (
    CENTRAL,
    CL,
    CONCENTRATION,
    DEPOT,
    ENDOGENOUS,
    PHARMACOKINETICS,
    R_0,
    V,
    eps,
    exchanged,
    k_a,
    molar_mass,
    relative_signal_muscle,
)
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Definition, Mechanism, Reaction

PHARMACOKINETICS_TWIN = Mechanism(
    name="pharmacokinetics_twin",
    title="Anakinra with the rates of absorption and elimination exchanged, and endogenous IL-1Ra",
    species=PHARMACOKINETICS.species,
    definitions=(Definition(CONCENTRATION.name, CONCENTRATION.meaning, CONCENTRATION.unit, CENTRAL / (CL / k_a)),),
    reactions=exchanged(
        Reaction("absorption", CL / V * DEPOT, {DEPOT: -1, CENTRAL: 1}),
        Reaction("elimination", k_a * CENTRAL, {CENTRAL: -1}),
        Reaction(
            "il1ra_synthesis",
            k_a * R_0 / molar_mass * ((1 - eps) + eps * relative_signal_muscle),
            {ENDOGENOUS: 1},
        ),
        Reaction("il1ra_elimination", k_a * ENDOGENOUS, {ENDOGENOUS: -1}),
    ),
    routes=PHARMACOKINETICS.routes,
)

TWIN = Hypothesis(
    name="PK-twin",
    title="elimination of anakinra, not absorption, is the slower process",
    replace=(("pharmacokinetics", PHARMACOKINETICS_TWIN),),
)
