"""`usance explain`: figures worked by hand, and every step checked by a calculator of its own."""

import json
import re
import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from calculator import calculate
from click.testing import CliRunner, Result
from folders import SIX_DAYS, Folder
from forger import resealed
from golden_ledgers import LEDGERS
from written_books import OPTIONS

from usance.cli import main
from usance.engine.drafts import Identity, TransactionKind
from usance.explain import explanation as explain
from usance.ledger import load as ledger
from usance.model.amounts import decimal_text

LEDGER = f"""\
{OPTIONS}plugin "usance.plugins"
include "posted/*.beancount"

2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
  leverage-limit: 10
2025-05-01 custom "sub-account" "Arb" Assets:Backpack:Arb
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-rate" "USDC" 0.0876 0.1752
2025-05-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "daily"
2025-05-01 custom "treasury-rate" "USD" 0.0438
2025-05-01 custom "yield-bonus" "USD" "Main" 0.0876
  cap: 500 USDC
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.02
  initial-margin-factor: 0.000075
  maintenance-margin: 0.0135
  maintenance-margin-factor: 0.0000375
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 open Assets:Backpack:Main:Perp
2025-05-01 open Assets:Backpack:Arb:Wallet

2025-05-01 * "Deposit"
  Assets:Backpack:Main:Wallet   1000 USDC
  Assets:Bank                  -1000 USDC
2025-05-03 * "To Arb"
  Assets:Backpack:Main:Wallet    -60 USDC
  Assets:Backpack:Arb:Wallet      60 USDC
2025-05-04 * "Withdraw more than there is"
  time: "12:00"
  Assets:Backpack:Main:Wallet  -2000 USDC
  Assets:Bank                   2000 USDC
2025-05-05 custom "accrue-through" 2025-05-04
"""

TRADE = """\
2025-05-04 * "Open 50 at 150"
  Assets:Backpack:Main:Perp       50 SOL-PERP {150 USDC}
  Assets:Backpack:Main:Perp    -7500 USDC
2025-05-04 price SOL-PERP 148 USDC
"""


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    return Folder.made(tmp_path / "books", LEDGER)


def answer(folder: Folder, name: str, *options: str, code: int = 0) -> dict[str, Any]:
    """Return an explanation, of which every step was calculated again."""
    done = folder.usance("explain", name, "--format", "json", *options)
    assert done.exit_code == code, done.output
    found: dict[str, Any] = json.loads(done.stdout)
    for step in found["steps"]:
        verify(step["formula"], step["values"], step["result"])
    return found


def verify(formula: str, values: Mapping[str, str], result: str) -> None:
    """Check a step to the last digit."""
    assert decimal_text(calculate(formula, values)) == result, formula


def results(found: dict[str, Any]) -> list[tuple[str, str]]:
    """Return what each step finds, by the name on the left of its formula."""
    return [(step["formula"].partition(" = ")[0], step["result"]) for step in found["steps"]]


# Worked by hand


def test_lending(folder: Folder) -> None:
    found = answer(folder, "lending/2025-05-01/Main")
    # (1 + 0.00001)**24 - 1 = 24e-5 + 276e-10 + 2024e-15 + 10626e-20 + …
    assert results(found) == [
        ("principal", "1000"),
        ("growth", "0.000240027602024106"),
        ("credit", "0.240027"),
        ("carry after", "0.000000602024106"),
        ("balance", "1000.240027"),
        ("lent", "1000.240027"),
        ("change", "1000.240027"),
    ]
    growth = found["steps"][1]
    assert growth["formula"] == "growth = round((1 + rate/8760)^hours - 1, 18)"
    assert growth["values"] == {"rate": "0.0876", "hours": "24"}


