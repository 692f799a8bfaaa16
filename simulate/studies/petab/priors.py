"""Densities of the priors of estimation problems."""

from __future__ import annotations

import math

from simulate.exchange.petab.problem import Prior


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
    place = bound if math.isinf(bound) else _on_scale(bound, prior.scale)[0]
    first, second = prior.first, prior.second
    if prior.kind == "uniform":
        return min(max((place - first) / (second - first), 0.0), 1.0)
    distance = (place - first) / second
    if prior.kind == "normal":
        return 0.5 * math.erfc(-distance / math.sqrt(2.0))
    return 0.5 * math.exp(distance) if distance < 0.0 else 1.0 - 0.5 * math.exp(-distance)
