"""H7: IL-17 inhibits Th1 priming.

IL-17 lowers IL-12Rβ2, and with it the IFNγ that IL-12 induces, in human blood cells and in developing Th1 cells; T-bet,
IL-12Rβ1 and IL-23R are as before (Cytokine 2009;48:226). So the fate Th1 loses weight at priming where IL-17 is made,
against other lineages, as in `simulate.biology.th1_release`:

    w = (1 + y_b) / (1 + y_b · r)

with r the memory cells that make IL-17, over their baseline. By itself the mechanism does nothing under a blockade of
IL-1 that leaves those cells alone; with H1 or H3a, which lower them, IFNγ follows the fall of IL-17, later than it. The
experiment was short, on cells in culture; what it is worth in a patient is assumed.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.muscle import DRIVE
from simulate.biology.th1_release import primed_as_th1, released_weight
from simulate.symbolic.parts import Definition, Mechanism
from simulate.symbolic.units import DIMENSIONLESS

y_b = symbols("y_b")

WEIGHT = Definition(
    "th1_weight_il17",
    "weight of the fate Th1 at priming that IL-17 leaves, over its baseline",
    DIMENSIONLESS,
    released_weight(y_b, DRIVE.symbol),
)

IL17_BRAKE = Mechanism(
    name="il17_brake",
    title="IL-17 brakes Th1 priming",
    definitions=(WEIGHT,),
    reactions=(primed_as_th1("unbraked_as_th1", WEIGHT),),
)
