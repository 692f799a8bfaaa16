"""A population as the states of Markov chains of patients, whose outputs follow a target.

T. Rieger and others, Prog. Biophys. Mol. Biol. 139 (2018) 15, walk through the parameters of patients with the density
of the target at their outputs. If parameters are moved evenly, outputs that many parameters lead to are then visited
too often: the chain has the density p(y) ρ(y), where ρ is the density of outputs that the parameters alone have. Here p
is divided by ρ, estimated from a pool, and the outputs follow the target.

Their program (github.com/openPfizer/vpop-gen, commit 8ec99af) moreover clips steps at the bounds, keeps accepted moves
only, and has no burn-in. It is a search for plausible patients rather than a sampler, and its patients pass through
acceptance afterwards. ``as_published`` does what it does, in many chains instead of one, and in the unit cube instead
of parameters between bounds.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from simulate.errors import InputError, NotConverged
from simulate.inference.diagnostics import rank_normalized_r_hat
from simulate.inference.populations.density import PoolDensity
from simulate.inference.populations.target import Target
from simulate.streams import FloatArray, IntArray, stream

Simulator = Callable[[FloatArray], FloatArray]
"""Outputs of patients at points of the unit cube, shape [patient, coordinate] → [patient, output].

The first outputs are those of the target; more may follow and are carried along. NaN where there is no such patient.
Points that are spread evenly in the cube are patients as they are before any data.
"""

PUBLISHED_STEP = 0.1
"""Largest step in units of the range of a coordinate."""

_WANTED = 0.25
"""Acceptance that the sizes of the moves are steered to during the burn-in."""

HONEST = (
    "Metropolis-Hastings whose outputs follow the target: rejections repeated, reflected at bounds, pool divided out"
)
PUBLISHED = "as published: accepted moves only, clipped at bounds, pool not divided out; a search, not a sample"


@dataclass(frozen=True, slots=True, eq=False)
class Walked:
    """Where chains have been.

    Attributes
    ----------
    points, outputs
        Patients of the population, shape [draw, coordinate] and [draw, output].
    chains
        Chain of each draw, shape [draw].
    acceptance
        Share of the moves after the burn-in that were taken.
    r_hat
        Largest rank-normalized R-hat over the outputs; NaN as published, where it would mean nothing.
    effective
        Effective number of draws for the mean of the output that mixes worst, from the spread between chains; NaN as
        published.
    version
        Which of the two this is, in words.
    """

    points: FloatArray
    outputs: FloatArray
    chains: IntArray
    acceptance: float
    r_hat: float
    effective: float
    version: str


def walk(
    simulate: Simulator,
    start: FloatArray,
    target: Target,
    pool: PoolDensity,
    *,
    steps: int,
    burn_in: int,
    seed: int,
    as_published: bool = False,
) -> Walked:
    """Walk all chains together; each step is one batch.

    Moves change all coordinates a little, or draw some of them anew, by turns. Both are as likely there as back, and
    the points of the cube are equally likely beforehand, so nothing but the densities of outputs decides.

    Parameters
    ----------
    simulate
        From points to outputs.
    start
        Points at which the chains begin, shape [chain, coordinate]; best drawn evenly, so that R-hat can tell whether
        the beginning is forgotten.
    target
        What the outputs are to follow.
    pool
        Density of the outputs of points that are spread evenly.
    steps, burn_in
        Steps of each chain, and how many of them are left out.
    seed
        Key of all random numbers.
    as_published
        Whether to do as the authors' program does; ``pool`` and ``burn_in`` then mean nothing.

    Raises
    ------
    InputError
        ``populations.start``: chains cannot begin there. ``populations.steps``.
    NotConverged
        ``populations.stuck``: no move was taken.
    """
    if not 0 <= burn_in < steps:
        raise InputError(
            f"of {steps} steps {burn_in} cannot be left out",
            code="populations.steps",
            expected="fewer, and not less than none",
        )
    points = start.copy()
    outputs = simulate(points)
    worth = _worth(outputs, target, None if as_published else pool)
    lost = np.flatnonzero(~np.isfinite(worth))
    if len(lost) or not ((points >= 0.0) & (points <= 1.0)).all():
        raise InputError(
            f"{len(lost)} of {len(points)} chains cannot begin where they are to",
            code="populations.start",
            expected="points of the unit cube at which there is a patient whose outputs the target does not exclude",
            advice="begin at patients of the pool",
        )
    sizes = [PUBLISHED_STEP, 0.5]
    places, seen, whose = [], [], []
    taken_in_all = 0
    for step in range(steps):
        random = stream(seed, "steps of chains", step)
        kind = 0 if as_published else step % 2
        proposed = _proposal(points, sizes[kind], kind, as_published, random)
        new = simulate(proposed)
        fresh = _worth(new, target, None if as_published else pool)
        chance = np.log(stream(seed, "luck of chains", step).random(len(points)))
        taken = chance < fresh - worth
        points = np.where(taken[:, None], proposed, points)
        outputs = np.where(taken[:, None], new, outputs)
        worth = np.where(taken, fresh, worth)
        if step < burn_in and not as_published:
            change = float(np.exp(_ADAPTATION * (float(taken.mean()) - _WANTED)))
            sizes[kind] = min(max(sizes[kind] * change, 1e-4), 1.0)
            continue
        kept = np.flatnonzero(taken) if as_published else np.arange(len(points))
        taken_in_all += int(taken.sum())
        places.append(points[kept])
        seen.append(outputs[kept])
        whose.append(kept)
    if not taken_in_all:
        raise NotConverged(
            f"none of {len(points) * steps} moves was taken",
            code="populations.stuck",
            advice="look at the target: do any patients of the pool come near it?",
        )
    r_hat, effective = (np.nan, np.nan) if as_published else _convergence(np.stack(seen))
    return Walked(
        points=np.concatenate(places),
        outputs=np.concatenate(seen),
        chains=np.concatenate(whose).astype(np.int64),
        acceptance=taken_in_all / (len(points) * (steps if as_published else steps - burn_in)),
        r_hat=r_hat,
        effective=effective,
        version=PUBLISHED if as_published else HONEST,
    )


_ADAPTATION = 0.2
"""How fast the sizes of moves follow the acceptance."""


def _worth(outputs: FloatArray, target: Target, pool: PoolDensity | None) -> FloatArray:
    """Logarithm of what decides on a move, shape [chain]; minus infinity where there is no patient."""
    own = outputs[:, : len(target.names)]
    exists = np.isfinite(outputs).all(axis=1)
    worth = np.full(len(outputs), -np.inf)
    worth[exists] = target.log_density(own[exists])
    if pool is not None:
        worth[exists] -= pool.log_at(own[exists])
    return worth


def _proposal(
    points: FloatArray, size: float, kind: int, as_published: bool, random: np.random.Generator
) -> FloatArray:
    """A step of all coordinates, or (kind 1) new values of a share ``size`` of them; one chosen coordinate at least."""
    coordinates = points.shape[1]
    # One row of numbers for each chain, so that a chain's are the same whatever chains are beside it.
    numbers = random.random((len(points), 2 * coordinates + 1))
    uniform = numbers[:, :coordinates]
    if kind == 0:
        moved = points + size * (2.0 * uniform - 1.0)
        return np.clip(moved, 0.0, 1.0) if as_published else _reflected(moved)
    chosen = numbers[:, coordinates:-1] < size
    chosen[np.arange(len(points)), (numbers[:, -1] * coordinates).astype(np.int64)] = True
    return np.where(chosen, uniform, points)


def _reflected(points: FloatArray) -> FloatArray:
    """Points folded back at 0 and 1; steps are not longer than the cube."""
    return np.where(points < 0.0, -points, np.where(points > 1.0, 2.0 - points, points))


def _convergence(outputs: FloatArray) -> tuple[float, float]:
    """Largest R-hat and least effective number of draws over outputs, shape [step, chain, output]."""
    steps, chains, _ = outputs.shape
    if chains < 2 or steps < 2:
        return float("nan"), float("nan")
    varies = np.ptp(outputs.reshape(steps * chains, -1), axis=0) > 0.0
    by_chain = [outputs[:, chain, varies] for chain in range(chains)]
    between = np.stack([chain.mean(axis=0) for chain in by_chain]).var(axis=0, ddof=1)
    total = outputs[..., varies].reshape(steps * chains, -1).var(axis=0)
    effective = float((chains * total / between).min())
    return float(rank_normalized_r_hat(by_chain).max()), min(effective, float(steps * chains))
