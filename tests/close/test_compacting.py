"""Compacting: closed months become their sums, everything about their days stays, and undo."""

import datetime
import hashlib
import json
import re
import shutil
from collections.abc import Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from beancount.core import data
from folders import LEDGER, Folder, rates

from usance.close import daily_text, month_seals, restore, seals
from usance.close.month_proof import fault
from usance.ledger.load import load

ROOT = Path(__file__).parents[2]
KEEP = ("--keep", "1")
JANUARY = "posted/2025-01.beancount"


@pytest.fixture
def folder(tmp_path: Path) -> Folder:
    """Three months, 2024-12-30 to 2025-02-02, all closed."""
    made = Folder.made(tmp_path / "books")
    made.accrue()
    return made


def compacted(folder: Folder, *words: str) -> Folder:
    """Compact all months but the last, which must succeed."""
    done = folder.usance("compact", *(words or KEEP))
    assert done.exit_code == 0, done.output
    return folder


def test_a_month_is_one_transaction_for_each_kind_and_sub_account(folder: Folder) -> None:
    """December lent 1,000 USDC on two days at 0.0365, a growth of 0.000100004791813082 a day."""
    growth, principal = Fraction("0.000100004791813082"), Fraction(1000)
    carry = credited = Fraction(0)
    for _ in range(2):
        raw = principal * growth + carry
        credit = Fraction(int(raw * 10**6), 10**6)
        principal, carry, credited = principal + credit, raw - credit, credited + credit
    assert (credited, carry) == (Fraction("0.200019"), Fraction("0.000000584505364475452328"))
    done = folder.usance("compact", *KEEP)
    assert done.stdout == (
        "Compacted 2 months, 2024-12 to 2025-01: 56 transactions of days become 4 transactions. "
        "The days are in posted/daily.\n"
    )
    text = (folder.path / "posted/2024-12.beancount").read_text()
    body, seal = text.split("\n2024-12-31 custom ")
    assert body.partition("2024-12-31 *")[2].splitlines() == [
        ' "Lending, 2024-12" #lending #usance ^usance-2024-12',
        '  usance: "lending/2024-12/Main"',
        "  Assets:Backpack:Main:Wallet            0.200019 USDC",
        '    carry-after: "0.000000584505364475452328"',
        "  Income:Backpack:Main:Interest         -0.200019 USDC",
        "  Equity:Backpack:Main:Uses:Lent      1000.200019 USDC",
        "  Equity:Backpack:Main:Uses:Capital  -1000.200019 USDC",
    ]
    assert re.sub('"[0-9a-f]{64}"', "D", seal).splitlines() == [
        '"month-close" D',
        '  since: "2024-12-30"',
        "  head: D",
        "  daily: D",
        "  inputs: D",
        '  rules: "1"',
        '  stages: "auto_lending sub_accounts"',
    ]


def test_the_digests_are_those_that_the_page_of_formulas_names(folder: Folder) -> None:
    """The fields of docs/formulas.md, section 7, hashed here without the code under test."""
    days = (folder.path / JANUARY).read_bytes()
    compacted(folder)
    text = (folder.path / JANUARY).read_bytes()
    sums, _, seal = text.rpartition(b"2025-01-31 custom")
    said = dict(re.findall(r'  ([a-z]+): "(.*)"', seal.decode()))
    lines = (folder.path / "posted/2025-01.inputs").read_bytes().splitlines(keepends=True)
    assert said["daily"] == hashlib.sha256(days).hexdigest()
    assert said["inputs"] == hashlib.sha256(b"".join(sorted(lines))).hexdigest()
    assert f'2025-01-31 custom "day-close" "{said["head"]}"'.encode() in days
    keys = ("since", "head", "daily", "inputs", "rules", "stages")
    fields = ["usance-month-close-1", "2025-01-31", *(said[key] for key in keys), ""]
    hashed = hashlib.sha256()
    for field in [*(field.encode() for field in fields), sums]:
        hashed.update(len(field).to_bytes(8, "big") + field)
    assert f'"month-close" "{hashed.hexdigest()}"' in seal.decode()


