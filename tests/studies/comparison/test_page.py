"""The tables of docs/comparing-hypotheses.md, and the numbers of docs/fitting.md, are those of the fits that ship."""

from __future__ import annotations

import math
import re
from pathlib import Path

import pytest

from simulate.studies.fitting.posterior import Posterior, error_by_patients, read_posterior

ROOT = Path(__file__).resolve().parents[3]
COMPARED = (ROOT / "docs" / "comparing-hypotheses.md").read_text(encoding="utf-8").replace("−", "-")
FITTED = " ".join((ROOT / "docs" / "fitting.md").read_text(encoding="utf-8").replace("−", "-").split())
FIRST = " ".join((ROOT / "README.md").read_text(encoding="utf-8").split())
TOLD = (ROOT / "docs" / "hypotheses.md").read_text(encoding="utf-8").replace("−", "-")
HEADINGS = {"abstract": "## What comes out", "synthesis": "## On more than the abstract"}


def fits(evidence: str) -> dict[str, Posterior]:
    """By hypothesis, the likeliest first."""
    found = [read_posterior(file) for file in (ROOT / "parameters" / "fit" / evidence).glob("*.json")]
    return {fit.hypothesis: fit for fit in sorted(found, key=lambda fit: -fit.log_evidence)}


def rows(evidence: str) -> dict[str, list[str]]:
    section = COMPARED.partition(HEADINGS[evidence] + "\n")[2].partition("\n## ")[0]
    table = re.findall(r"^\| (H\S+) \| (.*) \|$", section, re.MULTILINE)
    return {name: [cell.strip() for cell in cells.split("|")] for name, cells in table}


@pytest.mark.parametrize("evidence", sorted(HEADINGS))
def test_the_table_of_comparisons_is_that_of_the_shipped_fits(evidence: str) -> None:
    shipped, printed = fits(evidence), rows(evidence)
    assert len(shipped) == len(printed) == 13
    assert sorted(printed) == sorted(shipped)
    # Hypotheses that tie stand in any order.
    order = [round(shipped[name].log_evidence, 6) for name in printed]
    assert order == sorted(order, reverse=True)
    best, *_ = shipped.values()
    for name, fit in shipped.items():
        *levels, behind = printed[name][:2] if evidence == "abstract" else printed[name]
        level = f"{fit.log_evidence:.2f} ± {fit.errors[0]:.2f} ± {fit.errors[1]:.2f}"
        if evidence == "abstract":
            assert levels == [level], name
        elif name == best.hypothesis:
            assert f"The log-evidence of H1+H6 is {level}" in " ".join(COMPARED.split())
        if name != best.hypothesis:
            apart = best.log_evidence - fit.log_evidence
            error = math.hypot(best.errors[0], fit.errors[0], error_by_patients(best, fit)[0])
            assert behind == f"{apart:.2f} ± {error:.2f}, {math.exp(apart):.1f} : 1", name


def test_the_page_on_fits_has_the_numbers_of_the_shipped_fit() -> None:
    fit = fits("abstract")["H1+H6"]
    sampler, patients, _ = fit.errors
    found = fit.diagnostics
    assert (
        f"log-evidence {fit.log_evidence:.2f} ± {sampler:.2f} (sampler) ± {patients:.2f} (choice of patients), "
        f"R-hat {found.r_hat:.3f}, {found.effective:.0f} effective draws" in FITTED
    )
    low, high = sorted(fit.log_evidence - level for level in found.log_evidences[:-1])
    assert f"With the 32 patients of the particles it is {low:.1f} to {high:.1f} lower" in FITTED


LEARNED = {
    "R_0": "`R_0` ({1:.2f} ng/mL, 90 % {0:.2f} to {2:.2f}; before {4:.2f}, {3:.2f} to {5:.1f})",
    "det1": "`det1` ({1:.3f}, {0:.3f} to {2:.3f}; before {4:.2f}, {3:.3f} to {5:.2f})",
    "spread_det1": "twice that of the tables ({1:.1f}, {0:.1f} to {2:.1f})",
    "det17": "`det17` ({1:.3f}, {0:.3f} to {2:.2f}; before {4:.2f}, {3:.3f} to {5:.2f})",
    "p_unchanged": "unchanged creatine kinase ({1:.2f}, {0:.3f} to {2:.2f}; before {4:.2f}, {3:.3f} to {5:.2f})",
    "y_1": "Th1 priming blockade releases ({1:.2f}, {0:.2f} to {2:.1f}; before {4:.2f}, {3:.2f} to {5:.1f})",
    "noise_staining": "a stained reading ({1:.2f}, {0:.2f} to {2:.2f}; before {4:.2f}, {3:.2f} to {5:.2f})",
}


@pytest.mark.parametrize("name", LEARNED)
def test_what_the_page_on_fits_says_was_learned_is_so(name: str) -> None:
    (part,) = (part for part in fits("abstract")["H1+H6"].estimates if part.name == name)
    assert LEARNED[name].format(*part.posterior, *part.prior) in FITTED


def test_the_page_on_fits_counts_statements_and_free_numbers() -> None:
    counts = {len(fit.estimates) for fit in fits("abstract").values()}
    (statements,) = {len(fit.items) for fit in fits("abstract").values()}
    assert f"These are {statements}, from 3 to 15 patients, for {min(counts)} to {max(counts)} free numbers" in FITTED


def test_the_first_page_says_what_the_fits_say_of_the_hypotheses() -> None:
    best, *others = fits("abstract").values()
    assert "Runs that name none stand on **H1+H6**" in FIRST
    assert "its log-evidence is the highest of the fits that ship" in FIRST
    assert best.hypothesis == "H1+H6"
    assert "all odds are below 3" in FIRST
    assert math.exp(best.log_evidence - others[-1].log_evidence) < 3.0
    assert f"Its log-evidence, {best.log_evidence:.1f}, is the highest" in TOLD


def test_the_page_on_fits_makes_all_fits_anew_that_ship() -> None:
    (names,) = re.findall(r"for hypothesis in ([^;]*); do", FITTED)
    for evidence in HEADINGS:
        assert sorted(names.split()) == sorted(fits(evidence))
