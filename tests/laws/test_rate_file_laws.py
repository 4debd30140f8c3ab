"""Plain rows of a rates file are read by one pattern, as `csv` reads them."""

from hypothesis import example, given
from hypothesis import strategies as st

from usance.language import rate_files

ENDS = ("\n", "\r\n", "\r", "\n\n")
HEADS = (*(",".join(header) for header in rate_files.HEADERS), '"time_utc",supply_apr,borrow_apr')
NUMBERS = ("0.01", "0", "1", "0.0100", "100", "100.5", "1.5", "+0.1", ".5", "5.", "1e-3", "-1", "")
ODD = ('"0.01"', "x", "0.0312345678901234567890", "9" * 70, " 0.01", "0,5", "\u0661", '"0.01\n"')
DAYS = ("2025-05-01", "2025-05-02", "2025-02-29", "2025-13-01", "0000-01-01")
TIMES = (*(f"T{hour:02}:00:00Z" for hour in (0, 1, 9, 23, 24)), "T09:15:30Z", "T09:00Z", "")

numbers = st.sampled_from(NUMBERS[:4]) | st.sampled_from(NUMBERS + ODD)
stamps = st.tuples(st.sampled_from(DAYS[:2]) | st.sampled_from(DAYS), st.sampled_from(TIMES))
times = stamps.map("".join) | st.integers(0, 47).map(
    lambda hour: f"2025-05-{1 + hour // 24:02}T{hour % 24:02}:00:00Z"
)
cells = st.tuples(times, st.lists(numbers, min_size=2, max_size=3) | st.lists(numbers, max_size=4))
lines = cells.map(lambda row: ",".join([row[0], *row[1]]))
ends = st.sampled_from(ENDS[:1]) | st.sampled_from(ENDS)


@st.composite
def texts(draw: st.DrawFn) -> str:
    """Draw a file: rows mostly in order, which a program or a person might have written."""
    rows = draw(st.lists(lines, max_size=12))
    if draw(st.booleans()):
        rows.sort()
    written = "".join(row + draw(ends) for row in rows)
    head = draw(st.sampled_from(HEADS)) + draw(ends)
    return (head + written)[: draw(st.none() | st.integers(0, 400))]


@given(texts())
@example("time_utc,supply_apr,borrow_apr\r2025-05-01T00:00:00Z,0,0\n")
@example("time_utc,supply_apr,borrow_apr\n2025-05-01T00:00:00Z,0,0\n\n2025-05-01T01:00:00Z,0,x")
@example('time_utc,supply_apr,borrow_apr\n2025-05-01T00:00:00Z,0,0\n"2025-05-01T01:00:00Z",0,0\n')
def test_the_pattern_reads_what_csv_reads(text: str) -> None:
    """Rows, places, and the message of the first fault."""
    of_file = (text, "rates/usdc.csv", rate_files.HEADERS, "a hint", rate_files.hourly)
    by_csv = rate_files.rows_of(*of_file)
    assert rate_files.rows_of(*of_file, rate_files.plain(text, "rates/usdc.csv")) == by_csv


def test_the_pattern_reads_all_rows_that_a_program_writes() -> None:
    """Else the law would hold of a pattern that matches nothing."""
    for header, used in zip(rate_files.HEADERS, ("", ",0.72"), strict=True):
        rows = [f"2025-05-01T{hour:02}:00:00Z,0.0412,0.063{used}" for hour in range(24)]
        text = "\n".join([",".join(header), *rows, ""])
        begun = rate_files.plain(text, "rates/usdc.csv")
        assert begun is not None
        assert (len(begun.rows), begun.end, begun.line) == (24, len(text), 26)
