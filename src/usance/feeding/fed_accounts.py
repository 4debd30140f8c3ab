"""Fed accounts: what posting needs to know of the ledger, and what is the feed's alone."""

from collections.abc import Iterable, Mapping

from beancount.core.data import Booking

from usance.feeding.downloads import RefusedError
from usance.feeding.own_text import Own
from usance.model.accounts import Side
from usance.model.hours import Day, Moment, at_slot, moment
from usance.model.terms import SubAccount
from usance.venues.books import Account, Accounts
from usance.venues.catalog import VENUES
from usance.venues.drafts import Draft
from usance.venues.lot_queue import Held
from usance.venues.row_set import Rows


def account_of(owned: Own, name: str, rows: Rows) -> Account:
    """Return a sub-account with a feed, with all that posting needs to know of the ledger."""
    feed, terms = owned.feeds[name], owned.sub_accounts[name]

    def at(when: Moment) -> SubAccount:
        return terms.at(when) or terms.values[0]

    def imported(day: Day) -> bool:
        return at(at_slot(day, 0)).imported

    def repays(day: Day, seconds: int) -> bool:
        return at(moment(day, seconds)).auto_repay

    held = {
        contract: [Held(Day(lot.date.toordinal()), lot.cost, lot.quantity) for lot in lots]
        for (owner, contract), lots in owned.lots.items()
        if owner == name
    }
    symbols = VENUES[feed.venue].symbols(owned.symbols.get(feed.venue, {}))
    return Account(feed, rows, symbols, _accounts(owned, name), held, imported, repays)


def _accounts(owned: Own, name: str) -> Accounts:
    def account(side: Side) -> str:
        return owned.chart.account(name, side)

    return Accounts(
        wallet=account(Side.WALLET),
        perp=account(Side.PERP),
        accrued_yield=account(Side.ACCRUED_YIELD),
        borrowed=account(Side.BORROWED),
        pnl=account(Side.PNL),
        fees=account(Side.FEES),
        interest_earned=account(Side.INTEREST_EARNED),
        interest_paid=account(Side.INTEREST_PAID),
        funding_received=account(Side.PNL).rpartition(":")[0] + ":Funding",
        funding_paid=account(Side.FEES).rpartition(":")[0] + ":Funding",
    )


def first_days(drafts: Iterable[Draft]) -> dict[tuple[str, str], Day]:
    """Return the first day of each account and commodity."""
    first: dict[tuple[str, str], Day] = {}
    for draft in drafts:
        for leg in draft.legs:
            first.setdefault((leg.account, leg.commodity), draft.day)
    return first


def by_owner(owned: Own, first: Mapping[tuple[str, str], Day]) -> dict[tuple[str, str], Day]:
    """Return the first day of each sub-account and commodity."""
    found: dict[tuple[str, str], Day] = {}
    for (account, commodity), day in first.items():
        side = owned.chart.side(account)
        if side is not None:
            key = (side[0], commodity)
            found[key] = min(day, found.get(key, day))
    return found


def refuse_other_hands(owned: Own, first: Mapping[tuple[str, str], Day]) -> None:
    """Refuse contracts that a person trades too, and a Perp that does not close the oldest lot."""
    perps = {owned.chart.account(name, Side.PERP): name for name in owned.feeds}
    traded = {
        (perps[account], commodity): account for account, commodity in first if account in perps
    }
    for hand in owned.by_hand:
        if (hand.sub_account, hand.contract) in traded:
            raise RefusedError(
                f"{hand.source.file}:{hand.source.line}: {hand.contract} of {hand.sub_account} is "
                "traded by the feed too. Remove the trade, or date it before the feed."
            )
    for account in sorted(set(traded.values())):
        opened = owned.opens.get(account)
        method = Booking.FIFO if opened is None else opened.booking
        if (method or owned.options["booking_method"]) is not Booking.FIFO:
            raise RefusedError(
                f"{account} is opened without FIFO, but a venue closes the oldest contracts first. "
                f'Write open {account} "FIFO".'
            )
