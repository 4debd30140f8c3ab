"""Posting: the rows of a venue's accounts as transactions, each event once.

The map is that of docs/feeding.md. What only repeats an event is compared with what is booked, day
by day.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import NamedTuple

from usance.model.amounts import EXACT, ZERO, decimal_text, decimals
from usance.model.feeds import Feed
from usance.model.hours import Day, clock, date_of, iso
from usance.venues.checking import differences
from usance.venues.drafts import Draft, Leg, at_price, cleaned
from usance.venues.lot_queue import Held, LotQueue
from usance.venues.numbers import (
    DAY_NANOS,
    SECOND,
    Instant,
    Misread,
    day_ended,
    day_of,
    product,
    seconds_of,
    time_text,
)
from usance.venues.row_set import Rows
from usance.venues.rows import (
    FEED_OF,
    FEEDS,
    Charge,
    Deposit,
    Dust,
    Fill,
    Funding,
    Interest,
    Movement,
    Origin,
    Row,
    Settlement,
    Standing,
    Use,
    Withdrawal,
)
from usance.venues.transfers import Transfers, paired
from usance.venues.venue import Symbols
