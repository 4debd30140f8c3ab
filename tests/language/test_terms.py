"""Every key of every kind of directive, and every way to get it wrong."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from beancount.core.data import Directives, Transaction
from folders import Folder
from test_errors import load, usance

from usance.language.lending_terms import KEYS

TERMS = {
    "commodity": "2025-05-01 commodity USDC\n  quantum: 0.000001\n",
    "sub-account": '2025-05-01 custom "sub-account" "Arb" Assets:Backpack:Arb\n  auto-lend: TRUE\n',
    "observed": '2025-05-01 custom "lending-pool" "USDC"\n  rates: "observed"\n',
    "rate": '2025-05-01 custom "lending-rate" "USDC" 0.0156 0.0310\n',
    "file": '2025-05-01 custom "lending-rate" "EUR" "rates/usdc.csv"\n',
    "curve": """\
2025-05-01 custom "lending-pool" "SOL"
  rates: "curve"
  slope-1: 0.06
  slope-2: 0.75
  optimal-utilization: 0.80
""",
    "accrue-through": '2025-05-03 custom "accrue-through" 2025-05-03\n',
    "transaction": """\
2025-05-02 * "Interest of another kind"
  Assets:Backpack:Main:Wallet        1 GBP
  Assets:Bank
""",
}
WHAT = {
    "commodity": "commodity USDC",
    "sub-account": 'sub-account "Arb"',
    "observed": 'lending-pool "USDC"',
    "rate": 'lending-rate "USDC"',
    "file": 'lending-rate "EUR"',
    "curve": 'lending-pool "SOL"',
    "accrue-through": "accrue-through",
    "transaction": "transaction",
}
BLOCKED = {
    "commodity": "USDC",
    "sub-account": "Arb",
    "observed": "USDC",
    "rate": "USDC",
    "file": "EUR",
    "curve": "SOL",
}
"""The coin or sub-account for which nothing is generated while its term is wrong."""

BEFORE = """\
option "operating_currency" "USDC"
plugin "usance.plugins"
include "posted/*.beancount"
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
2025-05-01 custom "lending-pool" "EUR"
  rates: "observed"
"""
AFTER = """\
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Wallet
2025-05-01 open Assets:Backpack:Arb:Wallet
2025-05-01 * "Deposits"
  Assets:Backpack:Main:Wallet     1000 USDC
  Assets:Backpack:Main:Wallet     1000 EUR
  Assets:Backpack:Main:Wallet       10 SOL
  Assets:Bank
2025-05-01 * "Deposits of Arb"
  Assets:Backpack:Arb:Wallet      1000 USDC
  Assets:Backpack:Arb:Wallet      1000 EUR
  Assets:Backpack:Arb:Wallet        10 SOL
  Assets:Bank
