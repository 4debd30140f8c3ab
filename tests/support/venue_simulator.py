"""A venue that keeps its own books, by its rules alone: it imports nothing of ours.

It lives a few sub-accounts action by action, in fractions, and remembers what each key could have
read at each moment: the rows of every history, as the API shapes them, and the state from which
`simulated_answers` makes a snapshot. Times are milliseconds since 1970, in UTC.

The rules, of `venue-backpack.md`: one wallet for each sub-account; hourly interest on what is lent
or owed, rounded at ten decimals; results of contracts realised into USDC, truncated at six; fees
rounded up at six; hourly funding.
"""

import copy
import datetime
import hashlib
from bisect import bisect_right
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Context, Decimal
from fractions import Fraction
from typing import Any, NamedTuple

SECOND = 1000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
TICK = 600 * SECOND
"""How long a mark stands."""

LEND_PLACES, CASH_PLACES = 10, 6

Row = dict[str, Any]

FEEDS = {
    "fills": "/wapi/v1/history/fills",
    "funding": "/wapi/v1/history/funding",
    "interest": "/wapi/v1/history/interest",
    "borrowLend": "/wapi/v1/history/borrowLend",
    "settlement": "/wapi/v1/history/settlement",
    "deposits": "/wapi/v1/capital/deposits",
    "withdrawals": "/wapi/v1/capital/withdrawals",
    "dust": "/wapi/v1/history/dust",
}


def moment(text: str) -> int:
    """Return `2025-11-01 09:30:15` in milliseconds since 1970."""
    at = datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)
    return (at - datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)) // datetime.timedelta(
        milliseconds=1
    )


def stamp(at: int) -> str:
    """Return a moment as rows have it: no zone, and a fraction only where there is one."""
    whole = datetime.datetime(1970, 1, 1) + datetime.timedelta(milliseconds=at)  # noqa: DTZ001
    return whole.isoformat(timespec="milliseconds" if at % SECOND else "seconds")


def text(amount: Fraction) -> str:
    """Return an amount as the API writes it: the exact decimal if there is one, else 28 digits."""
    if amount == 0:
        return "0"
    context = Context(prec=28)
    rest = amount.denominator
    for prime in (2, 5):
        while rest % prime == 0:
            rest //= prime
    if rest == 1:
        context = Context(prec=200)
    value = context.divide(Decimal(amount.numerator), Decimal(amount.denominator))
    return f"{value.normalize(context):f}"


def nearest(amount: Fraction, places: int) -> Fraction:
    """Round half to even."""
    return Fraction(round(amount * 10**places), 10**places)


