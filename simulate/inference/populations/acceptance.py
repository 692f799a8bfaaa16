"""Acceptance of plausible patients, so that those accepted match statistics.

The way of R. Allen, T. Rieger, C. Musante, CPT Pharmacometrics Syst. Pharmacol. 5 (2016) 140: a patient is taken with
the probability min(1, β p/ρ), where p is the density of the target and ρ that of the pool at the outputs of the
patient; β is chosen so that the marginals of those taken are nearest to the target's. With β so small that no
probability is cut at 1 those taken are a sample of the target; beyond, there are more of them and they match less.

Their program (github.com/openPfizer/vpop-gen, commit 8ec99af) looks for β by annealing, each score being the mean of
ten selections drawn afresh, and then keeps the best of 100 selections as the population. Here the selections are the
same for every β, β is the best of a fixed ladder by the mean over all of them, and the first of them is the population,
so that what is reported is no minimum over chance. Their distances are in standard deviations of the target, here in
those of the pool.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.special import ndtr

from simulate.errors import InputError, NotConverged
from simulate.inference.populations.density import NEIGHBORS, PoolDensity
from simulate.inference.populations.target import Target, check_outputs
from simulate.streams import FloatArray, IntArray, normals

_CAP = 1000.0
"""The authors let the largest p/ρ become so many times what makes a patient certain, and no more."""

_LADDER = 60
"""Steps between the least and the largest β."""


@dataclass(frozen=True, slots=True, eq=False)
class Accepted:
    """The patients of a pool that were accepted.

    Attributes
    ----------
    members
        Numbers of the patients in the population, ascending; those of the first selection.
    inclusion
        Probability of being taken, shape [patient].
    beta
        The factor. Where no probability is cut it is also the share of a large pool that is taken.
    saturated
        Share of those expected to be taken who are certain to be: their densities are not the target's.
    sizes
        Size of the population in each of the selections, which differ by chance only, shape [selection].
    distances
        Kolmogorov-Smirnov distance of each marginal, shape [selection, observable].
    """

    members: IntArray
    inclusion: FloatArray
    beta: float
    saturated: float
    sizes: IntArray
    distances: FloatArray

    @property
    def effective(self) -> float:
        """Number of patients in the population; they count alike."""
        return float(len(self.members))


def accept(
    outputs: FloatArray,
    target: Target,
    *,
    seed: int,
    fewest: int = 200,
    neighbors: int = NEIGHBORS,
    selections: int = 100,
    ids: npt.NDArray[np.int64] | None = None,
) -> Accepted:
    """Take patients of a pool so that they match a target.

    Parameters
    ----------
    outputs
        Logarithms of the observables of the target, shape [patient, observable].
    target
        What to match.
    seed
        Key of the random numbers of each patient.
    fewest
        Expected size of the population, at least.
    neighbors
        Neighbors that make the density of the pool.
    selections
        Selections over which distances are averaged.
    ids
        Numbers by which these of the patients are keyed; their places in the pool if not given.

    Raises
    ------
    InputError
        As for `PoolDensity`; ``populations.size``: the pool has not so many patients.
    NotConverged
        ``populations.few``: not so many patients are like the target.
    """
    check_outputs(outputs, len(target.names), neighbors + 1)
    if not 1 <= fewest < len(outputs):
        raise InputError(
            f"{fewest} patients cannot be chosen from a pool of {len(outputs)}",
            code="populations.size",
            expected="at least 1, and fewer than the pool has",
        )
    log_ratio = target.log_density(outputs) - PoolDensity(outputs, neighbors).log_of_pool()
    largest = float(log_ratio.max())
    log_most = float(np.log(_CAP)) - largest
    most = _inclusion(log_ratio, log_most).sum()
    if most < fewest:
        raise NotConverged(
            f"only {most:.0f} of {len(outputs)} plausible patients are like the target",
            code="populations.few",
            expected=f"at least {fewest}",
            advice="make the pool wider or larger; where its patients cannot be like the target, "
            "model and statistics disagree",
        )
    log_least = _log_beta(log_ratio, float(fewest), log_most)
    keys = np.arange(len(outputs)) if ids is None else ids
    chances = ndtr(normals(seed, "acceptance of patients", keys, selections)).T
    best: tuple[float, float, FloatArray, FloatArray] | None = None
    for log_beta in np.linspace(log_least, log_most, _LADDER + 1).tolist():
        taken = (chances < _inclusion(log_ratio, log_beta)).astype(np.float64)
        if not taken.any(axis=1).all():
            continue
        distances = target.distances(outputs, taken)
        score = float(distances.sum(axis=1).mean())
        if best is None or score < best[0]:
            best = score, log_beta, taken, distances
    if best is None:
        raise NotConverged(
            "some selections take nobody",
            code="populations.few",
            found=f"an expected size of {fewest}",
            advice="ask for more patients",
        )
    _, log_beta, taken, distances = best
    inclusion = _inclusion(log_ratio, log_beta)
    return Accepted(
        members=np.flatnonzero(taken[0]).astype(np.int64),
        inclusion=inclusion,
        beta=float(np.exp(log_beta)),
        saturated=float((inclusion == 1.0).sum() / inclusion.sum()),
        sizes=taken.sum(axis=1).astype(np.int64),
        distances=distances,
    )


def _inclusion(log_ratio: FloatArray, log_beta: float) -> FloatArray:
    return np.exp(np.minimum(0.0, log_beta + log_ratio))


def _log_beta(log_ratio: FloatArray, size: float, high: float) -> float:
    """Logarithm of the factor with which so many patients are expected; ``high`` is enough for them."""
    low = float(np.log(size / len(log_ratio)) - log_ratio.max())
    for _ in range(60):
        middle = 0.5 * (low + high)
        low, high = (low, middle) if _inclusion(log_ratio, middle).sum() >= size else (middle, high)
    return high
