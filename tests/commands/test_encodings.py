"""Standard output in another encoding than UTF-8: characters that it lacks are replaced."""

import csv
import encodings
import io
import json
import os
import pkgutil
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from folders import SIX_DAYS, Folder

from usance.cli import main

LEDGER = (
    SIX_DAYS.replace("Arb", "Überfluß")
    .replace('"Deposit"', '"Einlage: € 1.000 → 預金"')
    .replace(
        "2025-05-01 open Assets:Bank\n",
        """\
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Backpack:Main:Perp
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.02
  maintenance-margin: 0.0135
2025-05-01 custom "yield-product" "USD"
  asset: "USDC"
  source: "observed"
  payout: "daily"
2025-05-01 custom "treasury-rate" "USD" 0.04
2025-05-02 * "預金 → kauf"
  Assets:Backpack:Main:Perp    1 SOL-PERP {150 USDC}
  Assets:Backpack:Main:Perp -150 USDC
2025-05-02 price SOL-PERP 150 USDC
2025-05-05 price SOL-PERP 150 USDC
""",
    )
)
WORDS = [
    *([name] for name in ("check", "lending", "margin", "yield", "efficiency", "accounts")),
    ["yield", "--reserves"],
    ["explain", "lending/2025-05-02/Überfluß", "--hours"],
    ["stress", "--shock", "SOL-PERP=-10"],
    ["accrue", "--dry-run"],
    ["verify"],
]
FORMATS = {
    name: () if name == "accrue" else ("json",) if name in ("check", "verify") else ("json", "csv")
    for name, *_ in WORDS
}

NOT_OF_TEXT = {"aliases", "idna", "mbcs", "oem", "punycode", "undefined"}
"""Modules that are no encoding of any text on any system."""


def is_of_text(name: str) -> bool:
    """Tell whether a stream of text may have an encoding; those of bytes may not."""
    try:
        io.TextIOWrapper(io.BytesIO(), encoding=name)
    except LookupError:
        return False
    return name not in NOT_OF_TEXT


ENCODINGS = [it.name for it in pkgutil.iter_modules(encodings.__path__) if is_of_text(it.name)]
FEW = ["ascii", "cp1252", "cp037", "latin_1", "shift_jis", "utf_16"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder.made(tmp_path_factory.mktemp("encodings") / "Bücher", LEDGER)
    folder.accrue("--through", "2025-05-03")
    return folder


def printed(folder: Folder, encoding: str, *words: str) -> str:
    """Return what a command prints in an encoding; it must exit 0."""
    name, *rest = words
    runner = CliRunner(charset=encoding)
    done = runner.invoke(main, [name, str(folder.ledger), *rest], catch_exceptions=False)
    assert (done.exit_code, done.stderr_bytes) == (0, b""), done.output
    return done.stdout


def test_every_encoding_of_python_is_tried() -> None:
    assert len(ENCODINGS) > 90
    assert {*FEW} <= {*ENCODINGS}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_report_is_printed_in_every_encoding(encoding: str, folder: Folder) -> None:
    assert "2025-05-04" in printed(folder, encoding, "lending")


@pytest.mark.parametrize("encoding", FEW)
@pytest.mark.parametrize("words", WORDS, ids=" ".join)
def test_every_command_prints_in_every_form(
    words: list[str], encoding: str, folder: Folder
) -> None:
    shown = printed(folder, encoding, *words)
    plain = printed(folder, "utf-8", *words)
    assert re.findall(r"\d[\d.]*", shown) == re.findall(r"\d[\d.]*", plain)
    for form in FORMATS[words[0]]:
        text = printed(folder, encoding, *words, "--format", form)
        same = printed(folder, "utf-8", *words, "--format", form)
        if form == "json":  # escapes what the encoding may lack, so no letter is lost
            assert json.loads(text) == json.loads(same)
        else:
            rows = [*csv.reader(io.StringIO(text))]
            assert [len(row) for row in rows] == [len(row) for row in csv.reader(io.StringIO(same))]


def test_a_letter_that_the_encoding_has_is_printed(folder: Folder) -> None:
    assert "Überfluß" in printed(folder, "latin_1", "lending")
    assert "?berflu?" in printed(folder, "iso8859_5", "lending")
    assert "─" in printed(folder, "utf-8", "lending")


@pytest.mark.parametrize("encoding", ["ascii", "cp1252", "latin-1", "koi8-r:strict", "utf-8"])
@pytest.mark.parametrize("words", [["lending"], ["check"], ["explain", "lending/2025-05-02/Main"]])
def test_a_process_of_its_own_ends_well(encoding: str, words: list[str], folder: Folder) -> None:
    name, *rest = words
    done = subprocess.run(
        [Path(sys.executable).with_name("usance"), name, folder.ledger, *rest],
        env={"PATH": os.environ["PATH"], "LC_ALL": "C.UTF-8", "PYTHONIOENCODING": encoding},
        capture_output=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, b"")


@pytest.mark.parametrize("encoding", FEW)
def test_an_error_is_told_in_any_encoding(encoding: str, tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books", LEDGER.replace("auto-lend: TRUE", "auto-länd: TRUE"))
    runner = CliRunner(charset=encoding)
    for name in ("check", "accrue", "lending"):
        done = runner.invoke(main, [name, str(folder.ledger)], catch_exceptions=False)
        assert done.exit_code == 1
        assert "auto-l" in done.output
