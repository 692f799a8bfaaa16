"""Errors name arguments where Python asks, and options where a command line asks."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from importlib import import_module
from typing import Any

import pytest

import simulate
from simulate.cli.app import outcome
from simulate.errors import Il1simError, InputError, Where
from simulate.verbs import verbs
from simulate.wording import argument_of, say_as_python

SCENARIO = "anakinra-100mg-daily"


def functions() -> Iterator[tuple[str, Callable[..., Any], Callable[..., Any]]]:
    """Every verb that Python has as well: its name, its function of the command line, and that of Python."""
    for name, verb in verbs().items():
        if verb.api is not None:
            own = getattr(import_module(f"simulate.cli.{name.replace('-', '_')}"), verb.function)
            yield name, own, getattr(import_module(verb.api), verb.function)


def options() -> Iterator[tuple[str, str, str, tuple[str, ...]]]:
    """Verb, option without hyphens, its parameter, and the arguments of the function for Python."""
    for name, own, python in functions():
        arguments = tuple(inspect.signature(python).parameters)
        for parameter in inspect.signature(own, eval_str=True).parameters.values():
            for about in getattr(parameter.annotation, "__metadata__", ()):
                # Within an annotation the first name of an option stands where its default would.
                for text in (getattr(about, "default", ""), *(getattr(about, "param_decls", None) or ())):
                    option = str(text).partition("/")[0]
                    if option.startswith("--") and parameter.name in arguments:
                        yield name, option.removeprefix("--"), parameter.name, arguments


def test_every_option_that_python_has_as_well_is_told_as_its_argument() -> None:
    found = list(options())
    assert {"run", "sweep", "compare", "dose-response", "trial"} <= {name for name, *_ in found}
    assert len(found) > 100
    told = {(name, option): argument_of(option, arguments) for name, option, _, arguments in found}
    assert told == {(name, option): parameter for name, option, parameter, _ in found}


@pytest.mark.parametrize("argument", ["end", "every"])
def test_a_time_that_is_none_is_told_as_it_was_asked(argument: str, capsys: pytest.CaptureFixture[str]) -> None:
    times: dict[str, Any] = {argument: "5 parsecs"}
    calls = {
        "run": lambda: simulate.run(SCENARIO, **times),
        "sweep": lambda: simulate.sweep(SCENARIO, ["dose=10:100:2"], **times),
        "explore": lambda: simulate.explore(SCENARIO, **times),
        "dose-response": lambda: simulate.dose_response(SCENARIO, **times),
        "equilibria": lambda: simulate.equilibria(SCENARIO, **times),
    }
    takes = {name for name, _, python in functions() if argument in inspect.signature(python).parameters}
    assert takes & set(calls) >= {"run", "sweep", "explore"}
    expected = (
        "error[units.mismatch]: `5 parsecs` is not a time\n"
        "  --> {}, key `time." + argument + "`\n"
        '  expected: a number with a unit of time, such as "182 d" or "12 h"'
    )
    for name in sorted(takes & set(calls)):
        with pytest.raises(InputError) as caught:
            calls[name]()
        assert str(caught.value) == expected.format(f'{argument}="5 parsecs"')
    assert outcome(["run", SCENARIO, f"--{argument}", "5 parsecs"]) == 3
    assert capsys.readouterr().err.strip() == expected.format(f"--{argument} 5 parsecs")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("`--patients 200`; `simulate run` takes any number", "`patients=200`; `simulate run` takes any number"),
        (
            "choose another with --out, or replace it with --force",
            "choose another with out=, or replace it with force=",
        ),
        ("`--evidence my-evidence.toml`", '`evidence="my-evidence.toml"`'),
        ("make one: `simulate fit --evidence NAME`", "make one: `simulate fit --evidence NAME`"),
        ("`--set model.beyond_bounds=true`", '`settings={"model.beyond_bounds": True}`'),
        ("`--set f_m=0.3`", '`settings={"f_m": 0.3}`'),
        ("another --scheduler", "another --scheduler"),
        ("the model has no quantity `x --out y`", "the model has no quantity `x --out y`"),
        ("`x --out y`: give --out", "`x --out y`: give out="),
        ('there is no arm "x --out y", see --out', 'there is no arm "x --out y", see out='),
        ('a title "x --out `y`" and --force', 'a title "x --out `y`" and force='),
        ("a range a--b, or `x--out`", "a range a--b, or `x--out`"),
        ("more `--final-patients`", "more `final_patients=`"),
        ("`--arm \"40: none\" --arm '8: none'`", "`arms=\"40: none\" arms='8: none'`"),
    ],
)
def test_words_of_an_error_are_those_of_python(text: str, told: str) -> None:
    names = ("patients", "out", "force", "evidence", "settings", "final_patients", "arms")
    error = Il1simError(text, code="x", where=Where(file="a.toml", key="k"), expected=text, advice=text)
    error.found = text
    say_as_python(error, names)
    assert (error.what, error.expected, error.advice, error.found) == (told, told, told, text)
    assert error.where == Where(file="a.toml", key="k")
    again = str(error)
    say_as_python(error, names)
    assert str(error) == again


def test_the_place_of_an_error_is_told_whole_or_as_the_name_that_it_is() -> None:
    with pytest.raises(InputError) as caught:
        simulate.run(SCENARIO, regimen=["none", "100 mg by mouth daily"])
    assert caught.value.where is not None
    assert caught.value.where.file == 'regimen=["none", "100 mg by mouth daily"]'
    with pytest.raises(InputError) as caught:
        simulate.run("mine --end.toml")
    assert caught.value.where is not None
    assert caught.value.where.file == "mine --end.toml"
