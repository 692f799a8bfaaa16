"""Machine code made with LLVM directly, without Numba's front end.

It follows Numba's convention for a call, and is kept on disk where `simulate.compiled` keeps what Numba makes.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
from collections.abc import Callable, Iterable
from typing import Any

import numba
import numpy as np
from llvmlite import ir
from llvmlite.binding import (
    Linkage,
    ObjectFileRef,
    Target,
    add_symbol,
    create_new_module_pass_manager,
    get_process_triple,
    parse_bitcode,
)
from numba import types
from numba.core import codegen, compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.core.targetconfig import ConfigStack

from simulate import cache
from simulate.compiled import LOCK, OPTIONS, WORKSPACE, Compiled, cache_directory, fingerprint
from simulate.interruption import heed
from simulate.uncollected import uncollected

_numba: Any = numba
_target: Any = cpu_target
_Flags: Any = compiler.Flags
_ConfigStack: Any = ConfigStack


class Emitted:
    """Machine code of a function of the workspace, which Python can call, and compiled code by its ``address``."""

    def __init__(self, address: int) -> None:
        self.address = address
        self._run = _CALLED(address)

    def __call__(self, w: Any, /) -> None:
        self._run(None, None, None, None, w.size, w.itemsize, w, w.size, w.itemsize)


_ARRAY: Any = np.ctypeslib.ndpointer(np.float64, 1, flags=("C_CONTIGUOUS", "WRITEABLE"))
_CALLED = ctypes.CFUNCTYPE(
    ctypes.c_int32, *[ctypes.c_void_p] * 4, *[ctypes.c_ssize_t] * 2, _ARRAY, *[ctypes.c_ssize_t] * 2
)
"""Numba's convention: room for a result and an error, and the parts of an array."""

Writer = Callable[[Any, Any, Any, Any], None]
"""Writes instructions; given are Numba's contexts of types and of the machine, a builder, and where a workspace is."""

_EMITTED: dict[str, Emitted] = {}


def emitted(name: str, text: str, write: Writer, *, is_simple: bool = False, calls: Iterable[Compiled] = ()) -> Emitted:
    """A function of the workspace whose instructions are written past Numba, or loaded from the cache.

    Parameters
    ----------
    name
        For readers.
    text
        What the instructions follow from: where it is the same, so are they.
    write
        Writes them.
    is_simple
        Whether there is nothing in them for LLVM to simplify, which takes it as long as to translate them.
    calls
        Compiled functions that are called, by their ``symbol``.
    """
    for function in calls:
        add_symbol(function.symbol, function.address)
    symbol = _symbol(name, text)
    with LOCK:
        if symbol not in _EMITTED:
            code = _made_once(symbol, lambda: _object_code(symbol, write, _SimpleObject if is_simple else _Object))
            engine = _target.target_context.codegen()._engine._ee
            engine.add_object_file(ObjectFileRef.from_data(code))
            engine.finalize_object()
            _EMITTED[symbol] = Emitted(engine.get_function_address(symbol))
    heed()
    return _EMITTED[symbol]


def _symbol(name: str, text: str) -> str:
    """Name of what follows from a text on this machine."""
    machine = (*_target.target_context.codegen().magic_tuple(), _numba.config.USING_SVML, fingerprint())
    digest = hashlib.blake2b("\0".join(map(str, (text, *machine))).encode(), digest_size=16).hexdigest()
    return f"{name}-{digest}"


def _made_once(symbol: str, make: Callable[[], bytes]) -> bytes:
    """Code from the cache, or made and kept there."""
    folder = cache_directory()
    path = None if folder is None else folder / f"{symbol}.bin"
    code = None if path is None else cache.load(path)
    if code is None:
        code = make()
        if path is not None:
            cache.save(path, code)
    return code


@functools.cache
def native_width() -> int:
    """How many numbers there are in a vector of this machine."""
    return 8 if has_feature("avx512f") else 4 if has_feature("avx") else 2


def has_feature(name: str) -> bool:
    """Whether code is made for a processor with a feature, by LLVM's name for it."""
    _, _, features = _target.target_context.codegen().magic_tuple()
    return f"+{name}" in features.split(",")


