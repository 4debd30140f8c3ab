"""Laws of compacted months: all that can be asked of books comes out as if they were not.

Two copies of one folder, of which one is compacted: balances at the end of each month, open days,
reports of any day, explanations and corrections are the same, and undone it is the same bytes.
"""

import re
import shutil
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Context, Decimal
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import test_correction_laws as corrections
import test_margin_laws as margins
import test_yield_laws as yields
import yield_books
from beancount.core import data
from hypothesis import event, given
from hypothesis import strategies as st
from strategies import Ledger, ledgers

import usance
from usance.books import Books
from usance.ledger import load as loading

NUMBER = re.compile(r"Decimal\('([^']*)'\)")


def _plain(found: re.Match[str]) -> str:
    """Return a number without the zeros at its end, which tell how many digits were added."""
    return f"{Decimal(found[1]).normalize(Context(prec=200)):f}"


def posted(path: Path) -> dict[str, bytes]:
    """Return all files of closed days, those of daily text too."""
    folder = path.parent / "posted"
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("????-??.*")}


def done(command: str, path: Path, *words: str) -> str:
    """Run a command, which must succeed; return what it prints."""
    result = yield_books.usance(command, path, *words)
    assert (result.exit_code, result.exception) == (0, None), result.output
    return result.stdout


def month_ends(book: loading.Ledger) -> dict[str, dict[tuple[object, ...], Decimal]]:
    """Return what every account holds at the end of each month, by lot."""
    found: dict[str, dict[tuple[object, ...], Decimal]] = {}
    held: defaultdict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    for entry in book.entries:
        for leg in entry.postings if isinstance(entry, data.Transaction) else ():
            assert leg.units is not None
            assert leg.units.number is not None
            held[leg.account, leg.units.currency, leg.cost] += leg.units.number
        found[f"{entry.date:%Y-%m}"] = {key: number for key, number in held.items() if number}
    return found


def asked(books: Books, days: list[date]) -> Iterator[Any]:
    """Yield the answers of books of some days, and the explanations of what they generated."""
    first, last = books.first, books.last
    assert first is not None
    assert last is not None
    for basis in ("posted", "corrected"):
        yield books.lending(first, last, by="day", basis=basis)
        yield books.yields(first, last, by="day", basis=basis)
        if not books.operating:
            continue
        yield books.statement(first, last, by="day", basis=basis)
        yield books.pnl(first, last, basis=basis)
        yield books.values("day", basis=basis)
        for day in days:
            yield books.statement(day, last, basis=basis)
            yield books.accounts(day, basis=basis)
            yield books.margin(day, basis=basis)
            yield books.efficiency(day, basis=basis)
    for day in days:
        yield books.standing(day) if books.operating else None
    of_days = [of for of, entry in books.ids.items() if entry.date in days]
    yield sorted(books.ids)
    for identity in islice(of_days, 6):
        yield books.explain(identity)


def parted(one: str, two: str) -> tuple[str, str] | None:
    """Return the places where two texts part, or None: pytest compares long ones for minutes."""
    if one == two:
        return None
    at = next((at for at, pair in enumerate(zip(one, two, strict=False)) if len({*pair}) > 1), 0)
    return one[max(0, at - 80) : at + 80], two[max(0, at - 80) : at + 80]


def same(path: Path, other: Path, days: list[date]) -> None:
    """Check that two folders say the same."""
    first, second = (usance.load(one) for one in (path, other))
    assert first.errors == second.errors == ()
    assert month_ends(first.ledger) == month_ends(second.ledger)
    assert [*corrections.story(first.ledger, days[-1])] == [
        *corrections.story(second.ledger, days[-1])
    ]
    for one, two in zip(asked(first, days), asked(second, days), strict=True):
        moved = str(two).replace(str(other.parent), str(path.parent))
        said = [NUMBER.sub(_plain, text) for text in (str(one), moved)]
        assert parted(said[0], said[1].replace("posted/daily/", "posted/")) is None


def check(text: str, first: date, draw: st.DataObject) -> None:
    """Post some months, correct them perhaps, compact, ask, correct, undo."""
    end = first + timedelta(draw.draw(st.integers(32, 75), label="days"))
    with TemporaryDirectory() as folder:
        path = corrections.folder_of(Path(folder, "books"), text)
        corrections.accrued(path, end)
        last = end + timedelta(days=4)
        if draw.draw(st.booleans(), label="corrected"):
            text = corrections.changed(text, last, Path(folder, "trial"), draw)
            corrections.folder_of(path.parent, text)
            end += timedelta(days=1)
            corrections.accrued(path, end, "--correct")
        other = Path(shutil.copytree(path.parent, Path(folder, "other")), path.name)
        before = posted(path)
        done("compact", other, "--keep", "1")
        compacted = [name for name in posted(other) if name.startswith("daily")]
        event(f"compacted: {len(compacted)}")
        verified = re.sub("Compacted: .*\n", "", done("verify", other))
        assert verified == done("verify", path)
        days = sorted(
            first + timedelta(draw.draw(st.integers(0, (end - first).days), label="day"))
            for _ in range(2)
        )
        same(path, other, [*days, end])
        text = corrections.changed(text, last, Path(folder, "trial"), draw)
        for one in (path, other):
            corrections.folder_of(one.parent, text)
            corrections.accrued(one, last, "--correct")
        same(path, other, [*days, last])
        done("compact", other, "--undo")
        assert posted(other) == posted(path)
        assert before.keys() <= posted(path).keys()


@corrections.share(0.15)
@given(ledgers(), st.data())
def test_lending(drawn: Ledger, draw: st.DataObject) -> None:
    check(str(drawn), drawn.start, draw)


@corrections.share(0.15)
@given(margins.ledgers(), st.data())
def test_margin(drawn: margins.Drawn, draw: st.DataObject) -> None:
    check(drawn.text(), drawn.date(0), draw)


@corrections.share(0.15)
@given(margins.ledgers(simulated=True), st.data())
def test_liquidations(drawn: margins.Drawn, draw: st.DataObject) -> None:
    check(drawn.text(), drawn.date(0), draw)


@corrections.share(0.15)
@given(yields.ledgers(true_ups=True), st.data())
def test_yields(drawn: yields.Ledger, draw: st.DataObject) -> None:
    check(yield_books.whole(str(drawn)), drawn.first, draw)
