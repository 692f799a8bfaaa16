"""``simulate audit``: reported values, judged by arithmetic."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from simulate.api.inspecting import audit as function
from simulate.cli.console import carry_out, print_rich, print_text, titled
from simulate.cli.options import Json, defaults_of
from simulate.errors import InputError, counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from simulate.evidence.items import Evidence, Finding
    from simulate.results.result import Result


@defaults_of(function)
def audit(
    file: Annotated[str | None, typer.Argument(metavar="FILE", help="An evidence file; the abstract if not given.")],
    everything: Annotated[bool, typer.Option("--all", help="Show what agrees as well.")] = False,
    as_json: Json = False,
) -> int:
    """Check reported values against arithmetic.

    Order of ranges, means that can be had, what R, n and p say of each other, p-values that a test can give, counts and
    their sums. A figure that contradicts arithmetic must have the standing `disputed`; the exit code is 3 if one has
    not.

    \b
    simulate audit
    simulate audit my-evidence.toml --all
    """  # noqa: D301

    def show(result: Result[tuple[Evidence, tuple[Finding, ...]]]) -> None:
        evidence, findings = result.value
        shown = [finding for finding in findings if everything or finding.verdict.value != "agrees"]
        if shown:
            print_rich(_table(evidence, shown))
        print_text(_summary(evidence, findings))

    return carry_out(function, locals(), show, judge=_fault)


def _fault(result: Result[tuple[Evidence, tuple[Finding, ...]]]) -> InputError | None:
    from simulate.evidence.audit import check_evidence

    try:
        check_evidence(result.value[0])
    except InputError as error:
        return error
    return None


def _table(evidence: Evidence, findings: Sequence[Finding]) -> Table:
    table = titled(None, pad_edge=False)
    for heading in ("item", "standing", "verdict", "arithmetic"):
        table.add_column(heading, overflow="fold")
    previous = None
    for finding in findings:
        item = evidence[finding.item]
        names = ("", "") if finding.item == previous else (item.name, item.standing.value)
        table.add_row(*names, finding.verdict.value, finding.text)
        previous = finding.item
    return table


def _summary(evidence: Evidence, findings: Sequence[Finding]) -> str:
    from simulate.evidence.audit import unmarked

    against = [finding for finding in findings if finding.verdict.value == "contradicts"]
    agreeing = sum(finding.verdict.value == "agrees" for finding in findings)
    open_ones = len(unmarked(evidence, tuple(findings)))
    text = (
        f"{counted(len(evidence.items), 'item')} of {evidence.source}, {len(evidence.data)} of them fitted and "
        f"{len(evidence.checks)} held against a fit; {agreeing} checks agree, {len(against)} contradict"
    )
    return text if not against else f"{text}, {open_ones} of these not marked as disputed"
