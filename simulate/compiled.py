"""Compilation with Numba, and the cache of compiled code.

Numba's own cache decides that code is current by the one file that holds the function, reads indices that are pickles
without knowing who wrote them, and loads code whatever has become of its bits. Here functions of several files are
compiled into each other. So what is kept has names of our own: a folder with the hash of all sources, of the compilers
and of their settings, and in it a file for each function, signature and processor, as `simulate.cache` keeps them.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import hashlib
import linecache
import os
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

import llvmlite
import numba
import numpy as np
from llvmlite import ir
from llvmlite.binding import Linkage
from numba import extending, types
from numba.core import caching, codegen, compiler, serialize, typeconv, typing
from numba.extending import models

from simulate import cache
from simulate.errors import MissingExtra
from simulate.interruption import heed

_numba: Any = numba
_serialize: Any = serialize
_CompileResult: Any = compiler.CompileResult
_register_model: Any = extending.register_model
_lower_builtin: Any = extending.lower_builtin
_unbox: Any = extending.unbox
_NativeValue: Any = extending.NativeValue
_typing: Any = typing
_typeconv: Any = typeconv
_types: Any = types

if getattr(numba.config, "DISABLE_JIT", 0):
    raise MissingExtra(
        "nothing can be compiled: `NUMBA_DISABLE_JIT` is set",
        code="environment.jit",
        expected="an environment without it",
        advice="`unset NUMBA_DISABLE_JIT`, before Python starts",
    )


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

    def can_convert_from(self, context: Any, other: Any) -> Any:
        """From Python an address comes as a number."""
        return _typeconv.Conversion.safe if isinstance(other, types.Integer) else None


@_register_model(Code)
class _CodeModel(models.PrimitiveModel):
    def __init__(self, manager: Any, kind: Any) -> None:
        super().__init__(manager, kind, ir.IntType(64))  # type: ignore[no-untyped-call]


@_unbox(Code)  # type: ignore[untyped-decorator]
def _address(_kind: Any, value: Any, c: Any) -> Any:
    return _NativeValue(c.pyapi.long_as_longlong(value))


@_lower_builtin(Code, _types.VarArg(types.Any))  # type: ignore[untyped-decorator]
def _call(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    (address, *values), kinds, returned = arguments, signature.args[1:], signature.return_type
    convention = context.call_conv
    function = convention.get_function_type(returned, kinds).as_pointer()
    return convention.call_function(builder, builder.inttoptr(address, function), returned, kinds, values)[1]


WORKSPACE = types.float64[::1]
BLOCK_FUNCTION = Code(types.void(WORKSPACE))
"""Numba type of a kernel's function: it acts on the flat workspace of a block."""

LOCK = threading.RLock()
"""Held by who compiles."""

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
    here = (Path(__file__), package / "emitted.py")
    for path in sorted([*here, *package.glob("solver/**/*.py"), *package.glob("kernels/**/*.py")]):
        digest.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    versions = (numba.__version__, llvmlite.__version__, np.__version__)
    digest.update("\0".join((*versions, *_told(_settings()))).encode())
    return digest.hexdigest()


def _settings() -> dict[str, str]:
    """What the environment and Numba's file of settings tell the compilers."""
    named = {name: value for name, value in os.environ.items() if name.startswith(("NUMBA_", "LLVM"))}
    return {**_numba.config._env_reloader.old_environ, **named}


def _told(settings: dict[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in sorted(settings.items()) if not name.startswith(_IDLE)]


@functools.cache
def cache_directory() -> Path | None:
    """Folder for compiled code of these sources, compilers and settings; None where there is none that can be used."""
    return cache.cache_folder(fingerprint())


def source_of(function: Callable[..., Any]) -> str:
    """Text of the module that a function is from."""
    names = function.__globals__
    loader: Any = names.get("__loader__")
    if hasattr(loader, "get_source"):
        # A module that was started under another name is not known to its own loader.
        with contextlib.suppress(ImportError):
            return str(loader.get_source(names["__name__"]))
    return "".join(linecache.getlines(function.__code__.co_filename, names))


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
            cache.save(self._path(sig, data.codegen), _serialize.dumps(data._reduce()))

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


class Compiled:
    """A function that is compiled, or loaded from the cache, when it is first called or asked for its ``address``."""

    def __init__(self, function: Callable[..., Any], signature: Any) -> None:
        functools.update_wrapper(self, function)
        self._function, self._signature = function, signature
        self._code: tuple[Callable[..., Any], int] | None = None

    def __call__(self, *arguments: Any) -> Any:
        return self._made[0](*arguments)

    @property
    def symbol(self) -> str:
        """Name by which emitted code calls it."""
        return f"{self._function.__module__}.{self._function.__qualname__}"

    @property
    def address(self) -> int:
        """Where the machine code is, for compiled code that calls it."""
        return self._made[1]

    @property
    def _made(self) -> tuple[Callable[..., Any], int]:
        if self._code is None:
            # Threads begin together: the address that one of them has must not be that of code which another replaces.
            with LOCK:
                self._code = self._code or self._make()
        return self._code

    def _make(self) -> tuple[Callable[..., Any], int]:
        result = _kept(self._function, **OPTIONS)
        result.compile(self._signature)
        # A compiler that was interrupted may have lost the exception on its way.
        heed()
        result.disable_compile()
        (made,) = result.overloads.values()
        return result, made.library.get_pointer_to_function(made.fndesc.llvm_func_name)


def compiled(signature: Any) -> Callable[[Callable[..., Any]], Compiled]:
    """Decorate a function to be compiled, or loaded from the cache, for one signature.

    The compiled function releases the interpreter lock, follows IEEE rules for division by zero and may contract a
    multiplication and an addition into one instruction; it never assumes that numbers are finite. Compiled code calls
    it by its ``address``.
    """
    return functools.partial(Compiled, signature=signature)


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


def inlined(function: Callable[..., Any]) -> Any:
    """Decorate a helper that is compiled into each compiled function that calls it, and that nobody else can call."""
    return _part(function, forceinline=True, pipeline_class=_PartCompiler)


def apart(function: Callable[..., Any]) -> Any:
    """Decorate a helper like `inlined` that is called rarely: it stays a function, and the loop around it small.

    What LLVM does to a function takes it more than twice the time where that is twice as long.
    """
    return _part(function, forceinline=False, pipeline_class=_ApartCompiler)


def _part(function: Callable[..., Any], **options: Any) -> Any:
    part = _numba.njit(no_cpython_wrapper=True, no_cfunc_wrapper=True, **options, **OPTIONS)(function)
    template = part.get_call_template
    # Numba would else compile a helper anew for each number that is written in a call of it.
    part.get_call_template = lambda arguments, names: template([_types.unliteral(kind) for kind in arguments], names)
    return part


def verbatim(function: Callable[..., Any]) -> Any:
    """Decorate a helper like `inlined` that loops over lanes call: its code stands in its caller word for word.

    Without that, a loop around it is not vectorized. It is kept on disk too, for each model calls it.
    """
    return _kept(function, forceinline=True, **OPTIONS)
