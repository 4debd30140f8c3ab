"""Months for the simulated venue: one in which everything occurs, and drawn small ones."""

from collections.abc import Callable
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st
from venue_simulator import (
    HOUR,
    SECOND,
    Action,
    Borrow,
    Cancel,
    Deposit,
    Dust,
    Order,
    Proceeds,
    Scenario,
    Settings,
    Trade,
    Transfer,
    Withdraw,
    moment,
)

MAIN = Settings(id=None)
ARB = Settings(id=3, auto_lend=False, auto_borrow=False, auto_repay=False, leverage_limit=5)


def q(number: str) -> Fraction:
    return Fraction(number)


def november() -> Scenario:
    """Return November 2025 and two days more: Main lends and borrows, Arb does what it is told."""

    def at(text: str) -> int:
        return moment(f"2025-{text}")

    sol, btc, taker, maker = "SOL_USDC_PERP", "BTC_USDC_PERP", q("0.0005"), q("-0.00005")
    actions: list[Action] = [
        Deposit(at("11-01 08:30:54.267"), "Main", "USDC", q("25000"), pending=at("11-01 08:20:00")),
        Deposit(at("11-01 09:12:00"), "Main", "SOL", q("12.5"), "solana"),
        Transfer(at("11-01 10:05:30"), "Main", "Arb", "USDC", q("9000")),
        Trade(at("11-02 13:20:01.250"), "Main", sol, 1, q("120.5"), q("150.01"), taker),
        Trade(at("11-02 13:20:01.250"), "Main", sol, 1, q("29.5"), q("150.02"), taker),
        Trade(at("11-03 16:28:17"), "Arb", btc, 1, q("0.037"), q("106235.4"), taker),
        Trade(at("11-04 01:28:38"), "Arb", btc, -1, q("0.012"), q("106308.8"), maker),
        Trade(at("11-05 10:51:22"), "Arb", btc, -1, q("0.06"), q("103593.2"), taker),
        Trade(at("11-05 22:59:59.999"), "Main", sol, -1, q("50"), q("148.2975"), maker),
        Trade(at("11-06 12:00:00.500"), "Main", "SOL_USDC", -1, q("3.25"), q("151.4"), q("0.001")),
        Order(at("11-07 09:00:30"), "Main", "SOL_USDC", 1, q("20"), q("140")),
        Order(at("11-07 09:01:30"), "Main", sol, 1, q("10"), q("141")),
        Trade(at("11-08 23:40:00"), "Main", "SOL_USDC", 1, q("180"), q("149.9"), q("0.001")),
        Cancel(at("11-10 14:10:00"), "Main"),
        Borrow(at("11-11 00:50:00"), "Arb", "USDC", q("2000")),
        Deposit(at("11-12 07:15:00"), "Main", "WIF", q("0.0123"), "solana"),
        Proceeds(at("11-12 18:00:10"), "Main", q("0.734512")),
        Trade(
            at("11-13 06:00:20"), "Main", "SOL_USDC", -1, q("100"), q("152.25"), q("0.001"),
            "CollateralConversion",
        ),
        Dust(at("11-14 11:11:11"), "Main", "WIF"),
        Withdraw(at("11-15 15:45:00"), "Main", "USDC", q("1500"), q("1")),
        Trade(at("11-16 20:00:01"), "Main", sol, -1, q("100"), q("149.5"), taker),
        Trade(at("11-17 20:00:01"), "Main", sol, -1, q("40"), q("151.37"), taker),
        Deposit(at("11-18 12:30:00"), "Arb", "USDC", q("5"), "administrator", memo='a "gift"'),
        Borrow(at("11-19 21:30:00"), "Arb", "USDC", q("-1200")),
        Deposit(at("11-20 05:00:00"), "Main", "USDC", q("333.25"), created=at("11-17 05:00:00")),
        Trade(at("11-21 03:03:03"), "Arb", btc, 1, q("0.05"), q("104001.1"), taker),
        Transfer(at("11-22 23:59:30"), "Arb", "Main", "USDC", q("250.5")),
        Trade(at("11-24 17:00:00"), "Main", "SOL_USDC", -1, q("95"), q("150"), q("0.001")),
        Withdraw(at("11-26 10:10:10"), "Main", "SOL", q("1.75"), q("0.01")),
        Trade(at("11-28 02:00:30"), "Main", sol, 1, q("40"), q("149.11"), taker),
        Deposit(at("12-02 09:00:00"), "Main", "USDC", q("21.5"), "administrator"),
    ]  # fmt: skip
    return Scenario("2025-11-01", 33, {"Main": MAIN, "Arb": ARB}, actions)


