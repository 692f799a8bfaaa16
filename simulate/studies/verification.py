"""Verification of a scenario on the machine at hand: the same bits however it is run, and the error actually made.

Two questions are asked. Is every trajectory the same, bit by bit, whatever the threads, the order, the size of the
batch and the piece of the cohort it was drawn in? And how far is it from what another method finds, at a tolerance a
thousand times tighter or as tight as double precision lets it be: SciPy, which shares the equations and nothing after
them, for a random one in a hundred in arms without rules, and the other kind of method of this program for ten times as
many?
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import numpy.typing as npt

from simulate.cohort.draws import Cohort, members_at
from simulate.cohort.ensemble import Ensemble, from_before, member_parameters, outputs_of, schedule_of, simulate_cohort
from simulate.errors import counted
from simulate.kernels.of_model import kernel_of
from simulate.kernels.reference import solve_reference
from simulate.kernels.system import lower
from simulate.solver.arguments import breaks_of
from simulate.solver.kernel import IntArray
from simulate.solver.problem import Tolerance
from simulate.solver.trajectories import Status
from simulate.streams import stream
from simulate.studies.errors_made import Error, Errors, Judge, judging, too_large, unjudged, values_of
from simulate.studies.methods import method_named
from simulate.studies.runs import Study, cohort_of

SHARE = 0.01
"""Share of the trajectories that SciPy solves again."""
_FEWEST = 3
_MORE = 10
_ALONE = 8
_ENOUGH = (3, 24)
"""Trajectories that SciPy, and patients that the other method, solve again for a report, at most."""

Advance = Callable[[int], None]


@dataclass(frozen=True, slots=True)
class BitComparison:
    """A cohort solved in another way: how, how many trajectories, how many differ, and where the first does."""

    way: str
    trajectories: int
    differing: int
    first: str | None


@dataclass(frozen=True, slots=True)
class Verification:
    """What a verification found, and what the study assumes; ``passed`` is its verdict, and ``faults`` say why not."""

    scenario: str
    hypothesis: str
    patients: int
    arms: int
    failed: int
    method: str
    rtol: float
    atol: float
    judgeable: bool
    time_unit: str
    assumptions: tuple[str, ...]
    repetitions: tuple[BitComparison, ...]
    judges: tuple[Judge, ...]
    errors: tuple[Error, ...]

    @property
    def faults(self) -> tuple[str, ...]:
        """One sentence for each thing that is wrong."""
        found = [
            f"{row.differing} of {counted(row.trajectories, 'trajectory')} differ {row.way}, first {row.first}"
            for row in self.repetitions
            if row.differing
        ]
        found += too_large(self.errors)
        if not self.judgeable:
            found.append(unjudged(self.rtol))
        elif all(judge.given_up == judge.trajectories for judge in self.judges):
            found.append("no trajectory could be solved again by another method")
        return tuple(found)

    @property
    def passed(self) -> bool:
        return not self.faults


def verify(
    study: Study, *, share: float = SHARE, threads: int | None = None, progress: Advance | None = None
) -> Verification:
    """Solve a study in many ways and compare the bits; solve a sample with other methods and compare the numbers."""
    scenario = study.scenario
    cohort = cohort_of(study)
    base = _solve(study, cohort, threads=threads)
    advance: Advance = (lambda _: None) if progress is None else progress
    advance(base.status.size)
    repetitions = tuple(_repetition(base, way, parts, advance) for way, parts in _ways(study, cohort))
    judges, errors = _judged(study, cohort, base, sample_sizes(study, share), advance)
    return Verification(
        scenario=scenario.name,
        hypothesis=study.hypothesis,
        patients=scenario.patients,
        arms=len(study.arms),
        failed=int((base.status != Status.OK).sum()),
        method=method_named(scenario, study.model).name,
        rtol=scenario.rtol,
        atol=scenario.tolerance.share,
        judgeable=judging(scenario.rtol) is not None,
        time_unit=scenario.time_unit,
        assumptions=study.assumptions,
        repetitions=repetitions,
        judges=judges,
        errors=errors,
    )


def sampled_errors(study: Study, *, progress: Advance | None = None) -> tuple[tuple[Judge, ...], tuple[Error, ...]]:
    """The error actually made, from a small sample that other methods solve again; `verify` takes a larger one."""
    by_scipy, patients = _few(study)
    whole = cohort_of(study)
    places = np.sort(_random(study, "sample").choice(whole.members, size=patients, replace=False))
    cohort = members_at(whole, places)
    base = _solve(study, cohort)
    advance: Advance = (lambda _: None) if progress is None else progress
    advance(base.status.size)
    return _judged(study, cohort, base, (by_scipy, patients), advance)


def sampled_workload(study: Study) -> int:
    """Trajectories that `sampled_errors` solves."""
    by_scipy, patients = _few(study)
    return by_scipy + 2 * patients * len(study.arms)


def _few(study: Study) -> tuple[int, int]:
    """As `sample_sizes`, and no more than a reader wants to wait for."""
    by_scipy, patients = (min(size, most) for size, most in zip(sample_sizes(study), _ENOUGH, strict=True))
    return min(by_scipy, patients * len(_for_scipy(study))), patients


def _solve(
    study: Study,
    cohort: Cohort,
    *,
    threads: int | None = None,
    tolerance: Tolerance | None = None,
    method: str | None = None,
) -> Ensemble:
    if method is not None:
        study = replace(study, scenario=replace(study.scenario, method=method))
    how = study.solving if tolerance is None else study.solving | {"tolerance": tolerance}
    return simulate_cohort(study.model, study.arms, cohort, study.times, **how, threads=threads)


Parts = Iterator[tuple[IntArray, Ensemble]]
"""Places in the cohort, and the ensemble of the members at these places."""


def _ways(study: Study, cohort: Cohort) -> Iterator[tuple[str, Parts]]:
    """Every way of solving the cohort that must not matter, in words, with its parts."""
    n = cohort.members
    everyone = np.arange(n)
    order = _random(study, "order").permutation(n)

    def solved(*groups: IntArray, threads: int | None = None) -> Parts:
        for places in groups:
            yield places, _solve(study, members_at(cohort, places), threads=threads)

    def drawn(size: int) -> Parts:
        for first in range(0, n, size):
            count = min(size, n - first)
            yield everyone[first : first + count], _solve(study, cohort_of(study, first, count))

    for threads in sorted({1, 2, 2 * (os.cpu_count() or 1) + 1}):
        yield f"on {threads} thread{'s' if threads > 1 else ''}", solved(everyone, threads=threads)
    yield "in another order", solved(order)
    yield "in reverse order on 1 thread", solved(everyone[::-1], threads=1)
    alone = np.sort(_random(study, "alone").choice(n, size=min(_ALONE, n), replace=False))
    yield "alone, one at a time", solved(*(alone[[index]] for index in range(len(alone))))
    for size in (7, 64):
        if size < n:
            yield f"in batches of {size}", solved(*(order[first : first + size] for first in range(0, n, size)))
    yield "with every member three times", solved(np.repeat(everyone, 3))
    yield "drawn and solved in pieces", drawn(max(1, -(-n // 3)))


def _repetition(base: Ensemble, way: str, parts: Parts, advance: Advance) -> BitComparison:
    count = differing = 0
    first: str | None = None
    for places, again in parts:
        one, other = _bits(base)[:, places], _bits(again)
        same = (one == other).all(axis=(2, 3)) & (base.status[:, places] == again.status)
        same &= (_counters(base)[:, places] == _counters(again)).all(axis=2)
        count += same.size
        differing += int((~same).sum())
        if first is None and not same.all():
            arm, place = np.argwhere(~same)[0]
            first = f"patient {again.cohort.ids[place]}, arm `{base.arms[arm].name}`"
        advance(same.size)
    return BitComparison(way, count, differing, first)


def _bits(ensemble: Ensemble) -> npt.NDArray[np.uint64]:
    """Bits of all values, shape [arm, member, time, quantity]; undefined numbers are compared too."""
    values = ensemble.trajectories.values
    return values.view(np.uint64).reshape(len(ensemble.arms), -1, *values.shape[1:])


def _counters(ensemble: Ensemble) -> IntArray:
    return ensemble.trajectories.counters.reshape(len(ensemble.arms), -1, ensemble.trajectories.counters.shape[1])


def _random(study: Study, purpose: str) -> np.random.Generator:
    return stream(study.scenario.seed, f"verification: {purpose}", 0)


def sample_sizes(study: Study, share: float = SHARE) -> tuple[int, int]:
    """Numbers of trajectories that SciPy, and of patients that the other method of this program, solve again."""
    total = study.members * len(_for_scipy(study))
    return min(total, max(_FEWEST, math.ceil(share * total))), min(
        study.members, max(_FEWEST, math.ceil(_MORE * share * study.members))
    )


def _for_scipy(study: Study) -> list[int]:
    """Arms that SciPy can solve: it knows neither rules nor events."""
    return [] if study.model.events else [index for index, arm in enumerate(study.arms) if not arm.rules]


def _judged(
    study: Study, cohort: Cohort, base: Ensemble, sizes: tuple[int, int], advance: Advance
) -> tuple[tuple[Judge, ...], tuple[Error, ...]]:
    from simulate.solver.methods import RODAS5P

    by_scipy, by_other = sizes
    scenario = study.scenario
    tolerance = judging(scenario.rtol)
    if tolerance is None:
        return (), ()
    tight = tolerance.rtol
    kept = values_of(base)
    found = Errors(study, base)
    judges = []

    # Another method of this program, for whole patients in all arms.
    places = np.sort(_random(study, "method").choice(cohort.members, size=by_other, replace=False))
    by = "dopri5" if scenario.method == "rodas5p" else "rodas5p"
    other = _solve(study, members_at(cohort, places), tolerance=tolerance, method=by)
    usable = (other.status == Status.OK) & (base.status[:, places] == Status.OK)
    for arm, index in np.argwhere(usable):
        found.add(int(arm), int(places[index]), kept[arm, places[index]], values_of(other)[arm, index])
    given_up = int((other.status != Status.OK).sum())
    judges.append(Judge(other.trajectories.method, tight, other.status.size, given_up))
    advance(other.status.size)

    # SciPy, for single trajectories.
    system, plain = lower(study.model), _for_scipy(study)
    drawn = np.sort(_random(study, "scipy").choice(len(plain) * cohort.members, size=by_scipy, replace=False))
    given_up, names = 0, set[str]()
    for number, place in (divmod(index, cohort.members) for index in drawn.tolist()):
        arm = plain[number]
        one = members_at(cohort, [place])
        parameters, outputs = member_parameters(study.model, study.arms[arm], one), outputs_of(study.times)
        result = solve_reference(
            system,
            parameters,
            schedule_of(study.model, [study.arms[arm]], one, float(study.times[-1])),
            outputs,
            tolerance=tolerance,
            breaks=breaks_of(kernel_of(study.model), parameters, 0.0, outputs, scenario.breaks),
            max_step=math.inf if scenario.max_step is None else scenario.max_step,
            method="Radau" if base.trajectories.method_of(arm * cohort.members + place) == RODAS5P.name else "DOP853",
        )
        names.add(result.method.removeprefix("SciPy "))
        given_up += int(result.status[0] != Status.OK)
        if result.status[0] == Status.OK == base.status[arm, place]:
            found.add(arm, place, kept[arm, place], from_before(result).values[0])
        advance(1)
    why = "(no model with events)" if study.model.events else "(no arm with rules)"
    words = ["SciPy", " and ".join(sorted(names)), why if len(plain) < len(study.arms) else ""]
    judges.append(Judge(" ".join(filter(None, words)), tight, by_scipy, given_up))
    return tuple(judges), found.errors


def workload(study: Study, share: float = SHARE) -> int:
    """Number of trajectories that `verify` solves."""
    n, arms = study.members, len(study.arms)
    threads = len({1, 2, 2 * (os.cpu_count() or 1) + 1})
    batches = sum(size < n for size in (7, 64))
    by_scipy, by_other = sample_sizes(study, share)
    if judging(study.scenario.rtol) is None:
        by_scipy = by_other = 0
    whole = 1 + threads + 2 + batches + 3 + 1
    return arms * (whole * n + min(_ALONE, n) + by_other) + by_scipy
