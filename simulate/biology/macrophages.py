"""Muscle with macrophages, local cytokines, and damage that no IL-1 drives.

This form takes the place of the mechanism `muscle`. What is one number there, inflammation, is here the macrophages
of muscle: IL-17A, IFNγ and the IL-1 signal in muscle recruit them with the weights ``w_T``, ``w_G`` and ``w_I``, the
rest come anyway, and they turn over at ``k_M``. Since they also call the T cells that make the cytokines, effects add
up over weeks; the loop with IL-1 must not run away (see `feedback`).

Damage and repair
    Fibers are repaired at ``tau``. Three things injure them: degeneration (``degeneration``, nearly none in
    polymyositis and dermatomyositis and most of inclusion body myositis), T cells that no IL-1 drives, and
    inflammation. The share of the second in what immune cells do is ``chi`` for a patient with the typical number of
    CD28null memory cells and grows with their share (``f_28null``) and with CD45RO: they fill the muscle, resist
    steroids and persist under treatment (Fasth et al. 2009). IL-1 and IL-17 do not multiply in damage (Chevrel et al.
    2003).

Creatine kinase follows damage and drifts besides (`creatine_kinase_drift`).

Left out: macrophage subsets, local IL-1Ra, regeneration that IFNγ impairs, fibrosis and loss of muscle.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.cd4 import f_RO
from simulate.biology.creatine_kinase_drift import CK_DRIFT
from simulate.biology.feedback import holds, signal_return
from simulate.biology.muscle import (
    DAMAGE,
    DRIVE,
    chi,
    k_M,
    tau,
    w_I,
    w_T,
)
from simulate.biology.muscle_cytokines import IFNG, IL17A, MUSCLE_CYTOKINES
from simulate.biology.occupancy import RELATIVE_SIGNAL_MUSCLE
from simulate.biology.receptors import PERCENT
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Condition, Definition, Mechanism, Observable, Reaction, Species
from simulate.symbolic.units import DIMENSIONLESS

w_G, degeneration, f_28null, null_typical = symbols("w_G degeneration f_28null null_typical")

MACROPHAGE = Species("macrophages", "macrophages in muscle over their baseline", DIMENSIONLESS, initial=1)

INFLAMMATION_BY_MACROPHAGES = Definition(
    "Q", "inflammation of muscle over its baseline", DIMENSIONLESS, MACROPHAGE.symbol
)
"""The name under which the rest of the model knows inflammation."""

MACROPHAGES = Mechanism(
    name="macrophages",
    title="Macrophages in muscle",
    species=(MACROPHAGE,),
    definitions=(DRIVE, INFLAMMATION_BY_MACROPHAGES),
    reactions=(
        Reaction(
            "macrophage_recruitment",
            k_M * ((1 - w_T - w_G - w_I) + w_T * IL17A + w_G * IFNG + w_I * RELATIVE_SIGNAL_MUSCLE),
            {MACROPHAGE: 1},
        ),
        Reaction("macrophage_loss", k_M * MACROPHAGE, {MACROPHAGE: -1}),
    ),
    conditions=(
        Condition(
            "recruitment_weights",
            1 - w_T - w_G - w_I,
            "the weights of IL-17A, IFNγ and IL-1 in the recruitment of macrophages exceed 1 together",
        ),
        holds("macrophage_loop", signal_return(w_I / (1 - w_T - w_G))),
    ),
)

NULL_CELLS = Definition(
    "null_cells", "CD28null CD45RO cells among CD4 cells over the typical share", DIMENSIONLESS,
    f_28null * f_RO / null_typical,
)  # fmt: skip
INDEPENDENT = Definition(
    "chi_null", "share of immune damage that no IL-1 drives", DIMENSIONLESS,
    chi * NULL_CELLS / (1 - chi + chi * NULL_CELLS),
)  # fmt: skip

DAMAGE_BY_CELLS = Mechanism(
    name="damage",
    title="Injury and repair of muscle fibers",
    species=(DAMAGE,),
    definitions=(NULL_CELLS, INDEPENDENT),
    reactions=(
        Reaction(
            "injury",
            tau
            * (
                degeneration
                + (1 - degeneration) * (INDEPENDENT + (1 - INDEPENDENT.symbol) * INFLAMMATION_BY_MACROPHAGES)
            ),
            {DAMAGE: 1},
        ),
        Reaction("repair", tau * DAMAGE, {DAMAGE: -1}),
    ),
    observables=(
        Observable(
            "il1_independent_damage",
            "damage that neither IL-1 nor inflammation drives, of all damage at baseline",
            PERCENT,
            degeneration + (1 - degeneration) * INDEPENDENT,
        ),
    ),
    conditions=(
        Condition("damage_share", 1 - chi, "the share of damage that no IL-1 drives exceeds 1"),
        Condition("degeneration_share", 1 - degeneration, "degeneration does more than all of the damage"),
    ),
)

INFILTRATE = Hypothesis(
    name="infiltrate",
    title="Macrophages and T cells in muscle make the cytokines that drive damage",
    replace=(("muscle", MACROPHAGES), *CK_DRIFT.replace),
    add=(MUSCLE_CYTOKINES, DAMAGE_BY_CELLS),
)
