"""The venue's worked examples that a ledger can say, each as a ledger.

Goal: `usance margin` answers with the outputs of ../shared/vectors/worked_examples.json.
Method: the plugins and the command on text, not functions; figures have 28 significant digits, so
longer outputs are compared to those. What an example leaves open and the ledger has to say is named
in the docstring of its test.
"""

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from written_books import Book, read

from usance.cli import main
from usance.model.amounts import FIGURE

FILE = Path(__file__).parents[3] / "shared" / "vectors" / "worked_examples.json"

OUTPUTS: dict[str, dict[str, str]] = {
    "W02-collateral-real-account": {
        "collateralValue.USDC": "10.6524044577",
        "collateralValue.SOL": "9.6300967795926167430",
        "netEquity": "20.2825012372926167430",
    },
    "W03-eth-perp-position": {
        "entryPrice": "3826.888888888888888888888888888889",
        "netExposureNotional": "13.634885278944",
        "pnlUnrealized_exact": "-0.141914721056",
        "breakEvenPrice": "3831.363055555555555555555555555556",
        "imf_position": "0.02",
        "mmf_position": "0.0125",
    },
    "W04-funding-payment": {
        "quantity": "0.027806",
        "impliedNotional": "1368.338172334038679198858323901383",
    },
    "W06-quiet-market-funding": {"hourlyRate": "0.0000125", "annualised": "0.1095000"},
    "W08-spot-margin": {"borrowUSDC": "1000", "SOLvalue": "2000"},
    "W09-short-via-borrow": {
        "proceeds": "10000",
        "costToCover": "8000",
        "grossProfitBeforeInterest": "2000",
    },
    "W14-seed-1000-USDC-plus-perp": {
        "exposure": "7400",
        "pnlUnrealized": "-100",
        "netEquity": "900",
        "positionMMF": "0.0135",
        "netEquityLocked": "740",
        "netEquityAvailable": "160",
        "marginFraction": "0.1216216216216216216216216216216216",
        "IMR": "0.8222222222222222222222222222222224",
        "MMR": "0.1110000000000000000000000000000000",
        "liquidationPrice": "131.7790167257982767359351241763811",
    },
    "W15-same-after-10s-realization": {"pnlUnrealized": "0", "netEquity": "900"},
    "W16-auto-borrow": {"borrowUSDC": "12"},
    "W17-sqrt-50000": {"IMF": "0.02", "MMF": "0.0135", "IM": "1000.00", "MM": "675.0000"},
    "W17-sqrt-100000": {
        "IMF": "0.02371708245126284498999170158324539",
        "MMF": "0.0135",
        "IM": "2371.708245126284498999170158324539",
        "MM": "1350.0000",
    },
    "W17-sqrt-500000": {
        "IMF": "0.05303300858899106433006332715786368",
        "MMF": "0.02651650429449553216503166357893184",
        "IM": "26516.50429449553216503166357893184",
        "MM": "13258.25214724776608251583178946592",
    },
    "W17-sqrt-1000000": {
        "IMF": "0.075000",
        "MMF": "0.0375000",
        "IM": "75000.000000",
        "MM": "37500.0000000",
    },
    "W24-bybit-autoborrow": {"equityUSDT": "-50", "borrowedUSDT": "50"},
    "W25-ftx-net-balance": {"USD": "65000"},
    "W29-pool-conservation": {
        "hourBorrowerInterest": "3.082191780821917808219178082191781",
        "hourLenderInterest": "2.773972602739726027397260273972603",
        "hourFee": "0.3082191780821917808219178082191781",
    },
    "W30-max-borrow": {
        "kept.USDC": "10000",
        "kept.SOL_usd": "5000",
        "withdrawn.USDC": "909.0909090909",
        "withdrawn.SOL_usd": "869.5652173913",
    },
}
"""Outputs of the file that these tests compare, by example."""

