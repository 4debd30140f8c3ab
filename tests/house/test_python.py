"""The door to Python: the page shows what comes out, the lists agree, and an import stays light."""

import doctest
import inspect
import shutil
import subprocess
import sys
from dataclasses import is_dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

import usance

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "python.md"


def test_the_page_shows_what_python_prints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copytree(ROOT / "ledgers" / "demo", tmp_path / "demo")
    monkeypatch.chdir(tmp_path / "demo")
    text = PAGE.read_text("utf-8").replace("```", "")
    examples = doctest.DocTestParser().get_doctest(text, {}, PAGE.name, str(PAGE), 0)
    assert len(examples.examples) > 10
    said: list[str] = []
    runner = doctest.DocTestRunner()
    runner.run(examples, out=said.append)
    assert not runner.failures, "".join(said)


def test_what_is_public_is_there_once_and_on_the_page() -> None:
    homes = [name for names in usance.HOMES.values() for name in names]
    assert sorted([*homes, "__version__"]) == sorted(usance.__all__)
    for name in homes:
        public = getattr(usance, name)
        assert inspect.getdoc(public), name
        if is_dataclass(public):
            assert vars(public)["__dataclass_params__"].frozen, name
    with pytest.raises(AttributeError, match="no attribute 'Nothing'"):
        getattr(usance, "Nothing")  # noqa: B009 -- no such name, and mypy knows
    for name, method in inspect.getmembers(usance.Books, inspect.isfunction):
        if inspect.signature(method).return_annotation in homes:
            assert f"`books.{name}(" in PAGE.read_text("utf-8"), name


def test_an_import_is_light() -> None:
    """Nothing else of ours, no Beancount and no click is imported before it is needed."""
    code = (
        "import sys, usance; print([n for n in sys.modules if n.startswith(('usance.', 'b', 'c'))])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True
    ).stdout
    assert "usance." not in done and "beancount" not in done and "'click" not in done


LEDGER = """\
option "operating_currency" "USDC"
plugin "usance.plugins"
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:B:Main
2025-05-01 open Assets:Bank
2025-05-01 open Assets:B:Main:Wallet
2025-05-01 * "Deposit"
  Assets:B:Main:Wallet  1000 USDC
  Assets:Bank
2025-05-03 custom "accrue-through" 2025-05-03
"""


def books_of(folder: Path, text: str = LEDGER) -> usance.Books:
    path = folder / "main.beancount"
    path.write_text(text, "utf-8")
    return usance.load(path)


def test_figures_are_decimals_and_days_are_dates(tmp_path: Path) -> None:
    books = books_of(tmp_path)
    statement = books.statement(sub_account="Main", by="day")
    [part] = statement.parts
    assert [period.from_ for period in part.periods] == [date(2025, 5, day) for day in (1, 2, 3)]
    lines = part.periods[0].lines
    assert lines is not None
    assert (lines[0].line, lines[0].amount) == ("deposits", Decimal(1000))
    assert statement.rows_as_dicts()[1]["amount"] == Decimal(1000)
    [main, whole] = books.values("week").rows
    assert (main.date, whole.sub_account) == (date(2025, 5, 3), "")
    assert main.net_asset_value == whole.net_asset_value == Decimal(1000)
    assert books.accounts(date(2025, 4, 30)).net_asset_value == 0
    assert books.accounts(date(2025, 5, 9)).at == date(2025, 5, 9)
    assert books.status().open_days == 3
    assert books.errors == books.findings == ()


def test_a_question_is_worked_out_once(tmp_path: Path) -> None:
    books = books_of(tmp_path)
    assert books.statement() is books.statement()
    assert books.statement(basis="corrected") is not books.statement()


def test_what_cannot_be_answered_is_an_error_of_its_own(tmp_path: Path) -> None:
    books = books_of(tmp_path)
    with pytest.raises(usance.QuestionError, match=r"^The period would begin on 2025-05-04 and"):
        books.statement(date(2025, 5, 4))
    with pytest.raises(usance.QuestionError, match=r"^by hour: .*Write one of: day, week, month"):
        books.statement(by="hour")
    with pytest.raises(usance.QuestionError, match=r"^basis true: .*Write one of: posted, corr"):
        books.pnl(basis="true")
    with pytest.raises(usance.QuestionError, match=r"^no transaction has the id 'x'\. Write an id"):
        books.explain("x")
    with pytest.raises(usance.QuestionError, match=r"^sub-account X: .*Write one of: Main\.$"):
        books.pnl(sub_account="X")


def test_other_prices_are_checked(tmp_path: Path) -> None:
    books = books_of(tmp_path)
    for price, why in (
        ("USDC", r"^price USDC: figures are in USDC, so its"),
        ("X", r"^price X: no"),
    ):
        with pytest.raises(usance.QuestionError, match=why):
            books.margin(prices={price: Decimal(1)})
    with pytest.raises(usance.QuestionError, match=r"^shock X: no sub-account holds or owes it"):
        books.stress({"fall": {"X": Decimal("-0.1")}})
    [row] = books.margin().sub_accounts
    assert (row.name, row.is_bankrupt, row.positions) == ("Main", False, ())
    assert row.collateral_assets is not None
    assert row.collateral_assets[0].quantity == Decimal(1000)
    assert books.margin().rows_as_dicts("collateral_assets")[0]["quantity"] == Decimal(1000)
    assert books.margin() is books.margin()


def test_books_of_nothing_say_so(tmp_path: Path) -> None:
    books = books_of(tmp_path, 'option "operating_currency" "USDC"\nplugin "usance.plugins"\n')
    assert (books.first, books.last) == (None, None)
    with pytest.raises(usance.NoDayYetError, match="No transaction stands in these books yet"):
        books.statement()
    with pytest.raises(usance.QuestionError, match=r"^at 2025-05-01: the books have no day yet"):
        books.accounts(date(2025, 5, 1))


def test_books_without_a_currency_or_a_plugin_say_so(tmp_path: Path) -> None:
    no_currency = LEDGER.partition("\n")[2]
    with pytest.raises(usance.NoCurrencyError, match="declares no operating currency"):
        books_of(tmp_path, no_currency).status()
    no_plugin = LEDGER.replace('plugin "usance.plugins"\n', "")
    books = books_of(tmp_path, no_plugin)
    with pytest.raises(usance.QuestionError, match="plugin") as caught:
        books.accounts()
    assert str(caught.value) == str(books.errors[0])


def test_a_ledger_with_errors_answers_beside_them(tmp_path: Path) -> None:
    books = books_of(tmp_path, LEDGER + "2025-05-02 open Assets:Bank\n")
    [error] = books.errors
    assert (error.file, error.line) == (str(tmp_path / "main.beancount"), 12)
    assert str(error) == f"{error.file}:12: {error.message}"
    assert books.status().net_asset_value == 1000


def test_a_ledger_that_is_not_there_is_an_error_of_the_disk(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="No such file") as caught:
        usance.load(tmp_path / "none.beancount")
    assert caught.value.filename == str(tmp_path / "none.beancount")
    with pytest.raises(IsADirectoryError):
        usance.load(tmp_path)
