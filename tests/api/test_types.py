"""An argument of another type is refused by every function alike, with what was given and what was expected."""

from __future__ import annotations

import inspect
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulate
from simulate.api import arguments
from simulate.api.types import ALIASES, check_types, kinds_of
from simulate.errors import InputError
from simulate.verbs import verbs

FUNCTIONS = [
    getattr(import_module(verb.api), verb.word.replace("-", "_")) for verb in verbs().values() if verb.api is not None
]


MAPPING = 'a mapping of names to {}, such as {{"name": 0.3}}'


@pytest.mark.parametrize(
    ("given", "found", "expected", "advice"),
    [
        ({"scenario": 3}, "3 (int)", "a text, or a path", None),
        ({"patients": "10"}, "'10' (str)", "a whole number, or None", "leave the quotation marks out"),
        ({"patients": 10.0}, "10.0 (float)", "a whole number, or None", None),
        ({"patients": True}, "True (bool)", "a whole number, or None", None),
        ({"quantities": 5}, "5 (int)", "a list of texts, or None", None),
        ({"quantities": ["ifng", 5]}, "['ifng', 5] (list)", "a list of texts, or None", None),
        ({"vary": 0.3}, "0.3 (float)", f"{MAPPING.format('numbers')}, or None", None),
        ({"vary": {"cv": "x"}}, "{'cv': 'x'} (dict)", f"{MAPPING.format('numbers')}, or None", None),
        ({"settings": "f=1"}, "'f=1' (str)", f"{MAPPING.format('values')}, a list of values, or None", None),
        ({"end": 7}, "7 (int)", "a text, or None", None),
        ({"figures": "no"}, "'no' (str)", "True or False", None),
        ({"out": 1}, "1 (int)", "a text, a path, or None", None),
        ({"progress": None}, "None (NoneType)", "a function", None),
    ],
)  # fmt: skip
def test_an_argument_of_another_type_is_refused(
    given: dict[str, Any], found: str, expected: str, advice: str | None
) -> None:
    with pytest.raises(InputError) as caught:
        simulate.run(**{"scenario": "untreated", **given})
    name = next(iter(given))
    assert str(caught.value) == (
        f"error[argument.type]: the argument `{name}` of `simulate.run` is not what it can be\n  found:    {found}\n"
        f"  expected: {expected}\n  try:      {advice or '`help(simulate.run)` says what it means'}"
    )


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_no_function_of_a_verb_meets_a_type_that_it_does_not_know(function: Any) -> None:
    """What is neither text, number, list, mapping, function nor None is refused before anything else."""
    parameters = inspect.signature(function).parameters
    judged = [name for name, one in parameters.items() if kinds_of(str(one.annotation)) is not None]
    needed = {name: object() for name, one in parameters.items() if one.default is one.empty}
    assert len(judged) >= len(parameters) - 1
    for name in judged:
        with pytest.raises(InputError, match=r"^error\[argument.type\]: the argument `"):
            function(**{**needed, name: object()})


@pytest.mark.parametrize("function", FUNCTIONS, ids=lambda function: function.__name__)
def test_defaults_are_what_their_annotations_say(function: Any) -> None:
    parameters = inspect.signature(function).parameters
    given = {name: one.default for name, one in parameters.items() if one.default is not one.empty}
    check_types(function.__name__, parameters, given)
    assert given


def test_numbers_and_lists_of_numpy_are_numbers_and_lists() -> None:
    parameters = inspect.signature(simulate.run).parameters
    given = {"patients": np.int64(3), "rtol": np.float64(1e-6), "dropout": np.True_, "quantities": np.array(["ifng"])}
    check_types("run", parameters, {**given, "scenario": Path("a.toml"), "vary": {"cv": 1}})
    with pytest.raises(InputError):
        check_types("run", parameters, {"patients": np.True_})


def test_aliases_are_those_of_the_arguments() -> None:
    told = {name: kinds_of(name) for name in ALIASES}
    for name in ("TrialNames", "FitNames"):
        own = str(getattr(arguments, name)).replace("pathlib.", "").replace("collections.abc.", "")
        assert ALIASES[name] == own
    assert all(kinds is not None for kinds in told.values())
