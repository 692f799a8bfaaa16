"""Inputs that grow: work and memory grow with the length of what is written, or the input is refused with its limit."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from simulate.cli.app import outcome
from simulate.errors import Il1simError
from simulate.files import parse_json, parse_toml
from simulate.kernels.build import build
from simulate.kernels.system import lower
from simulate.regimen.words import parse_regimen
from simulate.studies.checks import check_file
from simulate.studies.models import find_model, hypothesis_parts
from simulate.studies.settings import parse_setting
from simulate.symbolic.grammar import parse_expression
from simulate.symbolic.modelfile import read_model
from simulate.symbolic.units import unit
from tests.faults.small import MODEL, SCENARIO
from tests.fuzz.budget import CPU_SECONDS, MEGABYTES, PARTS, SECONDS, TooLong, limited, peak_megabytes

resource = pytest.importorskip("resource", reason="limits of time and memory are those of POSIX")

FAIREST = 3.0
"""Times more work for twice as much text that is still taken for linear: 2 with a half for noise. The square has 4."""
SMALLEST = 32
"""The first size, at which what grows exponentially has no end."""
FROM = 0.2
"""Seconds below which a factor says nothing."""

Family = Callable[[Path, int], Callable[[], object]]


def _model(text: Callable[[int], str]) -> Family:
    """A model, checked, and where that is passed lowered to source, as a run would."""

    def prepared(folder: Path, n: int) -> Callable[[], object]:
        path = folder / "model.toml"
        path.write_text(text(n), encoding="utf-8")
        return lambda: build(lower(read_model(path).compose())).stiff_source()

    return prepared


def _checked(name: str, text: Callable[[int], str]) -> Family:
    def prepared(folder: Path, n: int) -> Callable[[], object]:
        (folder / "model.toml").write_text(MODEL, encoding="utf-8")
        (folder / "scenario.toml").write_text(SCENARIO, encoding="utf-8")
        (folder / name).write_text(text(n), encoding="utf-8")
        return lambda: check_file(folder / name)

    return prepared


def _read(read: Callable[[str], object], text: Callable[[int], str]) -> Family:
    def prepared(folder: Path, n: int) -> Callable[[], object]:
        written = text(n)
        return lambda: read(written)

    return prepared


def _toml(text: str) -> object:
    return parse_toml(text, "x.toml").where("nothing")


def _json(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse_json(text)


def _said(*arguments: str) -> int:
    """A command line; its fault, 1, is no answer."""
    code = outcome(list(arguments))
    assert code != 1
    return code


def _chain(step: str, start: str = "X") -> Callable[[int], str]:
    def text(n: int) -> str:
        steps = "".join(
            f'[definitions.d{i}]\nexpression = "{step.replace("#", f"d{i - 1}")}"\n' for i in range(1, n + 1)
        )
        plain = MODEL.replace('unit = "mg"\nmeaning', 'unit = "1"\nmeaning').replace('"k*X"', f'"k*X/(2 + d{n})"')
        return f'{plain}\n[definitions.d0]\nexpression = "{start}"\n{steps}'

    return text


def _many(kind: str) -> Callable[[int], str]:
    def text(n: int) -> str:
        numbers = range(n)
        if kind == "states":
            return '[parameters]\nk = "1 1/d"\n' + "".join(
                f'[species.X{i}]\nunit = "1"\n[reactions.r{i}]\nrate = "k*X{i}"\nchange = {{ X{i} = -1 }}\n'
                for i in numbers
            )
        if kind == "reactions":
            return MODEL + "".join(
                f'[reactions.r{i}]\nrate = "k*X/{i + 2}"\nchange = {{ X = {i % 3 - 1}.5 }}\n' for i in numbers
            )
        if kind == "parameters":
            used = "".join(f'[reactions.r{i}]\nrate = "p{i}*X"\nchange = {{ X = -1 }}\n' for i in numbers)
            return MODEL.replace("[species", "".join(f'p{i} = "0.{i + 1} 1/d"\n' for i in numbers) + "[species") + used
        if kind == "terms":
            return MODEL.replace('"k*X"', f'"k*({" + ".join(f"X/{i + 2}" for i in numbers)})"')
        if kind == "observables":
            return MODEL + "".join(f'[observables.o{i}]\nunit = "mg"\nexpression = "X*{i + 1}"\n' for i in numbers)
        return MODEL + "".join(f'[routes.r{i}]\ntarget = "X"\nunit = "mg"\ngain = {i + 1}\n' for i in numbers)

    return text


FAMILIES: dict[str, Family] = {
    "states": _model(_many("states")),
    "reactions": _model(_many("reactions")),
    "parameters": _model(_many("parameters")),
    "terms of a sum": _model(_many("terms")),
    "observables": _model(_many("observables")),
    "routes": _model(_many("routes")),
    "chain of exp and hill": _model(_chain("exp(-#) + hill(#, 1, 3)")),
    "chain of sums": _model(_chain("# + #*#")),
    "chain of numbers": _model(_chain("# + #*#", "3")),
    "chain of tanh": _model(_chain("tanh(1 + #)")),
    "chain of min": _model(_chain("min(#, 3 - #)")),
    "chain of used once": _model(_chain("1 + 2*#")),
    "brackets of an expression": _read(parse_expression, lambda n: "(" * n + "x" + ")" * n),
    "signs of an expression": _read(parse_expression, lambda n: "-" * n + "x"),
    "powers of an expression": _read(parse_expression, lambda n: "x" + "**x" * n),
    "terms of an expression": _read(parse_expression, lambda n: "+".join(f"x{i}" for i in range(n))),
    "factors of an expression": _read(parse_expression, lambda n: "*".join(f"x{i}" for i in range(n))),
    "functions of a number": _read(parse_expression, lambda n: "exp(-" * n + "1" + ")" * n),
    "digits": _read(parse_expression, lambda n: "9" * n),
    "length of a unit": _read(unit, lambda n: "mg " * n),
    "parts of a key": _read(_toml, lambda n: ".".join(["a"] * n) + " = 1"),
    "parts of a header": _read(_toml, lambda n: "[" + ".".join(["a"] * n) + "]"),
    "length of a key": _read(_toml, lambda n: "a" * n + " = 1"),
    "keys": _read(_toml, lambda n: "".join(f"a{i} = 1\n" for i in range(n))),
    "tables": _read(_toml, lambda n: "".join(f"[a.b{i}]\nc = 1\n" for i in range(n))),
    "array of tables": _read(_toml, lambda n: "[[a]]\nc = 1\n" * n),
    "brackets of a file": _read(_toml, lambda n: "a = " + "[" * n + "]" * n),
    "braces of a file": _read(_toml, lambda n: "a = " + "{a = " * n + "1" + "}" * n),
    "brackets of a setting": _read(parse_setting, lambda n: "a=" + "[" * n + "]" * n),
    "brackets of JSON": _read(_json, lambda n: "[" * n + "]" * n),
    "keys of JSON": _read(parse_json, lambda n: "{" + ",".join(f'"a{i}":1' for i in range(n)) + "}"),
    "courses": _read(parse_regimen, lambda n: " and ".join(["1 mg iv at 1 d"] * n)),
    "clauses": _read(parse_regimen, lambda n: "1 mg iv daily until 9 d" + " pause from 3 d to 4 d" * n),
    "digits of a dose": _read(parse_regimen, lambda n: "9" * n + " mg iv"),
    "arms": _checked(
        "scenario.toml",
        lambda n: SCENARIO + "".join(f'[[arm]]\nname = "a{i}"\nregimen = "{i + 1} mg iv"\n' for i in range(n)),
    ),
    "visits": _checked("scenario.toml", lambda n: SCENARIO.replace('"4 d"', '"4 d"\nvisits = [' + '"1 d", ' * n + "]")),
    "quantities": _checked(
        "scenario.toml",
        lambda n: SCENARIO + "[outputs]\nquantities = [" + ", ".join(f'"X{i}"' for i in range(n)) + "]\n",
    ),
    "settings": _read(
        lambda text: _said("run", "untreated", *(f"--set=a{word}=1" for word in text.split())),
        lambda n: " ".join(map(str, range(n))),
    ),
    "a verb": _read(lambda text: _said(text), lambda n: "x" * n),
    "a hypothesis": _read(
        lambda text: find_model(None, hypothesis_parts(text)), lambda n: "+".join(["H1", "H3a", "H4"] * n)
    ),
}


def growth(
    family: Family,
    folder: Path,
    *,
    seconds: float,
    largest: int = 100_000,
    most: float = CPU_SECONDS,
    noise: float = FROM,
) -> str:
    """What is wrong with a family when its size is doubled again and again; empty if nothing is.

    Parameters
    ----------
    seconds, largest
        When to stop doubling.
    most
        Time of the processor that one size may take.
    noise
        Time below which a factor says nothing.
    """
    memory, before = peak_megabytes(), 0.0
    until = time.monotonic() + seconds
    n = SMALLEST
    while n <= largest and (time.monotonic() < until or n == SMALLEST):
        act = family(folder, n)
        began = time.process_time()
        try:
            with limited(most):
                act()
        except Il1simError as error:
            str(error)
        except TooLong as stop:
            return f"size {n}: longer than {most:g} s, in\n{stop}"
        took = time.process_time() - began
        if peak_megabytes() - memory > MEGABYTES:
            return f"size {n}: {peak_megabytes() - memory:.0f} MB"
        if before > noise and took > FAIREST * before:
            # Once is noise: the faster of two is the size's own.
            began = time.process_time()
            with limited(most), contextlib.suppress(Il1simError):
                act()
            took = min(took, time.process_time() - began)
            if took > FAIREST * before:
                return f"size {n}: {took:.2f} s, half of it {before:.2f} s"
        if took > most / 2:
            break
        before, n = took, 2 * n
    return ""


@pytest.mark.parametrize("name", FAMILIES)
def test_work_and_memory_grow_no_faster_than_the_text(
    tmp_path: Path, name: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert growth(FAMILIES[name], tmp_path, seconds=SECONDS / PARTS / len(FAMILIES)) == ""


def test_growth_with_the_square_and_without_an_end_is_found(tmp_path: Path) -> None:
    def squared(_: Path, n: int) -> Callable[[], object]:
        return lambda: [0 for _ in range(n) for _ in range(n)]

    def endless(_: Path, n: int) -> Callable[[], object]:
        def act() -> None:
            while True:
                pass

        return act

    assert "half of it" in growth(squared, tmp_path, seconds=20.0, noise=0.02)
    assert "longer than" in growth(endless, tmp_path, seconds=1.0, most=0.2)
