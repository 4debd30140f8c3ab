"""The page *Reconciliation*: the newest snapshot of each feed, and what does not match first."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal

import browser
import pytest
from fava.application import create_app
from flask.testing import FlaskClient
from playwright.sync_api import Playwright, expect
from reconciled_books import MAIN, coin, position, snapshot, written

from usance.fava.view import NONE
from usance.feeding.lines import text
from usance.feeding.reconciling import Asked, reconcile
from usance.ledger.load import load

FAVA = '2025-06-01 custom "fava-extension" "usance.fava"\noption "title" "fed"\n'
TEXT = """
2025-06-10 * "Deposit"
  Assets:Backpack:Main:Wallet   1234567.8901234567 USDC
  Assets:Bank
2025-06-15 price SOL-PERP 149 USDC
2025-06-15 * "Open 50 at 150"
  Assets:Backpack:Main:Perp          50 SOL-PERP {150 USDC}
  Assets:Backpack:Main:Perp       -7500 USDC
"""
SAID: dict[str, Any] = {
    "collateral": {
        "collateral": [
            coin("USDC", "1234467.8901234567", lent="1234400", ordered="67.8901234567"),
            coin("BP", "350"),
        ],
        "borrowLiability": "0",
        "pnlUnrealized": "0",
        "unsettledEquity": "0",
        "netEquity": "1234467.8901234567",
    },
    "position": [position("SOL_USDC_PERP", "50", "150", "148")],
    "borrow_lend_positions": [],
    "account": {
        "autoLend": True,
        "autoBorrowSettlements": True,
        "autoRepayBorrows": True,
        "leverageLimit": "10",
    },
    "taken": {"taken": "2025-06-17T00:10:03Z"},
}
PLACE = ("downloads", "backpack", "Main", "snapshot", "2025-06-17T001003Z")


def served(ledger: Path, *, incognito: bool = False) -> FlaskClient:
    app = create_app([str(ledger)], load=True, poll_watcher=True, incognito=incognito)
    return app.test_client()


def page(fava: FlaskClient, query: str = "") -> str:
    got = fava.get(f"/fed/extension/UsanceReconcile/?{query}")
    assert got.status_code == 200
    assert "Usance could not make this page" not in got.text
    ours = got.text.partition("<article>")[2].partition("</article>")[0]
    return re.sub(r"<style>.*?</style>", "", ours, flags=re.DOTALL)


def told(text: str) -> list[list[str]]:
    """Return the cells of the rows of a page, as a reader sees them."""
    rows = re.findall(r"<tr>\s*<th scope.*?</tr>", text, re.DOTALL)
    cells = [re.findall(r"<t[hd].*?>(.*?)</t[hd]>", row, re.DOTALL) for row in rows]
    return [[" ".join(re.sub("<.*?>", " ", cell).split()) for cell in row] for row in cells]


@pytest.fixture
def ledger(tmp_path: Path) -> Path:
    path = written(tmp_path, FAVA + MAIN + TEXT)
    snapshot(tmp_path.joinpath(*PLACE), SAID)
    return path


def test_what_does_not_match_is_first(ledger: Path) -> None:
    text = page(served(ledger))
    left, _, matched = text.partition("<details>")
    assert told(left) == [
        ["quantity", "BP", NONE, "350", NONE, "missing"],
        ["lent", "BP", NONE, "350", NONE, "missing"],
        [
            "lent",
            "USDC",
            "1,234,517.89",
            "1,234,400",
            "117.8901",
            "explained open orders, unsettled",
        ],
    ]
    assert "10 lines match" in matched
    assert len(told(matched)) == 10
    assert told(matched)[0][:4] == ["equity", "USDC", *["1,234,467.89"] * 2]
    assert "not reconciled" in left
    assert "2025-06-17T00:10:03Z" in left and "/".join(PLACE) in matched


def test_a_balance_leads_to_what_generated_it(ledger: Path) -> None:
    text = page(served(ledger))
    assert "id=lending/2025-06-16/Main" in text or "id=settlement/2025-06-1" in text


def test_the_page_is_what_the_command_says(ledger: Path) -> None:
    [found] = reconcile(load(str(ledger)), Asked())
    shown = re.findall(r'<data value="([^"]*)"', page(served(ledger)))
    for line in found.lines:
        for value in (line.books, line.venue, line.difference):
            if value is not None:
                assert text(value) in shown


def test_a_newer_snapshot_is_seen_at_the_next_request(ledger: Path) -> None:
    fava = served(ledger)
    assert "not reconciled" in page(fava)
    coins = [coin("USDC", "1234467.8901234567")]
    newer = {**SAID, "collateral": {**SAID["collateral"], "collateral": coins}}
    newer["taken"] = {"taken": "2025-06-17T00:20:00Z"}
    place = ledger.parent.joinpath(*PLACE[:-1], "2025-06-17T002000Z")
    snapshot(place, newer)
    assert "not reconciled" not in page(fava)
    assert "2025-06-17T00:20:00Z" in page(fava)
    (place / "account.json").write_text("{")
    assert "account.json: line 1 is no JSON" in page(fava)


def test_incognito_shows_no_figure(ledger: Path) -> None:
    text = page(served(ledger, incognito=True))
    assert "XXXXXXX.XXXXXXXXXX" in text
    assert re.findall(r"\d+[.,]\d+", text) == []
    assert "missing" in text and "2025-06-17T00:10:03Z" in text


def test_figures_are_written_as_the_locale_says(ledger: Path) -> None:
    ledger.write_text(ledger.read_text() + '2025-06-01 custom "fava-option" "locale" "de"\n')
    text = page(served(ledger))
    assert ">1.234.517,89<" in text
    assert '<data value="1234517.8901234567"' in text
    assert "TRUE" in text


@pytest.mark.parametrize(
    "query", ["time=2025-06-15", "conversion=SOL", "account=Assets:Bank", "filter=%28"]
)
def test_filters_change_no_figure(query: str, ledger: Path) -> None:
    fava = served(ledger)
    text = page(fava, query)
    assert told(text) == told(page(fava))
    assert "not apply here" in text


# What is not there


def test_without_a_feed_the_page_says_what_to_write(tmp_path: Path) -> None:
    terms = MAIN.partition("2025-06-16 custom")[0]
    text = page(served(written(tmp_path, FAVA + terms + TEXT)))
    assert "No sub-account has a feed yet" in text
    assert 'custom "feed" "Main" "backpack"' in text.replace("&#34;", '"')


def test_without_downloads_the_page_says_what_to_do(tmp_path: Path) -> None:
    text = page(served(written(tmp_path, FAVA + MAIN + TEXT)))
    assert "There is no snapshot of Main" in text and "Take one with usance fetch" in text


def test_downloads_that_are_broken_are_one_message(ledger: Path) -> None:
    fava = served(ledger)
    link = ledger.parent / "downloads" / "backpack" / "public"
    link.symlink_to(ledger.parent)
    text = page(fava)
    assert text.count('role="note"') == 1
    assert "downloads/backpack/public is a link" in text
    link.unlink()
    assert "not reconciled" in page(fava)
    for file in ledger.parent.joinpath(*PLACE).iterdir():
        file.unlink()
    assert "There is no snapshot of Main" in page(fava)
    (ledger.parent.joinpath(*PLACE) / "taken.json").write_text(json.dumps(SAID["taken"]))
    assert "no answer with balances is here" in page(fava)


def test_a_snapshot_beyond_the_books_says_so(ledger: Path) -> None:
    (ledger.parent.joinpath(*PLACE) / "taken.json").write_text('{"taken": "2025-06-19T00:10:03Z"}')
    assert "is beyond the books, which end on 2025-06-16" in page(served(ledger))


def test_a_ledger_with_errors_is_not_reconciled(ledger: Path) -> None:
    ledger.write_text(ledger.read_text() + "2025-06-10 balance Assets:Bank  5 USDC\n")
    text = page(served(ledger))
    assert "A ledger with errors is not reconciled" in text
    assert told(text) == []


# As a browser shows it


@pytest.fixture
def visit(
    ledger: Path, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[browser.Visit]:
    app = create_app([str(ledger)], load=True, poll_watcher=True, read_only=True)
    profile = tmp_path_factory.mktemp("profile")
    with browser.served(app) as base, browser.visited(playwright, base, profile) as made:
        yield made
        assert made.wrong == []


@browser.NEEDED
@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_the_page_is_whole_and_as_wide_as_its_window(
    scheme: Literal["light", "dark"], width: int, visit: browser.Visit
) -> None:
    seen = visit.page
    seen.set_viewport_size({"width": width, "height": 844})
    seen.emulate_media(color_scheme=scheme)
    seen.goto(f"{visit.base}/fed/income_statement/")
    if width == 1280:
        seen.locator("aside").get_by_role("link", name="Reconciliation", exact=True).click()
    else:
        seen.goto(f"{visit.base}/fed/extension/UsanceReconcile/")
    expect(seen.get_by_text("not reconciled", exact=True)).to_be_visible()
    expect(seen.get_by_role("region", name="What does not match of Main")).to_be_visible()
    expect(seen.get_by_role("region", name="What matches of Main")).to_be_hidden()
    seen.get_by_text("10 lines match").click()
    expect(seen.get_by_role("region", name="What matches of Main")).to_be_visible()
    article = "document.querySelector('article')"
    assert seen.evaluate("document.documentElement.scrollWidth") <= width
    assert seen.evaluate(f"{article}.scrollWidth - {article}.clientWidth") <= 0
    color = seen.evaluate("getComputedStyle(document.querySelector('.us')).color")
    assert color == ("rgb(64, 64, 64)" if scheme == "light" else "rgb(204, 204, 204)")
