"""Errors and findings of margin: each with the ledger that causes it, and nothing beside it.

Texts that other directives have too are those of problems.py, given what is written here: their
words have tests of their own.
"""

import datetime
import inspect
import re
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount.core.amount import Amount
from margin_books import HEAD, LONG, TERMS, Books, books, through

from usance.language import margin_terms
from usance.model import problems
from usance.model.problems import Problem, Source

NOWHERE = Source("", 0)

# Directives, of which nothing in the ledger makes use

DIRECTIVES = {
    "identity": """\
2025-05-01 custom "collateral" "SOL"
  weight: 0.95
  weight-function: "identity"
  initial-margin: 0.10
  initial-margin-factor: 0.00008
  maintenance-margin: 0.05
  maintenance-margin-factor: 0.00004
""",
    "inverse-sqrt": """\
2025-05-01 custom "collateral" "ETH"
  weight: 0.95
  weight-function: "inverse-sqrt"
  base: 1.1
  penalty: 0.0004
""",
    "tiers": """\
2025-05-01 custom "collateral" "BTC"
  weight-function: "tiers"
  tiers: "0.95 to 0.5, 0.90 to 1.2, 0.60 to 4, 0 above"
""",
    "perpetual": """\
2025-05-01 custom "perpetual" "ETH-PERP"
  settle: USDC
  underlying: "ETH"
  initial-margin: 0.02
  initial-margin-factor: 0.000075
  maintenance-margin: 0.0135
  maintenance-margin-factor: 0.0000375
""",
    "liquidation": '2025-05-01 custom "liquidation" "alert"\n',
}
WHAT = {
    "identity": 'collateral "SOL"',
    "inverse-sqrt": 'collateral "ETH"',
    "tiers": 'collateral "BTC"',
    "perpetual": 'perpetual "ETH-PERP"',
    "liquidation": "liquidation",
}
MARGINS = [
    "initial-margin",
    "initial-margin-factor",
    "maintenance-margin",
    "maintenance-margin-factor",
    "time",
    "venue",
]
KNOWN = {
    "identity": ["weight", "weight-function", *MARGINS],
    "inverse-sqrt": ["weight", "weight-function", "base", "penalty", *MARGINS],
    "tiers": ["weight", "weight-function", "tiers", *MARGINS],
    "perpetual": ["settle", "underlying", *MARGINS],
    "liquidation": ["time", "venue"],
}
NUMBERS = {
    "weight": ("0.95", "from 0 to 1"),
    "base": ("1.1", "above 0"),
    "penalty": ("0.0004", "at least 0"),
    "initial-margin": ("0.02", "from 0 to 1"),
    "initial-margin-factor": ("0.00004", "at least 0"),
    "maintenance-margin": ("0.0135", "from 0 to 1"),
    "maintenance-margin-factor": ("0.00004", "at least 0"),
}
"""Keys of numbers: what a text gives as an example, and the bounds."""

REQUIRED = [
    ("identity", "weight"),
    ("inverse-sqrt", "weight"),
    ("inverse-sqrt", "base"),
    ("inverse-sqrt", "penalty"),
    ("perpetual", "initial-margin"),
    ("perpetual", "maintenance-margin"),
]
VALUES: dict[str, Any] = {
    "TRUE": True,
    "12": Decimal(12),
    '"yes"': "yes",
    "12 USDC": Amount(Decimal(12), "USDC"),
    "2025-05-01": datetime.date(2025, 5, 1),
}
TIERS = "0.95 to 0.5, 0.90 to 1.2, 0 above"
FUNCTIONS = '"identity", "inverse-sqrt" or "tiers"'

Row = tuple[str, str, Problem]
"""A directive, its wrong text, and what is told."""


def having(term: str, key: str, value: str) -> str:
    """Return a directive with a key, in the place of the one that it has."""
    head, *rest = DIRECTIVES[term].splitlines(keepends=True)
    kept = [line for line in rest if not line.startswith(f"  {key}:")]
    return "".join([head, f"  {key}: {value}".rstrip() + "\n", *kept])


def without(term: str, key: str) -> str:
    """Return a directive without one of its keys."""
    lines = DIRECTIVES[term].splitlines(keepends=True)
    return "".join(line for line in lines if not line.startswith(f"  {key}:"))


def unknown_keys() -> Iterator[Row]:
    """Yield each key on each kind that does not take it, and two that no kind takes."""
    every = sorted({key for known in KNOWN.values() for key in known})
    for term, known in KNOWN.items():
        for key in ("leverage-limit", "initial_margin", *every):
            if key not in known:
                value = '"1 above"' if key == "tiers" else "1"
                told = problems.unknown_key(NOWHERE, WHAT[term], key, known)
                yield term, having(term, key, value), told


def missing_keys() -> Iterator[Row]:
    for term, key in REQUIRED:
        told = problems.missing_key(NOWHERE, WHAT[term], key, NUMBERS[key][0])
        yield term, without(term, key), told
        yield term, having(term, key, ""), told
    told = problems.missing_key(NOWHERE, WHAT["tiers"], "tiers", f'"{TIERS}"')
    yield "tiers", without("tiers", "tiers"), told
    told = problems.missing_key(NOWHERE, WHAT["perpetual"], "settle", "USDC")
    yield "perpetual", without("perpetual", "settle"), told


