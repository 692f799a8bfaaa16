"""``simulate convert``: models of other programs as model files, and what is here in the formats of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulate.symbolic.model import Model

from simulate.cli.convert_problem import ProblemOptions, convert_problem
from simulate.cli.options import End, Every, Hypothesis, Json, Settings, Units, chosen_settings

REFERENCE = "reference"
"""What stands for the reference model where a file does."""

_NOT_SAID: tuple[tuple[Callable[[Model], int], str], ...] = (
    (lambda model: len(model.conditions), "the conditions on a baseline"),
    (lambda model: sum(part.spread is not None for part in model.parameters), "how patients differ"),
)
"""What other formats do not say of a model, where it has it."""


def convert(
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="A model (SBML, Antimony, or a model file in TOML; reference for the shipped one), a scenario by name "
            "or file, a problem in PEtab, or readings of single patients.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="The file to write, by its ending: TOML, SBML, Antimony, OMEX, rxode2 (.R), mrgsolve (.cpp), or "
            "YAML for a problem in PEtab.",
        ),
    ],
    time: Annotated[
        str | None,
        typer.Option(
            "--time",
            metavar="UNIT",
            help="Unit of time of the model, or of TIME in --data; that of the file if not given.",
        ),
    ] = None,
    hypothesis: Hypothesis = None,
    arm: Annotated[
        str | None, typer.Option("--arm", metavar="NAME", help="Which arm of a scenario, if it has several.")
    ] = None,
    settings: Settings = None,
    end: End = None,
    every: Every = None,
    data: Annotated[
        Path | None,
        typer.Option(
            "--data", metavar="TABLE", help="What was read of the arms of a scenario, for a problem in PEtab."
        ),
    ] = None,
    estimate: Annotated[
        list[str] | None,
        typer.Option(
            "--estimate",
            metavar="NAME[=LOW:HIGH]",
            help="A parameter that is sought, and its bounds; repeat it. What a fit leaves free if not given.",
        ),
    ] = None,
    fit: Annotated[
        Path | None,
        typer.Option("--fit", metavar="FIT", help="A fit of a problem in PEtab: its estimates are the nominal values."),
    ] = None,
    units: Units = "numbers",
    force: Annotated[bool, typer.Option("--force", help="Replace a file.")] = False,
    as_json: Json = False,
) -> None:
    """Write a model in SBML or Antimony as a model file, or the other way, and list what is left out.

    An arm of a scenario becomes the model of its typical patient, in which events give the doses. An OMEX archive
    (.omex) holds the model in SBML, and in SED-ML for how long it is solved and what is recorded. For rxode2 (.R) and
    mrgsolve (.cpp, .mod) the doses are a table beside the model.

    A problem in PEtab of version 2 (.yaml, and its files beside it) is made of one of version 1, of readings of single
    patients, or of a scenario and a table of what was read: TIME, DV, DVID, and ARM and SD if there are.

    \b
    simulate convert BIOMD0000000012.xml -o repressilator.toml
    simulate convert model.xml -o model.toml --time h
    simulate convert my-model.toml -o my-model.xml
    simulate convert my-model.toml -o my-model.ant
    simulate convert reference -H H1 -o reference-H1.xml
    simulate convert my-model.toml --end "10 h" -o my-model.omex
    simulate convert anakinra-100mg-daily -H H1 --arm anakinra -o anakinra.omex
    simulate convert anakinra-100mg-daily -H H1 --arm anakinra -o anakinra.R
    simulate convert problem.yaml -o version-2/problem.yaml
    simulate convert anakinra-100mg-daily -H H1 --data means.csv --estimate K_17=0.05:1 -o anakinra/problem.yaml
    """  # noqa: D301
    from simulate.cli.console import UsageFault
    from simulate.exchange.archive import is_archive
    from simulate.exchange.foreign import has_routes, is_foreign, is_said, judge_units
    from simulate.exchange.petab.reading import is_petab

    if is_petab(out):
        if every is not None or units != "numbers":
            strange = "--every" if every is not None else "--units"
            raise UsageFault(f"{strange} says nothing beside a problem in PEtab", code="usage.argument")
        problem = ProblemOptions(hypothesis, arm, settings or [], end, time, data, estimate or [], fit)
        convert_problem(file, out, problem, force=force, as_json=as_json)
        return
    if of_problems := [name for name, value in (("--data", data), ("--estimate", estimate), ("--fit", fit)) if value]:
        raise UsageFault(f"{of_problems[0]} is for a problem in PEtab, whose name ends in .yaml", code="usage.argument")
    if file.suffix not in ("", ".toml") and not is_foreign(file):
        raise _not_converted(file, out)
    if not is_said(out) and not is_archive(out) and out.suffix != ".toml":
        raise _not_converted(file, out)
    if time is not None and not is_foreign(file):
        raise UsageFault("--time is for SBML and Antimony: a model file has units of its own", code="usage.argument")
    _check_absent(out, force)
    judge_units(file, units)
    is_reference = str(file) == REFERENCE
    given = {
        "-H": None if is_reference else hypothesis,
        "--arm": arm,
        "--set": settings,
        "--end": end,
        "--every": every,
    }
    if is_reference and (is_archive(out) or end is not None):
        raise UsageFault(
            "the reference model alone has neither doses nor an end",
            code="usage.argument",
            advice="convert an arm of a scenario, such as `untreated`",
        )
    if is_archive(out) or (not is_reference and _is_scenario(file)) or (end is not None and has_routes(out)):
        if time is not None:
            raise UsageFault("--time says nothing beside an archive, which counts days", code="usage.argument")
        _prescribed(file, out, hypothesis, arm, settings or [], end, every, force, as_json)
        return
    if asked := [option for option, value in given.items() if value is not None]:
        raise UsageFault(
            f"{asked[0]} is for scenarios, and for an archive: a model is converted as it is", code="usage.argument"
        )
    _converted(file, out, time, hypothesis if is_reference else None, as_json)


def _converted(file: Path, out: Path, time: str | None, hypothesis: str | None, as_json: bool) -> None:
    """Write a model as it is; the reference model under a hypothesis."""
    from simulate.cli.console import print_json, print_text, say
    from simulate.errors import Where
    from simulate.exchange.foreign import has_routes, is_foreign, is_said, read_foreign, said
    from simulate.files import write_atomically
    from simulate.studies.models import about_reference, find_model, hypothesis_parts
    from simulate.symbolic.modelfile import read_model, write_model

    imported = None
    if is_foreign(file):
        # SBML and Antimony have no routes: there doses stay events.
        imported = read_foreign(file, time_unit=time, doses=has_routes(out) or not is_foreign(out))
    about = None
    if str(file) == REFERENCE:
        where = None if hypothesis is None else Where(file=f"--hypothesis {hypothesis}")
        model, about = find_model(None, hypothesis_parts(hypothesis or "none", where=where), where), about_reference()
    else:
        model = (read_model(file) if imported is None else imported.model).compose()
    dropped = list(imported.dropped) if imported is not None else []
    renamed: Mapping[str, str] = {}
    if is_said(out):
        found = said(model, out, about=about)
        renamed = found.renamed
        if imported is None:
            dropped += [text for number, text in _NOT_SAID if number(model)]
            dropped += found.left_out
        write_atomically(out, found.text)
    else:
        write_atomically(out, write_model(model))
    regimen = "none" if imported is None else imported.regimen
    time_unit = "d" if imported is None else imported.time_unit
    if as_json:
        print_json(
            {"file": str(out), "time": time_unit, **_counts(model), "left_out": dropped, "regimen": regimen}
            | ({"renamed": dict(renamed)} if renamed else {})
        )
        return
    for line in dropped:
        say(f"left out: {line}")
    _say_renamed(renamed)
    if regimen != "none":
        say(f'what the file prescribes, for a scenario of the model: regimen = "{regimen}"')
    asked = f" ({time_unit} in {file.name})" if time_unit != "d" else ""
    print_text(f"wrote {out}: {_shown(model)}, time in d{asked}")


def _prescribed(
    file: Path,
    out: Path,
    hypothesis: str | None,
    arm: str | None,
    settings: list[str],
    end: str | None,
    every: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write an arm of a scenario, or a model for some time, in which events give the doses."""
    from simulate.cli.console import UsageFault, print_json, print_text, say
    from simulate.exchange.archive import archive, is_archive
    from simulate.exchange.foreign import has_routes, said
    from simulate.exchange.prescribed import with_given
    from simulate.files import write_atomically
    from simulate.studies.bare_models import scenario_for
    from simulate.studies.prescriptions import prescription_of

    if out.suffix == ".toml":
        raise UsageFault(
            "an arm of a scenario is written for other programs: a model file has routes, and no doses",
            code="usage.argument",
            expected="a name that ends in .xml, .sbml, .ant, .omex, .R, .cpp or .mod",
        )
    chosen = chosen_settings(settings, hypothesis=hypothesis)
    found = prescription_of(scenario_for(str(file), end, every, chosen), arm)
    model = with_given(found.model, found.given)
    left_out = list(found.left_out)
    document = {"file": str(out), "time": "d", **_counts(model), "left_out": left_out}
    document |= {"arm": found.arm, "regimen": found.regimen}
    renamed: Mapping[str, str] = {}
    if is_archive(out):
        steps = len(found.times) - 1
        write_atomically(out, archive(model, found.times[-1], steps, found.quantities, found.rtol, found.about))
    else:
        text = said(found.model, out, found.given, found.about)
        renamed = text.renamed
        left_out += text.left_out if has_routes(out) else ()
        doses = out.with_name(f"{out.name}.doses.csv")
        if text.doses:
            _check_absent(doses, force)
            write_atomically(doses, text.doses)
            document["doses"] = str(doses)
        elif has_routes(out):
            # Doses of another arm beside this one would be taken for its own.
            _check_absent(doses, force)
            doses.unlink(missing_ok=True)
        write_atomically(out, text.text)
    if as_json:
        print_json(document | ({"renamed": dict(renamed)} if renamed else {}))
        return
    for line in left_out:
        say(f"left out: {line}")
    _say_renamed(renamed)
    beside = f", doses in {document['doses']}" if "doses" in document else ""
    print_text(f"wrote {out}{beside}: arm {found.arm}, {found.regimen}; {_shown(model)}, time in d")


