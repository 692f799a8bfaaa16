"""The target made of reported values: marginals as printed, and all else as in the pool."""

from __future__ import annotations

import dataclasses
from functools import cache

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.evidence.items import Evidence, Item
from simulate.evidence.kinds import MeanRange
from simulate.evidence.reading import read_evidence
from simulate.streams import FloatArray, normals
from simulate.studies.fitting.problem import problem_for
from simulate.studies.fitting.simulated_trial import protocol
from simulate.studies.virtual.patients import PatientStatistic
from simulate.studies.virtual.reported import Printed, ReportedCorrelation, ReportedMean, printed, target_for
from simulate.symbolic.units import Unit, unit

A, B, C, D = (PatientStatistic(name, 0.0) for name in "abcd")


@cache
def units() -> dict[str, Unit]:
    return {part.name: part.unit for part in problem_for("H1").model.observables}


def read(evidence: Evidence | None = None) -> Printed:
    return printed(evidence or abstract(), protocol(problem_for("H1")), units())


@cache
def abstract() -> Evidence:
    return read_evidence()


def with_statement(name: str, statement: MeanRange, unit_text: str | None = None, *, others: bool = True) -> Evidence:
    """The evidence with one item that has one reading, alone or among the others."""
    evidence = abstract()

    def changed(item: Item) -> Item:
        if item.name != name:
            return item
        subject = item.subject if unit_text is None else dataclasses.replace(item.subject, unit=unit(unit_text))
        reading = dataclasses.replace(item.readings[0], share=1.0, subject=subject, statement=statement)
        return dataclasses.replace(item, readings=(reading,))

    return Evidence(evidence.source, tuple(changed(item) for item in evidence.items if others or item.name == name))


def test_the_abstract_gives_three_levels_and_one_correlation() -> None:
    found = read()
    assert [(row.item, row.n) for row in found.levels] == [
        ("il1ra-baseline", 14),
        ("ifng-level", 8),
        ("il17a-level", 8),
    ]
    (tie,) = found.ties
    assert (tie.a.name, tie.b.name, tie.n) == ("cd45ro", "change of ck", 8)
    # R = -0.9 with the size of the decrease is +0.9 with the logarithm of the ratio.
    assert tie.rho == pytest.approx(0.9)
    assert [part.name for part in found.statistics] == ["serum_il1ra", "ifng", "il17a", "cd45ro", "change of ck"]


def test_the_likeliest_log_normal_is_on_average_the_one_that_figures_come_from() -> None:
    means: list[float] = []
    spreads: list[float] = []
    for study in range(6):
        values = np.exp(7.0 + 0.6 * normals(study, "a study of forty", np.arange(40), 1)[:, 0])
        statement = MeanRange(float(values.mean()), float(values.min()), float(values.max()), 40)
        (level,) = read(with_statement("il1ra-baseline", statement, others=False)).levels
        means.append(level.mean)
        spreads.append(np.log(level.sd / 0.6))
    # One study errs by about 0.1 in both.
    assert np.mean(means) == pytest.approx(7.0, abs=0.1)
    assert np.mean(spreads) == pytest.approx(0.0, abs=0.1)


def test_the_unit_of_the_figures_does_not_matter() -> None:
    thousandth = MeanRange(2.559, 0.467, 6.937, 14)
    level = read(with_statement("il1ra-baseline", thousandth, "ng/mL")).levels[0]
    plain = read().levels[0]
    assert level.mean == pytest.approx(plain.mean, abs=1e-6)
    assert level.sd == pytest.approx(plain.sd, abs=1e-6)


def test_evidence_without_levels_makes_no_target() -> None:
    some = abstract()
    bare = Evidence(some.source, tuple(item for item in some.items if item.name.endswith("direction")))
    with pytest.raises(InputError) as fault:
        read(bare)
    assert str(fault.value) == (
        "error[vpop.evidence]: the evidence has no mean with range at the baseline, which a virtual population could "
        "match\n"
        "  found:    2 data\n"
        '  try:      give such an item the use `datum`, kind = "mean_range" and visit_day = 0'
    )


def pool() -> FloatArray:
    root = np.array([[1.0, 0.0, 0.0, 0.0], [0.4, 0.9, 0.0, 0.0], [0.2, -0.3, 0.8, 0.0], [0.1, 0.5, 0.3, 0.7]])
    return normals(1, "a pool with correlations", np.arange(3000), 4) @ root.T


FIGURES = Printed(
    (ReportedMean(A, 0.5, 0.7, 8, "level", ""),),
    (ReportedCorrelation(B, C, 0.9, 8, "tie", ""), ReportedCorrelation(D, A, 0.2, 8, "tie", "")),
)


def test_printed_marginals_are_those_of_the_target() -> None:
    target = target_for(FIGURES, pool())
    names = list(target.names)
    at = [names.index(part) for part in "abcd"]
    correlations = target.covariance / np.outer(target.sd, target.sd)
    assert target.mean[at[0]] == pytest.approx(0.5)
    assert target.sd[at[0]] == pytest.approx(0.7)
    assert correlations[at[1], at[2]] == pytest.approx(0.9, abs=1e-9)
    assert correlations[at[3], at[0]] == pytest.approx(0.2, abs=1e-9)
    # Spreads of which nothing was printed are the pool's.
    assert target.sd[at[1:]] == pytest.approx(pool().std(axis=0)[[1, 2, 3]])


def test_what_was_not_printed_depends_as_in_the_pool() -> None:
    # The nearest normal distribution differs from the pool's in the constrained entries of the precision alone.
    names = [part.name for part in FIGURES.statistics]
    outputs = pool()[:, ["abcd".index(name) for name in names]]
    target = target_for(FIGURES, outputs)
    before = np.linalg.inv(np.cov(outputs.T, bias=True))
    difference = np.linalg.inv(target.covariance) - before
    free = np.ones((4, 4), dtype=bool)
    np.fill_diagonal(free, False)
    for first, second in (("b", "c"), ("d", "a")):
        pair = [names.index(first), names.index(second)]
        free[pair, pair[::-1]] = False
    assert np.abs(difference[free]).max() < 1e-6
    assert np.abs(difference[~free]).max() > 0.1
