"""One pool of plausible patients, and the populations that are made of it, each in its way."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from simulate.errors import NotConverged, counted
from simulate.evidence.items import Evidence
from simulate.inference.populations import acceptance, chain, reweighting
from simulate.inference.populations.density import NEIGHBORS, PoolDensity, distinct
from simulate.inference.populations.target import Target
from simulate.streams import FloatArray, IntArray
from simulate.studies.virtual.moments import Wanted, counts, moments
from simulate.studies.virtual.patients import PlausiblePatients, evenly
from simulate.studies.virtual.reported import Printed, target_for

POOL, ACCEPTANCE, CHAINS, REWEIGHTING = "pool", "acceptance", "chains", "reweighting"
EXACT, COUNTED, PUBLISHED = "reweighting, hit exactly", "reweighting, counts as well", "chains as published"

WAYS = (ACCEPTANCE, CHAINS, REWEIGHTING)
"""Ways between which the spread is taken; all match the same statistics."""

_R_HAT, _EFFECTIVE = 1.05, 100.0


@dataclass(frozen=True, slots=True)
class PopulationSettings:
    """The sizes of virtual populations; every number decides the result."""

    patients: int = 4096  #: Plausible patients of the pool
    fewest: int = 200  #: Patients that acceptance is to take, at least
    selections: int = 100  #: Selections over which acceptance is averaged
    #: Chains, and steps of each with those that are left out.
    chains: int = 64
    steps: int = 300
    burn_in: int = 100
    seed: int = 1  #: Key of all random numbers


@dataclass(frozen=True, slots=True, eq=False)
class VirtualPopulation:
    """A population made in one way."""

    name: str  #: Of the way
    #: Its patients in the cube, shape [patient, coordinate], and what is read of them, shape [patient, output].
    points: FloatArray
    outputs: FloatArray
    weights: FloatArray  #: How much each patient counts, shape [patient], adding up to 1
    chains: IntArray | None  #: Chain of each patient; None where patients are independent of each other
    effective: float  #: Number of independent patients it is worth
    #: Weighted mean and standard deviation of each statistic, shape [statistic].
    mean: FloatArray
    sd: FloatArray
    correlations: tuple[float, ...]  #: Of the printed pairs, in their order; NaN where one patient has all the weight
    distances: FloatArray  #: Kolmogorov-Smirnov distance of each statistic from the target
    facts: Mapping[str, float | str]  #: What is to be known of the way, by name
    warnings: tuple[str, ...] = ()  #: Why it should not be believed


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Plausible patients of a hypothesis."""

    #: From points of the cube to outputs; the second tells of its progress.
    people: PlausiblePatients
    simulate: chain.Simulator
    #: What was printed, and the distribution made of it for this pool.
    printed: Printed
    target: Target
    #: Points of all patients, and numbers of those who exist, shape [patient].
    cube: FloatArray
    ids: IntArray
    outputs: FloatArray  #: Of those who exist, shape [patient, output]

    @property
    def points(self) -> FloatArray:
        """Of those who exist, shape [patient, coordinate]."""
        return self.cube[self.ids]

    @property
    def own(self) -> FloatArray:
        """Logarithms of the statistics, shape [patient, statistic]."""
        return self.outputs[:, : len(self.printed.statistics)]


def pool_of(people: PlausiblePatients, simulate: chain.Simulator, found: Printed, settings: PopulationSettings) -> Pool:
    """Patients as they are before any data."""
    cube = evenly(people.names, settings.patients, settings.seed)
    everyone = simulate(cube)
    number = len(found.statistics)
    ids = np.flatnonzero(np.isfinite(everyone).all(axis=1)).astype(np.int64)
    ids = ids[distinct(everyone[ids][:, :number])]
    fewest = max(2 * settings.fewest, settings.chains, 4 * NEIGHBORS + 2)
    if len(ids) < fewest:
        raise NotConverged(
            f"only {len(ids)} of {settings.patients} plausible patients have a steady baseline and levels above 0",
            code="vpop.pool",
            expected=f"at least {fewest}",
            advice="draw more patients, or ask for fewer of them",
        )
    outputs = everyone[ids]
    return Pool(people, simulate, found, target_for(found, outputs[:, :number]), cube, ids, outputs)


