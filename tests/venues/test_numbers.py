"""Numbers and times of a venue: what is read, what is refused, and that nothing is guessed."""

import datetime
import json
import re
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from usance.venues.numbers import (
    DAY_NANOS,
    DIGITS_MAX,
    EPOCH,
    SECOND,
    Instant,
    JsonNumber,
    Misread,
    day_ended,
    day_of,
    decoded,
    instant,
    instant_of_milliseconds,
    number,
    seconds_of,
    shown,
)

READ = {
    "0": "0",
    "-0": "0",
    "1234.56": "1234.56",
    "-0.0000888885": "-0.0000888885",
    "150.010": "150.01",
    "53842.90000000000000000000": "53842.9",
    "5.5E-7": "0.00000055",
    "1.0000000000E-8": "0.00000001",
    "1e3": "1000",
    "1E+3": "1000",
    "007": "7",
    "0.0000000000000000000000000000000000000001e40": "1",
    "9" * DIGITS_MAX: "9" * DIGITS_MAX,
    "0." + "9" * DIGITS_MAX: "0." + "9" * DIGITS_MAX,
    "0" * 1000 + "1": "1",
    "1e39": "1" + "0" * 39,
    "1e-40": "0." + "0" * 39 + "1",
}


@pytest.mark.parametrize("text", READ, ids=lambda text: text[:20])
def test_a_number_is_read_without_a_float(text: str) -> None:
    assert number(text) == Decimal(READ[text])


NO_NUMBERS = [
    "", " ", "--", "+1", ".5", "5.", "1,234.56", "1.234,56", "1 000", "1_000", "=1+1", "0x10",
    "NaN", "nan", "Infinity", "-inf", "1e", "1e1000", "1e5.0", " 1", "1 ", "1\n", "\n1", "1\x00",
    "--1", "\u0663", "\uff11", "\u22121", "1\u066b5", "true", "1e+-3", "1d3",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_NUMBERS, ids=ascii)
def test_what_is_no_ascii_decimal_is_refused(text: str) -> None:
    says = f"{text!a} is no number. Write it as 1234.56, without separators"
    with pytest.raises(Misread, match=re.escape(says) + r"\Z"):
        number(text)


@pytest.mark.parametrize("value", [None, True, False, 1, 1.5, [], {}, b"1"], ids=repr)
def test_what_is_no_text_is_no_number(value: object) -> None:
    with pytest.raises(Misread, match=re.escape(f"{value!r} is no number. Write it as 1234.56")):
        number(value)


@pytest.mark.parametrize(
    "text",
    [
        "9" * (DIGITS_MAX + 1),
        "0." + "0" * DIGITS_MAX + "1",
        "1." + "0" * DIGITS_MAX,
        "1e40",
        "1e-41",
        "1e999",
        "-1e999",
        "1e-999",
        "0e-999",
        "0e999",
        "9" * 30 + "e11",
    ],
)
def test_a_number_that_would_be_written_with_too_many_digits_is_refused(text: str) -> None:
    """An exponent of three digits would be a line of a thousand in the books."""
    says = f"{shown(text)} has more than 40 digits. Round it to what the venue shows"
    with pytest.raises(Misread, match=re.escape(says)):
        number(text)


@given(st.integers(-(10**DIGITS_MAX - 1), 10**DIGITS_MAX - 1), st.integers(0, DIGITS_MAX))
def test_a_number_is_what_was_written(unscaled: int, places: int) -> None:
    """LAW: what is rendered is read as the same number, to its last digit."""
    value = Decimal(f"{unscaled}e-{places}")
    assert number(f"{value:f}") == value
    assert number(str(value).lower()) == value
    assert number(JsonNumber(value)).as_tuple() == value.as_tuple()


@given(st.text(max_size=60))
def test_any_text_is_a_short_number_or_refused(text: str) -> None:
    """LAW: no text makes a number that is long when written out, and no other error."""
    try:
        written = f"{number(text):f}"
    except Misread as error:
        written = ""
        said = str(error)
    else:
        said = ""
    assert len(written.strip("-0.").replace(".", "")) <= DIGITS_MAX
    assert len(said) < 200


TIMES = {
    "1970-01-01T00:00:00": 0,
    "1970-01-01 00:00:01Z": SECOND,
    "1970-01-01T00:00:00.5+00:00": SECOND // 2,
    "1970-01-02T00:00:00.000000001": DAY_NANOS + 1,
    "2025-11-03T16:28:17.123456": 1_762_187_297_123_456_000,
    "2024-02-29T23:59:59.999999999Z": 1_709_251_199_999_999_999,
    "1969-12-31T23:59:59.75": -SECOND // 4,
}


@pytest.mark.parametrize("text", TIMES)
def test_a_time_is_read_in_utc_to_the_nanosecond(text: str) -> None:
    assert instant(text) == TIMES[text]


