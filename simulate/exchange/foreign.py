"""Models of other programs in any of their formats: SBML, Antimony by way of it, and texts for programs of R."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from simulate.errors import InputError, Where

if TYPE_CHECKING:
    # Most runs ask only whether a file is one of these.
    from simulate.exchange.prescribed import Given, Said
    from simulate.exchange.sbml.annotations import About
    from simulate.exchange.sbml.reading import Imported
    from simulate.symbolic.model import Model

FORMATS = {".xml": "SBML", ".sbml": "SBML", ".ant": "Antimony"}
"""Endings of the names of files in formats of other programs."""


def is_foreign(path: Path | str) -> bool:
    """Whether the name of a file is that of a model in a format of other programs."""
    return Path(path).suffix.lower() in FORMATS


def format_of(path: Path | str) -> str:
    """Name of the format of a file that `is_foreign`."""
    return FORMATS[Path(path).suffix.lower()]


def _is_antimony(path: Path | str) -> bool:
    return is_foreign(path) and format_of(path) == "Antimony"


def read_foreign(path: Path | str, *, time_unit: str | None = None, doses: bool = True) -> Imported:
    """Read a model of another program.

    Parameters
    ----------
    path
        A file that `is_foreign`.
    time_unit
        Unit of time of the model; as for `read_sbml`.
    doses
        Whether events that are doses become routes and a regimen (`with_doses`), or stay events.

    Raises
    ------
    InputError, MissingExtra
        As `read_sbml` and `simulate.exchange.antimony.sbml_of`. Places in Antimony are names, without lines.
    """
    from simulate.exchange.antimony import sbml_of
    from simulate.exchange.doses import with_doses
    from simulate.exchange.sbml.reading import read_sbml, read_sbml_text

    if _is_antimony(path):
        found = read_sbml_text(sbml_of(Path(path)), str(path), time_unit=time_unit)
    else:
        found = read_sbml(path, time_unit=time_unit)
    return with_doses(found) if doses else found


def refuse_model(path: Path | str, what: str, expected: str, advice: str) -> None:
    """Refuse a file that `is_foreign` where something else is wanted.

    ``what``: what that is, such as ``estimation problem``.

    Raises
    ------
    InputError
        ``exchange.kind``.
    """
    if is_foreign(path):
        raise InputError(
            f"the file is a model, and no {what}",
            code="exchange.kind",
            where=Where(str(path)),
            expected=expected,
            advice=advice,
        )


def judge_units(file: Path | str, units: str) -> None:
    """Check the units of a model of another program, if they are asked for: ``numbers`` or ``strict``.

    Raises
    ------
    InputError, MissingExtra
        ``units.asked``: neither, or strict of a file whose units are checked always. As `check_foreign_units`.
    """
    if units not in ("numbers", "strict"):
        raise InputError(
            "this does not say how units are judged",
            code="units.asked",
            found=f"`{units}`",
            expected="`numbers`, or `strict` for SBML and Antimony",
        )
    if units == "numbers":
        return
    if not is_foreign(file):
        raise InputError(
            "units are judged strictly in SBML and Antimony: those of all other files are checked always",
            code="units.asked",
            found=f"`{file}`",
            advice="leave `strict` out",
        )
    check_foreign_units(file)


def check_foreign_units(path: Path | str) -> None:
    """Check that everything in a file that `is_foreign` has a unit, and every formula the right one (`check_units`).

    Raises
    ------
    InputError, MissingExtra
        As `check_units` and `read_foreign`.
    """
    from simulate.exchange.antimony import sbml_of
    from simulate.exchange.sbml.document import open_sbml, open_sbml_text
    from simulate.exchange.sbml.unitcheck import check_units

    path = Path(path)
    check_units(open_sbml_text(sbml_of(path), str(path)) if _is_antimony(path) else open_sbml(path))


def is_said(path: Path | str) -> bool:
    """Whether the name of a file is that of a model for another program: one that `is_foreign`, or a text for R."""
    return is_foreign(path) or _pharmacometric(path) is not None


def has_routes(path: Path | str) -> bool:
    """Whether a file for another program has routes, with what is given in a table beside it."""
    return _pharmacometric(path) is not None


def said(model: Model, path: Path | str, given: Sequence[Given] = (), about: About | None = None) -> Said:
    """A composed model, what is given to it, and what is known of it, in the format that the name of a file says.

    Raises
    ------
    InputError, MissingExtra
        As `with_given`, `antimony_text`, `rxode2_text` and `mrgsolve_text`.
    """
    if (writer := _pharmacometric(path)) is not None:
        return writer(model, given)
    from simulate.exchange.antimony import antimony_text
    from simulate.exchange.prescribed import Said, with_given
    from simulate.exchange.sbml.writing import sbml_text

    lost = ("the ways in for doses: routes have no counterpart without a regimen",) if model.routes else ()
    model = with_given(model, given)
    return Said((antimony_text if _is_antimony(path) else sbml_text)(model, about), left_out=() if given else lost)


def _pharmacometric(path: Path | str) -> Callable[[Model, Sequence[Given]], Said] | None:
    ending = Path(path).suffix.lower()
    if ending == ".r":
        from simulate.exchange.rxode2 import rxode2_text

        return rxode2_text
    if ending in (".cpp", ".mod"):
        from simulate.exchange.mrgsolve import mrgsolve_text

        return mrgsolve_text
    return None
