"""Methods, one a file. Adding one: its file, and its word in `METHOD_OF`."""

from simulate.solver.methods.dop853 import DOP853
from simulate.solver.methods.dopri5 import DOPRI5
from simulate.solver.methods.method import Method
from simulate.solver.methods.rodas5p import RODAS5P
from simulate.solver.methods.taylor import TAYLOR

METHOD_OF = {"dopri5": DOPRI5, "dop853": DOP853, "taylor": TAYLOR, "rodas5p": RODAS5P}
"""What `solver.method` says of a scenario → the method."""

METHODS = tuple(METHOD_OF.values())

__all__ = ["DOP853", "DOPRI5", "METHODS", "METHOD_OF", "RODAS5P", "TAYLOR", "Method"]
