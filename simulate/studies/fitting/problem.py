"""What is fitted: a hypothesis, the trials whose patients are simulated, and what these reported."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

from simulate.cohort.points import POINTS
from simulate.cohort.population import Population
from simulate.cohort.transform import KIND, SCHEME
from simulate.errors import InputError, did_you_mean, not_among
from simulate.evidence.audit import check_evidence
from simulate.evidence.items import Evidence, Item
from simulate.evidence.reading import read_evidence
from simulate.files import content_hash
from simulate.regimen.doses import Plan
from simulate.regimen.timetable import routes_given
from simulate.solver.problem import Tolerance
from simulate.studies.fitting.priors import (
    Free,
    free_numbers,
    noise_numbers,
    of_populations,
    prior_rows,
)
from simulate.studies.models import (
    assumed_of_routes,
    find_model,
    hypothesis_label,
    hypothesis_parts,
    key_with,
    population_for,
    quantity_units,
)
from simulate.symbolic.model import Model
from simulate.symbolic.units import convert
from simulate.trials.design import TrialDesign
from simulate.trials.reading import find_trial, read_trial, shipped_trial
from simulate.trials.reported import check_reported

REGRESSED = "_regressed"
"""End of the name of an observable that is another one with regression to the mean, where a model has it."""

SAMPLE_HOUR = "sample hour"
"""Coordinate of the time at which blood is drawn for serum at the last visit; those of other visits name them."""

LEADING = (
    KIND, "f_RO", "chi", "ck_drift", "det1", "det17", "f_m", "il1_muscle", "f_Th17", "f_Th1", "d_M17", "R_0",
    SAMPLE_HOUR, "CK_0", "il1_lymph", "e50", "K_Ra", "CL", "weight", "a_fb", "x_17", "g17", "g1", "k_c",
    "k_in", "k_out", "V", "creatinine_clearance",
)  # fmt: skip
"""Leading columns of the patients' points, whether or not a model has them: what moves the printed figures most is
first. A new name at the end moves no other; any other change makes all fits those of other patients."""

MOST_REFUSED = 0.5
"""Share of patients without a steady baseline beyond which a point is not in the prior."""

COARSE = Tolerance(1e-4)
"""Tolerance of a fit: errors near 0.2 %, beside readings that err by 5 to 60 %."""


@dataclass(frozen=True, slots=True, eq=False)
class ProblemPart:
    """A trial, its patients before anything is changed, and what it reported."""

    trial: TrialDesign
    population: Population
    evidence: Evidence


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """A hypothesis and the evidence it is fitted to."""

    hypothesis: str  #: As the user named it
    #: What is simulated: the model with the options of the trial, and its patients before anything is changed.
    model: Model
    population: Population
    evidence: Evidence  #: What was reported
    free: tuple[Free, ...]  #: What a point says, coordinate by coordinate
    trial: TrialDesign  #: How patients were treated and looked at
    #: Further trials to which the same numbers are fitted, of which patients and readings have nothing in common with
    #: those of the first or of each other: log-likelihoods add.
    others: tuple[ProblemPart, ...] = ()

    @property
    def label(self) -> str:
        """The hypothesis as it is shown: of a file by its name."""
        return hypothesis_label(self.hypothesis, self.model, self.options)

    @property
    def dimension(self) -> int:
        return len(self.free)

    @property
    def options(self) -> tuple[str, ...]:
        """Options of the reference model that the model has for what the trials read."""
        trials = (self.trial, *(part.trial for part in self.others))
        return tuple(dict.fromkeys(option for trial in trials for option in trial.options))

    @property
    def parts(self) -> tuple[Problem, ...]:
        """The same hypothesis with each trial alone."""
        return (dataclasses.replace(self, others=()), *(self.with_part(part) for part in self.others))

    def with_part(self, part: ProblemPart) -> Problem:
        """The same hypothesis and free numbers with one other trial, its patients and what it reported."""
        return dataclasses.replace(
            self, others=(), trial=part.trial, population=part.population, evidence=part.evidence
        )

    @property
    def data(self) -> tuple[Item, ...]:
        """What is fitted, trial by trial; of several trials an item has the name of its trial before its own."""
        if not self.others:
            return self.evidence.data
        return tuple(
            dataclasses.replace(item, name=f"{part.trial.name}: {item.name}")
            for part in self.parts
            for item in part.evidence.data
        )

    @property
    def plans(self) -> tuple[Plan, ...]:
        """The regimens of the arms of the trials."""
        return tuple(arm.plan for part in self.parts for arm in part.trial.arms)

    @property
    def assumptions(self) -> tuple[str, ...]:
        """Assumptions about the routes by which that is given, in sentences."""
        return assumed_of_routes(self.plans, self.model)

    @property
    def key(self) -> str:
        """Content hash of everything that decides a likelihood, but for the engine.

        Of routes and observables only those count that the trials give and read: more of them change no fit.
        """
        read = {name for part in self.parts for name in part.trial.watched}
        read |= {f"{name}{REGRESSED}" for name in read}
        routes = routes_given(self.plans, self.model.routes)
        observables = tuple(part for part in self.model.observables if part.name in read)
        return content_hash(
            key_with(self.model, routes, observables),
            repr([(part.population, part.evidence.meaning, part.trial.meaning) for part in self.parts]),
            repr(self.free),
            repr((MOST_REFUSED, COARSE, LEADING, POINTS, SCHEME)),
        )


def problem_for(
    hypothesis: str,
    evidence: Evidence | None = None,
    trials: Sequence[TrialDesign] = (),
    *,
    needs_evidence: bool = True,
) -> Problem:
    """What is to be fitted, or only simulated, under a hypothesis; ``none`` or ``H0`` for no effect on CD4 cells.

    It is fitted to the trials, or else to the one that the evidence names, or the shipped one; evidence is what each
    trial's file names, if not given. A trial that is only planned needs none.
    """
    designs = tuple(trials) or (read_trial(evidence.trial) if evidence is not None and evidence.trial else None,)
    chosen = tuple(shipped_trial() if design is None else design for design in designs)
    reported = [
        Evidence(design.source, (), design.name)
        if not needs_evidence and evidence is None and design.evidence is None
        else _reported(design, evidence, is_alone=len(chosen) == 1)
        for design in chosen
    ]
    for design in chosen:
        if [one.name for one in chosen].count(design.name) > 1:
            raise InputError(
                f"the trial `{design.name}` is given twice",
                code="trial.twice",
                expected="trials whose patients are not the same: likelihoods of independent trials add",
            )
    names = [name for name in hypothesis_parts(hypothesis) if name != "none"]
    options = tuple(dict.fromkeys(option for design in chosen for option in design.options))
    model = find_model(None, [*names, *options])
    for design in chosen:
        check_observed(design, model)
    parts = [
        ProblemPart(design, trial_patients(design, model), items)
        for design, items in zip(chosen, reported, strict=True)
    ]
    return problem_of(hypothesis, model, *parts)


def problem_of(hypothesis: str, model: Model, *parts: ProblemPart) -> Problem:
    """A hypothesis with its model and trials, and what a fit of it leaves free; the model has the trials' options."""
    options = tuple(dict.fromkeys(option for part in parts for option in part.trial.options))
    free = of_populations(free_numbers(model, find_model(None, options)), *(part.population for part in parts))
    noises = noise_numbers([part.trial for part in parts])
    first, *others = parts
    return Problem(
        hypothesis, model, first.population, first.evidence, (*free.values(), *noises), first.trial, tuple(others)
    )


