"""The liquidation price: where net equity is the maintenance margin, when one mark moves alone.

Goal: the root of the true equation, on the losing side, and none where there is none. Method: cases
in which it can be worked by hand; then drawn standings, in which it is put back as the mark.
"""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal, localcontext

import pytest
from hypothesis import event, given, settings
from margin_oracle import Picture, judge, pictures, standing

from usance.model.amounts import FIGURE, PRECISE, ZERO, decimal_text
from usance.model.terms import Collateral, Haircut, Identity, InverseSqrt, Perpetual, Slope, Tiers
from usance.rules.liquidation_price import Excess, liquidation_price
from usance.rules.margin import Asset, Debt, Position, Valuation, evaluate, repriced

ONE = Decimal(1)
FLAT = Slope(Decimal("0.0135"), ZERO)
VENUE = Slope(Decimal("0.0135"), Decimal("0.0000375"))
"""SOL-PERP at Backpack, October 2026: the factor counts from a notional of 129,600 on."""
STEEP = Slope(Decimal("0.045"), Decimal("0.00005"))
"""The factor counts from 810,000 on: a fraction of 0.05 at a million."""


def position(
    quantity: str, entry: str, mark: str, slope: Slope = VENUE, under: str | None = "SOL"
) -> Position:
    terms = Perpetual("USDC", under, Slope(ZERO, ZERO), slope)
    return Position(f"X{quantity}", Decimal(quantity), Decimal(entry), Decimal(mark), ONE, terms)


def coin(quantity: str, price: str, haircut: Haircut) -> Asset:
    return Asset("SOL", Decimal(quantity), ZERO, Decimal(price), haircut)


def account(
    cash: str,
    *positions: Position,
    coins: tuple[Asset, ...] = (),
    debts: tuple[Debt, ...] = (),
) -> Valuation:
    """Return an account with cash, and positions that were never settled."""
    assets = (Asset("USDC", Decimal(cash), ZERO, ONE, Identity(ONE)), *coins)
    owed = sum((held.quantity * held.entry for held in positions), ZERO)
    return Valuation(assets, positions, debts, {"USDC": (-owed, ONE)}, None)


def price(held: Valuation) -> str | None:
    """Return the liquidation price of the first position, to 28 digits."""
    found = liquidation_price(held, evaluate(held), 0)
    return None if found is None else decimal_text(FIGURE.plus(found))


def solved(numerator: str, denominator: str) -> str:
    return decimal_text(FIGURE.divide(Decimal(numerator), Decimal(denominator)))


LONG = position("50", "150", "148")
SHORT = position("-50", "150", "148")


def test_a_long() -> None:
    # 1000 + 50 (p - 150) = 0.0135 * 50 p, so p = 6500 / 49.325
    assert price(account("1000", LONG)) == "131.7790167257982767359351242"


def test_a_short() -> None:
    # 1000 - 50 (p - 150) = 0.0135 * 50 p, so p = 8500 / 50.675
    assert price(account("1000", SHORT)) == "167.7355698075974346324617662"


def test_what_is_settled_does_not_move_it() -> None:
    paid = account("1000", LONG)
    paid = paid._replace(
        assets=(paid.assets[0]._replace(quantity=Decimal(900)),),
        perp={"USDC": (Decimal(-7400), ONE)},
    )
    assert price(paid) == price(account("1000", LONG))


def test_a_long_whose_factor_counts() -> None:
    # At 90.25: 902,500 of notional, 0.00005 * 950 = 0.0475, 42,868.75 = C - 10,000 (100 - 90.25).
    assert price(account("140368.75", position("10000", "100", "100", STEEP))) == "90.25"


def test_the_root_may_be_where_the_factor_begins_to_count() -> None:
    # At 81: 810,000 of notional, base and factor ask for 0.045, 36,450 = C - 10,000 (100 - 81).
    assert price(account("226450", position("10000", "100", "100", STEEP))) == "81"


def test_a_short_whose_factor_counts() -> None:
    # At 121: 1,210,000 of notional, 0.00005 * 1100 = 0.055, 66,550 = C - 10,000 (121 - 100).
    assert price(account("276550", position("-10000", "100", "100", STEEP))) == "121"


def test_the_factor_may_stop_counting_on_the_way() -> None:
    # The base 0.048 takes over at 921,600; at 81 it asks 38,880 = C + 10,000 (81 - 100).
    slope = replace(STEEP, base=Decimal("0.048"))
    assert price(account("228880", position("10000", "100", "100", slope))) == "81"


def test_the_factor_may_begin_to_count_on_the_way() -> None:
    # From the base 0.045 at 64 (640,000) to 0.055 at 121: 66,550 = C - 10,000 (121 - 64).
    assert price(account("636550", position("-10000", "64", "64", STEEP))) == "121"


