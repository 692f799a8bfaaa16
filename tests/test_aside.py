"""A process that is the program's own: what it does not load, and how it ends."""

from __future__ import annotations

import subprocess
import sys

import pytest

ASIDE = """
import sys
from simulate.aside import ASIDE, set_aside
set_aside()
import xarray
xarray.Dataset({"a": ("x", [1.0, 2.0])}, coords={"x": [0, 1]}).isel(x=[1])
import scipy.special
print(sorted({name.partition(".")[0] for name, module in sys.modules.items() if module} & {*ASIDE}))
from simulate.symbolic.units import unit
print(unit("furlong").text, sys.modules["pint"] is not None)
from simulate.aside import fetch
fetch("dask")
import dask
print(dask.__name__)
"""

ENDING = """
import atexit, sys
from simulate.__main__ import main
atexit.register(lambda: print("goodbye"))
sys.argv = ["simulate", *sys.argv[1:]]
main()
"""


def test_packages_set_aside_are_loaded_when_they_are_asked_for_by_name_and_not_before() -> None:
    pytest.importorskip("dask")
    done = subprocess.run([sys.executable, "-c", ASIDE], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == ["[]", "furlong True", "dask"]


@pytest.mark.parametrize(("words", "code", "said"), [(["--version"], 0, "il1sim "), (["no-such-verb"], 2, "")])
def test_a_command_that_leaves_at_once_has_said_all_and_does_what_was_left_for_the_end(
    words: list[str], code: int, said: str
) -> None:
    done = subprocess.run([sys.executable, "-c", ENDING, *words], capture_output=True, text=True)
    assert done.returncode == code
    assert done.stdout.startswith(said)
    assert done.stdout.endswith("goodbye\n")
