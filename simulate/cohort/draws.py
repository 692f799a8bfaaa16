"""Drawing people from a population.

Every coordinate of a member is keyed by the seed, the name of the parameter and the number of the member. Patient 7 is
therefore the same in a cohort of 10 or 10 000, in whatever order it is drawn, and keeps what two models have in
common when a hypothesis adds a parameter. `simulate.cohort.transform` makes patients of the coordinates.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from simulate.cohort.population import Population, Retained
from simulate.cohort.transform import KIND, UNCHANGED, Changes, Overrides, coordinates, kinds_of, transform
from simulate.elementwise import log
from simulate.errors import InputError, counted, not_among
from simulate.regimen.occasions import Occasions
from simulate.solver.kernel import IntArray
from simulate.streams import FloatArray, uniforms
from simulate.symbolic.parts import Parameter

MAX_MEMBERS = 10_000_000
"""Largest cohort."""


@dataclass(frozen=True, slots=True, eq=False)
class Cohort:
    """Patients drawn from a population.

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
    population
        That the members were drawn from, and are drawn from again in an arm that changes it; None for patients who were
        made in another way.
    given
        Known values of covariates, shape [member] each; NaN for members whose value was drawn.
    draws
        Number of the draw of each member's population, shape [member]; None where there is one population.
    changes
        In what the population of each member differs from ``population``, arrays of shape [member].
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
    population: Population | None = None
    given: Mapping[str, FloatArray] = field(default_factory=dict)
    draws: IntArray | None = None
    changes: Changes = UNCHANGED

    @property
    def members(self) -> int:
        """Number of members."""
        return len(self.ids)

    def reached(self, day: float) -> npt.NDArray[np.bool_]:
        """Members who are still in the study on a day, shape [member]."""
        return self.dropout > day

    def of(self, name: str) -> FloatArray:
        """Values of one parameter or covariate, shape [member]."""
        if name in self.names:
            return self.values[:, self.names.index(name)]
        return self.covariate_values[:, self.covariates.index(name)]


def draw(
    population: Population, n: int, *, seed: int, first: int = 0, given: Mapping[str, FloatArray] | None = None
) -> Cohort:
    """Draw ``n`` patients.

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
        as it is distributed among patients with these values.

    Raises
    ------
    InputError
        ``cohort.size``; ``cohort.bounds``: nobody is within some bounds; ``cohort.covariate``: a given value is that of
        no covariate, or out of its bounds.
    """
    if not 0 < n <= MAX_MEMBERS or not 0 <= first:
        raise InputError(
            f"a cohort cannot have {n} members from number {first} on",
            code="cohort.size",
            expected=f"1 to {MAX_MEMBERS} members, and a first number that is not negative",
        )
    return draw_members(population, np.arange(first, first + n, dtype=np.int64), seed=seed, given=given)


def draw_members(
    population: Population,
    members: IntArray,
    *,
    seed: int,
    given: Mapping[str, FloatArray] | None = None,
    draws: IntArray | None = None,
    changes: Changes = UNCHANGED,
) -> Cohort:
    """Draw the patients with some numbers, each of a population of its own if need be.

    The same number in two populations is the same patient, but for what the populations differ in.

    Parameters
    ----------
    population, seed, given
        As for `draw`.
    members
        Numbers of the members, shape [member]; each may occur once in each population.
    draws
        Number of the draw of each member's population, shape [member]; None where there is one population.
    changes
        In what the population of each member differs, arrays of shape [member].

    Raises
    ------
    InputError
        As for `draw` and `transform`.
    """
    n = len(members)
    known = {} if given is None else dict(given)
    check_given(population, known, n)
    values, kinds = _values(population, seed, members, known, changes)
    own, of_covariates = (_table(values, parts, n) for parts in (population.parameters, population.covariates))
    dropout = dropout_times(population.retention, seed, members)
    for array in (members, own, of_covariates, dropout):
        array.flags.writeable = False
    strata = [stratum.name for stratum in population.strata] or [""]
    return Cohort(
        seed=seed,
        ids=members,
        names=population.names,
        values=own,
        covariates=tuple(covariate.name for covariate in population.covariates),
        covariate_values=of_covariates,
        strata=tuple(strata[kind] for kind in kinds.tolist()),
        dropout=dropout,
        between_doses=tuple((occasion.route, occasion.sd_log) for occasion in population.occasions),
        population=population,
        given=known,
        draws=draws,
        changes=changes,
    )


def _table(values: Mapping[str, FloatArray], parts: Sequence[Parameter], n: int) -> FloatArray:
    table = np.empty((n, len(parts)))
    for column, part in enumerate(parts):
        table[:, column] = values[part.name]
    return table


