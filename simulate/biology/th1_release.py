"""H6: IL-1 inhibits Th1 priming, so that blockade raises it; the interpretation of the trial's own authors.

They conclude that anakinra might favor differentiation into Th1 rather than Th17 (Zong et al. 2011). No experiment was
read in which human naive cells without IL-1 became Th1 more often, and mice without the receptor have as many Th1 cells
as others (Sutton et al. 2006), which speaks against it: the mechanism is the authors', its size is assumed. It is a
competition of fates at priming. The fate Th1 has a weight, 1 at baseline, against that of other lineages (neither Th17,
double positive nor ex-Th17), and IL-1 lowers it:

    w = (1 + y_1) / (1 + y_1 · s)

with s the IL-1 signal in lymphoid tissue over its baseline, so that ``y_1`` is the rise of the weight when IL-1 is
wholly blocked. Both shares stay positive at any signal and their sum does not change. What becomes Th17 is left to
other mechanisms: with `simulate.biology.priming_by_il1` this is the authors' hypothesis, fewer Th17 and more Th1.
"""

from __future__ import annotations

from sympy import Expr, symbols

from simulate.biology.cd4 import ACTIVATED, OTHER, TH1, tau_A
from simulate.biology.occupancy import RELATIVE_SIGNAL_LYMPH
from simulate.symbolic.parts import Definition, Mechanism, Reaction
from simulate.symbolic.units import DIMENSIONLESS

y_1 = symbols("y_1")


def released_weight(gain: Expr, hold: Expr) -> Expr:
    """Weight of the fate Th1 over its baseline: 1 where ``hold`` is 1, 1 + ``gain`` where it is 0.

    Parameters
    ----------
    gain
        Rise of the weight when nothing holds Th1 priming back, dimensionless, not negative.
    hold
        What holds it back, over its baseline.
    """
    return (1 + gain) / (1 + gain * hold)


def primed_as_th1(name: str, weight: Definition) -> Reaction:
    """Cells that become Th1 instead of another lineage, as the weight of the fate Th1 departs from 1, cells/µL/d."""
    moved = TH1.share * OTHER.share * (weight - 1) / (TH1.share * weight + OTHER.share)
    return Reaction(name, moved * ACTIVATED / tau_A, {TH1.effector: 1, OTHER.effector: -1})


WEIGHT = Definition(
    "th1_weight_il1",
    "weight of the fate Th1 at priming that IL-1 leaves, over its baseline",
    DIMENSIONLESS,
    released_weight(y_1, RELATIVE_SIGNAL_LYMPH.symbol),
)

TH1_RELEASE = Mechanism(
    name="th1_release",
    title="IL-1 holds Th1 priming back",
    definitions=(WEIGHT,),
    reactions=(primed_as_th1("released_as_th1", WEIGHT),),
)
