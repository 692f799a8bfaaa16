"""Compilation with Numba.

Numba's own cache decides that code is current by the one file that holds the function, reads indices that are pickles
without knowing who wrote them, and loads code whatever has become of its bits. Here functions of several files are
compiled into each other. So what is kept has names of our own, as `simulate.native` says.
"""

from __future__ import annotations

import ctypes
import hashlib
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numba
from llvmlite import ir
from llvmlite.binding import Linkage
from numba import extending, types
from numba.core import caching, codegen, compiler, serialize, typing
from numba.core.registry import cpu_target
from numba.core.typing.typeof import typeof_impl
from numba.extending import models

from simulate import cache, native
from simulate.errors import MissingExtra
from simulate.later import Later
from simulate.native import Argument, cache_directory, source_of

_numba: Any = numba
_serialize: Any = serialize
_CompileResult: Any = compiler.CompileResult
_register_model: Any = extending.register_model
_lower_builtin: Any = extending.lower_builtin
_typing: Any = typing
_types: Any = types
_typeof: Any = typeof_impl
_target: Any = cpu_target

if getattr(numba.config, "DISABLE_JIT", 0):
    raise MissingExtra(
        "nothing can be compiled: `NUMBA_DISABLE_JIT` is set",
        code="environment.jit",
        expected="an environment without it",
        advice="`unset NUMBA_DISABLE_JIT`, before Python starts",
    )


@_typeof.register(Later)  # type: ignore[untyped-decorator]
def _of_what_is_made(value: Later, _context: Any) -> Any:
    if not value.is_made:
        assert value.made is not None
        # What it is made of may have told Numba of more types and operators.
        _target.typing_context.refresh()
        _target.target_context.refresh()
    return _target.typing_context.resolve_value_type(value.made)


class Code(types.Callable):
    """Numba's type of compiled code of some signature that is known by its address alone.

    Numba's own functions as values have three addresses, and each call of one has a branch for each and another for an
    error, none of which is there.
    """

    def __init__(self, signature: Any) -> None:
        self.signature = signature
        super().__init__(name=f"Code{signature}")

    def get_call_type(self, context: Any, arguments: Any, keywords: Any) -> Any:
        return _typing.signature(self.signature.return_type, *self.signature.args, recvr=self)

    def get_call_signatures(self) -> Any:
        return [self.get_call_type(None, (), {})], False

    def get_impl_key(self, signature: Any) -> Any:
        return Code


@_register_model(Code)
class _CodeModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.IntType(64))  # type: ignore[no-untyped-call]


