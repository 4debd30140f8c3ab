"""Margin vectors of venues and other programs, each with its source in the file.

Goal: weights, margins, settlement and liquidation prices agree with what others publish. Method:
every row of margin.json, by the mapping that it states; then what two programs answered to cases of
ours, as data. The vectors lie beside the repository, in ../shared/vectors.
"""

import json
from collections.abc import Callable, Iterator
from decimal import ROUND_FLOOR, Decimal, localcontext
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from usance.model.amounts import PRECISE, Coin
from usance.model.terms import Collateral, Identity, InverseSqrt, Perpetual, Slope, Tiers
from usance.rules import settlement
from usance.rules.liquidation_price import liquidation_price
from usance.rules.margin import (
    Asset,
    Debt,
    Margin,
    Position,
    Valuation,
    counted,
    evaluate,
    fraction,
    weight,
)

FILE = Path(__file__).parents[3] / "shared" / "vectors" / "margin.json"
Row = dict[str, Any]
ZERO, ONE = Decimal(0), Decimal(1)
CASH = Coin.of("USDC", Decimal("0.000001"), 6)

PARTS_NOT_MAPPED = {
    "bybit-settle-1": "average_entry, realized and upnl_at_51000 one by one: Bybit averages "
    "entries, here lots are closed oldest first; their sums map",
    "ftx-mngo": "the cap at fully funded: neither factor is capped here",
    "mango-16tok": "coins in orders: they are in the wallet here, and count like it",
    "mango-6tok": "open orders: there are none here",
}
"""Parts of rows that no function of ours can be asked for, and why. Every row maps otherwise."""


def rows() -> list[Row]:
    """Return all rows, none where the file is not here."""
    return json.loads(FILE.read_text())["vectors"] if FILE.exists() else []


@pytest.fixture(autouse=True)
def precise() -> Iterator[None]:
    """Let the figures of a test have the digits of the engine."""
    with localcontext(PRECISE):
        yield


def slope(base: object, factor: object = 0) -> Slope:
    return Slope(Decimal(str(base)), Decimal(str(factor)))


def position(
    quantity: str | Decimal, entry: str | Decimal, mark: str | Decimal, *slopes: Slope
) -> Position:
    """Return a position; slopes are those of the initial and the maintenance margin."""
    initial, maintenance = slopes
    terms = Perpetual("USDC", None, initial, maintenance)
    return Position("X-PERP", Decimal(quantity), Decimal(entry), Decimal(mark), ONE, terms)


def account(
    cash: Decimal,
    *positions: Position,
    perp: Decimal | None = None,
    debts: tuple[Debt, ...] = (),
    limit: Decimal | None = None,
) -> Valuation:
    """Return an account of cash at weight 1; positions are as at their entry where not settled."""
    owed = -sum((held.quantity * held.entry for held in positions), ZERO) if perp is None else perp
    assets = (Asset("USDC", cash, ZERO, ONE, Identity(ONE)),)
    return Valuation(assets, positions, debts, {"USDC": (owed, ONE)}, limit)


def check_drift(row: Row) -> None:
    """Their weights are cut to 1e-4."""
    given = row["inputs"]
    haircut = InverseSqrt(*(Decimal(given[key]) for key in ("W", "base", "penalty")))
    found = weight(haircut, Decimal(given["q"]))
    assert found.quantize(Decimal("0.0001"), ROUND_FLOOR) == Decimal(row["expected"]["weight"])


def check_dydx(row: Row) -> None:
    """Their adjustment is cut to 1e-6, and what comes out rounded up to a quantum."""
    given, expected = row["inputs"], row["expected"]
    exposure, share = Decimal(given["notional_quote_quantums"]), given["mmf_fraction_of_imf"]
    initial = slope(given["imf_base"], given["imf_factor"])
    share = Decimal(share or 1)
    maintenance = Slope(initial.base * share, initial.factor * share)
    # One unit of what a quantum is worth, at a mark of the exposure.
    held = evaluate(account(ZERO, position(ONE, exposure, exposure, initial, maintenance)))
    close = Decimal(row["tolerance"])
    assert abs(held.initial_margin - Decimal(expected["initial_margin"])) <= close
    if "maintenance_margin" in expected:
        assert abs(held.maintenance_margin - Decimal(expected["maintenance_margin"])) <= close


