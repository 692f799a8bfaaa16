"""Steady states of dosing: what endless earlier doses have left in a patient; and bioavailability.

A steady state of doses (SS) is not simulated: where the drug's part of the model is linear, what an endless train of
doses has left is a sum that is known, for each patient's own kinetics, however slowly the patient forgets. The drug's
part is every species that the route feeds, directly or by way of others, and that is empty before treatment. The rest
of the model, such as cells and cytokines, stays as it is at that time: the doses of the train have not treated it.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TYPE_CHECKING

from simulate.kernels.of_model import system_of
from simulate.regimen.doses import Plan
from simulate.regimen.timetable import route_index
from simulate.solver.kernel import FloatArray
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Route

if TYPE_CHECKING:
    # Few doses follow the kinetics of each patient.
    from sympy import Expr

    from simulate.kernels.linear import LinearPart


@dataclass(frozen=True, slots=True, eq=False)
class Kinetics:
    """A model with the parameters of some patients.

    Attributes
    ----------
    model
        The model.
    values
        Shape [row, parameter], in the order and units of the parameters of the model.
    """

    model: Model
    values: FloatArray

    def fraction(self, route: int, row: int) -> float:
        """Share of a dose by a route that arrives in a patient: its bioavailability."""
        return _fraction(self.model, route)(self.values[row])[0]

    def left(
        self, route: int, row: int, *, every: Fraction, lag: Fraction, duration: float
    ) -> tuple[tuple[int, float], ...]:
        """What a train of doses of one administered unit has left when the next is given, as (state, value).

        Doses were given ``every``, ``2 * every`` ... days ago for ever; each entered ``lag`` days after that, over
        ``duration`` days.

        Raises
        ------
        InputError
            ``regimen.steady``: the drug's part of the model is not linear, or the patient never forgets.
        """
        return drug_part(self.model, route).left(self.values[row], every=every, lag=lag, duration=duration)

    def emptied(self, row: int) -> tuple[tuple[int, float], ...]:
        """States that a drug by any route can have reached, and what they were before, as (state, value)."""
        states, before = _emptied(self.model)
        return tuple(zip(states, before(self.values[row]), strict=True))


@functools.lru_cache(maxsize=64)
def drug_part(model: Model, route: int) -> LinearPart:
    """The linear part of a model that a route feeds; refused as by `simulate.kernels.linear.linear_part`."""
    from simulate.kernels.linear import linear_part

    return linear_part(system_of(model), route)


@functools.lru_cache(maxsize=8)
def _emptied(model: Model) -> tuple[tuple[int, ...], Callable[[FloatArray], list[float]]]:
    from simulate.kernels.linear import emptied

    return emptied(system_of(model))


@functools.lru_cache(maxsize=64)
def _fraction(model: Model, route: int) -> Callable[[FloatArray], list[float]]:
    """Bioavailability: all of the gain where a dose has the dimension of its target, else what is a pure number in it.

    Expressions know their units, so that no number in a gain converts one.
    """
    import sympy

    from simulate.kernels.vectorfield import of_parameters
    from simulate.symbolic.dimensions import infer

    way = model.routes[route]
    defined: dict[Expr, Expr] = {}
    for definition in model.definitions:
        defined[definition.symbol] = definition.expression.xreplace(defined)
    gain = way.gain.xreplace(defined)
    known = {part.name: part.unit.dimension for part in model.parameters}
    known |= {part.name: part.unit.dimension for part in model.balance}
    if way.unit.dimension != way.target.unit.dimension:
        gain = sympy.Mul(*(factor for factor in sympy.Mul.make_args(gain) if infer(factor, known).is_one))
    factors = {part.symbol: sympy.Rational(part.unit.factor) * part.symbol for part in model.parameters}
    return of_parameters(system_of(model), [gain.xreplace(factors)])


def needs_kinetics(plan: Plan, routes: Sequence[Route]) -> bool:
    """Whether the stops of a plan depend on the parameters of a patient."""
    routes_by_name = {route.name.casefold(): route for route in routes}

    def gain_is_one(name: str) -> bool:
        route = routes_by_name.get(name.casefold())
        return route is not None and bool(route.gain == 1)

    return any(course.steady or (course.rated and not gain_is_one(course.route)) for course in plan.courses)


def check_steady(plan: Plan, model: Model) -> None:
    """Refuse steady states of doses that cannot be known.

    Raises
    ------
    InputError
        ``regimen.steady``, ``regimen.route``.
    """
    for course in plan.courses:
        if course.steady:
            drug_part(model, route_index(course.route, model.routes))
