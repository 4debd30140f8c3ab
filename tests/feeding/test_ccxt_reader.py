"""The reader on ccxt: what is sent, what is not, and what comes back."""

import json
import logging
import subprocess
import sys
import traceback
from pathlib import Path
from typing import Any

import fake_venue
import pytest
from fake_venue import Account, FakeVenue, Pair

from usance.feeding import ccxt_reader
from usance.feeding.ccxt_reader import CcxtReader, checked, reader
from usance.feeding.downloads import RefusedError
from usance.feeding.keys import Key
from usance.feeding.reader import Answer, BadStatusError, NoAnswerError, UnreadableError
from usance.venues.backpack.endpoints import PRIVATE

PAIR = Pair.of(21)
FILLS = "/wapi/v1/history/fills"
MARKETS = "/api/v1/markets"


def venue(**more: Any) -> FakeVenue:  # noqa: ANN401
    return FakeVenue({PAIR.key: Account(**more)})


def opened(server: FakeVenue) -> CcxtReader:
    return reader(Key(*PAIR), server.url)


def test_every_private_path_is_signed_as_the_venue_checks_it() -> None:
    with venue() as server:
        read = opened(server)
        for path in sorted(PRIVATE):
            assert read.get(path, {}).text
        read.get(FILLS, {"sortDirection": "Asc", "limit": "1000", "offset": "2000"})
    assert server.wrong == []


def test_a_wrong_secret_is_seen_by_the_venue() -> None:
    with venue() as server, pytest.raises(BadStatusError, match="Invalid signature"):
        reader(Key(PAIR.key, Pair.of(22).secret), server.url).get(FILLS, {})
    assert server.wrong == ["Invalid signature"]


def test_position_history_has_its_instruction() -> None:
    """ccxt 4.5.90 lacks it, and the venue would answer 401."""
    with venue() as server:
        exchange = opened(server).exchange
        exchange.private_get_wapi_v1_history_position({"limit": "1000"})
    assert server.wrong == []


def test_no_header_is_sent_but_those_that_the_venue_asks_for() -> None:
    with venue() as server:
        opened(server).get(FILLS, {})
        reader(None, server.url).get(MARKETS, {})
    private, public = server.log
    plain = {"host", "user-agent", "accept-encoding", "accept", "connection"}
    signed = {"x-timestamp", "x-window", "x-api-key", "x-signature"}
    assert private.headers.keys() == plain | signed
    assert public.headers.keys() == plain
    assert server.wrong == []


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_but_get_can_be_sent(method: str) -> None:
    says = "sends GET alone"
    with venue() as server:
        exchange = opened(server).exchange
        with pytest.raises(TypeError, match=says):
            exchange.request("api/v1/order", ["private"], method, {"symbol": "SOL_USDC"})
        with pytest.raises(TypeError, match=says):
            exchange.sign("api/v1/order", ["private"], method, {})
        with pytest.raises(TypeError, match=says):
            exchange.fetch(f"{server.url}/api/v1/order", method)
        with pytest.raises(TypeError, match=says):
            exchange.fetch(f"{server.url}/api/v1/order", "GET", {}, "{}")
        with pytest.raises(TypeError, match=says):
            exchange.private_post_api_v1_order({"symbol": "SOL_USDC"})
    assert server.log == []


def test_an_answer_is_the_text_as_it_came() -> None:
    text = b' [{"price": 1.10, "price": 1e-7, "id": 12345678901234567890}]\n'
    with venue() as server:
        server.faults.append(fake_venue.body(text))
        answer = opened(server).get(FILLS, {})
    assert answer == Answer(text.decode(), answer.headers)
    assert answer.headers["x-total"] == "0"


def test_a_redirect_is_not_followed() -> None:
    with venue() as server, venue() as elsewhere:
        server.faults.append(fake_venue.redirect(elsewhere.url))
        with pytest.raises(BadStatusError, match="302"):
            opened(server).get(FILLS, {})
    assert elsewhere.log == []


@pytest.mark.parametrize("status", [400, 401, 403, 404, 429, 500, 502, 503])
def test_a_bad_status_is_said_with_its_headers(status: int) -> None:
    with venue() as server:
        server.faults.append(
            lambda _, __: fake_venue.Reply(status, b"<html>", {"Retry-After": "7"})
        )
        with pytest.raises(BadStatusError) as raised:
            opened(server).get(FILLS, {})
    assert raised.value.status == status
    assert raised.value.headers["retry-after"] == "7"
    assert raised.value.says == ""


def test_what_the_venue_says_of_an_error_is_shown() -> None:
    with venue() as server:
        with pytest.raises(BadStatusError) as raised:
            opened(server).get(FILLS, {"colour": "red"})
        assert str(raised.value) == "400 INVALID_CLIENT_REQUEST unknown ['colour']"
        server.faults.append(
            lambda _, __: fake_venue.Reply(
                400, json.dumps({"message": "a\nb\x1b[31m" * 99}).encode()
            )
        )
        with pytest.raises(BadStatusError) as raised:
            opened(server).get(FILLS, {})
        assert raised.value.says.isprintable()
        assert len(raised.value.says) <= 120


