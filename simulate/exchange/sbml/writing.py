"""A model of this program as SBML, Level 3 Version 2, that other programs solve to the same numbers.

Every quantity is a number in its declared unit, every number in a formula has one too, and factors between units stand
in the formulas. States have rate rules, for one rate here may change several states in different units. A state whose
unit is neither one of amounts nor of their concentrations, such as a catalytic activity, is a parameter with one.
"""

from __future__ import annotations

from collections.abc import Iterator
from xml.sax.saxutils import quoteattr

from simulate.exchange.sbml.annotations import NAMESPACES, About, Annotation, annotation, notes
from simulate.exchange.sbml.declared import DeclaredUnits, base_unit, substance_unit
from simulate.exchange.sbml.formulas import Formulas, is_conversion, shown_alike
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Event, Species
from simulate.symbolic.units import TIME_DIMENSION, Unit, unit

_COMPARTMENT = "everything"
_CORE = "http://www.sbml.org/sbml/level3/version2/core"


def sbml_text(model: Model, about: About | None = None) -> str:
    """SBML of a composed model: parameters at their typical values, time in days; and what is known of it."""
    return "\n".join(_Writer(model, about or About()).lines()) + "\n"


def is_species(state: Species) -> bool:
    """Whether a state is a species in SBML, and no parameter."""
    return substance_unit(state.unit) is not None


