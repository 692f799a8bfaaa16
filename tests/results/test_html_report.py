"""A report stands alone, hides nothing and runs nothing."""

from __future__ import annotations

import contextlib
import csv
import json
import re
import xml.etree.ElementTree as ElementTree
from collections.abc import Callable, Iterator
from html.parser import HTMLParser
from pathlib import Path

import numpy as np
import pytest

import simulate
from simulate.cli.app import outcome
from simulate.errors import InputError
from simulate.manifest import manifest_text, read_manifest
from simulate.results.changes import RULE, signed
from simulate.results.html import escaped, mathml, picture
from simulate.results.html_report import Purpose, report
from simulate.results.illustrations import ends_of_axes
from simulate.results.provenance import Provenance
from simulate.results.report_tables import in_words, narrow
from simulate.results.result import Result
from simulate.studies.dose_response.tables import CurveRow, curve_rows
from simulate.symbolic.expressions import parse_expression
from simulate.tabular import ResultTable, table_of
from tests.cli.test_times_of_models import decay
from tests.faults.small import MODEL, SCENARIO, manifest_of, run, write_files
from tests.results.test_openings import APART
from tests.studies.dose_response.made import response

VOID = {"meta", "img"}
ALLOWED = set(
    "html head meta title style body h1 h2 h3 p span details summary table thead tbody tr th td figure img figcaption "
    "math mrow mi mn mo msub msup mfrac msubsup msqrt mroot mfenced mtext".split()
)
ESCAPE = "\\u001b[31m"
HOSTILE = f'<script>alert(1)</script>\\" onload=x {ESCAPE} & <img src=http://x/y>'