NO_LEDGER = {
    "W01": "a total without the coins that make it up",
    "W05": "a funding rate in two units: funding is what a person or an importer posts",
    "W07": "an entry fee: lending",
    "W10": "the yield product",
    "W11": "the yield product",
    "W12": "the yield product",
    "W13": "the yield product, and lending",
    "W18": "the venue's choice in a failure, which a person posts",
    "W19": "results of fills, which a person or an importer posts",
    "W20": "how a venue makes a mark",
    "W21": "how a venue bounds orders",
    "W22": "another venue's rule of interest: a borrow pays the hours that it lasts here",
    "W23": "another venue's free amount: what is owed is charged here",
    "W26": "a weight alone: test_margin_vectors.py has it as ftx-mngo",
    "W27": "a weight alone",
    "W28": "a curve alone",
}
"""Examples that are not here, and why."""


def same(found: str | None, example: str, output: str) -> None:
    """Compare a figure with an output, to 28 digits."""
    assert found is not None
    assert Decimal(found) == FIGURE.plus(Decimal(OUTPUTS[example][output])), output


def run(folder: Path, command: str, *options: str) -> dict[str, Any]:
    """Return the JSON of a command on the ledger of a folder."""
    words = [command, str(folder / "main.beancount"), "--format", "json", *options]
    done = CliRunner().invoke(main, words, prog_name="usance", catch_exceptions=False)
    assert done.exit_code == 0, done.output
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


class Answer:
    """What `usance margin` answers on a ledger without errors, of its only sub-account."""

    def __init__(self, folder: Path, text: str, *options: str) -> None:
        self.book: Book = read(text if "plugin" in text else ALL + text, folder)
        assert [message for message in self.book.messages() if "finding" not in message] == []
        [self.row] = run(folder, "margin", *options)["sub_accounts"]

    def __getitem__(self, name: str) -> str:
        value = self.row[name]
        assert isinstance(value, str)
        return value

    def asset(self, coin: str) -> dict[str, str]:
        return self._one("collateral_assets", coin=coin)

    def position(self, market: str) -> dict[str, str]:
        return self._one("positions", market=market)

    def borrow(self, coin: str) -> dict[str, str]:
        return self._one("borrows", coin=coin)

    def _one(self, name: str, **key: str) -> dict[str, str]:
        [found] = [line for line in self.row[name] if key.items() <= line.items()]
        assert isinstance(found, dict)
        return found


ALL = 'plugin "usance.plugins"\n'
SUB = """
2026-10-02 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
"""
USDC = """
2026-10-02 commodity USDC
  quantum: 0.000001
2026-10-02 custom "lending-pool" "USDC"
  rates: "observed"
2026-10-02 custom "lending-rate" "USDC" 0 0
"""
SOL = """
2026-10-02 custom "lending-pool" "SOL"
  rates: "observed"
2026-10-02 custom "lending-rate" "SOL" 0 0
2026-10-02 custom "collateral" "SOL"
  weight: 0.95
  initial-margin: 0.15
  maintenance-margin: 0.075
"""
SOL_PERP = """
2026-10-02 custom "perpetual" "SOL-PERP"
  settle: USDC
  underlying: "SOL"
  initial-margin: 0.02
  initial-margin-factor: 0.000075
  maintenance-margin: 0.0135
  maintenance-margin-factor: 0.0000375
"""
LAST = """
2026-10-02 custom "accrue-through" 2026-10-02
"""


def deposit(amount: str) -> str:
    return f"""
2026-10-02 * "Deposit"
  Assets:Backpack:Main:Wallet   {amount}
  Assets:Bank
"""


def opened(quantity: str, entry: str) -> str:
    """Return a trade in SOL-PERP."""
    notional = Decimal(quantity) * Decimal(entry)
    return f"""
2026-10-02 * "Open"
  Assets:Backpack:Main:Perp  {quantity} SOL-PERP {{{entry} USDC}}
  Assets:Backpack:Main:Perp  {-notional:f} USDC
"""