def wrong_numbers() -> Iterator[Row]:
    for term, known in KNOWN.items():
        for key in known:
            if key in NUMBERS:
                for text, value in VALUES.items():
                    if text != "12":
                        told = problems.wrong_type(NOWHERE, WHAT[term], key, value, NUMBERS[key][0])
                        yield term, having(term, key, text), told


IMPOSSIBLE = {
    "from 0 to 1": ["1.01", "95", "-0.01", "1.0000000000000000000000000000000001"],
    "above 0": ["0", "-1.1"],
    "at least 0": ["-0.0004", "-0.0000000000000000000000000000000001"],
}


def impossible_numbers() -> Iterator[Row]:
    for term, known in KNOWN.items():
        for key in known:
            if key in NUMBERS:
                bounds = NUMBERS[key][1]
                for text in IMPOSSIBLE[bounds]:
                    told = problems.out_of_range(NOWHERE, WHAT[term], key, Decimal(text), bounds)
                    yield term, having(term, key, text), told


def wrong_names() -> Iterator[Row]:
    """Yield settle coins and underlyings that are no commodities."""
    for key, example in (("settle", "USDC"), ("underlying", '"SOL"')):
        for text, value in (*VALUES.items(), ('"usdc"', "usdc"), ('""', "")):
            what = WHAT["perpetual"]
            told = problems.wrong_type(NOWHERE, what, key, value, example)
            if isinstance(value, str) and value:
                told = problems.lower_case(NOWHERE, f"{what}: {key}", value, value.upper())
            yield "perpetual", having("perpetual", key, text), told


def wrong_functions() -> Iterator[Row]:
    """Yield words that are no weight functions."""
    for term in ("identity", "inverse-sqrt", "tiers"):
        for word in ("inverse_sqrt", "Identity", "linear", "tiers "):
            told = problems.wrong_type(NOWHERE, WHAT[term], "weight-function", word, FUNCTIONS)
            yield term, having(term, "weight-function", f'"{word}"'), told


MALFORMED = [
    "0.95",  # no bound
    "0.95 to 0.5",  # nothing above
    "0.95 to 0.5, 0.90 to 1.2",
    "0.95 to 0.5, 0.90 to 0.5, 0 above",  # bounds that do not grow
    "0.95 to 1.2, 0.90 to 0.5, 0 above",
    "0.95 to 0, 0 above",  # a band of nothing
    "1.01 to 0.5, 0 above",  # a weight above 1
    "95 to 0.5, 0 above",
    "0.95 to 0.5, 1.01 above",
    "-0.95 to 0.5, 0 above",
    "0.95 to -0.5, 0 above",
    "0.95 to 0.5, 0 above, 0.5 to 2",  # something above what is above
    "0.95 above, 0 above",
    "0.95 to 0.5 0.90 to 1.2, 0 above",  # no comma
    "0.95 to 0.5; 0 above",
    "0.95 to 0.5, 0 above,",
    ", 0 above",
    "0,95 to 0.5, 0 above",
    "95% to 0.5, 0 above",
    "0.95 up to 0.5, 0 above",
    "0.95 to 0.5 BTC, 0 above",
    "0.95 to 5e-1, 0 above",
    ".95 to 0.5, 0 above",
    "0.95 to 0.5, 0 beyond",
    "much to 0.5, 0 above",
    "0.95to0.5, 0 above",
    "0.95 to Infinity, 0 above",
    "above",
    " ",
]
"""Tiers that are none."""


def malformed_tiers() -> Iterator[Row]:
    for text in MALFORMED:
        told = problems.bad_tiers(NOWHERE, WHAT["tiers"], text, TIERS)
        yield "tiers", having("tiers", "tiers", f'"{text}"'), told


def wrong_times_and_venues() -> Iterator[Row]:
    for term in DIRECTIVES:
        for time in ('"24:00"', '"9:30"', '"09:30Z"', '""', "12", "TRUE"):
            value = VALUES.get(time, time.strip('"'))
            told = problems.bad_time(NOWHERE, WHAT[term], value)
            yield term, having(term, "time", time), told
        for venue in ("Bybit", "backpack", "Backpack:Main"):
            told = problems.unknown_venue(NOWHERE, WHAT[term], venue, ["Backpack"])
            yield term, having(term, "venue", f'"{venue}"'), told
        for text in ("12", "TRUE", "2025-05-01"):
            told = problems.wrong_type(NOWHERE, WHAT[term], "venue", VALUES[text], '"Backpack"')
            yield term, having(term, "venue", text), told


EXAMPLES = {
    "identity": ("collateral", 'custom "collateral" "SOL"'),
    "perpetual": ("perpetual", 'custom "perpetual" "SOL-PERP"'),
    "liquidation": (
        "liquidation",
        'custom "liquidation" "alert" or custom "liquidation" "simulate"',
    ),
}
WRONG_VALUES = {
    "identity": ['"SOL" "USDC"', '"SOL" 0.95', "0.95", "TRUE", "Assets:Bank", '""'],
    "perpetual": ['"SOL-PERP" "USDC"', "12", "2025-05-01", "Assets:Bank"],
    "liquidation": ['"simulated"', '"Alert"', '"alert" "simulate"', "TRUE", "12", '""', '"SOL"'],
}


