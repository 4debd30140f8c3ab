"""What the simulated venue answers besides rows: snapshots of an account, and public data.

Like `venue_simulator`, it imports nothing of ours: the totals of a margin account are the venue's
own arithmetic.
"""

import datetime
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any

from venue_simulator import (
    ASSETS,
    CASH_PLACES,
    CONTRACTS,
    DAY,
    HOUR,
    SECOND,
    Coin,
    Position,
    State,
    Venue,
    stamp,
    text,
    toward_zero,
)

Answer = Any
_MANY = Context(prec=60)


def square_root(amount: Fraction) -> Fraction:
    value = _MANY.divide(Decimal(amount.numerator), Decimal(amount.denominator))
    return Fraction(_MANY.sqrt(value))


def fraction_of(function: tuple[Fraction, Fraction], notional: Fraction) -> Fraction:
    """Return the larger of the floor and the factor times the root of the exposure."""
    base, factor = function
    return max(base, factor * square_root(notional)) if factor else base


def snapshot(venue: Venue, account: str, at: int) -> dict[str, Answer]:
    """Return the answers of the five endpoints of an account, by the names of their files."""
    state, limit = venue.state(account, at), venue.scenario.accounts[account].leverage_limit
    prices = {coin: venue.price(coin, at) for coin in ASSETS}
    marks = {symbol: venue.price(symbol, at) for symbol in state.positions}
    positions = [
        _position(position, symbol, state, marks[symbol], limit)
        for symbol, position in sorted(state.positions.items())
    ]
    loans = [
        loan for coin, held in sorted(state.coins.items()) for loan in _loans(held, coin, prices)
    ]
    return {
        "collateral": _collateral(state, prices, positions, loans, limit),
        "capital": _capital(state),
        "account": _account(venue, account),
        "position": [row for row, _, _ in positions],
        "borrow_lend_positions": [row for row, _, _ in loans],
    }


def _exposure(position: Position, symbol: str, state: State) -> Fraction:
    """Return the quantity that could come to be held: the position, and orders that add to it."""
    orders = [order for order in state.orders if order.symbol == symbol]
    buys = sum((o.quantity for o in orders if o.sign > 0), Fraction(0))
    sells = sum((o.quantity for o in orders if o.sign < 0), Fraction(0))
    return max(position.quantity + buys, -(position.quantity - sells), key=abs)


Margins = tuple[dict[str, Answer], Fraction, Fraction]
"""A row, the margin that it locks, the exposure."""


def _position(position: Position, symbol: str, state: State, mark: Fraction, limit: int) -> Margins:
    contract = CONTRACTS[symbol]
    exposed = _exposure(position, symbol, state)
    notional = abs(exposed) * mark
    imf = max(Fraction(1, limit), fraction_of(contract.imf, notional))
    result = position.claim + position.quantity * mark - position.realised
    entry = position.cost / position.quantity
    row = {
        "breakEvenPrice": text((position.cost - position.funding) / position.quantity),
        "entryPrice": text(entry),
        "estLiquidationPrice": "0",
        "imf": text(imf),
        "imfFunction": _function(contract.imf),
        "markPrice": text(mark),
        "mmf": text(fraction_of(contract.mmf, notional)),
        "mmfFunction": _function(contract.mmf),
        "netCost": text(position.cost),
        "netQuantity": text(position.quantity),
        "netExposureQuantity": text(abs(exposed)),
        "netExposureNotional": text(notional),
        "pnlRealized": text(position.realised),
        "pnlUnrealized": text(toward_zero(result, CASH_PLACES)),
        "cumulativeFundingPayment": text(position.funding),
        "subaccountId": None,
        "symbol": symbol,
        "userId": 1813870,
        "positionId": position.id,
        "cumulativeInterest": "0",
    }
    return row, imf * notional, notional


