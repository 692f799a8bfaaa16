"""Competition of IL-1 and IL-1Ra for the IL-1 receptor, and the signal that is left.

Both ligands bind the receptor IL-1R1 and exclude each other; only IL-1 recruits the accessory protein and signals.
Binding equilibrates in hours, cells change over days: equilibrium is assumed. T cells have spare receptors: a few per
cent occupied by IL-1 suffice for half the signal (``e50``). Concentrations enter as multiples of their dissociation
constants.

There are two sites. Lymphoid tissue, where T cells are primed and memory survives, sees IL-1Ra as in plasma and
little IL-1. Muscle, where damage is done, sees a fraction ``f_m`` of the drug, its own IL-1Ra, and more IL-1. Every
effect of IL-1 depends on the signal relative to the patient's own baseline, because only ratios can be learned from
the data. Left out: binding over time, the decoy receptor, soluble receptors.
"""

from __future__ import annotations

from sympy import Expr, symbols

from simulate.biology.pharmacokinetics import CONCENTRATION, ENDOGENOUS
from simulate.symbolic.parts import Definition, Mechanism, at_baseline
from simulate.symbolic.units import DIMENSIONLESS

K_Ra, e50, f_m, il1_lymph, L_m = symbols("K_Ra e50 f_m il1_lymph L_m")


def bound(ligand: Expr, competitor: Expr) -> Expr:
    """Fraction of receptors that a ligand occupies against a competitor: L / (1 + L + A).

    Parameters
    ----------
    ligand, competitor
        Concentrations at the receptor as multiples of their dissociation constants.

    Returns
    -------
    Expr
        Dimensionless, in [0, 1). Equilibrium, ligands in excess of receptors.
    """
    return ligand / (1 + ligand + competitor)


def signal(occupancy: Expr) -> Expr:
    """Signal of a fraction of receptors occupied by IL-1: o / (o + e50), dimensionless, in [0, 1)."""
    return occupancy / (occupancy + e50)


def relative(quantity: Definition) -> Expr:
    """A quantity as a multiple of its own baseline, dimensionless."""
    return quantity / at_baseline(quantity.symbol)


ANTAGONIST_LYMPH = Definition(
    "rho_lymph", "IL-1Ra in lymphoid tissue over its dissociation constant", DIMENSIONLESS,
    (CONCENTRATION + ENDOGENOUS) / K_Ra,
)  # fmt: skip
ANTAGONIST_MUSCLE = Definition(
    "rho_muscle", "IL-1Ra in muscle over its dissociation constant", DIMENSIONLESS,
    (f_m * CONCENTRATION + ENDOGENOUS) / K_Ra,
)  # fmt: skip

OCCUPANCY_LYMPH = Definition(
    "o_lymph", "fraction of IL-1 receptors occupied by IL-1 in lymphoid tissue", DIMENSIONLESS,
    bound(il1_lymph, ANTAGONIST_LYMPH.symbol),
)  # fmt: skip
OCCUPANCY_MUSCLE = Definition(
    "o_muscle", "fraction of IL-1 receptors occupied by IL-1 in muscle", DIMENSIONLESS,
    bound(L_m, ANTAGONIST_MUSCLE.symbol),
)  # fmt: skip

SIGNAL_LYMPH = Definition("S_lymph", "IL-1 signal in lymphoid tissue", DIMENSIONLESS, signal(OCCUPANCY_LYMPH.symbol))
SIGNAL_MUSCLE = Definition("S_muscle", "IL-1 signal in muscle", DIMENSIONLESS, signal(OCCUPANCY_MUSCLE.symbol))

RELATIVE_SIGNAL_LYMPH = Definition(
    "relative_signal_lymph", "IL-1 signal in lymphoid tissue over its baseline", DIMENSIONLESS, relative(SIGNAL_LYMPH)
)
RELATIVE_SIGNAL_MUSCLE = Definition(
    "relative_signal_muscle", "IL-1 signal in muscle over its baseline", DIMENSIONLESS, relative(SIGNAL_MUSCLE)
)

OCCUPANCY = Mechanism(
    name="occupancy",
    title="IL-1 and IL-1Ra at the receptor in lymphoid tissue and muscle",
    definitions=(
        ANTAGONIST_LYMPH,
        ANTAGONIST_MUSCLE,
        OCCUPANCY_LYMPH,
        OCCUPANCY_MUSCLE,
        SIGNAL_LYMPH,
        SIGNAL_MUSCLE,
        RELATIVE_SIGNAL_LYMPH,
        RELATIVE_SIGNAL_MUSCLE,
    ),
)
