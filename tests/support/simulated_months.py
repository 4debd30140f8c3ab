"""Months for the simulated venue: one in which everything occurs, and drawn small ones."""

from fractions import Fraction

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
