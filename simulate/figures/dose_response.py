"""Dose-response: the mean with its interval at each dose, the fitted curve, and what the curve is worth."""

from __future__ import annotations

import math
import string
import textwrap
from typing import Any

import numpy as np
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from simulate.figures.style import COLUMN, FAINT, PAGE, POINTS, around, color, plain_number, quantity_label, styled
from simulate.solver.kernel import FloatArray
from simulate.studies.dose_response.emax import CurveVerdict, effect_at
from simulate.studies.dose_response.tables import patients_text
from simulate.studies.values import resolution_of

MAX_LINES = 6
"""Places of the second axis that a panel can show apart; of more, these are spread over it."""

_HEIGHT = 2.7
_NOTHING = 1.0 / 3.0
_VERDICTS = tuple(CurveVerdict)

_UPRIGHT = 24
"""Letters of a line along the height of a panel."""

_LETTERS = 52
"""Letters of a line over the width of a column."""
_MOST_NOTES = 3
"""Lines of which each has its ED50 above a panel; of more, the table has them."""


def dose_response(dataset: xr.Dataset) -> Figure:
    """Draw effects over doses, a panel for each endpoint.

    One column wide for one endpoint, a page wide for more. The dose of nothing stands at the left of the axis, apart
    from its scale. Where there is one curve, bars are intervals of the mean, the band is that of 90 % of the patients,
    and the upright line is the ED50 with its interval. Hypotheses that stand beside each other
    (`simulate.figures.responses.in_lines`) have bars as well, and their ED50 in the title.
    """
    endpoints = dataset.sizes["endpoint"]
    columns = 1 if endpoints == 1 else 2
    rows = math.ceil(endpoints / columns)
    lines = shown_places(dataset.sizes["second"])
    with styled(POINTS):
        size = (COLUMN if columns == 1 else PAGE, rows * _HEIGHT + 0.25 * math.ceil((len(lines) + 2) / 3) + 0.3)
        figure = Figure(figsize=size, layout="constrained")
        grid = figure.subplots(rows, columns, squeeze=False)
        for index, axes in enumerate(grid.flat):
            if index >= endpoints:
                axes.remove()
                continue
            _draw(axes, dataset, index, lines)
            if endpoints > 1:
                axes.annotate(
                    string.ascii_lowercase[index],
                    (0.0, 1.0),
                    xycoords="axes fraction",
                    xytext=(-26.0, 4.0),
                    textcoords="offset points",
                    fontweight="bold",
                    fontsize=POINTS + 1.0,
                )
        _legend(figure, dataset, lines, columns)
    return figure


def shown_places(count: int, most: int = MAX_LINES) -> list[int]:
    """Which places of the second axis are drawn, at most so many: the ends are among them."""
    if count <= most:
        return list(range(count))
    return sorted({round(index * (count - 1) / max(1, most - 1)) for index in range(most)})


def places_of(doses: FloatArray) -> FloatArray:
    """Where doses stand on a logarithmic axis: that of nothing left of the lowest."""
    placed: FloatArray = np.where(doses > 0.0, doses, doses[doses > 0.0].min() * _NOTHING)
    return placed


def dose_axis(axes: Axes, doses: FloatArray, label: str) -> None:
    """A logarithmic axis of doses on which the dose of nothing has its place."""
    places = places_of(doses)
    axes.set_xscale("log")
    positive = doses[doses > 0.0]
    powers = 10.0 ** np.arange(math.floor(math.log10(positive[0])), math.ceil(math.log10(positive[-1])) + 1)
    factors = (1.0,) if positive[-1] > 50.0 * positive[0] else (1.0, 2.0, 5.0)
    ticks = [step * factor for step in powers for factor in factors if positive[0] <= step * factor <= positive[-1]]
    texts = [plain_number(tick, None) for tick in ticks]
    if doses[0] == 0.0:
        ticks, texts = [float(places[0]), *ticks], ["0", *texts]
    axes.xaxis.set_major_locator(FixedLocator(ticks))
    axes.xaxis.set_major_formatter(FixedFormatter(texts))
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlim(places[0] / 1.3, places[-1] * 1.3)
    axes.set_xlabel(label)


def second_label(dataset: xr.Dataset, place: int) -> str:
    """What a place of the second axis is called, with its unit; of hypotheses that stand along it, their names."""
    if "line" in dataset.coords:
        return str(dataset["line"].values[place])
    if not dataset.attrs["second"]:
        return "mean of patients"
    unit = str(dataset["second"].attrs.get("units", "1"))
    return f"{dataset.attrs['second']} = {float(dataset['second'].values[place]):.3g}" + (
        "" if unit == "1" else f" {unit}"
    )


def dose_label(dataset: xr.Dataset) -> str:
    """Label of the axis of doses."""
    return quantity_label("dose", str(dataset["dose"].attrs.get("units", "")))


