"""All shipped numbers about biology, drug and patients, each with its source and grade."""

from __future__ import annotations

import itertools

from simulate import shipped
from simulate.biology.pharmacokinetics_published import parameterization
from simulate.biology.reference import parameter_table
from simulate.cohort.population import PowerEffect
from simulate.cohort.reading import MYOSITIS, shipped_population
from simulate.symbolic.parts import Grade
from simulate.trials.reading import read_trial

_SUPPLIED = ("null_typical", "degeneration")

Number = tuple[str, str, Grade]
"""Name with the place where it stands, key of the source, grade."""


def shipped_numbers() -> tuple[Number, ...]:
    """Parameters of the models, then published kinetics, trials and what populations add, each once."""
    table = parameter_table()
    found = [(row.name, row.source, row.grade) for row in table.values()]
    for name in shipped.parameterization_files():
        found += [(f"{row.name} of {name}", row.source, row.grade) for row in parameterization(name).values()]
    for name in shipped.trial_files():
        found += [(f"{row.name} of {name}", row.source, row.grade) for row in read_trial(name).numbers]
    inherited: set[object] = set()
    # Some rows of a population hold only without a mechanism, which is told by a parameter of it.
    plain = tuple(row for row in table.values() if row.name not in _SUPPLIED)
    for name, rows in itertools.product((MYOSITIS, *shipped.population_files()), (plain, tuple(table.values()))):
        population = shipped_population(rows, name)
        for covariate in population.covariates:
            if covariate not in inherited:
                found.append((f"{covariate.name} of {name}", covariate.source, covariate.grade))
        for effect in population.effects:
            if effect not in inherited:
                kind = "exponent" if isinstance(effect, PowerEffect) else "slope"
                label = f"{kind} of {effect.covariate} on {effect.parameter} of {name}"
                found.append((label, effect.source, effect.grade))
        for pair in population.correlations:
            if pair not in inherited:
                found.append((f"correlation of {pair.a} and {pair.b} of {name}", pair.source, pair.grade))
        inherited |= {*population.covariates, *population.effects, *population.correlations}
        for kind_of_patient in population.strata:
            found += [
                (f"{row.name} of {name} {kind_of_patient.name}", row.source, row.grade)
                for row in kind_of_patient.parameters
            ]
        found += [(f"retention at {row.day:g} d of {name}", row.source, row.grade) for row in population.retention]
    return tuple(dict.fromkeys(found))
