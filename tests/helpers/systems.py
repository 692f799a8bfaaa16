"""Systems that know their answers in closed form."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import sympy

from simulate.kernels.system import System, equations, infusion
from simulate.solver import FloatArray


def with_route(system: System) -> System:
    """The same system with a route ``in`` that feeds its first state one for one."""
    return replace(
        system,
        rhs=(system.rhs[0] + infusion("in"), *system.rhs[1:]),
        routes=("in",),
        route_targets=(0,),
        gains=(sympy.S.One,),
    )


def in_units(system: System) -> System:
    """The same system with each state in a unit of its own: parameters ``unit of x`` say how large the units are."""
    sizes = {name: sympy.Symbol(f"unit of {name}") for name in system.states}
    larger = {sympy.Symbol(name): size * sympy.Symbol(name) for name, size in sizes.items()}
    units = list(sizes.values())
    return replace(
        system,
        parameters=(*system.parameters, *(unit.name for unit in units)),
        rhs=tuple(rate.xreplace(larger) / unit for rate, unit in zip(system.rhs, units, strict=True)),
        initial=tuple(value / unit for value, unit in zip(system.initial, units, strict=True)),
        gains=tuple(gain / units[target] for gain, target in zip(system.gains, system.route_targets, strict=True)),
    )


ABSORPTION = with_route(
    equations({"depot": "-ka * depot", "central": "ka * depot - ke * central"}, [0.0, 0.0], parameters=["ka", "ke"])
)
"""One compartment with first-order absorption; doses go to the depot."""


def superposed_bateman(times: FloatArray, doses: list[tuple[float, float]], ka: float, ke: float) -> FloatArray:
    """Central amount after doses (time, amount): H. Bateman, Proc. Camb. Philos. Soc. 15 (1910) 423."""
    total = np.zeros_like(times)
    for time, amount in doses:
        since = np.maximum(times - time, 0.0)
        total += amount * ka / (ka - ke) * (np.exp(-ke * since) - np.exp(-ka * since))
    return total


def superposed_infusion(times: FloatArray, doses: list[tuple[float, float, float]], k: float) -> FloatArray:
    """Amount in one compartment with loss rate ``k`` after infusions (time, amount, duration)."""
    total = np.zeros_like(times)
    for time, amount, duration in doses:
        during = np.clip(times - time, 0.0, duration)
        after = np.maximum(times - time - duration, 0.0)
        total += amount / duration / k * -np.expm1(-k * during) * np.exp(-k * after)
    return total