@pytest.mark.parametrize("status", [400, 401, 429, 500])
def test_a_venue_that_repeats_what_was_sent_makes_no_error_show_it(status: int) -> None:
    with venue() as server:
        server.faults.append(fake_venue.echo(status))
        with pytest.raises(BadStatusError) as raised:
            opened(server).get(FILLS, {})
        signature = server.log[0].headers["x-signature"]
    shown = "".join(traceback.format_exception(raised.value)) + repr(raised.value.args)
    for secret in (PAIR.key, PAIR.secret, signature, PAIR.key[:20], signature[:20]):
        assert secret not in shown
    assert "x-api-key: ..." in raised.value.says or "host:" in raised.value.says


def test_a_body_that_is_shorter_than_announced_is_cut() -> None:
    with venue(history={FILLS: [{"a": "b"}]}) as server:
        server.faults.append(fake_venue.cut(5))
        with pytest.raises((NoAnswerError, UnreadableError)):
            opened(server).get(FILLS, {})


def test_no_connection_is_no_answer() -> None:
    with venue() as server:
        url = server.url
    with pytest.raises(NoAnswerError) as raised:
        reader(Key(*PAIR), url).get(FILLS, {})
    shown = "".join(traceback.format_exception(raised.value))
    assert PAIR.key not in shown
    assert raised.value.__context__ is None


def test_a_venue_that_takes_too_long_is_no_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ccxt_reader, "TIMEOUT", 100)
    with venue() as server:
        server.faults.append(fake_venue.slow(1))
        with pytest.raises(NoAnswerError):
            opened(server).get(FILLS, {})


def test_what_is_no_utf_8_or_too_large_cannot_be_used(monkeypatch: pytest.MonkeyPatch) -> None:
    with venue() as server:
        server.faults.append(fake_venue.body(b'["\xff"]'))
        with pytest.raises(UnreadableError, match="it is no UTF-8"):
            opened(server).get(FILLS, {})
        monkeypatch.setattr(ccxt_reader, "SIZE_MAX", 10)
        server.faults.append(fake_venue.body(b'["0123456789"]'))
        with pytest.raises(UnreadableError, match="it is larger than 64 MiB"):
            opened(server).get(FILLS, {})


def test_an_error_in_an_answer_of_status_200_is_handed_on() -> None:
    """Whoever asked sees that it holds no rows; ccxt would raise."""
    with venue() as server:
        server.faults.append(fake_venue.body(b'{"code":"INVALID_ORDER","message":"no"}'))
        assert opened(server).get(FILLS, {}).text.startswith('{"code"')


def test_nothing_is_printed_or_logged(
    capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with venue() as server:
        opened(server).get(FILLS, {})
        signature = server.log[0].headers["x-signature"]
    printed = capfd.readouterr()
    for shown in (printed.out, printed.err, caplog.text):
        for secret in (PAIR.key, PAIR.secret, signature):
            assert secret not in shown
    assert printed.out == ""


@pytest.mark.parametrize(
    "url",
    [
        "https://api.backpack.exchange",
        "https://api.backpack.exchange/",
        "http://127.0.0.1:8000",
        "http://127.1.2.3",
        "http://[::1]:8000",
        "http://localhost:8000/venue",
    ],
)
def test_safe_addresses_are_taken(url: str) -> None:
    assert checked(url) == url.rstrip("/")


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("http://api.backpack.exchange", "would send what you fetch in the open"),
        ("http://10.0.0.1", "would send what you fetch in the open"),
        ("http://127.0.0.1.example.com", "would send what you fetch in the open"),
        ("http://localhost.example.com", "would send what you fetch in the open"),
        ("http://[::2]", "would send what you fetch in the open"),
        ("ftp://127.0.0.1", "is no address of a venue"),
        ("api.backpack.exchange", "is no address of a venue"),
        ("https://", "is no address of a venue"),
        ("https://host/?a=b", "is no address of a venue"),
        ("https://me:secret@host", "holds a name or password"),
        ("https://host:port", "is no URL"),
        ("https://[::1", "is no URL"),
        ("", "is no address of a venue"),
    ],
)
def test_other_addresses_are_refused(url: str, says: str) -> None:
    with pytest.raises(RefusedError, match=says) as raised:
        checked(url)
    assert "secret" not in str(raised.value)


def test_without_ccxt_one_sentence_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ccxt", None)
    with pytest.raises(RefusedError) as raised:
        reader(None, "https://host")
    assert str(raised.value) == (
        'fetch needs the library ccxt. Install it: pip install "usance[backpack]"'
    )


def test_ccxt_is_imported_only_when_a_reader_is_asked_for(tmp_path: Path) -> None:
    program = (
        "import sys; import usance.cli, usance.feeding.fetching; "
        "assert not {'ccxt', 'requests', 'cryptography'} & sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", program], check=True, cwd=tmp_path)
