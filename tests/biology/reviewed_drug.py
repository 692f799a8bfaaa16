"""Rows of the reviewer's table about the drug, its receptor and IL-1."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
from sympy import Symbol

from simulate.biology.hypotheses import H0
from simulate.biology.il1_loops import CAPS
from simulate.biology.occupancy import bound
from simulate.biology.receptors import MUSCLE, SPARE_A
from simulate.biology.reference import parameter_table
from simulate.cohort.arms import Arm
from simulate.cohort.draws import draw
from simulate.cohort.ensemble import simulate_cohort
from simulate.cohort.population import Population, PowerEffect, SlopeEffect
from simulate.cohort.reading import shipped_population
from simulate.regimen.words import parse_regimen
from simulate.solver import FloatArray, Tolerance
from tests.biology.plasma import plasma_model
from tests.biology.reviewed import Check, rounding
from tests.biology.test_pharmacokinetics import PRINTED as CURVES
from tests.biology.test_pharmacokinetics import RENAL, ng_per_mL
from tests.biology.test_spare_receptors import PRINTED as SIGNALS
from tests.biology.test_spare_receptors import over_constant, signal_before, steady_day
from tests.biology.variants import STEADY_DAY, course, values

TABLE = {name: parameter.value for name, parameter in parameter_table().items()}
ML_PER_MIN = 1000 / 1440
"""L/d in mL/min."""


def peak_average_trough(name: str) -> tuple[float, float, float]:
    curve = ng_per_mL(plasma_model(name))
    return float(curve.max()), float(curve.mean()), float(curve[0])


def half_life_h(rate_per_day: float) -> float:
    return 24 * math.log(2) / rate_per_day


def one_injection(mg: float, hours: FloatArray, name: str | None = None) -> FloatArray:
    """ng/mL after one injection in the typical patient."""
    model = plasma_model(name)
    arm = Arm("once", parse_regimen(f"{mg:g} mg sc at 0 d"))
    cohort = draw(Population(tuple(part for part in model.parameters if part.spread is None)), 1, seed=1)
    ensemble = simulate_cohort(model, (arm,), cohort, hours / 24, tolerance=Tolerance(1e-9))
    curve: FloatArray = ensemble.quantity("anakinra")[0, 0]
    return curve


@cache
def single() -> tuple[float, float]:
    """Peak of 60 mg, ng/mL, and its hour."""
    hours = np.arange(0, 1441) / 60
    curve = one_injection(60, hours)
    return float(curve.max()), float(hours[curve.argmax()])


def hours_until(level: float) -> float:
    """Hours after the last of many injections until the level of children falls to ``level`` ng/mL."""
    model = plasma_model("urien-2013")
    times = 28 + np.arange(0, 72 * 60) / 1440
    arm = Arm("daily", parse_regimen("100 mg sc every 24 h x 29"))
    cohort = draw(Population(tuple(part for part in model.parameters if part.spread is None)), 1, seed=1)
    curve = simulate_cohort(model, (arm,), cohort, times, tolerance=Tolerance(1e-9)).quantity("anakinra")[0, 0]
    after_peak = np.arange(len(curve)) > curve.argmax()
    return float((times[after_peak & (curve <= level)][0] - 28) * 24)


@cache
def troughs() -> FloatArray:
    """Troughs of 40 000 adults with the spread and the half-life of 3.8 h of the printed row, ng/mL."""
    model = plasma_model("adult-3-76h")
    arm = Arm("daily", parse_regimen("100 mg sc every 24 h until 14 d"), (("k_a", math.log(2) / 3.8),))
    cohort = draw(Population(model.parameters), 40_000, seed=11)
    found: FloatArray = simulate_cohort(model, [arm], cohort, np.array([0.0, 14.0])).quantity("anakinra")[0, :, -1]
    return found


def mean_of_ten() -> tuple[float, float]:
    low, high = np.quantile(troughs().reshape(-1, 10).mean(axis=1), [0.05, 0.95])
    return float(low), float(high)


def apparent_clearance(creatinine: float) -> float:
    """Of the typical patient, mL/min."""
    population = shipped_population(tuple(parameter_table().values()))
    effect = next(effect for effect in population.effects if isinstance(effect, SlopeEffect))
    usual = next(part.value for part in population.covariates if part.name == effect.covariate)
    return TABLE["CL"] / TABLE["F"] * ML_PER_MIN * float(effect.factor(np.asarray(creatinine), usual))


def exponent_of_weight() -> float:
    population = shipped_population(tuple(parameter_table().values()))
    return next(
        effect.exponent
        for effect in population.effects
        if isinstance(effect, PowerEffect) and (effect.covariate, effect.parameter) == ("weight", "CL")
    )


def smaller_area_of_obese() -> float:
    """Percent by which the median area under the curve of the obese is smaller."""
    parameters = plasma_model().parameters
    area = [
        np.median(cohort.of("F") / cohort.of("CL"))
        for cohort in (draw(shipped_population(parameters, name), 3000, seed=3) for name in ("myositis", "obese"))
    ]
    return float(100 * (1 - area[1] / area[0]))


CURVE_NAMES = {
    "urien-2013": "children scaled to 70 kg (`urien-2013`)",
    "urien-2013-twin": "the same, rates exchanged (`urien-2013-twin`)",
    "adult-3-76h": "adults, absorption half-life 3.76 h (`adult-3-76h`)",
    "adult-5h": "adults, 5 h (`adult-5h`)",
    "adult-6h": "adults, 6 h (`adult-6h`)",
}

PHARMACOKINETICS = (
    *(
        Check(
            f"curve-{curve.name}",
            f"Cmax / Cavg / C24, ng/mL: {CURVE_NAMES[curve.name]}",
            " / ".join(f"{value:g}" for value in curve.printed),
            rounding(*curve.printed, by=0.5),
            lambda name=curve.name: peak_average_trough(name),
            style=".1f",
        )
        for curve in CURVES
    ),
    Check(
        "trough-spread",
        "trough of adults, ng/mL: 5 % / median / 95 %",
        "6 / 36 / 119 (simulated, error of a quantile about 10 %)",
        ((5.4, 6.6), (32.4, 39.6), (107, 131)),
        lambda: tuple(float(value) for value in np.quantile(troughs(), [0.05, 0.5, 0.95])),
    ),
    Check(
        "trough-of-ten",
        "mean trough of 10 adults, ng/mL: 5 % / 95 %",
        "28 / 68 (simulated, about 10 %)",
        ((25.2, 30.8), (61.2, 74.8)),
        mean_of_ten,
    ),
    Check(
        "trough-from-peak",
        "trough expected from a peak of 687 ± 197 ng/mL after 1 mg/kg, for 100 mg at 60 kg, ng/mL (`adult-3-76h`)",
        "29 ± 8",
        ((21, 37),),
        lambda: (peak_average_trough("adult-3-76h")[2],),
        style=".1f",
    ),
    Check(
        "trough-on-drug",
        "trough of the typical patient; serum of the trial on drug (mean of 10, less their own), ng/mL",
        "17.0 to 19.6; error of the logarithm 0.6",
        ((17.0 * math.exp(-0.6), 19.6 * math.exp(0.6)),),
        lambda: (float(ng_per_mL(plasma_model())[0]),),
        why="twice what was measured; late samples, missed doses, faster absorption or a saturated ELISA would each "
        "explain it",
        style=".1f",
    ),
    Check(
        "children-51h",
        "hours after a dose until children's level falls to 17 ng/mL",
        "about 51",
        ((50, 52),),
        lambda: (hours_until(17.0),),
    ),
    Check(
        "half-life-sc",
        "half-life after injection, h",
        "4 to 6 (label); 3.76 ± 1.0 (15 patients)",
        ((4.0, 4.76),),
        lambda: (half_life_h(TABLE["k_a"]),),
        "put in",
    ),
    Check(
        "half-life-iv",
        "intravenous half-life, h",
        "1 to 2.6",
        ((0.95, 2.65),),
        lambda: (half_life_h(TABLE["CL"] / TABLE["V"]),),
    ),
    Check(
        "tmax-label",
        "hour of the peak, label (rheumatoid arthritis, 1 to 2 mg/kg)",
        "3 to 7",
        ((3, 7),),
        lambda: (single()[1],),
        why="with clearance and volume as printed, only an absorption half-life of 5 h or more peaks after "
        "3 h; the other study has 2 to 6 h",
    ),
    Check("tmax-15", "hour of the peak, 15 patients", "2 to 6", ((2, 6),), lambda: (single()[1],)),
    Check(
        "cmax-60",
        "peak after 1 mg/kg at 60 kg, ng/mL",
        "687 ± 197",
        ((490, 884),),
        lambda: (single()[0],),
    ),
    Check(
        "accumulation",
        "trough at the steady state over that of the first dose",
        "none to 24 weeks",
        ((0.95, 1.05),),
        lambda: (float(ng_per_mL(plasma_model())[0] / one_injection(100, np.array([0.0, 24.0]))[-1]),),
    ),
    Check(
        "bioavailability",
        "subcutaneous bioavailability",
        "0.95 (label); 0.80 to 0.92",
        ((0.80, 0.95),),
        lambda: (TABLE["F"],),
        "put in",
    ),
    Check(
        "clearance-iv",
        "intravenous clearance of healthy people, mL/min",
        "137 ± 21",
        ((116, 158),),
        lambda: (TABLE["CL"] * ML_PER_MIN,),
    ),
    Check(
        "clearance-apparent",
        "apparent clearance, mL/min",
        "150 ± 52; men 164 ± 25, women 144 ± 22",
        ((139, 166),),
        lambda: (TABLE["CL"] / TABLE["F"] * ML_PER_MIN,),
        "put in",
    ),
    Check(
        "clearance-formula",
        "apparent clearance at 75 kg and 100 mL/min by the formula of 341 adults, mL/min",
        "23.0 + 0.343·CLcr + 0.713·weight = 111",
        ((110.5, 111.5),),
        lambda: (apparent_clearance(100),),
        why="the same abstract prints means of 144 to 164, which are used",
    ),
    Check(
        "volume",
        "apparent volume at 75 kg, L",
        "0.142·weight = 10.7",
        ((10.6, 10.7),),
        lambda: (TABLE["V"] / TABLE["F"],),
        why="from samples before the next dose alone; with 10.7 L the intravenous half-life would be 0.82 h, below "
        "every published one",
    ),
    *(
        Check(
            f"renal-{group.replace(' ', '-')}",
            f"apparent clearance, mL/min, kidneys {group} (CLcr {creatinine:g}, recalled)",
            f"{mean:g} ± {sd:g}",
            ((mean - sd, mean + sd),),
            lambda at=creatinine: (apparent_clearance(at),),
        )
        for group, creatinine, mean, sd in RENAL
    ),
    Check(
        "weight-exponent",
        "exponent of weight on apparent clearance: children / slope of the adults' formula at 75 kg",
        "0.47 / 0.48",
        rounding(0.47, by=0.005) + rounding(0.48, by=0.011),
        lambda: (exponent_of_weight(),) * 2,
        "put in",
    ),
    Check(
        "obese-exponent",
        "smaller area under the curve at a median of 106 kg, %, by the exponent of children, 0.47",
        "24 to 33",
        ((24, 33),),
        lambda: (100 * (1 - (106 / 75) ** -exponent_of_weight()),),
        why="the sources disagree: this fall needs clearance in proportion to weight, which the population `obese` has",
    ),
    Check(
        "obese-population",
        "the same in the population `obese` against that of the trial, %",
        "24 to 33",
        ((24, 33),),
        lambda: (smaller_area_of_obese(),),
        "put in",
    ),
)
"""Evidence, sections 2.1 and 2.3."""


def left(option: str, il1: float) -> tuple[float, float, float, float]:
    """Signal before the drug; percent left as mean of 24 h, at the trough, as mean with a tenth of the drug."""
    full = values(steady_day(option, il1, 1.0), "signal_muscle")
    tenth = values(steady_day(option, il1, 0.1), "signal_muscle")
    before = signal_before(option, il1)
    return before, float(full[1:-1].mean()), float(full[-1]), float(tenth[1:-1].mean())


def occupied_by_il1ra(il1ra: float) -> float:
    """Percent of receptors that IL-1Ra alone holds, ng/mL and K_Ra 0.15 nM."""
    return 100 * float(bound(Symbol("ligand"), Symbol("rival")).subs({"ligand": over_constant(il1ra), "rival": 0}))


def il1_over_before(il1ra: float) -> float:
    """Occupancy by little IL-1 at an IL-1Ra, over that at the patients' own 2.56 ng/mL."""
    occupied = MUSCLE.occupied.expression
    few = {"L_m": 1e-6, "lambda_muscle": 1e-6}
    return float(
        occupied.subs(few | {"rho_muscle": over_constant(il1ra)})
        / occupied.subs(few | {"rho_muscle": over_constant(2.56)})
    )


