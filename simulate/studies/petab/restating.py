"""Estimation problems written in PEtab of version 2, and checked to have the same log-likelihood as their source."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from simulate import inputs
from simulate.errors import InputError, NumericalError, Where
from simulate.exchange.petab.problem import EstimatedParameter, PetabProblem
from simulate.exchange.petab.reading import read_petab
from simulate.exchange.petab.upgrading import upgraded
from simulate.exchange.petab.writing import MODEL, problem_files
from simulate.files import parse_json, read_bytes, write_atomically
from simulate.studies.petab.objective import Objective, objective_of, scaled

NEAR = 1e-8
"""Difference of two log-likelihoods, as a share of one, up to which they are the same."""
FINE = 1e-10
"""Relative tolerance with which problems are solved to be compared."""
FIT = "fit.json"


@dataclass(frozen=True, slots=True)
class StatedProblem:
    """A problem as files of version 2.

    Attributes
    ----------
    problem
        The problem.
    files
        Contents by the names of the files.
    left_out
        What the files do not say, or say in another way, in words.
    log_likelihood
        At the nominal values, or the middle between bounds of parameters without one; None where it cannot be solved.
    """

    problem: PetabProblem
    files: Mapping[str, bytes]
    left_out: tuple[str, ...]
    log_likelihood: float | None


def restated(path: Path | str, name: str, fit: Path | str | None = None) -> StatedProblem:
    """A problem of either version as one of version 2 that has the same log-likelihood.

    Parameters
    ----------
    path
        The YAML file of the problem.
    name
        Name of the YAML file that is to be.
    fit
        A fit of the problem, its ``fit.json`` or its folder: nominal values are its estimates.

    Raises
    ------
    InputError
        As `read_petab`, `objective_of` and `upgraded`; ``petab.fit``: the fit is none of the problem;
        ``petab.writing``: the log-likelihood would be another.
    """
    read = read_petab(path)
    if fit is not None:
        read = _at_estimates(read, fit)
    objective = objective_of(read, rtol=FINE)
    new = upgraded(read, objective.equations.imported.constants)
    files = {file: text.encode() for file, text in problem_files(new.problem, name).items()}
    files[MODEL] = read_bytes(read.model, str(read.model))
    before = log_likelihood_of(objective)
    after = log_likelihood_of(objective_in(files, name))
    check_same(before, after)
    return StatedProblem(new.problem, files, (*read.dropped, *new.notes), after)


def write_problem(problem: StatedProblem, out: Path, *, read: Collection[str], force: bool) -> None:
    """Write the files of a problem into the folder of its YAML file, which is made if it is not there.

    Parameters
    ----------
    problem, out
        The problem, and its YAML file.
    read
        Files that it was made of, none of which is replaced.
    force
        Whether others are.

    Raises
    ------
    InputError
        ``petab.file``: one is there already.
    MissingExtra
        ``file.unwritable``.
    """
    targets = {out.parent / name: content for name, content in problem.files.items()}
    sources = {Path(name).resolve() for name in read}
    for target in targets:
        is_source = target.resolve() in sources
        if is_source or (target.exists() and not force):
            raise InputError(
                f"the file {target} is there already",
                code="petab.file",
                found="what the problem is made of" if is_source else None,
                expected="a folder without files of these names: " + ", ".join(problem.files),
                advice="another folder" if is_source else "another folder, or --force",
            )
    # Where it cannot be made, the first file says so.
    with contextlib.suppress(OSError):
        out.parent.mkdir(parents=True, exist_ok=True)
    for target, content in targets.items():
        write_atomically(target, content)


def objective_in(files: Mapping[str, bytes], name: str) -> Objective:
    """Objective of the problem that files say, before they are written."""
    with inputs.given(files):
        return objective_of(read_petab(Path(name)), rtol=FINE)


def log_likelihood_of(objective: Objective) -> float | None:
    """Log-likelihood at the nominal values, or the middle between bounds; None where it cannot be solved."""
    point = [scaled(_middle(part), part.scale) for part in objective.problem.estimated]
    try:
        return objective(np.array(point)).log_likelihood
    except NumericalError:
        return None


def _middle(parameter: EstimatedParameter) -> float:
    if not math.isnan(parameter.nominal):
        return parameter.nominal
    if parameter.lower > 0.0:
        return math.sqrt(parameter.lower * parameter.upper)
    return 0.5 * (parameter.lower + parameter.upper)


def check_same(before: float | None, after: float | None, near: float = NEAR) -> None:
    """Refuse a problem whose log-likelihood is not that of what it was made of, to a share ``near`` of it.

    Raises
    ------
    InputError
        ``petab.writing``.
    """
    if before is None or after is None or before == after:
        return
    if not abs(before - after) <= near * max(1.0, abs(before)):
        raise InputError(
            "the problem of version 2 would have another log-likelihood",
            code="petab.writing",
            found=f"{after!r}",
            expected=f"{before!r}, as what it was made of",
            advice="nothing is written: this is a fault of the program, or of the problem at a limit of the solver",
        )


def _at_estimates(problem: PetabProblem, fit: Path | str) -> PetabProblem:
    """The problem with the estimates of a fit as nominal values."""
    path = Path(fit)
    if path.is_dir():
        path = path / FIT
    values = _estimates(path)
    names = [part.id for part in problem.estimated]
    if missing := [name for name in names if name not in values]:
        raise InputError(
            f"the fit has no estimate of `{missing[0]}`",
            code="petab.fit",
            where=Where(file=str(path)),
            found=", ".join(values),
            expected="a fit of this problem",
        )
    parameters = (replace(part, nominal=values[part.id]) if part.is_estimated else part for part in problem.parameters)
    return replace(problem, parameters=tuple(parameters))


def _estimates(path: Path) -> dict[str, float]:
    def wrong(found: str) -> InputError:
        return InputError(
            "the file is no fit of a problem in PEtab",
            code="petab.fit",
            where=Where(file=str(path)),
            found=found[:100],
            expected="`fit.json` as `simulate fit problem.yaml` leaves it",
        )

    try:
        document: Any = parse_json(read_bytes(path, str(path)))
        rows = document["parameters"]
        return {str(row["name"]): float(row["value"]) for row in rows}
    except KeyError as error:
        raise wrong(f"no key {error}") from None
    except (ValueError, TypeError) as error:
        raise wrong(str(error)) from None