def test_other_positions_stay_what_they_are() -> None:
    # The other lost 2 * 100 and holds 0.0125 * 5800 = 72.5, so p = (6500 + 200 + 72.5) / 49.325.
    # It is over the same coin: its mark stays.
    other = position("2", "3000", "2900", Slope(Decimal("0.0125"), ZERO))
    assert price(account("1000", LONG, other)) == solved("6772.5", "49.325")


HAIRCUTS = {
    "identity": Identity(Decimal("0.7")),
    "inverse-sqrt": InverseSqrt(Decimal("0.95"), Decimal("1.05"), Decimal("0.05")),
    "tiers": Tiers(((Decimal("0.9"), Decimal(50)), (Decimal("0.5"), None))),
}
"""Of 100 units each counts 0.7: 1.05 / (1 + 0.05 * 10), and half at 0.9 and half at 0.5."""


@pytest.mark.parametrize("haircut", HAIRCUTS.values(), ids=list(HAIRCUTS))
def test_collateral_in_the_underlying_moves_along(haircut: Haircut) -> None:
    # 100 SOL at 150 count 0.7 * 15,000 = 10,500 where the mark is 148: 10,500 p / 148.
    # 50 (p - 700) + 10,500 p / 148 = 0.675 p, so p = 35,000 * 148 / (49.325 * 148 + 10,500).
    # At 700 the position lost 27,600; cash of 20,000 takes 20,000 * 148 from the numerator.
    held = account("20000", position("50", "700", "148"), coins=(coin("100", "150", haircut),))
    assert price(held) == solved("2220000", "17800.1")


def test_collateral_in_another_coin_stays_what_it_is() -> None:
    # 10 of another coin at 150 count 1350: p = (7500 - 1000 - 1350) / 49.325.
    other = coin("10", "150", Identity(Decimal("0.9")))._replace(coin="BTC")
    assert price(account("1000", LONG, coins=(other,))) == solved("5150", "49.325")


def test_a_borrow_of_the_underlying_moves_along_with_its_margin() -> None:
    # 10 SOL owed at 150 are 1500 where the mark is 148, and hold 0.05 of it: 1575 p / 148.
    # 3000 + 50 (p - 150) - 1575 p / 148 = 0.675 p, so p = 4500 * 148 / (49.325 * 148 - 1575).
    terms = Collateral(Identity(ONE), Slope(ZERO, ZERO), Slope(Decimal("0.05"), ZERO))
    owed = Debt("SOL", Decimal(10), Decimal(150), terms)
    assert price(account("3000", LONG, debts=(owed,))) == solved("666000", "5725.1")


def test_a_borrow_of_another_coin_stays_what_it_is() -> None:
    # 1500 owed, 75 held: p = (7500 - 3000 + 1575) / 49.325.
    terms = Collateral(Identity(ONE), Slope(ZERO, ZERO), Slope(Decimal("0.05"), ZERO))
    owed = Debt("BTC", Decimal(10), Decimal(150), terms)
    assert price(account("3000", LONG, debts=(owed,))) == solved("6075", "49.325")


def test_without_an_underlying_no_collateral_moves() -> None:
    held = position("50", "150", "148", under=None)
    coins = (coin("10", "150", Identity(Decimal("0.9"))),)
    assert price(account("1000", held, coins=coins)) == solved("5150", "49.325")


def test_a_settle_coin_of_another_price_scales_the_position() -> None:
    # At 2 a coin: 1000 + 2 * 50 (p - 150) = 0.0135 * 100 p, so p = 14,000 / 98.65.
    held = account("1000", LONG._replace(settle=Decimal(2)))
    held = held._replace(perp={"USDT": (Decimal(-7500), Decimal(2))})
    assert price(held) == solved("14000", "98.65")


@pytest.mark.parametrize("cash", ["7500", "7500.000001", "9000"])
def test_a_long_covered_by_cash_has_none(cash: str) -> None:
    # 7500 is what the position cost: at a mark of zero all is lost, and nothing is owed.
    assert price(account(cash, LONG)) is None


def test_a_long_that_a_cent_does_not_cover_has_one_near_zero() -> None:
    # 0.01 / 49.325
    assert price(account("7499.99", LONG)) == solved("0.01", "49.325")


def test_a_short_covered_by_its_coin_has_none() -> None:
    coins = (coin("60", "148", Identity(ONE)),)
    assert price(account("0", SHORT._replace(terms=flat(SHORT)), coins=coins)) is None


def flat(held: Position) -> Perpetual:
    return replace(held.terms, maintenance=FLAT)


def test_a_short_covered_by_its_coin_has_a_far_one_where_the_factor_counts() -> None:
    # 24,200 in cash and due, 60 SOL, short 50: net equity 24,200 + 10 p. At 24,200 that is 266,200,
    # the notional 1,210,000 and the fraction 0.0002 * 1100 = 0.22: 266,200 too.
    steep = Slope(Decimal("0.0135"), Decimal("0.0002"))
    held = position("-50", "148", "148", steep)
    assert price(account("16800", held, coins=(coin("60", "148", Identity(ONE)),))) == "24200"


