"""Expressions as functions of arrays: text, so that it can be kept, and its names."""

from __future__ import annotations

import builtins
import functools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import CodeType, FunctionType
from typing import Any

import numpy as np


@dataclass(frozen=True, slots=True)
class NumpyFunction:
    """A function of the values of symbols, numbers or arrays, that gives one value for each of its results.

    ``text`` is Python that was written of expressions (`simulate.kernels.vectorfield.numpy_function`), with names of
    its own for all that a model names.
    """

    text: str

    def __call__(self, values: Sequence[Any], /) -> list[Any]:
        return _function(self.text)(values)


@functools.lru_cache(maxsize=256)
def _function(text: str) -> Callable[[Sequence[Any]], list[Any]]:
    module = compile(text, "<in NumPy>", "exec", dont_inherit=True)
    (code,) = (part for part in module.co_consts if isinstance(part, CodeType))
    return FunctionType(code, {name: _named(name) for name in code.co_names})


def _named(name: str) -> Any:
    return IN_NUMPY[name] if name in IN_NUMPY else getattr(np, name, None) or getattr(builtins, name)


def _share(s: Any, n: Any) -> Any:
    p, is_above = _smaller(s, n)
    return np.where(is_above, 1.0, p) / (1.0 + p)


def _smaller(s: Any, n: Any) -> tuple[Any, Any]:
    """The smaller of ``s**n`` and its inverse, and whether it is the inverse."""
    s, n = np.asarray(s, dtype=float), np.asarray(n, dtype=float)
    return np.where(np.abs(s) > 1.0, 1.0 / s, s) ** np.abs(n), (np.abs(s) > 1.0) == (n >= 0.0)


def _logistic(u: Any) -> Any:
    return _share(np.exp(np.clip(u, -700.0, 700.0)), 1.0)


def _weight(s: Any, n: Any, j: Any) -> Any:
    s, n = np.asarray(s, dtype=float), np.abs(n)
    r = np.where(np.abs(s) > 1.0, 1.0 / s, s)
    return r ** np.where(np.abs(s) > 1.0, n + j, n - j) / (1.0 + r**n) ** 2


def _weight_log(s: Any, n: Any, j: Any) -> Any:
    factor = _weight(s, n, j)
    return np.where(factor == 0.0, 0.0, factor * np.log(s))


IN_NUMPY = {
    "share": _share,
    "weight": _weight,
    "weight_log": _weight_log,
    "logistic": _logistic,
    "softplus": lambda u: np.logaddexp(0.0, u),
    "above": lambda a, b: np.where(np.greater(a, b), 1.0, 0.0),
    "at_least": lambda a, b: np.where(np.greater_equal(a, b), 1.0, 0.0),
    "same": lambda a, b: np.where(np.equal(a, b), 1.0, 0.0),
    "no": lambda condition: 1.0 - condition,
    "both": lambda *conditions: functools.reduce(np.minimum, conditions),
    "either": lambda *conditions: functools.reduce(np.maximum, conditions),
    "choose": lambda condition, a, b: np.where(np.greater(condition, 0.5), a, b),
    "floor": np.floor,
    "sign": np.sign,
    "reduce": functools.reduce,
}
"""The functions by name, for arrays."""
