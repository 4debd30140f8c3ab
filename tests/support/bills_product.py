"""Ledgers of a yield product backed by bills."""

from functools import partial

import yield_books

ACCRETION = "Assets:Backpack:Treasury:Accretion"
BILLS = "Assets:Backpack:Treasury:Bills"
CASH = "Assets:Backpack:Treasury:Cash"
DISCOUNT = "Income:Backpack:Treasury:Discount"
DISTRIBUTED = "Expenses:Backpack:Treasury:Distributed"
PAYABLE = "Liabilities:Backpack:Treasury:Payable"

deposit = partial(yield_books.deposit, coin="USDT")

FRAME = """
2023-01-01 commodity USDT
  quantum: 0.01
2023-01-01 custom "lending-pool" "USDT"
  rates: "observed"
2023-01-01 custom "lending-rate" "USDT" 0 0
2023-01-01 custom "sub-account" "Main" Assets:Backpack:Main
  auto-lend: TRUE
2023-01-01 * "Capital of the product"
  Assets:Backpack:Treasury:Cash  100000 USDT
  Assets:Bank
"""
ARB = """
2023-01-01 custom "sub-account" "Arb" Assets:Backpack:Arb
  auto-lend: TRUE
"""


def product(*more: str, payout: str = "monthly") -> str:
    lines = [
        '2023-01-01 custom "yield-product" "TBill"',
        '  asset: "USDT"',
        '  source: "bills"',
        "  bills: Assets:Backpack:Treasury:Bills",
        f'  payout: "{payout}"',
        *(f"  {line}" for line in more),
    ]
    return "\n" + "\n".join(lines) + "\n"


def bill(name: str, maturity: str) -> str:
    return f"\n2023-01-01 commodity {name}\n  maturity: {maturity}\n"


def buy(day: str, face: str, name: str, cost: str, *more: str) -> str:
    lines = [f'{day} * "Buy"', *(f"  {line}" for line in more)]
    lines += [f"  {BILLS}  {face} {name} {{{cost} USDT}}", f"  {CASH}"]
    return "\n" + "\n".join(lines) + "\n"


def mature(day: str, face: str, name: str, cost: str) -> str:
    """Write Cash for the face, the bill at cost, and Accretion for the discount."""
    return (
        f'\n{day} * "Matured"\n  {CASH}  {face} USDT\n  {BILLS}  -{face} {name} {{{cost} USDT}}\n'
        f"  {ACCRETION}\n"
    )


def sell(day: str, face: str, lot: str, accreted: str, proceeds: str) -> str:
    name, cost = lot.split(" ")
    return (
        f'\n{day} * "Sell"\n  {CASH}  {proceeds} USDT\n  {BILLS}  -{face} {name} {{{cost} USDT}}\n'
        f"  {ACCRETION}  -{accreted} USDT\n  Income:Backpack:Treasury:PnL\n"
    )


def through(day: str) -> str:
    return f'\n2023-01-01 custom "accrue-through" {day}\n'


STRAIGHT = product('accretion: "straight-line"')
ONE = bill("B1", "2025-05-29") + buy("2025-05-01", "3000", "B1", "0.972")
HOLDER = deposit("100", "2025-05-01")
PLAIN = FRAME + STRAIGHT + ONE + HOLDER
