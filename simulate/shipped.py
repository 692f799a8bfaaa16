"""Where the curated data lie: `simulate/_parameters` in a wheel, `parameters` beside the package in a checkout.

The pages of the documentation are beside them. No other module knows these places.
"""

from __future__ import annotations

import functools
from pathlib import Path

DEFAULT_HYPOTHESIS = "H1+H6"
"""Hypothesis that is meant where none is named: that of the trial's own authors."""


@functools.cache
def root() -> Path:
    """Folder of the shipped data."""
    package = Path(__file__).resolve().parent
    packaged = package / "_parameters"
    return packaged if packaged.is_dir() else package.parent / "parameters"


def pages_folder() -> Path:
    """Folder of the pages of the documentation."""
    package = Path(__file__).resolve().parent
    packaged = package / "_pages" / "docs"
    return packaged if packaged.is_dir() else package.parent / "docs"


def parameter_files() -> tuple[Path, ...]:
    """Tables of model parameters, sorted by name; `sources_file` and `cohort_file` have formats of their own."""
    others = {sources_file(), cohort_file()}
    return tuple(path for path in sorted(root().glob("*.toml")) if path not in others)


def sources_file() -> Path:
    """Every reference once."""
    return root() / "sources.toml"


def cohort_file() -> Path:
    """Correlations, covariates and strata of patients."""
    return root() / "cohort.toml"


def population_files() -> dict[str, Path]:
    """Shipped populations other than the patients of `cohort_file`, name → file, sorted by name."""
    return _by_stem("populations")


def parameterization_files() -> dict[str, Path]:
    """Published pharmacokinetic parameters in place of the model's own, name → file, sorted by name."""
    return _by_stem("pharmacokinetics")


def trial_files() -> dict[str, Path]:
    """Shipped trials: how they treated, looked and read; name → file, sorted by name."""
    return _by_stem("trials")


def observation_files() -> dict[str, Path]:
    """Shipped files of evidence, name → file, sorted by name."""
    return {name: path for name, path in _by_stem("observations").items() if name not in ("doubt", "sets")}


def evidence_sets_file() -> Path:
    """Named sets of evidence, and what they do not use."""
    return root() / "observations" / "sets.toml"


def priors_file() -> Path:
    """What a fit adds to the tables of parameters."""
    return root() / "fit" / "priors.toml"


def fit_files(evidence: str = "abstract") -> dict[str, Path]:
    """Shipped results of fits to a set of evidence, hypothesis → file, sorted by name; none for a set without any."""
    folder = root() / "fit" / evidence
    return {path.stem: path for path in sorted(folder.glob("*.json"))} if evidence.isidentifier() else {}


def measurement_files() -> dict[str, Path]:
    """Shipped measurements that could be made, name → file, sorted by name."""
    return _by_stem("measurements")


def annotations_file() -> Path:
    """What the parts of the reference model are in the identifiers of others, beside its files in SBML."""
    return root() / "sbml" / "annotations.toml"


def template_files() -> dict[str, Path]:
    """Commented files to begin with, kind → file, sorted by kind."""
    return _by_stem("templates")


def scenario_files() -> dict[str, Path]:
    """Shipped scenarios, name → file, sorted by name."""
    return {path.stem: path for path in sorted((root() / "scenarios").glob("*.toml"))}


def _by_stem(folder: str) -> dict[str, Path]:
    """TOML files of a folder of shipped data by name, sorted; none where there is no such folder."""
    return {path.stem: path for path in sorted((root() / folder).glob("*.toml"))}