def il1_over_before_in_the_mean() -> float:
    conditions = {"a_fb": 0.0, "eps": 0.0, "il1_muscle": 1e-6, "f_m": 1.0, "K_Ra": 0.15, "R_0": 2.56}
    return float(values(course(SPARE_A, STEADY_DAY, doses=10, **conditions), "signal_muscle")[1:-1].mean() / 100)


RECEPTOR = (
    Check(
        "k1",
        "IL-1 and the receptor of resting / activated T cells, pM",
        "310 / 280 (EL4: 300)",
        ((280, 310), (280, 310)),
        lambda: (1000 * TABLE["K_1"],) * 2,
        "put in",
    ),
    Check(
        "k-ra",
        "IL-1Ra and the receptor, pM",
        "70 (human serum factor) to 150 (EL4)",
        ((70, 150),),
        lambda: (1000 * TABLE["K_Ra"],),
        "put in",
    ),
    Check(
        "receptors-per-cell",
        "receptors of a resting / activated T cell",
        "40 / 350",
        rounding(40, 350, by=0.5),
        lambda: (TABLE["n_resting"], TABLE["n_activated"]),
        "put in",
    ),
    *(
        Check(
            f"signal-{option}-{il1:g}",
            f"reading {option}, {17.4 * il1:.2g} ng/mL of IL-1 in muscle",
            " / ".join(f"{value:g}" for value in printed),
            rounding(printed[0], by=0.0051) + rounding(*printed[1:], by=0.51),
            lambda option=option, il1=il1: left(option, il1),
        )
        for (il1, option), printed in SIGNALS.items()
    ),
    Check(
        "il1ra-alone",
        "receptors that IL-1Ra alone holds at 0.354 / 2.56 / 19.6 ng/mL, %",
        "12 / 50 / 88",
        rounding(12, 50, 88, by=0.5),
        lambda: tuple(occupied_by_il1ra(il1ra) for il1ra in (0.354, 2.56, 19.6)),
    ),
    Check(
        "il1-left",
        "IL-1 on receptors over before treatment: at 19.6 ng/mL / in the mean of a day / at the peak",
        "0.23 / 0.01 to 0.03 / 0.004",
        ((0.225, 0.235), (0.01, 0.03), (0.0035, 0.0045)),
        lambda: (il1_over_before(19.6), il1_over_before_in_the_mean(), il1_over_before(1295)),
    ),
    Check(
        "decoy",
        "rise of the constant of IL-1 on activated cells by the decoy, -fold",
        "2 to 5 (direction only)",
        ((2, 5),),
        lambda: (TABLE["decoy_fold"],),
        "put in",
    ),
)
"""Evidence, section 3.1."""


