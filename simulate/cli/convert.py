"""``simulate convert``: models of other programs as model files, and what is here in the formats of others."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from simulate.cli.console import UsageFault, print_json, print_text, say
from simulate.errors import Where, counted
from simulate.inputs import noted, noting

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from simulate.symbolic.model import Model

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
    from simulate.exchange.archive import is_archive
    from simulate.exchange.foreign import has_routes, is_foreign, is_said, judge_units
    from simulate.exchange.petab.reading import is_petab

    if is_petab(out):
        if every is not None or units != "numbers":
            strange = "--every" if every is not None else "--units"
            raise UsageFault(f"{strange} says nothing beside a problem in PEtab", code="usage.argument")
        _problem(
            file, out, force, as_json, data=data, hypothesis=hypothesis, settings=chosen_settings(settings), arm=arm,
            end=end, time=time, estimate=estimate or [], fit=fit,
        )  # fmt: skip
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
        _prescribed(file, out, hypothesis, arm, settings, end, every, force, as_json)
        return
    if asked := [option for option, value in given.items() if value is not None]:
        raise UsageFault(
            f"{asked[0]} is for scenarios, and for an archive: a model is converted as it is", code="usage.argument"
        )
    _converted(file, out, time, hypothesis if is_reference else None, as_json)


def _converted(file: Path, out: Path, time: str | None, hypothesis: str | None, as_json: bool) -> None:
    """Write a model as it is; the reference model under a hypothesis."""
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
    document = {"file": str(out), "time": time_unit, **_counts(model), "left_out": dropped, "regimen": regimen}
    asked = f" ({time_unit} in {file.name})" if time_unit != "d" else ""
    line = f"wrote {out}: {_shown(_counts(model))}, time in d{asked}"
    given = f'what the file prescribes, for a scenario of the model: regimen = "{regimen}"'
    note = "" if imported is None else imported.time_note
    other = "days, `--time d`" if time_unit == "s" else "hours, `--time h`"
    notes = [*([f"{note}; if it counts {other}"] if note else []), *([given] if regimen != "none" else [])]
    _tell(document, line, renamed, as_json, *notes)


def _prescribed(
    file: Path,
    out: Path,
    hypothesis: str | None,
    arm: str | None,
    settings: list[str] | None,
    end: str | None,
    every: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Write an arm of a scenario, or a model for some time, in which events give the doses."""
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
    beside = f", doses in {document['doses']}" if "doses" in document else ""
    line = f"wrote {out}{beside}: arm {found.arm}, {found.regimen}; {_shown(_counts(model))}, time in d"
    _tell(document, line, renamed, as_json)


def _problem(file: Path, out: Path, force: bool, as_json: bool, **asked: Any) -> None:
    """Write an estimation problem in PEtab of version 2."""
    from simulate.studies.petab.restating import write_problem
    from simulate.studies.petab.sources import stated_problem

    with noting():
        found = stated_problem(file, out.name, **asked)
        write_problem(found, out, read=tuple(noted()), force=force)
    problem = found.problem
    counts = {
        "parameters": len(problem.parameters),
        "sought": len(problem.estimated),
        **{name: len(getattr(problem, name)) for name in ("experiments", "observables", "measurements")},
    }
    document = {"file": str(out), "version": problem.version, **counts, "log_likelihood": found.log_likelihood}
    told = "it cannot be solved at the nominal values"
    if found.log_likelihood is not None:
        told = f"log-likelihood {found.log_likelihood:.6f} at the nominal values, as of what it was made of"
    line = f"wrote {out}: PEtab of version 2, {_shown(counts)}; {told}"
    _tell(document | {"left_out": list(found.left_out)}, line, {}, as_json)


def _tell(document: Mapping[str, Any], line: str, renamed: Mapping[str, str], as_json: bool, *more: str) -> None:
    """Print what was written, and what was left out and renamed."""
    if as_json:
        print_json({**document, **({"renamed": dict(renamed)} if renamed else {})})
        return
    for text in document["left_out"]:
        say(f"left out: {text}")
    if renamed:
        say(f"renamed: {', '.join(f'`{old}` is `{new}`' for old, new in renamed.items())}")
    for text in more:
        say(text)
    print_text(line)


def _check_absent(out: Path, force: bool) -> None:
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
    return UsageFault(
        "a model is converted from and to SBML, Antimony and model files",
        code="usage.argument",
        found=f"{file.name} to {out.name}",
        expected="names that end in .xml, .sbml, .ant or .toml; or in .omex, .R (rxode2), .cpp or .mod (mrgsolve), or "
        ".yaml (PEtab), which are written alone",
    )


def _counts(model: Model) -> dict[str, int]:
    return {"states": len(model.species), "parameters": len(model.parameters), "events": len(model.events)}


def _shown(counts: Mapping[str, int]) -> str:
    return ", ".join(
        counted(count, name.removesuffix("s")) if name.endswith("s") else f"{count} {name}"
        for name, count in counts.items()
    )
