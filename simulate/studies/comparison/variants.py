"""Other priors, noise, doubts and readings in a comparison, without another fit: draws are weighted anew.

The draws of a posterior are weighted anew: with another prior π′ the log-evidence changes by the logarithm of the mean
of π′/π over them, with another likelihood L′ by that of L′/L. The shape of the tail of these weights says whether that
can be trusted. A variant is the same for all hypotheses.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from simulate.evidence.items import Item, Standing
from simulate.inference.polish import WORST_TAIL, pareto_shape
from simulate.streams import FloatArray
from simulate.studies.fitting.known_fits import Fit
from simulate.studies.fitting.priors import COMMON, Free, Role, prior_rows
from simulate.sums import logsumexp

FACTOR = 1.5
"""Factor on the standard deviations of priors, either way."""

DOUBT = 3.0
"""Factor on the doubt in items of a standing, either way."""

_MOST_DOUBT = 0.95

_GRADES = ("widening_read", "widening_calculated", "widening_recalled", "widening_assumed")

_FEWEST = 10
"""Draws that must be possible under another belief; of fewer nothing is known."""


class Sort(enum.Enum):
    """The kind of belief that a variant changes."""

    PRIORS = "priors"
    NUMBER = "the prior of one number"
    NOISE = "measurement noise"
    DOUBT = "doubt"
    READING = "a reading"


LogRatio = Callable[[Fit], FloatArray]
"""Logarithm of the new density over the old at the draws of a fit, shape [draw]."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One other belief."""

    #: What a reader sees.
    name: str
    sort: Sort
    log_ratio: LogRatio  #: The new density over the old


@dataclass(frozen=True, slots=True)
class Change:
    """The change of the log-evidence of a hypothesis under a variant."""

    value: float  #: Change of the log-evidence
    tail: float  #: Shape of the tail of the weights

    @property
    def is_known(self) -> bool:
        return self.tail < WORST_TAIL


def change(variant: Variant, fit: Fit) -> Change:
    """The change of the log-evidence of a hypothesis under a variant."""
    logs = variant.log_ratio(fit)
    if np.isfinite(logs).sum() < _FEWEST:
        return Change(-np.inf, np.inf)
    value = float(logsumexp(logs) - np.log(len(logs)))
    return Change(value, pareto_shape(np.exp(logs - logs.max())) if np.ptp(logs) > 1e-12 else 0.0)


def variants(fits: Sequence[Fit]) -> tuple[Variant, ...]:
    """All variants of a comparison; those of doubts and readings only if every fit has kept what they need."""
    found = [*_of_priors(), *_of_numbers(fits), *_of_noise(fits)]
    if all(fit.posterior.support is not None for fit in fits):
        items = fits[0].problem.data
        found += [*_of_doubts(items), *_of_readings(items)]
    return tuple(found)


_EITHER_WAY = (("1.5 times as wide", FACTOR), ("1.5 times as narrow", 1.0 / FACTOR))


def _of_priors() -> list[Variant]:
    scale = [prior_rows()[name].value for name in _GRADES]

    def graded(step: int, part: Free) -> float:
        place = int(np.argmin(np.abs(np.array(scale) - part.widening)))
        return scale[min(max(place + step, 0), len(scale) - 1)]

    def is_own(part: Free) -> bool:
        return part.role in (Role.TYPICAL, Role.CENTER) and part.name not in COMMON

    found = [Variant(f"all priors {word}", Sort.PRIORS, _scaled(lambda part: True, by)) for word, by in _EITHER_WAY]
    found += [
        Variant(f"priors of what a hypothesis adds {word}", Sort.PRIORS, _scaled(is_own, by))
        for word, by in _EITHER_WAY
    ]
    found += [
        Variant(f"every grade one {word}", Sort.PRIORS, _repriced(functools.partial(graded, step)))
        for word, step in (("better", -1), ("worse", 1))
    ]
    return found


def _of_numbers(fits: Sequence[Fit]) -> list[Variant]:
    def is_named(name: str, part: Free) -> bool:
        return _label(part) == name

    return [
        Variant(f"prior of {name} {word}", Sort.NUMBER, _scaled(functools.partial(is_named, name), by))
        for name in dict.fromkeys(_label(part) for fit in fits for part in fit.problem.free)
        for word, by in _EITHER_WAY
    ]


