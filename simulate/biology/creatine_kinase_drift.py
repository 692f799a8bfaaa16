"""Creatine kinase in serum that follows damage, and drifts without any treatment.

Over ``t_drift`` days the level of a patient changes by the factor ``ck_drift``, which differs between patients by the
natural variation seen under a drug that did not work. The drift slows down, to reach twice its logarithm in the end. It
is zero at the start, and the typical patient has none.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.muscle import CK_0, CREATINE_KINASE, DAMAGE, k_CK
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Definition, Mechanism, Reaction
from simulate.symbolic.symbols import TIME
from simulate.symbolic.units import DIMENSIONLESS

ck_drift, t_drift = symbols("ck_drift t_drift")

DRIFT = Definition(
    "ck_natural", "natural drift of creatine kinase, as a factor", DIMENSIONLESS,
    ck_drift ** (2 * TIME / (TIME + t_drift)),
)  # fmt: skip

CREATINE_KINASE_DRIFTING = Mechanism(
    name="creatine_kinase_drifting",
    title="Creatine kinase in serum, with its natural drift",
    species=(CREATINE_KINASE,),
    definitions=(DRIFT,),
    reactions=(
        Reaction("ck_release", k_CK * CK_0 * DAMAGE * DRIFT, {CREATINE_KINASE: 1}),
        Reaction("ck_loss", k_CK * CREATINE_KINASE, {CREATINE_KINASE: -1}),
    ),
)

CK_DRIFT = Hypothesis(
    name="ck-drift",
    title="Creatine kinase drifts by itself",
    replace=(("creatine_kinase", CREATINE_KINASE_DRIFTING),),
)