def makers_of(
    pool: Pool, settings: PopulationSettings, evidence: Evidence, *, as_published: bool = False
) -> dict[str, Callable[[], VirtualPopulation]]:
    """What makes each population of a pool, by its name: the ways, and variants of them."""
    plain = moments(pool.printed, pool.target, pool.own)
    also = counts(evidence, pool.people, pool.outputs)

    def all_of() -> Wanted:
        return moments(pool.printed, pool.target, pool.own, everything=True)

    together = plain if also is None else plain.and_also(also)
    makers: dict[str, Callable[[], VirtualPopulation]] = {
        ACCEPTANCE: lambda: accepted(pool, settings),
        CHAINS: lambda: walked(pool, settings),
        REWEIGHTING: lambda: reweighted(pool, REWEIGHTING, plain),
        EXACT: lambda: reweighted(
            pool, EXACT, moments(pool.printed, pool.target, pool.own, everything=True), is_exact=True
        ),
        COUNTED: lambda: reweighted(pool, COUNTED, together),
    }
    if as_published:
        makers[PUBLISHED] = lambda: walked(pool, settings, as_published=True)
    return makers


def untouched(pool: Pool) -> VirtualPopulation:
    """The pool itself."""
    number = len(pool.ids)
    return _made(
        POOL, pool, pool.points, pool.outputs, np.ones(number), None, float(number), {"patients": float(number)}
    )


def accepted(pool: Pool, settings: PopulationSettings) -> VirtualPopulation:
    """Patients taken with a probability each."""
    size = {"fewest": settings.fewest, "selections": settings.selections}
    taken = acceptance.accept(pool.own, pool.target, seed=settings.seed, ids=pool.ids, **size)
    totals = taken.distances.sum(axis=1)
    facts: dict[str, float | str] = {
        "accepted": float(len(taken.members)),
        "beta": taken.beta,
        "certain to be taken": taken.saturated,
        "summed distance, mean over selections": float(totals.mean()),
        "summed distance, sd over selections": float(totals.std()),
    }
    weights = np.zeros(len(pool.ids))
    weights[taken.members] = 1.0
    return _made(ACCEPTANCE, pool, pool.points, pool.outputs, weights, None, taken.effective, facts)


def walked(pool: Pool, settings: PopulationSettings, *, as_published: bool = False) -> VirtualPopulation:
    """States of chains that begin at the first patients of the pool."""
    went = chain.walk(
        pool.simulate,
        pool.cube[pool.ids[: settings.chains]],
        pool.target,
        PoolDensity(pool.own, 4 * NEIGHBORS),
        steps=settings.steps,
        burn_in=0 if as_published else settings.burn_in,
        seed=settings.seed,
        as_published=as_published,
    )
    facts: dict[str, float | str] = {"version": went.version, "moves taken": went.acceptance}
    weights = np.ones(len(went.outputs))
    if as_published:
        effective = float(len(np.unique(went.chains)))
        return _made(PUBLISHED, pool, went.points, went.outputs, weights, went.chains, effective, facts)
    facts["R-hat"] = went.r_hat
    warnings = [] if went.r_hat < _R_HAT else [f"R-hat between chains is {went.r_hat:.3f}, above {_R_HAT}: more steps"]
    return _made(CHAINS, pool, went.points, went.outputs, weights, went.chains, went.effective, facts, warnings)


def reweighted(pool: Pool, name: str, wanted: Wanted, *, is_exact: bool = False) -> VirtualPopulation:
    """The pool with weights under which the wanted means are met, exactly or as well as their sampling asks."""
    new = reweighting.reweight(wanted.functions, wanted.names, wanted.means, None if is_exact else wanted.covariance)
    facts: dict[str, float | str] = {"largest weight": new.largest}
    warnings = [f"not met: {name}" for name in new.unmet]
    return _made(name, pool, pool.points, pool.outputs, new.weights, None, new.effective, facts, warnings)


def _made(
    name: str,
    pool: Pool,
    points: FloatArray,
    outputs: FloatArray,
    weights: FloatArray,
    chains: IntArray | None,
    effective: float,
    facts: Mapping[str, float | str],
    warnings: Sequence[str] = (),
) -> VirtualPopulation:
    own = outputs[:, : len(pool.target.names)]
    share = weights / weights.sum()
    mean = np.einsum("i,ij->j", share, own)
    apart = own - mean
    covariance = np.einsum("i,ij,ik->jk", share, apart, apart)
    sd = np.sqrt(np.diag(covariance))
    names = pool.printed.statistics
    pairs = [(names.index(tie.a), names.index(tie.b)) for tie in pool.printed.ties]
    scale = np.outer(sd, sd)
    correlation = np.divide(covariance, scale, out=np.full_like(scale, np.nan), where=scale > 0.0)
    said = list(warnings)
    if effective < _EFFECTIVE:
        said.append(f"worth only {counted(round(effective), 'independent patient')}")
    return VirtualPopulation(
        name=name,
        points=points,
        outputs=outputs,
        weights=share,
        chains=chains,
        effective=effective,
        mean=mean,
        sd=sd,
        correlations=tuple(float(correlation[a, b]) for a, b in pairs),
        distances=pool.target.distances(own, share),
        facts=facts,
        warnings=tuple(said),
    )
