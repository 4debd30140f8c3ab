"""Amounts: at their edges, and in whatever Decimal context the caller works."""

import datetime
from collections.abc import Callable
from decimal import ROUND_CEILING, ROUND_DOWN, ROUND_UP, Context, Decimal, localcontext
from fractions import Fraction

import pytest

from usance import treasury
from usance.model import amounts
from usance.model.amounts import Carry, Coin, Grains, Quanta
from usance.rules import interest, yields

USDC = Coin.of("USDC", Decimal("0.000001"), 9)
LOTS = Coin.of("LOTS", Decimal("0.0025"), 0)


def test_a_coin_counts_in_grains_as_fine_as_its_finest_amount() -> None:
    assert (USDC.step, USDC.places, USDC.digits, USDC.grains_per_quantum) == (1, 6, 9, 1000)
    assert (LOTS.step, LOTS.places, LOTS.digits, LOTS.grains_per_quantum) == (25, 4, 4, 25)
    assert USDC.to_grains(Decimal("1.000000001")) == 1_000_000_001
    assert USDC.from_grains(Grains(-1)) == Decimal("-0.000000001")
    assert str(LOTS.from_quanta(Quanta(3))) == "0.0075"
    assert LOTS.quanta_text(Quanta(-3)) == "-0.0075"


def test_grains_are_quanta_exactly_down_or_up() -> None:
    assert (LOTS.in_grains(Quanta(3)), USDC.in_grains(Quanta(-3))) == (75, -3000)
    edges = (0, 1, 24, 25, 26, -1)
    assert [LOTS.floor_quanta(Grains(grains)) for grains in edges] == [0, 0, 0, 1, 1, -1]
    assert [LOTS.ceil_quanta(Grains(grains)) for grains in edges] == [0, 1, 1, 1, 2, 0]


def test_an_amount_is_rounded_to_the_quantum_half_even_or_as_said() -> None:
    assert [LOTS.to_quanta(Decimal(text)) for text in ("0.00125", "0.00375", "-0.00375")] == [
        0,
        2,
        -2,
    ]
    assert LOTS.to_quanta(Decimal("0.0001"), ROUND_UP) == 1
    assert LOTS.to_quanta(Decimal("0.0049"), ROUND_DOWN) == 1


@pytest.mark.parametrize(
    ("amount", "text"),
    [
        ("12345678901234567.5", "12345678901234567.500000"),
        ("1", "1.000000"),
        ("0.0000015", "0.0000015"),
        ("1.50000010", "1.5000001"),
    ],
)
def test_an_amount_is_written_to_the_quantum_or_finer(amount: str, text: str) -> None:
    assert str(USDC.written(Decimal(amount))) == text


@pytest.mark.parametrize(
    ("carry", "text"),
    [
        (0, "0"),
        (1, "0.000000000000000000000001"),
        (10**18, "0.000001"),
        (-25 * 10**16, "-0.00000025"),
    ],
)
def test_a_carry_is_written_and_read_back(carry: int, text: str) -> None:
    assert USDC.carry_text(Carry(carry)) == text
    assert USDC.to_carry(text) == carry


@pytest.mark.parametrize("text", ["", "one", "Infinity", "1e9999999"])
def test_what_is_no_carry_is_named(text: str) -> None:
    with pytest.raises(ValueError, match=f"^{text}$"):
        USDC.to_carry(text)


def test_a_carry_that_is_not_a_number_is_none() -> None:
    with pytest.raises(ValueError, match="NaN"):
        USDC.to_carry("NaN")


@pytest.mark.parametrize(
    ("number", "places", "text"),
    [
        (5, 0, "5"),
        (-5, 0, "-5"),
        (5, 3, "0.005"),
        (-5, 3, "-0.005"),
        (1234, 3, "1.234"),
        (0, 2, "0.00"),
    ],
)
def test_an_integer_is_written_with_its_decimals(number: int, places: int, text: str) -> None:
    assert amounts.fixed_point_text(number, places) == text


@pytest.mark.parametrize(
    ("text", "short"),
    [("100", "100"), ("1.500", "1.5"), ("1.000", "1"), ("0.0", "0"), ("10.0", "10"), (".X0", ".X")],
)
def test_only_zeros_behind_the_point_are_cut(text: str, short: str) -> None:
    assert amounts.without_trailing_zeros(text) == short


@pytest.mark.parametrize(
    ("number", "text"),
    [
        ("1E+1", "10"),
        ("10.0", "10"),
        ("1E+2", "100"),
        ("100.00", "100"),
        ("0E+3", "0"),
        ("-0.50", "-0.5"),
        ("1E-10", "0.0000000001"),
    ],
)
def test_a_number_is_plain(number: str, text: str) -> None:
    assert amounts.decimal_text(Decimal(number)) == text
    tidy = amounts.normalized(Decimal(number))
    assert (tidy, tidy.as_tuple().exponent) == (Decimal(text), Decimal(text).as_tuple().exponent)
    assert amounts.decimals(Decimal(number)) == max(0, -Decimal(number).as_tuple().exponent)  # type: ignore[operator]


