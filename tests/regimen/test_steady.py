"""Steady states of doses against long trains of doses, summed in closed form."""

from __future__ import annotations

import os
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import pytest

from simulate.cohort.arms import Arm
from simulate.cohort.draws import draw
from simulate.cohort.ensemble import Ensemble, simulate_cohort
from simulate.cohort.population import Population
from simulate.errors import InputError
from simulate.regimen.steady import Kinetics
from simulate.regimen.words import parse_regimen
from simulate.solver import FloatArray, Tolerance
from simulate.studies.treatments import Tabled
from simulate.symbolic.composition import compose
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Mechanism, Parameter, Reaction, Route, Species, Spread
from simulate.symbolic.units import unit
from tests.helpers.tabled import table

TABLES = int(os.environ.get("IL1SIM_STEADY_TABLES", "40"))
"""Random tables; 500 on demand."""

LOSS = Parameter("k", "loss", 0.1, unit("1/h"), spread=Spread(1.0))
ENTRY = Parameter("k_a", "absorption", 0.7, unit("1/h"), spread=Spread(0.5))
SHARE = Parameter("F", "bioavailability", 0.7, unit("1"), spread=Spread(0.2), bounds=(0.1, 1.0))
DEPOT, DRUG = Species("D", "amount in the depot", unit("mg")), Species("A", "amount in blood", unit("mg"))
CELLS = Species("Z", "cells that the drug kills", unit("mg"), initial=5.0)
KILLING = Parameter("kill", "killing by the drug", 1e-4, unit("1/mg/h"))
KINETICS = Mechanism(
    "kinetics",
    "a drug that is absorbed and lost",
    species=(DEPOT, DRUG, CELLS),
    reactions=(
        Reaction("absorption", ENTRY * DEPOT, {DEPOT: -1, DRUG: 1}),
        Reaction("loss", LOSS * DRUG, {DRUG: -1}),
        Reaction("killing", KILLING * DRUG * CELLS, {CELLS: -1}),
    ),
    routes=(
        Route("sc", "drug", DEPOT, unit("mg"), SHARE.symbol),
        Route("iv", "drug", DRUG, unit("mg"), SHARE.symbol**0),
    ),
    parameters=(LOSS, ENTRY, SHARE, KILLING),
)
MODEL = compose([KINETICS], name="kinetics", title="a drug that is absorbed and lost")


def simulated(text: str, hours: FloatArray, model: Model = MODEL, **overrides: float) -> Ensemble:
    """Patients of a table, recorded at some hours."""
    plans = Tabled(table(text), None).plans(model)
    arm = Arm("tabled", plans[0], tuple(overrides.items()), plans if len(plans) > 1 else ())
    people = draw(Population(model.parameters), len(plans), seed=4)
    return simulate_cohort(model, [arm], people, hours / 24.0, tolerance=Tolerance(1e-10, 1e-12))


@dataclass(frozen=True)
class Row:
    """A record as NONMEM has it, hours; ``event`` 4 resets before."""

    time: float
    amount: float
    rate: float
    duration: float
    lag: float
    every: float
    more: int
    steady: int
    route: str
    event: int

    def text(self, patient: int) -> str:
        numbers = (self.time, self.amount, self.rate, self.duration, self.lag, self.every, self.more, self.steady)
        return f"{patient},{','.join(map(str, numbers))},{self.route},{self.event}"


HEADER = "ID,TIME,AMT,RATE,DUR,ALAG,II,ADDL,SS,CMT,EVID"