NO_TIMES = [
    "", "2025-11-03", "16:28:17", "2025-11-03T16:28", "2025-11-03T16:28:17+01:00",
    "2025-11-03T16:28:17-00:00", "2025-11-03T16:28:17z", "2025-11-03t16:28:17",
    "2025-11-03T24:00:00", "2016-12-31T23:59:60", "2025-11-03T16:60:00", "2025-11-03T1:28:17",
    "2025-11-03T16:28:17.", "2025-11-03T16:28:17.1234567890", "2025-11-03  16:28:17",
    "2025-11-03T16:28:17\n", "2025-11-03T16:28:17 UTC", "03.11.2025 16:28:17",
    "2025-W45-1T16:28:17", "1762187297", "\u0662\u0660\u0662\u0665-11-03T16:28:17",
    "2025-11-03T16:28:17,5",
]  # fmt: skip


@pytest.mark.parametrize("text", NO_TIMES, ids=ascii)
def test_what_is_no_time_in_utc_is_refused(text: str) -> None:
    says = f"{shown(text)} is no time in UTC. Write it as 2025-11-03T16:28:17"
    with pytest.raises(Misread, match=re.escape(says) + r"\Z"):
        instant(text)


@pytest.mark.parametrize("date", ["2025-02-29", "2025-13-01", "2025-00-10", "0000-01-01"])
def test_a_day_that_no_calendar_has_is_refused(date: str) -> None:
    says = f"'{date}' is no day of the calendar. Write it as 2025-11-03T16:28:17"
    with pytest.raises(Misread, match=re.escape(says)):
        instant(f"{date}T00:00:00")


@pytest.mark.parametrize("value", [None, True, 1, 1_762_187_297_000], ids=repr)
def test_what_is_no_text_is_no_time(value: object) -> None:
    with pytest.raises(Misread, match=f"{value} is no time in UTC"):
        instant(value)


@given(st.datetimes(), st.sampled_from("T "), st.sampled_from(["", "Z", "+00:00"]))
def test_a_time_is_what_was_written(when: datetime.datetime, between: str, behind: str) -> None:
    """LAW: any time of the calendar, as Python writes it, is read to its microsecond."""
    at = instant(when.isoformat(sep=between) + behind)
    assert day_of(at) == when.toordinal()
    of_day = when - when.replace(hour=0, minute=0, second=0, microsecond=0)
    assert at % DAY_NANOS == of_day // datetime.timedelta(microseconds=1) * 1000


def test_milliseconds_since_1970() -> None:
    assert instant_of_milliseconds("1672128000000") == instant("2022-12-27T08:00:00")
    assert instant_of_milliseconds(JsonNumber("1672121182224")) == instant(
        "2022-12-27 06:06:22.224"
    )


@pytest.mark.parametrize(
    "value",
    ["1672128000", "1672128000000000", "-672128000000", "01672128000000", "1.67e12", "", None, 1],
    ids=repr,
)
def test_seconds_and_microseconds_are_no_milliseconds(value: object) -> None:
    """Taken for milliseconds, the seconds of 2022 were a day of January 1970."""
    says = f"{value!r} is no time in milliseconds since 1970. Write it as 1672128000000"
    with pytest.raises(Misread, match=re.escape(says)):
        instant_of_milliseconds(value)


@pytest.mark.parametrize(
    ("time", "counts_from"),
    [
        ("12:00:00", "12:00:00"),
        ("12:00:00.5", "12:00:01"),
        ("12:00:00.000000001", "12:00:01"),
        ("12:00:01", "12:00:01"),
        ("12:00:01.999999999", "12:00:01"),
        ("12:30:00.5", "12:30:00"),
        ("11:59:59.999999999", "11:59:59"),
        ("00:00:00", "00:00:00"),
        ("00:00:00.5", "00:00:01"),
        ("23:59:59.999999999", "23:59:59"),
    ],
)
def test_a_fraction_is_cut_off_but_not_to_a_full_hour(time: str, counts_from: str) -> None:
    """On the hour a row would count for the hour that ends there, in which it was not."""
    hours, minutes, seconds = (int(part) for part in counts_from.split(":"))
    assert seconds_of(instant(f"2025-11-03T{time}")) == (hours * 60 + minutes) * 60 + seconds


@pytest.mark.parametrize(
    ("time", "day", "ended"),
    [
        ("2025-11-03T00:00:00", "2025-11-03", "2025-11-02"),
        ("2025-11-03T00:00:00.000000001", "2025-11-03", "2025-11-03"),
        ("2025-11-03T23:59:59.999999999", "2025-11-03", "2025-11-03"),
        ("2024-03-01T00:00:00", "2024-03-01", "2024-02-29"),
        ("1970-01-01T00:00:00", "1970-01-01", "1969-12-31"),
    ],
)
def test_midnight_belongs_to_the_day_that_it_ends(time: str, day: str, ended: str) -> None:
    at = instant(time)
    assert day_of(at) == datetime.date.fromisoformat(day).toordinal()
    assert day_ended(at) == datetime.date.fromisoformat(ended).toordinal()


@given(st.integers(-(10**6), 10**6), st.integers(0, DAY_NANOS - 1))
def test_the_second_of_a_row_is_within_its_own_hour(days: int, nanos: int) -> None:
    """LAW: at most one second late, never early by more than a fraction, in the row's own hour."""
    at = Instant(days * DAY_NANOS + nanos)
    seconds = seconds_of(at)
    assert day_of(at) == days + EPOCH
    assert -SECOND < seconds * SECOND - nanos < SECOND
    assert seconds // 3600 == nanos // (3600 * SECOND)
    if nanos % (3600 * SECOND):
        assert seconds % 3600 != 0


