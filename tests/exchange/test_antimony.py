"""Antimony in and out: by way of SBML, with nothing read but the file."""

from __future__ import annotations

import dataclasses
import random
import re
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("libsbml")
pytest.importorskip("antimony")

from simulate.cli.app import outcome
from simulate.errors import InputError, MissingExtra
from simulate.exchange.antimony import antimony_text, sbml_of
from simulate.exchange.foreign import read_foreign
from simulate.kernels.system import lower
from simulate.kernels.vectorfield import initial_states, inputs_of, vector_field
from simulate.studies.datasets import read_dataset
from simulate.symbolic.model import Model
from simulate.symbolic.modelfile import read_model
from tests.helpers.models import reference_model

Capture = pytest.CaptureFixture[str]

TEXT = """// A drug that is lost, and a second dose of it.
model lost
  substanceOnly species A in c
  compartment c = 1
  A = 8
  J: A -> ; k*A
  k = 0.5
  at (time > 2): A = A + 4
  unit time_unit = 3600 second
end
"""


@pytest.fixture
def model(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file in Antimony in the working folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "lost.ant").write_text(TEXT, encoding="utf-8")
    return "lost.ant"


def test_a_model_in_antimony_runs_as_it_is_written(model: str) -> None:
    assert outcome(["run", model, "--end", "4", "--every", "1", "--rtol", "1e-9", "--no-figures", "-o", "run"]) == 0
    with read_dataset(Path("run/results.nc")) as dataset:
        found = dataset["A"].values[0, 0]
    after = np.exp(-0.5 * np.arange(5.0))
    # What is there at the event is what was left, and 4 more, which is lost as well.
    expected = 8.0 * after
    expected[3:] += 4.0 * np.exp(-0.5 * np.array([1.0, 2.0]))
    np.testing.assert_allclose(np.delete(found, 2), np.delete(expected, 2), rtol=1e-6)


def test_a_model_is_checked_and_converted_both_ways(model: str, capsys: Capture) -> None:
    # What happens at a time of its own is a dose, and no event of the model.
    Path(model).write_text(TEXT.replace("time > 2", "A < 2"), encoding="utf-8")
    assert outcome(["check", model]) == 0
    assert "nothing wrong with this Antimony file: 1 state, 2 parameters, 1 event" in " ".join(
        capsys.readouterr().out.split()
    )
    assert outcome(["convert", model, "-o", "lost.toml"]) == 0
    assert outcome(["convert", "lost.toml", "-o", "again.ant"]) == 0
    assert outcome(["convert", model, "-o", "lost.xml"]) == 0
    assert outcome(["convert", "again.ant", "-o", "again.toml"]) == 0
    first, second = read_model("lost.toml").compose(), read_model("again.toml").compose()
    np.testing.assert_allclose(_rates(first), _rates(second), rtol=1e-14)
    assert len(second.events) == 1


def _rates(model: Model) -> np.ndarray:
    """Rates of change at the start and away from it, events left out, in the units of the states, by day."""
    system = dataclasses.replace(lower(model), events=())
    values = {part.name: part.value for part in model.parameters}
    parameters = np.array([[values[name] for name in system.parameters]])
    field, inputs = vector_field(system), inputs_of(system, parameters)
    states = initial_states(system, parameters)
    return np.concatenate([field.rates(factor * states, inputs) for factor in (1.0, 1.5)])


def test_the_reference_model_in_antimony_is_the_same_model(tmp_path: Path) -> None:
    path = tmp_path / "reference.ant"
    path.write_text(antimony_text(reference_model()), encoding="utf-8")
    found, expected = read_foreign(path).model.compose(), reference_model()
    names = [part.name for part in expected.species]
    places = [[part.name for part in found.species].index(name) for name in names]
    np.testing.assert_allclose(_rates(found)[:, places], _rates(expected), rtol=1e-9)


