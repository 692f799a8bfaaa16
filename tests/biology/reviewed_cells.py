"""Rows of the reviewer's table about cells, markers and the assay."""

from __future__ import annotations

import math
from functools import cache

import numpy as np

from simulate.biology.reference import parameter_table
from tests.biology.baselines import evaluate, model_of
from tests.biology.reviewed import Check, rounding
from tests.biology.reviewed_drug import half_life_h
from tests.biology.typical import patient, reading

TABLE = {name: parameter.value for name, parameter in parameter_table().items()}
YEAR = 365.25
LINEAGES = ("1", "17", "117", "x", "o")


@cache
def at_rest(name: str) -> dict[str, float]:
    """States, unknowns and rates of the typical patient at baseline, in the coherent units of their dimensions."""
    model = model_of(name)
    values = [np.array([part.value * float(part.unit.factor)]) for part in model.parameters]
    return {key: float(np.ravel(value)[0]) for key, value in evaluate(model, values).items()}


def half_life(rate: str, unit_days: float = 1.0) -> float:
    return math.log(2) / TABLE[rate] / unit_days


def memory_loss(name: str) -> float:
    """Net loss of memory, cells/µL/d: what priming has to make good."""
    found = at_rest(name)
    return sum(found[f"rate memory_formation_{key}"] for key in LINEAGES)


def yield_of(name: str) -> float:
    """Memory cells for each naive cell that is activated."""
    return memory_loss(name) / at_rest(name)["rate activation"]


def division_of_naive() -> float:
    """Naive cells that come from anywhere but the thymus, % of all a day."""
    found = at_rest("H0")
    inflows = [
        reaction.name
        for reaction in model_of("H0").reactions
        for part in reaction.change
        if part.name == "N" and found[f"change {reaction.name} N"] > 0
    ]
    assert "thymic_output" in inflows
    return 100 * sum(found[f"rate {name}"] for name in inflows if name != "thymic_output") / found["state N"]


def printed_balance() -> tuple[float, float, float]:
    """At 360 naive and 500 memory cells/µL: loss of either, cells/µL/d, and memory cells for each naive cell lost."""
    naive, memory = 360 * TABLE["d_N"], 500 * TABLE["d_M"]
    return naive, memory, memory / naive


def blood(*pools: str) -> float:
    """Cells of the typical patient, /µL."""
    return sum(reading(patient("H0"), pool, 0) for pool in pools)


def of_cd45ro(*pools: str) -> float:
    """Percent of CD45RO cells."""
    return 100 * blood(*pools) / (TABLE["CD4"] * TABLE["f_RO"])


