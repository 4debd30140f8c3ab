"""The posting map, row by row, with figures worked by hand."""

import datetime
import json
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import backpack_rows as api
import pytest
from beancount import loader

from usance.model.feeds import IGNORED, Feed
from usance.model.hours import Day, day_of
from usance.model.problems import Source
from usance.venues.backpack.shapes import read
from usance.venues.backpack.symbols import BackpackSymbols
from usance.venues.books import Account, Accounts, Posted
from usance.venues.drafts import written
from usance.venues.lot_queue import Held
from usance.venues.numbers import Misread
from usance.venues.posting import post
from usance.venues.row_set import union

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "backpack_shapes"
FIRST = day_of(datetime.date(2025, 11, 1))
AT = "2025-11-03T16:28:17"

Files = list[list[dict[str, Any]]]


def feed(name: str, **changes: object) -> Feed:
    terms: dict[str, Any] = {
        "sub_account": name,
        "venue": "backpack",
        "since": FIRST,
        "outside": "Assets:Bank",
        "transit": "Equity:Transit",
        "distributions": f"Income:Backpack:{name}:Distributions",
        "pays": None,
        "fee_on_top": True,
        "ignore": IGNORED,
        "source": Source("main.beancount", 1),
    }
    return Feed(**terms | changes)


def accounts_of(name: str) -> Accounts:
    return Accounts(
        wallet=f"Assets:Backpack:{name}:Wallet",
        perp=f"Assets:Backpack:{name}:Perp",
        accrued_yield=f"Assets:Backpack:{name}:AccruedYield",
        borrowed=f"Liabilities:Backpack:{name}:Borrowed",
        pnl=f"Income:Backpack:{name}:PnL",
        fees=f"Expenses:Backpack:{name}:Fees",
        interest_earned=f"Income:Backpack:{name}:Interest",
        interest_paid=f"Expenses:Backpack:{name}:Interest",
        funding_received=f"Income:Backpack:{name}:Funding",
        funding_paid=f"Expenses:Backpack:{name}:Funding",
    )


def account(
    files: Files,
    name: str = "Main",
    *,
    imported: Callable[[Day], bool] = lambda _: True,
    repays: bool = False,
    held: dict[str, list[Held]] | None = None,
    **changes: object,
) -> Account:
    pages = [
        read(f"{name}-{at}.json", json.dumps(file).encode()).rows for at, file in enumerate(files)
    ]
    return Account(
        feed(name, **changes),
        union(pages),
        BackpackSymbols({}),
        accounts_of(name),
        held or {},
        imported,
        lambda _day, _second: repays,
    )


def text(posted: Posted) -> str:
    """Return the transactions; Beancount books each of them without any tolerance."""
    found = "\n".join(map(written, posted.drafts)).replace("\n\n\n", "\n\n").strip()
    named = {leg.account for draft in posted.drafts for leg in draft.legs}
    opens = [f"2025-01-01 open {one}" + (' "FIFO"' if "Perp" in one else "") for one in named]
    lines = ['option "tolerance_multiplier" "0"', *opens, HELD, found]
    _, errors, _ = loader.load_string("\n".join(lines))
    assert not errors, errors
    return found


HELD = ""


def of(*rows: dict[str, Any], **options: Any) -> str:  # noqa: ANN401
    return text(post([account([[row] for row in rows], **options)]))


def test_a_deposit() -> None:
    found = of(api.deposit(7, "120.50", "2025-11-03T13:55:54.267", platformMemo='a "b"'))
    assert found == (
        '2025-11-03 * "Deposit from ethereum: a \\"b\\""\n'
        '  time: "13:55:54"\n'
        '  backpack: "deposit/7"\n'
        "  Assets:Backpack:Main:Wallet  120.5 USDC\n"
        "  Assets:Bank  -120.5 USDC"
    )


def test_what_the_platform_pays_in() -> None:
    row = api.deposit(7, "5", "2025-12-02T10:00:00", source="administrator")
    assert "  Income:Backpack:Main:Distributions  -5 USDC" in of(row)
    found = of(row, pays="USD")
    assert '  pays: "USD 2025-11"\n' in found
    assert "  Assets:Backpack:Main:AccruedYield  -5 USDC" in found
    january = api.deposit(7, "5", "2026-01-02T10:00:00", source="administrator")
    assert '  pays: "USD 2025-12"\n' in of(january, pays="USD")


