"""Pages of Usance in Fava: what they show is what the commands say, whatever is asked of them."""

import json
import re
import shutil
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from pathlib import Path
from typing import Any

import pages_book
import pytest
from fava.application import create_app
from fava.core import FavaLedger
from flask import Flask
from flask.testing import FlaskClient
from folders import Folder

from usance.explain import explanation as explain
from usance.fava import host
from usance.fava.books import PageBooks
from usance.fava.host import UsanceBooks
from usance.fava.view import View
from usance.ledger.questions import QuestionError

ROOT = Path(__file__).parents[2]
PAGES = {
    "UsanceCapital": "Capital efficiency",
    "UsanceLending": "Lending",
    "UsanceMargin": "Margin",
    "UsanceOverview": "Overview",
    "UsanceReconcile": "Reconciliation",
    "UsanceSplit": "Yield split",
    "UsanceStatement": "Statement",
    "UsanceSubAccounts": "Sub-accounts",
    "UsanceVerify": "Close and proof",
}
VIEWS = [
    "",
    "time=2025-05",
    "time=2025-04-01",
    "time=1999",
    "time=2030",
    "time=2025-04-15 - 2030",
    "time=never",
    "account=Assets:Backpack:Main:Wallet",
    "filter=%23lending",
    "filter=%28",
    "conversion=SOL",
    "conversion=EUR",
    "conversion=at_value",
    "conversion=units",
    "interval=day",
    "interval=year",
    "partial=true",
]


def served(folder: Folder, *, incognito: bool = False) -> Flask:
    """Return Fava on a ledger."""
    return create_app(
        [str(folder.ledger)], load=True, poll_watcher=True, incognito=incognito, read_only=True
    )


def ledger_of(app: Flask) -> FavaLedger:
    loaded: FavaLedger = app.config["LEDGERS"].ledgers[0]
    return loaded


def books_of(app: Flask) -> PageBooks:
    made = ledger_of(app).extensions.get_extension(UsanceBooks.__qualname__)
    assert isinstance(made, UsanceBooks)
    return made.books


def page(fava: FlaskClient, name: str, query: str = "", slug: str = "pages") -> str:
    """Return a page of ours, whose components have JSON that can be read."""
    got = fava.get(f"/{slug}/extension/{name}/?{query}")
    assert got.status_code == 200, got.text
    assert "Usance could not make this page" not in got.text
    for part in re.findall(r'<script type="application/json">(.*?)</script>', got.text, re.DOTALL):
        json.loads(part)
    return got.text


def figures(text: str) -> dict[str, str]:
    """Return the figures of the Margin page by their places."""
    return {
        place: exact
        for exact, place in re.findall(r'<data value="([^"]*)" data-figure="([^"]*)"', text)
    }


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    return pages_book.made(tmp_path_factory.mktemp("pages"))


@pytest.fixture(scope="module")
def app(folder: Folder) -> Flask:
    return served(folder)


@pytest.fixture(scope="module")
def fava(app: Flask) -> FlaskClient:
    return app.test_client()


def test_the_pages_are_in_the_sidebar_and_nothing_is_wrong(app: Flask) -> None:
    shown = [ext for ext in ledger_of(app).extensions.extension_details if ext.report_title]
    assert {ext.name: ext.report_title for ext in shown} == PAGES
    assert list(ledger_of(app).errors) == []
    names = [ext.name for ext in ledger_of(app).extensions.extension_details]
    assert not any(a != b and b.startswith(a) for a in names for b in names)


@pytest.mark.parametrize("view", VIEWS)
@pytest.mark.parametrize("name", PAGES)
def test_every_page_renders_whatever_is_asked(name: str, view: str, fava: FlaskClient) -> None:
    page(fava, name, view)


LINK = re.compile(r'href="[^"]*extension/UsanceVerify/\?[^"]*id=([^"&]+)')
UNPROVED = {"Conservation of pools", "Sum of the sub-accounts"}
"""Tables of sums over other tables, whose parts have their proofs."""


def tables(text: str) -> dict[str, str]:
    """Return the tables of a page by name."""
    found = re.findall(r'role="region" aria-label="([^"]*)">(.*?)</table>', text, re.DOTALL)
    assert len(found) == text.count("<table>")
    return dict(found)


PROVED = ["UsanceLending", "UsanceMargin", "UsanceSplit", "UsanceSubAccounts"]
"""Pages with a table for each day."""


@pytest.mark.parametrize("name", PROVED)
@pytest.mark.parametrize("day", ["2025-04-20", "2025-05-31"])
def test_every_table_leads_to_proofs(name: str, day: str, app: Flask, fava: FlaskClient) -> None:
    """Goal: in each table some figure leads to what made it last, by the day that is shown."""
    ids = {
        str(entry.meta["usance"]): entry
        for entry in ledger_of(app).all_entries_by_type.Transaction
        if "usance" in entry.meta
    }
    found = tables(page(fava, name, f"time=2025-04-01+-+{day}"))
    assert found
    for table, text in found.items():
        named = LINK.findall(text)
        assert bool(named) != (table in UNPROVED), table
        assert all(ids[identity].date.isoformat() <= day for identity in named)


def test_a_balance_leads_to_what_changed_it_last(app: Flask, fava: FlaskClient) -> None:
    """Goal: of closed and open days, by account and coin."""
    entries = [
        entry for entry in ledger_of(app).all_entries_by_type.Transaction if "usance" in entry.meta
    ]
    rows = re.compile(
        r'title="([^"]*)">\w+</a></th>\s*<td class="us-num">(.*?)</td>\s*<td>(\w*)</td>'
    )
    for day in ("2025-04-20", "2025-05-31"):
        text = page(fava, "UsanceSubAccounts", f"time=2025-04-01+-+{day}")
        seen = 0
        for account, units, coin in rows.findall(text):
            of = [
                entry.meta["usance"]
                for entry in entries
                if entry.date.isoformat() <= day
                and any(
                    leg.account == account and leg.units and leg.units.currency == coin
                    for leg in entry.postings
                )
            ]
            assert LINK.findall(units) == of[-1:], (account, coin)
            seen += bool(of)
        assert seen > 5


@pytest.mark.parametrize("name", PAGES)
def test_an_empty_period_says_so(name: str, fava: FlaskClient) -> None:
    text = page(fava, name, "time=1999")
    assert "The books have no days in this period" in text
    assert "2025-04-01 to 2025-05-31" in text


