"""The laws that hold for every ledger, on drawn ones.

Profiles: HYPOTHESIS_PROFILE=soak draws many more ledgers than the default.
"""

import os
import shutil
import subprocess
import sys
from collections import Counter, defaultdict
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory

from beancount import loader
from beancount.core import data
from beancount.parser import printer
from click.testing import CliRunner
from hypothesis import assume, event, given, settings, target
from hypothesis import strategies as st
from invariants import Books, check_books, kind_of, reached
from oracle import BORROWED, LENT, Key, Line, Table, by_person, sub_accounts, units, walk
from strategies import EACH_STAGE, Block, Ledger, ledgers

from usance.cli import main


def share(part: float) -> settings:
    """Draw a part of the profile's examples: loads through files cost more than in memory."""
    return settings(max_examples=max(1, int(settings().max_examples * part)))


def load(text: str) -> Books:
    """Load a ledger that has no errors."""
    books = Books(*loader.load_string(text))
    assert [error.message for error in books.errors] == []
    return books


def load_file(path: Path) -> Books:
    """Load a ledger that has no errors from a file."""
    books = Books(*loader.load_file(str(path)))
    assert [error.message for error in books.errors] == []
    return books


def generated(books: Books, sub: str | None = None) -> str:
    """Return the text of what the engine adds, or of what it adds to one sub-account."""
    roots = sub_accounts(books.entries)
    texts = [
        printer.format_entry(entry)
        for entry in books.entries
        if isinstance(entry, data.Open)
        and entry.meta["filename"] == "(usance)"
        and (sub is None or f":{roots[sub]}:" in entry.account)
    ]
    texts += [
        printer.format_entry(entry)
        for entry in transactions(books)
        if sub in (None, entry.meta["usance"].split("/")[2])
    ]
    return "\n".join(texts)


def transactions(books: Books) -> list[data.Transaction]:
    """Return the generated transactions."""
    return [
        entry
        for entry in books.entries
        if isinstance(entry, data.Transaction) and "usance" in entry.tags
    ]


def posted_lines(books: Books, expected: Table) -> Table:
    """Return what the books show, for the days, sub-accounts, coins and sides of a table."""
    names = {
        f"{books.options[name]}:{root}:{last}": (sub, side, sign)
        for sub, root in sub_accounts(books.entries).items()
        for name, last, side, sign in (
            ("name_equity", "Uses:Lent", LENT, 1),
            ("name_liabilities", "Borrowed", BORROWED, -1),
            ("name_income", "Interest", "income", -1),
            ("name_expenses", "Interest", "expense", 1),
        )
    }
    interest: defaultdict[Key, Fraction] = defaultdict(Fraction)
    moved: defaultdict[Key, Fraction] = defaultdict(Fraction)
    carried: dict[Key, Fraction] = {}
    for entry in books.entries:
        for posting in entry.postings if isinstance(entry, data.Transaction) else ():
            sub, side, sign = names.get(posting.account, (None, "", 0))
            amount, coin = units(posting)
            if sub and side in (LENT, BORROWED):
                moved[entry.date, sub, coin, side] += sign * amount
            elif sub:
                side = LENT if side == "income" else BORROWED
                interest[entry.date, sub, coin, side] += sign * amount
            carry_after = (posting.meta or {}).get("carry-after")
            if carry_after is not None:
                kind, _, owner = entry.meta["usance"].split("/")
                side = LENT if kind == "lending" else BORROWED
                carried[entry.date, owner, coin, side] = Fraction(carry_after)
    lines = Table()
    principal: defaultdict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    carry: defaultdict[tuple[str, str, str], Fraction] = defaultdict(Fraction)
    for key in sorted(expected):
        principal[key[1:]] += moved.pop(key, Fraction(0))
        carry[key[1:]] = carried.pop(key, carry[key[1:]])
        lines[key] = Line(interest.pop(key, Fraction(0)), principal[key[1:]], carry[key[1:]])
    assert (interest, moved, carried) == ({}, {}, {})
    return lines


