"""XML from sources that nobody vouches for, checked before any library parses it.

Nothing is fetched, no entity is declared or expanded, and size and depth are limited.
"""

from __future__ import annotations

from pathlib import Path
from xml.parsers import expat

from simulate.errors import InputError, Where
from simulate.filekinds import content_kind, refuse_content
from simulate.files import read_bytes

MAX_DEPTH = 200
MAX_ELEMENTS = 2_000_000


def checked(path: Path) -> bytes:
    """Content of an XML file that is sound and harmless.

    Raises
    ------
    InputError
        ``file.…``, ``xml.entity`` for a document type, ``xml.size``, ``xml.depth``, ``xml.syntax``; with the line.
    """
    content = read_bytes(path, str(path))
    name, _ = content_kind(content)
    if name != "XML":
        refuse_content(content, "SBML", str(path))
    check(content, str(path))
    return content


def check(content: bytes, name: str) -> None:
    """Refuse XML that is unsound or may do harm; errors as `checked`."""
    parser = expat.ParserCreate()
    depth = elements = 0

    def where() -> Where:
        return Where(file=name, line=parser.CurrentLineNumber)

    def declared(*_: object) -> None:
        raise InputError(
            "the file declares a document type",
            code="xml.entity",
            where=where(),
            expected="XML without `<!DOCTYPE`, by which a file may name others and grow without end",
            advice="remove the declaration",
        )

    def begun(*_: object) -> None:
        nonlocal depth, elements
        depth, elements = depth + 1, elements + 1
        if depth > MAX_DEPTH or elements > MAX_ELEMENTS:
            what, limit = ("depth", MAX_DEPTH) if depth > MAX_DEPTH else ("size", MAX_ELEMENTS)
            raise InputError(
                "the elements of the file are nested too deeply"
                if what == "depth"
                else "the file has too many elements",
                code=f"xml.{what}",
                where=where(),
                expected=f"at most {limit}" + (" inside one another" if what == "depth" else ""),
            )

    def ended(*_: object) -> None:
        nonlocal depth
        depth -= 1

    parser.StartDoctypeDeclHandler = declared
    parser.StartElementHandler = begun
    parser.EndElementHandler = ended
    try:
        parser.Parse(content, True)
    except expat.ExpatError as error:
        raise InputError(
            f"the file is no sound XML: {expat.errors.messages.get(error.code, 'a fault')}",
            code="xml.syntax",
            where=Where(file=name, line=error.lineno, column=error.offset + 1),
            expected="a whole file in SBML, from `<sbml …>` to `</sbml>`",
            advice="load it again, if it was cut short; else open it in an editor at that line",
        ) from None
