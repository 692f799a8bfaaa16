"""``simulate equilibria``: where a model can stay."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulate.api.inspecting import equilibria as function
from simulate.cli.console import carry_out, print_rich, print_text, titled
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
    named_numbers,
)
from simulate.errors import counted

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt
    from rich.table import Table

    from simulate.results.result import Result
    from simulate.studies.steady_states import SteadyStates

_MOST_UNDECIDED = 3
"""States without a decided stability that are shown; more of them are points of a continuum."""


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
        typer.Option(
            "--quantity",
            "-q",
            metavar="NAME",
            help="States or observables that are drawn; the first three observables if not given.",
        ),
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
    chosen = chosen_settings(settings, hypothesis=hypothesis, fit=fit, draws=draws)
    rates = named_numbers(fed, "rate", "ROUTE=RATE, as in sc=100")
    return carry_out(function, locals(), _show, settings=chosen, fed=rates, hypothesis=None, fit=None, draws=None)


def _show(found: Result[tuple[SteadyStates, ...]]) -> None:
    from simulate.kernels.equilibria import Stability
    from simulate.studies.steady_states import notes_of

    if found.value[0].draw is not None:
        print_rich(_table_of_draws(found.value))
        print_text("\n".join((*_below_draws(found.value), *notes_of(found.value), *found.value[0].assumptions)))
        return
    (alone,) = found.value
    shown = _few(alone)
    if shown.states:
        print_rich(_table(shown))
    seen = {one.stability for one in alone.states}
    lines = [f"{one.name.lower()}: {one.value}" for one in Stability if one in seen]
    lines += notes_of(found.value)
    if hidden := len(alone.states) - len(shown.states):
        lines.append(
            f"{hidden} more states are undecided: they lie side by side along a zero eigenvalue, and form a continuum; "
            "`--json` and states.csv of `--out` have all"
        )
    for number, branch in enumerate(alone.branches, 1):
        low, high = branch.values.min(), branch.values.max()
        stable = sum(one is Stability.STABLE for one in branch.stability) / len(branch.values)
        lines.append(f"branch {number}: {branch.axis} from {low:.4g} to {high:.4g}, {100 * stable:.0f} % of it stable")
        lines += [f"  at {turn.value:.6g}: {turn.kind.value}" for turn in branch.turns]
    lines += alone.assumptions
    if not alone.states:
        sums = " with these sums" if alone.sums else ""
        lines.append(f"no steady state{sums} was found: more --starts, or another --reach")
    print_text("\n".join(lines))


def _few(found: SteadyStates) -> SteadyStates:
    """Without undecided states beyond the first few: they say the same again."""
    undecided = [place for place, one in enumerate(found.states) if one.stability.name == "UNDECIDED"]
    hidden = set(undecided[_MOST_UNDECIDED:])
    kept = [place for place in range(len(found.states)) if place not in hidden]
    return replace(found, states=tuple(found.states[place] for place in kept), observed=found.observed[kept])


def _table(found: SteadyStates) -> Table:
    from simulate.results.tables import rounded
    from simulate.symbolic.units import convert, unit

    shown = found.study.scenario.time_unit
    days = convert(1.0, unit(shown), unit("d"))
    leading = [days * one.eigenvalues[0] for one in found.states]
    rates = (f"{value.real:.3g}{f' ± {abs(value.imag):.3g}i' if value.imag else ''}" for value in leading)
    heads = [
        ("stability", "", *(one.stability.name.lower() for one in found.states)),
        ("leading eigenvalue", f"1/({shown})" if " " in shown else f"1/{shown}", *rates),
    ]
    return _table_of(found, heads, [map(rounded, row) for row in _numbers(found).tolist()])


def _table_of_draws(results: Sequence[SteadyStates]) -> Table:
    """As `_table`, of the draws that have as many states as most: median and 90 % of these draws."""
    import numpy as np

    from simulate.results.tables import rounded

    like = _alike(results)
    first, draws = like[0], results[0].study.draws
    assert draws is not None
    numbers = np.quantile([_numbers(one) for one in like], (0.5, 0.05, 0.95), axis=0)
    places = numbers.transpose(1, 2, 0).tolist()
    cells = [["{} ({} to {})".format(*map(rounded, ends)) for ends in row] for row in places]
    stable = [sum(one.states[place].stability.name == "STABLE" for one in like) for place in range(len(first.states))]
    head = ("stable", "", *(f"in {number} of {counted(len(like), 'draw')}" for number in stable))
    caption = f"typical patients of {len(like)} of {draws.origin}: median (5 % to 95 % of these)"
    return _table_of(first, [head], cells, caption=caption, caption_justify="left")


def _table_of(
    found: SteadyStates, heads: Iterable[Sequence[str]], cells: Iterable[Iterable[str]], **style: Any
) -> Table:
    """A line for each state and observable, a column for each steady state."""
    model = found.study.model
    table = titled(
        f"Steady states, hypothesis {found.study.hypothesis}, of the model: {model.title or model.name}",
        ("", "unit"),
        **style,
    )
    for number in range(1, len(found.states) + 1):
        table.add_column(f"state {number}", justify="right")
    for row in heads:
        table.add_row(*row)
    units = {part.name: part.unit.text for part in (*model.species, *model.observables)}
    names = (*found.system.states, *(part.name for part in model.observables))
    for name, own in zip(names, cells, strict=True):
        table.add_row(name, units[name], *own)
    return table


def _numbers(found: SteadyStates) -> npt.NDArray[np.float64]:
    """States and observables of each steady state, shape [quantity, steady state]."""
    import numpy as np

    states = [one.state for one in found.states]
    return np.hstack([np.reshape(states, (len(states), len(found.system.states))), found.observed]).T


def _alike(results: Sequence[SteadyStates]) -> list[SteadyStates]:
    """Draws with as many states as most have."""
    ((count, _),) = Counter(len(one.states) for one in results).most_common(1)
    return [one for one in results if len(one.states) == count]


def _below_draws(results: Sequence[SteadyStates]) -> list[str]:
    """In how many draws there are how many states, and where branches turn."""
    import numpy as np

    counts = sorted(Counter(len(one.states) for one in results).items())
    lines = [f"{counted(count, 'steady state')} in {draws} of {counted(len(results), 'draw')}"
             for count, draws in counts]  # fmt: skip
    turns: dict[tuple[str, str], dict[int, list[float]]] = {}
    for index, one in enumerate(results):
        for branch in one.branches:
            for turn in branch.turns:
                turns.setdefault((branch.axis, turn.kind.value), {}).setdefault(index, []).append(turn.value)
    for (axis, kind), found in turns.items():
        low, high = np.quantile([value for values in found.values() for value in values], (0.05, 0.95))
        lines.append(
            f"{kind}: in {len(found)} of {counted(len(results), 'draw')}, at {axis} from {low:.4g} to {high:.4g} (90 %)"
        )
    return lines
