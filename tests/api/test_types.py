"""An argument of another type is refused by every function alike, with what was given and what was expected."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xarray as xr

import simulate
from simulate.api import arguments
from simulate.api.types import ALIASES, check_types, kinds_of, plain
from simulate.errors import InputError
from simulate.verbs import verbs

FUNCTIONS = [
    getattr(import_module(verb.api), verb.word.replace("-", "_")) for verb in verbs().values() if verb.api is not None
]


DATASET = xr.Dataset()
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
        ({"figures": 2}, "2 (int)", "True or False", None),
        ({"hypothesis": ["H1", "H4"]}, "['H1', 'H4'] (list)", "a text, or None",
         "`simulate.side_by_side(scenario, ['H1', 'H4'])` takes several"),
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
    given = {
        "patients": np.int64(3),
        "rtol": np.float64(1e-6),
        "dropout": np.True_,
        "figures": 0,
        "quantities": np.array(["ifng"]),
    }
    check_types("run", parameters, {**given, "scenario": Path("a.toml"), "vary": {"cv": 1}})
    with pytest.raises(InputError):
        check_types("run", parameters, {"patients": np.True_})


@pytest.mark.parametrize(
    ("given", "annotation", "known"),
    [
        (np.int64(3), "int | None", 3),
        (np.array(3), "int | None", 3),
        (np.float32(0.5), "float", 0.5),
        (np.True_, "bool", True),
        ({"cv": np.float32(0.5)}, "Mapping[str, float] | None", {"cv": 0.5}),
        ({"patients.seed": np.int64(4)}, "Settings", {"patients.seed": 4}),
        (np.array("ifng"), "Sequence[str] | None", "ifng"),
        (iter(["ifng"]), "Sequence[str] | None", ("ifng",)),
        (iter(["a"]), "FitNames", ("a",)),
        (Path("a.toml"), "str | None", "a.toml"),
        (["H1", Path("a.toml")], "Sequence[str]", ["H1", "a.toml"]),
        (Path("a"), "str | Path", Path("a")),
        (Path("a"), "TrialNames", Path("a")),
        (Path("a"), "Literal['a', 'b']", Path("a")),
        (np.add, "Progress", np.add),
        (DATASET, "str | Path | xr.Dataset", DATASET),
    ],
)  # fmt: skip
def test_what_other_libraries_and_paths_give_is_what_functions_know(given: Any, annotation: str, known: Any) -> None:
    found = plain(given, annotation)
    assert found is known or (found, type(found)) == (known, type(known))


def test_numbers_of_numpy_paths_and_what_is_read_once_decide_as_others_do(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text('[hypothesis]\nname = "mine"\ntitle = "nothing else"\n', encoding="utf-8")
    asked = [
        {"patients": 2, "seed": 4, "quantities": ["il17a"], "hypothesis": str(file), "vary": {"cv": 0.25}},
        {
            "patients": np.int64(2), "seed": np.uint8(4), "quantities": (name for name in ["il17a"]),
            "hypothesis": file, "vary": {"cv": np.float32(0.25)},
        },
    ]  # fmt: skip
    found = [simulate.run("untreated", end="1 d", **one) for one in asked]
    assert found[0].identical(found[1])


def test_aliases_are_those_of_the_arguments() -> None:
    told = {name: kinds_of(name) for name in ALIASES}
    for name in ("TrialNames", "FitNames"):
        own = str(getattr(arguments, name)).replace("pathlib.", "").replace("collections.abc.", "")
        assert ALIASES[name] == own
    assert all(kinds is not None for kinds in told.values())


@pytest.mark.parametrize(
    ("arguments", "named", "told"),
    [
        (
            ("untreated",),
            {"hypotesis": "H1"},
            "simulate.run: got an unexpected keyword argument 'hypotesis'; did you mean `hypothesis`?",
        ),
        (("untreated",), {"zzz": 1}, "simulate.run: got an unexpected keyword argument 'zzz'"),
        ((), {}, "simulate.run: missing a required argument: 'scenario'"),
    ],
)
def test_an_argument_that_is_not_there_is_told_with_the_function_and_the_nearest(
    arguments: tuple[str, ...], named: dict[str, object], told: str
) -> None:
    with pytest.raises(TypeError) as caught:
        simulate.run(*arguments, **named)  # type: ignore[arg-type]
    assert str(caught.value) == told


@pytest.mark.parametrize(
    ("function", "arguments", "advice"),
    [
        (simulate.compare, ("H1", "H2"), "; `hypotheses` takes several in one list: ['H1', 'H2']"),
        (simulate.contrast, ("H1", Path("mine.toml")), "; `hypotheses` takes several in one list: ['H1', 'mine.toml']"),
        (simulate.compare, ("H1", 2), ""),
        (simulate.run, ("untreated", "H1"), ""),
    ],
)
def test_several_where_one_list_is_taken_are_told_to_stand_in_it(
    function: Callable[..., object], arguments: tuple[object, ...], advice: str
) -> None:
    with pytest.raises(TypeError) as caught:
        function(*arguments)
    assert str(caught.value) == f"simulate.{function.__name__}: too many positional arguments{advice}"
