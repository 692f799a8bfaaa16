"""Serum IL-1Ra at a visit: when blood is drawn after the last injection, and what the ELISA makes of it.

The concentration falls by half every four hours, so the hour of the sample decides more than the dose. Each patient
has a time of the sample, on a quarter of an hour and uniform between two limits, after the last *scheduled* injection
(whether or not it was missed); the next injection waits until blood is drawn. The drug's part is then multiplied by two
log-normal factors, one of the occasion, which all samples of a visit share, and one of the assay. The patient's own
IL-1Ra is read together with the drug, since the ELISA cannot tell them apart.

The factor of the occasion acts on the sample only. What arrives of each injection may vary as well
(``Cohort.between_doses``, 0 in the shipped populations); both together count the same variation twice.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from simulate.biology.pharmacokinetics import ENDOGENOUS, molar_mass
from simulate.cohort.arms import Arm
from simulate.cohort.draws import Cohort
from simulate.cohort.ensemble import simulate_cohort
from simulate.regimen.doses import Plan, exact
from simulate.solver.kernel import FloatArray
from simulate.solver.problem import Tolerance
from simulate.solver.trajectories import Status
from simulate.streams import normals, stream
from simulate.symbolic.model import Model
from simulate.symbolic.units import convert, unit
from simulate.trials.design import Sampling
from simulate.trials.reading import shipped_trial

_GRID = Fraction(1, 96)
"""A quarter of an hour, days: nobody notes the time of a blood sample more exactly."""

SERUM = "serum_il1ra"
"""Observable of the model that is read."""

_MINUTE = Fraction(1, 1440)


@dataclass(frozen=True, slots=True, eq=False)
class Serum:
    """Serum IL-1Ra of a cohort at a visit, each array [member], pg/mL; NaN for members without a trajectory.

    Attributes
    ----------
    since_dose
        Days from the last scheduled injection to the sample.
    drug, own
        What is in the sample.
    observed
        What the ELISA reads of both.
    present
        Whether the member was still in the study when the sample was due.
    """

    since_dose: FloatArray
    drug: FloatArray
    own: FloatArray
    observed: FloatArray
    present: npt.NDArray[np.bool_]


def sample_delays(sampling: Sampling, cohort: Cohort, visit: str) -> FloatArray:
    """Days from the last scheduled injection to the sample, shape [member], keyed by seed, visit and member."""
    grid = _grid(sampling)
    chances = [float(stream(cohort.seed, f"sample: {visit}", member).random()) for member in cohort.ids.tolist()]
    return grid[[min(int(chance * len(grid)), len(grid) - 1) for chance in chances]]


def observe_serum(
    model: Model,
    arm: Arm,
    cohort: Cohort,
    *,
    last_dose: float,
    visit: str,
    sampling: Sampling | None = None,
    tolerance: Tolerance | None = None,
    threads: int | None = None,
) -> Serum:
    """Simulate a cohort up to a visit and read its serum IL-1Ra.

    Parameters
    ----------
    model
        With the observable ``serum_il1ra`` and the patient's own IL-1Ra as a state.
    arm
        Treatment; what it prescribes after the last injection is withheld.
    cohort
        Patients. Its seed keys times, occasions and errors.
    last_dose
        Day of the last scheduled injection before the sample.
    visit
        Name of the visit: another name has other times and errors.
    sampling
        That of the shipped trial if not given.
    tolerance, threads
        As for `simulate.solver.solve`.
    """
    chosen = sampling or shipped_trial().readout(SERUM).sampling
    assert chosen is not None
    delays = sample_delays(chosen, cohort, visit)
    grid = _grid(chosen)
    plans = tuple(until_sample(plan, last_dose) for plan in arm.plans)
    held = replace(arm, plan=until_sample(arm.plan, last_dose), plans=plans)
    ensemble = simulate_cohort(model, (held,), cohort, last_dose + grid, tolerance=tolerance, threads=threads)
    place = np.searchsorted(grid, delays)[:, np.newaxis]
    total = np.take_along_axis(ensemble.quantity(SERUM)[0], place, axis=1)[:, 0]
    own_nM = np.take_along_axis(ensemble.quantity(ENDOGENOUS.name)[0], place, axis=1)[:, 0]
    mass = ensemble.parameter_values[0][:, ensemble.parameters.index(molar_mass.name)]
    own = own_nM * mass * convert(1.0, unit("ng/mL"), unit("pg/mL"))
    for values in (total, own):
        values[ensemble.status[0] != Status.OK] = np.nan
    drug = np.maximum(total - own, 0.0)
    members = cohort.ids
    occasion = normals(cohort.seed, f"occasion: {visit}", members, 1)[:, 0]
    assay = normals(cohort.seed, f"assay: serum_il1ra: {visit}", members, 1)[:, 0]
    error = np.exp(chosen.sd_occasion * occasion + chosen.sd_assay * assay)
    return Serum(delays, drug, own, drug * error + own, cohort.dropout > last_dose + delays)


def until_sample(plan: Plan, last_dose: float) -> Plan:
    """A plan of which nothing is given from a minute after its last dose on."""
    end = exact(last_dose) + _MINUTE
    kept = []
    for course in plan.courses:
        if course.every is not None and course.start < end:
            kept.append(replace(course, until=end if course.until is None else min(course.until, end)))
        elif course.start < end:
            kept.append(course)
    return Plan(tuple(kept), plan.resets)


def _grid(sampling: Sampling) -> FloatArray:
    """Times after the last injection at which blood may be drawn, days."""
    # Hours as days are not exact: 16 h must be 64 quarters of an hour, and not a hair less.
    steps = int((sampling.latest - sampling.earliest) / float(_GRID) + 1e-6)
    return np.array([sampling.earliest + float(step * _GRID) for step in range(steps + 1)])