def _draw(axes: Axes, dataset: xr.Dataset, endpoint: int, lines: list[int]) -> None:
    doses = np.asarray(dataset["dose"].values, dtype=np.float64)
    places = places_of(doses)
    positive = doses[doses > 0.0]
    fine = np.geomspace(positive[0], positive[-1], 200)
    own = dataset.isel(endpoint=endpoint)
    is_named = "line" in dataset.coords
    for order, second in enumerate(lines):
        shade, one = color(order), own.isel(second=second)
        if len(lines) == 1:
            axes.fill_between(places, one["p5"].values, one["p95"].values, color=shade, alpha=0.14, linewidth=0.0)
        mean, low, high = (np.asarray(one[name].values) for name in ("mean", "mean_low", "mean_high"))
        curve = np.asarray(one["curve"].values, dtype=np.float64)
        if np.isfinite(curve).all():
            axes.plot(fine, effect_at(fine, curve), color=shade, linewidth=1.4)
        bars = np.abs(np.stack([mean - low, high - mean]))
        bars[~np.isfinite(bars)] = 0.0
        # Intervals of several curves would hide each other; the table has them. Those of hypotheses stand side by side.
        shown = bars if len(lines) == 1 or is_named else None
        aside = 1.04 ** (order - 0.5 * (len(lines) - 1)) if is_named else 1.0
        axes.errorbar(
            places * aside, mean, yerr=shown, color=shade, linestyle="none", marker="o", markersize=3.0, elinewidth=0.8
        )
        if _VERDICTS[int(one["verdict"])] is CurveVerdict.IDENTIFIED and len(lines) == 1:
            axes.axvline(curve[2], color=FAINT, linewidth=0.8, linestyle=(0, (3, 2)), zorder=0)
        if (known := _range(one)) is not None and len(lines) == 1:
            axes.axvspan(*known, color=FAINT, alpha=0.2, zorder=0)
    # The verdict knows of terms that cancel: a curve that is flat by it has nothing but rounding to show.
    flat = all(_VERDICTS[int(verdict)] is CurveVerdict.FLAT for verdict in np.ravel(own["verdict"]))
    terms = math.inf if flat else 0.0
    around(axes, own[["mean", "p5", "p95"]].to_array().values, resolution_of(dataset), terms)
    dose_axis(axes, doses, dose_label(dataset))
    axes.set_ylabel(textwrap.fill(effect_label(own), _UPRIGHT))
    notes = [_note(own.isel(second=second), dataset) for second in lines]
    is_noted = len(lines) == 1 or (is_named and len(lines) <= _MOST_NOTES)
    if is_named:
        notes = [
            textwrap.fill(f"{second_label(dataset, second)}: {note}", 48)
            for second, note in zip(lines, notes, strict=True)
        ]
    title = textwrap.wrap(str(own["endpoint_title"].values), 46 if dataset.sizes["endpoint"] == 1 else 48)
    axes.set_title("\n".join([*title, *(notes if is_noted else [])]), loc="left")


def effect_label(own: xr.Dataset, what: str = "mean") -> str:
    """What stands at the axis of an effect: the unit, and of what a share is; the title has the words."""
    unit = str(own["endpoint_unit"].values)
    if own["endpoint_title"].values.item().startswith("change"):
        return f"change ({unit} of the value at the start)" if unit == "%" else quantity_label("change", unit)
    return quantity_label(what, unit) if unit else f"{what} (ratio)"


def _range(one: xr.Dataset) -> tuple[float, float] | None:
    """Interval of the ED50, or the doses between which it lies; None where nothing is known."""
    low, high = (float(one[name].values[2]) for name in ("curve_low", "curve_high"))
    verdict = _VERDICTS[int(one["verdict"])]
    is_known = verdict is CurveVerdict.IDENTIFIED or verdict.is_bracketed
    return (low, high) if is_known and math.isfinite(low + high) else None


def _note(one: xr.Dataset, dataset: xr.Dataset) -> str:
    """What the curve is worth, in a line."""
    unit = str(dataset["dose"].attrs.get("units", ""))
    verdict = _VERDICTS[int(one["verdict"])]
    known = _range(one)
    interval = "" if known is None else f" ({known[0]:.3g} to {known[1]:.3g})"
    if verdict.is_bracketed:
        return textwrap.fill(f"ED50{interval} {unit}: {verdict.value}", 48)
    if verdict is not CurveVerdict.IDENTIFIED:
        return textwrap.fill(f"ED50: {verdict.value}", 48)
    return f"ED50 {float(one['curve'].values[2]):.3g} {unit}{interval}"


def _legend(figure: Figure, dataset: xr.Dataset, lines: list[int], columns: int) -> None:
    handles: list[Any] = [Line2D([], [], color=color(order), marker="o", markersize=3.0) for order in range(len(lines))]
    labels = [second_label(dataset, place) for place in lines]
    people = f"n = {patients_text(dataset)}"
    if len(lines) > 1:
        handles.append(Line2D([], [], linestyle="none"))
        labels.append(f"means{' and 95 %' if 'line' in dataset.coords else ''}, {people}")
    else:
        handles.append(Line2D([], [], color=FAINT, marker="|", markersize=6.0, linestyle="none"))
        labels.append(f"95 % of resampled means, {people}")
        handles.append(Patch(color=color(0), alpha=0.14, linewidth=0.0))
        labels.append("90 % of patients")
    # What is said of draws is long.
    several = 1 if columns == 1 else 2 if "draw" in dataset.coords else 3
    letters = (_LETTERS if columns == 1 else 2 * _LETTERS) // several - 6
    # Nothing breaks between `n` and its number.
    labels = [textwrap.fill(label.replace("n = ", "n\xa0=\xa0"), letters).replace("\xa0", " ") for label in labels]
    figure.legend(handles, labels, loc="outside lower left", ncols=several)
