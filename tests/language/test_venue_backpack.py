"""The terms of Backpack that `usance init` writes: what they are, from when, and who says so.

Where the recorded answers of the venue lie beside the project, they are compared with them too.
"""

import json
import re
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from beancount import loader
from beancount.core import data
from beancount.parser import parser
from margin_books import HEAD, asked, books, of

from usance.language.reading import read
from usance.model.hours import Day, day_of, moment
from usance.model.terms import Collateral, Identity, Perpetual, Slope, Stage

ROOT = Path(__file__).parents[2]
PRESET = ROOT / "src" / "usance" / "venues" / "backpack" / "terms.beancount"
TEXT = PRESET.read_text()
SHARED = ROOT.parent / "shared"
RECORDED = SHARED / "data"

PERPETUALS = [
    # contract, from, initial margin and factor, maintenance margin and factor, where it is recorded
    (
        "SOL-PERP",
        "2025-06-16",
        ("0.02", "0.0001275", "0.0125", "0.0000765"),
        "backpack_api/market_SOL_USDC_PERP_2025-06-16.json",
    ),
    (
        "ETH-PERP",
        "2025-07-01",
        ("0.02", "0.0000935", "0.0125", "0.0000561"),
        "backpack_shapes/position_eth_perp.json",
    ),
    (
        "SOL-PERP",
        "2026-07-30",
        ("0.02", "0.00006", "0.0135", "0.000036"),
        "backpack_shapes/market_sol_perp_2026-07.json",
    ),
    (
        "BTC-PERP",
        "2026-08-05",
        ("0.01333333", "0.00002494", "0.00666667", "0.00001496"),
        "backpack_shapes/market_btc_perp_2026-08-05.json",
    ),
    (
        "SOL-PERP",
        "2026-10-01",
        ("0.02", "0.000075", "0.0135", "0.0000375"),
        "backpack_shapes/market_sol_perp_2026-10.json",
    ),
]
STEPS = {
    "SOL-PERP": ("0.01", "backpack_shapes/market_sol_perp_2026-10.json"),
    "BTC-PERP": ("0.00001", "backpack_shapes/market_btc_perp_2026-08-05.json"),
}
WEIGHTS = {"USDC": "1", "SOL": "0.95"}
UNDERLYING = {"SOL-PERP": "SOL", "ETH-PERP": "ETH", "BTC-PERP": "BTC"}
ACCOUNT = """\
2025-06-16 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
2025-06-16 custom "lending-pool" "USDC"
  rates: "observed"
2025-06-16 custom "lending-pool" "SOL"
  rates: "observed"
2025-06-16 custom "lending-rate" "USDC" 0 0
2025-06-16 custom "lending-rate" "SOL" 0 0
"""


def directives() -> data.Directives:
    """Return what the file says."""
    entries, errors, _ = parser.parse_string(TEXT)
    assert errors == []
    return list(entries)


def recorded(name: str) -> Any:  # noqa: ANN401 -- any JSON
    """Return a recorded answer of the venue, where it is there."""
    path = RECORDED / name
    if not path.exists():
        pytest.skip(f"{path.name} is not beside the project")
    found = json.loads(path.read_text())
    return found.get("data", found)


def slopes(values: tuple[str, str, str, str]) -> tuple[Slope, Slope]:
    initial, factor, maintenance, other = map(Decimal, values)
    return Slope(initial, factor), Slope(maintenance, other)


def test_it_loads_into_a_ledger_of_the_venue(tmp_path: Path) -> None:
    made = books(tmp_path, ACCOUNT, TEXT)
    assert made.told() == []
    made = books(tmp_path / "included", ACCOUNT, f'include "{PRESET}"\n')
    assert made.told() == []


def test_it_needs_a_sub_account_at_the_venue(tmp_path: Path) -> None:
    """One error for the file: a name that is misspelt is seen, and once."""
    made = books(tmp_path, ACCOUNT.replace("Backpack", "Backpacks"), TEXT)
    [told] = made.told()
    assert 'collateral "USDC": no sub-account is at the venue "Backpack"' in told


def test_it_says_these_things_and_no_others() -> None:
    """Each of its terms is that of the venue alone, and dated."""
    terms = [entry for entry in directives() if isinstance(entry, data.Custom)]
    assert sorted(
        (entry.type, entry.values[0].value, str(entry.date)) for entry in terms
    ) == sorted(
        [
            *(("perpetual", contract, since) for contract, since, _, _ in PERPETUALS),
            *(("collateral", coin, "2025-06-16") for coin in WEIGHTS),
        ]
    )
    assert {entry.meta.get("venue") for entry in terms} == {"Backpack"}
    others = [entry for entry in directives() if not isinstance(entry, data.Custom)]
    assert [(type(entry), str(entry.date)) for entry in others] == [
        (data.Commodity, "2025-06-16")
    ] * len(STEPS)


