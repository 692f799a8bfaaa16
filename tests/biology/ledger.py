"""Books beside a model: what came in and what went out, integrated with it, so that totals can be checked at any time.

Sums of pools and books are linear in the state and constant along every solution; a Runge-Kutta method keeps them to
rounding, whatever its tolerance.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace

import sympy
from sympy import Expr

from simulate.symbolic.model import Model
from simulate.symbolic.parts import Reaction, Species
from simulate.symbolic.units import unit

WITHIN = frozenset({"Mreg", "M1null"})
"""Cells that are counted within another pool too."""

DRUG = frozenset({"A_d", "A_c"})


def cell_pools(model: Model) -> frozenset[str]:
    """Names of the pools that together hold every cell of a model once."""
    found = {"N", "A", "T1"} | {
        part.name for part in model.species if part.name[0] in "EM" and part.unit.text == "cell/µL"
    }
    return frozenset(found & {part.name for part in model.species}) - WITHIN


def net_changes(model: Model, pools: Collection[str]) -> dict[str, Expr]:
    """For each reaction that touches the pools, by how much one event changes their sum."""
    found = {}
    for reaction in model.reactions:
        changes = [sympy.sympify(change, strict=True) for part, change in reaction.change.items() if part.name in pools]
        if changes:
            found[reaction.name] = sympy.Add(*changes)
    return found


def sources(cells: Mapping[str, Expr]) -> tuple[str, ...]:
    """Reactions that bring cells, neither moving nor killing them."""
    return tuple(name for name, net in cells.items() if net not in (0, -1) and name != "priming")


def with_books(model: Model) -> Model:
    """The model with three more states: cells that came in, cells that went out, and drug that went out.

    Priming is in no lane_state: it hands cells on, so the total holds only if the shares of the lineages add up to one.
    """
    cells = net_changes(model, cell_pools(model))
    drug = net_changes(model, DRUG)
    entered = Species("cells_entered", "cells that came in", unit("cell/µL"))
    left = Species("cells_left", "cells that died", unit("cell/µL"))
    eliminated = Species("drug_left", "anakinra that was eliminated", unit("nmol"))
    rates = {reaction.name: reaction.rate for reaction in model.reactions}
    booked = [
        *(Reaction(f"book_{name}", rates[name], {entered: cells[name]}) for name in sources(cells)),
        *(Reaction(f"book_{name}", rates[name], {left: sympy.Integer(1)}) for name, net in cells.items() if net == -1),
        *(Reaction(f"book_{name}", rates[name], {eliminated: -net}) for name, net in drug.items() if net != 0),
    ]
    zero = sympy.Integer(0)
    return replace(
        model,
        species=(*model.species, entered, left, eliminated),
        initial=(*model.initial, zero, zero, zero),
        reactions=(*model.reactions, *booked),
    )