@pytest.mark.parametrize("cash", ["-5000", "100", "199.9"])
@pytest.mark.parametrize("held", [LONG, position("-50", "146", "148")], ids=["long", "short"])
def test_in_breach_it_is_the_mark(held: Position, cash: str) -> None:
    # Both lost 100 and hold 99.9: 199.9 is the last cent at which net equity does not exceed that.
    assert price(account(cash, held)) == "148"


def test_a_cent_above_a_breach_it_is_just_below_the_mark() -> None:
    # 0.01 / 49.325 below
    found = price(account("199.91", LONG))
    assert found is not None
    assert (148 - Decimal(found)).quantize(Decimal("1e-12")) == Decimal("0.000202736949")


GROWS = Slope(ZERO, Decimal("0.008"))
"""Without a base or a cap: 4 contracts at p ask for 0.064 p ** 1.5."""


def test_a_gain_that_brings_a_breach_is_not_looked_for() -> None:
    # 4 p - 300 - 0.064 p ** 1.5 is below zero at 85 and at 10,000, above it at 90 and at 1500.
    held = account("100", position("4", "100", "1500", GROWS))
    found = price(held)
    assert found is not None
    assert 85 < Decimal(found) < 90
    assert evaluate(repriced(held, {"X4": Decimal(10000)})).in_breach


def test_a_mark_beyond_the_best_one_still_looks_to_the_losing_side() -> None:
    # The same is best at 1736.1, where 4 = 0.096 sqrt(p), and still above zero at 3500.
    near, far = (account("100", position("4", "100", mark, GROWS)) for mark in ("1500", "3500"))
    assert price(near) == price(far)


# Drawn standings


@settings(deadline=None)
@given(pictures())
def test_put_back_as_the_mark_it_is_where_the_breach_begins(picture: Picture) -> None:
    """Goal: a root, with none nearer on a grid. Method: the oracle looks, the engine is asked."""
    held = standing(picture)
    margin = evaluate(held)
    kinds: Counter[str] = Counter()
    for place, position in enumerate(held.positions):
        found = liquidation_price(held, margin, place)
        shown = None if found is None else decimal_text(FIGURE.plus(found))
        kinds[judge(picture, position.market, shown)] += 1
        if found is None or margin.in_breach:
            continue
        with localcontext(PRECISE):
            under = position.terms.underlying
            share = found / position.mark
            moved = held._replace(
                positions=tuple(
                    other._replace(mark=found) if other == position else other
                    for other in held.positions
                ),
                assets=tuple(
                    asset._replace(price=asset.price * share)
                    if asset.coin == under and asset.price is not None
                    else asset
                    for asset in held.assets
                ),
                debts=tuple(
                    debt._replace(price=debt.price * share) if debt.coin == under else debt
                    for debt in held.debts
                ),
            )
            there = evaluate(moved)
            assert abs(there.net_equity - there.maintenance_margin) < Decimal("1e-9")
    for kind in kinds:
        event(kind)


# Cost


@pytest.fixture
def count(monkeypatch: pytest.MonkeyPatch) -> Callable[[Valuation], int]:
    """Count how often net equity less maintenance margin is evaluated for the first position."""
    asked: list[Decimal] = []
    at = Excess.at

    def counting(function: Excess, mark: Decimal) -> Decimal:
        asked.append(mark)
        return at(function, mark)

    monkeypatch.setattr(Excess, "at", counting)

    def counted(held: Valuation) -> int:
        asked.clear()
        liquidation_price(held, evaluate(held), 0)
        return len(asked)

    return counted


SOL = (coin("60", "148", Identity(Decimal("0.95"))),)
TYPICAL = {
    "long": account("1000", LONG),
    "short": account("1000", SHORT),
    "long, factor": account("300000", position("10000", "100", "100", STEEP)),
    "short, factor": account("300000", position("-10000", "100", "100", STEEP)),
    "long, far": account("7000", LONG),
    "short, far": account("70000", SHORT),
    "long, coins": account("1000", LONG, coins=SOL),
    "short, coins": account("1000", SHORT, coins=SOL),
    "short, covered, factor": account("1000", position("-50", "150", "148"), coins=SOL),
    "short, covered, flat": account("1000", SHORT._replace(terms=flat(SHORT)), coins=SOL),
    "long, covered": account("9000", LONG),
    "in breach": account("100", LONG),
    "several": account("3000", LONG, position("-10", "149", "148"), position("3", "150", "148")),
}


@pytest.mark.parametrize("held", TYPICAL.values(), ids=TYPICAL)
def test_it_takes_few_evaluations(count: Callable[[Valuation], int], held: Valuation) -> None:
    assert count(held) <= 30
