"""The chain of closed days, on bytes made by hand: each way in which it breaks, and its reason."""

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from usance.close import seals
from usance.close.seals import Broken, Seal

DIRTY = 'lends 1 "old" C:\\rates'


@dataclass
class Chain:
    """Month files and their .inputs, to be closed day by day and altered."""

    months: dict[str, bytes]
    inputs: dict[str, bytes]
    previous: str = ""

    def close(
        self,
        date: str,
        month: str = "",
        posted: bytes = b"",
        lines: tuple[bytes, ...] = (),
        findings: str = "",
    ) -> Seal:
        """Close a day over some text and lines of inputs: one, and those given."""
        month = month or date[:7]
        text = posted or b"; %s\n\n" % date.encode()
        of_day = [seals.input_line(date, "a directive"), *lines]
        digest = seals.inputs_digest(of_day)
        seal = seals.close(date, self.previous, digest, "lending", findings, text)
        name = f"{month}.beancount"
        self.months[name] = self.months.get(name, b"") + text + seal.text().encode()
        beside = f"{month}.inputs"
        self.inputs[beside] = self.inputs.get(beside, b"") + b"".join(of_day)
        self.previous = seal.digest
        return seal

    def edit(self, month: str, old: bytes, new: bytes) -> None:
        """Replace the one place of a month where some bytes stand."""
        data = self.months[f"{month}.beancount"]
        assert data.count(old) == 1
        self.months[f"{month}.beancount"] = data.replace(old, new)

    def broken(self) -> Broken | None:
        return seals.walk(self.months, self.inputs)[1]


@pytest.fixture
def chain() -> Chain:
    """Three days: two of January and one of February. A close is 5 lines, the text before it 2."""
    made = Chain({}, {})
    for date in ("2025-01-30", "2025-01-31", "2025-02-01"):
        made.close(date)
    return made


def test_a_sound_chain_is_read_as_it_was_sealed() -> None:
    chain = Chain({}, {})
    closed = [
        chain.close("2025-01-31", findings=DIRTY),
        chain.close("2025-02-01", posted="; Überweisung\n".encode()),
    ]
    assert seals.walk(chain.months, chain.inputs) == (closed, None)
    assert [seal.findings for seal in closed] == [DIRTY, ""]
    assert closed[0].text().splitlines()[-1] == '  findings: "lends 1 \\"old\\" C:\\\\rates"'
    assert [seal.previous for seal in closed] == ["", closed[0].digest]


def test_no_month_is_a_sound_chain_of_none() -> None:
    assert seals.walk({}, {}) == ([], None)


def test_a_month_may_begin_with_a_seal() -> None:
    seal = seals.close("2025-01-31", "", seals.inputs_digest([]), "", "", b"")
    data = seal.text().encode()
    assert seals.walk({"2025-01.beancount": data}, {}) == ([seal], None)
    assert list(seals.days(data)) == [(data.count(b"\n"), "2025-01-31", b"")]


def test_the_last_line_of_each_close_is_told(chain: Chain) -> None:
    data = chain.months["2025-01.beancount"]
    assert [day[:2] for day in seals.days(data)] == [(7, "2025-01-30"), (14, "2025-01-31")]


JANUARY, FEBRUARY = "2025-01.beancount", "2025-02.beancount"
NOT_SEALED = "the posted text does not match the seal"
NOT_FOLLOWING = "its close does not name the digest of the day closed before it"
NOT_WRITTEN = "its close has been changed"
INPUTS = "the month's .inputs file does not match the seal of the day"
BEHIND = "the file has text after its last close"
MISSING = "its close is missing or has been changed"
NOT_OF_DAY = "a day-correct has another date, or does not correct an earlier day"
NOT_GIVEN = "a day-correct does not match the month's .inputs file"


def stay(_chain: Chain) -> None:
    pass


def first_month_empty(chain: Chain) -> None:
    chain.months["2025-01.beancount"] = b""


def second_month_empty(chain: Chain) -> None:
    chain.months["2025-02.beancount"] = b""


def first_line_blank(chain: Chain) -> None:
    chain.months[JANUARY] = b"\n" + chain.months[JANUARY]


def tail_behind_a_blank_line(chain: Chain) -> None:
    chain.months = {FEBRUARY: b"\n\n; nothing is closed\n"}


