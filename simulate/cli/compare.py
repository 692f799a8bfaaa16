"""``simulate compare``: hypotheses held against one another by what was printed."""

from __future__ import annotations

from math import exp, isfinite
from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.comparing import compare as function
from simulate.cli.console import carry_out, print_rich, print_text, titled
from simulate.cli.options import Drawn, EvidenceName, Figured, Fits, Force, Json, Trials, defaults_of, named_numbers
from simulate.errors import counted

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from rich.table import Table

    from simulate.results.result import Result
    from simulate.studies.comparison.choice import Choice
    from simulate.studies.comparison.comparison import Comparison, Pair


@defaults_of(function)
def compare(
    hypotheses: Annotated[
        list[str] | None,
        typer.Argument(metavar="[NAME|FILE]...", help="Hypotheses; all whose fits ship if none is given."),
    ],
    evidence: EvidenceName,
    trial: Trials,
    prior: Annotated[
        list[str] | None,
        typer.Option("--prior", metavar="NAME=WEIGHT", help="Weight of a hypothesis before the data; 1 if not given."),
    ],
    against: Annotated[
        str | None,
        typer.Option("--against", metavar="NAME", help="What the matrix is relative to; H0, or the likeliest."),
    ],
    fits: Fits,
    particles: Annotated[int, typer.Option("--particles", metavar="N", min=20, help="As for fit.")],
    runs: Annotated[int, typer.Option("--runs", metavar="N", min=1, help="As for fit.")],
    patients: Annotated[int, typer.Option("--patients", "-n", metavar="N", min=8, help="As for fit.")],
    draws: Annotated[int, typer.Option("--draws", metavar="N", min=64, help="As for fit.")],
    final_patients: Annotated[int, typer.Option("--final-patients", metavar="N", min=8, help="As for fit.")],
    out: Figured,
    force: Force,
    figures: Drawn,
    calibrate: Annotated[
        int | None,
        typer.Option(
            "--calibrate", metavar="N", min=4, help="Choose in N made-up abstracts of each; nothing is fitted."
        ),
    ] = None,
    larger: Annotated[
        int, typer.Option("--larger", metavar="K", min=1, help="With --calibrate: K times as many people a figure.")
    ] = 1,
    as_json: Json = False,
) -> int:
    """Compare hypotheses: evidence and its error, odds, what they depend on, and what each reported value says.

    A fit that ships or lies in the folder of fits is used if it is of today's numbers; another is made, and goes on
    where it was interrupted. Hypotheses are called indistinguishable where the odds are within the noise, below 3, or
    below 3 under another prior, doubt or reading.

    \b
    simulate compare
    simulate compare H0 H1+H3a+H4 --out compared
    simulate compare H0 H4 mine.toml --prior H0=2
    simulate compare H0 H1 --evidence synthesis
    simulate compare H0 H1 H4 --calibrate 40
    """  # noqa: D301
    if calibrate is not None:
        from simulate.api.comparing import calibrate_choice

        return carry_out(calibrate_choice, locals(), _show_choice, repeats=calibrate)
    weights = named_numbers(prior, "prior weight", "NAME=WEIGHT, as in H0=2")
    return carry_out(function, locals(), _show, prior=weights)


def _show(found: Result[Comparison]) -> None:
    document = found.document or {}
    print_text(f"{found.value.verdict}: {found.value.sentence}")
    print_rich(_hypotheses(found.value), _matrix(found.value))
    print_text(f"evidence: {document['evidence']}")
    for part in document["not_used"]:
        print_text(f"not used: {part['statement']} ({part['source']}): {part['why']}")
    print_text("\n".join((*_below(found.value), *found.value.assumptions)))