def check_kink(row: Row) -> None:
    """A fraction with the base 1 and its kink at N0 is their multiplier, cut to 1e-6."""
    size, kink = (Decimal(row["inputs"][key]) for key in ("N", "N0"))
    found = fraction(Slope(ONE, 1 / kink.sqrt()), size)
    assert 0 <= found - Decimal(row["expected"]["multiplier"]) < Decimal(row["tolerance"])


def check_mango(row: Row) -> None:
    given = row["inputs"]
    if row["id"] == "mango-6tok":
        debts = tuple(
            debt(coin, *text.replace(" imf ", "@").split("@"))
            for coin, text in given["borrows"].items()
        )
        found = evaluate(account(ZERO, debts=debts)).available_equity
    elif row["id"] == "mango-16tok":
        held = [asset(coin, text) for coin, text in given.items()]
        found = evaluate(Valuation(tuple(held), (), (), {}, None)).collateral
    else:
        lots, mark = Decimal(given["perp_lots"]), Decimal(given["lot_notional"])
        held_lots = position(lots, mark, mark, slope("0.2"), slope("0.1"))
        owed = Decimal(given["quote"])
        found = evaluate(account(Decimal(given["cash"]), held_lots, perp=owed)).available_equity
    [expected] = row["expected"].values()
    assert abs(found - Decimal(expected)) <= Decimal(row["tolerance"])


def debt(coin: str, quantity: str, price: str, imf: str) -> Debt:
    terms = Collateral(Identity(ONE), slope(imf), slope(0))
    return Debt(coin, Decimal(quantity), Decimal(price), terms)


def asset(coin: str, text: str) -> Asset:
    """Read "200@5 w .5 (a remark)"."""
    quantity, price, _, share = text.replace("@", " ").split()[:4]
    return Asset(coin, Decimal(quantity), ZERO, Decimal(price), Identity(Decimal(share)))


def check_okx(row: Row) -> None:
    given = row["inputs"]
    bands = [
        (Decimal(share), None if bound is None else Decimal(bound))
        for bound, share in given["tiers"]
    ]
    held = Asset("USDT", Decimal(given["q"]), ZERO, Decimal(given["price"]), Tiers(tuple(bands)))
    assert counted(held) == Decimal(row["expected"]["collateral"])


def exposed(equity: Decimal, exposure: Decimal, initial: Slope, limit: Decimal | None) -> Margin:
    """Return the margin of an account with so much equity and exposure."""
    held = position(ONE, exposure, exposure, initial, slope("0.06"))
    return evaluate(account(equity, held, limit=limit))


def check_ftx(row: Row) -> None:
    given, close = row["inputs"], Decimal(row["tolerance"])
    [wanted] = map(Decimal, row["expected"].values())
    if "mmf" in given:
        # Printed cut: at 16.66 times the equity there is no breach yet, a hundredth above there is.
        assert not exposed(ONE, wanted, slope(0), None).in_breach
        assert exposed(ONE, wanted + close, slope(0), None).in_breach
    elif "factor" in given:
        found = fraction(Slope(ZERO, Decimal(given["factor"])), Decimal(given["size_tokens"]))
        assert abs(found - wanted) <= close
    else:
        imf, limit = given.get("imf", 0), given.get("leverage_limit")
        equity = Decimal(given["equity"])
        held = exposed(equity, wanted, slope(imf), None if limit is None else Decimal(limit))
        per_unit = held.initial_margin / held.exposure
        assert abs(held.available_equity) <= close * per_unit + Decimal("1e-60")


def check_bybit(row: Row) -> None:
    """The wallet after the settlement is theirs: what was realized and what was due, together."""
    given, expected = row["inputs"], row["expected"]
    bought = [(Decimal(size), Decimal(price)) for size, price in given["buys"]]
    sold, at = map(Decimal, given["sell"])
    held = sum((size for size, _ in bought), ZERO) - sold
    owed = sold * at - sum((size * price for size, price in bought), ZERO)
    for mark, key in (("mark_mid", "upnl_at_51000"), ("settle_mark", "due_at_52000")):
        contracts = [(held, Decimal(given[mark]))]
        found = CASH.from_grains(settlement.due(contracts, CASH.to_grains(owed), CASH))
        assert found == Decimal(expected["realized"]) + Decimal(expected[key])


