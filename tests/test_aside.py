"""A process that is the program's own: what it does not load, and how it ends."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from simulate.aside import _Late

ASIDE = """
import sys
from simulate.aside import ASIDE, set_aside
set_aside()
import xarray
xarray.Dataset({"a": ("x", [1.0, 2.0])}, coords={"x": [0, 1]}).isel(x=[1])
print(sorted({name.partition(".")[0] for name, module in sys.modules.items() if module} & {*ASIDE}))
from simulate.symbolic.units import unit
print(unit("furlong").text, sys.modules["pint"] is not None)
from simulate.aside import fetch
fetch("dask")
import dask
print(dask.__name__)
"""

LATE = """
import sys
from simulate.aside import set_aside
set_aside()
set_aside()
import numpy, scipy.special, numba
print([name for name in ("numpy.f2py.crackfortran", "numpy.testing._private", "yaml.reader") if name in sys.modules])
numpy.testing.assert_allclose(scipy.special.ndtri(0.5), 0.0)
print(repr(scipy.special.ndtri.__doc__), scipy.special.logsumexp([0.0, 0.0]) > 0.69)
import scipy.stats
print(scipy.stats.norm.cdf(0.0), scipy.stats.ttest_ind([0.0, 1.0], [0.0, 1.0]).pvalue)
from numpy.f2py import crackfortran
import yaml
print(crackfortran.__name__, yaml.safe_load("a: [1, 2]"), "yaml.reader" in sys.modules)
"""

DRAWN = """
import sys
from simulate.aside import set_aside
if sys.argv[1] == "own":
    set_aside()
import simulate.figures.style
from matplotlib.lines import Line2D
print(len(Line2D.set.__doc__ or ""), len(Line2D.__init__.__doc__))
line = Line2D([0.0], [0.0])
line.set(color="red", lw=3.0)
print(line.get_color(), line.get_linewidth())
try:
    line.set(no_such=1)
except AttributeError:
    print("refused")
"""

LATE_FIGURES = """
import sys
from simulate.aside import LATE, set_aside
set_aside()
import simulate.figures.style
late = [name for name in LATE if name in sys.modules]
print("matplotlib.dates" in late, {type(sys.modules[name]).__name__ for name in late}, "dateutil.rrule" in sys.modules)
import datetime, matplotlib.dates
print(matplotlib.dates.date2num(datetime.datetime(1970, 1, 3)), "dateutil.rrule" in sys.modules)
"""

ENDING = """
import atexit, os, sys
from simulate.__main__ import main
atexit.register(lambda: print("goodbye", os.environ["OPENBLAS_NUM_THREADS"]))
sys.argv = ["simulate", *sys.argv[1:]]
main()
"""


def test_packages_set_aside_are_loaded_when_they_are_asked_for_by_name_and_not_before() -> None:
    pytest.importorskip("dask")
    done = subprocess.run([sys.executable, "-c", ASIDE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "furlong True", "dask"]


def test_what_is_to_wait_is_loaded_when_something_of_it_is_used_and_not_before() -> None:
    done = subprocess.run([sys.executable, "-c", LATE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "'' True", "0.5 1.0", "numpy.f2py.crackfortran {'a': [1, 2]} True"]


@pytest.mark.parametrize(("words", "code", "said"), [(["--version"], 0, "il1sim "), (["no-such-verb"], 2, "")])
def test_a_command_that_leaves_at_once_has_said_all_and_does_what_was_left_for_the_end(
    words: list[str], code: int, said: str
) -> None:
    environment = {name: value for name, value in os.environ.items() if name != "OPENBLAS_NUM_THREADS"}
    for given, threads in (({}, "1"), ({"OPENBLAS_NUM_THREADS": "3"}, "3")):
        program = [sys.executable, "-c", ENDING, *words]
        done = subprocess.run(program, capture_output=True, text=True, env={**environment, **given})
        assert done.returncode == code
        assert done.stdout.startswith(said)
        assert done.stdout.endswith(f"goodbye {threads}\n")


def test_what_is_drawn_is_not_described_in_a_process_of_the_program_s_own_and_is_elsewhere() -> None:
    own, other = (
        subprocess.run([sys.executable, "-c", DRAWN, whose], capture_output=True, text=True, check=True).stdout
        for whose in ("own", "other")
    )
    (described, *rest), (elsewhere, *others) = own.splitlines(), other.splitlines()
    assert rest == others == ["red 3.0", "refused"]
    assert all(int(here) < int(there) for here, there in zip(described.split(), elsewhere.split(), strict=True))


_FIGURES = """
import sys
from simulate.aside import set_aside
set_aside()
import simulate.figures.style
import pytest
quiet = ["-q", "-n", "0", "-p", "no:cacheprovider", "-W", "ignore:Unable to import Axes3D", "-k", "not apart"]
sys.exit(pytest.main([*quiet, *sys.argv[1:]]))
"""


def test_figures_are_drawn_in_a_process_of_the_program_s_own_as_elsewhere() -> None:
    files = [f"tests/figures/test_{name}.py" for name in ("pictures", "gains", "tornado", "prediction")]
    done = subprocess.run([sys.executable, "-c", _FIGURES, *files], capture_output=True, text=True)
    assert done.returncode == 0, done.stdout


def test_what_figures_have_for_calendars_is_loaded_when_it_is_used_and_not_before() -> None:
    done = subprocess.run([sys.executable, "-c", LATE_FIGURES], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["True {'_LazyModule'} False", "2.0 True"]


def test_another_scipy_that_keeps_its_notes_elsewhere_is_left_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "scipy._lib._array_api", None)
    monkeypatch.delattr("scipy._lib._array_api", raising=False)
    # Nothing is raised, and Python finds it as it would.
    assert _Late.find_spec("scipy.special", None, None) is None
