"""Turnover of IL-1 in muscle, part of whose synthesis IL-1 itself drives.

IL-1 is lost within minutes to hours. A share ``a_fb`` of its synthesis is driven by IL-1 itself, through the signal
in muscle and the inflamed tissue that answers it: blocking IL-1 in the cryopyrin syndromes lowered its own synthesis
(Lachmann et al. 2009). IL-1 is a multiple of its dissociation constant. IL-1 in lymphoid tissue is constant.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.occupancy import RELATIVE_SIGNAL_MUSCLE
from simulate.symbolic.parts import Mechanism, Reaction, Species
from simulate.symbolic.units import DIMENSIONLESS

il1_muscle, k_d1, a_fb, Q = symbols("il1_muscle k_d1 a_fb Q")

IL1_MUSCLE = Species("L_m", "IL-1 in muscle over its dissociation constant", DIMENSIONLESS, initial=il1_muscle)

IL1 = Mechanism(
    name="il1",
    title="Turnover of IL-1 in muscle",
    species=(IL1_MUSCLE,),
    reactions=(
        Reaction(
            "il1_synthesis",
            k_d1 * il1_muscle * ((1 - a_fb) + a_fb * RELATIVE_SIGNAL_MUSCLE * Q),
            {IL1_MUSCLE: 1},
        ),
        Reaction("il1_loss", k_d1 * IL1_MUSCLE, {IL1_MUSCLE: -1}),
    ),
)
