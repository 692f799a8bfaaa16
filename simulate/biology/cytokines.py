"""IL-6, IL-12 and G-CSF in serum, as IL-1, IL-17 and inflammation drive them.

Each is made and lost within hours; what drives it is relative to the patient's own baseline, and balance gives the rate
of synthesis from the concentration before treatment.

IL-6
    A share ``a_6`` of its synthesis needs IL-1; IL-17 multiplies ``y_6`` of that, for the two act together on human
    muscle cells (Chevrel et al. 2003).
IL-12
    A share ``a_12`` follows the inflammation of muscle, whose macrophages make it; serum levels are high in inclusion
    body myositis.
G-CSF
    IL-1 and IL-17 each induce it. It is a marker of their blockade and acts on nothing here; on anakinra it fell,
    without relation to outcome, and patients have less of it than healthy people (Szodoray et al. 2010), so a fall is
    no return to normal.

``relative_il6`` and ``relative_il12`` are what the priming of T cells may use. Left out: IL-10, IL-21, IL-23, TGFβ,
taken as constant; the IL-6 that T cells and drugs other than anakinra change.
"""

from __future__ import annotations

from sympy import Symbol, symbols

from simulate.biology.cytokines_constant import CONSTANT_CYTOKINES
from simulate.biology.muscle import DRIVE, INFLAMMATION
from simulate.biology.occupancy import RELATIVE_SIGNAL_MUSCLE
from simulate.biology.receptors import PERCENT
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Balance, Condition, Definition, Mechanism, Observable, Reaction, Species
from simulate.symbolic.symbols import at_baseline
from simulate.symbolic.units import DIMENSIONLESS, unit

IL6_0, IL12_0, GCSF_0, k_6, k_12, k_G = symbols("IL6_0 IL12_0 GCSF_0 k_6 k_12 k_G")
a_6, y_6, a_12, a_G1, a_G17 = symbols("a_6 y_6 a_12 a_G1 a_G17")

PICOGRAMS = unit("pg/mL")

IL6 = Species("IL6", "IL-6 in serum", PICOGRAMS, initial=IL6_0)
IL12 = Species("IL12", "IL-12 in serum", PICOGRAMS, initial=IL12_0)
GCSF = Species("GCSF", "G-CSF in serum", PICOGRAMS, initial=GCSF_0)

LOSSES: tuple[tuple[Species, Symbol], ...] = ((IL6, k_6), (IL12, k_12), (GCSF, k_G))

DRIVES = {
    IL6: (1 - a_6) + a_6 * RELATIVE_SIGNAL_MUSCLE * ((1 - y_6) + y_6 * DRIVE),
    IL12: (1 - a_12) + a_12 * INFLAMMATION,
    GCSF: (1 - a_G1 - a_G17) + a_G1 * RELATIVE_SIGNAL_MUSCLE + a_G17 * DRIVE,
}
"""Synthesis over its baseline."""


def _synthesis(cytokine: Species) -> Symbol:
    return Symbol(f"synthesis_{cytokine.name}")


def _over_baseline(cytokine: Species) -> Definition:
    return Definition(
        f"relative_{cytokine.name.lower()}",
        f"{cytokine.meaning} over its baseline",
        DIMENSIONLESS,
        cytokine / at_baseline(cytokine.symbol),
    )


CYTOKINES = Mechanism(
    name="cytokines",
    title="IL-6, IL-12 and G-CSF in serum",
    species=tuple(cytokine for cytokine, _ in LOSSES),
    definitions=tuple(_over_baseline(cytokine) for cytokine, _ in LOSSES),
    reactions=tuple(
        reaction
        for cytokine, loss in LOSSES
        for reaction in (
            Reaction(f"{cytokine.name}_synthesis", _synthesis(cytokine) * DRIVES[cytokine], {cytokine: 1}),
            Reaction(f"{cytokine.name}_loss", loss * cytokine, {cytokine: -1}),
        )
    ),
    balances=tuple(
        Balance(
            _synthesis(cytokine).name,
            f"synthesis of {cytokine.meaning} at baseline",
            unit("pg/mL/d"),
            zero=cytokine,
            reason=f"{cytokine.meaning} would need a negative synthesis",
        )
        for cytokine, _ in LOSSES
    ),
    observables=(Observable("gcsf", "G-CSF in serum, of baseline", PERCENT, _over_baseline(GCSF).symbol),),
    conditions=(
        Condition("il6_share", 1 - a_6, "IL-1 drives more than all synthesis of IL-6"),
        Condition("il6_synergy", 1 - y_6, "IL-17 multiplies more than all that IL-1 does to IL-6"),
        Condition("il12_share", 1 - a_12, "inflammation drives more than all synthesis of IL-12"),
        Condition("gcsf_shares", 1 - a_G1 - a_G17, "IL-1 and IL-17 together drive more than all synthesis of G-CSF"),
    ),
)

SERUM_CYTOKINES = Hypothesis(
    name="cytokines",
    title="IL-6, IL-12 and G-CSF follow IL-1 and IL-17",
    replace=((CONSTANT_CYTOKINES.name, CYTOKINES),),
)
