"""``simulate run``: a scenario, from its file to a run directory and a table."""

from __future__ import annotations

import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.simulating import run as function
from simulate.cli.options import (
    Drawn,
    Draws,
    Dropout,
    End,
    Every,
    Force,
    Hypotheses,
    Json,
    Patients,
    Rtol,
    Seed,
    Settings,
    SeveralFits,
    Threads,
    Units,
    Vary,
    chosen_settings,
    defaults_of,
    place_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import RenderableType
    from rich.table import Table

    from simulate.cohort.ensemble import Ensemble
    from simulate.errors import NumericalError
    from simulate.results.changes import ChangeRow
    from simulate.results.tables import SummaryRow
    from simulate.studies.failures import FailureEntry
    from simulate.studies.observed import ObservedValue
    from simulate.studies.runs import Study

COLUMNS = 80
"""Letters in a line of what is printed."""

LABEL = 25
"""Letters of the first column of a table, at most."""

TOLERATED = 0.05
"""Share of numerical failures that may be set aside."""


@defaults_of(function)
def run(
    *,
    scenario: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="A shipped scenario, a TOML file, or a model (SBML, Antimony).")
    ],
    regimen: Annotated[
        list[str] | None,
        typer.Option(
            "--regimen", metavar="TEXT", help="Treatment in place of the scenario's arms; repeat it for several arms."
        ),
    ] = None,
    hypotheses: Hypotheses = None,
    fit: SeveralFits,
    draws: Draws,
    settings: Settings,
    vary: Vary = None,
    patients: Patients,
    seed: Seed,
    dropout: Dropout,
    patient: Annotated[
        int | None, typer.Option("--patient", metavar="K", min=0, help="Only patient K, as in any cohort of that seed.")
    ] = None,
    quantities: Annotated[
        list[str] | None,
        typer.Option(
            "--quantity",
            "-q",
            metavar="NAME",
            help="A state or observable that is kept, printed and drawn; all observables if not given; repeat it.",
        ),
    ],
    rtol: Rtol,
    end: End,
    every: Every,
    units: Units = "numbers",
    threads: Threads,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="DIR", help="Run directory; runs/SCENARIO-HASH if not given.")
    ],
    force: Force,
    figures: Drawn,
    as_json: Json = False,
) -> int:
    """Simulate a cohort of patients and write a run directory.

    The directory holds results.nc, changes.csv, summary.csv, figures and manifest.json. What is printed first is each
    patient's own change since baseline, median and, in parentheses, the range from 5 to 95 % of the patients, with the
    shares who rise and fall, beside the direction that was reported; then levels, beside what the source printed.

    \b
    simulate run anakinra-100mg-daily
    simulate run anakinra-100mg-daily -H H1 -n 500 --set f_m=0.3 --set "k_a=0.2 1/h"
    simulate run anakinra-100mg-daily --regimen "100 mg iv daily" --regimen "100 mg sc every other day"
    simulate run anakinra-100mg-daily -H H1 -H H4    # which gives both signs, in whom, and how many would show it
    simulate run anakinra-100mg-daily --fit prior --fit shipped    # before the data and after, beside what was reported
    simulate run anakinra-100mg-daily-12-months --dropout
    simulate run anakinra-100mg-daily -q il17a -q M17    # simulate show model has what there is
    simulate run my-scenario.toml --set "time.end=364 d" --out runs/long
    simulate run model.xml --end "10 h" --every "6 min"    # a model in SBML, Antimony or TOML
    simulate run model.xml --end "10 h" --vary cv=0.3 --vary k_cat.cv=0.1 -n 1000    # a virtual population
    """  # noqa: D301
    from simulate.api.simulating import failure_rows, simulated
    from simulate.cli.console import UsageFault, print_json, print_rich, print_text, progress, say
    from simulate.exchange.foreign import is_foreign, judge_units, read_foreign
    from simulate.results.tables import printed_alone
    from simulate.studies.datasets import ensemble_counts
    from simulate.studies.observed import far_apart

    if patient is not None and patients is not None:
        raise UsageFault(
            "--patient is one patient and --patients many", code="usage.argument", advice="give one of them"
        )
    judge_units(scenario, units)
    asked, fits = hypotheses or [], fit or []
    is_alone = len(asked) <= 1 and len(fits) <= 1
    chosen = chosen_settings(
        settings or [],
        vary=vary or [],
        regimens=regimen or [],
        hypothesis=asked[0] if asked and is_alone else None,
        fit=fits[0] if fits and is_alone else None,
        draws=draws,
        patients=patients if patient is None else 1,
        first=patient,
        seed=seed,
        dropout=dropout,
        quantities=quantities or [],
        rtol=rtol,
    )
    if not is_alone:
        from simulate.cli.side_by_side import side_by_side
        from simulate.studies.settings import times_set

        chosen += times_set(end, every)
        return side_by_side(
            scenario, asked, fits, chosen, threads=threads, out=out, force=force, figures=figures, as_json=as_json
        )
    result = simulated(
        scenario,
        chosen,
        lambda study: place_of(out, study),
        end=end,
        every=every,
        threads=threads,
        force=force,
        progress=progress,
    )
    for line in read_foreign(scenario).dropped if is_foreign(scenario) else ():
        say(f"left out: {line}")
    found = result.value
    target = place_of(out, found.study)
    files = result.write(target, force=force, figures=figures)
    fault = _too_many_failures(found.ensemble)
    if as_json:
        print_json(
            {
                "directory": str(target),
                "files": list(files),
                "key": found.study.key,
                "scenario": found.study.settings,
                "counters": ensemble_counts(found.ensemble),
                "failures": failure_rows(found.failures),
                "changes": result.tables["changes"].records(),
                "summary": result.tables["summary"].records(),
                **({"observed": result.tables["observed"].records()} if found.observed else {}),
                **({} if fault is None else {"error": fault.as_dict()}),
            }
        )
    else:
        print_text(result.title)
        print_rich("", *_changes(found.study, found.changes), *_levels(found.study, found.summary))
        if found.observed:
            print_rich("", _observed_table(found.observed))
        if lines := _printed(found.summary, printed_alone(found.observations, found.summary)):
            print_text("\n".join(lines))
    for line in (
        *found.study.scenario.understood,
        *found.study.assumptions,
        *found.study.readings.sentences,
        *far_apart(found.observed),
        *_notes(found.ensemble),
        *_causes(found.failures),
    ):
        say(line)
    say(f"wrote {target}")
    if fault is None:
        return 0
    say(str(fault), is_error=True)
    return fault.exit_code


