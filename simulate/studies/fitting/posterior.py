"""The result of a fit: what is known, how well, and what it was made of; a JSON file."""

from __future__ import annotations

import dataclasses
import json
import math
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from simulate import shipped
from simulate.errors import InputError, Where, counted, did_you_mean, listed
from simulate.filekinds import refuse_content
from simulate.files import parse_json, read_bytes, write_atomically
from simulate.inputs import is_there
from simulate.streams import FloatArray
from simulate.studies.fitting.priors import Free, Role
from simulate.studies.scenario import FITS_BY_WORD, named_fit

FORMAT = 1

NOT_KNOWN = "not known"
"""Verdict on a number where too few draws count to say what was learned of it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """The sizes of a fit; every number decides the result."""

    #: Particles of a run of the sampler, and runs from different seeds.
    particles: int = 200
    runs: int = 2
    patients: int = 32  #: Virtual patients of a point while sampling
    #: Draws of a round of the final importance sampling, which are guessed, and of which `simulate.inference.polish`
    #: solves a third of a round; and virtual patients of each.
    draws: int = 2048
    final_patients: int = 128
    kept: int = 256  #: Draws that the result keeps
    seed: int = 1  #: Key of all random numbers of the samplers
    places: int = 1  #: Key of the places of the patients, the same under all hypotheses


@dataclass(frozen=True, slots=True)
class Estimate:
    """The posterior of one number, summed up."""

    #: As in `Free`.
    name: str
    meaning: str
    unit: str
    role: str
    #: Quantiles at 5, 50 and 95 %.
    prior: tuple[float, float, float]
    posterior: tuple[float, float, float]
    contraction: float  #: 1 - variance after / variance before, on the standard normal scale of the prior
    overlap: float  #: Area that prior and posterior have in common, from 0 to 1
    #: "prior" where the data say nothing, "weakly informed" or "informed"; `NOT_KNOWN` where too few draws count.
    verdict: str


@dataclass(frozen=True, slots=True)
class Diagnostics:
    """Whether the draws can be trusted."""

    #: Largest rank-normalized R-hat over the coordinates, the runs taken as chains; None for a single run.
    r_hat: float | None
    effective: float  #: Effective sample size of the final draws
    tail: float  #: Pareto shape of their weights
    log_evidences: tuple[float, ...]  #: Log-evidence of each run, and last of the final draws
    unresolved: float  #: Share of the points asked that could not be solved
    refused: float  #: Mean share of patients without a steady baseline among the kept draws
    informed_directions: int  #: Directions in which the data say more than the prior
    #: Temperature, effective sample size, moves and acceptance of each step of the first run.
    stages: tuple[tuple[float, float, int, float], ...]
    #: Best log-likelihood found, and number of different points near it.
    optimum: float
    distinct: int
    warnings: tuple[str, ...]  #: What a reader must know before believing anything

    @property
    def weakness(self) -> str:
        """Why nothing can be concluded from the draws; empty where something can."""
        from simulate.inference.polish import FEWEST, WORST_TAIL, are_too_few

        if not are_too_few(self.effective, self.tail):
            return ""
        return (
            f"nothing can be concluded from this fit: {counted(round(self.effective), 'effective draw')}, "
            f"tail {self.tail:.2f}, and {FEWEST:.0f} and a tail below {WORST_TAIL:g} are needed"
        )


@dataclass(frozen=True, slots=True, eq=False)
class Support:
    """Numbers that a comparison with other hypotheses needs beside the draws."""

    feasible: float  #: Share of the normal prior that is feasible
    sets: FloatArray  #: Change of the log-evidence with other sets of places, the same for all hypotheses, shape [set]
    set_items: FloatArray  #: Change of the mean log-likelihood of each item with these sets, shape [set, item]
    share_errors: FloatArray  #: Standard errors of the shares of the items, shape [item]
    readings: tuple[FloatArray, ...]  #: Log-likelihood of each reading alone, for each item an array [draw, reading]
    #: Item, figure and posterior predictive tail probability of each figure that is fitted.
    tails: tuple[tuple[str, str, float], ...]

    def as_dict(self) -> dict[str, Any]:
        plain = {name: getattr(self, name).tolist() for name in ("sets", "set_items", "share_errors")}
        readings = [np.round(columns.T, 3).tolist() for columns in self.readings]
        return {"feasible": self.feasible, **plain, "readings": readings, "tails": self.tails}


def _support(data: dict[str, Any], items: int) -> Support:
    found = Support(
        feasible=float(data["feasible"]),
        sets=np.array(data["sets"], dtype=np.float64),
        set_items=np.array(data["set_items"], dtype=np.float64),
        share_errors=np.array(data["share_errors"], dtype=np.float64),
        readings=tuple(np.array(columns, dtype=np.float64).T for columns in data["readings"]),
        tails=tuple((str(item), str(figure), float(tail)) for item, figure, tail in data["tails"]),
    )
    if len(found.readings) != items or found.set_items.shape != (len(found.sets), items):
        raise ValueError(f"support of {len(found.readings)} items for {items}")
    return found


@dataclass(frozen=True, slots=True)
class FittedPatient:
    """The precision of a patient's likelihood."""

    name: str  #: ID
    observations: int  #: Readings of the patient
    effective: float  #: Effective number of virtual patients at the best point
    least_effective: float  #: That which 19 of 20 draws of the posterior exceed


