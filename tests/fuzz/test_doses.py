"""Random tables of doses and prescriptions in words, against closed forms that share nothing with the program.

The model is linear, from a depot to the central part: what every dose leaves adds up, and each has a closed form
(M. Gibaldi, D. Perrier, Pharmacokinetics, 2nd ed. 1982). It is compiled once; only what is given varies.
"""

from __future__ import annotations

import math
import random
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest

from simulate.api.simulating import run
from tests.fuzz.budget import SEED, generator, inputs

KA, KE = 1.7, 0.6
END, EVERY = 9.25, 0.37

MODEL = f"""\
[parameters]
ka = "{KA} 1/d"
ke = "{KE} 1/d"

[species.D]
unit = "mg"

[species.C]
unit = "mg"

[reactions.absorption]
rate = "ka*D"
change = {{ D = -1, C = 1 }}

[reactions.elimination]
rate = "ke*C"
change = {{ C = -1 }}

[routes.sc]
target = "D"
unit = "mg"
gain = 1

[routes.iv]
target = "C"
unit = "mg"
gain = 1
"""

SCENARIO = f"""\
schema = 1
title = "random doses"
[model]
file = "model.toml"
[time]
end = "{END} d"
every = "{EVERY} d"
[outputs]
quantities = ["D", "C"]
[solver]
rtol = 1e-9
atol = 1e-12
"""


@dataclass(frozen=True)
class Dose:
    """An amount, mg, that begins to enter by a route at a time, over a duration, days; ``given`` before its lag."""

    route: str
    amount: float
    begins: float
    lasts: float
    given: float


def left(dose: Dose, time: float, reset: float | None) -> tuple[float, float]:
    """What a dose has left in depot and central part; nothing if it was given before a reset that is past."""
    if reset is not None and dose.given < reset <= time:
        return 0.0, 0.0
    since = time - dose.begins
    if since <= 0.0:
        return 0.0, 0.0
    if dose.lasts == 0.0:
        depot, central = math.exp(-KA * since), math.exp(-KE * since)
        passed = KA / (KA - KE) * (central - depot)
        return (dose.amount * depot, dose.amount * passed) if dose.route == "sc" else (0.0, dose.amount * central)
    parts = [_entered(dose.route, since), _entered(dose.route, max(since - dose.lasts, 0.0))]
    rate = dose.amount / dose.lasts
    return rate * (parts[0][0] - parts[1][0]), rate * (parts[0][1] - parts[1][1])


def _entered(route: str, since: float) -> tuple[float, float]:
    """What one unit a day has left that has entered all the time since."""
    slow, fast = -math.expm1(-KE * since) / KE, -math.expm1(-KA * since) / KA
    return (fast, KA / (KA - KE) * (slow - fast)) if route == "sc" else (0.0, slow)


def expected(doses: list[Dose], resets: list[float], times: np.ndarray) -> np.ndarray:
    """Depot and central part, shape [2, time]."""
    found = np.zeros((2, len(times)))
    for place, time in enumerate(times):
        for dose in doses:
            reset = min((at for at in resets if dose.given < at <= time), default=None)
            found[:, place] += left(dose, float(time), reset)
    return found


TIMES = {"h": 24.0, "d": 1.0, "min": 1440.0, "week": 1 / 7}
AMOUNTS = {"mg": 1.0, "g": 1e-3, "ug": 1e3}


def odd_time(random: random.Random, latest: float) -> float:
    """A time, days, from which no lag or interval, a multiple of 1/16, leads to a time of output, whole hundredths."""
    return random.randrange(int(latest * 1000)) / 1000 + 0.00037


def table(
    random: random.Random, patients: int, hours: float, milligrams: float
) -> tuple[str, list[list[Dose]], list[list[float]]]:
    """A table of doses in units of which a day has ``hours`` and a milligram ``milligrams``, and what it means."""
    rows = ["ID,TIME,AMT,RATE,II,ADDL,EVID,ALAG,CMT"]
    plans, resets = [], []
    for patient in range(1, patients + 1):
        records: list[tuple[float, str]] = []
        given: list[Dose] = []
        starts: list[float] = []
        at = sorted({odd_time(random, END) for _ in range(random.randrange(3))}) if random.random() < 0.5 else []
        for reset in at:
            starts.append(reset)
            if random.random() < 0.5:
                records.append((reset, f"{patient},{reset * hours!r},0,0,0,0,3,0,"))
            else:
                amount, route = random.choice([1.0, 12.5, 100.0]), random.choice(["sc", "iv"])
                given.append(Dose(route, amount, reset, 0.0, reset))
                records.append((reset, f"{patient},{reset * hours!r},{amount * milligrams!r},0,0,0,4,0,{route}"))
        for _ in range(random.randint(1, 5)):
            time, route = odd_time(random, 0.8 * END), random.choice(["sc", "iv"])
            if time in starts:
                continue
            amount = random.choice([1.0, 12.5, 100.0, 333.0])
            lasts = random.choice([0.0, 0.0, 0.125, 1.5])
            lag = random.choice([0.0, 0.0, 0.0625, 2.0])
            more, interval = random.choice([(0, 0.0), (0, 0.0), (3, 1.25), (40, 0.5)])
            rate = amount / lasts if lasts else 0.0
            first = Dose(route, amount, time + lag, lasts, time)
            # An additional dose of a record is cancelled by a reset as the record is.
            given += [replace(first, begins=first.begins + index * interval) for index in range(more + 1)]
            cells = (amount * milligrams, rate * milligrams / hours, interval * hours, more, 1, lag * hours)
            records.append((time, f"{patient},{time * hours!r}," + ",".join(map(repr, cells)) + f",{route}"))
        records.sort(key=lambda record: record[0])
        rows += [row for _, row in records]
        plans.append(given)
        resets.append(starts)
    return "\n".join(rows) + "\n", plans, resets