def test_w02_the_collateral_of_a_real_account(tmp_path: Path) -> None:
    """The account lent all; steps of 1e-10 are those of the venue. No interest on the last hour."""
    text = """
2026-10-02 commodity USDC
  quantum: 0.0000000001
2026-10-02 commodity SOL
  quantum: 0.0000000001
2026-10-02 custom "lending-pool" "USDC"
  rates: "observed"
2026-10-02 custom "lending-rate" "USDC" 0.0156 0.0310
2026-10-02 custom "collateral" "USDC"
  weight: 1
2026-10-02 * "Deposit"
  time: "23:59"
  Assets:Backpack:Main:Wallet   10.6524044577 USDC
  Assets:Backpack:Main:Wallet   0.0699302874 SOL
  Assets:Bank                  -10.6524044577 USDC
  Assets:Bank                  -0.0699302874 SOL
2026-10-02 price SOL 144.9578481 USDC
"""
    found = Answer(tmp_path, SUB + SOL + text + LAST)
    same(found.asset("USDC")["value"], "W02-collateral-real-account", "collateralValue.USDC")
    same(found.asset("SOL")["value"], "W02-collateral-real-account", "collateralValue.SOL")
    same(found["net_equity"], "W02-collateral-real-account", "netEquity")
    for coin in ("USDC", "SOL"):
        assert found.asset(coin)["lent"] == found.asset(coin)["quantity"]


def test_w03_a_position_in_eth(tmp_path: Path) -> None:
    """
    Inferred: 100 USDC beside it; the fee of 0.006889 (the file infers it from the taker's rate).

    The entry has no end as a decimal, so the cost is written in total, and what it leaves in the
    28th digit as the notional.
    """
    text = """
2026-10-02 custom "perpetual" "ETH-PERP"
  settle: USDC
  underlying: "ETH"
  initial-margin: 0.02
  initial-margin-factor: 0.0000935
  maintenance-margin: 0.0125
  maintenance-margin-factor: 0.0000561
2026-10-02 * "Open"
  Assets:Backpack:Main:Perp     0.0036 ETH-PERP {{13.7768 USDC}}
  Assets:Backpack:Main:Perp    -13.7768000000000000000000000004 USDC
  Assets:Backpack:Main:Wallet  -0.006889 USDC
  Expenses:Backpack:Main:Fees   0.006889 USDC
2026-10-02 * "Funding paid"
  Assets:Backpack:Main:Wallet  -0.009218 USDC
  Expenses:Backpack:Main:Funding  0.009218 USDC
2026-10-02 price ETH-PERP 3787.46813304 USDC
"""
    found = Answer(tmp_path, SUB + USDC + deposit("100 USDC") + text + LAST)
    held, name = found.position("ETH-PERP"), "W03-eth-perp-position"
    same(held["entry_price"], name, "entryPrice")
    same(held["exposure"], name, "netExposureNotional")
    same(held["imf"], name, "imf_position")
    same(held["mmf"], name, "mmf_position")
    result = Decimal(held["unrealized_pnl"]).quantize(Decimal("1e-12"))
    same(str(result), name, "pnlUnrealized_exact")
    # What was paid for it, fees and funding, from the accounts.
    paid = [
        found.book.balance(f"Expenses:Backpack:Main:{account}") for account in ("Fees", "Funding")
    ]
    cost = Decimal("13.7768") + sum(paid)
    same(str(FIGURE.divide(cost, Decimal(held["quantity"]))), name, "breakEvenPrice")
    # 100 - 0.006889 - 0.009218 - 0.141915, settled to the sixth decimal, and the rest of it owed
    assert found["net_equity"] == "99.841978278944"


def test_w04_a_funding_payment(tmp_path: Path) -> None:
    """
    Inferred: 10 contracts, and the mark that gives the notional implied by payment and rate; 1,000
    USDC beside it. A person or an importer posts the payment.
    """
    name = "W04-funding-payment"
    notional = Decimal(OUTPUTS[name]["impliedNotional"])
    text = f"""
2026-10-02 * "Funding"
  Assets:Backpack:Main:Wallet    0.027806 USDC
  Income:Backpack:Main:Funding  -0.027806 USDC
2026-10-02 price SOL-PERP {notional / 10:f} USDC
"""
    trade = opened("10", f"{notional / 10:f}")
    found = Answer(tmp_path, SUB + USDC + SOL_PERP + deposit("1000 USDC") + trade + text + LAST)
    paid = Decimal("0.000020321") * Decimal(found["exposure"])
    same(str(paid.quantize(Decimal("0.000001"))), name, "quantity")
    assert Decimal(found["net_equity"]) == 1000 + Decimal(OUTPUTS[name]["quantity"])


