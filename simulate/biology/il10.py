"""Option `il10-th17`: an observable for IL-10 of Th17 memory, which IL-1 inhibits.

IL-1β inhibits IL-10 in human Th17 cells, at priming and in memory, and blockade of IL-1β in people raised it in memory
Th17 cells (Zielinski et al. 2012). A share ``f_10`` of Th17 memory makes IL-10 at baseline; without any signal of IL-1
it is ``1 + y_10`` times that. It changes nothing in the patient: what IL-10 does to muscle was not read. It is the same
under every hypothesis that leaves Th17 memory alone, and shows whether the drug acts on T cells at all.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.cd4 import CIRCULATING, TH17
from simulate.biology.occupancy import RELATIVE_SIGNAL_LYMPH
from simulate.biology.readouts import PERCENT
from simulate.biology.th1_release import released_weight
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Condition, Definition, Mechanism, Observable
from simulate.symbolic.units import DIMENSIONLESS

f_10, y_10 = symbols("f_10 y_10")

SHARE = Definition(
    "il10_share",
    "share of Th17 memory that makes IL-10",
    DIMENSIONLESS,
    f_10 * released_weight(y_10, RELATIVE_SIGNAL_LYMPH.symbol),
)

IL10 = Hypothesis(
    name="il10-th17",
    title="IL-1 holds IL-10 of Th17 memory back",
    add=(
        Mechanism(
            name="il10",
            title="IL-10 of Th17 memory",
            definitions=(SHARE,),
            conditions=(
                Condition("il10_share", 1 - f_10 * (1 + y_10), "more than all of Th17 memory would make IL-10"),
            ),
            observables=(
                Observable("il10_share_th17", "Th17 memory cells that make IL-10", PERCENT, SHARE.symbol),
                Observable(
                    "il10_th17",
                    "CD4 cells that are Th17 memory and make IL-10",
                    PERCENT,
                    SHARE * TH17.memory / CIRCULATING,
                ),
            ),
        ),
    ),
)
