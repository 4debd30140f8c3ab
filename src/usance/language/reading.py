"""Reading: a ledger's directives as a book, with all that is wrong in them."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import chain
from typing import Any

from beancount.core.data import (
    Balance,
    Commodity,
    Custom,
    Directive,
    Open,
    Pad,
    Price,
    Transaction,
)

from usance.language import payments as yield_reading
from usance.language import prices as price_reading
from usance.language import trades as margin_reading
from usance.language.canonical import Input
from usance.language.provenance import DAY_CLOSE, DAY_CORRECT, has_id
from usance.language.rate_series import Files
from usance.language.schedule import Schedule, schedule
from usance.language.transactions import TransactionReader
from usance.model import problems
from usance.model.accounts import ChartOfAccounts, ProductAccount, Side
from usance.model.amounts import QUANTUM_DEFAULT, Coin, decimals
from usance.model.book import Book, Movement, Transfer, Yields
from usance.model.hours import SLOTS
from usance.model.problems import Problem
from usance.model.terms import Rates, Stage, TreasuryRate
from usance.model.timeline import Timeline

ROOTS = ("Assets", "Liabilities", "Equity", "Income", "Expenses")


@dataclass(frozen=True, slots=True)
class Reading:
    """What a ledger says.

    horizon  last day that the text speaks of, 0 where it speaks of none
    posted   transactions of closed days, in order of date
    seals    closes of days, in order of date
    corrections  of the inputs of closed days, in order of date
    inputs   directives that count
    named    paths of rates files, also of those that cannot be read
    files    rows of rates files that count: coin, path, first day, rows
    yield_files  the same of treasury rates, by product
    """

    book: Book
    chart: ChartOfAccounts
    problems: list[Problem]
    horizon: int
    posted: list[Transaction]
    seals: list[Custom]
    corrections: list[Custom]
    inputs: list[Input]
    named: frozenset[str]
    files: Files[Rates]
    yield_files: Files[TreasuryRate]

    @property
    def last(self) -> int:
        """The day that reports speak of by default: the horizon, or the last closed day."""
        return max([self.horizon, *(seal.date.toordinal() for seal in self.seals)])

    def is_ours(self, account: str) -> bool:
        """Tell whether the engine opens an account even where a person posts to it."""
        reserve = self.chart.reserve(account)
        if reserve is not None:
            return reserve[1] is ProductAccount.ACCRETION
        name, side = self.chart.side(account) or ("", None)
        if side not in (Side.ACCRUED_YIELD, Side.TREASURY) or name not in self.book.sub_accounts:
            return False
        venue = self.book.venue(name)
        stages = self.book.stages.values[-1]
        return Stage.YIELD_SPLIT in stages and any(
            at == venue for at, _ in self.book.yields.products
        )


def read(
    entries: Iterable[Directive], options: Mapping[str, Any], folder: str, stages: frozenset[Stage]
) -> Reading:
    """Read booked directives, without generated ones.

    folder  of the top ledger: rates files lie below it
    stages  enabled by plugin lines: they count on every day that is not closed
    """
    roots = {root: options[f"name_{root.lower()}"] for root in ROOTS}
    kinds: dict[type, list[Any]] = defaultdict(list)
    for entry in entries:
        kinds[type(entry)].append(entry)
    terms = schedule(kinds[Custom], kinds[Commodity], roots["Assets"], folder)
    chart = ChartOfAccounts(roots, terms.roots, terms.bills)
    posted = [entry for entry in kinds[Transaction] if has_id(entry)]
    written = [entry for entry in kinds[Transaction] if not has_id(entry)]
    seals = [entry for entry in kinds[Custom] if entry.type == DAY_CLOSE]
    operating = (options["operating_currency"] or [None])[0]
    scribe = TransactionReader(
        chart,
        isolating=Stage.SUB_ACCOUNTS in stages,
        placed=not (terms.unplaced or terms.lost),
    )
    for entry in written:
        scribe.transaction(entry)
    scribe.accounts(kinds[Open])
    for entry in kinds[Pad]:
        scribe.pad(entry)
    found = [*terms.problems, *scribe.problems]
    if operating is None and terms.sub_accounts:
        at = next(iter(terms.sub_accounts.values())).values[0].source
        found.insert(0, problems.no_operating_currency(at))
    pricing = price_reading.pricing(terms, kinds[Price], operating)
    found += pricing.problems
    movements, trades = _unblocked(scribe.movements, terms), _unblocked(scribe.trades, terms)
    by_day = _by_day(movements)
    faulty = margin_reading.faulty(scribe.trades, terms)
    if Stage.MARGIN_POOL in stages:
        misplaced, wrong = margin_reading.misplaced(by_day, terms, chart)
        faulty |= misplaced
        found += wrong
    for contract_of, perpetuals in margin_reading.settling(trades, terms):
        for perpetual in perpetuals:
            by_day.setdefault((contract_of, perpetual.settle), {})
    backing = yield_reading.backing(terms, scribe.reserved)
    payments, paying, unread = yield_reading.payments(terms, chart, scribe.receipts)
    if Stage.YIELD_SPLIT in stages:
        found += [*backing.problems, *unread]
    coins = {coin for _, coin in by_day}
    coins |= {line.values[0].asset for line in backing.products.values()}
    moments = [movement.moment for movement in chain(movements, trades)]
    moments += [day * SLOTS for days in backing.reserved.values() for day in days]
    book = Book(
        coins=_coins(terms, [*movements, *trades], coins),
        sub_accounts=terms.sub_accounts,
        pools=terms.pools,
        rates=terms.rates,
        movements=by_day,
        trades=_by_day(trades),
        transfers=_unblocked_transfers(scribe.transfers, terms),
        outflows=scribe.outflows,
        collaterals=terms.collaterals,
        perpetuals=terms.perpetuals,
        faulty=faulty,
        worthless=pricing.worthless,
        liquidations=terms.liquidations,
        quotes=pricing.quotes,
        findings=margin_reading.mismatches(scribe.notionals, terms),
        yields=Yields(
            backing.products,
            terms.treasury_rates,
            terms.bonuses,
            backing.maturities,
            backing.reserved,
            payments,
            frozenset((paid.sub_account, *paid.period) for paid in payments if paid.period),
        ),
        operating=operating or "",
        stages=Timeline(_stages(seals, stages)),
        stale_after=terms.stale_after,
        # Days before the first movement hold nothing and are not closed. Anything dated earlier (a
        # commodity, terms, the last row of a rates file) counts on the first day.
        first=min(moments, default=0) // SLOTS or None,
    )
    speaking = chain(written, kinds[Balance], kinds[Price])
    latest = max((entry.date.toordinal() for entry in speaking), default=0)
    horizon = max(max(latest, terms.latest) - 1, terms.through)
    return Reading(
        book,
        chart,
        found,
        max(horizon, 0),
        posted,
        seals,
        [entry for entry in kinds[Custom] if entry.type == DAY_CORRECT],
        [*terms.inputs, *scribe.inputs, *pricing.inputs, *backing.inputs, *paying],
        frozenset(terms.named),
        terms.files,
        terms.yield_files,
    )


def _unblocked(movements: list[Movement], terms: Schedule) -> list[Movement]:
    """Return the movements of commodities and sub-accounts whose terms have no fault."""
    return [
        movement
        for movement in movements
        if ("coin", movement.coin) not in terms.blocked
        and ("sub-account", movement.sub_account) not in terms.blocked
        and movement.sub_account in terms.sub_accounts
    ]


def _unblocked_transfers(transfers: list[Transfer], terms: Schedule) -> tuple[Transfer, ...]:
    return tuple(
        transfer
        for transfer in transfers
        if not {("sub-account", transfer.first), ("sub-account", transfer.second)} & terms.blocked
    )


def _coins(terms: Schedule, movements: list[Movement], names: set[str]) -> dict[str, Coin]:
    digits = dict.fromkeys(sorted(names), 0)
    for movement in movements:
        digits[movement.coin] = max(digits.get(movement.coin, 0), decimals(movement.quantity))
    return {
        name: Coin.of(name, terms.quanta.get(name, QUANTUM_DEFAULT), finest)
        for name, finest in digits.items()
    }


def _by_day(movements: list[Movement]) -> dict[tuple[str, str], dict[int, list[Movement]]]:
    """Index movements by sub-account and coin, then by day, each day in order of time."""
    index: dict[tuple[str, str], dict[int, list[Movement]]] = {}
    for movement in sorted(movements, key=lambda movement: (movement.moment, movement.seconds)):
        days = index.setdefault((movement.sub_account, movement.coin), {})
        days.setdefault(movement.moment // SLOTS, []).append(movement)
    return index


def _stages(
    seals: list[Custom], stages: frozenset[Stage]
) -> Iterator[tuple[int, frozenset[Stage]]]:
    """Yield the stages in force: those of a closed day are those it was closed with."""
    yield 0, stages
    for seal in seals:
        closed = str(seal.meta.get("stages", "")).split()
        day = seal.date.toordinal()
        yield day * SLOTS, frozenset(stage for stage in Stage if stage.value in closed)
        yield (day + 1) * SLOTS, stages
