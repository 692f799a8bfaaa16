"""The same system solved by diffrax: one compiled function from parameters to recorded states."""

from __future__ import annotations

from collections.abc import Callable

import diffrax
import jax
import jax.numpy as jnp
import numpy as np
import sympy

from simulate.kernels.system import System, infusion
from simulate.solver import FloatArray
from simulate.symbolic.parts import TIME

jax.config.update("jax_enable_x64", True)


def compiled_peer(
    system: System, times: FloatArray, *, days: int, dose: float, rtol: float, atol: float
) -> Callable[[FloatArray], FloatArray]:
    """Function from parameters [member, parameter] to states [member, time, state]: a dose a day, solved day by day."""
    parameters = [sympy.Symbol(name) for name in system.parameters]
    names = [*parameters, *(symbol for symbol, _ in system.constants)]
    states = [sympy.Symbol(name) for name in system.states]
    rates = {infusion(route): 0 for route in system.routes}
    steps = [
        sympy.lambdify([names[: len(parameters) + index]], expression, modules="jax")
        for index, (_, expression) in enumerate(system.constants)
    ]
    initial = sympy.lambdify([names], list(system.initial), modules="jax", cse=True)
    gain = sympy.lambdify([names], system.gains[0], modules="jax")
    rhs = sympy.lambdify([TIME, states, names], [rate.xreplace(rates) for rate in system.rhs], modules="jax", cse=True)
    term = diffrax.ODETerm(lambda time, y, values: jnp.stack(rhs(time, y, values)))
    controller = diffrax.PIDController(rtol=rtol, atol=atol)

    def one_day(
        state: tuple[jax.Array, list[jax.Array], jax.Array], _: None
    ) -> tuple[tuple[jax.Array, list[jax.Array], jax.Array], jax.Array]:
        y, values, amount = state
        y = y.at[system.route_targets[0]].add(amount)
        solution = diffrax.diffeqsolve(
            term,
            diffrax.Tsit5(),
            t0=0.0,
            t1=1.0,
            dt0=0.01,
            y0=y,
            args=values,
            stepsize_controller=controller,
            saveat=diffrax.SaveAt(t1=True),
            max_steps=4096,
        )
        assert solution.ys is not None
        return (solution.ys[0], values, amount), solution.ys[0]

    def one_member(own: jax.Array) -> jax.Array:
        values = list(own)
        for step in steps:
            values.append(step(values))
        y0 = jnp.stack([jnp.asarray(value, dtype=jnp.float64) for value in initial(values)])
        _, ends = jax.lax.scan(one_day, (y0, values, jnp.asarray(dose * gain(values))), None, length=days)
        # A recorded value at the time of a dose is the one after it.
        after = ends.at[: days - 1, system.route_targets[0]].add(dose * gain(values))
        first = y0.at[system.route_targets[0]].add(dose * gain(values))
        every_day = jnp.concatenate([first[None], after])
        return every_day[jnp.asarray(np.rint(times).astype(int))]

    batched = jax.jit(jax.vmap(one_member))
    return lambda parameters: np.asarray(batched(jnp.asarray(parameters)))