def test_w06_a_day_of_funding_in_a_quiet_market(tmp_path: Path) -> None:
    """Inferred: a long of 1,000 for a day, funding every hour, 1,000 USDC beside it."""
    name = "W06-quiet-market-funding"
    hourly = Decimal(OUTPUTS[name]["hourlyRate"]) * 1000
    payments = "".join(
        f"""
2026-10-02 * "Funding"
  time: "{hour:02}:00"
  Assets:Backpack:Main:Wallet     {-hourly:f} USDC
  Expenses:Backpack:Main:Funding
"""
        for hour in range(24)
    )
    mark = "\n2026-10-02 price SOL-PERP 100 USDC\n"
    text = SUB + USDC + SOL_PERP + deposit("1000 USDC") + opened("10", "100") + payments + mark
    found = Answer(tmp_path, text + LAST)
    paid = 1000 - Decimal(found["net_equity"])
    assert paid == Decimal("0.3")
    same(str(paid * 365 / Decimal(found["exposure"])), name, "annualised")


def test_w08_a_purchase_on_margin(tmp_path: Path) -> None:
    """Inferred: SOL at 100."""
    text = """
2026-10-02 * "Buy"
  Assets:Backpack:Main:Wallet      20 SOL @ 100 USDC
  Assets:Backpack:Main:Wallet   -2000 USDC
2026-10-02 price SOL 100 USDC
"""
    found = Answer(tmp_path, SUB + USDC + SOL + deposit("1000 USDC") + text + LAST)
    same(found.borrow("USDC")["liability"], "W08-spot-margin", "borrowUSDC")
    bought = found.asset("SOL")
    worth = Decimal(bought["quantity"]) * Decimal(bought["price"])
    same(str(worth), "W08-spot-margin", "SOLvalue")
    # 0.95 * 2000 - 1000
    assert found["net_equity"] == "900"


def test_w09_a_short_through_a_borrow(tmp_path: Path) -> None:
    """Before interest, so at rates of zero; the margin on a borrow of SOL is assumed."""
    text = """
2026-10-02 * "Sell"
  Assets:Backpack:Main:Wallet    -100 SOL @ 100 USDC
  Assets:Backpack:Main:Wallet   10000 USDC
2026-10-02 price SOL 100 USDC
2026-10-03 * "Buy back"
  Assets:Backpack:Main:Wallet     100 SOL @ 80 USDC
  Assets:Backpack:Main:Wallet   -8000 USDC
2026-10-03 price SOL 80 USDC
2026-10-03 custom "accrue-through" 2026-10-03
"""
    name = "W09-short-via-borrow"
    books = SUB + USDC + SOL + deposit("10000 USDC") + text
    sold = Answer(tmp_path, books, "--at", "2026-10-02")
    same(str(Decimal(sold.asset("USDC")["quantity"]) - 10000), name, "proceeds")
    assert sold.borrow("SOL")["quantity"] == "100"
    covered = Answer(tmp_path, books)
    cost = Decimal(sold["collateral"]) - Decimal(covered["collateral"])
    same(str(cost), name, "costToCover")
    same(str(Decimal(covered["net_equity"]) - 10000), name, "grossProfitBeforeInterest")
    assert covered.row["borrows"] == []
    assert covered["exposure"] == "0"


SEED = SUB.replace("auto-borrow: TRUE", "auto-borrow: TRUE\n  leverage-limit: 10")
LENT = USDC.replace('"USDC" 0 0', '"USDC" 0.0156 0.0310')
W14 = (
    SEED
    + LENT
    + SOL_PERP
    + deposit("1000 USDC").replace("  Assets", '  time: "23:30"\n  Assets', 1)
    + opened("50", "150")
    + "\n2026-10-02 price SOL-PERP 148 USDC\n"
)


