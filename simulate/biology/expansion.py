"""IL-1 expands activated CD4 cells of all lineages alike.

In mice IL-1 made naive and memory CD4 cells expand with antigen, Th1, Th2 and Th17 alike, and IL-1Ra cut the response
to antigen with lipopolysaccharide by about 55 % (Ben-Sasson et al. 2009). Here a share ``g_clone`` of the cells of a
clone is there thanks to IL-1 at its baseline. Without it clones are smaller, whatever they become: effectors fall in
weeks, memory in months, and the share of a lineage stays what it was. Naive cells do not change.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.cd4 import ACTIVATED, NAIVE, burst, k_act
from simulate.biology.occupancy import RELATIVE_SIGNAL_LYMPH
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Condition, Mechanism, Reaction

g_clone = symbols("g_clone")

EXPANSION = Mechanism(
    name="expansion",
    title="IL-1 expands activated cells of all lineages alike",
    reactions=(
        Reaction(
            "clones_not_grown", k_act * NAIVE * burst * g_clone * (1 - RELATIVE_SIGNAL_LYMPH.symbol), {ACTIVATED: -1}
        ),
    ),
    conditions=(Condition("clone_share", 1 - g_clone, "IL-1 cannot account for more than the whole of a clone"),),
)

NON_SELECTIVE_EXPANSION = Hypothesis(
    name="expansion", title="IL-1 expands all lineages alike", add=(EXPANSION,)
)  # fmt: skip
