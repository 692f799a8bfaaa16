"""From the results of a sweep over doses to effects, exposures and curves.

The dataset has

``effect`` (endpoint, second, dose, member)
    Endpoint of each patient; NaN for who failed.
``mean``, ``mean_low``, ``mean_high``, ``p5``, ``median``, ``p95`` (endpoint, second, dose)
    Over the patients who have a result at every dose: their mean with its 95 % interval, and quantiles.
``n`` (endpoint, second)
    Number of these patients.
``curve``, ``curve_low``, ``curve_high`` (endpoint, second, parameter)
    Sigmoid Emax curve of the mean, with 95 % intervals from resampled patients; none where patients do not differ.
    Where the ED50 is known to lie between two doses alone, it is NaN, and the interval has these doses.
``verdict`` (endpoint, second)
    What that curve is worth; ``certainty`` is the share of the resampled cohorts in which it was identified.
``patient_curve`` (endpoint, second, member, parameter), ``patient_verdict`` (endpoint, second, member)
    The same of each patient; NaN where the curve is not identified. Verdicts are numbers, in the order of `Verdict`.
``exposure`` (measure, second, dose, member)
    Average, trough and peak in the last interval between doses.
``blocked`` (site, second, dose, member)
    Share of that interval in which the signal of IL-1 is below the bound, %.

Attributes ``study`` and ``counters`` are JSON: what a manifest says of the scenario, and how many trajectories there
were and reached the end.

``second`` is one place without a value where nothing but the dose varies. Patients are the same people at every dose,
so that resampling them keeps their differences out of the interval.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
import xarray as xr

from simulate.solver.kernel import FloatArray
from simulate.streams import stream
from simulate.studies.datasets import peaks_of, resolution_of, terms_of, values_shown
from simulate.studies.dose_response.emax import PARAMETERS, Verdict, dose_for, fit_curves
from simulate.studies.endpoints import Endpoint, Summary
from simulate.studies.resolution import varies
from simulate.studies.windows import Window, highest

REPLICATES = 200
"""Resampled cohorts from which intervals are taken."""

MEASURES = ("average", "trough", "peak")
"""Exposures in an interval between doses."""

LEVELS = (0.25, 0.5, 0.75)
"""Shares of the largest effect for which isoboles are drawn."""

_ED50, _HILL = PARAMETERS.index("ed50"), PARAMETERS.index("hill")
_TOLD = (Verdict.IDENTIFIED, Verdict.NO_PLATEAU, Verdict.SATURATED)
"""Verdicts on curves that describe what is between the doses."""

_PURPOSE = "dose-response: patients of a resampled cohort"
IntArray = npt.NDArray[np.int64]


def placed(sweep: xr.Dataset, second: str | None) -> tuple[FloatArray, FloatArray, IntArray]:
    """Doses [dose], values of the second axis [second], and the arm [second, dose] that has both."""
    doses = np.asarray(sweep["over_dose"].values, dtype=np.float64)
    others = np.zeros(len(doses)) if second is None else np.asarray(sweep[f"over_{second}"].values, dtype=np.float64)
    ladder, steps = np.unique(doses), np.unique(others)
    arms = np.empty((len(steps), len(ladder)), dtype=np.int64)
    arms[np.searchsorted(steps, others), np.searchsorted(ladder, doses)] = np.arange(len(doses))
    return ladder, steps, arms


def effects_of(sweep: xr.Dataset, endpoints: Sequence[Endpoint], arms: IntArray) -> tuple[FloatArray, FloatArray]:
    """Effects [endpoint, second, dose, member], and what they may be wrong by."""
    days, resolution = np.asarray(sweep["time"].values, dtype=np.float64), resolution_of(sweep)
    found, errors = [], []
    for endpoint in endpoints:
        values = values_shown(sweep, endpoint.quantity)[arms]
        last, peaks = values[..., int(np.abs(days - endpoint.day).argmin())], peaks_of(values)
        terms = terms_of(sweep, endpoint.quantity)[arms]
        if endpoint.summary is Summary.CHANGE:
            found.append(resolution.percent(last, values[..., 0], peaks, terms))
            errors.append(resolution.percent_error(last, values[..., 0], peaks, terms))
        else:
            found.append(last)
            errors.append(resolution.error(last, peaks, terms))
    return np.stack(found), np.stack(errors)


def exposures_of(sweep: xr.Dataset, quantity: str, arms: IntArray, windows: Sequence[Window]) -> FloatArray:
    """Average, trough and peak [measure, second, dose, member] in the interval of each second place."""
    values = values_shown(sweep, quantity)[arms]
    found = np.empty((len(MEASURES), *values.shape[:3]))
    for place, window in enumerate(windows):
        part = values[place][..., _places(sweep, window)]
        found[0, place] = (part * window.weights).sum(axis=-1)
        found[1, place], found[2, place] = -highest(window.times, -part), highest(window.times, part)
    return found


def _places(sweep: xr.Dataset, window: Window) -> IntArray:
    days = np.asarray(sweep["time"].values, dtype=np.float64)
    found: IntArray = np.searchsorted(days, window.times).astype(np.int64)
    return found


def blocked_of(
    sweep: xr.Dataset, sites: Sequence[str], arms: IntArray, windows: Sequence[Window], bound: float
) -> FloatArray:
    """Share in % [site, second, dose, member] of the interval in which each signal is below the bound.

    The crossing between two recorded times is where a straight line between them crosses.
    """
    found = np.empty((len(sites), *arms.shape, sweep.sizes["member"]))
    for index, site in enumerate(sites):
        values = values_shown(sweep, site)[arms]
        for place, window in enumerate(windows):
            part, steps = values[place][..., _places(sweep, window)] - bound, np.diff(window.times)
            before, after = part[..., :-1], part[..., 1:]
            with np.errstate(divide="ignore", invalid="ignore"):
                crossing = np.minimum(before, after) / (np.minimum(before, after) - np.maximum(before, after))
            below = np.where(
                (before < 0.0) & (after < 0.0), 1.0, np.where((before < 0.0) | (after < 0.0), crossing, 0.0)
            )
            below[~np.isfinite(before + after)] = np.nan
            found[index, place] = 100.0 * (below * steps).sum(axis=-1) / steps.sum()
    return found


def reduced(
    doses: FloatArray,
    effect: FloatArray,
    errors: FloatArray | None = None,
    *,
    seed: int,
    replicates: int = REPLICATES,
    draws: IntArray | None = None,
) -> Mapping[str, tuple[tuple[str, ...], Any]]:
    """Variables of the dataset that follow from the effects [endpoint, second, dose, member] and their errors.

    Where members are of several draws of a fit, shape [member], a resampled cohort is one of patients of one draw, each
    draw as likely as another: intervals are then as wide as what is not known of the populations makes them.
    """
    wrong = 5e-7 * np.abs(effect) if errors is None else errors
    shape = effect.shape[:2]
    of_dose = {
        name: np.full((*shape, len(doses)), np.nan) for name in ("mean", "mean_low", "mean_high", "p5", "median", "p95")
    }
    of_curve = {name: np.full((*shape, 4), np.nan) for name in ("curve", "curve_low", "curve_high")}
    counts = np.zeros(shape, dtype=np.int64)
    verdicts = np.zeros(shape, dtype=np.int64)
    certainty = np.zeros(shape)
    patient_curve = np.full((*shape, effect.shape[3], 4), np.nan)
    patient_verdict = np.zeros((*shape, effect.shape[3]), dtype=np.int64)
    order = {verdict: index for index, verdict in enumerate(Verdict)}
    for place in np.ndindex(*shape):
        rows, own = effect[place].T, wrong[place].T
        curves = fit_curves(doses, rows, own)
        patient_verdict[place] = [order[verdict] for verdict in curves.verdicts]
        identified = patient_verdict[place] == order[Verdict.IDENTIFIED]
        patient_curve[place][identified] = curves.values[identified]
        is_complete = np.isfinite(rows).all(axis=1)
        complete, own = rows[is_complete], own[is_complete]
        counts[place] = len(complete)
        if not len(complete):
            verdicts[place] = order[Verdict.FAILED]
            continue
        of_dose["p5"][place], of_dose["median"][place], of_dose["p95"][place] = np.quantile(
            complete, (0.05, 0.5, 0.95), axis=0
        )
        of_draw = None if draws is None else draws[is_complete]
        means = np.concatenate([complete.mean(axis=0)[np.newaxis], _resampled(complete, of_draw, seed, replicates)])
        fitted = fit_curves(doses, means, np.broadcast_to(own.mean(axis=0), means.shape))
        of_dose["mean"][place] = means[0]
        of_curve["curve"][place] = fitted.values[0]
        verdicts[place] = order[fitted.verdicts[0]]
        certainty[place] = fitted.verdicts[1:].count(Verdict.IDENTIFIED) / max(1, replicates)
        verdict = fitted.verdicts[0]
        # Patients who do not differ have no spread to draw an interval from.
        if replicates and len(complete) > 1 and varies(complete.T, own.T).any():
            of_dose["mean_low"][place], of_dose["mean_high"][place] = np.quantile(means[1:], (0.025, 0.975), axis=0)
            known = fitted.values[1:][np.isfinite(fitted.values[1:]).all(axis=1)]
            if len(known):
                of_curve["curve_low"][place], of_curve["curve_high"][place] = np.quantile(known, (0.025, 0.975), axis=0)
        if verdict.is_bracketed:
            for values, ed50 in zip(of_curve.values(), (np.nan, *fitted.brackets[0]), strict=True):
                values[place][_ED50], values[place][_HILL] = ed50, np.nan
    both = ("endpoint", "second")
    return {
        **{name: ((*both, "dose"), values) for name, values in of_dose.items()},
        **{name: ((*both, "parameter"), values) for name, values in of_curve.items()},
        "n": (both, counts),
        "verdict": (both, verdicts),
        "certainty": (both, certainty),
        "patient_curve": ((*both, "member", "parameter"), patient_curve),
        "patient_verdict": ((*both, "member"), patient_verdict),
    }


def _resampled(rows: FloatArray, draws: IntArray | None, seed: int, replicates: int) -> FloatArray:
    """Means [replicate, dose] of cohorts drawn with replacement from the patients [member, dose] of one draw."""
    means = np.empty((replicates, rows.shape[1]))
    groups = [rows] if draws is None else [rows[draws == draw] for draw in np.unique(draws)]
    for replicate in range(replicates):
        random = stream(seed, _PURPOSE, replicate)
        own = groups[0] if len(groups) == 1 else groups[int(random.integers(len(groups)))]
        chosen = random.integers(0, len(own), len(own))
        means[replicate] = np.bincount(chosen, minlength=len(own)) @ own / len(own)
    return means


def isoboles(dataset: xr.Dataset, levels: Sequence[float] = LEVELS) -> xr.DataArray:
    """Doses [endpoint, level, second] at which the mean has the same effect at each place of the second axis.

    A level is a share of the largest effect that the highest dose has anywhere; what is sought is the same value of the
    endpoint at every place. NaN where the fitted curve has it at no dose of the range, as nothing is extrapolated, and
    where no curve describes the doses.
    """
    curves = np.asarray(dataset["curve"].values, dtype=np.float64)
    mean = np.asarray(dataset["mean"].values, dtype=np.float64)
    doses = np.asarray(dataset["dose"].values, dtype=np.float64)
    found = np.full((len(curves), len(levels), curves.shape[1]), np.nan)
    order = list(Verdict)
    told = np.isin(dataset["verdict"].values, [order.index(verdict) for verdict in _TOLD])
    for endpoint, means in enumerate(mean):
        rises = means[:, -1] - means[:, 0]
        if not np.isfinite(rises).any() or not told[endpoint].any():
            continue
        best = int(np.nanargmax(np.abs(rises)))
        for level, share in enumerate(levels):
            wanted = means[best, 0] + share * rises[best]
            needed = dose_for(np.full(curves.shape[1], wanted), curves[endpoint])
            positive = doses[doses > 0.0]
            inside = told[endpoint] & (needed >= positive[0]) & (needed <= positive[-1])
            found[endpoint, level] = np.where(inside, needed, np.nan)
    return xr.DataArray(
        found,
        {"endpoint": dataset["endpoint"], "level": ("level", np.array(levels)), "second": dataset["second"]},
        ("endpoint", "level", "second"),
        attrs={"units": str(dataset["dose"].attrs["units"]), "long_name": "dose for the same effect"},
    )


def curve_names() -> npt.NDArray[np.object_]:
    """Coordinate of the parameters of curves."""
    return np.array(PARAMETERS, dtype=object)