def seed(found: Answer) -> None:
    name = "W14-seed-1000-USDC-plus-perp"
    same(found["exposure"], name, "exposure")
    same(found["net_equity"], name, "netEquity")
    same(found["initial_margin"], name, "netEquityLocked")
    same(found["available_equity"], name, "netEquityAvailable")
    same(found["margin_fraction"], name, "marginFraction")
    # The output was divided in 34 digits and is off in the last of them.
    same(found["imr"], name, "IMR")
    same(found["mmr"], name, "MMR")
    held = found.position("SOL-PERP")
    same(held["unrealized_pnl"], name, "pnlUnrealized")
    same(held["mmf"], name, "positionMMF")
    same(held["liquidation_price"], name, "liquidationPrice")
    assert held["imf"] == "0.1"  # the leverage limit binds


def test_w14_the_same_thousand_lent_and_margin(tmp_path: Path) -> None:
    """Before the settlement: without the line of margin_pool there is none."""
    line = 'plugin "usance.plugins.auto_lending"\n'
    found = Answer(tmp_path, line + W14 + LAST)
    seed(found)
    assert found["unsettled_pnl"] == "-100"
    assert found.asset("USDC")["lent"] == "1000"


def test_w15_the_same_after_the_settlement(tmp_path: Path) -> None:
    """The venue realizes every ten seconds; here the end of the day does."""
    name = "W15-same-after-10s-realization"
    found = Answer(tmp_path, W14 + LAST)
    seed(found)
    same(found["unsettled_pnl"], name, "pnlUnrealized")
    same(found["net_equity"], name, "netEquity")
    held = found.asset("USDC")
    assert (held["quantity"], held["lent"]) == ("900", "900")


USDT = """
2026-10-02 custom "lending-pool" "USDT"
  rates: "observed"
2026-10-02 custom "lending-rate" "USDT" 0 0
2026-10-02 custom "collateral" "USDT"
  weight: 0.99
2026-10-02 price USDT 1 USDC
"""
OWED = (
    deposit("1000 USDT")
    + opened("10", "100")
    + """
2026-10-02 * "Funding and fees"
  Assets:Backpack:Main:Wallet     -2.5 USDC
  Expenses:Backpack:Main:Funding   1.25 USDC
  Expenses:Backpack:Main:Fees      1.25 USDC
2026-10-02 price SOL-PERP 99.05 USDC
"""
)


def test_w16_what_is_due_is_borrowed(tmp_path: Path) -> None:
    """Inferred: of the 12 USDC a loss is 9.5, funding and fees are 1.25 each; USDT counts 0.99."""
    found = Answer(tmp_path, SUB + USDC + USDT + SOL_PERP + OWED + LAST)
    same(found.borrow("USDC")["quantity"], "W16-auto-borrow", "borrowUSDC")
    assert [asset["coin"] for asset in found.row["collateral_assets"]] == ["USDT"]
    assert found.asset("USDT")["quantity"] == "1000"


def test_w16_without_auto_borrow_nothing_is_converted(tmp_path: Path) -> None:
    """
    The venue would sell USDT; here nothing is sold silently: it is an error, and told once, of the
    2.5 paid at 00:00. The 9.5 of the settlement come on top.
    """
    books = SUB.replace("auto-borrow: TRUE", "auto-borrow: FALSE") + USDC + USDT + SOL_PERP + OWED
    book = read(ALL + books + LAST, tmp_path)
    [message] = book.messages()
    short = 'The wallet of sub-account "Main" lacks 2.500000 USDC on 2026-10-02, and the '
    assert message.startswith(short)
    assert book.balance("Assets:Backpack:Main:Wallet", "USDT") == 1000
    assert book.balance("Assets:Backpack:Main:Wallet") == -12


