"""Fava shows what Usance adds, exports it, and notices what changes; no page of it breaks."""

import re
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import browser
import pytest
from beancount import loader
from beancount.core import data
from beancount.parser import parser, printer
from fava.application import create_app
from flask.testing import FlaskClient
from folders import Folder
from invariants import plain
from playwright.sync_api import Playwright

PAGES = [
    "account/Assets:Backpack:Main:Wallet",
    "balance_sheet",
    "commodities",
    "documents",
    "editor",
    "errors",
    "events",
    "holdings",
    "import",
    "income_statement",
    "journal",
    "options",
    "query",
    "statistics",
    "trial_balance",
]
ANSWERS = [
    "account_report?a=Assets:Backpack:Main:Wallet&r=journal",
    "account_report?a=Assets:Backpack:Main:Wallet&r=changes",
    "balance_sheet",
    "commodities",
    "documents",
    "errors",
    "events",
    "imports",
    "income_statement",
    "journal",
    "journal_page?page=1&order=desc",
    "ledger_data",
    "options",
    "statistics",
    "trial_balance",
]


def client(folder: Folder, *, poll: bool = True) -> FlaskClient:
    """Return a client of Fava on a ledger."""
    return create_app([str(folder.ledger)], load=True, poll_watcher=poll).test_client()


def answer(fava: FlaskClient, path: str) -> Any:  # noqa: ANN401 -- any JSON
    """Return what Fava's own pages ask for."""
    got = fava.get(f"/beancount/api/{path}")
    assert got.status_code == 200, got.text
    return got.get_json()["data"]