def _too_many_failures(ensemble: Ensemble) -> NumericalError | None:
    """The error of a run in which too many failed; None if it can stand."""
    from simulate.errors import NumericalError
    from simulate.studies.datasets import STOPPED, ensemble_counts, failed_numerically

    counts = ensemble_counts(ensemble)
    infeasible = counts.get("infeasible", 0)
    failed = failed_numerically(counts)
    if counts["n_ok"] + counts.get(STOPPED, 0) and failed <= TOLERATED * counts["n"]:
        return None
    first = ensemble.failures[0]
    return NumericalError(
        f"{failed + infeasible} of {counts['n']} trajectories did not reach the end",
        code="run.failures",
        found=f"patient {first.patient}, arm `{first.arm}`: {first.failure.reason}",
        expected=f"at most {100 * TOLERATED:g} % of numerical failures, and one patient or more who reach the end",
        advice="manifest.json lists all of them; try a smaller --rtol, or a larger solver.max_steps"
        if failed
        else "choose parameters that describe a patient at rest",
    )


def _notes(ensemble: Ensemble) -> list[str]:
    """Lines about those who were left out of the summary, and how those were solved whose method was chosen."""
    from collections import Counter

    from simulate.studies.datasets import STOPPED, ensemble_counts

    trajectories = ensemble.trajectories
    methods = Counter(trajectories.method_of(row) for row in range(len(trajectories.values)))
    chosen = [f"{name}: {count} of {ensemble.status.size} trajectories" for name, count in methods.most_common()]
    reasons = Counter(row.failure.reason for row in ensemble.failures)
    total = ensemble.status.size
    rules = [
        f"arm `{arm.name}`, rule {index + 1}: applied to "
        f"{len({one.place for one in ensemble.occurrences if (one.arm, one.rule) == (arm.name, before + index)})} "
        f"of {ensemble.shape[1]} patients"
        for arm, before in zip(ensemble.arms, _rules_before(ensemble), strict=True)
        for index in range(len(arm.rules))
    ]
    counts = ensemble_counts(ensemble)
    if stopped := counts.get(STOPPED, 0):
        rules.append(f"stopped by a rule: {stopped} of {total} trajectories; each counts until then")
    left_out = [f"left out: {count} of {total} trajectories: {reason}" for reason, count in reasons.most_common(3)]
    return [*rules, *(chosen if len(methods) > 1 else ()), *left_out]