def test_undone_it_is_the_same_bytes_and_a_dry_run_is_none(folder: Folder) -> None:
    before = folder.files()
    done = folder.usance("compact", *KEEP, "--dry-run")
    assert done.stdout.startswith("Would compact 2 months, 2024-12 to 2025-01: ")
    assert folder.files() == before
    days = {name: text for name, text in before.items() if name.endswith("beancount")}
    held = compacted(folder).files()
    for month in ("2024-12", "2025-01"):
        assert held[f"posted/daily/{month}.beancount"] == days[f"posted/{month}.beancount"]
    assert "Brought back the days of 2 months" in folder.usance("compact", "--undo").stdout
    assert folder.files() == before
    assert not (folder.path / "posted/daily").exists()
    assert folder.usance("compact", "--undo").stdout == "No month is compacted.\n"


def test_more_months_join_those_that_are_compacted(folder: Folder) -> None:
    at_once = Folder(shutil.copytree(folder.path, folder.path.with_name("at once")))
    compacted(at_once)
    compacted(folder, "--keep", "2")
    assert "daily/2025-01.beancount" not in " ".join(folder.files())
    answer = json.loads(folder.usance("compact", *KEEP, "--format", "json").stdout)
    assert answer == {
        "compacted": ["2025-01"],
        "compacted_before": ["2024-12"],
        "transactions": {"days": 54, "sums": 3},
        "daily": [],
        "restored": [],
    }
    assert folder.files() == at_once.files()
    assert folder.usance("compact", *KEEP).stdout == "Nothing to compact before the last month.\n"
    assert folder.usance("compact").stdout == "Nothing to compact before the last 12 months.\n"
    assert folder.usance("compact", "--undo", *KEEP).exit_code == 2


REPORTS = (
    ("statement", "--by", "day", "--exact"),
    ("statement", "--month", "2025-01", "--exact"),
    ("pnl", "--trades", "--exact"),
    ("lending", "--by", "day", "--pools"),
    ("yield", "--by", "month"),
    ("accounts", "--at", "2025-01-10"),
    ("accounts", "--every", "day"),
    ("margin", "--at", "2025-01-10"),
    ("efficiency", "--at", "2025-01-10"),
    ("status",),
    ("status", "--at", "2025-01-10"),
    ("verify", "--head"),
)


def said(folder: Folder, *words: str) -> str:
    """Return what a command prints, with paths below the folder."""
    output = folder.usance(*words).output.replace("posted/daily/", "posted/")
    return re.sub(rf"\S*/{re.escape(folder.path.name)}/", "", output)


def answers(folder: Folder) -> Iterator[str]:
    """Yield what each report prints, for people and for programs."""
    head = folder.usance("verify").stdout.split()[-1]
    for report, *words in REPORTS:
        for form in ((), ("--format", "json")):
            asked = [*words, head] if report == "verify" else words
            yield re.sub("Compacted: .*\n", "", said(folder, report, *asked, *form))


