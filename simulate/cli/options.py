"""Options that several verbs have."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, TypeVar

import typer

from simulate.cli.console import UsageFault

if TYPE_CHECKING:
    from simulate.studies.runs import Study
    from simulate.studies.settings import Setting

Figured = Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Folder for JSON, CSV and a figure.")]
Tabled = Annotated[Path | None, typer.Option("--out", "-o", metavar="DIR", help="Folder for JSON and CSV.")]
Force = Annotated[bool, typer.Option("--force", help="Replace another run in DIR.")]
Json = Annotated[bool, typer.Option("--json", help="Print one JSON document on standard output, and nothing else.")]
Hypothesis = Annotated[
    str | None,
    typer.Option("--hypothesis", "-H", metavar="NAME|FILE", help="Hypothesis, such as H1 or H1+H3a, or its file."),
]
Hypotheses = Annotated[
    list[str] | None,
    typer.Option(
        "--hypothesis",
        "-H",
        metavar="NAME|FILE",
        help="Hypothesis, such as H1 or H1+H3a, or its file; repeat it for a table of several, side by side.",
    ),
]

ScenarioFile = Annotated[str, typer.Argument(metavar="SCENARIO", help="Name of a shipped scenario, or a TOML file.")]
Fit = Annotated[
    str | None,
    typer.Option(
        "--fit",
        metavar="FIT",
        help="Whose populations: shipped, prior, typical (of the tables), or a fit.json, or its folder.",
    ),
]
SeveralFits = Annotated[
    list[str] | None,
    typer.Option(
        "--fit",
        metavar="FIT",
        help="Whose populations: shipped, prior, typical (of the tables), or a fit.json or its folder; repeat it "
        "to see them side by side.",
    ),
]
FitsOfEach = Annotated[
    list[str] | None,
    typer.Option(
        "--fit",
        metavar="FIT",
        help="Whose draws: shipped, prior, typical (of the tables), or a fit.json or its folder for its own "
        "hypothesis; repeat it for more.",
    ),
]
Draws = Annotated[int | None, typer.Option("--draws", metavar="N", min=1, help="Draws of the fit.")]
Settings = Annotated[
    list[str] | None,
    typer.Option("--set", metavar="KEY=VALUE", help="Change a parameter (f_m=0.3) or any key (time.end='364 d')."),
]
Vary = Annotated[
    list[str] | None,
    typer.Option(
        "--vary",
        metavar="[NAME.]cv=X",
        help="An assumed spread between patients: cv=0.3 in all parameters of which none is known, k_a.cv=0.2 in one.",
    ),
]
End = Annotated[
    str | None,
    typer.Option("--end", metavar="TIME", help="How long it is simulated, such as '12 weeks'; a model must be told."),
]
Every = Annotated[
    str | None, typer.Option("--every", metavar="TIME", help="How often it is recorded; 100 times if not given.")
]
Quantities = Annotated[
    list[str] | None,
    typer.Option(
        "--quantity",
        "-q",
        metavar="NAME",
        help="A state or observable that is kept, printed and drawn; all observables if not given; repeat it.",
    ),
]
Units = Annotated[
    str,
    typer.Option(
        "--units",
        metavar="numbers|strict",
        help="Whether quantities of SBML and Antimony are pure numbers, or each must have a unit that fits.",
    ),
]
Patients = Annotated[int | None, typer.Option("--patients", "-n", metavar="N", help="Size of the cohort.")]
Seed = Annotated[int | None, typer.Option("--seed", metavar="S", help="Seed of the cohort.")]
Dropout = Annotated[
    bool | None,
    typer.Option("--dropout/--no-dropout", help="Whether results are of those who are still in the study."),
]
Trials = Annotated[
    list[str] | None,
    typer.Option(
        "--trial", metavar="NAME|FILE", help="A trial (simulate list, or a file); repeat it to take several at once."
    ),
]
EvidenceName = Annotated[
    str | None,
    typer.Option(
        "--evidence",
        metavar="NAME|FILE",
        help="A set of evidence, abstract or synthesis, or a file; that of the trial if not given.",
    ),
]
Rtol = Annotated[float | None, typer.Option("--rtol", metavar="X", help="Relative tolerance.")]
Fits = Annotated[Path, typer.Option("--fits", metavar="DIR", help="Folder of fits; those that ship come first.")]
Drawn = Annotated[bool, typer.Option("--figures/--no-figures", help="Whether to draw.")]
Threads = Annotated[int | None, typer.Option("--threads", metavar="N", min=1, help="Threads; all cores if not given.")]

Verb = TypeVar("Verb", bound=Callable[..., Any])


def defaults_of(function: Callable[..., Any]) -> Callable[[Verb], Verb]:
    """Decorator of a verb: what its options are if not given is what the arguments of its function are."""
    defaults = {name: part.default for name, part in inspect.signature(function).parameters.items()}

    def decorate(verb: Verb) -> Verb:
        own = inspect.signature(verb, eval_str=True)
        parameters = [
            part.replace(
                kind=inspect.Parameter.KEYWORD_ONLY,
                default=defaults.get(part.name, part.default) if part.default is part.empty else part.default,
            )
            for part in own.parameters.values()
        ]
        verb.__signature__ = own.replace(parameters=parameters)  # type: ignore[attr-defined]
        return verb

    return decorate


def place_of(out: Path | None, *studies: Study) -> Path:
    """Where a run is kept: what the user says, or ``runs/`` and its scenario with digits of the content hash."""
    from simulate.files import content_hash

    if out is not None:
        return out
    key = studies[0].key if len(studies) == 1 else content_hash(*(study.key for study in studies))
    return Path("runs") / f"{studies[0].scenario.name}-{key[:8]}"


def named_numbers(texts: Sequence[str] | None, what: str, expected: str) -> dict[str, float]:
    """Numbers by name, each given as ``NAME=NUMBER`` and once; ``what`` they are, such as ``rate``, is for errors."""
    found: dict[str, float] = {}
    for text in texts or ():
        name, _, number = (part.strip() for part in text.rpartition("="))
        try:
            value = float(number)
        except ValueError:
            name = ""
        if not name:
            raise UsageFault(f"a {what} cannot be read", code="usage.argument", found=text, expected=expected)
        if name in found:
            raise UsageFault(f"the {what} of `{name}` is given twice", code="usage.argument")
        found[name] = value
    return found


def chosen_settings(
    texts: Sequence[str] | None,
    *,
    vary: Sequence[str] | None = None,
    regimens: Sequence[str] | None = None,
    hypothesis: str | None = None,
    fit: str | None = None,
    draws: int | None = None,
    patients: int | None = None,
    first: int | None = None,
    seed: int | None = None,
    dropout: bool | None = None,
    quantities: Sequence[str] | None = None,
    rtol: float | None = None,
) -> list[Setting]:
    """What the options of a command line lay over a scenario file."""
    from simulate.studies.settings import KEYS, Setting, option_set, parse_setting, parse_variation, regimen_settings

    options = {
        "hypothesis": hypothesis, "fit": fit, "draws": draws, "patients": patients, "patient": first, "seed": seed,
        "rtol": rtol,
    }  # fmt: skip
    named = [setting for name, value in options.items() for setting in option_set(name, value)]
    if dropout is not None:
        named.append(Setting(KEYS["dropout"], dropout, "--dropout" if dropout else "--no-dropout"))
    if quantities:
        origin = " ".join(f"--quantity {name}" for name in quantities)
        named.append(Setting(KEYS["quantities"], list(quantities), origin))
    varied = [parse_variation(text) for text in vary or ()]
    arms = regimen_settings(regimens) if regimens else []
    return [*(parse_setting(text) for text in texts or ()), *named, *varied, *arms]