def random_rows(random: np.random.Generator) -> list[Row]:
    def quarters(low: float, high: float) -> float:
        return float(random.integers(int(4 * low), int(4 * high) + 1)) / 4.0

    rows = []
    for time in sorted({quarters(0, 60) for _ in range(random.integers(2, 6))}):
        every = quarters(1, 30)
        steady = int(random.choice([0, 1, 1, 2, 2]))
        kind = random.integers(0, 3)
        amount = quarters(1, 200)
        more = int(random.integers(0, 4))
        rows.append(
            Row(
                time=time,
                amount=amount,
                rate=amount / quarters(0.5, 4 * every) if kind == 1 else 0.0,
                duration=quarters(0.5, 4 * every) if kind == 2 else 0.0,
                lag=quarters(0, 3 * every) if random.random() < 0.5 else 0.0,
                every=every if steady or more else 0.0,
                more=more,
                steady=steady,
                route=str(random.choice(["sc", "iv"])),
                event=4 if random.random() < 0.15 else 1,
            )
        )
    return rows


def left_of(rate: float, since: FloatArray, duration: float) -> FloatArray:
    """Integral of exp(-rate t) against a dose of 1 that enters over a duration, some time after it began to enter."""
    entered = np.clip(since, 0.0, None)
    if not duration:
        return np.where(since >= 0.0, np.exp(-rate * entered), 0.0)
    during = np.minimum(entered, duration)
    found: FloatArray = -np.expm1(-rate * during) / (rate * duration) * np.exp(-rate * (entered - during))
    return found


def expected(rows: list[Row], hours: FloatArray, k: float, k_a: float, share: float) -> FloatArray:
    """Amount in blood by adding up single doses, those of long trains too."""
    cuts = [row.time for row in rows if row.steady == 1 or row.event == 4]
    total = np.zeros(len(hours))
    for row in rows:
        end = min([cut for cut in cuts if cut > row.time], default=np.inf)
        past = (
            int(50.0 / (min(k, k_a) * row.every)) + int((row.lag + row.duration) / row.every) + 9 if row.steady else 0
        )
        given = row.time + row.every * np.arange(-past, row.more + 1)
        scale = share if row.route == "sc" else 1.0
        duration = row.amount / row.rate * scale if row.rate else row.duration
        since = hours[:, None] - (given[given < end] + row.lag)
        if row.route == "iv":
            course = left_of(k, since, duration)
        else:
            course = scale * k_a / (k_a - k) * (left_of(k, since, duration) - left_of(k_a, since, duration))
        total += np.where((hours >= row.time) & (hours < end), row.amount * course.sum(axis=1), 0.0)
    return np.where(hours > 0.0, total, 0.0)


def test_steady_states_are_the_limits_of_long_trains_in_random_tables() -> None:
    random = np.random.default_rng(11)
    tables = [random_rows(random) for _ in range(TABLES)]
    text = "\n".join([HEADER, *(row.text(patient) for patient, rows in enumerate(tables) for row in rows)])
    hours = np.arange(0.0, 181.0, 1.5)
    found = simulated(text + "\n", hours)
    assert not found.failures
    values, names = found.parameter_values[0], found.parameters
    for patient, rows in enumerate(tables):
        own = values[patient]
        exact = expected(rows, hours, *(float(own[names.index(name)]) for name in ("k", "k_a", "F")))
        np.testing.assert_allclose(
            found.quantity("A")[0, patient], exact, rtol=1e-6, atol=1e-6 * exact.max(), err_msg=repr(rows)
        )


def test_the_half_life_of_an_override_is_the_one_that_counts() -> None:
    # Doses of 100 mg once a day, lost at 0.002 an hour: 100 / (1 - exp(-0.048)).
    found = simulated("TIME,AMT,II,SS,CMT\n336,100,24,1,iv\n", np.array([0.0, 336.0]), k=0.002)
    k = found.parameter_values[0, 0, found.parameters.index("k")]
    assert found.quantity("A")[0, 0, 1] == pytest.approx(100.0 / -np.expm1(-24.0 * k), rel=1e-9)


def test_a_patient_who_hardly_forgets_has_the_steady_state_of_a_million_doses() -> None:
    found = simulated("TIME,AMT,II,SS,CMT\n24,1,24,1,iv\n", np.array([0.0, 24.0]), k=1e-8)
    k = found.parameter_values[0, 0, found.parameters.index("k")]
    assert found.quantity("A")[0, 0, 1] == pytest.approx(1.0 / -np.expm1(-24.0 * k), rel=1e-9)


