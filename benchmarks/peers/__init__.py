"""The engines of the race, one a file. Adding one: its file, and its peers in `PEERS`."""

from benchmarks.peers import c, diffrax, gradsolve, il1sim, odeint_numba, scipy_ivp
from benchmarks.peers.peer import Peer

PEERS: tuple[Peer, ...] = (
    *il1sim.PEERS,
    *c.PEERS,
    *diffrax.PEERS,
    *gradsolve.PEERS,
    *scipy_ivp.PEERS,
    *odeint_numba.PEERS,
)

__all__ = ["PEERS", "Peer"]