def tail_below_a_blank_line(chain: Chain) -> None:
    chain.months = {}
    chain.previous = ""
    chain.close("2025-01-30", posted=b"\n; a line\n")
    chain.inputs = {"2025-01.inputs": seals.input_line("2025-01-30", "a directive")}
    chain.months[JANUARY] += b"; late\n"


def inputs_lost(chain: Chain) -> None:
    del chain.inputs["2025-02.inputs"]


def digest(chain: Chain) -> None:
    chain.edit("2025-02", b'"day-close" "', b'"day-close" "\xff')


def stages(chain: Chain) -> None:
    chain.edit("2025-02", b'stages: "lending"', b'stages: "lending\xff"')


def sealed_twice(chain: Chain) -> None:
    once = dict(chain.inputs)
    chain.close("2025-02-01")
    chain.inputs = once


def sealed_backwards(chain: Chain) -> None:
    chain.close("2025-02-02")
    sealed_twice(chain)


def a_day_left_out(chain: Chain) -> None:
    chain.close("2025-02-03")


def previous(chain: Chain) -> None:
    chain.previous = "0" * 64
    chain.close("2025-02-02")


def restart(chain: Chain, before: str, *dates: str) -> None:
    """Close some days alone; the first of them names another day before it."""
    chain.months, chain.inputs, chain.previous = {}, {}, before
    for date in dates:
        chain.close(date)


def first_of_all_follows_a_day(chain: Chain) -> None:
    restart(chain, "0" * 64, "2025-01-31")


def month_follows_nothing(chain: Chain) -> None:
    restart(chain, "", "2025-01-31")
    chain.previous = ""
    chain.close("2025-02-01")


def month_follows_another(chain: Chain) -> None:
    restart(chain, "", "2025-01-30", "2025-01-31")
    chain.previous = next(iter(seals.walk(chain.months, chain.inputs)[0])).digest
    chain.close("2025-02-01")


def year_follows_another(chain: Chain) -> None:
    restart(chain, "", "2024-12-31")
    chain.previous = "0" * 64
    chain.close("2025-01-01")


def another_key(chain: Chain) -> None:
    chain.edit("2025-02", b'  stages: "lending"\n', b'  stages: "lending"\n  note: "hm"\n')


def written_otherwise(chain: Chain) -> None:
    chain.edit("2025-02", b'stages: "lending"', b'stages: "l\\ending"')


def line_of_inputs(chain: Chain) -> None:
    chain.inputs["2025-02.inputs"] += seals.input_line("2025-02-01", "another directive")


def line_of_inputs_twice(chain: Chain) -> None:
    chain.inputs["2025-02.inputs"] *= 2


def line_of_a_corrected_day_twice(chain: Chain) -> None:
    correct("2025-02-02", "2025-01-31", EDITED)(chain)
    chain.inputs["2025-02.inputs"] += seals.correcting_line("2025-02-02", EDITED)


def line_of_a_corrected_day_sealed_twice(chain: Chain) -> None:
    line = seals.correcting_line("2025-02-02", EDITED)
    text = seals.correction("2025-02-02", "2025-01-31", seals.inputs_digest([EDITED])).encode()
    chain.close("2025-02-02", posted=text, lines=(line, line))


def correct(date: str, corrected: str, given: bytes) -> Callable[[Chain], None]:
    """Close 2 February with a correction, and lines for a day before it."""

    def alter(chain: Chain) -> None:
        line = seals.correcting_line("2025-02-02", seals.input_line("2025-01-31", "edited"))
        text = seals.correction(date, corrected, seals.inputs_digest([given])).encode()
        chain.close("2025-02-02", posted=text, lines=(line,))

    return alter


EDITED = seals.input_line("2025-01-31", "edited")

