"""Who has a steady baseline, and why the others have none.

A patient whose baseline asks for a negative flow of cells is refused with the reason and never repaired. How often that
happens says whether the spreads and the structure of a model fit together.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

import numpy as np

from simulate.cohort.arms import Arm
from simulate.cohort.draws import Cohort
from simulate.cohort.ensemble import simulate_cohort
from simulate.regimen.doses import Plan
from simulate.symbolic.model import Model


@dataclass(frozen=True, slots=True)
class Feasibility:
    """How many of a cohort have no steady baseline.

    Attributes
    ----------
    hypothesis
        Of the model.
    members
        Size of the cohort.
    reasons
        Sentences and how many members each holds for, the most frequent first. A member with several faults counts for
        the one that the model names first.
    """

    hypothesis: str
    members: int
    reasons: tuple[tuple[str, int], ...]

    @property
    def share(self) -> float:
        """Infeasible members among all, from 0 to 1."""
        return sum(count for _, count in self.reasons) / self.members


def feasibility(model: Model, cohort: Cohort, *, threads: int | None = None) -> Feasibility:
    """Try the baseline of every member of a cohort; nothing is integrated."""
    ensemble = simulate_cohort(model, (Arm("baseline", Plan()),), cohort, np.zeros(1), threads=threads)
    found = Counter(failure.failure.reason for failure in ensemble.failures)
    ordered = sorted(found.items(), key=lambda item: (-item[1], item[0]))
    return Feasibility(model.hypothesis, cohort.members, tuple(ordered))