@dataclass(frozen=True, slots=True)
class Individuals:
    """Numbers that a fit to individual data keeps beside its draws."""

    model: str  #: Content hash of the model: where it is another, the draws mean nothing
    #: Where virtual patients stood: as patients are drawn, ``prior``, or about the ``mode`` of each real one.
    average: str
    free: tuple[Free, ...]  #: What a point says, coordinate by coordinate
    best: tuple[float, ...]  #: The best point
    patients: tuple[FittedPatient, ...]  #: Patient by patient
    #: Routes by which they were given something, the only ones of the model in its hash; None in results that were made
    #: before they were kept, whose hash has all.
    routes: tuple[str, ...] | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            "model": self.model,
            **({} if self.routes is None else {"routes": list(self.routes)}),
            "average": self.average,
            "free": [{**dataclasses.asdict(part), "role": part.role.value} for part in self.free],
            "best": list(self.best),
            "best_values": {
                part.name: float(part.values(np.array(place))) for part, place in zip(self.free, self.best, strict=True)
            },
            "patients": [dataclasses.asdict(patient) for patient in self.patients],
        }


def _individuals(data: dict[str, Any]) -> Individuals:
    return Individuals(
        model=str(data["model"]),
        average=str(data["average"]),
        free=tuple(Free(**_frozen(row) | {"role": Role(row["role"])}) for row in data["free"]),
        best=tuple(float(place) for place in data["best"]),
        patients=tuple(FittedPatient(**row) for row in data["patients"]),
        routes=tuple(map(str, data["routes"])) if "routes" in data else None,
    )


@dataclass(frozen=True, slots=True, eq=False)
class Posterior:
    """The result of a fit."""

    hypothesis: str  #: As the user named it
    key: str  #: Content hash of the problem and the settings that made it
    #: What was asked, what is known, and whether to believe it.
    settings: Settings
    estimates: tuple[Estimate, ...]
    diagnostics: Diagnostics
    log_evidence: float  #: Logarithm of the mean likelihood over the prior
    #: Its standard errors: of the sampler, of the finite number of patients, of the solver.
    errors: tuple[float, float, float]
    points: FloatArray  #: Draws, equally likely, shape [draw, coordinate], on the standard normal scale of the prior
    items: tuple[str, ...]  #: Names of the data
    log_likelihoods: FloatArray  #: Shape [draw, item]
    shares: FloatArray  #: Contribution of each item to the log-evidence, shape [item]
    support: Support | None = None  #: What a comparison needs beside; None in results that were made before it was kept
    evidence: str = ""  #: Name of the evidence that it stands on; empty in results that were made before it was kept
    individuals: Individuals | None = None  #: What is kept of a fit to individual data; None in other fits

    @property
    def told(self) -> tuple[Estimate, ...]:
        """The estimates as they may be told: without a verdict where too few draws count."""
        if not self.diagnostics.weakness:
            return self.estimates
        return tuple(dataclasses.replace(row, verdict=NOT_KNOWN) for row in self.estimates)

    def as_dict(self) -> dict[str, Any]:
        return {
            "program": "il1sim",
            "format": FORMAT,
            "hypothesis": self.hypothesis,
            "evidence": self.evidence,
            "key": self.key,
            "settings": dataclasses.asdict(self.settings),
            "log_evidence": self.log_evidence,
            "errors": dict(zip(("sampler", "patients", "solver"), self.errors, strict=True)),
            "estimates": [dataclasses.asdict(row) for row in self.estimates],
            "diagnostics": dataclasses.asdict(self.diagnostics),
            "items": [
                {"item": name, "share": float(share), "log_likelihoods": np.round(column, 4).tolist()}
                for name, share, column in zip(self.items, self.shares, self.log_likelihoods.T, strict=True)
            ],
            "points": self.points.tolist(),
            **({} if self.support is None else {"support": self.support.as_dict()}),
            **({} if self.individuals is None else {"individuals": self.individuals.as_dict()}),
        }


def _frozen(row: Any) -> Any:
    """What JSON has, with tuples for lists."""
    if isinstance(row, dict):
        return {name: _frozen(value) for name, value in row.items()}
    return tuple(map(_frozen, row)) if isinstance(row, list) else row


def same_patients(a: Posterior, b: Posterior) -> bool:
    """Whether two fits have the same virtual patients."""
    return (a.settings.places, a.settings.final_patients) == (b.settings.places, b.settings.final_patients)


