"""Closed days: a stranger recomputes every seal, and whatever is altered behind them is found."""

import re
import shutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from random import Random

import pytest
import second_reader
from folders import LAST, Folder, days
from second_reader import Tampered

from usance.close.seals import walk

DECEMBER, JANUARY, FEBRUARY = (
    f"posted/{month}.beancount" for month in ("2024-12", "2025-01", "2025-02")
)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Three closed months; the first day of the last was closed with a finding."""
    folder = Folder.made(tmp_path_factory.mktemp("closed") / "books")
    rows = folder.path / "rates" / "usdc.csv"
    rows.write_text("".join(rows.read_text().splitlines(keepends=True)[:-6]))  # to 27 January
    folder.edit("quantum: 0.000001", "quantum: 0.000001\n  stale-after: 4")
    folder.accrue("--stale-ok")
    return folder


@pytest.fixture
def folder(closed: Folder, tmp_path: Path) -> Folder:
    """Return a copy of the closed books, to be altered."""
    shutil.copytree(closed.path, tmp_path / "books")
    return Folder(tmp_path / "books")


def seals(folder: Folder) -> dict[str, str]:
    """Return the digest of each closed day, as it is written."""
    text = b"".join(data for _, data in sorted(folder.posted().items())).decode()
    return dict(re.findall(r'^(\S+) custom "day-close" "([0-9a-f]{64})"$', text, re.MULTILINE))


def test_a_second_reader_finds_every_seal_as_it_is_written(folder: Folder) -> None:
    assert list(seals(folder)) == days()
    assert "findings:" in (folder.path / FEBRUARY).read_text()
    assert second_reader.head(folder.path / "posted") == seals(folder)[str(LAST)]


def test_the_second_reader_follows_days_closed_one_by_one(tmp_path: Path) -> None:
    daily = Folder.made(tmp_path / "daily")
    for day in days()[:4]:
        daily.accrue("--through", day)
        assert second_reader.head(daily.path / "posted") == seals(daily)[day]


def test_the_first_day_follows_none(folder: Folder) -> None:
    first = (folder.path / DECEMBER).read_text().partition('custom "day-close"')[2]
    assert first.splitlines()[1] == '  previous: ""'


# Each sample alters closed days in one way, and says at which day that is found. Where Beancount or
# the check of inputs find it too, they say it first; so the place is that of the seal, or none.

Alter = Callable[[Folder], None]


@dataclass(frozen=True)
class Sample:
    """An alteration, and what is told: the day, and the file with the line of the close."""

    name: str
    alter: Alter
    day: str
    file: str


def edit(file: str, old: str, new: str) -> Alter:
    return lambda folder: folder.edit(old, new, file)


def sub(file: str, pattern: str, new: str, count: int = 1) -> Alter:
    """Replace what a pattern finds, which it must find."""

    def alter(folder: Folder) -> None:
        path = folder.path / file
        text, times = re.subn(pattern, new, path.read_text(), count=count, flags=re.DOTALL)
        assert times
        assert text != path.read_text()
        path.write_text(text)

    return alter


def append(file: str, text: str) -> Alter:
    def alter(folder: Folder) -> None:
        with (folder.path / file).open("a") as opened:
            opened.write(text)

    return alter


def lose(*files: str) -> Alter:
    def alter(folder: Folder) -> None:
        for file in files:
            (folder.path / file).unlink()

    return alter


def exchange(one: str, other: str) -> Alter:
    def alter(folder: Folder) -> None:
        first, second = folder.path / one, folder.path / other
        held = first.read_bytes()
        first.write_bytes(second.read_bytes())
        second.write_bytes(held)

    return alter


def inputs(file: str) -> str:
    return file.replace(".beancount", ".inputs")


def cut_at(file: str, text: str) -> Alter:
    """Lose all of a file from a text on."""

    def alter(folder: Folder) -> None:
        path = folder.path / file
        before, found, _ = path.read_text().partition(text)
        assert found
        path.write_text(before)

    return alter


def swap(file: str, first: str, second: str) -> Alter:
    """Exchange two transactions of a file."""

    def alter(folder: Folder) -> None:
        path = folder.path / file
        blocks = path.read_text().split("\n\n")
        [one] = [index for index, block in enumerate(blocks) if first in block]
        [other] = [index for index, block in enumerate(blocks) if second in block]
        blocks[one], blocks[other] = blocks[other], blocks[one]
        path.write_text("\n\n".join(blocks))

    return alter


def move(old: str, new: str, pattern: str) -> Alter:
    """Move a text from one file to the end of what another posts before its first close."""

    def alter(folder: Folder) -> None:
        first, second = folder.path / old, folder.path / new
        [text] = re.findall(pattern, first.read_text(), flags=re.DOTALL)
        first.write_text(first.read_text().replace(text, ""))
        before, close, after = second.read_text().partition("\n2025-02-01 custom")
        second.write_text(f"{before}{text}{close}{after}")

    return alter


EXTRA = """
2025-01-02 * "Lending" #lending #usance ^usance-2025-01-02
  usance: "lending/2025-01-02/Extra"
  Assets:Backpack:Main:Wallet       5 USDC
  Income:Backpack:Main:Interest    -5 USDC

