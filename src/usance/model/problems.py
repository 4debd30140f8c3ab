"""Problems: what is wrong in a ledger, where, and what to write instead.

One function for each text, which is only its sentence: a decorator makes it a problem at a place.
The name of a problem is the name of its function; `docs/errors.md` shows each with the ledger that
causes it.
"""

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
    NOTE        a remark of `usance check`
    """

    ERROR = "error"
    CHANGE = "change"
    FINDING = "finding"
    OLD_FIGURE = "old figure"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Problem:
    """Something that a person should know or correct.

    subject  what it is about: a problem of one name and subject is reported once, on its first day
    """

    source: Source
    name: str
    message: str
    kind: Kind
    subject: tuple[str, ...] = ()

    @property
    def finding(self) -> bool:
        """Tell whether this is a fact about the account, and no fault of the text."""
        return self.kind in (Kind.FINDING, Kind.OLD_FIGURE)


Made = Callable[Concatenate[Source, P], Problem]
"""A text with its decorator: it takes a place before the arguments of the text."""


def _kind(kind: Kind) -> Callable[[Callable[P, str]], Made[P]]:
    """Return a decorator that makes a text problems of a kind."""

    def decorated(text: Callable[P, str]) -> Made[P]:
        name = text.__name__.replace("_", "-")

        @wraps(text)
        def problem(source: Source, /, *words: P.args, **named: P.kwargs) -> Problem:
            return Problem(source, name, text(*words, **named), kind)

        return problem

    return decorated


error = _kind(Kind.ERROR)
change = _kind(Kind.CHANGE)
finding = _kind(Kind.FINDING)
old_figure = _kind(Kind.OLD_FIGURE)
note = _kind(Kind.NOTE)


def about(count: int) -> Callable[[Made[P]], Made[P]]:
    """Return a decorator that makes the first arguments of a text the subject of its problems."""

    def decorated(made: Made[P]) -> Made[P]:
        @wraps(made)
        def problem(source: Source, /, *words: P.args, **named: P.kwargs) -> Problem:
            return replace(made(source, *words, **named), subject=tuple(map(str, words[:count])))

        return problem

    return decorated


def _list(names: Iterable[str]) -> str:
    return ", ".join(names)


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
    "from 0 to 100": "Write an annual fraction from 0 to 100, 0.0412 for 4.12 %",
    "from 0 to 1": "Write a fraction from 0 to 1, 0.10 for 10 %",
    "between 0 and 1": "Write a fraction between 0 and 1, 0.80 for 80 %",
    "above 0": "Write a number above 0",
    "at least 0": "Write a number of at least 0",
    "a whole number of days": "Write a whole number of days",
}


# Plugin lines and options


@error
def plugin_config(line: str) -> str:
    return (
        f'plugin "{line}" takes no configuration. Terms are dated directives: write '
        f'plugin "{line}" alone, and a custom directive for what it should do.'
    )


@error
def plugin_twice(line: str) -> str:
    return f'plugin "{line}" is listed twice. Keep one of the two lines.'


@error
def no_plugin() -> str:
    return (
        "The ledger enables nothing of Usance, so there are no days to close. "
        'Write plugin "usance.plugins" into its top file: Beancount drops plugin lines of '
        "included files."
    )


@error
def no_operating_currency() -> str:
    return (
        "The ledger declares no operating currency, and figures need one. "
        'Write option "operating_currency" "USDC".'
    )


# Directives


@error
def bad_values(kind: str, example: str) -> str:
    return f'custom "{kind}" takes other values than these. Write {example}.'


@error
def unknown_key(what: str, key: str, known: Iterable[str]) -> str:
    return (
        f"{what}: the key {key} is not known here. Remove it, or write one of "
        f"{_list(sorted(known))}."
    )


@error
def keyless(what: str, key: str) -> str:
    return f"{what}: it takes no keys, and {key} is one. Remove the key."


@error
def missing_key(what: str, key: str, example: str) -> str:
    return f"{what}: {key} is missing. Write {key}: {example}."


@error
def wrong_type(what: str, key: str, got: object, example: str) -> str:
    return f"{what}: {key} is {_shown(got)}. Write {key}: {example}."


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
        f'{what}: the tiers "{got}" are not weights from 0 to 1 with growing bounds and one last '
        f'weight above them. Write tiers: "{example}".'
    )


@error
def wrong_currency(what: str, key: str, got: str, coin: str) -> str:
    return f"{what}: {key} is in {got}, and the pool is of {coin}. Write {key}: 1000000 {coin}."


@error
def bad_time(what: str, got: object) -> str:
    return f'{what}: time is {_shown(got)}. Write a UTC time of day, time: "09:30" or "09:30:15".'


@error
def unknown_venue(what: str, venue: str, venues: Iterable[str]) -> str:
    known = " or ".join(f'"{name}"' for name in sorted(venues))
    hint = f"Write venue: {known}" if known else "Declare a sub-account there"
    return (
        f'{what}: no sub-account is at the venue "{venue}". {hint}, or leave '
        "the key out for all venues."
    )


@error
def two_alike(what: str, place: str) -> str:
    return (
        f"{what}: {place} is of the same kind, name and moment. "
        'Keep one of the two, or give one a later date or time: "09:30".'
    )


@error
def bad_account(name: str, root: str, assets: str) -> str:
    return (
        f'sub-account "{name}": {root} is no place for a wallet. '
        f"Write an account of assets with a venue and a name, {assets}:Venue:Name."
    )


@error
def bad_name(name: str) -> str:
    return (
        f'sub-account "{name}": the name must be able to stand in an account. '
        "Begin with a capital letter or a digit; use letters, digits and hyphens."
    )


@error
def root_changed(name: str, root: str, first: str) -> str:
    return (
        f'sub-account "{name}": its account is {first} and stays so, but this says {root}. '
        f"Write {first}, or declare a sub-account of another name."
    )


@error
def root_taken(name: str, root: str, other: str) -> str:
    return (
        f'sub-account "{name}": {root} lies in what belongs to sub-account "{other}". '
        "Give each sub-account an account of its own, beside the others."
    )


@error
def rate_without_pool(coin: str) -> str:
    return (
        f'lending-rate "{coin}": no pool of {coin} there takes its rates from outside. '
        f'Write custom "lending-pool" "{coin}" with rates: "observed", or remove the rates.'
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
        f'{account} is no account of sub-account "{sub_account}" that Usance knows. '
        f"Post to one of {_list(known)}."
    )


@error
def stray_account(account: str, venue: str) -> str:
    return (
        f"{account} lies under the venue {venue} but belongs to no sub-account. Use an account of "
        'a sub-account, declare one with custom "sub-account", or move it outside the venue.'
    )


@error
def pad_on_sub_account(account: str) -> str:
    return (
        f"A pad fills {account} only after the days were computed, so they would not see it. "
        "Write the amount as a transaction."
    )


@error
def crossing(names: Iterable[str]) -> str:
    return (
        f"This transaction touches the sub-accounts {_list(names)}, which are isolated. "
        "A transfer holds wallet postings of exactly two of them and nothing else: "
        "write transfers between wallets, and what each one pays or earns in its own transactions."
    )


# Days


@about(2)
@error
def missing_rate(sub_account: str, coin: str, venue: str, date: str, hour: int) -> str:
    return (
        f'Sub-account "{sub_account}" lends or owes {coin} on {date} at {hour:02}:00 UTC, when '
        f'{venue} has no rate of it. Write custom "lending-rate" "{coin}" with the rates from '
        "that hour on, or the rows of that time into the rates file."
    )


@about(2)
@error
def negative_wallet(sub_account: str, coin: str, date: str, short: str) -> str:
    return (
        f'The wallet of sub-account "{sub_account}" is short of {short} {coin} on {date}, and may '
        "not borrow. Write what came in, or set auto-borrow: TRUE on the sub-account."
    )


@about(2)
@error
def borrow_without_pool(sub_account: str, coin: str, venue: str, date: str) -> str:
    return (
        f'Sub-account "{sub_account}" owes {coin} on {date}, and {venue} has no pool of it. '
        f'Write custom "lending-pool" "{coin}" and its rates.'
    )


@about(2)
@old_figure
def old_rate(sub_account: str, coin: str, row: str, date: str, limit: int) -> str:
    return (
        f'sub-account "{sub_account}" lends or owes {coin} on {date} at a rate of {row}, '
        f"more than {limit} days before. Add rows to the rates file, or write a higher "
        f"stale-after: on the commodity {coin}."
    )


# Margin


@about(2)
@error
def missing_price_of(sub_account: str, commodity: str, quote: str, date: str) -> str:
    return (
        f'Sub-account "{sub_account}" has {commodity} on {date}, which has no price in {quote} on '
        f"or before that day. Write {date} price {commodity} 1.00 {quote}, with the right number."
    )


@about(2)
@old_figure
def old_price(sub_account: str, commodity: str, quoted: str, date: str, limit: int) -> str:
    return (
        f'sub-account "{sub_account}" has {commodity} on {date} at a price of {quoted}, more than '
        f"{limit} days before. Write the day's price, or set stale-after: on the commodity "
        f"{commodity}."
    )


@error
def price_not_positive(commodity: str, price: str) -> str:
    return (
        f"The price of {commodity} is {price}, and must be above zero. Write what a unit is worth."
    )


@about(1)
@error
def no_perpetual(contract: str, date: str) -> str:
    return (
        f"{contract} is held in Perp on {date}, and no terms of it are in force. Write custom "
        f'"perpetual" "{contract}" with settle:, initial-margin: and maintenance-margin:.'
    )


@error
def contract_without_cost(contract: str, settle: str) -> str:
    return (
        f"{contract} is a perpetual contract and must be held at cost. Write "
        f"1 {contract} {{150 {settle}}} to open, {{}} to close."
    )


@error
def contract_in_wallet(contract: str, perp: str) -> str:
    return f"{contract} is a perpetual contract, and a wallet holds coins. Post it to {perp}."


@about(1)
@error
def wrong_settle_coin(contract: str, currency: str, settle: str) -> str:
    return (
        f"{contract} settles in {settle}, but its cost is in {currency}. "
        f"Write its cost in {settle}."
    )


@about(2)
@error
def borrow_without_collateral(sub_account: str, coin: str, date: str) -> str:
    return (
        f'Sub-account "{sub_account}" owes {coin} on {date}, and no collateral terms of it say '
        f'what margin that takes. Write custom "collateral" "{coin}" with weight: and '
        "initial-margin: and maintenance-margin:."
    )


@about(2)
@finding
def breach(sub_account: str, date: str, equity: str, maintenance: str, currency: str) -> str:
    return (
        f'sub-account "{sub_account}" is in breach at the end of {date}: net equity {equity} '
        f"{currency} does not exceed its maintenance margin {maintenance} {currency}. Add "
        "collateral, or reduce positions or borrows."
    )


@finding
def gave_too_much(sub_account: str, date: str, available: str, currency: str) -> str:
    return (
        f'sub-account "{sub_account}" gave this away and ends {date} with available equity of '
        f"{available} {currency}, below zero. Add collateral before it, or mend amounts and "
        "prices: the venue would not have let it go."
    )


@finding
def notional_mismatch(contract: str, written: str, expected: str, coin: str) -> str:
    return (
        f"the notional of this trade in {contract} is {written} {coin}, but quantity x price is "
        f"{expected} {coin}. Write {expected} {coin} in Perp, or mend quantity or price."
    )


@error
def lot_liquidated(contract: str, date: str, identity: str) -> str:
    return (
        f"This closes {contract} of a lot bought on {date} that {identity} has closed already. "
        "Remove the transaction, or write what the venue really did before the liquidation."
    )


# Yield products


@error
def product_changed(name: str, what: str, now: str, before: str) -> str:
    return (
        f'yield-product "{name}": its {what} is {before or "none"} and stays so, but this says '
        f"{now or 'none'}. Declare a product of another name."
    )


@error
def product_name_taken(name: str) -> str:
    return (
        f'yield-product "{name}": a sub-account has that name, and both stand in ids of '
        "transactions. Give the product another name."
    )


@error
def two_products(name: str, coin: str, venue: str, other: str) -> str:
    return (
        f'yield-product "{name}": at {venue} what is lent of {coin} is in the product "{other}" '
        "already. Keep one of them, or name its venue with venue:."
    )


@error
def product_account(name: str, account: str, why: str) -> str:
    return (
        f'yield-product "{name}": {account} cannot hold its bills: {why}. Write an account of its '
        "own beside the sub-accounts, Assets:Venue:Treasury:Bills."
    )


@error
def unknown_product(what: str, name: str, known: Iterable[str]) -> str:
    names = _list(sorted(known))
    hint = f"Write one of {names}" if names else f'Declare it with custom "yield-product" "{name}"'
    return f'{what}: no yield product "{name}" is declared. {hint}.'


@error
def unknown_sub_account(what: str, name: str, known: Iterable[str]) -> str:
    names = _list(sorted(known))
    hint = f"Write one of {names}" if names else f'Declare it with custom "sub-account" "{name}"'
    return f'{what}: no sub-account "{name}" is declared. {hint}.'


@error
def rate_of_bills(name: str) -> str:
    return (
        f'treasury-rate "{name}": the product is backed by bills, and what they accrete is its '
        'income. Remove the rate, or declare the product with source: "observed".'
    )


@error
def bad_pays(got: object) -> str:
    return (
        f"pays: {got} names no product and period. Write the product and the month or the last "
        'day that was paid, pays: "USD 2025-05" or pays: "USD 2025-05-29".'
    )


@error
def no_such_period(product: str, period: str, payout: str) -> str:
    return (
        f'pays: "{product} {period}": the product pays {payout}, so this is none of its '
        "periods. Write a month as 2025-05, a day or the Thursday that ends a week as 2025-05-29."
    )


@about(2)
@error
def missing_treasury_rate(sub_account: str, product: str, date: str) -> str:
    return (
        f'Sub-account "{sub_account}" is in the product "{product}" on {date}, which has no rate '
        f'then. Write custom "treasury-rate" "{product}" with the rate from that day on.'
    )


@about(2)
@old_figure
def old_treasury_rate(
    sub_account: str, product: str, row: str, date: str, limit: int, coin: str
) -> str:
    return (
        f'sub-account "{sub_account}" is in the product "{product}" on {date} at a rate of {row}, '
        f"more than {limit} days before. Add rows to the rates file, or set stale-after: on the "
        f"commodity {coin}."
    )


@error
def bill_without_maturity(bill: str) -> str:
    return (
        f"{bill} is held as a bill, and nothing says when it is paid back. Write a commodity "
        f"directive of {bill} with maturity: 2025-11-28."
    )


@error
def bill_without_cost(bill: str, asset: str) -> str:
    return (
        f"{bill} is held as a bill without a cost, so what it accretes is unknown. Write "
        f"1000 {bill} {{0.98765 {asset}}}."
    )


@error
def bill_cost(bill: str, cost: str, asset: str) -> str:
    return (
        f"{bill} is held at a cost of {cost}, and must be at one above zero in {asset}, the "
        f"product's asset. Write 1000 {bill} {{0.98765 {asset}}}."
    )


@error
def bill_matured(bill: str, maturity: str, bought: str) -> str:
    return (
        f"{bill} is bought on {bought} and matures on {maturity}, which is not later. Mend the "
        "date of its cost, or maturity: on its commodity."
    )


@about(2)
@finding
def accretion_differs(product: str, date: str, booked: str, held: str, coin: str) -> str:
    return (
        f'product "{product}": Accretion holds {booked} {coin} at the end of {date}, but that of '
        f"the held lots is {held} {coin}. Take out of Accretion what belonged to bills that were "
        "sold or paid back."
    )


@about(2)
@finding
def cash_below_zero(product: str, date: str, cash: str, coin: str) -> str:
    return (
        f'product "{product}": its Cash is {cash} {coin} after the payout of {date}. Write the '
        "cash that bills brought in, or what was really paid, with pays:."
    )


# Closed days


@change
def closed_day_changed(date: str, how: str, text: str) -> str:
    return (
        f"{date} is closed, and this was {how} since: {text}. Undo the edit, or let "
        "usance accrue --correct post the difference on the first open day."
    )


@error
def inputs_lost(date: str, file: str) -> str:
    return (
        f"{date} is closed, and what it was closed with has changed; {file}, which would name "
        "the directive, is missing or does not match the seal. Restore it from a copy."
    )


@error
def correction_unreached(date: str) -> str:
    return (
        f"A closed day has changed, and the difference belongs to {date}, the first open day, "
        f"which this run does not reach. Use --through {date}, or a later day."
    )


@error
def open_before_closed(date: str, last: str) -> str:
    return (
        f"{date} is not closed, but {last} is. Restore the posted files from a copy: "
        "days are closed one after the other."
    )


@error
def closed_twice(date: str) -> str:
    return f"{date} is closed twice. Restore the posted files from a copy."


@error
def posted_in_open_day(identity: str, date: str) -> str:
    return (
        f"{identity} is posted, but {date} is not closed. Remove the transaction: "
        "usance accrue writes it when it closes the day."
    )


@error
def bad_proof(identity: str, key: str) -> str:
    return f"{identity}: its {key} cannot be read. Restore the posted files from a copy."


@error
def bad_seal(date: str) -> str:
    return (
        f"The close of {date} is not as usance accrue wrote it. Restore the posted files "
        "from a copy."
    )


def _name(path: str) -> str:
    return path.rpartition("/")[2]


@error
def no_posted_folder(folder: str) -> str:
    return (
        f"The folder {_name(folder)} beside the ledger is missing, and closed days go there. "
        "Make it, put a file first.beancount with a comment into it, and write include "
        f'"{_name(folder)}/*.beancount" into the ledger.'
    )


@error
def posted_elsewhere(folder: str) -> str:
    return (
        f"{_name(folder)} is a link that leads out of the ledger's folder. Make it a folder "
        "beside the ledger."
    )


@error
def opened_below(identity: str, currency: str, line: int) -> str:
    return (
        f"{identity} closes {currency} of this day, and would be posted at line {line}, above this "
        "trade. Beancount books a date in order of lines, in whatever file. Take the trade into a "
        f"file of its own that the ledger includes, or above line {line}."
    )


@error
def posted_not_included() -> str:
    return (
        "The ledger does not include the days that are posted beside it. Write include "
        '"posted/*.beancount" into it.'
    )


@error
def unsealed() -> str:
    return (
        "This reads like a closed day, but no close covers it: usance accrue writes to the month "
        "files beside the ledger only. Remove it."
    )


@error
def broken_chain(date: str, why: str) -> str:
    return (
        f"The chain of closed days is broken at {date or 'its begin'}: {why}. Restore the posted "
        "files from a copy."
    )


# Reports


@note
def lots_could_repay(sub_account: str, coin: str, lots: str, owed: str) -> str:
    return (
        f'sub-account "{sub_account}" owes {owed} {coin} and holds {lots} {coin} at cost. Lots '
        "keep their cost, so they never repay by themselves: write a repayment that names the lot."
    )


@error
def missing_price(coin: str, currency: str, date: str) -> str:
    return (
        f"{coin} has no price in {currency} on or before {date}, so what is held cannot be "
        f"valued. Write {date} price {coin} 1.00 {currency}, with the right number."
    )


def once(found: Iterable[Problem]) -> Iterator[Problem]:
    """Yield problems, those of one name and subject only once."""
    told: set[tuple[str, ...]] = set()
    for problem in found:
        key = (problem.name, *problem.subject)
        if not problem.subject or key not in told:
            told.add(key)
            yield problem
