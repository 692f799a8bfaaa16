"""Garbage is looked for again when the work is done, as before."""

from __future__ import annotations

import gc
from collections.abc import Iterator

import pytest

from simulate.uncollected import uncollected


@pytest.fixture(params=[True, False])
def looks(request: pytest.FixtureRequest) -> Iterator[bool]:
    wanted = bool(request.param)
    (gc.enable if wanted else gc.disable)()
    yield wanted
    gc.enable()


def test_nothing_is_looked_for_in_the_meantime(looks: bool) -> None:
    with uncollected():
        assert not gc.isenabled()
        with uncollected():
            assert not gc.isenabled()
        assert not gc.isenabled()
    assert gc.isenabled() == looks


def test_a_failure_changes_nothing(looks: bool) -> None:
    with pytest.raises(ZeroDivisionError), uncollected():
        raise ZeroDivisionError
    assert gc.isenabled() == looks