def on_time() -> Scenario:
    """Return the same month, in which no row comes late."""
    month = november()
    actions = [
        action._replace(created=None) if isinstance(action, Deposit) else action
        for action in month.actions
    ]
    return month._replace(actions=actions)


def late_fill() -> Scenario:
    """Return three days in which the row of a fill can be read a day after the fill."""
    first = moment("2025-11-01")
    actions: list[Action] = [
        Deposit(first + 8 * HOUR, "Main", "USDC", q("5000")),
        Trade(
            first + 9 * HOUR + SECOND, "Main", "SOL_USDC_PERP", 1, q("3"), q("150"),
            known=first + 33 * HOUR,
        ),
    ]  # fmt: skip
    return Scenario("2025-11-01", 3, {"Main": MAIN}, actions)


FIRST = moment("2025-11-01")


def _cents(least: int, most: int) -> st.SearchStrategy[Fraction]:
    return st.integers(least, most).map(lambda cents: Fraction(cents, 100))


def _sol_price() -> st.SearchStrategy[Fraction]:
    return _cents(14000, 16000)


def _made(kind: Callable[..., Action], *parts: st.SearchStrategy[Any]) -> st.SearchStrategy[Action]:
    # `builds` would draw what has a default, too.
    return st.tuples(*parts).map(lambda drawn: kind(*drawn))


def _actions(days: int) -> st.SearchStrategy[Action]:
    """Return actions that no account fails at: each may be skipped, none leaves a loss unpaid."""
    at = st.integers(9 * 3600, days * 86400 - 1).map(lambda second: FIRST + second * SECOND)
    either, sign = st.sampled_from(["Main", "Arb"]), st.sampled_from([1, -1])
    main, usdc, sol = st.just("Main"), st.just("USDC"), "SOL_USDC_PERP"
    few, many = _cents(1, 1500), _cents(1, 40000)
    rates = st.sampled_from([q("0.0005"), q("-0.00005"), q("0")])
    return st.one_of(
        _made(Trade, at, either, st.just(sol), sign, few, _sol_price(), rates),
        _made(Trade, at, main, st.just("SOL_USDC"), sign, few, _sol_price(), rates),
        _made(Transfer, at, main, st.just("Arb"), usdc, many),
        _made(Transfer, at, st.just("Arb"), main, usdc, many),
        _made(Withdraw, at, either, usdc, many, _cents(0, 200)),
        _made(Withdraw, at, main, st.just("SOL"), few, _cents(0, 10)),
        _made(Deposit, at, either, usdc, many, st.sampled_from(["base", "administrator"])),
        _made(Deposit, at, main, st.just("WIF"), _cents(1, 300), st.just("solana")),
        _made(Order, at, main, st.sampled_from(["SOL_USDC", sol]), sign, few, _sol_price()),
        _made(Cancel, at, main),
        _made(Borrow, at, st.just("Arb"), usdc, _cents(-100000, 100000).filter(bool)),
        _made(Dust, at, main, st.sampled_from(["WIF", "SOL"])),
        _made(Proceeds, at, either, _cents(1, 500)),
    )


def _late_deposits(days: int) -> st.SearchStrategy[Action]:
    """Return deposits whose rows stand up to two days before they can be read."""
    return st.builds(
        lambda second, back, cents: Deposit(
            FIRST + second * SECOND,
            "Main",
            "USDC",
            cents,
            created=FIRST + max(9 * 3600, second - back) * SECOND,
        ),
        st.integers(10 * 3600, days * 86400 - 1),
        st.integers(1, 2 * 86400),
        _cents(1, 40000),
    )


@st.composite
def scenarios(draw: st.DrawFn, *, late: bool = False) -> Scenario:
    """Draw a few days of two accounts that begin with enough to lose.

    late  with one row or two that come late
    """
    days = draw(st.integers(2, 4))
    given: list[Action] = [
        Deposit(FIRST + 8 * HOUR, "Main", "USDC", q("6000")),
        Deposit(FIRST + 8 * HOUR, "Arb", "USDC", q("9000")),
    ]
    drawn = draw(st.lists(_actions(days), min_size=1, max_size=10))
    if late:
        drawn += draw(st.lists(_late_deposits(days), min_size=1, max_size=2))
    actions = given + sorted(drawn, key=lambda action: action.at)
    seed = draw(st.integers(0, 9))
    realise = draw(st.sampled_from([600, 3600, 8 * 3600]))
    lends, repays, limit = draw(st.booleans()), draw(st.booleans()), draw(st.integers(1, 20))
    main = MAIN._replace(auto_lend=lends, auto_repay=repays, leverage_limit=limit)
    arb = ARB._replace(auto_lend=draw(st.booleans()))
    return Scenario("2025-11-01", days, {"Main": main, "Arb": arb}, actions, seed, realise)
