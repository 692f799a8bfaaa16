"""Binding of IL-1 and IL-1Ra to the receptor over time, where the reference model has equilibrium.

Free receptors take up IL-1 or IL-1Ra and give them back unchanged; a receptor holds one or the other, and IL-1Ra and
IL-1 never bind each other. On-rates are off-rates over dissociation constants, so that equilibrium is the same as in
``occupancy``, to which the trajectories converge as binding becomes fast. IL-1 leaves the binary site within an hour,
IL-1Ra within some hours. After an injection IL-1Ra therefore goes on blocking for a while that its concentration no
longer explains: the leak before the next dose is smaller and later than at equilibrium. Binding near the peak is
thousands of times faster than the turnover of cells, so this form is stiff.

Ligands are in excess: binding does not use them up. Left out: internalization, which IL-1 starts and IL-1Ra does not;
the accessory protein as a partner of its own; synthesis of receptors.
"""

from __future__ import annotations

from sympy import symbols

from simulate.biology.occupancy import RECEPTORS, Receptors
from simulate.symbolic.hypothesis import Hypothesis
from simulate.symbolic.parts import Definition, Mechanism, Reaction, Species
from simulate.symbolic.symbols import at_baseline

k_off_il1, k_off_Ra = symbols("k_off_il1 k_off_Ra")


def _state(fraction: Definition) -> Species:
    """A fraction of receptors as a state that starts at its equilibrium."""
    return Species(fraction.name, fraction.meaning, fraction.unit, initial=at_baseline(fraction.expression))


def _reactions(receptors: Receptors) -> tuple[Reaction, ...]:
    occupied, blocked = _state(receptors.occupied), _state(receptors.blocked)
    free = 1 - occupied.symbol - blocked.symbol
    key = receptors.key
    return (
        Reaction(f"il1_binding_{key}", k_off_il1 * receptors.il1 * free, {occupied: 1}),
        Reaction(f"il1_leaving_{key}", k_off_il1 * occupied, {occupied: -1}),
        Reaction(f"il1ra_binding_{key}", k_off_Ra * receptors.antagonist * free, {blocked: 1}),
        Reaction(f"il1ra_leaving_{key}", k_off_Ra * blocked, {blocked: -1}),
    )


BINDING = Mechanism(
    name="binding",
    title="Binding of IL-1 and IL-1Ra to the receptor over time",
    species=tuple(_state(part) for place in RECEPTORS for part in (place.occupied, place.blocked)),
    definitions=tuple(part for place in RECEPTORS for part in (place.signal, place.relative_signal)),
    reactions=tuple(reaction for place in RECEPTORS for reaction in _reactions(place)),
)

BINDING_OVER_TIME = Hypothesis(
    name="binding",
    title="Binding to the receptor takes hours",
    replace=(("occupancy", BINDING),),
)
