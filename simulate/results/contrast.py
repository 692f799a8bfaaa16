"""Two hypotheses held against each other, in sentences, as rows, and as plain values."""

from __future__ import annotations

import dataclasses
import math
import textwrap
from collections.abc import Sequence
from typing import Any

from simulate.errors import counted
from simulate.results.changes import WENT
from simulate.results.opening import Opening
from simulate.results.openings import as_sentences
from simulate.studies.comparison.comparison import SAME
from simulate.studies.contrast import Contrast, ContrastReadout, ReportedSign, Tendency, course_of
from simulate.studies.measuring.ranking import ENOUGH, ODDS, SIZES
from simulate.studies.paired import RESOLVED, percent_of
from simulate.studies.prediction.prediction import LITTLE, Band
from simulate.tabular import ResultTable, table_of

_ALIKE = 0.2
"""Distance of the share of pairs from a half below which two hypotheses say much the same."""


def answer_of(found: Contrast) -> Opening:
    """Question, answer and caveats: which fits, which signs, what would tell them apart, and in how many patients."""
    a, b = found.names
    able = [one for one in found.readouts if one.n is not None]
    sentences = [_of_fits(found), *(_of_sign(found, sign) for sign in found.signs)]
    if able:
        best, early = able[0], found.earliest
        sentences.append(
            f"Best told apart by {best.title} {visit_of(found, best.day)}: it {_moves(best.changes[0])} under {a} and "
            f"{_moves(best.changes[1])} under {b}. {_enough(best)}"
        )
        if early is not None and early.day < best.day:
            sentences.append(
                f"The earliest that does is {early.title} {visit_of(found, early.day)}, in {early.n} patients."
            )
    else:
        sentences.append(
            f"No single readout here tells them apart with up to {SIZES[-1]} patients; `simulate design` ranks "
            "measurements of other kinds, such as dishes and untreated arms."
        )
    alike = [one.title for one in found.best if one.n is None and abs(one.higher - 0.5) < _ALIKE]
    if alike:
        sentences.append(f"Much the same under both: {', '.join(alike)}.")
    return Opening(f"What would tell {a} from {b}?", tuple(sentences), _caveats(found))


def visit_of(found: Contrast, day: float) -> str:
    """A day as a reader says it."""
    after = day - found.trial.end
    return f"{after / 7.0:g} weeks after the drug is stopped" if after > 0.0 else f"at week {day / 7.0:g}"


def short_visit(found: Contrast, day: float) -> str:
    """A day as a column of a table has room for it."""
    after = day - found.trial.end
    return f"stop + {after / 7.0:g} wk" if after > 0.0 else f"week {day / 7.0:g}"


def change_text(band: Band) -> str:
    """A band of changes: median, and 90 % of the draws."""
    return f"{_number(band.median)} [{_number(band.low)}, {_number(band.high)}]"


WIDTH = 80
"""Letters in a line of a page."""

COLUMNS = ("readout", "visit", "change, %: {}", "change, %: {}", "{} higher", "patients")
"""Headings of the table of a page, with the names of the hypotheses."""


