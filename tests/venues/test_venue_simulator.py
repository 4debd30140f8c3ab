"""The simulated venue against figures of the venue's own documents, and against itself."""

from fractions import Fraction

from hypothesis import given, settings
from simulated_answers import snapshot
from simulated_months import ARB, MAIN, november, q, scenarios
from venue_simulator import (
    FEEDS,
    HOUR,
    SECOND,
    Action,
    Borrow,
    Deposit,
    Scenario,
    Trade,
    Venue,
    moment,
    stamp,
    text,
)

FIRST = moment("2025-11-01")


def lived(*actions: Action, days: int = 1) -> Venue:
    return Venue(Scenario("2025-11-01", days, {"Main": MAIN, "Arb": ARB}, actions))


def test_a_fee_is_rounded_up_at_six_decimals() -> None:
    """The venue charged 0.006889 for 13.7768 at 0.0005, which is 0.0068884."""
    venue = lived(
        Deposit(FIRST + SECOND, "Main", "USDC", q("100")),
        Trade(FIRST + 2 * SECOND, "Main", "SOL_USDC_PERP", 1, q("0.0036"), q("3826.888888888889")),
    )
    assert venue.rows("Main", "fills", venue.end)[0]["fee"] == "0.006889"


def test_a_fresh_borrow_pays_for_the_minutes_to_the_next_hour_and_then_for_each_hour() -> None:
    venue = lived(Borrow(FIRST + 50 * 60 * SECOND, "Arb", "USDC", q("2000")))
    entry, hour, *_ = venue.rows("Arb", "interest", venue.end)
    rate, later = Fraction(entry["interestRate"]), Fraction(hour["interestRate"])
    assert entry["paymentType"] == "EntryFee"
    assert abs(Fraction(entry["quantity"]) - 2000 * rate / 8760 / 6) <= Fraction(1, 2 * 10**10)
    # From 01:00 to 02:00 the debt has the entry fee in it.
    owed = 2000 + Fraction(entry["quantity"])
    assert (hour["paymentType"], hour["timestamp"]) == ("Borrow", "2025-11-01T02:00:00")
    assert abs(Fraction(hour["quantity"]) - owed * later / 8760) <= Fraction(1, 2 * 10**10)


def test_coins_in_orders_earn_nothing_and_every_row_of_the_month_has_its_place() -> None:
    venue = Venue(november())
    assert venue.skipped == []
    state = venue.state("Main", moment("2025-11-08 00:10:03"))
    assert state.coins["USDC"].locked == 2800
    assert state.coins["USDC"].lent == state.coins["USDC"].held - 2800
    counts = {feed: len(venue.rows("Main", feed, venue.end)) for feed in FEEDS}
    assert all(counts.values())
    assert len(venue.rows("Main", "deposits", moment("2025-11-19"))) == 3
    # The row of the 17th can be read on the 20th, and stands where it belongs.
    found = [row["createdAt"] for row in venue.rows("Main", "deposits", venue.end)]
    assert found == sorted(found) and "2025-11-17T05:00:00" in found


def test_a_pending_deposit_is_one_row_whose_status_moves() -> None:
    venue = Venue(november())
    before = venue.rows("Main", "deposits", moment("2025-11-01 08:25:00"))
    after = venue.rows("Main", "deposits", moment("2025-11-01 08:31:00"))
    assert [row["status"] for row in before + after] == ["pending", "confirmed"]
    assert before[0] | {"status": "confirmed"} == after[0]


@settings(max_examples=60, deadline=None)
@given(scenarios())
def test_what_an_account_has_is_the_sum_of_its_rows(scenario: Scenario) -> None:
    """Each coin, less what is owed: deposits, fills, fees, funding, interest, realisations."""
    venue = Venue(scenario)
    for name in scenario.accounts:
        rows = {feed: venue.rows(name, feed, venue.end) for feed in FEEDS}
        for coin, state in venue.states[name].coins.items():
            assert _sum(rows, coin) == state.held - state.owed


def _sum(rows: dict[str, list[dict[str, str]]], coin: str) -> Fraction:
    total = Fraction(0)
    for row in rows["deposits"]:
        total += (row["symbol"] == coin) * Fraction(row["quantity"])
    for row in rows["withdrawals"]:
        total -= (row["symbol"] == coin) * (Fraction(row["quantity"]) + Fraction(row["fee"]))
    for row in rows["interest"]:
        sign = 1 if row["paymentType"] == "Lend" else -1
        total += (row["symbol"] == coin) * sign * Fraction(row["quantity"])
    for row in rows["dust"]:
        total -= (row["symbol"] == coin) * Fraction(row["quantity"])
        total += (coin == "USDC") * Fraction(row["usdcReceived"])
    for row in rows["fills"]:
        total -= (row["feeSymbol"] == coin) * Fraction(row["fee"])
        base, quote, *contract = row["symbol"].split("_")
        sign = 1 if row["side"] == "Bid" else -1
        if not contract:
            total += (base == coin) * sign * Fraction(row["quantity"])
            total -= (quote == coin) * sign * Fraction(row["quantity"]) * Fraction(row["price"])
    for row in rows["settlement"]:
        if not row["source"].startswith("TradingFees"):
            total += (coin == "USDC") * Fraction(row["quantity"])
    return total


@settings(max_examples=40, deadline=None)
@given(scenarios())
def test_the_equity_of_a_snapshot_is_its_parts(scenario: Scenario) -> None:
    venue = Venue(scenario)
    at = venue.end - HOUR + 603 * SECOND
    for name in scenario.accounts:
        answers = snapshot(venue, name, at)
        total = answers["collateral"]
        weighed = sum((Fraction(row["collateralValue"]) for row in total["collateral"]), Fraction())
        owed = sum(
            (
                -Fraction(row["netQuantity"]) * Fraction(row["markPrice"])
                for row in answers["borrow_lend_positions"]
                if row["netQuantity"].startswith("-")
            ),
            Fraction(),
        )
        equity = weighed + Fraction(total["pnlUnrealized"]) - owed
        assert Fraction(total["netEquity"]) == equity
        parts = Fraction(total["netEquityAvailable"]) + Fraction(total["netEquityLocked"])
        # A margin of a third has no end; the answers have 28 digits of it.
        assert abs(equity - parts) < Fraction(1, 10**20)


def test_figures_are_written_as_the_venue_writes_them() -> None:
    assert text(q("13.7768") / q("0.0036")) == "3826.888888888888888888888889"
    assert text(q("-0.00050")) == "-0.0005" and text(q("100")) == "100" and text(q("0")) == "0"
    assert stamp(moment("2025-11-03 16:28:17")) == "2025-11-03T16:28:17"
    assert stamp(moment("2025-07-23 13:55:54.267")) == "2025-07-23T13:55:54.267"