def test_a_figure_has_28_significant_digits() -> None:
    assert (
        amounts.rounded_text(Decimal("1.00000000000000000000000000050001"))
        == "1.000000000000000000000000001"
    )


# A caller's context

ISSUE, MATURITY = datetime.date(2023, 3, 9), datetime.date(2024, 3, 7)
PRICE, RATE = Decimal("95.1234567"), Decimal("0.0512345678901234567")
TWO = [RATE, 3 * RATE]
SHORT = datetime.date(2023, 6, 8)
EXACT: dict[str, Callable[[], object]] = {
    "grains": lambda: USDC.to_grains(Decimal("12345678.000000001")),
    "rounded": lambda: USDC.to_quanta(Decimal("12345678.0000005")),
    "decimal": lambda: USDC.from_grains(Grains(12345678000000001)),
    "written": lambda: USDC.written(Decimal("12345678.000000001")),
    "amount": lambda: USDC.from_quanta(Quanta(12345678000001)),
    "carry": lambda: USDC.to_carry("0.000000123456789012345678"),
    "total": lambda: amounts.total([Decimal("12345678.9"), Decimal("0.00000001")]),
    "figure": lambda: amounts.rounded_text(Decimal("1.00000000000000000000000000050001")),
    "plain": lambda: amounts.decimal_text(Decimal("12345678.000000010")),
    "growth": lambda: interest.growth([RATE] * 24),
    "mean_rate": lambda: interest.mean_rate(TWO),
    "discount_rate": lambda: treasury.discount_rate(PRICE, ISSUE, MATURITY),
    "price_from_discount_rate": lambda: treasury.price_from_discount_rate(RATE, ISSUE, MATURITY),
    "investment_rate": lambda: treasury.investment_rate(PRICE, ISSUE, MATURITY),
    "investment_rate, short": lambda: treasury.investment_rate(PRICE, ISSUE, SHORT),
    "price_from_investment_rate": lambda: treasury.price_from_investment_rate(
        RATE, ISSUE, MATURITY
    ),
    "actual_360": lambda: treasury.actual_360(ISSUE, MATURITY),
    "actual_365_fixed": lambda: treasury.actual_365_fixed(ISSUE, MATURITY),
    "actual_actual": lambda: treasury.actual_actual(ISSUE, MATURITY),
    "accreted": lambda: yields.accreted(
        Decimal("0.951234567"), Decimal(123456789), 100, 364, Decimal("0.01")
    ),
    "accreted, straight": lambda: yields.accreted(
        Decimal("0.951234567"), Decimal(123456789), 100, 364, Decimal("0.01"), straight=True
    ),
    "daily_growth": lambda: yields.daily_growth(RATE),
}


@pytest.mark.parametrize("name", EXACT)
def test_a_figure_is_the_same_in_whatever_context(name: str) -> None:
    figure = EXACT[name]()
    with localcontext(Context(prec=5, rounding=ROUND_CEILING)):
        assert str(EXACT[name]()) == str(figure)


# Bills, at the edges of what they are


@pytest.mark.parametrize("price", ["0.5", "1"])
def test_a_price_is_above_zero(price: str) -> None:
    days = treasury.days_between(ISSUE, MATURITY)
    rate = (100 - Decimal(price)) / 100 * 360 / days
    assert abs(treasury.discount_rate(Decimal(price), ISSUE, MATURITY) - rate) < Decimal("1e-26")
    for refused in ("0", "-1"):
        with pytest.raises(ValueError, match=f"^a price of {refused} is not above 0$"):
            treasury.discount_rate(Decimal(refused), ISSUE, MATURITY)


@pytest.mark.parametrize("day", [10, 11])
def test_at_maturity_a_bill_is_worth_its_face_though_that_is_finer_than_a_quantum(day: int) -> None:
    face = Decimal("1000.0000015")
    assert yields.accreted(Decimal("0.95"), face, day, 10, Decimal("0.000001")) == face


def test_rates_are_computed_whatever_the_context_of_the_caller() -> None:
    """Worked in fractions: (1 + 0.05/8760)(1 + 0.06/8760) - 1, and the mean of both."""
    rates = [Decimal("0.05"), Decimal("0.06")]
    exact = (1 + Fraction(5, 876000)) * (1 + Fraction(6, 876000)) - 1
    with localcontext(Context(prec=5)):
        assert interest.growth(rates) == round(exact * 10**18)
        assert interest.mean_rate(rates) == Decimal("0.055")
        assert interest.mean_rate([Decimal("0.0123456789")] * 2) == Decimal("0.0123456789")
