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

``relative_signal_lymph`` is that of memory cells and ``relative_signal_activated`` that of activated ones; without
these options they are the same. `on_activated` lets a mechanism such as priming see the latter. Left out: that
receptors appear over 4 to 48 hours, short beside the days of a clone; soluble receptors.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Symbol, symbols

from simulate.biology.occupancy import ACTIVATED, LYMPH, RELATIVE_SIGNAL_ACTIVATED, RELATIVE_SIGNAL_LYMPH, Receptors
from simulate.biology.priming_by_il1 import PRIMING_BY_IL1
from simulate.biology.receptors import NO_DECOY, PERCENT, affinity
from simulate.symbolic.expressions import as_expression
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Mechanism, Observable

n_resting, n_activated, n_50, decoy_fold = symbols("n_resting n_activated n_50 decoy_fold")
share_naive, share_memory, share_activated = symbols("share_naive share_memory share_activated")


def _mean_signal(name: str, share: Symbol, receptors: Receptors) -> Observable:
    return Observable(
        f"mean_signal_{name}", f"IL-1 signal of {name} T cells, mean of those with and without receptors", PERCENT,
        share * receptors.signal.symbol,
    )  # fmt: skip


NUMBER = affinity(
    "affinity_by_number",
    "The signal counts occupied receptors, of which activated T cells have more",
    lymph=n_50 / n_resting,
    activated=n_50 / n_activated,
    observables=(
        _mean_signal("naive", share_naive, LYMPH),
        _mean_signal("memory", share_memory, LYMPH),
        _mean_signal("activated", share_activated, ACTIVATED),
    ),
)

DECOY = replace(
    NO_DECOY,
    name="decoy",
    title="A decoy receptor on activated T cells takes IL-1 away",
    definitions=tuple(replace(part, expression=LYMPH.il1 / decoy_fold) for part in NO_DECOY.definitions),
    observables=(
        Observable(
            "occupancy_activated", "IL-1 receptors of activated T cells that hold IL-1Ra", PERCENT,
            ACTIVATED.blocked.symbol,
        ),
    ),
)  # fmt: skip


def on_activated(mechanism: Mechanism) -> Mechanism:
    """The same mechanism, driven by the IL-1 signal of activated cells instead of that of lymphoid tissue."""
    seen = {RELATIVE_SIGNAL_LYMPH.symbol: RELATIVE_SIGNAL_ACTIVATED.symbol}
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
    name="decoy", title="Activated T cells carry a decoy receptor", replace=((NO_DECOY.name, DECOY),)
)
RECEPTOR_NUMBER = Hypothesis(
    name="receptor-number", title="Occupied receptors count, not their fraction", replace=(("affinity", NUMBER),)
)
RECEPTOR_NUMBER_AND_DECOY = Hypothesis(
    name="receptor-number-decoy",
    title="Occupied receptors count, and activated T cells carry a decoy",
    replace=(*RECEPTOR_NUMBER.replace, *RECEPTOR_DECOY.replace),
)
H1_ON_ACTIVATED = Hypothesis(
    name="H1-activated",
    title="IL-1 primes Th17 through the receptors of activated cells",
    replace=(("priming", on_activated(PRIMING_BY_IL1)),),
)
"""In the place of H1, from which it differs once activated cells have receptors of their own kind."""
