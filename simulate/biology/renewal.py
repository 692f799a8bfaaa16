"""Memory that renews itself, the rival of large clones.

Memory is lost with a half-life of 0.4 years (Vrisekoop et al. 2008) and naive cells hardly at all, so either each naive
cell that enters yields many memory cells, or memory makes good its own loss by division. Labeling shows that it
divides, effector memory at 4.7 and central memory at 1.5 % a day (Macallan et al. 2004), but not what becomes of the
daughters: division and death enter its balance as a difference. Here memory divides at the observed rate, and a share
``renewed`` of the loss that the base model has is made good by it; the rest of the daughters die. Priming then has to
supply only 1 − ``renewed`` of the loss: clones are smaller by that factor, effectors are fewer, and when priming stops
memory falls by 1 − ``renewed`` of the loss only. With ``renewed`` = 0 cells divide just as fast and nothing else
differs from large clones, which is why labeling cannot choose between the two.

Daughters have the lineage of their mother. Division does not depend on IL-1 or on how many cells there are.
"""

from __future__ import annotations

from sympy import Expr, symbols

from simulate.biology.cd4 import LOSS_BEFORE, RATE, Lineage
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Condition, Definition, Mechanism, Observable, Reaction
from simulate.symbolic.units import unit

p_TEM, p_TCM, f_TEM, renewed = symbols("p_TEM p_TCM f_TEM renewed")

DIVISION = Definition("p_M", "division of memory cells", RATE, f_TEM * p_TEM + (1 - f_TEM) * p_TCM)


def _reactions(lineage: Lineage, loss: Expr) -> tuple[Reaction, ...]:
    return (
        Reaction(f"memory_division_{lineage.key}", DIVISION * lineage.memory, {lineage.memory: 1}),
        Reaction(
            f"death_of_daughters_{lineage.key}", (DIVISION - renewed * loss) * lineage.memory, {lineage.memory: -1}
        ),
    )


RENEWAL = Mechanism(
    name="renewal",
    title="Memory renews itself by division",
    definitions=(DIVISION,),
    reactions=tuple(reaction for lineage, loss in LOSS_BEFORE for reaction in _reactions(lineage, loss)),
    observables=(
        Observable("memory_division", "memory cells that divide in a day", unit("%/d"), DIVISION.symbol),
    ),
    conditions=(
        Condition("renewed_share", 1 - renewed, "memory makes good more than all of its loss and would grow"),
        *(
            Condition(
                f"daughters_{lineage.key}",
                DIVISION - renewed * loss,
                f"{lineage.title} memory divides too slowly to make good this share of its loss",
            )
            for lineage, loss in LOSS_BEFORE
        ),
    ),
)  # fmt: skip

SELF_RENEWAL = Hypothesis(name="renewal", title="Memory renews itself", add=(RENEWAL,))
