"""The engine's own source, compiled a second time for another machine.

Right-hand sides, method tables, step-size control, stops and outputs are written once. An edition executes the very
same modules with other numbers in `simulate.solver.width` and another compiler behind `simulate.compiled`: one lane in
a block, with plain numbers in the place of vectors, and the compiler of CUDA make of the block a thread of a graphics
card that integrates one trajectory.
"""

from __future__ import annotations

import ast
import builtins
import importlib
import importlib.abc
import importlib.util
import math
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

_REMADE = ("simulate.solver.", "simulate.kernels.")
_SHARED = frozenset(
    {"simulate.kernels.form", "simulate.solver.kernel", "simulate.solver.problem", "simulate.solver.trajectories"}
)
"""Modules of plain values, which must be the same objects in every edition."""
_SOURCES = {
    "simulate.solver.events": "simulate.solver.unwatched",
    "simulate.solver.vectors": "simulate.solver.single",
}
"""Modules whose place is taken by others."""


class Edition:
    """Modules of the engine for blocks of one lane that share a compiler.

    Parameters
    ----------
    capacity
        What `simulate.solver.width` says in this edition; vectors are not padded.
    door
        What replaces the decorators of `simulate.compiled`, such as ``compiled(signature)`` and ``inlined``.
    """

    def __init__(self, *, capacity: int, door: Mapping[str, Any]) -> None:
        self._builtins = vars(builtins) | {"__import__": self._import}
        self._modules: dict[str, ModuleType] = {
            "simulate.solver.width": _module("simulate.solver.width", {"LANES": 1, "CAPACITY": capacity, "PADDING": 0}),
            # The bit patterns of the lanes' own functions are no gain here: every machine has functions of its own.
            "simulate.kernels.elementary": _module(
                "simulate.kernels.elementary", {"exp": math.exp, "log": math.log, "power": math.pow}
            ),
            "simulate.compiled": _module(
                "simulate.compiled", vars(importlib.import_module("simulate.compiled")) | dict(door)
            ),
        }

    def module(self, name: str) -> ModuleType:
        """Module of that name in the edition."""
        if name not in self._modules:
            # Data classes look their module up by its name, so the first edition must be there.
            importlib.import_module(name)
            specification = importlib.util.find_spec(_SOURCES.get(name, name))
            loader = None if specification is None else specification.loader
            assert isinstance(loader, importlib.abc.InspectLoader)
            self._modules[name] = self.execute(name, loader.get_source(_SOURCES.get(name, name)) or "")
        return self._modules[name]

    def builder(self, decorate: Callable[..., Any]) -> Any:
        """Module that builds kernels whose functions are compiled by a decorator, from their text."""

        def from_text(function: Any) -> Any:
            text = self.module("simulate.kernels.print_text").module_text([function])
            return decorate(vars(self.execute(f"kernel_{function.name}", text))[function.name])

        vars(self.module("simulate.kernels.kernel"))["machine_code"] = from_text
        return self.module("simulate.kernels.build")

    def execute(self, name: str, source: str) -> ModuleType:
        """A module whose imports come from this edition; no other edition sees it."""
        module = _module(name, {"__builtins__": self._builtins})
        exec(compile(_Elements().visit(ast.parse(source)), f"<{name}>", "exec", dont_inherit=True), vars(module))
        return module

    def _import(
        self,
        name: str,
        namespace: Mapping[str, object] | None = None,
        local: Mapping[str, object] | None = None,
        wanted: tuple[str, ...] | None = (),
        level: int = 0,
    ) -> ModuleType:
        known = name in self._modules or (name.startswith(_REMADE) and name not in _SHARED)
        if known and wanted:
            return self.module(name)
        return builtins.__import__(name, namespace, local, wanted or (), level)


class _Elements(ast.NodeTransformer):
    """Rows of one lane are elements: ``load(w, i)`` is ``w[i]``, and ``store(w, i, x)`` is ``w[i] = x``.

    That is what these functions do in `simulate.solver.single`; a simulator takes long to call them.
    """

    def visit_Call(self, node: ast.Call) -> ast.AST:
        self.generic_visit(node)
        if isinstance(node.func, ast.Name) and node.func.id in ("load", "row_at") and len(node.args) == 2:
            return ast.copy_location(ast.Subscript(node.args[0], node.args[1], ast.Load()), node)
        return node

    def visit_Expr(self, node: ast.Expr) -> ast.AST:
        self.generic_visit(node)
        call = node.value
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "store":
            row, place, value = call.args
            target = ast.copy_location(ast.Subscript(row, place, ast.Store()), node)
            return ast.copy_location(ast.Assign([target], value), node)
        return node


def _module(name: str, contents: Mapping[str, Any]) -> ModuleType:
    module = ModuleType(name)
    vars(module).update(contents)
    vars(module)["__name__"] = name
    return module


def decorated_by(decorate: Callable[..., Any]) -> dict[str, Any]:
    """A door whose functions are all compiled by one decorator, whatever their signature."""
    return {"compiled": lambda signature: decorate, "inlined": decorate, "apart": decorate, "verbatim": decorate}