def test_the_engine_and_the_oracle_agree_to_the_last_digit() -> None:
    """Goal: every figure of every day. Method: two programs, and a count of what was reached."""
    drawn: Counter[str] = Counter()

    @share(7)
    @given(ledgers())
    def agree(ledger: Ledger) -> None:
        books = load(str(ledger))
        check_books(books)
        expected = walk(books.entries, books.options)
        assert posted_lines(books, expected) == expected
        counts = reached(books)
        target(float(counts["several segments"]), label="several segments")
        for name in +counts:
            drawn[name] += 1
            event(name)

    agree()
    seldom = {name: drawn[name] for name in REACHED if drawn[name] < REACHED[name]}
    assert seldom == {}


REACHED = {
    "at a time of the day": 90,
    "borrowed": 60,
    "borrowing": 60,
    "curve": 15,
    "entry fee": 4,
    "interest of nothing": 12,
    "lending": 80,
    "repaid": 15,
    "several segments": 60,
    "transfer": 30,
}
"""In how many of the 120 ledgers of the default profile each must have happened, at least."""


@share(1)
@given(ledgers(), st.data())
def test_a_deposit_split_in_two_at_one_moment_changes_nothing(
    ledger: Ledger, data: st.DataObject
) -> None:
    """Goal: amounts of one moment add up. Method: one deposit of the text, written as two."""
    deposits = [position for position, block in enumerate(ledger.blocks) if block.parts]
    assume(deposits)
    chosen = data.draw(st.sampled_from(deposits))
    blocks = list(ledger.blocks)
    halves = [replace(blocks[chosen], text=text, parts=()) for text in blocks[chosen].parts]
    blocks[chosen : chosen + 1] = halves
    split = replace(ledger, blocks=tuple(blocks))
    assert generated(load(str(split))) == generated(load(str(ledger)))


@share(1)
@given(ledgers(), st.data())
def test_order_of_directives_files_and_plugin_lines_changes_nothing(
    ledger: Ledger, data: st.DataObject
) -> None:
    """Goal: the books depend on what is written, not on where.

    Method: the directives in another order, spread over included files in two orders, and the
    stages enabled by one line or by one each, in both orders.
    """
    expected = generated(load(str(ledger)))
    shuffled = tuple(data.draw(st.permutations(ledger.blocks)))
    assert generated(load(str(replace(ledger, blocks=shuffled)))) == expected
    for plugins in (EACH_STAGE, EACH_STAGE[::-1]):
        assert generated(load(str(replace(ledger, blocks=shuffled, plugins=plugins)))) == expected
    cut = data.draw(st.integers(0, len(shuffled)))
    parts = {"a.beancount": shuffled[:cut], "sub/b.beancount": shuffled[cut:]}
    with TemporaryDirectory() as folder:
        (Path(folder) / "sub").mkdir()
        for name, blocks in parts.items():
            (Path(folder) / name).write_text("".join(block.text for block in blocks))
        for names in (list(parts), list(parts)[::-1]):
            main_file = Path(folder) / "main.beancount"
            includes = "".join(f'include "{name}"\n' for name in names)
            main_file.write_text(ledger.header() + includes)
            assert generated(load_file(main_file)) == expected


@share(0.5)
@given(ledgers())
def test_a_custom_directive_of_another_tool_changes_nothing(ledger: Ledger) -> None:
    """Goal: other tools may use `custom` too, beyond the horizon as well."""
    days = (ledger.start - timedelta(9), ledger.start, ledger.end + timedelta(400))
    other = tuple(Block(f'{day} custom "budget" "Main" Assets:Bank 7 USDC\n') for day in days)
    more = replace(ledger, blocks=ledger.blocks + other)
    assert generated(load(str(more))) == generated(load(str(ledger)))


@share(1)
@given(ledgers(apart=True))
def test_sub_accounts_without_a_common_curve_pool_never_affect_each_other(ledger: Ledger) -> None:
    """Goal: isolation. Method: leave one out; what the others generate keeps its bytes."""
    books = load(str(ledger))
    subs = sorted(sub_accounts(books.entries))
    for gone in subs:
        rest = load(str(ledger.without(gone)))
        check_books(rest)
        for sub in subs:
            if sub != gone:
                assert generated(rest, sub) == generated(books, sub)


