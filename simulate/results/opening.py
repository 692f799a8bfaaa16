"""What a run was asked and what it answers, in sentences: the opening of its report."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Opening:
    """Question, answer and caveats of a run.

    ``question``: what was asked; ``sentences``: what came out, the most important first; ``caveats``: what a reader
    must know before believing it.
    """

    question: str
    sentences: tuple[str, ...]
    caveats: tuple[str, ...] = ()