@pytest.mark.parametrize("notional", ["50000", "100000", "500000", "1000000"])
def test_w17_margins_of_a_size(tmp_path: Path, notional: str) -> None:
    """Inferred: the mark is 100; a million in cash beside it."""
    name = f"W17-sqrt-{notional}"
    trade = opened(f"{Decimal(notional) / 100:f}", "100")
    mark = "\n2026-10-02 price SOL-PERP 100 USDC\n"
    text = SUB + USDC + SOL_PERP + deposit("1000000 USDC") + trade + mark + LAST
    found = Answer(tmp_path, text)
    held = found.position("SOL-PERP")
    same(held["imf"], name, "IMF")
    same(held["mmf"], name, "MMF")
    same(held["initial_margin"], name, "IM")
    same(held["maintenance_margin"], name, "MM")
    assert found["maintenance_margin"] == held["maintenance_margin"]


def test_w24_a_loss_in_one_of_two_coins(tmp_path: Path) -> None:
    """
    Inferred: the loss is that of a long of 100 at 10 marked at 9, in a contract that settles in
    USDT; figures are in USDC, and a USDT is one of them.
    """
    text = """
2026-10-02 custom "perpetual" "X-PERP"
  settle: USDT
  initial-margin: 0.01
  maintenance-margin: 0.005
2026-10-02 * "Open"
  Assets:Bybit:Main:Perp     100 X-PERP {10 USDT}
  Assets:Bybit:Main:Perp   -1000 USDT
2026-10-02 price X-PERP 9 USDT
"""
    name = "W24-bybit-autoborrow"
    text = SUB + USDC + USDT + deposit("50 USDT") + deposit("100 USDC") + text + LAST
    text = text.replace("Backpack", "Bybit").replace("weight: 0.99", "weight: 1")
    lending = 'plugin "usance.plugins.auto_lending"\n'
    before = Answer(tmp_path, lending + text)
    equity = Decimal(before.asset("USDT")["value"]) + Decimal(before["unsettled_pnl"])
    same(str(equity), name, "equityUSDT")
    after = Answer(tmp_path, text)
    same(after.borrow("USDT")["quantity"], name, "borrowedUSDT")
    assert after.asset("USDC")["quantity"] == "100"
    assert (before["net_equity"], after["net_equity"]) == ("50", "50")


def test_w25_a_sale_of_what_is_not_there(tmp_path: Path) -> None:
    """Inferred: the margin on a borrow of BTC, and a USD worth one USDC."""
    text = """
2026-10-02 custom "lending-pool" "BTC"
  rates: "observed"
2026-10-02 custom "lending-rate" "BTC" 0 0
2026-10-02 custom "collateral" "BTC"
  weight: 0.95
  initial-margin: 0.1
  maintenance-margin: 0.05
2026-10-02 * "Sell"
  Assets:Backpack:Main:Wallet      -1 BTC @ 15000 USD
  Assets:Backpack:Main:Wallet   15000 USD
2026-10-02 price BTC 15000 USD
2026-10-02 custom "collateral" "USD"
  weight: 1
2026-10-02 price USD 1 USDC
"""
    found = Answer(tmp_path, SUB + deposit("50000 USD") + text + LAST)
    same(found.asset("USD")["quantity"], "W25-ftx-net-balance", "USD")
    assert found.borrow("BTC")["quantity"] == "1"
    assert found["net_equity"] == "50000"


