"""Machine code that was made before: loaded into the process, and called, without any compiler.

Functions follow Numba's convention for a call: first come places for a result and an error, then the arguments, of
which an array is its owner, its object, its size, the size of an element, its data, its shape and its strides, and a
tuple its parts.
"""

from __future__ import annotations

import ctypes
import functools
import importlib
import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from llvmlite import binding

_NUMBERS: dict[str, Any] = {
    "int64": ctypes.c_int64,
    "float64": ctypes.c_double,
    "bool": ctypes.c_bool,
    "none": ctypes.c_void_p,
}

_OF_NUMBA = re.compile(rb"\0(?:numba_|NRT_|__svml_)")
"""Beginnings of names of functions that are there when Numba is loaded."""

Argument = str | Sequence[Any]
"""What is taken: ``int64``, ``float64``, ``bool``, an array such as ``float64 2`` with its number of dimensions, or
several of these in a tuple."""


@functools.cache
def machine() -> tuple[str, str, str]:
    """For which machine code is made in this process: system, processor, and what that can do."""
    features = binding.get_host_cpu_features().flatten()
    return binding.get_process_triple(), binding.get_host_cpu_name(), features


@functools.cache
def _engine() -> Any:
    binding.initialize_native_target()
    binding.initialize_native_asmprinter()
    target = binding.Target.from_triple(binding.get_process_triple()).create_target_machine(jit=True)
    return binding.create_mcjit_compiler(binding.parse_assembly(""), target)


def load(symbol: str, code: bytes) -> int:
    """Address of a function in an object file, all of which is loaded."""
    if _OF_NUMBA.search(code):
        # LLVM ends the process where it does not find what code calls.
        importlib.import_module("numba")
    engine = _engine()
    engine.add_object_file(binding.ObjectFileRef.from_data(code))
    engine.finalize_object()
    address: int = engine.get_function_address(symbol)
    return address


class Native:
    """Machine code that Python can call, and compiled code by its ``address``.

    Parameters
    ----------
    address
        Where it is.
    takes, returns
        Its arguments, and a number or ``none``.
    """

    def __init__(self, address: int, takes: Sequence[Argument], returns: str) -> None:
        self.address, self._takes, self._returns = address, tuple(takes), returns
        kinds = [kind for part in self._takes for kind in _kinds(part)]
        self._run = ctypes.CFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *kinds)(address)

    def __call__(self, *arguments: Any) -> Any:
        if len(arguments) != len(self._takes):
            raise TypeError(f"{len(arguments)} arguments were given, and {len(self._takes)} are taken")
        result = _NUMBERS[self._returns]()
        values = [value for pair in zip(self._takes, arguments, strict=True) for value in _values(*pair)]
        self._run(ctypes.addressof(result), None, *values)
        return result.value


def header(symbol: str, takes: Sequence[Argument], returns: str) -> bytes:
    """First line of what `kept` reads."""
    return json.dumps([symbol, takes, returns]).encode() + b"\n"


def kept(payload: bytes) -> Native:
    """The function of an object file behind a `header`."""
    first, _, code = payload.partition(b"\n")
    symbol, takes, returns = json.loads(first)
    return Native(load(symbol, code), takes, returns)


def _kinds(argument: Argument) -> Iterator[Any]:
    if not isinstance(argument, str):
        for part in argument:
            yield from _kinds(part)
    elif " " in argument:
        dimensions = int(argument.rpartition(" ")[2])
        yield from (ctypes.c_void_p, ctypes.c_void_p, ctypes.c_ssize_t, ctypes.c_ssize_t, ctypes.c_void_p)
        yield from (ctypes.c_ssize_t,) * (2 * dimensions)
    else:
        yield _NUMBERS[argument]


def _values(argument: Argument, value: Any) -> Iterator[Any]:
    if not isinstance(argument, str):
        for pair in zip(argument, value, strict=True):
            yield from _values(*pair)
    elif " " in argument:
        kind, _, dimensions = argument.rpartition(" ")
        if not isinstance(value, np.ndarray) or value.dtype != kind or value.ndim != int(dimensions):
            raise TypeError(f"an array of {kind} with {dimensions} dimensions is taken, not {value!r}")
        if not value.flags.c_contiguous:
            raise TypeError("an array is taken whose elements lie one after another")
        yield from (None, None, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides)
    else:
        yield float(value) if argument == "float64" else int(value)
