"""``simulate equilibria``: where a model can stay."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.inspecting import equilibria as function
from simulate.cli.options import (
    Drawn,
    Draws,
    Figured,
    Fit,
    Force,
    Hypothesis,
    Json,
    Settings,
    chosen_settings,
    defaults_of,
)

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from simulate.studies.steady_states import SteadyStates

_ZERO = 1e-9
"""Amount that is nothing."""


@defaults_of(function)
def equilibria(
    source: Annotated[
        str, typer.Argument(metavar="[SCENARIO|MODEL]", help="A scenario, shipped or a file; or a model.")
    ],
    hypothesis: Hypothesis,
    fit: Fit,
    draws: Draws,
    settings: Settings,
    arm: Annotated[
        str | None, typer.Option("--arm", metavar="NAME", help="Whose parameters; the first's if not given.")
    ],
    over: Annotated[
        str | None,
        typer.Option("--over", metavar="NAME=A:B", help="Follow them over a parameter, or a route's rate a day."),
    ],
    fed: Annotated[
        list[str] | None, typer.Option("--fed", metavar="ROUTE=RATE", help="A route fed at a rate, in units a day.")
    ],
    starts: Annotated[int, typer.Option("--starts", metavar="N", min=0, help="Starts beside the baseline.")],
    reach: Annotated[float, typer.Option("--reach", metavar="X", help="They go from 0 to X times the baseline.")],
    quantity: Annotated[
        list[str] | None,
        typer.Option("--quantity", metavar="NAME", help="Observables that are drawn; the first three if not given."),
    ],
    plane: Annotated[
        str | None, typer.Option("--plane", metavar="X,Y", help="Draw directions and nullclines of two states.")
    ],
    out: Figured,
    force: Force,
    figures: Drawn,
    as_json: Json = False,
) -> int:
    """Seek steady states of the typical patient, with their stability, and folds over one parameter.

    With --fit it is the typical patient of each draw. Nobody is treated, but for routes that are fed. A state that no
    start leads to is not found.

    \b
    simulate equilibria
    simulate equilibria -H H1+H3a+H4 --over f_m=0.1:0.9
    simulate equilibria -H H1+H3a+H4 --fit shipped --draws 32
    simulate equilibria my-model.toml --over k=0:2 --plane x,y --out steady
    """  # noqa: D301
    from simulate.cli.console import print_json, print_rich, print_text, progress
    from simulate.kernels.equilibria import Stability

    found = function(
        source,
        settings=chosen_settings(settings or [], hypothesis=hypothesis, fit=fit, draws=draws),
        arm=arm,
        over=over,
        fed=_rates(fed or []),
        starts=starts,
        reach=reach,
        quantity=quantity,
        plane=plane,
        out=out,
        force=force,
        figures=figures,
        progress=progress,
    )
    if as_json:
        print_json(found.document)
        return 0
    if found.value[0].draw is not None:
        print_rich(_table_of_draws(found.value))
        print_text("\n".join((*_below_draws(found.value), *found.value[0].assumptions)))
        return 0
    (alone,) = found.value
    print_rich(_table(alone))
    seen = {one.stability for one in alone.states}
    lines = [f"{one.name.lower()}: {one.value}" for one in Stability if one in seen]
    for number, branch in enumerate(alone.branches, 1):
        low, high = branch.values.min(), branch.values.max()
        stable = sum(one is Stability.STABLE for one in branch.stability) / len(branch.values)
        lines.append(f"branch {number}: {branch.axis} from {low:.4g} to {high:.4g}, {100 * stable:.0f} % of it stable")
        lines += [f"  at {turn.value:.6g}: {turn.kind.value}" for turn in branch.turns]
    lines += alone.assumptions
    print_text("\n".join(lines or ["no steady state was found: more --starts, or another --reach"]))
    return 0


def _rates(given: list[str]) -> dict[str, float]:
    from simulate.cli.console import UsageFault

    rates = {}
    for text in given:
        name, _, rate = text.rpartition("=")
        try:
            rates[name.strip()] = float(rate)
        except ValueError:
            name = ""
        if not name.strip():
            raise UsageFault(
                "a rate cannot be read", code="usage.argument", found=text, expected="ROUTE=RATE, as in sc=100"
            )
    return rates


def _table(found: SteadyStates) -> Table:
    """A line for each state and observable, a column for each steady state."""
    from simulate.cli.console import titled
    from simulate.results.tables import rounded
    from simulate.symbolic.units import convert, unit

    model = found.study.model
    table = titled(f"Steady states, hypothesis {found.study.hypothesis}, of the model: {model.title or model.name}")
    table.add_column("")
    table.add_column("unit")
    for number in range(1, len(found.states) + 1):
        table.add_column(f"state {number}", justify="right")
    table.add_row("stability", "", *(one.stability.name.lower() for one in found.states))
    leading = [one.eigenvalues[0] for one in found.states]
    shown = found.study.scenario.time_unit
    days = convert(1.0, unit(shown), unit("d"))
    rates = (f"{days * value.real:.3g}{_imaginary(days * value.imag)}" for value in leading)
    table.add_row("leading eigenvalue", f"1/({shown})" if " " in shown else f"1/{shown}", *rates)
    units = {part.name: part.unit.text for part in (*model.species, *model.observables)}
    for place, name in enumerate(found.system.states):
        table.add_row(name, units[name], *(rounded(float(one.state[place])) for one in found.states))
    for place, part in enumerate(model.observables):
        table.add_row(part.name, units[part.name], *(rounded(float(row[place])) for row in found.observed))
    return table


def _table_of_draws(results: Sequence[SteadyStates]) -> Table:
    """As `_table`, of the draws that have as many states as most: median and 90 % of these draws."""
    import numpy as np

    from simulate.cli.console import titled
    from simulate.results.tables import rounded

    results = [_admissible(one) for one in results]
    like = _alike(results)
    study = results[0].study
    assert study.draws is not None
    table = titled(
        f"Steady states, hypothesis {study.hypothesis}, of the model: {study.model.title or study.model.name}",
        caption=f"typical patients of {len(like)} of {study.draws.origin}: median (5 % to 95 % of these)",
        caption_justify="left",
    )
    table.add_column("")
    table.add_column("unit")
    count = len(like[0].states)
    for number in range(1, count + 1):
        table.add_column(f"state {number}", justify="right")

    def band(values: Sequence[float]) -> str:
        low, middle, high = (float(value) for value in np.quantile(values, (0.05, 0.5, 0.95)))
        return f"{rounded(middle)} ({rounded(low)} to {rounded(high)})"

    stable = [sum(one.states[place].stability.name == "STABLE" for one in like) for place in range(count)]
    table.add_row("stable", "", *(f"in {number} of {len(like)} draws" for number in stable))
    units = {part.name: part.unit.text for part in (*study.model.species, *study.model.observables)}
    for row, name in enumerate(results[0].system.states):
        own = ([one.states[place].state[row] for one in like] for place in range(count))
        table.add_row(name, units[name], *map(band, own))
    for row, part in enumerate(study.model.observables):
        own = ([one.observed[place][row] for one in like] for place in range(count))
        table.add_row(part.name, units[part.name], *map(band, own))
    return table


def _admissible(one: SteadyStates) -> SteadyStates:
    """Without states in which an amount is below 0: roots of the equations that no patient has."""
    kept = [place for place, found in enumerate(one.states) if (found.state >= -_ZERO).all()]
    return replace(one, states=tuple(one.states[place] for place in kept), observed=one.observed[kept])


def _alike(results: Sequence[SteadyStates]) -> list[SteadyStates]:
    """Draws with as many states as most have."""
    from collections import Counter

    ((count, _),) = Counter(len(one.states) for one in results).most_common(1)
    return [one for one in results if len(one.states) == count]


def _below_draws(results: Sequence[SteadyStates]) -> list[str]:
    """In how many draws there are how many states, and where branches turn."""
    from collections import Counter

    import numpy as np

    whole = sum(len(one.states) for one in results)
    results = [_admissible(one) for one in results]
    counts = sorted(Counter(len(one.states) for one in results).items())
    lines = [f"{count} steady state{'' if count == 1 else 's'} in {draws} of {len(results)} draws"
             for count, draws in counts]  # fmt: skip
    if left_out := whole - sum(len(one.states) for one in results):
        lines.append(f"{left_out} states in which an amount is below 0 are left out here, and are in states.csv")
    turns: dict[tuple[str, str], dict[int, list[float]]] = {}
    for index, one in enumerate(results):
        for branch in one.branches:
            for turn in branch.turns:
                turns.setdefault((branch.axis, turn.kind.value), {}).setdefault(index, []).append(turn.value)
    for (axis, kind), found in turns.items():
        low, high = np.quantile([value for values in found.values() for value in values], (0.05, 0.95))
        lines.append(f"{kind}: in {len(found)} of {len(results)} draws, at {axis} from {low:.4g} to {high:.4g} (90 %)")
    return lines


def _imaginary(value: float) -> str:
    return f" ± {abs(value):.3g}i" if value else ""
