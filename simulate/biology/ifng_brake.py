"""IFNγ brakes Th17 priming.

IFNγ inhibits the development of Th17 cells from naive cells (stated as known by Cytokine 2009;48:226 and by Kryczek et
al. 2008). In people it also makes antigen-presenting cells produce IL-1 and IL-23, which expand memory Th17 cells
(Kryczek et al. 2008), so that the sign in memory is open: only priming is braked here. With r the cells in blood that
make IFNγ over their baseline, the share of Th17 and double-positive cells at priming is multiplied by

    (1 + y_g) / (1 + y_g · r)

and other lineages take up the difference. Alone, under a blockade that leaves IFNγ as it is, it does nothing; where
IFNγ rises (H4, H6) it adds to the fall of IL-17A. It multiplies whatever H1 makes of the shares.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.cd4 import ACTIVATED, DOUBLE_POSITIVE, EX_TH17, OTHER, TH1, TH17, tau_A
from simulate.biology.readouts import cells
from simulate.biology.th1_release import released_weight
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Definition, Mechanism, Reaction
from simulate.symbolic.symbols import at_baseline
from simulate.symbolic.units import DIMENSIONLESS

y_g = symbols("y_g")

IFNG_MAKERS = cells(TH1, DOUBLE_POSITIVE, EX_TH17)
WEIGHT = Definition(
    "th17_weight_ifng",
    "Th17 priming that IFNγ leaves, over its baseline",
    DIMENSIONLESS,
    released_weight(y_g, IFNG_MAKERS / at_baseline(IFNG_MAKERS)),
)

IFNG_BRAKE = Hypothesis(
    name="ifng-th17",
    title="IFNγ brakes Th17 priming",
    add=(
        Mechanism(
            name="ifng_brake",
            title="IFNγ brakes Th17 priming",
            definitions=(WEIGHT,),
            reactions=tuple(
                Reaction(
                    f"braked_by_ifng_{lineage.key}",
                    (1 - WEIGHT.symbol) * lineage.share * ACTIVATED / tau_A,
                    {lineage.effector: -1, OTHER.effector: 1},
                )
                for lineage in (TH17, DOUBLE_POSITIVE)
            ),
        ),
    ),
)
