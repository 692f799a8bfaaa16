"""A phase plane: how two states of a model drive each other once all its other states have come to rest.

A model has more than two states. At each point of the plane two are held, and the others take the values at which they
would rest: what is drawn is the plane on which the slow changes happen, if the two are the slowest. Steady states of
the whole model lie on the crossings of the nullclines exactly, whether or not that is so; their stability is that in
the whole model.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from simulate.errors import InputError, did_you_mean, not_among
from simulate.kernels.equilibria import Stability, equilibria, roots
from simulate.kernels.system import lower
from simulate.kernels.vectorfield import VectorField, held, initial_states, inputs_of, vector_field
from simulate.solver.kernel import FloatArray
from simulate.symbolic.model import Model

POINTS = 41
"""Points of the plane in each direction."""

_COARSE = 7
_MARGIN = 1.3


def phase_plane(
    model: Model,
    x: str,
    y: str,
    *,
    x_range: tuple[float, float] | None = None,
    y_range: tuple[float, float] | None = None,
    fed: Mapping[str, float] | None = None,
    settings: Mapping[str, float] | None = None,
    points: int = POINTS,
) -> xr.Dataset:
    """Rates of two states over their plane, with the steady states of the model.

    Parameters
    ----------
    model
        A model that does not depend on time.
    x, y
        Names of two states.
    x_range, y_range
        Ranges in their units; from 0 to a little more than the baseline and every steady state, if not given.
    fed
        Rates at which routes are fed, in administered units a day: ``{"sc": 100.0}`` for 100 mg/d as a constant drip.
    settings
        Values of parameters in their units; the typical ones where not given.
    points
        In each direction.

    Returns
    -------
    Dataset
        ``dx`` and ``dy`` (y, x), per day, NaN where the other states have no rest; ``steady_x``, ``steady_y``,
        ``stable`` (steady); ``start`` (axis), the baseline. Coordinates have ``units`` and ``long_name``.
    """
    system = lower(model)
    _check_names(model, x, y, settings or {})
    values = {part.name: part.value for part in model.parameters} | dict(settings or {})
    parameters = np.array([values[name] for name in system.parameters])
    field = vector_field(system)
    inputs = inputs_of(system, parameters[np.newaxis], fed)
    start = initial_states(system, parameters[np.newaxis])[0]
    places = (system.states.index(x), system.states.index(y))
    asked = (x_range, y_range)
    wide = [(0.0, 2.0 * max(float(start[place]), 0.5)) for place in places]
    spans = [first if span is None else span for first, span in zip(wide, asked, strict=True)]
    starts = np.concatenate([start[np.newaxis], _resting(field, inputs, start, places, spans, _COARSE)])
    steady = equilibria(system, parameters, starts[np.isfinite(starts).all(axis=1)], fed=fed)
    found = np.array([state.state for state in steady]).reshape(-1, len(system.states))
    for axis, (place, span) in enumerate(zip(places, asked, strict=True)):
        if span is None:
            spans[axis] = (0.0, _MARGIN * max(float(found[:, place].max(initial=0.0)), float(start[place]), 1e-12))
    states = _resting(field, inputs, start, places, spans, points)
    rates = np.full_like(states, np.nan)
    rested = np.isfinite(states).all(axis=1)
    rates[rested] = field.rates(states[rested], np.repeat(inputs, int(rested.sum()), axis=0))
    shape = (points, points)
    xs, ys = (np.linspace(*span, points) for span in spans)
    of_route = {route.name: route.unit.text for route in model.routes}
    drug = ", ".join(f"{rate:g} {of_route[route]}/d {route}" for route, rate in (fed or {}).items())
    about = {part.name: {"units": part.unit.text, "long_name": part.meaning} for part in model.species}
    return xr.Dataset(
        {
            "dx": (("y", "x"), rates[:, places[0]].reshape(shape)),
            "dy": (("y", "x"), rates[:, places[1]].reshape(shape)),
            "steady_x": ("steady", found[:, places[0]]),
            "steady_y": ("steady", found[:, places[1]]),
            "stable": ("steady", np.array([state.stability is Stability.STABLE for state in steady], dtype=bool)),
            "start": ("axis", start[list(places)]),
        },
        coords={"x": ("x", xs, about[x]), "y": ("y", ys, about[y])},
        attrs={"x": x, "y": y, "hypothesis": model.hypothesis, "fed": drug or "no drug"},
    )


def _check_names(model: Model, x: str, y: str, settings: Mapping[str, float]) -> None:
    states = [part.name for part in model.species]
    for name in (x, y):
        if name not in states:
            raise not_among(f"the model has no state `{name}`", name, states, code="plane.state")
    if x == y:
        raise InputError("a plane needs two different states", code="plane.state", found=f"`{x}` twice")
    known = [part.name for part in model.parameters]
    for name in settings:
        if name not in known:
            raise InputError(
                f"the model has no parameter `{name}`", code="plane.parameter", advice=did_you_mean(name, known)
            )


def _resting(
    field: VectorField,
    inputs: FloatArray,
    start: FloatArray,
    places: tuple[int, int],
    spans: list[tuple[float, float]],
    points: int,
) -> FloatArray:
    """States [point, state] over the plane, y outside, in which all but two rest; NaN where none was found."""
    ys, xs = np.meshgrid(*(np.linspace(*span, points) for span in reversed(spans)), indexing="ij")
    targets = np.stack([xs.ravel(), ys.ravel()], axis=1)
    states = np.repeat(start[np.newaxis], len(targets), axis=0)
    states[:, places] = targets
    plane = held(field, [field.states[place] for place in places])
    return roots(plane, states, np.hstack([np.repeat(inputs, len(targets), axis=0), targets]), np.abs(start))