class _Writer:
    """One writing of one model."""

    def __init__(self, model: Model, about: About) -> None:
        self.model, self.about, self.units = model, about, DeclaredUnits()
        self.formulas, self.alike = Formulas(model, self.units), shown_alike(model)
        taken = {part.name for part in (*model.species, *model.parameters, *model.definitions, *model.observables)}
        taken |= {solved.name for solved in model.balance}
        self.compartment = _COMPARTMENT if _COMPARTMENT not in taken else f"{_COMPARTMENT}_"

    def lines(self) -> Iterator[str]:
        model = self.model
        head = [
            '<?xml version="1.0" encoding="UTF-8"?>',
            f'<sbml xmlns="{_CORE}" xmlns:sbml="{_CORE}" {NAMESPACES} level="3" version="2">',
            f"<model id={quoteattr(_identifier(model.name))} name={quoteattr(model.title or model.name)}",
            f' metaid="about_model" timeUnits="{self.units.time}" substanceUnits="mole" extentUnits="mole"',
            ' volumeUnits="litre">',
        ]
        said = notes(self._told()) + annotation("about_model", self.about.model)
        compartment = (
            f'<compartment id="{self.compartment}" size="1" units="litre" spatialDimensions="3" constant="true"/>'
        )
        body = [
            *_list("Compartments", iter([compartment])),
            *_list("Species", self._species()),
            *_list("Parameters", self._parameters()),
            *_list("InitialAssignments", self._initial()),
            *_list("Rules", self._rules()),
            *_list("Events", (self._event(event) for event in model.events)),
        ]
        # What is written says which units are needed.
        yield from (*head, *([said] if said else []), *_list("UnitDefinitions", self.units.lines()), *body)
        yield "</model>"
        yield "</sbml>"

    def _told(self) -> Iterator[str]:
        model = self.model
        if self.about.model:
            yield f"{model.title}. Hypothesis: {model.hypothesis}. Mechanisms: {', '.join(model.mechanisms)}."
            yield "Time is in days. Parameters have the values of the typical patient."

    def _species(self) -> Iterator[str]:
        for species in self.model.species:
            if (found := substance_unit(species.unit)) is not None:
                given, is_concentration = found
                start = "initialConcentration" if is_concentration else "initialAmount"
                yield self._element(
                    "species",
                    species.name,
                    species.meaning,
                    f'compartment="{self.compartment}" {start}="0" substanceUnits="{self.units.of(given)}" '
                    f'hasOnlySubstanceUnits="{_truth(not is_concentration)}" boundaryCondition="true" constant="false"',
                    about=self.about.parts.get(species.name, {}),
                )

    def _parameters(self) -> Iterator[str]:
        for species in self.model.species:
            if not is_species(species):
                about = self.about.parts.get(species.name, {})
                yield self._quantity(species.name, species.meaning, species.unit, about)
        for parameter in self.model.parameters:
            if is_conversion(parameter):
                continue
            yield self._element(
                "parameter",
                parameter.name,
                parameter.meaning,
                f'value="{float(parameter.value)!r}" units="{self.units.of(parameter.unit)}" constant="true"',
                notes([self.about.note(parameter)]),
                self.about.of_parameter(parameter),
            )
        for solved in self.model.balance:
            yield self._quantity(solved.name, solved.meaning, base_unit(solved.unit.dimension))
        for definition in self.model.definitions:
            if definition in self.alike:
                continue
            yield self._quantity(definition.name, definition.meaning, base_unit(definition.unit.dimension))
        for observable in self.model.observables:
            yield self._quantity(observable.name, observable.meaning, observable.unit)

    def _quantity(self, name: str, meaning: str, of: Unit, about: Annotation | None = None) -> str:
        """A parameter that a rule gives."""
        return self._element("parameter", name, meaning, f'units="{self.units.of(of)}" constant="false"', about=about)

    def _element(
        self, kind: str, name: str, meaning: str, rest: str, told: str = "", about: Annotation | None = None
    ) -> str:
        annotated = annotation(f"about_{name}", about or {})
        metaid = f'metaid="about_{name}" ' if annotated else ""
        begun = f'<{kind} id="{name}" {metaid}name={quoteattr(meaning)} {rest}'
        return f"{begun}>{told}{annotated}</{kind}>" if told or annotated else f"{begun}/>"

    def _initial(self) -> Iterator[str]:
        for species, initial in zip(self.model.species, self.model.initial, strict=True):
            value = self.formulas.math(initial, species.unit)
            yield f'<initialAssignment symbol="{species.name}">{value}</initialAssignment>'

    def _rules(self) -> Iterator[str]:
        # These numbers are in the coherent base, as formulas are.
        given = [(part.name, part.expression, base_unit(part.unit.dimension)) for part in self.model.balance]
        alike = {observable: definition for definition, observable in self.alike.items()}
        given += [
            (part.name, part.expression, base_unit(part.unit.dimension))
            for part in self.model.definitions
            if part not in self.alike
        ]
        given += [(part.name, alike.get(part, part).expression, part.unit) for part in self.model.observables]
        for name, expression, of in given:
            yield f'<assignmentRule variable="{name}">{self.formulas.math(expression, of)}</assignmentRule>'
        for species, rate in zip(self.model.species, self.model.rates(), strict=True):
            of = Unit(f"{species.unit.text}/d", species.unit.dimension / TIME_DIMENSION, species.unit.factor)
            yield f'<rateRule variable="{species.name}">{self.formulas.math(rate, of)}</rateRule>'

    def _event(self, event: Event) -> str:
        inner = f'<trigger initialValue="{_truth(not event.at_start)}" persistent="{_truth(event.persistent)}">'
        inner += f"{self.formulas.math(event.when)}</trigger>"
        if event.delay != 0:
            inner += f"<delay>{self.formulas.math(event.delay, unit('d'))}</delay>"
        if event.priority is not None and event.priority != 0:
            inner += f"<priority>{self.formulas.math(event.priority)}</priority>"
        inner += "<listOfEventAssignments>"
        for species, value in event.changes.items():
            new = self.formulas.math(value, species.unit)
            inner += f'<eventAssignment variable="{species.name}">{new}</eventAssignment>'
        inner += "</listOfEventAssignments>"
        return f'<event id="{event.name}" useValuesFromTriggerTime="{_truth(event.at_trigger)}">{inner}</event>'


def _list(name: str, lines: Iterator[str]) -> Iterator[str]:
    found = list(lines)
    if found:
        yield from (f"<listOf{name}>", *found, f"</listOf{name}>")


def _truth(value: bool) -> str:
    return "true" if value else "false"


def _identifier(name: str) -> str:
    text = "".join(letter if letter.isascii() and (letter.isalnum() or letter == "_") else "_" for letter in name)
    return text if text[:1].isalpha() else f"_{text}"
