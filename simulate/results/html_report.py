"""A report of one directory: what was asked, with which model, what came of it, and how far it can be trusted.

It opens with question, answer, key figure and caveats. The vocabulary of its purpose is that of ICH M15: question of
interest, context of use, model influence, consequence of a wrong decision, model risk; what was not stated is named in
one line.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from simulate import shipped
from simulate.errors import InputError, Where, counted
from simulate.manifest import MANIFEST, check_file, said_of
from simulate.results.catalog import states_of_files
from simulate.results.html import equations, escaped, missing, page, paragraph, picture, section, table
from simulate.results.illustrations import between, ends_of_axes, facts_of_sweep, illustrations, listed
from simulate.results.opening import Opening
from simulate.results.openings import if_true, opening_of, uncounted
from simulate.results.rebuilt import models_of, study_of
from simulate.results.report_tables import MOST_ROWS, results, words_of_picture
from simulate.store import read_manifest
from simulate.studies.datasets import STOPPED
from simulate.studies.runs import Study
from simulate.studies.scenario import REFERENCE
from simulate.studies.visits import time_words
from simulate.symbolic.display import equations_of, parameter_rows, source_rows
from simulate.symbolic.model import Model
from simulate.symbolic.parameterfile import read_sources
from simulate.watching import Progress, quiet

_PARTS = (
    ("question", "Question of interest", "--question"),
    ("context", "Context of use", "--context"),
    ("influence", "Model influence", "--influence"),
    ("consequence", "Consequence of a wrong decision", "--consequence"),
    ("risk", "Model risk", "--risk"),
)
_KEY = ("time-course.png", "dose-response.png", "side-by-side.png", "trial.png")
"""Figures that come first where there are several."""


@dataclass(frozen=True, slots=True)
class Purpose:
    """The purpose of a model, in the words of ICH M15; None for what was not stated."""

    question: str | None = None
    context: str | None = None
    influence: str | None = None
    consequence: str | None = None
    risk: str | None = None


def report(
    directory: Path, purpose: Purpose, *, error: bool = True, figures: bool = True, progress: Progress = quiet
) -> str:
    """Report of a directory, as one HTML document.

    The same for the same directory and versions; nothing in it needs a network.
    """
    manifest = read_manifest(directory)
    if manifest is None:
        is_file = directory.is_file()
        raise InputError(
            "this is a file, and a report is of a folder"
            if is_file
            else "there is no finished run in the folder"
            if directory.is_dir()
            else "there is no such folder",
            code="report.none",
            where=Where(file=str(directory)),
            found=None if is_file else said_of(directory),
            expected="a folder that a verb made, most of them with --out",
            advice=_folder_for(directory) if is_file else None,
        )
    for name in manifest.get("files", {}):
        # What is computed with; a table or a picture can be looked at, marked as changed.
        if str(name).endswith(".nc"):
            check_file(directory, manifest, str(name))
    study = study_of(directory, manifest)
    title = str(manifest.get("title") or "a run") + _over(directory, manifest)
    pictures = list(_pictures(directory, manifest, draw=figures))
    body = [
        f"<h1>{escaped(title)}</h1>",
        paragraph(
            f"Report of il1sim {manifest.get('versions', {}).get('il1sim', '')}; {manifest.get('kind', 'run')} of "
            f"{manifest.get('written', 'an unknown time')}; key {manifest.get('key')}."
        ),
        _opening(directory, manifest, purpose, pictures),
        results(directory, manifest),
        *([section("Further figures", *pictures[1:])] if pictures[1:] else []),
        _asked(manifest),
        _models(directory, manifest),
        _numerics(study, error, progress),
        _failures(manifest),
        _versions(directory, manifest),
    ]
    return page(title, body)


def _folder_for(file: Path) -> str:
    """Where the folder is that was meant by one of its files, or how a folder is made of a file."""
    if (file.parent / MANIFEST).is_file():
        return f"`simulate report {file.parent}`, the folder that it is in"
    return "`simulate run … --out mine && simulate report mine` makes a folder, and reports it"


def _opening(directory: Path, manifest: Mapping[str, Any], purpose: Purpose, pictures: Sequence[str]) -> str:
    """Question with the purpose as far as it was stated, answer, key figure and caveats."""
    told = opening_of(manifest) or _of_sweep(directory, manifest) or Opening("", ())
    asked = manifest.get("scenario") or manifest.get("study") or {}
    # That of a scenario is answered by a run of it, and not by what is made of it.
    own = asked.get("question") if manifest.get("kind") in ("run", "side-by-side") else None
    question = purpose.question or own or told.question or str(manifest.get("title") or "")
    stated = [(title, getattr(purpose, name)) for name, title, _ in _PARTS[1:] if getattr(purpose, name)]
    missed = [f"{title.lower()} ({option})" for name, title, option in _PARTS[1:] if not getattr(purpose, name)]
    parts = [section("Question", paragraph(question), *([table(("", ""), stated)] if stated else []))]
    answer = [paragraph(text) for text in told.sentences] or [paragraph("The tables below have what came out.")]
    parts.append(section("Answer", *answer, *pictures[:1]))
    caveats = [*told.caveats, *_uncounted(manifest)]
    if missed:
        caveats.append(f"Not stated: {', '.join(missed)}.")
    parts.append(section("Caveats", *(paragraph(text) for text in caveats or ["None is known."])))
    return "\n".join(parts)


def _uncounted(manifest: Mapping[str, Any]) -> list[str]:
    """Who is in no number of a directory that says nothing else of it."""
    counters = manifest.get("counters") or {}
    if "answer" in manifest and manifest.get("kind") == "run":
        return []
    text = uncounted(counters) if isinstance(counters.get("n"), int) else ""
    return [f"{text}."] if text else []


def _of_sweep(directory: Path, manifest: Mapping[str, Any]) -> Opening | None:
    """Of a sweep with results that can be read: medians of patients at both ends of what varies."""
    if manifest.get("kind") != "sweep":
        return None
    over = _over(directory, manifest)
    question = f"What comes of {manifest.get('title') or 'a scenario'}{over}?" if over else ""
    asked, about = manifest.get("resolved"), facts_of_sweep(directory)
    people = asked.get("patients") if isinstance(asked, Mapping) else None
    caveats = (
        [] if people is None else [f"{counted(people, 'patient')} at each point, the same at all. Medians of patients."]
    )
    models = manifest.get("models")
    rows = models.values() if isinstance(models, Mapping) else ()
    if about is not None and about.fit is not None:
        caveats.append(f"Parameters are those of {about.fit}.")
    elif about is not None:
        is_reference = any(isinstance(row, Mapping) and row.get("name") == REFERENCE for row in rows)
        caveats.append(
            "Parameters are at their typical values (--fit typical): what is not known of them, which a fit would add, "
            "is in no number."
            if is_reference
            else "Parameters are as the model has them: what is not known of them is in no number."
        )
    caveats += if_true(*((row.get("name"), row.get("hypothesis")) for row in rows if isinstance(row, Mapping)))
    return Opening(question, tuple(ends_of_axes(directory)), tuple(caveats))


def _over(directory: Path, manifest: Mapping[str, Any]) -> str:
    """What a sweep varies, and from where to where; nothing for other verbs."""
    asked = manifest.get("resolved")
    axes = asked.get("axes") if manifest.get("kind") == "sweep" and isinstance(asked, Mapping) else None
    about = facts_of_sweep(directory)
    units = {} if about is None else about.units
    texts = []
    for name, values in axes.items() if isinstance(axes, Mapping) else ():
        if isinstance(values, list) and values:
            texts.append(between(name, values, units.get(name, "")))
    return f", over {listed(texts)}" if texts else ""


def _models(directory: Path, manifest: Mapping[str, Any]) -> str:
    """Every model as it was, and the parameters and sources of all."""
    found = models_of(directory, manifest)
    if not found:
        return section("Model", missing("The folder has no model."))
    several = len(found) > 1
    parts, rows, cited = [], dict[tuple[object, ...], None](), dict[tuple[object, ...], None]()
    columns = ("name", "value", "unit", "spread", "bounds", "grade", "source", "meaning")
    headings = ("key", "citation", "identifier", "read", "parameters")
    for name, model in found.items():
        title = f"Model: {name}" if several else "Model"
        if model is None:
            parts.append(section(title, missing("Not shown: its file is not as it was written.")))
            continue
        parts.append(_model(title, model, manifest["models"][name]))
        shown = [row | {"unit": "" if row["unit"] == "1" else row["unit"]} for row in parameter_rows(model)]
        rows |= dict.fromkeys(tuple(row[column] for column in columns) for row in shown)
        sources = source_rows(model, read_sources(shipped.sources_file()))
        cited |= dict.fromkeys(tuple(row[heading] for heading in headings) for row in sources)
    if rows:
        none = paragraph("No parameter cites a reference.")
        parts.append(section("Parameters", table(columns, list(rows))))
        parts.append(section("Sources", table(headings, list(cited)) if cited else none))
    return "\n".join(parts)


def _model(title: str, model: Model, entry: Mapping[str, Any]) -> str:
    states = [(part.name, "" if part.unit.text == "1" else part.unit.text, part.meaning) for part in model.species]
    return section(
        title,
        paragraph(f"{entry['title'] or entry['name']}; hypothesis {entry['hypothesis']}; key {entry['key']}."),
        paragraph(f"Mechanisms: {', '.join(entry['mechanisms'])}."),
        section("States", table(("name", "unit", "meaning"), states), level=3),
        *(section(heading, equations(lines), level=3) for heading, lines in equations_of(model)),
    )


def _overrides(parameters: Mapping[str, Any]) -> str:
    found = []
    for name, row in parameters.items():
        parts = row if isinstance(row, Mapping) else {"value": row}
        value = [f"{name} = {parts['value']:g}" if "value" in parts else name]
        spread = [f"standard deviation {parts['spread']['sd_log']:.3g} of the logarithm"] if "spread" in parts else []
        found.append(" with ".join((*value, *spread)))
    return ", ".join(found)


def _of_draws(scenario: Mapping[str, Any]) -> str:
    """Which populations the patients are of, if they are draws."""
    if "draws" not in scenario:
        return ""
    return f" of each of {counted(scenario['draws'], 'draw')} of the {scenario['draws_of']}"


def _population(scenario: Mapping[str, Any]) -> str:
    """Whose covariates patients have, if the model has any of the shipped populations."""
    of_reference = scenario.get("model") == REFERENCE
    named = scenario.get("population", "of the trial" if of_reference else "")
    return f"population {named}, " if named else ""


def _asked(manifest: Mapping[str, Any]) -> str:
    scenario, study = manifest.get("scenario"), manifest.get("study")
    if scenario:
        people = (
            f"{counted(scenario['patients'], 'patient')}{_of_draws(scenario)}, {_population(scenario)}"
            f"seed {scenario['seed']}; to {time_words(scenario['end'], scenario.get('time_unit', 'd'))}."
        )
        varied = [
            "<h3>What is varied, and what is asked of it</h3>",
            table(("", ""), list((study or {}).items())),
        ]
        return section("Regimen and patients", *_arms(scenario["arms"]), paragraph(people), *(varied if study else ()))
    asked = manifest.get("resolved")
    if isinstance(asked, dict) and "axes" in asked:
        axes = [(name, len(values), _values(values)) for name, values in asked["axes"].items()]
        until = time_words(asked["end"], asked.get("time_unit", "d"))
        people = f"{counted(asked['patients'], 'patient')}, seed {asked['seed']}; to {until}."
        return section(
            "Regimen, patients and what is varied",
            table(("arm", "regimen"), list(asked["regimens"].items())),
            table(("axis", "values", ""), axes),
            paragraph(people),
        )
    told = {**dict(manifest.get("arguments") or {}), **(study or {})}
    rows = [(name, _values(value) if isinstance(value, list) else value) for name, value in sorted(told.items())]
    return section("What was asked", table(("", ""), [row for row in rows if row[1] is not None]))


def _arms(arms: Sequence[Mapping[str, Any]]) -> Iterator[str]:
    """Arms; and of those whose doses are in a table, what each patient of it is given."""
    rows = []
    for arm in arms:
        regimen = "of a table; below, patient by patient" if "regimens" in arm else arm["regimen"]
        rows.append((arm["name"], regimen, _overrides(arm["parameters"]), "; ".join(arm.get("rules", ()))))
    yield table(("arm", "regimen", "parameters", "rules"), rows)
    for arm in arms:
        own = arm.get("regimens")
        if own:
            known = arm.get("covariates", {})
            lines = [(patient, own[patient], *(known[name].get(patient) for name in known)) for patient in own]
            yield f"<h3>{escaped('Doses of ' + str(arm['name']))}</h3>"
            yield table(("patient of the table", "regimen", *known), lines)


def _values(values: Sequence[Any]) -> str:
    shown = [f"{value:g}" if isinstance(value, int | float) else str(value) for value in values]
    return ", ".join(shown if len(shown) <= 12 else [*shown[:6], "…", *shown[-3:]])


def _pictures(directory: Path, manifest: Mapping[str, Any], *, draw: bool) -> Iterator[str]:
    """Figures of the directory, the key figure first, and what is drawn of its results."""
    kept = [name for name in manifest.get("files", {}) if name.endswith(".png") and (directory / name).is_file()]
    kept.sort(key=lambda name: (_KEY.index(name) if name in _KEY else len(_KEY), name))
    for name in kept:
        yield picture((directory / name).read_bytes(), words_of_picture(name, manifest))
    for content, caption in illustrations(directory, kept=kept) if draw else ():
        yield picture(content, caption)


def _numerics(study: Study | str, wanted: bool, progress: Progress) -> str:
    title = "Numerical error"
    if isinstance(study, str):
        return section(title, missing(f"Not computed: {study}."))
    asked = study.scenario
    set_to = paragraph(f"Solved by {asked.method} at a relative tolerance of {asked.rtol:g}.")
    if not wanted:
        return section(title, set_to, missing("Not computed, as it was not wanted."))
    from simulate.results.illustrations import few_arms
    from simulate.studies.errors_made import LIMIT, PROMISED, judging, too_large, unjudged
    from simulate.studies.verification import sampled_errors, sampled_workload

    if judging(asked.rtol) is None:
        return section(title, set_to, missing(f"Not computed: {unjudged(asked.rtol)}."))
    few, shown = few_arms(study), study.scenario.time_unit
    with progress(sampled_workload(few), "numerical error") as advance:
        judges, errors = sampled_errors(few, progress=advance)
    broken = too_large(errors)
    by = "; ".join(f"{counted(judge.trajectories, 'trajectory')} by {judge.method}" for judge in judges)
    rows = [
        (row.quantity, f"{row.relative:.1e}", f"patient {row.patient}, arm {row.arm}, {time_words(row.day, shown)}")
        for row in sorted(errors, key=lambda row: -row.relative)
    ]
    return section(
        title,
        set_to,
        paragraph(
            f"A sample was solved again at a tolerance of {judges[0].rtol:.0e}: {by}. Promised is at most {LIMIT:g} of "
            f"the value, and for states {PROMISED:g} tolerances."
        ),
        paragraph(
            "; ".join(("What was promised is NOT held", *broken)) + "." if broken else "What was promised is held."
        ),
        table(("quantity", "largest error, share of the value", "where"), rows),
    )


def _failures(manifest: Mapping[str, Any]) -> str:
    counters, rows = manifest.get("counters") or {}, manifest.get("failures") or []
    # Of hypotheses side by side each has counts of its own.
    groups = {f"Trajectories of {name}": own for name, own in counters.items() if isinstance(own, Mapping)}
    counted = groups or ({"Trajectories": counters} if counters else {})
    parts = [
        paragraph(f"{title}: {', '.join(f'{name} {value}' for name, value in own.items())}.")
        for title, own in counted.items()
    ]
    if rows:
        shown = [
            (row.get("arm"), row.get("patient"), row.get("day", row.get("time")), row.get("reason")) for row in rows
        ]
        parts.append(table(("arm", "patient", "day", "reason"), shown[:MOST_ROWS]))
    elif counters.get("n") is not None and counters["n"] == counters.get("n_ok", 0) + counters.get(STOPPED, 0):
        parts.append(paragraph("None failed."))
    return section("Failures", *parts) if parts else section("Failures", missing("The folder does not count them."))


def _versions(directory: Path, manifest: Mapping[str, Any]) -> str:
    versions = table(("program", "version"), sorted(manifest.get("versions", {}).items()))
    words = {"whole": "as written", "changed": "changed since", "missing": "gone"}
    states = states_of_files(directory, dict(manifest))
    rows = [(name, known, words[states[name]]) for name, known in sorted(manifest.get("files", {}).items())]
    return section("Versions and files", versions, table(("file", "hash", "state"), rows))