@pytest.mark.parametrize(
    ("example", "through"), [("demo", "2025-02-20"), ("january", "2024-03-10")]
)
def test_reports_and_explanations_of_an_example_stay(
    example: str, through: str, tmp_path: Path
) -> None:
    folder = Folder(shutil.copytree(ROOT / "ledgers" / example, tmp_path / example))
    assert folder.ledger.exists()
    folder.accrue("--through", through, "--stale-ok")
    plain = Folder(shutil.copytree(folder.path, tmp_path / "plain"))
    compacted(folder)
    assert (folder.path / "posted/daily").is_dir()
    for one, two in zip(answers(plain), answers(folder), strict=True):
        assert re.sub(r'"compacted": \[[^]]*\]', '"compacted": []', two) == one
    ids = [f"{entry.meta['usance']}" for entry in load(str(plain.ledger)).read().posted]
    for identity in ids[:: len(ids) // 9]:
        assert said(folder, "explain", identity) == said(plain, "explain", identity)
    for of in (plain, folder):
        of.accrue("--through", "2025-03-05" if example == "demo" else "2024-04-05", "--stale-ok")
    same = [name for name in plain.posted() if name not in compacted_names(folder)]
    assert all(plain.posted()[name] == folder.posted()[name] for name in same)


def compacted_names(folder: Folder) -> set[str]:
    """Return the names of the months that are their sums."""
    return {name.replace("daily/", "") for name in folder.posted() if "/daily/" in name}


def test_the_state_is_that_of_the_days(folder: Folder) -> None:
    days, _ = restore.state(load(str(folder.ledger)).read())
    compacted(folder)
    ledger = load(str(folder.ledger))
    assert restore.state(ledger.read())[0] == days
    whole = daily_text.by_day(ledger)
    assert restore.state(whole.read())[0] == days
    assert whole.read().months == []
    assert len(whole.read().seals) == len(ledger.read().seals) == 35


def test_an_edit_of_a_compacted_day_is_named_and_corrected_as_ever(folder: Folder) -> None:
    plain = Folder(shutil.copytree(folder.path, folder.path.with_name("plain")))
    compacted(folder)
    for of in (plain, folder):
        of.edit("2025-01-10 *", "2025-01-12 *")
    one, two = (of.usance("check").stdout for of in (plain, folder))
    assert one == two
    assert "2025-01-10 is closed, but this has since been removed or changed" in two
    for of in (plain, folder):
        of.accrue("--correct", "--through", "2025-02-03", "--stale-ok")
        of.edit("2025-01-12 *", "2025-01-14 *")
        of.accrue("--correct", "--through", "2025-02-04", "--stale-ok")
        assert of.usance("check").exit_code == 0
        assert of.usance("verify").exit_code == 0
    february = "posted/2025-02.beancount"
    assert folder.files()[february] == plain.files()[february]
    identity = "correction/2025-02-04/Arb"
    assert said(folder, "explain", identity) == said(plain, "explain", identity)


def test_a_month_with_a_correction_is_compacted_too(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books", LEDGER, rates(last=datetime.date(2025, 3, 5)))
    folder.accrue()
    folder.edit("2025-01-10 *", "2025-01-12 *")
    folder.accrue("--correct", "--through", "2025-03-05")
    before = said(folder, "explain", "correction/2025-02-03/Arb")
    compacted(folder)
    assert folder.usance("check").exit_code == 0
    assert folder.usance("verify").stdout.startswith("Sound: 66 days")
    assert said(folder, "explain", "correction/2025-02-03/Arb") == before
    assert 'usance: "correction/2025-02/Arb"' in folder.files()["posted/2025-02.beancount"].decode()


def test_days_of_a_compacted_month_are_reopened_only_when_they_are_back(folder: Folder) -> None:
    compacted(folder)
    held = folder.files()
    done = folder.usance("reopen", "--from", "2025-01-31")
    assert (done.exit_code, folder.files()) == (1, held)
    assert "2025-01 is compacted" in done.stderr
    assert folder.usance("reopen", "--from", "2025-02-01").exit_code == 0
    assert folder.usance("check").exit_code == 0
    assert "Sound: 33 days" in folder.usance("verify").stdout
    folder.accrue()
    assert folder.files()["posted/2025-02.beancount"] == held["posted/2025-02.beancount"]


# What finds an edit


def broken(folder: Folder) -> str:
    """Return what verify says of a folder that does not hold."""
    done = folder.usance("verify")
    assert done.exit_code == 1, done.output
    return done.stdout.splitlines()[0]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("-96.900409 USDC", "-96.900408 USDC"),
        ('"Lending, 2025-01" #lending #usance ^usance-2025-01\n  usance: "lending/2025-01/Arb"',)
        * 2,
        ("0.00000069282512904489423", "0.00000069282512904489424"),
        ("2025-01-31 open Equity:Backpack:Arb:Transfers:Main\n", ""),
        ('since: "2025-01-01"', 'since: "2025-01-02"'),
    ],
    ids=["amount", "words", "carry", "open", "close"],
)
def test_an_edit_of_the_sums_is_found(folder: Folder, old: str, new: str) -> None:
    compacted(folder)
    if old == new:
        new = old.replace("Lending,", "Lending of")
    folder.edit(old, new, JANUARY)
    assert broken(folder).startswith(f"{JANUARY}:")
    assert folder.usance("check").exit_code == 1
    assert folder.usance("accrue", "--through", "2025-02-03", "--stale-ok").exit_code == 1
    assert folder.usance("compact", "--undo").exit_code == 0
    assert folder.usance("verify").exit_code == 0


def test_an_edit_of_the_days_is_found_and_they_are_not_brought_back(folder: Folder) -> None:
    compacted(folder)
    days = f"posted/daily/{Path(JANUARY).name}"
    folder.edit("2025-01-10 open Income", "2025-01-10  open Income", days)
    assert broken(folder).startswith(f"{days}:")
    assert "posted text does not match the seal" in broken(folder)
    for words in (("compact", "--undo"), ("statement", "--month", "2025-01"), ("check",)):
        done = folder.usance(*words)
        assert done.exit_code != 0, words
        assert "The chain of closed days is broken" in done.output
    (folder.path / days).unlink()
    assert "the file of its days, is missing" in broken(folder)
    assert "the file of its days, is missing" in folder.usance("check").stdout


