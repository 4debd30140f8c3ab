"""The manual names everything that exists, shows what really comes out, and nothing else."""

import datetime
import hashlib
import re
import shlex
import shutil
from pathlib import Path

import click
import pytest
from beancount import loader
from beancount.parser import printer
from click.testing import CliRunner

from usance.cli import main
from usance.language import feed_terms, lending_terms
from usance.language.provenance import is_generated
from usance.model import problems

KEYS = {**lending_terms.KEYS, **feed_terms.KEYS}
ROOT = Path(__file__).parents[2]
PAGES = {
    path.relative_to(ROOT).as_posix(): path.read_text()
    for path in [ROOT / "README.md", ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md"))]
}
MANUAL = "\n".join(PAGES.values())
assert isinstance(main, click.Group)
CONTEXT = click.Context(main)
COMMANDS = {name: main.get_command(CONTEXT, name) for name in main.list_commands(CONTEXT)}

BLOCK = re.compile(r"^```(\w*)\n(.*?)^```$", re.DOTALL | re.MULTILINE)


def blocks(page: str, kind: str) -> list[str]:
    """Return the fenced blocks of a kind on a page."""
    return [text for found, text in BLOCK.findall(PAGES[page]) if found == kind]


def written(folder: Path, ledger: str) -> Path:
    """Write a ledger into a folder, and the first file of closed days beside it."""
    (folder / "posted").mkdir()
    (folder / "posted" / "first.beancount").write_text("; Closed days.\n")
    file = folder / "main.beancount"
    file.write_text(ledger)
    return file


def options() -> list[tuple[str, str]]:
    return [
        (name, option)
        for name, command in COMMANDS.items()
        for parameter in (command.params if command else ())
        if isinstance(parameter, click.Option)
        for option in parameter.opts
        if option.startswith("--")
    ]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_is_in_the_manual_and_its_help_has_an_example(command: str) -> None:
    assert f"usance {command}" in MANUAL
    shown = CliRunner().invoke(main, [command, "--help"]).output
    assert re.search(rf"^    usance {command} ", shown, re.MULTILINE)
    assert "\\b" not in shown


@pytest.mark.parametrize(("command", "option"), options())
def test_every_option_stands_beside_its_command(command: str, option: str) -> None:
    rows = [line for line in MANUAL.splitlines() if line.startswith(f"| `usance {command} ")]
    assert len(rows) == 1
    assert re.search(rf"{option}\b", rows[0])


@pytest.mark.parametrize("kind", KEYS)
def test_every_kind_of_directive_is_in_the_language(kind: str) -> None:
    assert f'custom "{kind}"' in PAGES["docs/language.md"]


KEYS_OF_ALL = sorted({key for keys in KEYS.values() for key in keys} | {"quantum", "stale-after"})


@pytest.mark.parametrize("key", KEYS_OF_ALL)
def test_every_key_is_explained_in_the_language(key: str) -> None:
    assert re.search(rf"^\* .*`{key}:", PAGES["docs/language.md"], re.MULTILINE)


ERRORS = [
    name.replace("_", "-")
    for name, made in vars(problems).items()
    if hasattr(made, "__wrapped__") and made.__module__ == problems.__name__
]


@pytest.mark.parametrize("error", ERRORS)
def test_every_error_is_in_the_manual(error: str) -> None:
    assert re.search(rf"\b{error}\b", PAGES["docs/errors.md"])


@pytest.mark.parametrize("page", ["README.md", "docs/language.md"])
def test_a_whole_ledger_in_the_manual_loads(page: str, tmp_path: Path) -> None:
    [ledger] = blocks(page, "beancount")
    _, errors, _ = loader.load_file(str(written(tmp_path, ledger)))
    assert errors == []


def test_the_language_shows_what_its_ledger_generates(tmp_path: Path) -> None:
    [ledger] = blocks("docs/language.md", "beancount")
    entries, _, _ = loader.load_file(str(written(tmp_path, ledger)))
    last = [
        entry
        for entry in entries
        if is_generated(entry) and entry.date == datetime.date(2025, 5, 2)
    ]
    assert "\n".join(map(printer.format_entry, last)) in PAGES["docs/language.md"]


@pytest.mark.parametrize("page", ["README.md", "docs/first-week.md", "docs/month-end.md"])
def test_a_page_shows_what_its_commands_print(
    page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Goal: who types along sees what the page shows, and the ledger has the lines that it shows.

    Method: its blocks are followed in order, from an empty folder.
    """
    monkeypatch.chdir(tmp_path)
    followed = {"beancount": written_down, "diff": edited, "console": typed}
    kinds = [kind for kind, _ in BLOCK.findall(PAGES[page])]
    assert {"console"} <= set(kinds) <= followed.keys() | {""}
    for kind, text in BLOCK.findall(PAGES[page]):
        if kind:
            followed[kind](text, monkeypatch)


LEDGER = Path("main.beancount")
"""The ledger of the folder in which a page is followed."""


def written_down(text: str, _: pytest.MonkeyPatch) -> None:
    """Make a ledger of a block, or write the block at its end, or find it there."""
    if not LEDGER.exists():
        written(Path(), text)
    elif text not in LEDGER.read_text():
        LEDGER.write_text(f"{LEDGER.read_text()}\n{text}")


def edited(text: str, _: pytest.MonkeyPatch) -> None:
    """Replace what a diff takes away, and the lines around it, by what stands there then."""
    lines = text.splitlines(keepends=True)
    before, after = (
        "".join(line[1:] for line in lines if line[0] in kept) for kept in (" -", " +")
    )
    assert before != after
    assert LEDGER.read_text().count(before) == 1
    LEDGER.write_text(LEDGER.read_text().replace(before, after))


def typed(text: str, shell: pytest.MonkeyPatch) -> None:
    """Type each command of a console, and see in the shell what the page shows below it."""
    runs = re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", text, re.MULTILINE)
    assert runs
    for command, output in runs:
        name, *words = shlex.split(command)
        if name == "cd":
            shell.chdir(*words)
            assert not output
        else:
            assert name == "usance"
            assert CliRunner().invoke(main, words, prog_name="usance").output == output


NAMED = re.compile(r"^(?:\$ )?usance ([a-z]+)(.*)$", re.MULTILINE)


ARROW = re.compile(r"--(?:[\w ]*--)?>")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_commands_and_options_that_exist(page: str) -> None:
    """Goal: what stands in a block works when typed."""
    for _, text in BLOCK.findall(PAGES[page]):
        for name, rest in NAMED.findall(ARROW.sub("", text)):
            assert name in COMMANDS
            known = {option for of, option in options() if of == name}
            assert set(re.findall(r"(?<=\s)--[a-z][\w-]*", rest)) <= known | {"--help"}


def digest(*texts: bytes) -> bytes:
    """Return the digest over fields, as docs/formulas.md describes it."""
    fields = (len(text).to_bytes(8, "big") + text for text in texts)
    return hashlib.sha256(b"".join(fields)).hexdigest().encode()


def test_a_stranger_recomputes_the_seals_from_the_page(tmp_path: Path) -> None:
    """With docs/formulas.md, section 7, and nothing of Usance."""
    books = tmp_path / "books"
    shutil.copytree(ROOT / "ledgers" / "january", books)
    result = CliRunner().invoke(main, ["accrue", str(books / "main.beancount")])
    assert result.exit_code == 0
    lines = (books / "posted" / "2024-01.inputs").read_bytes().splitlines(keepends=True)
    for line in lines:
        _, stated, text = line.rstrip(b"\n").split(b" ", 2)
        assert digest(b"usance-input-1", text) == stated
    data = (books / "posted" / "2024-01.beancount").read_bytes()
    seal = rb'^(\S+) custom "day-close" "(\w+)"\n((?:  \w+: ".*"\n)+)'
    previous, end, days = b"", 0, 0
    for match in re.finditer(seal, data, re.MULTILINE):
        date, stated, rest = match.groups()
        meta = dict(re.findall(rb'  (\w+): "(.*)"\n', rest))
        of_day = sorted(line for line in lines if line.startswith(date))
        assert meta[b"inputs"] == hashlib.sha256(b"".join(of_day)).hexdigest().encode()
        assert meta[b"previous"] == previous
        fields = (b"previous", b"inputs", b"rules", b"stages")
        known = [meta[field] for field in fields]
        posted = data[end : match.start()]
        assert digest(b"usance-day-close-1", date, *known, b"", posted) == stated
        previous, end, days = stated, match.end(), days + 1
    assert (days, data[end:]) == (31, b"")


@pytest.mark.parametrize("page", PAGES)
def test_links_lead_to_a_file_and_to_a_heading(page: str) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", PAGES[page]):
        file, _, heading = target.partition("#")
        linked = (ROOT / page).parent / file if file else ROOT / page
        assert linked.exists(), target
        if heading:
            headings = re.findall(r"^#+ (.*)$", linked.read_text(), re.MULTILINE)
            anchors = {re.sub(r"[^\w -]", "", text.lower()).replace(" ", "-") for text in headings}
            assert heading in anchors, target


PATHS_OF_EXAMPLES = ("/etc/systemd/system/", "/srv/books/")
HOSTS = ("github.com", "support.backpack.exchange")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_names_no_machine_but_those_of_examples(page: str) -> None:
    for path in re.findall(r"(?<![\w.:/<>)*])/[a-z][\w.-]*/[\w./-]*", PAGES[page]):
        assert path.startswith(PATHS_OF_EXAMPLES), path
    for host in re.findall(r"https?://([^/\s)]+)", PAGES[page]):
        assert host in HOSTS, host


RECOMMENDED = re.compile(r'^option "tolerance_multiplier" "0".*', re.MULTILINE)
TEMPLATE = (ROOT / "src" / "usance" / "first_ledger.beancount").read_text()
ADVISERS = {**PAGES, "usance init": TEMPLATE}
ADVISERS = {
    name: text
    for name, text in ADVISERS.items()
    if RECOMMENDED.search(text) and name != "docs/errors.md"
}
"""Each text that recommends the option, but for the ledgers of errors, by its name."""


@pytest.mark.parametrize("name", ADVISERS)
def test_the_tolerance_of_0_is_not_recommended_without_what_it_costs(name: str) -> None:
    option = RECOMMENDED.search(ADVISERS[name])
    assert option is not None
    behind = " ".join(ADVISERS[name][option.end() :].split())
    assert re.search(
        r"\(`?@@.* fails?\b.*: write prices of a unit, or leave the option out", behind
    )


TOTALS = [
    "0.3 SOL @@ 45.07 USDC",
    "7 SOL @@ 99.99 USDC",
    "3 SOL {{10.00 USDC}}",
    "1.3 SOL {{99.99 USDC}}",
]


@pytest.mark.parametrize("units", TOTALS)
@pytest.mark.parametrize("exact", [True, False])
def test_a_total_that_does_not_divide_needs_a_tolerance(
    units: str, exact: bool, tmp_path: Path
) -> None:
    """As the manual says: with the option it fails, without it the day is closed."""
    [ledger] = blocks("docs/language.md", "beancount")
    amount = re.findall(r"[\d.]+", units)[1]
    ledger += (
        f'2025-05-02 * "A fill"\n  Assets:Backpack:Main:Wallet  {units}\n'
        f"  Assets:Backpack:Main:Wallet  -{amount} USDC\n"
    )
    ledger = ledger.replace('plugin "usance', 'include "posted/*.beancount"\nplugin "usance')
    file = written(tmp_path, ledger if exact else RECOMMENDED.sub("", ledger))
    _, errors, _ = loader.load_file(str(file))
    assert [type(error).__name__ for error in errors] == ["ValidationError"] * exact
    done = CliRunner().invoke(main, ["accrue", str(file)])
    assert done.exit_code == exact
    if not exact:
        assert loader.load_file(str(file))[1] == []


def test_the_fills_of_the_manual_are_such_totals() -> None:
    [fills] = [text for text in blocks("docs/language.md", "") if "@@" in text]
    assert [units for units in TOTALS if units in fills] == TOTALS[:2]


PRAISE = ("robust", "powerful", "seamless", "comprehensive", "production-ready", "state of the art")


@pytest.mark.parametrize("page", PAGES)
def test_a_page_describes_this_release_in_facts(page: str) -> None:
    for word in PRAISE:
        assert not re.search(rf"\b{word}\b", PAGES[page], re.IGNORECASE)


def test_the_demo_says_whole_sentences() -> None:
    """Goal: nothing is cut off. Method: for make a comma ends what is said."""
    said = [line for line in (ROOT / "Makefile").read_text().splitlines() if "call say," in line]
    assert said
    assert [line for line in said if line.count(",") > 1] == []