2025-01-02 custom"""

SAMPLES = [
    Sample(
        "a digit of an amount and of its opposite",
        sub(JANUARY, r"0\.100025", "0.100026", count=0),
        "2025-01-01",
        JANUARY,
    ),
    Sample(
        "a date",
        sub(JANUARY, r'2025-01-05( \* "Lending")', r"2025-01-04\1"),
        "2025-01-05",
        JANUARY,
    ),
    Sample(
        "an account",
        sub(FEBRUARY, r"Assets:Backpack:Arb:Wallet( +0\.)", r"Assets:Backpack:Main:Wallet\1"),
        "2025-02-01",
        FEBRUARY,
    ),
    Sample("a tag", sub(JANUARY, "#lending", "#treasury"), "2025-01-01", JANUARY),
    Sample("a link", sub(JANUARY, r"\^usance", "^mine"), "2025-01-01", JANUARY),
    Sample(
        "a figure of a proof",
        sub(JANUARY, r'rate: "0\.0365"', 'rate: "0.0366"'),
        "2025-01-01",
        JANUARY,
    ),
    Sample(
        "a transaction removed",
        sub(JANUARY, r'2025-01-20 \* "Lending".*?\n\n', ""),
        "2025-01-20",
        JANUARY,
    ),
    Sample(
        "a transaction added",
        sub(JANUARY, r"\n2025-01-02 custom", EXTRA),
        "2025-01-02",
        JANUARY,
    ),
    Sample(
        "two transactions in another order",
        swap(JANUARY, '"lending/2025-01-31/Arb"', '"lending/2025-01-31/Main"'),
        "2025-01-31",
        JANUARY,
    ),
    Sample(
        "a transaction moved to another month",
        move(
            JANUARY,
            FEBRUARY,
            r'\n2025-01-31 \* "Lending"[^\n]*\n  usance: "[^"]*/Arb".*?\n(?=\n)',
        ),
        "2025-01-31",
        JANUARY,
    ),
    Sample(
        "a blank line",
        edit(JANUARY, "\n\n2025-01-20 custom", "\n\n\n2025-01-20 custom"),
        "2025-01-20",
        JANUARY,
    ),
    Sample(
        "a comment",
        edit(JANUARY, "\n2025-01-20 custom", "; hm\n2025-01-20 custom"),
        "2025-01-20",
        JANUARY,
    ),
    Sample("the first comment", sub(DECEMBER, "Closed", "Open"), "2024-12-30", DECEMBER),
    Sample("line ends", sub(JANUARY, "\n", "\r\n", count=0), "2024-12-31", JANUARY),
    # Months and files
    Sample(
        "the tail cut within a day", cut_at(FEBRUARY, "2025-02-02 custom"), "2025-02-01", FEBRUARY
    ),
    Sample(
        "the tail of a month that is not the last",
        cut_at(JANUARY, '\n2025-01-31 * "Lending"'),
        "2025-01-30",
        JANUARY,
    ),
    Sample("the last day of a month lost", cut_at(DECEMBER, "\n2024-12-31"), "2024-12-31", JANUARY),
    Sample("the first month lost", lose(DECEMBER, inputs(DECEMBER)), "2025-01-01", JANUARY),
    Sample("a month lost", lose(JANUARY, inputs(JANUARY)), "2025-01-01", FEBRUARY),
    Sample("two months exchanged", exchange(DECEMBER, JANUARY), "2025-01-01", DECEMBER),
    Sample("inputs lost", lose(inputs(FEBRUARY)), "2025-02-01", FEBRUARY),
    Sample("inputs exchanged", exchange(inputs(JANUARY), inputs(FEBRUARY)), "2025-01-01", JANUARY),
    # Inputs
    Sample(
        "a line of inputs changed",
        edit(inputs(DECEMBER), "Wallet 1000 USDC", "Wallet 1001 USDC"),
        "2024-12-30",
        DECEMBER,
    ),
    Sample(
        "a line of inputs removed",
        sub(inputs(JANUARY), r"2025-01-03 [^\n]*\n", ""),
        "2025-01-03",
        JANUARY,
    ),
    Sample(
        "a line of inputs added", append(inputs(JANUARY), "2025-01-03 x\n"), "2025-01-03", JANUARY
    ),
    Sample(
        "the last newline of inputs", sub(inputs(FEBRUARY), r"\n\Z", ""), "2025-02-02", FEBRUARY
    ),
    # Behind and between the seals
    Sample("a comment behind the last close", append(FEBRUARY, "; late\n"), "2025-02-02", FEBRUARY),
    Sample("blank lines behind the last close", append(FEBRUARY, "\n \n"), "2025-02-02", FEBRUARY),
    Sample(
        "a transaction behind the last close",
        append(FEBRUARY, '\n2025-02-02 * "Late"\n  Assets:Bank  1 USDC\n  Assets:Bank  -1 USDC\n'),
        "2025-02-02",
        FEBRUARY,
    ),
    Sample(
        "the last day opened again",
        sub(FEBRUARY, r'2025-02-02 custom "day-close".*', ""),
        "2025-02-01",
        FEBRUARY,
    ),
    Sample(
        "a day opened again",
        sub(JANUARY, r'2025-01-20 custom "day-close".*?"\n\n', "\n"),
        "2025-01-20",
        JANUARY,
    ),
    Sample(
        "a day closed twice",
        append(
            FEBRUARY,
            '\n2025-02-02 custom "day-close" "00"\n  previous: "00"\n  inputs: "00"\n'
            '  rules: "1"\n  stages: ""\n',
        ),
        "2025-02-02",
        FEBRUARY,
    ),
    # The seal itself
    Sample(
        "a digest",
        sub(JANUARY, r'(2025-01-20 custom "day-close" ")[0-9a-f]', r"\1x"),
        "2025-01-20",
        JANUARY,
    ),
    Sample(
        "previous",
        sub(JANUARY, r'(2025-01-20 custom "day.*?previous: ")[0-9a-f]', r"\1x"),
        "2025-01-20",
        JANUARY,
    ),
    Sample(
        "inputs",
        sub(JANUARY, r'(2025-01-20 custom "day.*?inputs: ")[0-9a-f]', r"\1x"),
        "2025-01-20",
        JANUARY,
    ),
    Sample(
        "rules",
        sub(JANUARY, r'(2025-01-20 custom "day.*?rules: ")1', r"\g<1>2"),
        "2025-01-20",
        JANUARY,
    ),
    Sample(
        "stages",
        sub(JANUARY, r'(2025-01-20 custom "day.*?stages: ")auto_lending ', r"\1"),
        "2025-01-20",
        JANUARY,
    ),
    Sample(
        "findings", sub(FEBRUARY, r"(findings: [^\n]*?)lends", r"\1sends"), "2025-02-01", FEBRUARY
    ),
    Sample("findings removed", sub(FEBRUARY, r"  findings: [^\n]*\n", ""), "2025-02-01", FEBRUARY),
    Sample(
        "findings added",
        sub(JANUARY, r'(2025-01-20 custom .*?stages: "[^\n]*\n)', r'\1  findings: "none"\n'),
        "2025-01-20",
        JANUARY,
    ),
    Sample(
        "metadata that a seal does not have",
        sub(JANUARY, r'(2025-01-20 custom .*?stages: "[^\n]*\n)', r'\1  checked-by: "me"\n'),
        "2025-01-20",
        JANUARY,
    ),
    Sample(
        "metadata in another order",
        sub(
            JANUARY,
            r"(2025-01-20 custom [^\n]*\n.*?)(  rules: [^\n]*\n)(  stages: [^\n]*\n)",
            r"\1\3\2",
        ),
        "2025-01-20",
        JANUARY,
    ),
    Sample(
        "a seal written in another way",
        sub(JANUARY, r'(2025-01-20 custom .*?stages: "auto)_', r"\1\\_"),
        "2025-01-20",
        JANUARY,
    ),
]


@pytest.mark.parametrize("sample", SAMPLES, ids=lambda sample: sample.name)
def test_what_is_altered_is_named_and_nothing_is_written(sample: Sample, folder: Folder) -> None:
    sample.alter(folder)
    files = folder.files()
    with pytest.raises(Tampered) as raised:
        second_reader.head(folder.path / "posted")
    accrued = folder.usance("accrue", "--through", "2025-02-05", "--stale-ok")
    checked = folder.usance("check")
    verified = folder.usance("verify")
    assert folder.files() == files
    assert verified.exit_code == 1
    assert f"{sample.file}:{raised.value.line}: " in verified.stdout
    assert f"broken at {sample.day}: " in verified.stdout
    assert accrued.exit_code == 1
    assert accrued.stdout == ""
    assert accrued.stderr.endswith("Nothing was written.\n")
    assert checked.exit_code == 1
    place = f"{sample.file}:{raised.value.line}: "
    told = [line for line in checked.stdout.splitlines() if line.startswith(place)]
    assert [line for line in told if sample.day in line], checked.stdout


def is_broken(folder: Folder) -> tuple[bool, bool]:
    """Tell whether the second reader and our own find the chain of closed days broken."""
    files = {name.removeprefix("posted/"): data for name, data in folder.posted().items()}
    months = {name: data for name, data in files.items() if name.endswith(".beancount")}
    try:
        second_reader.head(folder.path / "posted")
    except Tampered:
        return True, walk(months, files)[1] is not None
    return False, walk(months, files)[1] is not None


@pytest.mark.parametrize("file", [DECEMBER, inputs(DECEMBER)])
def test_no_byte_of_closed_days_can_change(file: str, tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books")
    folder.accrue("--through", "2024-12-31")
    assert is_broken(folder) == (False, False)
    path = folder.path / file
    data = path.read_bytes()
    for index in range(len(data)):
        byte = data[index : index + 1]
        # A blank line among inputs is no line of any day.
        twice = byte if byte == b"\n" and file.endswith(".inputs") else byte * 2
        for instead in {b"", bytes([data[index] ^ 1]), twice} - {byte}:
            path.write_bytes(data[:index] + instead + data[index + 1 :])
            assert is_broken(folder) == (True, True), (index, instead)


CORRECTED = ("posted/2025-01.beancount", "posted/2025-01.inputs")


@pytest.fixture(scope="module")
def corrected(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    """Return books of which January has some 10 kB, and corrects a day of December."""
    folder = Folder.made(tmp_path_factory.mktemp("corrected") / "books")
    folder.accrue("--through", "2025-01-05")
    folder.edit("Main:Wallet   1000 USDC", "Main:Wallet   1001 USDC")
    folder.edit("Assets:Bank                  -1000", "Assets:Bank                  -1001")
    folder.accrue("--correct", "--through", "2025-01-11")
    return folder


def check_flips(folder: Folder, file: str, flips: Iterable[tuple[int, int]]) -> None:
    """Flip bits of a file, one at a time: each is found, and named with a line of a month."""
    path = folder.path / file
    data = path.read_bytes()
    assert folder.usance("verify").exit_code == 0
    for index, bit in flips:
        path.write_bytes(data[:index] + bytes([data[index] ^ bit]) + data[index + 1 :])
        verified = folder.usance("verify")
        assert verified.exit_code == 1, (index, bit)
        assert re.match(r"posted/20\d\d-\d\d\.beancount:\d+: ", verified.stdout), (index, bit)
    path.write_bytes(data)
    assert folder.usance("verify").exit_code == 0


@pytest.mark.parametrize("file", CORRECTED)
def test_a_flipped_bit_is_found(file: str, corrected: Folder) -> None:
    size = (corrected.path / file).stat().st_size
    draw = Random(file)  # noqa: S311, no secret
    step = size // 75
    places = [min(size - 1, start + draw.randrange(step)) for start in range(0, size, step)]
    check_flips(corrected, file, ((index, bit) for index in places for bit in (1, 128)))


@pytest.mark.soak
@pytest.mark.parametrize("file", CORRECTED)
def test_every_flipped_bit_is_found(file: str, corrected: Folder) -> None:
    size = (corrected.path / file).stat().st_size
    check_flips(corrected, file, ((index, 1 << bit) for index in range(size) for bit in range(8)))


def test_a_tail_lost_at_a_close_is_an_earlier_day_and_the_next_run_posts_it_again(
    folder: Folder,
) -> None:
    files = folder.files()
    path = folder.path / FEBRUARY
    path.write_text(path.read_text().partition("\n2025-02-02 *")[0])
    assert second_reader.head(folder.path / "posted") == seals(folder)["2025-02-01"]
    folder.accrue("--stale-ok")
    assert folder.files() == files


def test_the_order_of_lines_of_inputs_does_not_count(folder: Folder) -> None:
    path = folder.path / inputs(DECEMBER)
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join(reversed(lines)))
    assert is_broken(folder) == (False, False)
    folder.accrue("--through", "2025-02-03", "--stale-ok")


def test_lines_of_inputs_beyond_the_last_close_are_ignored_and_overwritten(
    folder: Folder, tmp_path: Path
) -> None:
    path = folder.path / inputs(FEBRUARY)
    with path.open("a") as file:
        file.write("2025-02-03 0 what a run left that died before it closed the day\n")
    folder.accrue("--through", "2025-02-03", "--stale-ok")
    once = Folder.made(tmp_path / "once", folder.ledger.read_text())
    shutil.copytree(folder.path / "rates", once.path / "rates", dirs_exist_ok=True)
    once.accrue("--through", "2025-02-03", "--stale-ok")
    assert folder.posted() == once.posted()


FORGED = """
2025-01-20 * "Lending" #lending #usance ^usance-2025-01-20
  usance: "lending/2025-01-20/Forged"
  Assets:Backpack:Main:Wallet       5 USDC
  Income:Backpack:Main:Interest    -5 USDC
