"""A model in the language of mrgsolve, blocks of C++.

K. T. Baron, M. R. Gastonguay, J. Pharmacokinet. Pharmacodyn. 42 (2015) S84-S85. A name that is declared in one block is
known in those that follow it, so ``$TABLE`` computes anew, at the time of a row, what ``$ODE`` left at that of a step.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sympy

from simulate.exchange.prescribed import Given, Said, with_rates
from simulate.exchange.statements import FUNCTIONS, Statements, called, note, sourced, titled
from simulate.symbolic.languages import Language
from simulate.symbolic.model import Model
from simulate.symbolic.switching import choose


def _nested(name: str, parts: Sequence[str]) -> str:
    first, *rest = parts
    return f"{name}({first}, {_nested(name, rest)})" if rest else first


_CPP = Language(
    functions={
        **FUNCTIONS,
        choose: "({} ? {} : {})".format,
        sympy.Abs: called("fabs"),
        sympy.Min: lambda *parts: _nested("fmin", parts),
        sympy.Max: lambda *parts: _nested("fmax", parts),
    },
    root="sqrt({})",
    assignment="double {} = {};",
    comment="  // {}",
    power="pow({}, {})",
)

_SETS = 8
"""EVID of a row that sets a state."""

_RESERVED = frozenset(
    "alignas alignof and and_eq asm auto bitand bitor bool break case catch char class compl const const_cast "
    "constexpr continue decltype default delete do double dynamic_cast else enum explicit export extern false "
    "float for friend goto if inline int long mutable namespace new noexcept not not_eq nullptr operator or or_eq "
    "private protected public register reinterpret_cast return short signed sizeof static static_assert "
    "static_cast struct switch template this thread_local throw true try typedef typeid typename union unsigned "
    "using virtual void volatile wchar_t while xor xor_eq std j0 j1 jn y0 y1 yn gamma lgamma tgamma erf erfc beta "
    "exp log pow sqrt sin cos tan asin acos atan tanh floor fabs fmin fmax abs div index time clock signal "
    "remainder round trunc ceil ID amt cmt ii ss evid addl rate AMT CMT II SS ADDL RATE EVID TIME table ETA EPS "
    "THETA SOLVERTIME simeps simeta self NEWIND DONE CFONSTOP DXDTZERO INITSOLV SETINIT report VARS SS_ADVANCE "
    "NULL TRUE FALSE NAN INFINITY HUGE_VAL PI EOF errno assert "
    "capture pred_CL pred_VC pred_V pred_V2 pred_KA pred_Q pred_VP pred_V3".split()
)
"""Words of C++, functions and macros that it has outside of `std`, and names of mrgsolve and of its data."""


def mrgsolve_text(model: Model, given: Sequence[Given] = ()) -> Said:
    """Text of a composed model with routes, and a table of what is given; time is in days.

    Raises
    ------
    InputError
        As `Statements` and `Statements.table`.
    """
    model = with_rates(model, given)
    # Beside a state there are names of its start, its rate of change and of what is given into it.
    beside = {f"{part.name}_0" for part in model.species} | {f"dxdt_{part.name}" for part in model.species}
    beside |= {f"{kind}_{part.name}" for kind in ("F", "ALAG", "D", "R", "N") for part in model.species}
    taken = _RESERVED | beside
    statements = Statements(model, "mrgsolve", _CPP, lambda name: name not in taken and name[0].isalpha())
    return statements.said(_lines(statements), statements.table(given, _SETS))


def _lines(statements: Statements) -> Iterator[str]:
    model = statements.model
    yield f"$PROB {titled(model)}; time in days"
    yield "$PARAM"
    for parameter, name, value in statements.parameters():
        yield f"{name} = {value}{_CPP.comment.format(sourced(parameter))}"
    yield "$CMT"
    for species in model.species:
        yield f"{statements.names[species.symbol]}{_CPP.comment.format(note(species.meaning, species.unit))}"
    yield "$MAIN"
    yield from (_CPP.assignment.format(*line) for line in statements.constants())
    yield from (f"{name}_0 = {value};" for name, value in statements.initial())
    yield from (f"F_{name} = {gain};" for name, gain in statements.availability())
    yield "$ODE"
    yield from (_CPP.assignment.format(*line) for line in statements.moving("SOLVERTIME"))
    yield from (f"dxdt_{name} = {rate};" for name, rate in statements.rates("SOLVERTIME"))
    yield "$TABLE"
    yield from (f"{name} = {value};" for name, value in statements.moving("TIME"))
    for part, (name, value) in zip(model.observables, statements.observed("TIME"), strict=True):
        yield f"capture {name} = {value};{_CPP.comment.format(note(part.meaning, part.unit))}"
