"""Bills as a library: rates and prices, day counts, accretion, what a holder earns.

Oracles: 592 auctions of the record, the worked examples of 31 CFR 356 Appendix B, QuantLib, and
whole powers compared in fractions.
"""

import csv
import json
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from fractions import Fraction
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yield_oracle
from hypothesis import example, given, settings
from hypothesis import strategies as st

from usance import treasury
from usance.model.amounts import NO_CARRY, Quanta
from usance.rules import yields

SHARED = Path(__file__).parents[3] / "shared"
VECTORS = SHARED / "vectors" / "treasury.json"
AUCTIONS = SHARED / "data" / "treasury_bills" / "auctions_2022_2023.csv"
few = settings(max_examples=60, deadline=None, derandomize=True)


def vectors(key: str = "", *, names: str = "") -> Iterator[Any]:
    """Yield the vectors with an input, whose ids begin with a name."""
    if VECTORS.is_file():
        for vector in json.loads(VECTORS.read_text())["vectors"]:
            if (not key or key in vector["inputs"]) and vector["id"].startswith(names):
                yield pytest.param(vector, id=vector["id"])


def vector(name: str) -> Any:  # noqa: ANN401
    if not VECTORS.is_file():
        pytest.skip(f"no {VECTORS}")
    [found] = [entry for entry in json.loads(VECTORS.read_text())["vectors"] if entry["id"] == name]
    return found


def rounded(number: Decimal, places: int) -> str:
    return format(number.quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP), "f")


def percent(rate: Decimal) -> str:
    return rounded(rate * 100, 3)


def close(ours: Decimal, theirs: float | str, digits: int = 13) -> bool:
    """Compare with a figure of floating point."""
    return abs(ours - Decimal(str(theirs))) < Decimal(1).scaleb(-digits)


# Rates and prices


def auctions() -> list[dict[str, str]]:
    if not AUCTIONS.is_file():
        pytest.skip(f"no {AUCTIONS}")
    with AUCTIONS.open(newline="") as file:
        return list(csv.DictReader(file))


def test_every_investment_rate_of_the_record_is_reproduced() -> None:
    """Two years of auctions, 4 weeks to 52, to the record's three decimals."""
    rows = auctions()
    assert len(rows) == 592
    differing = []
    for row in rows:
        issue, due = date.fromisoformat(row["issue_date"]), date.fromisoformat(row["maturity_date"])
        assert (due - issue).days == int(row["days"])
        rate = treasury.investment_rate(Decimal(row["price_per_100"]), issue, due)
        if percent(rate) != rounded(Decimal(row["investment_rate_pct"]), 3):
            differing.append((row["cusip"], percent(rate), row["investment_rate_pct"]))
    assert differing == []


def test_the_price_comes_back_from_either_rate_of_every_auction() -> None:
    for row in auctions():
        issue, due = date.fromisoformat(row["issue_date"]), date.fromisoformat(row["maturity_date"])
        price = Decimal(row["price_per_100"])
        simple = treasury.discount_rate(price, issue, due)
        bond = treasury.investment_rate(price, issue, due)
        smallest = Decimal("1e-24")
        assert abs(treasury.price_from_discount_rate(simple, issue, due) - price) < smallest
        assert abs(treasury.price_from_investment_rate(bond, issue, due) - price) < smallest


def test_appendix_b_price_from_the_discount_rate() -> None:
    # 100 * (1 - 0.0761 * 90/360) = 98.0975
    price = treasury.price_from_discount_rate(
        Decimal("0.0761"), date(1989, 11, 24), date(1990, 2, 22)
    )
    assert price == Decimal("98.0975")


def test_appendix_b_discount_rate_from_the_price() -> None:
    # (100 - 95.934567)/100 * 360/182 = 0.0804151...
    rate = treasury.discount_rate(Decimal("95.934567"), date(1982, 12, 30), date(1983, 6, 30))
    assert percent(rate) == "8.042"


def test_appendix_b_investment_rate_up_to_half_a_year() -> None:
    # (100 - 99.559444)/99.559444 * 365/20 = 0.08075725...
    rate = treasury.investment_rate(Decimal("99.559444"), date(1990, 6, 1), date(1990, 6, 21))
    assert rounded(rate, 8) == "0.08075725"


