"""The laws of every book, whatever its text: one function, called by every kind of test."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from beancount.core import convert, data
from beancount.parser import parser, printer
from oracle import UNIT, by_person, horizon, quanta, seconds, sub_accounts, units

POSITION = ("filename", "lineno")
ROOTS = ("name_assets", "name_liabilities", "name_equity", "name_income", "name_expenses")


class Books(NamedTuple):
    """What Beancount's loader returns."""

    entries: data.Directives
    errors: list[data.BeancountError]
    options: Mapping[str, Any]


def check_books(books: Books) -> None:
    """Check every law; a ledger with errors must keep them too, for what is generated."""
    generated = [
        entry
        for entry in books.entries
        if isinstance(entry, data.Transaction) and "usance" in entry.tags
    ]
    for error in books.errors:
        assert "Traceback" not in error.message
    ids = Counter(entry.meta["usance"] for entry in generated)
    assert [name for name, times in ids.items() if times > 1] == []
    for entry in generated:
        check_labels(entry)
        check_balanced(entry)
        check_printed_text(entry, books.options)
    check_nothing_after_the_horizon(books.entries, generated)
    check_each_sub_account_balances(books)
    check_uses(books)
    check_proofs(books, generated)


def kind_of(entry: data.Transaction) -> str:
    """Return the kind of a generated transaction, as its id names it."""
    return str(entry.meta["usance"]).split("/")[0]


def check_labels(entry: data.Transaction) -> None:
    """Flag, tags, link and id say the same kind and day."""
    kind, day, _ = str(entry.meta["usance"]).split("/", 2)
    assert kind in ("transfer", "lending", "borrowing")
    assert entry.flag == "*"
    assert day == entry.date.isoformat()
    assert entry.tags == {"usance", kind}
    assert entry.links == {f"usance-{day}"}


def check_balanced(entry: data.Transaction) -> None:
    """A generated transaction balances exactly, in every currency, and touches no lot."""
    totals: defaultdict[str, Fraction] = defaultdict(Fraction)
    for posting in entry.postings:
        assert posting.cost is None
        assert posting.price is None
        amount, coin = units(posting)
        totals[coin] += amount
    assert [coin for coin, total in totals.items() if total] == []


def check_printed_text(entry: data.Transaction, options: Mapping[str, Any]) -> None:
    """Printed, and parsed again in a ledger with the same root names, it is the same entry."""
    text = printer.format_entry(entry)
    roots = "".join(f'option "{name}" "{options[name]}"\n' for name in ROOTS)
    again, errors, _ = parser.parse_string(roots + text)
    assert errors == []
    [parsed] = again
    assert isinstance(parsed, data.Transaction)
    assert plain(parsed) == plain(entry)
    assert printer.format_entry(parsed) == text


def plain(entry: data.Transaction) -> data.Transaction:
    """Return a transaction without where it stands, and without what booking adds."""

    def meta(kept: data.Meta | None) -> data.Meta:
        written = (kept or {}).items()
        return {k: v for k, v in written if k not in POSITION and not k.startswith("__")}

    postings = [posting._replace(meta=meta(posting.meta)) for posting in entry.postings]
    return entry._replace(meta=meta(entry.meta), postings=postings)


def check_nothing_after_the_horizon(
    entries: data.Directives, generated: Iterable[data.Transaction]
) -> None:
    """Only a transfer, and a day that was closed, may lie beyond the horizon."""
    last = last_day(entries)
    assert [
        entry.meta["usance"]
        for entry in generated
        if entry.date > last and kind_of(entry) != "transfer"
    ] == []


def last_day(entries: data.Directives) -> date:
    """Return the horizon, or the last closed day where that is later."""
    closed = [
        entry.date
        for entry in entries
        if isinstance(entry, data.Custom) and entry.type == "day-close"
    ]
    return max([horizon(entries), *closed])


def owner_of(account: str, books: Books) -> str | None:
    """Return the sub-account that an account belongs to, whatever its root."""
    rest = account.partition(":")[2] + ":"
    for sub, root in sub_accounts(books.entries).items():
        if rest.startswith(root + ":"):
            return sub
    return None


def check_each_sub_account_balances(books: Books) -> None:
    """Its own postings and what its owner put in sum to zero, transfers completed."""
    residual: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for entry in books.entries:
        if not isinstance(entry, data.Transaction):
            continue
        owners = {owner_of(posting.account, books) for posting in entry.postings} - {None}
        for posting in entry.postings:
            weight = convert.get_weight(posting)
            assert weight.number is not None
            owner = owner_of(posting.account, books)
            for sub in owners if owner is None else {owner}:
                residual[str(sub), weight.currency] += Fraction(weight.number)
    assert [key for key, rest in residual.items() if rest] == []