def own_il1ra_mg_per_day(serum: float) -> float:
    """What must be made for a serum level in ng/mL, mg a day."""
    return TABLE["CL"] * serum / 1000


def caps_synthesis() -> tuple[float, float]:
    """ng a day before and after eight weeks of nearly complete blockade."""
    before, after = values(course(CAPS, [0.0, 56.0], dose=3000.0, doses=56), "il1_production")
    return float(before), float(after)


def plasma_il1() -> tuple[float, float]:
    """Free IL-1β in 3 L of plasma, healthy and in CAPS, pg/mL."""
    healthy, caps = (TABLE[f"il1_production_{who}"] / TABLE["k_d1"] / 3.0 for who in ("healthy", "caps"))
    return healthy, caps


def il1ra_of_patients() -> tuple[float, float]:
    """Median and mean of 2000 patients, ng/mL."""
    levels = draw(shipped_population(tuple(parameter_table().values())), 2000, seed=1).of("R_0")
    return float(np.median(levels)), float(levels.mean())


IL1 = (
    Check(
        "il1-synthesis",
        "IL-1β made in cryopyrin syndromes before / under complete blockade, ng/d",
        "31 / 6",
        rounding(31, 6, by=0.5),
        caps_synthesis,
    ),
    Check(
        "il1-plasma",
        "free IL-1β in plasma of healthy people / in cryopyrin syndromes, pg/mL",
        "0.04 / 0.2 (computed from synthesis and half-life)",
        rounding(0.04, by=0.005) + rounding(0.2, by=0.05),
        plasma_il1,
    ),
    Check(
        "il1-half-life",
        "half-life of IL-1β, min",
        "19 (rat) to 20",
        ((18.5, 20.5),),
        lambda: (60 * half_life_h(TABLE["k_d1"]),),
        "put in",
    ),
    Check(
        "il1ra-level",
        "IL-1Ra before treatment, ng/mL: geometric mean / mean",
        "1.85 / 2.56 (standard error of 14 log-normal values 25 %)",
        ((1.4, 2.3), (1.92, 3.20)),
        il1ra_of_patients,
        "put in",
    ),
    Check(
        "il1ra-synthesis",
        "own IL-1Ra made, healthy (0.354 ng/mL) / patients (2.56 ng/mL), mg/d",
        "0.07 / 0.50",
        rounding(0.07, 0.50, by=0.005),
        lambda: (own_il1ra_mg_per_day(0.354), own_il1ra_mg_per_day(2.56)),
        style=".2f",
    ),
    Check(
        "drug-over-own",
        "drug over own IL-1Ra, -fold",
        "about 190",
        ((180, 200),),
        lambda: (100 * TABLE["F"] / own_il1ra_mg_per_day(2.56),),
    ),
    Check(
        "own-il1ra-falls",
        "own IL-1Ra after 26 weeks of the drug over before",
        "falls, as IL-1 drives part of it (no size)",
        ((0.0, 0.9),),
        lambda: (float(np.divide(*values(course(H0, [0.0, 182.0]), "R")[::-1])),),
    ),
)
"""Evidence, section 3.2."""
