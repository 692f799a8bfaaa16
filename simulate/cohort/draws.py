"""Drawing people from a population.

Every number of a member is keyed by the seed, the name of the parameter and the number of the member. Patient 7 is
therefore the same person in a cohort of 10 or 10 000, in whatever order it is drawn, and keeps what two models have in
common when a hypothesis adds a parameter.

Bounds are kept by redrawing: parameters that vary together (by a correlation or a covariate) are redrawn together from
the same member's numbers until all of them lie within their bounds. That is the joint distribution, given that
everything is in bounds; clipping would pile people up on the bounds, and redrawing one parameter alone would spoil its
correlations.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from simulate.cohort.population import Effect, FloatArray, Population, Retained, blocks, cholesky
from simulate.errors import InputError, did_you_mean
from simulate.regimen.occasions import Occasions
from simulate.solver.kernel import IntArray
from simulate.streams import normals, stream
from simulate.symbolic.parts import Parameter

MAX_DRAWS = 1000
"""Draws of one set of parameters of one member before its bounds count as out of reach."""

MAX_MEMBERS = 10_000_000
"""Largest cohort."""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """People drawn from a population.

    Attributes
    ----------
    seed
        Seed of everything random in the cohort, missed doses included.
    ids
        Numbers of the members, shape [member].
    names, values
        Parameters and their values in the units of the population, shape [member, parameter]; read-only.
    covariates, covariate_values
        Covariates and their values, shape [member, covariate]; read-only.
    strata
        Kind of each member, shape [member]; empty texts if the population has one kind.
    dropout
        Day on which each member leaves the study, infinite for those who stay, shape [member]; read-only.
    between_doses
        Routes, and the standard deviation of the logarithm of how much of a dose arrives, from dose to dose.
    occasions
        How kinetics differ between occasions; None where they do not.
    """

    seed: int
    ids: IntArray
    names: tuple[str, ...]
    values: FloatArray
    covariates: tuple[str, ...]
    covariate_values: FloatArray
    strata: tuple[str, ...]
    dropout: FloatArray
    between_doses: tuple[tuple[str, float], ...] = ()
    occasions: Occasions | None = None

    @property
    def members(self) -> int:
        """Number of members."""
        return len(self.ids)

    def reached(self, day: float) -> npt.NDArray[np.bool_]:
        """Who is still in the study on a day, shape [member]."""
        return self.dropout > day

    def of(self, name: str) -> FloatArray:
        """Values of one parameter or covariate, shape [member]."""
        if name in self.names:
            return self.values[:, self.names.index(name)]
        return self.covariate_values[:, self.covariates.index(name)]


def draw(
    population: Population, n: int, *, seed: int, first: int = 0, given: Mapping[str, FloatArray] | None = None
) -> Cohort:
    """Draw ``n`` people.

    Parameters
    ----------
    population
        The distribution.
    n
        Number of members.
    seed
        Any integer.
    first
        Number of the first member; members ``first`` to ``first + n - 1`` are drawn. A member has the same bits in
        every cohort that has it.
    given
        Known values of covariates, shape [member] each; NaN for members whose value is drawn. Everything else is drawn
        as it is distributed among people with these values.

    Raises
    ------
    InputError
        ``cohort.size``; ``cohort.bounds``: some bounds cannot be met; ``cohort.covariate``: a given value is that of no
        covariate, or out of its bounds.
    """
    if not 0 < n <= MAX_MEMBERS or not 0 <= first:
        raise InputError(
            f"a cohort cannot have {n} members from number {first} on",
            code="cohort.size",
            expected=f"1 to {MAX_MEMBERS} members, and a first number that is not negative",
        )
    members = np.arange(first, first + n, dtype=np.int64)
    kinds = _kinds(population, seed, members)
    known = {} if given is None else dict(given)
    check_given(population, known, n)
    parts = (*population.parameters, *population.covariates)
    column = {part.name: index for index, part in enumerate(parts)}
    values = np.tile(np.array([part.value for part in parts], dtype=np.float64), (n, 1))
    for name, own in known.items():
        values[:, column[name]] = np.where(np.isnan(own), values[:, column[name]], own)
    for names in blocks(population):
        block = _Block(population, names, {name: own for name, own in known.items() if name in names})
        waiting = np.arange(n)
        for attempt in range(MAX_DRAWS):
            drawn, inside = block.attempt(seed, members[waiting], kinds[waiting], attempt, waiting)
            for index, name in enumerate(block.names):
                values[waiting, column[name]] = drawn[:, index]
            waiting, outside = waiting[~inside.all(axis=1)], inside[~inside.all(axis=1)]
            if not len(waiting):
                break
        else:
            raise _out_of_reach(block, int(members[waiting[0]]), outside[0], int(kinds[waiting[0]]))
    return _cohort(population, seed, members, kinds, values, dropout_times(population.retention, seed, members))


def check_given(population: Population, given: Mapping[str, FloatArray], n: int) -> None:
    """Refuse values of covariates that no one can have; as `draw`, which asks here.

    Raises
    ------
    InputError
        ``cohort.covariate``.
    """
    covariates = {covariate.name: covariate for covariate in population.covariates}
    for name, values in given.items():
        if name not in covariates:
            raise InputError(
                f"the population has no covariate `{name}`",
                code="cohort.covariate",
                expected=", ".join(f"`{known}`" for known in covariates) or "none: the population has no covariates",
                advice=did_you_mean(name, covariates),
            )
        low, high = _bounds(covariates[name])
        unit_text = covariates[name].unit.text
        # Not its opposite, `outside`: NaN, which says that nothing is given, is neither below nor above.
        outside = (values < low) | (values > high) | np.isinf(values) | (values <= 0.0)
        if values.shape != (n,) or outside.any():
            raise InputError(
                f"a given value of `{name}` cannot be used",
                code="cohort.covariate",
                found=f"{values[outside][0]:g} {unit_text}" if outside.any() else f"shape {values.shape}",
                expected=f"a number from {low:g} to {high:g} {unit_text} for each of {n} members",
                advice="take a population that has such people: `obese`, `renal`, or a file with wider bounds",
            )


def dropout_times(retention: Sequence[Retained], seed: int, members: IntArray) -> FloatArray:
    """Days on which members leave a study, shape [member]; infinite for those who are in it at the last visit.

    Between visits the hazard is constant, so that the expected share at each visit is the printed one. Who leaves does
    not depend on anything else: a member leaves on the same day in every arm.
    """
    times = np.full(len(members), math.inf)
    for index, member in enumerate(members.tolist()):
        chance = float(stream(seed, "dropout", member).random())
        for before, after in itertools.pairwise((Retained(0.0, 1.0), *retention)):
            if chance >= after.share:
                passed = math.log(before.share / chance) / math.log(before.share / after.share)
                times[index] = before.day + passed * (after.day - before.day)
                break
    return times


def typical(population: Population, *, seed: int = 0) -> Cohort:
    """One member, number 0, who has the typical value of everything, is of the first kind and stays in the study."""
    rows = {row.name: row for row in population.strata[0].parameters} if population.strata else {}
    parts = (*population.parameters, *population.covariates)
    values = np.array([[rows.get(part.name, part).value for part in parts]], dtype=np.float64)
    nobody = np.zeros(1, dtype=np.int64)
    return _cohort(population, seed, nobody, nobody, values, np.array([math.inf]))


def _cohort(
    population: Population, seed: int, members: IntArray, kinds: IntArray, values: FloatArray, dropout: FloatArray
) -> Cohort:
    split = len(population.parameters)
    kind_names = [stratum.name for stratum in population.strata] or [""]
    own = np.ascontiguousarray(values[:, :split])
    covariate_values = np.ascontiguousarray(values[:, split:])
    for array in (members, own, covariate_values, dropout):
        array.flags.writeable = False
    return Cohort(
        seed=seed,
        ids=members,
        names=population.names,
        values=own,
        covariates=tuple(covariate.name for covariate in population.covariates),
        covariate_values=covariate_values,
        strata=tuple(kind_names[kind] for kind in kinds),
        dropout=dropout,
        between_doses=tuple((occasion.route, occasion.sd_log) for occasion in population.occasions),
    )


def _kinds(population: Population, seed: int, members: IntArray) -> IntArray:
    """Index of each member's stratum, shape [member]."""
    if len(population.strata) < 2:
        return np.zeros(len(members), dtype=np.int64)
    counts = [stratum.count for stratum in population.strata]
    edges = [math.fsum(counts[: index + 1]) / math.fsum(counts) for index in range(len(counts) - 1)]
    chance = [stream(seed, "stratum", member).random() for member in members.tolist()]
    return np.searchsorted(edges, chance, side="right").astype(np.int64)