def wrong_values() -> Iterator[Row]:
    for term, values in WRONG_VALUES.items():
        kind, example = EXAMPLES[term]
        _, *keys = DIRECTIVES[term].splitlines(keepends=True)
        for value in values:
            told = problems.bad_values(NOWHERE, kind, example)
            yield term, "".join([f'2025-05-01 custom "{kind}" {value}\n', *keys]), told


FAULTS = [
    *unknown_keys(),
    *missing_keys(),
    *wrong_numbers(),
    *impossible_numbers(),
    *wrong_names(),
    *wrong_functions(),
    *malformed_tiers(),
    *wrong_times_and_venues(),
    *wrong_values(),
]


def with_directive(folder: Path, term: str, text: str) -> Books:
    """Write a ledger that says all, with another text of one directive."""
    texts = {**DIRECTIVES, term: text}
    return books(folder, TERMS, *texts.values(), through("2025-05-02"))


def only(made: Books, first: str, told: Problem | str) -> None:
    """Check that one thing is told, at the one line that begins so."""
    message = told if isinstance(told, str) else told.message
    at = made.line(first)
    assert made.told() == [f"main.beancount:{at}: {message}"]


def test_what_is_right_is_taken(tmp_path: Path) -> None:
    made = books(tmp_path, TERMS, *DIRECTIVES.values(), through("2025-05-02"))
    assert made.told() == []


@pytest.mark.parametrize(
    ("term", "text", "told"), FAULTS, ids=[f"{told.name}: {text}" for _, text, told in FAULTS]
)
def test_a_wrong_directive_is_refused(term: str, text: str, told: Problem, tmp_path: Path) -> None:
    """With one text at its line; nothing is posted."""
    made = with_directive(tmp_path, term, text)
    only(made, text.splitlines()[0], told)
    done = made.usance("accrue")
    assert (done.exit_code, made.posted()) == (1, "")


@pytest.mark.parametrize("value", ["12", "TRUE", "2025-05-01", '""', ""])
@pytest.mark.parametrize(
    ("term", "key", "example"),
    [
        ("identity", "weight-function", '"inverse-sqrt"'),
        ("tiers", "tiers", f'"{TIERS}"'),
    ],
)
def test_a_text_that_is_none_is_refused_with_an_example_that_can_be_written(
    term: str, key: str, example: str, value: str, tmp_path: Path
) -> None:
    text = having(term, key, value)
    made = with_directive(tmp_path, term, text)
    got: Any = {**VALUES, '""': "", "": None}[value]
    only(made, text.splitlines()[0], problems.wrong_type(NOWHERE, WHAT[term], key, got, example))


@pytest.mark.parametrize("term", ["inverse-sqrt", "tiers"])
def test_a_wrong_weight_function_is_one_error(term: str, tmp_path: Path) -> None:
    made = with_directive(tmp_path, term, having(term, "weight-function", "12"))
    [told] = made.told()
    assert f"{WHAT[term]}: weight-function is" in told


def test_an_empty_settle_coin_is_refused(tmp_path: Path) -> None:
    made = with_directive(tmp_path, "perpetual", having("perpetual", "settle", ""))
    [told] = made.told()
    assert f"{WHAT['perpetual']}: settle is" in told


def test_a_commodity_is_one_to_its_end(tmp_path: Path) -> None:
    """Read as the name of no coin, not as one that begins so."""
    for number, (old, new) in enumerate(
        (
            ("settle: USDC", 'settle: "US DC"'),
            ('underlying: "ETH"', 'underlying: "ETH or SOL"'),
            ('"ETH-PERP"', '"ETH-PERP of Backpack"'),
        )
    ):
        text = DIRECTIVES["perpetual"].replace(old, new)
        made = with_directive(tmp_path / str(number), "perpetual", text)
        assert len(made.told()) == 1


POSSIBLE = [
    ("identity", "weight", "0"),
    ("identity", "weight", "1"),
    ("identity", "initial-margin", "1"),
    ("inverse-sqrt", "base", "0.0000001"),
    ("inverse-sqrt", "penalty", "0"),
    ("tiers", "weight", "0.95"),
    ("tiers", "tiers", '"1 above"'),
    ("tiers", "tiers", '"0 to 0.5,1 to 0.50000001 ,   0.25   above"'),
    ("perpetual", "initial-margin", "0"),
    ("perpetual", "maintenance-margin-factor", "12"),
    ("perpetual", "settle", '"USDC"'),
    ("perpetual", "underlying", "SOL"),
    *((term, "time", '"09:30:15"') for term in DIRECTIVES),
    *((term, "venue", '"Backpack"') for term in DIRECTIVES),
]


@pytest.mark.parametrize(("term", "key", "value"), POSSIBLE)
def test_a_right_key_is_taken(term: str, key: str, value: str, tmp_path: Path) -> None:
    assert with_directive(tmp_path, term, having(term, key, value)).told() == []


