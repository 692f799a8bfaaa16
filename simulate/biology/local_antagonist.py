"""Option `local-il1ra`: macrophages of muscle make IL-1Ra that acts there.

After treatment IL-1Ra was stained in the muscle of all responders and of few others, at like levels in serum. Either
more drug gets into the muscle of some patients (``f_m``), or their macrophages make IL-1Ra themselves. This mechanism
is the second reading. Local IL-1Ra follows the macrophages, that is, inflammation; and each makes more of it the more
IL-1 signal is gone, up to ``1 + repair_fold`` times, as cells of repair do. Before treatment it is ``local_share``
times the IL-1Ra that comes from plasma. As macrophages leave while they change, the local amount can rise or fall.

The loop feeds itself: less signal, more IL-1Ra, less signal. Together with the loop of IL-1 it can make the baseline a
threshold from which the slightest change runs away, at once or as macrophages follow; such a patient is refused (see
`feedback`).

It takes the place of ``antagonist``: what binds the receptor in muscle, whatever else is said of the receptor.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import symbols

from simulate.biology.feedback import ZERO, holds, signal_return
from simulate.biology.macrophages import w_G
from simulate.biology.muscle import INFLAMMATION, w_I, w_T
from simulate.biology.occupancy import (
    ANTAGONIST_LYMPH,
    ANTAGONIST_MUSCLE,
    DRUG_MUSCLE,
    RELATIVE_SIGNAL_MUSCLE,
    K_Ra,
)
from simulate.biology.pharmacokinetics import ENDOGENOUS, R_0, molar_mass
from simulate.biology.sites import k_tissue
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Mechanism, Observable, Reaction, Species
from simulate.symbolic.units import unit

local_share, repair_fold = symbols("local_share repair_fold")

BEFORE = local_share * R_0 / molar_mass
LOCAL = Species("R_m", "IL-1Ra that macrophages of muscle have made", unit("nM"), initial=BEFORE)
IN_MUSCLE = DRUG_MUSCLE + ENDOGENOUS + LOCAL

_RESPONSE = repair_fold / (1 + repair_fold)
# By the form of muscle with macrophages, the stronger of the two, so as to be safe in both.
_INFLAMMATION = w_I / (1 - w_T - w_G)

LOCAL_ANTAGONIST = Mechanism(
    name="antagonist_with_local",
    title="IL-1Ra at the receptor, from plasma and in muscle from macrophages",
    definitions=(ANTAGONIST_LYMPH, replace(ANTAGONIST_MUSCLE, expression=IN_MUSCLE / K_Ra)),
    species=(LOCAL,),
    reactions=(
        Reaction(
            "local_il1ra_synthesis",
            k_tissue * BEFORE * INFLAMMATION * (1 + repair_fold) / (1 + repair_fold * RELATIVE_SIGNAL_MUSCLE),
            {LOCAL: 1},
        ),
        Reaction("local_il1ra_loss", k_tissue * LOCAL, {LOCAL: -1}),
    ),
    observables=(
        Observable("il1ra_muscle", "IL-1Ra in muscle, from the drug, plasma and macrophages", unit("nM"), IN_MUSCLE),
    ),
    conditions=(
        holds("quick_loop", signal_return(ZERO, LOCAL / K_Ra, _RESPONSE)),
        holds("slow_loop", signal_return(_INFLAMMATION, LOCAL / K_Ra, _RESPONSE - w_I)),
    ),
)

LOCAL_IL1RA = Hypothesis(
    name="local-il1ra",
    title="Macrophages in muscle make IL-1Ra",
    replace=(("antagonist", LOCAL_ANTAGONIST),),
)
