"""Option `occasions`: clearance and absorption that vary within a patient from one occasion to the next.

A population model gives a patient's rate constant on occasion ``j`` as ``CL_i · exp(κ_ij)`` with κ normal about zero
(M. O. Karlsson and L. B. Sheiner, J. Pharmacokinet. Biopharm. 21 (1993) 735). The factor is a state that nothing
changes but the beginning of an occasion (`simulate.regimen.occasions`), so every method integrates it as it is and the
rates within an occasion are constant. The patient's own IL-1Ra is cleared with the same factor; its synthesis keeps
that of the usual clearance.
"""

from __future__ import annotations

from sympy import Integer

from simulate.biology.pharmacokinetics import CENTRAL, CL, DEPOT, ENDOGENOUS, PHARMACOKINETICS, V, exchanged, k_a
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Mechanism, Reaction, Route, Species
from simulate.symbolic.units import DIMENSIONLESS

CLEARANCE = Species("on_occasion_CL", "clearance on this occasion over the patient's usual", DIMENSIONLESS, initial=1)
ABSORPTION = Species(
    "on_occasion_k_a", "absorption on this occasion over the patient's usual", DIMENSIONLESS, initial=1
)

PHARMACOKINETICS_ON_OCCASIONS = Mechanism(
    name="pharmacokinetics_on_occasions",
    title="Anakinra with clearance and absorption that change between occasions, and endogenous IL-1Ra",
    species=(*PHARMACOKINETICS.species, CLEARANCE, ABSORPTION),
    definitions=PHARMACOKINETICS.definitions,
    reactions=exchanged(
        Reaction("absorption", k_a * ABSORPTION * DEPOT, {DEPOT: -1, CENTRAL: 1}),
        Reaction("elimination", CL / V * CLEARANCE * CENTRAL, {CENTRAL: -1}),
        Reaction("il1ra_elimination", CL / V * CLEARANCE * ENDOGENOUS, {ENDOGENOUS: -1}),
        Reaction("within_an_occasion", Integer(0), {CLEARANCE: 1, ABSORPTION: 1}),
    ),
    routes=(
        *PHARMACOKINETICS.routes,
        Route("occasion_CL", "change between occasions", CLEARANCE, DIMENSIONLESS, Integer(1)),
        Route("occasion_k_a", "change between occasions", ABSORPTION, DIMENSIONLESS, Integer(1)),
    ),
)

ON_OCCASIONS = Hypothesis(
    name="occasions",
    title="Clearance and absorption change between occasions",
    replace=((PHARMACOKINETICS.name, PHARMACOKINETICS_ON_OCCASIONS),),
)
