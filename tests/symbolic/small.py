"""The smallest models that show a feature, and the fault that a composition ends in."""

from __future__ import annotations

import os
import subprocess
import sys
from fractions import Fraction
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from sympy import symbols

from simulate.errors import InputError
from simulate.symbolic.composition import compose
from simulate.symbolic.hypothesis import NONE, Hypothesis
from simulate.symbolic.parts import (
    Balance,
    Condition,
    Definition,
    Mechanism,
    Observable,
    Parameter,
    Reaction,
    Route,
    Species,
    Spread,
)
from simulate.symbolic.symbols import at_baseline
from simulate.symbolic.units import DIMENSIONLESS, unit

DRUG = Species("X", "drug", unit("nM"), 1)
LOSS = Parameter("k", "loss", 0.1, unit("1/d"))
DECAY = Mechanism(
    "decay",
    "a drug that is lost",
    species=(DRUG,),
    parameters=(LOSS,),
    reactions=(Reaction("loss", LOSS * DRUG, {DRUG: -1}),),
)

# Naive cells → activated cells → memory cells, slowed by a blocker; all flows follow from the three measured pools.
CELLS = unit("cell/µL")
RATE = unit("1/d")
PARAMETERS = (
    Parameter(
        "N_0",
        "naive cells",
        280.0,
        CELLS,
        Spread.from_cv(0.3),
        (100.0, 600.0),
        "counts",
    ),
    Parameter("A_0", "activated cells", 2.0, CELLS),
    Parameter("M_0", "memory cells", 420.0, CELLS),
    Parameter("d_N", "loss of naive cells", 4.5e-4, RATE),
    Parameter("k_act", "activation", 2e-4, RATE),
    Parameter("tau_A", "life of activated cells", 72, unit("h")),
    Parameter("d_M", "loss of memory cells", 0.0047, RATE),
    Parameter("il1", "IL-1 over its dissociation constant", 0.3),
    Parameter("e50", "occupancy for half the signal", 0.03),
    Parameter("K_R", "dissociation constant of the blocker", 100, unit("pM")),
    Parameter("k_R", "loss of the blocker", 2.0, RATE),
    Parameter("gain", "blocker per administered mass", 0.5, unit("nM/mg")),
)
TABLE = {parameter.name: parameter for parameter in PARAMETERS}
N, A, M, R, t = symbols("N A M R t")
N_0, A_0, M_0, d_N, k_act, tau_A, d_M, il1, e50, K_R, k_R, gain = symbols(" ".join(TABLE))
s_N, burst, share, occupancy, signal, ratio = symbols("s_N burst share occupancy signal ratio")

NAIVE = Species("N", "naive cells", CELLS, N_0)
ACTIVATED = Species("A", "activated cells", CELLS, A_0)
MEMORY = Species("M", "memory cells", CELLS, M_0)
BLOCKER = Species("R", "blocker", unit("nM"))

POOLS = Mechanism(
    "pools",
    "three pools of cells",
    species=(NAIVE, ACTIVATED, MEMORY),
    reactions=(
        Reaction("output", s_N, {NAIVE: 1}),
        Reaction("death", d_N * N, {NAIVE: -1}),
        Reaction("activation", k_act * N * ratio, {NAIVE: -1, ACTIVATED: burst}),
        Reaction("leaving", A / tau_A, {ACTIVATED: -1, MEMORY: share}),
        Reaction("loss", d_M * M, {MEMORY: -1}),
    ),
    balances=(
        Balance("share", "share that becomes memory", DIMENSIONLESS, MEMORY, "memory would shrink without any loss"),
        Balance("burst", "cells per activated cell", DIMENSIONLESS, ACTIVATED, "fewer cells leave than enter"),
        Balance("s_N", "thymic output", unit("cell/µL/d"), NAIVE, "the thymus would take up cells"),
    ),
    conditions=(Condition("room", 1 - share, "more cells become memory than there are"),),
    observables=(Observable("memory_share", "share of memory cells", unit("%"), M / (N + M)),),
)
SIGNALING = Mechanism(
    "signaling",
    "a blocker at the receptor",
    species=(BLOCKER,),
    definitions=(
        Definition("ratio", "signal over its baseline", DIMENSIONLESS, signal / at_baseline(signal)),
        Definition("signal", "signal of IL-1", DIMENSIONLESS, occupancy / (occupancy + e50)),
        Definition("occupancy", "receptors that hold IL-1", DIMENSIONLESS, il1 / (1 + il1 + R / K_R)),
    ),
    reactions=(Reaction("clearance", k_R * R, {BLOCKER: -1}),),
    routes=(Route("injection", "blocker", BLOCKER, unit("mg"), gain),),
)
THREE_POOLS = (POOLS, SIGNALING)


ROOT = Path(__file__).resolve().parents[2]


@cache
def registry() -> Any:
    """Units as pint knows them, and cells and weeks as they are written here."""
    import pint

    known: Any = pint.UnitRegistry(non_int_type=Fraction, cache_folder=None)
    known.define("cell = [cell] = _ = cells")
    known.define("@alias week = wk")
    return known


def output(code: str, **environment: str) -> str:
    """What Python code prints in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=ROOT, env=os.environ | environment
    )
    return done.stdout.strip()


def refusal(
    *mechanisms: Mechanism, hypothesis: Hypothesis = NONE, values: dict[str, Parameter] | None = None
) -> InputError:
    """The error in which a composition ends."""
    with pytest.raises(InputError) as caught:
        compose(mechanisms, hypothesis, values=values or {})
    return caught.value
