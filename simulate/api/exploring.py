"""A scenario as an interactive page: one HTML file with sliders for doses and parameters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from simulate.api.arguments import Settings, laid_over, refuse_same_names, refuse_twice
from simulate.api.verb import worded
from simulate.inputs import noting

__all__ = ["Explorer", "explore"]


@dataclass(frozen=True, slots=True)
class Explorer:
    """A page that computes in the browser; a notebook shows it where it is the value of a cell.

    Attributes
    ----------
    html
        The document, which loads nothing.
    path
        The file it was written to; None if it was not.
    assumptions
        What the page assumes without evidence, in sentences.
    """

    html: str
    path: Path | None = None
    assumptions: tuple[str, ...] = ()

    def _repr_html_(self) -> str:
        """The page in a frame of its own, for notebooks."""
        from simulate.results.html import escaped

        style = "width:100%;height:52rem;border:1px solid #8c8c8c"
        return f'<iframe title="Explorer of a scenario" style="{style}" srcdoc="{escaped(self.html)}"></iframe>'

    def __repr__(self) -> str:
        place = "not written" if self.path is None else str(self.path)
        return f"Explorer({place}, {len(self.html.encode()) / 1e6:.1f} MB)"


@worded
def explore(
    scenario: str | Path = "anakinra-100mg-daily",
    hypotheses: Sequence[str] = (),
    *,
    fit: str | Path | None = None,
    draws: int | None = None,
    patients: int | None = None,
    seed: int | None = None,
    settings: Settings = None,
    end: str | None = None,
    every: str | None = None,
    out: str | Path | None = None,
    force: bool = False,
) -> Explorer:
    """Make a page in which a scenario can be explored offline.

    Parameters
    ----------
    scenario
        As for `simulate.run`: a scenario or a model.
    hypotheses
        Those that can be chosen in the page, of which it shows one or two side by side; the scenario's if none is
        given.
    fit, draws, patients, seed, settings, end, every
        As for `simulate.run`. There are as many patients in the page as in a cohort, at most 200, each in one of the
        draws: patient ``k`` is the one of that number of a run, in draw ``k`` modulo their number.
    out, force
        File to be written, and whether one that is there may be replaced; nothing is written if not given.

    Returns
    -------
    Explorer
        The page, which a notebook shows inline.

    Raises
    ------
    InputError
        ``explore.patients``: more than 200 patients; ``explore.events``: a model with events; ``hypothesis.twice``: a
        hypothesis is given twice. Else as for `simulate.run`.
    """
    from simulate.files import write_atomically
    from simulate.results.explorer.contents import MOST, contents_of
    from simulate.results.explorer.page import explorer_page
    from simulate.store import check_file
    from simulate.studies.bare_models import scenario_for
    from simulate.studies.runs import prepare

    if out is not None:
        check_file(Path(out), force=force)
    refuse_twice(hypotheses)
    studies = []
    with noting():
        for name in hypotheses or (None,):
            chosen = laid_over(settings, hypothesis=name, fit=fit, draws=draws, patients=patients, seed=seed)
            asked = scenario_for(scenario, end, every, chosen)
            if patients is None and asked.patients > MOST:
                asked = scenario_for(scenario, end, every, [*chosen, *laid_over(None, patients=MOST)])
            studies.append(prepare(asked))
        refuse_same_names(hypotheses, [study.hypothesis for study in studies])
        html = explorer_page(contents_of(studies))
    if out is not None:
        write_atomically(Path(out), html)
    assumed = dict.fromkeys(line for study in studies for line in study.assumptions)
    return Explorer(html, None if out is None else Path(out), tuple(assumed))
