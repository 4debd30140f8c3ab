"""What a venue says to everybody becomes prices, terms and rates: figures worked by hand.

Figures of markets: SOL_USDC_PERP as recorded 2025-06-16, in 2026-07 and in 2026-10
(data/backpack_api and backpack_shapes of the shared folder, each with its source).
"""

import datetime
import json
from collections.abc import Mapping, Sequence
from pathlib import Path

import pytest
from beancount import loader
from hypothesis import given, settings
from hypothesis import strategies as st

from usance.feeding import rates_text
from usance.feeding.downloads import RefusedError
from usance.feeding.own_text import own
from usance.feeding.public_text import PRICES, TERMS, PublicText, public_text
from usance.model.hours import Day, day_of

RATES = "rates/backpack-usdc.csv"

LEDGER = """\
option "operating_currency" "USDC"
plugin "usance.plugins"
include "imported/*.beancount"
2025-06-01 commodity USDC
  quantum: 0.0000000001
2025-06-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
2025-06-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-06-01 custom "feed" "Main" "backpack"
  outside: Assets:Bank
"""

SOL_PERP = {
    "symbol": "SOL_USDC_PERP",
    "baseSymbol": "SOL",
    "quoteSymbol": "USDC",
    "marketType": "PERP",
    "imfFunction": {"base": "0.02", "factor": "0.0001275", "type": "sqrt"},
    "mmfFunction": {"base": "0.0125", "factor": "0.0000765", "type": "sqrt"},
}
"""As recorded on 2025-06-16."""

JULY = {
    "imfFunction": {"base": "0.02", "factor": "0.00006", "type": "sqrt"},
    "mmfFunction": {"base": "0.0135", "factor": "0.000036", "type": "sqrt"},
}
OCTOBER = {
    "imfFunction": {"base": "0.02", "factor": "0.000075", "type": "sqrt"},
    "mmfFunction": {"base": "0.0135", "factor": "0.0000375", "type": "sqrt"},
}

SPOT = {
    "symbol": "SOL_USDC",
    "baseSymbol": "SOL",
    "quoteSymbol": "USDC",
    "marketType": "SPOT",
    "imfFunction": None,
    "mmfFunction": None,
}

SOL = {
    "symbol": "SOL",
    "imfFunction": {"base": "0.1", "factor": "0.00008", "type": "sqrt"},
    "mmfFunction": {"base": "0.05", "factor": "0.00004", "type": "sqrt"},
    "haircutFunction": {
        "weight": "0.95",
        "kind": {"type": "inverseSqrt", "base": "1.1", "positiveCurvePenalty": "0.0004"},
    },
}
USDC = {
    "symbol": "USDC",
    "imfFunction": None,
    "mmfFunction": None,
    "haircutFunction": {"weight": "1", "kind": {"type": "identity"}},
}


def day(text: str) -> Day:
    return day_of(datetime.date.fromisoformat(text))


def bar(start: str, end: str, close: str | None) -> dict[str, object]:
    return {"start": f"{start} 00:00:00", "end": f"{end} 00:00:00", "close": close, "trades": "12"}


def rate(at: str, supply: str, borrow: str, used: str | None) -> dict[str, object]:
    return {
        "timestamp": at,
        "lendInterestRate": supply,
        "borrowInterestRate": borrow,
        "utilization": used,
        "lentQuantity": "4800000",
        "borrowedQuantity": "1400000",
    }


def said(
    folder: Path,
    answers: Mapping[str, object],
    first: Mapping[str, str] | None = None,
    ledger: str = LEDGER,
) -> PublicText:
    """Return the text of public answers, by their paths, for commodities with their first days."""
    (folder / "main.beancount").write_text(ledger)
    for path, answer in answers.items():
        place = folder / "downloads" / "backpack" / "public" / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(answer if isinstance(answer, str) else json.dumps(answer))
    days = {("Main", name): day(text) for name, text in (first or {}).items()}
    return public_text(own(folder / "main.beancount"), days)


# Prices