"""
PAIRS = {(name, coin) for name in ("Main", "Arb") for coin in ("USDC", "EUR", "SOL")}
ROWS = "time_utc,supply_apr,borrow_apr\n2025-05-01T00:00:00Z,0.01,0.02\n"


def book_with(term: str, text: str, path: Path) -> tuple[Folder, int]:
    """Write a ledger with another text of one term; return the line at which that stands."""
    texts = {**TERMS, term: text}
    ledger = f"{BEFORE}{''.join(texts.values())}{AFTER}"
    above = BEFORE + "".join(TERMS.values())
    folder = Folder.made(path, ledger, ROWS)
    return folder, above.count("\n", 0, above.index(TERMS[term])) + 1


def lent(entries: Directives) -> set[tuple[str, str]]:
    """Return for which sub-accounts and coins something is lent."""
    return {
        (entry.meta["usance"].split("/")[2], posting.units.currency)
        for entry in entries
        if isinstance(entry, Transaction) and "lending" in entry.tags
        for posting in entry.postings
        if posting.units is not None
    }


def having(term: str, key: str, value: str) -> str:
    """Return a term with a key, in the place of the one that it has."""
    head, *rest = TERMS[term].splitlines(keepends=True)
    kept = [line for line in rest if not line.startswith(f"  {key}:")]
    return "".join([head, f"  {key}: {value}\n", *kept])


def without(term: str, key: str) -> str:
    """Return a term without one of its keys."""
    lines = TERMS[term].splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(f"  {key}:"))


Row = tuple[str, str, str]
"""A term, its wrong text, and what is told."""

KNOWN = {
    "sub-account": "auto-borrow, auto-lend, auto-repay, earn, interest, leverage-limit, time",
    "observed": "entry-fee, rates, time, venue",
    "curve": "base-rate, external-borrowed, external-lent, fee, optimal-utilization, rates, "
    "slope-1, slope-2, time, venue",
    "rate": "time, utilization, venue",
    "file": "time, venue",
}
ALL_KEYS = sorted(set(", ".join(KNOWN.values()).split(", ")))
SWITCHES = [
    ("sub-account", "auto-lend"),
    ("sub-account", "auto-borrow"),
    ("sub-account", "auto-repay"),
    ("sub-account", "earn"),
    ("observed", "entry-fee"),
]
NUMBERS = [
    ("commodity", "quantum", "0.000001"),
    ("commodity", "stale-after", "30"),
    ("sub-account", "leverage-limit", "10"),
    ("rate", "utilization", "0.72"),
    ("curve", "base-rate", "0.00"),
    ("curve", "slope-1", "0.06"),
    ("curve", "slope-2", "0.75"),
    ("curve", "optimal-utilization", "0.80"),
    ("curve", "fee", "0.10"),
]
AMOUNTS = [("curve", "external-lent"), ("curve", "external-borrowed")]
TIMED = ["sub-account", "observed", "rate", "file", "curve", "transaction"]
WITH_VENUE = ["observed", "rate", "file", "curve"]

SHOWN = {
    "TRUE": "TRUE",
    "12": "the number 12",
    '"yes"': 'the text "yes"',
    "12 USDC": "12 USDC",
    "2025-05-01": "2025-05-01",
    "USDC": 'the text "USDC"',
    "": "empty",
}
"""Values of every type, and how they are shown."""

ANNUAL = "Write an annual fraction from 0 to 100, such as 0.0412 for 4.12 %."
SHARE = "Write a fraction from 0 to 1, such as 0.10 for 10 %."
BETWEEN = "Write a fraction between 0 and 1, such as 0.80 for 80 %."
IMPOSSIBLE = [
    ("commodity", "quantum", "0", "Write a number above 0."),
    ("commodity", "quantum", "-0.01", "Write a number above 0."),
    ("commodity", "stale-after", "-1", "Write 0 or a number above 0."),
    ("commodity", "stale-after", "-1.5", "Write 0 or a number above 0."),
    ("commodity", "stale-after", "1.5", "Write a whole number of days."),
    ("sub-account", "leverage-limit", "0", "Write a number above 0."),
    ("sub-account", "leverage-limit", "-10", "Write a number above 0."),
    ("rate", "utilization", "72", SHARE),
    ("rate", "utilization", "-0.72", SHARE),
    ("rate", "utilization", "1.01", SHARE),
    ("curve", "base-rate", "-0.01", ANNUAL),
    ("curve", "base-rate", "100.01", ANNUAL),
    ("curve", "slope-1", "-0.01", ANNUAL),
    ("curve", "slope-1", "101", ANNUAL),
    ("curve", "slope-2", "-0.01", ANNUAL),
    ("curve", "slope-2", "101", ANNUAL),
    ("curve", "optimal-utilization", "0", BETWEEN),
    ("curve", "optimal-utilization", "1", BETWEEN),
    ("curve", "optimal-utilization", "80", BETWEEN),
    ("curve", "optimal-utilization", "-0.8", BETWEEN),
    ("curve", "fee", "-0.01", SHARE),
    ("curve", "fee", "10", SHARE),
]
POSSIBLE = [
    ("commodity", "quantum", "0.0000000000000000001"),
    ("commodity", "quantum", "3"),
    ("commodity", "stale-after", "0"),
    ("commodity", "stale-after", "3.0"),
    ("sub-account", "leverage-limit", "0.5"),
    ("sub-account", "earn", "FALSE"),
    ("rate", "utilization", "0"),
    ("rate", "utilization", "1"),
    ("curve", "base-rate", "0"),
    ("curve", "base-rate", "100"),
    ("curve", "slope-1", "0"),
    ("curve", "slope-2", "0"),
    ("curve", "optimal-utilization", "0.0001"),
    ("curve", "fee", "0"),
    ("curve", "external-lent", "0 SOL"),
    ("curve", "external-borrowed", "1000000 SOL"),
    *((term, "time", time) for term in TIMED for time in ('"00:00"', '"00:00:00"')),
    *((term, "venue", '"Backpack"') for term in WITH_VENUE),
]
TIMES = {
    time: f"the text {time}"
    for time in ('"24:00"', '"9:30"', '"09:60"', '"09:30:60"', '"09:30Z"', '"09:30 "', '""')
}
EXAMPLES = {
    "sub-account": 'custom "sub-account" "Main" Assets:Backpack:Main',
    "observed": 'custom "lending-pool" "USDC"',
    "rate": 'custom "lending-rate" "USDC" 0.0412 0.0630 (supply and borrow APR), '
    'or custom "lending-rate" "USDC" "rates/usdc.csv"',
    "accrue-through": 'custom "accrue-through" 2025-06-30',
}
VALUES = {
    "sub-account": [
        '"Arb"',
        "Assets:Backpack:Arb Assets:Backpack:Arb",
        'Assets:Backpack:Arb "Arb"',
        '"Arb" Assets:Backpack:Arb TRUE',
        "12 12",
    ],
    "observed": ['"usdc"', '"USDC" "observed"', '"USDC" 0.0156 0.0310'],
    "rate": [
        '"USDC"',
        '"usdc" 0.0156 0.0310',
        '"USDC" 0.0156',
        '"USDC" 0.0156 -0.0310',
        '"USDC" 0.0156 0.0310 0.72',
        '"USDC" "0.0156" "0.0310"',
        '"USDC" 0.0156 USDC 0.0310 USDC',
        '"USDC" 0.0156 TRUE',
        '"USDC" Assets:Bank',
        '"USDC" 2025-05-01',
    ],
    "accrue-through": ['"2025-05-03"', "2025-05-03 2025-05-04", "3", "TRUE"],
}
"""What is refused behind the kind of a directive."""


def unknown_keys() -> Iterator[Row]:
    """Yield each key on each kind that does not take it, and two that no kind takes."""
    for term, known in KNOWN.items():
        for key in ["auto_lend", "weight", *ALL_KEYS]:
            if key not in known.split(", "):
                first, _, last = known.rpartition(", ")
                text = (
                    f"the key {key} is unknown here. Remove it, or write {first} or {last} instead."
                )
                yield term, having(term, key, "1"), f"{WHAT[term]}: {text}"
    for key in ALL_KEYS:
        text = f"accrue-through takes no keys. Remove the key {key}."
        yield "accrue-through", having("accrue-through", key, "1"), text


def missing_keys() -> Iterator[Row]:
    for term, key, example in NUMBERS:
        text = f"{WHAT[term]}: {key} is missing. Write it as {key}: {example}."
        yield term, having(term, key, ""), text
        if f"  {key}:" in TERMS[term] and term != "commodity":
            yield term, without(term, key), text
    for term in ("observed", "curve"):
        head = TERMS[term].splitlines()[0]
        text = 'rates is missing. Write it as rates: "observed" or "curve".'
        yield term, f"{head}\n", f"{WHAT[term]}: {text}"


def wrong(term: str, key: str, value: str, example: str) -> Row:
    text = f"{WHAT[term]}: {key} is {SHOWN[value]}. Write it as {key}: {example}."
    return term, having(term, key, value), text


def wrong_switches() -> Iterator[Row]:
    for term, key in SWITCHES:
        yield from (wrong(term, key, value, "TRUE or FALSE") for value in SHOWN if value != "TRUE")


def wrong_numbers() -> Iterator[Row]:
    for term, key, example in NUMBERS:
        for value in SHOWN:
            if value not in ("12", ""):
                yield wrong(term, key, value, example)
    for term, key in AMOUNTS:
        for value in SHOWN:
            if value != "12 USDC":
                yield wrong(term, key, value, "1000000 SOL")


def wrong_texts() -> Iterator[Row]:
    for term in ("observed", "curve"):
        yield from (wrong(term, "rates", value, '"observed" or "curve"') for value in SHOWN)
    for value in SHOWN:
        yield wrong("sub-account", "interest", value, '"imported" or "generated"')
    for term in WITH_VENUE:
        for value, shown in SHOWN.items():
            if not shown.startswith("the text"):
                yield wrong(term, "venue", value, '"Backpack"')


def wrong_times() -> Iterator[Row]:
    for term in TIMED:
        for time, shown in {**TIMES, "12": "the number 12", "TRUE": "TRUE", "": "empty"}.items():
            remedy = 'Write a time of day in UTC, as in time: "09:30" or time: "09:30:15".'
            yield term, having(term, "time", time), f"{WHAT[term]}: time is {shown}. {remedy}"


def impossible_values() -> Iterator[Row]:
    for term, key, value, remedy in IMPOSSIBLE:
        yield term, having(term, key, value), f"{WHAT[term]}: {key} is {value}. {remedy}"
    for term, key in AMOUNTS:
        remedy = f"Write the amount in SOL, as in {key}: 1000000 SOL."
        text = f"{key} is in USDC, but must be in SOL. {remedy}"
        yield term, having(term, key, "12 USDC"), f"{WHAT[term]}: {text}"
        text = f"{key} is -12. Write 0 or a number above 0."
        yield term, having(term, key, "-12 SOL"), f"{WHAT[term]}: {text}"
    for term in WITH_VENUE:
        for venue in ("Bybit", "Backpack:Main", "backpack"):
            text = (
                f'no sub-account is at the venue "{venue}". Write venue: "Backpack", '
                "or remove the key to cover all venues."
            )
            yield term, having(term, "venue", f'"{venue}"'), f"{WHAT[term]}: {text}"
    for side, value, rates in (
        ("supply", "-0.01", "-0.01 0.03"),
        ("supply", "100.01", "100.01 0.03"),
        ("supply", "412", "412 0.03"),
        ("borrow", "-0.03", "0.01 (-0.03)"),
        ("borrow", "100.01", "0.01 100.01"),
        ("borrow", "630", "0.01 630"),
    ):
        written = TERMS["rate"].replace("0.0156 0.0310", rates)
        yield "rate", written, f"{WHAT['rate']}: the {side} rate is {value}. {ANNUAL}"


def wrong_values() -> Iterator[Row]:
    for term, values in VALUES.items():
        head, *keys = TERMS[term].splitlines(keepends=True)
        begin = " ".join(head.split()[:3])
        for value in values:
            text = f"{begin[11:]} has the wrong values. Write it as {EXAMPLES[term]}."
            if '"usdc"' in value:
                remedy = "but names of commodities are in upper case. Write USDC in its place."
                text = f'{begin[11:]} names "usdc", {remedy}'
            yield term, "".join([f"{begin} {value}\n", *keys]), text


FAULTS = [
    *unknown_keys(),
    *missing_keys(),
    *wrong_switches(),
    *wrong_numbers(),
    *wrong_texts(),
    *wrong_times(),
    *impossible_values(),
    *wrong_values(),
]


@pytest.mark.parametrize(
    ("term", "written", "text"), FAULTS, ids=[f"{term}: {text}" for term, _, text in FAULTS]
)
def test_a_wrong_term_is_refused(term: str, written: str, text: str, tmp_path: Path) -> None:
    """With one text; nothing is generated for its name, as before for others; nothing is posted."""
    folder, line = book_with(term, written, tmp_path)
    before = folder.files()
    told = f"main.beancount:{line}: {text}"
    texts, entries = load(folder)
    assert texts == [told]
    assert lent(entries) == {pair for pair in PAIRS if BLOCKED.get(term) not in pair}
    assert usance(folder, "check") == (1, f"{told}\n", "")
    assert usance(folder, "accrue") == (1, "", f"{told}\nNothing was written.\n")
    assert folder.files() == before


@pytest.mark.parametrize(("term", "key", "value"), POSSIBLE)
def test_a_right_key_is_taken(term: str, key: str, value: str, tmp_path: Path) -> None:
    folder, _ = book_with(term, having(term, key, value), tmp_path)
    texts, entries = load(folder)
    assert (texts, lent(entries)) == ([], PAIRS)
    folder.accrue()


def test_the_tables_name_every_key_of_every_kind() -> None:
    """What directives.py reads, no more and no less; each key has a wrong type."""
    observed = set(KNOWN["observed"].split(", "))
    assert {kind: set(keys) for kind, keys in KEYS.items()} == {
        "sub-account": set(KNOWN["sub-account"].split(", ")),
        "lending-pool": observed | set(KNOWN["curve"].split(", ")),
        "lending-rate": set(KNOWN["rate"].split(", ")),
        "accrue-through": set(),
    }
    wrong = [*wrong_switches(), *wrong_numbers(), *wrong_texts(), *wrong_times()]
    told = {text.split(": ")[1].split(" is ")[0] for _, _, text in wrong}
    assert told == {*ALL_KEYS, *(key for _, key, _ in NUMBERS)}
