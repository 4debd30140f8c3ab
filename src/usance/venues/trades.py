"""Trades: fills as transactions, with the lots of contracts that they close and open."""

from collections.abc import Mapping, Sequence

from usance.model.amounts import EXACT, decimal_text
from usance.model.hours import clock
from usance.venues.books import Account
from usance.venues.drafts import Draft, Leg, at_price
from usance.venues.lot_queue import Held, LotQueue
from usance.venues.numbers import day_of, product, seconds_of
from usance.venues.rows import FEEDS, Fill
from usance.venues.venue import Market

FILLS = FEEDS.index("fills")


class Trades:
    """The fills of one account, taken in order of time, with the lots that they leave.

    held  lots of each contract before the first fill
    """

    def __init__(self, held: Mapping[str, Sequence[Held]]) -> None:
        self._held = held
        self._queues: dict[str, LotQueue] = {}

    def draft(self, account: Account, fill: Fill) -> Draft:
        """Return the transaction of a fill."""
        market = account.symbols.market(fill.symbol)
        legs = (self._contract if market.contract else _coins)(account, fill, market)
        fee = _fee(account, fill)
        word = "Buy" if fill.side > 0 else "Sell"
        what = f"{word} {decimal_text(fill.quantity)} {market.base} at {decimal_text(fill.price)}"
        meta: list[tuple[str, str | int]] = [
            ("time", clock(seconds_of(fill.at))),
            (account.feed.venue, fill.id),
        ]
        if fill.order:
            meta.append(("order", fill.order))
        if fill.system is not None:
            meta.append(("system", fill.system))
        if fee and market.contract:
            # Reports assign the fee by it.
            meta.append(("contract", market.base))
        return Draft(
            day_of(fill.at), fill.at, FILLS, fill.trade, fill.id, what, tuple(meta), legs + fee
        )

    def _contract(self, account: Account, fill: Fill, market: Market) -> list[Leg]:
        accounts, settle = account.accounts, market.quote
        queue = self._queues.get(market.base)
        if queue is None:
            queue = self._queues[market.base] = LotQueue(self._held.get(market.base, ()))
        quantity = fill.side * fill.quantity
        closed, opened, result = queue.fill(day_of(fill.at), fill.price, quantity)
        price = at_price(fill.price, settle)
        legs = []
        if closed:
            legs.append(Leg(accounts.perp, closed, market.base, f"{{}} {price}"))
        if opened:
            cost = f"{{{decimal_text(fill.price)} {settle}}}"
            legs.append(Leg(accounts.perp, opened, market.base, cost))
        legs.append(Leg(accounts.perp, -product(quantity, fill.price), settle))
        if result:
            legs.append(Leg(accounts.pnl, -result, settle))
        return legs


def _coins(account: Account, fill: Fill, market: Market) -> list[Leg]:
    quantity, wallet = fill.side * fill.quantity, account.accounts.wallet
    return [
        Leg(wallet, quantity, market.base, at_price(fill.price, market.quote)),
        Leg(wallet, -product(quantity, fill.price), market.quote),
    ]


def _fee(account: Account, fill: Fill) -> list[Leg]:
    if not fill.fee:
        return []
    coin = account.symbols.coin(fill.fee_symbol)
    accounts, fee = account.accounts, EXACT.plus(fill.fee)
    return [Leg(accounts.fees, fee, coin), Leg(accounts.wallet, -fee, coin)]