def test_a_bar_is_a_price_of_the_day_on_which_it_closes(tmp_path: Path) -> None:
    contract = [bar("2025-06-15", "2025-06-16", "148.2975"), bar("2025-06-16", "2025-06-17", "150")]
    coin = [bar("2025-06-15", "2025-06-16", "148.31")]
    answers = {
        "klines/SOL_USDC_PERP/2025-06-17T001003Z.json": contract,
        "klines/SOL_USDC/2025-06-17T001004Z.json": coin,
    }
    assert said(tmp_path, answers).files[PRICES] == (
        "2025-06-15 price SOL 148.31 USDC\n"
        "2025-06-15 price SOL-PERP 148.2975 USDC\n"
        "2025-06-16 price SOL-PERP 150 USDC\n"
    )


def test_a_bar_that_is_not_over_or_has_no_trade_is_no_price(tmp_path: Path) -> None:
    bars = [bar("2025-06-15", "2025-06-16", None), bar("2025-06-16", "2025-06-17", "150")]
    answers = {"klines/SOL_USDC_PERP/2025-06-16T235959Z.json": bars}
    assert PRICES not in said(tmp_path, answers).files


def test_of_bars_shorter_than_a_day_the_last_close_counts(tmp_path: Path) -> None:
    bars = [
        {"start": "2025-07-19 13:09:00", "end": "2025-07-19 13:12:00", "close": "118294.6"},
        {"start": "2025-07-19 13:06:00", "end": "2025-07-19 13:09:00", "close": "118238"},
    ]
    answers = {"klines/BTC_USDC_PERP/2025-07-20T001003Z.json": bars}
    assert said(tmp_path, answers).files[PRICES] == "2025-07-19 price BTC-PERP 118294.6 USDC\n"


def test_a_price_that_a_person_writes_stands(tmp_path: Path) -> None:
    bars = [bar("2025-06-15", "2025-06-16", "148"), bar("2025-06-16", "2025-06-17", "150")]
    ledger = f"{LEDGER}2025-06-15 price SOL-PERP 149 USDC\n"
    text = said(tmp_path, {"klines/SOL_USDC_PERP/2025-06-18T001003Z.json": bars}, ledger=ledger)
    assert text.files[PRICES] == "2025-06-16 price SOL-PERP 150 USDC\n"


def test_a_commodity_may_say_its_symbol(tmp_path: Path) -> None:
    answers = {
        "klines/kBONK_USDC_PERP/2025-06-18T001003Z.json": [bar("2025-06-15", "2025-06-16", "0.015")]
    }
    ledger = f'{LEDGER}2025-06-01 commodity BONK-K\n  backpack: "kBONK_USDC_PERP"\n'
    text = said(tmp_path, answers, ledger=ledger)
    assert text.files[PRICES] == "2025-06-15 price BONK-K 0.015 USDC\n"


# Terms


def test_terms_are_written_where_a_figure_differs_from_the_last(tmp_path: Path) -> None:
    answers = {
        "markets/2025-06-16T001003Z.json": [SPOT, SOL_PERP],
        "markets/2025-06-20T001003Z.json": [SPOT, {**SOL_PERP, "openInterestLimit": "1"}],
        "markets/2026-07-30T001003Z.json": [SOL_PERP | JULY],
        "markets/2026-10-02T001003Z.json": [SOL_PERP | OCTOBER],
    }
    assert (
        said(tmp_path, answers, {"SOL-PERP": "2025-06-16"}).files[TERMS]
        == """\
2025-06-16 custom "perpetual" "SOL-PERP"
  venue: "Backpack"
  settle: USDC
  underlying: "SOL"
  initial-margin: 0.02
  initial-margin-factor: 0.0001275
  maintenance-margin: 0.0125
  maintenance-margin-factor: 0.0000765

2026-07-30 custom "perpetual" "SOL-PERP"
  venue: "Backpack"
  settle: USDC
  underlying: "SOL"
  initial-margin: 0.02
  initial-margin-factor: 0.00006
  maintenance-margin: 0.0135
  maintenance-margin-factor: 0.000036

2026-10-02 custom "perpetual" "SOL-PERP"
  venue: "Backpack"
  settle: USDC
  underlying: "SOL"
  initial-margin: 0.02
  initial-margin-factor: 0.000075
  maintenance-margin: 0.0135
  maintenance-margin-factor: 0.0000375
"""
    )


