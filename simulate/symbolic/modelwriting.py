"""A composed model as the text of a model file."""

from __future__ import annotations

import json
from collections.abc import Iterator

import sympy
from sympy import Expr

from simulate.symbolic.model import Model
from simulate.symbolic.parts import Event, Parameter, Species
from simulate.symbolic.printing import print_expression


def model_text(model: Model) -> str:
    """Text of a model file with one mechanism.

    A constraint of the hypothesis is the value of the parameter, and a balanced unknown is balanced by its solution.
    """
    lines = [f"# {model.hypothesis}: {', '.join(model.mechanisms)}" if model.hypothesis != "none" else ""]
    lines += _table("model", name=_text(model.name), title=_words(model.title))
    for parameter in model.parameters:
        lines += _parameter(parameter)
    for species in model.species:
        lines += _table(
            f"species.{species.name}",
            meaning=_words(species.meaning),
            unit=_text(species.unit.text),
            initial=_initial(species),
        )
    for solved in model.balance:
        lines += _table(
            f"balances.{solved.name}",
            meaning=_words(solved.meaning),
            unit=_text(solved.unit.text),
            zero=_expression(solved.symbol - solved.expression),
            reason=_words(solved.reason, "it would be negative"),
        )
    for kind, parts in (("definitions", model.definitions), ("observables", model.observables)):
        for part in parts:
            lines += _table(
                f"{kind}.{part.name}",
                meaning=_words(part.meaning),
                unit=_text(part.unit.text),
                expression=_expression(part.expression),
            )
    for reaction in model.reactions:
        change = ", ".join(f"{target.name} = {_expression(by)}" for target, by in reaction.change.items())
        lines += _table(f"reactions.{reaction.name}", rate=_expression(reaction.rate), change=f"{{ {change} }}")
    for route in model.routes:
        lines += _table(
            f"routes.{route.name}",
            drug=_text(route.drug),
            target=_text(route.target.name),
            unit=_text(route.unit.text),
            gain=_expression(route.gain),
        )
    unknowns = {solved.name for solved in model.balance}
    for condition in model.conditions:
        if condition.name not in unknowns:
            lines += _table(
                f"conditions.{condition.name}",
                expression=_expression(condition.expression),
                reason=_words(condition.reason, "it would be negative"),
            )
    for event in model.events:
        lines += _event(event)
    return "\n".join(lines).lstrip("\n") + "\n"


def _event(event: Event) -> Iterator[str]:
    changes = ", ".join(f"{target.name} = {_change(value, target)}" for target, value in event.changes.items())
    delay = sympy.sympify(event.delay, strict=True)
    return _table(
        f"events.{event.name}",
        when=_expression(event.when),
        set=f"{{ {changes} }}",
        delay="" if delay == 0 else _expression(delay),
        priority="" if event.priority is None else _expression(event.priority),
        persistent="" if event.persistent else "false",
        at_start="true" if event.at_start else "",
        values="" if event.at_trigger else _text("execution"),
    )


def _parameter(parameter: Parameter) -> Iterator[str]:
    spread, bounds = parameter.spread, parameter.bounds
    return _table(
        f"parameters.{parameter.name}",
        meaning=_words(parameter.meaning),
        value=repr(float(parameter.value)),
        unit=_text(parameter.unit.text),
        spread=f"{{ sd_log = {float(spread.sd_log)!r} }}" if spread is not None else "",
        bounds=f"[{float(bounds[0])!r}, {float(bounds[1])!r}]" if bounds is not None else "",
        source=_words(parameter.source),
        grade=_text(parameter.grade.name.lower()),
    )


def _table(header: str, /, **entries: str) -> Iterator[str]:
    yield ""
    yield f"[{header}]"
    for key, value in entries.items():
        if value:
            yield f"{key} = {value}"


def _initial(species: Species) -> str:
    return _change(species.initial, species)


def _change(value: Expr | float, species: Species) -> str:
    """Value of a species; a bare number is in the unit of the species, not in the coherent base."""
    initial = sympy.sympify(value, strict=True)
    if initial.free_symbols:
        return _expression(initial)
    factor = species.unit.factor
    return _expression(initial * sympy.Rational(factor.denominator, factor.numerator))


def _expression(expr: Expr | float) -> str:
    return _text(print_expression(sympy.sympify(expr, strict=True)))


def _words(text: str, otherwise: str = "") -> str:
    """TOML string of a text for readers, in one line; nothing where there is no text."""
    line = "".join(character for character in " ".join(text.split()) if character.isprintable())
    return _text(line or otherwise) if line or otherwise else ""


def _text(text: str) -> str:
    """TOML string; JSON's escapes are TOML's, but for the one control character that JSON leaves alone."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")
