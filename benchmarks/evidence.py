"""The evidence of a hypothesis found in three ways that share nothing but the likelihood.

The way of `simulate fit` (tempered particles, then importance sampling from a mixture), plain importance sampling from
the prior, and nested sampling by nautilus (J. U. Lange, MNRAS 525 (2023) 3181), a program of others. Few patients a
point, so that a likelihood is cheap: the error by the choice of patients is then large, but the same in all three.

    .venv/bin/pip install -e ".[test,infer]"
    .venv/bin/python benchmarks/evidence.py H0 H1
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable

import numpy as np
from scipy.special import logsumexp, ndtri

from simulate.inference import polish, smc
from simulate.streams import FloatArray, normals
from simulate.studies.fitting.fit import LearnedLikelihood, Likelihood
from simulate.studies.fitting.problem import problem_for

Found = tuple[float, float, int]
"""Log-evidence, its standard error, and points that were asked."""


def as_fits_do(target: Likelihood, dimension: int, seed: int) -> Found:
    learning = LearnedLikelihood(target.problem, target.patients, target.places, asked=target.asked)
    runs = [smc.sample(learning, dimension, particles=200, seed=seed + run) for run in range(2)]
    particles = np.concatenate([run.points for run in runs])
    feasible = float(np.mean([run.feasible for run in runs]))
    found = polish.polish(learning, particles, feasible, draws=2048, seed=seed)
    return found.log_evidence, found.error, target.asked.points


def from_the_prior(target: Likelihood, dimension: int, seed: int, draws: int = 8192) -> Found:
    scores = target(normals(seed, "evidence from the prior", np.arange(draws), dimension))
    logs = scores.total[scores.feasible]
    ratio = np.exp(logs - logs.max())
    value = float(logsumexp(logs) - np.log(len(logs)))
    return value, float(ratio.std() / ratio.mean() / np.sqrt(len(ratio))), target.asked.points


def nested(target: Likelihood, dimension: int, seed: int) -> Found:
    import nautilus

    asked = {"all": 0, "feasible": 0}

    def log_likelihood(points: FloatArray) -> FloatArray:
        scores = target(points)
        if not asked["all"]:
            # The first batch is of the prior.
            asked.update(all=len(points), feasible=int(scores.feasible.sum()))
        return np.maximum(scores.total, -1e10)

    sampler = nautilus.Sampler(
        lambda unit: ndtri(np.clip(unit, 2.0**-53, 1.0 - 2.0**-53)),
        log_likelihood,
        n_dim=dimension,
        n_live=500,
        n_networks=1,
        n_batch=500,
        vectorized=True,
        pass_dict=False,
        seed=seed,
    )
    finished = sampler.run(n_eff=1000, discard_exploration=True)
    if not finished:
        raise SystemExit("nautilus did not finish")
    value = sampler.log_z - float(np.log(asked["feasible"] / asked["all"]))
    # Each shell is sampled independently once exploration is discarded: what is effective decides the error.
    return value, float(1.0 / np.sqrt(sampler.n_eff)), sampler.n_like


WAYS: dict[str, Callable[[Likelihood, int, int], Found]] = {
    "as fits do": as_fits_do,
    "from the prior": from_the_prior,
    "nested, nautilus": nested,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("hypotheses", nargs="*", default=["H0", "H1"])
    parser.add_argument("--patients", type=int, default=8)
    parser.add_argument("--seed", type=int, default=11)
    parser.add_argument("--seeds", type=int, default=3, help="how often the way of fits is gone, to see its real error")
    chosen = parser.parse_args()
    for name in chosen.hypotheses:
        problem = problem_for(name)
        for way, find in WAYS.items():
            # Runs of one fit have neighboring seeds.
            for seed in range(chosen.seed, chosen.seed + 10 * (chosen.seeds if find is as_fits_do else 1), 10):
                target = Likelihood(problem, chosen.patients, 1)
                begun = time.process_time()
                value, error, asked = find(target, problem.dimension, seed)
                spent = time.process_time() - begun
                print(f"{name:12} {way:18} {value:8.3f} ± {error:.3f}  {asked:7} points  {spent:6.0f} s", flush=True)


if __name__ == "__main__":
    main()
