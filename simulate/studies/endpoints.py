"""Endpoints: one number of a trajectory, named by a text such as ``il17a:change@182``."""

from __future__ import annotations

import enum
import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from simulate.cohort.arms import Arm
from simulate.cohort.ensemble import Ensemble
from simulate.errors import InputError, did_you_mean, not_among
from simulate.streams import FloatArray
from simulate.studies.models import QUANTITIES
from simulate.studies.resolution import Resolution
from simulate.studies.treatments import days_of
from simulate.studies.visits import time_words
from simulate.studies.windows import Window, highest, window
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Observable, Species
from simulate.symbolic.units import with_unit


class Summary(enum.Enum):
    """The number that is made of a trajectory up to a day."""

    VALUE = "value"
    CHANGE = "change"
    MEAN = "mean"
    LOWEST = "lowest"
    HIGHEST = "highest"


_WORDS = {
    Summary.VALUE: "{what} on {when}",
    Summary.CHANGE: "change to {when} of {what}",
    Summary.MEAN: "mean to {when} of {what}",
    Summary.LOWEST: "lowest to {when} of {what}",
    Summary.HIGHEST: "highest to {when} of {what}",
}


@dataclass(frozen=True, slots=True)
class Endpoint:
    """One number of a trajectory."""

    text: str  #: As the user wrote it
    #: What is made of which quantity, from the start to which day.
    quantity: str
    summary: Summary
    day: float
    #: For a reader: the words and the unit; a change is in percent of the value at the start.
    title: str
    unit: str

    def of(self, ensemble: Ensemble, resolution: Resolution, course: Window | None, arm: int = 0) -> FloatArray:
        """Values of an ensemble, shape [member]; NaN for who failed. A change that the solver cannot resolve is none.

        ``ensemble``: recorded at the times of `times_of`. ``resolution``: how exact its numbers are. ``course``: as
        `course_of`; None for an endpoint that needs none.
        """
        values = ensemble.quantity(self.quantity)[arm]
        last = self._last(ensemble)
        if course is None:
            after: FloatArray = values[:, last]
            if self.summary is Summary.VALUE:
                return after
            peaks = np.abs(values[:, : last + 1]).max(axis=1)
            return resolution.percent(after, values[:, 0], peaks, self._terms(ensemble, arm))
        part = values[:, np.searchsorted(ensemble.trajectories.times, course.times)]
        if self.summary is Summary.MEAN:
            found: FloatArray = (part * course.weights).sum(axis=1)
            return found
        return highest(course.times, part) if self.summary is Summary.HIGHEST else -highest(course.times, -part)

    def error(self, ensemble: Ensemble, resolution: Resolution, course: Window | None, arm: int = 0) -> FloatArray:
        """What the values may be wrong by, shape [member]: differences up to it are no signal. Arguments as of `of`."""
        values = ensemble.quantity(self.quantity)[arm][:, : self._last(ensemble) + 1]
        peaks, terms = np.abs(values).max(axis=1), self._terms(ensemble, arm)
        if self.summary is Summary.CHANGE:
            return resolution.percent_error(values[:, -1], values[:, 0], peaks, terms)
        return resolution.error(self.of(ensemble, resolution, course, arm), peaks, terms)

    def derivative(self, ensemble: Ensemble, direction: str, course: Window | None, arm: int = 0) -> FloatArray:
        """Derivatives of the values in a direction that the ensemble has, shape [member]. Arguments as of `of`."""
        values = ensemble.quantity(self.quantity)[arm]
        slopes = ensemble.derivative(self.quantity, direction)[arm]
        last = self._last(ensemble)
        found: FloatArray
        if course is None:
            found = slopes[:, last]
            if self.summary is Summary.CHANGE:
                ratio = values[:, last] / values[:, 0]
                found = 100.0 * (slopes[:, last] - ratio * slopes[:, 0]) / values[:, 0]
            return found
        places = np.searchsorted(ensemble.trajectories.times, course.times)
        values, slopes = values[:, places], slopes[:, places]
        if self.summary is Summary.MEAN:
            found = (slopes * course.weights).sum(axis=1)
            return found
        # How an extreme moves is how the value moves where it is.
        at = values.argmin(axis=1) if self.summary is Summary.LOWEST else values.argmax(axis=1)
        found = slopes[np.arange(len(slopes)), at]
        return found

    def _terms(self, ensemble: Ensemble, arm: int) -> FloatArray:
        terms = ensemble.largest_terms(self.quantity)
        return np.zeros(ensemble.shape[1]) if terms is None else terms[arm]

    def _last(self, ensemble: Ensemble) -> int:
        return int(np.searchsorted(ensemble.trajectories.times, self.day))


