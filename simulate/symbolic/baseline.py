"""The state from which every trajectory starts: values at baseline, and ``at_baseline`` resolved.

Two pictures of one state. `Baseline.value` writes everything out in parameters and balanced unknowns, so that ratios
to the baseline cancel and unknowns can be solved. `Baseline.resolve` keeps running equations readable: it refers to
definitions such as ``S_muscle_baseline``, which it generates where they are missing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from operator import attrgetter

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError, Where
from simulate.symbolic.expressions import substitute
from simulate.symbolic.limits import Extent, check_extent, check_numbers, extent
from simulate.symbolic.parts import Definition, Species
from simulate.symbolic.printing import print_expression
from simulate.symbolic.symbols import TIME, at_baseline


class Baseline:
    """Baseline of one composition.

    Parameters
    ----------
    species, definitions
        With expressions in their normal form.
    taken
        Every name in use, which no generated definition may have.
    """

    def __init__(self, species: Sequence[Species], definitions: Sequence[Definition], taken: set[str]) -> None:
        self._species = {part.name: part for part in species}
        self._definitions = {part.name: part for part in definitions}
        self._taken = set(taken)
        self._values: dict[str, Expr] = {}
        self._extents: dict[str, Extent] = {}
        self._constant: dict[str, bool] = {}
        self._open: dict[str, str] = {}
        self._ordered: dict[str, Definition] = {}
        self._references: dict[str, Expr] = {}
        # A definition that is nothing but the baseline of a symbol serves as its reference; no second one is generated.
        # One that is the baseline of such a definition is the same number, and refers to it.
        self._aliases: dict[str, str] = {}
        baselines = {part.name: part.expression.args[0].name for part in definitions if _is_baseline(part.expression)}
        for name, target in baselines.items():
            if target not in baselines:
                self._aliases.setdefault(target, name)

    def value(self, expr: Expr) -> Expr:
        """Expression at baseline, in parameters and balanced unknowns.

        Raises
        ------
        InputError
            ``model.circular`` when a value at baseline depends on itself.
        """
        symbols = {symbol: self._value_of(symbol.name) for symbol in _symbols(expr)}
        key = next(reversed(self._open.values()), None)
        subject = f"{f'`{key}`' if key else f'the expression {describe(expr)}'} at baseline"
        numbers = all(value.is_number for value in symbols.values())
        check_extent(extent(expr, self._extents), subject, Where(key=key), numbers=numbers)
        try:
            found = substitute(expr, symbols, baseline=lambda inner: inner)
        except InputError as error:
            error.where = error.where or Where(key=key)
            raise
        check_numbers(found, subject, Where(key=key))
        return found

    def resolve(self, expr: Expr) -> Expr:
        """Expression without ``at_baseline``, in which its arguments refer to definitions that are constant."""
        if not expr.has(at_baseline):
            return expr
        return substitute(expr, {}, baseline=self._at_baseline)

    def constant(self, expr: Expr) -> bool:
        """Whether an expression has one value during a whole trajectory."""
        outside = substitute(expr, {}, baseline=lambda inner: sympy.Integer(1))
        return all(self._is_constant(symbol.name) for symbol in _symbols(outside))

    def ordered(self) -> tuple[Definition, ...]:
        """All definitions, generated ones included, each after those that it uses.

        Raises
        ------
        InputError
            ``model.circular`` when a definition uses itself.
        """
        for name in self._definitions:
            self._place(name)
        return tuple(self._ordered.values())

    def _value_of(self, name: str) -> Expr:
        if name == TIME.name:
            return sympy.Integer(0)
        if name not in self._values:
            if name in self._species:
                self._enter(name, f"species.{name}.initial", "the initial value of")
                self._evaluate(name, sympy.sympify(self._species[name].initial, strict=True))
            elif name in self._definitions:
                self._enter(name, f"definitions.{name}.expression", "the definition of")
                self._evaluate(name, self._definitions[name].expression)
            else:
                self._values[name] = Symbol(name)
        return self._values[name]

    def _evaluate(self, name: str, expr: Expr) -> None:
        self._values[name] = self.value(expr)
        self._extents[name] = extent(self._values[name], {})
        self._open.popitem()

    def _is_constant(self, name: str) -> bool:
        if name == TIME.name or name in self._species:
            return False
        if name in self._definitions and name not in self._constant:
            self._enter(name, f"definitions.{name}.expression", "the definition of")
            self._constant[name] = self.constant(self._definitions[name].expression)
            self._open.popitem()
        return self._constant.get(name, True)

    def _at_baseline(self, inner: Expr) -> Expr:
        return substitute(inner, {symbol: self._reference(symbol.name) for symbol in _symbols(inner)})

    def _reference(self, name: str) -> Expr:
        """What stands for the baseline of a symbol in running equations."""
        if name == TIME.name:
            return sympy.Integer(0)
        if name not in self._references:
            if name in self._aliases:
                self._place(self._aliases[name])
                self._references[name] = Symbol(self._aliases[name])
            elif name in self._species or not self._is_constant(name):
                self._references[name] = self._generate(name)
            else:
                self._references[name] = Symbol(name)
        return self._references[name]

    def _generate(self, name: str) -> Expr:
        expression = self._baseline_expression(name)
        if expression.is_Symbol or expression.is_Rational:
            return expression
        generated, number = f"{name}_baseline", 2
        while generated in self._taken:
            generated, number = f"{name}_baseline_{number}", number + 1
        self._taken.add(generated)
        for symbol in _symbols(expression):
            self._place(symbol.name)
        part = self._species.get(name) or self._definitions[name]
        self._ordered[generated] = Definition(generated, f"{part.meaning}, at baseline", part.unit, expression)
        return Symbol(generated)

    def _baseline_expression(self, name: str) -> Expr:
        if name in self._species:
            return self._value_of(name)
        if name in self._definitions:
            self._enter(name, f"definitions.{name}.expression", "the definition of")
            expression = self._at_baseline(self.resolve(self._definitions[name].expression))
            self._open.popitem()
            return expression
        return Symbol(name)

    def _place(self, name: str) -> None:
        """Append a definition after those that it uses."""
        if name in self._ordered or name not in self._definitions:
            return
        part = self._definitions[name]
        key = f"definitions.{name}.expression"
        self._enter(f"{name} (running)", key, "the definition of")
        target = str(part.expression.args[0]) if part.expression.func == at_baseline else ""
        if self._aliases.get(target) == name:
            expression = self._baseline_expression(target)
        else:
            expression = self.resolve(part.expression)
        for symbol in _symbols(expression):
            self._place(symbol.name)
        self._open.popitem()
        self._ordered[name] = replace(part, expression=defined(expression, key, f"the definition of `{name}`"))

    def _enter(self, name: str, key: str, what: str) -> None:
        if name in self._open:
            entered = list(self._open)
            names = [entry.removesuffix(" (running)") for entry in (*entered[entered.index(name) :], name)]
            raise InputError(
                f"{what} `{names[0]}` depends on itself",
                code="model.circular",
                where=Where(key=key),
                found=" → ".join(f"`{entry}`" for entry in names),
                advice="break the circle, for instance with a balance that solves for one of them",
            )
        self._open[name] = key


def defined(expr: Expr, key: str, subject: str) -> Expr:
    """The expression itself, refused when replacement has left a division by zero in it.

    Raises
    ------
    InputError
        ``baseline.undefined``.
    """
    if expr.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
        raise InputError(
            f"{subject} has no finite value at baseline",
            code="baseline.undefined",
            where=Where(key=key),
            found=f"`{expr}`",
            advice="does it divide by a species that starts at 0?",
        )
    return expr


def _symbols(expr: Expr) -> list[Symbol]:
    """Symbols in the order of their names, so that nothing depends on the hash of a set."""
    return sorted(expr.free_symbols, key=attrgetter("name"))


def unknowns_in(expr: Expr, unknowns: Mapping[str, object]) -> list[str]:
    """Names of the unknowns that an expression contains, sorted."""
    return [symbol.name for symbol in _symbols(expr) if symbol.name in unknowns]


def describe(expr: Expr) -> str:
    """Expression for an error, cut when it is long."""
    text = print_expression(expr)
    return f"`{text}`" if len(text) <= 200 else f"`{text[:197]}...`"


def _is_baseline(expr: Expr) -> bool:
    """Whether an expression is nothing but the baseline of a symbol."""
    return bool(expr.func == at_baseline and expr.args[0].is_Symbol)
