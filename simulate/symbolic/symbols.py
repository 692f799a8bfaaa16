"""The symbol and the function that every model has."""

from __future__ import annotations

import sympy

from simulate.symbolic.naming import TIME_NAME

TIME = sympy.Symbol(TIME_NAME)
"""Time in days since the start of the simulation."""

at_baseline = sympy.Function("at_baseline")
"""``at_baseline(x)`` is the value of the expression ``x`` in the state from which every trajectory starts."""
