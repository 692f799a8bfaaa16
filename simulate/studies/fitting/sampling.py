"""What every fit does, whatever it is fitted to: runs of a sampler that resume, draws at the end, and a verdict."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import numpy as np

from simulate.errors import NotConverged
from simulate.inference import checkpoint, diagnostics, polish, smc
from simulate.inference.target import Scores, Target
from simulate.streams import FloatArray, IntArray, normals, stream
from simulate.studies.fitting.posterior import Diagnostics, Estimate, Settings
from simulate.studies.fitting.priors import Free
from simulate.studies.fitting.remaining import Remaining

_R_HAT, _EFFECTIVE, _TAIL = 1.05, 400.0, 0.7
_UNRESOLVED = 1e-3

_PRIOR_DRAWS = 4096


@dataclass
class Asked:
    """How many points were asked, and how many of them could not be solved."""

    points: int = 0
    unresolved: int = 0


Report = Callable[[str], None]
"""Told what the fit is doing, a line at a time."""


class Asking(Protocol):
    """A target that counts what it is asked."""

    def __call__(self, points: FloatArray) -> Scores:
        """Scores, as of any target."""

    @property
    def asked(self) -> Asked:
        """How much was asked."""


def check_resolved(*asked: Asked) -> float:
    """Share of the points asked that could not be solved.

    Raises
    ------
    NotConverged
        ``fit.unresolved``: there are too many.
    """
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


def estimates_of(free: Sequence[Free], learned: diagnostics.Learned, prior: FloatArray) -> tuple[Estimate, ...]:
    """What a fit says of each number; ``prior`` are draws of what was believed, shape [draw, coordinate]."""
    before = np.array(diagnostics.quantiles(prior, _even(prior), _SHARES))
    return tuple(
        Estimate(
            name=part.name,
            meaning=part.meaning,
            unit=part.unit,
            role=part.role.value,
            prior=_three(part.values(before[:, column])),
            posterior=_three(
                part.values(np.array([learned.low[column], learned.median[column], learned.high[column]]))
            ),
            contraction=float(learned.contraction[column]),
            overlap=float(learned.overlap[column]),
            verdict=learned.verdict[column],
        )
        for column, part in enumerate(free)
    )


_SHARES = (0.05, 0.5, 0.95)


def _three(values: FloatArray) -> tuple[float, float, float]:
    low, middle, high = values.tolist()
    return low, middle, high


def _even(points: FloatArray) -> FloatArray:
    return np.full(len(points), 1.0 / len(points))


def generations_of(
    dimension: int,
    settings: Settings,
    target: Asking,
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
        tell(f"run {number + 1} of {settings.runs}: temperature {known.beta:.3f}{left}")
    return generations


def polished(
    target: Target, particles: FloatArray, feasible: float, settings: Settings, tell: Report
) -> polish.Weighted:
    """Draws of the posterior by way of particles, as for `polish`; if they fall short, once more by way of these."""
    tell(f"{settings.draws} draws with {settings.final_patients} patients each")

    def is_enough(found: polish.Weighted) -> bool:
        return found.effective >= _EFFECTIVE and found.tail < _TAIL

    best = polish.polish(target, particles, feasible, draws=settings.draws, seed=settings.seed)
    for attempt in range(2):
        if is_enough(best):
            return best
        tell(f"effective draws {best.effective:.0f}: once more, from these")
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
    """What a reader must know before believing anything."""
    checks = (
        (found.r_hat is None, "one run alone cannot tell whether it went everywhere: more runs"),
        (
            found.r_hat is not None and found.r_hat > _R_HAT,
            f"R-hat between runs is {found.r_hat or 0.0:.3f}, above {_R_HAT}: more particles",
        ),
        (
            found.effective < _EFFECTIVE,
            f"{found.effective:.0f} effective draws, fewer than {_EFFECTIVE:.0f}: more draws",
        ),
        (found.tail > _TAIL, f"the weights have a tail of shape {found.tail:.2f}, above {_TAIL}: more particles"),
        (
            abs(found.log_evidences[-1] - float(np.mean(found.log_evidences[:-1] or found.log_evidences))) > 1.0,
            "the evidences of the particles and of the final draws differ by more than 1: more patients while sampling",
        ),
        (errors[1] > 0.3, f"other virtual patients move the log-evidence by {errors[1]:.2f}: more final patients"),
        (errors[2] > 0.1, f"a finer solver moves a log-likelihood by {errors[2]:.2f}"),
    )
    return tuple(text for is_so, text in checks if is_so)