class _Block:
    """Parameters and covariates that vary together, ready to be drawn for any members.

    What is ``given`` comes first: the others then follow from it by their correlations.
    """

    def __init__(self, population: Population, names: Sequence[str], given: Mapping[str, FloatArray]) -> None:
        names = sorted(names, key=lambda name: (name not in given, name))
        self.names = names
        self.given = given
        self.factor = cholesky(names, population.correlations)
        general = {part.name: part for part in (*population.parameters, *population.covariates)}
        kinds = [stratum.parameters for stratum in population.strata] or [()]
        special = [{row.name: row for row in rows} for rows in kinds]
        # [name][kind]
        self.parts: list[list[Parameter]] = [[rows.get(name, general[name]) for rows in special] for name in names]
        self.effects: list[tuple[int, int, Effect]] = [
            (names.index(effect.covariate), names.index(effect.parameter), effect)
            for effect in population.effects
            if effect.covariate in names
        ]

    def attempt(
        self, seed: int, members: IntArray, kinds: IntArray, attempt: int, rows: IntArray
    ) -> tuple[FloatArray, npt.NDArray[np.bool_]]:
        """Values, shape [member, name], of one attempt, and which of them are within bounds.

        ``rows`` are the places of the members in what is given.
        """
        deviates = [normals(seed, f"patient: {name}: {attempt}", members, 1)[:, 0] for name in self.names]
        logs = np.zeros((len(members), len(self.names)))
        for row in range(len(self.names)):
            # Sums in a fixed order, element by element: a matrix product may round differently in a longer batch.
            total = np.zeros(len(members))
            for inner in range(row):
                total += self.factor[row, inner] * deviates[inner]
            sd_logs = self._sd_logs(row)[kinds]
            if self.names[row] in self.given:
                deviates[row] = self._given_deviate(row, rows, kinds, sd_logs, total, deviates[row])
            total += self.factor[row, row] * deviates[row]
            logs[:, row] = sd_logs * total
        values = self._typical(kinds) * _exp(logs)
        self._put_given(values, rows)
        for source, target, effect in self.effects:
            reference = self.parts[source][0].value
            logs[:, target] += [effect.log_factor(value, reference) for value in values[:, source].tolist()]
        values = self._typical(kinds) * _exp(logs)
        self._put_given(values, rows)
        low = np.array([[_bounds(part)[0] for part in parts] for parts in self.parts])
        high = np.array([[_bounds(part)[1] for part in parts] for parts in self.parts])
        return values, (values >= low[:, kinds].T) & (values <= high[:, kinds].T)

    def _put_given(self, values: FloatArray, rows: IntArray) -> None:
        """Put what is given in its place, to the bit, as the way there by logarithms may round."""
        for row, name in enumerate(self.names):
            if name in self.given:
                given = self.given[name][rows]
                values[:, row] = np.where(np.isnan(given), values[:, row], given)

    def _given_deviate(
        self, row: int, rows: IntArray, kinds: IntArray, sd_logs: FloatArray, so_far: FloatArray, drawn: FloatArray
    ) -> FloatArray:
        """The deviate that leads to what is given, shape [member]; the drawn one where nothing is."""
        given = self.given[self.names[row]][rows]
        leads = ~np.isnan(given) & (sd_logs > 0.0)
        place = _log(np.where(leads, given / self._typical(kinds)[:, row], 1.0)) / np.where(leads, sd_logs, 1.0)
        return np.where(leads, (place - so_far) / self.factor[row, row], drawn)

    def _typical(self, kinds: IntArray) -> FloatArray:
        table = np.array([[part.value for part in parts] for parts in self.parts])
        typical: FloatArray = table[:, kinds].T
        return typical

    def _sd_logs(self, row: int) -> FloatArray:
        return np.array([0.0 if part.spread is None else part.spread.sd_log for part in self.parts[row]])


def _bounds(part: Parameter) -> tuple[float, float]:
    return (-math.inf, math.inf) if part.bounds is None else part.bounds


def _exp(logs: FloatArray) -> FloatArray:
    # One by one: a vector exponential may differ in the last bit between the middle and the end of an array.
    return np.array([math.exp(min(value, 709.0)) for value in logs.ravel().tolist()]).reshape(logs.shape)


def _log(values: FloatArray) -> FloatArray:
    return np.array([math.log(value) for value in values.tolist()])


def _out_of_reach(block: _Block, member: int, inside: npt.NDArray[np.bool_], kind: int) -> InputError:
    name = block.names[inside.tolist().index(False)]
    part = block.parts[block.names.index(name)][kind]
    low, high = _bounds(part)
    return InputError(
        f"member {member} cannot be drawn: after {MAX_DRAWS} draws `{name}` is still out of its bounds",
        code="cohort.bounds",
        found=f"typical value {part.value:g} {part.unit.text}, bounds {low:g} to {high:g}",
        expected="bounds that hold a good part of the distribution",
        advice="widen the bounds, or reduce the spread",
    )