def test_what_lending_rests_on(folder: Folder) -> None:
    found = answer(folder, "lending/2025-05-01/Main")
    used = {place["text"].split("\n")[0]: place["line"] for place in found["directives"]}
    assert used == {
        text: folder.line(text)
        for text in (
            '2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main',
            "2025-05-01 commodity USDC",
            '2025-05-01 custom "lending-pool" "USDC"',
            '2025-05-01 * "Deposit"',
            '2025-05-01 custom "lending-rate" "USDC" 0.0876 0.1752',
        )
    }
    assert found["directives"][1]["text"] == "2025-05-01 commodity USDC\n  quantum: 0.000001"
    assert found["openings"] == []


def test_a_principal_can_be_walked_back(folder: Folder) -> None:
    found = answer(folder, "lending/2025-05-02/Main")
    assert found["steps"][0]["values"]["balance at 00:00"] == "1000.240027"
    [opening] = found["openings"]
    assert (opening["account"], opening["commodity"]) == ("Assets:Backpack:Main:Wallet", "USDC")
    assert opening["id"] == "lending/2025-05-01/Main"


def test_a_principal_that_moves_within_a_day(tmp_path: Path) -> None:
    more = "".join(
        f'2025-05-01 * "More"\n  time: "{time}"\n'
        f"  Assets:Backpack:Main:Wallet  {coins} USDC\n  Assets:Bank  -{coins} USDC\n"
        for time, coins in (("06:00", 500), ("12:00", 250))
    )
    found = answer(Folder.made(tmp_path / "books", LEDGER + more), "lending/2025-05-01/Main")
    parts = [step["values"] for step in found["steps"] if step["formula"].startswith("principal")]
    # Six hours at 0.00001: 1000 earn 0.0600015…, and 1500.060001 earn 0.0900058…, to which the
    # carry of 0.0000005… is added.
    assert [{**part, "quantum": ""} for part in parts] == [
        {"balance at 00:00": "0", "moved": "1000", "quantum": ""},
        {"balance at 00:00": "1000", "moved": "500", "credit": "0.060001", "quantum": ""},
        {"balance at 06:00": "1500.060001", "moved": "250", "credit": "0.090006", "quantum": ""},
    ]


def test_the_directive_in_force_is_cited(tmp_path: Path) -> None:
    again = (
        '2025-05-03 custom "sub-account" "Main" Assets:Backpack:Main\n'
        "  auto-lend: TRUE\n  auto-borrow: TRUE\n"
    )
    folder = Folder.made(tmp_path / "books", LEDGER + again)
    for day, since in ((1, 1), (2, 1), (3, 3), (4, 3)):
        found = answer(folder, f"lending/2025-05-0{day}/Main")
        texts = [used["text"] for used in found["directives"] if '"sub-account"' in used["text"]]
        assert [text[:10] for text in texts] == [f"2025-05-0{since}"], day


def test_of_several_prices_of_a_day_the_last_is_cited(tmp_path: Path) -> None:
    later = "2025-05-04 price SOL-PERP 149 USDC\n"
    folder = Folder.made(tmp_path / "books", f"{LEDGER}{TRADE}{later}")
    found = answer(folder, "settlement/2025-05-04/Main")
    cited = {used["line"] for used in found["directives"] if " price " in used["text"]}
    assert cited == {folder.line(later.strip())}


def test_borrowing(folder: Folder) -> None:
    found = answer(folder, "borrowing/2025-05-04/Main")
    # 12 hours at 0.00002: 24e-5 + 66 * 4e-10 + 220 * 8e-15 + 495 * 16e-20 + …
    figures = dict(results(found))
    assert figures["growth"] == "0.000240026401760079"
    owed = found["steps"][1]["values"]["borrowed"]
    assert figures["borrow"] == figures["principal"] == owed
    short = found["steps"][0]["values"]["balance"]
    assert short == f"-{figures['borrow']}"


def test_treasury_and_bonus(folder: Folder) -> None:
    found = answer(folder, "treasury/2025-05-01/Main")
    # 24 hours of 1000 at 0.000005, and of 500 at 0.00001
    assert results(found)[:8] == [
        ("principal hours", "24000"),
        ("growth", "0.000005"),
        ("credit", "0.12"),
        ("carry after", "0"),
        ("principal hours", "12000"),
        ("growth", "0.00001"),
        ("credit", "0.12"),
        ("carry after", "0"),
    ]


