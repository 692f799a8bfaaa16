"""Methods of integration: the one that suits a model, and the one that a scenario names."""

from __future__ import annotations

from typing import TYPE_CHECKING

from simulate.errors import not_among
from simulate.kernels.of_model import quickest_method, unless_stiff
from simulate.studies.scenario import DEFAULT_METHOD, Scenario
from simulate.symbolic.model import Model

if TYPE_CHECKING:
    from simulate.solver.automatic import Automatic
    from simulate.solver.methods import Method

AUTOMATIC = "automatic"
"""What `solver.method` says where each trajectory is to be solved by the method that suits it."""

_BY_RUNGE_KUTTA = "dopri5+rodas5p"


def method_named(scenario: Scenario, model: Model) -> Method | Automatic:
    """Method that a scenario asks for; ``automatic`` begins with what suits the model, and goes by each member.

    By default it is what suits the model, and Rodas5P for those whom that gives up.
    """
    from simulate.solver.automatic import UNLESS_STIFF, Automatic
    from simulate.solver.methods import METHOD_OF

    watched = not all(rule.at_visits for arm in scenario.arms for rule in arm.rules)
    if scenario.method == AUTOMATIC:
        return Automatic(explicit=quickest_method(model, watched=watched))
    if scenario.method == DEFAULT_METHOD:
        return unless_stiff(model, watched=watched)
    if scenario.method == _BY_RUNGE_KUTTA:
        return UNLESS_STIFF
    if scenario.method not in METHOD_OF:
        names = (DEFAULT_METHOD, _BY_RUNGE_KUTTA, *METHOD_OF, AUTOMATIC)
        raise not_among(
            f"there is no method `{scenario.method}`",
            scenario.method,
            names,
            code="scenario.unknown",
            where=scenario.document.where("solver", "method"),
        )
    return METHOD_OF[scenario.method]
