"""From the results of a sweep over doses to effects, exposures and curves.

The dataset has

``effect`` (endpoint, second, dose, member)
    Endpoint of each patient; NaN for who failed.
``mean``, ``mean_low``, ``mean_high``, ``p5``, ``median``, ``p95`` (endpoint, second, dose)
    Over the patients who have a result at every dose: their mean with its 95 % interval, and quantiles.
``n`` (endpoint, second)
    Number of these patients.
``curve``, ``curve_low``, ``curve_high`` (endpoint, second, parameter)
    Sigmoid Emax curve of the mean, with 95 % intervals from resampled cohorts; none where patients do not differ.
    Where the ED50 is known by an interval alone, such as the two doses between which it lies, it is NaN.
``verdict`` (endpoint, second)
    What that curve is worth over all cohorts; ``certainty`` is the share of these in which it was identified.
``effect_dose``, ``effect_dose_low``, ``effect_dose_high`` (endpoint, second, share)
    Doses with shares of the span, such as 0.9 for the ED90, of an identified curve; NaN beyond the doses.
``cohort_mean`` (endpoint, second, cohort, dose), ``cohort_curve`` (endpoint, second, cohort, parameter)
    Means of the resampled cohorts, and their curves.
``patient_curve`` (endpoint, second, member, parameter), ``patient_verdict`` (endpoint, second, member)
    The same of each patient; NaN where the curve is not identified. Verdicts are the numbers of `CurveVerdict`.
``exposure`` (measure, second, dose, member)
    Average, trough and peak in the last interval between doses.
``blocked`` (site, second, dose, member)
    Share of that interval in which the signal of IL-1 is below the bound, %.

Attributes ``counters`` and, where something is assumed, ``assumptions`` are JSON: how many trajectories there were and
reached the end, and sentences.

``second`` is one place without a value where nothing but the dose varies. Patients are the same at every dose,
so that resampling them keeps their differences out of the interval.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import xarray as xr

from simulate.solver.kernel import FloatArray
from simulate.streams import IntArray, stream
from simulate.studies.dose_response.emax import PARAMETERS, CurveVerdict, dose_for, fit_curves
from simulate.studies.endpoints import Endpoint, Summary
from simulate.studies.resolution import varies
from simulate.studies.values import peaks_of, resolution_of, terms_of, values_shown
from simulate.studies.windows import Window, highest

REPLICATES = 200
"""Resampled cohorts from which intervals are taken."""

MEASURES = ("average", "trough", "peak")
"""Exposures in an interval between doses."""

LEVELS = (0.25, 0.5, 0.75)
"""Shares of the largest effect for which isoboles are drawn."""

SURE = 0.9
"""Share of the resampled cohorts that must have an identified curve: below it, the curve of the mean is chance."""

WIDE = 10.0
"""Factor between the ends of the interval of the ED50 above which a single number would look too precise."""

EXPLAINS = 0.1
"""Share of the ranks of patients' own ED50 that a parameter must explain to be named."""

_FEWEST_RANKED = 8
_ED50, _HILL = PARAMETERS.index("ed50"), PARAMETERS.index("hill")
_TOLD = (CurveVerdict.IDENTIFIED, CurveVerdict.NO_PLATEAU, CurveVerdict.SATURATED)
"""Verdicts on curves that describe what is between the doses."""

