"""How likely simulated patients make what was printed: item by item, with all readings and the doubt beside them.

Of an item with readings r of shares π_r, and the probability ε that it means nothing of the kind::

    L = (1 − ε) Σ_r π_r L_r + ε Σ_r π_r U_r

where U_r is a broad density in the units of the reading that is the same under all hypotheses. It is a predictive
density and not a weight: evidences of hypotheses remain comparable. Given the population, items are multiplied as if
each had patients of its own.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulate.errors import NumericalError
from simulate.evidence.items import Evidence, Item
from simulate.evidence.trial_observations import TrialObservations
from simulate.streams import FloatArray
from simulate.sums import logsumexp

TOLERATED = 0.02
"""Share of a cohort that may fail numerically before its likelihood counts as unknown."""

_BLOCK = 256
"""Cohorts at a time: hundreds of simulated trials of each are in memory together."""


@dataclass(frozen=True, slots=True, eq=False)
class ItemTerm:
    """Contribution of an item."""

    total: FloatArray  #: Logarithm of the likelihood with all readings and the doubt, shape [cohort]
    by_reading: FloatArray  #: Logarithm of the likelihood of each reading alone, shape [cohort, reading]
    #: Probability of each reading, and last of none of them, given the item; shape [cohort, reading + 1].
    belief: FloatArray


@dataclass(frozen=True, slots=True, eq=False)
class Terms:
    """Contributions of all items that are fitted."""

    names: tuple[str, ...]  #: Names of the items
    #: Logarithms of likelihoods, shape [cohort, item]. Minus infinity for cohorts that are not resolved.
    values: FloatArray
    #: Cohorts of which so many patients failed numerically that nothing can be said, shape [cohort]. They are not
    #: unlikely: their share must be reported.
    unresolved: npt.NDArray[np.bool_]

    @property
    def total(self) -> FloatArray:
        summed: FloatArray = self.values.sum(axis=-1)
        return summed


def item_term(item: Item, seen: TrialObservations) -> ItemTerm:
    """Contribution of one item."""
    seen = seen.of_arm(item.arm)
    shares = np.array([reading.share for reading in item.readings])
    with np.errstate(divide="ignore"):
        log_shares, log_doubt, log_trust = np.log(shares), np.log(item.doubt), np.log1p(-item.doubt)
    by_reading = np.stack(
        [reading.statement.log_likelihood(reading.subject, seen) for reading in item.readings], axis=-1
    )
    floors = np.array([reading.statement.log_floor() for reading in item.readings])
    floor = np.full(seen.cohorts, log_doubt + logsumexp(log_shares + floors))
    parts = np.concatenate([log_trust + log_shares + by_reading, floor[:, np.newaxis]], axis=-1)
    total = logsumexp(parts, axis=-1)
    with np.errstate(invalid="ignore"):
        belief = np.exp(parts - total[:, np.newaxis])
    return ItemTerm(total, by_reading, belief)


def log_likelihood(evidence: Evidence, seen: TrialObservations) -> Terms:
    """Contributions of the items to which a model is fitted; checks and priors are left out.

    Parameters
    ----------
    seen
        What a trial would see of each of the cohorts.
    """
    items = evidence.data
    unresolved = seen.lost() > TOLERATED
    values = np.empty((seen.cohorts, len(items)))
    for first in range(0, seen.cohorts, _BLOCK):
        part = seen.part(first, first + _BLOCK)
        with np.errstate(invalid="ignore"):
            for column, item in enumerate(items):
                values[first : first + _BLOCK, column] = item_term(item, part).total
    wrong = np.isnan(values) & ~unresolved[:, np.newaxis]
    if wrong.any():
        cohort, place = (int(index[0]) for index in np.nonzero(wrong))
        raise NumericalError(
            f"the likelihood of `{items[place].name}` is not a number in cohort {cohort}",
            code="evidence.undefined",
            found=f"{int(wrong.sum())} such values",
            advice="look for levels that are zero or negative, and for groups to which nobody belongs",
        )
    values[unresolved] = -np.inf
    return Terms(tuple(item.name for item in items), values, unresolved)


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one item says of one cohort, as a reader wants it."""

    #: Name and the word of its standing.
    item: str
    standing: str
    #: Logarithms of its likelihood, and of what is left of it whatever a model does.
    log_likelihood: float
    floor: float
    #: The reading that explains it best in this cohort, and the probability of that reading; None for the reading if
    #: none of them is likelier than a broad density.
    reading: str | None
    belief: float


def contributions(evidence: Evidence, seen: TrialObservations, cohort: int = 0) -> tuple[Contribution, ...]:
    """Contributions of the fitted items in one cohort, in the order of the file."""
    rows = []
    for item in evidence.data:
        term = item_term(item, seen)
        belief = term.belief[cohort]
        best = int(np.argmax(belief))
        rows.append(
            Contribution(
                item=item.name,
                standing=item.standing.value,
                log_likelihood=float(term.total[cohort]),
                floor=float(term.total[cohort] + np.log(belief[-1])) if belief[-1] > 0.0 else -np.inf,
                reading=item.readings[best].name if best < len(item.readings) else None,
                belief=float(belief[best]),
            )
        )
    return tuple(rows)
