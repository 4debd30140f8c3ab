"""Explanation: a generated transaction, which Usance computes again from the directives."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal
from difflib import get_close_matches
from typing import Any, assert_never

from beancount.core import convert
from beancount.core.data import Transaction
from beancount.parser import printer

from usance.close import correction, inputs, restore
from usance.close.correction import Key, Sums
from usance.engine import sub_accounts
from usance.engine.drafts import Draft, Identity, TransactionKind
from usance.engine.lived_day import LivedDay
from usance.engine.state import State
from usance.explain.borrowing import borrowing
from usance.explain.citations import Citations, OpeningBalance, Used
from usance.explain.lending import lending
from usance.explain.liquidation import liquidation
from usance.explain.margin import margin, settlement
from usance.explain.working import Hour, Lived, Step, Working
from usance.explain.yields import payout, treasury
from usance.language.directive import source_of
from usance.language.provenance import ClosedMonths, has_id, is_generated
from usance.language.reading import Reading
from usance.language.transactions import lot_of, units_of
from usance.ledger import plugin_lines, replay
from usance.ledger.journal import Journal, narration_of
from usance.ledger.load import Ledger
from usance.model.amounts import ZERO, Quanta, total
from usance.model.hours import Day, date_of, day_of, iso
from usance.reports.figures import IF_ANY, FlatRow, as_dicts, plain


@dataclass(frozen=True, slots=True)
class Explanation:
    """The arithmetic behind a generated transaction, with all that it rests on.

    file, line  the place of its text; for a virtual one, the plugin line that makes it
    directives  of persons, on which the figures rest
    openings    the last transactions that changed the balances at 00:00
    differs     the text in the books is another one than that computed again
    posted      the text of the transaction in the books
    recomputed  its text, computed again; None if the ledger no longer produces it
    corrections ids of later corrections of the same sub-account or product
    reason      of a correction, in a person's words; None if it has none
    hours       the hours of each principal; None if they were not asked for
    """

    id: str
    file: str
    line: int
    kind: TransactionKind
    steps: tuple[Step, ...]
    directives: tuple[Used, ...]
    openings: tuple[OpeningBalance, ...]
    differs: bool
    posted: str
    recomputed: str | None
    corrections: tuple[str, ...]
    reason: str | None
    hours: tuple[Hour, ...] | None = field(default=None, metadata=IF_ANY)

    def rows_as_dicts(self, listed: str = "steps") -> list[FlatRow]:
        """Return one of LISTS as flat rows: the steps, whose values are one text, or the hours."""
        if listed == "hours":
            return as_dicts(self.hours or (), LISTS["hours"])
        return [
            {
                "step": number,
                "what": step.what,
                "formula": step.formula,
                "values": "; ".join(
                    f"{name} = {plain(value)}" for name, value in step.values.items()
                ),
                "result": step.result,
                "unit": step.unit,
            }
            for number, step in enumerate(self.steps, 1)
        ]


LISTS = {
    "steps": ("step", "what", "formula", "values", "result", "unit"),
    "hours": ("what", "hour", "principal", "rate", "growth", "earned"),
}
"""The lists of an explanation, with the columns of each."""


def ids(ledger: Ledger) -> dict[str, Transaction]:
    """Return the generated transactions of a ledger, by id."""
    months = ClosedMonths(ledger.folder)
    return {
        found: entry
        for entry in ledger.entries
        if isinstance(entry, Transaction) and (found := identity(entry, months))
    }


def identity(entry: Transaction, months: ClosedMonths) -> str:
    """Return the id of a generated transaction, or "" of any other one."""
    if not has_id(entry):
        return ""
    text = str(entry.meta["usance"])
    if is_generated(entry):
        return text
    return text if months.hold(entry.meta) and Identity.read(text) is not None else ""


OFFERED = 12
"""Ids that are offered at most for one that does not exist."""


def nearest(identity: str, known: Mapping[str, Transaction]) -> list[str]:
    """Return the ids to offer for one that does not exist, some at most.

    Those of the day and the sub-account that it names, else those of the day, else similar ones.
    """
    parts = identity.split("/")
    read = [(text, Identity.parse(text)) for text in known]
    of_day = [(text, of) for text, of in read if iso(of.day) in parts]
    of_name = [text for text, of in of_day if of.name in parts]
    close = of_name or [text for text, _ in of_day] or get_close_matches(identity, known)
    return close[:OFFERED]


def explain(
    ledger: Ledger,
    entry: Transaction,
    *,
    detailed: bool = False,
    evenings: Iterable[tuple[LivedDay, State]] | None = None,
) -> Explanation:
    """Explain a generated transaction.

    detailed  the hours are told too, and the steps have each hour's rates of a curve pool
    evenings  the days from the first one on, each with its state at the end; None: compute them
    """
    reading = ledger.read()
    identity = Identity.parse(str(entry.meta["usance"]))
    work = Working(detailed)
    citations = Citations(ledger, reading, day_of(entry.date))
    draft = _draft(work, ledger, reading, entry, identity, evenings)
    again = _written(reading, draft) if draft is not None else None
    generated = is_generated(entry)
    source = plugin_lines.plugin_line(ledger.options) if generated else source_of(entry.meta)
    return Explanation(
        str(entry.meta["usance"]),
        source.file,
        source.line,
        identity.kind,
        tuple(work.steps),
        tuple(citations.used(work)),
        tuple(citations.openings(work)),
        again is None or _compared(again) != _compared(entry),
        printer.format_entry(entry),
        None if again is None else printer.format_entry(again),
        tuple(
            str(later.meta["usance"])
            for later in reading.posted
            if later.date > entry.date and _corrects(later, identity)
        ),
        str(entry.meta.get("reason", "")) or None,
        tuple(work.hours) if detailed else None,
    )


def _corrects(later: Transaction, identity: Identity) -> bool:
    """Tell whether a transaction corrects the sub-account or product of an id."""
    of = Identity.read(str(later.meta["usance"]))
    return of is not None and (of.kind, of.name) == (TransactionKind.CORRECTION, identity.name)


def _draft(
    work: Working,
    ledger: Ledger,
    reading: Reading,
    entry: Transaction,
    identity: Identity,
    evenings: Iterable[tuple[LivedDay, State]] | None,
) -> Draft | None:
    """Note the steps of a transaction; return its draft, computed again, or None."""
    day = day_of(entry.date)
    if identity.kind is TransactionKind.CORRECTION:
        return _correction(work, ledger, reading, entry, identity.name)
    if identity.kind is TransactionKind.TRANSFER:
        return _transfer(work, ledger, reading, identity, day)
    if evenings is None:
        evenings = (
            (lived, state.copy() if lived.day >= day - 1 else state)
            for lived, state in replay.evenings(reading, day)
        )
    lived = _lived(reading, evenings, day)
    draft = next((draft for draft in lived.day.drafts if draft.identity == identity), None)
    if draft is not None:
        _steps(work, lived, identity.name, draft)
    return draft


def _steps(work: Working, lived: Lived, name: str, draft: Draft) -> None:
    """Note the steps of a transaction that the states of two evenings explain."""
    match draft.kind:
        case TransactionKind.PAYOUT:
            payout(work, lived, name)
        case TransactionKind.LENDING:
            lending(work, lived, name)
        case TransactionKind.BORROWING:
            borrowing(work, lived, name)
        case TransactionKind.TREASURY:
            treasury(work, lived, name)
        case TransactionKind.SETTLEMENT:
            settlement(work, lived, name)
        case TransactionKind.MARGIN:
            margin(work, lived, name)
        case TransactionKind.LIQUIDATION:
            liquidation(work, lived, name, draft)
        case TransactionKind.TRANSFER | TransactionKind.CORRECTION:
            raise ValueError(f"{draft.identity} does not rest on states")
        case _:
            assert_never(draft.kind)


def _lived(reading: Reading, evenings: Iterable[tuple[LivedDay, State]], day: Day) -> Lived:
    """Return a day with the states of the evenings around it, and the yield of the days before."""
    book, before, after = reading.book, State(), State()
    credits_of: dict[tuple[str, str], dict[Day, tuple[Quanta, Quanta]]] = {}
    lived = LivedDay(day)
    for lived, state in evenings:
        before, after = after, state
        for of_holder in lived.yields:
            if of_holder.treasury or of_holder.bonus:
                of_product = credits_of.setdefault((of_holder.sub_account, of_holder.product), {})
                of_product[lived.day] = of_holder.treasury, of_holder.bonus
        if lived.day == day:
            break
    return Lived(book, before, after, lived, credits_of)


def _written(reading: Reading, draft: Draft) -> Transaction:
    """Return the transaction as which Usance posts a draft."""
    directives = Journal(reading.chart, ()).day(draft.day, [draft])
    [entry] = [entry for entry in directives if isinstance(entry, Transaction)]
    return entry


def _compared(entry: Transaction) -> tuple[Any, ...]:
    """Return the parts of a transaction that must agree: all but its file and line."""
    postings = [
        (leg.account, str(leg.units), str(leg.cost), str(leg.price), _meta(leg.meta or {}))
        for leg in entry.postings
    ]
    # Beancount orders the postings of a booked text by currency.
    return entry.date, entry.tags, entry.links, narration_of(entry), sorted(postings)


def _meta(meta: dict[str, Any]) -> list[tuple[str, str]]:
    hidden = ("filename", "lineno")
    return sorted(
        (key, str(value))
        for key, value in meta.items()
        if key not in hidden and not key.startswith("__")
    )


# Transactions that do not come from a day's state


def _transfer(
    work: Working, ledger: Ledger, reading: Reading, identity: Identity, day: Day
) -> Draft | None:
    """Note the amounts of a transfer, at weight; return its draft, or None."""
    of_day = [transfer for transfer in reading.book.transfers if transfer.day == day]
    drafts = {draft.identity: draft for draft in sub_accounts.drafts_of_day(of_day)}
    draft = drafts.get(identity)
    if draft is None:
        return None
    # The numbers of drafts with one first sub-account follow the order of its transfers.
    ordered = sorted(of_day, key=lambda transfer: (transfer.seconds, transfer.text))
    given = [t for t in ordered if t.first == draft.sub_account and t.given]
    transfer = given[max(draft.number, 1) - 1]
    work.cite(transfer.source)
    written = next(
        person
        for person in ledger.entries
        if isinstance(person, Transaction) and source_of(person.meta) == transfer.source
    )
    for currency, amount in transfer.given.items():
        _given(work, reading, written, (transfer.first, transfer.second), currency, amount)
    return draft


def _given(
    work: Working,
    reading: Reading,
    written: Transaction,
    names: tuple[str, str],
    currency: str,
    amount: Decimal,
) -> None:
    giver = names[0] if amount > 0 else names[1]
    values: dict[str, Decimal] = {}
    terms: list[str] = []
    for posting in written.postings:
        weight = convert.get_weight(posting)
        if reading.chart.owner(posting.account) != giver or weight.currency != currency:
            continue
        number = len(terms) + 1
        values[f"units {number}"], _ = units_of(posting)
        term = f"units {number}"
        lot = lot_of(posting)
        if lot is not None:
            values[f"cost {number}"] = lot.cost
            term += f" x cost {number}"
        terms.append(term)
    sign = "-" if amount > 0 else ""
    work.step(
        f"what {names[0]} gave {names[1]} (got: negative), lots at their cost",
        f"given = {sign}({' + '.join(terms)})",
        values,
        amount,
        currency,
    )


def _correction(
    work: Working, ledger: Ledger, reading: Reading, entry: Transaction, name: str
) -> Draft | None:
    """Note the difference of closed days, computed now less posted; return the draft, or None."""
    then = replace(
        reading,
        posted=[posted for posted in reading.posted if posted.date < entry.date],
        seals=[seal for seal in reading.seals if seal.date < entry.date],
        corrections=[seal for seal in reading.corrections if seal.date < entry.date],
    )
    if not then.seals:
        return None
    corrected = {
        day_of(seal.values[0].value): source_of(seal.meta)
        for seal in reading.corrections
        if seal.date == entry.date
    }
    if is_generated(entry):
        corrected = {day.day: day.source for day in inputs.changed_days(reading, ledger.folder)}
    state, _ = restore.state(then)
    computed = correction.correct(then, corrected, state)
    draft = next((draft for draft in computed.drafts if draft.sub_account == name), None)
    if draft is None:
        return None
    for day, source in corrected.items():
        lines = inputs.lines(reading, day, day)[day]
        work.cite(source, *(line.source for line in lines))
    _legs(work, draft, computed.now.get(name, {}), computed.then.get(name, {}))
    return draft._replace(reason=str(entry.meta.get("reason", "")))


def _legs(work: Working, draft: Draft, now: Sums, then: Sums) -> None:
    """Note the difference of each account, which the legs of the account post."""
    legs: dict[Key, list[Decimal]] = {}
    for leg in draft.legs:
        legs.setdefault((str(leg.place), leg.currency, leg.lot, leg.price), []).append(leg.amount)
    for key, amounts in legs.items():
        account, commodity, lot, _ = key
        say = f"{account}{'' if lot is None else f', bought {date_of(lot.day)}'}"
        difference = work.step(
            f"{say}: what closed days come to now, less what is posted",
            "difference = now - posted",
            {"now": now.get(key, ZERO), "posted": then.get(key, ZERO)},
            total(amounts),
            commodity,
        )
        if len(amounts) > 1:
            parts = {f"leg {number}": amount for number, amount in enumerate(amounts, 1)}
            work.total(f"{say}: its legs", "difference", parts, commodity, difference)