def test_payout(folder: Folder) -> None:
    found = answer(folder, "payout/2025-05-02/Main")
    assert results(found) == [("treasury", "0.12"), ("bonus", "0.12"), ("payout", "0.24")]
    assert found["steps"][0]["values"] == {"credit 2025-05-01": "0.12"}
    assert found["openings"][0]["id"] == "treasury/2025-05-01/Main"


def test_transfer(folder: Folder) -> None:
    found = answer(folder, "transfer/2025-05-03/Arb")
    [step] = found["steps"]
    assert (step["result"], step["unit"]) == ("-60", "USDC")
    assert [place["line"] for place in found["directives"]] == [folder.line('"To Arb"')]


def test_a_transfer_among_others_of_its_day(tmp_path: Path) -> None:
    more = LEDGER.replace("60 USDC", "70 USDC").split('2025-05-03 * "To Arb"')[1]
    more = more.split("2025-05-04")[0]
    folder = Folder.made(tmp_path / "books", f'{LEDGER}2025-05-03 * "Again"{more}')
    names = ("transfer/2025-05-03/Arb", "transfer/2025-05-03/Arb/2")
    found = [answer(folder, name) for name in names]
    assert sorted(made["steps"][0]["result"] for made in found) == ["-60", "-70"]


def test_settlement_and_margin(tmp_path: Path) -> None:
    """Method: the example of docs/formulas.md, section 4, without interest."""
    before, _, rest = LEDGER.partition('2025-05-01 custom "yield-product"')
    terms, _, after = rest.partition('2025-05-01 custom "perpetual"')
    assert "cap:" in terms
    deposit = after.partition('2025-05-03 * "To Arb"')[0]
    text = f'{before}2025-05-01 custom "perpetual"{deposit}{TRADE}'.replace("0.0876 0.1752", "0 0")
    text += '2025-05-05 custom "accrue-through" 2025-05-04\n'
    folder = Folder.made(tmp_path / "books", text)
    due = answer(folder, "settlement/2025-05-04/Main")
    assert results(due) == [("balance", "-7500"), ("due", "-100")]
    figures = dict(results(answer(folder, "margin/2025-05-04/Main")))
    assert figures["collateral"] == figures["net equity"] == "900"
    assert (figures["IMF"], figures["initial margin"]) == ("0.1", "740")
    assert (figures["MMF"], figures["maintenance margin"]) == ("0.0135", "99.9")
    assert (figures["held"], figures["change"]) == ("740", "740")


# Every kind, over every example


@pytest.mark.parametrize("name", LEDGERS)
def test_each_transaction_of_an_example_explains(name: str, tmp_path: Path) -> None:
    """Method: all of them while they are virtual, then again when they are posted."""
    shutil.copytree(LEDGERS[name].parent, tmp_path / "books")
    path = tmp_path / "books" / LEDGERS[name].name
    _check(str(path))
    if "posted/" not in path.read_text():
        path.write_text(f'{path.read_text()}\ninclude "posted/*.beancount"\n')
        (path.parent / "posted").mkdir(exist_ok=True)
        (path.parent / "posted" / "first.beancount").write_text("; Closed days.\n")
    _close(path)
    _check(str(path))


def _close(path: Path) -> None:
    done = CliRunner().invoke(main, ["accrue", str(path), "--stale-ok"])
    assert done.exit_code == 0, done.output


def _check(path: str) -> None:
    book = ledger.load(path)
    for identity, entry in explain.ids(book).items():
        assert str(Identity.parse(identity)) == identity
        found = explain.explain(book, entry, detailed=True)
        assert not found.differs, identity
        assert found.steps, identity
        assert found.directives, identity
        assert all(used.text for used in found.directives), identity
        for step in found.steps:
            values = {name: decimal_text(number) for name, number in step.values.items()}
            verify(step.formula, values, decimal_text(step.result))


