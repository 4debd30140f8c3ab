"""Directives: a person's custom directives as checked terms.

2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
"""

import datetime
from dataclasses import dataclass
from decimal import Decimal

from beancount.core import account
from beancount.core.data import Commodity, Custom

from usance.language.directive import (
    COIN,
    RatesFile,
    Read,
    Reader,
    Term,
    coin_of,
    dated,
    misread,
    source_of,
    values_of,
)
from usance.model import problems
from usance.model.amounts import ZERO
from usance.model.hours import NO_DAY, Day, day_of
from usance.model.problems import Problem
from usance.model.terms import RATE_MAX, CurvePool, ObservedPool, Pool, SubAccount

OBSERVED_KEYS = ("rates", "entry-fee")
CURVE_KEYS = (
    "rates",
    "base-rate",
    "slope-1",
    "slope-2",
    "optimal-utilization",
    "fee",
    "external-lent",
    "external-borrowed",
)
KEYS = {
    "sub-account": (
        "auto-lend",
        "auto-borrow",
        "auto-repay",
        "earn",
        "leverage-limit",
        "interest",
        "time",
    ),
    "lending-pool": (*OBSERVED_KEYS, *CURVE_KEYS[1:], "time", "venue"),
    "lending-rate": ("utilization", "time", "venue"),
    "accrue-through": (),
}
"""Every key of every kind of directive."""

INTEREST_EXAMPLE = '"imported" or "generated"'

RATES_EXAMPLE = '"observed" or "curve"'


@dataclass(frozen=True, slots=True)
class QuotedRates:
    """Rates written into the directive, annual fractions."""

    supply: Decimal
    borrow: Decimal
    utilization: Decimal | None


RatesTerm = QuotedRates | RatesFile


def venue_of(root: str) -> str:
    """Return the venue of a sub-account's account: the parts above its last one."""
    return root.partition(":")[2].rpartition(":")[0]


def root_of(entry: Custom) -> str:
    """Return the account that a sub-account's directive gives it."""
    return str(entry.values[1].value)


def sub_account(entry: Custom, assets: str) -> Read[SubAccount]:
    """Read custom "sub-account" "Main" Assets:Backpack:Main; returns no name without an account."""
    # The account may be a text: Beancount takes an account in a directive for one that is used, and
    # leafonly finds accounts below it.
    match list(values_of(entry)):
        case [(kind, str(name)), (_, str(root))] if kind != account.TYPE:
            pass
        case _:
            example = f'custom "sub-account" "Main" {assets}:Backpack:Main'
            return Read(
                None, None, [problems.bad_values(source_of(entry.meta), "sub-account", example)]
            )
    reader = Reader(entry, f'sub-account "{name}"')
    reader.allow(KEYS["sub-account"])
    parts = root.split(":")
    if parts[0] != assets or len(parts) < 3 or not account.is_valid(root):
        return Read(None, None, [problems.bad_account(reader.source, name, root, assets)])
    # `Transfers:Arb` is made from the name, so the name must be fit for an account. Names are
    # unique in the ledger; the last parts of accounts need not be.
    if ":" in name or not account.is_valid(f"{assets}:{name}"):
        return Read(None, None, [problems.bad_name(reader.source, name)])
    auto_borrow = reader.switch("auto-borrow", False)
    earn = reader.switch("earn", True)
    limit = None
    if "leverage-limit" in reader.meta:
        limit = reader.number("leverage-limit", "10", "above 0")
    value = SubAccount(
        name,
        root,
        venue_of(root),
        reader.switch("auto-lend", False),
        auto_borrow,
        reader.switch("auto-repay", auto_borrow),
        reader.source,
        limit,
        earn,
        _is_imported(reader),
    )
    term = Term(name, None, day_of(entry.date), reader.seconds(), value, reader.source)
    return Read(name, None if reader.problems else term, reader.problems)


def _is_imported(reader: Reader) -> bool:
    """Read interest: "imported" or "generated"; it counts by the day, so no time stands beside."""
    interest = reader.text("interest", INTEREST_EXAMPLE)
    if interest is not None and "time" in reader.meta:
        reader.problems.append(problems.interest_within_day(reader.source, reader.what))
    elif interest not in (None, "imported", "generated"):
        reader.wrong_type("interest", INTEREST_EXAMPLE)
    return interest == "imported"


