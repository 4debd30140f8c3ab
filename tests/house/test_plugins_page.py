"""The table of docs/plugins.md: each plugin of Beancount, on both sides, on each example."""

import re
import shutil
from itertools import product
from pathlib import Path
from typing import NamedTuple

import beancount.plugins
import pytest
from beancount import loader
from beancount.core.data import Commodity, Open, Transaction
from beancount.parser import parser, printer
from folders import Folder
from golden_ledgers import LEDGERS, ROOT

from usance.language.provenance import is_generated

PAGE = (ROOT / "docs" / "plugins.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| ([^|]+) \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)
TABLE = {name: {"before": before, "behind": behind} for name, before, behind in ROW.findall(PAGE)}
SHIPPED = sorted(
    path.stem
    for path in Path(beancount.plugins.__path__[0]).glob("[a-z]*.py")
    if not path.stem.endswith("_test")
)
CONFIGURED = {"commodity_attr": ' "{}"', "currency_accounts": ' "Equity:Coins"'}

OURS = re.compile(r'^plugin "usance.*\n', re.MULTILINE)
LENT_LOT = """\
option "operating_currency" "USDC"
option "tolerance_multiplier" "0"
plugin "usance.plugins"
include "posted/*.beancount"
2025-05-01 commodity USDC
  quantum: 0.000001
2025-05-01 commodity SOL
2025-05-01 custom "sub-account" "Main" Assets:Venue:Main
  auto-lend: TRUE
2025-05-01 custom "lending-pool" "SOL"
  rates: "observed"
2025-05-01 custom "lending-rate" "SOL" 0.0200 0.0400
2025-05-01 open Assets:Bank
2025-05-01 open Assets:Venue:Main:Wallet
2025-05-01 * "Buy, at cost"
  Assets:Venue:Main:Wallet       2 SOL {150 USDC}
  Assets:Bank                 -300 USDC
2025-05-01 price SOL 150 USDC
2025-05-02 custom "accrue-through" 2025-05-02
"""
"""A coin that is held at cost and lent, which no example has."""


class Loaded(NamedTuple):
    """The figures and the errors of a ledger."""

    generated: list[str]
    errors: list[str]


def load(ledger: Path, text: str) -> Loaded:
    ledger.write_text(text)
    entries, errors, _ = loader.load_file(str(ledger))
    return Loaded(
        [
            printer.format_entry(entry)
            for entry in entries
            if isinstance(entry, Open | Transaction) and is_generated(entry)
        ],
        [error.message for error in errors],
    )


def beside(text: str, lines: str, side: str) -> str:
    """Return a ledger with lines before our plugin lines, or behind them."""
    ours = list(OURS.finditer(text))
    at = ours[0].start() if side == "before" else ours[-1].end()
    return text[:at] + lines + text[at:]


def as_the_page_says(text: str) -> str:
    """Return a ledger with accounts of sub-accounts in quotes, and a directive for each coin."""
    text = re.sub(r'(custom "sub-account" "\w+") (\S+)', r'\1 "\2"', text)
    entries, _, _ = parser.parse_string(text)
    declared = {entry.currency for entry in entries if isinstance(entry, Commodity)}
    coins = {"ETH", "SOL", "SOL-PERP", "USDC", "USDT"} - declared
    return text + "".join(f"1970-01-01 commodity {coin}\n" for coin in sorted(coins))


@pytest.fixture(scope="module")
def examples(tmp_path_factory: pytest.TempPathFactory) -> dict[Path, Loaded]:
    """Return the examples, with the outcome of each without another plugin."""
    outcomes: dict[Path, Loaded] = {}
    for name, path in {**LEDGERS, "lent_lot": None}.items():
        ledger = tmp_path_factory.mktemp(name) / "main.beancount"
        if path is not None:
            shutil.copytree(path.parent, ledger.parent, dirs_exist_ok=True)
        (ledger.parent / "posted").mkdir(exist_ok=True)
        (ledger.parent / "posted" / "first.beancount").touch()
        text = LENT_LOT if path is None else path.read_text()
        outcomes[ledger] = load(ledger, as_the_page_says(text))
    return outcomes


def test_the_page_has_the_plugins_that_beancount_ships() -> None:
    assert list(TABLE) == SHIPPED
    answers = {answer for row in TABLE.values() for answer in row.values()}
    assert {answer.partition(",")[0] for answer in answers} == {"goes", "does not go"}


@pytest.mark.parametrize(("name", "side"), [*product(SHIPPED, ("before", "behind"))])
def test_a_plugin_goes_as_the_page_says(name: str, side: str, examples: dict[Path, Loaded]) -> None:
    """No figure depends on it; it reports an example if, and only if, it does not go."""
    line = f'plugin "beancount.plugins.{name}"{CONFIGURED.get(name, "")}\n'
    reported = False
    for ledger, alone in examples.items():
        text = ledger.read_text()
        loaded = load(ledger, beside(text, line, side))
        ledger.write_text(text)
        assert loaded.generated == alone.generated, ledger.parent.name
        reported |= loaded.errors != alone.errors
    assert reported == TABLE[name][side].startswith("does not go")


@pytest.mark.parametrize(("name", "side"), [*product(SHIPPED, ("before", "behind"))])
def test_accrue_goes_on_beside_every_plugin(name: str, side: str, tmp_path: Path) -> None:
    """A second day is closed too: what a plugin says of posted transactions stops nothing."""
    line = f'plugin "beancount.plugins.{name}"{CONFIGURED.get(name, "")}\n'
    folder = Folder.made(tmp_path / "books", beside(as_the_page_says(LENT_LOT), line, side))
    alone = Folder.made(tmp_path / "alone", LENT_LOT)
    for day in ("2025-05-01", "2025-05-02"):
        folder.accrue("--through", day)
    alone.accrue()
    [month] = [name for name in folder.posted() if name.endswith(".beancount")]
    transactions = re.compile(r"^\d{4}-\d\d-\d\d [*].*\n(?:  .*\n)*", re.MULTILINE)
    assert transactions.findall(folder.posted()[month].decode()) == transactions.findall(
        alone.posted()[month].decode()
    )
    assert folder.usance("verify").exit_code == 0


# Raw mode


RAW = 'option "plugin_processing_mode" "raw"\n'


def test_raw_mode_generates_the_same(examples: dict[Path, Loaded]) -> None:
    for ledger, alone in examples.items():
        text = ledger.read_text()
        assert load(ledger, RAW + text) == alone
        ledger.write_text(text)


def test_raw_mode_checks_balances_as_the_page_says(tmp_path: Path) -> None:
    """2 SOL earn 2 * ((1 + 0.02/8760)**24 - 1) = 0.0001095919... on 1 May, 0.00010959 in quanta."""
    [shown] = re.findall(
        r"^```\n(option \"plugin_processing_mode\" .*?)^```", PAGE, re.MULTILINE | re.DOTALL
    )
    lot = LENT_LOT.replace('plugin "usance.plugins"\n', "")
    for number, wrong in (("2.00010959", 0), ("2", 1)):
        ending = f"2025-05-02 balance Assets:Venue:Main:Wallet {number} SOL\n"
        path = tmp_path / number
        folder = Folder.made(path, shown + lot + ending)
        assert len(folder.load()[1]) == wrong
        unchecked = Folder.made(
            tmp_path / f"{number}-unchecked", f'{RAW}plugin "usance.plugins"\n{lot}{ending}'
        )
        assert unchecked.load()[1] == []
        unchecked.accrue()
        assert unchecked.load()[1] == []
        assert unchecked.usance("verify").exit_code == 0
