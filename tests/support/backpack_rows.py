"""Rows of Backpack as its API gives them, one function for each history."""

from typing import Any

Row = dict[str, Any]


def fill(trade: int | None, side: str, quantity: str, price: str, at: str, **more: object) -> Row:
    """Return a fill of an order of its own."""
    row: Row = {
        "clientId": None,
        "fee": "0",
        "feeSymbol": "USDC",
        "isMaker": False,
        "orderId": f"9{trade}",
        "price": price,
        "quantity": quantity,
        "side": side,
        "symbol": "SOL_USDC_PERP",
        "systemOrderType": None,
        "timestamp": at,
        "tradeId": trade,
    }
    row.update(more)
    return row


def funding(quantity: str, at: str, symbol: str = "SOL_USDC_PERP") -> Row:
    """Return a payment of funding."""
    return {
        "userId": 1,
        "subaccountId": None,
        "symbol": symbol,
        "quantity": quantity,
        "intervalEndTimestamp": at,
        "fundingRate": "0.00001",
    }


def interest(kind: str, quantity: str, at: str, coin: str = "USDC") -> Row:
    """Return a payment of interest."""
    return {
        "paymentType": kind,
        "interestRate": "0.04",
        "interval": 3600000,
        "marketSymbol": coin,
        "positionId": "77",
        "quantity": quantity,
        "symbol": coin,
        "timestamp": at,
    }


def movement(event: str, source: str, quantity: str, at: str, coin: str = "USDC") -> Row:
    """Return a borrow, a repayment, a loan or its redemption."""
    return {
        "eventType": event,
        "positionId": "77",
        "positionQuantity": "100",
        "quantity": quantity,
        "source": source,
        "symbol": coin,
        "timestamp": at,
        "spotMarginOrderId": None,
    }


def settlement(source: str, quantity: str, at: str, sequence: int | None = None) -> Row:
    """Return a settlement."""
    return {
        "quantity": quantity,
        "source": source,
        "subaccountId": None,
        "timestamp": at,
        "userId": 1,
        "positionId": None,
        "engineSequence": sequence,
    }


def deposit(number: int, quantity: str, at: str, coin: str = "USDC", **more: object) -> Row:
    """Return a deposit that is confirmed."""
    row: Row = {
        "id": number,
        "toAddress": None,
        "fromAddress": None,
        "source": "ethereum",
        "status": "confirmed",
        "transactionHash": None,
        "symbol": coin,
        "quantity": quantity,
        "createdAt": at,
        "platformMemo": None,
    }
    row.update(more)
    return row


def withdrawal(
    number: int, quantity: str, fee: str, at: str, coin: str = "USDC", **more: object
) -> Row:
    """Return a withdrawal that is confirmed."""
    row: Row = {
        "id": number,
        "blockchain": "Solana",
        "quantity": quantity,
        "fee": fee,
        "symbol": coin,
        "status": "confirmed",
        "subaccountId": None,
        "toAddress": "x",
        "createdAt": at,
        "isInternal": False,
    }
    row.update(more)
    return row


def dust(number: int, quantity: str, received: str, at: str, coin: str = "SOL") -> Row:
    """Return dust that was turned into USDC."""
    return {
        "id": number,
        "quantity": quantity,
        "symbol": coin,
        "usdcReceived": received,
        "timestamp": at,
    }
