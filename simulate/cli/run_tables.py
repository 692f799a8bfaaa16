"""What `simulate run` prints: tables of changes, levels and what was observed, and what was reported."""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Sequence

from rich.console import RenderableType
from rich.table import Table

from simulate.cli.console import titled
from simulate.cli.folding import LABEL, hanging
from simulate.errors import listed
from simulate.results.changes import RULE, ChangeRow, banded, between_draws, judged, said_of_draws, signed
from simulate.results.tables import SummaryRow, rounded
from simulate.studies.intervals import has_own_doses
from simulate.studies.observed import ObservedValue
from simulate.studies.paired import ALL, ENDPOINTS, OTHERS, RESPONDERS, percent_of
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
    main, other = _visits_shown(rows)
    last = rows[-1].visit
    has_room = len(study.arms) == 1 and study.draws is None
    reported = [row.quantity for row in rows if row.reported]
    reading = _said_of_own_doses(study) or (_said_of_averages(study, levels) if _at_the_visit(study, levels) else "")
    title = "Change since baseline, of each patient"
    are_alike = _are_alike(study, levels)
    tables = [_changes_table(study, rows, main, other if has_room else "", title, are_alike)]
    if last not in (main, other if has_room else main):
        tables.append(_changes_table(study, [row for row in rows if row.visit == last], last, "", None, are_alike))
    caption = _changes_caption(study, rows, reading, f"; {RULE}" if reported else "", are_alike)
    return [
        *tables,
        *textwrap.wrap(caption, COLUMNS),
        "",
    ]


def _changes_table(
    study: Study, rows: Sequence[ChangeRow], main: str, other: str, title: str | None, are_alike: bool
) -> Table:
    """A table in 80 columns: a line for each quantity, arm and, where a direction was reported, for who responds."""
    several = len(study.arms) > 1
    reported = [row.quantity for row in rows if row.reported]
    quantities = {row.quantity for row in rows}
    bracketed = {*reported, *quantities.intersection(ENDPOINTS)} or quantities
    headings = [
        *([other] if other else []),
        *((main,) if are_alike else (f"{main} (5 to 95 %)", "up/down")),
        *(["reported"] if reported else []),
    ]
    lines: list[tuple[str, ...]] = []
    by_place = {(row.quantity, row.arm, row.less, row.group, row.visit): row for row in rows}

    def line(label: str, quantity: str, arm: str, less: str, group: str) -> None:
        row = by_place.get((quantity, arm, less, group, main))
        if row is None:
            return
        before = by_place.get((quantity, arm, less, group, other))
        own = (
            *([signed(before.median, before.unit) if before else ""] if other else []),
            "\n".join(filter(None, (banded(row), between_draws(row)))) if quantity in bracketed else banded(row),
            *([] if are_alike else ["–" if row.up is None else f"{percent_of(row.up)}/{percent_of(row.down)}"]),
            *([judged(row)] if reported else []),
        )
        lines.append((label, *own))

    for quantity in dict.fromkeys((*reported, *(row.quantity for row in rows))):
        own = next(row for row in rows if row.quantity == quantity)
        name = quantity if own.unit == "%" else f"{quantity}, difference{'' if own.unit == '1' else f' in {own.unit}'}"
        if not several:
            line(name, quantity, own.arm, "", ALL)
            for group in (RESPONDERS, OTHERS) if quantity in reported and not are_alike else ():
                line(f"  {group}", quantity, own.arm, "", group)
            continue
        lines.append((name, *([""] * len(headings))))
        for arm, less in dict.fromkeys((row.arm, row.less) for row in rows if row.quantity == quantity):
            # What does not change untreated needs no second row.
            if not less or any(by_place[quantity, less, "", ALL, main].shares):
                line(f"    less {less}" if less else f"  {arm}", quantity, arm, less, ALL)
    columns = zip(headings, *(cells for _, *cells in lines), strict=True)
    others = sum(1 + max(len(part) for cell in column for part in cell.split("\n")) for column in columns)
    table = titled(title, title_style="bold", pad_edge=False, padding=0, collapse_padding=True)
    table.add_column("change in %" if any(row.unit == "%" for row in rows) else "change")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "reported" else "right")
    for label, *cells in lines:
        table.add_row(hanging(label, max(LABEL if several else 16, COLUMNS - 2 - others)), *cells)
    return table


def _changes_caption(study: Study, rows: Sequence[ChangeRow], reading: str, rule: str, are_alike: bool) -> str:
    """What the columns of the table of changes are."""
    people = _people(study, are_alike)
    if are_alike:
        return f"{people}{reading}{rule}."
    people += "; median (5 % to 95 % of the patients)"
    if study.draws is not None:
        people += f"; {said_of_draws(rows, study.scenario.patients)}"
    return f"{people}{reading}; up/down: % of patients who rise and who fall{rule}."


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


def _visits_shown(rows: Sequence[ChangeRow]) -> tuple[str, str]:
    """The visit of which bands are shown, the last with a reported direction or the last, and one for medians."""
    visits = list(dict.fromkeys(row.visit for row in rows))
    reported = [row.visit for row in rows if row.reported]
    main = max(reported, key=visits.index) if reported else visits[-1]
    others = [visit for visit in visits if visit != main]
    return main, others[-1] if others else ""


