"""``simulate equilibria``: where a model can stay."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.simulating import equilibria as function
from simulate.cli.options import Figured, Force, Hypothesis, Json, Settings, defaults_of

if TYPE_CHECKING:
    from rich.table import Table

    from simulate.studies.steady_states import SteadyStates


@defaults_of(function)
def equilibria(
    source: Annotated[
        str, typer.Argument(metavar="[SCENARIO|MODEL]", help="A scenario, shipped or a file; or a model.")
    ],
    hypothesis: Hypothesis,
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
    out: Figured,
    force: Force,
    as_json: Json = False,
) -> int:
    """Seek steady states of the typical patient, with their stability, and folds over one parameter.

    Nobody is treated, but for routes that are fed. A state that no start leads to is not found.

    \b
    simulate equilibria
    simulate equilibria -H H1+H3a+H4 --over f_m=0.1:0.9
    simulate equilibria my-model.toml --over k=0:2 --out steady
    """  # noqa: D301
    from simulate.cli.console import print_json, print_rich, print_text
    from simulate.cli.run import chosen_settings
    from simulate.kernels.equilibria import Stability

    found = function(
        source,
        settings=chosen_settings(settings or [], hypothesis=hypothesis),
        arm=arm,
        over=over,
        fed=_rates(fed or []),
        starts=starts,
        reach=reach,
        quantity=quantity,
        out=out,
        force=force,
    )
    if as_json:
        print_json(found.document)
        return 0
    print_rich(_table(found.value))
    seen = {one.stability for one in found.value.states}
    lines = [f"{one.name.lower()}: {one.value}" for one in Stability if one in seen]
    for number, branch in enumerate(found.value.branches, 1):
        low, high = branch.values.min(), branch.values.max()
        stable = sum(one is Stability.STABLE for one in branch.stability) / len(branch.values)
        lines.append(f"branch {number}: {branch.axis} from {low:.4g} to {high:.4g}, {100 * stable:.0f} % of it stable")
        lines += [f"  at {turn.value:.6g}: {turn.kind.value}" for turn in branch.turns]
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
    from rich import box
    from rich.table import Table

    from simulate.results.tables import rounded

    model = found.study.model
    table = Table(
        title=f"Steady states of {model.title or model.name}, hypothesis {found.study.hypothesis}",
        box=box.SIMPLE_HEAD,
        title_justify="left",
    )
    table.add_column("")
    table.add_column("unit")
    for number in range(1, len(found.states) + 1):
        table.add_column(f"state {number}", justify="right")
    table.add_row("stability", "", *(one.stability.name.lower() for one in found.states))
    leading = [one.eigenvalues[0] for one in found.states]
    table.add_row("leading eigenvalue", "1/d", *(f"{value.real:.3g}{_imaginary(value.imag)}" for value in leading))
    units = {part.name: part.unit.text for part in (*model.species, *model.observables)}
    for place, name in enumerate(found.system.states):
        table.add_row(name, units[name], *(rounded(float(one.state[place])) for one in found.states))
    for place, part in enumerate(model.observables):
        table.add_row(part.name, units[part.name], *(rounded(float(row[place])) for row in found.observed))
    return table


def _imaginary(value: float) -> str:
    return f" ± {abs(value):.3g}i" if value else ""
