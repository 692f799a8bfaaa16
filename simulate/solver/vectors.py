"""One number for each lane as one value: what the loop computes with.

A loop over the lanes leaves it to the compiler to find the vector instructions, and for eight lanes it often unrolls
the loop before it looks. Here an expression *is* a vector expression: `load` reads a row of the workspace, operators
act on every lane, `store` writes. Comparisons give masks, and masks choose. What these are to Numba is in
`simulate.solver.vector_code`, which is loaded when something is compiled.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from typing import Any

from simulate.later import Later


def _later(find: Callable[[Any], Any]) -> Any:
    def made() -> Any:
        from simulate.solver import vector_code

        return find(vector_code)

    return Later(made)


def _intrinsic(name: str) -> Any:
    return _later(operator.attrgetter(name))


any_lane = _intrinsic("any_lane")
choose = _intrinsic("choose")
every = _intrinsic("every")
fence = _intrinsic("fence")
first_lane = _intrinsic("first_lane")
lanes_where = _intrinsic("lanes_where")
load = _intrinsic("load")
near_power = _intrinsic("near_power")
near_quotient = _intrinsic("near_quotient")
root = _intrinsic("root")
size = _intrinsic("size")
store = _intrinsic("store")


def weighted(weights: Mapping[int, float]) -> Any:
    """Return the function ``(w, place)``: the sum of weight times row, at ``place`` beyond each of some offsets.

    Parameters
    ----------
    weights
        Weight of each row, by its offset in the workspace.
    """
    return _later(lambda code: code.weighted(weights))