def test_a_withdrawal_with_its_fee_on_top_or_included() -> None:
    row = api.withdrawal(8, "100", "0.5", AT)
    assert of(row).splitlines()[3:] == [
        "  Assets:Backpack:Main:Wallet  -100.5 USDC",
        "  Expenses:Backpack:Main:Fees  0.5 USDC",
        "  Assets:Bank  100 USDC",
    ]
    assert of(row, fee_on_top=False).splitlines()[3:] == [
        "  Assets:Backpack:Main:Wallet  -100 USDC",
        "  Expenses:Backpack:Main:Fees  0.5 USDC",
        "  Assets:Bank  99.5 USDC",
    ]


OUT = api.withdrawal(814, "10", "0", "2025-11-03T23:59:30", isInternal=True)
INTO = api.deposit(6695361, "10.0", "2025-11-04T00:00:30", source="internal")


def test_an_internal_transfer_between_two_feeds_is_one_transaction() -> None:
    found = text(post([account([[OUT]]), account([[INTO]], "Arb")]))
    assert found == (
        '2025-11-03 * "Transfer from Main to Arb"\n'
        '  time: "23:59:30"\n'
        '  backpack: "withdrawal/814 deposit/6695361"\n'
        "  Assets:Backpack:Main:Wallet  -10 USDC\n"
        "  Assets:Backpack:Arb:Wallet  10 USDC"
    )


@pytest.mark.parametrize(
    "into",
    [
        [INTO | {"createdAt": "2025-11-04T00:00:30.001"}],  # more than 60 s
        [INTO | {"quantity": "11"}],
        [INTO | {"symbol": "SOL"}],
        [INTO | {"source": "ethereum"}],
        [INTO | {"status": "pending"}],
        [INTO, INTO | {"id": 9}],  # which one it is, would be a guess
    ],
)
def test_else_it_goes_through_transit(into: list[dict[str, Any]]) -> None:
    found = text(post([account([[OUT]]), account([into], "Arb")]))
    assert "  Assets:Backpack:Main:Wallet  -10 USDC\n  Equity:Transit  10 USDC" in found
    assert "Transfer" not in found


def test_two_rows_of_one_feed_are_no_transfer() -> None:
    assert "Transfer" not in of(OUT, INTO)


def test_a_spot_fill_with_its_fee_in_the_coin() -> None:
    row = api.fill(5, "Bid", "4.5", "150.01", AT, symbol="SOL_USDC", fee="0.0045", feeSymbol="SOL")
    assert of(row) == (
        '2025-11-03 * "Buy 4.5 SOL at 150.01"\n'
        '  time: "16:28:17"\n'
        '  backpack: "fill/SOL_USDC/5/95/Bid"\n'
        '  order: "95"\n'
        "  Assets:Backpack:Main:Wallet  4.5 SOL @ 150.01 USDC\n"
        "  Assets:Backpack:Main:Wallet  -675.045 USDC\n"
        "  Expenses:Backpack:Main:Fees  0.0045 SOL\n"
        "  Assets:Backpack:Main:Wallet  -0.0045 SOL"
    )


def test_a_perpetual_fill_flips_in_one_transaction() -> None:
    """2 long at 100; 5 sold at 110 close 2 with 20 won and open 3 short. A rebate of 0.1."""
    rows = [
        api.fill(1, "Bid", "2", "100", AT),
        api.fill(2, "Ask", "5", "110", AT, fee="-0.1", systemOrderType="LiquidatePositionOnBook"),
    ]
    assert of(*rows).split("\n\n")[1] == (
        '2025-11-03 * "Sell 5 SOL-PERP at 110"\n'
        '  time: "16:28:17"\n'
        '  backpack: "fill/SOL_USDC_PERP/2/92/Ask"\n'
        '  order: "92"\n'
        '  system: "LiquidatePositionOnBook"\n'
        '  contract: "SOL-PERP"\n'
        "  Assets:Backpack:Main:Perp  -2 SOL-PERP {} @ 110 USDC\n"
        "  Assets:Backpack:Main:Perp  -3 SOL-PERP {110 USDC}\n"
        "  Assets:Backpack:Main:Perp  550 USDC\n"
        "  Income:Backpack:Main:PnL  -20 USDC\n"
        "  Expenses:Backpack:Main:Fees  -0.1 USDC\n"
        "  Assets:Backpack:Main:Wallet  0.1 USDC"
    )


