"""SBML, the format in which other programs exchange models: read into a model of this program, and written from one.

Begin with `reading`. A file is checked (`xml`, `document`, `unitcheck`), its identifiers become variables (`variables`,
`quantities`, `names`, `timeunit`), its formulas expressions (`mathml`, `rules`, `rates`, `events`), and all of it a
mechanism (`mechanism`, `annotations`). `writing` goes the other way, with `formulas` and `declared` (units).
"""

from simulate.exchange.sbml.reading import Imported, read_sbml, read_sbml_text
from simulate.exchange.sbml.writing import sbml_text

__all__ = ["Imported", "read_sbml", "read_sbml_text", "sbml_text"]
