"""Directives of margin: collateral, perpetual contracts, liquidation.

2025-05-01 custom "collateral" "SOL"
  weight: 0.95
2025-05-01 custom "perpetual" "SOL-PERP"
  settle: USDC
  initial-margin: 0.02
  maintenance-margin: 0.0135
"""

import re
from decimal import Decimal

from beancount.core.data import Custom

from usance.language.directive import COIN, Read, Reader, dated, misread, source_of, values_of
from usance.model import problems
from usance.model.amounts import ZERO
from usance.model.terms import Collateral, Haircut, Identity, InverseSqrt, Perpetual, Slope, Tiers

MARGIN_KEYS = (
    "initial-margin",
    "initial-margin-factor",
    "maintenance-margin",
    "maintenance-margin-factor",
    "time",
    "venue",
)
FUNCTIONS = '"identity", "inverse-sqrt" or "tiers"'
IDENTITY_KEYS = ("weight", "weight-function", *MARGIN_KEYS)
KEYS = {
    "collateral": (*IDENTITY_KEYS, "base", "penalty", "tiers"),
    "perpetual": ("settle", "underlying", *MARGIN_KEYS),
    "liquidation": ("time", "venue"),
}
"""Every key of every kind of directive."""


def collateral(entry: Custom) -> Read[Collateral]:
    """Read custom "collateral" "SOL"."""
    coin = _named(entry)
    if coin is None:
        return Read(None, None, [misread(entry, 'custom "collateral" "SOL"')])
    reader = Reader(entry, f'collateral "{coin}"')
    value = Collateral(_haircut(reader), *_margins(reader, required=False))
    return Read(coin, dated(reader, entry, coin, value), reader.problems)


def _haircut(reader: Reader) -> Haircut:
    function = reader.text("weight-function", '"inverse-sqrt"') or "identity"
    if "weight-function" in reader.meta and reader.problems:
        return Identity(ZERO)
    match function:
        case "identity":
            reader.allow(IDENTITY_KEYS)
            return Identity(reader.number("weight", "0.95", "from 0 to 1"))
        case "inverse-sqrt":
            reader.allow((*IDENTITY_KEYS, "base", "penalty"))
            return InverseSqrt(
                reader.number("weight", "0.95", "from 0 to 1"),
                reader.number("base", "1.1", "above 0"),
                reader.number("penalty", "0.0004", "at least 0"),
            )
        case "tiers":
            reader.allow((*IDENTITY_KEYS, "tiers"))
            # A weight may stay beside tiers: it is checked, and not used.
            reader.number("weight", "0.95", "from 0 to 1", ZERO)
            return Tiers(_bands(reader))
    reader.wrong_type("weight-function", FUNCTIONS)
    return Identity(ZERO)


_BAND = re.compile(r"(\d+(?:\.\d+)?) (?:to (\d+(?:\.\d+)?)|above)", re.ASCII)


def _bands(reader: Reader) -> tuple[tuple[Decimal, Decimal | None], ...]:
    """Read "0.95 to 0.5, 0.90 to 1.2, 0 above"."""
    example = "0.95 to 0.5, 0.90 to 1.2, 0 above"
    text = reader.needed("tiers", f'"{example}"')
    bands: list[tuple[Decimal, Decimal | None]] = []
    top = ZERO
    for part in text.split(","):
        match = _BAND.fullmatch(" ".join(part.split()))
        last = bands and bands[-1][1] is None
        if match is None or last or Decimal(match[1]) > 1:
            bands = []
            break
        bound = None if match[2] is None else Decimal(match[2])
        if bound is not None and bound <= top:
            bands = []
            break
        top = top if bound is None else bound
        bands.append((Decimal(match[1]), bound))
    if text and (not bands or bands[-1][1] is not None):
        reader.problems.append(problems.bad_tiers(reader.source, reader.what, text, example))
    return tuple(bands)


def _margins(reader: Reader, *, required: bool) -> tuple[Slope, Slope]:
    """Return initial and maintenance margin."""
    default = None if required else ZERO
    initial, maintenance = (
        Slope(
            reader.number(key, example, "from 0 to 1", default),
            reader.number(f"{key}-factor", "0.00004", "at least 0", ZERO),
        )
        for key, example in (("initial-margin", "0.02"), ("maintenance-margin", "0.0135"))
    )
    return initial, maintenance


def perpetual(entry: Custom) -> Read[Perpetual]:
    """Read custom "perpetual" "SOL-PERP"."""
    contract = _named(entry)
    if contract is None:
        return Read(None, None, [misread(entry, 'custom "perpetual" "SOL-PERP"')])
    reader = Reader(entry, f'perpetual "{contract}"')
    reader.allow(KEYS["perpetual"])
    settle = _coin(reader, "settle", "USDC")
    if "settle" not in reader.meta:
        reader.missing("settle", "USDC")
    underlying = _coin(reader, "underlying", '"SOL"')
    value = Perpetual(settle or "", underlying, *_margins(reader, required=True))
    return Read(contract, dated(reader, entry, contract, value), reader.problems)


def liquidation(entry: Custom) -> Read[bool]:
    """Read custom "liquidation" "alert" or "simulate": whether a breach is liquidated."""
    match list(values_of(entry)):
        case [(kind, "alert" | "simulate" as mode)] if kind is str:
            reader = Reader(entry, "liquidation")
            reader.allow(KEYS["liquidation"])
            return Read("", dated(reader, entry, "", mode == "simulate"), reader.problems)
    example = 'custom "liquidation" "alert" or custom "liquidation" "simulate"'
    return Read(None, None, [problems.bad_values(source_of(entry.meta), "liquidation", example)])


def _named(entry: Custom) -> str | None:
    """Return the one commodity that a directive names, or None."""
    match list(values_of(entry)):
        case [(kind, str(name))] if kind is str and COIN.match(name):
            return name
    return None


def _coin(reader: Reader, key: str, example: str) -> str | None:
    """Return a commodity's name, or None if the key is absent."""
    if key not in reader.meta:
        return None
    value = reader.meta[key]
    if isinstance(value, str) and COIN.match(value):
        return value
    reader.wrong_commodity(key, example)
    return None
