"""Files that are nearly right: each is read, or refused with an error of input, within its time and memory."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import pytest

from simulate import shipped
from simulate.regimen.words import parse_regimen
from simulate.studies.checks import check_file
from simulate.studies.fitting.posterior import read_posterior
from simulate.studies.settings import parse_setting
from simulate.symbolic.grammar import parse_expression
from simulate.symbolic.units import parse_quantity
from tests.faults.small import MODEL, SCENARIO
from tests.fuzz.budget import SEED, generator, inputs, verdict

resource = pytest.importorskip("resource", reason="limits of time and memory are those of POSIX")

ROOT = Path(shipped.__file__).resolve().parent.parent / "parameters"

DOSES = """\
ID,TIME,AMT,RATE,II,ADDL,EVID,SS,ALAG,CMT,WT
1,0,100,0,24,3,1,0,0,sc,70
1,100,50,10,0,0,1,0,0.5,iv,70
1,120,0,0,0,0,3,0,0,1,70
1,130,25,0,12,2,4,0,0,sc,70
2,0,100,0,24,6,1,0,0,sc,81.5
2,500,100,0,24,0,1,1,0,sc,81.5
2,510,0,0,0,0,0,0,0,1,81.5
"""
SWEEP = """\
schema = 1
title = "doses"
scenario = "scenario.toml"
[settings]
cohort.patients = 2
[[axis]]
over = "k"
from = "0.1 1/d"
to = "1 1/d"
count = 3
spacing = "log"
[[axis]]
over = "dose"
values = ["1 mg", "2 mg"]
[outputs]
at = ["0 d", "2 d"]
"""
RICH = """\
[model]
title = "cells that a drug kills"
[parameters]
k_drug = "8 h**-1"
B_0 = { value = 120, unit = "cell/µL", spread = { cv = 0.3 }, bounds = [20, 400], source = "x", grade = "assumed" }
k_kill = { value = 0.02, unit = "1/(nM d)" }
per_mass = { value = 1.5, unit = "nM/mg" }
K = "3 nM"
[species.B]
unit = "cell/µL"
initial = "B_0"
[species.C]
unit = "nM"
[definitions.effect]
unit = "1"
expression = "hill(C, K, 1.5) + exp(-t/t_0)*min(C/K, 2)"
[parameters.t_0]
value = 2
unit = "d"
[balances.influx]
unit = "cell/µL/d"
steady = "B"
reason = "the cells would have to be removed"
[reactions.production]
rate = "influx*(1 + effect)"
change = { B = 1 }
[reactions.loss]
rate = "(0.05/t_0 + k_kill*C)*B"
change = { B = -1 }
[reactions.elimination]
rate = "k_drug*C"
change = { C = -1 }
[routes.iv]
drug = "drug"
target = "C"
unit = "mg"
gain = "per_mass"
[observables.relative]
unit = "%"
expression = "B/at_baseline(B)"
[conditions.high]
expression = "B_0 - 1"
reason = "too few"
"""

NUMBERS = (
    *("0", "-0", "-1", "1e400", "-1e400", "nan", "inf", "-inf", "1e308", "1e-320", "9" * 30, "9" * 5000),
    *("0x" + "f" * 400, "1e-400", "0.1", "1/3", "1,000", "true", '""', "[]", "{}", "2147483648"),
    *("9223372036854775808", "1e9", "999999999"),
)
UNITS = (
    *("nM", "mg", "kg", "h", "d", "s", "1/d", "%", "1", "cell/µL", "nM**12", "mM", "furlong", "degC", "G", "dB"),
    *("Ym**12", "electron_g_factor"),
)
SCRAPS = (
    *("[", "]", "{", "}", '"', "'", '"' * 3, "#", "=", ".", ",", "\n", "\0", "\x1b[31m", "\ufeff", "\u202e", "("),
    *(")", "*", "**", "é", "\ud7ff", "\U0001f600", "[[", "]]", "exp(", "hill(", "1e400", "nan", " and ", " then "),
    *("reset", "lag 3 h", "%"),
)


def mutated(text: str, random: random.Random) -> str:
    """A text after one to four changes."""
    for _ in range(random.randint(1, 4)):
        text = random.choice(CHANGES)(text, random) or "x"
    return text


def _spot(text: str, random: random.Random, pattern: str) -> tuple[int, int] | None:
    import re

    found = [match.span() for match in re.finditer(pattern, text)]
    return random.choice(found) if found else None


def _number(text: str, random: random.Random) -> str:
    at = _spot(text, random, r"[-+]?\d+(\.\d+)?([eE][-+]?\d+)?")
    return text if at is None else text[: at[0]] + random.choice(NUMBERS) + text[at[1] :]


def _unit(text: str, random: random.Random) -> str:
    at = _spot(text, random, r"\b(nM|mg|kg|h|d|cell/µL|1/d|h\*\*-1|%)(?=[\" ])")
    return text if at is None else text[: at[0]] + random.choice(UNITS) + text[at[1] :]


def _word(text: str, random: random.Random) -> str:
    """A word in the place of another, or renamed, or left out."""
    one, other = _spot(text, random, r"\w+"), _spot(text, random, r"\w+")
    if one is None or other is None:
        return text
    new = random.choice([text[slice(*other)], text[slice(*one)] + "x", "", "t", "X" * random.choice([3, 101, 5000])])
    return text[: one[0]] + new + text[one[1] :]


def _lines(text: str, random: random.Random) -> str:
    """Lines dropped, doubled, moved or shuffled."""
    lines = text.split("\n")
    one, other = random.randrange(len(lines)), random.randrange(len(lines))
    kind = random.randrange(4)
    if kind == 0:
        del lines[one]
    elif kind == 1:
        lines.insert(other, lines[one])
    elif kind == 2:
        lines[one], lines[other] = lines[other], lines[one]
    else:
        first, last = sorted((one, other))
        part = lines[first:last]
        random.shuffle(part)
        lines[first:last] = part
    return "\n".join(lines)


def _scrap(text: str, random: random.Random) -> str:
    at = random.randrange(len(text) + 1)
    return text[:at] + random.choice(SCRAPS) * random.choice([1, 1, 1, 2, 40, 3000]) + text[at:]


def _cut(text: str, random: random.Random) -> str:
    first, last = sorted(random.randrange(len(text) + 1) for _ in range(2))
    return text[:first] + text[min(last, first + 200) :] if random.random() < 0.8 else text[:last]


def _character(text: str, random: random.Random) -> str:
    at = random.randrange(len(text))
    return text[:at] + chr(random.choice([random.randrange(32, 127), random.randrange(1, 0x2FF)])) + text[at + 1 :]


CHANGES: tuple[Callable[[str, random.Random], str], ...] = (
    *(_number, _number, _unit, _word, _word, _lines, _lines, _scrap, _cut, _character),
)

FILES = {
    f"{kind}/{path.name}": path.read_text(encoding="utf-8")
    for kind, ending in (
        *(("scenarios", "toml"), ("models", "toml"), ("populations", "toml"), ("measurements", "toml")),
        *(("observations", "toml"), ("pharmacokinetics", "toml"), (".", "toml"), ("fit", "json")),
    )
    for path in sorted((ROOT / kind).glob(f"*.{ending}"))
    if kind != "." or path.stat().st_size < 20_000
}
SMALL = {"scenario.toml": SCENARIO, "model.toml": MODEL, "rich.toml": RICH, "doses.csv": DOSES, "sweep.toml": SWEEP}
TEXTS: dict[str, tuple[Callable[[str], object], tuple[str, ...]]] = {
    "regimen": (
        parse_regimen,
        (
            "200 mg iv over 2 h and 100 mg sc every 24 h from 1 d until 14 d",
            "100 mg sc daily lag 30 min until 90 d and reset at 180 d then 50 mg sc daily for 4 wk missing 10 %",
            "100 mg sc every 8 h x 28; pause from 3 d to 5 d; stop at 90 d; restart at 120 d; until 360 d",
        ),
    ),
    "expression": (
        parse_expression,
        ("k*X**2/(K**n + X**n) - min(t, 3, exp(-k*t))*tanh(X)", "hill(X, K, 1.5)*at_baseline(B)/sqrt(2*log(3 + X))"),
    ),
    "setting": (parse_setting, ('arm.treated.regimen="1 mg iv"', "outputs.quantities=['ifng', 'il17a']", "f_m=0.3")),
    "quantity": (parse_quantity, ("100 mg", "0.17 1/h", "3e-2 L/(nmol d)", "12 cell/µL/d", "5 %")),
}


def tried(folder: Path, number: int) -> tuple[str, str, str]:
    """Name, text and verdict of an input."""
    random = generator("mutation", number)
    kind = random.randrange(10)
    if kind < 3:
        name = random.choice(list(TEXTS))
        read, texts = TEXTS[name]
        text = mutated(random.choice(texts), random)
        return name, text, verdict(lambda: read(text))
    if kind < 8:
        name, text = random.choice(list(SMALL.items()))
        for other, sound in SMALL.items():
            (folder / other).write_text(sound, encoding="utf-8")
    else:
        name, text = random.choice(list(FILES.items()))
    text = mutated(text, random)
    content = text.encode("utf-8", "surrogatepass")
    if random.random() < 0.1:
        at = random.randrange(len(content) + 1)
        content = content[:at] + bytes([random.randrange(256)]) + content[at + random.randrange(2) :]
    path = folder / Path(name).name
    path.write_bytes(content)
    if path.suffix == ".json":
        return name, text, verdict(lambda: read_posterior(path))
    if path.name == "model.toml" and random.random() < 0.5:
        path = folder / "scenario.toml"
    return name, text, verdict(lambda: check_file(path))


def test_a_spoiled_file_is_read_or_refused_within_its_time_and_memory(tmp_path: Path) -> None:
    found: Counter[str] = Counter()
    for number in inputs(at_least=20):
        name, text, what = tried(tmp_path, number)
        found[what] += 1
        assert not what.startswith("FAULT"), f"IL1SIM_FUZZ_SEED={SEED}, input {number}, {name}: {what}\n\n{text[:3000]}"
    print(f"{found.total()} spoiled files and texts, {found['accepted']} accepted, {len(found) - 1} kinds of error")
    assert found.total() > found["accepted"]
