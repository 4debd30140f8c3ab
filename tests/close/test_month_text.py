"""The quick answer to what a month may say: what it lets pass, Beancount reads as ours."""

import re
import time
from itertools import groupby, product
from string import ascii_lowercase

import pytest
from beancount.core import data
from beancount.parser import parser
from golden_ledgers import LEDGERS, golden
from hypothesis import example, given
from hypothesis import strategies as st

from usance.close.month_text import is_ours

ENTRY = re.compile(r"^(?=\d{4}-)", re.MULTILINE)
COMMENT = '; Closed days, sealed by "usance accrue": an edit is found. Do not format this file.\n'
PIECES = (
    'plugin "evil"\n',
    'include "/etc/passwd"\n',
    'option "insert_pythonpath" "TRUE"\n',
    '2025-05-01 custom "mine" "x"\n',
    '2025-05-01 * "\n',
    "2025-05-01 open Assets:Bank\n",
    "2025-05-01 open Bank:Cash\n",
    '2025-02-31 * "No such day"\n',
    '    rate: "0.04"\n',
    '    rate: "1" ; why\n',
    '  usance: "twice"\n',
    '  p: "one letter"\n',
    '    p: "one letter"\n',
    '  lineno: "1"\n',
    '    lineno: "1"\n',
    '    filename: "x"\n',
    "  filename:\n",
    "    lineno:\n",
    "  p\n",
    "    rate: \n",
    "  Assets:Bank  1 NULL\n",
    "  Assets:Bank  1 TRUE\n",
    f"  Assets:Bank  {'9' * 5000} USDC\n",
    "  Assets:Bank  1 USDC\n",
    "  Assets:Bank  1 USDC @ 2 USD\n",
    "  Assets:Bank\n",
    "  ! Assets:Bank  1 USDC\n",
    "pushtag #mine\n",
    "* an org-mode title\n",
    "; a comment\n",
    "   \n",
    "\r\n",
    "\\",
    '"',
    "\x00",
    "\t",
    "#",
    "é",
    "\uff11",
    "-",
    ".",
    " ",
    "",
)
"""What a forger, or an accident, may put somewhere."""


def days_of(text: str) -> list[tuple[str, str]]:
    """Return date and text of each day of generated transactions."""
    entries = [f"{entry.rstrip()}\n\n" for entry in ENTRY.split(text) if entry[:1].isdigit()]
    return [(date, "".join(group)) for date, group in groupby(entries, lambda entry: entry[:10])]


DAYS = [day for name in LEDGERS for day in days_of(golden(name).read_text().partition("\n; ")[0])]


def check(text: bytes, date: str) -> bool:
    """Check that what is let pass is read as directives of ours, all of one day."""
    if not is_ours(text, date):
        return False
    entries, errors, options = parser.parse_string(text)
    assert errors == []
    assert (options["plugin"], options["include"]) == ([], [])
    assert {entry.date.isoformat() for entry in entries} <= {date}
    assert {type(entry) for entry in entries} <= {data.Open, data.Transaction}
    return True


def test_days_of_every_example_pass_but_for_lots() -> None:
    for date, text in DAYS:
        assert check((COMMENT + text).encode(), date) == ("{" not in text), text
    assert sum("{" in text for _, text in DAYS) < len(DAYS) / 50


@st.composite
def forged(draw: st.DrawFn) -> tuple[str, str]:
    """Return date and text of a day in which pieces were put, lost, doubled or moved."""
    date, text = draw(st.sampled_from(DAYS))
    for _ in range(draw(st.integers(1, 3))):
        lines = text.splitlines(keepends=True) or [""]
        at = draw(st.integers(0, len(lines) - 1))
        line = lines[at]
        match draw(st.sampled_from(("line", "piece", "twice", "gone", "swap", "other"))):
            case "line":
                lines.insert(at, draw(st.sampled_from(PIECES)))
            case "piece":
                place = draw(st.integers(0, len(line)))
                lines[at] = line[:place] + draw(st.sampled_from(PIECES)) + line[place:]
            case "twice":
                lines.insert(at, line)
            case "gone":
                del lines[at]
            case "swap":
                to = draw(st.integers(0, len(lines) - 1))
                lines[at], lines[to] = lines[to], line
            case "other":
                place = draw(st.integers(0, len(line)))
                lines[at] = line[:place] + draw(st.characters()) + line[place + 1 :]
        text = "".join(lines)
    return date, text


@given(forged())
@example(("2025-05-01", '2025-05-01 open Assets:Bank\n    rate: "1"\n'))
@example(("2025-05-01", '2025-05-01 * "x"\n  rate: "1"\n  carry: "2"\n  rate: "1"\n'))
@example(("2025-05-01", '2025-05-01 * "x"\n  rate: "1"\n  rat: "2"\n'))
@example(("2025-02-31", '2025-02-31 * "x"\n'))
def test_what_passes_is_read_by_beancount(day: tuple[str, str]) -> None:
    date, text = day
    check(text.encode("utf-8", "surrogatepass"), date)


@pytest.mark.parametrize(
    "line",
    ["  filename:", "  p", '  rate: "2"', "  rate: ", '  b"', "  Assets:Bank", '2025-05-01 * "'],
)
def test_a_line_that_fails_half_way_does_not_pass(line: str) -> None:
    """A match that went on in the middle of the line would find the end of the day there."""
    begun = '2025-05-01 * "x"\n  rate: "1"\n'
    assert check(begun.encode(), "2025-05-01")
    for end in ("", "\n", "\n\n", '\n2025-05-01 * "x"\n'):
        assert not is_ours(f"{begun}{line}{end}".encode(), "2025-05-01")


HEAD = '2025-05-01 * "x"'
KEYS = ["".join(letters) for letters in product(ascii_lowercase, repeat=4)]
LONG = {
    "empty lines": "\n" * 10**6,
    "comments": ";\n" * 10**5,
    "an account": "2025-05-01 open Assets" + ":A" * 10**6,
    "transactions": f"{HEAD}\n" * 10**5,
    "tags": HEAD + " #a" * 10**6,
    "links": HEAD + " ^a" * 10**6,
    "spaces": f"{HEAD}\n  Assets:A" + " " * 10**6,
    "legs": f"{HEAD}\n" + "  Assets:A 1 USD\n" * 10**5,
    "keys": f"{HEAD}\n" + "".join(f'  {key}: "1"\n' for key in KEYS[: 2 * 10**4]),
    "values": f"{HEAD}\n" + "".join(f'  {key}: "{"x" * 10**5}"\n' for key in KEYS[:30]),
}


@pytest.mark.parametrize("name", LONG)
def test_time_is_linear_whatever_the_text(name: str) -> None:
    began = time.process_time()
    assert not is_ours(f"{LONG[name]}!".encode(), "2025-05-01")
    assert time.process_time() - began < 5


@pytest.mark.parametrize("piece", [piece for piece in PIECES if "\n" in piece[-1:]])
def test_a_piece_at_the_start_or_the_end_of_a_day(piece: str) -> None:
    for date, text in DAYS[:3]:
        for forgery in (piece + text, text + piece):
            passes = check(forgery.encode(), date)
            assert not (passes and piece[0].isalpha()), piece


def test_another_date_does_not_pass() -> None:
    date, text = DAYS[0]
    assert is_ours(text.encode(), date)
    assert not is_ours(text.encode(), "2025-05-02")
    assert is_ours(b"\n", date)
