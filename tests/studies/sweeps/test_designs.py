"""Designs: crossed, in step, and drawn."""

from __future__ import annotations

import numpy as np
import pytest

from simulate.errors import InputError
from simulate.studies.sweeps.axes import parse_axis
from simulate.studies.sweeps.designs import SweepDesign, parse_sample, points_of


def axes(*texts: str) -> list:  # type: ignore[type-arg]
    return [parse_axis(text) for text in texts]


def fault(design: SweepDesign, *texts: str) -> str:
    with pytest.raises(InputError) as caught:
        points_of(axes(*texts), design)
    return str(caught.value)


def test_crossed_axes_meet_value_by_value_the_last_fastest() -> None:
    assert points_of(axes("a=1,2", "b=3,4,5"), SweepDesign()) == (
        *((1.0, 3.0), (1.0, 4.0), (1.0, 5.0)),
        *((2.0, 3.0), (2.0, 4.0), (2.0, 5.0)),
    )


def test_axes_in_step_go_side_by_side() -> None:
    assert points_of(axes("a=1,2", "b=3,4"), SweepDesign(zipped=True)) == ((1.0, 3.0), (2.0, 4.0))


@pytest.mark.parametrize("sample", ["latin-hypercube", "sobol"])
def test_each_of_equal_slices_of_a_range_is_drawn_from_once(sample: str) -> None:
    points = np.array(points_of(axes("a=0:1", "b=1:16:log"), SweepDesign(sample=sample, points=32)))  # type: ignore[arg-type]
    assert sorted(np.floor(points[:, 0] * 32).tolist()) == list(range(32))
    assert sorted(np.floor(np.log(points[:, 1]) / np.log(16.0) * 32).tolist()) == list(range(32))


def test_what_is_drawn_is_crossed_with_what_is_listed_and_keeps_the_order_of_axes() -> None:
    points = points_of(axes("a=0:1", "b=1,2"), SweepDesign(sample="sobol", points=4))
    assert [point[1] for point in points] == [1.0] * 4 + [2.0] * 4
    assert [point[0] for point in points[:4]] == [point[0] for point in points[4:]]


def test_a_design_depends_on_its_seed_and_on_nothing_else() -> None:
    def drawn(seed: int) -> object:
        return points_of(axes("a=0:1", "b=0:1"), SweepDesign(sample="latin-hypercube", points=8, seed=seed))

    assert drawn(1) == drawn(1)
    assert drawn(1) != drawn(2)


def test_designs_are_read_by_their_names() -> None:
    assert parse_sample("lhs:100") == ("latin-hypercube", 100)
    assert parse_sample("latin-hypercube:5") == ("latin-hypercube", 5)
    assert parse_sample("sobol:64") == ("sobol", 64)
    with pytest.raises(InputError) as caught:
        parse_sample("halton:3")
    assert str(caught.value) == (
        "error[sweep.design]: the design `halton:3` cannot be read\n  --> --design halton:3\n"
        "  expected: `sobol:64` or `lhs:100`: a name and a number of points"
    )


@pytest.mark.parametrize(
    ("design", "texts", "message"),
    [
        (
            SweepDesign(zipped=True),
            ("a=1,2", "b=1,2,3"),
            "error[sweep.design]: axes that go in step differ in length\n  found:    `a` has 2, `b` has 3",
        ),
        (
            SweepDesign(),
            ("a=0:1",),
            "error[sweep.design]: the axis `a` is a range, and no design says how to draw from it\n  --> --over a=0:1\n"
            "  try:      give a number of values, `low:high:10`, or a design, `--design sobol:64`",
        ),
        (
            SweepDesign(sample="sobol", points=4),
            ("a=0,1",),
            "error[sweep.design]: no axis is a range for the design `sobol` to draw from\n"
            "  try:      leave the design or the number of values out",
        ),
        (
            SweepDesign(sample="sobol", points=6),
            ("a=0:1",),
            "error[sweep.design]: a Sobol design cannot have 6 points\n"
            "  expected: a power of two, such as 64 or 128, without which it loses its balance",
        ),
        (
            SweepDesign(sample="latin-hypercube", points=0),
            ("a=0:1",),
            "error[sweep.design]: the design has no point\n  expected: 1 or more",
        ),
        (
            SweepDesign(),
            ("a=0:1:1000", "b=0:1:1000"),
            "error[sweep.design]: the design has 1000000 points\n"
            "  expected: at most 100000, each of which is an arm of the result",
        ),
        (
            SweepDesign(),
            ("a=0:1:10", "a=2,3"),
            "error[sweep.axis]: the axis `a` is there twice\n  --> --over a=0:1:10",
        ),
    ],
)
def test_a_design_that_cannot_be_is_refused(design: SweepDesign, texts: tuple[str, ...], message: str) -> None:
    assert fault(design, *texts) == message
