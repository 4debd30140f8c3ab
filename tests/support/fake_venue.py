"""A venue on 127.0.0.1 that answers as Backpack does, checks how it is asked, and fails on order.

It stands on rows that it is given, imports nothing of ours, and is started by tests alone. The key
of an account is its public key, as at the venue: so it can check every signature.
"""

import base64
import binascii
import datetime
import json
import threading
import time
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, NamedTuple, Self
from urllib.parse import parse_qsl, urlencode, urlsplit

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

Row = dict[str, Any]

EPOCH = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)

PAGED = {"limit", "offset", "sortDirection"}

INSTRUCTIONS = {
    "/wapi/v1/history/fills": "fillHistoryQueryAll",
    "/wapi/v1/history/funding": "fundingHistoryQueryAll",
    "/wapi/v1/history/interest": "interestHistoryQueryAll",
    "/wapi/v1/history/borrowLend": "borrowHistoryQueryAll",
    "/wapi/v1/history/settlement": "settlementHistoryQueryAll",
    "/wapi/v1/history/dust": "dustHistoryQueryAll",
    "/wapi/v1/history/position": "positionHistoryQueryAll",
    "/wapi/v1/capital/deposits": "depositQueryAll",
    "/wapi/v1/capital/withdrawals": "withdrawalQueryAll",
    "/api/v1/capital/collateral": "collateralQuery",
    "/api/v1/capital": "balanceQuery",
    "/api/v1/account": "accountQuery",
    "/api/v1/position": "positionQuery",
    "/api/v1/borrowLend/positions": "borrowLendPositionQuery",
}

PARAMETERS = {
    "/wapi/v1/history/fills": PAGED
    | {"from", "to", "symbol", "orderId", "fillType", "marketType", "tradeId", "strategyId"},
    "/wapi/v1/history/funding": PAGED | {"subaccountId", "symbol"},
    "/wapi/v1/history/interest": PAGED | {"asset", "symbol", "positionId", "source"},
    "/wapi/v1/history/borrowLend": PAGED | {"type", "sources", "positionId", "symbol"},
    "/wapi/v1/history/settlement": PAGED | {"source"},
    "/wapi/v1/history/dust": PAGED | {"id", "symbol"},
    "/wapi/v1/history/position": PAGED | {"symbol", "state", "marketType"},
    "/wapi/v1/capital/deposits": {"limit", "offset", "from", "to", "excludePlatform"},
    "/wapi/v1/capital/withdrawals": {"limit", "offset", "from", "to", "id", "clientId"},
    "/api/v1/capital/collateral": {"subaccountId"},
    "/api/v1/position": {"symbol", "marketType"},
    "/api/v1/markets": {"marketType"},
    "/api/v1/collateral": set[str](),
    "/api/v1/borrowLend/markets": set[str](),
    "/api/v1/borrowLend/markets/history": {"interval", "symbol"},
    "/api/v1/klines": {"symbol", "interval", "startTime", "endTime", "priceType"},
}

SNAPSHOT = {
    "/api/v1/capital/collateral": "collateral",
    "/api/v1/capital": "capital",
    "/api/v1/account": "account",
    "/api/v1/position": "position",
    "/api/v1/borrowLend/positions": "borrow_lend_positions",
}

FILTERS = {
    "BackstopLiquidation": {
        "BackstopProviderLiquidation",
        "BackstopAdlLiquidation",
        "BackstopLiquidityFundProceeds",
    },
    "CulledRealizePnl": {
        "CulledRealizePnlAuto",
        "CulledRealizePnlAccountThreshold",
        "CulledRealizePnlSystemThreshold",
    },
    "CulledRealizePnlBookUtilization": {"CulledRealizePnlBookUtilisation"},
}
"""Sources of settlements by the filter that gives them; any other filter gives its own name."""

EMPTY = {
    "collateral": {"collateral": [], "netEquity": "0"},
    "capital": {},
    "account": {"autoLend": True, "leverageLimit": "10"},
    "position": [],
    "borrow_lend_positions": [],
}
"""The snapshot of an account that has nothing."""


@dataclass
class Account:
    """What a key can read.

    history   rows by path, oldest first; or a function that gives them at a moment in milliseconds
    snapshot  answers by name, such as `capital`; or a function that gives them at a moment
    """

    history: dict[str, list[Row]] | Callable[[int], Mapping[str, list[Row]]] = field(
        default_factory=dict
    )
    snapshot: Mapping[str, Any] | Callable[[int], Mapping[str, Any]] = field(
        default_factory=lambda: dict(EMPTY)
    )


class Asked(NamedTuple):
    """A request as it came."""

    verb: str
    path: str
    params: dict[str, str]
    headers: dict[str, str]


class Reply(NamedTuple):
    """An answer; `cut`: the connection ends after so many bytes of the body."""

    status: int
    body: bytes
    headers: dict[str, str] = {}  # noqa: RUF012 - nobody changes it
    cut: int | None = None