def levels_of_run(study: Study, rows: Sequence[SummaryRow]) -> list[RenderableType]:
    """The summary in 80 columns: a line for each quantity and arm, and as many visits beside each other as fit."""
    visits = list(dict.fromkeys(row.visit for row in rows))
    by_place = {(row.quantity, row.arm, row.visit): row for row in rows}
    several = len(study.arms) > 1
    lines: list[tuple[str, list[str]]] = []
    for quantity in dict.fromkeys(row.quantity for row in rows):
        own = next(row for row in rows if row.quantity == quantity)
        name = f"{quantity}, {own.unit}" if own.unit else quantity
        if several:
            lines.append((name, [""] * len(visits)))
        for arm in study.arms:
            cells = [by_place[quantity, arm.name, visit] for visit in visits]
            lines.append((f"  {arm.name}" if several else name, [_figures(row) for row in cells]))
            if any(row.trough is not None for row in cells):
                lines.append(("    trough to peak" if several else "  trough to peak", [_swing(row) for row in cells]))
    first = rows[0]
    headings = list(visits)
    if study.scenario.dropout or any(row.n_ok < first.n_ok for row in rows):
        for column, visit in enumerate(visits):
            present = sorted({row.n_ok for row in rows if row.visit == visit})
            headings[column] = f"{visit}\nn = {' to '.join(map(str, present))}"
    people = ", of whom those in the study at each visit" if study.scenario.dropout else ""
    follows = _said_of_own_doses(study) or _said_of_averages(study, rows)
    are_alike = _are_alike(study, rows)
    caption = f"{_people(study, are_alike)}{people}{'' if are_alike else '; median (5 % to 95 %)'}{follows}."
    tables = [
        _side_by_side("Levels" if not place else "Levels, continued", lines, headings, columns)
        for place, columns in enumerate(_that_fit(lines, headings))
    ]
    return [*tables, *textwrap.wrap(caption, COLUMNS)]


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


def _label_width(lines: Sequence[tuple[str, list[str]]]) -> int:
    return min(LABEL, max(len(label) for label, _ in lines))


def _that_fit(lines: Sequence[tuple[str, list[str]]], headings: Sequence[str]) -> list[list[int]]:
    """Numbers of the columns that stand beside each other, table by table."""
    found: list[list[int]] = []
    left = 0
    for column, heading in enumerate(headings):
        width = 2 + max(*(len(part) for part in heading.splitlines()), *(len(cells[column]) for _, cells in lines))
        if not found or width > left:
            found.append([])
            left = COLUMNS - 2 - _label_width(lines)
        found[-1].append(column)
        left -= width
    return found


def _side_by_side(
    title: str, lines: Sequence[tuple[str, list[str]]], headings: Sequence[str], columns: Sequence[int]
) -> Table:
    table = titled(title, title_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("level")
    for column in columns:
        table.add_column(headings[column], justify="right", no_wrap=True)
    for label, cells in lines:
        own = [cells[column] for column in columns]
        if any(own) or not any(cells):
            table.add_row(hanging(label, _label_width(lines)), *own)
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
    lines = [line for text in found for line in textwrap.wrap(text, COLUMNS - 1, subsequent_indent="    ")]
    also = textwrap.wrap(f"the source also printed: {'; '.join(alone)}", COLUMNS) if alone else []
    return [*(["", "The source printed", *(f" {line}" for line in lines)] if lines else []), *also]


def _people(study: Study, are_alike: bool) -> str:
    """Under which hypothesis, if any, and how many patients."""
    hypothesis = "" if study.scenario.model is not None and study.hypothesis == "none" else study.hypothesis
    under = f"hypothesis {hypothesis}; " if hypothesis else ""
    are_many = are_alike and study.scenario.patients > 1
    alike = ", all alike (`--vary` gives parameters a spread)" if are_many else ""
    return f"{under}{_cohort(study)}{alike}"


def _are_alike(study: Study, levels: Sequence[SummaryRow]) -> bool:
    """Whether there is one patient, or all have the same numbers at each visit."""
    return study.draws is None and all(row.p5 == row.p95 for row in levels)


def _cohort(study: Study) -> str:
    """How many patients, and of what."""
    number = study.scenario.patients
    patients = f"{number} patient" if number == 1 else f"{number} patients"
    if study.draws is not None:
        return f"{patients} of each of {study.draws.origin}"
    return patients if study.scenario.model is not None else f"{patients} with the parameters of the tables, of no fit"


def _swing(row: SummaryRow) -> str:
    return "" if row.trough is None else f"{rounded(row.trough)} to {rounded(row.peak)}"


def _figures(row: SummaryRow) -> str:
    if row.median is None:
        return rounded(None)
    if row.p5 == row.p95:
        return rounded(row.median)
    return f"{rounded(row.median)} ({rounded(row.p5)} to {rounded(row.p95)})"
