"""A model in the language of rxode2, which is that of R.

W. Wang, K. M. Hallow, D. A. James, CPT Pharmacometrics Syst. Pharmacol. 5 (2016) 3-10. A model is a function with the
blocks ``ini``, values of parameters, and ``model``, statements in the order in which they are computed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

import sympy

from simulate.exchange.prescribed import Given, Said, with_rates
from simulate.exchange.statements import FUNCTIONS, Statements, called, note, sourced, titled
from simulate.symbolic.languages import Language
from simulate.symbolic.model import Model
from simulate.symbolic.switching import choose

_R = Language(
    functions={
        **FUNCTIONS,
        choose: called("ifelse"),
        sympy.Abs: called("abs"),
        sympy.Min: called("min"),
        sympy.Max: called("max"),
    },
    root="sqrt({})",
    assignment="{} <- {}",
    comment="  # {}",
    power="({})^({})",
)

_SETS = 5
"""EVID of a row that sets a state."""

_RESERVED = frozenset(
    "if else repeat while function for next break TRUE FALSE NULL Inf NaN NA in pi t time podo podo0 tlast tlast0 "
    "tad tad0 tafd tafd0 tfirst tfirst0 dosenum newind NEWIND amt cmt evid ii ss addl rate dur id dvid mdv dv "
    "limit cens sim linCmt mtime alag lag f d dt ini model".split()
)
"""Words of R, and names of rxode2 and of the columns of its data."""
_CONSTANT = re.compile("M_[A-Z0-9]")


def rxode2_text(model: Model, given: Sequence[Given] = ()) -> Said:
    """Text of a composed model with routes, and a table of what is given; time is in days.

    Raises
    ------
    InputError
        As `Statements` and `Statements.table`.
    """
    statements = Statements(with_rates(model, given), "rxode2", _R, _is_allowed)
    return statements.said(_lines(statements), statements.table(given, _SETS))


def _is_allowed(name: str) -> bool:
    return name not in _RESERVED and name[0].isalpha() and not name.startswith("rx") and _CONSTANT.match(name) is None


def _lines(statements: Statements) -> Iterator[str]:
    model = statements.model
    yield f"# {titled(model)}; time in days"
    function = re.sub("[^A-Za-z0-9_]", "_", model.name)
    yield f"{function if _is_allowed(function) else f'model_{function}'} <- function() {{"
    if parameters := list(statements.parameters()):
        yield "  ini({"
        for parameter, name, value in parameters:
            yield f"    {name} <- {value}{_R.comment.format(sourced(parameter))}"
        yield "  })"
    yield "  model({"
    for name, value in (*statements.constants(), *statements.moving()):
        yield f"    {name} <- {value}"
    for name, rate in statements.rates():
        yield f"    d/dt({name}) <- {rate}"
    for species, (name, value) in zip(model.species, statements.initial(), strict=True):
        yield f"    {name}(0) <- {value}{_R.comment.format(note(species.meaning, species.unit))}"
    for name, gain in statements.availability():
        yield f"    f({name}) <- {gain}"
    for part, (name, value) in zip(model.observables, statements.observed(), strict=True):
        yield f"    {name} <- {value}{_R.comment.format(note(part.meaning, part.unit))}"
    yield "  })"
    yield "}"
