"""Methods of integration: what suits a model, and what a scenario asks for by its name."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from simulate.cohort.ensemble import kernel_of
from simulate.errors import InputError, not_among
from simulate.studies.scenario import DEFAULT_METHOD, Scenario
from simulate.symbolic.model import Model

if TYPE_CHECKING:
    from simulate.solver.automatic import Automatic
    from simulate.solver.methods import Method

AUTOMATIC = "automatic"
"""What `solver.method` says where each trajectory is to be solved by the method that suits it."""


@functools.lru_cache(maxsize=8)
def quickest_method(model: Model) -> Method:
    """Taylor series where a model has them everywhere, else Dormand-Prince 5(4)."""
    from simulate.solver.methods import DOPRI5, TAYLOR

    try:
        kernel_of(model).jets(TAYLOR.series)
    except InputError as error:
        if error.code != "kernel.not-smooth":
            raise
        return DOPRI5
    return TAYLOR


def method_named(scenario: Scenario, model: Model) -> Method | Automatic:
    """Method that a scenario asks for; ``automatic`` begins with what suits the model, and goes by each member.

    By default it is Dormand-Prince 5(4), and Rodas5P for those whom that gives up.
    """
    from simulate.solver.automatic import UNLESS_STIFF, Automatic
    from simulate.solver.methods import METHOD_OF

    if scenario.method == AUTOMATIC:
        return Automatic(explicit=quickest_method(model))
    if scenario.method == DEFAULT_METHOD:
        return UNLESS_STIFF
    if scenario.method not in METHOD_OF:
        names = (DEFAULT_METHOD, *METHOD_OF, AUTOMATIC)
        raise not_among(
            f"there is no method `{scenario.method}`",
            scenario.method,
            names,
            code="scenario.unknown",
            where=scenario.document.where("solver", "method"),
        )
    return METHOD_OF[scenario.method]