def price_of(given: Row) -> Decimal | None:
    """Return our liquidation price of one position that is marked at its entry."""
    size, entry = Decimal(str(given["q"])), Decimal(str(given["entry"]))
    signed = -size if given.get("side") == "short" else size
    maintenance = slope(given["mmf"], given.get("factor", 0))
    held = account(
        Decimal(str(given["cash"])), position(signed, entry, entry, slope(0), maintenance)
    )
    return liquidation_price(held, evaluate(held), 0)


def check_price(row: Row) -> None:
    found = price_of(row["inputs"])
    assert found is not None
    # The row of dYdX's page has six decimals, fewer than its tolerance asks for.
    digits = Decimal("5e-7") if row["id"].startswith("dydxdoc") else Decimal(row["tolerance"])
    assert abs(found - Decimal(row["expected"]["liquidation_price"])) <= digits


CHECKS: dict[str, Callable[[Row], None]] = {
    "drift-": check_drift,
    "dydx-lt": check_dydx,
    "dydx-mr": check_dydx,
    "dydx-adj": check_kink,
    "dydxdoc-": check_price,
    "mango-": check_mango,
    "okx-": check_okx,
    "ftx-": check_ftx,
    "bybit-": check_bybit,
    "x-": check_price,
}


@pytest.mark.skipif(not FILE.exists(), reason="../shared/vectors is not here")
@pytest.mark.parametrize("row", [pytest.param(row, id=row["id"]) for row in rows()])
def test_a_vector(row: Row) -> None:
    [check] = [check for begin, check in CHECKS.items() if row["id"].startswith(begin)]
    check(row)


@pytest.mark.skipif(not FILE.exists(), reason="../shared/vectors is not here")
def test_every_part_that_does_not_map_is_of_a_vector() -> None:
    assert PARTS_NOT_MAPPED.keys() <= {row["id"] for row in rows()}


# Other programs, run on cases of ours


class Case(NamedTuple):
    """What another program answered.

    mmf    maintenance margin fraction, flat
    other  another position in the account: quantity, entry, mmf
    """

    function: str
    side: str
    cash: str
    quantity: str
    entry: str
    mmf: str
    answer: str
    other: tuple[str, str, str] | None = None


FREQTRADE = (
    Case("Binance, cross", "long", "1000", "50", "150", "0.0135", "131.77901672579827"),
    Case("Binance, cross", "short", "1000", "50", "150", "0.0135", "167.73556980759744"),
    Case("Binance, isolated", "long", "200", "10", "100", "0.05", "84.21052631578948"),
    Case("Binance, isolated", "short", "200", "10", "100", "0.05", "114.28571428571429"),
    Case("Binance, cross", "long", "4000", "0.25", "60000", "0.00666667", "44295.30216206477"),
    Case(
        *("Binance, cross", "long", "2000", "50", "150", "0.0135", "113.02584896097314"),
        other=("2", "3000", "0.0125"),
    ),
    Case(
        *("Binance, cross", "short", "2000", "50", "150", "0.0135", "185.98914652195364"),
        other=("2", "3000", "0.0125"),
    ),
    # Half the initial margin at a highest leverage of 20, or of 25.
    Case("Hyperliquid, cross", "long", "1000", "50", "150", "0.025", "133.33333333333334"),
    Case("Hyperliquid, cross", "short", "1000", "50", "150", "0.025", "165.85365853658536"),
    Case("Hyperliquid, isolated", "long", "1500", "3", "2500", "0.02", "2040.8163265306123"),
    # A fee of 0.0006 for the taker who takes the position over is a part of it.
    Case("Gate, isolated", "short", "1000", "50", "150", "0.0141", "167.6363277783256"),
    Case("Okx, isolated", "long", "1000", "50", "150", "0.0141", "131.85921493052032"),
)
"""freqtrade 2026.9, `dry_run_liquidation_price` of the exchange's class, runmode backtest.

Floats: they agree to about 15 digits.
"""


@pytest.mark.parametrize("case", FREQTRADE, ids=lambda case: f"{case.function} {case.side}")
def test_freqtrade_gives_the_same_liquidation_price(case: Case) -> None:
    size, entry = Decimal(case.quantity), Decimal(case.entry)
    size = -size if case.side == "short" else size
    held = [position(size, entry, entry, slope(0), slope(case.mmf))]
    if case.other is not None:
        quantity, mark, mmf = case.other
        held.append(position(quantity, mark, mark, slope(0), slope(mmf)))
    standing = account(Decimal(case.cash), *held)
    found = liquidation_price(standing, evaluate(standing), 0)
    assert found is not None
    assert abs(found - Decimal(case.answer)) < Decimal("1e-10")