class Reading(HTMLParser):
    """Tags that are closed in order, attributes and texts of a document."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.tags: set[str] = set()
        self.attributes: list[tuple[str, str]] = []
        self.texts: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        if tag not in VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.texts.append(data)


@pytest.fixture
def made(tmp_path: Path) -> Path:
    """The directory of a run whose texts are hostile."""
    # What a file says cannot hold control characters.
    plain = HOSTILE.replace(ESCAPE, "")
    model = MODEL.replace('meaning = "drug"', f'meaning = "{plain}"')
    scenario = SCENARIO.replace('"a drug that is lost"', f'"{plain}"').replace('"treated"', f'"{plain}"')
    question = scenario.replace("schema = 1\n", f'schema = 1\nquestion = "{plain}"\n')
    assert run(write_files(tmp_path, model=model, scenario=question), "--out", tmp_path / "made") == 0
    return tmp_path / "made"


def test_a_report_is_sound_html_that_runs_and_fetches_nothing(made: Path) -> None:
    text = report(made, Purpose(context=HOSTILE, risk="</p><script>"), error=False, figures=False)
    document = Reading(text)
    assert document.open == []
    assert document.tags <= ALLOWED
    known = {"lang", "charset", "http-equiv", "content", "name", "class", "display", "alt", "src", "width"}
    assert {name for name, _ in document.attributes} <= known
    assert all(value.startswith("data:image/png;base64,") for name, value in document.attributes if name == "src")
    assert "default-src 'none'" in text
    assert "\x1b" not in text
    assert "<script>alert(1)</script>" in "".join(document.texts)


def test_a_report_opens_with_question_answer_and_caveats_and_has_no_empty_boxes(made: Path) -> None:
    text = report(made, Purpose(context="a second study", influence="low"), error=False, figures=False)
    titles = [part.split("</h2>")[0] for part in text.split("<h2>")[1:]]
    assert titles == [
        *("Question", "Answer", "Caveats", "Results", "Regimen and patients"),
        *("Model", "Parameters", "Sources", "Numerical error", "Failures", "Versions and files"),
    ]
    assert "<td>Context of use</td><td>a second study</td>" in text
    assert "<p>Not stated: consequence of a wrong decision (--consequence), model risk (--risk).</p>" in text
    assert '<span class="missing">' not in text.split("<h2>Numerical error")[0]
    assert "None failed." in text
    assert text.count("<td>as written</td>") == len(manifest_of(made)["files"]) >= 6
    assert "<td>1 mg iv every 1 d until 3 d</td>" in text


def test_the_same_directory_gives_the_same_report(made: Path) -> None:
    assert report(made, Purpose(), error=False, figures=False) == report(made, Purpose(), error=False, figures=False)


def test_the_equation_of_the_model_is_shown_as_it_is_solved(made: Path) -> None:
    text = report(made, Purpose(), error=False, figures=False)
    assert (
        "<mfrac><mrow><mi>d</mi><mi>X</mi></mrow><mrow><mi>d</mi><mi>t</mi></mrow></mfrac><mo>=</mo>"
        "<mrow><mo>-</mo><mi>X</mi><mo>&#8901;</mo><mi>k</mi></mrow>" in text
    )


@pytest.mark.parametrize(
    "expression", ["k_act*N/(1 + exp(-x))", "min(a, b)*abs(c_1)**n", "sqrt(x) - log(y)/3", "hill(x, K, n) + 0.1*alpha"]
)
def test_an_expression_is_well_formed_mathml_without_named_entities(expression: str) -> None:
    root = ElementTree.fromstring(f"<math>{mathml(parse_expression(expression))}</math>")
    assert {node.tag for node in root.iter()} <= ALLOWED


def test_the_model_is_shown_as_it_was_though_the_users_files_are_gone(made: Path) -> None:
    before = report(made, Purpose(), figures=False)
    assert "A sample was solved again" in before
    for name in ("model.toml", "scenario.toml"):
        (made.parent / name).unlink()
    assert report(made, Purpose(), figures=False) == before


def test_a_model_that_changed_since_is_not_passed_off_as_that_of_the_run(made: Path) -> None:
    (path,) = (made / "models").iterdir()
    path.write_text(path.read_text(encoding="utf-8").replace("0.5", "0.6"), encoding="utf-8")
    text = report(made, Purpose(), error=False, figures=False)
    assert "Not shown: its file is not as it was written." in text
    assert "<mi>X</mi>" not in text


def test_changes_stand_before_levels_and_whole_files_are_a_click_away(made: Path) -> None:
    text = report(made, Purpose(), error=False, figures=False)
    order = (
        "<h2>Results</h2>",
        "<h3>Change since baseline, of each patient</h3>",
        "<p>Changes are each patient&#x27;s own.</p>",
        "<h3>Levels</h3>",
        "<summary>Change since baseline (changes.csv), row by row</summary>",
        "<summary>Levels (summary.csv), row by row</summary>",
    )
    assert [text.index(part) for part in order] == sorted(text.index(part) for part in order)
    words = ("median (5 to 95 % of patients)", "share who rise", "share who fall")
    assert "".join(f"<th>{word}</th>" for word in words) in text[text.index(order[-2]) :]
    # No name of a column of a file is printed raw.
    assert not [name for name in re.findall(r"<th>([^<]*)</th>", text) if "_" in name]


def test_a_report_has_the_lines_that_the_run_printed(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        outcome(["run", "dose-arms", "-n", "6", "--draws", "2", "--out", str(tmp_path / "made"), "--no-figures"]) == 0
    )
    said = capsys.readouterr().out
    text = report(tmp_path / "made", Purpose(), error=False, figures=False)
    shown = text[text.index("<h2>Results</h2>") : text.index("<details>")]
    # Something was reported of this dose, and by which rule it agrees is said.
    counted = "up/down: % of patients who rise and who fall by any amount that the solver resolves"
    assert f"median (5 to 95 % of the patients); {counted}; {RULE}.</p>" in text
    # Of each arm the last cell but two of changes, and the first of levels.
    rows = [re.findall(r"<td>(.*?)</td>", row) for row in re.findall(r'<td class="under-1">(.*?)</tr>', shown)]
    changes, levels = said.partition("\nLevels\n")[0], said.partition("\nLevels\n")[2].partition("\nLevels, ")[0]
    lines = [re.findall(r"^ +[0-9]+ mg/d +(\S+ \(.*?\)|\S+)", part, re.MULTILINE) for part in (changes, levels)]
    assert [row[-3] for row in rows if len(row) == 4] == lines[0]
    assert [row[0] for row in rows if len(row) == 3] == lines[1]
    assert len(lines[0]) == len(lines[1]) > 60
    # A file of another version, or that was edited, is shown row by row.
    first, *rest = (tmp_path / "made" / "summary.csv").read_text(encoding="utf-8").splitlines(keepends=True)
    undefined = re.sub(r"[0-9]+\.[0-9]+", "nan", (tmp_path / "made" / "changes.csv").read_text(encoding="utf-8"))
    for name, edited in (
        ("changes.csv", "quantity,much\nifng,3\n"),
        ("changes.csv", undefined),
        # Of one quantity an arm has no row at one visit.
        ("summary.csv", "".join([first, *rest[:5], *rest[6:]])),
    ):
        before = (tmp_path / "made" / name).read_text(encoding="utf-8")
        (tmp_path / "made" / name).write_text(edited, encoding="utf-8")
        text = report(tmp_path / "made", Purpose(), error=False, figures=False)
        assert "<details>" not in text
        assert "<h3>Change since baseline (changes.csv)</h3>" in text
        (tmp_path / "made" / name).write_text(before, encoding="utf-8")
    (tmp_path / "made" / "summary.csv").write_bytes("quantity\n10 µg".encode("latin-1"))
    assert "<td>10 \ufffdg</td>" in report(tmp_path / "made", Purpose(), error=False, figures=False)


@pytest.mark.parametrize("name", ["summary.csv", "changes.csv"])
def test_an_empty_table_of_a_run_leaves_the_other_row_by_row(made: Path, name: str) -> None:
    (made / name).write_text("", encoding="utf-8")
    text = report(made, Purpose(), error=False, figures=False)
    assert "<details>" not in text
    assert f"({name})</h3>" in text


def test_ends_stand_beside_what_they_are_of_and_what_is_empty_is_left_out() -> None:
    columns = {
        "quantity": ["il17a", "ifng"],
        "arm": ["", ""],
        "median": ["-58", "9"],
        "p5": ["-68", ""],
        "p95": ["-38", ""],
        "median_low": ["-60", ""],
        "median_high": ["-50", ""],
        "up": ["0", "1"],
        "up_low": ["", ""],
        "up_high": ["", ""],
        "dose_low": ["3", "4"],
        "n": ["20", "20"],
    }
    assert narrow(columns) == {
        "quantity": ["il17a", "ifng"],
        "median (5 to 95 % of patients) [low to high end]": ["-58 (-68 to -38) [-60 to -50]", "9"],
        "share who rise": ["0", "1"],
        "dose, low end": ["3", "4"],
        "patients": ["20", "20"],
    }
    assert narrow({"quantity": [], "n": []}) == {"quantity": [], "patients": []}


def test_quantiles_stand_beside_their_median_and_never_beside_a_count() -> None:
    row = curve_rows(response(members=8, endpoints=1))[2]
    assert (row.parameter, row.patients, row.n) == ("ed50", 8, 8)
    columns = {name: [str(getattr(row, name))] for name in ("n", "n_all", "patients")}
    columns |= {"patients_p5": ["1.73"], "patients_median": ["7.74"], "patients_p95": ["24.3"]}
    assert narrow(columns, "curves.csv") == {
        "patients": ["8"],
        "patients in all": ["8"],
        "patients with a curve of their own": ["8"],
        "median of patients' own (5 to 95 %)": ["7.74 (1.73 to 24.3)"],
    }
    assert narrow({"patients": ["8"], "patients_p5": ["1"], "patients_p95": ["2"]}) == {
        "patients": ["8"],
        "patients, 5 % of patients below": ["1"],
        "patients, 95 % of patients below": ["2"],
    }
    # Of curves alone they are those who have one.
    assert narrow({"patients": ["8"]}, "curves.csv") == {"patients with a curve of their own": ["8"]}
    assert narrow({"patients": ["8"]}, "side-by-side.csv") == {"patients": ["8"]}
    # The quantiles of effects are of the median, though the mean stands before it.
    effects = {
        "mean": ["-10"],
        "mean_low": ["-19"],
        "mean_high": ["-3"],
        "p5": ["-26"],
        "median": ["-7"],
        "p95": ["-2"],
    }
    assert narrow(effects) == {
        "mean [low to high end]": ["-10 [-19 to -3]"],
        "median (5 to 95 % of patients)": ["-7 (-26 to -2)"],
    }
    # Two columns that the same words are for do not replace one another.
    assert narrow({"n": ["3"], "n_ok": ["2"]}) == {"patients": ["3"], "patients shown": ["2"]}
    assert narrow({"level": ["3"], "both_p5": ["1"], "p": ["2"], "p-value": ["4"]})["p-value, p-value"] == ["4"]


def test_counts_have_no_decimals_in_a_report(tmp_path: Path) -> None:
    table = ResultTable(("group", "n", "median"), (("all", 320.0, 48.0), ("DM", 48.0, 3.0), ("weighed", 31.25, 1.0)))
    Result(Provenance("run", {}, {}, "k"), "a run", None, tables={"changes": table}).write(tmp_path / "made")
    text = report(tmp_path / "made", Purpose())
    rows = [re.findall("<td[^>]*>([^<]*)</td>", line) for line in text.splitlines() if line.startswith("<tr><td>")]
    assert [row for row in rows if row[0] in ("all", "DM", "weighed")] == [
        ["all", "320", "48.0"],
        ["DM", "48", "3.00"],
        ["weighed", "31.2", "1.00"],
    ]


def test_a_report_tells_how_far_the_solving_of_its_sample_is(made: Path) -> None:
    told: list[tuple[int, str]] = []
    done: list[int] = []

    @contextlib.contextmanager
    def progress(total: int, label: str) -> Iterator[Callable[[int], None]]:
        told.append((total, label))
        yield done.append

    report(made, Purpose(), figures=False, progress=progress)
    assert [label for _, label in told] == ["numerical error"]
    assert sum(done) == told[0][0]
    report(made, Purpose(), figures=False, error=False, progress=progress)
    assert len(told) == 1


def test_a_file_that_changed_since_is_marked(made: Path) -> None:
    with open(made / "summary.csv", "a", encoding="utf-8") as file:
        file.write("\n")
    assert "<td>changed since</td>" in report(made, Purpose(), error=False, figures=False)


def test_the_error_actually_made_is_in_the_report_and_the_pictures_are_within_it(tmp_path: Path) -> None:
    assert run(write_files(tmp_path), "--out", tmp_path / "made") == 0
    text = report(tmp_path / "made", Purpose())
    assert "A sample was solved again at a tolerance of 1e-09: 3 trajectories by" in text
    assert "What was promised is held." in text
    assert text.count("data:image/png;base64,") == 3
    assert "<figcaption>time course</figcaption>" in text


def test_a_sweep_is_reported_with_its_axes_and_its_figure(tmp_path: Path) -> None:
    scenario = write_files(tmp_path)
    simulate.sweep(scenario, {"dose": "1,2,4 mg"}, out=tmp_path / "doses").close()
    text = report(tmp_path / "doses", Purpose(), error=False)
    assert "<h2>Regimen, patients and what is varied</h2>" in text
    assert '<td>dose</td><td class="number">3</td><td>1, 2, 4</td>' in text
    assert "<figcaption>change over dose</figcaption>" in text
    assert "<mi>X</mi>" in text


def test_a_folder_without_a_finished_run_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError) as caught:
        report(tmp_path, Purpose())
    assert str(caught.value) == (
        "error[report.none]: there is no finished run in the folder\n"
        f"  --> {tmp_path}\n"
        "  found:    a folder without manifest.json\n"
        "  expected: a folder that a verb made, most of them with --out"
    )
    with pytest.raises(InputError) as caught:
        report(tmp_path / "nothing", Purpose())
    assert str(caught.value) == (
        "error[report.none]: there is no such folder\n"
        f"  --> {tmp_path / 'nothing'}\n"
        "  expected: a folder that a verb made, most of them with --out"
    )


def test_the_report_stands_beside_its_folder_and_replaces_nothing_unasked(
    made: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    arguments = ["report", str(made), "--no-error", "--no-figures"]
    capsys.readouterr()
    assert outcome([*arguments, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["report"] == str(made) + ".html"
    assert outcome(arguments) == 3
    assert capsys.readouterr().err == (
        "error[store.occupied]: the file is there already\n"
        f"  --> {made}.html\n"
        "  try:      choose another with --out, or replace it with --force\n"
    )
    assert outcome([*arguments, "--force"]) == 0


def test_control_characters_are_in_no_document() -> None:
    assert escaped('a\x00\x1b<b>"\u202e') == "a&lt;b&gt;&quot;"


def test_a_dose_response_study_is_reported_with_its_curves_and_its_model(tmp_path: Path) -> None:
    arguments = ["dose-response", "anakinra-100mg-daily", "--fit", "typical"]
    arguments += ["--set", "time.end=4 d", "-e", "ck@4", "-e", "il17a@4", "-n", "3", "--effect", "90"]
    assert outcome([*arguments, "--dose", "1:100:4log", "--replicates", "0", "--out", str(tmp_path / "study")]) == 0
    text = report(tmp_path / "study", Purpose())
    assert "<h3>Curves of effect against dose (curves.csv)</h3>" in text
    assert '<td>blocked is a signal of IL-1 below this, % of its baseline</td><td class="number">10</td>' in text
    # Cells have no plateau after four days.
    assert "<td>not known in the range</td>" in text
    assert "<h2>Parameters</h2>" in text
    assert "anakinra at the injection site" in text
    assert "What is varied, and what is asked of it" in text
    assert "arm dose 100 mg, day" in text  # the numerical error is that of doses of the study
    assert "0, 1, 4.642, 21.54, 100 mg" in text
    assert "A sample was solved again" in text
    assert "Trajectories: n 15, n_ok 15." in text


@pytest.mark.parametrize(
    ("name", "row", "told"),
    [
        ("effect-doses.csv", ("150", "90", ""), ("150", "90", "more than 300")),
        ("effect-doses.csv", ("", "90", ""), ("not known but for its ends", "90", "more than 300")),
        ("isoboles.csv", ("5", "", "20"), ("5", "less than the doses", "20")),
        ("isoboles.csv", ("", "", ""), ("not known in the range", "", "")),
        # Intervals that nobody asked for are not beyond anything.
        ("effect-doses.csv", ("5", "", ""), ("5", "", "")),
    ],
)
def test_a_dose_beyond_those_of_the_study_is_told_in_words(
    name: str, row: tuple[str, ...], told: tuple[str, ...]
) -> None:
    columns = ("dose", "low", "high")
    assert in_words(name, dict(zip(columns, row, strict=True)), "300") == dict(zip(columns, told, strict=True))


def test_what_no_data_tell_is_not_a_blank_either() -> None:
    assert in_words("curves.csv", {"estimate": "", "low": "", "high": ""}, "")["estimate"] == "not estimable"
    between = in_words("curves.csv", {"estimate": "", "low": "1", "high": "3"}, "")
    assert between == {"estimate": "not known but for its ends", "low": "1", "high": "3"}
    assert in_words("profiles.csv", {"low": "0.2", "high": ""}, "") == {"low": "0.2", "high": "open"}
    assert in_words("ranking.csv", {"n_needed": ""}, "") == {"n_needed": "over 512"}
    # Curves of another kind have no estimates, and a blank in another table is one.
    assert in_words("curves.csv", {"value": ""}, "") == {"value": ""}
    assert in_words("summary.csv", {"trough": ""}, "") == {"trough": ""}


def test_tables_and_figures_of_a_trial_are_titled_by_what_they_have(tmp_path: Path) -> None:
    simulate.trial("H0", endpoints=["ck"], sizes=[20, 40], studies=100, draws=8, patients=16, out=tmp_path / "trial")
    text = report(tmp_path / "trial", Purpose())
    titles = re.findall(r"<h3>(.*?\.csv\))</h3>", text)
    assert titles == [
        "Power over the number of patients (curves.csv)",
        "Power and errors of sign and size, by effect and test (effects.csv)",
        "Power of endpoints that are judged together (endpoints.csv)",
        "Reported values among repeated studies (printed.csv)",
    ]
    captions = re.findall("<figcaption>(.*?)</figcaption>", text)
    assert captions == ["power, and errors of sign and size, by effect and test", "power over the number of patients"]
    assert f"<p>{APART}</p>" in text


def test_a_sweep_under_a_hypothesis_says_that_it_is_one_of_several(tmp_path: Path) -> None:
    asked = {"patients": 2, "hypothesis": "H1", "fit": "typical", "end": "2 d", "every": "1 d"}
    simulate.sweep("anakinra-100mg-daily", {"dose": "10,100 mg"}, out=tmp_path / "doses", **asked).close()
    assert f"<p>{APART}</p>" in report(tmp_path / "doses", Purpose(), figures=False)


def test_a_folder_without_a_model_is_reported_without_one(tmp_path: Path) -> None:
    provenance = Provenance("dose-response", {}, {}, "k")
    curves = table_of(curve_rows(response(members=8, endpoints=1)), CurveRow)
    Result(provenance, "a study", None, tables={"curves": curves}).write(tmp_path / "study")
    text = report(tmp_path / "study", Purpose())
    assert "The folder has no model." in text
    assert "<h3>Curves of effect against dose (curves.csv)</h3>" in text
    assert '<td>ed50</td><td>mg</td><td class="number">8.00</td>' in text
    assert "<img" not in text
    assert "<p>The tables below have what came out.</p>" in text


def test_a_run_answers_with_the_change_of_what_it_keeps_and_says_of_whom(made: Path) -> None:
    text = report(made, Purpose(question="what is left?"), error=False)
    opening = text[text.index("<h2>Question</h2>") : text.index("<h2>Results</h2>")]
    assert "<p>what is left?</p>" in opening
    assert " (X) at day 4: change -14 %.</p>" in opening
    assert "Parameters are at their typical values" in opening
    assert opening.count("<img") == 1


def test_a_sweep_answers_with_both_ends_of_its_axis(tmp_path: Path) -> None:
    with simulate.sweep(write_files(tmp_path), {"dose": "1,2,4 mg"}, out=tmp_path / "doses") as swept:
        values = swept["X"].values
        medians = np.median(100.0 * (values[:, :, -1] / values[:, :, 0] - 1.0), axis=1)
    text = report(tmp_path / "doses", Purpose(), error=False)
    (answer,) = [line for line in text.splitlines() if "where dose is 1 mg, " in line]
    told = [float(part.split()[0]) for part in (answer.split(": ")[1], answer.split("1 mg, ")[1])]
    assert told == [round(medians[0]), round(medians[2])]
    assert "drug (X), change by day 4: " in answer
    assert told[0] < told[1]
    assert answer.endswith("where it is 4 mg.</p>")


def test_a_sweep_over_two_axes_tells_both_in_title_question_and_answer_and_on_what_it_stands(tmp_path: Path) -> None:
    swept = simulate.sweep(write_files(tmp_path), {"dose": "1,2,4 mg", "k": "0.2,0.5"}, out=tmp_path / "both")
    with swept as found:
        values, doses = found["X"].values, found["over_dose"].values
        changes = 100.0 * (values[:, :, -1] / values[:, :, 0] - 1.0)
        low, high = (f"{np.median(changes[doses == end]):+.0f}" for end in (1.0, 4.0))
    text = report(tmp_path / "both", Purpose(), error=False, figures=False)
    over = "over dose from 1 to 4 mg and k from 0.2 to 0.5 1/d"
    title = re.findall("<h1>(.*)</h1>", text)[0]
    assert title.endswith(f", {over}")
    assert f"<title>{title}</title>" in text
    assert f"<h2>Question</h2>\n<p>What comes of {title}?</p>" in text
    answer = f"{low} % where dose is 1 mg, {high} % where it is 4 mg, with k from 0.2 to 0.5 1/d together."
    assert f"<p>drug (X), change by day 4: {answer}</p>" in text
    # No fit is spoken of that such a model does not have.
    assert "<p>Parameters are as the model has them: what is not known of them is in no number.</p>" in text
    assert "typical" not in text[: text.index("<h2>Results</h2>")]


def test_a_picture_is_as_wide_as_it_was_drawn_for_a_screen() -> None:
    from matplotlib.figure import Figure

    from simulate.figures.style import png_bytes

    figure = Figure(figsize=(5.0, 2.0))
    assert '<img alt="a line" width="720" src="data:' in picture(png_bytes(figure), "a line")
    assert '<img alt="none" src="data:' in picture(b"no picture", "none")


def test_hypotheses_side_by_side_tell_who_is_in_no_number(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Under H2 some patients of some draws have no steady baseline."""
    asked = {"time.end": "2 d"}
    simulate.side_by_side("anakinra-100mg-daily", ["H0", "H2"], patients=3, draws=4, settings=asked, out=tmp_path / "h")
    shown = re.sub("<[^>]*>", "", simulate.report(tmp_path / "h", error=False))
    assert "H2: 1 of 12 trajectories did not reach the end, and is in no number." in shown
    assert "Trajectories of H0: n 12, n_ok 12." in shown
    assert "Trajectories of H2: n 12, n_ok 11, infeasible 1." in shown
    assert outcome(["runs", "show", str(tmp_path / "h")]) == 0
    assert "counters: H0.n 12, H0.n_ok 12, H2.n 12, H2.n_ok 11, H2.infeasible 1\n" in capsys.readouterr().out


