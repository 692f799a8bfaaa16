"""What is known of a fit before it is made: what such data cannot identify, and how few values were reported."""

from __future__ import annotations

from simulate.kernels.identifiability import structural
from simulate.regimen.timetable import routes_given
from simulate.studies.fitting.priors import Role
from simulate.studies.fitting.problem import REGRESSED, Problem


def before_fit(problem: Problem) -> tuple[str, ...]:
    """Lines for a reader: numbers against figures, and the exact answer for noise-free observation of one patient."""
    figures = sum(len(item.statement.figures) for item in problem.data)
    typical = [part.targets[0] for part in problem.free if part.role is Role.TYPICAL]
    spreads = sum(part.role in (Role.SPREAD, Role.CORRELATION) for part in problem.free)
    noises = sum(part.role is Role.NOISE for part in problem.free)
    kinds = f"{spreads} of them spreads and correlations between patients"
    if noises:
        kinds += f", {noises} the noise of readings"
    names = {part.name for part in problem.model.observables}
    seen = [name for part in problem.parts for name in part.trial.watched]
    watched = [f"{name}{REGRESSED}" if f"{name}{REGRESSED}" in names else name for name in dict.fromkeys(seen)]
    plans = [arm.plan for part in problem.parts for arm in part.trial.arms]
    routes = [route.name for route in routes_given(plans, problem.model.routes)]
    answer = structural(problem.model, typical, watched, doses=routes)
    return (
        f"{len(problem.free)} numbers are free ({kinds}), and "
        f"{figures} figures were printed: most of what is not known will stay so",
        "one patient, watched without noise and without pause:",
        *(f"  {line}" for line in answer.lines()),
    )
