"""SBML, the format in which other programs exchange models: read into a model of this program, and written from one."""

from simulate.exchange.sbml.reading import Imported, read_sbml, read_sbml_text
from simulate.exchange.sbml.writing import sbml_text

__all__ = ["Imported", "read_sbml", "read_sbml_text", "sbml_text"]
