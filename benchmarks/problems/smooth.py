"""Problems that are not stiff."""

from __future__ import annotations

import numpy as np

from benchmarks.problems.problem import Problem, until
from simulate.kernels.system import System, equations

LOGISTIC = Problem(
    "LOGISTIC",
    "P.-F. Verhulst, Corr. math. phys. 10 (1838) 113; closed form",
    equations({"y": "y * (1 - y)"}, [0.1]),
    until(8.0),
    stiff=False,
)

LOTKA = Problem(
    "LOTKA-VOLTERRA",
    "E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed. (1993), I.1",
    equations({"prey": "1.5 * prey - prey * hunter", "hunter": "prey * hunter - 3 * hunter"}, [10.0, 5.0]),
    until(10.0),
    stiff=False,
)

BRUSSELATOR = Problem(
    "BRUSSELATOR",
    "E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed. (1993), II.4",
    equations({"y1": "1 + y1**2 * y2 - 4 * y1", "y2": "3 * y1 - y1**2 * y2"}, [1.5, 3.0]),
    until(20.0),
    stiff=False,
)

LORENZ = Problem(
    "LORENZ",
    "E. N. Lorenz, J. Atmos. Sci. 20 (1963) 130",
    equations({"x": "10 * (y - x)", "y": "x * (28 - z) - y", "z": "x * y - 8 / 3 * z"}, [1.0, 1.0, 1.0]),
    until(5.0),
    stiff=False,
)

FORCED = Problem(
    "FORCED OSCILLATOR",
    "an oscillator with a force that depends on time",
    equations({"x": "v", "v": "exp(-t / 10) * t / (1 + t) - 4 * x"}, [1.0, 0.0]),
    until(12.0),
    stiff=False,
)


def _arenstorf() -> System:
    mu = "0.012277471"
    near = f"((x + {mu})**2 + y**2) ** (3 / 2)"
    far = f"((x - 1 + {mu})**2 + y**2) ** (3 / 2)"
    return equations(
        {
            "x": "u",
            "y": "v",
            "u": f"x + 2 * v - (1 - {mu}) * (x + {mu}) / {near} - {mu} * (x - 1 + {mu}) / {far}",
            "v": f"y - 2 * u - (1 - {mu}) * y / {near} - {mu} * y / {far}",
        },
        [0.994, 0.0, 0.0, -2.00158510637908252240537862224],
    )


ARENSTORF = Problem(
    "ARENSTORF",
    "E. Hairer, S. P. Nørsett, G. Wanner, Solving Ordinary Differential Equations I, 2nd ed. (1993), II.0",
    _arenstorf(),
    np.array([4.0, 8.0, 11.0]),
    stiff=False,
    gate=1e4,
    has_series=False,
)


def _pleiades() -> System:
    """Seven stars in a plane, with masses 1 to 7, that attract each other."""
    stars = range(1, 8)
    rates = {f"x{i}": f"u{i}" for i in stars} | {f"y{i}": f"v{i}" for i in stars}
    for speed, place in (("u", "x"), ("v", "y")):
        for i in stars:
            rates[f"{speed}{i}"] = " + ".join(
                f"{j} * ({place}{j} - {place}{i}) / ((x{i} - x{j})**2 + (y{i} - y{j})**2) ** (3 / 2)"
                for j in stars
                if j != i
            )
    places = [3.0, 3.0, -1.0, -3.0, 2.0, -2.0, 2.0, 3.0, -3.0, 2.0, 0.0, 0.0, -4.0, 4.0]
    speeds = [0.0, 0.0, 0.0, 0.0, 0.0, 1.75, -1.5, 0.0, 0.0, 0.0, -1.25, 1.0, 0.0, 0.0]
    return equations(rates, [*places, *speeds])


PLEIADES = Problem(
    "PLEIADES",
    "F. Mazzia, C. Magherini, Test Set for Initial Value Problem Solvers, release 2.4 (2008)",
    _pleiades(),
    np.array([0.5, 1.0, 2.0, 3.0]),
    stiff=False,
    gate=3000.0,
    has_series=False,
)

RIGID_BODY = Problem(
    "RIGID BODY",
    "F. T. Krogh (1973), as in W. H. Enright, J. D. Pryce, ACM Trans. Math. Softw. 13 (1987) 1, B5; elliptic functions",
    equations({"a": "b * c", "b": "-a * c", "c": "-0.51 * a * b"}, [0.0, 1.0, 1.0]),
    until(12.0, 6),
    stiff=False,
)

FITZHUGH_NAGUMO = Problem(
    "FITZHUGH-NAGUMO",
    "R. FitzHugh, Biophys. J. 1 (1961) 445",
    equations({"v": "v - v**3 / 3 - w + 0.5", "w": "0.08 * (v + 0.7 - 0.8 * w)"}, [-1.0, 1.0]),
    until(60.0, 6),
    stiff=False,
)

EPIDEMIC = Problem(
    "EPIDEMIC",
    "W. O. Kermack, A. G. McKendrick, Proc. R. Soc. A 115 (1927) 700",
    equations(
        {"s": "-0.6 * s * i", "i": "0.6 * s * i - 0.2 * i", "r": "0.2 * i"},
        [0.999, 0.001, 0.0],
    ),
    until(80.0, 4),
    stiff=False,
)

TOGGLE = Problem(
    "TOGGLE SWITCH",
    "T. S. Gardner, C. R. Cantor, J. J. Collins, Nature 403 (2000) 339, in its symmetric form",
    equations({"u": "10 / (1 + v**2) - u", "v": "10 / (1 + u**2) - v"}, [1.02, 1.0]),
    until(15.0, 5),
    stiff=False,
)