@pytest.mark.parametrize("term", DIRECTIVES)
def test_two_of_one_moment_are_refused(term: str, tmp_path: Path) -> None:
    """At the second; one that names its venue, or is of another moment, is another."""
    made = with_directive(tmp_path, term, f"{DIRECTIVES[term]}{DIRECTIVES[term]}")
    lines = made.path.read_text().splitlines()
    head = DIRECTIVES[term].splitlines()[0]
    first, second = (number for number, line in enumerate(lines, 1) if line == head)
    told = problems.two_alike(NOWHERE, WHAT[term], f"line {first}")
    assert made.told() == [f"main.beancount:{second}: {told.message}"]
    other = having(term, "venue", '"Backpack"')
    made = with_directive(tmp_path / "venue", term, f"{DIRECTIVES[term]}{other}")
    assert made.told() == []
    other = having(term, "time", '"09:30"')
    made = with_directive(tmp_path / "time", term, f"{DIRECTIVES[term]}{other}")
    assert made.told() == []


def test_the_tables_name_every_key() -> None:
    """What margin_terms.py reads, no more and no less."""
    kinds = {
        "collateral": {*KNOWN["identity"], *KNOWN["inverse-sqrt"], *KNOWN["tiers"]},
        "perpetual": set(KNOWN["perpetual"]),
        "liquidation": set(KNOWN["liquidation"]),
    }
    assert {kind: set(keys) for kind, keys in margin_terms.KEYS.items()} == kinds


@pytest.mark.parametrize("kind", ["collateral", "perpetual", "liquidation"])
def test_a_directive_without_values_in_closed_books_is_no_traceback(
    kind: str, tmp_path: Path
) -> None:
    """Beancount's own pass over pads cannot take one; ours can."""
    made = books(tmp_path, TERMS, through("2025-05-02"))
    assert made.usance("accrue").exit_code == 0
    made = made.edited('* "Deposit"', f'custom "{kind}"\n2025-05-01 * "Deposit"')
    assert [told for told in made.told() if "usance" in told and "Traceback" in told] == []


# Prices


@pytest.mark.parametrize(
    ("commodity", "price"),
    [
        ("SOL-PERP", "0 USDC"),
        ("SOL-PERP", "-149 USDC"),
        ("SOL-PERP", "0.00 USD"),
        ("SOL", "-1 USDC"),
        ("USDC", "0 USD"),
    ],
)
def test_a_price_that_is_not_above_zero_is_refused(
    commodity: str, price: str, tmp_path: Path
) -> None:
    """The price before it goes on."""
    made = books(
        tmp_path,
        TERMS,
        DIRECTIVES["identity"],
        LONG,
        "2025-05-01 price SOL-PERP 150 USDC\n2025-05-01 price SOL-PERP 150 USD\n",
        f"2025-05-02 price {commodity} {price}\n",
        through("2025-05-02"),
    )
    only(
        made,
        f"2025-05-02 price {commodity}",
        f"The price of {commodity} is {price}, but must be above zero. "
        "Write the actual price of a unit.",
    )


def test_a_price_of_what_is_not_ours_is_nobody_s_business(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        LONG,
        "2025-05-01 price SOL-PERP 150 USDC\n2025-05-01 price BEER 0 EUR\n",
        through("2025-05-02"),
    )
    assert made.told() == []


@pytest.mark.parametrize("price", ["0", "-149"])
def test_the_only_price_being_wrong_is_one_error(price: str, tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        LONG,
        f"2025-05-01 price SOL-PERP {price} USDC\n",
        through("2025-05-02"),
    )
    assert len(made.told()) == 1
    assert made.ids() == []


MISSING = (
    'Sub-account "{name}" has {commodity} on {day}, but {commodity} has no price in {quote} on or '
    "before that day. Write {day} price {commodity} 1.00 {quote}, with the actual price in place "
    "of 1.00."
)
OLD = (
    'finding: sub-account "Main" has {commodity} on {day} at a price dated 2025-05-01, which is '
    "more than {limit} days old. Write a newer price. If {commodity} has no newer one, raise "
    "stale-after: on the commodity {commodity}."
)
ARB = """\
2025-05-01 custom "sub-account" "Arb" Assets:Backpack:Arb
  auto-borrow: TRUE
"""


def test_a_missing_mark_is_told_once_for_each_sub_account(tmp_path: Path) -> None:
    """On its first day, at the last transaction that moved the contract until then."""
    made = books(
        tmp_path,
        TERMS,
        ARB,
        LONG,
        LONG.replace("Main", "Arb").replace("Open 50", "Arb opens 50"),
        """\
        2025-05-03 * "Close 10 at 150"
          Assets:Backpack:Main:Perp    -10 SOL-PERP {} @ 150 USDC
          Assets:Backpack:Main:Perp   1500 USDC
        """,
        through("2025-05-04"),
    )
    text = MISSING.format(name="{}", commodity="SOL-PERP", quote="USDC", day="2025-05-01")
    assert made.told() == [
        f"main.beancount:{made.line('Arb opens 50')}: {text.format('Arb')}",
        f"main.beancount:{made.line('Open 50')}: {text.format('Main')}",
    ]


COLLATERAL = """\
2025-05-01 * "SOL"
  Assets:Backpack:Main:Wallet    2 SOL
  Assets:Bank
"""