def _say_renamed(renamed: Mapping[str, str]) -> None:
    from simulate.cli.console import say

    if renamed:
        say(f"renamed: {', '.join(f'`{old}` is `{new}`' for old, new in renamed.items())}")


def _check_absent(out: Path, force: bool) -> None:
    from simulate.cli.console import UsageFault

    if out.exists() and not force:
        raise UsageFault(f"the file {out} is there already", code="usage.argument", advice="--force, or another name")


def _is_scenario(file: Path) -> bool:
    """Whether something is a scenario, and no model: the name of one that ships, or a file."""
    from simulate.exchange.foreign import is_foreign
    from simulate.files import read_toml
    from simulate.studies.scenario import is_model

    if is_foreign(file):
        return False
    return file.suffix == "" or "arm" in (document := read_toml(file)).data or not is_model(document)


def _not_converted(file: Path, out: Path) -> Exception:
    from simulate.cli.console import UsageFault

    return UsageFault(
        "a model is converted from and to SBML, Antimony and model files",
        code="usage.argument",
        found=f"{file.name} to {out.name}",
        expected="names that end in .xml, .sbml, .ant or .toml; or in .omex, .R (rxode2), .cpp or .mod (mrgsolve), or "
        ".yaml (PEtab), which are written alone",
    )


def _counts(model: Model) -> dict[str, int]:
    return {"states": len(model.species), "parameters": len(model.parameters), "events": len(model.events)}


def _shown(model: Model) -> str:
    return ", ".join(f"{count} {name}" for name, count in _counts(model).items())
