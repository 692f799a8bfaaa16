"""Machine code that was made before: where it is kept, how it is loaded into the process, and how it is called.

No compiler is loaded for it. What is kept is in a folder with the hash of all sources, of the compilers and of their
settings, and in it a file for each function, signature and processor, as `simulate.cache` keeps them.

Functions follow Numba's convention for a call: first come places for a result and an error, then the arguments, of
which an array is its owner, its object, its size, the size of an element, its data, its shape and its strides, and a
tuple its parts.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import importlib
import json
import linecache
import os
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from llvmlite import binding

from simulate import cache
from simulate.versions import version_of

_FILE = ".numba_config.yaml"
"""Where Numba finds settings, in the current folder."""

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
several of these in a tuple. ``constant float64 2`` is an array that is read alone."""

_CONSTANT = "constant "

_IDLE = (
    "NUMBA_CACHE_", "NUMBA_COLOR_SCHEME", "NUMBA_CUDA_", "NUMBA_DEBUG_", "NUMBA_DEVELOPER_", "NUMBA_DISABLE_ERROR_",
    "NUMBA_DISABLE_PERFORMANCE_", "NUMBA_DUMP_", "NUMBA_ENABLE_CUDASIM", "NUMBA_FULL_TRACEBACKS", "NUMBA_NUM_THREADS",
    "NUMBA_SHOW_HELP", "NUMBA_THREADING_", "NUMBA_WARNINGS",
)  # fmt: skip
"""Beginnings of the names of settings that decide no bit of a result."""


@functools.cache
def fingerprint() -> str:
    """Hash of everything but a model that decides the bits of a result: sources, compilers and what they are told."""
    digest = hashlib.blake2b(digest_size=8)
    package = Path(__file__).parent
    here = [package / f"{name}.py" for name in ("compiled", "compiling", "emitted", "emitting", "later", "native")]
    for path in sorted([*here, *package.glob("solver/**/*.py"), *package.glob("kernels/**/*.py")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    versions = map(version_of, ("numba", "llvmlite", "numpy"))
    # Who loaded Numba before may have told it something else.
    numba: Any = sys.modules.get("numba.core.config")
    earlier = {} if numba is None else _decisive(numba._env_reloader.old_environ)
    told = [f"{name}={value}" for name, value in sorted({**earlier, **_told()}.items())]
    digest.update("\0".join((*versions, *told)).encode())
    return digest.hexdigest()


@functools.cache
def _told() -> dict[str, str]:
    """What the compilers were told when this process first looked for code."""
    return _settings()


def _settings() -> dict[str, str]:
    """What the environment and Numba's file of settings tell the compilers now."""
    found = {name: value for name, value in os.environ.items() if name.startswith(("NUMBA_", "LLVM"))}
    with contextlib.suppress(OSError):
        found[_FILE] = Path(_FILE).read_text(encoding="utf-8", errors="replace")
    return _decisive(found)


def _decisive(settings: Mapping[str, str]) -> dict[str, str]:
    return {name: value for name, value in settings.items() if not name.startswith(_IDLE)}


@functools.cache
def cache_directory() -> Path | None:
    """Folder for compiled code of these sources, compilers and settings; None where there is none that can be used."""
    return cache.cache_folder(fingerprint())


def keep(path: Path, code: bytes) -> None:
    """Write code for later processes; not where the compilers may have been told what its folder does not say."""
    if _settings() == _told():
        cache.save(path, code)
    else:
        cache.without("since this process began, other settings were made for Numba")


@functools.cache
def machine() -> tuple[str, str, str, str]:
    """For which machine code is made in this process: system, processor, what that can do, and vector functions."""
    features = binding.get_host_cpu_features().flatten()
    functions = "SVML" if _has_svml() else ""
    return binding.get_process_triple(), binding.get_host_cpu_name(), features, functions


def _has_svml() -> bool:
    """Whether Numba, when it is loaded, lets loops call Intel's vector functions: it asks the same."""
    if not binding.targets.has_svml():
        return False
    names = {"linux": "libsvml.so", "darwin": "libsvml.dylib", "win32": "svml_dispmd"}
    try:
        binding.load_library_permanently(names[sys.platform])
    except (KeyError, RuntimeError):
        return False
    return True


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
        kind, _, dimensions = argument.removeprefix(_CONSTANT).rpartition(" ")
        if not isinstance(value, np.ndarray) or value.dtype != kind or value.ndim != int(dimensions):
            raise TypeError(f"an array of {kind} with {dimensions} dimensions is taken, not {value!r}")
        if not (value.flags.c_contiguous and value.flags.aligned):
            raise TypeError("an array is taken whose elements lie one after another")
        if not (value.flags.writeable or argument.startswith(_CONSTANT)):
            raise TypeError("an array is taken that can be written to")
        yield from (None, None, value.size, value.itemsize, value.ctypes.data, *value.shape, *value.strides)
    else:
        yield float(value) if argument == "float64" else int(value)


def symbol_of(name: str, text: str) -> str:
    """Name of what follows from a text on this machine."""
    given = (text, *machine(), fingerprint())
    digest = hashlib.blake2b("\0".join(given).encode(), digest_size=16).hexdigest()
    return f"{name}-{digest}"


def made_once(symbol: str, make: Callable[[], bytes]) -> bytes:
    """Code from the cache, or made and kept there."""
    folder = cache_directory()
    path = None if folder is None else folder / f"{symbol}.bin"
    code = None if path is None else cache.load(path)
    if code is None:
        code = make()
        if path is not None:
            keep(path, code)
    return code


def source_of(function: Callable[..., Any]) -> str:
    """Text of the module that a function is from."""
    names = function.__globals__
    loader: Any = names.get("__loader__")
    if hasattr(loader, "get_source"):
        # A module that was started under another name is not known to its own loader.
        with contextlib.suppress(ImportError):
            return str(loader.get_source(names["__name__"]))
    return "".join(linecache.getlines(function.__code__.co_filename, names))