def test_appendix_b_investment_rate_of_a_longer_bill() -> None:
    # a = 364/730 - 1/4 = 0.248630137, b = 364/365 = 0.997260274, c = -0.083834607
    rate = treasury.investment_rate(Decimal("92.265"), date(1990, 6, 7), date(1991, 6, 6))
    assert rounded(rate, 9) == "0.082373244"


def test_a_quoted_auction_row() -> None:
    # The year that follows has no 29 February. In the next one it has, and the rate is of 366 days.
    price, issue = Decimal("98.742431"), date(2022, 3, 9)
    due = issue + timedelta(91)
    assert percent(treasury.discount_rate(price, issue, due)) == "4.975"
    assert percent(treasury.investment_rate(price, issue, due)) == "5.108"
    issue = date(2023, 3, 9)
    # (100 - 98.742431)/98.742431 * 366/91 = 0.0512234...
    assert percent(treasury.investment_rate(price, issue, issue + timedelta(91))) == "5.122"


@pytest.mark.parametrize("entry", list(vectors("days", names="356")))
def test_vectors_of_appendix_b(entry: dict[str, dict[str, str]]) -> None:
    inputs, expected = entry["inputs"], entry["expected"]
    issue, due = date.fromisoformat(inputs["issued"]), date.fromisoformat(inputs["due"])
    assert (due - issue).days == int(inputs["days"])
    if "discount_rate" in inputs:
        price = treasury.price_from_discount_rate(Decimal(inputs["discount_rate"]), issue, due)
        assert rounded(price, 6) == expected["price"]
        return
    price = Decimal(inputs["price"])
    if "discount_rate_pct" in expected:
        rate = treasury.discount_rate(price, issue, due)
        assert percent(rate) == expected["discount_rate_pct"]
    if "investment_rate_pct" in expected:
        rate = treasury.investment_rate(price, issue, due)
        assert percent(rate) == expected["investment_rate_pct"]
        assert rounded(rate, 9) == expected.get("i", rounded(rate, 9))


@pytest.mark.parametrize(
    ("issue", "year"),
    [
        (date(2023, 2, 28), 365),  # its first anniversary is 2024-02-28
        (date(2023, 3, 1), 366),  # 2024-02-29 lies before 2024-03-01
        (date(2024, 1, 4), 366),
        (date(2024, 2, 28), 366),  # 2024-02-29 is after the issue date
        (date(2024, 2, 29), 365),  # issued on it: d must lie after the issue date
        (date(2024, 3, 1), 365),
        (date(1999, 3, 1), 366),  # 2000 has a 29 February
        (date(1899, 3, 1), 365),  # 1900 has none
        (date(2099, 3, 1), 365),  # nor has 2100
    ],
)
def test_the_year_has_366_days_where_a_29_february_is_in_it(issue: date, year: int) -> None:
    assert treasury.days_in_year(issue) == year
    rate = treasury.investment_rate(Decimal(99), issue, issue + timedelta(91))
    assert abs(rate - Decimal(year) / 99 / 91) < Decimal("1e-26")


def test_183_days_of_366_are_simple_and_183_of_365_are_not() -> None:
    # 183/366 is half a year, where the square term is 0: 2/98 * 366/183 = 0.0408163265...
    rate = treasury.investment_rate(Decimal(98), date(2024, 1, 4), date(2024, 7, 5))
    assert rounded(rate, 10) == "0.0408163265"
    # 183 of 365: (183/730 - 1/4) i^2 + (183/365) i - 2/98 = 0, i = 0.040703755…; simple is more
    rate = treasury.investment_rate(Decimal(98), date(2022, 1, 4), date(2022, 7, 6))
    square, first = Fraction(183, 730) - Fraction(1, 4), Fraction(183, 365)
    root = Fraction(rate)
    assert abs(square * root**2 + first * root - Fraction(2, 98)) < Fraction(1, 10**26)
    assert rate < Decimal(2) / 98 * 365 / 183


def test_182_days_are_simple_in_every_year() -> None:
    for issue in (date(2022, 1, 6), date(2024, 1, 4)):
        rate = treasury.investment_rate(Decimal(98), issue, issue + timedelta(182))
        assert abs(rate - Decimal(2) / 98 * treasury.days_in_year(issue) / 182) < Decimal("1e-26")


