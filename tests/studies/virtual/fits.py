"""A result of a fit that no fit has made: draws of the prior."""

from __future__ import annotations

from functools import cache

import numpy as np

from simulate.streams import normals
from simulate.studies.fitting.keys import fit_key
from simulate.studies.fitting.posterior import Diagnostics, Estimate, Posterior, Settings
from simulate.studies.fitting.problem import problem_for

SETTINGS = Settings(final_patients=8, kept=16)


@cache
def fitted(hypothesis: str) -> Posterior:
    problem = problem_for(hypothesis)
    points = normals(1, "draws of no fit", np.arange(16), problem.dimension)
    items = tuple(item.name for item in problem.evidence.data)
    nothing = (0.0, 0.0, 0.0)
    return Posterior(
        hypothesis=hypothesis,
        key=fit_key(problem, SETTINGS),
        settings=SETTINGS,
        estimates=tuple(
            Estimate(part.name, part.meaning, part.unit, part.role.value, nothing, nothing, 0.0, 1.0, "prior")
            for part in problem.free
        ),
        diagnostics=Diagnostics(1.0, 16.0, 0.0, (0.0,), 0.0, 0.0, 0, (), 0.0, 1, ()),
        log_evidence=0.0,
        errors=nothing,
        points=points,
        items=items,
        log_likelihoods=np.zeros((16, len(items))),
        shares=np.zeros(len(items)),
    )