def test_lots_that_a_person_wrote_before_the_feed_are_closed_first(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(
        globals(),
        "HELD",
        '2025-10-31 open Assets:Own\n2025-10-31 * "Before"\n'
        "  Assets:Backpack:Main:Perp  1 SOL-PERP {90 USDC}\n  Assets:Own  -90 USDC\n",
    )
    held = {"SOL-PERP": [Held(Day(FIRST - 1), Decimal(90), Decimal(1))]}
    assert "  Income:Backpack:Main:PnL  -10 USDC" in of(
        api.fill(1, "Ask", "1", "100", AT), held=held
    )


def test_the_recorded_fills_have_the_results_that_the_venue_showed() -> None:
    """+0.027158 and -0.068138 USDC, as the source of the fills says."""
    if not SHARED.is_dir():
        pytest.skip("the recorded answers are not on this machine")
    recorded = json.loads((SHARED / "fills_btc_2025-11.json").read_text())["data"]
    rows = [
        api.fill(at, row["side"], row["quantity"], row["price"], row["timestamp"])
        | {"symbol": row["symbol"]}
        for at, row in enumerate(recorded, 1)
    ]
    posted = post([account([rows])])
    text(posted)
    results: dict[int, Decimal] = {}
    for draft in posted.drafts:
        for leg in draft.legs:
            if leg.account.endswith("PnL"):
                results[draft.day] = results.get(draft.day, Decimal(0)) - leg.number
    assert list(results.values()) == [Decimal("0.027158"), Decimal("-0.068138")]


def test_fills_of_one_moment_are_in_order_of_their_numbers() -> None:
    """9 comes before 10: 1 is bought at 100 and at 110, and the first is sold."""
    rows = [
        api.fill(10, "Bid", "1", "110", AT),
        api.fill(9, "Bid", "1", "100", AT),
        api.fill(11, "Ask", "1", "120", AT),
    ]
    assert "  Income:Backpack:Main:PnL  -20 USDC" in of(*rows)


def test_a_fraction_after_a_full_hour_is_the_next_second() -> None:
    assert '  time: "12:00:01"' in of(api.fill(1, "Bid", "1", "1", "2025-11-03T12:00:00.5"))
    assert '  time: "12:00:00"' in of(api.fill(1, "Bid", "1", "1", "2025-11-03T12:00:00"))
    assert '  time: "12:00:01"' in of(api.fill(1, "Bid", "1", "1", "2025-11-03T12:00:01.9"))


def test_funding_of_a_day_and_market_is_one_transaction() -> None:
    """0.3 came in and 0.1 went out; what is stamped 00:00:00 is of the day before."""
    rows = [
        api.funding("0.2", "2025-11-03T01:00:00"),
        api.funding("-0.1", "2025-11-03T02:00:00"),
        api.funding("0.1", "2025-11-04T00:00:00"),
    ]
    assert of(*rows) == (
        '2025-11-03 * "Funding of SOL-PERP"\n'
        '  time: "23:59:59"\n'
        '  backpack: "funding/SOL_USDC_PERP/2025-11-03"\n'
        "  rows: 3\n"
        '  contract: "SOL-PERP"\n'
        "  Assets:Backpack:Main:Wallet  0.2 USDC\n"
        "  Income:Backpack:Main:Funding  -0.3 USDC\n"
        "  Expenses:Backpack:Main:Funding  0.1 USDC"
    )


@pytest.mark.parametrize(
    ("kind", "legs"),
    [
        ("Lend", ["Wallet  3", "Interest  -3"]),
        ("UnrealizedPositivePnl", ["Wallet  3", "Interest  -3"]),
        ("Borrow", ["Interest  3", "Borrowed  -3"]),
        ("EntryFee", ["Interest  3", "Borrowed  -3"]),
        ("UnrealizedNegativePnl", ["Interest  3", "Wallet  -3"]),
    ],
)
def test_interest_of_a_day_is_one_transaction_where_imported(kind: str, legs: list[str]) -> None:
    rows = [
        api.interest(kind, "1", "2025-11-03T01:00:00"),
        api.interest(kind, "2", "2025-11-04T00:00:00"),
    ]
    lines = of(*rows).splitlines()
    assert lines[1:4] == [
        '  time: "23:59:59"',
        f'  backpack: "interest/{kind}/USDC/2025-11-03"',
        "  rows: 2",
    ]
    assert [line.rpartition(":")[2] for line in lines[4:]] == [f"{leg} USDC" for leg in legs]


def test_interest_is_checked_where_it_is_generated() -> None:
    rows = [
        api.interest("Lend", "1", "2025-11-03T01:00:00"),
        api.interest("Lend", "2", "2025-11-04T01:00:00"),
    ]
    posted = post([account([rows], imported=lambda day: day > FIRST + 2)])
    assert (posted.booked["interest"], posted.checked["interest"]) == (1, 1)
    assert text(posted).startswith('2025-11-04 * "Interest on lent USDC"')


def test_a_borrow_by_hand_is_booked_where_the_books_do_not_repay() -> None:
    rows = [
        api.movement("Borrow", "Manual", "10", "2025-11-03T01:00:00"),
        api.movement("BorrowRepay", "Manual", "4", "2025-11-03T02:00:00"),
        api.movement("Borrow", "SpotMargin", "1", "2025-11-03T03:00:00"),
    ]
    posted = post([account([rows])])
    assert text(posted) == (
        '2025-11-03 * "Borrow"\n'
        '  time: "01:00:00"\n'
        '  backpack: "borrowLend/Borrow/USDC/77/2025-11-03T01:00:00"\n'
        "  Assets:Backpack:Main:Wallet  10 USDC\n"
        "  Liabilities:Backpack:Main:Borrowed  -10 USDC\n\n"
        '2025-11-03 * "Repay"\n'
        '  time: "02:00:00"\n'
        '  backpack: "borrowLend/BorrowRepay/USDC/77/2025-11-03T02:00:00"\n'
        "  Assets:Backpack:Main:Wallet  -4 USDC\n"
        "  Liabilities:Backpack:Main:Borrowed  4 USDC"
    )
    assert (posted.booked["borrowLend"], posted.checked["borrowLend"]) == (2, 1)
    assert post([account([rows], repays=True)]).checked["borrowLend"] == 3


def test_settlements_that_no_other_feed_tells_are_booked() -> None:
    found = of(
        api.settlement("BackstopLiquidityFundProceeds", "-3", AT, 5),
        api.settlement("SystemLiabilityTransfer", "2", AT),
    )
    assert '  backpack: "settlement/BackstopLiquidityFundProceeds/5"' in found
    assert "  Assets:Backpack:Main:Wallet  -3 USDC\n  Income:Backpack:Main:PnL  3 USDC" in found
    assert "  Assets:Backpack:Main:Wallet  2 USDC\n  Income:Backpack:Main:PnL  -2 USDC" in found


def test_what_the_backstop_took_is_a_finding_that_names_it() -> None:
    rows = [[api.settlement("BackstopAdlLiquidation", "-3", AT)]]
    rows.append([api.movement("BorrowRepay", "LiquidationAdl", "2", AT, "SOL")])
    posted = post([account(rows)])
    assert not posted.drafts
    assert posted.findings == [
        f"{AT}: {what}, is not booked. Find out what it moved, as with usance reconcile, and "
        "write that"
        for what in (
            "borrowLend LiquidationAdl of Main, 2 SOL",
            "settlement BackstopAdlLiquidation of Main, -3 USDC",
        )
    ]
    assert posted.ignored == {
        "settlement BackstopAdlLiquidation": 1,
        "borrowLend LiquidationAdl": 1,
    }


def test_dust_whose_total_divides_is_sold_for_it() -> None:
    assert of(api.dust(3, "0.004", "0.6", AT)).splitlines()[3:] == [
        "  Assets:Backpack:Main:Wallet  -0.004 SOL @@ 0.6 USDC",
        "  Assets:Backpack:Main:Wallet  0.6 USDC",
    ]


def test_dust_whose_total_does_not_divide_comes_out_exactly() -> None:
    """0.1 for 0.3 SOL: 2 tenths at 0.3333333333, 1 at 0.3333333334, is 0.1 to the last digit."""
    assert of(api.dust(3, "0.3", "0.1", AT)).splitlines()[3:] == [
        "  Assets:Backpack:Main:Wallet  -0.2 SOL @ 0.3333333333 USDC",
        "  Assets:Backpack:Main:Wallet  -0.1 SOL @ 0.3333333334 USDC",
        "  Assets:Backpack:Main:Wallet  0.1 USDC",
    ]


def test_dust_for_which_nothing_came_is_a_fee() -> None:
    assert of(api.dust(3, "0.3", "0", AT)).splitlines()[3:] == [
        "  Assets:Backpack:Main:Wallet  -0.3 SOL",
        "  Expenses:Backpack:Main:Fees  0.3 SOL",
    ]


def test_rows_that_do_not_count_are_counted_by_reason() -> None:
    files = [
        [api.fill(1, "Bid", "1", "1", "2025-10-31T23:59:59")],
        [api.funding("1", "2025-11-01T00:00:00")],  # for the last hours of October
        [
            api.deposit(1, "1", AT, status="pending"),
            api.deposit(2, "1", AT, status="refunded"),
            api.deposit(3, "1", AT, "POINTS"),
        ],
        [api.withdrawal(1, "1", "0", AT, status="void")],
    ]
    posted = post([account(files)])
    assert not posted.drafts
    assert posted.ignored == {
        "before the feed": 2,
        "deposit pending": 1,
        "deposit refunded": 1,
        "withdrawal void": 1,
        "ignored symbol": 1,
    }
    assert posted.rows == {"fills": 1, "funding": 1, "deposits": 3, "withdrawals": 1}


def test_what_only_repeats_an_event_is_compared_day_by_day() -> None:
    files = [
        [api.fill(1, "Bid", "1", "1", AT, fee="0.5"), api.fill(2, "Bid", "1", "1", AT, fee="0.1")],
        [api.funding("0.2", "2025-11-04T00:00:00"), api.funding("0.3", "2025-11-04T01:00:00")],
        [api.interest("Lend", "1", AT), api.interest("Borrow", "2", AT)],
        [api.interest("EntryFee", "3", AT)],
        [
            api.movement("Lend", "Interest", "1", AT),
            api.movement("Borrow", "Interest", "5", AT),
        ],
        [
            api.settlement("TradingFees", "-0.5", AT, 1),
            api.settlement("TradingFeesSystem", "-0.1", AT, 2),
            api.settlement("FundingPayment", "0.2", "2025-11-04T00:00:00.123", 3),
            api.settlement("RealizePnl", "9", AT, 4),
        ],
    ]
    posted = post([account(files)])
    assert posted.findings == []
    assert (posted.checked["settlement"], posted.checked["borrowLend"]) == (4, 2)
    files[5] += [api.settlement("FundingPayment", "-0.3", "2025-11-04T01:00:01", 5)]
    files[4][0]["quantity"] = "1.5"
    assert post([account(files)]).findings == [
        f"{what}, which is what is booked. Fetch again; if it stays, ask the venue"
        for what in (
            "2025-11-04: funding of Main: -0.3 USDC in settlement, 0.3 USDC in funding",
            "2025-11-03: interest earned of Main: 1.5 USDC in borrowLend, 1 USDC in interest",
        )
    ]


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (api.fill(1, "Bid", "1", "1", AT, symbol="SOL_USDC_DATED"), "a kind that is not booked"),
        (api.fill(1, "Bid", "1", "1", AT, symbol="SOL"), "a kind that is not booked"),
        (api.fill(1, "Bid", "1", "1", AT, symbol="A,B_USDC"), "is no name of a commodity"),
        (api.deposit(1, "1", AT, "TRUE"), "is no name of a commodity"),
        (api.deposit(1, "1" * 29, AT), "has more than 28 digits"),
        (
            api.fill(1, "Bid", "1." + "1" * 20, "1." + "1" * 20, AT),
            "has more than 28 digits, which the books cannot hold",
        ),
    ],
)
def test_what_the_books_cannot_hold_is_refused_with_its_row(
    row: dict[str, Any], message: str
) -> None:
    with pytest.raises(Misread) as caught:
        post([account([[row]])])
    assert str(caught.value).startswith("Main-0.json: row 1: ")
    assert message in str(caught.value)