def test_collateral_has_a_weight_by_its_function(tmp_path: Path) -> None:
    answers = {"collateral/2025-06-16T001003Z.json": [SOL, USDC]}
    first = {"SOL": "2025-06-16", "USDC": "2025-06-16"}
    assert (
        said(tmp_path, answers, first).files[TERMS]
        == """\
2025-06-16 custom "collateral" "SOL"
  venue: "Backpack"
  weight: 0.95
  weight-function: "inverse-sqrt"
  base: 1.1
  penalty: 0.0004
  initial-margin: 0.1
  initial-margin-factor: 0.00008
  maintenance-margin: 0.05
  maintenance-margin-factor: 0.00004

2025-06-16 custom "collateral" "USDC"
  venue: "Backpack"
  weight: 1
  initial-margin: 0
  maintenance-margin: 0
"""
    )


def heads(text: PublicText) -> list[str]:
    return [line for line in text.files.get(TERMS, "").splitlines() if line[:1].isdigit()]


ANSWERS = {
    "markets/2025-06-16T001003Z.json": [SOL_PERP],
    "markets/2025-06-20T001003Z.json": [SOL_PERP | JULY],
}
HEAD = 'custom "perpetual" "SOL-PERP"'


def test_what_is_not_in_the_books_has_no_terms(tmp_path: Path) -> None:
    assert heads(said(tmp_path, ANSWERS)) == []


def test_terms_seen_before_the_books_have_a_contract_count_from_its_first_day(
    tmp_path: Path,
) -> None:
    """An earlier date would change days that may be closed."""
    assert heads(said(tmp_path, ANSWERS, {"SOL-PERP": "2025-06-18"})) == [
        f"2025-06-18 {HEAD}",
        f"2025-06-20 {HEAD}",
    ]
    [only] = heads(said(tmp_path, ANSWERS, {"SOL-PERP": "2025-06-25"}))
    assert only == f"2025-06-25 {HEAD}"


def test_before_the_first_answer_its_terms_are_taken(tmp_path: Path) -> None:
    assert heads(said(tmp_path, ANSWERS, {"SOL-PERP": "2025-06-03"})) == [
        f"2025-06-03 {HEAD} ; not seen before 2025-06-16",
        f"2025-06-16 {HEAD}",
        f"2025-06-20 {HEAD}",
    ]


OWN_TERMS = """\
2025-06-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  underlying: "SOLANA"
  initial-margin: 0.02
  initial-margin-factor: 0.0001275
  maintenance-margin: 0.0125
  maintenance-margin-factor: 0.0000765
"""


def test_terms_of_a_person_are_not_written_again(tmp_path: Path) -> None:
    text = said(tmp_path, ANSWERS, {"SOL-PERP": "2025-06-03"}, LEDGER + OWN_TERMS)
    assert heads(text) == [f"2025-06-20 {HEAD}"]
    assert 'underlying: "SOLANA"' in text.files[TERMS]


def test_terms_of_a_person_stand_until_the_venue_changes_its_own(tmp_path: Path) -> None:
    later = OWN_TERMS.replace("2025-06-01", "2025-06-18").replace("0.02\n", "0.05\n")
    answers = {**ANSWERS, "markets/2025-06-19T001003Z.json": [SOL_PERP]}
    text = said(tmp_path, answers, {"SOL-PERP": "2025-06-16"}, LEDGER + later)
    assert heads(text) == [f"2025-06-16 {HEAD}", f"2025-06-20 {HEAD}"]


def test_two_directives_of_one_moment_and_venue_are_never_written(tmp_path: Path) -> None:
    theirs = OWN_TERMS.replace("2025-06-01", "2025-06-20") + '  venue: "Backpack"\n'
    text = said(tmp_path, ANSWERS, {"SOL-PERP": "2025-06-16"}, LEDGER + theirs)
    assert heads(text) == [f"2025-06-16 {HEAD}"]


def test_a_contract_that_a_person_holds_is_in_the_books(tmp_path: Path) -> None:
    held = """\
2025-05-30 * "Opened before the feed"
  Assets:Backpack:Main:Perp  5 SOL-PERP {150 USDC}
  Assets:Backpack:Main:Perp  -750 USDC
"""
    assert heads(said(tmp_path, ANSWERS, ledger=LEDGER + held))[0].startswith("2025-05-30")