@pytest.mark.parametrize("name", ["UsanceCapital", "UsanceMargin", "UsanceSubAccounts"])
def test_filters_of_accounts_and_text_change_no_figure(name: str, fava: FlaskClient) -> None:
    whole = page(fava, name)
    for view in ("account=Assets:Backpack:Main:Wallet", "filter=%23lending"):
        text = page(fava, name, view)
        assert "do not apply here" in text
        values = re.compile(r'<data value="([^"]*)"')
        assert values.findall(text) == values.findall(whole)


def test_margin_is_what_the_command_says(folder: Folder, fava: FlaskClient) -> None:
    for at in ("2025-04-20", "2025-05-31"):
        said = json.loads(folder.usance("margin", "--at", at, "--format", "json").stdout)
        shown = figures(page(fava, "UsanceMargin", f"time={at}"))
        for row in said["sub_accounts"]:
            for key in ("net_equity", "available_equity", "imr", "mmr", "exposure"):
                assert shown[f"{row['name']}/{key}"] == row[key]
            for position in row["positions"]:
                place = f"{row['name']}/positions/{position['market']}"
                assert shown[f"{place}/liquidation_price"] == position["liquidation_price"]


def test_what_if_answers_what_the_command_says(folder: Folder, fava: FlaskClient) -> None:
    got = fava.get(
        "/pages/extension/UsanceMargin/whatif",
        query_string={"prices": "SOL=120.5,SOL-PERP=90", "time": "2025-05-20"},
    )
    assert got.status_code == 200
    assert got.headers["Cache-Control"] == "no-store"
    words = ("--at", "2025-05-20", "--price", "SOL=120.5", "--price", "SOL-PERP=90")
    said = json.loads(folder.usance("margin", *words, "--format", "json").stdout)
    answer = got.get_json()["figures"]
    for row in said["sub_accounts"]:
        for key in ("collateral", "net_equity", "initial_margin", "imr", "mmr"):
            assert answer[f"{row['name']}/{key}"]["exact"] == row[key]
        for asset in row["collateral_assets"]:
            place = f"{row['name']}/collateral_assets/{asset['coin']}/value"
            assert answer[place]["exact"] == asset["value"]


@pytest.mark.parametrize(
    "prices",
    ["SOL", "SOL=", "SOL=-1", "SOL=0", "SOL=NaN", "SOL=1e9", "XYZ=1", "USDC", "=", ",", "SOL=1,,"],
)
def test_what_if_refuses_what_is_no_price(prices: str, fava: FlaskClient) -> None:
    got = fava.get("/pages/extension/UsanceMargin/whatif", query_string={"prices": prices})
    assert got.status_code == 400
    assert "such as SOL=120" in got.get_json()["error"]


def test_what_if_of_an_empty_period_is_refused(fava: FlaskClient) -> None:
    got = fava.get("/pages/extension/UsanceMargin/whatif?time=1999")
    assert (got.status_code, got.get_json()) == (
        400,
        {"error": "The books have no days in this period."},
    )


@pytest.mark.parametrize("method", ["post", "put", "delete"])
def test_our_endpoints_only_answer(method: str, folder: Folder) -> None:
    app = create_app([str(folder.ledger)], load=True, poll_watcher=True)
    got = getattr(app.test_client(), method)("/pages/extension/UsanceMargin/whatif")
    assert got.status_code == 404


def test_capital_and_its_uses_are_what_the_command_says(folder: Folder, fava: FlaskClient) -> None:
    said = json.loads(folder.usance("efficiency", "--format", "json").stdout)
    text = page(fava, "UsanceCapital")
    for row in said["sub_accounts"]:
        for key in ("capital", "lent", "margin", "yield", "efficiency", "idle", "siloed", "saved"):
            assert f'<data value="{row[key]}"' in text


def test_a_coin_without_terms_has_its_price_on_each_page(tmp_path: Path) -> None:
    """1,000 DOGE are 250 USDC: capital and a row of margin, where a slider moves its price."""
    deposit = """\
2025-05-01 price DOGE 0.25 USDC
2025-05-01 * "Deposit of a coin without terms"
  Assets:Backpack:Arb:Wallet  1000 DOGE
  Assets:Bank
"""
    before = Folder.made(tmp_path / "before", pages_book.ledger())
    folder = Folder.made(tmp_path / "books", pages_book.ledger() + deposit)
    fava = served(folder).test_client()
    was, said = (
        {row["name"]: row for row in json.loads(done.stdout)["sub_accounts"]}
        for done in (made.usance("efficiency", "--format", "json") for made in (before, folder))
    )
    capital = said["Arb"]["capital"]
    assert Decimal(capital) == Decimal(was["Arb"]["capital"]) + 250
    assert f'<data value="{capital}"' in page(fava, "UsanceCapital")
    text = page(fava, "UsanceMargin")
    assert figures(text)["Arb/collateral_assets/DOGE/price"] == "0.25"
    assert figures(text)["Arb/collateral_assets/DOGE/value"] == "0"
    assert 'data-name="DOGE"' in text
    got = fava.get("/pages/extension/UsanceMargin/whatif?prices=DOGE=0.5")
    assert got.get_json()["figures"]["Arb/collateral_assets/DOGE/price"]["exact"] == "0.5"


def test_money_follows_the_conversion_where_there_is_a_price(fava: FlaskClient) -> None:
    # Main: 109327.38188 USDC on 31 May; SOL is at 139, so Fava's price of USDC is 1/139.
    text = page(fava, "UsanceCapital", "conversion=SOL")
    assert "All in SOL" in text
    assert re.search(r'<data value="786.52792719\d*" title="786.52792719\d*">786.53<', text)
    assert "All in USDC" in page(fava, "UsanceCapital", "conversion=EUR")
    assert "no price of USDC in EUR on 2025-05-31" in page(fava, "UsanceCapital", "conversion=EUR")
    assert "margin is measured in the operating currency" in page(
        fava, "UsanceMargin", "conversion=SOL"
    )


