"""Keys: where they come from, and that no text shows one."""

import base64
import copy
import pickle
import traceback
from pathlib import Path

import pytest
from fake_venue import Pair

from usance.feeding.downloads import RefusedError
from usance.feeding.keys import Key, keys, variable
from usance.model.feeds import Feed
from usance.model.hours import Day
from usance.model.problems import Source

MAIN, ARB = Pair.of(11), Pair.of(12)


def feed(name: str = "Main", venue: str = "backpack") -> Feed:
    source = Source("main.beancount", 1)
    return Feed(
        name,
        venue,
        Day(1),
        "Assets:Bank",
        "Assets:Bank",
        "Income:D",
        None,
        True,
        frozenset(),
        source,
    )


def table(name: str, pair: Pair, secret: str | None = None) -> str:
    return f'[backpack.{name}]\nkey = "{pair.key}"\nsecret = "{secret or pair.secret}"\n'


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The ledger's folder."""
    (tmp_path / "books").mkdir()
    return tmp_path / "books"


def written(folder: Path, text: str, mode: int = 0o600) -> Path:
    """Write a file of keys beside the ledger's folder."""
    path = folder.parent / "keys.toml"
    path.write_text(text)
    path.chmod(mode)
    return path


def refusal(folder: Path, feeds: list[Feed], file: Path | None, variables: dict[str, str]) -> str:
    """Return the text of the error; nothing in it or behind it shows a key."""
    with pytest.raises(RefusedError) as raised:
        keys(feeds, folder, file, variables)
    shown = "".join(traceback.format_exception(raised.value))
    error: BaseException | None = raised.value
    while error is not None:
        shown += repr(error) + repr(vars(error)) + repr(error.args)
        error = error.__context__
    for secret in (MAIN.secret, ARB.secret, MAIN.key, ARB.key, "not base64", "c2hvcnQ="):
        assert secret not in shown
    return str(raised.value)


def test_a_key_comes_from_two_variables(folder: Path) -> None:
    variables = {"USANCE_BACKPACK_MAIN_KEY": MAIN.key, "USANCE_BACKPACK_MAIN_SECRET": MAIN.secret}
    found = keys([feed()], folder, folder / "no such file", variables)
    assert (found["Main"].key, found["Main"].secret) == MAIN


@pytest.mark.parametrize(
    ("name", "begin"),
    [
        ("Main", "USANCE_BACKPACK_MAIN"),
        ("Long-SOL-2", "USANCE_BACKPACK_LONG_SOL_2"),
        ("Größe", "USANCE_BACKPACK_GR_SSE"),
    ],
)
def test_names_of_variables_are_capitals(name: str, begin: str) -> None:
    assert variable(feed(name)) == begin


def test_variables_come_before_the_file(folder: Path) -> None:
    file = written(folder, table("Main", ARB) + table("Other", Pair.of(3)))
    variables = {"USANCE_BACKPACK_MAIN_KEY": MAIN.key, "USANCE_BACKPACK_MAIN_SECRET": MAIN.secret}
    found = keys([feed(), feed("Other")], folder, file, variables)
    assert found["Main"].key == MAIN.key
    assert found["Other"].key == Pair.of(3).key


def test_the_file_is_the_one_asked_for_else_that_of_the_variable_else_that_of_the_home(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(folder.parent / "home"))
    home = folder.parent / "home" / ".config" / "usance" / "keys.toml"
    home.parent.mkdir(parents=True)
    named, asked = folder.parent / "named.toml", folder.parent / "asked.toml"
    for number, path in enumerate((home, named, asked), 1):
        path.write_text(table("Main", Pair.of(number)))
        path.chmod(0o600)
    variables = {"USANCE_KEYS": str(named)}
    assert keys([feed()], folder, None, {})["Main"].key == Pair.of(1).key
    assert keys([feed()], folder, None, {"USANCE_KEYS": ""})["Main"].key == Pair.of(1).key
    assert keys([feed()], folder, None, variables)["Main"].key == Pair.of(2).key
    assert keys([feed()], folder, asked, variables)["Main"].key == Pair.of(3).key


def test_a_name_that_needs_quotes_works(folder: Path) -> None:
    file = written(folder, table('"Größe"', MAIN) + table("1-Arb", ARB))
    found = keys([feed("Größe"), feed("1-Arb")], folder, file, {})
    assert (found["Größe"].key, found["1-Arb"].key) == (MAIN.key, ARB.key)
    assert '[backpack."Größe"]' in refusal(folder, [feed("Größe")], folder.parent / "none", {})


def test_a_key_shows_nothing_of_itself() -> None:
    key = Key(*MAIN)
    for shown in (repr(key), str(key), f"{key}", repr([key]), repr({"Main": key})):
        assert "Key(...)" in shown
        assert MAIN.key not in shown
        assert MAIN.secret not in shown
    for store in (pickle.dumps, copy.copy):
        with pytest.raises(TypeError, match="a key is not stored"):
            store(key)


def test_a_missing_key_says_the_ways_to_give_one(folder: Path) -> None:
    file = folder.parent / "none.toml"
    assert refusal(folder, [feed()], file, {}) == (
        "There is no key for sub-account Main of backpack. Set USANCE_BACKPACK_MAIN_KEY and "
        f"USANCE_BACKPACK_MAIN_SECRET, or write [backpack.Main] with key and secret in {file}."
    )
    file = written(folder, table("Arb", ARB))
    assert "There is no key for sub-account Main" in refusal(folder, [feed()], file, {})
    file = written(folder, 'backpack = "x"\n')
    assert "There is no key for sub-account Main" in refusal(folder, [feed()], file, {})


