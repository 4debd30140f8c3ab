"""Who may stand in a transaction of two sub-accounts (docs/language.md, section 5)."""

import pytest

from usance.model.accounts import Side
from usance.rules.isolation import may_pass

MAIN, ARB, DESK = "Main", "Arb", "Desk"
WALLET = Side.WALLET
OUTSIDE = (None, None)


@pytest.mark.parametrize(
    ("places", "passes"),
    [
        # One sub-account deals with the world outside.
        ([(MAIN, WALLET), OUTSIDE], True),
        ([(MAIN, WALLET), (MAIN, Side.PERP), OUTSIDE, OUTSIDE], True),
        ([OUTSIDE, OUTSIDE], True),
        # Two hand each other coins, and nobody else stands there.
        ([(MAIN, WALLET), (ARB, WALLET)], True),
        ([(MAIN, WALLET), (ARB, WALLET), (MAIN, WALLET)], True),
        ([(MAIN, WALLET), (ARB, WALLET), OUTSIDE], False),
        ([OUTSIDE, (MAIN, WALLET), (ARB, WALLET)], False),
        ([(MAIN, WALLET), (ARB, WALLET), (DESK, WALLET)], False),
        # Nothing but wallets.
        *(
            ([(MAIN, WALLET), (ARB, side)], False)
            for side in (Side.PERP, Side.BORROWED, Side.ACCRUED_YIELD, None)
        ),
        ([(MAIN, WALLET), (ARB, WALLET), (MAIN, None)], False),
    ],
)
def test_what_may_pass_between_sub_accounts(
    places: list[tuple[str | None, Side | None]], *, passes: bool
) -> None:
    assert may_pass(places) is passes
