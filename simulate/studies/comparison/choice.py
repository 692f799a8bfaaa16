"""Whether comparison chooses the right hypothesis: data are simulated under each, and all are compared by them.

Each hypothesis has a bank of populations that are simulated once: draws of what all hypotheses share, the same for all,
each with every draw of what is its own. A made-up abstract is that of one of them, and its likelihood under every
population of every bank is algebra. Two evidences come of it. In the first the bank is the prior: the evidence is then
exact, however few populations matter, and a wrong hypothesis has odds above k with a probability of at most 1/k. It
favors the right hypothesis, which knows its own numbers exactly. In the second these are left out of its bank, which is
against it, the more so the more the data say. No repeat is ever dropped.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np

from simulate.errors import InputError
from simulate.evidence.items import Evidence, Item, Reading
from simulate.evidence.likelihoods import log_likelihood
from simulate.streams import FloatArray, stream
from simulate.studies.fitting.calibration import made_up
from simulate.studies.fitting.problem import Problem, only_trial
from simulate.studies.fitting.simulated_trial import SimulatedTrial, simulated_trial
from simulate.sums import logsumexp

Stated = TypeVar("Stated", Item, Reading)

_TIE = 0.01
"""Log-odds that are none: two hypotheses that say the same of everything printed."""


@dataclass(frozen=True, slots=True, eq=False)
class Choice:
    """Odds in made-up abstracts."""

    names: tuple[str, ...]  #: Hypotheses
    #: Log-evidence of each hypothesis, shape [true hypothesis, repeat, hypothesis]: with the true numbers of the true
    #: hypothesis in its bank, and without them.
    known: FloatArray
    unknown: FloatArray
    effective: FloatArray  #: Populations of the true hypothesis' bank that matter, shape [true hypothesis, repeat]

    def log_odds(self, *, is_known: bool = True) -> FloatArray:
        """Log-odds of each hypothesis against the true one, shape [true hypothesis, repeat, hypothesis]."""
        found = self.known if is_known else self.unknown
        own = np.stack([found[true, :, true] for true in range(len(self.names))])
        return found - own[:, :, np.newaxis]

    def wrong(self, odds: float, *, is_known: bool = True) -> FloatArray:
        """How often a wrong hypothesis has at least these odds against the true one, shape [true, hypothesis]."""
        share: FloatArray = (self.log_odds(is_known=is_known) > np.log(odds)).mean(axis=1)
        return share

    def right(self, odds: float, *, is_known: bool = True) -> FloatArray:
        """How often the true hypothesis has at least these odds against another, shape [true, hypothesis]."""
        share: FloatArray = (self.log_odds(is_known=is_known) < -np.log(odds)).mean(axis=1)
        return share

    def is_likeliest(self, *, is_known: bool = True) -> FloatArray:
        """How often no other hypothesis is likelier than the true one, shape [true]; ties count as right."""
        share: FloatArray = (self.log_odds(is_known=is_known).max(axis=2) <= _TIE).mean(axis=1)
        return share


def document(found: Choice) -> dict[str, Any]:
    """Log-odds and rates as plain values, for JSON."""
    return {
        "hypotheses": list(found.names),
        "repeats": found.known.shape[1],
        **{
            name: {
                "right_is_likeliest": found.is_likeliest(is_known=is_known).tolist(),
                "wrong_above_3": found.wrong(3.0, is_known=is_known).tolist(),
                "wrong_above_10": found.wrong(10.0, is_known=is_known).tolist(),
                "right_above_3": found.right(3.0, is_known=is_known).tolist(),
                "median_log_odds": np.median(found.log_odds(is_known=is_known), axis=1).tolist(),
            }
            for name, is_known in (("true_numbers_known", True), ("true_numbers_left_out", False))
        },
        "effective": found.effective.tolist(),
    }


def calibrate_choice(
    problems: Sequence[Problem],
    *,
    repeats: int,
    draws: int = 24,
    patients: int = 16,
    larger: int = 1,
    seed: int = 1,
    threads: int | None = None,
    report: Callable[[int], None] | None = None,
) -> Choice:
    """Choose between hypotheses with the same evidence in made-up abstracts, so many under each.

    A bank has the product of ``draws`` of what is shared and of what is each hypothesis' own; ``patients`` are of each
    population, and ``larger`` is a factor on the number of people behind each item.
    """
    for problem in problems:
        only_trial(problem, "a choice in made-up abstracts")
    tell = report or (lambda done: None)
    evidence = enlarged(problems[0].evidence, larger)
    shared = set.intersection(*({part.name for part in problem.free} for problem in problems))
    banks = []
    for problem in problems:
        banks.append(_bank(problem, shared, draws, patients, seed, threads))
        tell(1)
    shape = (len(problems), repeats, len(problems))
    known, unknown, effective = np.empty(shape), np.empty(shape), np.empty(shape[:2])
    for true, (problem, own) in enumerate(zip(problems, banks, strict=True)):
        places = np.flatnonzero(own.feasible)
        is_alone = shared.issuperset(part.name for part in problem.free)
        for repeat in range(repeats):
            # Numbers of its own for each hypothesis: what chance does to one must not be done to all.
            random = stream(seed, f"choice truth {problem.label}", repeat)
            at = int(places[random.integers(len(places))])
            printed = made_up(evidence, own.seen.part(at, at + 1), int(random.integers(2**31)), repeat)
            for other, bank in enumerate(banks):
                logs = np.full(len(bank.feasible), -np.inf)
                logs[bank.feasible] = log_likelihood(printed, bank.seen.rows(bank.feasible)).total
                known[true, repeat, other] = unknown[true, repeat, other] = _mean(logs[bank.feasible])
                if other == true:
                    weights = np.exp(logs - logs.max())
                    effective[true, repeat] = weights.sum() ** 2 / np.square(weights).sum()
                    rest = bank.feasible & (is_alone | (np.arange(len(logs)) % draws != at % draws))
                    unknown[true, repeat, other] = _mean(logs[rest])
            tell(1)
    return Choice(tuple(problem.label for problem in problems), known, unknown, effective)


def _mean(logs: FloatArray) -> float:
    return float(logsumexp(logs) - np.log(len(logs)))


def _bank(
    problem: Problem, shared: Collection[str], draws: int, patients: int, seed: int, threads: int | None
) -> SimulatedTrial:
    """Populations as a trial would see them; number ``s * draws + o`` has draw s of what is shared and o of its own."""
    first, second = np.divmod(np.arange(draws * draws), draws)
    columns = [
        stream(seed, f"choice bank: {part.name}", 0).standard_normal(draws)[first if part.name in shared else second]
        for part in problem.free
    ]
    trial = simulated_trial(problem, np.column_stack(columns), patients=patients, seed=seed, threads=threads)
    if not trial.feasible.any():
        raise InputError(f"the prior of `{problem.label}` has hardly a feasible point", code="compare.calibration")
    return trial


def enlarged(evidence: Evidence, factor: int) -> Evidence:
    """The same items, each of so many times as many people; p-values and ceilings stay as they are."""

    def of(part: Stated) -> Stated:
        return dataclasses.replace(part, statement=part.statement.enlarged(factor))

    items = (dataclasses.replace(of(item), readings=tuple(map(of, item.readings))) for item in evidence.items)
    return Evidence(evidence.source, tuple(items))
