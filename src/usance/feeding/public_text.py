"""Public text: prices, terms and rates that a venue says to everybody, as text of the ledger.

It is a function of the downloads and of what a person wrote. Text of `imported/` is that which
follows the header of its file.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple, TypeVar

from usance.feeding import downloads, rates_text, tables, terms_text
from usance.feeding.agreed import Agreed, Where
from usance.feeding.downloads import DOWNLOADS, IMPORTED, PUBLIC, RefusedError
from usance.feeding.own_text import Own
from usance.model.amounts import decimal_text
from usance.model.hours import Day, date_of, day_at, iso
from usance.model.terms import Collateral, ObservedPool, Perpetual
from usance.venues.backpack import parameters
from usance.venues.backpack.parameters import PoolRate
from usance.venues.backpack.symbols import BackpackSymbols
from usance.venues.numbers import Instant, Misread, day_ended, day_of, decoded, instant

BACKPACK = "backpack"

PRICES = f"{IMPORTED}/prices.beancount"
TERMS = f"{IMPORTED}/terms.beancount"

_STAMP = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d)(\d\d)(\d\d)Z\.json\Z", re.ASCII)

V = TypeVar("V")


class PublicText(NamedTuple):
    """Texts by path from the ledger's folder, and what somebody should know."""

    files: dict[str, str]
    findings: list[str]
