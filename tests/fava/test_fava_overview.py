"""The pages *Overview* and *Statement*: their figures are those of the commands."""

import csv
import html
import io
import re
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import browser
import pages_book
import pytest
from fava.application import create_app
from flask.testing import FlaskClient
from folders import Folder
from playwright.sync_api import Playwright
from yield_books import answer

from usance.model.amounts import rounded_text, total


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return pages_book.made(tmp_path_factory.mktemp("overview"))


@pytest.fixture(scope="module")
def fava(folder: Folder) -> FlaskClient:
    return create_app([str(folder.ledger)], load=True, poll_watcher=True).test_client()


def page(fava: FlaskClient, name: str, query: str = "") -> str:
    got = fava.get(f"/pages/extension/{name}/?{query}")
    assert got.status_code == 200
    assert "Usance could not make this page" not in got.text
    return got.text.partition("<article>")[2].partition("</article>")[0]


def exact(text: str) -> list[str]:
    """Return the exact figures behind those that a page shows."""
    return re.findall(r'<data value="([^"]*)" title="\1">', text)


def test_the_overview_is_the_status_of_the_last_evening(fava: FlaskClient, folder: Folder) -> None:
    found: Any = answer("status", folder.ledger)
    text = page(fava, "UsanceOverview")
    values = exact(text)
    assert values[0] == found["net_asset_value"]
    for row in found["sub_accounts"]:
        assert row["net_asset_value"] in values
        if row["next_payout"]:
            assert row["accrued"] in values and row["next_payout"] in text
    for change in found["change"].values():
        assert change is None or f'value="{change}"' in text
    assert f"Newest price: {found['newest_price']}" in text


def test_the_result_of_the_month_is_that_of_the_statement(
    fava: FlaskClient, folder: Folder
) -> None:
    found: Any = answer("statement", folder.ledger, "--month", "2025-05")
    whole = found["parts"][-1]["periods"][0]
    lines: dict[str, Decimal] = {}
    for row in whole["lines"]:
        lines[row["line"]] = lines.get(row["line"], Decimal(0)) + Decimal(row["amount"])
    text = page(fava, "UsanceOverview", "time=2025-05").partition("Result of 2025-05")[2]
    shown = {Decimal(value) for value in exact(text.partition("</section>")[0])}
    inside = ("deposits", "withdrawals", "transfers_in", "transfers_out")
    expected = {amount for line, amount in lines.items() if amount and line not in inside}
    assert expected < shown
    assert shown - expected == {sum(expected)}


def test_the_statement_is_that_of_the_command(fava: FlaskClient, folder: Folder) -> None:
    found: Any = answer("statement", folder.ledger, "--month", "2025-04")
    text = page(fava, "UsanceStatement", "time=2025-04")
    values = exact(text)
    for part in found["parts"]:
        [period] = part["periods"]
        for figure in (period["opening"], period["closing"]):
            assert figure in values
        for row in period["lines"]:
            assert row["amount"] == "0" or row["amount"] in values
    trades: Any = answer("pnl", folder.ledger, "--month", "2025-04")["trades"]
    assert all(trade["result"] in values for trade in trades)


BEHIND = re.compile(r'href="/pages/extension/UsanceStatement/\?([^"]*)"[^>]*><data value="([^"]*)"')


def test_each_line_of_a_statement_leads_to_what_adds_to_it(fava: FlaskClient) -> None:
    """Goal: the rows sum to the figure that leads to them, and name who posted them."""
    text = page(fava, "UsanceStatement", "time=2025-04")
    links = [(html.unescape(query), amount) for query, amount in BEHIND.findall(text)]
    assert len(links) == text.count('title="Show what adds to this line"') > 20
    for query, amount in links:
        assert "time=2025-04" in query
        shown = page(fava, "UsanceStatement", query).partition('aria-label="Behind the line"')[2]
        table = shown.partition("</table>")[0]
        caption, _, body = table.partition("<tbody>")
        assert f'<data value="{amount}"' in caption
        amounts = [Decimal(exact(row)[-1]) for row in body.split("</tr>")[:-1]]
        assert rounded_text(total(amounts)) == amount, query
    fees = page(fava, "UsanceStatement", "time=2025-04&part=whole&line=lending_interest")
    assert "id=lending/2025-04-" in fees


def test_a_line_that_is_none_is_said(fava: FlaskClient) -> None:
    text = page(fava, "UsanceStatement", "time=2025-04&part=Main&line=fee")
    assert "is no line of Main. Write one of: opening, deposits" in text


def test_without_a_time_the_statement_is_of_the_last_month_that_is_over(fava: FlaskClient) -> None:
    assert "2025-05-01 to 2025-05-31" in page(fava, "UsanceStatement")


def test_the_csv_of_a_statement_is_that_of_the_command(fava: FlaskClient, folder: Folder) -> None:
    got = fava.get("/pages/extension/UsanceStatement/csv?time=2025-05")
    assert got.mimetype == "text/csv"
    done = folder.usance("statement", "--month", "2025-05", "--format", "csv")
    assert got.text == done.stdout
    assert {row["line"] for row in csv.DictReader(io.StringIO(got.text))} > {"opening", "fees"}


def test_incognito_shows_no_figure(folder: Folder) -> None:
    app = create_app([str(folder.ledger)], load=True, poll_watcher=True, incognito=True)
    fava = app.test_client()
    for name in ("UsanceOverview", "UsanceStatement"):
        text = page(fava, name)
        assert not re.search(r'<data value="[^"]*[0-9]', text)
        assert '<svg viewBox="0 0 640' not in text
    assert fava.get("/pages/extension/UsanceStatement/csv").status_code == 400


def test_the_launcher_lands_on_the_overview_unless_the_ledger_names_a_page(
    folder: Folder, tmp_path: Path
) -> None:
    with browser.loaded(folder.ledger) as app:
        fava = app.test_client()
        for path in ("/", "/pages/"):
            assert fava.get(path).location.endswith("/pages/extension/UsanceOverview/")
    own = Folder(tmp_path)
    own.ledger.write_text(
        folder.ledger.read_text() + '2025-04-01 custom "fava-option" "default-page" "journal/"\n'
    )
    (tmp_path / "posted").mkdir()
    (tmp_path / "posted" / "first.beancount").write_text("")
    with browser.loaded(own.ledger) as app:
        assert app.test_client().get("/").location.endswith("/pages/journal/")


@browser.NEEDED
def test_both_pages_in_a_browser(playwright: Playwright, folder: Folder, tmp_path: Path) -> None:
    """In both schemes, on a screen and on a phone: nothing is wider, and nothing goes wrong."""
    with browser.shown(folder.ledger) as base:
        plain = base.rpartition("/")[0]
        with browser.visited(playwright, plain, tmp_path / "profile") as visit:
            for scheme in SCHEMES:
                visit.page.emulate_media(color_scheme=scheme)
                for width in (1280, 390):
                    visit.page.set_viewport_size({"width": width, "height": 900})
                    for name, shown in PAGES:
                        visit.page.goto(f"{base}/extension/{name}/")
                        visit.page.locator("article").get_by_text(shown).first.wait_for()
                        wide = visit.page.evaluate("document.documentElement.scrollWidth")
                        assert wide <= width
            assert visit.wrong == []


SCHEMES: tuple[Literal["light"], Literal["dark"]] = ("light", "dark")
PAGES = (("UsanceOverview", "Net asset value"), ("UsanceStatement", "Opening"))