def error_by_patients(a: Posterior, b: Posterior) -> tuple[float, bool]:
    """Error of a difference of log-evidences by the choice of patients, and whether on the same patients."""
    if a.support is None or b.support is None or not same_patients(a, b):
        return math.hypot(a.errors[1], b.errors[1]), False
    return float(np.std([0.0, *(a.support.sets - b.support.sets)], ddof=1)), True


def write_posterior(path: Path, posterior: Posterior) -> None:
    """Write the result of a fit; the file is whole at any moment."""
    write_atomically(path, posterior_text(posterior))


def posterior_text(posterior: Posterior) -> str:
    """Content of the file of a fit."""
    text = json.dumps(posterior.as_dict(), indent=1, ensure_ascii=False, allow_nan=False)
    # A list of numbers on one line: the file is read by people as well.
    return re.sub(r"\[\s+([-0-9.eE,\s]+?)\s+\]", lambda found: "[" + " ".join(found[1].split()) + "]", text) + "\n"


def read_posterior(path: Path | str) -> Posterior:
    """Result of a fit from its file, or from the folder that has it."""
    if str(path) in FITS_BY_WORD and not is_there(Path(path)):
        raise InputError(
            f"`{path}` is no result of a fit",
            code="scenario.fit",
            expected="the result of `simulate fit`: a fit.json, or its folder",
            advice="leave it out where the shipped fit is meant",
        )
    path = named_fit(Path(path))
    where = Where(file=str(path))
    raw = read_bytes(Path(path), str(path))
    refuse_content(raw, "JSON", str(path))
    try:
        data = parse_json(raw)
        if data["program"] != "il1sim" or data["format"] != FORMAT:
            raise ValueError(f"format {data['format']!r}")
        items = data["items"]
        errors = data["errors"]
        posterior = Posterior(
            hypothesis=str(data["hypothesis"]),
            evidence=str(data.get("evidence", "")),
            key=str(data["key"]),
            settings=Settings(**data["settings"]),
            estimates=tuple(Estimate(**_frozen(row)) for row in data["estimates"]),
            diagnostics=Diagnostics(**_frozen(data["diagnostics"])),
            log_evidence=float(data["log_evidence"]),
            errors=(float(errors["sampler"]), float(errors["patients"]), float(errors["solver"])),
            points=np.array(data["points"], dtype=np.float64),
            items=tuple(str(row["item"]) for row in items),
            log_likelihoods=np.array([row["log_likelihoods"] for row in items], dtype=np.float64).T,
            shares=np.array([row["share"] for row in items], dtype=np.float64),
            support=_support(data["support"], len(items)) if "support" in data else None,
            individuals=_individuals(data["individuals"]) if "individuals" in data else None,
        )
        if posterior.points.ndim != 2 or posterior.points.shape[1] != len(posterior.estimates):
            raise ValueError(f"draws of shape {posterior.points.shape} for {len(posterior.estimates)} numbers")
    except (ValueError, KeyError, TypeError, UnicodeDecodeError, RecursionError) as error:
        raise InputError(
            "the file is not the result of a fit, or is damaged",
            code="fit.file",
            where=where,
            found=(f"no key {error}" if isinstance(error, KeyError) else f"{type(error).__name__}: {error}")[:100],
            expected="`fit.json` as `simulate fit` writes it",
            advice="name the `fit.json` of a fit; if this is one, fit again",
        ) from error
    return posterior


def shipped_posterior(hypothesis: str, evidence: str = "abstract") -> Posterior:
    """Shipped result of the fit of a hypothesis to a set of evidence."""
    files = {name.casefold(): path for name, path in shipped.fit_files(evidence).items()}
    if hypothesis.casefold() not in files:
        names = list(shipped.fit_files(evidence))
        to = "" if evidence == "abstract" else f" to `{evidence}`"
        asked = "" if evidence == "abstract" else f" --evidence {evidence}"
        raise InputError(
            f"no fit of `{hypothesis}`{to} ships with the program",
            code="fit.missing",
            expected=listed(names) or None,
            advice=did_you_mean(hypothesis, names) or f"make one: `simulate fit --hypothesis {hypothesis}{asked}`",
        )
    return read_posterior(files[hypothesis.casefold()])


def named(hypothesis: str | None, posterior: Posterior | None, default: str) -> str:
    """Hypothesis that is meant: that of a fit, the one that is named, or else the usual one."""
    if posterior is None:
        return hypothesis or default
    if hypothesis not in (None, posterior.hypothesis):
        raise InputError(
            f"the fit is of `{posterior.hypothesis}`, not of `{hypothesis}`",
            code="fit.hypothesis",
            expected="a fit of the hypothesis that is named",
            advice="leave `--hypothesis` out, or choose another fit",
        )
    return posterior.hypothesis