def _reported(design: TrialDesign, evidence: Evidence | None, *, is_alone: bool) -> Evidence:
    """What a trial reported, checked."""
    if evidence is not None and not is_alone:
        raise InputError(
            "evidence is given beside several trials",
            code="trial.evidence",
            advice='let each trial\'s file name its evidence: `evidence = "my-evidence.toml"`',
        )
    if evidence is None and design.evidence is None:
        raise InputError(
            f"the trial `{design.name}` names no evidence",
            code="trial.evidence",
            expected="what it reported: a fit, a comparison and a reproduction are held against it",
            advice='give its file `evidence = "my-evidence.toml"`; `simulate trial` and `simulate predict` need none',
        )
    named = f" in {design.evidence.name}" if evidence is None and design.evidence else ""
    items = read_evidence(design.evidence) if evidence is None else evidence
    if items.trial and find_trial(items.trial).stem != design.name:
        raise InputError(
            f"the evidence is of the trial `{find_trial(items.trial).stem}`, not of `{design.name}`",
            code="trial.evidence",
            found=f'`trial = "{items.trial}"`' + named,
            expected=f"evidence of `{design.name}`, or none",
            advice=f'leave `evidence` out of the trial, or name a copy of it with `trial = "{design.name}.toml"`',
        )
    check_evidence(items)
    if not items.data:
        raise InputError(
            "the evidence has no item to fit to",
            code="fit.evidence",
            found=f'{len(items.items)} items, none with `use = "datum"`',
            advice="give the items that are data the use `datum`",
        )
    check_reported(items, design)
    return items


def check_observed(design: TrialDesign, model: Model) -> None:
    """Refuse a trial that reads what a model does not have, or in another kind of unit."""
    units = quantity_units(model)
    for quantity in design.watched:
        if quantity not in units:
            raise InputError(
                f"the trial `{design.name}` reads `{quantity}`, which the model does not have",
                code="trial.quantity",
                found=f"hypothesis {model.hypothesis}",
                expected="an observable or a state of the reference model with the `options` of the trial",
                advice=did_you_mean(quantity, units),
            )
    for part in design.readouts:
        convert(1.0, part.assay.unit, units[part.quantity])


def only_trial(problem: Problem, what: str) -> TrialDesign:
    """The trial of a problem that has one."""
    if problem.others:
        raise InputError(
            f"{what} takes one trial",
            code="trial.several",
            found=", ".join(f"`{part.trial.name}`" for part in problem.parts),
            advice="name one of them: `fit`, `compare` and `reproduce` take several",
        )
    return problem.trial


def trial_patients(design: TrialDesign, model: Model) -> Population:
    """Patients of a trial: those of its population, in the numbers that the trial had of each kind."""
    people = study_patients(population_for(model, design.population, is_shipped=True))
    numbers: dict[str, int] = {}
    for arm in design.arms:
        for kind, number in arm.strata:
            numbers[kind] = numbers.get(kind, 0) + number
    if not numbers:
        return people
    known = [stratum.name for stratum in people.strata]
    for kind in numbers:
        if kind not in known:
            what = f"the population of the trial `{design.name}` has no kind of patient `{kind}`"
            raise not_among(what, kind, known, code="trial.strata", none="no kinds: all patients are alike")
    strata = tuple(
        dataclasses.replace(stratum, count=float(numbers[stratum.name]))
        for stratum in people.strata
        if stratum.name in numbers
    )
    return dataclasses.replace(people, strata=strata)


def study_patients(shipped: Population) -> Population:
    """A shipped population with the bounds of single patients where those of the table are of typical values."""
    rows = {name.removeprefix("patients_"): row for name, row in prior_rows().items() if name.startswith("patients_")}
    return dataclasses.replace(
        shipped,
        parameters=tuple(
            dataclasses.replace(part, bounds=rows[part.name].bounds) if part.name in rows else part
            for part in shipped.parameters
        ),
    )
