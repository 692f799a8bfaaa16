"""SBML, the format in which other programs exchange models, as a model of this one.

All quantities are taken as the pure numbers that they are in the file; time alone has a unit, that of the file or one
that is given. What an identifier means in formulas is what is solved for under its name: the concentration of a
species, or its amount where the file says so. What this program cannot solve is refused with its identifier and line;
what has no influence on numbers and is left out is listed.

The language: M. Hucka et al., J. Integr. Bioinform. 16 (2019) 20190021 (Level 3 Version 2) and its predecessors.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import MappingProxyType

from sympy import Symbol

from simulate.errors import Where
from simulate.exchange.sbml.document import (
    SbmlModel,
    open_sbml,
    open_sbml_text,
    refuse_unsolvable,
    without_influence,
)
from simulate.exchange.sbml.mechanism import mechanism_of
from simulate.exchange.sbml.names import Names
from simulate.exchange.sbml.quantities import Quantities
from simulate.exchange.sbml.rates import Rates
from simulate.exchange.sbml.timeunit import unit_of_time
from simulate.exchange.sbml.variables import initial_number, variables_of
from simulate.symbolic.modelfile import UserModel
from simulate.uncollected import uncollected


@dataclass(frozen=True, slots=True)
class Imported:
    """A model that was read from SBML.

    Attributes
    ----------
    model
        The model, as one that was read from a model file.
    dropped
        What was left out, in words, without influence on any number.
    constants
        Values of identifiers that do not change and are no parameters of the model.
    names
        Name of each identifier of the file in the model: of a state, observable or parameter.
    compartments
        For each species the identifier of its compartment.
    concentrations
        Species whose number is a concentration; of others it is an amount.
    time_unit
        Unit of time of the file, or the one that was given.
    initials
        Definition of each identifier that has one value for a whole course, which an initial assignment gives.
    amounts
        State of each species whose number is the ratio of that state to a volume that changes.
    time_note
        What was taken for the unit of time where neither the file nor anybody says it; else empty.
    regimen
        What the file prescribes, in words, where doses that it has as events became routes
        (`simulate.exchange.doses`).
    events
        Why each other event is no dose, by its name.
    """

    model: UserModel
    dropped: tuple[str, ...]
    constants: Mapping[str, float]
    names: Mapping[str, str]
    compartments: Mapping[str, str]
    concentrations: frozenset[str]
    time_unit: str
    initials: Mapping[str, str]
    amounts: Mapping[str, str]
    time_note: str = ""
    regimen: str = "none"
    events: Mapping[str, str] = field(default_factory=dict)


def read_sbml(
    path: Path | str, *, time_unit: str | None = None, fluxes: bool = False, held: Collection[str] = ()
) -> Imported:
    """Read an SBML file.

    Parameters
    ----------
    path
        The file. Nothing else is read, but for submodels in files of the same folder.
    time_unit
        Unit of time of the model; that of the file if not given, or seconds where the file gives none, as SBML has it.
    fluxes
        Whether rates of reactions are observables.
    held
        Identifiers whose values someone else will give: those that do not change stay parameters whatever their value.

    Raises
    ------
    InputError
        ``xml.…`` for what is no harmless XML, ``sbml.…`` for what cannot be solved, with its line.
    MissingExtra
        ``extra.sbml``: python-libsbml is not installed.
    """
    return _imported(open_sbml(Path(path)), time_unit, fluxes, frozenset(held))


def read_sbml_text(text: str, name: str, *, time_unit: str | None = None) -> Imported:
    """Read SBML that was made of another format, of the file ``name``: places have no lines. Else as `read_sbml`."""
    return _imported(open_sbml_text(text, name), time_unit, False, frozenset())


@uncollected()
def _imported(file: SbmlModel, time_unit: str | None, fluxes: bool, held: frozenset[str]) -> Imported:
    """The model of a file, and what its identifiers became."""
    dropped: list[str] = []
    time_unit, time_note = (time_unit, "") if time_unit else unit_of_time(file)
    refuse_unsolvable(file)
    taken = Names()
    per_time = Symbol(taken.new("per_time"))
    variables = variables_of(file, held, dropped)
    quantities = Quantities(file, variables, taken, held)
    mechanism = mechanism_of(Rates(quantities, per_time), time_unit, dropped, fluxes=fluxes)
    names = quantities.names
    used = mechanism.used_names()
    dropped += [
        f"the parameter `{name}`, which nothing uses"
        for name, one in variables.items()
        if one.kind == "parameter" and one.how == "constant" and names[name] not in used
    ]
    dropped += without_influence(file.model)
    numbers = {name: initial_number(one, held) for name, one in variables.items() if one.how == "constant"}
    title = " ".join((file.model.getName() or "").split())
    own = "".join(letter if letter.isalnum() else "_" for letter in file.model.getId() or file.path.stem)
    return Imported(
        model=UserModel(own or "model", title, (mechanism,), MappingProxyType(_places(quantities))),
        dropped=tuple(dict.fromkeys(dropped)),
        constants=MappingProxyType({name: value for name, value in numbers.items() if value is not None}),
        names=MappingProxyType(dict(names)),
        compartments=MappingProxyType(
            {name: one.compartment.id for name, one in variables.items() if one.compartment is not None}
        ),
        concentrations=frozenset(
            name for name, one in variables.items() if one.kind == "species" and not one.is_amount
        ),
        time_unit=time_unit,
        time_note=time_note,
        initials=MappingProxyType({name: str(one.symbol) for name, one in variables.items() if one.how == "initial"}),
        amounts=MappingProxyType(
            {name: one.state.name for name, one in variables.items() if one.from_amount and one.state is not None}
        ),
    )


def _places(quantities: Quantities) -> dict[str, Where]:
    """Places of parts of the model, by their keys in a model file."""
    file, names = quantities.file, quantities.names
    places = {}
    for variable in quantities.variables.values():
        where = Where(file=str(file.path), line=file.line(variable.element))
        for kind in ("species", "parameters", "definitions", "observables"):
            places[f"{kind}.{names[variable.id]}"] = where
        places[f"definitions.{variable.symbol}"] = where
    for name, reaction in quantities.reactions.items():
        where = Where(file=str(file.path), line=file.line(reaction))
        places[f"reactions.{names[name]}"] = places[f"definitions.{quantities.rates[name]}"] = where
    return places
