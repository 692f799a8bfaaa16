"""What the panels of a time course show: bands or lines of a quantity, and what was printed and observed of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulate.arrays import LabeledArrays
from simulate.evidence.observations import Observation, Standing
from simulate.figures.bands import bands_of, medians_of, shown_of_bands
from simulate.figures.few_patients import FewPatients, few_patients
from simulate.figures.style import title_of, unit_label
from simulate.solver.kernel import FloatArray
from simulate.studies.datasets import pooled, quantity_names
from simulate.studies.dose_following import averaged_course
from simulate.studies.observed import ObservedValue
from simulate.studies.paired import draws_of_members
from simulate.studies.values import nothing_in, seen_members
from simulate.symbolic.units import convert, unit

MAX_PANELS = 18
"""Panels that fit on a page."""

STORY = (
    *("serum_il1ra", "signal_lymph", "signal_muscle"),
    *("naive", "th1_memory", "th17_memory"),
    *("cd45ro", "ifng", "il17a"),
    *("inflammation", "damage", "ck"),
)
"""Panels of the reference model, if not told otherwise: exposure, cells, what the trial stained, muscle."""

_LOG_SPAN = 30.0


@dataclass(frozen=True, slots=True)
class Mark:
    """A printed mean and range, in the unit of the panel, at the day where it is drawn."""

    day: float
    mean: float | None
    low: float | None
    high: float | None
    standing: Standing


@dataclass(frozen=True, slots=True, eq=False)
class Panel:
    """What one panel shows.

    Attributes
    ----------
    quantity, title, label
        Name, meaning, and what stands at the axis: the unit.
    bands
        Quantiles `LEVELS` of the members that did not fail, whom no rule has stopped and, where the run counts dropout,
        who are still in the study; shape [arm, level, time], NaN where there is none and where none is drawn.
    marks
        What the source printed.
    logarithmic
        Whether the values span so much that only a logarithmic axis shows them.
    envelope
        Of what follows the dose, of which the bands are those of its average over dosing intervals: medians of trough
        and peak, shape [arm, 2, time], NaN where there is no regular dosing.
    lines
        Of each patient, shape [arm, patient, time], where they are too few for bands; drawn in place of these.
    observed
        What was observed in the patients.
    residue
        Largest number of a quantity that is nothing at all times; it is shown as zero. None of others.
    """

    quantity: str
    title: str
    label: str
    bands: FloatArray
    marks: tuple[Mark, ...]
    logarithmic: bool
    envelope: FloatArray | None = None
    lines: FloatArray | None = None
    observed: tuple[ObservedValue, ...] = ()
    residue: float | None = None


def shown_of(names: Sequence[str]) -> tuple[str, ...]:
    """Which of the quantities of a run have a panel, if none are asked for."""
    return STORY if set(STORY) <= set(names) else tuple(names)[:MAX_PANELS]


def panels_of(
    dataset: LabeledArrays,
    observations: Sequence[Observation] = (),
    *,
    quantities: Sequence[str] | None = None,
    observed: Sequence[ObservedValue] = (),
) -> tuple[Panel, ...]:
    """Panels of the levels of a run; the arguments are those of `simulate.figures.time_course.time_course`."""
    dataset = pooled(dataset)
    names = shown_of(quantity_names(dataset)) if quantities is None else tuple(quantities)[:MAX_PANELS]
    also = [name for name in dict.fromkeys(row.quantity for row in observed) if name not in names]
    if also:
        names = (*names[: max(0, MAX_PANELS - len(also))], *also)
    few = few_patients(dataset)
    by_quantity = {name: tuple(row for row in observed if row.quantity == name) for name in names}
    nothing = nothing_in(dataset)
    return tuple(_panel(dataset, name, observations, few, by_quantity[name], nothing) for name in names)


def _panel(
    dataset: LabeledArrays,
    name: str,
    observations: Sequence[Observation],
    few: FewPatients | None,
    observed: tuple[ObservedValue, ...],
    nothing: Mapping[str, float],
) -> Panel:
    variable = dataset[name]
    values, swings = averaged_course(dataset, name)
    seen = seen_members(dataset)
    bands = bands_of(values, seen, draws_of_members(dataset))
    envelope = None
    if swings is not None:
        envelope = np.stack([medians_of(swings[..., part], seen) for part in (0, 1)], axis=1)
    shown_unit = str(variable.attrs["units"])
    end = float(dataset["time"].values[-1])
    # What was read in other people has no place among patients.
    own = [item for item in observations if item.quantity == name and item.standing is not Standing.HEALTHY]
    marks = tuple(_mark(item, shown_unit) for item in own if item.mean is not None and item.day <= end)
    lines = None if few is None else few.lines(np.where(seen, values, np.nan))
    # Most quantities are told by their first number.
    is_nothing = not marks and not observed and not abs(values.flat[0]) > nothing[shown_unit]
    residue = float(np.fmax.reduce(np.abs(values), axis=None, initial=0.0)) if is_nothing else 0.0
    is_nothing = 0.0 < residue < nothing[shown_unit]
    if is_nothing:
        bands, envelope, lines = 0.0 * bands, None, None if lines is None else 0.0 * lines
    return Panel(
        quantity=name,
        title=title_of(dataset, name),
        label=unit_label(dataset, name),
        bands=bands,
        marks=marks,
        logarithmic=not is_nothing
        and _spans_decades(shown_of_bands(bands) if few is None else values, marks, observed, nothing[shown_unit]),
        envelope=envelope,
        lines=lines,
        observed=observed,
        residue=residue if is_nothing else None,
    )


def _mark(item: Observation, shown_unit: str) -> Mark:
    def converted(value: float | None) -> float | None:
        return None if value is None else convert(value, item.unit, unit(shown_unit))

    return Mark(item.day, converted(item.mean), converted(item.low), converted(item.high), item.standing)


def _spans_decades(bands: FloatArray, marks: Sequence[Mark], observed: Sequence[ObservedValue], nothing: float) -> bool:
    """Whether what the patients do spans decades; a printed range alone would hide what they do.

    What is nothing at some time has no place on a logarithmic axis, as zero has none; what is hardly more at all
    times has.
    """
    shown = np.append(bands[np.isfinite(bands)], [row.observed for row in observed])
    printed = [value for mark in marks for value in (mark.mean, mark.low, mark.high) if value is not None]
    if not len(shown):
        return False
    lowest = nothing if shown.max() > _LOG_SPAN * nothing else 0.0
    return min([*printed, shown.min()]) > lowest and bool(shown.max() > _LOG_SPAN * shown.min())
