"""Charts and bars of the pages in Fava: what they draw is what the commands say, day by day."""

import json
import re
from collections import defaultdict
from decimal import Decimal
from pathlib import Path
from typing import Any

import pages_book
import pytest
from flask.testing import FlaskClient
from folders import Folder
from test_fava_pages import page, served

DAYS = ["2025-04-01", "2025-04-06", "2025-04-20", "2025-05-10", "2025-05-31"]
NEAR = Decimal("1e-20")

Points = dict[str, dict[str, Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return pages_book.made(tmp_path_factory.mktemp("charts"))


@pytest.fixture(scope="module")
def fava(folder: Folder) -> FlaskClient:
    return served(folder).test_client()


def charts(fava: FlaskClient, name: str, query: str = "") -> dict[str, Points]:
    """Return the points of a page's charts, by label and date."""
    drawn = re.compile(
        r'<svelte-component type="charts"><script type="application/json">(.*?)</script>', re.DOTALL
    )
    [found] = drawn.findall(page(fava, name, query))
    return {
        chart["label"]: {point["date"]: point for point in chart["data"]}
        for chart in json.loads(found, parse_float=Decimal, parse_int=Decimal)
    }


def asked(folder: Folder, *words: str) -> Any:  # noqa: ANN401 -- JSON
    return json.loads(folder.usance(*words, "--format", "json").stdout)


def compare(points: Points, day: str, said: dict[str, str | None], factor: int = 1) -> None:
    """Check the lines of a day against a command's figures."""
    shown = points[day]["balance"]
    wanted = {name: Decimal(text) * factor for name, text in said.items() if text is not None}
    assert shown.keys() == wanted.keys()
    for name, figure in wanted.items():
        assert abs(shown[name] - figure) <= abs(figure) * NEAR, name


def test_lines_go_through_each_day(fava: FlaskClient) -> None:
    for name in ("UsanceCapital", "UsanceLending", "UsanceMargin"):
        for label, points in charts(fava, name).items():
            if label != "Interest":
                assert len(points) == pages_book.DAYS


@pytest.mark.parametrize("day", DAYS)
def test_lines_of_capital_are_what_the_command_says(
    day: str, folder: Folder, fava: FlaskClient
) -> None:
    rows = asked(folder, "efficiency", "--at", day)["sub_accounts"]
    drawn = charts(fava, "UsanceCapital")
    for label, key, factor in (
        ("Efficiency (%)", "efficiency", 100),
        ("Capital (USDC)", "capital", 1),
        ("Idle (USDC)", "idle", 1),
        ("Saved (USDC)", "saved", 1),
    ):
        if label in drawn:  # nothing is idle in these books
            compare(drawn[label], day, {row["name"]: row[key] for row in rows}, factor)


def test_idle_money_is_drawn(tmp_path: Path) -> None:
    """Goal: Arb has 15000 USDC and lends none of it."""
    text = pages_book.ledger().replace(
        '"Arb" Assets:Backpack:Arb\n  auto-lend: TRUE\n', '"Arb" Assets:Backpack:Arb\n'
    )
    folder = Folder.made(tmp_path / "books", text)
    fava = served(folder).test_client()
    for day in DAYS:
        rows = asked(folder, "efficiency", "--at", day)["sub_accounts"]
        idle = {row["name"]: row["idle"] for row in rows}
        compare(charts(fava, "UsanceCapital")["Idle (USDC)"], day, idle)
    assert Decimal(idle["Arb"]) > 40000


@pytest.mark.parametrize("day", DAYS)
def test_lines_of_margin_are_what_the_command_says(
    day: str, folder: Folder, fava: FlaskClient
) -> None:
    rows = asked(folder, "margin", "--at", day)["sub_accounts"]
    drawn = charts(fava, "UsanceMargin")
    compare(drawn["Margin in use (%)"], day, {row["name"]: row["mmr"] for row in rows}, 100)
    for row in rows:
        keys = ("net_equity", "initial_margin", "maintenance_margin")
        compare(drawn[row["name"]], day, {key.replace("_", " "): row[key] for key in keys})


@pytest.mark.parametrize(
    ("day", "supply", "borrow", "utilization"),
    # The rates of USDC as they are written; those of USDT do not change.
    [
        ("2025-04-19", "4.12", "6.30", "72"),
        ("2025-04-20", "4.80", "7.10", "81"),
        ("2025-05-09", "4.80", "7.10", "81"),
        ("2025-05-31", "3.95", "6.00", "69"),
    ],
)
def test_lines_of_rates_are_what_is_written(
    day: str, supply: str, borrow: str, utilization: str, fava: FlaskClient
) -> None:
    drawn = charts(fava, "UsanceLending")
    for label, rate in (
        ("Supply rate (% a year)", supply),
        ("Borrow rate (% a year)", borrow),
        ("Utilization (%)", utilization),
    ):
        assert drawn[label][day]["balance"]["USDC"] == Decimal(rate)
    assert drawn["Supply rate (% a year)"][day]["balance"]["USDT"] == Decimal("3.5")


def test_bars_of_interest_are_the_sums_of_what_the_command_says(
    folder: Folder, fava: FlaskClient
) -> None:
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in asked(folder, "lending")["rows"]:
        part, sign = ("earned", 1) if row["side"] == "lent" else ("paid", -1)
        sums[row["date"][:7], part, row["coin"]] += Decimal(row["interest"]) * sign
    found = {
        (date[:7], part, coin): number
        for date, point in charts(fava, "UsanceLending")["Interest"].items()
        for part, coins in point["account_balances"].items()
        for coin, number in coins.items()
    }
    assert found == sums
    assert len(found) == 8


@pytest.mark.parametrize("month", ["2025-04", "2025-05"])
def test_bars_of_yield_are_what_the_command_says(
    month: str, folder: Folder, fava: FlaskClient
) -> None:
    words = ("--from", f"{month}-01", "--to", "2025-04-30" if month == "2025-04" else "2025-05-31")
    sums: dict[tuple[str, str], Decimal] = defaultdict(Decimal)
    for row in asked(folder, "yield", *words)["rows"]:
        for source in row["sources"]:
            sums[row["coin"], source["source"]] += Decimal(source["income"])
    drawn = charts(fava, "UsanceSplit")
    for (coin, source), income in sums.items():
        [point] = [it for date, it in drawn[f"Yield in {coin}"].items() if date.startswith(month)]
        assert point["account_balances"][source].get(coin, 0) == income


@pytest.mark.parametrize("query", ["interval=month", "interval=day", "conversion=SOL"])
@pytest.mark.parametrize("name", ["UsanceLending", "UsanceSplit"])
def test_a_bar_is_as_long_as_its_parts_together(name: str, query: str, fava: FlaskClient) -> None:
    """Goal: per coin, also where two parts have the same coin, or two coins become one."""
    several = 0
    for label, points in charts(fava, name, query).items():
        for point in points.values() if label.startswith(("Interest", "Yield")) else ():
            sums: dict[str, Decimal] = defaultdict(Decimal)
            for coins in point["account_balances"].values():
                for coin, number in coins.items():
                    several += coin in sums
                    sums[coin] += number
            assert {coin: point["balance"].get(coin, 0) for coin in sums} == sums
    assert several


def test_what_was_is_converted_at_the_prices_of_then(folder: Folder, fava: FlaskClient) -> None:
    """Goal: a line at the price of its day, a bar at the one of the interval's last day.

    SOL ends April at 143 USDC and May at 139.
    """
    prices = dict(re.findall(r"(\S+) price SOL (\d+) USDC", folder.ledger.read_text()))
    assert (prices["2025-04-30"], prices["2025-05-31"]) == ("143", "139")
    drawn = charts(fava, "UsanceCapital", "conversion=SOL")["Capital (SOL)"]
    for day in DAYS:
        for row in asked(folder, "efficiency", "--at", day)["sub_accounts"]:
            shown, capital = drawn[day]["balance"][row["name"]], Decimal(row["capital"])
            assert abs(shown * Decimal(prices[day]) - capital) < Decimal("1e-18")
    plain = charts(fava, "UsanceLending", "interval=month")["Interest"]
    converted = charts(fava, "UsanceLending", "interval=month&conversion=SOL")["Interest"]
    [year] = charts(fava, "UsanceLending", "interval=year&conversion=SOL")["Interest"].values()
    paid = sum(point["account_balances"]["paid"]["USDC"] for point in plain.values())
    assert abs(year["account_balances"]["paid"]["SOL"] * 139 - paid) < Decimal("1e-18")
    for day, price in (("2025-04-30", 143), ("2025-05-31", 139)):
        owed = plain[day]["account_balances"]["paid"]["USDC"]
        shown = converted[day]["account_balances"]["paid"]["SOL"]
        assert abs(shown * price - owed) < Decimal("1e-18")


def test_bars_of_capital_are_as_wide_as_their_figures(folder: Folder, fava: FlaskClient) -> None:
    """Goal: in percent of the wider one of capital and all uses, to a thousandth."""
    bar = re.compile(r'<i class="is-(\w+)" style="width:([\d.]+)%">')
    text = page(fava, "UsanceCapital")
    for row in asked(folder, "efficiency")["sub_accounts"]:
        _, _, card = text.partition(f'aria-label="Capital of {row["name"]}"')
        drawn = bar.findall(card.partition("</section>")[0])
        whole = max(Decimal(row["capital"]), Decimal(row["siloed"]))
        keys = ("capital", "lent", "margin", "yield", "lent", "margin", "yield")
        assert [name for name, _ in drawn] == [*keys]
        for key, width in drawn:
            assert abs(Decimal(width) - Decimal(row[key]) / whole * 100) <= Decimal("0.0005")


def test_a_transfer_goes_from_its_giver_to_its_taker(fava: FlaskClient) -> None:
    rows = re.findall(
        r"<td>(\w+)</td><td>(\w+)</td><td class=\"us-num\"><data value=\"(\d+)\"",
        page(fava, "UsanceSubAccounts"),
    )
    assert rows == [("Arb", "Main", "5000"), ("Main", "Arb", "20000")]


def test_a_sample_of_days_has_the_last_one_and_is_even(tmp_path: Path) -> None:
    text = pages_book.ledger().partition("2025-05-31 price")[0]
    more = '2025-12-31 custom "accrue-through" 2025-12-31\n'
    fava = served(Folder.made(tmp_path / "books", text + more)).test_client()
    days = [*charts(fava, "UsanceLending")["Supply rate (% a year)"]]
    assert len(days) == 92  # every third of 275
    assert days[-1] == "2025-12-31"
    assert days[-2] == "2025-12-28"
    assert days[0] == "2025-04-02"
