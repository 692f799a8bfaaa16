"""The unit of time of a file."""

from __future__ import annotations

from simulate.exchange.sbml.document import SbmlModel
from simulate.symbolic.parts import CONVERSION, Parameter
from simulate.symbolic.units import unit

_SECONDS = {
    1.0: "s", 60.0: "min", 3600.0: "h", 86400.0: "d", 604800.0: "week", 2629800.0: "month", 31557600.0: "year",
    1e-3: "ms", 1e-6: "us",
}  # fmt: skip
_DAY = 86400.0


def unit_of_time(file: SbmlModel) -> tuple[str, str]:
    """Unit of time of a file; and where it names none that is a time, what is taken in its place, in a sentence."""
    named = file.model.getTimeUnits() if file.level > 2 else ""
    definition = file.model.getUnitDefinition(named or "time")
    if definition is None:
        if named == "second":
            return "s", ""
        return _taken(named, ", as SBML has it" if not named and file.level < 3 else "")
    part = definition.getUnit(0)
    kind = file.lib.UnitKind_toString(part.getKind()) if definition.getNumUnits() == 1 else ""
    if kind != "second" or part.getExponentAsDouble() != 1:
        return _taken(kind)
    seconds = part.getMultiplier() * 10.0 ** part.getScale()
    if seconds in _SECONDS:
        return _SECONDS[seconds], ""
    return (f"{seconds!r} s" if seconds % _DAY else f"{seconds / _DAY:.0f} d"), ""


def _taken(kind: str, why: str = "") -> tuple[str, str]:
    taken, name = ("d", "days") if kind == "dimensionless" else ("s", "seconds")
    found = f", but {kind}" if kind else ""
    return taken, f"the file gives no unit of time{found}: {name} are taken{why}"


def conversion_of_time(name: str, time_unit: str) -> Parameter:
    """The parameter, one per unit of time, by which time in days becomes the pure number that formulas have."""
    head, _, tail = time_unit.partition(" ")
    value, text = (1.0 / float(head), tail) if tail else (1.0, time_unit)
    per = unit(f"1/{text}" if text.isidentifier() else f"1/({text})")
    return Parameter(name, f"one per unit of time, {time_unit}", value, per, source=CONVERSION)
