"""Ledgers of an observed yield product: 0.0876 a year are 0.00001 an hour exactly."""

from decimal import Decimal

from yield_books import deposit

COIN = """
2023-01-01 commodity USDC
  quantum: 0.000001
"""
POOL = """
2023-01-01 custom "lending-pool" "USDC"
  rates: "observed"
2023-01-01 custom "lending-rate" "USDC" 0 0
"""
MAIN = """
2023-01-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
"""
ARB = """
2023-01-01 custom "sub-account" "Arb" Assets:Backpack:Arb
  auto-lend: TRUE
"""
RATE = """
2023-01-01 custom "treasury-rate" "USD" 0.0876
"""


def product(payout: str = "monthly", *more: str) -> str:
    lines = [
        '2023-01-01 custom "yield-product" "USD"',
        '  asset: "USDC"',
        '  source: "observed"',
        f'  payout: "{payout}"',
        *(f"  {line}" for line in more),
    ]
    return "\n" + "\n".join(lines) + "\n"


def switch(at: str, *lines: str, sub: str = "Main") -> str:
    day, _, time = at.partition(" ")
    keys = [*lines, *([f'time: "{time}"'] if time else [])]
    return f'\n{day} custom "sub-account" "{sub}" Assets:Backpack:{sub}\n' + "".join(
        f"  {key}\n" for key in keys
    )


def through(day: str) -> str:
    return f'\n2023-01-01 custom "accrue-through" {day}\n'


FRAME = COIN + POOL + MAIN + RATE
PLAIN = FRAME + product() + deposit("1000", "2025-05-01")


def bonus(rate: str, day: str = "2023-01-01", cap: str = "", sub: str = "Main") -> str:
    text = f'\n{day} custom "yield-bonus" "USD" "{sub}" {rate}\n'
    return text + (f"  cap: {cap}\n" if cap else "")


def paid(day: str, period: str, amount: str, accrued: str, sub: str = "Main") -> str:
    variance = Decimal(amount) - Decimal(accrued)
    root = f"Backpack:{sub}"
    return (
        f'\n{day} * "Paid"\n  pays: "USD {period}"\n  Assets:{root}:Wallet  {amount} USDC\n'
        f"  Assets:{root}:AccruedYield  -{accrued} USDC\n"
        + (f"  Income:{root}:Treasury  {-variance} USDC\n" if variance else "")
    )
