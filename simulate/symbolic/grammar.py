"""The grammar of expressions: a tokenizer and a precedence-climbing parser that allow arithmetic and nothing else.

No text reaches ``eval`` or SymPy's parser. Numbers are exact: ``0.1`` is one tenth. Every size is limited, because a
short text can ask SymPy for a number with more digits than memory holds.
"""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any, NoReturn

import sympy
from sympy import Expr, Symbol

from simulate.errors import InputError, Where, did_you_mean
from simulate.symbolic.constants import MAX_BITS, approximate, bits
from simulate.symbolic.functions import FUNCTIONS, MAX_ROOTED, Function, power, rooted
from simulate.symbolic.limits import MAX_NESTED_NUMBERS
from simulate.symbolic.naming import MAX_NAME, is_name
from simulate.symbolic.switching import CONDITIONS, both, compare, either, is_condition, no, piecewise

MAX_LENGTH = 10_000
"""Characters of an expression."""
MAX_DEPTH = 100
"""Parentheses, signs and powers inside one another."""
MAX_SIZE = 20_000
"""Symbols, numbers and operations, counted after ``hill`` is written out."""

_MAX_POWER = 1000
COMPARISONS = (">", ">=", "<", "<=", "==", "!=")
"""Signs of comparisons."""


def parse_expression(
    text: str,
    *,
    where: Where | None = None,
    condition: bool = False,
    functions: Mapping[str, Function] = FUNCTIONS,
) -> Expr:
    """SymPy expression from text.

    Numbers, names, ``+ - * / **``, parentheses, functions of one argument (``exp log sqrt tanh abs sin cos tan asin
    acos atan floor ceil``), ``min`` and ``max``, ``hill(x, K, n)``, ``at_baseline(x)``, and ``piecewise(value,
    condition, …, otherwise)``. Powers bind to the right and stronger than a sign before them. Conditions are
    comparisons, ``> >= < <= == !=``, joined by ``and``, ``or`` and ``not``.

    Parameters
    ----------
    condition
        Whether the text is to be a condition; a number otherwise.
    functions
        The functions that may occur, where another format has others.

    Raises
    ------
    InputError
        ``expression.…`` with the column: ``syntax``, ``character``, ``name``, ``function``, ``arguments``, ``limit``,
        ``power``, ``undefined`` (a division by zero, the logarithm of a negative number) and ``condition`` (a condition
        where a number is expected, or a number where a condition is).
    """
    if len(text) > MAX_LENGTH:
        raise InputError(
            f"an expression has {len(text)} characters",
            code="expression.limit",
            where=where,
            expected=f"at most {MAX_LENGTH}",
            advice="name its parts in definitions",
        )
    return _Parser(text, where, functions).parse(condition)


@dataclass(frozen=True, slots=True)
class _Token:
    kind: str
    text: str
    at: int


@dataclass(frozen=True, slots=True)
class _Term:
    """A part of the expression: its size written out, where it began, functions inside one another, names in it."""

    expr: Expr
    size: int
    at: int
    nested: int = 0
    named: bool = False


_TOKEN = re.compile(
    r"[ \t\r\n]*(?:(?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<sign>\*\*|<=|>=|==|!=|[-+*/(),<>])|(?P<end>\Z))"
)