def test_a_price_above_the_face_has_a_rate_below_zero() -> None:
    """Bills have been bought at a premium; short and long formula agree on the sign."""
    for length in (28, 364):
        issue = date(2022, 1, 6)
        due = issue + timedelta(length)
        assert treasury.discount_rate(Decimal("100.01"), issue, due) < 0
        rate = treasury.investment_rate(Decimal("100.01"), issue, due)
        assert rate < 0
        price = treasury.price_from_investment_rate(rate, issue, due)
        assert abs(price - Decimal("100.01")) < Decimal("1e-24")


@pytest.mark.parametrize("rate", [treasury.discount_rate, treasury.investment_rate])
def test_a_price_of_nothing_and_a_bill_of_no_days_are_refused(
    rate: Callable[[Decimal, date, date], Decimal],
) -> None:
    issue = date(2025, 5, 1)
    for price, due in (
        (Decimal(0), issue + timedelta(28)),
        (Decimal(-1), issue + timedelta(28)),
        (Decimal(99), issue),
        (Decimal(99), issue - timedelta(1)),
    ):
        with pytest.raises(ValueError, match=r"price|bill"):
            rate(price, issue, due)


@few
@given(
    st.decimals("60", "100.5", places=6),
    st.dates(date(1990, 1, 1), date(2060, 1, 1)),
    st.integers(1, 366),
)
def test_prices_and_rates_are_inverse(price: Decimal, issue: date, length: int) -> None:
    due = issue + timedelta(length)
    smallest = Decimal("1e-22")
    bond = treasury.investment_rate(price, issue, due)
    assert abs(treasury.price_from_investment_rate(bond, issue, due) - price) < smallest
    bank = treasury.discount_rate(price, issue, due)
    assert abs(treasury.price_from_discount_rate(bank, issue, due) - price) < smallest


# Day counts


@pytest.mark.parametrize(
    ("start", "end", "bank", "fixed", "calendar"),
    [
        # 366 days; actual/actual is 1 in a calendar year of any length
        (date(2024, 1, 1), date(2025, 1, 1), Fraction(366, 360), Fraction(366, 365), Fraction(1)),
        (date(2023, 1, 1), date(2024, 1, 1), Fraction(365, 360), Fraction(1), Fraction(1)),
        # 31 days of November and December 2023, 29 of January 2024
        (
            date(2023, 12, 1),
            date(2024, 1, 30),
            Fraction(60, 360),
            Fraction(60, 365),
            Fraction(31, 365) + Fraction(29, 366),
        ),
        (date(2024, 2, 29), date(2024, 2, 29), Fraction(0), Fraction(0), Fraction(0)),
    ],
)
def test_day_counts(
    start: date, end: date, bank: Fraction, fixed: Fraction, calendar: Fraction
) -> None:
    for name, expected in (
        ("actual/360", bank),
        ("actual/365 fixed", fixed),
        ("actual/actual", calendar),
    ):
        fraction = treasury.DAY_COUNTS[name](start, end)
        assert abs(Fraction(fraction) - expected) < Fraction(1, 10**26)


# QuantLib


@pytest.fixture(scope="module")
def quantlib() -> Any:  # noqa: ANN401
    return pytest.importorskip("QuantLib")


def as_date(quantlib: Any, day: date) -> Any:  # noqa: ANN401
    return quantlib.Date(day.day, day.month, day.year)


DATES = [
    (date(2023, 3, 1), date(2024, 2, 29)),
    (date(2023, 11, 9), date(2024, 5, 9)),
    (date(2024, 1, 4), date(2024, 4, 4)),
    (date(2024, 2, 29), date(2025, 2, 27)),
    (date(2025, 5, 1), date(2025, 5, 29)),
    (date(1999, 12, 31), date(2000, 12, 28)),
]


@pytest.mark.parametrize(("start", "end"), DATES)
def test_day_counts_are_those_of_quantlib(quantlib: Any, start: date, end: date) -> None:  # noqa: ANN401
    theirs = {
        "actual/360": quantlib.Actual360(),
        "actual/365 fixed": quantlib.Actual365Fixed(),
        "actual/actual": quantlib.ActualActual(quantlib.ActualActual.ISDA),
    }
    assert theirs.keys() == treasury.DAY_COUNTS.keys()
    first, last = as_date(quantlib, start), as_date(quantlib, end)
    for name, convention in theirs.items():
        ours = treasury.DAY_COUNTS[name](start, end)
        assert close(ours, convention.yearFraction(first, last))