def test_a_missing_price_of_collateral_is_told_where_there_is_exposure(tmp_path: Path) -> None:
    made = books(tmp_path, TERMS, DIRECTIVES["identity"], COLLATERAL, through("2025-05-02"))
    assert made.told() == []
    made = books(
        tmp_path / "open",
        TERMS,
        DIRECTIVES["identity"],
        COLLATERAL,
        LONG,
        "2025-05-01 price SOL-PERP 150 USDC\n",
        through("2025-05-02"),
    )
    text = MISSING.format(name="Main", commodity="SOL", quote="USDC", day="2025-05-01")
    at = made.line('* "SOL"')
    assert made.told() == [f"main.beancount:{at}: {text}"]
    assert made.ids("margin") == []


def test_a_coin_without_terms_needs_no_price(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        COLLATERAL,
        LONG,
        "2025-05-01 price SOL-PERP 150 USDC\n",
        through("2025-05-02"),
    )
    assert made.told() == []


def test_a_price_dated_later_is_missing_before(tmp_path: Path) -> None:
    made = books(
        tmp_path, TERMS, LONG, "2025-05-02 price SOL-PERP 150 USDC\n", through("2025-05-03")
    )
    text = MISSING.format(name="Main", commodity="SOL-PERP", quote="USDC", day="2025-05-01")
    only(made, '"Open 50 at 150"', text)
    assert made.ids("margin") == ["margin/2025-05-02/Main"]


@pytest.mark.parametrize(
    ("stale_after", "last", "told"),
    [
        ("", "2025-05-04", False),
        ("", "2025-05-05", True),
        ("2025-05-01 commodity SOL\n  stale-after: 4\n", "2025-05-05", False),
        ("2025-05-01 commodity SOL\n  stale-after: 4\n", "2025-05-06", True),
    ],
)
def test_an_old_price_of_collateral_is_a_finding(
    stale_after: str, last: str, *, told: bool, tmp_path: Path
) -> None:
    """At the last transaction that moved the coin; a mark of each day does not make it younger."""
    marks = "".join(f"2025-05-0{day} price SOL-PERP 150 USDC\n" for day in range(1, 7))
    made = books(
        tmp_path,
        TERMS,
        DIRECTIVES["identity"],
        stale_after,
        COLLATERAL,
        LONG,
        marks if last > "2025-05-05" else marks.replace("2025-05-06", "2025-05-05"),
        "2025-05-01 price SOL 150 USDC\n",
        through(last),
    )
    limit = 4 if stale_after else 3
    at = made.line('* "SOL"')
    text = OLD.format(commodity="SOL", day=last, limit=limit)
    assert made.told() == ([f"main.beancount:{at}: {text}"] if told else [])


def test_a_price_over_another_currency_is_as_old_as_the_older_part(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        LONG,
        """\
        2025-05-01 price USD 1 USDC
        2025-05-01 price SOL-PERP 150 USD
        2025-05-05 price SOL-PERP 150 USD
        """,
        through("2025-05-05"),
    )
    only(made, '"Open 50 at 150"', OLD.format(commodity="SOL-PERP", day="2025-05-05", limit=3))


# Contracts

CONTRACT = """\
2025-05-01 * "Open 50 at 150"
  Assets:Backpack:Main:Perp       50 SOL-PERP {150 USDC}
  Assets:Backpack:Main:Perp    -7500 USDC
2025-05-01 price SOL-PERP 150 USDC
"""
NO_TERMS = (
    "SOL-PERP is held in Perp on 2025-05-01, but no terms for it are in force. Write custom "
    '"perpetual" "SOL-PERP" with settle:, initial-margin: and maintenance-margin:.'
)
NO_COST = (
    "SOL-PERP is a perpetual contract and must be held at cost. Open it with a cost, as in "
    "1 SOL-PERP {150 USDC}, and close it with {} and the closing price, as in -1 SOL-PERP "
    "{} @ 160 USDC."
)
WRONG_COIN = (
    "SOL-PERP settles in USDT, but its cost is in USDC. Write its cost in USDT, or correct "
    'settle: in custom "perpetual" "SOL-PERP".'
)
NO_PERPETUAL = TERMS.replace('custom "perpetual"', 'custom "of-others"')
FAULTY = {
    "no terms": (
        NO_PERPETUAL,
        CONTRACT,
        '"Open 50 at 150"',
        NO_TERMS,
    ),
    "terms later": (
        TERMS.replace('05-01 custom "perpetual"', '05-03 custom "perpetual"'),
        CONTRACT,
        '"Open 50 at 150"',
        NO_TERMS,
    ),
    "terms elsewhere": (
        TERMS.replace("settle: USDC", 'settle: USDC\n  venue: "Bybit"'),
        CONTRACT + '2025-05-01 custom "sub-account" "Away" Assets:Bybit:Away\n',
        '"Open 50 at 150"',
        NO_TERMS,
    ),
    "wrong terms": (
        TERMS.replace("initial-margin: 0.10", "initial-margin: 10"),
        CONTRACT,
        'custom "perpetual"',
        problems.out_of_range(
            NOWHERE, 'perpetual "SOL-PERP"', "initial-margin", Decimal(10), "from 0 to 1"
        ).message,
    ),
    "cost in another coin": (
        TERMS.replace("settle: USDC", "settle: USDT"),
        CONTRACT,
        '"Open 50 at 150"',
        WRONG_COIN,
    ),
    "no cost": (
        TERMS,
        CONTRACT.replace("{150 USDC}", "@ 150 USDC"),
        '"Open 50 at 150"',
        NO_COST,
    ),
}
"""Terms, a trade, where it is told, and what."""


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_contract_is_one_error(name: str, tmp_path: Path) -> None:
    """However many days it lies there; a rich wallet hides nothing here."""
    terms, trade, first, told = FAULTY[name]
    made = books(tmp_path, terms.replace("1000 USDC", "10000 USDC"), trade, through("2025-05-02"))
    only(made, first, told)
    assert made.usance("accrue").exit_code == 1


