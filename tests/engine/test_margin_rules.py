"""The rules of margin, each by itself: weights, fractions, sums, ratios, and which terms count.

Goal: formulas, section 4, line by line. Method: numbers worked by hand; first the rules alone, then
ledgers, where the question is which quantity, price or term the rule is given.
"""

import json
from collections.abc import Iterator
from decimal import Decimal, localcontext
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from written_books import read

from usance.cli import main
from usance.model.amounts import FIGURE, PRECISE, Coin, decimal_text
from usance.model.terms import Collateral, Haircut, Identity, InverseSqrt, Perpetual, Slope, Tiers
from usance.rules import settlement
from usance.rules.margin import (
    Asset,
    Debt,
    Position,
    Valuation,
    counted,
    evaluate,
    fraction,
    repriced,
    weight,
)

ZERO, ONE = Decimal(0), Decimal(1)
NONE = Slope(ZERO, ZERO)
FULL = Identity(ONE)
BANDS = Tiers(
    (
        (Decimal("0.95"), Decimal("0.5")),
        (Decimal("0.90"), Decimal("1.2")),
        (Decimal("0.60"), Decimal(4)),
        (ZERO, None),
    )
)
"""The tiers of the language page."""
ROOT = InverseSqrt(Decimal("0.975"), Decimal("1.1"), Decimal("0.002"))


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    """Let the figures of a test have the digits of the engine."""
    with localcontext(PRECISE):
        yield


def slope(base: str, factor: str = "0") -> Slope:
    return Slope(Decimal(base), Decimal(factor))


def position(
    quantity: str, mark: str, initial: Slope = NONE, maintenance: Slope = NONE
) -> Position:
    """Return a position opened at 100 and settled in a coin worth 1."""
    terms = Perpetual("USDC", None, initial, maintenance)
    return Position("X-PERP", Decimal(quantity), Decimal(100), Decimal(mark), ONE, terms)


def cash(amount: str, haircut: Haircut | None = FULL) -> Asset:
    return Asset("USDC", Decimal(amount), ZERO, ONE, haircut)


def told(*figures: Decimal | None) -> list[str | None]:
    """Return figures as text, without zeros at their end."""
    return [None if figure is None else decimal_text(figure) for figure in figures]


def owed(amount: str, price: str, terms: Collateral | None) -> Debt:
    return Debt("SOL", Decimal(amount), Decimal(price), terms)


# Weights


@pytest.mark.parametrize(
    ("quantity", "expected"),
    [
        ("1", "0.975"),
        ("1000", "0.975"),
        ("4110", "0.9749883893829999839011570740"),
        ("10000", "0.9166666666666666666666666667"),
    ],
)
def test_a_weight_falls_with_the_root_of_the_quantity(quantity: str, expected: str) -> None:
    """W27 of the venue's examples: flat up to 4,109 units, then 1.1 / (1 + 0.002 sqrt(q))."""
    assert FIGURE.plus(weight(ROOT, Decimal(quantity))) == Decimal(expected)


def test_a_weight_of_the_root_is_of_units_whatever_they_are_worth() -> None:
    # 10,000 units at 0.9166...
    for price, worth in (("1", "9166.666666666666666666666667"), ("3", "27500")):
        held = Asset("SOL", Decimal(10000), ZERO, Decimal(price), ROOT)
        assert FIGURE.plus(counted(held)) == Decimal(worth)


@pytest.mark.parametrize(
    ("quantity", "worth"),
    [
        ("0.2", "0.19"),
        ("0.5", "0.475"),
        ("0.6", "0.565"),  # 0.475 + 0.1 * 0.9
        ("1.2", "1.105"),  # 0.475 + 0.7 * 0.9
        ("2", "1.585"),  # 1.105 + 0.8 * 0.6
        ("4", "2.785"),
        ("4.00000001", "2.785"),
        ("1000", "2.785"),
    ],
)
def test_each_band_of_tiers_counts_at_its_own_weight(quantity: str, worth: str) -> None:
    held = Asset("BTC", Decimal(quantity), ZERO, ONE, BANDS)
    assert FIGURE.plus(counted(held)) == Decimal(worth)


