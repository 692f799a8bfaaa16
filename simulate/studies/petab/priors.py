"""Priors of estimation problems: densities, and values at standard normal places."""

from __future__ import annotations

import math

import numpy as np

from simulate.errors import InputError
from simulate.exchange.petab.problem import EstimatedParameter, Prior
from simulate.streams import FloatArray


def believed(parameter: EstimatedParameter, places: FloatArray) -> FloatArray:
    """Values of a parameter, not on its scale, at standard normal places of its prior, cut off at its bounds.

    Without a prior a parameter is uniform on its scale between its bounds.

    Raises
    ------
    InputError
        ``petab.prior``: the prior has nothing between the bounds.
    """
    scale = parameter.scale if parameter.prior is None else parameter.prior.scale
    low, high = (
        -math.inf if scale != "lin" and one <= 0.0 else _on_scale(one, scale)[0]
        for one in (parameter.lower, parameter.upper)
    )
    prior = parameter.prior or Prior("uniform", scale, low, high)
    # In the lower tail, where shares keep their digits.
    is_mirrored = low + high > 2.0 * prior.first and prior.kind != "uniform"
    if is_mirrored:
        low, high, places = 2.0 * prior.first - high, 2.0 * prior.first - low, -places
    from scipy.special import ndtr

    first, last = (_share_below(prior, one) for one in (low, high))
    if not last > first:
        raise InputError(
            f"the prior of `{parameter.id}` has nothing between its bounds",
            code="petab.prior",
            where=parameter.where,
            found=f"{prior.kind} with {prior.first:g} and {prior.second:g}",
            expected=f"something between {parameter.lower:g} and {parameter.upper:g}",
        )
    found = _quantile(prior, first + ndtr(places) * (last - first))
    if is_mirrored:
        found = 2.0 * prior.first - found
    values = found if scale == "lin" else np.exp(found * (1.0 if scale == "log" else math.log(10.0)))
    return np.clip(values, parameter.lower, parameter.upper)


def _quantile(prior: Prior, shares: FloatArray) -> FloatArray:
    from scipy.special import ndtri

    if prior.kind == "uniform":
        return np.asarray(prior.first + shares * (prior.second - prior.first))
    if prior.kind == "normal":
        return np.asarray(prior.first + prior.second * ndtri(shares))
    tail = np.log(2.0 * np.minimum(shares, 1.0 - shares))
    return np.asarray(prior.first + prior.second * np.where(shares < 0.5, tail, -tail))


def log_density(prior: Prior, value: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """Logarithm of the density of a prior at a value, and its derivative by the value.

    Parameters
    ----------
    prior
        The prior.
    value
        The value, not on a scale.
    bounds
        Bounds of the parameter, between which a truncated prior is normalized.
    """
    place, slope, curvature = _on_scale(value, prior.scale)
    density, by_place = _plain(prior, place)
    if prior.is_density_of_value:
        # The density of the value is that of its logarithm times the derivative of the logarithm.
        density, by_place = density + math.log(slope), by_place + curvature
    if prior.truncated:
        low, high = (_share(prior, bound) for bound in bounds)
        density -= math.log(high - low) if high > low else -math.inf
    return density, by_place * slope


def _on_scale(value: float, scale: str) -> tuple[float, float, float]:
    """A value on a scale, its derivative, and the derivative of the logarithm of that by the value on the scale."""
    if scale == "lin":
        return value, 1.0, 0.0
    base = 1.0 if scale == "log" else math.log(10.0)
    return math.log(value) / base, 1.0 / (value * base), -base


def _plain(prior: Prior, place: float) -> tuple[float, float]:
    """Logarithm of the density on the scale, and its derivative."""
    first, second = prior.first, prior.second
    if prior.kind == "uniform":
        return (-math.log(second - first), 0.0) if first <= place <= second else (-math.inf, 0.0)
    distance = (place - first) / second
    if prior.kind == "normal":
        return -0.5 * math.log(2.0 * math.pi) - math.log(second) - 0.5 * distance**2, -distance / second
    return -math.log(2.0 * second) - abs(distance), -math.copysign(1.0, distance) / second


def _share(prior: Prior, bound: float) -> float:
    """Share of a prior below a bound."""
    if prior.scale != "lin" and bound <= 0.0:
        return 0.0
    return _share_below(prior, bound if math.isinf(bound) else _on_scale(bound, prior.scale)[0])


def _share_below(prior: Prior, place: float) -> float:
    """Share of a prior below a place on its scale."""
    first, second = prior.first, prior.second
    if prior.kind == "uniform":
        return min(max((place - first) / (second - first), 0.0), 1.0)
    distance = (place - first) / second
    if prior.kind == "normal":
        return 0.5 * math.erfc(-distance / math.sqrt(2.0))
    return 0.5 * math.exp(distance) if distance < 0.0 else 1.0 - 0.5 * math.exp(-distance)
