"""The venues that are known, by name."""

from usance.venues.backpack import shapes
from usance.venues.backpack.symbols import BackpackSymbols
from usance.venues.bybit import log
from usance.venues.bybit.symbols import BybitSymbols
from usance.venues.venue import Venue

VENUES = {
    venue.name: venue
    for venue in (
        Venue("backpack", shapes.read, BackpackSymbols, fetches=True),
        Venue("bybit", log.read, BybitSymbols, fetches=False, refuse=log.refuse),
    )
}
"""Each venue that a feed may name: those of `model.feeds`."""
