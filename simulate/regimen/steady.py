"""How long a drug is remembered: the slowest half-life of the part of a model that a route feeds.

A record that asks for a steady state (SS) is written out as doses before it. That is right only if the drug forgets
within those doses, and if its part of the model is linear, so that the doses add up.
"""

from __future__ import annotations

import math

import numpy as np
import sympy

from simulate.symbolic.model import Model


def drug_half_life(model: Model, route: str) -> float | None:
    """Slowest half-life, in days, of the drug that enters by a route, for the typical parameters of a model.

    The drug's part is every species that the route feeds, directly or by way of others, and that is empty before
    treatment and lost or passed on in proportion to itself.

    Returns
    -------
    float or None
        None if that part is not linear or never forgets: then no number of doses reaches a steady state for sure.
    """
    # Expressions are in the coherent units, of which the day is the one of time.
    values = {
        parameter.symbol: sympy.Float(parameter.value * float(parameter.unit.factor)) for parameter in model.parameters
    }
    defined: dict[sympy.Basic, sympy.Expr] = {}
    for definition in model.definitions:
        defined[definition.symbol] = definition.expression.xreplace(defined)
    rates = dict(zip((species.name for species in model.species), model.rates(), strict=True))
    initial = dict(zip((species.name for species in model.species), model.initial, strict=True))
    symbols = {species.name: species.symbol for species in model.species}
    # What only stops change, such as a factor of the occasion, is as it usually is.
    values |= {symbols[name]: initial[name] for name, rate in rates.items() if rate == 0}
    target = next(found.target.name for found in model.routes if found.name == route)
    part = [target]
    for name in part:
        moved = [
            species.name
            for reaction in model.reactions
            if any(species.name == name for species in reaction.change)
            and symbols[name] in reaction.rate.xreplace(defined).free_symbols
            for species in reaction.change
        ]
        part += sorted(other for other in set(moved) if other not in part and initial[other] == 0)
    matrix = np.zeros((len(part), len(part)))
    for row, name in enumerate(part):
        rate = rates[name].xreplace(defined)
        for column, other in enumerate(part):
            slope = sympy.diff(rate, symbols[other]).xreplace(values)
            if not slope.is_number:
                return None
            matrix[row, column] = float(slope)
    slowest = float(np.linalg.eigvals(matrix).real.max())
    return -math.log(2.0) / slowest if slowest < 0.0 else None
