"""Designs: which combinations of the values of several axes a sweep visits."""

from __future__ import annotations

import itertools
import math
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from simulate.errors import InputError, Where, counted
from simulate.streams import stream
from simulate.studies.sweeps.axes import Axis

MAX_POINTS = 100_000
"""Most points of a design: each is an arm of the result."""

Value = float | str
Sample = Literal["latin-hypercube", "sobol"]

SAMPLES: dict[str, Sample] = {"latin-hypercube": "latin-hypercube", "lhs": "latin-hypercube", "sobol": "sobol"}


@dataclass(frozen=True, slots=True)
class SweepDesign:
    """The way in which axes are combined."""

    zipped: bool = False  #: Whether axes with values are taken in step, and not each value with each
    #: How values are drawn for the axes that have a range instead of values; None where there is none. Whatever is
    #: drawn is crossed with the other axes.
    sample: Sample | None = None
    points: int = 0
    seed: int = 1
    where: Where | None = None  #: Where it is written


def parse_sample(text: str) -> tuple[Sample, int]:
    """Read ``sobol:64`` or ``lhs:100``."""
    name, _, number = text.partition(":")
    if name not in SAMPLES or not re.fullmatch(r"[0-9]{1,6}", number):
        raise InputError(
            f"the design `{text}` cannot be read",
            code="sweep.design",
            where=Where(file=f"--design {text}"),
            expected="`sobol:64` or `lhs:100`: a name and a number of points",
        )
    return SAMPLES[name], int(number)


def points_of(axes: Sequence[Axis], design: SweepDesign) -> tuple[tuple[Value, ...], ...]:
    """Points of a design: a value for each axis, in their order; the last axis changes fastest."""
    listed = [axis for axis in axes if not axis.is_drawn]
    drawn = [axis for axis in axes if axis.is_drawn]
    _check(listed, drawn, design)
    sizes = [len(axis.values) for axis in listed]
    size = (min(sizes, default=1) if design.zipped else math.prod(sizes)) * (design.points if drawn else 1)
    if size > MAX_POINTS:
        raise InputError(
            f"the design has {counted(size, 'point')}",
            code="sweep.design",
            where=design.where,
            expected=f"at most {MAX_POINTS}, each of which is an arm of the result",
        )
    values = [axis.values for axis in listed]
    rows = list(zip(*values, strict=True) if design.zipped and listed else itertools.product(*values))
    samples = _sampled(drawn, design) if drawn else [()]
    order = [*listed, *drawn]
    places = [order.index(axis) for axis in axes]
    return tuple(tuple((*row, *sample)[place] for place in places) for row, sample in itertools.product(rows, samples))


def _check(listed: Sequence[Axis], drawn: Sequence[Axis], design: SweepDesign) -> None:
    names = [axis.name for axis in (*listed, *drawn)]
    twice = next((axis for axis in (*listed, *drawn) if names.count(axis.name) > 1), None)
    if twice is not None:
        raise InputError(f"the axis `{twice.name}` is there twice", code="sweep.axis", where=twice.where)
    lengths = {axis.name: len(axis.values) for axis in listed}
    if design.zipped and len(set(lengths.values())) > 1:
        raise InputError(
            "axes that go in step differ in length",
            code="sweep.design",
            where=design.where,
            found=", ".join(f"`{name}` has {length}" for name, length in lengths.items()),
        )
    if drawn and design.sample is None:
        raise InputError(
            f"the axis `{drawn[0].name}` is a range, and no design says how to draw from it",
            code="sweep.design",
            where=drawn[0].where,
            advice="give a number of values, `low:high:10`, or a design, `--design sobol:64`",
        )
    if design.sample is not None and not drawn:
        raise InputError(
            f"no axis is a range for the design `{design.sample}` to draw from",
            code="sweep.design",
            where=design.where,
            advice="leave the design or the number of values out",
        )
    if design.sample == "sobol" and (design.points < 1 or design.points & (design.points - 1)):
        raise InputError(
            f"a Sobol design cannot have {counted(design.points, 'point')}",
            code="sweep.design",
            where=design.where,
            expected="a power of two, such as 64 or 128, without which it loses its balance",
        )
    if design.sample is not None and design.points < 1:
        raise InputError("the design has no point", code="sweep.design", where=design.where, expected="1 or more")


def _sampled(drawn: Sequence[Axis], design: SweepDesign) -> list[tuple[float, ...]]:
    generator = stream(design.seed, f"sweep: {design.sample}", 0)
    if design.sample == "sobol":
        from scipy.stats import qmc

        sequence = qmc.Sobol(d=len(drawn), scramble=False).random_base2(design.points.bit_length() - 1)
        # Moved around the cube as a whole: keeps its balance, and no point lies at the corner of the ranges.
        shares = (sequence + generator.random(len(drawn))) % 1.0
    else:
        # Not SciPy's: it needs a generator that can spawn others, and those here are keyed.
        slices = np.stack([generator.permutation(design.points) for _ in drawn], axis=1)
        shares = (slices + generator.random(slices.shape)) / design.points
    return [tuple(axis.at(share) for axis, share in zip(drawn, row, strict=True)) for row in shares.tolist()]