WRONG_TERMS = pytest.param(
    "wrong terms",
)


@pytest.mark.parametrize(
    "name", [WRONG_TERMS if name == "wrong terms" else name for name in FAULTY]
)
def test_nothing_is_generated_for_a_faulty_contract(name: str, tmp_path: Path) -> None:
    """What is owed for it stays in Perp: no settlement, no borrow, no breach."""
    terms, trade, first, told = FAULTY[name]
    made = books(tmp_path, terms, trade, through("2025-05-02"))
    only(made, first, told)
    assert made.ids() == []
    assert made.held("Assets:Main:Wallet") == {"USDC": 1000}


def test_nothing_settles_in_a_coin_with_faulty_terms(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        '2025-05-01 custom "collateral" "USDC"\n  weight: 2\n',
        CONTRACT,
        through("2025-05-02"),
    )
    told = problems.out_of_range(NOWHERE, 'collateral "USDC"', "weight", Decimal(2), "from 0 to 1")
    only(made, 'custom "collateral" "USDC"', told)
    assert made.ids() == []


@pytest.mark.parametrize(
    "posting",
    ["Wallet  50 SOL-PERP {150 USDC}", "Wallet  50 SOL-PERP @ 150 USDC", "Wallet  50 SOL-PERP"],
)
def test_a_contract_in_a_wallet_is_refused(posting: str, tmp_path: Path) -> None:
    other = "Bank  -50 SOL-PERP" if posting.endswith("PERP") else "Bank  -7500 USDC"
    made = books(
        tmp_path,
        TERMS,
        f"""\
        2025-05-01 * "Open"
          Assets:Backpack:Main:{posting}
          Assets:{other}
        """,
        through("2025-05-02"),
    )
    only(
        made,
        '"Open"',
        "SOL-PERP is a perpetual contract, but a wallet holds only coins. Post it to "
        "Assets:Backpack:Main:Perp.",
    )
    assert made.ids() == []


def test_each_trade_of_a_faulty_contract_is_told(tmp_path: Path) -> None:
    """Where the fault is in what was written; where it is in its terms, once."""
    second = CONTRACT.replace("05-01 *", "05-02 *").replace("Open 50", "Open again 50")
    later = second[: second.index("2025-05-01 price")]
    terms = TERMS.replace("1000 USDC", "100000 USDC")
    made = books(
        tmp_path,
        terms,
        CONTRACT.replace("{150 USDC}", "@ 150 USDC"),
        later.replace("{150 USDC}", "@ 150 USDC"),
        through("2025-05-03"),
    )
    assert len(made.told()) == 2
    terms = NO_PERPETUAL.replace("1000 USDC", "100000 USDC")
    made = books(tmp_path / "terms", terms, CONTRACT, later, through("2025-05-03"))
    [told] = made.told()
    assert told.startswith(f"main.beancount:{made.line('Open 50')}: ")


# Borrows


def test_a_borrow_without_collateral_terms_is_refused(tmp_path: Path) -> None:
    """Not of the operating currency; told once, at what last moved the coin."""
    made = books(
        tmp_path,
        TERMS,
        """\
        2025-05-01 custom "lending-pool" "SOL"
          rates: "observed"
        2025-05-01 custom "lending-rate" "SOL" 0 0
        2025-05-01 price SOL 150 USDC
        2025-05-02 * "Withdraw"
          Assets:Backpack:Main:Wallet   -1 SOL
          Assets:Backpack:Main:Wallet   -1 USDC
          Assets:Bank
        """,
        through("2025-05-03"),
    )
    only(
        made,
        '"Withdraw"',
        'Sub-account "Main" owes SOL on 2025-05-02, but no collateral terms for SOL state the '
        'margin of a borrow. Write custom "collateral" "SOL" with weight:, initial-margin: and '
        "maintenance-margin:.",
    )
    made = made.edited("Wallet   -1 SOL", "Wallet   -1000.5 USDC")
    assert all("collateral terms" not in told for told in made.told())


# Names in lower case


@pytest.mark.parametrize(
    ("old", "new", "name"),
    [
        ('"perpetual" "SOL-PERP"', '"perpetual" "sol-perp"', "SOL-PERP"),
        ("settle: USDC", 'settle: "usdt"', "USDT"),
        ("settle: USDC", 'settle: USDC\n  underlying: "eth"', "ETH"),
        ('"lending-pool" "USDC"', '"lending-pool" "uSDC"', "USDC"),
        (
            "2025-05-01 commodity SOL-PERP\n",
            '2025-05-01 custom "collateral" "sol"\n  weight: 1\n2025-05-01 commodity SOL-PERP\n',
            "SOL",
        ),
    ],
)
def test_a_name_in_lower_case_is_asked_for_in_upper_case(
    old: str, new: str, name: str, tmp_path: Path
) -> None:
    """The name itself, and not the one of an example."""
    made = books(tmp_path, TERMS.replace(old, new), through("2025-05-01"))
    [told] = made.told()
    assert told.endswith(f"but names of commodities are in upper case. Write {name} in its place.")