@pytest.mark.parametrize(("contract", "since", "values", "_"), PERPETUALS)
def test_perpetuals_in_force(
    contract: str, since: str, values: tuple[str, str, str, str], _: str, tmp_path: Path
) -> None:
    """From their day on; the day before, those of before, or none."""
    made = books(tmp_path, ACCOUNT, TEXT)
    entries, _errors, options = loader.load_file(str(made.path))
    reading = read(entries, options, str(tmp_path), frozenset(Stage))
    timeline = reading.book.perpetuals["Backpack", contract]
    day = day_of(date.fromisoformat(since))
    expected = Perpetual("USDC", UNDERLYING[contract], *slopes(values))
    assert timeline.at(moment(day)) == expected
    before = [
        slopes(other) for name, start, other, _ in PERPETUALS if name == contract and start < since
    ]
    found = timeline.at(moment(Day(day - 1)))
    assert (None if found is None else (found.initial, found.maintenance)) == (
        before[-1] if before else None
    )
    assert ("Backpack", contract) in reading.book.perpetuals
    assert len(reading.book.perpetuals) == len(UNDERLYING)


def test_collaterals_in_force(tmp_path: Path) -> None:
    """Of SOL a borrow keeps what is assumed for it; of USDC nothing."""
    made = books(tmp_path, ACCOUNT, TEXT)
    entries, _, options = loader.load_file(str(made.path))
    reading = read(entries, options, str(tmp_path), frozenset(Stage))
    none = Slope(Decimal(0), Decimal(0))
    found = {
        coin: timeline.values for (_, coin), timeline in sorted(reading.book.collaterals.items())
    }
    assert found == {
        "SOL": [
            Collateral(
                Identity(Decimal("0.95")),
                Slope(Decimal("0.15"), Decimal(0)),
                Slope(Decimal("0.075"), Decimal(0)),
            )
        ],
        "USDC": [Collateral(Identity(Decimal(1)), none, none)],
    }


def test_steps() -> None:
    found = {
        entry.currency: entry.meta["quantum"]
        for entry in directives()
        if isinstance(entry, data.Commodity)
    }
    assert found == {contract: Decimal(step) for contract, (step, _) in STEPS.items()}


# Who says so

STANDINGS = ("observed", "fixture", "assumed")
SOURCES = re.compile(
    r"github\.com/[\w-]+/[\w-]+|public API, \d{4}-\d{2}-\d{2}|[Ss]ame source and day|"
    r"same sources as below"
)


def paragraphs() -> list[tuple[str, str]]:
    """Return the comment and the directives of each paragraph that has directives."""
    found = []
    for paragraph in re.split(r"\n\s*\n", TEXT):
        lines = paragraph.splitlines()
        comment = " ".join(line.lstrip("; ") for line in lines if line.startswith(";"))
        said = "\n".join(line for line in lines if not line.startswith(";"))
        if said.strip():
            found.append((comment, said))
    return found


def test_each_directive_has_a_comment_that_names_source_and_standing() -> None:
    dated = 0
    for comment, said in paragraphs():
        dated += len(re.findall(r"^\d{4}-\d{2}-\d{2} ", said, re.MULTILINE))
        assert any(word in comment.lower() for word in STANDINGS), said
        assert SOURCES.search(comment), said
    assert dated == len(directives())


def test_the_head_explains_each_standing() -> None:
    head = TEXT[: TEXT.index("\n\n")]
    assert [word for word in STANDINGS if f"{word} (" not in head] == []
    assert 'include "venues/backpack.beancount"' in head


def test_what_a_fixture_says_is_not_called_observed() -> None:
    [(comment, _)] = [part for part in paragraphs() if "2026-07-30 custom" in part[1]]
    assert comment.startswith("Fixture: ")
    assert "bpx-api-client" in comment


def test_a_day_that_nobody_states_is_called_assumed() -> None:
    """July 2025 and October 2026: the month is known, the day within it is not."""
    for since in ("2025-07-01", "2026-10-01"):
        [(comment, _)] = [part for part in paragraphs() if f"{since} custom" in part[1]]
        assert "the day within" in comment
        assert "is assumed" in comment


def test_comments_name_the_day_of_their_source() -> None:
    for comment, said in paragraphs():
        for since in re.findall(r"^(\S+) custom", said, re.MULTILINE):
            assert (
                since in comment
                or "is assumed" in comment
                or "Same source" in comment
                or ("same source and day" in comment)
            ), said


# What the venue answered


