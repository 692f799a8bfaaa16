"""The table of a contrast fits on a page of 80 letters, whatever the names of the hypotheses."""

from __future__ import annotations

import pytest

from simulate.results.contrast import WIDTH, _lined_up

ROW = ["muscle inflammation of a kind", "stop + 4 wk", "-100 [-100, -100]", "+0.9 [+0.4, +1.2]", "100 %", "over 512?"]


@pytest.mark.parametrize("name", ["H0", "H1+H6", "H1+H3a+H4+H7"])
def test_a_page_has_lines_of_eighty_letters_and_no_number_is_broken(name: str) -> None:
    headings = ["readout", "visit", f"change, %: {name}", f"change, %: {name}", f"{name} higher", "patients"]
    lines = _lined_up(headings, [ROW, ["naive", *ROW[1:]]])
    assert max(map(len, lines)) <= WIDTH
    for cell in ROW[1:]:
        assert all(cell in line for line in lines[-2:])
    above = " ".join(lines[:-3])
    assert "".join(above.split()).count("change,%:") == 2
    assert lines[-1].startswith("naive ")