@_lower_builtin(Code, _types.VarArg(types.Any))  # type: ignore[untyped-decorator]
def _call(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    (address, *values), kinds, returned = arguments, signature.args[1:], signature.return_type
    convention = context.call_conv
    function = convention.get_function_type(returned, kinds).as_pointer()
    return convention.call_function(builder, builder.inttoptr(address, function), returned, kinds, values)[1]


OPTIONS: dict[str, Any] = {
    "nogil": True,
    "error_model": "numpy",
    "boundscheck": False,
    "fastmath": {"contract"},
    # Nothing here allocates. Numba would else count references to every array at every call, atomically, at the cost of
    # a step for each.
    "_nrt": False,
}
"""What Numba is told of every function."""


def machine_code(function: Callable[..., Any], signature: Any) -> bytes:
    """Object file of a function that is compiled for a signature, as `simulate.native.kept` reads it."""
    result = _numba.njit(no_cfunc_wrapper=True, no_cpython_wrapper=True, **OPTIONS)(function)
    result.compile(signature)
    result.disable_compile()
    (made,) = result.overloads.values()
    made.library.get_pointer_to_function(made.fndesc.llvm_func_name)
    code: bytes = made.library._get_compiled_object()
    takes = [_taken(kind) for kind in made.signature.args]
    return native.header(made.fndesc.llvm_func_name, takes, str(made.signature.return_type)) + code


def _taken(kind: Any) -> Argument:
    """A type of Numba's as `simulate.native` calls it."""
    if isinstance(kind, types.Array):
        return f"{'' if kind.mutable else 'constant '}{kind.dtype} {kind.ndim}"
    if isinstance(kind, types.BaseTuple):
        parts: Any = kind
        return [_taken(part) for part in parts]
    return "int64" if isinstance(kind, (Code, types.CPointer)) else str(kind)


class _Cache(caching._Cache):
    """Compiled code of one function on disk, in the place of Numba's own cache."""

    def __init__(self, function: Callable[..., Any], folder: Path) -> None:
        self._function, self._folder = function, folder

    @property
    def cache_path(self) -> str:
        return str(self._folder)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        # Numba would first load all that it can translate. A function that is translated already has need of none of
        # it, and a compiler loads it when it begins.
        path = self._path(sig, target_context.codegen())
        payload = cache.load(path)
        if payload is None:
            return None
        try:
            return _CompileResult._rebuild(target_context, *_serialize.loads(payload))
        except Exception:
            # As it was written, and still of no use to this process.
            cache.damaged(path)
            return None

    def save_overload(self, sig: Any, data: Any) -> None:
        if not data.lifted and not data.library.has_dynamic_globals:
            native.keep(self._path(sig, data.codegen), _serialize.dumps(data._reduce()))

    def enable(self) -> None:
        raise AssertionError

    disable = flush = enable

    def _path(self, sig: Any, codegen: Any) -> Path:
        """File of the function for a signature on this processor."""
        code = self._function.__code__
        named = (source_of(self._function), self._function.__qualname__, code.co_firstlineno, sig)
        machine = (codegen.magic_tuple(), _numba.config.USING_SVML, sys.version)
        digest = hashlib.blake2b("\0".join(map(str, (*named, *machine))).encode(), digest_size=16)
        name = f"{self._function.__module__}.{self._function.__name__}".replace("<", "").replace(">", "")
        return self._folder / f"{name}-{digest.hexdigest()}.bin"


def _kept(function: Callable[..., Any], **options: Any) -> Any:
    """A function for Numba to compile, or to load from the cache."""
    folder = cache_directory()
    result = _numba.njit(no_cfunc_wrapper=True, **options)(function)
    if folder is not None:
        # Where Numba puts its own when it is asked for one.
        result._cache = _Cache(function, folder)
    return result


_UNCALLABLE = int(ctypes.cast(ctypes.pythonapi.PyObject_Call, ctypes.c_void_p).value or 0)
"""Stands for machine code that there is none of: called from Python it finds nothing to call, which is a TypeError."""


class _Part(codegen.JITCodeLibrary):
    """Code that is never run by itself: it waits, as it was written, for the function that takes it in."""

    is_apart = False

    def finalize(self) -> None:
        for function in self._final_module.functions:
            if self.is_apart and not function.is_declaration and function.linkage == Linkage.external:
                function.add_function_attribute("noinline")
        for library in dict.fromkeys(self._linking_libraries):
            self._final_module.link_in(library._get_module_for_linking(), preserve=True)
        self._finalized = True

    def get_pointer_to_function(self, name: str) -> int:
        self._ensure_finalized()  # type: ignore[no-untyped-call]
        return _UNCALLABLE

    @property
    def codegen(self) -> Any:
        return self

    def set_env(self, name: str, env: Any) -> None:
        """No machine code is there to tell of its environment, and none of it has need of one."""


class _Apart(_Part):
    """A part that stays a function of its own."""

    is_apart = True


class _PartCompiler(compiler.Compiler):
    """Numba's compiler, without machine code of a helper's own: that would be made and thrown away a hundred times."""

    library: type[_Part] = _Part

    def __init__(self, typingctx: Any, targetctx: Any, library: Any, *rest: Any) -> None:
        own: Any = library or self.library(targetctx.codegen(), "part")
        super().__init__(typingctx, targetctx, own, *rest)  # type: ignore[no-untyped-call]


class _ApartCompiler(_PartCompiler):
    library = _Apart


def inlined_part(function: Callable[..., Any]) -> Any:
    """What `simulate.compiled.inlined` says, for Numba."""
    return _part(function, forceinline=True, pipeline_class=_PartCompiler)


def part_apart(function: Callable[..., Any]) -> Any:
    """What `simulate.compiled.apart` says, for Numba."""
    return _part(function, forceinline=False, pipeline_class=_ApartCompiler)


def _part(function: Callable[..., Any], **options: Any) -> Any:
    part = _numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **options, **OPTIONS)(function)
    template = part.get_call_template
    # Numba would else compile a helper anew for each number that is written in a call of it.
    part.get_call_template = lambda arguments, names: template([_types.unliteral(kind) for kind in arguments], names)
    return part


def kept_part(function: Callable[..., Any]) -> Any:
    """What `simulate.compiled.verbatim` says, for Numba."""
    return _kept(function, forceinline=True, **OPTIONS)