def parse_endpoints(texts: Sequence[str], model: Model, end: float, time_unit: str = "d") -> tuple[Endpoint, ...]:
    """Endpoints by their texts, each as `parse_endpoint`; ``endpoint.twice`` for one that is there already."""
    found: list[Endpoint] = []
    for text in texts:
        endpoint = parse_endpoint(text, model, end, time_unit)
        for other in found:
            if (other.quantity, other.summary, other.day) == (endpoint.quantity, endpoint.summary, endpoint.day):
                raise InputError(
                    "an endpoint is asked for twice",
                    code="endpoint.twice",
                    found=f"{other.text!r} and {text!r}",
                    advice="leave one of the two out",
                )
        found.append(endpoint)
    return tuple(found)


def parse_endpoint(text: str, model: Model, end: float, time_unit: str = "d") -> Endpoint:
    """Endpoint by its text: ``QUANTITY``, ``QUANTITY:SUMMARY``, and ``@DAY`` (or ``@182d``, ``@4 wk``) behind either.

    Without a summary it is the value, and without a day that at the end. Bare times are in the ``time_unit``, in which
    titles have them.
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
            expected=f"a state or an observable, such as `{next(reversed(parts))}`",
            advice=did_you_mean(name, parts) or QUANTITIES,
        )
    summaries = {summary.value: summary for summary in Summary}
    if summary_text and summary_text not in summaries:
        raise not_among(
            f"an endpoint cannot be the `{summary_text}` of a quantity",
            summary_text,
            summaries,
            code="endpoint.summary",
            found=repr(text),
        )
    try:
        day = float(days_of(with_unit(day_text, time_unit))) if day_text else end
    except InputError:
        day = float("nan")
    # A time in another unit may be one that is simulated but for its last digit.
    day = end if math.isclose(day, end, rel_tol=1e-12) else day
    if not 0.0 < day <= end:
        far = (
            f"days above 0 and up to {end:g}" if time_unit == "d" else f"above 0 and up to {time_words(end, time_unit)}"
        )
        raise InputError(
            f"the {'day' if time_unit == 'd' else 'time'} of an endpoint is not one that is simulated",
            code="endpoint.day",
            found=repr(text),
            expected=f"a number {'of ' if time_unit == 'd' else ''}{far}",
        )
    summary = summaries.get(summary_text, Summary.VALUE)
    part = parts[name]
    own = "" if part.unit.text == "1" else part.unit.text
    when = time_words(day, time_unit)
    words = _WORDS[summary] if time_unit == "d" or summary is not Summary.VALUE else "{what} at {when}"
    title = words.format(what=part.meaning, when=when)
    return Endpoint(text, name, summary, day, title, "%" if summary is Summary.CHANGE else own)


def course_of(endpoint: Endpoint, model: Model, arm: Arm, end: float, patient: FloatArray) -> Window | None:
    """When to look for what is made of the course of an arm up to a day; None for other endpoints.

    ``patient`` are the parameters of the typical one, as for `simulate.studies.windows.window`.
    """
    if endpoint.summary in (Summary.VALUE, Summary.CHANGE):
        return None
    return window(arm.all_plans, model, 0.0, endpoint.day, end, patient)


def times_of(endpoints: Sequence[Endpoint], courses: Sequence[Window | None]) -> FloatArray:
    """Times that must be recorded, days ascending from 0."""
    seen = [course.times for course in courses if course is not None]
    return np.unique(np.concatenate([[0.0], [endpoint.day for endpoint in endpoints], *seen]))