@pytest.fixture(scope="module", params=["virtual", "half posted", "posted"])
def folder(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Return books of which no day, the first month, or every day is posted."""
    made = Folder.made(tmp_path_factory.mktemp("fava") / "books")
    if request.param != "virtual":
        made.accrue("--through", "2024-12-31" if request.param == "half posted" else "2025-02-02")
    return made


@pytest.fixture(scope="module")
def fava(folder: Folder) -> FlaskClient:
    return client(folder)


def ours(entries: data.Directives) -> dict[str, data.Transaction]:
    """Return the transactions that Usance added, virtual or posted, by their ids."""
    return {
        entry.meta["usance"]: entry
        for entry in entries
        if isinstance(entry, data.Transaction) and "usance" in entry.tags
    }


@pytest.mark.parametrize("page", PAGES)
def test_every_page_answers(page: str, fava: FlaskClient) -> None:
    assert fava.get(f"/beancount/{page}/").status_code == 200


@pytest.mark.parametrize("question", ANSWERS)
@pytest.mark.parametrize("view", ["", "time=2025-02", "time=1999", "filter=%23usance"])
def test_every_page_gets_its_figures(question: str, view: str, fava: FlaskClient) -> None:
    answer(fava, f"{question}{'&' if '?' in question else '?'}{view}")


def test_nothing_is_wrong(fava: FlaskClient) -> None:
    assert answer(fava, "errors") == []


def test_the_journal_holds_each_generated_transaction(folder: Folder, fava: FlaskClient) -> None:
    shown = [entry["meta"].get("usance") for entry in answer(fava, "journal")]
    assert {name for name in shown if name} == set(ours(folder.load()[0]))
    tagged = answer(fava, "journal?filter=%23usance")
    assert len(tagged) == 61
    assert {entry["t"] for entry in tagged} == {"Transaction"}


def test_the_account_page_shows_interest(fava: FlaskClient) -> None:
    report = answer(fava, "account_report?a=Assets:Backpack:Main:Wallet&r=journal")
    assert report["journal"].count("Lending") == 34
    assert "0.100004" in report["journal"]


def test_a_query_finds_what_is_generated(fava: FlaskClient) -> None:
    query = (
        "SELECT date, ANY_META('usance') AS id, number WHERE 'usance' IN tags"
        " AND account = 'Income:Backpack:Main:Interest' AND date = 2024-12-30"
    )
    got = fava.get("/beancount/api/query", query_string={"query_string": query})
    assert got.get_json()["data"]["rows"] == [["2024-12-30", "lending/2024-12-30/Main", -0.100004]]


def test_the_income_statement_holds_the_interest(fava: FlaskClient) -> None:
    income, _, expenses = answer(fava, "income_statement")["trees"]
    # Arb 0.000002 + 0.005833 + 0.010001 + 0.010003; Main's 34 days; 0.004277 + 0.009332 paid
    assert income["balance_children"] == pytest.approx({"SOL": -0.00054801, "USDC": -3.374379})
    assert expenses["balance_children"] == pytest.approx({"USDC": 0.013609})


def test_the_export_holds_each_generated_transaction_in_full(
    folder: Folder, fava: FlaskClient, tmp_path: Path
) -> None:
    got = fava.get("/beancount/download-journal/")
    assert got.status_code == 200
    entries, errors, _ = parser.parse_string(got.text)
    assert errors == []
    written = ours(folder.load()[0])
    exported = ours(entries)
    assert len(exported) == 61
    for name, entry in written.items():
        assert printer.format_entry(exported[name]) == printer.format_entry(plain(entry))

    (tmp_path / "export.beancount").write_text(got.text)
    again, errors, _ = loader.load_file(str(tmp_path / "export.beancount"))
    assert errors == []
    assert set(ours(again)) == set(written)


def test_errors_of_ours_have_their_place(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books")
    folder.edit('"SOL" 0.05 0.08', '"SOL" 101 0.08')
    folder.edit("2025-02-02T00:00:00Z,0.0365", "2025-02-02T00:00:00Z,much", "rates/usdc.csv")
    told = {
        (error["source"]["filename"], int(error["source"]["lineno"]))
        for error in answer(client(folder), "errors")
    }
    assert {
        (str(folder.ledger), folder.line('"SOL" 101')),
        (str(folder.path / "rates/usdc.csv"), folder.line("much", "rates/usdc.csv")),
    } <= told


# What is watched


def test_the_editor_opens_each_file_that_is_watched(folder: Folder, fava: FlaskClient) -> None:
    listed = [Path(name) for name in answer(fava, "ledger_data")["options"]["include"]]
    files = [path for path in listed if path.is_file()]
    assert folder.path / "rates" / "usdc.csv" in files
    assert [path for path in listed if path not in files] == [folder.path / "posted"]
    for path in files:
        assert answer(fava, f"source?filename={path}")["source"] == path.read_text()


def changed(fava: FlaskClient) -> bool:
    """Tell whether Fava notices a change; its watcher may take a moment."""
    for _ in range(40):
        if answer(fava, "changed"):
            return True
        time.sleep(0.05)
    return False


@pytest.mark.parametrize("poll", [True, False], ids=["polling", "told by the kernel"])
def test_fava_notices_rates_and_posted_days(
    poll: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("WATCHFILES_FORCE_POLLING")  # all other tests poll
    folder = Folder.made(tmp_path / "books")
    fava = client(folder, poll=poll)
    time.sleep(0.2)  # the watcher begins in a thread of its own
    assert not answer(fava, "changed")

    def virtual() -> set[str]:
        return {
            entry["date"]
            for entry in answer(fava, "journal")
            if entry["meta"]["filename"] == "(usance)"
        }

    before = answer(fava, "income_statement")
    folder.edit("2025-02-02T00:00:00Z,0.0365", "2025-02-02T00:00:00Z,0.9", "rates/usdc.csv")
    assert changed(fava)
    assert answer(fava, "income_statement") != before
    folder.accrue("--through", "2024-12-31")
    assert changed(fava), "a new posted month"
    assert min(virtual()) == "2025-01-01"
    folder.accrue("--through", "2025-01-01")
    assert changed(fava), "another posted month"
    folder.accrue("--through", "2025-01-02")
    assert changed(fava), "another day of a posted month"
    assert min(virtual()) == "2025-01-03"


# In a browser


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Return books of which the first month is posted."""
    made = Folder.made(tmp_path_factory.mktemp("seen") / "books")
    made.accrue("--through", "2024-12-31")
    return made


@pytest.fixture(scope="module")
def visit(
    seen: Folder, playwright: Playwright, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[browser.Visit]:
    app = create_app([str(seen.ledger)], load=True, poll_watcher=True)
    profile = tmp_path_factory.mktemp("profile")
    with browser.served(app) as base, browser.visited(playwright, base, profile) as made:
        yield made


@browser.NEEDED
def test_pages_show_what_is_generated(seen: Folder, visit: browser.Visit) -> None:
    visit.wrong.clear()
    journal = visit.open("journal/", "Borrowing")
    assert len(re.findall(r"^Lending", journal, re.MULTILINE)) == 58
    assert "Transfer between Arb and Main" in journal
    assert "^usance-2024-12-30" in journal
    statement = visit.open("income_statement/", "Interest")
    assert "\N{MINUS SIGN}3.348540" in statement
    assert "0.013609" in statement
    account = visit.open("account/Assets:Backpack:Main:Wallet/", "Borrowing")
    assert "0.100004 USDC" in account
    visit.open("errors/", "No errors")
    visit.open("editor/", "usance.plugins")
    visit.open(f"editor/?file_path={seen.path}/rates/usdc.csv", "supply_apr")
    assert visit.wrong == []


@browser.NEEDED
@pytest.mark.parametrize(
    ("which", "where"), [("first", "(usance):"), ("last", "posted/2024-12.beancount:")]
)
def test_an_entry_shows_the_balances_around_it(
    which: str, where: str, visit: browser.Visit
) -> None:
    visit.open("journal/?filter=%23lending", "Lending")
    getattr(visit.page.locator("li.transaction .datecell a"), which).click()
    dialog = visit.page.locator("dialog[open]")
    dialog.get_by_text("Context").first.click()
    dialog.get_by_text("Balances after entry").wait_for()
    assert where in dialog.inner_text()


@browser.NEEDED
def test_errors_are_shown_with_their_place(playwright: Playwright, tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books")
    folder.edit('"SOL" 0.05 0.08', '"SOL" 101 0.08')
    app = create_app([str(folder.ledger)], load=True, poll_watcher=True)
    profile = tmp_path / "profile"
    with browser.served(app) as base, browser.visited(playwright, base, profile) as visit:
        errors = visit.open("errors/", 'lending-rate "SOL"')
        assert str(folder.ledger) in errors
        assert str(folder.line('"SOL" 101')) in errors
        line = str(folder.line('"SOL" 101'))
        visit.page.get_by_role("link", name=line, exact=True).first.click()
        visit.page.locator(".cm-activeLine").get_by_text('"SOL" 101').wait_for()
        assert visit.wrong == []