@share(0.5)
@given(ledgers())
def test_without_the_stage_of_sub_accounts_only_the_transfers_are_missing(ledger: Ledger) -> None:
    """Goal: a stage that is off is skipped, and nothing else."""
    books = load(str(ledger))
    both = [entry for entry in transactions(books) if kind_of(entry) != "transfer"]
    alone = load(str(replace(ledger, plugins=EACH_STAGE[:1])))
    assert list(map(printer.format_entry, transactions(alone))) == list(
        map(printer.format_entry, both)
    )
    idle = load(str(replace(ledger, plugins=EACH_STAGE[1:])))
    assert {kind_of(entry) for entry in transactions(idle)} <= {"transfer"}


def accrue(ledger: Path, through: date) -> None:
    """Post days with the command."""
    done = CliRunner().invoke(main, ["accrue", str(ledger), "--through", through.isoformat()])
    assert (done.exit_code, done.exception) == (0, None), done.output


def books_folder(folder: Path, ledger: Ledger) -> Path:
    """Write a ledger that includes its posted days."""
    (folder / "posted").mkdir(parents=True)
    (folder / "posted" / "first.beancount").write_text("; posted days\n")
    path = folder / "main.beancount"
    path.write_text(f'{ledger}\ninclude "posted/*.beancount"\n')
    return path


def posted_bytes(ledger: Path) -> dict[str, bytes]:
    """Return the files of posted days."""
    return {path.name: path.read_bytes() for path in sorted((ledger.parent / "posted").iterdir())}


def first_day(books: Books) -> date:
    """Return the first day on which a person moves something in a sub-account."""
    roots = [f":{root}:" for root in sub_accounts(books.entries).values()]
    return min(
        entry.date
        for entry in by_person(books.entries)
        if isinstance(entry, data.Transaction)
        for posting in entry.postings
        if any(root in posting.account for root in roots)
    )


def balances(books: Books) -> dict[tuple[str, str], Fraction]:
    """Return what every account holds at the end."""
    held: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for entry in books.entries:
        for posting in entry.postings if isinstance(entry, data.Transaction) else ():
            amount, coin = units(posting)
            held[posting.account, coin] += amount
    return dict(held)


@share(0.5)
@given(ledgers(), st.data())
def test_posted_days_are_the_virtual_ones(ledger: Ledger, data: st.DataObject) -> None:
    """Goal: posting changes nothing, whenever it is done.

    Method: through a drawn day in one go, and day by day; the same files to the byte, and the same
    books as without posted days. A second run changes nothing.
    """
    virtual = load(str(ledger))
    first = first_day(virtual)
    days = [first + timedelta(day) for day in range((ledger.end - first).days + 1)]
    through = data.draw(st.sampled_from(days))
    with TemporaryDirectory() as folder:
        once, daily = (books_folder(Path(folder) / name, ledger) for name in ("once", "daily"))
        accrue(once, through)
        for day in days:
            if day <= through:
                accrue(daily, day)
        written = posted_bytes(once)
        assert posted_bytes(daily) == written
        accrue(once, through)
        accrue(once, first)
        assert posted_bytes(once) == written
        books = load_file(once)
        check_books(books)
        assert balances(books) == balances(virtual)
        assert list(map(printer.format_entry, transactions(books))) == list(
            map(printer.format_entry, transactions(virtual))
        )


@share(0.25)
@given(ledgers(), st.integers(1, 40))
def test_days_beyond_the_horizon_are_those_of_a_longer_book(ledger: Ledger, more: int) -> None:
    """Goal: `--through` beyond the horizon closes the days that accrue-through would give."""
    through = ledger.end + timedelta(more)
    longer = Block(f'{ledger.start} custom "accrue-through" {through}\n')
    virtual = load(str(replace(ledger, blocks=(*ledger.blocks, longer))))
    with TemporaryDirectory() as folder:
        path = books_folder(Path(folder) / "books", ledger)
        accrue(path, through)
        books = load_file(path)
        check_books(books)
        assert balances(books) == balances(virtual)
        assert list(map(printer.format_entry, transactions(books))) == list(
            map(printer.format_entry, transactions(virtual))
        )


