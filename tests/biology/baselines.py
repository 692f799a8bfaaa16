"""Baselines of many random patients under every hypothesis and option, evaluated in NumPy straight from the reactions.

Nothing here is compiled, lowered or written out by the package: one function of arrays is made from the reactions of a
model, in the coherent units of its dimensions.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from graphlib import TopologicalSorter

import numpy as np
import sympy

from simulate.biology.cell_receptors import H1_ON_ACTIVATED, RECEPTOR_NUMBER_AND_DECOY
from simulate.biology.hypotheses import HYPOTHESES, hypothesis_named
from simulate.biology.options import OPTIONS
from simulate.biology.reference import parameter_table
from simulate.cohort.draws import Cohort, draw
from simulate.cohort.reading import shipped_population
from simulate.solver.kernel import FloatArray, IntArray
from simulate.symbolic.model import Model
from tests.helpers.models import reference_model

PARTNERS = {H1_ON_ACTIVATED.name: f"{H1_ON_ACTIVATED.name}+{RECEPTOR_NUMBER_AND_DECOY.name}"}
"""Options that build on another are looked at together with it."""

MODELS = (
    *(hypothesis.name for hypothesis in HYPOTHESES),
    "H1+H3a+H4",
    "H1+H2+H3a+H3b+H4+H5",
    *(PARTNERS.get(option.name, option.name) for option in OPTIONS),
    "renewal+treg-leak",
)
"""Every hypothesis, the combination of the shipped scenarios and that of all, every option, and the two options that
refuse more people together than apart."""

SLACK = 1e-12
"""A condition may be violated by no more than its rounding."""


@dataclass(frozen=True)
class Baselines:
    """The baselines of a cohort.

    ``infeasible`` is -1, or the index of the first condition that is violated; ``reasons`` tells them. ``residual`` is
    the largest rate of change of a species over the sum of the terms that cancel in it; ``lowest`` the smallest
    initial value of any species. Both are NaN for those who have no baseline. All have shape [member].
    """

    reasons: tuple[str, ...]
    infeasible: IntArray
    residual: FloatArray
    lowest: FloatArray

    @property
    def counts(self) -> Counter[str]:
        """Reasons, and for how many members each is the first."""
        return Counter(self.reasons[index] for index in self.infeasible if index >= 0)


@cache
def patients(n: int, *, seed: int = 1) -> Cohort:
    """Random patients of the trial with every shipped parameter: one draw serves all models."""
    return draw(shipped_population(tuple(parameter_table().values())), n, seed=seed)


@cache
def model_of(name: str) -> Model:
    return reference_model(hypothesis_named(name))


def baselines(model: Model, cohort: Cohort) -> Baselines:
    """Baselines of a cohort that has every parameter of the model, but for those that the hypothesis has fixed."""
    drawn = {name: cohort.values[:, index] for index, name in enumerate(cohort.names)}
    values = [
        (drawn[part.name] if part.spread is not None else np.full(cohort.members, part.value)) * float(part.unit.factor)
        for part in model.parameters
    ]
    with np.errstate(all="ignore"):
        found = evaluate(model, values)
    conditions = np.array(
        [np.broadcast_to(found[f"condition {part.name}"], cohort.members) for part in model.conditions]
    )
    violated = ~(conditions >= -SLACK)
    infeasible = np.where(violated.any(axis=0), violated.argmax(axis=0), -1)
    net = {species.name: np.zeros(cohort.members) for species in model.species}
    gross = {species.name: np.zeros(cohort.members) for species in model.species}
    for reaction in model.reactions:
        for species in reaction.change:
            term = found[f"change {reaction.name} {species.name}"] * found[f"rate {reaction.name}"]
            net[species.name] = net[species.name] + term
            gross[species.name] = gross[species.name] + abs(term)
    worst = np.max([abs(net[name]) / np.where(gross[name] > 0.0, gross[name], 1.0) for name in net], axis=0)
    lowest = np.min([np.broadcast_to(found[f"state {part.name}"], cohort.members) for part in model.species], axis=0)
    none = infeasible >= 0
    return Baselines(
        tuple(part.reason for part in model.conditions),
        infeasible,
        np.where(none, np.nan, worst),
        np.where(none, np.nan, lowest),
    )


MANY = 10_000


@cache
def of_many(name: str) -> Baselines:
    """Those of ten thousand patients under a hypothesis or option of `MODELS`."""
    return baselines(model_of(name), patients(MANY))


def evaluate(model: Model, values: list[FloatArray]) -> Mapping[str, FloatArray]:
    """Initial values, rates, changes, conditions, balanced unknowns and definitions at baseline, by kind and name."""
    steps = [(part.symbol, part.expression) for part in model.balance]
    steps += [(part.symbol, initial) for part, initial in zip(model.species, model.initial, strict=True)]
    steps += [(part.symbol, part.expression) for part in model.definitions]
    known: dict[sympy.Symbol, FloatArray | float] = {sympy.Symbol("t"): 0.0}
    known |= {part.symbol: value for part, value in zip(model.parameters, values, strict=True)}
    value_of = dict(steps)
    needs = {symbol: value.free_symbols & value_of.keys() for symbol, value in steps}
    ordered = [(symbol, value_of[symbol]) for symbol in TopologicalSorter(needs).static_order()]
    wanted = {f"state {part.name}": part.symbol for part in model.species}
    wanted |= {f"rate {part.name}": part.rate for part in model.reactions}
    wanted |= {
        f"change {part.name} {species.name}": sympy.sympify(change, strict=True)
        for part in model.reactions
        for species, change in part.change.items()
    }
    wanted |= {f"condition {part.name}": part.expression for part in model.conditions}
    wanted |= {f"value {part.name}": part.symbol for part in (*model.balance, *model.definitions)}
    # What SymPy takes for common parts of the expressions are the steps, one after the other.
    function = sympy.lambdify(
        list(known), list(wanted.values()), modules=["numpy"], cse=lambda expressions: (ordered, expressions)
    )
    return dict(zip(wanted, (np.asarray(value, dtype=float) for value in function(*known.values())), strict=True))