def cells(found: Contrast) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the table of a page: of each quantity the visit that takes the fewest patients."""
    a, b = found.names
    headings = [text.format(name) for text, name in zip(COLUMNS, ("", "", a, b, a, ""), strict=True)]
    lines = [
        [
            textwrap.shorten(one.title, 28, placeholder="…"),
            short_visit(found, one.day),
            *(change_text(band) for band in one.changes),
            f"{percent_of(one.higher)} %",
            one.number,
        ]
        for one in found.best
    ]
    return headings, lines


def page(found: Contrast) -> str:
    """All on one page of plain text, 80 letters wide."""
    told = answer_of(found)
    rows = _lined_up(*cells(found))
    parts = [textwrap.fill(text, WIDTH) for text in (told.question, *told.sentences)]
    notes = [textwrap.fill(text, WIDTH) for text in told.caveats]
    return "\n\n".join([*parts, "\n".join(rows), "\n".join(notes)]) + "\n"


def _lined_up(headings: Sequence[str], lines: Sequence[Sequence[str]]) -> list[str]:
    """Lines of a table; headings are folded over their columns, and the readout has what is left of a line."""
    widths = [max(len(row[column]) for row in lines) for column in range(len(headings))]
    # A word is not folded, but the name of a hypothesis may be long.
    words = [max(map(len, heading.replace("+", "+ ").split())) for heading in headings]
    widths = [max(pair) for pair in zip(widths, words, strict=True)]
    gap = "  " if sum(widths) + 2 * len(widths) - 2 <= WIDTH else " "
    widths[0] = max(words[0], min(widths[0], WIDTH - sum(widths[1:]) - len(gap) * (len(widths) - 1)))
    folded = [_folded(heading, width) for heading, width in zip(headings, widths, strict=True)]
    height = max(map(len, folded))
    above = [[*[""] * (height - len(part)), *part] for part in folded]
    shortened = [[textwrap.shorten(row[0], widths[0], placeholder="…"), *row[1:]] for row in lines]
    heads = [list(row) for row in zip(*above, strict=True)]
    return [
        gap.join(
            cell.ljust(width) if column < 2 else cell.rjust(width)
            for column, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in (*heads, ["-" * width for width in widths], *shortened)
    ]


def _folded(heading: str, width: int) -> list[str]:
    """Lines of a heading, folded between words and, where a hypothesis is too long, before a plus."""
    return [
        part for line in textwrap.wrap(heading, width, break_long_words=False)
        for part in ([line] if len(line) <= width else textwrap.wrap(line.replace("+", " +"), width))
    ]  # fmt: skip


def _number(value: float) -> str:
    shown = f"{value:+.0f}" if abs(value) >= 9.95 else f"{value:+.1f}"
    return "0" if float(shown) == 0.0 else shown


def _moves(band: Band) -> str:
    ends = sorted((abs(band.low), abs(band.high)))
    size, low, high = (f"{value:.0f}" if value >= 9.95 else f"{value:.1f}" for value in (abs(band.median), *ends))
    way = course_of(band)
    if way in (Tendency.RISES, Tendency.FALLS):
        return f"{way.value} by {size} % ({low} to {high} %)"
    if way is Tendency.STAYS:
        return "stays as it was"
    if way is not Tendency.EITHER:
        return f"{way.value} ({_number(band.low)} to {_number(band.high)} %)"
    return f"may rise or fall ({_number(band.low)} to {_number(band.high)} %)"


def _enough(one: ContrastReadout) -> str:
    return (
        f"{one.n} patients, read before and then, are enough: in {100 * ENOUGH:g} % of such studies the true one gets "
        f"odds of {ODDS:g} to 1."
    )


def _of_fits(found: Contrast) -> str:
    if found.comparison is None:
        lacking = [part for part in found.draws if not part.is_fitted]
        names, plural = " and ".join(part.problem.label for part in lacking), len(lacking) > 1
        return (
            f"{names} {'stand' if plural else 'stands'} on {lacking[0].origin}: nothing says how well "
            f"{'they fit' if plural else 'it fits'} what was reported."
        )
    (pair,) = found.comparison.pairs
    odds = f"odds of {_odds(pair.difference)} to 1 for {pair.a}, ln {pair.difference:.2f} ± {pair.error:.2f}"
    if pair.verdict == SAME:
        return f"Both were fitted, and what was reported cannot tell them apart ({odds}; {pair.reason})."
    reason = f"; {pair.reason}" if pair.reason else ""
    return f"What was reported favors {pair.a} over {pair.b} ({odds}{reason})."


def _odds(difference: float) -> str:
    odds = math.exp(min(difference, 700.0))
    return f"{odds:.1f}" if odds < 10.0 else f"{odds:.0f}" if odds < 1e4 else f"{odds:.0e}"


def _of_sign(found: Contrast, sign: ReportedSign) -> str:
    parts = [
        f"{percent_of(share)} % of the draws of {name} ({percent_of(patients)} % of the patients)"
        for name, share, patients in zip(found.names, sign.draws, sign.shares, strict=True)
    ]
    return f"Reported: {sign.title} {WENT[sign.way]} {visit_of(found, sign.day)}. So they do in {' and '.join(parts)}."


def _caveats(found: Contrast) -> tuple[str, ...]:
    a, b = found.names
    told = [
        f"{a}: {found.draws[0].origin}; {b}: {found.draws[1].origin}; "
        f"{counted(found.patients, 'virtual patient')} of each, "
        f"treated as in the trial {found.trial.name}. Bands are 90 % of the draws: what is not known, not how "
        "patients differ.",
        "The number of patients knows the error of the assays, of which most are assumed, and that patients differ; "
        "it does not know patients who drop out.",
    ]
    told += as_sentences(found.assumptions)
    if found.signs:
        told.append(
            f"A draw goes a reported way where the mean change of its patients is {LITTLE:g} % or more that way; a "
            f"patient, where it is that way {RESOLVED}, as in `simulate run`, which judges by shares of patients."
        )
    if any(one.is_sparse for one in found.best):
        told.append("A question mark: the draws are too few for an exact number; more --draws.")
    if found.alone:
        told.append("Not compared: " + ", ".join(f"{title} (of {name} alone)" for title, name in found.alone) + ".")
    return tuple(told)


def document(found: Contrast) -> dict[str, Any]:
    """Everything as plain values, for JSON."""
    told = answer_of(found)
    pair = None if found.comparison is None else found.comparison.pairs[0]
    return {
        "hypotheses": [
            {"hypothesis": part.problem.label, "draws": len(part.points), "draws_of": part.name} for part in found.draws
        ],
        "trial": found.trial.name,
        "patients": found.patients,
        "studies": found.studies,
        "question": told.question,
        "answer": list(told.sentences),
        "caveats": list(told.caveats),
        "evidence": None if pair is None else dataclasses.asdict(pair) | {"error": pair.error},
        "reported": [
            {
                "quantity": sign.quantity,
                "title": sign.title,
                "day": sign.day,
                "direction": sign.way,
                "draws": dict(zip(found.names, sign.draws, strict=True)),
                "patients": {
                    name: dataclasses.asdict(band) | {"share": share}
                    for name, band, share in zip(found.names, sign.patients, sign.shares, strict=True)
                },
            }
            for sign in found.signs
        ],
        "readouts": _rows(found),
        "not_compared": [{"title": title, "hypothesis": name} for title, name in found.alone],
    }


def _rows(found: Contrast) -> list[dict[str, Any]]:
    return [
        {
            "quantity": one.quantity,
            "title": one.title,
            "day": one.day,
            "visit": short_visit(found, one.day),
            **{
                f"{place}_{end}": getattr(band, end)
                for place, band in zip(("first", "second"), one.changes, strict=True)
                for end in ("low", "median", "high")
            },
            "first_course": one.courses[0].value,
            "second_course": one.courses[1].value,
            "first_higher": one.higher,
            "n": one.n,
            "found_with_most": one.found,
            "n_is_sparse": one.is_sparse,
        }
        for one in found.readouts
    ]


def tables(found: Contrast) -> dict[str, ResultTable]:
    """Tables by name: readouts at every visit, the one that takes the fewest patients first."""
    return {"contrast": table_of(_rows(found))}
