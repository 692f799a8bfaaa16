"""Reported numbers checked by arithmetic: each item by itself, and items against each other."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from simulate.errors import InputError
from simulate.evidence.items import Evidence, Finding, Item, Standing, Use, Verdict
from simulate.evidence.kinds import Count, Direction, MeanRange, Protocol


def audit(evidence: Evidence) -> tuple[Finding, ...]:
    """What arithmetic says of a file's items, in their order; readings that differ in number are checked as well."""
    findings = []
    for item in evidence.items:
        findings += [Finding(item.name, *remark) for remark in item.statement.remarks()]
        findings += [Finding(item.name, "taken", Verdict.NOTE, text) for text in item.taken]
        findings += _of_readings(item)
        findings += _among(item, evidence)
    findings += _of_parts(evidence)
    findings += [finding for pair in combinations(evidence.items, 2) for finding in _of_pair(*pair)]
    order = {item.name: place for place, item in enumerate(evidence.items)}
    return tuple(sorted(findings, key=lambda finding: order[finding.item]))


def unmarked(evidence: Evidence, findings: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """Contradictions of items that are not marked as disputed."""
    return tuple(
        finding
        for finding in findings
        if finding.verdict is Verdict.CONTRADICTS and evidence[finding.item].standing is not Standing.DISPUTED
    )


def check_evidence(evidence: Evidence) -> tuple[Finding, ...]:
    """Findings of an audit, if nothing can be held against using the items."""
    findings = audit(evidence)
    faults = unmarked(evidence, findings)
    if faults:
        raise InputError(
            f"the item `{faults[0].item}` contradicts arithmetic: {faults[0].text}",
            code="evidence.contradiction",
            where=evidence[faults[0].item].where,
            found=faults[0].text if len(faults) == 1 else f"{len(faults)} contradictions in all",
            expected="figures that can be, or the standing `disputed`",
            advice="compare the file with the source; mark what is misprinted there as disputed",
        )
    return findings


def _of_readings(item: Item) -> Iterator[Finding]:
    """Contradictions of readings that are not those of the item as printed."""
    known = {remark[2] for remark in item.statement.remarks()}
    for reading in item.readings:
        for check, verdict, text in reading.statement.remarks():
            if verdict is Verdict.CONTRADICTS and text not in known:
                yield Finding(item.name, check, verdict, f"{text} (read as `{reading.name}`)")


def _among(item: Item, evidence: Evidence) -> Iterator[Finding]:
    """Whether there were as many people as are said to have been measured."""
    if item.among is None:
        return
    counted = evidence[item.among].statement
    assert isinstance(counted, Count | Direction), "the reader has checked it"
    most, used = counted.count, item.statement.n
    if most is None or used is None:
        return
    if used > most:
        yield Finding(
            item.name,
            "people",
            Verdict.CONTRADICTS,
            f"{used} people were measured, and {most} were there by `{item.among}`",
        )
    else:
        yield Finding(item.name, "people", Verdict.AGREES, f"{used} of the {most} of `{item.among}`")


def _of_parts(evidence: Evidence) -> Iterator[Finding]:
    """Whether more people are spoken of than were in the study."""
    enrolled = [
        item.statement.n
        for item in evidence.items
        if isinstance(item.statement, Protocol) and item.statement.n is not None
    ]
    if not enrolled:
        return
    for item in evidence.items:
        n = item.statement.n
        if n is not None and n > max(enrolled) and item.use in (Use.DATUM, Use.DESIGN):
            text = f"{n} people, and {max(enrolled)} were in the study"
            yield Finding(item.name, "people", Verdict.CONTRADICTS, text)


def _of_pair(first: Item, second: Item) -> Iterator[Finding]:
    """Whether two items say different things of the same."""
    if (first.subject, first.arm, first.source) != (second.subject, second.arm, second.source):
        return
    one, other = first.statement, second.statement
    if isinstance(one, MeanRange) and isinstance(other, MeanRange):
        differ = one != other
    elif isinstance(one, Count) and isinstance(other, Count):
        differ = (one.count, one.n) != (other.count, other.n)
    elif isinstance(one, Direction) and isinstance(other, Direction):
        differ = (one.way, one.count, one.n) != (other.way, other.count, other.n)
    else:
        return
    if differ:
        text = f"says something other than `{first.name}` says of the same"
        yield Finding(second.name, "agreement", Verdict.CONTRADICTS, text)
