"""Ensembles of parts of a cohort, joined into one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import numpy.typing as npt

from simulate.cohort.draws import Cohort
from simulate.cohort.ensemble import Ensemble
from simulate.solver.kernel import IntArray
from simulate.solver.trajectories import Trajectories


def joined(parts: Sequence[Ensemble], cohort: Cohort) -> Ensemble:
    """One ensemble of those of some members of a cohort each, in its order and in the same arms; no derivatives."""
    first = parts[0]
    if len(parts) == 1:
        return first
    begins = np.cumsum([0, *(part.cohort.members for part in parts)])
    members = int(begins[-1])

    def rows(of: Callable[[Trajectories], npt.NDArray[Any]]) -> npt.NDArray[Any]:
        blocks = [of(part.trajectories) for part in parts]
        shaped = [block.reshape(*part.shape, *block.shape[1:]) for part, block in zip(parts, blocks, strict=True)]
        together = np.concatenate(shaped, axis=1)
        return together.reshape(-1, *together.shape[2:])

    def row(part: int, own: int) -> int:
        arm, place = divmod(own, parts[part].cohort.members)
        return arm * members + int(begins[part]) + place

    told = [(number, part.trajectories) for number, part in enumerate(parts)]
    failures = [replace(one, member=row(number, one.member)) for number, part in told for one in part.failures]
    rules = [replace(one, member=row(number, one.member)) for number, part in told for one in part.occurrences]
    trajectories = replace(
        first.trajectories,
        values=rows(lambda part: part.values),
        status=rows(lambda part: part.status),
        counters=rows(lambda part: part.counters),
        failures=tuple(sorted(failures, key=lambda one: one.member)),
        occurrences=tuple(sorted(rules, key=lambda one: (one.member, one.time))),
        chosen=None if first.trajectories.chosen is None else rows(_chosen_methods),
    )
    return replace(
        first,
        cohort=cohort,
        parameter_values=np.concatenate([part.parameter_values for part in parts], axis=1),
        trajectories=trajectories,
    )


def _chosen_methods(trajectories: Trajectories) -> IntArray:
    assert trajectories.chosen is not None
    return trajectories.chosen
