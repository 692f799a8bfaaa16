"""What measurements are expected to tell, as plain values for JSON and CSV."""

from __future__ import annotations

from typing import Any

from simulate.studies.measuring.ranking import GAP, Ranked, Ranking, Step
from simulate.tabular import ResultTable, table_of

NOT_IN_THE_MODEL = (
    "IL-10 of Th17 cells (question 6): the model has no IL-10",
    "IL-1 added to the dish (half of question 5): the model has dishes with IL-1Ra and prednisolone only",
)
"""What the evidence asks for and the model cannot answer."""


def document(ranking: Ranking) -> dict[str, Any]:
    """Everything as plain values."""
    return {
        "hypotheses": [
            {
                "hypothesis": pool.draws.problem.label,
                "draws": len(pool.draws.points),
                "fitted": pool.draws.is_fitted,
            }
            for pool in ranking.pools
        ],
        "patients": ranking.patients,
        "measurements_per_hypothesis": ranking.measurements,
        "entropy": ranking.entropy,
        "measurements": [_row(row) for row in ranking.rows],
        "together": [_step(step) for step in ranking.steps],
        "not_in_the_model": list(NOT_IN_THE_MODEL),
    }


def _row(row: Ranked) -> dict[str, Any]:
    measurement, gain = row.measurement, row.gain
    return {
        "rank": row.rank,
        "measurement": measurement.name,
        "title": measurement.title,
        "answers": measurement.answers,
        "n": measurement.n,
        "cost": measurement.cost,
        "cost_source": measurement.cost_source,
        "cost_grade": measurement.cost_grade,
        "between": gain.between,
        "error": gain.error,
        "with_own_draw": gain.with_own,
        "classifier_bound": row.bound,
        "estimates_differ": row.gap > GAP,
        "within": gain.within,
        "per_cost": row.per_cost,
        "effective_draws": gain.effective,
        "is_sparse": gain.is_sparse,
        "decided": row.decided,
        "decided_low": row.decided_interval[0],
        "decided_high": row.decided_interval[1],
        "misled_3": row.misled_3,
        "misled_3_low": row.misled_3_interval[0],
        "misled_3_high": row.misled_3_interval[1],
        "misled_10": row.misled_10,
        "misled_10_low": row.misled_10_interval[0],
        "misled_10_high": row.misled_10_interval[1],
        "n_needed": row.n_needed,
        "n_is_sparse": row.n_is_sparse,
    }


def _step(step: Step) -> dict[str, Any]:
    return {
        "measurement": step.measurement.name,
        "between": step.gain.between,
        "added": step.added,
        "error": step.error,
        "cost": step.cost,
        "is_sparse": step.gain.is_sparse,
    }


def tables(ranking: Ranking) -> dict[str, ResultTable]:
    """Tables by name: single measurements."""
    return {"design": table_of([_row(row) for row in ranking.rows])}