def _rules_before(ensemble: Ensemble) -> list[int]:
    """Number of rules of the arms before each."""
    from itertools import accumulate

    return [0, *accumulate(len(arm.rules) for arm in ensemble.arms)][: len(ensemble.arms)]


def _causes(failures: Sequence[FailureEntry]) -> list[str]:
    """Who failed first, by which term, and how to see it again."""
    if not failures:
        return []
    return [f"  {failures[0].sentence}", f"  to repeat it alone: {failures[0].replay}"]


def _changes(study: Study, rows: Sequence[ChangeRow]) -> list[RenderableType]:
    """Paired changes at the visit that was reported and, where another column has no room, at the last after it."""
    import textwrap

    from simulate.results.changes import RULE

    if not rows:
        return []
    main, other = _visits_shown(rows)
    last = rows[-1].visit
    has_room = len(study.arms) == 1 and study.draws is None
    reported = [row.quantity for row in rows if row.reported]
    title = "Change since baseline, of each patient"
    tables = [_changes_table(study, rows, main, other if has_room else "", title)]
    if last not in (main, other if has_room else main):
        tables.append(_changes_table(study, [row for row in rows if row.visit == last], last, "", None))
    return [*tables, *textwrap.wrap(_changes_caption(study, f"; {RULE}" if reported else ""), COLUMNS), ""]


def _changes_table(study: Study, rows: Sequence[ChangeRow], main: str, other: str, title: str | None) -> Table:
    """A table in 80 columns: a line for each quantity, arm and, where a direction was reported, for who responds."""
    from simulate.cli.console import titled
    from simulate.cli.folding import hanging
    from simulate.results.changes import banded, between_draws, judged, signed
    from simulate.studies.paired import ALL, ENDPOINTS, OTHERS, RESPONDERS, percent_of

    several, of_draws = len(study.arms) > 1, study.draws is not None
    reported = [row.quantity for row in rows if row.reported]
    quantities = {row.quantity for row in rows}
    bracketed = {*reported, *quantities.intersection(ENDPOINTS)} or quantities
    headings = [*([other] if other else []), f"{main} (5 to 95 %)", "up/down", *(["reported"] if reported else [])]
    lines: list[tuple[str, ...]] = []
    by_place = {(row.quantity, row.arm, row.less, row.group, row.visit): row for row in rows}

    def line(label: str, quantity: str, arm: str, less: str, group: str) -> None:
        row = by_place.get((quantity, arm, less, group, main))
        if row is None:
            return
        before = by_place.get((quantity, arm, less, group, other))
        own = (
            *([signed(before.median, before.unit) if before else ""] if other else []),
            "\n".join((banded(row), between_draws(row))) if of_draws and quantity in bracketed else banded(row),
            "–" if row.up is None else f"{percent_of(row.up)}/{percent_of(row.down)}",
            *([judged(row)] if reported else []),
        )
        lines.append((label, *own))

    for quantity in dict.fromkeys((*reported, *(row.quantity for row in rows))):
        own = next(row for row in rows if row.quantity == quantity)
        name = quantity if own.unit == "%" else f"{quantity}, {own.unit}"
        if not several:
            line(name, quantity, own.arm, "", ALL)
            for group in (RESPONDERS, OTHERS) if quantity in reported else ():
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
    table.add_column("change in %")
    for heading in headings:
        table.add_column(heading, justify="left" if heading == "reported" else "right")
    for label, *cells in lines:
        table.add_row(hanging(label, max(LABEL if several else 16, COLUMNS - 2 - others)), *cells)
    return table