def test_symbols() -> None:
    symbols = BackpackSymbols({"kBONK_USDC_PERP": "KBONK-PERP", "USDe": "USDE2"})
    assert symbols.coin("1INCH") == "X1INCH"
    assert symbols.coin("xRP") == "XRP"
    assert symbols.coin("USDe") == "USDE2"
    assert symbols.market("kBONK_USDC_PERP") == ("KBONK-PERP", "USDC", True)
    assert symbols.market("SOL_USDT_PERP") == ("SOL-USDT-PERP", "USDT", True)
    assert symbols.market("SOL_USDC_RFQ") == symbols.market("SOL_USDC") == ("SOL", "USDC", False)
    with pytest.raises(Misread, match="'xRP' and 'XRP' are both XRP"):
        symbols.coin("XRP")


def test_rows_of_one_moment_are_in_order_of_kind_then_id() -> None:
    arb = account([[api.deposit(2, "1", AT), api.deposit(1, "1", AT)]], "Arb")
    main = account([[api.dust(1, "1", "1", AT)], [api.fill(3, "Bid", "1", "1", AT)]])
    posted = post([arb, main])
    assert [draft.id for draft in posted.drafts] == [
        "fill/SOL_USDC_PERP/3/93/Bid",
        "deposit/1",
        "deposit/2",
        "dust/1",
    ]