# Notionals

MISMATCH = (
    "finding: the notional of this trade in SOL-PERP is {written} USDC, but quantity x price is "
    "{expected} USDC. Compare the three with the venue's statement, and correct the wrong one."
)


@pytest.mark.parametrize(
    ("trade", "written", "expected"),
    [
        ("50 SOL-PERP {150 USDC}|-7499 USDC|@Wallet -1 USDC", "-7499", "-7500"),
        ("50 SOL-PERP {150 USDC}|-7500.000001 USDC|@PnL 0.000001 USDC", "-7500.000001", "-7500"),
        ("50 SOL-PERP {150 USDC}|@Wallet -7500 USDC", "0", "-7500"),
        ("-50 SOL-PERP {150 USDC}|7400 USDC|@Fees 100 USDC", "7400", "7500"),
        # The price counts, where it is written, and not the cost.
        ("50 SOL-PERP {150 USDC} @ 149 USDC|-7500 USDC", "-7500", "-7450"),
        ("50 SOL-PERP {150 USDC} @@ 7450 USDC|-7500 USDC", "-7500", "-7450"),
    ],
)
def test_a_notional_that_does_not_match_is_a_finding(
    trade: str, written: str, expected: str, tmp_path: Path
) -> None:
    """At its transaction; it does not stop accrue, and is in the seal."""
    places = {
        "Wallet": "Assets:Backpack:Main:Wallet",
        "Bank": "Assets:Bank",
        "PnL": "Income:Backpack:Main:PnL",
        "Fees": "Expenses:Backpack:Main:Fees",
    }
    legs = [
        re.sub(r"@(\w+)", lambda place: places[place[1]], leg)
        if leg.startswith("@")
        else f"Assets:Backpack:Main:Perp {leg}"
        for leg in trade.split("|")
    ]
    made = books(
        tmp_path,
        TERMS.replace("1000 USDC", "20000 USDC"),
        '2025-05-01 * "Trade"\n' + "".join(f"  {leg}\n" for leg in legs),
        "2025-05-01 price SOL-PERP 150 USDC\n",
        through("2025-05-01"),
    )
    only(made, '"Trade"', MISMATCH.format(written=written, expected=expected))
    assert made.usance("accrue").exit_code == 0
    assert made.posted().count("the notional of this trade") == 1
    assert made.again().told() == []


@pytest.mark.parametrize(
    "legs",
    [
        "50 SOL-PERP {150 USDC}|-7500 USDC",
        "50 SOL-PERP {150.00000001 USDC}|-7500.0000005 USDC",
        # Off by less than a quantum.
        "50 SOL-PERP {150 USDC} @ 150.0000000199 USDC|-7500 USDC",
        "20 SOL-PERP {150 USDC}|30 SOL-PERP {151 USDC}|-7530 USDC",
    ],
)
def test_a_notional_that_matches_to_a_quantum_is_none(legs: str, tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        '2025-05-01 * "Trade"\n'
        + "".join(f"  Assets:Backpack:Main:Perp {leg}\n" for leg in legs.split("|")),
        "2025-05-01 price SOL-PERP 150 USDC\n",
        through("2025-05-01"),
    )
    assert made.told() == []


UNPRICED = (
    "finding: this trade closes SOL-PERP and states no closing price, and {written} USDC in Perp "
    "is not the cost. Write the price at which the venue closed it. If {written} USDC agrees with "
    "the venue's statement, that is {close} SOL-PERP {{}} @ {price} USDC; if not, correct the "
    "amount as well."
)
CLOSES = {
    # The 500 USDC of profit are in Perp: whoever wrote the cost there would lose them.
    "a profit": (LONG, "-50 SOL-PERP {150 USDC}|8000 USDC", "8000", "-50", "160"),
    "a part": (LONG, "-20 SOL-PERP {}|2960 USDC", "2960", "-20", "148"),
    "a loss of a short": (
        LONG.replace("50 SOL", "-50 SOL").replace("-7500", "7500"),
        "50 SOL-PERP {}|-8000 USDC",
        "-8000",
        "50",
        "160",
    ),
    # 8000.25 / 3 does not end: twelve decimals come to the same amount.
    "a third": (
        LONG.replace("50 SOL", "3 SOL").replace("-7500", "-450"),
        "-3 SOL-PERP {}|500 USDC",
        "500",
        "-3",
        "166.666666666667",
    ),
    # 50 sold again at 161 in the same transaction: 8050 of the 16050 USDC are theirs.
    "a flip": (
        LONG,
        "-50 SOL-PERP {150 USDC, 2025-05-01}|-50 SOL-PERP {161 USDC}|16050 USDC",
        "16050",
        "-50",
        "160",
    ),
}
"""The trade before; what closes it a day later; what is told."""


