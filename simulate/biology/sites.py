"""Option `sites`: IL-1 turns over in lymphoid tissue too, and anakinra reaches muscle with a delay.

The reference model has two sites with constant IL-1 in one of them and drug that is at once everywhere. Here both
become processes. IL-1 in lymphoid tissue turns over like that in muscle: a share ``a_fb_lymph`` of its synthesis
follows the IL-1 signal there, a share ``spill`` comes with what muscle sends out, the rest is constant. The
interstitium of muscle fills and empties at ``k_tissue`` towards the share ``f_m`` of plasma: peaks come later and
lower, and the concentration before the next dose is higher than in a muscle that follows plasma at once. The amounts in
tissue are small beside what is cleared and are not taken from plasma.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import symbols

from simulate.biology.il1 import IL1_MUSCLE, k_d1
from simulate.biology.occupancy import DRUG_MUSCLE, IL1_LYMPH, RELATIVE_SIGNAL_LYMPH, f_m, il1_lymph
from simulate.biology.pharmacokinetics import CONCENTRATION
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Condition, Mechanism, Observable, Reaction, Species
from simulate.symbolic.symbols import at_baseline
from simulate.symbolic.units import DIMENSIONLESS, unit

k_tissue, a_fb_lymph, spill = symbols("k_tissue a_fb_lymph spill")

IL1_TURNING_OVER = Species(
    "L_l", "IL-1 in lymphoid tissue over its dissociation constant", DIMENSIONLESS, initial=il1_lymph
)
IN_MUSCLE = Species("C_m", "anakinra in the interstitium of muscle", unit("nM"), initial=0)

SITES = Mechanism(
    name="tissues_over_time",
    title="Turnover of IL-1 in lymphoid tissue, and passage of anakinra into muscle",
    species=(IL1_TURNING_OVER, IN_MUSCLE),
    definitions=(
        replace(IL1_LYMPH, expression=IL1_TURNING_OVER.symbol),
        replace(DRUG_MUSCLE, expression=IN_MUSCLE.symbol),
    ),
    reactions=(
        Reaction("passage_into_muscle", k_tissue * f_m * CONCENTRATION, {IN_MUSCLE: 1}),
        Reaction("passage_out_of_muscle", k_tissue * IN_MUSCLE, {IN_MUSCLE: -1}),
        Reaction(
            "il1_synthesis_lymph",
            k_d1
            * il1_lymph
            * (
                (1 - a_fb_lymph - spill)
                + a_fb_lymph * RELATIVE_SIGNAL_LYMPH
                + spill * IL1_MUSCLE / at_baseline(IL1_MUSCLE.symbol)
            ),
            {IL1_TURNING_OVER: 1},
        ),
        Reaction("il1_loss_lymph", k_d1 * IL1_TURNING_OVER, {IL1_TURNING_OVER: -1}),
    ),
    observables=(
        Observable("anakinra_muscle", "anakinra in the interstitium of muscle", unit("nM"), IN_MUSCLE.symbol),
    ),
    conditions=(
        Condition(
            "il1_lymph_shares",
            1 - a_fb_lymph - spill,
            "IL-1 and muscle together drive more than all IL-1 synthesis in lymphoid tissue",
        ),
    ),
)

TWO_SITES = Hypothesis(
    name="sites", title="IL-1 turns over in lymphoid tissue, drug passes into muscle", replace=(("tissues", SITES),)
)