@functools.cache
def _translator() -> Any:
    """What makes machine code of long functions without branches.

    At LLVM's next levels a second pass orders the instructions anew after registers have been given out, for machines
    that cannot do so themselves: for a function four times as long it takes ten times as long, and does nothing for
    its speed here.
    """
    options: dict[str, Any] = {"opt": 1}
    _target.target_context.codegen()._customize_tm_options(options)
    return Target.from_triple(get_process_triple()).create_target_machine(**options)


class _Object(codegen.AOTCodeLibrary):
    """Code that is translated and not run."""

    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)  # type: ignore[no-untyped-call]
        self._called: dict[str, bytes] = {}
        self._calls = 0

    def _finalize_final_module(self) -> None:
        self._finalized = True

    def _optimize_functions(self, ll_module: Any) -> None:
        """Nothing: what is done to the whole module afterward does all of that again."""
        ll_module.data_layout = self._codegen._data_layout

    def take_in(self, name: str, code: bytes) -> None:
        """Remember a function that is called and has been optimized apart, by its name and LLVM's code."""
        self._calls += 1
        self._called[name] = code

    def emit_native_object(self) -> bytes:
        self._ensure_finalized()  # type: ignore[no-untyped-call]
        if self._called:
            self._link_called()
        code: bytes = _translator().emit_object(self._final_module)
        return code

    def _link_called(self) -> None:
        attribute = "alwaysinline" if self._calls <= _MOST_INLINED else "noinline"
        for name, code in self._called.items():
            part = parse_bitcode(code)
            part.get_function(name).add_function_attribute(attribute)
            self._final_module.link_in(part)
            self._final_module.get_function(name).linkage = Linkage.internal
        passes = create_new_module_pass_manager()
        passes.add_always_inliner_pass()
        passes.run(self._final_module, self._codegen._pass_builder(opt=0))  # type: ignore[no-untyped-call]


class _SimpleObject(_Object):
    """Code that is translated as it was written."""

    def _optimize_final_module(self) -> None:
        """Nothing."""


_MOST_INLINED = 256
"""Calls that are replaced by what they call. Many at once are computed side by side, and a function of vectors has the
length of two hundred operations."""


def optimized(name: str, write: Callable[[Any, Any, Any], None]) -> bytes:
    """LLVM's code of what is written to a module, and of all that it calls, or what the cache has of it.

    Given are Numba's contexts and the module. For functions that generated code takes in.
    """
    return _made_once(_symbol(name, ""), lambda: _optimized(name, write))


def _optimized(name: str, write: Callable[[Any, Any, Any], None]) -> bytes:
    context = _target.target_context
    library: Any = _Object(context.codegen(), name)
    module = library.create_ir_module(name)
    with context.push_code_library(library):
        write(_target.typing_context, context, module)
    library.add_ir_module(module)
    code: bytes = library.emit_bitcode()
    return code


@uncollected()
def _object_code(symbol: str, write: Writer, kind: type[_Object]) -> bytes:
    typing_context, context = _target.typing_context, _target.target_context
    flags = _Flags()
    _target.options.parse_as_flags(flags, OPTIONS)
    with global_compiler_lock, _ConfigStack().enter(flags):
        typing_context.refresh()
        context.refresh()
        library: Any = kind(context.codegen(), symbol)
        module = library.create_ir_module(symbol)
        function = ir.Function(module, context.call_conv.get_function_type(types.none, (WORKSPACE,)), symbol)
        # What has no register waits on the stack, where it would else lie across two cache lines.
        function.attributes.alignstack = 64
        function.attributes.add("nounwind")
        builder = ir.IRBuilder(function.append_basic_block())
        (w,) = context.call_conv.decode_arguments(builder, (WORKSPACE,), function)
        with context.push_code_library(library):
            write(typing_context, context, builder, context.make_array(WORKSPACE)(context, builder, w).data)
        builder.ret(ir.Constant(function.function_type.return_type, 0))
        library.add_ir_module(module)
        code: bytes = library.emit_native_object()
    return code
