"""`usance verify`: the seals of closed days, followed without the ledger."""

import json
import re
import shutil
import subprocess
import sysconfig
from pathlib import Path

import pytest
import second_reader
from click.testing import CliRunner
from folders import LAST, Folder, days
from forger import resealed

from usance.cli import main
from usance.close import seals

USANCE = Path(sysconfig.get_path("scripts"), "usance")

JANUARY = "posted/2025-01.beancount"


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Folder:
    folder = Folder.made(tmp_path_factory.mktemp("verify") / "books")
    folder.accrue()
    return folder


@pytest.fixture
def folder(closed: Folder, tmp_path: Path) -> Folder:
    shutil.copytree(closed.path, tmp_path / "books")
    return Folder(tmp_path / "books")


def head(folder: Folder) -> str:
    return second_reader.head(folder.path / "posted")


def test_sound_books(folder: Folder) -> None:
    done = folder.usance("verify")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == (
        f"Sound: {len(days())} days, 2024-12-30 to {LAST}.\nHead: {head(folder)}\n"
    )
    answer = json.loads(folder.usance("verify", "--format", "json").stdout)
    assert answer == {
        "ok": True,
        "days": len(days()),
        "first": "2024-12-30",
        "last": str(LAST),
        "head": head(folder),
        "broken": None,
        "beyond": None,
        "compacted": [],
    }


def test_the_first_broken_day_as_an_object(folder: Folder) -> None:
    text = (folder.path / JANUARY).read_text()
    (folder.path / JANUARY).write_text(text.replace("2025-01-20 *", "2025-01-20 !", 1))
    done = folder.usance("verify", "--format", "json")
    answer = json.loads(done.stdout)
    assert (done.exit_code, done.stderr, answer["beyond"]) == (1, "", None)
    assert (answer["ok"], answer["days"], answer["last"]) == (False, 21, "2025-01-19")
    broken = answer["broken"]
    assert (broken["date"], broken["file"]) == ("2025-01-20", JANUARY)
    assert broken["line"] == folder.line('2025-01-20 custom "day-close"', JANUARY)
    assert broken["why"]


def test_before_anything_is_closed(tmp_path: Path) -> None:
    folder = Folder.made(tmp_path / "books")
    done = folder.usance("verify")
    assert (done.exit_code, done.stdout) == (0, "No day is closed.\n")
    assert folder.usance("verify", "--head", "0" * 64).exit_code == 1


def test_a_folder_that_is_missing_is_named(folder: Folder) -> None:
    shutil.rmtree(folder.path / "posted")
    done = folder.usance("verify")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "posted" in done.stderr


# Heads that were kept


def test_every_head_that_was_kept_is_known(folder: Folder) -> None:
    text = (folder.path / JANUARY).read_text()
    for digest in re.findall(r'day-close" "(.*)"', text)[::7]:
        assert folder.usance("verify", "--head", digest).exit_code == 0


def test_a_chain_that_was_made_anew_is_found_by_a_head_that_was_kept(folder: Folder) -> None:
    kept = head(folder)
    assert resealed(folder, "0.100025", "9.100025") != kept
    assert folder.usance("verify").exit_code == 0
    done = folder.usance("verify", "--head", kept)
    assert done.exit_code == 1
    assert f"no day has the digest {kept}" in done.stdout
    assert str(LAST) in done.stdout


def test_a_tail_that_was_cut_off_is_found_by_a_head_that_was_kept(folder: Folder) -> None:
    kept = head(folder)
    for kind in ("beancount", "inputs"):
        (folder.path / "posted" / f"2025-02.{kind}").unlink()
    assert folder.usance("verify").exit_code == 0
    assert folder.usance("verify", "--head", kept).exit_code == 1


def test_a_month_of_which_only_the_inputs_are_left_is_found(folder: Folder) -> None:
    (folder.path / "posted" / "2025-02.beancount").unlink()
    done = folder.usance("verify")
    assert done.exit_code == 1
    assert (
        "posted/2025-02.inputs:1: These are inputs of 2025-02, but the last closed" in done.stderr
    )
    assert folder.usance("check").exit_code == 1
    answer = json.loads(folder.usance("verify", "--format", "json").stdout)
    assert (answer["ok"], answer["beyond"]) == (False, str(LAST))