def test_each_kind_has_a_narration() -> None:
    assert all(kind.narration for kind in TransactionKind)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "lending",
        "lending/2025-05-01",
        "lent/2025-05-01/Main",
        "lending/2025-05-32/Main",
        "liquidation/2025-05-01/Main/two",
        "liquidation/2025-05-01/Main/2/3",
    ],
)
def test_what_is_no_id(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011
        Identity.parse(text)


# What is posted and what comes out


def test_a_forged_figure_is_told_and_both_are_shown(folder: Folder) -> None:
    """Method: a day's interest and its proof are altered, and the chain is made anew."""
    folder.accrue()
    resealed(folder, "0.240027 USDC", "0.340027 USDC")
    assert folder.usance("verify").exit_code == 0
    done = folder.usance("explain", "lending/2025-05-01/Main")
    assert done.exit_code == 1
    assert "0.240027 USDC" in done.stdout
    assert "the posted transaction differs from the computed one" in done.stderr
    posted, _, again = done.stderr.partition("Computed again:")
    assert "Assets:Backpack:Main:Wallet            0.340027 USDC" in posted
    assert "Assets:Backpack:Main:Wallet            0.240027 USDC" in again


def test_a_forged_proof_is_told(folder: Folder) -> None:
    folder.accrue()
    resealed(folder, 'growth: "0.000240027602024106"', 'growth: "0.000240027602024107"')
    found = answer(folder, "lending/2025-05-01/Main", code=1)
    assert found["differs"]


def test_a_rate_that_was_changed_since(folder: Folder) -> None:
    folder.accrue()
    folder.edit('"USDC" 0.0876 0.1752', '"USDC" 0.0877 0.1752')
    found = answer(folder, "lending/2025-05-01/Main", code=1)
    assert found["differs"]
    assert found["steps"][1]["values"]["rate"] == "0.0877"


def test_a_transaction_that_is_not_made_any_more(folder: Folder) -> None:
    folder.accrue()
    folder.edit("  auto-lend: TRUE\n", "")
    found = answer(folder, "lending/2025-05-01/Main", code=1)
    assert (found["recomputed"], found["steps"]) == (None, [])


def test_a_posted_transaction_is_found_where_it_is_posted(folder: Folder) -> None:
    virtual = answer(folder, "lending/2025-05-01/Main")
    assert (virtual["file"], virtual["line"]) == ("main.beancount", folder.line("plugin"))
    folder.accrue()
    posted = answer(folder, "lending/2025-05-01/Main")
    file = "posted/2025-05.beancount"
    line = folder.line('usance: "lending/2025-05-01/Main"', file) - 1
    assert (posted["file"], posted["line"]) == (file, line)
    assert posted["steps"] == virtual["steps"]


def test_a_correction(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books", SIX_DAYS)
    folder.accrue("--through", "2025-05-03")
    folder.edit(
        "1000 USDC\n  Assets:Bank                  -1000", "1100 USDC\n  Assets:Bank  -1100"
    )
    folder.accrue("--correct")
    found = answer(folder, "correction/2025-05-04/Main")
    # Interest of three days on 100 more: 0.024 a day, compounded, as the carries have it.
    [wallet] = [step for step in found["steps"] if "Wallet" in step["what"]]
    assert wallet["formula"] == "difference = now - posted"
    assert wallet["values"]["now"].startswith("0.79")
    assert any("Deposit" in used["text"] for used in found["directives"])
    changed = answer(folder, "lending/2025-05-01/Main", code=1)
    assert changed["corrections"] == ["correction/2025-05-04/Main"]
    for name in ("lending/2025-05-04/Main", "lending/2025-05-06/Main"):
        answer(folder, name)


# The command


def test_the_keys_of_json(folder: Folder) -> None:
    found = answer(folder, "lending/2025-05-01/Main")
    keys = ("id", "file", "line", "kind", "steps", "directives")
    assert list(found)[: len(keys)] == list(keys)
    assert (found["id"], found["kind"]) == ("lending/2025-05-01/Main", "lending")
    assert all(set(step) >= {"what", "formula", "values", "result"} for step in found["steps"])
    assert all(set(used) == {"file", "line", "text"} for used in found["directives"])
    assert "hours" not in found


def test_each_hour(folder: Folder) -> None:
    found = answer(folder, "lending/2025-05-01/Main", "--hours")
    assert [hour["hour"] for hour in found["hours"]] == list(range(24))
    assert {(hour["principal"], hour["rate"]) for hour in found["hours"]} == {("1000", "0.0876")}
    # two hours at 0.00001 each
    assert (found["hours"][1]["growth"], found["hours"][1]["earned"]) == (
        "0.0000200001",
        "0.0200001",
    )
    shown = folder.usance("explain", "lending/2025-05-01/Main", "--hours").stdout
    assert re.search(r"USDC: lent +01:00 +1000 +0.0876 +0.0000200001 +0.0200001\n", shown)


def test_hours_of_a_yield_product_do_not_compound(folder: Folder) -> None:
    found = answer(folder, "treasury/2025-05-01/Main", "--hours")
    assert {hour["earned"] for hour in found["hours"]} == {"0.005"}
    assert len(found["hours"]) == 48  # treasury and bonus


def test_the_table_is_for_a_person_with_a_calculator(folder: Folder) -> None:
    shown = folder.usance("explain", "lending/2025-05-01/Main").stdout
    assert (
        """\
3. USDC: 00:00 to 24:00: credit, rounded down
   credit = floor((principal x growth + carry) / quantum) x quantum
          = floor((1000 x 0.000240027602024106 + 0) / 0.000001) x 0.000001
          = 0.240027 USDC
"""
        in shown
    )
    line = folder.line("lending-rate")
    assert f'  main.beancount:{line}  2025-05-01 custom "lending-rate" "USDC" 0.0876' in shown


def test_no_line_breaks_within_a_name() -> None:
    words = ["explain", str(LEDGERS["january"]), "borrowing/2024-01-10/Desk"]
    shown = CliRunner().invoke(main, words).stdout
    assert "rate 14/8760" in shown
    assert not re.search(r"(?:rate|hours)\n +\d", shown)
    assert "\N{NO-BREAK SPACE}" not in shown


def test_rows_as_csv(folder: Folder) -> None:
    rows = folder.usance("explain", "payout/2025-05-02/Main", "--format", "csv").stdout
    head, first, *_ = rows.splitlines()
    assert head == "step,what,formula,values,result,unit"
    assert first.endswith(",treasury = credit 2025-05-01,credit 2025-05-01 = 0.12,0.12,USDC")


def test_an_unknown_id_is_wrong_usage(folder: Folder) -> None:
    done = folder.usance("explain", "lending/2025-05-01/Mian")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "no transaction has the id 'lending/2025-05-01/Mian'" in done.stderr
    assert "lending/2025-05-01/Main" in done.stderr
    strange = folder.usance("explain", "?")
    assert strange.exit_code == 2
    assert "Write an id such as lending/2025-05-01/Main." in strange.stderr


def test_the_ledger_may_come_from_the_environment(folder: Folder) -> None:
    def run(*words: str, **environment: str) -> Result:
        return CliRunner(env=environment).invoke(main, ["explain", *words], prog_name="usance")

    name = "lending/2025-05-01/Main"
    named = run(str(folder.ledger), name)
    assert named.exit_code == 0
    for words in ([name], ["--format", "table", name], [str(folder.ledger), name]):
        assert run(*words, USANCE_FILE=str(folder.ledger)).stdout == named.stdout
    assert run(name, USANCE_FILE="", BEANCOUNT_FILE="").exit_code == 2
    assert run(USANCE_FILE=str(folder.ledger)).exit_code == 2


def test_a_ledger_with_errors_explains_what_it_can(folder: Folder) -> None:
    folder.edit("-1000 USDC\n", "-1000 USDC\n  Assets:Unknown  0 USDC\n")
    done = folder.usance("explain", "lending/2025-05-01/Main")
    assert done.exit_code == 1
    assert "= 0.240027 USDC" in done.stdout
    assert "Assets:Unknown" in done.stderr
