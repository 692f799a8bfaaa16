"""The family of errors that il1sim raises, renders and prints as JSON.

Every error answers the same five questions: what went wrong, where, what was found, what was expected, what to do.
The class decides the exit code of the command line; the ``code`` names the fault for machines and tests.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from typing import Any, ClassVar


@dataclass(frozen=True, slots=True)
class Where:
    """The place of a fault: a file with line and column, a key in it, a term of an expression; each where known."""

    file: str | None = None
    line: int | None = None
    column: int | None = None
    key: str | None = None
    term: str | None = None

    def __str__(self) -> str:
        position = ":".join(str(part) for part in (self.file, self.line, self.column) if part is not None)
        parts = [position] if position else []
        if self.key is not None:
            parts.append(f"key `{self.key}`")
        if self.term is not None:
            parts.append(f"term `{self.term}`")
        return ", ".join(parts)


class Il1simError(Exception):
    """A fault that the user can understand and mend.

    Parameters
    ----------
    what
        One sentence without a final stop that names the fault and the value.
    code
        Dotted name of the fault, stable between versions, such as ``units.mismatch``.
    where
        Place of the fault.
    found, expected, advice
        What was there, what should have been there, what to do.
    """

    exit_code: ClassVar[int] = 1

    def __init__(
        self,
        what: str,
        *,
        code: str,
        where: Where | None = None,
        found: str | None = None,
        expected: str | None = None,
        advice: str | None = None,
    ) -> None:
        super().__init__(what)
        self.what = what
        self.code = code
        self.where = where
        self.found = found
        self.expected = expected
        self.advice = advice

    def __str__(self) -> str:
        lines = [f"error[{self.code}]: {self.what}"]
        if self.where is not None and str(self.where):
            lines.append(f"  --> {self.where}")
        for label, text in (("found:", self.found), ("expected:", self.expected), ("try:", self.advice)):
            if text is not None:
                lines.append(f"  {label:<9} {text}")
        return "\n".join(lines)

    def as_dict(self) -> dict[str, object]:
        """The same five answers for ``--json``; absent ones are left out."""
        answers: dict[str, object] = {"code": self.code, "what": self.what, "exit_code": self.exit_code}
        if self.where is not None:
            where = {name: getattr(self.where, name) for name in Where.__slots__}
            answers["where"] = {name: value for name, value in where.items() if value is not None}
        for name, text in (("found", self.found), ("expected", self.expected), ("advice", self.advice)):
            if text is not None:
                answers[name] = text
        return answers


class InputError(Il1simError):
    """Something that the user supplied cannot be used: a file, a key, a value, a unit, an expression."""

    exit_code = 3


class NumericalError(Il1simError):
    """Members failed numerically, more of them than may be set aside."""

    exit_code = 4


class NotConverged(Il1simError):
    """An analysis or a check ended without the result it is meant to give."""

    exit_code = 5


class Unfinished(Il1simError):
    """A run ended early and can be resumed."""

    exit_code = 6


class MissingExtra(Il1simError):
    """The environment lacks something: an optional package, a writable folder."""

    exit_code = 7


def reason_of(error: Exception) -> str:
    """What the system says of an error, as part of a sentence."""
    reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return reason[:1].lower() + reason[1:]


def optional(module: str, doing: str, package: str, extra: str) -> Any:
    """A module of an optional package, for ``doing`` what needs it.

    Raises
    ------
    MissingExtra
        ``extra.{extra}``: it is not installed.
    """
    try:
        return import_module(module)
    except ImportError:
        raise MissingExtra(
            f"{doing} needs the package {package}",
            code=f"extra.{extra}",
            expected=package,
            advice=f'pip install "il1sim[{extra}]"',
        ) from None


def listed(names: Iterable[object]) -> str:
    """Names as a message shows them."""
    return ", ".join(f"`{name}`" for name in names)


def counted(number: int, noun: str) -> str:
    """A number of things as a reader says it: 1 patient, 2 patients, 3 trajectories."""
    if number == 1:
        return f"1 {noun}"
    return f"{number} {noun[:-1]}ies" if noun.endswith("y") else f"{number} {noun}s"


def did_you_mean(name: str, known: Iterable[str]) -> str | None:
    """Advice that names the nearest known names, or None when nothing is near.

    Those that end with the name come first, as `vtrnldeg_a2` does with `a2`: a parameter of one reaction is named so.
    """
    folded, by_folded = name.casefold(), {candidate.casefold(): candidate for candidate in known}
    ending = [candidate for candidate in by_folded if folded and candidate.endswith(f"_{folded}")]
    near = list(dict.fromkeys((*ending, *difflib.get_close_matches(folded, by_folded, n=3, cutoff=0.6))))[:3]
    if not near:
        return None
    return "did you mean " + " or ".join(f"`{by_folded[match]}`" for match in near) + "?"


def not_among(
    what: str,
    name: str,
    known: Iterable[str],
    *,
    code: str,
    where: Where | None = None,
    found: str | None = None,
    none: str = "",
    kind: type[Il1simError] = InputError,
) -> Il1simError:
    """The fault of a name that is not among those known: all of these are listed, and the nearest are advised.

    Where none is known, ``none`` says what is expected.
    """
    names = list(known)
    advice = did_you_mean(name, names)
    return kind(what, code=code, where=where, found=found, expected=listed(names) or none, advice=advice)


def relocated(error: InputError, where: Where, text: str) -> InputError:
    """The same fault, with the file and line of the text in which it was found."""
    inner = error.where
    term = inner.term if inner is not None else None
    if inner is not None and inner.column is not None and term is None:
        # The column counts within the text, which may be anywhere in its line: show what begins there.
        term = text[inner.column - 1 :].split(";")[0].strip()[:60] or None
    return InputError(
        error.what,
        code=error.code,
        where=Where(where.file, where.line, None, where.key, term),
        found=error.found,
        expected=error.expected,
        advice=error.advice,
    )