def test_inputs_that_go_on_in_a_month_are_noted(folder: Folder) -> None:
    path = folder.path / "posted" / "2025-02.beancount"
    text = path.read_text()
    path.write_text(re.sub(r"(?s)(\A.*?2025-02-01 custom .*?stages: [^\n]*\n).*", r"\1", text))
    done = folder.usance("verify")
    assert done.exit_code == 0
    assert f"note: the .inputs files go on to {LAST}" in done.stderr
    assert folder.usance("check").exit_code == 0


@pytest.mark.parametrize("number", [0, 3, -1])
def test_a_doubled_line_of_inputs_is_found(number: int, folder: Folder) -> None:
    path = folder.path / JANUARY.replace(".beancount", ".inputs")
    lines = path.read_bytes().splitlines(keepends=True)
    path.write_bytes(b"".join([*lines, lines[number]]))
    done = folder.usance("verify")
    assert done.exit_code == 1
    day = lines[number][:10].decode()
    assert f"broken at {day}: the month's .inputs file does not match the seal" in done.stdout


@pytest.mark.parametrize("head", ["", "1c6c", "G" * 64, "A" * 64])
def test_a_head_that_is_no_digest_is_wrong_usage(head: str, folder: Folder) -> None:
    done = folder.usance("verify", "--head", head)
    assert done.exit_code == 2
    assert "is not a digest" in done.stderr


# Nothing of the ledger is run


EVIL = """
from pathlib import Path
Path(__file__).with_name("ran").touch()
__plugins__ = ()
"""


def test_no_plugin_runs_and_nothing_is_included(folder: Folder) -> None:
    (folder.path / "evil.py").write_text(EVIL)
    folder.ledger.write_text('option "insert_pythonpath" "TRUE"\nplugin "evil"\nnot Beancount {\n')
    (folder.path / ".main.beancount.picklecache").write_bytes(b"cos\nsystem\n(S'true'\ntR.")
    assert folder.usance("verify").exit_code == 0
    assert not (folder.path / "ran").exists()
    folder.usance("check")
    assert (folder.path / "ran").exists()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ('plugin "evil"\n', "names a plugin"),
        ('option "insert_pythonpath" "TRUE"\nplugin "evil"\n', "names a plugin"),
        ('include "/etc/passwd"\n', "names a plugin or an included file"),
        ("2025-01-01 what is this\n", "Beancount cannot read it"),
        ('2025-01-02 custom "day-correct" 2025-01-01 "00"\n', "has another date"),
        ('2025-01-01 custom "mine" "x"\n', "never writes this directive"),
        ('2025-01-01 note Assets:Bank "x"\n', "never writes this directive"),
        ("2025-01-01 balance Assets:Bank 1 USDC\n", "never writes this directive"),
        ('2025-01-01 open Assets:Ä\n  lineno: "x"\n', "never writes this metadata"),
        ('2025-01-01 * "Null"\n  Assets:Bank  1 NULL\n', "Beancount cannot read it"),
        ('2025-01-01 * "Short"\n  p: "x"\n', "Beancount cannot read it"),
        ('2024-12-31 * "Late"\n  Assets:Bank  0 USDC\n', "another day"),
    ],
)
def test_text_that_is_not_ours_is_found_though_somebody_sealed_it(
    text: str, why: str, folder: Folder
) -> None:
    (folder.path / "evil.py").write_text(EVIL)
    mark = '2025-01-01 * "Lending" #lending #usance ^usance-2025-01-01\n'
    resealed(folder, mark, text + mark)
    done = folder.usance("verify")
    assert done.exit_code == 1
    assert why in done.stdout
    assert "broken at 2025-01-01" in done.stdout
    assert f"{JANUARY}:" in done.stdout
    assert not (folder.path / "ran").exists()


def test_days_of_older_rules_stay_valid(folder: Folder) -> None:
    resealed(folder, rules="0")
    for command in ("verify", "check"):
        assert folder.usance(command).exit_code == 0
    folder.accrue("--through", "2025-02-04", "--stale-ok")
    assert folder.usance("verify").exit_code == 0


# Text of others


def sealed(folder: Path, text: str, date: str = "2025-05-01") -> Path:
    """Write a closed day with any text, sealed rightly."""
    (folder / "posted").mkdir()
    seal = seals.close(date, "", seals.inputs_digest([]), "auto_lending", "", text.encode())
    month = folder / "posted" / date[:7]
    month.with_suffix(".beancount").write_text(text + seal.text())
    month.with_suffix(".inputs").write_bytes(b"")
    path = folder / "main.beancount"
    path.write_text('include "posted/*.beancount"\n')
    return path


