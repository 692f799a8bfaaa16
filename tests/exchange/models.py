"""Small models in SBML, written for these tests."""

from __future__ import annotations

import textwrap

_MATH = 'xmlns="http://www.w3.org/1998/Math/MathML"'
TIME = '<csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/time"> time </csymbol>'


def math(content: str) -> str:
    """A formula."""
    return f"<math {_MATH}>{content}</math>"


def apply(operation: str, *parts: str) -> str:
    """An operation on parts."""
    return f"<apply><{operation}/>{''.join(parts)}</apply>"


def ci(name: str) -> str:
    """A name."""
    return f"<ci>{name}</ci>"


def cn(number: float) -> str:
    """A number."""
    return f"<cn>{number!r}</cn>"


def reaction(
    name: str, law: str, reactants: str = "", products: str = "", extra: str = "", attributes: str = ""
) -> str:
    """A reaction; reactants and products are ids, several with spaces."""

    def references(kind: str, names: str) -> str:
        inner = "".join(
            f'<speciesReference species="{one.partition("*")[2] or one}" '
            f'stoichiometry="{one.partition("*")[0] if "*" in one else 1}" constant="true"/>'
            for one in names.split()
        )
        return f"<listOf{kind}>{inner}</listOf{kind}>" if inner else ""

    return (
        f'<reaction id="{name}" reversible="false" {attributes}>{references("Reactants", reactants)}'
        f"{references('Products', products)}<kineticLaw>{math(law)}{extra}</kineticLaw></reaction>"
    )


def species(name: str, amount: float | None = None, concentration: float | None = None, **more: str) -> str:
    """A species in the compartment `c`."""
    given = {
        "hasOnlySubstanceUnits": "false",
        "boundaryCondition": "false",
        "constant": "false",
        "compartment": "c",
    } | more
    if amount is not None:
        given["initialAmount"] = repr(amount)
    if concentration is not None:
        given["initialConcentration"] = repr(concentration)
    return f'<species id="{name}" {_attributes(given)}/>'


def parameter(name: str, value: float | None = None, constant: str = "true") -> str:
    """A parameter."""
    own = "" if value is None else f'value="{value!r}"'
    return f'<parameter id="{name}" {own} constant="{constant}"/>'


def compartment(size: float | None = 1.0, constant: str = "true") -> str:
    """The compartment `c`."""
    own = "" if size is None else f'size="{size!r}"'
    return f'<compartment id="c" {own} spatialDimensions="3" constant="{constant}"/>'


def event(
    name: str,
    trigger: str,
    assignments: dict[str, str],
    extra: str = "",
    trigger_attributes: str = "",
    at: str = "true",
) -> str:
    """An event."""
    given = trigger_attributes or 'initialValue="true" persistent="true"'
    inner = "".join(
        f'<eventAssignment variable="{variable}">{math(value)}</eventAssignment>'
        for variable, value in assignments.items()
    )
    return (
        f'<event id="{name}" useValuesFromTriggerTime="{at}"><trigger {given}>{math(trigger)}</trigger>{extra}'
        f"<listOfEventAssignments>{inner}</listOfEventAssignments></event>"
    )


def sbml(time_units: str = "", **lists: str) -> str:
    """A document, Level 3 Version 2; the lists are those of the model, by their names without `listOf`."""
    order = (
        "FunctionDefinitions UnitDefinitions Compartments Species Parameters InitialAssignments Rules Reactions Events"
    ).split()
    inner = "\n".join(f"<listOf{name}>\n{lists[name]}\n</listOf{name}>" for name in order if name in lists)
    own = f'timeUnits="{time_units}"' if time_units else ""
    return (
        textwrap.dedent(
            f"""\
        <?xml version="1.0" encoding="UTF-8"?>
        <sbml xmlns="http://www.sbml.org/sbml/level3/version2/core" level="3" version="2">
        <model id="small" {own}>
        """
        )
        + f"{inner}\n</model>\n</sbml>\n"
    )


def _attributes(given: dict[str, str]) -> str:
    return " ".join(f'{key}="{value}"' for key, value in given.items())