def _loans(coin: Coin, symbol: str, prices: dict[str, Fraction]) -> list[Margins]:
    asset, found = ASSETS[symbol], list[Margins]()
    for quantity, name, interest in (
        (coin.lent, coin.lend_id, coin.lend_interest),
        (-coin.owed, coin.borrow_id, coin.borrow_interest),
    ):
        if not quantity:
            continue
        exposed = max(-quantity, Fraction(0))
        notional = exposed * prices[symbol]
        row = {
            "cumulativeInterest": text(interest),
            "id": name,
            "imf": text(fraction_of(asset.imf, notional)),
            "imfFunction": _function(asset.imf),
            "netQuantity": text(quantity),
            "markPrice": text(prices[symbol]),
            "mmf": text(fraction_of(asset.mmf, notional)),
            "mmfFunction": _function(asset.mmf),
            "netExposureQuantity": text(exposed),
            "netExposureNotional": text(notional),
            "symbol": symbol,
            "estLiquidationPrice": "0",
        }
        found.append((row, fraction_of(asset.imf, notional), notional))
    return found


def _collateral(
    state: State,
    prices: dict[str, Fraction],
    positions: list[Margins],
    loans: list[Margins],
    limit: int,
) -> Answer:
    rows, weighed = [], Fraction(0)
    for symbol, coin in sorted(state.coins.items()):
        if not coin.held:
            continue
        notional = coin.held * prices[symbol]
        weighed += notional * ASSETS[symbol].weight
        rows.append(
            {
                "symbol": symbol,
                "assetMarkPrice": text(prices[symbol]),
                "totalQuantity": text(coin.held),
                "balanceNotional": text(notional),
                "collateralWeight": text(ASSETS[symbol].weight),
                "collateralValue": text(notional * ASSETS[symbol].weight),
                "openOrderQuantity": text(coin.locked),
                "lendQuantity": text(coin.lent),
                "availableQuantity": text(coin.held - coin.locked - coin.lent),
            }
        )
    unrealised = sum((Fraction(row["pnlUnrealized"]) for row, _, _ in positions), Fraction(0))
    owed = sum((notional for _, _, notional in loans), Fraction(0))
    futures = sum((notional for _, _, notional in positions), Fraction(0))
    equity = weighed + unrealised - owed
    locked = sum((margin for _, margin, _ in positions), Fraction(0))
    locked += sum((max(Fraction(1, limit), imf) * n for _, imf, n in loans), Fraction(0))
    exposure = futures + owed
    return {
        "assetsValue": text(weighed),
        "borrowLiability": text(owed),
        "collateral": rows,
        "imf": text(max(Fraction(1, limit), locked / exposure if exposure else Fraction(0))),
        "unsettledEquity": "0",
        "liabilitiesValue": text(owed),
        "marginFraction": text(equity / exposure) if exposure else None,
        "mmf": text(_maintenance(positions, loans, exposure)),
        "netEquity": text(equity),
        "netEquityAvailable": text(equity - locked),
        "netEquityLocked": text(locked),
        "netExposureFutures": text(futures),
        "pnlUnrealized": text(unrealised),
    }


def _maintenance(positions: list[Margins], loans: list[Margins], exposure: Fraction) -> Fraction:
    if not exposure:
        return Fraction(0)
    needs = sum((Fraction(row["mmf"]) * n for row, _, n in [*positions, *loans]), Fraction(0))
    return needs / exposure


def _capital(state: State) -> Answer:
    """Return what is not lent: 0 of a coin that is."""
    return {
        symbol: {
            "available": text(coin.held - coin.locked - coin.lent),
            "locked": text(coin.locked),
            "staked": "0",
        }
        for symbol, coin in sorted(state.coins.items())
        if coin.held
    }


def _account(venue: Venue, account: str) -> Answer:
    settings = venue.scenario.accounts[account]
    return {
        "autoBorrowSettlements": settings.auto_borrow,
        "autoLend": settings.auto_lend,
        "autoRealizePnl": True,
        "autoRepayBorrows": settings.auto_repay,
        "borrowLimit": "2500000",
        "futuresMakerFee": "1.9",
        "futuresTakerFee": "4.5",
        "leverageLimit": str(settings.leverage_limit),
        "limitOrders": 0,
        "liquidating": False,
        "positionLimit": "2500000",
        "spotMakerFee": "8",
        "spotTakerFee": "10",
        "triggerOrders": 0,
    }


def _function(function: tuple[Fraction, Fraction]) -> Answer:
    return {"type": "sqrt", "base": text(function[0]), "factor": text(function[1])}


# Public data.