def test_lending_is_what_the_command_says(folder: Folder, fava: FlaskClient) -> None:
    said = json.loads(folder.usance("lending", "--from", "2025-05-01", "--format", "json").stdout)
    text = page(fava, "UsanceLending", "time=2025-05")
    sums: dict[tuple[str, str, str], int] = {}
    for row in said["rows"]:
        key = (row["sub_account"], row["coin"], row["side"])
        sums[key] = sums.get(key, 0) + int(row["interest"].replace(".", ""))
    assert len(sums) == 5
    for (_, coin, _), quanta in sums.items():
        places = 8 if coin == "SOL" else 6
        assert f'<data value="{quanta // 10**places}.{quanta % 10**places:0{places}}"' in text


def test_yield_is_what_the_command_says(folder: Folder, fava: FlaskClient) -> None:
    said = json.loads(folder.usance("yield", "--from", "2025-05-01", "--format", "json").stdout)
    text = page(fava, "UsanceSplit", "time=2025-05")
    assert len(said["rows"]) == 3
    for row in said["rows"]:
        for source in row["sources"]:
            assert f'<data value="{source["income"]}"' in text
        assert f'<data value="{row["apy"]}"' in text
        assert f'<data value="{row["accrued_unpaid"]}"' in text
    backed = json.loads(folder.usance("yield", "--reserves", "--format", "json").stdout)
    for key in ("owed", "bills", "cash", "coverage", "backing"):
        assert f'<data value="{backed["products"][0][key]}"' in page(fava, "UsanceSplit")


def test_sub_accounts_are_what_the_command_says(folder: Folder, fava: FlaskClient) -> None:
    said = json.loads(folder.usance("accounts", "--format", "json").stdout)
    text = page(fava, "UsanceSubAccounts")
    for sheet in said["sub_accounts"]:
        assert f'<data value="{sheet["net_asset_value"]}"' in text
    assert f'<data value="{said["net_asset_value"]}"' in text
    assert "transfer/2025-05-06/Arb" in text
    assert "transfer/2025-04-02/Arb" in text
    assert "transfer/2025-04-02/Arb" not in page(fava, "UsanceSubAccounts", "time=2025-05")


def test_the_seals_are_walked(folder: Folder, fava: FlaskClient) -> None:
    head = json.loads(folder.usance("verify", "--format", "json").stdout)["head"]
    text = page(fava, "UsanceVerify")
    assert "Closed through 2025-04-30, 30 days. Every seal holds." in text
    assert head in text
    assert len(re.findall(r'title="2025-04-\d\d, closed"', text)) == 30
    assert len(re.findall(r'title="2025-05-\d\d, open"', text)) == 31


DIFFERS = "The posted transaction differs from the one that Usance computes now"


@pytest.mark.parametrize(
    "identity",
    [
        "lending/2025-04-20/Desk",
        "borrowing/2025-05-20/Desk",
        "treasury/2025-05-31/Arb",
        "payout/2025-05-01/Main",
        "settlement/2025-04-20/Main",
        "margin/2025-05-31/Main",
        "transfer/2025-04-02/Arb",
    ],
)
def test_a_transaction_is_explained_as_the_command_does(
    identity: str, folder: Folder, fava: FlaskClient
) -> None:
    said = json.loads(folder.usance("explain", identity, "--format", "json").stdout)
    for view in ("", "&time=1999"):
        text = page(fava, "UsanceVerify", f"id={identity}{view}")
        for step in said["steps"]:
            assert f'<data value="{step["result"]}">' in text
        assert "#context-" in text
        assert DIFFERS not in text


