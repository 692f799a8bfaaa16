"""The loop of an engine without rules calls the same names in the same way."""

from __future__ import annotations

import inspect

import pytest

from simulate.solver import events, unwatched

NAMES = [name for name, value in vars(unwatched).items() if hasattr(value, "__wrapped__") and not name.startswith("_")]


def test_the_loop_has_all_that_it_calls() -> None:
    assert {"watches", "look", "given", "act", "cut", "begin", "visit", "share_of_passing"} <= set(NAMES)


@pytest.mark.parametrize("name", NAMES)
def test_a_stand_in_is_called_like_what_it_stands_for(name: str) -> None:
    with_rules, without = (inspect.signature(getattr(module, name).__wrapped__) for module in (events, unwatched))
    assert list(without.parameters) == list(with_rules.parameters)
