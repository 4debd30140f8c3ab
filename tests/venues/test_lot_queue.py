"""The lot queue, held against Beancount's own booking by FIFO."""

import datetime
from decimal import Decimal

import pytest
from beancount import loader
from beancount.core import data
from beancount.core.inventory import Inventory
from hypothesis import given, settings
from hypothesis import strategies as st

from usance.model.hours import day_of
from usance.venues.lot_queue import Effect, Held, LotQueue
from usance.venues.numbers import Misread

FIRST = datetime.date(2025, 11, 1)
D = Decimal


def test_a_flip_closes_the_oldest_and_opens_the_rest() -> None:
    """2 at 100 and 1 at 110 are sold as 5 at 120: 2*20 + 1*10 = 50, and 2 are short at 120."""
    queue, day = LotQueue(), day_of(FIRST)
    assert queue.fill(day, D(100), D(2)) == Effect(D(0), D(2), D(0))
    assert queue.fill(day, D(110), D(1)) == Effect(D(0), D(1), D(0))
    assert queue.fill(day, D(120), D(-5)) == Effect(D(-3), D(-2), D(50))
    assert queue.held() == [Held(day, D(120), D(-2))]


def test_lots_of_one_date_and_price_are_one_at_the_first_one_s_place() -> None:
    queue, day = LotQueue(), day_of(FIRST)
    for price in (100, 110, 100):
        queue.fill(day, D(price), D(1))
    assert queue.held() == [Held(day, D(100), D(2)), Held(day, D(110), D(1))]


def test_a_product_that_beancount_would_round_is_refused() -> None:
    queue = LotQueue([Held(day_of(FIRST), D("1." + "1" * 20), D("1." + "1" * 20))])
    with pytest.raises(Misread, match="has more than 28 digits"):
        queue.fill(day_of(FIRST), D(1), D("-1." + "1" * 20))


fills = st.lists(
    st.tuples(
        st.integers(0, 3),
        st.sampled_from(["100", "100.0", "101.5", "99.123456"]),
        st.sampled_from(["1", "-1", "2.5", "-2.5", "0.0000000001", "-4"]),
    ),
    max_size=12,
)


@settings(max_examples=60, deadline=None)
@given(fills, st.booleans())
def test_it_does_what_beancount_does(
    drawn: list[tuple[int, str, str]], begins_with_lots: bool
) -> None:
    """Every transaction balances with the queue's result, and the same lots are left."""
    lines = ['option "tolerance_multiplier" "0"', '2025-10-01 open Assets:Perp "FIFO"']
    lines.append("2025-10-01 open Income:PnL")
    held = []
    if begins_with_lots:
        lines += [
            '2025-10-31 * "By hand"',
            "  Assets:Perp  3 C {100 USDC}",
            "  Assets:Perp  1 C {90 USDC, 2025-10-01}",
            "  Assets:Perp  -390 USDC",
        ]
        days = day_of(datetime.date(2025, 10, 31)), day_of(datetime.date(2025, 10, 1))
        held = [Held(days[0], D(100), D(3)), Held(days[1], D(90), D(1))]
    queue = LotQueue(held)
    for offset, price, quantity in sorted(drawn, key=lambda one: one[0]):
        date = FIRST + datetime.timedelta(days=offset)
        effect = queue.fill(day_of(date), D(price), D(quantity))
        lines.append(f'{date} * "Fill"')
        if effect.closed:
            lines.append(f"  Assets:Perp  {effect.closed:f} C {{}} @ {price} USDC")
        if effect.opened:
            lines.append(f"  Assets:Perp  {effect.opened:f} C {{{price} USDC}}")
        lines.append(f"  Assets:Perp  {-D(price) * D(quantity):f} USDC")
        lines.append(f"  Income:PnL  {-effect.result:f} USDC")
    entries, errors, _ = loader.load_string("\n".join(lines))
    assert not errors
    balance = Inventory()
    for entry in entries:
        if isinstance(entry, data.Transaction):
            for posting in entry.postings:
                if posting.account == "Assets:Perp":
                    balance.add_position(posting)
    left = [
        Held(day_of(position.cost.date), position.cost.number, position.units.number)
        for position in balance
        if position.cost is not None
    ]
    assert sorted(left) == sorted(queue.held())