def test_a_last_band_may_count_too() -> None:
    bands = Tiers(((ONE, Decimal(10)), (Decimal("0.5"), None)))
    assert weight(bands, Decimal(30)) * 30 == 20
    assert weight(Tiers(((Decimal("0.5"), None),)), Decimal(30)) == Decimal("0.5")


@pytest.mark.parametrize("haircut", [Identity(Decimal("0.95")), ROOT, BANDS])
def test_what_is_below_zero_counts_in_full(haircut: Haircut) -> None:
    """A wallet is negative where nothing may borrow: no haircut makes a debt smaller."""
    held = Asset("SOL", Decimal(-10), ZERO, Decimal(3), haircut)
    assert counted(held) == -30


def test_a_coin_without_terms_counts_for_nothing() -> None:
    assert counted(Asset("SOL", Decimal(10), ZERO, None, None)) == 0


# Fractions


@pytest.mark.parametrize(
    ("exposure", "expected"),
    [
        ("0", "0.02"),
        ("50000", "0.02"),
        ("71111", "0.02"),  # 0.000075 * sqrt(71,111.11) = 0.02
        ("71112", "0.020000125"),
        ("160000", "0.03"),
        ("1000000", "0.075"),
        ("400000000", "1.5"),  # the venue documents no cap
    ],
)
def test_a_fraction_is_the_base_until_the_root_is_more(exposure: str, expected: str) -> None:
    found = fraction(slope("0.02", "0.000075"), Decimal(exposure))
    assert found.quantize(Decimal("1e-9")) == Decimal(expected)


@pytest.mark.parametrize(
    ("limit", "imf"), [("10", "0.1"), ("50", "0.02"), ("100", "0.02"), ("2.5", "0.4"), ("1", "1")]
)
def test_a_leverage_limit_raises_initial_margin_alone(limit: str, imf: str) -> None:
    """Below the market's own limit of 50 it binds, above it does not."""
    held = position("50", "148", slope("0.02"), slope("0.0135"))
    margin = evaluate(Valuation((cash("0"),), (held,), (), {}, Decimal(limit)))
    assert margin.positions[0].imf == Decimal(imf)
    assert margin.initial_margin == 7400 * Decimal(imf)
    assert margin.positions[0].mmf == Decimal("0.0135")


def test_a_leverage_limit_holds_for_a_borrow_too() -> None:
    terms = Collateral(FULL, slope("0.15"), slope("0.075"))
    for limit, imf in (("10", "0.15"), ("4", "0.25")):
        margin = evaluate(Valuation((), (), (owed("10", "100", terms),), {}, Decimal(limit)))
        assert told(margin.maintenance_margin) == ["75"]
        assert margin.initial_margin == 1000 * Decimal(imf)


def test_a_borrow_without_terms_has_no_base_but_the_limit() -> None:
    """Of the operating currency, that is: of another coin it is an error."""
    debt = owed("1000", "1", None)
    free = evaluate(Valuation((), (), (debt,), {}, None))
    assert told(free.exposure, free.initial_margin, free.maintenance_margin) == ["1000", "0", "0"]
    limited = evaluate(Valuation((), (), (debt,), {}, Decimal(10)))
    assert told(limited.initial_margin, limited.maintenance_margin) == ["100", "0"]


def test_a_fraction_is_of_each_position_and_borrow_by_itself() -> None:
    # The root of each exposure, not of their sum: 0.0001 * 1000 * 1,000,000, twice, and
    # 0.0001 * 500 * 250,000 for the borrow.
    grows = slope("0", "0.0001")
    held = position("10000", "100", grows, grows)
    debt = owed("2500", "100", Collateral(FULL, grows, grows))
    margin = evaluate(Valuation((), (held, held._replace(market="Y-PERP")), (debt,), {}, None))
    assert margin.exposure == 2_250_000
    assert margin.initial_margin == margin.maintenance_margin == 212_500


# Sums and ratios


