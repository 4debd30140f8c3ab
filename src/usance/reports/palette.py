"""The palette: one colour for one meaning, on pages, on paper and in a terminal.

Vivid colours say what a figure is, muted ones whose it is: sub-accounts, in the order of their
declaration. The vivid ones are those of Okabe and Ito, which people with any colour vision tell
apart, darker on white and lighter on black, so that a thin line has a contrast of 3 to 1.
"""

from typing import NamedTuple


class Colour(NamedTuple):
    """A colour on a light and on a dark ground, as in CSS."""

    light: str
    dark: str


MEANINGS = {
    "lending": Colour("#0072b2", "#3d9be0"),
    "treasury": Colour("#00845f", "#1fb98a"),
    "bonus": Colour("#3493cd", "#8fd0f5"),
    "paid": Colour("#c24e00", "#f07b3a"),
    "contracts": Colour("#b5588f", "#d98fbb"),
    "coins": Colour("#b87400", "#e69f00"),
    "danger": Colour("#c00020", "#ff6b78"),
    "capital": Colour("#6b7280", "#9aa4b2"),
}

OWNERS = (
    Colour("#51657d", "#9db2cc"),
    Colour("#6a4c93", "#b79be0"),
    Colour("#7d7a1e", "#c2be5a"),
    Colour("#8c5a2b", "#cf9c6b"),
    Colour("#2f3640", "#dfe4ea"),
    Colour("#8f8675", "#8a8274"),
)
"""Of the first sub-account, the second, …; the seventh has that of the first again."""

COLOURS = {**MEANINGS, **{f"owner-{index}": colour for index, colour in enumerate(OWNERS)}}
"""Each colour by its name."""


def owner(index: int) -> str:
    """Return the name of the colour of a sub-account by its place in the declarations."""
    return f"owner-{index % len(OWNERS)}"
