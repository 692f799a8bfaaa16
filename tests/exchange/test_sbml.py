"""SBML in: what comes out is what the file means, or the reason why not."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("libsbml")

from simulate.errors import InputError, MissingExtra
from simulate.exchange.sbml import Imported, read_sbml
from simulate.kernels.build import build
from simulate.kernels.system import lower
from simulate.solver import Schedule, Tolerance, solve
from simulate.symbolic.expressions import print_expression
from simulate.symbolic.modelfile import read_model, write_model
from tests.exchange.models import TIME, apply, ci, cn, compartment, event, math, parameter, reaction, sbml, species

TIMES = np.linspace(0.0, 4.0, 9)


def rule(kind: str, variable: str, formula: str) -> str:
    return f'<{kind}Rule variable="{variable}">{math(formula)}</{kind}Rule>'


FUNCTION = '<functionDefinition id="f">' + math(
    "<lambda><bvar>" + ci("u") + "</bvar>" + apply("times", ci("u"), ci("lambda")) + "</lambda>"
) + "</functionDefinition>"  # fmt: skip
MINUTES = (
    '<unitDefinition id="minutes"><listOfUnits><unit kind="second" exponent="1" scale="0" multiplier="60"/>'
    "</listOfUnits></unitDefinition>"
)
WITHOUT_OTHERWISE = "<piecewise><piece>" + cn(1.0) + apply("gt", ci("S"), cn(1.0)) + "</piece></piecewise>"
DELAYED = (
    '<apply><csymbol encoding="text" definitionURL="http://www.sbml.org/sbml/symbols/delay">delay</csymbol>'
    + ci("S") + cn(1.0) + "</apply>"
)  # fmt: skip
WITHOUT_RATE = (
    '<reaction id="J" reversible="false"><listOfReactants>'
    '<speciesReference species="S" stoichiometry="1" constant="true"/></listOfReactants></reaction>'
)


def algebraic(formula: str) -> str:
    return f"<algebraicRule>{math(formula)}</algebraicRule>"


# One model of much, so that it is compiled once.
EVERYTHING = sbml(
    FunctionDefinitions=FUNCTION,
    Compartments=compartment(2.0)
    + '<compartment id="v" size="1" spatialDimensions="3" constant="false"/>',
    Species="".join(
        (
            species("A", concentration=3.0),
            species("B", amount=1.0, hasOnlySubstanceUnits="true"),
            species("D", amount=6.0, compartment="v"),
            species("F", concentration=5.0, boundaryCondition="true"),
        )
    ),
    Parameters="".join(
        (
            parameter("lambda", 0.5),
            parameter("assigned", constant="false"),
            parameter("grown", 1.0, constant="false"),
            parameter("from_start", constant="true"),
            parameter("stepped", 0.0, constant="false"),
            parameter("counted", 0.0, constant="false"),
            parameter("unused", 9.0),
        )
    ),
    InitialAssignments='<initialAssignment symbol="from_start">'
    + math(apply("times", ci("A"), cn(2.0)))
    + "</initialAssignment>",
    Rules="".join(
        (
            rule("assignment", "assigned", apply("plus", ci("A"), ci("B"), ci("from_start"))),
            rule("rate", "grown", ci("grown")),
            rule("rate", "v", cn(0.5)),
            rule(
                "rate",
                "stepped",
                "<piecewise><piece>" + cn(1.0) + apply("lt", TIME, cn(1.3)) + "</piece><otherwise>" + cn(0.0)
                + "</otherwise></piecewise>",
            ),
        )
    ),
    Reactions="".join(
        (
            # An amount a unit of time: the concentration of A falls at half the rate.
            reaction(
                "J", apply("times", ci("f_local"), "<apply>" + ci("f") + ci("A") + "</apply>", ci("c")), "A F", "2*B",
                '<listOfLocalParameters><localParameter id="f_local" value="2"/></listOfLocalParameters>',
            ),
        )
    ),
    Events="".join(
        (
            event("reset", apply("geq", TIME, cn(2.0)), {"grown": cn(1.0)}),
            event("count", apply("eq", TIME, cn(3.0)), {"counted": apply("plus", ci("counted"), cn(1.0))}),
        )
    ),
)  # fmt: skip


def course(imported: Imported, times: np.ndarray = TIMES) -> dict[str, np.ndarray]:
    model = imported.model.compose()
    kernel = build(lower(model))
    values = {part.name: part.value for part in model.parameters}
    found = solve(
        kernel, np.array([[values[name] for name in kernel.parameters]]), Schedule.empty(1), times,
        tolerance=Tolerance(1e-10),
    )  # fmt: skip
    return dict(zip(found.quantities, found.values[0].T, strict=True))


@pytest.fixture(scope="module")
def everything(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sbml") / "everything.xml"
    path.write_text(EVERYTHING, encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def found(everything: Path) -> dict[str, np.ndarray]:
    return course(read_sbml(everything, time_unit="d"))


def test_concentrations_amounts_and_functions_are_what_the_file_means(found: dict[str, np.ndarray]) -> None:
    decay = np.exp(-TIMES)
    np.testing.assert_allclose(found["A"], 3.0 * decay, rtol=1e-8)
    # Two of B for each of A, of which there are 6 in a volume of 2.
    np.testing.assert_allclose(found["B"], 1.0 + 2.0 * 6.0 * (1.0 - decay), rtol=1e-8)
    np.testing.assert_allclose(found["assigned"], found["A"] + found["B"] + 6.0, rtol=1e-12)


def test_an_amount_in_a_growing_volume_is_diluted(found: dict[str, np.ndarray]) -> None:
    np.testing.assert_allclose(found["v"], 1.0 + 0.5 * TIMES, rtol=1e-12)
    np.testing.assert_allclose(found["D"], 6.0 / (1.0 + 0.5 * TIMES), rtol=1e-12)


def test_a_concentration_set_with_the_size_is_an_amount_in_the_size_before(tmp_path: Path) -> None:
    path = tmp_path / "resized.xml"
    path.write_text(
        sbml(
            Compartments='<compartment id="v" size="0.5" spatialDimensions="3" constant="false"/>',
            Species=species("A", concentration=2.0, compartment="v", boundaryCondition="true")
            + species("B", concentration=2.0, compartment="v", boundaryCondition="true"),
            Rules=rule("rate", "B", cn(0.0)),
            Events=event("resize", apply("geq", TIME, cn(0.45)), {"A": cn(0.2), "B": cn(0.2), "v": cn(0.2)}),
        ),
        encoding="utf-8",
    )
    found = course(read_sbml(path, time_unit="d"), np.array([0.0, 1.0]))
    # 0.2 in 0.5 is 0.1, which makes 0.5 in 0.2: case 01779 of the semantic test suite.
    np.testing.assert_allclose(found["A"], [2.0, 0.5], rtol=1e-12)
    np.testing.assert_allclose(found["B"], [2.0, 0.5], rtol=1e-12)


def test_rules_pieces_and_events_are_what_the_file_means(found: dict[str, np.ndarray]) -> None:
    np.testing.assert_allclose(found["grown"], np.exp(np.where(TIMES < 2.0, TIMES, TIMES - 2.0)), rtol=1e-8)
    np.testing.assert_allclose(found["stepped"], np.minimum(TIMES, 1.3), rtol=1e-12)
    np.testing.assert_array_equal(found["counted"], TIMES >= 3.0)


def test_libroadrunner_says_the_same(everything: Path, found: dict[str, np.ndarray]) -> None:
    roadrunner = pytest.importorskip("roadrunner")
    runner = roadrunner.RoadRunner(str(everything))
    runner.integrator.relative_tolerance, runner.integrator.absolute_tolerance = 1e-10, 1e-12
    names = ["[A]", "B", "[D]", "grown", "assigned", "stepped"]
    result = np.array(runner.simulate(0.0, 4.0, 9, ["time", *names]))
    for column, name in enumerate(names, start=1):
        np.testing.assert_allclose(found[name.strip("[]")], result[:, column], rtol=1e-6, atol=1e-8, err_msg=name)


def test_what_is_left_out_is_listed(everything: Path) -> None:
    imported = read_sbml(everything, time_unit="d")
    assert imported.dropped == ("the parameter `unused`, which nothing uses",)
    assert imported.constants["unused"] == 9.0


def test_species_of_one_name_are_told_apart_by_where_they_are(tmp_path: Path) -> None:
    path = tmp_path / "twice.xml"
    named = {"a": "IL6", "b": "IL6", "d": "CRP"}
    places = "".join(
        f'<compartment id="{own}" name="{name}" size="1" spatialDimensions="3" constant="true"/>'
        for own, name in (("v", "serum"), ("w", "liver"))
    )
    kinds = "".join(
        species(own, 1.0, compartment="w" if own == "b" else "v").replace("<species", f'<species name="{name}"')
        for own, name in named.items()
    )
    moves = "".join(reaction(f"J{own}", ci(own), own) for own in named)
    path.write_text(sbml(Compartments=places, Species=kinds, Reactions=moves), encoding="utf-8")
    meanings = {part.name: part.meaning for part in read_sbml(path).model.compose().species}
    assert meanings == {"a": "IL6 in serum", "b": "IL6 in liver", "d": "CRP"}


def test_a_unit_of_time_that_the_file_does_not_give_is_told(tmp_path: Path) -> None:
    given = {
        "": ("s", "the file gives no unit of time: seconds are taken"),
        "dimensionless": ("d", "the file gives no unit of time, but dimensionless: days are taken"),
        "second": ("s", ""),
    }
    for name, (taken, note) in given.items():
        path = tmp_path / f"{name or 'none'}.xml"
        path.write_text(sbml(name, Parameters=parameter("k", 0.5)), encoding="utf-8")
        imported = read_sbml(path)
        assert (imported.time_unit, imported.time_note) == (taken, note)
        assert (read_sbml(path, time_unit="h").time_unit, read_sbml(path, time_unit="h").time_note) == ("h", "")


def test_a_file_of_level_2_counts_seconds_where_it_says_nothing(tmp_path: Path) -> None:
    path = tmp_path / "old.xml"
    path.write_text(
        '<?xml version="1.0"?><sbml xmlns="http://www.sbml.org/sbml/level2/version4" level="2" version="4">'
        '<model id="m"><listOfParameters><parameter id="k" value="1" constant="false"/></listOfParameters><listOfRules>'
        '<rateRule variable="k"><math xmlns="http://www.w3.org/1998/Math/MathML"><cn>1</cn></math></rateRule>'
        "</listOfRules></model></sbml>",
        encoding="utf-8",
    )
    imported = read_sbml(path)
    assert imported.time_unit == "s"
    assert imported.time_note == "the file gives no unit of time: seconds are taken, as SBML has it"


def test_a_converted_model_is_the_same_model(everything: Path, tmp_path: Path) -> None:
    model = read_sbml(everything).model.compose()
    path = tmp_path / "model.toml"
    path.write_text(write_model(model), encoding="utf-8")
    assert read_model(path).compose().key == model.key


def test_time_has_the_unit_of_the_file_or_the_given_one(tmp_path: Path) -> None:
    path = tmp_path / "minutes.xml"
    path.write_text(
        sbml(
            "minutes",
            UnitDefinitions=MINUTES,
            Parameters=parameter("x", 1.0, "false"),
            Rules=rule("rate", "x", ci("x")),
        ),
        encoding="utf-8",
    )
    for given, minutes in ((None, 1.0), ("h", 60.0), ("h*d/h", 1440.0), ("1/(1/h)", 60.0)):
        (per_time,) = (
            part for part in read_sbml(path, time_unit=given).model.compose().parameters if part.name == "per_time"
        )
        assert per_time.value * float(per_time.unit.factor) == pytest.approx(1440.0 / minutes, rel=1e-15)


ONE = {"Compartments": compartment(), "Species": species("S", 1.0)}


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (
            sbml(**ONE, Rules=algebraic(apply("minus", ci("S"), ci("p"))), Parameters=parameter("p", 1.0, "false")),
            "sbml.algebraic",
        ),
        (sbml(**ONE, Reactions=reaction("J", ci("missing"), "S")), "sbml.name"),
        (
            sbml(**ONE, Reactions=reaction("J", apply("times", ci("k"), ci("S")), "S"), Parameters=parameter("k")),
            "sbml.value",
        ),
        (sbml(**ONE, Reactions=reaction("J", WITHOUT_OTHERWISE, "S")), "sbml.piecewise"),
        (sbml(**ONE, Reactions=reaction("J", DELAYED, "S")), "sbml.delay"),
        (sbml(**ONE, Reactions=WITHOUT_RATE), "sbml.rate"),
        *(
            (sbml(**ONE, Reactions=reaction("J", apply(name, *[ci("S")] * count), "S")), "sbml.math")
            for name, count in (("minus", 3), ("divide", 3), ("power", 1), ("sin", 2), ("not", 0), ("implies", 3))
        ),
        ("<sbml>", "xml.syntax"),
        ('<!DOCTYPE sbml [<!ENTITY a "b">]><sbml/>', "xml.entity"),
        ("<a>" * 300 + "</a>" * 300, "xml.depth"),
        ("<a/>", "sbml.syntax"),
        ("<html/>", "file.kind"),
    ],
)
def test_what_cannot_be_taken_is_refused_with_its_line(content: str, code: str, tmp_path: Path) -> None:
    path = tmp_path / "model.xml"
    path.write_text(content, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_sbml(path).model.compose()
    assert caught.value.code == code
    assert caught.value.where is not None
    assert caught.value.where.file == str(path)


def test_an_algebraic_rule_is_solved_for_what_nothing_else_gives(tmp_path: Path) -> None:
    formula = apply("minus", apply("times", cn(2.0), ci("p")), apply("times", cn(6.0), ci("S")))
    path = tmp_path / "model.xml"
    path.write_text(
        sbml(
            **ONE,
            Parameters=parameter("p", constant="false"),
            Rules=algebraic(formula),
            Reactions=reaction("J", ci("S"), "S"),
        ),
        encoding="utf-8",
    )
    (definition,) = read_sbml(path).model.compose().definitions
    assert (definition.name, print_expression(definition.expression)) == ("p_now", "3*S")


def test_a_refusal_names_the_part_and_its_line(tmp_path: Path) -> None:
    path = tmp_path / "model.xml"
    path.write_text(sbml(**ONE, Reactions=reaction("J", ci("missing"), "S")), encoding="utf-8")
    line = 1 + path.read_text(encoding="utf-8")[: path.read_text(encoding="utf-8").index('<reaction id="J"')].count(
        "\n"
    )
    with pytest.raises(InputError) as caught:
        read_sbml(path)
    assert str(caught.value) == (
        f"error[sbml.name]: a formula has `missing`, which nothing declares\n  --> {path}:{line}, key `J`"
    )


def test_a_missing_package_is_named_with_what_installs_it(everything: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "libsbml", None)
    with pytest.raises(MissingExtra) as caught:
        read_sbml(everything)
    assert str(caught.value) == (
        "error[extra.sbml]: reading SBML needs the package python-libsbml\n"
        "  expected: python-libsbml\n"
        '  try:      pip install "il1sim[sbml]"'
    )


def with_submodel(source: str) -> str:
    """A model whose submodel is in another file."""
    package = "http://www.sbml.org/sbml/level3/version1/comp/version1"
    return (
        f'<sbml xmlns="http://www.sbml.org/sbml/level3/version1/core" xmlns:comp="{package}" level="3" version="1" '
        'comp:required="true"><model id="m"><comp:listOfSubmodels><comp:submodel comp:id="s" comp:modelRef="e"/>'
        "</comp:listOfSubmodels></model><comp:listOfExternalModelDefinitions>"
        f'<comp:externalModelDefinition comp:id="e" comp:source="{source}" comp:modelRef="m"/>'
        "</comp:listOfExternalModelDefinitions></sbml>"
    )


def test_a_submodel_of_a_submodel_lies_in_the_same_folder_too(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    folder.mkdir()
    (tmp_path / "other.xml").write_text(sbml(**ONE), encoding="utf-8")
    (folder / "outer.xml").write_text(with_submodel("inner.xml"), encoding="utf-8")
    (folder / "inner.xml").write_text(with_submodel("../other.xml"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_sbml(folder / "outer.xml")
    assert str(caught.value) == (
        "error[sbml.external]: a submodel lies outside the folder of the file, or nowhere\n"
        f"  --> {(folder / 'inner.xml').resolve()}:2, key `e`\n  found:    ../other.xml\n"
        "  expected: a file in the same folder"
    )


def test_a_damaged_file_is_read_or_refused(tmp_path: Path) -> None:
    drawn = np.random.default_rng(3)
    content = bytearray(EVERYTHING.encode())
    path = tmp_path / "damaged.xml"
    outcomes = set()
    for _ in range(60):
        damaged = bytearray(content)
        place = int(drawn.integers(len(damaged)))
        kind = int(drawn.integers(3))
        if kind == 0:
            damaged[place] = int(drawn.integers(32, 127))
        elif kind == 1:
            del damaged[place : place + int(drawn.integers(1, 40))]
        else:
            damaged[place:place] = damaged[max(0, place - 60) : place]
        path.write_bytes(damaged)
        try:
            read_sbml(path).model.compose()
            outcomes.add("read")
        except InputError as error:
            outcomes.add(error.code.partition(".")[0])
    assert {"xml"} <= outcomes


def test_what_someone_else_will_give_stays_a_parameter(tmp_path: Path) -> None:
    path = tmp_path / "model.xml"
    lists = {
        "Compartments": compartment(1.0),
        "Species": species("A", amount=6.0),
        "Parameters": parameter("k"),
        "Reactions": reaction("J", apply("times", ci("k"), ci("A")), "A", ""),
    }
    path.write_text(sbml(**lists), encoding="utf-8")
    system = lower(read_sbml(path, time_unit="d", held=["c", "k"]).model.compose())
    assert {"c", "k"} <= set(system.parameters)
    # Six units in the compartment are a concentration of 6/c, and what leaves is divided by the volume too.
    assert print_expression(system.initial[0]) == "6/c"
    assert print_expression(system.rhs[0]) == "-k*per_time*A/c"


def test_drawings_of_another_level_are_left_out_and_no_reason_to_refuse(tmp_path: Path) -> None:
    path = tmp_path / "drawn.xml"
    layout = 'xmlns:layout="http://www.sbml.org/sbml/level3/version1/layout/version1" layout:required="false"'
    path.write_text(
        f'<sbml xmlns="http://www.sbml.org/sbml/level2/version4" {layout} level="2" version="4"><model id="m">'
        '<listOfCompartments><compartment id="c" size="1"/></listOfCompartments><listOfSpecies>'
        '<species id="S" compartment="c" initialAmount="1"/></listOfSpecies><listOfReactions>'
        '<reaction id="r" reversible="false"><listOfReactants><speciesReference species="S"/></listOfReactants>'
        '<kineticLaw><math xmlns="http://www.w3.org/1998/Math/MathML"><ci>S</ci></math></kineticLaw></reaction>'
        "</listOfReactions></model></sbml>",
        encoding="utf-8",
    )
    assert [part.name for part in read_sbml(path).model.compose().species] == ["S"]


def test_a_file_that_was_cut_short_is_told_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "cut.xml").write_text("<sbml>\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_sbml(tmp_path / "cut.xml", time_unit="d")
    assert str(caught.value) == (
        "error[xml.syntax]: the file is no sound XML: no element found\n"
        f"  --> {tmp_path / 'cut.xml'}:2:1\n"
        "  expected: a whole file in SBML, from `<sbml …>` to `</sbml>`\n"
        "  try:      load it again, if it was cut short; else open it in an editor at that line"
    )


def written(encoding: str, declared: str | None = None) -> bytes:
    """A model with a letter that encodings have at different places, in one of them, which it declares if told so."""
    text = sbml(Parameters=parameter("k", 0.5, "false"), Rules=rule("rate", "k", ci("k"))).replace(
        "<model ", '<model name="γ or µ" ' if encoding.startswith("utf") else '<model name="µ" '
    )
    declaration = "" if declared is None else f' encoding="{declared}"'
    return text.replace(' encoding="UTF-8"', declaration).encode(encoding)


@pytest.mark.parametrize(
    ("encoding", "declared"),
    [
        ("utf-8", "UTF-8"), ("utf-8", None), ("utf-8-sig", "UTF-8"), ("utf-8-sig", "ISO-8859-1"),
        ("utf-8", "utf-8-sig"), ("utf-16", "UTF-16"), ("utf-16", None),
        ("utf-16-le", "UTF-16"), ("utf-16-be", "utf-16"), ("latin-1", "ISO-8859-1"), ("cp1252", "windows-1252"),
    ],
)  # fmt: skip
def test_a_file_is_read_in_the_encoding_that_it_says(tmp_path: Path, encoding: str, declared: str | None) -> None:
    path = tmp_path / "model.xml"
    path.write_bytes(written(encoding, declared))
    found = read_sbml(path, time_unit="d").model
    assert [part.name for part in found.compose().species] == ["k"]
    assert "µ" in found.title


@pytest.mark.parametrize(
    ("content", "what", "found"),
    [
        (written("utf-8", "Shift_JIS"), "in an encoding that is not read", "shift_jis"),
        (written("utf-8", "no-such-thing"), "in an encoding that is not read", "no-such-thing"),
        (written("utf-8", "UTF-16"), "not in the encoding that it says", "utf-16"),
        (written("utf-16", "UTF-16")[:-1], "not in the encoding that it says", "utf-16"),
    ],
)
def test_a_file_in_another_encoding_is_refused(tmp_path: Path, content: bytes, what: str, found: str) -> None:
    path = tmp_path / "model.xml"
    path.write_bytes(content)
    with pytest.raises(InputError) as caught:
        read_sbml(path, time_unit="d")
    assert str(caught.value) == (
        f"error[xml.encoding]: the file is {what}\n  --> {path}\n  found:    `{found}`\n"
        "  expected: UTF-8, or UTF-16, Latin-1 or Windows-1252 where the file says so\n"
        "  try:      save the file as UTF-8"
    )


@pytest.mark.parametrize("second", ["utf-7", "cp037", "UTF-16", "UTF-8"])
def test_a_second_encoding_is_not_believed(tmp_path: Path, second: str) -> None:
    path = tmp_path / "model.xml"
    path.write_bytes(written("latin-1", "ISO-8859-1").replace(b"?>", f' encoding="{second}"?>'.encode(), 1))
    with pytest.raises(InputError, match=r"^error\[xml.syntax\]"):
        read_sbml(path, time_unit="d")


def test_an_encoding_that_the_parser_cannot_have_is_refused_wherever_it_is_said(tmp_path: Path) -> None:
    path = tmp_path / "model.xml"
    path.write_bytes(written("utf-8", "utf-7").replace(b" encoding", b" " * 1000 + b"encoding", 1))
    with pytest.raises(InputError, match=r"^error\[xml.encoding\]: the file is in an encoding that is not read"):
        read_sbml(path, time_unit="d")
