"""A command that reads every option that it is given: none twice, and none that says nothing beside another.

TOML files among them are parsed before the verb loads anything, so that a slip of the pen is told at once.
"""

from __future__ import annotations

import contextlib
import os
import re
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from typer.core import TyperCommand

ONLY_WITH: dict[str, dict[str, tuple[str, ...]]] = {
    "compare": {"--larger": ("--calibrate",)},
    # A trial from a file may have controls of its own.
    "trial": {"--control": ("--placebo", "--trial")},
}
"""Verb → option → those without any of which it says nothing."""

NEVER_WITH = {
    "compare": {
        name: "--calibrate"
        for name in (
            *("--prior", "--against", "--fits", "--particles", "--runs", "--patients", "--draws", "--final-patients"),
        )
    },
    "reproduce": {"--fit": "--refit", "--fits": "--refit"},
}
"""Verb → option → the one beside which it says nothing."""

_ADVICE = {"--hypothesis": "`-H H1+H3a` combines two hypotheses"}


class Spared:
    """A command that does not load what Typer reads numbers with, a tenth of a second, before a number is given."""

    def get_params(self, ctx: Any) -> list[Any]:
        """As its base."""
        found: list[Any] = super().get_params(ctx)  # type: ignore[misc]
        for parameter in found:
            if "process_value" not in vars(parameter):
                _spare(parameter)
        return found


class StrictCommand(Spared, TyperCommand):
    """A command that refuses what would be read past."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """As its base; raises `UsageFault` for an option that counts twice or not at all."""
        _, rest, order = self.make_parser(ctx).parse_args(args=list(args))
        # Who asks for help is given it.
        if rest and not any(parameter.is_eager for parameter in order):
            _check_hypothesis(rest[0], self.params, order)
        given: list[str] = []
        for parameter in order:
            name = max(parameter.opts, key=len)
            # An option that may be repeated says that it is a list.
            if parameter.param_type_name == "option" and not parameter.multiple and name in given:
                raise _fault(f"the option `{name}` is given twice", _ADVICE.get(name, "give it once"))
            given.append(name)
        for name, others in ONLY_WITH.get(self.name or "", {}).items():
            if name in given and not {*others} & {*given}:
                raise _fault(f"the option `{name}` says nothing without `{others[0]}`", "leave it out, or give both")
        for name, other in NEVER_WITH.get(self.name or "", {}).items():
            if name in given and other in given:
                raise _fault(f"the option `{name}` says nothing beside `{other}`", "leave one of the two out")
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """As its base; raises the `InputError` of a TOML file that is none."""
        for name, value in ctx.params.items():
            # What is to be written, under either name, may be anything now.
            if name not in ("out", "name"):
                _parse_files(value if isinstance(value, list | tuple) else [value])
        return super().invoke(ctx)


def _check_hypothesis(word: str, known: Iterable[Any], given: Iterable[Any]) -> None:
    """Refuse the name of a hypothesis where no word is expected, and an option among those known takes it."""
    from simulate.biology.hypotheses import is_hypothesis

    option = "--hypothesis"
    if any(option in parameter.opts for parameter in known) and is_hypothesis(word):
        is_second = any(option in parameter.opts for parameter in given)
        advice = _ADVICE[option] if is_second else f"`-H {shlex.quote(word)}`"
        raise _fault(f"the hypothesis `{word}` is given without its option", advice, code="usage.argument")


def _spare(parameter: Any) -> None:
    """Let what is not given, and a text, be read here, as Typer would."""
    process = parameter.process_value
    kind = getattr(getattr(parameter, "type_descriptor", None), "annotation", None)

    def process_value(context: Any, value: Any) -> Any:
        if value is None and not parameter.required:
            nothing = () if getattr(parameter, "multiple", False) or parameter.nargs == -1 else None
            return nothing if parameter.callback is None else parameter.callback(context, parameter, nothing)
        if kind is str and isinstance(value, str) and parameter.callback is None:
            return value
        if kind in (int, float) and isinstance(value, str):
            _check_number(parameter, kind, value)
        # Whoever may not read a file or folder is told so.
        if kind is Path and isinstance(value, str) and (os.access(value, os.R_OK) or not os.path.lexists(value)):
            return Path(value)
        return process(context, value)

    parameter.process_value = process_value


def _check_number(parameter: Any, kind: type, text: str) -> None:
    """Refuse a text that is no number, or no whole one where that is wanted; which number was meant is offered."""
    from simulate.cli.console import UsageFault

    name = max(parameter.opts, key=len)
    with contextlib.suppress(ValueError):
        given = kind(text)
        if (expected := _beyond(parameter, given)) is None:
            return
        raise UsageFault(
            f"the value of `{name}` cannot be used", code="usage.argument", found=f"`{text}`", expected=expected
        )
    number = None
    is_decimal = kind is float and text.count(",") == 1 and "." not in text
    # A comma that does not part thousands may part decimals: who means one of the two is not offered the other.
    is_clear = is_decimal or "," not in text or re.fullmatch(r"\d{1,3}(,\d{3})+(\.\d*)?", text) is not None
    with contextlib.suppress(ValueError):
        number = float(text.replace(",", "." if is_decimal else "")) if is_clear else None
    is_meant = number is not None and abs(number) < 1e15 and (kind is float or number == number // 1)
    raise UsageFault(
        f"`{name}` takes a {'whole number' if kind is int else 'number'}",
        code="usage.argument",
        found=f"`{text}`",
        expected=f"{'digits alone' if kind is int else 'digits with a decimal point'}, such as "
        f"{'1000' if kind is int else '0.1 or 1e-6'}",
        advice=f"`{name} {number:.{0 if kind is int else 15}{'f' if kind is int else 'g'}}`" if is_meant else None,
    )


def _beyond(parameter: Any, number: float) -> str | None:
    """Which numbers an option takes, where this is none of them; None where it is one."""
    least, most = (getattr(parameter, name, None) for name in ("min", "max"))
    if (least is None or number >= least) and (most is None or number <= most):
        return None
    if most is None:
        return f"{least:.15g} or more"
    return f"{most:.15g} or less" if least is None else f"a number from {least:.15g} to {most:.15g}"


def _parse_files(values: Iterable[object]) -> None:
    from simulate.files import read_toml

    for value in values:
        # Hypotheses are joined by a plus, some of them files.
        for part in str(value).split("+") if isinstance(value, str | Path) else ():
            if part.strip().endswith(".toml"):
                path = Path(part.strip())
                with contextlib.suppress(OSError):
                    if path.is_file():
                        read_toml(path)


def _fault(what: str, advice: str, *, code: str = "usage.option") -> Exception:
    from simulate.cli.console import UsageFault

    return UsageFault(what, code=code, advice=advice)