def _changes_caption(study: Study, rule: str) -> str:
    """What the columns of the table of changes are."""
    people = f"hypothesis {study.hypothesis}; {_cohort(study)}; median (5 % to 95 % of the patients)"
    if study.draws is not None:
        people += "; [ ]: where 90 % of the draws have their own median, or share"
    return f"{people}; up/down: % of patients who rise and who fall{rule}."


def _visits_shown(rows: Sequence[ChangeRow]) -> tuple[str, str]:
    """The visit of which bands are shown, the last with a reported direction or the last, and one for medians."""
    visits = list(dict.fromkeys(row.visit for row in rows))
    reported = [row.visit for row in rows if row.reported]
    main = max(reported, key=visits.index) if reported else visits[-1]
    others = [visit for visit in visits if visit != main]
    return main, others[-1] if others else ""


def _levels(study: Study, rows: Sequence[SummaryRow]) -> list[RenderableType]:
    """The summary in 80 columns: a line for each quantity and arm, and as many visits beside each other as fit."""
    import textwrap

    from simulate.errors import listed
    from simulate.studies.intervals import has_own_doses

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
    is_averaged = any(row.trough is not None for row in rows)
    follows = "; what follows the dose: average over the dosing interval before a visit" if is_averaged else ""
    if apart := [arm.name for arm in study.arms if has_own_doses(arm)]:
        follows += f"; {listed(apart)}: each patient has doses of their own, and is read at the visit itself"
    caption = f"hypothesis {study.hypothesis}; {_cohort(study)}{people}; median (5 % to 95 %){follows}."
    tables = [
        _side_by_side("Levels" if not place else "Levels, continued", lines, headings, columns)
        for place, columns in enumerate(_that_fit(lines, headings))
    ]
    return [*tables, *textwrap.wrap(caption, COLUMNS)]


def _observed_table(rows: Sequence[ObservedValue]) -> Table:
    """What was observed over what is simulated of the same patients, quantity by quantity."""
    from simulate.cli.console import titled
    from simulate.results.tables import rounded

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
    from simulate.cli.console import titled
    from simulate.cli.folding import hanging

    table = titled(title, title_style="bold", pad_edge=False, padding=(0, 1, 0, 0))
    table.add_column("level")
    for column in columns:
        table.add_column(headings[column], justify="right", no_wrap=True)
    for label, cells in lines:
        own = [cells[column] for column in columns]
        if any(own) or not any(cells):
            table.add_row(hanging(label, _label_width(lines)), *own)
    return table


def _printed(rows: Sequence[SummaryRow], alone: Sequence[str]) -> list[str]:
    """What the source printed of the quantities shown, and of what none shows, in lines of 80 letters."""
    import textwrap

    from simulate.trials.reading import shipped_trial

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


def _cohort(study: Study) -> str:
    """How many patients, and of what."""
    number = study.scenario.patients
    patients = f"{number} patient" if number == 1 else f"{number} patients"
    if study.draws is not None:
        return f"{patients} of each of {study.draws.origin}"
    return patients if study.scenario.model is not None else f"{patients} with the parameters of the tables, of no fit"


def _swing(row: SummaryRow) -> str:
    from simulate.results.tables import rounded

    return "" if row.trough is None else f"{rounded(row.trough)} to {rounded(row.peak)}"


def _figures(row: SummaryRow) -> str:
    from simulate.results.tables import rounded

    if row.median is None:
        return rounded(None)
    if row.p5 == row.p95:
        return rounded(row.median)
    return f"{rounded(row.median)} ({rounded(row.p5)} to {rounded(row.p95)})"
