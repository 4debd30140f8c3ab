"""Directives of yield: products, their rates, a bonus for one sub-account.

2025-05-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "monthly"
2025-05-01 custom "treasury-rate" "USD" 0.0400
2025-05-01 custom "yield-bonus" "USD" "Main" 0.0300
  cap: 1000000 USDC
"""

import datetime
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from beancount.core import account
from beancount.core.amount import Amount
from beancount.core.data import Commodity, Custom

from usance.language.directive import (
    COIN,
    RatesFile,
    Read,
    Reader,
    Term,
    dated,
    source_of,
    values_of,
)
from usance.model import problems
from usance.model.amounts import ZERO
from usance.model.hours import NO_DAY, Day, day_of
from usance.model.problems import Problem
from usance.model.terms import RATE_MAX, Bills, Bonus, Payout, YieldProduct

OBSERVED_KEYS = ("asset", "source", "payout", "time", "venue")
BILLS_KEYS = ("bills", "accretion", "fee")
KEYS = {
    "yield-product": (*OBSERVED_KEYS, *BILLS_KEYS),
    "treasury-rate": ("time", "venue"),
    "yield-bonus": ("cap", "time"),
}
"""Every key of every kind of directive."""

SOURCES = '"observed" or "bills"'
PAYOUTS = '"daily", "weekly", "monthly" or "manual"'
NAME = re.compile(r'[^\s/"]+( [^\s/"]+)*')
"""A name that can stand in an id and before a period."""

RateTerm = Decimal | RatesFile


@dataclass(frozen=True, slots=True)
class QuotedBonus:
    """A bonus as a directive states it: for which sub-account, and the currency of its cap."""

    sub_account: str
    bonus: Bonus
    currency: str


def yield_product(entry: Custom, assets: str) -> Read[YieldProduct]:
    """Read custom "yield-product" "USD"; returns its name even if the rest has a fault."""
    name = _named(entry)
    if name is None or len(list(values_of(entry))) != 1:
        at, example = source_of(entry.meta), 'custom "yield-product" "USD"'
        return Read(name, None, [problems.bad_values(at, "yield-product", example)])
    reader = Reader(entry, f'yield-product "{name}"')
    asset = reader.needed("asset", '"USDC"')
    if asset and not COIN.match(asset):
        reader.wrong_commodity("asset", '"USDC"')
    payout = _payout(reader)
    bills = None
    match reader.needed("source", SOURCES):
        case "observed":
            reader.allow(OBSERVED_KEYS)
        case "bills":
            reader.allow((*OBSERVED_KEYS, *BILLS_KEYS))
            bills = _bills(reader, assets)
        case "":
            pass
        case _:
            reader.wrong_type("source", SOURCES)
    value = YieldProduct(asset, payout, bills, reader.source)
    term = dated(reader, entry, name, value)
    if term is None or bills is None:
        return Read(name, term, reader.problems)
    venue = venue_of(bills)
    if term.venue not in (None, venue):
        reader.wrong_type("venue", f'"{venue}"')
        return Read(name, None, reader.problems)
    return Read(name, Term(name, venue, term.day, term.seconds, value, reader.source), [])


def venue_of(bills: Bills) -> str:
    """Return the venue that a product backed by bills serves: the parts above its entity."""
    return ":".join(bills.account.split(":")[1:-2])


def _bills(reader: Reader, assets: str) -> Bills:
    example = f"{assets}:Backpack:Treasury:Bills"
    name = reader.needed("bills", example)
    if name and not _can_hold(name, assets):
        reader.wrong_type("bills", example)
    accretion = reader.text("accretion", '"constant-yield"') or "constant-yield"
    if accretion not in ("constant-yield", "straight-line"):
        reader.wrong_type("accretion", '"constant-yield" or "straight-line"')
    fee = reader.number("fee", "0.15", "from 0 to 1", ZERO)
    return Bills(name, accretion == "straight-line", fee)


