"""A model for a reader: its equations, its reactions, and tables of its parameters and sources."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, Symbol

from simulate.symbolic.model import Model, Solved
from simulate.symbolic.parts import Definition, Grade, Observable, Parameter, Source
from simulate.symbolic.printing import print_expression, print_number
from simulate.symbolic.units import Unit


def show_equations(model: Model, *, latex: bool = False) -> str:
    """Differential equations with definitions, balanced unknowns, initial values, observables and doses.

    Parameters
    ----------
    latex
        Write LaTeX, one ``align*`` per section, instead of plain text.
    """
    sections = _sections(model)
    if latex:
        blocks = [
            rf"\paragraph{{{title}}}" + "\n" + r"\begin{align*}" + "\n" + " \\\\\n".join(_latex_rows(rows))
            + "\n" + r"\end{align*}"
            for title, rows in sections
        ]  # fmt: skip
    else:
        blocks = [title + "\n" + "\n".join(_text_rows(rows)) for title, rows in sections]
    return "\n\n".join(blocks) + "\n"


def show_reactions(model: Model) -> str:
    """One line per reaction: its rate, and what it changes, as in ``priming: k_act*N  |  N -1, A +burst``."""
    rows = []
    for reaction in model.reactions:
        changes = ", ".join(f"{target.name} {_signed(change)}" for target, change in reaction.change.items())
        rows.append((f"{reaction.name}:", print_expression(reaction.rate), changes))
    return "".join(f"{name} {rate}  |  {changes}\n" for name, rate, changes in rows)


def parameter_rows(model: Model) -> list[dict[str, str]]:
    """One row per parameter for a table: name, value, unit, spread, bounds, grade, source, meaning."""
    return [
        {
            "name": parameter.name,
            "value": f"{parameter.value:.6g}",
            "unit": parameter.unit.text,
            "spread": _spread(parameter),
            "bounds": "" if parameter.bounds is None else f"{parameter.bounds[0]:.6g} to {parameter.bounds[1]:.6g}",
            "grade": parameter.grade.name.lower(),
            "source": parameter.source,
            "meaning": parameter.meaning,
        }
        for parameter in model.parameters
    ]


def source_rows(model: Model, sources: Mapping[str, Source]) -> list[dict[str, str]]:
    """One row per reference that a parameter of the model cites; as `cited_rows`."""
    return cited_rows(((part.name, part.source, part.grade) for part in model.parameters), sources)


def cited_rows(numbers: Iterable[tuple[str, str, Grade]], sources: Mapping[str, Source]) -> list[dict[str, str]]:
    """One row per reference: key, citation, identifier, read, and the numbers that cite it with their grades.

    Sources that are no reference, such as ``user``, have no row.

    Parameters
    ----------
    numbers
        Name, key of the source and grade of each number.
    sources
        References by key.
    """
    cited: dict[str, list[str]] = {}
    for name, source, grade in numbers:
        cited.setdefault(source, []).append(f"{name} ({grade.name.lower()})")
    return [
        {
            "key": key,
            "citation": sources[key].citation,
            "identifier": sources[key].identifier,
            "read": sources[key].read,
            "parameters": ", ".join(names),
        }
        for key, names in sorted(cited.items())
        if key in sources
    ]


@dataclass(frozen=True, slots=True)
class Equation:
    """A line of a model: left side as text, right side, unit."""

    left: str
    right: Expr
    unit: str


def equations_of(model: Model) -> tuple[tuple[str, tuple[Equation, ...]], ...]:
    """Everything that `show_equations` shows, by section: its title and its lines."""
    return tuple(
        (title, tuple(Equation(left, _decimals(right), unit) for left, _, right, unit in rows))
        for title, rows in _sections(model)
    )


_Row = tuple[str, str, Expr, str]
"""Left side in text and in LaTeX, right side, and the unit."""


def _sections(model: Model) -> list[tuple[str, list[_Row]]]:
    rates = zip(model.species, model.rates(), strict=True)
    sections: list[tuple[str, list[_Row]]] = [
        (
            "Equations (t in days)",
            [
                (
                    f"d{species.name}/dt",
                    rf"\frac{{d\,{_symbol(species.name)}}}{{dt}}",
                    rate,
                    "per day" if species.unit.text == "1" else f"{species.unit.text} per day",
                )
                for species, rate in rates
            ],
        ),
        ("Definitions", _named(model.definitions)),
        ("Solved from the baseline", _named(model.balance)),
        (
            "Initial values",
            [
                (f"{species.name}(0)", f"{_symbol(species.name)}(0)", *_initial(initial, species.unit))
                for species, initial in zip(model.species, model.initial, strict=True)
            ],
        ),
        ("Observables", _named(model.observables)),
        (
            "Doses",
            [
                (
                    f"{route.target.name} per {route.unit.text} by {route.name}",
                    rf"\Delta {_symbol(route.target.name)}_{{\mathrm{{{_roman(route.name)}}}}}",
                    route.gain,
                    f"{route.target.unit.text} per {route.unit.text}",
                )
                for route in model.routes
            ],
        ),
    ]
    return [(title, rows) for title, rows in sections if rows]


def _named(parts: Sequence[Definition | Solved | Observable]) -> list[_Row]:
    return [(part.name, _symbol(part.name), part.expression, part.unit.text) for part in parts]


def _text_rows(rows: list[_Row]) -> list[str]:
    width = max(len(left) for left, _, _, _ in rows)
    return [
        f"  {left:<{width}} = {print_expression(right)}" + (f"   [{unit}]" if unit != "1" else "")
        for left, _, right, unit in rows
    ]


def _latex_rows(rows: list[_Row]) -> list[str]:
    return [
        f"{left} &= {_latex(right)}" + (rf" && [\mathrm{{{_roman(unit)}}}]" if unit != "1" else "")
        for _, left, right, unit in rows
    ]


def _initial(initial: Expr, unit: Unit) -> tuple[Expr, str]:
    """Initial value and unit; a bare number is shown in the unit of the species."""
    if initial.free_symbols:
        return initial, unit.text
    return initial * sympy.Rational(unit.factor.denominator, unit.factor.numerator), unit.text


def _signed(change: Expr | float) -> str:
    expr = sympy.sympify(change, strict=True)
    text = print_expression(expr)
    if expr.is_Add:
        return f"+({text})"
    return text if text.startswith("-") else f"+{text}"


def _spread(parameter: Parameter) -> str:
    """Coefficient of variation while that is a usual number, otherwise the standard deviation of the logarithm."""
    if parameter.spread is None:
        return ""
    sd_log = parameter.spread.sd_log
    return f"CV {100 * math.sqrt(math.expm1(sd_log**2)):.3g} %" if sd_log <= 1 else f"sd_log {sd_log:.3g}"


def _latex(expr: Expr) -> str:
    shown = _decimals(expr)
    names = {symbol: _symbol(str(symbol)) for symbol in shown.free_symbols}
    text: str = sympy.latex(shown, symbol_names=names, mul_symbol=r"\,")
    return text


def _decimals(expr: Expr) -> Expr:
    """Factors and terms that are short decimal numbers stand as such, not as fractions; exponents keep their roots."""
    if not expr.args:
        return _decimal(expr) if expr.is_Rational else expr
    if expr.is_Pow:
        return sympy.Pow(_decimals(expr.base), expr.exp if expr.exp.is_Rational else _decimals(expr.exp))
    arguments = [_decimals(argument) for argument in expr.args]
    return expr.func(*arguments) if expr.is_Add or expr.is_Mul else expr.func(*arguments, evaluate=False)


def _decimal(number: Expr) -> Expr:
    text = print_number(abs(number))
    if number.is_Integer or "/" in text:
        return number
    return sympy.Mul(-1 if number < 0 else 1, Symbol(text))


def _symbol(name: str) -> str:
    r"""LaTeX of a name: ``k_act`` becomes ``k_{\mathrm{act}}``, a Greek name its letter."""
    if name[0].isdigit():
        mantissa, _, power = name.partition("e")
        return rf"{mantissa} \cdot 10^{{{power}}}" if power else mantissa
    head, _, tail = name.strip("_").partition("_")
    greek = head in _GREEK
    shown = rf"\{head}" if greek else head if len(head) <= 1 else rf"\mathrm{{{head}}}"
    return rf"{shown}_{{\mathrm{{{_roman(tail)}}}}}" if tail else shown or r"\_"


_GREEK = frozenset(
    "alpha beta gamma delta epsilon zeta eta theta kappa lambda mu nu xi rho sigma tau phi chi psi omega".split()
)


def _roman(text: str) -> str:
    for character, replacement in (("_", r"\,"), ("%", r"\%"), ("^", r"\^{}"), (" ", r"\ "), ("µ", r"\mu ")):
        text = text.replace(character, replacement)
    return text
