"""Movements: deposits, withdrawals, transfers, borrows by hand, settlements and dust."""

import datetime
from collections.abc import Sequence
from decimal import Context, Decimal, Inexact

from usance.model.amounts import EXACT, ZERO, decimals, normalized
from usance.model.hours import clock, date_of
from usance.venues.books import Account
from usance.venues.drafts import Draft, Leg, at_price
from usance.venues.numbers import day_of, product, seconds_of, time_text
from usance.venues.rows import (
    FEED_OF,
    FEEDS,
    Deposit,
    Dust,
    Movement,
    Origin,
    Row,
    Settlement,
    Withdrawal,
)

PRICE_PLACES = 10
"""Decimals of the price of dust whose proceeds its quantity does not divide."""


def deposit(account: Account, row: Deposit) -> Draft:
    """Return a deposit that counts."""
    coin, feed, accounts = account.symbols.coin(row.symbol), account.feed, account.accounts
    other, more = feed.outside, list[tuple[str, str]]()
    if row.origin is Origin.ACCOUNT:
        other = feed.transit
    elif row.origin is Origin.PLATFORM and feed.pays is None:
        other = feed.distributions
    elif row.origin is Origin.PLATFORM:
        other = accounts.accrued_yield
        month = date_of(day_of(row.at)).replace(day=1) - datetime.timedelta(days=1)
        more.append(("pays", f"{feed.pays} {month:%Y-%m}"))
    narration = f"Deposit from {row.source}" + (f": {row.memo}" if row.memo else "")
    legs = [Leg(accounts.wallet, row.quantity, coin), Leg(other, -row.quantity, coin)]
    return _draft(account, row, row.id, narration, legs, *more)


def withdrawal(account: Account, row: Withdrawal) -> Draft:
    """Return a withdrawal that counts."""
    coin, feed = account.symbols.coin(row.symbol), account.feed
    internal = row.origin is Origin.ACCOUNT
    arrives = row.quantity if feed.fee_on_top else EXACT.subtract(row.quantity, row.fee)
    legs = [*_leaving(account, row), Leg(feed.transit if internal else feed.outside, arrives, coin)]
    narration = "Withdrawal to another account" if internal else "Withdrawal"
    return _draft(account, row, row.id, narration, legs)


def transfer(sender: Account, out: Withdrawal, receiver: Account, into: Deposit) -> Draft:
    """Return a withdrawal of one account and a deposit of another one as one transaction."""
    coin = receiver.symbols.coin(into.symbol)
    legs = [*_leaving(sender, out), Leg(receiver.accounts.wallet, into.quantity, coin)]
    narration = f"Transfer from {sender.feed.sub_account} to {receiver.feed.sub_account}"
    return _draft(sender, out, f"{out.id} {into.id}", narration, legs)


def _leaving(account: Account, row: Withdrawal) -> list[Leg]:
    """Return what leaves the wallet, and the fee."""
    coin, accounts = account.symbols.coin(row.symbol), account.accounts
    gone = EXACT.add(row.quantity, row.fee) if account.feed.fee_on_top else row.quantity
    return [Leg(accounts.wallet, -gone, coin), Leg(accounts.fees, row.fee, coin)]


def borrow(account: Account, row: Movement) -> Draft:
    """Return a borrow or repayment of the user."""
    coin, accounts = account.symbols.coin(row.symbol), account.accounts
    quantity = row.quantity if row.more else -row.quantity
    legs = [Leg(accounts.wallet, quantity, coin), Leg(accounts.borrowed, -quantity, coin)]
    name = f"borrowLend/{row.event}/{row.symbol}/{row.position}/{time_text(row.at)}"
    return _draft(account, row, name, "Borrow" if row.more else "Repay", legs)


def settlement(account: Account, row: Settlement) -> Draft:
    """Return a settlement that no other feed tells."""
    coin, accounts = account.symbols.coin(row.symbol), account.accounts
    legs = [Leg(accounts.wallet, row.quantity, coin), Leg(accounts.pnl, -row.quantity, coin)]
    name = row.id or f"settlement/{row.source}/{time_text(row.at)}"
    return _draft(account, row, name, row.source, legs)


def dust(account: Account, row: Dust) -> Draft:
    """Return dust that the venue turned into its settle coin."""
    coin, accounts = account.symbols.coin(row.symbol), account.accounts
    narration = f"Dust of {coin}"
    if not row.received or not row.quantity:
        legs = [Leg(accounts.wallet, -row.quantity, coin), Leg(accounts.fees, row.quantity, coin)]
        return _draft(account, row, row.id, narration, legs)
    settle = account.symbols.coin(row.settle)
    legs = [
        *_sold(accounts.wallet, coin, row.quantity, row.received, settle),
        Leg(accounts.wallet, row.received, settle),
    ]
    return _draft(account, row, row.id, narration, legs)


def _sold(
    wallet: str, coin: str, quantity: Decimal, received: Decimal, settle: str
) -> Sequence[Leg]:
    """Return a sale for a total, exactly.

    Beancount turns a total into the price of a unit, with 28 digits. Where that does not come out,
    some units are sold for the last digit of a price more than the rest.
    """
    context = Context(prec=28, traps=[Inexact])
    try:
        context.multiply(context.divide(received, quantity), quantity)
    except Inexact:
        pass
    else:
        return [Leg(wallet, -quantity, coin, "@" + at_price(received, settle))]
    places = max(PRICE_PLACES, decimals(received))
    grains = decimals(normalized(quantity))
    units = int(EXACT.scaleb(quantity, grains))
    price, more = divmod(int(EXACT.scaleb(received, grains + places)), units)
    sold = []
    for part, each in ((units - more, price), (more, price + 1)):
        number = EXACT.scaleb(Decimal(-part), -grains)
        cost = EXACT.scaleb(Decimal(each), -places)
        product(number, cost)  # Misread if Beancount would round it
        sold.append(Leg(wallet, number, coin, at_price(cost, settle)))
    return sold


def _draft(
    account: Account,
    row: Row,
    name: str,
    narration: str,
    legs: Sequence[Leg],
    *more: tuple[str, str],
) -> Draft:
    kind = FEEDS.index(FEED_OF[type(row)])
    meta = (("time", clock(seconds_of(row.at))), (account.feed.venue, name), *more)
    kept = [leg for leg in legs if leg.number != ZERO]
    return Draft(day_of(row.at), row.at, kind, 0, name, narration, meta, kept)
