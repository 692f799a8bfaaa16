"""Anakinra in the body and the patient's own IL-1 receptor antagonist.

Anakinra enters plasma from the injection site by a first-order process and leaves it by another (one compartment).
Absorption is the slower of the two ("flip-flop"): intravenous data show elimination within one or two hours, whereas
the decline after an injection under the skin has a half-life of about four (Urien et al. 2013 assign the two rate
constants the other way round; plasma curves cannot tell). Clearance and volume are those of plasma, not apparent
ones: bioavailability enters once, with the dose.

The patient's own antagonist (IL-1Ra) is the same protein and is cleared at the same rate. A share of its synthesis
follows the IL-1 signal in muscle, so it falls under treatment. Left out: weight and renal function, which act on
clearance and volume when patients are drawn; binding of IL-1Ra to soluble receptors; target-mediated elimination.

Of injections into a muscle no source tells. They are taken to be absorbed like those under the skin.
"""

from __future__ import annotations

from sympy import symbols

from simulate.symbolic.parts import Definition, Mechanism, Reaction, Route, Species
from simulate.symbolic.units import unit

F, k_a, CL, V, molar_mass, R_0, eps = symbols("F k_a CL V molar_mass R_0 eps")
relative_signal_muscle = symbols("relative_signal_muscle")

DEPOT = Species("A_d", "anakinra at the injection site", unit("nmol"), initial=0)
CENTRAL = Species("A_c", "anakinra in plasma", unit("nmol"), initial=0)
ENDOGENOUS = Species("R", "the patient's own IL-1Ra in plasma", unit("nM"), initial=R_0 / molar_mass)

CONCENTRATION = Definition("C", "plasma concentration of anakinra", unit("nM"), CENTRAL / V)

PHARMACOKINETICS = Mechanism(
    name="pharmacokinetics",
    title="Anakinra from injection to elimination, and endogenous IL-1Ra",
    species=(DEPOT, CENTRAL, ENDOGENOUS),
    definitions=(CONCENTRATION,),
    reactions=(
        Reaction("absorption", k_a * DEPOT, {DEPOT: -1, CENTRAL: 1}),
        Reaction("elimination", CL / V * CENTRAL, {CENTRAL: -1}),
        Reaction(
            "il1ra_synthesis",
            CL / V * R_0 / molar_mass * ((1 - eps) + eps * relative_signal_muscle),
            {ENDOGENOUS: 1},
        ),
        Reaction("il1ra_elimination", CL / V * ENDOGENOUS, {ENDOGENOUS: -1}),
    ),
    routes=(
        Route("sc", "anakinra", DEPOT, unit("mg"), F / molar_mass),
        Route("iv", "anakinra", CENTRAL, unit("mg"), 1 / molar_mass),
        Route("im", "anakinra", DEPOT, unit("mg"), F / molar_mass),
    ),
)


def exchanged(*own: Reaction) -> tuple[Reaction, ...]:
    """Reactions of anakinra with others in the place of those of the same names; what is new comes last."""
    return tuple({reaction.name: reaction for reaction in (*PHARMACOKINETICS.reactions, *own)}.values())