def lending_pool(entry: Custom) -> Read[Pool]:
    """Read custom "lending-pool" "USDC"; returns the coin even if the rest has a fault."""
    match list(values_of(entry)):
        case [(kind, str(coin))] if kind is str and COIN.match(coin):
            pass
        case _:
            return Read(coin_of(entry), None, [misread(entry, 'custom "lending-pool" "USDC"')])
    reader = Reader(entry, f'lending-pool "{coin}"')
    rates = reader.needed("rates", RATES_EXAMPLE)
    value: Pool | None = None
    if rates == "observed":
        reader.allow((*OBSERVED_KEYS, "time", "venue"))
        value = ObservedPool(reader.switch("entry-fee", False), reader.source)
    elif rates == "curve":
        reader.allow((*CURVE_KEYS, "time", "venue"))
        value = CurvePool(
            reader.number("base-rate", "0.00", "from 0 to 100", ZERO),
            reader.number("slope-1", "0.06", "from 0 to 100"),
            reader.number("slope-2", "0.75", "from 0 to 100"),
            reader.number("optimal-utilization", "0.80", "between 0 and 1"),
            reader.number("fee", "0.10", "from 0 to 1", ZERO),
            reader.coins("external-lent", coin),
            reader.coins("external-borrowed", coin),
        )
    elif rates:
        reader.wrong_type("rates", RATES_EXAMPLE)
    term: Term[Pool] | None = dated(reader, entry, coin, value)
    return Read(coin, term, reader.problems)


def lending_rate(entry: Custom) -> Read[RatesTerm]:
    """Read custom "lending-rate" "USDC" with two rates or the name of a file.

    Returns the coin even if the rest has a fault.
    """
    value: RatesTerm
    values = list(values_of(entry))
    match values:
        case [(kind, str(coin)), *_] if kind is str and COIN.match(coin):
            reader = Reader(entry, f'lending-rate "{coin}"')
        case _:
            values = []
    match values[1:]:
        case [(_, Decimal() as supply), (_, Decimal() as borrow)]:
            reader.allow(KEYS["lending-rate"])
            for key, rate in (("supply rate", supply), ("borrow rate", borrow)):
                if not ZERO <= rate <= RATE_MAX:
                    reader.problems.append(
                        problems.rate_out_of_range(reader.source, reader.what, key, rate)
                    )
            used = None
            if "utilization" in reader.meta:
                used = reader.number("utilization", "0.72", "from 0 to 1")
            value = QuotedRates(supply, borrow, used)
        case [(kind, str(path))] if kind is str:
            reader.allow(("time", "venue"))
            value = RatesFile(path)
        case _:
            example = (
                'custom "lending-rate" "USDC" 0.0412 0.0630 (supply and borrow APR), '
                'or custom "lending-rate" "USDC" "rates/usdc.csv"'
            )
            return Read(coin_of(entry), None, [misread(entry, example)])
    return Read(coin, dated(reader, entry, coin, value), reader.problems)


def accrue_through(entry: Custom) -> tuple[Day, list[Problem]]:
    """Read custom "accrue-through" 2025-06-30: a day, or 0 if it is malformed."""
    match list(values_of(entry)):
        case [(_, datetime.date() as date)]:
            reader = Reader(entry, "accrue-through")
            for key in reader.meta:
                reader.problems.append(problems.keyless(reader.source, reader.what, key))
            return day_of(date), reader.problems
    example = 'custom "accrue-through" 2025-06-30'
    return NO_DAY, [problems.bad_values(source_of(entry.meta), "accrue-through", example)]


def commodity(entry: Commodity) -> tuple[Decimal | None, int | None, list[Problem]]:
    """Read quantum and stale-after of a commodity, or None if it does not state them."""
    reader = Reader(entry, f"commodity {entry.currency}")
    quantum = days = None
    if "quantum" in reader.meta:
        quantum = reader.number("quantum", "0.000001", "above 0")
    if "stale-after" in reader.meta:
        days = reader.number("stale-after", "30", "at least 0")
        if days != days.to_integral_value():
            reader.problems.append(
                problems.out_of_range(
                    reader.source, reader.what, "stale-after", days, "a whole number of days"
                )
            )
    if reader.problems:
        return None, None, reader.problems
    return quantum, None if days is None else int(days), []