Fault = Callable[[Asked, Reply], Reply]
"""What goes wrong with an answer."""

Public = Callable[[str, dict[str, str], int], Any]
"""What everybody is told: of a path, its parameters and a moment in milliseconds; None: no such."""


class Pair(NamedTuple):
    """A key, and the secret behind it, as the venue hands them out."""

    key: str
    secret: str

    @classmethod
    def of(cls, number: int) -> Self:
        """Return the pair of a number."""
        seed = number.to_bytes(32, "big")
        public = Ed25519PrivateKey.from_private_bytes(seed).public_key().public_bytes_raw()
        return cls(base64.b64encode(public).decode(), base64.b64encode(seed).decode())


class FakeVenue:
    """A venue for the time of a `with`.

    accounts  by key
    faults    one for each answer to come, None: none; `always`, if there is one, comes first
    log       what was asked
    wrong     what was asked wrongly; empty if all was well
    now       the moment of answers, in milliseconds; signatures are held against the real clock
    """

    def __init__(self, accounts: Mapping[str, Account], public: Public | None = None) -> None:
        self.accounts = dict(accounts)
        self.public: Public = public or _nothing
        self.faults = deque[Fault | None]()
        self.always: Fault | None = None
        self.log = list[Asked]()
        self.wrong = list[str]()
        self.now: Callable[[], int] = lambda: time.time_ns() // 1_000_000
        venue = self

        class Handler(_Handler):
            def reply(self) -> Reply:
                return venue._reply(self.command, self.path, dict(self.headers.items()))

        self._server = _Server(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.01,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def paths(self) -> list[str]:
        """Return the paths that were asked for, in order."""
        return [asked.path for asked in self.log]

    def _reply(self, verb: str, target: str, headers: dict[str, str]) -> Reply:
        parts = urlsplit(target)
        params = dict(parse_qsl(parts.query, keep_blank_values=True))
        asked = Asked(verb, parts.path, params, {k.lower(): v for k, v in headers.items()})
        return self.reply(asked)

    def reply(self, asked: Asked, key: str | None = None) -> Reply:
        """Return the answer to a request; with a key, one that needs no signature."""
        self.log.append(asked)
        reply = self._right(asked) if key is None else self._private(asked, self.accounts[key])
        if self.always is not None:
            reply = self.always(asked, reply)
        fault = self.faults.popleft() if self.faults else None
        return reply if fault is None else fault(asked, reply)

    def _right(self, asked: Asked) -> Reply:
        """Return the answer of a venue that works."""
        status, why = self._fault(asked)
        if why:
            self.wrong.append(why)
            return _refused(status, why)
        if asked.path in INSTRUCTIONS:
            return self._private(asked, self.accounts[asked.headers["x-api-key"]])
        found = self.public(asked.path, asked.params, self.now())
        return _refused(404, f"no {asked.path}") if found is None else _json(found)

    def _fault(self, asked: Asked) -> tuple[int, str]:
        """Return what is wrong with a request, and the status that says so."""
        if asked.verb != "GET":
            return 405, f"not GET but {asked.verb}"
        unknown = asked.params.keys() - PARAMETERS.get(asked.path, set())
        if unknown:
            return 400, f"unknown {sorted(unknown)}"
        if not 0 < int(asked.params.get("limit", "100")) <= 1000:
            return 400, "limit is not within 1 and 1000"
        if "x-broker-id" in asked.headers:
            return 400, "a broker"
        if asked.path in INSTRUCTIONS:
            return 401, self._unsigned(asked)
        return 400, "a key where none is needed" if "x-api-key" in asked.headers else ""

    def _unsigned(self, asked: Asked) -> str:
        """Return what is wrong with the signature of a request."""
        try:
            key, stamp, window, signature = (
                asked.headers[f"x-{name}"]
                for name in ("api-key", "timestamp", "window", "signature")
            )
        except KeyError as missing:
            return f"no header {missing}"
        if key not in self.accounts:
            return "unknown key"
        age = time.time_ns() // 1_000_000 - int(stamp)
        if not 0 < int(window) <= 60_000 or not -1000 <= age <= int(window):
            return "Request has expired"
        said = urlencode(sorted(asked.params.items()))
        text = "&".join(
            part
            for part in (
                f"instruction={INSTRUCTIONS[asked.path]}",
                said,
                f"timestamp={stamp}",
                f"window={window}",
            )
            if part
        )
        try:
            public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key))
            public.verify(base64.b64decode(signature), text.encode())
        except (InvalidSignature, ValueError, binascii.Error):
            return "Invalid signature"
        return ""

    def _private(self, asked: Asked, account: Account) -> Reply:
        if asked.path in SNAPSHOT:
            answers = account.snapshot
            found = answers(self.now()) if callable(answers) else answers
            return _json(found[SNAPSHOT[asked.path]])
        history = account.history
        by_path = history(self.now()) if callable(history) else history
        return self._rows(asked, list(by_path.get(asked.path, [])))

    def _rows(self, asked: Asked, rows: list[Row]) -> Reply:
        params = asked.params
        limit, offset = int(params.get("limit", "100")), int(params.get("offset", "0"))
        if "source" in params and asked.path.endswith("settlement"):
            meant = FILTERS.get(params["source"], {params["source"]})
            rows = [row for row in rows if row["source"] in meant]
        if "from" in params:
            rows = [row for row in rows if moment(row) >= int(params["from"])]
        if "to" in params:
            rows = [row for row in rows if moment(row) < int(params["to"])]
        if params.get("sortDirection", "Desc") == "Desc":
            rows = rows[::-1]
        page = rows[offset : offset + limit]
        headers = {
            "X-TOTAL": str(len(rows)),
            "X-PAGE-SIZE": str(limit),
            "X-PAGE-COUNT": str(-(-len(rows) // limit)),
            "X-CURRENT-PAGE": str(offset // limit + 1),
        }
        return _json(page)._replace(headers=headers)


def moment(row: Mapping[str, Any]) -> int:
    """Return the moment of a row, in milliseconds since 1970."""
    for name in ("timestamp", "createdAt", "intervalEndTimestamp"):
        if name in row:
            at = datetime.datetime.fromisoformat(row[name]).replace(tzinfo=datetime.UTC)
            return (at - EPOCH) // datetime.timedelta(milliseconds=1)
    raise ValueError(row)


def _json(found: object, status: int = 200) -> Reply:
    return Reply(status, json.dumps(found, separators=(",", ":")).encode())


def _refused(status: int, why: str) -> Reply:
    return _json({"code": "INVALID_CLIENT_REQUEST", "message": why}, status)


def _nothing(path: str, params: dict[str, str], at: int) -> list[object]:
    """Say that there are no markets, pools and prices."""
    del path, params, at
    return []


# Faults, on order.


def too_many(retry_after: str | None = None) -> Fault:
    """Answer 429, with or without how long to wait."""
    headers = {} if retry_after is None else {"Retry-After": retry_after}
    return lambda _, __: Reply(429, b'{"code":"TOO_MANY_REQUESTS","message":"slow down"}', headers)


def failed(status: int = 502) -> Fault:
    """Answer with an error of the server, in HTML."""
    return lambda _, __: Reply(status, b"<html><body>Bad gateway</body></html>")


def refused(status: int) -> Fault:
    """Answer that the request is not allowed."""
    return lambda _, __: _json({"code": "FORBIDDEN", "message": "You may not"}, status)


def html(_: Asked, __: Reply) -> Reply:
    """Answer 200 with a page for a person."""
    return Reply(200, b"<html><body>Maintenance</body></html>", {"Content-Type": "text/html"})


def cut(after: int = 5) -> Fault:
    """End the connection after some bytes of the body."""
    return lambda _, reply: reply._replace(cut=after)


def total(change: int) -> Fault:
    """Say another number of rows than there are."""

    def wrong(_: Asked, reply: Reply) -> Reply:
        said = int(reply.headers["X-TOTAL"]) + change
        return reply._replace(headers={**reply.headers, "X-TOTAL": str(said)})

    return wrong


def without_total(_: Asked, reply: Reply) -> Reply:
    """Say no number of rows."""
    return reply._replace(headers={})


def redirect(url: str) -> Fault:
    """Lead elsewhere."""
    return lambda asked, _: Reply(302, b"", {"Location": url + asked.path})


def echo(status: int) -> Fault:
    """Repeat in an error what was sent, headers and all."""

    def repeated(asked: Asked, _: Reply) -> Reply:
        message = " ".join(f"{name}: {value}" for name, value in asked.headers.items())
        return _json({"code": "INVALID_CLIENT_REQUEST", "message": message}, status)

    return repeated


def body(text: bytes) -> Fault:
    """Say something else."""
    return lambda _, reply: reply._replace(body=text)


def slow(seconds: int) -> Fault:
    """Take long."""

    def late(_: Asked, reply: Reply) -> Reply:
        time.sleep(seconds)
        return reply

    return late


def then(change: Callable[[], None]) -> Fault:
    """Answer as always; afterwards something changes."""

    def changed(_: Asked, reply: Reply) -> Reply:
        change()
        return reply

    return changed


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing of a client that has gone away."""


class _Handler(BaseHTTPRequestHandler):
    """Speaks HTTP."""

    protocol_version = "HTTP/1.1"

    def reply(self) -> Reply:
        """Return the answer to the request that was read."""
        raise NotImplementedError

    def _answer(self) -> None:
        length = int(self.headers.get("Content-Length") or 0)
        if length:
            self.rfile.read(length)
        reply = self.reply()
        self.send_response(reply.status)
        headers = {"Content-Type": "application/json", **reply.headers}
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body if reply.cut is None else reply.body[: reply.cut])
        if reply.cut is not None:
            self.close_connection = True

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = _answer  # noqa: N815

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002, ANN401
        """Say nothing."""
