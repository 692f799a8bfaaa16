from __future__ import annotations

import math

import pytest

from simulate import shipped
from simulate.biology.hypotheses import H1, H2, H3A, H4, H6, H7, H8, HYPOTHESES
from simulate.biology.options import OPTIONS
from simulate.biology.reference import parameter_table
from simulate.symbolic.parameterfile import read_sources
from simulate.symbolic.parts import Grade, Parameter
from tests.helpers.models import reference_model

TABLE = parameter_table()


def test_every_row_is_used_by_some_hypothesis_or_option_and_every_symbol_has_a_row() -> None:
    used = {
        parameter.name for hypothesis in (*HYPOTHESES, *OPTIONS) for parameter in reference_model(hypothesis).parameters
    }
    assert used == TABLE.keys()


def test_a_hypothesis_brings_its_own_parameters_and_no_others() -> None:
    base = {parameter.name for parameter in reference_model().parameters}
    brought = {
        hypothesis.name: {parameter.name for parameter in reference_model(hypothesis).parameters} - base
        for hypothesis in (H1, H2, H3A, H4, H6, H7, H8)
    }
    assert brought == {
        "H1": {"x_17", "K_17"},
        "H2": {"k_c", "x_c"},
        "H3a": {"g1", "g17"},
        "H4": {"k_in", "k_out"},
        "H6": {"y_1"},
        "H7": {"y_b"},
        "H8": {"g_mit"},
    }


def test_every_source_is_in_the_list_of_sources() -> None:
    assert {parameter.source for parameter in TABLE.values()} <= read_sources(shipped.sources_file()).keys()


def test_every_source_says_what_was_read() -> None:
    for source in read_sources(shipped.sources_file()).values():
        assert source.citation, source.key
        assert source.identifier, source.key
        assert source.read, source.key


@pytest.mark.parametrize("parameter", TABLE.values(), ids=lambda parameter: parameter.name)
def test_typical_values_lie_within_their_bounds(parameter: Parameter) -> None:
    if parameter.name == "molar_mass":
        assert parameter.bounds is None
        return
    assert parameter.bounds is not None
    low, high = parameter.bounds
    assert low < parameter.value < high


@pytest.mark.parametrize("parameter", TABLE.values(), ids=lambda parameter: parameter.name)
def test_at_least_half_of_the_patients_drawn_lie_within_bounds(parameter: Parameter) -> None:
    if parameter.spread is None or parameter.bounds is None:
        assert parameter.spread is None
        return
    low, high = (
        math.log(bound / parameter.value) / parameter.spread.sd_log if bound else -math.inf
        for bound in parameter.bounds
    )
    inside = (math.erf(high / math.sqrt(2)) - math.erf(low / math.sqrt(2))) / 2
    assert inside > 0.5


def test_a_row_without_a_publication_is_not_graded_as_read() -> None:
    for parameter in TABLE.values():
        if parameter.source in ("assumption", "this-model", "recalled"):
            assert parameter.grade is not Grade.READ, parameter.name
        if parameter.source == "recalled":
            assert parameter.grade is Grade.RECALLED, parameter.name
        if parameter.source == "assumption":
            assert parameter.grade is Grade.ASSUMED, parameter.name