@pytest.mark.parametrize(("issue", "due"), DATES)
@pytest.mark.parametrize("price", ["92.265", "98.692", "99.977250"])
def test_rates_are_those_of_quantlib(
    quantlib: Any,  # noqa: ANN401
    issue: date,
    due: date,
    price: str,
) -> None:
    """Bank discount: simple interest on the face. Up to half a year: simple interest on the price.

    Longer, the appendix pays the interest of a half year out: QuantLib's simple-then-compounded
    rate differs from it in the fourth digit, and is no oracle for it.
    """
    first, last = as_date(quantlib, issue), as_date(quantlib, due)
    days = (due - issue).days
    year = treasury.days_in_year(issue)
    if 2 * days <= year:
        convention = quantlib.Actual365Fixed()
        implied = quantlib.InterestRate.impliedRate(
            100 / float(price), convention, quantlib.Simple, quantlib.Annual, first, last
        )
        ours = treasury.investment_rate(Decimal(price), issue, due) * 365 / year
        assert close(ours, implied.rate())
    bank = treasury.discount_rate(Decimal(price), issue, due)
    fraction = quantlib.Actual360().yearFraction(first, last)
    assert close(100 * (1 - bank * Decimal(str(fraction))), float(price), 10)


def test_the_investment_rate_is_not_a_semi_annual_yield(quantlib: Any) -> None:  # noqa: ANN401
    # 0.082373244 of the appendix, 0.082377817 where the first half year is compounded.
    entry = vector("ql-52w-semi")
    first, last = quantlib.Date(7, 6, 1990), quantlib.Date(6, 6, 1991)
    implied = quantlib.InterestRate.impliedRate(
        100 / 92.265,
        quantlib.Actual365Fixed(),
        quantlib.Compounded,
        quantlib.Semiannual,
        first,
        last,
    )
    assert close(Decimal(entry["expected"]["yield"]), implied.rate(), 12)
    ours = treasury.investment_rate(Decimal("92.265"), date(1990, 6, 7), date(1991, 6, 6))
    assert Decimal("0.000004") < Decimal(entry["expected"]["yield"]) - ours < Decimal("0.000005")


@pytest.mark.parametrize(("bought", "due"), DATES)
@pytest.mark.parametrize("cost", ["0.9512", "0.98692", "0.999772"])
def test_accretion_is_constant_yield_of_quantlib(
    quantlib: Any,  # noqa: ANN401
    bought: date,
    due: date,
    cost: str,
) -> None:
    """A yield compounded continuously on actual/365 grows each day by the same factor."""
    first, last = as_date(quantlib, bought), as_date(quantlib, due)
    convention = quantlib.Actual365Fixed()
    rate = quantlib.InterestRate.impliedRate(
        1 / float(cost), convention, quantlib.Continuous, quantlib.Annual, first, last
    )
    days = (due - bought).days
    quantum = Decimal("1e-9")
    for day in range(days + 1):
        value = yields.accreted(Decimal(cost), Decimal(100), day, days, quantum)
        factor = rate.compoundFactor(first, first + day, first, last)
        assert close(value, 100 * float(cost) * factor, 8)


# Accretion


@pytest.mark.parametrize("entry", list(vectors("k", names="ql-accretion")))
def test_vectors_of_accretion(entry: dict[str, dict[str, Any]]) -> None:
    inputs = entry["inputs"]
    cost = Decimal(inputs["cost"]) / 100
    quantum = Decimal("1e-12")
    value = yields.accreted(cost, Decimal(100), inputs["k"], inputs["n"], quantum)
    assert close(value, entry["expected"]["value"], 10)


def test_income_of_all_days_is_exactly_the_discount() -> None:
    # 98.692 is no whole cent: value(0) is the booked cost, so the first income has the tenths.
    cost, face, cent = Decimal("0.98692"), Decimal(100), Decimal("0.01")
    values = [yields.accreted(cost, face, day, 91, cent) for day in range(92)]
    assert values[:3] == [Decimal("98.692"), Decimal("98.71"), Decimal("98.72")]
    assert values[90:] == [Decimal("99.99"), Decimal(100)]
    assert sum(after - before for before, after in pairwise(values)) == (Decimal("1.308"))


def test_straight_line_gives_every_day_the_same() -> None:
    # 100 - 98.6 = 1.40 in 28 days: 0.05 a day
    values = [
        yields.accreted(Decimal("0.986"), Decimal(100), day, 28, Decimal("0.01"), straight=True)
        for day in range(29)
    ]
    assert {after - before for before, after in pairwise(values)} == {Decimal("0.05")}


