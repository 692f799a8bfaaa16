"""The reference model of IL-1-driven CD4 T cells in refractory myositis under anakinra.

Its equations, sources and behavior are described in ``docs/reference-model.md``; its numbers are in ``parameters/``.
"""

from __future__ import annotations

from functools import cache
from types import MappingProxyType

from simulate import shipped
from simulate.biology.cd4 import PRIMING, SURVIVAL, TURNOVER
from simulate.biology.cytokines_constant import CONSTANT_CYTOKINES
from simulate.biology.il1 import IL1
from simulate.biology.muscle import CREATINE_KINASE_RELEASE, MUSCLE
from simulate.biology.occupancy import ANTAGONIST, OCCUPANCY, TISSUES
from simulate.biology.pharmacokinetics import PHARMACOKINETICS
from simulate.biology.readouts import READOUTS
from simulate.biology.receptors import AFFINITY, NO_DECOY
from simulate.biology.residence import RESIDENCE
from simulate.errors import InputError
from simulate.symbolic.composition import ParameterTable, Places, compose
from simulate.symbolic.hypothesis import NONE, Hypothesis
from simulate.symbolic.model import Model
from simulate.symbolic.parameterfile import read_parameters
from simulate.symbolic.parts import Parameter

REFERENCE = (
    PHARMACOKINETICS,
    TISSUES,
    ANTAGONIST,
    AFFINITY,
    NO_DECOY,
    OCCUPANCY,
    IL1,
    CONSTANT_CYTOKINES,
    TURNOVER,
    PRIMING,
    SURVIVAL,
    RESIDENCE,
    MUSCLE,
    CREATINE_KINASE_RELEASE,
    READOUTS,
)
"""Mechanisms of the reference model without any effect of IL-1 on CD4 T cells."""


@cache
def parameter_table() -> ParameterTable:
    """All shipped parameters: the typical patient with refractory myositis before treatment.

    Raises
    ------
    InputError
        ``parameters.twice`` when two files give the same parameter.
    """
    table: dict[str, Parameter] = {}
    for path in shipped.parameter_files():
        rows = read_parameters(path)
        twice = sorted(table.keys() & rows.keys())
        if twice:
            raise InputError(
                f"the parameter `{twice[0]}` is given twice", code="parameters.twice", found=f"again in {path.name}"
            )
        table |= rows
    return MappingProxyType(table)


def reference_model(hypothesis: Hypothesis = NONE, *, places: Places = MappingProxyType({})) -> Model:
    """The reference model under a hypothesis, with the shipped parameters; ``places`` as for `compose`."""
    return compose(
        REFERENCE,
        hypothesis,
        values=parameter_table(),
        places=places,
        name="reference",
        title="IL-1-driven CD4 T cells in refractory myositis under anakinra",
    )
