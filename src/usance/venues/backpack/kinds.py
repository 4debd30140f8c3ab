"""Kinds of Backpack's rows: the fields of each, its enums, and what they mean for the books.

From the venue's own schema. A field that is not listed is a finding, an enum value that is not, an
error: nobody knows what it would have to be in the books.
"""

from typing import NamedTuple

from usance.venues.rows import Origin, Standing, Status, Use


def _names(text: str) -> list[str]:
    return text.split()


class Kind(NamedTuple):
    """The fields of a kind of rows.

    signs     fields that tell the kind from every other one
    required  fields that each row has
    optional  fields that a row may have, or that nobody reads
    """

    signs: frozenset[str]
    required: frozenset[str]
    optional: frozenset[str]


def _kind(signs: str, required: str, optional: str) -> Kind:
    return Kind(*(frozenset(_names(names)) for names in (signs, required, optional)))


KINDS = {
    "orders": _kind("orderType", "", ""),
    "strategies": _kind("strategyType", "", ""),
    "position history": _kind("cumulativePnlRealized", "", ""),
    "borrow positions": _kind("avgInterestRate", "", ""),
    "fills": _kind(
        "side price",
        "fee feeSymbol orderId price quantity side symbol timestamp",
        "clientId isMaker systemOrderType tradeId",
    ),
    "funding": _kind(
        "intervalEndTimestamp",
        "symbol quantity intervalEndTimestamp",
        "userId subaccountId fundingRate",
    ),
    "interest": _kind(
        "paymentType",
        "paymentType interestRate quantity symbol timestamp",
        "interval marketSymbol positionId",
    ),
    "borrowLend": _kind(
        "eventType",
        "eventType positionId quantity source symbol timestamp",
        "positionQuantity spotMarginOrderId",
    ),
    "dust": _kind("usdcReceived", "id quantity symbol usdcReceived timestamp", ""),
    "withdrawals": _kind(
        "isInternal",
        "id quantity fee symbol status createdAt isInternal",
        "blockchain clientId identifier fiatFee fiatState fiatSymbol providerId subaccountId "
        "toAddress transactionHash bankName bankIdentifier accountIdentifier triggerAt",
    ),
    "deposits": _kind(
        "source createdAt",
        "id source status symbol quantity createdAt",
        "toAddress fromAddress transactionHash fiatAmount fiatCurrency institutionBic platformMemo",
    ),
    "settlement": _kind(
        "source timestamp",
        "quantity source timestamp",
        "subaccountId userId positionId engineSequence",
    ),
}
"""Kinds by name, in the order in which they are tried; one without required fields is checked."""

POSITION_CSV = [
    "position_id",
    "market_symbol",
    "net_quantity",
    "net_exposure_quantity",
    "net_exposure_notional",
    "net_cost",
    "mark_price",
    "entry_price",
    "cumulative_pnl_realized",
    "total_unrealized_pnl",
    "total_funding_quantity",
    "total_interest",
    "total_liquidated",
    "total_trading_fees",
    "last_event_type",
    "max_net_quantity",
    "max_net_quantity_direction",
    "closing_price",
    "account_leverage",
    "opened_at",
    "closed_at",
]
"""The header of the venue's own export of positions."""

POSITION_TEXTS = frozenset(
    (
        "position_id",
        "market_symbol",
        "last_event_type",
        "max_net_quantity_direction",
        "opened_at",
        "closed_at",
    )
)
"""Its columns that hold no numbers."""

SETTLE = "USDC"
"""The coin of settlements and of what dust becomes."""

SIDES = {"Bid": 1, "Ask": -1}

SYSTEM_ORDERS = frozenset(
    (
        "CollateralConversion",
        "FutureExpiry",
        "LiquidatePositionOnAdl",
        "LiquidatePositionOnBook",
        "LiquidatePositionOnBackstop",
        "OrderBookClosed",
    )
)

DEPOSIT_SOURCES = {
    "administrator": Origin.PLATFORM,
    "internal": Origin.ACCOUNT,
    **dict.fromkeys(
        _names(
            "0G aptos arbitrum avalanche base berachain bitcoin bitcoinCash bsc cardano dogecoin "
            "eclipse ethereum fogo hyperEVM hyperliquid linea litecoin monad near polygon optimism "
            "plasma sei stable sui solana story tron xRP zcash equalsMoney banxa"
        ),
        Origin.OUTSIDE,
    ),
}


def _statuses(still_open: str, void: str) -> dict[str, Status]:
    names = still_open.split()
    found = {name: Status(name, Standing.OPEN, rank) for rank, name in enumerate(names)}
    last = len(names)
    found.update({name: Status(name, Standing.VOID, last) for name in void.split()})
    found["confirmed"] = Status("confirmed", Standing.CONFIRMED, last)
    return found


DEPOSIT_STATUSES = _statuses(
    "initiated pending ownershipVerificationRequired senderVerificationRequired "
    "senderVerificationCompleted",
    "cancelled declined expired refunded",
)

WITHDRAWAL_STATUSES = _statuses(
    "recipientInformationRequired recipientInformationProvided ownershipVerificationRequired "
    "verifying pending",
    "cancelled declined expired refunded void",
)

EVENTS = ("Borrow", "BorrowRepay", "Lend", "LendRedeem")

MOVEMENT_SOURCES = {
    **dict.fromkeys(
        ("AutoBorrowRepay", "AutoLend", "DustConversion", "Reconciliation", "Rfq", "SpotMargin"),
        Use.DERIVED,
    ),
    "Withdrawal": Use.DERIVED,
    "Manual": Use.BY_HAND,
    "Interest": Use.PAID,
    **dict.fromkeys(
        ("AdlProvider", "BackstopProvider", "Liquidation", "LiquidationAdl", "LiquidationBackstop"),
        Use.NAMED,
    ),
}
"""What becomes of a borrow by its source; a loan by hand is derived, its interest earned."""

SETTLEMENT_SOURCES = {
    "TradingFees": Use.FEES,
    "TradingFeesSystem": Use.FEES,
    "FundingPayment": Use.FUNDING,
    "CulledBorrowInterest": Use.PAID,
    "CulledRealizePnlAuto": Use.DERIVED,
    "CulledRealizePnlBookUtilisation": Use.DERIVED,
    "CulledRealizePnlAccountThreshold": Use.DERIVED,
    "CulledRealizePnlSystemThreshold": Use.DERIVED,
    "RealizePnl": Use.DERIVED,
    "BackstopProviderLiquidation": Use.NAMED,
    "BackstopAdlLiquidation": Use.NAMED,
    "BackstopLiquidityFundProceeds": Use.BOOKED,
    "SystemLiabilityTransfer": Use.BOOKED,
}