CELLS = (
    Check(
        "naive",
        "half-life of naive CD4 cells, years",
        "4.2",
        rounding(4.2, by=0.05),
        lambda: (half_life("d_N", YEAR),),
        "put in",
    ),
    Check(
        "memory",
        "half-life of memory CD4 cells, years",
        "0.4",
        rounding(0.4, by=0.05),
        lambda: (half_life("d_M", YEAR),),
        "put in",
    ),
    Check(
        "memory-weeks",
        "time in which memory is replaced once, weeks",
        "22 (radiation; estimates differ widely, a factor of 2 is accepted)",
        ((11, 44),),
        lambda: (1 / TABLE["d_M"] / 7,),
    ),
    Check(
        "division",
        "division of effector / central memory, %/d (`renewal`)",
        "4.7 / 1.5",
        rounding(4.7, 1.5, by=0.05),
        lambda: (100 * TABLE["p_TEM"], 100 * TABLE["p_TCM"]),
        "put in",
    ),
    Check(
        "division-naive",
        "division of naive cells, %/d",
        "0.2",
        ((0.15, 0.25),),
        lambda: (division_of_naive(),),
        why="naive cells do not divide here: output of the thymus stands for all supply",
    ),
    Check(
        "balance-printed",
        "loss at 360 naive / 500 memory cells, cells/µL/d; memory cells for each naive cell lost",
        "at most 0.16 / 2.4 / about 15",
        ((0.155, 0.165), (2.3, 2.45), (14, 16)),
        printed_balance,
    ),
    Check(
        "yield",
        "memory cells for each naive cell that is activated, large clones",
        "about 15; 5 to 50 thought possible",
        ((5, 50),),
        lambda: (yield_of("H0"),),
        style=".1f",
    ),
    Check(
        "yield-renewal",
        "the same where memory renews itself (`renewal`)",
        "fewer: both structures fit the turnover",
        ((1, 14.9),),
        lambda: (yield_of("renewal"),),
        style=".1f",
    ),
    Check(
        "burst",
        "divisions of a clone a day",
        "1 to 2, for 5 to 8 days",
        ((1, 2),),
        lambda: (math.log2(at_rest("H0")["value burst"]) / TABLE["tau_A"],),
    ),
    Check("tau", "days in lymphoid tissue", "5 to 8", ((5, 8),), lambda: (TABLE["tau_A"],), "put in"),
    Check(
        "contraction",
        "effectors that die, %, and that become memory, %",
        "90 to 95 / 5 to 10",
        ((90, 95), (5, 10)),
        lambda: (100 * (1 - TABLE["f_mem"]), 100 * TABLE["f_mem"]),
        "put in",
    ),
    Check("effector-death", "death of effectors, 1/d", "0.1 to 0.4", ((0.1, 0.4),), lambda: (TABLE["d_E"],), "put in"),
    Check(
        "cd45ro",
        "CD45RO among CD4 cells, %, and cells/µL",
        "31 to 76 / 220 to 833",
        ((31, 76), (220, 833)),
        lambda: (reading(patient("H0"), "cd45ro", 0), TABLE["CD4"] * TABLE["f_RO"]),
        "put in",
    ),
    Check("naive-cells", "naive cells, /µL", "48 to 632 (CD45RA)", ((48, 632),), lambda: (blood("N"),)),
    Check(
        "th17-cells",
        "Th17 cells in blood of myositis, /µL",
        "6.18 (3.42 to 13.65), 85 patients",
        ((3.42, 13.65),),
        lambda: (blood("E17", "M17"),),
    ),
    Check(
        "th-shares",
        "Th1 / Th17 among CD4 cells of myositis, %",
        "49.65 / 4.4, 56 patients",
        rounding(49.65, by=0.005) + rounding(4.4, by=0.05),
        lambda: (100 * blood("E1", "M1") / TABLE["CD4"], 100 * blood("E17", "M17") / TABLE["CD4"]),
        why="that study finds five times the Th17 cells of the row above; reports on blood of myositis do not agree",
    ),
)
"""Evidence, section 5: half-lives and balances."""

MARKERS = (
    Check(
        "ck",
        "half-life of creatine kinase, h",
        "36",
        rounding(36, by=0.5),
        lambda: (half_life_h(TABLE["k_CK"]),),
        "put in",
    ),
    Check(
        "ck-level",
        "creatine kinase before treatment, µkat/L",
        "geometric mean 5.4, median 4.0 (13 patients, same center)",
        ((4.0, 5.4),),
        lambda: (TABLE["CK_0"],),
        "put in",
    ),
    Check(
        "ifng", "half-life of IFNγ, min", "25 to 35", ((25, 35),), lambda: (60 * half_life_h(TABLE["k_IFN"]),), "put in"
    ),
    Check(
        "il6",
        "half-life of IL-6, h",
        "1 to 2 (recalled; rat 0.38)",
        ((1, 2),),
        lambda: (half_life_h(TABLE["k_6"]),),
        "put in",
    ),
    Check(
        "il17",
        "half-life of IL-17A, h",
        "1 to 3 (recalled)",
        ((1, 3),),
        lambda: (half_life_h(TABLE["k_17"]),),
        "put in",
    ),
    Check(
        "gcsf",
        "half-life of G-CSF, h",
        "about 3.5 (recalled)",
        ((3.3, 3.7),),
        lambda: (half_life_h(TABLE["k_G"]),),
        "put in",
    ),
    Check(
        "stained-ifng",
        "CD4 cells stained for IFNγ before treatment, %",
        "mean 1.1, range 0.08 to 4.96 (before or after: not stated)",
        ((0.08, 4.96),),
        lambda: (reading(patient("H0"), "ifng", 0),),
        "put in",
    ),
    Check(
        "stained-il17",
        "CD4 cells stained for IL-17A before treatment, %",
        "mean 0.16, range 0.03 to 0.4",
        rounding(0.16, by=0.005),
        lambda: (reading(patient("H0"), "il17a", 0),),
        "put in",
    ),
)
"""Evidence, section 5: markers; section 1: the assay."""
