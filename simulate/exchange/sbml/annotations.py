"""The identifiers of ontologies and databases for the parts of a model, as SBML annotates them (MIRIAM).

N. Le Novère et al., Nat. Biotechnol. 23 (2005) 1509-1515; N. Juty, N. Le Novère, C. Laibe, Nucleic Acids Res. 40 (2012)
D580-D586. Identifiers are compact, ``uniprot:P18510``, and resolved by identifiers.org.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

from simulate.files import read_toml
from simulate.symbolic.parts import Grade, Parameter, Source
from simulate.toml import TomlTable

QUALIFIERS = (
    *("is", "isVersionOf", "hasVersion", "hasPart", "isPartOf", "isPropertyOf", "hasProperty", "occursIn", "hasTaxon"),
    "isDescribedBy",
)
"""Qualifiers of biology that an annotation may have."""

NAMESPACES = (
    'xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns:bqbiol="http://biomodels.net/biology-qualifiers/"'
)
_RESOLVER = "https://identifiers.org/"
_COMPACT = re.compile(r"[A-Za-z][A-Za-z-]*:[A-Za-z0-9.:_-]+")
_PLACES = (
    (re.compile(r"doi:(10\..+)"), "doi:"),
    (re.compile(r"PMID (\d+)"), "pubmed:"),
    (re.compile(r"(PMC\d+)"), "pmc:"),
)

Annotation = Mapping[str, tuple[str, ...]]
"""Compact identifiers by qualifier."""


@dataclass(frozen=True, slots=True)
class About:
    """What is known of a model beside its numbers.

    Attributes
    ----------
    model
        Annotation of the whole.
    parts
        Annotations of states and parameters, by name.
    sources
        References of parameters, by key.
    """

    model: Annotation = field(default_factory=dict)
    parts: Mapping[str, Annotation] = field(default_factory=dict)
    sources: Mapping[str, Source] = field(default_factory=dict)

    def of_parameter(self, parameter: Parameter) -> Annotation:
        """Annotation of a parameter: what it is, and where a number was read or computed from that was."""
        found = dict(self.parts.get(parameter.name, {}))
        source = self.sources.get(parameter.source)
        if source is not None and parameter.grade in (Grade.READ, Grade.CALCULATED):
            place = resolved(source)
            if place is not None:
                found["isDescribedBy"] = (*found.get("isDescribedBy", ()), place)
        return found

    def note(self, parameter: Parameter) -> str:
        """What a reader is told of the origin of a number; empty where nothing is known."""
        source = self.sources.get(parameter.source)
        if source is None and parameter.source == "user":
            return ""
        citation = parameter.source if source is None else f"{source.citation} ({source.identifier})"
        return f"{citation}: {parameter.grade.value}."


def read_annotations(path: Path, sources: Mapping[str, Source]) -> About:
    """Annotations of a file: a table ``model``, and one for each state and parameter below ``parts``.

    Raises
    ------
    InputError
        ``key.…`` for a qualifier or an identifier that is none.
    """
    top = TomlTable(read_toml(path), allowed=("model", "parts"))
    parts = {name: _annotation(row) for name, row in top.named("parts", allowed=QUALIFIERS)}
    return About(_annotation(top.table("model", allowed=QUALIFIERS)), parts, sources)


def _annotation(row: TomlTable) -> Annotation:
    found = {}
    for qualifier in row:
        found[qualifier] = row.texts(qualifier)
        for text in found[qualifier]:
            if _COMPACT.fullmatch(text) is None:
                raise row.wrong(qualifier, "compact identifiers, such as `uniprot:P18510`")
    return found


def resolved(source: Source) -> str | None:
    """Compact identifier, or address, of a reference; None where it has neither."""
    for pattern, prefix in _PLACES:
        if (match := pattern.fullmatch(source.identifier)) is not None:
            return f"{prefix}{match[1]}"
    return source.identifier if source.identifier.startswith(("http://", "https://")) else None


def notes(paragraphs: Iterable[str]) -> str:
    """Notes of an element; empty where there is no text."""
    inside = "".join(f"<p>{escape(text)}</p>" for text in paragraphs if text)
    return f'<notes><body xmlns="http://www.w3.org/1999/xhtml">{inside}</body></notes>' if inside else ""


def annotation(identifier: str, found: Annotation) -> str:
    """Annotation of the element with a metaid; empty where there is none."""
    inside = "".join(
        f"<bqbiol:{qualifier}><rdf:Bag>{''.join(map(_item, places))}</rdf:Bag></bqbiol:{qualifier}>"
        for qualifier, places in found.items()
    )
    if not inside:
        return ""
    about = quoteattr(f"#{identifier}")
    return f"<annotation><rdf:RDF><rdf:Description rdf:about={about}>{inside}</rdf:Description></rdf:RDF></annotation>"


def _item(place: str) -> str:
    return f"<rdf:li rdf:resource={quoteattr(place if '://' in place else _RESOLVER + place)}/>"