def _can_hold(name: object, assets: str) -> bool:
    """Tell whether a text names an account below an entity of its own, below a venue."""
    parts = name.split(":") if isinstance(name, str) and account.is_valid(name) else []
    return len(parts) > 3 and parts[0] == assets and parts[-1] not in ("Accretion", "Cash")


def places(entries: Iterable[Custom], assets: str) -> tuple[dict[str, str], bool]:
    """Return the account of bills of each product, even if the rest of it has a fault.

    And whether that account of a product cannot be read, so that its accounts are unknown.
    """
    accounts: dict[str, str] = {}
    lost = False
    for entry in entries:
        name, bills = _named(entry), entry.meta.get("bills")
        if name is not None and _can_hold(bills, assets):
            accounts.setdefault(name, str(bills))
        elif bills is not None or entry.meta.get("source") == "bills":
            lost = True
    return accounts, lost


def _payout(reader: Reader) -> Payout:
    text = reader.needed("payout", PAYOUTS)
    for payout in Payout:
        if payout.value == text:
            return payout
    if text:
        reader.wrong_type("payout", PAYOUTS)
    return Payout.MANUAL


def treasury_rate(entry: Custom) -> Read[RateTerm]:
    """Read custom "treasury-rate" "USD" with a rate or the name of a file."""
    name = _named(entry)
    reader = Reader(entry, f'treasury-rate "{name}"')
    reader.allow(KEYS["treasury-rate"])
    value: RateTerm
    match list(values_of(entry))[1:]:
        case [(_, Decimal() as rate)] if name is not None:
            value = _rate(reader, rate)
        case [(kind, str(path))] if kind is str and name is not None:
            value = RatesFile(path)
        case _:
            example = (
                'custom "treasury-rate" "USD" 0.0400, '
                'or custom "treasury-rate" "USD" "rates/usd.csv"'
            )
            return Read(name, None, [problems.bad_values(reader.source, "treasury-rate", example)])
    return Read(name, dated(reader, entry, name, value), reader.problems)


def yield_bonus(entry: Custom) -> Read[QuotedBonus]:
    """Read custom "yield-bonus" "USD" "Main" 0.0300: sub-account, bonus, currency of the cap."""
    name = _named(entry)
    match list(values_of(entry))[1:]:
        case [(kind, str(sub_account)), (_, Decimal() as rate)] if kind is str and name is not None:
            pass
        case _:
            at, example = source_of(entry.meta), 'custom "yield-bonus" "USD" "Main" 0.0300'
            return Read(name, None, [problems.bad_values(at, "yield-bonus", example)])
    reader = Reader(entry, f'yield-bonus "{name}" "{sub_account}"')
    reader.allow(KEYS["yield-bonus"])
    cap, currency = None, ""
    if "cap" in reader.meta:
        amount = reader.meta["cap"]
        if isinstance(amount, Amount) and isinstance(amount.number, Decimal):
            currency = amount.currency
            cap = reader.coins("cap", currency)
        else:
            reader.wrong_type("cap", "1000000 USDC")
    value = QuotedBonus(sub_account, Bonus(_rate(reader, rate), cap), currency)
    return Read(name, dated(reader, entry, name, value), reader.problems)


def maturity(entry: Commodity) -> tuple[Day, list[Problem]]:
    """Read the day on which a bill is paid back, or 0 if the value is not a date."""
    reader = Reader(entry, f"commodity {entry.currency}")
    value = reader.meta["maturity"]
    if isinstance(value, datetime.date):
        return day_of(value), []
    reader.wrong_type("maturity", "2025-11-28")
    return NO_DAY, reader.problems


def _rate(reader: Reader, rate: Decimal) -> Decimal:
    if ZERO <= rate <= RATE_MAX:
        return rate
    reader.problems.append(problems.rate_out_of_range(reader.source, reader.what, "rate", rate))
    return ZERO


def _named(entry: Custom) -> str | None:
    """Return the product that a directive is about, or None."""
    values: Iterator[tuple[type | str, object]] = values_of(entry)
    match next(values, None):
        case (kind, str(name)) if kind is str and NAME.fullmatch(name):
            return name
    return None
