"""H4: Th1 memory moves from blood into inflamed muscle and back.

While dermatomyositis is active, blood has fewer CD4 cells that make IFNγ, and as many as in health when it is not; in
polymyositis no significant change was seen, active or not (Aleksza et al. 2005). Cells with the receptor for CXCL10,
which inflamed muscle makes, are thought to be the ones missing. Entry follows the inflammation of muscle, return is
constant, and only blood is counted. The exchange moves cells and makes none. It takes the place of `residence`, so that
what is a part of Th1 memory (`senescence`) goes where Th1 memory goes.

H4 says so of all patients, which is more than was seen. `H4-dm` says it of dermatomyositis alone: a share
``inflamed_entry`` of the entry follows inflammation and the rest is constant, and patients of the other kinds
(``parameters/cohort.toml``) have a share of 0, so that nothing moves in them.

Against the free exchange stands that T cells in muscle bore the signature of tissue-resident memory in all six patients
studied, and that expanded clones were still there at follow-up in two (Argyriou et al. 2023). In `H4-resident` a share
``f_resident`` of Th1 memory in muscle never leaves, so that only the rest exchanges with blood.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, symbols

from simulate.biology.cd4 import CELLS, TH1
from simulate.biology.muscle import INFLAMMATION
from simulate.biology.residence import STAYING
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Condition, Mechanism, Reaction, Species
from simulate.symbolic.symbols import at_baseline

k_in, k_out, inflamed_entry, f_resident = symbols("k_in k_out inflamed_entry f_resident")

TH1_IN_MUSCLE = Species(
    "T1",
    "Th1 memory cells in muscle, as the blood that they would fill",
    CELLS,
    # Not balanced: the exchange is at rest when the pools stand as the rates do, and then it drops out of all balances.
    initial=k_in / k_out * TH1.memory_before,
)

IN_BLOOD = TH1.memory / (TH1.memory + TH1_IN_MUSCLE)


def _redistribution(title: str, entry: Expr, conditions: tuple[Condition, ...] = (), k_in: Expr = k_in) -> Mechanism:
    """Exchange with muscle; ``entry`` is the passage into muscle over its baseline, ``k_in`` its rate there, 1/d."""
    return Mechanism(
        name="redistribution",
        title=title,
        species=(replace(TH1_IN_MUSCLE, initial=k_in / k_out * TH1.memory_before),),
        definitions=(replace(STAYING, expression=IN_BLOOD / at_baseline(IN_BLOOD)),),
        reactions=(
            Reaction("entry_into_muscle", k_in * entry * TH1.memory, {TH1.memory: -1, TH1_IN_MUSCLE: 1}),
            Reaction("return_from_muscle", k_out * TH1_IN_MUSCLE, {TH1_IN_MUSCLE: -1, TH1.memory: 1}),
        ),
        conditions=conditions,
    )


REDISTRIBUTION = _redistribution("Th1 memory is drawn into inflamed muscle and returns", INFLAMMATION.symbol)

H4_IN_DERMATOMYOSITIS = Hypothesis(
    name="H4-dm",
    title="Th1 memory moves between blood and inflamed muscle in dermatomyositis alone",
    replace=(
        (
            "residence",
            _redistribution(
                "Th1 memory is drawn into inflamed muscle in dermatomyositis and returns",
                1 - inflamed_entry + inflamed_entry * INFLAMMATION,
                (Condition("inflamed_entry", 1 - inflamed_entry, "more than all of the entry follows inflammation"),),
            ),
        ),
    ),
)
"""The form of H4 that its source bears out. H4 stays as it was, so that fits of it still hold."""

H4_RESIDENT = Hypothesis(
    name="H4-resident",
    title="Part of Th1 memory in muscle is resident and the rest moves between blood and inflamed muscle",
    replace=(
        (
            "residence",
            _redistribution(
                "Th1 memory that is not resident is drawn into inflamed muscle and returns",
                INFLAMMATION.symbol,
                (Condition("resident_share", 1 - f_resident, "more than all of Th1 memory in muscle is resident"),),
                k_in * (1 - f_resident),
            ),
        ),
    ),
)
"""``T1`` counts those that exchange; the resident ones are constant and part of the muscle."""
