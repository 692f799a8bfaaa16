"""Two options by which T cells of responders change otherwise than those of other patients.

The trial's abstract says what moved "in responders". In the reference model T cells change alike in all who are
exposed, and who responds is decided in muscle, by penetration of the drug (``f_m``) and by damage that no IL-1 drives.
Nothing read tells how a response and a change of T cells belong together; the options are the two simplest ways.

``penetration``
    One barrier for all tissues: lymphoid tissue sees the same share ``f_m`` of the drug in plasma as muscle, in place
    of all of it. Where little gets in, T cells and muscle both stay as they were.
``muscle-by-th17``
    T cells drive the response: what is ascribed to the IL-1 signal in muscle (``w_I``) follows the memory cells that
    make IL-17 instead. Where IL-17 does not fall, muscle does not recover.
"""

from __future__ import annotations

from dataclasses import replace

from simulate.biology.muscle import DRIVE, INFLAMMATION, MUSCLE, k_M, w_I, w_T
from simulate.biology.occupancy import ANTAGONIST_LYMPH, ANTAGONIST_MUSCLE, K_Ra, f_m
from simulate.biology.pharmacokinetics import CONCENTRATION, ENDOGENOUS
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Mechanism, Reaction

ONE_BARRIER = Mechanism(
    name="antagonist_behind_one_barrier",
    title="The same share of the drug reaches lymphoid tissue and muscle",
    definitions=(
        replace(ANTAGONIST_LYMPH, expression=(f_m * CONCENTRATION + ENDOGENOUS) / K_Ra),
        ANTAGONIST_MUSCLE,
    ),
)

PENETRATION = Hypothesis(
    name="penetration",
    title="The same share of the drug reaches lymphoid tissue and muscle",
    replace=(("antagonist", ONE_BARRIER),),
)

INFLAMING = Reaction("inflaming", k_M * ((1 - w_T - w_I) + (w_T + w_I) * DRIVE), {INFLAMMATION: 1})

MUSCLE_BY_TH17 = Hypothesis(
    name="muscle-by-th17",
    title="Muscle inflammation follows cells that make IL-17 and not IL-1",
    replace=(
        (
            "muscle",
            replace(
                MUSCLE,
                name="muscle_by_th17",
                title="Inflammation by cells that make IL-17, and damage",
                reactions=tuple(INFLAMING if part.name == INFLAMING.name else part for part in MUSCLE.reactions),
            ),
        ),
    ),
)
