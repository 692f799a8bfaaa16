"""``simulate fit``: a hypothesis fitted to what was printed."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulate.api.fitting import fit as function
from simulate.cli.console import UsageFault, carry_out, paced, print_json, print_rich, print_text, titled
from simulate.cli.options import EvidenceName, Force, Hypothesis, Json, Threads, Trials, defaults_of
from simulate.errors import counted

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from rich.table import Table

    from simulate.results.result import Result
    from simulate.studies.fitting.posterior import Estimate, Individuals, Posterior
    from simulate.studies.fitting.profiling import Profiled
    from simulate.studies.petab.fitting import PetabFit


@defaults_of(function)
def fit(
    *,
    problem: Annotated[
        str | None,
        typer.Argument(metavar="[PROBLEM]", help="An estimation problem in PEtab (YAML), in place of a hypothesis."),
    ] = None,
    hypothesis: Hypothesis,
    evidence: EvidenceName,
    trial: Trials,
    data: Annotated[
        str | None,
        typer.Option("--data", metavar="FILE", help="Readings of single patients: a data file, or a table alone."),
    ],
    out: Annotated[
        Path | None,
        typer.Option("--out", "-o", metavar="DIR", help="Folder of the result; one in fits if not given."),
    ],
    particles: Annotated[int, typer.Option("--particles", metavar="N", min=20, help="Particles of a run.")],
    runs: Annotated[int, typer.Option("--runs", metavar="N", min=1, help="Runs from different seeds.")],
    patients: Annotated[int, typer.Option("--patients", "-n", metavar="N", min=8, help="Patients while sampling.")],
    draws: Annotated[int, typer.Option("--draws", metavar="N", min=64, help="Draws at the end.")],
    final_patients: Annotated[
        int, typer.Option("--final-patients", metavar="N", min=8, help="Patients of each draw at the end.")
    ],
    seed: Annotated[int, typer.Option("--seed", metavar="S", help="Seed of the samplers.")],
    profiles: Annotated[
        bool, typer.Option("--profiles", help="Profile the likelihood of each number as well; some minutes.")
    ],
    profile: Annotated[
        list[str] | None,
        typer.Option("--profile", metavar="NAME", help="Profile this parameter of a PROBLEM; repeatable."),
    ] = None,
    posterior: Annotated[
        bool, typer.Option("--posterior", help="Sample the posterior of a PROBLEM: --particles, --runs, --draws.")
    ] = False,
    starts: Annotated[
        int | None, typer.Option("--starts", metavar="N", min=1, help="Starting points of a PROBLEM; 20 if not given.")
    ] = None,
    rtol: Annotated[
        float | None, typer.Option("--rtol", metavar="X", help="Relative tolerance of a PROBLEM; 1e-8 if not given.")
    ] = None,
    force: Force = False,
    figures: Annotated[bool, typer.Option("--figures/--no-figures", help="Whether to draw, of a PROBLEM.")] = True,
    threads: Threads,
    as_json: Json = False,
) -> int:
    """Fit a hypothesis to the reported values: what they say of each number, and the evidence of the hypothesis.

    Several trials are fitted at once: their patients have nothing in common, and log-likelihoods add.
    Before it fits, it says what cannot be learned. Progress is kept in the folder: the same command goes on after an
    interruption, to the same bits. The result is fit.json there.

    \b
    simulate fit
    simulate fit --hypothesis H5 --out fits/H5
    simulate fit --hypothesis my-hypothesis.toml --evidence my-evidence.toml
    simulate fit --evidence synthesis
    simulate fit --trial zong-2011 --trial my-trial.toml
    simulate fit --data my-data.toml --patients 16 --final-patients 64

    A problem in PEtab is fitted from many starting points instead: estimates, their errors, how many starts agree; if
    asked for, how far each parameter can go (profiles), and draws of the posterior.

    \b
    simulate fit problem.yaml --starts 50
    simulate fit problem.yaml --profiles --posterior
    """  # noqa: D301
    own = {"starts": starts, "rtol": rtol, "force": force or None, "profile": profile, "posterior": posterior or None}
    own["no_figures"] = not figures or None
    _refuse_strange(problem, own, locals())
    _refuse_hypothesis(problem)
    if problem is not None:
        named = own.pop("profile")
        own["profiles"] = profiles or named
        del own["no_figures"]
        if posterior:
            own |= {"particles": particles, "runs": runs, "draws": draws}
        asked = {name: value for name, value in own.items() if value}
        return _of_problem(problem, asked, seed, threads, out, figures, as_json)
    return carry_out(function, locals(), _show)


def _show(found: Result[Posterior]) -> None:
    from simulate.evidence.sets import evidence_sets
    from simulate.studies.fitting.profiling import Profiled

    print_rich(_estimates(found.value.hypothesis, found.value.told))
    if found.value.individuals is not None:
        print_rich(_individuals(found.value.individuals))
    if "profiles" in found.tables:
        print_rich(_profiles("likelihood", [Profiled(**row) for row in found.tables["profiles"].records()]))
    known = evidence_sets().get(found.value.evidence)
    left_out = (f"not used: {part.statement} ({part.source}): {part.why}" for part in (known.not_used if known else ()))
    print_text(
        "\n".join(
            (
                *_summary(found.value),
                *map(str, left_out),
                *found.facts.get("assumptions", ()),
                f"written to {found.facts['file']}",
            )
        )
    )


def _refuse_strange(problem: str | None, own: Mapping[str, object], given: Mapping[str, object]) -> None:
    """Refuse options of hypotheses where a problem is given, and options of problems where none is."""
    if problem is None:
        strange = [name for name, value in own.items() if value is not None]
        whose = "a PROBLEM, and none is given"
    else:
        defaults = inspect.signature(function).parameters
        shared = {"out", "seed", "threads", "report", "profiles"}
        if own["posterior"]:
            shared |= {"particles", "runs", "draws"}
        strange = [
            name
            for name, part in defaults.items()
            if name not in shared and (given[name] or None) != (part.default or None)
        ]
        whose = "the fit of a hypothesis, and a PROBLEM is given"
    if strange:
        raise UsageFault(
            f"--{strange[0].replace('_', '-')} is for {whose}", code="usage.argument", advice="leave it out"
        )


def _refuse_hypothesis(problem: str | None) -> None:
    """Refuse the name of a hypothesis in the place of a problem: other verbs take it there."""
    if problem is None or Path(problem).suffix or Path(problem).exists():
        return
    from simulate.biology.hypotheses import HYPOTHESES

    if problem.partition("+")[0].casefold() in {one.name.casefold() for one in HYPOTHESES}:
        raise UsageFault(
            f"`{problem}` is a hypothesis, and no estimation problem",
            code="usage.argument",
            advice=f"`simulate fit --hypothesis {problem}`",
        )


def _of_problem(
    problem: str, own: Mapping[str, Any], seed: int, threads: int | None, out: Path | None, figures: bool, as_json: bool
) -> int:
    """Fit an estimation problem, write its directory and print its estimates."""
    from simulate.api.estimating import fit_problem
    from simulate.studies.fitting.profiling import Profiled

    found = fit_problem(problem, **own, seed=seed, threads=threads, out=out, figures=figures, report=paced())
    folder = Path("fits", f"{Path(problem).stem}-{found.provenance.key[:8]}") if out is None else out
    if out is None:
        found.write(folder, force=True, figures=figures)
    if as_json:
        print_json(found.document)
        return 0
    fitted = found.value
    print_rich(_found(fitted))
    if fitted.profiles is not None:
        told = fitted.profiles.parameters
        rows = [Profiled(row.name, "", row.verdict, row.low, row.high, row.drop) for row in told]
        print_rich(_profiles("likelihood times prior", rows))
    if fitted.posterior is not None and fitted.posterior.is_told:
        print_rich(_estimates("Posterior", fitted.posterior.estimates))
    assert found.answer is not None
    first, second, _, *more = found.answer.sentences
    print_text("\n".join((first, second, *more, *found.answer.caveats, f"written to {folder}")))
    return 0


def _found(result: PetabFit) -> Table:
    table = titled(
        "Estimates; errors are on the scale", ("parameter", "scale", "estimate", "error", "bounds", "nominal")
    )
    for row in result.parameters:
        error = f"at the {row.at} bound" if row.at else "not determined" if row.error is None else f"{row.error:.2g}"
        nominal = "" if row.nominal is None else f"{row.nominal:.4g}"
        table.add_row(row.name, row.scale, f"{row.value:.4g}", error, f"{row.lower:.3g} to {row.upper:.3g}", nominal)
    return table


def _profiles(of: str, rows: Sequence[Profiled]) -> Table:
    table = titled(
        f"Profiles of the {of}, within 1.92 of its maximum", ("number", "profile", "from", "to", "greatest drop")
    )
    for row in rows:
        ends = ["open" if end is None else f"{end:.3g} {row.unit}".removesuffix(" 1") for end in (row.low, row.high)]
        table.add_row(row.name, row.verdict, *ends, f"{row.drop:.1f}")
    return table


def _individuals(found: Individuals) -> Table:
    where = "about the mode of each" if found.average == "mode" else "drawn as patients are"
    table = titled(
        f"Patients; virtual ones {where}",
        ("patient", "readings", "effective virtual patients", "in 19 of 20 draws more than"),
    )
    for row in found.patients:
        table.add_row(row.name, str(row.observations), f"{row.effective:.0f}", f"{row.least_effective:.0f}")
    return table


def _estimates(of: str, rows: Sequence[Estimate]) -> Table:
    from simulate.studies.fitting.posterior import NOT_KNOWN

    table = titled(
        f"{of}: median and 90 %",
        ("number", "before the data", "after the data", "learned", "verdict", "meaning"),
    )
    for row in rows:
        after = "as before" if row.verdict == "prior" else _band(row.posterior)
        learned = "–" if row.verdict == NOT_KNOWN else f"{100.0 * max(row.contraction, 0.0):.0f} %"
        table.add_row(
            row.name, _band(row.prior), f"{after} {row.unit}".rstrip("1").rstrip(), learned, row.verdict, row.meaning
        )
    return table


def _band(quantiles: tuple[float, float, float]) -> str:
    low, middle, high = quantiles
    return f"{middle:.3g} [{low:.3g}, {high:.3g}]"


def _summary(result: Posterior) -> list[str]:
    sampler, patients, solver = result.errors
    found = result.diagnostics
    informed = [row.name for row in result.estimates if row.verdict == "informed"]
    learned = (
        f"learned: not known: {counted(round(found.effective), 'effective draw')}"
        if found.weakness
        else f"learned: {', '.join(informed) or 'nothing'}; in {found.informed_directions} directions of "
        f"{len(result.estimates)} the data say more than the prior"
    )
    chains = "one run" if found.r_hat is None else f"R-hat {found.r_hat:.3f}"
    best = result.individuals
    lines = [
        f"evidence: {result.evidence}, {len(result.items)} data"
        if best is None
        else f"individual data: {result.evidence}, {counted(len(result.items), 'patient')}, "
        f"{counted(sum(row.observations for row in best.patients), 'reading')}",
        f"log-evidence {result.log_evidence:.2f} ± {sampler:.2f} (sampler) ± {patients:.2f} (patients), "
        f"solver {solver:.4f}",
        learned,
        f"best log-likelihood {found.optimum:.2f}, {counted(found.distinct, 'different point')} within 2 of it"
        + ("" if found.distinct < 3 else ": no point is the estimate"),
        f"{chains}, {counted(round(found.effective), 'effective draw')}, tail {found.tail:.2f}, "
        f"{100 * found.refused:.1f} % of the patients have no baseline",
    ]
    weakness = [found.weakness] if found.weakness else []
    return lines + [f"warning: {text}" for text in (*weakness, *found.warnings)]
