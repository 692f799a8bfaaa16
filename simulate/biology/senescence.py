"""CD28null memory, on which neither steroids nor IL-1 act.

T cells that have divided many times lose CD28. They live long, resist glucocorticoids and regulatory cells (Pandya et
al. 2016), fill the muscle of patients (Fasth et al. 2009) and stay there under treatment. Here they are a part of Th1
memory and counted within it; at baseline they are as frequent among Th1 memory as among all CD45RO cells
(``f_28null``). CD28+ Th1 memory turns into them at a rate that balance determines, and they are lost at ``d_null``,
whatever IL-1 and steroids do to others. Where Th1 memory moves between blood and muscle they move with it, in
proportion; ``M1null`` counts them in both places, as the blood that they would fill at baseline, and like other memory
they are formed and lost in blood.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.cd4 import CELLS, CIRCULATING, RATE, TH1
from simulate.biology.residence import STAYING
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Balance, Condition, Mechanism, Observable, Reaction, Species
from simulate.symbolic.units import unit

f_28null, d_null, k_null = symbols("f_28null d_null k_null")

CD28NULL = Species(
    "M1null", "CD28null memory cells, a part of Th1 memory wherever it is", CELLS, f_28null * TH1.memory_before
)

IN_BLOOD = CD28NULL * STAYING
"""Those in blood."""

CD28POSITIVE = TH1.memory - IN_BLOOD
"""Th1 memory with CD28, in blood."""

SENESCENCE = Mechanism(
    name="senescence",
    title="CD28null cells within Th1 memory",
    species=(CD28NULL,),
    reactions=(
        Reaction("loss_of_cd28", k_null * CD28POSITIVE, {CD28NULL: 1}),
        Reaction("loss_of_cd28null", d_null * IN_BLOOD, {CD28NULL: -1}),
        # Th1 memory loses cells as if all had CD28; this gives back what CD28null cells do not lose.
        Reaction("survival_of_cd28null", (TH1.loss - d_null) * IN_BLOOD, {TH1.memory: 1}),
    ),
    balances=(
        Balance(
            "k_null",
            "rate at which Th1 memory loses CD28",
            RATE,
            zero=CD28NULL,
            reason="CD28null cells would need a negative inflow to stay as they are",
        ),
    ),
    conditions=(Condition("cd28null_share", 1 - f_28null, "CD28null cells exceed Th1 memory"),),
    observables=(Observable("cd28null", "CD28null cells among CD4 cells in blood", unit("%"), IN_BLOOD / CIRCULATING),),
)

CD28NULL_MEMORY = Hypothesis(
    name="cd28null", title="Part of Th1 memory has lost CD28 and resists treatment", add=(SENESCENCE,)
)