_PURPOSE = "dose-response: patients of a resampled cohort"


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
    return np.searchsorted(days, window.times).astype(np.int64)


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
    shares: Sequence[float] = (),
) -> Mapping[str, tuple[tuple[str, ...], Any]]:
    """Variables of the dataset that follow from the effects [endpoint, second, dose, member] and their errors.

    Where members are of several draws of a fit, shape [member], a resampled cohort is one of patients of one draw, each
    draw as likely as another: intervals are then as wide as what is not known of the populations makes them, and so is
    the verdict. ``shares`` are those of the span whose doses are sought.
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
    of_share = {
        name: np.full((*shape, len(shares)), np.nan) for name in ("effect_dose", "effect_dose_low", "effect_dose_high")
    }
    cohort_mean = np.full((*shape, replicates, len(doses)), np.nan)
    cohort_curve = np.full((*shape, replicates, 4), np.nan)
    patient_curve = np.full((*shape, effect.shape[3], 4), np.nan)
    patient_verdict = np.zeros((*shape, effect.shape[3]), dtype=np.int64)
    order = {verdict: index for index, verdict in enumerate(CurveVerdict)}
    for place in np.ndindex(*shape):
        rows, own = effect[place].T, wrong[place].T
        curves = fit_curves(doses, rows, own)
        patient_verdict[place] = [order[verdict] for verdict in curves.verdicts]
        identified = patient_verdict[place] == order[CurveVerdict.IDENTIFIED]
        patient_curve[place][identified] = curves.values[identified]
        is_complete = np.isfinite(rows).all(axis=1)
        complete, own = rows[is_complete], own[is_complete]
        counts[place] = len(complete)
        if not len(complete):
            verdicts[place] = order[CurveVerdict.FAILED]
            continue
        of_dose["p5"][place], of_dose["median"][place], of_dose["p95"][place] = np.quantile(
            complete, (0.05, 0.5, 0.95), axis=0
        )
        of_draw = None if draws is None else draws[is_complete]
        means = np.concatenate([complete.mean(axis=0)[np.newaxis], _resampled(complete, of_draw, seed, replicates)])
        fitted = fit_curves(doses, means, np.broadcast_to(own.mean(axis=0), means.shape))
        of_dose["mean"][place] = means[0]
        of_curve["curve"][place] = fitted.values[0]
        cohort_mean[place], cohort_curve[place] = means[1:], fitted.values[1:]
        certainty[place] = fitted.verdicts[1:].count(CurveVerdict.IDENTIFIED) / max(1, replicates)
        verdict = fitted.verdicts[0]
        # Patients who do not differ have no spread to draw an interval from.
        if replicates and len(complete) > 1 and varies(complete.T, own.T).any():
            of_dose["mean_low"][place], of_dose["mean_high"][place] = np.quantile(means[1:], (0.025, 0.975), axis=0)
            known = fitted.values[1:][np.isfinite(fitted.values[1:]).all(axis=1)]
            if len(known):
                of_curve["curve_low"][place], of_curve["curve_high"][place] = np.quantile(known, (0.025, 0.975), axis=0)
        low, high = of_curve["curve_low"][place][_ED50], of_curve["curve_high"][place][_ED50]
        if verdict is CurveVerdict.IDENTIFIED and replicates:
            verdict = (
                CurveVerdict.UNSURE if certainty[place] < SURE else CurveVerdict.WIDE if high > WIDE * low else verdict
            )
        verdicts[place] = order[verdict]
        if verdict is CurveVerdict.WIDE:
            of_curve["curve"][place][_ED50] = np.nan
        elif verdict.is_bracketed:
            for values, ed50 in zip(of_curve.values(), (np.nan, *fitted.brackets[0]), strict=True):
                values[place][_ED50], values[place][_HILL] = ed50, np.nan
        if verdict in (CurveVerdict.IDENTIFIED, CurveVerdict.WIDE):
            for index, share in enumerate(shares):
                own_dose, *ends = _effect_doses(fitted.values, share, doses)
                of_share["effect_dose"][place][index] = own_dose if verdict is CurveVerdict.IDENTIFIED else np.nan
                if math.isfinite(low):
                    of_share["effect_dose_low"][place][index], of_share["effect_dose_high"][place][index] = ends
    both = ("endpoint", "second")
    return {
        **{name: ((*both, "dose"), values) for name, values in of_dose.items()},
        **{name: ((*both, "parameter"), values) for name, values in of_curve.items()},
        **({name: ((*both, "share"), values) for name, values in of_share.items()} if shares else {}),
        "cohort_mean": ((*both, "cohort", "dose"), cohort_mean),
        "cohort_curve": ((*both, "cohort", "parameter"), cohort_curve),
        "n": (both, counts),
        "verdict": (both, verdicts),
        "certainty": (both, certainty),
        "patient_curve": ((*both, "member", "parameter"), patient_curve),
        "patient_verdict": ((*both, "member"), patient_verdict),
    }


def _effect_doses(curves: FloatArray, share: float, doses: FloatArray) -> tuple[float, float, float]:
    """Dose with a share of the span by the first curve [cohort, parameter], and the 95 % interval by the others."""
    found = curves[:, _ED50] * (share / (1.0 - share)) ** (1.0 / curves[:, _HILL])
    others = found[1:][np.isfinite(found[1:])]
    ends = np.quantile(others, (0.025, 0.975)) if len(others) else np.full(2, np.nan)
    inside = np.array([found[0], *ends])
    positive = doses[doses > 0.0]
    inside[~((inside >= positive[0]) & (inside <= positive[-1]))] = np.nan
    return float(inside[0]), float(inside[1]), float(inside[2])


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


def isoboles(dataset: xr.Dataset, levels: Sequence[float] = LEVELS) -> xr.Dataset:
    """Doses at which the mean has the same effect at each place of the second axis, with 95 % intervals.

    A level is a share of the largest effect that the highest dose has anywhere; what is sought is the same value of the
    endpoint at every place. NaN where the fitted curve has it at no dose of the range, as nothing is extrapolated, and
    where no curve describes the doses. Each resampled cohort has effects and isoboles of its own: its patients are the
    same at every place.

    ``isobole``, ``isobole_low`` and ``isobole_high`` (endpoint, level, second).
    """
    curves = np.concatenate([dataset["curve"].values[:, :, np.newaxis], dataset["cohort_curve"].values], axis=2)
    mean = np.concatenate([dataset["mean"].values[:, :, np.newaxis], dataset["cohort_mean"].values], axis=2)
    doses = np.asarray(dataset["dose"].values, dtype=np.float64)
    positive = doses[doses > 0.0]
    found = np.full((3, len(curves), len(levels), curves.shape[1]), np.nan)
    order = list(CurveVerdict)
    told = np.isin(dataset["verdict"].values, [order.index(verdict) for verdict in _TOLD])
    has_interval = np.isfinite(dataset["curve_low"].values[..., _ED50])
    for endpoint, means in enumerate(mean):
        rises = means[..., -1] - means[..., 0]
        if not np.isfinite(rises[:, 0]).any() or not told[endpoint].any():
            continue
        best = int(np.nanargmax(np.abs(rises[:, 0])))
        for level, share in enumerate(levels):
            wanted = np.broadcast_to(means[best, :, 0] + share * rises[best], rises.shape)
            needed = dose_for(wanted, curves[endpoint])
            needed[~told[endpoint]] = np.nan
            found[0, endpoint, level] = needed[:, 0]
            for place in np.flatnonzero(told[endpoint] & has_interval[endpoint]):
                others = needed[place, 1:][np.isfinite(needed[place, 1:])]
                if len(others):
                    found[1:, endpoint, level, place] = np.quantile(others, (0.025, 0.975))
    found[~((found >= positive[0]) & (found <= positive[-1]))] = np.nan
    coordinates = {"endpoint": dataset["endpoint"], "level": ("level", np.array(levels)), "second": dataset["second"]}
    label = {"units": str(dataset["dose"].attrs["units"]), "long_name": "dose for the same effect"}
    names = ("isobole", "isobole_low", "isobole_high")
    return xr.Dataset(
        {name: (("endpoint", "level", "second"), part, label) for name, part in zip(names, found, strict=True)},
        coords=coordinates,
    )


def influences(patient_ed50: FloatArray, causes: Mapping[str, FloatArray], chance: float = 0.01) -> dict[str, float]:
    """Rank correlations of patients' own ED50 with their parameters, of those that explain more than a little of it.

    Spearman's correlations of at least `EXPLAINS` when squared, the largest first; ``chance`` is the probability that
    any is named where nothing has an influence. A parameter that differs between draws of a fit and not between
    patients is judged by as many numbers as there are draws.
    """
    from scipy import stats

    known = np.isfinite(patient_ed50)
    found: dict[str, float] = {}
    for name, values in causes.items():
        own = values[known]
        distinct = len(np.unique(own))
        if distinct < _FEWEST_RANKED or len(np.unique(patient_ed50[known])) < _FEWEST_RANKED:
            continue
        correlation = float(stats.spearmanr(own, patient_ed50[known]).statistic)
        n = min(distinct, int(known.sum()))
        t = abs(correlation) * math.sqrt((n - 2) / max(1.0 - correlation**2, 1e-300))
        if correlation**2 >= EXPLAINS and 2.0 * stats.t.sf(t, n - 2) < chance / len(causes):
            found[name] = correlation
    return dict(sorted(found.items(), key=lambda item: -abs(item[1])))