def test_net_equity_is_collateral_and_result_less_what_is_owed() -> None:
    # 1000 + 0.95 * 20 * 100 = 2900; 10 contracts at 90, 1000 owed for them: -100; 5 * 100 owed.
    coins = (cash("1000"), Asset("SOL", Decimal(20), ZERO, Decimal(100), Identity(Decimal("0.95"))))
    terms = Collateral(Identity(Decimal("0.95")), slope("0.1"), slope("0.05"))
    held = position("10", "90", slope("0.02"), slope("0.01"))
    perp = {"USDC": (Decimal(-1000), ONE)}
    margin = evaluate(Valuation(coins, (held,), (owed("5", "100", terms),), perp, None))
    parts = told(margin.collateral, margin.unsettled_pnl, margin.borrow_liability)
    assert parts == ["2900", "-100", "500"]
    assert told(margin.net_equity, margin.exposure) == ["2300", "1400"]
    # 0.02 * 900 + 0.1 * 500, 0.01 * 900 + 0.05 * 500
    assert told(margin.initial_margin, margin.maintenance_margin) == ["68", "34"]
    assert margin.available_equity == 2232
    assert margin.margin_fraction == Decimal(2300) / 1400
    assert (margin.imr, margin.mmr) == (Decimal(68) / 2300, Decimal(34) / 2300)


def test_a_short_is_exposed_as_a_long_is() -> None:
    margins = [
        evaluate(Valuation((), (position(size, "90", slope("0.02"), slope("0.01")),), (), {}, None))
        for size in ("10", "-10")
    ]
    assert [margin.exposure for margin in margins] == [900, 900]
    assert [margin.initial_margin for margin in margins] == [18, 18]
    assert [margin.unsettled_pnl for margin in margins] == [900, -900]


def test_results_are_in_the_settle_coin_and_figures_are_not() -> None:
    # 10 at 90 in a coin worth 2, 800 of it owed: (900 - 800) * 2.
    held = position("10", "90", slope("0.02"))._replace(settle=Decimal(2))
    perp = {"USDT": (Decimal(-800), Decimal(2))}
    margin = evaluate(Valuation((), (held,), (), perp, None))
    figures = told(margin.unsettled_pnl, margin.exposure, margin.initial_margin)
    assert figures == ["200", "1800", "36"]


def test_what_lies_in_perp_counts_in_full_whatever_the_weight_of_its_coin() -> None:
    margin = evaluate(Valuation((), (), (), {"USDT": (Decimal(100), Decimal("0.9"))}, None))
    figures = told(margin.collateral, margin.unsettled_pnl, margin.net_equity)
    assert figures == ["0", "90", "90"]


def test_without_exposure_there_is_no_fraction_and_both_ratios_are_zero() -> None:
    margin = evaluate(Valuation((cash("100"),), (), (), {}, Decimal(10)))
    assert told(margin.margin_fraction, margin.imr, margin.mmr) == [None, "0", "0"]
    assert not margin.in_breach


@pytest.mark.parametrize("equity", ["0", "-100"])
def test_without_equity_there_are_no_ratios(equity: str) -> None:
    held = position("10", "100", slope("0.02"), slope("0.01"))
    perp = {"USDC": (Decimal(-1000), ONE)}
    margin = evaluate(Valuation((cash(equity),), (held,), (), perp, None))
    assert margin.margin_fraction == Decimal(equity) / 1000
    assert (margin.imr, margin.mmr) == (None, None)
    assert margin.in_breach


@pytest.mark.parametrize(("equity", "breach"), [("9.999999", True), ("10", True), ("10.01", False)])
def test_a_breach_begins_where_equity_is_the_maintenance_margin(
    equity: str, *, breach: bool
) -> None:
    held = position("10", "100", slope("0.02"), slope("0.01"))
    perp = {"USDC": (Decimal(-1000), ONE)}
    assert evaluate(Valuation((cash(equity),), (held,), (), perp, None)).in_breach is breach


@pytest.mark.parametrize("equity", ["0", "-100"])
def test_without_exposure_there_is_no_breach(equity: str) -> None:
    assert not evaluate(Valuation((cash(equity),), (), (), {}, None)).in_breach


