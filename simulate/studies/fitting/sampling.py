"""What all fits have in common: runs of a sampler that can be resumed, draws at the end, and diagnostics."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol, TypeVar

import numpy as np

from simulate.errors import NotConverged, counted
from simulate.files import content_hash
from simulate.inference import checkpoint, diagnostics, polish, search, smc
from simulate.inference.quantiles import quantiles
from simulate.inference.target import Scores, Target
from simulate.streams import FloatArray, IntArray, normals, stream
from simulate.studies.fitting.individual import IndividualProblem
from simulate.studies.fitting.keys import fit_key
from simulate.studies.fitting.posterior import Diagnostics, Estimate, Individuals, Posterior, Settings, Support
from simulate.studies.fitting.problem import Problem
from simulate.studies.fitting.remaining import Remaining
from simulate.sums import logsumexp
from simulate.watching import Headway, Report

Found = TypeVar("Found")

_R_HAT, _EFFECTIVE = 1.05, 400.0
_UNRESOLVED = 1e-3

_PRIOR_DRAWS = 4096

_PATIENT_SETS = 5
"""Further sets of places from which the error by the choice of patients is taken."""


@dataclass
class PointCount:
    """The number of points that were asked, and of those that could not be solved."""

    points: int = 0
    unresolved: int = 0


class CountingTarget(Protocol):
    """A target that counts what it is asked."""

    def __call__(self, points: FloatArray) -> Scores:
        """Scores, as of any target."""

    @property
    def asked(self) -> PointCount:
        """How much was asked."""


@dataclass(frozen=True, slots=True, eq=False)
class Sampled:
    """Draws of the posterior of a likelihood, and the best point that was found."""

    #: What was asked.
    problem: Problem | IndividualProblem
    settings: Settings
    key: str
    #: Generations of each run, and the share of the normal prior that is feasible.
    chains: Sequence[Sequence[smc.Generation]]
    feasible: float
    #: The best point; draws of the final importance sampling; share of the points asked that could not be solved.
    best: search.Optimum
    weighted: polish.Weighted
    unresolved: float
    #: Draws that are kept, equally likely, shape [draw, coordinate], and log-likelihoods, shape [draw, item].
    points: FloatArray
    items: FloatArray


def sampled(
    problem: Problem | IndividualProblem,
    settings: Settings,
    coarse: CountingTarget,
    final: CountingTarget,
    algorithm: str,
    folder: Path | None,
    tell: Report,
    *,
    last: int,
    begun: Callable[[smc.Generation], None] = lambda generation: None,
) -> Sampled:
    """Runs of particles, a search for the best point, draws of the posterior, and those of them that are kept.

    ``coarse`` and ``final`` have the virtual patients of the runs and of the draws; ``last`` points are solved after
    the runs. ``begun`` is called with the last generation of the first run.
    """
    key = fit_key(problem, settings)
    generations_key = content_hash(algorithm, key)
    remaining = Remaining(settings, last)
    chains = []
    for number in range(settings.runs):
        chains.append(
            generations_of(problem.dimension, settings, coarse, generations_key, number, folder, tell, remaining)
        )
        if number == 0:
            begun(chains[0][-1])
    particles = np.concatenate([chain[-1].points for chain in chains])
    feasible = float(np.mean([chain[-1].feasible for chain in chains]))
    tell(Headway("searching the best point from the likeliest particles"))
    best = search.optimum(coarse, chains[0][-1], settings.seed + 1_000, starts=min(48, settings.particles))
    tell(Headway(f"{counted(settings.draws, 'draw')} with {counted(settings.final_patients, 'patient')} each"))
    weighted = polished(final, particles, feasible, settings, tell)
    unresolved = check_resolved(coarse.asked, final.asked)
    kept = kept_of(weighted, settings.kept, settings.seed, "fit draws")
    points, items = weighted.points[kept], weighted.scores.items[kept]
    return Sampled(problem, settings, key, chains, feasible, best, weighted, unresolved, points, items)


def remembered(solved: dict[bytes, Found], points: FloatArray, solve: Target) -> list[Found]:
    """What was found at different points, which are solved if they were not; no others will be asked for again."""
    keys = [point.tobytes() for point in points]
    missing = np.array([key not in solved for key in keys])
    if missing.any():
        solve(points[missing])
    known = {key: solved[key] for key in keys}
    solved.clear()
    solved.update(known)
    return [*known.values()]


def with_other_places(found: Sampled, likelihood: Callable[[int], Target]) -> tuple[FloatArray, list[Scores]]:
    """Change of the log-evidence with other sets of places, shape [set], and for each set the changes of some draws.

    ``likelihood`` is that with the set of a number. The sets are the same for all hypotheses, so that the changes are
    as well in part.
    """
    some = some_of(len(found.points))
    points, items = found.points[some], found.items[some]
    changes, moved = [], []
    for number in range(1, _PATIENT_SETS + 1):
        other = likelihood(found.settings.places + number)(points)
        changes.append(float(logsumexp(other.total - items.sum(axis=1)) - np.log(len(some))))
        apart = np.maximum(other.items, diagnostics.LEAST) - np.maximum(items, diagnostics.LEAST)
        moved.append(Scores(apart, other.feasible))
    return np.array(changes), moved


def posterior_of(
    found: Sampled,
    *,
    evidence: str,
    items: Sequence[str],
    sets: FloatArray,
    set_items: FloatArray,
    solver_error: float,
    refused: float,
    readings: tuple[FloatArray, ...],
    tails: tuple[tuple[str, str, float], ...] = (),
    individuals: Individuals | None = None,
) -> Posterior:
    """The posterior of what was sampled; arguments as of `Posterior`, `Support` and `Diagnostics`."""
    free, settings = found.problem.free, found.settings
    chains, weighted = found.chains, found.weighted
    errors = (weighted.error, float(np.std([0.0, *sets], ddof=1)), solver_error)
    prior = prior_of(chains, found.feasible, len(free), settings.seed)
    learned = diagnostics.learned(weighted.points, weighted.weights, prior)
    before = np.array(quantiles(prior, np.full(len(prior), 1.0 / len(prior)), (0.05, 0.5, 0.95)))
    told = ((part.name, part.meaning, part.unit, part.role.value) for part in free)

    def values(rows: FloatArray) -> FloatArray:
        return np.stack([part.values(rows[:, column]) for column, part in enumerate(free)], axis=1)

    shares, share_errors = diagnostics.path_shares(weighted)
    checks = Diagnostics(
        r_hat=r_hat_of(chains),
        effective=weighted.effective,
        tail=weighted.tail,
        log_evidences=(*(chain[-1].log_evidence for chain in chains), weighted.log_evidence),
        unresolved=found.unresolved,
        refused=refused,
        informed_directions=informed_directions(weighted, prior),
        stages=tuple((stage.beta, stage.effective, stage.moves, stage.acceptance) for stage in chains[0][-1].stages),
        optimum=found.best.log_likelihood,
        distinct=found.best.distinct,
        warnings=(),
    )
    made = Posterior(
        hypothesis=found.problem.hypothesis,
        evidence=evidence,
        key=found.key,
        settings=settings,
        estimates=estimates_of(told, learned, before, values),
        diagnostics=replace(checks, warnings=warnings_of(checks, errors)),
        log_evidence=weighted.log_evidence,
        errors=errors,
        points=found.points,
        items=tuple(items),
        log_likelihoods=found.items,
        shares=shares,
        support=Support(found.feasible, sets, set_items, share_errors, readings, tails),
        individuals=individuals,
    )
    return replace(made, estimates=made.told)


def r_hat_of(chains: Sequence[Sequence[smc.Generation]]) -> float | None:
    """Largest R-hat over the coordinates, the runs taken as chains; None for a single run."""
    if len(chains) < 2:
        return None
    return float(diagnostics.rank_normalized_r_hat([chain[-1].points for chain in chains]).max())


def check_resolved(*asked: PointCount) -> float:
    """Share of the points asked that could not be solved."""
    unresolved, points = (sum(getattr(part, name) for part in asked) for name in ("unresolved", "points"))
    if unresolved > _UNRESOLVED * points:
        raise NotConverged(
            "too many sets of parameters could not be solved",
            code="fit.unresolved",
            found=f"{unresolved} of {points}",
            expected=f"at most {100 * _UNRESOLVED:g} %",
            advice="look at such a run: `simulate run --hypothesis` names what fails",
        )
    return float(unresolved / max(points, 1))


def estimates_of(
    told: Iterable[tuple[str, str, str, str]],
    learned: diagnostics.Learned,
    before: FloatArray,
    values: Callable[[FloatArray], FloatArray],
) -> tuple[Estimate, ...]:
    """Estimates of each number from draws, ``told`` by name, meaning, unit and role.

    Parameters
    ----------
    before
        Quantiles at 5, 50 and 95 % of what was believed, shape [quantile, coordinate].
    values
        Of coordinates the numbers that they stand for, both of this shape.
    """
    ends = values(before).T, values(np.stack([learned.low, learned.median, learned.high])).T
    return tuple(
        Estimate(
            *words,
            prior=_three(prior),
            posterior=_three(posterior),
            contraction=float(learned.contraction[column]),
            overlap=float(learned.overlap[column]),
            verdict=learned.verdict[column],
        )
        for column, (words, prior, posterior) in enumerate(zip(told, *ends, strict=True))
    )


def _three(values: FloatArray) -> tuple[float, float, float]:
    low, middle, high = values.tolist()
    return low, middle, high


def generations_of(
    dimension: int,
    settings: Settings,
    target: CountingTarget,
    key: str,
    number: int,
    folder: Path | None,
    tell: Report,
    remaining: Remaining,
) -> list[smc.Generation]:
    """All generations of one run, those of an interrupted one taken from the folder."""

    def place(stage: int) -> Path | None:
        return None if folder is None else folder / f"run-{number + 1}-stage-{stage}.npz"

    seed = settings.seed + number
    generations: list[smc.Generation] = []
    while not generations or not smc.is_at(generations[-1], 1.0):
        path = place(len(generations))
        known = None if path is None else checkpoint.load(path, key)
        if known is None:
            if generations:
                known = smc.advance(target, generations[-1], seed)
            else:
                known = smc.begin(target, dimension, settings.particles, seed)
            if path is not None:
                checkpoint.save(path, known, key)
        generations.append(known)
        left = remaining.told(number, [one.beta for one in generations], target.asked.points)
        tell(Headway(f"run {number + 1} of {settings.runs}: temperature {known.beta:.3f}{left}"))
    return generations


def polished(
    target: Target, particles: FloatArray, feasible: float, settings: Settings, tell: Report
) -> polish.Weighted:
    """Draws of the posterior by way of particles, as for `polish`; if they fall short, once more by way of these."""

    def is_enough(found: polish.Weighted) -> bool:
        return found.effective >= _EFFECTIVE and found.tail < polish.WORST_TAIL

    best = polish.polish(target, particles, feasible, draws=settings.draws, seed=settings.seed)
    for attempt in range(2):
        if is_enough(best):
            return best
        tell(Headway(f"effective draws {best.effective:.0f}: once more, from these"))
        kept = kept_of(best, len(particles), settings.seed + attempt, "fit refit")
        particles = best.points[kept]
        seed = settings.seed + attempt + 1
        again = polish.polish(target, particles, feasible, draws=settings.draws, seed=seed)
        best = max((best, again), key=lambda found: (is_enough(found), found.effective))
    return best


def kept_of(weighted: polish.Weighted, number: int, seed: int, purpose: str) -> IntArray:
    """Places of draws that are equally likely, shape [number]; ``purpose`` is part of the key of what is random."""
    return smc.resampled(weighted.weights, number, float(stream(seed, purpose, 0).random()))


def prior_of(chains: Sequence[Sequence[smc.Generation]], feasible: float, dimension: int, seed: int) -> FloatArray:
    """Draws of the prior; where it is cut by what is infeasible, those that the runs began with."""
    if feasible == 1.0:
        return normals(seed, "fit prior", np.arange(_PRIOR_DRAWS), dimension)
    return np.concatenate([chain[0].points for chain in chains])


def some_of(number: int) -> IntArray:
    """Places of 64 of so many draws, or of all, evenly."""
    return np.unique(np.linspace(0, number - 1, 64).astype(np.int64))


def informed_directions(weighted: polish.Weighted, prior: FloatArray) -> int:
    """Directions in which the variance of the prior is at least halved: there the data say more than the prior."""
    mean = np.einsum("i,ij->j", weighted.weights, weighted.points)
    apart = weighted.points - mean
    covariance = np.einsum("i,ij,ik->jk", weighted.weights, apart, apart)
    scale = prior.std(axis=0)
    return int((np.linalg.eigvalsh(covariance / np.outer(scale, scale)) < 0.5).sum())


def warnings_of(found: Diagnostics, errors: tuple[float, float, float]) -> tuple[str, ...]:
    """Warnings without which nobody should believe the result."""
    checks = (
        (
            abs(found.log_evidences[-1] - float(np.mean(found.log_evidences[:-1] or found.log_evidences))) > 1.0,
            "the evidences of the particles and of the final draws differ by more than 1: more patients while sampling",
        ),
        (errors[1] > 0.3, f"other virtual patients move the log-evidence by {errors[1]:.2f}: more final patients"),
        (errors[2] > 0.1, f"a finer solver moves a log-likelihood by {errors[2]:.2f}"),
    )
    of_draws = warnings_of_draws(found.r_hat, found.effective, found.tail)
    return (*of_draws, *(text for is_so, text in checks if is_so))


def warnings_of_draws(r_hat: float | None, effective: float, tail: float) -> tuple[str, ...]:
    """What a reader must know of any draws: R-hat between runs, effective draws, and the tail of their weights."""
    checks = (
        (r_hat is None, "one run alone cannot tell whether it went everywhere: more runs"),
        (
            r_hat is not None and r_hat > _R_HAT,
            f"R-hat between runs is {r_hat or 0.0:.3f}, above {_R_HAT}: more particles",
        ),
        (
            effective < _EFFECTIVE,
            f"{counted(round(effective), 'effective draw')}, fewer than {_EFFECTIVE:.0f}: more draws",
        ),
        (
            tail > polish.WORST_TAIL,
            f"the weights have a tail of shape {tail:.2f}, above {polish.WORST_TAIL}: more particles",
        ),
    )
    return tuple(text for is_so, text in checks if is_so)
