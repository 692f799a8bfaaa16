"""Competition of IL-1 and IL-1Ra for the IL-1 receptor, and the signal that is left.

Both ligands bind the receptor IL-1R1 and exclude each other; only IL-1 recruits the accessory protein and signals.
Binding equilibrates in hours, cells change over days: equilibrium is assumed. T cells have spare receptors: few of
them, occupied by IL-1, suffice for half the signal. Concentrations enter as multiples of their dissociation constants.

There are two sites. Lymphoid tissue, where T cells are primed and memory survives, sees IL-1Ra as in plasma and
little IL-1. Muscle, where damage is done, sees a fraction ``f_m`` of the drug, its own IL-1Ra, and more IL-1. In
lymphoid tissue resting and activated T cells may differ. Every effect of IL-1 depends on the signal relative to the
patient's own baseline, because only ratios can be learned from the data.

The way from plasma to signal has five steps, each a mechanism that an option may replace without touching the others:

``tissues``
    ``l_lymph`` and ``C_muscle``: IL-1 in lymphoid tissue, and anakinra in muscle (replaced by `sites`).
``antagonist``
    ``rho_*``: IL-1Ra at the receptor (`local_antagonist`).
``affinity``
    ``lambda_*``, ``half_*``: IL-1 over the dissociation constant of the receptors that signal, and the occupied
    fraction that gives half the signal (`receptors`, `cell_receptors`).
``no_decoy``
    ``lambda_activated``: IL-1 that activated cells are left with (`cell_receptors`).
``occupancy``
    ``o_*``, ``b_*``, ``S_*`` and ``relative_signal_*``: receptors that hold IL-1 and that hold IL-1Ra, and the signal
    (`binding`).

Left out: soluble receptors.
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, Symbol, symbols

from simulate.biology.pharmacokinetics import CONCENTRATION, ENDOGENOUS
from simulate.symbolic.parts import Definition, Mechanism
from simulate.symbolic.symbols import at_baseline
from simulate.symbolic.units import DIMENSIONLESS, unit

K_Ra, f_m, il1_lymph = symbols("K_Ra f_m il1_lymph")


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


def signal(occupancy: Expr, half: Expr) -> Expr:
    """Signal of a fraction of receptors occupied by IL-1: o / (o + half), dimensionless, in [0, 1)."""
    return occupancy / (occupancy + half)


def relative(quantity: Definition) -> Expr:
    """A quantity as a multiple of its own baseline, dimensionless."""
    return quantity / at_baseline(quantity.symbol)


IL1_LYMPH = Definition("l_lymph", "IL-1 in lymphoid tissue over its dissociation constant", DIMENSIONLESS, il1_lymph)
DRUG_MUSCLE = Definition("C_muscle", "anakinra in muscle", unit("nM"), f_m * CONCENTRATION)

TISSUES = Mechanism(
    name="tissues",
    title="Constant IL-1 in lymphoid tissue, and muscle that follows plasma at once",
    definitions=(IL1_LYMPH, DRUG_MUSCLE),
)

ANTAGONIST_LYMPH = Definition(
    "rho_lymph", "IL-1Ra in lymphoid tissue over its dissociation constant", DIMENSIONLESS,
    (CONCENTRATION + ENDOGENOUS) / K_Ra,
)  # fmt: skip
ANTAGONIST_MUSCLE = Definition(
    "rho_muscle", "IL-1Ra in muscle over its dissociation constant", DIMENSIONLESS,
    (DRUG_MUSCLE + ENDOGENOUS) / K_Ra,
)  # fmt: skip

ANTAGONIST = Mechanism(
    name="antagonist",
    title="IL-1Ra at the receptor, the drug and the patient's own from plasma",
    definitions=(ANTAGONIST_LYMPH, ANTAGONIST_MUSCLE),
)


@dataclass(frozen=True, slots=True)
class Receptors:
    """IL-1 receptors of one kind of cell at one site.

    ``key`` ends the names of the quantities that follow; ``antagonist`` is IL-1Ra over its dissociation constant.
    """

    key: str
    where: str
    antagonist: Symbol

    @property
    def il1(self) -> Symbol:
        """IL-1 over the dissociation constant of the receptors that signal."""
        return Symbol(f"lambda_{self.key}")

    @property
    def half(self) -> Symbol:
        """Fraction of receptors occupied by IL-1 that gives half the signal."""
        return Symbol(f"half_{self.key}")

    @property
    def occupied(self) -> Definition:
        """Fraction of receptors that hold IL-1, at equilibrium."""
        return Definition(
            f"o_{self.key}",
            f"fraction of IL-1 receptors occupied by IL-1 {self.where}",
            DIMENSIONLESS,
            bound(self.il1, self.antagonist),
        )

    @property
    def blocked(self) -> Definition:
        """Fraction of receptors that hold IL-1Ra, at equilibrium."""
        return Definition(
            f"b_{self.key}",
            f"fraction of IL-1 receptors that hold IL-1Ra {self.where}",
            DIMENSIONLESS,
            bound(self.antagonist, self.il1),
        )

    @property
    def signal(self) -> Definition:
        """Signal of what is occupied, however the model has it."""
        return Definition(
            f"S_{self.key}", f"IL-1 signal {self.where}", DIMENSIONLESS, signal(self.occupied.symbol, self.half)
        )

    @property
    def relative_signal(self) -> Definition:
        """Signal over that of the same patient at baseline, by which IL-1 acts on everything."""
        return Definition(
            f"relative_signal_{self.key}",
            f"IL-1 signal {self.where} over its baseline",
            DIMENSIONLESS,
            relative(self.signal),
        )


LYMPH = Receptors("lymph", "in lymphoid tissue", ANTAGONIST_LYMPH.symbol)
ACTIVATED = Receptors("activated", "of activated T cells in lymphoid tissue", ANTAGONIST_LYMPH.symbol)
MUSCLE = Receptors("muscle", "in muscle", ANTAGONIST_MUSCLE.symbol)

RECEPTORS = (LYMPH, ACTIVATED, MUSCLE)
"""Every kind that a model has, whatever their mechanism."""

RELATIVE_SIGNAL_LYMPH = LYMPH.relative_signal
RELATIVE_SIGNAL_ACTIVATED = ACTIVATED.relative_signal
RELATIVE_SIGNAL_MUSCLE = MUSCLE.relative_signal

OCCUPANCY = Mechanism(
    name="occupancy",
    title="IL-1 and IL-1Ra at the receptor in lymphoid tissue and muscle, at equilibrium",
    definitions=tuple(
        part for place in RECEPTORS for part in (place.occupied, place.blocked, place.signal, place.relative_signal)
    ),
)
