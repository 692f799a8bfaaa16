"""Object files made with LLVM directly, without Numba's front end; they follow Numba's convention for a call."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from llvmlite import ir
from llvmlite.binding import Linkage, Target, create_new_module_pass_manager, get_process_triple, parse_bitcode
from numba import types
from numba.core import codegen, compiler
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target
from numba.core.targetconfig import ConfigStack

from simulate.compiled import WORKSPACE
from simulate.compiling import OPTIONS
from simulate.native import made_once, symbol_of
from simulate.uncollected import uncollected

Writer = Callable[[Any, Any, Any, Any], None]
"""Writes instructions; given are Numba's contexts of types and of the machine, a builder, and where a workspace is."""

_WORKSPACE: Any = WORKSPACE.made
_target: Any = cpu_target
_Flags: Any = compiler.Flags
_ConfigStack: Any = ConfigStack


@functools.cache
def native_width() -> int:
    """How many numbers there are in a vector of this machine."""
    return 8 if has_feature("avx512f") else 4 if has_feature("avx") else 2


@functools.cache
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
    return made_once(symbol_of(name, ""), lambda: _optimized(name, write))


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
def object_code(symbol: str, write: Writer, *, is_simple: bool) -> bytes:
    """Object file with a function of the workspace of that name; arguments as for `simulate.emitted.emitted`."""
    typing_context, context = _target.typing_context, _target.target_context
    flags = _Flags()
    _target.options.parse_as_flags(flags, OPTIONS)
    with global_compiler_lock, _ConfigStack().enter(flags):
        typing_context.refresh()
        context.refresh()
        library: Any = (_SimpleObject if is_simple else _Object)(context.codegen(), symbol)
        module = library.create_ir_module(symbol)
        function = ir.Function(module, context.call_conv.get_function_type(types.none, (_WORKSPACE,)), symbol)
        # What has no register waits on the stack, where it would else lie across two cache lines.
        function.attributes.alignstack = 64
        function.attributes.add("nounwind")
        builder = ir.IRBuilder(function.append_basic_block())
        (w,) = context.call_conv.decode_arguments(builder, (_WORKSPACE,), function)
        with context.push_code_library(library):
            write(typing_context, context, builder, context.make_array(_WORKSPACE)(context, builder, w).data)
        builder.ret(ir.Constant(function.function_type.return_type, 0))
        library.add_ir_module(module)
        code: bytes = library.emit_native_object()
    return code
