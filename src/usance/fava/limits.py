"""Limits: how long, how large and how many the requests of a server may be.

A thread cannot be ended from outside, and an expression of `re` lets no other thread run. So a
query gets an exception when its time is over, and the expressions of requests are those of the
package `regex`, which lets others run and stops in time.
"""

import ctypes
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from http import HTTPStatus
from types import SimpleNamespace
from typing import Any

import regex
from beanquery import query_compile, query_env
from cheroot.server import HTTPConnection, HTTPRequest
from cheroot.wsgi import Server
from fava.core import filters
from fava.json_api import FavaJSONAPIError
from flask import has_request_context, request

THREADS = 64
"""Requests that are answered at once."""

HEADER_SECONDS = 5
"""Time for a request to arrive, without its body."""

HEADER_BYTES = 64 * 1024
BODY_BYTES = 64 * 1024 * 1024

QUERIES = 4
"""Queries that run at once."""

QUERY_SECONDS = 10
"""Time of a query, and the time that a query waits for others."""

EXPRESSION_SECONDS = 1
"""Time of all regular expressions of a request together."""

SLOW_EXPRESSION = "The regular expression takes too long. Write one without repeats of repeats."

SPENT = "usance.expression_seconds"
"""Where a request keeps how much of that is spent."""


class TooLongError(FavaJSONAPIError):
    """An error that says what took too long; Fava's pages show it."""

    status = HTTPStatus.BAD_REQUEST


# Requests that do not arrive


class Request(HTTPRequest):
    """A request that must arrive in time: a slow one would hold its thread."""

    def parse_request(self) -> None:
        """Read the first line and the headers; end the connection if they take too long."""
        end = threading.Timer(HEADER_SECONDS, _end, (self.conn.socket,))
        end.daemon = True
        end.start()
        try:
            super().parse_request()
        finally:
            end.cancel()


def _end(connection: socket.socket) -> None:
    with suppress(OSError):  # it has ended already
        connection.shutdown(socket.SHUT_RDWR)


class Connection(HTTPConnection):
    """A connection whose requests must arrive in time."""

    RequestHandlerClass = Request


def server(host: str, port: int) -> Server:
    """Return a server with these limits."""
    limited = Server(
        (host, port), None, numthreads=THREADS, request_queue_size=THREADS, timeout=HEADER_SECONDS
    )
    limited.ConnectionClass = Connection
    limited.max_request_header_size = HEADER_BYTES
    limited.max_request_body_size = BODY_BYTES
    return limited


# Queries that do not end


class _TimeIsOver(BaseException):
    """What ends a query: no `except Exception` on its way may keep it."""


_running = threading.BoundedSemaphore(QUERIES)


@contextmanager
def limited_query() -> Iterator[None]:
    """Run a query for so many seconds at most, and so many at once; TooLongError beyond that."""
    if not _running.acquire(timeout=QUERY_SECONDS):
        raise TooLongError("Other queries are running. Try again later.")
    try:
        with _within(QUERY_SECONDS):
            yield
    except _TimeIsOver:
        raise TooLongError(
            f"The query was stopped after {QUERY_SECONDS} seconds. Ask for less at once."
        ) from None
    finally:
        _running.release()


@contextmanager
def _within(seconds: float) -> Iterator[None]:
    """Raise _TimeIsOver in this thread if the context takes longer."""
    thread, over, lock = ctypes.c_ulong(threading.get_ident()), threading.Event(), threading.Lock()
    sent = threading.Event()

    def watch() -> None:
        wait = seconds
        while not over.wait(wait):
            with lock:
                if not over.is_set():
                    sent.set()
                    _interrupt(thread)
            wait = 1  # again, if code of a query kept the first one

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        with lock:
            if sent.is_set():
                _receive(thread)


def _interrupt(thread: ctypes.c_ulong) -> None:
    """Let a thread raise _TimeIsOver."""
    ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, ctypes.py_object(_TimeIsOver))


def _receive(thread: ctypes.c_ulong) -> None:
    """Let this thread raise _TimeIsOver here, where one that is on its way ends as well."""
    # To cancel it would leave the interpreter looking for it at each call and loop, for good; under
    # a tracer, CPython 3.11 then never ends.
    with suppress(_TimeIsOver):
        _interrupt(thread)
        for _ in range(1_000_000):
            pass


# Expressions that do not end


def _in_time(function: Callable[..., Any], *arguments: Any, **named: Any) -> Any:  # noqa: ANN401
    """Call a function of `regex` with the time that is left to the request."""
    spending = request.environ if has_request_context() else {}
    spent = spending.get(SPENT, 0)
    if spent >= EXPRESSION_SECONDS:
        raise TooLongError(SLOW_EXPRESSION)
    begun = time.perf_counter()
    try:
        return function(*arguments, timeout=EXPRESSION_SECONDS - spent, concurrent=True, **named)
    except TimeoutError:
        raise TooLongError(SLOW_EXPRESSION) from None
    finally:
        spending[SPENT] = spent + time.perf_counter() - begun


def _compiled(pattern: str, flags: int = 0) -> SimpleNamespace:
    return SimpleNamespace(search=partial(_in_time, regex.compile(pattern, flags).search))


EXPRESSIONS = SimpleNamespace(
    IGNORECASE=regex.IGNORECASE,
    error=regex.error,
    compile=_compiled,
    **{
        name: partial(_in_time, getattr(regex, name))
        for name in ("fullmatch", "match", "search", "sub")
    },
)
"""The functions of `re` that filters and queries call, in the time of a request."""


def limit_expressions() -> None:
    """Let filters and queries stop at an expression that takes too long."""
    for module in (filters, query_compile, query_env):
        vars(module)["re"] = EXPRESSIONS
    # Of Beancount's functions of accounts the filters call this one alone.
    vars(filters)["account"] = SimpleNamespace(has_component=_has_component)


def _has_component(account: str, component: str) -> bool:
    """Tell whether an expression matches a whole component of an account, as Beancount does."""
    try:
        return bool(EXPRESSIONS.search(f"(^|:){component}(:|$)", account))
    except regex.error:
        return False