def test_an_infusion_that_was_always_given_ends_at_its_time_whatever_arrives_of_it() -> None:
    found = simulated("TIME,AMT,RATE,SS,CMT\n24,0,5,1,sc\n", np.array([0.0, 24.0, 30.0]))
    k, k_a = (found.parameter_values[0, 0, found.parameters.index(name)] for name in ("k", "k_a"))
    depot, blood = found.quantity("D")[0, 0], found.quantity("A")[0, 0]
    assert depot[1] == pytest.approx(5.0 / k_a, rel=1e-9)
    assert blood[1] == pytest.approx(5.0 / k, rel=1e-9)
    later = 5.0 / k * np.exp(-6.0 * k) + 5.0 / (k_a - k) * (np.exp(-6.0 * k) - np.exp(-6.0 * k_a))
    assert blood[2] == pytest.approx(later, rel=1e-8)


def test_the_train_treats_nothing_but_the_drug() -> None:
    text = "TIME,AMT,II,SS,CMT\n24,100,12,{},iv\n"
    for steady in (1, 2):
        cells = simulated(text.format(steady), np.array([0.0, 24.0, 36.0])).quantity("Z")[0, 0]
        assert cells[:2].tolist() == [5.0, 5.0]
        assert cells[2] < 5.0


def test_doses_of_a_train_are_the_usual_ones_whatever_arrives_of_those_given() -> None:
    plan = parse_regimen("100 mg iv every 24 h from 2 d until 2 d steady")
    people = draw(Population(MODEL.parameters), 3, seed=4)
    varying = type(people)(**{**{n: getattr(people, n) for n in people.__slots__}, "between_doses": (("iv", 0.5),)})
    once = simulate_cohort(MODEL, [Arm("", plan)], people, np.array([0.0, 2.0, 3.0]))
    again = simulate_cohort(MODEL, [Arm("", plan)], varying, np.array([0.0, 2.0, 3.0]))
    np.testing.assert_array_equal(once.trajectories.values, again.trajectories.values)


def test_a_member_has_the_same_steady_state_alone_and_among_others() -> None:
    plan = parse_regimen("100 mg sc rate 30 mg/h every 5 h from 2 d steady and 10 mg iv every 7 h from 1 d steady")
    times = np.array([0.0, 1.0, 2.5, 4.0])
    all_of_them = simulate_cohort(MODEL, [Arm("", plan)], draw(Population(MODEL.parameters), 9, seed=4), times)
    alone = simulate_cohort(MODEL, [Arm("", plan)], draw(Population(MODEL.parameters), 1, seed=4, first=7), times)
    np.testing.assert_array_equal(all_of_them.trajectories.values[7], alone.trajectories.values[0])


SATURABLE = compose(
    [
        Mechanism(
            "saturable",
            "a drug whose loss saturates",
            species=(DRUG,),
            reactions=(
                Reaction("loss", LOSS * DRUG / (1 + DRUG / Parameter("K", "half", 3.0, unit("mg"))), {DRUG: -1}),
            ),
            routes=(Route("iv", "drug", DRUG, unit("mg"), DRUG.symbol**0),),
            parameters=(LOSS, Parameter("K", "half", 3.0, unit("mg"))),
        )
    ],
    name="saturable",
    title="a drug whose loss saturates",
)


def test_a_drug_whose_kinetics_are_not_linear_is_refused_with_the_reason() -> None:
    with pytest.raises(InputError) as caught:
        simulated("TIME,AMT,II,SS\n24,100,24,1\n", np.array([0.0, 24.0]), SATURABLE)
    assert str(caught.value) == (
        "error[regimen.steady]: the steady state of doses by route `iv` cannot be known\n"
        "  --> t.csv:2:11, key `SS`, term `1`\n"
        "  found:    the rate of `A` is not linear in the drug\n"
        "  expected: a drug that is absent before treatment, and kinetics that are linear in it\n"
        "  try:      write out the doses that came before"
    )


