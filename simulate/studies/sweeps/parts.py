"""Parts of a sweep: solved, and kept in files that tell when they are damaged."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from simulate.cohort.ensemble import simulate_cohort
from simulate.files import content_hash
from simulate.studies.datasets import largest_terms, stopped_by_rules
from simulate.studies.sweeps.plans import Part, SweepPlan

Arrays = Mapping[str, npt.NDArray[Any]]

_MARK = b"il1sim part 2 "
# Not names that a quantity could have.
_NAMED = "array "
_FAILURES, STOPPED_MEMBERS = "(failures)", "(stopped)"


def part_path(folder: Path, part: Part) -> Path:
    """File of a part."""
    return folder / f"{part.name}.part"


def solve_part(plan: SweepPlan, index: int, *, threads: int | None = None) -> dict[str, npt.NDArray[Any]]:
    """Simulate a part of a sweep.

    The arrays are quantities [arm, member, time]; the variables of `largest_terms`, ``status`` and ``(stopped)``,
    whether a rule ended the member before the end of the scenario [arm, member]; ``covariates`` [arm, member,
    covariate] or, where they are the same in all arms, [member, covariate]; ``dropout_day`` and ``stratum``, the index
    of the stratum, [member]; ``parameters`` [arm, member, parameter] if they are kept; ``(failures)``, as bytes of
    JSON.
    """
    part = plan.parts[index]
    first, n = part.members[0], part.members[1] - part.members[0]
    end = plan.study.times[-1]
    times = plan.times if plan.times[-1] == end else np.append(plan.times, end)
    pieces: list[dict[str, npt.NDArray[Any]]] = []
    failures: list[list[object]] = []
    for begin, stop in _alike(plan, part.arms):
        cohort = plan.cohort(begin, first, n)
        arms, how = plan.study.arms[begin:stop], plan.study.solving
        ensemble = simulate_cohort(plan.study.model, arms, cohort, times, **how, threads=threads)
        kept: dict[str, npt.NDArray[Any]] = {
            name: ensemble.quantity(name)[:, :, : len(plan.times)] for name in plan.study.quantities
        }
        kept |= largest_terms(ensemble, plan.study.quantities)
        kept["status"] = ensemble.status.astype(np.int8)
        kept[STOPPED_MEMBERS] = stopped_by_rules(ensemble)
        kept["covariates"] = np.broadcast_to(cohort.covariate_values, (stop - begin, *cohort.covariate_values.shape))
        if plan.request.parameters:
            kept["parameters"] = ensemble.parameter_values
        pieces.append(kept)
        failures += [[row.arm, row.patient, row.failure.time, row.failure.reason] for row in ensemble.failures]
    arrays = {name: np.concatenate([piece[name] for piece in pieces]) for name in pieces[0]}
    if not plan.varies_covariates:
        arrays["covariates"] = arrays["covariates"][0]
    strata = [stratum.name for stratum in plan.study.population.strata] or [""]
    arrays["dropout_day"] = cohort.dropout
    arrays["stratum"] = np.array([strata.index(name) for name in cohort.strata], dtype=np.uint8)
    arrays[_FAILURES] = np.frombuffer(json.dumps(failures).encode(), dtype=np.uint8)
    return arrays


def solved_part(plan: SweepPlan, index: int, threads: int | None) -> bytes:
    """Content of the file of a part."""
    return pack(solve_part(plan, index, threads=threads), plan.key, plan.parts[index])


def _alike(plan: SweepPlan, arms: tuple[int, int]) -> list[tuple[int, int]]:
    """Ranges of arms whose patients have the same covariates."""
    edges = [arms[0]]
    for arm in range(arms[0] + 1, arms[1]):
        if plan.covariates[arm] != plan.covariates[arm - 1]:
            edges.append(arm)
    return list(zip(edges, [*edges[1:], arms[1]], strict=True))


def failures_of(arrays: Arrays) -> list[list[Any]]:
    """Arm, patient, day and reason of those who did not reach the end."""
    found: list[list[Any]] = json.loads(arrays[_FAILURES].tobytes())
    return found


def pack(arrays: Arrays, key: str, part: Part) -> bytes:
    """Content of the file of a part: a hash of the sweep's key, the part's place and the arrays; then the arrays."""
    buffer = io.BytesIO()
    # NumPy's own arguments have names, which a quantity may have as well.
    content: dict[str, Any] = {_NAMED + name: array for name, array in arrays.items()}
    np.savez(buffer, **content)
    packed = buffer.getvalue()
    return _head(key, part, packed) + b"\n" + packed


def unpack(packed: bytes, key: str, part: Part) -> dict[str, npt.NDArray[Any]] | None:
    """Arrays of a part; None where the file is damaged, or that of another sweep or part."""
    head, _, content = packed.partition(b"\n")
    if head != _head(key, part, content):
        return None
    try:
        with np.load(io.BytesIO(content), allow_pickle=False) as arrays:
            return {name.removeprefix(_NAMED): arrays[name] for name in arrays.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile):
        return None


def _head(key: str, part: Part, content: bytes) -> bytes:
    return _MARK + content_hash(key, part.name, content).encode()


def read_part(folder: Path, key: str, part: Part) -> dict[str, npt.NDArray[Any]] | None:
    """Arrays of a part on disk; None where it is missing or damaged."""
    try:
        packed = part_path(folder, part).read_bytes()
    except OSError:
        return None
    return unpack(packed, key, part)
