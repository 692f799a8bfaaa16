"""``simulate run`` with several hypotheses: the same patients under each, and one table that tells them apart."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rich.console import RenderableType

    from simulate.studies.contrast import Contrast
    from simulate.studies.runs import Study
    from simulate.studies.settings import Setting


def contrast(
    scenario: str,
    hypotheses: Sequence[str],
    settings: Callable[[str], list[Setting]],
    *,
    threads: int | None,
    out: Path | None,
    force: bool,
    figures: bool,
    as_json: bool,
) -> int:
    """Simulate a scenario under several hypotheses; ``settings`` are those of a run under one of them."""
    from simulate.cli.console import UsageFault, print_json, print_rich, print_text, progress, say
    from simulate.files import content_hash
    from simulate.report.analyses import Analysis, check_place, written
    from simulate.report.contrast import contrast_rows
    from simulate.studies.runs import prepare
    from simulate.studies.scenario import read_scenario

    twice = next((name for index, name in enumerate(hypotheses) if name in hypotheses[:index]), None)
    if twice is not None:
        raise UsageFault(f"the hypothesis `{twice}` is given twice", code="usage.argument", advice="give it once")
    studies = [prepare(read_scenario(scenario, settings(name))) for name in hypotheses]
    inputs = {name: study.settings for name, study in zip(hypotheses, studies, strict=True)}
    analysis = Analysis("contrast", inputs, {study.hypothesis: study.key for study in studies})
    first = studies[0].scenario
    target = out or Path("runs") / f"{first.name}-{content_hash(*(study.key for study in studies))[:8]}"
    check_place(analysis, target, force=force)
    found: list[Contrast] = []
    counters = {}
    with progress(sum(study.members * len(study.arms) for study in studies), "simulating") as advance:
        for study in studies:
            own, counters[study.hypothesis] = _contrasts(study, threads, advance)
            found += own
    rows = contrast_rows(found)
    with written(analysis, target, title=f"{first.title}: {', '.join(hypotheses)}", force=force) as folder:
        _write(folder, rows)
        if figures and found:
            from simulate.figures.contrast import contrast_figure
            from simulate.figures.style import save

            save(contrast_figure(found), folder, "contrast")
        files = sorted(path.name for path in folder.iterdir())
    if as_json:
        print_json({"directory": str(target), "files": files, "counters": counters, "contrast": rows})
    else:
        print_text(first.title)
        if found:
            print_rich("", *_table(studies[0], found))
    for name, counts in counters.items():
        if failed := counts["n"] - counts["n_ok"]:
            say(f"{name}: left out: {failed} of {counts['n']} trajectories that did not reach the end")
    say(f"wrote {target}")
    return 0


def _contrasts(
    study: Study, threads: int | None, advance: Callable[[int], None]
) -> tuple[tuple[Contrast, ...], dict[str, int]]:
    """What a study says at the visit of which something was reported, else at its end; and how many reached the end."""
    from simulate.evidence.observations import comparable, read_observations
    from simulate.report.changes import reported_direction
    from simulate.report.tables import visits
    from simulate.studies.contrast import contrasts
    from simulate.studies.datasets import ensemble_counts, quantity_names
    from simulate.studies.runs import run_study

    ensemble, dataset = run_study(study, threads=threads, progress=advance)
    printed = read_observations() if study.scenario.model is None else ()
    observations = comparable(printed, population=study.scenario.population, treated=True)
    shown = visits(dataset)
    told = {
        visit: {name: way for name in quantity_names(dataset) if (way := reported_direction(observations, name, visit))}
        for visit in shown[1:]
    }
    main = next((visit for visit in reversed(shown[1:]) if told[visit]), shown[-1])
    own = contrasts(dataset, study.hypothesis, main.index, told.get(main, {}))
    return own, ensemble_counts(ensemble)


def _write(folder: Path, rows: Sequence[dict[str, object]]) -> None:
    from simulate.studies.comparison.tables import csv_text

    if rows:
        text = csv_text(
            tuple(rows[0]), [tuple("" if value is None else value for value in row.values()) for row in rows]
        )
        (folder / "contrast.csv").write_text(text, encoding="utf-8")


def _table(study: Study, found: Sequence[Contrast]) -> list[RenderableType]:
    """One line for each hypothesis, and what the columns are."""
    import textwrap

    from rich import box
    from rich.table import Table

    from simulate.report.contrast import CAPTION, contrast_cells

    headings, lines = contrast_cells(found)
    table = Table(
        title=f"Hypotheses side by side, day {found[0].day:g}",
        box=box.SIMPLE_HEAD,
        title_justify="left",
        title_style="bold",
        pad_edge=False,
        padding=(0, 1, 0, 0),
    )
    for heading in headings:
        is_text = heading in ("hypothesis", "arm")
        table.add_column(heading, justify="left" if is_text else "right", overflow="fold" if is_text else "ellipsis")
    for line in lines:
        table.add_row(*line)
    people = f"{study.scenario.patients} patients"
    if study.draws is not None:
        people += (
            " of each of " + f"{len(study.draws.points)} draws of a fit; [ ]: where 90 % of the draws have their own"
        )
    return [table, *textwrap.wrap(f"{people}; {CAPTION}.", 80)]
