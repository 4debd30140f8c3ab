"""Isolation: what may pass between sub-accounts."""

from collections.abc import Sequence

from usance.model.accounts import Side


def may_pass(places: Sequence[tuple[str | None, Side | None]]) -> bool:
    """Tell whether a transaction that touches these places keeps sub-accounts apart.

    places  sub-account and side of each posting; None for what lies outside all of them

    One sub-account may deal with the world outside. Two may hand each other coins, from wallet
    to wallet and with nothing else in the transaction: no fee, loss or debt of one is paid by
    the other.
    """
    owners = {owner for owner, _ in places if owner is not None}
    if len(owners) < 2:
        return True
    return len(owners) == 2 and all(side is Side.WALLET for _, side in places)