"""
CLOSE = """
2025-02-03 custom "day-close" "00"
  previous: "00"
  inputs: "00"
  rules: "1"
  stages: "auto_lending sub_accounts"
"""


@pytest.mark.parametrize("file", ["main.beancount", "posted/first.beancount"])
@pytest.mark.parametrize("text", [FORGED, CLOSE], ids=["transaction", "close"])
def test_what_looks_posted_but_no_seal_covers_is_named(
    file: str, text: str, folder: Folder
) -> None:
    with (folder.path / file).open("a") as opened:
        opened.write(text)
    files = folder.files()
    line = folder.line(text.splitlines()[1], file)
    accrued = folder.usance("accrue", "--through", "2025-02-05", "--stale-ok")
    checked = folder.usance("check")
    assert folder.files() == files
    assert accrued.exit_code == 1
    assert checked.exit_code == 1
    assert f"\n{file}:{line}: " in f"\n{checked.stdout}"


def test_a_month_that_lies_there_twice_is_named(folder: Folder) -> None:
    shutil.copy(folder.path / JANUARY, folder.path / "posted" / "2025-01 (copy).beancount")
    files = folder.files()
    assert folder.usance("accrue").exit_code == 1
    checked = folder.usance("check")
    assert checked.exit_code == 1
    [line] = checked.stdout.splitlines()
    assert line.startswith("posted/2025-01 (copy).beancount:")
    assert "Remove this directive, or the whole file if it is a copy of a month." in line
    assert folder.files() == files
