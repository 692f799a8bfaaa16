"""Units of SBML files, asked for strictly: what is sound passes, and each fault is told with its place."""

from __future__ import annotations

from pathlib import Path

import pytest

pytest.importorskip("libsbml")

import simulate
from simulate.cli.app import outcome
from simulate.errors import InputError
from simulate.exchange.foreign import check_foreign_units
from tests.exchange.models import TIME, apply, ci, cn, compartment, event, math, reaction, sbml, species

Capture = pytest.CaptureFixture[str]

UNITS = """<unitDefinition id="per_minute"><listOfUnits>
<unit kind="second" exponent="-1" scale="0" multiplier="60"/></listOfUnits></unitDefinition>
<unitDefinition id="minute"><listOfUnits><unit kind="second" exponent="1" scale="0" multiplier="60"/></listOfUnits>
</unitDefinition>
<unitDefinition id="mM"><listOfUnits><unit kind="mole" exponent="1" scale="-3" multiplier="1"/>
<unit kind="litre" exponent="-1" scale="0" multiplier="1"/></listOfUnits></unitDefinition>
<unitDefinition id="mmol"><listOfUnits><unit kind="mole" exponent="1" scale="-3" multiplier="1"/></listOfUnits>
</unitDefinition>"""
PARAMETERS = """<parameter id="k" value="0.5" units="per_minute" constant="true"/>
<parameter id="half" value="2" units="mM" constant="true"/>
<parameter id="n" value="2" units="dimensionless" constant="true"/>
<parameter id="level" units="mM" constant="false"/>"""
LAW = apply(
    "times",
    ci("k"),
    ci("c"),
    ci("half"),
    apply("power", apply("divide", ci("S"), ci("half")), ci("n")),
)
SOUND = sbml(
    'minute" substanceUnits="mmol" extentUnits="mmol" volumeUnits="litre',
    UnitDefinitions=UNITS,
    Compartments=compartment(),
    Species=species("S", concentration=8.0),
    Parameters=PARAMETERS,
    Rules=f'<assignmentRule variable="level">{math(apply("plus", ci("S"), ci("half")))}</assignmentRule>',
    Reactions=reaction("decay", LAW, "S"),
    Events=event(
        "again", apply("geq", TIME, '<cn sbml:units="minute">2</cn>'), {"S": apply("times", cn(2.0), ci("half"))}
    ),
).replace("<sbml ", '<sbml xmlns:sbml="http://www.sbml.org/sbml/level3/version2/core" ')
MISSING = (
    "  expected: `units`, as --units strict asks of every quantity\n"
    "  try:      give it one, or leave --units strict out: quantities are pure numbers then"
)


def line_of(text: str, part: str) -> int:
    return text[: text.index(part)].count("\n") + 1


def written(folder: Path, text: str) -> Path:
    path = folder / "model.xml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_file_whose_units_fit_passes(tmp_path: Path) -> None:
    check_foreign_units(written(tmp_path, SOUND))


@pytest.mark.parametrize(
    ("old", "new", "place", "first", "rest"),
    [
        (
            'id="half" value="2" units="mM"',
            'id="half" value="2"',
            'id="half"',
            "error[units.missing]: the parameter `half` has no unit",
            MISSING,
        ),
        (
            ' timeUnits="minute"',
            "",
            "<model",
            "error[units.missing]: the time of the model has no unit",
            MISSING.replace("units`", "timeUnits`"),
        ),
        (
            'id="k" value="0.5" units="per_minute"',
            'id="k" value="0.5" units="dimensionless"',
            '<reaction id="decay"',
            "error[units.mismatch]: the rate of the reaction `decay` has the wrong unit",
            "  found:    nmol\n  expected: nmol / d\n"
            "  try:      divide by something in d, or correct the unit of a parameter in it",
        ),
        (
            'id="k" value="0.5" units="per_minute"',
            'id="k" value="0.5" units="hertz"',
            '<reaction id="decay"',
            "error[units.size]: the rate of the reaction `decay` has the wrong unit",
            "  expected: units of one size: SBML converts none, such as mmol to nmol\n"
            "  try:      give both the same unit, or a factor in the formula that converts",
        ),
        (
            '<cn sbml:units="minute">2</cn>',
            "<cn>2</cn>",
            '<event id="again"',
            "error[units.mismatch]: the two sides of a comparison in the trigger of the event `again` differ in unit",
            "  found:    d\n  expected: a pure number\n"
            "  try:      divide by something in d, or correct the unit of a parameter in it",
        ),
        (
            'extentUnits="mmol"',
            'extentUnits="mole"',
            '<reaction id="decay"',
            None,
            None,
        ),
    ],
)
def test_a_unit_that_is_missing_or_wrong_is_told_with_its_place(
    tmp_path: Path, old: str, new: str, place: str, first: str | None, rest: str | None
) -> None:
    text = SOUND.replace(old, new)
    assert text != SOUND
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        check_foreign_units(path)
    said = str(caught.value)
    assert f"  --> {path}:{line_of(text, place)}" in said
    if first is None:
        assert caught.value.code == "units.size"
        return
    assert said.splitlines()[0] == first
    assert said.endswith(str(rest))


def test_places_in_antimony_have_no_lines_of_the_sbml_that_it_became(tmp_path: Path) -> None:
    pytest.importorskip("antimony")
    path = tmp_path / "model.ant"
    path.write_text("model small\n  k = 1\n  x := k\nend\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        check_foreign_units(path)
    assert (
        str(caught.value) == f"error[units.missing]: the time of the model has no unit\n  --> {path}\n"
        "  expected: `timeUnits`, as --units strict asks of every quantity\n"
        "  try:      give it one, or leave --units strict out: quantities are pure numbers then"
    )


def test_the_command_line_asks_for_units(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capture) -> None:
    monkeypatch.chdir(tmp_path)
    written(tmp_path, SOUND.replace(' units="mM" constant="true"', ' constant="true"'))
    assert outcome(["check", "model.xml"]) == 0
    for arguments in (["check"], ["convert", "-o", "model.toml"], ["run", "--end", "4"]):
        assert outcome([arguments[0], "model.xml", *arguments[1:], "--units", "strict"]) == 3
        assert "error[units.missing]: the parameter `half` has no unit" in capsys.readouterr().err
    with pytest.raises(InputError, match="the parameter `half` has no unit"):
        simulate.run("model.xml", end="4", units="strict")
    assert outcome(["check", "model.xml", "--units", "loose"]) == 3
    assert capsys.readouterr().err == (
        "error[units.asked]: this does not say how units are judged\n"
        "  found:    `loose`\n"
        "  expected: `numbers`, or `strict` for SBML and Antimony\n"
    )
    assert outcome(["run", "anakinra-100mg-daily", "--units", "strict"]) == 3
    told = (
        "error[units.asked]: units are judged strictly in SBML and Antimony: "
        "those of all other files are checked always\n"
        "  found:    `anakinra-100mg-daily`\n"
        "  try:      leave `strict` out"
    )
    assert capsys.readouterr().err == f"{told}\n"
    with pytest.raises(InputError) as caught:
        simulate.run("anakinra-100mg-daily", units="strict")
    assert str(caught.value) == told