def test_an_answer_is_worked_out_once_for_each_question(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: though threads ask at the same time."""
    books = PageBooks(books_of(app).ledger)
    asked: list[str] = []
    slow = explain.explain

    def counted(*rest: Any, **named: Any) -> Any:  # noqa: ANN401
        asked.append(rest[1].meta["usance"])
        time.sleep(0.1)
        return slow(*rest, **named)

    monkeypatch.setattr(explain, "explain", counted)
    first, second = "margin/2025-05-31/Main", "margin/2025-05-31/Desk"
    with ThreadPoolExecutor(4) as pool:
        answers = [*pool.map(books.explain, [first] * 4)]
    assert all(answer is answers[0] for answer in answers)
    assert books.explain(second) is not answers[0]
    assert books.explain(first) is answers[0]
    assert asked == [first, second]
    for _ in range(2):
        with pytest.raises(QuestionError):
            books.explain("no id")


def test_an_id_that_is_not_known_leads_to_those_near_it(fava: FlaskClient) -> None:
    text = page(fava, "UsanceVerify", "id=lending/2025-04-31/Desk")
    assert "No transaction has this id" in text
    assert "id=lending/2025-04-30/Desk" in text


# Incognito

LONG_NUMBER = re.compile(r"\d+\.\d{3,}")


@pytest.mark.parametrize("name", [*PAGES, "UsanceVerify id"])
def test_incognito_shows_no_figure(name: str, folder: Folder) -> None:
    fava = served(folder, incognito=True).test_client()
    name, _, asked = name.partition(" ")
    text = page(fava, name, "id=treasury/2025-05-31/Arb" if asked else "")
    ours = re.sub(r"<style>.*?</style>", "", text.partition("<article>")[2], flags=re.DOTALL)
    ours = re.sub(r"<script.*", "", ours.partition("</article>")[0], flags=re.DOTALL)
    assert "XX" in ours or name in ("UsanceReconcile", "UsanceVerify")
    assert "svelte-component" not in ours
    shown = re.sub(r'style="[^"]*"|aria-value\w+="0"', "", ours)
    assert LONG_NUMBER.findall(shown) == []


def test_incognito_answers_nothing_at_other_prices(folder: Folder) -> None:
    """Goal: no liquidation price by bisection; the state in words would tell it."""
    fava = served(folder, incognito=True).test_client()
    for prices in ("", "SOL=120", "SOL=1,SOL-PERP=1", "NONE=1"):
        got = fava.get(f"/pages/extension/UsanceMargin/whatif?prices={prices}")
        assert (got.status_code, got.get_json()) == (
            400,
            {"error": "Prices are hidden in incognito mode."},
        )


TROUBLE = (
    ("05-31 price SOL-PERP 139.15", "05-31 price SOL-PERP 60.15"),  # a breach
    ("2025-05-31 price SOL 139 USDC\n", "2025-05-31 balance Assets:Bank  77.125 USDC\n"),
    ("-255000 USDC", "-255123.4567 USDC"),  # a notional that does not match
    ("10:15", "10:15:61"),
)
FIGURE = re.compile(r"\d+[.,]\d+|\d{4,}")


@pytest.fixture(scope="module")
def troubled(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder.made(tmp_path_factory.mktemp("troubled") / "books", pages_book.ledger())
    for old, new in TROUBLE:
        folder.edit(old, new)
    return folder


def test_incognito_hides_the_digits_of_messages(troubled: Folder) -> None:
    """Goal: Beancount's messages too; dates stay, so that a message can be looked up."""
    plain, hidden = (
        served(troubled, incognito=incognito).test_client().get("/pages/api/errors").get_json()
        for incognito in (False, True)
    )
    shown = [error["message"] for error in plain["data"]]
    texts = [error["message"] for error in hidden["data"]]
    assert len(texts) == len(shown) > 3
    assert sum(bool(FIGURE.search(re.sub(r"\d{4}-\d\d-\d\d", "", text))) for text in shown) > 2
    for text, message in zip(texts, shown, strict=True):
        assert re.findall(r"\d+", text) == re.findall(r"\d+", " ".join(re.findall(DATE, message)))
        assert len(text) == len(message)


DATE = r"\d{4}-\d\d(?:-\d\d)?"


@pytest.mark.parametrize("name", [*PAGES, "UsanceVerify id"])
def test_incognito_shows_no_figure_of_a_message(name: str, troubled: Folder) -> None:
    fava = served(troubled, incognito=True).test_client()
    name, _, asked = name.partition(" ")
    text = page(fava, name, "id=treasury/2025-05-31/Arb" if asked else "")
    ours = re.sub(r"<style>.*?</style>", "", text.partition("<article>")[2], flags=re.DOTALL)
    ours = re.sub(r"<script.*", "", ours.partition("</article>")[0], flags=re.DOTALL)
    ours = ours.replace("8760", "")  # the hours of a year, in formulas
    ours = re.sub(rf'{DATE}|(?:href|style)="[^"]*"', "", ours)
    assert FIGURE.findall(ours) == []


def test_incognito_hides_messages_after_each_load(troubled: Folder, tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books", troubled.ledger.read_text())
    fava = served(folder, incognito=True).test_client()
    fava.get("/pages/api/errors")
    time.sleep(0.2)
    folder.edit("77.125 USDC", "78.125 USDC")
    ledger_of(fava.application).load_file()
    assert "78.125" not in fava.get("/pages/api/errors").text


# What is wrong, and what changes


def test_a_ledger_with_errors_shows_what_it_can(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books", pages_book.ledger())
    folder.edit('"USDC" 0.0480 0.0710', '"USDC" 101 0.0710')
    folder.edit("2025-05-31 price SOL 139 USDC\n", "2025-05-31 price SOL 0 USDC\n")
    fava = served(folder).test_client()
    for name in PAGES:
        assert "errors page" in page(fava, name)
    told = fava.get("/pages/api/errors").get_json()["data"]
    assert any('lending-rate "USDC"' in error["message"] for error in told)


def test_what_cannot_be_priced_is_said(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books", re.sub(r".* price SOL .*\n", "", pages_book.ledger()))
    fava = served(folder).test_client()
    assert "Cannot be priced" in page(fava, "UsanceCapital")
    assert "Some figures are missing" in page(fava, "UsanceMargin")
    assert '<data value="109327.38188' in page(fava, "UsanceCapital"), "the other sub-accounts stay"
    assert fava.get("/pages/extension/UsanceMargin/whatif?prices=SOL-PERP=120").status_code == 200


@pytest.mark.parametrize(
    ("ledger", "said"),
    [
        ("", "Usance computes no days in this ledger yet"),
        ('plugin "usance.plugins"\n', "No sub-account has any transactions yet"),
        (
            (
                'plugin "usance.plugins"\noption "operating_currency" "USDC"\n'
                '2025-01-01 custom "sub-account" "Main" Assets:Backpack:Main\n'
            ),
            "No sub-account has any transactions yet",
        ),
    ],
    ids=["no plugin", "no sub-account", "no deposit"],
)
@pytest.mark.parametrize("name", PAGES)
def test_an_empty_ledger_says_what_to_write(
    name: str, ledger: str, said: str, tmp_path: Path
) -> None:
    line = '2025-01-01 custom "fava-extension" "usance.fava"\n'
    folder = Folder.made(tmp_path / "books", f'option "title" "Pages"\n{ledger}{line}')
    assert said in page(served(folder).test_client(), name)


def test_books_without_a_currency_say_what_to_write(tmp_path: Path) -> None:
    text = pages_book.ledger().replace('option "operating_currency" "USDC"\n', "")
    folder = Folder.made(tmp_path / "books", text)
    fava = served(folder).test_client()
    for name in PAGES:
        assert "The figures need an operating currency" in page(fava, name)


def test_a_page_that_fails_stops_nothing(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    app = served(folder)
    fava = app.test_client()

    def broken(_: object) -> object:
        raise RuntimeError("the disk of the universe is full")

    monkeypatch.setattr(UsanceBooks, "books", property(broken))
    for name in PAGES:
        got = fava.get(f"/pages/extension/{name}/")
        assert got.status_code == 200
        assert "Usance could not make this page" in got.text
        assert fava.get(f"/pages/extension/{name}/").status_code == 200
    told = [error["message"] for error in fava.get("/pages/api/errors").get_json()["data"]]
    assert told.count("usance, Margin: RuntimeError: the disk of the universe is full") == 1
    assert fava.get("/pages/api/income_statement").status_code == 200


@pytest.mark.parametrize("config", ["{'a': foo}", "{'a': 1+1}", "][", ""])
def test_no_configuration_stops_fava(config: str, tmp_path: Path) -> None:
    text = pages_book.ledger().replace('"usance.fava"', f'"usance.fava" "{config}"')
    fava = served(Folder.made(tmp_path / "books", text)).test_client()
    assert "All in USDC" in page(fava, "UsanceCapital")


def test_a_reload_is_seen_at_once(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books", pages_book.ledger())
    folder.edit('"USDC" 0.0412 0.0630\n  utilization: 0.72', '"USDC" "rates/usdc.csv"')
    (folder.path / "rates" / "usdc.csv").write_text(
        "time_utc,supply_apr,borrow_apr\n2025-04-01T00:00:00Z,0.0412,0.0630\n"
    )
    fava = served(folder).test_client()
    before = page(fava, "UsanceLending")
    assert "No day is closed yet" in page(fava, "UsanceVerify")
    time.sleep(0.02)
    folder.edit("0.0412", "0.0512", "rates/usdc.csv")
    assert page(fava, "UsanceLending") != before
    folder.accrue("--through", "2025-04-02", "--stale-ok")
    assert "Closed through 2025-04-02" in page(fava, "UsanceVerify")
    time.sleep(0.02)
    folder.edit(
        "100000 USDC\n  Assets:Bank                    -100000", "90000 USDC\n  Assets:Bank  -90000"
    )
    assert "errors page" in page(fava, "UsanceVerify"), "a closed day has changed"


def test_a_correction_is_shown(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books", pages_book.ledger())
    folder.accrue("--through", "2025-04-10")
    folder.edit('"USDC" 0.0412 0.0630', '"USDC" 0.0512 0.0630')
    folder.accrue("--through", "2025-04-11", "--correct")
    fava = served(folder).test_client()
    text = page(fava, "UsanceVerify")
    assert 'title="2025-04-01, corrected"' in text
    assert "Corrections of closed days" in text
    assert "difference" in page(fava, "UsanceVerify", "id=correction/2025-04-11/Main")
    text = page(fava, "UsanceVerify", "id=lending/2025-04-05/Main")
    assert DIFFERS in text
    assert "Corrected by" in text


# What a plugin behind ours adds is not seen, here as in the commands


def test_prices_of_a_plugin_behind_ours_do_not_count(tmp_path: Path) -> None:
    text = pages_book.ledger().replace(
        'plugin "usance.plugins"\n',
        'plugin "usance.plugins"\nplugin "beancount.plugins.implicit_prices"\n',
    )
    text = re.sub(r".* price SOL .*\n", "", text)
    text = text.replace("400 SOL {128 USDC}", "400 SOL {128 USDC} @ 128 USDC")
    folder = Folder.made(tmp_path / "books", text)
    fava = served(folder).test_client()
    assert "Cannot be priced" in page(fava, "UsanceCapital", "time=2025-04-01")
    said = json.loads(folder.usance("efficiency", "--at", "2025-04-01", "--format", "json").stdout)
    assert [row["capital"] is None for row in said["sub_accounts"]] == [False, True, False]


# Fava's own pages


def entry_hash(fava: FlaskClient, file: str) -> str:
    """Return the hash of the first transaction of ours from a file."""
    [entry, *_] = [
        entry
        for entry in fava.get("/pages/api/journal").get_json()["data"]
        if entry["meta"].get("usance") and file in entry["meta"]["filename"]
    ]
    return str(entry["entry_hash"])


def test_the_source_of_a_generated_entry_is_refused_in_words(
    folder: Folder, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "(usance)").write_text("a file that happens to have this name\n" * 9)
    fava = create_app([str(folder.ledger)], load=True, poll_watcher=True).test_client()
    virtual = entry_hash(fava, "(usance)")
    asked = [
        fava.get("/pages/api/source_slice", query_string={"entry_hash": virtual}),
        fava.put(
            "/pages/api/source_slice",
            json={"entry_hash": virtual, "source": "x", "sha256sum": "x"},
        ),
        fava.delete(
            "/pages/api/source_slice", query_string={"entry_hash": virtual, "sha256sum": "x"}
        ),
        fava.put("/pages/api/attach_document", json={"filename": "x", "entry_hash": virtual}),
        fava.put("/pages/api/add_document", data={"hash": virtual}),
        fava.get("/pages/api/source", query_string={"filename": "(usance)"}),
    ]
    for got in asked:
        assert got.status_code == 422
        assert got.get_json()["error"] == "The entry is generated and cannot be edited."
    assert (tmp_path / "(usance)").read_text().count("\n") == 9
    posted = entry_hash(fava, "2025-04.beancount")
    got = fava.get("/pages/api/source_slice", query_string={"entry_hash": posted})
    assert "usance:" in got.get_json()["data"]["slice"]
    for odd in ("nothing", ""):
        got = fava.get("/pages/api/source_slice", query_string={"entry_hash": odd})
        assert got.status_code == 404
    assert fava.put("/pages/api/source_slice", data="no json").status_code == 400
    assert fava.put("/pages/api/source_slice", json=["a list"]).status_code == 400


def test_the_editor_lists_files_and_no_folder(
    folder: Folder, app: Flask, fava: FlaskClient
) -> None:
    data = fava.get("/pages/api/ledger_data").get_json()["data"]
    assert all(Path(name).is_file() for name in data["options"]["include"])
    watched, _ = ledger_of(app).paths_to_watch()
    assert folder.path / "posted" not in watched, "it is watched since the load"


def test_the_export_still_holds_everything(fava: FlaskClient) -> None:
    got = fava.get("/pages/download-journal/")
    assert got.status_code == 200
    assert got.text.count("  usance: ") == 641


def test_the_options_page_names_what_was_handed_on(fava: FlaskClient) -> None:
    options = fava.get("/pages/api/options").get_json()["data"]["beancount_options"]
    assert options["usance"] == "what the plugins read"


SMALL = """\
option "title" "Small"
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"
2025-05-01 custom "fava-extension" "usance.fava"
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" "rates/usdc.csv"
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank                  -1000 USDC
2025-05-01 custom "accrue-through" 2025-05-06
"""
ROWS = "time_utc,supply_apr,borrow_apr\n2025-05-01T00:00:00Z,0.0365,0.0730\n"


def small(path: Path, through: str = "") -> Folder:
    """Return small books, closed through a day if one is given."""
    folder = Folder.made(path / "small", SMALL, ROWS)
    if through:
        folder.accrue("--through", through, "--stale-ok")
    return folder


def shown(folder: Folder, name: str, query: str = "") -> str:
    """Return a page of small books as they are now."""
    return page(served(folder).test_client(), name, query, "small")


@pytest.mark.parametrize("deposit", ["gone", "2025-05-05", "2025-05-20"])
@pytest.mark.parametrize("corrected", [False, True])
def test_closed_days_are_shown_though_nothing_moves_in_them_any_more(
    deposit: str, corrected: bool, tmp_path: Path
) -> None:
    """Goal: what is closed stays in the books, whatever becomes of what it was lived for."""
    folder = small(tmp_path, "2025-05-03")
    made = SMALL[SMALL.index('2025-05-01 * "Deposit"') : SMALL.index('2025-05-01 custom "accrue-')]
    folder.edit(made, "" if deposit == "gone" else made.replace("2025-05-01", deposit))
    if corrected:
        folder.accrue("--correct", "--through", "2025-05-04", "--stale-ok")
    text = shown(folder, "UsanceVerify")
    assert f"Closed through 2025-05-0{4 if corrected else 3}" in text
    assert 'title="2025-05-02, closed' in text or 'title="2025-05-02, corrected' in text
    answer = json.loads(folder.usance("accounts", "--at", "2025-05-02", "--format", "json").stdout)
    [row] = answer["sub_accounts"]
    assert row["net_asset_value"] == "0.20001958"
    assert row["net_asset_value"] in shown(folder, "UsanceSubAccounts", "time=2025-05-02")
    if corrected:
        assert "Steps" in shown(folder, "UsanceVerify", "id=correction/2025-05-04/Main")
    for name in PAGES:
        shown(folder, name)


def test_days_of_a_compacted_month_are_shown_as_they_were_posted(tmp_path: Path) -> None:
    """All but the state of a day, its file, and the way to a journal that has the sums alone."""
    folder = Folder(shutil.copytree(ROOT / "ledgers" / "demo", tmp_path / "demo"))
    folder.edit('option "title" "Demo: a margin account, winter 2025"', 'option "title" "Demo"')
    folder.accrue("--through", "2025-02-20")
    views = ("", "time=2024-12", "time=2025-01-10", "time=2025-02", "id=lending/2025-01-08/Arb")

    def seen() -> dict[tuple[str, str], str]:
        client = served(folder).test_client()
        return {(name, view): page(client, name, view, "demo") for name in PAGES for view in views}

    before = seen()
    assert folder.usance("compact", "--keep", "1").exit_code == 0
    after = seen()
    compacted = after["UsanceVerify", ""]
    assert "Compacted: 2024-12 to 2025-01, 2 months." in compacted
    assert len(re.findall(r'title="2024-12-\d\d, compacted"', compacted)) == 31
    assert "posted/daily/2025-01.beancount:905" in after["UsanceVerify", views[-1]]
    for key, text in before.items():
        assert _said(after[key]) == _said(text), key


def _said(text: str) -> list[str]:
    """Return the words of a page without styles, states and places of days, and links to them."""
    text = text[text.index("<article") : text.index("</article>")]
    text = re.sub(r"<style>.*?</style>", "", text, flags=re.DOTALL)
    text = re.sub(r'<a href="(?:#context-|[^"]*editor)[^>]*>([^<]*)</a>', r"\1", text)
    for gone in (
        r" Compacted: [^<]*",
        r'<span><i class="us-day" data-state="compacted"></i>[^<]*</span>',
        "in the journal · ",
        "posted/daily/",
    ):
        text = re.sub(gone, "", text)
    return (
        text.replace("closed, in a compacted month", "closed")
        .replace("compacted", "closed")
        .split()
    )


def test_what_is_wrong_with_closed_days_is_said(tmp_path: Path) -> None:
    folder = small(tmp_path, "2025-05-03")
    month = folder.path / "posted" / "2025-05.beancount"
    inputs = month.with_suffix(".inputs")
    text, lines = month.read_text(), inputs.read_text()

    def told(expected: str) -> None:
        app = served(folder)
        shown = page(app.test_client(), "UsanceVerify", "", "small")
        assert expected in shown
        assert "Every seal holds" not in shown
        assert any(expected in error.message for error in ledger_of(app).errors)

    month.write_text("")
    told("The chain of closed days is broken at its beginning")
    month.write_text(text.replace("1000", "1001", 1))
    told("The chain of closed days is broken at 2025-05-01")
    month.write_text(text)
    folder.edit('include "posted/*.beancount"\n', "")
    told("The ledger does not include the closed days in the folder beside it")
    assert "This ledger has no closed days" in shown(folder, "UsanceVerify")
    whole = folder.ledger.read_text()
    folder.ledger.write_text(whole.partition('2025-05-01 * "Deposit"')[0])
    assert "does not include the closed days" in shown(folder, "UsanceCapital")
    folder.ledger.write_text(whole)
    month.unlink()
    assert "go on to 2025-05-01, a day that is not closed" in shown(folder, "UsanceVerify")
    inputs.unlink()
    inputs.mkdir()
    told("Not a plain file")
    inputs.rmdir()
    inputs.write_text(lines)


@pytest.mark.parametrize("prices", ["USDC=2", "SOL=1,SOL=2"])
def test_what_if_refuses_what_the_command_refuses(prices: str, fava: FlaskClient) -> None:
    got = fava.get(f"/pages/extension/UsanceMargin/whatif?prices={prices}")
    assert got.status_code == 400
    assert "is not a price" in got.get_json()["error"]


def test_the_last_day_of_all_is_a_day(tmp_path: Path) -> None:
    folder = small(tmp_path)
    folder.ledger.write_text(folder.ledger.read_text().replace("2025-05-0", "9999-12-2"))
    (folder.path / "rates" / "usdc.csv").write_text(ROWS.replace("2025-05-01", "9999-12-21"))
    folder.edit("9999-12-26", "9999-12-31")
    for name in PAGES:
        assert "9999-12-31" in shown(folder, name)


def test_a_rates_file_that_is_mended_is_seen(tmp_path: Path) -> None:
    """Goal: a fault of a file that another program writes goes with the next request."""
    folder = small(tmp_path)
    rates = folder.path / "rates" / "usdc.csv"
    rates.unlink()
    fava = served(folder).test_client()
    nothing = "No sub-account has any transactions yet"
    assert nothing in page(fava, "UsanceLending", "", "small")
    for text, expected in ((ROWS, "3.65 %"), ("time,rate\n", nothing), (ROWS, "3.65 %")):
        time.sleep(0.02)
        rates.write_text(text)
        assert expected in page(fava, "UsanceLending", "", "small")


def test_a_folder_of_closed_days_that_is_made_is_seen(tmp_path: Path) -> None:
    folder = small(tmp_path)
    (folder.path / "posted" / "first.beancount").unlink()
    (folder.path / "posted").rmdir()
    fava = served(folder).test_client()
    assert "No day is closed yet" in page(fava, "UsanceVerify", "", "small")
    time.sleep(0.02)
    (folder.path / "posted").mkdir()
    (folder.path / "posted" / "first.beancount").write_text("; Closed days come here.\n")
    folder.accrue("--through", "2025-05-03", "--stale-ok")
    assert "Closed through 2025-05-03" in page(fava, "UsanceVerify", "", "small")


def test_books_of_an_earlier_load_are_never_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: nor where a load begins while a page puts the books together."""
    folder = small(tmp_path)
    app = served(folder)
    loaded: Callable[..., Any] = vars(host)["loaded"]

    def slowly(*rest: Any) -> Any:  # noqa: ANN401
        made = loaded(*rest)
        if "5000" not in folder.ledger.read_text():
            folder.edit("-1000 USDC", "-5000 USDC")
            folder.edit("   1000 USDC", "   5000 USDC")
            ledger_of(app).load_file()
        return made

    monkeypatch.setattr(host, "loaded", slowly)
    for _ in range(2):
        assert '<data value="5003.00' in page(app.test_client(), "UsanceCapital", "", "small")


def test_a_directive_without_values_stops_nothing(tmp_path: Path) -> None:
    """Goal: a line that is not yet written to its end is an error of its own, and no more."""
    folder = small(tmp_path)
    app = served(folder)
    fava = app.test_client()
    page(fava, "UsanceCapital", "", "small")
    folder.edit("-1000 USDC", "-5000 USDC")
    folder.edit("   1000 USDC", "   5000 USDC")
    with folder.ledger.open("a") as file:
        file.write('2025-05-02 custom "lending-rate"\n')
    assert '<data value="5003.00' in page(fava, "UsanceCapital", "", "small")
    assert any("lending-rate" in error.message for error in ledger_of(app).errors)
    page(served(folder).test_client(), "UsanceCapital", "", "small")


@pytest.mark.parametrize("name", [*PAGES][:-1])
def test_an_id_is_asked_of_the_page_of_proofs_alone(name: str, fava: FlaskClient) -> None:
    assert "The books have no days in this period" in page(fava, name, "time=1999&id=x")


EMPTY = """\
2025-05-01 custom "sub-account" "Empty" Assets:Backpack:Empty
2025-05-01 price SOL 150 USDC
2025-05-01 * "Deposit of another coin"
  Assets:Backpack:Main:Wallet   1 SOL
  Assets:Bank                  -1 SOL
2025-05-01 custom "collateral" "SOL"
  weight: 0.9
"""


def test_a_sub_account_that_has_nothing_is_not_bankrupt(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "small", SMALL + EMPTY, ROWS)
    text = shown(folder, "UsanceMargin")
    assert 'data-figure="Empty/state">no exposure<' in text
    done = folder.usance("stress", "--shock", "SOL=-1%")
    assert "Empty" in done.stdout, done.stderr
    assert "bankrupt" not in done.stdout


@pytest.mark.parametrize(
    ("contract", "taken", "level"),
    # Main maintains 0.025 of the notional: 4300 of 3027.38 at 86, 5000 of 31027.38 at 100.
    [("60", "100.000", "full"), ("86", "100.000", "full"), ("100", "16.115", "low")],
)
def test_a_gauge_is_as_full_as_its_ratio(
    contract: str, taken: str, level: str, fava: FlaskClient
) -> None:
    """Goal: and full where there is no ratio any more, for nothing is left."""
    got = fava.get(f"/pages/extension/UsanceMargin/whatif?prices=SOL-PERP={contract}")
    gauge = got.get_json()["figures"]["Main/mmr"]
    assert (gauge["part"], gauge["level"]) == (taken, level)


def test_a_gauge_is_high_from_four_fifths(fava: FlaskClient) -> None:
    """4365 of 5627.38 are 77.57 %, 4360 of 5427.38 are 80.33 %."""
    for price, level in (("87.3", "low"), ("87.2", "high")):
        got = fava.get(f"/pages/extension/UsanceMargin/whatif?prices=SOL-PERP={price}")
        assert got.get_json()["figures"]["Main/mmr"]["level"] == level


# Figures as Fava's locale has them


@pytest.mark.parametrize(
    ("line", "quantity", "money", "wallet", "percent"),
    [
        (
            'option "render_commas" "TRUE"',
            "101,000.612345",
            "101,000.61",
            "1,000.60",
            "12,345.60 %",
        ),
        (
            '2025-05-01 custom "fava-option" "locale" "de_DE"',
            "101.000,612345",
            "101.000,61",
            "1.000,60",
            "12.345,60 %",
        ),
        ("", "101000.612345", "101,000.61", "1,000.60", "12,345.60 %"),
    ],
    ids=["commas", "German", "plain"],
)
def test_all_figures_of_a_page_are_of_one_locale(
    line: str, quantity: str, money: str, wallet: str, percent: str, tmp_path: Path
) -> None:
    folder = Folder.made(tmp_path / "small", f"{line}\n{SMALL}", ROWS)
    app = served(folder)
    with app.test_request_context("/small/"):
        app.preprocess_request()
        view = View(books_of(app), ledger_of(app))
        assert view.written("101000.612345") == quantity
        assert view.number("101000.612345") == quantity
        assert view.money("101000.612345") == money
        assert view.percent("123.456") == percent
        assert view.signed("123.456") == f"+{percent}"
        assert view.signed("-0.5")[1:].rstrip(" %") in ("50.00", "50,00")
        assert view.tiny("0.000000123").lstrip("0.,") == "123"
        assert len(view.written("0." + "123456789" * 5)) == 47
        assert len(view.written("1" * 40)) >= 40
    text = page(app.test_client(), "UsanceSubAccounts", "", "small")
    [units, *_] = re.findall(r'<data value="1000.60017878"[^>]*>([^<]*)<', text)
    assert units == wallet


# Lists


def gifts(count: int) -> str:
    """Return transfers of one coin from Main to another sub-account, on one day."""
    head = (
        '2025-05-01 custom "sub-account" "Two" Assets:Backpack:Two\n'
        "2025-05-01 open Assets:Backpack:Two:Wallet\n"
    )
    return head + "".join(
        f'2025-05-02 * "Gift {number}"\n  Assets:Backpack:Main:Wallet  -1 USDC\n'
        "  Assets:Backpack:Two:Wallet    1 USDC\n"
        for number in range(count)
    )


def test_a_list_that_is_cut_says_so_and_a_day_is_listed_whole(tmp_path: Path) -> None:
    fava = served(Folder.made(tmp_path / "small", SMALL + gifts(45), ROWS)).test_client()
    row = re.compile(r"<td>Main</td><td>Two</td>")
    text = page(fava, "UsanceSubAccounts", "", "small")
    assert len(row.findall(text)) == 40
    assert "the last 40 of 45" in text
    text = page(fava, "UsanceSubAccounts", "time=2025-05-02", "small")
    assert len(row.findall(text)) == 45
    assert "the last" not in text
    text = page(fava, "UsanceVerify", "", "small")
    assert ">46 transactions<" in text
    assert "#context-" not in text
    text = page(fava, "UsanceVerify", "time=2025-05-02", "small")
    assert text.count("#context-") == 46
    assert "the last" not in text


@pytest.mark.parametrize(
    ("last", "quantum", "more", "day"),
    [
        (
            "2025-05-06",
            "0.00000001",
            '2025-05-03 * "Out"\n  Assets:Backpack:Main:Wallet  -10.00274009 SOL\n  Assets:Bank\n',
            "2025-05-03",
        ),
        # 10 SOL at 5 % earn 0.00137 a day: the first hundredth on the eighth day.
        ("2025-05-10", "0.01", "", "2025-05-08"),
    ],
    ids=["gone", "less than a quantum"],
)
def test_interest_leads_to_the_last_day_that_moved_its_coin(
    last: str, quantum: str, more: str, day: str, tmp_path: Path
) -> None:
    text = SMALL.replace("2025-05-06", last) + (
        '2025-05-01 custom "lending-pool" "SOL"\n  rates: "observed"\n'
        '2025-05-01 custom "lending-rate" "SOL" 0.05 0.08\n'
        f"2025-05-01 commodity SOL\n  quantum: {quantum}\n"
        '2025-05-01 * "In"\n  Assets:Backpack:Main:Wallet  10 SOL\n  Assets:Bank\n'
    )
    folder = Folder.made(tmp_path / "small", text + more, ROWS)
    found = tables(shown(folder, "UsanceLending"))["Interest by sub-account"]
    assert LINK.findall(found) == [f"lending/{day}/Main", f"lending/{last}/Main"]


def test_yield_leads_to_the_last_day_of_its_coin(tmp_path: Path) -> None:
    text = SMALL + "".join(
        f'2025-05-01 custom "lending-pool" "{coin}"\n  rates: "observed"\n'
        f'2025-05-01 custom "lending-rate" "{coin}" 0.05 0.08\n'
        f'2025-05-01 custom "yield-product" "{coin}Y"\n  asset: "{coin}"\n'
        '  source: "observed"\n  payout: "monthly"\n'
        f'2025-05-01 custom "treasury-rate" "{coin}Y" 0.04\n'
        f"2025-05-01 commodity {coin}\n  quantum: 0.01\n"
        f'2025-05-01 * "In"\n  Assets:Backpack:Main:Wallet  99999 {coin}\n  Assets:Bank\n'
        for coin in ("AAA", "BBB")
    )
    text += '2025-05-03 * "Out"\n  Assets:Backpack:Main:Wallet  -100026.40 AAA\n  Assets:Bank\n'
    folder = Folder.made(tmp_path / "small", text, ROWS)
    found = LINK.findall(shown(folder, "UsanceSplit"))
    rows = json.loads(folder.usance("yield", "--format", "json").stdout)["rows"]
    assert [row["coin"] for row in rows] == ["AAA", "BBB"]
    assert found == [
        "lending/2025-05-03/Main",
        "treasury/2025-05-03/Main",
        "lending/2025-05-06/Main",
        "treasury/2025-05-06/Main",
    ]


def test_the_box_is_there_for_contracts_whose_coin_is(tmp_path: Path) -> None:
    """Goal: without SOL there is no slider that could move the contract over it."""
    assert "us-over" in page(served(pages_book.made(tmp_path / "a")).test_client(), "UsanceMargin")
    text = re.sub(r'2025-04-01 \* "Deposit of another coin"\n.*\n.*\n', "", pages_book.ledger())
    fava = served(Folder.made(tmp_path / "b", text)).test_client()
    shown = page(fava, "UsanceMargin")
    assert 'data-name="SOL-PERP"' in shown
    assert 'id="us-over"' not in shown


# What is wrong


def test_a_finding_alone_casts_no_doubt_on_the_figures(tmp_path: Path) -> None:
    finding = '2025-05-01 * "In"\n  Assets:Backpack:Main:Wallet  1 SOL\n  Assets:Bank  -1 SOL\n'
    folder = Folder.made(tmp_path / "small", SMALL + finding, ROWS)
    text = shown(folder, "UsanceCapital")
    assert 'us-note" role="note">This ledger has 1 message:' in text
    assert "rest on the parts that Usance could read" not in text
    folder.edit("0.0365", "101", "rates/usdc.csv")
    text = shown(folder, "UsanceCapital")
    assert 'us-note us-bad" role="note">This ledger has' in text
    assert "rest on the parts that Usance could read" in text


def test_a_ledger_whose_plugin_is_misspelt_has_its_errors_on_each_page(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "small", SMALL.replace("usance.plugins", "usance.plugin"), ROWS)
    for name in PAGES:
        text = shown(folder, name)
        assert "Usance computes no days in this ledger yet" in text
        assert "errors page" in text


def test_what_a_bankrupt_account_saves_is_not_said(tmp_path: Path) -> None:
    text = pages_book.ledger().replace("SOL 139.15 USDC", "SOL 60 USDC")
    text = text.replace("2025-05-31 price SOL-PERP 139.15", "2025-05-31 price SOL-PERP 60")
    fava = served(Folder.made(tmp_path / "books", text)).test_client()
    card = page(fava, "UsanceCapital").partition('aria-label="Capital of Main"')[2]
    [saved] = re.findall(r"<dt>Saved</dt><dd>\s*<data[^>]*>([^<]*)<", card)[:1]
    assert saved == "\N{EN DASH}"
