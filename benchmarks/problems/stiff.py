"""Stiff problems of the field."""

from __future__ import annotations

import numpy as np

from benchmarks.problems.problem import Problem
from simulate.kernels.system import System, equations

ROBER = Problem(
    "ROBER",
    "F. Mazzia, C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (2008)",
    equations(
        {
            "y1": "-0.04 * y1 + 10000 * y2 * y3",
            "y2": "0.04 * y1 - 10000 * y2 * y3 - 30000000 * y2**2",
            "y3": "30000000 * y2**2",
        },
        [1.0, 0.0, 0.0],
    ),
    np.array([0.4, 4.0, 40.0, 4e3, 4e5, 4e7, 1e11]),
    stiff=True,
)

HIRES = Problem(
    "HIRES",
    "F. Mazzia, C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (2008)",
    equations(
        {
            "y1": "-1.71 * y1 + 0.43 * y2 + 8.32 * y3 + 0.0007",
            "y2": "1.71 * y1 - 8.75 * y2",
            "y3": "-10.03 * y3 + 0.43 * y4 + 0.035 * y5",
            "y4": "8.32 * y2 + 1.71 * y3 - 1.12 * y4",
            "y5": "-1.745 * y5 + 0.43 * y6 + 0.43 * y7",
            "y6": "-280 * y6 * y8 + 0.69 * y4 + 1.71 * y5 - 0.43 * y6 + 0.69 * y7",
            "y7": "280 * y6 * y8 - 1.81 * y7",
            "y8": "-280 * y6 * y8 + 1.81 * y7",
        },
        [1.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0057],
    ),
    np.array([10.0, 100.0, 321.8122, 421.8122]),
    stiff=True,
)

OREGO = Problem(
    "OREGO",
    "F. Mazzia, C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (2008)",
    equations(
        {
            "y1": "77.27 * (y2 + y1 * (1 - 8.375e-6 * y1 - y2))",
            "y2": "(y3 - (1 + y1) * y2) / 77.27",
            "y3": "0.161 * (y1 - y3)",
        },
        [1.0, 2.0, 3.0],
    ),
    np.array([30.0, 60.0, 120.0, 180.0, 240.0, 300.0, 360.0]),
    stiff=True,
)

VDPOL = Problem(
    "VDPOL",
    "F. Mazzia, C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (2008)",
    equations({"y1": "y2", "y2": "((1 - y1**2) * y2 - y1) / 0.000001"}, [2.0, 0.0]),
    np.array([0.5, 1.0, 1.5, 2.0]),
    stiff=True,
)

E5 = Problem(
    "E5",
    "F. Mazzia, C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (2008)",
    equations(
        {
            "y1": "-7.89e-10 * y1 - 1.1e7 * y1 * y3",
            "y2": "7.89e-10 * y1 - 1.13e9 * y2 * y3",
            "y3": "7.89e-10 * y1 - 1.1e7 * y1 * y3 + 1.13e3 * y4 - 1.13e9 * y2 * y3",
            "y4": "1.1e7 * y1 * y3 - 1.13e3 * y4",
        },
        [1.76e-3, 0.0, 0.0, 0.0],
    ),
    np.array([1e1, 1e3, 1e5]),
    stiff=True,
)

_POLLU_RATES = (
    ("0.35", "y1"),
    ("26.6", "y2 * y4"),
    ("12300", "y5 * y2"),
    ("0.00086", "y7"),
    ("0.00082", "y7"),
    ("15000", "y7 * y6"),
    ("0.00013", "y9"),
    ("24000", "y9 * y6"),
    ("16500", "y11 * y2"),
    ("9000", "y11 * y1"),
    ("0.022", "y13"),
    ("12000", "y10 * y2"),
    ("1.88", "y14"),
    ("16300", "y1 * y6"),
    ("4800000", "y3"),
    ("0.00035", "y4"),
    ("0.0175", "y4"),
    ("100000000", "y16"),
    ("444000000000", "y16"),
    ("1240", "y17 * y6"),
    ("2.1", "y19"),
    ("5.78", "y19"),
    ("0.0474", "y1 * y4"),
    ("1780", "y19 * y1"),
    ("3.12", "y20"),
)
_POLLU_CHANGES = (
    {1: -1, 10: -1, 14: -1, 23: -1, 24: -1, 2: 1, 3: 1, 9: 1, 11: 1, 12: 1, 22: 1, 25: 1},
    {2: -1, 3: -1, 9: -1, 12: -1, 1: 1, 21: 1},
    {15: -1, 1: 1, 17: 1, 19: 1, 22: 1},
    {2: -1, 16: -1, 17: -1, 23: -1, 15: 1},
    {3: -1, 4: 2, 6: 1, 7: 1, 13: 1, 20: 1},
    {6: -1, 8: -1, 14: -1, 20: -1, 3: 1, 18: 2},
    {4: -1, 5: -1, 6: -1, 13: 1},
    {4: 1, 5: 1, 6: 1, 7: 1},
    {7: -1, 8: -1},
    {12: -1, 7: 1, 9: 1},
    {9: -1, 10: -1, 8: 1, 11: 1},
    {9: 1},
    {11: -1, 10: 1},
    {13: -1, 12: 1},
    {14: 1},
    {18: -1, 19: -1, 16: 1},
    {20: -1},
    {20: 1},
    {21: -1, 22: -1, 24: -1, 23: 1, 25: 1},
    {25: -1, 24: 1},
)


def _pollu() -> System:
    rates = {
        f"y{state}": " + ".join(
            f"({sign}) * {_POLLU_RATES[reaction - 1][0]} * {_POLLU_RATES[reaction - 1][1]}"
            for reaction, sign in changes.items()
        )
        for state, changes in enumerate(_POLLU_CHANGES, start=1)
    }
    initial = np.zeros(20)
    initial[[1, 3, 6, 7, 8, 16]] = 0.2, 0.04, 0.1, 0.3, 0.01, 0.007
    return equations(rates, initial.tolist())


POLLU = Problem(
    "POLLU",
    "F. Mazzia, C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (2008)",
    _pollu(),
    np.array([1.0, 10.0, 30.0, 60.0]),
    stiff=True,
)

PROTHERO_ROBINSON = Problem(
    "PROTHERO-ROBINSON",
    "A. Prothero, A. Robinson, Math. Comp. 28 (1974) 145; closed form",
    equations({"y": "-1000 * (y - exp(-t)) - exp(-t)"}, [0.0]),
    np.array([0.1, 1.0, 3.0]),
    stiff=True,
)
