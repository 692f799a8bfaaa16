"""Problems of pharmacology, most of them with doses; closed forms where there are any."""

from __future__ import annotations

import numpy as np

from benchmarks.problems.problem import Problem, boluses, infusion_of, with_route
from simulate.kernels.system import System, equations

ENZYME = Problem(
    "ENZYME",
    "L. Michaelis, M. L. Menten, Biochem. Z. 49 (1913) 333, without the quasi-steady state",
    equations(
        {
            "e": "-1000 * e * s + 1010 * c",
            "s": "-1000 * e * s + 10 * c",
            "c": "1000 * e * s - 1010 * c",
            "p": "1000 * c",
        },
        [0.01, 1.0, 0.0, 0.0],
    ),
    np.array([1e-3, 1e-2, 0.1, 0.3, 1.0]),
    stiff=True,
)

BATEMAN = Problem(
    "BATEMAN",
    "H. Bateman, Proc. Camb. Philos. Soc. 15 (1910) 423, superposed for 28 daily doses; closed form",
    with_route(equations({"depot": "-4.1 * depot", "central": "4.1 * depot - 16.9 * central"}, [0.0, 0.0])),
    np.array([0.0, 0.1, 1.0, 3.5, 13.99, 27.25, 28.0]),
    stiff=False,
    stops=boluses(range(28), 100.0),
)

TWO_COMPARTMENTS = Problem(
    "TWO COMPARTMENTS",
    "M. Gibaldi, D. Perrier, Pharmacokinetics, 2nd ed. (1982), chapter 2; bolus and infusions, closed form",
    with_route(equations({"c": "-0.9 * c - 2.3 * c + 0.4 * p", "p": "2.3 * c - 0.4 * p"}, [0.0, 0.0])),
    np.array([0.0, 0.5, 1.0, 1.75, 3.0, 6.0, 12.0]),
    stiff=False,
    stops=(*boluses([0.0, 1.0], 10.0), *infusion_of(0.5, 30.0, 1.25), *infusion_of(3.0, 8.0, 0.25)),
)

_STAGES = 6


def _erlang() -> System:
    rates = {"c1": "-3 * c1"}
    rates |= {f"c{stage}": f"3 * c{stage - 1} - 3 * c{stage}" for stage in range(2, _STAGES)}
    rates[f"c{_STAGES}"] = f"3 * c{_STAGES - 1}"
    return with_route(equations(rates, [0.0] * _STAGES))


ERLANG = Problem(
    "ERLANG",
    "transit compartments: R. M. Savic and others, J. Pharmacokinet. Pharmacodyn. 34 (2007) 711; closed form",
    _erlang(),
    np.array([0.25, 1.0, 2.0, 2.5, 4.0, 8.0]),
    stiff=False,
    stops=boluses([0.0, 2.0], 50.0),
)

SATURABLE = Problem(
    "SATURABLE LOSS",
    "S. Beal, J. Pharmacokinet. Biopharm. 10 (1982) 109; closed form by Lambert's W",
    with_route(equations({"a": "-20 * a / (3 + a)"}, [0.0])),
    np.array([0.0, 1.0, 3.0, 4.0, 6.5, 8.0]),
    stiff=False,
    stops=boluses([0.0, 4.0], 60.0),
)

TURNOVER = Problem(
    "TURNOVER",
    "N. L. Dayneka, V. Garg, W. J. Jusko, J. Pharmacokinet. Biopharm. 21 (1993) 457, model I with daily doses",
    with_route(
        equations(
            {
                "depot": "-8 * depot",
                "drug": "8 * depot - 3 * drug",
                "response": "10 * (1 - 0.95 * drug / (0.5 + drug)) - 0.2 * response",
            },
            [0.0, 0.0, 50.0],
        )
    ),
    np.array([0.5, 1.0, 2.0, 5.0, 7.0, 14.0]),
    stiff=False,
    stops=boluses(range(7), 20.0),
)

TARGET_MEDIATED = Problem(
    "TARGET-MEDIATED",
    "D. E. Mager, W. J. Jusko, J. Pharmacokinet. Pharmacodyn. 28 (2001) 507; rates that make it stiff, weekly doses",
    with_route(
        equations(
            {
                "free": "-0.2 * free - 5000 * free * target + 0.5 * bound",
                "target": "2 - 1.5 * target - 5000 * free * target + 0.5 * bound",
                "bound": "5000 * free * target - 0.5 * bound - 0.8 * bound",
            },
            [0.0, "4 / 3", 0.0],
        )
    ),
    np.array([1e-3, 1.0, 7.0, 10.0, 14.0, 21.0, 28.0]),
    stiff=True,
    stops=boluses([0.0, 7.0, 14.0], 40.0),
)
