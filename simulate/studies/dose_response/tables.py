"""Tables of a dose-response study: curves, effects at each dose, isoboles."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields

import numpy as np

from simulate.arrays import LabeledArrays
from simulate.errors import counted
from simulate.studies.datasets import draws_in
from simulate.studies.dose_response.emax import PARAMETERS, CurveVerdict
from simulate.tabular import ResultTable, finite

_VERDICTS = tuple(CurveVerdict)
_ALWAYS = ("curves", "effects")
"""Tables that a study has even if they are empty."""


@dataclass(frozen=True, slots=True)
class CurveRow:
    """A parameter of a fitted curve.

    ``low`` and ``high`` are the 95 % interval over resampled patients, and ``certainty`` the share of the resampled
    cohorts in which the curve was identified. ``patients`` is the number of patients whose own curve was, with
    quantiles of them. ``n`` of ``n_all`` patients had a result at every dose. None where there is no number. An ED50
    of which no more is known than that it lies between two doses has these in ``low`` and ``high``, and no estimate.
    Patients are counted once, in however many draws of a fit they are: on average over the draws, ``n`` rounded down
    and ``patients`` up.
    """

    endpoint: str
    second: float | None
    parameter: str
    unit: str
    estimate: float | None
    low: float | None
    high: float | None
    verdict: str
    certainty: float
    n: int
    n_all: int
    patients: int
    patients_p5: float | None
    patients_median: float | None
    patients_p95: float | None


@dataclass(frozen=True, slots=True)
class EffectRow:
    """An endpoint at a dose, exposures there (medians) and how much of the interval is blocked (medians, %)."""

    endpoint: str
    second: float | None
    dose: float
    dose_unit: str
    unit: str
    n: int
    mean: float | None
    mean_low: float | None
    mean_high: float | None
    p5: float | None
    median: float | None
    p95: float | None
    average: float | None
    trough: float | None
    peak: float | None
    exposure_unit: str
    blocked_lymph: float | None
    blocked_muscle: float | None


@dataclass(frozen=True, slots=True)
class IsoboleRow:
    """The dose with a share of the largest effect at a place of the second axis; None if none in the range is known.

    ``low`` and ``high`` are the 95 % interval over resampled cohorts, None beyond the doses.
    """

    endpoint: str
    level: float
    second: float
    dose: float | None
    low: float | None
    high: float | None
    dose_unit: str


@dataclass(frozen=True, slots=True)
class ShareRow:
    """The dose with a share of the span of an identified curve, and its 95 % interval; None beyond the doses."""

    endpoint: str
    second: float | None
    share: float
    dose: float | None
    low: float | None
    high: float | None
    dose_unit: str


@dataclass(frozen=True, slots=True)
class InfluenceRow:
    """A parameter that patients' own ED50 goes with, by Spearman's rank correlation over ``patients``."""

    endpoint: str
    second: float | None
    parameter: str
    rank_correlation: float
    patients: int


def response_tables(datasets: Sequence[LabeledArrays]) -> dict[str, ResultTable]:
    """Tables of a study by name, of one or several hypotheses, which stand in the first column."""
    rows = {
        "curves": (curve_rows, CurveRow),
        "effects": (effect_rows, EffectRow),
        "effect-doses": (share_rows, ShareRow),
        "influences": (influence_rows, InfluenceRow),
        "isoboles": (isobole_rows, IsoboleRow),
    }
    found = {}
    for name, (rows_of, kind) in rows.items():
        own = [(str(one.attrs["hypothesis"]), row) for one in datasets for row in rows_of(one)]
        if own or name in _ALWAYS:
            columns = ("hypothesis", *(part.name for part in fields(kind)))
            values = tuple((hypothesis, *(getattr(row, part) for part in columns[1:])) for hypothesis, row in own)
            found[name] = ResultTable(columns, values)
    return found


def curve_rows(dataset: LabeledArrays) -> tuple[CurveRow, ...]:
    """Rows of all endpoints, places of the second axis and parameters, in this order."""
    dose_unit = str(dataset["dose"].attrs.get("units", ""))
    rows, draws = [], draws_in(dataset)
    for endpoint, second in np.ndindex(dataset.sizes["endpoint"], dataset.sizes["second"]):
        one = dataset.isel(endpoint=endpoint, second=second)
        unit = str(one["endpoint_unit"].values)
        units = {"base": unit, "span": unit, "ed50": dose_unit, "hill": ""}
        patients = np.asarray(one["patient_curve"].values, dtype=np.float64)
        identified = patients[np.isfinite(patients).all(axis=1)]
        for index, name in enumerate(PARAMETERS):
            spread = np.quantile(identified[:, index], (0.05, 0.5, 0.95)) if len(identified) else (None, None, None)
            rows.append(
                CurveRow(
                    endpoint=str(one["endpoint"].values),
                    second=_second(dataset, second),
                    parameter=name,
                    unit=units[name],
                    estimate=finite(one["curve"].values[index]),
                    low=finite(one["curve_low"].values[index]),
                    high=finite(one["curve_high"].values[index]),
                    verdict=_VERDICTS[int(one["verdict"])].value,
                    certainty=float(one["certainty"]),
                    n=int(one["n"]) // draws,
                    n_all=dataset.sizes["member"] // draws,
                    patients=-(-len(identified) // draws),
                    patients_p5=finite(spread[0]),
                    patients_median=finite(spread[1]),
                    patients_p95=finite(spread[2]),
                )
            )
    return tuple(rows)


def effect_rows(dataset: LabeledArrays) -> tuple[EffectRow, ...]:
    """Rows of all endpoints, places of the second axis and doses, in this order."""
    rows, draws = [], draws_in(dataset)
    sizes = (dataset.sizes["endpoint"], dataset.sizes["second"], dataset.sizes["dose"])
    for endpoint, second, dose in np.ndindex(*sizes):
        one = dataset.isel(endpoint=endpoint, second=second, dose=dose)
        quantiles = {
            name: finite(one[name].values) for name in ("mean", "mean_low", "mean_high", "p5", "median", "p95")
        }
        exposures = {name: _median(one, "exposure", "measure", name) for name in ("average", "trough", "peak")}
        blocked = {f"blocked_{site}": _median(one, "blocked", "site", f"signal_{site}") for site in ("lymph", "muscle")}
        rows.append(
            EffectRow(
                endpoint=str(one["endpoint"].values),
                second=_second(dataset, second),
                dose=float(one["dose"]),
                dose_unit=str(dataset["dose"].attrs.get("units", "")),
                unit=str(one["endpoint_unit"].values),
                n=int(one["n"]) // draws,
                exposure_unit=str(dataset["exposure"].attrs["units"]) if "exposure" in dataset else "",
                **quantiles,
                **exposures,
                **blocked,
            )
        )
    return tuple(rows)


def isobole_rows(dataset: LabeledArrays) -> tuple[IsoboleRow, ...]:
    """Rows of all endpoints, levels and places of the second axis; none if no isoboles were asked for."""
    if "isobole" not in dataset:
        return ()
    values = dataset["isobole"]
    return tuple(
        IsoboleRow(
            endpoint=str(dataset["endpoint"].values[endpoint]),
            level=float(values["level"].values[level]),
            second=float(dataset["second"].values[second]),
            dose=finite(values.values[endpoint, level, second]),
            low=finite(dataset["isobole_low"].values[endpoint, level, second]),
            high=finite(dataset["isobole_high"].values[endpoint, level, second]),
            dose_unit=str(values.attrs["units"]),
        )
        for endpoint, level, second in np.ndindex(*values.shape)
    )


def patients_text(dataset: LabeledArrays, endpoint: int | None = None) -> str:
    """How many patients have a result at every dose, of how many, and of how many draws of a fit."""
    draws = draws_in(dataset)
    counts = np.asarray(dataset["n"].values if endpoint is None else dataset["n"].values[endpoint]) // draws
    total = dataset.sizes["member"] // draws
    shown = f"{counts.min()}" if counts.min() == counts.max() else f"{counts.min()}–{counts.max()}"
    if "draw" not in dataset.coords:
        return f"{shown} of {counted(total, 'patient')}"
    return f"{shown} of {counted(total, 'patient')} in each of {draws} draws"


def names_of(datasets: Sequence[LabeledArrays]) -> list[str]:
    """What tells studies apart: hypotheses, and what they stand on where that is not the same for all."""
    names = [str(one.attrs["hypothesis"]) for one in datasets]
    stands = [str(one.attrs.get("draws_of", "")) for one in datasets]
    return [", ".join(pair) for pair in zip(names, stands, strict=True)] if len({*stands}) > 1 else names


def people_text(datasets: Sequence[LabeledArrays]) -> str:
    """`patients_text` of all, and of what the draws are where that is the same for all: else `names_of` have it."""
    texts = "; ".join(dict.fromkeys(patients_text(one) for one in datasets))
    origins = {
        str(one.attrs.get("fit", "")).removesuffix(f" ({one.attrs.get('weakness')})").partition(" draws of ")[2]
        for one in datasets
    }
    return f"{texts} of {origins.pop()}" if len(origins) == 1 and "" not in origins else texts


def weak_fits(datasets: Sequence[LabeledArrays]) -> tuple[str, ...]:
    """Of fits from which nothing can be concluded: the draws that stand behind a hypothesis, and why."""
    return tuple(f"{one.attrs['hypothesis']}: {one.attrs['fit']}" for one in datasets if "weakness" in one.attrs)


def assumptions(datasets: Sequence[LabeledArrays]) -> tuple[str, ...]:
    """What is assumed and rests on no evidence, in sentences, each once."""
    return tuple(dict.fromkeys(text for one in datasets for text in json.loads(one.attrs.get("assumptions", "[]"))))


def share_rows(dataset: LabeledArrays) -> tuple[ShareRow, ...]:
    """Rows of all endpoints, places of the second axis and shares of the span; none if no shares were asked for."""
    if "effect_dose" not in dataset:
        return ()
    return tuple(
        ShareRow(
            endpoint=str(dataset["endpoint"].values[endpoint]),
            second=_second(dataset, second),
            share=float(dataset["share"].values[share]),
            dose=finite(dataset["effect_dose"].values[endpoint, second, share]),
            low=finite(dataset["effect_dose_low"].values[endpoint, second, share]),
            high=finite(dataset["effect_dose_high"].values[endpoint, second, share]),
            dose_unit=str(dataset["dose"].attrs.get("units", "")),
        )
        for endpoint, second, share in np.ndindex(*dataset["effect_dose"].shape)
    )


def influence_rows(dataset: LabeledArrays) -> tuple[InfluenceRow, ...]:
    """Rows of all endpoints and places of the second axis, the largest correlation first."""
    rows = []
    for endpoint, second in np.ndindex(dataset.sizes["endpoint"], dataset.sizes["second"]):
        one = dataset.isel(endpoint=endpoint, second=second)
        patients = int(np.isfinite(one["patient_curve"].values).all(axis=1).sum())
        own = np.asarray(one["rank_correlation"].values, dtype=np.float64)
        named = [place for place in np.argsort(-np.abs(own), kind="stable") if np.isfinite(own[place])]
        rows += [
            InfluenceRow(
                str(one["endpoint"].values),
                _second(dataset, second),
                str(one["cause"].values[place]),
                float(own[place]),
                patients,
            )
            for place in named
        ]
    return tuple(rows)


def _second(dataset: LabeledArrays, place: int) -> float | None:
    return float(dataset["second"].values[place]) if dataset.attrs["second"] else None


def _median(one: LabeledArrays, name: str, dimension: str, place: str) -> float | None:
    if name not in one or place not in one[dimension].values:
        return None
    values = np.asarray(one[name].sel({dimension: place}).values, dtype=np.float64)
    known = values[np.isfinite(values)]
    return float(np.median(known)) if len(known) else None
