"""The opening of a report: question, answer and caveats."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opening:
    """Question, answer and caveats of a run."""

    question: str  #: What was asked
    sentences: tuple[str, ...]  #: What came out, the most important first
    caveats: tuple[str, ...] = ()  #: What a reader must know before believing it
