"""Books that are fed: a ledger with feeds, a clock that nobody waits for, and one run of fetching.

The reader asks a fake venue without a network, so that hundreds of runs take seconds.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fake_venue import INSTRUCTIONS, Account, Asked, FakeVenue, Pair

from usance.feeding import fetching
from usance.feeding.downloads import DOWNLOADS
from usance.feeding.fetching import Request, World
from usance.feeding.keys import Key
from usance.feeding.own_text import own
from usance.feeding.pacing import Clock
from usance.feeding.reader import Answer, BadStatusError, NoAnswerError, Reader
from usance.venues.numbers import EPOCH

MAIN, ARB = Pair.of(1), Pair.of(2)

FEED = """\
plugin "usance.plugins"
2025-05-01 open Assets:Bank
2025-05-01 custom "sub-account" "Main" Assets:Backpack:Main
2025-05-01 custom "feed" "Main" "backpack"
  outside: Assets:Bank
"""

SECOND = """\
2025-05-01 custom "sub-account" "Arb" Assets:Backpack:Arb
2025-05-01 custom "feed" "Arb" "backpack"
  outside: Assets:Bank
"""

KEYS = {
    "USANCE_BACKPACK_MAIN_KEY": MAIN.key,
    "USANCE_BACKPACK_MAIN_SECRET": MAIN.secret,
    "USANCE_BACKPACK_ARB_KEY": ARB.key,
    "USANCE_BACKPACK_ARB_SECRET": ARB.secret,
}


def at(year: int, month: int, day: int, seconds: int = 0) -> int:
    """Return a moment in milliseconds since 1970."""
    import datetime  # noqa: PLC0415

    days = datetime.date(year, month, day).toordinal() - EPOCH
    return (days * 86_400 + seconds) * 1000


@dataclass
class Time:
    """A clock that is set; waiting takes no time, and each look at it a millisecond."""

    now: int = at(2025, 6, 17, 603)
    waits: list[int] = field(default_factory=list)

    def look(self) -> int:
        self.now += 1
        return self.now

    def wait(self, milliseconds: int) -> None:
        self.waits.append(milliseconds)
        self.now += milliseconds

    def clock(self) -> Clock:
        return Clock(self.look, self.wait)

    def long(self) -> list[int]:
        """Return the waits of a second and more, in seconds."""
        return [wait // 1000 for wait in self.waits if wait >= 1000]


@dataclass
class Direct:
    """A reader that asks a fake venue without a network or a signature."""

    venue: FakeVenue
    key: str | None

    def get(self, path: str, params: Mapping[str, str]) -> Answer:
        key = self.key if path in INSTRUCTIONS else None
        reply = self.venue.reply(Asked("GET", path, dict(params), {}), key)
        headers = {name.lower(): value for name, value in reply.headers.items()}
        if reply.cut is not None:
            raise NoAnswerError
        if reply.status != 200:
            raise BadStatusError(reply.status, "", headers)
        return Answer(reply.body.decode(), headers)


@dataclass
class Fed:
    """A ledger's folder, and the venue that it is fed from."""

    folder: Path
    venue: FakeVenue
    time: Time = field(default_factory=Time)
    said: list[str] = field(default_factory=list)
    reader: Callable[[Key | None, str], Reader] | None = None

    @classmethod
    def made(
        cls, folder: Path, accounts: Mapping[str, Account] | None = None, ledger: str = FEED
    ) -> "Fed":
        """Write a ledger; by default its one account has no rows."""
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "main.beancount").write_text(ledger)
        return cls(folder, FakeVenue(accounts or {MAIN.key: Account()}))

    @property
    def downloads(self) -> Path:
        return self.folder / DOWNLOADS

    @property
    def main(self) -> Account:
        return self.venue.accounts[MAIN.key]

    def open(self, key: Key | None, url: str) -> Reader:
        del url
        return Direct(self.venue, None if key is None else key.key)

    def fetch(self, **asked: Any) -> dict[str, Any]:  # noqa: ANN401
        """Fetch once; the moments of the venue are those of the clock."""
        self.venue.now = lambda: self.time.now
        world = World(KEYS, self.said.append, self.time.clock(), self.reader or self.open)
        return fetching.fetch(own(self.folder / "main.beancount"), Request(**asked), world)

    def rows(self, feed: str) -> dict[str, int]:
        """Return rows, new ones and pages of a feed, as the next run counts them."""
        [entry] = [entry for entry in self.fetch()["fetched"] if entry["feed"] == feed]
        return {name: entry[name] for name in ("rows", "new", "pages")}

    def files(self) -> dict[str, bytes]:
        """Return all files below downloads, snapshots aside, whose names are moments."""
        return {
            path.relative_to(self.downloads).as_posix(): path.read_bytes()
            for path in sorted(self.downloads.rglob("*"))
            if path.is_file() and "snapshot" not in path.parts
        }

    def kept(self) -> dict[str, list[bytes]]:
        """Return the same, public answers by their folder, whose names are moments as well."""
        found = dict[str, list[bytes]]()
        for name, data in self.files().items():
            public = name.startswith("backpack/public/")
            found.setdefault(name.rpartition("/")[0] if public else name, []).append(data)
        return found


def fill(number: int, **more: str) -> dict[str, Any]:
    """Return a fill; its number is its id and says when it was."""
    return {
        "clientId": None,
        "fee": "0.0675",
        "feeSymbol": "USDC",
        "isMaker": False,
        "orderId": str(9000 + number),
        "price": "150.01",
        "quantity": "4.5",
        "side": "Bid",
        "symbol": "SOL_USDC_PERP",
        "systemOrderType": None,
        "timestamp": f"2025-06-{1 + number // 1440:02}T{number // 60 % 24:02}:{number % 60:02}:17",
        "tradeId": number,
        **more,
    }


FILLS = "/wapi/v1/history/fills"
DEPOSITS = "/wapi/v1/capital/deposits"


def fills(count: int) -> list[dict[str, Any]]:
    """Return fills, oldest first."""
    return [fill(number) for number in range(count)]


def deposit(number: int, created: str, status: str = "confirmed") -> dict[str, Any]:
    return {
        "id": number,
        "createdAt": created,
        "quantity": "120",
        "source": "solana",
        "status": status,
        "symbol": "USDC",
    }
