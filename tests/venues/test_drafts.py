"""Drafts as text: what Beancount reads back is what was meant, whatever a venue wrote."""

from decimal import Decimal

from beancount.core import data
from beancount.core.amount import Amount
from beancount.parser import parser
from hypothesis import given
from hypothesis import strategies as st

from usance.model.hours import Day
from usance.venues.drafts import LONGEST, Draft, Leg, cleaned, quoted, written
from usance.venues.numbers import Instant

HOSTILE = st.text(
    st.characters() | st.sampled_from('"\\\n\r\t\x00\x1b;*#^\u2028\u202e\ud800{}'), max_size=150
)


@given(HOSTILE)
def test_text_of_a_venue_comes_back_as_it_was_cleaned(text: str) -> None:
    day = Day(739_000)
    draft = Draft(day, Instant(0), 0, 0, "x", text, (("backpack", text), ("rows", 3)), [])
    entries, errors, _ = parser.parse_string(written(draft))
    assert not errors
    (entry,) = entries
    assert isinstance(entry, data.Transaction)
    assert entry.narration == entry.meta["backpack"] == cleaned(text)
    assert entry.meta["rows"] == 3
    assert len(cleaned(text)) <= LONGEST
    assert cleaned(cleaned(text)) == cleaned(text)
    assert cleaned(text).isprintable()


def test_quotes_are_escaped_and_what_no_one_sees_is_a_blank() -> None:
    assert quoted('a"b\\c\nd\u202ee') == '"a\\"b\\\\c d e"'


@given(
    st.decimals(
        allow_nan=False, allow_infinity=False, places=12, min_value=-(10**15), max_value=10**15
    )
)
def test_amounts_are_exact_and_have_no_exponent(number: Decimal) -> None:
    for amount in (number, number.normalize(), number * Decimal("1e-9")):
        legs = [Leg("Assets:A", amount, "SOL", "@ 2 USDC")]
        text = written(Draft(Day(739_000), Instant(0), 0, 0, "x", "x", (), legs))
        assert "E" not in text.partition("Assets:A")[2].partition("SOL")[0]
        entries, errors, _ = parser.parse_string(text)
        assert not errors
        (entry,) = entries
        assert isinstance(entry, data.Transaction)
        assert entry.postings[0].units == Amount(amount, "SOL")