def test_of_two_answers_of_one_day_the_later_counts(tmp_path: Path) -> None:
    answers = {
        "markets/2025-06-16T001003Z.json": [SOL_PERP],
        "markets/2025-06-16T001003Z_2.json": [SOL_PERP | JULY],
    }
    text = said(tmp_path, answers, {"SOL-PERP": "2025-06-16"})
    assert len(heads(text)) == 1
    assert "initial-margin-factor: 0.00006\n" in text.files[TERMS]


def test_a_thousand_of_a_coin_is_no_underlying(tmp_path: Path) -> None:
    market = {**SOL_PERP, "symbol": "kBONK_USDC_PERP", "baseSymbol": "kBONK"}
    text = said(
        tmp_path, {"markets/2025-06-16T001003Z.json": [market]}, {"KBONK-PERP": "2025-06-16"}
    )
    assert "underlying" not in text.files[TERMS]


def test_a_function_that_is_not_known_is_a_finding(tmp_path: Path) -> None:
    kind = {"weight": "0.9", "kind": {"type": "tiers"}}
    answers = {"collateral/2025-06-16T001003Z.json": [{**SOL, "haircutFunction": kind}, USDC]}
    text = said(tmp_path, answers, {"SOL": "2025-06-16", "USDC": "2025-06-16"})
    assert heads(text) == ['2025-06-16 custom "collateral" "USDC"']
    file = "downloads/backpack/public/collateral/2025-06-16T001003Z.json"
    file = "downloads/backpack/public/collateral/2025-06-16T001003Z.json"
    why = "haircutFunction is of the type 'tiers', but known are identity and inverseSqrt"
    remedy = "Its terms are not written; write them by hand."
    assert text.findings == [f"{file}: SOL: {why}. {remedy}"]


# Rates

HISTORY = [
    rate("2025-06-01T01:00:00.000Z", "0.0470", "0.0523", "0.30"),
    rate("2025-06-01T00:00:00.000Z", "0.046", "0.051", "0.29"),
]
HEADER = "time_utc,supply_apr,borrow_apr,utilization\n"


def test_rates_of_history_and_markets_are_one_file(tmp_path: Path) -> None:
    market = {**rate("2025-06-02T00:10:00.000Z", "0.05", "0.06", "1.0001"), "symbol": "USDC"}
    answers = {
        "borrowLendHistory/USDC/2025-06-02T001003Z.json": HISTORY,
        "borrowLendMarkets/2025-06-02T001003Z.json": [market, {**market, "symbol": "BTC"}],
        "borrowLendHistory/BTC/2025-06-02T001003Z.json": HISTORY,
    }
    text = said(tmp_path, answers)
    assert {path: content for path, content in text.files.items() if path != TERMS} == {
        RATES: (
            f"{HEADER}2025-06-01T00:00:00Z,0.046,0.051,0.29\n"
            "2025-06-01T01:00:00Z,0.047,0.0523,0.3\n"
            "2025-06-02T00:10:00Z,0.05,0.06,\n"
        )
    }


def test_a_rate_within_the_second_after_an_hour_is_not_of_that_hour(tmp_path: Path) -> None:
    rows = [rate("2025-06-01T12:00:00.5", "0.046", "0.051", None)]
    text = said(tmp_path, {"borrowLendHistory/USDC/2025-06-02T001003Z.json": rows})
    assert text.files[RATES].splitlines()[1:] == ["2025-06-01T12:00:01Z,0.046,0.051,"]


def test_a_rates_file_that_nobody_names_gets_its_line(tmp_path: Path) -> None:
    answers = {"borrowLendHistory/USDC/2025-06-02T001003Z.json": HISTORY}
    line = f'2025-06-01 custom "lending-rate" "USDC" "{RATES}"\n'
    assert said(tmp_path, answers).files[TERMS] == f'{line}  venue: "Backpack"\n'
    assert TERMS not in said(tmp_path, answers, ledger=LEDGER + line).files
    later = LEDGER.replace('2025-06-01 custom "lending-pool"', '2025-05-01 custom "lending-pool"')
    later = said(tmp_path, answers, ledger=later).files[TERMS]
    assert later == f'{line}  venue: "Backpack"\n  time: "00:00:00"\n'


