"""What kind of file a file is, and every fault in it that can be found without solving."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from simulate import shipped
from simulate.biology.reference import parameter_table
from simulate.cohort.reading import read_population
from simulate.errors import InputError, Where, counted
from simulate.evidence.observations import read_observations
from simulate.evidence.reading import read_evidence
from simulate.evidence.sets import evidence_sets
from simulate.exchange.foreign import format_of, is_foreign, read_foreign
from simulate.exchange.petab.reading import is_petab, read_petab
from simulate.exchange.sbml.annotations import read_annotations
from simulate.filekinds import kind_of
from simulate.files import Document, read_toml
from simulate.regimen.csvtable import read_sheet
from simulate.regimen.observed import is_name, observations_beside
from simulate.regimen.stops import realize
from simulate.regimen.tables import dose_table_of
from simulate.shipped import DEFAULT_HYPOTHESIS
from simulate.studies.fitting.problem import check_observed, problem_for
from simulate.studies.measuring.catalogue import read_measurement
from simulate.studies.models import find_model, hypothesis_parts, population_for
from simulate.studies.observed import readings_of
from simulate.studies.runs import prepare
from simulate.studies.scenario import SCENARIO_KEYS, find_scenario, scenario_from
from simulate.studies.settings import lay_over, option_set
from simulate.studies.sweeps.plans import plan_sweep
from simulate.studies.sweeps.requests import read_request
from simulate.studies.table_patients import columns_of, known_values
from simulate.studies.treatments import Tabled, Treatment
from simulate.symbolic.parameterfile import check_sources, read_parameters, read_sources
from simulate.trials.reading import trial_from


@dataclass(frozen=True, slots=True)
class FileFinding:
    """A file that nothing is wrong with: its kind, and in a few words what it holds."""

    file: str
    kind: str
    content: str


def check_file(
    name: str | Path,
    *,
    time: str = "h",
    amount: str = "mg",
    ignored: Sequence[str] = (),
    population: str | None = None,
    hypothesis: str | None = None,
) -> FileFinding:
    """Read a file as what its tables say it is, and check all that can be checked without solving.

    It is a model in SBML or Antimony, a PEtab problem, a TOML file of any kind, a shipped scenario by its name, or a
    table of doses, whose name ends in ``.csv``. ``time``, ``amount``, ``ignored`` and ``population`` are of such a
    table; under ``hypothesis`` a scenario or a table is judged.
    """
    path = find_scenario(str(name))
    if path.suffix.lower() == ".csv":
        return FileFinding(str(path), "dose", _doses(path, time, amount, ignored, population, hypothesis))
    is_scenario = path.suffix.lower() == ".toml" and _kind(read_toml(path)) == "scenario"
    if hypothesis is not None and not is_scenario:
        raise InputError(
            "a hypothesis says nothing of this file",
            code="check.hypothesis",
            where=Where(file=str(path)),
            expected="a scenario, or a table of doses (CSV)",
            advice="leave `--hypothesis` out",
        )
    if hypothesis is not None:
        document = lay_over(read_toml(path), option_set("hypothesis", hypothesis), SCENARIO_KEYS)
        return FileFinding(document.path, "scenario", _scenario(path, document))
    if is_foreign(path):
        return FileFinding(str(path), format_of(path), _foreign(path))
    if is_petab(path):
        return FileFinding(str(path), "PEtab", _petab(path))
    document = read_toml(path)
    kind = _kind(document)
    return FileFinding(document.path, kind, _CHECKS[kind](path, document))


_WEAK = {"scenario": {"arm", "schema"}, "model": {"model"}}
"""Kinds by what files of other kinds may have too, where nothing else tells what it is."""


def _kind(document: Document) -> str:
    if kind := kind_of(document.data) or next((kind for kind, own in _WEAK.items() if own & document.data.keys()), ""):
        return kind
    rows = list(document.data.values())
    if rows and all(isinstance(row, dict) for row in rows):
        return "parameters"
    raise InputError(
        "the file is empty" if not rows else "the tables of the file are those of no kind that can be checked",
        code="check.kind",
        where=Where(file=document.path),
        expected="a scenario ([[arm]], [time]), model ([species.NAME]), hypothesis ([hypothesis]) or parameter file",
    )


def _scenario(path: Path, document: Document) -> str:
    study = prepare(scenario_from(document, name=path.stem))
    draws = "" if study.draws is None else f" of each of {study.draws.origin}"
    understood = "".join(f"; {line}" for line in (*study.scenario.understood, *study.scenario.time_taken))
    return (
        f"{counted(len(study.arms), 'arm')}, {counted(study.scenario.patients, 'patient')}{draws}, "
        f"{study.times[-1]:g} d, hypothesis {study.hypothesis}{understood}"
    )


def _sweep(path: Path, document: Document) -> str:
    plan = plan_sweep(read_request(path))
    patients = plan.study.scenario.patients
    return f"{counted(len(plan.study.arms), 'arm')}, {counted(patients, 'patient')}, {counted(plan.rows, 'trajectory')}"


def _doses(
    path: Path, time: str, amount: str, ignored: Sequence[str], people: str | None, hypothesis: str | None
) -> str:
    model = find_model(None, hypothesis_parts(hypothesis or DEFAULT_HYPOTHESIS))
    named = Path(people) if people is not None and people.endswith(".toml") else people
    population = population_for(model, named, is_shipped=True)
    known = [column for covariate in population.covariates for column in columns_of(covariate)]
    covariates = [name for name in known if name not in [other.upper() for other in ignored]]
    try:
        sheet = read_sheet(path)
        table = dose_table_of(sheet, time=time, amount=amount, covariates=covariates, ignored=ignored)
        observed = observations_beside(sheet, time=time, covariates=covariates, ignored=ignored, is_meant=is_name)
    except InputError as error:
        # Advice for the command line, not for the arm of a scenario.
        if error.where is not None and error.advice is not None and error.advice.startswith("declare it"):
            error.advice = f"leave the column out: `--ignore {error.where.term}`"
        raise
    tabled = Tabled(table, None, observed)
    arms = [Treatment("", "", tabled, (), Where(file=str(path)))]
    known_values(arms, population, len(tabled.patients))
    readings = readings_of(arms, model, end=math.inf, members=range(len(tabled.patients)))
    try:
        given = [realize(plan, model.routes) for plan in tabled.plans(model)]
    except InputError as error:
        error.where = error.where or Where(file=str(path))
        raise
    in_units = " ".join(f"{name} ({text})" for name, text, _ in readings.units)
    days = [dose.time for regimen in given for dose in regimen.doses]
    resets = sum(len(regimen.resets) for regimen in given)
    return ", ".join(
        [
            counted(len(tabled.patients), "patient"),
            counted(len(days), "dose"),
            *([f"day {min(days):g} to {max(days):g}"] if days else []),
            *([counted(resets, "reset")] if resets else []),
            *([f"covariates {' '.join(table.covariates)}"] if table.covariates else []),
            *([f"{counted(len(readings.compared), 'observed value')} of {in_units}"] if readings.compared else []),
            *(f"{counted(count, 'observed value')} left out: {reason}" for reason, count in readings.left_out),
            f"TIME in {time}, AMT in {amount}",
        ]
    )


def _model(path: Path, document: Document) -> str:
    model = find_model(path, ("none",))
    return f"{counted(len(model.species), 'state')}, {counted(len(model.parameters), 'parameter')}"


def _foreign(path: Path) -> str:
    imported = read_foreign(path)
    model = imported.model.compose()
    left_out = f"; left out: {'; '.join(imported.dropped)}" if imported.dropped else ""
    taken = f" ({imported.time_note})" if imported.time_note else ""
    no_doses = "; ".join(f"the event `{name}` is no dose: {why}" for name, why in imported.events.items())
    return (
        f"{counted(len(model.species), 'state')}, {counted(len(model.parameters), 'parameter')}, "
        f"{counted(len(model.events), 'event')}, time in {imported.time_unit}{taken}{left_out}"
        + (f"; {no_doses}" if no_doses else "")
    )


def _petab(path: Path) -> str:
    from simulate.studies.petab.objective import objective_of

    problem = read_petab(path)
    objective = objective_of(problem)
    left_out = objective.equations.left_out
    shown = f"; left out: {'; '.join(left_out)}" if left_out else ""
    return (
        f"version {problem.version}, {counted(len(problem.parameters), 'parameter')} of which "
        f"{len(problem.estimated)} are sought, {counted(len(problem.experiments), 'experiment')}, "
        f"{counted(len(problem.observables), 'observable')}, {counted(len(problem.measurements), 'measurement')}, "
        f"{counted(len(objective.equations.solved.states), 'state')}{shown}"
    )


def _hypothesis(path: Path, document: Document) -> str:
    model = find_model(None, (path,), Where(file=document.path))
    return f"{model.hypothesis}, of the reference model: mechanisms {', '.join(model.mechanisms)}"


def _parameters(path: Path, document: Document) -> str:
    parameters = read_parameters(path)
    sources = read_sources(shipped.sources_file())
    for name, parameter in parameters.items():
        try:
            check_sources({name: parameter}, sources)
        except InputError as error:
            error.where = document.where(name, "source")
            raise
    return counted(len(parameters), "parameter")


def _population(path: Path, document: Document) -> str:
    population = read_population(path, tuple(parameter_table().values()))
    return f"{counted(len(population.covariates), 'covariate')}, {counted(len(population.strata), 'kind')} of patients"


def _sets(path: Path, document: Document) -> str:
    found = evidence_sets(path)
    left_out = sum(len(part.not_used) for part in found.values())
    return f"{counted(len(found), 'set')}, {counted(left_out, 'statement')} not used"


def _measurement(path: Path, document: Document) -> str:
    found = read_measurement(path)
    return f"{counted(len(found.samples), 'group')}, {counted(found.n, 'patient')}, cost {found.cost:g}"


def _trial(path: Path, document: Document) -> str:
    design = trial_from(document, path)
    if design.evidence is None:
        check_observed(design, find_model(None, design.options))
        reported = "no evidence"
    elif not read_evidence(design.evidence).data:
        check_observed(design, find_model(None, (*design.options, "response")))
        reported = counted(len(read_evidence(design.evidence).checks), "finding") + " to hold a fit against"
    else:
        problem = problem_for("none", None, (design,))
        reported = counted(len(problem.evidence.data), "printed statement") + " to fit to"
    return (
        f"{counted(len(design.arms), 'arm')}, {counted(design.n, 'patient')}, {counted(len(design.visits), 'visit')} "
        f"up to day {design.end:g}, reads {', '.join(design.quantities)}; {reported}"
    )


_CHECKS: Mapping[str, Callable[[Path, Document], str]] = {
    "scenario": _scenario,
    "sweep": _sweep,
    "model": _model,
    "hypothesis": _hypothesis,
    "parameters": _parameters,
    "sources": lambda path, _: counted(len(read_sources(path)), "source"),
    "annotations": lambda path, _: (
        counted(len(read_annotations(path, read_sources(shipped.sources_file())).parts), "part") + " of a model"
    ),
    "population": _population,
    "evidence": lambda path, _: counted(len(read_observations(path)), "reported value"),
    "evidence sets": _sets,
    "measurement": _measurement,
    "trial": _trial,
}
