"""A model as statements, from which the languages of rxode2 and mrgsolve are written.

Every quantity is a number in its declared unit, time is in days. What the languages of `simulate.exchange.rxode2` and
`simulate.exchange.mrgsolve` have in common is here: names, formulas, and a table of doses.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError
from simulate.exchange.numbers import numbers_of, written
from simulate.exchange.prescribed import Given, Said
from simulate.exchange.sbml.names import Names
from simulate.symbolic.hypothesis import NONE
from simulate.symbolic.languages import Language, source
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Parameter, Route, Species
from simulate.symbolic.switching import above, at_least, both, either, floor, no, same
from simulate.symbolic.symbols import TIME
from simulate.symbolic.units import DIMENSIONLESS, Unit

Line = tuple[str, str]
"""A name and the text of its value."""


def _joined(sign: str) -> Callable[..., str]:
    return lambda *parts: f"({f' {sign} '.join(parts)})"


def called(name: str) -> Callable[..., str]:
    """Call of a function by its name."""
    return lambda *parts: f"{name}({', '.join(parts)})"


FUNCTIONS: Mapping[type, Callable[..., str]] = {
    **{kind: called(kind.__name__) for kind in (sympy.exp, sympy.log, sympy.tanh, sympy.sin, sympy.cos, sympy.tan)},
    **{kind: called(kind.__name__) for kind in (sympy.asin, sympy.acos, sympy.atan, floor)},
    above: _joined(">"),
    at_least: _joined(">="),
    same: _joined("=="),
    both: _joined("&&"),
    either: _joined("||"),
    no: lambda condition: f"(!{condition})",
}
"""Functions and conditions that have one form in R and in C++; the others are those of a language."""


def titled(model: Model) -> str:
    """Title of a model in one line, with its hypothesis where it has one."""
    title = " ".join((model.title or model.name).split())
    return title if model.hypothesis == NONE.name else f"{title}, hypothesis {model.hypothesis}"


class Statements:
    """The parts of a composed model under the names of a language, in an order in which they can be computed.

    Parameters
    ----------
    model
        The model, with routes.
    program
        Name of the program that reads the language, for errors.
    language
        How formulas are written.
    allowed
        Whether the language allows a name.

    Raises
    ------
    InputError
        ``exchange.events``: the model has events.
    """

    def __init__(self, model: Model, program: str, language: Language, allowed: Callable[[str], bool]) -> None:
        if model.events:
            raise InputError(
                f"{program} has no events that a model triggers by itself",
                code="exchange.events",
                found=", ".join(event.name for event in model.events),
                expected="a model without events",
                advice="write it as SBML; doses of a file of another program can be said with --end",
            )
        self.model, self.language, self._numbers = model, language, numbers_of(model)
        taken = Names(allowed)
        parts = (model.species, model.parameters, model.balance, model.definitions, model.observables)
        every = [part.name for group in parts for part in group]
        # Names that can stay are given first, so that no other takes them.
        ordered = sorted(every, key=lambda name: not allowed(name))
        wanted = {name: name if name[0].isalpha() else f"x{name}" for name in ordered}
        self.names = {Symbol(name): taken.new(text) for name, text in wanted.items()}
        self.renamed = {name: self.names[Symbol(name)] for name in wanted if self.names[Symbol(name)] != name}
        self.gains, self._lost = self._gains()
        self._moves = {TIME, *(species.symbol for species in model.species)}
        for definition in model.definitions:
            if definition.expression.free_symbols & self._moves:
                self._moves.add(definition.symbol)

    def value(self, expression: Expr | float, unit: Unit = DIMENSIONLESS, time: str = "t") -> str:
        """Text of an expression in the base of units as a number in a unit."""
        return source(written(expression, self._numbers, unit), {**self.names, TIME: time}, self.language)

    def said(self, lines: Iterable[str], doses: str) -> Said:
        """A text of these statements, with what it does not say."""
        return Said("\n".join(lines) + "\n", doses, self.renamed, self._lost)

    def parameters(self) -> Iterator[tuple[Parameter, str, str]]:
        """Each parameter that a statement needs, with its name and its value."""
        model = self.model
        needed: set[Symbol] = set()
        for expression in (*model.rates(), *model.initial, *self.gains.values()):
            needed |= sympy.sympify(expression, strict=True).free_symbols
        for computed in (model.balance, model.definitions, model.observables):
            needed |= {symbol for part in computed for symbol in part.expression.free_symbols}
        for parameter in model.parameters:
            if parameter.symbol in needed:
                yield parameter, self.names[parameter.symbol], repr(float(parameter.value))

    def constants(self) -> Iterator[Line]:
        """What is the same at all times: balanced unknowns, and definitions in which nothing moves."""
        for solved in self.model.balance:
            yield self.names[solved.symbol], self.value(solved.expression)
        for definition in self.model.definitions:
            if definition.symbol not in self._moves:
                yield self.names[definition.symbol], self.value(definition.expression)

    def moving(self, time: str = "t") -> Iterator[Line]:
        """Definitions that depend on time or states."""
        for definition in self.model.definitions:
            if definition.symbol in self._moves:
                yield self.names[definition.symbol], self.value(definition.expression, time=time)

    def rates(self, time: str = "t") -> Iterator[Line]:
        """Rate of change of each state."""
        for species, rate in zip(self.model.species, self.model.rates(), strict=True):
            yield self.names[species.symbol], self.value(rate, species.unit, time)

    def initial(self) -> Iterator[Line]:
        """Value of each state at time 0."""
        for species, initial in zip(self.model.species, self.model.initial, strict=True):
            yield self.names[species.symbol], self.value(initial, species.unit)

    def observed(self, time: str = "t") -> Iterator[Line]:
        """Value of each observable."""
        for part in self.model.observables:
            yield self.names[part.symbol], self.value(part.expression, part.unit, time)

    def availability(self) -> Iterator[Line]:
        """What an amount given into a state is multiplied by: it is in the unit of the route."""
        for species, gain in self.gains.items():
            yield self.names[species.symbol], self.value(gain, species.unit)

    def table(self, given: Sequence[Given], setting: int) -> str:
        """Table of doses; ``setting`` is the EVID of a row that sets a state.

        Raises
        ------
        InputError
            ``exchange.route``: a dose by one of several routes into a state that differ in what arrives.
        """
        routes = {route.name: route for route in self.model.routes}
        rows = ["ID,TIME,EVID,CMT,AMT"]
        for one in given:
            # A rate is a state of its own: it comes first, as a dose at the same time changes nothing of it.
            for name, rate in one.rates.items():
                rows.append(f"1,{one.time!r},{setting},{self.names[Symbol(f'{name}_rate')]},{rate!r}")
            for name, amount in one.doses.items():
                target = routes[name].target
                if target not in self.gains:
                    raise InputError(
                        f"the route `{name}` leads into the same state as another, with another gain",
                        code="exchange.route",
                        expected="one route into each state: the text says what arrives of a dose state by state",
                        advice="write it as SBML, or give all doses by one route",
                    )
                rows.append(f"1,{one.time!r},1,{self.names[target.symbol]},{amount!r}")
        return "\n".join(rows) + "\n" if given else ""

    def _gains(self) -> tuple[dict[Species, Expr], tuple[str, ...]]:
        by_target: dict[Species, list[Route]] = {}
        for route in self.model.routes:
            by_target.setdefault(route.target, []).append(route)
        gains, lost = {}, []
        for target, routes in by_target.items():
            found = {route.gain * sympy.Rational(route.unit.factor) for route in routes}
            if len(found) == 1:
                (gains[target],) = found
            else:
                names = ", ".join(f"`{route.name}`" for route in routes)
                lost.append(f"the routes {names}: they lead into one state with different gains")
        return gains, tuple(lost)


def note(meaning: str, unit: Unit, more: str = "") -> str:
    """What a comment says of a quantity, in one line."""
    text = f"{meaning} [{unit.text}]{more}"
    return " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())


def sourced(parameter: Parameter) -> str:
    """What a comment says of a parameter."""
    return note(parameter.meaning, parameter.unit, f"; {parameter.source} ({parameter.grade.name.lower()})")
