"""Summaries of a run: each quantity at the visits of a trial, arm by arm, beside what the source printed."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulate.arrays import LabeledArrays
from simulate.evidence.observations import Observation, Observations, Standing, of_all, of_arm
from simulate.inference.quantiles import quantiles_along
from simulate.studies.datasets import draws_in, pooled, quantity_names
from simulate.studies.dose_following import each_read
from simulate.studies.visits import VISIT_WINDOW as VISIT_WINDOW
from simulate.studies.visits import VISITS as VISITS
from simulate.studies.visits import SummaryVisit as SummaryVisit
from simulate.studies.visits import visits as visits
from simulate.symbolic.units import convert, unit


@dataclass(frozen=True, slots=True)
class SummaryRow:
    """A quantity of an arm at a visit.

    Patients are counted once, in however many draws of a fit they are: ``n_ok`` is their number in a draw on average,
    rounded down.

    ``median``, ``p5`` and ``p95`` are those of the ``n_ok`` of ``n`` members who did not fail, whom no rule has stopped
    before the visit and, where the run counts dropout, who are in the study at the visit; None if there is none. A
    quantity that follows the dose is read as its average over the dosing interval that ends at the visit; ``trough``
    and ``peak`` are the medians of its lowest and highest there, and None for others.
    """

    quantity: str
    meaning: str
    unit: str
    arm: str
    visit: str
    day: float
    median: float | None
    p5: float | None
    p95: float | None
    n_ok: int
    n: int
    source: str
    trough: float | None = None
    peak: float | None = None


def summary(dataset: LabeledArrays, observations: Observations = ()) -> tuple[SummaryRow, ...]:
    """Rows of the table: quantities, arms, visits, in this order."""
    dataset = pooled(dataset)
    rows, draws = [], draws_in(dataset)
    shown = visits(dataset)
    for name in quantity_names(dataset):
        read = dict(zip(shown, each_read(dataset, name, [visit.index for visit in shown]), strict=True))
        attributes = dataset[name].attrs
        for arm, arm_name in enumerate(dataset["arm"].values):
            for visit in shown:
                values, swings, averaged = read[visit]
                there = ~np.isnan(values[arm])
                low, median, high = _quantiles(values[arm][there])
                trough, peak = (
                    (None, None)
                    if swings is None or not averaged[arm]
                    else (_quantiles(swings[arm, there, part])[1] for part in (0, 1))
                )
                rows.append(
                    SummaryRow(
                        quantity=name,
                        meaning=str(attributes["long_name"]),
                        unit=str(attributes["units"]),
                        arm=str(arm_name),
                        visit=visit.name,
                        day=visit.day,
                        median=median,
                        p5=low,
                        p95=high,
                        n_ok=int(there.sum()) // draws,
                        n=values.shape[1] // draws,
                        source=printed(of_arm(observations, str(arm_name)), name, visit, str(attributes["units"])),
                        trough=trough,
                        peak=peak,
                    )
                )
    return tuple(rows)


def _quantiles(values: np.ndarray[tuple[int, ...], np.dtype[np.float64]]) -> tuple[float | None, ...]:
    if not len(values):
        return None, None, None
    return tuple(quantiles_along(values, (0.05, 0.5, 0.95)).tolist())


def is_at(item: Observation, visit: SummaryVisit) -> bool:
    """Whether something was printed of a visit."""
    return visit.planned is not None and abs(item.day - visit.planned) <= VISIT_WINDOW


def printed(observations: Sequence[Observation], quantity: str, visit: SummaryVisit, shown_unit: str) -> str:
    """Reported values of a quantity at a visit, in the given unit, with their standing."""
    texts = []
    for item in observations:
        if item.quantity == quantity and is_at(item, visit):
            marks = {Standing.REPORTED: "", Standing.HEALTHY: "healthy controls: "}
            text = marks.get(item.standing, "") + _figures(item, shown_unit)
            texts.append(text if item.standing in marks else f"{text} ({item.standing.value})")
    return "; ".join(texts)


def _figures(item: Observation, shown_unit: str) -> str:
    if item.direction is not None:
        text = "rose" if item.direction == "up" else "fell"
        return (text if item.count is None else f"{text} in {item.count} of {item.n}") + _significance(item)
    if item.correlation is not None:
        return f"R = {item.correlation:g} with {item.partner}" + _significance(item)
    if item.mean is None:
        return item.account if item.count is None else f"{item.count} of {item.n}"
    mean, low, high = (
        "" if value is None else f"{convert(value, item.unit, unit(shown_unit)):g}"
        for value in (item.mean, item.low, item.high)
    )
    return f"mean {mean}, range {low} to {high}" if low and high else f"mean {mean}"


def _significance(item: Observation) -> str:
    return "" if item.p is None else f", p = {item.p:g}"


def printed_alone(observations: Observations, rows: Sequence[SummaryRow]) -> tuple[str, ...]:
    """Counts that the source printed of something that no row shows, such as who responded."""
    shown = {row.quantity for row in rows}
    names = {day: name for day, name in VISITS}
    texts = []
    for item in of_all(observations):
        if item.quantity not in shown and item.count is not None:
            standing = "" if item.standing is Standing.REPORTED else f", {item.standing.value}"
            texts.append(
                f"{item.quantity.replace('_', ' ')} {_figures(item, '1')} "
                f"({names.get(item.day, f'day {item.day:g}')}{standing})"
            )
    return tuple(texts)


def rounded(value: float | None) -> str:
    """Three significant digits without an exponent where that is readable; a dash for nothing."""
    if value is None or not math.isfinite(value):
        return "–"
    if value == 0.0:
        return "0"
    # The exponent after rounding: 99.97 has become 100, which needs no decimals.
    digits = 2 - int(f"{value:.2e}".partition("e")[2])
    if not -4 <= digits <= 6:
        return f"{value:.3g}"
    # Zeros at the end are digits too: 0.840 is known to three, 0.84 to two.
    return f"{round(value, digits):.{max(digits, 0)}f}"


def dose_text(dose: float | None, low: float | None, high: float | None, unit: str, highest: float) -> str:
    """A dose with its interval, as far as the doses reach."""
    ends = f"{'less than the doses' if low is None else rounded(low)} to "
    ends += f"more than {highest:g}" if high is None else rounded(high)
    if dose is None:
        return "not known in the range" if low is None and high is None else f"from {ends} {unit}"
    return f"{rounded(dose)} {unit}" + ("" if low is None and high is None else f" ({ends})")
