"""Margin of many sub-accounts, and one liquidation price."""

from collections.abc import Iterator, Sequence
from datetime import date, timedelta
from decimal import Decimal
from pathlib import Path
from time import process_time

from beancount import loader
from loading import load
from timing import Row, interleave
from timing import ratios as of_rounds

from usance.language import reading
from usance.language.provenance import is_generated
from usance.ledger import replay
from usance.model.terms import Stage
from usance.rules.liquidation_price import liquidation_price
from usance.rules.margin import Margin, Valuation, evaluate

FIRST = date(2024, 1, 1)
WORTH = {"BTC": 40000, "ETH": 2000, "SOL": 100, "AVAX": 30}
TRADED = {"BTC": 1, "ETH": -10, "SOL": 200}
PLUGIN = "usance.plugins.margin_pool"
AIM = 0.55
AIM_OF_PRICE = 30
"""Margin evaluations that one liquidation price may cost."""


def rows(folder: Path, *, quick: bool) -> Iterator[Row]:
    """Two rows: days of margins against the same as text, a price against one evaluation."""
    sub_accounts, days, rounds = (20, 10, 2) if quick else (200, 60, 5)
    path = folder / f"margin-{sub_accounts}.beancount"
    path.write_text(f'plugin "{PLUGIN}"\n{"".join(_lines(sub_accounts, days))}')
    ours = ("--plugin", PLUGIN)
    text = folder / f"margin-{sub_accounts}-text.beancount"
    generated = load(path, *ours, "--text", text)["postings"]

    def seconds(ledger: Path, *options: str) -> float:
        run = load(ledger, *options)
        assert run["postings"] == generated
        return run["seconds"]

    times = interleave(
        rounds, {"virtual": lambda: seconds(path, *ours), "text": lambda: seconds(text)}
    )
    what = f"margin, {sub_accounts} sub-accounts, 5 coins, 3 positions, {days} days"
    yield Row(f"{what}, generated / as text", of_rounds(times, "virtual", "text"), AIM)
    exposed = _exposed(path)
    prices = tuple(_price(exposed[:50]) for _ in range(5))
    yield Row("one liquidation price / one margin evaluation", prices, AIM_OF_PRICE)


def _exposed(path: Path) -> Sequence[tuple[Valuation, Margin]]:
    """Return the margins of the last evening."""
    entries, errors, options = loader.load_file(str(path))
    assert not errors
    written = [entry for entry in entries if not is_generated(entry)]
    found = reading.read(written, options, str(path.parent), frozenset((Stage.MARGIN_POOL,)))
    *_, last = replay.live(found, found.horizon)
    return list(last.margins.values())


def _price(exposed: Sequence[tuple[Valuation, Margin]]) -> float:
    """Return how many margin evaluations a liquidation price costs, on average."""
    began = process_time()
    for standing, _ in exposed:
        evaluate(standing)
    evaluated = process_time()
    count = 0
    for standing, margin in exposed:
        for index in range(len(standing.positions)):
            liquidation_price(standing, margin, index)
            count += 1
    ended = process_time()
    return (ended - evaluated) / count / ((evaluated - began) / len(exposed))


def _lines(sub_accounts: int, days: int) -> Iterator[str]:
    """Yield a ledger of sub-accounts that hold five coins and trade three contracts."""
    yield 'option "operating_currency" "USDC"\n'
    yield f"{FIRST} commodity USDC\n  quantum: 0.000001\n{FIRST} open Equity:Owner\n"
    for coin in WORTH:
        yield (
            f'{FIRST} custom "collateral" "{coin}"\n  weight-function: "inverse-sqrt"\n'
            "  weight: 0.9\n  base: 1.1\n  penalty: 0.001\n"
        )
    for coin in TRADED:
        yield (
            f'{FIRST} custom "perpetual" "{coin}-PERP"\n  settle: USDC\n  underlying: "{coin}"\n'
            "  initial-margin: 0.02\n  initial-margin-factor: 0.0001\n"
            "  maintenance-margin: 0.01\n  maintenance-margin-factor: 0.00005\n"
        )
    for number in range(days):
        day = FIRST + timedelta(days=number)
        for place, (coin, worth) in enumerate(WORTH.items()):
            price = Decimal(worth) * (200 + (number * 7 + place * 3) % 11 - 5) / 200
            yield f"{day} price {coin} {price:.2f} USDC\n"
            if coin in TRADED:
                yield f"{day} price {coin}-PERP {price:.2f} USDC\n"
    for number in range(sub_accounts):
        root = f"Assets:Venue:S{number:04}"
        yield f'{FIRST} custom "sub-account" "S{number:04}" {root}\n'
        yield f"{FIRST} open {root}:Wallet\n{FIRST} open {root}:Perp\n"
        yield f'{FIRST} * "In"\n'
        for coin, units in (("USDC", 100000 + number), *((coin, 10) for coin in WORTH)):
            yield f"  {root}:Wallet  {units} {coin}\n  Equity:Owner  -{units} {coin}\n"
        for coin, units in TRADED.items():
            worth = WORTH[coin]
            yield f'{FIRST} * "Open"\n  {root}:Perp  {units} {coin}-PERP {{{worth} USDC}}\n'
            yield f"  {root}:Perp  {-units * worth} USDC\n"
    yield f'{FIRST} custom "accrue-through" {FIRST + timedelta(days=days - 1)}\n'
