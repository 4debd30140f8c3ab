"""Payments: funding and interest of a day, one transaction for each market, or coin and charge."""

from collections import defaultdict
from collections.abc import Iterable, Iterator
from decimal import Decimal

from usance.model.amounts import total
from usance.model.hours import Day, iso
from usance.venues.books import Account, Accounts
from usance.venues.drafts import Draft, Leg
from usance.venues.numbers import DAY_NANOS, EPOCH, SECOND, Instant, day_ended
from usance.venues.rows import FEEDS, Charge, Funding, Interest

END = "23:59:59"
"""When the sum of a day is booked."""

WORDS = {
    Charge.LEND: "Interest on lent",
    Charge.BORROW: "Interest on borrowed",
    Charge.ENTRY_FEE: "Entry fees on borrowed",
    Charge.UNREALIZED_GAIN: "Interest on unrealized gains,",
    Charge.UNREALIZED_LOSS: "Interest on unrealized losses,",
    Charge.TAKEN: "Interest on borrowed",
}
"""How a narration names a charge."""


def funding(account: Account, rows: Iterable[Funding]) -> Iterator[Draft]:
    """Yield the funding of each day and market."""
    days: defaultdict[tuple[Day, str], list[Decimal]] = defaultdict(list)
    for row in rows:
        days[day_ended(row.at), row.symbol].append(row.quantity)
    accounts = account.accounts
    for (day, symbol), quantities in days.items():
        market = account.symbols.market(symbol)
        came = total(quantity for quantity in quantities if quantity > 0)
        went = total(quantity for quantity in quantities if quantity < 0)
        legs = [
            Leg(accounts.wallet, total((came, went)), market.quote),
            Leg(accounts.funding_received, -came, market.quote),
            Leg(accounts.funding_paid, -went, market.quote),
        ]
        yield _of_day(
            account,
            day,
            "funding",
            symbol,
            f"Funding of {market.base}",
            len(quantities),
            legs,
            ("contract", market.base),
        )


def interest(account: Account, rows: Iterable[Interest]) -> Iterator[Draft]:
    """Yield the interest of each day, coin and charge."""
    days: defaultdict[tuple[Day, Charge, str], list[Decimal]] = defaultdict(list)
    for row in rows:
        days[day_ended(row.at), row.charge, row.symbol].append(row.quantity)
    for (day, charge, symbol), quantities in days.items():
        coin, sum_ = account.symbols.coin(symbol), total(quantities)
        yield _of_day(
            account,
            day,
            "interest",
            f"{charge.value}/{symbol}",
            f"{WORDS[charge]} {coin}",
            len(quantities),
            _interest_legs(account.accounts, charge, sum_, coin),
        )


def _interest_legs(accounts: Accounts, charge: Charge, sum_: Decimal, coin: str) -> list[Leg]:
    match charge:
        case Charge.LEND | Charge.UNREALIZED_GAIN:
            return [
                Leg(accounts.wallet, sum_, coin),
                Leg(accounts.interest_earned, -sum_, coin),
            ]
        case Charge.BORROW | Charge.ENTRY_FEE:
            owes = accounts.borrowed
        case Charge.UNREALIZED_LOSS | Charge.TAKEN:
            owes = accounts.wallet
    return [Leg(accounts.interest_paid, sum_, coin), Leg(owes, -sum_, coin)]


def _of_day(
    account: Account,
    day: Day,
    feed: str,
    what: str,
    narration: str,
    rows: int,
    legs: list[Leg],
    *more: tuple[str, str],
) -> Draft:
    name = f"{feed}/{what}/{iso(day)}"
    at = Instant((day - EPOCH + 1) * DAY_NANOS - SECOND)
    meta: tuple[tuple[str, str | int], ...] = (
        ("time", END),
        (account.feed.venue, name),
        ("rows", rows),
        *more,
    )
    kept = [leg for leg in legs if leg.number]
    return Draft(day, at, FEEDS.index(feed), 0, name, narration, meta, kept)
