"""Rates text: the rates of a pool, from all that is said of it, as a file beside the ledger."""

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

from usance.feeding import downloads
from usance.feeding.agreed import Agreed
from usance.feeding.downloads import RATES, RefusedError
from usance.language.rate_files import HEADERS
from usance.model.amounts import decimal_text
from usance.model.hours import Day, clock, iso
from usance.venues.numbers import Instant, day_of, seconds_of

HEADER = ",".join(HEADERS[-1])


class Moment(NamedTuple):
    """A second of a day, in UTC."""

    day: Day
    seconds: int

    def __str__(self) -> str:
        """Return it as a rates file writes it."""
        return f"{iso(self.day)}T{clock(self.seconds)}Z"


class Rate(NamedTuple):
    """Annual fractions; utilization from 0 to 1, or None."""

    supply: Decimal
    borrow: Decimal
    utilization: Decimal | None

    def __str__(self) -> str:
        """Return it as a rates file writes it."""
        used = "" if self.utilization is None else decimal_text(self.utilization)
        return f"{decimal_text(self.supply)},{decimal_text(self.borrow)},{used}"


Rates = Agreed[Moment, Rate]


def rates() -> Rates:
    """Return an empty set of rates."""
    return Agreed(lambda moment, rate: f"{moment},{rate}")


def moment_of(at: Instant) -> Moment:
    """Return the second from which a rate counts; a fraction after a full hour is the next one."""
    return Moment(day_of(at), seconds_of(at))


def path_of(venue: str | None, coin: str) -> str:
    """Return the path of a pool's rates from the ledger's folder; of no feed: without a venue."""
    name = coin.lower() if venue is None else f"{venue}-{coin.lower()}"
    return f"{RATES}/{name}.csv"


def text(found: Mapping[Moment, Rate]) -> str:
    """Return a rates file: a header, and a row for each time, in order."""
    return "".join([f"{HEADER}\n", *(f"{moment},{found[moment]}\n" for moment in sorted(found))])


def refuse_edited(folder: Path, files: Mapping[str, bytes]) -> None:
    """Refuse to replace a rates file that has a row which the downloads do not say.

    Rows only come to a set of downloads, so each line of a file that import wrote is in the next
    one too. One that is not was written by hand, or its download is gone.
    """
    root = folder / RATES
    for path, new in files.items():
        if not path.startswith(f"{RATES}/"):
            continue
        try:
            data = downloads.read(root, folder / path)
        except FileNotFoundError:
            continue
        lines = set(new.splitlines())
        for number, line in enumerate(data.splitlines(), 1):
            if line not in lines:
                raise RefusedError(
                    f"{path}:{number}: this row is not in {downloads.DOWNLOADS}: it was written by "
                    "hand, or its file is gone. Move it to a rates file of another name, or pass "
                    "--overwrite."
                )
