"""Pacing: how fast a venue is asked, how long is waited before it is asked again, and how often."""

import json
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import TypeVar

from usance.feeding.reader import (
    Answer,
    BadStatusError,
    NoAnswerError,
    Reader,
    UnreadableError,
)
from usance.venues.numbers import JsonNumber

T = TypeVar("T")

SECOND = 1000
"""Milliseconds, in which all moments and waits here are."""

APART = 50
"""Between two requests, so that 20 are sent in a second at most."""

TOO_MANY = (1, 2, 4, 8, 16, 32)
"""Seconds to wait after each 429 that names none, and how many are borne."""

RETRY_AFTER_MAX = 60

NO_ANSWER = (1, 2, 4, 8)
"""The same for no connection, a cut one, and an error of the venue."""

UNREADABLE = (1, 2)
"""The same for an answer that cannot be used."""


@dataclass(frozen=True, slots=True)
class Clock:
    """What tells the time and waits, in milliseconds; the time since 1970-01-01T00:00:00 UTC."""

    now: Callable[[], int]
    sleep: Callable[[int], None]


SYSTEM = Clock(lambda: time.time_ns() // 1_000_000, lambda wait: time.sleep(wait / SECOND))


class FetchError(Exception):
    """Fetching ends here; its text says which path of the venue, why, and what to do."""


class RefusedKeyError(FetchError):
    """The venue does not take the key."""


class RefusedRequestError(FetchError):
    """The venue does not take a request, whoever sends it."""


class Pacing:
    """Asks readers of one venue, at its pace.

    say  tells a person about a long wait
    """

    def __init__(self, clock: Clock, say: Callable[[str], None]) -> None:
        self.clock = clock
        self._say = say
        self._last = -APART

    def get(
        self,
        reader: Reader,
        path: str,
        params: Mapping[str, str],
        use: Callable[[object, Answer], T],
    ) -> T:
        """Return what is made of an answer.

        use  makes it, of the JSON in which numbers are as they were written, and the answer;
             UnreadableError if it cannot, for which the venue is asked again
        """
        waits: dict[tuple[int, ...], Iterator[int]] = {
            kind: iter(kind) for kind in (TOO_MANY, NO_ANSWER, UNREADABLE)
        }
        while True:
            self._keep_pace()
            try:
                answer = reader.get(path, params)
                return use(_json(answer.text), answer)
            except BadStatusError as error:
                wait, why = self._after(error, path, waits), f"status {error}"
            except NoAnswerError as error:
                cause = f" ({error})" if str(error) else ""
                why = f"no connection, or it was cut{cause}"
                wait = _next(waits[NO_ANSWER], path, why)
            except UnreadableError as error:
                why = f"the answer cannot be used: {error}"
                wait = _next(waits[UNREADABLE], path, why)
            if wait > 1:
                self._say(f"Waiting {wait} s for GET {path}: {why}.")
            self.clock.sleep(wait * SECOND)

    def _after(
        self, error: BadStatusError, path: str, waits: Mapping[tuple[int, ...], Iterator[int]]
    ) -> int:
        """Return the seconds to wait after an answer with a bad status."""
        if error.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
            raise RefusedKeyError(f"GET {path}: status {error}") from None
        why = f"status {error}"
        if error.status == HTTPStatus.TOO_MANY_REQUESTS:
            asked = error.headers.get("retry-after", "").strip()
            wait = _next(waits[TOO_MANY], path, why)
            named = asked.isascii() and asked.isdecimal()
            return min(int(asked[:9]), RETRY_AFTER_MAX) if named else wait
        if error.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            return _next(waits[NO_ANSWER], path, why)
        if HTTPStatus.MULTIPLE_CHOICES <= error.status < HTTPStatus.BAD_REQUEST:
            raise FetchError(
                f"GET {path}: {why}, which leads elsewhere and is not followed. Correct the "
                "address of the venue."
            ) from None
        raise RefusedRequestError(
            f"GET {path}: {why}. Set the clock of this computer if it is wrong, correct the "
            "address of the venue, or report the answer to the maintainers."
        ) from None

    def _keep_pace(self) -> None:
        # Bounded, as a clock may be set back.
        early = min(APART, self._last + APART - self.clock.now())
        if early > 0:
            self.clock.sleep(early)
        self._last = self.clock.now()


def _next(waits: Iterator[int], path: str, why: str) -> int:
    """Return the seconds to wait, or give up."""
    for wait in waits:
        return wait
    raise FetchError(
        f"GET {path}: given up, {why}. What came is kept; run usance fetch again later, and it "
        "goes on from there."
    ) from None


def _json(text: str) -> object:
    try:
        found: object = json.loads(text, parse_int=JsonNumber, parse_float=JsonNumber)
    except (ValueError, RecursionError):
        raise UnreadableError("it is no JSON") from None
    return found
