"""Problems: what is wrong in a ledger, where, and what to write instead.

One function for each text, which is only its sentence: a decorator makes it a problem at a place.
The name of a problem is the name of its function; `docs/errors.md` shows each with the ledger that
causes it.
"""

import inspect
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from enum import Enum
from functools import wraps
from typing import Concatenate, NamedTuple, ParamSpec

P = ParamSpec("P")


class Source(NamedTuple):
    """Where a person wrote something."""

    file: str
    line: int

    def seen_from(self, other: "Source") -> str:
        """Name the line, with its file if that is not the file of the other place."""
        file = "" if self.file == other.file else f" of {self.file}"
        return f"line {self.line}{file}"


class Kind(Enum):
    """What a problem is.

    ERROR       a fault of the text: nothing is posted while there is one
    CHANGE      an error of a closed day that a correction takes away
    FINDING     a fact about the account that somebody should know
    OLD_FIGURE  a finding that stops the posting of its day
    DOUBT       legal, and probably not meant: `usance check` asks about it, and it stops nothing
    NOTE        a remark of `usance check`
    """

    ERROR = "error"
    CHANGE = "change"
    FINDING = "finding"
    OLD_FIGURE = "old figure"
    DOUBT = "doubt"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a person should know or correct.

    subject  what it is about: a problem of one name and subject is reported once, on its first day
    facts    the names, dates and figures in its message, which stay when its words change
    owners   sub-accounts that it is a problem of
    """

    source: Source
    name: str
    message: str
    kind: Kind
    subject: tuple[str, ...] = ()
    facts: tuple[str, ...] = ()
    owners: tuple[str, ...] = ()

    def of(self, *sub_accounts: str) -> "Problem":
        """Return the same problem, of some sub-accounts."""
        return replace(self, owners=sub_accounts)

    @property
    def finding(self) -> bool:
        """Tell whether this is a fact about the account, and no fault of the text."""
        return self.kind in (Kind.FINDING, Kind.OLD_FIGURE)

    def is_told(self, text: str) -> bool:
        """Tell whether a text says this finding in the words of an earlier release: all facts."""
        # No seal holds an error, so none is known from one.
        return self.finding and all(
            fact in text and re.search(rf"(?<![\w.-]){re.escape(fact)}(?![\w-]|\.\d)", text)
            for fact in self.facts
        )


Made = Callable[Concatenate[Source, P], Problem]
"""A text with its decorator: it takes a place before the arguments of the text."""


def _kind(kind: Kind) -> Callable[[Callable[P, str]], Made[P]]:
    """Return a decorator that makes a text problems of a kind."""

    def decorated(text: Callable[P, str]) -> Made[P]:
        name = text.__name__.replace("_", "-")
        owner = [*inspect.signature(text).parameters, "sub_account"].index("sub_account")

        @wraps(text)
        def problem(source: Source, /, *words: P.args, **named: P.kwargs) -> Problem:
            facts = tuple(map(str, words))
            owners = facts[owner : owner + 1]
            return Problem(source, name, text(*words, **named), kind, facts=facts, owners=owners)

        return problem

    return decorated


error = _kind(Kind.ERROR)
change = _kind(Kind.CHANGE)
finding = _kind(Kind.FINDING)
old_figure = _kind(Kind.OLD_FIGURE)
doubt = _kind(Kind.DOUBT)
note = _kind(Kind.NOTE)


def about(count: int) -> Callable[[Made[P]], Made[P]]:
    """Return a decorator that makes the first arguments of a text the subject of its problems."""

    def decorated(made: Made[P]) -> Made[P]:
        @wraps(made)
        def problem(source: Source, /, *words: P.args, **named: P.kwargs) -> Problem:
            return replace(made(source, *words, **named), subject=tuple(map(str, words[:count])))

        return problem

    return decorated


def _joined(names: Iterable[str], word: str = "or") -> str:
    *first, last = names
    return f"{', '.join(first)} {word} {last}" if first else last


def _quoted(names: Iterable[str]) -> list[str]:
    return [f'"{name}"' for name in sorted(names)]


def _days(count: int) -> str:
    return "1 day" if count == 1 else f"{count} days"


def _shown(value: object) -> str:
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case str():
            return f'the text "{value}"'
        case None:
            return "empty"
        case Decimal():
            return f"the number {value:f}"
        case _:
            return str(value)


_REMEDIES = {
    "from 0 to 100": "Write an annual fraction from 0 to 100, such as 0.0412 for 4.12 %",
    "from 0 to 1": "Write a fraction from 0 to 1, such as 0.10 for 10 %",
    "between 0 and 1": "Write a fraction between 0 and 1, such as 0.80 for 80 %",
    "above 0": "Write a number above 0",
    "at least 0": "Write 0 or a number above 0",
    "a whole number of days": "Write a whole number of days",
}


# Text


@error
def unreadable_line(why: str) -> str:
    return (
        f"Beancount cannot read this line: {why}. Write dates as 2025-05-31, numbers as 1000.50, "
        "rates as fractions such as 0.0156, names and times in quotes, switches as TRUE or FALSE, "
        "and indent the lines below a directive."
    )


@error
def nothing_included(pattern: str) -> str:
    return (
        f'No file is at "{pattern}", which the ledger includes. Restore it, correct the line, or '
        "remove it. A folder needs one file at least, such as one with a comment."
    )


@error
def never_opened(account: str, date: str, like: str) -> str:
    hint = f", or correct the name to {like}" if like else ""
    return f"{account} is not opened. Write {date} open {account}{hint}."


@error
def not_open_then(account: str, date: str) -> str:
    return (
        f"{account} is not open on {date}: its open is later, or its close is earlier. Correct the "
        "date of one of them."
    )


@error
def unbalanced(left: str) -> str:
    return (
        f"Transaction does not balance: ({left}). Its amounts come to zero in each coin. Correct "
        "one, or write a posting without an amount: it takes what is left."
    )


# Plugin lines and options


@error
def plugin_config(line: str) -> str:
    return (
        f'plugin "{line}" takes no configuration. Write plugin "{line}" alone, and state the terms '
        "in dated custom directives."
    )


@error
def plugin_twice(line: str) -> str:
    return f'plugin "{line}" is listed twice. Keep one of the two lines.'


@error
def no_plugin() -> str:
    return (
        "The ledger enables no plugin of Usance, so nothing is computed and there are no days to "
        "close. "
        'Write plugin "usance.plugins" into its top file: Beancount ignores plugin lines in '
        "included files."
    )


@error
def no_operating_currency() -> str:
    return (
        "The ledger declares no operating currency, but figures need one. "
        'Declare one, as in option "operating_currency" "USDC".'
    )


# Directives


@error
def bad_values(kind: str, example: str) -> str:
    return f'custom "{kind}" has the wrong values. Write it as {example}.'


@error
def lower_case(what: str, got: str, name: str) -> str:
    return (
        f'{what} names "{got}", but names of commodities are in upper case. Write {name} in its '
        "place."
    )


@error
def unknown_key(what: str, key: str, known: Iterable[str]) -> str:
    return (
        f"{what}: the key {key} is unknown here. Remove it, or write "
        f"{_joined(sorted(known))} instead."
    )


@error
def keyless(what: str, key: str) -> str:
    return f"{what} takes no keys. Remove the key {key}."


@error
def missing_key(what: str, key: str, example: str) -> str:
    return f"{what}: {key} is missing. Write it as {key}: {example}."


@error
def wrong_type(what: str, key: str, got: object, example: str) -> str:
    return f"{what}: {key} is {_shown(got)}. Write it as {key}: {example}."


@error
def out_of_range(what: str, key: str, got: Decimal, bounds: str) -> str:
    return f"{what}: {key} is {got:f}. {_REMEDIES[bounds]}."


@error
def rate_out_of_range(what: str, key: str, got: Decimal) -> str:
    shown = f"{got:f}" if abs(got.adjusted()) < 40 else str(got)
    return f"{what}: the {key} is {shown}. {_REMEDIES['from 0 to 100']}."


@error
def bad_tiers(what: str, got: str, example: str) -> str:
    return (
        f'{what}: the tiers "{got}" are not weights from 0 to 1 with rising bounds and one '
        f'last weight above them. Write them as tiers: "{example}".'
    )


@error
def wrong_currency(what: str, key: str, got: str, coin: str) -> str:
    return (
        f"{what}: {key} is in {got}, but must be in {coin}. "
        f"Write the amount in {coin}, as in {key}: 1000000 {coin}."
    )


@error
def bad_time(what: str, got: object) -> str:
    return (
        f"{what}: time is {_shown(got)}. Write a time of day in UTC, as in "
        'time: "09:30" or time: "09:30:15".'
    )


@error
def unknown_venue(what: str, venue: str, venues: Iterable[str]) -> str:
    known = _quoted(venues)
    hint = f"Write venue: {_joined(known)}" if known else "Declare a sub-account there"
    return (
        f'{what}: no sub-account is at the venue "{venue}". {hint}, or remove the key to '
        "cover all venues."
    )


@error
def two_alike(what: str, place: str) -> str:
    return (
        f"{what}: {place} is of the same kind and name, and takes effect at the same time. "
        'Keep one of the two, or give one a later date or time, as in time: "09:30".'
    )


@error
def bad_account(name: str, root: str, assets: str) -> str:
    return (
        f'sub-account "{name}": {root} cannot hold a wallet. '
        f"Write an account of assets with a venue and a name, as in {assets}:Venue:Name."
    )


@error
def bad_name(name: str) -> str:
    return (
        f'sub-account "{name}": the name cannot be part of an account. '
        "Begin it with a capital letter or a digit, and use only letters, digits and hyphens."
    )


@error
def root_changed(name: str, root: str, first: str) -> str:
    return (
        f'sub-account "{name}": its account is {first} and cannot change to {root}. '
        f"Write {first}, or declare a sub-account with another name."
    )


@error
def root_taken(name: str, root: str, other: str) -> str:
    return (
        f'sub-account "{name}": {root} already belongs to sub-account "{other}". '
        "Give each sub-account an account of its own, outside the others."
    )


@error
def interest_within_day(what: str) -> str:
    return (
        f"{what}: whose interest counts is so from 00:00 of a date, so the key interest has no "
        "time beside it. Remove the key time, or write the key interest on a directive of its own."
    )


@error
def rate_without_pool(coin: str) -> str:
    return (
        f'lending-rate "{coin}" applies to no pool of {coin} with observed rates. '
        f'Write custom "lending-pool" "{coin}" with rates: "observed", or remove this directive.'
    )


# Feeds


@error
def unknown_feed(sub_account: str, venue: str, known: Iterable[str]) -> str:
    names = _joined(_quoted(known))
    return f'feed "{sub_account}": the rows of "{venue}" cannot be booked. Write {names}.'


@error
def two_feeds(sub_account: str, place: str) -> str:
    return (
        f'feed "{sub_account}": {place} is its feed already, and an account of a venue has one. '
        "Keep one of the two."
    )


@error
def feed_account(sub_account: str, key: str, account: str, why: str, example: str) -> str:
    return (
        f'feed "{sub_account}": {key} is {account}, which {why}. Write another account, as in '
        f"{key}: {example}."
    )


@error
def feed_payout(sub_account: str, product: str, payout: str) -> str:
    return (
        f'feed "{sub_account}": what the platform pays in is for a month, but "{product}" pays '
        f'{payout}. Declare the product with payout: "monthly", or remove the key pays.'
    )


@error
def no_imported_folder() -> str:
    return (
        "A feed is booked into the folder imported beside the ledger, and nothing is there. Write "
        'include "imported/*.beancount" into the ledger, and run usance import.'
    )


@error
def imported_not_included(file: str) -> str:
    return (
        f"The ledger does not include imported/{file}, so what is imported is not in the books. "
        'Write include "imported/*.beancount" into it.'
    )


@error
def traded_by_hand(sub_account: str, contract: str, date: str) -> str:
    return (
        f'sub-account "{sub_account}": {contract} is traded here by hand, and its feed books all '
        f"trades since {date}. Beancount books the transactions of a date by line number, whatever "
        "file they are in, so trades of two hands have no order. Remove this one if the venue has "
        "a row of it, or begin the feed on a date after it."
    )


# Rates files


@error
def rates_file(path: str, why: str, remedy: str) -> str:
    return f"The rates file {path} {why}. {remedy}."


@error
def rates_row(why: str, remedy: str) -> str:
    return f"{why}. {remedy}."


# Accounts and crossings


@error
def unknown_account(account: str, sub_account: str, known: Iterable[str]) -> str:
    return (
        f'{account} is not one of the accounts of sub-account "{sub_account}". '
        f"Post to {_joined(known)}."
    )


@error
def stray_account(account: str, venue: str) -> str:
    return (
        f"{account} is under the venue {venue} but belongs to no sub-account. Use an account of a "
        'sub-account, declare a sub-account with custom "sub-account", or move the account outside '
        "the venue."
    )


@error
def pad_on_sub_account(account: str) -> str:
    return (
        f"Beancount pads {account} only after Usance has computed the days, so they would miss the "
        "amount. Write it as a transaction."
    )


@error
def unopened(account: str, identity: str, date: str) -> str:
    return (
        f"{account} is not opened, but this transaction and {identity} post to it. Write {date} "
        f"open {account}."
    )


@error
def posted_beside_ours(account: str, identity: str, date: str) -> str:
    return (
        f"{account} is not opened, because only generated transactions such as {identity} post to "
        "it elsewhere. If this transaction states an amount that is generated as well, remove it; "
        f"if not, write {date} open {account}."
    )


@error
def opened_late(account: str, identity: str, date: str) -> str:
    return (
        f"{account} is opened here, but {identity} posts to it before. Write {date} as the date "
        "of this open."
    )


@error
def opened_twice(account: str, place: str) -> str:
    return f"{account} is opened in closed days already, at {place}. Remove this open."


@error
def coin_not_allowed(account: str, identity: str, coin: str, coins: str) -> str:
    return (
        f"{account} is not open for {coin}, but {identity} posts {coin} to it. Write {coins} "
        "behind the account, or no commodity at all."
    )


@error
def closed_early(account: str, closed: str, identity: str, last: str) -> str:
    paid = ""
    if identity.startswith("payout/"):
        paid = " If the venue paid the yield earlier, write that payment, with pays:."
    return (
        f"{account} is closed on {closed}, but {identity} posts to it later, and the last such "
        f"transaction is of {last}. Give the close that date or a later one, when the account is "
        f"empty and nothing more is due.{paid}"
    )


@error
def crossing(names: Iterable[str]) -> str:
    return (
        f"This transaction touches the sub-accounts {_joined(names, 'and')}, which are isolated. "
        "A transfer has wallet postings of exactly two sub-accounts and nothing else. "
        "Write transfers between wallets, and give the payments and earnings of each sub-account "
        "their own transactions."
    )


# Days


@about(2)
@error
def missing_rate(coin: str, venue: str, sub_account: str, date: str, hour: int) -> str:
    return (
        f'Sub-account "{sub_account}" lends or owes {coin} on {date} at {hour:02}:00 UTC, but '
        f'{venue} has no rate for {coin} at that hour. Write custom "lending-rate" "{coin}" with '
        "the rates from that hour on, or add the rows of that time to the rates file."
    )


@about(2)
@error
def negative_wallet(sub_account: str, coin: str, date: str, short: str) -> str:
    return (
        f'The wallet of sub-account "{sub_account}" lacks {short} {coin} on {date}, and the '
        "sub-account may not borrow. Add the missing receipt or correct the payment; if the "
        "venue lends the coins, set auto-borrow: TRUE on the sub-account."
    )


@about(2)
@error
def lot_below_zero(name: str, coin: str, lot: str, date: str, short: str) -> str:
    return (
        f'sub-account "{name}" ends {date} with {short} {coin} of the lot {lot}, below zero. It '
        "did not hold so many: correct the lot, the number or the sub-account of the transaction; "
        "if a liquidation sold them, write only the rest."
    )


@about(2)
@error
def imported_from_curve(sub_account: str, coin: str, date: str) -> str:
    return (
        f'sub-account "{sub_account}" has interest: "imported", but on {date} it lends or owes '
        f"{coin}, whose pool has rates from a curve: what the pool pays follows from these books. "
        'Write interest: "generated", or give the pool rates: "observed".'
    )


@about(2)
@error
def borrow_without_pool(sub_account: str, coin: str, venue: str, date: str) -> str:
    return (
        f'Sub-account "{sub_account}" owes {coin} on {date}, but {venue} has no pool of {coin}. '
        f'Write custom "lending-pool" "{coin}" and its rates.'
    )


@about(2)
@old_figure
def old_rate(sub_account: str, coin: str, row: str, date: str, limit: int) -> str:
    return (
        f'sub-account "{sub_account}" lends or owes {coin} on {date} at a rate dated {row}, '
        f"which is more than {_days(limit)} old. Add newer rows to the rates file. If the venue "
        f"has not changed the rate since, raise stale-after: on the commodity {coin}."
    )


@error
def bought_below_zero(account: str, held: str, before: str) -> str:
    ways = f", or take it out, close the days up to {before}, and write it again" if before else ""
    return (
        "Beancount cannot book this purchase at a cost: it books before Usance generates interest "
        f"and borrows, and without them {account} holds {held} here. Write the purchase without "
        f"a cost{ways}."
    )


# Margin


@about(2)
@error
def missing_price_of(sub_account: str, commodity: str, quote: str, date: str) -> str:
    return (
        f'Sub-account "{sub_account}" has {commodity} on {date}, but {commodity} has no price in '
        f"{quote} on or before that day. Write {date} price {commodity} 1.00 {quote}, with the "
        "actual price in place of 1.00."
    )


@about(2)
@old_figure
def old_price(sub_account: str, commodity: str, quoted: str, date: str, limit: int) -> str:
    return (
        f'sub-account "{sub_account}" has {commodity} on {date} at a price dated {quoted}, '
        f"which is more than {_days(limit)} old. Write a newer price. If {commodity} has no newer "
        f"one, raise stale-after: on the commodity {commodity}."
    )


@error
def price_not_positive(commodity: str, price: str) -> str:
    return (
        f"The price of {commodity} is {price}, but must be above zero. Write the actual price of a "
        "unit."
    )


@about(1)
@error
def no_perpetual(contract: str, date: str, known: Iterable[str]) -> str:
    others = sorted(known)
    hint = f", or name a contract that has terms: {_joined(others)}" if others else ""
    return (
        f"{contract} is held in Perp on {date}, but no terms for it are in force. Write custom "
        f'"perpetual" "{contract}" with settle:, initial-margin: and maintenance-margin:{hint}.'
    )


@error
def contract_without_cost(contract: str, settle: str) -> str:
    return (
        f"{contract} is a perpetual contract and must be held at cost. Open it with a "
        f"cost, as in 1 {contract} {{150 {settle}}}, and close it with {{}} and the closing price, "
        f"as in -1 {contract} {{}} @ 160 {settle}."
    )


@error
def contract_in_wallet(contract: str, perp: str) -> str:
    return f"{contract} is a perpetual contract, but a wallet holds only coins. Post it to {perp}."


@about(1)
@error
def wrong_settle_coin(contract: str, currency: str, settle: str) -> str:
    return (
        f"{contract} settles in {settle}, but its cost is in {currency}. "
        f'Write its cost in {settle}, or correct settle: in custom "perpetual" "{contract}".'
    )


@about(2)
@error
def borrow_without_collateral(sub_account: str, coin: str, date: str) -> str:
    return (
        f'Sub-account "{sub_account}" owes {coin} on {date}, but no collateral terms for {coin} '
        f'state the margin of a borrow. Write custom "collateral" "{coin}" with weight:, '
        "initial-margin: and maintenance-margin:."
    )


@about(2)
@finding
def breach(sub_account: str, date: str, equity: str, maintenance: str, currency: str) -> str:
    return (
        f'sub-account "{sub_account}" is in breach at the end of {date}: its net equity of '
        f"{equity} {currency} does not exceed its maintenance margin of {maintenance} {currency}. "
        "Add collateral, or reduce positions or borrows."
    )


@finding
def gave_too_much(sub_account: str, date: str, available: str, currency: str) -> str:
    return (
        f'sub-account "{sub_account}" moved this out and ends {date} with available equity of '
        f"{available} {currency}, below zero. The venue would have refused. Add collateral before "
        "it, or correct the amounts or prices."
    )


@finding
def notional_mismatch(contract: str, written: str, expected: str, coin: str) -> str:
    return (
        f"the notional of this trade in {contract} is {written} {coin}, but quantity x price is "
        f"{expected} {coin}. Compare the three with the venue's statement, and correct the wrong "
        "one."
    )


@finding
def closed_without_price(
    contract: str, written: str, coin: str, *, quantity: str, price: str
) -> str:
    return (
        f"this trade closes {contract} and states no closing price, and {written} {coin} in Perp "
        f"is not the cost. Write the price at which the venue closed it. If {written} {coin} "
        f"agrees with the venue's statement, that is {quantity} {contract} {{}} @ {price} {coin}; "
        "if not, correct the amount as well."
    )


@error
def lot_liquidated(contract: str, date: str, identity: str) -> str:
    return (
        f"This transaction closes a lot of {contract} dated {date} that {identity} has already "
        "closed. Compare with the venue's statement. If the venue liquidated the lot, remove the "
        "transaction; if not, correct the entries before the liquidation."
    )


# Yield products


@error
def product_changed(name: str, what: str, now: str, before: str) -> str:
    return (
        f'yield-product "{name}": its {what} is {before or "none"} and cannot change to '
        f"{now or 'none'}. Restore it, or declare a product with another name."
    )


@error
def product_name_taken(name: str) -> str:
    return (
        f'yield-product "{name}": a sub-account already has this name, and ids of transactions '
        "contain both names. Give the product another name."
    )


@error
def two_products(name: str, coin: str, venue: str, other: str) -> str:
    return (
        f'yield-product "{name}": the product "{other}" already enrolls the {coin} lent at '
        f"{venue}. Keep one of the two, or name the venue of each with venue:."
    )


@error
def product_account(name: str, account: str, why: str) -> str:
    return (
        f'yield-product "{name}": {account} cannot hold its bills: {why}. Write a separate account '
        "beside the sub-accounts of a venue, as in Assets:Venue:Treasury:Bills."
    )


@error
def unknown_product(what: str, name: str, known: Iterable[str]) -> str:
    names = _quoted(known)
    declare = f'Declare it with custom "yield-product" "{name}"'
    hint = f"Write {_joined(names)}" if names else declare
    return f'{what}: no yield product "{name}" is declared. {hint}.'


@error
def unknown_sub_account(what: str, name: str, known: Iterable[str]) -> str:
    names = _quoted(known)
    hint = f"Write {_joined(names)}" if names else f'Declare it with custom "sub-account" "{name}"'
    return f'{what}: no sub-account "{name}" is declared. {hint}.'


@error
def rate_of_bills(name: str) -> str:
    return (
        f'treasury-rate "{name}": the product is backed by bills, and their accretion is its '
        'income. Remove the rate, or declare the product with source: "observed".'
    )


@error
def bad_pays(got: object) -> str:
    return (
        f"pays is {_shown(got)}, which does not name a product and a period. Write the product, "
        "then the month or the last day that was paid, as in "
        'pays: "USD 2025-05" or pays: "USD 2025-05-29".'
    )


@error
def no_such_period(product: str, period: str, payout: str) -> str:
    return (
        f'pays: "{product} {period}": the product pays {payout}, so this is not one of its '
        "periods. Write a month as 2025-05, and a day, or the Thursday that ends a week, as "
        "2025-05-29."
    )


@about(1)
@error
def missing_treasury_rate(product: str, sub_account: str, date: str) -> str:
    return (
        f'Sub-account "{sub_account}" is in the product "{product}" on {date}, but the product has '
        f'no rate on that day. Write custom "treasury-rate" "{product}" with the rate from that '
        "day on."
    )


@about(2)
@old_figure
def old_treasury_rate(
    sub_account: str, product: str, row: str, date: str, limit: int, coin: str
) -> str:
    return (
        f'sub-account "{sub_account}" is in the product "{product}" on {date} at a rate dated '
        f"{row}, which is more than {_days(limit)} old. Add newer rows to the rates file. If the "
        f"rate has not changed since, raise stale-after: on the commodity {coin}."
    )


@error
def bill_without_maturity(bill: str) -> str:
    return (
        f"{bill} is held as a bill, but has no maturity date. Write the date on a commodity "
        f"directive of {bill}, as in maturity: 2025-11-28."
    )


@error
def bill_without_cost(bill: str, asset: str) -> str:
    return (
        f"{bill} is held as a bill without a cost, so its accretion is unknown. Write the "
        f"price paid for a unit, as in 1000 {bill} {{0.98765 {asset}}}."
    )


@error
def bill_cost(bill: str, cost: str, asset: str) -> str:
    return (
        f"{bill} is held at a cost of {cost}, but its cost must be above zero and in {asset}, the "
        f"product's asset. Write the price paid for a unit, as in 1000 {bill} {{0.98765 {asset}}}."
    )


@error
def bill_matured(bill: str, maturity: str, bought: str) -> str:
    return (
        f"{bill} is bought on {bought} but matures on {maturity}, which is not later. Correct the "
        "date of its cost, or maturity: on its commodity."
    )


@about(2)
@finding
def accretion_differs(product: str, date: str, booked: str, held: str, coin: str) -> str:
    return (
        f'product "{product}": Accretion holds {booked} {coin} at the end of {date}, but the '
        f"accretion of the held lots is {held} {coin}. Correct the sales and repayments of bills: "
        "each takes the accretion of its own bills out of Accretion."
    )


@about(2)
@finding
def cash_below_zero(product: str, date: str, cash: str, coin: str) -> str:
    return (
        f'product "{product}": its Cash is {cash} {coin} at the end of {date}. Add the missing '
        "cash from bills, or write the actual payment with pays:."
    )


# Closed days


@change
def closed_day_changed(date: str, how: str, text: str) -> str:
    return (
        f"{date} is closed, but this has since been {how}: {text}. Undo the edit, or run "
        "usance accrue --correct to post the difference on the first open day."
    )


@error
def inputs_lost(date: str, file: str) -> str:
    return (
        f"Inputs of {date}, a closed day, have changed. {file}, which lists them, is missing or "
        "does not match the seal. Restore it from a backup."
    )


@error
def correction_unreached(date: str) -> str:
    return (
        f"A closed day has changed. The difference belongs to {date}, the first open day, but "
        f"this run ends before it. Use --through {date}, or a later day."
    )


@error
def correction_not_over(date: str) -> str:
    return (
        f"A closed day has changed. The difference belongs to {date}, the first open day, which is "
        f"not over yet (UTC). Use usance accrue --correct when it is, or --through {date} now."
    )


@error
def many_days(first: str, last: str, count: int) -> str:
    return (
        f"This first run would close {count} days, {first} to {last}. Closed days are only "
        f"corrected, never rewritten. Use --through {last}, or an earlier day, to say how far the "
        "run may go."
    )


@error
def open_before_closed(date: str, last: str) -> str:
    return (
        f"{date} is not closed, but {last} is. Usance closes days one after the other. "
        "Restore the posted files from a backup."
    )


@error
def closed_twice(date: str) -> str:
    return f"{date} is closed twice. Restore the posted files from a backup."


@error
def posted_in_open_day(identity: str, date: str) -> str:
    return (
        f"{identity} is posted, but {date} is not closed. Remove the transaction: "
        "usance accrue writes it when it closes the day."
    )


@error
def bad_proof(identity: str, key: str) -> str:
    return f"{identity}: its {key} cannot be read. Restore the posted files from a backup."


@error
def bad_seal(date: str) -> str:
    return (
        f"The close of {date} is not in the form that usance accrue writes. Restore the posted "
        "files from a backup."
    )


def _name(path: str) -> str:
    return path.rpartition("/")[2]


@error
def no_posted_folder(folder: str) -> str:
    return (
        f"The folder {_name(folder)}, which holds the closed days, is missing beside the ledger. "
        "Make it, put a file first.beancount with a comment into it, and write include "
        f'"{_name(folder)}/*.beancount" into the ledger.'
    )


@error
def posted_elsewhere(folder: str) -> str:
    return (
        f"{_name(folder)} is a link that leads out of the ledger's folder. Replace it with a "
        "folder beside the ledger."
    )


@error
def opened_below(identity: str, currency: str, line: int) -> str:
    return (
        f"{identity} closes {currency} of this day, but would be posted at line {line}, above this "
        "trade. Beancount books the transactions of a date by line number, whatever file they are "
        "in. Move the trade to a file of its own that the ledger includes, or "
        f"above line {line}."
    )


@error
def too_many_digits(coin: str, date: str, number: str, digits: int) -> str:
    return (
        f"On {date} Usance would post {number} {coin}, which has {digits} digits. Beancount reads "
        "a negative number of more than 28 digits rounded, so the books would not add up. Write a "
        f"coarser quantum: on commodity {coin}, or amounts with fewer decimals."
    )


@error
def bought_into_debt(identity: str, coin: str, account: str, held: str) -> str:
    return (
        f"Beancount books posted lines of a day first, and after {identity} it cannot book this "
        f"transaction as it is booked now: {account} then holds {held}, below zero "
        f"without a cost. If {coin} comes in on this day, write that transaction above this one; "
        "if this day is closed, write the purchase without a cost."
    )


@error
def posted_otherwise(identity: str, why: str) -> str:
    return (
        f"Beancount does not take {identity} as Usance computed it: {why}. Correct the lots up to "
        "that day (their dates, costs and labels), or move the line that opens a lot further up."
    )


@error
def closed_unbookable(identity: str, coins: str, date: str) -> str:
    return (
        f"{identity} is closed, and Beancount cannot book it any more: the lots of {coins} that it "
        f"moves are not those of {date} now. Undo the edit of the trade, and write the opposite "
        f"trade on an open day; or use usance reopen --from {date}, and close the days again."
    )


@error
def month_removed(month: str, last: str) -> str:
    closed = f"the last closed day is {last}" if last else "no day is closed"
    return (
        f"These are inputs of {month}, but {closed}: the closed days of {month} were removed, or "
        "the run that was to write them was interrupted. Restore the file; if a run was "
        "interrupted, close the days again with usance accrue."
    )


@error
def options_changed(date: str, before: str, now: str) -> str:
    return (
        f"{date} was closed with other options of the ledger: {before}; now they are {now}. The "
        "figures of closed days rest on them. Restore the option, or move the closed days away "
        "with usance reopen and close them again."
    )


@error
def include_too_wide(pattern: str) -> str:
    return (
        f'include "{pattern}" also finds the .inputs of closed days, which are no Beancount text. '
        'Write include "posted/*.beancount" in its place.'
    )


@error
def include_too_deep(pattern: str) -> str:
    return (
        f'include "{pattern}" would find days too that go to a folder below posted: those of '
        'reopened and of compacted months. Write include "posted/*.beancount" in its place.'
    )


@error
def month_not_included(file: str) -> str:
    return (
        f"The ledger does not include {file}, so the days in it would be posted a second time. "
        'Write include "posted/*.beancount" in place of the pattern that leaves it out.'
    )


@error
def posted_not_included() -> str:
    return (
        "The ledger does not include the closed days in the folder beside it. Write include "
        '"posted/*.beancount" into it.'
    )


@error
def unsealed() -> str:
    return (
        "Only usance accrue writes transactions with the tag #usance and the key usance:, and only "
        "to the month files beside the ledger. Remove the tag and the key if this transaction is "
        "your own, and the whole of it if it is a copy of a generated one."
    )


@error
def seal_astray(kind: str) -> str:
    return (
        f'Only usance accrue writes custom "{kind}", and only to the month files beside the '
        "ledger. Remove this directive, or the whole file if it is a copy of a month."
    )


@error
def hidden_place(file: str) -> str:
    return f'The key filename: "{file}" hides where this directive stands. Remove the key.'


@note
def month_stays_daily(month: str, why: str) -> str:
    return (
        f"{month} stays as its days, since {why}. Keep it so, or move what depends on a day to the "
        "first day of a month."
    )


@error
def month_compacted(month: str) -> str:
    return (
        f"{month} is compacted: its days cannot be reopened. Use usance compact --undo first, "
        "which brings them back."
    )


@error
def broken_chain(date: str, why: str) -> str:
    return (
        f"The chain of closed days is broken at {date or 'its beginning'}: {why}. Restore the "
        "posted files from a backup."
    )


# Doubts


_SURE = "If it is right, write sure: TRUE on the directive."


@doubt
def rate_above_one(what: str, which: str, rate: Decimal) -> str:
    percent, fraction = f"{rate.scaleb(2):f}", f"{rate.scaleb(-2):f}"
    return (
        f"{what}: the {which} {rate:f} is {percent} % a year. Rates are fractions: for {rate:f} %, "
        f"write {fraction}. {_SURE}"
    )


@doubt
def supply_above_borrow(what: str, supply: Decimal, borrow: Decimal, where: str) -> str:
    return (
        f"{what}: the supply rate {supply:f} is above the borrow rate {borrow:f}{where}, so the "
        f"pool would pay more than it gets. The supply rate comes first: compare the two with the "
        f"venue's figures. {_SURE}"
    )


@doubt
def maintenance_above_initial(what: str, key: str, maintenance: Decimal, initial: Decimal) -> str:
    return (
        f"{what}: maintenance-{key} {maintenance:f} is above initial-{key} {initial:f}, so a "
        "position that may just be opened is in breach at once. Compare the two with the venue's "
        f"figures. {_SURE}"
    )


@doubt
def odd_quantum(commodity: str, quantum: Decimal, power: Decimal) -> str:
    return (
        f"commodity {commodity}: the quantum {quantum:f} is no power of ten. A quantum is the "
        f"smallest unit that is posted: write quantum: {power:f}. {_SURE}"
    )


@doubt
def coarse_quantum(commodity: str, quantum: Decimal, moved: Decimal, place: str) -> str:
    return (
        f"commodity {commodity}: the quantum is {quantum:f}, but {place} moves {moved:f} "
        f"{commodity}, a part of it. Interest below a quantum waits: write the smallest unit that "
        f"the venue credits, as in quantum: 0.000001. {_SURE}"
    )


@doubt
def unused_terms(what: str, coin: str, near: str) -> str:
    meant = f"If {near} is meant, write {near}" if near else "Correct the coin, or remove this"
    return f"{what}: no sub-account for which this holds ever has {coin}. {meant}. {_SURE}"


@doubt
def stage_off(kind: str, line: str) -> str:
    return (
        f'custom "{kind}" changes no day, because no plugin line enables its stage. Write plugin '
        f'"{line}" into the top file, or plugin "usance.plugins" for all stages. {_SURE}'
    )


@doubt
def transfer_not_completed(names: Iterable[str]) -> str:
    return (
        f"This moves coins between the sub-accounts {_joined(sorted(names), 'and')}, but no plugin "
        "line enables the stage that balances each of them. Write plugin "
        f'"usance.plugins.sub_accounts" into the top file. {_SURE}'
    )


@doubt
def unused_sub_account(name: str, root: str, near: str) -> str:
    return (
        f'sub-account "{name}": nothing is posted below {root}, but there are accounts below '
        f"{near}. If that is the same wallet, write {near}. {_SURE}"
    )


@doubt
def near_account(account: str, near: str) -> str:
    return (
        f"{account} belongs to no sub-account, but its name is like that of {near}. If that is "
        f"meant, write {near}. {_SURE}"
    )


@doubt
def near_kind(kind: str, near: str) -> str:
    return (
        f'custom "{kind}" has no effect, because Usance has no such directive. If custom "{near}" '
        f"is meant, write that. {_SURE}"
    )


@doubt
def near_key(what: str, key: str, near: str) -> str:
    return f"{what}: the key {key} has no effect. If {near} is meant, write {near} instead. {_SURE}"


@doubt
def key_of_posting(key: str, account: str) -> str:
    return (
        f"The key {key} stands below the posting to {account}, where it has no effect. Write it "
        f"above the postings. {_SURE}"
    )


@doubt
def late_date(date: str, days: int, before: str, place: str, until: str) -> str:
    ends = f" Days are computed only up to {until}." if until else ""
    return (
        f"This is for {date}, {days:,} days after the date before it, {before} of {place}.{ends} "
        f"If a year is mistyped, correct it. {_SURE}"
    )


@doubt
def standing_rate(what: str, since: str, until: str, days: int) -> str:
    return (
        f"{what}: this rate has stood since {since}, and still counts on {until}, after {days} "
        f"days. Write the rates that the venue has shown since then. {_SURE}"
    )


@doubt
def accrued_below_zero(sub_account: str, date: str, balance: str, coin: str) -> str:
    return (
        f'AccruedYield of sub-account "{sub_account}" is {balance} {coin} after {date}: this takes '
        "out more than has accrued until then. Compare date and amount with the venue's statement. "
        "If it paid more than has accrued, take out the accrued amount, and write the difference "
        f"to Income as the variance. {_SURE}"
    )


@doubt
def held_without_price(sub_account: str, coin: str, currency: str) -> str:
    return (
        f'Sub-account "{sub_account}" holds {coin}, which has no price in {currency}, so its value '
        f"is unknown. Write prices, as in price {coin} 1.00 {currency}, with the actual price in "
        f"place of 1.00. {_SURE}"
    )


@doubt
def alike(place: str) -> str:
    return (
        f"This transaction has the date, the time and the postings of {place}. If it was entered "
        f"twice, remove one of the two. {_SURE}"
    )


@doubt
def interest_by_hand(sub_account: str, coin: str, account: str, of_interest: str) -> str:
    place = "" if account == of_interest else f" and book them to {of_interest}"
    return (
        f'This books interest of sub-account "{sub_account}" in {coin} to {account}, but Usance '
        "generates that interest, so the books have it twice. Leave out the venue's rows of "
        f'interest, or write interest: "imported" on the sub-account{place} to keep them. '
        f"{_SURE}"
    )


@doubt
def interest_by_nobody(sub_account: str, since: str, account: str) -> str:
    return (
        f'sub-account "{sub_account}" has interest: "imported" since {since} and lends, but '
        f"nothing is booked to {account} since then, and no feed does so. Book there what the "
        f'venue credits, declare a feed, or write interest: "generated". {_SURE}'
    )


@doubt
def yield_by_hand(sub_account: str, product: str, coin: str, account: str) -> str:
    return (
        f'This books yield of sub-account "{sub_account}" in {coin} to {account}, but the product '
        f'"{product}" generates it. Write pays: with the period, as in pays: "{product} 2025-05", '
        f"and take the amount out of AccruedYield. {_SURE}"
    )


# Reports


@about(2)
@note
def lots_could_repay(sub_account: str, coin: str, lots: str, owed: str) -> str:
    return (
        f'sub-account "{sub_account}" owes {owed} {coin} and holds {lots} {coin} at cost. Usance '
        "never repays a borrow from lots, because they keep their cost. To repay it, write a "
        "transaction that names the lot."
    )


@error
def missing_price(coin: str, currency: str, date: str) -> str:
    return (
        f"{coin} has no price in {currency} on or before {date}, so its value is unknown. "
        f"Write {date} price {coin} 1.00 {currency}, with the actual price in place of 1.00."
    )


RATES = frozenset(("missing-rate", "missing-treasury-rate"))
CONSEQUENCES = RATES | {"breach", "gave-too-much"}
"""What is not told of a sub-account that has an error of its own: it may follow from that."""


def once(problems: Iterable[Problem]) -> Iterator[Problem]:
    """Yield problems, those of one name and subject only once, and none that follows from others.

    A missing rate is an error too, but what is wrong with a balance may be why it needs the rate.
    """
    every = list(problems)
    faulty = {name for one in every if one.kind is Kind.ERROR for name in one.owners}
    wrong = {
        name
        for one in every
        if one.kind is Kind.ERROR and one.name not in RATES
        for name in one.owners
    }
    seen: set[tuple[str, ...]] = set()
    for problem in every:
        if problem.name in CONSEQUENCES:
            behind = wrong if problem.name in RATES else faulty
            if any(name in behind for name in problem.owners):
                continue
        key = (problem.name, *problem.subject)
        if not problem.subject or key not in seen:
            seen.add(key)
            yield problem
