"""T-bet and RORγt in a Th17 memory cell: a switch that IL-1 holds.

The two master regulators repress each other and activate themselves, which makes a bistable switch (after Hong et al.
2012, a sequel to Hong et al. 2011). Each relaxes at ``gamma_s`` towards a sigmoid of the weighted sum of what acts on
it; IL-1, with IL-23, acts on RORγt. Only differences from the baseline enter: the basal weights of the original are
those that keep the measured levels ``tbet_0`` and ``rorgt_0``, and with the logit of a level as basal weight the
sigmoid of the original is the expression used here. A baseline that the switch would leave by itself is refused.

While RORγt is high, T-bet is held down. When the signal of IL-1 falls below a threshold, RORγt breaks down, T-bet comes
up, and neither returns with the signal: the way back needs a cell that forgets. In ``CONVERSION_BY_SWITCH`` memory
turns into double positives and ex-Th17 cells the faster the more T-bet there is, from ``k_c`` at baseline to ``k_ct``
in a cell full of it: to raise T-bet suffices for the change to IFNγ, says another model (ASPASIA 2017). Then IL-1
*prevents* conversion, against Duhen and Campbell 2014 and Zielinski et al. 2012; the mechanism states what would
follow.

Left out: differences between cells. One cell stands for all, so that all turn at once; in people the threshold would
be spread, and new memory cells would start anew. The numbers are assumed (``docs/published-models.md``).
"""

from __future__ import annotations

from sympy import Expr, exp, symbols

from simulate.biology.cd4 import RATE
from simulate.biology.conversion import CONVERSION
from simulate.biology.occupancy import RELATIVE_SIGNAL_LYMPH
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Condition, Definition, Mechanism, Observable, Reaction, Species
from simulate.symbolic.units import DIMENSIONLESS, unit

gamma_s, sigma_s, tbet_0, rorgt_0 = symbols("gamma_s sigma_s tbet_0 rorgt_0")
w_TT, w_RT, w_RR, w_TR, w_R_il1, k_c, k_ct = symbols("w_TT w_RT w_RR w_TR w_R_il1 k_c k_ct")

TBET = Species("Tbet", "T-bet in a Th17 memory cell, share of its maximum", DIMENSIONLESS, initial=tbet_0)
RORGT = Species("RORgt", "RORγt in a Th17 memory cell, share of its maximum", DIMENSIONLESS, initial=rorgt_0)

TBET_DRIVE = Definition(
    "drive_Tbet",
    "what acts on T-bet, beyond baseline",
    DIMENSIONLESS,
    w_TT * (TBET - tbet_0) - w_RT * (RORGT - rorgt_0),
)
RORGT_DRIVE = Definition(
    "drive_RORgt",
    "what acts on RORγt, beyond baseline",
    DIMENSIONLESS,
    w_RR * (RORGT - rorgt_0) - w_TR * (TBET - tbet_0) + w_R_il1 * (RELATIVE_SIGNAL_LYMPH - 1),
)


def sigmoid(before: Expr, drive: Expr) -> Expr:
    """Sigmoid of a drive beyond baseline: ``before`` at none, dimensionless, in (0, 1).

    Equal to 1/(1 + exp(−σ(w + drive))) with the basal weight w = logit(before)/σ.
    """
    return before / (before + (1 - before) * exp(-sigma_s * drive))


# Slopes of the sigmoids at baseline, per unit of drive.
TBET_SLOPE = sigma_s * tbet_0 * (1 - tbet_0)
RORGT_SLOPE = sigma_s * rorgt_0 * (1 - rorgt_0)

SWITCH = Mechanism(
    name="switch",
    title="T-bet and RORγt in a Th17 memory cell repress each other",
    species=(TBET, RORGT),
    definitions=(TBET_DRIVE, RORGT_DRIVE),
    reactions=(
        Reaction("tbet_synthesis", gamma_s * sigmoid(tbet_0, TBET_DRIVE.symbol), {TBET: 1}),
        Reaction("tbet_loss", gamma_s * TBET, {TBET: -1}),
        Reaction("rorgt_synthesis", gamma_s * sigmoid(rorgt_0, RORGT_DRIVE.symbol), {RORGT: 1}),
        Reaction("rorgt_loss", gamma_s * RORGT, {RORGT: -1}),
    ),
    observables=(
        Observable("tbet", "T-bet in a Th17 memory cell, of its maximum", unit("%"), TBET.symbol),
        Observable("rorgt", "RORγt in a Th17 memory cell, of its maximum", unit("%"), RORGT.symbol),
    ),
    # Stability of the baseline: each regulator by itself, then both together (trace and determinant).
    conditions=(
        Condition("tbet_stable", 1 - TBET_SLOPE * w_TT, "T-bet would leave its baseline by activating itself"),
        Condition("rorgt_stable", 1 - RORGT_SLOPE * w_RR, "RORγt would leave its baseline by activating itself"),
        Condition(
            "switch_stable",
            (1 - TBET_SLOPE * w_TT) * (1 - RORGT_SLOPE * w_RR) - TBET_SLOPE * w_RT * RORGT_SLOPE * w_TR,
            "T-bet and RORγt would leave their baseline by repressing each other",
        ),
    ),
)

CONVERSION_BY_SWITCH = Mechanism(
    # The name of what it stands in for, so that the two cannot be added to one model.
    name=CONVERSION.name,
    title="Th17 memory turns into double positives and these into ex-Th17 cells as T-bet comes up",
    definitions=(
        Definition(
            "k_conversion",
            "rate of conversion of memory cells",
            RATE,
            k_c + (k_ct - k_c) * (TBET - tbet_0) / (1 - tbet_0),
        ),
    ),
    reactions=CONVERSION.reactions,
)

H2_SWITCH = Hypothesis(
    name="H2-switch",
    title="Th17 cells turn into IFNγ producers when RORγt breaks down without IL-1",
    add=(SWITCH, CONVERSION_BY_SWITCH),
)
