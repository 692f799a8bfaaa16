"""Openings of the reports of runs, of runs side by side, of dose-response studies, and of fits of PEtab problems."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from simulate.arrays import LabeledArrays
from simulate.errors import counted
from simulate.results.changes import RULE, ChangeRow, banded, between_draws, judged, said_of_draws, signed
from simulate.results.opening import Opening
from simulate.results.shown import named
from simulate.results.tables import dose_text, rounded
from simulate.studies.datasets import STOPPED
from simulate.studies.paired import ALL, ENDPOINTS, percent_of
from simulate.studies.scenario import REFERENCE

if TYPE_CHECKING:
    from simulate.studies.petab.fitting import PetabFit
    from simulate.studies.petab.outcomes import ProblemPosterior, ProblemProfiles
    from simulate.studies.runs import Study
    from simulate.studies.side_by_side import SideBySide

_MOST = 4
"""Quantities that the answer of a run tells of."""

_MOST_AT_THE_END = 2
"""Those that it tells of at the end as well, where nothing was reported of that."""

_NOT_TOLD_APART = (
    "All of it is so if the hypothesis is true, and what was reported cannot tell the hypotheses that were fitted "
    "to it apart (simulate compare)."
)

_TYPICAL = "Parameters are at their typical values: what is not known of them, which a fit would add, is in no number."

_PATIENTS_ALONE = (
    "Parameters are at their typical values: bands are how patients differ; what is not known, which a fit would add, "
    "is not in them."
)


def if_true(*models: tuple[object, object]) -> list[str]:
    """What holds of everything that is said under one of the hypotheses of the reference model.

    ``models`` are names of models with the hypothesis of each; nothing is said of other models.
    """
    known = any(name == REFERENCE and hypothesis != "none" for name, hypothesis in models)
    return [_NOT_TOLD_APART] if known else []


def of_run(study: Study, rows: Sequence[ChangeRow], failed: int) -> Opening:
    """Of a run: what changed, first what was reported, at the last visit of which something was, and at the end."""
    own = [row for row in rows if row.group == ALL and not row.less]
    days = {row.visit: row.day for row in own}
    visits = sorted(days, key=days.__getitem__)
    reported = [row.visit for row in own if row.reported]
    visit = max(reported, key=visits.index) if reported else visits[-1] if visits else ""
    first = {name: place for place, name in enumerate(ENDPOINTS)}
    shown = [row for row in own if row.visit == visit]
    seen = {row.quantity for row in shown if row.reported}
    shown.sort(key=lambda row: (row.quantity not in seen, first.get(row.quantity, len(first))))
    names = list(dict.fromkeys(row.quantity for row in shown))[:_MOST]
    told = [(visit, name) for name in names]
    if visits and visits[-1] != visit:
        told += [(visits[-1], name) for name in names if name in seen][:_MOST_AT_THE_END]
    found = [[row for row in own if (row.visit, row.quantity) == place] for place in told]
    sentences = [_changed(rows[0]) if len(study.arms) == 1 else _changed_in_arms(rows) for rows in found if rows]
    caveats = [
        *_people(study),
        *([] if study.draws is None else as_sentences([said_of_draws(rows, study.scenario.patients)])),
        *if_true((study.model.name, study.hypothesis)),
        *as_sentences(study.assumptions),
        *([f"{RULE[0].upper()}{RULE[1:]}."] if reported else []),
    ]
    if failed:
        caveats.append(
            f"{counted(failed, 'trajectory')} did not reach the end, and {'is' if failed == 1 else 'are'} in no number."
        )
    return Opening(study.scenario.question or study.scenario.title, tuple(sentences), tuple(caveats))


def as_sentences(texts: Sequence[str]) -> list[str]:
    """Texts with a capital and a stop."""
    return [f"{text[0].upper()}{text[1:]}." for text in texts]


def _changed(row: ChangeRow) -> str:
    draws = f"; between draws {between_draws(row)}" if row.median_low is not None else ""
    went = f"; rises in {percent_of(row.up)} %, falls in {percent_of(row.down)} % of patients"
    if row.up is None or row.p5 == row.p95:
        went = ""
    told = f"change {banded(row)} %" if row.unit == "%" else f"difference {banded(row)} {row.unit}".removesuffix(" 1")
    return f"{named(row)} at {row.visit}: {told}{draws}{went}{_reported(row)}."


def _changed_in_arms(rows: Sequence[ChangeRow]) -> str:
    """Of a quantity, arm by arm."""
    first = rows[0]
    what, whose = "median change", " (5 to 95 % of the patients)"
    if first.median_low is not None:
        whose = " (where 90 % of the draws have it)"
    elif all(row.p5 == row.p95 for row in rows):
        what, whose = "change", ""
    arms = [
        f"{row.arm} {banded(row) if row.median_low is None else f'{signed(row.median, row.unit)} {between_draws(row)}'}"
        f"{_reported(row).replace(';', ',', 1)}"
        for row in rows
    ]
    if first.unit != "%":
        what = what.replace("change", "difference")
    unit = "" if first.unit == "1" else f" in {first.unit}"
    return f"{named(first)} at {first.visit}: {what}{unit}{whose}: {'; '.join(arms)}."


def _reported(row: ChangeRow) -> str:
    return f"; reported: {' '.join(judged(row).split())}" if row.reported else ""


def _people(study: Study) -> list[str]:
    number = study.scenario.patients
    # Models of other programs have no hypotheses.
    has_hypothesis = study.scenario.model is None or study.hypothesis != "none"
    people = f"{f'Hypothesis {study.hypothesis}; ' if has_hypothesis else ''}{counted(number, 'patient')}"
    if study.draws is None:
        return [f"{people}.", _TYPICAL if number == 1 else _PATIENTS_ALONE]
    return [f"{people} in each of {study.draws.origin}."]


def of_side_by_side(
    studies: Sequence[Study], found: Sequence[SideBySide], counters: Mapping[str, Mapping[str, int]]
) -> Opening:
    """Of hypotheses or fits side by side: in whom each gives both reported signs, and the median changes.

    Of ``counters`` by name come those who did not reach the end.
    """
    from simulate.studies.side_by_side import BOTH

    sentences = []
    for one in found:
        both = one.both.get(ALL)
        told = "" if both is None else f"{BOTH[0]} rises and {BOTH[1]} falls in {percent_of(both)} % of the patients; "
        medians = ", ".join(f"{part.quantity} {rounded(part.changed.median)} {part.unit}" for part in one.endpoints)
        sentences.append(f"{one.name or one.hypothesis}, {one.arm}, day {one.day:g}: {told}median changes {medians}.")
    asked = studies[0].scenario
    caveats = dict.fromkeys(text for study in studies for text in (*_people(study), *as_sentences(study.assumptions)))
    apart = if_true(*((study.model.name, study.hypothesis) for study in studies))
    lost = [f"{name}: {text}." for name, counts in counters.items() if (text := uncounted(counts))]
    return Opening(asked.question or asked.title, tuple(sentences), (*caveats, *apart, *lost))


def uncounted(counters: Mapping[str, int]) -> str:
    """That some did not reach the end, as a sentence without its stop; empty where all did."""
    total, finished = counters["n"], counters.get("n_ok", 0) + counters.get(STOPPED, 0)
    lost = total - finished
    of = f"{lost} of {counted(total, 'trajectory')}"
    return f"{of} did not reach the end, and {'is' if lost == 1 else 'are'} in no number" if lost > 0 else ""


def of_doses(datasets: Sequence[LabeledArrays]) -> Opening:
    """Of a dose-response study: of each curve the ED50, or why there is none, and the other doses that were asked."""
    from simulate.studies.dose_response.emax import CurveVerdict
    from simulate.studies.dose_response.tables import (
        assumptions,
        curve_rows,
        names_of,
        people_text,
        share_rows,
        weak_fits,
    )

    sentences, unit = [], str(datasets[0]["dose"].attrs.get("units", ""))
    highest = float(datasets[0]["dose"].max())
    for name, one in zip(names_of(datasets), datasets, strict=True):
        titles = dict(zip(one["endpoint"].values.tolist(), one["endpoint_title"].values.tolist(), strict=True))
        shares = share_rows(one)
        for row in curve_rows(one):
            if row.parameter != "ed50":
                continue
            at = "" if row.second is None else f" at {one.attrs['second']} {row.second:.4g}"
            ends = "" if row.low is None else f" ({rounded(row.low)} to {rounded(row.high)})"
            is_known = row.verdict == CurveVerdict.IDENTIFIED.value
            found = [f"ED50 {rounded(row.estimate)} {unit}{ends}" if is_known else row.verdict]
            found += [
                f"ED{100.0 * share.share:g} {dose_text(share.dose, share.low, share.high, unit, highest)}"
                for share in shares
                if (share.endpoint, share.second) == (row.endpoint, row.second)
            ]
            sentences.append(f"{name}, {titles[row.endpoint]}{at}: {'; '.join(found)}.")
    caveats = [f"Means of {people_text(datasets)}; intervals are 95 %."]
    caveats += if_true(*((one.attrs.get("model"), one.attrs["hypothesis"]) for one in datasets))
    caveats += as_sentences(assumptions(datasets))
    caveats += [f"{text}." for text in weak_fits(datasets)]
    if any("draw" not in one.coords for one in datasets):
        caveats.append(_PATIENTS_ALONE)
    endpoints = list(dict.fromkeys(title for one in datasets for title in one["endpoint_title"].values.tolist()))
    do = "does" if len(endpoints) == 1 else "do"
    return Opening(f"How {do} {' and '.join(endpoints)} depend on the dose?", tuple(sentences), tuple(caveats))


def opening_of(entries: Mapping[str, object]) -> Opening | None:
    """Opening that a manifest has, as far as it is one: a stranger may have written it."""
    told = entries.get("answer")
    if not isinstance(told, Mapping):
        return None
    parts = {name: told.get(name) for name in ("sentences", "caveats")}
    texts = {name: tuple(map(str, part)) if isinstance(part, list) else () for name, part in parts.items()}
    return Opening(str(told.get("question") or ""), texts["sentences"], texts["caveats"])


def of_problem(name: str, found: PetabFit) -> Opening:
    """Of the fit of an estimation problem: the likelihood, how many starts agree, and what is not determined."""
    from simulate.studies.petab.fitting import NEAR  # with its solver and searches, which only such a fit needs

    told = ", ".join(f"{row.name} {row.value:.3g}" for row in found.parameters[:_MOST])
    rest = len(found.parameters) - _MOST
    nominal = found.nominal_log_likelihood
    caveats = []
    if edge := [row.name for row in found.parameters if row.at]:
        caveats.append(f"At a bound: {', '.join(edge)}.")
    if all(row.error is None for row in found.parameters):
        caveats.append("The measurements do not determine all parameters: there are no standard errors.")
    if found.elsewhere:
        caveats.append(
            f"{found.elsewhere} of the {found.reached} starts that ended there did so at other values of the "
            "parameters: the measurements do not tell which are right, and the table of starts has all."
        )
    if differences := found.differences + (0 if found.profiles is None else found.profiles.differences):
        caveats.append(
            f"At {counted(differences, 'point')} of the search a derivative does not exist, as a "
            "switch is only grazed or two things happen at one time: there it is a central difference."
        )
    if found.reached < 2:
        caveats.append("Only one start ended there: another may end higher.")
    return Opening(
        f"What do the measurements of {name} say of its parameters?",
        (
            f"The greatest log-likelihood found is {found.log_likelihood:.4f}"
            + ("." if nominal is None else f"; at the nominal values it is {nominal:.4f}."),
            f"{found.reached} of {counted(len(found.starts), 'start')} ended within {NEAR:g} of it.",
            f"Estimates: {told}{f', and {rest} more' if rest > 0 else ''}.",
            *_profiled(found.profiles),
            *_sampled(found.posterior),
        ),
        (*caveats, *_caveats(found)),
    )


def _profiled(found: ProblemProfiles | None) -> Iterator[str]:
    """Which parameters profiles hold, and which they do not."""
    if found is None:
        return
    words = {
        "bounded": "both ends within the bounds: {}",
        "split": "in several intervals: {}",
        "one-sided": "open to one side: {}",
        "flat": "open to both sides, so not identifiable: {}",
    }
    named = [
        words[verdict].format(", ".join(own))
        for verdict in words
        if (own := [row.name for row in found.parameters if row.verdict == verdict])
    ]
    yield f"Profiles: {'; '.join(named)}."


def _sampled(found: ProblemPosterior | None) -> Iterator[str]:
    """What the draws say, or that they say nothing."""
    if found is None:
        return
    if not found.is_told:
        yield (
            f"The posterior is not told: {counted(round(found.effective), 'effective draw')}, tail of their weights "
            f"{found.tail:.2f}. More particles and draws."
        )
        return
    chains = "one run" if found.r_hat is None else f"R-hat {found.r_hat:.3f}"
    yield (
        f"Log-evidence {found.log_evidence:.2f} ± {found.error:.2f}; {chains}, "
        f"{counted(round(found.effective), 'effective draw')}, "
        f"tail {found.tail:.2f}."
    )


def _caveats(found: PetabFit) -> Iterator[str]:
    profiles, posterior = found.profiles, found.posterior
    if profiles is not None:
        if profiles.gained:
            yield (
                f"A profile came upon a point that is better than the best start by {profiles.gained:.3g}, and the "
                "profiles are of that one: more starts."
            )
        if lost := [row.name for row in profiles.parameters if row.lost]:
            yield f"Profiles that could not be followed to a bound: {', '.join(lost)}."
        yield (
            "Profiles are found by descents from what was found before: an interval may be too narrow, and too wide "
            "only if there is a better point than the best one found."
        )
    if posterior is not None:
        yield from (f"Posterior: {text}." for text in posterior.warnings if posterior.is_told)
        if posterior.impossible > 0.0:
            share = percent_of(posterior.impossible)
            yield f"In {share} % of the prior the model cannot be solved: that counts as impossible."