def test_rates_at_odds_are_refused(tmp_path: Path) -> None:
    answers = {
        "borrowLendHistory/USDC/2025-06-02T001003Z.json": HISTORY,
        "borrowLendHistory/USDC/2025-06-03T001003Z.json": [
            rate("2025-06-01T00:00:00.000Z", "0.046", "0.0511", "0.29")
        ],
    }
    with pytest.raises(RefusedError) as refused:
        said(tmp_path, answers)
    folder = "downloads/backpack/public/borrowLendHistory/USDC"
    assert str(refused.value) == (
        f"{folder}/2025-06-03T001003Z.json, row 1: 2025-06-01T00:00:00Z,0.046,0.0511,0.29, but in "
        f"{folder}/2025-06-02T001003Z.json, row 2 it is "
        f"2025-06-01T00:00:00Z,0.046,0.051,0.29. Move "
        "the wrong file away."
    )


def test_a_rates_file_with_a_row_of_a_person_is_not_replaced(tmp_path: Path) -> None:
    text = said(tmp_path, {"borrowLendHistory/USDC/2025-06-02T001003Z.json": HISTORY})
    files = {path: content.encode() for path, content in text.files.items()}
    place = tmp_path / RATES
    rates_text.refuse_edited(tmp_path, files)
    place.parent.mkdir()
    place.write_text(HEADER + "2025-06-01T00:00:00Z,0.046,0.051,0.29\n")
    rates_text.refuse_edited(tmp_path, files)
    place.write_text(HEADER + "2025-06-01T00:00:00Z,0.046,0.06,0.29\n")
    with pytest.raises(RefusedError) as refused:
        rates_text.refuse_edited(tmp_path, files)
    assert str(refused.value) == (
        f"{RATES}:2: this row is not in downloads: it was written by hand, or its file is "
        f"gone. Move "
        "it to a rates file of another name, or pass --overwrite."
    )


# Answers that cannot be read

FIRST = {"SOL-PERP": "2025-06-16", "SOL": "2025-06-16"}


@pytest.mark.parametrize(
    ("path", "answer", "why"),
    [
        (
            "markets/june.json",
            [],
            (
                "the name is not the second at which the answer came. Rename it, such as "
                "2025-06-17T001003Z.json"
            ),
        ),
        (
            "markets/2025-06-16T001003Z.json",
            {"code": "x"},
            "This is no list of markets. Download the file again",
        ),
        (
            "markets/2025-06-16T001003Z.json",
            "[",
            "line 1 is no JSON (Expecting value). Download the file again",
        ),
        ("markets/2025-06-16T001003Z.json", [1], "row 1: '1' is no row. Download the file again"),
        (
            "markets/2025-06-16T001003Z.json",
            [{}],
            "row 1: symbol is missing. Download the file again",
        ),
        (
            "markets/2025-06-16T001003Z.json",
            [SPOT, SOL_PERP, SOL_PERP],
            "row 3: 'SOL_USDC_PERP' stands twice. Download the file again",
        ),
        (
            "markets/2025-06-16T001003Z.json",
            [{**SOL_PERP, "imfFunction": "x"}],
            "row 1: imfFunction is missing. Download the file again",
        ),
        (
            "markets/2025-06-16T001003Z.json",
            [{**SOL_PERP, "imfFunction": {"type": "sqrt", "base": "2", "factor": "0"}}],
            "row 1: base is 2, but must be from 0 to 1. Download the file again",
        ),
        (
            "markets/2025-06-16T001003Z.json",
            [{**SOL_PERP, "imfFunction": {"type": "sqrt", "base": "0.1", "factor": "-1"}}],
            "row 1: factor is -1, but must be at least 0. Download the file again",
        ),
        (
            "markets/2025-06-16T001003Z.json",
            [{**SOL_PERP, "imfFunction": {"type": "sqrt", "base": "0,1", "factor": "1"}}],
            "row 1: base: '0,1' is no number. Write it as 1234.56, without separators",
        ),
        (
            "markets/2025-06-16T001003Z.json",
            [{**SOL_PERP, "imfFunction": {"type": "sqrt"}}],
            "row 1: base is missing. Download the file again",
        ),
        (
            "collateral/2025-06-16T001003Z.json",
            [{"symbol": "SOL"}],
            "row 1: haircutFunction is missing. Download the file again",
        ),
        (
            "collateral/2025-06-16T001003Z.json",
            [
                {
                    **SOL,
                    "haircutFunction": {
                        "weight": "0.9",
                        "kind": {"type": "inverseSqrt", "positiveCurvePenalty": "0", "base": "0"},
                    },
                }
            ],
            "row 1: base is 0, but must be above 0. Download the file again",
        ),
        (
            "klines/SOL_USDC_PERP/2025-06-17T001003Z.json",
            [bar("2025-06-16", "2025-06-17", "0")],
            "row 1: close is 0, but must be above 0. Download the file again",
        ),
        (
            "klines/SOL_USDC_PERP/2025-06-17T001003Z.json",
            [{"close": "1"}],
            "row 1: None is no time in UTC. Write it as 2025-11-03T16:28:17",
        ),
        (
            "borrowLendHistory/USDC/2025-06-17T001003Z.json",
            [rate("2025-06-01T00:00:00", "101", "1", "1")],
            "row 1: lendInterestRate is 101, but must be from 0 to 100. Download the file again",
        ),
        (
            "borrowLendMarkets/2025-06-17T001003Z.json",
            [{"symbol": "USDC"}],
            "row 1: lendInterestRate is missing. Download the file again",
        ),
    ],
)
def test_an_answer_that_cannot_be_read_says_where(
    tmp_path: Path, path: str, answer: object, why: str
) -> None:
    with pytest.raises(RefusedError) as refused:
        said(tmp_path, {path: answer}, FIRST)
    assert str(refused.value) == f"downloads/backpack/public/{path}: {why}."


