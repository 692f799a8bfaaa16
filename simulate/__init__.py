"""Quantitative simulator of IL-1-driven CD4 T-cell differentiation under IL-1 blockade in myositis.

From the bottom up: `symbolic` (what a model is), `solver` and `kernels` (its numbers), `exchange` (models of other
programs), `biology` (this model), `regimen` and `cohort` (doses and patients), `evidence` and `trials` (what was
reported, and of what), `inference` (samplers), `studies` (questions asked of all these), `figures`, `results`, `api`,
`cli`. A verb is best read from its function in `api` downward.

The modules beside these folders know nothing of models. Errors: `errors`, `wording`. Text and tables: `toml` (typed
values by key, the one to use), `files`, `filekinds` and `tomltext` below it, `tabular`, `arrays`, `durations`. Run
directories: `store`, `manifest`, `inputs`, `locks`, `disk`. Numbers: `streams`, `sums`, `elementwise`, `versions`.
Compiled code: `compiled`, `emitted` and `later` declare, `compiling` and `emitting` make, `native` loads, and `cache`
and `recall` keep. The process: `memory`, `interruption`, `watching`, `aside`, `uncollected`. The package: `shipped`,
`answers`, `pages`, `verbs`, `limits`.

The public names are resolved on first use, so that ``import simulate`` loads nothing heavy.
"""

from __future__ import annotations

from importlib import import_module
from time import time_ns

TYPE_CHECKING = False
if TYPE_CHECKING:
    # Not loaded where nobody checks: until the command has begun, Ctrl-C finds it unprepared.
    from typing import Any

    from simulate.api.comparing import *
    from simulate.api.estimating import *
    from simulate.api.exploring import *
    from simulate.api.fitting import *
    from simulate.api.inspecting import *
    from simulate.api.repeating import *
    from simulate.api.reporting import *
    from simulate.api.reproducing import *
    from simulate.api.simulating import *
    from simulate.api.studying import *
    from simulate.api.varying import *

__version__ = "0.1.0"

LOADED = time_ns()
"""When the package began to be loaded: sources that were written later may not be what runs."""

_HOMES = {
    "simulate.api.comparing": ("calibrate_choice",),
    "simulate.api.estimating": ("fit_problem",),
    "simulate.api.exploring": ("Explorer",),
    "simulate.api.repeating": ("RepeatedRun", "repeat"),
    "simulate.api.simulating": ("side_by_side",),
    "simulate.biology.hypotheses": ("hypothesis_named",),
    "simulate.biology.reference": ("REFERENCE", "parameter_table", "reference_model"),
    "simulate.cohort.draws": ("Cohort", "draw", "typical"),
    "simulate.cohort.ensemble": ("Arm", "Ensemble", "simulate_cohort"),
    "simulate.cohort.population": ("Correlation", "Population", "PowerEffect", "SlopeEffect", "Stratum"),
    "simulate.cohort.reading": ("read_population", "shipped_population"),
    "simulate.cohort.transform": ("Distribution",),
    "simulate.errors": ("Il1simError", "InputError", "MissingExtra", "NotConverged", "NumericalError", "Unfinished"),
    "simulate.kernels.build": ("build",),
    "simulate.kernels.sensitivities": ("Direction", "Sensitivities", "solve_sensitivities"),
    "simulate.kernels.system": ("System", "lower"),
    "simulate.results.result": ("Result",),
    "simulate.tabular": ("ResultTable",),
    "simulate.regimen.doses": ("Course", "Dose", "Interruption", "Plan", "Regimen", "course"),
    "simulate.regimen.stops": ("compile_schedule", "realize"),
    "simulate.regimen.words": ("parse_regimen",),
    "simulate.regimen.writing": ("print_regimen",),
    "simulate.solver.batch": ("solve",),
    "simulate.solver.problem": ("Schedule", "Tolerance"),
    "simulate.solver.rules": ("Action", "Adaptive", "Rule"),
    "simulate.solver.trajectories": ("Failure", "Status", "Trajectories"),
    "simulate.symbolic.composition": ("compose",),
    "simulate.symbolic.display": ("show_equations", "show_reactions"),
    "simulate.symbolic.hypothesis": ("NONE", "Constraint", "Hypothesis"),
    "simulate.symbolic.model": ("Model",),
    "simulate.symbolic.modelfile": ("read_model", "write_model"),
    "simulate.symbolic.parts": (
        "Balance",
        "Condition",
        "Definition",
        "Event",
        "Grade",
        "Mechanism",
        "Observable",
        "Parameter",
        "Reaction",
        "Route",
        "Source",
        "Species",
        "Spread",
    ),
    "simulate.symbolic.symbols": ("at_baseline",),
    "simulate.symbolic.units": ("Unit", "unit"),
}

_MODULE_OF = {name: module for module, names in _HOMES.items() for name in names}


def __getattr__(name: str) -> Any:
    # The functions of verbs, and with them what is public, are known from a table that is read when they are wanted.
    if name != "__all__" and name in _MODULE_OF:
        module = _MODULE_OF[name]
    else:
        from simulate.verbs import verbs

        homes = {verb.word: verb.api for verb in verbs().values() if verb.api is not None}
        if name == "__all__":
            return ["__version__", *sorted({*_MODULE_OF, *homes})]
        if name not in homes:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        module = homes[name]
    value = getattr(import_module(module), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__getattr__("__all__")})