class _Parser:
    """One reading of one text; tokens are cut off as they are needed, so that the first fault is the one reported."""

    def __init__(self, text: str, where: Where | None, functions: Mapping[str, Function]) -> None:
        self.text = text
        self.where = where
        self.functions = functions
        self._depth = 0
        self._tokens = self._split()
        self._token = next(self._tokens)

    def parse(self, condition: bool) -> Expr:
        if self._token.kind == "end":
            raise self._fault("the expression is empty", self._token, "syntax")
        term = self._either()
        if self._token.kind != "end":
            self._unexpected("an operator or the end")
        if condition and not is_condition(term.expr):
            raise self._not_a_condition(term)
        if not condition:
            self._numbers([term])
        if term.expr.has(sympy.zoo, sympy.nan, sympy.oo, sympy.I):
            raise self._fault("the expression has no finite real value", _Token("sign", "", term.at), "undefined")
        return term.expr

    def _either(self) -> _Term:
        """A sum; or comparisons joined by words, of which ``not`` binds most strongly and ``or`` least."""
        alternatives: list[_Term] = []
        needed: list[_Term] = []
        while True:
            # Not by a method of its own: expressions are nested a hundred times, and Python's calls a thousand.
            needed.append(self._opposite() if self._is_word("not") else self._compared(self._sum()))
            if self._is_word("and"):
                self._take()
                continue
            alternatives.append(self._joined(both, needed))
            if not self._is_word("or"):
                return self._joined(either, alternatives)
            self._take()
            needed = []

    def _joined(self, build: Any, terms: list[_Term]) -> _Term:
        """Conditions joined by a word; a single term as it is."""
        if len(terms) == 1:
            return terms[0]
        self._conditions(terms)
        return self._term(build(*(term.expr for term in terms)), terms, terms[0].at)

    def _opposite(self) -> _Term:
        word = self._take()
        self._deeper(word)
        term = self._opposite() if self._is_word("not") else self._compared(self._sum())
        self._depth -= 1
        self._conditions([term])
        return self._term(no(term.expr), [term], word.at)

    def _compared(self, first: _Term) -> _Term:
        """A comparison, if a sign of one follows."""
        if self._token.text not in COMPARISONS:
            return first
        sign = self._take()
        second = self._sum()
        if self._token.text in COMPARISONS:
            raise self._fault(
                "two comparisons stand in a row",
                self._token,
                "syntax",
                advice="join them with `and`: `a < x and x < b`",
            )
        self._numbers([first, second])
        return self._term(compare(sign.text, first.expr, second.expr), [first, second], first.at)

    def _is_word(self, word: str) -> bool:
        return self._token.kind == "name" and self._token.text == word

    def _numbers(self, terms: Iterable[_Term]) -> None:
        """Refuse conditions where numbers are expected."""
        for term in terms:
            if isinstance(term.expr, CONDITIONS):
                raise self._fault(
                    "a condition stands where a number is expected",
                    _Token("sign", "", term.at),
                    "condition",
                    advice="write `piecewise(1, condition, 0)` for 1 where a condition holds, else 0",
                )

    def _conditions(self, terms: Iterable[_Term]) -> None:
        for term in terms:
            if not is_condition(term.expr):
                raise self._not_a_condition(term)

    def _not_a_condition(self, term: _Term) -> InputError:
        return self._fault(
            "a number stands where a condition is expected",
            _Token("sign", "", term.at),
            "condition",
            expected="a comparison, such as `x > y`, or several with `and`, `or` and `not`",
        )

    def _sum(self) -> _Term:
        """Terms joined by + and -, collected first: SymPy adds a thousand at once faster than one by one."""
        first = self._product()
        terms = [first]
        while self._token.text in ("+", "-"):
            sign = self._take()
            term = self._product()
            terms.append(term if sign.text == "+" else replace(term, expr=-term.expr))
        if len(terms) == 1:
            return first
        self._numbers(terms)
        return self._term(sympy.Add(*(term.expr for term in terms)), terms, first.at)

    def _product(self) -> _Term:
        """Factors joined by * and /; a sign is a factor, lest SymPy multiply it into the sum that follows it."""
        terms = self._signed()
        while self._token.text in ("*", "/"):
            sign = self._take()
            *signs, term = self._signed()
            inverse = _Term(sympy.Integer(-1), 1, term.at)
            terms += [*signs, term if sign.text == "*" else self._power(term, inverse, term.at)]
        if len(terms) == 1:
            return terms[0]
        self._numbers(terms)
        return self._term(sympy.Mul(*(term.expr for term in terms)), terms, terms[0].at)

    def _signed(self) -> list[_Term]:
        """A power, after a factor -1 for each minus sign before it."""
        if self._token.text not in ("+", "-"):
            return [self._powered()]
        sign = self._take()
        self._deeper(sign)
        terms = self._signed()
        self._depth -= 1
        return terms if sign.text == "+" else [_Term(sympy.Integer(-1), 1, sign.at), *terms]

    def _powered(self) -> _Term:
        base = self._atom()
        if self._token.text != "**":
            return base
        sign = self._take()
        self._deeper(sign)
        terms = self._signed()
        self._depth -= 1
        self._numbers([base, *terms])
        exponent = self._term(sympy.Mul(*(term.expr for term in terms)), terms, terms[0].at)
        return self._power(base, exponent, sign.at)

    def _atom(self) -> _Term:
        token = self._token
        if token.kind == "number":
            self._take()
            return _Term(self._number(token), 1, token.at)
        if token.kind == "name":
            self._take()
            if self._token.text == "(":
                return self._call(token)
            return _Term(self._symbol(token), 1, token.at, named=True)
        if token.text == "(":
            self._take()
            self._deeper(token)
            inner = self._either()
            if self._token.text != ")":
                self._unexpected("`)`" if self._token.kind == "end" else "an operator or `)`")
            self._take()
            self._depth -= 1
            return inner
        self._unexpected("a number, a name or `(`")

    def _call(self, name: _Token) -> _Term:
        function = self.functions.get(name.text)
        if function is None:
            familiar = {"ln": "write `log`", "log10": "write `log(x)/log(10)`", "pow": "write `x**n`"}
            raise self._fault(
                f"`{_clip(name.text)}` is not a function",
                name,
                "function",
                expected=" ".join(self.functions),
                advice=familiar.get(name.text)
                or did_you_mean(name.text, self.functions)
                or "write `*` if you mean a product",
            )
        self._deeper(self._take())
        arguments = [self._either()]
        while self._token.text == ",":
            self._take()
            arguments.append(self._either())
        if self._token.text != ")":
            self._unexpected("`,` or `)`")
        self._take()
        self._depth -= 1
        if not function.least <= len(arguments) <= function.most:
            wanted = str(function.least) if function.least == function.most else f"{function.least} to {function.most}"
            raise self._fault(
                f"`{name.text}` has {len(arguments)} argument{'s' if len(arguments) > 1 else ''}",
                name,
                "arguments",
                expected=wanted,
            )
        return self._apply(name, function, arguments)

    def _apply(self, name: _Token, function: Function, arguments: list[_Term]) -> _Term:
        if name.text == "piecewise":
            return self._piecewise(name, arguments)
        self._numbers(arguments)
        first = arguments[0].expr
        if name.text in ("log", "sqrt") and not first.free_symbols:
            value = self._value(first, name)
            if value < 0 or (value == 0 and name.text == "log"):
                raise self._fault(f"the argument of `{name.text}` is {value:g}", name, "undefined")
        if name.text == "sqrt":
            self._check_root(first, sympy.Rational(1, 2), name)
        if name.text == "exp":
            self._check_exponential(first, name)
        if name.text == "hill":
            x, half, n = arguments
            above = self._power(x, n, name.at)
            below = replace(above, expr=above.expr + self._power(half, n, name.at).expr)
            self._power(below, _Term(sympy.Integer(-1), 1, name.at), name.at)
        own = {"hill": not arguments[-1].expr.is_Integer, "at_baseline": 0, "tanh": 2, "min": 2, "max": 2}.get(
            name.text, 1
        )
        parts = [self._inside(term, own, name) for term in arguments]
        return self._term(function.build(*(term.expr for term in arguments)), parts * function.copies, name.at)

    def _piecewise(self, name: _Token, arguments: list[_Term]) -> _Term:
        if len(arguments) % 2 == 0:
            raise self._fault(
                f"`piecewise` has {len(arguments)} arguments",
                name,
                "arguments",
                expected="a value and a condition, as often as needed, and last the value otherwise",
            )
        *pairs, otherwise = arguments
        self._numbers([*pairs[::2], otherwise])
        self._conditions(pairs[1::2])
        return self._term(piecewise(*(term.expr for term in arguments)), arguments, name.at)

    def _inside(self, term: _Term, functions: int, place: _Token) -> _Term:
        """A term inside functions; of numbers in them SymPy asks for values, in time exponential in their nesting."""
        nested = 0 if term.named or term.expr.is_Rational else term.nested
        inner = replace(term, nested=nested + functions)
        if inner.nested > MAX_NESTED_NUMBERS and not term.named:
            raise self._fault(
                "a number has too many functions inside one another",
                place,
                "limit",
                expected=f"at most {MAX_NESTED_NUMBERS} functions, roots and powers; tanh, min and max count twice",
                advice="write its value",
            )
        return inner

    def _check_root(self, base: Expr, exponent: Expr, place: _Token) -> None:
        if (found := rooted(base, exponent)) > MAX_ROOTED:
            raise self._fault(
                "a root or a power that is not whole has too large a whole power inside it",
                place,
                "limit",
                expected=f"at most the power {MAX_ROOTED}, not {found}",
                advice="name one of them in a state or a parameter, or use a smaller power",
            )

    def _check_exponential(self, exponent: Expr, name: _Token) -> None:
        """SymPy turns ``exp(9 * log(2))`` into ``2**9`` at once, so the exponent has the limits of a power."""
        for log in exponent.atoms(sympy.log):
            if log.args[0].is_Rational and any(abs(number) > 100 for number in exponent.atoms(sympy.Rational)):
                raise self._fault(
                    "a power of a number is too large", name, "power", advice="write it as a decimal number"
                )

    def _power(self, base: _Term, exponent: _Term, at: int) -> _Term:
        """Power whose result is known to be small before SymPy computes it."""
        place = _Token("sign", "**", at)
        size = bits(base.expr.as_coeff_Mul()[0]) - 1
        numbers = [abs(number) for number in exponent.expr.atoms(sympy.Rational)]
        largest = max(numbers, default=0)
        constant = exponent.expr.is_Rational
        if (constant or size) and (largest > _MAX_POWER or size * max(largest, 1) > MAX_BITS):
            raise self._fault(
                "a power is too large",
                place,
                "power",
                expected=f"exponents up to {_MAX_POWER} and results below 2**{MAX_BITS}",
            )
        if base.expr.is_Rational:
            if base.expr == 0 and exponent.expr.could_extract_minus_sign():
                raise self._fault("a division by zero", place, "undefined")
            if base.expr < 0 and not exponent.expr.is_Integer:
                raise self._fault("a negative number has a power that is no whole number", place, "undefined")
        self._check_root(base.expr, exponent.expr, place)
        own = not exponent.expr.is_Integer
        parts = [self._inside(term, own, place) for term in (base, exponent)]
        return self._term(power(base.expr, exponent.expr), parts, base.at)

    def _term(self, expr: Expr, parts: list[_Term], at: int) -> _Term:
        size = 1 + sum(part.size for part in parts)
        place = _Token("sign", "", at)
        if size > MAX_SIZE:
            raise self._fault(
                "the expression is too large when `hill` is written out",
                place,
                "limit",
                expected=f"at most {MAX_SIZE} symbols, numbers and operations",
                advice="name its parts in definitions",
            )
        self._check_numbers(expr, place)
        nested, named = max(part.nested for part in parts), any(part.named for part in parts)
        return _Term(expr, size, at, nested, named)

    def _check_numbers(self, expr: Expr, place: _Token) -> None:
        coefficient, rest = expr.as_coeff_Mul()
        if bits(coefficient) > MAX_BITS:
            raise self._fault("a number has too many digits", place, "limit", expected=f"numbers below 2**{MAX_BITS}")
        if not rest.is_Rational and not rest.is_Symbol and not rest.free_symbols:
            self._value(expr, place)
        for factor in sympy.Mul.make_args(rest):
            if factor.is_Pow and factor.exp.is_Rational and abs(factor.exp) > _MAX_POWER:
                raise self._fault("a power is too large", place, "power", expected=f"exponents up to {_MAX_POWER}")

    def _value(self, expr: Expr, place: _Token) -> float:
        """Approximate value of a constant, refused unless it is real and of ordinary size."""
        try:
            value = approximate(expr)
        except (ArithmeticError, ValueError, TypeError):
            raise self._fault("a constant has no finite real value", place, "undefined") from None
        return value

    def _number(self, token: _Token) -> Expr:
        mantissa, _, exponent = token.text.lower().partition("e")
        if len(mantissa) <= 310 and len(exponent) <= 4 and abs(int(exponent or 0)) <= 300:
            number = sympy.Rational(token.text)
            if bits(number) <= MAX_BITS:
                return number
        raise self._fault(
            f"the number {_clip(token.text)} is out of range",
            token,
            "limit",
            expected="a number of ordinary size, such as 4.1 or 2e-6",
        )

    def _symbol(self, token: _Token) -> Symbol:
        if is_name(token.text):
            return Symbol(token.text)
        if token.text in FUNCTIONS:
            raise self._fault(
                f"the function `{token.text}` has no argument", token, "name", advice=f"write `{token.text}(...)`"
            )
        if keyword.iskeyword(token.text):
            raise self._fault(f"`{token.text}` is a keyword of Python and cannot be a name", token, "name")
        raise self._fault(
            f"the name `{_clip(token.text)}` is too long", token, "limit", expected=f"at most {MAX_NAME} characters"
        )

    def _take(self) -> _Token:
        token = self._token
        self._token = next(self._tokens)
        return token

    def _deeper(self, token: _Token) -> None:
        self._depth += 1
        if self._depth > MAX_DEPTH:
            raise self._fault(
                "the expression is nested too deeply",
                token,
                "limit",
                expected=f"at most {MAX_DEPTH} parentheses, signs and powers inside one another",
            )

    def _split(self) -> Iterator[_Token]:
        position = 0
        while True:
            match = _TOKEN.match(self.text, position)
            if match is None:
                self._stray(position)
            kind = match.lastgroup or "end"
            yield _Token(kind, match[kind], match.start(kind))
            position = match.end()

    def _stray(self, position: int) -> NoReturn:
        while self.text[position] in " \t\r\n":
            position += 1
        character = self.text[position]
        token = _Token("stray", character, position)
        if character.isascii():
            shown = f"`{character}`" if character.isprintable() else f"U+{ord(character):04X}"
            advice = {
                "^": "write powers as `**`",
                "=": "a rate is one expression, without an equation sign; a comparison is `==`",
                "!": "write `not`, or `!=` between two numbers",
                "&": "write `and`",
                "|": "write `or`",
            }.get(character)
        else:
            shown = f"`{character}` ({unicodedata.name(character, f'U+{ord(character):04X}')})"
            if not character.isprintable():
                shown = f"U+{ord(character):04X}"
            advice = "names are written in ASCII letters, digits and underscores"
        raise self._fault(f"the character {shown} cannot stand in an expression", token, "character", advice=advice)

    def _unexpected(self, expected: str) -> NoReturn:
        token = self._token
        if token.kind == "end":
            raise self._fault("the expression ends too early", token, "syntax", expected=expected)
        juxtaposed = token.kind in ("number", "name") or token.text == "("
        advice = "write `*` between factors" if juxtaposed and "operator" in expected else None
        raise self._fault(f"unexpected `{_clip(token.text)}`", token, "syntax", expected=expected, advice=advice)

    def _fault(
        self, what: str, token: _Token, code: str, *, expected: str | None = None, advice: str | None = None
    ) -> InputError:
        before = self.text[: token.at]
        column = token.at - (before.rfind("\n") + 1) + 1
        lines = before.count("\n")
        place = f"line {lines + 1}, column {column}" if lines else f"column {column}"
        excerpt = " ".join(self.text[max(0, token.at - 30) : token.at + 30].split())
        return InputError(
            f"{what} ({place} of the expression)",
            code=f"expression.{code}",
            where=self.where,
            found=f"`{excerpt}`" if excerpt and excerpt.isprintable() else None,
            expected=expected,
            advice=advice,
        )


def _clip(text: str) -> str:
    return text if len(text) <= 60 else text[:57] + "..."
