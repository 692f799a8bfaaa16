"""Inflammation and damage of muscle, and creatine kinase in serum.

Inflammation ``Q`` is 1 at baseline. Part of it follows memory cells that make IL-17, part the IL-1 signal in muscle,
the rest neither. Damage ``D`` follows inflammation at the pace of fiber repair, except for a share ``chi`` that no
IL-1 drives (CD28null T cells, inclusion bodies); creatine kinase (CK) follows damage. IL-17 and IL-1 do not multiply:
together they make human muscle cells release IL-6 and CCL20, not CK (Chevrel et al. 2003). Left out: macrophages,
fibrosis, regeneration, glucocorticoids.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.cd4 import DOUBLE_POSITIVE, TH17
from simulate.biology.occupancy import RELATIVE_SIGNAL_MUSCLE
from simulate.symbolic.parts import Condition, Definition, Mechanism, Reaction, Species
from simulate.symbolic.symbols import at_baseline
from simulate.symbolic.units import DIMENSIONLESS, unit

k_M, w_T, w_I, tau, chi, k_CK, CK_0 = symbols("k_M w_T w_I tau chi k_CK CK_0")

INFLAMMATION = Species("Q", "inflammation of muscle over its baseline", DIMENSIONLESS, initial=1)
DAMAGE = Species("D", "damage of muscle over its baseline", DIMENSIONLESS, initial=1)
CREATINE_KINASE = Species("CK", "creatine kinase in serum", unit("µkat/L"), initial=CK_0)

IL17_MAKERS = TH17.memory + DOUBLE_POSITIVE.memory
DRIVE = Definition(
    "il17_drive",
    "memory cells that make IL-17, over their baseline",
    DIMENSIONLESS,
    IL17_MAKERS / at_baseline(IL17_MAKERS),
)

MUSCLE = Mechanism(
    name="muscle",
    title="Inflammation and damage",
    species=(INFLAMMATION, DAMAGE),
    definitions=(DRIVE,),
    reactions=(
        Reaction("inflaming", k_M * ((1 - w_T - w_I) + w_T * DRIVE + w_I * RELATIVE_SIGNAL_MUSCLE), {INFLAMMATION: 1}),
        Reaction("resolution", k_M * INFLAMMATION, {INFLAMMATION: -1}),
        Reaction("injury", tau * (chi + (1 - chi) * INFLAMMATION), {DAMAGE: 1}),
        Reaction("repair", tau * DAMAGE, {DAMAGE: -1}),
    ),
    conditions=(
        Condition(
            "inflammation_weights",
            1 - w_T - w_I,
            "the weights of IL-17 and of IL-1 in muscle inflammation exceed 1 together",
        ),
        Condition("damage_share", 1 - chi, "the share of damage that no IL-1 drives exceeds 1"),
    ),
)

CREATINE_KINASE_RELEASE = Mechanism(
    name="creatine_kinase",
    title="Creatine kinase in serum",
    species=(CREATINE_KINASE,),
    reactions=(
        Reaction("ck_release", k_CK * CK_0 * DAMAGE, {CREATINE_KINASE: 1}),
        Reaction("ck_loss", k_CK * CREATINE_KINASE, {CREATINE_KINASE: -1}),
    ),
)