def test_what_annotations_say_of_parts_is_in_the_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("reference.ant", "reference.xml"):
        assert outcome(["convert", "reference", "-o", name]) == 0
    text = Path("reference.ant").read_text(encoding="utf-8")
    assert '  N identity "https://identifiers.org/CL:0000895"' in text.splitlines()
    cited = re.compile(r'https://identifiers\.org/[^"]+')
    assert set(cited.findall(text)) == set(cited.findall(Path("reference.xml").read_text(encoding="utf-8")))
    assert len(read_foreign("reference.ant").model.compose().species) == len(reference_model().species)


def test_a_fault_has_the_line_of_the_text(tmp_path: Path) -> None:
    path = tmp_path / "bad.ant"
    path.write_text("model bad\n  A = 'x'\nend\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_foreign(path)
    assert str(caught.value) == (
        "error[antimony.syntax]: the file is no sound Antimony\n"
        f"  --> {path}:2\n"
        "  found:    syntax error, unexpected '\\'', expecting end of line or '\\n' or ';'"
    )


def test_nothing_after_a_character_of_code_0_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "cut.ant"
    path.write_text("A = 1\nB = 2 \0\nC = 3\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_foreign(path)
    assert str(caught.value) == (
        f"error[antimony.syntax]: the file is no sound Antimony\n  --> {path}:2\n  found:    a character of code 0"
    )


def test_what_sbml_would_be_refused_for_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "open.ant"
    path.write_text("A -> ; k*A; A = 1\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_foreign(path)
    assert str(caught.value) == (
        f"error[sbml.value]: `k` has no value\n  --> {path}, key `k`\n  try:      give it one, or an initial assignment"
    )


@pytest.mark.parametrize(
    "text", ['import "other.ant"\n', 'x = 1; import "other.ant"\n', '/* " */ import "other.ant" /* " */\n']
)
def test_no_other_file_is_read(text: str, tmp_path: Path) -> None:
    (tmp_path / "other.ant").write_text("A = 1", encoding="utf-8")
    path = tmp_path / "importing.ant"
    path.write_text("// import is a word of a comment\n" + text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        read_foreign(path)
    assert str(caught.value) == (
        "error[antimony.import]: the text imports another file\n"
        f"  --> {path}:2\n"
        "  expected: a text that reads nothing else\n"
        "  try:      write what it imports into the file"
    )


def test_a_missing_package_is_named_with_what_installs_it(model: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "antimony", None)
    with pytest.raises(MissingExtra) as caught:
        read_foreign(model)
    assert str(caught.value) == (
        "error[extra.antimony]: reading Antimony needs the package antimony\n"
        "  expected: antimony\n"
        '  try:      pip install "il1sim[antimony]"'
    )
    with pytest.raises(MissingExtra, match="writing Antimony needs the package antimony"):
        antimony_text(reference_model())


def test_a_damaged_text_is_read_or_refused(tmp_path: Path) -> None:
    rng = random.Random(3)
    path = tmp_path / "damaged.ant"
    refused = 0
    for _ in range(150):
        text = list(TEXT)
        for _ in range(rng.randint(1, 6)):
            place = rng.randrange(len(text))
            text[place : place + rng.randint(0, 3)] = rng.choice(
                ["", "=", ";", "\n", "model", ")", "->", "\0", "é", "1e999"]
            )
        path.write_text("".join(text), encoding="utf-8")
        try:
            read_foreign(path)
        except InputError:
            refused += 1
    assert 0 < refused < 150


@pytest.mark.parametrize("text", ["", "\n  \n", "// nothing but words\n"])
def test_a_file_without_a_model_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "empty.ant").write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        sbml_of(tmp_path / "empty.ant")
    assert str(caught.value) == (
        f"error[antimony.empty]: there is no model in the file\n  --> {tmp_path / 'empty.ant'}\n"
        "  found:    nothing but space and comments\n"
        "  expected: a model in Antimony, such as `S -> ; k*S; S = 1; k = 0.1`"
    )