def test_w29_an_hour_of_a_pool(tmp_path: Path) -> None:
    """
    Inferred: a curve that gives 4.5 % at a utilization of 0.6, and that lenders and borrowers are
    two sub-accounts, from 23:00 of the day on.

    A growth has 18 decimals: with 600,000 the interest is off by less than 3e-13, and the pool's
    fee is that of its rates.
    """
    text = """
2026-10-02 commodity USDC
  quantum: 0.000000000000000001
2026-10-02 custom "sub-account" "Lender" Assets:Backpack:Lender
  auto-lend: TRUE
2026-10-02 custom "sub-account" "Taker" Assets:Backpack:Taker
  auto-borrow: TRUE
2026-10-02 custom "lending-pool" "USDC"
  rates: "curve"
  slope-1: 0.06
  slope-2: 0.75
  optimal-utilization: 0.80
  fee: 0.10
2026-10-02 * "Deposit"
  time: "23:00"
  Assets:Backpack:Lender:Wallet    1000000 USDC
  Assets:Bank
2026-10-02 * "Take what is borrowed"
  time: "23:00"
  Assets:Backpack:Taker:Wallet     -600000 USDC
  Assets:Bank
"""
    book = read(ALL + text + LAST, tmp_path)
    # Borrowed and gone: no collateral is left, which is a breach and a gift.
    assert [message.split(" ")[0] for message in book.messages()] == ["finding:", "finding:"]
    lender, taker = run(tmp_path, "margin")["sub_accounts"]
    [pool] = run(tmp_path, "lending")["pools"]
    hour = {
        "hourBorrowerInterest": Decimal(taker["borrow_liability"]) - 600000,
        "hourLenderInterest": Decimal(lender["net_equity"]) - 1000000,
        "hourFee": Decimal(pool["fee"]),
    }
    for output, figure in hour.items():
        off = figure - Decimal(OUTPUTS["W29-pool-conservation"][output])
        assert abs(off) < Decimal("3.1e-13"), output
    assert Decimal(pool["paid_by_borrowers"]) == hour["hourBorrowerInterest"]
    assert Decimal(pool["earned_by_lenders"]) == hour["hourLenderInterest"]
    assert lender["collateral_assets"][0]["lent"] == lender["collateral_assets"][0]["quantity"]


BORROWS = """
2026-10-02 commodity SOL
  quantum: 0.0000000001
2026-10-02 commodity USDC
  quantum: 0.0000000001
2026-10-02 custom "sub-account" "Main" Assets:Backpack:Main
2026-10-02 custom "lending-pool" "USDC"
  rates: "observed"
2026-10-02 custom "lending-rate" "USDC" 0 0
2026-10-02 custom "collateral" "USDC"
  weight: 1
  initial-margin: 0.10
2026-10-02 price SOL 1 USDC
"""


@pytest.mark.parametrize("output", OUTPUTS["W30-max-borrow"])
def test_w30_the_most_that_can_be_borrowed(tmp_path: Path, output: str) -> None:
    """
    Assumed by the file: initial margins of 0.10 and 0.15 on the borrows. Inferred: a SOL is 1.

    At the most that can be borrowed no equity is left available, to the digits of the output; a bit
    more, and there is less than nothing.
    """
    use, _, coin = output.removesuffix("_usd").partition(".")
    most = Decimal(OUTPUTS["W30-max-borrow"][output])
    to = "Assets:Backpack:Main:Wallet" if use == "kept" else "Assets:Bank"
    text = BORROWS + SOL + deposit("1000 USDC")
    left = []
    for amount in (most, most + Decimal("1e-8")):
        borrow = f"""
2026-10-02 * "Borrow by hand"
  Liabilities:Backpack:Main:Borrowed  {-amount} {coin}
  {to}  {amount} {coin}
"""
        left.append(Decimal(Answer(tmp_path, text + borrow + LAST)["available_equity"]))
    assert 0 <= left[0] < Decimal("1e-10")
    assert left[1] < 0


@pytest.mark.skipif(not FILE.exists(), reason="../shared/vectors is not here")
def test_the_outputs_are_those_of_the_file() -> None:
    examples = {row["id"]: row["outputs"] for row in json.loads(FILE.read_text())["examples"]}
    for name, outputs in OUTPUTS.items():
        for output, value in outputs.items():
            assert examples[name][output].split(" ")[0] == value


@pytest.mark.skipif(not FILE.exists(), reason="../shared/vectors is not here")
def test_every_example_is_here_or_has_a_reason() -> None:
    names = {row["id"].partition("-")[0] for row in json.loads(FILE.read_text())["examples"]}
    here = {name.partition("-")[0] for name in OUTPUTS}
    assert names == here | NO_LEDGER.keys()
    assert not here & NO_LEDGER.keys()
