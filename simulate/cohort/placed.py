"""Patients at fixed places of populations: the same uniform numbers whatever the population.

A fit compares thousands of populations. With the same places in all of them a likelihood is a smooth function of what
differs between the populations, and two hypotheses are compared on the same patients. The places are a scrambled Sobol
set (A. Owen, J. Complexity 14 (1998) 466) whose normal scores are then made exactly uncorrelated in the columns that
matter most: with some dozens of patients a correlation by chance would be the largest error of a fit.

Where `draws.draw` redraws parameters that vary together until all are in bounds, here each is cut at its bounds given
those before it, which are the covariates and then the others in the order of the places. Alone, a parameter has the
same distribution either way.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr, ndtri
from scipy.stats import qmc

from simulate.cohort.draws import Cohort
from simulate.cohort.population import FloatArray, Population, blocks
from simulate.errors import InputError
from simulate.solver.kernel import IntArray
from simulate.streams import normals, stream
from simulate.symbolic.parts import Parameter

KIND = "kind"
"""Name of the place that decides the stratum of a patient."""

_EDGE = 2.0**-53


@dataclass(frozen=True, slots=True, eq=False)
class Places:
    """Uniform numbers of patients.

    Attributes
    ----------
    names
        What the numbers are for: parameters, covariates, or a name of the caller's.
    uniforms
        Shape [patient, name], each between 0 and 1, and neither.
    """

    names: tuple[str, ...]
    uniforms: FloatArray

    @property
    def patients(self) -> int:
        """Number of patients."""
        return len(self.uniforms)

    def of(self, name: str) -> FloatArray:
        """Numbers for one name, shape [patient]."""
        return self.uniforms[:, self.names.index(name)]


def places(names: Sequence[str], patients: int, *, seed: int, others: Sequence[str] = ()) -> Places:
    """Places of patients.

    Parameters
    ----------
    names
        Columns of the Sobol set, those that matter most first: the early columns are spread best. A column depends on
        its position and on the number of names.
    patients
        Number of patients, best a power of two. Half as many leading columns are made uncorrelated.
    seed
        Key of the scrambling.
    others
        Further columns, keyed by their names and spread at random.
    """
    sobol = qmc.Sobol(len(names), scramble=True, rng=int(stream(seed, "places", 0).integers(2**62)))
    power = max(patients - 1, 0).bit_length()
    uniforms = np.clip(sobol.random_base2(power)[:patients], _EDGE, 1.0 - _EDGE)
    leading = min(len(names), patients // 2)
    columns = [ndtr(_uncorrelated(ndtri(uniforms[:, :leading]))), uniforms[:, leading:]]
    columns += [ndtr(normals(seed, f"place: {name}", np.arange(patients), 1)) for name in others]
    return Places((*names, *others), np.clip(np.concatenate(columns, axis=1), _EDGE, 1.0 - _EDGE))


def _uncorrelated(scores: FloatArray) -> FloatArray:
    """Scores of mean 0, variance 1 and no correlation, as near as can be to the given ones; shape [patient, column]."""
    centered = scores - scores.mean(axis=0)
    covariance = np.einsum("ij,ik->jk", centered, centered) / len(scores)
    values, vectors = np.linalg.eigh(covariance)
    root = np.einsum("ij,j,kj->ik", vectors, 1.0 / np.sqrt(values), vectors)
    made: FloatArray = np.einsum("ij,jk->ik", centered, root)
    return made


def kinds(population: Population, at: Places) -> IntArray:
    """Stratum of each patient, shape [patient]: the shares of the population, by the rank of the place for `KIND`.

    Raises
    ------
    InputError
        ``cohort.place``: there is no such place.
    """
    if not population.strata:
        return np.zeros(at.patients, dtype=np.int64)
    _check_places([KIND], at)
    counts = np.array([stratum.count for stratum in population.strata])
    ranks = at.of(KIND).argsort(kind="stable").argsort(kind="stable")
    edges = np.cumsum(counts) / counts.sum()
    found: IntArray = np.searchsorted(edges, (ranks + 0.5) / at.patients, side="right").astype(np.int64)
    return np.minimum(found, len(counts) - 1)


def cohort_of(population: Population, values: FloatArray, of_kind: IntArray, *, seed: int) -> Cohort:
    """People with given parameters as a cohort of whom nobody leaves.

    Parameters
    ----------
    population
        Their population.
    values, of_kind
        Parameters in its order and units, shape [person, parameter], and stratum of each person.
    seed
        Key of what is random about their doses.
    """
    names = [stratum.name for stratum in population.strata] or [""]
    return Cohort(
        seed=seed,
        ids=np.arange(len(values), dtype=np.int64),
        names=population.names,
        values=np.ascontiguousarray(values),
        covariates=(),
        covariate_values=np.empty((len(values), 0)),
        strata=tuple(names[kind] for kind in of_kind.tolist()),
        dropout=np.full(len(values), np.inf),
    )


def _check_places(names: Iterable[str], at: Places) -> None:
    missing = sorted({*names} - {*at.names})
    if missing:
        raise InputError(
            f"there is no place for `{missing[0]}`",
            code="cohort.place",
            found=f"{len(at.names)} places",
            advice="name every parameter and covariate that varies, and `kind`",
        )


@dataclass(frozen=True, slots=True, eq=False)
class Populations:
    """Populations that differ from one in a few numbers, each array of shape [population].

    Attributes
    ----------
    base
        What they have in common.
    typical
        Typical values in place of those of the base, by parameter; a stratum that has its own keeps it.
    sd_log
        Spreads in place of those of the base, by parameter.
    rho
        Correlations in place of those of the base, by the pair of names as it stands there or is to be added.
    """

    base: Population
    typical: Mapping[str, FloatArray]
    sd_log: Mapping[str, FloatArray]
    rho: Mapping[tuple[str, str], FloatArray]

    def __post_init__(self) -> None:
        known = {part.name for part in self.base.parameters}
        pairs = {(pair.a, pair.b) for pair in self.base.correlations}
        unknown = sorted({*self.typical, *self.sd_log} - known) + sorted(
            " and ".join(pair) for pair in {*self.rho} - pairs
        )
        if unknown:
            raise InputError(
                f"the population has no `{unknown[0]}` that could differ",
                code="cohort.parameter",
                expected="parameters, and pairs that are correlated, of the population",
            )

    @property
    def number(self) -> int:
        """Number of populations."""
        differing = (*self.typical.values(), *self.sd_log.values(), *self.rho.values())
        return max((len(values) for values in differing), default=1)


def placed(populations: Populations, at: Places) -> FloatArray:
    """Parameters of the patients at given places of many populations.

    Returns
    -------
    ndarray
        Shape [population, patient, parameter], in the order and units of the parameters of the base.

    Raises
    ------
    InputError
        ``cohort.place``: the places lack a parameter or covariate that varies.
    """
    rows = {name: at.uniforms[np.newaxis, :, column] for column, name in enumerate(at.names)}
    return _placed(populations, at, rows, kinds(populations.base, at)[np.newaxis])


def placed_singly(populations: Populations, at: Places, of_kind: IntArray) -> FloatArray:
    """Parameters of people of whom each has a population of its own.

    Parameters
    ----------
    populations, at
        As many populations as places.
    of_kind
        Stratum of each, shape [person].

    Returns
    -------
    ndarray
        Shape [person, parameter], in the order and units of the parameters of the base.

    Raises
    ------
    InputError
        ``cohort.place``: the places lack a parameter or covariate that varies, or are not as many as the populations.
    """
    if populations.number not in (1, at.patients) or of_kind.shape != (at.patients,):
        raise InputError(
            "populations, places and kinds of people are not equally many",
            code="cohort.place",
            found=f"{populations.number}, {at.patients} and {len(of_kind)}",
        )
    columns = {name: at.uniforms[:, [column]] for column, name in enumerate(at.names)}
    return _placed(populations, at, columns, of_kind[:, np.newaxis])[:, 0]


def _placed(populations: Populations, at: Places, uniforms: Mapping[str, FloatArray], of_kind: IntArray) -> FloatArray:
    """Parameters where uniform numbers and kinds have the shape [1, patient] or [population, 1]."""
    base = populations.base
    parts = {part.name: part for part in (*base.parameters, *base.covariates)}
    number = populations.number
    shape = np.broadcast_shapes((number, 1), of_kind.shape)
    found = {part.name: np.full(shape, part.value) for part in base.parameters}
    for name, values in populations.typical.items():
        found[name] = np.repeat(values[:, np.newaxis], shape[1], axis=1)
    covariates = [part.name for part in base.covariates]
    for block in blocks(base):
        _check_places(block, at)
        order = sorted(block, key=lambda name: (name not in covariates, at.names.index(name)))
        factor = _factors(order, populations, number)
        deviates: list[FloatArray] = []
        values_of: dict[str, FloatArray] = {}
        for row, name in enumerate(order):
            typical, sd_log, low, high = _rows(parts[name], base, of_kind, populations, shape)
            for effect in base.effects:
                if effect.parameter == name:
                    reference = parts[effect.covariate].value
                    # Covariates are those of the places and not of the populations.
                    given = values_of[effect.covariate][: len(of_kind)]
                    logs = [effect.log_factor(value, reference) for value in given.ravel().tolist()]
                    typical = typical * np.exp(np.array(logs).reshape(given.shape))
            shift = sum((factor[row][inner][:, np.newaxis] * deviates[inner] for inner in range(row)), np.zeros(shape))
            own = factor[row][row][:, np.newaxis]
            with np.errstate(divide="ignore", invalid="ignore"):
                least = (np.log(low / typical) / sd_log - shift) / own
                most = (np.log(high / typical) / sd_log - shift) / own
            deviate = _between(uniforms[name], least, most)
            # A population whose typical value is 0 has only zeros.
            deviates.append(np.where((sd_log > 0.0) & (typical > 0.0), deviate, 0.0))
            values_of[name] = typical * np.exp(sd_log * (shift + own * deviates[-1]))
        found |= {name: values for name, values in values_of.items() if name in found}
    return np.stack([found[part.name] for part in base.parameters], axis=-1)


def _rows(
    part: Parameter, base: Population, of_kind: IntArray, populations: Populations, shape: tuple[int, int]
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray]:
    """Typical value, spread and bounds of a parameter for each patient, shape [population, patient] each."""
    own = [{row.name: row for row in kind.parameters} for kind in base.strata] or [{}]
    rows = [kind.get(part.name, part) for kind in own]
    is_own = np.array([part.name in kind for kind in own])[of_kind]
    typical = np.broadcast_to(np.array([row.value for row in rows])[of_kind], shape)
    spreads = [0.0 if row.spread is None else row.spread.sd_log for row in rows]
    sd_log = np.broadcast_to(np.array(spreads)[of_kind], shape)
    if part.name in populations.typical:
        typical = np.where(is_own, typical, populations.typical[part.name][:, np.newaxis])
    if part.name in populations.sd_log:
        sd_log = np.where(is_own, sd_log, populations.sd_log[part.name][:, np.newaxis])
    limits = [(0.0, np.inf) if row.bounds is None else row.bounds for row in rows]
    low, high = (np.array([limit[side] for limit in limits])[of_kind] for side in (0, 1))
    return typical, sd_log, np.maximum(low, 0.0), high


def _factors(order: Sequence[str], populations: Populations, number: int) -> list[list[FloatArray]]:
    """Cholesky factor of the correlations of a block, one array [population] for each row and column."""
    given = {(pair.a, pair.b): np.full(number, pair.rho) for pair in populations.base.correlations}
    given |= dict(populations.rho)

    def rho(a: str, b: str) -> FloatArray:
        return given.get((a, b), given.get((b, a), np.zeros(number)))

    factor: list[list[FloatArray]] = []
    for row, name in enumerate(order):
        factor.append([])
        for column in range(row + 1):
            rest = np.ones(number) if column == row else rho(name, order[column]).copy()
            for inner in range(column):
                rest -= factor[row][inner] * factor[column][inner]
            factor[row].append(np.sqrt(rest) if column == row else rest / factor[column][column])
    return factor


def _between(uniform: FloatArray, least: FloatArray, most: FloatArray) -> FloatArray:
    """Quantiles of a standard normal variable that lies between two limits."""
    # In the upper tail probabilities are told apart only from the other side.
    flipped = least > 0.0
    low, high = np.where(flipped, -most, least), np.where(flipped, -least, most)
    at = np.where(flipped, 1.0 - uniform, uniform)
    value = ndtri(ndtr(low) + at * (ndtr(high) - ndtr(low)))
    inside: FloatArray = np.clip(np.where(flipped, -value, value), least, most)
    return inside
