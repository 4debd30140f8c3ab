"""Requests that cost too much: they end in time, and delay no others. With real connections."""

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import quote

import pytest
from test_fava_server import Answer, Running, made, running

from usance.fava import limits

PAGE = "/beancount/extension/UsanceLending/"
SOON = 8
"""Seconds in which a page is answered, whatever else is asked: a busy machine takes some."""


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    with running(made(tmp_path_factory.mktemp("limits") / "books")) as server:
        server.ask("GET", PAGE)
        yield server


def query(server: Running, text: str) -> Answer:
    return server.ask("GET", f"/beancount/api/query?query_string={quote(text)}")


def seconds_of_a_page(server: Running) -> float:
    begun = time.monotonic()
    assert server.ask("GET", PAGE).status == 200
    return time.monotonic() - begun


def test_a_query_of_thousands_of_terms_is_stopped_and_delays_no_page(server: Running) -> None:
    long = "SELECT 1" + "+1" * 3000
    begun = time.monotonic()
    with ThreadPoolExecutor(2) as pool:
        asked = [pool.submit(query, server, long) for _ in range(2)]
        time.sleep(1)
        assert seconds_of_a_page(server) < SOON
        answers = [it.result() for it in asked]
    assert time.monotonic() - begun < limits.QUERY_SECONDS + SOON
    assert [it.status for it in answers] == [400, 400]
    assert answers[0].error == "The query was stopped after 10 seconds. Ask for less at once."
    assert query(server, "SELECT count(*)").status == 200


def test_a_table_of_a_file_is_not_opened(server: Running, tmp_path: Path) -> None:
    """Goal: a pipe that nobody writes to would hold its thread for ever."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    begun = time.monotonic()
    got = query(server, f"CREATE TABLE t (a str) USING 'csv:{pipe}'")
    assert got.status == 400
    assert time.monotonic() - begun < SOON


BACKTRACKING = r"^(.|..|...|....|.....)+[!?]$"


MATCHING = f'SELECT date WHERE account ~ "{BACKTRACKING}"'
FILTER = f'any(account:"{BACKTRACKING}")'
FINDING = f'SELECT grep("{BACKTRACKING}", account)'


@pytest.mark.parametrize(
    "path",
    [
        f"query?query_string={quote(MATCHING)}",
        f"query?query_string={quote(FINDING)}",
        f"query?query_string={quote('SELECT date')}&account={quote(BACKTRACKING)}",
        f"income_statement?account={quote(BACKTRACKING)}",
        f"income_statement?filter={quote(FILTER)}",
    ],
)
def test_an_expression_that_tries_everything_is_stopped(path: str, server: Running) -> None:
    with ThreadPoolExecutor(1) as pool:
        begun = time.monotonic()
        asked = pool.submit(server.ask, "GET", f"/beancount/api/{path}")
        time.sleep(0.2)
        assert seconds_of_a_page(server) < SOON
        got = asked.result()
        took = time.monotonic() - begun
    assert took < limits.EXPRESSION_SECONDS + SOON
    assert (got.status, got.error[:38]) == (400, "The regular expression takes too long.")


def test_plain_expressions_are_answered(server: Running) -> None:
    assert query(server, "SELECT account WHERE account ~ 'wallet$'").status == 200
    assert server.ask("GET", "/beancount/api/income_statement?account=.*wallet").status == 200
    assert server.ask("GET", "/beancount/api/income_statement?account=%28").status == 200


@pytest.mark.parametrize("count", [12, 50])
@pytest.mark.parametrize(
    "start",
    [b"", b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nX-Half:", b"P"],
    ids=["silent", "half", "P"],
)
def test_connections_that_send_nothing_more_delay_no_page(
    start: bytes, count: int, server: Running
) -> None:
    with ExitStack() as stack:
        for _ in range(count):
            half = stack.enter_context(socket.create_connection(("127.0.0.1", server.port)))
            half.sendall(start)
        # Before any of them is ended: each has a thread, and the page one of the others.
        assert seconds_of_a_page(server) < limits.HEADER_SECONDS - 1


def test_a_request_that_comes_byte_by_byte_ends_in_time(server: Running) -> None:
    begun = time.monotonic()
    with socket.create_connection(("127.0.0.1", server.port)) as slow:
        slow.settimeout(0.2)
        slow.sendall(b"GET / HTTP/1.1\r\nX-Slow: ")
        while time.monotonic() - begun < 3 * limits.HEADER_SECONDS:
            try:
                slow.sendall(b"x")
                if not slow.recv(1000):
                    break
            except TimeoutError:
                continue
            except OSError:
                break
    assert time.monotonic() - begun < limits.HEADER_SECONDS + SOON


def test_a_request_has_a_size(server: Running) -> None:
    got = server.ask("GET", f"/beancount/api/query?query_string={'x' * limits.HEADER_BYTES}")
    assert got.status == 414


def test_a_query_leaves_nothing_behind_that_slows_the_interpreter() -> None:
    """Goal: no interrupt is pending after a query. Method: a traced call ends, in a process."""
    code = """
import sys, time
from usance.fava import limits

def traced():
    return 1

for seconds in (10, 0.05):
    limits.QUERY_SECONDS = seconds
    try:
        with limits.limited_query():
            end = time.monotonic() + (0.3 if seconds < 1 else 0)
            while time.monotonic() < end:
                pass
    except limits.TooLongError:
        assert seconds < 1
    sys.settrace(lambda *_: None)
    assert traced() == 1
    sys.settrace(None)
"""
    done = subprocess.run([sys.executable, "-c", code], timeout=60, check=False)
    assert done.returncode == 0
