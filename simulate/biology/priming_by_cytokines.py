"""Priming of Th17 by IL-1 with IL-6, against IL-12 and strong costimulation.

In human naive cells IL-1β induces RORγt and IL-17, IL-6 adds to it and IL-12 suppresses it (Acosta-Rodriguez et al.
2007); strong costimulation through CD28 suppresses it in naive, not in memory cells (Revu et al. 2018). Relative to the
patient's own baseline:

    share of Th17 ~ f(IL-1) · (1 + IL-6/K_6) / ((1 + IL-12/K_12) (1 + h_28 · CD28))

with f as in `simulate.biology.priming_by_il1`, of which this is the finer form: with constant cytokines the two are the
same while the drug acts on IL-1 alone. They part where cytokines follow IL-1: the fall of IL-6 adds to the blockade,
and the fall of IL-12 works against it. TGFβ, needed as well, is constant. The strength of CD28 is at its baseline in
the patient; what another strength would do is a matter for the dish (`STRENGTH_CULTURE`).
"""

from __future__ import annotations

from sympy import Expr, Integer, symbols

from simulate.biology.cytokines import SERUM_CYTOKINES
from simulate.biology.cytokines_constant import IL6_0, IL12_0, relative_il6, relative_il12
from simulate.biology.occupancy import RELATIVE_SIGNAL_LYMPH
from simulate.biology.priming_by_il1 import FACTOR_MEANING, shares_at_priming, th17_priming
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Definition, Mechanism, Observable
from simulate.symbolic.units import DIMENSIONLESS, unit

K_6, K_12, h_28, cd28_culture, il12_culture, relative_cd28 = symbols(
    "K_6 K_12 h_28 cd28_culture il12_culture relative_cd28"
)


def milieu(il6: Expr, il12: Expr, cd28: Expr) -> Expr:
    """What IL-6, IL-12 (pg/mL) and CD28 (over its baseline) do to Th17 priming, up to a constant factor."""
    return (1 + il6 / K_6) / ((1 + il12 / K_12) * (1 + h_28 * cd28))


BEFORE = milieu(IL6_0, IL12_0, Integer(1))

COSTIMULATION = Mechanism(
    name="costimulation",
    title="Costimulation through CD28 at its baseline",
    definitions=(Definition(relative_cd28.name, "CD28 signal over its baseline", DIMENSIONLESS, Integer(1)),),
)

TH17_FACTOR = Definition(
    "r_17",
    FACTOR_MEANING,
    DIMENSIONLESS,
    th17_priming(RELATIVE_SIGNAL_LYMPH.symbol)
    * milieu(IL6_0 * relative_il6, IL12_0 * relative_il12, relative_cd28)
    / BEFORE,
)

PRIMING_BY_CYTOKINES = Mechanism(
    name="priming_by_cytokines",
    title="IL-1 with IL-6 primes Th17 and double positives, IL-12 and strong CD28 suppress it",
    definitions=shares_at_priming(TH17_FACTOR),
)

STRENGTH_CULTURE = Mechanism(
    name="strength_culture",
    title="Naive cells primed in culture with IL-12 or strong CD28",
    observables=(
        Observable(
            "primed_th17_with_il12",
            "Th17 cells from naive cells in culture with IL-12 added, of the culture without",
            unit("%"),
            milieu(IL6_0, IL12_0 + il12_culture, Integer(1)) / BEFORE,
        ),
        Observable(
            "primed_th17_strong_cd28",
            "Th17 cells from naive cells in culture with strong CD28, of the culture with the strength in the patient",
            unit("%"),
            milieu(IL6_0, IL12_0, cd28_culture) / BEFORE,
        ),
    ),
)

H1_IL6_IL12 = Hypothesis(
    name="H1-il6-il12",
    title="IL-1 with IL-6 and against IL-12 primes Th17",
    add=(COSTIMULATION,),
    replace=(("priming", PRIMING_BY_CYTOKINES),),
)
"""IL-6 and IL-12 stay as they are, unless another option lets them follow."""

H1_CYTOKINES = Hypothesis(
    name="H1-cytokines",
    title="IL-1 with IL-6 and against IL-12 primes Th17, both as they follow IL-1 and inflammation",
    add=H1_IL6_IL12.add,
    replace=(*H1_IL6_IL12.replace, *SERUM_CYTOKINES.replace),
)