def test_half_a_pair_of_variables_is_refused(folder: Path) -> None:
    for part, other, value in (("KEY", "SECRET", MAIN.key), ("SECRET", "KEY", MAIN.secret)):
        variables = {f"USANCE_BACKPACK_MAIN_{part}": value}
        assert refusal(folder, [feed()], None, variables) == (
            f"USANCE_BACKPACK_MAIN_{other} is not set. Set it, or unset the other of the two."
        )


@pytest.mark.parametrize(
    "secret",
    ["not base64", "c2hvcnQ=", base64.b64encode(bytes(33)).decode(), MAIN.secret[:-1], "é" * 44],
)
def test_a_malformed_secret_is_one_error_without_its_text(secret: str, folder: Path) -> None:
    variables = {"USANCE_BACKPACK_MAIN_KEY": MAIN.key, "USANCE_BACKPACK_MAIN_SECRET": secret}
    says = (
        "is no secret: it must be 32 bytes in base64, which are 44 characters. Copy it again from "
        "the venue."
    )
    assert refusal(folder, [feed()], None, variables) == f"USANCE_BACKPACK_MAIN_SECRET {says}"
    file = written(folder, table("Main", MAIN, secret))
    found = refusal(folder, [feed()], file, {})
    assert found == f"{file}: secret of [backpack.Main] {says}"
    assert secret not in found


def test_a_key_that_would_end_a_header_is_refused(folder: Path) -> None:
    variables = {
        "USANCE_BACKPACK_MAIN_KEY": "abc\r\nX-Other: 1",
        "USANCE_BACKPACK_MAIN_SECRET": MAIN.secret,
    }
    assert refusal(folder, [feed()], None, variables) == (
        "USANCE_BACKPACK_MAIN_KEY is no key. Copy it again from the venue."
    )


def test_a_key_without_a_secret_in_the_file_is_refused(folder: Path) -> None:
    file = written(folder, f'[backpack.Main]\nkey = "{MAIN.key}"\n')
    assert refusal(folder, [feed()], file, {}) == (
        f"{file}: [backpack.Main] needs two texts. Write key and secret below it."
    )


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o660, 0o700, 0o622])
def test_a_file_that_others_can_read_is_refused(mode: int, folder: Path) -> None:
    file = written(folder, table("Main", MAIN), mode)
    assert refusal(folder, [feed()], file, {}) == (
        f"{file} can be read by others: its mode is {mode:o}. Run chmod 600 {file}"
    )


@pytest.mark.parametrize("mode", [0o600, 0o400])
def test_a_file_that_its_owner_alone_can_read_is_taken(mode: int, folder: Path) -> None:
    file = written(folder, table("Main", MAIN), mode)
    assert keys([feed()], folder, file, {})["Main"].key == MAIN.key


def test_a_file_below_the_ledgers_folder_is_refused(folder: Path) -> None:
    file = folder / "sub" / "keys.toml"
    file.parent.mkdir()
    file.write_text(table("Main", MAIN))
    file.chmod(0o600)
    assert "is below the ledger's folder" in refusal(folder, [feed()], file, {})
    link = folder.parent / "link.toml"
    link.symlink_to(file)
    assert "is below the ledger's folder" in refusal(folder, [feed()], link, {})
    outside = written(folder, table("Main", MAIN))
    inside = folder / "link.toml"
    inside.symlink_to(outside)
    assert "is below the ledger's folder" in refusal(folder, [feed()], inside, {})


def test_what_is_no_regular_file_is_refused(folder: Path) -> None:
    assert "is no regular file" in refusal(folder, [feed()], folder.parent, {})


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (f'[backpack.Main]\nkey = "{MAIN.key}\nsecret = "{MAIN.secret}"\n', "is no TOML"),
        (f"key = {MAIN.secret}\n", "is no TOML"),
        (f'"{MAIN.secret}', "is no TOML"),
    ],
)
def test_a_file_that_is_no_toml_is_said_without_its_text(text: str, why: str, folder: Path) -> None:
    found = refusal(folder, [feed()], written(folder, text), {})
    assert why in found
    assert found.endswith('Write [backpack.Main], and key = "..." below it.')


def test_a_file_that_is_no_utf_8_is_refused(folder: Path) -> None:
    file = written(folder, "")
    file.write_bytes(b'[backpack.Main]\nkey = "\xff"\n')
    assert "is not UTF-8" in refusal(folder, [feed()], file, {})


def test_a_key_is_of_one_sub_account(folder: Path) -> None:
    file = written(folder, table("Main", MAIN) + table("Arb", MAIN))
    assert refusal(folder, [feed(), feed("Arb")], file, {}) == (
        "Sub-accounts Main and Arb have the same key, and a key is of one sub-account. Make a key "
        "at the venue for each."
    )
    variables = {"USANCE_BACKPACK____KEY": MAIN.key, "USANCE_BACKPACK____SECRET": MAIN.secret}
    found = refusal(folder, [feed("Ää"), feed("Öö")], file, variables)
    assert "would be the key of both Öö and Ää" in found
