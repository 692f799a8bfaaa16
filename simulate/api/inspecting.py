"""Checks and analyses of what is there: steady states, audit of evidence, verification, documentation."""

from __future__ import annotations

import webbrowser
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from simulate.api.arguments import Settings, laid_over
from simulate.api.verb import verb, worded
from simulate.errors import not_among
from simulate.shipped import pages_folder
from simulate.watching import Progress, Report, quiet

__all__ = ["audit", "docs", "equilibria", "verify"]

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from simulate.evidence.items import Evidence, Finding
    from simulate.results.result import Result
    from simulate.studies.steady_states import SteadyStates
    from simulate.studies.verification import Verification

SCENARIO = "anakinra-100mg-daily"
"""Scenario that is verified where none is named."""


@verb
def equilibria(
    source: str | Path = "untreated",
    *,
    hypothesis: str | None = None,
    fit: str | Path | None = None,
    draws: int | None = None,
    settings: Settings = None,
    arm: str | None = None,
    over: str | None = None,
    fed: Mapping[str, float] | None = None,
    starts: int = 64,
    reach: float = 10.0,
    quantity: Sequence[str] | None = None,
    plane: str | None = None,
    out: str | Path | None = None,
    force: bool = False,
    figures: bool = True,
    progress: Progress = quiet,
) -> Result[tuple[SteadyStates, ...]]:
    """Seek the steady states of a model, with their stability, and follow them over one parameter.

    Newton's method from many starts (P. Deuflhard, Newton Methods for Nonlinear Problems, 2004), and pseudo-arclength
    continuation (H. Keller, 1977). A state that no start leads to is not found.

    Parameters
    ----------
    source
        A scenario, shipped or a file, or a model file; the typical patient is meant, and doses are not given.
    hypothesis, settings
        In place of the scenario's; as for `simulate.run`.
    fit, draws
        Whose typical patients are meant: that of the tables if not given, else that of each of so many draws, as for
        `simulate.run`.
    arm
        Whose parameters are taken; the first if not given.
    over
        Parameter and range, such as ``"f_m=0.1:0.9"``; or a route and its rate in units a day, such as ``"sc=0:300"``.
    fed
        Rates at which routes are fed, in units a day; what is not named is not given.
    starts, reach
        Starts in a box from 0 to so many times the baseline, beside the baseline.
    quantity
        States or observables that are drawn over the parameter; the first three observables if not given, or states
        where there are fewer.
    plane
        Two states whose plane is drawn with directions, nullclines and steady states, such as ``"tbet,rorgt"``; each
        may have a range in its unit, as in ``"tbet=0:3,rorgt=0:3"``. At each point all other states are at rest.
    out, force
        Run directory to be written, and whether another run in it may be replaced.
    figures
        Whether figures are drawn in the directory.
    progress
        What shows how far the work is; see `simulate.watching`.

    Returns
    -------
    Result
        Its value has the states, branches and plane of each patient; tables ``states`` and, with ``over``, ``branches``
        and ``turns``, with ``plane``, ``plane``; figures ``branches`` and ``plane``.

    Raises
    ------
    InputError
        ``equilibria.*``: a model that depends on time, no such arm, parameter or quantity; ``plane.state``: no such
        state.
    """
    arguments = dict(locals())
    from simulate.results.provenance import asked
    from simulate.results.result import Result, drawing
    from simulate.results.study_openings import of_steady_states
    from simulate.studies.scenario import TYPICAL
    from simulate.studies.steady_states import document, read_source, steady_states, tables

    scenario = read_source(source, laid_over(settings, hypothesis=hypothesis, fit=fit, draws=draws))
    with progress(1 if scenario.fit == TYPICAL else scenario.draws, "typical patients") as advance:
        found = steady_states(
            scenario, over=over, fed=fed, starts=starts, reach=reach, arm=arm, plane=plane, shown=quantity or (),
            progress=advance,
        )  # fmt: skip
    study = found[0].study
    model = study.model
    branches = [branch for one in found for branch in one.branches]
    shown = list(quantity or [*(part.name for part in model.observables), *found[0].system.states][:3])
    origin = asked("equilibria", arguments, out=out, force=force)

    pictures: dict[str, Callable[[], Any]] = {}
    if branches:
        units = {part.name: part.unit.text for part in (*model.parameters, *model.species, *model.observables)}
        units |= {route.name: f"{route.unit.text}/d" for route in model.routes}
        draws_told = 0 if study.draws is None else len(found)
        pictures["branches"] = drawing("branches.branch_diagram", branches, shown, units, draws=draws_told)
    if found[0].plane is not None:
        pictures["plane"] = drawing("phase_plane.phase_plane", found[0].plane)
    return Result(
        origin,
        f"steady states of {scenario.title}",
        found,
        document=document(found),
        tables=tables(found),
        figures=pictures,
        models={study.hypothesis: model},
        answer=of_steady_states(found),
    ).written(out, force=force, figures=figures)