def test_another_price_moves_that_commodity_alone() -> None:
    coins = (cash("1000"), Asset("SOL", Decimal(20), ZERO, Decimal(100), FULL))
    held = position("10", "90")
    debt = owed("5", "100", Collateral(FULL, NONE, NONE))
    before = Valuation(coins, (held,), (debt,), {"USDT": (Decimal(7), Decimal(1))}, None)
    for name, equity in (("SOL", 15 * 50), ("X-PERP", 10 * 50), ("USDT", 7 * 50), ("BTC", 0)):
        prices = {"SOL": 150, "X-PERP": 140, "USDT": 51, "BTC": 1}
        after = repriced(before, {name: Decimal(prices[name])})
        assert evaluate(after).net_equity - evaluate(before).net_equity == equity


# Settlement


@pytest.mark.parametrize(
    ("worth", "balance", "due"),
    [
        ("148", "-150", "-2"),
        ("0.0000005", "0", "0"),  # halves of a quantum go to the even one
        ("0.0000015", "0", "0.000002"),
        ("-0.0000005", "0", "0"),
        ("-0.0000015", "0", "-0.000002"),
        ("0.0000005", "0.000001", "0.000002"),
        ("0.00000049", "0", "0"),
    ],
)
def test_what_is_due_is_rounded_half_even(worth: str, balance: str, due: str) -> None:
    coin = Coin.of("USDC", Decimal("0.000001"), 12)
    owed = coin.to_grains(Decimal(balance))
    assert coin.from_grains(settlement.due([(ONE, Decimal(worth))], owed, coin)) == Decimal(due)


def test_without_a_contract_the_balance_is_due_whole() -> None:
    coin = Coin.of("USDC", Decimal("0.000001"), 12)
    owed = coin.to_grains(Decimal("-0.000000000001"))
    assert settlement.due([], owed, coin) == owed == -1


# Which quantity, price and term


ALL = 'plugin "usance.plugins"\n'
HEAD = """
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0 0
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-borrow: TRUE
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank
"""
PERP = """
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.02
  maintenance-margin: 0.01
2025-05-01 * "Open"
  Assets:Backpack:Main:Perp      10 SOL-PERP {100 USDC}
  Assets:Backpack:Main:Perp   -1000 USDC
2025-05-01 price SOL-PERP 100 USDC
"""
END = """
2025-05-02 custom "accrue-through" 2025-05-02
"""


def margin_of(folder: Path, text: str, *options: str) -> dict[str, Any]:
    """Return what `usance margin` answers on a ledger without errors, of its first sub-account."""
    assert read(ALL + text + END, folder).messages() == []
    words = ["margin", str(folder / "main.beancount"), "--format", "json", *options]
    done = CliRunner().invoke(main, words, prog_name="usance", catch_exceptions=False)
    assert done.exit_code == 0, done.output
    row: dict[str, Any] = json.loads(done.stdout)["sub_accounts"][0]
    return row


SOL = """
2025-05-01 custom "collateral" "SOL"
  weight: 0.9
2025-05-01 price SOL 100 USDC
"""


@pytest.mark.parametrize("lends", ["TRUE", "FALSE"])
def test_lots_at_cost_and_lent_coins_count_like_any(tmp_path: Path, lends: str) -> None:
    """At the price, whatever they cost: 0.9 * (5 + 3) * 100."""
    text = """
2025-05-01 custom "lending-pool" "SOL"
  rates: "observed"
2025-05-01 custom "lending-rate" "SOL" 0 0
2025-05-01 * "Buy"
  Assets:Backpack:Main:Wallet      5 SOL {60 USDC}
  Assets:Backpack:Main:Wallet   -300 USDC
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet      3 SOL
  Assets:Bank
"""
    switched = HEAD.replace("auto-borrow", f"auto-lend: {lends}\n  auto-borrow")
    row = margin_of(tmp_path, switched + SOL + text)
    assert row["net_equity"] == "1420"
    [sol, usdc] = row["collateral_assets"]
    assert (sol["quantity"], sol["weight"], sol["value"]) == ("8", "0.9", "720")
    assert (sol["lent"], usdc["lent"]) == (("8", "700") if lends == "TRUE" else ("0", "0"))


