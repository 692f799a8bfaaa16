"""Each reported value beside what a fitted model predicts for the same statistic in a study of the same size.

The prediction is that of a repeated study: populations are draws of the posterior, patients and readings are drawn
anew. Beside it stand the same before any data were seen, and the same under the null hypothesis after its own fit.
Rows that were not fitted are predicted as well, where the model has what they speak of.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from simulate.errors import InputError
from simulate.evidence.items import Evidence, Item, Reading, Standing, Use
from simulate.evidence.reading import external_file, read_evidence
from simulate.evidence.resampling import Trials, chosen, of_chosen
from simulate.evidence.trial_observations import TrialObservations
from simulate.streams import FloatArray
from simulate.studies.fitting.draws import prior_points
from simulate.studies.fitting.keys import check_current
from simulate.studies.fitting.named_evidence import checks_of
from simulate.studies.fitting.posterior import Posterior
from simulate.studies.fitting.predictive import Predicted, direction_of, figures_of, prediction, reported_figure
from simulate.studies.fitting.problem import Problem
from simulate.studies.fitting.simulated_trial import Solving, simulated_trial
from simulate.trials.design import TrialDesign

NULL = "H0"
"""The hypothesis that every reproduction is held against."""

_DRAWS = 128
"""Populations of a prediction."""


@dataclass(frozen=True, slots=True)
class Row:
    """One reported value."""

    trial: str  #: Name of the trial that reported it; empty for findings of other studies
    #: As in the evidence.
    item: str
    account: str
    location: str | None
    standing: str
    use: str
    figure: str  #: Which of the item's figures; empty for a statement without one
    reading: str  #: The reading that is predicted, the one believed most; empty if there is one reading
    #: What was printed; None for a direction or a sentence.
    reported: float | None
    unit: str
    n: int | None
    direction: str  #: ``up`` or ``down`` where a direction was printed; empty otherwise
    is_used: bool  #: Whether the figure has a part in the likelihood
    #: Predictions under the hypothesis after and before the fit, and under the null hypothesis; None if there is none.
    fitted: Predicted | None
    before: Predicted | None
    null: Predicted | None
    reason: str  #: Why there is no prediction; empty if there is


def reproduce(
    problem: Problem,
    posterior: Posterior,
    null: Problem,
    null_posterior: Posterior,
    *,
    threads: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> tuple[Row, ...]:
    """Every row of the evidence, and then the findings of other studies, of other patients and drugs as well."""
    for asked, found in ((problem, posterior), (null, null_posterior)):
        check_current(asked, found)
    settings = posterior.settings
    wanted, key = min(_DRAWS, len(posterior.points)), {"seed": settings.seed, "places": settings.places}
    before = prior_points(problem, wanted, purpose="reproduce prior", **key, threads=threads)

    def rows_of(part: Problem, null_part: Problem, *more: Evidence, is_fitted: bool = True) -> list[tuple[Row, ...]]:
        """Rows of the evidence of one trial, and of more evidence beside it: no other trial is held meanwhile."""
        seen = (
            _seen(part, posterior, posterior.points[:_DRAWS], threads, progress),
            _seen(part, posterior, before, threads, progress),
            _seen(null_part, null_posterior, null_posterior.points[:_DRAWS], threads, progress),
        )
        own = _rows(part.evidence, seen, part.trial.name, is_fitted=is_fitted)
        return [own, *(_rows(evidence, seen) for evidence in more)]

    first, *others = zip(problem.parts, null.parts, strict=True)
    own, of_others = rows_of(*first, read_evidence(external_file()))
    blocks = [own, *(rows_of(*pair)[0] for pair in others), of_others]
    blocks += [rows_of(*pair, is_fitted=False)[0] for pair in zip(checks_of(problem), checks_of(null), strict=True)]
    return tuple(row for rows in blocks for row in rows)


@dataclass(frozen=True, slots=True, eq=False)
class ReproducedStudy:
    """One repeated study as its authors would have seen it."""

    trial: TrialDesign  #: How they were seen
    paired: int  #: Patients of whom everything was read at both visits; the others are seen at the first only
    #: Readings by quantity at the first and the last visit, shape [patient] each.
    before: dict[str, FloatArray]
    after: dict[str, FloatArray]


def repeated_study(problem: Problem, posterior: Posterior, *, number: int = 0) -> ReproducedStudy:
    """Readings of the patients of one repeated study, in its first arm, drawn from one draw of the posterior."""
    at = number % len(posterior.points)
    seen = _seen(problem, posterior, posterior.points[at : at + 1], None, None)
    trials = Trials(count=1, seed=number + 2)
    design = problem.trial
    ends = (design.first, design.end)
    first = round(min(design.samples(quantity, design.first) for quantity in design.quantities))
    both = round(min(design.samples(quantity, *ends) for quantity in design.quantities))
    patients = chosen(seen.weights, first, trials)
    before: dict[str, FloatArray] = {}
    after: dict[str, FloatArray] = {}
    for quantity in design.quantities:
        for day, found in zip(ends, (before, after), strict=True):
            errors = trials.normals(f"{quantity} {day:g}", first)
            logs = of_chosen(seen.logarithm(quantity, day), patients)[0] + seen.spread(quantity, day)[0] * errors
            found[quantity] = np.exp(logs[0])
    return ReproducedStudy(design, both, before, after)


def workload(problem: Problem, posterior: Posterior, null_posterior: Posterior) -> int:
    """Trajectories that `reproduce` solves and tells of."""
    per_draw = posterior.settings.final_patients
    points = 2 * min(_DRAWS, len(posterior.points)) * per_draw
    points += min(_DRAWS, len(null_posterior.points)) * null_posterior.settings.final_patients
    return points * sum(len(part.trial.arms) for part in (*problem.parts, *checks_of(problem)))


def _seen(
    problem: Problem,
    posterior: Posterior,
    points: FloatArray,
    threads: int | None,
    progress: Callable[[int], None] | None,
) -> TrialObservations:
    settings, how = posterior.settings, Solving(threads=threads, progress=progress)
    return simulated_trial(problem, points, patients=settings.final_patients, seed=settings.places, **how).seen


def _rows(
    evidence: Evidence, seen: Sequence[TrialObservations], trial: str = "", *, is_fitted: bool = True
) -> tuple[Row, ...]:
    return tuple(row for item in evidence.items for row in _rows_of(item, seen, trial, is_fitted=is_fitted))


def _rows_of(item: Item, seen: Sequence[TrialObservations], trial: str, *, is_fitted: bool) -> list[Row]:
    most = item.most
    # Of a figure that contradicts another all are shown as printed, though the likelihood has only what can be true.
    reading = Reading("as printed", 1.0, item.subject, item.statement) if item.standing is Standing.DISPUTED else most
    statement = reading.statement
    used = most.statement.figures if item.use is Use.DATUM and is_fitted else ()
    reason = "" if statement.figures else "nothing is counted or measured in it"
    predictions: list[FloatArray | None] = [None] * len(seen)
    if statement.figures:
        try:
            predictions = [figures_of(reading, part.of_arm(item.arm)) for part in seen]
        except InputError as error:
            reason = error.what
    rows = []
    for index, figure in enumerate(statement.figures or ("",)):
        reported = reported_figure(statement, figure)
        way = direction_of(statement, reported)
        predicted = [
            None if numbers is None else prediction(numbers[:, index], reported, way) for numbers in predictions
        ]
        rows.append(
            Row(
                trial=trial,
                item=item.name,
                account=item.account,
                location=item.location,
                standing=item.standing.value,
                use=item.use.value,
                figure=figure,
                reading=reading.name if len(item.readings) > 1 else "",
                reported=reported,
                unit="" if figure in ("count", "r", "p", "mean change", "") else reading.subject.unit.text,
                n=statement.n,
                direction=way,
                is_used=figure in used,
                fitted=predicted[0],
                before=predicted[1],
                null=predicted[2],
                reason=reason,
            )
        )
    return rows
