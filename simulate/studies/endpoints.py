"""Endpoints: one number of a trajectory, named by a text such as ``il17a:change@182``."""

from __future__ import annotations

import enum
from dataclasses import dataclass

import numpy as np

from simulate.cohort.ensemble import Ensemble
from simulate.errors import InputError, did_you_mean
from simulate.streams import FloatArray
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Observable, Species


class Summary(enum.Enum):
    """What is made of a trajectory up to a day."""

    VALUE = "value"
    CHANGE = "change"
    MEAN = "mean"
    LOWEST = "lowest"
    HIGHEST = "highest"


_WORDS = {
    Summary.VALUE: "{what} on day {day:g}",
    Summary.CHANGE: "change to day {day:g} of {what}",
    Summary.MEAN: "mean to day {day:g} of {what}",
    Summary.LOWEST: "lowest to day {day:g} of {what}",
    Summary.HIGHEST: "highest to day {day:g} of {what}",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One number of a trajectory.

    Attributes
    ----------
    text
        As the user wrote it.
    quantity, summary, day
        What is made of which quantity, from the start to which day.
    title, unit
        For a reader: the words and the unit; a change is in percent of the value at the start.
    """

    text: str
    quantity: str
    summary: Summary
    day: float
    title: str
    unit: str

    def of(self, ensemble: Ensemble, arm: int = 0) -> FloatArray:
        """Values of an ensemble that is recorded from the start to the day, shape [member]; NaN for who failed."""
        last, values = self._course(ensemble, arm)
        found: FloatArray
        if self.summary is Summary.VALUE:
            found = values[:, last]
            return found
        if self.summary is Summary.CHANGE:
            with np.errstate(divide="ignore", invalid="ignore"):
                found = 100.0 * (values[:, last] / values[:, 0] - 1.0)
            return found
        if self.summary is Summary.MEAN:
            times = ensemble.trajectories.times[: last + 1]
            return np.asarray(np.trapezoid(values, times, axis=1) / times[-1])
        found = values.min(axis=1) if self.summary is Summary.LOWEST else values.max(axis=1)
        return found

    def derivative(self, ensemble: Ensemble, direction: str, arm: int = 0) -> FloatArray:
        """Derivatives of the values in a direction that the ensemble has, shape [member]."""
        last, values = self._course(ensemble, arm)
        found: FloatArray
        slopes = ensemble.derivative(self.quantity, direction)[arm][:, : last + 1]
        if self.summary is Summary.VALUE:
            found = slopes[:, last]
            return found
        if self.summary is Summary.CHANGE:
            ratio = values[:, last] / values[:, 0]
            found = 100.0 * (slopes[:, last] - ratio * slopes[:, 0]) / values[:, 0]
            return found
        if self.summary is Summary.MEAN:
            times = ensemble.trajectories.times[: last + 1]
            return np.asarray(np.trapezoid(slopes, times, axis=1) / times[-1])
        at = values.argmin(axis=1) if self.summary is Summary.LOWEST else values.argmax(axis=1)
        found = slopes[np.arange(len(slopes)), at]
        return found

    def _course(self, ensemble: Ensemble, arm: int) -> tuple[int, FloatArray]:
        last = int(np.searchsorted(ensemble.trajectories.times, self.day))
        return last, ensemble.quantity(self.quantity)[arm][:, : last + 1]


def parse_endpoint(text: str, model: Model, end: float) -> Endpoint:
    """Endpoint by its text: ``QUANTITY``, ``QUANTITY:SUMMARY``, and ``@DAY`` behind either.

    Parameters
    ----------
    text
        Without a summary it is the value, and without a day that at the end; the day may have its unit: ``@182d``.
    model
        Has the quantity as a state or an observable.
    end
        Last day that is simulated.

    Raises
    ------
    InputError
        ``endpoint.quantity``, ``endpoint.summary`` or ``endpoint.day``.
    """
    rest, _, day_text = text.partition("@")
    name, _, summary_text = (part.strip() for part in rest.partition(":"))
    parts: dict[str, Species | Observable] = {part.name: part for part in model.species}
    parts |= {part.name: part for part in model.observables}
    if name not in parts:
        raise InputError(
            f"the model has no quantity `{name}` for an endpoint",
            code="endpoint.quantity",
            found=repr(text),
            expected="a state or an observable, such as `il17a`",
            advice=did_you_mean(name, parts) or "`simulate show model` lists them",
        )
    summaries = {summary.value: summary for summary in Summary}
    if summary_text and summary_text not in summaries:
        raise InputError(
            f"an endpoint cannot be the `{summary_text}` of a quantity",
            code="endpoint.summary",
            found=repr(text),
            expected=", ".join(f"`{word}`" for word in summaries),
            advice=did_you_mean(summary_text, summaries),
        )
    try:
        day = float(day_text.strip().removesuffix("d")) if day_text else end
    except ValueError:
        day = float("nan")
    if not 0.0 < day <= end:
        raise InputError(
            "the day of an endpoint is not one that is simulated",
            code="endpoint.day",
            found=repr(text),
            expected=f"a number of days above 0 and up to {end:g}",
        )
    summary = summaries.get(summary_text, Summary.VALUE)
    part = parts[name]
    own = "" if part.unit.text == "1" else part.unit.text
    title = _WORDS[summary].format(what=part.meaning, day=day)
    return Endpoint(text, name, summary, day, title, "%" if summary is Summary.CHANGE else own)


def days_of(endpoints: tuple[Endpoint, ...], grid: FloatArray) -> FloatArray:
    """Times that must be recorded, days ascending from 0: those of the grid only if a course is asked for."""
    end = max(endpoint.day for endpoint in endpoints)
    is_course = any(endpoint.summary not in (Summary.VALUE, Summary.CHANGE) for endpoint in endpoints)
    own = [0.0, *(endpoint.day for endpoint in endpoints)]
    return np.unique([*own, *(grid[grid <= end] if is_course else [])])