def up(amount: Fraction, places: int) -> Fraction:
    """Round up, as fees are."""
    return Fraction(-(-amount * 10**places // 1), 10**places)


def toward_zero(amount: Fraction, places: int) -> Fraction:
    """Truncate, as unrealised results are shown."""
    return Fraction(int(amount * 10**places), 10**places)


class Contract(NamedTuple):
    """A perpetual contract: its start price, the floor and factor of both margins."""

    price: Fraction
    imf: tuple[Fraction, Fraction]
    mmf: tuple[Fraction, Fraction]


class Asset(NamedTuple):
    """A coin: start price, weight, margins of a borrow, rates of its pool (None: no pool)."""

    price: Fraction
    weight: Fraction
    imf: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    mmf: tuple[Fraction, Fraction] = (Fraction(0), Fraction(0))
    rates: tuple[Fraction, Fraction] | None = None


def of(number: str) -> Fraction:
    return Fraction(number)


CONTRACTS = {
    "SOL_USDC_PERP": Contract(
        of("150"), (of("0.02"), of("0.000075")), (of("0.0135"), of("0.0000375"))
    ),
    "BTC_USDC_PERP": Contract(
        of("106235.4"),
        (of("0.01333333"), of("0.00002494")),
        (of("0.00666667"), of("0.00001496")),
    ),
}
ASSETS = {
    "USDC": Asset(of("1"), of("1"), rates=(of("0.0412"), of("0.063"))),
    "SOL": Asset(
        of("150"),
        of("0.95"),
        (of("0.1"), of("0.00008")),
        (of("0.05"), of("0.00004")),
        (of("0.0523"), of("0.0811")),
    ),
    "WIF": Asset(of("0.53"), of("0.5")),
}


class Settings(NamedTuple):
    """The settings of a sub-account."""

    id: int | None
    auto_lend: bool = True
    auto_borrow: bool = True
    auto_repay: bool = True
    leverage_limit: int = 10


# What a person does, or the venue on its own.


class Deposit(NamedTuple):
    """`created` before `at`: a row that comes late. `pending` before `at`: it was seen pending."""

    at: int
    account: str
    coin: str
    quantity: Fraction
    source: str = "ethereum"
    created: int | None = None
    pending: int | None = None
    memo: str | None = None


class Withdraw(NamedTuple):
    """`fee` on top of `quantity`."""

    at: int
    account: str
    coin: str
    quantity: Fraction
    fee: Fraction = Fraction(0)


class Transfer(NamedTuple):
    """Between two sub-accounts."""

    at: int
    account: str
    to: str
    coin: str
    quantity: Fraction


class Trade(NamedTuple):
    """A fill: of a contract if the symbol ends in PERP, else spot; `sign` 1 buys, -1 sells.

    `rate` of the fee (below 0: a rebate); `known` is when its row can be read, if that is late.
    """

    at: int
    account: str
    symbol: str
    sign: int
    quantity: Fraction
    price: Fraction
    rate: Fraction = Fraction(5, 10000)
    system: str | None = None
    known: int | None = None


class Order(NamedTuple):
    """An order that rests: of spot it locks coins, of a contract it adds exposure."""

    at: int
    account: str
    symbol: str
    sign: int
    quantity: Fraction
    price: Fraction


class Cancel(NamedTuple):
    """All orders of an account."""

    at: int
    account: str


class Borrow(NamedTuple):
    """By hand; `quantity` below 0 repays."""

    at: int
    account: str
    coin: str
    quantity: Fraction


class Dust(NamedTuple):
    """All that there is of a coin becomes USDC."""

    at: int
    account: str
    coin: str


class Proceeds(NamedTuple):
    """What the backstop liquidity fund pays."""

    at: int
    account: str
    quantity: Fraction


Action = Deposit | Withdraw | Transfer | Trade | Order | Cancel | Borrow | Dust | Proceeds


@dataclass
class Coin:
    """What an account holds and owes of a coin; `earning`, `owing` since the last full hour."""

    held: Fraction = Fraction(0)
    owed: Fraction = Fraction(0)
    locked: Fraction = Fraction(0)
    lent: Fraction = Fraction(0)
    owing: Fraction = Fraction(0)
    earning: Fraction = Fraction(0)
    lend_id: str = ""
    borrow_id: str = ""
    lend_interest: Fraction = Fraction(0)
    borrow_interest: Fraction = Fraction(0)


@dataclass
class Position:
    """An open contract.

    cost      at the mean entry
    claim     received less paid, fees apart: claim + quantity * mark is the result
    realised  how much of that went into the wallet
    """

    id: str
    quantity: Fraction = Fraction(0)
    cost: Fraction = Fraction(0)
    claim: Fraction = Fraction(0)
    realised: Fraction = Fraction(0)
    funding: Fraction = Fraction(0)


@dataclass
class State:
    """One sub-account at a moment."""

    coins: dict[str, Coin] = field(default_factory=lambda: defaultdict(Coin))
    positions: dict[str, Position] = field(default_factory=dict)
    orders: list[Order] = field(default_factory=list)


class Version(NamedTuple):
    """A row from when it can be read so; a later version with its key replaces it."""

    known: int
    time: int
    key: int
    row: Row


class Scenario(NamedTuple):
    """What is simulated: from 00:00 of the first day, for some days.

    realise  seconds between two realisations; the venue's are 10
    """

    first: str
    days: int
    accounts: Mapping[str, Settings]
    actions: Sequence[Action]
    seed: int = 1
    realise: int = 3600


class Venue:
    """A scenario, lived to its end."""

    def __init__(self, scenario: Scenario) -> None:
        self.scenario = scenario
        self.first = moment(scenario.first)
        self.end = self.first + scenario.days * DAY
        self.states: dict[str, State] = {name: State() for name in scenario.accounts}
        self.past: dict[str, list[tuple[int, State]]] = {name: [] for name in scenario.accounts}
        self.versions: dict[tuple[str, str], list[Version]] = defaultdict(list)
        self.skipped: list[Action] = []
        self._number = 1000
        self._live()

    # What can be read.

    def rows(self, account: str, feed: str, at: int) -> list[Row]:
        """Return the rows of a feed that can be read at a moment, oldest first."""
        newest: dict[int, Version] = {}
        for version in sorted(self.versions[account, feed], key=lambda one: one.known):
            if version.known <= at:
                newest[version.key] = version
        return [v.row for v in sorted(newest.values(), key=lambda one: (one.time, one.key))]

    def state(self, account: str, at: int) -> State:
        """Return a sub-account as it was at a moment."""
        past = self.past[account]
        index = bisect_right([when for when, _ in past], at)
        return past[index - 1][1] if index else State()

    def price(self, symbol: str, at: int) -> Fraction:
        """Return the mark of a contract, or the index price of a coin, at eight decimals."""
        if symbol == "USDC":
            return Fraction(1)
        base = CONTRACTS[symbol].price if symbol in CONTRACTS else ASSETS[symbol].price
        moved = self._wave(symbol, at // DAY) * 40 + self._wave(f"{symbol}/tick", at // TICK) * 8
        return nearest(base * (1 + Fraction(moved, 10**6)), 8)

    def rate(self, coin: str, at: int) -> tuple[Fraction, Fraction]:
        """Return the supply and the borrow rate of a pool in an hour, a year."""
        rates = ASSETS[coin].rates
        assert rates is not None
        factor = 1 + Fraction(self._wave(f"{coin}/rate", at // HOUR), 5000)
        supply, borrow = (nearest(rate * factor, 10) for rate in rates)
        return supply, borrow

    def _wave(self, name: str, step: int) -> int:
        """Return a whole number from -1000 to 1000 that looks drawn, and is not."""
        digest = hashlib.sha256(f"{self.scenario.seed}/{name}/{step}".encode()).digest()
        return int.from_bytes(digest[:8], "big") % 2001 - 1000

    # A life.

    def _live(self) -> None:
        step = self.scenario.realise * SECOND
        moments = range(self.first + min(step, HOUR), self.end + 1, min(step, HOUR))
        queue: list[tuple[int, int, Action | None]] = [(at, 0, None) for at in moments]
        queue += [(action.at, 1 + n, action) for n, action in enumerate(self.scenario.actions)]
        for at, _, action in sorted(queue, key=lambda one: one[:2]):
            if action is None:
                self._clock(at, step)
            else:
                self._act(action)

    def _clock(self, at: int, step: int) -> None:
        for name, state in self.states.items():
            if at % step == 0:
                for symbol in sorted(state.positions):
                    self._realise(name, symbol, at)
            if at % HOUR == 0:
                for symbol in sorted(state.positions):
                    self._fund(name, symbol, at)
                for coin in sorted(state.coins):
                    self._interest(name, coin, at)
            self._keep(name, at)

    def _act(self, action: Action) -> None:
        doing = getattr(self, f"_{type(action).__name__.lower()}")
        if not doing(action):
            self.skipped.append(action)
        self._keep(action.account, action.at)

    def _keep(self, account: str, at: int) -> None:
        """Net what is owed, lend what is idle, and remember the state."""
        state = self.states[account]
        for coin in sorted(state.coins):
            self._net(account, coin, at)
            self._lend(account, coin, at)
        past = self.past[account]
        if not past or past[-1][1] != state:
            past.append((at, copy.deepcopy(state)))

    def _next(self) -> int:
        self._number += 1
        return self._number

    def _write(
        self, account: str, feed: str, at: int, row: Row, known: int | None = None, key: int = 0
    ) -> None:
        version = Version(at if known is None else known, at, key or self._next(), row)
        self.versions[account, feed].append(version)

    # Coins.

    def _free(self, account: str, coin: str) -> Fraction:
        state = self.states[account].coins[coin]
        return state.held - state.locked

    def _may_spend(self, account: str, coin: str, quantity: Fraction) -> bool:
        """Tell whether the venue lets a quantity go, on credit if it may be."""
        settings = self.scenario.accounts[account]
        credit = settings.auto_borrow and ASSETS[coin].rates is not None
        return self._free(account, coin) >= quantity or credit

    def _net(self, account: str, coin: str, at: int) -> None:
        settings, state = self.scenario.accounts[account], self.states[account].coins[coin]
        short = state.locked - state.held
        if short > 0 and settings.auto_borrow:
            self._owe(account, coin, short, "SpotMargin", at)
            state.held += short
        elif settings.auto_repay and state.owed > 0 and short < 0:
            repaid = min(state.owed, -short)
            state.held -= repaid
            self._owe(account, coin, -repaid, "AutoBorrowRepay", at)

    def _owe(self, account: str, coin: str, more: Fraction, source: str, at: int) -> None:
        """Owe more, or less, with the row of the movement and the fee of a fresh borrow."""
        state = self.states[account].coins[coin]
        if not state.owed:
            state.borrow_id, state.borrow_interest = str(self._next()), Fraction(0)
        state.owed += more
        state.owing = min(state.owing, state.owed)
        event = "Borrow" if more > 0 else "BorrowRepay"
        self._move(account, coin, event, source, abs(more), state.owed, state.borrow_id, at)
        if more > 0 and source != "Interest" and (rest := -at % HOUR):
            _, rate = self.rate(coin, at)
            fee = nearest(more * rate * rest / (365 * DAY), LEND_PLACES)
            if fee:
                self._charge(account, coin, "EntryFee", fee, rate, rest, at)

    def _charge(
        self, account: str, coin: str, kind: str, fee: Fraction, rate: Fraction, span: int, at: int
    ) -> None:
        state = self.states[account].coins[coin]
        self._pay(account, coin, kind, fee, rate, span, state.borrow_id, at)
        state.owed += fee
        state.borrow_interest -= fee
        self._move(account, coin, "Borrow", "Interest", fee, state.owed, state.borrow_id, at)

    def _lend(self, account: str, coin: str, at: int) -> None:
        settings, state = self.scenario.accounts[account], self.states[account].coins[coin]
        idle = max(self._free(account, coin), Fraction(0))
        lends = settings.auto_lend and ASSETS[coin].rates is not None
        lent = idle if lends and not state.owed else Fraction(0)
        if lent == state.lent:
            return
        if not state.lent:
            state.lend_id, state.lend_interest = str(self._next()), Fraction(0)
        more, state.lent = lent - state.lent, lent
        state.earning = min(state.earning, lent)
        event, source = ("Lend", "AutoLend") if more > 0 else ("LendRedeem", "Reconciliation")
        self._move(account, coin, event, source, abs(more), lent, state.lend_id, at)

    def _interest(self, account: str, coin: str, at: int) -> None:
        state = self.states[account].coins[coin]
        if ASSETS[coin].rates is None:
            return
        supply, borrow = self.rate(coin, at - HOUR)
        earned = nearest(state.earning * supply / (365 * 24), LEND_PLACES)
        if earned:
            self._pay(account, coin, "Lend", earned, supply, HOUR, state.lend_id, at)
            state.held += earned
            state.lent += earned
            state.lend_interest += earned
            self._move(account, coin, "Lend", "Interest", earned, state.lent, state.lend_id, at)
        charged = nearest(state.owing * borrow / (365 * 24), LEND_PLACES)
        if charged:
            self._charge(account, coin, "Borrow", charged, borrow, HOUR, at)
        self._net(account, coin, at)
        self._lend(account, coin, at)
        state.earning, state.owing = state.lent, state.owed

    def _pay(
        self, account: str, coin: str, kind: str, paid: Fraction, rate: Fraction, span: int,
        position: str, at: int,
    ) -> None:  # fmt: skip
        row = {
            "paymentType": kind,
            "interestRate": text(rate),
            "interval": span,
            "marketSymbol": coin,
            "positionId": position,
            "quantity": text(paid),
            "symbol": coin,
            "timestamp": stamp(at),
        }
        self._write(account, "interest", at, row)

    def _move(
        self, account: str, coin: str, event: str, source: str, quantity: Fraction, left: Fraction,
        position: str, at: int,
    ) -> None:  # fmt: skip
        row = {
            "eventType": event,
            "positionId": position,
            "positionQuantity": text(left),
            "quantity": text(quantity),
            "source": source,
            "symbol": coin,
            "timestamp": stamp(at),
            "spotMarginOrderId": None,
        }
        self._write(account, "borrowLend", at, row)

    # Contracts.

    def _realise(self, account: str, symbol: str, at: int, places: int = CASH_PLACES) -> None:
        state = self.states[account]
        position = state.positions[symbol]
        result = position.claim + position.quantity * self.price(symbol, at)
        paid = toward_zero(result - position.realised, places)
        if not paid:
            return
        position.realised += paid
        state.coins["USDC"].held += paid
        source = "CulledRealizePnlAuto" if position.quantity else "RealizePnl"
        self._settle(account, source, paid, at, position.id)

    def _fund(self, account: str, symbol: str, at: int) -> None:
        state = self.states[account]
        position = state.positions[symbol]
        rate = Fraction(self._wave(f"{symbol}/funding", at // HOUR), 10**8)
        paid = toward_zero(-rate * position.quantity * self.price(symbol, at - 1), CASH_PLACES)
        if not paid:
            return
        position.funding += paid
        state.coins["USDC"].held += paid
        row = {
            "userId": 1813870,
            "subaccountId": self.scenario.accounts[account].id,
            "symbol": symbol,
            "quantity": text(paid),
            "intervalEndTimestamp": stamp(at),
            "fundingRate": text(rate),
        }
        self._write(account, "funding", at, row)
        self._settle(account, "FundingPayment", paid, at, position.id)

    def _settle(self, account: str, source: str, paid: Fraction, at: int, position: str) -> None:
        row = {
            "quantity": text(paid),
            "source": source,
            "subaccountId": self.scenario.accounts[account].id,
            "timestamp": stamp(at),
            "userId": 1813870,
            "positionId": position or None,
            "engineSequence": self._next(),
        }
        self._write(account, "settlement", at, row)

    def _trade(self, trade: Trade) -> bool:
        if not trade.symbol.endswith("_PERP"):
            return self._spot(trade)
        self._hold(trade, trade.sign * trade.quantity)
        notional = trade.quantity * trade.price
        self._fill(trade, "USDC", up(notional * trade.rate, CASH_PLACES))
        return True

    def _hold(self, trade: Trade, change: Fraction) -> None:
        """Change a position; one that crosses zero is closed first, and a new one opened."""
        positions = self.states[trade.account].positions
        position = positions.setdefault(trade.symbol, Position(str(self._next())))
        before, after = position.quantity, position.quantity + change
        if before * after < 0:
            self._hold(trade, -before)
            self._hold(trade, after)
            return
        if abs(after) < abs(before):
            position.cost *= after / before
        else:
            position.cost += change * trade.price
        position.quantity = after
        position.claim -= change * trade.price
        if not after:
            self._realise(trade.account, trade.symbol, trade.at, places=20)
            del positions[trade.symbol]

    def _spot(self, trade: Trade) -> bool:
        base, quote = trade.symbol.split("_")
        gives, takes = (quote, base) if trade.sign > 0 else (base, quote)
        notional = trade.quantity * trade.price
        given, taken = (notional, trade.quantity)[:: trade.sign]
        if not self._may_spend(trade.account, gives, given):
            return False
        coins = self.states[trade.account].coins
        coins[gives].held -= given
        coins[takes].held += taken
        self._fill(trade, takes, up(taken * trade.rate, CASH_PLACES))
        return True

    def _fill(self, trade: Trade, coin: str, fee: Fraction) -> None:
        self.states[trade.account].coins[coin].held -= fee
        number = self._next()
        row = {
            "clientId": None,
            "fee": text(fee),
            "feeSymbol": coin,
            "isMaker": trade.rate <= 0,
            "orderId": str(10**9 + number),
            "price": text(trade.price),
            "quantity": text(trade.quantity),
            "side": "Bid" if trade.sign > 0 else "Ask",
            "symbol": trade.symbol,
            "systemOrderType": trade.system,
            "timestamp": stamp(trade.at),
            "tradeId": number,
        }
        self._write(trade.account, "fills", trade.at, row, trade.known)
        if fee and coin == "USDC":
            source = "TradingFeesSystem" if trade.system else "TradingFees"
            self._settle(trade.account, source, -fee, trade.at, "")

    # Orders.

    def _order(self, order: Order) -> bool:
        state = self.states[order.account]
        if not order.symbol.endswith("_PERP"):
            coin, quantity = _locked(order)
            if self._free(order.account, coin) < quantity:
                return False
            state.coins[coin].locked += quantity
        state.orders.append(order)
        return True

    def _cancel(self, cancel: Cancel) -> bool:
        state = self.states[cancel.account]
        for order in state.orders:
            if not order.symbol.endswith("_PERP"):
                coin, quantity = _locked(order)
                state.coins[coin].locked -= quantity
        state.orders.clear()
        return True

    # In, out, and what the venue does on its own.

    def _deposit(self, deposit: Deposit) -> bool:
        self.states[deposit.account].coins[deposit.coin].held += deposit.quantity
        created = deposit.at
        for other in (deposit.created, deposit.pending):
            created = min(created, other or created)
        row = {
            "createdAt": stamp(created),
            "fiatAmount": None,
            "fiatCurrency": None,
            "fromAddress": None,
            "id": self._next(),
            "institutionBic": None,
            "platformMemo": deposit.memo,
            "quantity": text(deposit.quantity),
            "source": deposit.source,
            "status": "confirmed",
            "symbol": deposit.coin,
            "toAddress": None,
            "transactionHash": None,
        }
        key = self._next()
        if deposit.pending is not None:
            waiting = row | {"status": "pending"}
            self._write(deposit.account, "deposits", created, waiting, deposit.pending, key)
        self._write(deposit.account, "deposits", created, row, deposit.at, key)
        return True

    def _withdraw(self, out: Withdraw, *, internal: bool = False) -> bool:
        if not self._may_spend(out.account, out.coin, out.quantity + out.fee):
            return False
        self.states[out.account].coins[out.coin].held -= out.quantity + out.fee
        row = {
            "id": self._next(),
            "blockchain": "Internal" if internal else "Solana",
            "clientId": None,
            "identifier": None,
            "quantity": text(out.quantity),
            "fee": text(out.fee),
            "fiatFee": None,
            "fiatState": None,
            "fiatSymbol": None,
            "providerId": None,
            "symbol": out.coin,
            "status": "confirmed",
            "subaccountId": self.scenario.accounts[out.account].id,
            "toAddress": "",
            "transactionHash": None,
            "createdAt": stamp(out.at),
            "isInternal": internal,
            "bankName": None,
            "bankIdentifier": None,
            "accountIdentifier": None,
            "triggerAt": None,
        }
        self._write(out.account, "withdrawals", out.at, row)
        return True

    def _transfer(self, move: Transfer) -> bool:
        out = Withdraw(move.at, move.account, move.coin, move.quantity)
        if not self._withdraw(out, internal=True):
            return False
        self._deposit(Deposit(move.at, move.to, move.coin, move.quantity, "internal"))
        self._keep(move.to, move.at)
        return True

    def _borrow(self, borrow: Borrow) -> bool:
        state = self.states[borrow.account].coins[borrow.coin]
        if state.lent or -borrow.quantity > min(
            state.owed, self._free(borrow.account, borrow.coin)
        ):
            return False
        state.held += borrow.quantity
        self._owe(borrow.account, borrow.coin, borrow.quantity, "Manual", borrow.at)
        return True

    def _dust(self, dust: Dust) -> bool:
        coins = self.states[dust.account].coins
        quantity = self._free(dust.account, dust.coin)
        if quantity <= 0 or coins[dust.coin].owed or dust.coin == "USDC":
            return False
        received = toward_zero(quantity * self.price(dust.coin, dust.at), CASH_PLACES)
        coins[dust.coin].held -= quantity
        coins["USDC"].held += received
        row = {
            "id": self._next(),
            "quantity": text(quantity),
            "symbol": dust.coin,
            "usdcReceived": text(received),
            "timestamp": stamp(dust.at),
        }
        self._write(dust.account, "dust", dust.at, row)
        return True

    def _proceeds(self, proceeds: Proceeds) -> bool:
        self.states[proceeds.account].coins["USDC"].held += proceeds.quantity
        source = "BackstopLiquidityFundProceeds"
        self._settle(proceeds.account, source, proceeds.quantity, proceeds.at, "")
        return True


def _locked(order: Order) -> tuple[str, Fraction]:
    """Return the coin and the quantity that a spot order locks."""
    base, quote = order.symbol.split("_")
    return (quote, order.quantity * order.price) if order.sign > 0 else (base, order.quantity)


def feeds(venue: Venue, account: str, at: int) -> dict[str, list[Row]]:
    """Return the rows of every endpoint that a key can read at a moment, oldest first."""
    return {path: venue.rows(account, feed, at) for feed, path in FEEDS.items()}