def _show_choice(found: Result[Choice]) -> None:
    choice = found.value
    effective = sorted(choice.effective.ravel())[choice.effective.size // 2]
    print_rich(_choice(choice))
    print_text(
        "first: the true numbers are among the candidates, and evidences are exact; second: they are left out\n"
        f"in half of the abstracts more than {counted(round(effective), 'population')} of the true hypothesis matter"
    )


def _choice(found: Choice) -> Table:
    headers = ("true", "right is likeliest", "wrong has odds above 3", "above 10", "right has odds above 3 against")
    table = titled("How often, in made-up abstracts", headers)
    for true, name in enumerate(found.names):
        others = [index for index in range(len(found.names)) if index != true]
        shares = [[found.right(3.0, is_known=is_known)[true, other] for is_known in (True, False)] for other in others]
        table.add_row(
            name,
            _both([found.is_likeliest(is_known=is_known)[true] for is_known in (True, False)]),
            _both([found.wrong(3.0, is_known=is_known)[true, others].max() for is_known in (True, False)]),
            _both([found.wrong(10.0, is_known=is_known)[true, others].max() for is_known in (True, False)]),
            ", ".join(f"{found.names[other]} {_both(share)}" for other, share in zip(others, shares, strict=True)),
        )
    return table


def _both(shares: Sequence[float]) -> str:
    return "/".join(f"{100.0 * share:.0f}" for share in shares) + " %"


def _hypotheses(result: Comparison) -> Table:
    best = result.names[0]
    headers = (
        "hypothesis", "log-evidence ± sampler ± patients", "before", "after", f"{best} is likelier by",
        "with other beliefs", "verdict", "worst tail",
    )  # fmt: skip
    table = titled("Hypotheses, the likeliest first", headers)
    for index, fit in enumerate(result.fits):
        posterior = fit.posterior
        pair = result.against_best(fit.name)
        tail = result.worst_tail(fit.name)
        table.add_row(
            fit.name,
            f"{posterior.log_evidence:.2f} ± {posterior.errors[0]:.2f} ± {posterior.errors[1]:.2f}",
            f"{100.0 * result.prior[index]:.0f} %",
            f"{100.0 * result.probabilities[index]:.0f} %",
            "" if pair is None else f"{pair.difference:.2f} ± {pair.error:.2f}, odds {exp(pair.difference):.2g}",
            "" if pair is None else f"odds {exp(pair.least):.2g} to {exp(pair.most):.2g}",
            "" if pair is None else pair.verdict,
            "not kept" if tail is None else f"{tail[2]:.2g}, {tail[0]} {tail[1]}",
        )
    return table


def _matrix(result: Comparison) -> Table:
    from rich.text import Text

    matrix = result.matrix.with_all
    title = f"Share of each datum in the log-evidence, less that under {matrix.reference}; in parentheses: noise"
    table = titled(title, ("datum", *result.names))
    for row, item in enumerate(matrix.items):
        cells = []
        for column, name in enumerate(result.names):
            value, error = matrix.entries[row, column], matrix.errors[row, column]
            text = f"{value:+.2f}" + (f" ± {error:.2f}" if isfinite(error) else "")
            is_noise = bool(matrix.is_noise[row, column])
            cells.append(
                Text("0" if name == matrix.reference else f"({text})" if is_noise else text, "dim" if is_noise else "")
            )
        table.add_row(item, *cells)
    table.add_row("left over", *(f"{value:.2f}" for value in matrix.remainders))
    return table


def _alike(pairs: Sequence[Pair], told: Callable[[Pair], str]) -> list[tuple[str, list[Pair]]]:
    """Pairs of which the same is told, in their order."""
    found: dict[str, list[Pair]] = {}
    for pair in pairs:
        found.setdefault(told(pair), []).append(pair)
    return list(found.items())


def _below(result: Comparison) -> list[str]:
    from simulate.studies.comparison.comparison import BAD, influential

    best = result.names[0]
    against = [pair for pair in result.pairs if pair.a == best]
    lines = []
    for verdict, pairs in _alike(against, lambda pair: f"{pair.verdict}, {pair.reason}".removesuffix(", ")):
        lines.append(f"{best} against {', '.join(pair.b for pair in pairs)}: {verdict}")
    moved = {pair.b: max(influential(result, pair), key=lambda one: abs(one[2] - pair.difference), default=None)
             for pair in against}  # fmt: skip
    for belief, pairs in _alike(against, lambda pair: "" if (one := moved[pair.b]) is None else one[1]):
        if belief:
            odds = (f"{pair.b} {exp(one[2]):.2g}" for pair in pairs if (one := moved[pair.b]) is not None)
            lines.append(f"what moves the odds of {best} most, {belief}: {', '.join(odds)}")
    if unknown := sorted({name for pair in against for name in pair.unknown}):
        few = unknown[:3] + (["…"] if len(unknown) > 3 else [])
        lines.append(f"what the odds would be is not known from these draws under {'; '.join(few)}")
    lines.append(
        "± sampler is what the draws of a fit tell of themselves: where it was tried, evidences were too low by two "
        "to five times that, alike for all hypotheses"
    )
    if any(result.worst_tail(name) is not None for name in result.names):
        lines.append(
            "worst tail: of all printed figures that which a fitted hypothesis makes most surprising, and the "
            "probability of one as far out"
        )
    if len({float(value) for value in result.prior}) == 1:
        lines.append("before the data all are held equally likely; --prior NAME=WEIGHT says otherwise")
    tail = result.worst_tail(result.names[0])
    if tail is not None and tail[2] < BAD:
        lines.append(f"even the likeliest does badly: {tail[0]} {tail[1]} has a tail probability of {tail[2]:.2g}")
    warned: dict[str, list[str]] = {}
    for fit in result.fits:
        if fit.posterior.support is None:
            lines.append(f"warning: {fit.name}: an older fit: no readings, doubts, tails or errors of items; fit again")
        for text in fit.posterior.diagnostics.warnings:
            warned.setdefault(text, []).append(fit.name)
    lines += [f"warning: {', '.join(names)}: {text}" for text, names in warned.items()]
    if not all(pair.is_paired for pair in result.pairs):
        lines.append("warning: fits with other patients, or older ones: errors by the choice of patients add up")
    return lines
