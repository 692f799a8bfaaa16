"""Observables of the reference model: what the trial measured, and cell pools and receptor occupancy beside it.

The ELISA for IL-1Ra cannot tell the drug from the patient's own protein. Cytokines were stained in cells from blood
after restimulation for six hours: a fraction of the cells that can make a cytokine is detected (``det1``, ``det17``),
which anti-CD3 keeps far below the yield of phorbol ester. The cells had been washed, so no drug acts in the assay.
Percentages refer to the CD4 cells that are in blood. Receptor occupancy is the share of IL-1 receptors that hold
IL-1Ra, the drug and the patient's own, however the model in hand has them bind; the signal left is relative to the
patient's own baseline.
"""

from __future__ import annotations

from sympy import Add, Expr, symbols

from simulate.biology.cd4 import CELLS, CIRCULATING, DOUBLE_POSITIVE, EX_TH17, NAIVE, TH1, TH17, Lineage
from simulate.biology.muscle import CREATINE_KINASE, DAMAGE, INFLAMMATION
from simulate.biology.occupancy import LYMPH, MUSCLE, RELATIVE_SIGNAL_LYMPH, RELATIVE_SIGNAL_MUSCLE
from simulate.biology.pharmacokinetics import CONCENTRATION, ENDOGENOUS, molar_mass
from simulate.symbolic.parts import Mechanism, Observable
from simulate.symbolic.units import unit

det1, det17 = symbols("det1 det17")

PERCENT = unit("%")


def cells(*lineages: Lineage) -> Expr:
    """Effector and memory cells of some lineages in blood, cells/µL."""
    return Add(*(lineage.effector + lineage.memory for lineage in lineages))


READOUTS = Mechanism(
    name="readouts",
    title="Readouts of the trial, and cell pools",
    observables=(
        Observable(
            "serum_il1ra",
            "IL-1Ra in serum by ELISA, anakinra and the patient's own",
            unit("pg/mL"),
            molar_mass * (CONCENTRATION + ENDOGENOUS),
        ),
        Observable("cd45ro", "CD45RO cells among CD4 cells in blood", PERCENT, 1 - NAIVE / CIRCULATING),
        Observable(
            "ifng",
            "CD4 cells stained for IFNγ after restimulation",
            PERCENT,
            det1 * cells(TH1, DOUBLE_POSITIVE, EX_TH17) / CIRCULATING,
        ),
        Observable(
            "il17a",
            "CD4 cells stained for IL-17A after restimulation",
            PERCENT,
            det17 * cells(TH17, DOUBLE_POSITIVE) / CIRCULATING,
        ),
        Observable("ck", "creatine kinase in serum", unit("µkat/L"), CREATINE_KINASE.symbol),
        Observable(
            "occupancy_lymph",
            "IL-1 receptors in lymphoid tissue that hold IL-1Ra",
            PERCENT,
            LYMPH.blocked.symbol,
        ),
        Observable(
            "occupancy_muscle",
            "IL-1 receptors in muscle that hold IL-1Ra",
            PERCENT,
            MUSCLE.blocked.symbol,
        ),
        Observable(
            "signal_lymph", "IL-1 signal left in lymphoid tissue, of baseline", PERCENT, RELATIVE_SIGNAL_LYMPH.symbol
        ),
        Observable("signal_muscle", "IL-1 signal left in muscle, of baseline", PERCENT, RELATIVE_SIGNAL_MUSCLE.symbol),
        Observable("naive", "naive CD4 cells in blood", CELLS, NAIVE.symbol),
        Observable("th1_memory", "Th1 memory cells in blood", CELLS, TH1.memory.symbol),
        Observable("th17_memory", "Th17 memory cells in blood", CELLS, TH17.memory.symbol),
        Observable(
            "double_positive",
            "effector and memory cells in blood that make both IL-17 and IFNγ",
            CELLS,
            cells(DOUBLE_POSITIVE),
        ),
        Observable("ex_th17", "effector and memory ex-Th17 cells in blood", CELLS, cells(EX_TH17)),
        Observable("inflammation", "inflammation of muscle, of baseline", PERCENT, INFLAMMATION.symbol),
        Observable("damage", "damage of muscle, of baseline", PERCENT, DAMAGE.symbol),
    ),
)
"""Every readout that is the same under all hypotheses."""
