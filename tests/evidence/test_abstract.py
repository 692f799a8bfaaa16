"""The shipped evidence: every statement of the abstract, its numbers as printed, and external findings kept apart."""

from __future__ import annotations

import pytest

from simulate.biology.reference import reference_model
from simulate.evidence.items import Item, Standing, Use
from simulate.evidence.kinds import Correlation, Count, Direction, Mean, MeanRange, Protocol, PValue
from simulate.evidence.reading import external_file, read_evidence, shipped_doubts
from simulate.shipped import sources_file
from simulate.symbolic.parameterfile import read_sources

ABSTRACT = read_evidence()
EXTERNAL = read_evidence(external_file())

# Numbers of each sentence of the abstract, copied from it by hand.
PRINTED: dict[str, set[float]] = {
    "Background, sentence 1": set(),
    "Background, sentence 2": {7, 15},
    "Background, sentence 3": set(),
    "Background, sentence 4": set(),
    "Background, sentence 5": set(),
    "Methods, sentence 1": {15, 100},
    "Methods, sentence 2": set(),
    "Methods, sentence 3": set(),
    "Methods, sentence 4": set(),
    "Methods, sentence 5": set(),
    "Methods, sentence 6": set(),
    "Results, sentence 1": {14, 2559, 467, 6937, 354, 11, 839},
    "Results, sentence 2": {10, 14, 19571, 19572, 18844, 0.005},
    "Results, sentence 3": {8, 6, 3},
    "Results, sentence 4": {-0.9, 0.001},
    "Results, sentence 5": {1.1, 0.08, 4.96, 0.16, 0.03, 0.4, 2, 3},
    "Conclusions, sentence 1": set(),
    "Conclusions, sentence 2": set(),
    "Conclusions, sentence 3": set(),
}

each_item = pytest.mark.parametrize("item", [*ABSTRACT.items, *EXTERNAL.items], ids=lambda item: item.name)


def test_each_sentence_of_the_abstract_has_an_item_and_each_item_its_sentence() -> None:
    assert list(dict.fromkeys(item.location for item in ABSTRACT.items)) == list(PRINTED)


@each_item
def test_an_item_has_a_known_source_and_says_why_it_is_in_doubt(item: Item) -> None:
    assert item.source in read_sources(sources_file())
    assert item.standing is Standing.REPORTED or item.note
    assert sum(reading.share for reading in item.readings) == pytest.approx(1.0)
    assert item.doubt == shipped_doubts()[item.standing]


def figures(item: Item) -> list[float]:
    """Numbers that the source printed as such."""
    match item.statement:
        case MeanRange(mean=mean, low=low, high=high):
            return [mean, low, high]
        case Correlation(r=r, p=p):
            return [r, p or 0.0]
        case PValue(p=p):
            return [p]
        case Direction(count=int(count), n=n):
            return [count, n]
        case Count(count=count, parts=parts):
            return [count, *parts]
        case Protocol(mean=float(mean)):
            return [mean]
        case _:
            return []


@pytest.mark.parametrize("item", [item for item in ABSTRACT.items if figures(item)], ids=lambda item: item.name)
def test_the_figures_of_an_item_are_in_its_sentence(item: Item) -> None:
    assert item.location is not None
    assert set(figures(item)) <= PRINTED[item.location]


@pytest.mark.parametrize("location", PRINTED)
def test_no_number_of_a_sentence_is_left_out(location: str) -> None:
    items = [item for item in ABSTRACT.items if item.location == location]
    kept = {number for item in items for number in (*figures(item), item.statement.n)}
    assert PRINTED[location] <= kept


@pytest.mark.parametrize(
    "item", [item for item in ABSTRACT.data if item.name != "response"], ids=lambda item: item.name
)
def test_figures_are_in_a_unit_of_the_observable(item: Item) -> None:
    observables = {observable.name: observable for observable in reference_model().observables}
    assert item.subject.quantity in observables
    if isinstance(item.statement, MeanRange):
        assert item.subject.unit.dimension == observables[item.subject.quantity].unit.dimension


def test_a_range_that_contradicts_itself_is_kept_as_printed_and_not_fitted() -> None:
    item = ABSTRACT["il1ra-on-drug"]
    assert item.standing is Standing.DISPUTED
    assert isinstance(item.statement, MeanRange)
    assert (item.statement.mean, item.statement.low, item.statement.high) == (19571.0, 19572.0, 18844.0)
    assert [type(reading.statement).__name__ for reading in item.readings] == ["Mean", "Ceiling"]
    assert isinstance(item.readings[0].statement, Mean)


def test_what_is_fitted_is_what_the_trial_found() -> None:
    assert [item.name for item in ABSTRACT.data] == [
        "response",
        "il1ra-baseline",
        "il1ra-on-drug",
        "il1ra-rise-p",
        "cd45ro-ck-correlation",
        "ifng-level",
        "ifng-direction",
        "il17a-level",
        "il17a-direction",
    ]
    assert ABSTRACT["il1ra-healthy"].use is Use.PRIOR


def test_external_findings_are_checks_and_never_data() -> None:
    assert EXTERNAL.data == ()
    assert len(EXTERNAL.checks) == len(EXTERNAL.items) == 3
    nobody = [item.statement for item in EXTERNAL.items if isinstance(item.statement, Count)]
    assert [(count.count, count.n) for count in nobody] == [(0, 4), (0, 5)]


def test_both_readings_of_two_in_three_are_kept() -> None:
    alone, both = ABSTRACT["il17a-direction"].readings
    assert (alone.statement, both.statement) == (
        Direction("down", 3, "count", 2),
        Direction("down", 3, "count", 2, "ifng", "up"),
    )
    assert alone.subject.group == both.subject.group == "responders"


def test_levels_without_a_visit_are_read_at_either_visit_and_at_both() -> None:
    readings = ABSTRACT["ifng-level"].readings
    assert [(reading.subject.days, reading.statement.n) for reading in readings] == [
        ((0.0,), 8),
        ((182.0,), 6),
        ((0.0, 182.0), 14),
    ]