def test_the_operating_currency_counts_in_full_where_no_terms_say_otherwise(tmp_path: Path) -> None:
    assert margin_of(tmp_path, HEAD)["net_equity"] == "1000"
    terms = '2025-05-02 custom "collateral" "USDC"\n  weight: 0.8\n'
    assert margin_of(tmp_path, HEAD + terms)["net_equity"] == "800"
    assert margin_of(tmp_path, HEAD + terms, "--at", "2025-05-01")["net_equity"] == "1000"


@pytest.mark.parametrize("beside", ["", "  weight: 0.95\n", "  weight: 0\n"])
def test_a_weight_beside_tiers_counts_for_nothing(tmp_path: Path, beside: str) -> None:
    """2 BTC: 0.5 at 0.95, 0.7 at 0.90 and 0.8 at 0.60 are 1.585 BTC of 1,000 USDC each."""
    text = f"""
2025-05-01 custom "collateral" "BTC"
{beside}  weight-function: "tiers"
  tiers: "0.95 to 0.5, 0.90 to 1.2, 0.60 to 4, 0 above"
2025-05-01 price BTC 1000 USDC
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet      2 BTC
  Assets:Bank
"""
    row = margin_of(tmp_path, HEAD + text)
    assert row["net_equity"] == "2585"
    [btc, _] = row["collateral_assets"]
    assert (btc["weight"], btc["value"]) == ("0.7925", "1585")


def test_terms_of_a_time_count_at_the_end_of_their_day(tmp_path: Path) -> None:
    change = """
2025-05-02 custom "perpetual" "SOL-PERP"
  time: "23:59:59"
  settle: USDC
  initial-margin: 0.5
  maintenance-margin: 0.25
"""
    row = margin_of(tmp_path, HEAD + PERP + change)
    assert (row["initial_margin"], row["maintenance_margin"]) == ("500", "250")
    row = margin_of(tmp_path, HEAD + PERP + change, "--at", "2025-05-01")
    assert (row["initial_margin"], row["maintenance_margin"]) == ("20", "10")


@pytest.mark.parametrize(
    ("first", "second", "weight"),
    [
        ("", "", "0.5"),
        ('  venue: "Backpack"\n', "", "0.5"),  # a later one without a venue holds for all again
        ("", '  venue: "Backpack"\n', "0.5"),
        ("", '  venue: "Bybit"\n', "0.8"),
        ('  venue: "Bybit"\n', "", "0.5"),
    ],
)
def test_the_last_terms_of_its_venue_count(
    tmp_path: Path, first: str, second: str, weight: str
) -> None:
    text = f"""
2025-05-01 custom "sub-account" "Other" Assets:Bybit:Other
2025-05-01 custom "collateral" "USDC"
  weight: 0.8
{first}2025-05-02 custom "collateral" "USDC"
  weight: 0.5
{second}"""
    assert margin_of(tmp_path, HEAD + text)["collateral_assets"][0]["weight"] == weight


def test_of_two_terms_of_one_moment_the_one_that_names_the_venue_counts(tmp_path: Path) -> None:
    text = """
2025-05-01 custom "collateral" "USDC"
  venue: "Backpack"
  weight: 0.8
2025-05-01 custom "collateral" "USDC"
  weight: 0.5
"""
    assert margin_of(tmp_path, HEAD + text)["net_equity"] == "800"


def test_a_price_comes_over_the_first_common_currency(tmp_path: Path) -> None:
    """Of BTC at 2 USDC and EUR at 1.1 USDC the first by name; a direct price goes before both."""
    text = SOL.replace("2025-05-01 price SOL 100 USDC\n", "")
    over = """
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet      10 SOL
  Assets:Bank
2025-05-01 price SOL 100 EUR
2025-05-01 price EUR 1.1 USDC
2025-05-01 price SOL 60 BTC
2025-05-01 price BTC 2 USDC
"""
    assert margin_of(tmp_path, HEAD + text + over)["collateral_assets"][0]["price"] == "120"
    direct = over + "2025-05-01 price SOL 100 USDC\n"
    assert margin_of(tmp_path, HEAD + text + direct)["collateral_assets"][0]["price"] == "100"