def check_uses(books: Books) -> None:
    """What is lent is not below zero and not above the wallet, and Capital is its opposite.

    Where idle coins are lent, less than a quantum of the wallet stays idle. The check is at the
    end of every day on which something is generated or written.
    """
    quantum = quanta(books.entries)
    roots = sub_accounts(books.entries)
    by_day: defaultdict[date, list[data.Transaction]] = defaultdict(list)
    for entry in books.entries:
        if isinstance(entry, data.Transaction):
            by_day[entry.date].append(entry)
    last = last_day(books.entries)
    held: defaultdict[tuple[str, str], Fraction] = defaultdict(Fraction)
    for day in sorted(by_day):
        for posting in (leg for entry in by_day[day] for leg in entry.postings):
            amount, coin = units(posting)
            held[posting.account, coin] += amount
        for (account, coin), lent in list(held.items()):
            if not account.endswith(":Uses:Lent"):
                continue
            sub = owner_of(account, books)
            assert sub is not None
            wallet = held[f"{books.options['name_assets']}:{roots[sub]}:Wallet", coin]
            assert lent == -held[account.replace(":Lent", ":Capital"), coin]
            assert lent >= 0
            if day <= last:
                assert lent <= wallet
                assert lent == 0 or wallet - lent < quantum[coin]


def check_proofs(books: Books, generated: Iterable[data.Transaction]) -> None:
    """The metadata of a posting prove its amount, and the carries make one chain.

    Income in another coin than the operating currency shows the price of that very day.
    """
    quantum = quanta(books.entries)
    currency = books.options["operating_currency"][0]
    prices = {
        (entry.date, entry.currency): entry.amount.number
        for entry in books.entries
        if isinstance(entry, data.Price) and entry.amount.currency == currency
    }
    chain: dict[tuple[str, str, str], int] = {}
    for entry in generated:
        for posting in entry.postings:
            meta = posting.meta or {}
            if "growth" not in meta:
                continue
            amount, coin = units(posting)
            kind, _, sub = str(entry.meta["usance"]).split("/")
            carry = recompute(kind, amount, meta, quantum[coin], chain.get((kind, sub, coin), 0))
            chain[kind, sub, coin] = carry
            income = kind == "lending" and coin != currency
            price = prices.get((entry.date, coin)) if income else None
            shown = exact_number(meta["price"]) if "price" in meta else None
            assert shown == (None if price is None else Fraction(price))


def recompute(
    kind: str, amount: Fraction, meta: data.Meta, quantum: Fraction, carry_before: int
) -> int:
    """Work an amount out from its proof; return the carry that the next day begins with."""
    principals = [exact(word, quantum) for word in meta["principal"].split()]
    growths = [exact(word, Fraction(1, UNIT)) for word in meta["growth"].split()]
    carries = [exact(word, quantum / UNIT) for word in meta["carry"].split()]
    carries.append(exact(meta["carry-after"], quantum / UNIT))
    hours = [int(word) for word in meta["hours"].split()]
    assert carries[0] == carry_before
    assert len(principals) == len(growths) == len(hours) == len(carries) - 1
    assert len(meta["rate"].split()) == len(hours)
    assert min(hours) > 0
    assert sum(hours) <= 24
    total = exact(meta.get("entry-fee", "0"), quantum)
    for principal, growth, carry, after in zip(
        principals, growths, carries[:-1], carries[1:], strict=True
    ):
        assert principal > 0
        assert 0 <= after < UNIT
        if kind == "lending":
            interest, rest = divmod(principal * growth + carry, UNIT)
            assert rest == after
        else:
            interest = -((carry - principal * growth) // UNIT)
            assert principal * growth + after == interest * UNIT + carry
        total += interest
    assert total * quantum == amount
    return carries[-1]


def exact_number(word: str) -> Fraction:
    """Read a number in plain decimal notation."""
    assert set(word) <= set("0123456789.")
    return Fraction(word)


def exact(word: str, unit: Fraction) -> int:
    """Read a plain decimal as a whole number of units."""
    number = exact_number(word) / unit
    assert number.denominator == 1
    return int(number)


def reached(books: Books) -> Counter[str]:
    """Count what a ledger made happen, so that no law is proved on idle books."""
    counts: Counter[str] = Counter()
    for entry in books.entries:
        if isinstance(entry, data.Transaction) and "usance" in entry.tags:
            counts[kind_of(entry)] += 1
            for posting in entry.postings:
                meta = posting.meta or {}
                moved = units(posting)[0]
                counts["several segments"] += " " in meta.get("hours", "")
                counts["entry fee"] += "entry-fee" in meta
                counts["interest of nothing"] += "growth" in meta and moved == 0
                if posting.account.endswith(":Wallet") and kind_of(entry) == "borrowing":
                    counts["repaid" if moved < 0 else "borrowed"] += 1
    for entry in by_person(books.entries):
        counts["at a time of the day"] += seconds(entry) > 0
        counts["curve"] += entry.meta.get("rates") == "curve"
    return counts
