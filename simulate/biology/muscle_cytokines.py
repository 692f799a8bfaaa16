"""IL-17A and IFNγ in muscle, made by T cells that inflammation has drawn there.

T cells in muscle are cells from blood times the inflammation that calls them: the exchange between blood and muscle
(days) is taken as faster than what changes the pools (months). IFNγ comes from Th1, double-positive and ex-Th17
memory, IL-17A from Th17 and double positives. Both cytokines are relative to their baseline in the same muscle; no
concentration in muscle was found. Their half-lives, IFNγ half an hour and IL-17A one or two hours, are those in
blood.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.cd4 import DOUBLE_POSITIVE, EX_TH17, TH1
from simulate.biology.muscle import DRIVE, INFLAMMATION
from simulate.biology.receptors import PERCENT
from simulate.symbolic.parts import Definition, Mechanism, Observable, Reaction, Species
from simulate.symbolic.symbols import at_baseline
from simulate.symbolic.units import DIMENSIONLESS

k_IFN, k_17 = symbols("k_IFN k_17")

IL17A = Species("IL17_m", "IL-17A in muscle over its baseline", DIMENSIONLESS, initial=1)
IFNG = Species("IFNg_m", "IFNγ in muscle over its baseline", DIMENSIONLESS, initial=1)

IFNG_MAKERS = TH1.memory + DOUBLE_POSITIVE.memory + EX_TH17.memory
IFNG_DRIVE = Definition(
    "ifng_drive",
    "memory cells that make IFNγ, over their baseline",
    DIMENSIONLESS,
    IFNG_MAKERS / at_baseline(IFNG_MAKERS),
)

MUSCLE_CYTOKINES = Mechanism(
    name="muscle_cytokines",
    title="IL-17A and IFNγ in muscle",
    species=(IL17A, IFNG),
    definitions=(IFNG_DRIVE,),
    reactions=(
        Reaction("il17a_release", k_17 * DRIVE * INFLAMMATION, {IL17A: 1}),
        Reaction("il17a_loss", k_17 * IL17A, {IL17A: -1}),
        Reaction("ifng_release", k_IFN * IFNG_DRIVE * INFLAMMATION, {IFNG: 1}),
        Reaction("ifng_loss", k_IFN * IFNG, {IFNG: -1}),
    ),
    observables=(
        Observable("il17a_muscle", "IL-17A in muscle, of baseline", PERCENT, IL17A.symbol),
        Observable("ifng_muscle", "IFNγ in muscle, of baseline", PERCENT, IFNG.symbol),
    ),
)