def markets() -> Answer:
    """Return the markets: each contract, and the spot market of each coin."""
    found = [_market(f"{coin}_USDC", "SPOT") for coin in sorted(ASSETS) if coin != "USDC"]
    for symbol, contract in sorted(CONTRACTS.items()):
        terms = {
            "imfFunction": _function(contract.imf),
            "mmfFunction": _function(contract.mmf),
            "fundingRateUpperBound": "100",
            "fundingRateLowerBound": "-100",
        }
        found.append(_market(symbol, "PERP") | terms)
    return found


def _market(symbol: str, kind: str) -> dict[str, Answer]:
    base, quote = symbol.split("_")[:2]
    return {
        "symbol": symbol,
        "baseSymbol": base,
        "quoteSymbol": quote,
        "marketType": kind,
        "filters": {
            "price": {"tickSize": "0.01", "minPrice": "0.01", "maxPrice": "1000000"},
            "quantity": {"stepSize": "0.00001", "minQuantity": "0.00001", "maxQuantity": None},
        },
        "imfFunction": None,
        "mmfFunction": None,
        "fundingInterval": HOUR,
        "fundingRateUpperBound": None,
        "fundingRateLowerBound": None,
        "openInterestLimit": "0",
        "orderBookState": "Open",
        "createdAt": "2025-01-21T06:34:54.691858",
        "visible": True,
        "positionLimitWeight": None,
    }


def collateral_parameters() -> Answer:
    """Return the public parameters of each coin as collateral."""
    return [
        {
            "symbol": symbol,
            "imfFunction": _function(asset.imf),
            "mmfFunction": _function(asset.mmf),
            "haircutFunction": {"weight": text(asset.weight), "kind": {"type": "identity"}},
        }
        for symbol, asset in sorted(ASSETS.items())
    ]


def lending_markets(venue: Venue, at: int) -> Answer:
    """Return the pools as they are at a moment."""
    return [
        _pool(venue, coin, at - at % HOUR)
        | {
            "state": "Open",
            "assetMarkPrice": text(venue.price(coin, at)),
            "fee": "0.1",
            "maxUtilization": "1",
            "openBorrowLendLimit": "100000000",
            "optimalUtilization": "0.9",
            "symbol": coin,
            "throttleUtilizationThreshold": "0.92",
            "throttleUtilizationBound": "0.95",
            "throttleUpdateFraction": "0.1",
            "stepSize": "0.0000000001",
        }
        for coin, asset in sorted(ASSETS.items())
        if asset.rates is not None
    ]


def pool_history(venue: Venue, coin: str, at: int, span: int = 7 * DAY) -> Answer:
    """Return the rates of a pool for each hour of a span that ends at a moment, oldest first."""
    begin = max(at - span, venue.first - DAY)
    return [_pool(venue, coin, hour) for hour in range(begin - begin % HOUR, at + 1, HOUR)]


def _pool(venue: Venue, coin: str, hour: int) -> dict[str, Answer]:
    supply, borrow = venue.rate(coin, hour)
    return {
        "borrowInterestRate": text(borrow),
        "borrowedQuantity": "7200000",
        "lendInterestRate": text(supply),
        "lentQuantity": "10000000",
        "timestamp": f"{stamp(hour)}.000Z",
        "utilization": "0.72",
    }


def klines(venue: Venue, symbol: str, kind: str, begin: int, end: int, at: int) -> Answer:
    """Return the daily bars of a market that begin in a span; the last one may not be over.

    kind  Mark (contracts), Index (`SOL_USDC` stands for the coin) or Last
    """
    name = symbol if symbol.endswith("_PERP") else symbol.split("_", maxsplit=1)[0]
    if kind == "Index" and symbol.endswith("_PERP"):
        name = symbol.split("_", maxsplit=1)[0]
    found = []
    for start in range(begin - begin % DAY, min(end, at) + 1, DAY):
        if start < begin:
            continue
        last = min(start + DAY - SECOND, at)
        prices = [venue.price(name, hour) for hour in (*range(start, last, HOUR), last)]
        found.append(
            {
                "start": _blank(start),
                "end": _blank(start + DAY),
                "open": text(prices[0]),
                "high": text(max(prices)),
                "low": text(min(prices)),
                "close": text(prices[-1]),
                "volume": "0",
                "quoteVolume": "0",
                "trades": "0",
            }
        )
    return found


def _blank(at: int) -> str:
    whole = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=at)  # noqa: DTZ001
    return whole.isoformat(sep=" ", timespec="seconds")