@pytest.mark.parametrize("case", CLOSES.values(), ids=CLOSES)
def test_a_close_without_a_price_is_asked_for_the_price(
    case: tuple[str, str, str, str, str], tmp_path: Path
) -> None:
    """Never for the cost in Perp, which would balance and lose the result."""
    before, legs, written, close, price = case
    trade = "".join(f"  Assets:Backpack:Main:Perp {leg}\n" for leg in legs.split("|"))
    made = books(
        tmp_path,
        TERMS.replace("1000 USDC", "20000 USDC"),
        before,
        f'2025-05-02 * "Close"\n{trade}  Income:Backpack:Main:PnL\n',
        "2025-05-01 price SOL-PERP 150 USDC\n",
        through("2025-05-02"),
    )
    only(made, '"Close"', UNPRICED.format(written=written, close=close, price=price))
    # What it asks for leaves nothing to tell.
    first = legs.partition("|")[0]
    advised = f"{first} @ {price} USDC"
    assert made.edited(first, advised).told() == []


@pytest.mark.parametrize(
    "legs",
    [
        "-50 SOL-PERP {150 USDC}|7500 USDC",
        "-50 SOL-PERP {} @ 160 USDC|8000 USDC",
        "-50 SOL-PERP {} @@ 8000 USDC|8000 USDC",
    ],
)
def test_a_close_that_comes_to_its_notional_is_no_finding(legs: str, tmp_path: Path) -> None:
    trade = "".join(f"  Assets:Backpack:Main:Perp {leg}\n" for leg in legs.split("|"))
    made = books(
        tmp_path,
        TERMS,
        LONG,
        f'2025-05-02 * "Close"\n{trade}  Income:Backpack:Main:PnL\n',
        "2025-05-01 price SOL-PERP 150 USDC\n",
        through("2025-05-02"),
    )
    assert made.told() == []


def test_a_close_with_the_wrong_sign_in_perp_is_a_notional_that_does_not_match(
    tmp_path: Path,
) -> None:
    """No price comes to it, so none is named."""
    made = books(
        tmp_path,
        TERMS.replace("1000 USDC", "20000 USDC"),
        LONG,
        """\
        2025-05-02 * "Close"
          Assets:Backpack:Main:Perp   -50 SOL-PERP {150 USDC}
          Assets:Backpack:Main:Perp   -8000 USDC
          Income:Backpack:Main:PnL
        """,
        "2025-05-01 price SOL-PERP 150 USDC\n",
        through("2025-05-02"),
    )
    only(made, '"Close"', MISMATCH.format(written="-8000", expected="7500"))


def test_without_the_margin_stage_no_notional_is_looked_at(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        LONG.replace("-7500 USDC", "-7499 USDC\n  Assets:Bank"),
        through("2025-05-02"),
        head=HEAD.replace("usance.plugins", "usance.plugins.sub_accounts"),
    )
    assert made.told() == []


# The ledger as a whole


def test_no_operating_currency_is_one_error(tmp_path: Path) -> None:
    made = books(
        tmp_path,
        TERMS,
        CONTRACT,
        through("2025-05-02"),
        head=HEAD.replace('option "operating_currency" "USDC"\n', ""),
    )
    assert len(made.told()) == 1
    assert "no operating currency" in made.told()[0]


def test_terms_of_a_later_day_leave_closed_days_as_they_are(tmp_path: Path) -> None:
    """A coin's prices were in the ledger before it was collateral, or had a pool."""
    made = books(
        tmp_path,
        TERMS,
        COLLATERAL,
        "2025-05-01 price SOL 150 USDC\n2025-05-02 price SOL 151 USDC\n",
        through("2025-05-02"),
        "; later\n",
    )
    assert made.usance("accrue").exit_code == 0
    made = made.edited("; later\n", '2025-06-01 custom "collateral" "SOL"\n  weight: 0.9\n')
    assert made.told() == []


def test_every_text_of_margin_has_a_test() -> None:
    """Those under the heading of margin in problems.py: here, or with what they are about."""
    source = inspect.getsource(problems)
    part = source[source.index("\n# Margin\n") : source.index("\n# Yield products\n")]
    tests = "".join(path.read_text() for path in Path(__file__).parents[1].rglob("test_[mls]*.py"))
    words = {
        "missing_price_of": "has no price in",
        "old_price": "more than {limit} days old",
        "price_not_positive": "but must be above zero. ",
        "no_perpetual": "but no terms for it are in force. Write custom",
        "contract_without_cost": "is a perpetual contract and must be held at cost.",
        "contract_in_wallet": "is a perpetual contract, but a wallet holds only coins.",
        "wrong_settle_coin": "but its cost is in USDC. Write its cost in USDT, or",
        "borrow_without_collateral": "but no collateral terms for SOL state the",
        "breach": "is in breach at the end of {day}: its net equity of {equity}",
        "gave_too_much": "moved this out and ends {day} with available equity of {left}",
        "notional_mismatch": "the notional of this trade in SOL-PERP is {written} USDC",
        "closed_without_price": "this trade closes SOL-PERP and states no closing price",
        "lot_liquidated": "has already closed. ",
    }
    assert set(re.findall(r"^def (\w+)\(", part, re.MULTILINE)) == set(words)
    assert [name for name, text in words.items() if tests.count(text) < 2] == []
