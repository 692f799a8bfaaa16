"""Options for what drives synthesis of IL-1: IL-17 by way of myeloid cells; IL-1 alone in the cryopyrin syndromes.

In myositis IL-17A recruits myeloid cells that make IL-1 (shown in the brain of mice: McGinley et al. 2020). A share
``a_17`` of IL-1 synthesis in muscle follows the cells that make IL-17, beside the share ``a_fb`` that IL-1 and
inflammation drive in the reference model. Where the loop is closed through IL-17, a drug that acts on T cells over
months lowers IL-1 over months too.

In the cryopyrin syndromes nothing but IL-1 is needed: whole-body synthesis of IL-1β fell from 31 to 6 ng a day, the
rate of healthy people, within eight weeks of blockade (Lachmann et al. 2009). The share that IL-1 drives follows from
these two numbers. With it goes the observable ``il1_production`` in ng a day.
"""

from __future__ import annotations

from dataclasses import replace

from sympy import Expr, symbols

from simulate.biology.il1 import IL1, IL1_MUSCLE, Q, a_fb, il1_muscle, k_d1
from simulate.biology.muscle import DRIVE
from simulate.biology.occupancy import RELATIVE_SIGNAL_MUSCLE
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Condition, Definition, Mechanism, Observable, Reaction
from simulate.symbolic.units import DIMENSIONLESS, unit

a_17, il1_production_caps, il1_production_healthy = symbols("a_17 il1_production_caps il1_production_healthy")


def _turnover(name: str, title: str, synthesis: Expr) -> Mechanism:
    """Turnover of IL-1 in muscle with a synthesis relative to that at baseline."""
    made = Definition("il1_made", "IL-1 synthesis over its baseline", DIMENSIONLESS, synthesis)
    kept = tuple(reaction for reaction in IL1.reactions if reaction.name != "il1_synthesis")
    return replace(
        IL1,
        name=name,
        title=title,
        definitions=(made,),
        reactions=(Reaction("il1_synthesis", k_d1 * il1_muscle * made, {IL1_MUSCLE: 1}), *kept),
    )


IL1_BY_IL17 = replace(
    _turnover(
        "il1_by_il17",
        "Turnover of IL-1 in muscle, driven by IL-1 and by IL-17",
        (1 - a_fb - a_17) + a_fb * RELATIVE_SIGNAL_MUSCLE * Q + a_17 * DRIVE,
    ),
    conditions=(
        Condition("il1_shares", 1 - a_fb - a_17, "IL-1 and IL-17 together drive more than all IL-1 synthesis"),
    ),
)

NOT_DRIVEN = il1_production_healthy / il1_production_caps

_CAPS = _turnover(
    "il1_caps",
    "Turnover of IL-1 in the cryopyrin syndromes",
    NOT_DRIVEN + (1 - NOT_DRIVEN) * RELATIVE_SIGNAL_MUSCLE,
)
IL1_CAPS = replace(
    _CAPS,
    observables=(
        Observable(
            "il1_production",
            "IL-1β synthesis of the whole body",
            unit("ng/d"),
            il1_production_caps * _CAPS.definitions[0],
        ),
    ),
    conditions=(
        Condition("il1_production", 1 - NOT_DRIVEN, "IL-1 synthesis in disease would have to be less than in health"),
    ),
)

LOOP_IL17 = Hypothesis(
    name="il17-il1", title="IL-17 calls in myeloid cells that make IL-1", replace=(("il1", IL1_BY_IL17),)
)
CAPS = Hypothesis(name="CAPS", title="IL-1 drives its own synthesis as in CAPS", replace=(("il1", IL1_CAPS),))