def redrawn(cohort: Cohort, parameters: Sequence[Parameter], overrides: Overrides) -> dict[str, FloatArray]:
    """What the members of a cohort have under other distributions of some parameters, shape [member] each.

    They keep their coordinates, and all that is not overridden.

    Parameters
    ----------
    cohort
        Members, drawn from a population.
    parameters
        Of the model; one that the cohort does not have is the same in all.
    overrides
        By parameter.

    Raises
    ------
    InputError
        ``cohort.population``: the members were not drawn. As for `transform`.
    """
    drawn = {name: row for name, row in overrides.items() if name in cohort.names}
    alike = {name: replace(row, sd_log=0.0) for name, row in overrides.items() if name not in drawn}
    found = {}
    if alike:
        rows = Population(tuple(replace(part, spread=None) for part in parameters if part.name in alike))
        everybody = np.zeros(len(cohort.ids), dtype=np.int64)
        found = transform(rows, {}, everybody, changes=Changes(overrides=alike))
    if not drawn:
        return found
    if cohort.population is None:
        raise InputError(
            f"these people cannot have another `{next(iter(drawn))}`",
            code="cohort.population",
            found="people who were not drawn from a population",
            expected="a cohort of `draw`",
            advice="give them the values that they are to have",
        )
    changes = replace(cohort.changes, overrides=drawn)
    return found | _values(cohort.population, cohort.seed, cohort.ids, cohort.given, changes, tuple(drawn))[0]


def _values(
    population: Population,
    seed: int,
    members: IntArray,
    given: Mapping[str, FloatArray],
    changes: Changes = UNCHANGED,
    names: Collection[str] | None = None,
) -> tuple[dict[str, FloatArray], IntArray]:
    """Values of members by name, and their strata."""
    at = {
        name: uniforms(seed, f"patient: {name}", members, 1)[:, 0]
        for name in (*coordinates(population, changes.overrides, names), *([KIND] if population.strata else []))
    }
    kinds = kinds_of(population, at[KIND]) if population.strata else np.zeros(len(members), dtype=np.int64)
    return transform(population, at, kinds, changes=changes, given=given, names=names), kinds


def cohort_of(population: Population, values: FloatArray, kinds: IntArray, *, seed: int) -> Cohort:
    """Patients with given parameters as a cohort of whom nobody leaves.

    Parameters
    ----------
    population
        Their population.
    values, kinds
        Parameters in its order and units, shape [patient, parameter], and stratum of each patient.
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
        strata=tuple(names[kind] for kind in kinds.tolist()),
        dropout=np.full(len(values), np.inf),
    )


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
            what, none = f"the population has no covariate `{name}`", "none: the population has no covariates"
            raise not_among(what, name, covariates, code="cohort.covariate", none=none)
        low, high = covariates[name].bounds or (-math.inf, math.inf)
        unit_text = covariates[name].unit.text
        # Not its opposite, `outside`: NaN, which says that nothing is given, is neither below nor above.
        outside = (values < low) | (values > high) | np.isinf(values) | (values <= 0.0)
        if values.shape != (n,) or outside.any():
            raise InputError(
                f"a given value of `{name}` cannot be used",
                code="cohort.covariate",
                found=f"{values[outside][0]:g} {unit_text}" if outside.any() else f"shape {values.shape}",
                expected=f"a number from {low:g} to {high:g} {unit_text} for each of {counted(n, 'member')}",
                advice="take a population that has such people: `obese`, `renal`, or a file with wider bounds",
            )


def dropout_times(retention: Sequence[Retained], seed: int, members: IntArray) -> FloatArray:
    """Days on which members leave a study, shape [member]; infinite for those who are in it at the last visit.

    Between visits the hazard is constant, so that the expected share at each visit is the printed one. Who leaves does
    not depend on anything else: a member leaves on the same day in every arm.
    """
    chance = uniforms(seed, "dropout", members, 1)[:, 0]
    times = np.full(len(members), math.inf)
    before = Retained(0.0, 1.0)
    for after in retention:
        leaves = (chance < before.share) & (chance >= after.share)
        if leaves.any():
            passed = log(before.share / chance[leaves]) / math.log(before.share / after.share)
            times[leaves] = before.day + passed * (after.day - before.day)
        before = after
    return times


def typical(population: Population, *, seed: int = 0) -> Cohort:
    """One member, number 0, who has the typical value of everything, is of the first kind and stays in the study."""

    def alike(parts: Sequence[Parameter]) -> tuple[Parameter, ...]:
        return tuple(replace(part, spread=None) for part in parts)

    strata = tuple(replace(stratum, parameters=alike(stratum.parameters)) for stratum in population.strata[:1])
    return draw(
        replace(
            population,
            parameters=alike(population.parameters),
            covariates=alike(population.covariates),
            correlations=(),
            strata=strata,
            retention=(),
        ),
        1,
        seed=seed,
    )


def members_at(cohort: Cohort, places: IntArray | list[int]) -> Cohort:
    """The members at some places of a cohort, in that order; a place may occur several times."""
    chosen = np.asarray(places, dtype=np.int64)
    return replace(
        cohort,
        ids=cohort.ids[chosen],
        values=cohort.values[chosen],
        covariate_values=cohort.covariate_values[chosen],
        strata=tuple(cohort.strata[place] for place in chosen.tolist()),
        dropout=cohort.dropout[chosen],
        given={name: values[chosen] for name, values in cohort.given.items()},
        draws=None if cohort.draws is None else cohort.draws[chosen],
        changes=cohort.changes.of(chosen),
    )
