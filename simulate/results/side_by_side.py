"""What hypotheses say side by side, as rows for JSON, CSV and a reader."""

from __future__ import annotations

from collections.abc import Sequence

from simulate.results.changes import WENT, signed
from simulate.studies.paired import ALL, OTHERS, RESPONDERS, percent_of
from simulate.studies.side_by_side import BOTH, LARGE, SideBySide


def side_by_side_rows(found: Sequence[SideBySide]) -> list[dict[str, object]]:
    """A row for each hypothesis, arm and endpoint, with all digits."""
    rows: list[dict[str, object]] = []
    for one in found:
        for part in one.endpoints:
            low, high = one.both_of_draws or (None, None)
            rows.append(
                {
                    "hypothesis": one.hypothesis,
                    "draws_of": one.draws_of,
                    "arm": one.arm,
                    "day": one.day,
                    "patients": one.n,
                    "both": one.both.get(ALL),
                    "both_low": low,
                    "both_high": high,
                    "both_responders": one.both.get(RESPONDERS),
                    "both_others": one.both.get(OTHERS),
                    "both_large": one.large,
                    "quantity": part.quantity,
                    "unit": part.unit,
                    "reported": WENT.get(part.direction, "") if part.is_reported else "",
                    "median": part.changed.median,
                    "median_low": part.changed.of_draws.get("median", (None, None))[0],
                    "median_high": part.changed.of_draws.get("median", (None, None))[1],
                    "p5": part.changed.p5,
                    "p95": part.changed.p95,
                    "up": part.changed.up,
                    "down": part.changed.down,
                    "going": part.going,
                    "needed": part.needed,
                    "seen": part.seen,
                }
            )
    return rows


def side_by_side_cells(found: Sequence[SideBySide]) -> tuple[list[str], list[list[str]]]:
    """Headings and cells of the printed table: a line for each hypothesis, and for each arm where there are several."""
    several = len({one.arm for one in found}) > 1
    told, has_both = _told(found), any(one.both for one in found)
    headings = ["hypothesis", *(["arm"] if several else [])]
    headings += ["both", "resp.", "others", f">{LARGE:g} %"] if has_both else []
    endpoints = told or [part.quantity for part in found[0].endpoints]
    headings += [heading for name in endpoints for heading in (name, "n")]
    lines = []
    for one in found:
        line = [one.name or one.hypothesis, *([one.arm] if several else [])]
        if has_both:
            band = "" if one.both_of_draws is None else " [{} to {}]".format(*map(percent_of, one.both_of_draws))
            line += [percent_of(one.both.get(ALL)) + band]
            line += [percent_of(one.both.get(RESPONDERS)), percent_of(one.both.get(OTHERS)), percent_of(one.large)]
        for name in endpoints:
            part = next(part for part in one.endpoints if part.quantity == name)
            line += [
                signed(part.changed.median, part.unit),
                "–" if part.needed is None or part.seen is False else str(part.needed),
            ]
        lines.append(line)
    return headings, lines


def _told(found: Sequence[SideBySide]) -> list[str]:
    return [name for name in BOTH if any(part.quantity == name for one in found for part in one.endpoints)]


def side_by_side_caption(found: Sequence[SideBySide]) -> str:
    """What the columns of the printed table are: of those that it has, and no others."""
    endpoints = [part for one in found for part in one.endpoints]
    shown = [part for part in endpoints if part.quantity in _told(found)] or endpoints
    names = _told(found) or list(dict.fromkeys(part.quantity for part in shown))
    here = all(part.is_reported for part in shown if part.direction)
    as_reported = "as was reported" if here else "as was reported of 100 mg a day at 6 months"
    said = []
    if any(one.both for one in found):
        said += [
            f"both: % of patients in whom {BOTH[0]} rises and {BOTH[1]} falls, {as_reported}",
            "resp. and others: of the responders and the others",
            f">{LARGE:g} %: of all, by more than {LARGE:g} % each",
        ]
    asked = [part for part in shown if part.direction]
    way = "the reported direction" if here else f"the direction {as_reported.removeprefix('as was ')}"
    if not asked:
        way = "the way that more patients go"
    elif len(asked) < len(shown):
        way += ", or where there is none the way that more patients go"
    small = any(part.seen is False for part in shown)
    unseen = ", or where the noise of the trial's readings would hide the median change" if small else ""
    units = list(dict.fromkeys(part.unit for part in shown))
    said += [
        f"{', '.join(names)}: median change, {' or '.join(units)}",
        f"n: patients in whom a sign test (two-sided, 5 %) shows {way} with a power of 80 %, by the exact binomial "
        f"distribution, of error-free readings; a dash where 1000 would not show it{unseen}",
    ]
    return "; ".join(said)
