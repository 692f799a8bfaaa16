"""Spare receptors: affinity for IL-1 of the receptors that signal, and the number of them that suffices.

That T cells answer to 5 pM of IL-1 while the common class of sites binds it at 300 pM (Lowenthal and MacDonald 1986)
can be read in two ways, and only one of them may be in a model, or spare receptors count twice:

A
    IL-1 binds at ``K_1`` = 0.30 nM, and few of the sites suffice (``e50`` = 0.03). This is the reading of the reference
    model.
B
    The sites that signal are those that the accessory protein tightens to ``K_1_ternary`` = 0.005 nM; a third of them
    gives half the signal (``e50_ternary`` = 0.3). IL-1Ra cannot recruit the accessory protein and competes for the
    binary site, so ``K_Ra`` is the same.

IL-1 is one concentration in both: parameters and states give it over ``K_1``, and B multiplies by ``K_1 /
K_1_ternary``. Under B more IL-1 is left at every dose, because a tighter ligand is harder to displace.

Which reading holds is one mechanism, ``affinity``; what the receptors see, and how fast they bind, are others. All
readouts follow it, and so do cells in culture.
"""

from __future__ import annotations

from sympy import Expr, Integer, symbols

from simulate.biology.occupancy import ACTIVATED, IL1_LYMPH, LYMPH, MUSCLE, RECEPTORS
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Definition, Mechanism, Observable
from simulate.symbolic.units import DIMENSIONLESS, unit

K_1, K_1_ternary, e50, e50_ternary, mass_il1, L_m, il1_tightness = symbols(
    "K_1 K_1_ternary e50 e50_ternary mass_il1 L_m il1_tightness"
)

PERCENT = unit("%")
ONE = Integer(1)


def affinity(
    name: str,
    title: str,
    *,
    tightness: Expr = ONE,
    lymph: Expr = e50,
    activated: Expr = e50,
    muscle: Expr = e50,
    observables: tuple[Observable, ...] = (),
) -> Mechanism:
    """Mechanism in the place of ``affinity``.

    Parameters
    ----------
    name, title, observables
        Of the mechanism.
    tightness
        Affinity for IL-1 of the receptors that signal over that of the common class, ``1 / K_1``.
    lymph, activated, muscle
        Fraction of receptors occupied by IL-1 that gives half the signal: resting and activated T cells in lymphoid
        tissue, and muscle.
    """
    halves = {LYMPH: lymph, ACTIVATED: activated, MUSCLE: muscle}
    return Mechanism(
        name=name,
        title=title,
        definitions=(
            Definition(
                il1_tightness.name, "affinity for IL-1 of the receptors that signal, over that of the common class",
                DIMENSIONLESS, tightness,
            ),
            *(
                Definition(
                    place.il1.name, f"IL-1 {place.where} over the dissociation constant of the receptors that signal",
                    DIMENSIONLESS, il1 * tightness,
                )
                for place, il1 in ((LYMPH, IL1_LYMPH.symbol), (MUSCLE, L_m))
            ),
            *(
                Definition(
                    place.half.name, f"occupied fraction of IL-1 receptors {place.where} that gives half the signal",
                    DIMENSIONLESS, halves[place],
                )
                for place in RECEPTORS
            ),
        ),
        observables=observables,
    )  # fmt: skip


IL1_IN_MUSCLE = Observable("il1_in_muscle", "IL-1 in muscle", unit("pg/mL"), mass_il1 * K_1 * L_m)
"""The concentration that the two readings of spare receptors share."""

AFFINITY = affinity("affinity", "Few of the receptors that IL-1 can occupy suffice for half the signal")

AFFINITY_BINARY = affinity(
    "affinity_binary",
    "Few of the receptors that IL-1 can occupy suffice, and the concentration of IL-1 that this means",
    observables=(IL1_IN_MUSCLE,),
)
"""Option A: the equations of the reference model."""

AFFINITY_TERNARY = affinity(
    "affinity_ternary",
    "The accessory protein tightens the receptors that signal",
    tightness=K_1 / K_1_ternary,
    lymph=e50_ternary,
    activated=e50_ternary,
    muscle=e50_ternary,
    observables=(IL1_IN_MUSCLE,),
)
"""Option B."""

NO_DECOY = Mechanism(
    name="no_decoy",
    title="Activated T cells see the IL-1 of lymphoid tissue",
    definitions=(
        Definition(
            ACTIVATED.il1.name, "IL-1 that activated T cells are left with, over its dissociation constant",
            DIMENSIONLESS, LYMPH.il1,
        ),
    ),
)  # fmt: skip

SPARE_A = Hypothesis(
    name="spare-A",
    title="Few of the receptors at nanomolar affinity are enough",
    replace=(("affinity", AFFINITY_BINARY),),
)
SPARE_B = Hypothesis(
    name="spare-B",
    title="The receptors that signal bind IL-1 at picomolar affinity",
    replace=(("affinity", AFFINITY_TERNARY),),
)
"""Both say what few occupied receptors mean, as `receptor-number` does, so no two of them can be combined."""
