"""The other reading of the plasma curve of anakinra.

A curve after an injection under the skin is a difference of two exponentials, and it does not tell which of the two
rates is absorption. Exchanging them, with the volume scaled by their ratio so that clearance stays, leaves every
concentration of the drug as it was ("flip-flop"). The twin of a mechanism is therefore written in the same parameters:
it absorbs at ``CL / V`` and distributes into ``CL / k_a``. What tells the two apart is not in the curve: intravenous
data, and the patient's own IL-1Ra, which has no absorption and turns over at the rate of elimination.

Published parameters are tables that take the place of the rows for ``F``, ``k_a``, ``CL`` and ``V``
(`parameterization`); where a publication gives clearance and volume over bioavailability, the latter is 1.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from simulate import shipped
from simulate.biology.pharmacokinetics import (
    CENTRAL,
    CL,
    CONCENTRATION,
    DEPOT,
    ENDOGENOUS,
    PHARMACOKINETICS,
    R_0,
    V,
    eps,
    k_a,
    molar_mass,
    relative_signal_muscle,
)
from simulate.errors import not_among
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.modelfile import read_parameters
from simulate.symbolic.parts import Definition, Mechanism, Parameter, Reaction

PHARMACOKINETICS_TWIN = Mechanism(
    name="pharmacokinetics_twin",
    title="Anakinra with the rates of absorption and elimination exchanged, and endogenous IL-1Ra",
    species=PHARMACOKINETICS.species,
    definitions=(Definition(CONCENTRATION.name, CONCENTRATION.meaning, CONCENTRATION.unit, CENTRAL / (CL / k_a)),),
    reactions=(
        Reaction("absorption", CL / V * DEPOT, {DEPOT: -1, CENTRAL: 1}),
        Reaction("elimination", k_a * CENTRAL, {CENTRAL: -1}),
        Reaction(
            "il1ra_synthesis",
            k_a * R_0 / molar_mass * ((1 - eps) + eps * relative_signal_muscle),
            {ENDOGENOUS: 1},
        ),
        Reaction("il1ra_elimination", k_a * ENDOGENOUS, {ENDOGENOUS: -1}),
    ),
    routes=PHARMACOKINETICS.routes,
)

TWIN = Hypothesis(
    name="PK-twin",
    title="elimination of anakinra, not absorption, is the slower process",
    replace=(("pharmacokinetics", PHARMACOKINETICS_TWIN),),
)


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
