"""How many receptors a cell has, and the decoy that activated cells put beside them.

In lymphoid tissue IL-1 meets two kinds of T cells: resting memory cells, whose survival it supports, and activated
cells, whose lineage it helps to choose. They differ in two ways, each a mechanism of its own and both together a third:

Number
    A resting T cell has about 40 IL-1 receptors, an activated one 350, of the same affinity (J Immunol 1987;138:4243).
    What a cell counts is occupied receptors: ``n_50`` of them give half the signal. So activated cells have receptors
    to spare and resting cells hardly any; at the same IL-1 an activated cell answers more and is harder to block. Only
    a share of the cells has receptors at all (``share_naive``, ``share_memory``, ``share_activated``). It scales the
    signal of the population, not that of a cell, and cancels in every ratio to baseline.

Decoy
    Activation through the T-cell receptor also induces the decoy receptor IL-1R2 (Kim et al. 2021), which takes up
    IL-1 but hardly IL-1Ra (Arend et al. 1994). Activated cells then need ``decoy_fold`` times as much IL-1 for the
    same occupancy, and no more IL-1Ra to lose it: a decoy makes the drug more effective, where signals are near
    saturation. In the linear range of lymphoid tissue a constant fold cancels in ratios; there it shows in the
    absolute signal alone.

``relative_signal_lymph`` is that of memory cells and ``relative_signal_activated`` that of activated ones.
`on_activated` lets a mechanism such as priming see the latter. Left out: that receptors appear over 4 to 48 hours,
short beside the days of a clone; soluble receptors.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, Symbol, symbols

from simulate.biology.occupancy import ANTAGONIST_LYMPH, RELATIVE_SIGNAL_LYMPH, e50, il1_lymph
from simulate.biology.priming_by_il1 import PRIMING_BY_IL1
from simulate.biology.receptors import LYMPH, MUSCLE, PERCENT, Receptors, receptor_mechanism
from simulate.symbolic.expressions import as_expression
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Mechanism, Observable

n_resting, n_activated, n_50, decoy_fold = symbols("n_resting n_activated n_50 decoy_fold")
share_naive, share_memory, share_activated = symbols("share_naive share_memory share_activated")


def activated(*, il1: Expr = il1_lymph, half: Expr = e50) -> Receptors:
    """Receptors of activated T cells in lymphoid tissue."""
    return Receptors("activated", "of activated T cells in lymphoid tissue", il1, ANTAGONIST_LYMPH.symbol, half)


RESTING = replace(LYMPH, where="of resting T cells in lymphoid tissue", half=n_50 / n_resting)


def _mean_signals(resting: Receptors, active: Receptors) -> tuple[Observable, ...]:
    kinds = (
        ("naive", share_naive, resting),
        ("memory", share_memory, resting),
        ("activated", share_activated, active),
    )
    return tuple(
        Observable(
            f"mean_signal_{name}", f"IL-1 signal of {name} T cells, mean of those with and without receptors", PERCENT,
            share * receptors.signal.symbol,
        )
        for name, share, receptors in kinds
    )  # fmt: skip


_DECOYED = activated(il1=il1_lymph / decoy_fold)
DECOY = receptor_mechanism(
    "occupancy_decoy", "A decoy receptor on activated T cells takes IL-1 away", (LYMPH, MUSCLE, _DECOYED)
)

_NUMEROUS = activated(half=n_50 / n_activated)
NUMBER = receptor_mechanism(
    "occupancy_number",
    "The signal counts occupied receptors, of which activated T cells have more",
    (RESTING, MUSCLE, _NUMEROUS),
    observables=_mean_signals(RESTING, _NUMEROUS),
)

_BOTH = activated(il1=il1_lymph / decoy_fold, half=n_50 / n_activated)
NUMBER_AND_DECOY = receptor_mechanism(
    "occupancy_number_and_decoy",
    "Activated T cells have more receptors, and a decoy beside them",
    (RESTING, MUSCLE, _BOTH),
    observables=_mean_signals(RESTING, _BOTH),
)


def on_activated(mechanism: Mechanism) -> Mechanism:
    """The same mechanism, driven by the IL-1 signal of activated cells instead of that of lymphoid tissue."""
    seen = {RELATIVE_SIGNAL_LYMPH.symbol: Symbol(activated().relative_signal.name)}
    return replace(
        mechanism,
        name=f"{mechanism.name}_on_activated",
        title=f"{mechanism.title}; IL-1 as activated cells see it",
        definitions=tuple(
            replace(part, expression=as_expression(part.expression).xreplace(seen)) for part in mechanism.definitions
        ),
        reactions=tuple(replace(part, rate=as_expression(part.rate).xreplace(seen)) for part in mechanism.reactions),
    )


RECEPTOR_DECOY = Hypothesis(
    name="decoy", title="Activated T cells carry a decoy receptor", replace=(("occupancy", DECOY),)
)
RECEPTOR_NUMBER = Hypothesis(
    name="receptor-number", title="Occupied receptors count, not their fraction", replace=(("occupancy", NUMBER),)
)
RECEPTOR_NUMBER_AND_DECOY = Hypothesis(
    name="receptor-number-decoy",
    title="Occupied receptors count, and activated T cells carry a decoy",
    replace=(("occupancy", NUMBER_AND_DECOY),),
)
H1_ON_ACTIVATED = Hypothesis(
    name="H1-activated",
    title="IL-1 primes Th17 through the receptors of activated cells",
    replace=(("priming", on_activated(PRIMING_BY_IL1)),),
)
"""H1 for use with one of the three above, and instead of H1."""