FORGED = {
    "amount": ("-96.900409 USDC", "-96.900408 USDC"),
    "carry": ("0.00000069282512904489423", "0.00000069282512904489424"),
    "kind": ("lending/2025-01/Arb", "settlement/2025-01/Arb"),
    "name": ("lending/2025-01/Arb", "lending/2025-01/Main"),
    "open": ("2025-01-31 open Equity:Backpack:Arb:Transfers:Main\n\n", ""),
    "other day": ('2025-01-31 * "Transfer, ', '2025-01-30 * "Transfer, '),
    "price": ("  Income:Backpack:Arb:Interest        -0.005835 USDC",) * 2,
    "balance": ("2025-01-31 open", "2025-01-31 balance Assets:Bank 0 USDC\n2025-01-31 open"),
    "lines": ("2025-01-31 open", '2025-01-31 note Assets:Bank "x"\n2025-01-31 open'),
    "key": ("    carry-after", '    filename: "x"\n    carry-after'),
    "transaction": ('2025-01-31 * "Transfer', "T"),
}


@pytest.mark.parametrize("what", FORGED)
def test_sums_that_somebody_sealed_again_are_found(folder: Folder, what: str) -> None:
    """Whoever edits the sums may write a close that holds: it is proved from the days."""
    days = (folder.path / JANUARY).read_bytes()
    compacted(folder)
    path = folder.path / JANUARY
    found = month_seals.read(path.read_bytes())
    assert found is not None
    text = found[1].decode()
    old, new = FORGED[what]
    if what == "price":
        new = f"{old} @ 1 EUR"
    elif what == "transaction":
        begin = text.index(old)
        old, new = text[begin : text.index("2025-01-31 *", begin + 1)], ""
    assert old in text
    sums = text.replace(old, new, 1).encode()
    lines = (folder.path / "posted/2025-01.inputs").read_bytes().splitlines(keepends=True)
    seal = month_seals.close([*seals.closes(days)], days, lines, sums)
    assert fault(days, path.read_bytes()) is None
    path.write_bytes(sums + seal.text().encode())
    assert broken(folder).startswith(f"{JANUARY}:")


# What keeps a month as its days

ASSERTED = "2025-01-{:02} balance Assets:Backpack:Main:Wallet {} USDC\n"


def balance(folder: Folder, account: str, until: str) -> Decimal:
    """Return the balance of an account in USDC before a day."""
    return sum(
        (
            leg.units.number
            for entry in load(str(folder.ledger)).entries
            if isinstance(entry, data.Transaction) and entry.date.isoformat() < until
            for leg in entry.postings
            if leg.account == account and leg.units and leg.units.number
        ),
        Decimal(0),
    )


@pytest.mark.parametrize(
    ("directive", "why"),
    [
        ("2025-01-15 balance {wallet} {held} USDC", "a balance of {wallet} is asserted on"),
        ("2025-01-31 balance {wallet} {held} USDC", "a balance of {wallet} is asserted on"),
        ("2025-01-01 balance {wallet} {held} USDC", ""),
        ("2025-02-01 balance {wallet} {held} USDC", ""),
        ("2025-01-15 balance Assets:Bank {bank} USDC", ""),
        ("2025-01-15 balance {wallet} 0 EUR", ""),
        (
            (
                "2025-01-15 pad Assets:Bank Equity:Opening\n2024-12-01 open Equity:Opening\n"
                "2025-02-01 balance Assets:Bank 5 USDC"
            ),
            "",
        ),
    ],
)
def test_what_depends_on_a_day_keeps_its_month(folder: Folder, directive: str, why: str) -> None:
    wallet, day = "Assets:Backpack:Main:Wallet", directive[:10]
    directive = directive.format(
        wallet=wallet, held=balance(folder, wallet, day), bank=balance(folder, "Assets:Bank", day)
    )
    with folder.ledger.open("a") as ledger:
        ledger.write(f"{directive}\n")
    assert folder.usance("check").exit_code == 0
    done = folder.usance("compact", *KEEP)
    assert done.exit_code == 0
    assert bool(done.stderr) == bool(why)
    if why:
        line = folder.line(directive)
        said = f"2025-01 stays as its days, since {why.format(wallet=wallet)} {day}."
        assert done.stderr.startswith(f"main.beancount:{line}: {said}")
        assert done.stdout.startswith("Compacted 1 month, 2024-12: ")
    assert folder.usance("check").exit_code == 0
    assert folder.usance("verify").exit_code == 0


