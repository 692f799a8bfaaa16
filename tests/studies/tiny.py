"""The smallest treatment that shows everything: a drug that is lost, a pool that it depletes, a baseline to violate."""

from __future__ import annotations

import numpy as np

from simulate.cohort.arms import Arm
from simulate.cohort.draws import Cohort, draw
from simulate.cohort.ensemble import Ensemble, simulate_cohort
from simulate.cohort.population import Population
from simulate.regimen.words import parse_regimen
from simulate.symbolic.composition import compose
from simulate.symbolic.model import Model
from simulate.symbolic.parts import Condition, Mechanism, Observable, Parameter, Reaction, Route, Species, Spread
from simulate.symbolic.units import unit

LOSS = Parameter("k", "loss of the drug", 0.5, unit("1/d"), spread=Spread(0.3))
VOLUME = Parameter("V", "volume", 2.0, unit("L"))
ROOM = Parameter("room", "what must not be negative", 1.0)
DRUG = Species("A", "amount of the drug", unit("mg"))

MECHANISM = Mechanism(
    "tiny",
    "a drug that is lost",
    species=(DRUG,),
    reactions=(Reaction("loss", LOSS * DRUG, {DRUG: -1}),),
    observables=(Observable("concentration", "concentration of the drug", unit("mg/L"), DRUG / VOLUME),),
    routes=(Route("iv", "drug", DRUG, unit("mg"), 1),),
    conditions=(Condition("room", ROOM.symbol, "there is no room"),),
    parameters=(LOSS, VOLUME, ROOM),
)


def model() -> Model:
    """One drug, one compartment."""
    return compose([MECHANISM], name="tiny", title="a drug that is lost")


def arm(name: str, regimen: str, **overrides: float) -> Arm:
    """An arm, its regimen in words."""
    return Arm(name, parse_regimen(regimen), tuple(overrides.items()))


def cohort(members: int = 5) -> Cohort:
    """Patients who differ in the loss of the drug."""
    return draw(Population(model().parameters), members, seed=3)


def ensemble(*arms: Arm, members: int = 5, days: float = 4.0) -> Ensemble:
    """The cohort in the arms, recorded twice a day."""
    return simulate_cohort(model(), arms, cohort(members), np.arange(0.0, days + 0.25, 0.5))
