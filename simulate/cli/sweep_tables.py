"""What is printed of a sweep: changes of quantities that its axes move, points that are alike as one row."""

from __future__ import annotations

from collections.abc import Hashable, Mapping, Sequence

from simulate.cli.console import in_lines, print_rich, titled
from simulate.results.changes import signed
from simulate.studies.paired import ENDPOINTS
from simulate.studies.sweeps.changes import SweepChange
from simulate.studies.visits import time_words

_SHOWN, _POINTS = 2, 24
"""Quantities, if they do for all axes, and points in the table that is printed, at most."""

_MOVED = 0.05
"""Share of all that medians differ by that is between points which differ along an axis alone, for it to count."""


def print_changes(rows: Sequence[SweepChange], people: str = "") -> None:
    """The change since baseline at each point of what is looked at first, and of whom."""
    if not rows:
        return
    shown = shown_quantities(rows)
    by_place = {(row.arm, row.quantity): row for row in rows}
    points = {row.arm: row for row in rows}
    # One patient, or patients who are all alike, have no range.
    differ = any(row.changed.p5 != row.changed.p95 for row in rows if row.quantity in shown)
    cells = {arm: tuple(_cell(by_place.get((arm, name)), differ) for name in shown) for arm in points}
    labels = _labels(points, cells)
    since, until = (time_words(day, rows[0].time_unit) for day in (rows[0].since, rows[0].day))
    table = titled(f"Change since {since}, of each patient", title_style="bold", pad_edge=False)
    table.add_column("point")
    for name in shown:
        unit = next(row.unit for row in rows if row.quantity == name)
        table.add_column(f"{name}, {unit}", justify="right")
    for arm in list(labels)[:_POINTS]:
        table.add_row(labels[arm], *cells[arm])
    of_draws = "" if rows[0].between_draws[0] is None else "; [ ]: where 90 % of the draws have their own median"
    more = [f"{len(labels) - _POINTS} more points are in changes.csv"] if len(labels) > _POINTS else []
    when = f"{'on' if until.startswith('day') else 'at'} {until}"
    ranges = f"median (5 % to 95 % of the patients){of_draws}" if differ else ""
    caption = "; ".join(part for part in (people, when, ranges) if part)
    print_rich("", table, *in_lines(caption), *more, "")


def shown_quantities(rows: Sequence[SweepChange]) -> tuple[str, ...]:
    """At most two of those that are looked at first and that an axis moves; and for each axis one that it moves."""
    names = list(dict.fromkeys(row.quantity for row in rows))
    names = [*(name for name in ENDPOINTS if name in names), *(name for name in names if name not in ENDPOINTS)]
    medians = {name: {row.arm: row.changed.median for row in rows if row.quantity == name} for name in names}
    groups = {axis: _beside(rows, axis) for axis in rows[0].over}
    moved = {(name, axis): _share(medians[name], own) for name in names for axis, own in groups.items()}
    usual = [name for name in names if name in ENDPOINTS] or names
    found = [name for name in usual if any(moved[name, axis] >= _MOVED for axis in groups)][:_SHOWN]
    for axis in groups:
        most = max([*usual, *names], key=lambda name: moved[name, axis] >= _MOVED)
        if not any(moved[name, axis] >= _MOVED for name in found) and moved[most, axis] >= _MOVED:
            found.append(most)
    return tuple(found or usual[:_SHOWN])


def _beside(rows: Sequence[SweepChange], axis: str) -> tuple[tuple[str, ...], ...]:
    """Arms that differ along an axis alone, as groups."""
    groups: dict[Hashable, dict[str, None]] = {}
    for row in rows:
        others = tuple((name, value) for name, value in row.over.items() if name != axis)
        base = row.arm.rpartition(": ")[0]
        groups.setdefault((base, others), {})[row.arm] = None
    return tuple(tuple(own) for own in groups.values())


def _share(medians: Mapping[str, float | None], groups: Sequence[Sequence[str]]) -> float:
    """The largest difference of medians within a group, as a share of that between all."""

    def width(arms: Sequence[str]) -> float:
        known = [value for arm in arms if (value := medians.get(arm)) is not None]
        return max(known) - min(known) if known else 0.0

    whole = width(list(medians))
    return max(width(own) for own in groups) / whole if whole > 0.0 else 0.0


def _labels(points: Mapping[str, SweepChange], cells: Mapping[str, tuple[str, ...]]) -> dict[str, str]:
    """Label of each row: values to 3 digits; of an axis along which all rows are alike the ends, in one row."""
    texts: dict[str, dict[str, str]] = {arm: {} for arm in points}
    for axis in next(iter(points.values())).over:
        values = [row.over[axis] for row in points.values()]
        # Three digits that do not tell values apart are too few.
        is_short = len(set(map(_short, values))) == len(set(values))
        for arm, value in zip(points, values, strict=True):
            texts[arm][axis] = _short(value) if is_short else f"{value:.6g}"
    kept = list(points)
    for axis in next(iter(points.values())).over:
        groups = _beside([points[arm] for arm in kept], axis)
        if min(map(len, groups)) > 1 and all(len({cells[arm] for arm in own}) == 1 for own in groups):
            for own in groups:
                ends = texts[own[0]][axis], texts[own[-1]][axis]
                texts[own[0]][axis] = f"{ends[0]} to {ends[1]}" if len(own) > 2 else f"{ends[0]} and {ends[1]}"
            kept = [own[0] for own in groups]
    found = {}
    for arm in kept:
        label = arm
        for name, value in points[arm].over.items():
            if isinstance(value, float):
                label = label.replace(f"{name} {value:.6g}", f"{name} {texts[arm][name]}", 1)
            else:
                label = label.replace(value, texts[arm][name], 1)
        found[arm] = label
    return found


def _short(value: float | str) -> str:
    return value if isinstance(value, str) else f"{float(f'{value:.3g}'):.6g}"


def _cell(row: SweepChange | None, has_range: bool) -> str:
    if row is None or row.changed.median is None:
        return "–"
    median, low, high = (signed(value, row.unit) for value in (row.changed.median, row.changed.p5, row.changed.p95))
    lines = [f"{median} ({low} to {high})" if has_range else median]
    least, most = row.between_draws
    if least is not None:
        lines.append(f"[{signed(least, row.unit)} to {signed(most, row.unit)}]")
    return "\n".join(lines)
