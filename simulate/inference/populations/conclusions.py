"""What populations made in different ways say, and whether it depends on the way."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulate.errors import InputError, listed
from simulate.streams import FloatArray, IntArray, stream

_RESAMPLED = 1000
"""Populations drawn again for an interval."""


@dataclass(frozen=True, slots=True, eq=False)
class Question:
    """A weighted mean over patients.

    Attributes
    ----------
    name
        What is asked.
    values
        What it is in each patient, shape [patient].
    among
        Probability that a patient is one of those it is asked of, shape [patient]; 1 for all if None.
    error
        What the values may be wrong by: ways that differ by no more do not differ.
    """

    name: str
    values: FloatArray
    among: FloatArray | None = None
    error: float = 0.0


@dataclass(frozen=True, slots=True, eq=False)
class Way:
    """A population made in one way.

    Attributes
    ----------
    name
        Of the way.
    weights
        Shape [patient]; they need not add up to 1.
    questions
        Answered on the patients of this way, the same questions in the same order in every way.
    clusters
        Number of the group of patients, such as a chain, who are not independent of each other, shape [patient];
        each patient by itself if None.
    """

    name: str
    weights: FloatArray
    questions: tuple[Question, ...]
    clusters: IntArray | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A mean with its 90 % interval, which is that of the finite number of patients and of nothing else."""

    value: float
    low: float
    high: float

    def holds(self, value: float) -> bool:
        """Whether a value is in the interval."""
        return self.low <= value <= self.high


@dataclass(frozen=True, slots=True)
class Conclusion:
    """The answers of all ways to one question.

    Attributes
    ----------
    question
        What was asked.
    answers
        By name of the way.
    spread
        Largest answer minus least.
    apart
        Two ways that differ by more than both of their intervals, neither of which holds the answer of the other, and
        than the error of the simulation. None if there are no such ways.
    """

    question: str
    answers: Mapping[str, Answer]
    spread: float
    apart: tuple[str, str] | None

    @property
    def is_method_dependent(self) -> bool:
        """Whether what is concluded depends on the way."""
        return self.apart is not None


def conclude(ways: Sequence[Way], *, seed: int) -> tuple[Conclusion, ...]:
    """Answer the questions in every way.

    Parameters
    ----------
    ways
        Populations with the same questions.
    seed
        Key of the resampling of patients; the way is part of the key.

    Raises
    ------
    InputError
        ``populations.questions``: ways that do not answer the same. ``populations.nobody``: a question about patients
        of whom there are none.
    """
    names = [question.name for question in ways[0].questions]
    for way in ways:
        if [question.name for question in way.questions] != names:
            raise InputError(
                f"`{way.name}` does not answer the questions of `{ways[0].name}`",
                code="populations.questions",
                found=", ".join(f"`{question.name}`" for question in way.questions) or "none",
                expected=listed(names),
            )
    answers = {way.name: _answers(way, seed) for way in ways}
    errors = [max(way.questions[index].error for way in ways) for index in range(len(names))]
    return tuple(
        _conclusion(name, {way: found[index] for way, found in answers.items()}, errors[index])
        for index, name in enumerate(names)
    )


def _answers(way: Way, seed: int) -> list[Answer]:
    clusters = np.arange(len(way.weights)) if way.clusters is None else np.unique(way.clusters, return_inverse=True)[1]
    number = int(clusters.max()) + 1
    # Of a question only the sums over each cluster matter.
    sums = []
    for question in way.questions:
        weights = way.weights if question.among is None else way.weights * question.among
        above = np.bincount(clusters, weights * question.values, number)
        below = np.bincount(clusters, weights, number)
        if not below.sum() > 0.0:
            raise InputError(
                f"`{question.name}` is asked of patients of whom `{way.name}` has none", code="populations.nobody"
            )
        sums.append((above, below))
    found = np.empty((_RESAMPLED, len(sums)))
    for turn in range(_RESAMPLED):
        counts = np.bincount(
            stream(seed, f"resampling: {way.name}", turn).integers(number, size=number), minlength=number
        )
        for index, (above, below) in enumerate(sums):
            total = float((counts * below).sum())
            found[turn, index] = float((counts * above).sum()) / total if total > 0.0 else np.nan
    low, high = np.nanquantile(found, (0.05, 0.95), axis=0)
    return [
        Answer(float(above.sum() / below.sum()), float(low[index]), float(high[index]))
        for index, (above, below) in enumerate(sums)
    ]


def _conclusion(question: str, answers: Mapping[str, Answer], error: float) -> Conclusion:
    values = [answer.value for answer in answers.values()]
    pairs = [
        (abs(answers[a].value - answers[b].value), a, b)
        for a in answers
        for b in answers
        if a < b
        and abs(answers[a].value - answers[b].value) > error
        and not answers[a].holds(answers[b].value)
        and not answers[b].holds(answers[a].value)
    ]
    apart = max(pairs)[1:] if pairs else None
    return Conclusion(question, answers, max(values) - min(values), apart)
