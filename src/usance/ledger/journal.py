"""Journal: drafts as Beancount directives, each with the figures that prove it."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from itertools import groupby

from beancount.core.amount import Amount
from beancount.core.data import Open, Posting, Transaction, new_metadata
from beancount.core.display_context import DisplayContext
from beancount.core.position import Cost
from beancount.parser import printer
from beancount.utils.misc_utils import escape_string

from usance.engine.drafts import Draft, Identity, Leg, Pair, Place, Proof, TransactionKind
from usance.engine.records import Segment
from usance.language.provenance import GENERATED
from usance.model.accounts import ChartOfAccounts, ProductAccount, Side
from usance.model.amounts import ZERO, Coin, decimal_text, fixed_point_text, without_trailing_zeros
from usance.model.hours import Day, date_of

_amount, _posting = partial(tuple.__new__, Amount), partial(tuple.__new__, Posting)
# Their own constructors take twice as long, and there are some for each coin of each day.

FIRST_LINE = 1_000_000_000
"""Line of a day's first generated directive: above any real one, so that it sorts behind.

The count begins again each day, so that an edit elsewhere does not move the directive.
"""


class Accounts(dict[Place, str]):
    """The names of accounts, by their place in a sub-account or product.

    found  those that were asked for the first time, until somebody takes them
    """

    def __init__(self, chart: ChartOfAccounts) -> None:
        self.chart = chart
        self.found: list[str] = []

    def __missing__(self, place: Place) -> str:
        """Find the name of an account, once."""
        match place:
            case (name, Side() as side):
                account = self.chart.account(name, side)
            case (name, ProductAccount() as reserve):
                account = self.chart.reserved(name, reserve)
            case (name, str() as other):
                account = self.chart.transfers(name, other)
            case str():
                account = place
        self[place] = account
        self.found.append(account)
        return account


@dataclass(slots=True)
class Written:
    """How many numbers were written with as many digits after the point as this one."""

    number: Decimal
    count: int


class Journal:
    """Writes drafts as directives.

    opened  accounts that exist already, or that a person opens
    ours    accounts that it opens though a person posts to them, with the first day of that
    """

    def __init__(
        self, chart: ChartOfAccounts, opened: Iterable[str], ours: Mapping[str, int] | None = None
    ) -> None:
        self.opened = set(opened)
        self.ours = dict(ours or {})
        self.written: defaultdict[str, list[Written]] = defaultdict(list)
        self.tags: dict[str, frozenset[str]] = {}
        self.accounts = Accounts(chart)
        self.shared: dict[int, tuple[Decimal, str, str]] = {}
        self.carries: dict[tuple[str, int], str] = {}
        self.taken = self.given = Amount(ZERO, "")
        self.like = Written(ZERO, 0)

    def day(self, day: Day, drafts: Iterable[Draft]) -> Iterator[Open | Transaction]:
        """Yield a day's directives; an account's first posting is preceded by its open."""
        line = FIRST_LINE
        date = date_of(day)
        links = frozenset((_link(day),))
        for account in [name for name, first in self.ours.items() if first <= day]:
            del self.ours[account]
            if account not in self.opened:
                self.opened.add(account)
                line += 1
                yield Open(new_metadata(GENERATED, line), date, account, [], None)
        for draft in drafts:
            postings: list[Posting] = []
            for pair in draft.pairs:
                postings += self._pair(pair)
            for leg in draft.legs:
                postings.append(self._leg(leg))
            for account in self.accounts.found:
                if account not in self.opened:
                    self.opened.add(account)
                    line += 1
                    yield Open(new_metadata(GENERATED, line), date, account, [], None)
            self.accounts.found.clear()
            line += 1
            meta = {"filename": GENERATED, "lineno": line, "usance": str(draft.identity)}
            if draft.reason:
                meta["reason"] = draft.reason
            tags = self.tags.get(draft.kind)
            if tags is None:
                tags = self.tags[draft.kind] = frozenset((str(draft.kind), "usance"))
            linked = links.union(map(_link, draft.corrects)) if draft.corrects else links
            yield Transaction(meta, date, "*", None, _narration(draft), tags, linked, postings)

    def beyond(self, drafts: Iterable[Draft]) -> Iterator[Open | Transaction]:
        """Yield the directives of drafts of several days, in order of date."""
        days = {day: list(of_day) for day, of_day in groupby(drafts, key=lambda draft: draft.day)}
        for day in sorted({*days, *self.ours.values()}):
            yield from self.day(day, days.get(day, ()))

    def teach(self, context: DisplayContext) -> None:
        """Let reports show the digits of the numbers that were written."""
        counts = {
            (currency, like.number.as_tuple().exponent): like.count
            for currency, numbers in self.written.items()
            for like in numbers
        }
        for (currency, exponent), count in sorted(counts.items(), key=str):
            assert isinstance(exponent, int)
            sample = DisplayContext()
            sample.update(Decimal((0, (1,), exponent)), currency)
            for bit in reversed(f"{count:b}"):
                if bit == "1":
                    context.update_from(sample)
                sample.update_from(sample)  # twice as many numbers, one bit on

    def _like(self, number: Decimal, currency: str) -> Written:
        """Return the count of numbers that have as many digits after the point as this one."""
        # `as_tuple` would tell how many, but takes longer than all else that makes a posting.
        numbers = self.written[currency]
        for like in numbers:
            if number.same_quantum(like.number):
                return like
        numbers.append(Written(number, 0))
        return numbers[-1]

    def _pair(self, pair: Pair) -> tuple[Posting, Posting]:
        debit, credit, amount, currency, proof = pair
        # A dict also where there is nothing to say: ANY_META finds nothing in a posting without.
        meta = self._proof(proof) if isinstance(proof, Proof) else dict(proof or {})
        # On a quiet day the Lent memorandum takes the very amount that was credited.
        if amount is not self.taken.number or currency != self.taken.currency:
            minus = amount.copy_negate() if amount else amount
            self.taken, self.given = _amount((amount, currency)), _amount((minus, currency))
            self.like = self._like(amount, currency)
        self.like.count += 2
        return (
            _posting((self.accounts[debit], self.taken, None, None, None, meta)),
            _posting((self.accounts[credit], self.given, None, None, None, {})),
        )

    def _leg(self, leg: Leg) -> Posting:
        self._like(leg.amount, leg.currency).count += 1
        cost = price = None
        if leg.lot is not None:
            lot = leg.lot
            cost = Cost(lot.cost, lot.currency, date_of(lot.day), lot.label)
        if leg.price is not None:
            price = Amount(*leg.price)
        meta = dict(leg.proof or {})
        units = Amount(leg.amount, leg.currency)
        return Posting(self.accounts[leg.place], units, cost, price, None, meta)

    def _proof(self, proof: Proof) -> dict[str, str]:
        """Return the figures behind an interest as metadata, one value for each segment."""
        coin, segments = proof.coin, proof.segments
        meta: dict[str, str] = {}
        if len(segments) == 1:
            meta = self._segment(coin, segments[0])
        elif segments:
            parts = [self._segment(coin, segment) for segment in segments]
            meta = {key: " ".join([part[key] for part in parts]) for key in parts[0]}
        if segments:
            # Nearly always the next day's interest begins with it.
            after = meta["carry-after"] = coin.carry_text(proof.carry)
            self.carries[coin.name, proof.carry] = after
        if proof.entry_fee:
            meta["entry-fee"] = coin.quanta_text(proof.entry_fee)
        if proof.price is not None:
            meta["price"] = decimal_text(proof.price)
        return meta

    def _segment(self, coin: Coin, segment: Segment) -> dict[str, str]:
        principal, hours, rate, growth, carry, _, _ = segment
        shared = self.shared.get(growth)
        if shared is None or shared[0] is not rate:
            # All accounts of a pool share the figures of a day.
            texts = (
                without_trailing_zeros(f"{rate:f}"),
                without_trailing_zeros(fixed_point_text(growth, 18)),
            )
            shared = self.shared[growth] = (rate, *texts)
        return {
            "principal": fixed_point_text(principal * coin.step, coin.places),
            # Principal and growth do not tell how long a segment was. With its hours a reader sees
            # that a day has 24 and a month no 32nd day, and recomputes the average principal.
            "hours": str(hours),
            "rate": shared[1],
            "growth": shared[2],
            "carry": self.carries.pop((coin.name, carry), None) or coin.carry_text(carry),
        }


def text(entries: Iterable[Open | Transaction]) -> str:
    """Return directives as Beancount text."""
    return "".join(f"{printer.format_entry(_labelled(entry))}\n" for entry in entries)


def _labelled(entry: Open | Transaction) -> Open | Transaction:
    """Return a directive whose labels of lots are written as its other strings are."""
    # Beancount's printer writes a label as it is, also with a quote or a backslash in it.
    if isinstance(entry, Open) or not any(map(_label, entry.postings)):
        return entry
    return entry._replace(postings=[*map(_with_label, entry.postings)])


def _label(posting: Posting) -> str:
    return (isinstance(posting.cost, Cost) and posting.cost.label) or ""


def _with_label(posting: Posting) -> Posting:
    label = escape_string(_label(posting))
    if not label:
        return posting
    assert isinstance(posting.cost, Cost)
    return posting._replace(cost=posting.cost._replace(label=label))


def _link(day: Day) -> str:
    return f"usance-{date_of(day)}"


def _narration(draft: Draft) -> str:
    narration = draft.kind.narration
    if draft.kind is TransactionKind.TRANSFER:
        narration = narration.format(draft.sub_account, draft.pairs[0].debit[1])
    # Beancount compares transactions without their metadata: two transfers of one amount would be
    # the same one. Their ids are metadata.
    return f"{narration}{_behind(draft.number)}"


def narration_of(entry: Transaction) -> str:
    """Return the narration of a generated transaction without its number."""
    # Days that Usance 0.1.0 closed have none.
    identity = Identity.parse(str(entry.meta["usance"]))
    return (entry.narration or "").removesuffix(_behind(identity.number))


def _behind(number: int) -> str:
    """Return what stands behind the narration of a second or later transaction of a day."""
    return f" ({number})" if number else ""
