"""What `simulate run` prints: tables of changes, levels and what was observed, and what was reported."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table

from simulate.cli.console import in_lines, letters_in_line, titled
from simulate.cli.folding import LABEL, hanging
from simulate.errors import counted, listed
from simulate.results.changes import RULE, ChangeRow, said_of_draws
from simulate.results.shown import ShownTable, changes_shown, levels_shown, same_in_all
from simulate.results.tables import SummaryRow, rounded
from simulate.studies.intervals import has_own_doses
from simulate.studies.observed import ObservedValue
from simulate.studies.paired import ENDPOINTS, RESOLVED
from simulate.studies.runs import Study
from simulate.trials.reading import shipped_trial

COLUMNS = 80
"""Letters in a line of what is printed."""


def changes_of_run(study: Study, rows: Sequence[ChangeRow], levels: Sequence[SummaryRow]) -> list[RenderableType]:
    """Paired changes at the visit that was reported and, where another column has no room, at the last after it.

    ``levels`` tell which arms are read as averages between doses.
    """
    if not rows:
        return []
    has_room = len(study.arms) == 1 and study.draws is None
    reported = [row.quantity for row in rows if row.reported]
    reading = _said_of_own_doses(study) or (_said_of_averages(study, levels) if _at_the_visit(study, levels) else "")
    are_alike = _are_alike(study, levels)
    quantities = {row.quantity for row in rows}
    bracketed = {*reported, *quantities.intersection(ENDPOINTS)} or quantities
    tables = changes_shown(rows, has_room=has_room, are_alike=are_alike, bracketed=bracketed)
    titles = ("Change since baseline, of each patient", *([None] * len(tables)))
    caption = _changes_caption(study, rows, reading, f"; {RULE}" if reported else "", are_alike)
    return [
        *(_changes_table(own, title) for own, title in zip(tables, titles, strict=False)),
        *in_lines(caption),
        "",
    ]


def _changes_table(shown: ShownTable, title: str | None) -> Table:
    """A table in 80 columns."""
    columns = zip(shown.headings, *(cells for _, *cells in shown.lines), strict=True)
    others = sum(1 + max(len(part) for cell in column for part in cell.split("\n")) for column in columns)
    table = titled(title, title_style="bold", pad_edge=False, padding=0, collapse_padding=True)
    table.add_column(shown.what)
    for heading in shown.headings:
        table.add_column(heading, justify="left" if heading == "reported" else "right")
    is_grouped = any(not any(cells) for _, *cells in shown.lines)
    for label, *cells in shown.lines:
        table.add_row(hanging(label, max(LABEL if is_grouped else 16, COLUMNS - 2 - others)), *cells)
    return table


def _changes_caption(study: Study, rows: Sequence[ChangeRow], reading: str, rule: str, are_alike: bool) -> str:
    """What the columns of the table of changes are."""
    people = people_of(study, are_alike=are_alike)
    if are_alike:
        return f"{people}{reading}{rule}."
    people += "; median (5 % to 95 % of the patients)"
    if study.draws is not None:
        people += f"; {said_of_draws(rows, study.scenario.patients)}"
    return f"{people}{reading}; up/down: % of patients who rise and who fall {RESOLVED}{rule}."


def _said_of_own_doses(study: Study) -> str:
    """How every arm is read where an arm has no dosing interval to average over; empty where each has."""
    if not (apart := [arm.name for arm in study.arms if has_own_doses(arm)]):
        return ""
    whom = "every arm is" if len(study.arms) > 1 else "it is"
    reading = f"{whom} read at the visit itself, not as an average between doses"
    return f"; {reading}: patients of {listed(apart)} have doses of their own"


def _at_the_visit(study: Study, levels: Sequence[SummaryRow]) -> list[str]:
    """Arms that are given doses, but none that follow one another up to a visit, where another arm has such doses."""
    averaged = {row.arm for row in levels if row.trough is not None}
    given = [arm.name for arm in study.arms if any(plan.courses for plan in arm.all_plans)]
    return [name for name in given if name not in averaged] if averaged else []


def _said_of_averages(study: Study, levels: Sequence[SummaryRow]) -> str:
    """How what follows the dose is read; empty where nothing does."""
    if all(row.trough is None for row in levels):
        return ""
    apart = _at_the_visit(study, levels)
    also = f", and of {listed(apart)} the value at the visit itself" if apart else ""
    return f"; what follows the dose: average over the dosing interval before a visit{also}"


def levels_of_run(study: Study, rows: Sequence[SummaryRow]) -> list[RenderableType]:
    """The summary in 80 columns: a line for each quantity and arm, and as many visits beside each other as fit."""
    levels = levels_shown(rows, is_counted=study.scenario.dropout)
    people = ", of whom those in the study at each visit" if study.scenario.dropout else ""
    follows = _said_of_own_doses(study) or _said_of_averages(study, rows)
    are_alike = _are_alike(study, rows)
    caption = (
        f"{people_of(study, are_alike=are_alike)}{people}{'' if are_alike else '; median (5 % to 95 %)'}{follows}."
    )
    tables = [
        _side_by_side("Levels" if not place else "Levels, continued", levels, columns)
        for place, columns in enumerate(_that_fit(levels))
    ]
    return [*tables, *in_lines(caption)]


def table_of_observed(rows: Sequence[ObservedValue]) -> Table:
    """What was observed over what is simulated of the same patients, quantity by quantity."""
    table = titled(
        "Observed values over simulated ones, each of the same patient and time",
        title_style="bold",
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    table.add_column("quantity", overflow="fold", max_width=LABEL)
    for name in ("values", "median ratio", "lowest to highest"):
        table.add_column(name, justify="right")
    for quantity in dict.fromkeys(row.quantity for row in rows):
        own = [row for row in rows if row.quantity == quantity]
        ratios = sorted(row.ratio for row in own if row.ratio is not None and not row.below)
        middle = statistics.median(ratios) if ratios else None
        ends = f"{rounded(ratios[0])} to {rounded(ratios[-1])}" if ratios else rounded(None)
        table.add_row(quantity, str(len(own)), rounded(middle), ends)
    return table


def _label_width(shown: ShownTable) -> int:
    return min(LABEL, max(len(label) for label, *_ in shown.lines))


def _that_fit(shown: ShownTable) -> list[list[int]]:
    """Numbers of the columns that stand beside each other, table by table."""
    found: list[list[int]] = []
    left = 0
    for column, heading in enumerate(shown.headings):
        widths = (len(cells[column]) for _, *cells in shown.lines)
        width = 2 + max(*(len(part) for part in heading.splitlines()), *widths)
        if not found or width > left:
            found.append([])
            left = COLUMNS - 2 - _label_width(shown)
        found[-1].append(column)
        left -= width
    return found


def _side_by_side(title: str, shown: ShownTable, columns: Sequence[int]) -> Table:
    table = titled(title, title_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column(shown.what)
    for column in columns:
        table.add_column(shown.headings[column], justify="right", no_wrap=True)
    for label, *cells in shown.lines:
        own = [cells[column] for column in columns]
        if any(own) or not any(cells):
            table.add_row(hanging(label, _label_width(shown)), *own)
    return table


def reported_beside(rows: Sequence[SummaryRow], alone: Sequence[str]) -> list[str]:
    """What the source printed of the quantities shown, and of what none shows, in lines of 80 letters."""
    found: dict[str, None] = {}
    sampled = [part.quantity for part in shipped_trial().readouts if part.sampling is not None]
    for row in rows:
        if row.source:
            is_late = row.quantity in sampled and row.trough is not None
            late = "; of samples long after a dose, so nearer the trough than the average" if is_late else ""
            found.setdefault(f"{row.quantity}, {row.visit}: {row.source}{late}")
    lines = [line for text in found for line in textwrap.wrap(text, letters_in_line() - 1, subsequent_indent="    ")]
    also = in_lines(f"the source also printed: {'; '.join(alone)}") if alone else []
    return [*(["", "The source printed", *(f" {line}" for line in lines)] if lines else []), *also]


def people_of(study: Study, *, are_alike: bool = False) -> str:
    """Under which hypothesis, if any, and how many patients."""
    hypothesis = "" if study.scenario.model is not None and study.hypothesis == "none" else study.hypothesis
    under = f"hypothesis {hypothesis}; " if hypothesis else ""
    are_many = are_alike and study.scenario.patients > 1
    alike = ", all alike in what is kept (`--vary` gives parameters a spread)" if are_many else ""
    return f"{under}{_cohort(study)}{alike}"


def _are_alike(study: Study, levels: Sequence[SummaryRow]) -> bool:
    return study.draws is None and same_in_all(levels)


def _cohort(study: Study) -> str:
    """How many patients, and of what."""
    patients = counted(study.scenario.patients, "patient")
    if study.draws is not None:
        return f"{patients} of each of {study.draws.origin}"
    return patients if study.scenario.model is not None else f"{patients} with the parameters of the tables, of no fit"