def test_freqtrade_gives_a_price_below_zero_where_there_is_none() -> None:
    """
    freqtrade 2026.9, Binance, cross: -2.027369488089204 for a long that cash covers in full. Its
    formula is a line without an end at zero; no mark is below zero, so here there is none.
    """
    covered = {"cash": "7600", "q": "50", "entry": "150", "mmf": "0.0135"}
    assert price_of(covered) is None
    line = (Decimal(7500) - 7600) / (50 * (1 - Decimal("0.0135")))
    assert abs(line - Decimal("-2.027369488089204")) < Decimal("1e-14")


@pytest.mark.parametrize(
    ("side", "answer", "ours"),
    [("long", "132.025", "131.7790167258"), ("short", "167.975", "167.7355698076")],
)
def test_freqtrade_holds_the_margin_of_bybit_at_the_entry(
    side: str, answer: str, ours: str
) -> None:
    """
    freqtrade 2026.9, Bybit, isolated, leverage 7.5: the maintenance margin is that of the entry's
    notional, 101.25, whatever the mark. Here it moves with the mark: down for a long, so that the
    price is farther; up for a short, so that it is nearer.
    """
    given = {"side": side, "cash": "1000", "q": "50", "entry": "150", "mmf": "0.0135"}
    found = price_of(given)
    assert found is not None
    assert found.quantize(Decimal("1e-10")) == Decimal(ours)
    sign = -1 if side == "short" else 1
    assert Decimal(answer) == 150 - sign * (1000 - Decimal("101.25")) / 50
    assert found < Decimal(answer)


NAUTILUS = (
    ("0.02", "0.0135", "50", "148", "148", "99.9"),
    ("0.1", "0.05", "12.34", "151.37", "186.79058", "93.39529"),
    ("0.01333333", "0.00666667", "0.25", "60000", "199.99995", "100.00005"),
    ("0.02", "0.0135", "6756.75", "148", "19999.98", "13499.9865"),
)
"""nautilus_trader 1.221.0, `StandardMarginModel.calculate_margin_init` and `_maint`.

initial and maintenance fraction, quantity, price; initial and maintenance margin.
"""


@pytest.mark.parametrize(("imf", "mmf", "size", "mark", "initial", "maintenance"), NAUTILUS)
def test_nautilus_gives_the_same_flat_margins(
    imf: str, mmf: str, size: str, mark: str, initial: str, maintenance: str
) -> None:
    held = evaluate(account(ZERO, position(size, mark, mark, slope(imf), slope(mmf))))
    assert (held.initial_margin, held.maintenance_margin) == (
        Decimal(initial),
        Decimal(maintenance),
    )


def test_nautilus_divides_by_the_leverage_where_a_limit_raises_here() -> None:
    """
    nautilus_trader 1.221.0, `LeveragedMarginModel`, leverage 10, fractions 0.02 and 0.0135, 50 at
    148: 14.80 and 9.99. There a leverage divides what the instrument asks, the maintenance margin
    too; here it is a limit, which can but raise the initial margin, to 740 of 7,400.
    """
    held = evaluate(
        account(
            ZERO, position("50", "148", "148", slope("0.02"), slope("0.0135")), limit=Decimal(10)
        )
    )
    assert (held.initial_margin, held.maintenance_margin) == (Decimal(740), Decimal("99.9"))
    assert (Decimal(148) / 10, Decimal("99.9") / 10) == (Decimal("14.8"), Decimal("9.99"))


def test_nautilus_has_no_margin_that_grows_with_size() -> None:
    """
    nautilus_trader 1.221.0 asks 19,999.98 for 999,999 at 0.02, as for any size. With the venue's
    factor the fraction is 0.0749999..., so 3.75 times as much is held here.
    """
    terms = slope("0.02", "0.000075"), slope("0.0135", "0.0000375")
    held = evaluate(account(ZERO, position("6756.75", "148", "148", *terms)))
    # 999999 * 0.000075 * sqrt(999999) = 74999.88750002812..., half of it is maintenance.
    assert abs(held.initial_margin - Decimal("74999.8875000281")) < Decimal("1e-9")
    assert abs(held.maintenance_margin - Decimal("37499.94375001406")) < Decimal("1e-9")
