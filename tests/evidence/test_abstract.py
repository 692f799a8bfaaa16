"""The printed figures, as data."""

from __future__ import annotations

import pytest

from simulate import shipped
from simulate.biology.reference import reference_model
from simulate.files import read_toml
from simulate.symbolic.units import unit

DOCUMENT = read_toml(shipped.root() / "observations" / "abstract.toml")
ITEMS = DOCUMENT.data["item"]
BY_ID = {item["id"]: item for item in ITEMS}


def test_ids_are_unique() -> None:
    assert len(BY_ID) == len(ITEMS)


@pytest.mark.parametrize("item", ITEMS, ids=lambda item: item["id"])
def test_an_item_has_what_every_item_has(item: dict[str, object]) -> None:
    assert {"id", "quotation", "quantity", "visit_day", "kind", "standing"} <= item.keys()
    assert item["visit_day"] in (0, 182)
    assert item["kind"] in ("mean_range", "count", "p_value", "correlation", "direction", "protocol")
    assert item["standing"] in ("reported", "disputed", "ambiguous", "healthy control")
    assert item["standing"] == "reported" or item["note"]


@pytest.mark.parametrize("item", [item for item in ITEMS if item["kind"] == "mean_range"], ids=lambda item: item["id"])
def test_levels_are_in_a_unit_of_the_observable_and_their_figures_are_in_the_quotation(
    item: dict[str, object],
) -> None:
    observables = {observable.name: observable for observable in reference_model().observables}
    assert unit(str(item["unit"])).dimension == observables[str(item["quantity"])].unit.dimension
    printed = str(item["quotation"]).replace(" ", "")
    for figure in ("mean", "low", "high"):
        assert str(item[figure]) in printed


def test_a_range_that_contradicts_itself_is_kept_as_printed_and_marked_disputed() -> None:
    impossible = [
        item["id"] for item in ITEMS if item["kind"] == "mean_range" and not item["low"] <= item["mean"] <= item["high"]
    ]
    assert impossible == ["il1ra-on-drug"]
    assert BY_ID["il1ra-on-drug"]["standing"] == "disputed"
    assert (BY_ID["il1ra-on-drug"]["low"], BY_ID["il1ra-on-drug"]["high"]) == (19572, 18844)
