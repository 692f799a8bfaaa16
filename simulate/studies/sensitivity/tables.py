"""Sensitivities as plain values: for JSON and CSV, and in the order in which a reader wants them."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import numpy.typing as npt

from simulate.solver.kernel import FloatArray
from simulate.studies.sensitivity.analysis import Sensitivity
from simulate.studies.sensitivity.question import SensitivityQuestion
from simulate.tabular import ResultTable, finite, table_of

UNDEFINED = "undefined"
"""Share of the variance of what does not vary."""


UNKNOWN = "not known"
"""Share of the variance that too few rows cannot tell."""

_MOST_OF_ALL = 1.5
"""Share of the variance from which on an interval says that there were too few rows to know it: the whole is one."""


def are_known(intervals: FloatArray) -> npt.NDArray[np.bool_]:
    """Of which inputs there were enough rows to know a share of the variance, by its intervals, shape [input, 2]."""
    found: npt.NDArray[np.bool_] = ~(np.abs(intervals).max(axis=1) > _MOST_OF_ALL)
    return found


def order_of(found: Sensitivity) -> list[int]:
    """Numbers of the inputs, the most important first: by share, or else by effect, or else by what a swing does.

    Those whose share with interactions is not known are last.
    """
    if found.shares is not None and found.shares.is_defined:
        size = np.where(are_known(found.shares.total_interval), found.shares.total, -np.inf)
    elif found.effects is not None:
        size = found.effects.size
    else:
        size = np.nan_to_num(np.abs(found.high - found.low))
    order: list[int] = np.argsort(-size, kind="stable").tolist()
    return order


def rows(question: SensitivityQuestion, found: Sensitivity) -> list[dict[str, Any]]:
    """One row for each input, the most important first; None where something was not asked for or is undefined."""
    table = []
    for index in order_of(found):
        part = question.inputs[index]
        row: dict[str, Any] = {
            "endpoint": found.endpoint.text,
            "input": part.name,
            "meaning": part.meaning,
            "unit": found.endpoint.unit,
            "low": finite(found.low[index]),
            "high": finite(found.high[index]),
            "slope": finite(found.slope[index]),
            "scaled_slope": finite(found.scaled_slope[index]),
        }
        shares, effects = found.shares, found.effects
        for name in ("first", "total"):
            row[name] = None if shares is None else finite(getattr(shares, name)[index])
            ends = (None, None) if shares is None else getattr(shares, f"{name}_interval")[index].tolist()
            row |= {f"{name}_{side}": finite(end) for side, end in zip(("low", "high"), ends, strict=True)}
        row["effect"] = None if effects is None else finite(effects.mean[index])
        row["effect_size"] = None if effects is None else finite(effects.size[index])
        row["effect_spread"] = None if effects is None else finite(effects.spread[index])
        ends = (None, None) if effects is None else effects.size_interval[index].tolist()
        row |= {f"effect_size_{side}": finite(end) for side, end in zip(("low", "high"), ends, strict=True)}
        table.append(row)
    return table


def stands_on(question: SensitivityQuestion) -> str:
    """Within what the free numbers vary, or the parameters of a user's model."""
    if not question.problem.free:
        return "what is assumed or known of how patients differ"
    return "their priors" if question.draws is None else question.draws.origin


def document(question: SensitivityQuestion, results: Sequence[Sensitivity], settings: dict[str, Any]) -> dict[str, Any]:
    """Everything as plain values."""
    return {
        "scenario": question.study.scenario.name,
        "hypothesis": question.problem.label,
        "arm": question.study.arms[question.arm].name,
        "vary_within": stands_on(question),
        "settings": settings,
        "not_varied": list(question.unvaried),
        "endpoints": [
            {
                "endpoint": found.endpoint.text,
                "title": found.endpoint.title,
                "unit": found.endpoint.unit,
                "middle": finite(found.middle),
                "mean": None if found.shares is None else finite(found.shares.mean),
                "sd": None if found.shares is None else finite(math.sqrt(found.shares.variance)),
                "shares": None if found.shares is None else ("defined" if found.shares.is_defined else UNDEFINED),
                "inputs": [
                    {key: value for key, value in row.items() if key not in ("endpoint", "unit")}
                    for row in rows(question, found)
                ],
            }
            for found in results
        ],
    }


def tables(question: SensitivityQuestion, results: Sequence[Sensitivity]) -> dict[str, ResultTable]:
    """Tables by name: all endpoints in one."""
    return {"sensitivity": table_of([row for found in results for row in rows(question, found)])}
