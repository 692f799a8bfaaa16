"""H5b: steroids are tapered beside the drug; Th1 cells recover from them, Th17 cells were never sensitive to them.

All patients entered on glucocorticoids. The meeting abstract of the study says that concomitant immunosuppression such
as prednisolone was stable in all of them (Dorph et al. 2009), not for how long; no dose by visit could be read. Th1
cells are sensitive to steroids, by apoptosis and by what they make; Th17 cells resist both (Banuelos and Lu 2016), and
so do cells between Th17 and Th1 (Ramesh et al. 2014) and CD28null cells (Pandya et al. 2016). Steroids turn naive cells
to Th17 and away from Th1.

The dose is prescribed: constant until ``taper_start``, then halved every ``taper_half`` days down to a rest
``taper_rest``, in units of the dose at baseline. At that dose steroids cause a share of the loss of Th1 cells
(``gc1``), of other cells (``gc_other``) and of Th17, double-positive and ex-Th17 cells (``gc17``, next to none), and a
share ``gc_priming`` of Th17 priming is theirs. As the dose falls, loss falls, and that priming goes to Th1 instead.
Nothing here depends on anakinra. Left out: naive cells, which steroids move rather than kill; muscle, which a taper
would harm.
"""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr, Integer, Max, Symbol, symbols

from simulate.biology.cd4 import (
    ACTIVATED,
    CIRCULATING,
    DOUBLE_POSITIVE,
    EX_TH17,
    LINEAGES,
    OTHER,
    TH1,
    TH17,
    Lineage,
    d_E,
    tau_A,
)
from simulate.biology.readouts import PERCENT, cells, det1
from simulate.biology.senescence import CD28POSITIVE
from simulate.biology.senescence import IN_BLOOD as CD28NULL_IN_BLOOD
from simulate.symbolic.parts import Condition, Definition, Mechanism, Observable, Reaction
from simulate.symbolic.symbols import TIME, at_baseline
from simulate.symbolic.units import DIMENSIONLESS

taper_start, taper_half, taper_rest = symbols("taper_start taper_half taper_rest")
gc1, gc17, gc_other, gc_priming, gc_assay = symbols("gc1 gc17 gc_other gc_priming gc_assay")

DOSE = Definition(
    "steroid_dose",
    "dose of glucocorticoid over that at baseline",
    DIMENSIONLESS,
    taper_rest + (1 - taper_rest) * Integer(2) ** (-Max(TIME - taper_start, 0, evaluate=False) / taper_half),
)
RELIEF = Definition(
    "steroid_relief",
    "fall of the dose of glucocorticoid, as a share of that at baseline",
    DIMENSIONLESS,
    at_baseline(DOSE.symbol) - DOSE,
)

SENSITIVITY: Mapping[Lineage, Symbol] = {
    TH1: gc1,
    TH17: gc17,
    DOUBLE_POSITIVE: gc17,
    EX_TH17: gc17,
    OTHER: gc_other,
}
"""Share of the loss that the baseline dose causes."""


def _sensitive(lineage: Lineage) -> Expr:
    return CD28POSITIVE if lineage is TH1 else lineage.memory.symbol


def _spared(lineage: Lineage) -> tuple[Reaction, ...]:
    spared = SENSITIVITY[lineage] * RELIEF
    return (
        Reaction(f"effectors_spared_{lineage.key}", spared * d_E * lineage.effector, {lineage.effector: 1}),
        Reaction(f"memory_spared_{lineage.key}", spared * lineage.loss * _sensitive(lineage), {lineage.memory: 1}),
    )


GLUCOCORTICOIDS = Mechanism(
    name="glucocorticoids",
    title="A taper of steroids spares Th1 cells",
    definitions=(DOSE, RELIEF),
    reactions=(
        *(reaction for lineage in LINEAGES for reaction in _spared(lineage)),
        *(
            Reaction(
                f"primed_as_th1_{lineage.key}",
                gc_priming * RELIEF * lineage.share * ACTIVATED / tau_A,
                {lineage.effector: -1, TH1.effector: 1},
            )
            for lineage in (TH17, DOUBLE_POSITIVE)
        ),
    ),
    conditions=(
        Condition("taper_after_baseline", taper_start, "the steroid taper starts before the baseline"),
        Condition("taper_rest", 1 - taper_rest, "the dose of steroids at the end of a taper exceeds that before"),
        *(
            Condition(name, 1 - share, "steroids cannot account for more than the whole of a loss or of priming")
            for name, share in (
                ("steroid_loss_1", gc1),
                ("steroid_loss_17", gc17),
                ("steroid_loss_other", gc_other),
                ("steroid_priming", gc_priming),
            )
        ),
    ),
    observables=(
        Observable("steroid", "dose of glucocorticoid, of baseline", PERCENT, DOSE.symbol),
        Observable(
            "ifng_with_prednisolone",
            "CD4 cells stained for IFNγ after restimulation with prednisolone, cells washed",
            PERCENT,
            det1
            * (
                cells(DOUBLE_POSITIVE, EX_TH17) + CD28NULL_IN_BLOOD + (1 - gc_assay) * (TH1.effector + CD28POSITIVE)
            ) / CIRCULATING,
        ),
        Observable("cd4_count", "CD4 cells in blood", CIRCULATING.unit, CIRCULATING.symbol),
    ),
)  # fmt: skip
"""Needs the CD28null cells of `simulate.biology.senescence`, which it does not touch."""
