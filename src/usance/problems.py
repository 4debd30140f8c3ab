"""Problems: what is wrong in a ledger, where, and what to write instead.

One function for each text. The name of a problem is the name of its function; `docs/errors.md`
shows each with the ledger that causes it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal
from typing import NamedTuple

STALE_AFTER = 3
"""Days after which a row of a file is old, where its commodity does not say otherwise."""


CHANGED = "closed-day-changed"
"""The one error that a correction takes away."""


class Source(NamedTuple):
    """Where a person wrote something."""

    file: str
    line: int


@dataclass(frozen=True, slots=True)
class Problem:
    """A fault of the text, or (`finding`) a fact about the account that somebody should know.

    subject  what it is about: a problem of one name and subject is reported once, on its first day
    """

    source: Source
    name: str
    message: str
    finding: bool = False
    subject: tuple[str, ...] = ()


def _error(source: Source, name: str, message: str) -> Problem:
    return Problem(source, name, message)


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


def plugin_config(source: Source, line: str) -> Problem:
    return _error(
        source,
        "plugin-config",
        f'plugin "{line}" takes no configuration. Terms are dated directives: write '
        f'plugin "{line}" alone, and a custom directive for what it should do.',
    )


def plugin_twice(source: Source, line: str) -> Problem:
    return _error(
        source, "plugin-twice", f'plugin "{line}" is listed twice. Keep one of the two lines.'
    )


def no_plugin(source: Source) -> Problem:
    return _error(
        source,
        "no-plugin",
        "The ledger enables nothing of Usance, so there are no days to close. "
        'Write plugin "usance.plugins" into its top file: Beancount drops plugin lines of '
        "included files.",
    )


def no_operating_currency(source: Source) -> Problem:
    return _error(
        source,
        "no-operating-currency",
        "The ledger declares no operating currency, and figures need one. "
        'Write option "operating_currency" "USDC".',
    )


# Directives


def bad_values(source: Source, kind: str, example: str) -> Problem:
    return _error(
        source, "bad-values", f'custom "{kind}" takes other values than these. Write {example}.'
    )


def unknown_key(source: Source, what: str, key: str, known: Iterable[str]) -> Problem:
    return _error(
        source,
        "unknown-key",
        f"{what}: the key {key} is not known here. Remove it, or write one of "
        f"{_list(sorted(known))}.",
    )


def keyless(source: Source, what: str, key: str) -> Problem:
    return _error(source, "keyless", f"{what}: it takes no keys, and {key} is one. Remove the key.")


def missing_key(source: Source, what: str, key: str, example: str) -> Problem:
    return _error(source, "missing-key", f"{what}: {key} is missing. Write {key}: {example}.")


def wrong_type(source: Source, what: str, key: str, got: object, example: str) -> Problem:
    return _error(source, "wrong-type", f"{what}: {key} is {_shown(got)}. Write {key}: {example}.")


def out_of_range(source: Source, what: str, key: str, got: Decimal, bounds: str) -> Problem:
    return _error(source, "out-of-range", f"{what}: {key} is {got:f}. {_REMEDIES[bounds]}.")


def rate_out_of_range(source: Source, what: str, key: str, got: Decimal) -> Problem:
    shown = f"{got:f}" if abs(got.adjusted()) < 40 else str(got)
    return _error(
        source,
        "rate-out-of-range",
        f"{what}: the {key} is {shown}. {_REMEDIES['from 0 to 100']}.",
    )


def bad_tiers(source: Source, what: str, got: str, example: str) -> Problem:
    return _error(
        source,
        "bad-tiers",
        f'{what}: the tiers "{got}" are not weights from 0 to 1 with growing bounds and one last '
        f'weight above them. Write tiers: "{example}".',
    )


def wrong_currency(source: Source, what: str, key: str, got: str, coin: str) -> Problem:
    return _error(
        source,
        "wrong-currency",
        f"{what}: {key} is in {got}, and the pool is of {coin}. Write {key}: 1000000 {coin}.",
    )


def bad_time(source: Source, what: str, got: object) -> Problem:
    return _error(
        source,
        "bad-time",
        f'{what}: time is {_shown(got)}. Write a UTC time of day, time: "09:30" or "09:30:15".',
    )


def unknown_venue(source: Source, what: str, venue: str, venues: Iterable[str]) -> Problem:
    known = " or ".join(f'"{name}"' for name in sorted(venues))
    hint = f"Write venue: {known}" if known else "Declare a sub-account there"
    return _error(
        source,
        "unknown-venue",
        f'{what}: no sub-account is at the venue "{venue}". {hint}, or leave '
        "the key out for all venues.",
    )


def two_alike(source: Source, what: str, other: Source) -> Problem:
    place = "" if other.file == source.file else f" of {other.file}"
    return _error(
        source,
        "two-alike",
        f"{what}: line {other.line}{place} is of the same kind, name and moment. "
        'Keep one of the two, or give one a later date or time: "09:30".',
    )


def bad_account(source: Source, name: str, root: str, assets: str) -> Problem:
    return _error(
        source,
        "bad-account",
        f'sub-account "{name}": {root} is no place for a wallet. '
        f"Write an account of assets with a venue and a name, {assets}:Venue:Name.",
    )


def bad_name(source: Source, name: str) -> Problem:
    return _error(
        source,
        "bad-name",
        f'sub-account "{name}": the name must be able to stand in an account. '
        "Begin with a capital letter or a digit; use letters, digits and hyphens.",
    )


def root_changed(source: Source, name: str, root: str, first: str) -> Problem:
    return _error(
        source,
        "root-changed",
        f'sub-account "{name}": its account is {first} and stays so, but this says {root}. '
        f"Write {first}, or declare a sub-account of another name.",
    )


def root_taken(source: Source, name: str, root: str, other: str) -> Problem:
    return _error(
        source,
        "root-taken",
        f'sub-account "{name}": {root} lies in what belongs to sub-account "{other}". '
        "Give each sub-account an account of its own, beside the others.",
    )


def rate_without_pool(source: Source, coin: str) -> Problem:
    return _error(
        source,
        "rate-without-pool",
        f'lending-rate "{coin}": no pool of {coin} there takes its rates from outside. '
        f'Write custom "lending-pool" "{coin}" with rates: "observed", or remove the rates.',
    )


# Rates files


def rates_file(source: Source, path: str, why: str, remedy: str) -> Problem:
    return _error(source, "rates-file", f"The rates file {path} {why}. {remedy}.")


def rates_row(source: Source, why: str, remedy: str) -> Problem:
    return _error(source, "rates-row", f"{why}. {remedy}.")


# Accounts and crossings


def unknown_account(
    source: Source, account: str, sub_account: str, known: Iterable[str]
) -> Problem:
    return _error(
        source,
        "unknown-account",
        f'{account} is no account of sub-account "{sub_account}" that Usance knows. '
        f"Post to one of {_list(known)}.",
    )


def stray_account(source: Source, account: str, venue: str) -> Problem:
    return _error(
        source,
        "stray-account",
        f"{account} lies under the venue {venue} but belongs to no sub-account. Use an account of "
        'a sub-account, declare one with custom "sub-account", or move it outside the venue.',
    )


def pad_on_sub_account(source: Source, account: str) -> Problem:
    return _error(
        source,
        "pad-on-sub-account",
        f"A pad fills {account} only after the days were computed, so they would not see it. "
        "Write the amount as a transaction.",
    )


def crossing(source: Source, names: Iterable[str]) -> Problem:
    return _error(
        source,
        "crossing",
        f"This transaction touches the sub-accounts {_list(names)}, which are isolated. "
        "A transfer holds wallet postings of exactly two of them and nothing else: "
        "write transfers between wallets, and what each one pays or earns in its own transactions.",
    )


# Days


def missing_rate(
    source: Source, sub_account: str, coin: str, venue: str, date: str, hour: int
) -> Problem:
    return Problem(
        source,
        "missing-rate",
        f'Sub-account "{sub_account}" lends or owes {coin} on {date} at {hour:02}:00 UTC, when '
        f'{venue} has no rate of it. Write custom "lending-rate" "{coin}" with the rates from '
        "that hour on, or the rows of that time into the rates file.",
        subject=(sub_account, coin),
    )


def negative_wallet(source: Source, sub_account: str, coin: str, date: str, short: str) -> Problem:
    return Problem(
        source,
        "negative-wallet",
        f'The wallet of sub-account "{sub_account}" is short of {short} {coin} on {date}, and may '
        "not borrow. Write what came in, or set auto-borrow: TRUE on the sub-account.",
        subject=(sub_account, coin),
    )


def borrow_without_pool(
    source: Source, sub_account: str, coin: str, venue: str, date: str
) -> Problem:
    return Problem(
        source,
        "borrow-without-pool",
        f'Sub-account "{sub_account}" owes {coin} on {date}, and {venue} has no pool of it. '
        f'Write custom "lending-pool" "{coin}" and its rates.',
        subject=(sub_account, coin),
    )


def old_rate(
    source: Source, sub_account: str, coin: str, row: str, date: str, limit: int
) -> Problem:
    return Problem(
        source,
        "old-rate",
        f'sub-account "{sub_account}" lends or owes {coin} on {date} at a rate of {row}, '
        f"more than {limit} days before. Add rows to the rates file, or write a higher "
        f"stale-after: on the commodity {coin}.",
        finding=True,
        subject=(sub_account, coin),
    )


# Margin


def missing_price_of(
    source: Source, sub_account: str, commodity: str, quote: str, date: str
) -> Problem:
    return Problem(
        source,
        "missing-price-of",
        f'Sub-account "{sub_account}" has {commodity} on {date}, which has no price in {quote} on '
        f"or before that day. Write {date} price {commodity} 1.00 {quote}, with the right number.",
        subject=(sub_account, commodity),
    )


def old_price(
    source: Source, sub_account: str, commodity: str, quoted: str, date: str, limit: int
) -> Problem:
    return Problem(
        source,
        "old-price",
        f'sub-account "{sub_account}" has {commodity} on {date} at a price of {quoted}, more than '
        f"{limit} days before. Write the day's price, or set stale-after: on the commodity "
        f"{commodity}.",
        finding=True,
        subject=(sub_account, commodity),
    )


def price_not_positive(source: Source, commodity: str, price: str) -> Problem:
    return _error(
        source,
        "price-not-positive",
        f"The price of {commodity} is {price}, and must be above zero. Write what a unit is worth.",
    )


def no_perpetual(source: Source, contract: str, date: str) -> Problem:
    return Problem(
        source,
        "no-perpetual",
        f"{contract} is held in Perp on {date}, and no terms of it are in force. Write custom "
        f'"perpetual" "{contract}" with settle:, initial-margin: and maintenance-margin:.',
        subject=(contract,),
    )


def contract_without_cost(source: Source, contract: str, settle: str) -> Problem:
    return _error(
        source,
        "contract-without-cost",
        f"{contract} is a perpetual contract and must be held at cost. Write "
        f"1 {contract} {{150 {settle}}} to open, {{}} to close.",
    )


def contract_in_wallet(source: Source, contract: str, perp: str) -> Problem:
    return _error(
        source,
        "contract-in-wallet",
        f"{contract} is a perpetual contract, and a wallet holds coins. Post it to {perp}.",
    )


def wrong_settle_coin(source: Source, contract: str, currency: str, settle: str) -> Problem:
    return Problem(
        source,
        "wrong-settle-coin",
        f"{contract} settles in {settle}, but its cost is in {currency}. "
        f"Write its cost in {settle}.",
        subject=(contract,),
    )


def borrow_without_collateral(source: Source, sub_account: str, coin: str, date: str) -> Problem:
    return Problem(
        source,
        "borrow-without-collateral",
        f'Sub-account "{sub_account}" owes {coin} on {date}, and no collateral terms of it say '
        f'what margin that takes. Write custom "collateral" "{coin}" with weight: and '
        "initial-margin: and maintenance-margin:.",
        subject=(sub_account, coin),
    )


def breach(
    source: Source, sub_account: str, date: str, equity: str, maintenance: str, currency: str
) -> Problem:
    return Problem(
        source,
        "breach",
        f'sub-account "{sub_account}" is in breach at the end of {date}: net equity {equity} '
        f"{currency} does not exceed its maintenance margin {maintenance} {currency}. Add "
        "collateral, or reduce positions or borrows.",
        finding=True,
        subject=(sub_account, date),
    )


def gave_too_much(
    source: Source, sub_account: str, date: str, available: str, currency: str
) -> Problem:
    return Problem(
        source,
        "gave-too-much",
        f'sub-account "{sub_account}" gave this away and ends {date} with available equity of '
        f"{available} {currency}, below zero. Add collateral before it, or mend amounts and "
        "prices: the venue would not have let it go.",
        finding=True,
    )


def notional_mismatch(
    source: Source, contract: str, written: str, expected: str, coin: str
) -> Problem:
    return Problem(
        source,
        "notional-mismatch",
        f"the notional of this trade in {contract} is {written} {coin}, but quantity x price is "
        f"{expected} {coin}. Write {expected} {coin} in Perp, or mend quantity or price.",
        finding=True,
    )


def lot_liquidated(source: Source, contract: str, date: str, identity: str) -> Problem:
    return _error(
        source,
        "lot-liquidated",
        f"This closes {contract} of a lot bought on {date} that {identity} has closed already. "
        "Remove the transaction, or write what the venue really did before the liquidation.",
    )


# Yield products


def product_changed(source: Source, name: str, what: str, now: str, before: str) -> Problem:
    return _error(
        source,
        "product-changed",
        f'yield-product "{name}": its {what} is {before or "none"} and stays so, but this says '
        f"{now or 'none'}. Declare a product of another name.",
    )


def product_name_taken(source: Source, name: str) -> Problem:
    return _error(
        source,
        "product-name-taken",
        f'yield-product "{name}": a sub-account has that name, and both stand in ids of '
        "transactions. Give the product another name.",
    )


def two_products(source: Source, name: str, coin: str, venue: str, other: str) -> Problem:
    return _error(
        source,
        "two-products",
        f'yield-product "{name}": at {venue} what is lent of {coin} is in the product "{other}" '
        "already. Keep one of them, or name its venue with venue:.",
    )


def product_account(source: Source, name: str, account: str, why: str) -> Problem:
    return _error(
        source,
        "product-account",
        f'yield-product "{name}": {account} cannot hold its bills: {why}. Write an account of its '
        "own beside the sub-accounts, Assets:Venue:Treasury:Bills.",
    )


def unknown_product(source: Source, what: str, name: str, known: Iterable[str]) -> Problem:
    names = _list(sorted(known))
    hint = f"Write one of {names}" if names else f'Declare it with custom "yield-product" "{name}"'
    return _error(
        source, "unknown-product", f'{what}: no yield product "{name}" is declared. {hint}.'
    )


def unknown_sub_account(source: Source, what: str, name: str, known: Iterable[str]) -> Problem:
    names = _list(sorted(known))
    hint = f"Write one of {names}" if names else f'Declare it with custom "sub-account" "{name}"'
    return _error(
        source, "unknown-sub-account", f'{what}: no sub-account "{name}" is declared. {hint}.'
    )


def rate_of_bills(source: Source, name: str) -> Problem:
    return _error(
        source,
        "rate-of-bills",
        f'treasury-rate "{name}": the product is backed by bills, and what they accrete is its '
        'income. Remove the rate, or declare the product with source: "observed".',
    )


def bad_pays(source: Source, got: object) -> Problem:
    return _error(
        source,
        "bad-pays",
        f"pays: {got} names no product and period. Write the product and the month or the last "
        'day that was paid, pays: "USD 2025-05" or pays: "USD 2025-05-29".',
    )


def no_such_period(source: Source, product: str, period: str, payout: str) -> Problem:
    return _error(
        source,
        "no-such-period",
        f'pays: "{product} {period}": the product pays {payout}, so this is none of its '
        "periods. Write a month as 2025-05, a day or the Thursday that ends a week as 2025-05-29.",
    )


def missing_treasury_rate(source: Source, sub_account: str, product: str, date: str) -> Problem:
    return Problem(
        source,
        "missing-treasury-rate",
        f'Sub-account "{sub_account}" is in the product "{product}" on {date}, which has no rate '
        f'then. Write custom "treasury-rate" "{product}" with the rate from that day on.',
        subject=(sub_account, product),
    )


def old_treasury_rate(
    source: Source, sub_account: str, product: str, row: str, date: str, limit: int, coin: str
) -> Problem:
    return Problem(
        source,
        "old-treasury-rate",
        f'sub-account "{sub_account}" is in the product "{product}" on {date} at a rate of {row}, '
        f"more than {limit} days before. Add rows to the rates file, or set stale-after: on the "
        f"commodity {coin}.",
        finding=True,
        subject=(sub_account, product),
    )


def bill_without_maturity(source: Source, bill: str) -> Problem:
    return _error(
        source,
        "bill-without-maturity",
        f"{bill} is held as a bill, and nothing says when it is paid back. Write a commodity "
        f"directive of {bill} with maturity: 2025-11-28.",
    )


def bill_without_cost(source: Source, bill: str, asset: str) -> Problem:
    return _error(
        source,
        "bill-without-cost",
        f"{bill} is held as a bill without a cost, so what it accretes is unknown. Write "
        f"1000 {bill} {{0.98765 {asset}}}.",
    )


def bill_cost(source: Source, bill: str, cost: str, asset: str) -> Problem:
    return _error(
        source,
        "bill-cost",
        f"{bill} is held at a cost of {cost}, and must be at one above zero in {asset}, the "
        f"product's asset. Write 1000 {bill} {{0.98765 {asset}}}.",
    )


def bill_matured(source: Source, bill: str, maturity: str, bought: str) -> Problem:
    return _error(
        source,
        "bill-matured",
        f"{bill} is bought on {bought} and matures on {maturity}, which is not later. Mend the "
        "date of its cost, or maturity: on its commodity.",
    )


def accretion_differs(
    source: Source, product: str, date: str, booked: str, held: str, coin: str
) -> Problem:
    return Problem(
        source,
        "accretion-differs",
        f'product "{product}": Accretion holds {booked} {coin} at the end of {date}, but that of '
        f"the held lots is {held} {coin}. Take out of Accretion what belonged to bills that were "
        "sold or paid back.",
        finding=True,
        subject=(product, date),
    )


def cash_below_zero(source: Source, product: str, date: str, cash: str, coin: str) -> Problem:
    return Problem(
        source,
        "cash-below-zero",
        f'product "{product}": its Cash is {cash} {coin} after the payout of {date}. Write the '
        "cash that bills brought in, or what was really paid, with pays:.",
        finding=True,
        subject=(product, date),
    )


# Closed days


def closed_day_changed(source: Source, date: str, how: str, text: str) -> Problem:
    return _error(
        source,
        CHANGED,
        f"{date} is closed, and this was {how} since: {text}. Undo the edit, or let "
        "usance accrue --correct post the difference on the first open day.",
    )


def inputs_lost(source: Source, date: str, file: str) -> Problem:
    return _error(
        source,
        "inputs-lost",
        f"{date} is closed, and what it was closed with has changed; {file}, which would name "
        "the directive, is missing or does not match the seal. Restore it from a copy.",
    )


def correction_unreached(source: Source, date: str) -> Problem:
    return _error(
        source,
        "correction-unreached",
        f"A closed day has changed, and the difference belongs to {date}, the first open day, "
        f"which this run does not reach. Use --through {date}, or a later day.",
    )


def open_before_closed(source: Source, date: str, last: str) -> Problem:
    return _error(
        source,
        "open-before-closed",
        f"{date} is not closed, but {last} is. Restore the posted files from a copy: "
        "days are closed one after the other.",
    )


def closed_twice(source: Source, date: str) -> Problem:
    return _error(
        source,
        "closed-twice",
        f"{date} is closed twice. Restore the posted files from a copy.",
    )


def posted_in_open_day(source: Source, identity: str, date: str) -> Problem:
    return _error(
        source,
        "posted-in-open-day",
        f"{identity} is posted, but {date} is not closed. Remove the transaction: "
        "usance accrue writes it when it closes the day.",
    )


def bad_proof(source: Source, identity: str, key: str) -> Problem:
    return _error(
        source,
        "bad-proof",
        f"{identity}: its {key} cannot be read. Restore the posted files from a copy.",
    )


def bad_seal(source: Source, date: str) -> Problem:
    return _error(
        source,
        "bad-seal",
        f"The close of {date} is not as usance accrue wrote it. Restore the posted files "
        "from a copy.",
    )


def _name(path: str) -> str:
    return path.rpartition("/")[2]


def no_posted_folder(source: Source, folder: str) -> Problem:
    return _error(
        source,
        "no-posted-folder",
        f"The folder {_name(folder)} beside the ledger is missing, and closed days go there. "
        "Make it, put a file first.beancount with a comment into it, and write include "
        f'"{_name(folder)}/*.beancount" into the ledger.',
    )


def posted_elsewhere(source: Source, folder: str) -> Problem:
    return _error(
        source,
        "posted-elsewhere",
        f"{_name(folder)} is a link that leads out of the ledger's folder. Make it a folder "
        "beside the ledger.",
    )


def opened_below(source: Source, identity: str, currency: str, line: int) -> Problem:
    return _error(
        source,
        "opened-below",
        f"{identity} closes {currency} of this day, and would be posted at line {line}, above this "
        "trade. Beancount books a date in order of lines, in whatever file. Take the trade into a "
        f"file of its own that the ledger includes, or above line {line}.",
    )


def posted_not_included(source: Source) -> Problem:
    return _error(
        source,
        "posted-not-included",
        "The ledger does not include the days that are posted beside it. Write include "
        '"posted/*.beancount" into it.',
    )


def unsealed(source: Source) -> Problem:
    return _error(
        source,
        "unsealed",
        "This reads like a closed day, but no close covers it: usance accrue writes to the month "
        "files beside the ledger only. Remove it.",
    )


def broken_chain(source: Source, date: str, why: str) -> Problem:
    return _error(
        source,
        "broken-chain",
        f"The chain of closed days is broken at {date or 'its begin'}: {why}. Restore the posted "
        "files from a copy.",
    )


# Reports


def lots_could_repay(source: Source, sub_account: str, coin: str, lots: str, owed: str) -> Problem:
    return Problem(
        source,
        "lots-could-repay",
        f'sub-account "{sub_account}" owes {owed} {coin} and holds {lots} {coin} at cost. Lots '
        "keep their cost, so they never repay by themselves: write a repayment that names the lot.",
    )


def missing_price(source: Source, coin: str, currency: str, date: str) -> Problem:
    return _error(
        source,
        "missing-price",
        f"{coin} has no price in {currency} on or before {date}, so what is held cannot be "
        f"valued. Write {date} price {coin} 1.00 {currency}, with the right number.",
    )
