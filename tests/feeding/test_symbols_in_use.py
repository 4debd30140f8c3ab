"""Which markets and coins of a venue a ledger and its stored rows speak of."""

import json
from pathlib import Path

from fetching_books import FEED

from usance.feeding.own_text import own
from usance.feeding.symbols_in_use import Symbols, symbols_in_use

TERMS = """
  settle: USDC
  initial-margin: 0.02
  maintenance-margin: 0.0135
"""


def used(folder: Path, ledger: str, rows: dict[str, str]) -> Symbols:
    """Return the symbols of a ledger, and of files of its account by their path."""
    path = folder / "main.beancount"
    path.write_text(ledger)
    for name, text in rows.items():
        file = folder / "downloads" / "backpack" / "Main" / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)
    written = own(path)
    return symbols_in_use(written, folder / "downloads", written.feeds.values())


def test_a_ledger_without_rows_speaks_of_what_it_has_terms_and_amounts_of(tmp_path: Path) -> None:
    ledger = f"""{FEED}
2025-05-01 commodity KBONK-PERP
  backpack: "kBONK_USDC_PERP"
2025-05-01 custom "lending-pool" "USDC"
  rates: "observed"
2025-05-01 custom "lending-pool" "X0G"
  rates: "observed"
2025-05-01 custom "collateral" "JTO"
  weight: 0.8
2025-05-01 custom "perpetual" "SOL-PERP"{TERMS}
2025-05-01 custom "perpetual" "BTC-USDT-PERP"{TERMS}
2025-05-01 custom "perpetual" "KBONK-PERP"{TERMS}
2025-05-02 * "By hand"
  Assets:Backpack:Main:Wallet   1 SOL
  Assets:Bank
"""
    assert used(tmp_path, ledger, {}) == Symbols(
        contracts=["BTC_USDT_PERP", "SOL_USDC_PERP", "kBONK_USDC_PERP"],
        coins=["0G", "JTO", "SOL", "USDC"],
        pools=["0G", "USDC"],
    )


def test_stored_rows_speak_of_their_markets_and_coins(tmp_path: Path) -> None:
    fills = [{"symbol": "JUP_USDC", "feeSymbol": "JUP"}, {"symbol": "ETH_USDC_PERP"}]
    rows = {
        "fills/000000000.json": json.dumps(fills),
        "funding/000000000.json": '[{"symbol": "BTC_USDC_PERP", "quantity": 0.1}]',
        "deposits/2025-06.json": '[{"symbol": "SOL"}, {"symbol": "POINTS"}]',
        "files/0123456789abcdef.csv": "market_symbol,side\nSUI_USDC_PERP,Bid\n",
        "interest/000000000.json": '[{"symbol": "USDT", "marketSymbol": ""}, "no row"]',
    }
    assert used(tmp_path, FEED, rows) == Symbols(
        contracts=["BTC_USDC_PERP", "ETH_USDC_PERP", "SUI_USDC_PERP"],
        coins=["JUP", "SOL", "USDC", "USDT"],
        pools=[],
    )


def test_what_cannot_be_read_or_is_no_symbol_is_left_to_import(tmp_path: Path) -> None:
    rows = {
        "fills/000000000.json": '[{"symbol": "SOL_USDC_PERP"',
        "dust/000000000.json": '{"symbol": "SOL"}',
        "funding/000000000.json": '[{"symbol": "../../etc"}, {"symbol": ["SOL"]}]',
        "files/0123456789abcdef.csv": "\x00\x00",
    }
    assert used(tmp_path, FEED, rows) == Symbols([], [], [])