@verb
def audit(file: str | Path | None = None) -> Result[tuple[Evidence, tuple[Finding, ...]]]:
    """Check reported values against arithmetic.

    Parameters
    ----------
    file
        An evidence file; what the shipped study reported if not given.

    Returns
    -------
    Result
        Its value has the evidence and what was found; table ``findings``. ``passed`` is whether no item contradicts
        arithmetic but those that are marked as disputed, and ``faults`` are the contradictions of others.
    """
    arguments = dict(locals())
    from simulate.evidence.audit import audit as findings_of
    from simulate.evidence.audit import unmarked
    from simulate.evidence.reading import read_evidence
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.tabular import table_of

    evidence = read_evidence(file)
    findings = tuple(findings_of(evidence))
    against = unmarked(evidence, findings)
    rows = [
        {
            "item": finding.item,
            "standing": evidence[finding.item].standing.value,
            "check": finding.check,
            "verdict": finding.verdict.value,
            "text": finding.text,
        }
        for finding in findings
    ]
    return Result(
        asked("audit", arguments, out=None, force=False),
        f"audit of {evidence.source}",
        (evidence, findings),
        document={
            "source": evidence.source,
            "items": [_item(evidence, item.name) for item in evidence.items],
            "findings": rows,
            "unmarked": len(against),
        },
        tables={"findings": table_of(rows)},
        faults=tuple(f"the item `{finding.item}` contradicts arithmetic: {finding.text}" for finding in against),
    )


def _item(evidence: Evidence, name: str) -> dict[str, Any]:
    item = evidence[name]
    return {
        "item": item.name,
        "account": item.account,
        "source": item.source,
        "location": item.location,
        "quantity": item.subject.quantity,
        "days": list(item.subject.days),
        "standing": item.standing.value,
        "use": item.use.value,
        "note": item.note,
        "readings": [{"name": reading.name, "share": reading.share} for reading in item.readings],
    }


@verb
def verify(
    scenario: str | Path = SCENARIO,
    *,
    hypothesis: str | None = None,
    fit: str | Path | None = None,
    draws: int | None = None,
    vary: Mapping[str, float] | None = None,
    settings: Settings = None,
    patients: int | None = None,
    seed: int | None = None,
    end: str | None = None,
    every: str | None = None,
    share: float = 0.01,
    threads: int | None = None,
    progress: Progress = quiet,
) -> Result[Verification]:
    """Verify a scenario or a model on this machine: the same bits however it is solved, and the error actually made.

    Parameters
    ----------
    scenario, hypothesis, fit, draws, vary, settings, patients, seed, end, every
        As for `simulate.run`; the seed also decides which patients are sampled.
    share
        Share of the trajectories that SciPy solves again; never fewer than three.
    threads, progress
        As in `simulate.api.arguments`.

    Returns
    -------
    Result
        Its value says what was found; ``passed`` whether all is as promised, and ``faults`` what is not. Tables
        ``repetitions``, ``errors``.
    """
    from simulate.results.provenance import asked
    from simulate.results.result import Result
    from simulate.studies.bare_models import scenario_for
    from simulate.studies.runs import prepare
    from simulate.studies.unread import refuse_unread
    from simulate.studies.verification import verify as verified
    from simulate.studies.verification import workload
    from simulate.tabular import table_of
    from simulate.versions import versions

    chosen = laid_over(settings, vary, hypothesis=hypothesis, fit=fit, draws=draws, patients=patients, seed=seed)
    read = scenario_for(scenario, end, every, chosen)
    refuse_unread(read, "verify")
    study = prepare(read)
    arguments = {"scenario": scenario, "settings": chosen, "end": end, "every": every, "share": share}
    origin = asked("verify", arguments, out=None, force=False)
    with progress(workload(study, share), "verifying") as advance:
        found = verified(study, share=share, threads=threads, progress=advance)
    return Result(
        origin,
        f"verification of {read.title}",
        found,
        document={
            **asdict(found), "passed": found.passed, "faults": list(found.faults), "versions": versions()
        },
        tables={"repetitions": table_of(found.repetitions), "errors": table_of(found.errors)},
        models={study.hypothesis: study.model},
        facts={"scenario": study.settings},
        faults=found.faults,
    )  # fmt: skip


@worded
def docs(
    page: str = "index", *, build: str | Path | None = None, browser: bool = True, report: Report | None = None
) -> Path:
    """Open the documentation in a web browser: a site, built once, where Sphinx is installed.

    Parameters
    ----------
    page
        Name of a page, such as ``"regimens"``.
    build
        Folder that the site is built into anew; if not given, it is kept in the user's cache.
    browser
        Whether a browser is opened.
    report
        What is told that a site is built, or why there is none.

    Returns
    -------
    Path
        The page of the site; its text in Markdown where there is no site.

    Raises
    ------
    InputError
        ``docs.page``: there is no such page; ``docs.folder``: the folder has something else in it.
    MissingExtra
        ``extra.docs``: a site was asked for and Sphinx is missing; ``docs.build``: Sphinx failed.
    """
    from simulate.pages import build_site, kept_site, needs, pages

    tell = report or (lambda sentence: None)
    known = pages()
    if page not in known:
        raise not_among(f"there is no page `{page[:60]}`", page, known, code="docs.page")
    site: Path | None
    if build is not None:
        site = Path(build).resolve()
        build_site(site)
    elif (install := needs()) is None:
        site = kept_site(tell)
        if site is None:
            tell("this is the text of the page; a site cannot be kept, --build DIR makes one")
    else:
        site = None
        tell(f"this is the text of the page; {install} makes a site of it")
    if site is None:
        return known[page]
    target = site / known[page].relative_to(pages_folder()).with_suffix(".html")
    if browser and not webbrowser.open(target.as_uri()):
        tell("no browser was found")
    return target
