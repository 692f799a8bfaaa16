"""Quantities that rise and fall with each dose: their averages over dosing intervals, and their values at a visit."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from simulate.arrays import LabeledArrays
from simulate.solver.kernel import FloatArray
from simulate.solver.trajectories import Status
from simulate.studies.values import values_shown

SWING = 0.03
"""Share of its average by which what follows the dose goes up and down in the median patient, at least."""

_FEWEST_DOSES = 3
_AT_ONCE = 1e-9


def followed(dataset: LabeledArrays, quantity: str) -> FloatArray | None:
    """What a quantity does in the dosing intervals, shape [arm, member, interval, part]; None if it follows no dose.

    It follows the dose where in an arm, in the last interval, the median patient's peak and trough are further apart
    than `SWING` of the average. NaN for who failed; those who have left count.
    """
    # To look a variable up past its coordinates takes a tenth of the time.
    known = dataset.variables
    if "dosing_interval" not in known or quantity not in (names := known["followed"].values.tolist()):
        return None
    found = np.array(known["dosing_interval"].values[:, :, names.index(quantity)], dtype=np.float64)
    found[np.asarray(known["status"].values) != Status.OK] = np.nan
    for arm, ends in enumerate(np.asarray(known["interval_day"].values, dtype=np.float64)):
        if not np.isfinite(ends).any():
            continue
        mean, low, high = found[arm, :, int(np.nanargmax(ends))].T
        there = np.isfinite(mean) & (mean != 0.0)
        if there.any() and float(np.median((high - low)[there] / np.abs(mean[there]))) > SWING:
            return found
    return None


def averaged_course(dataset: LabeledArrays, quantity: str) -> tuple[FloatArray, FloatArray | None]:
    """Course of a quantity, where it follows the dose that of its average over dosing intervals.

    Shape [arm, member, time], and trough and peak, shape [arm, member, time, 2], NaN where no dose follows another;
    None if the quantity follows no dose. Between the intervals that were looked at, it is interpolated, or that of the
    nearest one where chance has a part in each dose. NaN as in `simulate.studies.values.values_shown`.
    """
    values, parts = values_shown(dataset, quantity), followed(dataset, quantity)
    if parts is None:
        return values, None
    shown = np.isfinite(values)
    days = np.asarray(dataset.variables["time"].values, dtype=np.float64)
    # Members side by side in memory, as in the results: so both are several times faster to fill and to sum up.
    swings = np.full((len(values), 2, values.shape[2], values.shape[1]), np.nan).transpose(0, 3, 2, 1)
    given = np.asarray(dataset.variables["dose_time"].values, dtype=np.float64)
    # Results of an earlier version do not say it.
    chance = dataset.variables.get("interval_chance")
    for arm, ends in enumerate(np.asarray(dataset.variables["interval_day"].values, dtype=np.float64)):
        before = values[arm].copy()
        for first, last in stretches(np.unique(given[arm][np.isfinite(given[arm])])):
            own = np.flatnonzero((ends > first) & (ends <= last + _AT_ONCE))
            inside = np.flatnonzero((days > first) & (days <= last + _AT_ONCE))
            if not len(own) or not len(inside):
                continue
            spots = np.array([first, *ends[own]])
            after = np.clip(np.searchsorted(spots, days[inside]), 1, len(spots) - 1)
            share = np.clip((days[inside] - spots[after - 1]) / (spots[after] - spots[after - 1]), 0.0, 1.0)
            # Of what chance decides, a line between two intervals would be like neither.
            if chance is not None and chance.values[arm]:
                share = np.where((share < 0.5) & (after > 1), 0.0, 1.0)
            # At the start of dosing stands what was there before it.
            start = before[:, max(0, int(np.searchsorted(days, first, side="right")) - 1)]
            for part, course in enumerate((values[arm], swings[arm, :, :, 0], swings[arm, :, :, 1])):
                known = parts[arm, :, own, part]
                knots = np.stack([known[0] if part else start, *known])
                course.T[inside] = knots[after - 1] * (1.0 - share)[:, np.newaxis] + knots[after] * share[:, np.newaxis]
    if not shown.all():
        values[~shown], swings[~shown] = np.nan, np.nan
    return values, swings


def values_read(
    dataset: LabeledArrays, quantity: str, place: int
) -> tuple[FloatArray, FloatArray | None, npt.NDArray[np.bool_]]:
    """Values of a quantity as they are read at a time.

    Shape [arm, member]: averages over the dosing interval that ends then, where the quantity follows the dose and the
    arm has one, else the values at the time; trough and peak, shape [arm, member, 2], NaN in other arms, None if there
    are none; and which arms are averaged, shape [arm]. ``dataset``, ``quantity``, ``place``: result of a run, a
    quantity of it, and the index of a time.
    """
    ((values, swings, averaged),) = each_read(dataset, quantity, [place])
    return values, swings, averaged


def each_read(
    dataset: LabeledArrays, quantity: str, places: Sequence[int]
) -> Iterator[tuple[FloatArray, FloatArray | None, npt.NDArray[np.bool_]]]:
    """`values_read` at several times."""
    parts = followed(dataset, quantity)
    for place, averaged in zip(places, _averaged(dataset, parts, places), strict=True):
        values = values_shown(dataset, quantity, place)[:, :, 0]
        if parts is None:
            yield values, None, averaged
            continue
        day = float(dataset.variables["time"].values[place])
        swings = np.full((*values.shape, 2), np.nan)
        days = np.asarray(dataset.variables["interval_day"].values, dtype=np.float64)
        for arm in np.flatnonzero(averaged):
            at = int(np.flatnonzero(np.abs(days[arm] - day) < _AT_ONCE)[0])
            there = np.isfinite(values[arm])
            values[arm] = np.where(there, parts[arm, :, at, 0], np.nan)
            swings[arm] = np.where(there[:, np.newaxis], parts[arm, :, at, 1:], np.nan)
        yield values, swings if averaged.any() else None, averaged


def are_averaged(dataset: LabeledArrays, quantity: str, places: Sequence[int]) -> npt.NDArray[np.bool_]:
    """Of which arms `each_read` has averages, shape [place, arm]."""
    return _averaged(dataset, followed(dataset, quantity), places)


def _averaged(dataset: LabeledArrays, parts: FloatArray | None, places: Sequence[int]) -> npt.NDArray[np.bool_]:
    if parts is None:
        return np.zeros((len(places), dataset.sizes["arm"]), dtype=np.bool_)
    ends = np.asarray(dataset.variables["interval_day"].values, dtype=np.float64)
    days = np.asarray(dataset.variables["time"].values, dtype=np.float64)[list(places)]
    found: npt.NDArray[np.bool_] = np.any(np.abs(ends - days[:, np.newaxis, np.newaxis]) < _AT_ONCE, axis=2)
    return found


def stretches(given: FloatArray) -> list[tuple[float, float]]:
    """First and last moment of each stretch of regular dosing, from times of doses; the last interval counts."""
    if len(given) < _FEWEST_DOSES:
        return []
    gaps = np.diff(given)
    usual = float(np.median(gaps))
    breaks = np.flatnonzero(gaps > 1.5 * usual)
    parts = zip((0, *(breaks + 1)), (*breaks, len(given) - 1), strict=True)
    return [(float(given[a]), float(given[b]) + usual) for a, b in parts if b - a + 1 >= _FEWEST_DOSES]