def test_halves_are_rounded_to_even() -> None:
    # straight line, 4 days: 0.5, 1, 1.5, 2 quanta above 98: 98, 99, 100 (99.5), 100
    values = [
        yields.accreted(Decimal("0.98"), Decimal(100), day, 4, Decimal(1), straight=True)
        for day in range(5)
    ]
    assert values == [98, 98, 99, 100, 100]


costs = st.decimals("0.8", "1", places=6)
quanta = st.sampled_from([Decimal("0.01"), Decimal("0.000001"), Decimal("1e-8"), Decimal("0.05")])


@few
@example(Decimal(1), 100_000, 28, Decimal("0.01"), False)
@given(costs, st.integers(1, 10**7), st.integers(1, 366), quanta, st.booleans())
def test_accretion_agrees_with_whole_powers(
    cost: Decimal, face: int, days: int, quantum: Decimal, straight: bool
) -> None:
    """Every value is that of the oracle, never falls, and ends in the face."""
    shown = sorted({0, 1, days // 3, days // 2, days - 1, days})
    values = [
        yields.accreted(cost, Decimal(face), day, days, quantum, straight=straight) for day in shown
    ]
    expected = [
        yield_oracle.accreted(
            Fraction(cost), Fraction(face), day, days, Fraction(quantum), straight=straight
        )
        for day in shown
    ]
    assert [Fraction(value) for value in values] == expected
    assert values[-1] == face
    # The booked cost may be finer than a quantum, and lie above the value of the first days.
    assert values[1:] == sorted(values[1:])
    assert values[0] - quantum <= values[1]


def test_a_bill_published_by_the_tax_office() -> None:
    # IRS Publication 1212, example 23: 60,000 for 100,000 in 12 74/181 half years, 8.405 % to
    # maturity, 2 * ((1/0.6)^(1/12.4088) - 1), printed 8.406 % as the root is rounded before.
    periods = Fraction(74, 181) + 12
    days = 1000 * 181
    one = round(Fraction(days) / periods)  # so many days in a half year
    value = yields.accreted(Decimal("0.6"), Decimal(100_000), one, days, Decimal("1e-10"))
    rate = (value / 60_000 - 1) * 2
    assert rounded(rate, 5) == "0.08405"


# What a holder earns


def test_a_thousand_at_four_percent_earn_109589_millionths_a_day() -> None:
    # 0.04/8760 = 4.566210045662100...e-6; 24,000 coin-hours: 0.109589041095888
    growth = yields.daily_growth(Decimal("0.04"))
    assert growth == 4_566_210_045_662
    credit, carry = yields.earned(Quanta(24 * 10**9), growth, NO_CARRY)
    assert (credit, carry) == (109_589, 41_095_888_000_000_000)
    credit, carry = yields.earned(Quanta(24 * 10**9), growth, carry)
    assert (credit, carry) == (109_589, 82_191_776_000_000_000)


def test_growth_is_rounded_half_even() -> None:
    # 8760e-18 a year is 1e-18 an hour
    for quanta_of_growth, expected in (("0.5", 0), ("1.5", 2), ("2.5", 2), ("2.50001", 3)):
        assert yields.daily_growth(Decimal(quanta_of_growth) * 8760 / 10**18) == expected


def test_a_share_is_rounded_down_and_nothing_where_nobody_holds() -> None:
    # 10 quanta over 3 coin-hours: 3.333...
    assert yields.share(10 * 10**18, 3) == 3_333_333_333_333_333_333
    assert yields.share(10 * 10**18, 0) == 0


@few
@given(
    st.lists(
        st.tuples(st.integers(0, 10**15), st.decimals("0", "0.2", places=4)),
        min_size=1,
        max_size=60,
    )
)
def test_credits_differ_from_the_sum_by_less_than_a_quantum(
    booked: list[tuple[int, Decimal]],
) -> None:
    """Whatever the horizon: the carry is all that is missing."""
    carry, credited = NO_CARRY, 0
    exact = Fraction(0)
    for hours, rate in booked:
        growth = yields.daily_growth(rate)
        credit, carry = yields.earned(Quanta(hours), growth, carry)
        credited += credit
        exact += Fraction(hours * growth, 10**18)
        assert 0 <= exact - credited < 1
        assert exact - credited == Fraction(carry, 10**18)
