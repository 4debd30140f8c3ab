"""The set of rows: each row once, however the files overlap; rows of one id agree."""

import json
from random import Random
from typing import Any

import backpack_rows as api
import pytest
from hypothesis import given
from hypothesis import strategies as st

from usance.venues.backpack.shapes import read
from usance.venues.numbers import Misread
from usance.venues.row_set import Rows, union

AT = "2025-11-03T16:28:17"


def rows(*files: list[dict[str, Any]]) -> Rows:
    return union(
        read(f"{number}.json", json.dumps(file).encode()).rows for number, file in enumerate(files)
    )


def test_a_row_in_two_files_is_one_row() -> None:
    one, other = api.fill(1, "Bid", "1", "150", AT), api.fill(2, "Ask", "1", "151", AT)
    found = rows([one, other], [other | {"quantity": "1.0", "timestamp": f"{AT}.000Z"}])
    assert [fill.trade for fill in found.fills] == [1, 2]


DISAGREE = [
    (api.fill(1, "Bid", "1", "150", AT), {"quantity": "2"}, "quantity 1", "2"),
    (api.fill(1, "Bid", "1", "150", AT), {"price": "151"}, "price 150", "151"),
    (api.fill(1, "Bid", "1", "150", AT), {"fee": "1"}, "fee 0", "1"),
    (api.fill(1, "Bid", "1", "150", AT), {"feeSymbol": "SOL"}, "fee symbol USDC", "SOL"),
    (api.funding("1", AT), {"quantity": "2"}, "SOL_USDC_PERP of 2025-11-03T16:28:17", "2"),
    (api.interest("Lend", "1", AT), {"interestRate": "0.05"}, "rate 0.04", "0.05"),
    (api.settlement("RealizePnl", "1", AT, 5), {"quantity": "2"}, "quantity 1", "2"),
    (api.deposit(1, "1", AT), {"symbol": "SOL"}, "symbol USDC", "SOL"),
    (api.deposit(1, "1", AT), {"source": "base"}, "source ethereum", "base"),
    (api.deposit(1, "1", AT), {"status": "refunded"}, "status confirmed", "refunded"),
    (api.withdrawal(1, "1", "0", AT), {"isInternal": True}, "origin OUTSIDE", "ACCOUNT"),
    (api.withdrawal(1, "1", "0", AT), {"fee": "1"}, "fee 0", "1"),
    (api.dust(1, "1", "2", AT), {"usdcReceived": "3"}, "received 2", "3"),
]


@pytest.mark.parametrize(("row", "change", "one", "other"), DISAGREE)
def test_two_rows_of_one_id_that_do_not_agree_are_an_error_with_both(
    row: dict[str, Any], change: dict[str, Any], one: str, other: str
) -> None:
    for files in (([row], [row | change]), ([row | change], [row])):
        with pytest.raises(Misread) as caught:
            rows(*files)
        text = str(caught.value)
        assert "0.json: row 1" in text
        assert "1.json: row 1" in text
        what, _, value = one.rpartition(" ")
        assert what in text
        if what != "SOL_USDC_PERP of":
            assert f" {value}, but" in text or f"it is {value}." in text
        assert f" {other}, but" in text or f"it is {other}." in text


def test_a_status_moves_forward_only() -> None:
    open_, paid = api.deposit(1, "1", AT, status="pending"), api.deposit(1, "1", AT)
    first = api.deposit(1, "1", AT, status="initiated")
    for files in ([[open_], [paid], [first]], [[first], [paid], [open_]]):
        (found,) = rows(*files).deposits
        assert found.status.name == "confirmed"
    (found,) = rows([open_], [first]).deposits
    assert found.status.name == "pending"


def test_rows_without_an_id_count_as_often_as_one_file_has_them() -> None:
    moved = api.movement("Borrow", "SpotMargin", "1", AT)
    fee = api.interest("EntryFee", "1", AT)
    old = api.fill(0, "Bid", "1", "150", AT)
    for row in (moved, fee, old):
        found = rows([row, row], [row], [row, row, row])
        assert max(map(len, found)) == 3
    ids = [fill.id for fill in rows([old, old]).fills]
    assert ids == [f"fill/SOL_USDC_PERP/order/90/Bid/{n}" for n in (1, 2)]


def test_a_settlement_without_a_sequence_is_known_by_all_its_fields() -> None:
    one = api.settlement("RealizePnl", "1", AT)
    assert len(rows([one], [one | {"quantity": "2"}], [one]).settlements) == 2


KINDS = [
    api.fill(1, "Bid", "1", "150", AT),
    api.fill(0, "Bid", "1", "150", AT),
    api.fill(0, "Bid", "1", "150.0", AT),
    api.fill(0, "Bid", "1", "151", AT),
    api.fill(None, "Ask", "1", "151", AT),
    api.fill(3, "Ask", "1", "151", AT, systemOrderType="FutureExpiry"),
]


@given(st.lists(st.lists(st.sampled_from(KINDS), max_size=6), max_size=5), st.randoms())
def test_the_set_does_not_depend_on_the_order_of_files(
    files: list[list[dict[str, Any]]], random: Random
) -> None:
    def plain(found: Rows) -> list[tuple[object, ...]]:
        return [fill._replace(place=None) for fill in found.fills]  # type: ignore[arg-type]

    wanted = plain(rows(*files))
    shuffled = [random.sample(file, len(file)) for file in random.sample(files, len(files))]
    assert plain(rows(*shuffled, *shuffled[:1])) == wanted
