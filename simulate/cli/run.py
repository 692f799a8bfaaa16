"""``simulate run``: a scenario, from its file to a run directory and a table."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.simulating import run as function
from simulate.cli.console import UsageFault, ask, ended, print_json, print_rich, print_text, say
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
    Quantities,
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
from simulate.errors import NumericalError, counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from simulate.cohort.ensemble import Ensemble
    from simulate.errors import NumericalError

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
    quantities: Quantities,
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
    from simulate.cli.run_tables import changes_of_run, levels_of_run, reported_beside, table_of_observed
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
        settings,
        vary=vary,
        regimens=regimen,
        hypothesis=asked[0] if asked and is_alone else None,
        fit=fits[0] if fits and is_alone else None,
        draws=draws,
        patients=patients if patient is None else 1,
        first=patient,
        seed=seed,
        dropout=dropout,
        quantities=quantities,
        rtol=rtol,
    )
    if not is_alone:
        from simulate.cli.side_by_side import side_by_side
        from simulate.studies.settings import times_set

        chosen += times_set(end, every)
        return side_by_side(
            scenario, asked, fits, chosen, threads=threads, out=out, force=force, figures=figures, as_json=as_json
        )
    result = ask(simulated, locals(), settings=chosen, target=lambda study: place_of(out, study))
    for line in read_foreign(scenario).dropped if is_foreign(scenario) else ():
        say(f"left out: {line}")
    found = result.value
    target = place_of(out, found.study)
    files = result.write(target, force=force, figures=figures)
    fault = _fault(found.ensemble)
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
            },
            fault,
        )
    else:
        print_text(result.title)
        print_rich(
            "", *changes_of_run(found.study, found.changes, found.summary), *levels_of_run(found.study, found.summary)
        )
        if found.observed:
            print_rich("", table_of_observed(found.observed))
        if lines := reported_beside(found.summary, printed_alone(found.observations, found.summary)):
            print_text("\n".join(lines))
    causes = [
        line
        for first in found.failures[:1]
        for line in (f"  {first.told(found.study.scenario.time_unit)}", f"  to repeat it alone: {first.replay}")
    ]
    for line in (
        *found.study.scenario.understood,
        *found.study.assumptions,
        *found.study.readings.sentences,
        *far_apart(found.observed),
        *_notes(found.ensemble),
        *causes,
        *(_not_drawn(found.study.quantities) if "time-course.png" in files else ()),
    ):
        say(line)
    say(f"wrote {target}")
    return ended(fault)


def too_many_failures(counts: Mapping[str, int], advice: str, found: str | None = None) -> NumericalError | None:
    """The error of a run in which too many failed; None if it can stand."""
    from simulate.studies.datasets import STOPPED, failed_numerically

    reached = counts["n_ok"] + counts.get(STOPPED, 0)
    if reached and failed_numerically(counts) <= TOLERATED * counts["n"]:
        return None
    return NumericalError(
        f"{counts['n'] - reached} of {counted(counts['n'], 'trajectory')} did not reach the end",
        code="run.failures",
        found=found,
        expected=f"at most {100 * TOLERATED:g} % of numerical failures, and one patient or more who reach the end",
        advice=advice,
    )


def _fault(ensemble: Ensemble) -> NumericalError | None:
    from simulate.studies.datasets import ensemble_counts, failed_numerically

    counts = ensemble_counts(ensemble)
    advice = "choose parameters that describe a patient at rest"
    if failed_numerically(counts):
        advice = "manifest.json lists all of them; try a smaller --rtol, or a larger solver.max_steps"
    firsts = (f"patient {one.patient}, arm `{one.arm}`: {one.failure.reason}" for one in ensemble.failures)
    return too_many_failures(counts, advice, next(firsts, None))


def _notes(ensemble: Ensemble) -> list[str]:
    """Lines about those who were left out of the summary, and how those were solved whose method was chosen."""
    from simulate.studies.datasets import STOPPED, ensemble_counts

    trajectories = ensemble.trajectories
    methods = Counter(trajectories.method_of(row) for row in range(len(trajectories.values)))
    chosen = [
        f"{name}: {count} of {counted(ensemble.status.size, 'trajectory')}" for name, count in methods.most_common()
    ]
    reasons = Counter(row.failure.reason for row in ensemble.failures)
    total = ensemble.status.size
    # Of all arms the rules are counted through.
    befores = accumulate((len(arm.rules) for arm in ensemble.arms[:-1]), initial=0)
    rules = [
        f"arm `{arm.name}`, rule {index + 1}: applied to "
        f"{len({one.place for one in ensemble.occurrences if (one.arm, one.rule) == (arm.name, before + index)})} "
        f"of {counted(ensemble.shape[1], 'patient')}"
        for arm, before in zip(ensemble.arms, befores, strict=True)
        for index in range(len(arm.rules))
    ]
    counts = ensemble_counts(ensemble)
    if stopped := counts.get(STOPPED, 0):
        rules.append(f"stopped by a rule: {stopped} of {counted(total, 'trajectory')}; each counts until then")
    left_out = [
        f"left out: {count} of {counted(total, 'trajectory')}: {reason}" for reason, count in reasons.most_common(3)
    ]
    return [*rules, *(chosen if len(methods) > 1 else ()), *left_out]


def _not_drawn(quantities: Sequence[str]) -> list[str]:
    """What a figure of many quantities leaves out."""
    from simulate.figures.panels import STORY, shown_of

    shown = shown_of(quantities)
    if shown == STORY or len(shown) == len(quantities):
        return []
    return [f"drawn are the first {len(shown)} of {len(quantities)} quantities; `--quantity NAME` draws others"]
