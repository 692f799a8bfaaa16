"""What the explorer holds: printed models, patients of a fit, doses, and what was reported, as plain values."""

from __future__ import annotations

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import numpy.typing as npt

from simulate.cohort.arms import Arm
from simulate.cohort.ensemble import member_parameters
from simulate.errors import InputError, counted
from simulate.kernels.javascript import javascript
from simulate.kernels.system import lower
from simulate.regimen.doses import Course, Plan
from simulate.regimen.timetable import timetable_of
from simulate.results.openings import as_sentences
from simulate.solver.kernel import FloatArray
from simulate.solver.methods import rodas5p
from simulate.streams import stream
from simulate.studies.models import hypothesis_title
from simulate.studies.paired import AGREEING, ENDPOINTS, TITLES, error_of_change
from simulate.studies.reported import observations_for
from simulate.studies.runs import Study, cohort_of
from simulate.studies.visits import VISITS
from simulate.symbolic.parts import Observable, Parameter, Species
from simulate.symbolic.units import convert, unit

MOST = 200
"""Patients of a page, at most: all of them move with a slider."""

_USUAL = ("occupancy_lymph", "signal_lymph", "signal_muscle")
_SHOWN = 6
_LEVELS = ("occupancy_lymph", "occupancy_muscle", "signal_lymph", "signal_muscle")
"""What is a share of all receptors or of the baseline: a change of it in % would say less than it does."""
_PINNED = ("f_m",)
"""Parameters whose sliders are always there: how much of the drug in plasma gets into muscle."""
_MOLAR_MASS = unit("kg/mol").dimension
_TIMES = 366
_LONGEST_RATIO = 2
_DOSES = 1456
"""Doses of a patient of which it is told whether they are missed: one every 6 h for a year."""


@dataclass(frozen=True, slots=True)
class Contents:
    """The contents of a page."""

    data: dict[str, Any]  #: Plain values that JSON can hold
    models: tuple[str, ...]  #: Source of the models in JavaScript, in the order of ``data["hypotheses"]``


def patients_of(study: Study, arm: Arm) -> FloatArray:
    """Parameters of the patients of a page, shape [patient, parameter], in the order and units of the model.

    Patient ``k`` is the one of that number of a run, in draw ``k`` modulo their number.
    """
    count = study.scenario.patients
    values = member_parameters(study.model, arm, cohort_of(study))
    found: FloatArray = values[_draw_of(study) * count + np.arange(count)]
    return found


def _draw_of(study: Study) -> npt.NDArray[np.int64]:
    draws = 1 if study.draws is None else len(study.draws.points)
    return np.arange(study.scenario.patients, dtype=np.int64) % draws


def arm_of(study: Study) -> Arm:
    """The arm with which a page begins: the first in which something is given, else the first."""
    return next((arm for arm in study.arms if any(plan.courses for plan in arm.all_plans)), study.arms[0])


def contents_of(studies: Sequence[Study]) -> Contents:
    """Contents of the page of one scenario under one or several hypotheses."""
    from simulate import __version__

    first = studies[0]
    if first.scenario.patients > MOST:
        raise InputError(
            f"a page has no room for {counted(first.scenario.patients, 'patient')} that move with a slider",
            code="explore.patients",
            where=first.scenario.document.where("cohort", "patients"),
            expected=f"at most {MOST}",
            advice=f"`--patients {MOST}`; `simulate run` takes any number",
        )
    hypotheses, models, notes = [], [], list[str]()
    for study in studies:
        arm = arm_of(study)
        models.append(javascript(lower(study.model)))
        hypotheses.append(_hypothesis(study, arm))
        notes += [*as_sentences(study.assumptions), *_left_out(study, arm)]
    arm = arm_of(first)
    course, of_course = _course(first, arm)
    end = float(first.times[-1])
    usual = float(np.diff(first.times).max()) if len(first.times) > 1 else end
    data = {
        "title": first.scenario.title,
        "question": first.scenario.question or "",
        "scenario": first.scenario.name,
        "arm": arm.name,
        "hypotheses": hypotheses,
        "patients": first.scenario.patients,
        "seed": first.scenario.seed,
        "course": course,
        "end": end,
        "longest": _LONGEST_RATIO * end,
        "every": max(usual, end / _TIMES),
        "time_unit": first.scenario.time_unit,
        "days_per_unit": convert(1.0, unit(first.scenario.time_unit), unit("d")),
        "missed": _missed(first) if course["route"] >= 0 else "",
        "doses": _DOSES,
        "visits": [{"day": day, "name": name} for day, name in VISITS if 0.0 < day <= _LONGEST_RATIO * end]
        if first.scenario.time_unit == "d" and first.scenario.model is None
        else [],
        "reported": (reported := _reported(first, arm)),
        "source": _source() if reported else "",
        "agreeing": AGREEING,
        "pinned": list(_PINNED),
        "rodas": {
            "gamma": rodas5p.GAMMA,
            "nodes": rodas5p.NODES.tolist(),
            "slopes": rodas5p.SLOPES.tolist(),
            "a": rodas5p.A.tolist(),
            "coupling": rodas5p.COUPLING.tolist(),
            "dense": rodas5p.DENSE.tolist(),
        },
        "notes": list(dict.fromkeys([*of_course, *notes])),
        "version": __version__,
        "key": first.key,
    }
    return Contents(data, tuple(models))