DEEP = "(" * 200_000 + "1" + ")" * 200_000


@pytest.mark.parametrize(
    ("number", "why"),
    [
        ("1/0", "stops or runs too long"),
        ("2*3/(1-1)", "stops or runs too long"),
        (DEEP, ""),
        ("1/3", ""),
    ],
    ids=["division", "zero inside", "deep", "endless decimal"],
)
def test_hostile_arithmetic_ends_in_one_message(number: str, why: str, tmp_path: Path) -> None:
    """A division by zero crashes Beancount's parser: no traceback, no signal, file and line."""
    text = f'2025-05-01 * "x"\n  Assets:A  {number} USD\n  Assets:B  -1 USD\n\n'
    path = sealed(tmp_path, text)
    done = subprocess.run(
        [USANCE, "verify", str(path)], capture_output=True, text=True, check=False
    )
    assert done.stderr == ""
    assert done.returncode in (0, 1)
    if why:
        assert done.returncode == 1
        [line, *_] = done.stdout.splitlines()
        assert re.match(r".*posted/2025-05\.beancount:1: .*broken at 2025-05-01: .*" + why, line)
        assert "No seal holds." in done.stdout


def test_the_day_at_which_the_parser_stops_is_named(tmp_path: Path) -> None:
    path = sealed(tmp_path, '2025-05-01 * "x"\n  Assets:A  1 USD {}\n  Assets:B  -1 USD\n\n')
    month = tmp_path / "posted" / "2025-05.beancount"
    first = month.read_text()
    hostile = '\n2025-05-02 * "x"\n  Assets:A  1/0 USD\n  Assets:B  -1 USD\n\n'
    digest = re.search('"day-close" "(.*)"', first)
    assert digest is not None
    seal = seals.close(
        "2025-05-02", digest[1], seals.inputs_digest([]), "auto_lending", "", hostile.encode()
    )
    month.write_text(first + hostile + seal.text())
    done = CliRunner().invoke(main, ["verify", str(path)])
    assert f"posted/2025-05.beancount:{first.count(chr(10)) + 1}: " in done.output
    assert "broken at 2025-05-02" in done.output
    assert "Sound before it: 1 day" in done.output


@pytest.mark.parametrize(
    "line",
    [
        "stray\n",
        "\n",
        "2025-01-01\n",
        "2019-01-01 " + "0" * 64 + " options\n",
        "2025-02-01 " + "0" * 64 + " of another month\n",
        "\x1b[31mred " + "0" * 64 + " x\n",
        "9999-99-99 " + "0" * 64 + " x\n",
    ],
)
def test_a_stray_line_of_inputs_is_refused_without_its_control_characters(
    line: str, folder: Folder
) -> None:
    with (folder.path / "posted" / "2025-01.inputs").open("a") as file:
        file.write(line)
    done = folder.usance("verify")
    assert done.exit_code == 1
    assert "posted/2025-01.inputs:" in done.output or "broken at 2025-01-01" in done.output
    assert "\x1b" not in done.output


@pytest.mark.parametrize(
    "text",
    [
        'option "insert_pythonpath" "TRUE"\n\n',
        'option "operating_currency" "EUR"\n\n',
        '2025-05-01 custom "day-correct" 2025-04-30\n\n',
        '2025-05-01 custom "day-correct" "2025-04-30" "0"\n\n',
    ],
)
def test_text_that_accrue_never_writes_is_not_sound(text: str, tmp_path: Path) -> None:
    done = CliRunner().invoke(main, ["verify", str(sealed(tmp_path, text))])
    assert done.exit_code == 1, done.output
    assert "usance accrue never writes this" in done.output or "day-correct" in done.output


def test_check_and_accrue_refuse_a_stray_line_of_inputs_too(folder: Folder) -> None:
    with (folder.path / "posted" / "2025-02.inputs").open("a") as file:
        file.write("2025-01-30 x\n")
    for words in (("check",), ("accrue", "--through", "2025-02-05", "--stale-ok")):
        done = folder.usance(*words)
        assert done.exit_code == 1
        assert "the line belongs to no closed day of this month" in done.output
