"""A comparison as plain values and as tables for a spreadsheet."""

from __future__ import annotations

import dataclasses
from typing import Any

from simulate.studies.comparison.comparison import Comparison
from simulate.studies.fitting.named_evidence import evidence_name, not_used
from simulate.tabular import ResultTable, finite


def document(comparison: Comparison) -> dict[str, Any]:
    """Everything as plain values, for JSON."""
    matrix = comparison.matrix
    rows = []
    for index, fit in enumerate(comparison.fits):
        posterior = fit.posterior
        tail = comparison.worst_tail(fit.name)
        rows.append(
            {
                "hypothesis": fit.name,
                "fit": fit.source,
                "key": posterior.key,
                "log_evidence": posterior.log_evidence,
                "errors": dict(zip(("sampler", "patients", "solver"), posterior.errors, strict=True)),
                "prior": float(comparison.prior[index]),
                "probability": float(comparison.probabilities[index]),
                "worst_tail": None if tail is None else dict(zip(("item", "figure", "tail"), tail, strict=True)),
                "remainder": float(matrix.remainders[index]),
                "warnings": list(posterior.diagnostics.warnings),
            }
        )
    return {
        "evidence": evidence_name(comparison.fits[0].problem),
        "not_used": [dataclasses.asdict(part) for part in not_used(comparison.fits[0].problem)],
        "hypotheses": rows,
        "verdict": comparison.verdict,
        "sentence": comparison.sentence,
        "pairs": [dataclasses.asdict(pair) | {"error": pair.error} for pair in comparison.pairs],
        "matrix": {
            "reference": matrix.reference,
            "items": [
                {
                    "item": item,
                    "entries": dict(zip(comparison.names, matrix.entries[row].tolist(), strict=True)),
                    "errors": dict(zip(comparison.names, map(finite, matrix.errors[row].tolist()), strict=True)),
                    "left_out": dict(zip(comparison.names, matrix.left_out[row].tolist(), strict=True)),
                }
                for row, item in enumerate(matrix.items)
            ],
        },
        "variants": [
            {
                "variant": variant.name,
                "sort": variant.sort.value,
                "changes": dict(zip(comparison.names, (finite(part.value) for part in row), strict=True)),
                "tails": dict(zip(comparison.names, (finite(part.tail) for part in row), strict=True)),
            }
            for variant, row in zip(comparison.variants, comparison.changes, strict=True)
        ],
    }


def tables(comparison: Comparison) -> dict[str, ResultTable]:
    """Tables by name: hypotheses, matrix and variants."""
    found = document(comparison)
    names = comparison.names
    hypotheses = tuple(
        (
            row["hypothesis"], row["log_evidence"], row["errors"]["sampler"], row["errors"]["patients"], row["prior"],
            row["probability"],
        )
        for row in found["hypotheses"]
    )  # fmt: skip
    matrix = tuple(
        (row["item"], name, row["entries"][name], row["errors"][name], row["left_out"][name])
        for row in found["matrix"]["items"]
        for name in names
    )
    variants = tuple(
        (row["sort"], row["variant"], name, row["changes"][name], row["tails"][name])
        for row in found["variants"]
        for name in names
    )
    return {
        "hypotheses": ResultTable(
            ("hypothesis", "log_evidence", "error_sampler", "error_patients", "prior", "probability"), hypotheses
        ),
        "matrix": ResultTable(("item", "hypothesis", "entry", "error", "left_out"), matrix),
        "variants": ResultTable(("sort", "variant", "hypothesis", "change", "tail"), variants),
    }
