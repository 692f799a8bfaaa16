"""Named sets of evidence: which trials, and what they leave out for what reason."""

from __future__ import annotations

from pathlib import Path

import pytest

from simulate import shipped
from simulate.errors import InputError
from simulate.evidence.audit import check_evidence
from simulate.evidence.items import Use
from simulate.evidence.reading import read_evidence
from simulate.evidence.sets import DEFAULT, check_trials, evidence_sets
from simulate.symbolic.parameterfile import read_sources
from simulate.trials.reading import DEFAULT as TRIAL
from simulate.trials.reading import read_trial


def test_the_default_is_the_abstract_alone() -> None:
    assert tuple(evidence_sets()) == ("abstract", "synthesis")
    assert (DEFAULT, evidence_sets()[DEFAULT].trials) == ("abstract", (TRIAL,))


def test_trials_and_sources_of_sets_are_known_and_what_is_left_out_has_a_reason() -> None:
    sources = read_sources(shipped.sources_file())
    for known in evidence_sets().values():
        assert known.title
        assert set(known.trials) <= set(shipped.trial_files())
        for part in known.not_used:
            assert part.source in sources
            assert len(part.statement) > 20
            assert len(part.why) > 20
    assert set(check_trials()) <= set(shipped.trial_files())


def test_the_synthesis_says_all_that_the_abstract_says_and_more() -> None:
    abstract, more = read_evidence("abstract"), read_evidence("zong-2014")
    assert more.items[: len(abstract.items)] == abstract.items
    assert [item.name for item in more.items[len(abstract.items) :]] == ["gcsf-direction"]
    assert (more.name, more.trial, abstract.name) == ("zong-2014", "zong-2014", "abstract")
    check_evidence(more)


def test_the_study_is_the_same_in_both_sets_but_for_what_the_paper_read_beside_it() -> None:
    abstract, more = read_trial("zong-2011"), read_trial("zong-2014")
    assert [row for row in more.numbers if row.name not in ("luminex sd_log",)] == list(abstract.numbers)
    assert more.readouts[:-1] == abstract.readouts
    assert (more.arms, more.visits, more.response, more.outcomes) == (
        abstract.arms, abstract.visits, abstract.response, abstract.outcomes
    )  # fmt: skip


def test_findings_of_other_patients_name_their_trial() -> None:
    for name in check_trials():
        evidence = read_evidence(name)
        assert evidence.trial == name
        assert {item.use for item in evidence.items} <= {Use.CHECK, Use.DATUM}


def test_an_item_of_an_included_file_may_not_be_there_twice(tmp_path: Path) -> None:
    file = tmp_path / "more.toml"
    text = (shipped.root() / "observations" / "zong-2014.toml").read_text(encoding="utf-8")
    file.write_text(text.replace('id = "gcsf-direction"', 'id = "response"'), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_evidence(file)
    line = next(n for n, row in enumerate(file.read_text(encoding="utf-8").splitlines(), 1) if row.startswith("id"))
    assert str(caught.value) == (
        f"error[evidence.twice]: two items have the name `response`\n  --> {file}:{line}, key `item[0].id`\n"
        "  try:      give one of them another name"
    )
