"""Distributions of a reported statistic in repeated studies of simulated populations."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from simulate.evidence.items import Evidence, Reading
from simulate.evidence.kinds.directions import WAYS, Direction
from simulate.evidence.resampling import Trials
from simulate.evidence.rounding import half_step
from simulate.evidence.trial_observations import TrialObservations
from simulate.streams import FloatArray

_TRIALS = Trials(count=128, seed=1)
"""Repeated studies of each population; other numbers than those of the likelihood."""


@dataclass(frozen=True, slots=True, eq=False)
class Predicted:
    """Distribution of a statistic in repeated studies."""

    values: FloatArray  #: Statistics of repeated studies, shape [study]
    #: Middle and central 90 % interval.
    median: float
    low: float
    high: float
    #: Two-sided probability of a statistic at least as far out as the printed one; where only a direction was printed,
    #: the probability of the other direction. None if nothing was printed that could be compared.
    tail_probability: float | None


def figures_of(reading: Reading, seen: TrialObservations, trials: Trials = _TRIALS) -> FloatArray:
    """Figures of repeated studies, shape [study, figure]: ``trials`` of the first population, then of the second."""
    numbers = reading.statement.imitate(reading.subject, seen, trials)
    return numbers.reshape(-1, numbers.shape[-1])


def reported_figure(statement: object, figure: str) -> float | None:
    """The printed number; of a statement about each of n people the count is n."""
    name = {"least": "ceiling"}.get(figure, figure)
    value = getattr(statement, name, None)
    if value is None and isinstance(statement, Direction) and figure == "count":
        return float(statement.n)
    return None if value is None else float(value)


def prediction(values: FloatArray, reported: float | None, way: str) -> Predicted | None:
    """Distribution of a figure in repeated studies, shape [study]; None if it is defined in none of them."""
    known = values[np.isfinite(values)]
    if not len(known):
        return None
    low, median, high = np.quantile(known, (0.05, 0.5, 0.95)).tolist()
    tail = None
    if reported is not None:
        # What would be printed the same is as far out as what was printed.
        slack = half_step(reported)
        sides = (known <= reported + slack).mean(), (known >= reported - slack).mean()
        tail = min(1.0, 2.0 * float(min(sides)))
    elif way:
        tail = float((WAYS[way] * known <= 0.0).mean())
    return Predicted(known, median, low, high, tail)


def direction_of(statement: object, reported: float | None) -> str:
    """``up`` or ``down`` where a direction and no number was printed; empty otherwise."""
    return statement.way if isinstance(statement, Direction) and reported is None else ""


def tails(evidence: Evidence, seen: TrialObservations, *, before: str = "") -> tuple[tuple[str, str, float], ...]:
    """Item, figure and tail probability of every figure that is fitted, under the reading believed most."""
    found = []
    for item in evidence.data:
        most = item.most
        numbers = figures_of(most, seen.of_arm(item.arm))
        for index, figure in enumerate(most.statement.figures):
            reported = reported_figure(most.statement, figure)
            predicted = prediction(numbers[:, index], reported, direction_of(most.statement, reported))
            if predicted is not None and predicted.tail_probability is not None:
                found.append((before + item.name, figure, predicted.tail_probability))
    return tuple(found)
