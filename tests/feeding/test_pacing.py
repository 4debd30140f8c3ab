"""Pacing: how fast the venue is asked, and how long is waited until it is given up."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest
from fetching_books import Time

from usance.feeding.pacing import FetchError, Pacing, RefusedKeyError, RefusedRequestError
from usance.feeding.reader import Answer, BadStatusError, NoAnswerError, UnreadableError

PATH = "/api/v1/markets"
GOOD = Answer('[{"price": 1.10}]', {})


@dataclass
class Script:
    """A reader that says or raises one thing after the other, the last one for ever."""

    said: list[Answer | Exception]
    asked: int = 0
    times: list[int] = field(default_factory=list)
    time: Time = field(default_factory=Time)

    def get(self, path: str, params: Mapping[str, str]) -> Answer:
        assert (path, params) == (PATH, {})
        self.times.append(self.time.now)
        said = self.said[min(self.asked, len(self.said) - 1)]
        self.asked += 1
        if isinstance(said, Exception):
            raise said
        return said


def run(script: Script) -> tuple[object, list[str]]:
    """Ask once; return what came, and what a person was told."""
    told: list[str] = []
    pacing = Pacing(script.time.clock(), told.append)
    return pacing.get(script, PATH, {}, lambda found, _: found), told


def status(number: int, retry_after: str | None = None) -> BadStatusError:
    return BadStatusError(
        number, "SLOW down", {} if retry_after is None else {"retry-after": retry_after}
    )


def test_numbers_are_as_they_were_written() -> None:
    assert run(Script([GOOD]))[0] == [{"price": "1.10"}]


def test_twenty_requests_are_sent_in_a_second_at_most() -> None:
    script = Script([GOOD])
    pacing = Pacing(script.time.clock(), lambda _: None)
    for _ in range(100):
        pacing.get(script, PATH, {}, lambda found, _: found)
    times = script.times
    assert all(later - one >= 1000 for one, later in zip(times, times[20:], strict=False))


def test_a_clock_that_is_set_back_does_not_stop_the_run() -> None:
    script = Script([GOOD])
    pacing = Pacing(script.time.clock(), lambda _: None)
    pacing.get(script, PATH, {}, lambda found, _: found)
    script.time.now -= 3_600_000
    pacing.get(script, PATH, {}, lambda found, _: found)
    assert max(script.time.waits) <= 50


@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (status(429), [1, 2, 4, 8, 16, 32]),
        (status(429, "7"), [7] * 6),
        (status(429, "3600"), [60] * 6),
        (status(429, "9" * 5000), [60] * 6),
        (status(429, "0"), []),
        (status(429, "-5"), [1, 2, 4, 8, 16, 32]),
        (status(429, "Wed, 21 Oct 2026 07:28:00 GMT"), [1, 2, 4, 8, 16, 32]),
        (status(500), [1, 2, 4, 8]),
        (status(503), [1, 2, 4, 8]),
        (NoAnswerError("ConnectTimeout"), [1, 2, 4, 8]),
        (UnreadableError("it is shorter than announced"), [1, 2]),
        (Answer("<html>", {}), [1, 2]),
        (Answer("", {}), [1, 2]),
        (Answer('[{"cut": ', {}), [1, 2]),
        (Answer("[" * 100_000, {}), [1, 2]),
    ],
)
def test_each_fault_is_waited_for_and_given_up(fault: Answer | Exception, waits: list[int]) -> None:
    tries = {429: 7, 500: 5, 503: 5}.get(getattr(fault, "status", 0), len(waits) + 1)
    script = Script([fault])
    with pytest.raises(FetchError, match=f"GET {PATH}: given up, ") as raised:
        run(script)
    assert script.time.long() == waits
    assert script.asked == tries
    assert str(raised.value).endswith(
        "What came is kept; run usance fetch again later, and it goes on from there."
    )


@pytest.mark.parametrize(
    ("faults", "waits"),
    [
        ([status(429)] * 6, [1, 2, 4, 8, 16, 32]),
        ([status(502)] * 4, [1, 2, 4, 8]),
        ([NoAnswerError()] * 4, [1, 2, 4, 8]),
        ([Answer("<html>", {})] * 2, [1, 2]),
        ([status(429, "5"), status(429)], [5, 2]),
        # Each kind of fault has its own count.
        ([status(502), status(429), NoAnswerError(), Answer("", {})], [1, 1, 2, 1]),
    ],
)
def test_the_last_try_may_succeed(faults: list[Answer | Exception], waits: list[int]) -> None:
    script = Script([*faults, GOOD])
    assert run(script)[0] == [{"price": "1.10"}]
    assert script.time.long() == waits


def test_a_person_hears_of_waits_of_more_than_a_second() -> None:
    script = Script([NoAnswerError("ConnectTimeout"), status(502), GOOD])
    assert run(script)[1] == [f"Waiting 2 s for GET {PATH}: status 502 SLOW down."]


@pytest.mark.parametrize(
    ("fault", "error", "says"),
    [
        (status(401), RefusedKeyError, "GET /api/v1/markets: status 401 SLOW down"),
        (status(403), RefusedKeyError, "status 403"),
        (status(400), RefusedRequestError, "Set the clock of this computer if it is wrong"),
        (status(404), RefusedRequestError, "status 404"),
        (status(302), FetchError, "leads elsewhere and is not followed"),
    ],
)
def test_what_no_waiting_mends_ends_at_once(
    fault: BadStatusError, error: type[FetchError], says: str
) -> None:
    script = Script([fault])
    with pytest.raises(error, match=says):
        run(script)
    assert script.asked == 1
    assert script.time.long() == []


def test_an_answer_that_cannot_be_used_is_asked_for_again() -> None:
    script = Script([GOOD])

    def use(found: object, answer: Answer) -> object:
        del answer
        if script.asked < 3:
            raise UnreadableError("it is no list of rows")
        return found

    Pacing(script.time.clock(), lambda _: None).get(script, PATH, {}, use)
    assert script.time.long() == [1, 2]
