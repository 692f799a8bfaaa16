"""Repeated studies as plain values, for JSON and CSV."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from simulate.studies.trials.power import Power, SimulatedTrials
from simulate.tabular import ResultTable, table_of


def document(result: SimulatedTrials) -> dict[str, Any]:
    """Everything as plain values."""
    return {
        "hypothesis": result.draws.problem.hypothesis,
        "draws": len(result.draws.points),
        "fitted": result.draws.is_fitted,
        "patients": result.patients,
        "studies": result.studies,
        "refused": result.refused,
        "design": {
            "trial": result.design.trial.name,
            "end": result.design.trial.end,
            **{name: getattr(result.design, name) for name in ("n", "regimen", "controls", "control", "complete")},
            **({"others": [asdict(arm) for arm in result.design.others]} if result.design.others else {}),
            "as_it_was": result.design.is_that_of_the_study,
        },
        "effects": [_plain(row) for row in result.powers],
        "printed": [asdict(row) for row in result.ranks],
    }


def _plain(row: Power) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(row).items()}


def tables(result: SimulatedTrials) -> dict[str, ResultTable]:
    """Tables by name: effects, and ranks of printed figures where there are any."""
    found = {"effects": table_of([_flat(row) for row in result.powers])}
    if result.ranks:
        found["printed"] = table_of(result.ranks)
    return found


def _flat(row: Power) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in asdict(row).items():
        if key.endswith("interval"):
            low, high = value or (None, None)
            flat |= {key.replace("interval", "low"): low, key.replace("interval", "high"): high}
        else:
            flat[key] = value
    return flat