BREAKS: list[tuple[Callable[[Chain], None], Broken | None]] = [
    (stay, None),
    (first_month_empty, Broken("", JANUARY, 1, BEHIND)),
    (second_month_empty, Broken("2025-01-31", FEBRUARY, 1, BEHIND)),
    (first_line_blank, Broken("2025-01-30", JANUARY, 4, NOT_SEALED)),
    (tail_behind_a_blank_line, Broken("", FEBRUARY, 1, BEHIND)),
    (tail_below_a_blank_line, Broken("2025-01-30", JANUARY, 8, BEHIND)),
    (inputs_lost, Broken("2025-02-01", FEBRUARY, 3, INPUTS)),
    (line_of_inputs, Broken("2025-02-01", FEBRUARY, 3, INPUTS)),
    (line_of_inputs_twice, Broken("2025-02-01", FEBRUARY, 3, INPUTS)),
    (line_of_a_corrected_day_twice, Broken("2025-02-02", FEBRUARY, 9, INPUTS)),
    (line_of_a_corrected_day_sealed_twice, Broken("2025-02-02", FEBRUARY, 9, NOT_GIVEN)),
    (digest, Broken("2025-02-01", FEBRUARY, 3, NOT_SEALED)),
    (stages, Broken("2025-02-01", FEBRUARY, 3, NOT_SEALED)),
    (another_key, Broken("2025-02-01", FEBRUARY, 3, NOT_WRITTEN)),
    (written_otherwise, Broken("2025-02-01", FEBRUARY, 3, NOT_WRITTEN)),
    (
        sealed_twice,
        Broken("2025-02-01", FEBRUARY, 10, "the day is not later than the day closed before it"),
    ),
    (
        sealed_backwards,
        Broken("2025-02-01", FEBRUARY, 17, "the day is not later than the day closed before it"),
    ),
    (a_day_left_out, Broken("2025-02-02", FEBRUARY, 10, MISSING)),
    (previous, Broken("2025-02-02", FEBRUARY, 10, NOT_FOLLOWING)),
    (first_of_all_follows_a_day, Broken("2025-01-31", JANUARY, 3, NOT_FOLLOWING)),
    (month_follows_nothing, Broken("2025-02-01", FEBRUARY, 3, NOT_FOLLOWING)),
    (month_follows_another, Broken("2025-02-01", FEBRUARY, 3, NOT_FOLLOWING)),
    (year_follows_another, Broken("2025-01-01", JANUARY, 3, NOT_FOLLOWING)),
    (correct("2025-02-02", "2025-01-31", EDITED), None),
    (correct("2025-02-02", "2025-01-31", b""), Broken("2025-02-02", FEBRUARY, 9, NOT_GIVEN)),
    (correct("2025-02-02", "2025-01-30", EDITED), Broken("2025-02-02", FEBRUARY, 9, NOT_GIVEN)),
    (correct("2025-02-01", "2025-01-31", EDITED), Broken("2025-02-02", FEBRUARY, 9, NOT_OF_DAY)),
    (correct("2025-02-02", "2025-02-02", EDITED), Broken("2025-02-02", FEBRUARY, 9, NOT_OF_DAY)),
    (correct("2025-02-02", "2025-02-03", EDITED), Broken("2025-02-02", FEBRUARY, 9, NOT_OF_DAY)),
]


@pytest.mark.parametrize(("alter", "broken"), BREAKS)
def test_a_chain_breaks_at_its_first_bad_day(
    alter: Callable[[Chain], None], broken: Broken | None, chain: Chain
) -> None:
    alter(chain)
    assert chain.broken() == broken


def test_a_day_of_another_month_is_told() -> None:
    chain = Chain({}, {})
    chain.close("2025-01-31")
    chain.close("2025-02-01", "2025-01")
    assert chain.broken() == Broken(
        "2025-02-01", JANUARY, 10, "the day does not belong to this month"
    )


@pytest.mark.parametrize("first", ["9999-12-31", "2025-01-32"])
def test_a_date_that_has_no_next_breaks_the_chain_and_nothing_else(first: str) -> None:
    chain = Chain({}, {})
    chain.close(first)
    assert chain.broken() is None  # seals are bytes: whether a date exists is asked elsewhere
    chain.close(f"{first[:7]}-99")
    assert chain.broken() is None


def test_a_byte_that_is_no_text_dates_no_line() -> None:
    lines = seals.input_line("2025-01-31", "a directive")
    odd = b"\xff025-01-30 what is this\n"
    assert list(seals.lines_of(odd + lines, "2025-01-31")) == [lines]
    assert list(seals.lines_of(odd + lines, "2025-01-30")) == []
    chain = Chain({}, {})
    chain.close("2025-01-31")
    chain.inputs["2025-01.inputs"] += odd
    assert chain.broken() is None


def test_a_line_given_to_a_day_is_told_from_its_own() -> None:
    own = seals.input_line("2025-01-31", "a directive")
    given = seals.correcting_line("2025-02-02", own)
    assert given.startswith(b"2025-02-02 for 2025-01-31 ")
    assert seals.corrected(given) == own
    assert [seals.is_correcting(line) for line in (own, given)] == [False, True]
    assert [seals.is_correcting(given, date) for date in ("2025-01-31", "2025-01-30")] == [
        True,
        False,
    ]
