"""Regulatory cells suppress Th1 clones, and IL-1 weakens them.

Regulatory cells suppress the division of others. Th1 cells are the most sensitive, Th17 cells resist, in mice and
people (``treg-th-review-2009``), ex-Th17 cells resist as well (Basdeo et
al. 2017), and so do CD28null cells (Pandya et al. 2016). With IL-1β and IL-6 regulatory cells make IL-17 and stop
suppressing, reversibly (Beriou et al. 2009). So a clone of Th1 cells would be ``1 + K_reg`` times as large without
regulatory cells, and is

    (1 + K_reg) / (1 + K_reg · ρ),    ρ = Mreg / Mreg_0 · (1 + y_reg) / (1 + y_reg · s)

times its size at baseline, with s the IL-1 signal over its baseline. Blockade brings suppression back: fewer Th1 cells,
which is against what the trial saw. The number of regulatory cells themselves hardly changes (``regulatory``), so the
effect is nearly all that of ``y_reg``. Lineages other than Th1 are left alone; regulatory cells in muscle, which fell
under treatment while CD28null cells stayed (Pandya et al. 2016), are not told from those in blood.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.cd4 import ACTIVATED, TH1, tau_A
from simulate.biology.occupancy import RELATIVE_SIGNAL_LYMPH
from simulate.biology.regulatory import REGULATORY, REGULATORY_LEAK
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Definition, Mechanism, Observable, Reaction
from simulate.symbolic.symbols import at_baseline
from simulate.symbolic.units import DIMENSIONLESS, unit

K_reg, y_reg = symbols("K_reg y_reg")

RESTRAINT = Definition(
    "regulatory_restraint",
    "suppression by regulatory cells over its baseline",
    DIMENSIONLESS,
    REGULATORY / at_baseline(REGULATORY.symbol) * (1 + y_reg) / (1 + y_reg * RELATIVE_SIGNAL_LYMPH),
)
CLONE = Definition(
    "restrained_clone",
    "size of a Th1 clone over its baseline",
    DIMENSIONLESS,
    (1 + K_reg) / (1 + K_reg * RESTRAINT),
)

SUPPRESSION = Mechanism(
    name="suppression",
    title="Regulatory cells suppress Th1 clones where IL-1 does not weaken them",
    definitions=(RESTRAINT, CLONE),
    reactions=(Reaction("suppressed_th1", (1 - CLONE.symbol) * TH1.share * ACTIVATED / tau_A, {TH1.effector: -1}),),
    observables=(
        Observable("suppression", "suppression by regulatory cells, of baseline", unit("%"), RESTRAINT.symbol),
    ),
)

TREG_SUPPRESSION = Hypothesis(
    name="treg-suppression",
    title="Regulatory cells suppress Th1 clones, IL-1 weakens them",
    add=(REGULATORY_LEAK, SUPPRESSION),
)