@pytest.mark.parametrize(("contract", "since", "values", "file"), PERPETUALS)
def test_margins_are_those_that_were_recorded(
    contract: str, since: str, values: tuple[str, str, str, str], file: str
) -> None:
    found = recorded(file)
    functions = [found["imfFunction"], found["mmfFunction"]]
    assert [function["type"] for function in functions] == ["sqrt", "sqrt"]
    told = tuple(function[key] for function in functions for key in ("base", "factor"))
    assert tuple(map(Decimal, told)) == tuple(map(Decimal, values))
    assert found["symbol"] == contract.replace("-", "_USDC_")
    assert since


@pytest.mark.parametrize("contract", STEPS)
def test_steps_are_those_that_were_recorded(contract: str) -> None:
    step, file = STEPS[contract]
    assert Decimal(recorded(file)["filters"]["quantity"]["stepSize"]) == Decimal(step)


def test_weights_are_those_that_were_recorded() -> None:
    found = recorded("backpack_api/capital_collateral_2025-06-16.json")["collateral"]
    assert {row["symbol"]: row["collateralWeight"] for row in found} == WEIGHTS


def test_the_table_of_the_venue_says_the_same() -> None:
    """Rows of observed parameters: market and month, two bases and two factors."""
    page = SHARED / "design" / "venue-backpack.md"
    if not page.exists():
        pytest.skip(f"{page.name} is not beside the project")
    rows = re.findall(
        r"^\| (\w+) perp (\d{4}-\d{2})\S* \| (\S+) \| (\S+) \| (\S+) \| (\S+) \|",
        page.read_text(),
        re.MULTILINE,
    )
    assert len(rows) == len(PERPETUALS)
    ours = {
        # The first terms of SOL are dated from an answer of the month before.
        (contract[:3], "2025-07" if since == "2025-06-16" else since[:7]): values
        for contract, since, values, _ in PERPETUALS
    }
    assert {(coin, month): tuple(values) for coin, month, *values in rows} == ours


# The account of which answers are recorded

WALLETS = [
    # What it held, the mark of SOL, and what the venue said its net equity was.
    ("10.6524044577", "0.0699302874", "144.9578481", "20.282501237292616743"),
    ("10.5862891343", "0.0699307243", "156.86490494", "21.0074817330196056399"),
]


@pytest.mark.parametrize(("usdc", "sol", "mark", "equity"), WALLETS)
def test_net_equity_of_a_real_account(
    usdc: str, sol: str, mark: str, equity: str, tmp_path: Path
) -> None:
    """USDC in full, SOL by 0.95, lent or not: to the last digit of the venue's answer."""
    made = books(
        tmp_path,
        ACCOUNT,
        TEXT,
        f"""\
        2025-06-16 * "Deposit"
          Assets:Backpack:Main:Wallet  {usdc} USDC
          Assets:Backpack:Main:Wallet  {sol} SOL
          Assets:Bank
        2025-06-16 price SOL {mark} USDC
        """,
    )
    found = of(asked(made, "margin", "--at", "2025-06-16"), "Main")
    assert (found["net_equity"], found["margin_fraction"]) == (equity, None)
    assert {row["coin"]: Decimal(row["weight"]) for row in found["collateral_assets"]} == {
        coin: Decimal(weight) for coin, weight in WEIGHTS.items()
    }


def test_a_small_position_keeps_the_base(tmp_path: Path) -> None:
    """0.0036 ETH-PERP at 3787.46813304: the venue answered 0.02 and 0.0125."""
    made = books(
        tmp_path,
        ACCOUNT,
        TEXT,
        """\
        2025-07-20 * "Deposit"
          Assets:Backpack:Main:Wallet  100 USDC
          Assets:Bank
        2025-07-20 * "Open"
          Assets:Backpack:Main:Perp  0.0036 ETH-PERP {3826.888888888888888888888889 USDC}
          Assets:Backpack:Main:Perp  -13.7768 USDC
        2025-07-20 price ETH-PERP 3787.46813304 USDC
        2025-07-01 commodity ETH-PERP
          stale-after: 1000
        """,
    )
    assert made.told() == []
    found = of(asked(made, "margin", "--at", "2025-07-20"), "Main")
    [position] = found["positions"]
    assert (position["imf"], position["mmf"]) == ("0.02", "0.0125")
    assert position["exposure"] == "13.634885278944"
    assert position["unrealized_pnl"].startswith("-0.141914721056")
    assert position["entry_price"] == "3826.888888888888888888888889"


def test_the_head_of_a_ledger_enables_the_stages(tmp_path: Path) -> None:
    """The file has no plugin line: Beancount would drop it without a word."""
    assert "\nplugin" not in TEXT
    head = HEAD.replace('plugin "usance.plugins"\n', "")
    made = books(tmp_path, ACCOUNT, TEXT, head=head)
    assert (made.told(), made.ids()) == ([], [])