def test_an_entry_is_the_mean_of_what_is_open(tmp_path: Path) -> None:
    """10 at 100 and 5 at 130: 110; the result since then is 15 * (100 - 110)."""
    more = """
2025-05-01 * "Open more"
  Assets:Backpack:Main:Perp       5 SOL-PERP {130 USDC}
  Assets:Backpack:Main:Perp    -650 USDC
"""
    [held] = margin_of(tmp_path, HEAD + PERP + more)["positions"]
    assert (held["quantity"], held["entry_price"], held["unrealized_pnl"]) == ("15", "110", "-150")


def test_what_comes_to_the_first_day_settles_and_borrows_on_it(tmp_path: Path) -> None:
    """
    Goal: a shortfall of a settlement is borrowed at once. Method: a position that comes from
    another ledger, without a notional in Perp, so that nothing else moved the coin that day.

    The short is worth -1000: all of it leaves the wallet, in which there is nothing but SOL.
    """
    text = """
2025-05-01 * "Carried over"
  Assets:Backpack:Main:Perp     -10 SOL-PERP {100 USDC}
  Equity:Opening-Balances      1000 USDC
"""
    head = HEAD.replace("1000 USDC", "30 SOL")
    perp = PERP.partition('2025-05-01 * "Open"')[0] + "2025-05-01 price SOL-PERP 100 USDC\n"
    book = read(ALL + head + SOL + perp + text + END, tmp_path)
    assert [message for message in book.messages() if "finding" not in message] == []
    assert book.balance("Assets:Backpack:Main:Wallet", until="2025-05-01") == 0
    assert book.balance("Liabilities:Backpack:Main:Borrowed", until="2025-05-01") == -1000


def test_a_day_of_which_a_lot_was_opened_and_liquidated_can_be_closed(tmp_path: Path) -> None:
    """
    Goal: what is posted loads. Method: a trade further down than the liquidation in the posted
    file is refused, for Beancount books a date in order of lines; in a file of its own it is not.

    10 at 100 that fall to 94.5: 45 are left, 47.25 must be kept. One step, and 44.055 to 42.525.
    """
    perp = PERP.replace("SOL-PERP 100", "SOL-PERP 94.5").replace("0.01", "0.05")
    start = perp.index('2025-05-01 * "Open"')
    trade = perp[start : perp.index("2025-05-01 price")]
    text = (
        'include "posted/*.beancount"\n'
        + HEAD.replace("1000 USDC", "100 USDC")
        + '2025-05-01 custom "liquidation" "simulate"\n'
        + "; a comment\n" * 30
        + perp
    )
    (tmp_path / "posted").mkdir()
    (tmp_path / "posted" / "first.beancount").write_text("; Closed days come here.\n")
    virtual = read(ALL + text + END, tmp_path)
    assert virtual.messages() == []
    steps = [name for name in virtual.ids() if name.startswith("liquidation")]
    assert steps == ["liquidation/2025-05-01/Main"]
    words = ["accrue", str(tmp_path / "main.beancount"), "--through", "2025-05-01"]
    done = CliRunner().invoke(main, words, prog_name="usance", catch_exceptions=False)
    assert done.exit_code == 1
    assert "liquidation/2025-05-01/Main closes SOL-PERP of this day" in done.stderr
    assert [path.name for path in (tmp_path / "posted").iterdir()] == ["first.beancount"]
    (tmp_path / "trades.beancount").write_text(
        f"{trade}1970-01-01 open Assets:Backpack:Main:Perp\n"
    )
    text = 'include "trades.beancount"\n' + text.replace(trade, "")
    assert read(ALL + text + END, tmp_path).ids() == virtual.ids()
    done = CliRunner().invoke(main, words, prog_name="usance", catch_exceptions=False)
    assert done.exit_code == 0, done.output
    posted = read(ALL + text + END, tmp_path)
    assert posted.messages() == []
    assert posted.ids() == virtual.ids()