def _of_noise(fits: Sequence[Fit]) -> list[Variant]:
    """Readings better, or worse, than two thirds of the prior of their noise have it."""
    found = {}
    for part in (part for fit in fits for part in fit.problem.free if part.role is Role.NOISE):
        for word, place in (("below", 1.0 / 3.0), ("above", 2.0 / 3.0)):
            edge = float(ndtri(place))
            name = f"{_label(part)} {word} {part.values(np.array([edge]))[0]:.2g}"
            found[name] = Variant(name, Sort.NOISE, _within_third(part.name, edge, is_below=word == "below"))
    return list(found.values())


def _within_third(name: str, edge: float, *, is_below: bool) -> LogRatio:
    """The prior of one number, of which only the lower or the upper third is left."""

    def log_ratio(fit: Fit) -> FloatArray:
        column = [part.name for part in fit.problem.free].index(name)
        coordinates = fit.posterior.points[:, column]
        is_left = coordinates < edge if is_below else coordinates > edge
        return np.where(is_left, np.log(3.0), -np.inf)

    return log_ratio


def _scaled(chosen: Callable[[Free], bool], by: float) -> LogRatio:
    """Priors of some numbers with their deviations multiplied."""

    def widening(part: Free) -> float:
        return part.widening * by if chosen(part) else part.widening

    return _repriced(widening)


def _label(part: Free) -> str:
    return part.name.replace("_", " ", 1) if part.role is not Role.TYPICAL else part.name


def _repriced(widening: Callable[[Free], float]) -> LogRatio:
    def log_ratio(fit: Fit) -> FloatArray:
        total = np.zeros(len(fit.posterior.points))
        for column, part in enumerate(fit.problem.free):
            other = widening(part)
            if other != part.widening:
                total += part.log_ratio(fit.posterior.points[:, column], other)
        return total

    return log_ratio


def _of_doubts(items: Sequence[Item]) -> list[Variant]:
    def doubt(standing: Standing, by: float, item: Item) -> float:
        return min(item.doubt * by, _MOST_DOUBT) if item.standing is standing else item.doubt

    return [
        Variant(
            f"doubt in what is {standing.value} {word}",
            Sort.DOUBT,
            _reread(functools.partial(doubt, standing, by), _shares),
        )
        for standing in dict.fromkeys(item.standing for item in items)
        for word, by in (("times 3", DOUBT), ("a third", 1.0 / DOUBT))
    ]


def _of_readings(items: Sequence[Item]) -> list[Variant]:
    def alone(name: str, place: int) -> Callable[[Item], FloatArray]:
        def shares(item: Item) -> FloatArray:
            return np.eye(len(item.readings))[place] if item.name == name else _shares(item)

        return shares

    return [
        Variant(
            f"{item.name} read as: {reading.name}",
            Sort.READING,
            _reread(lambda item: item.doubt, alone(item.name, place)),
        )
        for item in items
        if len(item.readings) > 1
        for place, reading in enumerate(item.readings)
    ]


def _shares(item: Item) -> FloatArray:
    return np.array([reading.share for reading in item.readings])


def _reread(doubt: Callable[[Item], float], shares: Callable[[Item], FloatArray]) -> LogRatio:
    def log_ratio(fit: Fit) -> FloatArray:
        support = fit.posterior.support
        total = np.zeros(len(fit.posterior.points))
        if support is None:
            return total
        for item, alone in zip(fit.problem.data, support.readings, strict=True):
            before = (item.doubt, _shares(item))
            after = (doubt(item), shares(item))
            if before[0] != after[0] or not np.array_equal(before[1], after[1]):
                total += _item(item, alone, *after) - _item(item, alone, *before)
        return total

    return log_ratio


def _item(item: Item, alone: FloatArray, doubt: float, shares: FloatArray) -> FloatArray:
    """Log-likelihood of an item from those of its readings alone; see `simulate.evidence.likelihoods`."""
    floors = np.array([reading.statement.log_floor() for reading in item.readings])
    with np.errstate(divide="ignore"):
        logs = np.log(shares)
        parts = np.concatenate(
            [np.log1p(-doubt) + logs + alone, np.log(doubt) + np.broadcast_to(logs + floors, alone.shape)], axis=1
        )
    total: FloatArray = logsumexp(parts, axis=1)
    return total