def test_bars_of_what_is_no_market_say_where(tmp_path: Path) -> None:
    with pytest.raises(
        RefusedError, match=r"^downloads/backpack/public/klines/SOL: 'SOL' is a market"
    ):
        said(tmp_path, {"klines/SOL/2025-06-17T001003Z.json": []})


# Laws

ROWS = [
    rate(f"2025-06-01T{hour:02}:00:00", f"0.0{hour + 1}", f"0.1{hour}", "0.5") for hour in range(8)
]
BARS = [bar(f"2025-06-{day:02}", f"2025-06-{day + 1:02}", f"{140 + day}") for day in range(1, 9)]


@settings(max_examples=25, deadline=None)
@given(data=st.data())
def test_how_rows_are_split_over_files_makes_no_difference(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Overlap, order and repetition leave the same bytes."""

    def split(rows: Sequence[object]) -> list[list[object]]:
        extra = data.draw(st.lists(st.sampled_from(rows)))
        mixed = data.draw(st.permutations([*rows, *extra]))
        at = data.draw(st.integers(0, len(mixed)))
        return [list(mixed[:at]), list(mixed[at:])]

    answers = {
        f"{kind}/2025-06-{11 + number}T001003Z.json": part
        for kind, rows in (("borrowLendHistory/USDC", ROWS), ("klines/SOL_USDC_PERP", BARS))
        for number, part in enumerate(split(rows))
    }
    whole = {
        "borrowLendHistory/USDC/2025-06-11T001003Z.json": ROWS,
        "klines/SOL_USDC_PERP/2025-06-11T001003Z.json": BARS,
    }
    parts = said(tmp_path_factory.mktemp("parts"), answers)
    assert parts == said(tmp_path_factory.mktemp("whole"), whole)


def test_beancount_reads_what_is_written(tmp_path: Path) -> None:
    answers = {
        **ANSWERS,
        "collateral/2025-06-16T001003Z.json": [SOL, USDC],
        "klines/SOL_USDC_PERP/2025-06-17T001003Z.json": BARS,
        "borrowLendHistory/USDC/2025-06-02T001003Z.json": HISTORY,
    }
    text = said(tmp_path, answers, {**FIRST, "USDC": "2025-06-01"})
    for path, content in text.files.items():
        (tmp_path / path).parent.mkdir(exist_ok=True)
        (tmp_path / path).write_text(content)
    _, errors, _ = loader.load_file(str(tmp_path / "main.beancount"))
    assert [error.message for error in errors] == []
