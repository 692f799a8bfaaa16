"""Ways in for anakinra that rest on no evidence."""

from __future__ import annotations

ASSUMED_ROUTES = {
    "im": "route: anakinra into a muscle (`im`) is absorbed like anakinra under the skin; no source tells",
}
"""Sentences on them, by the name of the route in `simulate.biology.pharmacokinetics`."""