def test_days_that_another_stage_closed_keep_their_month(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books")
    folder.accrue("--through", "2025-01-15")
    folder.edit('plugin "usance.plugins.sub_accounts"', 'plugin "usance.plugins"')
    folder.accrue()
    done = folder.usance("compact", *KEEP)
    assert "2025-01 stays as its days, since its days were closed with different" in done.stderr
    assert "Compacted 1 month, 2024-12" in done.stdout


def test_a_ledger_that_would_find_the_days_twice_is_refused(folder: Folder) -> None:
    for pattern in ("posted/**/*.beancount", "posted/*/*.beancount"):
        folder.ledger.write_text(f'{LEDGER}include "{pattern}"\n')
        done = folder.usance("compact", *KEEP)
        assert done.exit_code == 1
        assert "those of reopened and of compacted months" in done.stderr


def test_an_account_that_is_closed_within_its_month_keeps_it(tmp_path: Path) -> None:
    """Arb has 0.001 USDC for two days, which earn no quantum: then nothing is posted to it."""
    before, _, rest = LEDGER.partition('2025-01-31 * "Allocate')
    text = before + "2025-02-01 * " + rest.partition("2025-02-01 * ")[2]
    one, _, rest = text.partition('2025-02-01 * "Deposit of')
    text = one + rest[rest.index("2025-02-02 price") :]
    wallet = "Assets:Backpack:Arb:Wallet"
    text += f'2025-01-12 * "Withdraw"\n  {wallet} -0.001 USDC\n  Assets:Bank 0.001 USDC\n'
    folder = Folder.made(tmp_path / "books", f"{text}2025-01-20 close {wallet}\n")
    folder.accrue()
    done = folder.usance("compact", *KEEP)
    assert f"2025-01 stays as its days, since {wallet} is closed on 2025-01-20." in done.stderr
    assert "Compacted 1 month, 2024-12" in done.stdout
    assert folder.usance("check").exit_code == 0


def test_a_trade_that_would_meet_a_debt_keeps_its_month(tmp_path: Path) -> None:
    """Main gives away a SOL that it has not: 1 is borrowed the same day, and the wallet has 0.

    If the borrow stood on the last day, a purchase of the 20th would be booked into -1.
    """
    folder = Folder.made(tmp_path / "books")
    with folder.ledger.open("a") as ledger:
        ledger.write(
            '2025-01-05 * "Withdraw"\n  Assets:Backpack:Main:Wallet -1 SOL\n'
            "  Assets:Bank 1 SOL\n2025-01-01 price SOL 150 USDC\n"
        )
    folder.accrue("--through", "2025-01-19")
    with folder.ledger.open("a") as ledger:
        ledger.write(
            '2025-01-20 * "Buy"\n  Assets:Backpack:Main:Wallet 2 SOL {150 USDC}\n'
            "  Assets:Bank -300 USDC\n"
        )
    folder.accrue()
    done = folder.usance("compact", *KEEP)
    why = "a trade of 2025-01-20 would be booked against other lots"
    line = folder.line('* "Buy"')
    assert done.stderr.startswith(f"main.beancount:{line}: 2025-01 stays as its days, since {why}.")
    assert "Compacted 1 month, 2024-12" in done.stdout
    assert folder.usance("check").exit_code == 0


def test_a_liquidation_stays_on_its_day_and_line(tmp_path: Path) -> None:
    folder = Folder(shutil.copytree(ROOT / "ledgers" / "demo", tmp_path / "demo"))
    folder.accrue("--through", "2025-03-05", "--stale-ok")
    days = {
        name: data.decode().splitlines()
        for name, data in folder.files().items()
        if name.endswith("beancount") and "liquidation/" in data.decode()
    }
    compacted(folder)
    [name] = [name for name in days if name.startswith("posted/")]
    lines = (folder.path / name).read_text().splitlines()
    found = [number for number, line in enumerate(lines) if 'usance: "liquidation/2025-02-' in line]
    assert found
    for number in found:
        assert days[name][number - 1 : number + 3] == lines[number - 1 : number + 3]
