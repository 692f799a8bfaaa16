"""Cost of a fit over that of the bare solutions that it needs, and how many solutions its surrogate spares.

Processor time of one process, in one run: the patients of some points solved and nothing else; a likelihood of the
same points; a guess of them by what was learned from others. Then the moves of one temperature, from the same
particles, with what was learned and without.

    .venv/bin/python benchmarks/fits.py H0 H1+H6
"""

from __future__ import annotations

import argparse
import time
from collections.abc import Callable
from dataclasses import replace

import numpy as np

from simulate.inference import smc
from simulate.streams import normals
from simulate.studies.fitting.fit import LearnedLikelihood, Likelihood
from simulate.studies.fitting.problem import problem_for
from simulate.studies.fitting.simulated_trial import simulate_points

_SEED = 1


def seconds(work: Callable[[], object]) -> float:
    begun = time.process_time()
    work()
    return time.process_time() - begun


def measure(name: str, number: int, patients: int, particles: int) -> None:
    problem = problem_for(name)
    plain, learning = Likelihood(problem, patients, 1), LearnedLikelihood(problem, patients, 1)
    solved = normals(_SEED, "benchmark: solved", np.arange(particles), problem.dimension)
    asked = normals(_SEED, "benchmark: asked", np.arange(number), problem.dimension)
    guess = learning.learned(solved)
    plain(asked[:2]), guess(asked[:2])  # what is compiled is compiled here
    bare = min(seconds(lambda: simulate_points(problem, asked, patients=patients, seed=1)) for _ in range(3))
    whole = min(seconds(lambda: plain(asked)) for _ in range(3))
    guessed = min(seconds(lambda: guess(asked)) for _ in range(3))
    print(f"{name}: {number} points of {patients} patients")
    print(f"  bare solves   {1e3 * bare / number:6.1f} ms a point, {1e3 * bare / number / patients:.2f} ms a patient")
    print(f"  likelihood    {1e3 * whole / number:6.1f} ms a point, {whole / bare:.2f} of the bare solves")
    print(f"  guess         {1e3 * guessed / number:6.1f} ms a point, {guessed / bare:.2f} of the bare solves")
    start = smc.begin(plain, problem.dimension, particles, _SEED)
    for label, target in (("without", plain), ("with", learning)):
        # A target of its own: what the other one asked is not counted.
        own = replace(target, asked=type(target.asked)())
        if isinstance(own, LearnedLikelihood):
            own.learned(start.points)
            own.asked.points = 0
        begun = time.process_time()
        stage = smc.advance(own, start, _SEED).stages[-1]
        took = time.process_time() - begun
        print(
            f"  a temperature {label} learning: {took:.1f} s, {own.asked.points / particles:.1f} solved for each "
            f"particle in {stage.moves} moves, accepted {stage.moves * stage.acceptance:.1f} times"
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("hypotheses", nargs="*", default=["H1+H6"])
    parser.add_argument("--points", type=int, default=64)
    parser.add_argument("--patients", type=int, default=32)
    parser.add_argument("--particles", type=int, default=100)
    given = parser.parse_args()
    for name in given.hypotheses:
        measure(name, given.points, given.patients, given.particles)


if __name__ == "__main__":
    main()
