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

from usance.fava import drawing

DAYS = ["2025-04-01", "2025-04-06", "2025-04-20", "2025-05-10", "2025-05-31"]
NEAR = Decimal("1e-20")

Points = dict[str, dict[str, Decimal]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return pages_book.made(tmp_path_factory.mktemp("charts"))


@pytest.fixture(scope="module")
def fava(folder: Folder) -> FlaskClient:
    return served(folder).test_client()


def charts(fava: FlaskClient, name: str, query: str = "") -> dict[str, Points]:
    """Return the points of a page's pictures, by label and date."""
    found: dict[str, Points] = {}
    for text in page(fava, name, query).split('<figure class="us-picture">')[1:]:
        label = re.search(r"<b>([^<]*) <small class=\"us-quiet\">([^<]*)</small></b>", text)
        assert label is not None
        points = re.findall(r"data-date=\"([^\"]*)\" data-exact='([^']*)'", text)
        found[f"{label[1]} {label[2]}"] = {
            date: {line: Decimal(figure) for line, figure in json.loads(exact).items()}
            for date, exact in points
        }
    return found


def asked(folder: Folder, *words: str) -> Any:  # noqa: ANN401 -- JSON
    return json.loads(folder.usance(*words, "--format", "json").stdout)


def compare(points: Points, day: str, said: dict[str, str | None], factor: int = 1) -> None:
    """Check the lines of a day against a command's figures."""
    shown = points[day]
    wanted = {name: Decimal(text) * factor for name, text in said.items() if text is not None}
    assert shown.keys() == wanted.keys()
    for name, figure in wanted.items():
        assert abs(shown[name] - figure) <= abs(figure) * NEAR, name


def test_lines_go_through_each_day(fava: FlaskClient) -> None:
    for name in ("UsanceCapital", "UsanceLending", "UsanceMargin", "UsanceOverview", "UsanceSplit"):
        found = charts(fava, name)
        assert found
        assert {len(points) for points in found.values()} == {pages_book.DAYS}


@pytest.mark.parametrize("day", DAYS)
def test_lines_of_capital_are_what_the_command_says(
    day: str, folder: Folder, fava: FlaskClient
) -> None:
    rows = asked(folder, "efficiency", "--at", day)["sub_accounts"]
    drawn = charts(fava, "UsanceCapital")
    for label, key, factor in (
        ("Efficiency in %", "efficiency", 100),
        ("Capital in USDC", "capital", 1),
        ("Idle in USDC", "idle", 1),
        ("Saved in USDC", "saved", 1),
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
        assert {idle[name] for name in ("Main", "Desk")} == {"0"}
        compare(charts(fava, "UsanceCapital")["Idle in USDC"], day, {"Arb": idle["Arb"]})
    assert Decimal(idle["Arb"]) > 40000


@pytest.mark.parametrize("day", DAYS)
def test_lines_of_margin_are_what_the_command_says(
    day: str, folder: Folder, fava: FlaskClient
) -> None:
    rows = asked(folder, "margin", "--at", day)["sub_accounts"]
    drawn = charts(fava, "UsanceMargin")
    exposed = [row for row in rows if f"Equity and margin of {row['name']} in USDC" in drawn]
    used = {row["name"]: row["mmr"] for row in exposed}
    compare(drawn["Margin in use, of net equity in %"], day, used, 100)
    for row in exposed:
        keys = ("net_equity", "initial_margin", "maintenance_margin")
        points = drawn[f"Equity and margin of {row['name']} in USDC"]
        compare(points, day, {key.replace("_", " "): row[key] for key in keys})
    assert len(exposed) > 1


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
    rates = drawn["Rates of USDC in % a year"][day]
    assert rates == {"lending": Decimal(supply), "borrowing": Decimal(borrow)}
    assert drawn["Utilization of USDC in %"][day] == {"utilization": Decimal(utilization)}
    assert drawn["Rates of USDT in % a year"][day]["lending"] == Decimal("3.5")


def test_bars_of_interest_are_the_sums_of_what_the_command_says(
    folder: Folder, fava: FlaskClient
) -> None:
    sums: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for row in asked(folder, "lending")["rows"]:
        part, sign = ("earned", 1) if row["side"] == "lent" else ("paid", -1)
        sums[row["date"][:7], part, row["coin"]] += Decimal(row["interest"]) * sign
    found: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for label, points in charts(fava, "UsanceLending").items():
        if label.startswith("Interest in "):
            for date, point in points.items():
                for part, number in point.items():
                    found[date[:7], part, label.removeprefix("Interest in ")] += number
    assert {key: number for key, number in found.items() if number} == sums
    assert len(sums) == 8


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
        points = [it for date, it in drawn[f"Yield in {coin}"].items() if date.startswith(month)]
        assert sum(point.get(source, Decimal(0)) for point in points) == income


def test_what_was_is_converted_at_the_prices_of_then(folder: Folder, fava: FlaskClient) -> None:
    """Goal: a line at the price of its day, a bar at the one of the interval's last day.

    SOL ends April at 143 USDC and May at 139.
    """
    prices = dict(re.findall(r"(\S+) price SOL (\d+) USDC", folder.ledger.read_text()))
    assert (prices["2025-04-30"], prices["2025-05-31"]) == ("143", "139")
    drawn = charts(fava, "UsanceCapital", "conversion=SOL")["Capital in SOL"]
    for day in DAYS:
        for row in asked(folder, "efficiency", "--at", day)["sub_accounts"]:
            shown, capital = drawn[day][row["name"]], Decimal(row["capital"])
            assert abs(shown * Decimal(prices[day]) - capital) < Decimal("1e-18")
    plain = charts(fava, "UsanceLending")
    converted = charts(fava, "UsanceLending", "conversion=SOL")["Interest in SOL"]
    for day, price in (("2025-04-30", 143), ("2025-05-31", 139)):
        owed = plain["Interest in USDC"][day]["paid"]
        assert owed
        assert abs(converted[day]["paid"] * price - owed) < Decimal("1e-18")


def test_bars_of_capital_are_as_wide_as_their_figures(folder: Folder, fava: FlaskClient) -> None:
    """Goal: in percent of the wider one of capital and all uses, to a thousandth."""
    bar = re.compile(r'<i class="us-hue-(\w+)" style="width:([\d.]+)%">')
    text = page(fava, "UsanceCapital")
    for row in asked(folder, "efficiency")["sub_accounts"]:
        _, _, card = text.partition(f'aria-label="Capital of {row["name"]}"')
        drawn = bar.findall(card.partition("</section>")[0])
        whole = max(Decimal(row["capital"]), Decimal(row["siloed"]))
        keys = ("capital", "lent", "margin", "yield", "lent", "margin", "yield")
        hues = {"capital": "capital", "lent": "lending", "margin": "contracts", "yield": "treasury"}
        assert [name for name, _ in drawn] == [hues[key] for key in keys]
        drawn = [(key, width) for key, (_, width) in zip(keys, drawn, strict=True)]
        for key, width in drawn:
            assert abs(Decimal(width) - Decimal(row[key]) / whole * 100) <= Decimal("0.0005")


def test_a_transfer_goes_from_its_giver_to_its_taker(fava: FlaskClient) -> None:
    rows = re.findall(
        r"<td>(\w+)</td><td>(\w+)</td><td class=\"us-num\"><data value=\"(\d+)\"",
        page(fava, "UsanceSubAccounts"),
    )
    assert rows == [("Arb", "Main", "5000"), ("Main", "Arb", "20000")]


def test_days_become_weeks_and_then_months(tmp_path: Path) -> None:
    text = pages_book.ledger().partition("2025-05-31 price")[0]
    for last, second, count in (
        ("2025-08-02", "2025-04-02", 124),
        ("2025-08-03", "2025-04-13", 18),  # a Sunday
        ("2027-08-31", "2025-05-31", 29),
    ):
        more = f'{last} custom "accrue-through" {last}\n'
        fava = served(Folder.made(tmp_path / last, text + more)).test_client()
        days = [*charts(fava, "UsanceLending")["Rates of USDC in % a year"]]
        assert (len(days), days[1], days[-1]) == (count, second, last)


def series(*values: int | None, name: str = "a") -> drawing.Series:
    return drawing.Series(name, "paid", [None if it is None else Decimal(it) for it in values])


DATES = ["2025-05-01", "2025-05-02", "2025-05-03"]


@pytest.mark.parametrize("draw", [drawing.lines, drawing.areas, drawing.bars])
def test_nothing_is_drawn_of_two_points_or_of_zeros(draw: Any) -> None:  # noqa: ANN401
    assert draw("", "%", DATES[:2], [series(1, 2)]) is None
    assert draw("", "%", DATES, [series(0, 0, 0)]) is None
    assert draw("", "%", DATES, [series(1, None, 2)]) is None
    assert draw("", "%", DATES, []) is None
    assert draw("", "%", DATES, [series(1, 0, 2)]) is not None


def test_a_line_breaks_where_a_figure_is_missing() -> None:
    dates = [f"2025-05-0{day}" for day in range(1, 6)]
    found = drawing.lines("", "%", dates, [series(50, 100, None, 0, 25)], limit=Decimal(100))
    assert found is not None
    assert [line.points for line in found.lines] == [
        "0.0,90.0 160.0,0.0",
        "480.0,180.0 640.0,135.0",
    ]
    assert found.ticks == [Decimal(tick) for tick in (100, 80, 60, 40, 20, 0)]
    assert (found.zero, found.limit) == (Decimal(180), Decimal(0))
    assert [strip.values for strip in found.strips][2:4] == [{}, {"a": Decimal(0)}]
    assert found.dates == ("2025-05-01", "2025-05-03", "2025-05-05")


def test_areas_lie_on_each_other_and_a_debt_leaves_the_line_alone() -> None:
    found = drawing.areas("", "USDC", DATES, [series(1, 1, 1), series(1, 0, 1, name="b")])
    assert found is not None
    assert [layer.name for layer in found.areas] == ["a", "b"]
    assert [line.points for line in found.lines] == ["0.0,0.0 320.0,90.0 640.0,0.0"]
    below = drawing.areas("", "USDC", DATES, [series(1, -1, 1)])
    assert below is not None
    assert not below.areas
    assert below.zero == 90


def test_bars_have_gains_above_zero_and_losses_below() -> None:
    found = drawing.bars("", "USDC", DATES, [series(3, 0, 1), series(-1, 0, 4, name="b")])
    assert found is not None
    assert found.ticks == [Decimal(tick) for tick in (6, 4, 2, 0, -2)]
    heights = [(bar.y, bar.height) for bar in found.bars]
    step = Decimal(180) / (found.ticks[0] - found.ticks[-1])
    zero = found.zero
    assert heights[0] == (zero - 3 * step, 3 * step)
    assert heights[1] == (zero, step)
    assert heights[2:] == [(zero - step, step), (zero - 5 * step, 4 * step)]