RICH = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins.auto_lending"
include "posted/*.beancount"
2024-02-27 commodity USDC
  quantum: 0.000001
2024-02-27 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
  auto-borrow: TRUE
2024-02-27 custom "sub-account" "Arb" Assets:Backpack:Arb
  auto-lend: TRUE
2024-02-27 custom "sub-account" "Desk" Assets:Backpack:Desk
  auto-borrow: TRUE
2024-02-27 custom "lending-pool" "USDC"
  rates: "observed"
  entry-fee: TRUE
2024-02-27 custom "lending-rate" "USDC" 0.0412 0.0630
2024-02-28 custom "lending-rate" "USDC" 0.0390 0.0580
  time: "09:00"
2024-02-27 custom "lending-pool" "SOL"
  rates: "curve"
  slope-1: 0.06
  slope-2: 0.75
  optimal-utilization: 0.80
  fee: 0.10
  external-lent: 1000 SOL
  external-borrowed: 600 SOL
2024-02-26 open Assets:Bank
2024-02-26 open Assets:Backpack:Main:Wallet
2024-02-26 open Assets:Backpack:Arb:Wallet
2024-02-26 open Assets:Backpack:Desk:Wallet
2024-02-27 * "Deposit"
  Assets:Backpack:Main:Wallet     1000 USDC
  Assets:Bank                    -1000 USDC
2024-02-27 * "Deposit"
  time: "08:15"
  Assets:Backpack:Arb:Wallet       250 SOL
  Assets:Bank                     -250 SOL
2024-02-28 * "Withdraw what is borrowed"
  time: "10:30"
  Assets:Backpack:Desk:Wallet     -320 SOL
  Assets:Bank                      320 SOL
2024-02-29 * "Withdraw more than there is"
  time: "23:30"
  Assets:Backpack:Main:Wallet    -1200 USDC
  Assets:Bank                     1200 USDC
2024-03-01 * "Allocate"
  time: "12:00"
  Assets:Backpack:Arb:Wallet       -50 SOL
  Assets:Backpack:Desk:Wallet       50 SOL
2024-03-02 custom "accrue-through" 2024-03-02
"""

SHOW = """\
import sys
from beancount import loader
from beancount.parser import printer
from usance.cli import main
entries, errors, _ = loader.load_file(sys.argv[1])
printer.print_entries(entries)
print(errors)
main(["accrue", sys.argv[1], "--through", "2024-03-01"], standalone_mode=False)
entries, errors, _ = loader.load_file(sys.argv[1])
printer.print_entries(entries)
print(errors)
"""


def test_time_zone_hash_seed_and_language_of_the_machine_change_nothing(tmp_path: Path) -> None:
    """Goal: no clock, no locale, no order of a set. Method: processes of their own."""
    seen = set()
    path = tmp_path / "main.beancount"
    for zone in ("UTC", "America/Los_Angeles", "Asia/Kathmandu", "Pacific/Apia"):
        for seed in ("0", "1"):
            for language in ("C", "C.UTF-8"):
                shutil.rmtree(tmp_path / "posted", ignore_errors=True)
                (tmp_path / "posted").mkdir()
                (tmp_path / "posted" / "first.beancount").write_text("; posted days\n")
                path.write_text(RICH)
                machine = {"TZ": zone, "PYTHONHASHSEED": seed, "LANG": language, "LC_ALL": language}
                done = subprocess.run(
                    [sys.executable, "-c", SHOW, str(path)],
                    env=os.environ | machine,
                    capture_output=True,
                    check=True,
                )
                files = tuple(sorted(posted_bytes(path).items()))
                seen.add((done.stdout, files))
    [(shown, files)] = seen
    # Desk owes on four days and Main on three, printed twice.
    assert shown.count(b"borrowing/") == 2 * 7
    assert len(files) == 5
