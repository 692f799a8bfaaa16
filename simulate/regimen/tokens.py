"""The words, numbers and units of a prescription, read from left to right with the column of each."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, TypeVar

from simulate.errors import InputError, Where
from simulate.regimen.doses import RESERVED, USUAL_ROUTES, prescribed, route_is_free, usual_route
from simulate.symbolic.units import Unit, unit

MAX_LENGTH = 10_000
"""Longest prescription that is read, characters."""

EXAMPLE = "such as `100 mg sc every 24 h until 180 d`"

_TOKEN = re.compile(
    r"""\s*(?:
        (?P<number>(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3}(?![0-9]))?(?:/[0-9]+)?)
      | (?P<separator>[;,])
      | (?P<word>[xX×](?=[0-9])|[^\s;,0-9.][^\s;,]*|\S)
    )""",
    re.VERBOSE,
)
_LONGEST_NUMBER = 400
_DECIMAL_COMMA = re.compile(r"[0-9]+,[0-9]")
_NEGATIVE = re.compile(r"[-−–][0-9.]")
_ALIASES = {"wk": "week", "wks": "week"}

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Token:
    """A word, a number or a separator, and the column where it begins, from 1."""

    kind: str
    text: str
    column: int

    @property
    def folded(self) -> str:
        return self.text.casefold()


UnitOf = Literal["dose", "rate", "time"]

_UNITS: Mapping[UnitOf, tuple[str, ...]] = {"dose": ("mg",), "rate": ("mg/h",), "time": ("h", "d")}
"""Units that are offered where one was left out."""


class Tokens:
    """Reads tokens from left to right, one method for each kind of thing."""

    def __init__(self, text: str, where: Where) -> None:
        self.text = text
        self.where = where
        self.tokens = self._tokenize()
        self.at = 0

    def error(self, what: str, token: Token | None, code: str = "regimen.syntax", **answers: str | None) -> InputError:
        """An error at a token, or at the end of the text."""
        where = Where(
            file=self.where.file or "<regimen>",
            line=self.where.line or 1,
            column=len(self.text.rstrip()) + 1 if token is None else token.column,
            key=self.where.key,
            term=self.text if self.text.strip() and len(self.text) <= 200 and self.text.isprintable() else None,
        )
        return InputError(what, code=code, where=where, **answers)

    def _tokenize(self) -> list[Token]:
        if len(self.text) > MAX_LENGTH:
            raise self.error(
                f"the regimen has {len(self.text)} characters", None, expected=f"at most {MAX_LENGTH} characters"
            )
        tokens = []
        end = len(self.text.rstrip())
        at = 0
        while at < end:
            match = _TOKEN.match(self.text, at)
            if match is None or match.lastgroup is None:
                raise self.error("the regimen cannot be read", Token("word", self.text[at], at + 1))
            token = Token(match.lastgroup, match[match.lastgroup], match.start(match.lastgroup) + 1)
            if _DECIMAL_COMMA.match(self.text, match.start(match.lastgroup)):
                raise self.error(
                    "the comma inside a number is ambiguous",
                    token,
                    "regimen.number",
                    found=f"`{self.text[token.column - 1 :].split()[0]}`",
                    advice="write a decimal point, as in 1.5, and no separator of thousands",
                )
            tokens.append(token)
            at = match.end()
        return tokens

    def peek(self) -> Token | None:
        """Return the next token that is no separator, without taking it."""
        while self.at < len(self.tokens) and self.tokens[self.at].kind == "separator":
            self.at += 1
        return self.tokens[self.at] if self.at < len(self.tokens) else None

    def take(self, expected: str, kind: str) -> Token:
        """Take the next token, which must follow at once and be of a kind."""
        token = self.tokens[self.at] if self.at < len(self.tokens) else None
        if token is not None and kind == "number" and _NEGATIVE.match(token.text):
            raise self.error(
                f"{expected} is negative",
                token,
                "regimen.value",
                found=quoted(token.text),
                expected="a number that is not below 0",
                advice=f"leave the sign out: `{token.text[1:]}`",
            )
        if token is None or token.kind != kind:
            raise self.error(
                f"{expected} is missing",
                token,
                found="the end of the regimen" if token is None else quoted(token.text),
                expected=EXAMPLE if "dose" in expected else None,
                advice="amounts, intervals and times are numbers such as 100 or 0.5, never negative"
                if kind == "number"
                else None,
            )
        self.at += 1
        return token

    def maybe(self, *words: str) -> bool:
        """Take the next token if it is one of these words."""
        if self.at < len(self.tokens) and self.tokens[self.at].folded in words:
            self.at += 1
            return True
        return False

    def blame(self, make: Callable[[], _T], token: Token) -> _T:
        """Make a value; what is wrong with it is the fault of a token."""
        try:
            return make()
        except InputError as error:
            raise self.error(
                error.what, token, error.code, found=error.found, expected=error.expected, advice=error.advice
            ) from None

    def number(self, what: str) -> tuple[Fraction, Token]:
        """A decimal number or a fraction, exactly."""
        token = self.take(what, "number")
        if len(token.text) > _LONGEST_NUMBER:
            raise self.error("the number has too many digits", token, "regimen.number")
        numerator, _, denominator = token.text.partition("/")
        if denominator and int(denominator) == 0:
            raise self.error("the number is divided by zero", token, "regimen.number", found=quoted(token.text))
        return Fraction(numerator) / Fraction(denominator or 1), token

    def unit(self, what: str, of: UnitOf = "time") -> tuple[Unit, Token]:
        """A unit that is known, of a dose, a rate or a time."""
        token = self.take(what, "word")
        try:
            return unit(_ALIASES.get(token.folded, token.text)), token
        except InputError as error:
            if self._is_left_out(token, is_dose=of == "dose", is_known=error.advice is not None):
                number = self.tokens[self.at - 2].text
                raise self.error(
                    f"`{number}` has no unit",
                    token,
                    "regimen.unit",
                    found=f"{quoted(token.text)} in the place of {what}",
                    expected=EXAMPLE,
                    advice=" or ".join(f"`{number} {text}`" for text in _UNITS[of]),
                ) from None
            raise self.error(
                error.what, token, "regimen.unit", found=error.found, expected=error.expected, advice=error.advice
            ) from None

    def _is_left_out(self, token: Token, *, is_dose: bool, is_known: bool) -> bool:
        """Whether a word that is no unit, nor nearly one that is known, is what follows a unit."""
        usual = usual_route(token.text.replace(".", "")) in USUAL_ROUTES
        if usual or token.folded in RESERVED or prescribed(token.folded) is not None:
            return True
        following = self.peek()
        return is_dose and not is_known and (following is None or not route_is_free(following.text))

    def length(self, what: str) -> Fraction:
        """A length of time in days."""
        number, _ = self.number(what)
        found, token = self.unit(f"the unit of {what}")
        if found.dimension != unit("d").dimension:
            raise self.error(
                f"{what} is not in a unit of time",
                token,
                "regimen.unit",
                found=quoted(token.text),
                expected="such as h, d or wk",
            )
        return number * found.factor

    def time(self, what: str, *, after_day: bool = False) -> tuple[Fraction, bool]:
        """A time, and whether it was counted as ``day 10``; then the next may be a bare number."""
        if self.maybe("day") or (after_day and not self._unit_follows()):
            return self.number(what)[0], True
        return self.length(what), False

    def _unit_follows(self) -> bool:
        follower = self.tokens[self.at + 1] if self.at + 1 < len(self.tokens) else None
        return (
            follower is not None
            and follower.kind == "word"
            and follower.folded not in (*RESERVED, "×")
            and prescribed(follower.folded) is None
        )


def quoted(text: str) -> str:
    """A piece of the user's text for a message."""
    # `repr` keeps control characters away from the reader's terminal.
    return f"`{text}`" if text.isprintable() and "`" not in text else repr(text)
