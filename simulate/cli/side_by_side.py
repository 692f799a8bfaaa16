"""``simulate run`` with several hypotheses: the same patients under each, and one table that tells them apart."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import RenderableType

from simulate.api.simulating import side_by_side as function
from simulate.cli.console import ask, in_lines, print_json, print_rich, print_text, say, titled
from simulate.cli.options import place_of
from simulate.errors import counted
from simulate.results.side_by_side import side_by_side_caption, side_by_side_cells
from simulate.studies.paired import FEWEST_DRAWN
from simulate.studies.runs import Study
from simulate.studies.settings import Setting
from simulate.studies.side_by_side import SideBySide


def side_by_side(
    scenario: str,
    hypotheses: Sequence[str],
    fits: Sequence[str],
    settings: Sequence[Setting],
    *,
    threads: int | None,
    out: Path | None,
    force: bool,
    figures: bool,
    as_json: bool,
) -> int:
    """Simulate a scenario under several hypotheses, or on several fits, and print what tells them apart."""
    studies: list[Study] = []

    def target(found: Sequence[Study]) -> Path:
        studies.extend(found)
        return place_of(out, *found)

    result = ask(function, locals(), fit=fits or None, out=target)
    folder, document = place_of(out, *studies), result.document or {}
    if as_json:
        files = sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())
        print_json({"directory": str(folder), "files": files, **document})
    else:
        print_text(studies[0].scenario.title)
        if result.value:
            print_rich("", *_table(studies, result.value))
        for study in studies:
            if study.draws is not None and study.draws.weakness:
                print_text(f"{study.hypothesis}: {study.draws.origin}")
    for line in (*studies[0].scenario.understood, *dict.fromkeys(text for one in studies for text in one.assumptions)):
        say(line)
    for name, counts in document["counters"].items():
        if failed := counts["n"] - counts["n_ok"]:
            say(f"{name}: left out: {failed} of {counted(counts['n'], 'trajectory')} that did not reach the end")
    say(f"wrote {folder}")
    return 0


def _table(studies: Sequence[Study], found: Sequence[SideBySide]) -> list[RenderableType]:
    """One line for each hypothesis, and what the columns are."""
    headings, lines = side_by_side_cells(found)
    table = titled(
        f"Hypotheses side by side, day {found[0].day:g}", title_style="bold", pad_edge=False, padding=(0, 1, 0, 0)
    )
    for heading in headings:
        is_text = heading in ("hypothesis", "arm")
        table.add_column(heading, justify="left" if is_text else "right", overflow="fold" if is_text else "ellipsis")
    for line in lines:
        table.add_row(*line)
    people = counted(studies[0].scenario.patients, "patient")
    counts = sorted({len(study.draws.points) for study in studies if study.draws is not None})
    if counts:
        whose = "" if all(study.draws is not None for study in studies) else ", where there are draws"
        people += f" of each of {' or '.join(map(str, counts))} draws{whose}"
        if any(part.changed.of_draws for one in found for part in one.endpoints):
            few = studies[0].scenario.patients < FEWEST_DRAWN
            whose = ", of these patients; others would differ by more" if few else ""
            people += f"; [ ]: where 90 % of the draws have their own{whose}"
        else:
            people += f", too few for what is not known, [ ]: that needs {FEWEST_DRAWN}"
    return [table, *in_lines(f"{people}; {side_by_side_caption(found)}.")]
