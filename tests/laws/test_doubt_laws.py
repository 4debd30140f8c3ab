"""Drawn ledgers are asked about nothing but the improbable things that are drawn into them.

Method: whatever is asked about must be seen in the text of its directive, by other means.
"""

import re
import tempfile
from decimal import Decimal
from pathlib import Path

import strategies
import test_margin_laws as margins
import test_yield_laws as yields
import yield_books
from hypothesis import given, settings

from usance.language.doubts import doubts
from usance.ledger.load import load
from usance.ledger.plugin_lines import enabled

NUMBER = re.compile(r"(?<![\w.-])\d+(?:\.\d+)?(?![\w.-])")


def numbers(text: str) -> list[Decimal]:
    return [Decimal(number) for number in NUMBER.findall(text)]


def is_seen(name: str, directive: str, text: str) -> bool:
    """Tell whether a directive is improbable in the way that a doubt says."""
    head, *body = directive.splitlines()
    seen = False
    match name:
        case "rate-above-one":
            seen = any(number > 1 for number in numbers(head.partition('"')[2]))
        case "odd-quantum":
            seen = "quantum: 0.05" in directive
        case "coarse-quantum":
            seen = "quantum: 1" in directive
        case "maintenance-above-initial":
            terms = dict(re.findall(r"([\w-]+): (\S+)", directive))
            seen = any(
                Decimal(terms.get(f"maintenance-{key}", 0))
                > Decimal(terms.get(f"initial-{key}", 0))
                for key in ("margin", "margin-factor")
            )
        case "unused-terms":
            coin = (re.findall(r'asset: "(\w+)"', directive) or [head.split('"')[3]])[0]
            seen = not re.search(rf":(?:Wallet|Perp|Borrowed)\s+\S+ {coin}\b", text)
        case "alike":
            seen = text.count("\n".join(body)) > 1
        case "accrued-below-zero":
            seen = "AccruedYield  -" in directive
        case "held-without-price":
            [coin] = set(re.findall(r"Wallet\s+-?[\d.]+ (\w+)", directive))
            seen = f"price {coin} " not in text
    return seen


def check(text: str) -> None:
    """Ask about a ledger, which has no errors."""
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "main.beancount"
        file.write_text(text)
        ledger = load(str(file))
        told = doubts(ledger.entries, ledger.read(), enabled(ledger.options), ledger.path)
    lines = text.splitlines()
    for doubt in told:
        rest = lines[doubt.source.line :]
        body = [line for line in rest[: next_head(rest)] if line.strip()]
        directive = "\n".join([lines[doubt.source.line - 1], *body])
        assert is_seen(doubt.name, directive, text), f"{doubt.message}\n{directive}"


def next_head(lines: list[str]) -> int:
    """Return the number of lines before the next directive."""
    return next((n for n, line in enumerate(lines) if line[:1].strip()), len(lines))


SOME = settings(max_examples=max(20, settings().max_examples))


@SOME
@given(strategies.ledgers())
def test_lending(drawn: strategies.Ledger) -> None:
    check(str(drawn))


@SOME
@given(margins.ledgers())
def test_margin(drawn: margins.Drawn) -> None:
    check(drawn.text())


@SOME
@given(yields.ledgers(true_ups=True))
def test_yields(drawn: yields.Ledger) -> None:
    check(yield_books.whole(str(drawn)))
