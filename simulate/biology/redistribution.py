"""Th1 memory is drawn from blood into inflamed muscle and returns.

While dermatomyositis is active, blood has fewer CD4 cells that make IFNγ, and as many as in health when it is not
(Aleksza et al. 2005); cells with the receptor for CXCL10, which inflamed muscle makes, are the ones missing. Entry
follows the inflammation of muscle, return is constant, and only blood is counted. The exchange moves cells and makes
none. It takes the place of `residence`, so that what is a part of Th1 memory (`senescence`) goes where Th1 memory goes.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import symbols

from simulate.biology.cd4 import CELLS, TH1
from simulate.biology.muscle import INFLAMMATION
from simulate.biology.residence import STAYING
from simulate.symbolic.parts import Mechanism, Reaction, Species, at_baseline

k_in, k_out = symbols("k_in k_out")

TH1_IN_MUSCLE = Species(
    "T1",
    "Th1 memory cells in muscle, as the blood that they would fill",
    CELLS,
    # Not balanced: the exchange is at rest when the pools stand as the rates do, and then it drops out of all balances.
    initial=k_in / k_out * TH1.memory_before,
)

IN_BLOOD = TH1.memory / (TH1.memory + TH1_IN_MUSCLE)

REDISTRIBUTION = Mechanism(
    name="redistribution",
    title="Th1 memory is drawn into inflamed muscle and returns",
    species=(TH1_IN_MUSCLE,),
    definitions=(replace(STAYING, expression=IN_BLOOD / at_baseline(IN_BLOOD)),),
    reactions=(
        Reaction("entry_into_muscle", k_in * INFLAMMATION * TH1.memory, {TH1.memory: -1, TH1_IN_MUSCLE: 1}),
        Reaction("return_from_muscle", k_out * TH1_IN_MUSCLE, {TH1_IN_MUSCLE: -1, TH1.memory: 1}),
    ),
)
