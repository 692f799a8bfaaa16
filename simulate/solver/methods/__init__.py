"""Methods, one a file. Adding one: its file, and its value in `METHODS`."""

from simulate.solver.methods.dop853 import DOP853
from simulate.solver.methods.dopri5 import DOPRI5
from simulate.solver.methods.method import Method
from simulate.solver.methods.rodas5p import RODAS5P
from simulate.solver.methods.taylor import TAYLOR

METHODS = (DOPRI5, DOP853, TAYLOR, RODAS5P)

__all__ = ["DOP853", "DOPRI5", "METHODS", "RODAS5P", "TAYLOR", "Method"]
