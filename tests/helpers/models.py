"""The reference model, composed once in a process under each hypothesis, and its kernels, each built once."""

from __future__ import annotations

from simulate.biology import reference
from simulate.kernels.build import build
from simulate.kernels.kernel import CompiledKernel
from simulate.kernels.system import lower
from simulate.symbolic.hypothesis import NONE, Hypothesis
from simulate.symbolic.model import Model

_MODELS: dict[str, list[tuple[Hypothesis, Model]]] = {}
_KERNELS: dict[str, CompiledKernel] = {}


def reference_model(hypothesis: Hypothesis = NONE) -> Model:
    """The reference model under a hypothesis, whose parts in another order are composed by themselves."""
    known = _MODELS.setdefault(hypothesis.name, [])
    for other, model in known:
        if other == hypothesis:
            return model
    known.append((hypothesis, reference.reference_model(hypothesis)))
    return known[-1][1]


def kernel_of(model: Model) -> CompiledKernel:
    if model.key not in _KERNELS:
        _KERNELS[model.key] = build(lower(model))
    return _KERNELS[model.key]
