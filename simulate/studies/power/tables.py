"""Repeated studies as plain values, for JSON and CSV."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from simulate.studies.power.families import EndpointPower
from simulate.studies.power.power import Power, SimulatedTrials
from simulate.tabular import ResultTable, table_of
from simulate.trials.design import AS_USUAL


def document(result: SimulatedTrials) -> dict[str, Any]:
    """Everything as plain values."""
    found = {
        "hypothesis": result.draws.problem.label,
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
    # How studies are judged, where that is not as always, and what was found so.
    if result.analysis != AS_USUAL:
        found["analysis"] = {
            "endpoints": list(result.analysis.endpoints),
            "correction": result.analysis.correction,
            "alpha": result.analysis.alpha,
        }
    if result.together:
        found["endpoints"] = [_plain(row) for row in result.together]
    if result.curves:
        found["curves"] = [
            {"n": point.n, "controls": point.controls, "endpoints": [_plain(row) for row in point.endpoints]}
            for point in result.curves
        ]
    return found


def _plain(row: Power | EndpointPower) -> dict[str, Any]:
    return {key: list(value) if isinstance(value, tuple) else value for key, value in asdict(row).items()}


def tables(result: SimulatedTrials) -> dict[str, ResultTable]:
    """Tables by name: effects; ranks of reported values, endpoints together and curves of power where there are any."""
    found = {"effects": table_of([_flat(row) for row in result.powers])}
    if result.ranks:
        found["printed"] = table_of(result.ranks)
    if result.together:
        found["endpoints"] = table_of([_flat(row) for row in result.together])
    if result.curves:
        found["curves"] = table_of(
            [
                {"size": point.n, "controls": point.controls, **_flat(row)}
                for point in result.curves
                for row in point.endpoints
            ]
        )
    return found


def _flat(row: Power | EndpointPower) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in asdict(row).items():
        if key.endswith("interval"):
            low, high = value or (None, None)
            flat |= {key.replace("interval", "low"): low, key.replace("interval", "high"): high}
        else:
            flat[key] = value
    return flat