AREA, TOTAL = Species("AUC", "exposure", unit("mg d")), Species("U", "exposure to exposure", unit("mg d**2"))
HORMONE = Species("X", "a hormone that patients have, and that is given too", unit("mg"), initial=10.0)
MEASURED = compose(
    [
        Mechanism(
            "measured",
            "a drug whose exposure is added up",
            species=(DRUG, AREA, TOTAL, HORMONE),
            reactions=(
                Reaction("loss", LOSS * DRUG, {DRUG: -1}),
                Reaction("exposure", DRUG.symbol, {AREA: 1}),
                Reaction("exposure_to_exposure", AREA.symbol, {TOTAL: 1}),
                Reaction("use", LOSS * HORMONE, {HORMONE: -1}),
            ),
            routes=(
                Route("iv", "drug", DRUG, unit("mg"), DRUG.symbol**0),
                Route("ch", "hormone", HORMONE, unit("mg"), DRUG.symbol**0),
            ),
            parameters=(LOSS,),
        )
    ],
    name="measured",
    title="a drug whose exposure is added up",
)


def test_a_steady_state_leaves_alone_what_accumulates_and_what_was_there_before_treatment() -> None:
    text = "TIME,AMT,II,SS,CMT\n0,100,0,0,iv\n24,100,24,1,iv\n"
    found = simulated(text, np.array([0.0, 24.0]), MEASURED)
    k = found.parameter_values[0, 0, found.parameters.index("k")]
    left = np.exp(-24.0 * k)
    at = {name: found.quantity(name)[0, 0, 1] for name in ("A", "AUC", "U", "X")}
    assert at["A"] == pytest.approx(100.0 / (1 - left), rel=1e-9)
    assert at["AUC"] == pytest.approx(100.0 * (1 - left) / (24.0 * k), rel=1e-8)
    assert at["U"] == pytest.approx(100.0 / (24.0 * k) * (1.0 - (1 - left) / (24.0 * k)), rel=1e-8)
    assert at["X"] == pytest.approx(10.0 * left, rel=1e-8)


def test_a_patient_who_never_loses_the_drug_is_refused() -> None:
    values = np.array([[0.0 if parameter.name == "k" else parameter.value for parameter in MODEL.parameters]])
    with pytest.raises(InputError) as caught:
        Kinetics(MODEL, values).left(1, 0, every=Fraction(1), lag=Fraction(0), duration=0.0)
    assert str(caught.value) == (
        "error[regimen.steady]: a patient never loses what is given by route `iv`, and has no steady state\n"
        "  expected: a drug that is lost, at rates that are finite\n"
        "  try:      write out the doses that came before"
    )


def test_sensitivities_do_not_follow_a_steady_state() -> None:
    plan = parse_regimen("100 mg iv every 24 h from 2 d steady")
    with pytest.raises(InputError) as caught:
        simulate_cohort(
            MODEL,
            [Arm("", plan)],
            draw(Population(MODEL.parameters), 1, seed=4),
            np.array([0.0, 3.0]),
            sensitivities=["k"],
        )
    assert str(caught.value) == (
        "error[sensitivities.doses]: sensitivities are asked for with doses that follow the kinetics of each patient\n"
        "  expected: no steady state of doses, and no infusions at a set rate: when they end is not differentiated\n"
        "  try:      write out the doses that came before, and give infusions by their duration"
    )


def test_two_steady_states_that_replace_each_other_are_refused() -> None:
    with pytest.raises(InputError) as caught:
        simulated("TIME,AMT,II,SS,CMT\n24,100,24,1,iv\n24,50,24,1,sc\n", np.array([0.0, 48.0]))
    assert str(caught.value).startswith("error[table.order]: a dose stands before the steady state in line 3")