def _hypothesis(study: Study, arm: Arm) -> dict[str, Any]:
    model = study.model
    # What a hypothesis of the reference model says; of another model its title.
    said = hypothesis_title(study.scenario.hypothesis) if study.scenario.model is None else ""
    values = patients_of(study, arm)
    rows: list[Species | Observable] = [*model.species, *model.observables]
    asked = [part.name for part in rows if part.name in study.quantities]
    observables = [part.name for part in model.observables]
    levels = _LEVELS if study.scenario.model is None else ()
    offered = [name for name in asked if name in observables] or asked
    return {
        "name": study.hypothesis,
        "title": said or model.title or model.name,
        "stands": _stands(study),
        "draws": _draw_of(study).tolist(),
        "values": _packed(values, "<f8"),
        "parameters": [_parameter(part) for part in model.parameters],
        "quantities": [
            {
                "name": part.name,
                "meaning": part.meaning,
                "short": TITLES.get(part.name, part.meaning) if levels else part.meaning,
                "unit": part.unit.text,
                "level": part.name in levels,
            }
            for part in rows
        ],
        "offered": [*offered, *(part.name for part in rows if part.name not in offered)],
        "shown": _shown(study, offered),
        "routes": [{"name": route.name, "drug": route.drug, "unit": route.unit.text} for route in model.routes],
    }


def _shown(study: Study, offered: Sequence[str]) -> list[str]:
    """What is drawn first: of the reference model what readers ask for."""
    usual = [*ENDPOINTS[:-1], *_USUAL] if study.scenario.model is None else []
    found = [name for name in usual if name in offered]
    return (found or list(offered))[:_SHOWN]


def _stands(study: Study) -> str:
    """Whose populations the patients are of."""
    if study.draws is None:
        return "typical values of the tables; patients differ about them, and what is not known is not shown"
    return (
        f"{study.draws.origin}; patient k is of draw k modulo {len(study.draws.points)}, so that bands mix how "
        "patients differ with what is not known"
    )


def _parameter(part: Parameter) -> dict[str, Any]:
    return {
        "name": part.name,
        "meaning": part.meaning,
        "unit": part.unit.text,
        "bounds": None if part.bounds is None else list(part.bounds),
        "source": part.source,
        "grade": part.grade.name.lower(),
        # What a molecule weighs is no property of a patient, and a slider of it would only rescale units.
        "fixed": part.unit.dimension == _MOLAR_MASS,
    }


def _packed(values: npt.NDArray[Any], kind: str) -> str:
    return base64.b64encode(np.ascontiguousarray(values, dtype=kind).tobytes()).decode("ascii")


def _missed(study: Study) -> str:
    """Hundredths, rounded down, of the numbers that decide which doses are missed: one byte for patient and dose."""
    first, count = study.scenario.first, study.scenario.patients
    rows = [
        stream(study.scenario.seed, "missed doses", member).random(_DOSES) for member in range(first, first + count)
    ]
    return _packed(np.floor(100.0 * np.array(rows)).clip(0, 99), "u1")


def _course(study: Study, arm: Arm) -> tuple[dict[str, Any], list[str]]:
    """Doses with which the page begins, in the unit of their route, and what of the arm is not in them."""
    routes, end = study.model.routes, float(study.times[-1])
    nothing = {"amount": 0.0, "route": -1, "every": 0.0, "until": 0.0, "duration": 0.0, "missing": 0.0}
    if not routes:
        return nothing, []
    plan = arm.plan
    if not plan.courses:
        return {**nothing, "route": 0, "every": 1.0, "until": end}, []
    own: Course = plan.courses[0]
    plain = Course(own.amount, own.unit, own.route, every=own.every, until=own.until, duration=own.duration)
    doses = timetable_of(Plan((plain,)), routes, end).doses
    found = {
        "amount": float(doses.amount[0]) if len(doses) else 0.0,
        "route": int(doses.route[0]) if len(doses) else 0,
        "every": float(own.every or 0),
        "until": end if own.until is None else min(float(own.until), end),
        "duration": float(own.duration),
        "missing": float(own.missing),
    }
    is_whole = plan == Plan((replace(plain, missing=own.missing),)) and len(set(arm.all_plans)) == 1
    return found, (
        []
        if is_whole
        else [
            f"The doses of `{arm.name}` are more than one course of equal doses from day 0: the sliders begin with the "
            "amount and interval of its first course."
        ]
    )


def _left_out(study: Study, arm: Arm) -> list[str]:
    """What a run of the scenario has and its page has not."""
    notes = []
    if len(study.arms) > 1:
        notes.append(f"Of {len(study.arms)} arms of the scenario the sliders begin with `{arm.name}`.")
    if arm.rules:
        notes.append("Rules that change the treatment are left out.")
    if study.scenario.occasions is not None:
        notes.append("Differences of a patient between occasions are left out.")
    if study.scenario.between_doses is not None or study.population.occasions:
        notes.append("Of each dose the usual amount arrives; that it varies from dose to dose is left out.")
    if study.scenario.dropout:
        notes.append("All patients stay until the end; dropout is left out.")
    return notes


def _reported(study: Study, arm: Arm) -> list[dict[str, Any]]:
    """What was printed that may stand beside the arm with which the page begins."""
    return [
        {
            "quantity": item.quantity,
            "day": item.day,
            "direction": item.direction or "",
            "mean": item.mean,
            "low": item.low,
            "high": item.high,
            "unit": item.unit.text,
            "count": item.count,
            "n": item.n,
            "error": error_of_change(item.quantity, item.day),
            "standing": item.standing.name.lower(),
            "account": item.account,
        }
        for item in observations_for(study).get(arm.name, ())
        if item.standing.name != "HEALTHY" and (item.direction or item.mean is not None)
    ]


def _source() -> str:
    """Reference of what was printed."""
    from simulate import shipped
    from simulate.evidence.reading import read_evidence
    from simulate.symbolic.parameterfile import read_sources

    return read_sources(shipped.sources_file())[read_evidence().source].citation
