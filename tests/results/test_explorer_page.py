"""The page in a real browser without a window: every control moves what it says, and nothing is loaded."""

from __future__ import annotations

import csv
import io
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import simulate

BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable", "chrome")
PATIENTS, DRAWS = 6, 2
READY = 'html[data-refined]:not([data-refined=""])'


@pytest.fixture(scope="module")
def page_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("explorer") / "page.html"
    simulate.explore(hypotheses=["H1+H6", "H4"], patients=PATIENTS, draws=DRAWS, out=path)
    return path


@pytest.fixture(scope="module")
def light_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A page that is soon solved."""
    path = tmp_path_factory.mktemp("explorer") / "light.html"
    simulate.explore(hypotheses=["H4"], patients=2, draws=1, out=path)
    return path


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    api = pytest.importorskip(
        "playwright.sync_api", reason="playwright, which drives a browser, is not installed: pip install playwright"
    )
    found = next((path for name in BROWSERS if (path := shutil.which(name))), None)
    with api.sync_playwright() as driver:
        own = Path(driver.chromium.executable_path)
        if found is None and not own.exists():
            pytest.skip("no browser: apt-get install chromium, or playwright install chromium")
        # A browser refuses to run as root with its own walls around pages.
        options = ["--no-sandbox"] if hasattr(os, "geteuid") and os.geteuid() == 0 else []
        running = driver.chromium.launch(executable_path=found if not own.exists() else None, args=options)
        yield running
        running.close()


@pytest.fixture(scope="module")
def told() -> dict[str, list[str]]:
    """What the page asked for, and what went wrong."""
    return {"requests": [], "errors": []}


@pytest.fixture(scope="module")
def page(browser: Any, page_file: Path, told: dict[str, list[str]]) -> Any:
    context = browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="light", accept_downloads=True)
    found = context.new_page()
    found.set_default_timeout(120_000)
    found.on("request", lambda request: told["requests"].append(request.url))
    found.on("pageerror", lambda error: told["errors"].append(str(error)))
    found.on("console", lambda line: told["errors"].append(line.text) if line.type == "error" else None)
    found.goto(page_file.as_uri())
    found.wait_for_selector(READY, state="attached")
    return found


@pytest.fixture(autouse=True)
def _as_at_first(request: pytest.FixtureRequest) -> None:
    if "page" in request.fixturenames:
        page = request.getfixturevalue("page")
        if page.url.endswith((".html", "#")):
            return
        moved(page, lambda: page.click("#reset"))


def moved(page: Any, act: Any) -> None:
    """Do something, and wait until all patients have been solved again."""
    before = int(page.get_attribute("html", "data-move"))
    act()
    page.wait_for_selector(f'html:not([data-move="{before}"])', state="attached")
    page.wait_for_selector(READY, state="attached")


def shares(page: Any, quantity: str, hypothesis: str) -> tuple[int, int]:
    """Percentages of patients in whom a quantity falls and rises, as the table has them."""
    text = page.inner_text(f'#changes tr[data-quantity="{quantity}"][data-hypothesis="{hypothesis}"]')
    found = re.search(r"(\d+) % fall, (\d+) % rise", text)
    assert found is not None
    return int(found[1]), int(found[2])


def set_slider(page: Any, name: str, value: float) -> None:
    slider = page.locator(f"#set-{name}")
    slider.evaluate(
        "(input, value) => { input.value = value; input.dispatchEvent(new Event('input', { bubbles: true })); }", value
    )


def test_a_page_shows_both_hypotheses_without_a_request_or_an_error(page: Any, told: dict[str, list[str]]) -> None:
    assert page.title() == "anakinra 100 mg once a day for 6 months"
    assert page.locator("#charts figure canvas").count() == 6
    assert shares(page, "il17a", "H1+H6")[0] >= 90
    assert shares(page, "ifng", "H4")[1] >= 90
    assert "rose" in page.inner_text('#changes tr[data-quantity="ifng"]')
    assert [url for url in told["requests"] if not url.startswith(("file:", "blob:", "data:"))] == []
    assert told["errors"] == []


def test_without_doses_nothing_that_follows_them_changes(page: Any) -> None:
    moved(page, lambda: set_slider(page, "dose", 0))
    assert page.inner_text("#set-dose >> xpath=../output") == "none"
    assert shares(page, "signal_lymph", "H1+H6") == (0, 0)


def test_an_arrow_key_moves_a_slider_and_says_its_value_with_the_unit(page: Any) -> None:
    slider = page.get_by_label("Dose", exact=True)
    slider.focus()
    moved(page, lambda: slider.press("ArrowRight"))
    assert slider.get_attribute("aria-valuetext") == "105 mg"
    assert page.evaluate("window.explorer.state().dose") == 105


def test_what_is_heard_is_the_share_of_patients_at_the_day_that_is_read(page: Any) -> None:
    assert page.get_attribute("#summary", "aria-live") == "polite"
    moved(page, lambda: set_slider(page, "read", 91))
    page.locator("#summary", has_text="At day 91").wait_for()
    assert "IL-17A+ cells down in" in page.inner_text("#summary")


def test_an_interval_of_a_link_beyond_a_week_is_within_reach_of_its_slider(browser: Any, light_file: Path) -> None:
    other = browser.new_page()
    other.goto(f"{light_file.as_uri()}#every=14")
    other.wait_for_selector(READY, state="attached", timeout=120_000)
    assert other.input_value("#set-every") == "336"
    other.close()


def test_wash_out_and_missed_doses_give_signal_back(page: Any) -> None:
    def last() -> float:
        rows = list(csv.DictReader(io.StringIO(page.evaluate("window.explorer.table()"))))
        kept = [
            row for row in rows if (row["quantity"], row["day"], row["reading"]) == ("signal_lymph", "182", "level")
        ]
        return float(kept[0]["median"])

    whole = last()
    moved(page, lambda: set_slider(page, "missing", 60))
    missed = last()
    moved(page, lambda: set_slider(page, "stop", 90))
    assert whole < missed < 60 < last()


@pytest.mark.parametrize("missing", [0, 40])
def test_bands_are_quantiles_of_the_patients_of_whom_some_miss_doses(page: Any, missing: int) -> None:
    if missing:
        moved(page, lambda: set_slider(page, "missing", missing))
    found = page.evaluate(
        """() => {
        const move = window.explorer.move(), one = [...move.found.values()][0], kept = (name) =>
          Array.from({ length: one[name].size }, (_, k) => Array.from(one[name].get(k)));
        return { names: one.names, solved: kept("values"), followed: kept("followed") };
        }"""
    )
    rows = list(csv.DictReader(io.StringIO(page.evaluate("window.explorer.table()"))))
    for name, kind in (("il17a", "solved"), ("signal_lymph", "followed")):
        shape = (PATIENTS, len(found["names"]), -1)
        courses = np.reshape(found[kind], shape)[:, found["names"].index(name)]
        own = [row for row in rows if (row["hypothesis"], row["quantity"], row["reading"]) == ("H1+H6", name, "level")]
        shown = np.array([[float(row[column]) for row in own] for column in ("p5", "median", "p95")])
        np.testing.assert_allclose(shown, np.quantile(courses, (0.05, 0.5, 0.95), axis=0), rtol=1e-12)


def test_a_parameter_moves_the_hypotheses_that_have_it(page: Any) -> None:
    before = page.evaluate("window.explorer.table()")
    moved(page, lambda: set_slider(page, "x-f_m", -0.3))
    assert page.evaluate("window.explorer.state().factors.f_m") == pytest.approx(10**-0.3, rel=0.01)
    assert page.evaluate("window.explorer.table()") != before
    assert "x.f_m=" in page.url


def test_another_parameter_gets_a_slider_when_it_is_chosen(page: Any) -> None:
    page.select_option("#another", "CL")
    page.locator("#set-x-CL").wait_for()
    assert page.evaluate("document.activeElement.id") == "set-x-CL"


def test_a_link_holds_the_setting_and_reset_forgets_it(page: Any, browser: Any) -> None:
    moved(page, lambda: set_slider(page, "dose", 200))
    moved(page, lambda: page.select_option("#beside", "-1"))
    address = page.url
    assert "dose=200" in address
    other = browser.new_page()
    other.goto(address)
    other.wait_for_selector(READY, state="attached", timeout=120_000)
    assert other.evaluate("[window.explorer.state().dose, window.explorer.state().second]") == [200, -1]
    other.close()
    moved(page, lambda: page.click("#reset"))
    assert "dose" not in page.url
    assert page.evaluate("window.explorer.state().dose") == 100


def test_a_table_and_a_picture_can_be_saved(page: Any) -> None:
    with page.expect_download() as started:
        page.click("#csv")
    rows = list(csv.DictReader(io.StringIO(Path(started.value.path()).read_text(encoding="utf-8"))))
    assert {row["hypothesis"] for row in rows} == {"H1+H6", "H4"}
    end = [row for row in rows if (row["quantity"], row["day"], row["reading"]) == ("il17a", "182", "change")]
    assert all(float(row["p5"]) <= float(row["median"]) <= float(row["p95"]) < 0 for row in end)
    with page.expect_download() as started:
        page.click("#png")
    assert Path(started.value.path()).read_bytes().startswith(b"\x89PNG")


def headings(page: Any) -> list[str]:
    return page.locator("#charts .unit").all_inner_texts()  # type: ignore[no-any-return]


def test_a_page_of_a_treatment_begins_with_changes_and_shares_stay_levels(page: Any) -> None:
    change, level = ",\xa0change\xa0in\xa0%", ",\xa0level\xa0in\xa0%"
    assert page.is_checked("input[name=view][value=changes]")
    assert headings(page) == [change] * 3 + [level] * 3
    page.check("input[name=view][value=levels]")
    page.locator("#charts", has_text="change").wait_for(state="detached")
    assert headings(page) == [",\xa0%", ",\xa0%", ",\xa0µkat/L", *[",\xa0%"] * 3]
    assert "view=levels" in page.evaluate("location.hash")
    page.keyboard.press("v")
    page.locator("#charts", has_text="change").wait_for(state="attached")
    assert page.is_checked("input[name=view][value=changes]")
    assert "view" not in page.evaluate("location.hash")


def test_a_link_that_asks_for_levels_opens_with_them(browser: Any, light_file: Path) -> None:
    other = browser.new_page()
    other.goto(f"{light_file.as_uri()}#dose=150&view=levels")
    other.wait_for_selector(READY, state="attached", timeout=120_000)
    assert other.evaluate("[window.explorer.state().dose, window.explorer.state().view]") == [150, "levels"]
    assert not any("change" in text for text in headings(other))
    other.close()


def test_a_page_of_nothing_that_is_given_begins_with_levels(browser: Any, tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    simulate.explore("untreated", ["H4"], patients=2, draws=1, out=path)
    other = browser.new_page()
    other.goto(path.as_uri())
    other.wait_for_selector(READY, state="attached", timeout=120_000)
    assert other.is_checked("input[name=view][value=levels]")
    other.close()


def test_dark_can_be_seen_in_place_of_light(page: Any) -> None:
    light = page.evaluate("getComputedStyle(document.body).backgroundColor")
    page.click("#theme")
    assert page.evaluate("getComputedStyle(document.body).backgroundColor") != light


def test_every_control_has_a_name_and_every_picture_says_what_it_shows(page: Any) -> None:
    nameless = page.evaluate(
        """Array.from(document.querySelectorAll("input, select, button"))
        .filter((one) => !(one.labels && one.labels.length) && !one.textContent.trim())
        .map((one) => one.id || one.outerHTML)"""
    )
    assert nameless == []
    texts = page.evaluate(
        "Array.from(document.querySelectorAll('[role=img]'), (one) => one.getAttribute('aria-label'))"
    )
    assert len(texts) == 6
    assert all("the median goes from" in text for text in texts)


@pytest.mark.parametrize(("width", "height"), [(390, 844), (820, 1180), (1440, 900)])
def test_nothing_is_wider_than_the_window(page: Any, width: int, height: int) -> None:
    page.set_viewport_size({"width": width, "height": height})
    page.wait_for_timeout(200)
    assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_small_screen_begins_with_two_charts_and_the_sliders_of_dose_and_interval(
    browser: Any, page_file: Path
) -> None:
    other = browser.new_page(viewport={"width": 400, "height": 800})
    other.goto(page_file.as_uri())
    other.wait_for_selector(READY, state="attached", timeout=120_000)
    ends = other.evaluate(
        """[...document.querySelectorAll("#charts canvas")].slice(0, 2)
        .concat(document.getElementById("set-dose"), document.getElementById("set-every"))
        .map((one) => one.getBoundingClientRect().bottom)"""
    )
    assert ends == sorted(ends)
    assert ends[-1] <= 800
    assert other.evaluate("document.querySelector('h1').getBoundingClientRect().height") < 30
    other.close()


def test_a_page_in_a_frame_as_of_a_notebook_works_without_an_address(browser: Any, light_file: Path) -> None:
    shown = simulate.Explorer(light_file.read_text(encoding="utf-8"))._repr_html_()
    other = browser.new_page()
    other.set_content(shown)
    frame = other.frame_locator("iframe")
    frame.locator(READY).wait_for(state="attached", timeout=120_000)
    assert frame.locator("#charts figure").count() == 6
    other.close()


def test_parameters_are_in_the_order_of_how_far_they_move_what_is_charted(page: Any) -> None:
    page.locator("#ranking", has_text="come first").wait_for()
    found = page.locator("#factors .slider").evaluate_all(
        "rows => rows.map(row => [row.querySelector('input').id, row.querySelector('.hint').textContent])"
    )
    moves = [re.search(r"; moves the (level|change) of “(.+)” by (\S+) points$", hint) for _, hint in found]
    ranked = [match for match in moves if match is not None]
    sizes = [float(match[3]) for match in ranked]
    assert len(sizes) >= 6
    assert sizes == sorted(sizes, reverse=True)
    # Occupancy and signal are shares: a change of them is charted nowhere.
    data = page.evaluate("window.explorer.data.hypotheses[0].quantities")
    levels = {row["short"]: "level" if row["name"].startswith(("occupancy", "signal")) else "change" for row in data}
    assert [match[1] for match in ranked] == [levels[match[2]] for match in ranked]
    # Its slider is always there, first only where it moves the most.
    assert "set-x-f_m" in [name for name, _ in found]


def test_what_a_molecule_weighs_has_no_slider(page: Any) -> None:
    offered = page.locator("#another option").evaluate_all("rows => rows.map(row => row.value)")
    assert {"molar_mass", "mass_il1"}.isdisjoint(offered)
    assert page.evaluate("window.explorer.data.hypotheses[0].parameters.some(part => part.name === 'molar_mass')")


def test_no_verdict_is_given_before_the_first_look_is_refined(browser: Any, light_file: Path) -> None:
    found = browser.new_context().new_page()
    found.add_init_script(
        """window.seen = [];
        addEventListener("DOMContentLoaded", () => new MutationObserver(() => {
          const table = document.getElementById("changes");
          if (table.innerText) window.seen.push(table.innerText);
        }).observe(document.getElementById("changes"), { childList: true, subtree: true }));"""
    )
    found.goto(light_file.as_uri())
    found.wait_for_selector(READY, state="attached")
    first, *_, last = found.evaluate("window.seen")
    assert "a first look, which is being refined" in first
    assert "so far" in first
    assert not re.search("agrees|undecided", first)
    assert "so far" not in last
    assert "being refined" not in last
    assert re.search("agrees|undecided", last)
    found.close()
