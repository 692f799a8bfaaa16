"""Likelihood of reported values, given simulated patients: item by item, over all readings and doubt.

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
    return ItemTerm(logsumexp(parts, axis=-1), by_reading)


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
