"""Published pharmacokinetic parameters of anakinra, from `parameters/pharmacokinetics/`.

A table takes the place of the rows for ``F``, ``k_a``, ``CL`` and ``V`` of the reference model. Where a publication
gives clearance and volume over bioavailability, the latter is 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from simulate import shipped
from simulate.errors import not_among
from simulate.symbolic.parameterfile import read_parameters
from simulate.symbolic.parts import Parameter


def parameterization(name: str) -> Mapping[str, Parameter]:
    """Published pharmacokinetic parameters by the name of their table, such as ``urien-2013``.

    Raises
    ------
    InputError
        ``parameters.unknown`` with the nearest names.
    """
    files = shipped.parameterization_files()
    if name not in files:
        raise not_among(f"there are no pharmacokinetic parameters `{name}`", name, files, code="parameters.unknown")
    return MappingProxyType(read_parameters(files[name]))
