"""The venues that are known, by name."""

from usance.venues.backpack import shapes
from usance.venues.backpack.symbols import BackpackSymbols
from usance.venues.venue import Venue

VENUES = {venue.name: venue for venue in (Venue("backpack", shapes.read, BackpackSymbols),)}
"""Each venue that a feed may name."""