def words(random: random.Random) -> tuple[str, list[Dose], list[float]]:
    """A prescription in words, and what it means."""
    parts, given = [], []
    for _ in range(random.randint(1, 3)):
        route, amount = random.choice(["sc", "iv"]), random.choice([1.0, 50.0, 0.25])
        unit, of_unit = random.choice(list(AMOUNTS.items()))
        start, lasts, lag = odd_time(random, 4.0), random.choice([0.0, 0.25]), random.choice([0.0, 0.125])
        count, interval = random.choice([(1, 1.0), (4, 0.75), (3, 1.0)])
        text = f"{amount * of_unit:g} {unit} {route}"
        text += f" over {lasts * 24:g} h" if lasts else ""
        text += f" every {interval * 24:g} h" if count > 1 else ""
        text += f" lag {lag * 24:g} h" if lag else ""
        text += f" from {start!r} d" + (f" x {count}" if count > 1 else "")
        parts.append(text)
        begins = [start + index * interval for index in range(count)]
        given += [Dose(route, amount, begin + lag, lasts, begin) for begin in begins]
    resets = [odd_time(random, END)] if random.random() < 0.5 else []
    return " and ".join([*parts, *(f"reset at {at!r} d" for at in resets)]), given, resets


def tried(folder: Path, number: int) -> str:
    """What is wrong with an input; empty if nothing is."""
    random = generator("doses", number)
    time, amount = random.choice(list(TIMES)), random.choice(list(AMOUNTS))
    text, plans, resets = table(random, 6, TIMES[time], AMOUNTS[amount])
    regimen, given, starts = words(random)
    (folder / "model.toml").write_text(MODEL, encoding="utf-8")
    (folder / "doses.csv").write_text(text, encoding="utf-8")
    (folder / "s.toml").write_text(
        f'{SCENARIO}method = "{random.choice(["dopri5", "dop853", "rodas5p"])}"\n'
        f'[[arm]]\nname = "words"\nregimen = "{regimen}"\n'
        f'[[arm]]\nname = "table"\ndoses = {{ file = "doses.csv", time = "{time}", amount = "{amount}" }}\n',
        encoding="utf-8",
    )
    dataset = run(folder / "s.toml")
    times = dataset["time"].to_numpy()
    for arm, plan in enumerate([[(given, starts)] * len(plans), list(zip(plans, resets, strict=True))]):
        for member, (doses, own) in enumerate(plan):
            right = expected(doses, own, times)
            found = np.stack([dataset[name].to_numpy()[arm, member] for name in ("D", "C")])
            worst = float(np.abs(found - right).max() / max(1.0, float(np.abs(right).max())))
            if not worst < 1e-6:
                return f"{'words' if arm == 0 else 'table'}, patient {member + 1}: {worst:.3g} apart\n{regimen}\n{text}"
    return ""


def test_random_doses_leave_what_closed_forms_say(tmp_path: Path) -> None:
    count = 0
    for number in inputs(at_least=2):
        assert tried(tmp_path, number) == "", f"IL1SIM_FUZZ_SEED={SEED}, input {number}"
        count += 1
    print(f"{count} scenarios of 6 random tables and a random prescription")
    assert count > 0


def test_the_closed_forms_agree_with_a_hand_calculation() -> None:
    assert left(Dose("iv", 10.0, 1.0, 0.0, 1.0), 2.0, None) == (0.0, pytest.approx(10 * math.exp(-0.6)))
    steady = left(Dose("iv", 600.0, 0.0, 1000.0, 0.0), 900.0, None)
    assert steady == (0.0, pytest.approx(1.0))
    assert left(Dose("sc", 10.0, 1.0, 0.0, 1.0), 2.0, 1.5) == (0.0, 0.0)
