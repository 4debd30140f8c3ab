"""Laws of corrections: whatever is posted, edited and corrected in turn, a fresh book comes out."""

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryDirectory

import fava.core  # noqa: F401 -- under which days are kept
import test_margin_laws as margins
import test_yield_laws as yields
import yield_books
from beancount.core import data
from beancount.parser import printer
from hypothesis import event, given, note, reject, settings
from hypothesis import strategies as st
from strategies import Ledger, ledgers

from usance.ledger import load as loading
from usance.ledger import replay

BLOCK = re.compile(r"(?m)^(?=\d{4}-\d\d-\d\d )")
NUMBER = re.compile(r"(?<![\d.:\"-])-?\d+(?:\.\d+)?(?= [A-Z]{3})")
RATE = re.compile(r'(custom "(?:lending-rate|treasury-rate)" "\w+" )(\S+)')
BOOKING = (
    "Ambiguous matches",
    "Not enough lots",
    "No position matches",
    "would be posted at line",
    "does not balance: (-0.00000000000000000000",
    "does not balance: (0.00000000000000000000",
)
"""What Beancount cannot book: a closed liquidation of a lot that an edit took away or changed, one
of a lot opened that day, and, in 28 digits, a lot whose cost and size have more. Nothing is written
then.
"""


def share(part: float) -> settings:
    return settings(max_examples=max(1, int(settings().max_examples * part)))


def edited(text: str, draw: st.DataObject) -> str:
    """Change what a person wrote: leave something out, write it twice, or write other numbers."""
    blocks = BLOCK.split(text)
    counts = [i for i, block in enumerate(blocks) if ' * "' in block or RATE.search(block)]
    place = draw.draw(st.sampled_from(counts), label="block")
    block = blocks[place]
    kind = draw.draw(st.sampled_from(("gone", "twice", "other", "later")), label="edit")
    if RATE.search(block):
        blocks[place] = RATE.sub(lambda found: f"{found[1]}{Decimal(found[2]) + 1:f}", block)
    elif kind == "gone":
        blocks[place] = ""
    elif kind == "twice":
        blocks[place] = block + block
    elif kind == "later":
        day = date.fromisoformat(block[:10]) + timedelta(days=1)
        blocks[place] = f"{day}{block[10:]}"
    else:
        blocks[place] = NUMBER.sub(lambda found: f"{Decimal(found[0]) * 3:f}", block)
    return "".join(blocks)


def folder_of(path: Path, text: str) -> Path:
    """Write a ledger that includes its closed days, or write it anew."""
    (path / "posted").mkdir(parents=True, exist_ok=True)
    (path / "posted" / "first.beancount").write_text("; Closed days come here.\n")
    include = "" if "include" in text else '\ninclude "posted/*.beancount"\n'
    (path / "main.beancount").write_text(text + include)
    return path / "main.beancount"


def balances(book: loading.Ledger, *, dated: bool) -> dict[tuple[object, ...], Decimal]:
    """Return what every account holds at the end, by lot."""
    held: defaultdict[tuple[object, ...], Decimal] = defaultdict(Decimal)
    for leg in legs(book.entries):
        assert leg.units is not None and leg.units.number is not None
        lot = leg.cost if dated or leg.cost is None else leg.cost._replace(date=date.min)
        held[leg.account, leg.units.currency, lot] += leg.units.number
    return {key: number for key, number in held.items() if number}


def legs(entries: data.Directives, tag: str | None = None) -> Iterator[data.Posting]:
    """Yield the postings of transactions, of those with a tag if one is given."""
    for entry in entries:
        if isinstance(entry, data.Transaction) and (tag is None or tag in entry.tags):
            yield from entry.postings


def story(book: loading.Ledger, since: date) -> Iterator[str]:
    """Yield the transactions of ours after a day, carries and all."""
    for entry in book.entries:
        if isinstance(entry, data.Transaction) and "usance" in entry.tags and entry.date > since:
            yield printer.format_entry(entry)


def faults(book: loading.Ledger) -> list[str]:
    return [str(error.message) for error in book.errors]


def check(text: str, first: date, last: date, draw: st.DataObject) -> None:
    """Post, then edit and correct some times over; compare with books that were never posted."""
    last = max(last, first + timedelta(days=9)) + timedelta(days=3)
    end = first
    with TemporaryDirectory() as folder:
        path = folder_of(Path(folder, "books"), text)
        accrued(path, end)
        for _ in range(3):
            text = changed(text, last, Path(folder, "trial"), draw)
            folder_of(path.parent, text)
            book = loading.load(str(path))
            if any(reason in fault for fault in faults(book) for reason in BOOKING):
                reject()
            end += timedelta(draw.draw(st.integers(1, 3), label="days"))
            accrued(path, end, "--correct")
            accrued(path, end, "--correct")
            assert yield_books.usance("verify", path).exit_code == 0
            fresh = Path(folder, "fresh")
            longer = lasting(text, last)
            then, now = (
                loading.load(str(folder_of(place, longer))) for place in (fresh, path.parent)
            )
            assert faults(now) == faults(then) == []
            # Where a closed liquidation is undone, a trade that was moved may have met it before.
            dated = not any(leg.cost for leg in legs(now.entries, "correction"))
            assert balances(now, dated=dated) == balances(then, dated=dated)
            assert list(story(now, end)) == list(story(then, end))
            check_lived(now)
            check_lived(then)
            corrected = sum("#correction" in entry for entry in story(now, date.min))
    event(f"corrections: {min(corrected, 5)}")


def check_lived(book: loading.Ledger) -> None:
    """What the load kept of its days is what is lived from the first day on."""
    reading = book.read()
    assert book.lived == replay.with_own_states(replay.evenings(reading, reading.last))
    event(f"kept: {bool(book.lived)}")


def accrued(path: Path, through: date, *words: str) -> None:
    """Post days, which must succeed."""
    done = yield_books.usance("accrue", path, "--through", str(through), "--stale-ok", *words)
    if any(reason in done.output for reason in BOOKING):
        reject()
    assert (done.exit_code, done.exception) == (0, None), done.output


def lasting(text: str, last: date) -> str:
    """Return a ledger that is lived through a day."""
    return f'{text}\n{last} custom "accrue-through" {last}\n'


def changed(text: str, last: date, folder: Path, draw: st.DataObject) -> str:
    """Edit a ledger so that it still has no errors, if that comes out within some attempts."""
    for _ in range(4):
        other = edited(text, draw)
        if not faults(loading.load(str(folder_of(folder, lasting(other, last))))):
            note(other)
            return other
    return text


@share(0.6)
@given(ledgers(), st.data())
def test_lending(drawn: Ledger, draw: st.DataObject) -> None:
    check(str(drawn), drawn.start, drawn.end, draw)


@share(0.4)
@given(margins.ledgers(), st.data())
def test_margin(drawn: margins.Drawn, draw: st.DataObject) -> None:
    check(drawn.text(), drawn.date(0), drawn.date(drawn.days - 1), draw)


@share(0.4)
@given(margins.ledgers(simulated=True), st.data())
def test_liquidations(drawn: margins.Drawn, draw: st.DataObject) -> None:
    check(drawn.text(), drawn.date(0), drawn.date(drawn.days - 1), draw)


@share(0.4)
@given(yields.ledgers(true_ups=True), st.data())
def test_yields(drawn: yields.Ledger, draw: st.DataObject) -> None:
    check(yield_books.whole(str(drawn)), drawn.first, drawn.last, draw)
