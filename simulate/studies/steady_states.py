"""Steady states of a model, their stability, and how they move with one parameter."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from sympy import Expr, Symbol

from simulate.cohort.arms import Arm
from simulate.cohort.ensemble import typical_parameters
from simulate.cohort.population import Population
from simulate.errors import InputError, Where, did_you_mean
from simulate.exchange.foreign import is_foreign, read_foreign
from simulate.files import Document, read_toml
from simulate.kernels.conservation import conserved_sums, equilibria_with_sums, never_negative
from simulate.kernels.continuation import Branch, branches
from simulate.kernels.equilibria import Equilibrium, starts_in_box
from simulate.kernels.system import System, lower
from simulate.kernels.vectorfield import initial_states, inputs_of, vector_field
from simulate.solver.kernel import FloatArray
from simulate.studies.model_time import time_unit_set
from simulate.studies.models import QUANTITIES, assumed_of
from simulate.studies.phase_plane import phase_plane
from simulate.studies.runs import Study, arm_number, draws_of_scenario, prepare
from simulate.studies.scenario import TYPICAL, Scenario, find_scenario, is_model, scenario_from
from simulate.studies.settings import Setting
from simulate.studies.sweeps.axes import Axis, parse_axis
from simulate.symbolic.model import Model
from simulate.symbolic.symbols import TIME
from simulate.symbolic.units import convert
from simulate.tabular import ResultTable

_SAME = 1e-6
_MOST_SUMS, _MOST_TERMS = 4, 6
_NO_SCENARIO = {"schema": 1, "arm": [{"name": "untreated", "regimen": "none"}]}


@dataclass(frozen=True, slots=True, eq=False)
class SteadyStates:
    """Steady states of a model, and their branches and phase plane if these were asked for."""

    #: The model, and its equations.
    study: Study
    system: System
    states: tuple[Equilibrium, ...]  #: Steady states, sorted
    observed: FloatArray  #: Values of the observables, shape [state, observable]
    #: Curves of steady states over one parameter or route, each once; none where nothing varies.
    branches: tuple[Branch, ...]
    #: Of which draw of a fit the patient is the typical one, counted from 0; None for the one of the tables.
    draw: int | None = None
    #: Rates of two states over their plane, as `simulate.studies.phase_plane.phase_plane` makes them; None where no
    #: plane was asked for.
    plane: xr.Dataset | None = None
    #: Conserved sums, held at those of the initial state: with others each state has neighbors, a continuum.
    sums: tuple[str, ...] = ()
    left_out: int = 0  #: Roots with a state below 0 that no course brings there
    assumptions: tuple[
        str, ...
    ] = ()  #: What is assumed of the unit of time and of the routes that are used, in sentences


def _refuse_names(shown: Sequence[str], model: Model) -> None:
    names = [*(part.name for part in model.observables), *(part.name for part in model.species)]
    for name in shown:
        if name not in names:
            raise InputError(
                f"the model has no state or observable `{name}`",
                code="equilibria.quantity",
                where=Where(f"--quantity {name}"),
                advice=did_you_mean(name, names) or QUANTITIES,
            )


_MOST_TIMED = 4
"""Parts that depend on time that are named, at most."""


def _refuse_time(model: Model) -> None:
    """Refuse a model whose states change by what depends on time; the parts in which time stands are named."""
    definitions = {part.symbol: part for part in model.definitions}
    timed: dict[str, None] = {}
    for reaction in model.reactions:
        changes = [change.free_symbols for change in reaction.change.values() if isinstance(change, Expr)]
        symbols = set().union(reaction.rate.free_symbols, *changes)
        if TIME in symbols:
            timed[f"the reaction `{reaction.name}`"] = None
        waiting, seen = symbols & definitions.keys(), set[Symbol]()
        while waiting:
            seen |= waiting
            used = {symbol: definitions[symbol].expression.free_symbols for symbol in waiting}
            timed |= {
                f"the definition `{definitions[symbol].name}`": None for symbol in waiting if TIME in used[symbol]
            }
            waiting = set().union(*used.values()) & definitions.keys() - seen
    if timed:
        more = f" and {len(timed) - _MOST_TIMED} more" if len(timed) > _MOST_TIMED else ""
        raise InputError(
            "a system that depends on time has no steady states",
            code="equilibria.time",
            found=f"time in {', '.join([*timed][:_MOST_TIMED])}{more}",
            advice="fix what changes in time at one value, as a parameter",
        )


def read_source(source: str | Path, settings: Sequence[Setting] = ()) -> Scenario:
    """Scenario of a file or a shipped one; of a model file, one in which nobody is treated.

    The typical patient is meant, unless a setting says whose populations.
    """
    path = find_scenario(str(source))
    chosen = list(settings)
    if not any(setting.key == "model.fit" for setting in chosen):
        chosen.append(Setting("model.fit", TYPICAL, "the typical patient"))
    document = None if is_foreign(path) else read_toml(path)
    if document is None or is_model(document):
        time = {"end": "1 d"}
        if document is None:
            time["unit"] = time_unit_set(settings) or read_foreign(path).time_unit
        data = {**_NO_SCENARIO, "time": time, "title": path.stem, "model": {"file": path.name}}
        document = Document(path=str(path), data=data, text="")
    return scenario_from(document, chosen, name=path.stem)


def steady_states(
    scenario: Scenario,
    *,
    over: str | None = None,
    fed: Mapping[str, float] | None = None,
    starts: int = 64,
    reach: float = 10.0,
    arm: str | None = None,
    plane: str | None = None,
    shown: Sequence[str] = (),
    progress: Callable[[int], None] = lambda done: None,
) -> tuple[SteadyStates, ...]:
    """Seek steady states of the typical patient; arguments as for `simulate.equilibria`.

    Of the typical patient of each draw of a fit, or of the one of the tables. ``shown`` are states and observables that
    will be drawn: names that the model does not have are refused before any work.
    """
    if plane is not None and scenario.fit != TYPICAL:
        raise InputError(
            "a plane is of one patient, and each draw of a fit has its own",
            code="equilibria.plane",
            found=f"the plane `{plane}` and the fit `{scenario.fit}`",
            advice="leave out one of the two",
        )
    study = prepare(replace(scenario, fit=TYPICAL))
    if scenario.fit != TYPICAL:
        # Without what the fitted model has beside: creatine kinase that moves by itself never stays.
        study = replace(study, draws=draws_of_scenario(scenario))
    chosen = study.arms[arm_number(study, arm, "equilibria.arm")]
    _refuse_names(shown, study.model)
    _refuse_time(study.model)
    system = lower(study.model)
    draws = [None] if study.draws is None else list(range(len(study.draws.points)))
    found = []
    for draw in draws:
        found.append(_of_patient(study, system, chosen, draw, over, fed, starts, reach))
        progress(1)
    fed_by = {*(fed or ()), *(() if over is None else (parse_axis(over, f"--over {over}").name,))}
    assumed = assumed_of([route for route in study.model.routes if route.name in fed_by])
    found = [replace(one, assumptions=(*scenario.time_taken, *assumed)) for one in found]
    if plane is not None:
        found = [replace(one, plane=_plane(study, chosen, plane, fed)) for one in found]
    return tuple(found)


def _of_patient(
    study: Study,
    system: System,
    arm: Arm,
    draw: int | None,
    over: str | None,
    fed: Mapping[str, float] | None,
    starts: int,
    reach: float,
) -> SteadyStates:
    """Of the typical patient of a draw, or of the tables."""
    names = (part.name for part in study.model.parameters)
    known = dict(zip(names, typical_parameters(study.model, arm, _population(study, draw)), strict=True))
    parameters = np.array([known[name] for name in system.parameters])
    begin = initial_states(system, parameters[np.newaxis])[0]
    # The baseline, and points of a box from nothing to so many times its values, or so many where they are 0.
    far = reach * np.where(begin > 0.0, begin, 1.0)
    places = np.concatenate([begin[np.newaxis], starts_in_box([0.0] * len(far), far.tolist(), starts)])
    found, left_out, weights = _reached(system, parameters, places, fed)
    field, inputs = vector_field(system), inputs_of(system, parameters[np.newaxis], fed)
    states = np.array([one.state for one in found]).reshape(-1, len(system.states))
    observed = field.observed(states, np.repeat(inputs, len(states), axis=0))
    curves = () if over is None else _over(study, system, parameters, places, over, fed)
    sums = tuple(_sum(row, system.states) for row in weights)
    return SteadyStates(study, system, found, observed, curves, draw, sums=sums, left_out=left_out)


def _reached(
    system: System, parameters: FloatArray, places: FloatArray, fed: Mapping[str, float] | None
) -> tuple[tuple[Equilibrium, ...], int, FloatArray]:
    """Steady states from places [point, state] with the conserved sums of the first, and these sums.

    Roots with an amount below 0 are left out and counted, as no course from amounts above 0 leads there.
    """
    begin = places[0]
    roots, sums = equilibria_with_sums(system, parameters, places, begin, fed)
    inputs = inputs_of(system, parameters[np.newaxis], fed)[0]
    is_amount = never_negative(vector_field(system), inputs, places) & (begin >= 0.0)
    least = np.where(is_amount, -_SAME * np.abs(places).max(axis=0), -np.inf)
    found = tuple(one for one in roots if np.all(one.state >= least))
    return found, len(roots) - len(found), sums


def _sum(weights: FloatArray, names: Sequence[str]) -> str:
    """A weighted sum as a reader writes it, such as ``A + 2 B - C``; of many states the first are named."""
    terms = [(float(weight), name) for weight, name in zip(weights, names, strict=True) if weight]
    shown = [f"{'-' if weight < 0 else '+'} {'' if abs(abs(weight) - 1.0) < 1e-9 else f'{abs(weight):.4g} '}{name}"
             for weight, name in terms[:_MOST_TERMS]]  # fmt: skip
    text = " ".join(shown).removeprefix("+ ")
    left = len(terms) - _MOST_TERMS
    return text if left <= 0 else f"{text} and {left} more"


def _plane(study: Study, arm: Arm, text: str, fed: Mapping[str, float] | None) -> xr.Dataset:
    """The plane of two states that a text names, with or without ranges, for the typical patient of the tables."""
    names, ranges = [], []
    for part in text.split(","):
        name, given, _ = part.strip().partition("=")
        axis = parse_axis(part, f"--plane {text}") if given else None
        if axis is not None and (axis.values or axis.unit is not None):
            name = ""
        names.append(name.strip())
        ranges.append(None if axis is None else (axis.low, axis.high))
    if len(names) != 2 or not all(names):
        raise InputError(
            "these are not two states",
            code="equilibria.plane",
            where=Where(f"--plane {text}"),
            expected="two names with or without a range in their own unit, such as `x,y` or `x=0:3,y=0:10`",
        )
    known = (part.name for part in study.model.parameters)
    values = typical_parameters(study.model, arm, study.population)
    settings = dict(zip(known, map(float, values), strict=True))
    (x, y), (x_range, y_range) = names, ranges
    return phase_plane(study.model, x, y, x_range=x_range, y_range=y_range, fed=fed, settings=settings)


def _population(study: Study, draw: int | None) -> Population:
    """Population of a draw as far as its typical patient goes: typical values in place of those of the tables."""
    if draw is None or study.draws is None:
        return study.population
    changed = study.draws.changes(study.population, np.array([draw]))
    return replace(
        study.population,
        parameters=tuple(
            replace(part, value=float(changed.typical[part.name][0])) if part.name in changed.typical else part
            for part in study.population.parameters
        ),
    )


def _axes_of(model: Model) -> str:
    """What may be followed, with names of the model."""
    parameter = next((one for one in model.parameters if one.value > 0.0), None)
    ways = [] if parameter is None else [f"`{parameter.name}={0.5 * parameter.value:.3g}:{2.0 * parameter.value:.3g}`"]
    ways += [f"a route and its rate a day, such as `{route.name}=0:300`" for route in model.routes[:1]]
    return f"such as {', or '.join(ways)}" if ways else "a parameter; the model has none"


def _over(
    study: Study,
    system: System,
    parameters: FloatArray,
    places: FloatArray,
    text: str,
    fed: Mapping[str, float] | None,
) -> tuple[Branch, ...]:
    axis = parse_axis(text, f"--over {text}")
    units = {part.name: part.unit for part in study.model.parameters}
    routes = {route.name: route.unit for route in study.model.routes}
    if axis.name not in {*units, *routes} or axis.values:
        raise InputError(
            "this is no parameter or route with a range",
            code="equilibria.over",
            where=axis.where,
            expected=_axes_of(study.model),
            advice=did_you_mean(axis.name, [*units, *routes]),
        )
    unit = units.get(axis.name)
    if unit is None and axis.unit is not None:
        raise InputError(
            "the rate of a route has no unit of its own",
            code="equilibria.over",
            where=axis.where,
            found=f"`{axis.unit.text}`",
            expected=f"numbers alone, which are in {routes[axis.name].text} a day",
            advice="leave the unit out",
        )
    low, high = (
        number if axis.unit is None or unit is None else convert(number, axis.unit, unit)
        for number in (axis.low, axis.high)
    )
    rates = dict(fed or {})
    if unit is None:
        begin = min(max(rates.get(axis.name, 0.0), low), high)
        rates[axis.name] = begin
    else:
        column = system.parameters.index(axis.name)
        begin = min(max(float(parameters[column]), low), high)
        parameters = parameters.copy()
        parameters[column] = begin
    # At the value at which the curves are entered, there may be other states than at the patient's own.
    found, *_ = _reached(system, parameters, places, rates)
    if not found:
        return ()
    states = np.array([one.state for one in found])
    curves: list[Branch] = []
    held = _held_over(system, parameters, places[0], axis, (low, high), rates)
    # What is used up, to its rounding, had a size at the beginning.
    scale = None if held is None else np.maximum(np.abs(states).max(axis=0), np.abs(places[0]))
    for curve in branches(system, parameters, states, axis.name, (low, high), fed=rates, held=held, scale=scale):
        if not any(_is_same(curve, other) for other in curves):
            curves.append(curve)
    return tuple(curves)


def _held_over(
    system: System,
    parameters: FloatArray,
    begin: FloatArray,
    axis: Axis,
    bounds: tuple[float, float],
    fed: Mapping[str, float],
) -> tuple[FloatArray, tuple[int, ...], FloatArray] | None:
    """Sums that are conserved all along an axis, and the state whose sums are held; None where there are none."""
    field = vector_field(system, axis.name)
    found = []
    # Inside: at an end, such as at a rate of 0, more may be conserved.
    for share in (0.3, 0.7):
        inputs = inputs_of(system, parameters[np.newaxis], fed)[0]
        inputs[field.axis] = bounds[0] + share * (bounds[1] - bounds[0])
        found.append(conserved_sums(field, inputs, begin))
    (sums, own), (others, _) = found
    sizes = np.where(begin == 0.0, 1.0, np.abs(begin))
    span = np.linalg.qr((sums * sizes).T)[0]
    beside = others * sizes - others * sizes @ span @ span.T
    if len(sums) != len(others) or np.abs(beside).max(initial=0.0) > _SAME * np.abs(others * sizes).max(initial=0.0):
        raise InputError(
            f"which sums of states never change depends on `{axis.name}`",
            code="equilibria.over",
            where=axis.where,
            advice=f"follow another parameter, or set `{axis.name}` to single values",
        )
    return (sums, own, begin) if own else None


def _is_same(one: Branch, other: Branch) -> bool:
    """Whether two branches have the same ends; a curve on which two states lie is found from each."""

    def ends(branch: Branch) -> FloatArray:
        both = np.hstack([branch.values[[0, -1], None], branch.states[[0, -1]]])
        return both[np.lexsort(both.T[::-1])]

    left, right = ends(one), ends(other)
    return bool(np.allclose(left, right, rtol=_SAME, atol=_SAME * max(float(np.abs(left).max()), 1.0)))


def notes_of(results: Sequence[SteadyStates]) -> tuple[str, ...]:
    """What a reader must know of the states, of all draws: which sums are held, and what is left out."""
    notes, found = [], results[0]
    if found.sums:
        count = len(found.sums)
        what = "a sum of states never changes" if count == 1 else f"{count} sums of states never change"
        more = f", and {count - _MOST_SUMS} more" if count > _MOST_SUMS else ""
        notes.append(
            f"{what}: {'; '.join(found.sums[:_MOST_SUMS])}{more}. So steady states form a continuum; "
            f"those here have the {'sum' if count == 1 else 'sums'} of the initial state"
        )
    if left_out := sum(one.left_out for one in results):
        notes.append(
            f"{left_out} {'root is' if left_out == 1 else 'roots are'} left out: with an amount below 0, "
            "where no course from amounts above 0 leads"
        )
    return tuple(notes)


def tables(results: Sequence[SteadyStates]) -> dict[str, ResultTable]:
    """Tables by name: states with their stability; and along branches, points and turns. A draw is the first column."""
    first = results[0]
    names, quantities = first.system.states, tuple(part.name for part in first.study.model.observables)
    own = () if first.draw is None else ("draw",)
    head = ("stability", "leading_real", "leading_imaginary", *names, *quantities)
    rows, points, turns = [], [], []
    for found in results:
        of_draw = () if found.draw is None else (found.draw,)
        for number, (one, observed) in enumerate(zip(found.states, found.observed, strict=True), 1):
            told = _stability(one.eigenvalues, one.stability.name)
            rows.append((*of_draw, number, *told, *one.state.tolist(), *observed.tolist()))
        for number, branch in enumerate(found.branches, 1):
            for index, stability in enumerate(branch.stability):
                told = _stability(branch.eigenvalues[index], stability.name)
                values = (*branch.states[index].tolist(), *branch.observed[index].tolist())
                points.append((*of_draw, number, float(branch.values[index]), *told, *values))
            turns += [
                (*of_draw, number, turn.kind.name.lower(), turn.value, *turn.state.tolist(), *turn.observed.tolist())
                for turn in branch.turns
            ]
    made = {"states": ResultTable((*own, "state", *head), tuple(rows))}
    if first.plane is not None:
        # A row for each point: both states, and how fast each changes a day, empty where the others have no rest.
        plane, (x, y) = first.plane, (first.plane.attrs["x"], first.plane.attrs["y"])
        ys, xs = np.meshgrid(plane["y"].values, plane["x"].values, indexing="ij")
        columns = (part.ravel().tolist() for part in (xs, ys, plane["dx"].values, plane["dy"].values))
        made["plane"] = ResultTable((x, y, f"{x}_rate", f"{y}_rate"), tuple(zip(*columns, strict=True)))
    if axis := axis_of(results):
        made["branches"] = ResultTable((*own, "branch", axis, *head), tuple(points))
        made["turns"] = ResultTable((*own, "branch", "kind", axis, *names, *quantities), tuple(turns))
    return made


def axis_of(results: Sequence[SteadyStates]) -> str | None:
    """Over what branches were followed; None where there are none."""
    return next((branch.axis for found in results for branch in found.branches), None)


def _stability(eigenvalues: Any, name: str) -> tuple[str, float, float]:
    return name.lower(), float(eigenvalues[0].real), float(eigenvalues[0].imag)


def document(results: Sequence[SteadyStates]) -> dict[str, Any]:
    """Everything but the points of the branches as plain values."""
    made, study = tables(results), results[0].study
    return {
        "hypothesis": study.hypothesis,
        **({} if study.draws is None else {"draws": len(results), "draws_of": study.draws.name}),
        **({"conserved": list(results[0].sums)} if results[0].sums else {}),
        **({"left_out": left_out} if (left_out := sum(one.left_out for one in results)) else {}),
        "states": made["states"].records(),
        "eigenvalues": [
            [[value.real, value.imag] for value in one.eigenvalues.tolist()]
            for found in results
            for one in found.states
        ],
        "over": axis_of(results),
        "branches": [
            {
                **({} if found.draw is None else {"draw": found.draw}),
                "from": float(branch.values.min()),
                "to": float(branch.values.max()),
                "points": len(branch.values),
                "ends": [end.value for end in branch.ends],
            }
            for found in results
            for branch in found.branches
        ],
        "turns": made["turns"].records() if "turns" in made else [],
    }
