"""H3a: IL-1 keeps memory cells alive, Th17 more than Th1.

IL-1 expands CD4 cells mainly by survival, not by faster division, in mice and for all lineages (Ben-Sasson et al. 2009
and 2013); in people it is Th17 cells that fall when it is blocked (Lasigliè et al. 2011). A share ``g17`` of the loss
of Th17 and double-positive memory, and ``g1`` of that of Th1 and ex-Th17 memory, is what IL-1 prevents at baseline;
other lineages are not known to need it. The loss is linear in the signal and meant for signals up to the baseline and
little above: at 1/``g17`` times the baseline it would be zero.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr, Symbol, exp, symbols

from simulate.biology.cd4 import DOUBLE_POSITIVE, EX_TH17, LOSS_BEFORE, RATE, TH1, TH17, Lineage, d_M17
from simulate.biology.culture_signal import CULTURE_SIGNAL
from simulate.biology.occupancy import RELATIVE_SIGNAL_LYMPH
from simulate.symbolic.parts import Condition, Definition, Mechanism, Observable
from simulate.symbolic.units import unit

g1, g17, t_culture = symbols("g1 g17 t_culture")

RESCUED: Mapping[Lineage, Symbol] = {TH1: g1, TH17: g17, DOUBLE_POSITIVE: g17, EX_TH17: g1}
"""Share of the loss that IL-1 prevents at baseline; other lineages are not known to need IL-1."""


def loss(before: Expr, rescued: Expr, relative_signal: Expr) -> Expr:
    """Loss of memory, 1/d, from that at baseline, the share that IL-1 prevents there, and the signal over baseline."""
    return before * (1 - rescued * relative_signal) / (1 - rescued)


def _loss(lineage: Lineage, before: Expr) -> Expr:
    rescued = RESCUED.get(lineage)
    return before if rescued is None else loss(before, rescued, RELATIVE_SIGNAL_LYMPH.symbol)


SURVIVAL_BY_IL1 = Mechanism(
    name="survival_by_il1",
    title="IL-1 keeps memory cells alive, Th17 more than Th1",
    definitions=tuple(
        Definition(f"loss_{lineage.key}", f"loss of {lineage.title} memory", RATE, _loss(lineage, before))
        for lineage, before in LOSS_BEFORE
    ),
    conditions=tuple(
        Condition(f"rescue_{name}", 1 - gain, f"IL-1 cannot prevent more than all of the loss of {name} memory")
        for name, gain in (("Th1", g1), ("Th17", g17))
    ),
)

MEMORY_CULTURE = Mechanism(
    name="memory_culture",
    title="Memory cells kept in culture with IL-1Ra",
    observables=(
        Observable(
            "kept_th17_with_il1ra",
            "Th17 memory after some days of culture with IL-1Ra, of the culture without",
            unit("%"),
            exp(-(loss(d_M17, g17, CULTURE_SIGNAL.symbol) - d_M17) * t_culture),
        ),
    ),
)
"""The experiment that would test H3a: survival in culture, where nothing divides and nothing is formed."""
