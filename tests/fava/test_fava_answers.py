"""What Usance's pages in Fava answer first, and the figures behind it."""

import html
import json
import re
from decimal import Decimal
from pathlib import Path

import pages_book
import pytest
from flask.testing import FlaskClient
from folders import Folder
from test_fava_pages import ROWS, SMALL, figures, page, served

LEDGERS = Path(__file__).parents[2] / "ledgers"


def plain(text: str) -> str:
    """Return the article of a page as a person reads it."""
    ours = re.sub(r"<style>.*?</style>", "", text.partition("<article>")[2], flags=re.DOTALL)
    return html.unescape(" ".join(re.sub(r"<[^>]*>", " ", ours).split()))


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return pages_book.made(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def fava(folder: Folder) -> FlaskClient:
    return served(folder).test_client()


@pytest.fixture(scope="module")
def liquidated(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    text = (LEDGERS / "liquidation.beancount").read_text()
    text += '2025-05-01 custom "fava-extension" "usance.fava"\n'
    return Folder.made(tmp_path_factory.mktemp("liquidated") / "books", text)


# Margin


def test_the_nearest_to_liquidation_is_first(folder: Folder, fava: FlaskClient) -> None:
    said = json.loads(folder.usance("margin", "--format", "json").stdout)["sub_accounts"]
    exposed = [row for row in said if Decimal(row["exposure"])]
    wanted = sorted(exposed, key=lambda row: Decimal(row["mmr"]), reverse=True)
    text = page(fava, "UsanceMargin")
    cards = re.findall(r'<section class="us-card" aria-label="Margin of (\w+)"', text)
    assert len(cards) > 1
    assert cards == [row["name"] for row in wanted]


def test_without_exposure_a_sub_account_is_one_line_at_the_end(liquidated: Folder) -> None:
    text = page(served(liquidated).test_client(), "UsanceMargin", "", "a-liquidation")
    wild, calm = (
        text.index('aria-label="Margin of Wild"'),
        text.index('aria-label="Margin of Calm"'),
    )
    assert wild < calm
    [line] = re.findall(
        r'<details class="us-card[^>]*Calm">.*?<summary>(.*?)</summary>', text, re.DOTALL
    )
    assert plain(f"<article>{line}") == "Calm at Backpack no exposure 1,000.09 available"


def test_liquidations_are_rows_where_they_happened(liquidated: Folder) -> None:
    """50 contracts in tenths of 5: two steps, at the mark of 136."""
    fava = served(liquidated).test_client()
    text = plain(page(fava, "UsanceMargin", "", "a-liquidation"))
    assert "2025-05-02 Wild SOL-PERP -10 136.00 2" in text
    before = plain(page(fava, "UsanceMargin", "time=2025-05-01", "a-liquidation"))
    assert "Liquidations" not in before


@pytest.mark.parametrize(
    ("mark", "state", "now"),
    # Main has 109327.38 + 2000 (mark - 139.15) of equity, and maintains 0.025 of 2000 contracts.
    [("139.15", "within limits", False), ("86", "in breach", True), ("60", "bankrupt", True)],
)
def test_in_breach_the_distance_is_now(mark: str, state: str, now: bool, fava: FlaskClient) -> None:
    got = fava.get(f"/pages/extension/UsanceMargin/whatif?prices=SOL-PERP={mark}").get_json()
    told = got["figures"]
    assert told["Main/state"]["shown"] == state
    assert (told["Main/positions/SOL-PERP/distance"]["shown"] == "now") is now
    assert (told["Main/danger"]["shown"] == "Positions are liquidated now.") is now


def test_the_nearest_liquidation_is_a_sentence(folder: Folder, fava: FlaskClient) -> None:
    said = json.loads(folder.usance("status", "--format", "json").stdout)["sub_accounts"]
    told = fava.get("/pages/extension/UsanceMargin/whatif?prices=").get_json()["figures"]
    found = [row for row in said if row["nearest_liquidation"]]
    assert found
    for row in found:
        nearest = row["nearest_liquidation"]
        sentence = told[f"{row['name']}/danger"]["shown"]
        price = f"{Decimal(nearest['price']):,.2f}"
        assert sentence.startswith(f"{nearest['market']} is liquidated at {price}, ")
        away = f"{abs(Decimal(nearest['distance'])) * 100:,.2f} %"
        assert sentence.endswith(
            f"{away} {'below' if nearest['distance'][0] == '-' else 'above'} its mark."
        )


def test_words_are_plain_and_terms_are_in_the_titles(fava: FlaskClient) -> None:
    text = page(fava, "UsanceMargin")
    assert re.search(r'title="Maintenance margin ratio \(MMR\)[^"]*">Margin in use<', text)
    assert re.search(r'title="Initial margin ratio \(IMR\)[^"]*">Initial margin in use<', text)
    assert not re.search(r"\b[IM]MR\b", plain(text))


def test_a_figure_has_its_exact_value_in_its_title(fava: FlaskClient) -> None:
    text = page(fava, "UsanceMargin")
    exact = figures(text)["Main/net_equity"]
    assert f'<data value="{exact}" data-figure="Main/net_equity" title="{exact}">' in text
    assert len(exact.partition(".")[2]) > 2
    shown = f"{Decimal(exact):,.2f}"
    assert f'title="{exact}">{shown}</data>' in text


# Sub-accounts


@pytest.mark.parametrize(
    ("query", "first", "last"),
    [
        ("", "2025-05-01", "2025-05-31"),  # the last month
        ("time=2025-05", "2025-05-01", "2025-05-31"),
        ("time=2025-04-03 to 2025-05-20", "2025-04-03", "2025-05-20"),
    ],
)
def test_results_are_what_the_statement_says(
    query: str, first: str, last: str, folder: Folder, fava: FlaskClient
) -> None:
    flows = {"deposits", "withdrawals", "transfers_in", "transfers_out"}
    words = ("--from", first, "--to", last, "--format", "json")
    said = json.loads(folder.usance("statement", *words).stdout)
    text = page(fava, "UsanceSubAccounts", query)
    assert f"Result, {first} to {last}" in text
    assert text.index('aria-label="The whole"') < text.index('aria-label="Balance sheet of')
    for part in said["parts"]:
        [period] = part["periods"]
        result = sum(
            Decimal(line["amount"]) for line in period["lines"] if line["line"] not in flows
        )
        head = "the whole" if part["kind"] == "whole" else part["name"]
        [shown] = re.findall(rf'aria-label="Result of {head}">(.*?)</dl>', text, re.DOTALL)
        found = Decimal(re.findall(r'<data value="([^"]*)"', shown)[-1])
        assert abs(found - result) < Decimal("1e-12"), head


def test_shares_come_to_the_whole(fava: FlaskClient) -> None:
    [bar] = re.findall(
        r'aria-label="Shares of the sub-accounts">(.*?)</div>',
        page(fava, "UsanceSubAccounts"),
        re.DOTALL,
    )
    widths = [Decimal(width) for width in re.findall(r"width:([\d.]+)%", bar)]
    assert len(widths) > 2
    assert abs(sum(widths, Decimal(0)) - 100) < Decimal("0.01")


# Capital


def test_why_coins_are_idle_is_said(tmp_path: Path) -> None:
    more = (
        '2025-05-02 * "In"\n  Assets:Backpack:Main:Wallet  10 SOL\n  Assets:Bank\n'
        '2025-05-02 price SOL 150 USDC\n2025-05-01 custom "collateral" "SOL"\n  weight: 0.9\n'
    )
    fava = served(Folder.made(tmp_path / "small", SMALL + more, ROWS)).test_client()
    text = plain(page(fava, "UsanceCapital", "", "small"))
    assert "Idle (SOL has no pool) 1,500.00" in text
    # 1000 USDC and their interest of 0.60 work once, 1500 not at all.
    assert "Each dollar works 0.40 times" in text
    off = SMALL.replace("auto-lend: TRUE", "auto-lend: FALSE")
    fava = served(Folder.made(tmp_path / "off", off, ROWS)).test_client()
    text = plain(page(fava, "UsanceCapital", "", "small"))
    assert "Idle (USDC is not lent: auto-lend is off) 1,000.00" in text


# Close and proof


def test_a_day_says_its_interest_and_settlement(folder: Folder, fava: FlaskClient) -> None:
    words = ("--from", "2025-05-20", "--to", "2025-05-20", "--format", "json")
    rows = json.loads(folder.usance("lending", *words).stdout)["rows"]
    earned = sum(
        Decimal(row["interest"]) * (1 if row["side"] == "lent" else -1)
        for row in rows
        if row["coin"] == "USDC"
    )
    text = page(fava, "UsanceVerify", "time=2025-05-20")
    [line] = re.findall(r"<summary>(<b>2025-05-20.*?)</summary>", text, re.DOTALL)
    shown = re.findall(
        r'<data value="([^"]*)"[^>]*>[^<]*</data> USDC', line.partition("interest")[2]
    )
    assert list(map(Decimal, shown)) == [earned]


def test_a_correction_says_by_how_much(tmp_path: Path) -> None:
    """The rate of ten days rises from 4.12 % to 5.12 %; 100,000 USDC then earn more."""
    folder = Folder.made(tmp_path / "books", pages_book.ledger())
    folder.accrue("--through", "2025-04-10")
    folder.edit('"USDC" 0.0412 0.0630', '"USDC" 0.0512 0.0630')
    folder.accrue("--through", "2025-04-11", "--correct")
    text = page(served(folder).test_client(), "UsanceVerify")
    [table] = re.findall(r'aria-label="Corrections">(.*?)</table>', text, re.DOTALL)
    rows = re.findall(
        r"<td>(Income:Backpack:Main:Interest)</td>.*?<data value=\"([^\"]*)\"", table, re.DOTALL
    )
    [(_, amount)] = rows
    posted = (folder.ledger.parent / "posted" / "2025-04.beancount").read_text()
    [block] = re.findall(r'usance: "correction/2025-04-11/Main"\n(.*?)\n\n', posted, re.DOTALL)
    assert re.search(rf"Income:Backpack:Main:Interest +{re.escape(amount)} USDC", block)
    # 1 % a year of 100,000 in nine days is 24.66, a little less as hours of the first day lack.
    assert -25 < Decimal(amount) < -24


def test_no_figure_has_an_exponent(fava: FlaskClient) -> None:
    for name in ("UsanceLending", "UsanceMargin", "UsanceSplit", "UsanceSubAccounts"):
        assert re.findall(r">[\d.,]+e-?\d+<", page(fava, name)) == []
