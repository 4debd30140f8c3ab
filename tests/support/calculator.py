"""A calculator for the formulas of `usance explain`: it shares nothing with the package.

It takes a formula as it is printed, and numbers by name. What divides, or takes a root or a power,
has 80 significant digits; all else is exact in these.
"""

import re
from collections.abc import Mapping
from decimal import ROUND_CEILING, ROUND_FLOOR, ROUND_HALF_EVEN, Context, Decimal

WORK = Context(prec=80, rounding=ROUND_HALF_EVEN)
NUMBER = r"\d+(?:\.\d+)?"
FUNCTIONS = ("sqrt", "min", "max", "abs", "floor", "ceil", "round")


def calculate(formula: str, values: Mapping[str, str]) -> Decimal:
    """Return what the right side of a formula comes to."""
    _, _, expression = formula.partition(" = ")
    return _Parser(expression, {name: Decimal(text) for name, text in values.items()}).value()


class _Parser:
    def __init__(self, text: str, values: Mapping[str, Decimal]) -> None:
        self.values = values
        self.used: set[str] = set()
        names = "|".join(map(re.escape, sorted(values, key=len, reverse=True)))
        functions = "|".join(rf"{name}(?=\()" for name in FUNCTIONS)
        parts = [rf"({names})(?![\w-])"] if names else ["(?!)()"]
        parts += [f"({functions})", f"({NUMBER})", r"(x(?!\w)|[-+/^(),])"]
        token = re.compile(r"\s*(?:" + "|".join(parts) + ")")
        self.tokens: list[tuple[int, str]] = []
        at = 0
        while at < len(text):
            match = token.match(text, at)
            assert match is not None, text[at:]
            kind = match.lastindex
            assert kind is not None
            self.tokens.append((kind, match.group(kind)))
            at = match.end()
        self.at = 0

    def value(self) -> Decimal:
        made = self._sum()
        assert self.at == len(self.tokens), self.tokens[self.at :]
        assert self.used == set(self.values), "a value that the formula does not name"
        return made

    def _peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def _take(self, wanted: str) -> bool:
        if self.at < len(self.tokens) and self.tokens[self.at] == (4, wanted):
            self.at += 1
            return True
        return False

    def _sum(self) -> Decimal:
        made = self._product()
        while True:
            if self._take("+"):
                made = WORK.add(made, self._product())
            elif self._take("-"):
                made = WORK.subtract(made, self._product())
            else:
                return made

    def _product(self) -> Decimal:
        made = self._signed()
        while True:
            if self._take("x"):
                made = WORK.multiply(made, self._signed())
            elif self._take("/"):
                made = WORK.divide(made, self._signed())
            else:
                return made

    def _signed(self) -> Decimal:
        if self._take("-"):
            return WORK.minus(self._signed())
        base = self._atom()
        return WORK.power(base, self._signed()) if self._take("^") else base

    def _atom(self) -> Decimal:
        kind, text = self.tokens[self.at]
        self.at += 1
        if kind == 1:
            self.used.add(text)
            return self.values[text]
        if kind == 2:
            assert self._take("(")
            arguments = [self._sum()]
            while self._take(","):
                arguments.append(self._sum())
            assert self._take(")")
            return _apply(text, arguments)
        if kind == 3:
            return Decimal(text)
        assert text == "(", text
        made = self._sum()
        assert self._take(")")
        return made


def _apply(name: str, arguments: list[Decimal]) -> Decimal:
    first, *more = arguments
    match name:
        case "sqrt":
            return WORK.sqrt(first)
        case "min":
            return min(arguments)
        case "max":
            return max(arguments)
        case "abs":
            return WORK.abs(first)
    places = Decimal(1).scaleb(-int(more[0])) if more else Decimal(1)
    rounding = {"floor": ROUND_FLOOR, "ceil": ROUND_CEILING, "round": ROUND_HALF_EVEN}[name]
    return first.quantize(places, rounding, Context(prec=400))