def test_json_keeps_the_text_of_its_numbers() -> None:
    found = decoded(b'{"a": 0.1000, "b": -1E-7, "c": [12345678901234567890], "d": "x", "e": null}')
    assert found == {
        "a": "0.1000",
        "b": "-1E-7",
        "c": ["12345678901234567890"],
        "d": "x",
        "e": None,
    }
    assert isinstance(found, dict)
    assert isinstance(found["a"], JsonNumber)
    assert not isinstance(found["d"], JsonNumber)


def test_a_number_of_five_thousand_digits_is_refused_by_its_length() -> None:
    """Python alone would raise an error of its own for an integer of that length."""
    found = decoded(b"[" + b"9" * 5000 + b"]")
    assert isinstance(found, list)
    with pytest.raises(Misread, match=r"'9{59}\.\.\. has more than 40 digits"):
        number(found[0])


def test_a_byte_order_mark_is_no_part_of_json() -> None:
    assert decoded(b'\xef\xbb\xbf{"a": "1"}') == {"a": "1"}


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "line 1 is no JSON (Expecting value). Download the file again"),
        (b"[1,\n2", "line 2 is no JSON (Expecting ',' delimiter). Download the file again"),
        (b"[1] [2]", "line 1 is no JSON (Extra data). Download the file again"),
        (b"[01]", "line 1 is no JSON (Expecting ',' delimiter). Download the file again"),
        (b'["a\nb"]', "line 1 is no JSON (Invalid control character at). Download the file again"),
        (b"\xef\xbb\xbf\xef\xbb\xbf[]", "line 1 is no JSON (Unexpected UTF-8 BOM"),
        (b"[NaN]", "NaN is no number. Download the file again"),
        (b"[-Infinity]", "-Infinity is no number. Download the file again"),
        (b'["\xff"]', "byte 2 is not UTF-8. Save the file as the venue gave it"),
        (b'["\xed\xa0\x80"]', "byte 2 is not UTF-8. Save the file as the venue gave it"),
        ('["é"]'.encode("utf-16"), "byte 0 is not UTF-8. Save the file as the venue gave it"),
        (b'{"a": 1, "b": 2, "a": 1}', "'a' stands twice in one row. Download the file again"),
        (b'[{"x": {"\\u0061": 1, "a": 1}}]', "'a' stands twice in one row. Download the file"),
        (b'{"\\n\\u00e9": 1, "\\n\\u00e9": 1}', r"'\n\xe9' stands twice in one row"),
        (b'["\\ud800"]', r"'\ud800' is half a character. Download the file again"),
        (b'[{"a\\uDFFF": 1}]', r"'\udfff' is half a character. Download the file again"),
        (b'["\\udc00\\ud800"]', r"'\udc00' is half a character. Download the file again"),
    ],
)
def test_what_is_no_json_is_refused(data: bytes, says: str) -> None:
    with pytest.raises(Misread, match=re.escape(says)):
        decoded(data)


@pytest.mark.parametrize("opening", [b"[", b'{"a":'])
def test_lists_within_lists_end_without_a_crash(opening: bytes) -> None:
    with pytest.raises(Misread, match="lists within lists have no end"):
        decoded(opening * 200_000)


def test_whole_characters_may_be_escaped() -> None:
    assert decoded(b'["\\ud83d\\ude00", "\\\\ud800"]') == ["\U0001f600", "\\ud800"]


def test_a_key_twice_among_many_is_found_at_once() -> None:
    keys = ",".join(f'"k{n}": 1' for n in range(200_000))
    with pytest.raises(Misread, match="'k199999' stands twice"):
        decoded(f'{{{keys}, "k199999": 2}}'.encode())


ANY_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(codec="utf-8")),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=3), inner),
    max_leaves=10,
)


@given(ANY_JSON)
def test_json_is_what_was_written(value: object) -> None:
    """LAW: all that JSON can say is read, its numbers as their text."""
    try:
        text = json.dumps(value, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return
    assert decoded(text) == _as_texts(value)
    assert decoded(json.dumps(value).encode()) == _as_texts(value)


def _as_texts(value: object) -> object:
    if isinstance(value, dict):
        return {key: _as_texts(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_as_texts(inner) for inner in value]
    return str(value) if isinstance(value, int) and not isinstance(value, bool) else value


@given(st.binary(max_size=80))
def test_any_bytes_are_json_or_refused(data: bytes) -> None:
    """LAW: no bytes bring another error."""
    said = ""
    try:
        decoded(data)
    except Misread as error:
        said = str(error)
    assert said.isprintable()


def test_a_message_shows_no_more_than_a_line() -> None:
    assert shown("a\x1b[31mé\ud800") == r"'a\x1b[31m\xe9\ud800'"
    assert len(shown("x" * 10**6)) == 63
    assert shown({"a": None}) == "{'a': None}"
