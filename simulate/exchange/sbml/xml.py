"""XML from sources that nobody vouches for, checked before any library parses it.

Nothing is fetched, no entity is declared or expanded, and size and depth are limited.
"""

from __future__ import annotations

import codecs
import re
from pathlib import Path
from xml.parsers import expat

from simulate.errors import InputError, Where
from simulate.filekinds import content_kind, encoding_of, refuse_content
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
    content = _in_utf8(content, str(path))
    check(content, str(path))
    return content


_DECLARED = re.compile(r"""(<\?xml\b[^>]*?)\s+encoding\s*=\s*["']([A-Za-z0-9._-]+)["']""")
_ENCODINGS = re.compile(r"utf-8(-sig)?|utf-16(-[lb]e)?|ascii|iso8859-\d+|cp125\d|utf-32")
"""Names, as Python has them, of encodings that are read; others may be of texts that are no XML."""


def _in_utf8(content: bytes, name: str) -> bytes:
    """Content in UTF-8, which its declaration says then, whatever a mark at its beginning or that says.

    Raises
    ------
    InputError
        ``xml.encoding``.
    """
    encoding = encoding_of(content)
    found = _DECLARED.match(content[:500].decode("latin-1").lstrip())
    if encoding == "utf-8" and found is not None:
        encoding = found[2]
    elif encoding == "utf-8" and content[:4] in (b"<\0?\0", b"\0<\0?"):
        encoding = "utf-16-le" if content[:1] == b"<" else "utf-16-be"
    try:
        encoding = codecs.lookup(encoding).name
        if not _ENCODINGS.fullmatch(encoding):
            raise LookupError(encoding)
        if encoding == "utf-8":
            return content
        if found is not None and encoding.startswith("utf-16"):
            # Its declaration could be read letter by letter.
            raise UnicodeError(encoding)
        # In place of the other: without any, a second one, which is a fault, would be believed.
        return _DECLARED.sub(r'\1 encoding="UTF-8"', content.decode(encoding), count=1).encode()
    except (LookupError, UnicodeError) as error:
        raise InputError(
            "the file is not in the encoding that it says"
            if isinstance(error, UnicodeError)
            else "the file is in an encoding that is not read",
            code="xml.encoding",
            where=Where(file=name),
            found=f"`{encoding[:40]}`",
            expected="UTF-8, or UTF-16, Latin-1 or Windows-1252 where the file says so",
            advice="save the file as UTF-8",
        ) from None


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
    except ValueError as error:
        # Python reads for the parser what each byte means, and some encodings have no letter for each.
        raise InputError(
            "the file is in an encoding that is not read", code="xml.encoding", where=where(), expected="UTF-8"
        ) from error
    except expat.ExpatError as error:
        raise InputError(
            f"the file is no sound XML: {expat.errors.messages.get(error.code, 'a fault')}",
            code="xml.syntax",
            where=Where(file=name, line=error.lineno, column=error.offset + 1),
            expected="a whole file in SBML, from `<sbml …>` to `</sbml>`",
            advice="load it again, if it was cut short; else open it in an editor at that line",
        ) from None
