"""The reader on ccxt: GET alone, no redirect, no header that the venue does not ask for.

This is the one module that knows a network. ccxt is imported when a reader is asked for.
"""

import ipaddress
import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from importlib import import_module
from typing import Any
from urllib.parse import urlsplit

from usance import __version__
from usance.feeding.downloads import SIZE_MAX, RefusedError
from usance.feeding.keys import Key
from usance.feeding.reader import Answer, BadStatusError, NoAnswerError, UnreadableError
from usance.venues.backpack.endpoints import PRIVATE

INSTALL = 'fetch needs the library ccxt. Install it: pip install "usance[backpack]"'

TIMEOUT = 30_000
"""Milliseconds without a byte after which a connection counts as cut."""

WORD_MAX = 20
"""A longer word of the venue may be a key or a signature, and is not shown."""

SAYS_MAX = 120


def checked(url: str) -> str:
    """Return the address of a venue without a slash at its end; RefusedError if it is unsafe."""
    try:
        parts = urlsplit(url)
        port, host = parts.port, parts.hostname or ""
    except ValueError:
        raise RefusedError("The address of the venue is no URL. Write https://HOST.") from None
    del port
    if parts.username is not None or parts.password is not None:
        raise RefusedError("The address of the venue holds a name or password. Leave them out.")
    if parts.scheme not in {"https", "http"} or not host or parts.query or parts.fragment:
        raise RefusedError(f"{url!r} is no address of a venue. Write https://HOST.")
    if parts.scheme == "http" and not _is_loopback(host):
        raise RefusedError(
            f"{url!r} would send what you fetch in the open. Write https, or http to 127.0.0.1."
        )
    return url.rstrip("/")


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def reader(key: Key | None, url: str) -> "CcxtReader":
    """Return a reader of an account of Backpack, or of what it says to everybody if no key."""
    try:
        library = import_module("ccxt")
    except ImportError:
        raise RefusedError(INSTALL) from None
    return CcxtReader(library, key, checked(url))


class CcxtReader:
    """Reads one account, or what everybody is told.

    It hands on an answer as it came: what ccxt parses of it has gone through floats.
    """

    def __init__(self, library: Any, key: Key | None, url: str) -> None:  # noqa: ANN401
        self._failed: type[Exception] = library.BaseError
        self._key = key
        self._answers = list[Answer]()
        self.exchange = _get_only(library.backpack)(
            {
                "apiKey": "" if key is None else key.key,
                "secret": "" if key is None else key.secret,
                "urls": {"api": {"public": url, "private": url}},
                "enableRateLimit": False,  # whoever asks keeps the pace
                "timeout": TIMEOUT,
                "userAgent": f"usance/{__version__}",
            }
        )
        # At these two places ccxt shows the headers.
        self.exchange.verbose = False
        self.exchange.logger = logging.getLogger("usance.ccxt")
        self.exchange.logger.disabled = True
        self.exchange.options["instructions"]["wapi/v1/history/position"] = {
            "GET": "positionHistoryQueryAll"
        }
        self.exchange.session.max_redirects = 0
        self.exchange.session.hooks["response"] = [self._came]

    def get(self, path: str, params: Mapping[str, str]) -> Answer:
        """Return the answer to a GET; NoAnswerError or BadStatusError if there is none."""
        access = "private" if path in PRIVATE else "public"
        ask = getattr(self.exchange, f"{access}_get{path.replace('/', '_').lower()}")
        self._answers.clear()
        why = ""
        try:
            ask(dict(params))
        except self._failed as error:
            why = type(error.__cause__ or error).__name__
        # Outside of the handler: the error has no chain, which could show what was sent.
        if not self._answers:
            raise NoAnswerError(why)
        return self._answers.pop()

    def _came(self, response: Any, **_: object) -> None:  # noqa: ANN401
        """Take an answer before anything else does, so that no redirect is followed."""
        headers = {name.lower(): value for name, value in response.headers.items()}
        if response.status_code != HTTPStatus.OK:
            raise BadStatusError(response.status_code, self._says(response), headers)
        announced = headers.get("content-length", "")
        if announced.isdecimal() and int(announced) > SIZE_MAX:
            raise UnreadableError("it is larger than 64 MiB")
        content: bytes = response.content
        if announced.isdecimal() and response.raw.tell() < int(announced):
            raise UnreadableError("it is shorter than announced")
        try:
            self._answers.append(Answer(content.decode(), headers))
        except UnicodeDecodeError:
            raise UnreadableError("it is no UTF-8") from None

    def _says(self, response: Any) -> str:  # noqa: ANN401
        """Return the code and message of an error, or nothing if it has none that may be shown."""
        try:
            found = json.loads(response.content)
        except (OSError, ValueError, RecursionError):
            return ""
        if not isinstance(found, dict):
            return ""
        said = " ".join(str(found[part]) for part in ("code", "message") if part in found)
        if self._key is not None:
            said = said.replace(self._key.key, "...")
        printed = "".join(c if c.isprintable() else " " for c in said).split()
        return " ".join(word if _may_show(word) else "..." for word in printed)[:SAYS_MAX]


def _get_only(venue: Any) -> Any:  # noqa: ANN401
    """Return ccxt's class of a venue, which then can do nothing but GET."""

    class GetOnly(venue):  # type: ignore[misc]
        def sign(
            self, path: str, api: object, method: str, params: object, *rest: object
        ) -> dict[str, Any]:
            _refuse_unless_get(method)
            request: dict[str, Any] = super().sign(path, api, method, params, *rest)
            _refuse_unless_get(request["method"], request["body"])
            (request["headers"] or {}).pop("X-Broker-Id", None)
            return request

        def fetch(
            self, url: str, method: str = "GET", headers: object = None, body: object = None
        ) -> object:
            _refuse_unless_get(method, body)
            return super().fetch(url, method, headers, body)

        def parse_json(self, http_response: str) -> None:
            """Leave numbers as they were written."""

    return GetOnly


def _refuse_unless_get(method: str, body: object = None) -> None:
    if method != "GET" or body is not None:
        raise TypeError("fetch reads: it sends GET alone, without a body")


def _may_show(word: str) -> bool:
    """Tell whether a word is no key or signature, which the venue may repeat."""
    return len(word) <= WORD_MAX or (word.replace("_", "").isalpha() and word.isupper())
