"""Regulatory cells that IL-1 turns into Th17 cells.

IL-1β makes human CD4 cells splice FOXP3 without exon 7, which favors Th17 over suppression (Mailer et al. 2015), and
cells with the IL-1 receptor abound among FOXP3+ central memory (Raffin et al. 2011). Regulatory memory is part of the
"other" memory cells and counted within them; it is formed with them, lost like them, and leaks into Th17 memory at
``k_leak`` times the IL-1 signal. What is formed follows from its number at baseline (``q_reg``, the regulatory share of
what becomes other memory). Blockade shuts the leak: fewer Th17, more regulatory cells. Suppression by regulatory cells,
and their own renewal, are left out.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.cd4 import CD4, CELLS, CIRCULATING, OTHER, TH17, k_mem
from simulate.biology.occupancy import RELATIVE_SIGNAL_LYMPH
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Balance, Condition, Mechanism, Observable, Reaction, Species
from simulate.symbolic.units import DIMENSIONLESS, unit

f_reg, k_leak, q_reg = symbols("f_reg k_leak q_reg")

REGULATORY = Species("Mreg", "regulatory memory cells, counted within other memory", CELLS, initial=f_reg * CD4)

REGULATORY_LEAK = Mechanism(
    name="regulatory_leak",
    title="IL-1 turns regulatory memory into Th17 memory",
    species=(REGULATORY,),
    reactions=(
        Reaction("regulatory_formation", q_reg * k_mem * OTHER.effector, {REGULATORY: 1}),
        Reaction("regulatory_loss", OTHER.loss * REGULATORY, {REGULATORY: -1}),
        Reaction(
            "regulatory_to_th17",
            k_leak * RELATIVE_SIGNAL_LYMPH * REGULATORY,
            {REGULATORY: -1, OTHER.memory: -1, TH17.memory: 1},
        ),
    ),
    balances=(
        Balance(
            "q_reg",
            "share of regulatory cells in what becomes other memory",
            DIMENSIONLESS,
            zero=REGULATORY,
            reason="regulatory memory would need a negative inflow to stay as it is",
        ),
    ),
    conditions=(
        Condition("regulatory_inflow", 1 - q_reg, "regulatory memory would need more than all that becomes memory"),
    ),
    observables=(
        Observable("regulatory", "regulatory memory among CD4 cells in blood", unit("%"), REGULATORY / CIRCULATING),
    ),
)

TREG_LEAK = Hypothesis(name="treg-leak", title="IL-1 turns regulatory cells into Th17", add=(REGULATORY_LEAK,))
