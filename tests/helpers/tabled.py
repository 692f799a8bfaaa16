"""Dose tables from text, what they come to, and what is said of those that come to nothing."""

from __future__ import annotations

from typing import Any

import pytest

from simulate.errors import InputError
from simulate.regimen.csvtable import parse_sheet
from simulate.regimen.doses import Plan
from simulate.regimen.stops import compile_schedule, realize
from simulate.regimen.tables import DoseTable, dose_table_of
from simulate.solver.problem import Schedule
from simulate.symbolic.parts import Route, Species
from simulate.symbolic.units import unit

DEPOT = Species("A_d", "amount in the depot", unit("mg"))
SC = Route("sc", "anakinra", DEPOT, unit("mg"), DEPOT.symbol**0)
IV = Route("iv", "anakinra", DEPOT, unit("mg"), DEPOT.symbol**0)


def table(text: str, *, time: str = "h", amount: str = "mg", **options: Any) -> DoseTable:
    return dose_table_of(parse_sheet(text, "t.csv"), time=time, amount=amount, **options)


def plan(text: str, *, routes: tuple[Route, ...] = (SC,)) -> Plan:
    return table(text).plan(routes)


def schedule(prescription: Plan, routes: tuple[Route, ...] = (SC, IV)) -> tuple[bytes, ...]:
    stops: Schedule = compile_schedule([prescription], routes)
    return tuple(getattr(stops, name).tobytes() for name in ("offsets", "times", "kinds", "routes", "amounts"))


def doses(text: str) -> list[tuple[float, float]]:
    found = realize(plan(text), (SC,)).doses
    return [(dose.time, dose.amount) for dose in found]


def fault(text: str, *, routes: tuple[Route, ...] = (SC,)) -> str:
    with pytest.raises(InputError) as caught:
        schedule(plan(text, routes=routes), routes)
    return str(caught.value)
