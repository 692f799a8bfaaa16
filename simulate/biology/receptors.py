"""The IL-1 receptor wherever it stands, and spare receptors in their other reading.

Receptors on one kind of cell at one site are one value of `Receptors`: the IL-1 and the IL-1Ra that they see, each
over its dissociation constant, and the occupied fraction that gives half the signal. From it follow what IL-1
occupies, what IL-1Ra blocks, the signal, and the signal over its baseline, always by the same competition: one site,
two ligands, IL-1Ra never touches IL-1 itself.

That T cells answer to 5 pM of IL-1 while the common class of sites binds it at 300 pM (Lowenthal and MacDonald 1986)
can be read in two ways, and only one of them may be in a model, or spare receptors count twice:

A
    IL-1 binds at ``K_1`` = 0.30 nM, and few of the sites suffice (``e50`` = 0.03). This is the mechanism `occupancy` of
    the reference model.
B
    The sites that signal are those that the accessory protein tightens to ``K_1_ternary`` = 0.005 nM; a third of them
    gives half the signal (``e50_ternary`` = 0.3). IL-1Ra cannot recruit the accessory protein and competes for the
    binary site, so ``K_Ra`` is the same.

IL-1 is one concentration in both: parameters and states give it over ``K_1``, and B multiplies by ``K_1 /
K_1_ternary``. Under B more IL-1 is left at every dose, because a tighter ligand is harder to displace.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sympy import Expr, symbols

from simulate.biology.occupancy import (
    ANTAGONIST_LYMPH,
    ANTAGONIST_MUSCLE,
    L_m,
    bound,
    e50,
    il1_lymph,
    relative,
)
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Condition, Definition, Mechanism, Observable, Reaction, Species
from simulate.symbolic.units import DIMENSIONLESS, unit

K_1, K_1_ternary, e50_ternary, mass_il1 = symbols("K_1 K_1_ternary e50_ternary mass_il1")

PERCENT = unit("%")


@dataclass(frozen=True, slots=True)
class Receptors:
    """IL-1 receptors of one kind of cell at one site.

    ``il1`` and ``antagonist`` are concentrations over dissociation constants; ``half`` is the fraction of receptors
    occupied by IL-1 that gives half the signal. ``key`` ends the names of the quantities that follow.
    """

    key: str
    where: str
    il1: Expr
    antagonist: Expr
    half: Expr

    @property
    def occupied(self) -> Definition:
        return Definition(
            f"o_{self.key}",
            f"fraction of IL-1 receptors occupied by IL-1 {self.where}",
            DIMENSIONLESS,
            bound(self.il1, self.antagonist),
        )

    @property
    def blocked(self) -> Definition:
        return Definition(
            f"b_{self.key}",
            f"fraction of IL-1 receptors that hold IL-1Ra {self.where}",
            DIMENSIONLESS,
            bound(self.antagonist, self.il1),
        )

    @property
    def signal(self) -> Definition:
        occupied = self.occupied.symbol
        return Definition(
            f"S_{self.key}", f"IL-1 signal {self.where}", DIMENSIONLESS, occupied / (occupied + self.half)
        )

    @property
    def relative_signal(self) -> Definition:
        return Definition(
            f"relative_signal_{self.key}",
            f"IL-1 signal {self.where} over its baseline",
            DIMENSIONLESS,
            relative(self.signal),
        )

    @property
    def definitions(self) -> tuple[Definition, ...]:
        return (self.occupied, self.blocked, self.signal, self.relative_signal)

    @property
    def observables(self) -> tuple[Observable, ...]:
        return (
            Observable(
                f"il1ra_bound_{self.key}", f"IL-1 receptors {self.where} that hold IL-1Ra", PERCENT, self.blocked.symbol
            ),
        )


LYMPH = Receptors("lymph", "in lymphoid tissue", il1_lymph, ANTAGONIST_LYMPH.symbol, e50)
MUSCLE = Receptors("muscle", "in muscle", L_m, ANTAGONIST_MUSCLE.symbol, e50)


def receptor_mechanism(
    name: str,
    title: str,
    receptors: Sequence[Receptors],
    *,
    definitions: tuple[Definition, ...] = (ANTAGONIST_LYMPH, ANTAGONIST_MUSCLE),
    observables: tuple[Observable, ...] = (),
    species: tuple[Species, ...] = (),
    reactions: tuple[Reaction, ...] = (),
    conditions: tuple[Condition, ...] = (),
) -> Mechanism:
    """Mechanism in the place of `occupancy`, at equilibrium.

    Parameters
    ----------
    name, title
        Of the mechanism.
    receptors
        Among them those with the keys ``lymph`` and ``muscle``, which the rest of the model uses.
    definitions
        What the receptors see; usually the IL-1Ra at the two sites.
    observables, species, reactions, conditions
        Further parts.
    """
    return Mechanism(
        name=name,
        title=title,
        species=species,
        definitions=(*definitions, *(definition for place in receptors for definition in place.definitions)),
        reactions=reactions,
        observables=(
            IL1_IN_MUSCLE,
            *(observable for place in receptors for observable in place.observables),
            *observables,
        ),
        conditions=conditions,
    )


IL1_IN_MUSCLE = Observable("il1_in_muscle", "IL-1 in muscle", unit("pg/mL"), mass_il1 * K_1 * L_m)
"""The concentration that the two readings of spare receptors share."""

OCCUPANCY_BINARY = receptor_mechanism("occupancy_binary", "IL-1 and IL-1Ra at spare receptors", (LYMPH, MUSCLE))
"""Option A: the equations of the reference model, with the share of receptors that IL-1Ra blocks."""

TERNARY = Definition(
    "ternary_affinity", "affinity of IL-1 with the accessory protein over that without", DIMENSIONLESS,
    K_1 / K_1_ternary,
)  # fmt: skip

OCCUPANCY_TERNARY = receptor_mechanism(
    "occupancy_ternary",
    "IL-1 and IL-1Ra at receptors that the accessory protein tightens",
    (
        replace(LYMPH, il1=il1_lymph * TERNARY, half=e50_ternary),
        replace(MUSCLE, il1=L_m * TERNARY, half=e50_ternary),
    ),
    definitions=(ANTAGONIST_LYMPH, ANTAGONIST_MUSCLE, TERNARY),
)
"""Option B."""

SPARE_A = Hypothesis(
    name="spare-A",
    title="Few of the receptors at nanomolar affinity are enough",
    replace=(("occupancy", OCCUPANCY_BINARY),),
)
SPARE_B = Hypothesis(
    name="spare-B",
    title="The receptors that signal bind IL-1 at picomolar affinity",
    replace=(("occupancy", OCCUPANCY_TERNARY),),
)
"""Both replace what every other reading of the receptor replaces, so no two of them can be combined."""
