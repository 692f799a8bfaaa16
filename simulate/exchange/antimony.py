"""Antimony, a language in which people write models, read and written through SBML by the package of its authors.

L. P. Smith, F. T. Bergmann, D. Chandran, H. M. Sauro, Bioinformatics 25 (2009) 2452-2454. The package writes SBML for
each text, in which all submodels are parts of one model, and a text for SBML.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from simulate.errors import InputError, Where, optional
from simulate.exchange.sbml.annotations import About
from simulate.exchange.sbml.writing import sbml_text
from simulate.filekinds import decoded
from simulate.files import read_bytes
from simulate.symbolic.model import Model

# No quotation mark is passed over: what a string holds is looked through like the rest.
_COMMENT = re.compile(r'//[^\n"]*|/\*[^"]*?\*/')
_IMPORT = re.compile(r"\bimport\b")
_LINE = re.compile(r"^Error in model string, line (\d+):\s*")


def sbml_of(path: Path) -> str:
    """SBML of a file in Antimony.

    Raises
    ------
    InputError
        ``file.…``; ``antimony.syntax`` with the line; ``antimony.import`` for a text that reads other files.
    MissingExtra
        ``extra.antimony``: the package is not installed.
    """
    text = decoded(read_bytes(path, str(path)), errors="replace")
    if "\0" in text:
        # The package would take what comes before it for the whole text.
        raise InputError(
            "the file is no sound Antimony",
            code="antimony.syntax",
            where=Where(file=str(path), line=text.count("\n", 0, text.index("\0")) + 1),
            found="a character of code 0",
        )
    without_comments = _COMMENT.sub(lambda found: "\n" * found[0].count("\n"), text)
    if (found := _IMPORT.search(without_comments)) is not None:
        raise InputError(
            "the text imports another file",
            code="antimony.import",
            where=Where(file=str(path), line=without_comments.count("\n", 0, found.start()) + 1),
            expected="a text that reads nothing else",
            advice="write what it imports into the file",
        )
    package = optional("antimony", "reading Antimony", "antimony", "antimony")
    package.clearPreviousLoads()
    try:
        if package.loadAntimonyString(text) < 0:
            message = _last_error(package)
            line = _LINE.match(message)
            raise InputError(
                "the file is no sound Antimony",
                code="antimony.syntax",
                where=Where(file=str(path), line=int(line[1]) if line else None),
                found=_LINE.sub("", message)[:200] or None,
            )
        if not without_comments.strip():
            raise InputError(
                "there is no model in the file",
                code="antimony.empty",
                where=Where(file=str(path)),
                found="nothing but space and comments",
                expected="a model in Antimony, such as `S -> ; k*S; S = 1; k = 0.1`",
            )
        return str(package.getSBMLString(package.getMainModuleName()))
    finally:
        package.clearPreviousLoads()


def antimony_text(model: Model, about: About | None = None) -> str:
    """Antimony of a composed model, of what `sbml_text` says of it, annotations included.

    Raises
    ------
    MissingExtra
        ``extra.antimony``: the package is not installed.
    """
    package = optional("antimony", "writing Antimony", "antimony", "antimony")
    package.clearPreviousLoads()
    try:
        if package.loadSBMLString(sbml_text(model, about)) < 0:
            raise InputError(
                "the model has no form in Antimony",
                code="antimony.writing",
                found=_last_error(package)[:200],
                advice="write it as SBML",
            )
        return str(package.getAntimonyString(package.getMainModuleName()))
    finally:
        package.clearPreviousLoads()


def _last_error(package: Any) -> str:
    try:
        return " ".join(str(package.getLastError()).split())
    except UnicodeDecodeError:
        # The package cuts messages in the middle of a letter.
        return ""