def test_an_opening_of_a_stranger_is_shown_as_text(made: Path) -> None:
    manifest = read_manifest(made)
    assert manifest is not None
    told = {"question": "<script>", "sentences": ["<img src=x>"], "caveats": "none"}
    for answer in (told, "no", None):
        (made / "manifest.json").write_text(manifest_text(manifest | {"answer": answer}), encoding="utf-8")
        text = report(made, Purpose(), error=False, figures=False)
        assert Reading(text).tags <= ALLOWED


@pytest.mark.parametrize("name", ["effect-doses.csv", "isoboles.csv", "curves.csv", "profiles.csv", "ranking.csv"])
def test_a_table_without_the_columns_of_ends_is_told_as_it_is(name: str) -> None:
    assert in_words(name, {"dose": "5", "estimate": "2"}, "300") == {"dose": "5", "estimate": "2"}


def test_one_patient_of_a_model_of_another_program_is_told_without_plurals_hypotheses_and_populations(
    tmp_path: Path,
) -> None:
    (tmp_path / "decay.xml").write_text(decay("hour"), encoding="utf-8")
    simulate.run(tmp_path / "decay.xml", end="5", out=tmp_path / "run", figures=False)
    text = report(tmp_path / "run", Purpose(), error=False, figures=False)
    assert "<p>1 patient.</p>" in text
    assert "<p>1 patient, seed 1; to 5 h.</p>" in text
    simulate.sweep(tmp_path / "decay.xml", {"k": [0.1, 0.2]}, end="5", out=tmp_path / "sweep")
    text = report(tmp_path / "sweep", Purpose(), error=False, figures=False)
    assert "1 patient at each point, the same at all. Medians of patients." in text
    assert "<p>1 patient, seed 1; to 5 h.</p>" in text


def test_a_sweep_over_texts_alone_is_answered_for_each_and_of_many_for_the_ends(tmp_path: Path) -> None:
    few = ["-n", "2", "--fit", "typical", "--set", "time.end=14 d", "-q", "il17a", "--at", "0 d", "--at", "14 d"]
    regimens = [f"{dose} mg sc daily" for dose in (30, 10, 300, 100, 3)]
    medians = {}
    for number in (2, 5):
        place = tmp_path / f"of{number}"
        over = f"regimen={'|'.join(regimens[:number])}"
        assert outcome(["sweep", "anakinra-100mg-daily", *few, "--over", over, "--out", str(place)]) == 0
        with (place / "changes.csv").open(encoding="utf-8", newline="") as file:
            medians = {row["over_regimen"]: float(row["median"]) for row in csv.DictReader(file)}
        told = regimens[:2] if number == 2 else ["300 mg sc daily", "3 mg sc daily"]
        names = ("regimen", *["it"] * len(told))
        each = [f"{signed(medians[text])} % where {name} is {text}" for name, text in zip(names, told, strict=False)]
        (sentence,) = ends_of_axes(place)
        assert sentence.endswith(f"(il17a), change by day 14: {', '.join(each)}.")
