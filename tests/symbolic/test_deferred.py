"""Expressions of what was kept are read when one of them is asked for, and not before."""

from __future__ import annotations

import copy
import pickle
from dataclasses import FrozenInstanceError, replace

import pytest

from simulate.biology.hypotheses import hypothesis_named
from simulate.biology.reference import reference_model
from simulate.recall import content_of
from simulate.symbolic import deferred
from simulate.symbolic.parts import Observable, Species
from simulate.symbolic.units import unit

PART = Observable("double", "twice", unit("nM"), 2 * Species("x", "a state", unit("nM")))


def test_nothing_is_read_until_an_expression_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    kept = pickle.dumps(PART)
    with monkeypatch.context() as patched:
        patched.setattr(deferred, "unpacked", None)
        found = pickle.loads(kept)
        assert (found.name, found.meaning, found.unit) == (PART.name, PART.meaning, PART.unit)
        assert pickle.dumps(found) == kept
    assert (found.expression, found, hash(found), repr(found)) == (PART.expression, PART, hash(PART), repr(PART))
    assert pickle.dumps(found) == kept


def test_a_copy_is_the_same_and_a_changed_one_is_another() -> None:
    for found in (copy.copy(PART), copy.deepcopy(PART), pickle.loads(pickle.dumps(PART))):
        assert found == PART
        assert replace(found, meaning="other") != PART
        assert content_of(replace(found, meaning="other")) == content_of(replace(PART, meaning="other"))
        with pytest.raises(FrozenInstanceError):
            found.expression = 1


def test_what_it_does_not_have_is_no_attribute() -> None:
    for found in (PART, pickle.loads(pickle.dumps(PART))):
        with pytest.raises(AttributeError, match="'Observable' object has no attribute 'gain'"):
            found.gain  # noqa: B018
    assert not hasattr(object.__new__(Observable), "expression")


def test_a_model_that_was_kept_is_the_same_model() -> None:
    model = reference_model(hypothesis_named("H1+H6"))
    found = pickle.loads(pickle.dumps(model))
    assert content_of(found) == content_of(pickle.loads(pickle.dumps(found)))
    assert (found, found.key) == (model, model.key)
